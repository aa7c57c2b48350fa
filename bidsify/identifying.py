"""Texts that may identify a person: which keys of documents, and what traces in free text.

The keys are those that the confidentiality profile of DICOM removes or replaces, under the names
that converters give them, less what BIDS itself asks for (institution, station, serial number)
and what describes without identifying (sex, age, weight, time of day).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_IDENTIFYING = frozenset(
    {
        "PatientName", "PatientID", "PatientBirthDate", "PatientBirthTime", "PatientBirthName",
        "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers", "PatientComments",
        "PatientTelecomInformation", "PatientInsurancePlanCodeSequence",
        "PatientReligiousPreference", "PatientDoB", "DateOfBirth",
        "OtherPatientIDs", "OtherPatientNames", "IssuerOfPatientID", "MedicalRecordLocator",
        "MilitaryRank", "Occupation", "CountryOfResidence", "RegionOfResidence",
        "MRN", "MedicalRecordNumber", "PatientMRN", "PatientInitials", "SubjectName",
        "SubjectInitials", "ParticipantName", "SocialSecurityNumber", "PatientSSN", "SubjectDoB",
        "SubjectBirthDate", "BirthDate", "DoB",
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
_AGES = frozenset({"PatientAge", "Age", "SubjectAge", "ParticipantAge"})
#: The numbers of the same in JSON as DICOM has it.
_TAGS: Mapping[str, str] = {
    "00100010": "PatientName", "00100020": "PatientID", "00100021": "IssuerOfPatientID",
    "00100030": "PatientBirthDate", "00100032": "PatientBirthTime", "00101000": "OtherPatientIDs",
    "00101001": "OtherPatientNames", "00101005": "PatientBirthName", "00101010": "PatientAge",
    "00101040": "PatientAddress", "00101060": "PatientMotherBirthName", "00102180": "Occupation",
    "00101080": "MilitaryRank", "00101090": "MedicalRecordLocator",
    "00102150": "CountryOfResidence", "00102154": "PatientTelephoneNumbers",
    "00104000": "PatientComments",
    "00102297": "ResponsiblePerson", "00080090": "ReferringPhysicianName",
    "00080092": "ReferringPhysicianAddress", "00080094": "ReferringPhysicianTelephoneNumbers",
    "00081048": "PhysiciansOfRecord", "00081050": "PerformingPhysicianName",
    "00081060": "NameOfPhysiciansReadingStudy", "00081070": "OperatorsName",
    "00321032": "RequestingPhysician", "00080050": "AccessionNumber", "00380010": "AdmissionID",
    "00080018": "SOPInstanceUID", "0020000d": "StudyInstanceUID", "0020000e": "SeriesInstanceUID",
    "00020003": "MediaStorageSOPInstanceUID", "00080020": "StudyDate", "00080021": "SeriesDate",
    "00080022": "AcquisitionDate", "00080023": "ContentDate", "0008002a": "AcquisitionDateTime",
    "00080012": "InstanceCreationDate", "00400244": "PerformedProcedureStepStartDate",
}  # fmt: skip
_KEYWORDS: Mapping[str, str] = {
    **_TAGS, **{key.lower(): key for key in (*_IDENTIFYING, *_AGES)}
}  # fmt: skip
_FOLDED = re.compile(r"'s\b|[^a-z0-9]")
#: Above it an age tells who a person may be; BIDS wants it capped.
OLDEST = 89
_AGE = re.compile(
    r"([>≥]?=? ?)0*(\d{1,4}(?:[.,]\d*)?) ?(\+?) ?(?:y|yo|yrs?|years?)?(?: ?(\+|(?:and|or) (?:over|"
    r"older|above|more)))?\Z",
    re.IGNORECASE,
)
DEEPEST = 200  # objects and lists in one another
_LONGEST = 100  # letters of a key that may be one of these
_EMPTY = frozenset(
    {
        "", "n/a", "na", "nan", "none", "null", "unknown", "anonymous", "anonymized", "anonymised",
        "anon", "removed", "redacted", "deidentified", "de-identified", "phantom", "volunteer",
    }
)  # fmt: skip
_FILLING = re.compile(r"[\sxX0*#.:/\-]*\Z")
_SHIFTED = re.compile(r"1[0-8]\d\d|19[01]\d|192[0-4]")  # BIDS moves dates to before 1925
_LEVELS = "Levels"  # of a column: what is in there are its values
_OF_COLUMNS = frozenset({"Description", "LongName", _LEVELS, "Units", "TermURL"})

_YEAR, _MONTH, _DAY = r"(?:19[3-9]\d|20\d\d)", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# A version may hold a date (v1.0.20190902), and a time of day alone identifies nobody
# (TE=30;Time=153012.345): neither is taken for a trace of a person.
_TRACES: Mapping[str, re.Pattern[str]] = {
    "a name as in DICOM": re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}\^[^\W\d_]+"),
    "a date": re.compile(
        rf"(?<![\w.])(?:{_YEAR}{_MONTH}{_DAY}|{_YEAR}([-/.]){_MONTH}\1{_DAY}"
        rf"|{_DAY}[./]{_MONTH}[./]{_YEAR}|{_MONTH}/{_DAY}/{_YEAR}"
        rf"|\d{{1,2}}[- ](?:{_NAMES})[- ]{_YEAR})(?!\d)",
        re.IGNORECASE,
    ),
    "a user's folder": re.compile(r"(?:(?<![\w.~\-])/(?:home|Users)/|[A-Za-z]:\\Users\\)[\w.\-]+"),
    "a mail address": re.compile(r"(?<![\w.\-])[\w.\-]+@[\w\-]+\.\w+"),
    "a patient": re.compile(
        r"(?<![^\W_])(?:patient|pat|pt)[ _-]?(?:'?s)?[ _-]?(?:name|id)?[\"']?\s*[:=]\s*[\"']?\w"
        r"|\bdob\b|(?<![^\W_])mrn[ _:=#-]*\d|(?<![^\W_])patient[ _]?id[ _:=#-]*\d{5}",
        re.IGNORECASE,
    ),
}


def identifying_keys(document: Any, label: str = "") -> Iterator[str]:
    """Yield the keys of :func:`identifying_items`."""
    yield from (key for key, _ in identifying_items(document, label))


def identifying_items(document: Any, label: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the keys with a value that tells who a person is, and these values.

    Also those inside objects and lists, where some converters keep what DICOM said. ``label`` is
    that of the subject: the file name shows it anyway, so it is no secret.
    """
    if isinstance(document, list) and depth < DEEPEST:
        for each in document:
            yield from identifying_items(each, label, depth + 1)
    elif isinstance(document, Mapping) and depth < DEEPEST:
        for key, value in document.items():
            if is_identifying(key, value, label):
                yield key, value
            elif key != _LEVELS:
                yield from identifying_items(value, label, depth + 1)


