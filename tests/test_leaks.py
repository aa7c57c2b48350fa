"""What must not leave: voxels, traces of persons and of this machine, whatever a file is called."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pwd
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import Make
from PIL import Image

from bidsify.demo import native
from bidsify.sharing import leaks
from bidsify.sharing.archive import write_shards
from bidsify.sharing.bag import open_bag
from bidsify.sharing.leaks import scan

NOISE = bytes(range(256)) * 20


def nifti(kind: type[nib.Nifti1Image] = nib.Nifti1Image, **texts: str) -> bytes:
    image = kind(np.arange(64, dtype=np.int16).reshape(4, 4, 4), np.eye(4))
    for key, value in texts.items():
        image.header[key] = value.encode()
    return bytes(image.to_bytes())


def dicom() -> bytes:
    return bytes(128) + b"DICM" + NOISE


def png() -> bytes:
    stream = BytesIO()
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(stream, "PNG")
    return stream.getvalue()


def npy() -> bytes:
    stream = BytesIO()
    np.save(stream, np.arange(9))
    return stream.getvalue()


def zipped() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", NOISE)
    return stream.getvalue()


def stl() -> bytes:
    return bytes(80) + struct.pack("<I", 1) + bytes(range(50))


def in_rows(row: object) -> bytes:
    """Return a slice of an image as an object with a list for each row, no two of them equal."""
    rows: dict[str, object] = {}
    for number in range(64):
        if isinstance(row, str):
            rows[f"r{number}"] = row
        elif isinstance(row, dict):
            rows[f"r{number}"] = dict(row)
        else:
            values = [*row]  # type: ignore[call-overload]
            values[0], values[1] = (number, -number) if number else values[:2]
            rows[f"r{number}"] = values
    return json.dumps(rows).encode()


ASCII_STL = b"solid bone\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n"
VOXELS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nifti": (nifti, "a NIfTI image"),
    "nifti2": (lambda: nifti(nib.Nifti2Image), "a NIfTI image"),
    "nifti.gz": (lambda: gzip.compress(nifti()), "a NIfTI image"),
    "dicom": (dicom, "a DICOM file, where nothing"),
    "dicom.gz": (lambda: gzip.compress(dicom()), "a DICOM file"),
    "png": (png, "a PNG picture"),
    "npy": (npy, "a NumPy array"),
    "pt": (zipped, "a zip archive"),
    "pickle": (lambda: b"\x80\x02}q\x00.", "a pickle"),
    "stl": (stl, "binary content"),
    "ascii stl": (lambda: ASCII_STL, "an STL mesh"),
    "gz of gz": (lambda: gzip.compress(gzip.compress(b"text")), "a gzip file"),
    "broken gz": (lambda: b"\x1f\x8b\x08" + NOISE, "a damaged gzip file"),
    "unknown": (lambda: NOISE, "binary content"),
    "utf-16": (lambda: "text".encode("utf-16"), "binary content"),
    "behind text": (lambda: b"x" * 70_000 + b"\0" * 9, "binary content in a text"),
    "base64": (lambda: base64.b64encode(NOISE), "coded content"),
    "wrapped": (lambda: base64.encodebytes(NOISE), "coded content"),
    "in JSON": (
        lambda: json.dumps({"a": base64.encodebytes(NOISE).decode()}).encode(),
        "coded content",
    ),
    "in HTML": (lambda: b'<img src="data:image/png;base64,iVBORw0KGgo=">', "a picture"),
    "hex": (lambda: NOISE.hex().encode(), "coded content"),
    "numbers": (lambda: json.dumps(list(range(5000))).encode(), "a list of 5000 numbers"),
    "matrix": (lambda: json.dumps([[0] * 64] * 64).encode(), "a list of 4096 numbers"),
    "csv": (lambda: b"\n".join([b"1,2,3,4"] * 2000), "a list of 8000 numbers"),
    "late": (lambda: b"text " * 14_000 + b"\xff\xfe\xfd" * 99, "binary content in a text"),
    "late control": (lambda: b"text " * 14_000 + b"\x01\x02" * 99, "binary content in a text"),
    "rows": (lambda: in_rows(range(64)), "a list of 4096 numbers"),
    "mask": (lambda: in_rows([True, False] * 32), "a list of 4096 numbers"),
    "texts": (lambda: in_rows(["12", "-3.5e2"] * 32), "a list of 4096 numbers"),
    "sparse": (lambda: in_rows([None, 7] * 32), "a list of 4096 numbers"),
    "objects": (lambda: in_rows({f"c{n}": n for n in range(64)}), "a list of 4096 numbers"),
    "rows as texts": (lambda: in_rows("1 2 3 4 " * 16), "a list of 4096 numbers"),
    "lines of JSON": (
        lambda: b"\n".join(json.dumps({"row": [*range(64)]}).encode() for _ in range(64)),
        "a list of 4096 numbers",
    ),
    "in prose": (lambda: b"a pixel of 17 and\n" * 3000, "a list of 3000 numbers"),
    "table": (lambda: b"".join(b"r%d\t1\t0\t.5\n" % n for n in range(999)), "2997 numbers"),
    "subjects twice": (lambda: b"sub-01\t1\t2\t3\n" * 999, "a list of 2994 numbers"),
    "long rows": (
        lambda: b"".join(b"sub-%d%s\n" % (n, b"\t7" * 64) for n in range(64)),
        "a list of 4096 numbers",
    ),
}


def put(root: Path, name: str, content: bytes) -> Path:
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return root


@pytest.mark.parametrize("kind", VOXELS)
@pytest.mark.parametrize("name", ["recipe.json", "sub-01/notes.txt"])
def test_nothing_but_text_leaves_where_no_voxels_may(tmp_path: Path, kind: str, name: str) -> None:
    make, what = VOXELS[kind]
    found = scan(put(tmp_path, name, make()), voxels_allowed=False)
    assert {leak.path for leak in found if what in leak.what} == {name}, found


@pytest.mark.parametrize("name", ["chaos", "lumbosacral", "ssmspine", "vsseg"])
def test_what_we_write_may_leave(tree: Make, name: str) -> None:
    """Also the texts alone; voxels are found among them."""
    root = tree(name)
    found = scan(root, voxels_allowed=True)
    assert found == []
    found = scan(root, voxels_allowed=False)
    images = {path.relative_to(root).as_posix() for path in root.rglob("*.nii*")}
    assert images <= {leak.path for leak in found}
    endings = (".md", ".tsv", ".json", ".bidsignore")
    drawn = ("_points.tsv", "_contours.json", "_markers.json")
    texts = {x.path for x in found if x.path.endswith(endings) and not x.path.endswith(drawn)}
    assert texts == set()


def test_what_is_known_of_many_may_leave(tmp_path: Path) -> None:
    """A large record, table of people and recipe are no images."""
    numbers = range(5000)
    people = "".join(f"sub-{n}\t{n % 90}\t{n}.5\tn/a\n" for n in numbers)
    put(tmp_path, "participants.tsv", b"participant_id\tage\tsize\tsex\n" + people.encode())
    scans = "".join(f"anat/sub-1_run-{n}_T1w.nii.gz\t{n}\n" for n in numbers)
    put(tmp_path, "sub-1/sub-1_scans.tsv", b"filename\tslices\n" + scans.encode())
    written = [{"sources": [[f"{n}.dcm", n, "a1"]], "mapping": [[0, 0], [1, 2]]} for n in numbers]
    put(tmp_path, "code/bidsify/conversion.json", json.dumps({"written": written}).encode())
    files = [{"path": f"{n}.dcm", "size": n} for n in numbers]
    people_of = {"participants": [f"{n:04}" for n in numbers], "files": files}
    put(tmp_path, "recipe.json", json.dumps(people_of).encode())
    lines = "".join(f"sub-{n}/{n}.json\t{n:064}\n" for n in numbers)
    put(tmp_path, "content-manifest.tsv", lines.replace("0000", "a1b2").encode())
    assert scan(tmp_path, voxels_allowed=False) == []


PERSONS = {
    "a.json": (b'{"PatientName": "Smith^John"}', "PatientName: a key"),
    "b.json": (b'{"Info": {"PatientBirthDate": "19610203"}}', "PatientBirthDate: a key"),
    "c.json": (b'[{"StudyInstanceUID": "1.2.840.1"}]', "StudyInstanceUID: a key"),
    "d.tsv": (b"id\tcontact\n1\tjo@clinic.org\n", "a mail address, in 1 row"),
    "e.nii.gz": (gzip.compress(nifti(), mtime=1), "gzip time"),
    "f.nii": (nifti(descrip="SMITH^JOHN"), "descrip: looks as if it held a name"),
    "g.json": (b'{"Comment": "SMITH^JOHN"}', "looks as if it held a name"),
}


@pytest.mark.parametrize("name", PERSONS)
def test_a_trace_of_a_person_does_not_leave(tmp_path: Path, name: str) -> None:
    content, what = PERSONS[name]
    found = scan(put(tmp_path, name, content), voxels_allowed=True)
    assert [leak.path for leak in found if what in leak.what] == [name], found


Named = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> Named:
    """Give the machine and its user names, so that no test depends on the real ones."""

    def name(user: str, host: str) -> None:
        monkeypatch.setattr(leaks.os, "uname", lambda: os.uname_result(("Linux", host, "", "", "")))
        entry = pwd.struct_passwd((user, "x", 1000, 1000, "", "/", ""))
        monkeypatch.setattr(leaks.pwd, "getpwuid", lambda _: entry)
        for key in ("USER", "LOGNAME", "USERNAME"):
            monkeypatch.setenv(key, user)
        monkeypatch.setenv("HOSTNAME", host)
        monkeypatch.setenv("HOME", f"/people/{user}")

    name("nobody", "localhost")
    return name


@pytest.fixture
def machine(named: Named) -> None:
    """Give them names that can be searched for."""
    named("jsmith", "brainbox.clinic.org")


HERE = {
    "user": ("(/people9/JSmith/x)", "a name of this machine: '/people9/JSmith'"),
    "user of a folder": ("../home/jsmith", "a name of this machine: 'home/jsmith'"),
    "user of a Mac": (r"Users\jsmith", "a name of this machine: 'Users"),
    "home": ("see /people/jsmith/x", "/people/jsmith"),
    "short home": ("cd ~jsmith/x", "a name of this machine: '~jsmith'"),
    "host": ("on brainbox.clinic.org.", "a name of this machine: 'brainbox.clinic.org'"),
    "bare host": ("me@brainbox:", "a name of this machine: 'e@brainbox'"),
    "path at a host": ("scp brainbox:/x/y .", "a name of this machine: 'brainbox:/'"),
    "share of a host": ("in //brainbox/x/y", "a name of this machine: '//brainbox/'"),
    "share of Windows": (r"in \\brainbox\x", "a name of this machine: "),
    "mount": ("/net9/brainbox/x", "a name of this machine: '/net9/brainbox'"),
    "path": ('"/home/other/data/x.nii"', "a path: '/home/other"),
    "path of a Mac": ("at:/Users/other/x", "a path: '/Users/other"),
    "path of Windows": (r"C:\\Users\\other\\x", "a path: 'C:"),
    "address": ("file:///data/x", "a path: 'file:///data/x'"),
    "scratch": ("(/scratch/lab/x)", "a path: '/scratch/lab"),
    "given": ("from Wombat downloads", "a name of this machine: 'Wombat'"),
}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("kind", HERE)
@pytest.mark.parametrize("packed", [False, True])
def test_no_trace_of_this_machine_leaves(tmp_path: Path, kind: str, *, packed: bool) -> None:
    text, what = HERE[kind]
    name = "a.txt.gz" if packed else "a.txt"
    content = gzip.compress(text.encode(), mtime=0) if packed else text.encode()
    found = scan(put(tmp_path, name, content), voxels_allowed=False, names=["wombat"])
    assert len([leak for leak in found if what in leak.what]) == 1, found


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    "text",
    [
        "jsmithson brainboxes", "https://home.org/home/x", "../home/x", "bids/tmp/x", "~/tmp/x",
        "#!/usr/bin/env python", "sub-01/root/x", "A:B", "and/or", "/Authors/0", "root user",
        "made by JSmith.", "on brainbox:", "sub-01/jsmith/x", "https://github.com/jsmith/x",
        "/net9/jsmith-lab", "jsmith@clinic.com", "https://brainbox/x", "brainbox://x",
    ],
)  # fmt: skip
def test_what_only_looks_alike_may_leave(tmp_path: Path, text: str) -> None:
    assert scan(put(tmp_path, "a.txt", text.encode()), voxels_allowed=False) == []


@pytest.mark.parametrize(
    ("user", "host", "text"),
    [
        ("zhang", "", "Authors: Zhang W.; in case of questions zhang@clinic.com"),
        ("", "train", "sub-01\tTrain\nTrain/01.nii\n./train/x\nimages/train/x"),
        ("anat", "perf", "sub-01/anat/sub-01_T1w.nii.gz sub-01/perf/x"),
    ],
)
def test_a_bare_name_may_be_that_of_something_else(
    user: str, host: str, text: str, named: Named, tmp_path: Path
) -> None:
    named(user, host)
    root = put(tmp_path, "sub-01/anat/a.txt", text.encode())
    assert scan(root, voxels_allowed=False) == []


@pytest.mark.usefixtures("machine")
def test_names_of_files_and_headers_are_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "home/jsmith/a.txt", b"")
    put(tmp_path, "b.nii.gz", gzip.compress(nifti(descrip="me@brainbox"), mtime=0))
    (tmp_path / "c").symlink_to("/etc/hostname")
    assert [(leak.path, leak.what) for leak in scan(tmp_path, voxels_allowed=True)] == [
        ("b.nii.gz", "descrip: free text, may name a person: 'me@brainbox'"),
        ("b.nii.gz", "its header holds a name of this machine: 'e@brainbox'"),
        ("c", "a link: what it leads to does not leave with it"),
        ("home/jsmith/a.txt", "its name holds a name of this machine: 'home/jsmith'"),
    ]


@pytest.mark.usefixtures("machine")
def test_archives_are_looked_into(tmp_path: Path) -> None:
    root = put(tmp_path / "tree", "sub-01/a.json", b'{"PatientName": "X^Y", "By": "~jsmith"}')
    put(root, "sub-01/a.nii.gz", native.gzipped(nifti()))
    with open_bag(tmp_path / "bag") as bag:
        write_shards(root, ["sub-01/a.json", "sub-01/a.nii.gz"], bag, 1 << 20)
        found = scan(bag.folder, voxels_allowed=True)
        name = "data/part-001.tar:sub-01/a.json"
        assert {leak.path for leak in found} == {name}
        assert any("PatientName" in leak.what for leak in found)
        assert any("jsmith" in leak.what for leak in found)
        assert "a tar archive" in scan(bag.folder, voxels_allowed=False)[0].what


def test_an_archive_by_somebody_else_tells_owners_and_links(tmp_path: Path) -> None:
    put(tmp_path, "x/a.txt", b"a")
    (tmp_path / "x" / "link").symlink_to("/etc/passwd")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "x", "x")
    shutil.rmtree(tmp_path / "x")
    found = {leak.what for leak in scan(tmp_path, voxels_allowed=True)}
    assert "the archive names an owner or a time" in found
    assert "a link: what it leads to does not leave with it" in found


def test_a_broken_archive_is_no_way_out(tmp_path: Path) -> None:
    put(tmp_path, "a.tar", bytes(257) + b"ustar\x0000" + NOISE)
    (found,) = scan(tmp_path, voxels_allowed=True)
    assert "cannot be looked into" in found.what


def test_numbers_that_a_dataset_gives_its_subjects_may_leave(tmp_path: Path) -> None:
    for label in ("001", "012"):
        text = json.dumps([{"PatientID": f"VS-SEG-{label}"}])
        put(tmp_path, f"sub-{label}/sub-{label}_contours.json", text.encode())
    assert scan(tmp_path, voxels_allowed=False) == []
    put(tmp_path, "sub-3/sub-3_contours.json", b'{"PatientID": "SMITH-JOHN-3"}')
    assert [leak.path for leak in scan(tmp_path, voxels_allowed=False)] == [
        "sub-3/sub-3_contours.json"
    ]
