"""What a conversion does and does not do, asked of the library with a few files."""

from __future__ import annotations

import gzip
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import RECORD, Make, assert_no_leftovers, assert_same, differing, run, snapshot

import bidsify
from bidsify import datasets
from bidsify.conversion import convert as conversion
from bidsify.conversion import making
from bidsify.conversion.convert import Options, convert
from bidsify.demo import native
from bidsify.engine import run as engine
from bidsify.engine import work
from bidsify.engine.jobs import Unit
from bidsify.engine.work import Outcome
from bidsify.errors import UsageError
from bidsify.planning.plan import make_plan
from bidsify.source import open_source

MYOPS = datasets.load("myops380")


def converted(source: Path, out: Path, **options: Any) -> conversion.Conversion:
    return convert(open_source(source), out, MYOPS, Options(**options))


def test_the_result_says_what_was_done(source: Make, tmp_path: Path) -> None:
    done = converted(source("myops380"), tmp_path / "out")
    assert done.is_complete
    assert done.failures == []
    assert done.root == tmp_path / "out"
    assert done.buckets == {
        "converted": 12, "kept": 0, "duplicate": 0, "ignored": 0, "unclaimed": 0, "failed": 0,
    }  # fmt: skip
    assert done.warnings == ["3 subjects here, 380 in the publication"]
    assert done.plan.dataset == "myops380"


