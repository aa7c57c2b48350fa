"""The same dataset from a recipe and a second copy of the download, or a loud no."""

from __future__ import annotations

import errno
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import RECORD, Make, Stated, run, snapshot

import bidsify
from bidsify.conversion import convert as conversion
from bidsify.errors import UsageError
from bidsify.planning import plan as planning
from bidsify.records.conversion import read_record
from bidsify.sharing import recipe as recipes
from bidsify.sharing import reproduce as reproduction
from bidsify.sharing.contents import Content

Recipe = Callable[[str], Path]


@pytest.fixture(scope="module")
def recipe(tree: Make, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Return the recipe of a tree; not to be changed."""
    root = tmp_path_factory.mktemp("recipes")

    def make(name: str) -> Path:
        if not (root / name).exists():
            bidsify.share(tree(name), root / name)
        return root / name

    return make


def own_recipe(found: Path, folder: Path, **changes: Any) -> Path:
    document = json.loads((found / "data/recipe.json").read_bytes())
    path = folder / "recipe.json"
    path.write_text(json.dumps({**document, **changes}))
    return path


def change_voxel(path: Path) -> None:
    image = nib.Nifti1Image.from_filename(path)
    values = np.asanyarray(image.dataobj).copy()
    values[tuple(n // 2 for n in values.shape)] += 1
    nib.save(nib.Nifti1Image(values, image.affine, image.header), path)


@pytest.mark.parametrize(
    "name", ["ivdm3seg", "chaos", "lumbosacral", "brats2020", "crossmoda2023", "myops380"]
)
def test_a_second_copy_of_the_source_gives_the_identical_tree(
    name: str, recipe: Recipe, own_source: Make, tmp_path: Path
) -> None:
    """Of a dataset whose label table the user stated, too: the recipe has it."""
    found = recipe(name)
    ran = run("reproduce", found, own_source(name), tmp_path / "out", "-q")
    document = json.loads((found / "data/recipe.json").read_bytes())
    assert ran.code == 0, ran.out + ran.err
    digest = document["content_manifest_sha256"]
    assert ran.out == (f"identical: {len(document['targets'])} files, content manifest {digest}\n")
    again = bidsify.share(tmp_path / "out", tmp_path / "again")
    assert again.digest == digest


def test_some_participants(source: Make, tmp_path: Path) -> None:
    bidsify.convert(source("ivdm3seg"), tmp_path / "tree", participants=("02",))
    bidsify.share(tmp_path / "tree", tmp_path / "recipe")
    found = recipes.read(tmp_path / "recipe")
    assert found.document["options"]["participants"] == ["02"]
    paths = {f["path"] for f in found.document["source"]["files"]}
    assert {Path(path).name[:2] for path in paths} == {"02"}
    done = bidsify.reproduce(tmp_path / "recipe", source("ivdm3seg"), tmp_path / "out")
    assert done.is_identical
    assert not (tmp_path / "out/sub-01").exists()


def test_an_archive_of_the_source(recipe: Recipe, source: Make, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "download"), "zip", source("ivdm3seg"))
    assert bidsify.reproduce(recipe("ivdm3seg"), packed, tmp_path / "out").is_identical


def test_a_folder_above_the_source(recipe: Recipe, own_source: Make, tmp_path: Path) -> None:
    """Paths of the source stand in ``scans.tsv``, so they must begin where the others did."""
    (tmp_path / "downloads").mkdir()
    shutil.move(own_source("ivdm3seg"), tmp_path / "downloads")
    place = recipe("ivdm3seg") / "data" / "recipe.json"
    assert bidsify.reproduce(place, tmp_path / "downloads", tmp_path / "out").is_identical


@pytest.mark.parametrize("packed", [True, False])
def test_a_download_that_must_be_looked_for(
    recipe: Recipe, source: Make, tmp_path: Path, *, packed: bool
) -> None:
    """In an archive, or twice: of copies the first is used."""
    place = tmp_path / "downloads"
    for name in ("first", "second")[: 1 if packed else 2]:
        shutil.copytree(source("ivdm3seg"), place / name)
    if packed:
        place = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", place))
    done = bidsify.reproduce(recipe("ivdm3seg"), place, tmp_path / "out")
    assert done.is_identical
    assert done.source == ()


def test_it_goes_on_where_it_was_cut_off(recipe: Recipe, source: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bidsify.convert(source("ivdm3seg"), out, participants=("01",))
    (next(out.rglob("*_dseg.nii.gz"))).write_bytes(b"torn")
    assert bidsify.reproduce(recipe("ivdm3seg"), source("ivdm3seg"), out).is_identical


def test_files_may_be_packed_differently(recipe: Recipe, source: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bidsify.convert(source("chaos"), out, reproducible=True)
    ran = run("reproduce", recipe("chaos"), source("chaos"), out, "-q")
    other = own_recipe(recipe("chaos"), tmp_path)
    document = json.loads(other.read_bytes())
    packed = [each for each in document["targets"] if each["path"].endswith(".nii.gz")]
    for each in packed:
        each["sha256"] = "0" * 64
    other.write_text(json.dumps(document))
    assert ran.code == 0
    ran = run("reproduce", other, source("chaos"), out, "-q")
    assert ran.code == 0
    assert ran.err == (
        f"note: {len(packed)} files: same content, packed differently\n"
        f"note: {RECORD}, the record of this run, is not part of the proof\n"
    )


# A loud no


def test_one_changed_voxel_fails(recipe: Recipe, own_source: Make, tmp_path: Path) -> None:
    source = own_source("brats2020")
    path = next(source.rglob("*_t1.nii*"))
    change_voxel(path)
    ran = run("reproduce", recipe("brats2020"), source, tmp_path / "out", "-q")
    assert ran.code == 1
    *lines, verdict = ran.out.splitlines()
    assert f"changed in the source: {path.relative_to(source).as_posix()}" in lines
    assert any(x.startswith("changed in the tree: sub-") and "T1w.nii.gz" in x for x in lines)
    assert verdict.startswith("NOT identical: ")
    assert "1 file of the source differ" in verdict


def test_one_changed_label_fails(recipe: Recipe, own_source: Make, tmp_path: Path) -> None:
    source = own_source("brats2020")
    path = next(source.rglob("*_seg.nii*"))
    image = nib.Nifti1Image.from_filename(path)
    values = np.asanyarray(image.dataobj).copy()
    values[tuple(np.argwhere(values == 1)[0])] = 2
    nib.save(nib.Nifti1Image(values, image.affine, image.header), path)
    done = bidsify.reproduce(recipe("brats2020"), source, tmp_path / "out")
    assert [each.what for each in done.source] == ["changed"]
    assert [each for each in done.tree if each.path.endswith("_dseg.nii.gz")]


def test_a_voxel_that_was_changed_in_the_tree_is_mended(
    recipe: Recipe, source: Make, own_tree: Make
) -> None:
    out = own_tree("ivdm3seg")
    change_voxel(next(out.rglob("*_rec-fat_T1w.nii.gz")))
    assert bidsify.reproduce(recipe("ivdm3seg"), source("ivdm3seg"), out).is_identical


def gone(source: Path) -> str:
    path = next(source.glob("Training/*/*_fat*.nii*"))
    path.unlink()
    return f"missing in the source: {path.relative_to(source / 'Training').as_posix()}"


def torn(source: Path) -> str:
    path = next(source.glob("Training/*/*_fat*.nii*"))
    path.write_bytes(path.read_bytes()[:500])
    return f"changed in the source: {path.relative_to(source / 'Training').as_posix()}"


def one_more(source: Path) -> str:
    for path in sorted(source.rglob("*02*")):
        if path.is_file():
            more = source / path.relative_to(source).as_posix().replace("02", "07")
            more.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, more)
    return "extra in the source: "


@pytest.mark.parametrize("spoil", [gone, torn, one_more])
def test_another_source_is_named(
    spoil: Callable[[Path], str], recipe: Recipe, own_source: Make, tmp_path: Path
) -> None:
    source = own_source("ivdm3seg")
    expected = spoil(source)
    ran = run("reproduce", recipe("ivdm3seg"), source, tmp_path / "out", "-q")
    assert ran.code == 1
    assert expected in ran.out
    assert "NOT identical" in ran.out


def test_a_file_more_in_the_tree_is_named(recipe: Recipe, source: Make, own_tree: Make) -> None:
    out = own_tree("ivdm3seg")
    (out / "sub-01/anat/notes.txt").write_text("mine")
    ran = run("reproduce", recipe("ivdm3seg"), source("ivdm3seg"), out, "-q")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "extra in the tree: sub-01/anat/notes.txt",
        "NOT identical: 1 file of the tree, 0 files of the source differ",
    ]


@pytest.mark.parametrize("lost", ["participants.tsv", "sub-01/anat/*_dseg.nii.gz"])
def test_a_file_that_is_missing_is_named(lost: str, recipe: Recipe, own_tree: Make) -> None:
    root = own_tree("ivdm3seg")
    path = next(root.glob(lost))
    path.unlink()
    read = recipes.read(recipe("ivdm3seg"))
    done = reproduction.compare(root, read)
    assert not done.is_identical
    assert [(each.path, each.what) for each in done.tree] == [
        (path.relative_to(root).as_posix(), "missing")
    ]
    assert done.digest != read.digest


def test_the_digest_is_that_of_the_tree(recipe: Recipe, own_tree: Make) -> None:
    root = own_tree("ivdm3seg")
    read = recipes.read(recipe("ivdm3seg"))
    assert reproduction.compare(root, read).digest == read.digest
    change_voxel(next(root.rglob("*_rec-fat_T1w.nii.gz")))
    assert reproduction.compare(root, read).digest != read.digest


def test_another_version_is_said(recipe: Recipe, source: Make, tmp_path: Path) -> None:
    place = own_recipe(recipe("ivdm3seg"), tmp_path, bidsify_version="9.9")
    ran = run("reproduce", place, source("ivdm3seg"), tmp_path / "out", "-q")
    assert "note: the recipe was made by bidsify 9.9, this is " in ran.err
    assert "pip install bidsify-datasets==9.9" in ran.err


def test_another_download(recipe: Recipe, source: Make, tmp_path: Path) -> None:
    ran = run("reproduce", recipe("ivdm3seg"), source("chaos"), tmp_path / "out")
    assert ran.code == 2
    assert "holds none of the 15 files that the recipe needs, such as " in ran.error
    assert not (tmp_path / "out").exists()


def test_another_tree_is_left_alone(recipe: Recipe, source: Make, own_tree: Make) -> None:
    out = own_tree("lumbosacral")
    before = (out / RECORD).read_bytes()
    ran = run("reproduce", recipe("ivdm3seg"), source("ivdm3seg"), out)
    assert ran.code == 2
    assert "holds files made of 'lumbosacral'" in ran.error
    assert (out / RECORD).read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"targets": []}, "its list of files and its content_manifest_sha256 differ"),
        ({"content_manifest_sha256": "0" * 64}, "its list of files and its content_manifest"),
        ({"recipe_version": 2}, r"not a recipe that this version reads: \$\.recipe_version"),
        ({"dataset": "nobody"}, "is for the dataset 'nobody', which this bidsify does not know"),
        ({"dataset": "../mine.py"}, "not a recipe that this version reads"),
        ({"bidsify_version": "1; rm -rf ~"}, r"not a recipe .*: \$\.bidsify_version"),
        ({"bidsify_version": "1.0\nrm -rf ~"}, r"not a recipe .*: \$\.bidsify_version"),
        ({"bidsify_version": "1.0\n"}, r"not a recipe .*: \$\.bidsify_version"),
        ({"source": {}}, "not a recipe that this version reads"),
    ],
)
def test_a_recipe_that_is_none(
    changes: dict[str, Any], reason: str, recipe: Recipe, source: Make, tmp_path: Path
) -> None:
    place = own_recipe(recipe("ivdm3seg"), tmp_path, **changes)
    with pytest.raises(UsageError, match=reason):
        bidsify.reproduce(place, source("ivdm3seg"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_path_stands_in_a_recipe_once(recipe: Recipe, tmp_path: Path) -> None:
    found = recipes.read(recipe("ivdm3seg"))
    targets = found.document["targets"]
    for more in (targets[0], {**targets[0], "content_sha256": "0" * 64}):
        both = [Content(**{k: v for k, v in t.items() if k != "transform"}) for t in targets]
        both.append(Content(**{k: v for k, v in more.items() if k != "transform"}))
        digest = recipes.Recipe({}, tuple(sorted(both))).digest
        changes = {"targets": [*targets, more], "content_manifest_sha256": digest}
        place = own_recipe(recipe("ivdm3seg"), tmp_path, **changes)
        with pytest.raises(UsageError, match=f"lists {targets[0]['path']} twice"):
            recipes.read(place)


def test_a_file_too_large_for_a_recipe_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "recipe.json").open("wb") as stream:
        stream.truncate((1 << 28) + 1)
    with pytest.raises(UsageError, match=r"recipe\.json: more than 256 MiB, which is no recipe"):
        recipes.read(tmp_path)


def test_a_recipe_of_many_files_is_read_at_once(recipe: Recipe, tmp_path: Path) -> None:
    sha256 = "0" * 64
    one = {"size": 1, "sha256": sha256, "content_sha256": sha256, "transform": "copied"}
    targets = [{"path": f"sub-{n:05}/a", **one} for n in range(50_000)]
    found = [Content(t["path"], 1, sha256, sha256) for t in targets]
    digest = recipes.Recipe({}, tuple(found)).digest
    changes = {"targets": targets, "content_manifest_sha256": digest}
    place = own_recipe(recipe("ivdm3seg"), tmp_path, **changes)
    before = time.process_time()
    assert len(recipes.read(place).targets) == 50_000
    assert time.process_time() - before < 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"3"])
def test_a_damaged_recipe(content: bytes, source: Make, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_bytes(content)
    ran = run("reproduce", tmp_path, source("ivdm3seg"), tmp_path / "out")
    assert ran.code == 2
    assert "recipe.json: not " in ran.error


def test_no_recipe(source: Make, tmp_path: Path) -> None:
    ran = run("reproduce", tmp_path, source("ivdm3seg"), tmp_path / "out")
    assert "no recipe.json there; give the folder that 'bidsify share' wrote" in ran.error


def test_the_record_of_an_older_version_verifies(own_tree: Make, source: Make) -> None:
    out = own_tree("ivdm3seg")
    document = json.loads((out / RECORD).read_bytes())
    assert {*document.pop("shared_sha256")} == {*document["shared"]}
    (out / RECORD).write_text(json.dumps(document))
    assert bidsify.verify(source("ivdm3seg"), out) == []


def test_hashes_of_shared_files_are_verified(own_tree: Make, source: Make) -> None:
    out = own_tree("ivdm3seg")
    text = (out / RECORD).read_text()
    document = json.loads(text)
    (out / RECORD).write_text(text.replace(document["shared_sha256"]["README.md"], "0" * 64))
    (problem,) = bidsify.verify(source("ivdm3seg"), out)
    assert problem.path == RECORD
    assert "$.shared_sha256.README.md is " in problem.message


def stated_table(stated: Stated) -> str:
    return Path(str(stated("crossmoda2023")[1])).read_text()


def test_the_label_table_that_was_stated_is_in_the_recipe(recipe: Recipe, stated: Stated) -> None:
    document = json.loads((recipe("crossmoda2023") / "data/recipe.json").read_bytes())
    names = {line.split("\t")[1] for line in stated_table(stated).splitlines()[1:]}
    table = document["options"]["label_table"]
    assert names <= {cell for line in table.splitlines() for cell in line.split("\t")}


# Folders above the data


@pytest.mark.parametrize("name", ["myops380", "ivdm3seg", "chaos"])
def test_folders_above_the_data_leave_nowhere_and_matter_nowhere(
    name: str, recipe: Recipe, source: Make, tmp_path: Path
) -> None:
    place = tmp_path / "in/JaneDoe_private/mine"
    shutil.copytree(source(name), place)
    bidsify.convert(tmp_path / "in", tmp_path / "tree")
    record = read_record(tmp_path / "tree")
    assert record is not None
    assert record.base.startswith("JaneDoe_private/mine/")
    for tier in ("recipe", "metadata", "full"):
        letter = tmp_path / "letter.txt"
        letter.write_text("You may.")
        bidsify.share(tmp_path / "tree", tmp_path / tier, tier=tier, permission=letter)
        for path in (tmp_path / tier).rglob("*"):
            assert path.is_dir() or b"JaneDoe" not in path.read_bytes(), path
    found = recipes.read(tmp_path / "recipe").document
    assert found == recipes.read(recipe(name)).document
    ran = run("reproduce", tmp_path / "recipe", source(name), tmp_path / "out", "-q")
    assert ran.code == 0, ran.out
    assert ran.out.startswith("identical: ")
    assert "in the source" not in ran.err


def test_a_tree_of_an_older_version_tells_no_folders_either(
    source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(source("myops380"), tmp_path / "in/JaneDoe/mine")
    with monkeypatch.context() as patch:
        patch.setattr(planning, "base_of", lambda *_: "")
        bidsify.convert(tmp_path / "in", tmp_path / "out")
    assert run("share", tmp_path / "out", tmp_path / "bag").code == 0
    assert all(b"JaneDoe" not in each for each in snapshot(tmp_path / "bag").values())
    assert run("reproduce", tmp_path / "bag", source("myops380"), tmp_path / "again").code == 0


def test_what_more_the_source_holds_changes_no_name(source: Make, tmp_path: Path) -> None:
    """A recipe of one part, and the download of both: tables name files as the recipe does."""
    name = "BraTS2020_TrainingData"
    shutil.copytree(source("brats2020") / name, tmp_path / "in" / name)
    done = bidsify.convert(tmp_path / "in", tmp_path / "tree")
    labels = sorted({unit.subject for unit in done.plan.units})
    bidsify.convert(tmp_path / "in", tmp_path / "some", participants=(labels[0],))
    bidsify.share(tmp_path / "some", tmp_path / "recipe")
    found = bidsify.reproduce(tmp_path / "recipe", source("brats2020"), tmp_path / "out")
    assert not [each for each in found.tree if each.path.endswith("_scans.tsv")]


# A recipe in its bag, and the place of the tree


@pytest.mark.parametrize("name", ["recipe.json", "content-manifest.tsv", "labels/dseg.tsv"])
@pytest.mark.parametrize("given", ["", "data", "data/recipe.json"])
def test_a_bag_that_was_changed(
    name: str, given: str, recipe: Recipe, source: Make, tmp_path: Path
) -> None:
    bag = tmp_path / "bag"
    shutil.copytree(recipe("ivdm3seg"), bag)
    with (bag / "data" / name).open("ab") as stream:
        stream.write(b"\n")
    ran = run("reproduce", bag / given, source("ivdm3seg"), tmp_path / "out")
    assert ran.code == 2
    assert f"{name}: not as manifest-sha256.txt says; get the folder again" in ran.error


def test_label_tables_are_those_of_the_tree(recipe: Recipe, own_tree: Make, tmp_path: Path) -> None:
    document = json.loads((recipe("ivdm3seg") / "data/recipe.json").read_bytes())
    document["label_tables"]["dseg.tsv"][1]["name"] = "lie"
    place = own_recipe(recipe("ivdm3seg"), tmp_path, **document)
    done = reproduction.compare(own_tree("ivdm3seg"), recipes.read(place))
    assert [(each.path, each.what) for each in done.tree] == [("dseg.tsv", "labelled otherwise")]


def test_only_what_is_packed_has_two_hashes(recipe: Recipe, tmp_path: Path) -> None:
    document = json.loads((recipe("ivdm3seg") / "data/recipe.json").read_bytes())
    (each,) = (t for t in document["targets"] if t["path"] == "README.md")
    each["sha256"] = "0" * 64
    with pytest.raises(UsageError, match=r"has two hashes for the content of README\.md"):
        recipes.read(own_recipe(recipe("ivdm3seg"), tmp_path, **document))


def test_a_tree_with_other_options_stays(source: Make, tmp_path: Path) -> None:
    bidsify.convert(source("ivdm3seg"), tmp_path / "some", participants=("02",))
    bidsify.share(tmp_path / "some", tmp_path / "recipe")
    bidsify.convert(source("ivdm3seg"), tmp_path / "out")
    ran = run("reproduce", tmp_path / "recipe", source("ivdm3seg"), tmp_path / "out")
    assert ran.code == 2
    assert "holds a tree that was made with more participants (01" in ran.error


def test_another_label_table_stays(
    recipe: Recipe, source: Make, stated: Stated, tmp_path: Path
) -> None:
    found, place = recipe("crossmoda2023"), source("crossmoda2023")
    table = stated("crossmoda2023")[1]
    other = tmp_path / "table.tsv"
    other.write_text(Path(str(table)).read_text().rstrip("\n") + "x\n")
    bidsify.convert(place, tmp_path / "out", dataset="crossmoda2023", label_table=other)
    ran = run("reproduce", found, place, tmp_path / "out")
    assert ran.code == 2
    assert "holds a tree that was made with another label table" in ran.error


def test_a_label_table_that_is_none_names_the_recipe(
    recipe: Recipe, source: Make, tmp_path: Path
) -> None:
    options = {"label_table": "no\ttable\n", "participants": []}
    place = own_recipe(recipe("crossmoda2023"), tmp_path, options=options)
    ran = run("reproduce", place, source("crossmoda2023"), tmp_path / "out")
    assert ran.code == 2
    assert ran.error.startswith(f"{place}: options.label_table: ")


def test_no_tree_in_the_bag(recipe: Recipe, source: Make, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    shutil.copytree(recipe("ivdm3seg"), bag)
    ran = run("reproduce", bag, source("ivdm3seg"), bag / "out")
    assert ran.code == 2
    assert "lies in the folder of the recipe, which it would change" in ran.error


def test_a_full_disk_names_the_tree(
    recipe: Recipe, source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(conversion, "convert", full)
    ran = run("reproduce", recipe("ivdm3seg"), source("ivdm3seg"), tmp_path / "out")
    assert ran.error.startswith(f"{tmp_path / 'out'}: No space left on device; run it again")


def test_what_differs_in_the_source_is_said_of_an_identical_tree(
    recipe: Recipe, source: Make, own_tree: Make, tmp_path: Path
) -> None:
    document = json.loads((recipe("ivdm3seg") / "data/recipe.json").read_bytes())
    document["source"]["files"][0]["sha256"] = "0" * 64
    more = {**document["source"]["files"][0], "path": "01/gone.nii"}
    document["source"]["files"].append(more)
    place = own_recipe(recipe("ivdm3seg"), tmp_path, **document)
    ran = run("reproduce", place, source("ivdm3seg"), own_tree("ivdm3seg"), "-q")
    assert ran.code == 0
    assert "note: missing in the source: 01/gone.nii\n" in ran.err
    assert f"note: changed in the source: {document['source']['files'][0]['path']}\n" in ran.err
