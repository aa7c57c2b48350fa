"""The commands ``validate``, ``explain`` and ``schema`` from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bidsify import json_schema
from bidsify.cli import main
from bidsify.reporting import FORMATS

Tree = Callable[..., Path]
DESCRIPTION = {"Name": "A tree", "BIDSVersion": "1.10.0", "License": "CC0", "Authors": ["A", "B"]}


def run(*words: object, **options: Any) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], **options)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return what makes a small raw dataset; extra files by path and content."""

    def make(name: str = "ds", **extra: str) -> Path:
        root = tmp_path / name
        root.mkdir()
        (root / "dataset_description.json").write_text(json.dumps(DESCRIPTION), "utf-8")
        (root / "README").write_text("A dataset for tests. " * 10, "utf-8")
        for path, content in {"sub-01/func/sub-01_task-x_events.tsv": EVENTS, **extra}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, "utf-8")
        return root

    return make


EVENTS = "onset\tduration\n1\t1\n2\t1\n"
BROKEN = "onset\tduration\n1\t1\nx\t1\n"
STRAY = {"sub-01/func/odd.txt": "odd", "sub-02/func/sub-02_task-x_events.tsv": BROKEN}


def issues(result: Result) -> list[tuple[str, str]]:
    return [(i["code"], i["path"]) for i in json.loads(result.stdout)["issues"]]


def test_a_sound_tree_exits_0(tree: Tree) -> None:
    ran = run("validate", tree())
    assert ran.exit_code == 0, ran.output
    assert "0 errors" in ran.stdout
    assert ran.stderr == ""


def test_json_is_what_its_schema_says(tree: Tree) -> None:
    ran = run("validate", tree(**STRAY), "--format", "json")
    document = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert list(json_schema.faults("report", document)) == []
    errors = [(i["code"], i["path"]) for i in document["issues"] if i["severity"] == "error"]
    assert errors == [
        ("NOT_INCLUDED", "sub-01/func/odd.txt"),
        ("TSV_VALUE_INCORRECT_TYPE", "sub-02/func/sub-02_task-x_events.tsv"),
    ]
    assert document["summary"]["errors"] == 2
    assert document["summary"]["subjects"] == 2
    (value,) = (i for i in document["issues"] if i["code"] == "TSV_VALUE_INCORRECT_TYPE")
    assert value["where"] == "onset, line 3"


def test_several_reports_at_once(tree: Tree, tmp_path: Path) -> None:
    outputs = [f"{form}={tmp_path / form}" for form in FORMATS]
    words = [word for output in outputs for word in ("--output", output)]
    ran = run("validate", tree(**STRAY), *words)
    assert ran.exit_code == 1
    assert "error NOT_INCLUDED" in ran.stdout
    for form in FORMATS:
        assert "NOT_INCLUDED" in (tmp_path / form).read_text("utf-8")
        assert f"wrote {tmp_path / form}" in ran.stderr


@pytest.mark.parametrize(
    ("options", "code", "left"),
    [
        (("--ignore", "NOT_INCLUDED"), 1, {"TSV_VALUE_INCORRECT_TYPE"}),
        (("--ignore", "NOT_*", "--ignore", "TSV_*"), 0, set()),
        (("--select", "NOT_INCLUDED"), 1, {"NOT_INCLUDED"}),
        (("--level", "names"), 1, {"NOT_INCLUDED"}),
    ],
)
def test_what_counts(tree: Tree, options: tuple[str, ...], code: int, left: set[str]) -> None:
    ran = run("validate", tree(**STRAY), "--format", "json", *options)
    found = json.loads(ran.stdout)["issues"]
    assert {i["code"] for i in found if i["severity"] == "error"} == left
    assert ran.exit_code == code


def test_warnings_fail_where_asked(tree: Tree) -> None:
    root = tree(**{"sub-01/func/sub-01_task-x_events.tsv": "onset\tduration\tmine\n1\t1\t1\n"})
    assert run("validate", root).exit_code == 0
    assert run("validate", root, "--fail-on", "warning").exit_code == 1


def test_a_baseline_leaves_what_is_new(tree: Tree, tmp_path: Path) -> None:
    root = tree(**STRAY)
    run("validate", root, "--output", f"json={tmp_path / 'old.json'}")
    ran = run("validate", root, "--baseline", tmp_path / "old.json")
    assert ran.exit_code == 0
    (root / "sub-01/func/new.txt").write_text("new", "utf-8")
    ran = run("validate", root, "--baseline", tmp_path / "old.json", "--format", "json")
    assert (ran.exit_code, issues(ran)) == (1, [("NOT_INCLUDED", "sub-01/func/new.txt")])


