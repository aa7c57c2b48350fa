"""Runs on some participants at once write one tree, and whoever ends it, its bytes are the same."""

from __future__ import annotations

import errno
import fcntl
import gzip
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from conftest import (
    RECORD,
    Make,
    assert_no_leftovers,
    assert_same,
    copy_cases,
    run,
    snapshot,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import bidsify
from bidsify.engine import gate
from bidsify.engine.gate import PARTS, STATE, BusyError, Gate
from bidsify.engine.journal import Journal
from bidsify.engine.parts import Failure, Part, left
from bidsify.engine.writing import write_file
from bidsify.errors import UsageError
from bidsify.records.receipts import Receipt
from bidsify.source.reading import Fact

TOO_LONG = 60.0  # seconds
CASES = tuple(f"{number:04}" for number in range(1, 9))
S, T, C, F, G = (digit * 64 for digit in "12345")  # hashes
ONE = Receipt("sub-1/a.nii.gz", "d", 3, S, C, (("a.nii", Fact(5, F)),), ("a note",))
TWO = Receipt("sub-2/a.nii.gz", "d", 3, S, C, (("b.nii", Fact(6, G)),))

#: The command; but before it counts its second subject it says so, and waits.
HELD = """
import sys
from bidsify.cli import main
from bidsify.cli.progress import Progress

def step(self, unit, outcomes, done, total, original=Progress.step):
    if done == 2:
        print("held", flush=True)
        sys.stdin.read()
    original(self, unit, outcomes, done, total)

Progress.step = step
main(prog_name="bidsify")
"""


@pytest.fixture(scope="module")
def cases(source: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a MyoPS380 of eight cases; not to be changed."""
    root = tmp_path_factory.mktemp("cases") / "MyoPS380"
    copy_cases(source("myops380"), root, "0001", CASES)
    return root


@pytest.fixture(scope="module")
def whole(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what one run on all of them gives."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert bidsify.convert(cases, out).failures == []
    return out


def labels(names: tuple[str, ...] | list[str]) -> Iterator[str]:
    for name in names:
        yield from ("--participant-label", name)


def part_of(source: Path, out: Path, *names: str) -> Any:
    return run("convert", source, out, "-qq", *labels(names))


class Task:
    """A run on some participants in a process of its own, that waits in the middle."""

    def __init__(self, source: Path, out: Path, *names: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HELD, "convert", source, out, "-qq", *labels(names)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == "held\n"

    def end(self) -> str:
        _, said = self.process.communicate(timeout=TOO_LONG)
        assert self.process.returncode == 0, said
        return said

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=TOO_LONG)


def stamps(root: Path) -> dict[Path, tuple[int, int]]:
    status = {path: path.stat() for path in root.rglob("*") if path.is_file()}
    return {path: (each.st_ino, each.st_mtime_ns) for path, each in status.items()}


PENDING = "the tables of all subjects are still to be written, as other runs are on or were cut off"


def test_parts_at_once_are_one_run(cases: Path, whole: Path, tmp_path: Path) -> None:
    """The last one ends the work; all that follows changes nothing."""
    out = tmp_path / "out"
    tasks = [Task(cases, out, *CASES[n::4]) for n in range(4)]
    for task in tasks:
        task.wait()
    assert len(left(out)) == 4
    said = [task.end() for task in tasks]
    assert all(PENDING in each for each in said[:3])
    assert said[3] == ""
    assert_no_leftovers(out)
    assert_same(out, whole)
    before = stamps(out)
    for arguments in (["--finalize"], ["--finalize"], [], ["--finalize", *labels(["0003"])]):
        ran = run("convert", cases, out, "-qq", *arguments)
        assert (ran.code, ran.err, sum(ran.buckets.values())) == (0, "", 32)
        assert stamps(out) == before


def test_a_part_that_was_killed_is_missed_and_made_again(
    cases: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    task = Task(cases, out, *CASES[:3])
    task.wait()
    assert PENDING in part_of(cases, out, *CASES[3:]).err
    task.kill()
    (cut_off,) = (each for each in left(out) if not each.is_ended)
    assert not cut_off.is_live
    shutil.copytree(out, tmp_path / "other")
    ran = run("convert", cases, out, "--finalize")
    missed = [f"sub-{name}: was not reached; run its task again" for name in CASES[2:3]]
    assert (ran.code, ran.failures) == (1, missed)
    assert (ran.buckets["kept"], ran.buckets["failed"]) == (28, 4)
    assert_no_leftovers(out)
    before = stamps(out)
    assert run("convert", cases, out, "--finalize").failures == missed
    assert stamps(out) == before
    assert run("convert", cases, out, *labels(CASES[:3])).code == 0
    assert_same(out, whole)
    again = part_of(cases, tmp_path / "other", *CASES[:3])  # before anybody finalized
    assert (again.code, again.err, again.buckets["kept"]) == (0, "", 28)
    assert_no_leftovers(tmp_path / "other")
    assert_same(tmp_path / "other", whole)


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_whole_run_goes_on_from_parts(
    *, is_killed: bool, cases: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with closing(Gate(out, alone=False)):
        part_of(cases, out, *CASES[:4])
    if is_killed:
        (path,) = (out / PARTS).iterdir()
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1])[:-9])
    ran = run("convert", cases, out)
    assert (ran.code, ran.buckets["kept"]) == (0, 16)
    assert_no_leftovers(out)
    assert_same(out, whole)


def test_failures_of_parts_are_those_of_a_whole_run(cases: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(cases, source)
    for pattern, keep in (("LGE/case0002*", 0), ("T2w/case0005*", 40), ("label/case0007*", 9)):
        for path in source.rglob(pattern):
            path.write_bytes(path.read_bytes()[:keep])
    failures = bidsify.convert(source, tmp_path / "whole").failures
    assert len(failures) > 2
    with closing(Gate(out, alone=False)):
        codes = [part_of(source, out, *CASES[n::4]).code for n in range(4)]
    assert codes == [1, 1, 1, 0]
    for _ in range(2):
        ran = run("convert", source, out, "--finalize")
        assert (ran.code, sorted(ran.failures)) == (1, sorted(failures))
        assert_same(out, tmp_path / "whole")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_nothing_is_locked_parts_wait_to_be_merged(
    number: int, cases: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    out = tmp_path / "out"
    for names in (CASES[:5], CASES[5:]):
        ran = part_of(cases, out, *names)
        assert ran.code == 0
        assert PENDING in ran.err
    assert not (out / RECORD).exists()
    assert run("convert", cases, out, "--finalize").code == 0
    assert_no_leftovers(out)
    assert_same(out, whole)


def test_another_fault_of_locking_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="the disk is gone"):
        Gate(tmp_path, alone=True)


@settings(max_examples=4, database=None, deadline=None)
@given(
    order=st.permutations(CASES), cuts=st.sets(st.integers(1, 7), max_size=3), beside=st.booleans()
)
def test_any_parts_in_any_order_give_the_same_tree(
    *, order: list[str], cuts: set[int], beside: bool, cases: Path, whole: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    out = tmp_path_factory.mktemp("law") / "out"
    bounds = [0, *sorted(cuts), len(order)]
    with ExitStack() as stack:
        if beside:
            stack.enter_context(closing(Gate(out, alone=False)))
        for first, end in itertools.pairwise(bounds):
            names = tuple(order[first:end])
            done = bidsify.convert(cases, out, participants=names)
            assert (done.failures, bool(done.pending)) == ([], beside)
    assert bidsify.convert(cases, out, finalize=True).is_complete
    assert_no_leftovers(out)
    assert_same(out, whole)


# Who may write


def test_a_whole_run_and_parts_keep_each_other_out(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    busy = f"{out}: another run is writing here; wait until it ends"
    with closing(Part(out, "myops380", ["0001"])):
        for options in ([], ["--finalize"], ["--on-existing", "replace", *labels(["0002"])]):
            ran = run("convert", cases, out, *options)
            assert (ran.code, ran.error) == (2, busy)
        assert part_of(cases, out, "0002").code == 0
    with closing(Journal(out)):
        for options in ([*labels(["0002"])], ["--finalize"]):
            ran = run("convert", cases, out, *options)
            assert (ran.code, ran.error) == (2, busy)


def test_a_participant_has_one_run_at_a_time(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with closing(Part(out, "myops380", ["0001", "0002", "0003"])):
        ran = part_of(cases, out, "0003", "0002", "0004")
        names = "sub-0002, sub-0003"
        says = f"{out}: another run is at work on {names} here; wait until it ends"
        assert (ran.code, ran.error) == (2, says)
        Part(out, "myops380", ["0004"]).close()


def test_parts_are_of_one_dataset(source: Make, cases: Path, tmp_path: Path) -> None:
    with closing(Gate(tmp_path / "out", alone=False)):
        assert part_of(cases, tmp_path / "out", "0001").code == 0
        ran = part_of(source("ivdm3seg"), tmp_path / "out", "01")
    assert ran.code == 2
    assert "others make 'myops380' here, and this is 'ivdm3seg'" in ran.error


def test_parts_are_of_one_source(source: Make, cases: Path, tmp_path: Path) -> None:
    with closing(Gate(tmp_path / "out", alone=False)):
        assert part_of(cases, tmp_path / "out", "0004").code == 0
    ran = run("convert", source("myops380"), tmp_path / "out", "--finalize")
    assert ran.code == 2
    assert "sub-0004" in ran.error
    assert "which this source does not give" in ran.error
    assert len(left(tmp_path / "out")) == 1


def test_a_part_waits_while_another_writes_the_tables(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.finishing()
    began = time.monotonic()
    timer = Timer(0.3, journal.finish)
    timer.start()
    with closing(Part(tmp_path, "any", ["1"])) as part:
        assert time.monotonic() - began > 0.25
        assert part.path.is_file()
    timer.join()


def test_a_gate_that_was_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ended removed it after this one had opened it."""
    original, removed = gate.lock, []

    def late(stream: Any, how: int) -> gate.Answer:
        if not removed:
            removed.append(os.fstat(stream.fileno()).st_ino)
            shutil.rmtree(tmp_path / STATE)
        return original(stream, how)

    monkeypatch.setattr(gate, "lock", late)
    with closing(Journal(tmp_path)) as journal:
        assert gate.is_there(journal._gate.stream, tmp_path / gate.GATE)
        with pytest.raises(BusyError):
            Gate(tmp_path, alone=False)
    assert removed


# Journals


def merged(root: Path) -> Any:
    with closing(Journal(root)) as journal:
        return journal.merged()


def test_what_parts_noted_is_merged(tmp_path: Path) -> None:
    one, two = Part(tmp_path, "any", ["1"]), Part(tmp_path, "any", ["2"])
    one.append([ONE])
    two.append([Failure(TWO.target, "why")])
    one.end()
    two.close()
    found = merged(tmp_path)
    assert found.receipts == {ONE.target: ONE}
    assert found.failures == {TWO.target: "why"}
    assert (found.participants, found.unsettled) == ({"1", "2"}, {"2"})
    again = Part(tmp_path, "any", ["2"])
    assert list(again.earlier()) == [Failure(TWO.target, "why")]
    again.append([TWO])
    again.end()
    found = merged(tmp_path)
    assert found.receipts == {ONE.target: ONE, TWO.target: TWO}
    assert (found.failures, found.unsettled) == ({}, frozenset())


@pytest.mark.parametrize(
    "torn",
    ['{"target": "sub-3', '{"target": 3}\n', "\0\0", "null\n", '{"failed": 3}\n', '{"end": t'],
)
def test_a_torn_line_of_a_part_is_none(torn: str, tmp_path: Path) -> None:
    part = Part(tmp_path, "any", ["1"])
    part.append([ONE])
    part.close()
    with part.path.open("a") as stream:
        stream.write(torn)
    found = merged(tmp_path)
    assert (found.receipts, found.failures) == ({ONE.target: ONE}, {})
    assert found.unsettled == {"1"}


@pytest.mark.parametrize("head", ["", '{"participants": ["1"]', "[]\n", '{"dataset": "any"}\n'])
def test_a_part_whose_first_line_is_torn_has_no_participants(head: str, tmp_path: Path) -> None:
    with closing(Part(tmp_path, "any", ["1"])) as part:
        part.path.write_text(head)
    assert [each.participants for each in left(tmp_path)] == [frozenset()]
    journal = Journal(tmp_path)
    assert journal.merged().unsettled == {""}
    journal.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_is_on_is_not_removed(tmp_path: Path) -> None:
    with closing(Part(tmp_path, "any", ["1"])) as part:
        (found,) = left(tmp_path)
        assert found.is_live
        found.remove()
        assert part.path.is_file()
    part.path.write_text(part.path.read_text() + "more\n")
    found.remove()  # it was not read to its end
    assert part.path.is_file()
    left(tmp_path)[0].remove()
    assert not part.path.exists()


def test_a_part_that_was_taken_for_cut_off_is_written_again(tmp_path: Path) -> None:
    """Where machines share no locks, another one may have merged and removed it too early."""
    part = Part(tmp_path, "any", ["1"])
    part.append([ONE])
    shutil.rmtree(tmp_path / STATE)
    part.append([TWO])
    part.end()
    assert merged(tmp_path).receipts == {ONE.target: ONE, TWO.target: TWO}


def test_what_came_after_the_tables_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.merged()
    late = Part.__new__(Part)
    late.root, late._lines = tmp_path, ['{"dataset": "any", "number": 1, "participants": ["1"]}\n']
    late._begin()
    late.append([ONE])
    journal.finish()
    assert merged(tmp_path).receipts == {ONE.target: ONE}
    gate.let_go(late._stream)


def test_a_cut_off_journal_is_older_than_parts(tmp_path: Path) -> None:
    newer = Receipt(ONE.target, "e", 4, T, C, ())
    with closing(Journal(tmp_path)) as journal:
        journal.append([ONE, TWO])
    part = Part(tmp_path, "any", ["1"])
    assert list(part.earlier()) == [ONE, TWO]
    part.append([newer])
    part.end()
    assert merged(tmp_path).receipts == {ONE.target: newer, TWO.target: TWO}
    with closing(Journal(tmp_path)) as journal:
        journal.merged()
        journal.absorb()
        assert left(tmp_path) == []
        journal.append([ONE])
    assert merged(tmp_path).receipts[ONE.target] == ONE


# Files


def test_a_rename_that_was_done_and_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.replace

    def replace(self: Path, target: Path) -> Path:
        original(self, target)
        raise FileNotFoundError(errno.ENOENT, "sent again", str(self))

    monkeypatch.setattr(Path, "replace", replace)
    write_file(tmp_path, "sub-1/a.json", b"{}")
    assert (tmp_path / "sub-1/a.json").read_bytes() == b"{}"


@pytest.mark.parametrize("times", [1, 9])
def test_what_another_run_cleared_away_is_written_again(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, done = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        done.append(self)
        if len(done) <= times:
            shutil.rmtree(self.parent)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    (tmp_path / "a.json").write_bytes(b"old")
    if times > 3:
        with pytest.raises(FileNotFoundError):
            write_file(tmp_path, "a.json", b"{}")
        return
    write_file(tmp_path, "a.json", b"{}")
    assert (tmp_path / "a.json").read_bytes() == b"{}"
    assert len({*done}) == 2  # each under a name of its own


# Misuse


def test_there_must_be_something_to_finalize(cases: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    for out in (tmp_path / "none", full):
        ran = run("convert", cases, out, "--finalize")
        says = f"{out}: there is nothing to finalize; run the tasks first"
        assert (ran.code, ran.error) == (2, says)
    (full / "mine.txt").write_text("x")
    ran = run("convert", cases, full, "--finalize")
    assert ran.code == 2
    assert "not empty and not ours" in ran.error
    assert snapshot(tmp_path) == {"full/mine.txt": b"x"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--on-existing", "replace"], "--finalize takes what is there as it is"),
        (["--on-existing", "error"], "--finalize takes what is there as it is"),
        (["--dry-run"], "--finalize converts nothing"),
    ],
)
def test_options_that_finalize_has_no_use_for(
    options: list[str], says: str, cases: Path, whole: Path
) -> None:
    before = stamps(whole)
    ran = run("convert", cases, whole, "--finalize", *options)
    assert ran.code == 2
    assert says in ran.error
    assert stamps(whole) == before


def test_some_participants_can_be_finalized(cases: Path, tmp_path: Path) -> None:
    """The others that no task made were not asked for, and are no failures."""
    for out in (tmp_path / "one", tmp_path / "other"):
        with closing(Gate(out, alone=False)):
            part_of(cases, out, "0001", "0002")
    assert run("convert", cases, tmp_path / "one", "--finalize").code == 1
    ran = run("convert", cases, tmp_path / "other", "--finalize", *labels(["0001"]))
    assert (ran.code, ran.buckets["kept"], ran.buckets["ignored"]) == (0, 8, 24)
    record = json.loads((tmp_path / "other" / RECORD).read_bytes())
    assert {each["target"][:8] for each in record["written"]} == {"sub-0001", "sub-0002"}


def test_a_state_of_parts_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    victim, root = tmp_path / "victim", tmp_path / "out"
    victim.mkdir()
    (root / STATE).mkdir(parents=True)
    (root / PARTS).symlink_to(victim)
    with pytest.raises(UsageError, match="in the place of our state; remove it"):
        Part(root, "any", ["1"])
    assert list(victim.iterdir()) == []


def test_a_source_that_changed_between_two_tasks(cases: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(cases, source)
    with closing(Gate(out, alone=False)):
        part_of(source, out, "0001", "0002")
        (path,) = source.rglob("LGE/case0002.nii.gz")
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-4] + b"\1\0\1\0"))
        assert part_of(source, out, "0002").buckets["converted"] == 1
        part_of(source, out, *CASES[2:])
    assert run("convert", source, out, "--finalize").code == 0
    assert bidsify.convert(source, tmp_path / "whole").is_complete
    assert_same(out, tmp_path / "whole")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("0", "convert in out --participant-label a --participant-label b -j 3 -q"),
        ("1", "convert in out --participant-label c -j 3 -q"),
        ("2", ""),
        ("", "convert in out --finalize"),
    ],
)
def test_the_example_for_slurm(task: str, said: str, tmp_path: Path) -> None:
    program = tmp_path / "bidsify"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    (tmp_path / "subjects.txt").write_text("a\nb\nc\n")
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "BATCH": "2"}
    environment |= {"SLURM_ARRAY_TASK_ID": task, "SLURM_CPUS_PER_TASK": "3"}
    script = Path(__file__).parents[1] / "examples/hpc/array.sbatch"
    done = subprocess.run(
        ["/bin/sh", script, "in", "out", *(["subjects.txt"] if task else [])],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", said)
