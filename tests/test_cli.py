"""The command line as a contract: names, exit codes, and what goes to which stream."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.core import ParameterSource
from conftest import NAMES, Make, Ran, Stated, assert_same, command, run, shell, snapshot

from bidsify import datasets, json_schema
from bidsify.cli import main
from bidsify.version import __version__

COMMANDS = tuple(sorted(main.commands))
HEAVY = ("numpy", "nibabel", "pydicom", "jsonschema", "bids", "pandas", "PIL", "orjson", "isal")


def document(ran: Ran) -> object:
    """Return the JSON of a command that prints nothing else."""
    assert (ran.code, ran.err) == (0, "")
    found: object = json.loads(ran.out)
    return found


# Help


def test_the_commands_are_those_of_the_contract() -> None:
    assert {"convert", "datasets", "demo", "detect", "plan", "schema", "verify"} <= set(COMMANDS)


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_an_example(name: str, option: str) -> None:
    ran = run(name, option)
    assert (ran.code, ran.err) == (0, "")
    assert f"Example: bidsify {name} " in " ".join(ran.out.split())
    for shown in ("-q, --quiet", "-v, --verbose", "--debug"):
        assert shown in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_each_command_is_one_that_it_takes(name: str) -> None:
    """Parse it as the command would, without running it."""
    (example,) = re.findall(rf"Example: bidsify {name} ([^\n]*)", main.commands[name].help or "")
    words = example.split()
    program = click.Context(main, **main.context_settings)
    context = main.commands[name].make_context(name, words.copy(), program)
    stated = [
        value
        for parameter, value in context.params.items()
        if context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE
    ]
    values = [one for value in stated for one in (value if isinstance(value, tuple) else (value,))]
    expected = [word.removeprefix("./") for word in words if not word.startswith("-")]
    assert sorted(map(str, values)) == sorted(expected)


def test_the_help_of_the_program_shows_where_to_start() -> None:
    ran = run("--help")
    assert ran.code == 0
    assert "bidsify demo" in ran.out
    for name in COMMANDS:
        assert re.search(rf"^  {name}  ", ran.out, re.MULTILINE)


def test_each_option_says_what_it_does() -> None:
    for name in COMMANDS:
        for parameter in main.commands[name].params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts[0]}"


def test_version() -> None:
    assert run("--version").out == f"bidsify, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("covnert",),
        ("convert",),
        ("convert", "in"),
        ("convert", "in", "out", "--colour"),
        ("convert", "in", "out", "-j", "0"),
        ("convert", "in", "out", "-j", "many"),
        ("convert", "in", "out", "--on-existing", "merge"),
        ("convert", "in", "out", "--max-failures", "0"),
        ("plan", "in", "extra"),
    ],
)
def test_misuse(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: ")
    assert "Error: " in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", ["import bidsify", "import bidsify.cli", "HELP"])
def test_what_starts_fast_imports_nothing_heavy(code: str) -> None:
    if code == "HELP":
        code = (
            "import runpy\n"
            "sys.argv = ['bidsify', '--help']\n"
            "try:\n    runpy.run_module('bidsify', run_name='__main__')\n"
            "except SystemExit:\n    pass"
        )
    program = f"import sys\n{code}\nprint(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "bidsify" in loaded
    assert loaded & set(HEAVY) == set()


# Results


def test_datasets_are_listed_a_line_each() -> None:
    ran = run("datasets")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    for name, line in zip(NAMES, lines, strict=True):
        dataset = datasets.load(name)
        assert dataset.title in line
        assert f"{dataset.expected_subjects or '?'} subjects" in line
        assert dataset.terms.licence in line


def test_datasets_as_json() -> None:
    found = document(run("datasets", "--json"))
    assert isinstance(found, list)
    assert [entry["name"] for entry in found] == list(NAMES)
    assert {entry["redistribution"] for entry in found} <= {
        "allowed",
        "noncommercial",
        "forbidden",
        "unknown",
    }


@pytest.mark.parametrize("name", NAMES)
def test_one_dataset_in_full(name: str) -> None:
    found = document(run("datasets", name, "--json"))
    dataset = datasets.load(name)
    assert isinstance(found, dict)
    assert found["layout"] == dataset.layout.strip()
    assert found["edition"] == dataset.edition
    assert found["subjects"] == dataset.expected_subjects
    assert found["citation"] == dataset.citation
    assert found["terms"]["evidence"] == dataset.terms.evidence
    assert found["traps"] == list(dataset.traps)
    for rows in filter(None, found["label_tables"].values()):
        assert rows[0] == {**rows[0], "index": "0", "name": "background"}
    text = run("datasets", name)
    assert (text.code, text.err) == (0, "")
    for part in (dataset.layout.strip(), dataset.citation, dataset.terms.summary, *dataset.traps):
        assert part in text.out
    for file, rows in found["label_tables"].items():
        shown = text.out.partition(f"labels ({file}):\n")[2].partition("\n\n")[0]
        assert [line.split()[0] for line in shown.splitlines()] == (
            [row["index"] for row in rows] or ["not"]
        )
        assert all(row["name"] in shown for row in rows)
    for row in found["regions"]:
        assert f"{row['abbreviation']}  {row['name']}: labels {row['indices']}\n" in text.out


def test_all_label_tables_of_a_dataset_are_shown() -> None:
    found = document(run("datasets", "prostate158", "--json"))
    assert isinstance(found, dict)
    assert {file: len(rows) for file, rows in found["label_tables"].items()} == {
        "seg-zones_dseg.tsv": 3,
        "seg-tumorT2w_dseg.tsv": 2,
        "seg-tumorADC_dseg.tsv": 2,
    }


def test_a_label_table_that_nobody_stated_is_said_to_be_unknown() -> None:
    shown = run("datasets", "crossmoda2023").out
    assert "labels (dseg.tsv):\n  not known; state them with --label-table FILE" in shown


def test_regions_are_shown_with_their_labels() -> None:
    assert "    TC  tumour core: labels 1,4\n" in run("datasets", "brats2020").out


def test_a_dataset_that_nobody_knows() -> None:
    ran = run("datasets", "chaso")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(f"no dataset 'chaso'; known are: {', '.join(NAMES)}, or ")


@pytest.mark.parametrize("name", NAMES)
def test_detect(name: str, source: Make) -> None:
    found = document(run("detect", source(name), "--json"))
    assert isinstance(found, dict)
    assert found["dataset"] == name
    assert found["edition"] == datasets.load(name).edition
    assert found["evidence"]
    assert found["unexpected"] == []
    (best, *_) = found["candidates"]
    assert best["dataset"] == name
    assert 0 < best["fitting"] <= best["files"]
    text = run("detect", source(name))
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith(f"{name} (")
    assert f"because {found['evidence'][0]}" in text.out


def test_detect_says_what_is_missing_and_unexpected(own_source: Make) -> None:
    source = own_source("myops380")
    (source / "MyoPS380_dataset/Raw_data/LGE/case0001.nii.gz").unlink()
    (source / "extra.txt").touch()
    found = document(run("detect", source, "--json"))
    assert isinstance(found, dict)
    assert found["unexpected"] == ["extra.txt"]
    assert any("missing for 1 of 3: sub-0001" in text for text in found["missing"])
    text = run("detect", source).out
    assert "  unexpected: extra.txt" in text
    assert "missing for 1 of 3: sub-0001" in text


@pytest.mark.parametrize("name", NAMES)
def test_plan(name: str, source: Make, tree: Make, stated: Stated) -> None:
    found = document(run("plan", source(name), *stated(name), "--json"))
    assert list(json_schema.faults("plan", found)) == []
    assert isinstance(found, dict)
    assert list(found)[:3] == ["dataset", "edition", "jobs"]
    assert found["dataset"] == name
    assert found["unclaimed"] == found["failures"] == []
    targets = {job["target"] for job in found["jobs"]}
    assert set(snapshot(tree(name))) - targets == {"code/bidsify/conversion.json"}
    text = run("plan", source(name), *stated(name))
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith(f"{name} (")
    assert f"  {found['jobs'][0]['target']}  <-  {found['jobs'][0]['sources'][0]}" in text.out


def test_a_plan_with_failures_is_valid_too(own_source: Make) -> None:
    source = own_source("chaos")
    (source / "Train_Sets/CT/2/Ground/liver_GT_005.png").unlink()
    (source / "odd.zip").touch()
    (source / ".DS_Store").touch()
    ran = run("plan", source, "--json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert list(json_schema.faults("plan", found)) == []
    (failure,) = found["failures"]
    assert failure["target"] == "sub-CT02/ct/sub-CT02_acq-portal_dseg.nii.gz"
    assert len(failure["sources"]) == 11
    assert found["unclaimed"] == ["odd.zip"]
    assert {"path": ".DS_Store", "reason": "left by a desktop"} in found["ignored"]
    assert {remark["code"] for remark in found["remarks"]} >= {"ARCHIVE_INSIDE", "UNCLAIMED"}


def test_schemas_are_listed_and_printed() -> None:
    names = run("schema").out.split()
    assert names == list(json_schema.names())
    for name in (*(name for name in names if "/" not in name), "sidecars/T1w", "tables/Events"):
        assert document(run("schema", name)) == json_schema.load(name)
    ran = run("schema", "volume")
    assert (ran.code, ran.out) == (2, "")
    some = ", ".join(name for name in names if "/" not in name)
    assert ran.error.startswith(f"no schema 'volume'; there are: {some}, and those in sidecars/")


def test_convert_ends_with_the_buckets(source: Make, tmp_path: Path) -> None:
    ran = run("convert", source("ivdm3seg"), tmp_path / "out")
    assert ran.code == 0
    assert ran.out == "converted 15\nkept 0\nduplicate 15\nignored 0\nunclaimed 0\nfailed 0\n"


def test_verify_as_json(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    assert document(run("verify", source("myops380"), tree, "--json")) == {
        "root": str(tree),
        "source": str(source("myops380")),
        "problems": [],
    }
    (tree / "dseg.tsv").unlink()
    ran = run("verify", source("myops380"), tree, "--json")
    assert (ran.code, ran.err) == (1, "")
    assert json.loads(ran.out)["problems"] == [
        {"code": "LOST", "path": "dseg.tsv", "message": "not in the tree"}
    ]


# The demo


@pytest.mark.parametrize("name", NAMES)
def test_demo(name: str, tree: Make, tmp_path: Path) -> None:
    ran = run("demo", tmp_path / "demo", "--dataset", name)
    assert ran.code == 0, ran.err
    words = [line.split()[0] for line in ran.out.splitlines()]
    assert words == ["made", "converted", "verified", "validated", "look"]
    assert "nothing lost or changed" in ran.out
    assert "validated  0 errors" in ran.out
    assert_same(tmp_path / "demo/bids" / name, tree(name))
    again = run("demo", tmp_path / "demo", "--dataset", name)
    assert again.code == 0, again.err
    assert_same(tmp_path / "demo/bids" / name, tree(name))


def test_a_demo_of_nothing(tmp_path: Path) -> None:
    ran = run("demo", tmp_path / "demo", "--dataset", "mine")
    assert ran.code == 2
    assert ran.error == f"no demo of 'mine'; there are: {', '.join(NAMES)}"
    assert not (tmp_path / "demo").exists()


def test_a_demo_does_not_write_over_a_download(tmp_path: Path) -> None:
    (tmp_path / "source/chaos").mkdir(parents=True)
    (tmp_path / "source/chaos/mine.txt").write_text("mine")
    ran = run("demo", tmp_path, "--dataset", "chaos")
    assert ran.code == 2
    assert "already there and not made by a demo; choose another folder" in ran.error
    assert snapshot(tmp_path) == {"source/chaos/mine.txt": b"mine"}


# Streams


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    ("option", "progress", "warnings"),
    [
        ((), True, True),
        (("-q",), False, True),
        (("-qq",), False, False),
        (("-q", "-q"), False, False),
    ],
)
def test_quiet(  # noqa: PLR0917
    option: tuple[str, ...],
    progress: bool,  # noqa: FBT001
    warnings: bool,  # noqa: FBT001
    place: str,
    source: Make,
    tmp_path: Path,
) -> None:
    arguments = ("convert", source("ivdm3seg"), tmp_path / "out")
    ran = run(*option, *arguments) if place == "before" else run(*arguments, *option)
    assert ran.code == 0
    assert ran.buckets["converted"] == 15
    assert ("3 of 3 subjects and sessions" in ran.err) == progress
    assert bool(ran.warnings) == warnings
    assert (ran.err == "") == (not progress and not warnings)


def test_failures_are_told_even_when_quiet(own_source: Make, tmp_path: Path) -> None:
    source = own_source("myops380")
    next(source.rglob("case0001_gt.nii.gz")).write_bytes(b"")
    ran = run("-qq", "convert", source, tmp_path / "out")
    assert ran.code == 1
    assert len(ran.failures) == len(ran.err.splitlines()) == 1


def test_many_warnings_are_cut_short_unless_asked_for(own_source: Make, tmp_path: Path) -> None:
    source = own_source("lumbosacral")
    for path in source.glob("rawdata/sub-*/anat/*.json"):
        found = json.loads(path.read_text())
        found |= {"EchoTime": "a", "FlipAngle": "b", "RepetitionTime": "c", "DwellTime": "d"}
        path.write_text(json.dumps(found))
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 0
    assert len(ran.warnings) == 20
    assert "... and 5 more warnings; -v shows all" in ran.err
    told = run("convert", source, tmp_path / "other", "-v")
    assert len(told.warnings) == 25
    again = run("convert", source, tmp_path / "out", "-v")
    assert sorted(again.warnings) == sorted(told.warnings)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_what_goes_into_a_file_has_no_codes(
    environment: dict[str, str], source: Make, tmp_path: Path
) -> None:
    ran = shell("convert", source("myops380"), tmp_path / "out", environment=environment)
    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err
    assert "\r" not in ran.out + ran.err


@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_has_a_bar(source: Make, tmp_path: Path, no_color: bool) -> None:  # noqa: FBT001
    master, slave = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        command("convert", source("myops380"), tmp_path / "out"),
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**environment, **({"NO_COLOR": "1"} if no_color else {})},
    )
    os.close(slave)
    out, _ = process.communicate(timeout=60)
    shown = os.read(master, 1 << 16).decode()
    os.close(master)
    assert process.returncode == 0
    assert out.startswith(b"converted 12\n")
    assert "[####################] 3 of 3 subjects and sessions" in shown
    assert "sub-0006" in shown
    if no_color:
        assert not re.search(r"\x1b\[[0-9;]*m", shown)


def test_a_reader_that_goes_away_is_no_traceback(source: Make) -> None:
    process = subprocess.Popen(
        command("plan", source("chaos"), "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in said
    assert "defect" not in said


def test_debug_shows_where(source: Make, tmp_path: Path) -> None:
    from click.testing import CliRunner

    arguments = ["--debug", "convert", str(source("myops380")), str(tmp_path), "--dataset", "x"]
    result = CliRunner().invoke(main, arguments)
    assert type(result.exception).__name__ == "UsageError"


def test_the_module_is_the_command(source: Make) -> None:
    assert shell("detect", source("chaos")).out == run("detect", source("chaos")).out
