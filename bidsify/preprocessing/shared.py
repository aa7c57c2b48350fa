"""The files that belong to all studies: description, participants, label table, numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..engine.jobs import Unit
from ..errors import SourceError
from ..planning.description import BIDS_VERSION
from ..source import Source
from ..text_files import to_json, to_tsv
from ..tree_description import DESCRIPTION, parse_description
from ..version import RELEASED, __version__
from . import correspondence, labels, summary
from .jobs import StudyJob, quality_of
from .options import Options
from .summary import Row

VERSION = __version__
MEANS = "quality_means.tsv"
_LARGEST = 2**20
_IGNORED = ("**/xfm", "**/figures", "quality.*", "quality_means.*", "matches.json")
_TEXT = {
    "slices": "slices of the sequences matched one to one by their places in the scanner",
    "normalise": "resampled in the plane to 1 mm, centred on 224 x 224, values from 0 to 255",
    "affine": "each slice brought onto that of the reference by an affine map",
    "nonrigid": "then by a smooth displacement",
    "crop": "cropped to 128 x 128 around the heart",
}


def files(
    plan: Sequence[Unit],
    present: Collection[str],
    options: Options,
    folders: tuple[Source, Path],
) -> dict[str, bytes]:
    """Return target -> content, for the studies that have files in the tree.

    ``folders`` are the source and the root of the tree.
    """
    source, root = folders
    there = [unit for unit in plan if any(job.target in present for job in unit.jobs)]
    subjects = sorted({unit.subject for unit in there})
    made = {
        DESCRIPTION: to_json(_description(options, source)).encode(),
        "README.md": _readme(options).encode(),
        "CHANGES": f"{VERSION} {RELEASED}\n  - Preprocessed by bidsify {VERSION}.\n".encode(),
        ".bidsignore": "".join(f"{line}\n" for line in _IGNORED).encode(),
    }
    if not there:
        return made
    made["participants.tsv"] = to_tsv(("participant_id",), [[f"sub-{one}"] for one in subjects])
    made["participants.json"] = to_json({"Description": "Subjects of this dataset."}).encode()
    made["matches.json"] = to_json(_described(correspondence.COLUMNS)).encode()
    rows = _rows(there, present, root)
    made["quality.tsv"] = summary.to_tsv(rows)
    made["quality.json"] = to_json(summary.definitions()).encode()
    made[MEANS] = summary.means_to_tsv(rows)
    made["quality_means.json"] = to_json(summary.mean_definitions()).encode()
    return {**made, **_label_tables(present, root)}


def _described(columns: Mapping[str, str]) -> dict[str, object]:
    return {name: {"Description": text} for name, text in columns.items()}


def _rows(units: Sequence[Unit], present: Collection[str], root: Path) -> list[Row]:
    found: list[Row] = []
    for unit in units:
        for job in unit.jobs[:1]:
            if isinstance(job, StudyJob) and quality_of(job.study) in present:
                text = (root / quality_of(job.study)).read_text("utf-8")
                with suppress(ValueError):  # of another version, and not made anew by this run
                    found += summary.from_tsv(text)
    return found


def _label_tables(present: Collection[str], root: Path) -> dict[str, bytes]:
    """Return the table of the labels that are in the tree; one each where codings differ."""
    images = sorted(target for target in present if target.endswith("_dseg.nii.gz"))
    values = {target: _values(root / target) for target in images}
    tables = {
        target: labels.coding_of(found, target).table.to_tsv().encode()
        for target, found in values.items()
    }
    if len({*tables.values()}) == 1:
        return {"dseg.tsv": next(iter(tables.values()))}
    return {target.replace(".nii.gz", ".tsv"): table for target, table in tables.items()}


def _values(path: Path) -> set[int]:
    import nibabel as nib  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    image = nib.Nifti1Image.from_filename(path)
    return {int(value) for value in np.unique(np.asanyarray(image.dataobj))}


def _description(options: Options, source: Source) -> dict[str, object]:
    """Return the description: of a BIDS source its own, where that still holds."""
    stated = _stated(source)
    name, authors = stated.get("Name"), stated.get("Authors")
    title = f"{name}, preprocessed" if isinstance(name, str) else "Cardiac images, preprocessed"
    links = {"DOI": stated.get("DatasetDOI"), "Version": stated.get("DatasetVersion")}
    known = {key: value for key, value in links.items() if isinstance(value, str)}
    earlier = stated.get("SourceDatasets")
    return {
        "Name": f"{title} as for MyoPS380",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "License": _text(stated, "License", "That of the source dataset"),
        "Authors": authors if _are_texts(authors) else ["Those of the source dataset", "bidsify"],
        "HowToAcknowledge": _text(stated, "HowToAcknowledge", "Cite the source dataset."),
        "GeneratedBy": [
            {
                "Name": "bidsify",
                "Version": VERSION,
                "Description": f"Preprocessed: {', '.join(options.steps)}.",
            }
        ],
        "SourceDatasets": [known] if known else earlier or [{"Version": "n/a"}],
    }


def _stated(source: Source) -> Mapping[str, object]:
    """Return the description of a source that is in BIDS; empty where there is none to be read."""
    if not 0 < source.sizes.get(DESCRIPTION, 0) < _LARGEST:
        return {}
    try:
        content = source.read(DESCRIPTION)
    except SourceError:
        return {}
    return parse_description(content)[0]


def _text(stated: Mapping[str, object], key: str, otherwise: str) -> str:
    value = stated.get(key)
    return value if isinstance(value, str) and value else otherwise


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _readme(options: Options) -> str:
    steps = "\n".join(f"- {step}: {_TEXT[step]}" for step in options.steps)
    ways = []
    if options.has("slices"):
        ways.append(f"Slices further apart than {options.bound_mm:g} mm along their normal do not")
        ways[-1] += " match."
    if options.has("affine"):
        ways.append(f"Affine step by {options.guide}.")
    if options.has("nonrigid"):
        ways.append(f"Non-rigid step: {options.method}.")
    ways.append("Images are sampled once, linearly; labels by nearest neighbour.")
    return (
        "# Preprocessed cardiac images\n\n"
        "bSSFP, LGE and T2w of each study, after the pipeline that the description of MyoPS380 "
        f"gives:\n\n{steps}\n\n{' '.join(ways)}\n\n{_TRANSFORMS}"
        "`sub-*/figures/` has a page with pictures for each study, `quality.tsv` the numbers of "
        "each slice.\n"
    )


_TRANSFORMS = """\
`sub-*/xfm/` holds which slices matched, and for each sequence where each voxel comes from:

- `*_xfm.nii.gz`: all of it, as ITK applies it (millimetres, LPS). It brings anything that was drawn
  on the source, such as another mask, onto the images here:

      field = sitk.ReadImage("sub-1_acq-LGE_xfm.nii.gz", sitk.sitkVectorFloat64)
      moved = sitk.DisplacementFieldTransform(field)
      sitk.Resample(mask, image_here, moved, sitk.sitkNearestNeighbor)

  Where there is none, voxels lie where the header of the image says.
- `*_desc-affine_xfm.txt`: the same without the non-rigid step, one affine map for each slice.
- `*_xfm.json`: the steps one by one, with the crop, and what they mean.

"""
