"""The steps of the preprocessing one by one, and the way back from each voxel to its source."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import strategies  # noqa: F401 - the profile of hypothesis
from conftest import preprocess
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from small_studies import affine_of, file, job_of, record_of, study_of, values

from bidsify.preprocessing import normalisation, registration, study, transforms
from bidsify.preprocessing.labels import coding_of, masks
from bidsify.preprocessing.options import Options, Step
from bidsify.preprocessing.registered import Registered
from bidsify.preprocessing.stack import SEQUENCES
from bidsify.preprocessing.transforms import extent
from bidsify.source import open_source
from bidsify.source.reading import Reading
from bidsify.volume import Array

LABELS = {0, 200, 500, 600, 1220, 2221}
OTHERS = ("bSSFP", "T2w")


def registered(source: Path, *steps: Step) -> Registered:
    stacks = study.read(study_of(source, "101"), Reading(open_source(source)))
    return registration.register(stacks, Options(steps=steps), "sub-101")


def output(source: Path, out: Path, part: str, sequence: str, subject: str = "101") -> Path:
    return out / job_of(source, subject, part, sequence).target


# Steps


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ("slices", 272),  # the largest side of all
        ("slices,crop", 128),
        ("slices,normalise", 224),
        ("slices,affine", 264),  # the larger side of LGE
        ("slices,normalise,nonrigid", 224),
        ("crop,normalise,slices,affine", 128),  # in whichever order they are named
    ],
)
def test_a_step_that_is_left_out_is_the_identity(
    steps: str, size: int, studies: Path, tmp_path: Path
) -> None:
    options = ("--steps", steps, "--participant-label", "101")
    ran = preprocess(studies, tmp_path / "out", *options)
    assert (ran.code, ran.failures) == (0, []), ran.err
    for sequence in SEQUENCES:
        image = output(studies, tmp_path / "out", "image", sequence)
        labels = output(studies, tmp_path / "out", "labels", sequence)
        record = record_of(studies, tmp_path / "out", "101", sequence)
        assert values(image).shape == values(labels).shape == (size, size, 2)
        assert set(np.unique(values(labels)).tolist()) == LABELS
        identity = [np.array_equal(one.affine, np.eye(3)) for one in record.slices]
        assert all(identity) == ("affine" not in steps or sequence == "LGE")
        moved = [extent(one.displacement)[2] > 1e-3 for one in record.slices]
        assert all(moved) == any(moved) == ("nonrigid" in steps and sequence != "LGE")
        assert ("crop" in steps) == (record.slices[0].offset != (0, 0))
        sidecar = json.loads(image.with_name(image.name.replace("nii.gz", "json")).read_bytes())
        assert sidecar["Steps"] == [s for s in STEPS if s in steps]
        assert ("IntensityLimits" in sidecar) == ("normalise" in steps)
        assert (sidecar["RegionOfInterestBy"] == "none") == ("crop" not in steps)
        if "normalise" in steps:
            assert 0 <= values(image).min() < values(image).max() <= 255


STEPS = ("slices", "normalise", "affine", "nonrigid", "crop")


def test_slices_alone_keep_pixels_and_places(studies: Path, tmp_path: Path) -> None:
    assert preprocess(studies, tmp_path / "out", "--steps", "slices").code == 0
    for sequence in SEQUENCES:
        path = output(studies, tmp_path / "out", "image", sequence)
        found, (i, j, _) = values(path), values(file(studies, "101", sequence)).shape
        source = nib.Nifti1Image.from_filename(file(studies, "101", sequence))
        record = record_of(studies, tmp_path / "out", "101", sequence)
        matched = [one.source_slice for one in record.slices]
        start = [(272 - length + 1) // 2 for length in (i, j)]
        inner = found[start[0] : start[0] + i, start[1] : start[1] + j]
        assert np.array_equal(inner, np.asanyarray(source.dataobj)[:, :, matched])
        here = affine_of(path) @ [*start, 0, 1]
        assert np.allclose(here, source.affine @ [0, 0, matched[0], 1], atol=1e-3)
        sidecar = json.loads(path.with_name(path.name.replace("nii.gz", "json")).read_bytes())
        assert sidecar["SpatialReference"] == "orig"
        assert "RegisteredBy" not in sidecar


def test_without_slices_they_are_paired_by_number(
    studies: Path, own_studies: Path, tmp_path: Path
) -> None:
    ran = preprocess(studies, tmp_path / "out", "--steps", "normalise,crop")
    assert ran.code == 1
    assert ran.failures == [
        f"sub-{subject}: 4 of bSSFP, 2 of LGE, 4 of T2w: slices are paired by number only where "
        "there are equally many; add 'slices' to --steps"
        for subject in ("101", "102")
    ]
    for sequence in OTHERS:
        for what in ("", "_mask"):
            path = file(own_studies, "101", sequence, what)
            path.write_bytes(shortened(path))
    ran = preprocess(own_studies, tmp_path / "equal", "--steps", "normalise,crop")
    assert len(ran.failures) == 1
    record = record_of(own_studies, tmp_path / "equal", "101", "T2w")
    assert [one.source_slice for one in record.slices] == [0, 1]


def shortened(path: Path) -> bytes:
    from bidsify.demo import native

    return native.gzipped(nib.Nifti1Image.from_filename(path).slicer[:, :, :2].to_bytes())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--steps", "crop,sharpen"), "no step 'sharpen'; there are slices, normalise"),
        (("--bound", "0"), "must be positive"),
        (("--bound", "-1"), "must be positive"),
        (("--bound", "inf"), "must be positive"),
        (("--bound", "nan"), "must be positive"),
    ],
)
def test_options_that_make_no_sense(
    options: tuple[str, ...], sentence: str, studies: Path, tmp_path: Path
) -> None:
    ran = preprocess(studies, tmp_path / "out", *options)
    assert ran.code == 2
    assert sentence in ran.error
    assert not (tmp_path / "out").exists()


def test_each_step_brings_the_muscle_closer(studies: Path) -> None:
    ways: list[tuple[Step, ...]] = [(), ("affine",), ("nonrigid",), ("affine", "nonrigid")]
    dice = {steps: overlap(registered(studies, "slices", "normalise", *steps)) for steps in ways}
    assert dice[()] < dice[("affine",)] < dice[("affine", "nonrigid")]
    assert dice[()] < dice[("nonrigid",)] <= dice[("affine", "nonrigid")]


def overlap(found: Registered) -> float:
    """Return the mean Dice of the muscle with that of the reference."""
    muscle = [*coding_of(LABELS, "").muscle]
    shares = []
    for number in range(len(found.matches.rows)):
        drawn = {
            name: np.isin(np.asarray(found.labels(name, number)), muscle) for name in SEQUENCES
        }
        for name in OTHERS:
            both = drawn[name].sum() + drawn["LGE"].sum()
            shares.append(2 * (drawn[name] & drawn["LGE"]).sum() / both)
    return float(np.mean(shares))


@given(hnp.arrays(np.int16, (7, 9), elements=st.sampled_from([0, 200, 500, 2221])))
def test_masks_are_the_muscle_and_what_it_encloses(drawn: Array) -> None:
    muscle, filled = masks(drawn, coding_of(LABELS, ""))
    assert np.array_equal(muscle, np.isin(drawn, [200, 2221]))
    assert np.array_equal(filled, ndimage.binary_fill_holes(muscle))


# The way back


@pytest.mark.parametrize("subject", ["101", "102"])
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_record_maps_there_and_back(
    sequence: str, subject: str, studies: Path, processed: Path
) -> None:
    record = record_of(studies, processed, subject, sequence)
    points = np.random.default_rng(1).uniform(0, [127, 127, 0], (2000, 3))
    points[:, 2] = np.random.default_rng(2).integers(0, 2, 2000)
    back = transforms.from_scanner(transforms.to_scanner(points, record), record)
    assert np.abs(back - points).max() < 1e-2


@pytest.mark.parametrize("subject", ["101", "102"])
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_voxel_holds_what_the_source_holds_at_its_place(
    sequence: str, subject: str, studies: Path, processed: Path
) -> None:
    """Found by the position in the scanner and the header of the source alone."""
    record = record_of(studies, processed, subject, sequence)
    image = values(output(studies, processed, "image", sequence, subject))
    points = np.random.default_rng(3).integers(0, image.shape, (3000, 3))
    places = in_source(file(studies, subject, sequence), transforms.to_scanner(points, record))
    assert np.abs(places[:, 2] - np.rint(places[:, 2])).max() < 1e-3
    grey = values(file(studies, subject, sequence))
    grey = normalisation.rescaled(grey, (grey.min(), grey.max()))
    places[:, 2] = np.rint(places[:, 2])
    wanted = ndimage.map_coordinates(grey, places.T, order=1, mode="constant")
    inside = ((places[:, :2] >= 0) & (places[:, :2] <= np.array(grey.shape[:2]) - 1)).all(1)
    assert inside.mean() > 0.9
    assert np.abs(image[tuple(points.T)] - wanted)[inside].max() < 0.1


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_label_is_that_of_the_nearest_pixel(
    sequence: str, studies: Path, processed: Path
) -> None:
    record = record_of(studies, processed, "101", sequence)
    labels = values(output(studies, processed, "labels", sequence))
    points = np.argwhere(np.ones(labels.shape))
    places = in_source(file(studies, "101", sequence), transforms.to_scanner(points, record))
    source = values(file(studies, "101", sequence, "_mask"))
    clear = np.abs(np.abs(places[:, :2] - np.rint(places[:, :2])) - 0.5).min(1) > 1e-2
    nearest = np.rint(places).astype(int)
    clear &= ((nearest >= 0) & (nearest < source.shape)).all(1)
    assert clear.mean() > 0.9
    assert np.array_equal(labels.reshape(-1)[clear], source[tuple(nearest[clear].T)])
    assert set(np.unique(labels)) == set(np.unique(source)) == LABELS


def in_source(path: Path, places: Array) -> Array:
    """Return the voxels of a file at positions in the scanner."""
    affine = np.asarray(nib.Nifti1Image.from_filename(path).affine)
    found: Array = nib.affines.apply_affine(np.linalg.inv(affine), places)
    return found


def test_the_reference_lies_in_the_scanner_where_its_header_says(
    studies: Path, processed: Path
) -> None:
    record = record_of(studies, processed, "101", "LGE")
    image = nib.Nifti1Image.from_filename(output(studies, processed, "image", "LGE"))
    points = np.array([[0, 0, 0], [127, 0, 1], [3, 99, 1], [64, 64, 0]])
    wanted = nib.affines.apply_affine(image.affine, points)
    assert np.allclose(transforms.to_scanner(points, record), wanted, atol=1e-3)
