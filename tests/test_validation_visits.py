"""With a cache of whole visits, a report is the same as without, whatever has changed since."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Make
from hypothesis import given, settings
from hypothesis import strategies as st

import bidsify
from bidsify.validation import stamps, visits
from bidsify.validation.issue import Report
from bidsify.validation.options import Level

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no visit is kept there")
SUBJECTS = ("sub-01", "sub-02", "sub-03")
DESCRIPTION = {"Name": "made up", "BIDSVersion": "1.10.0", "DatasetType": "raw"}


def report(tree: Path, cache: Path | None = None, workers: int = 1, **more: Any) -> Report:
    return replace(bidsify.validate(tree, cache=cache, workers=workers, **more), seconds=0)


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files that were written just now for old ones."""
    monkeypatch.setattr(stamps, "MARGIN", -3600 * 10**9)


@contextmanager
def visited() -> Iterator[list[str]]:
    """Note which folders are visited, not recalled."""
    found: list[str] = []
    enter = visits.enter

    def spy(dataset: Any, root: Any, name: str, tally: Any) -> None:
        found.append(name)
        enter(dataset, root, name, tally)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visits, "enter", spy)
        yield found


def write(tree: Path, path: str, content: str) -> None:
    place = tree / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_text(content)


def raw(tree: Path) -> Path:
    """Write a small dataset with references of many kinds."""
    write(tree, "dataset_description.json", json.dumps(DESCRIPTION))
    write(tree, "README", "made up, for tests of what validation keeps between two runs\n")
    write(tree, "participants.tsv", "participant_id\n" + "\n".join(SUBJECTS) + "\n")
    write(tree, "task-rest_bold.json", '{"TaskName": "rest", "RepetitionTime": 2.0}')
    for name in SUBJECTS:
        write(tree, f"{name}/anat/{name}_T1w.nii.gz", "no image")
        write(tree, f"{name}/anat/{name}_T1w.json", '{"EchoTime": 0.01}')
        write(tree, f"{name}/func/{name}_task-rest_bold.nii.gz", "none either")
        write(tree, f"{name}/func/{name}_task-rest_events.tsv", "onset\tduration\n1\t2\n")
        write(tree, f"{name}/{name}_scans.tsv", f"filename\nanat/{name}_T1w.nii.gz\n")
    return tree


def link(tree: Path, path: str, target: str) -> None:
    (tree / path).unlink(missing_ok=True)
    (tree / path).symlink_to(target)


def swap(tree: Path, one: str, other: str) -> None:
    (tree / one).rename(tree / "aside")
    (tree / other).rename(tree / one)
    (tree / "aside").rename(tree / other)


def older(tree: Path, path: str) -> None:
    """Put another file of the same size and an older date in the place of one."""
    before = (tree / path).stat()
    other = tree.parent / "other"
    other.write_bytes((tree / path).read_bytes().replace(b"duration", b"dura_ion"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns - 10**12))
    other.replace(tree / path)


