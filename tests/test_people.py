"""Who is in a tree, and what tables of the source say of them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from builders import reading
from hypothesis import given
from hypothesis import strategies as st
from test_tables import rows_of

from bidsify.conversion.people import people as made_of
from bidsify.conversion.people import people_sidecar
from bidsify.errors import SourceError
from bidsify.planning.shared_jobs import NativeTable, PeopleJob, PeopleSidecarJob
from bidsify.readers import rows


def people_job(*natives: NativeTable) -> PeopleJob:
    return PeopleJob(
        target="participants.tsv",
        columns=("participant_id", "source_id", "split"),
        rows=tuple((f"sub-{n}", (f"sub-{n}", f"case{n}", "Train")) for n in "123"),
        natives=natives,
    )


TABLE = NativeTable("p.tsv")


def people(native: str, folders: tuple[str, ...] = ("sub-1", "sub-2")) -> list[dict[str, str]]:
    made = made_of(people_job(TABLE), reading({"p.tsv": native.encode()}), frozenset(folders))
    return rows_of(made.content)


def test_people_are_those_who_have_a_folder() -> None:
    made = made_of(people_job(), reading({}), frozenset(["sub-3", "sub-1", "sub-9"]))
    assert rows_of(made.content) == [
        {"participant_id": f"sub-{n}", "source_id": f"case{n}", "split": "Train"} for n in "13"
    ]
    assert made.notes == ()


def test_columns_of_the_source_are_added() -> None:
    native = "participant_id\tsex\tsplit\nsub-2\tF\tmine\nsub-7\tM\tx\n"
    made = made_of(
        people_job(TABLE), reading({"p.tsv": native.encode()}), frozenset(["sub-1", "sub-2"])
    )
    assert [(r["participant_id"], r["sex"], r["split"]) for r in rows_of(made.content)] == [
        ("sub-1", "n/a", "Train"),
        ("sub-2", "F", "Train"),
    ]
    assert made.notes == (
        "p.tsv: other values of split are left out: sub-2 ('mine', elsewhere 'Train')",
        "p.tsv: 1 subjects have no files: sub-7",
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_byte_order_marks_and_blanks_are_no_content(end: str, mark: str) -> None:
    lines = ["participant_id\t sex \tnote", "sub-1 \tF\t a  b ", "", "sub-2\tM\t"]
    rows = people(mark + end.join(lines) + end)
    assert [(r["sex"], r["note"]) for r in rows] == [("F", "a b"), ("M", "n/a")]


def test_a_short_row_has_no_values() -> None:
    assert [r["sex"] for r in people("participant_id\tsex\nsub-1\nsub-2\tM\n")] == ["n/a", "M"]


@pytest.mark.parametrize("head", [" participant_id", "participant_id ", "participant_id\u00a0"])
def test_blanks_around_the_first_column_do_not_hinder(head: str) -> None:
    assert [r["sex"] for r in people(f"{head}\tsex\nsub-1\tF\nsub-2\tM\n")] == ["F", "M"]


def test_quotes_are_text() -> None:
    rows = people('participant_id\tnote\nsub-1\t"a\nsub-2\tb"\n')
    assert [r["note"] for r in rows] == ['"a', 'b"']


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        *(("34", "34"), ("89", "89"), ("90", "89"), ("103.5", "89"), ("89.5", "89")),
        *(("0.5", "0.5"), ("n/a", "n/a"), ("", "n/a"), ("unknown", "n/a")),
        *(("nan", "n/a"), ("NaN", "n/a"), ("inf", "n/a"), ("-inf", "n/a")),
        *(("61y", "61"), ("61 years", "61"), ("60,5", "60.5"), (">89", "89"), ("> 89", "89")),
        *(("95Y", "89"), (">40", "40"), ("6O", "n/a")),
    ],
)
@pytest.mark.parametrize("name", ["age", "Age", "AGE"])
def test_ages_that_identify_are_capped(name: str, age: str, shown: str) -> None:
    assert people(f"participant_id\t{name}\nsub-1\t{age}\nsub-2\t1\n")[0]["age"] == shown


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a readable table; is it empty"),
        (b"\xff\xfe\0", "not a readable table \\("),
        (b"\0\0", "not a readable table"),
        (b"participant_id\nsub-1\tx\n", "a row is longer than the head"),
        (b"participant_id\tAge\tage\n", "the column 'age' occurs twice"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(SourceError, match=f"^a/p.tsv: .*{why}"):
        rows.read(content, "a/p.tsv")


@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=5
            ).map(lambda text: " ".join(text.split())),
            min_size=2,
            max_size=2,
        ),
        max_size=4,
    )
)
def test_cells_are_taken_over_as_they_are(cells: list[list[str]]) -> None:
    lines = [f"sub-{n}\t{a}\t{b}" for n, (a, b) in enumerate(cells)]
    content = "\n".join(["participant_id\tone\ttwo", *lines]).encode() + b"\n"
    table = rows.read(content, "p.tsv")
    assert table.columns == ("participant_id", "one", "two")
    assert [list(row[1:]) for row in table.cells] == cells


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_may_be_separated_by_what_its_head_shows(separator: str) -> None:
    lines = [["id", "note"], ["1", '"a, b; c"']]
    content = "\n".join(separator.join(line) for line in lines)
    assert rows.read(content.encode(), "p.csv").cells == (("1", "a, b; c"),)


# --- tables of other forms ----------------------------------------------------------------------


def joined(native: NativeTable, content: str) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    files = reading({native.path: content.encode()})
    made = made_of(people_job(native), files, frozenset(["sub-1", "sub-2"]))
    return rows_of(made.content), made.notes


@pytest.mark.parametrize("name", ["BraTS20ID", "Brats20ID", "x", "ID"])
def test_the_column_of_ids_is_found_by_its_content(name: str) -> None:
    found, notes = joined(NativeTable("a.csv"), f"Age,{name},Grade\n2,case1,HGG\n1,case2,LGG\n")
    assert [row["grade"] for row in found] == ["HGG", "LGG"]
    assert [row["age"] for row in found] == ["2", "1"]
    assert notes == ()


@pytest.mark.parametrize("text", ["1", "01", "001", "sub-1", "case1", " case1 "])
def test_an_id_may_be_padded_or_not(text: str) -> None:
    found, _ = joined(NativeTable("a.csv"), f"ID,x\n{text},here\n")
    assert [row["x"] for row in found] == ["here", "n/a"]


def test_an_id_that_two_subjects_could_have_is_nobodys() -> None:
    rows_ = (("sub-a1", ("sub-a1", "1")), ("sub-b1", ("sub-b1", "01")))
    job = PeopleJob(target="p", columns=("participant_id", "source_id"), rows=rows_,
                    natives=(NativeTable("a.csv"),))  # fmt: skip
    made = made_of(job, reading({"a.csv": b"ID,x\n1,here\n"}), frozenset(["sub-a1", "sub-b1"]))
    assert made.notes == ("a.csv: no column holds the native ids of subjects; left out",)


def test_columns_get_the_names_of_the_declaration_or_plain_ones() -> None:
    native = NativeTable("a.csv", renamed=(("resectionstatus", "extent_of_resection"),))
    found, _ = joined(native, "ID,ResectionStatus,TCGA TCIA.ID\ncase1,GTR,x\n")
    assert found[0]["extent_of_resection"] == "GTR"
    assert found[0]["tcga_tcia_id"] == "x"


def test_text_among_numbers_stays_text() -> None:
    found, _ = joined(NativeTable("a.csv"), "ID,Survival_days\ncase1,ALIVE (361 days later)\n")
    assert found[0]["survival_days"] == "ALIVE (361 days later)"


@pytest.mark.parametrize("text", ["", "NA", "nan", "N/A", "None", "NULL"])
def test_what_is_missing_is_na(text: str) -> None:
    found, _ = joined(NativeTable("a.csv"), f"ID,x\ncase1,{text}\n")
    assert found[0]["x"] == "n/a"


def test_being_listed_states_something_and_no_column_is_taken() -> None:
    native = NativeTable("v.csv", states=(("set", "valid"),), is_list=True)
    found, _ = joined(native, "ID,t2\n2,train/002/t2.nii.gz\n")
    assert [row["set"] for row in found] == ["n/a", "valid"]
    assert "t2" not in found[0]


def test_what_two_sources_say_differently_is_told() -> None:
    found, notes = joined(NativeTable("a.csv"), "ID,Split\n1,Test\n2,Train\n")
    assert [row["split"] for row in found] == ["Train", "Train"]
    assert notes == (
        "a.csv: other values of split are left out: sub-1 ('Test', elsewhere 'Train')",
    )


def test_rows_without_an_id_are_nobody() -> None:
    found, notes = joined(NativeTable("a.csv"), "ID,x\n1,a\n,b\n,c\nother,d\nother,e\n")
    assert [row["x"] for row in found] == ["a", "n/a"]
    assert notes == ("a.csv: 1 subjects have no files: other",)


def test_any_column_of_ages_is_capped() -> None:
    found, _ = joined(NativeTable("a.csv"), "ID,Age (years)\n1,95\n")
    assert found[0]["age_years_"] == "89"


def test_an_age_that_is_no_number_is_told() -> None:
    found, notes = joined(NativeTable("a.csv"), "ID,Age\n1,sixty\n2,NA\n")
    assert [row["age"] for row in found] == ["n/a", "n/a"]
    assert notes == ("a.csv: values of age that are no numbers, left out: 'sixty'",)


def test_a_subject_that_occurs_twice_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^a\.csv: sub-1 occurs twice"):
        joined(NativeTable("a.csv"), "ID,x\n1,a\n01,b\n")


def test_definitions_of_the_source_are_taken_over() -> None:
    definitions = {
        "sex": {"Description": "Sex.", "Levels": {"F": "female"}},
        "age": {"Description": "Age.", "Units": "years"},
        "other": {"Description": "not a column"},
        "note": "no entry",
    }
    job = PeopleSidecarJob(
        target="participants.json",
        metadata=json.dumps({"source_id": {"Description": "ours"}}),
        natives=(NativeTable("p.tsv", sidecar="p.json"),),
    )
    native = b"participant_id\tsex\tage\tnote\tsource_id\n"
    files = {"p.tsv": native, "p.json": json.dumps(definitions).encode()}
    assert json.loads(people_sidecar(job, reading(files)).content) == {
        "source_id": {"Description": "ours"},
        "sex": {"Description": "Sex.", "Levels": {"F": "female"}},
        "age": {"Description": "Age.", "Units": "year"},
        "note": {"Description": "As note in p.tsv of the source dataset."},
    }


def test_broken_definitions_are_named() -> None:
    job = PeopleSidecarJob(
        target="x", metadata="{}", natives=(NativeTable("p.tsv", sidecar="p.json"),)
    )
    files = {"p.tsv": b"participant_id\tsex\n", "p.json": b"{"}
    with pytest.raises(SourceError, match=r"^p\.json: not readable JSON"):
        people_sidecar(job, reading(files))


def test_our_tables_are_plain_tables_for_the_csv_module() -> None:
    made = made_of(people_job(), reading({}), frozenset(["sub-1"]))
    rows = list(csv.DictReader(io.StringIO(made.content.decode()), delimiter="\t"))
    assert rows == rows_of(made.content)
