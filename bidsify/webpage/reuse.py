"""What to write, what to cite and what is allowed: texts to be copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median

from ..printable import counted
from ..survey.values import Survey
from .findings import numbers
from .grids import alone, kinds
from .markup import listed, number, paragraph, text
from .matrix import contrasts_of
from .section import Section

_NAMED, _SCHEMES = 30, 8  # authors and labels, and label tables, before the others are counted
_ALLOWED = {
    "allowed": "The data may be passed on.",
    "noncommercial": "The data may be passed on, not for commercial use.",
    "forbidden": "The data must not be passed on.",
    "unknown": "Whether the data may be passed on is not known, which counts as no.",
}


def methods(survey: Survey) -> Section:
    """Return a paragraph for a paper."""
    told = paragraph("To be copied, and shortened:")
    quoted = paragraph(*_sentences(survey))
    return Section("methods", "Methods", f"{told}<blockquote>{quoted}</blockquote>\n")


def citations(survey: Survey) -> Section:
    """Return what the tree asks to cite."""
    about = survey.about
    parts = [paragraph(each) for each in about.citations[:_NAMED]]
    if not about.citations:
        parts = [paragraph("The tree does not say what to cite; ask those who published it.")]
    if about.authors:
        more = f" and {len(about.authors) - _NAMED} more" if len(about.authors) > _NAMED else ""
        parts.append(paragraph(f"Authors: {', '.join(about.authors[:_NAMED])}{more}."))
    if about.sources:
        parts += [paragraph("Source datasets:"), listed(about.sources)]
    return Section("citations", "Citations", "".join(parts))


def terms(survey: Survey) -> Section:
    """Return the licence, and what is known of it."""
    found = survey.terms
    rows = (
        ("Licence of the tree", found.stated or "not stated"),
        ("Licence that counts", found.known),
        ("What it says", found.summary),
        ("Known from", found.evidence),
        ("Passing on", _ALLOWED[found.redistribution]),
    )
    pairs = "".join(f"<dt>{text(a)}</dt><dd>{paragraph(b)}</dd>\n" for a, b in rows if b)
    return Section("terms", "Terms", f"<dl>\n{pairs}</dl>\n")


def _sentences(survey: Survey) -> Iterator[str]:
    about, made = survey.about, survey.made
    name = about.name or "The dataset"
    version = f" {about.bids_version}" if about.bids_version else ""
    if made is not None and not made.fault:
        yield (
            f"{name} was made from the dataset {made.dataset} (edition {made.edition}) with "
            f"bidsify {made.version} as a derivative in the Brain Imaging Data Structure "
            f"(BIDS{version})."
        )
    else:
        yield f"{name} is a dataset in the Brain Imaging Data Structure (BIDS{version})."
    cases = survey.cases
    segmented = [facts for facts in cases if facts.case.segmentation]
    yield (
        f"It holds {counted(len(survey.people.subjects), 'subject')} and "
        f"{counted(len(segmented), 'segmentation')}."
    )
    # An image beside two segmentations is one image.
    images = {pair for facts in cases for pair in contrasts_of(facts.case).items()}
    contrasts = Counter(name for name, _ in sorted(images))
    if contrasts:
        told = ", ".join(f"{name} (n = {count})" for name, count in contrasts.most_common(12))
        yield f"Images: {told}."
    yield from _labels(survey)
    yield from _grids(survey)
    if not survey.validity.fault:
        yield (
            f"Validation of names, texts and headers against BIDS {survey.validity.bids_version} "
            f"found {numbers(survey)}."
        )


def _labels(survey: Survey) -> Iterator[str]:
    named = [
        (scheme, [each for each in scheme.names.values() if each]) for scheme in survey.schemes
    ]
    named = [(scheme, names) for scheme, names in named if names]
    for scheme, names in named[:_SCHEMES]:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        table = scheme.tables[0] if scheme.tables else "no table"
        yield f"Labels of {table}: {', '.join(names[:_NAMED])}{more}."
    if len(named) > _SCHEMES:
        yield f"There are {len(named) - _SCHEMES} more label tables."


def _grids(survey: Survey) -> Iterator[str]:
    cases = [facts for facts in survey.cases if facts.spacing]
    if not cases:
        return
    edges = zip(*(sorted(facts.spacing) for facts in cases), strict=True)
    unit = (
        "mm" if all(facts.in_mm for facts in cases) else "in units that some headers do not state"
    )
    sizes = " x ".join(number(median(each)) for each in edges)
    yield (
        f"Grids of {kinds(cases)} (n = {len(cases)}): the median voxel, by its sorted edges, "
        f"measures {sizes} {unit}."
    )
    orientations = Counter(facts.orientation for facts in cases).most_common(4)
    yield f"Orientations: {', '.join(f'{name} (n = {count})' for name, count in orientations)}."
    segmented = sum(facts.case.segmentation is not None for facts in cases)
    if segmented:
        yield (
            f"{segmented - len(alone(survey))} of {segmented} segmentations have an image on their "
            "own grid."
        )
