"""Mutations of gzip and NIfTI headers, gradient tables and TIFF files."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from mutating.images import nifti, pack
from mutating.tree import Mutation, Name, Tree, content, named, shuffled

Bytes = Callable[[bytes], bytes]


def mutations() -> Iterator[Mutation]:
    """Yield all edits of images."""
    for name, change in GZIP.items():
        yield Mutation(f"gzip-{name}", partial(_edit, ".gz", change), 3)
    for name, change in HEADER.items():
        yield Mutation(f"nifti-{name}", partial(_edit_header, "", change), 3)
    for suffix, name in FITTING:
        yield Mutation(f"nifti-{suffix}-{name}", partial(_edit_header, suffix, HEADER[name]), 2)
    for ending in (".bval", ".bvec"):
        for name, change in GRADIENTS.items():
            yield Mutation(
                f"gradients{ending.replace('.', '-')}-{name}", partial(_edit, ending, change)
            )
    for number, (text, version, name) in enumerate(TIFF):
        yield Mutation(f"tiff-{number}", partial(_tiff, text, version, name), 1)


def _edit(ending: str, change: Bytes, tree: Tree, random: Random) -> str | None:
    start = b"\x1f\x8b" if ending == ".gz" else b""
    paths = [
        p for p in tree if p.endswith(ending) and content(tree, p).startswith(start) and tree[p]
    ]
    if not paths:
        return None
    path = random.choice(sorted(paths))
    tree[path] = change(content(tree, path))
    return path


def _edit_header(suffix: str, change: Bytes, tree: Tree, random: Random) -> str | None:
    for path in shuffled(named(tree, ".nii", ".nii.gz"), random):
        data = content(tree, path)
        if suffix and Name.of(path).suffix != suffix:
            continue
        try:
            plain = gzip.decompress(data) if path.endswith(".gz") else data
        except (OSError, EOFError):
            continue
        if len(plain) < 352:
            continue
        edited = change(plain)
        if edited == plain:
            continue
        tree[path] = pack(edited) if path.endswith(".gz") else edited
        return path
    return None


def _set(offset: int, form: str, *values: float) -> Bytes:
    def change(data: bytes) -> bytes:
        packed = struct.pack("<" + form, *values)
        return data[:offset] + packed + data[offset + len(packed) :]

    return change


def _magic(value: bytes) -> Bytes:
    return lambda data: data[:344] + value + data[348:]


def _then(*changes: Bytes) -> Bytes:
    def change(data: bytes) -> bytes:
        for one in changes:
            data = one(data)
        return data

    return change


def _swapped(data: bytes) -> bytes:
    shape = struct.unpack("<8h", data[40:56])
    return nifti(shape[1 : shape[0] + 1], order=">")


def _nifti2(data: bytes) -> bytes:
    shape = struct.unpack("<8h", data[40:56])
    header = bytearray(540)
    struct.pack_into("<i8s2h", header, 0, 540, b"n+2\0\r\n\x1a\n", 2, 8)
    struct.pack_into("<8q", header, 16, *shape)
    struct.pack_into("<8d", header, 104, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<q", header, 168, 544)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    struct.pack_into("<i", header, 500, 10)
    return bytes(header) + bytes(4) + data[352:]


def _with_mrs(data: bytes) -> bytes:
    text = json.dumps({"SpectrometerFrequency": [1.0], "ResonantNucleus": ["1H"]}).encode()
    text += b" " * (-(len(text) + 8) % 16)
    extension = struct.pack("<4B2i", 1, 0, 0, 0, len(text) + 8, 44) + text
    return data[:348] + extension + data[352:]


SFORM = 280
HEADER: dict[str, Bytes] = {
    "magic-zero": _magic(bytes(4)),
    "magic-pair": _magic(b"ni1\0"),
    "magic-text": _magic(b"abcd"),
    "size-field": _set(0, "i", 349),
    "size-field-zero": _set(0, "i", 0),
    "big-endian": _swapped,
    "nifti-2": _nifti2,
    "cut-at-100": lambda data: data[:100],
    "cut-at-347": lambda data: data[:347],
    "cut-at-348": lambda data: data[:348],
    "cut-at-352": lambda data: data[:352],
    "text": lambda _: b"this is not an image, but it is long enough to be one\n" * 12,
    "zeros": lambda data: bytes(len(data)),
    "dim0-zero": _set(40, "h", 0),
    "dim0-eight": _set(40, "h", 8),
    "dim0-negative": _set(40, "h", -1),
    "dim0-two": _set(40, "h", 2),
    "dim0-three": _set(40, "h", 3),
    "dim0-four": _set(40, "h", 4),
    "dim0-five": _set(40, "h", 5),
    "dim1-zero": _set(42, "h", 0),
    "dim1-negative": _set(42, "h", -2),
    "dim1-large": _set(42, "h", 2000),
    "dim3-other": _set(46, "h", 7),
    "dim4-other": _set(40, "5h", 4, 2, 2, 2, 7),
    "dim4-one": _set(40, "5h", 4, 2, 2, 2, 1),
    "datatype-zero": _set(70, "h", 0),
    "pixdim-zero": _set(80, "f", 0.0),
    "pixdim-negative": _set(80, "f", -1.0),
    "pixdim-small": _set(80, "f", 0.0004),
    "pixdim-nan": _set(80, "f", float("nan")),
    "pixdim4-zero": _set(92, "f", 0.0),
    "pixdim4-other": _set(92, "f", 0.7),
    "pixdim4-rounded": _set(92, "f", 1.0004),
    "pixdim4-milliseconds": _then(_set(92, "f", 2000.0), _set(123, "B", 18)),
    "units-none": _set(123, "B", 0),
    "units-mm-only": _set(123, "B", 2),
    "units-microns": _set(123, "B", 11),
    "units-odd": _set(123, "B", 255),
    "no-forms": _set(252, "2h", 0, 0),
    "forms-negative": _set(252, "2h", -1, -1),
    "qform-only": _then(_set(252, "2h", 1, 0), _set(256, "6f", 0, 0, 0, 0, 0, 0)),
    "qform-turned": _then(_set(252, "2h", 1, 0), _set(256, "6f", 1, 0, 0, 0, 0, 0)),
    "sform-zero": _set(SFORM, "12f", *[0.0] * 12),
    "sform-nan": _set(SFORM, "12f", *[float("nan")] * 12),
    "sform-oblique": _set(SFORM, "12f", 0.7, 0.7, 0, 0, -0.7, 0.7, 0, 0, 0, 0, 1, 0),
    "sform-lpi": _set(SFORM, "12f", -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0),
    "sform-turned": _set(SFORM, "12f", 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0),
    "sform-singular": _set(SFORM, "12f", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0),
    "offset-zero": _set(108, "f", 0.0),
    "offset-large": _set(108, "f", 1e9),
    "mrs-extension": _with_mrs,
}
FITTING = (
    *((suffix, "dim0-three") for suffix in ("bold", "asl", "dwi", "pet")),
    *((suffix, "dim4-other") for suffix in ("T1w", "bold", "asl", "dwi", "pet", "magnitude1")),
    *((suffix, "dim4-other") for suffix in ("epi", "svs", "mrsi", "m0scan", "dseg", "phasediff")),
    *(("bold", name) for name in ("pixdim4-other", "pixdim4-rounded", "pixdim4-milliseconds")),
    *(("bold", name) for name in ("pixdim4-zero", "units-mm-only", "dim3-other", "dim4-one")),
    *(("epi", name) for name in ("sform-lpi", "sform-turned", "no-forms", "sform-oblique")),
    *(("pet", name) for name in ("pixdim-zero", "pixdim4-zero")),
    *(("svs", name) for name in ("mrs-extension", "dim1-zero")),
    ("mrsi", "mrs-extension"),
    ("mrsref", "mrs-extension"),
)
GZIP: dict[str, Bytes] = {
    "truncated": lambda data: data[: len(data) // 2],
    "cut-in-header": lambda data: data[:5],
    "trailer-cut": lambda data: data[:-8],
    "not-gzip": lambda _: b"plain text that is no gzip\n" * 20,
    "is-zip": lambda data: b"PK\3\4" + data[4:],
    "crc-wrong": lambda data: data[:-8] + b"\1\2\3\4" + data[-4:],
    "flipped-bits": lambda data: data[:14] + bytes(255 - byte for byte in data[14:24]) + data[24:],
    "mtime": lambda data: pack(gzip.decompress(data), "", 1_600_000_000),
    "filename": lambda data: pack(gzip.decompress(data), "patient_name.nii"),
    "filename-latin": lambda data: pack(gzip.decompress(data), "pätient.nii"),
    "comment": lambda data: (
        data[:3] + bytes([data[3] | 16]) + data[4:10] + b"made by someone\0" + data[10:]
    ),
    "extra-field": lambda data: (
        data[:3] + bytes([data[3] | 4]) + data[4:10] + b"\4\0ab\0\0" + data[10:]
    ),
    "method-unknown": lambda data: data[:2] + b"\7" + data[3:],
    "two-members": lambda data: data + data,
    "trailing-garbage": lambda data: data + b"garbage",
    "packed-twice": pack,
}
GRADIENTS: dict[str, Bytes] = {
    "column-removed": lambda data: (
        b"\n".join(b" ".join(line.split()[:-1]) for line in data.strip().splitlines()) + b"\n"
    ),
    "ragged": lambda data: data.rstrip() + b" 1\n",
    "row-added": lambda data: data.rstrip() + b"\n" + data.strip().splitlines()[0] + b"\n",
    "first-row-only": lambda data: data.strip().splitlines()[0] + b"\n",
    "transposed": lambda data: (
        b"\n".join(
            b" ".join(row)
            for row in zip(*(line.split() for line in data.strip().splitlines()), strict=False)
        )
        + b"\n"
    ),
    "text": lambda data: data.replace(b"0", b"x", 1),
    "tabs": lambda data: data.replace(b" ", b"\t"),
    "two-spaces": lambda data: data.replace(b" ", b"  "),
    "commas": lambda data: data.replace(b" ", b","),
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "empty-line": lambda data: data.rstrip() + b"\n\n",
    "no-final-newline": lambda data: data.rstrip(),
    "leading-space": lambda data: b" " + data,
    "emptied": lambda _: b"",
    "space-only": lambda _: b" \n",
    "large-values": lambda data: data.replace(b"0", b"900"),
    "latin-1": lambda data: data.rstrip() + b" \xe9\n",
}
OME = (
    '<OME><Image><Pixels PhysicalSizeX="{}" PhysicalSizeY="{}" PhysicalSizeXUnit="{}" />'
    "</Image></OME>"
)
TIFF = (
    (OME.format(1, 1, "µm"), 42, ".ome.tif"),
    (OME.format(99, 99, "nm"), 42, ".ome.tif"),
    (OME.format(1, 1, "mm"), 43, ".ome.tif"),
    (OME.format(1, 1, "µm"), 42, ".ome.btf"),
    ("no xml", 42, ".ome.tif"),
    (OME.format(1, 1, "µm"), 41, ".tif"),
    ("", 42, ".tif"),
)


def _tiff(text: str, version: int, extension: str, tree: Tree, random: Random) -> str | None:
    """Write a TIFF file with one directory of one tag, the description."""
    sidecars = [path for path in named(tree, ".json") if "/micr/" in path and "photo" not in path]
    if not sidecars:
        return None
    words = text.encode() + b"\0"
    entry = struct.pack("<HHII", 270, 2, len(words), 26)
    data = struct.pack("<2sHI", b"II", version, 8) + struct.pack("<H", 1) + entry + bytes(4)
    path = random.choice(sorted(sidecars)).removesuffix(".json") + extension
    tree[path] = data + words
    return f"{path}: version {version}, {text}"
