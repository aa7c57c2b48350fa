"""Tables of what was timed: for a terminal, or in Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from timing import Times

COPYING = "loop that copies images unread"
HEAD = ("", "s", "median", "MB/s", "CPU s")
_JOBS = re.compile(r" -j (\d+)$")


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a dataset is: a sentence, files, megabytes."""

    what: str
    files: int
    megabytes: float

    @classmethod
    def of(cls, source: Path, what: str) -> Sizes:
        """Measure a folder."""
        sizes = [path.stat().st_size for path in source.rglob("*") if path.is_file()]
        return cls(what, len(sizes), sum(sizes) / 1e6)

    def text(self) -> str:
        """Say it."""
        return f"{self.what}; {self.files} files, {self.megabytes:.0f} MB"


def converted(times: Mapping[str, Times], sizes: Sizes, *, markdown: bool) -> str:
    """Compare converters, each with the peers that had as many processes."""
    shares = ("% floor", "% floor + read back", "x loop", "x loop -j 1", "x copying loop", "/ cp")
    rows: list[tuple[str, ...]] = [(*HEAD, *shares)]
    for label, found in times.items():
        peers = [
            times.get(f"{peer} -j {_jobs(label)}")
            for peer in ("floor", "floor + read back", "nibabel loop", COPYING)
        ]
        shares_of = [peer.weight / found.weight if peer else None for peer in peers]
        floor, again, loop, copying = shares_of
        alone, copy = times.get("nibabel loop -j 1"), times.get("cp -R")
        rows.append(
            (
                *_start(label, found, sizes),
                *("" if share is None else f"{100 * share:.0f}" for share in (floor, again)),
                "" if loop is None else f"{loop:.1f}",
                f"{alone.weight / found.weight:.1f}" if alone else "",
                "" if copying is None else f"{copying:.1f}",
                f"{found.weight / copy.weight:.1f}" if copy else "",
            )
        )
    return "\n".join((table(rows, markdown=markdown), *_gains(times)))


def plain(times: Mapping[str, Times], sizes: Sizes, *, markdown: bool) -> str:
    """Compare all with the first that had as many processes."""
    rows: list[tuple[str, ...]] = [(*HEAD, "% of the first")]
    first = {_jobs(label): found for label, found in reversed(times.items())}
    for label, found in times.items():
        share = 100 * first[_jobs(label)].weight / found.weight
        rows.append((*_start(label, found, sizes), f"{share:.0f}"))
    return table(rows, markdown=markdown)


def _start(label: str, found: Times, sizes: Sizes) -> tuple[str, ...]:
    speed = sizes.megabytes / found.best
    return label, f"{found.best:.2f}", f"{found.middle:.2f}", f"{speed:.0f}", f"{found.cpu:.2f}"


def _gains(times: Mapping[str, Times]) -> list[str]:
    """Say how much more processes gain."""
    said = []
    for label, found in times.items():
        alone = times.get(_JOBS.sub(" -j 1", label))
        if alone and alone is not found:
            said.append(f"{label}: {alone.best / found.best:.2f} times -j 1")
    return ["", "; ".join(said)] if said else []


def _jobs(label: str) -> str:
    found = _JOBS.search(label)
    return found[1] if found else "1"


def table(rows: Sequence[tuple[str, ...]], *, markdown: bool) -> str:
    """Lay out rows, the first of which is the head."""
    if markdown:
        rule = "|---|" + "---:|" * (len(rows[0]) - 1)
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join((lines[0], rule, *lines[1:]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
