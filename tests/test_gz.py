"""Gzip: what is packed comes back, what is cut off, damaged or swollen is refused."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from builders import gzipped
from hypothesis import given
from hypothesis import strategies as st

from bidsify import gz
from bidsify.errors import SourceError

HEAD = 540
CONTENT = bytes(range(256)) * 4 + b"the end"


def inflate(content: bytes, size: int) -> gz.Inflated:
    return gz.inflate(content, "a/x.nii.gz", lambda _: size, HEAD)


@given(raw=st.binary(max_size=3000), reproducible=st.booleans())
def test_inflating_undoes_packing(raw: bytes, *, reproducible: bool) -> None:
    packed = gz.pack(raw, reproducible=reproducible)
    assert gzip.decompress(packed) == raw
    done = inflate(packed, len(raw))
    assert (done.raw, done.is_plain) == (raw, True)


@pytest.mark.parametrize("reproducible", [False, True])
def test_the_header_says_nothing_but_gzip(*, reproducible: bool) -> None:
    packed = gz.pack(CONTENT, reproducible=reproducible)
    assert packed[:10] == b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    assert packed == gz.pack(CONTENT, reproducible=reproducible)
    assert struct.unpack("<II", packed[-8:]) == (zlib.crc32(CONTENT), len(CONTENT))


def test_packing_packs() -> None:
    raw = bytes(1 << 20)
    assert len(gz.pack(raw, reproducible=False)) < len(raw) // 100
    assert len(gz.pack(raw, reproducible=True)) < len(raw) // 100


@given(
    raw=st.binary(max_size=2000), name=st.sampled_from(["", "secret.nii"]), level=st.integers(0, 9)
)
def test_members_of_the_standard_library_are_read(raw: bytes, name: str, level: int) -> None:
    packed = gzipped(raw, name=name, time=77, level=level)
    assert inflate(packed, len(raw)).raw == raw


@given(cuts=st.lists(st.integers(0, len(CONTENT)), max_size=4))
def test_several_members_are_one_content(cuts: list[int]) -> None:
    raw = CONTENT
    edges = [0, *sorted(cuts), len(raw)]
    parts = [raw[a:b] for a, b in pairwise(edges)]
    packed = b"".join(gzipped(part) for part in parts)
    heads: list[bytes] = []

    def size_of(head: bytes) -> int:
        heads.append(head)
        return len(raw)

    done = gz.inflate(packed, "x", size_of, HEAD)
    assert done.raw == raw == gzip.decompress(packed)
    assert done.is_plain == (len(parts) == 1)
    assert [head[:HEAD] for head in heads] == [raw[:HEAD]]


@pytest.mark.parametrize("zeros", [1, 511, 10_000])
def test_zeros_behind_the_stream_are_padding(zeros: int) -> None:
    done = inflate(gzipped(CONTENT) + bytes(zeros), len(CONTENT))
    assert (done.raw, done.is_plain) == (CONTENT, False)


@pytest.mark.parametrize("junk", [b"x", b"\0\0x", b"\x1f", b"PK\3\4", b"\0" * 600 + b"\1"])
def test_junk_behind_the_stream_is_refused(junk: bytes) -> None:
    with pytest.raises(
        SourceError, match=rf"^a/x\.nii\.gz: {len(junk)} bytes behind the gzip stream; download"
    ):
        inflate(gzipped(CONTENT) + junk, len(CONTENT))


@pytest.mark.parametrize("name", ["", "volume.nii"])
def test_a_stream_that_is_cut_anywhere_is_refused(name: str) -> None:
    packed = gzipped(CONTENT, name=name)
    for length in range(2, len(packed)):
        with pytest.raises(SourceError, match=r"^a/x\.nii\.gz: .*download the file again$"):
            inflate(packed[:length], len(CONTENT))


def test_a_second_member_that_is_cut_anywhere_is_refused() -> None:
    first, second = gzipped(CONTENT[:700]), gzipped(CONTENT[700:])
    for length in range(1, len(second)):
        with pytest.raises(SourceError, match=r"^a/x\.nii\.gz: .*download the file again$"):
            inflate(first + second[:length], len(CONTENT))


def test_a_damaged_stream_never_gives_other_bytes() -> None:
    packed = gzipped(CONTENT)
    harmless = {4, 5, 6, 7, 8, 9}  # time, extra flags, system: no content
    for place in range(len(packed)):
        for flip in (0x01, 0x80):
            damaged = bytearray(packed)
            damaged[place] ^= flip
            if place < 2:
                continue  # no gzip any more: readers look elsewhere
            try:
                done = inflate(bytes(damaged), len(CONTENT))
            except SourceError as error:
                assert str(error).startswith("a/x.nii.gz: ")  # noqa: PT017
            else:
                assert done.raw == CONTENT
                assert place in harmless or place == 3


@given(st.binary(max_size=200))
def test_any_bytes_end_in_content_or_in_a_refusal(noise: bytes) -> None:
    content = b"\x1f\x8b\x08\0" + noise
    try:
        done = inflate(content, 1 << 20)
    except SourceError as error:
        assert str(error).startswith("a/x.nii.gz: ")  # noqa: PT017
    else:
        assert done.raw == gzip.decompress(content.rstrip(b"\0"))


@pytest.mark.parametrize("announced", [0, 100, 1 << 20])
def test_a_bomb_is_refused_before_it_fills_the_memory(announced: int) -> None:
    packed = zeros_packed(256)
    tracemalloc.start()
    try:
        with pytest.raises(
            SourceError, match=rf"^a/x\.nii\.gz: holds more than the {announced} bytes that its"
        ):
            inflate(packed, announced)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 << 20


def test_a_bomb_of_many_members_is_refused() -> None:
    packed = zeros_packed(1) * 300
    with pytest.raises(SourceError, match="holds more than the 1000 bytes that its header states"):
        inflate(packed, 1000)


def test_a_little_padding_inside_the_stream_is_content() -> None:
    raw = CONTENT + bytes(4096)
    assert inflate(gzipped(raw), len(CONTENT)).raw == raw


@pytest.mark.parametrize("cuts", [(), (100,), (600, 700)])
def test_padding_has_a_limit(cuts: tuple[int, ...]) -> None:
    raw = CONTENT + bytes(1 << 16)
    parts = [raw[a:b] for a, b in pairwise((0, *cuts, None))]
    packed = b"".join(map(gzipped, parts))
    done = inflate(packed, len(CONTENT))
    assert (done.raw, done.is_plain) == (raw, not cuts)
    with pytest.raises(SourceError, match=rf"holds more than the {len(CONTENT) - 1} bytes"):
        inflate(packed, len(CONTENT) - 1)


def test_more_announced_than_there_is_is_for_the_reader_to_say() -> None:
    assert inflate(gzipped(CONTENT), 1 << 40).raw == CONTENT


def test_what_the_reader_refuses_is_not_inflated() -> None:
    def size_of(_: bytes) -> int:
        msg = "no"
        raise SourceError(msg)

    with pytest.raises(SourceError, match=r"^no$"):
        gz.inflate(zeros_packed(64), "x", size_of, HEAD)


@pytest.mark.parametrize("flags", range(32))
def test_only_the_header_is_replaced(flags: int) -> None:
    packed = with_header(CONTENT, flags)
    cleaned = gz.without_name_and_time(packed)
    assert cleaned is not None
    assert cleaned[:10] == b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    assert gzip.decompress(cleaned) == CONTENT
    assert cleaned[10:] == with_header(CONTENT, 0)[10:]
    assert b"SECRET" not in cleaned
    assert inflate(packed, len(CONTENT)).raw == CONTENT


def test_a_name_without_an_end_has_no_stream_behind_it() -> None:
    assert gz.without_name_and_time(b"\x1f\x8b\x08\x08" + bytes(6) + b"name") is None


def with_header(raw: bytes, flags: int) -> bytes:
    """A member with the optional parts that ``flags`` asks for (RFC 1952, section 2.3.1)."""
    head = b"\x1f\x8b\x08" + bytes([flags]) + struct.pack("<I", 1234567890) + b"\x02\x03"
    if flags & 4:
        head += struct.pack("<H", 8) + b"SE\x04\0CRET"
    if flags & 8:
        head += b"SECRET.nii\0"
    if flags & 16:
        head += b"SECRET comment\0"
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = packer.compress(raw) + packer.flush()
    return head + body + struct.pack("<II", zlib.crc32(raw), len(raw))


def zeros_packed(megabytes: int) -> bytes:
    """A member of zeros."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join((*parts, packer.flush()))
