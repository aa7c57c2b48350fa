"""Exports and groups that the split of a tree divides: a warning names them."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import run

import bidsify
from bidsify.errors import UsageError

#: Subject, split and family: x is divided, y is whole, d and h are alone.
ROWS = (
    ("a", "train", "x"), ("b", "test", "x"), ("c", "train", "y"), ("e", "train", "y"),
    ("f", "val", "z"), ("g", "train", "z"), ("d", "train", "n/a"), ("h", "test", "n/a"),
)  # fmt: skip
WHAT = "groups are divided, so results on held-out cases will look too good: "


def tree(root: Path) -> Path:
    for subject, _, _ in ROWS:
        folder = root / f"sub-{subject}" / "anat"
        folder.mkdir(parents=True)
        for suffix in ("dseg", "T1w"):
            made = nib.Nifti1Image(np.ones((4, 3, 3), "int16"), np.eye(4))
            nib.save(made, folder / f"sub-{subject}_{suffix}.nii.gz")
    lines = ["participant_id\tsplit\tfamily", *("sub-" + "\t".join(row) for row in ROWS)]
    (root / "participants.tsv").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nnunet", "--folds", "0"), "x (training and test), family: z (training and validation)"),
        (("nnunet", "--folds", "2"), "x (training and test)"),
        (("nnunet",), "x (training and test)"),
        (("nnunet", "--with-test", "--folds", "0"), "z (training and validation)"),
        (("nnunet", "--with-test"), ""),
        (("monai",), "x (training and test), family: z (training and validation)"),
        (("monai", "--with-test"), "z (training and validation)"),
        (("hf",), "x (training and test), family: z (training and validation)"),
    ],
)
def test_divided_groups_are_named(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    form, *options = arguments
    ran = run("export", form, tree(tmp_path / "t"), tmp_path / "o", "--group", "family", *options)
    assert ran.code == 0
    said = [line for line in ran.err.splitlines() if "groups are divided" in line]
    expected = f"warning: participants.tsv: {WHAT}family: {named}; give each group one split"
    assert [line.partition("bidsify: ")[2] or line for line in said] == [expected] * bool(named)
    plain = run("export", form, tmp_path / "t", tmp_path / "p", *options)
    assert "groups are divided" not in plain.err


@pytest.mark.parametrize("form", ["nnunet", "monai", "hf"])
def test_a_group_of_no_column_is_refused(tmp_path: Path, form: str) -> None:
    options = () if form == "hf" else ("--folds", "0")
    ran = run("export", form, tree(tmp_path / "t"), tmp_path / "o", "--group", "clan", *options)
    assert ran.code == 2
    assert "no column 'clan' to group by" in ran.error
    assert not list((tmp_path / "o").glob("*"))


def test_folds_that_we_make_divide_no_group(tmp_path: Path) -> None:
    done = bidsify.export_nnunet(tree(tmp_path / "t"), tmp_path / "o", group="family", folds=3)
    for split in json.loads((done.folder / "splits_final.json").read_bytes()):
        held = {name[-1] for name in split["val"]}
        for family in ({"c", "e"}, {"f", "g"}):
            assert family <= held or not family & held


@pytest.mark.parametrize("name", ["A B", "1A", "", "A}", "$A", "\u00c4", "A\n"])
def test_a_variable_that_nothing_expands(tmp_path: Path, name: str) -> None:
    ran = run("export", "nnunet", tree(tmp_path / "t"), tmp_path / "o", "--variable", name)
    assert ran.code == 2
    assert "is no name of a variable" in ran.error
    assert not (tmp_path / "o").exists()


def test_a_missing_tree_is_said_first(tmp_path: Path) -> None:
    (tmp_path / "raw/Dataset501_Mine").mkdir(parents=True)
    (tmp_path / "raw/Dataset501_Mine/dataset.json").write_text("{}")
    for number in (501, 5000):
        with pytest.raises(UsageError, match="gone: no such folder"):
            bidsify.export_nnunet(
                tmp_path / "gone", tmp_path / "raw", number=number, name="b", variable="A B"
            )
