"""Names to jobs: what is written, from what, and what is refused before the first byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsify.dataset import (
    Attachment,
    Column,
    Dataset,
    Ignored,
    Image,
    Naming,
    Points,
    Product,
    Segmentation,
    Terms,
)
from bidsify.engine.jobs import Job, Unit
from bidsify.errors import DeclarationError
from bidsify.labels import LabelTable
from bidsify.planning.jobs import Plan, PointsJob, ScansJob, SidecarJob, VolumeJob
from bidsify.planning.plan import make_plan
from bidsify.planning.shared_jobs import PeopleJob

TABLE = LabelTable(
    ("index", "name", "source_value"),
    (
        {"index": "0", "name": "background", "source_value": "0"},
        {"index": "1", "name": "liver", "source_value": "55-70"},
    ),
)
IMAGE = Image(name="mr", source=("{case}/mr.nii[.gz]", "flat/{case}_mr.nii[.gz]"), suffix="T1w")
LABELS = Segmentation(source=("{case}/seg.nii",), of=("mr",), labels=TABLE, coding="source_value")
SERIES = Image(name="ct", source=("{case}/dicom/*.dcm",), suffix="T2w", reader="dicom")
PICTURES = Segmentation(
    source=("{case}/png/*.png",), of=("ct",), labels=TABLE, reader="png", coding="source_value"
)
MARKERS = Points(source=("{case}/mr.nii",), columns={}, sidecar={"Description": "Markers."})


def dataset(*products: Product, **more: object) -> Dataset:
    values = {
        "name": "toy",
        "title": "Toy",
        "edition": "1",
        "layout": "",
        "naming": Naming(subject="{case}", source_id="{case}"),
        "fields": {"case": r"\w+"},
        "terms": Terms(licence="CC0", summary="Free", redistribution="allowed", evidence="a test"),
        "citation": "Nobody",
        "authors": ("Nobody",),
        "source_url": "https://example.org/toy",
    }
    return Dataset(products=products, **{**values, **more})  # type: ignore[arg-type]


def jobs(plan: Plan) -> dict[str, Job]:
    return {job.target: job for unit in plan.units for job in unit.jobs}


def only_failure(plan: Plan) -> tuple[tuple[str, ...], str]:
    (failure,) = plan.failures
    return failure.sources, failure.message


def test_a_subject_has_its_files_their_sidecars_and_a_table() -> None:
    plan = make_plan(dataset(IMAGE, LABELS), ["7/seg.nii", "7/mr.nii.gz"])
    (unit,) = plan.units
    assert isinstance(unit, Unit)
    assert (unit.name, unit.subject, unit.session) == ("sub-7", "7", None)
    assert [job.target for job in unit.jobs] == [
        "sub-7/anat/sub-7_T1w.nii.gz",
        "sub-7/anat/sub-7_dseg.nii.gz",
        "sub-7/anat/sub-7_T1w.json",
        "sub-7/anat/sub-7_dseg.json",
        "sub-7/sub-7_scans.tsv",
    ]
    labels, scans = unit.jobs[1], unit.jobs[-1]
    assert isinstance(labels, VolumeJob)
    assert labels.sources == ("7/seg.nii",)
    assert labels.recode is not None
    assert [(r.low, r.high, r.index) for r in labels.recode.ranges] == [(0, 0, 0), (55, 70, 1)]
    assert isinstance(scans, ScansJob)
    assert scans.of == ("sub-7/anat/sub-7_T1w.nii.gz", "sub-7/anat/sub-7_dseg.nii.gz")
    sidecar = unit.jobs[3]
    assert isinstance(sidecar, SidecarJob)
    assert sidecar.drawn_on == ("sub-7/anat/sub-7_T1w.nii.gz",)


def test_what_belongs_to_all_is_planned_too() -> None:
    plan = make_plan(dataset(IMAGE, LABELS, bidsignore=("*_mesh.stl",)), ["7/mr.nii", "7/seg.nii"])
    assert {job.target for job in plan.shared} == {
        ".bidsignore",
        "CHANGES",
        "README.md",
        "dataset_description.json",
        "dseg.json",
        "dseg.tsv",
        "participants.json",
        "participants.tsv",
        "scans.json",
    }


def test_a_session_is_a_unit_of_its_own() -> None:
    naming = Naming(
        subject="{case}", session="v{visit:02}", source_id="{case}", session_source_id="{visit}"
    )
    image = replace(IMAGE, source=("{case}/{visit}/mr.nii",))
    plan = make_plan(
        dataset(image, naming=naming, fields={"case": r"\d", "visit": r"\d+"}),
        ["1/10/mr.nii", "1/2/mr.nii", "2/1/mr.nii"],
    )
    assert [unit.name for unit in plan.units] == ["sub-1/ses-v02", "sub-1/ses-v10", "sub-2/ses-v01"]
    assert "sub-1/ses-v02/anat/sub-1_ses-v02_T1w.nii.gz" in jobs(plan)
    assert "sub-1/ses-v02/sub-1_ses-v02_scans.tsv" in jobs(plan)
    shared = {job.target for job in plan.shared}
    assert {"sub-1/sub-1_sessions.tsv", "sub-2/sub-2_sessions.tsv", "sessions.json"} <= shared


def test_a_copy_is_a_twin_of_the_first_pattern() -> None:
    plan = make_plan(dataset(IMAGE), ["flat/7_mr.nii.gz", "7/mr.nii", "b/7/mr.nii"])
    job = jobs(plan)["sub-7/anat/sub-7_T1w.nii.gz"]
    assert job.sources == ("7/mr.nii",)
    assert set(job.twins) == {("b/7/mr.nii", "7/mr.nii"), ("flat/7_mr.nii.gz", "7/mr.nii")}
    assert plan.failures == ()
    assert plan.unclaimed == ()


def test_the_first_pattern_counts_whatever_its_files_are_called() -> None:
    plan = make_plan(dataset(IMAGE), ["flat/x_mr.nii", "x/mr.nii"])
    job = jobs(plan)["sub-x/anat/sub-x_T1w.nii.gz"]
    assert (job.sources, job.twins) == (("x/mr.nii",), (("flat/x_mr.nii", "x/mr.nii"),))


def test_a_series_in_several_folders_is_one_by_the_names_of_its_files() -> None:
    spread = replace(SERIES, source=("{case}/*/*.dcm",))
    plan = make_plan(dataset(spread), ["7/a/2.dcm", "7/a/10.dcm", "7/b/1.dcm", "7/b/9.dcm"])
    job = jobs(plan)["sub-7/anat/sub-7_T2w.nii.gz"]
    assert job.sources == ("7/b/1.dcm", "7/a/2.dcm", "7/b/9.dcm", "7/a/10.dcm")


def test_images_come_before_what_is_drawn_on_them_whatever_their_names() -> None:
    image = replace(IMAGE, entities={"reconstruction": "a"})
    (unit,) = make_plan(dataset(image, LABELS), ["7/mr.nii", "7/seg.nii"]).units
    assert [job.target.rpartition("/")[2] for job in unit.jobs[:2]] == [
        "sub-7_rec-a_T1w.nii.gz",
        "sub-7_dseg.nii.gz",
    ]


@pytest.mark.parametrize(("suffix", "own"), [("dseg", "{}"), ("mask", '{"Type": "Brain"}')])
def test_what_label_tables_share_is_not_said_again(suffix: str, own: str) -> None:
    labels = replace(LABELS, suffix=suffix, sidecar={"Type": "Brain"})
    sidecar = jobs(make_plan(dataset(IMAGE, labels), ["7/mr.nii", "7/seg.nii"]))[
        f"sub-7/anat/sub-7_{suffix}.json"
    ]
    assert isinstance(sidecar, SidecarJob)
    assert sidecar.metadata == own


@pytest.mark.parametrize(
    ("levels", "wanted"), [("a", "A"), ("ab", "n/a"), ("an", "A"), ("n", "n/a")]
)
def test_a_column_holds_what_the_files_of_a_subject_agree_on(levels: str, wanted: str) -> None:
    """``n`` stands for a file that states that it does not know."""
    column = Column(description="x", value=lambda f: {"a": "A", "b": "B"}.get(f["kind"], "n/a"))
    image = replace(IMAGE, source=("{case}/{kind}.nii",), entities={"acquisition": "{kind}"})
    plan = make_plan(
        dataset(image, columns={"group": column}, fields={"case": r"\d", "kind": "a|b|n"}),
        [f"7/{level}.nii" for level in levels],
    )
    (table,) = [job for job in plan.shared if isinstance(job, PeopleJob)]
    assert table.rows == (("sub-7", ("sub-7", "7", wanted)),)


def test_a_copied_series_is_compared_slice_by_slice() -> None:
    series = [f"7/dicom/{n}.dcm" for n in (1, 2, 10)]
    plan = make_plan(dataset(SERIES), [*series, *(f"copy/{path}" for path in series)])
    job = jobs(plan)["sub-7/anat/sub-7_T2w.nii.gz"]
    assert job.sources == tuple(series)
    assert job.twins == tuple((f"copy/{path}", path) for path in series)


def test_a_copied_series_of_another_length_is_refused() -> None:
    series = [f"7/dicom/{n}.dcm" for n in (1, 2, 10)]
    plan = make_plan(dataset(SERIES), [*series, "copy/7/dicom/1.dcm"])
    sources, message = only_failure(plan)
    assert sorted(sources) == sorted([*series, "copy/7/dicom/1.dcm"])
    assert message == (
        "copy/7/dicom: 1 files, but 3 in 7/dicom, and both become sub-7/anat/sub-7_T2w.nii.gz; "
        "remove one of the two"
    )
    assert plan.units == ()


@pytest.mark.parametrize("pairing", ["rank", "stem"])
def test_pictures_are_paired_with_slices(pairing: str) -> None:
    slices = [f"7/dicom/{n}.dcm" for n in (8, 9, 10)]
    pictures = [f"7/png/{n}.png" for n in (8, 9, 10)]
    plan = make_plan(
        dataset(SERIES, replace(PICTURES, pairing=pairing)), [*pictures[::-1], *slices]
    )
    job = jobs(plan)["sub-7/anat/sub-7_dseg.nii.gz"]
    assert isinstance(job, VolumeJob)
    assert dict(zip(job.sources, job.grid, strict=True)) == dict(zip(pictures, slices, strict=True))


def test_pictures_of_other_names_are_paired_by_rank_alone() -> None:
    paths = [f"7/dicom/i{n}.dcm" for n in (9, 10)] + [f"7/png/mask{n}.png" for n in (0, 1)]
    by_rank = make_plan(dataset(SERIES, replace(PICTURES, pairing="rank")), paths)
    job = jobs(by_rank)["sub-7/anat/sub-7_dseg.nii.gz"]
    assert isinstance(job, VolumeJob)
    assert job.grid == ("7/dicom/i9.dcm", "7/dicom/i10.dcm")
    sources, message = only_failure(make_plan(dataset(SERIES, PICTURES), paths))
    assert sources == ("7/png/mask0.png", "7/png/mask1.png")
    assert message == "7/png/mask0.png: no slice of the same name in 7/dicom"


def test_pictures_without_their_series_are_refused() -> None:
    sources, message = only_failure(make_plan(dataset(SERIES, PICTURES), ["7/png/1.png"]))
    assert sources == ("7/png/1.png",)
    assert message == "7/png: masks without the DICOM series that gives their geometry; add it"


def test_two_ids_of_one_label_are_refused_and_the_others_planned() -> None:
    naming = Naming(subject="{case:03}", source_id="{case}")
    plan = make_plan(dataset(IMAGE, naming=naming), ["7/mr.nii", "007/mr.nii", "8/mr.nii"])
    sources, message = only_failure(plan)
    assert sources == ("007/mr.nii", "7/mr.nii")
    assert "the native ids '007' and '7'" in message
    assert "sub-007" in message
    assert [unit.name for unit in plan.units] == ["sub-008"]
    assert not any("sub-007" in job.target for job in plan.shared)
    assert plan.file_count == 3


def test_a_refused_subject_takes_no_other_with_it() -> None:
    """The label of one may be the start of another's."""
    plan = make_plan(dataset(IMAGE), ["1/mr.nii", "1_/mr.nii", "10/mr.nii"])
    sources, message = only_failure(plan)
    assert sources == ("1/mr.nii", "1_/mr.nii")
    assert "both become sub-1;" in message
    assert [unit.name for unit in plan.units] == ["sub-10"]


