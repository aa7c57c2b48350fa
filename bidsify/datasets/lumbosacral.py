"""Lumbosacral spine MRI: three sequences with contours of cord, dura, ganglia and nerve roots."""

from ..dataset import (
    Attachment,
    Column,
    Dataset,
    Ignored,
    Image,
    Landmarks,
    Naming,
    Points,
    SubjectTable,
    Terms,
)

SEQUENCES = {
    "CISS": ("CISS", "CISS", "Constructive interference in steady state, axial."),
    "DESS": ("DESS", "DESS", "Double echo steady state."),
    "T2TSE": ("TSE", "TSE", "T2-weighted turbo spin echo, composed of several stations."),
}
GANGLIA = "sub-{case}/sub{sep}{case}_ganglions_{segment}_{side}.json"
COLUMNS = {
    "structure": Column(description="Structure, from the file name.", value="{kind}"),
    "segment": Column(description="Spinal segment, from the file name.", value="{segment}"),
    "side": Column(
        description="Side of the patient, from the file name.",
        levels={"L": "left", "R": "right"},
        value="{side}",
    ),
    "contour": Column(
        description="Number of the contour in the file name; not a slice number.",
        value="{contour}",
    ),
}
POINTS_SIDECAR = {
    "Description": "Control points of 3D Slicer markups. Contours of cord and dura are closed "
    "curves, nerve roots are points along the root, each ganglion is a point.",
    "CoordinateSystem": "RAS+ in millimetres; the source states LPS",
}


def image(name: str) -> Image:
    """Return one of the three sequences."""
    acquisition, sequence, text = SEQUENCES[name]
    return Image(
        name=name,
        source=(f"sub-{{case}}/anat/sub-{{case}}_{name}.nii.gz",),
        native_json=f"sub-{{case}}/anat/sub-{{case}}_{name}.json",
        suffix="T2w",
        entities={"acquisition": acquisition},
        landmarks=Landmarks(source=GANGLIA, name="ganglion_{segment}_{side}")
        if name == "T2TSE"
        else None,
        sidecar={"SkullStripped": False, "PulseSequenceType": sequence, "Description": text},
    )


def points(kind: str, source: str) -> Points:
    """Return a table of points that lie on the CISS image."""
    return Points(
        source=(source.replace("{kind}", kind),),
        of="CISS",
        entities={"acquisition": "CISS", "label": kind},
        columns={
            **COLUMNS,
            "structure": Column(description="Structure, from the file name.", value=kind),
        },
        sidecar=POINTS_SIDECAR,
    )


def quality(sequence: str, measure: str) -> Attachment:
    """Return a table of image quality."""
    return Attachment(
        source=(f"sub-{{case}}/anat/sub-{{case}}_{sequence}_{measure}.csv",),
        suffix="qc",
        extension=".csv",
        entities={"acquisition": SEQUENCES[sequence][0], "description": measure},
    )


DATASET = Dataset(
    name="lumbosacral",
    title="Lumbosacral spine MRI",
    edition="2024",
    layout="""
rawdata/sub-01/anat/sub-01_CISS.nii.gz              -> sub-01/anat/sub-01_acq-CISS_T2w.nii.gz
rawdata/sub-01/anat/sub-01_DESS.nii.gz              -> sub-01/anat/sub-01_acq-DESS_T2w.nii.gz
rawdata/sub-01/anat/sub-01_T2TSE.nii.gz             -> sub-01/anat/sub-01_acq-TSE_T2w.nii.gz
markers/sub-01/sub-01_{cord,dura}_7.json
    -> sub-01/anat/sub-01_acq-CISS_label-{cord,dura}_points.tsv
markers/sub-01/sub-01_{ganglions,nerveroots}_L1_L.json
    -> sub-01/anat/sub-01_acq-CISS_label-{ganglions,nerveroots}_points.tsv
model/sub-01/sub-01_Cord.stl
    -> sub-01/anat/sub-01_acq-CISS_label-cord_mesh.stl
anatqc/sub-01/anat/sub-01_CISS_SNR.csv              -> sub-01/anat/sub-01_acq-CISS_desc-SNR_qc.csv
""",
    fields={
        "case": r"\d\d",
        "sep": "[-_]",
        "contour": r"\d+",
        "segment": "L[1-5]|S[12]",
        "side": "[LR]",
    },
    naming=Naming(subject="{case}", source_id="sub-{case}"),
    tables=(SubjectTable(source="participants.tsv", sidecar="participants.json"),),
    products=(
        *map(image, SEQUENCES),
        points("cord", "sub-{case}/sub{sep}{case}_{kind}_{contour}.json"),
        points("dura", "sub-{case}/sub{sep}{case}_{kind}_{contour}.json"),
        points("ganglions", GANGLIA),
        points("nerveroots", "sub-{case}/sub{sep}{case}_{kind}_{segment}_{side}.json"),
        *(
            Attachment(
                source=(f"sub-{{case}}/sub-{{case}}_{part}.stl",),
                suffix="mesh",
                extension=".stl",
                entities={"acquisition": "CISS", "label": part.lower()},
                sidecar={
                    "Description": "Surface made from the points by the authors; not measured.",
                    "CoordinateSystem": "LPS",
                    "Units": "mm",
                },
            )
            for part in ("Cord", "Dura", "Nerveroots")
        ),
        *(quality(seq, measure) for seq in ("CISS", "T2TSE") for measure in ("CNR", "SNR")),
    ),
    ignored=(
        Ignored(source="README", reason="text for human readers"),
        Ignored(source="dataset_description.json", reason="its facts are in the declaration"),
        Ignored(
            source="inter-annotators variability.xlsx", reason="a study, not data of a subject"
        ),
    ),
    bidsignore=("*_points.tsv", "points.json", "*_mesh.stl", "mesh.json", "*_qc.csv"),
    descriptions={
        "CNR": "Contrast-to-noise ratio of the image, as computed by the authors.",
        "SNR": "Signal-to-noise ratio of the image, as computed by the authors.",
    },
    subjects={"": 14},
    authors=("Liu J.", "Zhang W.", "Zhou Y.", "Xu L.", "Chu Y.-H.", "Jia F."),
    citation=(
        "Liu J., Zhang W., Zhou Y., Xu L., Chu Y.-H., Jia F., Scientific Data 11:1131 (2024), "
        "doi:10.1038/s41597-024-03919-4; data: doi:10.6084/m9.figshare.c.7372564"
    ),
    source_url="https://doi.org/10.6084/m9.figshare.c.7372564",
    source_doi="10.6084/m9.figshare.c.7372564",
    terms=Terms(
        licence="CC-BY-4.0",
        summary="Sharing and changing with attribution.",
        redistribution="allowed",
        evidence="records of the figshare collection",
    ),
    description_extra={
        "EthicsApprovals": ["FE23166I"],
        "GeneratedBy": [
            {"Name": "Manual", "Description": "Points set by the authors in 3D Slicer."}
        ],
    },
    traps=(
        "The number in a cord or dura file is a listing index, not a slice: see the column k.",
        "Labels inside the ganglion files are one level off; segment and side are from file names.",
        "Dura files of sub-14 are named sub_14.",
        "Ganglia were set on the TSE and DESS images; many lie outside of the CISS volume.",
        "Ages are published with the unit 'years'; BIDS says 'year'.",
    ),
)
