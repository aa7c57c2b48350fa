"""Predictions of nnU-Net become a BIDS derivative with the label values of the tree."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import Make, assert_same, run

import bidsify
from bidsify.errors import UsageError
from bidsify.exporting import prediction_names
from bidsify.exporting.export_map import ExportMap, Origin
from bidsify.exporting.prediction_names import target_names

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
MAP = "bidsify_export.json"
OUTSIDE = """{"kind": "dseg", "labels": {"names": {}, "backward": {}}, "cases": {"a":
    {"segmentation": "../x_dseg.nii.gz", "table": null, "images": ["a"], "purpose": "test"}}}"""


KINDS = ("/abs", "seg-/../../x", "seg-", "dseg\n", "seg-a_b", "../dseg")


def _map_text(kind: str = "dseg", names: Any = None) -> str:
    case = {"segmentation": None, "table": None, "images": ["a_T1w.nii"], "purpose": "test"}
    labels = {"names": names or {}, "backward": {"0": 0}}
    return json.dumps({"kind": kind, "labels": labels, "cases": {"a": case}})


def exported(root: Path, dest: Path, **options: Any) -> tuple[Path, Path]:
    """Export a tree; return the dataset, and perfect predictions with a map beside them."""
    done = bidsify.export_nnunet(root, dest / "raw", **options)
    predictions = dest / "predictions"
    predictions.mkdir()
    shutil.copyfile(done.folder / MAP, predictions / MAP)
    known = json.loads((done.folder / MAP).read_bytes())
    forward = {int(old): new for old, new in known["labels"]["forward"].items()}
    for name, case in known["cases"].items():
        image = nib.load(root / (case["segmentation"] or case["images"][0]))
        data = np.zeros(image.shape, np.uint8)
        if case["segmentation"]:
            stored = np.asarray(image.dataobj)
            for old, new in forward.items():
                data[stored == old] = new
        # as ITK writes: an affine of its own, no text of the original header
        nib.save(nib.Nifti1Image(data, image.affine), predictions / f"{name}.nii.gz")
    return done.folder, predictions


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("brats2021", {"regions": True}),
        ("myops2020", {}),
        ("prostate158", {"labels": "zones"}),
        ("chaos", {"channels": ["acq-portal_ct"]}),
        ("ssmspine", {"with_test": True}),
    ],
)
def test_there_and_back(tree: Make, tmp_path: Path, name: str, options: Any) -> None:
    root, out = tree(name), tmp_path / "back"
    folder, predictions = exported(root, tmp_path, **options)
    done = bidsify.import_predictions(root, predictions, out, model="nnU-Net 3d")
    assert (done.failures, done.notes) == ((), ())
    known = json.loads((folder / MAP).read_bytes())
    targets, _ = target_names(_map(known), "nnUNet3d")
    assert sorted(targets.values()) == list(done.written)
    for case, path in targets.items():
        assert "desc-nnUNet3d" in path
        if origin := known["cases"][case]["segmentation"]:
            old, new = nib.load(root / origin), nib.load(out / path)
            assert np.array_equal(np.asarray(old.dataobj), np.asarray(new.dataobj))
            assert np.array_equal(old.affine, new.affine)
            assert new.get_data_dtype().kind in "iu"
    report = bidsify.validate(out, level="voxels")
    assert [issue for issue in report.issues() if issue.severity == "error"] == []
    _officially_valid(out)
    bidsify.import_predictions(root, predictions, tmp_path / "again", model="nnU-Net 3d")
    assert_same(out, tmp_path / "again")


def _map(known: Any) -> ExportMap:
    cases = {
        name: Origin(c["segmentation"], c["table"], tuple(c["images"]), c["purpose"] == "test")
        for name, c in known["cases"].items()
    }
    return ExportMap(known["kind"], {}, {}, cases)


def _officially_valid(out: Path) -> None:
    if not VALIDATOR.exists():
        pytest.skip("needs bids-validator-deno")
    done = subprocess.run(
        [VALIDATOR, out, "--format", "json"], capture_output=True, text=True, check=False
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


def test_texts(tree: Make, tmp_path: Path) -> None:
    root, out = tree("brats2021"), tmp_path / "out"
    _, predictions = exported(root, tmp_path)
    bidsify.import_predictions(root, predictions, out)
    lines = (out / "dseg.tsv").read_text().splitlines()
    assert lines[0] == "index\tname\tabbreviation\tcolor"
    assert lines[-1] == "4\tenhancing tumour\tET\t#e6c84c"
    description = json.loads((out / "dataset_description.json").read_bytes())
    assert [each["Name"] for each in description["GeneratedBy"]] == ["nnUNet", "bidsify"]
    link = description["DatasetLinks"]["tree"]
    assert (out / link).resolve() == root.resolve()
    (sidecar,) = out.glob("sub-00000/anat/*.json")
    sources = json.loads(sidecar.read_bytes())["Sources"]
    assert len(sources) == 4
    assert all((root / source.removeprefix("bids:tree:")).is_file() for source in sources)
    shared = json.loads((out / "dseg.json").read_bytes())
    assert shared["SpatialReference"] == "https://www.nitrc.org/projects/sri24/"


def test_each_fault_is_said_and_others_go_on(tree: Make, tmp_path: Path) -> None:
    root, out = tree("brats2021"), tmp_path / "out"
    _, predictions = exported(root, tmp_path)
    names = [f"sub-{n}_space-SRI24.nii.gz" for n in ("00000", "00002", "00495")]
    image = nib.load(predictions / names[0])
    data = np.asarray(image.dataobj)
    nib.save(nib.Nifti1Image(data + 9, image.affine), predictions / names[0])
    nib.save(nib.Nifti1Image(data[:-1], image.affine), predictions / names[1])
    (predictions / "sub-00001.nii.gz").rename(predictions / "renamed.nii.gz")
    ran = run("import-predictions", root, predictions, out)
    assert (ran.code, ran.out) == (1, "imported 1\nfailed 4\n")
    shape = data.shape
    origin = "sub-00002/anat/sub-00002_space-SRI24_dseg.nii.gz"
    shapes = f"{(shape[0] - 1, *shape[1:])} voxels, but {origin} has {shape}"
    assert ran.failures == [
        "renamed.nii.gz: the export has no case of this name; was the file renamed?",
        f"{names[0]}: the value 9 is not in the map of labels",
        "sub-00001: no prediction of this case; expected sub-00001.nii.gz",
        f"{names[1]}: {shapes}; was it resampled?",
    ]
    assert len(list(out.rglob("*_dseg.nii.gz"))) == 1


def test_predictions_elsewhere_or_broken(tree: Make, tmp_path: Path) -> None:
    root = tree("myops380")
    _, predictions = exported(root, tmp_path)
    first, second, third = sorted(predictions.glob("*.nii.gz"))
    image = nib.load(first)
    moved = image.affine.copy()
    moved[0, 3] += 1
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), moved), first)
    second.write_bytes(second.read_bytes()[:50])
    third.unlink()
    ran = run("import-predictions", root, predictions, tmp_path / "out")
    assert (ran.code, ran.out) == (1, "imported 0\nfailed 3\n")
    assert "lies elsewhere than sub-0001/anat/sub-0001_dseg.nii.gz" in ran.failures[0]
    assert "sub-0002" in ran.failures[1]
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_cases_for_training_need_no_prediction(tree: Make, tmp_path: Path) -> None:
    root = tree("brats2021")
    _, predictions = exported(root, tmp_path)
    for path in predictions.glob("*SRI24.nii.gz"):
        path.unlink()
    done = bidsify.import_predictions(root, predictions, tmp_path / "out")
    assert done.failures == ()
    assert done.notes[0].startswith("no prediction of cases for training: sub-00000_space-SRI24")
    assert done.written == ("sub-00001/anat/sub-00001_space-SRI24_desc-nnUNet_dseg.nii.gz",)


def test_a_tree_without_the_case(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("brats2021")
    _, predictions = exported(root, tmp_path)
    shutil.rmtree(root / "sub-00002")
    done = bidsify.import_predictions(root, predictions, tmp_path / "out")
    (failure,) = done.failures
    assert "is not in the tree, so its grid is not known" in failure


def test_a_derivative_within_the_tree(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("brats2021")
    _, predictions = exported(root, tmp_path)
    out = root / "derivatives" / "nnunet"
    bidsify.import_predictions(root, predictions, out)
    description = json.loads((out / "dataset_description.json").read_bytes())
    assert description["DatasetLinks"] == {"tree": "../.."}


def test_two_readers_keep_their_names() -> None:
    cases = {
        name: Origin(
            f"sub-1/anat/sub-1_seg-zones_desc-{name}_dseg.nii.gz", None, ("x",), is_test=False
        )
        for name in ("r1", "r2")
    }
    images = ("sub-2/anat/sub-2_ce-g_run-1_T1w.nii.gz", "sub-2/anat/sub-2_run-1_T2w.nii.gz")
    cases["alone"] = Origin(None, None, images, is_test=True)
    found, clashes = target_names(ExportMap("seg-zones", {}, {}, cases), "m")
    assert (found, clashes) == (
        {
            "r1": "sub-1/anat/sub-1_seg-zones_desc-mr1_dseg.nii.gz",
            "r2": "sub-1/anat/sub-1_seg-zones_desc-mr2_dseg.nii.gz",
            "alone": "sub-2/anat/sub-2_run-1_seg-zones_desc-m_dseg.nii.gz",
        },
        [],
    )
    cases["r3"] = cases["r1"]
    (clash,) = target_names(ExportMap("dseg", {}, {}, cases), "m")[1]
    assert clash == f"r3: its prediction would have the name of another, {found['r1']}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no such file; name the bidsify_export.json of the export with --export"),
        ("[]", "not a map that"),
        ("{", "not a map that"),
        ('{"kind": "dseg", "labels": {"names": {}, "backward": {}}, "cases": 3}', "not a map"),
        (OUTSIDE, "not a map that"),
        *((_map_text(kind=kind), "not a map that") for kind in KINDS),
        (_map_text(names={"1": "a\tb"}), "not a map that"),
        (_map_text(names={"1": "a\nb"}), "not a map that"),
    ],
)
def test_maps_that_are_none(tmp_path: Path, text: str | None, reason: str) -> None:
    (tmp_path / "tree").mkdir()
    folder = tmp_path / "predictions"
    folder.mkdir()
    (folder / "a.nii.gz").write_bytes(b"")
    if text is not None:
        (folder / MAP).write_text(text)
    with pytest.raises(UsageError, match=reason):
        bidsify.import_predictions(tmp_path / "tree", folder, tmp_path / "out")


def test_no_prediction_is_written_outside(
    tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a map gets through its check."""
    _, predictions = exported(tree("myops380"), tmp_path)
    monkeypatch.setattr(prediction_names, "_target", lambda *_: "../out_dseg.nii.gz")
    done = bidsify.import_predictions(tree("myops380"), predictions, tmp_path / "out")
    assert any("would lie outside of the derivative" in failure for failure in done.failures)
    assert not [*tmp_path.glob("*_dseg*")]


