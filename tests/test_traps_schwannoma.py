"""Vestibular schwannoma, from the archive, from its authors and from crossMoDA: each trap."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from conftest import RECORD, Make, run, snapshot, volume
from test_traps import changed, convert, participants, planned, record, rows, sidecar

import bidsify
from bidsify.demo import crossmoda2023, native, vsseg
from bidsify.demo.schwannoma_cases import CASES, Case, masks

STYLES = ("descriptive", "classic")
INDICES = {"TV": 1, "AN": 1, "tv": 1, "Men": 3, "Cochlea": 2, "cochlea": 2}
OF_2022 = "crossmoda2022_training/training_source/crossmoda2022_etz_0_Label.nii.gz"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return the download from the archive, in one of two styles; not to be changed."""
    root = tmp_path_factory.mktemp("archive")

    def make(style: str) -> Path:
        if not (root / style).exists():
            vsseg.tcia(root / style, style=style)
        return root / style

    return make


def renamed(path: Path, names: dict[str, str]) -> None:
    """Give the structures of a structure set other names."""
    drawn = pydicom.dcmread(path)
    for roi in drawn.StructureSetROISequence:
        roi.ROIName = names.get(roi.ROIName, roi.ROIName)
    drawn.save_as(path)


# The archive


@pytest.mark.parametrize("style", STYLES)
def test_all_layouts_of_the_download_give_the_same_names_and_voxels(
    style: str, raw: Make, tree: Make, tmp_path: Path
) -> None:
    assert bidsify.detect(raw(style)).name == "vsseg"
    ran = convert(raw(style), tmp_path / "out")
    assert ran.buckets["unclaimed"] == 0
    found, expected = snapshot(tmp_path / "out"), snapshot(tree("vsseg"))
    assert list(found) == list(expected)
    differing = {path for path in found if found[path] != expected[path]}
    assert all(path == RECORD or path.endswith("_scans.tsv") for path in differing)
    assert run("verify", raw(style), tmp_path / "out").code == 0


def test_a_series_is_told_by_its_header_and_not_by_its_folder(raw: Make, tmp_path: Path) -> None:
    """Names of folders end with what is left of an identifier, or are nothing else."""
    source = tmp_path / "in"
    for number, path in enumerate(sorted(raw("classic").rglob("VS-SEG-001/*/*"))):
        shutil.copytree(path, source / f"VS-SEG-001/study/{number}")
    made = planned_from_headers(source)
    described = {
        target: {str(pydicom.dcmread(source / path).get("SeriesDescription")) for path in paths}
        for target, paths in made.items()
        if target.endswith(("T1w.nii.gz", "T2w.nii.gz"))
    }
    assert described == {
        "sub-001/anat/sub-001_ce-gadolinium_T1w.nii.gz": {"t1_fl3d_tra_gk_v1"},
        "sub-001/anat/sub-001_acq-hr_T2w.nii.gz": {"t2_ci3d_tra_1.5mm_v2_448"},
    }


def planned_from_headers(source: Path) -> dict[str, tuple[str, ...]]:
    """Return the volumes of a plan, each with its sources."""
    plan = bidsify.plan(source, "vsseg")
    return {
        job.target: job.sources for unit in plan.units for job in unit.jobs if job.kind == "volume"
    }


