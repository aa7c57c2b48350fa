"""Plan a source, after a look into the files whose names do not tell what they are."""

from __future__ import annotations

from ..dataset import Dataset
from ..patterns import Pattern
from ..planning.jobs import Plan
from ..planning.plan import make_plan
from ..source import Source
from . import probes
from .series import Named, named


def plan_of(dataset: Dataset, source: Source) -> Plan:
    """Plan a source: DICOM series are named by their headers, masks that say "none" are checked.

    Raises:
        DeclarationError: The declaration asks for a name that BIDS does not allow.
    """
    found = look(dataset, source)
    return make_plan(dataset, source.sizes, found.names, found.faults)


def look(dataset: Dataset, source: Source) -> Named:
    """Look into files; a caller that needs the names too plans with what this returns."""
    found = named(dataset, source)
    return Named(found.names, {**found.faults, **_filled(dataset, source)})


def _filled(dataset: Dataset, source: Source) -> dict[str, str]:
    """Return what is wrong with masks that must be empty: path -> one sentence."""
    rules = [rule for rule in dataset.ignored if rule.is_empty_mask]
    patterns = [Pattern(rule.source, dataset.fields) for rule in rules]
    paths = [path for path in source.sizes if any(p.match(path) for p in patterns)]
    faults = ((path, probes.marked(source, path)) for path in sorted(paths))
    return {path: fault for path, fault in faults if fault}
