"""The screen's own mouse pointer, moved by the X server: what Qt then hears is real."""

import ctypes
import ctypes.util
from collections.abc import Callable

__all__ = ["Pointer", "screen_pointer"]

Pointer = Callable[..., None]
"""Moves the pointer to x, y, or, where a button is given, presses it, or lets it go (negative)."""


def screen_pointer() -> Pointer | None:
    """The pointer of the screen; None where there is no libXtst to move it with."""
    names = [ctypes.util.find_library(name) for name in ("X11", "Xtst")]
    if None in names:
        return None
    x11, xtst = (ctypes.CDLL(name) for name in names)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = ctypes.c_void_p(x11.XOpenDisplay(None))

    def act(x: int, y: int, button: int = 0) -> None:
        if button:
            xtst.XTestFakeButtonEvent(display, abs(button), int(button > 0), ctypes.c_ulong(0))
        else:
            xtst.XTestFakeMotionEvent(display, -1, x, y, ctypes.c_ulong(0))
        x11.XSync(display, 0)

    return act
