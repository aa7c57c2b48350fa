"""Real files of two publishers, where they lie beside the checkout (they are not part of it)."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import run

REAL = Path(__file__).parents[2] / "shared" / "real"
beside = pytest.mark.skipif(not REAL.is_dir(), reason="no real data beside the checkout")


@beside
def test_the_liver_mask_lies_on_the_liver(tmp_path: Path) -> None:
    """CHAOS CT 3: mean HU under the mask is 141; with reversed slices it is 36 (air and fat)."""
    ran = run("convert", REAL / "chaos", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert ran.buckets["converted"] == 156
    stem = tmp_path / "out/sub-CT03/ct/sub-CT03_acq-portal_"
    image = nib.Nifti1Image.from_filename(f"{stem}ct.nii.gz")
    mask = np.asanyarray(nib.Nifti1Image.from_filename(f"{stem}dseg.nii.gz").dataobj) == 1
    units = np.asanyarray(image.dataobj)
    assert units[mask].mean() == pytest.approx(141, abs=0.5)
    assert units[mask[:, :, ::-1]].mean() == pytest.approx(36, abs=0.5)
    assert image.header.get_zooms() == pytest.approx((0.7265625, 0.7265625, 2.0))
    assert run("verify", REAL / "chaos", tmp_path / "out").code == 0


@beside
def test_markers_without_images_are_converted(tmp_path: Path) -> None:
    """Lumbosacral sub-03: 174 marker files, and nothing else."""
    ran = run("convert", REAL / "lumbosacral", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert ran.buckets["converted"] == 174
    assert "image CISS" in ran.err
    assert "is missing for 1 of 1: sub-03" in ran.err
    rows = {}
    for path in (tmp_path / "out/sub-03/anat").glob("*_points.tsv"):
        with path.open(newline="") as stream:
            rows[path.name.split("label-")[1].split("_")[0]] = list(
                csv.DictReader(stream, delimiter="\t")
            )
    assert len({row["source_file"] for table in rows.values() for row in table}) == 174
    assert {row["contour"] for row in rows["dura"]} == {str(n) for n in range(1, 81)}
    ganglion = {(row["segment"], row["side"]): row for row in rows["ganglions"]}
    assert len(ganglion) == 14
    assert float(ganglion["L2", "L"]["x_mm"]) == -24.983054907640735  # LPS +x is left
    assert {row["i"] for row in rows["dura"]} == {"n/a"}  # no image, no voxel
    assert run("verify", REAL / "lumbosacral", tmp_path / "out").code == 0


@beside
def test_names_in_gzip_headers_do_not_reach_the_output(tmp_path: Path) -> None:
    """BraTS-GLI-00001-000: the headers of its files hold an original name and a time."""
    sources = sorted((REAL / "brats2023").rglob("*.nii.gz"))
    assert any(path.read_bytes()[3] & 8 for path in sources)
    ran = run("convert", REAL / "brats2023", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert ran.buckets["converted"] == len(sources) == 4
    written = sorted((tmp_path / "out").rglob("*.nii.gz"))
    assert len(written) == 4
    for path in written:
        assert path.read_bytes()[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
        image = nib.Nifti1Image.from_filename(path)
        assert image.shape == (240, 240, 155)
        assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
    assert {path.read_bytes()[10:] for path in written} == {_stream(path) for path in sources}
    assert run("verify", REAL / "brats2023", tmp_path / "out").code == 0


def _stream(path: Path) -> bytes:
    """Return what follows the gzip header: these have a name or nothing in it."""
    content = path.read_bytes()
    assert content[3] in {0, 8}
    return content[content.index(b"\0", 10) + 1 :] if content[3] & 8 else content[10:]
