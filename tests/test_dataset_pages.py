"""The pages of docs/datasets say what the declarations say, all of it.

Run this file with ``UPDATE_DOCS=1`` in the environment to write them anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders import toy

import bidsify
from bidsify import dataset_pages, datasets, markdown
from bidsify.cli import main
from bidsify.dataset import Column, Dataset, Ignored, Segmentation, Sign, SubjectTable
from bidsify.label_files import label_files
from bidsify.labels import UNSTATED, RegionTable
from bidsify.planning import shared

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "datasets"
NAMES = datasets.names()
every_dataset = pytest.mark.parametrize("name", NAMES)

if os.environ.get("UPDATE_DOCS"):
    dataset_pages.write(FOLDER)


def committed(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text("utf-8")


def shown(dataset: Dataset) -> str:
    """Return the page of a dataset that stands alone."""
    return dataset_pages.page(dataset, {dataset.name: dataset})


def section(page: str, title: str) -> str:
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in a text, heads included."""
    lines = [line for line in text.splitlines() if re.match(r"\| ", line)]
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in lines
    ]


# The committed files


@pytest.mark.parametrize("name", ["README", *NAMES])
def test_a_page_is_what_the_declaration_gives(name: str) -> None:
    made = dataset_pages.documents()[f"{name}.md"]
    assert committed(name) == made, "run UPDATE_DOCS=1 pytest tests/test_dataset_pages.py"


def test_each_dataset_has_a_page_and_nothing_else_has_one() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", *(f"{n}.md" for n in NAMES)}


@every_dataset
def test_the_index_has_one_line_for_each(name: str) -> None:
    dataset = datasets.load(name)
    (line,) = [row for row in rows(committed("README")) if row[0] == f"[{name}]({name}.md)"]
    wanted = [dataset.title, dataset.edition, dataset.terms.licence, dataset.terms.redistribution]
    assert [line[1], line[2], line[6], line[7]] == [markdown.inline(text) for text in wanted]
    assert line[5] == str(dataset.expected_subjects or "unknown")


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    for target in targets:
        assert "://" in target or (FOLDER / target).is_file(), target


@every_dataset
def test_the_commands_that_it_shows_are_there(name: str) -> None:
    page = committed(name)
    found = re.findall(r"bidsify (convert|demo) ([^`\n]+)", page)
    assert {command for command, _ in found} == {"convert", "demo"}
    program = main.make_context("bidsify", ["x"], resilient_parsing=True)
    for command, arguments in found:
        assert main.commands[command].make_context(command, arguments.split(), program).params
    asks = any(not each.table.is_stated for each in label_files(datasets.load(name)))
    assert ("--label-table labels.tsv\n```" in page) == asks


# What a page says


@every_dataset
def test_nothing_that_a_user_must_know_is_left_out(name: str) -> None:
    dataset, page = datasets.load(name), committed(name)
    assert page.startswith(f"# {markdown.inline(dataset.title)}\n\nEdition: ")
    assert dataset.layout.strip() in section(page, "Before and after")
    traps = section(page, "Traps, and what is done about them").strip().splitlines()
    assert traps == [f"- {markdown.inline(trap)}" for trap in dataset.traps]
    for text in (dataset.terms.licence, dataset.terms.summary, dataset.terms.evidence):
        assert markdown.inline(text) in section(page, "Terms")
    assert markdown.inline(dataset.citation) in section(page, "Citation")
    assert dataset.source_url in section(page, "Links")
    assert markdown.inline(dataset.notes) in section(page, "Notes")
    for text in (*dataset.also, *(sign.path for sign in dataset.signs if sign.path)):
        assert markdown.code(text) in page


@every_dataset
def test_each_row_of_each_label_table_is_shown(name: str) -> None:
    dataset, part = datasets.load(name), section(committed(name), "Labels")
    for each in label_files(dataset):
        table = part.partition(f"### `{each.name}`\n")[2].partition("\n### ")[0]
        assert ("**Not known**" in table) != each.table.is_stated
        cells = [[cell.strip("`") for cell in row] for row in rows(table)]
        for row in each.table.rows:
            assert [markdown.inline(cell) for cell in row.values()] in cells
    for row in dataset.regions.rows if dataset.regions else ():
        assert [row["name"], row["abbreviation"], row["indices"]] in rows(part)


