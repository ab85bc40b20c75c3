"""The noise of marking an arc's end, taken from a study's own repeat reads."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ReadView
from necroangle.errors import MethodError
from necroangle.geometry import PatientPoints
from necroangle.measurement.arcs import AnatomicalAxes, anatomical_axes
from necroangle.measurement.heads import head_circle
from necroangle.measurement.settings import DEFAULTS, Settings

__all__ = ["settings_from_repeats"]


def settings_from_repeats(
    groups: Iterable[Sequence[HipReading]], settings: Settings = DEFAULTS
) -> Settings:
    """Settings whose end-point noise is that of repeat reads.

    Of each hip that was read more than once, each arc end's place along the surface is compared
    between the reads; their variances are pooled within hip, view and end. Views with more than
    one arc, and radiographs, are left out: their ends cannot be matched.

    Parameters
    ----------
    groups
        Each a sequence of reads of one hip at one visit, by one reader or several.
    settings
        Everything else.

    Raises
    ------
    MethodError
        If a group mixes hips or visits, or no arc was marked twice.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> read = readings_of(sample_studies()["plain"])[0]
    >>> settings_from_repeats([[read]])
    Traceback (most recent call last):
    ...
    necroangle.errors.MethodError: no arc was marked twice: end-point noise needs repeat reads
    """
    squares, freedom = 0.0, 0
    for group in groups:
        _refuse_mixed(group)
        for index in range(2):
            for places in _end_places(group, index):
                if len(places) > 1:
                    squares += _spread(places)
                    freedom += len(places) - 1
    if freedom == 0:
        raise MethodError("no arc was marked twice: end-point noise needs repeat reads")
    return replace(settings, end_point_sd_mm=math.sqrt(squares / freedom), end_point_dof=freedom)


def _refuse_mixed(group: Sequence[HipReading]) -> None:
    keys = {(one.subject, one.laterality, one.visit) for one in group}
    if len(keys) > 1:
        raise MethodError(f"repeat reads of one hip and visit are needed, found {len(keys)} in one")


Place = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(3,) patient mm of an end, and the (3,) unit tangent of the surface there."""


def _end_places(group: Sequence[HipReading], index: int) -> tuple[list[Place], list[Place]]:
    """Places of the medial (anterior) and of the lateral (posterior) end in every read."""
    ends: tuple[list[Place], list[Place]] = ([], [])
    for reading in group:
        view = reading.views[index]
        if not isinstance(view, ReadView) or len(view.arcs) != 1:
            continue
        axes = anatomical_axes(view.view, reading.laterality, view.plane.plane())
        if axes is not None:
            for side, place in zip(ends, _ordered_ends(view, axes), strict=True):
                side.append(place)
    return ends


def _ordered_ends(view: ReadView, axes: AnatomicalAxes) -> tuple[Place, Place]:
    """Both ends of the one arc, the medial (anterior) first: with the arc to its positive side."""
    plane = view.plane.plane()
    centre = np.array(head_circle(view.rim, plane).circle.centre_mm)
    marks = [view.arcs[0].start, view.arcs[0].end, view.arcs[0].via]
    points = np.array([mark.patient_mm for mark in marks])
    offsets = plane.patient_to_plane(PatientPoints(points)) - centre
    start, end, via = (axes.angle_deg(*offset) for offset in offsets.tolist())
    forward = (via - start) % 360.0 < (end - start) % 360.0
    order = (0, 1) if forward else (1, 0)
    rows = np.array((plane.row_cosine, plane.column_cosine))
    tangents = np.column_stack((-offsets[:, 1], offsets[:, 0])) @ rows
    tangents /= np.linalg.norm(tangents, axis=1)[:, None]
    return (points[order[0]], tangents[order[0]]), (points[order[1]], tangents[order[1]])


def _spread(places: Sequence[Place]) -> float:
    """Sum of squares of the ends about their mean, along the surface, mm²."""
    along = places[0][1]
    distances = np.array([point @ along for point, _ in places])
    return float(np.sum((distances - distances.mean()) ** 2))
