"""From the products of one subject to its jobs. Names only; no file is opened here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..dataset import Dataset, Image, Masks, Points, Product, Segmentation, Volumetric
from ..engine.jobs import Job
from ..patterns import render
from .jobs import ArrayPart, CopyJob, Failure, PointsJob, Recode, SidecarJob, VolumeJob
from .pairing import Pairs, doubled, pair
from .view import Found, View, folder_of

#: Columns of each table of points in space, after those that the file name states.
#: x_mm, y_mm, z_mm are RAS+; i, j, k are fractional voxels of the image that they lie on.
SPACE_COLUMNS = ("point", "x_mm", "y_mm", "z_mm", "i", "j", "k", "source_file")
PLANE_COLUMNS = ("structure", "group", "point", "x", "y")


#: Pairs of a copy and the file that it must equal.
Twins = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the subjects share of a product; ``metadata`` is None where it has no sidecar."""

    place: int
    metadata: str | None
    array: ArrayPart | None
    recode: Recode | None


def prepare(dataset: Dataset) -> Mapping[int, Prepared]:
    """Prepare the products of a dataset, by their ``id``."""
    return {
        id(product): Prepared(
            place,
            _metadata(product) if _has_own_sidecar(product, dataset) else None,
            _array(product),
            _recode(product) if isinstance(product, Segmentation) else None,
        )
        for place, product in enumerate(dataset.products)
    }


def jobs_of(prepared: Mapping[int, Prepared], view: View) -> Iterator[Job | Failure]:
    """Make the jobs of a subject: images first, then what is drawn on them, then sidecars."""
    made = []
    order = sorted(view.found, key=lambda f: (prepared[id(f.product)].place, f.target))
    for found in order:
        shared = prepared[id(found.product)]
        job = _data_job(found, shared, view)
        yield job
        if shared.metadata is not None and isinstance(job, VolumeJob):
            made.append(_sidecar_job(found, shared.metadata, view))
    yield from made


def _data_job(found: Found, shared: Prepared, view: View) -> Job | Failure:
    twins = _twins(found)
    if isinstance(twins, Failure):
        return twins
    match found.product:
        case Volumetric() as product:
            return _volume_job(found, product, shared, twins, view)
        case Points() as points:
            return _points_job(found, points, twins, view)
        case _:
            return CopyJob(target=found.target, sources=found.files, twins=twins)


def _volume_job(
    found: Found, product: Volumetric, shared: Prepared, twins: Twins, view: View
) -> VolumeJob | Failure:
    placed = _placed(found, view)
    if isinstance(placed, Failure):
        return placed
    sources, grid, ranked = placed
    return VolumeJob(
        target=found.target,
        sources=sources,
        twins=twins,
        reader=product.reader,
        recode=shared.recode,
        grid=grid,
        ranked=ranked,
        array=shared.array,
        structures=_structures(product),
        plausible=product.plausible if isinstance(product, Image) else None,
    )


def _structures(product: Product) -> tuple[tuple[int, tuple[str, ...]], ...]:
    if isinstance(product, Segmentation | Masks):
        return tuple(product.structures.items())
    return ()


def _placed(found: Found, view: View) -> Pairs | Failure:
    """Return the files of a volume, and those of the series that gives the grid of drawings."""
    match found.product:
        case Segmentation(labels=labels) if not labels.is_stated:
            why = f"{found.files[0]}: what its values mean is not known for sure; state it with "
            return Failure(found.files, f"{why}--label-table FILE", found.target)
        case Segmentation(reader="png") as segmentation:
            return pair(found, segmentation, view)
        case Segmentation(reader="rtstruct") | Masks(reader="rtstruct") as drawn:
            image = view.image(drawn.of[0])
            if image is None:
                why = f"{found.files[0]}: structures without the DICOM series that they lie on"
                return Failure(found.files, f"{why}; add it", found.target)
            return found.files, image.files, ""
        case Image(reader="pictures"):
            return doubled(found) or (found.files, (), "")
    return found.files, (), ""


def _array(product: Product) -> ArrayPart | None:
    match product:
        case Image(key=key) | Segmentation(key=key) if key or product.orientation:
            return ArrayPart(key=key, orientation=product.orientation)
        case Masks(reader="tensors", unless=unless):
            return ArrayPart(
                key=product.key,
                orientation=product.orientation,
                channels=len(product.regions),
                unless=unless,
            )
        case _:
            return None


def _recode(product: Segmentation) -> Recode | None:
    if not product.labels.is_stated:
        return None
    return Recode(
        ranges=product.labels.ranges(product.coding),
        dtype=product.labels.dtype,
        may_be_empty=product.may_be_empty,
        suspects=product.suspects,
    )


def _twins(found: Found) -> Twins | Failure:
    """Pair each further copy with the file that it must equal."""
    if not found.twins:
        return ()
    for copy in found.twins:
        if len(copy) != len(found.files):
            message = (
                f"{folder_of(copy)}: {len(copy)} files, but {len(found.files)} in "
                f"{folder_of(found.files)}, and both become {found.target}; remove one of the two"
            )
            return Failure(
                (*found.files, *(p for c in found.twins for p in c)), message, found.target
            )
    return tuple(pair for copy in found.twins for pair in zip(copy, found.files, strict=True))


def _points_job(found: Found, product: Points, twins: Twins, view: View) -> PointsJob:
    if product.reader == "tensors":
        return PointsJob(
            target=found.target,
            sources=found.files,
            twins=twins,
            reader="tensors",
            columns=PLANE_COLUMNS,
            groups=tuple((group.key, group.structures) for group in product.groups),
        )
    grid = view.image(product.of)
    stated = tuple(
        tuple(column.of(fields) or "n/a" for column in product.columns.values())
        for fields in found.fields
    )
    return PointsJob(
        target=found.target,
        sources=found.files,
        twins=twins,
        reader="markups",
        columns=(*product.columns, *SPACE_COLUMNS),
        stated=stated,
        lies_on=grid.target if grid else None,
    )


def _has_own_sidecar(product: Product, dataset: Dataset) -> bool:
    optional = isinstance(product, Masks) and (not product.regions or product.unless is not None)
    return optional or not dataset.shared_sidecars


def _metadata(product: Product) -> str:
    """Return what a declaration states of each file; segmentations share it at the root."""
    metadata: Mapping[str, object] = product.sidecar
    if isinstance(product, Segmentation) and product.suffix == "dseg":
        metadata = {}
    if isinstance(product, Masks) and product.regions:
        metadata = {**metadata, "LabelMap": list(product.regions)}
    return json.dumps(metadata, sort_keys=True)


def _sidecar_job(found: Found, metadata: str, view: View) -> SidecarJob:
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
        structures=_structures(product) if isinstance(product, Segmentation) else (),
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
