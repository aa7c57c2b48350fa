"""Runs on a real Dask cluster: same bytes; workers may die, the scheduler may go, none is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import (
    RECORD,
    Make,
    assert_no_leftovers,
    assert_same,
    command,
    preprocess,
    run,
    shell,
    snapshot,
)

import bidsify
from bidsify import Cluster
from bidsify.cli import console
from bidsify.engine.batches import TASK_SECONDS, Batches
from bidsify.engine.pool import run_all
from bidsify.errors import ClusterError, UsageError

distributed = pytest.importorskip("distributed", reason="needs bidsify-datasets[dask]")

TESTS = Path(__file__).parent
SETUP = TESTS / "dask_worker_setup.py"
RECEIPTS = ".bidsify/receipts.jsonl"


@dataclass
class Running:
    """A scheduler and its workers, each a process; `dask_worker_setup.py` looks for traps."""

    folder: Path
    stack: ExitStack
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, kind: str, *options: object, **environment: str) -> None:
        """Start a process of Dask, with its output in a file."""
        module = f"distributed.cli.dask_{kind}"
        words = [sys.executable, "-m", module, "--scheduler-file", self.folder / "scheduler.json"]
        path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
        with (self.folder / f"{kind}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(word) for word in (*words, *options, "--no-dashboard")],
                stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
                env={**os.environ, "TRAPS": str(self.folder), "PYTHONPATH": path, **environment},
            )  # fmt: skip
        self.stack.callback(end, process)
        self.processes.append(process)

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        path = self.folder / "scheduler.json"
        wait_until(lambda: path.exists() and path.read_text().endswith("}"))
        return str(json.loads(path.read_text())["address"])

    def set_trap(self, name: str, text: str) -> Path:
        """Set a trap for who writes a target with this text in it."""
        staged = self.folder / f"{name}.part"
        staged.write_text(text)
        return staged.replace(self.folder / name)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process with those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(moment: Any) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + 30
    while not moment():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def started(folder: Path, stack: ExitStack) -> Running:
    """Start a scheduler on a free port, which gives a task up after two deaths, and two workers."""
    found = Running(folder, stack)
    allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    found.start("scheduler", "--host", "127.0.0.1", "--port", 0, **allowed)
    place = ("--local-directory", folder / "scratch", "--preload", SETUP)
    found.start("worker", "--nworkers", 2, "--nthreads", 1, *place)
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Running]]:
    """Return what gives the cluster of the module, or a new one where that was killed."""
    found: list[Running] = []

    def give() -> Running:
        if not found or found[-1].processes[0].poll() is not None:
            found.append(started(tmp_path_factory.mktemp("cluster"), stack))
        return found[-1]

    with ExitStack() as stack:
        yield give


@pytest.fixture
def two_workers(cluster: Callable[[], Running]) -> Running:
    """Return a cluster of two workers, which come back when they die."""
    return cluster()


def on(cluster: Running) -> tuple[object, ...]:
    """Return the options that have a command run there."""
    return "--executor", "dask", "--scheduler", cluster.address


@pytest.fixture(scope="module")
def undisturbed(many_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a conversion of many cases in one process gives."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert bidsify.convert(many_cases, out).failures == []
    return out


@pytest.mark.parametrize("name", ["chaos", "ssmspine", "ivdm3seg"])  # DICOM, .pt, NIfTI
def test_a_cluster_gives_the_same_bytes(
    name: str, two_workers: Running, source: Make, tree: Make, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = run("convert", source(name), out, *on(two_workers))
    assert ran.code == 0, ran.err
    assert_same(out, tree(name))
    assert_no_leftovers(out)


def test_paths_may_be_relative(
    two_workers: Running, source: Make, tree: Make, tmp_path: Path
) -> None:
    home = source("ivdm3seg").parent
    address = {"DASK_SCHEDULER_ADDRESS": two_workers.address, "PYTHONPATH": str(TESTS.parent)}
    out = os.path.relpath(tmp_path / "out", home)
    ran = shell(
        "convert", "ivdm3seg", out, "-qq", "--executor", "dask", environment=address, cwd=home
    )
    assert (ran.code, ran.err) == (0, "")
    assert_same(tmp_path / "out", tree("ivdm3seg"))


def test_verify_finds_the_same(two_workers: Running, source: Make, own_tree: Make) -> None:
    tree = own_tree("ivdm3seg")
    assert run("verify", source("ivdm3seg"), tree, *on(two_workers)).code == 0
    next(tree.rglob("*_dseg.nii.gz")).unlink()
    ran = run("verify", source("ivdm3seg"), tree, *on(two_workers), "--json")
    assert ran.code == 1
    assert ran.out == run("verify", source("ivdm3seg"), tree, "--json").out


def test_preprocess_gives_the_same_bytes(
    two_workers: Running, source: Make, tmp_path: Path
) -> None:
    for name, options in (("here", ()), ("there", on(two_workers))):
        ran = preprocess(source("myops2020"), tmp_path / name, "--steps", "crop", *options)
        assert ran.code == 0, ran.err
    assert_same(tmp_path / "here", tmp_path / "there")


def test_a_death_costs_nothing(
    two_workers: Running, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    two_workers.set_trap("die-once", "sub-0030/anat/")
    ran = run("convert", many_cases, out, *on(two_workers))
    assert (two_workers.folder / "died").exists()
    assert ran.code == 0, ran.err
    assert_same(out, undisturbed)
    assert_no_leftovers(out)


def test_a_unit_that_kills_its_workers_is_named(
    two_workers: Running, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    trap = two_workers.set_trap("die-always", "sub-0005/")
    ran = run("convert", many_cases, out, *on(two_workers))
    trap.unlink()
    assert ran.code == 1
    assert {text.partition(": ")[0] for text in ran.failures} == {"sub-0005"}
    assert "killed" in ran.failures[0]
    made = {name.split("/")[0] for name in snapshot(out) if name.endswith("dseg.nii.gz")}
    assert len(made) == 59
    again = run("convert", many_cases, out)
    assert (again.code, again.buckets["kept"] > 0) == (0, True)
    assert_same(out, undisturbed)


def test_an_interrupted_run_leaves_no_work_behind(
    two_workers: Running, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        bidsify.convert(many_cases, out, workers=Cluster(two_workers.address), watch=interrupt)
    before = sorted(snapshot(out))
    assert (out / RECEIPTS).exists()
    time.sleep(0.2)
    assert sorted(snapshot(out)) == before
    with distributed.Client(two_workers.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)  # one may have died in another test
        names = client.run(lambda dask_worker: [*dask_worker.plugins])
    assert len(names) == 2
    assert not [name for kept in names.values() for name in kept if name.startswith("bidsify")]
    assert run("convert", many_cases, out, *on(two_workers)).code == 0
    assert_same(out, undisturbed)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9"])
def test_a_scheduler_that_is_not_there_is_told_soon(
    address: str, source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a certificate a client for TLS fails in another way, and would never close itself."""
    from bidsify.engine import cluster_client

    assert cluster_client._CONNECTING < 10
    monkeypatch.setattr(cluster_client, "_CONNECTING", 0.5)
    left: list[Any] = []
    leave = cluster_client._Connection.leave
    monkeypatch.setattr(
        cluster_client._Connection, "leave", lambda client: (left.append(client), leave(client))
    )
    started = time.monotonic()
    ran = run("convert", source("ivdm3seg"), tmp_path / "out", "--executor", "dask",
              "--scheduler", address)  # fmt: skip
    assert time.monotonic() - started < 10
    assert ran.code == 2
    assert f"{address}: no Dask scheduler answers there" in ran.err
    assert [client.status for client in left] == ["closed"]


