"""What is in a BIDS tree, whoever made it: cases, volumes, grids, terms, and how it was made."""
