"""Every source file is in exactly one bucket, and the buckets add up."""

from __future__ import annotations

import pytest
from builders import Files
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsify.conversion.buckets import BUCKETS, Entry, count, record, sort
from bidsify.engine.jobs import Job, Unit
from bidsify.engine.work import Outcome, Status
from bidsify.labels import Range
from bidsify.planning.jobs import CopyJob, Failure, Plan, Recode, ScansJob, VolumeJob
from bidsify.planning.shared_jobs import PeopleJob
from bidsify.records.receipts import Receipt
from bidsify.source.reading import Fact

IMAGE = VolumeJob(
    target="sub-1/anat/sub-1_T1w.nii.gz",
    sources=("1.nii",),
    twins=(("copy/1.nii", "1.nii"),),
    reader="nifti",
)
LABELS = VolumeJob(
    target="sub-1/anat/sub-1_dseg.nii.gz",
    sources=("1_seg.nii",),
    reader="nifti",
    recode=Recode(ranges=(Range(0, 0, 0),), dtype="uint8"),
)
MESH = CopyJob(target="sub-1/anat/sub-1_mesh.stl", sources=("1.stl",))
SCANS = ScansJob(target="sub-1/sub-1_scans.tsv", of=(IMAGE.target,))
JOBS: tuple[Job, ...] = (IMAGE, LABELS, MESH, SCANS)
PLAN = Plan(
    dataset="toy",
    edition="1",
    units=(Unit("1", None, JOBS),),
    shared=(),
    ignored=(("README", "text for human readers"),),
    unclaimed=("odd.bin",),
    failures=(Failure(("2.nii", "3.nii"), "2.nii: two of one name"),),
    remarks=(),
    file_count=8,
)
FILES = {"1.nii", "copy/1.nii", "1_seg.nii", "1.stl", "README", "odd.bin", "2.nii", "3.nii"}


def outcome(job: Job, status: Status) -> Outcome:
    message = f"{job.sources[0]}: bad" if status == "failed" and job.sources else ""
    return Outcome(job.target, status, job.sources, message=message)


def sorted_into(*statuses: Status) -> dict[str, str]:
    outcomes = [outcome(job, status) for job, status in zip(JOBS, statuses, strict=False)]
    entries = sort(PLAN, outcomes, ())
    assert [entry.path for entry in entries] == sorted(FILES)
    assert sum(count(entries).values()) == len(FILES)
    return {entry.path: entry.bucket for entry in entries}


REST = {"README": "ignored", "odd.bin": "unclaimed", "2.nii": "failed", "3.nii": "failed"}


@pytest.mark.parametrize(
    ("status", "bucket"),
    [("written", "converted"), ("kept", "kept"), ("omitted", "kept"), ("failed", "failed")],
)
def test_a_file_goes_where_its_job_went(status: Status, bucket: str) -> None:
    copy = "failed" if status == "failed" else "duplicate"
    expected = REST | {"1.nii": bucket, "copy/1.nii": copy, "1_seg.nii": bucket, "1.stl": bucket}
    assert sorted_into(status, status, status, status) == expected


def test_a_job_that_was_not_reached_failed() -> None:
    entries = {entry.path: entry for entry in sort(PLAN, [outcome(MESH, "written")], ())}
    assert entries["1.stl"].bucket == "converted"
    assert entries["1.nii"] == Entry(
        "1.nii", "failed", "subjects that were not reached; run the same command again"
    )


def test_a_job_that_was_not_asked_for_is_ignored_with_that_reason() -> None:
    entries = {entry.path: entry for entry in sort(PLAN, [], JOBS)}
    assert {entries[path].bucket for path in FILES - set(REST)} == {"ignored"}
    assert entries["copy/1.nii"].reason == "its participant was not selected"


def test_a_file_of_which_one_job_failed_has_failed() -> None:
    other = VolumeJob(target="sub-1/anat/sub-1_T2w.nii.gz", sources=("1.nii",), reader="nifti")
    plan = Plan(**{**fields(PLAN), "units": (Unit("1", None, (*JOBS, other)),)})
    outcomes = [outcome(job, "written") for job in JOBS] + [outcome(other, "failed")]
    entries = {entry.path: entry for entry in sort(plan, outcomes, ())}
    assert entries["1.nii"] == Entry("1.nii", "failed", "1.nii: bad")


def test_a_job_that_failed_on_some_of_its_files_fails_those_alone() -> None:
    """As a shared file does that is made of several tables."""
    table = PeopleJob(target="participants.tsv", sources=("a.csv", "b.csv"), columns=(), rows=())
    plan = Plan(**{**fields(PLAN), "shared": (table,)})
    outcomes = [outcome(job, "written") for job in JOBS]
    outcomes += [
        Outcome(table.target, "written", table.sources),
        Outcome(table.target, "failed", ("b.csv",), message="b.csv: bad"),
    ]
    entries = {entry.path: entry for entry in sort(plan, outcomes, ())}
    assert entries["a.csv"] == Entry("a.csv", "converted")
    assert entries["b.csv"] == Entry("b.csv", "failed", "b.csv: bad")


def test_a_file_does_not_lead_to_what_was_not_written() -> None:
    facts = {path: Fact(1, "f" * 64) for path in FILES}
    made = {
        IMAGE.target: Receipt(IMAGE.target, "d", 1, "a" * 64, "", (("1.nii", facts["1.nii"]),)),
        LABELS.target: Receipt(LABELS.target, "d", 0, "", "", (("1.nii", facts["1.nii"]),)),
    }
    entries = sort(PLAN, [outcome(job, "written") for job in JOBS], ())
    source = Files(dict.fromkeys(FILES, b"x"))
    document = record(PLAN, entries, made, shared={}, source=source, known=facts)
    targets = {entry["source"]: entry["targets"] for entry in document["files"]()}
    assert targets["1.nii"] == [IMAGE.target]
    assert [entry["target"] for entry in document["written"]()] == [IMAGE.target, LABELS.target]


def fields(plan: Plan) -> dict[str, object]:
    return {name: getattr(plan, name) for name in plan.__slots__}


@settings(database=None, deadline=None)
@given(st.lists(st.sampled_from(["written", "kept", "omitted", "failed", "skipped"]), max_size=4))
def test_the_buckets_add_up_whatever_happens(statuses: list[Status]) -> None:
    sorted_into(*statuses)


def test_each_bucket_is_counted_even_where_it_is_empty() -> None:
    assert count([Entry("a", "kept"), Entry("b", "kept")]) == {
        **dict.fromkeys(BUCKETS, 0),
        "kept": 2,
    }


def test_a_transformation_is_told_in_words() -> None:
    assert IMAGE.transform == "voxels and header kept; gzip header without name and time"
    assert LABELS.transform.startswith("label values checked against the table")
    assert MESH.transform == "copied byte for byte"
