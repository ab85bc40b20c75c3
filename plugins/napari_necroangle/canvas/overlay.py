"""All that is drawn over a picture: lines, marks, letters, scale bar, painted on a clear widget.

What there is to draw is a :class:`Sketch`, in plane mm; an :class:`Overlay` paints it. The overlay
knows of the picture below it a :class:`Ground` alone (a widget, mm to pixels, pixels to mm), so it
does not matter who paints the picture. A new kind of line is a pen in :data:`PENS` and a call of
:meth:`Sketch.draw`; words in a corner are a call of :meth:`Sketch.write`.

The colours are Okabe and Ito's, told apart by every kind of colour vision; each role of a mark also
has a shape of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QLineF, QObject, QPointF, QRectF, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from qtpy.QtWidgets import QWidget

from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.drawing import NO_SEGMENTS, Segments

Points = NDArray[np.float64]

_SKY, _ORANGE, _VERMILLION = "#56b4e9", "#e69f00", "#d55e00"
_YELLOW, _PURPLE, _GREEN = "#f0e442", "#cc79a7", "#009e73"


@dataclass(frozen=True, slots=True)
class Pen:
    """What the lines of a part look like.

    ``width_px``: its width on the screen, at every zoom.
    ``has_rim``: whether it has a dark rim, to be seen over bright marrow too.
    """

    colour: str
    width_px: float
    has_rim: bool = False


PENS = {
    "reference": Pen(_GREEN, 1.5),
    "outline": Pen(_YELLOW, 1.5),
    "circle": Pen(_SKY, 2.0),
    "rays": Pen(_ORANGE, 2.0),
    "arc": Pen(_VERMILLION, 5.0),
    "ghost": Pen(_PURPLE, 2.0),
    "ghost arc": Pen(_PURPLE, 3.5),
    "first reader circle": Pen(_YELLOW, 1.8),
    "first reader arcs": Pen(_YELLOW, 4.5),
    "second reader circle": Pen(_PURPLE, 1.8),
    "second reader arcs": Pen(_PURPLE, 4.5),
    "cursor": Pen("#f5f5f5", 1.5, has_rim=True),
}
"""The lines over a picture, by part, from the lowest to the highest."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Colour, shape and width in pixels of a mark."""

    colour: str
    shape: str
    size_px: float


_LOOKS = {
    Role.RIM: _Look(_SKY, "disc", 9.0),
    Role.START: _Look(_ORANGE, "square", 12.0),
    Role.END: _Look(_ORANGE, "square", 12.0),
    Role.VIA: _Look(_YELLOW, "diamond", 13.0),
    Role.LANDMARK: _Look(_PURPLE, "cross", 15.0),
    Role.CONTOUR: _Look(_YELLOW, "ring", 7.0),
    Role.MARKER: _Look(_PURPLE, "ring", 11.0),
}
_SELECTED, _BORDER = QColor("#ffffff"), QColor("#101010")
_BORDER_PX = 1.5
_LETTERS, _RIM = QColor("#ffffff"), QColor(0, 0, 0, 220)
_AROUND = tuple((right, down) for right in (-1, 0, 1) for down in (-1, 0, 1) if right or down)
"""Where the rim of a letter is painted, pixels."""
_EDGE_PX = 8
"""How far texts stay from the canvas' edge."""
_LARGEST_PX = 12.0
"""No mark and no pen reaches further from its point."""
_SMALL_PX, _LARGE_PX = 13, 20
LOUPE_PX, LOUPE_GAIN = 80.0, 3.0
"""Radius of the loupe, and how much larger it shows."""
_BAR_PX = 120.0
"""The scale bar is at most so long."""


class Anchor(StrEnum):
    """Where words stand on a canvas: in its corners, and in the middle of its edges.

    The first keep their places; where there is no room, the later stand below them.
    """

    TOP_LEFT = "top left"
    TOP_RIGHT = "top right"
    TOP = "top"
    LEFT = "left"
    RIGHT = "right"
    BOTTOM_LEFT = "bottom left"
    BOTTOM = "bottom"


