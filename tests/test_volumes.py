"""Volume jobs: from source files to the bytes of a .nii.gz, for each reader."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import pickle
from typing import Any

import numpy as np
import pytest
from builders import dicom, gzipped, labels, loaded, nifti, png, ramp, reading, series
from test_structures import SQUARE, items, placed, rtstruct

from bidsify.conversion import volumes
from bidsify.engine.jobs import Made, Omitted
from bidsify.errors import SourceError
from bidsify.labels import Range
from bidsify.planning.jobs import ArrayPart, Recode, VolumeJob
from bidsify.product import Slab

KEEP = Recode(ranges=tuple(Range(n, n, n) for n in range(4)), dtype="uint8")
TENFOLD = Recode(ranges=tuple(Range(10 * n, 10 * n + 9, n) for n in range(4)), dtype="uint8")
TARGET = "sub-1/anat/sub-1_T1w.nii.gz"


def make(job: VolumeJob, files: dict[str, bytes], *, reproducible: bool = False) -> Made:
    made = volumes.make(job, reading(files), reproducible=reproducible)
    assert isinstance(made, Made)
    assert made.content_sha256 == hashlib.sha256(gzip.decompress(made.content)).hexdigest()
    assert made.content[:10] == b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return made


def job(reader: str, *sources: str, **more: Any) -> VolumeJob:
    return VolumeJob(target=TARGET, sources=sources, reader=reader, **more)


# --- NIfTI --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slope", "count"), [(0.0, 3), (10.0, 21)])
def test_values_of_an_image_that_nobody_can_have_measured(slope: float, count: int) -> None:
    """Scaled as the header says; a slope of 0 is none."""
    raw = nifti(ramp((2, 3, 4)), scl_slope=slope)
    made = make(job("nifti", "a", plausible=(-1, 20)), {"a": raw})
    (note,) = made.notes
    assert note.startswith(f"{TARGET}: {count} voxels outside of -1 to 20, such as ")
    assert gzip.decompress(made.content) == raw
    assert make(job("nifti", "a", plausible=(-1, 999)), {"a": raw}).notes == ()


@pytest.mark.parametrize("reproducible", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_an_image_keeps_each_byte(*, is_packed: bool, reproducible: bool) -> None:
    raw = nifti(ramp((5, 6, 7)), extensions=(b"kept",), scl_slope=2.5)
    content = gzipped(raw, name="patient.nii", time=99, level=3) if is_packed else raw
    made = make(job("nifti", "a"), {"a": content}, reproducible=reproducible)
    assert gzip.decompress(made.content) == raw
    if is_packed:
        assert made.content[10:] == gzipped(raw, level=3)[10:]
        assert b"patient" not in made.content


def test_an_image_of_several_members_is_packed_anew() -> None:
    raw = nifti(ramp((5, 6, 7)))
    made = make(job("nifti", "a"), {"a": gzipped(raw[:600]) + gzipped(raw[600:])})
    assert gzip.decompress(made.content) == raw


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 7, 1)])
def test_an_image_gets_three_axes(shape: tuple[int, ...]) -> None:
    made = make(job("nifti", "a"), {"a": gzipped(nifti(ramp(shape)))})
    image = loaded(made.content)
    assert image.ndim == 3
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).ravel("F"), ramp(shape).ravel("F"))


def test_a_segmentation_that_fits_keeps_each_byte() -> None:
    raw = nifti(labels((5, 6, 7)), extensions=(b"kept",))
    made = make(job("nifti", "a", recode=KEEP), {"a": gzipped(raw, level=2)})
    assert made.content[10:] == gzipped(raw, level=2)[10:]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "u2", ">i2", "u1"])
def test_a_segmentation_is_recoded_into_its_type(dtype: str) -> None:
    native = labels((5, 6, 7), "int16", 39)
    endian = ">" if dtype.startswith(">") else "<"
    raw = nifti(native.astype(dtype.lstrip(">")), endian=endian)
    image = loaded(make(job("nifti", "a", recode=TENFOLD), {"a": raw}).content)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), native // 10)
    np.testing.assert_array_equal(image.affine, loaded(raw).affine)


def test_a_scaled_segmentation_becomes_whole_numbers() -> None:
    native = labels((5, 6, 7), "u1", 3)
    raw = nifti(native * 85, scl_slope=np.float32(3 / 255))
    image = loaded(make(job("nifti", "a", recode=KEEP), {"a": raw}).content)
    assert (image.dataobj.slope, image.dataobj.inter) == (1, 0)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), native)


def test_a_segmentation_with_unknown_values_names_its_file() -> None:
    raw = nifti(np.array([[[0, 1, 9]]], "u1"))
    with pytest.raises(SourceError, match=r"^a/seg\.nii: .*\[9\] \(1 voxels\)"):
        make(job("nifti", "a/seg.nii", recode=KEEP), {"a/seg.nii": raw})


def test_an_empty_file_is_named() -> None:
    with pytest.raises(SourceError, match=r"^a: the file is empty; download it again"):
        volumes.make(job("nifti", "a"), reading({"a": b""}), reproducible=True)


def test_what_was_read_is_known() -> None:
    source = reading({"a": nifti(ramp((2, 2, 2)))})
    volumes.make(job("nifti", "a"), source, reproducible=False)
    assert source.facts["a"].sha256 == hashlib.sha256(nifti(ramp((2, 2, 2)))).hexdigest()


@pytest.mark.parametrize("recode", [None, KEEP])
def test_what_was_inflated_whole_is_known(recode: Recode | None) -> None:
    raw = nifti(labels((5, 6, 7)))
    files = {
        "whole": gzipped(raw, name="x"),
        "plain": raw,
        "members": gzipped(raw[:600]) + gzipped(raw[600:]),
        "padded": gzipped(raw) + bytes(9),
        "cut": gzipped(raw)[:-1],
        "sum": gzipped(raw)[:-8] + bytes(4) + gzipped(raw)[-4:],
        "size": gzipped(raw)[:-4] + bytes(4),
    }
    source = reading(files)
    for name in files:
        with contextlib.suppress(SourceError):
            volumes.make(job("nifti", name, recode=recode), source, reproducible=False)
    assert source.inflated == {"whole"}


def test_what_is_read_again_is_not_taken_for_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidsify.source.reading._KEPT_BYTES", 1)
    source = reading({"a": gzipped(nifti(ramp((5, 6, 7)))), "b": b"other"})
    volumes.make(job("nifti", "a"), source, reproducible=False)
    assert source.inflated == {"a"}
    source.content("b")
    assert source.inflated == {"a"}
    source.content("a")
    assert source.inflated == set()


# --- DICOM and PNG ------------------------------------------------------------------------------


def test_a_series_becomes_a_volume() -> None:
    stack = ramp((4, 5, 3))
    files = dict(series(stack, step=(0, 0, -2.5)))
    image = loaded(make(job("dicom", *files), files).content)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), stack[::-1].transpose(2, 1, 0))
    assert image.header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize(
    ("plausible", "notes"),
    [
        (None, ()),
        ((0, 59), ()),
        (
            (1, 59),
            (f"{TARGET}: 1 voxels outside of 1 to 59, such as 0 at [0, 0, 0]; kept as they",),
        ),
        ((0, 57), (f"{TARGET}: 2 voxels outside of 0 to 57, such as 58 at",)),
    ],
)
def test_values_that_nobody_can_have_measured_are_told_and_kept(
    plausible: tuple[float, float] | None, notes: tuple[str, ...]
) -> None:
    files = dict(series(ramp((4, 5, 3))))
    made = make(job("dicom", *files, plausible=plausible), files)
    assert len(made.notes) == len(notes)
    assert all(map(str.startswith, made.notes, notes))
    assert sorted(np.asanyarray(loaded(made.content).dataobj).ravel()) == list(range(60))


def test_pictures_lie_on_the_grid_of_their_series() -> None:
    stack, masks = ramp((4, 5, 3)), labels((4, 5, 3), "u1", 39)
    files = dict(series(stack, step=(0, 0, -2.5)))
    pictures = {f"Ground/{n}.png": png(mask) for n, mask in enumerate(masks)}
    drawn = job("png", *pictures, grid=tuple(files), recode=TENFOLD)
    image = loaded(make(drawn, files | pictures).content)
    np.testing.assert_array_equal(
        np.asanyarray(image.dataobj), masks[::-1].transpose(2, 1, 0) // 10
    )
    series_image = loaded(make(job("dicom", *files), files).content)
    np.testing.assert_array_equal(image.affine, series_image.affine)
    assert image.get_data_dtype() == np.uint8


def test_the_picture_with_the_unknown_value_is_named() -> None:
    masks = np.zeros((4, 5, 3), "u1")
    masks[2, 1, 1] = 99
    files = dict(series(ramp((4, 5, 3)), step=(0, 0, -2.5)))
    pictures = {f"Ground/{n}.png": png(mask) for n, mask in enumerate(masks)}
    drawn = job("png", *pictures, grid=tuple(files), recode=TENFOLD)
    with pytest.raises(SourceError, match=r"^Ground/2\.png: .*\[99\] \(1 voxels\)"):
        make(drawn, files | pictures)


# --- arrays -------------------------------------------------------------------------------------


def arrays(**entries: Any) -> dict[str, bytes]:
    return {"case.pth": pickle.dumps(entries, protocol=2)}


def array_job(key: str, orientation: str = "PIR", **more: Any) -> VolumeJob:
    recode = more.pop("recode", None)
    part = ArrayPart(key=key, orientation=orientation, **more)
    return job("tensors", "case.pth", array=part, recode=recode)


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5)])
def test_a_plane_lies_as_declared(shape: tuple[int, ...]) -> None:
    plane = ramp((4, 5), "f4")
    image = loaded(make(array_job("img"), arrays(img=plane.reshape(shape))).content)
    assert image.shape == (5, 4, 1)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0], plane.T)
    assert image.header.get_xyzt_units()[0] == "unknown"
    assert image.header["sform_code"] == 2
    for (row, column), value in np.ndenumerate(plane):
        assert image.dataobj[column, row, 0] == value


@pytest.mark.parametrize(
    ("dtype", "top", "wanted"),
    [
        ("bool", 1, "uint8"),
        ("uint8", 255, "uint8"),
        ("int8", 7, "int8"),
        ("int16", 300, "int16"),
        ("uint16", 300, "int16"),
        ("uint16", 65535, "int32"),
        ("int32", 7, "int16"),
        ("int64", 7, "int16"),
        ("int64", 70000, "int32"),
        ("uint32", 2**32 - 1, "uint32"),
        ("int64", 2**40, "int64"),
        ("float16", 2, "float32"),
        ("float32", 2, "float32"),
        ("float64", 2, "float64"),
    ],
)
def test_a_type_that_holds_each_value_exactly(dtype: str, top: int, wanted: str) -> None:
    plane = np.array([[0, 1], [1, top]]).astype(dtype)
    image = loaded(make(array_job("img"), arrays(img=plane)).content)
    assert image.get_data_dtype() == wanted
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0], plane.T)


def test_labels_in_arrays_are_recoded() -> None:
    plane = labels((4, 5), "int64", 39)
    image = loaded(make(array_job("seg", recode=TENFOLD), arrays(seg=plane)).content)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0], plane.T // 10)
    with pytest.raises(SourceError, match=r"^case\.pth: seg: voxel values without a row"):
        make(array_job("seg", recode=KEEP), arrays(seg=plane))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float16"])
def test_masks_become_channels(dtype: str) -> None:
    masks = labels((3, 4, 5), "u1", 1).astype(dtype)
    image = loaded(make(array_job("mask", channels=3), arrays(mask=masks)).content)
    assert image.shape == (5, 4, 1, 3)
    assert image.get_data_dtype() == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(
            np.asanyarray(image.dataobj)[:, :, 0, channel], masks[channel].T
        )


def test_probabilities_stay_real() -> None:
    masks = np.linspace(0, 1, 60, dtype="f4").reshape(3, 4, 5)
    image = loaded(make(array_job("mask", channels=3), arrays(mask=masks)).content)
    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0, 2], masks[2].T)


@pytest.mark.parametrize("value", [2, -1, 1.5, np.nan, np.inf])
def test_other_values_are_no_mask(value: float) -> None:
    masks = np.zeros((3, 4, 5))
    masks[1, 2, 3] = value
    with pytest.raises(SourceError, match=r"^case\.pth: 'mask' holds values outside 0 to 1"):
        make(array_job("mask", channels=3), arrays(mask=masks))


@pytest.mark.parametrize(
    ("shape", "channels", "reason"),
    [
        ((3, 4, 5), 0, r"'x' has the shape \(3, 4, 5\); expected one plane"),
        ((4,), 0, r"'x' has the shape \(4,\); expected one plane"),
        ((0, 4), 0, r"'x' has the shape \(0, 4\); expected one plane"),
        ((3, 4, 5), 2, r"'x' has the shape \(3, 4, 5\); expected 2 planes"),
        ((4, 5), 4, r"'x' has the shape \(4, 5\); expected 4 planes"),
        ((2, 0, 5), 2, r"'x' has the shape \(2, 0, 5\); expected 2 planes"),
    ],
)
def test_other_shapes_are_refused(shape: tuple[int, ...], channels: int, reason: str) -> None:
    with pytest.raises(SourceError, match=rf"^case\.pth: {reason}"):
        make(array_job("x", channels=channels), arrays(x=np.zeros(shape)))


def test_a_missing_array_is_named_with_those_that_are_there() -> None:
    with pytest.raises(SourceError, match=r"^case\.pth: has no array 'img'; it holds a, b$"):
        make(array_job("img"), arrays(a=np.zeros((2, 2)), b=1))


def test_channels_that_are_elsewhere_are_left_out() -> None:
    masks = labels((5, 4, 5), "u1", 1)
    part = array_job("mask_l", channels=2, unless=Slab(key="mask", start=1, stop=3))
    same = arrays(mask=masks, mask_l=masks[1:3])
    found = volumes.make(part, reading(same), reproducible=False)
    assert found == Omitted("'mask_l' equals channels 1 to 2 of 'mask'")
    absent = volumes.make(part, reading(arrays(mask=masks)), reproducible=False)
    assert absent == Omitted("case.pth: has no 'mask_l'")
    other = 1 - masks[1:3]
    image = loaded(make(part, arrays(mask=masks, mask_l=other)).content)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0, 1], other[1].T)


# --- structures ---------------------------------------------------------------------------------

WHERE = dict(series(ramp((3, 8, 9)), SeriesInstanceUID="2.25.4", FrameOfReferenceUID="2.25.5"))
CORNER = [(0, 0), (2, 0), (2, 2), (0, 2)]
ACCEPTED = ((1, ("TV", "an")), (2, ("cochlea",)))


def drawn_on(
    where: dict[str, bytes], *names: str, recode: Recode | None = None, **tags: Any
) -> Any:
    """What becomes of structures that lie apart."""
    polygons = [placed(SQUARE), placed(CORNER, 2), placed(CORNER, 0)]
    drawn = [(name, [polygon]) for name, polygon in zip(names, polygons, strict=False)]
    files = {"s": rtstruct(drawn, **tags), **where}
    made = job("rtstruct", "s", grid=tuple(where), structures=ACCEPTED, recode=recode)
    return volumes.make(made, reading(files), reproducible=False)


@pytest.mark.parametrize(
    ("names", "is_written"),
    [
        (("TV",), False),
        (("TV", "cochlea"), False),
        (("TV", "an"), True),
        (("TV", "an", "cochlea"), True),
        (("TV", "other"), True),
    ],
)
def test_structures_are_written_where_their_labels_do_not_hold_them(
    names: tuple[str, ...], *, is_written: bool
) -> None:
    """Two of one label could not be told apart again."""
    found = drawn_on(WHERE, *names)
    if is_written:
        assert isinstance(found, Made)
        assert loaded(found.content).shape == (9, 8, 3, len(names))
    else:
        assert found == Omitted("s: the label table names all of its structures")


def of_frames(*frames: str) -> list[Any]:
    """The list of structures, each of its own frame of reference."""
    return [
        items(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=frame)
        for n, (name, frame) in enumerate(zip(("TV", "cochlea"), frames, strict=True), start=1)
    ]


@pytest.mark.parametrize(
    ("tags", "frames", "is_refused"),
    [
        ({}, ("2.25.5", "2.25.5"), False),
        ({"SeriesInstanceUID": "2.25.9"}, ("2.25.5", "2.25.5"), False),
        ({"FrameOfReferenceUID": "2.25.9"}, ("2.25.5", "2.25.5"), False),
        ({"SeriesInstanceUID": "2.25.9"}, ("2.25.8", "2.25.8"), True),
        ({"SeriesInstanceUID": "2.25.9"}, ("2.25.7", "2.25.8"), False),  # no frame that is one
    ],
)
def test_structures_of_another_series_and_frame_are_refused(
    tags: dict[str, str], frames: tuple[str, ...], *, is_refused: bool
) -> None:
    uids = {"SeriesInstanceUID": "2.25.4", "FrameOfReferenceUID": "2.25.5", **tags}
    where = dict(series(ramp((3, 8, 9)), **uids))
    listed = {"StructureSetROISequence": of_frames(*frames)}
    if is_refused:
        with pytest.raises(
            SourceError, match=r"^s: drawn on series 2\.25\.4, which is not the one"
        ):
            drawn_on(where, "TV", "cochlea", recode=KEEP, **listed)
        return
    found = drawn_on(where, "TV", "cochlea", recode=KEEP, **listed)
    assert set(np.asanyarray(loaded(found.content).dataobj).ravel()) == {0, 1, 2}


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("reproducible", [False, True])
def test_the_same_files_give_the_same_bytes(*, reproducible: bool) -> None:
    files = dict(series(ramp((4, 5, 3)))) | arrays(img=ramp((4, 5))) | {"n": nifti(ramp((4, 5)))}
    jobs = [job("dicom", *dict(series(ramp((4, 5, 3))))), array_job("img"), job("nifti", "n")]
    for one in jobs:
        first = make(one, files, reproducible=reproducible)
        assert first == make(one, files, reproducible=reproducible)


def test_both_compressors_hold_the_same() -> None:
    files = {"x.dcm": dicom(ramp((40, 30)), SliceThickness=2)}
    fast = make(job("dicom", "x.dcm"), files, reproducible=False)
    same = make(job("dicom", "x.dcm"), files, reproducible=True)
    assert fast.content_sha256 == same.content_sha256
    np.testing.assert_allclose(loaded(fast.content).affine[2, 2], 2)
