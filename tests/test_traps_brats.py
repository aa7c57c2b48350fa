"""BraTS: what has gone wrong with each edition in the hands of others, and must not here."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Make, run, save_volume, snapshot, volume
from test_traps import (
    changed,
    convert,
    participants,
    planned,
    record,
    rows,
    sidecar,
    targets,
    translated,
)

import bidsify
from bidsify import datasets
from bidsify.demo import native
from bidsify.errors import UsageError

OLD = ("brats2019", "brats2020", "brats2021")
NEW = ("brats2023", "brats2023ped", "brats2023ssa", "brats2023men", "brats2023met")
#: What each value is, and the values of each region.
NCR_ED, NETC_SNFH = {0: "BG", 1: "NCR", 2: "ED"}, {0: "BG", 1: "NETC", 2: "SNFH"}
LABELS: dict[str, dict[int, str]] = {
    "brats2019": {0: "BG", 1: "NCR/NET", 2: "ED", 4: "ET"},
    "brats2020": {0: "BG", 1: "NCR/NET", 2: "ED", 4: "ET"},
    "brats2021": {**NCR_ED, 4: "ET"},
    "brats2023": {**NCR_ED, 3: "ET"},
    "brats2023ped": {0: "BG", 1: "NC", 2: "ED", 3: "ET"},
    "brats2023ssa": {**NETC_SNFH, 3: "ET"},
    "brats2023men": {**NETC_SNFH, 3: "ET"},
    "brats2023met": {**NETC_SNFH, 3: "ET"},
    "brats2024": {**NETC_SNFH, 3: "ET", 4: "RC"},
    "brats2024menrt": {0: "BG", 1: "GTV"},
    "brats2024ped": {0: "BG", 1: "ET", 2: "NET", 3: "CC", 4: "ED"},
}
UNTIL_2022 = {"WT": {1, 2, 4}, "TC": {1, 4}, "ET": {4}}
OF_2023 = {"WT": {1, 2, 3}, "TC": {1, 3}, "ET": {3}}
REGIONS: dict[str, dict[str, set[int]]] = {
    **dict.fromkeys(OLD, UNTIL_2022),
    **dict.fromkeys(NEW, OF_2023),
    "brats2024": {**OF_2023, "RC": {4}},
    "brats2024ped": {"WT": {1, 2, 3, 4}, "TC": {1, 2, 3}, "ET": {1}},
}
#: What nnU-Net makes of the values of the older editions.
TO_NNUNET = {1: 2, 2: 1, 4: 3}
MASKS = ("*_seg.nii*", "*-seg.nii*", "*_gtv.nii*", "W39*")
SEG_OF_2021 = "RSNA_ASNR_MICCAI_BraTS2021_TrainingData/{0}/{0}_seg.nii.gz"
TOP_OF_2020 = "BraTS2020_TrainingData/MICCAI_BraTS2020_TrainingData"


def masks(folder: Path) -> list[Path]:
    return sorted(path for pattern in MASKS for path in folder.rglob(pattern))


def flat(source: Path, place: Path) -> Path:
    """Copy all images into one folder, with time points that no edition has: no name tells."""
    place.mkdir()
    for path in source.rglob("*.nii.gz"):
        name = re.sub(r"(BraTS-GLI-\d{5})-[01]", r"\1-2", path.name)
        shutil.copyfile(path, place / name)
    return place


def detected(source: Path) -> str:
    return bidsify.detect(source).name


# Names


def test_2019_the_folder_of_a_training_case_is_its_grade(own_source: Make, tmp_path: Path) -> None:
    source = own_source("brats2019")
    for table in source.rglob("*.csv"):  # one of them states the grade too
        table.unlink()
    ran = convert(source, tmp_path / "out")
    assert not [text for text in ran.warnings if "missing" in text]
    found = participants(tmp_path / "out")
    assert {label: (row["grade"], row["split"]) for label, row in found.items()} == {
        "CBICAAAB": ("HGG", "training"),
        "20130": ("LGG", "training"),
        "TCIA13630": ("LGG", "training"),
        "CBICAAAM": ("n/a", "validation"),
    }


def test_2020_numbers_of_training_and_validation_restart(source: Make, tree: Make) -> None:
    made = planned(source("brats2020"), "brats2020")
    for part, contrasts in (("Training", 5), ("Validation", 4)):
        whose = {k: v for k, v in made.items() if k.startswith(f"sub-{part}001/")}
        assert len(whose) == contrasts
        assert all(f"/BraTS20_{part}_001/" in path for paths in whose.values() for path in paths)
    found = participants(tree("brats2020"))
    assert found["Training001"]["source_id"] == "BraTS20_Training_001"
    assert found["Validation001"]["source_id"] == "BraTS20_Validation_001"
    assert [found[f"{x}001"]["split"] for x in ("Training", "Validation")] == [
        "training",
        "validation",
    ]


@pytest.mark.parametrize("name", ["W39_1998.09.19_Segm.nii", "BraTS20_Training_355_seg.nii"])
def test_2020_a_mask_with_the_name_of_its_hospital_is_that_of_case_355(
    name: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source("brats2020")
    case = source / TOP_OF_2020 / "BraTS20_Training_355"
    (case / "W39_1998.09.19_Segm.nii").rename(case / name)
    ran = convert(source, tmp_path / "out")
    assert ran.buckets["unclaimed"] == 0
    assert not [text for text in ran.warnings if "missing" in text]
    anat = tmp_path / "out/sub-Training355/anat"
    stored, _ = volume(case / name)
    written, _ = volume(anat / "sub-Training355_space-SRI24_dseg.nii.gz")
    assert set(np.unique(written)) == {0, 1, 2, 4}
    assert np.array_equal(written, stored)


@pytest.mark.parametrize("name", ["brats2019", "brats2020", "brats2021", "brats2023", "brats2024"])
def test_packed_or_not_does_not_matter(name: str, own_source: Make, tmp_path: Path) -> None:
    source = own_source(name)
    expected = list(planned(source, name))
    convert(source, tmp_path / "one", "--dataset", name)
    for path in sorted(source.rglob("*.nii*")):
        if path.suffix == ".gz":
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        else:
            native.save(path.with_name(f"{path.name}.gz"), native.gzipped(path.read_bytes()))
        path.unlink()
    assert list(planned(source, name)) == expected
    convert(source, tmp_path / "other", "--dataset", name)
    for target in expected:
        one, other = tmp_path / "one" / target, tmp_path / "other" / target
        assert gzip.decompress(one.read_bytes()) == gzip.decompress(other.read_bytes())


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("brats2019", "MICCAI_BraTS_2019_Data_Training"),
        ("brats2020", TOP_OF_2020),
        ("brats2021", "RSNA_ASNR_MICCAI_BraTS2021_TrainingData"),
        ("brats2023", "ASNR-MICCAI-BraTS2023-GLI-Challenge-TrainingData"),
        ("brats2024", "training_data1_v2"),
    ],
)
def test_mirrors_double_the_top_folder(
    name: str, top: str, own_source: Make, tree: Make, tmp_path: Path
) -> None:
    source = own_source(name)
    shutil.move(source / top, tmp_path / "aside")
    (source / top).mkdir(parents=True)
    shutil.move(tmp_path / "aside", source / top / Path(top).name)
    convert(source, tmp_path / "out")
    found, expected = snapshot(tmp_path / "out"), snapshot(tree(name))
    assert list(found) == list(expected)
    same = [path for path in found if path.endswith((".nii.gz", "participants.tsv"))]
    assert [path for path in same if found[path] != expected[path]] == []


@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
def test_2021_loose_files_are_duplicates(
    ending: str, own_source: Make, tree: Make, tmp_path: Path
) -> None:
    source = own_source("brats2021")
    for path in sorted(source.glob("*.nii.gz")) if ending == ".nii" else ():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    ran = convert(source, tmp_path / "out")
    assert ran.buckets["duplicate"] == 5
    entries = {k: v for k, v in record(tmp_path / "out").items() if "/" not in k}
    assert len(entries) == 5
    for path, entry in entries.items():
        assert entry["bucket"] == "duplicate"
        inside = f"BraTS2021_00495/{path.removesuffix('.gz')}"
        assert (
            f"same content as RSNA_ASNR_MICCAI_BraTS2021_TrainingData/{inside}" in entry["reason"]
        )
    assert participants(tmp_path / "out") == participants(tree("brats2021"))


@pytest.mark.parametrize("ending", ["seg", "t1ce"])
def test_2021_a_loose_file_that_differs_is_an_error_for_that_target(
    ending: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source("brats2021")

    def with_one_other(values: np.ndarray) -> np.ndarray:
        values[12, 13, 9] = 2 if values[12, 13, 9] != 2 else 1
        return values

    changed(source / f"BraTS2021_00495_{ending}.nii.gz", with_one_other)
    out = tmp_path / "out"
    (failure,) = convert(source, out, code=1).failures
    assert f"BraTS2021_00495_{ending}.nii.gz: differs from " in failure
    made = set(planned(source, "brats2021"))
    (missing,) = made - set(snapshot(out))
    assert missing.startswith("sub-00495/")
    assert missing.endswith(
        "dseg.nii.gz" if ending == "seg" else "ce-gadolinium_space-SRI24_T1w.nii.gz"
    )
    assert record(out)[f"BraTS2021_00495_{ending}.nii.gz"]["bucket"] == "failed"


def test_2022_is_2021(source: Make, tree: Make, tmp_path: Path) -> None:
    assert datasets.load("brats2022") is datasets.load("brats2021")
    convert(source("brats2021"), tmp_path / "out", "--dataset", "brats2022")
    assert snapshot(tmp_path / "out") == snapshot(tree("brats2021"))
    said = run("detect", source("brats2021")).out.splitlines()
    assert said[0] == "brats2021 (2021 (2022 published the same files))"
    assert sum("because" in line and "BraTS2021_{number}" in line for line in said) == 5


@pytest.mark.parametrize(
    ("name", "sessions"),
    [
        ("brats2023", "GLI00000/ses-000 GLI00000/ses-001 GLI00017/ses-001 GLI01733/ses-000"),
        ("brats2024", "GLI00005/ses-100 GLI00005/ses-101 GLI00006/ses-101 GLI00021/ses-100"),
        ("brats2024menrt", "MENRT0017/ses-1 MENRT0402/ses-1 MENRT0501/ses-1"),
    ],
)
def test_sessions_are_time_points_and_never_renumbered(
    name: str, sessions: str, source: Make, tree: Make
) -> None:
    assert [unit.name for unit in bidsify.plan(source(name), name).units] == [
        f"sub-{session}" for session in sessions.split()
    ]
    for session in sessions.split():
        subject, label = session.split("/")
        table = rows(tree(name) / f"sub-{subject}/sub-{subject}_sessions.tsv")
        (row,) = [row for row in table if row["session_id"] == label]
        number = subject.lstrip("GLIMENRT")
        assert row["source_id"].endswith(f"-{number}-{label.removeprefix('ses-')}")


# Labels


@pytest.mark.parametrize("name", LABELS)
def test_each_edition_is_recognised_and_has_its_own_label_table(
    name: str, source: Make, tree: Make
) -> None:
    assert detected(source(name)) == name
    table = rows(tree(name) / "dseg.tsv")
    assert {int(row["index"]): row["abbreviation"] for row in table} == LABELS[name]
    for target, (path,) in planned(source(name), name).items():
        if target.endswith("_dseg.nii.gz"):
            stored, _ = volume(source(name) / path)
            written, _ = volume(tree(name) / target)
            assert np.array_equal(stored, written)


@pytest.mark.parametrize("name", LABELS)
def test_cases_for_validation_lack_no_mask_and_others_may(name: str, own_source: Make) -> None:
    source = own_source(name)
    codes = [remark.code for remark in bidsify.plan(source, name).remarks]
    assert "MISSING" not in codes
    next(path for path in masks(source) if path.parent != source).unlink()
    missing = [r.message for r in bidsify.plan(source, name).remarks if r.code == "MISSING"]
    assert len(missing) == 1
    assert " is missing for 1 of " in missing[0]


def test_one_integer_means_different_things() -> None:
    def meaning(value: int, names: tuple[str, ...]) -> set[str]:
        found = (datasets.load(name).products[-1].labels.names for name in names)
        return {table.get(value, "") for table in found}

    enhancing = {"enhancing tumour"}
    assert meaning(4, OLD) == meaning(3, NEW) == meaning(1, ("brats2024ped",)) == enhancing
    assert meaning(3, OLD) == meaning(4, NEW) == {""}
    assert meaning(4, ("brats2024",)) == {"resection cavity"}
    assert meaning(4, ("brats2024ped",)) == {"peritumoural edema"}


@pytest.mark.parametrize("name", NEW)
def test_2023_a_label_4_fails_with_the_reason(name: str, own_source: Make, tmp_path: Path) -> None:
    source = own_source(name)
    mask = masks(source)[0]
    changed(mask, translated({3: 4}))
    out = tmp_path / "out"
    (failure,) = convert(source, out, code=1).failures
    assert str(mask.relative_to(source)) in failure
    assert "voxel values without a row in the label table: [4]" in failure
    missing = set(planned(source, name)) - set(snapshot(out))
    assert [path.rpartition("_")[2] for path in missing] == ["dseg.nii.gz"]


@pytest.mark.parametrize("name", REGIONS)
def test_regions_are_named_by_the_values_of_the_edition(name: str, tree: Make) -> None:
    stated = {
        row["abbreviation"]: set(map(int, row["indices"].split(",")))
        for row in rows(tree(name) / "regions.tsv")
    }
    assert stated == REGIONS[name]
    for row in rows(tree(name) / "dseg.tsv"):
        holding = [region for region, values in stated.items() if int(row["index"]) in values]
        assert row["regions"] == (";".join(holding) or "n/a")


@pytest.mark.parametrize("name", OLD)
def test_a_copy_for_nnunet_is_refused_as_a_whole(
    name: str, own_source: Make, tmp_path: Path
) -> None:
    """Some cases have no enhancing tumour: their masks hold nothing that is wrong."""
    source = own_source(name)
    for mask in masks(source):
        changed(mask, translated(TO_NNUNET))
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 2
    assert "hold the label values 3: BraTS uses 0, 1, 2, 4 until 2022" in ran.error
    assert "nnU-Net" in ran.error
    assert not (tmp_path / "out").exists()
    document = json.loads(run("detect", source, "--json").out)
    assert document["dataset"] == name
    assert "nnU-Net" in document["suspicion"]


def test_a_copy_for_nnunet_is_refused_where_most_masks_are_innocent(tmp_path: Path) -> None:
    """The first masks of a long list are not the only ones that are looked into."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    for number in range(48):
        values = np.array([0, 1, 2, 3 if number > 24 else 2], np.uint8).reshape(2, 2, 1)
        path = tmp_path / "in" / SEG_OF_2021.format(f"BraTS2021_{number:05}")
        native.save(path, native.gzipped(native.nifti(values, affine)))
    ran = run("convert", tmp_path / "in", tmp_path / "out")
    assert ran.code == 2
    assert "nnU-Net" in ran.error


