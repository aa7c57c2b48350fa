"""Path patterns: what they match, what they refuse, and that rendering undoes matching."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import plain_labels, prefixes

from bidsify.errors import DeclarationError
from bidsify.patterns import Pattern, field_names, natural_key, render

NUMBER = {"case": r"\d+", "split": "Train|Test"}

HITS = [
    # pattern, path, prefix, fields
    ("{case}.nii", "7.nii", "", {"case": "7"}),
    ("{case}.nii", "a/b c/7.nii", "a/b c/", {"case": "7"}),
    ("{case}/{case}_fat.nii", "x/07/07_fat.nii", "x/", {"case": "07"}),
    ("{case}.nii[.gz]", "7.nii", "", {"case": "7"}),
    ("{case}.nii[.gz]", "7.nii.gz", "", {"case": "7"}),
    ("[{split}_Sets/]MR/{case}/*.dcm", "MR/1/a.dcm", "", {"split": None, "case": "1"}),
    (
        "[{split}_Sets/]MR/{case}/*.dcm",
        "z/Train_Sets/MR/1/IMG-0004-00001.dcm",
        "z/",
        {"split": "Train", "case": "1"},
    ),
    ("{name}.txt", "AbC09.txt", "", {"name": "AbC09"}),
    ("a.b+c(d)^$|?.txt", "a.b+c(d)^$|?.txt", "", {}),
    ("*.json", ".json", "", {}),
    ("*.json", "line\nbreak.json", "", {}),
]

MISSES = [
    ("{case}.nii", "x7.nii"),
    ("{case}.nii", "7.nii.gz"),
    ("{case}.nii", "7.NII"),
    ("{case}.nii", "7.nii/"),
    ("{case}.nii", "7.nii\n"),
    ("{case}/{case}_fat.nii", "dataset/07_fat.nii"),
    ("{case}/{case}_fat.nii", "06/07_fat.nii"),
    ("MR/{case}/*.dcm", "MR/1/sub/a.dcm"),
    ("MR/{case}/*.dcm", "XMR/1/a.dcm"),
    ("[{split}_Sets/]MR/{case}/*.dcm", "Other_Sets_MR/1/a.dcm"),
    ("{name}.txt", "a_b.txt"),
    ("{name}.txt", ".txt"),
    ("a.txt", "abtxt"),
    ("[{split}_Sets/]x", "Valid_Sets/xx"),
]


@pytest.mark.parametrize(("pattern", "path", "prefix", "fields"), HITS)
def test_hits(pattern: str, path: str, prefix: str, fields: dict[str, str | None]) -> None:
    found = Pattern(pattern, NUMBER).match(path)
    assert found is not None
    assert (found.prefix, dict(found.fields)) == (prefix, fields)


@pytest.mark.parametrize(("pattern", "path"), MISSES)
def test_misses(pattern: str, path: str) -> None:
    assert Pattern(pattern, NUMBER).match(path) is None


def test_an_absent_optional_folder_belongs_to_the_prefix() -> None:
    found = Pattern("[{split}_Sets/]MR/{case}", NUMBER).match("Valid_Sets/MR/1")
    assert found is not None
    assert (found.prefix, found.fields["split"]) == ("Valid_Sets/", None)


@given(prefix=prefixes, case=st.integers(0, 9999), split=st.sampled_from([None, "Train", "Test"]))
def test_levels_of_folders_above_do_not_matter(prefix: str, case: int, split: str | None) -> None:
    pattern = Pattern("[{split}_Sets/]CT/{case}/a.dcm", NUMBER)
    path = (f"{split}_Sets/" if split else "") + f"CT/{case}/a.dcm"
    bare, deep = pattern.match(path), pattern.match(prefix + "d/" + path)
    assert bare is not None
    assert deep is not None
    assert deep.fields == bare.fields == {"split": split, "case": str(case)}
    assert (bare.prefix, deep.prefix) == ("", prefix + "d/")


@given(
    template=st.sampled_from(
        ["{a}/{b}.nii", "{a}/{a}_{b}[.gz]", "x[_{c}]/{a}-{b}", "[{c}/]{b}/{a}.json"]
    ),
    a=plain_labels,
    b=plain_labels,
    c=st.none() | plain_labels,
)
def test_matching_undoes_rendering(template: str, a: str, b: str, c: str | None) -> None:
    fields = {"a": a, "b": b, "c": c}
    found = Pattern(template, {}).match(render(template, fields))
    assert found is not None
    assert found.prefix == ""
    assert dict(found.fields) == {name: fields[name] for name in field_names(template)}


@pytest.mark.parametrize(
    ("template", "fields", "text"),
    [
        ("p{texture:03}", {"texture": "7"}, "p007"),
        ("p{texture:03}", {"texture": "1234"}, "p1234"),
        ("p{texture:02}", {"texture": "x"}, "px"),
        ("{a}[-{b}]", {"a": "1", "b": None}, "1"),
        ("{a}[-{b}]", {"a": "1", "b": "2"}, "1-2"),
        ("{a}[-{b}]", {"a": "1"}, "1"),
        ("{a}[.gz]", {"a": "1"}, "1.gz"),
        ("{a}{b}", {"a": None, "b": "2"}, "2"),
        ("plain", {}, "plain"),
        ("", {}, ""),
    ],
)
def test_render(template: str, fields: dict[str, str | None], text: str) -> None:
    assert render(template, fields) == text


@pytest.mark.parametrize(
    ("template", "names"),
    [("{a}/{b}_{a}", {"a", "b"}), ("[{split}_Sets/]x{case:02}", {"split", "case"}), ("x", set())],
)
def test_field_names(template: str, names: set[str]) -> None:
    assert field_names(template) == names


@pytest.mark.parametrize("text", ["{Case}", "{case", "{}", "{a:3}", "a{1}", "{a b}"])
def test_braces_that_hold_no_field_are_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match=rf"^pattern {re.escape(repr(text))}: not underst"):
        Pattern(text, {})
    with pytest.raises(DeclarationError, match="not understood; fields are lower-case words"):
        render(text, {"a": "1"})


@pytest.mark.parametrize("text", ["[a", "a]", "]a[", "[a[b]c]", "[]]"])
def test_brackets_that_do_not_pair_are_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match=rf"^pattern {re.escape(repr(text))}: "):
        Pattern(text, {})


def test_natural_order() -> None:
    paths = ["IMG-10", "IMG-2", "IMG-0002-b", "IMG-1/x10", "IMG-1/x9", "a", "10", "9"]
    assert sorted(paths, key=natural_key) == [
        *("9", "10"),
        *("IMG-1/x9", "IMG-1/x10"),
        *("IMG-2", "IMG-0002-b", "IMG-10"),
        "a",
    ]


@given(st.lists(st.text("aZ-./²٣019", max_size=8), max_size=8))
def test_any_names_have_a_natural_order(paths: list[str]) -> None:
    ordered = sorted(paths, key=natural_key)
    assert sorted(ordered) == sorted(paths)
    assert [natural_key(path) for path in ordered] == sorted(map(natural_key, paths[::-1]))


def test_digits_of_other_scripts_are_no_numbers() -> None:
    assert sorted(["1²2", "1²10"], key=natural_key) == ["1²2", "1²10"]
