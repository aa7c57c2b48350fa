"""Our own checks: each defect is found with its own code, and what is sound is let pass."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from builders import gzipped, nifti
from conftest import WITH_LABELS, Make, save_volume, volume

from bidsify.bids_schema import schema
from bidsify.validation import codes
from bidsify.validation.checks import (
    Evidence,
    check_dataset,
    check_file,
    check_voxels,
    registry,
)
from bidsify.validation.context import Context
from bidsify.validation.dataset import Dataset, open_dataset
from bidsify.validation.files.tree import Folder
from bidsify.validation.issue import Finding
from bidsify.validation.loading import load
from bidsify.validation.options import Options
from bidsify.validation.rules.rulebook import Rulebook

Found = list[tuple[str, Finding]]
Defect = Callable[[Path], str]  # does the damage, and returns the path where it must be found
RULEBOOK = Rulebook(schema())
ANAT = "sub-MR01/anat/sub-MR01"
DSEG, T1W = f"{ANAT}_acq-T1DUAL_dseg", f"{ANAT}_acq-T1DUAL_rec-inphase_T1w"
OTHER = f"{ANAT}_acq-T1DUAL_rec-outphase_T1w"
SPINE = "sub-p001/ses-aug001/anat/sub-p001_ses-aug001"


def findings(root: Path, *, voxels: bool = True) -> Found:
    """Run our checks, and nothing else, over a tree."""
    dataset = open_dataset(str(root), RULEBOOK, Options(level="voxels"))
    evidence: list[Evidence] = []
    found: Found = []
    for context in contexts(dataset, dataset.root):
        found += check_file(context, evidence)
        if voxels:
            found += check_voxels(context, evidence)
    again = pickle.loads(pickle.dumps(evidence))  # it comes out of another process
    return found + list(check_dataset(again, dataset))


def contexts(dataset: Dataset, folder: Folder) -> Iterator[Context]:
    for file in folder.files.values():
        if not dataset.ignore.matches(file.path):
            context = Context(dataset, folder, file.name, file)
            parts = file.parts
            context.entities, context.suffix = parts.entities, parts.suffix
            context.extension = parts.extension
            load(context, file, [])
            yield context
    for name in folder.folders:
        if not dataset.ignore.matches(folder.path + name):
            yield from contexts(dataset, folder.child(name))


def summary(found: Found) -> set[tuple[str, str]]:
    return {(each.code, path) for path, each in found}


# --- Trees that convert made --------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WITH_LABELS, "lumbosacral"])
def test_a_converted_tree_has_none(tree: Make, name: str) -> None:
    assert [(path, each.code, each.message) for path, each in findings(tree(name))] == []


def relabel(path: str, change: Callable[[Any], Any], **fields: Any) -> Defect:
    """Change the voxels of an image, and fields of its header."""

    def damage(root: Path) -> str:
        data, image = volume(root / path)
        for name, value in fields.items():
            image.header[name] = value
        save_volume(root / path, np.asarray(change(data)), image)
        return path

    return damage


def rehead(path: str, **fields: Any) -> Defect:
    """Change fields of a header, byte for byte."""

    def damage(root: Path) -> str:
        raw = nib.load(root / path).to_bytes()
        header = nib.Nifti1Header(raw[:348], check=False)
        for name, value in fields.items():
            header[name] = value
        (root / path).write_bytes(gzipped(bytes(header.binaryblock) + raw[348:]))
        return path

    return damage


def moved(path: str, *, form: str) -> Defect:
    def damage(root: Path) -> str:
        image = nib.load(root / path)
        affine = image.affine.copy()
        affine[0, 3] += 5
        image.set_qform(affine, code=1)
        image.set_sform(affine if form == "both" else image.affine, code=1)
        nib.save(image, root / path)
        return path

    return damage


def edit(path: str, **keys: Any) -> Defect:
    """Set keys of a JSON file; None removes one."""

    def damage(root: Path) -> str:
        file = root / path
        document = json.loads(file.read_text()) if file.exists() else {}
        document.update(keys)
        kept = {key: value for key, value in document.items() if value is not None}
        file.write_text(json.dumps(kept))
        return path

    return damage


def replace(path: str, old: str, new: str) -> Defect:
    def damage(root: Path) -> str:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new, 1))
        return path

    return damage


def mapped(*names: str) -> Defect:
    def damage(root: Path) -> str:
        edit(f"{SPINE}_probseg.json", LabelMap=names)(root)
        return f"{SPINE}_probseg.nii.gz"

    return damage


def copied(path: str, to: str, change: Defect | None = None) -> Defect:
    def damage(root: Path) -> str:
        (root / to).write_bytes((root / path).read_bytes())
        if change:
            change(root)
        return to

    return damage


def cut(path: str, share: float) -> Defect:
    def damage(root: Path) -> str:
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: int(len(content) * share)])
        return path

    return damage


def plain_and_short(root: Path) -> str:
    """An image without compression that ends before its voxels do."""
    raw = nib.load(root / f"{ANAT}_acq-T2SPIR_T2w.nii.gz").to_bytes()
    path = f"{ANAT}_acq-T2SPIR_run-2_T2w.nii"
    (root / path).write_bytes(raw[: len(raw) // 2])
    return path


def mask(change: Callable[[Any], Any]) -> Defect:
    path = f"{ANAT}_acq-T1DUAL_label-liver_mask.nii.gz"
    return copied(f"{DSEG}.nii.gz", path, relabel(path, change))


CHAOS: dict[str, tuple[str, Defect]] = {
    "a value without a row": (
        "DSEG_VALUE_WITHOUT_ROW",
        relabel(f"{DSEG}.nii.gz", lambda d: np.where(d == 1, 77, d).astype("u1")),
    ),
    "a fraction": (
        "DSEG_NOT_INTEGER",
        relabel(f"{DSEG}.nii.gz", lambda d: np.where(d == 1, 1.5, d).astype("f4")),
    ),
    "an image as labels": (
        "DSEG_NOT_INTEGER",
        relabel(f"{DSEG}.nii.gz", lambda d: np.random.default_rng(0).random(d.shape)),
    ),
    "no label at all": ("SEGMENTATION_EMPTY", relabel(f"{DSEG}.nii.gz", np.zeros_like)),
    "a slope": ("DSEG_SCALED", rehead(f"{DSEG}.nii.gz", scl_slope=1, scl_inter=1e-9)),
    "a mask of 0 and 255": ("MASK_NOT_BINARY", mask(lambda d: (d == 1).astype("u1") * 255)),
    "an empty mask": ("SEGMENTATION_EMPTY", mask(np.zeros_like)),
    "NaN": (
        "IMAGE_NOT_FINITE",
        relabel(f"{T1W}.nii.gz", lambda d: np.where(d == d.max(), np.nan, d).astype("f4")),
    ),
    "a colour in words": ("LABEL_COLOR_INVALID", replace("dseg.tsv", "#b35f44", "brown")),
    "one colour twice": ("LABEL_COLOR_DUPLICATE", replace("dseg.tsv", "#7a3e8e", "#B35F44")),
    "one name twice": ("LABEL_NAME_DUPLICATE", replace("dseg.tsv", "right kidney", "left kidney")),
    "one abbreviation twice": (
        "LABEL_ABBREVIATION_DUPLICATE",
        replace("dseg.tsv", "\tRK\t", "\tLK\t"),
    ),
    "a table of another segmentation": (
        "TABLE_WITHOUT_SEGMENTATION",
        copied("dseg.tsv", f"{ANAT}_acq-T1DUAL_seg-x_dseg.tsv"),
    ),
    "another place": ("GRID_MISMATCH", moved(f"{DSEG}.nii.gz", form="both")),
    "a slice less": ("GRID_MISMATCH", relabel(f"{DSEG}.nii.gz", lambda d: d[:, :, :-1])),
    "a source that is gone": ("SOURCE_NOT_FOUND", edit(f"{DSEG}.json", Sources=["bids::sub-9/x"])),
    "a dataset that is not linked": (
        "SOURCE_NOT_FOUND",
        edit(f"{T1W}.json", Sources=["bids:raw:sub-01/anat/sub-01_T1w.nii.gz"]),
    ),
    "a reference that is gone": (
        "SPATIAL_REFERENCE_NOT_FOUND",
        edit(f"{T1W}.json", SpatialReference={"VolumeReference": "bids::tpl-x/tpl-x_T1w.nii.gz"}),
    ),
    "two affines": ("AFFINES_DISAGREE", moved(f"{T1W}.nii.gz", form="qform")),
    "a patient in a sidecar": (
        "SIDECAR_IDENTIFYING_KEY",
        edit(f"{T1W}.json", PatientName="Doe^Jane"),
    ),
    "a patient in a header": ("NIFTI_HEADER_TEXT", rehead(f"{T1W}.nii.gz", descrip=b"DOE^JANE")),
    "no GeneratedBy": (
        "DESCRIPTION_KEY_MISSING",
        edit("dataset_description.json", GeneratedBy=None),
    ),
    "no Name": ("DESCRIPTION_KEY_MISSING", edit("dataset_description.json", Name=None)),
    "a part that BIDS does not know": (
        "ENTITY_VALUE_NOT_ALLOWED",
        copied(f"{T1W}.nii.gz", f"{ANAT}_acq-T1DUAL_part-water_T1w.nii.gz"),
    ),
    "a negative size": (
        "NIFTI_IMPLAUSIBLE",
        rehead(f"{T1W}.nii.gz", dim=[3, 48, -1, 8, 1, 1, 1, 1]),
    ),
    "more than can be": ("NIFTI_IMPLAUSIBLE", rehead(f"{OTHER}.nii.gz", dim=[5] + [32767] * 7)),
    "an unknown type": ("NIFTI_IMPLAUSIBLE", rehead(f"{T1W}.nii.gz", datatype=77)),
    "a stream cut off": ("VOXELS_UNREADABLE", cut(f"{T1W}.nii.gz", 0.8)),
}
SSMSPINE: dict[str, tuple[str, Defect]] = {
    "a percentage": (
        "PROBSEG_OUT_OF_RANGE",
        relabel(f"{SPINE}_probseg.nii.gz", lambda d: (d * 100).astype("u1")),
    ),
    "a name too few": ("LABEL_MAP_LENGTH", mapped("a", "b")),
    "a volume too few": (
        "LABEL_MAP_LENGTH",
        relabel(f"{SPINE}_probseg.nii.gz", lambda d: d[..., :-1]),
    ),
    "another place, by the name alone": (
        "GRID_MISMATCH",
        relabel(f"{SPINE}_dseg.nii.gz", lambda d: d[:-1]),
    ),
}


@pytest.mark.parametrize("register", [registry.header_check, registry.voxel_check])
def test_a_check_that_nobody_could_explain_is_refused(register: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match=r"NO_SUCH_CODE has no row in validation/codes\.tsv"):
        register("NO_SUCH_CODE", on=registry.any_file)(lambda _: iter(()))


@pytest.mark.parametrize(("code", "damage"), CHAOS.values(), ids=CHAOS)
def test_a_defect_of_a_converted_tree_is_found(own_tree: Make, code: str, damage: Defect) -> None:
    assert_found(own_tree("chaos"), code, damage)


@pytest.mark.parametrize(("code", "damage"), SSMSPINE.values(), ids=SSMSPINE)
def test_a_defect_of_another_tree_is_found(own_tree: Make, code: str, damage: Defect) -> None:
    assert_found(own_tree("ssmspine"), code, damage)


def assert_found(root: Path, code: str, damage: Defect) -> None:
    path = damage(root)
    found = findings(root)
    assert summary(found) == {(code, path)}
    entry = codes.find(code)
    assert entry is not None
    assert entry.origin == "bidsify"
    assert entry.meaning
    assert entry.remedy
    assert all(each.message for _, each in found)


def test_a_short_file_has_an_implausible_header(own_tree: Make) -> None:
    root = own_tree("chaos")
    path = plain_and_short(root)
    for voxels in (False, True):
        assert summary(findings(root, voxels=voxels)) == {("NIFTI_IMPLAUSIBLE", path)}


def test_a_segmentation_without_a_table_is_found_once_each(own_tree: Make) -> None:
    root = own_tree("chaos")
    (root / "dseg.tsv").unlink()
    found = summary(findings(root))
    assert {code for code, _ in found} == {"SEGMENTATION_WITHOUT_TABLE"}
    assert (found and len(found)) == len(list(root.glob("sub-MR*/anat/*_dseg.nii.gz")))


def test_rows_without_voxels_are_found_in_the_whole_dataset(own_tree: Make) -> None:
    root = own_tree("ivdm3seg")
    table = root / "dseg.tsv"
    table.write_text(table.read_text() + "".join(f"{i}\tnew {i}\n" for i in (7, 8)))
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    width = len(lines[0])
    table.write_text("".join("\t".join((x + ["n/a"] * width)[:width]) + "\n" for x in lines))
    ((path, found),) = findings(root)
    assert (path, found.code, found.severity) == ("dseg.tsv", "DSEG_ROW_UNUSED", "info")
    assert "7 (new 7), 8 (new 8)" in found.message
    assert findings(root, voxels=False) == []


def test_a_message_names_the_values_and_how_many_voxels_have_them(own_tree: Make) -> None:
    root = own_tree("chaos")
    data, _ = volume(root / f"{DSEG}.nii.gz")
    path = CHAOS["a value without a row"][1](root)
    ((_, found),) = findings(root)
    assert f"value 77 ({int((data == 1).sum())} voxels)" in found.message
    assert "dseg.tsv" in found.message
    assert path == f"{DSEG}.nii.gz"


# --- A small tree of one's own: what must not be taken for a defect -----------------------------

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def small(root: Path, files: dict[str, Any]) -> Path:
    """Write a derivative dataset; arrays become images, dictionaries JSON, texts stay."""
    description = {
        "Name": "x",
        "BIDSVersion": "1.11.1",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "x"}],
    }
    for path, content in {"dataset_description.json": description, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(as_bytes(content))
    return root


def as_bytes(content: Any) -> bytes:
    if isinstance(content, np.ndarray):
        return nifti(content, AFFINE)
    text = json.dumps(content) if isinstance(content, dict) else content
    return text.encode() if isinstance(text, str) else text


def cube(size: int = 4, dtype: str = "u1") -> Any:
    data = np.zeros((size, size, size), dtype)
    data[1, 1, 1] = 1
    return data


A = "sub-1/anat/sub-1"
TABLE = "index\tname\n1\tone\n"
SOUND: dict[str, dict[str, Any]] = {
    "whole numbers as floats": {"dseg.tsv": TABLE, f"{A}_dseg.nii": cube(dtype="f4")},
    "a table may be of two sides": {
        "dseg.tsv": "index\tname\themisphere\tcolor\n1\tx\tL\t#000000\n2\tx\tR\t#000000\n",
        f"{A}_label-x_dseg.json": {},
        f"{A}_dseg.nii": cube() * 2 + np.roll(cube(), 1, 0),
    },
    "the grid of one source suffices": {
        f"{A}_T1w.nii": cube(),
        f"{A}_T2w.nii": cube(5),
        f"{A}_label-x_mask.nii": cube(),
        f"{A}_label-x_mask.json": {"Sources": [f"bids::{A}_T2w.nii", f"bids::{A}_T1w.nii"]},
    },
    "another space has another grid": {
        f"{A}_T1w.nii": cube(),
        f"{A}_space-MNI152Lin_label-x_mask.nii": cube(5),
        f"{A}_space-MNI152Lin_label-x_mask.json": {"Sources": [f"bids::{A}_T1w.nii"]},
    },
    "another resolution has another grid": {
        f"{A}_space-MNI152Lin_T1w.nii": cube(),
        f"{A}_space-MNI152Lin_res-2_label-x_mask.nii": cube(5),
    },
    "an exception may be stated": {
        f"{A}_T1w.nii": cube(),
        f"{A}_label-x_mask.nii": cube(5),
        f"{A}_label-x_mask.json": {"GridDiffersFromSources": True},
    },
    "references by name or address": {
        f"{A}_T1w.nii": cube(),
        f"{A}_T1w.json": {"SpatialReference": "MNI152NLin2009cAsym", "Sources": ["s3://x/y.nii"]},
        f"{A}_T2w.json": {"SpatialReference": {"a": "https://example.org/x.nii.gz", "b": "orig"}},
    },
    "a dataset that is elsewhere": {
        "dataset_description.json": {
            "Name": "x",
            "BIDSVersion": "1.11.1",
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "x"}],
            "DatasetLinks": {"a": "https://example.org", "b": "../nowhere", "c": "/nowhere"},
        },
        f"{A}_T1w.json": {"Sources": ["bids:a:x.nii", "bids:b:y.nii", "bids:c:z.nii"]},
    },
    "keys without a value, and what identifies nobody": {
        f"{A}_T1w.json": {
            "PatientName": "",
            "PatientID": "sub-1",
            "PatientBirthDate": "n/a",
            "AccessionNumber": "0000",
            "AcquisitionDateTime": "1901-02-03T10:00:00",
            "InstitutionName": "x",
            "DeviceSerialNumber": "123",
            "AcquisitionTime": "10:11:12",
        },
        "participants.json": {"PatientID": {"Description": "a column"}},
    },
    "the table of an atlas names the volumes": {
        "dseg.tsv": TABLE,
        f"{A}_probseg.nii": np.stack([cube(), cube()], -1),
    },
    "segmentations that are ignored still use a table": {
        "dseg.tsv": TABLE,
        ".bidsignore": "**/ct\n",
        "sub-1/ct/sub-1_dseg.nii": cube(),
    },
    "a probability that rounding takes past 1": {
        f"{A}_label-x_probseg.nii": cube(dtype="f4") * np.float32(1.0000001)
    },
    "parts that BIDS knows": {f"{A}_part-mag_T1w.nii": cube(), f"{A}_part-phase_T1w.nii": cube()},
}


@pytest.mark.parametrize("files", SOUND.values(), ids=SOUND)
def test_what_is_sound_is_let_pass(tmp_path: Path, files: dict[str, Any]) -> None:
    found = findings(small(tmp_path, files))
    assert [(path, each.code, each.message) for path, each in found] == []


def test_a_linked_dataset_that_is_here_is_looked_into(tmp_path: Path) -> None:
    small(tmp_path / "raw", {f"{A}_T1w.nii": cube()})
    links = {"DatasetLinks": {"raw": "../raw", "same": (tmp_path / "raw").as_uri()}}
    root = small(
        tmp_path / "derived",
        {
            f"{A}_desc-a_T1w.json": {
                "Sources": [f"bids:raw:{A}_T1w.nii", f"bids:same:{A}_T1w.nii"]
            },
            f"{A}_desc-b_T1w.json": {"IntendedFor": f"bids:raw:{A}_T2w.nii"},
        },
    )
    edit("dataset_description.json", **links)(root)
    ((path, found),) = findings(root)
    assert (path, found.code, found.where) == (
        f"{A}_desc-b_T1w.json",
        "SOURCE_NOT_FOUND",
        "IntendedFor",
    )


def test_all_images_of_one_space_with_one_shape_lie_at_one_place(tmp_path: Path) -> None:
    shifted = AFFINE.copy()
    shifted[0, 3] = 9
    names = [f"{A}_space-SRI24_{suffix}.nii" for suffix in ("T1w", "T2w")]
    root = small(
        tmp_path,
        {
            names[0]: cube(),
            names[1]: nifti(cube(), shifted),
            f"{A}_space-SRI24_label-x_mask.nii": cube(),
            f"{A}_space-SRI24_label-x_mask.json": {"Sources": [f"bids::{name}" for name in names]},
        },
    )
    ((path, found),) = findings(root)
    assert (path, found.code) == (f"{A}_space-SRI24_label-x_mask.nii", "GRID_MISMATCH")
    assert names[1] in found.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Doe^Jane", "a name"),
        ("3T 3D GR 24-Mar-2011 13:41:16", "a date"),
        ("scan 20110324", "a date"),
        ("2011-03-24", "a date"),
        ("/home/jdoe/study", "a user's folder"),
        ("jane@example.org", "a mail address"),
        ("Patient: Jane", "a patient"),
        ("FSL5.0", ""),
        ("6.0.3:b862cdd5", ""),
        ("TE=30;Time=153012.345", ""),
        ("dcm2niix v1.0.20190902", ""),
        ("FreeSurfer Feb 12 2008", ""),
        ("spm - 3D normalized", ""),
        ("MRtrix version: 3.0.3", ""),
    ],
)
def test_texts_of_a_header_are_told_apart(tmp_path: Path, text: str, kind: str) -> None:
    root = small(tmp_path, {f"{A}_T1w.nii": nifti(cube(), AFFINE, descrip=text.encode())})
    messages = [each.message for _, each in findings(root)]
    assert len(messages) == bool(kind)
    assert all(kind in message and text in message for message in messages)


@pytest.mark.parametrize(
    ("codes_of", "is_found"),
    [((1, 1), True), ((2, 1), True), ((4, 1), False), ((4, 4), True), ((1, 0), False)],
)
def test_affines_may_differ_where_they_say_so(
    tmp_path: Path, codes_of: tuple[int, int], *, is_found: bool
) -> None:
    image = nib.Nifti1Image(cube(), AFFINE)
    image.set_sform(np.array([[1, 0, 0, 3], *AFFINE[1:].tolist()]), code=codes_of[0])
    image.set_qform(AFFINE, code=codes_of[1])
    root = small(tmp_path, {f"{A}_T1w.nii": image.to_bytes()})
    assert [each.code for _, each in findings(root)] == ["AFFINES_DISAGREE"] * is_found


def test_half_a_turn_is_not_taken_for_another_place(tmp_path: Path) -> None:
    """A rotation of 180 degrees is where a quaternion of 32 bits loses most digits."""
    axis = np.array([0.3, 0.9, 0.2])
    axis /= np.linalg.norm(axis)
    affine = np.eye(4)
    affine[:3, :3] = 2 * np.outer(axis, axis) - np.eye(3)
    data = np.zeros((300, 300, 2), "u1")
    root = small(tmp_path, {f"{A}_T1w.nii": nifti(data, affine)})
    assert findings(root) == []


def test_a_header_alone_is_a_stub_until_its_voxels_are_wanted(tmp_path: Path) -> None:
    root = small(tmp_path, {f"{A}_T1w.nii": nifti(cube(), AFFINE)[:352]})
    assert findings(root, voxels=False) == []
    assert summary(findings(root)) == {("VOXELS_UNREADABLE", f"{A}_T1w.nii")}


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A header that claims much more than its file can hold, and a file that holds more."""
    huge = gzipped(nifti(np.zeros((4, 4, 4), "u1"), AFFINE) + bytes(1 << 22))
    claims = gzipped(
        nifti(cube(), AFFINE, dim=[4, 30000, 30000, 30000, 9, 1, 1, 1]) + bytes(1 << 23)
    )
    root = small(tmp_path, {f"{A}_T1w.nii.gz": huge, f"{A}_T2w.nii.gz": claims})
    found = {(path, each.code) for path, each in findings(root)}
    assert found == {(f"{A}_T2w.nii.gz", "NIFTI_IMPLAUSIBLE")}
