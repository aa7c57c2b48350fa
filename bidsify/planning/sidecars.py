"""What the sidecar of a volume states, and what it is read from. Names only; nothing is opened."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..dataset import Dataset, Image, Masks, Product, Segmentation
from ..patterns import render
from .jobs import SidecarJob
from .view import Found, View

#: Pairs of an index and the names that drawn structures of it have.
Structures = tuple[tuple[int, tuple[str, ...]], ...]


def structures_of(product: Product) -> Structures:
    """Return the indices of drawn structures, with their names."""
    if isinstance(product, Segmentation | Masks):
        return tuple(product.structures.items())
    return ()


def has_own_sidecar(product: Product, dataset: Dataset) -> bool:
    """Say whether each file of a product has a sidecar beside it, not one at the root."""
    optional = isinstance(product, Masks) and (not product.regions or product.unless is not None)
    return optional or not dataset.shared_sidecars


def metadata_of(product: Product) -> str:
    """Return what a declaration states of each file; segmentations share it at the root."""
    metadata: Mapping[str, object] = product.sidecar
    if isinstance(product, Segmentation) and product.suffix == "dseg":
        metadata = {}
    if isinstance(product, Masks) and product.regions:
        metadata = {**metadata, "LabelMap": list(product.regions)}
    return json.dumps(metadata, sort_keys=True)


def sidecar_job(found: Found, metadata: str, view: View) -> SidecarJob:
    """Return the job of the sidecar of a volume."""
    product = found.product
    drawn_on: tuple[str, ...] = ()
    native: str | None = None
    dicom: str | None = None
    landmarks: tuple[tuple[str, str], ...] = ()
    structure_set: str | None = None
    if isinstance(product, Segmentation | Masks):
        images = (view.image(name) for name in product.of)
        drawn_on = tuple(image.target for image in images if image)
        structure_set = found.files[0] if product.reader == "rtstruct" else None
    if isinstance(product, Image) and product.reader == "pictures":
        metadata = _with_numbers(metadata, found)
    if isinstance(product, Image):
        served = view.serving.get(("native_json", product.name), ())
        native = next((path for path, _ in served), None)
        dicom = found.files[0] if product.reader == "dicom" else None
        landmarks = _landmarks(product, view)
    return SidecarJob(
        target=found.target.removesuffix(".nii.gz") + ".json",
        sources=tuple(p for p in (native, structure_set, *(path for _, path in landmarks)) if p),
        of=found.target,
        metadata=metadata,
        drawn_on=drawn_on,
        native_json=native,
        dicom=dicom,
        landmarks=landmarks,
        structure_set=structure_set,
        structures=structures_of(product) if isinstance(product, Segmentation) else (),
    )


def _with_numbers(metadata: str, found: Found) -> str:
    """Add the numbers of the slices in the source: stacks of pictures have gaps."""
    numbers = [int(fields["slice"] or 0) for fields in found.fields]
    return json.dumps({**json.loads(metadata), "SourceSliceNumbers": numbers}, sort_keys=True)


def _landmarks(image: Image, view: View) -> tuple[tuple[str, str], ...]:
    if image.landmarks is None:
        return ()
    served = view.serving.get(("landmarks", image.name), ())
    return tuple((render(image.landmarks.name, fields), path) for path, fields in served)
