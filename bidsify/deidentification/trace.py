"""What was found in a file, and which of it is only the name that a dataset gives its subjects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

#: The kind of what may name a person, as a name looks like any other word.
FREE = "free text"
#: That of all else.
TELLING = "identifying"
_LABEL = re.compile(r"(?:^|[/:])sub-([A-Za-z0-9+]+)[_./]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z_-]*?)[_-]?0*(\d+)\Z")


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    """Something that may tell who a person is: in which file, where in it, and what.

    ``is_fixable`` says whether it can be removed without changing anything else, ``is_torn`` that
    it could be if the file were whole; ``patient`` is the text that stands where the number or
    name of a patient would. ``kind`` says how sure it is: ``identifying`` or ``free text``.
    """

    path: str
    where: str
    what: str
    is_fixable: bool = False
    patient: str = field(default="", compare=False)
    kind: str = field(default=TELLING, compare=False)
    is_torn: bool = field(default=False, compare=False)


def label_of(path: str) -> str:
    """Return the label of the subject that a file is of; empty for none."""
    found = _LABEL.search(path)
    return found[1] if found else ""


def without_schemes(traces: Iterable[Trace]) -> Iterator[Trace]:
    """Leave out the numbers that a dataset gives its subjects, such as ``VS-SEG-001``.

    A text counts as such where it ends in the label of the subject, and stands before the label
    of another one too: a name of a person would not.
    """
    found = list({(trace, trace.patient): trace for trace in traces}.values())
    labels: dict[str, set[str]] = {}
    for trace in found:
        if scheme := _scheme(trace):
            labels.setdefault(scheme, set()).add(label_of(trace.path))
    left = (trace for trace in found if len(labels.get(_scheme(trace), ())) < 2)  # noqa: PLR2004
    yield from dict.fromkeys(left)


def _scheme(trace: Trace) -> str:
    """Return what stands in front of the label of the subject; empty where it is not so."""
    fits = _SCHEME.match(trace.patient)
    label = label_of(trace.path).lstrip("0")
    return fits[1] if fits and label and fits[2].lstrip("0") == label else ""
