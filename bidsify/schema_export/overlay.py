"""What our trees hold and BIDS has no name for yet, as an addition to the official schema.

With ``overlay(schema)`` in place of the schema the official validator, and ours, judge CT images,
points, meshes and tables of image quality by rules, instead of not looking at what
``.bidsignore`` lists. What the schema says itself stays as it is: a name that a later version of
BIDS defines is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import bids_schema, json_schema
from ..errors import UsageError

_MARK = "+bidsify"  # in the version, where versions may say who made them
_OPTIONAL, _REQUIRED = "optional", "required"
_DERIVATIVE = "dataset.dataset_description.DatasetType == 'derivative'"
_IMAGES = [".nii.gz", ".nii", ".json"]
_BESIDE = ["anat", "ct", "dwi", "pet"]  # datatypes whose images have points and meshes


def _name(title: str, description: str, **more: str) -> dict[str, str]:
    return {**more, "display_name": title, "description": description}


def _entities(*names: str, subject: str = _OPTIONAL) -> dict[str, str]:
    """Return what a rule says of entities; files at the root, inherited by all, have no subject."""
    return {"subject": subject, **dict.fromkeys(("session", *names), _OPTIONAL)}


_ACQUIRED = ("acquisition", "ceagent", "reconstruction", "run")
_DERIVED = (*_ACQUIRED, "chunk", "resolution", "space", "description")
_DRAWN = (*_DERIVED, "atlas", "segmentation", "label")

#: Laid over the schema key by key, in its own terms.
ADDED: Mapping[str, Any] = {
    "objects": {
        "datatypes": {
            "ct": _name("Computed Tomography", "Images of a CT scanner.", value="ct"),
        },
        "modalities": {"ct": _name("Computed Tomography", "Data acquired with a CT scanner.")},
        "suffixes": {
            "ct": _name("Computed tomography", "A CT image, in Hounsfield units.", value="ct"),
            "points": _name("Points", "Points on an image, a row each.", value="points"),
            "mesh": _name("Mesh", "A surface in the space of an image.", value="mesh"),
            "qc": _name("Quality", "Measures of the quality of an image.", value="qc"),
        },
        "extensions": {
            "stl": _name("STL", "A surface of triangles.", value=".stl"),
            "csv": _name("CSV", "A table with commas between cells.", value=".csv"),
        },
    },
    "rules": {
        "modalities": {"ct": {"datatypes": ["ct"]}},
        "files": {
            "raw": {
                "ct": {
                    "ct": {
                        "suffixes": ["ct"],
                        "extensions": _IMAGES,
                        "datatypes": ["ct"],
                        "entities": _entities(*_ACQUIRED, subject=_REQUIRED),
                    },
                },
            },
            "deriv": {
                "imaging": {
                    "ct_volumetric": {
                        "suffixes": ["ct"],
                        "extensions": _IMAGES,
                        "datatypes": ["ct"],
                        "entities": _entities(*_DERIVED),
                        "selectors": [_DERIVATIVE],
                    },
                    "points": {
                        "suffixes": ["points"],
                        "extensions": [".tsv", ".json"],
                        "datatypes": _BESIDE,
                        "entities": _entities(*_DRAWN),
                        "selectors": [_DERIVATIVE],
                    },
                    "mesh": {
                        "suffixes": ["mesh"],
                        "extensions": [".stl", ".json"],
                        "datatypes": _BESIDE,
                        "entities": _entities(*_DRAWN, "hemisphere", "density"),
                        "selectors": [_DERIVATIVE],
                    },
                    "qc": {
                        "suffixes": ["qc"],
                        "extensions": [".csv", ".json"],
                        "datatypes": _BESIDE,
                        "entities": _entities(*_DERIVED),
                        "selectors": [_DERIVATIVE],
                    },
                },
            },
        },
    },
}
#: Official rules of derivatives that hold in a further datatype: what is drawn on a CT image.
WIDENED: Mapping[str, Iterable[str]] = {
    "ct": ("anat_mask", "anat_discrete_segmentation", "anat_probabilistic_segmentation"),
}


def overlay(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with our additions; ``schema`` itself is left as it is."""
    merged = _merged(schema, ADDED)
    merged["schema_version"] = schema["schema_version"].removesuffix(_MARK) + _MARK
    rules = merged["rules"]["files"]["deriv"]["imaging"]
    for datatype, names in WIDENED.items():
        for name in names:
            datatypes = rules[name]["datatypes"]
            if datatype not in datatypes:
                rules[name] = {**rules[name], "datatypes": [*datatypes, datatype]}
    return merged


def document(name: str, *, is_overlaid: bool) -> Mapping[str, Any]:
    """Return a schema by name: ``bids`` is the official one, all others are JSON Schemas of ours.

    Raises:
        UsageError: an overlay of a schema that has none.
        SchemaError: there is no such schema.
    """
    if name == "bids":
        return overlay(bids_schema.schema()) if is_overlaid else bids_schema.schema()
    if is_overlaid:
        msg = "--overlay goes with: bidsify schema bids"
        raise UsageError(msg)
    return json_schema.load(name)


def _merged(ours: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Join two documents into a new one; where both state a value, that of the first holds."""
    merged = dict(ours)
    for key, value in added.items():
        if key not in merged:
            merged[key] = value
        elif isinstance(merged[key], Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(merged[key], value)
    return merged
