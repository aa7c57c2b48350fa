"""Exports: nnU-Net in place, MONAI, Hugging Face, colour tables; what is refused and left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import Make, assert_same, run, snapshot
from hypothesis import given
from hypothesis import strategies as st

import bidsify
from bidsify.errors import UsageError
from bidsify.exporting.folds import folds
from bidsify.exporting.labelling import number

NAMES = {0: "background", 200: "MYO", 500: "LV", 600: "RV", 1220: "EDEMA", 2221: "SCAR"}
REGIONS = {"ES": (1220, 2221), "LVM": (200, 1220, 2221), "SC": (2221,)}


def image(path: Path, data: Any, dtype: str = "uint8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.asarray(data, dtype), np.eye(4)), path)


def small(root: Path, cases: Mapping[str, tuple[int, ...]], table: str = "") -> Path:
    """Make a tree of tiny cases: subject -> the values of its segmentation."""
    for subject, values in cases.items():
        data = np.zeros((4, 3, 3))
        data.flat[: len(values)] = values
        anat = root / f"sub-{subject}" / "anat"
        image(anat / f"sub-{subject}_dseg.nii.gz", data, "int16")
        image(anat / f"sub-{subject}_T1w.nii.gz", data + 100, "int16")
    if table:
        (root / "dseg.tsv").write_text(table)
    return root


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def values(path: Path) -> Any:
    return np.asarray(nib.load(path).dataobj)


# Labels


def test_labels_without_gaps_keep_their_order() -> None:
    made = number(NAMES, None, is_partial=False)
    assert made.forward == {0: 0, 200: 1, 500: 2, 600: 3, 1220: 4, 2221: 5}
    assert list(made.labels.items())[:2] == [("background", 0), ("MYO", 1)]
    assert (made.order, made.is_changed) == (None, True)


def test_regions_go_from_large_to_small_and_forget_no_label() -> None:
    made = number(NAMES, REGIONS, is_partial=False)
    expected = {"background": 0, "LV": 2, "RV": 3, "LVM": [1, 4, 5], "ES": [4, 5], "SC": [5]}
    assert list(made.labels.items()) == list(expected.items())
    assert (made.order, made.notes) == ((2, 3, 1, 4, 5), ())


def test_a_prediction_by_regions_gives_the_labels_back() -> None:
    """Paint the regions in the order of the classes, as nnU-Net does."""
    made = number(NAMES, REGIONS, is_partial=False)
    members = [
        [m] if isinstance(m, int) else m for n, m in made.labels.items() if n != "background"
    ]
    assert made.order is not None
    for label in range(1, 6):
        painted = 0
        for region, left in zip(members, made.order, strict=True):
            painted = left if label in region else painted
        assert painted == label


def test_regions_that_cannot_be_undone_are_said() -> None:
    made = number({1: "a", 2: "b", 3: "c"}, {"ab": (1, 2)}, is_partial=False)
    assert made.notes == ("a prediction of ab cannot tell 1, 2 apart: it becomes 1",)
    assert made.order == (3, 1)


def test_ignore_is_the_last_number() -> None:
    made = number(NAMES, None, is_partial=True)
    assert list(made.labels.items())[-1] == ("ignore", 6)


def test_names_that_nnunet_reserves_or_that_occur_twice() -> None:
    made = number({1: "background", 2: "ignore", 3: "x", 4: "x", 5: ""}, None, is_partial=False)
    assert [*made.labels] == ["background", "background 1", "ignore 2", "x", "x 4", "label 5"]


@pytest.mark.parametrize(
    ("regions", "reason"),
    [
        ({"WT": (1, 9)}, "holds 9, which no label"),
        ({}, "no region unites"),
        ({"A": (1,)}, "unites"),
    ],
)
def test_regions_that_cannot_be(regions: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        number({1: "a", 2: "b"}, regions, is_partial=False)


# Folds


@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=60),
    count=st.integers(2, 5),
    seed=st.integers(0, 9),
)
def test_folds_keep_groups_together(groups: list[int], count: int, seed: int) -> None:
    cases = {f"case{i}": f"group{g}" for i, g in enumerate(groups)}
    if len(set(groups)) < count:
        with pytest.raises(UsageError, match="cannot fill"):
            folds(cases, count, seed)
        return
    found = folds(cases, count, seed)
    assert found.keys() == cases.keys()
    assert set(found.values()) == set(range(count))
    for group in set(cases.values()):
        assert len({found[case] for case, own in cases.items() if own == group}) == 1
    assert found == folds(cases, count, seed)


def test_folds_are_the_same_in_each_version() -> None:
    cases = {name: name for name in "abcdef"}
    assert "".join(str(fold) for fold in folds(cases, 3, 0).values()) == FOLDS[0]
    assert "".join(str(fold) for fold in folds(cases, 3, 1).values()) == FOLDS[1]


FOLDS = ("210120", "112002")


# nnU-Net


def test_the_tree_is_used_in_place(tree: Make, tmp_path: Path) -> None:
    root = tree("brats2021")
    before = snapshot(root)
    done = bidsify.export_nnunet(root, tmp_path / "raw", regions=True)
    assert done.folder.name == "Dataset501_BraTS2021"
    assert snapshot(root) == before
    dataset, known = read(done.folder / "dataset.json"), read(done.folder / "bidsify_export.json")
    assert list(dataset["labels"].items()) == [
        ("background", 0), ("WT", [1, 2, 3]), ("TC", [1, 3]), ("ET", [3]),
    ]  # fmt: skip
    assert dataset["regions_class_order"] == [2, 1, 3]
    assert dataset["numTraining"] == len(dataset["dataset"]) == 3
    for name, case in dataset["dataset"].items():
        origin = known["cases"][name]
        for path, source in zip(case["images"], origin["images"], strict=True):
            assert (done.folder / path).resolve() == (root / source).resolve()
        before_, after = values(root / origin["segmentation"]), values(done.folder / case["label"])
        for old, new in known["labels"]["forward"].items():
            assert np.array_equal(before_ == int(old), after == new)
    # the second case has no enhancing tumour, so its labels are the same without writing
    assert done.counts == {"training": 3, "test": 1, "relabelled": 2}
    (link,) = (done.folder / "imagesTs").glob("*_0000.nii.gz")
    assert link.is_symlink()
    assert not Path(link.readlink()).is_absolute()
    assert link.read_bytes() == (root / known["cases"]["sub-00001"]["images"][0]).read_bytes()


def test_two_exports_are_equal(tree: Make, tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = bidsify.export_nnunet(tree("myops2020"), tmp_path / name, workers=1)
        assert done.counts["relabelled"] > 0
    assert_same(tmp_path / "one", tmp_path / "two")


def test_exotic_values_become_consecutive(tree: Make, tmp_path: Path) -> None:
    done = bidsify.export_nnunet(tree("myops2020"), tmp_path, with_test=True)
    known = read(done.folder / "bidsify_export.json")
    assert known["labels"]["backward"] == {
        "0": 0, "1": 200, "2": 500, "3": 600, "4": 1220, "5": 2221,
    }  # fmt: skip
    label = values(next((done.folder / "labelsTr").iterdir()))
    assert label.dtype == np.uint8
    assert label.max() == 5


def test_an_environment_variable_for_the_tree(tree: Make, tmp_path: Path) -> None:
    done = bidsify.export_nnunet(tree("ivdm3seg"), tmp_path, variable="BIDS", number=7, name="a b")
    assert done.folder.name == "Dataset007_ab"
    text = (done.folder / "dataset.json").read_text()
    assert '"${BIDS}/sub-' in text
    assert str(tmp_path) not in text


def test_folds_go_by_groups(tree: Make, tmp_path: Path) -> None:
    done = bidsify.export_nnunet(tree("ssmspine"), tmp_path, with_test=True, folds=2)
    splits = read(done.folder / "splits_final.json")
    assert len(splits) == 2
    for split in splits:
        subjects = [{name.split("_")[0] for name in split[key]} for key in ("train", "val")]
        assert subjects[0].isdisjoint(subjects[1])
        assert all(subjects)
    assert any("splits_final.json" in command for command in done.commands)


def test_a_column_keeps_subjects_together(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", dict.fromkeys("abcd", (1,)))
    rows = "".join(f"sub-{name}\t{texture}\n" for name, texture in zip("abcd", "xxyy", strict=True))
    (root / "participants.tsv").write_text(f"participant_id\ttexture\n{rows}")
    done = bidsify.export_nnunet(root, tmp_path / "raw", group="texture")
    splits = read(done.folder / "splits_final.json")
    assert sorted(sorted(split["val"]) for split in splits) == [
        ["sub-a", "sub-b"], ["sub-c", "sub-d"],
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no column 'age' to group by; it has participant_id"):
        bidsify.export_nnunet(root, tmp_path / "other", group="age")


def test_splits_of_the_tree(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", dict.fromkeys("abcd", (1,)))
    rows = "sub-a\ttrain\nsub-b\tvalid\nsub-c\tTest\nsub-d\tn/a\n"
    (root / "participants.tsv").write_text(f"participant_id\tsplit\n{rows}")
    done = bidsify.export_nnunet(root, tmp_path / "raw", folds=0)
    assert read(done.folder / "splits_final.json") == [
        {"train": ["sub-a", "sub-d"], "val": ["sub-b"]}
    ]
    assert done.counts == {"training": 3, "test": 1, "relabelled": 0}
    assert (done.folder / "labelsTs" / "sub-c.nii.gz").is_symlink()
    sections = read(bidsify.export_monai(root, tmp_path / "m").folder / "datalist.json")
    assert [len(sections[name]) for name in ("training", "validation", "test")] == [2, 1, 1]
    assert {item["fold"] for item in sections["training"]} == {0, 1}
    done = bidsify.export_hf(root, tmp_path / "h")
    assert done.counts == {"test": 1, "train": 2, "validation": 1}


def test_partial_annotation(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", {"a": (1, 2), "b": (1,)}, "index\tname\n1\tedema\n2\tscar\n")
    (root / "sub-b/anat/sub-b_dseg.tsv").write_text("index\tname\n1\tedema\n")
    (root / "dseg.tsv").rename(root / "sub-a/anat/sub-a_dseg.tsv")
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert read(done.folder / "dataset.json")["labels"]["ignore"] == 3
    label = values(done.folder / "labelsTr" / "sub-b.nii.gz")
    assert sorted(np.unique(label)) == [1, 3]
    assert not (done.folder / "labelsTr" / "sub-a.nii.gz").exists()
    assert "not all labels were drawn in 1 case, such as sub-b (scar)" in done.notes[-2]
    done = bidsify.export_nnunet(root, tmp_path / "other", partial="leave-out")
    assert done.left_out == {"sub-b": "its label table lacks scar, so nobody drew it"}
    assert "ignore" not in read(done.folder / "dataset.json")["labels"]


def test_empty_unknown_and_required_labels(tmp_path: Path) -> None:
    root = small(
        tmp_path / "tree", {"a": (1, 2), "b": (), "c": (1, 7)}, "index\tname\n1\tx\n2\ty\n"
    )
    ran = run("export", "nnunet", root, tmp_path / "raw")
    assert ran.code == 1
    assert ran.failures == [
        "sub-c/anat/sub-c_dseg.nii.gz: the value 7 has no row in its label table; left out"
    ]
    assert "empty segmentations, all background: sub-b" in ran.warnings
    known = read(tmp_path / "raw/Dataset501_tree/bidsify_export.json")
    assert (known["empty"], [*known["cases"]]) == (["sub-b"], ["sub-a", "sub-b"])
    done = bidsify.export_nnunet(root, tmp_path / "other", require=["y"])
    assert done.left_out["sub-b"] == "it has no voxel of y"
    with pytest.raises(UsageError, match=r"no label 'z'; there are: x \(1\), y \(2\)"):
        bidsify.export_nnunet(root, tmp_path / "third", require=["z"])


def test_labels_without_a_table(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", {"a": (5, 9), "b": (5,)})
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert read(done.folder / "dataset.json")["labels"] == {
        "background": 0, "label 5": 1, "label 9": 2,
    }  # fmt: skip


def test_negative_and_large_values_come_back(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", {"a": (-3, 9), "b": (300,)})
    image(root / "sub-b/anat/sub-b_dseg.nii.gz", np.full((4, 3, 3), 3_000_000_000), "float64")
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    back = bidsify.import_predictions(
        root,
        done.folder / "labelsTr",
        tmp_path / "out",
        export=done.folder / "bidsify_export.json",
    )
    assert back.failures == ()
    found = [values(tmp_path / "out" / path) for path in back.written]
    assert [sorted(np.unique(each)) for each in found] == [[-3, 0, 9], [3_000_000_000]]


def test_floats_and_other_endings_are_written_anew(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", {"a": (1,), "b": (1,), "c": (1,)})
    image(root / "sub-a/anat/sub-a_dseg.nii.gz", np.ones((4, 3, 3)), "float32")
    (root / "sub-b/anat/sub-b_dseg.nii.gz").unlink()
    image(root / "sub-b/anat/sub-b_dseg.nii", np.ones((4, 3, 3)), "int16")
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert [each.name for each in sorted((done.folder / "labelsTr").iterdir())] == [
        "sub-a.nii.gz", "sub-b.nii.gz",
    ]  # fmt: skip
    assert values(done.folder / "labelsTr/sub-a.nii.gz").dtype == np.uint8


def test_ct_is_named_so_that_it_is_normalised_as_ct(tree: Make, tmp_path: Path) -> None:
    done = bidsify.export_nnunet(tree("chaos"), tmp_path, channels=["acq-portal_ct"])
    assert read(done.folder / "dataset.json")["channel_names"] == {"0": "CT"}
    why = done.left_out["sub-MR01_acq-T1DUAL"]
    assert why == "it has no acq-portal_ct"


def test_names_of_cases_are_safe(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", {"a b": (1,), "ab": (1,), "$HOME": (1,)})
    done = bidsify.export_nnunet(root, tmp_path / "raw")
    assert [*read(done.folder / "dataset.json")["dataset"]] == ["sub-ab", "sub-ab_2"]
    assert done.left_out == {
        "sub-$HOME": "nnU-Net takes the $ in its path for a variable; rename it"
    }


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("prostate158", {}, "several kinds of segmentation: seg-tumorADC, seg-tumorT2w, seg-zones"),
        ("prostate158", {"labels": "organs"}, "no kind of segmentation is named 'organs'"),
        (
            "prostate158",
            {"labels": "zones", "only": ["desc-x"]},
            "seg-zones has desc-x in its name",
        ),
        ("vsseg", {}, r"no contrast is on the grid of all 8 .*acq-hr_T2w \(4\)"),
        ("vsseg", {"channels": ["T1w"]}, "no contrast 'T1w' on the grid"),
        ("ivdm3seg", {"folds": 40}, "cannot fill 40 folds"),
        ("ivdm3seg", {"regions": True}, "no region unites"),
        ("ivdm3seg", {"number": 1000}, "1000 is no number"),
        ("lumbosacral", {}, "no segmentation"),
    ],
)
def test_what_cannot_be_exported(
    tree: Make, tmp_path: Path, name: str, options: Any, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        bidsify.export_nnunet(tree(name), tmp_path / "raw", **options)
    assert not list((tmp_path / "raw").glob("*"))


@pytest.mark.parametrize(
    "labels", ["seg-zones", "zones", "seg-zones_dseg.tsv", "./x/seg-zones_dseg.tsv"]
)
def test_the_kind_of_labels(tree: Make, tmp_path: Path, labels: str) -> None:
    root = tree("prostate158")
    done = bidsify.export_nnunet(
        root, tmp_path, labels=labels, only=["desc-reader1"], with_test=True
    )
    assert done.counts["training"] == 4
    assert not any("--only" in note for note in done.notes)
    both = bidsify.export_nnunet(root, tmp_path / "2", labels=labels, with_test=True)
    assert any("--only" in note for note in both.notes)


def test_a_number_that_is_taken(tree: Make, tmp_path: Path) -> None:
    (tmp_path / "Dataset501_Mine").mkdir()
    with pytest.raises(UsageError, match="there is a dataset 501 already; give another --id"):
        bidsify.export_nnunet(tree("ivdm3seg"), tmp_path)
    done = bidsify.export_nnunet(tree("ivdm3seg"), tmp_path, number=502)
    with pytest.raises(UsageError, match="there is a dataset 502 already"):
        bidsify.export_nnunet(tree("ivdm3seg"), tmp_path, number=502)
    assert done.folder.is_dir()


def test_nothing_is_left_where_the_disk_is_full(
    tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    ran = run("export", "nnunet", tree("myops2020"), tmp_path / "raw")
    assert (ran.code, ran.error.endswith("No space left on device")) == (2, True)
    assert not list((tmp_path / "raw").iterdir())


def test_an_export_into_the_tree_is_refused(tree: Make) -> None:
    with pytest.raises(UsageError, match="lies in the tree"):
        bidsify.export_monai(tree("ivdm3seg"), tree("ivdm3seg") / "monai")


# MONAI and Hugging Face


def test_datalist(tree: Make, tmp_path: Path) -> None:
    root = tree("brats2021")
    done = bidsify.export_monai(root, tmp_path / "out")
    document = read(done.folder / "datalist.json")
    assert (document["numTraining"], document["numTest"]) == (3, 1)
    assert document["labels"]["4"] == "enhancing tumour"
    assert "validation" not in document
    for item in [*document["training"], *document["test"]]:
        assert len(item["image"]) == 4
        for path in [*item["image"], *([item["label"]] if "label" in item else [])]:
            assert (done.folder / path).is_file()


def test_metadata_of_hugging_face(tree: Make, tmp_path: Path) -> None:
    done = bidsify.export_hf(tree("prostate158"), tmp_path / "out", labels="zones")
    assert sorted(done.counts) == ["test", "train", "validation"]
    for split in done.counts:
        head, *rows = (done.folder / split / "metadata.csv").read_text().splitlines()
        assert head == ("case,subject,ADC_file_name,T2w_file_name,trace_file_name,dseg_file_name")
        assert rows
        for row in rows:
            assert all((done.folder / split / path).is_file() for path in row.split(",")[2:])


# Colour tables


def test_colour_tables(tree: Make, tmp_path: Path) -> None:
    done = bidsify.export_colors(tree("prostate158"), tmp_path / "out")
    assert done.counts == {"tables": 3}
    stem = done.folder / "seg-zones_dseg"
    snap = stem.with_suffix(".label").read_text().splitlines()
    assert snap[4] == '0 0 0 0 0 0 0 "Clear Label"'
    assert snap[-1] == '2 230 200 76 1 1 1 "peripheral zone"'
    slicer = stem.with_suffix(".ctbl").read_text().splitlines()
    assert slicer[1:3] == ["# 3 values", "0 background 0 0 0 0"]
    assert slicer[-1] == "2 peripheral_zone 230 200 76 255"
    lut = stem.with_suffix(".lut").read_text().splitlines()
    assert lut[-1] == "2 0.90196078 0.78431373 0.29803922 peripheral zone"


def test_colours_that_no_table_states(tmp_path: Path) -> None:
    table = 'index\tname\tcolor\n1\ta "b"\x07 c\tred\n300\t\t#00ff00\n'
    root = small(tmp_path / "tree", {"a": (1,)}, table)
    done = bidsify.export_colors(root, tmp_path / "out")
    first, second = (done.folder / "dseg.label").read_text().splitlines()[-2:]
    assert re.fullmatch(r"1 \d+ \d+ \d+ 1 1 1 \"a 'b'  c\"", first)
    assert second == '300 0 255 0 1 1 1 "label 300"'
    assert "advises against label values as large as 300" in done.notes[0]


def test_a_tree_without_tables_has_no_colours(tmp_path: Path) -> None:
    root = small(tmp_path / "tree", {"a": (1,)})
    with pytest.raises(UsageError, match="no label table"):
        bidsify.export_colors(root, tmp_path / "out")


# The command


def test_the_command(tree: Make, tmp_path: Path) -> None:
    ran = run(
        "export", "nnunet", tree("brats2021"), tmp_path, "--regions", "--channels", "T1w,FLAIR"
    )
    assert (ran.code, ran.failures) == (0, [])
    assert "training 3\ntest 1\nrelabelled 2" in ran.out
    assert "next: cp " in ran.out
    document = read(tmp_path / "Dataset501_BraTS2021/dataset.json")
    assert document["channel_names"] == {"0": "T1w", "1": "FLAIR"}


@pytest.mark.parametrize(
    ("form", "option"),
    [("monai", ("--id", "3")), ("hf", ("--folds", "2")), ("colors", ("--labels", "x"))],
)
def test_options_of_another_form(tmp_path: Path, form: str, option: tuple[str, ...]) -> None:
    ran = run("export", form, tmp_path, tmp_path / "out", *option)
    assert ran.code == 2
    assert f"does not go with {form}" in ran.err


def test_json(tree: Make, tmp_path: Path) -> None:
    ran = run("export", "monai", tree("ivdm3seg"), tmp_path / "out", "--json")
    assert json.loads(ran.out)["counts"]["training"] > 0