@pytest.mark.parametrize(
    ("paths", "reason", "units"),
    [
        (("1/A/mr.nii", "1/a/mr.nii"), "native ids 'A' and 'a' both become sub-1/ses-a;", 1),
        (("1/A/mr.nii", "1/a/mr.nii", "1_/a/mr.nii"), "ids '1' and '1_' both become sub-1;", 0),
    ],
)
def test_two_visits_of_one_label_are_refused_once(
    paths: tuple[str, ...], reason: str, units: int
) -> None:
    naming = Naming(
        subject="{case}", session="{visit}", source_id="{case}", session_source_id="{visit}"
    )
    image = replace(IMAGE, source=("{case}/{visit}/mr.nii",))
    plan = make_plan(dataset(image, naming=naming), [*paths, "1/b/mr.nii"])
    sources, message = only_failure(plan)
    assert set(paths) <= set(sources)
    assert reason in message
    assert len(plan.units) == units


@pytest.mark.parametrize("other", ["aB", "ab", "a_b"])
def test_labels_that_a_file_system_may_not_tell_apart(other: str) -> None:
    plan = make_plan(dataset(IMAGE), ["AB/mr.nii", f"{other}/mr.nii", "c/mr.nii"])
    sources, message = only_failure(plan)
    assert set(sources) == {"AB/mr.nii", f"{other}/mr.nii"}
    assert "rename one of them" in message
    assert [unit.name for unit in plan.units] == ["sub-c"]


