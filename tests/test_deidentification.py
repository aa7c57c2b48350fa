"""What tells who a person is: found wherever it hides, removed from headers, never from voxels."""

from __future__ import annotations

import gzip
import json
import os
import struct
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import Make, assert_same, run, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

import bidsify
from bidsify.deidentification import check, fix, headers, tables
from bidsify.deidentification.fix import repaired
from bidsify.deidentification.programs import is_of_program
from bidsify.errors import SourceError
from bidsify.identifying import identifying_keys, is_old
from bidsify.readers import nifti as reader

NAME = "SMITH^JOHN 1961-02-03"


def image(
    kind: Any = nib.Nifti1Image, extensions: tuple[tuple[int, bytes], ...] = (), **texts: str
) -> bytes:
    made = kind(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 2, 3, 1]))
    for key, value in texts.items():
        made.header[key] = value.encode()
    for code, content in extensions:
        made.header.extensions.append(nib.nifti1.Nifti1Extension(code, content))
    return bytes(made.to_bytes())


def voxels(content: bytes) -> bytes:
    """Return the bytes behind the header, read without the code under test."""
    raw = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    offset = struct.unpack_from("<f", raw, 108)[0]
    if raw[4:7] == b"n+2":
        offset = struct.unpack_from("<q", raw, 168)[0]
    return raw[int(offset) :]


def named(content: bytes) -> bytes:
    """Pack as programs do by default: with the name of the file, and the time."""
    flags = b"\x1f\x8b\x08\x18" + struct.pack("<I", 1_600_000_000) + b"\0\x03"
    return flags + b"SMITH_JOHN.nii\0a comment\0" + gzip.compress(content, mtime=0)[10:]


def put(root: Path, name: str, content: bytes | str) -> Path:
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def found(root: Path) -> list[tuple[str, str]]:
    return [(each.path, each.where) for each in check.check(root)]


IMAGES: dict[str, tuple[bytes, list[str]]] = {
    "descrip": (image(descrip=NAME), ["descrip"]),
    "folder": (image(aux_file="/home/smith/a.nii"), ["aux_file"]),
    "intent": (image(intent_name="SMITH^JOHN"), ["intent_name"]),
    "unused": (image(db_name="smith", data_type="j"), ["data_type", "db_name"]),
    "behind": (image(descrip="FSL\0leftover"), ["descrip"]),
    "nifti2": (image(nib.Nifti2Image, descrip=NAME), ["descrip"]),
    "dicom": (image(extensions=((2, b"\x10\0\x10\0PN"),)), ["extension DICOM"]),
    "two": (image(extensions=((6, b"a comment"), (4, b"x@y"))), ["extension comment",
                                                                 "extension AFNI"]),
    "unknown": (image(extensions=((64, b"what"),)), ["extension 64"]),
    "gzip": (named(image()), ["gzip filename", "gzip comment", "gzip time"]),
    "all": (named(image(descrip=NAME, extensions=((6, b"c"),))),
            ["gzip filename", "gzip comment", "gzip time", "descrip", "extension comment"]),
    "harmless": (image(descrip="FSL 6.0", aux_file="none", intent_name="labels"), []),
}  # fmt: skip


@pytest.mark.parametrize("kind", IMAGES)
def test_what_is_in_a_header_is_found_and_removed(tmp_path: Path, kind: str) -> None:
    content, wheres = IMAGES[kind]
    name = "sub-1/a.nii.gz" if content.startswith(b"\x1f\x8b") else "sub-1/a.nii"
    place = put(tmp_path, name, content)
    before = np.asarray(nib.load(place).dataobj), nib.load(place).affine
    assert found(tmp_path) == [(name, where) for where in wheres]
    done = bidsify.deid_check(tmp_path, fix=True)
    assert (done.failures, done.left) == ((), ())
    assert done.fixed == ((name,) if wheres else ())
    after = place.read_bytes()
    assert voxels(after) == voxels(content)
    assert np.array_equal(np.asarray(nib.load(place).dataobj), before[0])
    assert np.array_equal(nib.load(place).affine, before[1])
    assert len(nib.load(place).header.extensions) == 0
    assert not [text for text in (b"SMITH", b"smith", b"comment") if text in after]
    assert sorted(snapshot(tmp_path)) == [name]


def test_a_packed_image_keeps_its_stream_where_only_its_name_goes() -> None:
    content = named(image())
    assert repaired("a.nii.gz", content)[10:] == content[10 + len("SMITH_JOHN.nii_a comment_") :]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_orders_of_bytes_are_read(kind: Any, order: str) -> None:
    header = kind.header_class(endianness=order)
    header.set_data_shape((2, 2, 2))
    header.set_data_dtype(np.int16)
    header["descrip"] = NAME.encode()
    made = kind(np.ones((2, 2, 2), order + "i2"), np.eye(4), header)
    content = made.to_bytes()
    assert [spot.where for spot in headers.spots(content)] == ["descrip"]
    assert voxel_bytes(repaired("a.nii", content)) == voxel_bytes(content)


