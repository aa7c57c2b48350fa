"""Which issues can be new since a git revision: none that is new is left out, and few others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bidsify.bids_schema import schema
from bidsify.errors import UsageError
from bidsify.validation import run
from bidsify.validation.changed import Changed, changed_paths
from bidsify.validation.closure import Changes, Closure
from bidsify.validation.files.kinship import kinship
from bidsify.validation.files.names import split_name
from bidsify.validation.issue import Finding, Report
from bidsify.validation.options import Options

KINSHIP = kinship(schema())
RAW = {"Name": "x", "BIDSVersion": "1.11.0", "DatasetType": "raw", "Authors": ["A", "B"]}
EVENTS = "onset\tduration\tstim_file\n1\t1\tcat.png\n"
FUNC = "sub-{0}/func/sub-{0}_task-rest"
FILES: Mapping[str, str] = {
    "dataset_description.json": json.dumps(RAW),
    "README": "What the data are, at some length, so that nobody says that it is too short." * 3,
    "participants.tsv": "participant_id\tage\nsub-01\t20\nsub-02\t30\n",
    "participants.json": '{"age": {"Description": "Age"}}',
    "task-rest_bold.json": '{"TaskName": "rest", "RepetitionTime": 2}',
    "acq-x_T1w.json": '{"EchoTime": "long"}',
    "task-rest_events.json": '{"stim_file": {"Description": "picture"}}',
    "stimuli/cat.png": "cat",
    "phenotype/mood.tsv": "participant_id\tmood\nsub-01\t1\nsub-02\t2\n",
    ".bidsignore": "!/stimuli/\n*.txt\n",
} | {
    path.format(label): text
    for label in ("01", "02")
    for path, text in (
        ("sub-{0}/sub-{0}_scans.tsv", f"filename\nfunc/sub-{label}_task-rest_bold.nii\n"),
        ("sub-{0}/anat/sub-{0}_acq-x_T1w.nii", "image"),
        ("sub-{0}/anat/sub-{0}_T2w.nii.gz", "image"),
        ("sub-{0}/anat/sub-{0}_T2w.json", "{}"),
        (FUNC + "_bold.nii", "image"),
        (FUNC + "_events.tsv", EVENTS),
        (FUNC + "_events.json", "{}"),
        (FUNC + "_physio.tsv.gz", "gz"),
        (FUNC + "_physio.json", '{"Columns": ["cardiac"]}'),
        ("sub-{0}/fmap/sub-{0}_dir-AP_epi.nii", "image"),
        (
            "sub-{0}/fmap/sub-{0}_dir-AP_epi.json",
            json.dumps({"IntendedFor": f"func/sub-{label}_task-rest_bold.nii"}),
        ),
        ("sub-{0}/dwi/sub-{0}_dwi.nii", "image"),
        ("sub-{0}/dwi/sub-{0}_dwi.bval", "0 1000\n"),
        ("sub-{0}/dwi/sub-{0}_dwi.bvec", "0 1\n0 0\n0 0\n"),
        ("sub-{0}/meg/sub-{0}_task-rest_meg.ds/x.meg4", "meg"),
        ("sub-{0}/meg/sub-{0}_task-rest_meg.json", "{}"),
        ("sub-{0}/meg/sub-{0}_task-rest_channels.tsv", "name\ttype\tunits\nA\tMEGMAG\tT\n"),
        ("sub-{0}/meg/sub-{0}_coordsystem.json", "{}"),
    )
}  # fmt: skip
#: What an edit may write that the tree does not have yet.
NEW = (
    "CITATION.cff", "README.md", "T2w.json", "task-rest_acq-x_bold.json",
    "sub-03/anat/sub-03_T1w.nii",
    "sub-01/sub-01_T2w.json", "sub-01/sub-01_bold.json", "sub-01/func/sub-01_bold.json",
    "sub-01/func/sub-01_task-rest_acq-x_bold.nii", "sub-01/func/sub-01_Task-rest_bold.nii",
    "sub-01/func/sub-01_task-rest_bold.nii.gz", "sub-01/func/sub-01_task-rest_bold.json",
    "sub-02/meg/sub-02_task-rest_events.tsv", "sub-02/wrong/notes.md", "dwi.bval", "events.tsv",
    "sub-02/dwi/sub-02_acq-x_dwi.bvec", "stimuli/dog.png", "sub-02/sub-02_T2w.txt",
)  # fmt: skip
TEXTS = (
    "", "{}", "[]", '{"TaskName": 7, "EchoTime": 99, "IntendedFor": "anat/sub-01_T2w.json"}',
    '{"IntendedFor": "nowhere.nii", "RepetitionTime": 3}', "onset\tduration\n", "filename\nx.nii\n",
    '{"Name": "x", "BIDSVersion": "1.11.0", "DatasetType": "derivative"}',
    "participant_id\nsub-09\n", "1 2 3\n",
)  # fmt: skip

Edit = Callable[[Path], object]


def git(where: Path, *words: str) -> str:
    settled = ("-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false")
    command = ["git", *settled, *words]
    return subprocess.run(command, cwd=where, capture_output=True, check=True, text=True).stdout


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, "utf-8")


def remove(root: Path, path: str) -> None:
    """Remove a file, and the folders that it leaves empty, which git does not know."""
    (root / path).unlink(missing_ok=True)
    folder = (root / path).parent
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def commit(where: Path) -> None:
    git(where, "add", "--all", "--force")
    git(where, "commit", "--quiet", "--allow-empty", "-m", "x")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose dataset is in a folder."""
    top = tmp_path_factory.mktemp("repository")
    git(top, "init", "--quiet")
    for path, text in FILES.items():
        write(top / "data set", path, text)
    commit(top)
    return top


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "repository")
    return tmp_path / "repository" / "data set"


