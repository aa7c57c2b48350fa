"""From names to jobs: the only place where output names are decided. No file is opened here.

The plan of a source does not depend on the order of its files, and a source file has a place
in it: claimed by jobs, ignored, unclaimed, or in a failure that says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..collecting import uncollected
from ..dataset import Dataset
from ..engine.jobs import Job, Unit
from ..patterns import natural_key
from . import expectations, shared
from .above import base_of
from .claims import Claim, Sorted, sort_files
from .drafts import Draft, Drafts, collisions, draft
from .jobs import Failure, Plan, ScansJob
from .products import jobs_of, prepare
from .view import Found, View


def make_plan(
    dataset: Dataset,
    paths: Iterable[str],
    names: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
) -> Plan:
    """Decide what is written, and from what.

    ``names`` maps files to the names by which the declaration knows them, where those differ
    from their paths, ``faults`` maps others to what is wrong with them: see
    :mod:`bidsify.recognition.survey`.

    Raises:
        DeclarationError: The declaration asks for a name that BIDS does not allow.
    """
    wrong = faults or {}
    failures = [Failure((path,), fault) for path, fault in wrong.items()]
    with uncollected():
        files = sort_files(dataset, (path for path in paths if path not in wrong), names)
        return _make_plan(dataset, files, failures)


def _make_plan(dataset: Dataset, files: Sorted, failures: list[Failure]) -> Plan:
    file_count = len(files) + len(failures)
    drafts = draft(dataset, files.claims, files.marks)
    failures += collisions(drafts)
    failures += [
        Failure((path,), f"{path!r}: a control character in the name; rename the file")
        for path in files.unnameable
    ]
    views, people, tables = _views(drafts), drafts.people, drafts.tables
    del drafts  # of many files it is large
    units = _units(dataset, views, failures)
    common = tuple(shared.jobs(dataset, views, people, tables))
    jobs = [*(job for unit in units for job in unit.jobs), *common]
    alone = _without_purpose(files.claims, jobs, failures)
    return Plan(
        dataset=dataset.name,
        edition=dataset.edition,
        units=tuple(units),
        shared=common,
        ignored=tuple(files.ignored),
        unclaimed=tuple(sorted([*files.unclaimed, *alone])),
        failures=tuple(failures),
        remarks=tuple(expectations.remarks(dataset, views, files.unclaimed, alone)),
        file_count=file_count,
        base=base_of(files.claims, jobs),
    )


def _views(drafts: Drafts) -> list[View]:
    found: dict[str, View] = {}
    for target, made in drafts.targets.items():
        folder = made.person.folder
        if folder not in found:
            found[folder] = View(made.person)
        found[folder].found.append(_found(target, made))
    for (folder, role, image), claims in drafts.serving.items():
        if folder in found:
            served = [(claim.path, claim.match.fields) for claim in claims]
            found[folder].serving[role, image] = served
    return [found[folder] for folder in sorted(found)]


def _found(target: str, made: Draft) -> Found:
    """Choose among copies: the first pattern of the declaration, the first folder."""
    if len(made.claims) == 1:
        (claim,) = made.claims
        return Found(made.product, target, (claim.path,), (claim.match.fields,))
    chosen, *others = (
        sorted(group, key=_place)
        for _, group in sorted(made.groups.items(), key=lambda item: item[0])
    )
    return Found(
        made.product,
        target,
        tuple(claim.path for claim in chosen),
        tuple(claim.match.fields for claim in chosen),
        tuple(tuple(claim.path for claim in other) for other in others),
    )


def _place(claim: Claim) -> tuple[tuple[tuple[int, int | str], ...], str]:
    """Sort key for the files of a series, which some copies spread over folders."""
    return natural_key(claim.path.rpartition("/")[2]), claim.path


def _units(dataset: Dataset, views: Sequence[View], failures: list[Failure]) -> list[Unit]:
    """Make the units; what cannot be made goes to ``failures``."""
    prepared = prepare(dataset)
    units = []
    for view in views:
        jobs: list[Job] = []
        for made in jobs_of(prepared, view):
            if isinstance(made, Failure):
                failures.append(made)
            else:
                jobs.append(made)
        data = tuple(job.target for job in jobs if job.kind != "sidecar")
        if data:
            target = f"{view.person.folder}/{view.person.stem}_scans.tsv"
            jobs.append(ScansJob(target=target, of=data))
            units.append(Unit(view.person.subject, view.person.session, tuple(jobs)))
    return units


def _without_purpose(
    claims: Iterable[Claim], jobs: Iterable[Job], failures: Iterable[Failure]
) -> list[str]:
    """Find files that serve an image which is not there, such as its sidecar."""
    used = {path for job in jobs for path in job.files}
    used |= {path for failure in failures for path in failure.sources}
    return sorted({claim.path for claim in claims} - used)
