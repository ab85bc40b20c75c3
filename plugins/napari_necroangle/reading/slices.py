"""Circle and arcs of one marked slice as they are drawn, and what is missing on it."""

from dataclasses import dataclass

import numpy as np

from napari_necroangle.reading.draft import ArcDraft, NeighbourDraft, Role, ViewDraft
from necroangle.annotation import Mark, NecroticArc, NeighbourSlice
from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle, ImagePlane, PatientPoints, PlanePoints
from necroangle.measurement import head_circle, view_arcs

__all__ = ["NEEDED_RIM_MARKS", "SliceOutcome", "arcs_about", "beside", "circle_of", "complete_arcs"]

NEEDED_RIM_MARKS = 3

_PARTS = {
    Role.START: "one end of the arc",
    Role.END: "the other end of the arc",
    Role.VIA: "a point between them on the dead side",
}


@dataclass(frozen=True, slots=True)
class SliceOutcome:
    """What a neighbouring slice says so far.

    Attributes
    ----------
    entry
        The slice as it would stand in a saved reading.
    circle, arcs
        What is drawn on it, plane mm: about its own rim, or about the view's centre without one.
    missing
        What is to be done before it is complete; empty once it is.
    """

    entry: NeighbourSlice
    circle: Circle | None
    arcs: tuple[Arc, ...]
    missing: str


def beside(draft: ViewDraft, circle: Circle | None) -> tuple[SliceOutcome, ...]:
    """What the neighbours of a view say, the view's own head circle being known or not."""
    return tuple(_beside(one, draft, circle) for one in draft.neighbours)


def circle_of(rim: tuple[Mark, ...], plane: ImagePlane) -> tuple[Circle | None, str]:
    """The head circle of rim marks, or why there is none."""
    if len(rim) < NEEDED_RIM_MARKS:
        more = NEEDED_RIM_MARKS - len(rim)
        return None, f"mark {more} more rim point{'s' if more > 1 else ''}"
    try:
        return head_circle(rim, plane).circle, ""
    except GeometryError as error:
        return None, str(error)


def arcs_about(
    drafts: tuple[ArcDraft, ...], plane: ImagePlane, circle: Circle
) -> tuple[tuple[Arc, ...], str]:
    """The complete arcs about a circle, and what keeps the others from being one."""
    found: list[Arc] = []
    trouble = ""
    for draft in drafts:
        arc = draft.complete()
        if arc is None:
            trouble = trouble or _lacking(draft)
            continue
        try:
            found.extend(view_arcs((arc,), plane, circle))
        except GeometryError as error:
            trouble = trouble or str(error)
    return tuple(found), trouble


def complete_arcs(drafts: tuple[ArcDraft, ...]) -> tuple[NecroticArc, ...]:
    """The arcs that have their three points."""
    return tuple(arc for arc in (draft.complete() for draft in drafts) if arc is not None)


def _beside(slice_: NeighbourDraft, draft: ViewDraft, circle: Circle | None) -> SliceOutcome:
    plane = slice_.on.plane.plane()
    missing = ""
    if slice_.rim:
        circle, missing = circle_of(slice_.rim, plane)
    elif circle is not None and draft.on is not None:
        circle = _carried(circle, draft.on.plane.plane(), plane)
    arcs: tuple[Arc, ...] = ()
    if circle is not None:
        arcs, trouble = arcs_about(slice_.arcs, plane, circle)
        missing = missing or trouble
    if not slice_.arcs and not slice_.is_free:
        missing = missing or "mark the arc on the neighbouring slice, or say that it is free"
    entry = NeighbourSlice(slice_.on.image, slice_.on.plane, slice_.rim, complete_arcs(slice_.arcs))
    return SliceOutcome(entry, circle, arcs, missing)


def _carried(circle: Circle, plane: ImagePlane, other: ImagePlane) -> Circle:
    """A circle on a parallel slice: the same radius about the same centre."""
    centre = plane.plane_to_patient(PlanePoints(np.array([circle.centre_mm])))
    u, v = other.patient_to_plane(PatientPoints(centre))[0].tolist()
    return Circle((u, v), circle.radius_mm)


def _lacking(arc: ArcDraft) -> str:
    there = {role for role, _ in arc.marks}
    return "mark " + next(text for role, text in _PARTS.items() if role not in there)
