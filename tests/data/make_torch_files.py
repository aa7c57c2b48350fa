"""Write the files of torch/ next to this script: run it with torch 2.x, and only to add a case.

``tests/test_tensors.py`` computes what is in them by the same formulas, without torch.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "torch_files"
REAL = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def dtypes() -> dict[str, torch.Tensor]:
    """One tensor of two by three of each dtype."""
    tensors = {}
    for name in REAL:
        tensors[name] = [index / 4 - 0.5 for index in range(6)]
    for name in COMPLEX:
        tensors[name] = [complex(index, -index / 2) for index in range(6)]
    for name in WHOLE:
        information = np.iinfo(name)
        step = (information.max - information.min) // 5
        tensors[name] = [information.min + index * step for index in range(6)]
    tensors["bool"] = [index % 3 == 0 for index in range(6)]
    return {
        name: torch.tensor(values, dtype=getattr(torch, name)).reshape(2, 3)
        for name, values in tensors.items()
    }


def strided() -> dict[str, torch.Tensor]:
    """Windows on one storage, and tensors of no or one element."""
    whole = torch.arange(24, dtype=torch.int16).reshape(2, 3, 4)
    return {
        "whole": whole,
        "transposed": whole.permute(2, 0, 1),
        "every other": whole[:, ::2, 1::2],
        "diagonal": whole[0].diagonal(),
        "row": whole[1, 1],
        "expanded": whole[0, :1, :].expand(5, 4),
        "number": torch.tensor(2.5),
        "empty": torch.empty(0, 3),
        "half": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).T,
    }


def arrays() -> dict[str, object]:
    """Arrays of numpy, which torch.save leaves to pickle."""
    return {
        "C": np.arange(200, dtype=np.uint8).reshape(2, 100),
        "F": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big-endian": np.arange(6, dtype=">i4"),
        "number": np.array(1.5),
        "empty": np.empty((0, 2)),
        "bool": np.array([True, False]),
        "scalar": np.float32(0.1),
        "tensor": torch.arange(3),
    }


def nested() -> dict[str, object]:
    """Containers in containers."""
    return {
        "list": [1, -2, 2**40, 0.5, None, True, "\u00fc", b"\x00\xff", b""],
        "tuple": (torch.arange(2), {"a": (np.arange(2), [])}),
        "ordered": OrderedDict([("b", 1), ("a", 2)]),
        "state": torch.nn.Linear(1, 1, bias=False).state_dict(),
        "size": torch.zeros(2, 3).shape,
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "set": {1, 2},
        "frozenset": frozenset(["a"]),
        "complex": 1 - 2j,
        3: "three",
    }


def main() -> None:
    """Write all."""
    FOLDER.mkdir(exist_ok=True)
    content = {"dtypes": dtypes(), "strided": strided(), "numpy": arrays(), "nested": nested()}
    content["nested"]["state"]["weight"].fill_(0.25)
    for name, value in content.items():
        torch.save(value, FOLDER / f"{name}.pt")
        torch.save(value, FOLDER / f"{name}_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"a": torch.ones(2, dtype=torch.complex64).conj()}, FOLDER / "conjugate.pt")


if __name__ == "__main__":
    main()
