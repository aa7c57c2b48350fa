"""The pages for people in a bag: how to get the data, its terms, and permissions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..markdown import code, inline
from ..printable import counted
from .recipe import Recipe
from .statement import Statement
from .terms import Verdict

_MOST = 100 << 20
_TIERS = {
    "recipe": "It holds no image, no segmentation and no measurement of a subject:\n"
    "`data/recipe.json` names the files of the download and of the tree by their hashes.",
    "metadata": "It holds the texts of the tree, in `data/tree/`, but no image, no segmentation.",
    "full": "It holds the files of the dataset, in archives in `data/`.",
}
_TIMES = {
    "allowed": "Copies may be passed on under these terms.",
    "noncommercial": "Copies may be passed on under these terms, not for commercial use.",
    "forbidden": "Copies may not be passed on.",
    "unknown": "Nothing is known that allows passing copies on, which counts as: may not.",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """A file that allows what the terms do not: it stays where it is, and is known by its hash."""

    size: int
    sha256: str


def read_permission(path: Path) -> Permission:
    """Look at a permission.

    Raises:
        UsageError: There is no such file, or nothing in it.
    """
    try:
        size = path.stat().st_size if path.is_file() else 0
        content = path.read_bytes() if 0 < size <= _MOST else b""
    except OSError as error:
        msg = f"{path}: not readable: {error.strerror or error}"
        raise UsageError(msg) from error
    if not content:
        msg = f"{path}: no permission there; give the letter or mail that allows it, as a file"
        raise UsageError(msg)
    return Permission(len(content), hashlib.sha256(content).hexdigest())


def permissions(permission: Permission, verdict: Verdict) -> bytes:
    """Return ``PERMISSIONS.md``; it names nobody."""
    return _joined(
        "# Permissions",
        "",
        "Whoever packed this folder states to have a written permission, of those who may give",
        f"it, to pass the data on. It is a file of {permission.size} bytes with the SHA-256",
        "",
        f"    {permission.sha256}",
        "",
        "and is not included. Whoever passes this folder on needs a permission too. It stands",
        f"against these terms: {inline(verdict.strictest.summary)}",
    )


def terms(verdict: Verdict, *, by_permission: bool = False) -> bytes:
    """Return ``TERMS.md``: the strictest statement first."""
    others = [each for each in verdict.statements if each != verdict.strictest]
    lines = ["# Terms", "", *_statement(verdict.strictest)]
    if by_permission:
        lines += ["", "What these terms do not allow was done by a permission: `PERMISSIONS.md`."]
    if verdict.route:
        lines += [
            "",
            f"The data were obtained by the route {code(verdict.route)}, says whoever packed",
        ]
        lines += ["this folder."]
    for each in others:
        lines += ["", "## Also stated, and less strict or the same", "", *_statement(each)]
    lines += ["", "What is made from the data, be it labels, pictures or measurements, falls under"]
    lines += ["the same terms."]
    return _joined(*lines)


def _statement(each: Statement) -> Iterator[str]:
    of = f" of {code(each.dataset)}" if each.dataset else ""
    by = f" by the route {code(each.route)}" if each.route else ""
    yield f"- Licence{of}{by}: {inline(each.licence)}"
    yield f"- {inline(each.summary)}"
    yield f"- {_TIMES[each.redistribution]}"
    if each.share_alike:
        yield "- What is made from the data must carry the same licence."
    if each.registration_required:
        yield "- Each user must apply or register with the publisher."
    yield f"- Known from: {inline(each.evidence)}"


@dataclass(frozen=True, slots=True)
class Page:
    """What ``HOWTO.md`` says: ``left`` are folders that were left out.

    ``differing`` are files that are packed in another form than the recipe makes.
    """

    title: str
    tier: str
    recipe: Recipe | None
    shards: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


def howto(page: Page) -> bytes:
    """Return ``HOWTO.md``: what is here, and how to get the rest."""
    lines = [f"# {inline(page.title)}", "", _TIERS[page.tier], "Terms: `TERMS.md`."]
    if page.left:
        lines += ["", f"Left out of the tree: {', '.join(map(code, page.left))}."]
    if page.differing:
        lines += ["", "`data/content-manifest.tsv` is of the tree that the recipe makes. Packed in"]
        lines += [f"another form than there: {', '.join(map(code, page.differing))}."]
    if page.shards:
        lines += ["", "## Unpack it", "", "```sh", "sha256sum -c --quiet manifest-sha256.txt"]
        lines += [
            "mkdir ../tree",
            'for part in data/*.tar; do tar -xf "$part" -C ../tree; done',
            "```",
        ]
    lines += _source(page.recipe) if page.recipe else _no_recipe()
    return _joined(*lines)


def _source(recipe: Recipe) -> Iterator[str]:
    document = recipe.document
    source, version = document["source"], document["bidsify_version"]
    size = sum(each["size"] for each in source["files"])
    yield from ("", "## How to get the source, and to make the identical tree from it", "")
    stated = f", version {inline(source['version'])}" if source["version"] else ""
    doi = f" ({inline('doi:' + source['doi'])})" if source["doi"] else ""
    yield f"1. Get {inline(document['title'])} ({inline(document['edition'])}{stated}) from"
    yield f"   {inline(source['url'])}{doi}, under its terms: {len(source['files'])} files of"
    yield f"   {size} bytes are needed."
    yield f"2. `pip install bidsify-datasets=={version}`"
    yield "3. `bidsify reproduce data/recipe.json SRC OUT`, where SRC is the download as it is: a"
    yield "   folder or an archive."
    yield ""
    count = counted(len(recipe.targets), "file")
    yield "It ends with this line, or it says what differs:"
    yield from ("", f"    identical: {count}, content manifest {recipe.digest}")
    yield from ("", "## Citation", "", inline(document["citation"]))


def _no_recipe() -> Iterator[str]:
    yield from ("", "There is no recipe: the tree has no record of a conversion that somebody else")
    yield "could repeat, or it was changed since."


def _joined(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")
