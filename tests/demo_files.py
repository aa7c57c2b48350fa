"""What the synthetic sources of ``bidsify demo`` must hold, and how tests look into them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nibabel as nib
import numpy as np

#: How the scans of a case end: T1, T1ce, T2 and FLAIR, in older and in newer editions of BraTS.
OLD, NEW = ("_t1", "_t1ce", "_t2", "_flair"), ("-t1n", "-t1c", "-t2w", "-t2f")
#: The levels of the nerve roots of Lumbosacral.
LEVELS = ("L1", "L2", "L3", "L4", "L5", "S1", "S2")
#: The cases of Prostate158, below the folder of their split.
PROSTATES = ("train/020", "train/024", "train/025", "test/001")
#: Harvard: the planes of each person, of pairs with CT and with SPECT.
PAIRS = {
    "CT": {"2": (4, 5, 6, 9), "16": (3, 4, 5, 7), "21": (8, 10, 11), "41": (9, 10, 12)},
    "SPECT": {"4": (6, 7, 9), "21": (7, 8, 9, 10, 11, 13), "25": (12, 14, 15)},
}
#: Harvard: the planes of each direction of pairs with PET.
PLANES = {
    "25": [n for n in range(5, 27) if n not in {12, 13}],
    "30": [n for n in range(4, 24) if n != 9],
    "41": [n for n in range(3, 21) if n != 15],
}
_COHORTS = {
    "GLI": ("brats2023", "00000-000", "00000-001", "00017-001", "01733-000"),
    "PED": ("brats2023ped", "00002-000", "00007-000", "00011-000"),
    "SSA": ("brats2023ssa", "00002-000", "00007-000", "00126-000"),
    "MEN": ("brats2023men", "00000-000", "00004-000", "00012-000"),
    "MET": ("brats2023met", "00002-000", "00013-000", "00015-000"),
}
_W39 = "W39_1998.09.19_Segm.nii"


def files(folder: Path) -> dict[str, Path]:
    """All files below a folder by their path in it, sorted."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in found))


def array(path: Path) -> np.ndarray[Any, Any]:
    """The values of a NIfTI file, scaled as its header says."""
    return np.asanyarray(nib.load(path).dataobj)


def _brats_case(
    folder: str, name: str, ends: tuple[str, ...], seg: str, suffix: str = ".nii.gz"
) -> Iterator[str]:
    for end in (*ends, seg) if seg else ends:
        yield f"{folder}/{name}/{name}{end}{suffix}"


def _brats2019() -> Iterator[str]:
    root = "MICCAI_BraTS_2019_Data_Training"
    yield from (f"{root}/name_mapping.csv", f"{root}/survival_data.csv")
    yield from _brats_case(f"{root}/HGG", "BraTS19_CBICA_AAB_1", OLD, "_seg")
    for name in ("BraTS19_2013_0_1", "BraTS19_TCIA13_630_1"):
        yield from _brats_case(f"{root}/LGG", name, OLD, "_seg")
    yield from _brats_case("MICCAI_BraTS_2019_Data_Validation", "BraTS19_CBICA_AAM_1", OLD, "")


def _brats2020() -> Iterator[str]:
    training, validation = (
        f"BraTS2020_{split}Data/MICCAI_BraTS2020_{split}Data"
        for split in ("Training", "Validation")
    )
    yield from (f"{training}/name_mapping.csv", f"{training}/survival_info.csv")
    for name in ("BraTS20_Training_001", "BraTS20_Training_002"):
        yield from _brats_case(training, name, OLD, "_seg", ".nii")
    yield from _brats_case(training, "BraTS20_Training_355", OLD, "", ".nii")
    yield f"{training}/BraTS20_Training_355/{_W39}"
    yield f"{validation}/name_mapping_validation_data.csv"
    yield f"{validation}/survival_evaluation.csv"
    yield from _brats_case(validation, "BraTS20_Validation_001", OLD, "", ".nii")


