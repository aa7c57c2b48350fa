"""Each file of a source is claimed, ignored by a rule that says why, or unclaimed; never two."""

from __future__ import annotations

from typing import Any

import pytest
from builders import toy
from hypothesis import given
from hypothesis import strategies as st
from strategies import file_names

from bidsify import datasets
from bidsify.dataset import Ignored, Naming
from bidsify.naming import person
from bidsify.planning.claims import claimed, junk, sort_files

KNOWN = [
    *("1/1_fat.nii", "1/1_water.nii.gz", "train/2/2_fat.nii", "x/y/test/3/3_fat.nii"),
    *("1/1_seg.nii", "seg/1.nii", "1/1_fat.json", "participants.tsv", "deep/participants.tsv"),
]
IGNORED = ["a.pdf", "x/b.pdf", ".DS_Store", "1/._1_fat.nii", "__MACOSX/1/1_fat.nii"]
UNCLAIMED = ["1/2_fat.nii", "notes.txt", "1_fat.nii", "1/1_fat.nii.gz.bak", "a.PDF"]

path_lists = st.lists(
    st.sampled_from([*KNOWN, *IGNORED, *UNCLAIMED])
    | st.lists(file_names, min_size=1, max_size=3).map("/".join),
    max_size=12,
    unique=True,
)


def test_files_go_where_the_declaration_says() -> None:
    files = sort_files(toy(), [*UNCLAIMED, *IGNORED, *KNOWN])
    assert sorted({claim.path for claim in files.claims}) == sorted(KNOWN)
    assert sorted(path for path, _ in files.ignored) == sorted(IGNORED)
    assert sorted(files.unclaimed) == sorted(UNCLAIMED)
    reasons = dict(files.ignored)
    assert reasons["x/b.pdf"] == "text for human readers"
    assert reasons[".DS_Store"] == reasons["1/._1_fat.nii"] == "left by a desktop"


@given(paths=path_lists, data=st.data())
def test_each_file_is_in_one_place_whatever_the_order(paths: list[str], data: Any) -> None:
    files = sort_files(toy(), paths)
    placed = [
        *{claim.path for claim in files.claims},
        *(path for path, _ in files.ignored),
        *files.unclaimed,
        *getattr(files, "unnameable", ()),
    ]
    assert sorted(placed) == sorted(paths)
    assert all(reason for _, reason in files.ignored)
    assert sort_files(toy(), data.draw(st.permutations(paths))) == files


def test_the_first_of_several_patterns_counts() -> None:
    files = sort_files(toy(), ["seg/1.nii", "train/1/1_seg.nii.gz"])
    ranks = {claim.path: claim.rank for claim in files.claims}
    assert ranks == {"train/1/1_seg.nii.gz": 0, "seg/1.nii": 1}
    prefixes = {claim.path: claim.match.prefix for claim in files.claims}
    assert set(prefixes.values()) == {""}


def test_a_claim_wins_over_a_rule_that_ignores() -> None:
    dataset = toy(ignored=(Ignored(source="*", reason="all the rest"),))
    files = sort_files(dataset, ["1/1_fat.nii", "1/1_other.nii"])
    assert [claim.path for claim in files.claims] == ["1/1_fat.nii"]
    assert files.ignored == [("1/1_other.nii", "all the rest")]


def test_junk_is_no_data_even_where_a_pattern_fits() -> None:
    dataset = toy(ignored=())
    assert sort_files(dataset, ["__MACOSX/1/1_fat.nii"]).claims == []
    assert len(claimed(dataset, ["__MACOSX/1/1_fat.nii", "1/1_fat.nii"])) == 1


def test_what_a_rule_states_wins_over_what_the_path_does_not() -> None:
    rule = Ignored(source="[{split}/]{case}.txt", reason="a mark", states={"split": "test"})
    files = sort_files(toy(ignored=(rule,)), ["7.txt", "train/8.txt"])
    assert files.marks == [{"case": "7", "split": "test"}, {"case": "8", "split": "test"}]


def test_only_products_count_for_detection() -> None:
    assert len(claimed(toy(), KNOWN)) == len(KNOWN) - 3
    assert claimed(toy(), [*IGNORED, *UNCLAIMED]) == set()
    assert claimed(toy(), []) == set()


@pytest.mark.parametrize(
    ("path", "tool"),
    [
        *((name, "desktop") for name in (".DS_Store", "a/.DS_Store", "Thumbs.db", "a/b/Thumbs.db")),
        *((name, "desktop") for name in ("desktop.ini", "a/desktop.ini", "._x", "a/._x.nii")),
        *((name, "desktop") for name in ("__MACOSX/a", "a/__MACOSX/b/c")),
        *((name, "version control") for name in (".git/config", "a/.git/x/y", ".gitattributes")),
        *((name, "version control") for name in (".gitignore", ".datalad/config", ".svn/a")),
        *((name, "version control") for name in (".git", "a/.git", ".gitmodules")),
    ],
)
def test_junk_is_named(path: str, tool: str) -> None:
    assert junk(path) == f"left by a {tool}"


@pytest.mark.parametrize(
    "path",
    [
        *("a/x.nii", "Thumbs.db.nii", "myThumbs.db", "x.DS_Store", "__MACOSX", "a.git/b"),
        *("desktop.ini.nii", "mydesktop.ini", "a/desktop.initial/x.nii", "desktop.ini/x.nii"),
        *(".bidsignore", "a/.hidden/x.nii", ".gitx/a", "._/x", "_x"),
    ],
)
def test_data_is_no_junk(path: str) -> None:
    assert junk(path) is None


@given(
    st.lists(file_names, min_size=1, max_size=3).map("/".join), st.sampled_from(["", "a/", "b/c/"])
)
def test_folders_above_do_not_make_junk(path: str, above: str) -> None:
    assert junk(above + path) == junk(path)


@pytest.mark.parametrize(
    ("naming", "fields", "wanted"),
    [
        (
            Naming(subject="MR{case:02}", source_id="[{split}/]MR/{case}"),
            {"case": "3", "split": None},
            ("MR03", None, "MR/3", None),
        ),
        (
            Naming(
                subject="{case}",
                source_id="{case}",
                session="{visit}",
                session_source_id="v{visit}",
            ),
            {"case": "a_b-7", "visit": "2.5"},
            ("ab7", "25", "a_b-7", "v2.5"),
        ),
        (Naming(subject="{case}", source_id="{case}"), {"case": "__"}, ("", None, "__", None)),
    ],
)
def test_people_are_named_by_the_fields(
    naming: Naming, fields: dict[str, str | None], wanted: tuple[str | None, ...]
) -> None:
    who = person(naming, fields)
    assert (who.subject, who.session, who.source_id, who.session_source_id) == wanted


@pytest.mark.parametrize("name", datasets.names())
def test_known_datasets_claim_nothing_of_nothing(name: str) -> None:
    files = sort_files(datasets.load(name), ["unrelated/file.xyz"])
    assert files.claims == []
    assert files.unclaimed == ["unrelated/file.xyz"]
