"""What sidecars are made to say: bad values and clashing keys, most made for one rule."""

from __future__ import annotations

from collections.abc import Mapping

from mutating.documents import GONE

# The suffix of the files, and what their sidecar shall say.
SET: tuple[tuple[str, Mapping[str, object]], ...] = (
    *(("bold", {"RepetitionTime": value}) for value in (0, -1, "2", 200, 2.0004, 1.9, GONE, [2])),
    *(("bold", {"SliceTiming": value}) for value in ([0, 99], [0, 1, "a"], [], 1, [0.0] * 2)),
    ("bold", {"RepetitionTime": GONE, "VolumeTiming": [0, 2, 1]}),
    ("bold", {"RepetitionTime": GONE, "VolumeTiming": [0, 1, 2], "DelayTime": 1}),
    ("bold", {"RepetitionTime": GONE, "VolumeTiming": [0, 1, 2], "SliceTiming": GONE}),
    ("bold", {"RepetitionTime": GONE, "VolumeTiming": [0, 1, 2], "AcquisitionDuration": 1}),
    ("bold", {"VolumeTiming": [0, 1, 2]}),
    ("bold", {"FrameAcquisitionDuration": 1}),
    *(("bold", {"TaskName": value}) for value in (GONE, "other", 1, "")),
    *(("bold", {"PhaseEncodingDirection": value}) for value in ("x", "j-", "J", "-j", 1)),
    *(("bold", {"SliceEncodingDirection": value}) for value in ("i", "j", "k-", "z")),
    ("bold", {"EffectiveEchoSpacing": 3, "PhaseEncodingDirection": "j", "RepetitionTime": 2}),
    ("bold", {"EffectiveEchoSpacing": 0.5, "TotalReadoutTime": 0.1}),
    ("bold", {"TotalReadoutTime": 20, "EffectiveEchoSpacing": 0.0005}),
    *(("bold", {"EchoTime": value}) for value in (30, 0, -1, [0.1, 0.2], [2, 3], "0.03")),
    *(("bold", {"MagneticFieldStrength": value}) for value in ("3T", -3, 0, [3])),
    *(("bold", {"FlipAngle": value}) for value in (0, 360, 361, -5, [90, 400])),
    *(("bold", {"B0FieldSource": value}) for value in ("pepolar", 1, ["a", "b"], "a b")),
    ("bold", {"CogAtlasID": "not a uri", "CogPOID": "http://ok.org"}),
    ("bold", {"NumberOfVolumesDiscardedByScanner": -1, "NumberOfVolumesDiscardedByUser": 1.5}),
    ("T1w", {"EchoTime": 5, "RepetitionTime": 200}),
    ("T1w", {"MRAcquisitionType": "4D", "ScanningSequence": 1, "PartialFourier": 2}),
    ("T1w", {"InversionTime": 0, "NumberShots": -1, "SpoilingState": "yes"}),
    ("T1w", {"InstitutionName": 5, "DeviceSerialNumber": 123, "SoftwareVersions": 1.5}),
    ("T1w", {"DeidentificationMethod": "text", "DeidentificationMethodCodeSequence": [{}]}),
    ("T1w", {"ContrastBolusIngredient": "IODINE", "CoilCombinationMethod": []}),
    ("T1w", {"ReceiveCoilActiveElements": ["a", 1], "MatrixCoilMode": None}),
    ("T1w", {"NonlinearGradientCorrection": "false", "ParallelReductionFactorInPlane": "2"}),
    ("T1w", {"SkullStripped": "yes"}),
    ("T1w", {"SkullStripped": GONE, "SpatialReference": 1, "Resolution": 1}),
    ("T2w", {"IntendedFor": ["bids::no/such.nii.gz"], "SkullStripped": GONE}),
    *(
        ("phasediff", {"EchoTime1": one, "EchoTime2": two})
        for one, two in ((0.005, 0.004), (0.005, 0.5), (GONE, 0.007), ("a", "b"), (0.005, 0.005))
    ),
    *(
        (suffix, {"IntendedFor": value})
        for suffix in ("phasediff", "epi", "fieldmap", "m0scan")
        for value in (
            "func/none.nii.gz",
            ["ses-1/func/none.nii.gz", "bids::none.nii.gz"],
            "bids::dataset_description.json",
            "bids:raw:none",
            "/absolute/path",
            "./func",
            5,
            [],
        )
    ),
    *(("epi", {"PhaseEncodingDirection": value}) for value in (GONE, "i", "k-", "AP")),
    ("epi", {"TotalReadoutTime": GONE, "EffectiveEchoSpacing": GONE}),
    ("epi", {"TotalReadoutTime": 0, "EffectiveEchoSpacing": GONE}),
    ("epi", {"B0FieldIdentifier": GONE, "IntendedFor": GONE}),
    *(("fieldmap", {"Units": value}) for value in (GONE, "hz", "rad/s", 1)),
    *(("dwi", {key: value}) for key in ("BigDelta", "SmallDelta") for value in ([1, 2], 1, "a")),
    ("dwi", {"PhaseEncodingDirection": GONE, "TotalReadoutTime": GONE}),
    ("dwi", {"MultipartID": 5, "EchoTime": 2}),
    *(("asl", {key: [1.0, 2.0]}) for key in ("FlipAngle", "PostLabelingDelay", "LabelingDuration")),
    *(("asl", {key: [1.0, 2.0]}) for key in ("RepetitionTimePreparation", "EchoTime")),
    *(("asl", {key: 20}) for key in ("PostLabelingDelay", "LabelingDuration", "EchoTime")),
    *(("asl", {key: GONE}) for key in ("PostLabelingDelay", "M0Type", "ArterialSpinLabelingType")),
    *(("asl", {key: GONE}) for key in ("BackgroundSuppression", "MRAcquisitionType")),
    *(("asl", {"M0Type": value}) for value in ("absent", "separate", "estimate", "included", "no")),
    *(("asl", {"ArterialSpinLabelingType": value}) for value in ("CASL", "PCASL", "PASL", "x")),
    ("asl", {"BolusCutOffFlag": True, "BolusCutOffDelayTime": GONE}),
    ("asl", {"BolusCutOffFlag": True, "BolusCutOffDelayTime": [3, 2, 20]}),
    ("asl", {"BackgroundSuppressionNumberPulses": 5, "BackgroundSuppressionPulseTime": [1, 2]}),
    ("asl", {"TotalAcquiredPairs": 7}),
    ("asl", {"LookLocker": True, "FlipAngle": GONE}),
    ("asl", {"VascularCrushing": True, "VascularCrushingVENC": GONE}),
    *(
        ("eeg", {key: value})
        for key in ("EEGChannelCount", "EOGChannelCount")
        for value in (999, -1)
    ),
    *(("eeg", {key: 999}) for key in ("ECGChannelCount", "EMGChannelCount", "MiscChannelCount")),
    *(("eeg", {"TriggerChannelCount": value}) for value in (999, "1", 0)),
    *(("eeg", {"SamplingFrequency": value}) for value in (GONE, 0, "1000")),
    *(("eeg", {"SoftwareFilters": value}) for value in (GONE, "none", "n/a", {}, {"a": "b"})),
    *(("eeg", {"PowerLineFrequency": value}) for value in (GONE, "n/a", "50", -50)),
    *(("eeg", {"RecordingType": value}) for value in ("Epoched", "epoched", GONE)),
    *(("eeg", {"EEGReference": value}) for value in (GONE, 1)),
    ("ieeg", {"iEEGReference": GONE, "SamplingFrequency": GONE, "PowerLineFrequency": "x"}),
    ("ieeg", {"ElectricalStimulation": "no", "ECOGChannelCount": -1}),
    *(("meg", {key: GONE}) for key in ("DewarPosition", "DigitizedLandmarks", "SoftwareFilters")),
    *(("meg", {"AssociatedEmptyRoom": value}) for value in ("none", ["bids::none"], 1)),
    ("meg", {"ContinuousHeadLocalization": "yes", "MEGChannelCount": 1.5}),
    ("emg", {"EMGChannelCount": 999, "EMGPlacementScheme": GONE, "EMGReference": GONE}),
    *(
        ("nirs", {key: 999})
        for key in ("NIRSChannelCount", "ACCELChannelCount", "ShortChannelCount")
    ),
    *(("nirs", {"SamplingFrequency": value}) for value in ("n/a", GONE, -1)),
    *(("motion", {key: GONE}) for key in ("TrackingSystemName", "SamplingFrequency", "TaskName")),
    ("motion", {"MotionChannelCount": -1, "SpatialAxes": "XYZ", "MissingValues": 1}),
    *(
        ("pet", {key: [0, 1]})
        for key in ("FrameDuration", "FrameTimesStart", "DecayCorrectionFactor")
    ),
    *(("pet", {key: GONE}) for key in ("TracerName", "InjectedMass", "ScanStart", "TimeZero")),
    *(
        ("pet", {"TimeZero": value})
        for value in ("10:00", "25:00:00", 1, "10:00:00.5", "scan start")
    ),
    *(("pet", {"Units": value}) for value in ("unit", 1, GONE)),
    ("pet", {"ModeOfAdministration": "infusion", "InfusionSpeed": GONE}),
    *(("blood", {key: GONE}) for key in ("PlasmaAvail", "MetaboliteAvail", "WithdrawalRate")),
    ("blood", {"PlasmaAvail": False, "MetaboliteAvail": "yes"}),
    *(
        ("SEM", {key: value})
        for key in ("PixelSize", "PixelSizeUnits")
        for value in (GONE, [1], "x")
    ),
    *(("SPIM", {key: GONE}) for key in ("PixelSize", "PixelSizeUnits")),
    ("SPIM", {"PixelSize": [1, 1, 1], "PixelSizeUnits": "um", "Immersion": 1}),
    ("SPIM", {"ChunkTransformationMatrix": [[1, 2], [3]], "ChunkTransformationMatrixAxis": GONE}),
    *(
        ("svs", {key: GONE})
        for key in ("ResonantNucleus", "SpectrometerFrequency", "SpectralWidth")
    ),
    *(("svs", {"ResonantNucleus": value}) for value in ("H1", "1H", ["31P"], 1)),
    ("mrsi", {"MatrixSize": [9, 9, 9]}),
    ("MP2RAGE", {"InversionTime": GONE, "FlipAngle": GONE}),
    ("MESE", {"EchoTime": GONE}),
    *(("physio", {key: GONE}) for key in ("Columns", "SamplingFrequency", "StartTime")),
    *(("physio", {"Columns": value}) for value in (["a"], "a", [1, 2], ["cardiac"] * 3)),
    ("physio", {"PhysioType": "eyetrack", "SampleCoordinateSystem": "gaze-on-screen"}),
    ("physio", {"PhysioType": "eyetrack", "pupil_size": {"Description": "big"}}),
    ("physio", {"PhysioType": "other", "RecordedEye": "both"}),
    ("physioevents", {"OnsetSource": "nothing", "Columns": ["x"]}),
    ("physioevents", {"OnsetSource": "timestamp"}),
    *(
        ("events", {"StimulusPresentation": value})
        for value in (GONE, {}, {"ScreenDistance": "n/a"}, {"ScreenSize": [1], "ScreenOrigin": 1})
    ),
    *(("coordsystem", {key: GONE}) for key in ("EEGCoordinateSystem", "EEGCoordinateUnits")),
    *(("coordsystem", {key: "foo"}) for key in ("EEGCoordinateSystem", "iEEGCoordinateSystem")),
    *(("coordsystem", {key: GONE}) for key in ("iEEGCoordinateUnits", "MEGCoordinateSystem")),
    *(("coordsystem", {key: GONE}) for key in ("NIRSCoordinateSystem", "EMGCoordinateSystem")),
    ("coordsystem", {"iEEGCoordinateSystem": "Other", "NIRSCoordinateSystem": "Other"}),
    ("coordsystem", {"ParentCoordinateSystem": "none", "IntendedFor": "none.nii.gz"}),
    ("coordsystem", {"IntendedFor": ["none.nii.gz", "bids::none"], "FiducialsCoordinates": []}),
    *(("dseg", {"Resolution": value}) for value in (GONE, {}, {"9": "x"}, "1 mm", 1)),
    *(("dseg", {"SpatialReference": value}) for value in (GONE, "none.nii.gz", 1, {"a": 1})),
    *(("mask", {"Type": value}) for value in (GONE, "Brain", "brain", 1)),
    *(("mask", {"Resolution": value}) for value in (GONE, {}, {"2": "two"})),
    *(("mask", {"Sources": value}) for value in ("none", ["bids::none"], ["bids:raw:a"], [])),
    ("mask", {"RawSources": ["none"], "SpatialReference": GONE}),
    ("dseg", {"Density": {}, "Manual": "yes", "Atlas": 1}),
    *(("description", {key: GONE}) for key in ("Name", "License", "BIDSVersion", "Authors")),
    ("description", {"Species": 1, "SampleSize": "many", "Curators": "A"}),
)
DEFINED: tuple[tuple[str, str, object], ...] = (
    *(
        ("events", "trial_type", value)
        for value in ({"Levels": ["a"]}, {"Levels": {"x": "y"}}, "text")
    ),
    ("events", "onset", {"Units": "ms", "Description": "when"}),
    ("events", "onset", {"Format": "string"}),
    ("events", "duration", {"Units": "minutes", "Maximum": 0.1}),
    ("events", "response_time", {"Levels": {"1": "one"}, "Format": "integer"}),
    ("events", "trial_type", {"Delimiter": "|", "Levels": {}}),
    ("events", "trial_type", {"HED": {"x": "Sensory-event"}}),
    *(
        ("participants", "age", {"Units": value})
        for value in ("years", "year", "fortnights", 1, [])
    ),
    ("participants", "age", {"Maximum": 10, "Minimum": 5}),
    ("participants", "age", {"Format": "bool"}),
    ("participants", "age", {"Format": "foo"}),
    ("participants", "age", {"Levels": {"1": "young"}}),
    ("participants", "sex", {"Levels": {"X": "unknown"}}),
    ("participants", "sex", {"Levels": {"M": "male", "F": "female"}}),
    ("participants", "sex", {"Levels": []}),
    ("participants", "sex", {"Levels": "M, F"}),
    ("participants", "participant_id", {"Format": "integer"}),
    ("participants", "group", {"Levels": {"nothing": {"Description": "x", "TermURL": "no"}}}),
    ("participants", "never_there", {"Description": "no such column"}),
    ("channels", "type", {"Levels": {"EEG": "x"}}),
    ("channels", "units", {"Levels": {"mV": "x"}}),
    ("ace", "ace_q1", {"Levels": {"9": "x"}}),
    ("dseg", "index", {"Minimum": 5000}),
    ("scans", "acq_time", {"Format": "date"}),
)
# Files that no example has: where in a subject, what the image is like, and its sidecar.
ADDED: tuple[tuple[str, tuple[int, ...], dict[str, object]], ...] = (
    ("anat/{}_PDT2.nii.gz", (2, 2, 2), {"EchoTime": [0.01, 0.08]}),
    ("anat/{}_PDT2.nii.gz", (2, 2, 2, 2), {"EchoTime": [0.01, 0.08]}),
    ("anat/{}_PDT2.nii.gz", (2, 2, 2, 2), {"EchoTime": [0.01]}),
    ("func/{}_task-new_phase.nii.gz", (2, 2, 2, 3), {"TaskName": "new", "RepetitionTime": 1}),
    ("func/{}_task-new_part-phase_bold.nii.gz", (2, 2, 2, 9), {"Units": "m", "RepetitionTime": 1}),
    ("func/{}_task-new_part-phase_bold.nii.gz", (2, 2, 2, 9), {"Units": "rad", "TaskName": "new"}),
    ("fmap/{}_dir-AP_epi.nii.gz", (2, 2, 2), {"PhaseEncodingDirection": "i"}),
    ("fmap/{}_fieldmap.nii.gz", (2, 2, 2), {"Units": "Hz"}),
    ("fmap/{}_phasediff.nii.gz", (2, 2, 2), {"EchoTime1": 0.005}),
    ("fmap/{}_TB1EPI.nii.gz", (2, 2, 2), {}),
    ("dwi/{}_dwi.nii.gz", (2, 2, 2, 3), {"MultipartID": "a", "BigDelta": [1, 2]}),
    ("anat/{}_flip-1_mt-on_MPM.nii.gz", (2, 2, 2), {"MTState": False}),
    ("anat/{}_ce-gadolinium_T1w.nii.gz", (2, 2, 2), {}),
    ("anat/{}_T2star.nii.gz", (2, 2, 2), {}),
    ("anat/{}_FLASH.nii.gz", (2, 2, 2), {}),
    ("anat/{}_UNIT1.nii.gz", (2, 2, 2), {}),
    ("pet/{}_pet.nii.gz", (2, 2, 2, 3), {"FrameDuration": [1, 2], "FrameTimesStart": [0]}),
)
