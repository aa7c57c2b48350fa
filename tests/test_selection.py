"""Which issues count: by code, by the dataset's own exceptions, by what was there before."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from bidsify.errors import UsageError
from bidsify.reporting import write
from bidsify.reporting.selection import choose, fails, read_baseline, without
from bidsify.reporting.settings import NAME, Exemption, Settings, apply, read_settings
from bidsify.validation.issue import Finding, Report

WRONG_NAME = Finding("NOT_INCLUDED", "error", "no rule fits")
NO_KEY = Finding("SIDECAR_KEY_RECOMMENDED", "warning", "SIDECAR_KEY_RECOMMENDED", "EchoTime")
NO_COLUMN = Finding("TSV_COLUMN_MISSING", "error", "TSV_COLUMN_MISSING", "onset")
UNUSED = Finding("DSEG_ROW_UNUSED", "info", "7", "row 3")
FINDINGS = (
    ("sub-1/ct/sub-1_ct.nii.gz", WRONG_NAME),
    ("sub-1/anat/sub-1_T1w.nii.gz", NO_KEY),
    ("sub-2/anat/sub-2_T1w.nii.gz", NO_KEY),
    ("sub-1/func/sub-1_task-x_events.tsv", NO_COLUMN),
    ("dseg.tsv", UNUSED),
    ("", WRONG_NAME),
)


def report(*findings: tuple[str, Finding]) -> Report:
    return Report(".", "2.0.1", "1.11.2", 5, 2, 0.1, findings)


WHOLE = report(*FINDINGS)


def chosen(**options: Any) -> list[int]:
    """Return which of the findings are left, by number."""
    left = choose(WHOLE, **options).findings
    return [n for n, one in enumerate(FINDINGS) if one in left]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"select": ("NOT_INCLUDED",)}, [0, 5]),
        ({"select": ("TSV_*", "DSEG_*")}, [3, 4]),
        ({"select": ("warning",)}, [1, 2]),
        ({"select": ("NO_AUTHORS",)}, []),
        ({"ignore": ("NOT_INCLUDED",)}, [1, 2, 3, 4]),
        ({"ignore": ("*_KEY_*", "info")}, [0, 3, 5]),
        ({"select": ("TSV_*", "NOT_*"), "ignore": ("NOT_INCLUDED",)}, [3]),
        ({"severities": ("error",)}, [0, 3, 5]),
        ({"severities": ("warning", "info"), "ignore": ("DSEG_*",)}, [1, 2]),
        ({"ignore": ("not_included",)}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_issues_are_chosen(options: dict[str, Any], left: list[int]) -> None:
    assert chosen(**options) == left


def test_choosing_keeps_order_and_counts_of_files() -> None:
    left = choose(WHOLE, ignore=("warning",))
    assert left.findings == tuple(one for one in FINDINGS if one[1] is not NO_KEY)
    assert (left.files, left.subjects, left.root) == (WHOLE.files, WHOLE.subjects, WHOLE.root)


@pytest.mark.parametrize(
    ("findings", "fail_on", "expected"),
    [
        ((), "error", False),
        ((), "info", False),
        (("e",), "error", True),
        (("w",), "error", False),
        (("w",), "warning", True),
        (("e",), "warning", True),
        (("i",), "warning", False),
        (("i",), "info", True),
        (("i", "w", "e"), "error", True),
    ],
)
def test_what_fails(findings: tuple[str, ...], fail_on: Any, expected: object) -> None:
    kinds = {"e": WRONG_NAME, "w": NO_KEY, "i": UNUSED}
    assert fails(report(*(("x", kinds[f]) for f in findings)), fail_on) is expected


# The file of the dataset


def settings(folder: Path, text: str) -> Settings:
    (folder / NAME).write_text(text, "utf-8")
    return read_settings(folder)


def test_without_a_file_nothing_is_left_out(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()
    assert apply(Settings(), WHOLE) == (WHOLE, ())


def test_a_file_is_read(tmp_path: Path) -> None:
    text = """
        [validate]
        fail_on = "warning"

        [[validate.ignore]]
        code = "NOT_INCLUDED"
        path = "sub-*/ct/"
        reason = "BIDS has no CT yet"

        [[validate.ignore]]
        code = "*_RECOMMENDED"
        reason = "the scanner's protocol is lost"
    """
    assert settings(tmp_path, text) == Settings(
        (
            Exemption("BIDS has no CT yet", "NOT_INCLUDED", "sub-*/ct/"),
            Exemption("the scanner's protocol is lost", "*_RECOMMENDED"),
        ),
        "warning",
    )


@pytest.mark.parametrize(
    ("code", "path", "gone"),
    [
        ("NOT_INCLUDED", "", [0, 5]),
        ("NOT_INCLUDED", "sub-1/", [0]),
        ("", "sub-1/**", [0, 1, 3]),
        ("", "*_T1w.nii.gz", [1, 2]),
        ("", "/sub-1/anat/*", [1]),
        ("", "ct/", [0]),
        ("SIDECAR_*", "sub-1/", [1]),
        ("", "*.tsv", [3, 4]),
        ("", "/*.tsv", [4]),
        ("TSV_*", "*.json", []),
        ("", "", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_what_an_entry_leaves_out(code: str, path: str, gone: list[int]) -> None:
    left, _ = apply(Settings((Exemption("known", code, path),)), WHOLE)
    assert [n for n, one in enumerate(FINDINGS) if one not in left.findings] == gone


def test_entries_that_fit_nothing_are_named() -> None:
    entries = (
        Exemption("a", "NOT_INCLUDED", "sub-1/"),
        Exemption("b", "NOT_INCLUDED", "sub-7/"),
        Exemption("c", "EMPTY_FILE"),
        Exemption("d", "", "sub-1/ct/"),
    )
    _, stale = apply(Settings(entries), WHOLE)
    assert stale == (
        ".bidsify.toml: entry 2 (code = 'NOT_INCLUDED', path = 'sub-7/') fits no issue; remove it",
        ".bidsify.toml: entry 3 (code = 'EMPTY_FILE') fits no issue; remove it",
    )


ENTRY = "[[validate.ignore]]\n"
GOOD = ENTRY + 'code = "EMPTY_FILE"\nreason = "known"\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("validate = [", ": not TOML: "),
        ("[verify]", ": unknown key 'verify'; known are: validate"),
        ("validate = 3", ": 'validate' is not a table; write [validate]"),
        ("[validate]\nfail-on = 'error'", ": [validate]: unknown key 'fail-on'; known are: "),
        ("[validate]\nfail_on = 'info'", ": fail_on = 'info'; one of error, warning"),
        ("[validate]\nfail_on = ['error']", ": fail_on = ['error']; one of error, warning"),
        ("[validate.ignore]\ncode = 'X'", ": 'ignore' is not a list; write [[validate.ignore]]"),
        ("[validate]\nignore = ['X']", ": [[validate.ignore]] entry 1: not a table"),
        (GOOD + ENTRY + "code = 'TSV_*'", ": [[validate.ignore]] entry 2: no reason; say why"),
        (ENTRY + "code = 'TSV_*'\nreason = ' '", ": [[validate.ignore]] entry 1: reason = ' '"),
        (ENTRY + "path = 3\nreason = 'x'", ": [[validate.ignore]] entry 1: path = 3 is not a text"),
        (ENTRY + "reason = 'x'", ": [[validate.ignore]] entry 1: neither code nor path"),
        (GOOD + "glob = 'x'", ": [[validate.ignore]] entry 1: unknown key 'glob'; known"),
        (ENTRY + "code = 'TVS_*'\nreason = 'x'", ": [[validate.ignore]]: no issue code 'TVS_*'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / NAME}{fault}")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path)


# The baseline


def saved(folder: Path, of: Report) -> Path:
    path = folder / "baseline.json"
    write(of, "json", path)
    return path


def test_what_was_there_before_is_left_out(tmp_path: Path) -> None:
    baseline = read_baseline(saved(tmp_path, report(*FINDINGS[:3])))
    assert without(WHOLE, baseline).findings == FINDINGS[3:]
    assert without(report(*FINDINGS[:2]), baseline).findings == ()


def test_one_more_of_the_same_is_new(tmp_path: Path) -> None:
    one = ("a.tsv", Finding("TSV_EQUAL_ROWS", "error", "3 values", "line 3"))
    baseline = read_baseline(saved(tmp_path, report(one, one)))
    assert without(report(one, one, one, WHOLE.findings[0]), baseline).findings == (
        one,
        FINDINGS[0],
    )


@pytest.mark.parametrize(
    ("path", "finding"),
    [
        ("b.tsv", NO_COLUMN),
        ("a.tsv", Finding("TSV_COLUMN_MISSING", "error", "", "duration")),
        ("a.tsv", Finding("TSV_ERROR", "error", "", "onset")),
    ],
)
def test_another_code_path_or_place_is_new(tmp_path: Path, path: str, finding: Finding) -> None:
    baseline = read_baseline(saved(tmp_path, report(("a.tsv", NO_COLUMN))))
    assert without(report((path, finding)), baseline).findings == ((path, finding),)


def test_another_message_is_not_new(tmp_path: Path) -> None:
    baseline = read_baseline(saved(tmp_path, report(("a.tsv", NO_COLUMN))))
    reworded = Finding("TSV_COLUMN_MISSING", "error", "told otherwise", "onset", "rules.x")
    assert without(report(("a.tsv", reworded)), baseline).findings == ()


def test_a_name_that_is_no_text_is_recognised(tmp_path: Path) -> None:
    strange = report(("sub-\udcff/x.nii", WRONG_NAME))
    assert without(strange, read_baseline(saved(tmp_path, strange))).findings == ()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"issues": 3}', '{"issues": [3]}', '{"issues": [{"code": "X"}]}',
     '{"issues": {"issues": []}}', '{"issues": [{"code": "X", "path": [], "where": ""}]}'],
)  # fmt: skip
def test_another_document_is_no_baseline(tmp_path: Path, content: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(content, "utf-8")
    with pytest.raises(UsageError, match="not a report that --output json=FILE wrote"):
        read_baseline(path)


def test_a_baseline_that_is_missing_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"old\.json: No such file or directory; a baseline is"):
        read_baseline(tmp_path / "old.json")


def test_a_stream_serves_as_well_as_a_file(tmp_path: Path) -> None:
    stream = io.BytesIO()
    write(WHOLE, "json", stream)
    assert stream.getvalue() == saved(tmp_path, WHOLE).read_bytes()
