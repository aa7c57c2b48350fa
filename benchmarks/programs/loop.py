"""The loop that people write to get a dataset into .nii.gz: nibabel, pydicom, Pillow, torch.

It keeps types and affines, and takes no detour by float64, unless told to: ``--float64`` reads with
``get_fdata()``, as many scripts do. ``--copy`` copies what is .nii.gz already without a look at it
and rewrites the labels alone, as the conversion scripts of nnU-Net do. Written from scratch; it
needs no bidsify.

    python loop.py DATASET SOURCE OUT [--jobs 1] [--float64] [--copy]
"""

from __future__ import annotations

import multiprocessing
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np

FLOAT64 = "--float64" in sys.argv
COPY = "--copy" in sys.argv
LABELS = ("_seg", "_Labels", "_gt", "_reader")
RELABELLED = {"BraTS": {1: 2, 2: 1, 4: 3}}  # by --copy: nnU-Net wants values without a gap


def nifti(path: Path, target: Path) -> None:
    """Load, relabel where that is needed, and save."""
    target.parent.mkdir(parents=True, exist_ok=True)
    is_label = any(word in path.name for word in LABELS)
    if COPY and not is_label and path.suffix == ".gz":
        shutil.copy(path, target)
        return
    image = nib.load(path)
    if FLOAT64:
        data = image.get_fdata().astype(image.get_data_dtype())
    else:
        data = np.asanyarray(image.dataobj)
    if is_label and data.dtype != np.uint8:
        data = np.rint(data).astype(np.uint8)
    if "tumor" in path.name:
        data = (data > 0).astype(np.uint8)
    if COPY and "_seg" in path.name:
        changed = np.zeros_like(data)
        for old, new in RELABELLED["BraTS"].items():
            changed[data == old] = new
        data = changed
    header = image.header.copy()
    header.set_data_dtype(data.dtype)
    nib.save(nib.Nifti1Image(data, image.affine, header), target)


def series(case: Path, target: Path) -> None:
    """Read slices and masks, sort them by position, stack and save."""
    import pydicom
    from PIL import Image

    target.mkdir(parents=True)
    masks = sorted((case / "Ground").glob("*.png"))
    files = [pydicom.dcmread(path) for path in sorted((case / "DICOM_anon").glob("*.dcm"))]
    pairs = sorted(
        zip(files, masks, strict=True), key=lambda pair: float(pair[0].ImagePositionPatient[2])
    )
    first, last = pairs[0][0], pairs[-1][0]
    slope, intercept = float(first.RescaleSlope), float(first.RescaleIntercept)
    stored = np.stack([one.pixel_array.T for one, _ in pairs], axis=-1)
    if FLOAT64:
        data = (stored * slope + intercept).astype(np.int16)
    else:
        data = stored.astype(np.int16) * np.int16(slope) + np.int16(intercept)
    labels = np.stack([np.asarray(Image.open(path)).T for _, path in pairs], axis=-1)
    step = (last.ImagePositionPatient[2] - first.ImagePositionPatient[2]) / (len(pairs) - 1)
    x, y, z = map(float, first.ImagePositionPatient)
    affine = np.diag([-float(first.PixelSpacing[1]), -float(first.PixelSpacing[0]), step, 1.0])
    affine[:3, 3] = -x, -y, z
    nib.save(nib.Nifti1Image(data, affine), target / "ct.nii.gz")
    nib.save(nib.Nifti1Image(labels.astype(np.uint8), affine), target / "mask.nii.gz")


def tensors(path: Path, target: Path) -> None:
    """Load a .pt with torch; save images, labels and masks, and the landmarks as text."""
    import torch

    torch.set_num_threads(1)
    folder = target.with_suffix("")
    folder.mkdir(parents=True)
    found = {key: value.numpy() for key, value in torch.load(path, weights_only=True).items()}
    for name in ("img", "img_corrected", "img_equalized", "label", "mask"):
        stored = found[name][0] if name == "label" else found[name]
        data = stored.transpose(2, 1, 0)[:, :, None] if stored.ndim == 3 else stored.T[:, :, None]
        if FLOAT64:
            data = data.astype(np.float64).astype(stored.dtype)
        nib.save(nib.Nifti1Image(data, np.eye(4)), folder / f"{name}.nii.gz")
    rows = np.concatenate([found[key].reshape(-1, 2) for key in ("bone", "disk", "shape")])
    np.savetxt(folder / "points.tsv", rows, fmt="%.9g", delimiter="\t")


def tasks(name: str, source: Path, out: Path) -> Iterator[Callable[[], None]]:
    """Yield what is to be done: a file each, for slices a case each."""
    if name == "chaos":
        for case in sorted((source / "Train_Sets" / "CT").iterdir()):
            yield partial(series, case, out / case.name)
    for path in sorted(source.rglob("*.nii*")):
        place = out / path.relative_to(source)
        yield partial(nifti, path, place.with_name(path.name.split(".")[0] + ".nii.gz"))
    for path in sorted(source.rglob("*.pt")):
        yield partial(tensors, path, out / path.relative_to(source))


def _call(task: Callable[[], None]) -> None:
    task()


if __name__ == "__main__":
    work = list(tasks(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
    if "--jobs" in sys.argv:
        with multiprocessing.Pool(int(sys.argv[sys.argv.index("--jobs") + 1])) as pool:
            pool.map(_call, work, chunksize=1)
    else:
        for task in work:
            task()
