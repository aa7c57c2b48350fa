"""Tell by the first bytes, and by long runs in text, what a file holds whatever its name says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from .numbers import numbers_in

#: Of files that are no text: where the signature is, and what it says.
_BINARY: tuple[tuple[int, bytes, str], ...] = (
    (344, b"n+1\0", "a NIfTI image"), (344, b"ni1\0", "a NIfTI header"),
    (4, b"n+2\0", "a NIfTI image"), (4, b"ni2\0", "a NIfTI header"),
    (128, b"DICM", "a DICOM file"), (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"), (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"), (8, b"WEBP", "a WebP picture"),
    (0, b"II*\0", "a TIFF picture"), (0, b"MM\0*", "a TIFF picture"),
    (0, b"\x93NUMPY", "a NumPy array"), (0, b"PK\x03\x04", "a zip archive or a PyTorch file"),
    (0, b"\x80\x02", "a pickle"), (0, b"\x80\x03", "a pickle"), (0, b"\x80\x04", "a pickle"),
    (0, b"\x80\x05", "a pickle"), (0, b"\x89HDF", "an HDF5 file"),
    (0, b"MATLAB 5.0", "a MATLAB file"), (0, b"NRRD000", "an NRRD image"),
    (0, b"\x1f\x8b", "a gzip file"), (0, b"BZh", "a bzip2 file"), (0, b"\xfd7zXZ", "an xz file"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file"), (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"), (257, b"ustar", "a tar archive"),
)  # fmt: skip
_TEXTS = (
    (re.compile(rb"\A\s*solid\b.{0,400}\bfacet\b", re.DOTALL), "an STL mesh"),
    (re.compile(rb"\A(?:ply\r?\n|OFF\r?\n|# vtk DataFile)"), "a mesh"),
    (re.compile(rb"\ANRRD000\d|\A\s*(?:ObjectType|NDims)\s*="), "a header of an image"),
    (re.compile(rb"\A%PDF"), "a PDF document"),
    (re.compile(rb"<GIFTI\b|<VTKFile\b"), "a mesh"),
)
_LONGEST = 4096  # characters that cannot be a hash, a name or a row of a table
_CODED = re.compile(rb"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_=-]{%d,}" % _LONGEST)
_WRAPPED = re.compile(rb"[A-Za-z0-9+/_=-]{40,}[\"']?,?[\"']?")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_BREAK = re.compile(rb"\s+|\\[nr]")


def kind_of(head: bytes) -> str:
    """Return what the start of a file says that it is; empty for text without a signature."""
    if _is_text(head):
        return next((kind for pattern, kind in _TEXTS if pattern.search(head[:4096])), "")
    found = (kind for at, magic, kind in _BINARY if head[at : at + len(magic)] == magic)
    return next(found, "binary content")


def hidden_in_text(content: bytes) -> Iterator[str]:
    """Yield runs of a text that can hold an image: base64, hexadecimal, or numbers."""
    if _CODED.search(content) or _has_wrapped(content):
        yield f"coded content of more than {_LONGEST} characters"
    if (numbers := numbers_in(content)) > _LONGEST // 2:
        yield f"a list of {numbers} numbers"
    for pattern, kind in _embedded():
        if pattern.search(content):
            yield f"{kind} in a text"


def _has_wrapped(content: bytes) -> bool:
    """Say whether many lines in a row are coded content, as in mails and PEM files."""
    length = 0
    for line in _BREAK.split(content):
        length = length + len(line) if _WRAPPED.fullmatch(line) else 0
        if length > _LONGEST:
            return True
    return False


@cache
def _embedded() -> tuple[tuple[re.Pattern[bytes], str], ...]:
    """Return signatures that no text has anywhere, plain and in data addresses."""
    return (
        (re.compile(rb"data:image/(?!svg)[\w.+-]+;base64,"), "a picture"),
        (re.compile(rb"iVBORw0KGgo"), "a PNG picture"),
        (re.compile(rb"(?:^|[^A-Za-z0-9+/])H4sI[A-Za-z0-9+/]{100}"), "a gzip file"),
        (re.compile(rb"n\+1\0|ni1\0|\x93NUMPY"), "an image"),
    )


def is_binary(content: bytes) -> bool:
    """Say whether a whole file is no text, however it begins."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return _CONTROL.search(content) is not None


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and error.reason == "unexpected end of data"
    return True