def test_the_caller_is_told_of_each_unit(source: Make, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    statuses: set[str] = set()

    def watch(unit: Unit, outcomes: Any, done: int, total: int) -> None:
        seen.append((unit.name, done, total))
        statuses.update(outcome.status for outcome in outcomes)

    convert(open_source(source("myops380")), tmp_path / "out", MYOPS, Options(), watch)
    assert seen == [("sub-0001", 1, 3), ("sub-0002", 2, 3), ("sub-0006", 3, 3)]
    assert statuses == {"written"}


def test_an_exception_of_the_caller_leaves_a_tree_to_go_on_with(
    source: Make, tree: Make, tmp_path: Path
) -> None:
    def watch(unit: Unit, *_: Any) -> None:
        if unit.subject == "0002":
            raise RuntimeError(unit.name)

    with pytest.raises(RuntimeError, match="sub-0002"):
        convert(open_source(source("myops380")), tmp_path / "out", MYOPS, Options(), watch)
    assert not (tmp_path / "out" / RECORD).exists()
    done = converted(source("myops380"), tmp_path / "out")
    assert done.buckets["kept"] == 8
    assert_same(tmp_path / "out", tree("myops380"))


def test_an_image_that_needs_no_change_keeps_its_compressed_stream(
    source: Make, tree: Make
) -> None:
    before = source("myops380") / "MyoPS380_dataset/Raw_data/LGE/case0001.nii.gz"
    after = (
        tree("myops380") / "sub-0001/anat/sub-0001_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz"
    )
    assert before.read_bytes() == after.read_bytes()


def test_an_uncompressed_image_is_the_same_bytes(source: Make, tree: Make) -> None:
    before = source("ivdm3seg") / "Training/02/02_wat.nii"
    after = tree("ivdm3seg") / "sub-02/anat/sub-02_acq-dixon_rec-water_T1w.nii.gz"
    assert gzip.decompress(after.read_bytes()) == before.read_bytes()


@pytest.mark.parametrize("name", ["chaos", "ssmspine"])
def test_reproducible_gives_other_bytes_and_the_same_content(
    name: str, source: Make, tree: Make, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert bidsify.convert(source(name), out, reproducible=True).failures == []
    assert bidsify.verify(source(name), out) == []
    changed = differing(snapshot(out), snapshot(tree(name)))
    assert [path for path in changed if path.endswith(".nii.gz")]
    for path in changed:
        if path.endswith(".nii.gz"):
            one, other = ((root / path).read_bytes() for root in (out, tree(name)))
            assert gzip.decompress(one) == gzip.decompress(other)
            assert one[:10] == other[:10]
        else:
            assert path == RECORD
    again = bidsify.convert(source(name), out, reproducible=True)
    assert again.buckets["converted"] == 0
    back = bidsify.convert(source(name), out)
    assert back.buckets["kept"] == 0
    assert_same(out, tree(name))


def test_what_cannot_be_proved_is_not_kept(
    source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making.proof, "faults", lambda *_: iter(["the sky is green"]))
    done = converted(source("myops380"), tmp_path / "out")
    assert done.buckets["failed"] == 12
    assert any("does not hold what the source holds: the sky is green" in t for t in done.failures)
    assert not list((tmp_path / "out").rglob("sub-*.nii.gz"))
    unproved = converted(source("myops380"), tmp_path / "other", prove=False)
    assert unproved.failures == []


def test_a_defect_of_one_job_does_not_stop_the_others(
    source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = making.volumes.make

    def broken(job: Any, *args: Any, **more: Any) -> Any:
        if "0002_dseg" in job.target:
            msg = "list index out of range"
            raise IndexError(msg)
        return true(job, *args, **more)

    monkeypatch.setattr(making.volumes, "make", broken)
    done = converted(source("myops380"), tmp_path / "out")
    (failure,) = done.failures
    assert failure.startswith(
        "MyoPS380_dataset/Raw_data/label/case0002_gt.nii.gz: unexpected Index"
    )
    assert done.buckets["converted"] == 11


def test_an_output_folder_that_cannot_be_written(source: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(out, os.W_OK):
        pytest.skip("this user may write anywhere")
    ran = run("convert", source("myops380"), out)
    assert ran.code != 0
    assert "Permission denied" in ran.error


def test_the_whole_disk_full_is_one_sentence(
    source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_root: Path, target: str, *_: object) -> None:
        raise OSError(28, "No space left on device", target)

    with monkeypatch.context() as patch:
        patch.setattr(work, "write_file", full)
        ran = run("convert", source("myops380"), tmp_path / "out")
    assert ran.code in (1, 2)
    assert ran.error.endswith(": No space left on device")
    assert run("convert", source("myops380"), tmp_path / "out").code == 0
    assert_no_leftovers(tmp_path / "out")


def test_participants_may_be_named_with_and_without_prefix(source: Make, tmp_path: Path) -> None:
    for number, label in enumerate(("0002", "sub-0002")):
        out = tmp_path / str(number)
        done = converted(source("myops380"), out, participants=(label, "sub-0006"))
        assert sorted(path.name for path in out.glob("sub-*")) == ["sub-0002", "sub-0006"]
        assert done.buckets["ignored"] == 4
    assert_same(tmp_path / "0", tmp_path / "1")


def test_a_participant_of_sessions_has_them_all(source: Make, tree: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = bidsify.convert(source("ssmspine"), out, participants=("p001",))
    assert sorted(path.name for path in (out / "sub-p001").iterdir()) == [
        "ses-aug001",
        "ses-aug002",
        "sub-p001_sessions.tsv",
    ]
    assert done.buckets["ignored"] == 1
    assert bidsify.verify(source("ssmspine"), out) == []
    assert bidsify.convert(source("ssmspine"), out).failures == []
    assert_same(out, tree("ssmspine"))


def test_all_participants_one_by_one(source: Make, tree: Make, tmp_path: Path) -> None:
    for label in ("MR39", "CT02", "CT03", "CT01", "MR01"):
        ran = run("convert", source("chaos"), tmp_path / "out", "--participant-label", label)
        assert ran.code == 0, ran.err
    assert_same(tmp_path / "out", tree("chaos"))


def test_replace_forgets_what_the_source_no_longer_has(own_source: Make, own_tree: Make) -> None:
    source, out = own_source("myops380"), own_tree("myops380")
    for path in list(source.rglob("case0002*")):
        path.unlink()
    with pytest.raises(UsageError, match=r"sub-0002/\S+, which this source does not give"):
        converted(source, out)
    assert (out / "sub-0002").is_dir()
    done = converted(source, out, on_existing="replace")
    assert done.buckets["converted"] == 8
    assert not (out / "sub-0002").exists()
    assert "sub-0002" not in (out / "participants.tsv").read_text()


def test_replace_stays_in_its_folder(source: Make, own_tree: Make, tmp_path: Path) -> None:
    """A record is a file that anybody may have written."""
    out = own_tree("myops380")
    victims = [tmp_path / "victim", out / "link/victim"]
    (tmp_path / "elsewhere").mkdir()
    (out / "link").symlink_to(tmp_path / "elsewhere")
    for victim in victims:
        victim.write_text("years of work")
    record = json.loads((out / RECORD).read_text())
    record["shared"] += ["../victim", str(victims[0]), "link/victim"]
    record["written"][0]["target"] = "../victim"
    (out / RECORD).write_text(json.dumps(record))
    converted(source("myops380"), out, on_existing="replace")
    assert all(victim.read_text() == "years of work" for victim in victims)


def test_a_record_that_names_a_file_elsewhere_does_not_make_it_kept(
    source: Make, tree: Make, own_tree: Make
) -> None:
    out = own_tree("myops380")
    record = json.loads((out / RECORD).read_text())
    for entry in record["written"]:
        entry["digest"] = "0" * 64
    (out / RECORD).write_text(json.dumps(record))
    assert converted(source("myops380"), out).buckets["converted"] == 12
    assert_same(out, tree("myops380"))


def test_another_version_converts_again(
    source: Make, tree: Make, own_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bidsify.engine import jobs

    out = own_tree("myops380")
    monkeypatch.setattr(jobs, "__version__", "99")
    assert converted(source("myops380"), out).buckets["converted"] == 12
    data = [n for n in differing(snapshot(out), snapshot(tree("myops380"))) if n.startswith("sub-")]
    assert data == []


def test_a_link_in_the_output_is_not_written_through(source: Make, tmp_path: Path) -> None:
    """A file is put in place of a link, not into what the link points at."""
    out = tmp_path / "out"
    victim = tmp_path / "victim"
    victim.write_text("years of work")
    assert converted(source("myops380"), out).failures == []
    target = out / "sub-0001/anat/sub-0001_dseg.nii.gz"
    target.unlink()
    target.symlink_to(victim)
    assert converted(source("myops380"), out).failures == []
    assert victim.read_text() == "years of work"
    assert not target.is_symlink()


def test_max_failures_counts_subjects(own_source: Make, tmp_path: Path) -> None:
    source = own_source("myops380")
    for path in source.rglob("case0001*"):
        path.write_bytes(b"broken")
    assert len(converted(source, tmp_path / "a", max_failures=1).failures) > 4
    done = converted(source, tmp_path / "b", max_failures=2)
    assert len(done.failures) == 4
    assert done.buckets["converted"] == 8


def test_an_outcome_of_a_worker_that_died_is_a_failure_of_its_unit() -> None:
    plan = make_plan(MYOPS, ["LGE/case0001.nii.gz"])
    outcomes = engine._death(plan.units[0])
    assert {outcome.status for outcome in outcomes} == {"failed"}
    assert all("sub-0001: the process that made it was killed" in o.message for o in outcomes)
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)


def test_scans_name_the_source_of_each_file(source: Make, tree: Make) -> None:
    import hashlib

    for name in ("myops380", "chaos", "lumbosacral", "ssmspine"):
        for path in tree(name).rglob("*_scans.tsv"):
            head, *rows = [line.split("\t") for line in path.read_text().splitlines()]
            assert head == ["filename", "source_file", "source_sha256"]
            data = {p for p in path.parent.rglob("*") if p.is_file() and p.suffix != ".json"}
            data -= {*path.parent.glob("*_scans.tsv"), *path.parent.glob("*_sessions.tsv")}
            assert {path.parent / row[0] for row in rows} == data
            for _, origin, digest in rows:
                where = source(name) / origin
                if digest == "n/a":
                    assert where.is_dir()
                else:
                    assert hashlib.sha256(where.read_bytes()).hexdigest() == digest


def test_native_columns_of_people_are_kept(tree: Make) -> None:
    assert (tree("lumbosacral") / "participants.tsv").read_text().splitlines() == [
        "participant_id\tsource_id\tage\tsex",
        "sub-01\tsub-01\t22\tM",
        "sub-14\tsub-14\t24\tF",
    ]
    document = json.loads((tree("lumbosacral") / "participants.json").read_text())
    assert document["age"]["Units"] == "year"


def test_sources_lead_to_the_images_that_labels_were_drawn_on(tree: Make) -> None:
    for path in tree("myops380").rglob("*_dseg.json"):
        if path.parent == tree("myops380"):
            continue
        uris = json.loads(path.read_text())["Sources"]
        assert len(uris) == 3
        for uri in uris:
            assert (tree("myops380") / uri.removeprefix("bids::")).is_file()


def test_gray_values_become_indices(source: Make, tree: Make) -> None:
    from PIL import Image

    path = tree("chaos") / "sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg.nii.gz"
    written = np.asanyarray(nib.load(path).dataobj)
    pictures = sorted((source("chaos") / "Train_Sets/MR/1/T2SPIR/Ground").glob("*.png"))
    grey = np.concatenate([np.asarray(Image.open(picture)).ravel() for picture in pictures])
    for value, index in ((0, 0), (63, 1), (126, 2), (189, 3), (252, 4)):
        assert (written == index).sum() == (grey == value).sum() > 0


def test_a_declaration_of_ones_own_needs_no_file_of_ours(tmp_path: Path) -> None:
    declared = replace(MYOPS, name="mine", subjects={})
    native.save(tmp_path / "in/LGE/case0001.nii", native.nifti(np.ones((3, 4, 5), "i2"), np.eye(4)))
    done = convert(open_source(tmp_path / "in"), tmp_path / "out", declared, Options())
    assert done.failures == []
    assert json.loads((tmp_path / "out" / RECORD).read_text())["dataset"] == "mine"
