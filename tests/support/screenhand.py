"""A hand on the screen's own mouse and keyboard: what a window hears of it is real."""

import ctypes
import ctypes.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QScrollArea, QWidget
from screenecho import Echo
from screenpointer import screen_pointer

__all__ = ["LEFT", "MIDDLE", "RIGHT", "ScreenHand", "screen_hand"]

LEFT, MIDDLE, RIGHT = 1, 2, 3
_WHEEL_UP, _WHEEL_DOWN = 4, 5
_STEPS = 8

Pixel = tuple[int, int]


class ScreenHand:
    """Mouse and keys of the screen, on the canvases and widgets of a reading window.

    It goes on as soon as the window has heard of what was done, however long that takes.

    Parameters
    ----------
    dock
        The dock in its window.
    """

    def __init__(self, dock: Any, pointer: Any, keyboard: Any) -> None:
        self._dock, self._pointer, self._keyboard = dock, pointer, keyboard
        self._echo = Echo(dock.window())

    def move(self, canvas: int, at: Pixel) -> None:
        """Move to a pixel of a canvas."""
        self._to(self._dock.canvases.native_of(canvas), at)

    def drag(self, canvas: int, path: Sequence[Pixel], button: int = LEFT) -> None:
        """Press at the first pixel, move through the others, and let go at the last."""
        self.move(canvas, path[0])
        self._pointer(0, 0, button)
        self._echo.wait()
        for at in path[1:]:
            self.move(canvas, at)
        self._pointer(0, 0, -button)
        self._echo.wait()

    def pull(self, canvas: int, begin: Pixel, end: Pixel, button: int = LEFT) -> None:
        """Drag straight from one pixel to another."""
        path = np.round(np.linspace(begin, end, _STEPS)).astype(int).tolist()
        self.drag(canvas, [(x, y) for x, y in path], button)

    def click(self, canvas: int, at: Pixel, button: int = LEFT) -> None:
        """Click on a pixel of a canvas."""
        self.move(canvas, at)
        self.press(button)

    def press(self, button: int = LEFT) -> None:
        """Press a button where the mouse is, and let it go."""
        self._pointer(0, 0, button)
        self._pointer(0, 0, -button)
        self._echo.wait()

    def wheel(self, canvas: int, at: Pixel, notches: int) -> None:
        """Turn the wheel over a canvas: upwards for more than 0."""
        self.move(canvas, at)
        for _ in range(abs(notches)):
            self.press(_WHEEL_UP if notches > 0 else _WHEEL_DOWN)

    def hit(self, widget: QWidget) -> None:
        """Click in the middle of a widget, after its list is scrolled to it."""
        place: QWidget | None = widget
        while place is not None and not isinstance(place, QScrollArea):
            place = place.parentWidget()
        if place is not None:
            place.ensureWidgetVisible(widget)
            self._echo.wait()
        assert widget.isVisible()
        self._to(widget, (widget.width() // 2, widget.height() // 2))
        self.press()

    def key(self, *names: str) -> None:
        """Press keys together, by the names of X: ``key("Control_L", "s")``."""
        with self.held(*names):
            pass
        self._echo.wait()

    def types(self, words: str) -> None:
        """Type letters and figures."""
        for one in words:
            self.key(one)

    @contextmanager
    def held(self, *names: str) -> Iterator[None]:
        """Hold keys meanwhile."""
        for name in names:
            self._keyboard(name, is_down=True)
        self._echo.wait()
        try:
            yield
        finally:
            for name in reversed(names):
                self._keyboard(name, is_down=False)
            self._echo.wait()

    def _to(self, widget: QWidget, at: Pixel) -> None:
        there = widget.mapToGlobal(QPoint(*at))
        self._pointer(there.x(), there.y())
        self._echo.wait()


def screen_hand(dock: Any) -> ScreenHand | None:
    """A hand on the window of a dock; None where there is no libXtst to move it with."""
    pointer = screen_pointer()
    if pointer is None:
        return None
    x11, xtst = (ctypes.CDLL(ctypes.util.find_library(name)) for name in ("X11", "Xtst"))
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XStringToKeysym.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))

    def keyboard(name: str, *, is_down: bool) -> None:
        symbol = ctypes.c_ulong(x11.XStringToKeysym(name.encode()))
        code = x11.XKeysymToKeycode(display, symbol)
        xtst.XTestFakeKeyEvent(display, code, int(is_down), ctypes.c_ulong(0))
        x11.XSync(display, 0)

    return ScreenHand(dock, pointer, keyboard)
