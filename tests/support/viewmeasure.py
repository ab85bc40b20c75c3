"""One view by itself, and one head circle by itself, on the road that whole hips take."""

from dataclasses import dataclass

import numpy as np
from hipmaker import SHAPE, make_image, make_reading
from numpy.typing import NDArray

from necroangle.annotation import Mark, NecroticArc, PlaneRecord, ReadView, UnreadView
from necroangle.geometry import Arc, Circle, ImagePlane, PlanePoints
from necroangle.measurement import (
    DEFAULTS,
    HipMeasurement,
    Settings,
    ViewMeasurement,
    measure_many,
)
from necroangle.measurement.heads import fit_heads
from necroangle.measurement.marks import lay_out
from necroangle.measurement.misplaced import Misplaced
from necroangle.measurement.refusals import Refusals
from necroangle.terms import Finding, Laterality, Observation, UnreadReason, View

__all__ = ["Head", "fit_head", "measure_view"]


def measure_view(
    view: ReadView, laterality: Laterality = Laterality.LEFT, settings: Settings = DEFAULTS
) -> ViewMeasurement:
    """What a view says whose hip was read in no other, be it plausible or not."""
    if view.view in (View.CORONAL, View.AP):
        other = View.SAGITTAL if view.view is View.CORONAL else View.FROG_LEG
        unread = UnreadView(other, UnreadReason.NOT_DONE)
        reading = make_reading(views=(view, unread), laterality=laterality)
        found = HipMeasurement.of(measure_many([reading], None, settings), 0, draft=True).a
    else:
        other = View.CORONAL if view.view is View.SAGITTAL else View.AP
        unread = UnreadView(other, UnreadReason.NOT_DONE)
        reading = make_reading(views=(unread, view), laterality=laterality)
        found = HipMeasurement.of(measure_many([reading], None, settings), 0, draft=True).b
    assert found is not None
    return found


@dataclass(frozen=True)
class Head:
    """A head circle, the arcs about it, and what was made of the rim."""

    circle: Circle
    count: int
    span_deg: float
    covariance: tuple[float, ...]
    arcs: tuple[Arc, ...]
    left_out: tuple[int, ...]
    misplaced: tuple[Misplaced, ...]


def fit_head(
    rim: PlanePoints,
    arcs: tuple[PlanePoints, ...],
    *,
    collapsed: bool = False,
    settings: Settings = DEFAULTS,
) -> Head:
    """The head circle of (N, 2) rim marks, each arc given as (3, 2) start, end and middle."""
    plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))

    def marks(points: NDArray[np.float64]) -> tuple[Mark, ...]:
        return tuple(Mark.at_plane(plane, u, v) for u, v in np.asarray(points).tolist())

    view = ReadView(
        view=View.CORONAL,
        finding=Finding.NECROSIS if arcs else Finding.NO_NECROSIS,
        image=make_image(1),
        plane=PlaneRecord.of(plane, SHAPE),
        passport=None,
        rim=marks(rim),
        arcs=tuple(NecroticArc(*marks(arc)) for arc in arcs),
        observations=(Observation.FLATTENED,) if collapsed else (),
        neighbours=(),
        landmarks=(),
        contour=(),
    )
    unread = UnreadView(View.SAGITTAL, UnreadReason.NOT_DONE)
    batch, refusals = lay_out([make_reading(views=(view, unread))]), Refusals(1)
    heads = fit_heads(batch, settings, refusals)
    for refused in refusals.of.values():
        raise refused.error()
    u, v = heads.circles.centre_mm[:, 0].tolist()
    return Head(
        circle=Circle((u, v), float(heads.circles.radius_mm[0])),
        count=int(heads.count[0]),
        span_deg=float(heads.circles.span_deg[0]),
        covariance=tuple(heads.circles.covariance[:, 0].tolist()),
        arcs=heads.arcs.arcs_of(0),
        left_out=heads.left_out.get(0, ()),
        misplaced=heads.misplaced.get(0, ()),
    )
