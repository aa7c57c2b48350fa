"""Units in which there is nothing to do: seen without a process, and without reading a file."""

from __future__ import annotations

from collections.abc import Mapping

from ..records.receipts import Receipt
from ..source.reading import Reading
from .jobs import Job, Unit
from .untouched import looks_untouched
from .work import Bench, Outcome, Setting, digest_of


def settled(unit: Unit, known: Mapping[str, Receipt], setting: Setting) -> list[Outcome] | None:
    """Return what :func:`.work.run_unit` would, if it had nothing to write; None in doubt.

    ``known`` are receipts of runs that came to their end: after a power cut, a file of the right
    size and time may hold nothing.
    """
    bench = Bench(unit, Reading(setting.source), setting.root, known)
    outcomes = []
    for job in unit.jobs:
        outcome = _kept(job, bench, setting)
        if outcome is None:
            return None
        bench.note(outcome)
        outcomes.append(outcome)
    return outcomes


def _kept(job: Job, bench: Bench, setting: Setting) -> Outcome | None:
    receipt = bench.known.get(job.target)
    if not job.is_wanted(bench.present):
        return Outcome(job.target, "skipped", job.sources) if receipt is None else None
    is_kept = (
        receipt is not None
        and looks_untouched(receipt, setting.source, setting.root)
        and knows_what_it_reads(job, bench)
        and receipt.digest == digest_of(job, bench, setting)
    )
    if receipt is None or not is_kept:
        return None
    return Outcome(job.target, "kept", job.sources, receipt, notes=receipt.notes)


def knows_what_it_reads(job: Job, bench: Bench) -> bool:
    """Say whether no file must be read to tell what the job amounts to."""
    if not job.reads:
        return True
    known = {name for receipt in bench.done.values() for name, _ in receipt.sources}
    return {*job.reads} <= known
