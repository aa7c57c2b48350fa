"""How large an image is by its header, and whether its file can hold that."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from ..context import Context
from ..files.extent import BITS, SMALLEST, size_of
from ..files.headers import HEAD, Nifti
from .registry import Fault, header_check, is_image

MOST_AXES = 7
#: Deflate makes no more than this of one byte.
RATIO = 1032
_STUB_PLAIN = 544  # the longest header, with the four bytes that announce extensions
_STUB = 4096  # bytes: a compressed file below this may be a header and nothing else


@header_check("NIFTI_IMPLAUSIBLE", on=is_image)
def headers_are_plausible(context: Context) -> Iterator[Fault]:
    """A header states a grid that can be, and no more voxels than fit into the file.

    A file that ends with its header is left to the level of voxels: collections of examples
    hold such files on purpose.
    """
    header = context.header
    if header is None or context.file is None:
        return
    if fault := impossible(header):
        yield Fault(fault, "dim")
        return
    needed = size_of(header)
    size = context.file.size
    if size >= HEAD:  # as much as was read; how much more there is, only the disk knows
        try:
            size = os.stat(context.file.location).st_size  # noqa: PTH116  50,000 images
        except OSError:
            return
    if context.gzip is None and not context.extension.endswith(".gz"):
        if _STUB_PLAIN < size < SMALLEST + needed:
            yield Fault(f"{needed} bytes of voxels in a file of {size} bytes", "dim")
    elif size > _STUB and needed > size * RATIO:
        yield Fault(f"{needed} bytes of voxels cannot come out of {size} compressed ones", "dim")


def impossible(header: Nifti) -> str:
    """Say why no image can be like this, or nothing where one can."""
    count = header.dims[0]
    if not 1 <= count <= MOST_AXES:
        return f"{count} axes; there are 1 to {MOST_AXES}"
    if min(header.dims[1 : count + 1]) < 1:
        return f"a grid of {' x '.join(map(str, header.dims[1 : count + 1]))} voxels"
    if header.datatype not in BITS:
        return f"NIfTI has no data type {header.datatype}"
    if not all(map(math.isfinite, header.context["voxel_sizes"])):
        return f"voxel sizes {header.context['voxel_sizes']}"
    return ""
