"""A conversion may be killed at any moment; the same command goes on, to the same bytes."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import (
    RECORD,
    Make,
    Ran,
    assert_no_leftovers,
    assert_same,
    differing,
    run,
    shell,
    snapshot,
)

import bidsify
from bidsify.demo import native
from bidsify.engine.journal import Journal
from bidsify.readers import tensors

TOO_LONG = 60.0  # seconds


@pytest.fixture(scope="session")
def undisturbed(many_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a conversion of many cases gives that nobody disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert bidsify.convert(many_cases, out).failures == []
    return out


#: The command; but with its last subject it waits, so that it cannot end undisturbed.
HELD = """
import sys
from bidsify.cli import main
from bidsify.cli.progress import Progress

def step(self, unit, outcomes, done, total, original=Progress.step):
    if done == total:
        sys.stdin.read()
    original(self, unit, outcomes, done, total)

Progress.step = step
main(prog_name="bidsify")
"""

#: The command; but a finalizer, which loses exceptions, presses Ctrl-C after some subject.
INTERRUPTING_ITSELF = """
import os, signal, sys
from bidsify.cli import main
from bidsify.cli.progress import Progress

class Dying:
    def __del__(self):
        os.killpg(0, signal.SIGINT)
        for _ in range(1000):  # here at the latest the handler runs
            pass

def step(self, unit, outcomes, done, total, original=Progress.step):
    original(self, unit, outcomes, done, total)
    if done == moment:
        for _ in range(times):
            Dying()

moment, times = int(sys.argv.pop()), int(sys.argv.pop())
Progress.step = step
main(prog_name="bidsify")
"""


def start(*arguments: object, program: str = HELD) -> subprocess.Popen[str]:
    """Start a program as the leader of a group of processes; it goes on without stdin."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def volumes(out: Path) -> list[Path]:
    return list(out.glob("sub-*/anat/*.nii.gz"))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something holds, as long as the process runs."""
    end = time.monotonic() + TOO_LONG
    while not condition():
        assert process.poll() is None, "it ended before it could be disturbed"
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 50, 150])
def test_a_killed_conversion_goes_on(
    workers: int, count: int, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with start("convert", many_cases, out, "-j", workers) as process:
        moment = (out / ".bidsify").exists if count == 0 else lambda: len(volumes(out)) >= count
        wait_for(moment, process)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert (out / ".bidsify").is_dir()
    assert not (out / RECORD).exists()
    whole = snapshot(undisturbed)
    found = {k: v for k, v in snapshot(out).items() if not k.startswith(".bidsify/")}
    assert [name for name, content in found.items() if whole[name] != content] == []
    ran = shell("convert", many_cases, out, "-j", workers)
    assert ran.code == 0, ran.err
    assert ran.buckets["kept"] + ran.buckets["converted"] == 240
    if count > 1:
        assert ran.buckets["kept"] > 0
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


def test_a_conversion_that_is_killed_again_and_again(
    many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for count in (20, 80, 140, 200):
        with start("convert", many_cases, out) as process:
            wait_for(lambda count=count: len(volumes(out)) >= count, process)
            os.killpg(process.pid, signal.SIGKILL)
    assert run("convert", many_cases, out).code == 0
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_is_no_error(
    workers: int, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with start("convert", many_cases, out, "-j", workers) as process:
        wait_for(lambda: len(volumes(out)) >= 30, process)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=TOO_LONG)
    assert process.returncode == 130, err
    assert err.splitlines() == [STOPPING, STOPPED]
    assert not [path for path in out.rglob("*.part") if path.parent.name != "staging"]
    ran = run("convert", many_cases, out)
    assert ran.code == 0
    assert ran.buckets["kept"] > 0
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


STOPPING = "stopping after the subjects at hand; Ctrl-C again stops at once"
STOPPED = "interrupted; the same command goes on where this one stopped"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("moment", [1, 30, 60])
def test_ctrl_c_is_not_lost(
    moment: int, workers: int, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """Once it was, where a finalizer ran, and with the last subject."""
    out = tmp_path / "out"
    arguments = ("convert", many_cases, out, "-q", "-j", workers, 1, moment)
    with start(*arguments, program=INTERRUPTING_ITSELF) as process:
        _, err = process.communicate(timeout=TOO_LONG)
    assert process.returncode == 130, err
    assert err.splitlines() == [STOPPED]
    assert (len(volumes(out)) == 240) == (moment == 60)
    ran = run("convert", many_cases, out)
    assert ran.code == 0
    assert ran.buckets["kept"] >= moment
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


#: A command that has said its result; but Python, which ends then, presses Ctrl-C.
INTERRUPTING_ITS_END = """
import os, signal
from bidsify.cli import main

