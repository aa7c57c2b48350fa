"""Write and remove files of the tree: whole or not at all, and nowhere else."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from filecmp import cmp
from pathlib import Path

from ..errors import SourceError
from .gate import STAGING
from .linking import link_file
from .seals import seal

_TRIES = 3  # a run that ends may clear away what others have not renamed yet


def write_file(
    root: Path, target: str, content: bytes, sha256: str = "", origin: Path | None = None
) -> None:
    """Write a file at once or not at all; seal it where the hash of the content is given.

    ``origin`` is a file that holds the same, to be linked to if that can be done.
    """
    place = _free_place(root, target)
    for attempt in range(_TRIES):
        staged = staged_path(root, target)
        try:
            if origin is None or not _is_linked(origin, staged, content):
                with _named(place):
                    staged.write_bytes(content)
            if sha256 and staged.stat().st_nlink == 1:  # the times of a link are its origin's
                seal(staged, sha256)
            staged.replace(place)
            if origin is not None:
                staged.unlink(missing_ok=True)  # of two links to one file none is replaced
        except FileNotFoundError:
            if _holds(place, content):
                return
            if attempt + 1 == _TRIES:
                raise
        else:
            return


def write_long(root: Path, target: str, pieces: Callable[[], Iterable[bytes]]) -> bool:
    """Write a file that is not held in memory, unless it holds this; say if it was written."""
    place = _free_place(root, target)
    for attempt in range(_TRIES):
        staged = staged_path(root, target)
        try:
            with _named(place), staged.open("wb") as stream:
                stream.writelines(pieces())
            if is_own_file(root, target) and cmp(staged, place, shallow=False):
                staged.unlink()
                return False
            staged.replace(place)
        except FileNotFoundError:
            if attempt + 1 == _TRIES:
                raise
        else:
            break
    return True


@contextmanager
def _named(place: Path) -> Iterator[None]:
    """Have an error that names no file, such as that of a full disk, name the one to write."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(place)) from error
        raise


def _free_place(root: Path, target: str) -> Path:
    """Return where a file goes, with the folder for it made.

    Raises:
        SourceError: It would leave the tree, or something else is there.
    """
    place = root / target
    if not place.parent.resolve().is_relative_to(root.resolve()) or place.is_dir():
        msg = f"{target}: a link out of the output folder, or a folder, is in its place; remove it"
        raise SourceError(msg)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _is_linked(origin: Path, place: Path, content: bytes) -> bool:
    """Make a link to ``origin``; say whether it is there and holds what was read from it."""
    if not link_file(origin, place):
        return False
    is_same = place.read_bytes() == content
    if not is_same:  # it has changed since
        place.unlink()
    return is_same


def staged_path(root: Path, target: str) -> Path:
    """Return where to write a file before it is renamed to ``target``, on the same file system.

    No other writer has this path, on whatever machine, be it for the same file.
    """
    folder = root / STAGING
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(target.encode()).hexdigest()
    return folder / f"{name}-{secrets.token_hex(8)}.part"


def _holds(place: Path, content: bytes) -> bool:
    """Say whether a rename that found no file was done all the same.

    A network file system sends a request again whose answer was lost, and renames no second time.
    """
    try:
        return not place.is_symlink() and place.read_bytes() == content
    except FileNotFoundError:
        return False


def remove_file(root: Path, target: str) -> bool:
    """Remove a file, if it is there; say whether its place is in the tree. Others stay."""
    path = root / target
    is_inside = path.resolve().is_relative_to(root.resolve())
    if is_inside:
        path.unlink(missing_ok=True)
    return is_inside


def is_own_file(root: Path, target: str) -> bool:
    """Say whether a file is in the tree itself, or in its annex where git-annex keeps it."""
    path = root / target
    if path.is_symlink():
        annex = root.resolve() / ".git" / "annex" / "objects"
        return path.resolve().is_relative_to(annex) and path.is_file()
    return path.is_file()


def write_if_changed(root: Path, target: str, content: bytes) -> bool:
    """Write a file unless it holds this content; say whether it was written."""
    path = root / target
    changed = not is_own_file(root, target) or path.read_bytes() != content
    if changed:
        write_file(root, target, content)
    return changed
