"""Whether a tree may be saved without running what came with it: a repository is also programs.

Git and DataLad do what a repository asks of them: run hooks, filters, monitors and procedures. One
that somebody else made may therefore only hold settings that start nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import UsageError

#: Settings of a repository that start no program: those of git init, of git-annex and of remotes.
_HARMLESS = re.compile(
    r"core\.(?:repositoryformatversion|filemode|bare|logallrefupdates|symlinks|ignorecase|autocrlf"
    r"|eol|precomposeunicode|sharedrepository|compression|quotepath|bigfilethreshold)"
    r"|user\.\w+|init\.defaultbranch|commit\.gpgsign|gc\.auto|receive\.denycurrentbranch"
    r"|annex\.(?:uuid|version|backend|thin|largefiles|addunlocked|numcopies|autocommit"
    r"|crippledfilesystem|sshcaching|pidlock|synccontent|dotfiles)"
    r"|branch\..*\.(?:remote|merge|rebase)"
    r"|remote\..*\.(?:url|pushurl|fetch|push|datalad-publish-depends"
    r"|annex-(?:uuid|ignore|cost|sync|push|pull|readonly|bare|ignore-auto|config-uuid))",
    re.DOTALL,
)
_ANNEX = re.compile(
    r"filter\.annex\.(?:smudge\ngit-annex smudge(?: --clean)? -- %f"
    r"|clean\ngit-annex smudge --clean -- %f|process\ngit-annex filter-process|required\ntrue)"
)
_STARTS = re.compile(r"procedure|proc-|hook|locations|include|call")  # in keys of .datalad/config
_PLACES = (".git", ".gitattributes", ".gitmodules", ".datalad", ".datalad/config")
_STEERING = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}
)
_LOST = "remove it, or save the tree by hand"


def require_harmless(root: Path) -> None:
    """Refuse a tree whose repository or dataset would start programs when it is saved.

    Raises:
        UsageError: It would, or its repository is not in the tree itself.
    """
    for name in _PLACES:
        if (root / name).is_symlink():
            msg = f"{root / name}: --datalad does not follow links out of a tree; {_LOST}"
            raise UsageError(msg)
    if (root / ".datalad" / "procedures").exists():
        msg = f"{root / '.datalad' / 'procedures'}: --datalad runs no programs of a tree; {_LOST}"
        raise UsageError(msg)
    if (root / ".git").exists() and not _is_own_repository(root):
        msg = f"{root / '.git'}: not a git repository of this folder alone; {_LOST}"
        raise UsageError(msg)
    for name, is_harmless in ((".git/config", _may_be_set), (".datalad/config", _starts_nothing)):
        for entry in _settings(root, name):
            if not is_harmless(entry):
                key = entry.partition("\n")[0]
                msg = f"{root / name}: {key!r} may start a program when the tree is saved; {_LOST}"
                raise UsageError(msg)


def has_own_repository(root: Path) -> bool:
    """Say whether git keeps this folder, and not a folder above it."""
    return (root / ".git").is_dir() and _is_own_repository(root)


def environment(folder: Path | None) -> Mapping[str, str]:
    """Return an environment in which git runs no hooks but those in ``folder``, and no monitor.

    None is for a new repository, which has no hooks but those that git-annex puts there. What
    would lead git to another repository is left out.
    """
    kept = {key: value for key, value in os.environ.items() if key not in _STEERING}
    number = int(kept.get("GIT_CONFIG_COUNT") or 0)
    settings = {"core.fsmonitor": "false"}
    if folder is not None:
        settings["core.hooksPath"] = str(folder)
    for at, (key, value) in enumerate(settings.items(), start=number):
        kept |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    return {**kept, "GIT_CONFIG_COUNT": str(number + len(settings))}


def _is_own_repository(root: Path) -> bool:
    if (root / ".git" / "commondir").exists():
        return False
    asked = ("rev-parse", "--show-toplevel", "--absolute-git-dir")
    said = _git(root, asked).stdout.splitlines()
    real = root.resolve()
    return said == [str(real), str(real / ".git")]


def _settings(root: Path, name: str) -> Iterator[str]:
    """Yield the settings of a file, each as key and value in two lines; it includes no other."""
    if not (root / name).exists():
        return
    done = _git(root, ("config", "--file", name, "--no-includes", "--null", "--list"))
    if done.returncode:
        msg = f"{root / name}: git cannot read it; {_LOST}"
        raise UsageError(msg)
    yield from done.stdout.removesuffix("\0").split("\0") if done.stdout else ()


def _may_be_set(entry: str) -> bool:
    key = entry.partition("\n")[0]
    return bool(_HARMLESS.fullmatch(key) or _ANNEX.fullmatch(entry))


def _starts_nothing(entry: str) -> bool:
    return not _STARTS.search(entry.partition("\n")[0].lower())


def _git(root: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  no shell
        ["git", "-c", "core.fsmonitor=false", *arguments],  # noqa: S607  the git of the user
        cwd=root,
        env={key: value for key, value in os.environ.items() if key not in _STEERING},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
