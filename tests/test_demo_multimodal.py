"""The synthetic prostates, hearts and heads of ``bidsify demo`` are what they claim to be."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import assert_same
from demo_files import PLANES, PROSTATES, array, files
from PIL import Image

from bidsify import demo
from bidsify.demo import harvard

NAMES = ("harvard", "myops2020", "myopspp", "prostate158")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    for name in NAMES:
        demo.make(name, root / name)
    harvard.cases(root / "atlas")
    return root


def values(path: Path) -> set[float]:
    return set(np.unique(array(path)).tolist())


def picture(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("L") if path.suffix == ".gif" else opened)


def test_names_hold_these_and_no_shared_module() -> None:
    assert set(NAMES) < set(demo.names())
    assert not {"heart", "head", "native", "phantom"} & set(demo.names())


# Prostate158


def prostate(sources: Path, place: str) -> Path:
    return sources / f"prostate158/prostate158_{place.split('/', maxsplit=1)[0]}" / place


@pytest.mark.parametrize("place", PROSTATES)
def test_prostate158_files_of_a_case_share_a_grid(place: str, sources: Path) -> None:
    images = [nib.load(file) for file in files(prostate(sources, place)).values()]
    assert len({image.shape for image in images}) == 1
    for image in images:
        assert "".join(nib.aff2axcodes(image.affine)) == "LPS"
        assert np.array_equal(image.affine, images[0].affine)
        assert np.allclose(image.header.get_zooms(), (0.4, 0.4, 3.0))
        assert image.header.get_xyzt_units()[0] == "mm"
        assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-5)


def test_prostate158_sizes_differ(sources: Path) -> None:
    shapes = {array(prostate(sources, place) / "t2.nii.gz").shape for place in PROSTATES}
    assert len(shapes) == len(PROSTATES)


@pytest.mark.parametrize("place", PROSTATES)
def test_prostate158_types_and_values(place: str, sources: Path) -> None:
    t2_value = 1 if place == "train/025" else 3
    expected = {
        "t2_anatomy_reader1": (np.uint16, {0, 1, 2}),
        "t2_anatomy_reader2": (np.uint16, {0, 1, 2}),
        "t2_tumor_reader1": (np.float32, {0, t2_value}),
        "adc_tumor_reader1": (np.float32, {0, 1}),
        "adc_tumor_reader2": (np.float64, {0, 1}),
        "empty": (np.float32, {0}),
    }
    for path, file in files(prostate(sources, place)).items():
        dtype, labels = expected.get(path.removesuffix(".nii.gz"), (np.float32, None))
        assert array(file).dtype == dtype, path
        assert labels is None or values(file) == labels, path


@pytest.mark.parametrize("place", PROSTATES)
def test_prostate158_peripheral_zone_lies_behind_and_is_bright(place: str, sources: Path) -> None:
    folder = prostate(sources, place)
    zones, t2 = array(folder / "t2_anatomy_reader1.nii.gz"), array(folder / "t2.nii.gz")
    assert np.argwhere(zones == 2)[:, 1].mean() > np.argwhere(zones == 1)[:, 1].mean() + 1
    assert t2[zones == 2].mean() > 1.3 * t2[zones == 1].mean()


@pytest.mark.parametrize("place", PROSTATES[1:])
def test_prostate158_tumours_are_dark_on_adc_and_bright_on_dwi(place: str, sources: Path) -> None:
    folder = prostate(sources, place)
    gland = array(folder / "t2_anatomy_reader1.nii.gz") > 0
    masks = [array(file) > 0 for file in folder.glob("*_tumor_reader*.nii.gz")]
    assert len({int(mask.sum()) for mask in masks}) == len(masks)
    for mask in masks:
        assert (mask & ~gland).sum() < 0.1 * mask.sum()
        for name, brightness in (("t2", -1), ("adc", -1), ("dwi", 1)):
            image = array(folder / f"{name}.nii.gz")
            inside, outside = image[mask].mean(), image[gland & ~mask].mean()
            assert brightness * np.log(inside / outside) > 0.3, name


@pytest.mark.parametrize(
    ("table", "ids"),
    [("train/train", ["24", "25"]), ("train/valid", ["20"]), ("test/test", ["1"])],
)
def test_prostate158_tables(table: str, ids: list[str], sources: Path) -> None:
    path = sources / f"prostate158/prostate158_{table}.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert path.read_text().splitlines()[0] == (
        "ID,t2,adc,dwi,t2_anatomy_reader1,t2_tumor_reader1,adc_tumor_reader1,"
        "t2_anatomy_reader2,adc_tumor_reader2"
    )
    assert [row["ID"] for row in rows] == ids
    for row in rows:
        place = f"{table.split('/', maxsplit=1)[0]}/{int(row.pop('ID')):03d}"
        assert set(row.values()) - {""} == {
            f"{place}/{name}" for name in files(path.parent / place)
        }
        for column, cell in row.items():
            is_healthy = place == "train/020" and column == "adc_tumor_reader1"
            name = "empty" if is_healthy else column
            assert cell in {"", f"{place}/{name}.nii.gz"}


# MyoPS 2020 and MyoPS++


def hearts(sources: Path, name: str) -> Iterator[tuple[str, dict[str, Path]]]:
    """Yield each case with its files by what they are."""
    groups: dict[str, dict[str, Path]] = {}
    for path, file in files(sources / name).items():
        stem, _, what = Path(path).name.removesuffix(".nii.gz").rpartition("_")
        if path.endswith(".nii.gz") and what != "gdencrypt":
            groups.setdefault(stem, {})[what] = file
    assert len(groups) == 4
    yield from groups.items()


@pytest.mark.parametrize("name", ["myops2020", "myopspp"])
def test_hearts_have_one_oblique_grid_for_each_case(name: str, sources: Path) -> None:
    shapes = []
    for _, found in hearts(sources, name):
        images = {what: nib.load(file) for what, file in found.items()}
        shapes.append({image.shape for image in images.values()})
        assert len(shapes[-1]) == 1
        assert 3 <= next(iter(shapes[-1]))[2] <= 5
        first = next(iter(images.values()))
        for image in images.values():
            assert np.array_equal(image.affine, first.affine)
            assert np.allclose(image.header.get_zooms(), (0.75, 0.75, 14))
            assert np.count_nonzero(abs(image.affine[:3, :3]) > 0.05) > 6
            assert image.header.get_xyzt_units()[0] == "mm"
            assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-3)
        assert {i.get_data_dtype() for what, i in images.items() if what != "gd"} == {
            np.dtype("i2")
        }
    assert len(set().union(*shapes)) == 4


@pytest.mark.parametrize("name", ["myops2020", "myopspp"])
def test_hearts_have_the_contrast_of_their_sequences(name: str, sources: Path) -> None:
    for case, found in hearts(sources, name):
        if "gd" not in found:
            continue
        labels = array(found["gd"])
        images = {what: array(file) for what, file in found.items()}
        late = images.get("DE", images.get("LGE"))
        assert late is not None
        grey = {value: late[labels == value].mean() for value in np.unique(labels)}
        assert grey[2221] == max(grey.values()), case
        assert grey[2221] > 3 * grey[200]
        if "C0" in images:
            blood = images["C0"][(labels == 500) | (labels == 600)].mean()
            assert blood > 1.5 * images["C0"][np.isin(labels, (200, 1220, 2221))].mean()
        if "T2" in images:
            healthy, blood = (images["T2"][labels == value].mean() for value in (200, 500))
            assert images["T2"][labels == 1220].mean() > 1.5 * healthy
            assert blood < healthy


def test_myops2020_labels(sources: Path) -> None:
    for case, dtype in (("101", np.int16), ("102", np.float32), ("103", np.int16)):
        file = sources / f"myops2020/train25_myops_gd/myops_training_{case}_gd.nii.gz"
        assert array(file).dtype == dtype
        assert values(file) == {0, 200, 500, 600, 1220, 2221}


def test_myops2020_has_a_copy_and_an_encrypted_file(sources: Path) -> None:
    found = files(sources / "myops2020")
    stem = "train25/train25/myops_training_103"
    assert found[f"{stem}_LGE.nii.gz"].read_bytes() == found[f"{stem}_DE.nii.gz"].read_bytes()
    (encrypted,) = (file for path, file in found.items() if "gdencrypt" in path)
    assert encrypted.read_bytes()[:2] != b"\x1f\x8b"
    assert "no patient data" in found["MyoPS2020_EvaluateByYourself/readme.txt"].read_text()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("A/Case1001/Case1001", {0, 200, 2221}),
        ("B/Case2001/Case2001", {0, 200, 500, 600, 1220, 2221}),
        ("B/Case2002/Case2002", {0, 200, 500, 600, 1220, 2221}),
        ("E/Case5001/Case5001", {0, 200, 500, 600, 2221}),
    ],
)
def test_myopspp_labels_are_those_of_the_centre(
    case: str, expected: set[int], sources: Path
) -> None:
    file = sources / f"myopspp/MyoPS_train/Center{case}_gd.nii.gz"
    assert array(file).dtype == np.int16
    assert values(file) == expected


# Whole Brain Atlas


@pytest.mark.parametrize("name", ["harvard", "atlas"])
def test_pictures_are_grey_or_in_colours(name: str, sources: Path) -> None:
    for path, file in files(sources / name).items():
        found = picture(file)
        if file.parent.name in {"PET", "SPECT", "dg1", "tc1"}:
            assert found.shape[2:] == (3,), path
            assert (np.ptp(found.astype(int), axis=2) > 60).any(), path
        else:
            assert found.ndim == 2, path
        assert found.dtype == np.uint8
        for axes in (0, 1, (0, 1)):
            assert (np.flip(found, axes) != found).sum() > 20, (path, axes)


def test_harvard_pairs_have_the_same_size_and_head(sources: Path) -> None:
    for task in ("CT-MRI", "SPECT-MRI", "PET-MRI"):
        other, mri = (sources / "harvard" / task / name for name in (task[:-4], "MRI"))
        assert list(files(other)) == list(files(mri))
        for path in files(other):
            one, two = picture(other / path), picture(mri / path)
            assert one.shape[:2] == two.shape
            one = one.max(axis=2) if one.ndim == 3 else one
            assert (two[one > 128] > 8).mean() > 0.95, (task, path)


def test_harvard_case_21_is_one_person_in_two_tasks(sources: Path) -> None:
    one, two = (
        {path: file.read_bytes() for path, file in files(sources / "harvard" / task).items()}
        for task in ("CT-MRI/MRI", "SPECT-MRI/MRI")
    )
    assert set(one) & set(two) == {"21008.png", "21010.png", "21011.png"}
    assert all(two[path] == content for path, content in one.items() if path in two)
    assert sum(path.startswith("21") for path in two) == 6


@pytest.mark.parametrize(("task", "prefix", "count"), [("CT-MRI", "41", 3), ("SPECT-MRI", "25", 2)])
def test_harvard_numbers_of_pet_name_other_people_elsewhere(
    task: str, prefix: str, count: int, sources: Path
) -> None:
    here, there = (sources / "harvard" / name / "MRI" for name in (task, "PET-MRI"))
    common = {path for path in files(here) if path in files(there)}
    assert {path[:2] for path in common} == {prefix}
    assert len(common) == count
    for path in common:
        assert not np.array_equal(picture(here / path), picture(there / path))


@pytest.mark.parametrize("modality", ["PET", "MRI"])
def test_harvard_planes_of_pet_are_cuts_of_one_volume(modality: str, sources: Path) -> None:
    cuts = {
        prefix: {n: picture(folder / f"{prefix}{n:03d}.png") for n in numbers}
        for folder in [sources / "harvard/PET-MRI" / modality]
        for prefix, numbers in PLANES.items()
    }
    height = len(next(iter(cuts["25"].values())))
    for (z, axial), (y, coronal) in itertools.product(cuts["41"].items(), cuts["25"].items()):
        assert np.array_equal(axial[y - 1], coronal[height - z])
    for (z, axial), (x, sagittal) in itertools.product(cuts["41"].items(), cuts["30"].items()):
        assert np.array_equal(axial[:, x - 1], sagittal[height - z])


def expected_atlas() -> Iterator[str]:
    for series, kind, numbers in (
        ("case16/mr1", "png", (3, 4, 5, 7)),
        ("case16/ct1", "png", (3, 4, 5, 7)),
        ("case21/mr1", "gif", (8, 9, 10, 11)),
        ("case21/tc1", "png", (8, 9, 10, 11)),
        ("caseSLU/mr1", "png", (7, 8, 10)),
        ("caseSLU/dg1", "png", (7, 8, 10)),
    ):
        yield from (f"cases/{series}/{number:03d}.{kind}" for number in numbers)


def test_atlas_files_are_those_of_the_native_layout(sources: Path) -> None:
    assert list(files(sources / "atlas")) == sorted(expected_atlas())


def test_atlas_is_the_same_bytes_each_time(sources: Path, tmp_path: Path) -> None:
    harvard.cases(tmp_path)
    assert_same(tmp_path, sources / "atlas")


def test_atlas_pictures_are_those_of_the_pairs(sources: Path) -> None:
    """A person looks the same in both layouts, and a GIF keeps the greys in its palette."""
    for path, other in (
        ("case16/ct1/003.png", "CT-MRI/CT/16003.png"),
        ("case16/mr1/007.png", "CT-MRI/MRI/16007.png"),
        ("case21/mr1/009.gif", "SPECT-MRI/MRI/21009.png"),
        ("case21/tc1/011.png", "SPECT-MRI/SPECT/21011.png"),
    ):
        here = picture(sources / "atlas/cases" / path)
        assert np.array_equal(here, picture(sources / "harvard" / other)), path
    with Image.open(sources / "atlas/cases/case21/mr1/008.gif") as opened:
        assert (opened.format, opened.mode) == ("GIF", "P")
