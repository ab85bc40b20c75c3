"""The reader study in the dock: her list, how far she is, and the case that is open."""

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_necroangle.dock.parts import button, note
from napari_necroangle.modes.worklist import StudyRoom
from napari_necroangle.reading.keys import key_label
from necroangle.readerstudy import CaseItem, ListedCase, Progress, Status

__all__ = ["WorklistActions", "WorklistPanel", "item_words", "progress_words"]

LIST_HEIGHT_PX = 132
_ICONS = {Status.OPEN: "○", Status.SUBMITTED: "✓", Status.LOCKED: "◷", Status.MISSING: "!"}
_QUIET = "#8b949e"


@dataclass(frozen=True, slots=True)
class WorklistActions:
    """What the panel asks for."""

    open: Callable[[ListedCase], object]
    open_next: Callable[[], object]
    submit: Callable[[], object]
    reopen: Callable[[], object]
    close: Callable[[], object]


class WorklistPanel(QWidget):
    """A reader's list; hidden outside of a reader study.

    Parameters
    ----------
    room
        Gives the study, or None.
    actions
        What to do.
    """

    def __init__(self, room: Callable[[], StudyRoom | None], actions: WorklistActions) -> None:
        super().__init__()
        self._room, self._actions = room, actions
        self.heading = QLabel()
        self.heading.setObjectName("necroangle_heading")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.progress = note()
        self.list = QListWidget()
        self.list.setFixedHeight(LIST_HEIGHT_PX)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._clicked)
        self.doubts = note()
        self.doubts.setObjectName("necroangle_doubts")
        self.close_button = button(
            "Close worklist", "Back to reading freely; nothing is lost", actions.close
        )
        self.next_button = button("Next case", "Open the next case to read", actions.open_next)
        self.submit_button = button(
            "Submit", f"Lock this reading (key {key_label('submit')})", actions.submit
        )
        self.reopen_button = button(
            "Reopen…", "Change a submitted reading: both versions are kept", actions.reopen
        )
        self._shown: tuple[object, ...] = ()
        self._lay_out()

    def refresh(self) -> None:
        """Show where she stands."""
        room = self._room()
        self.setVisible(room is not None)
        if room is None:
            return
        now = room.now.listed if room.now is not None else None
        is_locked = room.now is not None and room.now.session.is_locked
        self.submit_button.setVisible(not is_locked)
        self.submit_button.setEnabled(now is not None)
        self.reopen_button.setVisible(is_locked)
        state = (id(room), room.state, now)
        if state == self._shown:
            return
        self._shown = state
        self.heading.setText(f"Reader study · reader {room.study.reader}")
        self.bar.setRange(0, room.state.progress.total)
        self.bar.setValue(room.state.progress.submitted)
        self.progress.setText(progress_words(room.state.progress))
        self.next_button.setEnabled(room.state.progress.to_read > 0)
        self._fill(room.state.items, now)
        self._say_doubts(room)

    def rows(self) -> tuple[str, ...]:
        """The words of every row."""
        return tuple(self.list.item(row).text() for row in range(self.list.count()))

    def _fill(self, items: tuple[CaseItem, ...], now: ListedCase | None) -> None:
        with QSignalBlocker(self.list):
            self.list.clear()
            for item in items:
                row = QListWidgetItem(item_words(item))
                row.setToolTip(f"{item.listed.label}: {item.words}")
                if item.status is not Status.OPEN and item.listed != now:
                    row.setForeground(QBrush(QColor(_QUIET)))
                self.list.addItem(row)
                if item.listed == now:
                    self.list.setCurrentItem(row)
            if now is not None:
                self.list.scrollToItem(self.list.currentItem())

    def _say_doubts(self, room: StudyRoom) -> None:
        found = room.state.doubts
        words = "\n".join(f"• {one}" for one in found)
        if found and room.is_blinded:
            count = f"{len(found)} thing{'s' if len(found) > 1 else ''}"
            words = f"Tell the coordinator: {count} to look at (necroangle worklist status)."
        self.doubts.setText(words)
        self.doubts.setVisible(bool(words))

    def _clicked(self, row: QListWidgetItem) -> None:
        room = self._room()
        if room is not None:
            self._actions.open(room.state.items[self.list.row(row)].listed)

    def _lay_out(self) -> None:
        top, foot = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.close_button)
        foot.setSpacing(4)
        for one in (self.next_button, self.submit_button, self.reopen_button):
            foot.addWidget(one, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        for part in (self.bar, self.progress, self.list, self.doubts):
            layout.addWidget(part)
        layout.addLayout(foot)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)


def item_words(item: CaseItem) -> str:
    """A row of the list: a sign, what the case is called, and how it stands."""
    icon = "◐" if item.words in ("begun", "reopened") else _ICONS[item.status]
    is_later = item.status is Status.LOCKED and item.opens_on is None
    return f"{icon}  {item.listed.label} – {'later' if is_later else item.words}"


def progress_words(progress: Progress) -> str:
    """How far she is, in one line.

    Examples
    --------
    >>> progress_words(Progress(14, 3, 7, 4, 0, None))
    '3 of 14 submitted, 7 to read, 4 wait for the first session'
    """
    words = [f"{progress.submitted} of {progress.total} submitted"]
    if progress.to_read:
        words.append(f"{progress.to_read} to read")
    if progress.locked:
        when = f"open on {progress.opens_on}" if progress.opens_on else "wait for the first session"
        words.append(f"{progress.locked} {when}")
    if progress.missing:
        words.append(f"{progress.missing} gone")
    return ", ".join(words)
