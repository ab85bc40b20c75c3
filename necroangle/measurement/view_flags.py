"""The doubts about one view, each by its stated limit."""

from necroangle.annotation import ReadView
from necroangle.geometry import Arc, PlaneName, union_deg
from necroangle.measurement.head import HeadCircle
from necroangle.terms import Finding, Flag, Observation

__all__ = ["view_flags"]

FEW_RIM_POINTS = 8
SHORT_RIM_DEG = 150.0
VERY_SHORT_RIM_DEG = 120.0
ROUGH_RIM_MM = 1.0
EDGE_GAP_MM = 3.0
OBLIQUE_DEG = 20.0


def view_flags(
    view: ReadView,
    head: HeadCircle | None,
    arcs: tuple[Arc, ...],
    name: PlaneName | None,
    others: tuple[Flag, ...] = (),
) -> tuple[Flag, ...]:
    """Doubts about a view, in the order of :class:`necroangle.terms.Flag`.

    Parameters
    ----------
    view
        As it was read.
    head, arcs
        What was found; None and empty where nothing is marked.
    name
        The plane's name; None on a radiograph.
    others
        Doubts raised elsewhere.
    """
    gaps = [abs(gap) for arc in arcs for gap in (arc.start_gap_mm, arc.end_gap_mm)]
    raised = {
        Flag.ARC_ABOVE_180: union_deg(arcs) > 180.0,
        Flag.MULTI_ARC: len(arcs) > 1,
        Flag.NOT_SUBCHONDRAL: view.finding is Finding.NOT_SUBCHONDRAL,
        Flag.OFF_MIDSLICE: view.finding is Finding.OFF_MIDSLICE,
        Flag.POSTOP_TRACK: Observation.POSTOP_TRACK in view.observations,
        Flag.UNCALIBRATED: not view.plane.calibrated,
        Flag.EDGE_OFF_CIRCLE: max(gaps, default=0.0) > EDGE_GAP_MM,
        **_rim_flags(head),
        **_plane_flags(view, name),
        **dict.fromkeys(others, True),
    }
    return tuple(flag for flag in Flag if raised.get(flag, False))


def _rim_flags(head: HeadCircle | None) -> dict[Flag, bool]:
    if head is None:
        return {}
    return {
        Flag.FEW_RIM_POINTS: head.fit.count < FEW_RIM_POINTS,
        Flag.SHORT_RIM: head.fit.span_deg < SHORT_RIM_DEG,
        Flag.VERY_SHORT_RIM: head.fit.span_deg < VERY_SHORT_RIM_DEG,
        Flag.ROUGH_RIM: head.fit.rms_mm > ROUGH_RIM_MM,
        Flag.MISPLACED_RIM_POINT: bool(head.misplaced),
        Flag.COLLAPSED_FIT: head.collapsed,
    }


def _plane_flags(view: ReadView, name: PlaneName | None) -> dict[Flag, bool]:
    if name is None:
        return {}
    return {
        Flag.PLANE_NOT_OF_VIEW: name.name != view.view,
        Flag.OBLIQUE_PLANE: name.name == view.view and name.obliquity_deg > OBLIQUE_DEG,
    }