@pytest.mark.parametrize("weighting", ["t1", "t2"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.number))
def test_voxels_within_the_contours_are_labelled(case: Case, weighting: str, tree: Make) -> None:
    """Case 12 lies on oblique grids, and its first file on top."""
    stem = f"sub-{case.number:03}" + ("_acq-hr" if weighting == "t2" else "")
    anat = tree("vsseg") / f"sub-{case.number:03}/anat"
    labels, image = volume(anat / f"{stem}_dseg.nii.gz")
    contrast = "acq-hr_T2w" if weighting == "t2" else "ce-gadolinium_T1w"
    shown = volume(anat / f"sub-{case.number:03}_{contrast}.nii.gz")[1]
    assert np.array_equal(image.affine, shown.affine)
    assert (case.number == 12) == (np.count_nonzero(image.affine[:3, :3]) > 3)
    drawn = masks(case, weighting)
    for name, (inside, sure) in drawn.items():
        assert inside.any()
        if name in INDICES:
            assert np.array_equal((labels == INDICES[name])[sure], inside[sure])
    path = anat / f"{stem}_probseg.nii.gz"
    assert path.exists() == (not INDICES.keys() >= drawn.keys())
    if path.exists():
        channels, _ = volume(path)
        assert sidecar(path)["LabelMap"] == list(drawn)
        assert set(np.unique(channels)) == {0, 1}
        for place, (inside, sure) in enumerate(drawn.values()):
            assert np.array_equal(channels[..., place][sure], inside[sure])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *((name, 1) for name in ("TV", "AN", "tv", "an", "tumour", "Rt AN", "TvT1")),
        *((name, 2) for name in ("Cochlea", "cochlea", "Cochlea_c", "Cochlea_d")),
        ("Men", 3),
        *((name, None) for name in ("Vol 2y", "Vol2016", "6m", "Brainstem", "Modiolus", "Test")),
    ],
)
def test_names_of_structures_say_what_they_are(
    name: str, label: int | None, source: Make, tmp_path: Path
) -> None:
    place = tmp_path / "in/vs_gk_1_t1"
    shutil.copytree(source("vsseg") / "vs_gk_1_t1", place)
    renamed(place / "RTSS.dcm", {"TV": name, "Cochlea": "T1+ 13"})
    convert(tmp_path / "in", tmp_path / "out", "--dataset", "vsseg")
    anat = tmp_path / "out/sub-001/anat"
    assert sidecar(anat / "sub-001_probseg.nii.gz")["LabelMap"] == [name, "T1+ 13"]
    path = anat / "sub-001_dseg.nii.gz"
    assert path.exists() == (label is not None)
    if label is not None:
        assert set(np.unique(volume(path)[0])) == {0, label}
        assert sidecar(path)["SourceStructures"] == {str(label): [name]}


def test_the_first_structure_can_be_a_meningioma(tree: Make) -> None:
    anat = tree("vsseg") / "sub-063/anat"
    assert set(np.unique(volume(anat / "sub-063_dseg.nii.gz")[0])) == {0, 2, 3}
    assert sidecar(anat / "sub-063_dseg.nii.gz")["SourceStructures"] == {
        "2": ["cochlea"],
        "3": ["Men"],
    }
    names = {row["index"]: row["name"] for row in rows(tree("vsseg") / "dseg.tsv")}
    assert names["1"] == "vestibular schwannoma"
    assert names["3"] == "meningioma"


def test_the_tumour_at_other_times_has_no_label(tree: Make) -> None:
    anat = tree("vsseg") / "sub-063/anat"
    labels, _ = volume(anat / "sub-063_dseg.nii.gz")
    channels, _ = volume(anat / "sub-063_probseg.nii.gz")
    later = sidecar(anat / "sub-063_probseg.nii.gz")["LabelMap"].index("vol 2y")
    grown = (channels[..., later] == 1) & (channels[..., 0] == 0) & (channels[..., 1] == 0)
    assert grown.any()
    assert (labels[grown] == 0).all()
    assert not list((tree("vsseg") / "sub-001/anat").glob("*_probseg.nii.gz"))


def test_where_labelled_structures_overlap_all_are_in_the_probseg(
    own_source: Make, tmp_path: Path
) -> None:
    source = own_source("vsseg")
    renamed(source / "vs_gk_12_t1/RTSS.dcm", {"Vol2016": "Men"})
    ran = convert(source, tmp_path / "out")
    told = r"ROI 1 'AN' and ROI 2 'Men' share \d+ voxels, so there is no dseg; see the probseg"
    assert any(re.search(told, text) for text in ran.warnings), ran.warnings
    anat = tmp_path / "out/sub-012/anat"
    assert not (anat / "sub-012_dseg.nii.gz").exists()
    assert not (anat / "sub-012_dseg.json").exists()
    assert (anat / "sub-012_acq-hr_dseg.nii.gz").exists()  # that of T2 was not touched
    channels, _ = volume(anat / "sub-012_probseg.nii.gz")
    assert sidecar(anat / "sub-012_probseg.nii.gz")["LabelMap"] == ["AN", "Men", "Cochlea"]
    assert channels.shape[3] == 3
    assert (channels[..., :2] == 1).all(axis=-1).any()
    for place, (inside, sure) in enumerate(masks(CASES[1], "t1").values()):
        assert np.array_equal(channels[..., place][sure], inside[sure])
    document = json.loads((tmp_path / "out" / RECORD).read_bytes())
    left = {x["target"] for x in document["written"] if not x["size"] and "sub-012" in x["target"]}
    assert left == {"sub-012/anat/sub-012_dseg.nii.gz"}
    assert run("verify", source, tmp_path / "out").code == 0