def test_a_worker_with_another_version_is_refused(
    two_workers: Running, source: Make, tree: Make, tmp_path: Path
) -> None:
    trap = two_workers.set_trap("version", "0.0.0")
    ran = run("convert", source("ivdm3seg"), tmp_path / "out", *on(two_workers), "-q")
    trap.unlink()
    assert ran.code == 2
    assert "has bidsify 0.0.0 where the run has" in ran.error
    assert run("convert", source("ivdm3seg"), tmp_path / "out", *on(two_workers)).code == 0
    assert_same(tmp_path / "out", tree("ivdm3seg"))


@pytest.mark.parametrize("change", ["gone", "other", "smaller"])
def test_a_worker_that_does_not_see_the_source_is_refused(change: str, tmp_path: Path) -> None:
    from bidsify.engine.cluster_worker import Shared

    folder, file = tmp_path / "folder", tmp_path / "archive.zip"
    folder.mkdir()
    (folder / "a").touch()
    file.write_bytes(b"abc")
    packed = pickle.dumps(Shared({"source": folder, "archive": file}))
    here: Any = SimpleNamespace(address="tcp://here")
    pickle.loads(packed).setup(here)
    if change == "smaller":
        file.write_bytes(b"ab")
    else:
        (folder / "a").rename(folder / "b")
    if change == "gone":
        (folder / "b").unlink()
        folder.rmdir()
    seen = pickle.loads(packed)
    with pytest.raises(ClusterError, match=r"the worker at tcp://here does not see .* share"):
        seen.setup(here)
    assert isinstance(seen.run(b"").error, ClusterError)


