"""The library: what ``import bidsify`` offers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import NAMES, Make, assert_same

import bidsify
from bidsify.errors import BidsifyError, DeclarationError, SchemaError, SourceError, UsageError


def test_the_names_of_the_library_are_there() -> None:
    assert sorted(bidsify.__all__) == bidsify.__all__
    for name in bidsify.__all__:
        assert getattr(bidsify, name).__doc__
    with pytest.raises(AttributeError, match="module 'bidsify' has no attribute 'covnert'"):
        bidsify.covnert  # noqa: B018


def test_all_errors_are_one() -> None:
    for error in (DeclarationError, SchemaError, SourceError, UsageError):
        assert issubclass(error, BidsifyError)


@pytest.mark.parametrize("name", NAMES)
def test_detect(name: str, source: Make) -> None:
    assert bidsify.detect(source(name)).name == name
    assert bidsify.detect(str(source(name))).name == name


def test_plan_writes_nothing(source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = bidsify.plan(source("myops380"))
    assert [unit.subject for unit in plan.units] == ["0001", "0002", "0006"]
    assert list(tmp_path.iterdir()) == []


def test_paths_may_be_text_and_relative(
    source: Make, tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(source("myops380"), tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    done = bidsify.convert("in", "out")
    assert done.is_complete
    assert_same(tmp_path / "out", tree("myops380"))
    assert bidsify.verify("in", "out") == []
    assert bidsify.load("out").get_subjects() == ["0001", "0002", "0006"]


def test_a_path_with_blanks_and_accents(source: Make, tree: Make, tmp_path: Path) -> None:
    shutil.copytree(source("myops380"), tmp_path / "my données")
    done = bidsify.convert(tmp_path / "my données", tmp_path / "BIDS résultat")
    assert done.is_complete
    assert_same(tmp_path / "BIDS résultat", tree("myops380"))


def test_problems_can_be_sorted_and_shown(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    (tree / "dseg.tsv").unlink()
    (tree / "README.md").write_text("mine")
    problems = sorted(bidsify.verify(source("myops380"), tree))
    assert [(problem.code, problem.path) for problem in problems] == [
        ("CHANGED", "README.md"),
        ("LOST", "dseg.tsv"),
    ]


def test_verify_knows_the_dataset_from_the_record(own_source: Make, tree: Make) -> None:
    """Also where the source alone would not tell."""
    source = own_source("myops380")
    shutil.copytree(source, source.parent / "other")
    (source / "Training/01").mkdir(parents=True)
    for number in range(1, 10):
        for contrast in ("fat", "wat", "inn", "opp"):
            (source / f"Training/0{number}").mkdir(exist_ok=True)
            (source / f"Training/0{number}/0{number}_{contrast}.nii").touch()
    with pytest.raises(UsageError, match=r"several datasets, ivdm3seg \(36 files\) and myops"):
        bidsify.detect(source)
    problems = bidsify.verify(source, tree("myops380"))
    assert {problem.path for problem in problems} == {"code/bidsify/conversion.json"}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (bidsify.detect, "no such folder or archive"),
        (lambda nowhere: bidsify.convert(nowhere, nowhere / "x"), "no such folder or archive"),
        (bidsify.load, "no dataset_description.json; is this a converted"),
    ],
)
def test_what_is_not_there(call: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        call(tmp_path / "nowhere")  # type: ignore[operator]


def test_validate_takes_a_profile_and_derivatives(own_tree: Make) -> None:
    tree = own_tree("myops380")
    inner = tree / "derivatives" / "more"
    inner.mkdir(parents=True)
    (inner / "dataset_description.json").write_text("{}")
    plain = {issue.path for issue in bidsify.validate(tree).issues()}
    deep = {issue.path for issue in bidsify.validate(tree, recursive=True).issues()}
    assert {path for path in deep - plain if path.startswith("derivatives/more/")} == deep - plain
    assert deep - plain
    other = bidsify.validate(tree, profile="chaos").issues()
    assert any("made as 'myops380', but is held against 'chaos'" in i.message for i in other)


def test_a_tree_in_pybids_has_its_metadata(tree: Make) -> None:
    layout = bidsify.load(tree("chaos"))
    (file,) = layout.get(subject="MR01", suffix="T2w", extension=".nii.gz")
    metadata = file.get_metadata()
    assert metadata["EchoTime"] == 0.07
    assert metadata["SkullStripped"] is False
    (labels,) = layout.get(subject="CT01", suffix="dseg", extension=".nii.gz")
    assert labels.get_metadata()["Sources"] == ["bids::sub-CT01/ct/sub-CT01_acq-portal_ct.nii.gz"]
    assert layout.label_tables["dseg.tsv"].names[4] == "spleen"
    assert layout.get(suffix="probseg") == []


def test_points_can_be_read_with_their_columns(tree: Make) -> None:
    import csv

    path = tree("lumbosacral") / "sub-01/anat/sub-01_acq-CISS_label-ganglions_points.tsv"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert len(rows) == 14
    assert {row["segment"] for row in rows} == {"L1", "L2", "L3", "L4", "L5", "S1", "S2"}
    assert {row["side"] for row in rows} == {"L", "R"}
    for row in rows:
        assert row["source_file"].startswith("markers/sub-01/sub-01_ganglions_")
        assert row["point"] == "0"
        assert abs(float(row["x_mm"]) - float(rows[0]["x_mm"])) < 100
