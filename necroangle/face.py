"""The face for a scientist: points, a file or a folder to angles, in a few lines.

::

    import necroangle as na

    hip = na.hip(coronal=(rim_a, arc_a), sagittal=(rim_b, arc_b), side="L")
    hip.cna_deg, hip.interval_deg, hip.flags

Points are mm. Three coordinates are patient LPS mm on one slice; two are mm in the picture, to the
right and down, and need no plane. In a notebook a hip shows itself with a picture.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReaderEntries,
    ReadView,
    UnreadView,
    decode_reading,
    encode_reading,
    load_reading,
)
from necroangle.batch import Plan, measure_files, open_stream
from necroangle.errors import GeometryError, MethodError, ReadingError
from necroangle.geometry import ImagePlane
from necroangle.ledger.table import frame_of
from necroangle.measurement import (
    DEFAULTS,
    METHODS,
    HipChange,
    HipMeasurement,
    Method,
    Settings,
    ViewMeasurement,
    change_between,
    measure,
    method_named,
)
from necroangle.measurement.marks import plane_points
from necroangle.report.sketch import view_svg
from necroangle.terms import Finding, Flag, Laterality, UnreadReason, View

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "METHODS",
    "Angle",
    "Change",
    "Hip",
    "Method",
    "Settings",
    "angle",
    "change",
    "hip",
    "read",
    "table",
]

Array = NDArray[np.float64]
Marked = tuple[ArrayLike, ArrayLike | None]
"""Rim marks, and an arc as its start, its end and a point between, or several such, or None."""

_NO_PICTURE = (1, 1)
"""Points come without a picture, outside of which none can lie."""
_ASIDE_MM = 90.0
"""Where a head lies that was marked in a picture alone: on its side of the patient."""

_MOST_OFF_MM = 0.5
_LEAST_TURN = 0.3
"""Sine of the angle between a slice's normal and the row that a picture of its view has."""

_AXES = {
    View.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    View.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}


