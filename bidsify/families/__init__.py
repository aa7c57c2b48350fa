"""Declarations that several editions of a dataset share; an edition adds names and tables."""
