"""The library: the same verbs as the command line, as functions."""

from .sources import convert, detect, plan, verify
from .studies import preprocess
from .trees import harmonise, label_tables, load, validate

__all__ = [
    "convert",
    "detect",
    "harmonise",
    "label_tables",
    "load",
    "plan",
    "preprocess",
    "validate",
    "verify",
]
