"""From names to jobs: the only place where output names are decided. No file is opened here.

The plan of a source does not depend on the order of its files, and a source file has a place
in it: claimed by jobs, ignored, unclaimed, or in a failure that says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from . import expectations, shared
from .claims import Claim, Person, person, sort_files
from .dataset import Attachment, Dataset, Image, Points, Product
from .entities import fault, format_folder, format_name, label_of, parse
from .errors import DeclarationError
from .jobs import Failure, Job, Plan, ScansJob, Unit
from .patterns import Fields, natural_key, render
from .products import Found, View, jobs_of


@dataclass(slots=True)
class _Draft:
    """A target, and the groups of files that could become it; most often one."""

    product: Product
    person: Person
    groups: dict[tuple[int, str, str], list[Claim]] = field(default_factory=dict)


@dataclass(slots=True)
class _Drafts:
    targets: dict[str, _Draft] = field(default_factory=dict)
    serving: dict[tuple[str, str, str, str], list[Claim]] = field(
        default_factory=lambda: defaultdict(list)
    )
    people: dict[str, dict[str, list[Claim]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    tables: dict[str, str] = field(default_factory=dict)


def make_plan(dataset: Dataset, paths: Iterable[str]) -> Plan:
    """Decide what is written, and from what.

    Raises:
        DeclarationError: The declaration asks for a name that BIDS does not allow.
    """
    files = sort_files(dataset, paths)
    drafts = _draft(dataset, files.claims)
    failures = list(_collisions(drafts))
    views = _views(drafts)
    units = [unit for view in views if (unit := _unit(dataset, view, failures)).jobs]
    return Plan(
        dataset=dataset.name,
        edition=dataset.edition,
        units=tuple(units),
        shared=tuple(shared.jobs(dataset, views, _people(drafts), drafts.tables)),
        ignored=tuple(files.ignored),
        unclaimed=tuple(files.unclaimed),
        failures=tuple(failures),
        remarks=tuple(expectations.remarks(dataset, views, files.unclaimed)),
        file_count=len({claim.path for claim in files.claims})
        + len(files.ignored)
        + len(files.unclaimed),
    )


def _draft(dataset: Dataset, claims: list[Claim]) -> _Drafts:
    drafts = _Drafts()
    for claim in claims:
        if claim.product is None:
            drafts.tables.setdefault(claim.role, claim.path)
            continue
        whose = person(claim.product.naming or dataset.naming, claim.match.fields)
        if claim.role != "product":
            image = claim.product.name if isinstance(claim.product, Image) else ""
            drafts.serving[whose.subject, whose.session or "", claim.role, image].append(claim)
            continue
        drafts.people[whose.subject][whose.source_id].append(claim)
        target = _target(claim.product, whose, claim.match.fields)
        draft = drafts.targets.setdefault(target, _Draft(claim.product, whose))
        single = claim.path if _is_single(claim.product) else ""
        identity = (claim.rank, claim.match.prefix, single)
        draft.groups.setdefault(identity, []).append(claim)
    return drafts


def _is_single(product: Product) -> bool:
    """Say whether one file makes the product, as opposed to a series of slices or of markers."""
    return getattr(product, "reader", "nifti") not in ("dicom", "png", "markups")


def _target(product: Product, whose: Person, fields: Fields) -> str:
    labels = {name: label_of(render(text, fields)) for name, text in product.entities.items()}
    labels["subject"] = whose.subject
    if whose.session:
        labels["session"] = whose.session
    folder = format_folder(labels, product.datatype)
    return folder + format_name(labels, product.suffix, _extension(product))


def _extension(product: Product) -> str:
    match product:
        case Attachment():
            return product.extension
        case Points():
            return ".tsv"
        case _:
            return ".nii.gz"


def _collisions(drafts: _Drafts) -> Iterator[Failure]:
    """Take out the subjects whose label stands for two of the source; say so of each."""
    owners: dict[str, list[str]] = defaultdict(list)
    for subject in drafts.people:
        owners[subject.lower()].append(subject)
    for subjects in owners.values():
        claims = {k: v for s in subjects for k, v in drafts.people[s].items()}
        if len(claims) == 1 and subjects[0]:
            continue
        yield _collision(subjects, claims)
        for subject in subjects:
            del drafts.people[subject]
        gone = [t for t, draft in drafts.targets.items() if draft.person.subject in subjects]
        for target in gone:
            del drafts.targets[target]


def _collision(subjects: list[str], claims: Mapping[str, list[Claim]]) -> Failure:
    files = tuple(sorted({claim.path for group in claims.values() for claim in group}))
    ids = " and ".join(repr(name) for name in sorted(claims))
    if subjects == [""]:
        why = f"{files[0]}: the native id {ids} has no letter or digit to make a label of"
    else:
        why = (
            f"{files[0]}: the native ids {ids} give the same label sub-{subjects[0]}; "
            "rename one of them, or convert them into two trees"
        )
    return Failure(files, why)


def _views(drafts: _Drafts) -> list[View]:
    found: dict[tuple[str, str], View] = {}
    for target, draft in drafts.targets.items():
        whose = draft.person
        view = found.setdefault((whose.subject, whose.session or ""), View(whose))
        view.found.append(_found(target, draft))
    for (subject, session, role, image), claims in drafts.serving.items():
        if (subject, session) in found:
            served = [(claim.path, claim.match.fields) for claim in claims]
            found[subject, session].serving[role, image] = served
    return [found[key] for key in sorted(found)]


def _found(target: str, draft: _Draft) -> Found:
    """Choose among copies: the first pattern of the declaration, the first folder."""
    chosen, *others = (
        sorted(group, key=lambda claim: natural_key(claim.path))
        for _, group in sorted(draft.groups.items())
    )
    return Found(
        draft.product,
        target,
        tuple(claim.path for claim in chosen),
        tuple(claim.match.fields for claim in chosen),
        tuple(tuple(claim.path for claim in other) for other in others),
    )


def _unit(dataset: Dataset, view: View, failures: list[Failure]) -> Unit:
    jobs: list[Job] = []
    for made in jobs_of(dataset, view):
        if isinstance(made, Failure):
            failures.append(made)
        else:
            jobs.append(made)
    for job in jobs:
        _check_name(job.target, dataset)
    whose = view.person
    data = tuple(job.target for job in jobs if job.kind != "sidecar")
    if data:
        labels = {"subject": whose.subject} | ({"session": whose.session} if whose.session else {})
        target = format_folder(labels, None) + format_name(labels, "scans", ".tsv")
        jobs.append(ScansJob(target=target, of=data))
    return Unit(whose.subject, whose.session, tuple(jobs))


def _people(drafts: _Drafts) -> dict[str, tuple[str, Fields]]:
    """Return subject -> its native id, and the fields that its paths state."""
    people: dict[str, tuple[str, Fields]] = {}
    for subject, by_id in sorted(drafts.people.items()):
        claims = [claim for group in by_id.values() for claim in group]
        fields: dict[str, str | None] = {}
        for claim in claims:
            fields |= {k: v for k, v in claim.match.fields.items() if v and not fields.get(k)}
        people[subject] = (next(iter(by_id)), fields)
    return people


def _check_name(target: str, dataset: Dataset) -> None:
    if not shared.is_bidsignored(target, dataset.bidsignore) and (why := fault(parse(target))):
        msg = f"dataset {dataset.name!r}: {target}: {why}; list it in bidsignore or rename it"
        raise DeclarationError(msg)