@dataclass(frozen=True, slots=True, repr=False)
class Angle:
    """The angle of one view.

    Attributes
    ----------
    measurement
        All that was measured.
    rim_mm
        The rim marks, plane mm.
    """

    measurement: ViewMeasurement
    rim_mm: tuple[tuple[float, float], ...]

    @property
    def deg(self) -> float:
        """The angle, degrees."""
        return self.measurement.angle_deg

    @property
    def interval_deg(self) -> tuple[float, float]:
        """Bounds of its 95 % interval, degrees."""
        return self.measurement.estimate.interval_95()

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is doubtful: words, each with a ``meaning``."""
        return self.measurement.flags

    def __repr__(self) -> str:
        """One line."""
        shown = self.measurement.estimate.show_deg()
        return f"<{self.measurement.view.label} {shown}{_flag_words(self.flags)}>"

    def _repr_html_(self) -> str:
        """The line with its picture."""
        return f"<div>{view_svg(self.measurement, self.rim_mm)}<br>{escape(repr(self))}</div>"


@dataclass(frozen=True, slots=True, repr=False)
class Hip:
    """A hip that was measured.

    Attributes
    ----------
    reading
        What was marked: as a reading file holds it.
    measurement
        All that was measured.
    """

    reading: HipReading
    measurement: HipMeasurement

    @property
    def cna_deg(self) -> float | None:
        """The combined necrotic angle, degrees; None where a view is missing."""
        return self.measurement.cna_deg

    @property
    def interval_deg(self) -> tuple[float, float] | None:
        """Bounds of its 95 % interval, degrees."""
        cna = self.measurement.cna
        return cna.interval_95() if cna is not None else None

    @property
    def a(self) -> Angle | None:
        """The coronal view, or the AP radiograph."""
        return self._angle(self.measurement.a, 0)

    @property
    def b(self) -> Angle | None:
        """The sagittal view, or the lateral radiograph."""
        return self._angle(self.measurement.b, 1)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is doubtful about the hip and its views: words, each with a ``meaning``."""
        views = [view.flags for view in (self.measurement.a, self.measurement.b) if view]
        raised = {flag for some in (self.measurement.flags, *views) for flag in some}
        return tuple(flag for flag in Flag if flag in raised)

    def _angle(self, view: ViewMeasurement | None, place: int) -> Angle | None:
        marked = self.reading.views[place]
        if view is None or not isinstance(marked, ReadView):
            return None
        places = plane_points(marked.rim, marked.plane.plane()).tolist()
        return Angle(view, tuple((u, v) for u, v in places))

    def __repr__(self) -> str:
        """One line."""
        found = self.measurement
        cna = found.cna.show_deg() if found.cna else "none"
        grade = f", Ha grade {int(found.ha_grade)}" if found.ha_grade is not None else ""
        views = ", ".join(
            f"{view.view.label} {view.estimate.show_deg()}" for view in (found.a, found.b) if view
        )
        key = f"{self.reading.subject} {self.reading.laterality} {self.reading.visit}"
        return f"<{key}: CNA {cna}{grade}; {views}{_flag_words(self.flags)}>"

    def _repr_html_(self) -> str:
        """The line with the pictures of both views."""
        drawn = "".join(
            view_svg(one.measurement, one.rim_mm) for one in (self.a, self.b) if one is not None
        )
        return f"<div>{drawn}<br>{escape(repr(self))}</div>"


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """What changed between two visits of a hip.

    Attributes
    ----------
    measurement
        All that is known of it.
    """

    measurement: HipChange

    @property
    def deg(self) -> float | None:
        """Later less earlier combined angle, degrees."""
        return self.measurement.cna.value if self.measurement.cna else None

    @property
    def interval_deg(self) -> tuple[float, float] | None:
        """Bounds of its 95 % interval, degrees."""
        return self.measurement.cna.interval_95() if self.measurement.cna else None

    @property
    def is_real(self) -> bool | None:
        """Whether it is beyond the error of measuring; None where it cannot be said."""
        return self.measurement.is_real

    def __repr__(self) -> str:
        """One line."""
        if self.measurement.cna is None:
            return "<change: none, a combined angle is missing>"
        word = {True: "beyond", False: "within", None: "not held against"}[self.is_real]
        low, high = self.measurement.cna.interval_95()
        return (
            f"<change {self.measurement.cna.value:+.1f}° ({low:+.1f}° to {high:+.1f}°): "
            f"{word} the error of measuring>"
        )

    def _repr_html_(self) -> str:
        """The line."""
        return f"<div>{escape(repr(self))}</div>"


def angle(
    rim: ArrayLike, arc: ArrayLike | None, *, view: str = "coronal", side: str = "L"
) -> Angle:
    """The angle of one view from its points.

    Parameters
    ----------
    rim
        (N, 2) picture mm or (N, 3) patient LPS mm of the intact rim, N >= 3.
    arc
        (3, 2) or (3, 3): start, end, and a point between on the necrotic side; (K, 3, 2) for
        several; None where there is no necrosis.
    view
        ``"coronal"`` or ``"sagittal"``.
    side
        ``"L"`` or ``"R"``.

    Raises
    ------
    GeometryError
        If the points give no circle, no arc, or no plane; or an angle that would mean nothing.

    Examples
    --------
    >>> turn = np.radians(np.arange(170, 400, 20))
    >>> rim = 24 * np.column_stack((np.cos(turn), np.sin(turn)))
    >>> angle(rim, rim[[3, 8, 5]]).deg
    100.0
    """
    if view not in ("coronal", "sagittal"):
        raise GeometryError(f"the view is 'coronal' or 'sagittal', found {view!r}")
    marks: dict[str, Marked] = {view: (rim, arc)}
    found = hip(**marks, side=side)  # type: ignore[arg-type]
    one = found.a or found.b
    if one is None:
        raise GeometryError("no view was marked")
    return one


