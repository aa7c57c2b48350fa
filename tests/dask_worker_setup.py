"""What the workers of the tests of Dask load: files in a folder have them die, wait or differ.

``die-once`` holds part of a target: the worker that writes such a file dies, once. ``die-always``
does so each time; while ``hold`` is there, who writes such a file waits. ``version`` is what the
workers claim to have.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

TRAPS = "TRAPS"  # the variable that names the folder


def dask_setup(worker: object) -> None:
    """Set the traps; Dask calls it."""
    del worker
    from bidsify.engine import cluster_worker, work

    folder, write = Path(os.environ[TRAPS]), work.write_file
    software = cluster_worker._software

    def write_file(root: Path, target: str, *rest: Any, **options: Any) -> Any:
        written = write(root, target, *rest, **options)
        while _is_for(folder / "hold", target):
            time.sleep(0.02)
        if _is_for(folder / "die-always", target):
            os.kill(os.getpid(), signal.SIGKILL)
        if _is_for(folder / "die-once", target):
            (folder / "die-once").rename(folder / "died")
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    def claimed() -> dict[str, str]:
        version = _text(folder / "version")
        return {**software(), **({"bidsify": version} if version else {})}

    work.write_file = write_file  # type: ignore[assignment]
    cluster_worker._software = claimed


def _is_for(trap: Path, target: str) -> bool:
    text = _text(trap)
    return bool(text) and text in target


def _text(trap: Path) -> str:
    return trap.read_text() if trap.exists() else ""
