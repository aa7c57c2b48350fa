"""Encode arrays in the formats of the native datasets: the same array always gives the same bytes.

Only ``save`` touches the disk.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import struct
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .phantom import Array, Mask

_NIFTI: Any = nib.Nifti1Image  # nibabel carries no types for it
_CODE_SCANNER = 1
# Attributes that DICOM wants in each file, even empty.
_UNKNOWN = (
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "Manufacturer"),
    *("PatientID", "PatientBirthDate", "PatientSex", "StudyID", "PositionReferenceIndicator"),
)


def save(path: Path, content: bytes | str) -> None:
    """Write one file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def nifti(data: NDArray[Any], matrix: Array, *, spatial: bool = True) -> bytes:
    """Encode a NIfTI-1 file; without ``spatial``, with unknown units and no qform."""
    image = _NIFTI(data, matrix)
    if spatial:
        image.header.set_xyzt_units("mm", "sec")
        image.set_qform(matrix, code=_CODE_SCANNER)
        image.set_sform(matrix, code=_CODE_SCANNER)
    content: bytes = image.to_bytes()
    return content


def gzipped(content: bytes, *, name: str = "", time: int = 0) -> bytes:
    """Compress as gzip; a name and a time go into the header only if given."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename=name, mode="wb", fileobj=stream, mtime=time) as file:
        file.write(content)
    return stream.getvalue()


def png(grey: NDArray[np.uint8]) -> bytes:
    """Encode an 8-bit grey PNG; axis 0 holds the rows."""
    return _picture(Image.fromarray(grey))


def png_rgb(colours: NDArray[np.uint8]) -> bytes:
    """Encode an 8-bit RGB PNG from (rows, columns, 3)."""
    return _picture(Image.fromarray(colours))


def gif(grey: NDArray[np.uint8]) -> bytes:
    """Encode a GIF whose palette holds the greys that occur; axis 0 holds the rows."""
    return _picture(Image.fromarray(grey), "GIF")


def png_mask(mask: Mask) -> bytes:
    """Encode a 1-bit PNG; axis 0 holds the rows."""
    rows, columns = mask.shape
    return _picture(Image.frombytes("1", (columns, rows), np.packbits(mask, axis=1).tobytes()))


def _picture(image: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=kind)
    return stream.getvalue()


def markups(kind: str, points: Array, label: str) -> str:
    """Encode points in LPS millimetres as one markup of 3D Slicer."""
    schema = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups"
    markup = {
        "type": kind,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(points),
        "controlPoints": [
            _control_point(number, label, position)
            for number, position in enumerate(np.round(points, 6).tolist(), start=1)
        ],
        "measurements": [],
        "display": {"visibility": True, "opacity": 1.0, "color": [0.4, 1.0, 1.0]},
    }
    document = {
        "@schema": f"{schema}/Resources/Schema/markups-schema-v1.0.3.json#",
        "markups": [markup],
    }
    # 3D Slicer keeps the numbers of one vector on one line.
    return re.sub(
        r"\[[-\d.,\s]+\]",
        lambda vector: " ".join(vector[0].split()).replace("[ ", "[").replace(" ]", "]"),
        json.dumps(document, indent=4),
    )


def _control_point(number: int, label: str, position: Sequence[float]) -> dict[str, object]:
    return {
        "id": str(number),
        "label": f"{label}-{number}",
        "description": "",
        "associatedNodeID": "vtkMRMLScalarVolumeNode1",
        "position": position,
        "orientation": [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0],
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": "defined",
    }


def stl(triangles: Array, title: str) -> bytes:
    """Encode triangles (n, 3 corners, 3 coordinates) as binary STL."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    record = np.zeros(len(triangles), dtype=[("points", "<f4", (4, 3)), ("attribute", "<u2")])
    record["points"][:, 0] = normals
    record["points"][:, 1:] = triangles
    head = title.encode().ljust(80, b" ") + struct.pack("<I", len(triangles))
    return head + record.tobytes()


def torch_archive(content: Mapping[str, NDArray[Any]], name: str) -> bytes:
    """Build what ``torch.save`` makes of arrays: a stored zip with a pickle of protocol 2."""
    data = pickle.dumps(dict(content), protocol=2)
    # Made under NumPy 1, like the real files: there the module has its older name.
    data = data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        records = {"data.pkl": data, "byteorder": b"little", "version": b"3\n"}
        for record, record_bytes in records.items():
            entry = zipfile.ZipInfo(f"{name}/{record}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 0
            archive.writestr(entry, record_bytes)
    return stream.getvalue()


def uid(*name: object) -> str:
    """Derive a DICOM identifier below the root 2.25 from a name."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, name))).int}"


def decimals(values: Sequence[float]) -> list[str]:
    """Write numbers as DICOM decimal strings of at most 16 characters."""
    return [format_number_as_ds(float(value)) for value in values]


def dicom(pixels: NDArray[np.uint16], tags: Mapping[str, object], *, is_explicit: bool) -> bytes:
    """Encode one little-endian slice of 16-bit unsigned pixels with the tags given by keyword."""
    dataset = Dataset()
    for keyword in _UNKNOWN:
        setattr(dataset, keyword, "")
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.add_new("PixelData", "OW", pixels.astype("<u2").tobytes())
    return dicom_file(dataset, is_explicit=is_explicit)


def dicom_file(dataset: Dataset, *, is_explicit: bool) -> bytes:
    """Encode any little-endian DICOM object as a file, with its header."""
    dataset.file_meta = _file_meta(dataset, is_explicit=is_explicit)
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def _file_meta(dataset: Dataset, *, is_explicit: bool) -> FileMetaDataset:
    # The implementation is named here, or the bytes would depend on the pydicom version.
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if is_explicit else ImplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid("implementation"))
    meta.ImplementationVersionName = "PHANTOM"
    return meta
