"""The synthetic sources with vestibular schwannomas are what they claim to be."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from conftest import assert_same
from demo_files import files

from bidsify import demo
from bidsify.demo import (
    cerebellopontine,
    crossmoda2022,
    crossmoda2023,
    phantom,
    schwannoma_cases,
    vsseg,
)
from bidsify.demo.schwannoma_cases import CASES
from bidsify.readers import dicom

if TYPE_CHECKING:
    from pathlib import Path

    from bidsify.demo.schwannoma_cases import Case

NAMES = ("crossmoda2021", "crossmoda2022", "crossmoda2023", "vsseg", "vssegnifti")
NIFTI = tuple(name for name in NAMES if name != "vsseg")
STYLES = ("descriptive", "classic")
COLLECTION = "manifest-1614264588831/Vestibular-Schwannoma-SEG"
SERIES = tuple(itertools.product(CASES, ("t1", "t2")))
BELOW_ONE = 0.9999999997671694
every_series = pytest.mark.parametrize(
    ("case", "weighting"), SERIES, ids=[f"{case.number}-{w}" for case, w in SERIES]
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("schwannoma")
    for name in NAMES:
        demo.make(name, root / name)
    for style in STYLES:
        vsseg.tcia(root / style, style=style)
    return root


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def series_folder(sources: Path, case: Case, weighting: str) -> Path:
    return sources / "vsseg" / f"vs_gk_{case.number}_{weighting}"


def slices(folder: Path) -> dict[str, pydicom.Dataset]:
    found = (pydicom.dcmread(path) for path in sorted(folder.glob("IMG*.dcm")))
    return {one.SOPInstanceUID: one for one in found}


def transform(folder: Path) -> np.ndarray[Any, Any]:
    (path,) = folder.glob("*.tfm")
    lines = dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)
    assert lines["Transform"] == "AffineTransform_double_3_3"
    assert lines["FixedParameters"] == "0 0 0"
    numbers = [float(number) for number in lines["Parameters"].split()]
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.reshape(numbers[:9], (3, 3)), numbers[9:]
    return matrix


def drawn(folder: Path) -> dict[str, list[tuple[str, np.ndarray[Any, Any]]]]:
    """Return the contours of a structure set by name, each with the slice that it names."""
    dataset = pydicom.dcmread(folder / "RTSS.dcm")
    names = {roi.ROINumber: roi.ROIName for roi in dataset.StructureSetROISequence}
    found: dict[str, list[tuple[str, np.ndarray[Any, Any]]]] = {}
    for roi in dataset.ROIContourSequence:
        contours = found.setdefault(names[roi.ReferencedROINumber], [])
        for contour in roi.ContourSequence:
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            (image,) = contour.ContourImageSequence
            contours.append((image.ReferencedSOPInstanceUID, points))
    return found


def within(places: np.ndarray[Any, Any], polygon: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Tell which places (..., 2) lie in a polygon (points, 2), by counting crossings."""
    odd = np.zeros(places.shape[:-1], dtype=bool)
    x, y = places[..., 0], places[..., 1]
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd


def test_the_shared_modules_are_no_datasets() -> None:
    assert set(NAMES) <= set(demo.names())
    shared = {"cerebellopontine", "crossmoda", "radiotherapy"}
    assert not {*demo.names()} & (shared | {"schwannoma_cases", "schwannoma_series"})


@pytest.mark.parametrize("name", NIFTI)
def test_voxels_are_measured_in_millimetres(name: str, sources: Path) -> None:
    found = [file for path, file in files(sources / name).items() if path.endswith(".nii.gz")]
    assert found
    for file in found:
        assert nib.load(file).header.get_xyzt_units()[0] == "mm", file


@pytest.mark.parametrize("style", STYLES)
def test_a_download_is_the_same_bytes_each_time(style: str, sources: Path, tmp_path: Path) -> None:
    vsseg.tcia(tmp_path, style=style)
    assert_same(tmp_path, sources / style)


