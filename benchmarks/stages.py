"""Where the time of one conversion goes, stage by stage, in one process (`-j 1`).

Runs `bidsify convert` (or `verify`) in this process, and charges the processor time between any two
calls to the stage of the innermost function that has one: files, hashing, packing and inflating by
the function that does it, all else by its module. What a proof reads and inflates is its own. The
watching itself is measured, and taken off at each call.

    python benchmarks/stages.py DATASET [--verify | --no-verify] [--cases N] [--markdown]
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from natives import NATIVES
from tables import table

#: Parts of the path of a module, and its stage; the first that fits.
MODULES = (
    ("importlib", "imports"),
    ("/bidsify/proof/", "proof"),
    ("/bidsify/recognition/", "list, recognise, plan"),
    ("/bidsify/planning/", "list, recognise, plan"),
    ("/bidsify/source/__init__", "list, recognise, plan"),
    ("/bidsify/datasets/", "list, recognise, plan"),
    ("/bidsify/gz.", "inflate"),
    ("/pydicom/", "decode DICOM"),
    ("/PIL/", "decode PNG"),
    ("/bidsify/readers/", "headers and values"),
    ("/bidsify/volume.", "headers and values"),
    ("/bidsify/conversion/volumes", "headers and values"),
    ("/bidsify/conversion/recode", "headers and values"),
    ("/bidsify/conversion/making", "engine"),
    ("/bidsify/conversion/convert", "engine"),
    ("/bidsify/conversion/", "tables and sidecars"),
    ("/bidsify/records/", "records"),
    ("/bidsify/engine/output", "records"),
    ("/bidsify/engine/journal", "records"),
    ("/bidsify/engine/writing", "write"),
    ("/bidsify/engine/", "engine"),
    ("/bidsify/verification/", "engine"),
)
#: Stages that hold for all that is called from them.
STICKY = ("imports", "decode DICOM", "decode PNG", "records", "list, recognise, plan")
#: Words in the name of a built-in function, and its stage.
BUILT_IN = (
    ("sha256", "hash"),
    ("decompress", "inflate"),
    ("compress", "compress"),
    ("flush", "compress"),
    ("crc32", "compress"),
    ("read", "read"),
    ("write", "write"),
    ("replace", "write"),
    ("open", "open files"),
)
_PACKERS = ("isal", "zlib", "deflate", "Compress", "Decompress")


class Clock:
    """A profiler for ``sys.setprofile`` that keeps a stack of stages."""

    def __init__(self, extra: int = 0) -> None:
        self._extra = extra
        self.spent: Counter[str] = Counter()
        self._stack = ["command line"]
        self._known: dict[CodeType, str] = {}
        self._last = time.thread_time_ns()

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        """Charge what passed since the last event, and enter or leave a function."""
        self.spent[self._stack[-1]] += max(time.thread_time_ns() - self._last - self._extra, 0)
        if event == "call":
            self._stack.append(self._inner(self._stage(frame.f_code)))
        elif event == "c_call":
            self._stack.append(self._inner(_built_in(called)))
        elif len(self._stack) > 1:
            self._stack.pop()
        self._last = time.thread_time_ns()

    def _inner(self, stage: str) -> str:
        """Return the stage of what is called: a proof's own, or that of the caller."""
        outer = self._stack[-1]
        if stage == "imports":
            return stage
        if not stage or outer in STICKY or outer.startswith("proof: "):
            return outer
        if outer == "proof":
            detail = stage in {"hash", "inflate", "read", "decode DICOM", "decode PNG"}
            return f"proof: {stage}" if detail else "proof"
        return stage

    def _stage(self, code: CodeType) -> str:
        if code not in self._known:
            path = code.co_filename
            self._known[code] = next((stage for part, stage in MODULES if part in path), "")
        return self._known[code]


def _built_in(called: Any) -> str:
    name = getattr(called, "__name__", "")
    stage = next((stage for word, stage in BUILT_IN if word in name), "")
    if stage in {"compress", "inflate"}:
        owner = f"{getattr(called, '__module__', '')}{type(getattr(called, '__self__', None))}"
        return stage if any(word in owner for word in _PACKERS) else ""
    return stage


def main() -> None:
    """Make a dataset, run on it, and show the stages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", choices=NATIVES)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--verify", action="store_true", help="profile verify, not convert")
    parser.add_argument("--no-verify", action="store_true", help="convert without a proof")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    native = NATIVES[options.dataset]
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "source", Path(folder) / "out"
        native.make(source, options.cases or native.cases)
        convert = ["-qq", "convert", str(source), str(out)]
        if options.verify:
            made = [sys.executable, "-m", "bidsify", *convert, "--no-verify"]
            subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
            convert[1] = "verify"
        clock, wall = watched([*convert, *(["--no-verify"] if options.no_verify else [])])
    show(f"{convert[1]} {options.dataset}", clock, wall, markdown=options.markdown)


def watched(words: list[str]) -> tuple[Clock, float]:
    """Run a command of bidsify, imports included, and return the clock and the seconds."""
    clock, start = Clock(_cost_of_watching()), time.perf_counter()
    sys.setprofile(clock)
    try:
        _run(words)
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.setprofile(None)
    return clock, time.perf_counter() - start


def _cost_of_watching() -> int:
    """Return the nanoseconds that are charged between two calls of nothing."""
    clock, turns = Clock(), range(20_000)
    sys.setprofile(clock)
    for _ in turns:
        _nothing()
    sys.setprofile(None)
    return sum(clock.spent.values()) // (2 * len(turns))


def _nothing() -> None:
    pass


def _run(words: list[str]) -> None:
    from bidsify.cli import main as group

    command: Callable[..., object] = group
    with redirect_stdout(io.StringIO()):
        command(words, prog_name="bidsify")


def show(title: str, clock: Clock, wall: float, *, markdown: bool) -> None:
    """Print milliseconds and shares, the largest first."""
    total = sum(clock.spent.values())
    rows = [(title, "ms of CPU", "%")]
    for stage, spent in clock.spent.most_common():
        if spent >= total / 1000:
            rows.append((stage, f"{spent / 1e6:.0f}", f"{100 * spent / total:.1f}"))
    rows.append(("all", f"{total / 1e6:.0f}", "100"))
    print(table(rows, markdown=markdown))
    print(f"\n{wall:.2f} s from start to end, watched")


if __name__ == "__main__":
    main()
