"""What a look through a tree finds: volumes, grids, terms, records, and trees that are broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_trees
from conftest import RECORD, Make
from hypothesis import given
from hypothesis import strategies as st
from small_trees import LIVER, SHAPE

import bidsify
from bidsify.errors import UsageError
from bidsify.survey import measuring, record, scores, terms
from bidsify.survey.document import to_json
from bidsify.survey.look import survey
from bidsify.survey.measuring import MOST_VALUES, slice_axis
from bidsify.survey.values import CaseFacts


def only(root: Path) -> CaseFacts:
    (case,) = survey(root).cases
    return case


def test_a_label_is_measured(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", {**LIVER, 2: (slice(8, 9), slice(0, 1), slice(0, 4))}, "T1w", "T2w")
    facts = only(root)
    liver, spleen = facts.labels
    assert (liver.name, liver.color, liver.voxels) == ("liver", "#b35f44", 32)
    assert liver.volume_ml == pytest.approx(0.096)
    assert liver.centroid_ijk == (2.5, 3.5, 1.5)
    assert liver.largest_slice == (2, 1)
    assert (liver.slices, liver.components) == (2, 1)
    assert (spleen.voxels, spleen.slices) == (4, 4)
    assert (facts.shape, facts.spacing) == (SHAPE, (1.0, 1.0, 3.0))
    assert (facts.orientation, facts.slice_axis, facts.in_mm) == ("RAS", 2, True)
    assert sorted(facts.case.images) == ["T1w", "T2w"]


def test_pieces_that_touch_at_corners_are_one(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    data = np.zeros(SHAPE, np.int32)
    data[1, 1, 1] = data[2, 2, 2] = data[7, 7, 0] = 2221
    small_trees.nifti(root / "sub-01/anat/sub-01_dseg.nii.gz", data)
    (label,) = only(root).labels
    assert (label.components, label.voxels, label.name) == (2, 3, "")
    assert 2221 not in survey(root).schemes[1].names
    assert survey(root).schemes[1].colors[2221] == label.color
    (root / "dseg.tsv").unlink()
    assert survey(root).schemes[0].names[2221] == ""


@given(st.permutations([0, 1, 2]), st.sampled_from([(1, 1, 1), (1, 1, 4), (0.5, 0.5, 0.55)]))
def test_slices_lie_across_the_coarsest_axis_or_else_the_one_to_the_head(
    order: list[int], spacing: tuple[float, float, float]
) -> None:
    affine = np.diag([*spacing, 1.0])[:, [*order, 3]]
    assert slice_axis(affine) == order.index(2)


def test_the_result_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    root = small_trees.several(tmp_path / "tree", 9)
    assert to_json(survey(root, 1)) == to_json(survey(root, 2))


def test_an_unusual_volume_has_a_score(tmp_path: Path) -> None:
    found = survey(small_trees.several(tmp_path / "tree", 12))
    *usual, small = (facts.outlier for facts in found.cases)
    assert small > 8 > scores.NOTABLE > max(usual)
    assert found.cases[-1].labels[0].score == -small


@pytest.mark.parametrize(
    ("volumes", "last"),
    [([1.0] * 7, 0), ([1.0] * 8, 0), ([1.0] * 8 + [1.04], 0.78), ([2.0] * 9 + [1.0], -7.98)],
)
def test_scores_are_robust(volumes: list[float], last: float) -> None:
    assert scores.robust(volumes)[-1] == pytest.approx(last)


@given(st.lists(st.floats(1e-3, 1e6), min_size=8, max_size=30), st.floats(0.1, 10))
def test_scores_do_not_depend_on_the_unit(volumes: list[float], factor: float) -> None:
    scaled = scores.robust([volume * factor for volume in volumes])
    assert scaled == pytest.approx(scores.robust(volumes), abs=0.02)


def test_the_record_of_a_conversion_is_told(tree: Make) -> None:
    found = survey(tree("chaos"))
    assert found.made is not None
    assert (found.made.dataset, found.made.edition) == ("chaos", "2019")
    done = {change.transform: change for change in found.made.changes}
    pictures = done["pictures stacked on the grid of their series, grey values to label indices"]
    assert (pictures.files, pictures.source[-4:], pictures.target[-12:]) == (
        6,
        ".png",
        "_dseg.nii.gz"[-12:],
    )
    assert sum(change.files for change in found.made.changes) == 35
    assert found.made.left_out[0][0] == "ignored: text for human readers"
    assert found.people.expected == 80
    assert found.terms.redistribution == "noncommercial"
    assert not found.terms.is_restricted
    assert dict(found.validity.counts) == {"error": 0, "warning": 0, "info": 0}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{}", "not a readable record"),
        ("[", "not a readable record"),
        ('{"dataset": 1, "shared": [], "written": [], "files": [{}]}', "not a readable record"),
        (
            '{"dataset": "chaos", "shared": [], "written": [], "files": [], "buckets": 3}',
            "not a record that this version can read",
        ),
    ],
)  # fmt: skip
def test_a_broken_record_is_said(tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / RECORD
    path.parent.mkdir(parents=True)
    path.write_text(content)
    found = record.made(tmp_path)
    assert found is not None
    assert fault in found.fault
    assert str(tmp_path) not in found.fault


def test_a_record_that_names_a_file_runs_nothing(tmp_path: Path) -> None:
    trap, ran = tmp_path / "trap.py", tmp_path / "ran"
    trap.write_text(f"open({str(ran)!r}, 'w')")
    assert terms.declared(str(trap)) is None
    assert not ran.exists()


@pytest.mark.parametrize(
    ("licence", "allows"),
    [
        ("CC0", "allowed"), ("CC-BY-4.0", "allowed"), ("CC-BY-NC-4.0", "noncommercial"),
        ("CC-BY-ND-4.0", "forbidden"), ("", "unknown"), ("see paper", "unknown"),
    ],
)  # fmt: skip
def test_terms_of_a_tree_that_bidsify_did_not_make(
    tmp_path: Path, licence: str, allows: str
) -> None:
    found = survey(small_trees.make(tmp_path, License=licence)).terms
    assert (found.stated, found.redistribution) == (licence, allows)
    assert found.is_restricted == (allows not in {"allowed", "noncommercial"})


@pytest.mark.parametrize(
    ("name", "licence", "allows"),
    [
        ("lumbosacral", None, "allowed"), ("lumbosacral", "strange", "unknown"),
        ("chaos", "CC0", "noncommercial"), ("myops380", "CC0", "forbidden"),
        ("prostate158", "CC0", "unknown"),
    ],
)  # fmt: skip
def test_the_stricter_of_tree_and_declaration_counts(
    tree: Make, tmp_path: Path, name: str, licence: str | None, allows: str
) -> None:
    """Nobody frees data by writing another licence into the tree."""
    for part in ("dataset_description.json", RECORD):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree(name) / part, tmp_path / part)
    path = tmp_path / "dataset_description.json"
    if licence is not None:
        path.write_text(json.dumps({**json.loads(path.read_text()), "License": licence}))
    assert terms.terms(tmp_path).redistribution == allows


def _float(root: Path) -> str:
    small_trees.nifti(root / "sub-01/anat/sub-01_dseg.nii.gz", np.full(SHAPE, 0.5, np.float32))
    return "no whole numbers: [0.5]"


def _many_values(root: Path) -> str:
    data = np.arange(np.prod(SHAPE) * 4, dtype=np.int16).reshape(*SHAPE[:2], -1)
    small_trees.nifti(root / "sub-01/anat/sub-01_dseg.nii.gz", data)
    assert data.size > MOST_VALUES
    return "1439 different values, so these are no labels"


def _colours(root: Path) -> str:
    data = np.zeros(SHAPE, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    small_trees.nifti(root / "sub-01/anat/sub-01_dseg.nii.gz", data)
    return "not numbers"


def _damaged(root: Path) -> str:
    path = root / "sub-01/anat/sub-01_dseg.nii.gz"
    small_trees.nifti(path, np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:-30])
    return "sub-01_dseg.nii.gz"


def _huge(root: Path) -> str:
    path = root / "sub-01/anat/sub-01_dseg.nii"
    small_trees.nifti(path, small_trees.labels(LIVER))
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(content)
    return "27000000000000 voxels, more than"


@pytest.mark.parametrize("broken", [_float, _many_values, _colours, _damaged, _huge])
def test_a_segmentation_that_is_none_is_said(tmp_path: Path, broken: Any) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "02", LIVER, "T1w")
    why = broken(root)
    found = survey(root)
    faults = [facts.fault for facts in found.cases if facts.fault] or [*found.faults.values()]
    assert len(faults) == 1
    said = f"{faults[0]} {' '.join(found.faults)}"
    assert why in said
    assert str(tmp_path) not in said
    assert any(facts.labels for facts in found.cases)


@pytest.mark.parametrize(
    ("code", "factor", "in_mm"), [(2, 1, True), (3, 1e-3, True), (1, 1e3, True), (5, 1, False)]
)
def test_the_unit_of_the_header_counts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int, factor: float, *, in_mm: bool
) -> None:
    """5 is no code at all; nobody repairs it, and nothing is printed."""
    root = small_trees.make(tmp_path / "tree")
    path = root / "sub-01/anat/sub-01_dseg.nii"
    small_trees.nifti(path, small_trees.labels(LIVER))
    content = bytearray(path.read_bytes())
    content[123] = code
    path.write_bytes(content)
    facts = only(root)
    assert (facts.fault, facts.in_mm) == ("", in_mm)
    assert facts.spacing == pytest.approx((factor, factor, 3 * factor))
    assert facts.labels[0].volume_ml == pytest.approx(0.096 * factor**3)
    assert capfd.readouterr() == ("", "")


def test_a_subject_whose_segmentation_cannot_be_read_is_shown(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER, "T1w")
    small_trees.add(root, "02", LIVER, "T1w", "T2w")
    small_trees.add(root, "03", None, "T1w")
    path = "sub-02/anat/sub-02_dseg.nii.gz"
    (root / path).write_bytes(b"none")
    (root / "sub-03/anat/sub-03_dseg.nii.gz").symlink_to("nowhere")
    one, two, three = survey(root).cases
    assert (one.fault, one.case.name, two.case.name) == ("", "sub-01", "sub-02")
    assert two.fault.startswith(f"{path}: not a NIfTI file")
    assert (sorted(two.case.images), two.shape, two.labels) == (["T1w", "T2w"], SHAPE, ())
    assert (three.case.segmentation or "").endswith("sub-03_dseg.nii.gz")
    assert "leads nowhere" in three.fault


@pytest.mark.parametrize(
    ("sidecar", "is_stated"),
    [
        ('{"GridDiffersFromSources": true}', True), ('{"GridDiffersFromSources": 1}', False),
        ("[", False), ("[" * 100_000, False), (None, False),
    ],
)  # fmt: skip
def test_a_sidecar_states_that_the_grid_is_another(
    tmp_path: Path, sidecar: str | None, *, is_stated: bool
) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER)
    if sidecar is not None:
        (root / "sub-01/anat/sub-01_dseg.json").write_text(sidecar)
    assert only(root).grid_is_stated is is_stated
    small_trees.add(root, "01", LIVER, "T1w")
    assert not only(root).grid_is_stated


def test_any_error_costs_one_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER, "T1w")

    def fail(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(measuring, "read_labels", fail)
    facts = only(root)
    assert facts.fault == "sub-01/anat/sub-01_dseg.nii.gz: LookupError"
    assert facts.shape == SHAPE


def test_pieces_are_counted_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small_trees.make(tmp_path / "tree")
    box = (slice(0, 2), slice(0, 2), slice(0, 2))
    small_trees.add(root, "01", {**LIVER, 2: box, 3: (slice(8, 10), *box[1:])})
    monkeypatch.setattr(measuring, "_MOST_OF_BOXES", 40)
    assert [label.components for label in only(root).labels] == [1, 1, None]


def test_odd_grids_are_measured(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    plane = np.zeros((6, 5), np.uint8)
    plane[1:3, 1:3] = 1
    small_trees.nifti(root / "sub-01/anat/sub-01_dseg.nii.gz", plane)
    film = np.zeros((4, 4, 3, 2), np.uint8)
    film[1, 1, 1] = 1
    small_trees.nifti(root / "sub-02/anat/sub-02_dseg.nii.gz", film)
    path = root / "sub-03/anat/sub-03_dseg.nii"
    small_trees.nifti(path, small_trees.labels(LIVER))
    content = bytearray(path.read_bytes())
    content[280:328] = bytes(48)  # srow_x, srow_y, srow_z: no axis has a length
    path.write_bytes(content)
    small_trees.nifti(root / "sub-04/anat/sub-04_dseg.nii.gz", np.zeros(SHAPE, np.uint8))
    one, two, three, four = survey(root).cases
    assert (one.shape, one.labels[0].voxels) == ((6, 5, 1), 4)
    assert (two.labels[0].voxels, two.labels[0].components) == (2, None)
    assert two.labels[0].volume_ml == pytest.approx(0.003)  # of one of two frames
    assert (three.labels[0].voxels, three.labels[0].volume_ml, three.outlier) == (32, 0, 0)
    assert (four.labels, four.fault) == ((), "")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("dataset_description.json", None, "is missing"),
        ("dataset_description.json", b"[]", "dataset_description.json: "),
        ("dataset_description.json", b"\xff{", "dataset_description.json: "),
        ("dataset_description.json", b"[" * 100_000, "not readable JSON"),
        ("dataset_description.json", b'{"a":' * 50 + b"1" + b"}" * 50, "more than 32 levels"),
        ("dataset_description.json", b" " * (1 << 24) + b"{}", "more than 16 MiB"),
    ],
)
def test_a_description_that_cannot_be_read_is_said(
    tmp_path: Path, name: str, content: bytes | None, fault: str
) -> None:
    root = small_trees.make(tmp_path / "tree")
    (root / name).unlink() if content is None else (root / name).write_bytes(content)
    found = survey(root)
    assert fault in found.about.faults[0]
    assert found.terms.is_restricted


def test_a_deep_description_does_not_end_the_look(tree: Make, tmp_path: Path) -> None:
    """Nor the validation of a tree that our record knows."""
    path = tmp_path / RECORD
    path.parent.mkdir(parents=True)
    shutil.copyfile(tree("ssmspine") / RECORD, path)
    (tmp_path / "dataset_description.json").write_text("[" * 100_000)
    found = survey(tmp_path)
    assert "JSON_INVALID" in {each.code for each in found.validity.found}
    assert found.about.name == ""


def test_keys_of_other_types_count_as_none(tmp_path: Path) -> None:
    root = small_trees.make(
        tmp_path / "tree", Name=3, License=["x"], Authors={"a": 1}, SourceDatasets=[{"DOI": 1}, 2],
        GeneratedBy="x", HowToAcknowledge=[None, " Cite us "],
    )  # fmt: skip
    about = survey(root).about
    assert (about.name, about.authors, about.sources) == ("", (), ())
    assert about.citations == ("Cite us",)


def test_tables_with_the_same_rows_are_one_scheme(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    for name in ("01", "02"):
        small_trees.add(root, name, LIVER, "T1w")
        (root / f"sub-{name}/anat/sub-{name}_dseg.tsv").write_text("index\tname\n1\ta < b\n")
    found = survey(root)
    assert {facts.scheme for facts in found.cases} == {2}
    assert len(found.schemes[2].tables) == 2
    assert found.schemes[2].colors[1] == found.cases[0].labels[0].color


def test_a_tree_without_anything(tmp_path: Path) -> None:
    found = survey(tmp_path)
    assert (found.cases, found.made, found.people.subjects) == ((), None, ())
    assert found.people.fault == "participants.tsv is missing"


def test_a_tree_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        survey(tmp_path / "nothing")


def test_all_of_it_is_json(tree: Make) -> None:
    found = bidsify.describe(tree("ssmspine"))
    document = json.loads(to_json(found))
    assert len(document["cases"]) == len(found.cases)
    assert document["cases"][0]["labels"][0]["voxels"] > 0
    assert set(document["terms"]) == {"stated", "known", "summary", "evidence", "redistribution"}
