"""What is written is proved by the transforms beside it: each damage is told in one sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from small_studies import edit, file, job_of, save

from bidsify.errors import SourceError
from bidsify.preprocessing import jobs, proofs, study
from bidsify.preprocessing.stack import SEQUENCES
from bidsify.source import open_source
from bidsify.source.reading import Reading
from bidsify.volume import Array

MIDDLE = (slice(40, 80), slice(40, 80), 0)
Change = Callable[[Array], Array]


def faults(source: Path, out: Path, part: str, sequence: str) -> list[str]:
    job = job_of(source, "101", part, sequence)
    stacks = study.read(job.study, Reading(open_source(source)))
    return list(proofs.faults(job, stacks, out, is_scaled=True))


def target(source: Path, out: Path, part: str, sequence: str) -> Path:
    return out / job_of(source, "101", part, sequence).target


def added(amount: float, where: tuple[slice, slice, int] = MIDDLE) -> Change:
    def change(data: Array) -> Array:
        changed: Array = data.copy()
        changed[where] += amount
        return changed

    return change


def written(value: float) -> Change:
    def change(data: Array) -> Array:
        changed: Array = data.copy()
        changed[MIDDLE] = value
        return changed

    return change


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("part", ["image", "labels"])
def test_what_was_written_is_right(
    part: str, sequence: str, studies: Path, processed: Path
) -> None:
    assert faults(studies, processed, part, sequence) == []


GREY = r"T2w: grey values are up to [\d.]+ off those of the source"


@pytest.mark.parametrize(
    "change",
    [
        added(60),
        written(0),
        lambda data: np.roll(data, 3, axis=0),
        lambda data: data[::-1],
        lambda data: data.transpose(1, 0, 2),
        lambda data: data[:, :, ::-1],
        lambda data: 0 * data,
        lambda data: 255 - data,
        lambda data: data / 2,
    ],
)
def test_other_grey_values(change: Change, studies: Path, own_processed: Path) -> None:
    edit(target(studies, own_processed, "image", "T2w"), change)
    found = faults(studies, own_processed, "image", "T2w")
    assert found
    assert all(re.fullmatch(GREY, sentence) for sentence in found)


@pytest.mark.parametrize(
    "change",
    [written(200), written(0), lambda data: data[::-1], lambda data: np.roll(data, 6, axis=1)],
)
def test_other_labels(change: Change, studies: Path, own_processed: Path) -> None:
    edit(target(studies, own_processed, "labels", "bSSFP"), change)
    found = faults(studies, own_processed, "labels", "bSSFP")
    assert found
    assert {*found} == {"bSSFP: a label that none of the pixels around its source has"}


def test_another_shape(studies: Path, own_processed: Path) -> None:
    edit(target(studies, own_processed, "image", "LGE"), lambda data: data[:127])
    assert faults(studies, own_processed, "image", "LGE") == [
        "a grid of (127, 128, 2) voxels, its transforms are of (128, 128)"
    ]


@pytest.mark.parametrize("part", ["image", "labels"])
def test_another_place(part: str, studies: Path, own_processed: Path) -> None:
    path = target(studies, own_processed, part, "LGE")
    image = nib.Nifti1Image.from_filename(path)
    matrix = np.array(image.affine)
    matrix[0, 3] += 1
    save(path, nib.Nifti1Image(np.asanyarray(image.dataobj), matrix, image.header))
    assert faults(studies, own_processed, part, "LGE") == [
        "the affine is not that of its transforms"
    ]


def record(root: Path, sequence: str) -> Path:
    return root / f"sub-101/xfm/sub-101_acq-{sequence}_xfm.json"


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("Affine", lambda _: [[1, 0, 8], [0, 1, 0], [0, 0, 1]]),
        ("Frame", lambda matrix: [[-x for x in matrix[0]], *matrix[1:]]),
        ("Plane", lambda matrix: [[*matrix[0][:2], matrix[0][2] + 20], *matrix[1:]]),
        ("Offset", lambda offset: [offset[0] + 5, offset[1]]),
        ("Offset", lambda offset: [offset[0], offset[1] - 1]),
        ("Displacement", lambda extent: [extent[0], extent[1] + 0.01, extent[2]]),
    ],
)
def test_another_record_than_that_of_its_field(
    key: str, change: Callable[[list[float]], object], studies: Path, own_processed: Path
) -> None:
    path = record(own_processed, "bSSFP")
    document = json.loads(path.read_bytes())
    document["Slices"][0][key] = change(document["Slices"][0][key])
    path.write_text(json.dumps(document))
    with pytest.raises(SourceError, match="slice 0 moves otherwise than the record"):
        faults(studies, own_processed, "image", "bSSFP")


@pytest.mark.parametrize("number", [-1, 9, 10**12])
def test_a_record_of_a_slice_that_is_not_there(
    number: int, studies: Path, own_processed: Path
) -> None:
    path = record(own_processed, "bSSFP")
    document = json.loads(path.read_bytes())
    document["Slices"][0]["SourceSlice"] = number
    path.write_text(json.dumps(document))
    assert faults(studies, own_processed, "image", "bSSFP") == [
        f"its transforms are of slice {number} of 4"
    ]


def test_another_slice_of_the_source(studies: Path, own_processed: Path) -> None:
    path = record(own_processed, "bSSFP")
    document = json.loads(path.read_bytes())
    document["Slices"][0]["SourceSlice"] -= 1
    path.write_text(json.dumps(document))
    (sentence,) = faults(studies, own_processed, "image", "bSSFP")
    assert sentence.startswith("bSSFP: ")


def test_a_field_of_zeros(studies: Path, own_processed: Path) -> None:
    path = own_processed / "sub-101/xfm/sub-101_acq-bSSFP_xfm.nii.gz"
    edit(path, lambda data: data * 0)
    with pytest.raises(SourceError, match="slice 0 moves otherwise than the record"):
        faults(studies, own_processed, "image", "bSSFP")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"Slices": []}'])
def test_a_damaged_record(content: bytes, studies: Path, own_processed: Path) -> None:
    record(own_processed, "bSSFP").write_bytes(content)
    with pytest.raises(SourceError, match="not a record of transforms"):
        faults(studies, own_processed, "image", "bSSFP")


def test_another_source(own_studies: Path, processed: Path) -> None:
    edit(file(own_studies, "101", "T2w"), lambda data: data[::-1])
    assert faults(own_studies, processed, "image", "T2w")
    assert faults(own_studies, processed, "labels", "T2w") == []


def test_all_images_and_labels_are_proved(studies: Path) -> None:
    parts = [job_of(studies, "101", part, one) for part in ("image", "labels") for one in SEQUENCES]
    names = {job.target for job in parts}
    assert len(names) == 6
    assert names <= {job.target for job in jobs.unit_of(parts[0].study).jobs}
