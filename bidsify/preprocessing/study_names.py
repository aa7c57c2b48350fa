"""What the names of files and series say of a cardiac study: subject, sequence, image or mask."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Names that tell of no short-axis stack of the three sequences.
_OTHER = re.compile(
    r"map|molli|scout|locali[sz]|survey|perf|flow|tagg|[2-5][ _-]?ch"
    r"|(?<![a-z])(?:lax|vla|hla|lvot|rvot)(?![a-z])"
)
# The first that fits counts: many LGE and T2w sequences read out by TrueFISP.
_WORDS = (
    ("LGE", re.compile(r"lge|psir|(?<![a-z])(?:de(?![a-z])|late|delayed)")),
    ("T2w", re.compile(r"(?<![a-z])t2(?!\*|[ _-]?star)|stir")),
    ("bSSFP", re.compile(r"cine|trufi|true?fisp|ssfp|fiesta|(?<![a-z])c0(?!\d)")),
)
_MASK = re.compile(r"(?<![a-z])(?:masks?|labels?|seg(?:mentation)?|gd|gt)(?![a-z])")
_NIFTI = re.compile(r"\.nii(?:\.gz)?$")
_BIDS = re.compile(r"(?:^|/)(sub-[a-zA-Z0-9]+)/(?:(ses-[a-zA-Z0-9]+)/)?anat/\1_(.+)$")
_ACQUISITION = re.compile(r"(?:^|_)acq-(bSSFP|LGE|T2w)(?:_|$)")
_NATIVE = re.compile(
    r"(?P<case>.+)_(?P<word>C0|bSSFP|cine|DE|LGE|PSIR|T2w?|STIR)"
    r"(?P<mask>_(?:masks?|labels?|seg|gd))?$"
)
_LABELS = re.compile(r"(?P<case>.+)_(?:gd|gt)$")
_BY_FOLDER = re.compile(r"(?:^|/)(?P<folder>bSSFP|LGE|T2w)/(?P<case>[^/]+)$")


@dataclass(frozen=True, slots=True)
class Role:
    """What a file is: an image, or labels, of a sequence; ``sequence`` "" stands for all three.

    ``study`` is the same for all files of a study: a folder, or the start of their names.
    """

    study: str
    sequence: str
    is_labels: bool = False


def sequence(text: str) -> str | None:
    """Return the sequence that a name tells of; "" for a name that tells of another one.

    >>> sequence("PSIR_trufi_sax"), sequence("cine_trufi_4ch"), sequence("series_7")
    ('LGE', '', None)
    """
    lower = text.lower()
    if _OTHER.search(lower):
        return ""
    return next((name for name, words in _WORDS if words.search(lower)), None)


def is_bids(paths: Iterable[str]) -> bool:
    """Say whether files lie as in a BIDS tree, with the sequences as ``acq``."""
    return any(role is not None and role.sequence for role in map(bids, paths))


def bids(path: str) -> Role | None:
    """Return what a file of a BIDS tree is."""
    stem, found = _stem(path), _BIDS.search(_stem(path))
    if stem == path or found is None or path.startswith(("derivatives/", "sourcedata/")):
        return None
    study = "/".join(filter(None, found.groups()[:2]))
    acquisition, suffix = _ACQUISITION.search(found[3]), found[3].rpartition("_")[2]
    name = acquisition[1] if acquisition else ""
    if suffix == "dseg":
        return Role(study, name, is_labels=True)
    is_mask = suffix in {"mask", "probseg"}
    return Role(study, name) if name and not is_mask else None


def native(path: str, homes: frozenset[str]) -> Role | None:
    """Return what a NIfTI file is; ``homes`` are folders of subjects that hold DICOM series."""
    stem = _stem(path)
    if stem == path:
        return None
    name, home = stem.rpartition("/")[2], _home(path, homes)
    if home is None:
        if folder := _BY_FOLDER.search(stem):
            return Role(folder["case"], folder["folder"])
        if match := _NATIVE.fullmatch(name):
            return Role(match["case"], sequence(match["word"]) or "", bool(match["mask"]))
        if match := _LABELS.fullmatch(name):
            return Role(match["case"], "", is_labels=True)
    of, is_labels = sequence(name), bool(_MASK.search(name.lower()))
    if of or (of is None and is_labels):
        return Role(path.rpartition("/")[0] if home is None else home, of or "", is_labels)
    return None


def label(study: str) -> str:
    """Return the label of a study's subject in names of BIDS.

    >>> label("myops_training_101"), label("case0001"), label("sub-07/ses-1"), label("in/P 3")
    ('101', '0001', '07', 'P3')
    """
    name = study.partition("/")[0] if study.startswith("sub-") else study.rpartition("/")[2]
    return plain(re.sub(r"^(?:myops_(?:training|test)_|case(?=\d)|sub-)", "", name))


def plain(text: str) -> str:
    """Return the letters and digits of a text."""
    return re.sub(r"[^a-zA-Z0-9]", "", text)


def _stem(path: str) -> str:
    return _NIFTI.sub("", path)


def _home(path: str, homes: frozenset[str]) -> str | None:
    """Return the folder of the subject: that of the file, or the one above."""
    folder = path.rpartition("/")[0]
    above = folder.rpartition("/")[0]
    return next((one for one in (folder, above) if one in homes), None)
