"""Mutations of which files there are: deletes, strays, links, inheritance, .bidsignore."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from mutating.tree import (
    Link,
    Mutation,
    Tree,
    named,
    shuffled,
)

# Ends of names; one file of them is deleted, emptied or linked, or all of them are deleted.
KINDS = (
    *("dataset_description.json", "README", "README.md", "participants.tsv", "participants.json"),
    *("_events.tsv", "_events.json", ".bval", ".bvec", "_aslcontext.tsv", "_channels.tsv"),
    *("_electrodes.tsv", "_coordsystem.json", "_scans.tsv", "_sessions.tsv", "samples.tsv"),
    *("_m0scan.nii.gz", "_magnitude1.nii.gz", "_magnitude.nii.gz", "_blood.json", "_blood.tsv"),
    *("_bold.json", "_bold.nii.gz", "_T1w.json", "_eeg.json", "_ieeg.json", "_meg.json"),
    *("_asl.json", "_pet.json", "_optodes.tsv", "_nirs.json", "_motion.json", "_physio.json"),
    *("_physio.tsv.gz", "_dseg.tsv", "_dseg.json", "_description.json", "_headshape.pos"),
    *(".vhdr", ".vmrk", ".eeg", ".fdt", "_phasediff.json", "_dwi.json", "_epi.json"),
    *("phenotype/ace.json", "phenotype/ace.tsv", "_svs.json", "_emg.json", ".zattrs", "CHANGES"),
)
STRAYS = {
    "root-text": "notes.txt",
    "root-table": "table.tsv",
    "root-json": "config.json",
    "root-image": "T1w.nii.gz",
    "root-unknown-json": "task-nothing_bold.json",
    "root-json-no-entities": "bold.json",
    "root-dataset-file-twice": "README.rst",
    "root-license": "LICENSE",
    "root-license-md": "LICENSE.md",
    "root-genetic": "genetic_info.json",
    "root-scans-json": "scans.json",
    "root-descriptions": "descriptions.tsv",
    "root-dseg-tsv": "desc-x_dseg.tsv",
    "folder": "stuff/a.txt",
    "folder-code": "code/run.py",
    "folder-code-bids-name": "code/sub-01/anat/sub-01_T1w.txt",
    "folder-docs": "docs/index.md",
    "folder-doc": "doc/index.md",
    "folder-log": "log/a.txt",
    "folder-logs": "logs/a.txt",
    "folder-sourcedata": "sourcedata/a.dcm",
    "folder-rawdata": "rawdata/sub-01/anat/sub-01_T1w.nii.gz",
    "folder-stimuli": "stimuli/picture.png",
    "folder-derivatives": "derivatives/tool/out.txt",
    "folder-derivatives-file": "derivatives/out.txt",
    "folder-phenotype": "phenotype/x.txt",
    "folder-phenotype-tsv": "phenotype/x.tsv",
    "folder-dot": ".git/config",
    "folder-datalad": ".datalad/config",
    "dotfile": ".DS_Store",
    "dotfile-below": "{sub}/.DS_Store",
    "thumbs": "{sub}/Thumbs.db",
    "subject-text": "{sub}/notes.txt",
    "subject-json": "{sub}/{sub}.json",
    "subject-sidecar": "{sub}/{sub}_T1w.json",
    "subject-scans-other": "{sub}/sub-99_scans.tsv",
    "subject-sessions": "{sub}/{sub}_sessions.tsv",
    "datatype-unknown": "{sub}/ct/{sub}_ct.nii.gz",
    "datatype-unknown-valid-name": "{sub}/scans/{sub}_T1w.nii.gz",
    "datatype-text": "{sub}/anat/notes.txt",
    "datatype-deep": "{sub}/anat/more/{sub}_T1w.nii.gz",
    "datatype-figures": "{sub}/figures/{sub}_T1w.svg",
    "session-mixed": "{sub}/ses-new/anat/{sub}_ses-new_T1w.nii.gz",
    "ds-folder": "{sub}/meg/{sub}_task-x_meg.ds/a.meg4",
    "zarr-folder": "{sub}/micr/{sub}_sample-A_SPIM.ome.zarr/.zattrs",
    "ds-folder-name": "{sub}/meg/{sub}_meg.ds/a.meg4",
    "anat-named-file-folder": "{sub}/anat/{sub}_acq-folder_T1w.nii.gz/a",
    "mask": "{sub}/anat/{sub}_mask.nii.gz",
    "dseg": "{sub}/anat/{sub}_dseg.nii.gz",
    "label-mask": "{sub}/anat/{sub}_label-x_mask.nii.gz",
    "defacemask": "{sub}/anat/{sub}_mod-T1w_defacemask.nii.gz",
    "photo": "{sub}/ieeg/{sub}_photo.jpg",
    "stray-bval": "{sub}/dwi/{sub}_acq-x_dwi.bval",
    "root-bval": "dwi.bval",
    "stray-events": "{sub}/func/{sub}_task-none_events.tsv",
    "stray-physio": "{sub}/func/{sub}_task-none_physio.tsv.gz",
    "stray-channels": "{sub}/eeg/{sub}_task-none_channels.tsv",
    "stray-aslcontext": "{sub}/perf/{sub}_acq-x_aslcontext.tsv",
    "newline-name": "{sub}/a\nb.txt",
    "unicode-name": "{sub}/anat/{sub}_acq-é_T1w.nii.gz",
    "template": "tpl-X/anat/tpl-X_T1w.nii.gz",
    "atlas-description": "atlas-x_description.json",
    "empty-folder": "stuff/",
    "empty-subject": "sub-empty/",
    "empty-subject-datatype": "sub-empty/anat/",
    "empty-session": "{sub}/ses-empty/",
    "subject-of-text": "sub-text/readme.txt",
}
IGNORES = (
    *("*.txt", "stray.txt", "/stray.txt", "{sub}/", "/{sub}", "{sub}/**", "**/*.json", "**", "*"),
    *("*_T1w*", "anat", "**/anat/", "sub-*/**/*.nii.gz", "!stray.txt", "*\n!*.json", "#stray.txt"),
    *("stray.tx[st]", "stray.???", "STRAY.TXT", " stray.txt", "stray.txt ", "\\stray.txt", "str*"),
    *("participants.tsv", "dataset_description.json", "README*", "/", "", "stray.txt\r\n*.nii.gz"),
    *("extra/\n!extra/keep.txt", "extra/*\n!extra/keep.txt", "extra/**/deep.txt", "**/deep.txt"),
    *("deep.txt", "extra/deep.txt", "/extra/*/deep.txt", "sub-*/*.txt", "[", "{{a,b}}", "**/extra"),
)


def mutations() -> Iterator[Mutation]:
    """Yield all changes of which files there are."""
    for kind in KINDS:
        safe = kind.strip("_").replace(".", "-").replace("/", "-")
        yield Mutation(f"delete-{safe}", partial(_delete, kind), 2)
        yield Mutation(f"delete-all-{safe}", partial(_delete, kind, whole=True), 1)
        yield Mutation(f"empty-{safe}", partial(_empty, kind), 1)
    yield Mutation("delete-any-sidecar", partial(_delete, ".json"), 5)
    yield Mutation("delete-any-file", partial(_delete, ""), 8)
    yield Mutation("empty-any-file", partial(_empty, ""), 6)
    for name, path in STRAYS.items():
        yield Mutation(f"stray-{name}", partial(_stray, path), 2)
    for number, lines in enumerate(IGNORES):
        yield Mutation(f"bidsignore-{number:02}", partial(_ignore, lines), 1)
    for name, target in LINKS.items():
        yield Mutation(f"link-{name}", partial(_link, target), 2)
    yield Mutation("subject-deleted", _delete_subject, 3)
    yield Mutation("case-collision-file", _collide, 4)
    yield Mutation("case-collision-folder", _collide_folder, 2)


LINKS = {"dangling": "no/such/file", "loop": "{self}", "folder": ".", "valid": "{other}"}


def _delete(kind: str, tree: Tree, random: Random, *, whole: bool = False) -> str | None:
    paths = sorted(path for path in tree if path.endswith(kind))
    if not paths or (whole and len(paths) == 1):
        return None
    gone = paths if whole else [random.choice(paths)]
    for path in gone:
        del tree[path]
    return "without " + ", ".join(gone)


def _empty(kind: str, tree: Tree, random: Random) -> str | None:
    paths = sorted(path for path in tree if path.endswith(kind) and tree[path])
    if not paths:
        return None
    path = random.choice(paths)
    tree[path] = b""
    return f"{path} emptied"


def _stray(path: str, tree: Tree, random: Random) -> str | None:
    where = path.format(sub=a_subject(tree, random))
    if where in tree:
        return None
    tree[where] = (
        b"" if where.endswith("/") else b"{}\n" if where.endswith(".json") else b"a\tb\n1\t2\n"
    )
    return f"{where!r} added"


def a_subject(tree: Tree, random: Random) -> str:
    """Return the folder of a subject."""
    return random.choice(
        sorted({one.split("/")[0] for one in tree if one[:4] == "sub-"}) or ["sub-01"]
    )


def _ignore(lines: str, tree: Tree, random: Random) -> str:
    """Add strays in several places, and the patterns."""
    subject = a_subject(tree, random)
    strays = (
        "stray.txt",
        "extra/keep.txt",
        "extra/deep.txt",
        "extra/a/deep.txt",
        f"{subject}/stray.txt",
    )
    tree.update(dict.fromkeys(strays, b"some text\n"))
    tree[".bidsignore"] = (lines.format(sub=subject) + "\n").encode()
    return f"strays, and .bidsignore {lines!r}"


def _link(target: str, tree: Tree, random: Random) -> str | None:
    paths = named(tree)
    if len(paths) < 2:
        return None
    path, other = random.sample(paths, 2)
    up = "../" * path.count("/")
    tree[path] = Link(target.format(self=path.rpartition("/")[2], other=up + other))
    return f"{path} is a link ({target})"


def _delete_subject(tree: Tree, random: Random) -> str | None:
    subjects = sorted({path.split("/")[0] for path in tree if path.startswith("sub-")})
    if not subjects:
        return None
    gone = random.choice(subjects)
    for path in [path for path in tree if path.startswith(f"{gone}/")]:
        del tree[path]
    return f"without {gone}"


def _collide(tree: Tree, random: Random) -> str | None:
    for path in shuffled(named(tree), random):
        folder, _, name = path.rpartition("/")
        other = f"{folder}/{name.replace('sub-', 'SUB-', 1)}"
        if other != path:
            tree[other] = tree[path]
            return f"{path} also as {other}"
    return None


def _collide_folder(tree: Tree, random: Random) -> str | None:
    for path in shuffled(named(tree), random):
        folders = path.split("/")
        folders[-2] = folders[-2].upper()
        other = "/".join(folders)
        if other != path:
            tree[other] = tree[path]
            return f"{path} also as {other}"
    return None
