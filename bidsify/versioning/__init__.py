"""Keep the history of a tree: a DataLad dataset that knows which command made what."""
