"""What ``participants.tsv`` says of subjects: to which split they belong, and in which group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..printable import some
from ..text_files import MISSING
from ..validation.files.texts import read_table
from ..validation.files.tree import Folder

TRAINING, VALIDATION, TEST = "training", "validation", "test"
_WORDS = {
    "train": TRAINING, "training": TRAINING, "trainset": TRAINING,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "dev": VALIDATION,
    "test": TEST, "testing": TEST, "testset": TEST,
}  # fmt: skip
_TABLE, _KEY, _SPLIT = "participants.tsv", "participant_id", "split"


@dataclass(frozen=True, slots=True)
class People:
    """The columns of the table, and the row of each subject; empty without a table."""

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]

    @property
    def has_splits(self) -> bool:
        """Say whether the table has a column of splits."""
        return _SPLIT in self.columns

    def split(self, subject: str) -> str:
        """Return training, validation or test; training where nothing or else is stated."""
        stated = self.rows.get(subject, {}).get(_SPLIT, "")
        return _WORDS.get(stated.strip().casefold(), TRAINING)

    def group(self, subject: str, column: str | None) -> str:
        """Return what must stay together in one fold: the cell of the column, else the subject.

        Raises:
            UsageError: The table has no such column.
        """
        if column is None:
            return f"sub-{subject}"
        if column not in self.columns:
            some = ", ".join(self.columns) or "no columns"
            msg = f"{_TABLE}: no column {column!r} to group by; it has {some}"
            raise UsageError(msg)
        cell = self.rows.get(subject, {}).get(column, MISSING)
        return f"sub-{subject}" if cell in {"", MISSING} else f"{column}: {cell}"

    def divided(self, parts: Iterable[tuple[str, str]], column: str | None) -> tuple[str, ...]:
        """Say which groups are in several parts of the split; one text, or none.

        ``parts`` are pairs of a subject and its part.

        Raises:
            UsageError: The table has no such column.
        """
        found: dict[str, set[str]] = {}
        for subject, part in parts if column else ():
            found.setdefault(self.group(subject, column), set()).add(part)
        order = (TRAINING, VALIDATION, TEST)
        named = [
            f"{group} ({' and '.join(part for part in order if part in own)})"
            for group, own in found.items()
            if len(own) > 1
        ]
        what = f"{_TABLE}: groups are divided, so results on held-out cases will look too good"
        return (f"{what}: {some(named)}; give each group one split",) if named else ()


def read_people(root: Path) -> People:
    """Read the table of a tree; one that is missing or broken says nothing."""
    file = Folder(str(root)).files.get(_TABLE)
    columns = read_table(file).columns if file else {}
    if _KEY not in columns:
        return People((), {})
    rows = zip(*columns.values(), strict=True)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return People(tuple(columns), {row[_KEY].removeprefix("sub-"): row for row in named})