def _brats2021() -> Iterator[str]:
    training, validation = (
        f"RSNA_ASNR_MICCAI_BraTS2021_{split}Data" for split in ("Training", "Validation")
    )
    for number in ("00000", "00002", "00495"):
        yield from _brats_case(training, f"BraTS2021_{number}", OLD, "_seg")
    yield from _brats_case(validation, "BraTS2021_00001", OLD, "")
    yield from (f"BraTS2021_00495{end}.nii.gz" for end in (*OLD, "_seg"))


def _brats2023(cohort: str) -> Iterator[str]:
    _, *training, validation = _COHORTS[cohort]
    root = f"ASNR-MICCAI-BraTS2023-{cohort}-Challenge-"
    for number in training:
        yield from _brats_case(f"{root}TrainingData", f"BraTS-{cohort}-{number}", NEW, "-seg")
    yield from _brats_case(f"{root}ValidationData", f"BraTS-{cohort}-{validation}", NEW, "")


def _brats2024() -> Iterator[str]:
    for name in ("BraTS-GLI-00005-100", "BraTS-GLI-00005-101", "BraTS-GLI-00006-101"):
        yield from _brats_case("training_data1_v2", name, NEW, "-seg")
    yield from _brats_case("validation_data", "BraTS-GLI-00021-100", NEW, "")


def _brats2024ped() -> Iterator[str]:
    for name in ("BraTS-PED-00001-000", "BraTS-PED-00003-000"):
        yield from _brats_case("BraTS-PEDs2024_Training", name, NEW, "-seg")
    yield from _brats_case("BraTS-PEDs2024_Validation", "BraTS-PED-00016-000", NEW, "")


def _brats2024menrt() -> Iterator[str]:
    for name in ("BraTS-MEN-RT-0402-1", "BraTS-MEN-RT-0017-1"):
        yield from _brats_case("BraTS-MEN-RT-Train-v2", name, ("_t1c",), "_gtv")
    yield from _brats_case("BraTS-MEN-RT-Val-v1", "BraTS-MEN-RT-0501-1", ("_t1c",), "")


def _prostate158() -> Iterator[str]:
    yield from (f"prostate158_{name}.csv" for name in ("train/train", "train/valid", "test/test"))
    for place in PROSTATES:
        root = f"prostate158_{place.split('/')[0]}/{place}"
        yield from (f"{root}/{name}.nii.gz" for name in ("t2", "adc", "dwi", "t2_anatomy_reader1"))
        if place == "train/020":
            yield f"{root}/empty.nii.gz"
            continue
        yield from (f"{root}/{image}_tumor_reader1.nii.gz" for image in ("t2", "adc"))
        if place != "train/025":
            yield f"{root}/adc_tumor_reader2.nii.gz"
        if place == "test/001":
            yield f"{root}/t2_anatomy_reader2.nii.gz"


def _myops2020() -> Iterator[str]:
    for case, name in itertools.product((101, 102, 103), ("C0", "DE", "T2")):
        yield f"train25/train25/myops_training_{case}_{name}.nii.gz"
    yield "train25/train25/myops_training_103_LGE.nii.gz"
    yield from (f"train25_myops_gd/myops_training_{n}_gd.nii.gz" for n in (101, 102, 103))
    yield from (f"test20/myops_test_201_{name}.nii.gz" for name in ("C0", "DE", "T2"))
    for name in ("readme.txt", "zhxCardMyoPSEvaluate"):
        yield f"MyoPS2020_EvaluateByYourself/{name}"
    yield "MyoPS2020_EvaluateByYourself/test_data_gd/myops_test_201_gdencrypt.nii.gz"


def _myopspp() -> Iterator[str]:
    for center, case, names in (
        ("A", "Case1001", ("LGE", "gd")),
        ("B", "Case2001", ("C0", "LGE", "T2", "gd")),
        ("B", "Case2002", ("C0", "LGE", "T2", "gd")),
        ("E", "Case5001", ("C0", "LGE", "gd")),
    ):
        for name in names:
            yield f"MyoPS_train/Center{center}/{case}/{case}_{name}.nii.gz"


