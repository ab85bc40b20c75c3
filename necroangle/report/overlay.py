"""One picture per reading: both slices with head circle, rays, necrotic arc and the numbers."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ReadView, UnreadView
from necroangle.geometry import Arc, Circle, ImagePlane, PlanePoints
from necroangle.imaging import Slice
from necroangle.measurement import NO_NECROSIS, HipMeasurement, ViewMeasurement, show_deg
from necroangle.report.picture import Colour, Image, load_cv2, write_text
from necroangle.terms import Flag, View


@dataclass(frozen=True, slots=True)
class ViewFrame:
    """A square window on an image plane.

    Attributes
    ----------
    centre_mm
        (u, v) plane mm shown in the middle.
    field_mm
        Side of the window.
    size_px
        Side of the picture.
    """

    centre_mm: tuple[float, float]
    field_mm: float
    size_px: int

    @property
    def px_per_mm(self) -> float:
        """Picture pixels per mm, the same in both directions whatever the pixel spacing."""
        return self.size_px / self.field_mm

    def to_picture(self, points: PlanePoints) -> NDArray[np.float64]:
        """(N, 2) plane mm to (N, 2) picture pixels (x, y)."""
        offsets = np.asarray(points, float).reshape(-1, 2) - self.centre_mm
        return np.asarray(offsets * self.px_per_mm + (self.size_px - 1) / 2)

    def render(self, image: Slice) -> Image:
        """The slice as a grey picture, windowed, resampled to square mm (cubic)."""
        cv2 = load_cv2()
        grey = _windowed(image)
        half = (self.size_px - 1) / 2
        plane = image.plane
        steps = np.array((plane.column_spacing_mm, plane.row_spacing_mm))
        first = (np.array(self.centre_mm) - half / self.px_per_mm) / steps
        scale = 1 / (self.px_per_mm * steps)
        matrix = np.array([[scale[0], 0, first[0]], [0, scale[1], first[1]]])
        shown = cv2.warpAffine(
            grey,
            matrix,
            (self.size_px, self.size_px),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        coloured: Image = cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR)
        return coloured

    @classmethod
    def whole(cls, plane: ImagePlane, shape: tuple[int, int], size_px: int) -> "ViewFrame":
        """The window that shows a whole image of (rows, columns)."""
        height = shape[0] * plane.row_spacing_mm
        width = shape[1] * plane.column_spacing_mm
        middle = (
            (shape[1] - 1) / 2 * plane.column_spacing_mm,
            (shape[0] - 1) / 2 * plane.row_spacing_mm,
        )
        return cls(middle, max(height, width), size_px)


def _windowed(image: Slice) -> NDArray[np.uint8]:
    pixels = np.asarray(image.pixels, np.float32)
    low, high = image.window or tuple(np.percentile(pixels, (1.0, 99.7)))
    span = max(float(high) - float(low), 1e-6)
    return np.asarray(np.clip((pixels - low) / span, 0, 1) * 255, np.uint8)


# ---- the part of a slice that a picture shows ----------------------------------------------------


PANEL_PX = 760
FIELD_MM = 96.0
_HEADER_PX, _FOOTER_PX, _GAP_PX = 64, 152, 8
_FLAG_COLUMNS = 140

# Okabe-Ito colours (blue green red): told apart by colour-blind readers
_CIRCLE: Colour = (233, 180, 86)
_ARC: Colour = (0, 94, 213)
_RAY: Colour = (66, 228, 240)
_RIM: Colour = (115, 158, 0)
_TEXT: Colour = (235, 235, 235)
_QUIET: Colour = (165, 165, 165)
_BACK: Colour = (24, 22, 20)


def draw_reading(
    reading: HipReading,
    measurement: HipMeasurement,
    slices: Mapping[View, Slice],
    *,
    with_marks: bool = True,
) -> Image:
    """Draw a reading with its measurement.

    Parameters
    ----------
    reading
        The reading.
    measurement
        What :func:`necroangle.measurement.measure` made of it.
    slices
        The marked slice of each view that is at hand; a view without one is drawn on black.
    with_marks
        Whether circle, rays and arc are drawn; the same picture without them shows what is below.

    Returns
    -------
    Image
        (976, 1528, 3) blue green red. Identity is the pseudonym only.
    """
    width = 2 * PANEL_PX + _GAP_PX
    picture = np.full((_HEADER_PX + PANEL_PX + _FOOTER_PX, width, 3), _BACK, np.uint8)
    for index, view in enumerate(reading.views):
        left = index * (PANEL_PX + _GAP_PX)
        measured = (measurement.a, measurement.b)[index]
        image = slices.get(view.view)
        panel = _draw_view(view, measured, image, "AB"[index], with_marks=with_marks)
        picture[_HEADER_PX : _HEADER_PX + PANEL_PX, left : left + PANEL_PX] = panel
    _write_header(picture, reading)
    _write_footer(picture, measurement)
    return picture


def draw_slice(
    view: ReadView, measured: ViewMeasurement, image: Slice, size_px: int = PANEL_PX
) -> Image:
    """Draw a slice parallel to a view's own, framed as the view is: what lies before and behind."""
    frame = _frame(view, measured.circle)
    return replace(frame, size_px=size_px).render(image)


