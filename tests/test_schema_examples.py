"""The example files get the verdict of their folder, whoever judges them by the JSON Schemas.

Folders are ``tests/examples/{valid,invalid}/<schema>``. A table is judged as a list of rows.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bidsschematools
import pytest

import bidsify
from bidsify import datasets, json_schema

SCHEMAS = Path(__file__).parents[1] / "schemas"
EXAMPLES = Path(__file__).parent / "examples"
VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"

#: Example that is refused -> part of the sentence that says why.
REASONS = {
    "conversion/base_without_slash": "$.base: 'private/download' does not match",
    "conversion/short_hash": "'abc' is not valid under any",
    "conversion/unknown_bucket": "'lost' is not one of",
    "conversion/with_host": "'host' was unexpected",
    "dataset_description/doi_as_address": "does not match '^doi:10",
    "dataset_description/raw": "'derivative' was expected",
    "dataset_description/without_license": "'License' is a required property",
    "harmonised_table/empty_label": "'left kidney,,right kidney' does not match",
    "harmonised_table/negative_code": "'-1' does not match",
    "harmonised_table/snomed_of_old": "'T-62000' does not match",
    "harmonised_table/table_that_is_none": "'labels.csv' does not match",
    "harmonised_table/uberon_without_prefix": "'0002107' does not match",
    "harmonised_table/with_source_index": "'4' should not be valid under {}",
    "harmonised_table/without_from": "'from' is a required property",
    "label_table/colour_by_name": "'red' does not match",
    "label_table/float_index": "'1.0' does not match",
    "label_table/without_name": "'name' is a required property",
    "meshes/empty_description": "$.Description: '' should be non-empty",
    "meshes/source_as_path": "$.Sources[0]: 'sub-01/anat/sub-01_T2w.nii.gz' does not match",
    "meshes/unknown_axes": "'LAI' is not one of ['LPS', 'RAS']",
    "meshes/without_units": "'Units' is a required property",
    "naming/bold_without_task": "$: {'entities': {'sub': '01'}, 'suffix': 'bold'",
    "naming/crosstalk_as_dat": "is not valid under any",
    "naming/hyphen_in_value": "$.entities.sub: '01-a' does not match",
    "naming/label_of_dseg": "'label': 'tumor'}, 'suffix': 'dseg'",
    "naming/nrrd": "'extension': '.nrrd'",
    "naming/part_water": "'water' is not one of ['mag', 'phase', 'real', 'imag']",
    "naming/run_in_words": "$.entities.run: 'first' does not match",
    "naming/t1w_in_func": "'suffix': 'T1w', 'extension': '.nii.gz', 'datatype': 'func'}",
    "naming/unknown_datatype": "$.datatype: 'ct' is not one of",
    "naming/unknown_entity": "'rater' was unexpected",
    "naming/unknown_suffix": "'suffix': 'T1c'",
    "plan/job_without_sources": "'sources' is a required property",
    "plan/unknown_kind": "'movie' is not one of",
    "plan/without_failures": "'failures' is a required property",
    "points/negative_place": "'-1' does not match",
    "points/not_a_number": "$[0].y_mm: 'nan' does not match",
    "points/space_and_plane": "is valid under each of",
    "points/without_structure": "'structure' is a required property",
    "points/without_z": "'z_mm' is a dependency of 'x_mm'",
    "regions/abbreviation_with_blank": "'whole tumour' does not match",
    "regions/background_in_region": "'0,1,4' does not match",
    "regions/range_of_indices": "'1-4' does not match",
    "regions/without_indices": "'indices' is a required property",
    "report/issue_without_rule": "$.issues[0]: 'rule' is a required property",
    "report/leading_slash": "'/participants.tsv' does not match",
    "report/negative_count": "$.summary.files: -1 is less than the minimum",
    "report/severity_fatal": "'fatal' is not one of ['error', 'warning', 'info']",
    "report/without_summary": "'summary' is a required property",
    "sidecars/T1w/echo_time_as_text": "$.EchoTime: '0.003' is not valid",
    "sidecars/T1w/flip_angle_beyond_a_turn": "$.FlipAngle: 400 is not valid",
    "sidecars/T1w/ingredient_in_lower_case": "'gadolinium' is not one of",
    "sidecars/T1w/look_locker_without_flip_angle": "'FlipAngle' is a required property",
    "sidecars/asl/estimate_without_value": "'M0Estimate' is a required property",
    "sidecars/asl/pasl_without_cut_off_time": "'BolusCutOffDelayTime' is a required property",
    "sidecars/asl/pcasl_without_duration": "'LabelingDuration' is a required property",
    "sidecars/asl/unknown_type": "'VSASL' is not one of",
    "sidecars/bold/axis_in_letters_of_space": "'y' is not one of ['i', 'i-'",
    "sidecars/bold/slice_before_volume": "$.SliceTiming[0]: -0.5 is less than the minimum",
    "sidecars/bold/without_task_name": "'TaskName' is a required property",
    "sidecars/bold/without_timing": "'RepetitionTime' is a required property",
    "sidecars/dwi/flip_angle_of_nothing": "$.FlipAngle: 0 is not valid",
    "sidecars/dwi/multipart_as_number": "$.MultipartID: 1 is not of type 'string'",
    "sidecars/dwi/readout_time_as_text": "$.TotalReadoutTime: '0.05 s' is not of type 'number'",
    "tables/Events/negative_duration": "$[0].duration: '-1' should not be valid",
    "tables/Events/onset_in_words": "$[0].onset: 'start' is not valid",
    "tables/Events/without_onset": "'onset' is a required property",
    "tables/Participants/age_of_90": "$[0].age: '90' is not valid",
    "tables/Participants/id_without_sub": "$[0].participant_id: '01' is not valid",
    "tables/Participants/sex_in_other_words": "'w' is not one of ['n/a', 'F'",
    "tables/Participants/without_id": "'participant_id' is a required property",
    "tables/SegmentationLookup/float_index": "$[0].index: '1.5' is not valid",
    "tables/SegmentationLookup/mapping_in_words": "$[0].mapping: 'soft tissue' is not valid",
    "tables/SegmentationLookup/without_name": "'name' is a required property",
    "recipe/declaration_file": "'./mine.py' does not match",
    "recipe/later_version": "1 was expected",
    "recipe/path_out_of_the_tree": "'../../etc/passwd' does not match",
    "recipe/with_host": "'host' was unexpected",
    "terms/redistribution_yes": "'yes' is not one of",
    "terms/retrieved_from_nowhere": "'terms_url' is a dependency of 'retrieved'",
    "terms/unknown_key": "'license' was unexpected",
    "terms/without_evidence": "'evidence' is a required property",
}
#: Where the examples of a generated schema lie in a tree, and the type of that dataset.
PLACES = {
    "naming": ("derivative", ""),
    "sidecars/T1w": ("raw", "{sub}/anat/{sub}_T1w"),
    "sidecars/bold": ("raw", "{sub}/func/{sub}_task-rest_bold"),
    "sidecars/dwi": ("raw", "{sub}/dwi/{sub}_dwi"),
    "sidecars/asl": ("raw", "{sub}/perf/{sub}_asl"),
    "tables/Participants": ("raw", "participants"),
    "tables/Events": ("raw", "{sub}/func/{sub}_task-rest_events"),
    "tables/SegmentationLookup": ("derivative", "{sub}/anat/{sub}_dseg"),
}
#: Errors that a kind of schema stands for; others come from what a small tree lacks.
CODES = {
    "naming": {
        "ALL_FILENAME_RULES_HAVE_ISSUES", "DATATYPE_MISMATCH", "ENTITY_NOT_IN_RULE",
        "EXTENSION_MISMATCH", "FILENAME_MISMATCH", "INVALID_ENTITY_LABEL",
        "MISSING_REQUIRED_ENTITY", "NOT_INCLUDED", "ENTITY_VALUE_NOT_ALLOWED",
    },
    "sidecars": {
        "JSON_SCHEMA_VALIDATION_ERROR", "SIDECAR_KEY_REQUIRED", "LOOK_LOCKER_FLIP_ANGLE_MISSING",
        "M0ESTIMATE_NOT_DEFINED", "PASL_BOLUS_CUT_OFF_DELAY_TIME",
    },
    "tables": {"TSV_COLUMN_MISSING", "TSV_VALUE_INCORRECT_TYPE"},
}  # fmt: skip
#: Where the official validator decides otherwise than the rules that it reads.
OFFICIAL_DEFECTS = {
    "naming/part_water": "does not look at the values that the rules limit an entity to",
    "naming/crosstalk_as_dat": "does not look at the values that a single rule limits one to",
    "naming/unknown_datatype": "refuses the folder, not the file in it",
    "naming/headshape": "takes the extension .* of the rules by the letter",
}
#: Of these, what bidsify finds with a check of its own.
OURS = {"part_water", "crosstalk_as_dat"}

Judge = Callable[[str, Iterable[Path], Path], set[str]]
WITH_EXAMPLES = sorted({p.parent.relative_to(EXAMPLES / "valid").as_posix()
                        for p in EXAMPLES.glob("valid/**/*.*") if p.is_file()})  # fmt: skip
every_schema = pytest.mark.parametrize("schema", WITH_EXAMPLES)


def examples(schema: str, verdict: str) -> list[Path]:
    return sorted(p for p in (EXAMPLES / verdict / schema).iterdir() if p.is_file())


def document(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text("utf-8"))
    names, *rows = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    return [dict(zip(names, row, strict=True)) for row in rows]


# What there is


def test_each_schema_that_we_wrote_has_examples_and_so_have_some_generated_ones() -> None:
    ours = {name for name in json_schema.names() if "/" not in name}
    assert set(WITH_EXAMPLES) == ours | set(PLACES)


@every_schema
def test_there_are_enough_examples(schema: str) -> None:
    assert len(examples(schema, "valid")) >= 2
    assert len(examples(schema, "invalid")) >= 3


def test_each_refusal_has_its_reason() -> None:
    refused = {f"{s}/{path.stem}" for s in WITH_EXAMPLES for path in examples(s, "invalid")}
    assert refused == set(REASONS)


@every_schema
def test_a_bad_example_is_refused_for_its_reason(schema: str) -> None:
    for path in examples(schema, "invalid"):
        found = list(json_schema.faults(schema, document(path)))
        assert any(REASONS[f"{schema}/{path.stem}"] in fault for fault in found), (path, found)


# Who judges: each takes examples of a schema, and returns the names of those that it refuses


def by_faults(schema: str, paths: Iterable[Path], _folder: Path) -> set[str]:
    """Ask what bidsify itself uses."""
    return {path.stem for path in paths if list(json_schema.faults(schema, document(path)))}


def by_check_jsonschema(schema: str, paths: Iterable[Path], folder: Path) -> set[str]:
    """Ask a program that knows nothing of BIDS."""
    for path in paths:
        (folder / f"{path.stem}.json").write_text(json.dumps(document(path)))
    done = check_jsonschema("--schemafile", SCHEMAS / f"{schema}.schema.json",
                            *sorted(folder.iterdir()))  # fmt: skip
    report = json.loads(done.stdout)
    assert report["parse_errors"] == []
    assert done.returncode == (1 if report["errors"] else 0)
    return {Path(error["filename"]).stem for error in report["errors"]}


def check_jsonschema(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("needs check-jsonschema")
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "-o", "json", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def by_official_validator(schema: str, paths: Iterable[Path], folder: Path) -> set[str]:
    """Ask the reference, with a tree around the examples and the same BIDS schema."""
    if not VALIDATOR.exists():
        pytest.skip("needs bids-validator-deno")
    rules = Path(bidsschematools.__file__).parent / "data" / "schema.json"
    return by_tree(schema, paths, folder, lambda root: official_errors(root, rules))


def official_errors(root: Path, rules: Path) -> set[tuple[str, str]]:
    done = subprocess.run(
        [VALIDATOR, root, "--format", "json", "--ignoreNiftiHeaders", "--ignoreWarnings"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "BIDS_SCHEMA": rules.as_uri()},
    )  # fmt: skip
    issues = json.loads(done.stdout)["issues"]["issues"]
    return {(i["code"], i["location"].strip("/")) for i in issues if i["severity"] == "error"}


#: A judge that needs a tree, such as ``bidsify validate``, is one call of :func:`by_tree`.
def by_validate(schema: str, paths: Iterable[Path], folder: Path) -> set[str]:
    """Ask ``bidsify validate``, with the same tree."""
    return by_tree(schema, paths, folder, our_errors)


def our_errors(root: Path) -> set[tuple[str, str]]:
    report = bidsify.validate(root, ignore_nifti_headers=True)
    return {(i.code, i.path) for i in report.issues() if i.severity == "error"}


JUDGES: Mapping[str, Judge] = {
    "bidsify validate": by_validate,
    "faults": by_faults,
    "check-jsonschema": by_check_jsonschema,
    "bids-validator": by_official_validator,
}
TREE_JUDGES = {"bids-validator", "bidsify validate"}


@pytest.mark.parametrize("judge", JUDGES)
@every_schema
def test_all_judges_refuse_the_bad_examples_and_no_other(
    judge: str, schema: str, tmp_path: Path
) -> None:
    if judge in TREE_JUDGES and schema not in PLACES:
        pytest.skip("BIDS has no rules for this")
    bad = {path.stem for path in examples(schema, "invalid")}
    paths = examples(schema, "valid") + examples(schema, "invalid")
    refused = JUDGES[judge](schema, paths, tmp_path)
    if judge in TREE_JUDGES:
        mended = OURS if judge == "bidsify validate" else set()
        defects = {name.rpartition("/")[2] for name in OFFICIAL_DEFECTS if name.startswith(schema)}
        assert refused ^ bad == defects - mended
    else:
        assert refused == bad


# A tree around examples


def by_tree(
    schema: str, paths: Iterable[Path], folder: Path,
    errors: Callable[[Path], set[tuple[str, str]]],
) -> set[str]:  # fmt: skip
    """Return the examples that a validator of trees refuses; it finds (code, path) in a tree."""
    placed: dict[Path, dict[str, str]] = {}
    for path in paths:
        root = folder / path.stem if schema == "tables/Participants" else folder
        placed.setdefault(root, {}).update(dict.fromkeys(plant(schema, path, root), path.stem))
    return {
        stems[where]
        for root, stems in placed.items()
        for code, where in errors(root)
        if code in CODES[schema.split("/", maxsplit=1)[0]] and where in stems
    }


def plant(schema: str, example: Path, root: Path) -> tuple[str, ...]:
    """Put an example into the tree; return the files that an error in it can be reported of."""
    kind, pattern = PLACES[schema]
    label = "".join(filter(str.isalnum, example.stem))
    target = (
        name_of(document(example)) if schema == "naming" else pattern.format(sub=f"sub-{label}")
    )
    description = {"Name": "Examples", "BIDSVersion": "1.11.1", "DatasetType": kind,
                   "GeneratedBy": [{"Name": "Manual"}]}  # fmt: skip
    root.mkdir(exist_ok=True)
    (root / "dataset_description.json").write_text(json.dumps(description))
    (root / target).parent.mkdir(parents=True, exist_ok=True)
    if schema == "naming":
        (root / target).touch()
        return (target,)
    (root / f"{target}{example.suffix}").write_bytes(example.read_bytes())
    if example.suffix == ".tsv":
        return (f"{target}.tsv",)
    (root / f"{target}.nii.gz").touch()
    return (f"{target}.nii.gz", f"{target}.json")


def name_of(parts: Mapping[str, Any]) -> str:
    """Put the parts of a file name together, and the folders that it belongs to."""
    entities = parts["entities"]
    folders = [f"{key}-{entities[key]}" for key in ("sub", "tpl", "ses") if key in entities]
    stem = "_".join([*(f"{key}-{value}" for key, value in entities.items()), parts["suffix"]])
    datatype = [parts["datatype"]] if "datatype" in parts else []
    return "/".join([*folders, *datatype, stem + parts["extension"]])


def test_a_name_is_put_together() -> None:
    parts = {"entities": {"sub": "01", "ses": "a"}, "suffix": "T1w", "extension": ".nii"}
    assert name_of(parts) == "sub-01/ses-a/sub-01_ses-a_T1w.nii"
    assert name_of({**parts, "datatype": "anat"}) == "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii"


# The schemas themselves


def test_another_program_finds_all_schemas_sound() -> None:
    paths = [SCHEMAS / f"{name}.schema.json" for name in json_schema.names()]
    done = check_jsonschema("--check-metaschema", *paths)
    assert json.loads(done.stdout)["errors"] == []
    assert done.returncode == 0


@pytest.mark.parametrize("name", datasets.names())
def test_the_terms_of_a_known_dataset_fit_their_schema(name: str) -> None:
    assert list(json_schema.faults("terms", asdict(datasets.load(name).terms))) == []
