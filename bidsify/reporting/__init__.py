"""A finished validation, told to people and to machines: one way to write each format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from ..validation.issue import Report

Render = Callable[["Report"], Iterator[str] | Iterator[bytes]]


def _render_of(module: str) -> Render:
    """Import a format when it is first used: most runs need one."""

    def render(report: Report) -> Iterator[str] | Iterator[bytes]:
        found: Iterator[str] | Iterator[bytes]
        found = import_module(f".{module}", __name__).render(report)
        return found

    return render


FORMATS: Mapping[str, Render] = MappingProxyType(
    {
        "text": _render_of("text"),
        "json": _render_of("json_report"),
        "sarif": _render_of("sarif"),
        "junit": _render_of("junit"),
        "github": _render_of("github"),
    }
)
#: These name files as the repository does, in which the dataset may lie in a folder.
_OF_THE_REPOSITORY = ("sarif", "github")


def write(
    report: Report,
    form: str,
    target: Path | BinaryIO,
    *,
    color: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Write a report into a file or a binary stream; ``form`` is a key of ``FORMATS``.

    In a GitHub job, ``github`` also adds to the summary page of the step.
    """
    if form in _OF_THE_REPOSITORY:
        report = replace(report, root=_in_repository(report.root, environment))
    if isinstance(target, Path):
        with target.open("wb") as stream:
            _write(report, form, stream, color=color)
    else:
        _write(report, form, target, color=color)
    if form == "github" and environment.get("GITHUB_STEP_SUMMARY"):
        from . import github  # noqa: PLC0415

        with Path(environment["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as page:
            page.writelines(github.summarize(report))


def _write(report: Report, form: str, stream: BinaryIO, *, color: bool) -> None:
    if color and form == "text":
        from . import text  # noqa: PLC0415

        chunks: Iterator[str] | Iterator[bytes] = text.render(report, color=True)
    else:
        chunks = FORMATS[form](report)
    stream.writelines(c.encode("utf-8", "replace") if isinstance(c, str) else c for c in chunks)


def _in_repository(root: str, environment: Mapping[str, str]) -> str:
    """Return the root relative to the checkout; without one, as the user wrote it."""
    workspace = environment.get("GITHUB_WORKSPACE")
    if not workspace:
        return root
    absolute = os.path.realpath(root)
    inside = os.path.relpath(absolute, os.path.realpath(workspace))
    return root if inside.startswith("..") else inside