def test_an_id_without_a_letter_or_digit_is_refused() -> None:
    plan = make_plan(dataset(IMAGE), ["_/mr.nii", "c/mr.nii"])
    sources, message = only_failure(plan)
    assert sources == ("_/mr.nii",)
    assert "'_' has no letter or digit to make a label of" in message


def test_two_products_of_one_name_are_a_fault_of_the_declaration() -> None:
    other = replace(IMAGE, name="other", source=("{case}/other.nii",))
    with pytest.raises(DeclarationError, match=r"sub-7/anat/sub-7_T1w\.nii\.gz"):
        make_plan(dataset(IMAGE, other), ["7/mr.nii", "7/other.nii"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"suffix": "wrong"}, "BIDS has no suffix 'wrong'"),
        ({"datatype": "ct"}, "BIDS has no 'T1w' in the datatype 'ct'"),
        ({"entities": {"direction": "AP"}}, "no rule of BIDS allows the entities"),
        ({"entities": {"colour": "red"}}, "colour"),
        ({"entities": {"run": "first"}}, "'first' is no legal value of the entity 'run'"),
    ],
)
def test_a_name_that_bids_does_not_allow(change: dict[str, object], says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        make_plan(dataset(replace(IMAGE, **change)), ["7/mr.nii"])  # type: ignore[arg-type]


def test_what_is_bidsignored_may_have_any_name() -> None:
    mesh = Attachment(source=("{case}/liver.stl",), suffix="mesh", extension=".stl")
    with pytest.raises(DeclarationError, match="or list it in bidsignore"):
        make_plan(dataset(mesh), ["7/liver.stl"])
    plan = make_plan(dataset(mesh, bidsignore=("*_mesh.stl",)), ["7/liver.stl"])
    assert "sub-7/anat/sub-7_mesh.stl" in jobs(plan)


@pytest.mark.parametrize(
    ("product", "patterns"),
    [
        (replace(IMAGE, suffix="ct", datatype="ct"), ("**/ct",)),
        (replace(IMAGE, suffix="ct"), ("*_ct.*",)),
        (replace(IMAGE, entities={"direction": "AP"}), ("*_dir-AP_T1w.*",)),
        (replace(MARKERS, sidecar={}), ("*_points.tsv",)),
        (MARKERS, ("*_points.tsv", "points.json")),
        (replace(MARKERS, datatype="ct"), ("**/ct", "points.json")),
    ],
)
def test_what_could_be_bidsignored_is_said_as_one_would_write_it(
    product: Product, patterns: tuple[str, ...]
) -> None:
    with pytest.raises(DeclarationError) as caught:
        make_plan(dataset(product), ["7/mr.nii"])
    says = f"or list it in bidsignore, as {' and '.join(map(repr, patterns))}"
    assert str(caught.value).endswith(says)
    make_plan(dataset(product, bidsignore=patterns), ["7/mr.nii"])


def test_points_hold_what_their_file_names_state() -> None:
    points = Points(
        source=("{case}/{kind}_{side}.json",),
        of="mr",
        columns={
            "structure": Column(description="x", value="{kind}"),
            "side": Column(description="y", value="{side}"),
        },
    )
    fields = {"case": r"\d", "kind": "cord|dura", "side": "L|R"}
    plan = make_plan(
        dataset(IMAGE, points, fields=fields, bidsignore=("*_points.tsv", "points.json")),
        ["7/dura_L.json", "7/cord_R.json", "7/mr.nii"],
    )
    job = jobs(plan)["sub-7/anat/sub-7_points.tsv"]
    assert isinstance(job, PointsJob)
    assert job.sources == ("7/cord_R.json", "7/dura_L.json")
    assert job.stated == (("cord", "R"), ("dura", "L"))
    assert job.columns[:3] == ("structure", "side", "point")
    assert job.lies_on == "sub-7/anat/sub-7_T1w.nii.gz"


def test_ignored_and_unclaimed_files_are_told() -> None:
    ignored = (Ignored(source="README[.txt]", reason="text for human readers"),)
    plan = make_plan(
        dataset(IMAGE, ignored=ignored), ["README", "7/mr.nii", "7/odd.bin", ".DS_Store", "x.zip"]
    )
    assert plan.ignored == (
        (".DS_Store", "left by a desktop"),
        ("README", "text for human readers"),
    )
    assert plan.unclaimed == ("7/odd.bin", "x.zip")
    assert plan.file_count == 5
    remarks = {remark.code: remark.message for remark in plan.remarks}
    assert remarks["ARCHIVE_INSIDE"] == "archives inside the source are not read: x.zip"
    assert remarks["UNCLAIMED"].startswith("2 files that the declaration does not know: 7/odd.bin")


def test_what_the_publisher_ships_and_is_not_there_is_told() -> None:
    plan = make_plan(
        dataset(IMAGE, LABELS, subjects={"": 3}), ["7/mr.nii", "8/mr.nii", "8/seg.nii"]
    )
    remarks = {remark.code: remark.message for remark in plan.remarks}
    assert remarks["SUBJECT_COUNT"] == "2 subjects here, 3 in the publication"
    assert "seg.nii" in remarks["MISSING"]
    assert remarks["MISSING"].endswith("is missing for 1 of 2: sub-7")


def test_what_the_publisher_does_not_ship_is_not_missed() -> None:
    image = replace(IMAGE, source=("{split}/{case}/mr.nii",))
    labels = replace(LABELS, source=("{split}/{case}/seg.nii",), absent_where={"split": "test"})
    declared = dataset(image, labels, fields={"case": r"\d", "split": "train|test"})
    plan = make_plan(declared, ["train/1/mr.nii", "train/1/seg.nii", "test/2/mr.nii"])
    assert plan.remarks == ()
    worse = make_plan(declared, ["train/1/mr.nii", "test/2/mr.nii"])
    assert [remark.code for remark in worse.remarks] == ["MISSING"]
    assert worse.remarks[0].message.endswith("is missing for 1 of 1: sub-1")


def test_a_digest_is_of_the_job_and_of_what_it_depends_on() -> None:
    job = VolumeJob(target="t", sources=("s",), reader="nifti")
    assert job.digest() == replace(job).digest()
    assert job.digest() != replace(job, reader="dicom").digest()
    assert job.digest() != replace(job, sources=("s", "s")).digest()
    assert job.digest("a", "b") != job.digest("ab") != job.digest()


names = st.text(alphabet="abAB12_- .é", min_size=1, max_size=3)


@settings(database=None, deadline=None)
@given(st.lists(names, unique=True, max_size=8), st.randoms(use_true_random=False))
def test_no_file_is_lost_and_no_target_comes_twice(cases: list[str], random: object) -> None:
    declared = dataset(IMAGE, LABELS, fields={"case": "[^/]+"})
    paths = [f"{case}/{name}" for case in cases for name in ("mr.nii", "seg.nii")]
    plan = make_plan(declared, paths)
    targets = [job.target.lower() for job in jobs(plan).values()]
    targets += [job.target.lower() for job in plan.shared]
    assert len(targets) == len(set(targets))
    used = {path for job in jobs(plan).values() for path in job.sources}
    failed = {path for failure in plan.failures for path in failure.sources}
    assert used | failed | {path for path, _ in plan.ignored} | set(plan.unclaimed) == set(paths)
    assert not used & failed
    random.shuffle(paths)  # type: ignore[attr-defined]
    assert make_plan(declared, paths) == plan
