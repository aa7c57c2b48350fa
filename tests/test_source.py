"""Sources: a folder and its archives give the same names and bytes, and no path leaves them."""

from __future__ import annotations

import gzip
import io
import multiprocessing
import pickle
import random
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import nifti, ramp

from bidsify.errors import SourceError, UsageError
from bidsify.source import Source, open_source

FILES = {
    "Train_Sets/MR/1/IMG-0001.dcm": bytes(range(256)) * 40,
    "Train_Sets/MR/1/IMG-0010.dcm": b"ten",
    "Train_Sets/MR/2/a b,c.nii": random.Random(0).randbytes(5000),
    "empty.txt": b"",
    "übung/日本.json": b"{}",
    "z": b"last",
}
START_METHODS = multiprocessing.get_all_start_methods()
KINDS = ("folder", "zip", "stored zip", "tar", "tar.gz", "pax tar", "gnu tar")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["", "./", "top/"])
def test_all_kinds_give_the_same_names_and_bytes(kind: str, prefix: str, tmp_path: Path) -> None:
    source = open_source(make(kind, tmp_path, {prefix + p: c for p, c in FILES.items()}))
    names = {prefix.removeprefix("./") + path: content for path, content in FILES.items()}
    assert list(source.sizes) == sorted(names)
    assert source.sizes == {path: len(content) for path, content in names.items()}
    for path in [*names, *sorted(names, reverse=True)]:
        assert source.read(path) == names[path]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("folder", "Folder"), ("zip", "ZipArchive"), ("tar", "TarArchive"), ("tar.gz", "TarArchive")],
)
def test_kinds_are_told_by_content(kind: str, wanted: str, tmp_path: Path) -> None:
    root = make(kind, tmp_path, FILES)
    named = root.rename(tmp_path / "download")
    assert type(open_source(named)).__name__ == wanted


def test_folders_without_files_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert open_source(tmp_path).sizes == {}


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "gnu tar"])
def test_a_tar_that_ends_with_a_zip_is_a_tar(kind: str, tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("archive/data.pkl", b"tensors")
    files = {"a.txt": b"a", "z/case.pt": inner.getvalue()}
    source = open_source(make(kind, tmp_path, files))
    assert dict(source.sizes) == {path: len(content) for path, content in files.items()}
    assert source.read("z/case.pt") == inner.getvalue()


@pytest.mark.parametrize("name", ["gone", "gone.zip"])
def test_what_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"{name}: no such folder or archive$"):
        open_source(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"text", b"7z\xbc\xaf\x27\x1c" + bytes(600), bytes(2000)])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.7z").write_bytes(content)
    with pytest.raises(
        UsageError, match=r"x\.7z: neither a folder nor a \.zip, \.tar or \.tar\.gz .*unpack it"
    ):
        open_source(tmp_path / "x.7z")


def test_a_gzip_that_holds_no_tar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(nifti(ramp((9, 9, 9)))))
    with pytest.raises(UsageError, match=r"x\.nii\.gz: not a readable tar archive"):
        _ = open_source(tmp_path / "x.nii.gz").sizes


# --- names and links that leave the source ------------------------------------------------------


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/passwd", "a/..", "C:/evil", "C:evil", "..\\evil"]
)
def test_names_that_leave_an_archive_are_refused(kind: str, name: str, tmp_path: Path) -> None:
    root = make(kind, tmp_path, {"good": b"1", name: b"2"})
    with pytest.raises(
        UsageError, match=r"holds the path '.*', which leaves the archive; not opened$"
    ):
        _ = open_source(root).sizes


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("twin", ["a/x", "./a/x", "a//x", "a\\x", "a/./x"])
def test_names_that_occur_twice_are_refused(kind: str, twin: str, tmp_path: Path) -> None:
    root = tmp_path / "twice"
    entries = [("a/x", b"1"), (twin, b"2")]
    write_zip(root, entries) if kind == "zip" else write_tar(root, entries, kind)
    with pytest.raises(UsageError, match=r"holds '.*' twice; unpack it to see which one is meant$"):
        _ = open_source(root).sizes


