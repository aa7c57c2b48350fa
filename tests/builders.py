"""Small files of each kind, made in memory, and a source that holds them: for unit tests."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
from PIL import Image as Picture
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from bidsify.dataset import Dataset, Ignored, Image, Naming, Segmentation, SubjectTable, Terms
from bidsify.labels import LabelTable
from bidsify.source.reading import Reading

#: An affine with a rotation, unequal edges and an offset: no axis can be mistaken for another.
OBLIQUE = np.array(
    [
        [-1.2, 0.35, 0.1, 40.0],
        [0.3, 1.4, -0.2, -55.5],
        [0.05, 0.25, 2.9, 12.25],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


class Files:
    """A source that is a dictionary; see ``bidsify.source.Source``."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.root = Path("memory")
        self.files = dict(files)

    @property
    def sizes(self) -> Mapping[str, int]:
        return {path: len(content) for path, content in self.files.items()}

    def size(self, path: str) -> int | None:
        return self.sizes.get(path)

    def changed(self, path: str) -> float:
        return float(path not in self.files)

    def place(self, path: str) -> None:
        del path

    def read(self, path: str) -> bytes:
        return self.files[path]


def reading(files: Mapping[str, bytes]) -> Reading:
    """A fresh reading of a source that is a dictionary."""
    return Reading(Files(files))


def ramp(shape: Sequence[int], dtype: str = "int16") -> Any:
    """Values that differ in each voxel as far as the type allows."""
    count = int(np.prod(shape))
    return np.arange(count).astype(dtype).reshape(shape, order="F")


def labels(shape: Sequence[int], dtype: str = "uint8", top: int = 3) -> Any:
    """Label values 0 to ``top``; no flip of an axis maps them onto themselves."""
    values = np.random.default_rng(1).integers(0, top + 1, shape)
    values.flat[0] = top
    return values.astype(dtype)


# --- NIfTI --------------------------------------------------------------------------------------


def nifti(
    data: Any,
    affine: Any = OBLIQUE,
    *,
    kind: Any = nib.Nifti1Image,
    endian: str = "<",
    extensions: Sequence[bytes] = (),
    **fields: Any,
) -> bytes:
    """A single-file NIfTI image; ``fields`` are written into the header as they are."""
    image = kind(data, affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm", "sec")
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=2)
    for content in extensions:
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", content))
    raw = bytearray(image.to_bytes())
    size = int(image.header["sizeof_hdr"])
    header = type(image.header)(bytes(raw[:size]), endianness="<", check=False)
    for name, value in fields.items():
        header[name] = value
    if endian == ">":
        swapped = data.astype(data.dtype.newbyteorder(">")).tobytes(order="F")
        between = bytes(raw[size : int(header["vox_offset"])])
        block = bytearray(between)
        at = 4
        while at + 8 <= len(block):  # the sizes and codes of the extensions
            length, code = struct.unpack_from("<ii", block, at)
            struct.pack_into(">ii", block, at, length, code)
            at += length
        return bytes(header.as_byteswapped(">").binaryblock) + bytes(block) + swapped
    return bytes(header.binaryblock) + bytes(raw[size:])


def loaded(content: bytes) -> Any:
    """Read a NIfTI file as nibabel does, from bytes that may be compressed."""
    raw = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    is_second = 540 in (int.from_bytes(raw[:4], "little"), int.from_bytes(raw[:4], "big"))
    return (nib.Nifti2Image if is_second else nib.Nifti1Image).from_bytes(raw)


def gzipped(raw: bytes, *, name: str = "", time: int = 0, level: int = 6) -> bytes:
    """One gzip member by the standard library."""
    stream = io.BytesIO()
    with gzip.GzipFile(name, "wb", level, stream, mtime=time) as file:
        file.write(raw)
    return stream.getvalue()


