"""The lists that know the readers of volumes hold the same words: none is forgotten in one."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest

from bidsify.conversion.volumes import READERS
from bidsify.dataset import Image, Masks, Segmentation, Volumetric
from bidsify.demo import native
from bidsify.planning.jobs import TRANSFORMS, VolumeJob
from bidsify.product import Reader
from bidsify.proof import voxels

WORDS = {*get_args(Reader)}


def test_each_has_what_reads_it() -> None:
    assert READERS.keys() == WORDS, "bidsify/conversion/volumes.py: READERS"


def test_each_has_a_sentence_for_the_record() -> None:
    assert TRANSFORMS.keys() == WORDS, "bidsify/planning/jobs.py: TRANSFORMS"


@pytest.mark.parametrize("kind", [Image, Segmentation, Masks, Volumetric])
def test_the_readers_of_a_product_are_among_them(kind: type[Volumetric]) -> None:
    hints = get_type_hints(kind, vars(inspect.getmodule(kind)))
    assert {*get_args(hints["reader"])} <= WORDS


def test_each_is_the_reader_of_some_product() -> None:
    hints = (get_type_hints(k, vars(inspect.getmodule(k))) for k in (Image, Segmentation, Masks))
    assert {word for found in hints for word in get_args(found["reader"])} == WORDS


def test_each_has_a_proof_of_its_own() -> None:
    """Named in a case of the proof, not left to the one that takes the rest."""
    (choice,) = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(voxels._against)))
        if isinstance(node, ast.Match)
    ]
    named = {
        node.value.value
        for case in choice.cases
        for node in ast.walk(case.pattern)
        if isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant)
    }
    assert named == WORDS, "bidsify/proof/voxels.py: _against"


def test_a_reader_without_a_proof_is_a_defect(tmp_path: Path) -> None:
    image = native.nifti(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    path = tmp_path / "sub-1_T1w.nii.gz"
    path.write_bytes(native.gzipped(image))
    job = VolumeJob(target="sub-1_T1w.nii.gz", sources=("1.x",), reader="nothing")  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="nothing"):
        list(voxels.faults(job, lambda name: name.encode(), path))
