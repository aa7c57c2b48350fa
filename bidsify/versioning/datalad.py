"""Make a tree a DataLad dataset, and save what a command wrote with the command.

Texts go into git, images into git-annex. DataLad runs as a process of its own: it logs, asks and
configures as it likes there, but starts nothing that came with the tree.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..records.conversion import RECORD
from .trust import environment, has_own_repository, require_harmless

_EXTRA = "pip install 'bidsify-datasets[datalad]'"
#: The arguments come as a text, as there may be more than a command line can hold.
_MAIN = "import json, sys; from datalad.cli.main import main; sys.exit(main(json.load(sys.stdin)))"
_NAME = "made by bidsify"  # else git-annex would name the repository after user, host and folder
_ATTRIBUTES = ".gitattributes"
_TEXTS_IN_GIT = "* annex.largefiles=((mimeencoding=binary)and(largerthan=0))\n"


def require_datalad(root: Path, *, link: bool = False) -> None:
    """Refuse before anything is written what could not be saved afterwards.

    Raises:
        UsageError: Files are to be a ``link`` to the source, DataLad or git-annex is not installed,
            git does not know who saves, or ``root`` is a repository that would start programs.
    """
    if link:
        msg = (
            "--link does not go with --datalad: git-annex would lock the files of the source, "
            "which hard links are; leave out one of them"
        )
        raise UsageError(msg)
    if importlib.util.find_spec("datalad") is None:
        msg = f"--datalad needs DataLad; get it with: {_EXTRA}"
        raise UsageError(msg)
    for program in ("git", "git-annex"):
        if shutil.which(program) is None:
            msg = f"--datalad needs {program} beside the extra ({_EXTRA}); install it, then go on"
            raise UsageError(msg)
    strict = ["git", "-c", "user.useConfigOnly=true", "var"]
    for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if _run([*strict, who], Path.cwd()).returncode:
            msg = "--datalad: git does not know who you are; set user.name and user.email in git"
            raise UsageError(msg)
    if root.is_dir():
        require_harmless(root)


def save(root: Path, words: Sequence[str]) -> None:
    """Save what a conversion wrote or removed, with its command, and no other changes.

    Raises:
        UsageError: DataLad refuses, with its reason, or the tree would start programs.
    """
    require_harmless(root)
    with tempfile.TemporaryDirectory() as folder:
        dataset = _Dataset(root.resolve(), Path(folder))
        paths = {".datalad"} if dataset.make() else set[str]()
        identifier = dataset.git("config", "-f", ".datalad/config", "datalad.dataset.id").strip()
        dataset.save(run_message(words, identifier), {*paths, *dataset.recorded()})


@dataclass(frozen=True, slots=True)
class _Dataset:
    """A tree, and an empty folder to work from: programs look for others where they are started."""

    root: Path
    empty: Path

    def make(self) -> bool:
        """Make the tree a dataset; say whether it was none."""
        has_repository = has_own_repository(self.root)
        if has_repository and (self.root / ".datalad" / "config").is_file():
            return False
        made = ("create", "--force", "--description", _NAME, str(self.root))
        self._datalad(made, environment(self.empty if has_repository else None))
        place = self.root / _ATTRIBUTES
        text = place.read_text("utf-8") if place.is_file() else ""
        if _TEXTS_IN_GIT not in text.splitlines(keepends=True):
            place.write_text(text + _TEXTS_IN_GIT, "utf-8")
        return True

    def save(self, message: str, paths: set[str]) -> None:
        """Save those of some paths that are there, or were there when the tree was saved last."""
        known = set(self.git("ls-files", "-z").split("\0"))
        found = [
            str(self.root / path)
            for path in sorted({*paths, _ATTRIBUTES})
            if path in known or (self.root / path).exists()
        ]
        saved = ("save", "-d", str(self.root), "-m", message, "--", *found)
        self._datalad(saved, environment(self.empty))

    def recorded(self) -> Iterator[str]:
        """Yield what the record lists, and what it listed when the tree was saved last."""
        yield str(Path(RECORD).parent)
        yield from _listed((self.root / RECORD).read_text("utf-8"))
        yield from _listed(self.git("show", f"HEAD:{RECORD}"))

    def git(self, *arguments: str) -> str:
        """Return what git says; nothing where it fails."""
        return _run(["git", *arguments], self.root, environment(self.empty)).stdout

    def _datalad(self, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        command = [sys.executable, "-c", _MAIN]
        given = json.dumps(["datalad", "-l", "error", *arguments])
        done = _run(command, self.empty, env, given)
        if done.returncode:
            said = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
            why = next((line for line in said if "error" in line.lower()), "no reason was given")
            msg = f"{self.root}: converted, but DataLad could not {arguments[0]} it: {why}"
            raise UsageError(msg)


def run_message(words: Sequence[str], identifier: str) -> str:
    """Return the message that ``datalad rerun`` reads: the command, run in the tree itself."""
    record: Mapping[str, object] = {
        "chain": [],
        "cmd": list(words),
        "dsid": identifier,
        "exit": 0,
        "extra_inputs": [],
        "inputs": [],
        "outputs": [],
        "pwd": ".",
    }
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)
    first = " ".join(words[:4])
    return (
        f"[DATALAD RUNCMD] {first}\n\n=== Do not change lines below ===\n{text}\n"
        "^^^ Do not change lines above ^^^\n"
    )


def _listed(record: str) -> Iterator[str]:
    """Yield the files of the tree that a record of a conversion speaks of."""
    try:
        document = json.loads(record)
        names = [*(entry["target"] for entry in document["written"]), *document["shared"]]
    except (ValueError, KeyError, TypeError):
        return
    for name in names:
        if isinstance(name, str) and ".." not in Path(name).parts and not Path(name).is_absolute():
            yield name


def _run(
    command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  no shell
        command,
        cwd=folder,
        env=env,
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