class Last:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGINT):
        kill(process, number)

last = Last()
main(prog_name="bidsify")
"""


@pytest.mark.parametrize(("name", "code"), [("ivdm3seg", 0), ("nothing", 2)])
def test_ctrl_c_comes_too_late_once_the_result_is_there(name: str, code: int) -> None:
    with start("datasets", name, program=INTERRUPTING_ITS_END) as process:
        _, err = process.communicate(timeout=TOO_LONG)
    assert process.returncode == code, err
    assert len(err.splitlines()) == (code > 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_again_stops_at_once(
    workers: int, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("convert", many_cases, out, "-j", workers, 2, 30)
    with start(*arguments, program=INTERRUPTING_ITSELF) as process:
        _, err = process.communicate(timeout=TOO_LONG)
    assert process.returncode == 130, err
    assert err.splitlines() == [STOPPING]
    assert run("convert", many_cases, out).code == 0
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


def test_what_stops_a_conversion_waits_for_its_workers(many_cases: Path, tmp_path: Path) -> None:
    """Else they would still write when the lock is gone."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        bidsify.convert(many_cases, tmp_path / "out", workers=2, watch=stop)
    assert multiprocessing.active_children() == []
    assert caught.tb  # which keeps alive what would end the workers


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent_and_leave_the_lock(
    number: signal.Signals, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """Only the parent is killed; its workers would wait for it and hold the journal for ever."""
    out = tmp_path / "out"
    with start("convert", many_cases, out, "-j", 2) as process:
        wait_for(lambda: len(volumes(out)) >= 20, process)
        os.kill(process.pid, number)
        process.communicate(timeout=TOO_LONG)  # the workers hold these pipes open too
    assert process.returncode == -number
    ran = run("convert", many_cases, out)
    assert ran.code == 0, ran.err
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers through /proc")
def test_a_worker_that_is_killed_costs_nothing(
    many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with start("convert", many_cases, out, "-j", "2") as process:
        wait_for(lambda: len(volumes(out)) >= 20, process)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        _, err = process.communicate(timeout=TOO_LONG)
    assert process.returncode == 0, err
    assert_no_leftovers(out)
    assert_same(out, undisturbed)


def children(pid: int) -> list[int]:
    """Return the worker processes, oldest first."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in path.read_text().split()]
    return [child for child in found if "resource_tracker" not in cmdline(child)]


def cmdline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def test_two_conversions_do_not_write_into_one_folder(many_cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start("convert", many_cases, out) as process:
        wait_for(lambda: len(volumes(out)) >= 3, process)
        ran = run("convert", many_cases, out)
        assert process.poll() is None
        process.kill()
    assert ran.code == 2
    assert ran.error == f"{out}: another run is writing here; wait until it ends"


def test_a_lock_is_not_taken_away(source: Make, tree: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    journal = Journal(out)
    try:
        for policy in ("resume", "replace"):
            ran = run("convert", source("myops380"), out, "--on-existing", policy)
            assert ran.code == 2
            assert "another run is writing here" in ran.error
    finally:
        journal.close()
    assert run("convert", source("myops380"), out).code == 0
    assert_same(out, tree("myops380"))


def test_a_lock_keeps_replace_from_removing_anything(source: Make, own_tree: Make) -> None:
    out = own_tree("myops380")
    journal = Journal(out)
    try:
        before = snapshot(out)
        ran = run("convert", source("myops380"), out, "--on-existing", "replace")
        assert ran.code == 2
        assert snapshot(out) == before
    finally:
        journal.close()


# What is there already


TARGET = "sub-0002/anat/sub-0002_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz"


@pytest.fixture
def modified(own_tree: Make) -> tuple[Path, Callable[[], list[str]]]:
    """Return a tree, and what tells which of its files were written since."""
    out = own_tree("myops380")
    before = {path: path.stat().st_ctime_ns for path in out.rglob("*") if path.is_file()}

    def written() -> list[str]:
        now = {path: path.stat().st_ctime_ns for path in out.rglob("*") if path.is_file()}
        names = (path for path, stamp in now.items() if before.get(path) != stamp)
        return sorted(path.relative_to(out).as_posix() for path in names)

    return out, written


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
    ],
)
@pytest.mark.parametrize(
    "name", [TARGET, TARGET.replace(".nii.gz", ".json"), "sub-0002/sub-0002_scans.tsv"]
)
def test_a_file_that_is_lost_or_cut_off_is_written_again(
    name: str,
    damage: Callable[[Path], None],
    source: Make,
    tree: Make,
    modified: tuple[Path, Callable[[], list[str]]],
) -> None:
    out, written = modified
    damage(out / name)
    ran = run("convert", source("myops380"), out)
    assert ran.code == 0
    assert_same(out, tree("myops380"))
    assert written() == [name]
    assert ran.buckets["converted"] == (1 if name == TARGET else 0)


@pytest.mark.parametrize("name", ["dseg.tsv", "participants.tsv", "README.md", "CHANGES"])
def test_a_shared_file_that_was_edited_is_written_again(
    name: str, source: Make, tree: Make, modified: tuple[Path, Callable[[], list[str]]]
) -> None:
    out, written = modified
    (out / name).write_text("edited")
    assert run("convert", source("myops380"), out).code == 0
    assert_same(out, tree("myops380"))
    assert written() == [name]


def test_what_was_edited_in_the_same_size_is_written_again(
    source: Make, tree: Make, own_tree: Make
) -> None:
    out = own_tree("myops380")
    name = TARGET.replace(".nii.gz", ".json")
    (out / name).write_text((out / name).read_text().replace("false", "true "))
    ran = run("verify", source("myops380"), out)
    assert ran.code == 1
    assert name in ran.out
    assert run("convert", source("myops380"), out).code == 0
    assert_same(out, tree("myops380"))


def test_a_link_is_replaced_by_the_file_itself(
    source: Make, tree: Make, own_tree: Make, tmp_path: Path
) -> None:
    """What it leads to may change, or not be there on another machine."""
    out = own_tree("myops380")
    elsewhere = tmp_path / "elsewhere"
    (out / TARGET).rename(elsewhere)
    (out / TARGET).symlink_to(elsewhere)
    ran = run("convert", source("myops380"), out)
    assert (ran.code, ran.buckets["converted"]) == (0, 1)
    assert not (out / TARGET).is_symlink()
    assert_same(out, tree("myops380"))


def test_after_a_kill_also_the_content_is_looked_at(
    source: Make, tree: Make, own_tree: Make
) -> None:
    """A power cut may leave a file of the right size that holds zeros."""
    out = own_tree("myops380")
    (out / TARGET).write_bytes(bytes((out / TARGET).stat().st_size))
    Journal(out).close()
    ran = run("convert", source("myops380"), out)
    assert ran.code == 0
    assert ran.buckets["converted"] == 1
    assert_same(out, tree("myops380"))


def test_a_source_file_of_another_size_is_converted_again(
    own_source: Make, modified: tuple[Path, Callable[[], list[str]]]
) -> None:
    import gzip

    source = own_source("myops380")
    out, written = modified
    path = source / "MyoPS380_dataset/Raw_data/LGE/case0002.nii.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-2000:] = bytes(2000)
    path.write_bytes(native.gzipped(bytes(content)))
    ran = run("convert", source, out)
    assert ran.code == 0
    assert ran.buckets["converted"] == 1
    assert gzip.decompress((out / TARGET).read_bytes()) == content
    assert TARGET in written()
    assert {name for name in written() if name.endswith(".nii.gz")} == {TARGET}
    assert bidsify.verify(source, out) == []


def omitted(out: Path) -> dict[str, str]:
    """Return the files that were found not to be needed, each with its source."""
    written = json.loads((out / RECORD).read_bytes())["written"]
    return {each["target"]: each["sources"][0][0] for each in written if not each["sha256"]}


def test_what_is_not_needed_is_removed_again(source: Make, tree: Make, own_tree: Make) -> None:
    out = own_tree("ssmspine")
    stale = min(omitted(out))
    (out / stale).write_bytes(b"left by an older version")
    assert run("convert", source("ssmspine"), out).code == 0
    assert not (out / stale).exists()
    assert_same(out, tree("ssmspine"))


def test_what_was_not_needed_is_looked_at_again_where_its_source_changed(
    own_source: Make, own_tree: Make
) -> None:
    """A mask that was a channel of another array is no more, in a file of the same size."""
    source, out = own_source("ssmspine"), own_tree("ssmspine")
    target, name = min(omitted(out).items())
    content = bytearray((source / name).read_bytes())
    arrays: Any = tensors.load(bytes(content), name)
    mask = arrays["bone_mask" if "bone" in target else "disk_mask"]
    place = content.rindex(mask.tobytes())  # the whole of the masks has it too
    content[place + mask.nbytes // 2] ^= 1
    (source / name).write_bytes(content)
    assert run("convert", source, out).code == 0
    assert len(omitted(out)) == 5
    assert (out / target).is_file()
    assert bidsify.verify(source, out) == []


def test_a_new_subject_is_added(own_source: Make, own_tree: Make, tmp_path: Path) -> None:
    source, out = own_source("myops380"), own_tree("myops380")
    for path in sorted(source.rglob("case0001*")):
        shutil.copyfile(path, path.with_name(path.name.replace("0001", "0380")))
    ran = run("convert", source, out)
    assert (ran.code, ran.buckets["converted"], ran.buckets["kept"]) == (0, 4, 12)
    assert run("convert", source, tmp_path / "fresh").code == 0
    assert_same(out, tmp_path / "fresh")


def test_editing_a_label_table_redoes_the_segmentations_alone(tmp_path: Path) -> None:
    import numpy as np

    from bidsify.demo.phantom import grid

    matrix = grid((6, 5, 4), (1, 1, 1), (0, 0, 0), (0, 0, 0))
    data = np.arange(120, dtype=np.uint8).reshape(6, 5, 4) % 3
    for case in ("1", "2"):
        native.save(tmp_path / f"in/{case}_mr.nii", native.nifti(data, matrix))
        native.save(tmp_path / f"in/{case}_seg.nii", native.nifti(data * 10, matrix))
    table = tmp_path / "toy.tsv"
    table.write_text("index\tname\tsource_value\n0\tbackground\t0\n1\tone\t10\n2\ttwo\t20\n")
    (tmp_path / "toy.py").write_text(TOY)
    arguments = ("convert", tmp_path / "in", tmp_path / "out", "--dataset", tmp_path / "toy.py")
    assert shell(*arguments).buckets["converted"] == 4
    before = snapshot(tmp_path / "out")
    table.write_text("index\tname\tsource_value\n0\tbackground\t0\n1\tone\t10\n3\tthree\t20\n")
    again = shell(*arguments)
    assert again.code == 0, again.err
    assert again.buckets == dict(zip(again.buckets, (2, 2, 0, 0, 0, 0), strict=True))
    assert differing(before, snapshot(tmp_path / "out")) == sorted([
        RECORD, "README.md", "dseg.tsv",
        "sub-1/anat/sub-1_dseg.nii.gz", "sub-2/anat/sub-2_dseg.nii.gz",
    ])  # fmt: skip
    table.write_text("index\tname\tsource_value\n0\tbackground\t0\n1\tONE\t10\n3\tthree\t20\n")
    renamed = shell(*arguments)
    assert renamed.buckets["kept"] == 4
    assert "1\tONE\t10" in (tmp_path / "out/dseg.tsv").read_text()


TOY = """
from bidsify.dataset import Dataset, Image, Naming, Segmentation, Terms
from bidsify.labels import label_table

DATASET = Dataset(
    name="toy", title="Toy", edition="1", layout="", fields={"case": "[0-9]"},
    naming=Naming(subject="{case}", source_id="{case}"),
    products=(
        Image(name="mr", source=("{case}_mr.nii",), suffix="T1w",
              sidecar={"SkullStripped": False}),
        Segmentation(source=("{case}_seg.nii",), of=("mr",), labels=label_table(__file__),
                     coding="source_value", sidecar={"Manual": True}),
    ),
    terms=Terms(licence="CC0", summary="Free.", redistribution="allowed", evidence="a test"),
    citation="Nobody", authors=("Nobody",), source_url="https://example.org/toy",
)
"""


# Another dataset in the same folder


def cut_off(source: Path, out: Path) -> None:
    """Leave the folder as a kill after the first subjects does."""
    run("convert", source, out)
    record = json.loads((out / RECORD).read_text())
    for path in (out / RECORD, *(path for path in out.iterdir() if path.is_file())):
        path.unlink()
    lines = []
    for entry in record["written"]:
        del entry["transform"]
        lines.append(json.dumps(entry) + "\n")
    native.save(out / ".bidsify/receipts.jsonl", "".join(lines))


def test_a_cut_off_conversion_goes_on_with_its_own_source(
    source: Make, tree: Make, tmp_path: Path
) -> None:
    cut_off(source("myops380"), tmp_path / "out")
    ran = run("convert", source("myops380"), tmp_path / "out")
    assert ran.buckets["kept"] == 12
    assert_same(tmp_path / "out", tree("myops380"))


def test_a_cut_off_conversion_of_another_dataset_is_not_mixed_up(
    source: Make, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cut_off(source("myops380"), out)
    ran: Ran = run("convert", source("ivdm3seg"), out)
    assert ran.code == 2
    assert "another source" in ran.error
    assert "--on-existing replace" in ran.error


def test_a_cut_off_conversion_can_be_replaced(source: Make, tree: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cut_off(source("myops380"), out)
    ran = run("convert", source("ivdm3seg"), out, "--on-existing", "replace")
    assert ran.code == 0, ran.err
    assert_no_leftovers(out)
    assert_same(out, tree("ivdm3seg"))