def hip(
    coronal: Marked | None = None,
    sagittal: Marked | None = None,
    *,
    side: str,
    subject: str = "points",
    visit: str = "m00",
    reader: str = "script",
    arco: str | None = None,
    method: str | Method | None = None,
    settings: Settings = DEFAULTS,
) -> Hip:
    """A hip from the points of its MR views.

    Parameters
    ----------
    coronal, sagittal
        Rim and arc of each view, as for :func:`angle`; None where it was not read.
    side
        ``"L"`` or ``"R"``.
    subject, visit, reader
        What it is called: pseudonyms.
    arco
        The ARCO stage, ``"1"`` to ``"4"``: a collapsed head is measured in another way.
    method, settings
        How it is measured; by default Ha 2006.

    Raises
    ------
    GeometryError, MethodError
        As :func:`necroangle.measurement.measure`.

    Examples
    --------
    >>> turn = np.radians(np.arange(170, 400, 20))
    >>> rim = 24 * np.column_stack((np.cos(turn), np.sin(turn)))
    >>> found = hip((rim, rim[[3, 8, 5]]), (rim, rim[[3, 7, 5]]), side="R")
    >>> found.cna_deg
    180.0
    >>> print(found)
    <points R m00: CNA 180.0° (...), Ha grade 1; coronal 100.0° (...), sagittal 80.0° (...)...>
    """
    if side not in ("L", "R"):
        raise GeometryError(f"the side is 'L' or 'R', found {side!r}")
    if coronal is None and sagittal is None:
        raise GeometryError("no points: give the rim and the arc of a view")
    whose, way = Laterality(side), _method(method, settings)
    first, second = (
        _view(view, marked, whose)
        for view, marked in ((View.CORONAL, coronal), (View.SAGITTAL, sagittal))
    )
    reading = HipReading(
        format="necroangle.reading",
        version=3,
        subject=subject,
        laterality=whose,
        visit=visit,
        reader=reader,
        read_no=1,
        views=(first, second),
        entries=ReaderEntries.of({"arco": arco}),
        notes="",
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=(),
        saved_at="2026-01-01T00:00:00.000Z",
        software="necroangle points 1",
    )
    reading = decode_reading(encode_reading(reading))  # names and all, as a file would be read
    return Hip(reading, measure(reading, way, settings))


def read(
    path: Path | str, *, method: str | Method | None = None, settings: Settings = DEFAULTS
) -> Hip:
    """A hip from its reading file.

    Raises
    ------
    ReadingError
        If the file is no reading.
    GeometryError, MethodError
        As :func:`necroangle.measurement.measure`.
    """
    way, (file,) = _method(method, settings), _paths((path,))
    if file.is_dir():
        raise ReadingError(f"{file.name} is a folder: na.table(folder) reads all readings in it")
    reading = load_reading(file)
    return Hip(reading, measure(reading, way, settings))


def change(earlier: Hip, later: Hip) -> Change:
    """What changed between two visits of a hip that were measured alike.

    Raises
    ------
    MethodError
        If they were measured by different methods, are of different hips, or are no hips.
    """
    for one in (earlier, later):
        if not isinstance(one, Hip):
            raise MethodError(
                f"a change is between two hips, of na.hip or na.read; found {type(one).__name__}"
            )
    hips = [(one.reading.subject, one.reading.laterality) for one in (earlier, later)]
    if hips[0] != hips[1]:
        named = " and ".join(" ".join(one) for one in hips)
        raise MethodError(f"the two readings are of different hips: {named}")
    return Change(change_between(earlier.measurement, later.measurement))


