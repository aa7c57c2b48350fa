"""Every issue code can be explained, and none by accident."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bidsify.bids_schema import schema
from bidsify.errors import UsageError
from bidsify.validation import codes
from bidsify.validation.issue import SEVERITIES

WRITTEN = {**codes.OWN, **codes.OFFICIAL}
WARNINGS = {
    "JSON_KEY_RECOMMENDED", "SIDECAR_KEY_RECOMMENDED", "TSV_ADDITIONAL_COLUMNS_UNDEFINED",
    "TSV_COLUMN_TYPE_REDEFINED", "TSV_PSEUDO_AGE_DEPRECATED", "AMBIGUOUS_AFFINE",
    "UNUSED_STIMULUS", "SIDECAR_FIELD_OVERRIDE", "HED_WARNING", "SYMLINK_IN_SUBMODULE",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(WRITTEN))
def test_each_code_has_three_sentences_of_its_own(code: str) -> None:
    entry = WRITTEN[code]
    texts = (entry.meaning, entry.matters, entry.remedy)
    assert all(text.endswith(".") and text == text.strip() and text[0].isupper() for text in texts)
    assert len(set(texts)) == 3
    assert entry.severity in SEVERITIES


def test_no_two_codes_mean_the_same() -> None:
    meanings = [entry.meaning for entry in WRITTEN.values()]
    assert len(set(meanings)) == len(meanings) == len(codes.OWN) + len(codes.OFFICIAL)


def test_the_severities_of_the_official_validator() -> None:
    assert {c for c, entry in codes.OFFICIAL.items() if entry.severity != "error"} == WARNINGS
    assert codes.severity_of("NOT_INCLUDED") == "error"
    assert codes.severity_of("HED_WARNING") == "warning"
    assert codes.severity_of("DSEG_ROW_UNUSED") == "info"
    assert codes.severity_of("WHATEVER_COMES") == "error"


def test_codes_of_the_schema_are_official_and_ours_are_not() -> None:
    official = codes.official_codes()
    assert {"NO_AUTHORS", "INTENDED_FOR", "NOT_INCLUDED", "GZ_NOT_GZIPPED"} <= official
    assert not official & codes.OWN.keys()


def test_each_code_that_the_schema_declares_is_found() -> None:
    """Counted another way than the catalogue does: any mapping below the key "issue"."""
    declared = {found["code"] for found in issues(schema()["rules"])}
    declared |= {entry["code"] for entry in schema()["rules"]["errors"].values()}
    assert len(declared) > 150
    assert declared == codes.official_codes() - (codes.OFFICIAL.keys() - declared)
    assert {code for code in declared if codes.find(code) is None} == set()


def issues(node: object) -> list[dict[str, str]]:
    if not isinstance(node, dict):
        return []
    own = [node["issue"]] if isinstance(node.get("issue"), dict) else []
    return own + [one for child in node.values() for one in issues(child)]


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("NO_AUTHORS", "warning"),  # a recommended field
        ("LOOK_LOCKER_FLIP_ANGLE_MISSING", "error"),  # a required one
        ("PDT2_FILE_SHOULD_HAVE_TWO_VOLUMES", "warning"),  # stated
    ],
)
def test_the_severity_of_a_declared_code_is_what_its_rule_demands(code: str, severity: str) -> None:
    found = codes.find(code)
    assert found is not None
    assert (found.origin, found.severity) == ("schema", severity)


def test_our_own_words_are_explained() -> None:
    text = codes.explain("DSEG_SCALED")
    assert text.startswith("DSEG_SCALED (error, bidsify)\n")
    assert f"How to mend it: {codes.OWN['DSEG_SCALED'].remedy}" in text
    assert "Rule" not in text


def test_a_rule_of_the_schema_is_shown() -> None:
    lines = codes.explain("LABELING_DURATION_LENGTH_NOT_MATCHING_NIFTI").splitlines()
    assert "Rule rules.checks.asl.ASLLabelingDurationNiftiLength" in lines
    assert '  applies where  suffix == "asl"' in lines
    assert "  must hold      length(sidecar.LabelingDuration) == nifti_header.dim[4]" in lines


def test_explaining_a_rule_of_keys_names_them() -> None:
    lines = codes.explain("NO_AUTHORS").splitlines()
    assert '  applies where  path == "/dataset_description.json"' in lines
    assert lines[-1] == "  recommended    Authors"


def test_all_rules_of_a_code_are_shown() -> None:
    text = codes.explain("INTENDED_FOR")
    found = codes.find("INTENDED_FOR")
    assert found is not None
    assert len(found.rules) == 4
    assert all(f"Rule {rule}\n" in text for rule in found.rules)


def test_letter_case_does_not_matter() -> None:
    assert codes.explain("not_included") == codes.explain("NOT_INCLUDED")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("NOT_INCLUDE", "no issue code 'NOT_INCLUDE'; close ones: NOT_INCLUDED"),
        ("sidecar_required", "no issue code 'sidecar_required'; close ones: SIDECAR_KEY_REQUIRED"),
        ("1", "no issue code '1'; codes are like NOT_INCLUDED"),
    ],
)
def test_an_unknown_code_is_refused_with_close_ones(code: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        codes.explain(code)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("pattern", ["NOT_INCLUDE", "TVS_*", "warnings", "not_included", ""])
def test_a_pattern_that_fits_nothing_is_refused(pattern: str) -> None:
    """And no other one is: those before it all fit a code."""
    fitting = ("NOT_INCLUDED", "TSV_*", "NO_AUTHORS", "warning", "*", "DSEG_?OT*")
    with pytest.raises(UsageError) as caught:
        codes.check_patterns((*fitting, pattern))
    assert str(caught.value).startswith(f"no issue code {pattern!r}; ")


def test_another_schema_has_codes_of_its_own() -> None:
    issue = {"code": "BRAND_NEW", "message": "New.", "level": "error"}
    document = {"rules": {"checks": {"new": {"Rule": {"issue": issue}}}}}
    codes.check_patterns(("BRAND_NEW",), document)
    with pytest.raises(UsageError, match="BRAND_NEW"):
        codes.check_patterns(("BRAND_NEW",))


def test_the_schema_is_not_read_for_a_code_that_has_words_here() -> None:
    program = (
        "import sys; from bidsify.validation import codes; codes.find('NOT_INCLUDED');"
        "codes.severity_of('NO_AUTHORS'); sys.exit('orjson' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
