"""The pipeline with VoxelMorph as its non-rigid step: train, keep the weights, use them again."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import Ran, assert_same, differing, preprocess, snapshot

from bidsify.preprocessing import voxelmorph

WEIGHTS = "code/bidsify/voxelmorph.npz"


@pytest.fixture(scope="module")
def few_steps() -> Iterator[None]:
    """Train for seconds only."""
    pytest.importorskip("torch", reason="torch is not installed (extra voxelmorph)")
    patch = pytest.MonkeyPatch()
    short = functools.partial(voxelmorph.train, steps=30, batch=4)
    patch.setattr(voxelmorph, "train", short)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def trained(
    few_steps: None,  # noqa: ARG001
    studies: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Ran]:
    """Return a tree of weights that were trained on its source, and what was said."""
    out = tmp_path_factory.mktemp("trained") / "out"
    ran = preprocess(studies, out, "--train")
    assert (ran.code, ran.failures) == (0, []), ran.err
    return out, ran


def test_training_makes_it_better_than_the_affine_step(trained: tuple[Path, Ran]) -> None:
    out, ran = trained
    lines = (out / "quality_means.tsv").read_text().splitlines()
    mean = dict(zip(lines[0].split("\t"), lines[-1].split("\t"), strict=True))
    assert float(mean["dice_affine"]) < float(mean["dice_nonrigid"])
    assert "training VoxelMorph on 8 pairs of slices" in ran.err
    assert (out / WEIGHTS).is_file()


def test_the_weights_are_used_again(
    trained: tuple[Path, Ran], studies: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained[0], tmp_path / "out"))
    ran = preprocess(studies, out, "--train")
    assert (ran.code, ran.failures) == (0, [])
    assert "training" not in ran.err
    assert f"{WEIGHTS} of an earlier run is used; remove it to train anew" in ran.err
    assert_same(out, trained[0])
    (lost, *_) = sorted(out.glob("sub-101/anat/*T2w.nii.gz"))
    lost.unlink()
    assert preprocess(studies, out, "--nonrigid", "voxelmorph").code == 0
    assert_same(out, trained[0])


def test_they_are_trained_anew_where_all_is_replaced(
    trained: tuple[Path, Ran], studies: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained[0], tmp_path / "out"))
    ran = preprocess(studies, out, "--train", "--on-existing", "replace")
    assert (ran.code, ran.failures) == (0, [])
    assert "training VoxelMorph on 8 pairs of slices" in ran.err
    assert_same(out, trained[0])


def test_weights_are_given_or_trained(studies: Path, tmp_path: Path) -> None:
    ran = preprocess(studies, tmp_path / "out", "--train", "--weights", tmp_path / "some.npz")
    assert (ran.code, ran.error) == (
        2,
        "--train makes weights and --weights gives them: leave one of them out",
    )


def test_weights_of_a_file_are_used(
    trained: tuple[Path, Ran], studies: Path, tmp_path: Path
) -> None:
    ran = preprocess(studies, tmp_path / "out", "--weights", trained[0] / WEIGHTS)
    assert (ran.code, ran.failures) == (0, [])
    assert "training" not in ran.err
    assert_same(tmp_path / "out", trained[0])


def test_other_weights_write_the_images_again(
    trained: tuple[Path, Ran], studies: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained[0], tmp_path / "out"))
    network = voxelmorph.unpack((out / WEIGHTS).read_bytes(), WEIGHTS)
    halved = {name: array * np.float32(0.5) for name, array in network.weights.items()}
    other = voxelmorph.Network(halved, network.masks, network.edge, network.origin)
    (tmp_path / "other.npz").write_bytes(voxelmorph.pack(other))
    assert preprocess(studies, out, "--weights", tmp_path / "other.npz").code == 0
    assert preprocess(studies, tmp_path / "new", "--weights", tmp_path / "other.npz").code == 0
    assert_same(out, tmp_path / "new")
    changed = differing(snapshot(out), snapshot(trained[0]))
    assert "sub-101/anat/sub-101_acq-T2w_desc-preproc_T2w.nii.gz" in changed
    assert "sub-101/anat/sub-101_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz" not in changed


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(90), b"\x80\x04K\x01.", b"x" * 999])
def test_a_file_that_holds_no_weights(content: bytes, studies: Path, tmp_path: Path) -> None:
    (tmp_path / "weights.npz").write_bytes(content)
    ran = preprocess(studies, tmp_path / "out", "--weights", tmp_path / "weights.npz")
    assert ran.code == 2
    assert ran.error.startswith(f"{tmp_path / 'weights.npz'}: no weights that ")
    assert not list(tmp_path.glob("out/sub-*"))


def test_weights_that_are_not_there(studies: Path, tmp_path: Path) -> None:
    ran = preprocess(studies, tmp_path / "out", "--weights", tmp_path / "nowhere.npz")
    assert ran.code == 2
    assert "nowhere.npz" in ran.error


def test_without_torch_it_says_what_to_install(
    studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    ran = preprocess(studies, tmp_path / "out", "--train", "--participant-label", "101")
    assert ran.code == 2
    assert "bidsify-datasets[voxelmorph]" in ran.err
    assert not list(tmp_path.glob("out/sub-*"))
