"""Tiny NIfTI files that fit their sidecars, for examples whose images are empty."""

from __future__ import annotations

import gzip
import io
import json
import math
import struct

from mutating.tree import Name, Tree, content

EMPTY_BY_DESIGN = (".tif", ".btf", ".png", ".jpg", ".vhdr", ".vmrk")


def nifti(
    shape: tuple[int, ...],
    *,
    pixdim: tuple[float, ...] = (1, 1, 1, 1),
    units: int = 10,
    codes: tuple[int, int] = (0, 1),
    order: str = "<",
    rows: tuple[tuple[float, ...], ...] = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)),
) -> bytes:
    """Return a NIfTI-1 file of zeros as one byte per voxel."""
    dim = (len(shape), *shape, *[1] * (7 - len(shape)))
    steps = (1.0, *pixdim, *[1.0] * (7 - len(pixdim)))
    header = struct.pack(order + "i36s8h", 348, bytes(36), *dim)
    header += struct.pack(order + "3fhhhh", 0, 0, 0, 0, 2, 8, 0)
    header += struct.pack(order + "8f3fhBB", *steps, 352, 1, 0, 0, 0, units)
    header += struct.pack(order + "4f2i80s24s2h", 0, 0, 0, 0, 0, 0, bytes(80), bytes(24), *codes)
    header += struct.pack(order + "6f12f16s4s", *[0] * 6, *sum(rows, ()), bytes(16), b"n+1\0")
    return header + bytes(4) + bytes(math.prod(max(side, 0) for side in shape))


def pack(data: bytes, name: str = "", seconds: int = 0) -> bytes:
    """Return gzip, with a name and a time in its header where asked for."""
    stream = io.BytesIO()
    with gzip.GzipFile(name, "wb", 6, stream, seconds) as packed:
        packed.write(data)
    return stream.getvalue()


def fill(tree: Tree, *, chatty: bool = False) -> None:
    """Give every empty file a content; a chatty tree gets names and times into its gzip files."""
    for path in tree:
        blank = not content(tree, path).strip()
        if not blank or path.endswith((*EMPTY_BY_DESIGN, ".json", ".tsv", "/")):
            continue
        name = path.rpartition("/")[2].removesuffix(".gz") if chatty else ""
        seconds = 1_500_000_000 if chatty else 0
        if path.endswith((".nii", ".nii.gz")):
            made = _image(tree, path)
            tree[path] = pack(made, name, seconds) if path.endswith(".gz") else made
        elif path.endswith(".tsv.gz"):
            columns = sidecar(tree, path).get("Columns")
            width = len(columns) if isinstance(columns, list) else 3
            tree[path] = pack(("\t".join(["0.5"] * width) + "\n").encode() * 3, name, seconds)
        elif "/" in path:
            tree[path] = b"stand-in\n"


def sidecar(tree: Tree, path: str) -> dict[str, object]:
    """Return what the JSON files above a data file say, the nearest last."""
    return _merge(tree, _above(tree, path, ".json"))


def _image(tree: Tree, path: str) -> bytes:
    name, said = Name.of(path), sidecar(tree, path)
    slices = said.get("SliceTiming")
    depth = len(slices) if isinstance(slices, list) and slices else 2
    repetition = said.get("RepetitionTime")
    step = float(repetition) if isinstance(repetition, int | float) else 1.0
    frames = _frames(tree, path, name, said, step)
    shape = (2, 2, depth, frames) if frames else (2, 2, depth)
    return nifti(shape, pixdim=(1, 1, 1, step))


def _frames(tree: Tree, path: str, name: Name, said: dict[str, object], step: float) -> int:
    """Return the length of the fourth axis that the files around an image ask for, 0 for none."""
    match name.suffix:
        case "dwi":
            tables = _above(tree, path, ".bval")
            return len(content(tree, tables[-1]).split()) if tables else 2
        case "asl":
            tables = _above(tree, path, ".tsv", "aslcontext")
            return content(tree, tables[-1]).strip().count(b"\n") if tables else 2
        case "pet":
            starts = said.get("FrameTimesStart")
            return len(starts) if isinstance(starts, list) else 1
        case "bold":
            tables = _above(tree, path, ".tsv", "events")
            onsets = [0.0]
            for line in content(tree, tables[-1]).decode().splitlines() if tables else ():
                onset = line.split("\t")[0]
                onsets.extend([float(onset)] if onset.replace(".", "", 1).isdigit() else [])
            return min(2000, max(10, math.ceil(1.3 * max(onsets) / (step or 1))))
        case "cbv" | "phase" | "svs" | "mrsi" | "epi":
            return 3
    return 0


def _above(tree: Tree, path: str, extension: str, suffix: str = "") -> list[str]:
    """Return the files that a data file inherits from, the nearest last."""
    name = Name.of(path)
    found = [
        (other.folder.count("/") + bool(other.folder), len(other.entities), other.path)
        for other in map(Name.of, tree)
        if other.extension == extension
        and other.suffix == (suffix or name.suffix)
        and (not other.folder or f"{path}/".startswith(f"{other.folder}/"))
        and set(other.entities) <= set(name.entities)
    ]
    return [one for *_, one in sorted(found)]


def _merge(tree: Tree, paths: list[str]) -> dict[str, object]:
    merged: dict[str, object] = {}
    for path in paths:
        try:
            document = json.loads(content(tree, path))
        except ValueError:
            continue
        merged.update(document if isinstance(document, dict) else {})
    return merged
