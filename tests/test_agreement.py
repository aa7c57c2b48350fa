"""Small broken trees: errors and warnings are those of the official validator."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bidsschematools
import numpy as np
import pytest
from bids_trees import (
    BOLD,
    BOLD_JSON,
    DESCRIPTION,
    PHYSIO,
    PHYSIO_JSON,
    T1W,
    T1W_JSON,
    Content,
    derivative,
    image,
    raw,
    write,
)
from builders import gzipped, nifti

import bidsify
from bidsify.validation.codes import official_codes

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
RULES = Path(bidsschematools.__file__).parent / "data" / "schema.json"
SEVERITIES = ("error", "warning")
Said = set[tuple[str, str, str]]

EVENTS = BOLD.replace("bold.nii.gz", "events.tsv")
DWI = "sub-01/dwi/sub-01_dwi"
TABLE = "participants.tsv"
GONE: Content = b"gone"  # stands for a file that is taken away


def physio(columns: Any, content: bytes) -> dict[str, Content]:
    keys = {"SamplingFrequency": 10, "StartTime": 0, "Columns": columns}
    return {PHYSIO: content, PHYSIO_JSON: keys}


def without_space() -> bytes:
    """An image whose affine holds no number."""
    content = bytearray(nifti(np.zeros((2, 2, 2), "i2"), np.eye(4)))
    struct.pack_into("<f", content, 280, float("nan"))
    return gzipped(bytes(content))


def ome(text: str) -> bytes:
    """A TIFF file of one tag, the description."""
    words = text.encode() + b"\0"
    tag = struct.pack("<HHII", 270, 2, len(words), 26)
    return struct.pack("<2sHIH", b"II", 42, 8, 1) + tag + bytes(4) + words


OME = (
    '<OME><Image><Pixels PhysicalSizeX="1nm" PhysicalSizeXUnit="µm"/></Image></OME>',
    '<OME><Image><Pixels PhysicalSizeX="1"/></Image><Image/></OME>',
    '<o:OME xmlns:o="x"><o:Image><o:Pixels PhysicalSizeX="1"/></o:Image></o:OME>',
    '<OME><Image><Pixels PhysicalSizeX="2" PhysicalSizeY="1" PhysicalSizeZ="x"/></Image></OME>',
)
#: What each tree has beside or instead of the files of a sound one; several faults each.
RAW: dict[str, dict[str, Content]] = {
    "sound": {},
    "names": {
        "notes.docx": "x",
        "sub-01/anat/sub-01_T1W.nii.gz": image(2, 2, 2),
        "sub-01/anat/sub-01_acq_T1w.nii.gz": image(2, 2, 2),
        "sub-01/anat/sub-01_run-x_T1w.nii.gz": image(2, 2, 2),
        "sub-01/anat/sub-01_run-1_acq-a_T1w.nii.gz": image(2, 2, 2),
        "sub-01/anat/sub-01_hemi-L_T1w.nii.gz": image(2, 2, 2),
        "sub-01/func/sub-01_T2w.nii.gz": image(2, 2, 2),
    },
    "places": {
        "sub-01/anat/sub-02_T1w.nii.gz": image(2, 2, 2),
        "sub-01_T2w.nii.gz": image(2, 2, 2),
        "sub-01/ses-a/anat/sub-01_T2w.nii.gz": image(2, 2, 2),
        "sub-01/extra/x.txt": "x",
        "derivatives/x.txt": "x",
    },
    "case": {"readme": "x" * 200, "sub-01/anat/SUB-01_T1w.nii.gz": image(2, 2, 2)},
    "ignored": {
        ".bidsignore": "*.docx\n!keep.docx\nextra\nother/\n[z-a]\n",
        "a.docx": "x", "keep.docx": "x", "extra/x": "x", "other/x": "x",
    },
    "no description": {DESCRIPTION: GONE},
    "odd description": {DESCRIPTION: {"Name": 5, "BIDSVersion": "1.10.0", "DatasetType": ["raw"]}},
    "list for a description": {DESCRIPTION: []},
    "empty files": {T1W: b"", T1W_JSON: b"", TABLE: b"", "README": b""},
    "broken texts": {T1W_JSON: "{", BOLD_JSON: "[]", TABLE: b"participant_id\n\xff\n"},
    "byte order mark": {T1W_JSON: b"\xef\xbb\xbf{}", TABLE: "\ufeffparticipant_id\nsub-01\n"},
    "ragged": {TABLE: "participant_id\tage\nsub-01\n"},
    "empty line": {TABLE: "participant_id\n\nsub-01\n"},
    "same header twice": {TABLE: "participant_id\tage\tage\nsub-01\t1\t2\n"},
    "columns": {
        TABLE: "age\tparticipant_id\tmine\tsex\n95\tsub-01\tx\tz\n89+\tsub-02\ty\tF\n",
        EVENTS: "duration\tonset\n-1\tx\n",
    },
    "described columns": {
        TABLE: "participant_id\tage\ta\tb\nsub-01\t20\tx\t5\n",
        "participants.json": {
            "age": {"Units": "month"}, "a": {"Levels": {"y": "Y"}}, "b": {"Maximum": 4},
        },
        EVENTS: "onset\tduration\n1\t2\n",
        EVENTS.replace(".tsv", ".json"): {"duration": {"Units": "ms"}},
    },
    "subjects": {TABLE: "participant_id\nsub-01\nsub-01\nsub-9\n"},
    "missing keys": {BOLD_JSON: {}, T1W_JSON: GONE},
    "wrong values": {
        BOLD_JSON: {"RepetitionTime": "1", "TaskName": 5, "EchoTime": -1, "SliceTiming": [0, "x"]},
        T1W_JSON: {"EchoTime": "x", "FlipAngle": 999},
    },
    "inheritance": {
        "bold.json": {"EchoTime": 0.03, "FlipAngle": 20},
        "task-rest_bold.json": {"FlipAngle": 30},
        "sub-01/sub-01_bold.json": {"EchoTime": "x"},
        "task-other_bold.json": {"EchoTime": 0.03},
        "T1w.json": {"FlipAngle": 3},
    },
    "two of a folder": {"task-rest_bold.json": {}, "sub-01/func/sub-01_bold.json": {}},
    "images": {T1W: b"\0" * 400, BOLD: image(3, 4, 5)},
    "no space": {T1W: without_space()},
    "gradients": {
        f"{DWI}.nii.gz": image(2, 2, 2, 3), f"{DWI}.bval": "0 1000\n", f"{DWI}.bvec": "0 1\n0 0\n",
    },
    "recordings": physio(["a", "b"], gzipped(b"1\n2\n")),
    "cut off": physio(["a"], gzipped(b"1\n2\n" * 99)[:-9]),
    "names of columns": physio("a", gzipped(b"1\n2\n")),
    "citation": {"CITATION.cff": "cff-version: 1.2.0\nmessage: x\nauthors:\n- country: XX\n"},
    "citation in another encoding": {"CITATION.cff": b"\xff\xfec"},
    "ignored by classes": {
        ".bidsignore": "[[:digit:]].txt\nmine/\r\n*.log\t\n\\*.doc\n",
        "1.txt": "x", "sub-01/mine/x": "x", "a.log": "x", "a.doc": "x",
    },
    "ignored folders": {".bidsignore": "extra/*/\n", "extra/a/x": "x", "extra/y": "x"},
    "nothing ignored": {".bidsignore": b"\xff\n*.docx\n", "a.docx": "x"},
    "carriage return at the very end": {TABLE: "participant_id\tage\nsub-01\t2\r"},
    "two members": physio(["a"], gzipped(b"1\n") * 2),
    "cut off behind a bad row": physio(["a"], gzipped(b"1\t2\n")[:-5]),
    "two sidecars of events": {
        EVENTS: "onset\tduration\n1\t2\n",
        "sub-01/func/sub-01_events.json": {}, "sub-01/func/task-rest_events.json": {},
    },
    "nothing said of columns": {
        TABLE: "participant_id\tage\tsex\tmine\nsub-01\t50\tM\tx\n",
        "participants.json": {"age": {"Units": "year", "Maximum": None}, "sex": {}, "mine": {}},
        EVENTS: "onset\tduration\n1\t2\n",
        EVENTS.replace(".tsv", ".json"): {"onset": {}, "duration": {"Units": {}}},
    },
    "broken description that is ignored": {".bidsignore": "*.json\n", DESCRIPTION: b""},
    "folder as a file at the root": {"sub-01_meg.ds/x": "x"},
    "rounded to zero": {BOLD_JSON: {"RepetitionTime": 1e-9, "TaskName": "rest"}},
    "order of nothing": {BOLD_JSON: {"VolumeTiming": [1, None], "TaskName": "rest"}},
    "folder with a sidecar": {
        "sub-01/anat/sub-01_acq-a_T1w.zarr/x": "x",
        "sub-01/anat/sub-01_acq-a_T1w.json": {"IntendedFor": "x"},
    },
    "derivatives in the name": {"derivatives.json": "{", "derivatives.tsv": "a\n"},
    "no label by name": {"sub-01/anat/sub-01_acq-NOENTITY_T1w.nii.gz": image(2, 2, 2)},
    "made by nothing": {
        DESCRIPTION: {"Name": "x", "BIDSVersion": "1.10.0", "GeneratedBy": []}, BOLD_JSON: {},
    },
    "list of types": {
        DESCRIPTION: {"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": ["derivative"]},
        BOLD_JSON: {},
    },
    **{
        f"microscopy {number}": {
            "sub-01/micr/sub-01_sample-A_SEM.ome.tif": ome(text),
            "sub-01/micr/sub-01_sample-A_SEM.json": {"PixelSize": [2, 1], "PixelSizeUnits": "um"},
        }
        for number, text in enumerate(OME)
    },
}  # fmt: skip
DERIVATIVE: dict[str, dict[str, Content]] = {
    "sound derivative": {},
    "derivative": {
        "sub-01/anat/sub-01_desc-x_dseg.nii.gz": image(2, 2, 2),
        "sub-01/anat/sub-01_desc-x_mask.nii": b"",
        "sub-01/anat/sub-01_label-x_dseg.nii.gz": image(2, 2, 2),
        "sub-01/anat/sub-01_space-MNI152Lin_res-1_dseg.tsv": "name\tindex\na\t1\nb\t1\n",
        "sub-01/ct/sub-01_ct.nii.gz": image(2, 2, 2),
    },
}


def changed(files: dict[str, Content], change: dict[str, Content]) -> dict[str, Content]:
    return {path: content for path, content in (files | change).items() if content is not GONE}


TREES = {name: changed(raw(), change) for name, change in RAW.items()}
TREES |= {name: changed(derivative(), change) for name, change in DERIVATIVE.items()}


def ask(root: Path) -> Said:
    done = subprocess.run(
        [VALIDATOR, root, "--format", "json", "--max-rows", "-1"],
        capture_output=True,
        check=False,
        env={**os.environ, "BIDS_SCHEMA": RULES.as_uri()},
        timeout=60,
    )
    text = done.stdout[done.stdout.index(b"{") :]  # it may speak before
    found = json.loads(text)["issues"]["issues"]
    return {
        (each["severity"], each["code"], each.get("location", "").lstrip("/"))
        for each in found
        if each["severity"] in SEVERITIES
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trees")
    for name, files in TREES.items():
        write(root / name, files)
    return root


@pytest.fixture(scope="module")
def official(folder: Path) -> dict[str, Said]:
    if not VALIDATOR.exists():
        pytest.skip("needs bids-validator-deno")
    with ThreadPoolExecutor(2) as pool:  # each starts a process of its own
        said = pool.map(ask, (folder / name for name in TREES))
        return dict(zip(TREES, said, strict=True))


@pytest.mark.xdist_group("agreement")
@pytest.mark.parametrize("name", TREES)
def test_both_say_the_same(folder: Path, official: dict[str, Said], name: str) -> None:
    ours = {
        (issue.severity, issue.code, issue.path)
        for issue in bidsify.validate(folder / name).issues()
        if issue.severity in SEVERITIES and issue.code in official_codes()
    }
    assert {"only official": official[name] - ours, "only ours": ours - official[name]} == {
        "only official": set(), "only ours": set(),
    }  # fmt: skip


def test_the_trees_show_many_faults(official: dict[str, Said]) -> None:
    codes = {code for said in official.values() for _, code, _ in said}
    assert len(codes) > 45, sorted(codes)
    assert not [one for one in official["sound"] if one[0] == "error"]
    assert not [one for one in official["sound derivative"] if one[0] == "error"]
