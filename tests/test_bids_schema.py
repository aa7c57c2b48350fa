"""Our reading of the BIDS schema agrees with the package that ships it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from typing import Any

import pytest
from official_schema import official_schema

from bidsify import bids_schema
from bidsify.errors import SchemaError


@pytest.fixture(scope="module")
def official() -> Any:
    return official_schema()


def test_the_order_of_entities_is_the_official_one(official: Any) -> None:
    assert list(bids_schema.entity_order()) == list(official.rules.entities)
    assert len(bids_schema.entity_order()) > 30


def test_keys_and_patterns_of_entities_are_the_official_ones(official: Any) -> None:
    keys, patterns = bids_schema.entity_keys(), bids_schema.entity_patterns()
    assert (
        set(keys) == set(patterns) == set(official.objects.entities) == set(official.rules.entities)
    )
    for name, entry in official.objects.entities.items():
        assert keys[name] == entry["name"]
        pattern = official.objects.formats[entry["format"]]["pattern"]
        assert patterns[name].pattern == pattern
    assert keys["acquisition"] == "acq"
    assert keys["segmentation"] == "seg"


@pytest.mark.parametrize("group", ["deriv", "raw", "common"])
def test_no_rule_is_left_out_and_none_is_made_up(group: str, official: Any) -> None:
    wanted = [
        (list(rule["suffixes"]), list(rule["extensions"]), sorted(rule["entities"]))
        for rule in official.rules.files[group].values(level=2)
        if "suffixes" in rule
    ]
    ours = [
        (list(rule["suffixes"]), list(rule["extensions"]), sorted(rule["entities"]))
        for rule in bids_schema.file_rules()
    ]
    for rule in wanted:
        assert ours.count(rule) >= wanted.count(rule) > 0
    if group == "deriv":
        assert len(wanted) > 50


def test_the_number_of_rules_adds_up(official: Any) -> None:
    counts = [
        sum("suffixes" in rule for rule in official.rules.files[group].values(level=2))
        for group in ("deriv", "raw", "common")
    ]
    assert len(bids_schema.file_rules()) == sum(counts)


def test_each_rule_has_what_a_name_is_checked_with() -> None:
    for rule in bids_schema.file_rules():
        assert rule["suffixes"]
        assert rule["extensions"]
        assert rule["entities"].keys() <= set(bids_schema.entity_order())


def test_the_schema_is_read_once() -> None:
    assert bids_schema.schema() is bids_schema.schema()


def test_a_missing_schema_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SchemaError, match=r"'bidsschematools' is not installed; reinstall bidsify"):
        bids_schema.schema.__wrapped__()


def test_the_slow_object_model_is_not_imported() -> None:
    code = "import sys; from bidsify import bids_schema; bids_schema.file_rules(); "
    code += "print([m for m in sys.modules if re.match('bidsschematools', m)])"
    done = subprocess.run(
        [sys.executable, "-c", "import re; " + code], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"\[\]\s*", done.stdout), done.stdout
