"""Free text that programs write into headers by themselves: it names nobody.

What is allowed is stated, not what is forbidden: a name looks like any other word.
"""

from __future__ import annotations

import re

from ..identifying import traces

_HASH = r"g?[0-9a-f]{6,40}"
_VERSION = (
    r"v?\d{1,4}(?:\.\d{1,5}){0,4}"
    rf"(?:[-+.:_ ]?(?:rc|alpha|beta|dev|post|dirty|{_HASH}|\d{{1,5}})\d{{0,3}}){{0,5}}"
)
_NUMBER = r"[-+]?\d{1,7}(?:\.\d{1,9})?(?:e[-+]?\d{1,3})?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_PROGRAM = (
    r"(?:the )?(?:fsl|mrtrix3?|ants|itk|simpleitk|itk-snap|nibabel|nilearn|nipype|niftyreg"
    r"|niftyseg|freesurfer|afni|spm(?:2|5|8|12|25|99)?|dcm2niix?|mricron|mricrogl|mango|medpy"
    r"|elastix|transformix|c3d|convert3d|bidsify|monai|torchio|nnu-?net|totalsegmentator|matlab"
    r"|brainsuite|brainvoyager|camino|dsi studio|dipy|plastimatch|mevislab|mitk(?: workbench)?"
    r"|(?:3d ?)?slicer|blender|meshlab|meshmixer|mimics|3-matic|vtk|paraview|pyvista|trimesh"
    r"|numpy-stl|meshio|open3d|openscad|gmsh|cgal|vcg(?:lib)?|visualization toolkit|stlwrite"
    r"|solidworks|netfabb|libigl|pymeshlab|python|cifti(?:-2)?|connectome workbench)"
)
_WORDS = (
    "none image images volume mask masks binary label labels labelmap segmentation seg estimate "
    "vector displacement deformation field warp warped jacobian affine template atlas probability "
    "map tissue class bias corrected resampled resliced normalized normalised realigned smoothed "
    "registered coregistered mean sum algebra imcalc 3d 4d 2d mosaic file format stl ascii model "
    "mesh surface solid output brain bone head zmap tmap fmap zstat tstat fstat cope varcope copes "
    "correlation correl ttest ftest t-test f-test zscore z-score chi2 chisq beta binomial binom "
    "gamma poisson normal ncftest ncchisq logistic laplace uniform nctdist weibull chi invgauss "
    "extval pval p-value logpval log10pval t-statistic f-statistic statistic statistics residuals "
    "nifti nifti1 nifti2 nifti-1 nifti-2 single dual compatible anatomical functional bold dwi adc "
    "fa md mr mri ct pet t1 t2 t1w t2w flair magnitude phase real imaginary fieldmap "
    "synthetic phantom demo test cord dura nerveroots nerve roots spine sacrum vertebra vertebrae "
    "disc discs disk liver kidney spleen heart ventricle myocardium scar prostate tumor tumour "
    "skull skin left right"
)
_WORD = "|".join(re.escape(word) for word in _WORDS.split())
_CODE = r"(?:se|ir|gr|ep|rm|none)"  # scanning sequences of DICOM
_NUMBERS = rf"(?:t[eri]|fa|time|sec|phase|dwell|mb|pe|repetition|echo)={_NUMBER}"
_CIFTI = r"conn(?:dense|parcels|parceldense|denseparcel|pptseries|p{1,2}|unknown|traject)"
_WRITTEN = (
    r"(?:(?:binary |ascii )?(?:stl |file |solid )?(?:made|created|written|generated|saved|exported"
    rf"|export|converted|produced) (?:by|with|from|using) )?{_PROGRAM}(?:\.m|\.py)?"
    rf"(?:[ _-]?(?:version:? ?)?\(?{_VERSION}\)?)?(?: \(sub \d{{1,4}}\))?(?:[ _](?:output|export|"
    r"model|file|generated sla file|compatible))?\.?(?: space=(?:lps|ras))?"
)
_SCANNED = (
    rf"{_NUMBER}t (?:2d|3d) {_CODE}(?:[\\/_ ]{_CODE})* tr={_NUMBER}ms/te={_NUMBER}ms"
    rf"/fa={_NUMBER}deg(?:/so=\w{{1,4}})?"
)
_KNOWN = re.compile(
    "|".join(
        (
            rf"(?:(?:{_WORD})(?:[ _:/-]{{1,3}}|\Z))+",
            rf"(?:{_VERSION} )?nifti-?[12] (?:single|dual) file format",
            _WRITTEN,  # such as "FSL5.0", "Exported from Blender-2.82 (sub 7)"
            _SCANNED,  # SPM, of what DICOM said
            rf"[56]\.0\.\d{{1,2}}(?::{_HASH})?",  # FSL as well
            rf"freesurfer {_MONTH} {{1,2}}\d{{1,2}} \d{{4}}",
            r"freesurfer-(?:linux|darwin|macos)[\w.-]{0,50}",
            rf"numpy-stl \({_VERSION}\) \d{{4}}-\d\d-\d\d[ t]\d\d:\d\d:\d\d[.\d]*",
            rf"{_NUMBERS}(?:[;, /]{{1,2}}{_NUMBERS})*;?",
            r"conv\([\d., ]{1,30}\)|tissue class \d{1,2}",
            r"spm_spm:(?:beta|resultant analysis mask|resels per voxel|(?:standardised)?residuals)",
            r"spm_spm:residual sum-of-squares",
            r"spm\{[a-z]_?\[[\d.,]{1,20}\]\}|contrast \d{1,4}",
            r"(?:neuro|sym|gen)(?:name|names|matrix|matrices)|nifti_intent_\w{1,12}",
            rf"{_CIFTI}(?:s(?:eries|calar|r)|label|tsr|time)?",
            r"conn(?:dense|parcel)(?:series|scalar|label|sclr|srs|lbl)",
            r"red-yellow|blue-lightblue|gr[ae]yscale|render[123]t?|random-rainbow",
            rf"stlb(?: atf)?(?: {_VERSION})?|filetype: binary|opensc?ad_model",
            r"(?:segment|label|object|mesh|part|structure)[ _-]?\d{1,3}",
        )
    ),
    re.IGNORECASE,
)
#: Names of conditions stand in these.
_OPEN = re.compile(
    r"spm_spm:(?:beta|ess|con) ?\(\d{1,5}\) - .*|spm contrast - \d{1,4}: .*"
    r"|spm\{[a-z]_?\[[\d.,]{1,20}\]\} - contrast \d{1,4}: .*",
    re.IGNORECASE,
)
_LONGEST = 200  # of a header they have 80 letters at the most
_CUT = re.compile(r"\s*;\s*|\s+-\s+")


def is_of_program(text: str) -> bool:
    """Say whether a text is one that programs write, about themselves or about the image."""
    if len(text) > _LONGEST:
        return False
    text = " ".join(text.split())
    if _KNOWN.fullmatch(text) or (_OPEN.fullmatch(text) and not traces(text)):
        return True
    return all(not part or _KNOWN.fullmatch(part) for part in _CUT.split(text))
