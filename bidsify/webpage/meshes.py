"""Surfaces of a subject: which there are, where they lie, and their bytes for a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..cases.case import Case
from ..validation.files.inheritance import Ambiguity, sidecar_of
from ..validation.files.tree import File, Folder
from .packing import compressed

_ENDINGS = ("_mesh.stl", ".surf.gii")
_MOST = 8 << 20  # bytes of a file
_ALL = 64 << 20  # bytes of all files


@dataclass(frozen=True, slots=True)
class Mesh:
    """A surface: its path in the tree, and its file as text, empty where it is not shown.

    ``system`` is what the sidecar states of its coordinates: ``LPS``, ``RAS`` or nothing. ``note``
    says what one should know of it.
    """

    path: str
    text: str = ""
    system: str = ""
    note: str = ""


class Meshes:
    """The surfaces of a tree, each read once, as long as all of them fit into a page."""

    def __init__(self, root: Path) -> None:
        """Take the root of the tree."""
        self._root = Folder(str(root))
        self._left = _ALL
        self._read: dict[str, Mesh] = {}

    def of(self, case: Case) -> tuple[Mesh, ...]:
        """Return the surfaces of the subject and session of a case, by path."""
        session = f"/ses-{case.session}" if case.session else ""
        folder = self._root.find(f"sub-{case.subject}{session}")
        found = _surfaces(folder) if isinstance(folder, Folder) else ()
        return tuple(self._mesh(file) for file in found)

    def _mesh(self, file: File) -> Mesh:
        if file.path not in self._read:
            self._read[file.path] = self._load(file)
        return self._read[file.path]

    def _load(self, file: File) -> Mesh:
        path = file.path
        try:
            if file.size > min(_MOST, self._left):
                return Mesh(path, note=f"{path} is too large for the page.")
            content = Path(file.location).read_bytes()
        except OSError as error:
            return Mesh(path, note=f"{path}: {error.strerror or error}.")
        self._left -= len(content)
        system = "RAS" if path.endswith(".gii") else _system(file)
        note = "" if system else f"{path} is taken to be in RAS, as nothing is stated."
        return Mesh(path, compressed(content), system, note)


def _surfaces(folder: Folder) -> Iterator[File]:
    yield from (file for file in folder.files.values() if file.path.endswith(_ENDINGS))
    for name in folder.folders:
        yield from _surfaces(folder.child(name))


def _system(file: File) -> str:
    """Return what is stated of the coordinates of a surface, where it is known here."""
    sidecar = sidecar_of(file)
    stated = None if isinstance(sidecar, Ambiguity) else sidecar.values.get("CoordinateSystem")
    return stated if stated in {"LPS", "RAS"} else ""
