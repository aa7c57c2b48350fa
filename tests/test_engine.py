"""The engine with a pipeline that is no conversion: it knows jobs, not what they make of what."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from bidsify.engine.gate import STATE
from bidsify.engine.jobs import Job, Made, Omitted, Unit, selected
from bidsify.engine.output import Wanted, open_output
from bidsify.engine.run import Pace, run_units, written_earlier
from bidsify.engine.work import Bench, Outcome, Setting
from bidsify.engine.writing import write_file
from bidsify.errors import SourceError, UsageError
from bidsify.records.receipts import receipt_entry
from bidsify.source import open_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Louder(Job):
    """Text in capitals; with ``after``, behind what another job of the unit made."""

    kind: ClassVar[str] = "louder"
    after: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.after,) if self.after else ()

    def is_wanted(self, present: Collection[str]) -> bool:
        return not self.after or self.after in present


def make(job: Job, bench: Bench) -> Made | Omitted:
    (path,) = job.sources
    text = bench.reading.content(path).decode()
    if "bad" in text:
        msg = f"{path}: bad"
        raise SourceError(msg)
    if text == "nothing":
        return Omitted(f"{path}: nothing")
    before = b"".join((bench.root / name).read_bytes() for name in job.needs)
    return Made(before + text.upper().encode(), "")


def prove(job: Job, bench: Bench) -> Iterator[str]:
    written = (bench.root / job.target).read_bytes()
    if b"UNLIKELY" in written:
        yield "it is unlikely"
    if b"CRASH" in written:
        raise MemoryError
    if not written.endswith(bench.reading.content(job.sources[0]).upper()):
        yield "not the text"


def unit(name: str) -> Unit:
    first = Louder(target=f"sub-{name}/a.txt", sources=(f"{name}.txt",))
    return Unit(name, None, (first, Louder(target=f"sub-{name}/b.txt", sources=(f"{name}2.txt",),
                                           after=first.target)))  # fmt: skip


def source(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"x": "one", "x2": "two", "y": "three", "y2": "four", **texts}.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


UNITS = (unit("x"), unit("y"))


RECORD = "code/bidsify/loud.json"


def run(
    folder: Path, root: Path, *, pace: Pace | None = None, context: str = "",
    units: tuple[Unit, ...] = UNITS,
) -> list[Outcome]:  # fmt: skip
    """Run it to its end, with a record of its own for the next run to go on from."""
    opened = open_source(folder)
    setting = Setting(opened, root, make, prove, context)
    targets = frozenset(job.target for each in units for job in each.jobs)
    with open_output(root, Wanted(opened.root, "loud", targets, RECORD), "resume") as output:
        made = run_units(units, setting, output, pace or Pace(), lambda *_: None)
        made += written_earlier(units, output, made)
        receipts = [receipt_entry(o.receipt) for o in made if o.receipt]
        record = {"dataset": "loud", "written": receipts, "shared": [], "files": []}
        write_file(root, RECORD, json.dumps(record).encode())
    assert not (root / STATE).exists()
    return made


def statuses(outcomes: list[Outcome]) -> dict[str, str]:
    return {o.target.removeprefix("sub-").removesuffix(".txt"): o.status for o in outcomes}


ALL = ("x/a", "x/b", "y/a", "y/b")


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_of_any_kind_are_made(workers: int, tmp_path: Path) -> None:
    made = run(source(tmp_path / "in"), tmp_path / "out", pace=Pace(workers=workers))
    assert statuses(made) == dict.fromkeys(ALL, "written")
    assert (tmp_path / "out/sub-x/b.txt").read_text() == "ONETWO"
    assert statuses(run(tmp_path / "in", tmp_path / "out")) == dict.fromkeys(ALL, "kept")


def test_a_change_redoes_what_depends_on_it(tmp_path: Path) -> None:
    run(source(tmp_path / "in"), tmp_path / "out")
    again = run(source(tmp_path / "in", x="ten"), tmp_path / "out")
    assert statuses(again) == {"x/a": "written", "x/b": "written", "y/a": "kept", "y/b": "kept"}
    assert (tmp_path / "out/sub-x/b.txt").read_text() == "TENTWO"


def test_the_context_is_part_of_each_digest(tmp_path: Path) -> None:
    run(source(tmp_path / "in"), tmp_path / "out", context="registration 1.0")
    again = run(tmp_path / "in", tmp_path / "out", context="registration 1.1")
    assert statuses(again) == dict.fromkeys(ALL, "written")


def test_a_failure_stops_only_what_needs_it(tmp_path: Path) -> None:
    made = run(source(tmp_path / "in", x="bad"), tmp_path / "out")
    assert statuses(made) == {"x/a": "failed", "x/b": "skipped", "y/a": "written", "y/b": "written"}
    assert made[0].message == "x.txt: bad"


def test_what_is_omitted_is_noted_and_not_asked_again(tmp_path: Path) -> None:
    made = run(source(tmp_path / "in", x="nothing"), tmp_path / "out")
    assert statuses(made)["x/a"] == "omitted"
    assert made[0].message == "x.txt: nothing"
    again = run(tmp_path / "in", tmp_path / "out")
    assert (again[0].status, again[0].receipt) == ("kept", made[0].receipt)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unlikely", "a.txt: the written file does not hold what the source holds: it is unlikely"),
        ("crash", "x.txt: does not fit into memory; use fewer processes"),
    ],
)
def test_a_file_that_is_not_proved_does_not_stay(text: str, says: str, tmp_path: Path) -> None:
    made = run(source(tmp_path / "in", x=text), tmp_path / "out")
    assert made[0].status == "failed"
    assert says in made[0].message
    assert not (tmp_path / "out/sub-x/a.txt").exists()
    assert statuses(made)["x/b"] == "skipped"


def test_a_pipeline_without_a_proof_is_possible(tmp_path: Path) -> None:
    opened, root = open_source(source(tmp_path / "in", x="unlikely")), tmp_path / "out"
    wanted = Wanted(opened.root, "loud", frozenset(j.target for u in UNITS for j in u.jobs))
    with open_output(root, wanted, "resume") as output:
        made = run_units(UNITS, Setting(opened, root, make), output, Pace(), lambda *_: None)
    assert statuses(made) == dict.fromkeys(ALL, "written")


def test_a_source_that_is_opened_by_its_path_is_hashed_all_the_same(tmp_path: Path) -> None:
    folder = source(tmp_path / "in")

    def by_path(job: Job, _: Bench) -> Made:
        return Made((folder / job.sources[0]).read_bytes().upper(), "")

    opened, root = open_source(folder), tmp_path / "out"
    with open_output(root, Wanted(opened.root, "loud", frozenset()), "resume") as output:
        made = run_units(UNITS, Setting(opened, root, by_path), output, Pace(), lambda *_: None)
    assert statuses(made) == dict.fromkeys(ALL, "written")
    assert all(o.receipt and o.receipt.sources[0][1].size == (folder / o.sources[0]).stat().st_size
               for o in made)  # fmt: skip


def test_it_stops_after_so_many_failures(tmp_path: Path) -> None:
    folder = source(tmp_path / "in", x="bad", y="bad")
    units = [Unit(f"{n}{name}", None, (replace(j, target=f"sub-{n}{name}/a.txt"),))
             for name in "xy" for n in range(3) for j in unit(name).jobs[:1]]  # fmt: skip
    made = run(folder, tmp_path / "out", units=tuple(units), pace=Pace(max_failures=2))
    assert [outcome.status for outcome in made] == ["failed", "failed"]


def test_a_tree_of_something_else_is_not_mixed_with_it(tmp_path: Path) -> None:
    run(source(tmp_path / "in"), tmp_path / "out")
    with pytest.raises(UsageError, match=r"such as sub-y/a\.txt, which this source does not give"):
        run(tmp_path / "in", tmp_path / "out", units=UNITS[:1])


def test_units_are_chosen_by_their_subjects() -> None:
    assert selected(UNITS, ()) == [*UNITS]
    assert selected(UNITS, ("sub-y",)) == [UNITS[1]]
    with pytest.raises(UsageError, match="no participant z in the source; there are x, y"):
        selected(UNITS, ("z",))


@pytest.mark.parametrize("what", [STATE, f"{STATE}/staging", f"{STATE}/receipts.jsonl"])
def test_a_state_that_leads_out_of_the_output_is_refused(tmp_path: Path, what: str) -> None:
    victim, root = tmp_path / "victim", tmp_path / "out"
    for name in ("staging/kept", "receipts.jsonl"):
        (victim / name).parent.mkdir(parents=True, exist_ok=True)
        (victim / name).write_text("mine")
    (root / what).parent.mkdir(parents=True)
    (root / what).symlink_to(victim if what == STATE else victim / Path(what).name)
    wanted = Wanted(tmp_path / "source", "any", frozenset())
    with (
        pytest.raises(UsageError, match="in the place of our state; remove it"),
        open_output(root, wanted, "resume"),
    ):
        pass
    assert {path.name for path in victim.rglob("*")} == {"staging", "kept", "receipts.jsonl"}
    assert (victim / "receipts.jsonl").read_text() == "mine"
