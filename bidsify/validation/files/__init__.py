"""The files of a tree: found, named, read. Faults are findings, never exceptions."""
