"""Small datasets as dictionaries, written into a folder, and what validation says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from builders import gzipped, nifti

import bidsify

#: Bytes, text, or a document that is written as JSON.
Content = bytes | str | dict[str, Any] | list[Any]

T1W, T1W_JSON = "sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_T1w.json"
BOLD, BOLD_JSON = (
    "sub-01/func/sub-01_task-rest_bold.nii.gz",
    "sub-01/func/sub-01_task-rest_bold.json",
)
PHYSIO, PHYSIO_JSON = (
    "sub-01/func/sub-01_task-rest_physio.tsv.gz",
    "sub-01/func/sub-01_task-rest_physio.json",
)
DESCRIPTION = "dataset_description.json"


def image(*shape: int, **fields: Any) -> bytes:
    """A compressed NIfTI image of zeros."""
    return gzipped(nifti(np.zeros(shape, "i2"), np.diag([2.0, 3.0, 4.0, 1.0]), **fields))


def raw() -> dict[str, Content]:
    """A raw dataset without an error, of one subject."""
    return {
        DESCRIPTION: {"Name": "Small", "BIDSVersion": "1.10.0", "DatasetType": "raw"},
        "README": "A dataset of one subject for tests, with all that a reader wants.\n" * 3,
        "participants.tsv": "participant_id\tage\nsub-01\t20\n",
        T1W: image(3, 4, 5),
        T1W_JSON: {"EchoTime": 0.003},
        BOLD: image(3, 4, 5, 6),
        BOLD_JSON: {"RepetitionTime": 1.0, "TaskName": "rest"},
    }


def derivative() -> dict[str, Content]:
    """A derivative dataset without an error, with one segmentation."""
    stem = "sub-01/anat/sub-01_space-MNI152Lin_desc-x_dseg"
    return {
        DESCRIPTION: {
            "Name": "Small",
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "test"}],
        },
        "README": "A dataset of one segmentation for tests, with all that a reader wants.\n" * 3,
        f"{stem}.nii.gz": image(3, 4, 5),
        f"{stem}.tsv": "index\tname\n1\tliver\n",
    }


def write(root: Path, files: Mapping[str, Content]) -> Path:
    """Write a dataset into a folder and return it."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(content))
    return root


def encoded(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def issues(root: Path, **options: Any) -> set[tuple[str, str]]:
    """Return code and path of all errors and warnings but the keys that are only recommended."""
    report = bidsify.validate(root, **options)
    return {
        (each.code, each.path)
        for each in report.issues()
        if each.severity != "info" and not each.code.endswith("_KEY_RECOMMENDED")
    }


def codes_at(root: Path, path: str, **options: Any) -> set[str]:
    """Return the codes of what is found with one file."""
    return {code for code, place in issues(root, **options) if place == path}
