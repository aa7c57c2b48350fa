"""Exports of trees with faults: one bad file costs its own cases, and never all of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import run

import bidsify
from bidsify.cases import values
from bidsify.errors import UsageError
from bidsify.exporting import relabel
from bidsify.exporting.folds import folds
from bidsify.exporting.labelling import number
from bidsify.harmonisation.segmentations import TreeTable
from bidsify.label_colors import chosen_color
from bidsify.survey.schemes import schemes

SHAPE = (4, 3, 3)
TABLE = "index\tname\n1\tedema\n2\tscar\n"


def image(root: Path, path: str, data: Any = None) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    data = np.zeros(SHAPE, "int16") if data is None else np.asarray(data, "int16")
    nib.save(nib.Nifti1Image(data, np.eye(4)), target)


def small(root: Path, *subjects: str, contrasts: tuple[str, ...] = ("T1w", "T2w")) -> Path:
    """Make a tree of tiny cases whose segmentations hold 1."""
    for subject in subjects:
        stem = f"sub-{subject}/anat/sub-{subject}"
        image(root, f"{stem}_dseg.nii.gz", np.ones(SHAPE))
        for contrast in contrasts:
            image(root, f"{stem}_{contrast}.nii.gz")
    (root / "dseg.tsv").write_text(TABLE)
    return root


def dataset(done: Any) -> Any:
    return json.loads((done.folder / "dataset.json").read_text("utf-8"))


def test_a_broken_image_costs_its_own_case(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a", "b", "c", "d")
    broken = ["sub-b/anat/sub-b_T2w.nii.gz", "sub-c/anat/sub-c_T2w.nii.gz"]
    (root / broken[0]).write_bytes(b"none")
    (root / broken[1]).unlink()
    (root / broken[1]).symlink_to("nowhere")
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert dataset(done)["channel_names"] == {"0": "T1w", "1": "T2w"}
    assert [*dataset(done)["dataset"]] == ["sub-a", "sub-d"]
    assert done.left_out["sub-b"].startswith(f"{broken[0]}: not a NIfTI file")
    assert done.left_out["sub-c"].startswith(f"{broken[1]}: a link that leads nowhere")
    assert len(done.failures) == 2
    done = bidsify.export_nnunet(root, tmp_path / "one", channels=["T1w"])
    assert done.counts["training"] == 4


def test_a_series_is_no_channel(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a", "b")
    image(root, "sub-b/anat/sub-b_T2w.nii.gz", np.zeros((*SHAPE, 5)))
    done = bidsify.export_monai(root, tmp_path / "out", channels=["T1w", "T2w"])
    assert done.left_out == {"sub-b": "a series, with another number of volumes: T2w"}
    image(root, "sub-a/anat/sub-a_T2w.nii.gz", np.zeros((*SHAPE, 5)))
    with pytest.raises(UsageError, match="no contrast 'T2w' on the grid with as many volumes"):
        bidsify.export_monai(root, tmp_path / "no", channels=["T2w"])


def save(root: Path, path: str, data: Any) -> None:
    nib.save(nib.Nifti1Image(data, np.eye(4)), root / path)


NO_GREY = [
    (np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours"),
    (np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]), "colours"),
    (np.zeros(SHAPE, "complex64"), "complex64 numbers"),
]


@pytest.mark.parametrize(("data", "what"), NO_GREY)
@pytest.mark.parametrize("form", ["nnunet", "monai", "hf"])
def test_what_is_not_grey_is_left_out(tmp_path: Path, data: Any, what: str, form: str) -> None:
    root = small(tmp_path / "tree", "a", "b", "c")
    path = "sub-b/anat/sub-b_T2w.nii.gz"
    save(root, path, data)
    ran = run("export", form, root, tmp_path / "out")
    why = f"{path}: its values are {what}, no grey values"
    assert (ran.code, f"warning: sub-b: left out: {why}" in ran.err) == (0, True)
    assert "left out 1" in ran.out
    for subject in "ac":
        save(root, path.replace("-b", f"-{subject}"), data)
    export: Any = {"nnunet": bidsify.export_nnunet, "monai": bidsify.export_monai,
                   "hf": bidsify.export_hf}[form]  # fmt: skip
    done = export(root, tmp_path / "rest")
    assert (done.left_out, sum(done.counts.values())) == ({}, 3)
    why = why.replace("-b", "-a")
    assert f"no channel: T2w; {why}" in done.notes
    with pytest.raises(UsageError, match=why):
        export(root, tmp_path / "no", channels=["T2w"])
    for subject in "abc":
        (root / f"sub-{subject}/anat/sub-{subject}_T1w.nii.gz").unlink()
    with pytest.raises(UsageError, match=f"no image to train on: {why}"):
        export(root, tmp_path / "none")


@pytest.mark.parametrize("suffixes", [("dseg", "T1w", "T2w"), ("dseg",), ("T2w",)])
@pytest.mark.parametrize("form", ["nnunet", "monai", "hf"])
def test_planes_among_volumes_are_left_out(
    tmp_path: Path, suffixes: tuple[str, ...], form: str
) -> None:
    root = small(tmp_path / "tree", "a", "b", "c")
    for suffix in ("dseg", "T1w", "T2w"):
        shape = (12, 14) if suffix in suffixes else (12, 14, 1)
        image(root, f"sub-b/anat/sub-b_{suffix}.nii.gz", np.full(shape, 2))
    ran = run("export", form, root, tmp_path / "out")
    why = f"sub-b/anat/sub-b_{suffixes[0]}.nii.gz: an image of 2 axes, not of 3; store it"
    assert (ran.code, f"sub-b: left out: {why}" in ran.err) == (0, True)
    text = "".join(path.read_text() for path in (tmp_path / "out").rglob("[dm]*.[jc]s*"))
    assert "sub-a" in text
    assert "sub-b" not in text


def test_a_tree_of_planes(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a", "b")
    for path in root.rglob("*.nii.gz"):
        image(root, str(path.relative_to(root)), np.full((12, 14), 2))
    reason = r"no case can be exported; the first: sub-a/anat/sub-a_dseg.nii.gz: an image of 2 axe"
    with pytest.raises(UsageError, match=reason):
        bidsify.export_nnunet(root, tmp_path / "raw")
    assert bidsify.export_monai(root, tmp_path / "m").counts["training"] == 2
    assert bidsify.export_hf(root, tmp_path / "h").counts == {"train": 2}


@pytest.mark.parametrize(
    "row", [f"{'9' * 5000}\tx", f"1{'0' * 400}\tx", f"1{'0' * 30}\tx", "one\tx", "1\ta\n1\tb"]
)
def test_a_broken_table_costs_its_own_cases(tmp_path: Path, row: str) -> None:
    root = small(tmp_path / "tree", "a", "b", "c")
    (root / "sub-b/anat/sub-b_dseg.tsv").write_text(f"index\tname\n{row}\n")
    ran = run("export", "nnunet", root, tmp_path / "raw")
    assert ran.code == 1
    (failure,) = ran.failures
    assert failure.startswith("sub-b/anat/sub-b_dseg.tsv: the index")
    assert failure.endswith("its cases are left out")
    known = json.loads((tmp_path / "raw/Dataset501_tree/bidsify_export.json").read_bytes())
    assert [*known["cases"]] == ["sub-a", "sub-c"]
    assert bidsify.export_monai(root, tmp_path / "m").counts["training"] == 2


def test_tables_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a", "b")
    (root / "sub-b/anat/sub-b_dseg.tsv").write_text("index\tname\n1\tfat\n")
    with pytest.raises(UsageError, match="1 is 'fat' here and 'edema' elsewhere"):
        bidsify.export_monai(root, tmp_path / "out")


def test_a_tree_whose_only_table_is_broken(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a")
    (root / "dseg.tsv").write_text("index\tname\nx\ty\n")
    with pytest.raises(UsageError, match=r"no case can be exported; the first: dseg.tsv: the ind"):
        bidsify.export_monai(root, tmp_path / "out")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"Name":' * 50_000, "[]", '{"Name": []}', "\0"])
def test_a_description_that_is_none(tmp_path: Path, text: str) -> None:
    root = small(tmp_path / "tree", "a", "b")
    (root / "dataset_description.json").write_text(text)
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert done.folder.name == "Dataset501_tree"
    back = bidsify.import_predictions(
        root, root / "sub-a/anat", tmp_path / "out", export=done.folder / "bidsify_export.json"
    )
    assert back.written == ()  # the folder holds no file of a case, but its map was read


def test_any_error_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small(tmp_path / "tree", "a", "b")
    original, path = values.read_segmentation, "sub-b/anat/sub-b_dseg.nii.gz"

    def fail(folder: Path, name: str) -> Any:
        if name == path:
            raise KeyError(name)
        return original(folder, name)

    monkeypatch.setattr(relabel, "read_segmentation", fail)
    done = bidsify.export_monai(root, tmp_path / "out")
    assert done.failures == (f"{path}: damaged file: '{path}'",)
    assert done.counts["training"] == 1
    task = relabel.Relabelled(path, "x.nii", {0: 0})
    _, failures = relabel.write(root, tmp_path, [task], 1)
    assert failures == (f"{path}: damaged file: '{path}'",)


@pytest.mark.parametrize("export", [bidsify.export_monai, bidsify.export_hf])
def test_labels_that_nobody_drew_are_said(tmp_path: Path, export: Any) -> None:
    root = small(tmp_path / "tree", "a", "b")
    (root / "sub-b/anat/sub-b_dseg.tsv").write_text("index\tname\n1\tedema\n")
    (note,) = export(root, tmp_path / "out").notes
    assert note == (
        "not all labels were drawn in 1 case, such as sub-b (scar): what nobody drew counts as "
        "background there; leave them out, or mask the loss"
    )


def test_cases_that_are_left_out_make_nothing_partial(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a", "b")
    (root / "sub-b/anat/sub-b_dseg.tsv").write_text("index\tname\n1\tedema\n")
    (root / "sub-b/anat/sub-b_dseg.nii.gz").write_bytes(
        (root / "sub-b/anat/sub-b_dseg.nii.gz").read_bytes()[:-20]
    )
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert "ignore" not in dataset(done)["labels"]
    assert not any("drawn" in note for note in done.notes)


def test_the_command_names_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small(tmp_path / "tree", "a", "b")
    monkeypatch.chdir(tmp_path)
    done = bidsify.export_nnunet("tree", "raw", variable="BIDS")
    assert done.commands[0] == f"export BIDS={os.path.realpath(root)}"
    assert "tree" not in json.loads((done.folder / "bidsify_export.json").read_bytes())


@pytest.mark.parametrize("count", [1, -1])
def test_a_single_fold_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(UsageError, match="--folds takes 2 or more, or 0"):
        folds({"a": "a", "b": "b"}, count, 0)
    assert folds({"a": "a", "b": "a"}, None, 0) == {}
    root = small(tmp_path / "tree", "a", "b")
    if count == 1:
        ran = run("export", "nnunet", root, tmp_path / "raw", "--folds", "1")
        assert (ran.code, "--folds takes 2 or more" in ran.error) == (2, True)


def test_folds_are_named_by_what_was_written(tmp_path: Path) -> None:
    """A note that speaks of folds does not say that there are none, nor the other way round."""
    root = small(tmp_path / "tree", "a", "b")
    (root / "dseg.tsv").write_text("index\tname\n1\tfolds of skin\n2\tfolds\n")
    (root / "sub-b/anat/sub-b_dseg.tsv").write_text("index\tname\n1\tfolds of skin\n")
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert any("splits_final.json" in command for command in done.commands)
    (root / "participants.tsv").write_text("participant_id\nsub-a\nsub-b\n")
    done = bidsify.export_nnunet(root, tmp_path / "raw", number=502, folds=0)
    assert not any("splits_final.json" in command for command in done.commands)


def test_a_region_without_a_label_of_its_own_is_said() -> None:
    made = number({1: "a", 2: "b"}, {"WT": (1, 2), "A": (1,), "B": (2,)}, is_partial=False)
    assert made.notes == (
        "a prediction of WT outside of the regions within it has no label of its own: it becomes 1",
    )


def test_a_link_into_its_own_target_is_refused(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a", "b")
    with pytest.raises(UsageError, match="cannot lie in it; choose a folder outside"):
        bidsify.export_hf(root, root / "derivatives" / "hf")
    assert not [*(root / "derivatives").iterdir()]


def test_names_of_tables_are_made_safe(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a")
    for path in ("a/b_dseg.tsv", "a_b_dseg.tsv", "x\n1 0 0 0 1 1 1 y_dseg.tsv"):
        (root / path).parent.mkdir(exist_ok=True)
        name = "".join(c for c in path if c.isalnum())
        (root / path).write_text(f"index\tname\n1\t{name}\n")
    done = bidsify.export_colors(root, tmp_path / "out")
    texts = [path.read_text() for path in sorted(done.folder.glob("*.label"))]
    assert len(texts) == done.counts["tables"] >= 3
    for text in texts:
        rows = [line for line in text.splitlines() if not line.startswith("#")]
        assert len(rows) == text.count('"') / 2


def test_names_that_break_lines_come_back(tmp_path: Path) -> None:
    """What an export writes, an import takes."""
    root = small(tmp_path / "tree", "a", "b")
    (root / "dseg.tsv").write_text("index\tname\n1\ta\x07b\u00a0c\n")
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    known = json.loads((done.folder / "bidsify_export.json").read_bytes())
    assert known["labels"]["names"]["1"] == "a b c"


def test_page_and_exports_choose_the_same_colours(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", "a")
    (root / "dseg.tsv").write_text("index\tname\tcolor\n1\tx\t#ABCDEF\n2\ty\tred\n")
    rows = ({"index": "1", "name": "x", "color": "#ABCDEF"}, {"index": "2", "name": "y"})
    found, _ = schemes({"dseg.tsv": TreeTable("dseg.tsv", ("index", "name", "color"), rows)})
    assert found[1].colors == {1: "#abcdef", 2: chosen_color(2)}
    done = bidsify.export_colors(root, tmp_path / "out")
    lines = (done.folder / "dseg.label").read_text().splitlines()[-2:]
    colors = ["#" + bytes(map(int, line.split()[1:4])).hex() for line in lines]
    assert colors == [*found[1].colors.values()]
