"""The library: the same verbs as the command line, as functions."""

from .handing import (
    export_colors,
    export_hf,
    export_monai,
    export_nnunet,
    import_predictions,
)
from .identity import deid_check
from .looking import describe, report
from .sharing import reproduce, share
from .sources import convert, detect, plan, verify
from .studies import preprocess
from .trees import harmonise, label_tables, load, validate

__all__ = [
    "convert",
    "deid_check",
    "describe",
    "detect",
    "export_colors",
    "export_hf",
    "export_monai",
    "export_nnunet",
    "harmonise",
    "import_predictions",
    "label_tables",
    "load",
    "plan",
    "preprocess",
    "report",
    "reproduce",
    "share",
    "validate",
    "verify",
]
