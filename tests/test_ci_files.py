"""The files that CI systems read: sound by their schemas, and their commands do what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION, HOOKS = ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml"
GITHUB, GITLAB = ROOT / "examples/ci/github.yml", ROOT / "examples/ci/gitlab-ci.yml"
Shell = Callable[..., "subprocess.CompletedProcess[str]"]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a checker from the registry."""
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


# Sound by their schemas


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-actions", ACTION),
        ("vendor.github-workflows", GITHUB),
        ("vendor.gitlab-ci", GITLAB),
    ],
)
def test_each_file_follows_the_schema_of_its_reader(schema: str, path: Path) -> None:
    done = tool("check_jsonschema", "--builtin-schema", schema, str(path))
    assert done.returncode == 0, done.stdout


def test_the_check_of_an_action_can_fail(tmp_path: Path) -> None:
    action = load(ACTION)
    del action["runs"]["steps"][1]["shell"]
    (tmp_path / "action.yml").write_text(yaml.safe_dump(action), "utf-8")
    done = tool(
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-actions",
        str(tmp_path / "action.yml"),
    )
    assert done.returncode == 1
    assert "shell" in done.stdout


def test_pre_commit_accepts_the_hooks() -> None:
    done = tool("pre_commit", "validate-manifest", str(HOOKS))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_input_can_become_a_command(tmp_path: Path) -> None:
    """An audit from the registry: no template in a script, no credentials left, few permissions."""
    config = tmp_path / "zizmor.yml"
    # Makers of actions may be named by tag; those of strangers would have to be named by commit.
    policies = {"actions/*": "ref-pin", "github/*": "ref-pin", "*": "hash-pin"}
    config.write_text(
        yaml.safe_dump({"rules": {"unpinned-uses": {"config": {"policies": policies}}}}), "utf-8"
    )
    program = Path(sys.executable).with_name("zizmor")
    found = program if program.exists() else shutil.which("zizmor")
    arguments = ["--offline", "--no-progress", "--format", "json", "--config", str(config)]
    copy = tmp_path / ".github" / "workflows" / "bids.yml"
    copy.parent.mkdir(parents=True)
    shutil.copyfile(GITHUB, copy)
    done = subprocess.run(
        [str(found), *arguments, str(ACTION), str(copy)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert [finding["ident"] for finding in json.loads(done.stdout)] == [], done.stderr


def test_what_the_action_says_it_takes_is_what_it_uses() -> None:
    action = load(ACTION)
    steps = json.dumps(action["runs"])
    assert all(f"inputs.{name} " in steps for name in action["inputs"])
    assert steps.count("${{ inputs.") == len(action["inputs"])
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


# Their commands


def step(name: str, **inputs: str) -> tuple[str, dict[str, str]]:
    """Return the script of a step of the action, and its variables, as the runner fills them."""
    action = load(ACTION)
    given = {key: entry.get("default", "") for key, entry in action["inputs"].items()}
    given |= {key.replace("_", "-"): value for key, value in inputs.items()}
    known = {f"${{{{ inputs.{key} }}}}": value for key, value in given.items()}
    known["${{ github.action_path }}"] = "/the/action"
    (found,) = (one for one in action["runs"]["steps"] if one["name"] == name)
    assert found["shell"] == "bash"
    return found["run"], {key: known[value] for key, value in found["env"].items()}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a script as the runner does, with our command on the path and a stand-in for pip."""
    programs = tmp_path / "programs"
    programs.mkdir()
    scripts = {
        "bidsify": f'exec "{sys.executable}" -m bidsify "$@"',
        "python": 'printf "%s\\n" "$@"',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (programs / name).chmod(0o755)

    def run(
        script: str, cwd: Path, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "step.sh").write_text(script, "utf-8")
        environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "GITHUB_WORKSPACE": str(cwd),
            **variables,
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(tmp_path / "step.sh")],
            cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    return run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a checkout with a dataset in the folder "a tree", which has one file too many."""
    tree = tmp_path / "repository" / "a tree"
    (tree / "sub-1" / "ct").mkdir(parents=True)
    described = {"Name": "Test", "BIDSVersion": "1.11.1", "DatasetType": "raw"}
    (tree / "dataset_description.json").write_text(json.dumps(described), "utf-8")
    (tree / "sub-1" / "ct" / "sub-1_ct.txt").write_text("x", "utf-8")
    return tree.parent


@pytest.mark.parametrize(
    ("version", "what"), [("", "/the/action"), ("1.2.3", "bidsify-datasets==1.2.3")]
)
def test_the_action_installs_itself_or_a_release(
    shell: Shell, tmp_path: Path, version: str, what: str
) -> None:
    done = shell(*spread(step("Install bidsify", version=version), tmp_path))
    assert (done.returncode, done.stdout.split()) == (0, ["-m", "pip", "install", what])


def spread(of: tuple[str, dict[str, str]], cwd: Path) -> tuple[str, Path, dict[str, str]]:
    return of[0], cwd, of[1]


def test_the_action_annotates_and_writes_sarif(
    shell: Shell, repository: Path, tmp_path: Path
) -> None:
    done = shell(*spread(step("Validate", path="a tree"), repository))
    assert done.returncode == 1, done.stderr
    assert "::error file=a tree/sub-1/ct/,title=NOT_INCLUDED" in done.stdout or (
        "::error file=a tree/sub-1/ct/sub-1_ct.txt,title=NOT_INCLUDED" in done.stdout
    )
    assert (tmp_path / "output").read_text("utf-8") == "sarif=bidsify.sarif\n"
    assert "NOT&#95;INCLUDED" in (tmp_path / "summary.md").read_text("utf-8")
    (run,) = json.loads((repository / "bidsify.sarif").read_bytes())["runs"]
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
        if result["ruleId"] == "NOT_INCLUDED"
    ]
    assert uris
    assert all(uri.startswith("a%20tree/sub-1/ct/") for uri in uris)


def test_options_of_the_action_reach_the_command(shell: Shell, repository: Path) -> None:
    """A glob is for the command: the shell must not put file names in its place."""
    (repository / "NOT_A_CODE").write_text("", "utf-8")
    inputs = {"path": "a tree", "sarif": "", "args": "--ignore NOT_* --ignore *", "level": "names"}
    done = shell(*spread(step("Validate", **inputs), repository))
    assert done.returncode == 0, done.stderr
    assert not (repository / "bidsify.sarif").exists()


@pytest.mark.parametrize("path", ["$(touch pwned)", "; touch pwned", "`touch pwned`", "--help"])
def test_inputs_of_the_action_stay_data(shell: Shell, repository: Path, path: str) -> None:
    done = shell(*spread(step("Validate", path=path, args="--level names"), repository))
    assert done.returncode == 2, done.stdout
    assert not (repository / "pwned").exists()


def test_the_hook_does_what_it_says(shell: Shell, repository: Path) -> None:
    (hook,) = load(HOOKS)
    command = " ".join([hook["entry"], *hook["args"]])
    done = shell(command, repository / "a tree", {})
    assert done.returncode == 1, done.stderr
    assert "NOT_INCLUDED" in done.stdout
    shutil.rmtree(repository / "a tree" / "sub-1")
    assert "NOT_INCLUDED" not in shell(command, repository / "a tree", {}).stdout
    assert hook["pass_filenames"] is False


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=lambda path: path.stem)
def test_the_examples_run(shell: Shell, repository: Path, path: Path) -> None:
    tree = repository / "a tree"
    document = load(path)
    if path == GITHUB:
        steps = document["jobs"]["validate"]["steps"]
        scripts = [one["run"] for one in steps if "run" in one]
        written = steps[-1]["with"]["sarif_file"]
    else:
        scripts = document["bids"]["script"]
        written = document["bids"]["artifacts"]["reports"]["junit"]
        assert document["bids"]["artifacts"]["paths"] == [written]
    assert len(scripts) == 2
    assert shell(scripts[0], tree, {}).stdout.split() == [
        "-m",
        "pip",
        "install",
        "bidsify-datasets",
    ]
    done = shell(scripts[1], tree, {})
    assert done.returncode == 1, done.stderr
    assert "NOT_INCLUDED" in done.stdout
    assert b"NOT_INCLUDED" in (tree / written).read_bytes()
