"""Label tables: read, checked, and written back; each native value stands for one region."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_tables

from bidsify import datasets
from bidsify.dataset import Segmentation
from bidsify.errors import DeclarationError
from bidsify.labels import LabelTable, Range, RegionTable, label_table, read_label_table
from bidsify.regions import with_regions

TABLES = {
    f"{name}-{place}": product
    for name in datasets.names()
    for place, product in enumerate(datasets.load(name).products)
    if isinstance(product, Segmentation) and product.labels.is_stated
}


def test_a_table_is_read(tmp_path: Path) -> None:
    table = read_label_table(
        write(
            tmp_path,
            "index\tname\tcolor\tsource_value\tsource_value_ct",
            "0\tbackground\t#000000\t0\t0",
            "5\tright kidney\tn/a\t110-135,140\tn/a",
            "300\tliver\t#b35f44\t55-70\t1-255",
        )
    )
    assert table.names == {0: "background", 5: "right kidney", 300: "liver"}
    assert table.codings == ("source_value", "source_value_ct")
    assert table.ranges(None) == (Range(0, 0, 0), Range(5, 5, 5), Range(300, 300, 300))
    assert table.ranges("source_value") == (
        Range(0, 0, 0),
        Range(55, 70, 300),
        Range(110, 135, 5),
        Range(140, 140, 5),
    )
    assert table.ranges("source_value_ct") == (Range(0, 0, 0), Range(1, 255, 300))
    assert table.to_tsv().splitlines()[2] == "5\tright kidney\tn/a\t110-135,140\tn/a"


@pytest.mark.parametrize(
    ("index", "dtype"),
    [
        *((0, "uint8"), (255, "uint8"), (256, "int16"), (2221, "int16"), (32767, "int16")),
        *((32768, "int32"), (2**31 - 1, "int32")),
    ],
)
def test_the_type_holds_each_value(index: int, dtype: str, tmp_path: Path) -> None:
    assert read_label_table(write(tmp_path, "index\tname", f"{index}\tx")).dtype == dtype


def test_an_index_that_no_type_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"labels\.tsv: .*2147483648"):
        read_label_table(write(tmp_path, "index\tname", "2147483648\tx")).dtype  # noqa: B018


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["index\tname"], "no label table: it needs tab-separated columns index and name"),
        ([], "no label table"),
        (["name", "x"], "no label table"),
        (["index", "0"], "no label table"),
        (["index,name", "0,x"], "no label table"),
        (["index\tname", "-1\tx"], r"\$\[0\]\.index: '-1' does not match"),
        (["index\tname", "01\tx"], r"\$\[0\]\.index: '01' does not match"),
        (["index\tname", "1.0\tx"], r"\$\[0\]\.index: '1\.0' does not match"),
        (["index\tname", "0\t"], r"\$\[0\]\.name: '' does not match"),
        (["index\tname", "0\t x"], r"\$\[0\]\.name: ' x' does not match"),
        (["index\tname", "0\tx", "1"], r"row 3 has 1 cells, the head has 2"),
        (["index\tname", "0\tx\ty"], "cells"),
        (["index\tname\tcolor", "0\tx\tred"], r"\$\[0\]\.color: 'red' does not match"),
        (["index\tname\tsource_value", "0\tx\t1-"], r"\$\[0\]\.source_value: '1-' does not match"),
        (["index\tname\tnote", "0\tx\ty"], "unknown column 'note'"),
        (["index\tname\tname", "0\tx\ty"], "'name' .*twice"),
        (["index\tname", "1\tx", "1\ty"], "an index occurs twice"),
    ],
)
def test_broken_tables_are_refused(lines: list[str], reason: str, tmp_path: Path) -> None:
    path = write(tmp_path, *lines)
    with pytest.raises(DeclarationError, match=f"^{re.escape(str(path))}: .*{reason}"):
        read_label_table(path)


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("55-70", "70-80", 70),
        ("55-70", "60", 60),
        ("60", "55-70", 60),
        ("1,5", "5", 5),
        ("0-255", "0", 0),
    ],
)
def test_a_native_value_of_two_regions_is_refused(
    first: str, second: str, value: int, tmp_path: Path
) -> None:
    lines = [f"0\tx\t{first}", f"1\ty\t{second}"]
    with pytest.raises(
        DeclarationError, match=f"source_value: the native value {value} stands for two regions$"
    ):
        read_label_table(write(tmp_path, "index\tname\tsource_value", *lines))


def test_a_range_that_runs_backwards_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "index\tname\tsource_value", "1\tliver\t70-55")
    with pytest.raises(DeclarationError, match=r"labels\.tsv: .*70-55"):
        read_label_table(path)


def test_a_coding_without_a_column_is_refused(tmp_path: Path) -> None:
    table = read_label_table(write(tmp_path, "index\tname\tsource_value", "1\tliver\t7"))
    with pytest.raises(DeclarationError, match="source_value_ct"):
        table.ranges("source_value_ct")


@pytest.mark.parametrize("cell", ['"a\tb"', '"a\n"', '"a', 'a"b', '"a" b'])
def test_quotes_are_text_and_hide_no_separator(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text(f"index\tname\n0\t{cell}\n", "utf-8")
    try:
        table = read_label_table(path)
    except DeclarationError:
        assert "\t" in cell or "\n" in cell
    else:
        assert table.names == {0: cell}
        assert table.to_tsv() == path.read_text("utf-8")


@given(table=label_tables())
def test_a_table_that_is_written_reads_back_equal(
    table: LabelTable, tmp_path_factory: object
) -> None:
    path = tmp_path_factory.mktemp("labels") / "labels.tsv"  # type: ignore[attr-defined]
    path.write_text(table.to_tsv(), "utf-8", newline="")
    assert read_label_table(path) == table


@given(table=label_tables(), value=st.integers(0, 70))
def test_ranges_say_what_the_rows_say(table: LabelTable, value: int) -> None:
    found = {r.index for r in table.ranges("source_value") if r.low <= value <= r.high}
    wanted = set()
    for row in table.rows:
        for part in row["source_value"].split(","):
            if part != "n/a":
                low, _, high = part.partition("-")
                if int(low) <= value <= int(high or low):
                    wanted.add(int(row["index"]))
    assert found == wanted
    assert len(found) <= 1


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes(b"index\tname\r\n0\tx\r\n")
    assert read_label_table(path).to_tsv() == "index\tname\n0\tx\n"


@pytest.mark.parametrize("content", [b"\xff\xfe\0", None])
def test_what_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeclarationError, match=f"^{re.escape(str(path))}: no readable table: "):
        read_label_table(path)


def test_the_table_beside_a_declaration(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("index\tname\n3\tx\n", "utf-8")
    assert label_table(str(tmp_path / "mine.py")).names == {3: "x"}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_known_datasets(name: str) -> None:
    product = TABLES[name]
    table = product.labels
    assert table.names[0] == "background"
    assert list(table.names) == sorted(table.names)
    assert len(set(table.names.values())) == len(table.names)
    assert {r.index for r in table.ranges(product.coding)} <= set(table.names)
    assert any(r.low <= 0 <= r.high and r.index == 0 for r in table.ranges(product.coding))


def test_labels_name_their_regions() -> None:
    table = LabelTable(
        ("index", "name"), tuple({"index": str(n), "name": f"part {n}"} for n in range(3))
    )
    assert with_regions(table, None) is table
    rows = (
        {"name": "whole", "abbreviation": "W", "indices": "1,2"},
        {"name": "core", "abbreviation": "C", "indices": "2"},
    )
    found = with_regions(table, RegionTable(("name", "abbreviation", "indices"), rows))
    assert found.columns == ("index", "name", "regions")
    assert [row["regions"] for row in found.rows] == ["n/a", "W", "W;C"]


def write(folder: Path, *lines: str) -> Path:
    path = folder / "labels.tsv"
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return path
