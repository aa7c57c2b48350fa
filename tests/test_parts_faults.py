"""Runs side by side that come at a bad time, of another source, or upon what somebody put there."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import pytest
from conftest import RECORD, Make, assert_same, copy_cases, run, snapshot

import bidsify
from bidsify.cli.console import sentence
from bidsify.deidentification.fix import fix
from bidsify.engine import gate
from bidsify.engine.gate import STAGING, STATE, BusyError, Gate
from bidsify.engine.journal import Journal
from bidsify.engine.parts import Failure, Part, left
from bidsify.records.receipts import Receipt, receipt_entry

CASES = ("0001", "0002", "0003")
HASH = "5" * 64
ONE = Receipt("sub-1/a.nii.gz", "d", 3, HASH, HASH, ())
OTHERWISE = "was made otherwise, or of another source; run its task again"


@pytest.fixture(scope="module")
def cases(source: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a MyoPS380 of three cases; not to be changed."""
    root = tmp_path_factory.mktemp("cases") / "MyoPS380"
    copy_cases(source("myops380"), root, "0001", CASES)
    return root


@pytest.fixture
def own(cases: Path, tmp_path: Path) -> Path:
    """Return one that can be changed."""
    shutil.copytree(cases, tmp_path / "source")
    return tmp_path / "source"


def part_of(source: Path, out: Path, *names: str, options: tuple[str, ...] = ()) -> Any:
    labels = (word for name in names for word in ("--participant-label", name))
    return run("convert", source, out, "-qq", *labels, *options)


# The gate


def test_parts_and_mergers_do_not_refuse_each_other(tmp_path: Path) -> None:
    """Tasks come while others end the work, whose state appears and goes all the time."""
    stop, faults, made = Event(), list[BaseException](), list[int]()

    def merge() -> None:
        while not stop.is_set():
            with suppress(BusyError):
                journal = Journal(tmp_path, beside=True)
                journal.finishing()
                journal.merged()
                journal.finish()
            Event().wait(0.001)

    def begin() -> None:
        try:
            for number in range(25):
                Part(tmp_path, "any", [str(number)]).end()
                made.append(number)
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    threads = [Thread(target=merge), Thread(target=begin)]
    for thread in threads:
        thread.start()
    threads[1].join()
    stop.set()
    threads[0].join()
    assert faults == []
    assert len(made) == 25


