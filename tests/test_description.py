"""The texts of a converted tree: complete, valid, and without a clock."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from bidsschematools.schema import load_schema
from builders import toy

import bidsify
from bidsify import datasets, json_schema
from bidsify.dataset import Segmentation, Terms
from bidsify.errors import DeclarationError
from bidsify.planning.description import BIDS_VERSION, changes, dataset_description, readme

NAMES = datasets.names()


def test_a_description_says_what_where_from_and_by_what() -> None:
    document = dataset_description(toy(source_doi="10.5281/zenodo.1", source_version="1.2"))
    assert document == {
        "Name": "Toy in BIDS",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "License": "CC0-1.0",
        "Authors": ["A. Toy"],
        "HowToAcknowledge": "Cite: Toy et al. (2020)",
        "SourceDatasets": [
            {"URL": "https://example.org/toy", "DOI": "doi:10.5281/zenodo.1", "Version": "1.2"}
        ],
        "GeneratedBy": [
            {
                "Name": "bidsify",
                "Version": bidsify.__version__,
                "Description": "Converted from the native layout of Toy.",
            }
        ],
    }


def test_what_is_not_known_is_not_stated() -> None:
    assert dataset_description(toy())["SourceDatasets"] == [{"URL": "https://example.org/toy"}]


def test_more_fields_are_added_and_more_programs_follow() -> None:
    more = {"Keywords": ["toy"], "GeneratedBy": [{"Name": "Manual"}]}
    document = dataset_description(toy(description_extra=more))
    assert document["Keywords"] == ["toy"]
    assert [entry["Name"] for entry in document["GeneratedBy"]] == ["bidsify", "Manual"]


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("authors", (), r"\$\.Authors"),
        (
            "terms",
            Terms(licence="", summary="", redistribution="unknown", evidence=""),
            r"\$\.Licen",
        ),
        ("description_extra", {"DatasetType": "raw"}, r"\$\.DatasetType"),
        ("description_extra", {"Name": ""}, r"\$\.Name"),
    ],
)
def test_a_declaration_that_lacks_something_is_refused(field: str, value: Any, place: str) -> None:
    with pytest.raises(
        DeclarationError, match=rf"^dataset 'toy': dataset_description\.json: .*{place}"
    ):
        dataset_description(toy(**{field: value}))


@pytest.mark.parametrize("name", NAMES)
def test_known_datasets_are_described_by_the_schemas(name: str) -> None:
    document = dataset_description(datasets.load(name))
    assert list(json_schema.faults("dataset_description", document)) == []
    assert json.loads(json.dumps(document)) == document
    fields = load_schema().objects.metadata
    unknown = [key for key in document if key not in fields]
    assert unknown == []


def test_the_version_of_bids_is_one_that_the_schema_knows() -> None:
    official = load_schema().bids_version
    major, minor = BIDS_VERSION.split(".")[:2]
    assert (int(major), int(minor)) <= tuple(int(part) for part in official.split(".")[:2])


@pytest.mark.parametrize("name", NAMES)
def test_changes_have_the_form_of_cpan(name: str) -> None:
    first, *others = changes(datasets.load(name)).splitlines()
    assert re.fullmatch(r"\d+\.\d+\.\d+ \d{4}-\d{2}-\d{2}", first)
    assert others
    assert all(line.startswith("  - ") for line in others)


@pytest.mark.parametrize("name", NAMES)
def test_readmes_say_what_a_user_must_know(name: str) -> None:
    dataset = datasets.load(name)
    text = readme(dataset)
    assert text.startswith(f"# {dataset.title} in BIDS\n")
    assert text.endswith("\n")
    for needed in (dataset.citation, dataset.terms.licence, dataset.terms.summary, *dataset.traps):
        assert needed in text


def test_a_readme_shows_all_label_tables_under_their_names() -> None:
    text = readme(datasets.load("prostate158"))
    after = {part.split("`")[0]: part for part in text.split("\n`")[1:]}
    assert "| 2 | peripheral zone |" in after["seg-zones_dseg.tsv"]
    for name in ("seg-tumorT2w_dseg.tsv", "seg-tumorADC_dseg.tsv"):
        assert "| 1 | suspicious lesion (tumour) |" in after[name]
        assert "peripheral" not in after[name]


def test_a_readme_shows_the_regions() -> None:
    text = readme(datasets.load("brats2020"))
    assert "## Regions\n" in text
    assert "| tumour core | TC | 1,4 |" in text
    assert "## Regions" not in readme(toy())


def test_a_readme_without_labels_has_no_heading_for_them() -> None:
    assert "## Labels" not in readme(datasets.load("lumbosacral"))
    assert "## Labels" in readme(toy())


def test_a_readme_shows_the_labels() -> None:
    text = readme(toy(traps=("Mind the gap.",), notes="Notes here."))
    assert "| 0 | background |\n| 1 | organ |\n" in text
    assert "- Mind the gap.\n" in text
    assert "Notes here." in text


@pytest.mark.parametrize("name", datasets.names())
def test_the_readme_says_how_to_read_the_tree(name: str) -> None:
    """Its block of Python can be run, and asks for segmentations only where there are any."""
    dataset = datasets.load(name)
    drawn = [each for each in dataset.products if isinstance(each, Segmentation)]
    text = readme(dataset)
    _, _, block = text.partition("```python\n")
    code, fence, _ = block.partition("```\n")
    assert fence
    compile(code, "README.md", "exec")
    assert "layout = bidsify.load('this folder')" in code
    assert ("suffix='dseg'" in code) == any(each.suffix == "dseg" for each in drawn)
