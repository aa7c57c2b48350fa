"""The sidecar of a second segmentation: what the first one's says, and what was mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..conversion.sidecars import GRID_DIFFERS
from ..errors import SourceError
from ..labels import LabelTable
from ..text_files import to_json
from ..validation.files.inheritance import Ambiguity, sidecar_of
from ..validation.files.texts import read_json
from ..validation.files.tree import File
from .common_table import SOURCE_INDEX, CommonTable
from .segmentations import SUFFIX, SegmentationFile, TreeTable

HARMONISATION = "Harmonisation"
_NOT_COPIED = {"Description", "Sources", "RawSources", GRID_DIFFERS, HARMONISATION}
_COLUMNS = {
    "snomed": "Identifier of the SNOMED CT concept.",
    "uberon": "Term of the UBERON anatomy ontology.",
    SOURCE_INDEX: "Indices of the first segmentation (Sources) that became this index.",
}
_OF_BIDS = {"index", "name", "abbreviation", "color", "mapping"}


def make(  # noqa: PLR0917
    first: SegmentationFile,
    stem: str,
    own: TreeTable,
    common: CommonTable,
    table: LabelTable,
    mapping: Mapping[int, int],
) -> bytes:
    """Return the sidecar of the file named ``stem``, beside the first one.

    What applies to it from folders above is not said again: BIDS warns of values that are
    stated twice.

    Raises:
        SourceError: Several files of one folder apply, so it is open what they say.
    """
    stated = sidecar_of(first.file)
    if isinstance(stated, Ambiguity):
        msg = f"{first.path}: {stated.found.message}; which of them is meant?"
        raise SourceError(msg)
    above = _above(File(f"{stem}.nii.gz", first.file.parent))
    document: dict[str, Any] = {
        key: value
        for key, value in stated.values.items()
        if key not in _NOT_COPIED | {*own.columns} and above.get(key) != value
    }
    document["Sources"] = [f"bids::{first.path}"]
    document[HARMONISATION] = _text(first.path, own, common, table, mapping)
    if "Description" not in above:
        document["Description"] = document[HARMONISATION]
    for name in table.columns:
        if name not in _OF_BIDS | above.keys():
            text = _COLUMNS.get(name, f"As in {common.path.name}, the table of common codes.")
            document[name] = {"Description": text}
    return to_json(document).encode()


def _text(
    first: str, own: TreeTable, common: CommonTable, table: LabelTable, mapping: Mapping[int, int]
) -> str:
    names = {0: "background", **own.names}
    steps = (
        f"{names[value]} ({value}) to {table.names[code]} ({code})"
        for value, code in mapping.items()
        if value
    )
    # the file is named here too: pybids gives precedence to the Sources of the first sidecar
    return (
        f"Voxel values of bids::{first} mapped to the codes of {common.path.name}: "
        f"{', '.join(steps)}."
    )


def _above(file: File) -> Mapping[str, Any]:
    """Return what the JSON files of the folders above say of a file; the nearest wins."""
    merged: dict[str, Any] = {}
    for document in _documents(file):
        merged = {**document, **merged}
    return merged


def _documents(file: File) -> Iterator[Mapping[str, Any]]:
    for folder in list(file.parent.chain())[1:]:
        found = folder.applicable(file.parts.entities, SUFFIX, ".json", ())
        if len(found) > 1:
            names = ", ".join(sorted(each.path for each in found))
            msg = f"{file.path}: {names} would both apply to it; give another --name"
            raise SourceError(msg)
        for each in found:
            yield read_json(each).value or {}