def test_a_part_waits_for_what_does_not_say_yet_that_it_is_short(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    timer = Timer(0.3, journal.finish)
    timer.start()
    Part(tmp_path, "any", ["1"]).close()
    timer.join()


def test_a_part_does_not_wait_long_for_a_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was cut off while it wrote the tables had said that it is short."""
    monkeypatch.setattr(gate, "_PAUSE", 0.001)
    with closing(Journal(tmp_path)) as cut_off:
        cut_off.finishing()
    with closing(Journal(tmp_path)), pytest.raises(BusyError):
        Part(tmp_path, "any", ["1"])


def test_a_folder_that_others_remove_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, times = Path.mkdir, [FileExistsError, FileNotFoundError]

    def mkdir(self: Path, *rest: Any, **options: Any) -> None:
        if times:
            raise times.pop()(str(self))
        original(self, *rest, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    gate.make_folder(tmp_path / "a/b")
    assert (tmp_path / "a/b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        gate.make_folder(tmp_path / "file")


def test_a_journal_that_cannot_begin_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        original = gate.make_folder

        def make_folder(path: Path) -> None:
            if path == tmp_path / STAGING:
                raise PermissionError(13, "no", str(path))
            original(path)

        patch.setattr(gate, "make_folder", make_folder)
        with pytest.raises(PermissionError):
            Journal(tmp_path)
    assert not gate._LOCKED
    Journal(tmp_path).finish()
    assert list(tmp_path.iterdir()) == []


# What is left


def test_the_newest_part_of_a_participant_says_whether_it_is_settled(tmp_path: Path) -> None:
    one = Part(tmp_path, "any", ["1", "2"])
    one.end()
    two = Part(tmp_path, "any", ["1"])
    two.close()
    with closing(Journal(tmp_path)) as journal:
        found = journal.merged()
    assert (found.participants, found.unsettled) == ({"1", "2"}, {"1"})


@pytest.mark.parametrize("note", [ONE, Failure(ONE.target, "why")])
def test_other_commands_leave_parts_alone(note: Any, cases: Path, tmp_path: Path) -> None:
    root = tmp_path / "out"
    bidsify.convert(cases, root, participants=CASES[:1])
    sidecar = next(root.rglob("sub-*.json"))
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "PatientName": "Ann"}))
    part = Part(root, "myops380", ["0002"])
    part.append([note])
    part.end()
    assert fix(root).fixed
    (found,) = left(root)
    assert found.is_ended


def test_a_refused_task_or_end_leaves_nothing(source: Make, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert bidsify.convert(source("ivdm3seg"), out).is_complete
    before = snapshot(out)
    for options in (["--finalize"], ["--participant-label", "0001"]):
        ran = run("convert", cases, out, *options)
        assert ran.code == 2
        assert "--on-existing replace, also if files have left the source" in ran.error
        assert snapshot(out) == before
        assert not (out / STATE).exists()


def test_a_task_that_is_refused_late_leaves_no_part(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert part_of(cases, out, "0001").code == 0
    with closing(Part(out, "myops380", ["0002"])) as part:
        part.append([ONE])
    ran = part_of(cases, out, "0002")
    assert ran.code == 2
    assert ONE.target in ran.error
    assert [each.path for each in left(out)] == [part.path]


# Other sources, other options


def test_work_that_was_made_otherwise_is_not_kept(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with closing(Gate(out, alone=False)):
        part_of(cases, out, "0001", options=("--reproducible",))
        part_of(cases, out, "0002", "0003")
    ran = run("convert", cases, out, "--finalize")
    assert (ran.code, ran.failures) == (1, [f"sub-0001: {OTHERWISE}"])
    assert run("convert", cases, out, "--finalize", "--reproducible").failures == [
        f"sub-000{n}: {OTHERWISE}" for n in (2, 3)
    ]
    assert part_of(cases, out, "0001").code == 1  # two are not yet as they should, it says
    assert run("convert", cases, out, "--finalize").code == 0
    assert bidsify.convert(cases, tmp_path / "whole").is_complete
    assert_same(out, tmp_path / "whole")


def test_a_source_that_changed_after_its_task(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with closing(Gate(out, alone=False)):
        part_of(own, out, *CASES)
    (path,) = own.rglob("LGE/case0002*")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    ran = run("convert", own, out, "--finalize")
    assert (ran.code, ran.failures) == (1, [f"sub-0002: {OTHERWISE}"])
    part_of(own, out, "0002")
    assert run("convert", own, out, "--finalize").code == 0


def test_failures_of_tasks_one_after_the_other_are_those_of_a_whole_run(
    own: Path, tmp_path: Path
) -> None:
    """Each task is the last, and writes the tables; no reason is lost on the way."""
    out = tmp_path / "out"
    (path,) = own.rglob("LGE/case0001*")
    path.write_bytes(path.read_bytes()[:40])
    failures = bidsify.convert(own, tmp_path / "whole").failures
    for name in CASES:
        assert part_of(own, out, name).failures == failures
    assert_same(out, tmp_path / "whole")
    assert run("convert", own, out, "--finalize").failures == failures
    assert_same(out, tmp_path / "whole")


def test_what_a_whole_run_said_stays_said(own: Path, tmp_path: Path) -> None:
    """A file that was made of a better source stays, and why there is no newer one."""
    out = tmp_path / "out"
    assert bidsify.convert(own, out).is_complete
    (path,) = own.rglob("LGE/case0001*")
    path.write_bytes(path.read_bytes()[:40])
    failures = bidsify.convert(own, out).failures
    before = snapshot(out)
    assert part_of(own, out, "0002").failures == failures
    assert run("convert", own, out, "--finalize").failures == failures
    assert snapshot(out) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--link"], "--link"),
        (["-j", "2", "--no-verify"], "-j or --executor, --no-verify"),
        (["--max-failures", "1"], "--max-failures"),
    ],
)
def test_options_that_say_how_to_make_files(
    options: list[str], says: str, cases: Path, tmp_path: Path
) -> None:
    ran = run("convert", cases, tmp_path / "out", "--finalize", *options)
    assert ran.code == 2
    assert ran.error.endswith(f"--finalize converts nothing; leave out {says}")


def test_links_are_not_for_git_annex(cases: Path, tmp_path: Path) -> None:
    ran = run("convert", cases, tmp_path / "out", "--link", "--datalad")
    assert ran.code == 2
    assert "--link does not go with --datalad" in ran.error
    assert not (tmp_path / "out").exists()


# What somebody put there


def _in_part(out: Path, receipt: Receipt) -> None:
    part = Part(out, "myops380", ["0001"])
    part.append([receipt])
    part.end()


def _in_record(out: Path, receipt: Receipt) -> None:
    document = json.loads((out / RECORD).read_bytes())
    document["written"].append({**receipt_entry(receipt), "transform": ""})
    (out / RECORD).write_text(json.dumps(document))


@pytest.mark.parametrize("put", [_in_part, _in_record])
@pytest.mark.parametrize("target", ["notes.txt", "../notes.txt", "sub-0001/notes.txt"])
def test_a_file_of_the_user_is_not_replaced(
    put: Callable[[Path, Receipt], None], target: str, cases: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert part_of(cases, out, "0001").code == 0
    (out / target).write_bytes(b"mine")
    put(out, Receipt(target, "d", 4, HASH, HASH, ()))
    ran = part_of(cases, out, "0001", options=("--on-existing", "replace"))
    assert ran.code == 0
    assert (out / target).read_bytes() == b"mine"


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from bidsify.engine.writing import write_file\n"
        "from bidsify.cli.console import sentence\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: write_file(Path(sys.argv[1]), 'sub-1/a.txt', bytes(99999))\n"
        "except OSError as error: print(sentence(error))"
    )
    said = subprocess.check_output([sys.executable, "-c", program, tmp_path], text=True)
    assert said == f"{tmp_path}/sub-1/a.txt: File too large\n"
    assert not list((tmp_path / "sub-1").iterdir())
    assert sentence(OSError(28, "No space left on device")) == "No space left on device"
