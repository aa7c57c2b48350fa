"""Which dataset is this? Names decide; where they do not, a few files are looked into."""
