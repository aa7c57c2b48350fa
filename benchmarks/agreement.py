"""Where `bidsify validate` and the official validator say different things of the same datasets.

Both use the same schema. For each dataset in a folder (or in `FOLDER/ID/ds`, as mutants.py makes
them) the sets of (code, path) are compared, for errors and for warnings; then a table by code.
Differences that `known_differences.tsv` explains are counted apart; any other one gives exit 1.

    python benchmarks/agreement.py bids-examples --ignore-nifti-headers --cache verdicts
    python benchmarks/agreement.py mutants --cache verdicts-mutants [--where] [--only GLOB]
    python benchmarks/agreement.py mutants --cache verdicts-mutants --official-only
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

from official import Official, bundled_schema, verdicts

SEVERITIES = ("error", "warning")
KNOWN = Path(__file__).with_name("known_differences.tsv")
# We tell the line too, where the official tells only the key or the column.
LINE = re.compile(r"(^|, )line \d+$")
# severity, code, path, and the place inside the file (empty unless asked for)
Said = tuple[str, str, str, str]


@dataclass(slots=True)
class Tally:
    """What was found so far."""

    explained: list[tuple[str, str, str]]
    datasets: int = 0
    agree: Counter[str] = field(default_factory=Counter)
    both: Counter[tuple[str, str]] = field(default_factory=Counter)
    official: Counter[tuple[str, str]] = field(default_factory=Counter)
    ours: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: Counter[tuple[str, str]] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    official_crashes: list[str] = field(default_factory=list)


def main() -> None:
    """Compare, print, and fail where there is an unexplained difference."""
    options = arguments().parse_args()
    official = Official(
        options.schema or bundled_schema(),
        options.max_rows,
        options.ignore_nifti_headers,
        options.config,
    )
    datasets = find(options.folder, options.only)
    if options.cached:
        kept = {path.stem for path in options.cache.glob("*.json")}
        datasets = {name: path for name, path in datasets.items() if name in kept}
    if not datasets:
        sys.exit(f"{options.folder}: no dataset_description.json in its folders")
    found = verdicts(official, datasets, options.cache, options.jobs)
    if options.official_only:
        crashed = [name for name, verdict in found if "crash" in verdict]
        print(f"{len(datasets)} datasets, {len(crashed)} crashes of the official: {crashed}")
        return
    tally, ask = Tally(read_known(options.known)), asker(options)
    for name, verdict in found:
        compare(tally, name, verdict, ask(datasets[name]), options)
    summary(tally)
    sys.exit(1 if tally.official or tally.ours or tally.crashes else 0)


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, help="a folder of datasets, or of ID/ds")
    add("--max-rows", type=int, default=-1, help="rows of TSV files that the official reads")
    add("--schema", type=Path, help="a schema.json; default: that of bidsschematools")
    add("--ignore-nifti-headers", action="store_true", help="for the examples, which are empty")
    add("--config", type=Path, help="a configuration for the official, as default-config.json")
    add("--cache", type=Path, help="folder that keeps the verdicts of the official")
    add("--jobs", type=int, default=2, help="official validators at the same time")
    add("--only", default="*", help="only datasets whose name fits this pattern")
    add("--where", action="store_true", help="compare the key or column too")
    add("--known", type=Path, default=KNOWN, help="differences that are explained")
    add("--all-codes", action="store_true", help="compare codes of our own checks too")
    add("--official-only", action="store_true", help="fill the cache and stop")
    add("--cached", action="store_true", help="only datasets whose verdict is in the cache")
    add("--quiet", action="store_true", help="only the table")
    add(
        "--command",
        help="what to run instead of bidsify in this process; the dataset is put at {}, as in "
        "'python -m bidsify validate {} --format json'",
    )
    return parser


def find(folder: Path, only: str) -> dict[str, Path]:
    """Return the datasets of a folder by name."""
    found = {}
    for path in sorted(folder.iterdir()):
        inner = path / "ds"
        is_mutant = (path / "mutation.json").exists()
        root = inner if is_mutant else path
        is_dataset = is_mutant or (root / "dataset_description.json").exists()
        if is_dataset and fnmatchcase(path.name, only):
            found[path.name] = root
    return found


def asker(options: argparse.Namespace) -> Callable[[Path], Iterable[dict[str, str]] | str]:
    """Return what asks our side for the issues of a dataset; a text is a crash."""
    if options.command:
        return lambda root: _run(shlex.split(options.command), root)
    import bidsify

    validate = getattr(bidsify, "validate", None)
    if validate is None:
        command = [sys.executable, "-m", "bidsify", "validate", "{}", "--format", "json"]
        return lambda root: _run(command, root)
    extra: dict[str, Any] = {"schema": options.schema} if options.schema else {}
    extra |= {"ignore_nifti_headers": True} if options.ignore_nifti_headers else {}
    return lambda root: _call(validate, root, extra)


def _run(command: list[str], root: Path) -> Iterable[dict[str, str]] | str:
    done = subprocess.run(
        [part.replace("{}", str(root)) for part in command], capture_output=True, check=False
    )
    try:
        return list(map(plain, json.loads(done.stdout)["issues"]))
    except (ValueError, KeyError):
        return done.stderr.decode("utf-8", "replace")[-2000:] or f"exit {done.returncode}, no JSON"


def _call(validate: Callable[..., Any], root: Path, extra: dict[str, Any]) -> Any:
    try:
        report = validate(root, **extra)
        issues = getattr(report, "issues", report)
        return list(map(plain, issues() if callable(issues) else issues))
    except ImportError:  # bidsify itself is broken, and so is every dataset
        raise
    except Exception as error:  # noqa: BLE001  a crash on one dataset is a result
        return f"{type(error).__name__}: {error}"


def plain(issue: Any) -> dict[str, str]:
    """Return an issue, whatever its type, as a dictionary."""
    keys = ("code", "severity", "path", "where")
    get = issue.get if isinstance(issue, dict) else lambda key, other: getattr(issue, key, other)
    return {key: get(key, "") or "" for key in keys}


def compare(
    tally: Tally,
    name: str,
    verdict: dict[str, Any],
    issues: Iterable[dict[str, str]] | str,
    options: argparse.Namespace,
) -> None:
    """Put one dataset into the tally and print what differs."""
    tally.datasets += 1
    if isinstance(issues, str) or "crash" in verdict:
        who, said = (
            ("bidsify", issues) if isinstance(issues, str) else ("official", verdict["crash"])
        )
        (tally.crashes if who == "bidsify" else tally.official_crashes).append(name)
        print(f"{name}: crash of {who}: {str(said).strip()[-300:]}")
        return
    theirs = set(_official_said(verdict, where=options.where))
    ours = set(_our_said(issues, where=options.where, foreign=not options.all_codes))
    lines = []
    for mark, side, only in (("-", "official", theirs - ours), ("+", "bidsify", ours - theirs)):
        for one in sorted(only):
            is_known = explained(tally.explained, side, one, name)
            kind = tally.known if is_known else tally.official if side == "official" else tally.ours
            kind[one[:2]] += 1
            lines += [] if is_known else [(one[0], f"  {mark} {' '.join(one)}".rstrip())]
    tally.both.update(one[:2] for one in theirs & ours)
    for severity in SEVERITIES:
        tally.agree[severity] += all(one != severity for one, _ in lines)
    tally.agree["both"] += not lines
    if lines and not options.quiet:
        print(f"{name}", *(line for _, line in lines), sep="\n")


def _official_said(verdict: dict[str, Any], *, where: bool) -> Iterator[Said]:
    for one in verdict["issues"]["issues"]:
        if one["severity"] in SEVERITIES:
            path = one.get("location", "").removeprefix("/")
            yield one["severity"], one["code"], path, one.get("subCode") or "" if where else ""


def _our_said(issues: Iterable[dict[str, str]], *, where: bool, foreign: bool) -> Iterator[Said]:
    """Yield ours, without the codes that the official does not have."""
    codes = official_codes() if foreign else frozenset()
    for one in issues:
        if one["severity"] in SEVERITIES and (not codes or one["code"] in codes):
            place = LINE.sub("", one["where"]) if where else ""
            yield one["severity"], one["code"], one["path"].removeprefix("/"), place


def official_codes() -> frozenset[str]:
    """Return the codes of the official validator, as far as bidsify knows; empty for all."""
    try:
        from bidsify.validation import codes
    except ImportError:
        return frozenset()
    return frozenset(codes.official_codes())


def read_known(path: Path) -> list[tuple[str, str, str]]:
    """Return code, side and dataset pattern of every explained difference."""
    if not path.exists():
        return []
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines()[1:] if line)
    return [(code, side, dataset) for code, side, dataset, _reason in rows]


def explained(known: list[tuple[str, str, str]], side: str, one: Said, name: str) -> bool:
    """Return whether a difference is a known one."""
    return any(
        one[1] == code and side == where and fnmatchcase(name, dataset)
        for code, where, dataset in known
    )


def summary(tally: Tally) -> None:
    """Print the table by code and the counts of datasets."""
    counters = (tally.official, tally.ours, tally.both, tally.known)
    rows = sorted({key for counter in counters for key in counter})
    print(f"\n{'':8} {'code':48}{'only official':>14}{'only bidsify':>14}{'both':>9}{'known':>7}")
    for row in rows:
        counts = [counter[row] for counter in counters]
        print(f"{row[0]:8} {row[1]:48}{counts[0]:14}{counts[1]:14}{counts[2]:9}{counts[3]:7}")
    crashes = f"{len(tally.crashes)} of bidsify, {len(tally.official_crashes)} of the official"
    print(f"\n{tally.datasets} datasets; crashes, not compared: {crashes}")
    for severity in (*SEVERITIES, "both"):
        print(f"agree on {severity:8} {tally.agree[severity]}")


if __name__ == "__main__":
    main()
