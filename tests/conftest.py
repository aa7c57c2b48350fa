"""Synthetic sources and their converted trees, made once in each test process, and the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from small_studies import trim

import bidsify
from bidsify import datasets, demo
from bidsify.cli import main
from bidsify.dataset import Dataset, Segmentation
from bidsify.demo import cmr, native
from bidsify.stated import with_label_table

# What a new dataset may have to state, because its declaration cannot say it. All else that the
# tests ask of a dataset is derived from its declaration and its synthetic source.

#: Datasets of NIfTI files whose headers state no unit: nobody knows how large a voxel is, and the
#: official validator will always warn of that.
WITHOUT_UNIT = frozenset({"myops380"})
#: Datasets without ``subjects``: how many these have was not established, or depends on the copy.
OF_UNKNOWN_SIZE = frozenset({"brats2024ped", "harvard"})
#: Homes that have no https.
HOMES_WITHOUT_HTTPS = frozenset({"harvard"})

NAMES = datasets.names()


def _has_labels(name: str) -> bool:
    products = datasets.load(name).products
    return any(isinstance(p, Segmentation) and p.suffix == "dseg" for p in products)


#: Datasets with a segmentation; others have points or images only.
WITH_LABELS = tuple(filter(_has_labels, NAMES))
BUCKETS = ("converted", "kept", "duplicate", "ignored", "unclaimed", "failed")
RECORD = "code/bidsify/conversion.json"

Make = Callable[[str], Path]


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def failures(self) -> list[str]:
        """What the command could not do, a sentence each."""
        prefix = "failed: "
        return [x.removeprefix(prefix) for x in self.err.splitlines() if x.startswith(prefix)]

    @property
    def warnings(self) -> list[str]:
        """What the user should know, a sentence each."""
        prefix = "warning: "
        return [x.removeprefix(prefix) for x in self.err.splitlines() if x.startswith(prefix)]

    @property
    def error(self) -> str:
        """The one sentence of a command that did not start."""
        (line,) = self.err.splitlines()
        assert line.startswith("error: "), self.err
        return line.removeprefix("error: ")

    @property
    def buckets(self) -> dict[str, int]:
        """The counts that ``convert`` ends with."""
        pairs = (line.split(" ") for line in self.out.splitlines()[-len(BUCKETS) :])
        return {name: int(count) for name, count in pairs}


def run(*arguments: object) -> Ran:
    """Run the command in this process. An exception that is no exit is a bug, and escapes."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        traceback.print_exception(result.exception)
        raise result.exception
    assert "defect" not in result.stderr
    return Ran(result.exit_code, result.stdout, result.stderr)


def preprocess(source: Path, out: Path, *options: object) -> Ran:
    """Run ``bidsify preprocess myops`` in this process."""
    return run("preprocess", "myops", source, out, "-q", *options)


