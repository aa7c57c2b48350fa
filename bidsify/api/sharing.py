"""What is done to hand a tree on: share it, and reproduce one from a recipe."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import datasets
from ..errors import BidsifyError, UsageError
from ..recognition import detection
from ..recognition.survey import plan_of
from ..source import open_source
from ..stated import require_labels, with_label_table

if TYPE_CHECKING:
    from ..dataset import Dataset
    from ..engine.run import Watcher
    from ..sharing.reproduce import Comparison
    from ..sharing.share import Shared, Tier
    from .sources import AnyPath


def share(
    tree: AnyPath,
    dest: AnyPath,
    *,
    tier: Tier = "recipe",
    route: str | None = None,
    permission: AnyPath | None = None,
    shard_size: int | None = None,
    citation: bool = False,
    workers: int = 1,
) -> Shared:
    """Pack what may leave of a tree into a new folder, with its terms and hashes.

    Args:
        tree: Any BIDS tree; a recipe needs one of :func:`convert`.
        dest: A new or empty folder.
        tier: ``recipe`` holds no voxel and no measurement of a subject, ``metadata`` the texts
            of the tree too, ``full`` all of it, where the terms allow that.
        route: How the data were obtained, where the terms depend on it.
        permission: A file that allows what the terms do not; its hash is recorded.
        shard_size: Bytes of an archive, 10 GB by default.
        citation: Write ``CITATION.cff``, and move the fields that say the same.
        workers: Number of processes; 1 works in this one.

    Raises:
        TermsError: The terms do not allow it.
        UsageError: It cannot be shared in this form; the message says why.
    """
    from ..sharing import pages  # noqa: PLC0415  what packs takes its time to import
    from ..sharing import share as sharing  # noqa: PLC0415

    if tier not in sharing.TIERS:
        msg = f"no tier {tier!r}; there are: {', '.join(sharing.TIERS)}"
        raise UsageError(msg)
    options = sharing.Options(
        tier=tier,
        route=route or "",
        permission=pages.read_permission(Path(permission)) if permission is not None else None,
        shard_size=sharing.SHARD_SIZE if shard_size is None else shard_size,
        citation=citation,
        workers=workers,
    )
    return sharing.share(Path(tree), Path(dest), options)


def reproduce(
    recipe: AnyPath,
    source: AnyPath,
    out: AnyPath,
    *,
    workers: int = 1,
    watch: Watcher = lambda *_: None,
) -> Comparison:
    """Convert a download as a recipe says, and compare the tree with it, file by file.

    Args:
        recipe: ``recipe.json``, or the folder that :func:`share` wrote.
        source: The download, as it is: a folder, .zip, .tar or .tar.gz.
        out: A new or empty folder, or one of an earlier run on the same source.
        workers: Number of processes; 1 works in this one.
        watch: Called with each unit, its outcomes, and how many of how many ended.

    Raises:
        UsageError: The recipe is damaged, or the source or the output folder is another one.
    """
    from ..conversion import convert as conversion  # noqa: PLC0415
    from ..sharing import recipe as recipes  # noqa: PLC0415
    from ..sharing import reproduce as reproduction  # noqa: PLC0415

    read = recipes.read(Path(recipe))
    name, stated = read.document["dataset"], read.document["options"]
    if name not in datasets.names():
        msg = f"{recipe}: is for the dataset {name!r}, which this bidsify does not know"
        raise UsageError(msg)
    reproduction.require_other(Path(out), Path(recipe), read)
    opened = open_source(Path(source))
    bases = reproduction.bases_in(Path(source), opened.sizes, read)
    declared = _declared(Path(recipe), name, stated["label_table"])
    detection.require_fit(list(opened.sizes), declared)
    planned = plan_of(declared, opened).base if len(bases) != 1 else ""
    options = conversion.Options(
        workers=workers,
        participants=tuple(stated["participants"]),
    )
    base = reproduction.base_among(Path(source), bases, planned)
    try:
        done = conversion.convert(opened, Path(out), declared, options, watch)
        if done.pending:  # nobody else has to do with it
            options = replace(options, finalize=True)
            done = conversion.convert(opened, Path(out), declared, options, watch)
        found = reproduction.compare(Path(out), read, base, workers)
    except OSError as error:
        if error.filename:
            raise
        msg = f"{out}: {error.strerror or error}; run it again to go on, with room for the tree"
        raise UsageError(msg) from error
    return found if found.is_identical else replace(found, notes=(*found.notes, *done.failures))


def _declared(recipe: Path, name: str, table: str | None) -> Dataset:
    """Return the declaration with the label table that a recipe states."""
    dataset = datasets.load(name)
    if table is None:
        require_labels(dataset)
        return dataset
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label_table.tsv"
        path.write_bytes(table.encode("utf-8", "replace"))
        try:
            return with_label_table(dataset, path)
        except BidsifyError as error:
            said = str(error).replace(str(path), f"{recipe}: options.label_table")
            raise UsageError(said) from error
