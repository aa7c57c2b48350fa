"""Find the cases of a tree: its segmentations, and the images on their grids."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DeclarationError
from ..harmonisation.segmentations import IMAGES, SUFFIX, Found, SegmentationFile, find, folders
from ..readers.nifti import Place
from ..readers.places import same_grid
from ..regions import read_region_table
from ..validation.files.names import split_name
from ..validation.files.tree import File, Folder
from .case import Case, Cases
from .contrasts import by_contrast, says_nothing
from .grids import Grid, named_as, read_grids

REGIONS = "regions.tsv"
_DANGLING = "a link that leads nowhere; fetch or restore the file"
_NO_IMAGES = frozenset({SUFFIX, "probseg", "mask", "defacemask", "xfm"})
# Where segmentation and image both state one of these, they must state the same.
_RUN, _SPACE = "run", "space"

_Key = tuple[str, str]  # subject and session


@dataclass(frozen=True, slots=True)
class _Tree:
    """What was found: ``images`` of each subject and session, and where files lie."""

    images: Mapping[_Key, list[File]]
    grids: Mapping[str, Grid]
    left_out: frozenset[str]


def find_cases(root: Path, workers: int = 1) -> Cases:
    """Find all cases of a tree. Reads label tables and headers of images, no voxels.

    Files that cannot be read are among the ``faults`` of the result.

    Raises:
        UsageError: There is no such folder.
    """
    found = find(root)
    images, gone, faults = _images(root)
    every = [file for files in images.values() for file in files]
    paths = [file.path for file in every] + [each.path for each in found.segmentations]
    grids, broken = read_grids(root, [path for path in paths if path not in faults], workers)
    tree = _Tree(images, grids, says_nothing(every))
    cases = _named(
        [*_with_segmentation((*found.segmentations, *gone), tree), *_without(found, gone, tree)]
    )
    regions, fault = _regions(root)
    faults = dict(sorted({**faults, **broken, **fault}.items()))
    lost = tuple(case for case in cases if case.segmentation in faults)
    sound = tuple(case for case in cases if case.segmentation not in faults)
    flat = frozenset(path for path, grid in grids.items() if grid.is_flat)
    not_grey = {path: grid.not_grey for path, grid in grids.items() if grid.not_grey}
    return Cases(sound, found.tables, regions, faults, lost, flat, not_grey)


def _images(
    root: Path,
) -> tuple[dict[_Key, list[File]], list[SegmentationFile], dict[str, str]]:
    """Return images, segmentations that are links to nothing, and what cannot be read so far."""
    found: dict[_Key, list[File]] = {}
    gone: list[SegmentationFile] = []
    faults: dict[str, str] = {}
    for folder in folders(Folder(str(root))):
        if folder.error is not None:
            faults[folder.path.rstrip("/")] = folder.error.strerror or str(folder.error)
        dangling = [
            File(link.path.rpartition("/")[2], folder, is_absent=True)
            for link in folder.links
            if link.path.endswith(IMAGES)
        ]
        faults |= dict.fromkeys((named_as(file.path) for file in dangling), _DANGLING)
        gone += [SegmentationFile(f, None) for f in dangling if f.parts.suffix == SUFFIX]
        for file in (*folder.files.values(), *dangling):
            if file.parts.extension not in IMAGES or file.parts.suffix in _NO_IMAGES:
                continue
            key = _key(file.path)
            if key[0]:
                found.setdefault(key, []).append(file)
    return found, gone, faults


def _with_segmentation(found: Iterable[SegmentationFile], tree: _Tree) -> Iterator[Case]:
    for each in found:
        subject, session = _key(each.file.path)
        if subject:
            yield _case(each, (subject, session), tree)


def _case(each: SegmentationFile, key: _Key, tree: _Tree) -> Case:
    own, grid = each.file.parts.entities, tree.grids.get(each.path)
    every = [f for f in tree.images.get(key, ()) if _agree(own, f.parts.entities, _RUN)]
    agreeing = {file.path for file in every if _agree(own, file.parts.entities, _SPACE)}
    if grid is None:
        candidates = [file for file in every if file.path in agreeing]
        groups = _groups(candidates, tree)
        grid = tree.grids[max(groups, key=len)[0].path] if groups else None
    name = each.file.name.partition(".")[0].removesuffix(SUFFIX).removesuffix("_") or _label(key)
    parts = _sorted(every, grid, agreeing, tree)
    return Case(name, *key, named_as(each.path), each.table, **parts)


def _without(found: Found, gone: Iterable[SegmentationFile], tree: _Tree) -> Iterator[Case]:
    """Yield cases of images alone, where a subject and session has no segmentation at all."""
    segmented = {_key(each.file.path) for each in (*found.segmentations, *gone)}
    for key, files in tree.images.items():
        groups = _groups(files, tree) if key not in segmented else []
        if groups:
            grid = tree.grids[max(groups, key=len)[0].path]
            every = {file.path for file in files}
            yield Case(_label(key), *key, None, None, **_sorted(files, grid, every, tree))


def _groups(files: Iterable[File], tree: _Tree) -> list[list[File]]:
    """Put images together that lie on one grid and have as many volumes."""
    groups: list[list[File]] = []
    for file in files:
        if grid := tree.grids.get(file.path):
            places = ((group, tree.grids[group[0].path]) for group in groups)
            fitting = (g for g, p in places if same_grid(p, grid) and p.shape == grid.shape)
            group = next(fitting, None)
            groups.append([file]) if group is None else group.append(file)
    return groups


def _sorted(
    files: Iterable[File], grid: Place | None, agreeing: Container[str], tree: _Tree
) -> dict[str, Any]:
    """Return the images of a case by where they lie: images, others, series, volumes, broken."""
    kinds: dict[str, list[File]] = {kind: [] for kind in ("images", "others", "series", "broken")}
    for file in files:
        place = tree.grids.get(file.path)
        if place is None:
            kind = "broken" if file.path in agreeing else ""
        elif grid is None or file.path not in agreeing or not same_grid(grid, place):
            kind = "others"
        else:
            kind = "images" if place.shape == grid.shape else "series"
        if kind:
            kinds[kind].append(file)
    found = {kind: by_contrast(each, tree.left_out) for kind, each in kinds.items()}
    volumes = {n: math.prod(tree.grids[path].shape[3:]) for n, path in found["series"].items()}
    broken = {name: named_as(path) for name, path in found["broken"].items()}
    return {**found, "broken": broken, "volumes": volumes}


def _named(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Give each case a name of its own: files in two folders may have the same one."""
    named: dict[str, Case] = {}
    for case in sorted(cases, key=lambda each: (each.name, each.segmentation or "")):
        name, count = case.name, 1
        while name in named:
            count += 1
            name = f"{case.name}_{count}"
        named[name] = replace(case, name=name)
    return tuple(named[name] for name in sorted(named))


def _regions(root: Path) -> tuple[Mapping[str, tuple[int, ...]], dict[str, str]]:
    path = root / REGIONS
    if not path.is_file():
        return {}, {}
    try:
        return dict(read_region_table(path).indices), {}
    except (DeclarationError, ValueError) as error:
        return {}, {REGIONS: str(error).removeprefix(f"{path}: ")}


def _key(path: str) -> _Key:
    """Return subject and session, by the name of the file or else of its folders."""
    *folders_above, name = path.split("/")
    above = dict(part.split("-", 1) for part in folders_above if "-" in part)
    own = split_name(name).entities
    return own.get("sub") or above.get("sub", ""), own.get("ses") or above.get("ses", "")


def _label(key: _Key) -> str:
    return f"sub-{key[0]}" + (f"_ses-{key[1]}" if key[1] else "")


def _agree(one: Mapping[str, str], other: Mapping[str, str], key: str) -> bool:
    return one.get(key, other.get(key)) == other.get(key, one.get(key))
