"""What Markdown pages say holds: links, commands, Python, and the tutorial from end to end."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

import bidsify
from bidsify import json_schema
from bidsify.cli import main
from bidsify.validation import codes

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FOLDERS = ("benchmarks", "docs", "examples", "schemas")
FOUND = (*ROOT.glob("*.md"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*.md")))
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in FOUND if "_build" not in p.parts)
every_page = pytest.mark.parametrize("page", PAGES)
#: Options that pages name and no command of ours declares.
OF_OTHERS = {"--help", "--requeue", "--schemafile", "--subjects"}


class Block(NamedTuple):
    """A block of code: its language, and its text."""

    language: str
    text: str


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(text: str) -> list[Block]:
    found = re.findall(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)
    return [Block(language.strip(), body) for _, language, body in found]


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^(`{3,})[^\n`]*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


# Links


def anchors(text: str) -> set[str]:
    """Return the names that GitHub and MyST give to the headings of a page."""
    titles = re.findall(r"^#+ +(.*)$", prose(text), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in plain}


def broken(text: str, folder: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere; addresses of the network are left alone."""
    words = re.sub(r"`[^`\n]+`", "", prose(text))
    for target in re.findall(r"\]\(([^)\s]+)\)", words):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        place = folder / path
        is_lost = not place.exists()
        if is_lost or (
            anchor and anchor not in anchors(place.read_text("utf-8") if path else text)
        ):
            yield target


@every_page
def test_its_links_lead_somewhere(page: str) -> None:
    assert list(broken(read(page), (ROOT / page).parent)) == []


def test_a_broken_link_is_seen() -> None:
    page = "[a](README.md) [b](nothing.md) [c](docs/architecture.md#add-a-dataset) `[d](e)`\n"
    page += "[f](docs/architecture.md#nothing) ![g](docs/images/none.png) [h](#here)\n## Here"
    assert [*broken(page, ROOT)] == [
        "nothing.md", "docs/architecture.md#nothing", "docs/images/none.png",
    ]  # fmt: skip


# Commands


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each call of bidsify in the shell blocks of a page."""
    for block in blocks(text):
        if block.language == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                if line.startswith("bidsify "):
                    yield words(line)


def words(line: str) -> list[str]:
    """Return the words of a command up to what is the shell's."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set("();<>|&"):
            break
        found.append(re.sub(r"^\$\w+$", "1", word))  # a variable, be it a number or a path
    return found


@every_page
def test_the_commands_that_it_shows_are_there(page: str) -> None:
    program = click.Context(main, **main.context_settings)
    for _, name, *arguments in commands(read(page)):
        assert name in main.commands, name
        assert main.commands[name].make_context(name, arguments, program).params, name


def test_enough_commands_are_found() -> None:
    shown = {name for page in PAGES for _, name, *_ in commands(read(page))}
    assert shown == main.commands.keys() - {"datasets", "schema"}
    assert words("bidsify report 'a b' -o c.html -j \"$N\" --json > x  # why") == [
        "bidsify", "report", "a b", "-o", "c.html", "-j", "1", "--json",
    ]  # fmt: skip


@every_page
def test_the_options_that_it_names_are_those_of_its_commands(page: str) -> None:
    if page.startswith(("benchmarks", "CHANGELOG", "docs/architecture")):
        return  # they speak of other programs too, and of options that are gone
    text = read(page)
    owners = (main, *(main.commands[name] for name in named(text)))
    known = {option for owner in owners for one in owner.params for option in one.opts}
    stated = re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(re.findall("`[^`]+`", prose(text))))
    assert {*stated} <= known | OF_OTHERS


def named(text: str) -> set[str]:
    """Return the commands that a page names."""
    return {*re.findall(r"\b[a-z]+(?:-[a-z]+)*\b", text)} & main.commands.keys()


# Python


@every_page
def test_its_python_calls_what_there_is(page: str) -> None:
    for block in blocks(read(page)):
        if block.language == "python":
            for call, names in calls(ast.parse(block.text)):
                parameters = inspect.signature(getattr(bidsify, call)).parameters
                assert names <= parameters.keys(), call


