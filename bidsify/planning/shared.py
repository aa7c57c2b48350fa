"""The files that belong to no single subject: description, tables of people, label tables.

Names only; no file is opened here. What depends on the outcome of a conversion (who is in
the tree, which suffixes occur) is a job that finds out when it runs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ..dataset import Attachment, Column, Dataset, Image, Json, Masks, Points, Product, Segmentation
from ..engine.jobs import Job
from ..entities import format_name, label_of
from ..label_files import label_files
from ..patterns import Fields
from ..regions import REGIONS
from ..text_files import to_json, to_tsv
from . import description
from .products import PLANE_COLUMNS, SPACE_COLUMNS
from .shared_jobs import NativeTable, PeopleJob, PeopleSidecarJob, TextJob
from .view import View

#: Subject -> its native id, and what its paths state.
People = Mapping[str, tuple[str, Sequence[Fields]]]

_SCANS = {
    "Description": "Data files of the subject and the source files that they were made from.",
    "filename": {"Description": "Data file, relative to the folder of this table."},
    "source_file": {
        "Description": "Source file, relative to the source dataset; for a series of slices or "
        "markers the folder that holds them (each one: code/bidsify/conversion.json)."
    },
    "source_sha256": {"Description": "SHA-256 of the source file; n/a for a series."},
}
_SPATIAL_COLUMNS = {
    "structure": Column(description="Structure that the point belongs to."),
    "group": Column(description="Array of the source file that holds the point."),
    "point": Column(description="Place in the source's list of points, from 0."),
    "x": Column(description="Column of the image, from 0: voxel index i.", units="pixel"),
    "y": Column(description="Row of the image, from 0: voxel index j.", units="pixel"),
    "x_mm": Column(description="Position towards the patient's right (RAS+).", units="mm"),
    "y_mm": Column(description="Position towards anterior (RAS+).", units="mm"),
    "z_mm": Column(description="Position towards superior (RAS+).", units="mm"),
    "i": Column(description="Fractional voxel index of the image, first axis, from 0."),
    "j": Column(description="Fractional voxel index of the image, second axis, from 0."),
    "k": Column(description="Fractional voxel index of the image, third axis, from 0."),
    "source_file": Column(description="Source file, relative to the source dataset."),
}


def jobs(
    dataset: Dataset,
    views: Sequence[View],
    people: People,
    tables: Sequence[NativeTable],
) -> Iterator[Job]:
    """Make the jobs of the files at the root, and of the sessions tables."""
    yield TextJob(
        target="dataset_description.json",
        content=to_json(description.dataset_description(dataset)),
    )
    yield TextJob(target="README.md", content=description.readme(dataset))
    yield TextJob(target="CHANGES", content=description.changes(dataset))
    if dataset.bidsignore:
        yield TextJob(target=".bidsignore", content="\n".join(dataset.bidsignore) + "\n")
    yield from _participants(dataset, people, tables)
    yield from _sessions(views)
    yield TextJob(target="scans.json", content=to_json(_SCANS), only_with="scans")
    yield from _descriptions(dataset)
    if dataset.regions:
        yield TextJob(target="regions.tsv", content=dataset.regions.to_tsv(), only_with="dseg")
    for target, content in sorted(_inherited(dataset).items()):
        yield TextJob(target=target, content=content, only_with=target.split(".")[0])


def _participants(
    dataset: Dataset, people: People, natives: Sequence[NativeTable]
) -> Iterator[Job]:
    rows = tuple(
        (f"sub-{subject}", (f"sub-{subject}", source_id, *_values(dataset, fields)))
        for subject, (source_id, fields) in sorted(people.items())
    )
    yield PeopleJob(
        target="participants.tsv",
        sources=tuple(native.path for native in natives),
        columns=("participant_id", "source_id", *dataset.columns),
        rows=rows,
        natives=tuple(natives),
    )
    columns = {"source_id": Column(description="Name of the subject in the source dataset.")}
    definitions = {
        "Description": "Subjects of this dataset.",
        **_column_definitions({**columns, **dataset.columns}),
    }
    yield PeopleSidecarJob(
        target="participants.json",
        sources=tuple(native.sidecar for native in natives if native.sidecar),
        metadata=json.dumps(definitions, sort_keys=True),
        ids=tuple((values[0], values[1]) for _, values in rows),
        natives=tuple(natives),
    )


def _values(dataset: Dataset, stated: Sequence[Fields]) -> Iterator[str]:
    """Return the value of each column; n/a where the files of a subject do not agree on one."""
    for column in dataset.columns.values():
        found = {column.of(fields) for fields in stated} - {"", "n/a"}
        yield found.pop() if len(found) == 1 else "n/a"


def _sessions(views: Sequence[View]) -> Iterator[Job]:
    rows: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for view in views:
        who = view.person
        if who.session and who.session_source_id:
            folder = f"sub-{who.subject}/ses-{who.session}"
            rows[who.subject].append((folder, (f"ses-{who.session}", who.session_source_id)))
    for subject, lines in rows.items():
        yield PeopleJob(
            target=f"sub-{subject}/sub-{subject}_sessions.tsv",
            columns=("session_id", "source_id"),
            rows=tuple(lines),
        )
    if rows:
        definitions = {
            "Description": "Sessions of the subject.",
            "source_id": {"Description": "Name of the session in the source dataset."},
        }
        yield TextJob(target="sessions.json", content=to_json(definitions), only_with="sessions")


def _descriptions(dataset: Dataset) -> Iterator[Job]:
    if dataset.descriptions:
        rows = ((f"desc-{label}", text) for label, text in dataset.descriptions.items())
        content = to_tsv(("desc_id", "description"), rows).decode()
        yield TextJob(target="descriptions.tsv", content=content)
        document = {"Description": "What the desc- labels of this dataset stand for."}
        yield TextJob(target="descriptions.json", content=to_json(document))


def _inherited(dataset: Dataset) -> dict[str, str]:
    """Return target -> content of the files at the root that others inherit from."""
    files: dict[str, str] = {}
    for each in label_files(dataset):
        if each.is_written and each.table.is_stated:
            sidecar = _segmentation_sidecar(each.segmentations[-1], dataset)
            files[each.name] = each.table.to_tsv()
            files[each.name.replace(".tsv", ".json")] = to_json(sidecar)
    for product in dataset.products:
        match product:
            case Points() | Attachment() if product.sidecar:
                columns = _point_columns(product) if isinstance(product, Points) else {}
                document = {**product.sidecar, **_column_definitions(columns)}
                files[f"{product.suffix}.json"] = to_json(document)
            case Image() if dataset.shared_sidecars:
                stem = _shared_stem(product, tuple(product.entities))
                files[stem + ".json"] = to_json(dict(product.sidecar))
            case Masks() if dataset.shared_sidecars and product.unless is None:
                document = {**product.sidecar, "LabelMap": list(product.regions)}
                stem = _shared_stem(product, tuple(product.entities))
                files[stem + ".json"] = to_json(document)
    return files


def _shared_stem(product: Product, entities: Sequence[str]) -> str:
    kept = {name: label_of(product.entities[name]) for name in entities if name in product.entities}
    return format_name(kept, product.suffix, "")


def _segmentation_sidecar(product: Segmentation, dataset: Dataset) -> Mapping[str, object]:
    columns = {
        name: Column(description="Value in the source dataset that became this index.")
        for name in product.labels.codings
    }
    if dataset.regions:
        columns[REGIONS] = Column(description="Regions that the label is part of: regions.tsv.")
    return {"SpatialReference": "orig", **product.sidecar, **_column_definitions(columns)}


def _point_columns(product: Points) -> Mapping[str, Column]:
    names = PLANE_COLUMNS if product.reader == "tensors" else SPACE_COLUMNS
    return {**product.columns, **{name: _SPATIAL_COLUMNS[name] for name in names}}


def _column_definitions(columns: Mapping[str, Column]) -> dict[str, dict[str, Json]]:
    """Describe the columns of a table as its JSON does."""
    definitions: dict[str, dict[str, Json]] = {}
    for name, column in columns.items():
        entry: dict[str, Json] = {"Description": column.description}
        if column.levels:
            entry["Levels"] = dict(column.levels)
        if column.units:
            entry["Units"] = column.units
        definitions[name] = entry
    return definitions