def voxel_bytes(content: bytes) -> bytes:
    made = reader.read(content, "a.nii")
    return made.raw[made.offset :]


def test_extensions_that_a_file_needs_stay(tmp_path: Path) -> None:
    cifti = b"<CIFTI><Name>SMITH^JOHN</Name></CIFTI>"
    place = put(tmp_path, "a.nii", image(extensions=((2, b"\x10\0\x10\0PN"), (32, cifti))))
    done = bidsify.deid_check(tmp_path, fix=True)
    assert [(each.where, each.is_fixable) for each in done.left] == [("extension CIFTI", False)]
    assert cifti in place.read_bytes()
    codes = [each.get_code() for each in nib.load(place).header.extensions]
    assert codes == [0, 32]  # "ignore", in the place of the other


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_in_a_header_no_voxel_changes(data: Any) -> None:
    texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
    given_ = {key: data.draw(texts) for key in ("descrip", "aux_file", "db_name", "intent_name")}
    codes = st.tuples(st.sampled_from([0, 2, 4, 6, 30, 32, 44, 64]), st.binary(max_size=40))
    content = image(extensions=tuple(data.draw(st.lists(codes, max_size=3))), **given_)
    broken = bytearray(content)
    for at in data.draw(st.lists(st.integers(348, len(content) - 121), max_size=3)):
        broken[at] = data.draw(st.integers(0, 255))
    clean = repaired("a.nii", bytes(broken))
    assert clean[-120:] == content[-120:]
    assert len(clean) == len(content)
    assert not [spot for spot in headers.spots(clean) if not spot.is_needed]


DOCUMENTS: dict[str, tuple[Any, list[str], Any]] = {
    "key": ({"PatientName": "X^Y", "EchoTime": 0.01}, ["PatientName"], {"EchoTime": 0.01}),
    "nested": ({"a": {"PatientID": "77", "b": [1, {"c": 2}]}}, ["PatientID"],
               {"a": {"b": [1, {"c": 2}]}}),
    "list": ([{"StudyInstanceUID": "1.2"}, 3], ["StudyInstanceUID"], [{}, 3]),
    "date": ({"AcquisitionDateTime": "2012-03-04T10:00:00"}, ["AcquisitionDateTime"], {}),
    "shifted": ({"AcquisitionDateTime": "1850-03-04T10:00:00"}, [], None),
    "empty": ({"PatientName": "anonymous", "PatientID": ""}, [], None),
    "column": ({"PatientID": {"Description": "the label"}}, [], None),
    "ü": ({"PatientName": "X^Y", "ü": "ä\u2028", "n": 1e-9}, ["PatientName"],
          {"ü": "ä\u2028", "n": 1e-9}),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_keys_of_sidecars_are_found_and_removed(tmp_path: Path, kind: str) -> None:
    document, keys, left = DOCUMENTS[kind]
    place = put(tmp_path, "sub-1/a.json", json.dumps(document))
    before = place.read_bytes()
    assert [where for _, where in found(tmp_path)] == keys
    done = bidsify.deid_check(tmp_path, fix=True)
    assert done.left == ()
    assert json.loads(place.read_text("utf-8")) == (document if left is None else left)
    assert (place.read_bytes() == before) == (left is None)


TEXTS = {
    "a.json": ('{"Comment": {"x": ["by SMITH^JOHN"]}}', ["Comment.x[0]"]),
    "b.json": ('{"Path": "/home/smith/a", "Released": "2012-03-04"}', ["Path"]),
    "c.json": ('{"PatientName": "X^Y", "PatientName": "A^B"}', ["PatientName"]),
    "participants.tsv": (
        "age\tbirth_date\tcomment\tlast name\n91\t1930-02-03\tseen 2012-03-04\tn/a\n89+\t\tx\t\n",
        ["column 'age'", "column 'birth_date'", "column 'birth_date'", "column 'comment'"],
    ),
    "b.csv": ('id,"Patient Name",e-mail\r\n1,"Smith, J",a@b.org\r\n',
              ["column 'Patient Name'", "column 'e-mail'", "column 'e-mail'"]),
    "fine.tsv": ("participant_id\tage\tsource_name\nsub-1\t89\tBraTS_01\n", []),
    "shifted_scans.tsv": ("filename\tacq_time\na.nii\t1850-03-04T10:00:00\n", []),
    "real_scans.tsv": ("filename\tacq_time\na.nii\t2012-03-04T10:00:00\n", ["column 'acq_time'"]),
    "README": ("Made in /Users/smith/x\nby jo@x.org on 2012-03-04", ["line 1"]),
    "a.stl": ("solid SMITH^JOHN\n facet normal 0 0 1\n", ["STL header"]),
    "torn.tsv": ("a\tb\n1\n\n2\t3\t4\n", []),
    "empty.tsv": ("", []),
    "deep.json": ("[" * 5000, []),
    "x.dcm": ("\0" * 128 + "DICM", [""]),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_texts_and_tables_are_told_but_never_changed(tmp_path: Path, name: str) -> None:
    text, wheres = TEXTS[name]
    place = put(tmp_path, name, text)
    before = place.read_bytes()
    assert [where for _, where in found(tmp_path)] == wheres
    bidsify.deid_check(tmp_path, fix=True)
    assert place.read_bytes() == before


def test_the_header_of_a_mesh_is_blanked(tmp_path: Path) -> None:
    triangles = struct.pack("<I", 2) + bytes(range(100))
    place = put(tmp_path, "a.stl", b"by SMITH^JOHN".ljust(80) + triangles)
    assert bidsify.deid_check(tmp_path, fix=True).left == ()
    assert place.read_bytes() == bytes(80) + triangles


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("cut.nii", image(descrip=NAME)[:-9], "cut off"),
        ("cut.nii.gz", named(image())[:-30], "cut off|damaged"),
        ("shape.nii", image(descrip=NAME)[:40] + b"\xff\x7f" + image(descrip=NAME)[42:], "broken"),
    ],
)
def test_a_file_that_cannot_be_proved_stays(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    place = put(tmp_path, name, content)
    ran = run("deid-check", tmp_path, "--fix")
    assert ran.code == 1
    (failure,) = ran.failures
    assert failure.startswith(name)
    assert any(part in failure for part in reason.split("|")), failure
    assert place.read_bytes() == content


def test_a_repair_that_changes_a_voxel_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = put(tmp_path, "a.nii", image(descrip=NAME))
    monkeypatch.setattr(headers, "blanked", lambda raw: raw[:-1] + b"\x07")
    before = place.read_bytes()
    assert "cannot be proved" in bidsify.deid_check(tmp_path, fix=True).failures[0]
    monkeypatch.setattr(headers, "blanked", lambda raw: raw[:76] + b"\x07" + raw[77:])
    assert "cannot be proved" in bidsify.deid_check(tmp_path, fix=True).failures[0]
    assert place.read_bytes() == before
    with pytest.raises(SourceError, match="left as it was"):
        repaired("a.nii", before)


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    place = put(tmp_path / "else", "a.nii", image(descrip=NAME))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.nii").symlink_to(place)
    before = place.read_bytes()
    done = bidsify.deid_check(tmp_path / "tree", fix=True)
    assert "a link is not written through" in done.failures[0]
    assert place.read_bytes() == before
    assert (tmp_path / "tree" / "a.nii").is_symlink()


def test_the_rights_of_a_file_stay(tmp_path: Path) -> None:
    place = put(tmp_path, "a.nii", image(descrip=NAME))
    place.chmod(0o640)
    bidsify.deid_check(tmp_path, fix=True)
    assert place.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["chaos", "lumbosacral", "ssmspine", "vsseg"])
