"""Visit each file and folder of a dataset once, read what rules ask of it, and apply them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .checks import Evidence, check_file, check_voxels
from .context import Context
from .dataset import Dataset
from .files.names import split_name
from .files.tree import File, Folder
from .findings import finding
from .hed import check_hed
from .issue import Located
from .loading import load, load_others
from .rules.apply import apply_rules

_STANDALONE = frozenset({"dataset_description.json", "genetic_info.json"})


@dataclass
class Tally:
    """What a walk finds.

    ``orphans`` are JSON files that describe no file; ``evidence`` is for checks of the whole.
    """

    files: int = 0
    found: list[Located] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)


def enter(dataset: Dataset, parent: Folder, name: str, tally: Tally) -> None:
    """Visit one folder and what lies in it, unless it is ignored."""
    if parent.is_ignored or dataset.ignore.matches(parent.path + name):
        return
    folder = parent.child(name)
    folder.is_ignored = dataset.ignore.matches(folder.path)
    parts = split_name(name)
    is_file = bool(parts.suffix and parts.entities)
    is_file = is_file and parts.extension in dataset.filenames.rules.folder_extensions
    if is_file:
        whole = File(name + "/", parent)
        whole.size = _size_below(folder)
        visit_file(dataset, parent, whole, tally)
    else:
        _visit_folder_itself(dataset, parent, name, tally)
    if folder.error:
        message = folder.error.strerror or str(folder.error)
        tally.found.append((folder.path, finding("FILE_READ", message)))
    elif not is_file and not (parent.parent is None and name in dataset.filenames.rules.opaque):
        visit_files(dataset, folder, tally)
        for below in folder.folders:
            enter(dataset, folder, below, tally)
        tally.orphans += orphans(dataset, folder)
    parent.close(name)


def visit_files(dataset: Dataset, folder: Folder, tally: Tally) -> None:
    """Visit the files of one folder."""
    for link in folder.links:
        if not _is_ignored(dataset, folder, link.path):
            tally.found.append((link.path, finding(link.code, f"it points to {link.target!r}")))
    twins = _twins(folder)
    for file in folder.files.values():
        if _is_ignored(dataset, folder, file.path):
            continue
        visit_file(dataset, folder, file, tally)
        if file.name in twins:
            message = f"beside {', '.join(n for n in twins[file.name] if n != file.name)}"
            tally.found.append((file.path, finding("CASE_COLLISION", message)))


def visit_file(dataset: Dataset, folder: Folder, file: File, tally: Tally) -> None:
    """Apply everything to one file."""
    tally.files += 1
    found = tally.found
    context = Context(dataset, folder, file.name, file)
    parts = file.parts
    context.entities, context.suffix = parts.entities, parts.suffix
    context.extension = parts.extension
    if dataset.options.opens_files:
        load(context, file, found)
    if _is_left_alone(context):
        return
    if file.size == 0:
        found.append((context.relative, finding("EMPTY_FILE")))
    verdict = dataset.filenames.identify(context.relative, file.name, parts, context.datatype)
    for each in dataset.filenames.check(context.relative, file.name, parts, verdict):
        found.append((context.relative, each))
    if "entities" not in verdict.parts:
        context.entities = {}
    if "suffixes" not in verdict.parts:
        context.suffix = ""
    if "extensions" not in verdict.parts:
        context.extension = ""
    if dataset.options.opens_files and not context.is_partial:
        apply_rules(context, found)
        found += check_hed(context)
        found += check_file(context, tally.evidence)
    if dataset.options.reads_voxels(context.relative) and not file.is_absent:
        found += check_voxels(context, tally.evidence)


def orphans(dataset: Dataset, folder: Folder) -> Iterator[str]:
    """Yield the JSON files of a folder that nothing has used."""
    for file in folder.files.values():
        is_unused = file.name.endswith(".json") and not file.is_viewed
        if (
            is_unused
            and file.name not in _STANDALONE
            and not _is_ignored(dataset, folder, file.path)
        ):
            yield file.path


def _visit_folder_itself(dataset: Dataset, parent: Folder, name: str, tally: Tally) -> None:
    context = Context(dataset, parent, name + "/", None)
    if name.partition(".")[2].startswith("nii") and dataset.options.nifti_headers:
        message = "a folder, although its name is that of an image"
        tally.found.append((context.relative, finding("NIFTI_HEADER_UNREADABLE", message)))
    if dataset.options.opens_files and "." in name:  # others have no suffix: no sidecar fits them
        whole = File(name + "/", parent)
        context.suffix, context.extension = whole.parts.suffix, whole.parts.extension
        load_others(context, whole, tally.found)
        context.suffix = context.extension = ""
    if _is_left_alone(context):
        return
    if not dataset.filenames.knows_folder(name):
        tally.found.append((context.relative, finding("NOT_INCLUDED")))
    if dataset.options.opens_files:
        apply_rules(context, tally.found)


def _is_left_alone(context: Context) -> bool:
    """Say whether rules do not apply, as officially: what is read is still known to be used."""
    is_raw = context.dataset.description["DatasetType"] == "raw"
    return is_raw and "derivatives" in context.relative


def _size_below(folder: Folder) -> int:
    size = sum(file.size for file in folder.files.values())
    return size + sum(_size_below(folder.child(name)) for name in folder.folders)


def _twins(folder: Folder) -> dict[str, list[str]]:
    """Return the names that differ from another in letter case only, with these others."""
    if len({name.lower() for name in folder.files}) == len(folder.files):
        return {}
    groups: dict[str, list[str]] = {}
    for name in folder.files:
        groups.setdefault(name.lower(), []).append(name)
    return {name: names for names in groups.values() if len(names) > 1 for name in names}


def _is_ignored(dataset: Dataset, folder: Folder, path: str) -> bool:
    """Say whether a file is left out; without patterns of its own only whole folders are."""
    return folder.is_ignored or (dataset.ignore.has_lines and dataset.ignore.matches(path))