def table(
    *places: Path | str,
    methods: str | Method | Iterable[str | Method] = (),
    settings: Settings = DEFAULTS,
    columns: Mapping[str, Callable[[Hip], Any]] | None = None,
) -> "pd.DataFrame":
    """Reading files, or folders of them, as a data frame: a row per reading and method.

    Parameters
    ----------
    places
        Files, folders, ZIP archives, packs.
    methods
        Names, or methods of your own, or one of them; by default that of each reading's kind of
        image.
    settings
        What is taken as given.
    columns
        Columns of your own, each a function of the hip.

    Returns
    -------
    DataFrame
        The columns of the cohort table. ``attrs["refused"]`` names what gave no row, and
        ``attrs["look_at"]`` what speaks against readings.

    Examples
    --------
    >>> table("nowhere.reading.json").attrs["refused"]
    ['nowhere.reading.json: there is no such file']
    """
    asked = [methods] if isinstance(methods, (str, Method)) else methods
    ways: Sequence[Method | None] = [_method(one, settings) for one in asked] or [None]
    if not (files := _paths(places)):
        raise ReadingError("no place was given: name a folder of readings, or reading files")
    for name, value in (columns or {}).items():
        if not callable(value):
            raise MethodError(f"column {name}: it is a function of a hip, found {value!r}")
    found = [measure_files(files, way, None, settings) for way in ways]
    rows = sorted((row for one in found for row in one.rows), key=lambda row: row.key)
    frame = frame_of(rows)
    frame["method"] = [str(row["method"]) for row in rows]
    if columns:
        hips = _hips(files, ways, settings)
        for name, value in columns.items():
            frame[name] = [value(hips[row.key]) for row in rows]
    frame.attrs["refused"] = sorted({str(fault) for one in found for fault in one.refusals})
    frame.attrs["look_at"] = sorted({str(misfit) for one in found for misfit in one.misfits})
    return frame


def _hips(
    places: Iterable[Path | str], ways: Sequence[Method | None], settings: Settings
) -> dict[tuple[Any, ...], Hip]:
    """Every reading that gives a row, by its row's key."""
    stream = open_stream(places, Plan(tuple(ways), settings))
    contents = [raw for part in stream.results(keep=True) for raw in part.contents.values()]
    found: dict[tuple[Any, ...], Hip] = {}
    for reading in map(decode_reading, contents):
        for way in ways:
            one = Hip(reading, measure(reading, way, settings))
            found[(*map(str, reading.key[:4]), reading.read_no, one.measurement.method.name)] = one
    return found


def _paths(places: Iterable[Any]) -> list[Path]:
    """The places as paths; a list of places is as good as its members.

    Raises
    ------
    ReadingError
        If one is no path.
    """
    found: list[Path] = []
    for one in places:
        if isinstance(one, (list, tuple)):
            found += _paths(one)
        elif isinstance(one, (str, Path)) and str(one):
            found.append(Path(one))
        else:
            raise ReadingError(f"a place is a path of files or a folder, found {one!r}")
    return found


def _method(method: str | Method | None, settings: Settings) -> Method | None:
    """The method that is meant.

    Raises
    ------
    MethodError
        If there is none of that name, or method or settings are something else.
    """
    if not isinstance(settings, Settings):
        raise MethodError(f"settings are na.Settings(...), found {type(settings).__name__}")
    if method is None or isinstance(method, Method):
        return method
    if isinstance(method, str):
        return method_named(method)
    raise MethodError(f"a method is a name or one of na.METHODS, found {method!r}")


def _flag_words(flags: Iterable[Flag]) -> str:
    words = ", ".join(flags)
    return f"; {words}" if words else ""


def _view(view: View, marked: Marked | None, side: Laterality) -> ReadView | UnreadView:
    if marked is None:
        return UnreadView(view, UnreadReason.NOT_DONE)
    parts: Any = marked
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        raise GeometryError(
            f"{view.label} view: give (rim, arc), the arc None where there is no necrosis"
        )
    rim, arcs = _points(marked[0], view), _arcs(marked[1], view)
    if len(arcs) and rim.shape[1] != arcs.shape[2]:
        raise GeometryError(f"{view.label} view: rim and arc are both (.., 3) or both (.., 2) mm")
    flat = rim.shape[1] == 2
    plane = _picture_plane(view, rim, side) if flat else _patient_plane(view, rim, arcs)
    frame = f"2.25.{1 + view.is_a}" if flat else "2.25.9"
    stem = f"2.25.1.{1 + view.is_a}"

    def mark(point: Array) -> Mark:
        if flat:
            return Mark.at_plane(plane, float(point[0]), float(point[1]))
        x, y, z = point.tolist()
        return Mark.at_patient(plane, (x, y, z))

    return ReadView(
        view=view,
        finding=Finding.NECROSIS if len(arcs) else Finding.NO_NECROSIS,
        image=ImageRecord("2.25.1", stem, f"{stem}.1", 1, frame),
        plane=PlaneRecord.of(plane, _NO_PICTURE),
        passport=None,
        rim=tuple(map(mark, rim)),
        arcs=tuple(NecroticArc(*map(mark, arc)) for arc in arcs),
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )


