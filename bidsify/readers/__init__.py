"""One module per source format: bytes in, arrays and facts out. Nothing here writes."""
