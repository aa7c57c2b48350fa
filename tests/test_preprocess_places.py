"""Where the voxels of preprocessed images are: as headers say, as ITK reads it, however turned."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from conftest import preprocess
from scipy import ndimage
from small_studies import QUICK, affine_of, edit, file, record_of, save, values

from bidsify.demo import cmr
from bidsify.preprocessing.stack import SEQUENCES
from bidsify.preprocessing.transforms import to_scanner
from bidsify.volume import Array


def image_of(out: Path, sequence: str, ending: str = "*_T?w.nii.gz") -> Path:
    (found,) = out.glob(f"sub-101/anat/*_acq-{sequence}_{ending}")
    return found


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_itk_makes_the_same_of_the_source(sequence: str, studies: Path, processed: Path) -> None:
    itk = pytest.importorskip("SimpleITK")
    ours = itk.ReadImage(str(image_of(processed, sequence)), itk.sitkFloat64)
    source = itk.ReadImage(str(file(studies, "101", sequence)), itk.sitkFloat64)
    field = processed / f"sub-101/xfm/sub-101_acq-{sequence}_xfm.nii.gz"
    moved = itk.Transform(3, itk.sitkIdentity)
    if field.is_file():
        vectors = itk.ReadImage(str(field), itk.sitkVectorFloat64)
        moved = itk.DisplacementFieldTransform(vectors)
    found = itk.GetArrayFromImage(itk.Resample(source, ours, moved)).T
    wanted = itk.GetArrayFromImage(ours).T
    whole = values(file(studies, "101", sequence))
    low, high = float(whole.min()), float(whole.max())
    assert np.mean(np.abs((found - low) / (high - low) * 255 - wanted) < 0.5) > 0.98


def drifting(path: Path) -> None:
    image = nib.Nifti1Image.from_filename(path)
    matrix = np.array(image.affine)
    matrix[:3, 2] += 0.3 * matrix[:3, 0]
    image.set_sform(matrix, 1)
    image.set_qform(None, 0)
    save(path, image)


def test_slices_that_drift_within_their_plane(own_studies: Path, tmp_path: Path) -> None:
    for what in ("", "_mask"):
        drifting(file(own_studies, "101", "LGE", what))
    options = ("--steps", "slices,normalise,affine,crop", "--participant-label", "101")
    assert preprocess(own_studies, tmp_path / "out", *options).code == 0
    for sequence in SEQUENCES:
        matrix = affine_of(image_of(tmp_path / "out", sequence))
        axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
        assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-6)  # as ITK demands
    record = record_of(own_studies, tmp_path / "out", "101", "LGE")
    corner = to_scanner(np.array([[0.0, 0.0, 1.0]]), record)
    source = affine_of(file(own_studies, "101", "LGE"))
    one = record.slices[1]
    pixel = (one.frame @ [*one.offset, 1])[:2]
    expected = source[:3] @ [*pixel, one.source_slice, 1]
    np.testing.assert_allclose(corner, [expected], atol=1e-3)


@pytest.mark.parametrize("degrees", [20, 45, 135])
@pytest.mark.parametrize("with_masks", [True, False])
def test_fields_of_view_that_are_turned(
    degrees: int,
    with_masks: bool,  # noqa: FBT001
    own_studies: Path,
    tmp_path: Path,
) -> None:
    """The headers tell the turn; what is shown is the same."""
    angle = np.deg2rad(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    for what in ("", "_mask"):
        path = file(own_studies, "101", "T2w", what)
        reference = file(own_studies, "101", "LGE", what)
        turned(path, reference, turn)
    if not with_masks:
        for sequence in SEQUENCES:
            file(own_studies, "101", sequence, "_mask").unlink()
    options = ("--steps", "slices,normalise,affine,crop", "--participant-label", "101")
    ran = preprocess(own_studies, tmp_path / "out", *options)
    assert (ran.code, ran.failures) == (0, [])
    one, other = (values(image_of(tmp_path / "out", name)).astype(float) for name in ("LGE", "T2w"))
    for n in range(one.shape[2]):
        assert np.corrcoef(one[..., n].ravel(), other[..., n].ravel())[0, 1] > 0.97


def turned(path: Path, like: Path, turn: Array) -> None:
    """Write an image of the same anatomy as another, on pixels that are turned in the plane."""
    image = nib.Nifti1Image.from_filename(like)
    data, matrix = np.asanyarray(image.dataobj), np.array(image.affine)
    middle = np.eye(4)
    middle[:2, 3] = (np.array(data.shape[:2]) - 1) / 2
    back = middle @ turn @ np.linalg.inv(middle)
    order = 0 if "mask" in path.name else 1
    found = ndimage.affine_transform(data, back[:3, :3], back[:3, 3], order=order)
    save(path, nib.Nifti1Image(found.astype(data.dtype), matrix @ back, image.header))


def test_slices_that_are_not_evenly_apart(tmp_path: Path) -> None:
    cmr.make_studies(tmp_path / "dicom", subjects=1, form="dicom")
    folder = tmp_path / "dicom/101" / cmr.SERIES["LGE"]
    by_place = sorted(
        folder.iterdir(), key=lambda path: pydicom.dcmread(path).ImagePositionPatient[2]
    )
    by_place[3].unlink()
    for path in (tmp_path / "dicom/101").glob("*.nii.gz"):
        path.unlink()  # masks, which are of all slices
    ran = preprocess(tmp_path / "dicom", tmp_path / "out", "--steps", QUICK)
    assert ran.code == 0, ran.err
    assert "slices are not evenly apart, so that their header places some up to" in ran.err
    image = image_of(tmp_path / "out", "LGE")
    places = json.loads(image.with_name(image.name.replace("nii.gz", "json")).read_bytes())
    steps = np.abs(np.diff(places["SlicePlaces"]))
    assert steps.max() == pytest.approx(2 * steps.min(), rel=0.01)


def test_few_bright_pixels_are_said(own_studies: Path, tmp_path: Path) -> None:
    def bright(data: Array) -> Array:
        changed = data.copy()
        changed[3, 3, 1] = 30000
        return changed

    edit(file(own_studies, "101", "T2w"), bright)
    edit(file(own_studies, "101", "LGE"), np.ones_like)
    ran = preprocess(own_studies, tmp_path / "out", "--steps", QUICK)
    assert "sub-101: T2w: a few pixels, up to 30000, are far brighter than all others" in ran.err
    assert "sub-101: LGE: all pixels have the value 1" in ran.err


def test_a_mask_of_one_pixel_is_no_guide(own_studies: Path, tmp_path: Path) -> None:
    """It may be lost when it is resampled; the slice then goes by its images."""

    def tiny(data: Array) -> Array:
        changed = data.copy()
        i, j = np.argwhere(data[:, :, 1])[0]
        changed[:, :, 1] = 0
        changed[i, j, 1] = 200
        return changed

    edit(file(own_studies, "101", "T2w", "_mask"), tiny)
    steps = ("--steps", "slices,normalise,affine,nonrigid,crop", "--participant-label", "101")
    ran = preprocess(own_studies, tmp_path / "out", *steps)
    assert (ran.code, ran.failures) == (0, [])


def test_what_is_aligned_stays_so(own_studies: Path, tmp_path: Path) -> None:
    """A step that makes the masks fit worse is left out."""
    for sequence in ("bSSFP", "T2w"):
        for what in ("", "_mask"):
            shutil.copyfile(
                file(own_studies, "101", "LGE", what), file(own_studies, "101", sequence, what)
            )
    ran = preprocess(own_studies, tmp_path / "out", "--participant-label", "101")
    assert ran.code == 0
    lines = (tmp_path / "out/quality.tsv").read_text().splitlines()
    for line in lines[1:]:
        cells = dict(zip(lines[0].split("\t"), line.split("\t"), strict=True))
        assert float(cells["dice_nonrigid"]) == float(cells["dice_affine"]) == 1
