"""The proof finds each change of a written file and says where; an untouched file has no fault."""

from __future__ import annotations

import gzip
import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from builders import OBLIQUE, gzipped, labels, loaded, markup, nifti, png, ramp, reading, series

from bidsify.conversion import sidecars, tables, volumes
from bidsify.engine.jobs import Job, Made
from bidsify.labels import Range
from bidsify.planning.jobs import (
    ArrayPart,
    CopyJob,
    PointsJob,
    Recode,
    ScansJob,
    SidecarJob,
    VolumeJob,
)
from bidsify.planning.products import PLANE_COLUMNS, SPACE_COLUMNS
from bidsify.planning.shared_jobs import TextJob
from bidsify.proof.jobs import faults
from bidsify.source.reading import Fact

IMAGE = "sub-1/anat/sub-1_T1w.nii.gz"
TENFOLD = Recode(ranges=tuple(Range(10 * n, 10 * n + 9, n) for n in range(4)), dtype="uint8")
KEEP = Recode(ranges=tuple(Range(n, n, n) for n in range(4)), dtype="uint8")
SHAPE = (4, 5, 3)


@dataclass
class Written:
    """A job, its sources, and the file that was made of them."""

    job: Job
    files: Mapping[str, bytes]
    root: Path

    @property
    def path(self) -> Path:
        return self.root / self.job.target

    def faults(self) -> list[str]:
        return list(faults(self.job, reading(self.files), self.root))


# --- volumes ------------------------------------------------------------------------------------


def dicom_case() -> tuple[VolumeJob, dict[str, bytes]]:
    files = dict(series(ramp(SHAPE), (5, 6, 7), step=(0, 0, -2.5), RescaleSlope=2))
    return VolumeJob(target=IMAGE, sources=tuple(files), reader="dicom"), files


def png_case() -> tuple[VolumeJob, dict[str, bytes]]:
    files = dict(series(ramp(SHAPE), step=(0, 0, -2.5)))
    masks = {f"g/{n}.png": png(m) for n, m in enumerate(labels(SHAPE, "u1", 39))}
    job = VolumeJob(
        target=IMAGE, sources=tuple(masks), reader="png", recode=TENFOLD, grid=tuple(files)
    )
    return job, files | masks


def nifti_case(data: Any, recode: Recode | None = None, **header: Any) -> Any:
    job = VolumeJob(target=IMAGE, sources=("a/x.nii",), reader="nifti", recode=recode)
    return lambda: (job, {"a/x.nii": nifti(data, **header)})


def array_case(array: Any, recode: Recode | None = None, **part: Any) -> Any:
    job = VolumeJob(
        target=IMAGE,
        sources=("p",),
        reader="tensors",
        recode=recode,
        array=ArrayPart(key="x", orientation="PIR", **part),
    )
    return lambda: (job, {"p": pickle.dumps({"x": array}, protocol=2)})


CASES: dict[str, Callable[[], tuple[VolumeJob, dict[str, bytes]]]] = {
    "nifti image": nifti_case(ramp(SHAPE)),
    "nifti image, scaled": nifti_case(ramp(SHAPE), scl_slope=0.5, scl_inter=3),
    "nifti image, real": nifti_case(ramp(SHAPE, "f4") / 7),
    "nifti image of 4 axes": nifti_case(ramp((*SHAPE, 2))),
    "nifti labels": nifti_case(labels(SHAPE), KEEP),
    "nifti labels, recoded": nifti_case(labels(SHAPE, "f4", 39), TENFOLD),
    "nifti labels, big-endian": nifti_case(labels(SHAPE, "i2", 39), TENFOLD, endian=">"),
    "dicom": dicom_case,
    "png": png_case,
    "plane": array_case(ramp((4, 5), "f4")),
    "plane of labels": array_case(labels((4, 5), "i8", 39), TENFOLD),
    "masks": array_case(labels((3, 4, 5), "u1", 1), channels=3),
}
ARRAYS = ("plane", "plane of labels", "masks")
FLIPS = [(name, axis) for name in CASES for axis in range(2 if name in ARRAYS else 3)]
MOVES = [
    (name, change)
    for name in CASES
    for change in ("turned", "mirrored", "moved", "stretched")
    if name not in ARRAYS or change in ("turned", "mirrored")  # they state axes, no places
]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Written]:
    def writing(name: str) -> Written:
        job, files = CASES[name]()
        made = volumes.make(job, reading(files), reproducible=False)
        assert isinstance(made, Made)
        written = Written(job, files, tmp_path)
        save(written, made.content)
        return written

    return writing


