"""What the reader study's tests share: a small study."""

from collections.abc import Callable

import msgspec
import pytest
from hipmaker import make_reading

from necroangle.annotation import Conduct, HipReading
from necroangle.readerstudy import (
    ListedCase,
    StudyCase,
    Worklist,
    conduct_of,
    make_worklist,
)
from necroangle.terms import Laterality, View

MakeStudy = Callable[..., Worklist]
MakeReading = Callable[..., HipReading]


def a_case(subject: str, side: Laterality = Laterality.LEFT, visit: str = "m00") -> StudyCase:
    """An MR case."""
    return StudyCase(
        subject=subject,
        laterality=side,
        visit=visit,
        views=(View.CORONAL, View.SAGITTAL),
        folder=subject,
    )


@pytest.fixture
def make_study() -> MakeStudy:
    """Makes a study of so many subjects, both hips at two visits each."""

    def make(subjects: int = 5, **values: object) -> Worklist:
        cases = [
            a_case(f"P{number:02d}", side, visit)
            for number in range(subjects)
            for side in Laterality
            for visit in ("m00", "m12")
        ]
        fixed: dict[str, object] = {"made_at": "2026-01-01T00:00:00.000Z", "seed": 7, "repeats": 4}
        return make_worklist(cases, ["r1", "r2", "r3"], **{**fixed, **values})  # type: ignore[arg-type]

    return make


@pytest.fixture
def read_case() -> MakeReading:
    """Makes the reading of a listed case, submitted on a day."""

    def make(
        worklist: Worklist,
        listed: ListedCase,
        reader: str = "r1",
        day: str = "2026-02-01",
        submitted: bool = True,
    ) -> HipReading:
        case = listed.case
        reading = make_reading(
            subject=case.subject,
            laterality=case.laterality,
            visit=case.visit,
            reader=reader,
            read_no=listed.read_no,
        )
        conduct: Conduct = conduct_of(worklist, listed, 60.0, submitted=submitted)
        return msgspec.structs.replace(reading, conduct=conduct, saved_at=f"{day}T08:00:00.000Z")

    return make
