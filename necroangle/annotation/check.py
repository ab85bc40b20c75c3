"""What a schema cannot say about a reading: the places where its parts must agree."""

import numpy as np
from msgspec import UNSET, UnsetType

from necroangle.annotation.model import HipReading, Mark, NeighbourSlice, PlaneRecord, ReadView
from necroangle.errors import PlaneError, ReadingError
from necroangle.geometry import ImagePlane, Marker
from necroangle.geometry.vectors import cross3, dot3
from necroangle.terms import VIEW_PAIRS, Finding

PIXEL_TOLERANCE = 0.01
"""How far, in pixels, a mark's pixel may be from where its mm fall on the plane."""

PLANE_TOLERANCE_MM = 0.01
"""How far, in mm, a mark may lie off its image plane."""

PARALLEL_TOLERANCE = 1e-3
"""Largest sine of the angle between a view's plane and its neighbours'."""

MARKER_TOLERANCE = 1e-3
"""How far a marker's length on its plane may be from its size, as a share of it."""

LARGEST_COORDINATE_MM = 1e5
SMALLEST_SPACING_MM, LARGEST_SPACING_MM = 1e-3, 1e2


def check_reading(reading: HipReading) -> None:
    """Refuse a reading whose parts contradict each other.

    Checked: one A view and one B view of the same kind; arcs where and only where necrosis was
    found; at least 3 rim marks where there is an arc; planes that are planes, in the frame of
    their view; every mark finite, on its plane, its pixel and its mm the same point; a marker of
    known size as long as it says; two different images.

    Raises
    ------
    ReadingError
        Naming the place, as a JSON path, and what to do.

    Examples
    --------
    >>> import msgspec
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]
    >>> check_reading(reading)
    >>> coronal = msgspec.structs.replace(reading.views[0], arcs=())
    >>> check_reading(msgspec.structs.replace(reading, views=(coronal, reading.views[1])))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: $.views[0].finding: finding necrosis with 0 arcs: ...
    """
    _check_pair(reading)
    for index, view in enumerate(reading.views):
        if isinstance(view, ReadView):
            _check_view(view, f"$.views[{index}]")
    images = [view.image for view in reading.views if isinstance(view, ReadView)]
    if len(images) == 2 and images[0] == images[1]:
        raise ReadingError("both views are marked on the same image", place="$.views[1].image")


def _check_pair(reading: HipReading) -> None:
    first, second = (view.view for view in reading.views)
    beside = [b for a, b in VIEW_PAIRS if a is first]
    if not beside:
        raise ReadingError(
            f"the first view must be coronal or ap, found {first}", place="$.views[0].view"
        )
    if second not in beside:
        wanted = " or ".join(beside)
        raise ReadingError(
            f"the second view beside {first} must be {wanted}, found {second}",
            place="$.views[1].view",
        )


def _check_view(view: ReadView, place: str) -> None:
    _check_finding(view, place)
    wanted = "detector" if view.view.is_radiograph else "patient"
    plane = _check_slice(view, wanted, place)
    lies = _Lies(plane)
    for index, landmark in enumerate(view.landmarks):
        lies.check(landmark.mark, place, "landmarks[{}].mark", index)
    for index, mark in enumerate(view.contour):
        lies.check(mark, place, "contour[{}]", index)
    _check_marker(view, plane, place)
    images = {view.image}
    for index, neighbour in enumerate(view.neighbours):
        where = f"{place}.neighbours[{index}]"
        other = _check_slice(neighbour, wanted, where)
        _check_parallel(plane, other, where)
        if neighbour.image in images or neighbour.image.series_uid != view.image.series_uid:
            raise ReadingError(
                "a neighbour must be another image of the same series", place=f"{where}.image"
            )
        images.add(neighbour.image)


def _check_slice(marked: ReadView | NeighbourSlice, frame: str, place: str) -> ImagePlane:
    """Check the plane of a marked slice and every mark of its rim and arcs."""
    if marked.plane.frame != frame:
        raise ReadingError(
            f"this view needs the {frame} frame, found {marked.plane.frame}",
            place=f"{place}.plane.frame",
        )
    if (marked.arcs or marked.rim) and len(marked.rim) < 3 and isinstance(marked, ReadView):
        raise ReadingError(
            f"a head circle needs at least 3 rim marks, found {len(marked.rim)}",
            place=f"{place}.rim",
        )
    _check_size(marked.plane, f"{place}.plane")
    try:
        plane = marked.plane.plane()
    except PlaneError as error:
        raise ReadingError(str(error), place=f"{place}.plane") from error
    lies = _Lies(plane)
    for index, mark in enumerate(marked.rim):
        lies.check(mark, place, "rim[{}]", index)
    for index, arc in enumerate(marked.arcs):
        lies.check(arc.start, place, "arcs[{}].start", index)
        lies.check(arc.end, place, "arcs[{}].end", index)
        lies.check(arc.via, place, "arcs[{}].via", index)
    return plane