def without_items(document: Any, label: str = "", depth: int = 0) -> Any:
    """Return a document without exactly what :func:`identifying_items` yields."""
    if isinstance(document, list) and depth < DEEPEST:
        return [without_items(each, label, depth + 1) for each in document]
    if isinstance(document, Mapping) and depth < DEEPEST:
        return {
            key: value if key == _LEVELS else without_items(value, label, depth + 1)
            for key, value in document.items()
            if not is_identifying(key, value, label)
        }
    return document


def is_identifying(key: str, value: Any, label: str = "") -> bool:
    """Say whether a key with this value tells who a person is, however the key is spelt."""
    keyword = _keyword(key)
    return bool(keyword) and not _is_column(value) and _is_telling(keyword, value, label)


def is_old(age: str) -> bool:
    """Say whether an age in years is above 89; "89+" and "90+", which stand for all, are not."""
    found = _AGE.match(age.strip())
    if found is None:
        return False
    is_capped = any((found[1].strip(), found[3], found[4]))
    return float(found[2].replace(",", ".")) > (OLDEST + 1 if is_capped else OLDEST)


@lru_cache(maxsize=4096)
def _keyword(key: str) -> str:
    """Return what DICOM calls a key such as ``patient_name`` or ``0010,0010``; empty for none."""
    if len(key) >= _LONGEST:
        return ""
    spelt = _FOLDED.sub("", key.lower())
    return _KEYWORDS.get(spelt) or _KEYWORDS.get(spelt.replace("patients", "patient", 1), "")


def _is_column(value: Any) -> bool:
    """Say whether an object explains a column of a table."""
    return isinstance(value, Mapping) and not _OF_COLUMNS.isdisjoint(value)


def _is_telling(keyword: str, value: Any, label: str) -> bool:
    return any(_is_telling_text(keyword, text, label) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    """Yield what a value says; DICOM has ``{"vr": "PN", "Value": [{"Alphabetic": "..."}]}``."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, Mapping):
            left += [inner for key, inner in each.items() if key != "vr"]
        elif isinstance(each, list):
            left += each
        elif not isinstance(each, bool) and each is not None:
            yield str(each).strip()


def _is_telling_text(keyword: str, text: str, label: str) -> bool:
    if text.lower() in _EMPTY or _FILLING.match(text):
        return False
    if keyword in _AGES:
        return is_old(text)
    if keyword in _DATES:
        return not _SHIFTED.match(text)
    return not label or text.lower().removeprefix("sub-") != label.lower()


@lru_cache(maxsize=4096)
def traces(text: str) -> tuple[str, ...]:
    """Return what a text looks as if it held, such as ``a date``."""
    return tuple(kind for kind, pattern in _TRACES.items() if pattern.search(text))
