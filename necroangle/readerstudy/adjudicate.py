"""Two readers' readings of one hip: how they differ in each view, and the consensus saved."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np

from necroangle.annotation import (
    HipReading,
    ReadView,
    decode_reading,
    file_name,
    read_bytes,
    save_reading,
    sha256_of,
)
from necroangle.errors import ReadingError
from necroangle.geometry import ImagePlane, PlanePoints, arc_polyline
from necroangle.measurement import HipMeasurement, ViewMeasurement, measure
from necroangle.readerstudy.reader_worklist import SavedReading, reader_folder
from necroangle.readerstudy.worklist import CONSENSUS
from necroangle.terms import View

SAME_PLACE_MM = 0.01
"""Two slices whose corners lie no farther apart are one and the same place."""


Line = tuple[tuple[float, float], ...]


class CommonPlane(StrEnum):
    """How two readers' marks of a view come to lie in one picture."""

    SAME_SLICE = "same_slice"
    """Both marked the same slice: nothing was moved."""
    PROJECTED = "projected"
    """They marked different slices: the second reader's marks are projected on the first's."""
    NONE = "none"
    """They cannot be shown in one picture: a view not read, or no common frame."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What one reader drew, as lines in the common plane: (u, v) mm along the row and the column.

    Attributes
    ----------
    centre
        The head's centre.
    circle, arcs
        The head circle, closed, and the necrotic arcs on it.
    """

    centre: tuple[float, float]
    circle: Line
    arcs: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ViewDifference:
    """One view of the two readings; differences are the second less the first.

    Attributes
    ----------
    view
        Which view.
    common
        How the two come to lie in one picture.
    plane
        The common plane: the first reader's slice; None where there is none.
    first, second
        What each drew, None where a reader drew no circle or there is no common plane.
    slice_apart_mm
        Distance of the slices along the first one's normal; None without a common frame.
    centre_apart_mm
        Distance of the head centres in the common plane.
    radius_mm, angle_deg
        Difference of the radii and of the angles.
    start_deg, end_deg
        Difference of the medial (anterior) and the lateral (posterior) boundary, -180 to 180;
        None without an arc in both, and on radiographs.
    is_finding_the_same
        Whether both found the same on it.
    """

    view: View
    common: CommonPlane
    plane: ImagePlane | None
    first: Outline | None
    second: Outline | None
    slice_apart_mm: float | None
    centre_apart_mm: float | None
    radius_mm: float | None
    angle_deg: float | None
    start_deg: float | None
    end_deg: float | None
    is_finding_the_same: bool


