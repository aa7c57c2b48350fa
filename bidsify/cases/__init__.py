"""The segmentations of any BIDS tree with the images on their grids: what reports and exports use.

Headers alone are read to find them; ``values`` reads voxels, bounded.
"""
