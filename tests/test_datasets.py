"""Every dataset from end to end: declaration, plan, tree, proof, and what others see in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import (
    HOMES_WITHOUT_HTTPS,
    NAMES,
    OF_UNKNOWN_SIZE,
    RECORD,
    WITH_LABELS,
    WITHOUT_UNIT,
    Make,
    Stated,
    assert_no_leftovers,
    assert_same,
    differing,
    run,
    shell,
    snapshot,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from official_schema import is_official

import bidsify
from bidsify import datasets, declaration, json_schema
from bidsify.dataset import Segmentation
from bidsify.labels import read_label_table
from bidsify.planning.claims import sort_files
from bidsify.planning.jobs import Plan
from bidsify.planning.plan import make_plan
from bidsify.records.source_names import named_below
from bidsify.source import open_source

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
#: Readers of sources that do not say how large a voxel is, and nobody may invent it.
OF_NO_SIZE = {"tensors", "pictures"}

pytestmark = pytest.mark.parametrize("name", NAMES)
quick = settings(
    max_examples=10,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def targets(plan: Plan) -> list[str]:
    jobs = [*(job for unit in plan.units for job in unit.jobs), *plan.shared]
    return [job.target for job in jobs]


def listing(source: Path) -> list[str]:
    return list(open_source(source).sizes)


# The declaration


def test_the_declaration_and_its_tables_are_checked_here(name: str) -> None:
    """Not whenever they are loaded, as those of others are."""
    declaration.check(datasets.load(name))
    tables = [p for p in Path(datasets.__file__).parent.glob(f"{name}*.tsv") if is_of(name, p.stem)]
    for path in tables:
        read_label_table(path)


def is_of(name: str, stem: str) -> bool:
    """Say whether a table is one of labels, of this dataset."""
    others = {other for other in datasets.names() if other != name and other.startswith(name)}
    return not stem.startswith(tuple(others or {"-"})) and "regions" not in stem


def test_the_declaration_says_what_a_user_must_know(name: str) -> None:
    dataset = datasets.load(name)
    assert dataset.name == name
    assert dataset.citation
    assert dataset.source_url.startswith("https://") or name in HOMES_WITHOUT_HTTPS, (
        f"give the https address in source_url of bidsify/datasets/{name}.py, or add {name!r} to "
        "HOMES_WITHOUT_HTTPS in tests/conftest.py"
    )
    assert dataset.terms.licence
    assert dataset.terms.evidence
    assert bool(dataset.expected_subjects) == (name not in OF_UNKNOWN_SIZE), (
        f"state subjects in bidsify/datasets/{name}.py, or, where nobody knows their number, that "
        f"{name!r} is in OF_UNKNOWN_SIZE of tests/conftest.py; not both"
    )
    assert dataset.products


def test_its_layout_names_targets_that_the_plan_gives(
    name: str, source: Make, stated: Stated
) -> None:
    """The arrows of the layout are documentation, which nothing else would keep true."""
    table = next((str(option) for option in stated(name)[1:]), None)
    pattern = set(targets(bidsify.plan(source(name), label_table=table)))
    arrows = re.findall(r"-> (sub-\S+)", datasets.load(name).layout)
    assert arrows, f"in layout of bidsify/datasets/{name}.py, show what becomes of a file: -> sub-"
    for target in arrows:
        numbers = re.escape(re.sub(r"\{(\w+),(\w+)\}", r"\1", target))
        expression = re.sub(r"(?:sub|ses)\\-[A-Za-z]*\d+", r"[\\w-]+", numbers)
        assert any(re.fullmatch(expression, found) for found in pattern), target


def test_its_label_table_is_valid(name: str) -> None:
    for product in datasets.load(name).products:
        if isinstance(product, Segmentation) and product.labels.is_stated:
            rows = [dict(row) for row in product.labels.rows]
            assert list(json_schema.faults("label_table", rows)) == []
            assert product.labels.names[0] == "background"
            assert len(set(product.labels.names.values())) == len(rows)
            if product.coding:
                assert product.coding in product.labels.columns


# The plan


def test_the_listing_is_planned_without_a_rest(name: str, source: Make, stated: Stated) -> None:
    table = next((str(option) for option in stated(name)[1:]), None)
    plan = bidsify.plan(source(name), label_table=table)
    assert plan.dataset == name
    assert plan.unclaimed == ()
    assert plan.failures == ()
    counted = bool(datasets.load(name).subjects)
    assert {remark.code for remark in plan.remarks} == ({"SUBJECT_COUNT"} if counted else set()), (
        "the demo must have fewer subjects than the declaration states"
    )
    assert plan.file_count == len(listing(source(name)))
    found = targets(plan)
    assert len({target.lower() for target in found}) == len(found)


def test_each_target_is_legal_or_bidsignored(name: str, source: Make) -> None:
    ignored = datasets.load(name).bidsignore
    for target in targets(bidsify.plan(source(name))):
        is_known = target == ".bidsignore" or is_official(target) or is_ignored(target, ignored)
        assert is_known, target


def test_what_is_bidsignored_is_what_bids_has_no_name_for(name: str, source: Make) -> None:
    ignored = datasets.load(name).bidsignore
    found = [t for t in targets(bidsify.plan(source(name))) if is_ignored(t, ignored)]
    assert not [target for target in found if is_official(target)]
    for pattern in ignored:
        assert any(is_ignored(target, (pattern,)) for target in found), pattern


def is_ignored(path: str, patterns: tuple[str, ...]) -> bool:
    parts = path.split("/")
    names = [pattern.removeprefix("**/") for pattern in patterns]
    return any(fnmatchcase(part, name) for name in names for part in parts)


@quick
@given(data=st.data())
def test_the_order_of_the_listing_does_not_matter(
    name: str, source: Make, data: st.DataObject
) -> None:
    paths = listing(source(name))
    plan = make_plan(datasets.load(name), paths)
    shuffled = list(paths)
    data.draw(st.randoms(use_true_random=False)).shuffle(shuffled)
    assert make_plan(datasets.load(name), shuffled) == plan


@quick
@given(data=st.data())
def test_each_file_is_claimed_ignored_or_unclaimed(
    name: str, source: Make, data: st.DataObject
) -> None:
    paths = listing(source(name))
    some = data.draw(st.lists(st.sampled_from(paths), unique=True, max_size=12))
    odd = data.draw(st.lists(odd_paths, unique=True, max_size=4))
    files = sorted({*some, *odd})
    found = sort_files(datasets.load(name), files)
    claimed = {claim.path for claim in found.claims}
    ignored = {path for path, _ in found.ignored}
    assert sorted([*claimed, *ignored, *found.unclaimed, *found.unnameable]) == files
    assert claimed >= set(some) - ignored
    plan = make_plan(datasets.load(name), files)
    assert plan.file_count == len(files)
    used = {path for unit in plan.units for job in unit.jobs for path in job.sources}
    used |= {copy for unit in plan.units for job in unit.jobs for copy, _ in job.twins}
    used |= {path for job in plan.shared for path in job.sources}
    failed = {path for failure in plan.failures for path in failure.sources}
    assert claimed <= used | failed | set(plan.unclaimed)


odd_paths = st.one_of(
    st.sampled_from([".DS_Store", "a/Thumbs.db", "__MACOSX/._x", ".git/config", "x/.gitignore"]),
    st.text(min_size=1, max_size=12).map(lambda text: "odd/" + text.replace("/", "_")),
)


# The tree


def test_the_tree_is_proved(name: str, source: Make, tree: Make) -> None:
    assert bidsify.verify(source(name), tree(name)) == []
    assert_no_leftovers(tree(name))


def test_the_official_validator_finds_no_error(name: str, tree: Make) -> None:
    issues = official_issues(tree(name))
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    readers = {getattr(product, "reader", "") for product in datasets.load(name).products}
    expected = {"NIFTI_UNIT"} if readers & OF_NO_SIZE or name in WITHOUT_UNIT else set()
    assert {issue["code"] for issue in issues} == expected, (
        f"mend what the warnings speak of; where it is NIFTI_UNIT alone, because the files of "
        f"{name!r} state none, add it to WITHOUT_UNIT in tests/conftest.py"
    )


def test_the_official_validator_would_find_one(name: str, own_tree: Make) -> None:
    """The test above would be worth nothing if the validator did not look at the tree."""
    tree = own_tree(name)
    (tree / "sub-wrong.nii.gz").write_bytes(b"")
    codes = {issue["code"] for issue in official_issues(tree) if issue["severity"] == "error"}
    assert codes >= {"EMPTY_FILE", "NOT_INCLUDED"}


def official_issues(tree: Path) -> list[dict[str, str]]:
    arguments = [VALIDATOR, tree, "--format", "json", "--max-rows", "-1"]
    done = subprocess.run(arguments, capture_output=True, check=False, timeout=120)
    issues: list[dict[str, str]] = json.loads(done.stdout)["issues"]["issues"]
    return issues


def test_pybids_finds_the_segmentations_and_their_tables(name: str, tree: Make) -> None:
    layout = bidsify.load(tree(name))
    written = {path.resolve() for path in tree(name).rglob("*_dseg.nii.gz")}
    found = layout.get(suffix="dseg", extension=".nii.gz")
    assert {Path(file.path).resolve() for file in found} == written
    subjects = {path.name.removeprefix("sub-") for path in tree(name).glob("sub-*")}
    assert set(layout.get_subjects()) == subjects
    if name in WITH_LABELS:
        assert written
        names = [table.names for table in layout.label_tables.values()]
        assert names
        for product in segmentations_of(name):
            assert product.labels.names in names or not product.labels.is_stated
        assert all(file.get_metadata()["SpatialReference"] for file in found)
    else:
        assert not written
        assert layout.label_tables == {}


def test_segmentations_are_unscaled_integers_of_the_table(name: str, tree: Make) -> None:
    seen: set[int] = set()
    tables = bidsify.load(tree(name)).label_tables.values()
    known = {index for table in tables for index in table.names}
    for path in sorted(tree(name).rglob("*_dseg.nii.gz")):
        image = nib.load(path)
        assert image.header.get_data_dtype().kind in "iu"
        assert image.header.get_slope_inter() in ((1.0, 0.0), (None, None))
        seen |= {int(value) for value in np.unique(image.dataobj)}
    assert seen == known


def segmentations_of(name: str) -> list[Segmentation]:
    products = datasets.load(name).products
    return [p for p in products if isinstance(p, Segmentation) and p.suffix == "dseg"]


def test_no_volume_carries_a_name_or_a_time(name: str, tree: Make) -> None:
    volumes = sorted(tree(name).rglob("*.nii.gz"))
    assert volumes
    for path in volumes:
        assert path.read_bytes()[:8] == b"\x1f\x8b\x08\0\0\0\0\0", path


def test_the_tree_names_no_clock_host_user_or_path(name: str, source: Make, tree: Make) -> None:
    import getpass
    import socket

    content = b"".join(v for k, v in snapshot(tree(name)).items() if not k.endswith(".gz")).decode(
        errors="replace"
    )
    assert str(source(name)) not in content
    assert socket.gethostname() not in content
    assert f"/{getpass.getuser()}/" not in content


def test_its_documents_are_valid(name: str, tree: Make) -> None:
    for path, schema in (
        ("dataset_description.json", "dataset_description"),
        (RECORD, "conversion"),
    ):
        assert list(json_schema.faults(schema, json.loads((tree(name) / path).read_bytes()))) == []


def test_the_record_has_each_source_file_once(name: str, source: Make, tree: Make) -> None:
    record = json.loads((tree(name) / RECORD).read_bytes())
    files = [entry["source"] for entry in record["files"]]
    assert files == listing(source(name))
    assert sum(record["buckets"].values()) == len(files)
    assert record["buckets"]["unclaimed"] == record["buckets"]["failed"] == 0
    for entry in record["files"]:
        assert all((tree(name) / target).is_file() for target in entry["targets"])
        assert bool(entry["targets"]) == (entry["bucket"] in ("converted", "duplicate")), entry


def test_each_file_of_the_tree_has_an_origin(name: str, tree: Make) -> None:
    record = json.loads((tree(name) / RECORD).read_bytes())
    named = {entry["target"] for entry in record["written"]} | set(record["shared"]) | {RECORD}
    assert set(snapshot(tree(name))) <= named


def test_converting_again_changes_nothing(
    name: str, source: Make, own_tree: Make, stated: Stated
) -> None:
    tree = own_tree(name)
    before = snapshot(tree)
    times = {path: path.stat().st_mtime_ns for path in tree.rglob("*") if path.is_file()}
    ran = run("convert", source(name), tree, *stated(name))
    assert ran.code == 0
    assert ran.buckets["converted"] == ran.buckets["failed"] == 0
    assert ran.buckets["kept"] > 0
    assert sum(ran.buckets.values()) == len(listing(source(name)))
    assert snapshot(tree) == before
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*") if path.is_file()} == times


def test_the_number_of_processes_does_not_matter(
    name: str, source: Make, tree: Make, tmp_path: Path, stated: Stated
) -> None:
    ran = shell("convert", source(name), tmp_path / "out", "-j", "2", *stated(name))
    assert ran.code == 0, ran.err
    assert_same(tmp_path / "out", tree(name))


@pytest.mark.parametrize("pack", ["zip", "tar.gz"])
def test_an_archive_gives_the_same_bytes(  # noqa: PLR0917
    name: str, pack: str, source: Make, tree: Make, tmp_path: Path, stated: Stated
) -> None:
    archive = PACKERS[pack](source(name), tmp_path / name)
    ran = run("convert", archive, tmp_path / "out", *stated(name))
    assert ran.code == 0, ran.err
    assert_same(tmp_path / "out", tree(name))
    assert run("verify", archive, tmp_path / "out").code == 0


def zipped(source: Path, place: Path) -> Path:
    return Path(shutil.make_archive(str(place), "zip", source))


def tarred(source: Path, place: Path) -> Path:
    path = place.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        for file in sorted(source.rglob("*")):
            archive.add(file, file.relative_to(source).as_posix(), recursive=False)
    return path


PACKERS: dict[str, Callable[[Path, Path], Path]] = {"zip": zipped, "tar.gz": tarred}


@pytest.mark.parametrize("pack", ["folder", "zip"])
def test_folders_above_the_data_do_not_matter(  # noqa: PLR0917
    name: str, pack: str, source: Make, tree: Make, tmp_path: Path, stated: Stated
) -> None:
    """All files but the record are the same, apart from how they name files of the source."""
    place = tmp_path / "in"
    shutil.copytree(source(name), place / "x y/private" / name)
    where = zipped(place, tmp_path / "packed") if pack == "zip" else place
    ran = run("convert", where, tmp_path / "out", *stated(name))
    assert ran.code == 0, ran.err
    found, expected = snapshot(tmp_path / "out"), snapshot(tree(name))
    bases = [json.loads(files.pop(RECORD)).get("base", "") for files in (found, expected)]
    assert bases[0] == f"x y/private/{name}/{bases[1]}"
    plain = [
        {path: named_below(content, path, base) for path, content in files.items()}
        for files, base in zip((found, expected), bases, strict=True)
    ]
    assert differing(*plain) == []
    assert run("verify", where, tmp_path / "out", *stated(name)).code == 0