@pytest.mark.parametrize("name", CASES)
def test_an_untouched_volume_has_no_fault(name: str, write: Callable[[str], Written]) -> None:
    assert write(name).faults() == []


@pytest.mark.parametrize("name", CASES)
def test_a_single_changed_voxel_is_found_at_its_place(
    name: str, write: Callable[[str], Written]
) -> None:
    written = write(name)
    shape = stored(written).shape
    for place in ((0, 0, 0), tuple(n - 1 for n in shape), tuple(n // 2 for n in shape)):
        values = stored(written).copy()
        at = place + (0,) * (values.ndim - len(place))
        values[at] = values[at] + 1 if values[at] != 3 else values[at] - 1
        original = written.path.read_bytes()
        save(written, rewritten(original, values))
        (fault,) = written.faults()
        assert "1 voxels differ, the first at [" in fault or "1 voxels of value" in fault, fault
        found = json.loads("[" + fault.split("first at [")[1].split("]")[0] + "]")
        assert is_place(found, at, fault, written), (fault, at)
        save(written, original)
    assert written.faults() == []


def test_a_changed_voxel_amid_others_of_its_value_is_found(tmp_path: Path) -> None:
    """Labels are compared where values turn, and those of the source do not turn there."""
    native = np.zeros((6, 5, 4), "u1")
    native[2:, 1:, 1:] = 13
    for place, value in (((4, 3, 2), 2), ((4, 3, 2), 0), ((0, 0, 0), 1), ((5, 4, 3), 3)):
        job, files = nifti_case(native, TENFOLD)()
        made = volumes.make(job, reading(files), reproducible=False)
        assert isinstance(made, Made)
        written = Written(job, files, tmp_path)
        save(written, made.content)
        values = stored(written).copy()
        values[place] = value
        save(written, rewritten(made.content, values))
        (fault,) = written.faults()
        was = 1 if native[place] else 0
        assert f"the first at {list(place)}: {value} instead of {native[place]}" in fault
        assert fault.endswith(f"1 voxels of value {native[place]} became {value}, not [{was}]")


@pytest.mark.parametrize("name", ["dicom", "png"])
def test_a_slice_that_no_file_holds_is_found(name: str, write: Callable[[str], Written]) -> None:
    """The volume holds all slices, and one more."""
    written = write(name)
    values = stored(written)
    more = np.concatenate([values, values[:, :, :1]], axis=2)
    save(written, rewritten(written.path.read_bytes(), more))
    assert written.faults() == ["4 slices fill 4 planes of a grid of (3, 5, 5)"]


@pytest.mark.parametrize("name", ["dicom", "png", *ARRAYS])
def test_a_place_that_is_stated_by_the_qform_alone_is_found(
    name: str, write: Callable[[str], Written]
) -> None:
    """nibabel finds it there, other tools do not look."""
    written = write(name)
    save(written, rewritten(written.path.read_bytes(), sform_code=0))
    (fault,) = written.faults()
    assert fault.endswith("or sform code do not go with the affine")


@pytest.mark.parametrize(("name", "axis"), FLIPS)
def test_a_flip_is_found_and_recognised(
    name: str, axis: int, write: Callable[[str], Written]
) -> None:
    written = write(name)
    save(written, rewritten(written.path.read_bytes(), np.flip(stored(written), axis)))
    found = written.faults()
    assert found
    if name.startswith("nifti image"):
        assert found[0].endswith(f"(the volume is flipped along axis {axis})")


@pytest.mark.parametrize("name", CASES)
def test_swapped_axes_are_found(name: str, write: Callable[[str], Written]) -> None:
    written = write(name)
    save(written, rewritten(written.path.read_bytes(), np.swapaxes(stored(written), 0, 1)))
    assert written.faults()


@pytest.mark.parametrize(("name", "change"), MOVES)
def test_another_place_is_found(name: str, change: str, write: Callable[[str], Written]) -> None:
    written = write(name)
    affine = loaded(written.path.read_bytes()).affine.copy()
    match change:
        case "turned":
            affine[:3, [0, 1]] = affine[:3, [1, 0]]
        case "mirrored":
            affine[:3, 1] *= -1
        case "moved":
            affine[0, 3] += 1
        case "stretched":
            affine[:3, 2] *= 1.5
    save(written, rewritten(written.path.read_bytes(), affine=affine))
    found = written.faults()
    assert found
    assert any(word in found[0] for word in ("affine is", "axes run", "on the grid", "differ")), (
        found
    )


@pytest.mark.parametrize("name", ["nifti image", "nifti labels"])
@pytest.mark.parametrize("field", ["sform_code", "qform_code", "xyzt_units"])
def test_other_codes_and_units_are_found(
    name: str, field: str, write: Callable[[str], Written]
) -> None:
    written = write(name)
    save(written, rewritten(written.path.read_bytes(), **{field: 3}))
    assert any(fault.startswith(f"{field} is 3, in the source ") for fault in written.faults())


@pytest.mark.parametrize("name", CASES)
def test_another_grid_is_found(name: str, write: Callable[[str], Written]) -> None:
    written = write(name)
    save(written, rewritten(written.path.read_bytes(), stored(written)[1:]))
    assert written.faults()


@pytest.mark.parametrize("name", ["nifti labels", "png", "plane of labels"])
def test_labels_that_are_no_integers_are_found(name: str, write: Callable[[str], Written]) -> None:
    written = write(name)
    save(written, rewritten(written.path.read_bytes(), stored(written).astype("f4")))
    assert any(fault.endswith("labels are stored as float32") for fault in written.faults())


@pytest.mark.parametrize("name", ["nifti labels", "png", "plane of labels"])
def test_two_regions_that_were_exchanged_are_found(
    name: str, write: Callable[[str], Written]
) -> None:
    written = write(name)
    values = stored(written)
    swapped = np.array([0, 2, 1, 3], "u1")[values]
    save(written, rewritten(written.path.read_bytes(), swapped))
    assert any(fault.endswith("became 1, not [2]") for fault in written.faults())


@pytest.mark.parametrize("name", ["nifti image", "dicom", "plane"])
@pytest.mark.parametrize("harm", ["cut", "empty", "text", "plain", "junk", "crc"])
def test_a_broken_file_is_found(name: str, harm: str, write: Callable[[str], Written]) -> None:
    written = write(name)
    content = written.path.read_bytes()
    broken = {
        "cut": content[:-1],
        "empty": b"",
        "text": b"text",
        "plain": gzip.decompress(content),
        "junk": content + b"junk",
        "crc": content[:-8] + b"\0\0\0\0" + content[-4:],
    }
    save(written, broken[harm])
    (fault,) = written.faults()
    assert fault.startswith("not a readable NIfTI file: ")


@pytest.mark.parametrize(("name", "time"), [("patient.nii", 0), ("", 1234567)])
@pytest.mark.parametrize("case", ["nifti image", "dicom", "nifti labels"])
def test_a_name_or_a_time_in_the_header_is_found(
    case: str, name: str, time: int, write: Callable[[str], Written]
) -> None:
    written = write(case)
    save(written, gzipped(gzip.decompress(written.path.read_bytes()), name=name, time=time))
    assert written.faults() == ["the gzip header carries a name or a time"]


def test_the_last_member_of_a_source_is_not_the_whole(tmp_path: Path) -> None:
    first, second = nifti(ramp(SHAPE)), nifti(ramp(SHAPE) + 1)
    job = VolumeJob(target=IMAGE, sources=("a",), reader="nifti")
    clean = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    written = Written(job, {"a": gzipped(first) + gzipped(second)}, tmp_path)
    save(written, clean + gzipped(second)[10:])
    assert written.faults()


def test_a_slice_that_only_begins_and_ends_in_the_volume_is_found(tmp_path: Path) -> None:
    """Its other corners lie outside: what is there is no voxel of ours, nor memory of ours."""
    job, files = dicom_case()
    written = Written(job, files, tmp_path)
    made = volumes.make(job, reading(files), reproducible=False)
    assert isinstance(made, Made)
    image = nib.Nifti1Image.from_bytes(gzip.decompress(made.content))
    for stride in (1, 2, 1 << 12, 1 << 40):
        back = np.linalg.inv(image.affine)
        rows, columns = SHAPE[1] - 1, SHAPE[0] - 1
        # a step along the row goes up by so many slices, one along the column as far down
        back[2, :3] += stride * (rows * back[0, :3] - columns * back[1, :3])
        back[2, 3] -= back[2] @ image.affine[:, 3]
        changed = nib.Nifti1Image(np.asanyarray(image.dataobj), np.linalg.inv(back))
        changed.header.set_xyzt_units("mm")
        save(written, gz_clean(changed.to_bytes()))
        assert any("does not lie on the grid" in fault for fault in written.faults())


@pytest.mark.filterwarnings("ignore:Extension size")
def test_each_byte_of_a_header_counts(tmp_path: Path) -> None:
    """Of a file that was packed anew."""
    job = VolumeJob(target=IMAGE, sources=("a",), reader="nifti")
    raw = nifti(ramp(SHAPE), extensions=(b"comment",))
    written = Written(job, {"a": gzipped(raw)}, tmp_path)
    start = int(nib.Nifti1Header(raw[:348])["vox_offset"])
    for place in (*range(48), *range(56, start)):  # between are the sizes of axes that are not
        changed = bytearray(raw)
        changed[place] ^= 0x01
        save(written, gz_clean(bytes(changed)))
        assert written.faults(), place


# --- streams that were kept ---------------------------------------------------------------------


def kept_case(folder: Path, raw: bytes, recode: Recode | None = None, name: str = "x") -> Written:
    """A packed source, and the file that is made of it."""
    files = {"a": gzipped(raw, name=name, time=5)}
    job = VolumeJob(target=IMAGE, sources=("a",), reader="nifti", recode=recode)
    source = reading(files)
    made = volumes.make(job, source, reproducible=False)
    assert isinstance(made, Made)
    assert made.content[10:] == gzipped(raw)[10:]
    assert source.inflated == {"a"}
    written = Written(job, files, folder)
    save(written, made.content)
    return written


def kept_faults(written: Written) -> list[str]:
    source = reading(written.files)
    source.content("a")
    source.inflated.add("a")
    return list(faults(written.job, source, written.root))


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("endian", "<>")
@pytest.mark.parametrize("length", [0, 1, 200, 3000])
def test_extensions_of_any_length_are_read(
    kind: Any, endian: str, length: int, tmp_path: Path
) -> None:
    extensions = (b"e" * length,) if length else ()
    raw = nifti(ramp(SHAPE), kind=kind, endian=endian, extensions=extensions)
    written = kept_case(tmp_path, raw)
    assert written.faults() == kept_faults(written) == []
    save(written, gz_clean(raw))
    assert written.faults() == []


def test_a_kept_stream_that_was_inflated_is_not_inflated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = kept_case(tmp_path, nifti(ramp(SHAPE)))
    monkeypatch.setattr("bidsify.proof.voxels.unpacked", lambda _: pytest.fail("inflated"))
    assert kept_faults(written) == []


@pytest.mark.parametrize("recode", [None, KEEP])
def test_each_byte_of_a_kept_stream_counts(recode: Recode | None, tmp_path: Path) -> None:
    written = kept_case(tmp_path, nifti(labels(SHAPE)), recode)
    content = written.path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x10
        save(written, bytes(changed))
        found = kept_faults(written)
        assert found == written.faults()
        # Extra flags and system hold nothing, and a stream has bits without a meaning.
        assert found or gzip.decompress(changed) == gzip.decompress(content), place
    for other in (content[:-1], content + b"\0", content[1:], b""):
        save(written, other)
        assert kept_faults(written)


def test_a_stream_that_begins_elsewhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the length of the header miscounted, by writer and proof alike."""
    monkeypatch.setattr("bidsify.proof.voxels.same_stream", lambda *_: True)
    written = kept_case(tmp_path, nifti(ramp(SHAPE)))
    content = written.path.read_bytes()
    for start in (9, 11, 12, 40, len(content) - 8):
        save(written, content[:10] + content[start:])
        assert kept_faults(written), start
    save(written, gzipped(nifti(ramp(SHAPE), OBLIQUE * 2)))
    assert kept_faults(written) == ["does not begin as its source does"]


@pytest.mark.parametrize("size", [0, 351, -1])
def test_a_kept_stream_states_the_size_of_its_grid(size: int, tmp_path: Path) -> None:
    raw = nifti(ramp((9, 9, 9)))
    written = kept_case(tmp_path, raw)
    stated = (size % len(raw)).to_bytes(4, "little")
    written.files = {"a": written.files["a"][:-4] + stated}
    save(written, written.path.read_bytes()[:-4] + stated)
    (fault,) = kept_faults(written)
    assert fault == f"states {size % len(raw)} bytes, but its grid takes {len(raw)}"


@pytest.mark.parametrize("padding", [1, 1 << 16])
def test_padding_behind_the_voxels_is_no_fault(padding: int, tmp_path: Path) -> None:
    written = kept_case(tmp_path, nifti(ramp(SHAPE)) + bytes(padding))
    assert written.faults() == kept_faults(written) == []


def test_a_kept_label_without_a_row_is_found(tmp_path: Path) -> None:
    written = kept_case(tmp_path, nifti(labels(SHAPE)), KEEP)
    assert isinstance(written.job, VolumeJob)
    fewer = Recode(ranges=KEEP.ranges[:3], dtype="uint8")
    written.job = replace(written.job, recode=fewer)
    (fault,) = kept_faults(written)
    assert fault.endswith("voxels of value 3 became 3, not []")


def test_not_a_number_equals_itself(tmp_path: Path) -> None:
    data = ramp(SHAPE, "f4")
    data[1, 2, 1] = np.nan
    job = VolumeJob(target=IMAGE, sources=("a",), reader="nifti")
    written = Written(job, {"a": nifti(data)}, tmp_path)
    save(written, gz_clean(nifti(data) + b"padding"))
    assert written.faults() == []
    data[1, 2, 1] = 0
    save(written, gz_clean(nifti(data)))
    (fault,) = written.faults()
    assert "the first at [1, 2, 1]: 0 instead of nan" in fault


def test_a_slice_that_is_missing_from_the_volume_is_found(tmp_path: Path) -> None:
    job, files = dicom_case()
    less = VolumeJob(target=IMAGE, sources=job.sources[:-1], reader="dicom")
    made = volumes.make(less, reading(files), reproducible=False)
    assert isinstance(made, Made)
    written = Written(job, files, tmp_path)
    save(written, made.content)
    assert any("IMG-4.dcm does not lie on the grid" in fault for fault in written.faults())


def test_masks_in_the_order_of_names_are_found(tmp_path: Path) -> None:
    job, files = png_case()
    made = volumes.make(job, reading(files), reproducible=False)
    assert isinstance(made, Made)
    written = Written(job, files, tmp_path)
    upside_down = np.flip(np.asanyarray(loaded(made.content).dataobj), 2)
    save(written, rewritten(made.content, upside_down))
    assert any(fault.startswith("slice g/0.png: ") for fault in written.faults())


# --- tables -------------------------------------------------------------------------------------


@pytest.fixture
def space_points(tmp_path: Path) -> Written:
    image = tmp_path / IMAGE
    image.parent.mkdir(parents=True)
    image.write_bytes(gzipped(nifti(ramp(SHAPE))))
    files = {
        "a": markup([(1.1, 2, 3), (4, 5, 6)]),
        "b": markup([(7, 8, 9)], coordinateSystem="RAS"),
        "c": markup([(7, 8, 9)], coordinateSystem=0),
    }
    job = PointsJob(
        target="sub-1/anat/sub-1_points.tsv",
        sources=("a", "b", "c"),
        reader="markups",
        columns=("side", *SPACE_COLUMNS),
        stated=(("left",), ("right",), ("mid",)),
        lies_on=IMAGE,
    )
    made = tables.points(job, reading(files), tmp_path, frozenset([IMAGE]))
    written = Written(job, files, tmp_path)
    save(written, made.content)
    return written


@pytest.fixture
def plane_points(tmp_path: Path) -> Written:
    curve = np.random.default_rng(0).uniform(0, 99, (2, 3, 2)).astype("f4")
    files = {"p": pickle.dumps({"c": curve, "t": curve[0]}, protocol=2)}
    job = PointsJob(
        target="t_points.tsv",
        sources=("p",),
        reader="tensors",
        columns=PLANE_COLUMNS,
        groups=(("c", ("L1", "L2")), ("t", ("tip",))),
    )
    written = Written(job, files, tmp_path)
    save(written, tables.points(job, reading(files), tmp_path, frozenset()).content)
    return written


@pytest.mark.parametrize("kind", ["space_points", "plane_points"])
def test_each_cell_of_a_table_of_points_counts(kind: str, request: pytest.FixtureRequest) -> None:
    written: Written = request.getfixturevalue(kind)
    assert written.faults() == []
    head, *rows = table(written)
    assert len(rows) == (4 if kind == "space_points" else 9)
    for line, column in np.ndindex(len(rows), len(head)):
        changed = [list(row) for row in rows]
        changed[line][column] = edited(changed[line][column], head[column])
        save_table(written, [head, *changed])
        found = written.faults()
        assert found, (line, head[column])
        assert found[0].startswith(f"line {line + 2}: "), found


@pytest.mark.parametrize("kind", ["space_points", "plane_points"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("lost row", "rows for"),
        ("doubled row", "rows for"),
        ("swapped rows", "line 2: "),
        ("lost column", "columns are"),
        ("renamed column", "columns are"),
        ("no rows", "0 rows for"),
    ],
)
def test_rows_and_columns_count(
    kind: str, change: str, reason: str, request: pytest.FixtureRequest
) -> None:
    written: Written = request.getfixturevalue(kind)
    head, *rows = table(written)
    changed = {
        "lost row": [head, *rows[:-1]],
        "doubled row": [head, *rows, rows[-1]],
        "swapped rows": [head, rows[1], rows[0], *rows[2:]],
        "lost column": [row[:-1] for row in (head, *rows)],
        "renamed column": [[*head[:-1], "other"], *rows],
        "no rows": [head],
    }
    save_table(written, changed[change])
    assert reason in written.faults()[0]


@pytest.fixture
def scans(tmp_path: Path) -> Written:
    files = {"x/a.nii": b"one", "s/1.dcm": b"two", "s/2.dcm": b"three"}
    targets = ("sub-1/anat/a.nii.gz", "sub-1/anat/b.nii.gz", "sub-1/anat/never.nii.gz")
    job = ScansJob(target="sub-1/sub-1_scans.tsv", of=targets)
    for target in targets[:2]:
        save(Written(TextJob(target=target, content=""), {}, tmp_path), b"")
    origins = {targets[0]: ("x/a.nii",), targets[1]: ("s/1.dcm", "s/2.dcm")}
    facts = {p: Fact(len(c), hashlib.sha256(c).hexdigest()) for p, c in files.items()}
    written = Written(job, files, tmp_path)
    save(written, tables.scans(job, origins, facts).content)
    return written


def test_a_wrong_sum_in_scans_is_found(scans: Written) -> None:
    assert scans.faults() == []
    head, first, second = table(scans)
    save_table(scans, [head, [*first[:2], edited(first[2])], second])
    (fault,) = scans.faults()
    assert fault == f"x/a.nii has another SHA-256 than {edited(first[2])}"


@pytest.mark.parametrize("change", ["lost", "renamed", "added", "doubled"])
def test_rows_of_scans_are_the_files_that_exist(change: str, scans: Written) -> None:
    head, first, second = table(scans)
    changed = {
        "lost": [head, first],
        "renamed": [head, first, ["anat/x.nii.gz", *second[1:]]],
        "added": [head, first, second, ["anat/x.nii.gz", *second[1:]]],
        "doubled": [head, first, first, second],
    }
    save_table(scans, changed[change])
    assert scans.faults()


# --- sidecars, copies, texts --------------------------------------------------------------------


@pytest.fixture
def sidecar(tmp_path: Path) -> Written:
    for target in (IMAGE, "sub-1/anat/sub-1_T2w.nii.gz"):
        path = tmp_path / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzipped(nifti(ramp(SHAPE))))
    inside = [OBLIQUE[:3, :3] @ v + OBLIQUE[:3, 3] for v in ((1, 2, 1), (0, 1, 2))]
    files = {
        "tip": markup([list(inside[0] * [-1, -1, 1])]),
        "end": markup([list(inside[1])], coordinateSystem="RAS"),
    }
    job = SidecarJob(
        target=IMAGE.replace(".nii.gz", ".json"),
        of=IMAGE,
        metadata='{"Manual": true, "Units": "HU"}',
        drawn_on=("sub-1/anat/sub-1_T2w.nii.gz", "sub-1/anat/never.nii.gz"),
        landmarks=(("T", "tip"), ("E", "end")),
    )
    made = sidecars.make(job, reading(files), tmp_path, frozenset(job.drawn_on[:1]))
    written = Written(job, files, tmp_path)
    save(written, made.content)
    return written


def test_an_untouched_sidecar_has_no_fault(sidecar: Written) -> None:
    assert sidecar.faults() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Manual": False}, "Manual is False, not True"),
        ({"Units": None}, "Units is None, not 'HU'"),
        ({"Sources": ["bids::sub-1/anat/gone.nii.gz"]}, "Sources are "),
        ({"Sources": []}, "Sources"),
        ({"AnatomicalLandmarkCoordinates": {"T": [1, 2, 1]}}, "E lies at "),
        (
            {"AnatomicalLandmarkCoordinates": {"T": [1, 2, 1.01], "E": [0, 1, 2]}},
            "T lies at ",
        ),
    ],
)
def test_an_edited_sidecar_is_found(change: dict[str, Any], reason: str, sidecar: Written) -> None:
    document = json.loads(sidecar.path.read_bytes())
    save(sidecar, json.dumps({**document, **change}).encode())
    assert any(fault.startswith(reason) for fault in sidecar.faults())


@pytest.mark.parametrize("system", ["LPS", "RAS", "0", 0, "1", 1])
def test_landmarks_are_proved_in_each_system_of_coordinates(
    system: object, sidecar: Written
) -> None:
    job, point = sidecar.job, [10.0, -20.0, 30.0]
    assert isinstance(job, SidecarJob)
    files = {"p": markup([point], coordinateSystem=system)}
    one = replace(job, landmarks=(("P", "p"),))
    made = sidecars.make(one, reading(files), sidecar.root, frozenset(job.drawn_on[:1]))
    written = Written(one, files, sidecar.root)
    save(written, made.content)
    assert written.faults() == []


def test_landmarks_under_each_others_names_are_found(sidecar: Written) -> None:
    document = json.loads(sidecar.path.read_bytes())
    stated = document["AnatomicalLandmarkCoordinates"]
    stated["T"], stated["E"] = stated["E"], stated["T"]
    save(sidecar, json.dumps(document).encode())
    assert sidecar.faults()


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b"[]"])
def test_a_broken_sidecar_is_found(content: bytes, sidecar: Written) -> None:
    save(sidecar, content)
    (fault,) = sidecar.faults()
    assert fault.startswith("not ")


def test_a_copy_is_the_bytes_of_its_source(tmp_path: Path) -> None:
    written = Written(CopyJob(target="a.stl", sources=("x",)), {"x": b"solid"}, tmp_path)
    save(written, b"solid")
    assert written.faults() == []
    save(written, b"solid ")
    assert written.faults() == ["not the bytes of x"]


def test_what_nothing_proves_is_not_called_proven(tmp_path: Path) -> None:
    written = Written(TextJob(target="a/README.md", content=""), {}, tmp_path)
    with pytest.raises(AssertionError, match="nothing proves a file of the kind 'text'"):
        written.faults()


# --- reading and changing what was written ------------------------------------------------------


def save(written: Written, content: bytes) -> None:
    written.path.parent.mkdir(parents=True, exist_ok=True)
    written.path.write_bytes(content)


def stored(written: Written) -> Any:
    return loaded(written.path.read_bytes()).dataobj.get_unscaled()


def gz_clean(raw: bytes) -> bytes:
    """Compress without name and time."""
    packed = bytearray(gzip.compress(raw, mtime=0))
    packed[8:10] = b"\0\xff"
    return bytes(packed)


def rewritten(content: bytes, values: Any = None, affine: Any = None, **fields: Any) -> bytes:
    """The file with other stored values, another affine or other fields, and its scaling."""
    image = loaded(content)
    values = image.dataobj.get_unscaled() if values is None else values
    header = image.header.copy()
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    header.set_data_dtype(values.dtype)
    changed = type(image)(values, image.affine if affine is None else affine, header)
    if affine is not None:
        codes = [int(header[name]) for name in ("qform_code", "sform_code")]
        changed.set_qform(affine, code=codes[0])
        changed.set_sform(affine, code=codes[1])
    raw = bytearray(changed.to_bytes())
    after = type(image.header)(
        bytes(raw[: int(header["sizeof_hdr"])]), header.endianness, check=False
    )
    after["scl_slope"], after["scl_inter"] = slope, intercept
    for name, value in fields.items():
        after[name] = value
    return gz_clean(bytes(after.binaryblock) + bytes(raw[int(header["sizeof_hdr"]) :]))


def is_place(found: list[int], wanted: tuple[int, ...], fault: str, written: Written) -> bool:
    """Say whether a fault names a voxel, by its place in the volume or in the named slice."""
    job = written.job
    if isinstance(job, VolumeJob) and job.reader in ("dicom", "png"):
        name = fault.removeprefix("slice ").split(": ")[0]
        k = len(job.sources) - 1 - job.sources.index(name)
        return (found[1], found[0], k) == wanted
    if isinstance(job, VolumeJob) and job.reader == "tensors":
        return (found[1], found[0]) == wanted[:2]
    return tuple(found) == wanted


def table(written: Written) -> list[list[str]]:
    return [line.split("\t") for line in written.path.read_text("utf-8").splitlines()]


def save_table(written: Written, rows: list[list[str]]) -> None:
    save(written, "".join("\t".join(row) + "\n" for row in rows).encode())


def edited(cell: str, column: str = "") -> str:
    """The cell with another number as small as can be told, or with another last character."""
    if column.endswith("_mm"):
        return repr(float(np.nextafter(float(cell), np.inf)))
    if column in ("x", "y"):
        return repr(float(np.nextafter(np.float32(cell), np.float32(np.inf))))
    if column in ("i", "j", "k"):
        return repr(float(cell) + 1e-4)
    return cell[:-1] + ("1" if cell[-1] != "1" else "2")
