"""One module per source format: bytes in, arrays and facts out. Nothing here writes.

How a format is added, and which lists know the readers: "Add a reader" in
``docs/architecture.md``.
"""
