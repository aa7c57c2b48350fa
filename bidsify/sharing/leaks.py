"""Look through what is about to leave: for voxels, for traces of persons, and of this machine.

What is allowed is stated, not what is forbidden: where no voxels are allowed, all files must be
text. Every file is looked into, whatever its name says, and every file in an archive.
"""

from __future__ import annotations

import os
import pwd
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..deidentification.check import GZIP, in_file, size_of, start_of
from ..deidentification.trace import Trace, without_schemes
from . import signatures

_HEAD = 1 << 16
_MOST = 1 << 28  # bytes of a text
_SHORTEST = 4  # letters of a name that is searched for: shorter ones are in many words
_COMMON = frozenset(
    {"root", "user", "admin", "ubuntu", "debian", "runner", "nobody", "home", "localhost", "guest",
     "docker", "worker", "jovyan", "vagrant", "data", "test", "builder", "host", "server"}
)  # fmt: skip
_SYSTEM = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys",
     "usr"}
)  # fmt: skip
_TOPS = frozenset(
    {"home", "Users", "root", "tmp", "mnt", "media", "scratch", "gpfs", "lustre", "nfs", "srv",
     "opt", "var", "private", "Volumes", "cluster", "storage", "workspace"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """Something that must not leave: the file, and what it is."""

    path: str
    what: str


def scan(folder: Path, *, voxels_allowed: bool, names: Sequence[str] = ()) -> list[Leak]:
    """Return what must not leave this machine with a folder; an empty list lets it go.

    ``names`` are more words that must not be in it, such as that of the folder of the source.
    """
    search = _Search(voxels_allowed, _words(names), _places(), _paths())
    leaks = {Leak(each.path, _said(each)) for each in without_schemes(search.in_folder(folder))}
    return sorted(leaks)


@dataclass(frozen=True, slots=True)
class _Search:
    """What is searched for."""

    voxels_allowed: bool
    words: re.Pattern[bytes] | None
    places: re.Pattern[bytes] | None
    paths: re.Pattern[bytes]

    def in_folder(self, folder: Path) -> Iterator[Trace]:
        for above, folders, files in os.walk(folder):
            for name in sorted([*folders, *files]):
                path = Path(above, name)
                relative = path.relative_to(folder).as_posix()
                if path.is_symlink():
                    yield Trace(relative, "", "a link: what it leads to does not leave with it")
                elif name in files:
                    yield from self._in_place(path, relative)

    def _in_place(self, path: Path, relative: str) -> Iterator[Trace]:
        try:
            with path.open("rb") as stream:
                yield from self.in_file(relative, stream)
        except OSError as error:
            yield Trace(relative, "", f"cannot be looked into: {error.strerror or error}")

    def in_file(self, path: str, stream: IO[bytes]) -> Iterator[Trace]:
        yield from self._in_words(path, os.fsencode(path), "its name holds ")
        head = stream.read(_HEAD)
        stream.seek(0)
        kind = signatures.kind_of(head)
        if kind == "a tar archive" and self.voxels_allowed:
            yield from self._in_archive(path, stream)
            return
        yield from in_file(path, stream)
        stream.seek(0)
        inner, is_text = _unpacked(head, kind)
        if not self.voxels_allowed and inner:
            yield Trace(path, "", f"{inner}, where nothing but text may leave")
        if is_text:
            yield from self._in_text(path, head, stream)
        elif kind == "a NIfTI image" or inner == "a NIfTI image":
            stream.seek(len(head))
            yield from self._in_words(path, start_of(head, stream), "its header holds ")

    def _in_text(self, path: str, head: bytes, stream: IO[bytes]) -> Iterator[Trace]:
        """Look through a text as a whole, decompressed."""
        if size_of(stream) > _MOST:
            yield Trace(path, "", f"more than {_MOST >> 20} MiB of text: not looked through")
            return
        content = stream.read()
        if head.startswith(GZIP):
            inflate = zlib.decompressobj(31)
            with suppress(zlib.error):
                content = inflate.decompress(content, _MOST)
            if inflate.unconsumed_tail or inflate.unused_data:
                yield Trace(path, "", "a gzip file with more in it than was looked through")
        if b"\0" in content or (not self.voxels_allowed and signatures.is_binary(content)):
            yield Trace(path, "", "binary content in a text")
        if not self.voxels_allowed:
            yield from (Trace(path, "", what) for what in signatures.hidden_in_text(content))
        yield from self._in_words(path, content, "")

    def _in_words(self, path: str, content: bytes, where: str) -> Iterator[Trace]:
        here = "a name of this machine"
        for pattern, what in ((self.words, here), (self.places, here), (self.paths, "a path")):
            found = pattern.search(content) if pattern else None
            if found:
                shown = found[0][:80].decode("utf-8", "replace")
                yield Trace(path, "", f"{where}{what}: {shown!r}")

    def _in_archive(self, path: str, stream: IO[bytes]) -> Iterator[Trace]:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                for member in archive:
                    name = f"{path}:{member.name}"
                    if member.uname or member.gname or member.uid or member.gid or member.mtime:
                        yield Trace(name, "", "the archive names an owner or a time")
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is not None:
                        yield from self.in_file(name, content)
                    elif not member.isdir():
                        yield Trace(name, "", "a link: what it leads to does not leave with it")
        except tarfile.TarError as error:
            yield Trace(path, "", f"a tar archive that cannot be looked into: {error}")


def _unpacked(head: bytes, kind: str) -> tuple[str, bool]:
    """Return what a file is that must not leave without voxels, and whether it is text."""
    if not head.startswith(GZIP):
        return kind, not kind
    with suppress(zlib.error):
        inner = signatures.kind_of(zlib.decompressobj(31).decompress(head, _HEAD))
        return inner, not inner
    return "a damaged gzip file", False


def _said(trace: Trace) -> str:
    return f"{trace.where}: {trace.what}" if trace.where else trace.what


def _words(names: Sequence[str]) -> re.Pattern[bytes] | None:
    """Return a pattern of what is told wherever it stands: given names, home and full host name."""
    home = Path.home()
    found = {*names, str(home) if len(home.parts) > 2 else ""}  # noqa: PLR2004  no /data or /root
    found |= {host for host in _hosts() if "." in host}
    told = _listed(found)
    if not told:
        return None
    return re.compile(rb"(?<![A-Za-z0-9])(?:%s)(?![A-Za-z0-9])" % told, re.IGNORECASE)


def _places() -> re.Pattern[bytes] | None:
    """Return a pattern of bare names of users and hosts, where they stand for a place.

    A bare name may be that of an author or of a part of the data as well, so it counts in
    absolute paths and in the folders of users alone, that of a host also before and behind what
    sets hosts off.
    """
    users, hosts = _listed(_users()), _listed(_hosts())
    either = b"|".join(filter(None, (users, hosts)))
    if not either:
        return None
    parts = [
        rb"(?<![\w./~-])/(?!/)(?:[^\s/\"'<>]{1,100}/){0,20}(?:%s)(?![\w-])" % either,
        rb"(?<!\w)(?:(?:home|users)[/\\]{1,2}|~)(?:%s)(?![\w-])" % either,
    ]
    if hosts:
        parts += [
            rb"[\w.+-]@(?:%s)(?![\w-])" % hosts,
            rb"(?<![\w.-])(?:%s):[/~](?!/)" % hosts,
            rb"(?:(?<![:\w/])//|\\\\)(?:%s)[/\\]" % hosts,
        ]
    return re.compile(b"|".join(parts), re.IGNORECASE)


def _users() -> set[str]:
    found = {os.environ.get(key, "") for key in ("USER", "LOGNAME", "USERNAME")}
    with suppress(KeyError):
        found.add(pwd.getpwuid(os.getuid()).pw_name)
    return {*found, Path.home().name}


def _hosts() -> set[str]:
    found = {os.uname().nodename, os.environ.get("HOSTNAME", "")}
    return {*found, *(name.partition(".")[0] for name in found)}


def _listed(names: Iterable[str]) -> bytes:
    """Return names as parts of a pattern, without those that any machine may have."""
    told = {name for name in names if len(name) >= _SHORTEST and name.lower() not in _COMMON}
    return b"|".join(sorted(re.escape(os.fsencode(name)) for name in told))


def _paths() -> re.Pattern[bytes]:
    """Return a pattern of absolute paths, those of this machine among them."""
    tops = _TOPS
    with suppress(OSError):
        here = {entry.name for entry in os.scandir("/") if entry.is_dir()}
        tops = tops | {name for name in here if not name.startswith(".")} - _SYSTEM
    listed = b"|".join(sorted(re.escape(os.fsencode(name)) for name in tops))
    return re.compile(
        rb"(?<![\w./~-])/(?:%s)/[\w.~-]+|file://[^\s\"'<>]+|(?<!\w)[A-Za-z]:\\{1,2}\w[^\s\"\\]*\\"
        % listed
    )
