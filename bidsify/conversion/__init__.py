"""Make the files of a plan: one module for each kind, and :mod:`.convert` for the whole."""