_TO_LEFT = Qt.AlignmentFlag.AlignLeft
_SIDES = {Anchor.TOP_RIGHT: Qt.AlignmentFlag.AlignRight}
_EDGES = (Anchor.LEFT, Anchor.RIGHT, Anchor.TOP, Anchor.BOTTOM)


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """A mark over a picture.

    ``index``: the slice that it lies on, from 0.
    ``uv_mm``: (u, v) plane mm.
    """

    handle: Handle
    index: int
    uv_mm: tuple[float, float]
    is_selected: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A part of a picture, to be painted.

    ``greys``: (rows, columns) as they are shown, 0 to 255.
    ``corners_mm``: (2, 2) plane mm of the outer corners: upper left, lower right.
    """

    greys: NDArray[np.uint8]
    corners_mm: Points


class Sketch:
    """What there is to draw over a picture; whoever paints it is told of each change.

    Attributes
    ----------
    index
        The slice that is shown, from 0.
    visible
        Whether lines and marks are shown; words are in any case.
    marks
        The marks of all slices.
    loupe
        Where there is a loupe, (u, v) plane mm, and the picture in it; None for none.
    on_change
        Called after a change with (N, 2) plane mm between which all of it lies; None for anywhere.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[Points | None], None] = lambda _: None
        self.index, self.visible, self.has_bar = 0, True, False
        self.marks: tuple[DrawnMark, ...] = ()
        self.texts: dict[Anchor, str] = {}
        self.loupe: tuple[tuple[float, float], Tile] | None = None
        self._lines: dict[str, dict[int, Segments]] = {}

    def draw(self, pen: str, lines: Mapping[int, Segments]) -> None:
        """Draw these lines with a pen, and no others: (N, 2, 2) plane mm, by slice."""
        there = {index: segments for index, segments in lines.items() if len(segments)}
        before = self._lines.get(pen, {})
        same = there.keys() == before.keys() and all(
            np.array_equal(segments, before[index]) for index, segments in there.items()
        )
        if not same:
            self._lines[pen] = there
            changed = [one.reshape(-1, 2) for one in (*before.values(), *there.values())]
            self.on_change(np.concatenate(changed))

    def lines(self, pen: str) -> Mapping[int, Segments]:
        """What a pen has drawn, by slice."""
        return self._lines.get(pen, {})

    def put(self, marks: tuple[DrawnMark, ...]) -> None:
        """Show these marks, and no others."""
        changed = [one.uv_mm for one in {*marks} ^ {*self.marks}]
        if marks != self.marks:
            self.marks = marks
            self.on_change(np.array(changed).reshape(-1, 2))

    def write(self, anchor: Anchor, words: str) -> None:
        """Write these words at a place; empty words take those away that stand there."""
        if words != self.texts.get(anchor, ""):
            self.texts[anchor] = words
            self.on_change(None)

    def magnify(self, loupe: tuple[tuple[float, float], Tile] | None) -> None:
        """Show a loupe at a point, plane mm, with what is seen in it; or none."""
        if loupe is not self.loupe:
            self.loupe = loupe
            self.on_change(None)

    def show(self, *, index: int | None = None, visible: bool | None = None) -> None:
        """Show another slice, or show and hide lines and marks."""
        self.index = self.index if index is None else index
        self.visible = self.visible if visible is None else visible
        self.on_change(None)

    def clear(self) -> None:
        """Draw nothing any more."""
        self.marks, self.has_bar, self.loupe = (), False, None
        self.texts.clear()
        self._lines.clear()
        self.on_change(None)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of a picture by those who draw over it and listen to its mouse.

    ``to_px`` and ``to_mm``: (N, 2) plane mm (u, v) to logical pixels (x, y) of the widget, and
    back.
    """

    widget: QWidget
    to_px: Callable[[Points], Points]
    to_mm: Callable[[Points], Points]


class Overlay(QWidget):
    """A clear widget as large as the picture below, which keeps the mouse."""

    def __init__(self, ground: Ground, sketch: Sketch) -> None:
        super().__init__(ground.widget)
        self._ground, self._sketch = ground, sketch
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        ground.widget.installEventFilter(self)
        self.resize(ground.widget.size())
        sketch.on_change = self._repaint
        self.show()
        self.raise_()

    def text(self) -> str:
        """All words that stand on the picture."""
        return "\n".join(words for words in self._sketch.texts.values() if words)

    def close_over(self) -> None:
        """Let the picture be."""
        self._sketch.on_change = lambda _: None
        self._ground.widget.removeEventFilter(self)
        self.setParent(None)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay as large as the picture."""
        if event.type() == QEvent.Type.Resize and watched is self._ground.widget:
            self.resize(self._ground.widget.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the sketch, as far as it is to be painted anew."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sketch = self._sketch
        if sketch.visible:
            self._paint_lines(painter)
            self._paint_marks(painter)
        self._paint_texts(painter, QRectF(event.rect()))
        if sketch.has_bar:
            self._paint_bar(painter)
        if sketch.loupe is not None:
            self._paint_loupe(painter, *sketch.loupe)
        painter.end()

    def _repaint(self, within_mm: Points | None) -> None:
        """Paint anew what lies between these points, or all; in Qt's own time, and once."""
        if within_mm is None:
            self.update()
        elif len(within_mm):
            places = self._ground.to_px(within_mm)
            (left, top), (right, low) = places.min(axis=0), places.max(axis=0)
            room = QRectF(left, top, right - left, low - top)
            beyond = _LARGEST_PX
            self.update(room.adjusted(-beyond, -beyond, beyond, beyond).toAlignedRect())

    def _paint_lines(self, painter: QPainter) -> None:
        for name, pen in PENS.items():
            segments = self._sketch.lines(name).get(self._sketch.index, NO_SEGMENTS)
            if len(segments):
                path = _path(self._ground.to_px(segments.reshape(-1, 2)))
                if pen.has_rim:
                    painter.strokePath(path, _line_pen(_RIM, pen.width_px + 2 * _BORDER_PX))
                painter.strokePath(path, _line_pen(QColor(pen.colour), pen.width_px))

    def _paint_loupe(self, painter: QPainter, uv_mm: tuple[float, float], tile: Tile) -> None:
        """The picture and its lines round a point, larger, in a ring."""
        middle = QPointF(*self._ground.to_px(np.array([uv_mm]))[0].tolist())
        ring = QPainterPath()
        ring.addEllipse(middle, LOUPE_PX, LOUPE_PX)
        painter.save()
        painter.setClipPath(ring)
        painter.fillPath(ring, Qt.GlobalColor.black)
        painter.translate(middle)
        painter.scale(LOUPE_GAIN, LOUPE_GAIN)
        painter.translate(-middle)
        paint_tile(painter, self._ground, tile)
        if self._sketch.visible:
            self._paint_lines(painter)
        painter.restore()
        painter.strokePath(ring, QPen(_LETTERS, 1.5))

    def _paint_marks(self, painter: QPainter) -> None:
        here = [one for one in self._sketch.marks if one.index == self._sketch.index]
        if not here:
            return
        places = self._ground.to_px(np.array([one.uv_mm for one in here])).tolist()
        for mark, place in zip(here, places, strict=True):
            _paint_mark(painter, _LOOKS[mark.handle.role], QPointF(*place), mark.is_selected)

    def _paint_texts(self, painter: QPainter, within: QRectF) -> None:
        small, large = _font(self, _SMALL_PX, bold=False), _font(self, _LARGE_PX, bold=True)
        taken: list[QRectF] = []
        for anchor in Anchor:
            if words := self._sketch.texts.get(anchor, ""):
                font = large if anchor in _EDGES else small
                room = _room_of(anchor, words, QFontMetricsF(font), self.width(), self.height())
                if anchor is Anchor.TOP_RIGHT and any(one.intersects(room) for one in taken):
                    words = words.split("\n")[0]  # a narrow canvas has room for the first line
                    room = _room_of(anchor, words, QFontMetricsF(font), self.width(), self.height())
                while below := [one.bottom() for one in taken if one.intersects(room)]:
                    room.moveTop(max(below) + 1.0)
                taken.append(room)
                if room.intersects(within):
                    painter.setFont(font)
                    _paint_words(painter, room, words, _SIDES.get(anchor, _TO_LEFT))

    def _paint_bar(self, painter: QPainter) -> None:
        """A bar of a round length at the lower right, and how long it is."""
        ends = self._ground.to_px(np.array([(0.0, 0.0), (1.0, 0.0)]))
        zoom = float(ends[1, 0] - ends[0, 0])
        if zoom <= 0.0:
            return
        length_mm = bar_length_mm(_BAR_PX / zoom)
        right, low = self.width() - 2.0 * _EDGE_PX, self.height() - 2.0 * _EDGE_PX
        bar = QLineF(right - length_mm * zoom, low, right, low)
        for colour, width_px in ((_RIM, 5.0), (_LETTERS, 2.5)):
            painter.setPen(QPen(colour, width_px))
            painter.drawLine(bar)
        font = _font(self, _SMALL_PX, bold=False)
        painter.setFont(font)
        height = QFontMetricsF(font).height()
        room = QRectF(right - _BAR_PX, low - height - 4.0, _BAR_PX, height)
        _paint_words(painter, room, f"{length_mm:g} mm", Qt.AlignmentFlag.AlignRight)


def bar_length_mm(most_mm: float) -> float:
    """The longest of 1, 2, 5, 10, 20, … mm that is not longer than this.

    Examples
    --------
    >>> [bar_length_mm(most) for most in (0.9, 7.0, 20.0, 43.0)]
    [0.5, 5.0, 20.0, 20.0]
    """
    decade = 10.0 ** np.floor(np.log10(most_mm))
    return float(max(step * decade for step in (1, 2, 5) if step * decade <= most_mm * (1 + 1e-9)))


def paint_tile(painter: QPainter, ground: Ground, tile: Tile) -> None:
    """Paint a part of a picture where it lies."""
    rows, columns = tile.greys.shape
    if not tile.greys.size:
        return
    image = QImage(tile.greys.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    (left, top), (right, low) = ground.to_px(tile.corners_mm).tolist()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(left, top, right - left, low - top), image)


def _path(ends: Points) -> QPainterPath:
    """Segments, (2 N, 2) pixels, each from where the last one ended where it did so."""
    path, last = QPainterPath(), None
    places = [tuple(place) for place in ends.tolist()]
    for start, end in zip(places[::2], places[1::2], strict=True):
        if start != last:
            path.moveTo(*start)
        path.lineTo(*end)
        last = end
    return path


def _line_pen(colour: QColor, width_px: float) -> QPen:
    """A pen as wide in a loupe as beside it.

    Its lines end where they end: a round cap would make every arc longer.
    """
    made = QPen(colour, width_px)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    made.setCosmetic(True)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return made


def _font(widget: QWidget, size_px: int, *, bold: bool) -> QFont:
    font = QFont(widget.font())
    font.setPixelSize(size_px)
    font.setBold(bold)
    return font


def _paint_mark(painter: QPainter, look: _Look, at: QPointF, is_selected: bool) -> None:
    """A mark in its shape; the selected one with a white border."""
    half, border = look.size_px / 2, _SELECTED if is_selected else _BORDER
    colour = QColor(look.colour)
    x, y = at.x(), at.y()
    if look.shape == "cross":
        lines = [QLineF(x - half, y, x + half, y), QLineF(x, y - half, x, y + half)]
        for ink, width_px in ((border, 3.0 + 2 * _BORDER_PX), (colour, 3.0)):
            painter.setPen(QPen(ink, width_px))
            painter.drawLines(lines)
        return
    if look.shape == "ring":
        for ink, width_px in ((border, 2.0 + 2 * _BORDER_PX), (colour, 2.0)):
            painter.setPen(QPen(ink, width_px))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, half, half)
        return
    painter.setPen(QPen(border, _BORDER_PX + is_selected))
    painter.setBrush(colour)
    if look.shape == "disc":
        painter.drawEllipse(at, half, half)
    elif look.shape == "square":
        painter.drawRect(QRectF(x - half, y - half, 2 * half, 2 * half))
    else:
        tips = ((x, y - half), (x + half, y), (x, y + half), (x - half, y))
        painter.drawPolygon(QPolygonF([QPointF(*tip) for tip in tips]))