class Adjudication:
    """Two readings of one hip at one visit, by different readers.

    Parameters
    ----------
    first, second
        The readings.
    sha256
        Digests of their files.
    measured_by
        How both are measured; by default as their kind of image is.

    Raises
    ------
    GeometryError
        If the marks of one cannot be measured.
    MethodError
        If the method does not fit the readings.
    ReadingError
        If they are of different hips, visits or kinds of image, of one reader, or not submitted
        in a reader study: no reader may see another's marks before.

    Attributes
    ----------
    views
        The A view and the B view.
    cna_deg
        Difference of the combined angles; None where one is missing.
    cna_of_each_deg
        Combined angle of each reader.
    angles_deg
        For each reader the angles of the A view and the B view.

    Examples
    --------
    >>> import msgspec
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> one = readings_of(sample_studies()["plain"])[0]
    >>> other = msgspec.structs.replace(one, reader="r2")
    >>> both = Adjudication(one, other, ("a" * 64, "b" * 64))
    >>> both.cna_deg, both.views[0].common.value, both.views[0].centre_apart_mm
    (0.0, 'same_slice', 0.0)
    >>> both.signed(one).reader
    'consensus'
    >>> Adjudication(one, one, ("a" * 64, "a" * 64))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: both readings are by reader truth; choose another reader's
    """

    def __init__(
        self,
        first: HipReading,
        second: HipReading,
        sha256: tuple[str, str],
        measured_by: Callable[[HipReading], HipMeasurement] = measure,
    ) -> None:
        _refuse_pair(first, second)
        self.first, self.second, self.sha256 = first, second, sha256
        measured = measured_by(first), measured_by(second)
        self.views = (
            _difference(first, second, measured, 0),
            _difference(first, second, measured, 1),
        )
        self.cna_deg = _less(measured[1].cna_deg, measured[0].cna_deg)
        self.cna_of_each_deg = (measured[0].cna_deg, measured[1].cna_deg)
        self.angles_deg = (_angles(measured[0]), _angles(measured[1]))

    def view(self, view: View) -> ViewDifference:
        """How the two differ in a view."""
        return next(one for one in self.views if one.view is view)

    @classmethod
    def of_files(
        cls,
        first: Path,
        second: Path,
        measured_by: Callable[[HipReading], HipMeasurement] = measure,
    ) -> "Adjudication":
        """Lay two reading files over each other.

        Raises
        ------
        ReadingError
            If one is not valid, or they do not belong together.
        """
        raw = [read_bytes(path) for path in (first, second)]
        readings = [
            decode_reading(one, file=path.name)
            for one, path in zip(raw, (first, second), strict=True)
        ]
        digests = (sha256_of(raw[0]), sha256_of(raw[1]))
        return cls(readings[0], readings[1], digests, measured_by)

    def signed(self, reading: HipReading) -> HipReading:
        """A reading as the consensus of these two, whatever its entries say.

        Raises
        ------
        ReadingError
            If it is of another hip or visit.
        """
        if reading.key[:3] != self.first.key[:3]:
            raise ReadingError(f"the consensus is of {self.first.key}, found {reading.key}")
        return msgspec.structs.replace(reading, reader=CONSENSUS, consensus_of=self.sha256)

    def save(
        self, reading: HipReading, readings: Path, *, replaces: str | None = None
    ) -> SavedReading:
        """Save the consensus among the study's readings, in a folder of its own.

        Parameters
        ----------
        reading
            What was agreed upon.
        readings
            Where the study keeps its readings.
        replaces
            SHA-256 of the consensus that was saved before; None for the first.

        Raises
        ------
        ReadingError
            If it is of another hip, not valid, or another consensus lies there.
        """
        signed = self.signed(reading)
        path = reader_folder(readings, CONSENSUS) / file_name(signed)
        return SavedReading(path, signed, save_reading(signed, path, replaces=replaces))


def _difference(
    first: HipReading,
    second: HipReading,
    measured: tuple[HipMeasurement, HipMeasurement],
    index: int,
) -> ViewDifference:
    """How two readings of one hip differ in a view.

    Parameters
    ----------
    first, second
        The readings.
    measured
        Their measurements.
    index
        0 for the A view, 1 for the B view.
    """
    one, other = first.views[index], second.views[index]
    found_one, found_other = ((hip.a, hip.b)[index] for hip in measured)
    if not isinstance(one, ReadView) or not isinstance(other, ReadView):
        return _incomparable(one.view, found_one, found_other, one == other)
    common = _common(one, other)
    is_shown = common is not CommonPlane.NONE
    plane, other_plane = one.plane.plane(), other.plane.plane()
    outlines = (
        _outline(found_one, plane, plane) if is_shown else None,
        _outline(found_other, other_plane, plane) if is_shown else None,
    )
    return ViewDifference(
        view=one.view,
        common=common,
        plane=plane if is_shown else None,
        first=outlines[0],
        second=outlines[1],
        slice_apart_mm=_apart(plane, other_plane) if is_shown else None,
        centre_apart_mm=_centres_apart(*outlines),
        radius_mm=_less(_radius(found_other), _radius(found_one)),
        angle_deg=_less(_angle(found_other), _angle(found_one)),
        start_deg=_turn(_start(found_other), _start(found_one)),
        end_deg=_turn(_end(found_other), _end(found_one)),
        is_finding_the_same=one.finding is other.finding,
    )