# crossMoDA


@pytest.mark.parametrize("name", ["crossmoda2021", "crossmoda2022", "crossmoda2023"])
def test_labels_lie_on_the_grid_of_their_image_and_on_what_they_name(
    name: str, sources: Path
) -> None:
    values = {0, 1, 2, 3} if name == "crossmoda2023" else {0, 1, 2}
    found = [file for file in files(sources / name).values() if file.name.endswith("Label.nii.gz")]
    assert len(found) >= 2
    for file in found:
        labels, image = nib.load(file), nib.load(str(file).replace("Label", "ceT1"))
        assert np.array_equal(labels.affine, image.affine)
        data, grey = np.round(labels.get_fdata()).astype(int), np.asanyarray(image.dataobj)
        assert data.shape == grey.shape
        assert set(np.unique(data)) == values
        cochlea = max(values)
        tumour = (data > 0) & (data < cochlea)
        assert np.median(grey[tumour]) > 2 * np.median(grey)
        assert np.median(grey[data == cochlea]) < np.median(grey)


def test_sides_differ_from_case_to_case(sources: Path) -> None:
    folder = sources / "crossmoda2021/crossmoda_training/source_training"
    sides = []
    for number in "12":
        image = nib.load(folder / f"crossmoda_{number}_Label.nii.gz")
        inside = np.argwhere(np.asanyarray(image.dataobj) == 1)
        sides.append(
            (inside.mean(axis=0) - (np.array(image.shape) - 1) / 2)[0] * image.affine[0, 0]
        )
    assert sides[0] < -5  # left
    assert sides[1] > 5


def test_fluid_is_bright_in_t2_and_dark_in_t1() -> None:
    head = cerebellopontine.Head(tumour=cerebellopontine.schwannoma())
    points = np.array([[-27.0, -5, -0.5], [14.5, 4, 0.4], [0.0, 26, -1]])
    ear, tumour, brain = cerebellopontine.scan(points, head, "T2")
    assert ear > 2 * tumour > 2 * brain
    ear, tumour, brain = cerebellopontine.scan(points, head, "ceT1")
    assert tumour > 2 * brain > 2 * ear


def test_labels_of_tilburg_decode_a_little_below_whole_numbers(sources: Path) -> None:
    folder = sources / "crossmoda2022/crossmoda2022_training/training_source"
    image = nib.load(folder / "crossmoda2022_etz_0_Label.nii.gz")
    assert image.get_data_dtype() == np.uint16
    assert set(np.unique(image.get_fdata())) == {0.0, BELOW_ONE, 2 * BELOW_ONE}
    assert set(np.unique(image.get_fdata().astype(np.uint8))) == {0, 1}  # what truncation makes
    assert set(np.unique(image.dataobj.get_unscaled())) == {0, 257, 514}
    assert float(np.float32(crossmoda2022._SLOPE)) == crossmoda2022._SLOPE
    other = nib.load(folder / "crossmoda2021_ldn_1_Label.nii.gz")
    assert set(np.unique(other.get_fdata())) == {0.0, 1.0, 2.0}


def test_the_table_of_2022_names_the_labelled_cases(sources: Path) -> None:
    root = sources / "crossmoda2022/crossmoda2022_training"
    rows = table(root / "infos_source_training.csv")
    cases = [file.name.removesuffix("_ceT1.nii.gz") for file in root.rglob("*_ceT1.nii.gz")]
    assert [row["crossmoda_name"] for row in rows] == sorted(cases)
    assert [row["center"] for row in rows] == ["ldn", "ldn", "etz"]
    assert [row["koos"] for row in rows] == ["3", "post-operative-london", "4"]


