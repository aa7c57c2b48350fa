"""A synthetic dataset of any size, raw or derivative, that every validator should accept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mutating.images import nifti, pack

CONTRASTS = ("T1w", "T2w", "FLAIR")
LABELS = "index\tname\tabbreviation\tcolor\n1\ttumor core\tTC\t#FF0000\n2\tedema\tED\t#00FF00\n"
README = "A synthetic dataset: a few images of zeros per subject, to measure validators with.\n" * 4


def tree(subjects: int, *, raw: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file; 8 a subject and 7 in the root (raw: 8 and 4)."""
    names = [f"sub-{number:05}" for number in range(1, subjects + 1)]
    yield from _root(names, raw=raw)
    kinds = (*CONTRASTS, "PDw") if raw else CONTRASTS
    images = {kind: pack(nifti((4, 4, 4))) for kind in kinds}
    for number, name in enumerate(names, 1):
        start = f"{name}/anat/{name}_"
        for order, (kind, image) in enumerate(images.items()):
            yield f"{start}{kind}.nii.gz", image
            yield f"{start}{kind}.json", _sidecar(number, order, raw=raw)
        if not raw:
            yield f"{start}desc-tumor_dseg.nii.gz", pack(nifti((4, 4, 4)))
            yield f"{start}desc-tumor_dseg.tsv", LABELS.encode()


def write(root: Path, subjects: int, *, raw: bool = False) -> int:
    """Write a tree into a folder and return the number of files."""
    count, folder = 0, None
    for path, data in tree(subjects, raw=raw):
        target = root / path
        if target.parent != folder:
            folder = target.parent
            folder.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        count += 1
    return count


def _root(names: list[str], *, raw: bool) -> Iterator[tuple[str, bytes]]:
    description: dict[str, object] = {
        "Name": "Synthetic",
        "BIDSVersion": "1.11.1",
        "DatasetType": "raw" if raw else "derivative",
        "License": "CC0",
        "Authors": ["A. Author", "B. Author"],
    }
    if not raw:
        description["GeneratedBy"] = [{"Name": "synthetic", "Version": "1"}]
        description["SourceDatasets"] = [{"URL": "https://example.org/source"}]
    yield "dataset_description.json", _json(description)
    yield "README.md", README.encode()
    rows = (
        f"{name}\t{20 + len(name) % 7 + at % 60}\t{'MF'[at % 2]}\n" for at, name in enumerate(names)
    )
    yield "participants.tsv", ("participant_id\tage\tsex\n" + "".join(rows)).encode()
    yield (
        "participants.json",
        _json(
            {
                "age": {"Description": "age of the participant", "Units": "year"},
                "sex": {"Description": "sex", "Levels": {"M": "male", "F": "female"}},
            }
        ),
    )
    if not raw:
        yield "CHANGES", b"1.0.0 2024-01-01\n  - Initial release\n"
        yield "desc-tumor_dseg.json", _json({"Manual": True, "SpatialReference": "orig"})
        yield "descriptions.tsv", b"desc_id\tdescription\ndesc-tumor\tregions drawn by hand\n"


def _sidecar(number: int, order: int, *, raw: bool) -> bytes:
    """Return a sidecar; some keys are the subject's own, so that no cache can hold them all."""
    return _json(
        {
            "Manufacturer": ("Siemens", "GE", "Philips")[number % 3],
            "ManufacturersModelName": f"Model {number % 11}",
            "MagneticFieldStrength": (1.5, 3.0)[number % 2],
            "DeviceSerialNumber": f"{number:08}",
            "InstitutionName": f"Hospital {number % 97}",
            "MRAcquisitionType": "3D",
            "RepetitionTime": 2.0 + number / 100_000,
            "EchoTime": 0.003 + order / 100 + number / 10_000_000,
            "FlipAngle": 8 + order,
            "ImagedNucleus": "1H",
            "PulseSequenceType": "gradient echo",
            "ReceiveCoilName": "HeadMatrix",
            "ReceiveCoilActiveElements": "HEA;HEP",
            "SoftwareVersions": "syngo MR E11",
            "NonlinearGradientCorrection": False,
            "ImageType": ["ORIGINAL", "PRIMARY", f"V{number % 13}"],
            "SeriesNumber": order + 2,
            "ProtocolName": f"series {order} of {number}",
        }
        | ({} if raw else {"SkullStripped": True})
    )


def _json(document: object) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
