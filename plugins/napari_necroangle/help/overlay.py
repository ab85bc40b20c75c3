"""All keys on one sheet over the window; any key or click takes it away."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QLabel, QWidget

from napari_necroangle.reading.keys import GROUPS, keys_of

_MOUSE = (
    ("click", "set the point that is asked for"),
    ("drag along the rim", "lay ten rim points at once"),
    ("Shift+drag", "draw rim, arc or outline again"),
    ("drag a point", "move it"),
    ("wheel", "slices; Ctrl+wheel: zoom"),
    ("middle or Space+drag", "pan"),
    ("right-drag", "contrast and brightness"),
)
_COLUMNS = (("Steps", "Hip"), ("Next click sets", "Finding of this view"), ("Look", "Mouse"))


_SIZES_PX = (13, 12, 11, 10, 9, 8)
"""How high its letters are, the first that fits the window."""


class HelpSheet(QLabel):
    """The sheet.

    ``on_hide``: called before it goes: gives the keys to somebody else.
    """

    def __init__(self, parent: QWidget, on_hide: Callable[[], object]) -> None:
        super().__init__(parent)
        self._over, self._on_hide = parent, on_hide
        self.setObjectName("necroangle_help")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()

    def toggle(self) -> None:
        """Show it in the middle of its window, as large as there is room, or hide it."""
        if self.isVisible():
            self._leave()
            return
        for size_px in _SIZES_PX:
            self.setText(keys_html(size_px))
            self.adjustSize()
            if self.width() <= self._over.width() and self.height() <= self._over.height():
                break
        over = self._over.rect().center() - self.rect().center()
        self.move(over)
        self.show()
        self.raise_()
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Any key hides it."""
        event.accept()
        self._leave()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """So does a click."""
        event.accept()
        self._leave()

    def _leave(self) -> None:
        self._on_hide()  # first: else Qt gives the keys to napari's next field, which keeps them
        self.hide()


def keys_html(size_px: int) -> str:
    """All keys and what they do, in three columns of letters so high."""
    cell = f'<td style="padding-right:{size_px}px; font-size:{size_px}px" valign="top">'
    columns = "".join(f"{cell}{''.join(map(_group, groups))}</td>" for groups in _COLUMNS)
    return f"<table><tr>{columns}</tr></table>"


def _group(name: str) -> str:
    pairs = _MOUSE if name not in GROUPS else keys_of(name)
    rows = "".join(
        f'<tr><td style="color:#f0e442; padding-right:10px"><b>{key}</b></td><td>{words}</td></tr>'
        for key, words in pairs
    )
    return f'<p style="color:#9fb4c7"><b>{name}</b></p><table>{rows}</table>'
