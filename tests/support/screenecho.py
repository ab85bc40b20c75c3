"""Whether a window has heard of all that the X server told it so far."""

import ctypes
import ctypes.util
import time
from typing import Any

from qtpy.QtCore import QAbstractNativeEventFilter, QEventLoop
from qtpy.QtWidgets import QApplication, QWidget

__all__ = ["Echo", "let_go"]

_CLIENT_MESSAGE, _SENT_BY_CLIENT = 33, 0x80
_LONGEST_S = 120.0


class _Message(ctypes.Structure):
    """XClientMessageEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
    )


class _Received(ctypes.Structure):
    """xcb_client_message_event_t."""

    _fields_ = (
        ("response_type", ctypes.c_uint8),
        ("format", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("window", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("data", ctypes.c_uint32 * 5),
    )


class Echo(QAbstractNativeEventFilter):
    """Sends a window a message by the X server, and waits until Qt has read it.

    The server tells a program everything in one row: what came before the message is read, too.

    Parameters
    ----------
    window
        A window that is shown.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._window, self._sent, self._heard = window, 0, 0
        x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        self._x11, self._display = x11, ctypes.c_void_p(x11.XOpenDisplay(None))
        self._name = x11.XInternAtom(self._display, b"NECROANGLE_ECHO", 0)

    def wait(self) -> None:
        """Return once the window has heard of everything, and has done what is due."""
        self._sent += 1
        message = _Message(
            type=_CLIENT_MESSAGE,
            window=int(self._window.winId()),
            message_type=self._name,
            format=32,
            data=(self._sent, 0, 0, 0, 0),
        )
        application: Any = QApplication.instance()
        application.installNativeEventFilter(self)
        try:
            target = ctypes.c_ulong(message.window)
            self._x11.XSendEvent(self._display, target, 0, ctypes.c_long(0), ctypes.byref(message))
            self._x11.XSync(self._display, 0)
            end = time.monotonic() + _LONGEST_S
            while self._heard < self._sent:
                assert time.monotonic() < end, "the window has not heard of the mouse"
                QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
        finally:
            application.removeNativeEventFilter(self)
        let_go()

    def nativeEventFilter(self, kind: Any, place: Any) -> tuple[bool, int]:  # noqa: N802
        """Take our own message."""
        received = _Received.from_address(int(place))
        is_ours = (
            received.response_type == _CLIENT_MESSAGE | _SENT_BY_CLIENT
            and received.type == self._name
        )
        if is_ours:
            self._heard = received.data[0]
        return is_ours, 0


def let_go() -> None:
    """Let the window do what is due: what an event asks for is done with the next ones."""
    for _ in range(3):
        QApplication.processEvents()
