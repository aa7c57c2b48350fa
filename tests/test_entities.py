"""BIDS names: written and read back, in the order and by the rules of the official schema."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_schema import is_official, official_schema
from strategies import bids_paths, labels_of, plain_labels

from bidsify import bids_schema
from bidsify.entities import BidsPath, fault, format_folder, format_name, label_of, parse
from bidsify.errors import DeclarationError

NAMES = tuple(bids_schema.entity_keys())
INHERITED = (".tsv", ".json", ".bval", ".bvec")
DERIVED = ("dseg", "probseg", "mask")


@given(bids_paths())
def test_parsing_undoes_formatting(path: BidsPath) -> None:
    text = str(path)
    assert "__" not in text
    assert "//" not in text
    assert parse(text) == path
    assert str(parse(text)) == text


@given(st.sets(st.sampled_from(NAMES), min_size=2, max_size=6), st.randoms())
def test_entities_stand_in_the_order_of_the_schema(names: set[str], random: Any) -> None:
    shuffled = sorted(names)
    random.shuffle(shuffled)
    written = format_name(dict.fromkeys(shuffled, "1"), "T1w", ".nii")
    keys = [pair.split("-")[0] for pair in written.split("_")[:-1]]
    schema = official_schema()
    official = [schema.objects.entities[name].name for name in schema.rules.entities]
    assert keys == [key for key in official if key in keys]
    assert len(keys) == len(names)


@given(bids_paths())
@settings(max_examples=60)
def test_what_the_schema_allows_has_no_fault(path: BidsPath) -> None:
    assert fault(path) is None
    assert is_official(str(path))


@given(bids_paths(), st.data())
@settings(max_examples=150)
def test_one_wrong_part_is_judged_as_by_bidsschematools(path: BidsPath, data: Any) -> None:
    entities = dict(path.entities)
    match data.draw(st.sampled_from(["entity", "suffix", "extension", "datatype", "label"])):
        case "entity":
            name = data.draw(st.sampled_from(NAMES))
            if entities.pop(name, None) is None:
                entities[name] = data.draw(labels_of(name))
            path = BidsPath(entities, path.suffix, path.extension, path.datatype)
        case "suffix":
            suffix = data.draw(st.sampled_from(["T1w", "dseg", "bold", "xyz", "pet"]))
            path = BidsPath(entities, suffix, path.extension, path.datatype)
        case "extension":
            extension = data.draw(st.sampled_from([".nii", ".nii.gz", ".tsv", ".json", ".xyz"]))
            path = BidsPath(entities, path.suffix, extension, path.datatype)
        case "datatype":
            datatype = data.draw(st.sampled_from([None, "anat", "func", "ct", "pet"]))
            path = BidsPath(entities, path.suffix, path.extension, datatype)
        case "label" if entities:
            name = data.draw(st.sampled_from(sorted(entities)))
            entities[name] = data.draw(st.sampled_from(["1", "a", "1.5", "on", "a+b", "0 1"]))
            path = BidsPath(entities, path.suffix, path.extension, path.datatype)
    if (
        path.extension in INHERITED
    ):  # of these bidsschematools asks less, as any level may hold them
        assert fault(path) is not None or is_official(str(path)), str(path)
    else:
        assert (fault(path) is None) == is_official(str(path)), str(path)


@pytest.mark.parametrize("suffix", DERIVED)
def test_each_rule_of_a_derivative_suffix(suffix: str) -> None:
    rules = [rule for rule in bids_schema.file_rules() if suffix in rule["suffixes"]]
    shapes = 0
    for rule in rules:
        for datatype in rule.get("datatypes", (None,)):
            for extension in rule["extensions"]:
                path = BidsPath(shape_of(rule, is_full=True), suffix, extension, datatype)
                assert fault(path) is None
                assert is_official(str(path)), str(path)
                shapes += 1
    assert shapes > 0


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sub-01/anat/sub-01_T1w.nii.gz", None),
        ("sub-01/ses-02/anat/sub-01_ses-02_acq-CISS_T2w.nii.gz", None),
        ("sub-1/anat/sub-1_acq-a_rec-b_seg-organs_dseg.nii.gz", None),
        ("sub-1/anat/sub-1_seg-organs_dseg.json", None),
        ("sub-1/anat/sub-1_T9w.nii.gz", "BIDS has no suffix 'T9w'"),
        ("sub-1/ct/sub-1_T1w.nii.gz", "BIDS has no 'T1w' in the datatype 'ct'"),
        ("sub-1/meg/sub-1_headshape.any", None),  # of this suffix the extension is free
        ("sub-1/anat/sub-1_T1w.mgz", "BIDS has no 'T1w' with the extension '.mgz'"),
        ("sub-1/anat/sub-1_trc-x_T1w.nii", "no rule of BIDS allows the entities .*'tracer'"),
        ("sub-1.5/anat/sub-1_T1w.nii", None),  # the folder is not parsed, the name is
        ("sub-a b/anat/sub-a b_T1w.nii", "'a b' is no legal value of the entity 'subject'"),
        ("sub-/anat/sub-_T1w.nii", "'' is no legal value of the entity 'subject'"),
        ("sub-1/anat/sub-1_run-x_T1w.nii", "'x' is no legal value of the entity 'run'"),
        ("sub-1/func/sub-1_bold.nii.gz", "no rule of BIDS allows the entities .* on 'bold'"),
        ("sub-1/anat/sub-1_part-foo_T2w.nii.gz", "'foo' is no legal value of the entity 'part'"),
    ],
)
def test_faults(path: str, reason: str | None) -> None:
    found = fault(parse(path))
    if reason is None:
        assert found is None
    else:
        assert found is not None
        assert re.match(reason, found)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("sub-01__T1w.nii", "''"),
        ("sub-01_T1w_dseg.nii", "'T1w'"),
        ("sub-01_foo-1_T1w.nii", "'foo-1'"),
        ("sub-01_sub-02_T1w.nii", "'sub-02'"),
        ("01_T1w.nii", "'01'"),
    ],
)
def test_what_is_no_entity_is_refused(path: str, part: str) -> None:
    with pytest.raises(DeclarationError, match=f"^{path}: {part} is not an entity of BIDS$"):
        parse(path)


def test_unknown_entities_cannot_be_written() -> None:
    with pytest.raises(DeclarationError, match=r"^not entities of BIDS: \['colour', 'size'\]$"):
        format_name({"subject": "1", "size": "2", "colour": "3"}, "T1w", ".nii")


@pytest.mark.parametrize(
    ("entities", "datatype", "folder"),
    [
        ({"subject": "1"}, "anat", "sub-1/anat/"),
        ({"session": "b", "subject": "1", "acquisition": "x"}, "ct", "sub-1/ses-b/ct/"),
        ({"subject": "1"}, None, "sub-1/"),
        ({}, None, ""),
    ],
)
def test_folders(entities: dict[str, str], datatype: str | None, folder: str) -> None:
    assert format_folder(entities, datatype) == folder


@given(st.text())
def test_any_text_becomes_a_legal_label_or_nothing(text: str) -> None:
    label = label_of(text)
    assert re.fullmatch("[0-9A-Za-z]*", label)
    assert label_of(label) == label
    assert [c for c in text if c in label and c.isascii() and c.isalnum()] == list(label)


@given(plain_labels)
def test_a_legal_label_stays(label: str) -> None:
    assert label_of(label) == label


def shape_of(rule: Any, *, is_full: bool) -> dict[str, str]:
    """All entities that a rule knows, each with the first of its legal values."""
    entities = {}
    for name, entry in rule["entities"].items():
        level = entry if isinstance(entry, str) else entry["level"]
        if is_full or level == "required":
            own = entry.get("enum") if isinstance(entry, dict) else None
            values = own or bids_schema.schema()["objects"]["entities"][name].get("enum") or ["1"]
            first = values[0]
            entities[name] = first if isinstance(first, str) else first["name"]
    return entities
