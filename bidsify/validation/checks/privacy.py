"""Texts that may identify a person: keys of sidecars, and text fields of NIfTI headers.

The keys are those that the confidentiality profile of DICOM removes or replaces, under the names
that converters give them, less what BIDS itself asks for (institution, station, serial number)
and what describes without identifying (sex, age, weight, time of day).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ..context import Context
from .labels import listed
from .registry import Fault, header_check, is_image, is_json

_IDENTIFYING = frozenset(
    {
        "PatientName", "PatientID", "PatientBirthDate", "PatientBirthTime", "PatientBirthName",
        "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers", "PatientComments",
        "PatientTelecomInformation", "PatientInsurancePlanCodeSequence",
        "PatientReligiousPreference",
        "OtherPatientIDs", "OtherPatientNames", "IssuerOfPatientID", "MedicalRecordLocator",
        "MilitaryRank", "Occupation", "CountryOfResidence", "RegionOfResidence",
        "ResponsiblePerson", "ResponsibleOrganization", "PersonName", "PersonAddress",
        "PersonTelephoneNumbers", "AdmissionID", "AccessionNumber", "CurrentPatientLocation",
        "ReferringPhysicianName", "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers",
        "ReferringPhysicianIdentificationSequence", "PerformingPhysicianName", "PhysiciansOfRecord",
        "PhysicianOfRecord", "NameOfPhysiciansReadingStudy", "RequestingPhysician",
        "ConsultingPhysicianName", "ScheduledPerformingPhysicianName", "OperatorsName",
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "MediaStorageSOPInstanceUID",
        "StudyDate", "SeriesDate", "AcquisitionDate", "AcquisitionDateTime", "ContentDate",
        "InstanceCreationDate", "PerformedProcedureStepStartDate", "PerformedProcedureStepEndDate",
        "ScheduledProcedureStepStartDate", "AdmittingDate", "LastMenstrualDate",
    }
)  # fmt: skip
_DATES = frozenset(key for key in _IDENTIFYING if "Date" in key)
_EMPTY = frozenset(
    {
        "", "n/a", "na", "nan", "none", "null", "unknown", "anonymous", "anonymized", "anonymised",
        "anon", "removed", "redacted", "deidentified", "de-identified", "phantom", "volunteer",
    }
)  # fmt: skip
_FILLING = re.compile(r"[\sxX0*#.:/\-]*\Z")
_SHIFTED = re.compile(r"1[0-8]\d\d|19[01]\d|192[0-4]")  # BIDS moves dates to before 1925
_OF_COLUMNS = frozenset({"Description", "LongName", "Levels", "Units", "TermURL"})

_YEAR, _MONTH, _DAY = r"(?:19[3-9]\d|20\d\d)", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# A version may hold a date (v1.0.20190902), and a time of day alone identifies nobody
# (TE=30;Time=153012.345): neither is taken for a trace of a person.
_TRACES: Mapping[str, re.Pattern[str]] = {
    "a name as in DICOM": re.compile(r"[^\W\d_]{2,}\^[^\W\d_]+"),
    "a date": re.compile(
        rf"(?<![\w.])(?:{_YEAR}{_MONTH}{_DAY}|{_YEAR}([-/.]){_MONTH}\1{_DAY}"
        rf"|{_DAY}[./]{_MONTH}[./]{_YEAR}|{_MONTH}/{_DAY}/{_YEAR}"
        rf"|\d{{1,2}}[- ](?:{_NAMES})[- ]{_YEAR})(?!\d)",
        re.IGNORECASE,
    ),
    "a user's folder": re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)[\w.\-]+"),
    "a mail address": re.compile(r"[\w.\-]+@[\w\-]+\.\w+"),
    "a patient": re.compile(
        r"(?:patient|pat|pt)[ _']?s?[ _]?(?:name|id)?\s*[:=]\s*\w|\bdob\b", re.IGNORECASE
    ),
}


@header_check("SIDECAR_IDENTIFYING_KEY", on=is_json)
def sidecars_identify_nobody(context: Context) -> Iterator[Fault]:
    """No sidecar has a key that identifies a person and a value that does."""
    label = context.entities.get("sub", "")
    if found := list(_identifying(context.json, label)):
        yield Fault(f"with a value: {', '.join(found)}", found[0])


@header_check("NIFTI_HEADER_TEXT", on=is_image)
def headers_identify_nobody(context: Context) -> Iterator[Fault]:
    """No text field of a header holds a name, a date or a user's folder."""
    if context.header is None:
        return
    for field, text in context.header.texts.items():
        if text and (traces := _traces(text)):
            yield Fault(f"{field} looks as if it held {traces}: {text!r}", field)


def _identifying(document: Mapping[str, Any], label: str) -> Iterator[str]:
    """Yield the keys, also those inside objects, where some converters keep what DICOM said."""
    for key, value in document.items():
        if key in _IDENTIFYING:
            if not isinstance(value, dict) and _is_telling(key, value, label):
                yield key
        elif type(value) is dict and _OF_COLUMNS.isdisjoint(value):
            yield from _identifying(value, label)


def _is_telling(key: str, value: Any, label: str) -> bool:
    if isinstance(value, list):
        return any(_is_telling(key, each, label) for each in value)
    if isinstance(value, bool) or value is None:
        return False
    text = str(value).strip()
    if text.lower() in _EMPTY or _FILLING.match(text):
        return False
    if key in _DATES:
        return not _SHIFTED.match(text)
    # The label that the file name shows anyway is no secret.
    return not label or text.lower().removeprefix("sub-") != label.lower()


@lru_cache(maxsize=4096)
def _traces(text: str) -> str:
    return listed([kind for kind, pattern in _TRACES.items() if pattern.search(text)])
