"""What each subject must have by the declaration, and whether it has it.

A subject lacks something without fault where the publisher ships none, where the source had
none, or where the record tells that its conversion failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ... import bids_schema
from ...dataset import Dataset, Image, Masks, Naming, Product
from ...naming import person
from ...patterns import Fields, Pattern
from ..findings import finding
from ..issue import Located
from .people import Present, place_of, tails_of
from .receipts import Evidence, Receipt

_LABEL = "[0-9A-Za-z]*"
_TOKEN = re.compile(r"\{[^}]*\}|[\[\]]|[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """A product, and how it is told by the subject, and by datatype and tail of a name."""

    product: Product
    naming: Naming
    subject: re.Pattern[str]
    tail: re.Pattern[str]
    name: str
    sources: tuple[Pattern, ...]

    @property
    def is_optional(self) -> bool:
        """Say whether it is written only where it differs from something else."""
        is_omitted = isinstance(self.product, Masks) and self.product.unless is not None
        return is_omitted or self.product.is_optional

    def suits(self, person: str) -> bool:
        """Say whether people with such a name, with or without a session, may have it."""
        subject, _, session = person.partition("/")
        has_place = bool(session) == (self.naming.session is not None)
        return has_place and self.subject.fullmatch(subject) is not None

    def has(self, path: str) -> bool:
        """Say whether a file of a subject is this."""
        place = place_of(path)
        return place is not None and self.suits(place.person) and self.fits(place.tail)

    def fits(self, tail: str) -> bool:
        """Say whether a datatype with the end of a name is this."""
        return self.tail.fullmatch(tail) is not None

    def fields(self, source: str) -> Fields:
        """Return what the path of a source file states."""
        found = (pattern.match(source) for pattern in self.sources)
        return next((match.fields for match in found if match), {})


def contrasts_of(declared: Dataset) -> tuple[Contrast, ...]:
    """List what a declaration promises of its subjects."""
    return tuple(_contrast(product, declared) for product in declared.products)


def label_expression(template: str) -> str:
    """Return what labels look like that are made by a template over fields of the source.

    >>> label_expression("p{texture:03}")
    'p[0-9A-Za-z]*'
    """
    marks = {"[": "(?:", "]": ")?"}
    parts = _TOKEN.findall(template)
    return "".join(_LABEL if part[0] == "{" else marks.get(part, part) for part in parts)


def check_contrasts(
    contrasts: Iterable[Contrast], present: Present, evidence: Evidence | None
) -> Iterator[Located]:
    """Report what a subject, or one of its visits, lacks."""
    written = evidence.written.get(present.subject, {}) if evidence else {}
    recorded = tails_of(written)
    failed = _failed(contrasts, evidence)
    for whose in sorted({*present.tails, *recorded}):
        here, told = present.tails.get(whose, {}), recorded.get(whose, {})
        for contrast in _promised(contrasts, whose, {*here, *told}):
            receipts = {path: written[path] for tail, path in told.items() if contrast.fits(tail)}
            gone = [p for p, r in receipts.items() if not r.is_omitted and p not in present.files]
            for path in gone:
                message = f"the {contrast.name} of {whose} was written, but is no longer there"
                yield path, finding("PROFILE_COUNT", message)
            if not receipts and not any(contrast.fits(tail) for tail in here):
                if evidence is None:
                    yield from _unrecorded(contrast, whose)
                elif not contrast.product.is_optional and not _is_unshipped(
                    contrast, contrasts, told, written
                ):
                    yield _explained(contrast, whose, failed)


def _contrast(product: Product, declared: Dataset) -> Contrast:
    naming = product.naming or declared.naming
    keys = bids_schema.entity_keys()
    labels = [
        f"{keys[name]}-{label_expression(product.entities[name])}"
        for name in bids_schema.entity_order()
        if name in product.entities
    ]
    head = re.escape(f"{product.datatype}/")
    tail = head + "_".join((*labels, product.suffix)) + re.escape(product.file_extension)
    return Contrast(
        product,
        naming,
        re.compile(f"sub-{label_expression(naming.subject)}"),
        re.compile(tail),
        product.name if isinstance(product, Image) else "_".join((*labels, product.suffix)),
        tuple(Pattern(text, declared.fields) for text in product.source),
    )


def _promised(
    contrasts: Iterable[Contrast], whose: str, tails: Iterable[str]
) -> Iterator[Contrast]:
    """Yield what a person must have: what is named as one thing that the person has.

    CT and MRI of one declaration are of different people, and no one must have both.
    """
    known = set(tails)
    suiting = [each for each in contrasts if each.suits(whose)]
    namings = {id(c.naming) for c in suiting if any(c.fits(tail) for tail in known)}
    alone = len({id(each.naming) for each in suiting}) == 1
    for each in suiting:
        if alone or id(each.naming) in namings:
            yield each


def _unrecorded(contrast: Contrast, whose: str) -> Iterator[Located]:
    """Demand without a record only what each subject must have."""
    if not contrast.is_optional and not contrast.product.absent_where:
        yield f"{whose}/", finding("PROFILE_COUNT", f"{whose} has no {contrast.name}")


def _explained(contrast: Contrast, whose: str, failed: set[tuple[str, int]]) -> Located:
    why = "the source had none"
    if (whose, id(contrast.product)) in failed:
        why = "its conversion failed"
    message = f"{whose} has no {contrast.name}: {why}, says the record"
    return f"{whose}/", finding("PROFILE_COUNT", message, severity="info")


def _failed(contrasts: Iterable[Contrast], evidence: Evidence | None) -> set[tuple[str, int]]:
    """Return whose products failed: the folder of the person, and the ``id`` of the product."""
    return {
        (person(contrast.naming, fields).folder, id(contrast.product))
        for source in (evidence.failed if evidence else ())
        for contrast in contrasts
        if (fields := contrast.fields(source))
    }


def _is_unshipped(
    contrast: Contrast,
    contrasts: Iterable[Contrast],
    told: Mapping[str, str],
    written: Mapping[str, Receipt],
) -> bool:
    """Say whether the paths of the person's other files state that the publisher ships none."""
    if not contrast.product.absent_where:
        return False
    stated = [
        other.fields(written[path].source)
        for tail, path in told.items()
        for other in contrasts
        if other.fits(tail)
    ]
    return any(map(contrast.product.is_unshipped, stated))
