"""Tier 3: hold a tree that bidsify made against its declaration, its record and our JSON Schemas.

Each subject is looked at once and then forgotten, as in the walk of the standard's own rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ... import dataset as declaration
from ... import datasets
from ..dataset import Dataset
from ..files.tree import File, Folder
from ..findings import finding
from ..issue import Located
from . import counts, labels
from .contents import check_description, check_document, check_file
from .contrasts import Contrast, check_contrasts, contrasts_of
from .people import Present
from .receipts import Evidence, read_evidence

_DOCUMENTS = {"terms.json": "terms"}  # beside the record


def check_profile(dataset: Dataset, profile: str | None) -> Iterator[Located]:
    """Hold a dataset against the declaration ``profile``, or the one that its record names.

    A tree without a record that is given no profile is none of ours, and nothing is said of it.

    Raises:
        UsageError: ``profile`` is no known dataset and no declaration file.
        DeclarationError: the declaration does not work.
    """
    declared = datasets.load(profile) if profile else None
    evidence, faults = None, list[Located]()
    if dataset.options.opens_files:
        evidence, faults = read_evidence(dataset)
    yield from faults
    if declared is None and evidence is None and not faults:
        return
    if declared is None and evidence is not None and evidence.dataset in datasets.names():
        declared = datasets.load(evidence.dataset)
    yield from _Check(dataset, declared, evidence).run()


@dataclass(slots=True)
class _Check:
    """One check of one tree. ``met`` are findings with a file that others inherit from."""

    dataset: Dataset
    declared: declaration.Dataset | None
    evidence: Evidence | None
    contrasts: tuple[Contrast, ...] = ()
    met: set[Located] = field(default_factory=set)

    def run(self) -> Iterator[Located]:
        """Look at the root, then at each subject, then at the whole."""
        root = self.dataset.root
        if self.declared:
            self.contrasts = contrasts_of(self.declared)
        yield from self._root()
        subjects = [name for name in root.folders if name.startswith("sub-")]
        for name in subjects:
            yield from self._subject(root.child(name))
            root.close(name)
        yield from counts.check_subjects(subjects, self.declared, self.evidence)
        if self.evidence:
            yield from counts.check_shared(root, self.evidence)

    def _root(self) -> Iterator[Located]:
        root = self.dataset.root
        if self.evidence and self.declared:
            yield from counts.check_identity(self.declared, self.evidence)
        if not self.dataset.options.opens_files:
            return
        yield from check_description(root, self.declared)
        folder = root.child("code").child("bidsify")
        for name, schema in _DOCUMENTS.items():
            if name in folder.files:
                yield from check_document(folder.files[name], schema)
        root.close("code")
        for file in root.files.values():
            yield from self._file(file)

    def _subject(self, folder: Folder) -> Iterator[Located]:
        present = Present.of(folder)
        if self.evidence and folder.name not in self.evidence.written:
            return  # the whole subject is one finding
        if self.contrasts:
            yield from check_contrasts(self.contrasts, present, self.evidence)
        if self.evidence:
            yield from self._receipts(present, self.evidence)
        if self.dataset.options.opens_files:
            for file in present.files.values():
                yield from self._file(file)

    def _receipts(self, present: Present, evidence: Evidence) -> Iterator[Located]:
        """Compare the files of a subject with what the record says was written."""
        written = evidence.written.get(present.subject, {})
        for path, file in present.files.items():
            receipt = written.get(path)
            if receipt is None and path not in evidence.shared and path not in evidence.harmonised:
                yield (
                    path,
                    finding("PROFILE_RECORD", "the record of the conversion lacks this file"),
                )
            elif receipt is not None and not file.is_absent and file.size != receipt.size:
                message = f"it has {file.size} bytes, but {receipt.size} were written"
                yield path, finding("PROFILE_RECORD", message)
        for path, receipt in written.items():
            if receipt.is_omitted or path in present.files:
                continue
            if not any(each.has(path) for each in self.contrasts):
                yield path, finding("PROFILE_RECORD", "it was written, but is no longer there")

    def _file(self, file: File) -> Iterator[Located]:
        found = [*check_file(file)]
        if self.declared:
            found += labels.check_table(file, self.declared)
            found += labels.check_label_map(file, self.contrasts)
        for pair in found:
            if pair not in self.met:
                self.met.add(pair)
                yield pair