def _incomparable(
    view: View, first: ViewMeasurement | None, second: ViewMeasurement | None, is_same: bool
) -> ViewDifference:
    """A view that one of them did not read."""
    return ViewDifference(
        view=view,
        common=CommonPlane.NONE,
        plane=None,
        first=None,
        second=None,
        slice_apart_mm=None,
        centre_apart_mm=None,
        radius_mm=None,
        angle_deg=_less(_angle(second), _angle(first)),
        start_deg=None,
        end_deg=None,
        is_finding_the_same=is_same,
    )


def _common(one: ReadView, other: ReadView) -> CommonPlane:
    if one.image == other.image:
        return CommonPlane.SAME_SLICE
    frames = (one.image.frame_of_reference_uid, other.image.frame_of_reference_uid)
    if one.view.is_radiograph or frames[0] is None or frames[0] != frames[1]:
        return CommonPlane.NONE
    corners = [_corners(view) for view in (one, other)]
    far = float(np.abs(corners[0] - corners[1]).max())
    return CommonPlane.SAME_SLICE if far <= SAME_PLACE_MM else CommonPlane.PROJECTED


def _corners(view: ReadView) -> np.ndarray:
    plane = view.plane.plane()
    across = (view.plane.columns - 1) * plane.column_spacing_mm
    down = (view.plane.rows - 1) * plane.row_spacing_mm
    ends = np.array([[0, 0], [across, 0], [0, down], [across, down]], float)
    return plane.plane_to_patient(PlanePoints(ends))


def _outline(
    measured: ViewMeasurement | None, plane: ImagePlane, common: ImagePlane
) -> Outline | None:
    """What was drawn on one plane, projected on another along that one's normal."""
    if measured is None or measured.circle is None:
        return None
    circle = measured.circle

    def carried(points: np.ndarray) -> Line:
        if plane == common:
            return tuple((float(u), float(v)) for u, v in points)
        there = common.patient_to_plane(plane.plane_to_patient(PlanePoints(points)))
        return tuple((float(u), float(v)) for u, v in there)

    return Outline(
        centre=carried(np.array([circle.centre_mm]))[0],
        circle=carried(arc_polyline(circle, 0.0, 360.0)),
        arcs=tuple(
            carried(arc_polyline(circle, arc.start_deg, arc.extent_deg)) for arc in measured.arcs
        ),
    )


def _apart(plane: ImagePlane, other: ImagePlane) -> float:
    offset = np.array(other.origin_mm) - np.array(plane.origin_mm)
    return float(offset @ plane.normal)


def _centres_apart(first: Outline | None, second: Outline | None) -> float | None:
    return math.dist(first.centre, second.centre) if first and second else None


def _less(value: float | None, other: float | None) -> float | None:
    """The difference of two numbers, where there are two."""
    return None if value is None or other is None else value - other


def _turn(value: float | None, other: float | None) -> float | None:
    """Difference of two directions, -180 to 180 degrees."""
    return None if value is None or other is None else (value - other + 180.0) % 360.0 - 180.0


def _angle(measured: ViewMeasurement | None) -> float | None:
    return measured.angle_deg if measured else None


def _radius(measured: ViewMeasurement | None) -> float | None:
    return measured.radius_mm if measured else None


def _start(measured: ViewMeasurement | None) -> float | None:
    return measured.start_deg if measured else None


def _end(measured: ViewMeasurement | None) -> float | None:
    return measured.end_deg if measured else None


def _angles(measured: HipMeasurement) -> tuple[float | None, float | None]:
    first, second = (view.angle_deg if view else None for view in (measured.a, measured.b))
    return first, second


def _refuse_pair(first: HipReading, second: HipReading) -> None:
    if first.key[:3] != second.key[:3]:
        raise ReadingError(f"two different hips or visits: {first.key} and {second.key}")
    if first.reader == second.reader:
        raise ReadingError(f"both readings are by reader {first.reader}; choose another reader's")
    if [view.view for view in first.views] != [view.view for view in second.views]:
        raise ReadingError("the two readings are of different kinds of image")
    for reading in (first, second):
        if reading.conduct.worklist is not None and not reading.conduct.submitted:
            raise ReadingError(f"the reading {reading.key} is not submitted yet")
