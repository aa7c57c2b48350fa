"""The generators of the benchmarks: their datasets are valid, and broken ones come out the same."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.mark.parametrize("raw", [False, True])
def test_synthetic_tree_is_valid_for_the_official_validator(tmp_path: Path, *, raw: bool) -> None:
    import official
    import trees

    if not Path(official.executable()).exists():
        pytest.skip("bids-validator-deno is not installed")
    files = trees.write(tmp_path / "tree", 3, raw=raw)
    assert files == 3 * 8 + (4 if raw else 7)
    verdict = official.Official(official.bundled_schema()).run(tmp_path / "tree")
    assert "crash" not in verdict
    issues = verdict["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert verdict["summary"]["totalFiles"] == files


def test_sidecars_differ_between_subjects() -> None:
    import trees

    sidecars = [data for path, data in trees.tree(20) if path.endswith("_T1w.json")]
    assert len(set(sidecars)) == 20


def test_mutants_are_the_same_every_time() -> None:
    import mutants
    import trees

    bases = {"raw": dict(trees.tree(2, raw=True)), "derivative": dict(trees.tree(2))}
    first, second = (list(mutants.mutants(bases, 1)) for _ in range(2))
    assert first == second
    assert len(first) > 300
    assert len({title for title, *_ in first}) == len(first)


def test_every_mutant_differs_from_its_base() -> None:
    import mutants
    import trees

    bases = {"raw": dict(trees.tree(2, raw=True)), "derivative": dict(trees.tree(2))}
    before = json.dumps({name: sorted(map(repr, tree.items())) for name, tree in bases.items()})
    same = [
        title
        for title, what, tree in mutants.mutants(bases, 2)
        if what["mutation"] != "none" and tree == bases[what["base"]]
    ]
    assert same == []
    after = json.dumps({name: sorted(map(repr, tree.items())) for name, tree in bases.items()})
    assert before == after


def test_filled_image_fits_its_sidecar() -> None:
    import nibabel as nib
    from mutating import images

    tree = {
        "task-rest_bold.json": b'{"RepetitionTime": 1.5, "SliceTiming": [0, 0.5, 1]}',
        "sub-1/func/sub-1_task-rest_bold.nii.gz": b"",
        "sub-1/dwi/sub-1_dwi.bval": b"0 1000 1000\n",
        "sub-1/dwi/sub-1_dwi.nii": b"",
    }
    images.fill(tree)
    bold = nib.Nifti1Image.from_bytes(
        gzip.decompress(tree["sub-1/func/sub-1_task-rest_bold.nii.gz"])
    )
    assert bold.shape[2] == 3
    assert bold.header.get_zooms()[3] == 1.5
    assert nib.Nifti1Image.from_bytes(tree["sub-1/dwi/sub-1_dwi.nii"]).shape[3] == 3


def test_rename_keeps_the_content() -> None:
    from mutating import names

    tree = {"sub-1/anat/sub-1_run-1_T1w.nii.gz": b"image"}
    swap = next(one for one in names.mutations() if one.name == "rename-entity-order")
    assert swap.change(tree, Random(1)) is not None
    assert tree == {"sub-1/anat/run-1_sub-1_T1w.nii.gz": b"image"}


OFFICIAL = [
    {"code": "NOT_INCLUDED", "severity": "error", "location": "/a/b"},
    {"code": "EMPTY_FILE", "severity": "ignore", "location": "/c"},
]
SAME = {"code": "NOT_INCLUDED", "severity": "error", "path": "a/b", "where": ""}


@pytest.mark.parametrize(
    ("ours", "known", "only_official", "only_ours", "is_known"),
    [
        ([SAME], [], 0, 0, 0),
        ([], [], 1, 0, 0),
        ([], [("NOT_INCLUDED", "official", "*")], 0, 0, 1),
        ([], [("NOT_INCLUDED", "bidsify", "*")], 1, 0, 0),
        ([], [("NOT_INCLUDED", "official", "other*")], 1, 0, 0),
        ([SAME, SAME | {"path": "d"}], [], 0, 1, 0),
        ([SAME, SAME | {"severity": "info", "path": "d"}], [], 0, 0, 0),
    ],
)
def test_agreement_counts_both_sides(
    ours: list[dict[str, str]],
    known: list[tuple[str, str, str]],
    only_official: int,
    only_ours: int,
    is_known: int,
) -> None:
    import agreement

    options = agreement.arguments().parse_args(["folder", "--all-codes"])
    tally = agreement.Tally(known)
    agreement.compare(tally, "name", {"issues": {"issues": OFFICIAL}}, ours, options)
    assert sum(tally.official.values()) == only_official
    assert sum(tally.ours.values()) == only_ours
    assert sum(tally.known.values()) == is_known


def test_known_differences_give_a_reason() -> None:
    lines = (BENCHMARKS / "known_differences.tsv").read_text("utf-8").splitlines()
    assert lines[0].split("\t") == ["code", "side", "dataset", "reason"]
    rows = [line.split("\t") for line in lines[1:]]
    assert [row for row in rows if len(row) != 4 or not row[3].strip()] == []


def test_measured_process_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    import validate

    cost = validate.run([sys.executable, "-c", "raise SystemExit(3)"])
    assert cost.said.startswith("exit 3")
    assert cost.peak > 1
    validate.table({"floor": (cost, ["x"])}, 10)
    assert "floor" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["ssmspine", "myops380", "chaos"])
def test_the_floor_writes_the_voxels_that_bidsify_writes(tmp_path: Path, name: str) -> None:
    import contenders
    import same_voxels
    from natives import chaos, myops380, ssmspine

    place = contenders.Place(name, tmp_path / "source", tmp_path / "out", "no-python")
    {
        "ssmspine": lambda: ssmspine.make(place.source, 1),
        "myops380": lambda: myops380.make(place.source, 1),
        "chaos": lambda: chaos.make(place.source, 1, slices=3),
    }[name]()
    commands = dict(contenders.converters(place, 1))
    assert "write the same" in same_voxels.check(commands, place.out)
    assert ("nibabel loop -j 1" in commands) == (name != "ssmspine")  # that needs torch
    if name == "chaos":
        ours = same_voxels.volumes(place.out)
        subprocess.run(["rm", "-rf", place.out], check=True)
        subprocess.run(commands["nibabel loop -j 1"], check=True)
        assert same_voxels.volumes(place.out) == ours


def test_a_floor_of_other_voxels_is_told(tmp_path: Path) -> None:
    import same_voxels
    from natives import myops380

    for case in (1, 2):
        myops380.make(tmp_path / str(case), case)
    copies = {
        label: ["cp", "-R", str(tmp_path / str(case)), str(tmp_path / "out")]
        for case, label in ((1, "floor + read back -j 1"), (2, "bidsify -j 1"))
    }
    with pytest.raises(SystemExit, match="not the same volumes"):
        same_voxels.check(copies, tmp_path / "out")


def test_ratios_are_those_of_as_many_processes(tmp_path: Path) -> None:
    from tables import Sizes, converted
    from timing import Cost, Times

    seconds = {"cp -R": 1, "floor -j 1": 4, "nibabel loop -j 1": 20, "bidsify -j 1": 5}
    seconds |= {"floor -j 2": 2, "nibabel loop -j 2": 12, "bidsify -j 2": 4}
    seconds |= {"loop that copies images unread -j 2": 2}
    times = {label: Times((Cost(s, 2 * s), Cost(9 * s, s))) for label, s in seconds.items()}
    (tmp_path / "file").write_bytes(b"content")
    sizes = Sizes.of(tmp_path, "cases")
    widths = {len(line) for line in converted(times, sizes, markdown=False).splitlines()[:9]}
    assert len(widths) == 1
    page = converted(times, sizes, markdown=True)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    shares = {row[0]: (row[5], *row[7:]) for row in cells if len(row) == 11}
    assert shares["bidsify -j 1"] == ("80", "4.0", "4.0", "", "5.0")
    assert shares["bidsify -j 2"] == ("50", "3.0", "5.0", "0.5", "4.0")
    assert "bidsify -j 2: 1.25 times -j 1" in page


def test_rounds_are_timed_in_another_order(tmp_path: Path) -> None:
    import timing

    commands = {"quick": ["true"], "slow": ["sleep", "0.05"]}
    times = timing.time_all(commands, tmp_path / "out", 2)
    assert len(times["quick"].runs) == 2
    assert times["quick"].best < times["slow"].best
    with pytest.raises(SystemExit, match="exit 1: false"):
        timing.run(["false"])


def test_stages_of_a_conversion_are_told() -> None:
    command = [sys.executable, str(BENCHMARKS / "stages.py"), "myops380", "--cases", "1"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in said.splitlines() if line]
    assert {"imports", "inflate", "hash", "proof"} <= {row[0] for row in rows}
    assert 97 < sum(float(row[-1]) for row in rows[1:-2]) < 101  # but for the last two: all, wall