Edit = Callable[[Path], Any]
EDITS: dict[str, Edit] = {
    "a sidecar at the root comes": lambda t: write(t, "T1w.json", '{"EchoTime": "long"}'),
    "one is edited": lambda t: write(t, "task-rest_bold.json", '{"TaskName": 3}'),
    "one goes": lambda t: (t / "task-rest_bold.json").unlink(),
    "two apply": lambda t: write(t, "acq-a_bold.json", "{}"),
    "a sidecar of a subject": lambda t: write(t, "sub-02/anat/sub-02_T1w.json", "[]"),
    "events": lambda t: write(t, "sub-02/func/sub-02_task-rest_events.tsv", "onset\n1\n"),
    "an older file": lambda t: older(t, "sub-02/func/sub-02_task-rest_events.tsv"),
    "an image goes": lambda t: (t / "sub-02/anat/sub-02_T1w.nii.gz").unlink(),
    "an image is emptied": lambda t: write(t, "sub-02/anat/sub-02_T1w.nii.gz", ""),
    "a wrong name": lambda t: write(t, "sub-02/anat/sub-03_T2w.nii.gz", "none"),
    "a folder": lambda t: (t / "sub-02/anat/sub-02_T2w.nii").mkdir(),
    "a link to nowhere": lambda t: link(t, "sub-02/anat/sub-02_T2w.nii.gz", "nowhere"),
    "a link to another": lambda t: link(t, "sub-02/sub-02_scans.tsv", "../sub-03/sub-03_scans.tsv"),
    "two change places": lambda t: swap(t, "sub-02/sub-02_scans.tsv", "sub-03/sub-03_scans.tsv"),
    "two subjects change places": lambda t: swap(t, "sub-02", "sub-03"),
    "a subject goes": lambda t: shutil.rmtree(t / "sub-03"),
    "a subject without a row": lambda t: write(t, "sub-04/anat/sub-04_T1w.nii.gz", "none"),
    "a row": lambda t: write(t, "participants.tsv", "participant_id\nsub-01\nsub-77\n"),
    "a table of another kind": lambda t: write(t, "participants.tsv", "subject\n1\n"),
    "a kind of dataset": lambda t: write(
        t, "dataset_description.json", json.dumps({**DESCRIPTION, "DatasetType": "derivative"})
    ),
    "what is ignored": lambda t: write(t, ".bidsignore", "sub-02/\n**/*_scans.tsv\n"),
}


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_change_is_seen(edit: Edit, tmp_path: Path) -> None:
    """And undone, it is gone."""
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    before = report(tree, cache)
    assert before == report(tree)
    with visited() as names:
        assert report(tree, cache) == before
        assert names == []
    edit(tree)
    after = report(tree, cache)
    assert after == report(tree)
    assert after != before
    shutil.rmtree(tree)
    assert report(raw(tree), cache) == before


@pytest.mark.usefixtures("old")
@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions are not for root")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    report(tree, cache)
    (tree / "sub-02/anat/sub-02_T1w.json").chmod(0)
    assert report(tree, cache) == report(tree)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    ("path", "content", "target"),
    [
        ("sub-01/anat/sub-01_T1w.json", '{"Sources": ["bids::{}"]}', "sub-02/x.txt"),
        ("sub-01/anat/sub-01_T1w.json", '{"Sources": ["sub-01/../{}"]}', "sub-02/x.txt"),
        ("sub-01/anat/sub-01_T1w.json", '{"Sources": ["sub-01/%2e%2e/{}"]}', "sub-02/x.txt"),
        ("sub-01/anat/sub-01_T1w.json", '{"SpatialReference": "bids::{}"}', "code/x.txt"),
        ("sub-01/sub-01_scans.tsv", "filename\n../{}\n", "sub-02/x.txt"),
    ],
)
def test_what_another_folder_decides_is_found_anew(
    path: str, content: str, target: str, tmp_path: Path
) -> None:
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    write(tree, path, content.replace("{}", target))
    without = report(tree, cache)
    write(tree, target, "now it is there")
    with visited() as names:
        assert report(tree, cache).findings == report(tree).findings
    assert "sub-01" in names
    (tree / target).unlink()
    assert report(tree, cache).findings == without.findings


