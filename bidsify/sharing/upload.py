"""``UPLOAD.md``: the commands that publish a bag. They hold no secret and name no machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from ..markdown import code, inline
from .licences import spdx_of

_CURL = """printf 'Authorization: Bearer %s' "$ZENODO_TOKEN" | curl --fail -sS -H @-"""

_EACH = (
    "for archive in data/*.tar; do",
    f'  {_CURL} --upload-file "$archive" \\',
    '    "$BUCKET/$(basename "$archive")" || break',
    "done",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is uploaded: a bag of a tier, made of a dataset under a licence.

    ``shards`` are the archives in ``data/`` that hold the tree, none for a recipe;
    ``is_public_domain`` says that nobody states any other terms, ``by_permission`` that it was
    packed by a permission, against its terms.
    """

    title: str
    tier: str
    licence: str
    is_public_domain: bool
    shards: tuple[str, ...] = ()
    by_permission: bool = False


def instructions(parcel: Parcel) -> bytes:
    """Return ``UPLOAD.md``; commands are run in the folder that holds it."""
    lines = [
        *_head(parcel), *_zenodo(parcel), *_hugging_face(parcel), *_openneuro(parcel),
        *_datalad(parcel),
    ]  # fmt: skip
    return ("\n".join(lines).rstrip() + "\n").encode()


def _head(parcel: Parcel) -> Iterator[str]:
    yield from (f"# Publish {inline(parcel.title)}", "")
    yield f"This folder is the tier {code(parcel.tier)}. Licence of the dataset:"
    yield f"{inline(parcel.licence) or 'not stated'}. Its terms are in `TERMS.md`; who publishes"
    yield from ("this folder answers for keeping them.", "")
    if parcel.by_permission:
        yield "**It was packed by a permission, against these terms (`PERMISSIONS.md`). Do not make"
        yield "it public, here or elsewhere, unless the permission says so: keep drafts and"
        yield from ("repositories private.**", "")
    yield "Run all commands in this folder. Tokens are read from the environment and belong into no"
    yield from ("file and no command line. First check that nothing changed on the way:", "")
    yield from _commands("sha256sum --check --quiet manifest-sha256.txt")


def _zenodo(parcel: Parcel) -> Iterator[str]:
    yield from ("## Zenodo", "")
    yield "Make a token with the scope `deposit:write`, and export it as `ZENODO_TOKEN`. This makes"
    yield from ("a draft; nothing is public before you press *Publish* there.", "")
    if parcel.shards:
        yield "Each archive is a file of its own there; `bag.tar` is the rest, to be unpacked over"
        yield from ("a folder `data` that holds them.", "")
    without = "--exclude='./data/*.tar' " if parcel.shards else ""
    yield from _commands(
        "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \\",
        f"  {without}-cf ../bag.tar .",
        f"DRAFT=$({_CURL} \\",
        "  -H 'Content-Type: application/json' -d '{}' \\",
        "  https://zenodo.org/api/deposit/depositions)",
        'BUCKET=$(printf %s "$DRAFT" | python3 -c \\',
        """  'import json, sys; print(json.load(sys.stdin)["links"]["bucket"])')""",
        f'{_CURL} --upload-file ../bag.tar "$BUCKET/bag.tar"',
        *(_EACH if parcel.shards else ()),
    )
    if found := spdx_of(parcel.licence):
        yield from (f"State the licence {code(found)} in the form.", "")
    else:
        yield "The licence of the dataset has no SPDX identifier: choose no other in the form, but"
        yield from ("*Other*, and paste `TERMS.md`.", "")


def _hugging_face(parcel: Parcel) -> Iterator[str]:
    yield from ("## Hugging Face", "")
    yield "Export a token with the right to write as `HF_TOKEN`, and choose the name of the"
    yield "repository. It is private until you change that in its settings; where users must agree"
    yield "to terms, first enable *gated access* there. The first command writes its card, which is"
    yield from ("no part of the bag.", "")
    yield from _commands(
        "cat > ../README.md <<'CARD'",
        *_card(parcel),
        "CARD",
        "pip install huggingface_hub",
        "REPOSITORY=your-name/your-dataset",
        'hf upload "$REPOSITORY" . . --repo-type dataset --private',
        'hf upload "$REPOSITORY" ../README.md README.md --repo-type dataset',
    )


def _card(parcel: Parcel) -> Iterator[str]:
    """Yield the card; all texts of others are quoted, in one line each."""
    found = spdx_of(parcel.licence)
    name = found.lower() if found.startswith("CC") else "other"
    yield from ("---", f"license: {name}")
    if name == "other":
        yield from ("license_name: see-terms", "license_link: TERMS.md")
    title = json.dumps(" ".join(parcel.title.split())).replace("<", "\\u003c")
    yield f"pretty_name: {title}"
    if not parcel.is_public_domain:
        yield "extra_gated_prompt: The terms of the data are in TERMS.md; agree to keep them."
    yield from ("---", "", f"# {inline(parcel.title)}", "")
    yield "See `HOWTO.md` for what is here, and `TERMS.md` for its terms."


def _openneuro(parcel: Parcel) -> Iterator[str]:
    yield from ("## OpenNeuro", "")
    if not parcel.is_public_domain:
        yield "Not possible: OpenNeuro publishes under CC0 alone, and the licence of this dataset"
        yield f"is: {inline(parcel.licence) or 'not stated'}. Only its owners can change that."
        yield ""
    elif not parcel.shards:
        yield "Not possible: OpenNeuro takes whole datasets, and there are no images in the tier"
        yield from (f"{code(parcel.tier)}.", "")
    else:
        yield "Export a key of your account as `OPENNEURO_API_KEY`. With `--affirmDefaced` you"
        yield from ("state that faces were removed, where images show them.", "")
        yield from _commands(
            *_unpacking(parcel),
            "deno run -A jsr:@openneuro/cli login --error-reporting true",
            "deno run -A jsr:@openneuro/cli upload --affirmDefaced ../tree",
        )


def _datalad(parcel: Parcel) -> Iterator[str]:
    yield from ("## DataLad", "")
    yield "Any host that git-annex can write to; this one is GIN, with your SSH key there, and with"
    yield from ("a token that DataLad asks for and keeps.", "")
    place = "../tree" if parcel.shards else "../dataset"
    start = _unpacking(parcel) if parcel.shards else (f"cp -r . {place}",)
    yield from _commands(
        *start,
        f"cd {place}",
        "datalad create --force -c text2git",
        'datalad save -m "Import"',
        "datalad create-sibling-gin --private your-name/your-dataset",
        "datalad push --to gin",
    )


def _unpacking(parcel: Parcel) -> tuple[str, ...]:
    names = " ".join(f"data/{shlex.quote(name)}" for name in parcel.shards[:1])
    archives = names if len(parcel.shards) == 1 else "data/*.tar"
    return ("mkdir ../tree", f'for archive in {archives}; do tar -xf "$archive" -C ../tree; done')


def _commands(*lines: str) -> Iterator[str]:
    yield from ("```sh", *lines, "```", "")
