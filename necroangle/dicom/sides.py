"""The side of a stack as its place in the patient tells it."""

from collections.abc import Iterable

import numpy as np

from necroangle.dicom.records import SeriesSummary
from necroangle.geometry import PatientPoints, PixelPoints
from necroangle.terms import Laterality

__all__ = [
    "side_by_place",
]

BOTH_HIPS_MM = 250.0
"""A coronal or axial picture at least so wide shows both hips, and its middle is the midline."""

CLEARLY_MM = 30.0
"""Nearer to the midline than this, the side cannot be told."""

FAR_FROM_ORIGIN_MM = 60.0
"""Nearer to the frame's origin than this, it does not tell the side: a patient may lie aside."""


def side_by_place(
    summary: SeriesSummary, study: Iterable[SeriesSummary]
) -> tuple[Laterality | None, str]:
    """The side of a stack that shows one hip, by the first rule that applies, and the rule.

    Patient x grows to the patient's left. A radiograph, and a coronal or axial stack 250 mm wide
    or more, has no side. In one frame of reference and study:

    1. The other of two sagittal stacks of one series lies 60 mm or more away: the two hips.
    2. The widest coronal, else axial, picture of 250 mm or more: its middle is the midline, and
       the stack's centre lies 30 mm or more beside it.
    3. No such picture: the stack's centre lies 60 mm or more beside the frame's origin.

    Parameters
    ----------
    summary
        The stack.
    study
        All that its study holds; others are left aside.

    Returns
    -------
    Laterality or None, str
        None where it cannot be told.
    """
    if summary.plane is None:
        return None, "no stack: no place in the patient"
    if summary.plane.name != "sagittal" and _width_mm(summary) >= BOTH_HIPS_MM:
        return None, "both hips in one picture"
    near = [other for other in study if _comparable(summary, other)]
    x_mm = float(centre_of(summary)[0])
    twin = _twin_x_mm(summary, near)
    if twin is not None:
        return _side(x_mm - twin), "against the other sagittal stack of its series"
    wide = _midline(near)
    if wide is not None:
        name, midline_mm = wide
        return _beyond(x_mm - midline_mm, CLEARLY_MM), f"against the middle of the {name} picture"
    return _beyond(x_mm, FAR_FROM_ORIGIN_MM), "against the origin of its frame of reference"


def centre_of(summary: SeriesSummary) -> PatientPoints:
    """The middle of a stack, (3,) patient LPS mm."""
    middle = PixelPoints(np.array([[(summary.rows - 1) / 2, (summary.columns - 1) / 2]]))
    ends = [summary.planes[place].pixel_to_patient(middle)[0] for place in (0, -1)]
    return PatientPoints((ends[0] + ends[1]) / 2)


def _comparable(summary: SeriesSummary, other: SeriesSummary) -> bool:
    frame = summary.sources[0].frame_of_reference_uid
    return (
        other.plane is not None
        and other is not summary
        and other.study_uid == summary.study_uid
        and frame is not None
        and other.sources[0].frame_of_reference_uid == frame
    )


def _twin_x_mm(summary: SeriesSummary, near: Iterable[SeriesSummary]) -> float | None:
    if summary.plane is None or summary.plane.name != "sagittal":
        return None
    x_mm = float(centre_of(summary)[0])
    others = {
        round(float(centre_of(other)[0]), 3)
        for other in near
        if other.series_uid == summary.series_uid
        and other.plane is not None
        and other.plane.name == "sagittal"
    }
    far = [other for other in others if abs(other - x_mm) >= FAR_FROM_ORIGIN_MM]
    spread = max(far, default=0.0) - min(far, default=0.0)
    return far[0] if far and spread < FAR_FROM_ORIGIN_MM else None


def _midline(near: Iterable[SeriesSummary]) -> tuple[str, float] | None:
    for name in ("coronal", "axial"):
        wide = [
            other
            for other in near
            if other.plane is not None
            and other.plane.name == name
            and _width_mm(other) >= BOTH_HIPS_MM
        ]
        if wide:
            widest = max(wide, key=lambda one: (_width_mm(one), one.series_uid, one.stack_no))
            return name, float(centre_of(widest)[0])
    return None


def _width_mm(summary: SeriesSummary) -> float:
    """How far the picture reaches along patient x."""
    plane = summary.planes[0]
    across = (summary.columns - 1) * plane.column_spacing_mm * abs(plane.row_cosine[0])
    down = (summary.rows - 1) * plane.row_spacing_mm * abs(plane.column_cosine[0])
    return float(max(across, down))


def _beyond(away_mm: float, least_mm: float) -> Laterality | None:
    return _side(away_mm) if abs(away_mm) >= least_mm else None


def _side(to_left_mm: float) -> Laterality:
    return Laterality.LEFT if to_left_mm > 0 else Laterality.RIGHT
