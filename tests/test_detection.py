"""Which dataset is this? Never a guess."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import NAMES, Make, Stated
from hypothesis import given, settings
from hypothesis import strategies as st

import bidsify
from bidsify import datasets
from bidsify.dataset import Sign
from bidsify.errors import SourceError, UsageError
from bidsify.recognition.detection import Candidate, candidates, choose, require_fit
from bidsify.recognition.editions import Settled, settle
from bidsify.source import open_source


@dataclass(frozen=True)
class Names:
    """A source that is a list of names; a look into a file shows nothing."""

    paths: Sequence[str]
    root: Path = Path("somewhere")

    @property
    def sizes(self) -> dict[str, int]:
        return dict.fromkeys(self.paths, 1)

    def read(self, path: str) -> bytes:
        msg = f"{path}: empty"
        raise SourceError(msg)


def listing(source: Make, name: str) -> list[str]:
    return list(open_source(source(name)).sizes)


def chosen(paths: Sequence[str]) -> str:
    """Return the dataset that a listing is taken for."""
    return choose(cast("Any", Names(paths)), candidates(paths)).dataset.name


@pytest.mark.parametrize("name", NAMES)
def test_each_source_is_recognised_by_its_names(name: str, source: Make) -> None:
    paths = listing(source, name)
    assert chosen(paths) == name
    require_fit(paths, datasets.load(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prefix", ["mirror/of/", "My Downloads (1)/", ""])
def test_folders_above_do_not_matter(name: str, prefix: str, source: Make) -> None:
    assert chosen([prefix + path for path in listing(source, name)]) == name


@pytest.mark.parametrize("name", NAMES)
def test_one_subject_is_enough(name: str, source: Make, stated: Stated) -> None:
    table = next((str(option) for option in stated(name)[1:]), None)
    plan = bidsify.plan(source(name), dataset=name, label_table=table)
    first = min(unit.subject for unit in plan.units)
    jobs = [job for unit in plan.units if unit.subject == first for job in unit.jobs]
    files = {path for job in jobs for path in (*job.sources, *(copy for copy, _ in job.twins))}
    why = f"bidsify/demo/{name}.py: make two subjects or more, of which one is not all"
    assert 0 < len(files) < len(listing(source, name)), why
    assert chosen(sorted(files)) == name


def patterns(name: str) -> set[str]:
    return {text for product in datasets.load(name).products for text in product.source}


#: Editions whose files have the same names.
ALIKE = tuple(
    frozenset(pair)
    for pair in itertools.combinations(NAMES, 2)
    if not patterns(pair[0]).isdisjoint(patterns(pair[1]))
)


@pytest.mark.parametrize("name", NAMES)
def test_no_source_fits_another_dataset(name: str, source: Make) -> None:
    paths = listing(source, name)
    for other in NAMES:
        if other != name and {name, other} not in ALIKE:
            with pytest.raises(UsageError, match=f"fits the layout of '{other}'"):
                require_fit(paths, datasets.load(other))


def test_editions_that_are_alike_are_found() -> None:
    assert frozenset({"brats2023", "brats2024"}) in ALIKE


@pytest.mark.parametrize("pair", ALIKE, ids=lambda pair: "-".join(sorted(pair)))
def test_editions_of_the_same_names_need_a_sign(pair: frozenset[str], source: Make) -> None:
    cases = ["/".join(path.split("/")[-2:]) for path in listing(source, min(pair))]
    bare = [re.sub(r"-\d{3}(?!\d)", "-200", path) for path in cases]
    found = candidates(bare)
    assert {one.dataset.name for one in found} == pair
    with pytest.raises(UsageError, match=r"could be .* does not tell which .*; say it with"):
        chosen(bare)


@pytest.mark.parametrize("alias", ["brats2022"])
def test_an_edition_of_the_same_files_is_known_by_its_name(alias: str) -> None:
    assert datasets.load(alias).name == "brats2021"


def test_several_datasets_in_one_folder_are_left_to_the_user(source: Make) -> None:
    paths = [*listing(source, "myops380"), *listing(source, "ssmspine")]
    assert [(c.dataset.name, c.fitting) for c in candidates(paths)] == [
        ("myops380", 12),
        ("ssmspine", 3),
    ]
    text = r"several datasets, myops380 \(12 files\) and ssmspine \(3 files\); convert each with"
    with pytest.raises(UsageError, match=text):
        chosen(paths)


@pytest.mark.parametrize(
    "names",
    [
        ("brats2023", "brats2023men"),
        ("brats2023", "brats2023men", "brats2023ssa"),
        ("brats2023men", "brats2023ped"),
        ("brats2023men", "brats2023met"),
    ],
)
def test_cohorts_in_one_folder_are_several_datasets(names: tuple[str, ...], source: Make) -> None:
    """A sign that tells one edition from another does not tell that others are not there."""
    with pytest.raises(UsageError, match="the source holds several datasets") as caught:
        chosen([path for name in names for path in listing(source, name)])
    assert all(f"{name} (" in str(caught.value) for name in names)


def test_a_few_strangers_do_not_hide_a_dataset(source: Make) -> None:
    cases = [f"case{number:04}" for number in range(1, 101)]
    paths = [f"Raw_data/LGE/{case}.nii.gz" for case in cases]
    assert chosen([*paths, *listing(source, "ssmspine")[:1]]) == "myops380"


def candidate(name: str, numbers: range) -> Candidate:
    return Candidate(datasets.load(name), frozenset(f"{number}.nii" for number in numbers))


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (range(100, 104), ""),
        (range(100, 105), "the source holds several datasets"),
        (range(51, 100), ""),
        (range(50, 100), "the source could be myops380 "),
    ],
)
def test_how_many_files_make_another_dataset_likely(other: range, reason: str) -> None:
    """A twentieth of other files, half of the same."""
    found = [candidate("myops380", range(100)), candidate("ssmspine", other)]
    source = cast("Any", Names(["0.nii"]))
    if not reason:
        assert choose(source, found).dataset.name == "myops380"
        return
    with pytest.raises(UsageError, match=f"^{reason}"):
        choose(source, found)


def test_signs_that_contradict_settle_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that speak for both are not overruled by a look into the files."""
    monkeypatch.setattr("bidsify.recognition.editions.probes.shapes", lambda *_: {(2, 2, 2)})
    editions = [
        replace(datasets.load("brats2023"), signs=(Sign(path=word), Sign(shape=(size,) * 3)))
        for word, size in (("one", 1), ("two", 2))
    ]
    assert settle(cast("Any", Names(["two/one.nii"])), editions) is None
    by_name = settle(cast("Any", Names(["x/one.nii"])), editions)
    assert by_name == Settled(editions[0], "'one' in a path such as x/one.nii is a sign of it")
    by_shape = settle(cast("Any", Names(["x/x.nii"])), editions)
    assert by_shape == Settled(editions[1], "a grid of (2, 2, 2) voxels is a sign of it")


@pytest.mark.parametrize("name", ["brats2023", "brats2024"])
def test_a_time_point_tells_in_the_name_of_a_loose_file_too(name: str, source: Make) -> None:
    files = [path.rpartition("/")[2] for path in listing(source, name)]
    assert chosen(files) == name


def test_nothing_is_nothing() -> None:
    with pytest.raises(UsageError, match="the source holds no files"):
        chosen([])


@settings(database=None, deadline=None, max_examples=30)
@given(st.lists(st.text(min_size=1).map(lambda text: f"x{text}"), min_size=1, unique=True))
def test_files_of_nobody_are_not_recognised(paths: list[str]) -> None:
    with pytest.raises(UsageError, match="dataset not recognised"):
        chosen(paths)