@pytest.mark.parametrize("target", ["../outside/secret", "/etc/hostname"])
def test_a_link_that_leaves_the_folder_is_listed_and_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    root = tmp_path / "source"
    root.mkdir()
    (root / "link.nii").symlink_to(target)
    source = open_source(root)
    assert list(source.sizes) == ["link.nii"]
    with pytest.raises(
        SourceError, match=r"^link\.nii: a link that leaves the source folder; put the file itself"
    ):
        source.read("link.nii")


def test_a_folder_link_that_leaves_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    (tmp_path / "source").mkdir()
    (tmp_path / "source/away").symlink_to(tmp_path / "outside")
    source = open_source(tmp_path / "source")
    assert "away/secret" not in source.sizes
    with pytest.raises(SourceError, match=r"^away/secret: a link that leaves the source folder"):
        source.read("away/secret")


def test_a_link_to_a_file_inside_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x").write_bytes(b"1")
    (tmp_path / "data/link").symlink_to("x")
    (tmp_path / "file").symlink_to(tmp_path / "data/x")
    source = open_source(tmp_path)
    assert source.sizes == {"data/link": 1, "data/x": 1, "file": 1}
    assert source.read("file") == source.read("data/link") == b"1"


@pytest.mark.parametrize("target", ["data", "..", "."])
def test_a_link_to_a_folder_is_followed_if_it_ends(target: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x").write_bytes(b"1")
    (tmp_path / "again").symlink_to(target)
    source = open_source(tmp_path)
    if target == "data":
        assert list(source.sizes) == ["again/x", "data/x"]
        assert source.read("again/x") == b"1"
    else:
        assert list(source.sizes) == ["again", "data/x"]
        with pytest.raises(SourceError, match=r"^again: "):
            source.read("again")


def test_a_source_that_is_a_link_itself_is_read(tmp_path: Path) -> None:
    root = make("folder", tmp_path, FILES)
    (tmp_path / "link").symlink_to(root)
    source = open_source(tmp_path / "link")
    assert source.read("z") == b"last"


@pytest.mark.parametrize("target", ["nothing", "loop"])
def test_a_link_to_nothing_or_to_itself_is_listed_and_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "loop").symlink_to(target)
    source = open_source(tmp_path)
    assert list(source.sizes) == ["loop", "x"]
    assert source.read("x") == b"1"
    with pytest.raises(SourceError, match=r"^loop: "):
        source.read("loop")


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
@pytest.mark.parametrize("link", [tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_of_a_tar_are_listed_and_refused(
    link: bytes, kind: str, tmp_path: Path
) -> None:
    root = tmp_path / "x"
    write_tar(root, [("a", b"1"), ("link", link)], kind)
    source = open_source(root)
    assert list(source.sizes) == ["a", "link"]
    assert source.read("a") == b"1"
    with pytest.raises(SourceError, match=r"^link: a link or device in x; put the file itself"):
        source.read("link")


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_hard_link_of_a_tar_is_the_file_or_refused(kind: str, tmp_path: Path) -> None:
    write_tar(tmp_path / "x", [("a", b"one"), ("link", tarfile.LNKTYPE)], kind)
    source = open_source(tmp_path / "x")
    assert list(source.sizes) == ["a", "link"]
    try:
        content = source.read("link")
    except SourceError as error:
        assert str(error).startswith("link: a link or device in x")  # noqa: PT017
    else:
        assert (content, source.sizes["link"]) == (b"one", 3)


# --- broken archives ----------------------------------------------------------------------------


def test_an_encrypted_file_is_named_with_a_way_out(tmp_path: Path) -> None:
    root = make("zip", tmp_path, {"a": b"1", "b/c": b"2"})
    content = bytearray(root.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    content[content.rindex(b"PK\x03\x04") + 6] |= 1
    root.write_bytes(content)
    source = open_source(root)
    assert source.read("a") == b"1"
    with pytest.raises(SourceError, match=r"^b/c: encrypted; unpack x\.zip with its password"):
        source.read("b/c")


@pytest.mark.parametrize("kind", ["zip", "stored zip"])
def test_a_zip_that_is_damaged_anywhere_never_gives_other_bytes(kind: str, tmp_path: Path) -> None:
    root = make(kind, tmp_path, {"a/x": FILES["Train_Sets/MR/2/a b,c.nii"][:300] + bytes(50)})
    check_damaged(root, "a/x", open_source(root).read("a/x"), range(2, root.stat().st_size))


def test_a_tar_gz_that_is_damaged_never_gives_other_bytes(tmp_path: Path) -> None:
    root = make("tar.gz", tmp_path, {"a/x": random.Random(5).randbytes(400)})
    size = root.stat().st_size
    check_damaged(root, "a/x", random.Random(5).randbytes(400), range(10, size, 7))


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_that_is_cut_never_gives_other_bytes(kind: str, tmp_path: Path) -> None:
    root = make(kind, tmp_path, FILES)
    whole = root.read_bytes()
    step = 1 + len(whole) // 100
    for length in range(3, len(whole), step):
        root.write_bytes(whole[:length])
        try:
            source = open_source(root)
            found = {path: source.read(path) for path in source.sizes}
        except (SourceError, UsageError) as error:
            assert root.name in str(error)  # noqa: PT017
        else:
            assert found == FILES, length  # only padding is gone


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_zip_that_is_cut_says_download_again(part: float, tmp_path: Path) -> None:
    root = make("zip", tmp_path, FILES)
    whole = root.read_bytes()
    root.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(UsageError, match=r"x\.zip: .*download (it|the archive) again"):
        _ = open_source(root).sizes


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_tar_that_is_cut_in_a_file_says_download_again(kind: str, tmp_path: Path) -> None:
    root = make(kind, tmp_path, {"a": b"1", "b": random.Random(2).randbytes(50_000)})
    whole = root.read_bytes()
    root.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"x\..*: not a readable tar archive: .*download it again"):
        _ = open_source(root).sizes


def test_a_zip_bomb_is_refused_by_its_claim(tmp_path: Path) -> None:
    root = make("zip", tmp_path, {"a": bytes(1000)})
    content = bytearray(root.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1 << 31).to_bytes(4, "little")
    root.write_bytes(content)
    with pytest.raises(
        SourceError, match=r"^a: claims 2147483648 bytes, more than its packed size"
    ):
        open_source(root).read("a")


@pytest.mark.parametrize("size", [2**40, -(2**40)])
def test_a_tar_that_claims_too_much_is_refused(size: int, tmp_path: Path) -> None:
    root = tmp_path / "x.tar"
    write_tar(root, [("a", b"1"), ("b", b"22")], "tar", sizes={"b": size})
    with pytest.raises((UsageError, SourceError), match=r"x\.tar"):
        read_all(root)


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    root = make("folder", tmp_path, FILES)
    source = open_source(root)
    assert "z" in source.sizes
    (root / "z").unlink()
    with pytest.raises(SourceError, match=r"^z: not readable: No such file"):
        source.read("z")


# --- other processes ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_open", [False, True])
def test_a_source_travels_by_pickle(kind: str, tmp_path: Path, *, is_open: bool) -> None:
    source = open_source(make(kind, tmp_path, FILES))
    if is_open:
        assert source.read("z") == b"last"
    copy: Source = pickle.loads(pickle.dumps(source))
    assert {path: copy.read(path) for path in copy.sizes} == FILES
    assert source.read("Train_Sets/MR/1/IMG-0010.dcm") == b"ten"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("start", [m for m in ("fork", "spawn") if m in START_METHODS])
def test_processes_read_at_the_same_time(start: str, tmp_path: Path) -> None:
    sources = [open_source(make(kind, tmp_path / kind, FILES)) for kind in ("zip", "tar", "tar.gz")]
    for source in sources:
        assert source.read("z") == b"last"  # the files of the parent are open
    context: Any = multiprocessing.get_context(start)
    with context.Pool(2) as pool:
        jobs = [(pickle.dumps(source), seed) for source in sources for seed in range(2)]
        assert pool.starmap(read_at_random, jobs) == [[]] * len(jobs)


def read_at_random(pickled: bytes, seed: int) -> list[str]:
    """Read files in any order in this process; return those with other bytes."""
    source: Source = pickle.loads(pickled)
    order = random.Random(seed)
    paths = [order.choice(list(FILES)) for _ in range(60)]
    return [path for path in paths if source.read(path) != FILES[path]]


def read_all(root: Path) -> dict[str, bytes]:
    """Open a source and read all of it."""
    source = open_source(root)
    return {path: source.read(path) for path in source.sizes}


# --- making and breaking ------------------------------------------------------------------------


def make(kind: str, folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        for path, content in files.items():
            place = folder / "x" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return folder / "x"
    root = folder / f"x.{kind.rsplit(maxsplit=1)[-1]}"
    if kind.endswith("zip"):
        write_zip(root, files.items(), zipfile.ZIP_STORED if "stored" in kind else None)
    else:
        write_tar(root, files.items(), kind)
    return root


def write_zip(root: Path, entries: Any, method: int | None = None) -> None:
    with zipfile.ZipFile(root, "w", zipfile.ZIP_DEFLATED if method is None else method) as archive:
        archive.writestr("a folder/", b"")
        for name, content in entries:
            info = zipfile.ZipInfo("x" * len(name))
            info.filename = name  # the constructor would mend it
            info.compress_type = archive.compression
            with_warnings_off(archive.writestr, info, content)


def with_warnings_off(function: Callable[..., object], *arguments: object) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(*arguments)


def write_tar(root: Path, entries: Any, kind: str, sizes: Mapping[str, int] | None = None) -> None:
    form = {"pax tar": tarfile.PAX_FORMAT, "gnu tar": tarfile.GNU_FORMAT}.get(kind)
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", format=tarfile.PAX_FORMAT if form is None else form
    ) as archive:
        folder = tarfile.TarInfo("a folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if sizes is not None and name in sizes:
                info.size = len(content)
                block = info.tobuf(tarfile.GNU_FORMAT)
                stream.write(with_size(block, sizes[name]) + content.ljust(512, b"\0"))
                continue
            if name == "link":
                info.type, info.linkname = content, "a"
                archive.addfile(info)
                continue
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    content = stream.getvalue()
    root.write_bytes(gzip.compress(content) if kind == "tar.gz" else content)


def with_size(block: bytes, size: int) -> bytes:
    """Put another size into the header of a member, as a number of base 256."""
    field = (b"\x80" if size >= 0 else b"\xff") + size.to_bytes(11, "big", signed=True)
    changed = bytearray(block)
    changed[124:136] = field
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    return bytes(changed)


def check_damaged(root: Path, path: str, wanted: bytes, places: range) -> None:
    """Flip each byte; what is read is what was there, or an error that names the archive."""
    whole = root.read_bytes()
    broken = root.with_name("broken")
    for place in places:
        content = bytearray(whole)
        content[place] ^= 0x55
        broken.write_bytes(content)
        try:
            source = open_source(broken)
            found = [source.read(name) for name in source.sizes]
        except (SourceError, UsageError) as error:
            assert "broken" in str(error) or path in str(error)  # noqa: PT017
        else:
            assert found in ([wanted], []), place


@pytest.mark.parametrize("member", [1, 3])
def test_a_hole_in_a_tar_is_no_end(member: int, tmp_path: Path) -> None:
    """A part of a download that never came is zeros, as the end of an archive is."""
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for number in range(5):
            info = tarfile.TarInfo(f"{number}.bin")
            info.size = 512
            archive.addfile(info, io.BytesIO(bytes([number + 1]) * 512))
    content = bytearray(path.read_bytes())
    content[member * 1024 : member * 1024 + 512] = bytes(512)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"damaged or cut off behind {member} files"):
        dict(open_source(path).sizes)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_blocks_are_the_content(kind: str, tmp_path: Path) -> None:
    files = {"a/big": bytes(range(256)) * 9000, "empty": b""}
    source = open_source(make(kind, tmp_path, files))
    for name, content in files.items():
        assert b"".join(source.blocks(name)) == content
    assert max(map(len, source.blocks("a/big"))) < len(files["a/big"])