def test_accepted_issues_need_a_reason(tree: Tree) -> None:
    root = tree(**STRAY)
    entry = '[[validate.ignore]]\ncode = "NOT_INCLUDED"\npath = "sub-01/**"\n'
    (root / ".bidsify.toml").write_text(entry, "utf-8")
    ran = run("validate", root)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "reason" in ran.stderr
    (root / ".bidsify.toml").write_text(entry + 'reason = "told so"\n', "utf-8")
    ran = run("validate", root, "--format", "json")
    assert "NOT_INCLUDED" not in {code for code, _ in issues(ran)}
    (root / "sub-01/func/odd.txt").unlink()
    assert "fits no issue" in run("validate", root).stderr


def test_only_what_changed(tree: Tree) -> None:
    root = tree(**STRAY)
    git = ("git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "one")):
        subprocess.run([*git, *words], check=True)
    (root / "sub-01/func/sub-01_task-x_events.tsv").write_text(BROKEN, "utf-8")
    ran = run("validate", root, "--changed-since", "HEAD", "--format", "json")
    errors = [i for i in json.loads(ran.stdout)["issues"] if i["severity"] == "error"]
    assert [(i["code"], i["path"]) for i in errors] == [
        ("TSV_VALUE_INCORRECT_TYPE", "sub-01/func/sub-01_task-x_events.tsv")
    ]
    assert run("validate", root, "--changed-since", "nothing").exit_code == 2


def test_derivatives_are_entered_where_asked(tree: Tree) -> None:
    inner = {"derivatives/seg/dataset_description.json": json.dumps(DESCRIPTION)}
    root = tree(**inner, **{"derivatives/seg/odd.txt": "odd"})
    assert run("validate", root).exit_code == 0
    ran = run("validate", root, "--recursive", "--format", "json")
    assert ("NOT_INCLUDED", "derivatives/seg/odd.txt") in issues(ran)


def test_content_that_was_not_fetched(tree: Tree) -> None:
    root = tree()
    link = root / "sub-01/anat/sub-01_T1w.nii.gz"
    link.parent.mkdir()
    link.symlink_to("../../.git/annex/objects/xx/yy/key/key")
    ran = run("validate", root, "--format", "json")
    assert ("CONTENT_MISSING", "sub-01/anat/sub-01_T1w.nii.gz") in issues(ran)
    assert ran.exit_code == 1
    assert run("validate", root, "--missing-content", "skip").exit_code == 0


def test_the_official_validator_is_asked_too(tree: Tree) -> None:
    ran = run("validate", tree(**STRAY), "--official")
    assert "agree" in ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("validate", "{}/nothing"), "no such folder"),
        (("validate", "{}/README"), "README: no such folder"),
        (("validate", "{}", "--select", "NO_SUCH_CODE"), "NO_SUCH_CODE"),
        (("validate", "{}", "--output", "xml=a"), "FMT=FILE"),
        (("validate", "{}", "--output", "json"), "FMT=FILE"),
        (("validate", "{}", "--schema", "{}/README"), "not a BIDS schema"),
        (("validate", "{}", "--schema", "{}/dataset_description.json"), "not a BIDS schema"),
        (("validate", "{}", "--baseline", "{}/README"), "not a report"),
        (("validate", "{}", "--profile", "mine"), "mine"),
        (("explain", "NO_SUCH_CODE"), "NO_SUCH_CODE"),
    ],
)
def test_misuse_exits_2(tree: Tree, words: tuple[str, ...], said: str) -> None:
    root = tree()
    ran = run(*(word.format(root) for word in words))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("code", ["NOT_INCLUDED", "dseg_value_without_row", "BOLD_NOT_4D"])
def test_explain(code: str) -> None:
    ran = run("explain", code)
    assert ran.exit_code == 0
    assert ran.stdout.startswith(code.upper())
    assert len(ran.stdout.splitlines()) > 2


def test_the_schema_of_bids_and_ours() -> None:
    official = json.loads(run("schema", "bids").stdout)
    overlaid = json.loads(run("schema", "bids", "--overlay").stdout)
    assert "ct" not in official["objects"]["datatypes"]
    assert "ct" in overlaid["objects"]["datatypes"]
