"""Ways to break a BIDS dataset, for `benchmarks/mutants.py`."""
