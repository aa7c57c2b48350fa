"""What a source may do without harm, whatever the dataset.

The traps of each dataset are in the modules beside this one; what they share is here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NAMES, RECORD, Declared, Make, Ran, run, save_volume, volume

from bidsify import datasets
from bidsify.planning.jobs import Plan, VolumeJob
from bidsify.planning.plan import make_plan
from bidsify.source import open_source

Values = Any


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def participants(tree: Path) -> dict[str, dict[str, str]]:
    """Return what participants.tsv says of each subject, by its label."""
    found = rows(tree / "participants.tsv")
    return {row["participant_id"].removeprefix("sub-"): row for row in found}


def record(tree: Path) -> dict[str, dict[str, Any]]:
    """Return what the conversion says of each source file."""
    document = json.loads((tree / RECORD).read_bytes())
    return {entry["source"]: entry for entry in document["files"]}


def sidecar(path: Path) -> dict[str, Any]:
    """Return the JSON beside an image."""
    document: dict[str, Any] = json.loads(
        path.with_name(path.name.replace(".nii.gz", ".json")).read_bytes()
    )
    return document


def targets(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the images that a plan makes, each with its sources."""
    jobs = (job for unit in plan.units for job in unit.jobs)
    return {job.target: job.sources for job in jobs if isinstance(job, VolumeJob)}


def planned(source: Path, dataset: str) -> dict[str, tuple[str, ...]]:
    """Return the images that are made of a source, from its names alone."""
    return targets(make_plan(datasets.load(dataset), open_source(source).sizes))


def changed(path: Path, change: Callable[[Values], Values]) -> None:
    """Put other values into a NIfTI file."""
    values, like = volume(path)
    save_volume(path, change(values), like)


def translated(table: dict[int, int]) -> Callable[[Values], Values]:
    """Return what gives each of these values another one."""
    return lambda values: np.vectorize(lambda v: table.get(int(v), v))(values).astype(values.dtype)


def convert(source: Path, tree: Path, *arguments: object, code: int = 0) -> Ran:
    """Convert, and check how that ended."""
    ran = run("convert", source, tree, *arguments)
    assert ran.code == code, ran.err
    return ran


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("above", ["mirror", "a/mirror of mine", "v1.0/Train/x/y"])
def test_folders_that_a_mirror_puts_above_do_not_matter(
    name: str, above: str, source: Make, declared: Declared
) -> None:
    dataset, paths = declared(name), list(open_source(source(name)).sizes)
    moved = make_plan(dataset, [f"{above}/{path}" for path in paths])
    expected = targets(make_plan(dataset, paths))
    assert moved.unclaimed == moved.failures == ()
    assert targets(moved) == {
        target: tuple(f"{above}/{path}" for path in files) for target, files in expected.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_a_mirror_doubles_does_not_matter(
    name: str, source: Make, declared: Declared
) -> None:
    dataset, paths = declared(name), list(open_source(source(name)).sizes)
    doubled = make_plan(dataset, [f"{path.split('/')[0]}/{path}" for path in paths])
    assert doubled.unclaimed == doubled.failures == ()
    assert list(targets(doubled)) == list(targets(make_plan(dataset, paths)))


@pytest.mark.parametrize("name", ["brats2021", "prostate158", "chaos", "myops2020", "vssegnifti"])
def test_a_number_of_subjects_that_is_not_the_published_one_is_a_remark(
    name: str, source: Make, tmp_path: Path
) -> None:
    ran = convert(source(name), tmp_path / "out")
    assert ran.failures == []
    published = datasets.load(name).subjects
    counted = [text for text in ran.warnings if "in the publication" in text]
    assert counted
    assert all(int(text.split(", ")[1].split()[0]) in published.values() for text in counted)
    document = json.loads((tmp_path / "out" / RECORD).read_bytes())
    assert {remark["code"] for remark in document["remarks"]} == {"SUBJECT_COUNT"}