def test_structures_without_their_series_fail(own_source: Make, tmp_path: Path) -> None:
    source = own_source("vsseg")
    for path in (source / "vs_gk_1_t2").glob("IMG*"):
        path.unlink()
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert failure == (
        "vs_gk_1_t2/RTSS.dcm: structures without the DICOM series that they lie on; add it"
    )
    anat = tmp_path / "out/sub-001/anat"
    assert not list(anat.glob("*acq-hr*seg*"))
    assert (anat / "sub-001_dseg.nii.gz").exists()


def test_structures_of_a_series_that_is_not_there_are_not_put_on_another(
    raw: Make, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    shutil.copytree(raw("descriptive"), source)
    (series,) = source.rglob("VS-SEG-001/*/3.000000-*")
    shutil.rmtree(series)
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 1
    failed = [k for k, v in record(tmp_path / "out").items() if v["bucket"] == "failed"]
    kinds = [pydicom.dcmread(source / path).Modality for path in failed]
    assert kinds == ["RTSTRUCT"]
    text = f"{failed[0]}: drawn on a series that is not in the source; complete the download"
    assert ran.failures == [text]
    assert not list((tmp_path / "out/sub-001/anat").glob("*acq-hr*seg*"))


def test_structures_of_another_series_are_refused(own_source: Make, tmp_path: Path) -> None:
    """Contours that happen to fit the slices of a series that they do not name."""
    source = own_source("vsseg")
    path = source / "vs_gk_1_t1/RTSS.dcm"
    dataset = pydicom.dcmread(path)
    (frame,) = dataset.ReferencedFrameOfReferenceSequence
    frame.FrameOfReferenceUID = "2.25.1"
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    series.SeriesInstanceUID = "2.25.2"
    for roi in dataset.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = "2.25.1"
    dataset.save_as(path)
    ran = convert(source, tmp_path / "out", code=1)
    text = "vs_gk_1_t1/RTSS.dcm: drawn on series 2.25.2, which is not the one in its folder"
    assert ran.failures == [text]
    assert not list((tmp_path / "out/sub-001/anat").glob("sub-001_dseg*"))


def test_masks_follow_their_series(own_source: Make, tmp_path: Path) -> None:
    """A second run makes a mask anew when the slices that give its place have changed."""
    source = own_source("vsseg")
    convert(source, tmp_path / "out")
    for path in [*(source / "vs_gk_1_t1").glob("IMG*")]:
        dataset = pydicom.dcmread(path)
        column = float(dataset.PixelSpacing[1])
        dataset.ImagePositionPatient[0] = float(dataset.ImagePositionPatient[0]) + column
        dataset.EchoTime = "99"
        dataset.save_as(path)
    convert(source, tmp_path / "out")
    assert run("verify", source, tmp_path / "out").code == 0
    convert(source, tmp_path / "fresh")
    for name in ("sub-001_dseg.nii.gz", "sub-001_ce-gadolinium_T1w.json"):
        one, other = (tmp_path / place / "sub-001/anat" / name for place in ("out", "fresh"))
        assert one.read_bytes() == other.read_bytes()
    assert b"0.099" in other.read_bytes()


def test_a_second_series_of_one_kind_is_not_mixed_in(raw: Make, tmp_path: Path) -> None:
    source = tmp_path / "in"
    shutil.copytree(raw("descriptive"), source)
    (series,) = source.rglob("VS-SEG-001/*/2.000000-*")
    for path in shutil.copytree(series, series.with_name("9.000000-again")).glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID = "2.25.7"
        dataset.save_as(path)
    ran = convert(source, tmp_path / "out", code=1)
    assert (
        "again/1-001.dcm: a second series that would be vs_gk_001_t1; keep one" in ran.failures[0]
    )
    assert (tmp_path / "out/sub-001/anat/sub-001_dseg.nii.gz").exists()


def test_a_structure_set_that_is_cut_off_fails_by_name(raw: Make, tmp_path: Path) -> None:
    source = tmp_path / "in"
    shutil.copytree(raw("classic"), source)
    files = sorted(source.rglob("VS-SEG-001/*/*/00000001.dcm"))
    path = next(path for path in files if pydicom.dcmread(path).Modality == "RTSTRUCT")
    path.write_bytes(path.read_bytes()[:-200])
    ran = convert(source, tmp_path / "out", code=1)
    assert any(text.startswith(path.relative_to(source).as_posix()) for text in ran.failures)
    assert run("verify", source, tmp_path / "out").code == 1


def test_names_of_channels_are_proved(own_source: Make, tmp_path: Path) -> None:
    source = own_source("vsseg")
    convert(source, tmp_path / "out")
    path = tmp_path / "out/sub-012/anat/sub-012_probseg.json"
    document = json.loads(path.read_text())
    document["LabelMap"] = document["LabelMap"][::-1]
    path.write_text(json.dumps(document))
    ran = run("verify", source, tmp_path / "out")
    assert "sub-012_probseg.json: LabelMap is" in ran.out


def test_contours_beyond_the_image_are_told(own_source: Make, tmp_path: Path) -> None:
    source = own_source("vsseg")
    path = source / "vs_gk_1_t1/RTSS.dcm"
    dataset = pydicom.dcmread(path)
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData[0] = float(contour.ContourData[0]) + 200
    dataset.save_as(path)
    told = "ROI 1 'TV' reaches beyond the image, and is cut off there"
    assert any(told in text for text in convert(source, tmp_path / "out").warnings)


def test_plans_and_doses_are_no_images_and_contours_are_copied(source: Make, tree: Make) -> None:
    found = record(tree("vsseg"))
    doses = [entry for path, entry in found.items() if path.endswith(("DOSE.dcm", "PLAN.dcm"))]
    assert len(doses) == 16
    assert {entry["bucket"] for entry in doses} == {"ignored"}
    folder, anat = source("vsseg") / "vs_gk_12_t2", tree("vsseg") / "sub-012/anat"
    for native_name, name in (
        ("contours.json", "sub-012_acq-hr_contours.json"),
        ("inv_T2_LPS_to_T1_LPS.tfm", "sub-012_acq-hr_xfm.tfm"),
    ):
        assert (anat / name).read_bytes() == (folder / native_name).read_bytes()


# What the authors' program makes of it


def test_the_authors_conversion_keeps_single_structures(source: Make, tree: Make) -> None:
    made = planned(source("vssegnifti"), "vssegnifti")
    drawn = {
        k: v[0] for k, v in made.items() if "/sub-001_" in k and "seg" not in k and "mask" in k
    }
    assert drawn == {
        "sub-001/anat/sub-001_label-1TV_mask.nii.gz": "vs_gk_1/vs_gk_struc1_TV_refT1.nii.gz",
        "sub-001/anat/sub-001_label-2Cochlea_mask.nii.gz": (
            "vs_gk_1/vs_gk_struc2_Cochlea_refT1.nii.gz"
        ),
        "sub-001/anat/sub-001_acq-hr_label-1TV_mask.nii.gz": (
            "vs_gk_1/vs_gk_struc1_TV_refT2.nii.gz"
        ),
        "sub-001/anat/sub-001_acq-hr_label-2Cochlea_mask.nii.gz": (
            "vs_gk_1/vs_gk_struc2_Cochlea_refT2.nii.gz"
        ),
    }
    for target, path in drawn.items():
        stored, _ = volume(source("vssegnifti") / path)
        assert np.array_equal(volume(tree("vssegnifti") / target)[0], stored)
        assert sidecar(tree("vssegnifti") / target)["Type"] == "ROI"


def test_the_authors_conversion_tells_on_which_grid_an_image_lies(source: Make, tree: Make) -> None:
    made = planned(source("vssegnifti"), "vssegnifti")
    assert {k: v[0] for k, v in made.items() if k.startswith("sub-012/")} == {
        "sub-012/anat/sub-012_ce-gadolinium_T1w.nii.gz": "vs_gk_12/vs_gk_t1_refT1.nii.gz",
        "sub-012/anat/sub-012_acq-hr_desc-refT1_T2w.nii.gz": "vs_gk_12/vs_gk_t2_refT1.nii.gz",
        "sub-012/anat/sub-012_dseg.nii.gz": "vs_gk_12/vs_gk_seg_refT1.nii.gz",
    }
    table = rows(tree("vssegnifti") / "dseg.tsv")
    assert "meningioma in 063 and 073" in table[1]["name"]


# crossMoDA


@pytest.mark.parametrize("name", ["crossmoda2021", "crossmoda2022"])
def test_nobody_has_both_domains_and_nothing_is_missed(name: str, source: Make, tree: Make) -> None:
    plan = bidsify.plan(source(name))
    assert {remark.code for remark in plan.remarks} == {"SUBJECT_COUNT"}
    made = planned(source(name), name)
    for label, row in participants(tree(name)).items():
        endings = {t.rpartition("_")[2] for t in made if t.startswith(f"sub-{label}/")}
        source_domain = {"T1w.nii.gz", "dseg.nii.gz"}
        assert endings == (source_domain if row["domain"] == "source" else {"T2w.nii.gz"})


def test_2022_the_grade_of_a_tumour_can_be_a_text(tree: Make) -> None:
    found = participants(tree("crossmoda2022"))
    grades = {label: row["koos"] for label, row in found.items() if row["domain"] == "source"}
    assert grades == {"ldn001": "3", "ldn002": "post-operative-london", "etz000": "4"}


def test_2022_labels_a_little_below_whole_numbers_are_not_cut_off(source: Make, tree: Make) -> None:
    stored, image = volume(source("crossmoda2022") / OF_2022)
    decoded = stored * float(image.dataobj.slope) + float(image.dataobj.inter)
    assert set(np.unique(decoded)) == {0.0, 0.9999999997671694, 1.9999999995343387}
    assert not (decoded.astype(np.uint8) == 2).any()  # what others lose
    labels, made = volume(tree("crossmoda2022") / "sub-etz000/anat/sub-etz000_dseg.nii.gz")
    assert made.get_data_dtype() == np.uint8
    assert made.header.get_slope_inter() in ((1.0, 0.0), (None, None))
    assert np.array_equal(labels, stored // 257)
    assert set(np.unique(labels)) == {0, 1, 2}


def test_2022_labels_far_from_whole_numbers_are_refused(own_source: Make, tmp_path: Path) -> None:
    source = own_source("crossmoda2022")
    content = bytearray(gzip.decompress((source / OF_2022).read_bytes()))
    struct.pack_into("<f", content, 112, 0.99 / 257)
    native.save(source / OF_2022, native.gzipped(bytes(content)))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "label values that are no whole numbers: [0.99, 1.98]" in failure


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return the label table that a user of the edition of 2023 states."""
    path = tmp_path / "labels.tsv"
    path.write_text(crossmoda2023.LABEL_TABLE)
    return path


def test_2023_nobody_knows_the_labels(source: Make, tmp_path: Path) -> None:
    for named in ((), ("--dataset", "crossmoda2023")):
        ran = run("convert", source("crossmoda2023"), tmp_path / "out", *named)
        assert ran.code == 2
        assert ran.error == (
            "what the label values of crossMoDA 2023 mean is not known for sure; state it with "
            "--label-table FILE (columns index, name), see 'bidsify datasets crossmoda2023'"
        )
        assert not (tmp_path / "out").exists()


def test_2023_the_user_states_the_labels(source: Make, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(source("crossmoda2023"), out, "--label-table", table)
    names = {row["index"]: row["abbreviation"] for row in rows(out / "dseg.tsv")}
    assert names == {"0": "BG", "1": "EMVS", "2": "IMVS", "3": "CO"}
    (mask,) = out.glob("sub-ukm001/anat/*_dseg.nii.gz")
    assert set(np.unique(volume(mask)[0])) == {0, 1, 2, 3}
    stated = json.loads((out / "dseg.json").read_bytes())
    assert "stated by whoever converted the dataset" in stated["Description"]
    assert run("verify", source("crossmoda2023"), out).code == 0
    assert run("verify", source("crossmoda2023"), out, "--label-table", table).code == 0
    values, _ = volume(mask)
    changed(mask, lambda _: np.where(values == 3, 2, values).astype(values.dtype))
    assert run("verify", source("crossmoda2023"), out).code == 1


@pytest.mark.parametrize(
    ("part", "said"), [("0\tBackground\tBG\n", "has no row for 0"), ("index", "index")]
)
def test_2023_a_table_without_background_or_index_is_refused(
    part: str, said: str, source: Make, table: Path, tmp_path: Path
) -> None:
    table.write_text(table.read_text().replace(part, ""))
    ran = run("convert", source("crossmoda2023"), tmp_path / "out", "--label-table", table)
    assert ran.code == 2
    assert said in ran.error
    assert not (tmp_path / "out").exists()


def test_2023_a_value_that_the_table_lacks_is_refused(
    source: Make, table: Path, tmp_path: Path
) -> None:
    table.write_text(table.read_text().replace("3\tCochlea\tCO\n", ""))
    out = tmp_path / "out"
    ran = convert(source("crossmoda2023"), out, "--label-table", table, code=1)
    assert len(ran.failures) == 3
    assert all("without a row in the label table: [3]" in text for text in ran.failures)
    assert not list(out.rglob("*_dseg.nii.gz"))


@pytest.mark.parametrize("name", ["crossmoda2021", "crossmoda2022", "vssegnifti", "brats2020"])
def test_a_known_label_table_is_not_replaced(
    name: str, source: Make, table: Path, tmp_path: Path
) -> None:
    for verb in (["convert", source(name), tmp_path / "out"], ["plan", source(name)]):
        ran = run(*verb, "--label-table", table)
        assert ran.code == 2
        assert f"the label table of {name!r} is known" in ran.error
    assert not (tmp_path / "out").exists()