def image(columns: int) -> bytes:
    """Return the header of an image."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, columns, 4, 4, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    header[344:348] = b"n+1\0"
    return bytes(header)


@pytest.mark.usefixtures("old")
def test_the_grid_of_an_image_elsewhere_is_read_anew(tmp_path: Path) -> None:
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    EDITS["a kind of dataset"](tree)
    write(tree, "dseg.json", '{"Sources": ["bids::elsewhere/sub-01_T1w.nii"]}')
    write(tree, "elsewhere/sub-01_T1w.nii", "")
    (tree / "sub-01/anat/sub-01_dseg.nii").write_bytes(image(4))
    reports = []
    for columns in (4, 5, 4):
        (tree / "elsewhere/sub-01_T1w.nii").write_bytes(image(columns))
        reports.append(report(tree, cache))
        assert reports[-1] == report(tree)
    assert reports[0] == reports[2] != reports[1]


@pytest.mark.usefixtures("old")
def test_options_and_levels_have_their_own(own_tree: Make, tmp_path: Path) -> None:
    tree, cache = own_tree("myops380"), tmp_path / "cache"
    levels: tuple[Level, ...] = ("headers", "voxels")
    for more in (*({"level": level} for level in levels), {"ignore_nifti_headers": True}):
        assert report(tree, cache, **more) == report(tree, **more)
    with visited() as names:
        report(tree, cache, ignore_nifti_headers=True)
        report(tree, cache, level="voxels")
        assert report(tree, cache, level="voxels", workers=2) == report(tree, level="voxels")
    assert names == []


@pytest.mark.usefixtures("old")
def test_only_new_subjects_are_visited(tmp_path: Path) -> None:
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    report(tree, cache)
    write(tree, "sub-04/anat/sub-04_T1w.nii.gz", "no image")
    write(tree, "participants.tsv", "participant_id\n" + "\n".join((*SUBJECTS, "sub-04")) + "\n")
    write(tree, "README", "another text, which no check of a subject reads, as long as it likes\n")
    with visited() as names:
        after = report(tree, cache)
    assert names == ["sub-04"]
    assert after == report(tree)


def test_a_subject_that_was_changed_just_now_is_not_kept(tmp_path: Path) -> None:
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    for _ in range(2):
        with visited() as names:
            report(tree, cache)
        assert names == [*SUBJECTS]


@pytest.mark.usefixtures("old")
def test_nothing_is_kept_where_the_root_changes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, cache = raw(tmp_path / "tree"), tmp_path / "cache"
    enter = visits.enter

    def edit(*args: Any) -> None:
        write(tree, "T1w.json", '{"EchoTime": "long"}')
        enter(*args)

    with monkeypatch.context() as patch:
        patch.setattr(visits, "enter", edit)
        report(tree, cache)
    with visited() as names:
        assert report(tree, cache) == report(tree)
    assert names == [*SUBJECTS]


PATHS = st.sampled_from(
    [
        "T1w.json", "bold.json", "task-rest_bold.json", "task-rest_events.json", ".bidsignore",
        "participants.tsv", "participants.json", "dataset_description.json", "dseg.tsv",
        "sub-01/sub-01_scans.tsv", "sub-01/anat/sub-01_T1w.json", "sub-01/sub-01_T1w.json",
        "sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_desc-a_dseg.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz", "sub-02/func/sub-02_task-rest_events.tsv",
        "sub-02/func/sub-02_task-rest_events.json", "sub-02/anat/sub-02_T1w.json",
        "sub-03/sub-03_dseg.tsv", "sub-03/anat/sub-03_dseg.nii.gz", "stimuli/a.png",
    ]
)  # fmt: skip
CONTENTS = st.sampled_from(
    [
        "", "{}", "[", '{"TaskName": "rest"}', '{"EchoTime": "x"}', '{"EchoTime": 1, "x": 1}',
        '{"Sources": ["bids::sub-02/anat/sub-02_T1w.nii.gz", "T1w.json"], "TaskName": 1}',
        '{"onset": {"Description": "x"}, "stim_file": {"HED": "Red"}, "RepetitionTime": 1}',
        "filename\nanat/sub-01_T1w.nii.gz\n", "onset\tduration\tstim_file\n1\t1\ta.png\n",
        "participant_id\tage\nsub-01\t1\nsub-02\tx\n", "index\tname\n1\ta\n1\ta\n",
        '{"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}', "sub-02/\n*.tsv\n",
    ]
)  # fmt: skip
EDIT = st.tuples(PATHS, CONTENTS | st.none())


@given(edits=st.lists(st.lists(EDIT, min_size=1, max_size=3), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_any_edits_give_the_report_that_they_give_without(
    edits: list[list[tuple[str, str | None]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("edits")
    tree, cache = raw(folder / "tree"), folder / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stamps, "MARGIN", -3600 * 10**9)
        report(tree, cache)
        for step in edits:
            for path, content in step:
                if content is None:
                    (tree / path).unlink(missing_ok=True)
                else:
                    write(tree, path, content)
            assert report(tree, cache) == report(tree)
