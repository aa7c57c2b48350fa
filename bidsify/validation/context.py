"""What the rules can ask about one file: the names that expressions of the schema read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .files.inheritance import EMPTY
from .files.tree import File, Folder

if TYPE_CHECKING:
    from .dataset import Dataset
    from .files.headers import Nifti
    from .files.texts import Document


class Context:
    """One file or folder under validation.

    Attributes that expressions read have the names and values that the schema gives them: there
    ``path`` starts with a slash. ``relative`` is the same without it; folders end with one.
    """

    __slots__ = (
        "associations", "columns", "contents", "dataset", "datatype", "entities", "extension",
        "file", "folder", "gzip", "header", "is_partial", "json",
        "modality", "ome", "only", "origins", "path", "relative", "sidecar", "suffix", "tiff",
    )  # fmt: skip

    def __init__(self, dataset: Dataset, folder: Folder, name: str, file: File | None) -> None:
        self.dataset = dataset
        self.folder = folder
        self.file = file
        self.relative = folder.path + name
        self.path = "/" + self.relative
        self.is_partial = False  # something that rules would read was not fetched
        self.contents: frozenset[str] = frozenset()  # what the file may have to read
        self.entities: Mapping[str, str] = {}
        self.suffix = self.extension = ""
        is_datatype = folder.name in dataset.rulebook.datatypes
        self.datatype = folder.name if is_datatype else ""
        self.modality = dataset.rulebook.modalities.get(self.datatype, "")
        self.sidecar: Mapping[str, Any] = EMPTY.values
        self.origins: Mapping[str, Document] = EMPTY.origins
        self.only: Document | None = None  # the sidecar, where it is one file
        self.associations: dict[str, Any] = {}
        self.columns: Mapping[str, list[str]] = {}
        self.json: Mapping[str, Any] = {}
        self.header: Nifti | None = None
        self.gzip: Mapping[str, Any] | None = None
        self.tiff: Mapping[str, Any] | None = None
        self.ome: Mapping[str, Any] | None = None

    subject: Mapping[str, Any] = {}

    @property
    def schema(self) -> Mapping[str, Any]:
        """The BIDS schema itself."""
        return self.dataset.rulebook.schema

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.file.size if self.file else 0

    @property
    def nifti_header(self) -> Mapping[str, Any] | None:
        """What the schema reads of a NIfTI header."""
        return self.header.context if self.header else None

    def look(self, path: str) -> None:
        """Note where something depends on a path of the dataset that is not in the same folder."""
        top = self.relative.partition("/")[0]
        if not path.startswith(f"{top}/") or ".." in path:
            self.dataset.looks_beyond = True

    def has(self, path: str, base: Any) -> bool:
        """Say whether a path exists, relative to what ``base`` names; mark it as used."""
        if base == "stimuli":
            path = f"stimuli/{path}"
        elif base == "subject":
            path = f"sub-{self.entities.get('sub', 'undefined')}/{path}"
        folder = self.folder
        if not path.startswith("/"):  # with one nothing is ever found, as officially
            self.look(folder.path + path if base == "file" else path)
        if base == "file":
            found = folder.find(path)
        elif path.startswith(folder.path):  # most are near
            found = folder.find(path[len(folder.path) :])
        else:
            found = self.dataset.root.find(path)
        if isinstance(found, File):
            found.is_viewed = True
            self.dataset.seen.add(found.path)
        return found is not None