def validate(root: Path) -> Report:
    return run.validate_tree(run.Request(str(root), None, Options(nifti_headers=False)))


def restricted(root: Path, changed: Changed) -> Report:
    """Validate the folders that need it, and keep what the changes concern."""
    visit_all = run._visit_all
    wanted = changed.folders

    def visit_some(request: Any, names: Any, workers: int, _: object) -> Any:
        chosen = [name for name in names if wanted is None or name in wanted]
        return visit_all(request, chosen, workers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_visit_all", visit_some)
        return changed.keep(validate(root))


def check_law(root: Path, before: Report, changed: Changed) -> None:
    after = validate(root)
    kept = changed.keep(after)
    new = set(after.issues()) - set(before.issues())
    assert new - set(kept.issues()) == set()
    assert set(restricted(root, changed).issues()) == set(kept.issues())


EDITS: dict[str, Edit] = {
    "nothing": lambda _: None,
    "an image": lambda r: write(r, "sub-01/anat/sub-01_T2w.nii.gz", ""),
    "a sidecar": lambda r: write(r, "sub-01/anat/sub-01_T2w.json", '{"EchoTime": "x"}'),
    "a sidecar for all": lambda r: write(r, "task-rest_bold.json", '{"RepetitionTime": "x"}'),
    "no sidecar for all": lambda r: remove(r, "task-rest_bold.json"),
    "a sidecar without file": lambda r: remove(r, "sub-01/anat/sub-01_T2w.nii.gz"),
    "two sidecars": lambda r: write(r, "sub-01/func/sub-01_bold.json", '{"RepetitionTime": 3}'),
    "a folder is gone": lambda r: remove(r, "sub-01/meg/sub-01_task-rest_meg.ds/x.meg4"),
    "the target of a field map": lambda r: remove(r, "sub-01/func/sub-01_task-rest_bold.nii"),
    "events": lambda r: remove(r, "sub-01/func/sub-01_task-rest_events.tsv"),
    "a stimulus": lambda r: remove(r, "stimuli/cat.png"),
    "unused stimulus": lambda r: write(r, "stimuli/dog.png", "x"),
    "a subject": lambda r: shutil.rmtree(r / "sub-02"),
    "a new subject": lambda r: write(r, "sub-03/anat/sub-03_T1w.nii", "x"),
    "participants": lambda r: write(r, "participants.tsv", "participant_id\nsub-01\n"),
    "no readme": lambda r: remove(r, "README"),
    "two readmes": lambda r: write(r, "README.md", "x"),
    "a citation": lambda r: write(r, "CITATION.cff", "x"),
    "the description": lambda r: write(r, "dataset_description.json", '{"Name": "x"}'),
    "no ignores": lambda r: remove(r, ".bidsignore"),
    "values": lambda r: write(r, "sub-01/dwi/sub-01_dwi.bval", "0 1 2\n"),
    "case": lambda r: write(r, "sub-01/anat/sub-01_T2W.nii.gz", "x"),
    "wrong folder": lambda r: write(r, "sub-01/wrong/notes.md", "x"),
}


@pytest.mark.parametrize("name", EDITS)
def test_no_new_issue_is_left_out(root: Path, name: str) -> None:
    before = validate(root)
    EDITS[name](root)
    check_law(root, before, changed_paths(root, "HEAD"))


@st.composite
def _edits(draw: st.DrawFn) -> list[tuple[str, str | None]]:
    paths = st.sampled_from((*FILES, *NEW))
    texts = st.one_of(st.none(), st.sampled_from(TEXTS))
    return draw(st.lists(st.tuples(paths, texts), min_size=1, max_size=4))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_edits(), _edits())
