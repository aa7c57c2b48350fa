"""A dataset of one's own: one file and its label table, and no line of ours changes."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import RECORD, Make, Ran, run, shell, snapshot, volume

import bidsify
from bidsify import dataset, datasets
from bidsify.dataset import Image, Json, Masks, Naming, Pairing, Points, Product, Segmentation
from bidsify.declaration import check
from bidsify.demo import native
from bidsify.errors import DeclarationError

EXAMPLES = Path(__file__).parents[1] / "examples"
PACKAGE = Path(bidsify.__file__).parent

MINE = '''
"""Knees of our clinic."""

from bidsify.dataset import Column, Dataset, Image, Naming, Segmentation, Terms
from bidsify.labels import label_table

DATASET = Dataset(
    name="knees",
    title="Knees",
    edition="2026",
    layout="",
    fields={"knee": r"\\d+", "side": "left|right"},
    naming=Naming(
        subject="K{knee:03}", session="{side}",
        source_id="knee {knee}", session_source_id="knee {knee} {side}",
    ),
    products=(
        Image(
            name="pd", source=("{knee}_{side}/scan.nii",), suffix="PDw",
            sidecar={"SkullStripped": False, "BodyPart": "KNEE"},
        ),
        Segmentation(
            source=("{knee}_{side}/bones.nii",), of=("pd",), labels=label_table(__file__),
            coding="source_value", entities={"segmentation": "bones"}, sidecar={"Manual": True},
        ),
    ),
    columns={"knee": Column(description="Number of the knee.", value="{knee}")},
    terms=Terms(licence="CC0-1.0", summary="Free.", redistribution="allowed", evidence="me"),
    citation="nobody", authors=("Nobody N.",), source_url="https://example.org/knees",
)
'''
TABLE = "index\tname\tsource_value\n0\tbackground\t0\n1\tfemur\t100,200\n2221\ttibia\t300-310\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a declaration and a source of three scans."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.tsv").write_text(TABLE)
    generator = np.random.default_rng(6)
    affine = np.diag([0.5, 0.5, 3, 1])
    for name in ("7_left", "7_right", "12_left"):
        scan = generator.integers(0, 4000, (6, 5, 4)).astype(np.int16)
        bones = generator.choice([0, 100, 200, 305], (6, 5, 4)).astype(np.int16)
        native.save(tmp_path / f"in/{name}/scan.nii", native.nifti(scan, affine))
        native.save(tmp_path / f"in/{name}/bones.nii", native.nifti(bones, affine))
    return tmp_path


def test_it_is_converted_and_proved(place: Path) -> None:
    package = snapshot_of_code()
    ran = shell("convert", "in", "out", "--dataset", "./mine.py", "-j", "2", cwd=place)
    assert ran.code == 0, ran.err
    assert ran.buckets["converted"] == 6
    out = place / "out"
    assert sorted(path.name for path in out.glob("sub-*/ses-*")) == [
        "ses-left",
        "ses-left",
        "ses-right",
    ]
    lines = (out / "participants.tsv").read_text().splitlines()
    assert lines == [
        "participant_id\tsource_id\tknee",
        "sub-K007\tknee 7\t7",
        "sub-K012\tknee 12\t12",
    ]
    for path in out.rglob("*_dseg.nii.gz"):
        side, knee = path.parts[-3].removeprefix("ses-"), int(path.parts[-4].removeprefix("sub-K"))
        labels, image = volume(path)
        stored, _ = volume(place / f"in/{knee}_{side}/bones.nii")
        assert image.get_data_dtype() == np.int16
        assert np.array_equal(labels == 1, (stored == 100) | (stored == 200))
        assert np.array_equal(labels == 2221, stored == 305)
    verified = shell("verify", "in", "out", "--dataset", "./mine.py", cwd=place)
    assert (verified.code, verified.out) == (0, "verified: nothing lost or changed\n")
    again = shell("convert", "in", "out", "--dataset", "./mine.py", cwd=place)
    assert again.buckets["kept"] == 6
    assert snapshot_of_code() == package


def snapshot_of_code() -> dict[str, bytes]:
    return {k: v for k, v in snapshot(PACKAGE).items() if "__pycache__" not in k}


def test_it_is_converted_through_the_library(place: Path) -> None:
    mine = str(place / "mine.py")
    done = bidsify.convert(place / "in", place / "out", dataset=mine)
    assert done.is_complete
    assert bidsify.verify(place / "in", place / "out", dataset=mine) == []
    layout = bidsify.load(place / "out")
    assert len(layout.get(suffix="dseg", extension=".nii.gz", segmentation="bones")) == 3
    (table,) = layout.label_tables.values()
    assert table.names == {0: "background", 1: "femur", 2221: "tibia"}
    assert [unit.name for unit in bidsify.plan(place / "in", mine).units] == [
        "sub-K007/ses-left",
        "sub-K007/ses-right",
        "sub-K012/ses-left",
    ]


def test_it_is_planned_and_shown(place: Path) -> None:
    ran = run("plan", place / "in", "--dataset", place / "mine.py", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["dataset"] == "knees"
    assert "femur" in run("datasets", place / "mine.py").out


def test_it_passes_the_official_validator(place: Path) -> None:
    from test_datasets import official_issues

    bidsify.convert(place / "in", place / "out", dataset=str(place / "mine.py"))
    errors = [i for i in official_issues(place / "out") if i["severity"] == "error"]
    assert errors == []


def test_it_has_the_checks_of_the_others(place: Path) -> None:
    data = np.full((6, 5, 4), 299, np.int16)
    native.save(place / "in/7_left/bones.nii", native.nifti(data, np.diag([0.5, 0.5, 3, 1])))
    ran = run("convert", place / "in", place / "out", "--dataset", place / "mine.py")
    assert ran.code == 1
    (failure,) = ran.failures
    assert failure.startswith(
        "7_left/bones.nii: voxel values without a row in the label table: [299]"
    )


def test_it_does_not_take_the_tree_of_another(place: Path) -> None:
    run("convert", place / "in", place / "out", "--dataset", place / "mine.py")
    (place / "other.py").write_text(MINE.replace('name="knees"', 'name="elbows"'))
    (place / "other.tsv").write_text(TABLE)
    ran = run("convert", place / "in", place / "out", "--dataset", place / "other.py")
    assert ran.code == 2
    assert "holds files made of 'knees'" in ran.error


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("DATASET = ", "DATA = ", "mine.py: defines no DATASET; see examples/"),
        ("DATASET = Dataset(", "DATASET = dict(", "mine.py: defines no DATASET; see examples/"),
        ("DATASET = ", "DATASET == ", "mine.py: .*NameError"),
        ("naming=", "naming=(", "mine.py: not a working declaration: SyntaxError"),
        ("edition=", "eddition=", "mine.py: not a working declaration: TypeError: .*eddition"),
        ('    edition="2026",\n', "", "mine.py: not a working declaration: TypeError: .*edition"),
        ("from bidsify.labels", "from bidsify.lables", "not a working declaration: ModuleNotFound"),
        ("DATASET = ", "None.name\nDATASET = ", "not a working declaration: AttributeError"),
        ("DATASET = ", "{}[1]\nDATASET = ", "not a working declaration: KeyError"),
        ("DATASET = ", "int('x')\nDATASET = ", "not a working declaration: ValueError"),
        ("DATASET = ", "open('/none')\nDATASET = ", "not a working declaration: FileNotFound"),
        ('suffix="PDw"', 'suffix="PDX"', "sub-\\S+_PDX.nii.gz: BIDS has no suffix 'PDX'"),
        ('"segmentation": "bones"', '"segmentation": "the bones!"', "the bones!"),
        ('"segmentation": "bones"', '"colour": "red"', "colour"),
        ('"segmentation": "bones"', '"direction": "AP"', "no rule of BIDS allows"),
        ('coding="source_value"', 'coding="source_valeu"', "source_valeu"),
        ('source=("{knee}_{side}/scan', 'source=("{KNEE}_{side}/scan', "pattern .*not understood"),
        ('"knee": r"\\\\d+"', '"knee": "("', "knee"),
        ('of=("pd",)', 'of=("PD",)', "PD"),
        ('licence="CC0-1.0"', 'licence=""', "dataset_description.json: .*License"),
        ('authors=("Nobody N.",)', "authors=()", "dataset_description.json: .*Authors"),
        ('"https://example.org/knees"', '""', "dataset_description.json: "),
        (
            'suffix="PDw"',
            'suffix="PDw", datatype="ct"',
            r"bones.nii' lies on 'pd' \(folder ct/\) but goes to anat/; state datatype='ct'",
        ),
        ("K{knee:03}", "K{knees:03}", "knees"),
        ('value="{knee}"', 'value="{knees}"', "knees"),
    ],
)
def test_a_declaration_that_is_broken(old: str, new: str, says: str, place: Path) -> None:
    text = MINE.replace("\\\\d", "\\d")
    old = old.replace("\\\\d", "\\d")
    assert old in text
    (place / "mine.py").write_text(text.replace(old, new, 1))
    refused(place, says)


@pytest.mark.parametrize(
    ("kind", "of", "datatype", "says"),
    [
        (Segmentation, ("ct",), "anat", "'x.nii' lies on 'ct' (folder ct/) but goes to anat/;"),
        (Segmentation, ("mri",), "ct", "'x.nii' lies on 'mri' (folder anat/) but goes to ct/;"),
        (Segmentation, ("ct",), "ct", ""),
        (Segmentation, ("mri",), "anat", ""),
        (Segmentation, ("ct", "mri"), "anat", ""),
        (Segmentation, ("ct", "mri"), "dwi", "lies on 'ct' (folder ct/) but goes to dwi/; state "),
        (Masks, ("ct",), "anat", "goes to anat/; state datatype='ct'"),
        (Masks, ("ct",), "ct", ""),
        (Masks, (), "anat", ""),
        (Points, "ct", "anat", "goes to anat/; state datatype='ct'"),
        (Points, "mri", "anat", ""),
        (Points, "", "anat", ""),
    ],
)
def test_what_lies_on_an_image_goes_into_its_folder(
    kind: type[Product], of: object, datatype: str, says: str
) -> None:
    declared = datasets.load(str(EXAMPLES / "liver_mri.py"))
    image, drawn = declared.products
    own = {Segmentation: {"labels": drawn.labels}, Points: {"columns": {}}}.get(kind, {})
    naming = Naming(subject="1", source_id="1")
    product = kind(source=("x.nii",), of=of, datatype=datatype, naming=naming, **own)
    products = (image, replace(image, name="ct", suffix="ct", datatype="ct"), product)
    dataset = replace(declared, products=products)
    if not says:
        check(dataset)
        return
    with pytest.raises(DeclarationError, match=re.escape(says)):
        check(dataset)


def test_a_word_may_be_refined_by_a_class_of_the_user() -> None:
    """Its module may be one that nobody can import."""
    mine = dataclass(frozen=True, kw_only=True)(
        type("Mine", (Image,), {"__module__": "nowhere", "__annotations__": {"more": int}})
    )
    declared = datasets.load(str(EXAMPLES / "liver_mri.py"))
    image, drawn = declared.products
    own = {field.name: getattr(image, field.name) for field in fields(image)}
    check(replace(declared, products=(mine(**own, more=1), drawn)))
    with pytest.raises(DeclarationError, match="reader='spoon' is none of nifti, "):
        check(replace(declared, products=(mine(**{**own, "reader": "spoon"}, more=1), drawn)))


WORDS = sorted({getattr(dataset, name) for name in dataset.__all__} - {Json, Pairing}, key=repr)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.__name__)
def test_each_word_of_a_declaration_is_explained(word: type) -> None:
    """In the docstring of the class that has it, or that gives it a meaning of its own."""
    inherited = {name for base in word.__mro__[1:] for name in vars(base).get("__slots__", ())}
    for name in {field.name for field in fields(word)} - inherited:
        assert re.search(rf"``{name}``|^ +{name}: ", word.__doc__ or "", re.MULTILINE), name


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "mine.tsv: no readable table: .*No such file"),
        ("", "mine.tsv: "),
        ("name\n", "mine.tsv: "),
        ("index\tname\n0\tbackground\n", "source_value"),
        ("index\tname\tsource_value\n0\tx\t0\n0\ty\t1\n", "mine.tsv: an index occurs twice"),
        (
            "index\tname\tsource_value\n0\tx\t0\n1\ty\t0-4\n",
            "native value 0 stands for two regions",
        ),
        ("index\tname\tsource_value\n0\tx\tzero\n", r"mine.tsv: \$\[0\].source_value"),
        ("index\tname\tsource_value\n-1\tx\t0\n", r"mine.tsv: \$\[0\].index"),
        ("index\tname\tsource_value\n0\t\t0\n", r"mine.tsv: \$\[0\].name"),
        ("index\tname\tsource_value\tsize\n0\tx\t0\t3\n", "unknown column 'size'"),
        ("index\tname\tsource_value\n0\tx\n", "mine.tsv: "),
        ("index\tname\tsource_value\n0\tx\t0\t1\n", "mine.tsv: "),
        ("index\tname\tsource_value\tcolor\n0\tx\t0\tred\n", r"mine.tsv: \$\[0\].color"),
        ("index\tname\tsource_value\n9999999999\tx\t0\n", "mine.tsv: "),
        ("index\tname\tsource_value\n0\tx\t9-1\n", "mine.tsv: "),
    ],
)
def test_a_label_table_that_is_broken(table: str | None, says: str, place: Path) -> None:
    if table is None:
        (place / "mine.tsv").unlink()
    else:
        (place / "mine.tsv").write_text(table)
    refused(place, says)


def test_a_label_table_that_is_no_text(place: Path) -> None:
    (place / "mine.tsv").write_bytes(b"\xff\xfe\0")
    refused(place, "mine.tsv: no readable table")


def refused(place: Path, says: str) -> Ran:
    """Check that a declaration is refused in one sentence, before anything is written."""
    for command in (("plan", place / "in"), ("convert", place / "in", place / "out")):
        ran = run(*command, "--dataset", place / "mine.py")
        assert ran.code == 2, ran.err
        assert ran.out == ""
        assert re.search(says, ran.error), ran.error
        assert not (place / "out").exists()
    return ran


def test_a_declaration_that_is_not_there(place: Path) -> None:
    ran = run("plan", place / "in", "--dataset", place / "yours.py")
    assert ran.code == 2
    assert ran.error == f"{place / 'yours.py'}: no such declaration file"


def test_an_edited_declaration_is_read_again(place: Path) -> None:
    """In a notebook, too, where the process goes on."""
    mine = str(place / "mine.py")
    assert bidsify.plan(place / "in", mine).dataset == "knees"
    (place / "mine.py").write_text(MINE.replace('name="knees"', 'name="elbows"'))
    assert bidsify.plan(place / "in", mine).dataset == "elbows"


# The example


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a folder with a source in the layout that the example declares."""
    declared = runpy.run_path(str(EXAMPLES / "liver_mri.py"))["DATASET"]
    assert declared.naming.subject == "{case}"
    shutil.copyfile(EXAMPLES / "liver_mri.py", tmp_path / "liver_mri.py")
    shutil.copyfile(EXAMPLES / "liver_mri.tsv", tmp_path / "liver_mri.tsv")
    affine = np.diag([2.0, 2.0, 4.0, 1])
    for name in ("imagesTr/liver_001", "imagesTr/liver_002", "imagesTs/liver_014"):
        content = native.nifti(np.arange(60, dtype=np.int16).reshape(3, 4, 5), affine)
        native.save(tmp_path / f"download/{name}.nii.gz", native.gzipped(content))
    for name in ("labelsTr/liver_001", "labelsTr/liver_002"):
        content = native.nifti(np.arange(60, dtype=np.uint8).reshape(3, 4, 5) % 3, affine)
        native.save(tmp_path / f"download/{name}.nii.gz", native.gzipped(content))
    return tmp_path