def test_our_trees_have_nothing_to_fix(tree: Make, own_tree: Make, name: str) -> None:
    root = own_tree(name)
    ran = run("deid-check", root, "--fix")
    assert (ran.code, ran.out) == (0, "0 files fixed, 0 findings left\n")
    assert_same(root, tree(name))


def test_a_tree_that_differs_from_its_record_is_told(own_tree: Make) -> None:
    root = own_tree("ssmspine")
    place = next(iter(sorted(root.rglob("*_dseg.nii.gz"))))
    place.write_bytes(gzip.compress(gzip.decompress(place.read_bytes()), mtime=int(time.time())))
    ran = run("deid-check", root, "--fix")
    name = place.relative_to(root).as_posix()
    assert ran.warnings == [f"no longer as the record of the conversion says: {name}"]
    assert ran.code == 0


def test_the_command_says_where_and_what(tmp_path: Path) -> None:
    put(tmp_path, "sub-1/a.nii", image(descrip=NAME))
    put(tmp_path, "b\x1b[31m.tsv", "age\n95\n")
    put(tmp_path, ".git/x.json", '{"PatientName": "X^Y"}')
    ran = run("deid-check", tmp_path)
    what = "looks as if it held a name as in DICOM, a date"
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "b\\x1b[31m.tsv: column 'age': 1 age above 89",
        f"sub-1/a.nii: descrip: {what}: {NAME!r} (--fix removes it)",
        "2 findings",
    ]
    document = json.loads(run("deid-check", tmp_path, "--json").out)
    assert [each["fixable"] for each in document["found"]] == [False, True]
    ran = run("deid-check", tmp_path, "--fix", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["fixed"] == ["sub-1/a.nii"]
    assert run("deid-check", tmp_path / "gone").error.endswith("no such folder")


@pytest.mark.skipif(os.getuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.json", "{}").chmod(0)
    assert "Permission denied" in next(iter(check.check(tmp_path))).what


def test_a_bomb_does_not_fill_the_memory(tmp_path: Path) -> None:
    put(tmp_path, "a.nii.gz", gzip.compress(bytes(1 << 24), mtime=0))
    put(tmp_path, "b.tsv.gz", gzip.compress(b"a\n" * (1 << 20), mtime=0))
    assert found(tmp_path) == []
    assert fix.fix(tmp_path).fixed == ()


def documents(root: Path, *made: tuple[str, Any]) -> list[str]:
    """Write files, JSON where they are no bytes or text; return where something is found."""
    for name, content in made:
        is_raw = isinstance(content, (str, bytes))
        put(root, name, content if is_raw else json.dumps(content))
    return [where for _, where in found(root)]


KEYS: dict[str, tuple[Any, Any]] = {
    "list": ({"Series": [{"PatientName": "Jane Roe", "n": 1}]}, {"Series": [{"n": 1}]}),
    "deep": ({"a": [[{"b": {"PatientID": "77"}}]]}, {"a": [[{"b": {}}]]}),
    "snake": ({"patient_name": "Jane Roe", "a": 1}, {"a": 1}),
    "case": ({"patientID": "77", "PATIENT ID": "77", "a": 1}, {"a": 1}),
    "words": ({"Patient's Name": "Jane", "Referring Physician's Name": "Roe"}, {}),
    "tags": ({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Jane"}]},
              "0010,0020": "77", "00080060": {"vr": "CS", "Value": ["MR"]}},
             {"00080060": {"vr": "CS", "Value": ["MR"]}}),
    "object": ({"PatientName": {"Alphabetic": "Jane"}, "a": 1}, {"a": 1}),
    "age": ({"PatientAge": 97, "patient_age": "095Y", "age": "91.5 years", "a": 1}, {"a": 1}),
    "in a column": ({"age": {"Description": "x", "PatientName": "Jane"}},
                    {"age": {"Description": "x"}}),
    "beside": ({"Description": "an image", "a": {"Units": "s", "b": [{"PatientID": "7"}]}},
               {"Description": "an image", "a": {"Units": "s", "b": [{}]}}),
    "half a character": ({"PatientName": "Jane", "a": "\ud800"}, {"a": "\ud800"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KEYS)
def test_keys_are_found_however_they_are_spelt_and_wherever_they_are(
    tmp_path: Path, kind: str
) -> None:
    document, left = KEYS[kind]
    assert documents(tmp_path, ("sub-1/a.json", document))
    assert list(identifying_keys(document))
    done = bidsify.deid_check(tmp_path, fix=True)
    assert (done.left, done.failures) == ((), ())
    assert json.loads((tmp_path / "sub-1/a.json").read_bytes()) == left


@pytest.mark.parametrize(
    "document",
    [
        {"PatientAge": 89, "age": "089Y", "Age": "060M"},
        {"age": {"Levels": {"PatientID": "the number"}, "Description": "x"}},
        {"patient_id": {"Description": "the label", "Foo": "bar"}},
        {"00100010": {"vr": "PN"}, "00100020": {"vr": "LO", "Value": ["anonymous"]}},
        {"PatientPosition": "HFS", "PatientName": [], "name": "liver"},
    ],
)
def test_what_describes_is_no_trace(tmp_path: Path, document: Any) -> None:
    assert documents(tmp_path, ("a.json", document)) == []


BROKEN: dict[str, tuple[str | bytes, list[str]]] = {
    "torn": ('{"a": 1,\n "PatientName": "Jane Roe",', ["line 2"]),
    "torn list": ('{"OtherPatientNames": ["Jane"', ["line 1"]),
    "quoted": ("{'patient': 'Jane Roe'}", ["line 1"]),
    "digits": ('{"PatientName": "Jane", "n": ' + "9" * 5000 + "}", ["PatientName"]),
    "deep": ("[" * 300 + '{"PatientName": "Jane"}' + "]" * 300, ["line 1"]),
    "far": ('"' + "x" * (1 << 17) + ' patient = Jane"}', ["line 1"]),
    "harmless": ('{"opt": 1, "script = x": "inpatient: 7"', []),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_json_that_cannot_be_read_is_looked_through_as_text(tmp_path: Path, kind: str) -> None:
    content, wheres = BROKEN[kind]
    place = put(tmp_path, "a.json", content)
    before = place.read_bytes()
    assert [where for _, where in found(tmp_path)] == wheres
    assert not any(each.is_fixable for each in check.check(tmp_path))
    assert bidsify.deid_check(tmp_path, fix=True).failures == ()
    assert place.read_bytes() == before


def test_a_text_too_long_to_look_through_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_MOST", 1 << 20)
    put(tmp_path, "a.txt", "x\n" * (1 << 20))
    (trace,) = check.check(tmp_path)
    assert trace.what == "more than 1 MiB of text: the rest was not looked at"


@pytest.mark.parametrize(
    "number", ["1e400", "0.12345678901234567890123", "1e-400", "NaN", "-1e999"]
)
def test_a_number_that_would_change_keeps_a_document_as_it_is(tmp_path: Path, number: str) -> None:
    place = put(tmp_path, "a.json", f'{{"PatientName": "Jane", "n": {number}}}')
    before = place.read_bytes()
    assert [(each.where, each.is_fixable) for each in check.check(tmp_path)] == [
        ("PatientName", False)
    ]
    with pytest.raises(SourceError, match="cannot be read as JSON that can be written again"):
        repaired("a.json", before)
    assert bidsify.deid_check(tmp_path, fix=True).fixed == ()
    assert place.read_bytes() == before


def test_numbers_keep_their_values(tmp_path: Path) -> None:
    put(tmp_path, "a.json", '{"PatientName": "Jane", "n": [1.50, 1E5, 1e-9, 12345678901234567890]}')
    bidsify.deid_check(tmp_path, fix=True)
    assert json.loads((tmp_path / "a.json").read_bytes()) == {
        "n": [1.5, 1e5, 1e-9, 12345678901234567890]
    }


def test_the_scheme_of_one_value_does_not_hide_another(tmp_path: Path) -> None:
    for label in ("001", "002"):
        document = {"PatientID": f"VS-SEG-{label}", "a": {"PatientID": "MRN-777"}}
        put(tmp_path, f"sub-{label}/sub-{label}_T1w.json", json.dumps(document))
    assert len(found(tmp_path)) == 2


TABLES: dict[str, tuple[str, str, list[str]]] = {
    "name": ("participants.tsv", "participant_id\tname\nsub-1\tJane\n", ["column 'name'"]),
    "initials": ("sub-1/sub-1_scans.tsv", "filename\tinitials\na\tJR\n", ["column 'initials'"]),
    "patients": ("clinic.csv", "patient_id,Name\n,Jane\n", ["column 'Name'"]),
    "ages": ("participants.tsv", "scan_age\tageAtScan\n95y\t91\n",
             ["column 'scan_age'", "column 'ageAtScan'"]),
    "units": ("participants.tsv", "age\tAge (years)\n095Y\t93 years\n",
              ["column 'age'", "column 'Age (years)'"]),
    "behind": ("x.tsv", "a\tb\n1\t2\tSMITH^JOHN\n", ["cells behind the last column"]),
    "mac": ("x.csv", "id,birth date\r1,3\r2,4\r", ["column 'birth date'"]),
    "labels": ("space_dseg.tsv", "index\tname\tabbreviation\n1\tliver\tL\n", []),
    "channels": ("sub-1_channels.tsv", "name\ttype\nA1\tEEG\n", []),
    "raters": ("ratings.csv", "rater,initials\n1,JR\n", []),
    "young": ("participants.tsv", "age\tage_months\tstage\tdosage\n89+\t120\t95\t95\n", []),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_columns_of_people_are_found_and_others_are_not(tmp_path: Path, kind: str) -> None:
    name, content, wheres = TABLES[kind]
    put(tmp_path, name, content)
    assert [where for _, where in found(tmp_path)] == wheres


def test_a_table_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise tables.csv.Error("what")  # noqa: EM101

    monkeypatch.setattr(tables.csv, "reader", refuse)
    put(tmp_path, "a.csv", "id,b\npatient: Jane,2\n")
    assert [where for _, where in found(tmp_path)] == ["", "line 2"]


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


HALF = len(image()) // 2
HIDDEN: dict[str, tuple[str, bytes, list[str]]] = {
    "member": ("a.nii.gz", packed(image()[:HALF]) + named(image()[HALF:]),
               ["gzip filename", "gzip comment", "gzip time"]),
    "empty member": ("a.nii.gz", packed(image()) + named(b""),
                     ["gzip filename", "gzip comment", "gzip time"]),
    "junk": ("a.nii.gz", packed(image()) + b"SMITH^JOHN", ["gzip"]),
    "behind": ("a.nii", image() + b"\0SMITH^JOHN", ["voxels"]),
    "behind packed": ("a.nii.gz", packed(image() + b"SMITH^JOHN"), ["voxels"]),
    "behind nifti2": ("a.nii", image(nib.Nifti2Image) + b"SMITH^JOHN", ["voxels"]),
    "both": ("a.nii.gz", packed(image(descrip=NAME) + b"SMITH^JOHN") + b"SMITH",
             ["gzip", "voxels", "descrip"]),
    "padding": ("a.nii.gz", packed(image() + bytes(9)) + bytes(512), []),
}  # fmt: skip


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_hides_behind_members_and_voxels_is_found_and_removed(
    tmp_path: Path, kind: str
) -> None:
    name, content, wheres = HIDDEN[kind]
    place = put(tmp_path, name, content)
    before = np.asarray(nib.load(place).dataobj)
    assert [where for _, where in found(tmp_path)] == wheres
    done = bidsify.deid_check(tmp_path, fix=True)
    assert (done.left, done.failures) == ((), ())
    assert np.array_equal(np.asarray(nib.load(place).dataobj), before)
    after = place.read_bytes()
    assert b"SMITH" not in (gzip.decompress(after) if name.endswith("gz") else after) + after


def test_a_second_member_of_a_text_is_read(tmp_path: Path) -> None:
    put(tmp_path, "a.tsv.gz", packed(b"a\tb\n") + packed(b"1\tSMITH^JOHN\n"))
    put(tmp_path, "b.json.gz", packed(b'{"PatientName": "Jane"}'))
    put(tmp_path, "c.txt.gz", packed(b"patient: Jane"))
    assert found(tmp_path) == [
        ("a.tsv.gz", "column 'b'"), ("b.json.gz", "PatientName"), ("c.txt.gz", "line 1"),
    ]  # fmt: skip
    assert bidsify.deid_check(tmp_path, fix=True).fixed == ()


def test_a_gzip_file_that_cannot_be_looked_through_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_BEHIND", 1 << 20)
    put(tmp_path, "bomb.nii.gz", packed(image() + bytes(1 << 24)))
    put(tmp_path, "cut.txt.gz", packed(os.urandom(999))[:-20])
    assert [each.what for each in check.check(tmp_path)] == [
        "more in it than it should hold: not looked through to its end",
        "a damaged gzip file: not looked through to its end",
    ]


def test_json_in_an_extension_is_looked_through(tmp_path: Path) -> None:
    content = b'{"SpectrometerFrequency": [1], "PatientName": "Jane"}'
    put(tmp_path, "a.nii", image(extensions=((44, content),)))
    (trace,) = check.check(tmp_path)
    assert (trace.where, trace.is_fixable) == ("extension NIfTI-MRS", False)
    assert trace.what == "keys that tell who a person is: PatientName"


def test_a_pipe_does_not_hold_the_look_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").symlink_to("a.json")
    (tmp_path / "c.json").symlink_to("gone")
    assert [path for path, _ in found(tmp_path)] == ["c.json"]


def test_one_file_that_cannot_be_looked_at_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str, *rest: Any) -> Any:
        if path == "a.json":
            raise RecursionError
        return kept(path, *rest)

    put(tmp_path, "a.json", '{"PatientName": "Jane"}')
    put(tmp_path, "b.json", '{"PatientName": "Jane"}')
    with monkeypatch.context() as patch:
        kept = check.in_document
        patch.setattr(check, "in_document", fail)
        assert [path for path, _ in found(tmp_path)] == ["a.json", "b.json"]
    kept = fix.without_keys
    monkeypatch.setattr(fix, "without_keys", fail)
    done = bidsify.deid_check(tmp_path, fix=True)
    assert done.fixed == ("b.json",)
    assert done.failures[0].startswith("a.json: cannot be written again (RecursionError")


COLORED = b"Export of SMITH^JOHN COLOR=\x01\x02\x03\xff".ljust(80)


def test_the_color_of_a_mesh_stays(tmp_path: Path) -> None:
    triangles = struct.pack("<I", 2) + bytes(range(100))
    place = put(tmp_path, "a.stl", COLORED + triangles)
    put(tmp_path, "b.stl", b"made by x\0SMITH^JOHN".ljust(80) + triangles)
    assert [each.where for each in check.check(tmp_path)] == ["STL header"] * 2
    assert bidsify.deid_check(tmp_path, fix=True).left == ()
    at = COLORED.find(b"COLOR=")
    assert place.read_bytes() == bytes(at) + COLORED[at : at + 10] + bytes(70 - at) + triangles


@pytest.mark.parametrize("change", ["triangles", "length", "color"])
def test_a_mesh_that_would_change_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    content = COLORED + struct.pack("<I", 2) + bytes(range(100))
    other = {"triangles": content[:-1] + b"\0", "length": content + b"\0",
             "color": content.replace(b"\xff ", b"\xfe ")}  # fmt: skip
    assert fix._is_same_mesh(content, content)
    assert not fix._is_same_mesh(content, other[change])
    monkeypatch.setattr(fix, "_is_same_mesh", lambda *_: False)
    place = put(tmp_path, "a.stl", content)
    assert "triangles stay" in bidsify.deid_check(tmp_path, fix=True).failures[0]
    assert place.read_bytes() == content
    with pytest.raises(SourceError, match="cannot be proved"):
        repaired("a.stl", b"solid SMITH^JOHN\n")


@pytest.mark.parametrize("what", [".bidsify", ".bidsify/staging", ".bidsify/receipts.jsonl"])
def test_a_state_that_leads_out_of_the_tree_is_refused(tmp_path: Path, what: str) -> None:
    victim, root = tmp_path / "victim", tmp_path / "tree"
    put(victim, "staging/kept", b"1")
    put(victim, "receipts.jsonl", b"2")
    put(root, "a.nii", image(descrip=NAME))
    (root / what).parent.mkdir(exist_ok=True)
    target = victim if what == ".bidsify" else victim / Path(what).name
    (root / what).symlink_to(target)
    before, own = snapshot(victim), (root / "a.nii").read_bytes()
    ran = run("deid-check", root, "--fix")
    assert ran.code == 2
    assert "is in the place of our state; remove it" in ran.error
    assert snapshot(victim) == before
    assert (root / "a.nii").read_bytes() == own


def test_halves_of_characters_can_be_told(tmp_path: Path) -> None:
    put(tmp_path, "a.json", r'{"Comment \ud800": "by SMITH^JOHN"}')
    put(tmp_path, "b\udcff.json", '{"PatientName": "Jane"}')
    ran = run("deid-check", tmp_path, "--json")
    assert ran.code == 1
    told = [(each["path"], each["where"]) for each in json.loads(ran.out)["found"]]
    assert told == [("a.json", "Comment \\ud800"), ("b\\udcff.json", "PatientName")]


@pytest.mark.parametrize(
    ("field", "text", "kind"),
    [
        ("descrip", "Jane Roe", "free text"),
        ("descrip", "Müller, Karl", "free text"),
        ("descrip", "MRN 4711", "identifying"),
        ("descrip", "PatientID 123456", "identifying"),
        ("descrip", "4711", "free text"),
        ("descrip", "FSL 6.0 Jane Roe", "free text"),
        ("descrip", "SPM contrast - 1: SMITH^JOHN", "identifying"),
        ("aux_file", "DOE_JOHN", "free text"),
        ("intent_name", "Jane", "free text"),
        ("db_name", "Jane", "free text"),
    ],
)
def test_free_text_that_no_program_writes_is_told_and_removed(
    tmp_path: Path, field: str, text: str, kind: str
) -> None:
    place = put(tmp_path, "a.nii", image(**{field: text}))
    (trace,) = check.check(tmp_path)
    assert (trace.where, trace.kind, trace.is_fixable) == (field, kind, True)
    assert text in trace.what
    assert ("free text" in trace.what) == (kind == "free text")
    document = json.loads(run("deid-check", tmp_path, "--json").out)
    assert [each["kind"] for each in document["found"]] == [kind]
    assert bidsify.deid_check(tmp_path, fix=True).left == ()
    assert text.encode() not in place.read_bytes()


PROGRAMS = [
    "FSL5.0", "FSL 6.0.5",
    "6.0.5:9e026117", "5.0.10", "TE=30;Time=153012.345;phase=1", "Time=0.000",
    "MRtrix version: 3.0_RC3-51-g52a2540d", "MRtrix version: 3.0.3", "spm - 3D normalized",
    "spm - realigned", "spm - 3D normalized - conv(8,8,8)",
    "spm_spm:beta (0001) - Sn(1) face*bf(1)",
    "SPM contrast - 1: faces > houses", "SPM{T_[12.0]} - contrast 2: faces", "SPM{T_[12.0]}",
    "3T 3D RM TR=9.6ms/TE=4.6ms/FA=8deg", "dcm2niix v1.0.20190902", "FreeSurfer Feb 12 2008",
    "ITK", "ANTs", "SimpleITK", "NiBabel 5.2.1", "nilearn", "ITK-SNAP", "Zscore", "labels",
    "ConnDenseSeries", "ConnDense", "NeuroNames", "NIFTI_INTENT_LABEL", "Red-Yellow", "none",
    "3D Slicer output. SPACE=RAS", "Exported from Blender-2.82 (sub 7)", "Exported by 3D Slicer",
    "VCG", "STLB ATF 12.10.0.1430", "binary STL", "ascii", "OpenSCAD_Model", "Created by Open3D",
    "Visualization Toolkit generated SLA File", "numpy-stl (3.0.0) 2022-01-02 12:00:00.00",
    "v2.25 NIfTI-1 Single file format",
]  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS)
def test_what_programs_write_is_no_free_text(tmp_path: Path, text: str) -> None:
    assert is_of_program(text)
    put(tmp_path, "a.nii", image(descrip=text))
    put(tmp_path, "a.stl", f"solid {text}\nendsolid {text}\n")
    put(tmp_path, "b.stl", text.encode().ljust(80) + bytes(4))
    assert found(tmp_path) == []


@pytest.mark.parametrize("folder", ["tests/data", "nicom/tests/data", "gifti/tests/data"])
def test_no_alarm_about_texts_of_images_of_other_programs(folder: str) -> None:
    fields = {"descrip", "aux_file", "intent_name", "db_name"}
    root = Path(nib.__file__).parent / folder
    if not root.is_dir():
        pytest.skip("nibabel came without its files for tests")
    assert [trace for trace in check.check(root) if trace.where in fields] == []


@pytest.mark.parametrize(
    ("name", "content", "is_fixable"),
    [
        ("a.stl", b"Mimics patient DOE JOHN".ljust(80) + bytes(4), True),
        ("a.stl", b"solid DOE_JOHN".ljust(80) + bytes(4), True),
        ("a.stl", b"solid DOE_JOHN\nendsolid DOE_JOHN\n", False),
        ("a.stl", b"solid bone\n facet\nendsolid bone\nsolid DOE_JOHN\n", False),
        ("sub-1/sub-1_a.stl", b"solid sub-1_DOE_JOHN\n", False),
    ],
)
def test_the_names_of_meshes_are_told(
    tmp_path: Path, name: str, content: bytes, *, is_fixable: bool
) -> None:
    put(tmp_path, name, content)
    (trace,) = check.check(tmp_path)
    assert (trace.where, trace.kind, trace.is_fixable) == ("STL header", "free text", is_fixable)
    left = bidsify.deid_check(tmp_path, fix=True).left
    assert bool(left) == (not is_fixable)


@pytest.mark.parametrize(
    "key",
    ["MRN", "PatientsName", "Patient Name", "SubjectName", "0010,0010", "medical_record_number",
     "OtherPatientsNames", "DOB"],
)  # fmt: skip
def test_more_keys_that_tell(key: str) -> None:
    assert list(identifying_keys({"a": [{key: "Jane 4711"}]})) == [key]


@pytest.mark.parametrize(
    "name",
    ["participants.tsv", "sub-1/sub-1_scans.tsv", "sub-1/sub-1_sessions.tsv",
     "derivatives/x/participants.tsv"],
)  # fmt: skip
def test_columns_of_people_anywhere(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, "a\tname\tinitials\tzip\tzip_code\nx\tJane\tJR\t1010\t1010\n")
    wheres = ["column 'name'", "column 'initials'", "column 'zip'", "column 'zip_code'"]
    assert [where for _, where in found(tmp_path)] == wheres


@pytest.mark.parametrize(
    ("age", "expected"),
    [("89+", False), ("90+", False), ("90 +", False), (">89", False), (">=90", False),
     ("90 or older", False), ("89", False), ("90", True), ("95+", True), (">95", True),
     ("091Y", True), ("90+y", False), ("n/a", False)],
)  # fmt: skip
def test_ages_above_89_are_told_apart_from_those_that_are_capped(
    age: str, *, expected: bool
) -> None:
    assert is_old(age) is expected


@pytest.mark.parametrize("name", ["cut.nii", "cut.nii.gz"])
def test_nobody_is_told_that_fix_mends_a_file_that_it_cannot(tmp_path: Path, name: str) -> None:
    content = image(descrip=NAME)
    put(tmp_path, name, named(content)[:-30] if name.endswith("gz") else content[:-9])
    assert "(--fix removes it)" not in run("deid-check", tmp_path).out
    assert run("deid-check", tmp_path, "--fix").failures
    document = json.loads(run("deid-check", tmp_path, "--fix", "--json").out)
    assert document["failures"]
    assert {each["fixable"] for each in document["found"]} == {False}


def test_what_could_not_be_fixed_is_no_longer_said_to_be_fixable(tmp_path: Path) -> None:
    place = put(tmp_path / "else", "a.nii", image(descrip=NAME))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.nii").symlink_to(place)
    done = bidsify.deid_check(tmp_path / "tree", fix=True)
    assert [(each.path, each.is_fixable) for each in done.left] == [("a.nii", False)]


@pytest.mark.parametrize("where", ["tree", ""])
def test_in_a_repository_the_history_is_warned_of(tmp_path: Path, where: str) -> None:
    (tmp_path / where / ".git").mkdir(parents=True)
    put(tmp_path, "tree/a.nii", image(descrip=NAME))
    put(tmp_path, "tree/b.nii", image(descrip=NAME))
    assert run("deid-check", tmp_path / "tree").warnings == []
    ran = run("deid-check", tmp_path / "tree", "--fix")
    assert ran.warnings == ["the history of git, and its annex, keep the files as they were"]
    assert run("deid-check", tmp_path / "tree", "--fix").warnings == []


def test_the_extension_of_a_cifti_file_stays(tmp_path: Path) -> None:
    origin = Path(nib.__file__).parent / "tests/data/row_major.dconn.nii"
    if not origin.is_file():
        pytest.skip("nibabel came without its files for tests")
    put(tmp_path, "a.nii", origin.read_bytes())
    assert found(tmp_path) == []


def test_a_file_alone_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x.nii").write_bytes(b"")
    ran = run("deid-check", tmp_path / "x.nii")
    assert (ran.code, ran.error) == (
        2,
        f"{tmp_path / 'x.nii'}: a file; give the folder that it is in",
    )