def fail_of(deadly: int, item: int) -> int:
    if item == deadly:
        msg = f"no {item}"
        raise ValueError(msg)
    return item


def test_an_exception_is_a_bug_and_escapes(two_workers: Running) -> None:
    found = []
    with pytest.raises(ValueError, match="no 30"):
        found.extend(run_all(fail_of, 30, range(31), Cluster(two_workers.address)))


def test_nothing_to_do() -> None:
    assert list(run_all(fail_of, 1, [], Cluster("tcp://nowhere:1"))) == []


def test_what_was_done_before_an_exception_comes(two_workers: Running) -> None:
    found = run_all(fail_of, 30, range(31), Cluster(two_workers.address), lambda _: 1e-9)
    seen = []
    with pytest.raises(ValueError, match="no 30"):
        seen.extend(item for item, _ in iter(lambda: next(found), None))
    assert seen == list(range(30))


def test_a_scheduler_that_dies_leaves_what_can_be_resumed(
    two_workers: Running, many_cases: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """It comes last: the tests after it would have to start another cluster."""
    out = tmp_path / "out"
    two_workers.set_trap("hold", "sub-0060/")
    words = command("convert", many_cases, out, "-q", *on(two_workers))
    with subprocess.Popen(words, stdout=-1, stderr=-1, text=True) as process:
        wait_until(lambda: (out / RECEIPTS).exists() and (out / RECEIPTS).stat().st_size > 0)
        end(two_workers.processes[0])
        started = time.monotonic()
        _, said = process.communicate(timeout=60)
        assert time.monotonic() - started < 12
    assert process.returncode == 2
    (line,) = said.splitlines()
    assert line.startswith("error: tcp://127.0.0.1:")
    assert line.endswith(
        "the Dask scheduler is gone; once its workers are too, the same command goes on where "
        "this one stopped"
    )
    assert not (out / RECORD).exists()
    two_workers.stack.close()
    again = run("convert", many_cases, out)
    assert (again.code, again.buckets["kept"] > 0) == (0, True)
    assert_same(out, undisturbed)


def test_a_cluster_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from bidsify.engine import cluster as module

    monkeypatch.setattr(module, "_FIRST_WORKER", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0") as cluster,
        pytest.raises(ClusterError, match="no worker for 0 seconds"),
    ):
        list(run_all(fail_of, 1, range(3), Cluster(cluster.scheduler_address)))


def test_a_result_that_cannot_be_fetched_ends_the_wait() -> None:
    from bidsify.engine.cluster_client import hand_over

    async def fail() -> None:
        raise ConnectionResetError

    ended: Future[None] = Future()
    asyncio.run(hand_over(fail(), ended))
    assert isinstance(ended.exception(timeout=0), ConnectionResetError)


def test_nobody_of_dask_speaks_while_connected() -> None:
    from bidsify.engine.cluster_client import _silence

    names = ["distributed.client", "tornado.application", "asyncio", "concurrent.futures"]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    with _silence():
        new = logging.getLogger("distributed.new")
        assert not any(each.isEnabledFor(logging.CRITICAL) for each in (*loggers, new))
    assert [logger.level for logger in loggers] == before


@pytest.fixture
def _without_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--executor", "dask"], "needs --scheduler"),
        (["--scheduler", "tcp://here:1"], "add --executor dask"),
        (["--executor", "dask", "--scheduler", "tcp://here:1", "-j", "2"], "-j is for"),
        (["--executor", "dask", "--scheduler", "foo"], "'foo' is no address of a scheduler"),
    ],
)
@pytest.mark.parametrize("verb", ["convert", "verify"])
@pytest.mark.usefixtures("_without_address")
def test_options_that_do_not_go_together(
    verb: str, options: list[str], why: str, source: Make, tmp_path: Path
) -> None:
    ran = run(verb, source("ivdm3seg"), tmp_path / "out", *options)
    assert (ran.code, why in ran.error) == (console.MISUSE, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "address",
    [
        "foo", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:port", "tcp://:8786",
        "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:8786/", "tcp://a b:8786",
        "http://127.0.0.1:8786", "TCP://127.0.0.1:8786", "tcp://::1:8786", "127.0.0.1", "tcp://",
        "", "tcp://127.0.0.1:٨٧٨٦", "tcp://127.0.0.1:8786\n", "tcp://me@here:8786",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"is no address of a scheduler; write tcp://HOST:PORT"):
        Cluster(address)


@pytest.mark.parametrize(
    "address", ["tcp://node-1.cluster:8786", "tls://[::1]:1", "ws://127.0.0.1:65535", "here:8786"]
)
def test_what_dask_takes_for_an_address(address: str) -> None:
    assert distributed.comm.get_address_host_port(address)[1] > 0
    assert Cluster(address).address == address


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidsify.engine.workers.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'bidsify-datasets\[dask\]'"):
        Cluster("tcp://here:1")


def test_nothing_of_dask_is_imported_without_a_cluster(source: Make) -> None:
    code = (
        "import sys; from bidsify.cli import main; main(sys.argv[1:], standalone_mode=False);"
        "import bidsify.conversion.convert; sys.exit('distributed' in sys.modules)"
    )
    words = [sys.executable, "-c", code, "plan", str(source("ivdm3seg"))]
    assert subprocess.run(words, check=False, stdout=subprocess.DEVNULL).returncode == 0


def dealt(count: int, seconds: float, workers: int, pace: float = 1.0) -> list[int]:
    """Return how many items of so many seconds each batch has, after some were measured."""
    batches = Batches(range(count), lambda _: seconds / pace)
    sizes = []
    while len(batches):
        batch = batches.take(workers)
        batches.learn(batch, len(batch.items) * seconds)
        sizes.append(len(batch.items))
    assert sum(sizes) == count
    return sizes


@pytest.mark.parametrize("workers", [1, 4, 16, 64, 256])
def test_batches_are_large_enough_for_the_scheduler(workers: int) -> None:
    sizes = dealt(12_500, 0.5, workers)
    assert min(sizes[workers:-1]) * 0.5 >= min(workers * TASK_SECONDS, 0.5) / 2
    assert max(sizes) * 0.5 <= max(1, 2 * workers * TASK_SECONDS)
    assert sizes[-1] <= sizes[len(sizes) // 2]


@pytest.mark.parametrize("pace", [0.1, 1, 10])
def test_the_size_of_batches_follows_what_they_take(pace: float) -> None:
    sizes = dealt(2000, 0.02, 4, pace)
    assert 40 <= sizes[10] <= 50


def test_a_large_item_goes_alone() -> None:
    batches = Batches([0.01, 0.01, 30.0, 0.01, 0.01], lambda item: item)
    taken = []
    while len(batches):
        taken.append(batches.take(2).items)
    assert taken == [(0.01, 0.01), (30.0,), (0.01, 0.01)]
