"""Text from strangers, made fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Keep the control characters of file names away from the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
