"""The texts that describe a converted dataset, from its declaration: pure, and without a clock."""

from __future__ import annotations

from collections.abc import Iterator

from .. import json_schema, markdown
from ..dataset import Dataset, Json
from ..errors import DeclarationError
from ..label_files import label_files
from ..labels import RegionTable
from ..version import RELEASED, __version__

BIDS_VERSION = "1.11.1"


def dataset_description(dataset: Dataset) -> dict[str, Json]:
    """Return ``dataset_description.json``.

    Raises:
        DeclarationError: The declaration does not give what our schema asks for.
    """
    source = {"URL": dataset.source_url}
    if dataset.source_doi:
        source["DOI"] = f"doi:{dataset.source_doi}"
    if dataset.source_version:
        source["Version"] = dataset.source_version
    program = {
        "Name": "bidsify",
        "Version": __version__,
        "Description": f"Converted from the native layout of {dataset.title}.",
    }
    document: dict[str, Json] = {
        "Name": f"{dataset.title} in BIDS",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "License": dataset.terms.licence,
        "Authors": list(dataset.authors),
        "HowToAcknowledge": f"Cite: {dataset.citation}",
        "SourceDatasets": [source],
        **dataset.description_extra,
        "GeneratedBy": [program, *dataset.description_extra.get("GeneratedBy", ())],
    }
    if faults := list(json_schema.faults("dataset_description", document)):
        msg = f"dataset {dataset.name!r}: dataset_description.json: {'; '.join(faults)}"
        raise DeclarationError(msg)
    return document


def changes(dataset: Dataset) -> str:
    """Return ``CHANGES``, in the form of CPAN changelogs that BIDS asks for."""
    return (
        f"{__version__} {RELEASED}\n  - Converted from {dataset.title} by bidsify {__version__}.\n"
    )


def readme(dataset: Dataset) -> str:
    """Return ``README.md``."""
    return "\n".join(_readme(dataset))


def _readme(dataset: Dataset) -> Iterator[str]:
    yield from (f"# {dataset.title} in BIDS", "")
    yield f"Edition: {dataset.edition}. Converted by bidsify {__version__}; values are kept unless"
    yield from ("a label table says otherwise in a `source_value` column.", "")
    if dataset.notes:
        yield from (dataset.notes, "")
    yield from ("## Citation", "", dataset.citation, "")
    yield from ("## Terms", "", f"Licence: {dataset.terms.licence}", "", dataset.terms.summary, "")
    yield from (f"Known from: {dataset.terms.evidence}", "")
    yield from ("## Where things come from", "", "```", dataset.layout.strip(), "```", "")
    yield "`code/bidsify/conversion.json` names the source file, its SHA-256 and the transformation"
    yield from ("of each file; `*_scans.tsv` does so for each subject.", "")
    yield from _labels(dataset)
    if dataset.traps:
        yield from ("## Known traps", "", *(f"- {trap}" for trap in dataset.traps), "")
    yield "## Reading it"
    yield from ("", "```python", "import bidsify", "")
    yield "layout = bidsify.load('this folder')  # a pybids BIDSLayout"
    if any(each.is_written for each in label_files(dataset)):
        yield "layout.get(suffix='dseg', extension='.nii.gz')"
    yield from ("```", "")


def _labels(dataset: Dataset) -> Iterator[str]:
    """Yield each label table under the name of its file, and the regions."""
    files = [each for each in label_files(dataset) if each.table.is_stated]
    yield from ("## Labels", "") if files else ()
    for each in files:
        where = markdown.code(each.name if each.is_written else f"*{each.name}")
        yield from (" ".join((f"{where}:", *map(markdown.inline, each.descriptions))), "")
        rows = ((str(index), markdown.inline(name)) for index, name in each.table.names.items())
        yield from (*markdown.table(("index", "name"), rows), "")
    if dataset.regions:
        yield from ("## Regions", "", "`regions.tsv`: unions of labels, never voxel values.", "")
        yield from (*regions_as_markdown(dataset.regions), "")


def regions_as_markdown(regions: RegionTable) -> Iterator[str]:
    """Yield the lines of a table of regions, as Markdown."""
    rows = (
        (markdown.inline(row["name"]), row.get("abbreviation", ""), row["indices"])
        for row in regions.rows
    )
    yield from markdown.table(("region", "abbreviation", "labels"), rows)