def _room_of(anchor: Anchor, words: str, metrics: QFontMetricsF, width: int, height: int) -> QRectF:
    """Where words stand on a canvas of this size, pixels."""
    lines = words.split("\n")
    wide = max(metrics.horizontalAdvance(line) for line in lines) + 2.0
    high = metrics.height() * len(lines)
    left, right = float(_EDGE_PX), width - wide - _EDGE_PX
    top, bottom = float(_EDGE_PX), height - high - _EDGE_PX
    middle, half_down = (width - wide) / 2, (height - high) / 2
    corner = {
        Anchor.TOP_LEFT: (left, top),
        Anchor.TOP_RIGHT: (right, top),
        Anchor.BOTTOM_LEFT: (left, bottom),
        Anchor.LEFT: (left, half_down),
        Anchor.RIGHT: (right, half_down),
        Anchor.TOP: (middle, top),
        Anchor.BOTTOM: (middle, bottom),
    }[anchor]
    return QRectF(*corner, wide, high)


def _paint_words(
    painter: QPainter, room: QRectF, words: str, side: Qt.AlignmentFlag = _TO_LEFT
) -> None:
    """White words with a dark rim: they can be read over bright marrow and over black."""
    flags = side | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextDontClip
    painter.setPen(_RIM)
    for right, down in _AROUND:
        painter.drawText(room.translated(right, down), flags, words)
    painter.setPen(_LETTERS)
    painter.drawText(room, flags, words)