def test_no_new_issue_is_left_out_whatever_changes(
    template: Path, first: list[tuple[str, str | None]], second: list[tuple[str, str | None]]
) -> None:
    """The first edits are part of the revision, which has its own issues then."""
    with TemporaryDirectory() as folder:
        top = Path(shutil.copytree(template, Path(folder) / "r"))
        root = top / "data set"
        for path, text in first:
            remove(root, path) if text is None else write(root, path, text)
        commit(top)
        before = validate(root)
        for path, text in second:
            remove(root, path) if text is None else write(root, path, text)
        check_law(root, before, changed_paths(root, "HEAD"))


BOLD, EVENTS_TSV = FUNC.format("01") + "_bold.nii", FUNC.format("01") + "_events.tsv"
T2W, EPI = "sub-01/anat/sub-01_T2w", "sub-01/fmap/sub-01_dir-AP_epi"
MEG, DWI = "sub-01/meg/sub-01_task-rest", "sub-01/dwi/sub-01_dwi"


@pytest.mark.parametrize(
    ("changed", "concerned", "others"),
    [
        (T2W + ".nii.gz", [T2W + ".json", "T2w.json", "sub-01/"], ["T1w.json", EPI + ".nii"]),
        (T2W + ".json", [T2W + ".nii.gz", "T2w.json"], ["task-rest_events.json", "events.tsv"]),
        (T2W + ".json", [T2W + ".nii.gz", "T2w.json"], ["sub-02/anat/sub-02_T2w.nii.gz", BOLD]),
        ("T2w.json", [T2W + ".nii.gz", "sub-02/anat/sub-02_acq-x_T2w.json"], [BOLD, EPI + ".nii"]),
        ("acq-x_T2w.json", ["sub-02/anat/sub-02_acq-x_T2w.nii"], [T2W + ".nii.gz"]),
        ("sub-01/sub-01_T2w.json", [T2W + ".nii.gz", "T2w.json"], ["acq-x_T1w.json", "sub-02/"]),
        (EVENTS_TSV, [BOLD, "task-rest_events.json", "task-rest_bold.json"], [T2W + ".nii.gz"]),
        ("task-rest_events.json", [BOLD, EVENTS_TSV], [T2W + ".nii.gz", "README"]),
        (BOLD, [EVENTS_TSV, "task-rest_bold.json"], ["sub-01/func/sub-01_task-x_bold.json"]),
        (BOLD, ["sub-01/func/sub-01_bold.json"], ["sub-01/func/sub-01_task-rest_run-1_bold.nii"]),
        (DWI + ".bval", [DWI + ".nii", "dwi.json"], [T2W + ".nii.gz", "participants.tsv"]),
        (MEG + "_channels.tsv", [MEG + "_meg.fif", MEG + "_meg.json"], [BOLD]),
        (MEG + "_meg.ds/x.meg4", [MEG + "_meg.json", MEG + "_meg.ds/", "sub-01/meg/"], [BOLD]),
        ("sub-01/meg/sub-01_coordsystem.json", [MEG + "_meg.fif"], ["sub-02/meg/x_meg.fif"]),
        (
            "sub-01/eeg/sub-01_space-A_coordsystem.json",
            ["sub-01/eeg/sub-01_space-B_electrodes.tsv", "sub-01/eeg/sub-01_task-x_eeg.edf"],
            ["sub-01/eeg/sub-02_task-x_eeg.edf"],
        ),
        ("participants.tsv", ["participants.json", "README"], ["T2w.json", "dseg.tsv", BOLD]),
        ("CITATION.cff", ["dataset_description.json", ""], ["T2w.json", BOLD]),
        ("notes", ["README"], ["T2w.json"]),
        ("dseg.tsv", ["sub-01/anat/sub-01_desc-a_dseg.nii.gz", "dseg.json"], ["README", BOLD]),
        (T2W + ".nii", [T2W + ".nii.gz"], ["sub-01/anat/sub-01_acq-x_T2w.nii.gz"]),
        (MEG + "_meg.vhdr", [MEG + "_meg.eeg"], [MEG + "_run-1_meg.eeg"]),
        ("dataset_description.json", [BOLD, "README", "", "sub-01/"], []),
        (".bidsignore", [BOLD, "README", "", "sub-01/"], []),
    ],
)
def test_what_a_change_concerns(changed: str, concerned: list[str], others: list[str]) -> None:
    closure = Closure(Changes(frozenset({changed})), KINSHIP)
    assert [path for path in (changed, *concerned) if not closure.concerns(path)] == []
    assert [path for path in others if closure.concerns(path)] == []


