"""Remove what tells who a person is from headers and sidecars, and prove that nothing else changed.

Voxels, triangles and all other values stay as they are: each file is read back before it takes
the place of the old one.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import gz
from ..engine.journal import Journal
from ..engine.writing import write_file
from ..errors import SourceError, UsageError
from ..readers import nifti
from ..records.conversion import read_record
from . import headers
from .check import BROKEN, GZIP, check
from .documents import without_keys
from .meshes import COLOR, TEXT, is_binary_stl
from .trace import Trace
from .unpacking import Unpacking

#: Fields of a NIfTI header that hold free text.
_FREE = frozenset({"data_type", "db_name", "descrip", "aux_file", "intent_name", "unused_str"})


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What was found in a tree, and what became of it.

    ``left`` are the traces that are still there; all that were found, where nothing was to be
    fixed. ``fixed`` are the files that were written again, ``failures`` a sentence for each that
    could not be. ``unrecorded`` are those of ``fixed`` that no longer are as the record of their
    conversion says; ``is_in_git`` says that git keeps them as they were.
    """

    found: tuple[Trace, ...]
    left: tuple[Trace, ...]
    fixed: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    is_in_git: bool = False


def find(root: Path) -> Deidentified:
    """Return what the files of a tree hold; change nothing.

    Raises:
        UsageError: There is no such folder.
    """
    found = tuple(check(root))
    return Deidentified(found, found)


def fix(root: Path) -> Deidentified:
    """Rewrite headers and sidecars that tell who a person is; never voxels, never tables.

    Raises:
        UsageError: There is no such folder, or another run writes there.
    """
    found = tuple(check(root))
    paths = sorted({trace.path for trace in found if trace.is_fixable or trace.is_torn})
    if not paths:
        return Deidentified(found, found)
    fixed, failures = list[str](), dict[str, str]()
    journal = Journal(root)
    is_needed = True
    try:
        is_needed = journal.is_needed
        for path in paths:
            if failure := _fix(root, path):
                failures[path] = failure
            else:
                fixed.append(path)
    finally:
        if is_needed:
            journal.close()
        else:
            journal.finish()
    left = tuple(
        replace(trace, is_fixable=trace.is_fixable and trace.path not in failures)
        for trace in check(root)
    )
    said, unrecorded = tuple(failures.values()), _unrecorded(root, fixed)
    return Deidentified(found, left, tuple(fixed), said, unrecorded, _is_in_git(root))


def _is_in_git(root: Path) -> bool:
    """Say whether a folder is in a repository of git, such as one of DataLad."""
    top = root.resolve()
    return any((folder / ".git").exists() for folder in (top, *top.parents))


def _fix(root: Path, path: str) -> str:
    """Write one file again; return why not, where it stays as it was."""
    place = root / path
    if place.is_symlink():
        return f"{path}: a link is not written through; put the file itself in its place (unlock)"
    try:
        content = place.read_bytes()
        mode = place.stat().st_mode
        write_file(root, path, repaired(path, content))
        place.chmod(mode)
    except SourceError as error:
        return str(error)
    except OSError as error:
        return f"{path}: {error.strerror or error}; left as it was"
    except BROKEN as error:
        return f"{path}: cannot be written again ({type(error).__name__}: {error}); left as it was"
    return ""


def repaired(path: str, content: bytes) -> bytes:
    """Return a file without what tells who a person is.

    Raises:
        SourceError: It cannot be read, or it cannot be proved that all else is as it was.
    """
    name = path.lower()
    if name.endswith((".nii", ".nii.gz")):
        return _repaired_image(path, content)
    if name.endswith(".stl"):
        return _repaired_mesh(path, content)
    return without_keys(path, content)


def _repaired_mesh(path: str, content: bytes) -> bytes:
    """Blank the text of a binary STL file; the colour of the mesh, which may be in it, stays."""
    color = COLOR.search(content[:TEXT])
    kept = bytes(color.start()) + color[0] if color else b""
    made = kept.ljust(TEXT, b"\0") + content[TEXT:]
    if not is_binary_stl(content, len(content)) or not _is_same_mesh(content, made):
        msg = f"{path}: it cannot be proved that the triangles stay as they are; left as it was"
        raise SourceError(msg)
    return made


def _is_same_mesh(old: bytes, new: bytes) -> bool:
    """Say whether two STL files have the same triangles, bit by bit, and the same colour."""
    colors = [COLOR.findall(each[:TEXT])[:1] for each in (old, new)]
    return len(old) == len(new) and old[TEXT:] == new[TEXT:] and colors[0] == colors[1]


def _repaired_image(path: str, content: bytes) -> bytes:
    if content.startswith(GZIP):
        file = Unpacking(io.BytesIO(content))
        for _ in file.pieces():
            pass
        if file.has_rest:
            content = content[: -file.behind]
    image = nifti.read(content, path)
    raw = headers.blanked(image.raw)
    made: bytes | None = raw
    if content.startswith(GZIP):
        same = image.packed is not None and raw == image.raw
        made = gz.without_name_and_time(content) if same else None
        made = made or gz.pack(raw, reproducible=True)
    if made is None or not _is_proved(image, nifti.read(made, path)):
        msg = f"{path}: it cannot be proved that the voxels stay as they are; left as it was"
        raise SourceError(msg)
    return made


def _is_proved(old: nifti.Nifti, new: nifti.Nifti) -> bool:
    """Say whether two images have the same voxels, and headers that differ in text alone."""
    end = old.offset + math.prod(old.shape) * old.header.get_data_dtype().itemsize
    same = old.offset == new.offset and old.raw[old.offset : end] == new.raw[new.offset : end]
    same &= len(old.raw) == len(new.raw) and not new.raw[end:].strip(b"\0")
    names = [name for name in old.header.keys() if name not in _FREE]  # noqa: SIM118  no dict
    fields = ((np.asarray(old.header[name]), np.asarray(new.header[name])) for name in names)
    return same and all(one.tobytes() == other.tobytes() for one, other in fields)


def _unrecorded(root: Path, fixed: Sequence[str]) -> tuple[str, ...]:
    """Return the files that the record of a conversion speaks of."""
    try:
        record = read_record(root)
    except UsageError:
        return tuple(fixed)
    told = {*record.receipts, *record.shared} if record else set()
    return tuple(path for path in fixed if path in told)
