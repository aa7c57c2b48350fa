"""CITATION.cff of a dataset, and the description that goes with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import NAMES, Make
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

import bidsify
from bidsify import datasets
from bidsify.bids_schema import schema as bids_schema
from bidsify.citation_format import schema
from bidsify.errors import SourceError
from bidsify.planning.description import dataset_description
from bidsify.sharing.citation import MOVED, citation_cff, without_moved
from bidsify.sharing.licences import spdx_of
from bidsify.validation.official import NAME as VALIDATOR
from bidsify.validation.official import validate_officially

VALIDATE = Draft7Validator(schema())
SMALL: dict[str, Any] = {"Name": "Livers", "Authors": ["Doe, Jane", "A Group", "Li W."]}


def cite(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the citation of a dataset, after holding it against the schema."""
    document: dict[str, Any] = yaml.load(citation_cff(description), yaml.BaseLoader)
    faults = [fault.message for fault in VALIDATE.iter_errors(document)]
    assert faults == []
    return document


@pytest.mark.parametrize("name", NAMES)
def test_each_dataset_can_be_cited(name: str) -> None:
    description = dataset_description(datasets.load(name))
    document = cite(description)
    assert document["title"] == description["Name"]
    assert len(document["authors"]) == len(description["Authors"])
    assert description["HowToAcknowledge"] in document["message"]
    licence = description["License"]
    assert document.get("license") == spdx_of(licence) or licence in document["message"]
    assert not without_moved(description).keys() & set(MOVED)


def test_names_are_split_where_a_comma_says_how() -> None:
    assert cite(SMALL)["authors"] == [
        {"family-names": "Doe", "given-names": "Jane"}, {"name": "A Group"}, {"name": "Li W."},
    ]  # fmt: skip


def test_identifiers_are_told_by_their_form() -> None:
    extra = {
        "DatasetDOI": "doi:10.5281/zenodo.1", "DatasetVersion": "1.0",
        "ReferencesAndLinks": ["https://x.org/a", "A book, 1999", "https://doi.org/10.1000/182"],
        "SourceDatasets": [{"DOI": "doi:10.1000/183", "URL": "https://x.org/b"}],
    }  # fmt: skip
    document = cite({**SMALL, **extra})
    assert (document["doi"], document["version"]) == ("10.5281/zenodo.1", "1.0")
    assert [(each["type"], each["value"]) for each in document["identifiers"]] == [
        ("doi", "10.1000/183"), ("url", "https://x.org/b"), ("url", "https://x.org/a"),
        ("other", "A book, 1999"), ("doi", "10.1000/182"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC0", "CC0-1.0"), ("PDDL", "PDDL-1.0"), ("CC-BY-4.0", "CC-BY-4.0"), ("ask us", None),
        ("CC BY 4.0", "CC-BY-4.0"), ("cc by-nc-sa 4.0", "CC-BY-NC-SA-4.0"), ("MIT", "MIT"),
    ],
)  # fmt: skip
def test_a_licence_without_a_name_of_its_own_is_said_in_words(
    licence: str, expected: str | None
) -> None:
    document = cite({**SMALL, "License": licence})
    assert document.get("license") == expected
    assert ("Terms: ask us." in document["message"]) == (expected is None)


@pytest.mark.parametrize("lacking", ["Name", "Authors"])
def test_nothing_to_cite_is_refused(lacking: str) -> None:
    with pytest.raises(SourceError, match=f"without {lacking} there is nothing to cite"):
        citation_cff({**SMALL, lacking: None})


texts = st.text(max_size=30)
anything = st.none() | st.integers() | texts | st.lists(texts | st.integers(), max_size=3)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from([*MOVED, "DatasetDOI", "SourceDatasets"]), anything), texts)
def test_whatever_is_in_a_description_the_citation_is_valid(
    extra: dict[str, Any], name: str
) -> None:
    extra["Authors"] = [name, "No: Body", "- x", "2020-01-01"]
    cite({**extra, "Name": f"{name} #: dataset"})


@pytest.mark.skipif(
    not (Path(sys.executable).parent / VALIDATOR).exists(), reason="no official validator"
)
def test_the_official_validator_accepts_both(own_tree: Make) -> None:
    root = own_tree("chaos")
    place = root / "dataset_description.json"
    description = json.loads(place.read_text())
    (root / "CITATION.cff").write_bytes(citation_cff(description))
    codes = {"AUTHORS_AND_CITATION_FILE_MUTUALLY_EXCLUSIVE", "SINGLE_SOURCE_CITATION_FIELDS"}
    assert {each.code for each in validate_officially(root, bids_schema())} >= codes
    place.write_text(json.dumps(without_moved(description)))
    found = validate_officially(root, bids_schema())
    assert [each for each in found if each.severity == "error" or each.code in codes] == []
    assert [each for each in bidsify.validate(root).issues() if each.severity == "error"] == []