def test_the_table_of_2023_is_that_of_its_labels(sources: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(crossmoda2023.LABEL_TABLE), delimiter="\t"))
    assert list(rows[0]) == ["index", "name", "abbreviation"]
    assert [row["index"] for row in rows] == ["0", "1", "2", "3"]
    names = [row["name"].split()[0] for row in rows]
    assert names == ["Background", "Extra-meatal", "Intra-meatal", "Cochlea"]
    for file in (sources / "crossmoda2023").rglob("*_Label.nii.gz"):
        image = nib.load(file)
        data = np.asanyarray(image.dataobj)
        outside, inside = (np.argwhere(data == value) for value in (1, 2))
        assert len(outside) > 2 * len(inside)
        middle = (data.shape[0] - 1) / 2
        assert abs(inside[:, 0].mean() - middle) > abs(outside[:, 0].mean() - middle)


# Vestibular-Schwannoma-SEG


def test_the_cases_hold_what_is_hard_about_the_dataset() -> None:
    names = {case.number: [one.name for one in case.structures] for case in CASES}
    assert names == {
        1: ["TV", "Cochlea"],
        12: ["AN", "Vol2016", "Cochlea"],
        47: ["tv"],
        63: ["Men", "cochlea", "vol 2y"],
    }
    found = {case.number: schwannoma_cases.masks(case, "t1") for case in CASES}
    assert not (found[1]["TV"][0] & found[1]["Cochlea"][0]).any()
    first, second = found[12]["AN"][0], found[12]["Vol2016"][0]
    assert min((first & second).sum(), (first & ~second).sum(), (second & ~first).sum()) > 20
    for masks in found.values():
        for mask, sure in masks.values():
            assert (mask & sure).sum() > 20
            assert sure.mean() > 0.99


@every_series
def test_the_slices_give_the_grid_and_the_image(case: Case, weighting: str, sources: Path) -> None:
    folder = series_folder(sources, case, weighting)
    paths = sorted(folder.glob("IMG*.dcm"))
    read = dicom.read_slices([(path.name, path.read_bytes()) for path in paths], pixels=True)
    volume, where = dicom.volume(read), dicom.grid(read)
    stack = case.stack(weighting)
    assert np.allclose(volume.affine, cerebellopontine.to_ras(stack.matrix()), atol=1e-5)
    assert np.array_equal(volume.data, schwannoma_cases.scan(case, weighting))
    assert (where.order[0] > where.order[-1]) == case.is_falling
    first = read[0].dataset
    texts = {"t1": ("t1_fl3d_tra_gk_v1", "*fl3d1"), "t2": ("t2_ci3d_tra_1.5mm_v2_448", "*ci3d1")}
    assert (first.SeriesDescription, first.SequenceName) == texts[weighting]
    assert first.PatientID == f"VS-SEG-{case.number:03d}"
    assert case.t1.shape != case.t2.shape
    assert any(stack.turns) == (case.number == 12)


@every_series
def test_the_objects_of_a_series_are_linked_by_their_identifiers(
    case: Case, weighting: str, sources: Path
) -> None:
    folder = series_folder(sources, case, weighting)
    images = slices(folder)
    image = next(iter(images.values()))
    names = ("RTSS", "RTPLAN", "RTDOSE")
    struct, plan, dose = (pydicom.dcmread(folder / f"{name}.dcm") for name in names)
    (frame,) = struct.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    assert frame.FrameOfReferenceUID == image.FrameOfReferenceUID == struct.FrameOfReferenceUID
    assert study.ReferencedSOPInstanceUID == image.StudyInstanceUID
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    named = [one.ReferencedSOPInstanceUID for one in series.ContourImageSequence]
    assert named == list(images)
    assert plan.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID == struct.SOPInstanceUID
    assert dose.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == plan.SOPInstanceUID
    objects = (image, struct, plan, dose)
    assert [one.Modality for one in objects] == ["MR", "RTSTRUCT", "RTPLAN", "RTDOSE"]
    assert len({one.SeriesInstanceUID for one in objects}) == 4
    assert len({one.StudyInstanceUID for one in objects}) == 1
    assert dose.pixel_array.shape == (3, 4, 5)


