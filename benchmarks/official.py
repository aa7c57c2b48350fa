"""Runs the official validator on datasets and keeps what it said on disk.

It is slow to start, and what it says of a dataset does not change: a verdict is kept as
`CACHE/NAME.json` (its own JSON, with a key for the contents and options that it was made with)
and used again while the key fits. A crash is not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

NAME = "bids-validator-deno"


@dataclass(frozen=True, slots=True)
class Official:
    """The official validator with its options."""

    schema: Path
    max_rows: int = -1
    ignore_headers: bool = False
    config: Path | None = None

    def command(self, dataset: Path, out: Path) -> list[str]:
        """Return the command line for one dataset."""
        command = [executable(), str(dataset), "--format", "json", "-o", str(out)]
        command.append(f"--max-rows={self.max_rows}")
        command.extend(["--ignoreNiftiHeaders"] if self.ignore_headers else [])
        return [*command, "--config", str(self.config.resolve())] if self.config else command

    def run(self, dataset: Path) -> dict[str, Any]:
        """Validate one dataset; a crash gives a verdict without issues, with `crash`."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.json"
            command = self.command(dataset.resolve(), out)
            done = subprocess.run(
                command, env=self.env(), cwd=folder, capture_output=True, check=False
            )
            text = out.read_text("utf-8") if out.exists() else ""
        verdict: dict[str, Any] = {"exit": done.returncode}
        try:
            verdict.update(json.loads(text))
        except ValueError:
            said = (done.stderr or done.stdout).decode("utf-8", "replace")[-2000:]
            verdict.update({"crash": said or "no output", "issues": {"issues": []}})
        return verdict

    def env(self) -> dict[str, str]:
        """Return the environment that names the schema."""
        return {**os.environ, "BIDS_SCHEMA": self.schema.resolve().as_uri(), "NO_COLOR": "1"}

    def key(self, dataset: Path) -> str:
        """Return a digest of everything that the verdict hangs on."""
        digest = hashlib.sha256(self.schema.read_bytes())
        config = self.config.read_bytes() if self.config else b""
        digest.update(repr((self.max_rows, self.ignore_headers, config)).encode())
        for path in sorted(dataset.rglob("*")):
            digest.update(repr(path.relative_to(dataset).as_posix()).encode())
            if path.is_symlink():
                digest.update(str(path.readlink()).encode())
            elif path.is_file():
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


def executable() -> str:
    """Return the official validator: of this Python, else of the PATH."""
    beside = Path(sys.executable).with_name(NAME)
    return str(beside) if beside.exists() else NAME


def bundled_schema() -> Path:
    """Return the schema that bidsschematools brings."""
    return Path(str(files("bidsschematools") / "data" / "schema.json"))


def verdicts(
    official: Official, datasets: dict[str, Path], cache: Path | None, jobs: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and verdict of every dataset, in order."""
    with ThreadPoolExecutor(jobs) as pool:
        tasks = {
            name: pool.submit(_cached, official, path, cache / f"{name}.json" if cache else None)
            for name, path in datasets.items()
        }
        for name, task in tasks.items():
            yield name, task.result()


def _cached(official: Official, dataset: Path, kept: Path | None) -> dict[str, Any]:
    key = official.key(dataset)
    if kept and kept.exists():
        verdict: dict[str, Any] = json.loads(kept.read_bytes())
        if verdict.get("key") == key:
            return verdict
    start = time.perf_counter()
    verdict = {"key": key, **official.run(dataset)}
    verdict["seconds"] = round(time.perf_counter() - start, 3)
    if kept and "crash" not in verdict:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(verdict, ensure_ascii=False), "utf-8")
        part.replace(kept)
    return verdict