@pytest.mark.parametrize("name", OLD)
def test_a_single_bad_mask_among_good_ones_fails_alone(
    name: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source(name)
    bad = next(path for path in masks(source) if path.parent != source)  # no loose copy
    changed(bad, translated(TO_NNUNET))
    out = tmp_path / "out"
    (failure,) = convert(source, out, code=1).failures
    assert str(bad.relative_to(source)) in failure or bad.name in failure
    assert "[3]" in failure
    assert "nnU-Net" in failure
    missing = set(planned(source, name)) - set(snapshot(out))
    assert [path.rpartition("_")[2] for path in missing] == ["dseg.nii.gz"]


# Tables


@pytest.mark.parametrize(
    "header",
    [
        "Brats20ID,Age,Survival_days,Extent_of_Resection",
        "BraTS20ID,Age,Survival,ResectionStatus",
        "BraTS_2020_subject_ID,age,Survival_Days,Extent_of_Resection",
        "BRATS20id,AGE,survival,RESECTIONSTATUS",
    ],
)
def test_2020_columns_of_the_survival_table_have_many_names(
    header: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source("brats2020")
    lines = (
        "BraTS20_Training_001,89.0,342,GTR",
        "BraTS20_Training_002,89.01,ALIVE (361 days later),STR",
        "BraTS20_Training_355,93.4,NA,",
    )
    (source / TOP_OF_2020 / "survival_info.csv").write_text("\n".join((header, *lines, "")))
    convert(source, tmp_path / "out")
    columns = ("age", "survival_days", "extent_of_resection")
    found = participants(tmp_path / "out")
    assert {k: tuple(row[c] for c in columns) for k, row in found.items() if "Training" in k} == {
        "Training001": ("89.0", "342", "GTR"),
        "Training002": ("89", "ALIVE (361 days later)", "STR"),
        "Training355": ("89", "n/a", "n/a"),
    }
    assert tuple(found["Validation001"][c] for c in columns) == ("63.47", "n/a", "GTR")


def test_2019_the_survival_table_has_other_names(own_source: Make, tmp_path: Path) -> None:
    source = own_source("brats2019")
    (table,) = source.rglob("survival_data.csv")
    table.write_text(
        "BraTS19ID,Age,Survival,ResectionStatus\n"
        "BraTS19_CBICA_AAB_1,90.5,ALIVE (361 days later),GTR\n"
        "BraTS19_2013_0_1,57.82,342,NA\n"
    )
    convert(source, tmp_path / "out")
    found = participants(tmp_path / "out")
    columns = ("age", "survival_days", "extent_of_resection")
    assert tuple(found["CBICAAAB"][c] for c in columns) == ("89", "ALIVE (361 days later)", "GTR")
    assert tuple(found["20130"][c] for c in columns) == ("57.82", "342", "n/a")
    assert "survival" not in found["20130"]


def test_2020_people_have_the_names_of_earlier_editions(tree: Make) -> None:
    found = participants(tree("brats2020"))
    earlier = {
        "brats_2017_subject_id": "Brats17_CBICA_AAB_1",
        "brats_2018_subject_id": "Brats18_CBICA_AAB_1",
        "brats_2019_subject_id": "BraTS19_CBICA_AAB_1",
        "tcga_tcia_subject_id": "n/a",
        "grade": "HGG",
    }
    assert {name: found["Training001"][name] for name in earlier} == earlier
    assert found["Training355"]["grade"] == "LGG"
    assert found["Validation001"]["brats_2019_subject_id"] == "n/a"
    assert participants(tree("brats2019"))["CBICAAAB"]["brats_2018_subject_id"] == (
        "Brats18_CBICA_AAB_1"
    )


# Headers


def test_2023_the_name_and_time_of_a_gzip_header_stay_behind(source: Make, tree: Make) -> None:
    name = "BraTS-GLI-00017-001-t1c.nii.gz"
    (path,) = source("brats2023").rglob(name)
    packed = path.read_bytes()
    former = b"00000071_brain_t1ce.nii"
    assert former in packed[:64]  # the synthetic source has the trap
    anat = tree("brats2023") / "sub-GLI00017/ses-001/anat"
    written = (anat / "sub-GLI00017_ses-001_ce-gadolinium_space-SRI24_T1w.nii.gz").read_bytes()
    assert written[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert former not in written
    assert gzip.decompress(written) == gzip.decompress(packed)


def test_2024_no_template_is_stated_and_menrt_shows_faces(tree: Make) -> None:
    (one,) = (tree("brats2024") / "sub-GLI00006/ses-101/anat").glob("*_FLAIR.nii.gz")
    assert one.name == "sub-GLI00006_ses-101_desc-preproc_FLAIR.nii.gz"
    assert "SpatialReference" not in sidecar(one)
    (head,) = (tree("brats2024menrt") / "sub-MENRT0402/ses-1/anat").glob("*_T1w.nii.gz")
    assert sidecar(head)["SkullStripped"] is False


# One layout, two editions


@pytest.mark.parametrize(
    ("number", "folder", "edition"),
    [
        ("000", "cases/BraTS-GLI-00005-000", "brats2023"),
        ("001", "cases/BraTS-GLI-00005-001", "brats2023"),
        ("000", "images", "brats2023"),
        ("100", "cases/BraTS-GLI-00005-100", "brats2024"),
        ("101", "cases/BraTS-GLI-00005-101", "brats2024"),
        ("101", "images", "brats2024"),
        ("200", "BraTS2023-flat", "brats2023"),
        ("200", "training_data_additional", "brats2024"),
    ],
)
def test_gli_time_point_or_folder_tells_the_edition(
    number: str, folder: str, edition: str, tmp_path: Path
) -> None:
    content = native.gzipped(native.nifti(np.zeros((3, 4, 5), np.uint8), np.eye(4)))
    for contrast in ("t1n", "t1c", "t2w", "t2f", "seg"):
        native.save(tmp_path / folder / f"BraTS-GLI-00005-{number}-{contrast}.nii.gz", content)
    assert detected(tmp_path) == edition
    said = run("detect", tmp_path).out.splitlines()
    assert said[1].startswith("  because ")
    assert f" in a path such as {folder}/BraTS-GLI-" in said[1]


def test_gli_both_editions_in_one_folder_are_not_one(source: Make, tmp_path: Path) -> None:
    for name in ("brats2023", "brats2024"):
        for case in source(name).rglob("BraTS-GLI-*-???"):
            shutil.copytree(case, tmp_path / "both" / case.name)
    with pytest.raises(UsageError, match=r"brats2023 .* or brats2024 .* say it with --dataset"):
        bidsify.detect(tmp_path / "both")


def test_gli_a_label_4_tells_the_edition(source: Make, tmp_path: Path) -> None:
    place = flat(source("brats2024"), tmp_path / "images")
    assert detected(place) == "brats2024"
    assert "because the label 4 in some of its segmentations is a sign" in run("detect", place).out


@pytest.mark.parametrize(
    ("shape", "edition"), [((240, 240, 155), "brats2023"), ((182, 218, 182), "brats2024")]
)
def test_gli_a_grid_tells_the_edition(
    shape: tuple[int, int, int], edition: str, tmp_path: Path
) -> None:
    content = native.gzipped(native.nifti(np.zeros(shape, np.uint8), np.eye(4)))
    native.save(tmp_path / "BraTS-GLI-00005-200-t1n.nii.gz", content)
    assert detected(tmp_path) == edition
    assert f"because a grid of {shape} voxels is a sign" in run("detect", tmp_path).out


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("brats2023", ("brats2023", "brats2024")),
        ("brats2024", ("brats2023", "brats2024")),
        ("brats2023ped", ("brats2023ped", "brats2024ped")),
        ("brats2024ped", ("brats2023ped", "brats2024ped")),
    ],
)
def test_where_nothing_tells_the_edition_the_user_is_asked(
    name: str, others: tuple[str, str], source: Make, tmp_path: Path
) -> None:
    for mask in masks(flat(source(name), tmp_path / "images")):
        if "2024" in name:  # a label 4 would tell
            mask.unlink()
    for verb in ("detect", "plan"):
        ran = run(verb, tmp_path / "images")
        assert ran.code == 2
        assert ran.error.startswith("the source could be ")
        assert all(f"{other} (" in ran.error for other in others)
        assert ran.error.endswith("does not tell which (or that it is both); say it with --dataset")
    ran = run("convert", tmp_path / "images", tmp_path / "out")
    assert ran.code == 2
    assert not (tmp_path / "out").exists()
    convert(tmp_path / "images", tmp_path / "out", "--dataset", name)


def test_ped_folder_or_label_tells_the_edition(source: Make, tmp_path: Path) -> None:
    place = flat(source("brats2024ped"), tmp_path / "images")
    assert detected(place) == "brats2024ped"
    for year, edition in (("2023", "brats2023ped"), ("2024", "brats2024ped")):
        folder = tmp_path / year / f"BraTS{year}-PED"
        folder.mkdir(parents=True)
        mask = masks(source("brats2023ped"))[0]
        shutil.copyfile(mask, folder / mask.name)
        assert detected(tmp_path / year) == edition


def test_two_cohorts_in_one_folder_are_not_one_dataset(source: Make, tmp_path: Path) -> None:
    for name in ("brats2023men", "brats2023met"):
        shutil.copytree(source(name), tmp_path / "both" / name)
    with pytest.raises(UsageError, match="the source holds several datasets"):
        bidsify.detect(tmp_path / "both")


def test_a_shape_is_kept_whatever_the_edition_says(own_source: Make, tmp_path: Path) -> None:
    """A header is read, never assumed: some copies have another origin."""
    source = own_source("brats2021")
    path = next(source.rglob("BraTS2021_00000_t1.nii.gz"))
    values, like = volume(path)
    moved = like.affine.copy()
    moved[:3, 3] = 0
    save_volume(path, values, like, moved)
    convert(source, tmp_path / "out")
    made = targets(bidsify.plan(source))
    (target,) = [t for t, paths in made.items() if paths[0].endswith("00000_t1.nii.gz")]
    assert np.array_equal(volume(tmp_path / "out" / target)[1].affine, moved)


def test_a_broken_table_does_not_take_others_with_it(own_source: Make, tmp_path: Path) -> None:
    source = own_source("brats2019")
    (survival,) = source.rglob("survival_data.csv")
    survival.write_bytes(b"\xff\xfe\0")
    ran = convert(source, tmp_path / "out", code=1)
    assert len(ran.failures) == 1
    assert "survival_data.csv: not a readable table" in ran.failures[0]
    found = participants(tmp_path / "out")
    assert found["CBICAAAB"]["brats_2017_subject_id"]
    buckets = {path.rpartition("/")[2]: v["bucket"] for path, v in record(tmp_path / "out").items()}
    assert (buckets["survival_data.csv"], buckets["name_mapping.csv"]) == ("failed", "converted")
