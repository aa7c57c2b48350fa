"""Registration by SimpleITK and elastix as their users write it, to set beside that of bidsify.

Each answers with the moving coordinates (2, N, N) of each pixel of the fixed slice.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from heart_slices import GRID, SIZE
from scipy import ndimage

from bidsify.preprocessing.stack import Pair
from bidsify.volume import Array

Method = Callable[[Pair], Array]
#: How far around the heart its mask reaches that the peers get, in pixels.
AROUND = 12


def methods() -> Iterator[tuple[str, Method | None]]:
    """Yield methods by name; None for those that are not installed."""
    if _has("SimpleITK"):
        for masked, seen in ((False, "images"), (True, "images around the heart")):
            yield f"SimpleITK affine MI, {seen}", _simpleitk("affine", masked=masked)
            yield f"SimpleITK affine + B-spline MI, {seen}", _simpleitk("bspline", masked=masked)
            if not masked:
                yield "SimpleITK affine MI + demons, images", _simpleitk("demons", masked=masked)
    else:
        yield "SimpleITK", None
    if _has("itk-elastix"):
        yield "elastix affine MI, images", _elastix("affine")
        yield "elastix affine + B-spline MI, images", _elastix("affine", "bspline")
    else:
        yield "elastix", None


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _points(displacement: Array) -> Array:
    """Return coordinates from displacements as ITK has them, (N, N, 2): j first."""
    found: Array = GRID + np.moveaxis(displacement[..., ::-1], -1, 0)
    return found


def _around(pair: Pair) -> Array | None:
    """Return a mask around the heart of the fixed slice, uint8."""
    if pair.fixed_masks is None:
        return None
    found: Array = ndimage.binary_dilation(pair.fixed_masks[1], iterations=AROUND).astype(np.uint8)
    return found


def _simpleitk(last: str, *, masked: bool) -> Method:
    """Return the affine method, with B-splines or demons after it where those come last."""
    import SimpleITK as sitk  # noqa: N813

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

    def method(pair: Pair) -> Array:
        fixed, moving = (
            sitk.GetImageFromArray(one.astype(np.float32)) for one in (pair.fixed, pair.moving)
        )
        around = _around(pair) if masked else None
        mask = None if around is None else sitk.GetImageFromArray(around)
        affine = sitk.CenteredTransformInitializer(
            fixed, moving, sitk.AffineTransform(2), sitk.CenteredTransformInitializerFilter.GEOMETRY
        )
        _simpleitk_fit(fixed, moving, affine, mask)
        then: Any = sitk.Transform(2, sitk.sitkIdentity)
        if last != "affine":
            moving = sitk.Resample(moving, fixed, affine, sitk.sitkLinear, 0.0)
        if last == "bspline":
            then = sitk.BSplineTransformInitializer(fixed, [8, 8])
            _simpleitk_fit(fixed, moving, then, mask)
        elif last == "demons":
            demons = sitk.DiffeomorphicDemonsRegistrationFilter()
            demons.SetNumberOfIterations(60)
            demons.SetStandardDeviations(2.0)
            field = demons.Execute(fixed, sitk.HistogramMatching(moving, fixed, 128, 10))
            then = sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))
        whole = sitk.CompositeTransform([affine, then])
        size = ((SIZE, SIZE), (0.0, 0.0), (1.0, 1.0), (1.0, 0.0, 0.0, 1.0))
        field = sitk.TransformToDisplacementField(whole, sitk.sitkVectorFloat64, *size)
        return _points(sitk.GetArrayFromImage(field))

    return method


def _simpleitk_fit(fixed: Any, moving: Any, transform: Any, mask: Any) -> None:
    """Fit a transform in place by mutual information, coarse to fine."""
    import SimpleITK as sitk  # noqa: N813

    way = sitk.ImageRegistrationMethod()
    way.SetMetricAsMattesMutualInformation(32)
    if mask is not None:
        way.SetMetricFixedMask(mask)
    way.SetInterpolator(sitk.sitkLinear)
    if isinstance(transform, sitk.BSplineTransform):
        way.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-5, numberOfIterations=40)
        levels = ([2, 1], [1, 0])
    else:
        way.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100)
        way.SetOptimizerScalesFromPhysicalShift()
        levels = ([4, 2, 1], [2, 1, 0])
    way.SetShrinkFactorsPerLevel(levels[0])
    way.SetSmoothingSigmasPerLevel(levels[1])
    way.SetInitialTransform(transform, inPlace=True)
    way.Execute(fixed, moving)


def _elastix(*kinds: str) -> Method:
    """Return elastix with its own parameters of these transforms, one after the other."""
    import itk

    def method(pair: Pair) -> Array:
        fixed, moving = (
            itk.image_from_array(one.astype(np.float32)) for one in (pair.fixed, pair.moving)
        )
        parameters = itk.ParameterObject.New()
        for kind in kinds:
            parameters.AddParameterMap(parameters.GetDefaultParameterMap(kind, 3))
        _, found = itk.elastix_registration_method(
            fixed, moving, parameter_object=parameters, number_of_threads=1, log_to_console=False
        )
        with tempfile.TemporaryDirectory() as folder:  # it writes its field to a file, too
            field = itk.transformix_deformation_field(fixed, found, output_directory=folder)
            return _points(itk.array_from_image(field))

    return method
