"""The dataset as a whole: what all its files have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .files.ignore import Ignore
from .files.texts import Document, read_json, read_table
from .files.tree import Folder, open_tree
from .findings import finding
from .issue import Located
from .options import Options
from .rules.file_rules import FileRules
from .rules.filenames import Filenames
from .rules.rulebook import Association, Rulebook, Rules
from .values import text, true

if TYPE_CHECKING:
    from .memory import Memory

DESCRIPTION = "dataset_description.json"
PEOPLE_NAME = "participants.tsv"
PEOPLE = f"table/{PEOPLE_NAME}"  # among what was read of the root
_CUT_OFF = frozenset({"sourcedata", "code", "derivatives"})  # not part of this dataset


@dataclass
class Dataset:
    """One dataset under validation.

    ``seen`` collects files that others refer to from elsewhere in the tree; ``selected`` and
    ``belongings`` remember what the rulebook says of names, ``memory`` what earlier validations
    read of images. ``looks_beyond``: something depends on what is neither in the same folder at
    the root nor a file there.
    """

    rulebook: Rulebook
    root: Folder
    ignore: Ignore
    description: dict[str, Any]
    filenames: Filenames
    faults: tuple[Located, ...]
    options: Options
    memory: Memory | None = None
    looks_beyond: bool = False
    seen: set[str] = field(default_factory=set)
    selected: dict[Any, Rules] = field(default_factory=dict)
    belongings: dict[Any, tuple[Association, ...]] = field(default_factory=dict)

    @property
    def dataset_type(self) -> str:
        """Return ``raw``, ``derivative`` or ``study``."""
        return text(self.description["DatasetType"])

    @property
    def is_derivative(self) -> bool:
        """Say whether this is a derivative dataset, by that very word: a list of it is none."""
        return bool(self.description["DatasetType"] == "derivative")

    def get(self, name: str) -> Any:
        """Return what expressions of the schema read: ``dataset.subjects``."""
        if name == "subjects":
            self.looks_beyond = True
        return self._facts.get(name)

    def checked_at_root(self) -> set[tuple[str, str]]:
        """Return the keys of JSON files at the root that were held against the schema."""
        documents = [d for d in self.root.contents.values() if isinstance(d, Document)]
        return {(each.file.path, key) for each in documents for key in each.checked}

    @cached_property
    def _facts(self) -> Mapping[str, Any]:
        participants = self.root.files.get(PEOPLE_NAME)
        columns = read_table(participants).columns if participants else {}
        subjects = [name for name in self.root.folders if name.startswith("sub-")]
        return {
            "dataset_description": self.description,
            "subjects": {"sub_dirs": subjects, "participant_id": columns.get("participant_id")},
            # The official validator leaves these empty, and rules that read them never apply.
            "datatypes": [],
            "modalities": [],
            "ignored": [],
        }


def open_dataset(location: str, rulebook: Rulebook, options: Options) -> Dataset:
    """Look at the root of a dataset.

    Raises:
        UsageError: it cannot be listed.
    """
    root, ignore = open_tree(location)
    if root.error:
        msg = f"{location}: {root.error.strerror or root.error}"
        raise UsageError(msg)
    description, faults = _description(root, ignore)
    if not true(description.get("DatasetType")):
        description["DatasetType"] = "derivative" if true(description.get("GeneratedBy")) else "raw"
    root.folders = {name: None for name in root.folders if name not in _CUT_OFF}
    kind = text(description["DatasetType"])
    filenames = Filenames(FileRules(rulebook.schema, kind))
    return Dataset(rulebook, root, ignore, description, filenames, faults, options)


def _description(root: Folder, ignore: Ignore) -> tuple[dict[str, Any], tuple[Located, ...]]:
    file = root.files.get(DESCRIPTION)
    if file is None:
        return {}, (("", finding("MISSING_DATASET_DESCRIPTION")),)
    document = read_json(file)
    faults: tuple[Located, ...] = ()
    if document.fault and ignore.matches(DESCRIPTION):  # read all the same; others are walked to
        faults = ((DESCRIPTION, document.fault),)
    return document.value if document.value is not None else {}, faults
