"""Writing and removing files of the tree: nothing outside it is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsify.conversion.finish import Shared, write_shared
from bidsify.engine.writing import remove_file, write_file
from bidsify.errors import SourceError
from bidsify.planning.shared_jobs import TextJob

STALE = "sub-1/sub-1_sessions.tsv"
UNUSED = Shared(TextJob(target=STALE, content=""), None, {})


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Path, Path]:
    """Return a tree whose folder of a subject is a link out of it, and a file there."""
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    tree.mkdir()
    elsewhere.mkdir()
    (tree / "sub-1").symlink_to(elsewhere)
    victim = elsewhere / "sub-1_sessions.tsv"
    victim.write_text("years of work")
    return tree, victim


def test_a_file_of_the_tree_is_removed(tmp_path: Path) -> None:
    (tmp_path / "sub-1").mkdir()
    (tmp_path / STALE).write_text("x")
    assert remove_file(tmp_path, STALE)
    assert not (tmp_path / STALE).exists()
    assert remove_file(tmp_path, STALE)  # nothing there is no error


def test_a_file_that_a_link_leads_to_stays(linked: tuple[Path, Path]) -> None:
    tree, victim = linked
    for target in (STALE, "../elsewhere/sub-1_sessions.tsv", str(victim)):
        assert not remove_file(tree, target)
    assert victim.read_text() == "years of work"


def test_a_shared_file_of_no_more_use_goes(tmp_path: Path) -> None:
    (tmp_path / "sub-1").mkdir()
    (tmp_path / STALE).write_text("x")
    assert [*write_shared([UNUSED], tmp_path, ())] == []
    assert (tmp_path / STALE).exists()  # no earlier run of ours wrote it
    assert [*write_shared([UNUSED], tmp_path, (STALE,))] == []
    assert not (tmp_path / STALE).exists()


def test_a_shared_file_of_no_more_use_stays_where_a_link_leads_to_it(
    linked: tuple[Path, Path],
) -> None:
    tree, victim = linked
    assert [*write_shared([UNUSED], tree, (STALE,))] == []
    assert victim.read_text() == "years of work"


def test_no_folder_is_made_where_a_link_leads_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "sub-1").symlink_to(outside)
    (root / "sub-2").symlink_to(tmp_path / "gone")
    for target in ("sub-1/anat/a.json", "sub-2/anat/a.json"):
        with pytest.raises(SourceError, match="a link out of the output folder"):
            write_file(root, target, b"{}")
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "gone").exists()
