"""The floor of a conversion: what cannot be left out if the result is to be the same.

It reads each file, inflates what is packed, takes the pixels out of what holds them, changes the
type or values of labels where bidsify does, packs what is not packed, hashes what the record of a
conversion states (source file, content, written file; each once) and writes. It knows no BIDS,
checks nothing, states no affine and proves nothing. With ``--read-back`` it reads each written file
again and compares it with what it came from: the limit of a conversion that proves itself.

    python floor.py DATASET SOURCE OUT [--jobs 1] [--read-back] [--dicom bare|pydicom]
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from packing import digest, inflate, option, pack, put, run, without_name

READ_BACK = "--read-back" in sys.argv
DICOM = option("--dicom", "bare")
_OFFSET = 352
#: NIfTI codes of the types that are written: datatype and bits (nifti1.h).
_CODES = {"f4": (16, 32), "i2": (4, 16), "u1": (2, 8)}


def copied(path: Path, target: Path) -> None:
    """Keep the stream of a packed file as it is, behind an empty gzip header."""
    packed = path.read_bytes()
    raw = inflate(packed)
    written = without_name(packed)
    put(target, written)
    _hashed = digest(packed), digest(raw), digest(written)
    if READ_BACK:  # the same stream holds the same content, which was inflated
        _require(target.read_bytes() == written)


def packed_anew(path: Path, target: Path) -> None:
    """Pack a file that is not packed; its content is the source file, hashed once."""
    raw = path.read_bytes()
    written = pack(raw)
    put(target, written)
    _hashed = digest(raw), digest(written)
    if READ_BACK:
        _require(inflate(target.read_bytes()) == raw)


def labels(path: Path, target: Path) -> None:
    """Store labels as uint8; with ``3`` for a lesion, as 1."""
    import numpy as np

    packed = path.read_bytes()
    raw = inflate(packed)
    code = {16: "<f4", 512: "<u2"}[int.from_bytes(raw[70:72], "little")]
    values = np.frombuffer(raw, code, offset=_OFFSET)
    whole = (values > 0) if "tumor" in path.name else values
    header = raw[:70] + struct.pack("<hh", *_CODES["u1"]) + raw[74:_OFFSET]
    _volume(target, header, whole.astype("u1"))
    _hashed = digest(packed)


def tensors(path: Path, target: Path) -> None:
    """Take the arrays of a .pt as views; write three images, labels, masks and points."""
    from views import arrays, points

    content = path.read_bytes()
    _hashed = digest(content)
    found = arrays(content)
    folder = target.with_name(path.stem)
    for name in ("img", "img_corrected", "img_equalized", "label", "mask"):
        values = found[name][0] if name == "label" else found[name]
        shape = (*values.shape[:-3:-1], 1, *values.shape[:-2])
        _volume(folder / f"{name}.nii.gz", _header(shape, values.dtype.str[1:]), values)
    table = points(found)
    put(folder / "points.tsv", table)
    _hashed = digest(table)
    if READ_BACK:
        _require((folder / "points.tsv").read_bytes() == table)


def slices(case: Path, target: Path) -> None:
    """Stack the slices of a CT by their position, in Hounsfield units, and its masks."""
    import numpy as np
    from views import mask, plane

    planes = []
    for path in sorted((case / "DICOM_anon").iterdir()):
        content = path.read_bytes()
        _hashed = digest(content)
        planes.append(plane(content, DICOM))
    order = sorted(range(len(planes)), key=lambda n: planes[n].height)
    rows, columns = planes[0].stored.shape
    values = np.empty((len(planes), rows, columns), np.int16)
    for k, n in enumerate(order):
        np.add(planes[n].stored.view("<i2"), np.int16(planes[n].intercept), out=values[k])
    _volume(target / "ct.nii.gz", _header((columns, rows, len(planes)), "i2"), values)
    masks = np.empty((len(planes), rows, columns), np.uint8)
    pictures = [path.read_bytes() for path in sorted((case / "Ground").iterdir())]
    _hashed = [digest(picture) for picture in pictures]
    for k, n in enumerate(order):
        masks[k] = mask(pictures[n])
    _volume(target / "mask.nii.gz", _header((columns, rows, len(planes)), "u1"), masks)


def tasks(name: str, source: Path, out: Path) -> Iterator[Callable[[], None]]:
    """Yield what is to be done: a file each, for slices a case each."""
    if name == "chaos":
        for case in sorted((source / "Train_Sets" / "CT").iterdir()):
            yield partial(slices, case, out / case.name)
        return
    for path in sorted(source.rglob("*.*")):
        if path.suffix not in {".gz", ".nii", ".pt"}:
            continue
        place = out / path.relative_to(source)
        if path.suffix == ".nii":
            yield partial(packed_anew, path, place.with_suffix(".nii.gz"))
        elif path.suffix == ".pt":
            yield partial(tensors, path, place)
        elif name in {"myops380", "prostate158"} and ("_gt" in path.name or "_r" in path.name):
            yield partial(labels, path, place)
        else:
            yield partial(copied, path, place)


def _volume(target: Path, header: bytes, values: Any) -> None:
    """Pack and write a header and values whose first axis runs slowest."""
    view = memoryview(values).cast("B")
    written = pack(header, view)
    put(target, written)
    _hashed = digest(header, view), digest(written)
    if READ_BACK:
        raw = inflate(target.read_bytes())
        _require(raw[:_OFFSET] == header and memoryview(raw)[_OFFSET:] == view)


def _header(shape: tuple[int, ...], kind: str) -> bytes:
    """Return the header of a grid without a place, and the end mark of its extensions."""
    dim = struct.pack("<8h", len(shape), *shape, *[1] * (7 - len(shape)))
    parts = (struct.pack("<i36x", 348), dim, bytes(14), struct.pack("<hhh", *_CODES[kind], 0))
    steps = struct.pack("<8f3f", *[1] * 8, _OFFSET, 1, 0)
    return b"".join((*parts, steps)).ljust(344, b"\0") + b"n+1\0" + bytes(4)


def _require(is_so: bool) -> None:  # noqa: FBT001
    if not is_so:
        msg = "what was written is not what was read"
        raise SystemExit(msg)


def _call(task: Callable[[], None]) -> None:
    task()


if __name__ == "__main__":
    dataset, start, end = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    run(_call, list(tasks(dataset, start, end)), int(option("--jobs", "1")))
