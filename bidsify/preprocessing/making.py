"""What the files of a study hold, and how they are proved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .. import gz
from ..engine.jobs import Job, Made, Omitted
from ..engine.work import Bench
from ..errors import SourceError
from ..text_files import to_json
from ..volume import Array, Volume, to_nifti
from . import correspondence, itk, measures, proofs, quality, registration, sidecars, study, summary
from .jobs import Part, StudyJob, stem_of
from .options import Options
from .outputs import Output
from .transform_record import to_json as record_json
from .voxelmorph import Network

Content = bytes | Omitted


@dataclass(frozen=True, slots=True)
class Way:
    """What holds for all studies of a run."""

    options: Options
    network: Network | None = None


def make(job: Job, bench: Bench, *, way: Way) -> Made | Omitted:
    """Return the content of a file of a study.

    Raises:
        SourceError: The study cannot be processed; one sentence.
    """
    if not isinstance(job, StudyJob):
        msg = f"no study has a job of the kind {job.kind!r}"
        raise TypeError(msg)
    output = _output(job, bench, way)
    content = _PARTS[job.part](output, job)
    if isinstance(content, Omitted):
        return content
    notes = output.notes if job.part == "quality" else ()
    if job.target.endswith(".gz"):
        packed = gz.pack(content, reproducible=True)
        return Made(packed, hashlib.sha256(content).hexdigest(), notes)
    return Made(content, "", notes)


def prove(job: Job, bench: Bench, *, way: Way) -> Iterator[str]:
    """Say where an image does not hold what the transforms beside it say."""
    if isinstance(job, StudyJob) and job.part in {"image", "labels"}:
        known = bench.scratch  # read anew, once for all images of the study
        if "proof" not in known:
            known["proof"] = study.read(job.study, bench.reading)
        is_scaled = way.options.has("normalise")
        yield from proofs.faults(job, known["proof"], bench.root, is_scaled=is_scaled)


def _output(job: StudyJob, bench: Bench, way: Way) -> Output:
    """Register a study once for all its files; a failure is the same for each of them."""
    known = bench.scratch
    if "output" not in known:
        folder, _ = stem_of(job.study)
        try:
            stacks = study.read(job.study, bench.reading)
            found = registration.register(stacks, way.options, folder, way.network)
            known["output"] = Output(job.study, found, stacks, way.options)
        except SourceError as error:
            known["output"] = error
    output: Output | SourceError = known["output"]
    if isinstance(output, SourceError):
        raise SourceError(str(output))
    return output


def _matches(output: Output, _: StudyJob) -> bytes:
    return correspondence.to_tsv(output.registered.matches)


def _record(output: Output, job: StudyJob) -> bytes:
    return record_json(output.record(job.sequence)).encode()


def _field(output: Output, job: StudyJob) -> Content:
    record = output.record(job.sequence)
    if record.displacement_file is None:
        return Omitted(f"{job.sequence}: lies where its scanner put it")
    return itk.to_field(record)


def _affine(output: Output, job: StudyJob) -> bytes:
    return itk.to_text(output.record(job.sequence)).encode()


def _image(output: Output, job: StudyJob) -> bytes:
    return _volume(output.image(job.sequence), output, job.sequence)


def _labels(output: Output, job: StudyJob) -> Content:
    labels = output.labels(job.sequence)
    if labels is None:
        return Omitted(f"{job.sequence}: no labels")
    return _volume(labels, output, job.sequence)


def _volume(data: Array, output: Output, name: str) -> bytes:
    return to_nifti(Volume(np.asfortranarray(data), output.grid(name), in_mm=True))


def _image_sidecar(output: Output, job: StudyJob) -> bytes:
    return to_json(sidecars.image(output, job.sequence)).encode()


def _labels_sidecar(output: Output, job: StudyJob) -> bytes:
    return to_json(sidecars.labels(output, job.sequence)).encode()


def _quality(output: Output, _: StudyJob) -> bytes:
    return summary.to_tsv(measures.rows(output))


def _page(output: Output, _: StudyJob) -> bytes:
    return quality.to_html(measures.page(output))


_PARTS: Mapping[Part, Callable[[Output, StudyJob], Content]] = {
    "matches": _matches,
    "record": _record,
    "field": _field,
    "affine": _affine,
    "image": _image,
    "image sidecar": _image_sidecar,
    "labels": _labels,
    "labels sidecar": _labels_sidecar,
    "quality": _quality,
    "page": _page,
}
