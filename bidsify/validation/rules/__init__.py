"""The rules of the BIDS schema: compiled once, applied to files. None is typed in."""