def _check_marker(view: ReadView, plane: ImagePlane, place: str) -> None:
    """Refuse a marker that does not give its plane the scale that the plane has."""
    marker = UNSET if view.passport is None else view.passport.marker
    if isinstance(marker, UnsetType):
        return
    place = f"{place}.passport.marker"
    if not (view.view.is_radiograph and view.plane.calibrated):
        raise ReadingError(
            "a marker gives the scale of a calibrated radiograph, and this is none", place=place
        )
    known = Marker(marker.ends, marker.size_mm)
    try:
        scaled = known.scaled(plane, (view.plane.rows, view.plane.columns))
    except PlaneError as error:
        raise ReadingError(str(error), place=place) from error
    if abs(plane.row_spacing_mm / scaled.row_spacing_mm - 1) > MARKER_TOLERANCE:
        length_mm = marker.size_mm * plane.row_spacing_mm / scaled.row_spacing_mm
        raise ReadingError(
            f"the marker is {marker.size_mm:g} mm, on its plane {length_mm:.4g} mm: was the "
            "spacing edited?",
            place=place,
        )


def _check_parallel(plane: ImagePlane, other: ImagePlane, place: str) -> None:
    turn = float(np.linalg.norm(np.cross(plane.normal, other.normal)))
    if turn > PARALLEL_TOLERANCE or float(plane.normal @ other.normal) < 0:
        raise ReadingError("a neighbour must be parallel to its view", place=f"{place}.plane")


def _check_size(plane: PlaneRecord, place: str) -> None:
    """Refuse lengths that no scanner has, before they overflow a sum of squares."""
    spacings = (plane.row_spacing_mm, plane.column_spacing_mm)
    if not all(SMALLEST_SPACING_MM <= size <= LARGEST_SPACING_MM for size in spacings):
        raise ReadingError(
            f"pixel spacing must be positive, 0.001 to 100 mm, found {spacings}", place=place
        )
    if not all(abs(value) <= LARGEST_COORDINATE_MM for value in plane.origin_mm):
        raise ReadingError("the origin lies more than 100 m away", place=f"{place}.origin_mm")


def _check_finding(view: ReadView, place: str) -> None:
    if (view.finding is Finding.NECROSIS) != bool(view.arcs):
        raise ReadingError(
            f"finding {view.finding} with {len(view.arcs)} arcs: "
            "necrosis needs an arc, any other finding has none",
            place=f"{place}.finding",
        )
    if len(set(view.observations)) != len(view.observations):
        raise ReadingError("an observation is listed twice", place=f"{place}.observations")
    names = [landmark.name for landmark in view.landmarks]
    if len(set(names)) != len(names):
        raise ReadingError("a landmark is marked twice", place=f"{place}.landmarks")


class _Lies:
    """Whether marks lie on a plane, and where they say; its normal is worked out once."""

    def __init__(self, plane: ImagePlane) -> None:
        self.origin, self.spacing = plane.origin_mm, (plane.row_spacing_mm, plane.column_spacing_mm)
        row, column = plane.row_cosine, plane.column_cosine
        self.axes = (row, column, cross3(row, column))

    def check(self, mark: Mark, view: str, place: str, index: int) -> None:
        """Refuse a mark that is no number, is off the plane, or whose pixel is another point."""
        (x, y, z), (row, column) = mark.patient_mm, mark.pixel
        far = LARGEST_COORDINATE_MM
        if not all(-far <= value <= far for value in (x, y, z, row, column)):
            problem = "a coordinate is not a number within 100 m"
            raise ReadingError(problem, place=f"{view}.{place.format(index)}")
        away = (x - self.origin[0], y - self.origin[1], z - self.origin[2])
        u, v, w = (dot3(away, axis) for axis in self.axes)
        if abs(w) > PLANE_TOLERANCE_MM:
            problem = f"the mark lies {w:.3f} mm off its image plane; was the plane edited?"
            raise ReadingError(problem, place=f"{view}.{place.format(index)}")
        falls_on = v / self.spacing[0], u / self.spacing[1]
        if max(abs(falls_on[0] - row), abs(falls_on[1] - column)) > PIXEL_TOLERANCE:
            raise ReadingError(
                f"patient_mm falls on pixel ({falls_on[0]:.3f}, {falls_on[1]:.3f}) but the mark "
                f"says ({row:.3f}, {column:.3f}); row and column, or the spacings, may be swapped",
                place=f"{view}.{place.format(index)}",
            )
