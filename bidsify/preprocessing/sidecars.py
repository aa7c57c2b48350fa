"""What the sidecars of images and labels say."""

from __future__ import annotations

from typing import Any

from . import jobs
from .outputs import Output

_TEXT = {
    "bSSFP": "Balanced SSFP, short axis.",
    "LGE": "Late gadolinium enhancement, short axis.",
    "T2w": "T2-weighted, short axis.",
}


def image(output: Output, name: str) -> dict[str, Any]:
    """Return the sidecar of the image of a sequence."""
    document = {**_common(output, name), "SkullStripped": False, "BodyPart": "HEART"}
    document["Description"] = f"{_TEXT[name]} {_registered(output, name)}"
    if name == "LGE":
        document["ContrastBolusIngredient"] = "GADOLINIUM"
    limits = output.registered.limits[name]
    if limits is not None:
        document["IntensityLimits"] = list(limits)  # of the source: they became 0 and 255
    return document


def labels(output: Output, name: str) -> dict[str, Any]:
    """Return the sidecar of its labels."""
    uri = f"bids::{jobs.image_of(output.study, name)}"
    record = f"bids::{jobs.xfm_of(output.study, name, '_xfm.json')}"
    drawn = output.study.labels
    return {
        **_common(output, name),
        "Description": "Labels of the heart, moved with their image; nearest neighbour.",
        "Sources": [uri, record],
        "SourceFiles": [drawn.get(name) or drawn[""]],
    }


def _common(output: Output, name: str) -> dict[str, Any]:
    options, home = output.options, output.home(name)
    fixed = f"bids::{jobs.image_of(output.study, home)}"
    record = f"bids::{jobs.xfm_of(output.study, name, '_xfm.json')}"
    found = {
        "Sources": [record] if name == home else [fixed, record],
        "SpatialReference": "orig" if name == home else fixed,
        "SourceFiles": list(output.study.images[name]),
        "Steps": list(options.steps),
        "SlicePlaces": [round(place, 3) + 0.0 for place in output.places(name)],
        "RegionOfInterestBy": output.registered.window.by if options.has("crop") else "none",
    }
    if name != home:
        slices = output.registered.slices[name]
        found["RegisteredTo"] = home
        found["RegisteredBy"] = sorted({moved.guide for moved in slices})
        found["NonRigidMethod"] = sorted({moved.method for moved in slices})
    return found


def _registered(output: Output, name: str) -> str:
    if output.home(name) == name:
        is_reference = output.options.registers
        return "Its slices are the reference of the study." if is_reference else "Not registered."
    ways = {moved.guide for moved in output.registered.slices[name]}
    how = " and ".join(sorted(ways))
    text = f"Registered to {output.reference} slice by slice, by {how}."
    if ways == {"images"} and output.options.guide != "images":
        text += " No masks could guide it: this is a fallback."
    return text