def test_the_commands_of_the_example_work(example: Path) -> None:
    """Those that its README shows, word for word."""
    from test_datasets import official_issues

    shutil.copytree(EXAMPLES, example / "examples")
    shown = re.findall(r"^bidsify (.*examples/liver_mri\.py.*)$", readme(), re.MULTILINE)
    assert [line.split()[0] for line in shown] == ["plan", "convert", "verify"]
    for line in shown:
        ran = shell(*line.split(), cwd=example)
        assert ran.code == 0, ran.err
        assert ran.warnings == []
    out = example / "bids"
    assert json.loads((out / RECORD).read_text())["buckets"]["converted"] == 5
    assert (out / "sub-001/anat/sub-001_dseg.nii.gz").is_file()
    assert not (out / "sub-014/anat/sub-014_dseg.nii.gz").exists()
    assert {issue["code"] for issue in official_issues(out)} <= {"TOO_FEW_AUTHORS"}


def test_a_further_edition_of_a_family_takes_one_entry_and_its_tables(
    source: Make, tmp_path: Path
) -> None:
    """The example of BraTS 2025, on files that are named as those of 2024."""
    declared = str(EXAMPLES / "brats2025.py")
    done = bidsify.convert(source("brats2024"), tmp_path / "out", dataset=declared)
    assert done.failures == []
    assert bidsify.verify(source("brats2024"), tmp_path / "out", dataset=declared) == []
    assert (tmp_path / "out/dseg.tsv").read_text().splitlines()[-1].startswith("4\tresection")
    assert "whole tumour\tWT\t1,2,3" in (tmp_path / "out/regions.tsv").read_text()
    files = sorted(path.name for path in EXAMPLES.glob("brats2025*"))
    assert files == ["brats2025.py", "brats2025.tsv", "brats2025_regions.tsv"]


def readme() -> str:
    return (EXAMPLES / "README.md").read_text()
