"""Read .pt files and touch each page of their arrays: by torch.load, or by bidsify's reader.

python load.py FOLDER torch|torch-unsafe|bidsify
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PAGE = 4096


def arrays(path: Path, how: str) -> Any:
    """Return the entries of a file."""
    if how == "bidsify":
        from bidsify.readers import tensors

        return tensors.load(path.read_bytes(), str(path))
    import torch

    return torch.load(path, weights_only=how == "torch")


if __name__ == "__main__":
    touched = 0
    for found in sorted(Path(sys.argv[1]).rglob("*.pt")):
        for entry in arrays(found, sys.argv[2]).values():
            flat = memoryview(entry.numpy() if "torch" in sys.argv[2] else entry).cast("B")
            touched += sum(flat[::PAGE])
    print(touched)