def _harvard() -> Iterator[str]:
    for other, people in PAIRS.items():
        for case, numbers in people.items():
            for modality, number in itertools.product((other, "MRI"), numbers):
                yield f"{other}-MRI/{modality}/{case}{number:03d}.png"
    for prefix, numbers in PLANES.items():
        for modality, number in itertools.product(("PET", "MRI"), numbers):
            yield f"PET-MRI/{modality}/{prefix}{number:03d}.png"


def _crossmoda2021() -> Iterator[str]:
    for number, kind in itertools.product("12", ("ceT1", "Label")):
        yield f"crossmoda_training/source_training/crossmoda_{number}_{kind}.nii.gz"
    yield "crossmoda_training/target_training/crossmoda_106_hrT2.nii.gz"
    yield "crossmoda_validation/target_validation/crossmoda_211_hrT2.nii.gz"


def _crossmoda2022() -> Iterator[str]:
    root = "crossmoda2022_training"
    yield f"{root}/infos_source_training.csv"
    for case in ("crossmoda2021_ldn_1", "crossmoda2021_ldn_2", "crossmoda2022_etz_0"):
        yield from (f"{root}/training_source/{case}_{k}.nii.gz" for k in ("ceT1", "Label"))
    yield f"{root}/training_target/crossmoda2021_ldn_106_hrT2.nii.gz"
    yield f"{root}/training_target/crossmoda2022_etz_105_hrT2.nii.gz"
    yield "crossmoda2022_validation/crossmoda2022_etz_210_hrT2.nii.gz"


def _crossmoda2023() -> Iterator[str]:
    root = "crossmoda23_training"
    for case in ("etz_1", "ldn_1", "ukm_1"):
        for kind in ("ceT1", "Label"):
            yield f"{root}/TrainingSource/crossmoda2023_{case}_{kind}.nii.gz"
    yield f"{root}/TrainingTarget/crossmoda2023_etz_106_T2.nii.gz"
    yield f"{root}/TrainingTarget/crossmoda2023_ukm_60_T2.nii.gz"
    yield "crossmoda23_validation/crossmoda2023_ldn_211_T2.nii.gz"


def _vsseg() -> Iterator[str]:
    for number, (here, there) in itertools.product((1, 12, 47, 63), ("12", "21")):
        folder = f"vs_gk_{number}_t{here}"
        yield from (f"{folder}/IMG{i:010d}.dcm" for i in range(9 if here == "1" else 10))
        yield from (f"{folder}/{name}.dcm" for name in ("RTSS", "RTPLAN", "RTDOSE"))
        yield f"{folder}/contours.json"
        yield f"{folder}/inv_T{here}_LPS_to_T{there}_LPS.tfm"


def _vssegnifti() -> Iterator[str]:
    for number in (1, 12, 47, 63):
        yield f"vs_gk_{number}/vs_gk_t1_refT1.nii.gz"
        yield f"vs_gk_{number}/vs_gk_t2_ref{'T1' if number == 12 else 'T2'}.nii.gz"
    for what, ref in itertools.product(("struc1_TV", "struc2_Cochlea"), ("T1", "T2")):
        yield f"vs_gk_1/vs_gk_{what}_ref{ref}.nii.gz"
    yield "vs_gk_12/vs_gk_seg_refT1.nii.gz"
    for number, ref in itertools.product((47, 63), ("T1", "T2")):
        yield f"vs_gk_{number}/vs_gk_seg_ref{ref}.nii.gz"


def _myops380() -> Iterator[str]:
    for case in ("0001", "0002", "0006"):
        for sequence in ("bSSFP", "LGE", "T2w"):
            yield f"MyoPS380_dataset/Raw_data/{sequence}/case{case}.nii.gz"
        yield f"MyoPS380_dataset/Raw_data/label/case{case}_gt.nii.gz"


def _ssmspine() -> Iterator[str]:
    yield "SSMSpine_Train_Sample/p1/aug1.pt"
    yield "SSMSpine_Train_Sample/p1/aug2.pt"
    yield "SSMSpine_Test_Sample/p81/aug1.pt"