@every_dataset
def test_products_sets_columns_and_what_is_left_out_are_shown(name: str) -> None:
    dataset, page = datasets.load(name), committed(name)
    files = section(page, "Files")
    for pattern in {text for product in dataset.products for text in product.source}:
        assert markdown.code(pattern) in files
    counts = {row[0].strip("`"): row[1] for row in rows(section(page, "Subjects"))}
    for part, count in dataset.subjects.items():
        assert counts[part or "all"] == str(count)
    people = section(page, "participants.tsv")
    for column, meaning in dataset.columns.items():
        (row,) = [row for row in rows(people) if row[0] == markdown.code(column)]
        assert row[1].startswith(markdown.inline(meaning.description))
    for table in dataset.tables:
        assert f"- {markdown.code(table.source)}" in people
    left = rows(section(page, "Left out"))
    for rule in dataset.ignored:
        assert [markdown.code(rule.source), markdown.inline(rule.reason)] in left


@pytest.mark.parametrize(
    ("name", "title", "text"),
    [
        ("brats2023", "How it is told from other editions", "`brats2024` have the same names"),
        ("brats2024", "How it is told from other editions", "- the label 4 in one of the "),
        ("brats2024", "How it is told from other editions", "- a grid of 182 x 218 x 182 voxels"),
        ("brats2020", "participants.tsv", "`survival` becomes `survival_days`"),
        ("prostate158", "participants.tsv", "is a list: being named there states `split` `valid`"),
        ("lumbosacral", "participants.tsv", "`participants.json` defines the columns"),
        ("ssmspine", "Warnings that remain", "`NIFTI_UNIT`: the source states no size"),
        ("harvard", "Warnings that remain", "`NIFTI_UNIT`: the source states no size"),
        ("chaos", "Warnings that remain", "- `portal`: values outside of -2048 to 4095"),
        ("chaos", "Labels", "**Refused**: a source whose masks hold 80, 160 and none of 63,"),
        ("vsseg", "Labels", "| 2 | `Cochlea`, `Cochlea_c`, `Cochlea_d` |"),
        ("vsseg", "Files", "| `VS-SEG-{number}/*/*/*.dcm` | MR | `(?i)\\bt1` |"),
        ("vssegnifti", "Labels", "BIDS has no file for this table"),
        ("harvard", "Subjects", "Their number was not established."),
        ("harvard", "Labels", "The dataset has no label maps."),
        ("crossmoda2021", "Left out", "Nothing that is known."),
    ],
)
def test_what_is_special_is_said(name: str, title: str, text: str) -> None:
    assert text in section(committed(name), title)


def test_other_editions_are_linked_and_other_datasets_are_not() -> None:
    assert "Relatives: [crossmoda2021](crossmoda2021.md), [crossmoda2022]" in committed(
        "crossmoda2023"
    )
    assert "Relatives" not in committed("myops380")
    assert "Also known as `brats2022`" in committed("brats2021")


def test_the_order_of_signs_is_that_in_which_they_are_asked() -> None:
    part = section(committed("brats2024"), "How it is told from other editions")
    assert re.findall(r"^- \w+ (\w+)", part, re.MULTILINE) == ["path", "label", "grid"]


def test_a_declaration_of_ones_own_has_a_page_too() -> None:
    page = shown(toy())
    assert page.startswith("# Toy\n")
    assert "bidsify convert DOWNLOAD toy-bids\n" in page
    assert "bidsify/datasets/toy.py" not in page


def test_a_label_table_that_is_not_known_is_said_so() -> None:
    dataset = toy()
    products = tuple(
        type(p)(**{**{f: getattr(p, f) for f in p.__dataclass_fields__}, "labels": UNSTATED})
        if isinstance(p, Segmentation)
        else p
        for p in dataset.products
    )
    page = shown(toy(products=products))
    assert "bidsify convert DOWNLOAD toy-bids --label-table labels.tsv\n" in page
    assert "**Not known**" in section(page, "Labels")
    assert "**Not known**" not in section(shown(dataset), "Labels")


