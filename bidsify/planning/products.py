"""From the products of one subject to its jobs. Names only; no file is opened here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..dataset import Dataset, Image, Masks, Points, Product, Segmentation, Volumetric
from ..engine.jobs import Job
from .jobs import ArrayPart, CopyJob, Failure, PointsJob, Recode, VolumeJob
from .pairing import Pairs, doubled, pair
from .sidecars import Structures, has_own_sidecar, metadata_of, sidecar_job, structures_of
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
    structures: Structures
    plausible: tuple[float, float] | None


def prepare(dataset: Dataset) -> Mapping[int, Prepared]:
    """Prepare the products of a dataset, by their ``id``."""
    return {
        id(product): Prepared(
            place,
            metadata_of(product) if has_own_sidecar(product, dataset) else None,
            _array(product),
            _recode(product) if isinstance(product, Segmentation) else None,
            structures_of(product),
            product.plausible if isinstance(product, Image) else None,
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
            made.append(sidecar_job(found, shared.metadata, view))
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
        structures=shared.structures,
        plausible=shared.plausible,
    )


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
