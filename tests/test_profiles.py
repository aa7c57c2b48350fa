"""A tree that we made, held against its declaration, its record and our schemas."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from builders import toy
from conftest import NAMES, RECORD, Make, copy_cases

import bidsify
from bidsify import bids_schema, datasets, json_schema
from bidsify.dataset import Dataset as Declaration
from bidsify.errors import UsageError
from bidsify.validation import codes
from bidsify.validation.dataset import open_dataset
from bidsify.validation.issue import Finding
from bidsify.validation.options import Options
from bidsify.validation.profiles import check_profile
from bidsify.validation.profiles.contrasts import label_expression
from bidsify.validation.profiles.quick import surely_fits
from bidsify.validation.rules.rulebook import Rulebook

EXAMPLES = Path(__file__).parent / "examples"
RULEBOOK = Rulebook(bids_schema.schema())
FAT = "sub-01/anat/sub-01_acq-dixon_rec-fat_T1w.nii.gz"
LABELS = "sub-01/anat/sub-01_acq-dixon_dseg.nii.gz"
CORD = "sub-01/anat/sub-01_acq-CISS_label-cord_points.tsv"
MESH = "sub-01/anat/sub-01_acq-CISS_label-cord_mesh.stl"

Found = tuple[str, Finding]
Change = Callable[[Path], object]


def check(root: Path, profile: str | None = None, level: Any = "headers") -> list[Found]:
    return list(check_profile(open_dataset(str(root), RULEBOOK, Options(level)), profile))


def told(found: list[Found]) -> list[tuple[str, str, str, str]]:
    return [(f.code, f.severity, path, f.where) for path, f in found]


def write(path: Path, document: object) -> None:
    path.write_bytes(orjson.dumps(document))


def edit(name: str, change: Callable[[Any], object]) -> Change:
    """Change a JSON file in place."""

    def apply(root: Path) -> None:
        document = json.loads((root / name).read_bytes())
        change(document)
        write(root / name, document)

    return apply


def swap(name: str, old: str, new: str) -> Change:
    """Replace a text that a file surely has."""

    def apply(root: Path) -> None:
        text = (root / name).read_text("utf-8")
        assert old in text
        (root / name).write_text(text.replace(old, new, 1), "utf-8")

    return apply


def gone(name: str) -> Change:
    return lambda root: (root / name).unlink()


def gone_folder(name: str) -> Change:
    return lambda root: shutil.rmtree(root / name)


def added(name: str, content: str = "{}") -> Change:
    def apply(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, "utf-8")

    return apply


def setting(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.__setitem__(key, value)


def shorter(name: str) -> Change:
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:-1])


def drop_column(name: str, column: str) -> Change:
    """Cut a column out of a table."""

    def apply(root: Path) -> None:
        rows = [line.split("\t") for line in (root / name).read_text("utf-8").splitlines()]
        place = rows[0].index(column)
        lines = ["\t".join(row[:place] + row[place + 1 :]) + "\n" for row in rows]
        (root / name).write_text("".join(lines), "utf-8")

    return apply


# Clean trees


@pytest.mark.parametrize("name", NAMES)
def test_what_convert_writes_is_found_clean(name: str, tree: Make) -> None:
    assert check(tree(name)) == []
    assert check(tree(name), profile=name) == []


def test_a_tree_that_is_not_ours_is_left_alone(own_tree: Make) -> None:
    root = own_tree("chaos")
    shutil.rmtree(root / "code")
    edit("dataset_description.json", setting("GeneratedBy", [{"Name": "other"}]))(root)
    swap("dseg.tsv", "liver", "lever")(root)
    assert check(root) == []
    assert check(root, level="names") == []


def test_names_alone_do_not_open_the_record(own_tree: Make) -> None:
    root = own_tree("chaos")
    (root / RECORD).write_text("{", "utf-8")
    assert check(root, level="names") == []


# One defect each


@pytest.mark.parametrize(
    ("name", "change", "expected", "says"),
    [
        ("ivdm3seg", gone(FAT), [("PROFILE_COUNT", "error", FAT, "")], "fat of sub-01"),
        ("ivdm3seg", gone(LABELS), [("PROFILE_COUNT", "error", LABELS, "")], "dseg of sub-01"),
        ("lumbosacral", gone(CORD), [("PROFILE_COUNT", "error", CORD, "")], "no longer there"),
        ("lumbosacral", gone(MESH), [("PROFILE_COUNT", "error", MESH, "")], "no longer there"),
        ("ivdm3seg", gone_folder("sub-02"), [("PROFILE_COUNT", "error", "sub-02/", "")],
         "was converted"),
        ("ssmspine", gone_folder("sub-p001/ses-aug001/anat"),
         [("PROFILE_COUNT", "error", f"sub-p001/ses-aug001/anat/sub-p001_ses-aug001_{tail}", "")
          for tail in ("desc-orig_T2w.nii.gz", "desc-corrected_T2w.nii.gz",
                       "desc-equalized_T2w.nii.gz", "dseg.nii.gz", "probseg.nii.gz",
                       "points.tsv")],
         "orig of sub-p001/ses-aug001"),
        ("ivdm3seg", added("sub-77/anat/sub-77_T1w.json"),
         [("PROFILE_COUNT", "error", "sub-77/", "")], "does not know sub-77"),
        ("ivdm3seg", added("sub-01/anat/sub-01_desc-mine_dseg.json"),
         [("PROFILE_RECORD", "error", "sub-01/anat/sub-01_desc-mine_dseg.json", "")], "lacks"),
        ("ivdm3seg", shorter(FAT), [("PROFILE_RECORD", "error", FAT, "")], "were written"),
        ("ivdm3seg", gone(FAT.replace(".nii.gz", ".json")),
         [("PROFILE_RECORD", "error", FAT.replace(".nii.gz", ".json"), "")], "no longer there"),
        ("ivdm3seg", gone("participants.tsv"),
         [("PROFILE_RECORD", "error", "participants.tsv", "")], "no longer there"),
        ("lumbosacral", gone("points.json"), [("PROFILE_RECORD", "error", "points.json", "")],
         "no longer there"),
        ("ivdm3seg", gone(RECORD),
         [("PROFILE_RECORD", "warning", "dataset_description.json", "GeneratedBy")],
         "bidsify made this dataset"),
        ("ivdm3seg", added(RECORD, "{"), [("PROFILE_RECORD", "error", RECORD, "")], "line 1"),
        ("ivdm3seg", edit(RECORD, lambda d: d.pop("edition")),
         [("PROFILE_RECORD", "error", RECORD, "$")], "'edition' is a required property"),
        ("ivdm3seg", edit(RECORD, lambda d: d["files"][2].update(sha256="ab")),
         [("PROFILE_RECORD", "error", RECORD, "$.files[2].sha256")], "'ab' is not valid"),
        ("ivdm3seg", edit(RECORD, lambda d: d["buckets"].update(converted=7)),
         [("PROFILE_RECORD", "error", RECORD, "$.buckets.converted")], "lists 15"),
        ("ivdm3seg", edit(RECORD, setting("edition", "1999")),
         [("PROFILE_RECORD", "error", RECORD, "$.edition")], "held against '2018'"),
        ("ivdm3seg", edit(RECORD, setting("remarks", [])), [("PROFILE_COUNT", "error", "", "")],
         "3 subjects, but 16 in the publication"),
        ("chaos", edit("dataset_description.json", lambda d: d.pop("DatasetType")),
         [("PROFILE_RECORD", "error", "dataset_description.json", "$")], "'DatasetType'"),
        ("chaos", edit("dataset_description.json", setting("License", "CC0")),
         [("PROFILE_RECORD", "error", "dataset_description.json", "$.License")],
         "the licence of CHAOS is 'CC-BY-NC-SA-4.0'"),
        ("chaos", added("code/bidsify/terms.json", '{"licence": "x", "summary": "y"}'),
         [("PROFILE_RECORD", "error", "code/bidsify/terms.json", "$")] * 2, "'evidence'"),
        ("chaos", swap("dseg.tsv", "liver", "lever"),
         [("PROFILE_VALUE", "error", "dseg.tsv", "$[1].name")],
         "line 3: 'lever', but the declaration says 'liver'"),
        ("chaos", swap("dseg.tsv", "4\tspleen", "9\tspleen"),
         [("PROFILE_VALUE", "error", "dseg.tsv", "$[4].index"),
          ("PROFILE_VALUE", "error", "dseg.tsv", "$")], "line 6: 9 (spleen) is not declared"),
        ("chaos", swap("dseg.tsv", "#b35f44", "#b35f45"),
         [("PROFILE_TABLE", "error", "dseg.tsv", "$[1].color")], "line 3: '#b35f45'"),
        ("chaos", swap("dseg.tsv", "#b35f44", "red"),
         [("PROFILE_TABLE", "error", "dseg.tsv", "$[1].color")] * 2,
         "line 3: 'red' does not match"),
        ("chaos", drop_column("dseg.tsv", "source_value"),
         [("PROFILE_TABLE", "error", "dseg.tsv", "$")], "'source_value' is missing"),
        ("ssmspine", edit("probseg.json", lambda d: d["LabelMap"].reverse()),
         [("PROFILE_VALUE", "error", "probseg.json", "$.LabelMap")], "the declaration says"),
        ("lumbosacral", edit("mesh.json", setting("Units", "inch")),
         [("PROFILE_TABLE", "error", "mesh.json", "$.Units")], "'inch' is not one of"),
        ("lumbosacral", gone("mesh.json"),
         [("PROFILE_TABLE", "error", MESH.replace("cord", part).replace("01", case), "")
          for case in ("01", "14") for part in ("cord", "dura", "nerveroots")]
         + [("PROFILE_RECORD", "error", "mesh.json", "")], "no sidecar states its axes"),
        ("lumbosacral", drop_column(CORD, "z_mm"),
         [("PROFILE_RECORD", "error", CORD, ""), *[("PROFILE_TABLE", "error", CORD, "$[0]")] * 3],
         "columns: 'z_mm' is a dependency of 'x_mm'"),
        ("lumbosacral", swap(CORD, "cord\tn/a\tn/a\t1\t1\t", "cord\tn/a\tn/a\t1\t-\t"),
         [("PROFILE_TABLE", "error", CORD, "$[1].point")], "line 3: '-' does not match"),
    ],
)  # fmt: skip
def test_each_defect_is_found(
    name: str,
    change: Change,
    expected: list[tuple[str, str, str, str]],
    says: str,
    own_tree: Make,
) -> None:
    root = own_tree(name)
    change(root)
    found = check(root)
    assert sorted(told(found)) == sorted(expected)
    assert any(says in each.message for _, each in found), [each.message for _, each in found]
    for code in {each.code for _, each in found}:
        assert codes.OWN[code].remedy


# What explains that something is not there


def converted(source: Path, out: Path, failures: int = 0) -> Path:
    done = bidsify.convert(source, out, dataset="ivdm3seg")
    assert len(done.failures) == failures
    return out


def test_what_the_source_has_not_is_mentioned_only(own_source: Make, tmp_path: Path) -> None:
    source = own_source("ivdm3seg")
    for path in source.rglob("01_fat.nii"):
        path.unlink()
    found = check(converted(source, tmp_path / "out"))
    assert told(found) == [("PROFILE_COUNT", "info", "sub-01/", "")]
    assert found[0][1].message == "sub-01 has no fat: the source had none, says the record"


def test_what_failed_is_mentioned_only(own_source: Make, tmp_path: Path) -> None:
    source = own_source("ivdm3seg")
    for path in source.rglob("01_fat.nii"):
        path.write_bytes(b"no image")
    found = check(converted(source, tmp_path / "out", failures=1))
    assert told(found) == [("PROFILE_COUNT", "info", "sub-01/", "")]
    assert "its conversion failed" in found[0][1].message


def test_a_part_of_the_subjects_is_no_fault(source: Make, tmp_path: Path) -> None:
    bidsify.convert(source("ivdm3seg"), tmp_path / "out", participants=("01",))
    assert check(tmp_path / "out") == []


def test_masks_that_equal_others_are_not_missed(tree: Make) -> None:
    """Those of bones and discs are written only where they differ from the whole."""
    assert not list(tree("ssmspine").rglob("*_seg-bone_probseg.nii.gz"))
    assert check(tree("ssmspine")) == []


def test_a_record_of_many_subjects_is_compared_with_the_publication(
    source: Make, tmp_path: Path
) -> None:
    cases = [f"{number:04}" for number in (1, 2, 3)]
    copy_cases(source("myops380"), tmp_path / "source", "0001", cases)
    bidsify.convert(tmp_path / "source", tmp_path / "out", dataset="myops380")
    edit(RECORD, setting("remarks", []))(tmp_path / "out")
    ((path, found),) = check(tmp_path / "out")
    assert (path, found.message) == ("", "3 subjects, but 380 in the publication")


# Trees without a record, and other declarations


def test_a_profile_that_is_named_needs_no_record(own_tree: Make) -> None:
    root = own_tree("chaos")
    shutil.rmtree(root / "code")
    for path in ("sub-MR01/anat/sub-MR01_acq-T2SPIR_T2w", "sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg"):
        (root / f"{path}.nii.gz").unlink()
    found = check(root, "chaos", level="names")
    assert told(found) == [
        ("PROFILE_COUNT", "error", "sub-MR01/", ""),
        ("PROFILE_COUNT", "error", "", ""),
    ]
    assert found[0][1].message == "sub-MR01 has no T2SPIR"
    assert found[1][1].message == "5 subjects, but 40 + 40 in the publication"


def test_a_profile_of_another_dataset_contradicts_the_record(tree: Make) -> None:
    found = told(check(tree("ivdm3seg"), "chaos"))
    assert ("PROFILE_RECORD", "error", RECORD, "$.dataset") in found
    assert ("PROFILE_VALUE", "error", "dseg.tsv", "$[1].name") in found


def test_an_unknown_profile_is_refused(tree: Make) -> None:
    with pytest.raises(UsageError, match="no dataset 'nothing'"):
        check(tree("ivdm3seg"), "nothing")


def test_a_declaration_that_is_not_installed_leaves_the_schemas(
    own_tree: Make,
) -> None:
    root = own_tree("ivdm3seg")
    edit(RECORD, setting("dataset", "mine"))(root)
    assert check(root) == []
    swap("dseg.tsv", "#4363d8", "blue")(root)
    assert told(check(root)) == [("PROFILE_TABLE", "error", "dseg.tsv", "$[1].color")]


def test_a_file_with_a_declaration_is_a_profile(
    own_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared: Mapping[str, Declaration] = {"./toy.py": toy()}
    monkeypatch.setattr(datasets, "load", declared.__getitem__)
    root = own_tree("ivdm3seg")
    shutil.rmtree(root / "code")
    for folder in root.glob("sub-*"):
        shutil.rmtree(folder)
    for name in ("sub-01_acq-fat_T1w.nii.gz", "sub-01_acq-water_T1w.nii.gz"):
        added(f"sub-01/anat/{name}")(root)
    added("sub-02/anat/sub-02_acq-fat_T1w.nii.gz")(root)
    found = check(root, "./toy.py", level="names")
    assert [(path, each.message) for path, each in found] == [("sub-02/", "sub-02 has no water")]


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("{case}", "[0-9A-Za-z]*"),
        ("p{texture:03}", "p[0-9A-Za-z]*"),
        ("CT-{case:02}", "CT[0-9A-Za-z]*"),
        ("[{site}_]{case}", "(?:[0-9A-Za-z]*)?[0-9A-Za-z]*"),
        ("dixon", "dixon"),
    ],
)
def test_a_template_of_labels_becomes_a_pattern(template: str, pattern: str) -> None:
    assert label_expression(template) == pattern


# The fast way to say yes


def example(path: Path) -> object:
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    head, *rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    "schema",
    ["conversion", "dataset_description", "label_table", "meshes", "points", "regions", "terms"],
)
def test_the_fast_check_agrees_with_the_engine(schema: str) -> None:
    good = sorted((EXAMPLES / "valid" / schema).iterdir())
    bad = sorted((EXAMPLES / "invalid" / schema).iterdir())
    for path in (*good, *bad):
        fits = not list(json_schema.faults(schema, example(path)))
        assert surely_fits(schema, example(path)) == fits == (path in good), path.name


@pytest.mark.parametrize("document", [None, 1, "x", [], {}, [1], [{}], {"edition": True}])
@pytest.mark.parametrize("schema", ["conversion", "label_table", "points", "report", "naming"])
def test_the_fast_check_never_says_yes_wrongly(schema: str, document: object) -> None:
    assert not surely_fits(schema, document) or not list(json_schema.faults(schema, document))
