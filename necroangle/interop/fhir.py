"""A reading as a FHIR R5 bundle: the resources of an IHE Interactive Multimedia Report (IMR).

A diagnostic report with the observations, the slices that were read with their regions (imaging
selections), and the report pages as attachments. The patient is a pseudonym: the bundle is for a
study, not for the hospital's record.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from msgspec import UnsetType

from necroangle.annotation import HipReading, ReadView
from necroangle.interop.codes import column_code, column_value
from necroangle.measurement import HipMeasurement
from necroangle.measurement.row import CohortRow, to_row
from necroangle.terms import Laterality

SYSTEM = "urn:necroangle:columns"
"""Code system of the columns of the cohort table and of their words."""

_SNOMED, _UCUM = "http://snomed.info/sct", "http://unitsofmeasure.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_NUMBERS = ("a_deg", "b_deg", "cna_deg")
_WORDS = ("ha_grade", "ha_risk", "kerboul")
_SIDES = {Laterality.LEFT: "left", Laterality.RIGHT: "right"}
Json = dict[str, Any]


def bundle_of(
    reading: HipReading,
    measurement: HipMeasurement,
    sha256: str,
    pages: tuple[tuple[str, bytes], ...] = (),
) -> Json:
    """The transaction bundle of a reading.

    Parameters
    ----------
    reading
        The reading; its identifiers leave as they are.
    measurement
        Of this reading.
    sha256
        SHA-256 of the reading file.
    pages
        The report as pages: content type (``text/html``, ``application/pdf``) and bytes.

    Returns
    -------
    dict
        JSON content: Patient, ImagingSelection of each slice, Observation of each number and
        grade, DiagnosticReport. The same reading gives the same bundle.
    """
    row = to_row(reading, measurement, sha256)
    patient = _entry(sha256, "Patient", {"identifier": [{"value": reading.subject}]})
    selections = [
        _entry(sha256, "ImagingSelection", _selection(view, patient["fullUrl"]), letter)
        for letter, view in zip("ab", reading.views, strict=True)
        if isinstance(view, ReadView)
    ]
    found = [
        _entry(sha256, "Observation", one, name)
        for name, one in _observations(row, reading, patient["fullUrl"])
    ]
    report = {
        "status": "final" if reading.conduct.submitted else "preliminary",
        "code": {"text": "Combined necrotic angle of the femoral head"},
        "subject": {"reference": patient["fullUrl"]},
        "result": [{"reference": one["fullUrl"]} for one in found],
        "media": [],
        "presentedForm": [
            {"contentType": kind, "data": base64.b64encode(raw).decode()} for kind, raw in pages
        ],
        "conclusion": _conclusion(row),
    }
    report = {name: value for name, value in report.items() if value}
    whole = [patient, *selections, *found, _entry(sha256, "DiagnosticReport", report)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": whole}


def _entry(sha256: str, kind: str, content: Json, *parts: str) -> Json:
    """A resource under a name that follows from the reading."""
    digest = hashlib.sha256("\0".join((sha256, kind, *parts)).encode()).hexdigest()
    number = f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    return {
        "fullUrl": f"urn:uuid:{number}",
        "resource": {"resourceType": kind, **content},
        "request": {"method": "POST", "url": kind},
    }


def _selection(view: ReadView, patient: str) -> Json:
    """A slice with its marks: coordinates are column and row from the first pixel's corner."""
    image = view.image
    instance: Json = {"uid": image.instance_uid, "subset": [str(image.frame_number)]}
    if not isinstance(image.sop_class_uid, UnsetType):
        instance["sopClass"] = {
            "system": "urn:ietf:rfc:3986",
            "code": f"urn:oid:{image.sop_class_uid}",
        }
    regions = [
        {"regionType": "polyline", "coordinate": _coordinates(one)}
        for one in ((arc.start, arc.via, arc.end) for arc in view.arcs)
    ]
    regions += [{"regionType": "points", "coordinate": _coordinates(view.rim)}] if view.rim else []
    if regions:
        instance["imageRegion2D"] = regions
    found = {
        "status": "available",
        "subject": {"reference": patient},
        "code": {"text": f"{view.view.label} slice on which the angle was read"},
        "studyUid": image.study_uid,
        "seriesUid": image.series_uid,
        "frameOfReferenceUid": image.frame_of_reference_uid,
        "instance": [instance],
    }
    return {name: value for name, value in found.items() if value is not None}


def _coordinates(marks: Any) -> list[float]:
    return [x for mark in marks for x in (mark.pixel[1] + 0.5, mark.pixel[0] + 0.5)]


def _observations(row: CohortRow, reading: HipReading, patient: str) -> Iterator[tuple[str, Json]]:
    """Each angle with its limits, and each grade; what is not there has the reason."""
    for name in _NUMBERS:
        shared = _shared(name, reading, patient)
        low, high = row[f"{name[: -len('deg')]}low_deg"], row[f"{name[: -len('deg')]}high_deg"]
        if row[name] is None:
            yield name, shared | {"dataAbsentReason": {"text": _absent(row, name)}}
            continue
        value = {"value": row[name], "unit": "deg", "system": _UCUM, "code": "deg"}
        limits = f"95 % interval {low:.1f} to {high:.1f} degrees" if low is not None else ""
        note = {"note": [{"text": limits}]} if limits else {}
        yield name, shared | {"valueQuantity": value} | note
    for name in _WORDS:
        if row[name] is not None:
            code = column_value(name, row[name]).value
            words = {"system": SYSTEM, "code": code.value, "display": code.meaning}
            value_of = {"valueCodeableConcept": {"coding": [words]}}
            yield name, _shared(name, reading, patient) | value_of


def _shared(name: str, reading: HipReading, patient: str) -> Json:
    code, _ = column_code(name)
    side = _SIDES[reading.laterality]
    head = {"system": _SNOMED, "code": "2812003", "display": "Femoral head"}
    return {
        "status": "final" if reading.conduct.submitted else "preliminary",
        "category": [{"coding": [{"system": _CATEGORY, "code": "imaging"}]}],
        "code": {"coding": [{"system": SYSTEM, "code": code.value, "display": code.meaning}]},
        "subject": {"reference": patient},
        "bodySite": {"coding": [head], "text": f"{side} femoral head"},
        "performer": [{"display": f"reader {reading.reader}"}],
    }


def _absent(row: CohortRow, name: str) -> str:
    letter = name[0]
    words = [row["a_status"], row["b_status"]] if letter == "c" else [row[f"{letter}_status"]]
    return ", ".join(sorted({str(one).replace("_", " ") for one in words if one}))


def _conclusion(row: CohortRow) -> str:
    if row["cna_deg"] is None:
        return f"No combined necrotic angle: {_absent(row, 'cna_deg')}."
    text = f"Combined necrotic angle {row['cna_deg']:.1f} degrees"
    grade = f", grade {row['ha_grade']} (Ha 2006)" if row["ha_grade"] is not None else ""
    return f"{text}{grade}."


def encoded(bundle: Json) -> bytes:
    """The bundle as UTF-8 JSON."""
    return (json.dumps(bundle, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
