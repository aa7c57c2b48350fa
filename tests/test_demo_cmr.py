"""Synthetic cardiac studies: what they hold, and that their truth is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from demo_files import array, files

from bidsify import demo
from bidsify.demo import cmr, cmr_motion, cmr_study, heart, phantom

PAIRS = (("LGE", "bSSFP"), ("LGE", "T2w"))


@pytest.fixture(scope="module")
def nifti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nifti")
    cmr.make_studies(folder, subjects=1)
    return folder


@pytest.fixture(scope="module")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    cmr.make_studies(folder, subjects=1, form="dicom")
    return folder


def nearest(study: cmr_study.Study, fixed: str, moving: str) -> list[tuple[int, int]]:
    """The slices of two sequences that lie next to one another."""
    heights = {}
    for name in (fixed, moving):
        matrix, count = study.scans[name].matrix, study.scans[name].shape[2]
        heights[name] = (matrix[:3, 3] + np.outer(range(count), matrix[:3, 2])) @ study.axes[:, 2]
    apart = np.abs(heights[fixed][:, None] - heights[moving])
    return [(k, int(row.argmin())) for k, row in enumerate(apart)]


def plane(study: cmr_study.Study, name: str, k: int) -> np.ndarray[Any, Any]:
    columns, rows, _ = study.scans[name].shape
    indices = np.stack(np.meshgrid(range(columns), range(rows), [k], indexing="ij"), axis=-1)
    return phantom.moved(indices, study.scans[name].matrix)[:, :, 0]


def dice(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def muscle(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.isin(labels, (heart.HEALTHY, heart.SCAR, heart.OEDEMA))


def test_it_is_no_dataset() -> None:
    assert "cmr" not in demo.names()


def test_nifti_has_the_names_of_myops_2020_with_masks(nifti: Path) -> None:
    stems = [f"train25/myops_training_101_{name}" for name in ("C0", "DE", "T2")]
    assert [*files(nifti)] == sorted(f"{s}{e}.nii.gz" for s in stems for e in ("", "_mask"))
    masks = array(nifti / "train25/myops_training_101_T2_mask.nii.gz")
    assert set(np.unique(masks)) == {0, *cmr.VALUES.values()}


def test_sequences_differ_in_spacing_count_and_direction() -> None:
    for name in cmr.names(3):
        scans = cmr.truth(name).scans
        counts = {key: scan.shape[2] for key, scan in scans.items()}
        assert min(counts, key=lambda key: counts[key]) == cmr_study.REFERENCE
        assert len({*counts.values()}) == len(counts)
        steps = {key: np.linalg.norm(scan.matrix[:3, :3], axis=0) for key, scan in scans.items()}
        assert np.allclose([s[0] for s in steps.values()], [1.172, 0.8929, 0.8929])
        assert np.allclose([s[2] for s in steps.values()], [8.0, 10.0, 9.0])
        up = scans["bSSFP"].matrix[:3, 2] @ scans["LGE"].matrix[:3, 2]
        assert up < 0 < scans["bSSFP"].matrix[:3, 2] @ scans["T2w"].matrix[:3, 2]


def test_a_subject_is_always_the_same_and_others_differ() -> None:
    cmr_study.study.cache_clear()
    first = cmr.truth("101").image("LGE")
    cmr_study.study.cache_clear()
    assert np.array_equal(cmr.truth("101").image("LGE"), first)
    assert cmr.truth("104").direction != cmr.truth("101").direction


@pytest.mark.parametrize("number", range(6))
def test_tissue_is_found_again(number: int) -> None:
    random = np.random.default_rng(number)
    warp = cmr_motion.random_warp(random, cmr_study.WARP)
    points = random.uniform(-110, 110, (500, 2))
    affine = cmr_motion.random_affine(random)
    motion = cmr_motion.Motion(affine, warp, random.uniform(-36, 36), np.array([6.0, 2.0]))
    assert np.allclose(motion.shown(motion.tissue(points)), points, atol=1e-6)
    assert np.abs(warp.at(points)).max() <= cmr_study.WARP
    assert 0.5 < np.linalg.det(affine[:2, :2]) < 1.5


@pytest.mark.parametrize(("fixed", "moving"), PAIRS)
def test_the_truth_lays_the_hearts_on_one_another(fixed: str, moving: str) -> None:
    study = cmr.truth("101")
    before, after, scar = [], [], []
    for here, there in nearest(study, fixed, moving):
        points, onto = plane(study, fixed, here), plane(study, moving, there)[0, 0]
        labels, other = study.labels_at(points, fixed), study.labels(moving)[:, :, there]
        into = np.linalg.inv(study.scans[moving].matrix)
        found = []
        height = (onto - points[0, 0]) @ study.axes[:, 2] * study.axes[:, 2]
        for places in (points + height, study.moved(points, fixed, moving, onto)):
            assert np.allclose(phantom.moved(places, into)[..., 2], there)
            i, j = np.moveaxis(np.rint(phantom.moved(places, into)[..., :2]).astype(int), -1, 0)
            inside = (i >= 0) & (j >= 0) & (i < other.shape[0]) & (j < other.shape[1])
            found.append(np.where(inside, other[i * inside, j * inside], 0))
        before.append(dice(muscle(labels), muscle(found[0])))
        after.append(dice(muscle(labels), muscle(found[1])))
        scar.append(dice(labels == heart.SCAR, found[1] == heart.SCAR))
    assert np.mean(before) < 0.85
    assert min(after) > 0.95
    assert min(scar) > 0.9


def test_dicom_names_are_shuffled_and_headers_tell_the_place(dicom: Path) -> None:
    study = cmr.truth("101")
    for sequence, folder in cmr.SERIES.items():
        found = [pydicom.dcmread(path) for path in sorted((dicom / "101" / folder).iterdir())]
        numbers = [int(one.InstanceNumber) for one in found]
        assert numbers != sorted(numbers)
        assert sorted(numbers) == [n + 1 for n in range(study.scans[sequence].shape[2])]
        assert {one.SeriesDescription for one in found} == {folder}
        for one in found:
            place = study.scans[sequence].matrix @ [0, 0, one.InstanceNumber - 1, 1]
            assert np.allclose(np.array(one.ImagePositionPatient) * [-1, -1, 1], place[:3])
            axes = np.array(one.ImageOrientationPatient).reshape(2, 3) * [-1, -1, 1]
            assert np.allclose(axes, study.axes[:, :2].T)
            assert np.abs(axes).max() < 0.99  # oblique


def test_both_forms_hold_the_same(nifti: Path, dicom: Path) -> None:
    volume = array(nifti / "train25/myops_training_101_DE.nii.gz")
    for path in (dicom / "101" / cmr.SERIES["LGE"]).iterdir():
        one = pydicom.dcmread(path)
        assert np.array_equal(one.pixel_array.T, volume[:, :, one.InstanceNumber - 1])
    masks = (
        nifti / "train25/myops_training_101_DE_mask.nii.gz",
        dicom / "101/LGE_PSIR_sax_mask.nii.gz",
    )
    assert masks[0].read_bytes() == masks[1].read_bytes()
