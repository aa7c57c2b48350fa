"""The expression language of the BIDS schema: what it means, and that all of it is known."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import strategies  # noqa: F401  loads the profile of hypothesis
from hypothesis import given
from hypothesis import strategies as st

from bidsify.bids_schema import schema
from bidsify.errors import SchemaError
from bidsify.validation import values
from bidsify.validation.rules import functions
from bidsify.validation.rules.expressions import compile_expression, compile_message

NAN = math.nan
CASES = schema()["meta"]["expression_tests"]

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "**", "&&", "||", "in")

numbers = st.one_of(st.integers(-99, 99), st.floats(allow_nan=True, width=32), st.booleans())
scalars = st.one_of(st.none(), numbers, st.text("aZ0 .-", max_size=4))
anything = st.recursive(
    scalars, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from("ab"), x)
)


def context(**roots: Any) -> Any:
    """What a file without anything shows, but for some roots; paths exist where ``has`` says so."""
    empty: dict[str, Any] = {
        name: {} if name in functions.MAPPINGS else "" if name in functions.TEXTS else None
        for name in functions.ROOTS
    }
    return SimpleNamespace(**{**empty, "schema": schema(), "has": lambda *_: False, **roots})


def value(text: str, **roots: Any) -> Any:
    return compile_expression(text).value(context(**roots))


def same(one: Any, other: Any) -> bool:
    both_nan = one != one and other != other  # noqa: PLR0124
    return both_nan or (one == other and isinstance(one, bool) == isinstance(other, bool))


@pytest.mark.parametrize("case", CASES, ids=[case["expression"] for case in CASES])
def test_the_schema_states_the_result(case: dict[str, Any]) -> None:
    assert same(value(case["expression"]), case["result"])


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("path == '/README'", "README"),
        ("path == 'README'", None),
        ("match(path, '^/README')", "README"),
        ("match(path, '^/sub-01')", "sub"),
        ("match(path, '^/sub')", "sub"),
        ("match(path, 'README')", None),
        ("match(relative, '^/README')", None),
    ],
)
def test_how_a_path_must_start(text: str, prefix: str | None) -> None:
    assert compile_expression(text).prefix == prefix


@pytest.mark.parametrize("pattern", ["^/READMES?", "^/READMES*", "^/READMES{0,1}"])
def test_a_prefix_excludes_nothing_that_the_pattern_takes(pattern: str) -> None:
    expression = compile_expression(f"match(path, '{pattern}')")
    assert expression.holds(context(path="/README"))
    assert "README".startswith(expression.prefix or "")


def test_the_schema_states_many_results() -> None:
    assert len(CASES) >= 77


# What a JavaScript engine answers; ``None`` is what it calls undefined or null.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 == '1'", True),
        ("'1' == 1", True),
        ("true == 1", True),
        ("true == 'true'", False),
        ("'' == 0", True),
        ("' ' == 0", True),
        ("'0x10' == 16", True),
        ("'1e2' == 100", True),
        ("'1_0' == 10", False),
        ("null == 0", False),
        ("null == false", False),
        ("[] == []", False),
        ("[1] == 1", True),
        ("[1, 2] == '1,2'", True),
        ("{} == '[object Object]'", True),
        ("'a' != 'b'", True),
        ("'10' < '9'", True),
        ("'10' < 9", False),
        ("10 < 9.5", False),
        ("'a' < 1", False),
        ("'a' >= 1", False),
        ("sidecar.x < 1", False),
        ("sidecar.x > 1", False),
        ("sidecar.x >= 0", False),
        ("min(sidecar.x) >= 0", True),
        ("1 + 2", 3),
        ("1 + '2'", "12"),
        ("'' + 0.000001", "0.000001"),
        ("'' + 0.0000001", "1e-7"),
        ("'a' + 'b'", "ab"),
        ("[1] + 2", "12"),
        ("true + 1", 2),
        ("'3' * '4'", 12),
        ("'3' - 1", 2),
        ("'a' - 1", NAN),
        ("7 / 2", 3.5),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 / 0", NAN),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7 % 0", NAN),
        ("2 ** 3 ** 2", 512),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 4 - 3", 3),
        ("1 < 2 == true", True),
        ("!''", True),
        ("!'a'", False),
        ("![]", False),
        ("!0", True),
        ("!sidecar.x", True),
        ("!!1", True),
        ("-'3'", -3),
        ("'' || 'b'", "b"),
        ("'a' || 'b'", "a"),
        ("'a' && 'b'", "b"),
        ("0 && 'b'", 0),
        ("[] && 1", 1),
        ("null || 0", 0),
        ("true || sidecar.x.y", True),
        ("false && sidecar.x.y", False),
        ("sidecar.x.y", None),
        ("sidecar.x.y == null", None),
        ("'abc'.y", None),
        ("'abc'[0]", "a"),
        ("'abc'[3]", None),
        ("[1, 2][1]", 2),
        ("[1, 2]['1']", 2),
        ("[1, 2][-1]", None),
        ("0 in [5]", True),
        ("5 in [5]", False),
        ("'x' in sidecar", False),
        ("'x' in 'xyz'", None),
        ("match('abc', 'b')", True),
        ("match('abc', '^b')", False),
        ("match('ab\\n', 'b$')", None),
        ("match(1, '1')", None),
        ("type([])", "array"),
        ("type({})", "object"),
        ("type(true)", "boolean"),
        ("type(1)", "number"),
        ("type(sidecar.x)", "null"),
        ("length('abc')", 3),
        ("length(5)", None),
        ("substr('abcd', 1, 3)", "bc"),
        ("count(['a', 'b', 'a'], 'a')", 2),
        ("count([1, true], true)", 1),
        ("intersects(['a'], ['b'])", False),
        ("unique(['b', 'a', 'b'])", ["b", "a"]),
        ("sorted(['10', '9'])", ["10", "9"]),
        ("sorted(['10', '9'], 'numeric')", ["9", "10"]),
        ("sorted([10, 9])", [9, 10]),
        ("sorted(['n/a', '1', '2', 'n/a', '1'], 'numeric')", ["n/a", "1", "1", "2", "n/a"]),
        ("sorted([10, 9], 'lexical')", [10, 9]),
        ("max(['1', 'n/a', '3'])", 3),
        ("allequal([1], ['1'])", False),
        ("unknown", None),
        ("unknown.member", None),
    ],
)
def test_it_means_what_javascript_means(text: str, expected: Any) -> None:
    if "\\n" in text:  # a string of the language has no escapes: the backslash is one
        text, expected = text.replace("\\n", "\n"), False
    assert same(value(text), expected), value(text)


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "(1", "[1", "1 2", "a.", "f(", "{1}", "'a", "a ~ b", "a = b", "a &", "1..2", "a b"],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="not an expression"):
        compile_expression(text)


def test_an_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(SchemaError, match="'median', which this version"):
        compile_expression("median([1])")


def test_text_of_an_expression_is_never_run() -> None:
    with pytest.raises(SchemaError):
        compile_expression("__import__('os')")
    assert value("sidecar.__class__") is None
    assert value("'__class__' in sidecar") is False


@pytest.mark.parametrize(
    ("text", "roots", "entities", "keys"),
    [
        ("suffix == 'bold'", {"suffix"}, set(), set()),
        ("entities.task == 'a'", {"entities"}, {"task"}, set()),
        ("'task' in entities", {"entities"}, set(), set()),
        ("intersects([entities], [suffix])", {"entities", "suffix"}, {"*"}, set()),
        ("sidecar.A + length(sidecar.B.C)", {"sidecar"}, set(), {"A", "B"}),
        ("exists(sidecar.A, 'file')", {"exists", "sidecar"}, set(), {"A"}),
    ],
)
def test_an_expression_says_what_it_reads(
    text: str, roots: set[str], entities: set[str], keys: set[str]
) -> None:
    made = compile_expression(text)
    assert (made.roots, made.entities, made.keys) == (roots, entities, keys)


def test_a_message_shows_values() -> None:
    show = compile_message("{suffix} has {sidecar.n} of {sidecar.x.y}{sidecar.l}")
    assert show(context(suffix="T1w", sidecar={"n": 2.0, "l": [1, None]})) == (
        "T1w has 2 of undefined1,"
    )


# --- Laws -----------------------------------------------------------------------------------------


@given(anything, anything)
def test_equality_has_no_side(a: Any, b: Any) -> None:
    assert values.equal(a, b) == values.equal(b, a)


@given(anything, anything)
def test_at_most_one_order_holds(a: Any, b: Any) -> None:
    assert values.less(a, b) + values.more(a, b) <= 1
    assert not values.less(a, b) or values.at_most(a, b)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(0.0005, 0.001), (2.0005, 2.001), (-0.0005, 0.0), (0.00049, 0.0), (1e308, 1e308)],
)
def test_halves_are_rounded_up(value: float, wanted: float) -> None:
    assert values.rounded(value) == wanted


@given(scalars)
def test_equal_to_itself_but_for_nan(a: Any) -> None:
    assert values.equal(a, a) == (a == a)  # noqa: PLR0124


@given(anything)
def test_each_value_has_a_text_and_a_number(a: Any) -> None:
    assert isinstance(values.text(a), str)
    assert isinstance(values.number(a), int | float)
    assert isinstance(values.true(a), bool)


@given(numbers)
def test_the_text_of_a_number_is_that_number(a: float) -> None:
    if not isinstance(a, bool):
        assert same(float(values.number(values.text(a))), float(a))


@given(st.lists(scalars.filter(lambda x: x == x), max_size=5))  # noqa: PLR0124  no NaN
def test_lists_are_sorted_and_counted(items: list[Any]) -> None:
    once = functions.unique(items)
    assert once is not None
    assert functions.unique(once) == once
    assert sum(functions.count(items, each) for each in once) == len(items)
    for method in ("lexical", "numeric", "auto"):
        assert len(functions.in_order(items, method)) == len(items)


@given(st.lists(st.integers(), min_size=1))
def test_least_is_first_of_all(items: list[int]) -> None:
    assert functions.least(items) == functions.in_order(items)[0] == min(items)
    assert functions.greatest(items) == functions.in_order(items)[-1] == max(items)


@given(anything, anything, st.sampled_from(sorted(functions.NAMES.values())))
def test_no_value_breaks_a_function(a: Any, b: Any, name: str) -> None:
    texts = {python: text for text, python in functions.NAMES.items()}
    given = "sidecar.a, sidecar.b" if name in {"index", "intersects", "count", "all_equal"} else (
        "sidecar.a, 0, sidecar.b" if name == "substring" else "sidecar.a"
    )  # fmt: skip
    given = "sidecar.a, 'b'" if name == "matches" else given
    found = value(f"{texts[name]}({given})", sidecar={"a": a, "b": b})
    assert found is None or isinstance(found, bool | int | float | str | list)


@given(anything, anything, st.sampled_from(OPERATORS))
def test_no_value_breaks_an_operator(a: Any, b: Any, operator: str) -> None:
    value(f"sidecar.a {operator} sidecar.b", sidecar={"a": a, "b": b})  # must not raise
    compiled = compile_expression(f"sidecar.a {operator} sidecar.b")
    assert isinstance(compiled.holds(context(sidecar={"a": a, "b": b})), bool)
