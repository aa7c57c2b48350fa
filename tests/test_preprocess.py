"""``bidsify preprocess myops`` from end to end: the tree, a second run, a killed one, forms."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import (
    assert_no_leftovers,
    assert_same,
    command,
    differing,
    preprocess,
    run,
    shell,
    snapshot,
)
from small_studies import KEPT, QUICK, values

from bidsify.demo import cmr
from bidsify.volume import Array

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
RECORD = "code/bidsify/preprocessing.json"
IMAGES = {
    "bSSFP": "acq-bSSFP_desc-preproc_T2w",
    "LGE": "acq-LGE_ce-gadolinium_desc-preproc_T1w",
    "T2w": "acq-T2w_desc-preproc_T2w",
}
MIDDLING = "slices,normalise,affine,crop"


@pytest.fixture(scope="module")
def undisturbed(studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a run without the slowest step gives that nobody disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert preprocess(studies, out, "--steps", MIDDLING).code == 0
    return out


def stamps(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


# The tree


def test_the_tree_has_all_files(processed: Path) -> None:
    assert_no_leftovers(processed)
    for subject in ("101", "102"):
        for sequence, name in IMAGES.items():
            anat, xfm = processed / f"sub-{subject}/anat", processed / f"sub-{subject}/xfm"
            image = nib.Nifti1Image.from_filename(anat / f"sub-{subject}_{name}.nii.gz")
            labels = f"sub-{subject}_acq-{sequence}_desc-preproc_dseg"
            assert image.shape == (128, 128, 2)
            assert values(anat / f"{labels}.nii.gz").shape == image.shape
            assert (anat / f"{labels}.json").is_file()
            assert (xfm / f"sub-{subject}_acq-{sequence}_xfm.json").is_file()
            has_field = (xfm / f"sub-{subject}_acq-{sequence}_xfm.nii.gz").is_file()
            assert has_field == (sequence != "LGE")
        assert (processed / f"sub-{subject}/figures/sub-{subject}_desc-quality.html").is_file()
    record = json.loads((processed / RECORD).read_bytes())
    assert record["failures"] == []
    present = {entry["target"] for entry in record["written"] if entry["sha256"]}
    assert present | set(record["shared"]) | {RECORD} == snapshot(processed).keys()


def test_all_images_of_a_study_lie_on_one_grid(processed: Path) -> None:
    for subject in ("101", "102"):
        files = (processed / f"sub-{subject}/anat").glob("*.nii.gz")
        grids = [nib.Nifti1Image.from_filename(path).affine for path in files]
        assert len(grids) == 6
        assert all(np.array_equal(grid, grids[0]) for grid in grids)
        assert np.allclose(np.linalg.norm(grids[0][:3, :3], axis=0), [1, 1, 10], atol=1e-3)


def test_the_official_validator_finds_no_error(processed: Path) -> None:
    if not VALIDATOR.exists():
        pytest.skip("needs bids-validator-deno")
    arguments: list[str | Path] = [VALIDATOR, processed, "--format", "json", "--max-rows", "-1"]
    done = subprocess.run(arguments, capture_output=True, check=False, timeout=120)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


def test_our_validator_finds_no_error(processed: Path) -> None:
    ran = run("validate", processed)
    assert ran.code == 0, ran.out


def test_pybids_finds_images_and_labels(processed: Path) -> None:
    bids = pytest.importorskip("bids")
    layout = bids.BIDSLayout(processed, validate=False, is_derivative=True)
    assert layout.get_subjects() == ["101", "102"]
    for subject in ("101", "102"):
        images = layout.get(subject=subject, suffix=["T1w", "T2w"], extension=".nii.gz")
        labels = layout.get(subject=subject, suffix="dseg", extension=".nii.gz")
        assert {one.entities["acquisition"] for one in images} == IMAGES.keys()
        assert {one.entities["acquisition"] for one in labels} == IMAGES.keys()


def test_the_numbers_tell_that_it_became_better(processed: Path) -> None:
    lines = (processed / "quality_means.tsv").read_text().splitlines()
    mean = dict(zip(lines[0].split("\t"), lines[-1].split("\t"), strict=True))
    before, affine, nonrigid = (
        float(mean[f"dice_{stage}"]) for stage in ("before", "affine", "nonrigid")
    )
    assert before < 0.8 < affine < nonrigid
    assert nonrigid > 0.95
    assert float(mean["folds"]) == 0


def test_the_command_says_what_was_done(studies: Path, tmp_path: Path) -> None:
    ran = preprocess(studies, tmp_path / "out", "--steps", QUICK)
    assert ran.out.splitlines()[:2] == ["processed 2", "failed 0"]
    dropped = sum(last - first - 2 for first, last in KEPT.values())
    assert ran.warnings == [
        f"sub-{subject}: {dropped} slices have no partner and were dropped"
        for subject in ("101", "102")
    ]


# The same again


def test_one_process_and_two_give_the_same_bytes(
    studies: Path, processed: Path, tmp_path: Path
) -> None:
    assert preprocess(studies, tmp_path / "out").code == 0
    assert_same(tmp_path / "out", processed)


def test_a_second_run_writes_nothing(studies: Path, own_processed: Path) -> None:
    before, times = snapshot(own_processed), stamps(own_processed)
    ran = preprocess(studies, own_processed, "-j", 2)
    assert (ran.code, ran.out.splitlines()[:2]) == (0, ["processed 2", "failed 0"])
    assert differing(before, snapshot(own_processed)) == []
    assert stamps(own_processed) == times


def test_other_steps_write_other_files(studies: Path, undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "out")
    assert preprocess(studies, tmp_path / "out", "--steps", QUICK).code == 0
    assert preprocess(studies, tmp_path / "fresh", "--steps", QUICK).code == 0
    assert_same(tmp_path / "out", tmp_path / "fresh")


def test_an_archive_gives_what_its_folder_gives(
    studies: Path, undisturbed: Path, tmp_path: Path
) -> None:
    archive = shutil.make_archive(str(tmp_path / "studies"), "zip", studies)
    assert preprocess(Path(archive), tmp_path / "out", "--steps", MIDDLING).code == 0
    found, wanted = snapshot(tmp_path / "out"), snapshot(undisturbed)
    assert set(differing(found, wanted)) <= {RECORD}


def test_one_participant_and_then_the_other(
    studies: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = preprocess(studies, out, "--steps", MIDDLING, "--participant-label", "102")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "processed 1")
    assert [path.name for path in out.glob("sub-*")] == ["sub-102"]
    assert (out / "participants.tsv").read_text() == "participant_id\nsub-102\n"
    times = stamps(out / "sub-102")
    ran = preprocess(studies, out, "--steps", MIDDLING, "--participant-label", "sub-101")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "processed 2")
    assert stamps(out / "sub-102") == times
    assert_same(out, undisturbed)


def test_a_participant_that_is_not_there(studies: Path, tmp_path: Path) -> None:
    ran = preprocess(studies, tmp_path / "out", "--participant-label", "103")
    assert ran.code == 2
    assert "103" in ran.error


def test_what_is_there_is_replaced(studies: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    times = stamps(out / "sub-101")
    ran = preprocess(studies, out, "--steps", MIDDLING, "--on-existing", "error")
    assert ran.code == 2
    assert stamps(out / "sub-101") == times
    ran = preprocess(studies, out, "--steps", MIDDLING, "--on-existing", "replace")
    assert ran.code == 0
    assert all(stamps(out / "sub-101")[name] != then for name, then in times.items())
    assert_same(out, undisturbed)


def test_a_folder_of_something_else_is_left_alone(studies: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("precious")
    for policy in ("resume", "replace"):
        ran = preprocess(studies, tmp_path / "out", "--on-existing", policy)
        assert ran.code == 2
        assert snapshot(tmp_path / "out") == {"mine.txt": b"precious"}


@pytest.mark.parametrize("ending", ["_T1w.nii.gz", "_xfm.json", "_xfm.nii.gz", "_quality.tsv"])
def test_a_file_that_was_lost_is_written_again(
    ending: str, studies: Path, undisturbed: Path, processed: Path, tmp_path: Path
) -> None:
    """A field of displacements is there only after the non-rigid step."""
    wanted, steps = (processed, ()) if "xfm.nii" in ending else (undisturbed, (MIDDLING,))
    shutil.copytree(wanted, tmp_path / "out")
    before = stamps(tmp_path / "out")
    (lost, *_) = sorted((tmp_path / "out/sub-101").rglob(f"*{ending}"))
    lost.unlink()
    options = [option for step in steps for option in ("--steps", step)]
    assert preprocess(studies, tmp_path / "out", *options).code == 0
    assert_same(tmp_path / "out", wanted)
    after = stamps(tmp_path / "out")
    assert [name for name in after if after[name] != before[name]] == [str(lost)]


# Killed


def written(out: Path) -> int:
    return sum(1 for path in out.glob("sub-*/*/*") if not path.name.endswith((".part", ".tmp")))


@pytest.mark.parametrize(("count", "workers"), [(0, 1), (1, 2), (12, 1), (45, 2)])
def test_a_killed_run_goes_on(
    count: int, workers: int, studies: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("preprocess", "myops", studies, out, "-q", "--steps", MIDDLING, "-j", workers)
    with subprocess.Popen(command(*arguments), start_new_session=True) as process:
        moment = (out / ".bidsify").exists if count == 0 else lambda: written(out) >= count
        wait_for(moment, process)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    whole = snapshot(undisturbed)
    found = {
        name: content
        for name, content in snapshot(out).items()
        if not name.startswith(".bidsify/") and not name.endswith((".part", ".tmp"))
    }
    assert [name for name in found if whole[name] != found[name]] == []
    ran = shell(*arguments)
    assert (ran.code, ran.failures) == (0, []), ran.err
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.001)


# Forms of the source


def test_dicom_gives_the_images_that_nifti_gives(whole_studies: Path, tmp_path: Path) -> None:
    cmr.make_studies(tmp_path / "dicom", subjects=1, form="dicom")
    options = ("--steps", QUICK, "--participant-label", "101")
    ran = preprocess(tmp_path / "dicom", tmp_path / "one", *options)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "processed 1"), ran.err
    assert preprocess(whole_studies, tmp_path / "two", *options).code == 0
    names = [
        name for name in snapshot(tmp_path / "two") if name.endswith(".nii.gz") and "/anat/" in name
    ]
    assert len(names) == 6
    for name in names:
        one, two = (
            nib.Nifti1Image.from_filename(tmp_path / where / name) for where in ("one", "two")
        )
        flips = [np.flip(one.get_fdata(), axes) for axes in ((), (2,))]  # stored from apex to base
        assert any(agreeing(flip, two.get_fdata()) > 0.999 for flip in flips), name


def agreeing(one: Array, other: Array) -> float:
    """Return the share of voxels that are the same; headers of DICOM round positions."""
    return float(np.mean(np.isclose(one, other, atol=0.5)))


def test_a_converted_tree_is_a_source(studies: Path, undisturbed: Path, tmp_path: Path) -> None:
    """The names of BIDS are the only difference."""
    for path in sorted(studies.rglob("*.nii.gz")):
        subject, sequence, *is_mask = path.name.partition(".")[0].split("_")[2:]
        acq = {"C0": "bSSFP", "DE": "LGE", "T2": "T2w"}[sequence]
        suffix = "dseg" if is_mask else "T1w"
        target = tmp_path / f"bids/sub-{subject}/anat/sub-{subject}_acq-{acq}_{suffix}.nii.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    assert preprocess(tmp_path / "bids", tmp_path / "out", "--steps", MIDDLING).code == 0
    found, wanted = snapshot(tmp_path / "out"), snapshot(undisturbed)
    assert [n for n in differing(found, wanted) if n.endswith(("nii.gz", ".txt", ".tsv"))] == []
