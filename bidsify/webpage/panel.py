"""The viewer of a gallery: its controls, and the volumes that it unpacks in the browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..printable import printable
from ..survey.values import Scheme, Survey
from . import geometry
from .cards import Card, Window
from .meshes import Mesh, Meshes
from .packing import Packed

_PLANES = ("axial", "coronal", "sagittal")
_ENDS = ("left", "top", "right", "bottom")


def _figure(plane: str) -> str:
    ends = "".join(f'<span class="end {end}" data-end="{end}"></span>' for end in _ENDS)
    return (
        f'<figure><div class="picture"><canvas data-plane="{plane}" tabindex="0"></canvas>'
        f"{ends}</div><figcaption>{plane}</figcaption></figure>\n"
    )


_OUTPUTS = (("ijk", "Voxel"), ("mm", "world (mm)"), ("value", "value"), ("label", "label"))
_READOUT = "; ".join(f'{name} <output id="viewer-{key}"></output>' for key, name in _OUTPUTS)
_CONTROLS = """<p><label>Contrast <select id="viewer-contrast"></select></label>
<label>Window from <input type="number" step="any" id="viewer-low"></label>
<label>to <input type="number" step="any" id="viewer-high"></label>
<label>Opacity <input type="range" min="0" max="100" value="50" id="viewer-opacity"></label>
<label><input type="checkbox" id="viewer-outline"> outlines</label></p>
<div id="viewer-labels"></div>
"""
_NIIVUE_CONTROLS = """<p><label>Contrast <select id="viewer-contrast"></select></label>
<label>Volume <input type="range" min="0" max="0" value="0" id="viewer-frame"></label>
<label>Opacity <input type="range" min="0" max="100" value="50" id="viewer-opacity"></label></p>
<div id="viewer-meshes"></div>
"""
_HEAD = """<h3><span id="viewer-case"></span>
<button type="button" id="viewer-close">Close</button></h3>
"""


def canvas_panel() -> str:
    """Return the three planes, what can be set of them, and what is at the crosshair."""
    planes = "".join(map(_figure, _PLANES))
    return (
        f'<div id="viewer" hidden>\n{_HEAD}<div id="viewer-planes">\n{planes}</div>\n'
        f'<p>{_READOUT}</p>\n{_CONTROLS}<p class="note" id="viewer-note"></p>\n</div>\n'
    )


def niivue_panel() -> str:
    """Return the canvas of NiiVue, what can be set of it, and what is at the crosshair."""
    return (
        f'<div id="viewer" hidden>\n{_HEAD}<div id="viewer-large">'
        f'<canvas id="viewer-canvas"></canvas></div>\n<p>{_READOUT}</p>\n'
        f'{_NIIVUE_CONTROLS}<p class="note" id="viewer-note"></p>\n</div>\n'
    )


def block(name: str, text: str) -> str:
    """Return a data block: gzip in base64, which the scripts find by its name."""
    return f'<script type="application/gzip+base64" id="{name}">{text}</script>\n'


def data(
    survey: Survey,
    shown: Sequence[Card],
    windows: Mapping[str, Window],
    meshes: Meshes | None = None,
) -> str:
    """Return the data blocks of the page: what the scripts know of the cases, and the volumes."""
    blocks = dict[str, str]()
    cases = []
    for card in shown:
        found = _case(card, windows, blocks)
        surfaces = () if meshes is None else meshes.of(card.facts.case)
        notes = (found["note"], *(printable(mesh.note) for mesh in surfaces))
        more = {"meshes": _surfaces(surfaces, blocks), "note": " ".join(filter(None, notes))}
        cases.append(found | more)
    document = {
        "key": _key(survey),
        "tables": [_table(scheme) for scheme in survey.schemes],
        "cases": cases,
    }
    return (
        f'<script type="application/json" id="gallery-data">{_json(document)}</script>\n'
        + "".join(block(name, text) for name, text in blocks.items())
    )


def _key(survey: Survey) -> str:
    """Return what ratings are remembered by: the cases with their labels, and the record."""
    cases = [
        (one.case.name, one.case.segmentation, one.shape, [(e.value, e.voxels) for e in one.labels])
        for one in survey.cases
    ]
    made = asdict(survey.made) if survey.made else None
    text = json.dumps([survey.about.name, made, cases], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _json(document: object) -> str:
    """Write JSON that cannot end the element that it is in."""
    plain = json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return plain.replace("<", "\\u003c")


def _surfaces(meshes: Sequence[Mesh], blocks: dict[str, str]) -> list[dict[str, Any]]:
    """Return names and blocks of surfaces."""
    found = []
    for mesh in meshes:
        if mesh.text:
            name = _block("mesh", mesh.text, blocks)
            title = printable(PurePosixPath(mesh.path).name)
            found.append({"id": name, "name": title, "turned": mesh.system == "LPS"})
    return found


def _table(scheme: Scheme) -> dict[str, list[str]]:
    return {
        str(value): [printable(scheme.names.get(value) or f"no name ({value})"), color]
        for value, color in scheme.colors.items()
    }


def _case(card: Card, windows: Mapping[str, Window], blocks: dict[str, str]) -> dict[str, Any]:
    """Return what the viewer knows of a case; its volumes are added to ``blocks``."""
    pictures, case = card.pictures, card.facts.case
    unit = "" if card.facts.in_mm else "The header states no unit: lengths are taken as mm."
    found: dict[str, Any] = {
        "name": printable(case.name),
        "subject": printable(case.subject),
        "table": card.facts.scheme,
        "note": printable(" ".join(filter(None, (pictures.fault, *pictures.notes, unit)))),
    }
    if pictures.affine is None:
        return found
    spacing = geometry.spacing(pictures.affine)
    return found | {
        "shape": pictures.shape,
        "step": pictures.step,
        "start": pictures.start,
        "affine": pictures.affine[:3].tolist(),
        "inverse": np.linalg.inv(pictures.affine)[:3].tolist(),
        "axes": pictures.axes,
        "spacing": [size * by for size, by in zip(spacing, pictures.step, strict=True)],
        "present": pictures.present,
        "labels": pictures.labels and _packed(pictures.labels, blocks),
        "images": [
            {
                "contrast": printable(image.contrast),
                "window": windows[image.contrast],
                "frames": image.volumes,
                **_packed(image.packed, blocks),
            }
            for image in pictures.images
        ],
    }


def _packed(packed: Packed, blocks: dict[str, str]) -> dict[str, Any]:
    table = {"table": packed.table} if packed.table else {}
    return table | {
        "id": _block("volume", packed.text, blocks),
        "bytes": packed.bytes,
        "slope": packed.slope,
        "inter": packed.inter,
        "exact": packed.exact,
        "void": packed.void,
    }


def _block(kind: str, text: str, blocks: dict[str, str]) -> str:
    """Add a block and return its name: by the content, so what is equal is there once."""
    name = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    blocks[name] = text
    return name
