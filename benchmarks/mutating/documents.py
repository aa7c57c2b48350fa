"""Mutations of JSON files, dataset_description.json and CITATION.cff."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from random import Random

from mutating.tree import Mutation, Tree, content, documents, dump, shuffled

GONE = "__gone__"
DESCRIPTION = "dataset_description.json"
RETYPED: dict[str, object] = {
    "text": "text",
    "empty-text": "",
    "n-a": "n/a",
    "number": 12.5,
    "minus-one": -1,
    "zero": 0,
    "true": True,
    "null": None,
    "empty-list": [],
    "list": [1, 2, 3],
    "list-of-text": ["a", "b"],
    "mixed-list": [1, "a", None],
    "nested-list": [[1, 2], [3]],
    "object": {"a": 1},
    "large": 1e9,
}
DESCRIPTIONS: tuple[Mapping[str, object], ...] = (
    *({"Name": value} for value in (GONE, 1, "", " ", ["a"], None)),
    *({"BIDSVersion": value} for value in (GONE, 1.8, "", "0.0.1", "v1.8.0", "1.11.1", None)),
    *({"DatasetType": value} for value in (GONE, "derivative", "raw", "study", "Raw", "x", 1)),
    *({"DatasetType": "derivative", "GeneratedBy": value} for value in (GONE, [], {}, [{}])),
    {"DatasetType": "derivative", "GeneratedBy": [{"Name": "tool"}]},
    {"DatasetType": GONE, "GeneratedBy": [{"Name": "tool"}]},
    *({"GeneratedBy": [value]} for value in ({"Name": 1}, {"Version": "1"}, "tool")),
    {"GeneratedBy": [{"Name": "Manual"}]},
    {"GeneratedBy": [{"Name": "t", "CodeURL": "nowhere", "Container": {"Type": 1}}]},
    {"GeneratedBy": [{"Name": "t", "Unknown": 1}]},
    *({"Authors": value} for value in (GONE, [], ["One"], "A. B.", [1], ["A", "B"], [""])),
    *({"Funding": value} for value in ("text", ["a"], 1)),
    *({"License": value} for value in (GONE, 1, "", "CC0")),
    *({"ReferencesAndLinks": value} for value in ("text", ["https://example.org"], [1])),
    *({"EthicsApprovals": value} for value in ("text", ["a"])),
    *({"DatasetDOI": value} for value in ("10.1/x", "doi:10.18112/x", "https://doi.org/10.1/x", 1)),
    *({"DatasetLinks": value} for value in ({"a": "b"}, {"deriv 1": "x"}, [], {"x": 1}, {"": "a"})),
    *(
        {"SourceDatasets": value}
        for value in ([], [{"URL": "x"}], [{"URL": 1}], {}, [{"DOI": "a"}])
    ),
    *({"HEDVersion": value} for value in ("8.2.0", "0.0.0", ["8.2.0"], 8, "x")),
    *({"Acknowledgements": 1}, {"HowToAcknowledge": []}, {"Keywords": "a"}, {"Unknown": 1}),
)
TEXT: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) * 2 // 3],
    "trailing-comma": lambda data: data.rstrip().removesuffix(b"}").rstrip() + b",\n}\n",
    "single-quotes": lambda data: data.replace(b'"', b"'"),
    "comment": lambda data: b"// a comment\n" + data,
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "latin-1": lambda data: data.replace(b'"', b'"\xe9', 1),
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-16-no-bom": lambda data: data.decode().encode("utf-16-le"),
    "array": lambda data: b"[" + data + b"]",
    "null": lambda _: b"null",
    "number": lambda _: b"3",
    "string": lambda _: b'"text"',
    "empty": lambda _: b"",
    "spaces": lambda _: b"  \n",
    "empty-object": lambda _: b"{}",
    "nan": lambda data: data.replace(b"{", b'{"Foo": NaN, ', 1),
    "infinity": lambda data: data.replace(b"{", b'{"Foo": -Infinity, ', 1),
    "duplicate-key": lambda data: data.replace(b"{", b'{"Foo": 1, "Foo": 2, ', 1),
    "control-character": lambda data: data.replace(b"{", b'{"Foo": "a\tb", ', 1),
    "lone-surrogate": lambda data: data.replace(b"{", b'{"Foo": "\\ud800", ', 1),
    "large-integer": lambda data: data.replace(
        b"{", b'{"Foo": 123456789012345678901234567890, ', 1
    ),
    "two-documents": lambda data: data + data,
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
}
CITATIONS = {
    "valid": "cff-version: 1.2.0\ntitle: A\nmessage: m\nauthors:\n"
    "  - family-names: B\n    given-names: C\n",
    "no-message": "cff-version: 1.2.0\ntitle: A\nauthors:\n  - family-names: B\n",
    "no-authors": "cff-version: 1.2.0\ntitle: A\nmessage: m\n",
    "authors-empty": "cff-version: 1.2.0\ntitle: A\nmessage: m\nauthors: []\n",
    "authors-text": "cff-version: 1.2.0\ntitle: A\nmessage: m\nauthors: B\n",
    "title-number": "cff-version: 1.2.0\ntitle: 1\nmessage: m\nauthors:\n  - name: B\n",
    "unknown-key": "cff-version: 1.2.0\ntitle: A\nmessage: m\nfoo: 1\nauthors:\n  - name: B\n",
    "version": "cff-version: 1.1.0\ntitle: A\nmessage: m\nauthors:\n  - name: B\n",
    "date": "cff-version: 1.2.0\ntitle: A\nmessage: m\n"
    "date-released: 2020-13-45\nauthors:\n  - name: B\n",
    "doi": "cff-version: 1.2.0\ntitle: A\nmessage: m\ndoi: nope\nauthors:\n  - name: B\n",
    "broken": "cff-version: 1.2.0\n\ttitle: [A\n",
    "list": "- a\n- b\n",
    "empty": "",
    "latin-1": "cff-version: 1.2.0\ntitle: \xe9\n",
}


def mutations() -> Iterator[Mutation]:
    """Yield all edits of documents."""
    yield Mutation("json-key-deleted", _delete_key, 14)
    yield Mutation("json-key-case", _recase_key, 4)
    yield Mutation("json-key-added", _add_key, 3)
    yield Mutation("json-swapped-with-other", _swap, 4)
    for name, value in RETYPED.items():
        yield Mutation(f"json-retyped-{name}", partial(_retype, value), 7)
    for name, change in TEXT.items():
        yield Mutation(f"json-text-{name}", partial(_rewrite, change), 4)
        yield Mutation(f"description-text-{name}", partial(_rewrite_description, change), 1)
    for number, edits in enumerate(DESCRIPTIONS):
        key = "-".join(edits)
        yield Mutation(f"description-{number:03}-{key}", partial(_describe, edits), 2)
    for name, text in CITATIONS.items():
        yield Mutation(f"citation-{name}", partial(_cite, text, alone=False), 1)
        yield Mutation(f"citation-{name}-alone", partial(_cite, text, alone=True), 1)


def sidecars(tree: Tree) -> list[tuple[str, dict[str, object]]]:
    """Return all JSON objects but the description of the dataset."""
    return [one for one in documents(tree) if one[0] != DESCRIPTION and one[1]]


def _sidecars(tree: Tree, random: Random) -> list[tuple[str, dict[str, object]]]:
    found = sidecars(tree)
    return random.sample(found, len(found))


def _delete_key(tree: Tree, random: Random) -> str | None:
    for path, document in _sidecars(tree, random)[:1]:
        key = random.choice(list(document))
        tree[path] = dump({one: value for one, value in document.items() if one != key})
        return f"{path}: without {key}"
    return None


def _recase_key(tree: Tree, random: Random) -> str | None:
    for path, document in _sidecars(tree, random)[:1]:
        key = random.choice(list(document))
        tree[path] = dump({(one.lower() if one == key else one): v for one, v in document.items()})
        return f"{path}: {key} in lower case"
    return None


def _add_key(tree: Tree, random: Random) -> str | None:
    for path, document in _sidecars(tree, random)[:1]:
        tree[path] = dump({**document, "MyOwnKey": 1, "Manufacturer": 5, "": "empty"})
        return f"{path}: keys added"
    return None


def _swap(tree: Tree, random: Random) -> str | None:
    match _sidecars(tree, random):
        case [(one, _), (other, _), *_]:
            tree[one], tree[other] = tree[other], tree[one]
            return f"{one} and {other} changed places"
    return None


def _retype(value: object, tree: Tree, random: Random) -> str | None:
    for path, document in _sidecars(tree, random)[:1]:
        key = random.choice(list(document))
        tree[path] = dump({**document, key: value})
        return f"{path}: {key} = {json.dumps(value)}"
    return None


def _rewrite(change: Callable[[bytes], bytes], tree: Tree, random: Random) -> str | None:
    paths = [path for path, _ in documents(tree) if path != DESCRIPTION]
    for path in shuffled(paths, random):
        data = change(content(tree, path))
        if data != tree[path]:
            tree[path] = data
            return path
    return None


def _rewrite_description(change: Callable[[bytes], bytes], tree: Tree, _: Random) -> str:
    tree[DESCRIPTION] = change(content(tree, DESCRIPTION))
    return DESCRIPTION


def _describe(edits: Mapping[str, object], tree: Tree, _: Random) -> str:
    document = {**json.loads(content(tree, DESCRIPTION)), **edits}
    tree[DESCRIPTION] = dump({key: value for key, value in document.items() if value != GONE})
    return f"{DESCRIPTION}: {json.dumps(edits)}"


def _cite(text: str, tree: Tree, random: Random, *, alone: bool) -> str:
    """Add a citation file; alone, the description gives up the fields that it also has."""
    tree["CITATION.cff"] = text.encode("latin-1")
    if alone:
        fields = ("Authors", "HowToAcknowledge", "License", "ReferencesAndLinks")
        _describe(dict.fromkeys(fields, GONE), tree, random)
    return "CITATION.cff" + (", alone" if alone else "")
