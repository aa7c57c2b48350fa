"""How many subjects there are, and what belongs to all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from ...dataset import Dataset
from ...records.conversion import RECORD
from ..files.tree import Folder
from ..findings import finding
from ..issue import Located
from .receipts import Evidence


def check_identity(declared: Dataset, evidence: Evidence) -> Iterator[Located]:
    """Say where the record is of another dataset, or of another edition of it."""
    stated = (("dataset", evidence.dataset, declared.name),)
    if evidence.dataset == declared.name:
        stated = (("edition", evidence.edition, declared.edition),)
    for key, told, wanted in stated:
        if told != wanted:
            message = f"the tree was made as {told!r}, but is held against {wanted!r}"
            yield RECORD, finding("PROFILE_RECORD", message, f"$.{key}")


def check_subjects(
    subjects: Sequence[str], declared: Dataset | None, evidence: Evidence | None
) -> Iterator[Located]:
    """Compare the subjects with those of the record, else their number with the declared one."""
    if evidence:
        for name in sorted(evidence.written.keys() - set(subjects)):
            message = f"{name} was converted, but is no longer there"
            yield f"{name}/", finding("PROFILE_COUNT", message)
        for name in sorted(set(subjects) - evidence.written.keys()):
            message = f"the record of the conversion does not know {name}"
            yield f"{name}/", finding("PROFILE_COUNT", message)
    parts = list(declared.subjects.values()) if declared else []
    count = len(evidence.written) if evidence else len(subjects)
    if declared and evidence and "" not in declared.subjects:
        return  # counted set by set when it was converted
    if parts and count not in _sums(parts) and not (evidence and evidence.is_partial):
        message = f"{count} subjects, but {' + '.join(map(str, parts))} in the publication"
        yield "", finding("PROFILE_COUNT", message)


def _sums(parts: Sequence[int]) -> set[int]:
    """Return the numbers of subjects that some of the parts of a publication have together."""
    chosen = (c for size in range(1, len(parts) + 1) for c in combinations(parts, size))
    return {sum(numbers) for numbers in chosen}


def check_shared(root: Folder, evidence: Evidence) -> Iterator[Located]:
    """Miss the files that belong to all subjects; hidden ones may go."""
    for target in sorted(evidence.shared - root.files.keys()):
        if "/" not in target and not target.startswith("."):
            yield target, finding("PROFILE_RECORD", "it was written, but is no longer there")
