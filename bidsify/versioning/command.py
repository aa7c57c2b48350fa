"""The command that made a tree, as it is recorded: run in the tree, and naming no machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FAR = 3  # folders that a path goes up at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What decides which bytes a conversion writes; the number of processes does not."""

    source: Path
    out: Path
    dataset: str | None = None
    label_table: Path | None = None
    participants: tuple[str, ...] = ()
    on_existing: str = "resume"
    reproducible: bool = False
    prove: bool = True
    max_failures: int | None = None

    def words(self) -> list[str]:
        """Return the command line; paths are relative to the tree, which is ``.``."""
        return ["bidsify", "convert", self._seen(self.source), ".", *self._options()]

    def _options(self) -> Iterator[str]:
        if self.dataset is not None:
            is_file = Path(self.dataset).suffix == ".py"
            yield from ("--dataset", self._seen(self.dataset) if is_file else self.dataset)
        if self.label_table is not None:
            yield from ("--label-table", self._seen(self.label_table))
        for label in self.participants:
            yield from ("--participant-label", label)
        if self.on_existing != "resume":
            yield from ("--on-existing", self.on_existing)
        if self.max_failures is not None:
            yield from ("--max-failures", str(self.max_failures))
        yield from ["--reproducible"] * self.reproducible
        yield from ["--no-verify"] * (not self.prove)

    def _seen(self, path: str | Path) -> str:
        """Return a path as seen from the tree.

        One far away would tell how this machine is laid out, and who works there: it is named
        as if it lay beside the tree.
        """
        real, out = Path(path).resolve(), self.out.resolve()
        seen = Path(os.path.relpath(real, out))
        above = seen.parts.count("..")
        users = {Path.home().name, os.environ.get("USER"), os.environ.get("LOGNAME")}
        is_near = above <= _FAR and above < len(out.parts) - 1
        is_near &= users.isdisjoint(seen.parts)
        return seen.as_posix() if is_near else f"../{real.name}"