@every_series
def test_each_contour_lies_on_the_slice_that_it_names(
    case: Case, weighting: str, sources: Path
) -> None:
    folder = series_folder(sources, case, weighting)
    images = slices(folder)
    found = drawn(folder)
    assert list(found) == [one.name for one in case.structures]
    for contours in found.values():
        for instance, points in contours:
            image = images[instance]
            across, down = np.array(image.ImageOrientationPatient, dtype=float).reshape(2, 3)
            offset = points - np.array(image.ImagePositionPatient, dtype=float)
            assert np.abs(offset @ np.cross(across, down)).max() < 1e-5


@every_series
def test_the_contours_enclose_the_masks(case: Case, weighting: str, sources: Path) -> None:
    folder = series_folder(sources, case, weighting)
    images = slices(folder)
    order = sorted(
        images, key=lambda uid: float(images[uid].ImagePositionPatient[2])
    )  # no stack is turned so far that this would mislead
    back = np.linalg.inv(case.stack(weighting).matrix())
    truth = schwannoma_cases.masks(case, weighting)
    columns_rows = np.stack(np.indices(case.stack(weighting).shape[:2]), axis=-1)
    for name, contours in drawn(folder).items():
        mask, sure = truth[name]
        filled = np.zeros(mask.shape, dtype=bool)
        for instance, points in contours:
            polygon = phantom.moved(points, back)[:, :2]
            filled[:, :, order.index(instance)] ^= within(columns_rows, polygon)
        assert np.array_equal(filled[sure], mask[sure]), name


def test_one_slice_shows_two_parts_and_a_hole(sources: Path) -> None:
    case = next(case for case in CASES if case.number == 47)
    folder = series_folder(sources, case, "t1")
    contours = drawn(folder)["tv"]
    by_slice: dict[str, list[np.ndarray[Any, Any]]] = {}
    for instance, points in contours:
        by_slice.setdefault(instance, []).append(points[:, :2])
    outer, apart, hole = next(found for found in by_slice.values() if len(found) == 3)
    assert within(hole, outer).all()
    assert not within(apart, outer).any()
    assert not within(outer, apart).any()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.number))
def test_the_registrations_are_rigid_and_inverse_to_each_other(case: Case, sources: Path) -> None:
    first, second = (transform(series_folder(sources, case, w)) for w in ("t1", "t2"))
    assert np.abs(first @ second - np.eye(4)).max() < 1e-12
    assert np.abs(first[:3, :3] @ first[:3, :3].T - np.eye(3)).max() < 1e-12
    assert np.linalg.det(first) == pytest.approx(1.0)
    assert np.abs(first - np.eye(4)).max() > 1e-3


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.number))
def test_a_registration_resamples_its_series_onto_the_other_grid(case: Case, sources: Path) -> None:
    """As ITK reads it, the file of T1 maps a point of T2 to its point of T1."""
    of_t2 = phantom.positions(case.t2.shape, case.t2.matrix())
    moved = phantom.moved(of_t2, transform(series_folder(sources, case, "t1")))
    assert np.allclose(phantom.moved(moved, case.to_head("t1")), case.points("t2"), atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.number))
def test_the_contours_in_json_lie_on_slices_of_t1_alone(case: Case, sources: Path) -> None:
    of_t1, of_t2 = (series_folder(sources, case, weighting) for weighting in ("t1", "t2"))
    documents = [json.loads((f / "contours.json").read_text()) for f in (of_t1, of_t2)]
    stated = [pydicom.dcmread(f / "RTSS.dcm").SOPInstanceUID for f in (of_t1, of_t2)]
    assert [one[0]["RTSTRUCT_SOPInstanceUID"] for one in documents] == stated
    to_t2 = transform(of_t2)
    normal = case.t2.matrix()[:3, 2] / case.t2.spacing[2]
    spread = 0.0
    for (name, drawn_ones), one, two in zip(drawn(of_t1).items(), *documents, strict=True):
        assert one["structure_name"] == two["structure_name"] == name
        pairs = zip(drawn_ones, one["LPS_contour_points"], two["LPS_contour_points"], strict=True)
        # The other transform maps what lies in T1 to where it lies in T2.
        for (_, points), here, there in pairs:
            assert np.allclose(points, here, atol=1e-6)
            assert np.allclose(phantom.moved(np.array(here), to_t2), there, atol=1e-6)
            spread = max(spread, float(np.ptp(np.array(there) @ normal)))
    assert spread > 1e-3