INTENDED = Finding(
    "INTENDED_FOR", "error", "x", "", "rules.checks.references.SubjectRelativeIntendedForString"
)
SCANS = Finding(
    "SCANS_FILENAME_NOT_MATCH_DATASET", "error", "x", "", "rules.checks.dataset.ScansTSVScans"
)
PEOPLE = Finding(
    "PARTICIPANT_ID_MISMATCH", "error", "x", "", "rules.checks.dataset.ParticipantIDMismatch"
)
STIMULI = Finding(
    "STIMULUS_FILE_MISSING", "error", "x", "", "rules.checks.events.StimulusFileMissing"
)
ORPHAN = Finding("SIDECAR_WITHOUT_DATAFILE", "error", "x")
GRID = Finding("GRID_MISMATCH", "error", "x")
SOURCE = Finding("SOURCE_NOT_FOUND", "error", "x")
NO_KEY = Finding("SIDECAR_KEY_REQUIRED", "error", "x", "a", "rules.sidecars.mri.MRIHardware")
COUNT = Finding("PROFILE_COUNT", "error", "x")
SEGMENTATION = "sub-01/anat/sub-01_dseg.nii.gz"


@pytest.mark.parametrize(
    ("changes", "path", "finding", "is_kept"),
    [
        (Changes(frozenset({BOLD}), frozenset({BOLD})), EPI + ".nii", INTENDED, True),
        (Changes(frozenset({BOLD}), frozenset({BOLD})), EPI + ".nii", NO_KEY, False),
        (Changes(frozenset({BOLD})), EPI + ".nii", INTENDED, False),
        (Changes(frozenset({BOLD}), frozenset({BOLD})), "sub-02/x_epi.nii", INTENDED, False),
        (Changes(frozenset({BOLD}), frozenset({BOLD})), "sub-01/sub-01_scans.tsv", SCANS, True),
        (Changes(frozenset({BOLD}), frozenset({BOLD})), "sub-02/sub-02_scans.tsv", SCANS, False),
        (Changes(frozenset({BOLD}), is_regrouped=True), "participants.tsv", PEOPLE, True),
        (Changes(frozenset({BOLD})), "participants.tsv", PEOPLE, False),
        (Changes(frozenset({"stimuli/a"}), frozenset({"stimuli/a"})), EVENTS_TSV, STIMULI, True),
        (Changes(frozenset({T2W}), frozenset({T2W})), EVENTS_TSV, STIMULI, False),
        (
            Changes(frozenset({BOLD}), mentioned=frozenset({"a.json"})),
            "sub-02/a.json",
            ORPHAN,
            True,
        ),
        (Changes(frozenset({BOLD})), "sub-02/a.json", ORPHAN, False),
        (Changes(frozenset({T2W + ".nii"})), SEGMENTATION, GRID, True),
        (Changes(frozenset({T2W + ".nii"})), "sub-02/anat/sub-02_dseg.nii", GRID, False),
        (Changes(frozenset({"tpl/x_T1w.nii"})), SEGMENTATION, GRID, True),
        (Changes(frozenset({T2W}), frozenset({T2W})), SEGMENTATION, SOURCE, True),
        (Changes(frozenset({T2W})), SEGMENTATION, SOURCE, False),
        (Changes(frozenset({T2W})), "sub-02/x", COUNT, True),
        (Changes(frozenset()), "sub-02/x", COUNT, False),
    ],
)
def test_rules_that_follow_references(
    changes: Changes, path: str, finding: Finding, *, is_kept: bool
) -> None:
    assert Closure(changes, KINSHIP).concerns(path, finding) == is_kept


def _stage(root: Path) -> None:
    write(root, "T2w.json", "{}")
    git(root, "add", "T2w.json")


