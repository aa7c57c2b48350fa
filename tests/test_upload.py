"""UPLOAD.md: commands that can be run, for hosts that may take the dataset; no secret in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NAMES

from bidsify import datasets
from bidsify.planning.description import dataset_description
from bidsify.sharing.licences import is_public_domain
from bidsify.sharing.upload import Parcel, instructions

SHARDS = ("part-001.tar", "part-002.tar")


def text(
    licence: str, tier: str = "full", title: str = "Livers", *, is_free: bool | None = None
) -> str:
    shards = SHARDS if tier == "full" else ()
    parcel = Parcel(
        title=title,
        tier=tier,
        licence=licence,
        is_public_domain=is_public_domain(licence) if is_free is None else is_free,
        shards=shards,
    )
    return instructions(parcel).decode()


def section(page: str, name: str) -> str:
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def commands(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize("licence", ["CC0", "CC0-1.0", "PDDL", "PDDL-1.0"])
def test_openneuro_takes_the_public_domain(licence: str) -> None:
    assert "upload --affirmDefaced ../tree" in section(text(licence), "OpenNeuro")


@pytest.mark.parametrize("licence", ["CC-BY-4.0", "CC-BY-NC-SA-4.0", "", "not established"])
def test_openneuro_takes_no_other_licence(licence: str) -> None:
    found = section(text(licence), "OpenNeuro")
    assert found.lstrip().startswith("Not possible: OpenNeuro publishes under CC0 alone")
    assert (licence or "not stated") in found
    assert commands(found) == []


def test_openneuro_takes_nothing_of_which_anything_else_is_stated() -> None:
    found = section(text("CC0", is_free=False), "OpenNeuro")
    assert "Not possible" in found
    assert commands(found) == []


@pytest.mark.parametrize("licence", ["CC BY 4.0", "CC-BY-4.0", "cc_by 4.0"])
def test_a_licence_is_named_as_it_is_judged(licence: str) -> None:
    assert "State the licence `CC-BY-4.0` in the form." in section(text(licence), "Zenodo")


def test_openneuro_takes_no_recipe() -> None:
    assert "Not possible: OpenNeuro takes whole" in section(text("CC0", "recipe"), "OpenNeuro")


@pytest.mark.parametrize("tier", ["recipe", "metadata", "full"])
@pytest.mark.parametrize("licence", ["CC0", "not established"])
def test_the_shell_understands_each_command(licence: str, tier: str) -> None:
    for block in commands(text(licence, tier)):
        subprocess.run(["sh", "-n"], input=block.encode(), check=True, timeout=10)


@pytest.mark.parametrize("name", NAMES)
def test_tokens_come_from_the_environment(name: str) -> None:
    description = dataset_description(datasets.load(name))
    title = description["Name"]
    page = text(description["License"], "recipe", title)
    assert "$ZENODO_TOKEN" in page
    assert "HF_TOKEN" in page
    assert not re.search(r"Bearer (?!%s)|token[= ][\w-]{8,}|/home/|/tmp/|@[a-z]+\.", page)
    assert title in page


def test_a_title_is_no_markup() -> None:
    page = text("CC0", title="<script>x</script>\n## Evil\n```sh\nrm -rf /\n```")
    assert "<script>" not in page
    assert not any("rm -rf" in block for block in commands(page))
    assert "\n## Evil" not in page


def test_the_archives_are_unpacked_as_the_page_says(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    (bag / "data").mkdir(parents=True)
    for name in SHARDS:
        (tmp_path / f"{name}.txt").write_text(name)
        command = ["tar", "-cf", bag / "data" / name, "-C", tmp_path, f"{name}.txt"]
        subprocess.run(command, check=True)
    (block,) = commands(section(text("CC-BY-4.0"), "DataLad"))
    unpack = block.partition("cd ../tree")[0]
    subprocess.run(["sh", "-e"], input=unpack.encode(), cwd=bag, check=True, timeout=10)
    assert sorted(path.name for path in (tmp_path / "tree").iterdir()) == [
        "part-001.tar.txt", "part-002.tar.txt",
    ]  # fmt: skip


def test_hugging_face_knows_the_options() -> None:
    program = shutil.which("hf", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("huggingface_hub is not installed")
    said = subprocess.check_output([program, "upload", "--help"], text=True, timeout=60)
    for option in ("--repo-type", "--private"):
        assert option in said


def test_each_archive_is_a_file_of_its_own_on_zenodo(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    (bag / "data").mkdir(parents=True)
    for name in (*SHARDS, "recipe.json"):
        (bag / "data" / name).write_text(name)
    (block,) = commands(section(text("CC-BY-4.0"), "Zenodo"))
    assert '--upload-file "$archive"' in block
    pack = block.partition("DRAFT=")[0]
    subprocess.run(["sh", "-e"], input=pack.encode(), cwd=bag, check=True, timeout=10)
    held = subprocess.check_output(["tar", "-tf", tmp_path / "bag.tar"], text=True).split()
    assert held == ["./", "./data/", "./data/recipe.json"]
    assert '"$archive"' not in section(text("CC-BY-4.0", "recipe"), "Zenodo")


@pytest.mark.parametrize(("licence", "said"), [("CC-BY-4.0", "cc-by-4.0"), ("mine", "other")])
def test_the_card_on_hugging_face_has_the_licence(licence: str, said: str) -> None:
    card = section(text(licence), "Hugging Face")
    assert f"\nlicense: {said}\n" in card
    assert "extra_gated_prompt: " in card
    assert "extra_gated_prompt: " not in section(text("CC0"), "Hugging Face")
