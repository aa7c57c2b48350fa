"""Which dataset is this? Never a guess."""

from __future__ import annotations

import pytest
from conftest import NAMES, Make
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsify import datasets
from bidsify.detection import candidates, choose, require_fit
from bidsify.errors import UsageError
from bidsify.source import open_source


def listing(source: Make, name: str) -> list[str]:
    return list(open_source(source(name)).sizes)


@pytest.mark.parametrize("name", NAMES)
def test_each_source_is_recognised_by_its_names(name: str, source: Make) -> None:
    paths = listing(source, name)
    assert choose(paths, candidates(paths)).name == name
    require_fit(paths, datasets.load(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prefix", ["mirror/of/", "My Downloads (1)/", ""])
def test_folders_above_do_not_matter(name: str, prefix: str, source: Make) -> None:
    paths = [prefix + path for path in listing(source, name)]
    assert choose(paths, candidates(paths)).name == name


@pytest.mark.parametrize("name", NAMES)
def test_one_subject_is_enough(name: str, source: Make) -> None:
    paths = listing(source, name)
    first = {"chaos": "Train_Sets/MR/1/", "lumbosacral": "sub-01", "ssmspine": "p81"}.get(
        name, "01"
    )
    some = [path for path in paths if first in path]
    assert 0 < len(some) < len(paths)
    assert choose(some, candidates(some)).name == name


@pytest.mark.parametrize("name", NAMES)
def test_no_source_fits_another_dataset(name: str, source: Make) -> None:
    paths = listing(source, name)
    for other in NAMES:
        if other != name:
            with pytest.raises(UsageError, match=f"fits the layout of '{other}'"):
                require_fit(paths, datasets.load(other))


def test_the_best_candidate_comes_first(source: Make) -> None:
    paths = [*listing(source, "myops380"), *listing(source, "ssmspine")]
    assert [(c.dataset.name, c.fitting) for c in candidates(paths)] == [
        ("myops380", 12),
        ("ssmspine", 3),
    ]
    assert choose(paths, candidates(paths)).name == "myops380"


def test_two_datasets_that_fit_alike_are_left_to_the_user(source: Make) -> None:
    paths = [*listing(source, "myops380")[:6], *listing(source, "ssmspine")]
    with pytest.raises(
        UsageError, match=r"could be myops380 \(6 files\) or ssmspine \(3 files\); "
    ):
        choose(paths, candidates(paths))


def test_nothing_is_nothing() -> None:
    with pytest.raises(UsageError, match="the source holds no files"):
        choose([], candidates([]))


@settings(database=None, deadline=None, max_examples=30)
@given(st.lists(st.text(min_size=1).map(lambda text: f"x{text}"), min_size=1, unique=True))
def test_files_of_nobody_are_not_recognised(paths: list[str]) -> None:
    with pytest.raises(UsageError, match="dataset not recognised"):
        choose(paths, candidates(paths))
