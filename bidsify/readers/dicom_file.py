"""One DICOM file: parse it, whatever is in it, or say why that cannot be done."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ..errors import SourceError

_META = 1024  # bytes from the start that hold the transfer syntax
_BROKEN = (
    InvalidDicomError,
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def parse(content: bytes, path: str, *, pixels: bool = False) -> pydicom.Dataset:
    """Parse a file; without ``pixels``, up to them.

    Raises:
        SourceError: It is no DICOM file, or a deflated one.
    """
    if DeflatedExplicitVRLittleEndian.encode() in content[:_META]:
        msg = f"{path}: a deflated DICOM file, of unbounded size; convert it with dcmconv first"
        raise SourceError(msg)
    with guarded(f"{path}: not a readable DICOM file"):
        return pydicom.dcmread(io.BytesIO(content), stop_before_pixels=not pixels)


@contextmanager
def guarded(why: str) -> Iterator[None]:
    """Turn all that pydicom raises on odd values, which it parses late, into one sentence.

    Raises:
        SourceError: ``why``, and what was raised.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values of tags that we do not read
            yield
    except _BROKEN as error:
        msg = f"{why}: {error}"
        raise SourceError(msg) from error
