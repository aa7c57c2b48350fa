"""What leaves of a tree, by tier; that nothing else does; and that it is the same each time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import RECORD, Make, run

import bidsify
from bidsify import json_schema
from bidsify.errors import SourceError
from bidsify.sharing import contents

MAGIC = (b"n+1\0", b"ni1\0", b"DICM", b"\x89PNG", b"\x93NUMPY", b"\x1f\x8b", b"solid ", b"PK\3\4")


@pytest.fixture(scope="module")
def bag(tree: Make, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return the recipe of a tree, or by ``NAME/TIER`` another bag of it; not to be changed."""
    root = tmp_path_factory.mktemp("bags")

    def make(name: str) -> Path:
        dataset, _, tier = name.partition("/")
        dest = root / name.replace("/", "-")
        if not dest.exists():
            done = run("share", tree(dataset), dest, "--tier", tier or "recipe")
            assert done.code == 0, done.err
        return dest

    return make


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]


def recipe_of(bag: Path) -> Any:
    return json.loads((bag / "data/recipe.json").read_bytes())


# The recipe


def test_what_is_in_a_recipe(bag: Make, tree: Make) -> None:
    found, root = bag("chaos"), tree("chaos")
    document = recipe_of(found)
    assert list(json_schema.faults("recipe", document)) == []
    assert document["dataset"] == "chaos"
    assert document["options"] == {"label_table": None, "participants": []}
    assert document["splits"]["sub-CT01"] == "Train"
    assert [row["name"] for row in document["label_tables"]["dseg.tsv"]][:2] == [
        "background", "liver",
    ]  # fmt: skip
    assert document["terms"][0]["spdx"] == "CC-BY-NC-SA-4.0"
    assert document["validation"]["errors"] == 0
    present = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    assert {each["path"] for each in document["targets"]} == present - {RECORD}
    for each in document["targets"]:
        content = (root / each["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each["size"], each["sha256"])
    manifest = (found / "data/content-manifest.tsv").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == document["content_manifest_sha256"]


def test_the_files_of_a_recipe_and_their_sums(bag: Make) -> None:
    found = bag("chaos")
    assert set(snapshot(found)) == {
        "HOWTO.md", "TERMS.md", "UPLOAD.md", "bag-info.txt", "bagit.txt",
        "data/content-manifest.tsv", "data/croissant.json", "data/labels/dseg.tsv",
        "data/recipe.json", "data/ro-crate-metadata.json", "data/splits.tsv",
        "data/validation.json", "manifest-sha256.txt", "tagmanifest-sha256.txt",
    }  # fmt: skip
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--quiet", name], cwd=found, check=True)


@pytest.mark.parametrize("name", ["ivdm3seg", "myops380", "ssmspine", "harvard"])
def test_a_restricted_dataset_is_refused_in_full_and_its_recipe_leaks_nothing(
    name: str, tree: Make, bag: Make, tmp_path: Path
) -> None:
    ran = run("share", tree(name), tmp_path / "full", "--tier", "full")
    assert ran.code == 3
    assert "the terms of " in ran.error
    assert "known from: " in ran.error
    assert list(tmp_path.iterdir()) == []
    home = str(Path.home())
    people = snapshot(tree(name)).get("participants.tsv", b"").decode().splitlines()
    columns = people[0].split("\t") if people else []
    for path, content in snapshot(bag(name)).items():
        assert not any(magic in content for magic in MAGIC), path
        assert re.search(rb"[A-Za-z0-9+/]{200}", content) is None, path
        assert str(tree(name)).encode() not in content
        assert len(home) < 3 or home.encode() not in content
        assert not path.endswith((".nii.gz", ".stl", "_points.tsv", ".png"))
        assert not [column for column in columns[3:] if column.encode() in content], path


def test_the_measurements_of_subjects_stay_behind(own_tree: Make, tmp_path: Path) -> None:
    """Whatever a message of the validation, or a table of people, holds."""
    root = own_tree("brats2020")
    text = (root / "participants.tsv").read_text().splitlines()
    assert "\tage\t" in text[0]
    ages = {row[text[0].split("\t").index("age")] for row in (x.split("\t") for x in text[1:])}
    ages -= {"n/a"}
    assert ages
    bidsify.share(root, tmp_path / "bag")
    for path, content in snapshot(tmp_path / "bag").items():
        assert b"age\t" not in content
        for age in ages:
            assert f"\t{age}\t".encode() not in content, path
            assert f'"{age}"'.encode() not in content, path


@pytest.mark.parametrize("tier", ["recipe", "metadata", "full"])
def test_two_runs_give_the_same_bytes(tier: str, tree: Make, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(tree("chaos"), copy)  # with other times
    for path in copy.rglob("*.json"):
        path.touch()
    one, two = tmp_path / "one", tmp_path / "two"
    run("share", tree("chaos"), one, "--tier", tier, "--citation")
    run("share", copy, two, "--tier", tier, "--citation", "-j", 2)
    assert snapshot(one) == snapshot(two)


def test_what_nobody_knows_of_the_source_is_not_told(own_source: Make, tmp_path: Path) -> None:
    source = own_source("ivdm3seg")
    (source / "letter to Dr Smith.txt").write_text("private")
    bidsify.convert(source, tmp_path / "out")
    bidsify.share(tmp_path / "out", tmp_path / "bag")
    assert not any(b"Smith" in content for content in snapshot(tmp_path / "bag").values())


def test_additions_to_a_tree_are_no_part_of_the_recipe(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    (root / "sub-CT01" / "notes.txt").write_text("mine")
    (root / ".DS_Store").write_text("mine")
    ran = run("share", root, tmp_path / "bag")
    assert ran.code == 0
    assert ran.err == (
        "note: the validation found 2 errors in the tree; see 'bidsify validate'\n"
        "note: the recipe does not make what was added to the tree: sub-CT01/notes.txt\n"
    )
    assert not any(b"notes.txt" in content for content in snapshot(tmp_path / "bag").values())


# Trees that there is no recipe for


def without_record(root: Path) -> None:
    (root / RECORD).unlink()


def damaged_record(root: Path) -> None:
    (root / RECORD).write_text("{")


def own_declaration(root: Path) -> None:
    edit_record(root, dataset="mine")


def record_of_nothing(root: Path) -> None:
    edit_record(root, edition=3)


def changed_voxel(root: Path) -> None:
    path = next(root.rglob("*_ct.nii.gz"))
    image = nib.Nifti1Image.from_filename(path)
    values = np.asanyarray(image.dataobj).copy()
    values[0, 0, 0] += 1
    nib.save(nib.Nifti1Image(values, image.affine, image.header), path)


def changed_label_table(root: Path) -> None:
    path = root / "dseg.tsv"
    path.write_text(path.read_text().replace("liver", "spleen"))


def file_gone(root: Path) -> None:
    next(root.rglob("*_ct.nii.gz")).unlink()


def file_leads_out(root: Path) -> None:
    path = next(root.rglob("*_ct.nii.gz"))
    path.rename(root.parent / "out.nii.gz")
    path.symlink_to(root.parent / "out.nii.gz")


def edit_record(root: Path, **changes: object) -> None:
    path = root / RECORD
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_record, r"no record of a conversion .* share it with --tier metadata or full$"),
        (damaged_record, r"conversion\.json: not a readable record"),
        (record_of_nothing, r"not a sound record \(\$\.edition"),
        (own_declaration, r"made by a declaration of your own \('mine'\); it is a program"),
        (changed_voxel, r"not as it was converted \(changed: sub-CT\d+/ct/sub-CT\d+_acq-portal_ct"),
        (changed_label_table, r"not as it was converted \(changed: dseg\.tsv\)"),
        (file_gone, r"not as it was converted \(gone: sub-CT\d+/ct/"),
        (file_leads_out, r"a link that leaves the tree"),
    ],
)
def test_no_recipe_of_a_tree_that_nobody_could_make(
    spoil: Any, reason: str, own_tree: Make, tmp_path: Path
) -> None:
    root = own_tree("chaos")
    spoil(root)
    ran = run("share", root, tmp_path / "bag")
    assert ran.code == 2
    assert re.search(reason, ran.error), ran.error
    assert not (tmp_path / "bag").exists()


def test_a_file_that_was_packed_anew_is_the_same(
    own_tree: Make, tree: Make, tmp_path: Path
) -> None:
    root = own_tree("chaos")
    path = next(root.rglob("*_ct.nii.gz"))
    subprocess.run(["gunzip", path], check=True)
    subprocess.run(["gzip", "-9", path.with_suffix("")], check=True)
    assert (
        bidsify.share(root, tmp_path / "bag").digest
        == bidsify.share(tree("chaos"), tmp_path / "other").digest
    )


@pytest.mark.parametrize("tier", ["metadata", "full"])
def test_a_tree_of_a_stranger_leaves_without_a_recipe(
    tier: str, own_tree: Make, tmp_path: Path
) -> None:
    root = own_tree("lumbosacral")
    without_record(root)
    ran = run("share", root, tmp_path / "bag", "--tier", tier)
    assert ran.code == 0, ran.err
    assert ran.err.startswith("note: without a recipe: ")
    names = set(snapshot(tmp_path / "bag" / "data"))
    assert "recipe.json" not in names
    assert {"content-manifest.tsv", "croissant.json", "ro-crate-metadata.json"} <= names


# More than a recipe


def test_metadata_are_the_texts(bag: Make, tree: Make) -> None:
    found = snapshot(bag("chaos/metadata") / "data/tree")
    whole = snapshot(tree("chaos"))
    assert found == {path: whole[path] for path in whole if not path.endswith(".nii.gz")}


def test_metadata_of_a_restricted_dataset_describe_no_subject(bag: Make) -> None:
    found = snapshot(bag("brats2020/metadata") / "data/tree")
    head, *_ = found["participants.tsv"].decode().splitlines()
    assert head == "participant_id\tsplit"
    assert not [path for path in found if path.endswith(".tsv") and "/" in path]
    assert RECORD not in found


@pytest.mark.parametrize("name", ["ssmspine", "vsseg", "crossmoda2021"])
def test_what_was_drawn_stays_behind(name: str, bag: Make, tree: Make) -> None:
    """Landmarks, meshes and contours are no texts in this sense."""
    drawn = ("_points.tsv", "_contours.json", "_markers.json", ".stl")
    assert [path for path in snapshot(tree(name)) if path.endswith((*drawn, ".nii.gz"))]
    found = snapshot(bag(f"{name}/metadata") / "data/tree")
    assert not [path for path in found if path.endswith((*drawn, ".nii.gz"))]


def test_full_archives_hold_the_tree(bag: Make, tree: Make, tmp_path: Path) -> None:
    for path in sorted((bag("chaos/full") / "data").glob("*.tar")):
        with tarfile.open(path) as archive:
            archive.extractall(tmp_path, filter="data")
    assert snapshot(tmp_path) == snapshot(tree("chaos"))


def test_shards_have_a_size(tree: Make, tmp_path: Path) -> None:
    done = bidsify.share(tree("chaos"), tmp_path / "bag", tier="full", shard_size=150_000)
    assert len(done.shards) > 1
    assert all((tmp_path / "bag/data" / name).stat().st_size <= 150_000 for name in done.shards)


def test_a_permission_is_recorded_by_its_hash(tree: Make, tmp_path: Path) -> None:
    letter = tmp_path / "letter of Jane Doe.txt"
    letter.write_text("You may. Jane Doe", "utf-8")
    options = ("--tier", "full", "--permission", letter)
    ran = run("share", tree("ivdm3seg"), tmp_path / "bag", *options)
    assert ran.code == 0, ran.err
    found = snapshot(tmp_path / "bag")
    text = found["PERMISSIONS.md"].decode()
    assert hashlib.sha256(letter.read_bytes()).hexdigest() in text
    assert not any(b"Jane" in content for content in found.values())
    recorded = {"size": 17, "sha256": hashlib.sha256(letter.read_bytes()).hexdigest()}
    assert json.loads(found["data/permission.json"]) == recorded
    assert b"  data/permission.json\n" in found["manifest-sha256.txt"]


@pytest.mark.parametrize("content", [None, ""])
def test_no_permission(content: str | None, tree: Make, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    if content is not None:
        letter.write_text(content)
    ran = run("share", tree("ivdm3seg"), tmp_path / "bag", "--permission", letter)
    assert ran.code == 2
    assert "no permission there" in ran.error


def test_a_citation_file_has_the_fields_that_bids_then_forbids(
    bag: Make, tree: Make, tmp_path: Path
) -> None:
    bidsify.share(tree("chaos"), tmp_path / "bag", tier="metadata", citation=True)
    found = snapshot(tmp_path / "bag/data/tree")
    description = json.loads(found["dataset_description.json"])
    assert not {"Authors", "License", "HowToAcknowledge"} & {*description}
    assert b"CC-BY-NC-SA-4.0" in found["CITATION.cff"]
    assert snapshot(tmp_path / "bag")["CITATION.cff"] == found["CITATION.cff"]
    assert (
        snapshot(bag("chaos/metadata"))["data/recipe.json"]
        == (tmp_path / "bag/data/recipe.json").read_bytes()
    )


# What is of others, or apart


def copied_image(root: Path) -> str:
    path = root / "sub-99/anat/sub-99_T1w.nii.gz"
    path.parent.mkdir(parents=True)
    shutil.copyfile(next(root.rglob("sub-*/**/*.nii.gz")), path)
    return path.relative_to(root).as_posix()


def test_an_image_that_no_record_knows_has_no_known_terms(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    assert run("share", root, tmp_path / "before", "--tier", "full").code == 0
    added = copied_image(root)
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 3
    assert f"no record of the tree knows {added}, so its terms are not known; " in ran.error
    assert not (tmp_path / "bag").exists()
    assert run("share", root, tmp_path / "recipe").code == 0
    letter = tmp_path / "letter.txt"
    letter.write_text("You may.")
    options = ("--tier", "full", "--permission", letter)
    assert run("share", root, tmp_path / "bag", *options).code == 0


@pytest.mark.parametrize("name", ["sub-1/anat/sub-1_points.tsv", "sub-1/x.stl", "sub-1/x.h5", "x"])
def test_whatever_is_no_text_counts_as_an_image(name: str, own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("1")
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert (ran.code, f"knows {name}, so" in ran.error) == (3, True)


def test_a_damaged_record_knows_nothing(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    damaged_record(root)
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert (ran.code, "no record of the tree knows " in ran.error) == (3, True)


@pytest.mark.parametrize("record", ["harmonised", "preprocessing"])
def test_what_another_record_knows_may_leave(record: str, own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    path = copied_image(root)
    texts = ("path", "sha256", "source", "source_sha256", "table_sha256")
    entry = {**dict.fromkeys(texts, path), "mapping": []}
    digests = dict.fromkeys(("digest", "sha256", "content_sha256"), "0" * 64)
    written = {"target": path, "size": 1, **digests}
    documents = {
        "harmonised": {"files": [entry]},
        "preprocessing": {
            "dataset": "x", "shared": [], "files": [],
            "written": [{**written, "sources": [], "notes": []}],
        },
    }  # fmt: skip
    (root / f"code/bidsify/{record}.json").write_text(json.dumps(documents[record]))
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 0, ran.err


def test_an_image_that_was_not_written_is_not_known(own_tree: Make, tmp_path: Path) -> None:
    """The record names files that it found were not needed, too."""
    root = own_tree("lumbosacral")
    path = copied_image(root)
    document = json.loads((root / RECORD).read_bytes())
    document["written"].append({**document["written"][0], "target": path, "sha256": ""})
    edit_record(root, written=document["written"])
    assert run("share", root, tmp_path / "bag", "--tier", "full").code == 3


APART = (
    "sourcedata/people.json", "derivatives/x/sub-01/a.json", "code/mine.json", "logs/run.json",
    ".bidsify/state.json", ".git/config.json", "sub-CT01/.hidden.json",
)  # fmt: skip


@pytest.mark.parametrize("tier", ["metadata", "full"])
def test_what_is_apart_never_leaves(tier: str, own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    for name in APART:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('{"mine": "marmot"}')
    ran = run("share", root, tmp_path / "bag", "--tier", tier)
    assert ran.code == 0, ran.err
    found = snapshot(tmp_path / "bag")
    assert not [path for path, content in found.items() if b"marmot" in content]
    assert not [
        path for path, content in found.items() if any(x.encode() in content for x in APART)
    ]


@pytest.mark.parametrize("name", APART)
def test_no_link_carries_out_what_is_apart(name: str, own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text('{"mine": "marmot"}')
    (root / "sub-CT01/x.json").symlink_to(f"../{name}")
    ran = run("share", root, tmp_path / "bag", "--tier", "metadata")
    assert ran.code == 2
    said = f"sub-CT01/x.json: a link to {name}, which does not leave with the tree; remove it"
    assert said in ran.err
    assert not (tmp_path / "bag").exists()


def test_links_to_the_store_of_git_annex_are_what_they_hold(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    path = next(root.rglob("*_ct.nii.gz"))
    store = root / ".git/annex/objects/ab"
    store.mkdir(parents=True)
    path.rename(store / "key")
    path.symlink_to("../../.git/annex/objects/ab/key")
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 0, ran.err


def test_of_a_restricted_tree_only_our_sidecars_describe_subjects(
    own_tree: Make, tmp_path: Path
) -> None:
    root = own_tree("myops380")
    written = {entry["target"] for entry in json.loads((root / RECORD).read_bytes())["written"]}
    folder = next(root.glob("sub-*"))
    for name in (f"{folder.name}_measures.json", f"{folder.name}_notes.txt", "README.md"):
        (folder / name).write_text('{"weight": "marmot"}')
    (root / "phenotype").mkdir()
    (root / "phenotype/scores.json").write_text('{"score": "marmot"}')
    ran = run("share", root, tmp_path / "bag", "--tier", "metadata")
    assert ran.code == 0, ran.err
    assert "note: what describes single subjects stays behind" in ran.err
    found = snapshot(tmp_path / "bag")
    assert not [path for path, content in found.items() if b"marmot" in content]
    inside = {
        path.removeprefix("data/tree/") for path in found if path.startswith("data/tree/sub-")
    }
    assert inside == {
        path for path in written if path.startswith("sub-") and path.endswith(".json")
    }


def test_of_an_open_tree_they_leave(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    (root / "sub-CT01/sub-CT01_notes.txt").write_text("mine")
    assert run("share", root, tmp_path / "bag", "--tier", "metadata").code == 0
    assert (tmp_path / "bag/data/tree/sub-CT01/sub-CT01_notes.txt").exists()


# What must not leave, and wrong calls


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [("USER", "zhang", "lumbosacral"), ("HOSTNAME", "train", "chaos")],
)
def test_a_user_or_host_may_be_called_as_something_in_the_data(
    variable: str, value: str, name: str, *, bag: Make, tree: Make,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    content = b"".join(snapshot(bag(f"{name}/metadata")).values())
    assert re.search(rb"\b%s\b" % value.encode(), content, re.IGNORECASE)
    monkeypatch.setenv(variable, value)
    for tier in ("recipe", "metadata", "full"):
        ran = run("share", tree(name), tmp_path / tier, "--tier", tier)
        assert ran.code == 0, ran.err


@pytest.mark.parametrize("which", ["tree", "dest"])
def test_the_places_of_tree_and_bag_are_not_told(
    which: str, own_tree: Make, tmp_path: Path
) -> None:
    """Also in a form in which they are no path."""
    root, dest = own_tree("chaos"), tmp_path / "some/bag"
    without_record(root)
    place = {"tree": root, "dest": dest}[which].resolve()
    (root / "note.json").write_text(json.dumps({"Note": f"-{place}!"}))
    ran = run("share", root, dest, "--tier", "metadata")
    assert ran.code == 2
    assert f"note.json (a name of this machine: '{str(place)[:20]}" in ran.err
    assert not dest.exists()


def test_a_folder_that_has_no_name(
    tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree("chaos").resolve()
    monkeypatch.chdir(tmp_path)
    ran = run("share", root, ".")
    assert (ran.code, "the folder that you are in would be replaced" in ran.error) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_failures_of_the_conversion_are_told(own_source: Make, tmp_path: Path) -> None:
    source = own_source("ivdm3seg")
    torn = sorted(source.rglob("02_fat.nii"))
    for path in torn:
        path.write_bytes(path.read_bytes()[:500])
    assert bidsify.convert(source, tmp_path / "tree").failures
    ran = run("share", tmp_path / "tree", tmp_path / "bag")
    names = ["02/02_fat.nii"]  # below the folders above the data; copies elsewhere are not told
    assert ran.code == 0
    said = f"note: the conversion failed on 1 file of the source: {names[0]}; "
    assert said in ran.err
    assert recipe_of(tmp_path / "bag")["source"]["failed"] == names


def test_the_licence_that_asks_for_more_is_named(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    without_record(root)
    (root / "README.md").unlink()
    (root / "CHANGES").unlink()
    path = root / "dataset_description.json"
    document = {"Name": "Spines", "BIDSVersion": "1.11.1", "License": "CC0"}
    path.write_text(json.dumps(document))
    run("share", root, tmp_path / "free", "--tier", "full")
    free = snapshot(tmp_path / "free")
    assert b"--affirmDefaced" in free["UPLOAD.md"]
    assert json.loads(free["data/croissant.json"])["license"].endswith("/CC0-1.0.html")
    own = {"licence": "CC-BY-SA-4.0", "summary": "Own.", "redistribution": "allowed"}
    (root / "code/bidsify/terms.json").write_text(json.dumps({**own, "evidence": "me"}))
    run("share", root, tmp_path / "bag", "--tier", "full")
    found = snapshot(tmp_path / "bag")
    assert b"--affirmDefaced" not in found["UPLOAD.md"]
    assert json.loads(found["data/croissant.json"])["license"].endswith("/CC-BY-SA-4.0.html")


def test_a_leak_stops_it(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    without_record(root)
    path = next(root.rglob("*_ct.json"))
    path.write_text(json.dumps({"PatientName": "SMITH^JOHN"}))
    ran = run("share", root, tmp_path / "bag", "--tier", "metadata")
    assert ran.code == 2
    assert "not shared, as this would leave with it: " in ran.err
    assert path.name in ran.err
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize("name", ["odd\tname.json", "odd\nname.json"])
def test_odd_names_are_refused(name: str, own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    (root / "sub-CT01" / name).write_text("{}")
    ran = run("share", root, tmp_path / "bag", "--tier", "metadata")
    assert ran.code == 2
    assert "this name cannot be written in a manifest; rename the file" in ran.err
    assert run("share", root, tmp_path / "recipe").code == 0


def test_content_that_was_not_fetched(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    path = next(root.rglob("*_T2w.nii.gz"))
    path.unlink()
    path.symlink_to("../../.git/annex/objects/nothing")
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 2
    assert "its content is not here; get it (git annex get), or remove the file" in ran.err
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda root, _: (root / "nothing", root.parent / "d"), "no such folder"),
        (lambda root, _: (root / "sub-CT01", root.parent / "d"), "lie in one another|no BIDS"),
        (lambda root, _: (root, root / "bag"), "lie in one another"),
        (lambda root, _: (root, root.parent), "lie in one another"),
        (lambda root, full: (root, full), "the folder is not empty"),
    ],
)
def test_wrong_folders(make: Any, reason: str, tree: Make, tmp_path: Path) -> None:
    (tmp_path / "something").write_text("mine")
    root, dest = make(tree("chaos"), tmp_path)
    ran = run("share", root, dest)
    assert ran.code == 2
    assert re.search(reason, ran.error)
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_a_route_that_is_not_known(tree: Make, tmp_path: Path) -> None:
    ran = run("share", tree("chaos"), tmp_path / "bag", "--route", "usb stick")
    assert (ran.code, "known are: zenodo" in ran.error) == (2, True)


def test_a_named_route_can_open_a_dataset(tree: Make, tmp_path: Path) -> None:
    assert run("share", tree("brats2021"), tmp_path / "no", "--tier", "full").code == 3
    ran = run("share", tree("brats2021"), tmp_path / "bag", "--tier", "full", "--route", "tcia")
    assert ran.code == 0, ran.err
    assert b"by the route `tcia`, says whoever packed" in snapshot(tmp_path / "bag")["TERMS.md"]


def test_a_folder_that_cannot_be_listed(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("sub-CT01"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(contents.os, "scandir", scandir)
    with pytest.raises(SourceError, match=r"sub-CT01: not readable: Permission denied"):
        list(contents.paths_of(tree("chaos")))


# Hashes


@pytest.mark.parametrize("cut", [1, 9, 30])
def test_a_gzip_file_that_is_cut_off_counts_as_it_is(cut: int, tmp_path: Path) -> None:
    import gzip

    packed = gzip.compress(bytes(range(256)) * 4)
    (tmp_path / "a.gz").write_bytes(packed[:-cut])
    found = contents.content(tmp_path, "a.gz")
    assert found.content_sha256 == found.sha256


@pytest.mark.parametrize("parts", [[b""], [b"one"], [b"one", b"two"], [b"\0" * 5_000_000, b"x"]])
@pytest.mark.parametrize("padding", [b"", b"\0" * 700])
def test_the_content_of_gzip_files(parts: list[bytes], padding: bytes, tmp_path: Path) -> None:
    import gzip

    (tmp_path / "a.gz").write_bytes(b"".join(map(gzip.compress, parts)) + padding)
    found = contents.content(tmp_path, "a.gz")
    assert found.content_sha256 == hashlib.sha256(b"".join(parts)).hexdigest()


# Judged by others


@pytest.mark.parametrize("name", ["chaos", "chaos/metadata", "chaos/full", "ivdm3seg"])
def test_the_crate_is_read_by_rocrate(name: str, bag: Make) -> None:
    rocrate = pytest.importorskip("rocrate.rocrate")
    crate = rocrate.ROCrate(bag(name) / "data")
    assert crate.root_dataset.id.startswith("./" if "/" in name else "ni:///sha-256;")
    assert crate.root_dataset["datePublished"] == bidsify.version.RELEASED
    assert crate.root_dataset["license"]["description"]
    assert crate.get("#bidsify")["version"] == bidsify.__version__
    listed = {entity.id for entity in crate.data_entities}
    present = set(snapshot(bag(name) / "data")) - {"ro-crate-metadata.json"}
    assert listed == (present if "/" in name else set())


@pytest.mark.parametrize("name", ["chaos", "chaos/full", "ivdm3seg"])
@pytest.mark.filterwarnings("ignore")
def test_croissant_is_read_by_mlcroissant(name: str, bag: Make) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    place = bag(name) / "data"
    dataset = mlcroissant.Dataset(jsonld=str(place / "croissant.json"))
    assert not dataset.metadata.issues.errors
    assert not dataset.metadata.issues.warnings
    found = [
        [value.decode() for value in record.values()]
        for record in dataset.records("content-manifest")
    ]
    assert found == rows(place / "content-manifest.tsv")


def test_the_bag_is_valid(bag: Make) -> None:
    bagit = pytest.importorskip("bagit")
    assert bagit.Bag(str(bag("chaos/full"))).validate()


# Datasets in datasets, and what a tree says against itself


@pytest.mark.parametrize("known_by", ["record", "description"])
def test_a_dataset_that_lies_in_another_is_judged_too(
    known_by: str, tree: Make, own_tree: Make, tmp_path: Path
) -> None:
    root = own_tree("lumbosacral")
    inner = Path(shutil.copytree(tree("ivdm3seg"), root / "other"))
    without_record(root)
    if known_by == "description":
        without_record(inner)
    else:
        (inner / "dataset_description.json").unlink()
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 3
    assert "the terms of 'ivdm3seg' are not known to allow" in ran.error
    assert "(for other/ in the tree)" in ran.error


def test_folders_that_stay_behind_are_told(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    for name in ("derivatives/x", "sourcedata", "code/mine", ".git"):
        (root / name).mkdir(parents=True)
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 0, ran.err
    said = "note: left out, as no part of the dataset itself: code/, derivatives/, sourcedata/\n"
    assert said in ran.err
    page = (tmp_path / "bag/HOWTO.md").read_text()
    assert "whole tree" not in page
    assert "Left out of the tree: `code/`, `derivatives/`, `sourcedata/`." in page


def test_a_licence_that_was_edited_stops_full(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("lumbosacral")
    path = root / "dataset_description.json"
    path.write_text(path.read_text().replace("CC-BY-4.0", "CC0"))
    ran = run("share", root, tmp_path / "bag", "--tier", "full")
    assert ran.code == 3
    assert "dataset_description.json: was changed since the conversion, and its " in ran.error
    assert "License is now CC0 instead of CC-BY-4.0" in ran.error


def test_the_manifest_of_a_citation_is_explained(tree: Make, tmp_path: Path) -> None:
    bidsify.share(tree("chaos"), tmp_path / "bag", tier="full", citation=True)
    page = (tmp_path / "bag/HOWTO.md").read_text()
    assert "another form than there: `CITATION.cff`, `dataset_description.json`." in page


def test_a_pack_by_permission_stays_private(tree: Make, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("You may.")
    bidsify.share(tree("ivdm3seg"), tmp_path / "bag", tier="full", permission=letter)
    assert "unless the permission says so" in (tmp_path / "bag/UPLOAD.md").read_text()
    assert "`PERMISSIONS.md`" in (tmp_path / "bag/TERMS.md").read_text()


def test_a_percent_sign_is_written_as_bagit_says(own_tree: Make, tmp_path: Path) -> None:
    root = own_tree("chaos")
    (root / "sub-CT01/100%.json").write_text("{}")
    assert run("share", root, tmp_path / "bag", "--tier", "metadata").code == 0
    text = (tmp_path / "bag/manifest-sha256.txt").read_text()
    assert "  data/tree/sub-CT01/100%25.json\n" in text
    assert (tmp_path / "bag/data/tree/sub-CT01/100%.json").exists()
