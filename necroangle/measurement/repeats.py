"""The noise of marking an arc's end, taken from a study's own repeat reads, reader by reader."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ReadView
from necroangle.errors import MethodError
from necroangle.geometry import PatientPoints
from necroangle.measurement.arcs import AnatomicalAxes, anatomical_axes
from necroangle.measurement.heads import head_circle
from necroangle.measurement.method import DEFAULTS, Settings
from necroangle.protocol.noise import EndNoise

_FAR = 3.5
"""So many standard deviations from the middle of its group, a mark is another structure's."""


def settings_from_repeats(
    groups: Iterable[Sequence[HipReading]], settings: Settings = DEFAULTS, needed: int = 1
) -> Settings:
    """Settings whose end-point noise is that of each reader's repeat reads.

    Of each hip that a reader read more than once, each arc end's place along the surface is
    compared between the reads; the variances are pooled within hip, view and end. A mark far from
    its group (an arc marked the wrong way round) is left out: 3.5 standard deviations, these from
    the median, and no smaller than what is declared. Views with more than one arc, and
    radiographs, are left out: their ends cannot be matched. The habit of a reader cannot be seen
    in their own repeats: it stays as it is declared.

    Parameters
    ----------
    groups
        Each a sequence of reads of one hip at one visit by one reader.
    settings
        Everything else, and the noise of readers without repeats.
    needed
        Degrees of freedom below which a reader's repeats say nothing.

    Raises
    ------
    MethodError
        If a group mixes hips, visits or readers, or no reader marked enough arcs twice.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> read = readings_of(sample_studies()["plain"])[0]
    >>> settings_from_repeats([[read]])
    Traceback (most recent call last):
    ...
    necroangle.errors.MethodError: no arc was marked twice: end-point noise needs repeat reads
    """
    places: dict[str, list[Sequence[float]]] = {}
    for group in groups:
        _refuse_mixed(group)
        for index in range(2):
            for ends in _end_places(group, index):
                if len(ends) > 1:
                    places.setdefault(group[0].reader, []).append(_along(ends))
    if not places:
        raise MethodError("no arc was marked twice: end-point noise needs repeat reads")
    usual_mm = settings.end_noise.sd_mm
    found = {reader: _pooled(some, usual_mm) for reader, some in places.items()}
    known = {reader: one for reader, one in found.items() if one[1] >= needed}
    if not known:
        most = max(dof for _, dof in found.values())
        raise MethodError(
            f"repeat reads give {most} degrees of freedom at most, {needed} are needed; have more "
            "hips read twice"
        )
    readers = {**dict(settings.of_readers), **_noise(known, settings)}
    return replace(settings, of_readers=tuple(sorted(readers.items())))


def _noise(known: Mapping[str, tuple[float, int]], settings: Settings) -> dict[str, EndNoise]:
    return {
        reader: EndNoise(
            math.sqrt(variance), settings.noise_of(reader).bias_mm, float(dof), "repeats"
        )
        for reader, (variance, dof) in known.items()
        if variance > 0
    }


def _pooled(groups: Sequence[Sequence[float]], usual_mm: float) -> tuple[float, int]:
    """Variance within groups, mm², and its degrees of freedom; marks far off are left out."""
    steps = [abs(b - a) for group in groups for a, b in pairwise(group)]
    spread = max(usual_mm, 1.4826 * float(np.median(steps)) / math.sqrt(2.0))
    squares, freedom = 0.0, 0
    for group in groups:
        middle = float(np.median(group))
        kept = [place for place in group if abs(place - middle) <= _FAR * spread]
        if len(kept) > 1:
            squares += float(np.sum((np.array(kept) - np.mean(kept)) ** 2))
            freedom += len(kept) - 1
    return (squares / freedom if freedom else 0.0), freedom


def _refuse_mixed(group: Sequence[HipReading]) -> None:
    keys = {one.key[:4] for one in group}
    if len(keys) > 1:
        raise MethodError(
            f"repeat reads of one hip and visit by one reader are needed, found {len(keys)} in one"
        )


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


def _along(places: Sequence[Place]) -> list[float]:
    """Places of an end along the surface, mm."""
    along = places[0][1]
    return [float(point @ along) for point, _ in places]
