"""Broken copies of example datasets, for comparing validators on them.

Takes small parts of the official example datasets (bids-standard/bids-examples), gives their
empty images tiny valid contents, and breaks each copy in one way. The same examples give the
same mutants. Every mutant is `OUT/ID/ds` with `OUT/ID/mutation.json` saying what was done; the
unbroken parts are there too, as `base-*`.

    python benchmarks/mutants.py bids-examples mutants [--times 2] [--only NAME]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random

import trees
from mutating import documents, images, imaging, inheritance, layout, names, rules, tables
from mutating.tree import Mutation, Tree, dump, read, write

# A dataset, a folder in it, and its subjects that are kept: names, or how many.
BASES: tuple[tuple[str, str, int | tuple[str, ...]], ...] = (
    ("asl001", "", 1),
    ("asl003", "", 1),
    ("asl004", "", 1),
    ("ds001", "", 2),
    ("ds000117", "", ("sub-01", "sub-emptyroom")),
    ("ds000246", "", 2),
    ("ds114", "", 1),
    ("7t_trt", "", 1),
    ("hcp_example_bids", "", 1),
    ("volume_timing", "", 1),
    ("dwi_deriv", "", 1),
    ("mri_chunk", "", 1),
    ("genetics_ukbb", "", 2),
    ("qmri_mp2rage", "", 1),
    ("qmri_mese", "", 1),
    ("mrs_2dmrsi", "", 2),
    ("mrs_fmrs", "", 1),
    ("pet001", "", 1),
    ("pet002", "", 1),
    ("eeg_cbm", "", 2),
    ("eeg_rest_fmri", "", 1),
    ("ieeg_motorMiller2007", "", 2),
    ("ieeg_epilepsy", "", 1),
    ("emg_Multimodal", "", 1),
    ("emg_MultiBodyParts", "", 1),
    ("fnirs_tapping", "", 2),
    ("motion_systemvalidation", "", 1),
    ("eyetracking_fmri", "", 1),
    ("micr_SPIM", "", 1),
    ("micr_SEMzarr", "", 1),
    ("pheno004", "", 2),
    ("synthetic", "", 2),
    ("synthetic", "derivatives/fmriprep", 1),
    ("ds000001-fmriprep", "", 1),
    ("atlas-suit", "", 0),
    ("atlas-Talairach", "", 0),
    ("atlas-4S", "sourcedata/atlas-4S", 0),
)
# Bases whose gzip files carry names and times, as those of many real datasets do.
CHATTY = ("asl003", "genetics_ukbb", "mrs_fmrs")
LARGEST = 100_000
# What all values of all sidecars become; None empties the sidecars.
EVERYWHERE = {"kept": "", "emptied": None, "text": "text", "number": -1.5}
PICTURES = 40


def main() -> None:
    """Make the mutants."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("examples", type=Path, help="folder with the example datasets")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--times", type=int, default=99, help="at most so many of each mutation")
    parser.add_argument("--only", default="", help="only mutations whose name holds this")
    options = parser.parse_args()
    bases = dict(load(options.examples))
    if not bases:
        sys.exit(f"{options.examples}: no example dataset is in here")
    options.out.mkdir(parents=True)
    count = 0
    narrow = mutants(bases, options.times, options.only)
    broad = (one for one in wide(options.examples) if options.only in one[0])
    for title, what, tree in chain(narrow, broad):
        write(tree, options.out / title / "ds")
        text = json.dumps({"id": title, **what}, indent=2, ensure_ascii=False)
        (options.out / title / "mutation.json").write_text(text + "\n", "utf-8")
        count += 1
    print(f"{count} datasets in {options.out}")


def load(examples: Path) -> Iterator[tuple[str, Tree]]:
    """Yield the base datasets: parts of the examples, and two synthetic ones."""
    for dataset, folder, subjects in BASES:
        root = examples / dataset / folder
        if root.is_dir():
            tree = _part(read(root), subjects)
            images.fill(tree, chatty=dataset in CHATTY)
            yield "-".join((dataset, *folder.split("/")[1:])), tree
    for raw in (False, True):
        yield f"made-{'raw' if raw else 'derivative'}", dict(trees.tree(3, raw=raw))


def mutants(
    bases: dict[str, Tree], times: int, only: str = ""
) -> Iterator[tuple[str, dict[str, str], Tree]]:
    """Yield id, description and tree: the bases, then every mutation on some of them."""
    for base, tree in bases.items():
        if only in "base":
            yield f"base-{base}", {"base": base, "mutation": "none", "what": ""}, tree
    modules = (names, documents, tables, imaging, layout, inheritance, rules)
    for mutation in (one for module in modules for one in module.mutations()):
        if only in mutation.name:
            yield from _apply(mutation, bases, min(times, mutation.times))


def wide(examples: Path) -> Iterator[tuple[str, dict[str, str], Tree]]:
    """Yield one subject of every example, and the same with all sidecars changed in one way."""
    for root in sorted(examples.iterdir()):
        if (root / documents.DESCRIPTION).exists():
            whole = _part(read(root), 1)
            images.fill(whole)
            for name, value in EVERYWHERE.items():
                tree = dict(whole)
                for path, document in documents.sidecars(whole) if name != "kept" else ():
                    changed = {} if value is None else dict.fromkeys(document, value)
                    tree[path] = dump(changed)
                what = {"base": root.name, "mutation": f"all-{name}", "what": "all sidecars"}
                yield f"wide-{root.name}-{name}", what, tree


def _apply(
    mutation: Mutation, bases: dict[str, Tree], times: int
) -> Iterator[tuple[str, dict[str, str], Tree]]:
    """Try bases in an order of this mutation's own until enough of them could be broken so."""
    order = Random(mutation.name).sample(sorted(bases), len(bases))  # noqa: S311
    for base in order:
        if times == 0:
            return
        tree = dict(bases[base])
        what = mutation.change(tree, Random(f"{mutation.name} {base}"))  # noqa: S311
        if what is not None and tree != bases[base]:
            times -= 1
            title = re.sub(r"[^A-Za-z0-9.]+", "-", f"{mutation.name}-{base}").strip("-")
            yield title, {"base": base, "mutation": mutation.name, "what": what}, tree


def _part(tree: dict[str, bytes], subjects: int | tuple[str, ...]) -> Tree:
    """Keep some subjects, their rows, and no large file."""
    found = sorted({path.split("/")[0] for path in tree if path.startswith("sub-")})
    kept = found[:subjects] if isinstance(subjects, int) else subjects
    gone = ("derivatives/", "log/", "logs/", *(f"{name}/" for name in found if name not in kept))
    part: Tree = {}
    pictures = [path for path in tree if path.startswith("stimuli/")]
    gone += tuple(pictures[PICTURES:])
    for path, data in tree.items():
        if path.startswith(gone) or len(data) > LARGEST or path.endswith((".html", ".svg")):
            continue
        table = path.endswith(".tsv") and data.startswith(b"participant_id")
        part[path] = _rows(data, kept) if table and "sub-" not in path else data
    return part


def _rows(data: bytes, kept: tuple[str, ...] | list[str]) -> bytes:
    head, *rows = data.splitlines(keepends=True)
    names = {name.encode() for name in kept}
    return head + b"".join(row for row in rows if row.split(b"\t")[0].strip() in names)


if __name__ == "__main__":
    main()