def _points(points: ArrayLike, view: View) -> Array:
    found = _numbers(points, view)
    if found.ndim != 2 or found.shape[1] not in (2, 3):
        raise GeometryError(
            f"{view.label} view: points are (N, 2) or (N, 3) mm, found shape {found.shape}"
        )
    if len(found) < 3:
        raise GeometryError(
            f"{view.label} view: a circle needs 3 rim points or more, found {len(found)}"
        )
    return found


def _numbers(points: ArrayLike, view: View) -> Array:
    """Points as finite numbers.

    Raises
    ------
    GeometryError
        If they are something else, or one is missing.
    """
    plain = points if hasattr(points, "__len__") or not np.iterable(points) else list(points)
    try:
        found = np.asarray(plain)
        if found.dtype.kind in "bcSU" or np.ma.is_masked(plain):
            raise ValueError
        numbers = np.array(found, float)
    except (TypeError, ValueError):
        raise GeometryError(
            f"{view.label} view: points are numbers, mm, a row each; found {type(points).__name__} "
            "that holds something else"
        ) from None
    if not np.isfinite(numbers).all():
        raise GeometryError(f"{view.label} view: a point is not a finite number; leave it out")
    return numbers


def _arcs(arc: ArrayLike | None, view: View) -> Array:
    """(K, 3, D) start, end and middle of the arcs."""
    if arc is None:
        return np.zeros((0, 3, 2))
    found = _numbers(arc, view)
    found = found[None] if found.ndim == 2 else found
    if found.ndim != 3 or found.shape[1] != 3 or found.shape[2] not in (2, 3):
        raise GeometryError(
            f"{view.label} view: an arc is its start, its end and a point between, (3, 2) or "
            f"(3, 3) mm; found shape {found.shape}"
        )
    return found


def _picture_plane(view: View, rim: Array, side: Laterality) -> ImagePlane:
    """A plane for points of a picture: the head lies on its side of the patient."""
    row, column = map(np.array, _AXES[view])
    u, v = rim.mean(axis=0)
    x = _ASIDE_MM if side is Laterality.LEFT else -_ASIDE_MM
    origin = np.array((x, 0.0, 0.0)) - u * row - v * column
    return ImagePlane.from_dicom(origin.tolist(), [*row, *column], (1.0, 1.0))


def _patient_plane(view: View, rim: Array, arcs: Array) -> ImagePlane:
    """The plane through the points of a slice, its axes as a picture of that view has them."""
    points = np.concatenate((rim, arcs.reshape(-1, arcs.shape[2]))) if len(arcs) else rim
    middle = rim.mean(axis=0)
    normal = np.linalg.svd(points - middle)[2][2]
    off = float(np.abs((points - middle) @ normal).max())
    if off > _MOST_OFF_MM:
        raise GeometryError(
            f"{view.label} view: the points lie up to {off:.1f} mm off one slice; mark one slice"
        )
    row, column = map(np.array, _AXES[view])
    row = row - (row @ normal) * normal
    if not np.linalg.norm(row) > _LEAST_TURN:
        raise GeometryError(f"{view.label} view: the points lie on a slice of another view")
    row = row / np.linalg.norm(row)
    down = np.cross(normal, row)
    down = down if down @ column > 0 else -down
    return ImagePlane.from_dicom(middle.tolist(), [*row, *down], (1.0, 1.0))
