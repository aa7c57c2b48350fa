"""Exports by the code of those who read them; each test needs the package of its consumer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Make

import bidsify

_VERIFY = """
import sys
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
if __name__ == "__main__":
    verify_dataset_integrity(sys.argv[1], 1)
"""
_LOAD = """
import json, sys
import datasets
found = datasets.load_dataset("niftifolder", data_dir=sys.argv[1])
rows = {split: [{k: getattr(v, "shape", v) for k, v in row.items()} for row in found[split]]
        for split in found}
print(json.dumps(rows))
"""


def python(text: str, *arguments: object, folder: Path, **environment: str) -> str:
    """Run a script in a process of its own, offline, with its caches in ``folder``."""
    script = folder / "script.py"
    script.write_text(text)
    home = {"HF_HOME": str(folder / "hf"), "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    raw = {"nnUNet_raw": str(folder), "nnUNet_preprocessed": str(folder / "p")}
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **home, **raw, **environment},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("brats2021", {"regions": True}),
        ("myops2020", {"regions": True, "with_test": True, "variable": "BIDS_TREE"}),
    ],
)
def test_nnunet_finds_the_dataset_sound(
    tree: Make, tmp_path: Path, name: str, options: Any
) -> None:
    pytest.importorskip("nnunetv2", reason="needs nnunetv2")
    done = bidsify.export_nnunet(tree(name), tmp_path / "raw", **options)
    said = python(_VERIFY, done.folder, folder=tmp_path, BIDS_TREE=str(tree(name)))
    assert "verify_dataset_integrity Done" in said
    assert "rror:" not in said
    assert "Warning" not in said


def test_nnunet_undoes_regions_as_the_map_says(tree: Make, tmp_path: Path) -> None:
    pytest.importorskip("nnunetv2", reason="needs nnunetv2")
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    done = bidsify.export_nnunet(tree("brats2021"), tmp_path, regions=True)
    document = json.loads((done.folder / "dataset.json").read_bytes())
    manager = LabelManager(document["labels"], document["regions_class_order"])
    labels = np.arange(4).reshape(4, 1, 1)
    regions = np.stack([np.isin(labels, region) for region in manager.all_regions])
    found = manager.convert_probabilities_to_segmentation(regions.astype(np.float32))
    assert np.array_equal(found, labels)


def test_monai_loads_the_datalist(tree: Make, tmp_path: Path) -> None:
    pytest.importorskip("monai", reason="needs monai")
    from monai.data import load_decathlon_datalist, load_decathlon_properties

    root = tree("brats2021")
    path = bidsify.export_monai(root, tmp_path / "out").folder / "datalist.json"
    for key, count in (("training", 3), ("test", 1)):
        items = load_decathlon_datalist(path, is_segmentation=True, data_list_key=key)
        assert len(items) == count
        for item in items:
            for found in [*item["image"], *([item["label"]] if key == "training" else [])]:
                assert Path(found).resolve().is_relative_to(root.resolve())
                assert Path(found).is_file()
    modality = load_decathlon_properties(path, "modality")["modality"]
    assert [*modality.values()] == ["FLAIR", "T1w", "T2w", "ce-gadolinium_T1w"]


def test_datasets_loads_the_folder(tree: Make, tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="needs datasets")
    if not hasattr(sys.modules["datasets"], "Nifti"):
        pytest.skip("needs datasets of 4.4 or newer")
    done = bidsify.export_hf(tree("prostate158"), tmp_path / "out", labels="zones")
    rows = json.loads(python(_LOAD, done.folder, folder=tmp_path))
    assert {split: len(found) for split, found in rows.items()} == done.counts
    for row in (row for found in rows.values() for row in found):
        assert [*row] == ["case", "subject", "ADC", "T2w", "trace", "dseg"]
        assert row["T2w"] == row["dseg"]
        assert row["subject"].startswith("sub-0")