def _rename(root: Path) -> None:
    git(root, "mv", "sub-01/anat/sub-01_T2w.json", "sub-01/anat/sub-01_T3w.json")


def _forget(root: Path) -> None:
    git(root, "rm", "--cached", "--quiet", "README")


def _hide(root: Path) -> None:
    write(root, ".gitignore", "*.nii\n")
    write(root, "sub-01/new.nii", "x")


@pytest.mark.parametrize(
    ("edit", "paths", "gone"),
    [
        (EDITS["nothing"], set(), set()),
        (EDITS["an image"], {T2W + ".nii.gz"}, set()),
        (EDITS["no readme"], {"README"}, {"README"}),
        (_stage, {"T2w.json"}, set()),
        (_rename, {T2W + ".json", "sub-01/anat/sub-01_T3w.json"}, {T2W + ".json"}),
        (_forget, {"README"}, {"README"}),
        (_hide, {".gitignore", "sub-01/new.nii"}, set()),
        (lambda r: write(r, "é\n'\"/x -.tsv", ""), {"é\n'\"/x -.tsv"}, set()),
        (lambda r: os.utime(r / "README", (1, 1)), set(), set()),
        (lambda r: write(r.parent, "elsewhere.txt", "x"), set(), set()),
        (lambda r: write(r, "code/x.py", "x"), set(), set()),
    ],
)
def test_what_has_changed(root: Path, edit: Edit, paths: set[str], gone: set[str]) -> None:
    edit(root)
    found = changed_paths(root, "HEAD").datasets
    changes = found[""].changes if found else Changes(frozenset())
    assert (changes.paths, changes.gone) == (paths, gone)


def test_what_was_committed_since_counts_too(root: Path) -> None:
    write(root, "T2w.json", "{}")
    commit(root)
    assert changed_paths(root, "HEAD").datasets == {}
    assert changed_paths(root, "HEAD~1").datasets[""].changes.paths == {"T2w.json"}


@pytest.mark.parametrize(
    ("edits", "folders"),
    [
        ({}, set()),
        ({"sub-01/anat/sub-01_T2w.json": "{}\n"}, {"sub-01"}),
        ({"sub-03/anat/sub-03_T2w.nii.gz": ""}, {"sub-03", "phenotype"}),
        ({"sub-01/func/sub-01_task-rest_bold.nii": ""}, None),  # task-rest_bold.json is at the root
        ({"README": ""}, None),
        ({"tpl-x/tpl-x_T1w.nii": ""}, None),  # whose grid any image may refer to
        ({"derivatives/x/sub-01/anat/sub-01_T2w.json": ""}, set()),
        ({".bidsify.toml": ""}, None),
    ],
)
def test_folders_that_need_a_visit(
    root: Path, edits: dict[str, str], folders: set[str] | None
) -> None:
    shutil.rmtree(root / "stimuli")
    commit(root)
    for path, text in edits.items():
        write(root, path, text)
    assert changed_paths(root, "HEAD").folders == folders


def test_a_file_that_nothing_names_any_more(root: Path) -> None:
    for label, value in (("01", "anat/sub-01_notes.json"), ("02", "x")):
        sidecar = json.dumps({"IntendedFor": value})
        write(root, f"sub-{label}/fmap/sub-{label}_dir-AP_epi.json", sidecar)
    write(root, "sub-01/anat/sub-01_notes.json", "{}")
    shutil.rmtree(root / "stimuli")
    commit(root)
    before = validate(root)
    write(root, "sub-01/fmap/sub-01_dir-AP_epi.json", "{}")
    changed = changed_paths(root, "HEAD")
    check_law(root, before, changed)
    assert changed.folders is None
    orphans = [i.path for i in changed.keep(validate(root)).issues() if i.code == ORPHAN.code]
    assert orphans == ["sub-01/anat/sub-01_notes.json"]


def test_new_exceptions_concern_everything(root: Path) -> None:
    write(root, ".bidsify.toml", "")
    changed = changed_paths(root, "HEAD")
    assert changed.concerns("sub-02/x.json")
    assert changed.concerns("derivatives/x/sub-02/x.json")