def _draw_view(
    view: ReadView | UnreadView,
    measured: ViewMeasurement | None,
    image: Slice | None,
    letter: str,
    *,
    with_marks: bool,
) -> Image:
    middle = (PANEL_PX // 2, PANEL_PX // 2)
    if isinstance(view, UnreadView) or measured is None:
        panel: Image = np.zeros((PANEL_PX, PANEL_PX, 3), np.uint8)
        why = view.reason if isinstance(view, UnreadView) else ""
        write_text(panel, f"{view.view.label}: not read", middle, _TEXT, 30, centred=True)
        write_text(panel, why.replace("_", " "), (middle[0], 430), _QUIET, 24, centred=True)
        return panel
    circle = measured.circle
    frame = _frame(view, circle)
    panel = frame.render(image) if image else np.zeros((PANEL_PX, PANEL_PX, 3), np.uint8)
    if image is None:
        write_text(panel, "image not available", (middle[0], 700), _QUIET, 24, centred=True)
    if circle and with_marks:
        _draw_marks(panel, frame, view, measured.arcs, circle)
    _write_letters(panel, view)
    _draw_scale_bar(panel, frame, calibrated=view.plane.calibrated)
    title = f"{letter}  {view.view.label}"
    write_text(panel, title, (16, 36), _TEXT, 26, bold=True)
    write_text(panel, show_deg(measured.angle_deg), (16, 74), _RAY, 32, bold=True)
    return panel


def _frame(view: ReadView, circle: Circle | None) -> ViewFrame:
    if circle:
        return ViewFrame(circle.centre_mm, max(FIELD_MM, circle.radius_mm * 3.5), PANEL_PX)
    shape = (view.plane.rows, view.plane.columns)
    return ViewFrame.whole(view.plane.plane(), shape, PANEL_PX)


def _draw_marks(
    panel: Image, frame: ViewFrame, view: ReadView, arcs: tuple[Arc, ...], circle: Circle
) -> None:
    plane = view.plane.plane()
    _polyline(panel, frame, _along(circle, 0.0, 360.0), _CIRCLE, 2)
    for arc in arcs:
        _draw_arc(panel, frame, circle, arc)
    for mark in view.rim:
        u = mark.pixel[1] * plane.column_spacing_mm
        v = mark.pixel[0] * plane.row_spacing_mm
        _dot(panel, frame, (u, v), _RIM, 5)
    _dot(panel, frame, circle.centre_mm, _RAY, 4)


def _draw_arc(panel: Image, frame: ViewFrame, circle: Circle, arc: Arc) -> None:
    points = _along(circle, arc.start_deg, arc.extent_deg)
    _polyline(panel, frame, points, _ARC, 5)
    for end in (points[0], points[-1]):
        _polyline(panel, frame, PlanePoints(np.array([circle.centre_mm, end])), _RAY, 1)
        _dot(panel, frame, (float(end[0]), float(end[1])), _ARC, 7)


def _along(circle: Circle, start_deg: float, extent_deg: float) -> PlanePoints:
    turn = np.radians(start_deg + np.linspace(0.0, extent_deg, 181))
    directions = np.column_stack((np.cos(turn), np.sin(turn)))
    return PlanePoints(np.asarray(circle.centre_mm) + circle.radius_mm * directions)


def _polyline(
    panel: Image, frame: ViewFrame, points: PlanePoints, colour: Colour, width_px: int
) -> None:
    cv2 = load_cv2()
    shift = 4
    fixed = np.round(frame.to_picture(points) * (1 << shift)).astype(np.int32)
    cv2.polylines(panel, [fixed], False, colour, width_px, cv2.LINE_AA, shift)


def _dot(
    panel: Image, frame: ViewFrame, point_mm: tuple[float, float], colour: Colour, radius_px: int
) -> None:
    cv2 = load_cv2()
    shift = 4
    x, y = frame.to_picture(PlanePoints(np.array([point_mm])))[0] * (1 << shift)
    place = (round(x), round(y))
    cv2.circle(panel, place, (radius_px + 1) << shift, (0, 0, 0), -1, cv2.LINE_AA, shift)
    cv2.circle(panel, place, radius_px << shift, colour, -1, cv2.LINE_AA, shift)


def _write_letters(panel: Image, view: ReadView) -> None:
    if view.view.is_radiograph:
        return
    edges = view.plane.plane().edge_letters()
    far, middle = PANEL_PX - 22, PANEL_PX // 2
    places = {"left": (22, middle), "right": (far, middle), "top": (middle, 36)}
    places["bottom"] = (middle, PANEL_PX - 18)
    for edge, place in places.items():
        write_text(panel, edges[edge], place, _QUIET, 26, bold=True, centred=True)


def _draw_scale_bar(panel: Image, frame: ViewFrame, *, calibrated: bool) -> None:
    if not calibrated:
        write_text(panel, "not calibrated: no mm", (16, PANEL_PX - 20), _QUIET, 20)
        return
    cv2 = load_cv2()
    length, y = round(20 * frame.px_per_mm), PANEL_PX - 24
    cv2.rectangle(panel, (16, y), (16 + length, y + 5), _TEXT, -1)
    write_text(panel, "20 mm", (16, y - 10), _TEXT, 20)


def _write_header(picture: Image, reading: HipReading) -> None:
    side = {"L": "left hip", "R": "right hip"}[reading.laterality]
    write_text(picture, f"{reading.subject}, {side}", (16, 42), _TEXT, 30, bold=True)
    words = f"visit {reading.visit}    reader {reading.reader}, read {reading.read_no}"
    write_text(picture, words, (PANEL_PX + _GAP_PX + 16, 42), _QUIET, 26)


def _write_footer(picture: Image, measurement: HipMeasurement) -> None:
    top = _HEADER_PX + PANEL_PX
    write_text(picture, _sum_line(measurement), (16, top + 46), _TEXT, 32, bold=True)
    write_text(picture, _grade_line(measurement), (16, top + 84), _TEXT, 24)
    lines = textwrap.wrap(_flag_words(measurement), _FLAG_COLUMNS, max_lines=2, placeholder=" …")
    for number, line in enumerate(lines):
        write_text(picture, line, (16, top + 114 + 26 * number), _QUIET, 20)


def _sum_line(measurement: HipMeasurement) -> str:
    a, b = (view.estimate.show_deg() if view else "–" for view in (measurement.a, measurement.b))
    total = measurement.cna.show_deg() if measurement.cna else "–"
    return f"A {a} + B {b} = CNA {total}"


def _grade_line(measurement: HipMeasurement) -> str:
    words = [measurement.method.title]
    if measurement.no_necrosis:
        words.append(NO_NECROSIS)
    if measurement.ha_grade is not None:
        words.append(f"grade {measurement.ha_grade:d}, {measurement.ha_risk} risk")
    if measurement.kerboul is not None:
        words.append(f"Kerboul {measurement.kerboul}")
    return "   |   ".join(words)


def _flag_words(measurement: HipMeasurement) -> str:
    words = [flag.meaning for flag in measurement.flags]
    views = [view for view in (measurement.a, measurement.b) if view]
    for flag in Flag:
        where = [view.view.label for view in views if flag in view.flags]
        words += [f"{' and '.join(where)}: {flag.meaning}"] if where else []
    return "; ".join(words) or "no flags"