def _lumbosacral() -> Iterator[str]:
    yield from ("rawdata/participants.json", "rawdata/participants.tsv")
    for subject, dura in (("sub-01", "sub-01"), ("sub-14", "sub_14")):
        for sequence in ("CISS", "DESS", "T2TSE"):
            for extension in ("nii.gz", "json"):
                yield f"rawdata/{subject}/anat/{subject}_{sequence}.{extension}"
        for sequence, measure in itertools.product(("CISS", "T2TSE"), ("CNR", "SNR")):
            yield f"anatqc/{subject}/anat/{subject}_{sequence}_{measure}.csv"
        for part in ("Cord", "Dura", "Nerveroots"):
            yield f"model/{subject}/{subject}_{part}.stl"
        yield from (f"markers/{subject}/{subject}_cord_{i}.json" for i in range(1, 7))
        yield from (f"markers/{subject}/{dura}_dura_{i}.json" for i in range(1, 11))
        for kind, level, side in itertools.product(("ganglions", "nerveroots"), LEVELS, "LR"):
            yield f"markers/{subject}/{subject}_{kind}_{level}_{side}.json"


def _ivdm3seg() -> Iterator[str]:
    for case in ("01", "02", "16"):
        for name in ("fat", "inn", "opp", "wat"):
            yield from (f"Training/{case}/{case}_{name}.nii", f"dataset/{case}_{name}.nii")
        yield from (f"Training/{case}/{case}_Labels.nii", f"label/{case}_Labels.nii")


def _chaos() -> Iterator[str]:
    yield "Train_Sets/NOTES_PLEASE_READ.txt"
    for case, count in (("Train_Sets/CT/1", 11), ("Train_Sets/CT/2", 12), ("Test_Sets/CT/3", 9)):
        yield from (f"{case}/DICOM_anon/i{i:04d},0000b.dcm" for i in range(count))
        if case.startswith("Train"):
            yield from (f"{case}/Ground/liver_GT_{i:03d}.png" for i in range(count))
    for case, series, dual, spir in (("1", 4, 8, 7), ("39", 8, 7, 6)):
        root = f"Train_Sets/MR/{case}"
        for number in range(2, 2 * dual + 1, 2):
            stem, before = (f"IMG-{series:04d}-{n:05d}" for n in (number, number - 1))
            yield f"{root}/T1DUAL/DICOM_anon/InPhase/{stem}.dcm"
            yield f"{root}/T1DUAL/DICOM_anon/OutPhase/{before}.dcm"
            yield f"{root}/T1DUAL/Ground/{stem}.png"
        for number in range(1, spir + 1):
            yield f"{root}/T2SPIR/DICOM_anon/IMG-0002-{number:05d}.dcm"
            yield f"{root}/T2SPIR/Ground/IMG-0002-{number:05d}.png"


#: What each source holds: its files in the native layout, in any order.
LAYOUTS: Mapping[str, Callable[[], Iterator[str]]] = MappingProxyType(
    {
        "brats2019": _brats2019,
        "brats2020": _brats2020,
        "brats2021": _brats2021,
        "brats2024": _brats2024,
        "brats2024menrt": _brats2024menrt,
        "brats2024ped": _brats2024ped,
        "chaos": _chaos,
        "crossmoda2021": _crossmoda2021,
        "crossmoda2022": _crossmoda2022,
        "crossmoda2023": _crossmoda2023,
        "harvard": _harvard,
        "ivdm3seg": _ivdm3seg,
        "lumbosacral": _lumbosacral,
        "myops2020": _myops2020,
        "myops380": _myops380,
        "myopspp": _myopspp,
        "prostate158": _prostate158,
        "ssmspine": _ssmspine,
        "vsseg": _vsseg,
        "vssegnifti": _vssegnifti,
        **{edition: partial(_brats2023, cohort) for cohort, (edition, *_) in _COHORTS.items()},
    }
)
