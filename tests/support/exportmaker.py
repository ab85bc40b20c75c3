"""A small cohort of every kind of row, for what is exported from it."""

from collections.abc import Mapping, Sequence

from hipmaker import make_reading

from necroangle.annotation import HipReading, encode_reading
from necroangle.cohort import CohortRow, to_row
from necroangle.export import ExportSource, facts_of
from necroangle.measurement import measure
from necroangle.terms import ArcoStage, Laterality, UnreadReason

SECRET = b"k" * 32
CLINICAL: Mapping[str, Sequence[Mapping[str, object]]] = {
    "subject": [
        {
            "subject": "홍길동",
            "sex": "M",
            "age_at_index_years": 91.5,
            "aetiology": "steroid",
            "index_date": "2020-01-01",
        },
        {"subject": "00123", "sex": "F", "age_at_index_years": 45.0, "aetiology": "alcohol"},
    ],
    "hip": [{"subject": "홍길동", "laterality": "R", "bilateral": 1, "index_visit": "m00"}],
    "treatment": [],
    "visit": [
        {
            "subject": "홍길동",
            "laterality": "R",
            "visit": "m00",
            "visit_date": "2020-01-05",
            "vas": 45.0,
            "vas_scale": 100,
            "arco": "2",
        },
        {
            "subject": "홍길동",
            "laterality": "R",
            "visit": "m12",
            "visit_date": "2021-01-05",
            "vas": None,
            "vas_missing": "not applicable",
            "hhs": 80.0,
        },
    ],
    "event": [
        {
            "subject": "홍길동",
            "laterality": "R",
            "event": "tha",
            "number": "1",
            "event_date": "2021-06-01",
        }
    ],
}


def readings() -> list[HipReading]:
    """Two visits of each of four patients; one view of 1E5 is not read, then replaced."""
    found = []
    for subject, a, b in (
        ("홍길동", 130.0, 120.04),
        ("00123", 0.0, 80.0),
        ("1E5", None, 80.0),
        ("NA", 200.0, 100.0),
    ):
        for visit, reason in (
            ("m00", UnreadReason.NOT_READABLE),
            ("m06", UnreadReason.PROSTHESIS),
        ):
            found.append(
                make_reading(
                    a,
                    b,
                    subject=subject,
                    laterality=Laterality.RIGHT,
                    visit=visit,
                    reason=reason,
                    arco=ArcoStage.STAGE_3A,
                )
            )
    return found


def rows_of(some: Sequence[HipReading]) -> list[CohortRow]:
    """Measured rows; the hash of the n-th reading is its number."""
    return [to_row(reading, measure(reading), f"{n:064x}") for n, reading in enumerate(some)]


def source_of(some: Sequence[HipReading], **changed: object) -> ExportSource:
    """All that an export is made of."""
    values: dict[str, object] = {
        "rows": rows_of(some),
        "clinical": CLINICAL,
        "facts": {f"{n:064x}": facts_of(encode_reading(reading)) for n, reading in enumerate(some)},
        "secret": SECRET,
        **changed,
    }
    return ExportSource(**values)  # type: ignore[arg-type]