@pytest.mark.parametrize("style", STYLES)
def test_the_download_holds_the_same_files_under_other_names(style: str, sources: Path) -> None:
    ours, theirs = files(sources / "vsseg"), files(sources / style)
    rows = table(theirs.pop("DirectoryNamesMappingModality.csv"))
    content = sorted(file.read_bytes() for file in ours.values())
    assert sorted(file.read_bytes() for file in theirs.values()) == content
    contours = {f"contours/{path}" for path in ours if path.endswith(".json")}
    matrices = {f"registration_matrices/{path}" for path in ours if path.endswith(".tfm")}
    assert {path for path in theirs if not path.endswith(".dcm")} == contours | matrices
    column = f"{style.capitalize()} Directory Name"
    named = {f"{COLLECTION}/{row[column]}": row["Modality"] for row in rows}
    folders: dict[str, list[Path]] = {}
    for path, file in theirs.items():
        if path.endswith(".dcm"):
            folders.setdefault(path.rpartition("/")[0], []).append(file)
    assert sorted(named) == sorted(folders)
    assert len(folders) == 8 * len(CASES)
    for folder, inside in folders.items():
        read = [pydicom.dcmread(file) for file in inside]
        assert len({one.SeriesInstanceUID for one in read}) == 1
        assert read[0].PatientID == folder.split("/")[2]
        kind = read[0].Modality
        assert named[folder].split()[1] == ("image" if kind == "MR" else kind)
        first = "1-001.dcm" if style == "descriptive" else "00000001.dcm"
        assert inside[0].name == first
        if style == "classic":
            uids = [read[0].StudyInstanceUID, read[0].SeriesInstanceUID]
            assert folder.split("/")[3:] == uids


def test_another_style_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no style 'short'; there are descriptive, classic"):
        vsseg.tcia(tmp_path, style="short")
    assert not files(tmp_path)


# Their NIfTI files


def test_the_masks_of_the_conversion_are_those_of_the_structures(sources: Path) -> None:
    cases = {case.number: case for case in CASES}
    for path, file in files(sources / "vssegnifti").items():
        image = nib.load(file)
        data = np.asanyarray(image.dataobj)
        case = cases[int(path.split("/")[0].removeprefix("vs_gk_"))]
        grid = path[-len("T1.nii.gz") :][:2].lower()
        what = file.name.removeprefix("vs_gk_").rpartition("_ref")[0]
        stack = case.stack(grid)
        assert np.allclose(image.affine, cerebellopontine.to_ras(stack.matrix()), atol=1e-4)
        if what in {"t1", "t2"}:
            assert np.array_equal(data, schwannoma_cases.scan(case, what, grid))
            continue
        name = case.structures[0].name if what == "seg" else what.split("_")[1]
        assert set(np.unique(data)) == {0, 1}
        assert np.array_equal(data == 1, schwannoma_cases.masks(case, grid)[name][0])


def test_a_registered_t2_shows_the_same_places_as_its_t1() -> None:
    case = next(case for case in CASES if case.number == 12)
    image = schwannoma_cases.scan(case, "t2", "t1")
    assert image.shape == case.t1.shape
    expected = cerebellopontine.scan(case.points("t1"), case.head(), "T2")
    assert np.array_equal(image, expected)
