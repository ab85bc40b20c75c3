"""What a folder holds as lines of JSON: with its identifiers inside the study, with codes outside.

PS3.15 lists every UID, and files and folders are named after patients: neither leaves by default.
"""

from collections.abc import Mapping
from typing import Any

from necroangle.dicom.codes import IdentifierCodes
from necroangle.dicom.passport import passport_of
from necroangle.dicom.records import Refusal, Scan, SeriesSummary

__all__ = ["coded", "refusal_object", "series_object"]


def series_object(series: SeriesSummary, scan: Scan) -> dict[str, Any]:
    """A stack as one JSON object, with its geometry passport and its identifiers."""
    passport = passport_of(series, scan.series, scan.refused).to_dict()
    return {
        "record": "series",
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "stack_no": series.stack_no,
        "modality": series.modality,
        "kind": series.kind,
        "plane": series.plane.name if series.plane else None,
        "obliquity_deg": series.plane.obliquity_deg if series.plane else None,
        "slices": len(series),
        "step_mm": series.step_mm,
        "row_spacing_mm": series.row_spacing_mm,
        "column_spacing_mm": series.column_spacing_mm,
        "calibrated": series.calibrated,
        "spacing_source": series.spacing_source,
        "rows": series.rows,
        "columns": series.columns,
        "laterality": series.laterality,
        "view": series.view,
        "subject": series.subject,
        "visit": series.visit,
        "split_by": series.split_by,
        "charset_known": series.facts.charset_known,
        "executable_preamble": series.facts.executable_preamble,
        "frames": series.frames,
        "passport": passport,
    }


def refusal_object(refusal: Refusal) -> dict[str, Any]:
    """A refusal as one JSON object, with its identifiers."""
    return {
        "record": "refusal",
        "place": refusal.place,
        "number": refusal.number,
        "files": refusal.files,
        "stage": refusal.stage,
        "tag": refusal.tag,
        "reason": refusal.reason,
        "at": refusal.at,
        "members": refusal.members,
        "series_uid": refusal.series_uid,
    }


def coded(
    record: Mapping[str, Any], codes: IdentifierCodes, *, identifiers: bool, named: bool
) -> dict[str, Any]:
    """A record as it is printed: ``study`` and ``series`` are codes, and so is all that identifies.

    Parameters
    ----------
    record
        Of :func:`series_object` or :func:`refusal_object`.
    codes
        Makes the codes.
    identifiers
        Whether UIDs, file names and subjects are printed as they are, beside the codes.
    named
        Whether subjects have the study's own names, which may be printed.

    Examples
    --------
    >>> refusal = refusal_object(Refusal("HONG/IM1", "an empty file", number=7, stage="open"))
    >>> shown = coded(refusal, IdentifierCodes(bytes(32)), identifiers=False, named=False)
    >>> shown["place"], shown["number"], shown["reason"]
    ('ccb7550f1d8cd0c518068eca', 7, 'an empty file')
    """
    shown = {
        name.removesuffix("_uid"): None if record[name] is None else codes.of("uid", record[name])
        for name in ("study_uid", "series_uid")
        if name in record
    }
    if identifiers:
        return {"record": record["record"], **shown, **record}

    def file(name: str) -> str:
        return codes.of("file", name)

    hidden: dict[str, Any] = {}
    if record["record"] == "series":
        hidden["frames"] = [[file(name), number] for name, number in record["frames"]]
        for kind in ("visit",) if named else ("subject", "visit"):
            hidden[kind] = None if record[kind] is None else codes.of(kind, record[kind])
    else:
        hidden = {"place": file(record["place"]), "at": [file(name) for name in record["at"]]}
    plain = {
        name: value
        for name, value in record.items()
        if not name.endswith("_uid") and name != "members"
    }
    return {"record": plain.pop("record"), **shown, **plain, **hidden}