def test_nothing_in_a_declaration_becomes_markup() -> None:
    page = shown(
        toy(
            title="A | B <b>",
            edition="*1*",
            traps=("<script> & [x](y) | z", "# no heading"),
            signs=(Sign(path="a|b`c"),),
            ignored=(Ignored(source="a|b.txt", reason="it | that <i>"),),
            columns={"x": Column(description="1 < 2 | 3", levels={"a|b": "<c>"})},
            tables=(SubjectTable(source="*.csv", states={"x": "a"}),),
            regions=RegionTable(("name", "indices"), ({"name": "a|b <i>", "indices": "1"},)),
        )
    )
    outside = re.sub(r"```.*?```|``.*?``|`[^`]*`", "", page, flags=re.DOTALL)
    assert not re.search(r"<(?!br>|https?://)", outside)
    assert "- &lt;script&gt; &amp; \\[x\\](y) | z\n- \\# no heading\n" in page
    assert "| `a\\|b.txt` | it \\| that &lt;i&gt; |" in page
    assert "| a\\|b &lt;i&gt; |  | 1 |" in page
    assert "`` a|b`c ``" in page
    assert "- `*.csv`: all columns, under their names in lower case; being named there" in page


@every_dataset
def test_the_label_tables_are_those_that_a_conversion_writes(name: str) -> None:
    dataset = datasets.load(name)
    written = shared._inherited(dataset)
    assert {f.name: f.table.to_tsv() for f in label_files(dataset) if f.is_written} == {
        **{f.name: "\n" for f in label_files(dataset) if not f.table.is_stated},
        **{target: text for target, text in written.items() if target.endswith(".tsv")},
    }


# Writing


def test_pages_of_datasets_that_are_gone_are_removed(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("old")
    (tmp_path / "picture.png").write_bytes(b"kept")
    dataset_pages.write(tmp_path)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.md")}
    assert made == dataset_pages.documents()
    assert (tmp_path / "picture.png").exists()


def test_the_program_says_how_it_is_called() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bidsify.dataset_pages"],
        cwd=Path(bidsify.__file__).parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "usage: python -m bidsify.dataset_pages DIR\n"


# Markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, 1.5 x 2", "plain text, 1.5 x 2"),
        ("a*b* and _c_ but d_e", "a\\*b\\* and \\_c\\_ but d_e"),
        ("`a*b` stays, ` does not", "`a*b` stays, \\` does not"),
        ("<b> & [x](y) ~z~", "&lt;b&gt; &amp; \\[x\\](y) \\~z\\~"),
        ("two\n lines", "two lines"),
        ("- no item", "\\- no item"),
        ("1. no item", "1\\. no item"),
        ("1.5 is a number", "1.5 is a number"),
        ("see doi:10.1/a_b, and more", "see [doi:10.1/a_b](https://doi.org/10.1/a_b), and more"),
        ("arXiv:1811.02629.", "[arXiv:1811.02629](https://arxiv.org/abs/1811.02629)."),
        ("(https://x.org/a_b_).", "(<https://x.org/a_b_>)."),
        ("", ""),
    ],
)
def test_a_text_reads_as_it_stands(text: str, expected: str) -> None:
    assert markdown.inline(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("a|b", "`a|b`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```")]
)
def test_a_code_span_holds_anything(text: str, expected: str) -> None:
    assert markdown.code(text) == expected


def test_cells_keep_their_pipes() -> None:
    assert list(markdown.table(("a", "b"), [("1|2", "")])) == [
        "| a | b |",
        "|---|---|",
        "| 1\\|2 |  |",
    ]


def test_a_block_ends_where_it_should() -> None:
    assert list(markdown.block("x\n```\ny", "text")) == ["````text", "x\n```\ny", "````"]
