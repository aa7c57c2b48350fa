"""The first thing to read: a verdict in one line, and the facts behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..printable import counted, some
from ..survey.scores import NOTABLE
from ..survey.values import Survey
from .findings import numbers
from .grids import alone
from .markup import listed, text
from .matrix import Matrix, contrasts_of
from .remarks import is_unreadable, strays
from .section import Section

_KINDS = 200  # sets of contrasts that are compared, the most frequent ones
_BADGES = {
    "allowed": ("good", "may be passed on"),
    "noncommercial": ("good", "may be passed on, not commercially"),
    "forbidden": ("bad", "must not be passed on"),
    "unknown": ("bad", "terms unknown: do not pass on"),
}


def title(survey: Survey) -> str:
    """Return what the dataset is called."""
    return survey.about.name or "A dataset without a name"


def section(survey: Survey) -> Section:
    """Return the verdict, and what is wrong, missing or notable."""
    wrong, lacking, notable = (list(each(survey)) for each in (_wrong, _lacking, _notable))
    kind, word = ("watch", "Incomplete") if lacking else ("good", "Sound")
    kind, word = ("bad", "Not sound") if wrong else (kind, word)
    people = survey.people
    expected = f" of {people.expected} in the publication" if people.expected else ""
    version = survey.made.version if survey.made else ""
    told = [
        f"{counted(len(people.subjects), 'subject')}{expected}",
        numbers(survey) if not survey.validity.fault else "not validated",
        f"converted by bidsify {version}" if version else "not made by bidsify",
    ]
    badge, terms = _BADGES[survey.terms.redistribution]
    html = (
        f'<p class="verdict"><strong class="{kind}">{word}:</strong> {text("; ".join(told))}. '
        f'<span class="badge {badge}">{text(terms)}</span></p>\n'
        f"{listed([*wrong, *lacking, *notable], 40)}{_people(survey)}"
    )
    return Section("overview", "Overview", html)


def _wrong(survey: Survey) -> Iterator[str]:
    if survey.validity.fault:
        yield f"The tree could not be validated: {survey.validity.fault}"
    if errors := survey.validity.counts.get("error", 0):
        yield f"Validation found {counted(errors, 'error')}."
    yield from survey.about.faults
    if survey.faults:
        yield f"{counted(len(survey.faults), 'file')} cannot be read."
    lost = sum(map(is_unreadable, survey.cases))
    if lost:
        yield f"{counted(lost, 'segmentation')} unreadable: no label is known of."
    broken = sum(bool(facts.fault) for facts in survey.cases) - lost
    if broken:
        yield f"{counted(broken, 'case')} cannot be measured."
    if lonely := _alone(survey, is_stated=False):
        yield f"{counted(lonely, 'segmentation')} without an image on the same grid."
    if not survey.cases:
        yield "There are no images in this tree."


def _alone(survey: Survey, *, is_stated: bool) -> int:
    return sum(survey.cases[n].grid_is_stated is is_stated for n in alone(survey))


def _lacking(survey: Survey) -> Iterator[str]:
    """Say which subjects are not here, and which contrasts are not that most subjects have."""
    people = survey.people
    gone = (people.expected or 0) - len(people.subjects)
    if gone > 0:
        yield (
            f"{counted(gone, 'subject')} of the {people.expected} in the publication "
            f"{'is' if gone == 1 else 'are'} not in this tree."
        )
    if bare := Matrix(survey).without_case:
        yield f"{counted(len(bare), 'subject')} without an image that can be read."
    for contrast, without in _without_contrast(survey).items():
        names = sorted(without)
        yield f"{counted(len(names), 'subject')} without {contrast}: {some(names)}."


def _without_contrast(survey: Survey) -> Mapping[str, set[str]]:
    """Return contrasts, and who lacks them: subjects most peers of which have them.

    Peers are subjects that share a contrast: in a tree of CT and MR, nobody lacks the other one.
    """
    own: dict[str, set[str]] = {}
    for case in (facts.case for facts in survey.cases):
        own.setdefault(case.subject, set()).update(contrasts_of(case))
    kinds: dict[frozenset[str], set[str]] = {}
    for subject, contrasts in own.items():
        kinds.setdefault(frozenset(contrasts), set()).add(subject)
    found: dict[str, set[str]] = {}
    ordered = sorted(kinds, key=lambda kind: (-len(kinds[kind]), sorted(kind)))[:_KINDS]
    for kind in ordered:
        peers = {each: len(kinds[each]) for each in ordered if each & kind}
        for contrast in frozenset[str]().union(*peers) - kind:
            have = sum(count for each, count in peers.items() if contrast in each)
            if 2 * have > sum(peers.values()):
                found.setdefault(contrast, set()).update(kinds[kind])
    return dict(sorted(found.items()))


def _notable(survey: Survey) -> Iterator[str]:
    people = survey.people
    if people.fault:
        yield people.fault
    elif set(people.listed) != set(people.subjects):
        differing = set(people.listed) ^ set(people.subjects)
        yield (
            f"participants.tsv and the folders differ in {counted(len(differing), 'subject')}: "
            f"{', '.join(sorted(differing)[:5])}"
        )
    if warnings := survey.validity.counts.get("warning", 0):
        yield f"Validation found {counted(warnings, 'warning')}."
    cases = survey.cases
    empty = sum(f.case.segmentation is not None and not f.labels and not f.fault for f in cases)
    if empty:
        yield f"{counted(empty, 'segmentation')} without any label."
    if lonely := _alone(survey, is_stated=True):
        yield (
            f"{counted(lonely, 'segmentation')} without an image on the same grid, as "
            f"{'its sidecar states' if lonely == 1 else 'their sidecars state'}."
        )
    if unusual := sum(facts.outlier >= NOTABLE for facts in cases):
        yield f"{counted(unusual, 'case')} with a label of unusual volume."
    if survey.schemes[0].names:
        yield "Some values of segmentations have no label table that can be used."
    odd = {(e.scheme, x.value) for e in cases for x in strays(e, survey.schemes[e.scheme])}
    if odd:
        verb = "occurs" if len(odd) == 1 else "occur"
        yield f"{counted(len(odd), 'value')} {verb} without a row in the label table."
    if survey.made and survey.made.fault:
        yield survey.made.fault


def _people(survey: Survey) -> str:
    columns = survey.people.columns
    told = [
        f"{name}: {', '.join(f'{value} ({count})' for value, count in counts)}"
        for name, counts in columns.items()
    ]
    return f"<h3>Subjects by the columns of participants.tsv</h3>\n{listed(told)}" if told else ""
