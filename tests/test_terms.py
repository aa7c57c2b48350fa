"""What may be done with a tree: by the registry, by route, and by what the tree itself says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import NAMES, Make

from bidsify import datasets
from bidsify.errors import TermsError, UsageError
from bidsify.sharing import stated, terms
from bidsify.sharing.licences import STRICTNESS, judged
from bidsify.sharing.registry import of_dataset, registry


def stranger(folder: Path, **description: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"Name": "A dataset", "BIDSVersion": "1.11.1", **description}
    (folder / "dataset_description.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("licence", "spdx", "allows"),
    [
        ("CC0", "CC0-1.0", "allowed"),
        ("PDDL", "PDDL-1.0", "allowed"),
        ("PD", "", "allowed"),
        ("CC-BY-4.0", "CC-BY-4.0", "allowed"),
        ("cc by 4.0", "CC-BY-4.0", "allowed"),
        (" CC_BY_SA 4.0 ", "CC-BY-SA-4.0", "allowed"),
        ("ODbL-1.0", "ODbL-1.0", "allowed"),
        ("CC BY-NC 4.0", "CC-BY-NC-4.0", "noncommercial"),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-4.0", "noncommercial"),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", "forbidden"),
        ("CC BY-NC-ND 4.0", "CC-BY-NC-ND-4.0", "forbidden"),
        ("CC-BY-9.0", "", "unknown"),
        ("CC-BY-4.0 or better", "", "unknown"),
        ("not CC0", "", "unknown"),
        ("Apache-2.0", "", "unknown"),
        ("free for research", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_what_a_licence_allows(licence: str, spdx: str, allows: str) -> None:
    assert judged(licence) == (spdx, allows)


def test_each_row_of_the_registry_is_of_a_dataset_and_has_its_own_route() -> None:
    rows = registry()
    assert {row.dataset for row in rows} <= {*NAMES}
    assert len({(row.dataset, row.route) for row in rows}) == len(rows)
    assert all(row.route and row.evidence for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_is_no_looser_than_the_declaration(name: str) -> None:
    """Unless the user names a route."""
    strictest = terms.Verdict(of_dataset(name), "").strictest
    declared = datasets.load(name).terms.redistribution
    assert STRICTNESS.index(strictest.redistribution) >= STRICTNESS.index(declared)


@pytest.mark.parametrize(
    ("name", "route", "allows"),
    [
        ("brats2021", "", False),
        ("brats2021", "synapse", False),
        ("brats2021", "tcia", True),
        ("brats2020", "kaggle", False),
        ("chaos", "zenodo", True),
        ("crossmoda2021", "huggingface", True),
        ("ssmspine", "samples", False),
        ("harvard", "", False),
        ("myops380", "", False),
        ("lumbosacral", "", True),
    ],
)
def test_the_route_decides(name: str, route: str, *, allows: bool) -> None:
    assert terms.Verdict(of_dataset(name, route), route).allows_copies is allows


def test_an_unknown_route_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no route 'ftp' to 'brats2021' .* are: synapse, tcia$"):
        of_dataset("brats2021", "ftp")


def test_a_tree_of_ours_is_judged_by_the_registry(tree: Make) -> None:
    verdict = terms.of_tree(tree("chaos"))
    assert [(each.dataset, each.route) for each in verdict.statements] == [("chaos", "zenodo")]
    assert verdict.strictest.share_alike


@pytest.mark.parametrize(
    "licence", ["CC0", "CC-BY-4.0", "whatever you like", "ask me", "", None, 3, ["CC0"]]
)
def test_no_edited_licence_loosens(licence: object, own_tree: Make) -> None:
    root = own_tree("ivdm3seg")
    edit(root, License=licence)
    with pytest.raises(TermsError, match="are not known to allow"):
        terms.of_tree(root).require_copies(root)


@pytest.mark.parametrize(
    ("licence", "allows"),
    [("All rights reserved", False), ("CC-BY-ND-4.0", False), ("CC-BY-NC-4.0", True)],
)
def test_what_the_tree_says_can_be_stricter(licence: str, own_tree: Make, *, allows: bool) -> None:
    root = own_tree("lumbosacral")
    assert terms.of_tree(root).allows_copies
    edit(root, License=licence)
    verdict = terms.of_tree(root)
    assert verdict.allows_copies is allows
    assert verdict.strictest.licence == licence


@pytest.mark.parametrize("gone", ["record", "sources", "both"])
def test_a_tree_without_its_record_is_known_by_its_sources(gone: str, own_tree: Make) -> None:
    root = own_tree("ivdm3seg")
    edit(root, License="CC0")
    if gone != "sources":
        (root / "code/bidsify/conversion.json").unlink()
    if gone != "record":
        edit(root, SourceDatasets=[])
    assert not terms.of_tree(root).allows_copies


@pytest.mark.parametrize(
    ("content", "allows"),
    [
        ({"redistribution": "allowed"}, True),
        ({"redistribution": "forbidden"}, False),
        ({"redistribution": "yes"}, False),
        ({"evidence": ""}, False),
        ({"summary": "\ud800"}, False),
        (None, False),
    ],
)
def test_terms_of_its_own(content: dict[str, Any] | None, own_tree: Make, *, allows: bool) -> None:
    root = own_tree("lumbosacral")
    own = {"licence": "mine", "summary": "Own.", "redistribution": "allowed", "evidence": "me"}
    text = "{" if content is None else json.dumps({**own, **content})
    (root / stated.TERMS).write_text(text)
    assert terms.of_tree(root).allows_copies is allows


@pytest.mark.parametrize(
    ("description", "allows"),
    [
        ({"License": "CC0"}, True),
        ({"License": "CC BY-NC 4.0"}, True),
        ({"License": "Open"}, False),
        ({}, False),
        ({"License": ["CC0"]}, False),
        ({"License": "CC0", "GeneratedBy": "bidsify"}, True),
        # one that we made of another tree, without the terms of that one
        ({"License": "CC0", "GeneratedBy": [{"Name": "bidsify"}]}, False),
        ({"License": "CC0", "GeneratedBy": [{"Name": "Manual"}, {"Name": "bidsify"}]}, False),
        ({"License": "That of the source dataset", "GeneratedBy": [{"Name": "bidsify"}]}, False),
        # made of a known one by somebody else
        ({"License": "CC0", "SourceDatasets": [{"DOI": "doi:10.5281/zenodo.3362844"}]}, True),
        ({"License": "CC0", "SourceDatasets": [3, {"URL": 4}]}, True),
    ],
)
def test_a_tree_of_a_stranger_is_judged_by_its_licence(
    description: dict[str, Any], tmp_path: Path, *, allows: bool
) -> None:
    assert terms.of_tree(stranger(tmp_path, **description)).allows_copies is allows


def test_the_terms_of_several_sources_are_all_asked(tmp_path: Path) -> None:
    cited = [{"URL": datasets.load(name).source_url} for name in ("chaos", "myops380")]
    root = stranger(tmp_path, License="CC0", SourceDatasets=cited)
    verdict = terms.of_tree(root)
    assert {each.dataset for each in verdict.statements} == {"chaos", "myops380", ""}
    with pytest.raises(TermsError, match=r"the terms of 'myops380' forbid .*\"No redistribution"):
        verdict.require_copies(root)


@pytest.mark.parametrize("also", ["myops380", "crossmoda2023", "brats2021"])
def test_a_second_source_beside_the_recorded_one_is_asked_too(also: str, own_tree: Make) -> None:
    root = own_tree("lumbosacral")
    cited = json.loads((root / "dataset_description.json").read_bytes())["SourceDatasets"]
    edit(root, SourceDatasets=[*cited, {"URL": datasets.load(also).source_url}])
    verdict = terms.of_tree(root)
    assert {each.dataset for each in verdict.statements} == {"lumbosacral", also}
    with pytest.raises(TermsError, match=f"the terms of '{also}' "):
        verdict.require_copies(root)


@pytest.mark.parametrize("name", NAMES)
def test_the_record_tells_datasets_of_one_address_apart(name: str, tmp_path: Path) -> None:
    """Of the editions of BraTS, of crossMoDA and of MyoPS."""
    description = {"SourceDatasets": [{"URL": datasets.load(name).source_url}]}
    assert name in terms.sources_of(tmp_path, description)
    record = tmp_path / "code/bidsify/conversion.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"dataset": name, "shared": [], "written": [], "files": []}))
    assert terms.sources_of(tmp_path, description) == (name,)


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/zzzzzzl24/I_MMSeg", "http://www.github.com/zzzzzzl24/I_MMSeg/",
        " HTTPS://GitHub.com/ZZZZZZl24/i_mmseg// ", "github.com/zzzzzzl24/I_MMSeg",
    ],
)  # fmt: skip
def test_an_address_counts_however_it_is_written(address: str, tmp_path: Path) -> None:
    description = {"SourceDatasets": [{"URL": address}]}
    assert terms.sources_of(tmp_path, description) == ("myops380",)


@pytest.mark.parametrize(
    "doi",
    [
        "doi:10.5281/ZENODO.3362844", "10.5281/zenodo.3362844", "DOI:10.5281/zenodo.3362844/",
        "http://dx.doi.org/10.5281/zenodo.3362844", "https://doi.org/10.5281/zenodo.3362844",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["DOI", "URL"])
def test_a_doi_counts_however_it_is_written(doi: str, key: str, tmp_path: Path) -> None:
    assert terms.sources_of(tmp_path, {"SourceDatasets": [{key: doi}]}) == ("chaos",)


def test_of_equal_terms_the_one_that_asks_for_more_counts(tmp_path: Path) -> None:
    root = stranger(tmp_path, License="CC0")
    assert terms.of_tree(root).is_public_domain
    own = {"summary": "Own.", "redistribution": "allowed", "evidence": "me"}
    place = root / stated.TERMS
    place.parent.mkdir(parents=True)
    for licence in ("CC-BY-4.0", "CC-BY-SA-4.0"):
        place.write_text(json.dumps({**own, "licence": licence}))
        verdict = terms.of_tree(root)
        assert (verdict.strictest.spdx, verdict.allows_copies) == (licence, True)
        assert not verdict.is_public_domain
    edit(root, License="CC-BY-4.0")
    assert terms.of_tree(root).strictest.share_alike


@pytest.mark.parametrize(
    ("own", "allows"),
    [("CC-BY-ND-4.0", False), ("CC-BY-NC-4.0", True), ("my own words", True)],
)
def test_a_licence_is_not_looser_for_being_called_so(
    own: str, tmp_path: Path, *, allows: bool
) -> None:
    root = stranger(tmp_path, License="CC0")
    (root / "code/bidsify").mkdir(parents=True)
    stating = {"summary": "Own.", "redistribution": "allowed", "evidence": "me", "licence": own}
    (root / stated.TERMS).write_text(json.dumps(stating))
    verdict = terms.of_tree(root)
    assert verdict.allows_copies is allows
    assert (verdict.strictest.redistribution == "allowed") is (own == "my own words")


@pytest.mark.parametrize("content", ["null", "3", "[]", "link"])
def test_terms_that_are_none_allow_nothing(content: str, tmp_path: Path) -> None:
    root = stranger(tmp_path, License="CC0")
    (root / "code/bidsify").mkdir(parents=True)
    if content == "link":
        (root / stated.TERMS).symlink_to("../../.git/annex/objects/not-fetched")
    else:
        (root / stated.TERMS).write_text(content)
    assert terms.of_tree(root).strictest.licence == "unreadable"
    assert not terms.of_tree(root).allows_copies


CFF = "cff-version: 1.2.0\nmessage: x\ntitle: y\nauthors: [{name: z}]\n"


@pytest.mark.parametrize(
    ("text", "stated_licence", "licence", "redistribution"),
    [
        ("license: CC-BY-4.0", None, "CC-BY-4.0", "allowed"),
        ("license: [CC0-1.0, CC-BY-NC-4.0]", None, "CC-BY-NC-4.0", "noncommercial"),
        ("license: CC-BY-NC-ND-4.0", "CC0", "CC-BY-NC-ND-4.0", "forbidden"),
        ("license: MIT", "CC0", "MIT", "unknown"),
        ("license: {a: b}", "CC0", "unreadable", "unknown"),
        ("license: [[CC0]]", "CC0", "unreadable", "unknown"),
        ("license: 'CC0", "CC0", "unreadable", "unknown"),
        ("version: 1", "CC0", "CC0", "allowed"),
        ("version: 1", None, "none stated", "unknown"),
    ],
)
def test_the_licence_of_a_citation_file_counts(
    text: str, stated_licence: str | None, licence: str, redistribution: str, tmp_path: Path
) -> None:
    root = stranger(tmp_path, **({"License": stated_licence} if stated_licence else {}))
    (root / "CITATION.cff").write_text(f"{CFF}{text}\n")
    found = terms.of_tree(root).strictest
    assert (found.licence, found.redistribution) == (licence, redistribution)


@pytest.mark.parametrize("content", [b"", b"a: [" * 9999, b"x" * (1 << 19), b"[1, 2]", b"\0"])
def test_a_citation_file_that_cannot_be_read_allows_nothing(content: bytes, tmp_path: Path) -> None:
    root = stranger(tmp_path, License="CC0")
    (root / "CITATION.cff").write_bytes(content)
    assert terms.of_tree(root).strictest.licence == "unreadable"


BSD = (
    "Copyright 2020. All rights reserved. Redistribution and use in source and binary forms, with "
    "or without modification, are permitted provided that the following conditions are met: "
    "Redistributions of source code must retain the above copyright notice."
)


@pytest.mark.parametrize(
    ("text", "redistribution", "licence"),
    [
        ("No redistribution.", "forbidden", '"No redistribution"'),
        ("You may not copy,\nmodify or redistribute the images.", "forbidden", "redistribut"),
        ("Redistribution of the data is strictly prohibited.", "forbidden", "prohibited"),
        ("The data must not be re-distributed", "forbidden", "re-distribut"),
        ("It is prohibited to publish or share them", "forbidden", "publish"),
        ("Attribution-NonCommercial-NoDerivatives 4.0 International", "forbidden", "CC-BY-NC-ND"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "noncommercial",
         "CC-BY-NC-SA"),
        ("https://creativecommons.org/licenses/by-nd/4.0/", "forbidden", "CC-BY-ND"),
        ("This is CC BY-NC 4.0", "noncommercial", "CC-BY-NC"),
        ("for non-commercial use", "noncommercial", "not for commercial use"),
        ("Creative Commons Attribution-ShareAlike 4.0", "allowed", "CC-BY-SA"),
        ("Creative Commons Attribution 4.0 International", None, ""),
        (BSD, None, ""),
        ("", None, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["LICENSE", "Licence.md", "COPYING.txt"])
def test_the_text_of_a_licence_can_be_stricter(
    name: str, text: str, redistribution: str | None, licence: str, tmp_path: Path
) -> None:
    root = stranger(tmp_path, License="CC0")
    (root / name).write_text(text)
    found = terms.of_tree(root).strictest
    assert found.redistribution == (redistribution or "allowed")
    assert licence in found.licence
    assert (found.evidence == f"{name} of the tree") is (redistribution is not None)


@pytest.mark.parametrize("text", ["CC0", "This is CC BY-NC 4.0", BSD, "whatever"])
def test_the_text_of_a_licence_alone_allows_nothing(text: str, tmp_path: Path) -> None:
    root = stranger(tmp_path)
    (root / "LICENSE").write_text(text)
    assert not terms.of_tree(root).allows_copies


def test_a_tree_of_an_own_declaration_is_judged_by_what_it_states(own_tree: Make) -> None:
    root = own_tree("lumbosacral")
    edit(root, License="CC0", SourceDatasets=[])
    (root / "README.md").unlink()
    place = root / "code/bidsify/conversion.json"
    description = (root / "dataset_description.json").read_bytes()
    hashes = {"dataset_description.json": hashlib.sha256(description).hexdigest()}
    changes = {"dataset": "mine", "shared_sha256": hashes}
    place.write_text(json.dumps({**json.loads(place.read_bytes()), **changes}))
    assert terms.of_tree(root).allows_copies
    edit(root, License="CC-BY-4.0")
    verdict = terms.of_tree(root)
    assert not verdict.allows_copies
    assert "dataset_description.json is not as it was converted" in verdict.strictest.summary
    place.unlink()
    assert not terms.of_tree(root).allows_copies


def test_a_route_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of no dataset that bidsify knows"):
        terms.of_tree(stranger(tmp_path), "tcia")


def test_a_licence_in_control_characters_is_made_printable(tmp_path: Path) -> None:
    root = stranger(tmp_path, License="\x1b[2Jfree " * 200)
    with pytest.raises(TermsError) as raised:
        terms.of_tree(root).require_copies(root)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000


def edit(root: Path, **description: object) -> None:
    path = root / "dataset_description.json"
    document = {**json.loads(path.read_bytes()), **description}
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("README.md", "Made from IVDM3Seg.", "ivdm3seg"),
        ("README", "See https://doi.org/10.1007/978-3-030-13736-6_14.", "ivdm3seg"),
        ("CHANGES", "cite doi:10.1016/J.MEDIA.2026.104072", "myops380"),
        ("README.md", "MyIVDM3Segments", ""),
    ],
)
def test_a_dataset_that_a_text_names_is_judged(
    file: str, text: str, names: str, tmp_path: Path
) -> None:
    root = stranger(tmp_path, License="CC0")
    (root / file).write_text(text)
    found = {each.dataset for each in terms.of_tree(root).statements} - {""}
    assert found == ({names} if names else set())
    assert terms.of_tree(root).allows_copies is (not names)


def test_a_dataset_to_acknowledge_is_judged(tmp_path: Path) -> None:
    root = stranger(tmp_path, License="CC0", HowToAcknowledge="Cite IVDM3Seg (2018).")
    assert not terms.of_tree(root).allows_copies
