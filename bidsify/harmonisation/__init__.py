"""A second segmentation with common codes beside each first one, in any BIDS tree."""
