"""Write the Vestibular-Schwannoma-SEG layouts: DICOM series with contours, of four people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import native
from .schwannoma_cases import CASES
from .schwannoma_series import Series

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONVENIENT = {"RTSTRUCT": "RTSS.dcm", "RTPLAN": "RTPLAN.dcm", "RTDOSE": "RTDOSE.dcm"}
_COLLECTION = "manifest-1614264588831/Vestibular-Schwannoma-SEG"
_STYLES = ("descriptive", "classic")


def make(folder: Path) -> None:
    """Write the cases below ``folder`` as the authors' script leaves the download."""
    for series in _all_series():
        place = folder / series.name
        for number, content in enumerate(series.slices()):
            native.save(place / f"IMG{number:010d}.dcm", content)
        for modality, content in series.radiotherapy().items():
            native.save(place / _CONVENIENT[modality], content)
        native.save(place / "contours.json", series.contours())
        native.save(place / series.registration_name, series.registration())


def tcia(folder: Path, *, style: str) -> None:
    """Write the cases below ``folder`` as they come from the archive.

    ``style`` is ``descriptive`` or ``classic``, the two ways of its downloader to name folders.

    Raises:
        ValueError: Another style.
    """
    if style not in _STYLES:
        message = f"no style {style!r}; there are {', '.join(_STYLES)}"
        raise ValueError(message)
    rows = ["Classic Directory Name,Descriptive Directory Name,Modality"]
    for series in _all_series():
        contents = {"MR": series.slices()}
        contents |= {kind: [content] for kind, content in series.radiotherapy().items()}
        for kind, files in contents.items():
            names = {"classic": _classic(series, kind), "descriptive": _descriptive(series, kind)}
            for number, content in enumerate(files, start=1):
                file = f"1-{number:03d}.dcm" if style == "descriptive" else f"{number:08d}.dcm"
                native.save(folder / _COLLECTION / names[style] / file, content)
            modality = f"{series.weighting.upper()} {'image' if kind == 'MR' else kind}"
            rows.append(f"{names['classic']},{names['descriptive']},{modality}")
        native.save(folder / "contours" / series.name / "contours.json", series.contours())
        place = folder / "registration_matrices" / series.name / series.registration_name
        native.save(place, series.registration())
    native.save(folder / "DirectoryNamesMappingModality.csv", "\n".join((*rows, "")))


def _all_series() -> Iterator[Series]:
    for case in CASES:
        yield from (Series(case, weighting) for weighting in ("t1", "t2"))


def _classic(series: Series, kind: str) -> str:
    return f"{series.patient}/{series.study}/{series.uid(kind)}"


def _descriptive(series: Series, kind: str) -> str:
    """Name the folders by date, description and the last digits of the identifiers."""
    sequence = {"t1": "2.000000-t1fl3dtragkv1", "t2": "3.000000-t2ci3dtra1.5mmv2448"}
    text = sequence[series.weighting] if kind == "MR" else "NA-NA"
    study = f"08-07-1992-NA-MRI-{series.study[-5:]}"
    return f"{series.patient}/{study}/{text}-{series.uid(kind)[-5:]}"
