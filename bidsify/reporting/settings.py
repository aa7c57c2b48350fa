"""``.bidsify.toml``: what a dataset's authors accept as it is, and why."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from ..errors import UsageError
from ..validation.codes import check_patterns
from ..validation.issue import Report, Severity

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = ".bidsify.toml"
FAILING: tuple[Severity, ...] = ("error", "warning")
_TEXTS = ("code", "path", "reason")


@dataclass(frozen=True, slots=True)
class Exemption:
    """Issues to leave out: those that fit both patterns. An empty one fits all."""

    reason: str
    code: str = ""
    path: str = ""

    def __str__(self) -> str:
        """Return the entry much as the file has it."""
        stated = (("code", self.code), ("path", self.path))
        return ", ".join(f"{key} = {value!r}" for key, value in stated if value)


@dataclass(frozen=True, slots=True)
class Settings:
    """The file. Options of the command line go before ``fail_on``."""

    exemptions: tuple[Exemption, ...] = ()
    fail_on: Severity | None = None


def read_settings(root: Path, schema: Mapping[str, Any] | None = None) -> Settings:
    """Read the file of a tree; without one, nothing is left out.

    ``schema`` is a BIDS schema other than the installed one, which may declare codes of its own.

    Raises:
        UsageError: The file says what we do not understand, or gives no reason.
    """
    path = root / NAME
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise UsageError(msg) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: not TOML: {error}"
        raise UsageError(msg) from error
    settings = _settings(document, str(path))
    try:
        check_patterns((one.code for one in settings.exemptions if one.code), schema)
    except UsageError as error:
        msg = f"{path}: [[validate.ignore]]: {error}"
        raise UsageError(msg) from error
    return settings


def apply(settings: Settings, report: Report) -> tuple[Report, tuple[str, ...]]:
    """Leave out what is accepted; the texts name entries that fit nothing (any more)."""
    used: set[int] = set()
    kept = []
    candidates: dict[str, list[tuple[int, Any]]] = {}
    for path, finding in report.findings:
        fitting = candidates.get(finding.code)
        if fitting is None:
            fitting = candidates[finding.code] = _fitting(settings, finding.code)
        hits = {number for number, spec in fitting if spec is None or spec.match_file(path)}
        used |= hits
        if not hits:
            kept.append((path, finding))
    stale = tuple(
        f"{NAME}: entry {number} ({one}) fits no issue; remove it"
        for number, one in enumerate(settings.exemptions, 1)
        if number not in used
    )
    return replace(report, findings=tuple(kept)), stale


def _fitting(settings: Settings, code: str) -> list[tuple[int, Any]]:
    """Return the entries for a code. Paths are patterns as in ``.bidsignore``."""
    import pathspec  # noqa: PLC0415  only datasets with exceptions need it

    return [
        (number, pathspec.GitIgnoreSpec.from_lines([one.path]) if one.path else None)
        for number, one in enumerate(settings.exemptions, 1)
        if not one.code or fnmatchcase(code, one.code)
    ]


def _settings(document: Mapping[str, Any], name: str) -> Settings:
    _refuse_unknown(document, ("validate",), name)
    section = document.get("validate", {})
    if not isinstance(section, dict):
        msg = f"{name}: 'validate' is not a table; write [validate]"
        raise UsageError(msg)
    _refuse_unknown(section, ("fail_on", "ignore"), f"{name}: [validate]")
    fail_on = section.get("fail_on")
    if fail_on not in (None, *FAILING):
        msg = f"{name}: fail_on = {fail_on!r}; one of {', '.join(FAILING)}"
        raise UsageError(msg)
    entries = section.get("ignore", [])
    if not isinstance(entries, list):
        msg = f"{name}: 'ignore' is not a list; write [[validate.ignore]]"
        raise UsageError(msg)
    exemptions = tuple(
        _exemption(entry, f"{name}: [[validate.ignore]] entry {number}")
        for number, entry in enumerate(entries, 1)
    )
    return Settings(exemptions, cast("Severity | None", fail_on))


def _exemption(entry: Any, where: str) -> Exemption:
    if not isinstance(entry, dict):
        msg = f"{where}: not a table"
        raise UsageError(msg)
    _refuse_unknown(entry, _TEXTS, where)
    for key, value in entry.items():
        if not isinstance(value, str) or not value.strip():
            msg = f"{where}: {key} = {value!r} is not a text"
            raise UsageError(msg)
    if "reason" not in entry:
        msg = f"{where}: no reason; say why these issues are accepted"
        raise UsageError(msg)
    if not entry.keys() & {"code", "path"}:
        msg = f"{where}: neither code nor path; it would leave out everything"
        raise UsageError(msg)
    return Exemption(**entry)


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            msg = f"{where}: unknown key {key!r}; known are: {', '.join(known)}"
            raise UsageError(msg)
