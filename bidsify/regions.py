"""Regions: named unions of labels, such as the whole tumour. They are never voxel values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from . import json_schema
from .errors import DeclarationError
from .labels import LabelTable, RegionTable, read_rows

#: Column of a label table that names the regions which a label belongs to.
REGIONS = "regions"


def region_table(beside: str) -> RegionTable:
    """Read ``<name>_regions.tsv`` beside the declaration ``<name>.py`` (give ``__file__``)."""
    path = Path(beside)
    return read_region_table(path.with_name(f"{path.stem}_regions.tsv"))


def read_region_table(path: Path) -> RegionTable:
    """Read and check a table of regions.

    Raises:
        DeclarationError: The file is missing, breaks the schema, or names a region twice.
    """
    columns, rows = read_rows(path)
    faults = list(json_schema.faults("regions", [dict(row) for row in rows]))
    names = [row.get("name", "") for row in rows]
    if len(set(names)) < len(names):
        faults.append("a region occurs twice")
    if faults:
        msg = f"{path}: {'; '.join(faults)}"
        raise DeclarationError(msg)
    return RegionTable(columns, rows)


def unknown_indices(regions: RegionTable, labels: LabelTable) -> list[int]:
    """Return the indices of regions that the label table does not have, sorted."""
    return sorted({i for indices in regions.indices.values() for i in indices} - {*labels.names})


def with_regions(labels: LabelTable, regions: RegionTable | None) -> LabelTable:
    """Add the column that says which regions each label belongs to: ``WT;TC``."""
    if regions is None:
        return labels
    rows = tuple({**row, REGIONS: ";".join(_of(row, regions)) or "n/a"} for row in labels.rows)
    return LabelTable((*labels.columns, REGIONS), rows)


def _of(row: Mapping[str, str], regions: RegionTable) -> Iterator[str]:
    for short, indices in regions.indices.items():
        if int(row["index"]) in indices:
            yield short
