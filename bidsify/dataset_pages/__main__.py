"""``python -m bidsify.dataset_pages DIR`` writes the pages of all known datasets."""

from __future__ import annotations

import sys
from pathlib import Path

from . import write

if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit("usage: python -m bidsify.dataset_pages DIR")
    write(Path(sys.argv[1]))
