"""What ``.bidsignore`` leaves out."""

from __future__ import annotations

import warnings

import pytest

from bidsify.validation.files.ignore import DEFAULTS, Ignore


@pytest.mark.parametrize(
    ("lines", "path", "is_out"),
    [
        ([], "sourcedata/", True),
        ([], "derivatives/", True),
        ([], "sub-01/code/", False),
        ([], "README", False),
        (["*.txt"], "sub-01/a.txt", True),
        (["*.txt"], "sub-01/a.txt.gz", False),
        (["/*.txt"], "sub-01/a.txt", False),
        (["/*.txt"], "a.txt", True),
        (["extra/"], "sub-01/extra/", True),
        (["extra/"], "sub-01/extra", False),
        (["**/anat"], "sub-01/anat/", True),
        (["a/**/b"], "a/b", True),
        (["a/**/b"], "a/x/y/b", True),
        (["sub-0[1-3]"], "sub-02/", True),
        (["sub-0[!2]"], "sub-02/", False),
        (["sub-0?"], "sub-01/", True),
        (["SUB-01"], "sub-01/", True),
        (["*.json", "!keep.json"], "keep.json", False),
        (["!keep.json", "*.json"], "keep.json", True),
        (["!/stimuli/"], "stimuli/", False),
        (["# README"], "README", False),
        (["\\#x"], "#x", True),
        (["README "], "README", True),
        (["", "   "], "README", False),
        (["***"], "README", True),
        (["*_task-*.json"], "a_task-b.json", True),
        (["*_task-*.json"], "a_run-1_task-b.json", False),  # as for the official validator
        (["*_task*"], "a_run-1_task-b.json", True),
    ],
)
def test_the_last_pattern_that_fits_decides(lines: list[str], path: str, *, is_out: bool) -> None:
    assert Ignore(lines).matches(path) is is_out


@pytest.mark.parametrize(
    "line", ["!", "[z-a]", "\\", "/", "//", "a[", "[[:alpha:]]", "(?P<x>", "((("]
)
def test_what_is_no_pattern_is_passed_over(line: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ignore = Ignore([line, "*.txt"])
        assert ignore.matches("a.txt")
        assert not ignore.matches("sub-01/anat/")


def test_many_asterisks_take_no_time() -> None:
    assert Ignore(["*" * 200 + "b"]).matches("a" * 250 + "b")
    assert not Ignore(["*" * 200 + "b"]).matches("a" * 250)


def test_only_lines_of_the_dataset_count_as_its_own() -> None:
    assert not Ignore().has_lines
    assert Ignore(["x"]).has_lines
    assert all(Ignore().matches(folder.removeprefix("/")) for folder in DEFAULTS)