# --- DICOM --------------------------------------------------------------------------------------

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def dicom(
    pixels: Any,
    position: Sequence[float] = (0.0, 0.0, 0.0),
    orientation: Sequence[float] = AXIAL,
    spacing: Sequence[float] = (1.0, 1.0),
    without: Sequence[str] = (),
    **tags: Any,
) -> bytes:
    """One slice; the type of ``pixels`` decides on bits and sign."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.SOPInstanceUID = "2.25.1"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.ImagePositionPatient = [_decimal(v) for v in position]
    dataset.ImageOrientationPatient = [_decimal(v) for v in orientation]
    dataset.PixelSpacing = [_decimal(v) for v in spacing]
    stored = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = stored + b"\0" * (len(stored) % 2)
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    for name, value in tags.items():
        setattr(dataset, name, value)
    for name in without:
        delattr(dataset, name)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def series(
    stack: Any,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    orientation: Sequence[float] = AXIAL,
    spacing: Sequence[float] = (1.0, 1.0),
    step: Sequence[float] = (0.0, 0.0, 2.5),
    **tags: Any,
) -> list[tuple[str, bytes]]:
    """Files of a series. ``stack`` is (slice, row, column); ``step`` leads to the next slice."""
    return [
        (
            f"IMG-{n + 1}.dcm",
            dicom(plane, np.add(origin, np.multiply(step, n)), orientation, spacing, **tags),
        )
        for n, plane in enumerate(stack)
    ]


def rotation(x: float, y: float, z: float) -> Any:
    """A rotation matrix from three angles in radians."""
    turns = []
    for axis, angle in enumerate((x, y, z)):
        matrix = np.eye(3)
        one, other = [n for n in range(3) if n != axis]
        matrix[one, one] = matrix[other, other] = np.cos(angle)
        matrix[one, other], matrix[other, one] = -np.sin(angle), np.sin(angle)
        turns.append(matrix)
    return turns[0] @ turns[1] @ turns[2]


def _decimal(value: float) -> str:
    return pydicom.valuerep.format_number_as_ds(float(value))


# --- PNG, markups, arrays -----------------------------------------------------------------------


def png(rows: Any, mode: str | None = None) -> bytes:
    """A picture of an array of rows; ``mode`` converts it."""
    if rows.dtype == bool:
        packed = np.packbits(rows, axis=1).tobytes()
        picture = Picture.frombytes("1", rows.shape[::-1], packed)
    else:
        picture = Picture.fromarray(rows)
    stream = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(stream, "PNG")
    return stream.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG file, with its check sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def markup(points: Sequence[Sequence[Any]], **fields: Any) -> bytes:
    """A markups file of 3D Slicer with one list."""
    entries = [{"id": str(n), "position": list(p)} for n, p in enumerate(points)]
    return json.dumps({"markups": [{"controlPoints": entries, **fields}]}).encode()


# --- a declaration ------------------------------------------------------------------------------

TOY_LABELS = LabelTable(
    ("index", "name"), ({"index": "0", "name": "background"}, {"index": "1", "name": "organ"})
)


def toy(**changes: Any) -> Dataset:
    """A dataset of two images and a segmentation that the test set lacks."""
    naming = Naming(subject="{case:02}", source_id="{case}")
    images = [
        Image(
            name=name,
            source=(f"[{{split}}/]{{case}}/{{case}}_{name}.nii[.gz]",),
            suffix="T1w",
            entities={"acquisition": name},
            native_json="[{split}/]{case}/{case}_fat.json" if name == "fat" else None,
        )
        for name in ("fat", "water")
    ]
    organ = Segmentation(
        source=("[{split}/]{case}/{case}_seg.nii[.gz]", "seg/{case}.nii"),
        of=("water",),
        labels=TOY_LABELS,
        entities={"acquisition": "water"},
        absent_where={"split": "test"},
    )
    declared: dict[str, Any] = {
        "name": "toy",
        "title": "Toy",
        "edition": "1",
        "layout": "{case}/{case}_fat.nii",
        "naming": naming,
        "products": (*images, organ),
        "terms": Terms(
            licence="CC0-1.0", summary="Free.", redistribution="allowed", evidence="its page"
        ),
        "citation": "Toy et al. (2020)",
        "authors": ("A. Toy",),
        "source_url": "https://example.org/toy",
        "fields": {"split": "train|test", "case": r"\d+"},
        "tables": (SubjectTable(source="participants.tsv"),),
        "ignored": (Ignored(source="*.pdf", reason="text for human readers"),),
    }
    return Dataset(**{**declared, **changes})