def shell(
    *arguments: object, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Ran:
    """Run the command in a process of its own."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
        cwd=cwd,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "defect" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def command(*arguments: object) -> list[str]:
    """Return what starts the command as a process."""
    return [sys.executable, "-m", "bidsify", *map(str, arguments)]


def snapshot(root: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    found = sorted(path for path in root.rglob("*") if path.is_file() or path.is_symlink())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def differing(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    """Return the names that are in one of two trees only, or have other bytes."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def assert_same(one: Path, other: Path) -> None:
    """Check that two trees are the same bytes; name the files that are not."""
    assert differing(snapshot(one), snapshot(other)) == []


def assert_no_leftovers(root: Path) -> None:
    """Check that a conversion left nothing behind but what belongs into the tree."""
    names = list(snapshot(root))
    assert not (root / ".bidsify").exists()
    assert not [name for name in names if name.endswith((".part", ".tmp"))]


def volume(path: Path) -> tuple[np.ndarray[Any, Any], Any]:
    """Return the stored values and the header of a NIfTI file."""
    image = nib.load(path)
    return np.array(image.dataobj.get_unscaled()), image


def save_volume(path: Path, data: np.ndarray[Any, Any], like: Any, affine: Any = None) -> None:
    """Write values with the header of another file, as stored, without scaling."""
    header = like.header.copy()
    header.set_data_dtype(data.dtype)
    image = type(like)(data, like.affine if affine is None else affine, header)
    image.header.set_slope_inter(1, 0)
    content = image.to_bytes()
    if path.name.endswith(".gz"):
        content = native.gzipped(content)
    path.write_bytes(content)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return the folder of a synthetic source by its name; not to be changed."""
    root = tmp_path_factory.mktemp("sources")

    def make(name: str) -> Path:
        if not (root / name).exists():
            demo.make(name, root / name)
        return root / name

    return make


Stated = Callable[[str], tuple[object, ...]]


@pytest.fixture(scope="session")
def stated(tmp_path_factory: pytest.TempPathFactory) -> Stated:
    """Return what a user must state of a dataset on the command line; for most, nothing."""
    root = tmp_path_factory.mktemp("stated")

    def options(name: str) -> tuple[object, ...]:
        table = demo.label_table(name)
        if table is None:
            return ()
        (root / f"{name}.tsv").write_text(table)
        return "--label-table", root / f"{name}.tsv"

    return options


Declared = Callable[[str], Dataset]


@pytest.fixture(scope="session")
def declared(stated: Stated) -> Declared:
    """Return a declaration by its name, with the label table that a user must state of it."""

    def declare(name: str) -> Dataset:
        dataset, table = datasets.load(name), stated(name)[1:]
        return with_label_table(dataset, Path(str(table[0]))) if table else dataset

    return declare


@pytest.fixture(scope="session")
def tree(source: Make, stated: Stated, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return the converted tree of a synthetic source; not to be changed."""
    root = tmp_path_factory.mktemp("trees")

    def make(name: str) -> Path:
        if not (root / name).exists():
            table = next((str(option) for option in stated(name)[1:]), None)
            done = bidsify.convert(source(name), root / name, dataset=name, label_table=table)
            assert done.failures == []
        return root / name

    return make


@pytest.fixture
def own_source(source: Make, tmp_path: Path) -> Make:
    """Return a copy of a synthetic source that a test may change."""

    def make(name: str) -> Path:
        copy = tmp_path / "source"
        shutil.copytree(source(name), copy)
        return copy

    return make


@pytest.fixture
def own_tree(tree: Make, tmp_path: Path) -> Make:
    """Return a copy of a converted tree that a test may change."""

    def make(name: str) -> Path:
        copy = tmp_path / "tree"
        shutil.copytree(tree(name), copy)
        return copy

    return make


@pytest.fixture(scope="session")
def many_cases(source: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a MyoPS380 of 60 cases: long enough to be interrupted."""
    root = tmp_path_factory.mktemp("many") / "MyoPS380"
    cases = [f"{number:04}" for number in range(1, 61)]
    copy_cases(source("myops380"), root, "0001", cases)
    return root


def copy_cases(source: Path, root: Path, case: str, names: Sequence[str]) -> None:
    """Copy the files of one MyoPS380 case under the names of others."""
    for path in sorted(source.rglob(f"case{case}*")):
        folder = root / path.relative_to(source).parent
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(path, folder / path.name.replace(case, name))


@pytest.fixture(scope="session")
def whole_studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two cardiac studies with all their slices; not to be changed."""
    root = tmp_path_factory.mktemp("whole") / "studies"
    cmr.make_studies(root, subjects=2)
    return root


@pytest.fixture(scope="session")
def studies(whole_studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two cardiac studies of few slices; not to be changed."""
    root = tmp_path_factory.mktemp("small") / "studies"
    trim(whole_studies, root)
    return root


@pytest.fixture(scope="session")
def processed(studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what all steps of the preprocessing make of the small studies; not to be changed."""
    out = tmp_path_factory.mktemp("processed") / "out"
    ran = preprocess(studies, out, "-j", 2)
    assert (ran.code, ran.failures) == (0, []), ran.err
    return out


@pytest.fixture
def own_studies(studies: Path, tmp_path: Path) -> Path:
    """Return a copy of the small studies that a test may change."""
    return Path(shutil.copytree(studies, tmp_path / "studies"))


@pytest.fixture
def own_processed(processed: Path, tmp_path: Path) -> Path:
    """Return a copy of the preprocessed studies that a test may change."""
    return Path(shutil.copytree(processed, tmp_path / "processed"))
