"""The synthetic sources of ``bidsify demo`` are what they claim to be."""

from __future__ import annotations

import gzip
import itertools
import json
import pickle
import pickletools
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from conftest import NAMES, Make, assert_same
from demo_files import LAYOUTS, LEVELS, array, files
from PIL import Image, ImageDraw

from bidsify import datasets, demo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The sources that this file looks into; those of families have files of their own.
OWN = ("chaos", "ivdm3seg", "lumbosacral", "myops380", "ssmspine")
LARGEST = 2_000_000
#: Files that are no volumes with a content: one that is empty, and one that is encrypted.
WITHOUT_CONTENT = ("empty.nii.gz", "gdencrypt.nii.gz")


def _has_volumes(name: str) -> bool:
    return any(getattr(p, "reader", "") == "nifti" for p in datasets.load(name).products)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    for name in OWN:
        demo.make(name, root / name)
    return root


def test_each_known_dataset_has_a_generator() -> None:
    lacking = sorted({*datasets.names()} - {*demo.names()})
    assert not lacking, f"write bidsify/demo/{lacking[0]}.py with make(folder)"
    assert demo.names() == datasets.names()


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    says = (
        r"'phantom'; there are .*; for a new one write bidsify/demo/phantom\.py with make\(folder"
    )
    with pytest.raises(ValueError, match=says):
        demo.make("phantom", tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_each_making_gives_the_same_bytes(name: str, source: Make, tmp_path: Path) -> None:
    demo.make(name, tmp_path)
    assert files(tmp_path)
    assert_same(tmp_path, source(name))


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_files_are_those_of_the_native_layout(name: str, source: Make) -> None:
    assert list(files(source(name))) == sorted(LAYOUTS[name]())


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_small(name: str, source: Make) -> None:
    assert sum(file.stat().st_size for file in files(source(name)).values()) < LARGEST


@pytest.mark.parametrize("name", [*filter(_has_volumes, NAMES)])
def test_no_flip_and_no_turn_leaves_a_volume_as_it_is(name: str, source: Make) -> None:
    """Else a wrong order or direction of the axes could not be seen."""
    found = [
        file
        for path, file in files(source(name)).items()
        if path.endswith((".nii", ".nii.gz")) and not path.endswith(WITHOUT_CONTENT)
    ]
    assert found
    for file in found:
        volume = array(file)
        for turned in turns(volume):
            is_seen = turned.shape != volume.shape or np.count_nonzero(turned != volume) > 8
            assert is_seen, f"{file}: some turn changes hardly a voxel"


def turns(volume: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a volume with its axes in each other order and direction."""
    for order in itertools.permutations(range(3)):
        for count in range(4):
            for axes in itertools.combinations(range(3), count):
                if order != (0, 1, 2) or axes:
                    yield np.flip(volume.transpose(order), axes)


# MyoPS380


def test_myops380_volumes(sources: Path) -> None:
    shapes = set()
    for path, file in files(sources / "myops380").items():
        image = nib.load(file)
        data = array(file)
        assert data.dtype == np.float32
        assert image.header.get_xyzt_units()[0] == "unknown"
        assert np.array_equal(image.affine, np.eye(4))
        if "label" in path:
            assert set(np.unique(data)) == {0, 1, 2, 3}
            shapes.add(data.shape)
        else:
            assert data.min() >= 0
            assert 150 < data.max() <= 255
    assert len({shape[2] for shape in shapes}) == 3


def test_myops380_scar_is_bright_in_lge_and_oedema_in_t2w(sources: Path) -> None:
    root = sources / "myops380/MyoPS380_dataset/Raw_data"
    for case in ("0001", "0002", "0006"):
        label = array(root / f"label/case{case}_gt.nii.gz")
        late, edema = array(root / f"LGE/case{case}.nii.gz"), array(root / f"T2w/case{case}.nii.gz")
        assert late[label == 2].mean() > 2 * late[label == 1].mean()
        assert edema[label == 3].mean() > 1.3 * edema[label == 1].mean()


def test_myops380_one_gzip_header_keeps_name_and_time(sources: Path) -> None:
    heads = {path: file.read_bytes()[:10] for path, file in files(sources / "myops380").items()}
    named = [path for path, head in heads.items() if head[3] or head[4:8] != bytes(4)]
    assert named == ["MyoPS380_dataset/Raw_data/LGE/case0002.nii.gz"]
    file = sources / "myops380" / named[0]
    assert b"case0002.nii\0" in file.read_bytes()[:40]
    assert len(gzip.decompress(file.read_bytes())) > 352


# SSMSpine


def spine(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    with zipfile.ZipFile(file) as archive:
        return pickle.loads(archive.read(f"{file.stem}/data.pkl"))


def test_ssmspine_archives_have_the_layout_of_torch(sources: Path) -> None:
    for file in files(sources / "ssmspine").values():
        with zipfile.ZipFile(file) as archive:
            records = archive.infolist()
            data = archive.read(f"{file.stem}/data.pkl")
            assert archive.read(f"{file.stem}/byteorder") == b"little"
            assert archive.read(f"{file.stem}/version") == b"3\n"
        assert {record.filename.partition("/")[0] for record in records} == {file.stem}
        assert {record.compress_type for record in records} == {zipfile.ZIP_STORED}
        codes = list(pickletools.genops(data))
        assert codes[0][1] == 2
        assert {argument for code, argument, _ in codes if code.name == "GLOBAL"} == {
            "numpy.core.multiarray _reconstruct",
            "numpy ndarray",
            "numpy dtype",
            "_codecs encode",
        }


def test_ssmspine_arrays(sources: Path) -> None:
    for file in files(sources / "ssmspine").values():
        content = spine(file)
        for key in ("img", "img_corrected", "img_equalized"):
            image = content[key]
            assert (image.shape, image.dtype) == ((128, 120), np.float32)
            assert image.min() >= 0
            assert 0.5 < image.max() <= 1
        label, mask = content["label"], content["mask"]
        assert (label.shape, label.dtype, mask.shape) == ((1, 128, 120), np.uint8, (11, 128, 120))
        assert set(np.unique(label)) == set(range(12))
        assert np.array_equal(content["bone_mask"], mask[:6])
        assert np.array_equal(content["disk_mask"], mask[6:])
        assert np.array_equal(mask.any(axis=0), label[0] > 0)
        for value in range(1, 12):
            assert mask[value - 1][label[0] == value].all()
        assert 50 < (mask.sum(axis=0) > 1).sum() < 600
        assert len(content) == 10


def test_ssmspine_landmarks_outline_the_masks_as_x_and_y(sources: Path) -> None:
    for file in files(sources / "ssmspine").values():
        content = spine(file)
        assert content["bone"].shape == (6, 236, 2)
        assert content["disk"].shape == (5, 176, 2)
        assert content["shape"].shape == (1696, 2)
        assert {content[key].dtype for key in ("bone", "disk", "shape")} == {np.dtype("f4")}
        for outline, mask in zip(
            (*content["bone"], *content["disk"]), content["mask"], strict=True
        ):
            assert overlap(outline, mask) > 0.85
            assert overlap(outline[:, ::-1], mask) < 0.7
        parts = np.concatenate([content["bone"].reshape(-1, 2), content["disk"].reshape(-1, 2)])
        assert {tuple(point) for point in content["shape"]} == {tuple(point) for point in parts}


def overlap(outline: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> float:
    picture = Image.new("1", mask.shape[::-1])
    ImageDraw.Draw(picture).polygon([tuple(point) for point in outline.tolist()], fill=1)
    filled = np.asarray(picture)
    return float(2 * (filled & (mask > 0)).sum() / (filled.sum() + (mask > 0).sum()))


# Lumbosacral spine


def marker(file: Path) -> dict[str, Any]:
    (markup,) = json.loads(file.read_text())["markups"]
    return markup


def positions(file: Path) -> np.ndarray[Any, Any]:
    return np.array([point["position"] for point in marker(file)["controlPoints"]])


def voxels(points: np.ndarray[Any, Any], image: Any) -> np.ndarray[Any, Any]:
    return nib.affines.apply_affine(np.linalg.inv(image.affine), points * [-1, -1, 1])


def test_lumbosacral_images(sources: Path) -> None:
    for subject in ("sub-01", "sub-14"):
        anat = sources / f"lumbosacral/rawdata/{subject}/anat"
        for sequence, axes, step in (
            ("CISS", "RAS", 2.0 if subject == "sub-01" else 1.8),
            ("DESS", "RAS", 1.2656),
            ("T2TSE", "PSR", 3.3),
        ):
            image = nib.load(anat / f"{subject}_{sequence}.nii.gz")
            assert "".join(nib.aff2axcodes(image.affine)) == axes
            assert image.get_data_dtype() == np.int16
            assert image.header.get_xyzt_units()[0] == "mm"
            assert image.header.get_zooms()[2] == pytest.approx(step)
            assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-3)
            assert json.loads((anat / f"{subject}_{sequence}.json").read_text())["EchoTime"] < 1
        assert (
            np.count_nonzero(abs(nib.load(anat / f"{subject}_DESS.nii.gz").affine[:3, :3]) > 0.05)
            > 3
        )


def test_lumbosacral_contours_lie_around_the_bright_canal(sources: Path) -> None:
    root = sources / "lumbosacral"
    for subject, dura in (("sub-01", "sub-01"), ("sub-14", "sub_14")):
        image = nib.load(root / f"rawdata/{subject}/anat/{subject}_CISS.nii.gz")
        data, planes = np.asanyarray(image.dataobj), []
        for number in range(1, 11):
            points = voxels(positions(root / f"markers/{subject}/{dura}_dura_{number}.json"), image)
            assert (points > 0).all()
            assert (points < np.array(data.shape) - 0.5).all()
            assert np.ptp(points[:, 2]) < 1e-4
            planes.append(round(points[0, 2]))
            middle = points.mean(axis=0)
            inner, outer = (
                np.mean(
                    [
                        data[tuple(np.round(middle + part * (p - middle)).astype(int))]
                        for p in points
                    ]
                )
                for part in (0.88, 1.3)
            )
            assert inner > 1.8 * outer
        assert planes == list(range(data.shape[2] - 1, data.shape[2] - 11, -1))
        cord = [root / f"markers/{subject}/{subject}_cord_{number}.json" for number in range(1, 7)]
        levels = [round(voxels(positions(file), image)[0, 2]) - data.shape[2] for file in cord]
        assert levels == [-2, -1, -3, -4, -5, -6]
        middle = voxels(positions(cord[0]), image).mean(axis=0).round().astype(int)
        assert data[tuple(middle)] < 600


def test_lumbosacral_points(sources: Path) -> None:
    root = sources / "lumbosacral"
    for subject in ("sub-01", "sub-14"):
        images = {
            sequence: nib.load(root / f"rawdata/{subject}/anat/{subject}_{sequence}.nii.gz")
            for sequence in ("CISS", "DESS", "T2TSE")
        }
        within = dict.fromkeys(images, 0)
        middle = positions(root / f"markers/{subject}/{subject}_cord_2.json")[:, 0].mean()
        for level, side in itertools.product(LEVELS, "LR"):
            folder = root / f"markers/{subject}"
            (point,) = positions(folder / f"{subject}_ganglions_{level}_{side}.json")
            assert (point[0] > middle) == (side == "L")
            for sequence, image in images.items():
                where = voxels(point, image)
                within[sequence] += bool(
                    (where > -0.5).all() and (where < np.array(image.shape) - 0.5).all()
                )
            track = positions(folder / f"{subject}_nerveroots_{level}_{side}.json")
            assert 6 <= len(track) <= 8
            where = voxels(track, images["CISS"])
            assert (where > -0.5).all()
            assert (where < np.array(images["CISS"].shape) - 0.5).all()
        assert within == {"CISS": 6, "DESS": 12, "T2TSE": 14}


def test_lumbosacral_markers_have_the_form_of_3d_slicer(sources: Path) -> None:
    kinds = {
        "cord": "ClosedCurve",
        "dura": "ClosedCurve",
        "ganglions": "Fiducial",
        "nerveroots": "Fiducial",
    }
    for path, file in files(sources / "lumbosacral/markers").items():
        found = marker(file)
        kind = next(kind for kind in kinds if f"_{kind}_" in path)
        assert found["type"] == kinds[kind]
        assert (found["coordinateSystem"], found["coordinateUnits"]) == ("LPS", "mm")
        assert '"orientation": [-1.0, -0.0, ' in file.read_text()
    label = marker(sources / "lumbosacral/markers/sub-01/sub-01_ganglions_L3_R.json")
    assert label["controlPoints"][0]["label"] == "L2_R-1"


def test_lumbosacral_models_are_closed_surfaces_around_the_markers(sources: Path) -> None:
    root = sources / "lumbosacral"
    for path, file in files(root / "model").items():
        content = file.read_bytes()
        (count,) = struct.unpack_from("<I", content, 80)
        assert len(content) == 84 + 50 * count
        assert not content.startswith(b"solid")
        record = np.frombuffer(
            content, [("normal", "<f4", 3), ("corner", "<f4", (3, 3)), ("", "<u2")], offset=84
        )
        corner = record["corner"].astype(float) - record["corner"][0, 0]
        volume = np.einsum("ij,ij->i", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() / 6
        assert volume > 0
        edges = {
            (tuple(triangle[i]), tuple(triangle[i - 2]))
            for triangle in record["corner"].tolist()
            for i in range(3)
        }
        assert len(edges) == 3 * count
        assert all((end, start) in edges for start, end in edges)
        if path == "sub-01/sub-01_Dura.stl":
            points = positions(root / "markers/sub-01/sub-01_dura_1.json")
            assert np.allclose(points.max(axis=0), record["corner"].max(axis=(0, 1)), atol=0.6)


def test_lumbosacral_participants(sources: Path) -> None:
    raw = sources / "lumbosacral/rawdata"
    lines = (raw / "participants.tsv").read_text().splitlines()
    assert lines == ["participant_id\tage\tsex", "sub-01\t22\tM", "sub-14\t24\tF"]
    assert json.loads((raw / "participants.json").read_text())["age"]["Units"] == "years"


# IVDM3Seg


def test_ivdm3seg_copies_are_the_same_bytes(sources: Path) -> None:
    found = files(sources / "ivdm3seg")
    for path, file in found.items():
        if path.startswith("Training/"):
            flat = "label" if "Labels" in path else "dataset"
            assert found[f"{flat}/{file.name}"].read_bytes() == file.read_bytes()


def test_ivdm3seg_volumes(sources: Path) -> None:
    for case in ("01", "02", "16"):
        folder = sources / f"ivdm3seg/Training/{case}"
        images = {
            name: nib.load(folder / f"{case}_{name}.nii") for name in ("fat", "inn", "opp", "wat")
        }
        label = nib.load(folder / f"{case}_Labels.nii")
        assert {image.get_data_dtype() for image in images.values()} == {np.dtype(np.int16)}
        assert label.get_data_dtype() == np.uint8
        assert {image.shape for image in images.values()} == {label.shape}
        assert set(np.unique(array(folder / f"{case}_Labels.nii"))) == {0, 1}
        assert components(array(folder / f"{case}_Labels.nii") > 0) == 7
        assert np.allclose(label.header.get_zooms(), (2, 1.25, 1.25), atol=1e-5)
        is_oblique = np.count_nonzero(abs(images["wat"].affine[:3, :3]) > 1e-3) > 3
        assert is_oblique == (case != "01")
        moved = displacement(images["wat"], label)
        assert (3 < moved < 15) if case == "16" else (moved == 0)


def test_ivdm3seg_label_of_case_16_fits_in_the_world_only(sources: Path) -> None:
    folder = sources / "ivdm3seg/Training/16"
    water, label = nib.load(folder / "16_wat.nii"), nib.load(folder / "16_Labels.nii")
    fat, mask = array(folder / "16_fat.nii"), np.argwhere(array(folder / "16_Labels.nii") > 0)
    world = nib.affines.apply_affine(np.linalg.inv(water.affine) @ label.affine, mask)
    world = world.round().astype(int)
    assert ((world >= 0) & (world < water.shape)).all()
    assert fat[tuple(world.T)].mean() < 0.6 * fat[tuple(mask.T)].mean()


def displacement(one: Any, other: Any) -> float:
    corners = np.array(list(itertools.product(*((0, n - 1) for n in one.shape))))
    first, second = (nib.affines.apply_affine(image.affine, corners) for image in (one, other))
    return float(np.linalg.norm(first - second, axis=1).max())


def components(mask: np.ndarray[Any, Any]) -> int:
    left, count = {tuple(index) for index in np.argwhere(mask).tolist()}, 0
    steps = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]
    while left:
        count += 1
        front = [left.pop()]
        while front:
            here = front.pop()
            near = {tuple(a + b for a, b in zip(here, step, strict=True)) for step in steps} & left
            left -= near
            front.extend(near)
    return count


# CHAOS


def series(folder: Path) -> tuple[list[pydicom.Dataset], np.ndarray[Any, Any]]:
    slices = [pydicom.dcmread(file) for file in sorted(folder.glob("*.dcm"))]
    return slices, np.stack([one.pixel_array for one in slices]).astype(float)


def masks(folder: Path) -> np.ndarray[Any, Any]:
    planes = []
    for file in sorted(folder.glob("*.png")):
        with Image.open(file) as picture:
            planes.append(np.asarray(picture))
    return np.stack(planes)


def test_chaos_ct_geometry(sources: Path) -> None:
    for case, intercept in (
        ("Train_Sets/CT/1", -1000),
        ("Train_Sets/CT/2", -1024),
        ("Test_Sets/CT/3", -1000),
    ):
        slices, pixels = series(sources / "chaos" / case / "DICOM_anon")
        heights = [one.ImagePositionPatient[2] for one in slices]
        assert np.allclose(np.diff(heights), -2.0)
        assert {float(one.SliceThickness) for one in slices} == {3.2}
        assert [one.InstanceNumber for one in slices] == list(range(1, len(slices) + 1))
        assert {one.RescaleIntercept for one in slices} == {intercept}
        assert len({one.SeriesInstanceUID for one in slices}) == 1
        assert len({one.SOPInstanceUID for one in slices}) == len(slices)
        assert str(slices[0].PatientName) == f"CHAOS^CT_SET_{case[-1]}"
        assert slices[0].SOPInstanceUID.is_valid
        assert slices[0].SOPInstanceUID.startswith("2.25.")
        assert pixels.min() + intercept >= -1000
        assert pixels.shape[1] != pixels.shape[2]


def test_chaos_ct_masks_follow_the_file_order(sources: Path) -> None:
    for case, intercept in (("1", -1000), ("2", -1024)):
        folder = sources / "chaos/Train_Sets/CT" / case
        _, pixels = series(folder / "DICOM_anon")
        units, liver = pixels + intercept, masks(folder / "Ground")
        assert liver.dtype == np.bool_
        assert liver.shape == units.shape
        assert units[liver].mean() == pytest.approx(120, abs=12)
        assert units[liver].std() < 60
        for axis in range(3):
            wrong = units[np.flip(liver, axis)]
            assert abs(wrong.mean() - 120) > 35 or wrong.std() > 100


def test_chaos_mr_pairs(sources: Path) -> None:
    for case in ("1", "39"):
        folder = sources / "chaos/Train_Sets/MR" / case / "T1DUAL"
        within, _ = series(folder / "DICOM_anon/InPhase")
        out, _ = series(folder / "DICOM_anon/OutPhase")
        assert {float(one.EchoTime) for one in within} == {4.6}
        assert {float(one.EchoTime) for one in out} == {2.3}
        assert all(
            a.ImagePositionPatient == b.ImagePositionPatient
            for a, b in zip(within, out, strict=True)
        )
        for slices in (within, series(folder.parent / "T2SPIR/DICOM_anon")[0]):
            row, column = np.split(np.array(slices[0].ImageOrientationPatient, float), 2)
            steps = np.diff([one.ImagePositionPatient for one in slices], axis=0)
            assert (steps @ np.cross(row, column) > 5).all()
            assert np.allclose(np.cross(steps, np.cross(row, column)), 0, atol=1e-4)
            is_tilted = not np.allclose(row, (1, 0, 0))
            assert is_tilted == (case == "39")


@pytest.mark.parametrize("sequence", ["T1DUAL", "T2SPIR"])
@pytest.mark.parametrize("case", ["1", "39"])
def test_chaos_mr_organs_lie_where_they_belong(case: str, sequence: str, sources: Path) -> None:
    folder = sources / "chaos/Train_Sets/MR" / case / sequence
    dicoms = folder / "DICOM_anon" / ("InPhase" if sequence == "T1DUAL" else "")
    slices, pixels = series(dicoms)
    assert {file.stem for file in dicoms.glob("*.dcm")} == {
        file.stem for file in folder.glob("Ground/*.png")
    }
    grey = masks(folder / "Ground")
    assert set(np.unique(grey)) == {0, 63, 126, 189, 252}
    liver, right, left, spleen = (
        np.mean([place(slices[k], r, c) for k, r, c in np.argwhere(grey == value)], axis=0)
        for value in (63, 126, 189, 252)
    )
    assert liver[0] < spleen[0]
    assert right[0] < left[0]
    assert min(right[1], left[1]) > liver[1]
    assert min(liver[2], spleen[2]) > max(right[2], left[2])
    true = pixels[grey == 63].std() / pixels[grey == 63].mean()
    for axis in range(3):
        wrong = pixels[np.flip(grey, axis) == 63]
        assert wrong.std() / wrong.mean() > 1.5 * true


def place(one: pydicom.Dataset, row: int, column: int) -> np.ndarray[Any, Any]:
    along, down = np.split(np.array(one.ImageOrientationPatient, float), 2)
    between_rows, between_columns = map(float, one.PixelSpacing)
    corner = np.array(one.ImagePositionPatient, float)
    return corner + along * column * between_columns + down * row * between_rows
