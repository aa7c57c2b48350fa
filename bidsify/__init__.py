"""Convert public medical-image segmentation datasets to BIDS, and prove that nothing was lost.

The public names are imported when they are first used, so that ``import bidsify`` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .api import (
        convert,
        deid_check,
        describe,
        detect,
        export_colors,
        export_hf,
        export_monai,
        export_nnunet,
        harmonise,
        import_predictions,
        label_tables,
        load,
        plan,
        preprocess,
        report,
        reproduce,
        share,
        validate,
        verify,
    )
    from .conversion.convert import Conversion
    from .engine.workers import Cluster
    from .errors import BidsifyError

_HOME = {
    "BidsifyError": "errors",
    "Cluster": "engine.workers",
    "Conversion": "conversion.convert",
    "convert": "api",
    "deid_check": "api",
    "describe": "api",
    "detect": "api",
    "export_colors": "api",
    "export_hf": "api",
    "export_monai": "api",
    "export_nnunet": "api",
    "harmonise": "api",
    "import_predictions": "api",
    "label_tables": "api",
    "load": "api",
    "plan": "api",
    "preprocess": "api",
    "report": "api",
    "reproduce": "api",
    "share": "api",
    "validate": "api",
    "verify": "api",
}

__all__ = [
    "BidsifyError",
    "Cluster",
    "Conversion",
    "__version__",
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


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
