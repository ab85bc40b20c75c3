"""The columns that say which row this is."""

from necroangle.export.codes import CODE_SETS
from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, Value
from necroangle.measurement.row import CohortRow

__all__ = ["HIP_KEYS", "KEY_COLUMNS", "READING_KEYS", "key_values"]

HIP_KEYS = ("patient_id", "hip_id", "side")
READING_KEYS = ("reader_id", "read_no", "method")
"""Keys of a reading within a visit; in a table of hip visits they say which reading it was."""

KEY_COLUMNS = (
    ExportColumn(
        "patient_id",
        "text",
        "Patient (pseudonym): the cluster of two hips",
        measure="nominal",
        meaning="pseudonym of the patient; two hips of one patient are correlated: cluster by it",
        source="cohort.subject",
        level="patient",
        can_miss=False,
    ),
    ExportColumn(
        "hip_id",
        "text",
        "Hip: patient and side",
        measure="nominal",
        meaning="patient_id and L or R",
        level="hip",
        can_miss=False,
    ),
    ExportColumn(
        "side",
        "whole",
        "Side of the hip",
        values=CODE_SETS["laterality"].values,
        measure="nominal",
        source="cohort.laterality",
        level="hip",
        can_miss=False,
    ),
    ExportColumn(
        "visit",
        "text",
        "Visit",
        measure="nominal",
        source="cohort.visit",
        level="visit",
        can_miss=False,
    ),
    ExportColumn(
        "months_nominal",
        "real",
        "Nominal months from the index date",
        "months",
        meaning="as the study plans the visit, or as its name says; orders the visits",
        level="visit",
    ),
    ExportColumn(
        "days_from_baseline",
        "whole",
        "Days from baseline",
        "days",
        meaning="from the hip's treatment, else the patient's index date, else the index visit",
        source="visit.visit_date",
        level="visit",
        stem="days",
    ),
    ExportColumn("reader_id", "text", "Reader", measure="nominal", source="cohort.reader"),
    ExportColumn(
        "read_no", "whole", "Read of this hip and visit by this reader", source="cohort.read_no"
    ),
    ExportColumn(
        "method",
        "whole",
        "Measuring method",
        values=CODE_SETS["method"].values,
        measure="nominal",
        source="cohort.method",
    ),
)


def key_values(
    subject: str,
    laterality: str,
    visit: str,
    months: float | None,
    days: int | None,
    row: CohortRow | None,
) -> list[Value | None]:
    """Values of :data:`KEY_COLUMNS`; the reading's are missing where there is no reading.

    Examples
    --------
    >>> key_values("S01", "R", "m06", 6.0, 180, None)[:6]
    ['S01', 'S01_R', 2, 'm06', 6.0, 180]
    """
    side = CODE_SETS["laterality"].codes[laterality]
    place: list[Value | None] = [
        subject,
        f"{subject}_{laterality}",
        side,
        visit,
        Missing.NOT_APPLICABLE if months is None else months,
        days,
    ]
    if row is None:
        return [*place, None, None, None]
    key = row.key
    return [*place, key.reader, key.read_no, CODE_SETS["method"].codes[key.method]]
