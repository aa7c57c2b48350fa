"""Headers of binary files: NIfTI, gzip, TIFF; a kilobyte each, no image data.

What expressions of the BIDS schema read of them is the dictionary that its ``meta.context``
describes.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..values import rounded
from .orientation import axis_codes

HEAD = 1024  # bytes read of each file, as the official validator does
_NIFTI1, _NIFTI2 = 348, 540
_WANTED = 540
_FIELDS1 = {
    order: struct.Struct(f"{order}i35xB8h14xhh2x8f4xff3xB24x80s24shh3f3f12f16s4s") for order in "<>"
}
_FIELDS2 = {
    order: struct.Struct(f"{order}i8shh8q24x8d8xdd48x80s24sii3d3d12d4xi4x16sB15x") for order in "<>"
}
_SPACE = ("unknown", "meter", "mm", "um")
_TIME = ("unknown", "sec", "msec", "usec")


@dataclass(frozen=True, slots=True)
class Nifti:
    """A NIfTI header. ``context`` is what expressions see; the rest serves our own checks.

    Headers with equal ``key`` look the same to expressions.

    ``affine`` is the one in force (voxel indices to mm, RAS+), three rows; ``sform`` and
    ``qform`` are None where their code is 0.
    """

    context: Mapping[str, Any]
    key: tuple[Any, ...]
    dims: tuple[int, ...]
    datatype: int
    slope: float
    intercept: float
    affine: tuple[tuple[float, ...], ...]
    sform: tuple[tuple[float, ...], ...] | None
    qform: tuple[tuple[float, ...], ...] | None
    texts: Mapping[str, str]


def read_nifti(head: bytes) -> Nifti | None:
    """Return the header at the start of a file, compressed or not; None where there is none."""
    if head[:1] == b"\x1f" or head[1:2] == b"\x8b":
        head = _inflated(head)
    return _nifti(head[:_WANTED])


def _inflated(head: bytes) -> bytes:
    """Decompress the start of a file; nothing where it is damaged or ends too early.

    A small file lies in ``head`` as a whole, and must end with its stream, as officially.
    """
    stream = zlib.decompressobj(31)
    try:
        start = stream.decompress(head, _WANTED)
    except zlib.error:
        return b""
    if len(head) < HEAD and not stream.eof:
        try:
            stream.decompress(stream.unconsumed_tail)
        except zlib.error as error:
            if "check" not in str(error):  # a wrong checksum is not the header's fault
                return b""
    is_cut = len(start) < _WANTED and not stream.eof
    return b"" if is_cut or stream.unused_data else start.ljust(_WANTED, b"\0")


def read_gzip(head: bytes) -> Mapping[str, Any] | None:
    """Return time stamp, file name and comment of a gzip header."""
    if head[:2] != b"\x1f\x8b" or len(head) < 10:  # noqa: PLR2004  the size of the fixed part
        return None
    flags, at = head[3], 10
    if flags & 0x04:
        at += 2 + int.from_bytes(head[10:12], "little")
    texts = {"filename": "", "comment": ""}
    for name, flag in (("filename", 0x08), ("comment", 0x10)):
        if flags & flag:
            end = head.find(0, at)
            texts[name] = head[at : end if end >= 0 else None].decode("utf-8", "replace")
            at = end + 1
    return {"timestamp": int.from_bytes(head[4:8], "little"), **texts}


@lru_cache(maxsize=4096)  # the images of one scanner protocol share most of their headers
def _nifti(head: bytes) -> Nifti | None:
    if len(head) < _NIFTI1:
        return None
    if head[344:347] == b"n+1":
        return _nifti1(head)
    return _nifti2(head) if head[4:7] == b"n+2" and len(head) >= _NIFTI2 else None


def _nifti1(head: bytes) -> Nifti | None:
    order = _order(head, _NIFTI1)
    if order is None:
        return None
    (_, info, *rest) = _FIELDS1[order].unpack_from(head)
    dims, (datatype, _bits), pixdim = rest[:8], rest[8:10], rest[10:18]
    slope, intercept, units, descrip, aux, qcode, scode = rest[18:25]
    quaternion, offset, rows, name = rest[25:28], rest[28:31], rest[31:43], rest[43]
    qform = _qform(quaternion, offset, pixdim)
    sform = _rows(rows)
    if qcode > 0 and scode < qcode:
        affine = qform
    elif scode > 0:
        affine = sform
    else:
        affine = _scaling(pixdim) if qcode < 1 and scode < 1 else _scaling((1, 1, 1, 1))
    texts = {"descrip": descrip, "aux_file": aux, "intent_name": name}
    context = _context(dims, pixdim, (info, units, qcode, scode), affine)
    return _made(context, (dims, datatype, slope, intercept), affine, (qform, sform), texts)


def _nifti2(head: bytes) -> Nifti | None:
    order = _order(head, _NIFTI2)
    if order is None:
        return None
    fields = _FIELDS2[order].unpack_from(head)
    datatype, dims, pixdim = fields[2], fields[4:12], fields[12:20]
    slope, intercept, descrip, aux, qcode, scode = fields[20:26]
    quaternion, offset, rows = fields[26:29], fields[29:32], fields[32:44]
    units, name, info = fields[44:47]
    affine = _rows(rows)  # the official validator reads no qform of NIfTI-2
    qform = _qform(quaternion, offset, pixdim)
    texts = {"descrip": descrip, "aux_file": aux, "intent_name": name}
    context = _context(dims, pixdim, (info, units, qcode, scode), affine)
    return _made(context, (dims, datatype, slope, intercept), affine, (qform, affine), texts)


def _made(
    context: Mapping[str, Any],
    numbers: tuple[Any, ...],
    affine: tuple[tuple[float, ...], ...],
    forms: tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]],
    texts: Mapping[str, bytes],
) -> Nifti:
    dims, datatype, slope, intercept = numbers
    qform, sform = forms
    axes, units = context["axis_codes"], context["xyzt_units"]
    key = (tuple(dims), tuple(context["pixdim"]), tuple(axes or ()), *units.values())
    return Nifti(
        context=context,
        key=(*key, *context["dim_info"].values(), context["qform_code"], context["sform_code"]),
        dims=tuple(dims),
        datatype=datatype,
        slope=slope,
        intercept=intercept,
        affine=affine,
        sform=sform if context["sform_code"] > 0 else None,
        qform=qform if context["qform_code"] > 0 else None,
        texts={
            key: raw.partition(b"\0")[0].decode("latin-1").strip() for key, raw in texts.items()
        },
    )


def _order(head: bytes, size: int) -> str | None:
    return next((o for o in "<>" if struct.unpack_from(f"{o}i", head)[0] == size), None)


def _context(
    dims: Sequence[int],
    pixdim: Sequence[float],
    codes: tuple[int, int, int, int],
    affine: Sequence[Sequence[float]],
) -> Mapping[str, Any]:
    """Return what expressions see; sizes rounded to micrometres as the official validator does.

    ``codes`` are those of the dimensions, of the units, of the qform and of the sform.
    """
    info, units, qform_code, sform_code = codes
    count = dims[0]
    return {
        "dim": list(dims),
        "pixdim": [rounded(size) for size in pixdim],
        "shape": list(dims[1 : count + 1]),
        "voxel_sizes": list(pixdim[1 : count + 1]),
        "dim_info": {"freq": info & 3, "phase": info >> 2 & 3, "slice": info >> 4 & 3},
        "xyzt_units": {"xyz": _SPACE[units & 3], "t": _TIME[units >> 3 & 3]},
        "qform_code": qform_code,
        "sform_code": sform_code,
        "axis_codes": axis_codes(affine),
    }


def _rows(values: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(values[i : i + 4]) for i in (0, 4, 8))


def _scaling(pixdim: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    x, y, z = pixdim[1:4]
    return ((x, 0, 0, 0), (0, y, 0, 0), (0, 0, z, 0))


def _qform(
    quaternion: Sequence[float], offset: Sequence[float], pixdim: Sequence[float]
) -> tuple[tuple[float, ...], ...]:
    """Turn a quaternion into an affine (NIfTI-1, method 2); NaN where it is no rotation."""
    b, c, d = quaternion
    rest = 1 - (b * b + c * c + d * d)
    a = math.sqrt(rest) if rest >= 0 else math.nan
    x, y, z = pixdim[1:4]
    z *= pixdim[0] or 1
    rotation = (
        (a * a + b * b - c * c - d * d, 2 * b * c - 2 * a * d, 2 * b * d + 2 * a * c),
        (2 * b * c + 2 * a * d, a * a + c * c - b * b - d * d, 2 * c * d - 2 * a * b),
        (2 * b * d - 2 * a * c, 2 * c * d + 2 * a * b, a * a + d * d - c * c - b * b),
    )
    return tuple((i * x, j * y, k * z, o) for (i, j, k), o in zip(rotation, offset, strict=True))
