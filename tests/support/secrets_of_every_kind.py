"""A unique secret in every attribute that DICOM PS3.15 table E.1-1 wants removed or replaced.

The table is the one that the package ``dicom-anonymizer`` carries.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
from dicombytes import ITEM, element, encoded
from pydicom.datadict import dictionary_VR, keyword_for_tag

__all__ = ["ALLOWED", "listed_tags", "secret_elements", "spoilt_elements"]

ALLOWED = {
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "ClinicalTrialSubjectID",
    "ClinicalTrialTimePointID",
}
"""Listed, and let through on purpose: identifiers without which a reading cannot find its image,
and the pseudonyms that a trial gave. They stand in summaries and readings; of these the cohort
table and the pictures hold the pseudonyms of the reading alone."""

_WIDE = {"SQ", "OB", "OW", "UN"}


def listed_tags() -> list[int]:
    """The tags of the table; of a repeating group, its first."""
    return sorted({parts[0] << 16 | parts[1] for parts in dicomfields_2026c.ALL_TAGS})


def secret_elements() -> Iterator[tuple[int, str, bytes, list[str]]]:
    """Tag, keyword, element and the words in it that must stay inside."""
    for number, tag in enumerate(listed_tags()):
        vr = _vr(tag)
        value, secrets = _secret(vr, number)
        yield tag, keyword_for_tag(tag), encoded(tag, vr, value), secrets


def spoilt_elements() -> Iterator[tuple[int, str, bytes]]:
    """Tag, keyword and an element whose value is nothing that its kind may hold."""
    for number, tag in enumerate(listed_tags()):
        yield (
            tag,
            keyword_for_tag(tag),
            element(tag, _vr(tag), b"\\\xff\x1b SECRET%04d,\\" % number),
        )


def _vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "LT"


def _secret(vr: str, number: int) -> tuple[str | bytes | int, list[str]]:
    day = (date(1901, 1, 1) + timedelta(days=number)).strftime("%Y%m%d")
    time = f"101112.4{number:05d}"
    word = f"SECRET{number:04d}X"
    if vr == "SQ":
        inner = encoded(0x00080104, "LO", word) + encoded(0x00100010, "PN", f"{word}^N")
        return ITEM + len(inner).to_bytes(4, "little") + inner, [word]
    if vr == "US":
        return 40_000 + number, [str(40_000 + number)]
    values = {
        "DA": day,
        "TM": time,
        "DT": day + time,
        "AS": f"{number % 1000:03d}Y",
        "UI": f"1.2.987.{number}.5",
        "DS": f"7{number:04d}.31",
        "IS": f"7{number:04d}31",
    }
    value = values.get(vr, word)
    return value, [value, day, time] if vr == "DT" else [value]
