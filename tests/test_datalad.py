"""``convert --datalad``: the tree is a DataLad dataset, and says which command made it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Make, run, snapshot

from bidsify.engine.writing import is_own_file, write_if_changed
from bidsify.errors import UsageError
from bidsify.versioning import datalad, trust
from bidsify.versioning.command import Command

with_datalad = pytest.mark.skipif(
    importlib.util.find_spec("datalad") is None or not shutil.which("git-annex"),
    reason="no DataLad or no git-annex",
)
PERSON = {"NAME": "Ada", "EMAIL": "ada@example.org"}


@pytest.fixture(autouse=True)
def author(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give git somebody who saves, and no configuration of this machine."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for key in list(os.environ):
        if key.startswith(("GIT_AUTHOR", "GIT_COMMITTER", "XDG_", "EMAIL")):
            monkeypatch.delenv(key)
    for key, value in PERSON.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{key}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{key}", value)


def git(root: Path, *arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=root, text=True)


def records(root: Path) -> list[Mapping[str, Any]]:
    """Return the commands that the history tells, newest first."""
    log = git(root, "log", "--format=%B%x00")
    found = re.findall(r"=== Do not .*? ===\n(.*?)\n\^\^\^ Do not", log, re.DOTALL)
    return [json.loads(each) for each in found]


@with_datalad
def test_a_tree_is_saved_checked_and_saved_again(source: Make, tmp_path: Path) -> None:
    """The whole life of such a tree; one test, as each step takes DataLad seconds."""
    native, root = tmp_path / "downloads" / "ssmspine", tmp_path / "trees" / "bids"
    shutil.copytree(source("ssmspine"), native)
    ran = run("convert", native, root, "--datalad", "-q")
    assert ran.code == 0, ran.err
    images = [path for path in root.rglob("sub-*.nii.gz") if ".git" not in path.parts]
    assert images
    assert all(path.is_symlink() and path.is_file() for path in images)
    texts = [*root.glob("*.json"), *root.rglob("code/bidsify/*.json"), *root.glob("*.tsv")]
    assert not [path for path in texts if path.is_symlink()]
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "ls-files", ".bidsify") == ""
    (record,) = records(root)
    assert record["cmd"] == ["bidsify", "convert", "../../downloads/ssmspine", "."]
    assert (record["pwd"], record["exit"]) == (".", 0)
    _no_trace_of_this_machine(root, tmp_path)

    assert run("verify", native, root).code == 0
    assert run("validate", root).code == 0

    before = git(root, "rev-parse", "HEAD")
    places = [path.lstat().st_ino for path in images]
    assert run("convert", native, root, "--datalad", "-q").code == 0
    assert [path.lstat().st_ino for path in images] == places, "not one was written again"
    assert git(root, "rev-parse", "HEAD") == before

    victim = images[0]
    victim.unlink()
    (root / "README.md").write_text("edited")
    assert run("convert", native, root, "--datalad", "--reproducible", "-q").code == 0
    assert records(root)[0]["cmd"][-1] == "--reproducible"
    assert git(root, "status", "--porcelain") == ""
    assert victim.is_symlink()
    assert run("verify", native, root).code == 0
    assert len(records(root)) == 2

    assert run("convert", native, root, "--datalad", "--on-existing", "replace", "-q").code == 0
    assert run("verify", native, root).code == 0


def _no_trace_of_this_machine(root: Path, folder: Path) -> None:
    """Look through all that git would push; only the person whom git was told is there."""
    log = git(root, "log", "--all", "--format=%an %ae %cn %ce %B")
    for name in git(root, "ls-tree", "-r", "--name-only", "git-annex").split():
        log += git(root, "show", f"git-annex:{name}")
    for branch in ("HEAD", "git-annex"):
        log += git(root, "log", "-p", branch, "--", ".datalad", ".gitattributes", "uuid.log")
    assert str(folder) not in log
    assert os.uname().nodename not in log.replace(PERSON["EMAIL"], "").split()
    assert not re.search(r"/tmp/|/home/|/root\b|\w+@(?!example\.org)\w", log)


@with_datalad
def test_datalad_reads_the_record(source: Make, tmp_path: Path) -> None:
    """``rerun`` finds the command, and a conversion with failures is not saved."""
    root = tmp_path / "bids"
    native = tmp_path / "ssmspine"
    shutil.copytree(source("ssmspine"), native)
    broken = next(iter(sorted(native.rglob("*.nii.gz"))), None)
    broken = broken or next(path for path in sorted(native.rglob("*")) if path.is_file())
    good = broken.read_bytes()
    broken.write_bytes(good[:100])
    ran = run("convert", native, root, "--datalad")
    assert ran.code == 1
    assert "not saved with DataLad, as not all files were converted" in ran.warnings
    assert not (root / ".git").exists()
    broken.write_bytes(good)
    assert run("convert", native, root, "--datalad", "-q").code == 0
    said = subprocess.check_output(
        [sys.executable, "-c", datalad._MAIN],
        cwd=root,
        text=True,
        input='["datalad", "rerun", "--script", "-"]',
    )
    assert "bidsify convert ../ssmspine ." in said


def plant(root: Path, ran: Path) -> None:
    """Put a repository into a tree that runs programs wherever it can without any setting."""
    script = f"#!/bin/sh\necho $0 >> {ran}\n"
    git(root, "init", "-q")
    for name in ("pre-commit", "post-commit", "prepare-commit-msg", "post-index-change"):
        hook = root / ".git" / "hooks" / name
        hook.write_text(script)
        hook.chmod(0o755)
    for name in ("datalad/__init__.py", "json.py", "sitecustomize.py"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(f"print(__file__, file=open({str(ran)!r}, 'a'))\n")


@with_datalad
def test_nothing_in_a_tree_is_run_and_no_edits_are_saved(
    source: Make, own_tree: Make, tmp_path: Path
) -> None:
    root, ran = own_tree("ssmspine"), tmp_path / "ran"
    plant(root, ran)
    for again in (False, True):
        (root / "notes.txt").write_text(f"mine, {again}")
        (root / "participants.json").unlink()
        done = run("convert", source("ssmspine"), root, "--datalad", "-q")
        assert done.code == 0, done.err
        assert not ran.exists(), ran.read_text()
        strays = ["datalad/", "json.py", "notes.txt", "sitecustomize.py"]
        left = git(root, "-c", "core.hooksPath=/dev/null", "status", "--porcelain").splitlines()
        assert sorted(left) == [f"?? {name}" for name in strays]
        assert len(records(root)) == 1
    assert "annex.largefiles" in (root / ".gitattributes").read_text()
    texts = [*root.glob("*.json"), *root.rglob("code/bidsify/*.json"), *root.glob("*.tsv")]
    assert not [path for path in texts if path.is_symlink()]


@with_datalad
def test_a_tree_in_another_dataset_becomes_one_of_its_own(
    source: Make, tree: Make, tmp_path: Path
) -> None:
    above = tmp_path / "above"
    above.mkdir()
    git(above, "init", "-q")
    git(above, "commit", "-q", "--allow-empty", "-m", "first")
    (above / "private.txt").write_text("private")
    root = above / "bids"
    shutil.copytree(tree("ssmspine"), root)
    (root / ".datalad").mkdir()
    (root / ".datalad" / "config").write_text('[datalad "dataset"]\n\tid = x\n')
    before = git(above, "rev-parse", "HEAD")
    done = run("convert", source("ssmspine"), root, "--datalad", "-q")
    assert done.code == 0, done.err
    assert git(above, "rev-parse", "HEAD") == before
    assert git(above, "ls-files") == ""
    assert (root / ".git").is_dir()
    assert len(records(root)) == 1


def config(root: Path, key: str, value: str) -> None:
    git(root, "config", "--file", ".git/config", key, value)


@pytest.mark.parametrize(
    "plant_in",
    [
        lambda root: (root / ".datalad" / "procedures").mkdir(parents=True),
        lambda root: config(root, "core.fsmonitor", "touch ran"),
        lambda root: config(root, "core.hooksPath", "hooks"),
        lambda root: config(root, "core.worktree", ".."),
        lambda root: config(root, "filter.annex.clean", "touch ran; git-annex smudge --clean"),
        lambda root: config(root, "filter.x.process", "touch ran"),
        lambda root: config(root, "include.path", "../more"),
        lambda root: config(root, "extensions.worktreeConfig", "true"),
        lambda root: config(root, "datalad.result-hook.x.call-json", "run"),
        lambda root: config(root, "remote.x.annex-ssh-options", "-oProxyCommand=touch"),
        lambda root: (root / ".git" / "commondir").write_text("../else"),
        lambda root: (root / ".git" / "config").write_text("[broken"),
        lambda root: put_config(root, '[datalad "result-hook.x"]\n\tcall-json = run\n'),
        lambda root: put_config(root, '[datalad "locations"]\n\textra-procedures = ..\n'),
        lambda root: (root / ".datalad").symlink_to(root.parent),
        lambda root: (root / ".gitattributes").symlink_to("../else"),
        lambda root: (shutil.move(root / ".git", root.parent / "far"),
                      (root / ".git").write_text(f"gitdir: {root.parent / 'far'}")),
        lambda root: (shutil.move(root / ".git", root.parent / "far"),
                      (root / ".git").symlink_to(root.parent / "far")),
        lambda root: (shutil.rmtree(root / ".git"), (root / ".git").mkdir()),
    ],
)  # fmt: skip
def test_a_repository_that_would_start_programs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant_in: Any
) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    git(root, "init", "-q")
    config(root, "remote.gin.url", "git@example.org:x/y")
    config(root, "filter.annex.clean", "git-annex smudge --clean -- %f")
    put_config(root, '[datalad "dataset"]\n\tid = x\n')
    trust.require_harmless(root)
    shutil.rmtree(root / ".datalad")
    plant_in(root)
    with pytest.raises(UsageError, match="remove it, or save the tree by hand"):
        trust.require_harmless(root)
    monkeypatch.setattr(datalad.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(datalad.shutil, "which", lambda name: name)
    with pytest.raises(UsageError, match="remove it, or save the tree by hand"):
        datalad.require_datalad(root)
    assert not (tmp_path / "ran").exists()
    assert not (root / "ran").exists()


def put_config(root: Path, text: str) -> None:
    (root / ".datalad").mkdir(exist_ok=True)
    (root / ".datalad" / "config").write_text(text)


@pytest.mark.parametrize(
    ("source", "out", "expected"),
    [
        ("a/src", "a/out", "../src"), ("a/src", "a/b/out", "../../src"),
        ("x/y/src", "a/out", "../../x/y/src"), ("src", "a/b/c/d/out", "../src"),
        ("a/jsmith/src", "a/out", "../src"),
    ],
)  # fmt: skip
def test_paths_are_seen_from_the_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, out: str, expected: str
) -> None:
    monkeypatch.setenv("USER", "jsmith")
    command = Command(source=tmp_path / source, out=tmp_path / out)
    assert command.words() == ["bidsify", "convert", expected, "."]


def test_nothing_is_told_of_folders_that_share_only_the_root() -> None:
    words = Command(source=Path("/data/lab/src.zip"), out=Path("/out")).words()
    assert words == ["bidsify", "convert", "../src.zip", "."]


def test_all_that_decides_the_bytes_is_in_the_command(tmp_path: Path) -> None:
    command = Command(
        source=tmp_path / "src", out=tmp_path / "out", dataset=str(tmp_path / "mine.py"),
        label_table=tmp_path / "labels.tsv", participants=("01", "02"), on_existing="replace",
        reproducible=True, prove=False, max_failures=3,
    )  # fmt: skip
    assert command.words()[4:] == [
        "--dataset", "../mine.py", "--label-table", "../labels.tsv",
        "--participant-label", "01", "--participant-label", "02", "--on-existing", "replace",
        "--max-failures", "3", "--reproducible", "--no-verify",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        ("datalad", "needs DataLad; get it with: pip install 'bidsify-datasets[datalad]'"),
        ("git-annex", "needs git-annex beside the extra"),
        ("git", "needs git beside the extra"),
        ("author", "git does not know who you are; set user.name and user.email"),
    ],
)
def test_what_is_lacking_is_told_before_anything_is_written(
    source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str, reason: str
) -> None:
    found = None if lacking == "datalad" else object()
    monkeypatch.setattr(datalad.importlib.util, "find_spec", lambda _: found)
    monkeypatch.setattr(datalad.shutil, "which", lambda name: None if name == lacking else name)
    if lacking == "author":
        for key in PERSON:
            monkeypatch.delenv(f"GIT_AUTHOR_{key}")
            monkeypatch.delenv(f"GIT_COMMITTER_{key}")
    ran = run("convert", source("ssmspine"), tmp_path / "out", "--datalad")
    assert ran.code == 2
    assert reason in ran.error
    assert not (tmp_path / "out").exists()


def test_a_refusal_of_datalad_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: Any, *_: Any) -> Any:
        return subprocess.CompletedProcess(command, 1, "", "x\ncreate(error): no room\n")

    monkeypatch.setattr(datalad, "_run", refuse)
    with pytest.raises(datalad.UsageError, match=r"could not create it: create\(error\): no room"):
        datalad.save(tmp_path, ["bidsify"])


def test_links_into_the_annex_count_as_files_of_the_tree(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    annex = root / ".git" / "annex" / "objects" / "x"
    annex.mkdir(parents=True)
    (annex / "key").write_bytes(b"1")
    (tmp_path / "out").write_bytes(b"1")
    (root / ".bidsify" / "staging").mkdir(parents=True)
    links = {"in": ".git/annex/objects/x/key", "gone": ".git/annex/objects/y/key", "out": "../out"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert {name for name in links if is_own_file(root, name)} == {"in"}
    assert [write_if_changed(root, name, b"1") for name in links] == [False, True, True]
    assert write_if_changed(root, "in", b"2")
    assert (annex / "key").read_bytes() == b"1"
    assert not (root / "in").is_symlink()
    assert snapshot(tmp_path)["out"] == b"1"
