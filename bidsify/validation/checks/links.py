"""Links between files: what Sources, SpatialReference and BIDS URIs name is there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

from ..context import Context
from ..dataset import DESCRIPTION
from .labels import listed
from .registry import Fault, header_check, is_json

_URI = "bids:"
_REFERENCE = "SpatialReference"  # has a code of its own
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
_FILE = re.compile(r"\.[A-Za-z]\w*(?:\.gz)?\Z")


@header_check("SOURCE_NOT_FOUND", on=is_json)
def sources_exist(context: Context) -> Iterator[Fault]:
    """What Sources names is there, and what any BIDS URI names."""
    for key, value in context.json.items():
        if type(value) is str:  # most values, so most of the time goes here
            if not value.startswith(_URI) and key != "Sources":
                continue
            targets = [value]
        elif type(value) is list:
            targets = [each for each in value if type(each) is str]
            if key != "Sources":
                targets = [each for each in targets if each.startswith(_URI)]
        else:
            continue
        faults = [fault for target in targets if (fault := _fault(context, target))]
        if faults and key != _REFERENCE:
            yield Fault(listed(faults), key)


@header_check("SPATIAL_REFERENCE_NOT_FOUND", on=is_json)
def spatial_references_exist(context: Context) -> Iterator[Fault]:
    """What SpatialReference names is there, where it names a file."""
    value: Any = context.json.get(_REFERENCE)
    if value is None:
        return
    targets = value.values() if isinstance(value, dict) else [value]
    faults = [
        fault
        for target in targets
        if isinstance(target, str) and (target.startswith(_URI) or _FILE.search(target))
        if (fault := _fault(context, target))
    ]
    if faults:
        yield Fault(listed(faults), _REFERENCE)


def path_in_tree(target: str) -> str | None:
    """Return the path that a link means, relative to the dataset; None where it leads out of it."""
    if target.startswith("bids::"):
        path = target[6:]
    elif _SCHEME.match(target) or target.startswith("/"):
        return None
    else:
        path = target
    return path.removeprefix("/").removeprefix("./")


def _fault(context: Context, target: str) -> str:
    """Say what is wrong with a link, or nothing where it holds or cannot be judged."""
    root = context.dataset.root.location
    path = path_in_tree(target)
    if path is not None:
        is_text = any(map(str.isspace, path)) or not path
        if not is_text:
            context.look(path)
            context.look(unquote(path))
        return "" if is_text or _exists(root, path) else f"{target} is not there"
    if not target.startswith(_URI):
        return ""
    name, colon, path = target[len(_URI) :].partition(":")
    if not colon:
        return f"{target} names no file; write bids::PATH or bids:DATASET:PATH"
    context.dataset.looks_beyond = True
    links = context.dataset.description.get("DatasetLinks")
    link = links.get(name) if isinstance(links, dict) else None
    if not isinstance(link, str):
        return f"{target}: DatasetLinks in {DESCRIPTION} has no {name!r}"
    folder = _folder(root, link)
    return "" if folder is None or _exists(folder, path) else f"{target} is not in {link}"


def _folder(root: str, link: str) -> str | None:
    """Return the folder of another dataset, where it is on this machine and is a dataset."""
    if link.startswith("file:"):
        link = unquote(re.sub(r"\Afile:(//[^/]*)?", "", link))
    elif _SCHEME.match(link) and not PurePath(link).is_absolute():
        return None
    folder = os.path.join(root, link, "")  # noqa: PTH118  keeps the dots of a link
    return folder if _is_there(folder + DESCRIPTION) else None


def _exists(folder: str, path: str) -> bool:
    """Say whether a file is there; a link of git-annex without content counts."""
    if _is_there(folder + path):
        return True
    plain = unquote(re.split("[?#]", path, maxsplit=1)[0]).removeprefix("/")
    return plain != path and _is_there(folder + plain)


def _is_there(location: str) -> bool:
    try:
        os.lstat(location)
    except (OSError, ValueError):
        return False
    return True
