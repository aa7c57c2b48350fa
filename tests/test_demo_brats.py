"""The synthetic BraTS editions have the names, values, grids and quirks of the real ones."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from demo_files import NEW, OLD, array, files

from bidsify import demo
from bidsify.demo import brain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SRI24 = [[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]]
POST_TREATMENT = [[-1, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]]
# Edition: the value of oedema and of the enhancing tumour, and the values of each mask in use.
VALUES: dict[str, tuple[int, int, set[tuple[int, ...]]]] = {
    "brats2019": (2, 4, {(1, 2, 4), (1, 2)}),
    "brats2020": (2, 4, {(1, 2, 4)}),
    "brats2021": (2, 4, {(1, 2, 4), (1, 2)}),
    "brats2023": (2, 3, {(1, 2, 3)}),
    "brats2023ped": (2, 3, {(1, 2, 3)}),
    "brats2023ssa": (2, 3, {(1, 2, 3)}),
    "brats2023men": (2, 3, {(1, 2, 3), (2, 3)}),
    "brats2023met": (2, 3, {(1, 2, 3)}),
    "brats2024": (2, 3, {(1, 2, 3, 4), (2, 3, 4), (2, 4)}),
    "brats2024ped": (4, 1, {(1, 2, 3, 4), (2, 4)}),
}
NAMES = (*VALUES, "brats2024menrt")
MASK_ENDS = ("seg.nii.gz", "seg.nii", "Segm.nii", "gtv.nii.gz")
MIRROR_2020 = "brats2020/BraTS2020_ValidationData/MICCAI_BraTS2020_ValidationData"
KEPT_NAME = 0x08  # the flag of a gzip header with a file name

every_edition = pytest.mark.parametrize("name", NAMES)
every_stripped = pytest.mark.parametrize("name", VALUES)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("brats")
    for name in NAMES:
        demo.make(name, root / name)
    return root


def masks(folder: Path) -> Iterator[Path]:
    return (path for path in files(folder).values() if path.name.endswith(MASK_ENDS))


def scans(mask: Path) -> list[Path]:
    """Return T1, T1ce, T2 and FLAIR beside a mask."""
    return [next(mask.parent.glob(f"*{old}.nii*"), None) or next(mask.parent.glob(f"*{new}.nii*"))
            for old, new in zip(OLD, NEW, strict=True)]  # fmt: skip


def test_each_edition_has_its_values_stated() -> None:
    found = {name for name in demo.names() if name.startswith("brats")}
    assert found == {*NAMES}, (
        f"state the values of {sorted(found ^ {*NAMES})} in VALUES of tests/test_demo_brats.py; "
        "where the brain is not stripped, the name in NAMES alone"
    )


def test_the_shared_modules_are_no_datasets() -> None:
    assert not {"brain", "brats"} & set(demo.names())


@every_stripped
def test_each_mask_has_the_values_of_its_edition(name: str, sources: Path) -> None:
    found = set()
    for mask in masks(sources / name):
        values, counts = np.unique(array(mask), return_counts=True)
        assert values[0] == 0
        assert counts.min() >= 8, mask
        found.add(tuple(int(value) for value in values[1:]))
    assert found == VALUES[name][2]


@every_edition
def test_images_are_int16_and_masks_are_uint8_but_one(name: str, sources: Path) -> None:
    for path in files(sources / name).values():
        if path.suffix == ".csv":
            continue
        is_mask = path.name.endswith(MASK_ENDS)
        expected = "float32" if path.name == "BraTS20_Training_002_seg.nii" else "uint8"
        assert nib.load(path).get_data_dtype() == (expected if is_mask else "int16"), path


@every_stripped
def test_all_files_share_the_grid_of_the_edition(name: str, sources: Path) -> None:
    is_new_grid = name == "brats2024"
    for path in files(sources / name).values():
        if path.suffix != ".csv":
            image = nib.load(path)
            assert image.shape == ((20, 24, 18) if is_new_grid else (24, 26, 18)), path
            assert image.affine.tolist() == (POST_TREATMENT if is_new_grid else SRI24), path
            assert image.header["sform_code"] == image.header["qform_code"] == 1


@every_stripped
def test_the_brain_alone_is_left_and_holds_the_tumour(name: str, sources: Path) -> None:
    for mask in masks(sources / name):
        images = [array(path) for path in scans(mask)]
        inside = images[0] != 0
        assert 0.25 < inside.mean() < 0.55
        assert not inside[[0, -1]].any()
        assert not inside[:, [0, -1]].any()
        for image in images:
            assert image.min() == 0
            assert ((image != 0) == inside).all()
        assert inside[array(mask) > 0].all()


@every_stripped
def test_the_contrasts_show_the_parts_as_they_should(name: str, sources: Path) -> None:
    oedema, enhancing, _ = VALUES[name]
    for mask in masks(sources / name):
        t1, t1ce, t2, flair = (array(path).astype(float) for path in scans(mask))
        labels = array(mask)
        rest = (labels == 0) & (t1 > 0)
        if (labels == oedema).any():
            where = labels == oedema
            assert flair[where].mean() > 1.4 * flair[rest].mean(), mask
            assert t2[where].mean() > 1.1 * t2[rest].mean(), mask
            assert t1[where].mean() < t1[rest].mean(), mask
        if (labels == enhancing).any():
            where = labels == enhancing
            assert t1ce[where].mean() > 1.3 * t1ce[rest].mean(), mask
            assert (t1ce - t1)[where].mean() > 4 * (t1ce - t1)[rest].mean(), mask
        assert t2[rest].max() > 1.5 * np.median(t2[rest])  # the ventricles
        assert flair[rest].min() < 0.5 * np.median(flair[rest])


@pytest.mark.parametrize(
    "name", ["brats2019", "brats2020", "brats2021", "brats2023", "brats2023ssa"]
)
def test_the_parts_are_nested(name: str, sources: Path) -> None:
    for mask in masks(sources / name):
        labels = array(mask)
        core = labels == 1
        around = {0, 2} if (labels == VALUES[name][1]).any() else {0}
        outside = np.isin(labels, list(around))
        for axis, step in itertools.product(range(3), (1, -1)):
            assert not (core & np.roll(outside, step, axis)).any(), mask


@every_stripped
def test_no_two_cases_and_no_two_contrasts_are_alike(name: str, sources: Path) -> None:
    found = files(sources / name).values()
    contents = [path.read_bytes() for path in found if path.parent != sources / name]
    assert len(set(contents)) == len(contents)


def test_the_patient_of_2019_is_in_2020_again(sources: Path) -> None:
    earlier = next((sources / "brats2019").rglob("BraTS19_CBICA_AAB_1_seg.nii.gz"))
    later = next((sources / "brats2020").rglob("BraTS20_Training_001_seg.nii"))
    for before, after in zip([earlier, *scans(earlier)], [later, *scans(later)], strict=True):
        assert np.array_equal(array(before), array(after))
    mapping = (later.parents[1] / "name_mapping.csv").read_text("utf-8")
    assert "BraTS19_CBICA_AAB_1,BraTS20_Training_001\n" in mapping


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("brats2019/MICCAI_BraTS_2019_Data_Training/survival_data.csv",
         "BraTS19ID,Age,Survival,ResectionStatus"),
        ("brats2020/BraTS2020_TrainingData/MICCAI_BraTS2020_TrainingData/survival_info.csv",
         "Brats20ID,Age,Survival_days,Extent_of_Resection"),
        (f"{MIRROR_2020}/survival_evaluation.csv", "BraTS20ID,Age,ResectionStatus"),
    ],
)  # fmt: skip
def test_the_tables_keep_the_spelling_of_their_edition(
    path: str, header: str, sources: Path
) -> None:
    first, *rows = (sources / path).read_text("utf-8").splitlines()
    assert first == header
    cases = {folder.name for folder in (sources / path.split("/", 1)[0]).rglob("BraTS*_*")}
    assert rows
    assert {row.split(",")[0] for row in rows} <= cases


def test_one_patient_of_2020_is_alive(sources: Path) -> None:
    table = next((sources / "brats2020").rglob("survival_info.csv")).read_text("utf-8")
    assert table.count(",ALIVE (361 days later),") == 1


def test_the_loose_files_of_2021_are_copies(sources: Path) -> None:
    root = sources / "brats2021"
    loose = [path for path in root.iterdir() if path.is_file()]
    assert len(loose) == 5
    for path in loose:
        twin = root / "RSNA_ASNR_MICCAI_BraTS2021_TrainingData" / "BraTS2021_00495" / path.name
        assert twin.read_bytes() == path.read_bytes()


def test_one_gzip_header_keeps_a_name_and_a_time(sources: Path) -> None:
    kept = {}
    for path in sources.rglob("*.nii.gz"):
        content = path.read_bytes()
        (time,) = struct.unpack("<I", content[4:8])
        if content[3] & KEPT_NAME or time:
            kept[path.name] = content[10 : content.index(b"\0", 10)], time
    assert kept == {"BraTS-GLI-00017-001-t1c.nii.gz": (b"00000071_brain_t1ce.nii", 1620000000)}


def test_a_tumour_grows_between_the_time_points(sources: Path) -> None:
    for name, before, after in (
        ("brats2023", "BraTS-GLI-00000-000", "BraTS-GLI-00000-001"),
        ("brats2024", "BraTS-GLI-00005-100", "BraTS-GLI-00005-101"),
    ):
        first, second = (
            array(next((sources / name).rglob(f"{case}-seg.nii.gz"))) for case in (before, after)
        )
        assert np.count_nonzero(second) > np.count_nonzero(first)
        assert ((first > 0) & (second > 0)).sum() > 0.8 * np.count_nonzero(first)


def test_heads_for_radiotherapy_lie_on_their_own_oblique_grids(sources: Path) -> None:
    images = [nib.load(path) for path in (sources / "brats2024menrt").rglob("*_t1c.nii.gz")]
    assert len({image.shape for image in images}) == len(images) == 3
    assert len({image.header.get_zooms() for image in images}) == 3
    assert len({nib.aff2axcodes(image.affine) for image in images}) > 1
    for image in images:
        assert (np.abs(image.affine[:3, :3]) > 1e-3).all()  # oblique to all three axes
        assert np.allclose(image.get_qform(), image.affine, atol=1e-4)


def test_heads_for_radiotherapy_have_skin_and_skull_about_the_brain(sources: Path) -> None:
    found = list(masks(sources / "brats2024menrt"))
    assert len(found) == 2
    for path in found:
        mask = nib.load(path)
        image = nib.load(path.with_name(path.name.replace("gtv", "t1c")))
        assert mask.shape == image.shape
        assert np.array_equal(mask.affine, image.affine)
        data, labels = array(path.with_name(path.name.replace("gtv", "t1c"))), array(path)
        assert np.unique(labels).tolist() == [0, 1]
        assert labels.sum() > 30
        assert data.min() > 0  # no voxel was set to nothing
        assert data[labels == 1].mean() > 800
        middle = data[:, data.shape[1] // 2, data.shape[2] // 2].tolist()
        skin = max(middle[:4])
        assert middle[0] < 100 < skin > 600
        assert min(middle[middle.index(skin) : len(middle) // 2]) < 300  # bone


@pytest.mark.parametrize("contrast", brain.CONTRASTS)
def test_a_head_holds_the_stripped_brain(contrast: str) -> None:
    where = brain.points((20, 20, 20), np.diag([1.0, 1.0, 1.0, 1.0]), (7.0, 7.0, 7.0))
    lesions = [brain.Lesion(centre=(0.4, 0.1, 0.2), size=0.4)]
    deep = np.linalg.norm(where, axis=-1) < 0.6
    stripped, head = brain.stripped(where, lesions)[contrast], brain.head(where, lesions, contrast)
    assert np.array_equal(stripped[deep], head[deep])


def test_a_part_without_a_value_is_refused() -> None:
    where = brain.points((8, 8, 8), np.eye(4), (3.0, 3.0, 3.0))
    lesion = brain.Lesion(centre=(0.0, 0.0, 0.0), size=0.5, parts=("cyst",))
    with pytest.raises(KeyError, match="cyst"):
        brain.labels(where, [lesion], {"oedema": 2})
