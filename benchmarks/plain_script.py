"""The script that one would write first: a file at a time, json, pydantic and scikit-image.

It validates the whole reading file, fits both circles, sums the arcs, gives the combined angle with
its standard error, and puts the rows into a table. It knows no collapse, no doubts, no grades and
no misplaced marks.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pydantic
from skimage.measure import CircleModel

__all__ = ["plain_script"]

END_SD_MM = 1.0

Triple = tuple[float, float, float]
Array = np.ndarray[Any, np.dtype[np.float64]]


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class Mark(Strict):
    patient_mm: Triple
    pixel: tuple[float, float]


class Arc(Strict):
    start: Mark
    end: Mark
    via: Mark


class Image(Strict):
    study_uid: str
    series_uid: str
    instance_uid: str
    frame_number: int
    frame_of_reference_uid: str | None


class Plane(Strict):
    frame: str
    origin_mm: Triple
    row_cosine: Triple
    column_cosine: Triple
    row_spacing_mm: float
    column_spacing_mm: float
    rows: int
    columns: int
    calibrated: bool


class View(Strict):
    status: Literal["read"]
    view: str
    finding: str
    image: Image
    plane: Plane
    passport: dict[str, Any] | None
    rim: list[Mark]
    arcs: list[Arc]
    observations: list[str]
    neighbours: list[dict[str, Any]]
    landmarks: list[dict[str, Any]]
    contour: list[Mark]


class Conduct(Strict):
    worklist: str | None
    read_order: int | None
    blinded: bool
    duration_s: float | None
    submitted: bool


class Revision(Strict):
    number: int
    previous_sha256: str | None
    reason: str


class Reading(Strict):
    format: Literal["necroangle.reading"]
    version: Literal[2]
    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    views: list[View]
    arco: str | None
    jic: str | None
    notes: str
    conduct: Conduct
    revision: Revision
    consensus_of: list[str]
    saved_at: str
    software: str


def plain_script(paths: list[Path]) -> pd.DataFrame:
    """Measure reading files, one after the other."""
    rows = []
    for path in paths:
        reading = Reading.model_validate_json(path.read_bytes())
        a, b = (measured(view) for view in reading.views)
        rss, count = a["rss"] + b["rss"], len(reading.views[0].rim) + len(reading.views[1].rim)
        variance = rss / (count - 6) * (a["pull"] + b["pull"])
        variance += END_SD_MM**2 * (a["ends"] + b["ends"])
        rows.append(
            {
                "subject": reading.subject,
                "laterality": reading.laterality,
                "visit": reading.visit,
                "reader": reading.reader,
                "read_no": reading.read_no,
                "a_deg": a["angle"],
                "b_deg": b["angle"],
                "a_radius_mm": a["radius"],
                "b_radius_mm": b["radius"],
                "cna_deg": a["angle"] + b["angle"],
                "cna_se_marking": np.degrees(np.sqrt(variance)),
            }
        )
    return pd.DataFrame(rows)


def measured(view: View) -> dict[str, float]:
    """The angle of a view about its circle, and what its error needs."""
    rim = in_plane(view.plane, view.rim)
    circle = CircleModel.from_estimate(rim)
    offsets = rim - circle.center
    weights = np.column_stack(
        (offsets / np.linalg.norm(offsets, axis=1)[:, None], np.ones(len(rim)))
    )
    covariance = np.linalg.inv(weights.T @ weights)[:2, :2]
    angle, pull, ends = 0.0, np.zeros(2), 0.0
    for arc in view.arcs:
        arms = in_plane(view.plane, [arc.start, arc.end, arc.via]) - circle.center
        first, last, via = np.degrees(np.arctan2(arms[:, 1], arms[:, 0]))
        turn, middle = (last - first) % 360, (via - first) % 360
        angle += turn if middle < turn else 360 - turn
        square = (arms[:2] ** 2).sum(axis=1)
        tangents = np.column_stack((-arms[:2, 1], arms[:2, 0])) / square[:, None]
        pull += tangents[0] - tangents[1]
        ends += float((1 / square).sum())
    rss = float((circle.residuals(rim) ** 2).sum())
    return {
        "angle": float(angle),
        "radius": float(circle.radius),
        "rss": rss,
        "pull": float(pull @ covariance @ pull),
        "ends": ends,
    }


def in_plane(plane: Plane, marks: list[Mark]) -> Array:
    """(N, 2) plane mm of marks."""
    axes = np.array((plane.row_cosine, plane.column_cosine))
    points = np.array([mark.patient_mm for mark in marks])
    return np.asarray((points - plane.origin_mm) @ axes.T)
