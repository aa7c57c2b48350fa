"""Folders above the data are the user's: only the names of source files tell of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from builders import toy
from conftest import RECORD, Make, differing, run, snapshot
from hypothesis import given
from hypothesis import strategies as st

import bidsify
from bidsify.dataset import Image, Naming, Series
from bidsify.demo import vsseg
from bidsify.planning.plan import make_plan
from bidsify.records.conversion import read_record
from bidsify.records.source_names import named_below

PLACE = "Jane Doe/private"


@pytest.mark.parametrize(
    ("paths", "base"),
    [
        (["1/1_fat.nii"], ""),
        (["x/1/1_fat.nii", "x/2/2_fat.nii"], "x/"),
        (["x/y/1/1_fat.nii", "x/z/2/2_fat.nii"], "x/"),
        (["x/y/1/1_fat.nii", "xy/2/2_fat.nii"], ""),
        (["x/y/1/1_fat.nii", "x/2/2_fat.nii"], "x/"),
        (["x/train/1/1_fat.nii", "x/train/2/2_fat.nii"], "x/"),
        (["x/1/1_fat.nii", "participants.tsv"], ""),
        (["x/1/1_fat.nii", "x/participants.tsv"], "x/"),
        (["x/1/1_fat.nii", "x/1/1_fat.json"], "x/"),
        (["x/1/1_fat.nii", "1/1_fat.json"], ""),
        (["x/1/1_fat.nii", "1/1_water.json", "a.pdf", "b.txt"], "x/"),
        (["x/1/1_fat.nii", "y/1/1_fat.nii"], "x/"),
        (["x/1/1_fat.nii", "y/02/02_fat.nii", "y/2/2_fat.nii"], "x/"),
        (["a.pdf"], ""),
        ([], ""),
    ],
    ids=[
        "no folder",
        "one folder",
        "two in one",
        "names that begin alike",
        "one in the other",
        "what the pattern fits stays",
        "a table above",
        "a table beside",
        "a sidecar beside",
        "a sidecar above",
        "files that are not used",
        "a copy",
        "a failure",
        "ignored alone",
        "nothing",
    ],
)
def test_the_base_is_what_all_used_files_lie_in(paths: list[str], base: str) -> None:
    assert make_plan(toy(), paths).base == base


@given(
    st.lists(
        st.sampled_from(
            [
                "1/1_fat.nii",
                "train/2/2_fat.nii",
                "a/2/2_water.nii",
                "seg/1.nii",
                "b/participants.tsv",
            ]
        ),
        unique=True,
    ),
    st.lists(st.sampled_from(["x y", "ä", "train.d", "1", "_"]), min_size=1, max_size=3),
)
def test_more_folders_above_are_more_of_the_base(paths: list[str], folders: list[str]) -> None:
    above = "".join(f"{name}/" for name in folders)
    one, other = make_plan(toy(), paths), make_plan(toy(), [above + path for path in paths])
    if any(job.sources for job in one.jobs):
        assert other.base == above + one.base
    assert [job.target for job in other.jobs] == [job.target for job in one.jobs]


def test_a_file_that_a_header_named_lies_where_it_lies() -> None:
    series = Series(source="{case}/*/*.dcm", modality="MR", description="", name="{case}/{case}_*")
    dataset = toy(series=(series,))
    names = {"x/1/uid/1.dcm": "1/1_fat.nii", "x/2/uid/1.dcm": "2/2_fat.nii"}
    assert make_plan(dataset, [*names], names).base == "x/"


def test_the_folder_of_a_series_can_be_the_base() -> None:
    loose = Image(name="a", source=("*.dcm",), suffix="T1w", reader="dicom")
    dataset = toy(products=(loose,), naming=Naming(subject="1", source_id="1"))
    assert make_plan(dataset, ["x/y/1.dcm", "x/y/2.dcm"]).base == "x/y/"


# Trees


@pytest.mark.parametrize("style", ["descriptive", "classic"])
def test_a_download_of_series_named_by_identifiers(style: str, tmp_path: Path) -> None:
    vsseg.tcia(tmp_path / "a/download", style=style)
    shutil.rmtree(tmp_path / "a/download/contours")
    shutil.rmtree(tmp_path / "a/download/registration_matrices")
    shutil.copytree(tmp_path / "a", tmp_path / "b" / PLACE)
    trees = []
    for name in ("a", "b"):
        done = bidsify.convert(tmp_path / name, tmp_path / f"out-{name}", dataset="vsseg")
        assert done.failures == []
        files = snapshot(tmp_path / f"out-{name}")
        base = json.loads(files.pop(RECORD))["base"]
        trees.append({path: named_below(content, path, base) for path, content in files.items()})
    assert base.startswith(f"{PLACE}/download/manifest-")
    assert differing(*trees) == []
    assert b"\tVS-SEG-001/" in trees[0]["sub-001/sub-001_scans.tsv"]


def test_the_record_and_the_plan_say_it(source: Make, tree: Make, tmp_path: Path) -> None:
    shutil.copytree(source("brats2020"), tmp_path / "in" / PLACE)
    bidsify.convert(tmp_path / "in", tmp_path / "out")
    record = read_record(tmp_path / "out")
    assert record is not None
    assert record.base == f"{PLACE}/"
    assert [*bidsify.json_schema.faults("conversion", record.document)] == []
    document = json.loads(run("plan", tmp_path / "in", "--json").out)
    assert document["base"] == record.base
    assert [*bidsify.json_schema.faults("plan", document)] == []
    plain = read_record(tree("brats2020"))
    assert plain is not None
    assert (plain.base, "base" in plain.document) == ("", False)


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("sub-1_scans.tsv", "f\ta b/c/1.nii\tx\n", "f\t1.nii\tx\n"),
        ("sub-1_scans.tsv", "f\ta b/c\tn/a\n", "f\t.\tn/a\n"),
        ("sub-1_scans.tsv", "f\tx/a b/c/1.nii\n", "f\tx/a b/c/1.nii\n"),
        ("participants.json", '"As Age in a b/c/t.csv of the', '"As Age in t.csv of the'),
        ("README.md", "a b/c/1.nii", "a b/c/1.nii"),
    ],
)
def test_files_without_it(path: str, content: str, expected: str) -> None:
    assert named_below(content.encode(), path, "a b/c/").decode() == expected
    assert named_below(content.encode(), path, "") == content.encode()