def calls(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Yield each verb of the library that is called, with the names of its arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "bidsify":
                yield node.func.attr, {one.arg for one in node.keywords if one.arg}


def test_calls_of_the_library_are_found() -> None:
    found = {call for block in blocks(read("docs/reference/api.md")) if block.language == "python"
             for call, _ in calls(ast.parse(block.text))}  # fmt: skip
    assert found == {"convert", "verify", "validate"}


def test_the_reference_has_each_verb() -> None:
    shown = re.findall(r"autofunction:: (\w+)", read("docs/reference/api.md"))
    assert sorted(shown) == sorted(set(bidsify.__all__) - {"BidsifyError", "Cluster", "Conversion",
                                                           "__version__"})  # fmt: skip


# The tutorial


def test_the_tutorial_works_as_it_says(tmp_path: Path) -> None:
    """Each block of commands runs in a shell, and prints the block that follows."""
    program = tmp_path / "bin" / "bidsify"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bidsify "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join((str(program.parent), os.environ["PATH"]))
    python = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    found = blocks(read("docs/tutorial.md"))
    assert [block.language for block in found] == ["sh", "text"] * (len(found) // 2)
    for shown, said in zip(found[::2], found[1::2], strict=True):
        done = subprocess.run(
            ["/bin/sh", "-uc", shown.text], cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=120, env={**os.environ, "PATH": path, "PYTHONPATH": python},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(pattern(said.text), stripped(done.stdout)), done.stdout
    with_pixels = (tmp_path / "pixels.html").stat().st_size
    assert with_pixels > (tmp_path / "discs.html").stat().st_size


def stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip().splitlines())


def pattern(text: str) -> str:
    """Return an expression for output: ``...`` is anything, and alone in a line any lines."""
    lines = (
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".+") + "\n"
        for line in text.splitlines()
    )
    return "".join(lines)


@pytest.mark.parametrize(
    ("said", "printed", "fits"),
    [
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("a ... c\n", "a b c\n", True),
        ("a\n", "a\nb\n", False),
    ],
)
def test_output_is_compared(*, said: str, printed: str, fits: bool) -> None:
    assert bool(re.fullmatch(pattern(said), printed)) == fits


# What comes from code


@cache
def from_code() -> Any:
    """Return the part of the build that needs no Sphinx."""
    found: dict[str, Any] = {"__name__": "from_code"}
    exec(compile(read("docs/_ext/from_code.py"), "from_code.py", "exec"), found)
    return found


def made(part: str) -> str:
    return "\n".join(from_code()["PARTS"][part]())


def test_each_mark_of_a_page_stands_for_something() -> None:
    marks = [mark for page in PAGES for mark in re.findall(r"<!-- from code: (\w+)", read(page))]
    assert sorted(marks) == sorted(from_code()["PARTS"])


def test_each_code_has_a_section_or_a_row() -> None:
    sections = re.findall(r"^### (\w+)$", made("issue_codes"), re.MULTILINE)
    rows = re.findall(r"^\| `(\w+)` \|", made("declared_codes"), re.MULTILINE)
    assert {*sections} == codes.OWN.keys() | codes.OFFICIAL.keys()
    assert {*sections} | {*rows} == codes.official_codes() | codes.OWN.keys()


def test_each_schema_is_shown_with_its_keys() -> None:
    text, listed = made("schemas"), made("schemas_of_bids")
    sections = re.findall(r"^## (\S+)$", text, re.MULTILINE)
    rows = re.findall(r"^\| \[([^]]+)\]", listed, re.MULTILINE)
    assert sorted((*sections, *rows)) == sorted(json_schema.names())
    assert "| `files[].bucket` | `converted`, `duplicate`, `ignored`, " in text
    assert "| `shared_sha256` | object (optional) | " in text
    assert list(broken(text + listed, DOCS / "reference")) == []


# The site


class Addresses(HTMLParser):
    """Collects what a page loads, where it leads, and the places in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if "src" in given or (tag == "link" and given.get("rel") == "stylesheet"):
            self.loaded.append(given.get("src") or given.get("href", ""))
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Addresses]:
    """Return the pages of the site, built without a warning."""
    for name in ("sphinx", "furo", "myst_parser", "sphinx_click"):
        pytest.importorskip(name, reason="needs bidsify-datasets[docs]")
    folder = tmp_path_factory.mktemp("site")
    build = ["-n", "-W", "--keep-going", "-q", "-d", str(folder / "trees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *build, str(DOCS), str(folder / "html")],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    pages = {}
    for path in sorted((folder / "html").rglob("*.html")):
        pages[path] = Addresses()
        pages[path].feed(path.read_text("utf-8"))
    return pages


def test_the_site_loads_nothing_from_a_network(site: dict[Path, Addresses]) -> None:
    loaded = {address for page in site.values() for address in page.loaded}
    assert loaded
    assert not [address for address in loaded if "//" in address]


def test_links_of_the_site_lead_to_a_place(site: dict[Path, Addresses]) -> None:
    lost = []
    for path, page in site.items():
        for link in page.links:
            if ":" in link:
                continue
            file, _, place = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.is_file() or (place and place not in site[target].places):
                lost.append(f"{path.name}: {link}")
    assert lost == []
