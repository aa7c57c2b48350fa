"""Free text in NIfTI files: fields of the header, what stands behind their ends, and extensions.

All of it can be blanked in place, so that every voxel stays where it is.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ..identifying import traces
from ..printable import some
from .documents import keys_in
from .programs import is_of_program
from .trace import FREE, TELLING

HEAD = 544  # bytes of the longer header, with the flag of its extensions
_NIFTI1, _NIFTI2 = 348, 540
#: Names of fields, where they begin, and how long they are.
_FIELDS1 = (
    ("data_type", 4, 10), ("db_name", 14, 18), ("descrip", 148, 80), ("aux_file", 228, 24),
    ("intent_name", 328, 16),
)  # fmt: skip
_FIELDS2 = (
    ("descrip", 240, 80), ("aux_file", 320, 24), ("intent_name", 508, 16), ("unused_str", 525, 15),
)  # fmt: skip
_UNUSED = frozenset({"data_type", "db_name", "unused_str"})  # no program reads what is in there
_CODES = {
    2: "DICOM",
    4: "AFNI",
    6: "comment",
    16: "pickle",
    30: "Caret",
    32: "CIFTI",
    44: "NIfTI-MRS",
}
_MRS = 44  # its content is JSON
_NEEDED = frozenset({30, 32, _MRS})  # without these the file could not be read as what it is
#: Codes of types of voxels, and how many bytes one takes.
_BYTES = {
    2: 1, 4: 2, 8: 4, 16: 4, 32: 8, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8,
    1536: 16, 1792: 16, 2048: 32, 2304: 4,
}  # fmt: skip
_AXES = 7
_IGNORED = 0  # the code of extensions that mean nothing
_EXTENSION = 8  # bytes in front of the content of an extension


@dataclass(frozen=True, slots=True)
class Spot:
    """Bytes of a header that may tell who a person is; ``is_needed`` where they must stay."""

    where: str
    what: str
    start: int
    end: int
    is_needed: bool = False
    kind: str = TELLING


@dataclass(frozen=True, slots=True)
class _Layout:
    order: str
    size: int
    offset: int
    end: int | None


def voxel_offset(head: bytes) -> int | None:
    """Return where the voxels of a single-file image begin; None where this is none."""
    layout = _layout(head)
    return layout.offset if layout else None


def voxel_end(head: bytes) -> int | None:
    """Return where the voxels of a single-file image end; None where its header does not tell."""
    layout = _layout(head)
    return layout.end if layout else None


def spots(head: bytes) -> Iterator[Spot]:
    """Yield what is found in a file up to its voxels; nothing where it is no NIfTI image."""
    layout = _layout(head)
    if layout is None:
        return
    for name, start, length in _FIELDS1 if layout.size == _NIFTI1 else _FIELDS2:
        yield from _in_field(name, head[start : start + length], start)
    for at, end, code in _extensions(head, layout):
        yield from _in_extension(head, at, end, code)


def blanked(raw: bytes) -> bytes:
    """Return the file with all spots blanked that need not stay, and what is behind the voxels.

    Its length is the same.
    """
    layout = _layout(raw)
    if layout is None:
        return raw
    head = bytearray(raw[: layout.offset])
    for spot in spots(raw[: layout.offset]):
        if not spot.is_needed:
            head[spot.start : spot.end] = bytes(spot.end - spot.start)
    kept = [code for _, _, code in _extensions(bytes(head), layout) if code > _IGNORED]
    if layout.offset > layout.size and not kept:
        head[layout.size :] = bytes(layout.offset - layout.size)
    end = len(raw) if layout.end is None else max(layout.end, layout.offset)
    behind = raw[end:]
    return bytes(head) + raw[layout.offset : end] + bytes(len(behind))


def _layout(head: bytes) -> _Layout | None:
    for size, magic, at, form in ((_NIFTI1, b"n+1", 344, "108xf"), (_NIFTI2, b"n+2", 4, "168xq")):
        for order in "<>":
            if len(head) >= size and struct.unpack_from(f"{order}i", head)[0] == size:
                (offset,) = struct.unpack_from(order + form, head)
                if head[at : at + 3] == magic and size <= offset < 1 << 40:
                    end = _end(head, order, size, int(offset))
                    return _Layout(order, size, int(offset), end)
    return None


def _end(head: bytes, order: str, size: int, offset: int) -> int | None:
    """Return where the voxels end, as the header states it; None for what it cannot state."""
    dim, kind, form = (40, 70, "8h") if size == _NIFTI1 else (16, 12, "8q")
    number, *grid = struct.unpack_from(order + form, head, dim)
    each = _BYTES.get(struct.unpack_from(f"{order}h", head, kind)[0])
    if each is None or not 1 <= number <= _AXES or min(grid[:number]) < 1:
        return None
    return offset + math.prod(map(int, grid[:number])) * each


def _in_field(name: str, field: bytes, start: int) -> Iterator[Spot]:
    raw, _, rest = field.partition(b"\0")
    text, end = _decoded(raw).strip(), start + len(field)
    if text and name in _UNUSED:
        what = f"{FREE} that no program reads: {text!r}"
        yield Spot(name, what, start, end, kind=FREE)
    elif text and not is_of_program(text):
        if found := traces(text):
            yield Spot(name, f"looks as if it held {some(found)}: {text!r}", start, end)
        else:
            what = f"{FREE}, may name a person: {text!r}"
            yield Spot(name, what, start, end, kind=FREE)
    hidden = rest.strip(b"\0 ").decode("latin-1")
    if hidden and not is_of_program(hidden):
        what = f"bytes behind the end of the text: {hidden!r}"
        yield Spot(name, what, start + len(raw), end)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _extensions(head: bytes, layout: _Layout) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and code of each extension; code -1 for bytes that are none."""
    at, end = layout.size + 4, min(layout.offset, len(head))
    has_any = at <= end and head[layout.size] != 0
    while has_any and at + _EXTENSION <= end:
        length, code = struct.unpack_from(f"{layout.order}ii", head, at)
        if length < _EXTENSION or at + length > end or code < 0:
            break
        yield at, at + length, code
        at += length
    if head[at:end].strip(b"\0"):
        yield at, end, -1


def _in_extension(head: bytes, at: int, end: int, code: int) -> Iterator[Spot]:
    content = head[at + _EXTENSION : end]
    if code < 0:
        yield Spot("header", f"{end - at} bytes between header and voxels", at, end)
    elif code in _NEEDED:
        name = f"extension {_CODES[code]}"
        if code == _MRS and (keys := keys_in(content)):
            yield Spot(
                name, f"keys that tell who a person is: {some(keys)}", at, end, is_needed=True
            )
        elif found := traces(content.decode("utf-8", "replace")):
            yield Spot(name, f"looks as if it held {some(found)}", at, end, is_needed=True)
    elif code != _IGNORED or content.strip(b"\0"):
        name = f"extension {_CODES.get(code, code)}"
        yield Spot(name, f"{len(content)} bytes of free content", at + 4, end)
