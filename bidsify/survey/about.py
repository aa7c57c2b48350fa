"""What a tree says of itself: its description, and who is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..dataset import Dataset
from ..validation.files.texts import read_table
from ..validation.files.tree import Folder
from .values import About, People

_PARTICIPANTS, _KEY = "participants.tsv", "participant_id"
_FEW, _COLUMNS = 12, 8  # different values of a column that is counted, and such columns


def about(description: Mapping[str, Any], fault: str, dataset: Dataset | None) -> About:
    """Return what the description says; what should be text and is not counts as none."""
    citations = [*_texts(description, "HowToAcknowledge", "DatasetDOI", "ReferencesAndLinks")]
    if dataset and not any(dataset.citation in each for each in citations):
        citations.append(dataset.citation)
    return About(
        name=_text(description.get("Name")),
        version=_text(description.get("DatasetVersion")),
        bids_version=_text(description.get("BIDSVersion")),
        authors=tuple(_texts(description, "Authors")),
        citations=tuple(dict.fromkeys(citations)),
        sources=tuple(_joined(description.get("SourceDatasets"), ("DOI", "URL", "Version"))),
        generators=tuple(_joined(description.get("GeneratedBy"), ("Name", "Version"))),
        faults=(fault,) if fault else (),
    )


def people(root: Folder, dataset: Dataset | None) -> People:
    """Return the subjects that have folders, those that are listed, and what columns count."""
    subjects = tuple(sorted(n.removeprefix("sub-") for n in root.folders if n.startswith("sub-")))
    expected = dataset.expected_subjects if dataset else None
    file = root.files.get(_PARTICIPANTS)
    if file is None:
        return People(subjects, expected=expected, fault=f"{_PARTICIPANTS} is missing")
    table = read_table(file)
    if table.fault is not None or _KEY not in table.columns:
        why = table.fault.message or table.fault.code if table.fault else f"no column {_KEY}"
        return People(subjects, expected=expected, fault=f"{_PARTICIPANTS}: {why}")
    listed = tuple(sorted(x.removeprefix("sub-") for x in table.columns[_KEY]))
    return People(subjects, listed, dict(_counted(table.columns)), expected)


def _counted(columns: Mapping[str, list[str]]) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    """Yield columns that sort subjects into few groups."""
    shown = 0
    for name, cells in columns.items():
        counts = Counter(cells)
        if name != _KEY and len(counts) <= min(_FEW, max(1, len(cells) - 1)) and shown < _COLUMNS:
            shown += 1
            yield name, tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(description: Mapping[str, Any], *keys: str) -> Iterator[str]:
    for key in keys:
        value = description.get(key)
        for each in value if isinstance(value, list) else [value]:
            if text := _text(each):
                yield text


def _joined(value: object, keys: Iterable[str]) -> Iterator[str]:
    for each in value if isinstance(value, list) else []:
        if isinstance(each, dict):
            texts = dict.fromkeys(text for key in keys if (text := _text(each.get(key))))
            if texts:
                yield " ".join(texts)
