"""What is done with studies: preprocess them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..source import open_source

if TYPE_CHECKING:
    from ..engine.output import OnExisting
    from ..engine.run import Watcher
    from ..engine.workers import Workers
    from ..preprocessing.options import Guide, Method
    from ..preprocessing.pipeline import Preprocessing
    from .sources import AnyPath


def preprocess(
    source: AnyPath,
    out: AnyPath,
    *,
    steps: tuple[str, ...] = (),
    bound_mm: float | None = None,
    guide: Guide = "masks+images",
    method: Method = "demons",
    weights: AnyPath | None = None,
    workers: Workers = 1,
    participants: tuple[str, ...] = (),
    on_existing: OnExisting = "resume",
    prove: bool = True,
    watch: Watcher = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Preprocessing:
    """Bring the sequences of cardiac studies onto each other, as MyoPS380 was made.

    Studies that fail are in ``failures`` of the result and do not stop the others.

    Args:
        source: A tree of :func:`convert`, names as in MyoPS 2020, or DICOM in SUBJECT/SERIES/.
        out: A new or empty folder, or one of an earlier run on the same source.
        steps: Of ``slices``, ``normalise``, ``affine``, ``nonrigid``, ``crop``; all by default.
        bound_mm: How far slices that match may be apart; 5 mm by default.
        guide: What drives the registration where there are masks.
        method: ``demons`` needs no training, ``voxelmorph`` the extra of that name.
        weights: A checkpoint of VoxelMorph; without one that of an earlier run into ``out`` is
            used, or it is trained on ``source``.
        workers: Number of processes, of which 1 is this one; or a :class:`bidsify.Cluster`.
        participants: Labels to process, with or without ``sub-``; all where none is given.
        on_existing: What to do with an output folder that is not empty.
        prove: Compare each image with its source by the transforms beside it.
        watch: Called with each unit, its outcomes, and how many of how many ended.
        say: Called with what a user may like to know meanwhile.

    Raises:
        UsageError: No study in the source, or the output folder is not ours.
    """
    from ..preprocessing import pipeline  # noqa: PLC0415  scipy takes half a second
    from ..preprocessing.correspondence import BOUND_MM  # noqa: PLC0415
    from ..preprocessing.options import Options, read_steps  # noqa: PLC0415

    bound = BOUND_MM if bound_mm is None else bound_mm
    options = Options(steps=read_steps(steps), bound_mm=bound, guide=guide, method=method)
    running = pipeline.Running(
        workers=workers,
        participants=participants,
        on_existing=on_existing,
        weights=None if weights is None else Path(weights),
        prove=prove,
    )
    opened = open_source(Path(source))
    return pipeline.preprocess(opened, Path(out), options, running, watch=watch, say=say)
