"""Tables of common codes: what they map, what they refuse and why; the files that come of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from conftest import Make, snapshot, volume
from hypothesis import given
from hypothesis import strategies as st

import bidsify
from bidsify.errors import UsageError
from bidsify.harmonisation import common_table, segmentations
from bidsify.harmonisation.common_table import (
    check_known,
    label_table,
    map_labels,
    read_common_table,
)
from bidsify.harmonisation.segmentations import TreeTable
from bidsify.records.harmonisation import HARMONISED, faults, read_harmonised

EXAMPLES = Path(__file__).parents[1] / "examples" / "harmonise"
OWN = {0: "background", 1: "liver", 2: "right kidney", 3: "Left  Kidney", 4: "spleen"}


def own_table(names: Mapping[int, str] = OWN, path: str = "dseg.tsv") -> TreeTable:
    rows = tuple({"index": str(index), "name": name} for index, name in names.items())
    return TreeTable(path, ("index", "name"), rows)


def table_of(folder: Path, *rows: str, head: str = "index name from", name: str = "x.tsv") -> Path:
    """Write a table; cells are separated by a bar."""
    lines = [head.replace(" ", "\t"), *(row.replace("|", "\t") for row in rows)]
    (folder / name).write_text("".join(line + "\n" for line in lines), "utf-8")
    return folder / name


ALL = ("1|liver|LIVER", "2|right|right kidney", "3|left|3", "4|spleen| spleen ")


# The mapping


@pytest.mark.parametrize(
    ("rows", "union", "expected"),
    [
        (ALL, False, {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}),
        (("9|liver|1", "300|r|2", "7|l|left kidney", "1|s|spleen"), False,
         {0: 0, 1: 9, 2: 300, 3: 7, 4: 1}),
        (("1|liver|1", "2|kidneys|left kidney, right kidney", "4|spleen|4"), True,
         {0: 0, 1: 1, 2: 2, 3: 2, 4: 4}),
        (("0|background|background,spleen", *ALL[:3]), True, {0: 0, 1: 1, 2: 2, 3: 3, 4: 0}),
        ((*ALL, "5|pancreas|n/a"), False, {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}),
    ],
)  # fmt: skip
def test_labels_get_their_codes(
    tmp_path: Path,
    rows: tuple[str, ...],
    union: bool,  # noqa: FBT001
    expected: dict[int, int],
) -> None:
    common = read_common_table(table_of(tmp_path, *rows))
    check_known(common, [own_table()])
    assert map_labels(common, own_table(), union=union) == expected


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (ALL[:3], "no code for 'spleen' (4) of dseg.tsv; add rows, or name them in the row of "),
        (("1|liver|1,spleen", *ALL[1:3]), "'liver', 'spleen' of dseg.tsv become 1, and could not"),
        (("0|background|spleen", *ALL[:3]), "'spleen' of dseg.tsv would be dropped: 0 is the"),
        ((*ALL, "5|more|liver"), "'liver' becomes 1 and 5; a voxel has one value"),
        ((*ALL, "5|air|background"), "'background' is 0, the background; it stays 0"),
    ],
)
def test_a_loss_is_refused_with_its_reason(
    tmp_path: Path, rows: tuple[str, ...], reason: str
) -> None:
    common = read_common_table(table_of(tmp_path, *rows))
    with pytest.raises(UsageError) as caught:
        map_labels(common, own_table(), union=False)
    assert reason in str(caught.value)


def test_a_value_without_a_code_is_refused_even_where_unions_are_meant(tmp_path: Path) -> None:
    common = read_common_table(table_of(tmp_path, *ALL[:3]))
    with pytest.raises(UsageError, match=r"no code for 'spleen' \(4\)"):
        map_labels(common, own_table(), union=True)


@pytest.mark.parametrize(
    ("rows", "head", "reason"),
    [
        (("1|liver|lever",), "index name from", "the code 1 is from 'lever', which the tree does"),
        (("1|liver|9",), "index name from", "its labels are: background, liver, right kidney"),
        (("1|liver|liver|seg-a_dseg.tsv",), "index name from table", "no label table 'seg-a_dseg"),
    ],
)
def test_what_the_tree_does_not_have_is_named(
    tmp_path: Path, rows: tuple[str, ...], head: str, reason: str
) -> None:
    common = read_common_table(table_of(tmp_path, *rows, head=head))
    with pytest.raises(UsageError) as caught:
        check_known(common, [own_table()])
    assert reason in str(caught.value)


def test_the_rows_of_the_second_table_are_in_the_order_of_the_codes(tmp_path: Path) -> None:
    largest = 2**31 - 1
    rows = (f"{largest}|liver|1", "7|right|2", "9|left|3", "8|spleen|4", "3|none|n/a")
    common = read_common_table(table_of(tmp_path, *rows))
    table = label_table(common, map_labels(common, own_table(), union=False))
    assert [(row["index"], row["source_index"]) for row in table.rows] == [
        *(("0", "0"), ("3", "n/a"), ("7", "2"), ("8", "4"), ("9", "3"), (str(largest), "1")),
    ]


def test_an_index_that_means_two_things_is_refused_and_a_column_says_which(tmp_path: Path) -> None:
    zones, tumour = own_table({1: "zone"}, "seg-a_dseg.tsv"), own_table({1: "mass"}, "b_dseg.tsv")
    with pytest.raises(UsageError, match="the index 1 stands for 'mass' and 'zone' in the tree"):
        check_known(read_common_table(table_of(tmp_path, "5|zone|1")), [zones, tumour])
    rows = ("5|zone|1|seg-a_dseg.tsv", "6|mass|1|b_dseg.tsv")
    common = read_common_table(table_of(tmp_path, *rows, head="index name from table"))
    check_known(common, [zones, tumour])
    assert map_labels(common, zones, union=False) == {0: 0, 1: 5}
    assert map_labels(common, tumour, union=False) == {0: 0, 1: 6}


def test_a_row_may_name_labels_of_other_trees_but_no_label_is_forgotten(tmp_path: Path) -> None:
    common = read_common_table(table_of(tmp_path, "1|liver|hepar, liver", *ALL[1:]))
    check_known(common, [own_table()])
    assert map_labels(common, own_table(), union=False)[1] == 1
    mistyped = read_common_table(table_of(tmp_path, *ALL[:2], "3|both|left kidney, splen"))
    check_known(mistyped, [own_table()])
    with pytest.raises(UsageError, match=r"no code for 'spleen' \(4\)"):
        map_labels(mistyped, own_table(), union=True)


def test_two_labels_of_one_name_need_their_indices(tmp_path: Path) -> None:
    common = read_common_table(table_of(tmp_path, "1|lesion|lesion"))
    with pytest.raises(UsageError, match="'lesion' is the name of 1, 2 in dseg"):
        map_labels(common, own_table({1: "lesion", 2: "Lesion"}), union=True)


@pytest.mark.parametrize(
    ("rows", "head", "reason"),
    [
        (("1|a|b", "1|a|c"), "index name from", "the index 1 occurs twice"),
        (("1|a|b|n/a", "1|z|c|dseg.tsv"), "index name from table", "the index 1 occurs twice"),
        (("3000000000|a|b",), "index name from", "fits into no type of voxels"),
        (("1|a",), "index name from", "row 2 has 2 cells, the head has 3"),
        (("1|a|b|c",), "index name from name", "the column 'name' occurs twice"),
        (("1|a|b|3",), "index name from source_index", "should not be valid"),
        (("x|a|b",), "index name from", "'x' does not match"),
        ((), "index name from", "[] should be non-empty"),
    ],
)
def test_a_broken_table_is_refused(
    tmp_path: Path, rows: tuple[str, ...], head: str, reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_common_table(table_of(tmp_path, *rows, head=head))
    assert reason in str(caught.value)
    assert "x.tsv" in str(caught.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.tsv: no readable table"):
        read_common_table(tmp_path / "none.tsv")


@given(st.dictionaries(st.integers(1, 10**6), st.integers(1, 10**6), min_size=1, max_size=12))
def test_an_injective_mapping_has_a_way_back(pairs: dict[int, int]) -> None:
    """What the table says leads back to the first segmentation; else it is refused."""
    own = own_table({value: f"region {value}" for value in pairs})
    codes = tuple(
        common_table.Code(code, (str(value),), "n/a", {"index": str(code), "name": f"c{value}"})
        for value, code in pairs.items()
    )
    common = common_table.CommonTable(Path("x.tsv"), ("index", "name"), codes)
    if len(set(pairs.values())) < len(pairs):
        with pytest.raises(UsageError, match="could not be told apart again"):
            map_labels(common, own, union=False)
        return
    mapping = map_labels(common, own, union=False)
    back = {int(r["index"]): int(r["source_index"]) for r in label_table(common, mapping).rows}
    assert {back[code]: code for code in back} == {0: 0, **pairs}


# The tables that are shipped


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.tsv")), ids=lambda path: path.stem)
def test_the_shipped_tables_are_sound(path: Path) -> None:
    common = read_common_table(path)
    found = [row["snomed"] for row in common.cells.values() if row["snomed"] != "n/a"]
    assert found
    assert all(has_check_digit(identifier) for identifier in found)


def has_check_digit(identifier: str) -> bool:
    """Say whether the last digit of a SNOMED CT identifier is right, by the method of Verhoeff."""
    order = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check, digits = 0, [int(digit) for digit in reversed(identifier)]
    for place, digit in enumerate(digits):
        for _ in range(place % 8):
            digit = order[digit]  # noqa: PLW2901
        check = dihedral(check, digit)
    return check == 0


def dihedral(one: int, other: int) -> int:
    """Multiply in the group of the symmetries of a pentagon; 5 to 9 are the reflections."""
    turn = (one + other) % 5 if one < 5 else (one - other) % 5
    return turn if (one < 5) == (other < 5) else turn + 5


def test_the_check_digit_is_checked() -> None:
    assert has_check_digit("10200004")
    assert not has_check_digit("10200014")


@pytest.mark.parametrize("edition", ["brats2019", "brats2020", "brats2021", "brats2023"])
def test_the_codings_of_glioma_become_one(tree: Make, edition: str) -> None:
    (each,) = bidsify.label_tables(tree(edition))
    common = read_common_table(EXAMPLES / "glioma.tsv")
    check_known(common, each.tables)
    enhancing = next(v for v, name in each.tables[0].names.items() if name == "enhancing tumour")
    mapping = map_labels(common, each.tables[0], union=False)
    assert mapping == {0: 0, 1: 1, 2: 2, enhancing: 3}
    assert enhancing == (3 if edition == "brats2023" else 4)


# Files


def test_voxels_are_mapped_and_nothing_else_changes(own_tree: Make) -> None:
    root = own_tree("chaos")
    before = snapshot(root)
    done = bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    after = snapshot(root)
    assert done.failures == ()
    assert {name: after[name] for name in before} == before
    assert {*done.written, HARMONISED} == after.keys() - before.keys()
    for path in (path for path in done.written if path.endswith(".nii.gz")):
        first, one = volume(root / path.replace("_seg-abdomen", ""))
        second, other = volume(root / path)
        expected = np.zeros_like(first)
        for value, code in {1: 5, 2: 2, 3: 3, 4: 1}.items():
            expected[first == value] = code
        assert np.array_equal(second, expected)
        assert second.dtype == np.uint8
        for name in (
            "pixdim",
            "qform_code",
            "sform_code",
            "srow_x",
            "srow_y",
            "srow_z",
            "xyzt_units",
        ):
            assert np.array_equal(one.header[name], other.header[name])


def test_the_second_run_changes_no_byte_and_mends_what_was_edited(own_tree: Make) -> None:
    root = own_tree("chaos")
    first = bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    made = snapshot(root)
    again = bidsify.harmonise(root, EXAMPLES / "abdomen.tsv", workers=2)
    assert again.written == ()
    assert again.kept == first.written
    assert snapshot(root) == made
    (root / first.written[0]).write_text("edited")
    (root / first.written[1]).unlink()
    assert bidsify.harmonise(root, EXAMPLES / "abdomen.tsv").written == first.written[:2]
    assert snapshot(root) == made


def test_large_codes_get_a_larger_type(own_tree: Make, tmp_path: Path) -> None:
    rows = ("300|liver|liver", "2|r|right kidney", "3|l|left kidney", "70000|spleen|spleen")
    root = own_tree("chaos")
    bidsify.harmonise(root, table_of(tmp_path, *rows), name="big")
    found, _ = volume(root / "sub-MR01/anat/sub-MR01_acq-T2SPIR_seg-big_dseg.nii.gz")
    assert found.dtype == np.int32
    assert {*np.unique(found)} == {0, 2, 3, 300, 70000}


def test_a_file_that_fails_does_not_stop_the_others(own_tree: Make) -> None:
    root = own_tree("chaos")
    broken = root / "sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg.nii.gz"
    data, image = volume(broken)
    data[0, 0, 0] = 9
    broken.write_bytes(type(image)(data, image.affine, image.header).to_bytes())
    done = bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    (failure,) = done.failures
    assert "voxel values without a row in the label table: [9] (1 voxels)" in failure
    assert len(done.written) == 3 * 5
    assert not (root / "sub-MR01/anat/sub-MR01_acq-T2SPIR_seg-abdomen_dseg.tsv").exists()


def test_the_sidecar_says_what_was_mapped_and_repeats_nothing(own_tree: Make) -> None:
    root = own_tree("chaos")
    stem = "sub-MR01/anat/sub-MR01_acq-T2SPIR"
    beside = root / f"{stem}_dseg.json"
    stated = {"Sources": ["bids::x"], "SpatialReference": "orig", "Resolution": "native",
              "GridDiffersFromSources": True}  # fmt: skip
    beside.write_text(json.dumps(stated))
    bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    document = json.loads((root / f"{stem}_seg-abdomen_dseg.json").read_text())
    assert document["Sources"] == [f"bids::{stem}_dseg.nii.gz"]
    assert document["Resolution"] == "native"
    assert "abdomen.tsv: liver (1) to liver (5)" in document["Harmonisation"]
    assert not {"SpatialReference", "Description", "GridDiffersFromSources"} & document.keys()


@pytest.mark.parametrize("suffix", ["nii.gz", "tsv", "json"])
def test_a_file_of_somebody_else_is_left_alone(own_tree: Make, suffix: str) -> None:
    root = own_tree("chaos")
    theirs = root / f"sub-MR01/anat/sub-MR01_acq-T2SPIR_seg-abdomen_dseg.{suffix}"
    theirs.write_text("theirs")
    before = snapshot(root)
    with pytest.raises(UsageError, match="already there and not made by this command"):
        bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    assert snapshot(root) == before


def foreign(root: Path, tables: Mapping[str, Mapping[int, str]], *images: str) -> Path:
    """Make a tree that bidsify did not make, with uncompressed images of the values 0 and 1."""
    import nibabel as nib

    for path, names in tables.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        lines = ("index\tname", *(f"{index}\t{name}" for index, name in names.items()))
        (root / path).write_text("".join(f"{line}\n" for line in lines))
    for path in images:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        data = np.zeros((3, 4, 5), np.float32)
        data[1] = 1
        nib.save(nib.Nifti1Image(data, np.diag([1, 2, 3, 1])), root / path)
    return root


ZONES, TUMOUR = "seg-zones_dseg.tsv", "seg-tumour_dseg.tsv"
TWO = ("sub-1/anat/sub-1_seg-zones_dseg.nii", "sub-1/anat/sub-1_seg-tumour_dseg.nii")


def test_two_segmentations_of_one_subject_do_not_become_one_file(tmp_path: Path) -> None:
    root = foreign(tmp_path / "ds", {ZONES: {1: "zone"}, TUMOUR: {1: "mass"}}, *TWO)
    both = table_of(tmp_path, "5|zone|zone", "6|mass|mass")
    with pytest.raises(
        UsageError, match=r"would both become .*; speak of one label table at a time"
    ):
        bidsify.harmonise(root, both)
    one = table_of(tmp_path, f"5|zone|1|{ZONES}", head="index name from table")
    done = bidsify.harmonise(root, one, name="zonesCommon")
    assert done.left_alone == (TWO[1],)
    assert done.written[1] == "sub-1/anat/sub-1_seg-zonesCommon_dseg.nii"
    found, _ = volume(root / done.written[1])
    assert {*np.unique(found)} == {0, 5}


def test_segmentations_without_a_table_fail_alone(tmp_path: Path) -> None:
    root = foreign(tmp_path / "ds", {"sub-1/anat/sub-1_dseg.tsv": {1: "liver"}},
                   "sub-1/anat/sub-1_dseg.nii.gz", "sub-2/anat/sub-2_dseg.nii.gz")  # fmt: skip
    done = bidsify.harmonise(root, table_of(tmp_path, "5|liver|liver"))
    assert done.failures == (
        "sub-2/anat/sub-2_dseg.nii.gz: no label table applies to it; it was not mapped",
    )
    assert len(done.written) == 3
    document = json.loads((root / done.written[0]).read_text())
    assert document["Description"] == document["Harmonisation"]


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({}, "no segmentation of the tree has a label table"),
        ({"dseg.tsv": {1: "liver", "x": "air"}}, "dseg.tsv: the index 'x' is no whole number"),
    ],
)
def test_a_tree_that_cannot_be_mapped_is_refused(
    tmp_path: Path, tables: dict[str, dict[int, str]], reason: str
) -> None:
    root = foreign(tmp_path / "ds", tables, "sub-1/anat/sub-1_dseg.nii.gz")
    with pytest.raises(UsageError, match=reason):
        bidsify.harmonise(root, table_of(tmp_path, "5|liver|liver"))


def test_inheritance_is_that_of_bids(tmp_path: Path) -> None:
    near = "sub-1/anat/sub-1_dseg.tsv"
    root = foreign(tmp_path / "ds", {"dseg.tsv": {1: "far"}, near: {1: "near"}},
                   "sub-1/anat/sub-1_dseg.nii", "sub-2/anat/sub-2_dseg.nii")  # fmt: skip
    found = segmentations.find(root)
    assert {each.path: each.table for each in found.segmentations} == {
        "sub-1/anat/sub-1_dseg.nii": near,
        "sub-2/anat/sub-2_dseg.nii": "dseg.tsv",
    }


# The record


def test_the_record_says_what_no_longer_holds(own_tree: Make) -> None:
    root = own_tree("chaos")
    done = bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    entries = read_harmonised(root)
    assert {*entries} == {*done.written}
    assert list(faults(root, entries)) == []
    (root / done.written[0]).write_text("edited")
    (root / done.written[1]).unlink()
    first = root / entries[done.written[-1]].source
    first.write_bytes(first.read_bytes() + b"\0")
    found = dict(faults(root, entries))
    assert found.pop(done.written[0]).startswith("edited since it was harmonised")
    assert done.written[1] not in found
    assert {text.split(" has ")[1] for text in found.values()} == {
        "changed since it was harmonised; harmonise again"
    }


@pytest.mark.parametrize("content", ["", "[]", '{"files": [{}]}', '{"files": 3}'])
def test_a_damaged_record_is_refused(own_tree: Make, content: str) -> None:
    root = own_tree("chaos")
    (root / HARMONISED).write_text(content)
    with pytest.raises(UsageError, match="not a readable record of harmonised segmentations"):
        bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")


def test_a_run_that_was_cut_off_goes_on(own_tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from bidsify.harmonisation import harmonise as harmonisation

    root = own_tree("chaos")
    make, calls = harmonisation._make, []

    def stop(setting: object, task: object) -> object:
        calls.append(task)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return make(setting, task)  # type: ignore[arg-type]

    monkeypatch.setattr(harmonisation, "_make", stop)
    with pytest.raises(KeyboardInterrupt):
        bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    monkeypatch.undo()
    done = bidsify.harmonise(root, EXAMPLES / "abdomen.tsv")
    assert (len(done.kept), len(done.written)) == (6, 12)
    assert not (root / ".bidsify").exists()
