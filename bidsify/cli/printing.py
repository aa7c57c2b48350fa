"""What the commands print: plans, datasets, detections and counts, as text or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ..dataset import Dataset
from ..label_files import LabelFile, label_files
from ..planning.jobs import Plan
from ..printable import printable
from ..recognition.identity import Identity

_SHOWN = 12


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON; see ``schemas/plan.schema.json``."""
    jobs = [*plan.jobs, *plan.shared]
    return {
        "dataset": plan.dataset,
        "edition": plan.edition,
        "jobs": [
            {"target": job.target, "sources": list(job.sources), "kind": job.kind} for job in jobs
        ],
        "unclaimed": list(plan.unclaimed),
        "ignored": [{"path": path, "reason": reason} for path, reason in plan.ignored],
        "failures": [
            {"sources": list(f.sources), "target": f.target, "message": f.message}
            for f in plan.failures
        ],
        "remarks": [{"code": r.code, "message": r.message} for r in plan.remarks],
        "base": plan.base,
    }


def plan_text(plan: Plan) -> str:
    """Return a plan as text: the first unit in full, then counts."""
    return "\n".join(map(printable, _plan_lines(plan)))


def _plan_lines(plan: Plan) -> Iterator[str]:
    count = sum(len(unit.jobs) for unit in plan.units) + len(plan.shared)
    subjects = len({unit.subject for unit in plan.units})
    yield f"{plan.dataset} ({plan.edition}): {plan.file_count} source files, {subjects} subjects, "
    yield f"{count} files to write"
    for unit in plan.units[:1]:
        yield ""
        for job in unit.jobs:
            more = f" and {len(job.sources) - 1} more" if len(job.sources) > 1 else ""
            yield f"  {job.target}" + (f"  <-  {job.sources[0]}{more}" if job.sources else "")
        if len(plan.units) > 1:
            yield f"  ... and the same for {len(plan.units) - 1} more subjects or sessions"
    yield ""
    yield from (f"  {job.target}" for job in plan.shared[:_SHOWN])
    if len(plan.shared) > _SHOWN:
        yield f"  ... and {len(plan.shared) - _SHOWN} more shared files"
    yield ""
    for reason, number in sorted(Counter(reason for _, reason in plan.ignored).items()):
        yield f"ignored: {number} files: {reason}"
    yield from (f"failed: {failure.message}" for failure in plan.failures)
    yield from (f"note: {remark.message}" for remark in plan.remarks)


def buckets_text(buckets: Mapping[str, int]) -> str:
    """Return one line for each bucket."""
    return "\n".join(f"{name} {count}" for name, count in buckets.items())


def dataset_line(dataset: Dataset) -> str:
    """Return a dataset in one line."""
    subjects, licence = dataset.expected_subjects or "?", dataset.terms.licence
    return f"{dataset.name:<14} {dataset.title} ({dataset.edition}), {subjects} subjects, {licence}"


def dataset_summary(dataset: Dataset) -> dict[str, Any]:
    """Return the same as JSON."""
    return {
        "name": dataset.name,
        "title": dataset.title,
        "edition": dataset.edition,
        "subjects": dataset.expected_subjects,
        "licence": dataset.terms.licence,
        "redistribution": dataset.terms.redistribution,
    }


def dataset_document(dataset: Dataset) -> dict[str, Any]:
    """Return all that a user may ask of a dataset."""
    return {
        **dataset_summary(dataset),
        "layout": dataset.layout.strip(),
        "patterns": sorted({text for p in dataset.products for text in p.source}),
        "label_tables": {
            each.name: [dict(row) for row in each.table.rows] for each in label_files(dataset)
        },
        "regions": [dict(row) for row in dataset.regions.rows] if dataset.regions else [],
        "terms": asdict(dataset.terms),
        "citation": dataset.citation,
        "url": dataset.source_url,
        "doi": dataset.source_doi,
        "notes": dataset.notes,
        "traps": list(dataset.traps),
    }


def dataset_text(dataset: Dataset) -> str:
    """Return the same as text."""
    lines = [dataset_line(dataset), "", dataset.layout.strip()]
    for each in label_files(dataset):
        lines += ["", f"labels ({each.name}):", *_label_lines(each)]
    lines += _region_lines(dataset)
    lines += ["", f"terms: {dataset.terms.summary}", f"  known from: {dataset.terms.evidence}"]
    lines += [f"cite: {dataset.citation}", f"home: {dataset.source_url}"]
    lines += ["", dataset.notes] if dataset.notes else []
    lines += ["", "traps:", *(f"  - {trap}" for trap in dataset.traps)] if dataset.traps else []
    return "\n".join(lines)


def detection_document(found: Identity) -> dict[str, Any]:
    """Return which dataset a source is, why, and what is missing or unexpected."""
    return {
        "dataset": found.dataset.name,
        "edition": found.dataset.edition,
        "evidence": list(found.evidence),
        "candidates": [
            {"dataset": c.dataset.name, "fitting": c.fitting, "files": found.file_count}
            for c in found.candidates
        ],
        "suspicion": found.suspicion,
        "missing": list(found.missing),
        "unexpected": list(found.unexpected),
    }


def detection_text(document: Mapping[str, Any]) -> str:
    """Return the same as text."""
    lines = [f"{document['dataset']} ({document['edition']})"]
    lines += [f"  because {text}" for text in document["evidence"]]
    lines += [f"  suspect: {document['suspicion']}"] if document["suspicion"] else []
    lines += [f"  missing: {text}" for text in document["missing"]]
    unexpected = document["unexpected"]
    lines += [f"  unexpected: {path}" for path in unexpected[:_SHOWN]]
    if len(unexpected) > _SHOWN:
        lines.append(f"  ... and {len(unexpected) - _SHOWN} more unexpected files")
    return "\n".join(map(printable, lines))


def _label_lines(file: LabelFile) -> Iterator[str]:
    if not file.table.is_stated:
        yield "  not known; state them with --label-table FILE (columns index, name)"
    for row in file.table.rows:
        yield f"  {row['index']:>4}  {row['name']}"


def _region_lines(dataset: Dataset) -> Iterator[str]:
    rows = dataset.regions.rows if dataset.regions else ()
    yield from ("", "regions (regions.tsv):") if rows else ()
    for row in rows:
        yield f"  {row.get('abbreviation', ''):>4}  {row['name']}: labels {row['indices']}"
