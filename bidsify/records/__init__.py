"""What our trees say of how they were made: the files in ``code/bidsify``."""
