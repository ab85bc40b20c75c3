"""The demonstration: the sample readings measured again and held against their truth."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from necroangle.annotation import HipReading, ReadView
from necroangle.measurement import NO_NECROSIS, HipMeasurement, measure, show_deg
from necroangle.terms import View

__all__ = [
    "HipError",
    "compare",
    "true_angles",
]

TrueAngles = dict[tuple[str, str], float]
"""(SOPInstanceUID, side) to the exact angle of that hip on that image, degrees."""


def true_angles(samples: Path) -> TrueAngles:
    """Read every ``truth.json`` below a folder."""
    angles: TrueAngles = {}
    for file in sorted(samples.rglob("truth.json")):
        for side, hip in json.loads(file.read_bytes())["hips"].items():
            for view in View:
                images = [hip[view]] if view.is_radiograph and view in hip else []
                images += hip.get(view, {}).get("slices", [])
                angles |= {(image["instance_uid"], side): image["angle_deg"] for image in images}
    return angles


@dataclass(frozen=True, slots=True)
class HipError:
    """One reading beside its truth, degrees; None where a view was not read.

    Attributes
    ----------
    reading
        The reading.
    measurement
        What was measured.
    true_a_deg, true_b_deg
        The exact angles on the marked images.
    """

    reading: HipReading
    measurement: HipMeasurement
    true_a_deg: float | None
    true_b_deg: float | None

    @property
    def true_cna_deg(self) -> float | None:
        """The exact combined angle."""
        if self.true_a_deg is None or self.true_b_deg is None:
            return None
        return self.true_a_deg + self.true_b_deg

    @property
    def error_deg(self) -> float | None:
        """Measured minus true combined angle."""
        if self.measurement.cna_deg is None or self.true_cna_deg is None:
            return None
        return self.measurement.cna_deg - self.true_cna_deg

    def cells(self) -> tuple[str, ...]:
        """One line of the demonstration's table."""
        found, key = self.measurement, self.reading.key
        grade: object = found.ha_grade if found.ha_grade is not None else found.kerboul
        if found.no_necrosis:
            grade = NO_NECROSIS
        return (
            f"{key.subject} {key.laterality}",
            key.visit,
            show_deg(found.a.angle_deg if found.a else None),
            show_deg(found.b.angle_deg if found.b else None),
            show_deg(found.cna_deg),
            show_deg(self.true_cna_deg),
            "–" if self.error_deg is None else f"{self.error_deg:+.4f}°",
            "–" if grade is None else str(grade),
        )


CELL_NAMES = ("hip", "visit", "A", "B", "CNA", "true CNA", "error", "grade")


def compare(readings: Iterable[HipReading], angles: TrueAngles) -> Iterator[HipError]:
    """Measure each reading and hold it against the truth of the images it was marked on."""
    for reading in readings:
        truths = [
            angles.get((view.image.instance_uid, reading.laterality))
            if isinstance(view, ReadView)
            else None
            for view in reading.views
        ]
        yield HipError(reading, measure(reading), truths[0], truths[1])