def test_derivatives_have_changes_of_their_own(root: Path) -> None:
    for name in ("a", "b"):
        write(root, f"derivatives/{name}/dataset_description.json", "{}")
        write(root, f"derivatives/{name}/sub-01/anat/sub-01_dseg.json", "{}")
    commit(root)
    write(root, "derivatives/a/sub-01/anat/sub-01_dseg.json", "[]")
    write(root, "derivatives/b/dataset_description.json", "[]")
    changed = changed_paths(root, "HEAD")
    paths = (
        "derivatives/a/sub-01/anat/sub-01_dseg.nii.gz", "derivatives/a/sub-02/x.json", "sub-01/",
        "derivatives/b/sub-02/x.json", "derivatives/c/sub-02/x.json", "derivatives/",
        "derivatives/b/",
    )  # fmt: skip
    found = [changed.concerns(path) for path in paths]
    assert found == [True, False, False, True, False, True, True]


def test_a_segmentation_may_refer_to_images_of_another_dataset(root: Path) -> None:
    write(root, T2W + ".nii.gz", "another")
    changed = changed_paths(root, "HEAD")
    inside = "derivatives/a/sub-01/anat/sub-01_desc-x_dseg.nii.gz"
    assert [changed.concerns(inside, found) for found in (GRID, NO_KEY)] == [True, False]
    assert not changed.concerns(inside.replace("-01", "-02"), GRID)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_repository_in_the_tree_counts_as_a_whole(root: Path, *, is_known: bool) -> None:
    for where in ("derivatives/a", "sub-04"):
        write(root, f"{where}/x_T1w.json", "{}")
        git(root / where, "init", "--quiet")
        commit(root / where)
        if is_known:
            git(root, "-c", "advice.addEmbeddedRepo=false", "add", where)
            git(root, "commit", "--quiet", "-m", "x")
            write(root, f"{where}/x_T1w.json", "[]")
        changed = changed_paths(root, "HEAD")
        assert changed.concerns(f"{where}/x_T1w.json")
        assert changed.concerns("README") == (where == "sub-04")
        assert (changed.folders is None) == (where == "sub-04")


def _outside(root: Path) -> Iterator[tuple[Path, str]]:
    yield root, "no-such-branch"
    yield root, "--output=x"
    yield root, ""
    yield root, "HEAD:README"
    yield root, "HEAD..HEAD"


def test_revisions_that_are_none(root: Path) -> None:
    for where, revision in _outside(root):
        with pytest.raises(UsageError, match="no revision of this git repository") as caught:
            changed_paths(where, revision)
        assert str(caught.value).startswith(repr(revision))
    assert not (root / "x").exists()


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="not a git repository"):
        changed_paths(tmp_path, "HEAD")
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match="no revision"):
        changed_paths(tmp_path, "HEAD")
    with pytest.raises(UsageError, match="not in the work tree"):
        changed_paths(tmp_path / ".git", "HEAD")
    with pytest.raises(UsageError, match="no such folder"):
        changed_paths(tmp_path / "nowhere", "HEAD")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="git is not installed"):
        changed_paths(tmp_path, "HEAD")


def test_the_repository_of_a_hook_is_not_that_of_the_dataset(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "none"))
    assert changed_paths(root, "HEAD").datasets == {}


def test_a_schema_of_another_form_is_read() -> None:
    document = {
        "meta": {"associations": {"a": {"target": {"suffix": "notes", "extension": ".md"}}}},
        "objects": {"suffixes": {}},
        "rules": {
            "files": {"common": {"core": {"x": {"path": "ABOUT"}}}},
            "checks": {"y": {"checks": ["exists(sidecar.Other)", 'exists("A", "subject")']}},
        },
    }
    found = kinship(document)
    assert found.targets == {"notes"}
    assert found.stems == {"ABOUT"}
    assert found.bases == {"rules.checks.y": {"dataset"}}


def test_a_file_that_became_a_link_is_gone(root: Path, tmp_path: Path) -> None:
    """What the link leads to is not looked at."""
    path = "sub-01/anat/sub-01_T2w.nii.gz"
    (root / path).rename(tmp_path / "elsewhere")
    (root / path).symlink_to(tmp_path / "elsewhere")
    changes = changed_paths(root, "HEAD").datasets[""].changes
    assert (set(changes.paths), set(changes.gone)) == ({path}, {path})


@pytest.mark.parametrize(
    ("path", "is_plain"),
    [
        ("README", True),
        ("participants.tsv", True),
        ("notes.docx", True),
        ("task-rest_bold.json", False),
        ("bold.json", False),
        ("sub-01/README", False),
        ("code/notes.docx", False),
    ],
)
def test_which_files_are_about_the_whole_dataset(path: str, *, is_plain: bool) -> None:
    name = path.rpartition("/")[2]
    assert kinship(schema()).is_plain(path, split_name(name)) is is_plain
