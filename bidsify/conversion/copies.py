"""Files that are copied as they are, and files that must be copies of another."""

from __future__ import annotations

from ..errors import SourceError
from ..readers import nifti
from ..source.reading import Reading

_STL_HEAD, _STL_FACET = 84, 50  # bytes of a binary STL: header with count, one triangle


def checked_copy(path: str, reading: Reading) -> bytes:
    """Return a file to copy; a binary STL must hold the triangles that it announces."""
    content = reading.content(path)
    if path.lower().endswith(".stl") and not content.lstrip().startswith(b"solid"):
        count = int.from_bytes(content[80:_STL_HEAD], "little")
        if len(content) != _STL_HEAD + count * _STL_FACET:
            msg = f"{path}: {len(content)} bytes, but {count} triangles are announced; "
            msg += "download the file again"
            raise SourceError(msg)
    return content


def check_twin(copy: str, original: str, reading: Reading) -> None:
    """Refuse a copy whose content differs; packed or not does not matter."""
    one, other = reading.content(copy), reading.content(original)
    if one == other:
        return
    names = (copy, original)
    if all(name.endswith((".nii", ".nii.gz")) for name in names) and (
        nifti.read(one, copy).raw == nifti.read(other, original).raw
    ):
        return
    msg = f"{copy}: differs from {original}, of which it should be a copy; remove the wrong one"
    raise SourceError(msg)
