"""The command ``labels`` from outside, and what other programs make of a harmonised tree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Make, run, snapshot

import bidsify
from bidsify.records.harmonisation import HARMONISED

EXAMPLES = Path(__file__).parents[1] / "examples" / "harmonise"
ABDOMEN = EXAMPLES / "abdomen.tsv"
VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
T2 = "sub-MR01/anat/sub-MR01_acq-T2SPIR"


@pytest.fixture
def harmonised(own_tree: Make) -> Path:
    """Return a CHAOS tree with common codes."""
    root = own_tree("chaos")
    ran = run("labels", root, "--harmonise", ABDOMEN, "--name", "common")
    assert ran.code == 0, ran.err
    assert ran.out == "seg-common: 18 files written, 0 kept\n"
    assert ran.err == ""
    return root


# Showing


def test_the_tables_are_shown_aligned(tree: Make) -> None:
    ran = run("labels", tree("chaos"))
    head, columns, first, *_ = ran.out.splitlines()
    assert ran.code == 0
    assert head == "dseg.tsv: 6 segmentations"
    assert columns.split()[:4] == ["index", "name", "abbreviation", "color"]
    assert columns.index("abbreviation") == first.index("BG")


def test_values_are_counted_on_request(own_tree: Make) -> None:
    root = own_tree("chaos")
    lines = (root / "dseg.tsv").read_text().splitlines(keepends=True)
    spare = "7\tpancreas\tPAN\tn/a\tn/a\tn/a\n"
    (root / "dseg.tsv").write_text("".join([*lines[:-1], spare]))
    ran = run("labels", root, "--count", "-j", 2)
    cells = {line.split()[0]: line.split() for line in ran.out.splitlines()[1:] if line}
    assert cells["index"][-1] == "files"
    assert cells["1"][-1] == "6"
    assert cells["7"][-1] == "0"
    assert cells["4"][1:] == ["(no", "row", "in", "the", "table)", "4"]


def test_json_holds_the_same(tree: Make) -> None:
    ran = run("labels", tree("chaos"), "--count", "--json")
    (table,) = json.loads(ran.out)["tables"]
    assert table["paths"] == ["dseg.tsv"]
    assert len(table["segmentations"]) == 6
    assert table["rows"][1]["name"] == "liver"
    assert table["counts"] == {"0": 6, "1": 6, "2": 4, "3": 4, "4": 4}


def test_tables_with_the_same_rows_are_shown_once(harmonised: Path) -> None:
    heads = [line for line in run("labels", harmonised).out.splitlines() if line[:1].strip()]
    assert heads == [
        "dseg.tsv: 6 segmentations",
        "sub-CT01/ct/sub-CT01_acq-portal_seg-common_dseg.tsv and 5 more like it: 6 segmentations",
    ]


def test_a_tree_without_tables_says_so(tmp_path: Path) -> None:
    (tmp_path / "sub-1" / "anat").mkdir(parents=True)
    (tmp_path / "sub-1" / "anat" / "sub-1_dseg.nii.gz").write_bytes(b"")
    ran = run("labels", tmp_path)
    assert ran.code == 0
    assert "no label tables (*_dseg.tsv)" in ran.out
    assert "sub-1/anat/sub-1_dseg.nii.gz: no label table applies to it" in ran.out


def test_a_table_that_cannot_be_read_is_shown_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / "dseg.tsv").write_text("index\tlabel\n1\tliver\n")
    ran = run("labels", tmp_path)
    assert ran.code == 0
    assert "cannot be read: it has no column 'name'" in ran.out


def test_an_image_that_cannot_be_counted_exits_1(own_tree: Make) -> None:
    root = own_tree("chaos")
    (root / f"{T2}_dseg.nii.gz").write_bytes(b"")
    ran = run("labels", root, "--count")
    assert ran.code == 1
    assert ran.failures == [f"{T2}_dseg.nii.gz: the file is empty; download it again"]


# Harmonising


def test_the_example_of_the_help_works(own_tree: Make) -> None:
    root = own_tree("chaos")
    ran = run("labels", root, "--harmonise", ABDOMEN, "--json")
    document = json.loads(ran.out)
    assert document["name"] == "abdomen"
    assert f"{T2}_seg-abdomen_dseg.nii.gz" in document["written"]
    assert document["failures"] == []


def test_a_second_run_changes_no_byte(harmonised: Path) -> None:
    before = snapshot(harmonised)
    ran = run("labels", harmonised, "--harmonise", ABDOMEN, "--name", "common")
    assert (ran.code, ran.out) == (0, "seg-common: 0 files written, 18 kept\n")
    assert snapshot(harmonised) == before


def test_a_third_segmentation_is_made_of_the_first(harmonised: Path) -> None:
    ran = run("labels", harmonised, "--harmonise", ABDOMEN, "--name", "other")
    assert ran.code == 0, ran.err
    document = json.loads((harmonised / f"{T2}_seg-other_dseg.json").read_text())
    assert document["Sources"] == [f"bids::{T2}_dseg.nii.gz"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--harmonise", "{tmp}/none.tsv"], "no readable table"),
        (["--harmonise", "{tmp}/loses.tsv"], "no code for 'spleen' (4) of dseg.tsv"),
        (["--harmonise", "{tmp}/merges.tsv"], "give --union if this is meant"),
        (["--harmonise", "{tmp}/strange.tsv", "--union"], "from 'pancreas', which the tree does"),
        (["--harmonise", str(ABDOMEN), "--name", "a-b"], "is no name for a segmentation"),
        (["--name", "common"], "goes with --harmonise alone"),
        (["--union"], "goes with --harmonise alone"),
        (["--harmonise", str(ABDOMEN), "--count"], "goes without --harmonise"),
    ],
)
def test_a_refusal_exits_2_and_writes_nothing(
    own_tree: Make, tmp_path: Path, words: list[str], reason: str
) -> None:
    head = "index\tname\tfrom\n"
    (tmp_path / "loses.tsv").write_text(f"{head}1\tall\tliver\n2\tk\t2\n3\tl\t3\n")
    (tmp_path / "merges.tsv").write_text(f"{head}1\tall\t1,2,3,4\n")
    (tmp_path / "strange.tsv").write_text(f"{head}1\tall\t1,2,3,4\n2\tp\tpancreas\n")
    root = own_tree("chaos")
    before = snapshot(root)
    ran = run("labels", root, *(word.replace("{tmp}", str(tmp_path)) for word in words))
    assert ran.code == 2
    assert reason in ran.err
    assert snapshot(root) == before


def test_a_union_is_made_where_it_is_meant(own_tree: Make, tmp_path: Path) -> None:
    rows = "index\tname\tfrom\n0\tbackground\tliver\n1\tkidneys\t2,3\n2\tspleen\t4\n"
    (tmp_path / "kidneys.tsv").write_text(rows)
    root = own_tree("chaos")
    ran = run("labels", root, "--harmonise", tmp_path / "kidneys.tsv", "--union")
    assert ran.code == 0, ran.err
    made = (root / f"{T2}_seg-kidneys_dseg.tsv").read_text().splitlines()
    assert made[0] == "index\tname\tsource_index"
    assert made[1:] == ["0\tbackground\t0,1", "1\tkidneys\t2,3", "2\tspleen\t4"]


def test_a_file_that_fails_exits_1(own_tree: Make) -> None:
    root = own_tree("chaos")
    (root / f"{T2}_dseg.nii.gz").write_bytes(b"")
    ran = run("labels", root, "--harmonise", ABDOMEN)
    assert ran.code == 1
    assert ran.out == "seg-abdomen: 15 files written, 0 kept\n"
    assert ran.failures == [f"{T2}_dseg.nii.gz: the file is empty; download it again"]


# What others say


def official(root: Path) -> list[tuple[str, str, str]]:
    if not VALIDATOR.exists():
        pytest.skip("needs bids-validator-deno")
    done = subprocess.run(
        [VALIDATOR, root, "--format", "json"], capture_output=True, text=True, check=False
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    return sorted((i["severity"], i["code"], i.get("location", "")) for i in issues)


@pytest.mark.parametrize("name", ["chaos", "ssmspine", "myops380"])
def test_the_official_validator_finds_nothing_new(
    own_tree: Make, name: str, tmp_path: Path
) -> None:
    root = own_tree(name)
    before = official(root)
    (each,) = bidsify.label_tables(root)
    rows = [f"{n + 10}\t{row['name']}\tn/a\t{row['index']}\n" for n, row in
            enumerate(each.tables[0].rows) if row["index"] != "0"]  # fmt: skip
    (tmp_path / "my-codes.tsv").write_text("index\tname\tremark\tfrom\n" + "".join(rows))
    assert bidsify.harmonise(root, tmp_path / "my-codes.tsv").name == "mycodes"
    added = {issue for issue in official(root) if "seg-mycodes" in issue[2]}
    carried = {(s, c, p.replace("_seg-mycodes", "")) for s, c, p in added}
    assert [issue for issue in official(root) if issue not in added] == before
    assert carried <= {*before}  # what was said of the image is said of its companion


def test_verify_accepts_them_and_sees_an_edit(harmonised: Path, source: Make) -> None:
    assert bidsify.verify(source("chaos"), harmonised) == []
    (harmonised / f"{T2}_seg-common_dseg.tsv").write_text("edited")
    (harmonised / f"{T2}_seg-stray_dseg.tsv").write_text("nobody knows it")
    found = {(p.code, p.path) for p in bidsify.verify(source("chaos"), harmonised)}
    assert found == {
        ("CHANGED", f"{T2}_seg-common_dseg.tsv"),
        ("EXTRA", f"{T2}_seg-stray_dseg.tsv"),
    }
    (harmonised / HARMONISED).write_text("damaged")
    assert "CHANGED" in {p.code for p in bidsify.verify(source("chaos"), harmonised)}


def test_validate_finds_no_fault_in_the_files(harmonised: Path) -> None:
    report = bidsify.validate(harmonised, level="voxels")
    assert {i.code for i in report.issues()} == set()


def test_converting_again_leaves_them(harmonised: Path, source: Make) -> None:
    before = snapshot(harmonised)
    assert bidsify.convert(source("chaos"), harmonised).failures == []
    assert snapshot(harmonised) == before


def test_pybids_finds_them_by_their_entity(harmonised: Path) -> None:
    layout = bidsify.load(harmonised)
    found = layout.get(segmentation="common", suffix="dseg", extension=".nii.gz")
    assert {file.get_entities()["subject"] for file in found} == {"CT01", "CT02", "MR01", "MR39"}
    document = layout.get(segmentation="common", subject="MR01", acquisition="T2SPIR",
                          extension=".nii.gz")[0].get_metadata()  # fmt: skip
    assert document["Harmonisation"].startswith(f"Voxel values of bids::{T2}_dseg.nii.gz mapped")
    assert document["SpatialReference"] == "orig"
