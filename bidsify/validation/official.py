"""The official validator on the same tree, where it is installed, and where the two differ.

It gets the schema that we use and what we were told to leave out, and no limit on rows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import orjson

from ..errors import UsageError
from ..printable import counted, printable
from . import codes
from .issue import SEVERITIES, Issue, Severity

NAME = "bids-validator-deno"
_COMPARED: tuple[Severity, ...] = ("error", "warning")
_SHOWN = 3
_HOUR = 3600.0

Said = tuple[Severity, str, str]  # severity, code, path


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each of two validators says of a tree, and the other does not."""

    only_ours: tuple[Said, ...]
    only_theirs: tuple[Said, ...]
    both: int

    @property
    def agrees(self) -> bool:
        """Say whether there is no difference."""
        return not self.only_ours and not self.only_theirs


def validate_officially(
    root: Path,
    schema: Mapping[str, Any],
    *,
    nifti_headers: bool = True,
    recursive: bool = False,
    timeout: float = _HOUR,
) -> tuple[Issue, ...]:
    """Run the official validator; it needs seconds where we need tenths.

    Args:
        root: The dataset.
        schema: The schema document that we use.
        nifti_headers: Whether headers of images are read.
        recursive: Whether derivatives are validated too; their paths start as ours do.
        timeout: Seconds after which it is stopped.

    Raises:
        UsageError: It is not installed, or ends without a verdict.
    """
    program = _program()
    with TemporaryDirectory() as folder:
        document, verdict = Path(folder) / "schema.json", Path(folder) / "verdict.json"
        document.write_bytes(orjson.dumps(schema))
        command = [program, str(root.resolve()), "--format", "json", "--max-rows=-1"]
        command += [] if nifti_headers else ["--ignoreNiftiHeaders"]
        command += ["--recursive"] if recursive else []
        try:
            done = subprocess.run(  # noqa: S603  no shell
                [*command, "--outfile", str(verdict)],
                env={**os.environ, "BIDS_SCHEMA": document.as_uri(), "NO_COLOR": "1"},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            msg = f"{root}: {NAME} has not ended after {timeout:g} s, and was stopped"
            raise UsageError(msg) from error
        except OSError as error:
            msg = f"{program}: cannot be run: {error.strerror}"
            raise UsageError(msg) from error
        text = verdict.read_bytes() if verdict.exists() else b""
    try:
        return tuple(_issues(orjson.loads(text), ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = _first_line(done.stderr) or _first_line(done.stdout)
        ending = f"exit code {done.returncode}"
        msg = f"{root}: {NAME} gave no verdict: {said or 'it said nothing'} ({ending})"
        raise UsageError(msg) from error


def compare(ours: Iterable[Issue], theirs: Iterable[Issue]) -> Comparison:
    """Compare severity, code and path of errors and warnings; our own checks do not count."""
    mine, official = set(_said(ours)), set(_said(theirs))
    return Comparison(
        tuple(sorted(mine - official)), tuple(sorted(official - mine)), len(mine & official)
    )


def render(comparison: Comparison, *, shown: int = _SHOWN) -> Iterator[str]:
    """Yield what differs, by code, for people; the last line is the verdict."""
    yield from _side("bidsify", comparison.only_ours, shown)
    yield from _side(NAME, comparison.only_theirs, shown)
    yield _verdict(comparison) + "\n"


def _program() -> str:
    """Find the validator: of this Python, else of the PATH."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(NAME, path=beside) or shutil.which(NAME)
    if found is None:
        msg = f"{NAME} is not installed; get it with: pip install {NAME}"
        raise UsageError(msg)
    return found


def _issues(document: Any, where: str) -> Iterator[Issue]:
    """Yield the issues of one dataset, then those of the datasets in it."""
    for one in document["issues"]["issues"]:
        if one["severity"] in SEVERITIES:  # "ignore" is none
            yield Issue(
                code=one["code"],
                severity=cast("Severity", one["severity"]),
                path=where + one.get("location", "").lstrip("/"),
                where=one.get("subCode") or "",
                message=one.get("issueMessage") or "",
                rule=one.get("rule") or "",
            )
    for name, each in sorted((document.get("derivativesSummary") or {}).items()):
        yield from _issues(each, f"{where}{name.strip('/')}/")


def _first_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in lines if line.strip()), "")


def _said(issues: Iterable[Issue]) -> Iterator[Said]:
    for issue in issues:
        if issue.severity in _COMPARED and issue.code not in codes.OWN:
            yield issue.severity, issue.code, issue.path


def _side(name: str, only: tuple[Said, ...], shown: int) -> Iterator[str]:
    if not only:
        return
    yield f"only {name} reports\n"
    groups: dict[tuple[Severity, str], list[str]] = {}
    for severity, code, path in only:
        groups.setdefault((severity, code), []).append(path)
    for (severity, code), paths in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        yield f"  {severity} {printable(code)}  {counted(len(paths), 'file')}\n"
        yield from (f"    {printable(path) or '(dataset)'}\n" for path in paths[:shown])
        if len(paths) > shown:
            yield f"    ... and {len(paths) - shown} more\n"


def _verdict(comparison: Comparison) -> str:
    both = counted(comparison.both, "pair")
    if comparison.agrees:
        return f"bidsify and {NAME} agree: {both} of code and file, the same on both sides"
    ours, theirs = len(comparison.only_ours), len(comparison.only_theirs)
    return (
        f"bidsify and {NAME} differ: of pairs of code and file, {ours} only from bidsify, "
        f"{theirs} only from {NAME}, {comparison.both} from both"
    )