def test_nothing_but_the_grid_of_an_image_is_taken_over(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    anat = root / "sub-1" / "anat"
    anat.mkdir(parents=True)
    affine = np.array([[0, -2.0, 0, 5], [1.5, 0, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])
    image = nib.Nifti1Image(np.ones((4, 3, 5), "int16"), affine)
    image.header["descrip"], image.header["db_name"] = b"Jane Doe", b"1970-01-01"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, anat / "sub-1_T1w.nii.gz")
    predictions = tmp_path / "predictions"
    predictions.mkdir()
    path = "sub-1/anat/sub-1_T1w.nii.gz"
    text = _map_text().replace("a_T1w.nii", path)
    (predictions / MAP).write_text(text)
    nib.save(nib.Nifti1Image(np.zeros((4, 3, 5), "uint8"), affine), predictions / "a.nii.gz")
    done = bidsify.import_predictions(root, predictions, tmp_path / "out")
    assert done.failures == ()
    made = nib.load(tmp_path / "out" / done.written[0])
    raw = gzip.decompress((tmp_path / "out" / done.written[0]).read_bytes())
    assert b"Jane" not in raw
    assert b"1970" not in raw
    assert np.array_equal(made.affine, affine)
    assert (made.shape, made.header.get_xyzt_units()) == ((4, 3, 5), ("mm", "sec"))
    assert made.header.get_zooms() == (1.5, 2, 3)
    assert made.header["vox_offset"] == 0  # nibabel hides what it has read: the data fit
    assert len(raw) == 352 + 60


def test_misuse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        bidsify.import_predictions(tmp_path / "none", tmp_path, tmp_path / "out")
    with pytest.raises(UsageError, match="no predictions"):
        bidsify.import_predictions(tmp_path, tmp_path, tmp_path / "out")
    with pytest.raises(UsageError, match="no name for a model"):
        bidsify.import_predictions(tmp_path, tmp_path, tmp_path / "out", model="--")
