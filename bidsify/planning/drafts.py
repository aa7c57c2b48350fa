"""From claimed files to targets: who is who, what a file becomes, and which names collide.

Names only; no file is opened here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..dataset import Attachment, Dataset, Image, Points, Product
from ..entities import BidsPath, fault, format_name, label_of
from ..errors import DeclarationError
from ..naming import Person, Registry, person
from ..patterns import Fields, field_names, render
from .bidsignore import is_bidsignored, pattern_for
from .claims import Claim
from .jobs import Failure
from .shared_jobs import NativeTable


@dataclass(slots=True)
class Draft:
    """A target, and the files that could become it; most often one, or one series."""

    product: Product
    person: Person
    claims: list[Claim] = field(default_factory=list)

    @property
    def groups(self) -> dict[tuple[int, str, str], list[Claim]]:
        """Return the files that belong together, by their order of preference."""
        found: dict[tuple[int, str, str], list[Claim]] = {}
        is_single = not self.product.is_of_series
        for claim in self.claims:
            identity = (claim.rank, claim.match.prefix, claim.path if is_single else "")
            found.setdefault(identity, []).append(claim)
        return found


@dataclass(slots=True)
class Drafts:
    """All targets of a source, the files that serve them, and whose they are.

    ``owners`` maps each folder, in lower case, to the native ids that claim it.
    """

    targets: dict[str, Draft] = field(default_factory=dict)
    serving: dict[tuple[str, str, str], list[Claim]] = field(default_factory=dict)
    owners: dict[str, dict[str, list[Claim]]] = field(default_factory=dict)
    people: dict[str, tuple[str, list[Fields]]] = field(default_factory=dict)
    tables: list[NativeTable] = field(default_factory=list)


def draft(dataset: Dataset, claims: list[Claim], marks: Sequence[Fields] = ()) -> Drafts:
    """Name the target of each claimed file; ``marks`` add to what is known of subjects.

    Raises:
        DeclarationError: The declaration asks for a name that BIDS does not allow.
    """
    drafts = Drafts()
    namers = {id(product): _Namer(dataset, product) for product in dataset.products}
    registry = Registry()
    for claim in claims:
        people: dict[int, Person] = {}
        for use in claim.uses:
            if use.product is None:
                continue
            naming = use.product.naming or dataset.naming
            whose = people.get(id(naming))
            if whose is None:
                whose = people[id(naming)] = registry.person(naming, claim.match.fields)
            if use.role != "product":
                image = use.product.name if isinstance(use.product, Image) else ""
                drafts.serving.setdefault((whose.folder, use.role, image), []).append(claim)
                continue
            target = namers[id(use.product)].target(whose, claim.match.fields)
            found = drafts.targets.get(target)
            if found is None:
                found = drafts.targets[target] = Draft(use.product, whose)
            elif found.product is not use.product:
                msg = f"dataset {dataset.name!r}: two products become {target}; add an entity"
                raise DeclarationError(msg)
            found.claims.append(claim)
        for whose in people.values():
            _own(drafts, whose, claim)
    _add_marks(drafts, dataset, marks)
    drafts.tables.extend(_native_tables(claims))
    return drafts


def _add_marks(drafts: Drafts, dataset: Dataset, marks: Iterable[Fields]) -> None:
    for fields in marks:
        known = drafts.people.get(person(dataset.naming, fields).subject)
        if known is not None:
            known[1].append(fields)


def _native_tables(claims: Iterable[Claim]) -> Iterator[NativeTable]:
    """Return the tables of subjects in the order of their paths, each with its sidecar."""
    used = [(use, claim.path) for claim in claims for use in claim.uses if use.table]
    sidecars = {id(use.table): path for use, path in used if use.role == "table_json"}
    for use, path in used:
        if use.role == "table" and use.table:
            yield NativeTable(
                path,
                renamed=tuple(sorted(use.table.renamed.items())),
                states=tuple(sorted(use.table.states.items())),
                is_list=use.table.is_list,
                sidecar=sidecars.get(id(use.table)),
            )


def collisions(drafts: Drafts) -> Iterator[Failure]:
    """Take out the folders that stand for two native ids, and say so of each."""
    reported: set[str] = set()
    for folder, owners in sorted(drafts.owners.items()):
        one = len(owners) == 1 and "sub-/" not in f"{folder}/"
        if one or folder.split("/")[0] in reported:
            continue
        reported.add(folder)
        claims = (claim for group in owners.values() for claim in group)
        files = tuple(sorted({claim.path for claim in claims}))
        yield Failure(files, f"{files[0]}: {_collision(folder, sorted(owners))}")
        inside = f"{folder}/"
        for target in [t for t in drafts.targets if t.lower().startswith(inside)]:
            del drafts.targets[target]
        for subject in [s for s in drafts.people if f"sub-{s}".lower() == folder]:
            del drafts.people[subject]


def _collision(folder: str, ids: list[str]) -> str:
    names = " and ".join(repr(name) for name in ids)
    if "sub-/" in f"{folder}/":
        return f"the native id {names} has no letter or digit to make a label of; rename it"
    return (
        f"the native ids {names} both become {folder}; rename one of them, or convert them into "
        "two trees"
    )


def _own(drafts: Drafts, whose: Person, claim: Claim) -> None:
    subject, fields = whose.subject, claim.match.fields
    for use in claim.uses:
        if use.product and use.product.states:
            fields = {**fields, **use.product.states}
    drafts.owners.setdefault(f"sub-{subject}".lower(), {}).setdefault(whose.source_id, []).append(
        claim
    )
    if whose.session is not None:
        native = whose.session_source_id or ""
        drafts.owners.setdefault(whose.folder.lower(), {}).setdefault(native, []).append(claim)
    drafts.people.setdefault(subject, (whose.source_id, []))[1].append(fields)


class _Namer:
    """Names the targets of one product; what does not change is made and checked once."""

    def __init__(self, dataset: Dataset, product: Product) -> None:
        self._dataset = dataset
        self._product = product
        self._extension = product.file_extension
        self._fields = tuple({n for text in product.entities.values() for n in field_names(text)})
        self._tails: dict[tuple[str | None, ...], str] = {}

    def target(self, whose: Person, fields: Fields) -> str:
        """Return the path of the product of a person."""
        key = tuple(fields.get(name) for name in self._fields)
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = self._tail(whose, fields)
        return f"{whose.folder}/{self._product.datatype}/{whose.stem}_{tail}"

    def _tail(self, whose: Person, fields: Fields) -> str:
        """Return what follows the subject and session, after checking the whole name."""
        entities = self._product.entities.items()
        labels = {name: label_of(render(text, fields)) for name, text in entities}
        people = {"subject": whose.subject or "x"} | ({"session": "x"} if whose.session else {})
        suffix, datatype = self._product.suffix, self._product.datatype
        path = BidsPath({**labels, **people}, suffix, self._extension, datatype)
        ignored = is_bidsignored(str(path), self._dataset.bidsignore)
        if not ignored and (why := fault(path)):
            msg = f"dataset {self._dataset.name!r}: {path}: {why}; rename it, or list it in "
            msg += f"bidsignore, as {' and '.join(map(repr, self._patterns(path)))}"
            raise DeclarationError(msg)
        return format_name(labels, suffix, self._extension)

    def _patterns(self, path: BidsPath) -> Iterator[str]:
        """Yield what to list for a file without a legal name, and for the JSON at the root."""
        yield pattern_for(path)
        if isinstance(self._product, Points | Attachment) and self._product.sidecar:
            yield f"{path.suffix}.json"
