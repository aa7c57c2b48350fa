"""Signed distance maps of the outlines of the heart: what registration by masks compares."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..errors import SourceError
from ..volume import Array
from .stack import Pair


def signed_distance(mask: Array, reach: float) -> Array:
    """Return the distance of each pixel to the outline of a mask, in pixels, positive inside.

    Float32 of the shape of ``mask``, cut off at -``reach`` and ``reach``; the outline itself, at
    0, lies between pixels. Nothing but -``reach`` for an empty mask.
    """
    inside = np.asarray(mask) > 0
    found = np.full(inside.shape, -reach, np.float32)
    if not inside.any():
        return found
    around = box(inside, int(np.ceil(reach)) + 1)
    part = inside[around]
    if part.all():
        found[around] = reach
        return found
    within = ndimage.distance_transform_edt(part)
    beyond = ndimage.distance_transform_edt(~part)
    signed = np.where(part, within - 0.5, 0.5 - beyond)
    found[around] = np.clip(signed, -reach, reach)
    return found


def box(mask: Array, margin: int) -> tuple[slice, slice]:
    """Return the rectangle of what is not 0 in a plane, with a margin, within the plane."""
    ranges = []
    for axis in (1, 0):
        (hit,) = np.nonzero(np.any(mask, axis=axis))
        size = mask.shape[1 - axis]
        ranges.append(slice(max(0, int(hit[0]) - margin), min(size, int(hit[-1]) + margin + 1)))
    return ranges[0], ranges[1]


def masks_of(pair: Pair, name: str = "") -> tuple[Array, Array]:
    """Return the masks of both slices, (2, N, N) of bool; ``name`` says whose they are.

    Raises:
        SourceError: There are none, or no myocardium in one of them.
    """
    found = []
    for which, masks in (("fixed", pair.fixed_masks), ("moving", pair.moving_masks)):
        if masks is None or not np.any(masks[0]):
            message = f"{name or 'slice'}: no myocardium in the mask of the {which} slice; "
            raise SourceError(message + "give a mask, or register by the images alone")
        found.append(np.asarray(masks) > 0)
    return found[0], found[1]


def outlines(pair: Pair, reach: float, name: str = "") -> tuple[Array, Array]:
    """Return the distance maps of the fixed and of the moving slice, (C, N, N) each.

    The outer outline of the myocardium and that of the blood in it; of the myocardium alone where
    it does not close around blood in both slices.

    Raises:
        SourceError: There is no mask, or it is empty; the message begins with ``name``.
    """
    both = masks_of(pair, name)
    closed = all(np.any(masks[1] & ~masks[0]) for masks in both)
    found = []
    for masks in both:
        regions = (masks[1], masks[1] & ~masks[0]) if closed else (masks[0],)
        found.append(np.stack([signed_distance(region, reach) for region in regions]))
    return found[0], found[1]
