"""What the conversion changed, as its record says."""

from __future__ import annotations

from collections.abc import Sequence

from ..survey.values import Made, Survey
from .markup import listed, paragraph, row, table, text
from .section import Section

_MOST = 100


def section(survey: Survey) -> Section:
    """Return what was done to the files of the source, with an example each."""
    return Section("changes", "What the conversion changed", _html(survey.made))


def _html(made: Made | None) -> str:
    if made is None:
        return paragraph(
            "The tree has no record of a conversion (code/bidsify/conversion.json): bidsify did "
            "not make it, so nothing can be said of what its files were made from."
        )
    if made.fault:
        return paragraph(f"The record of the conversion cannot be read: {made.fault}.")
    parts = [
        _source(made),
        table("Files written, by what was done to make them", ("Done", "Files", "From", "To"), (
            row(text(one.transform), str(one.files), _path(one.source), _path(one.target))
            for one in made.changes[:_MOST]
        )),
    ]  # fmt: skip
    if made.notes:
        parts.append(_counted("Remarks on files", ("Remark", "Files", "Example"), made.notes))
    if made.left_out:
        columns = ("Why", "Files", "Example")
        parts.append(
            _counted("Files of the source that were not converted", columns, made.left_out)
        )
    return "".join((*parts, listed(made.remarks)))


def _source(made: Made) -> str:
    buckets = ", ".join(f"{count} {name}" for name, count in made.buckets.items() if count)
    hashed = f"Names and contents of the source files have the SHA-256 {made.source_sha256}."
    return paragraph(
        f"Made by bidsify {made.version} from {made.dataset}, edition {made.edition}.",
        f"Files of the source: {buckets}." if buckets else "",
        hashed if made.source_sha256 else "",
    )


def _counted(caption: str, columns: Sequence[str], rows: Sequence[tuple[str, int, str]]) -> str:
    shown = rows[:_MOST]
    more = f"; {_MOST} of {len(rows)}" if len(rows) > _MOST else ""
    made = (row(text(what), str(count), _path(example)) for what, count, example in shown)
    return table(f"{caption}{more}", columns, made)


def _path(path: str) -> str:
    return f"<code>{text(path)}</code>" if path else ""
