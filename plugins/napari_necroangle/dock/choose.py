"""What is to be read: the folder, the hip and its series, a mode's list, what was left unsaved."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_necroangle.canvas.overlay import PENS
from napari_necroangle.dock.parts import (
    LEAST_TARGET_PX,
    ChoiceList,
    Fold,
    button,
    column,
    command,
    grid,
    heading,
    hold,
    note,
    row,
)
from napari_necroangle.modes.mode import Action, Board, CaseRow, Window
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.texts import SIDES, VIEWS
from napari_necroangle.store.recovery import Recovered, discard, offer_words
from necroangle.dicom import SeriesSummary, passport_lines, passport_of
from necroangle.dicom.visits import Visit, series_words
from necroangle.errors import NecroangleError, system_words
from necroangle.terms import Laterality, View

MOST_LINES = 6
"""So many cases are seen at once; the list takes no more room than it has lines."""
_ROW_GAP_PX = 1
_TELL_S = 0.1
_DASHES = {"first": "━━", "second": "╍╍"}


Take = Callable[[Visit, Laterality, tuple[View, View]], object]
Opening = tuple[str, str, Callable[[], object]]
"""A button that opens something: what it says, and what it does."""


class CaseList(QListWidget):
    """The cases of a mode, each in a line; the open one is selected, and a click opens another."""

    def __init__(self, on_open: Callable[[Hashable], object]) -> None:
        super().__init__()
        self._on_open = on_open
        self.rows: tuple[CaseRow, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._clicked)

    def offer(self, rows: tuple[CaseRow, ...]) -> None:
        """Show these cases."""
        self.rows = rows
        with QSignalBlocker(self):
            self.clear()
            for one in rows:
                item = QListWidgetItem(one.words)
                item.setToolTip(one.tip)
                self.addItem(item)
                if one.is_open:
                    self.setCurrentItem(item)
        lines = min(len(rows), MOST_LINES)
        self.setFixedHeight(lines * max(self.sizeHintForRow(0), 1) + 2 * self.frameWidth() + 2)
        if self.currentItem() is not None:
            self.scrollToItem(self.currentItem())

    def _clicked(self, item: QListWidgetItem) -> None:
        clicked = self.rows[self.row(item)]
        if clicked.can_open:
            self._on_open(clicked.key)


class StudyPanel(QWidget):
    """Choose what is read."""

    def __init__(
        self,
        window: Window,
        opening: Sequence[Opening],
        take: Take,
        show_series: Callable[[View, SeriesSummary], object],
    ) -> None:
        super().__init__()
        self._window, self._workspace = window, window.workspace
        self._on_take, self._show_series = take, show_series
        self.opening = [button(*one) for one in opening]
        self.open_button, self.open_reading_button, *_ = self.opening
        self.found = note()
        self.list = CaseList(lambda key: window.mode.open(key))
        self.hips = Fold(self.list, "Every hip of the folder, and how it stands")
        self.hips.hide()
        self.visits: ChoiceList[Visit] = ChoiceList(
            "The visit that is read", lambda visit: self._take(visit=visit)
        )
        self.sides = {
            side: button(
                words,
                f"Read the patient's {words.lower()} hip",
                partial(self._take, side=side),
                held=True,
            )
            for side, words in SIDES.items()
        }
        steps = {"previous_hip": -1, "next_hip": 1}
        self.previous, self.next = (
            command(lambda name: window.mode.neighbour(steps[name]), name, words, tip)
            for name, words, tip in (
                ("previous_hip", "◂", "The hip before"),
                ("next_hip", "▸", "The next hip"),
            )
        )
        for one in (self.previous, self.next):
            one.setMinimumWidth(LEAST_TARGET_PX)
        self.kinds: ChoiceList[tuple[View, View]] = ChoiceList(
            "The pair of views that is read", lambda views: self._take(views=views)
        )
        self.series = (self._series_list(0), self._series_list(1))
        self.series_labels = (QLabel(), QLabel())
        self._shown: tuple[object, ...] = ()
        self._told_at = 0.0
        self._lay_out()

    def refresh(self) -> None:
        """Show what is open."""
        space, mode = self._workspace, self._window.mode
        self._show_hips(mode.cases() if mode.may_choose_hip else ())
        if space.key is not None:
            hold([(one, side is space.key.side) for side, one in self.sides.items()])
        read = space.key.views if space.key is not None else ()
        state = (
            id(space.scan),
            space.key,
            mode.may_choose_hip,
            *(id(space.chosen(view)) for view in read),
        )
        if self._shown == state:
            return
        self._shown = state
        is_free = mode.may_choose_hip
        self._opening.setVisible(is_free)
        self.found.setVisible(is_free)
        self.found.setText(_found(space) if is_free else "")
        refused = space.scan.left_out if is_free else ()
        self.found.setToolTip("\n".join(str(refusal) for refusal in refused))
        self.open_reading_button.setEnabled(space.case is not None)
        if space.key is None or space.visit is None:
            self._chooser.hide()
            return
        visits, pairs = (space.visits, space.visit.pairs) if is_free else ((), ())
        shown_rows = (len(visits) > 1, is_free, len(pairs) > 1)
        fields = (self.visits.widget, self._hips, self.kinds.widget)
        for label, field, shown in zip(self._labels, fields, shown_rows, strict=False):
            label.setVisible(shown)
            field.setVisible(shown)
        self.visits.offer(((visit, visit.label) for visit in visits), space.visit)
        for side, one in self.sides.items():
            one.setEnabled(side in space.visit.sides)
        rows = [one for one in self.list.rows if one.can_open]
        at = next((at for at, one in enumerate(rows) if one.is_open), 0)
        self.previous.setEnabled(is_free and at > 0)
        self.next.setEnabled(is_free and at + 1 < len(rows))
        self.kinds.offer(
            ((pair, " + ".join(VIEWS[view] for view in pair)) for pair in pairs), space.key.views
        )
        for views, label, view in zip(
            self.series, self.series_labels, space.key.views, strict=True
        ):
            label.setText(VIEWS[view])
            choices = ((one, series_words(one)) for one in space.choices(view))
            chosen = space.chosen(view)
            views.widget.setEnabled(chosen is not None)
            if chosen is None:
                views.have_none(space.visit.lacks(view))
                views.widget.setToolTip(space.visit.lacks(view))
            else:
                views.offer(choices, chosen)
                found = passport_lines(passport_of(chosen, space.scan.series)) if is_free else ()
                views.widget.setToolTip("\n".join(found))
        self._chooser.show()

    def show_progress(self, done: int, total: int) -> None:
        """How far a folder has been looked through: painted at once, ten times a second."""
        if (now := time.monotonic()) - self._told_at >= _TELL_S or done == total:
            self._told_at, self._shown = now, ()
            self.found.setText(f"Looking through the folder: {done:,} of {total:,} files")
            self.found.repaint()

    def _lay_out(self) -> None:
        self._opening, self._hips, self._chooser = QWidget(), QWidget(), QWidget()
        grid(*((one, at // 2, at % 2) for at, one in enumerate(self.opening)), into=self._opening)
        sides = ((one, 1) for one in self.sides.values())
        row(self.previous, *sides, self.next, into=self._hips)
        self._labels = (QLabel("Visit"), QLabel("Hip"), QLabel("Images"), *self.series_labels)
        lists = (one.widget for one in (self.kinds, *self.series))
        fields = (self.visits.widget, self._hips, *lists)
        named = ((words, number, 0) for number, words in enumerate(self._labels))
        placed = ((field, number, 1) for number, field in enumerate(fields))
        grid(*named, *placed, into=self._chooser).setColumnStretch(1, 1)
        for widget in (self, self._chooser):
            widget.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column(self._opening, self.found, self._chooser, self.hips, into=self)

    def _show_hips(self, rows: tuple[CaseRow, ...]) -> None:
        """List the hips of the folder, where there are several of them."""
        if rows == self.list.rows:
            return
        self.list.offer(rows)
        self.hips.setVisible(len(rows) > 1)
        done = sum(one.is_done and one.can_open for one in rows)
        self.hips.say(f"Hips of this folder: {done} of {len(rows)} read")

    def _series_list(self, place: int) -> ChoiceList[SeriesSummary]:
        def picked(series: SeriesSummary) -> None:
            if self._workspace.key is not None:
                self._show_series(self._workspace.key.views[place], series)

        return ChoiceList("The series that is shown for this view", picked)

    def _take(
        self,
        *,
        visit: Visit | None = None,
        side: Laterality | None = None,
        views: tuple[View, View] | None = None,
    ) -> None:
        """Take up the hip that is open with one thing chosen anew; another visit may lack it."""
        now = self._workspace.current
        if now is None:
            return
        side, views = side or now.key.side, views or now.key.views
        if visit is not None:
            side = side if side in visit.sides else visit.sides[0]
            views = views if views in visit.pairs else visit.pairs[0]
        self._on_take(visit or now.visit, side, views)


def _found(space: Workspace) -> str:
    if space.folder is None:
        return "Open a folder with the DICOM files of a hip study to begin."
    count = len(space.scan.series)
    parts = [f"{space.folder.name}: {count} series"]
    aside = sum(one.files for one in space.scan.aside)
    if aside:
        parts.append(f"{aside} image file{'s' if aside > 1 else ''} set aside (rest here for why)")
    refused = sum(refusal.files for refusal in space.scan.refused)
    if refused:
        parts.append(f"{refused} file{'s' if refused > 1 else ''} refused (rest here for why)")
    if space.key is not None and space.visit is not None:
        parts += [words for view in space.key.views if (words := space.visit.lacks(view))][:1]
    if not space.visits:
        parts.append("no slices or radiographs to read a hip on")
    return ", ".join(parts)


class BoardPanel(QWidget):
    """What a mode shows of itself: how far it is, its list, its table and its buttons."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._shown: tuple[object, ...] = ()
        self._board: Board | None = None
        self.heading = heading("")
        self.leave_button = button("", "", self._leave)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.legend, self.words, self.doubts = QLabel(), note(), note(name="doubts")
        self.list = CaseList(lambda key: window.mode.open(key))
        self.table = QWidget()
        self._grid = grid(into=self.table, spacing=_ROW_GAP_PX)
        self._grid.setHorizontalSpacing(8)
        self.cells: list[QLabel] = []
        self.asks = QLabel()
        self.buttons: list[QPushButton] = []
        self._lay_out()
        self.hide()

    def refresh(self) -> None:
        """Show the mode as it stands."""
        board = self._board = self._window.mode.board()
        self.setVisible(board is not None)
        if board is None:
            self._shown = ()
            return
        rows = self._window.mode.cases()
        buttons = tuple((one.words, one.tip, one.is_enabled) for one in board.actions)
        shown = (rows, buttons, *_plain(board))
        if shown == self._shown:
            return
        self._shown = shown
        self.heading.setText(board.heading)
        self.leave_button.setText(board.leave.words)
        self.leave_button.setToolTip(board.leave.tip)
        done, total = board.progress or (0, 0)
        self.bar.setVisible(board.progress is not None)
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        for label, words in (
            (self.legend, _legend_html(board)),
            (self.words, board.words),
            (self.doubts, board.doubts),
            (self.asks, board.asks),
        ):
            label.setText(words)
            label.setVisible(bool(words))
        self.list.offer(rows)
        self.list.setVisible(len(rows) > 1)
        self._fill_table(board.table)
        self._fill_buttons(board.actions)

    @property
    def comes_first(self) -> bool:
        """Whether it is looked at before the hip is marked: the table of a comparison is."""
        return self._board is not None and bool(self._board.table)

    def button(self, words: str) -> QPushButton:
        """The button of these words."""
        return next(one for one in self.buttons if one.text() == words)

    def rows(self) -> tuple[str, ...]:
        """The words of every row of the list."""
        return tuple(self.list.item(at).text() for at in range(self.list.count()))

    def cell_words(self) -> tuple[str, ...]:
        """All that the table says, row by row."""
        return tuple(cell.text() for cell in self.cells)

    def _leave(self) -> None:
        if self._board is not None:
            self._board.leave.run()

    def _act(self, number: int) -> None:
        if self._board is not None:
            self._board.actions[number].run()

    def _fill_table(self, rows: tuple[tuple[str, ...], ...]) -> None:
        for cell in self.cells:
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self.cells = []
        self.table.setVisible(bool(rows))
        for down, line in enumerate(rows):
            for across, words in enumerate(line):
                cell = heading(words) if down == 0 or across == 0 else QLabel(words)
                cell.setTextFormat(Qt.TextFormat.PlainText)
                self._grid.addWidget(cell, down, across)
                self._grid.setColumnStretch(across, 1 if across else 0)
                self.cells.append(cell)
        line_px = max((cell.sizeHint().height() for cell in self.cells), default=0) + _ROW_GAP_PX
        self.table.setFixedHeight(line_px * len(rows))

    def _fill_buttons(self, actions: tuple[Action, ...]) -> None:
        for number in range(len(self.buttons), len(actions)):
            self.buttons.append(button("", "", partial(self._act, number)))
            self._foot.addWidget(self.buttons[-1], 1)
        for one in self.buttons[len(actions) :]:
            self._foot.removeWidget(one)
            one.deleteLater()
        del self.buttons[len(actions) :]
        for one, action in zip(self.buttons, actions, strict=True):
            one.setText(action.words)
            one.setToolTip(action.tip)
            one.setEnabled(action.is_enabled)

    def _lay_out(self) -> None:
        self._foot = row(self.asks)
        middle = (self.legend, self.bar, self.words, self.list, self.table, self.doubts)
        top = row((self.heading, 1), self.leave_button)
        column(top, *middle, self._foot, into=self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)


def _plain(board: Board) -> tuple[object, ...]:
    """What a board says, without what its buttons do."""
    texts = (board.heading, board.leave.words, board.words, board.doubts, board.asks)
    return (*texts, board.progress, board.legend, board.table)


def _legend_html(board: Board) -> str:
    return "&nbsp;&nbsp; ".join(
        f'<span style="color:{PENS[pen].colour};background:black">&nbsp;'
        f"{_DASHES[pen.split()[0]]}&nbsp;</span> {whose}"
        for pen, whose in board.legend
    )


class RecoveryPrompt(QFrame):
    """Offers what earlier windows left unsaved of what is open, one reading after the other."""

    def __init__(self, window: Window, show_slices: Callable[[Mapping[View, int]], object]) -> None:
        super().__init__()
        self.setObjectName("necroangle_offer")
        self._window, self._show_slices = window, show_slices
        self.waiting: tuple[Recovered, ...] = ()
        self.words = note()
        self.take_button = button(
            "Take it up", "Open it as it was, on the same slice", self._does(self._take_up)
        )
        self.later_button = button("Later", "Offer it again at the next start", self._drop_first)
        self.aside_button = button(
            "Put aside",
            "Offer it no more; it is moved to the folder .autosave/set_aside, not deleted",
            self._does(self._put_aside),
        )
        buttons = row((self.take_button, 1), (self.later_button, 1), (self.aside_button, 1))
        column(self.words, buttons, into=self, spacing=5, margins=(8, 6, 8, 6))
        self._offer(())

    @property
    def comes_first(self) -> bool:
        """Whether it waits for an answer."""
        return bool(self.waiting)

    def look(self) -> None:
        """Look for unsaved readings, and offer them; what cannot be read is told."""
        window = self._window
        left = window.mode.unsaved()
        self._offer(left.recovered)
        if left.set_aside:
            places = "\n".join(f"{one.path.name}: {one.problem}" for one in left.set_aside)
            folder = left.set_aside[0].path.parent
            words = f"They are kept in {folder.parent.name}/{folder.name}:\n{places}"
            window.dialogs.tell("Unsaved readings that cannot be read", window.mode.mask(words))

    def _offer(self, found: tuple[Recovered, ...]) -> None:
        self.waiting = found
        self.setVisible(bool(found))
        if found:
            count = f" (1 of {len(found)})" if len(found) > 1 else ""
            words = offer_words(found[0], self._window.mode.label(found[0]))
            self.words.setText(words + count)

    def _take_up(self, found: Recovered) -> None:
        """Open an unsaved reading as it was, on the slices that were shown."""
        window = self._window
        window.leave_case()
        try:
            window.mode.recover(found)
        except NecroangleError as error:
            window.dialogs.tell("It cannot be taken up", window.mode.mask(str(error)))
        window.show_current()
        self._show_slices({one.view: one.slice_index for one in found.context.shown})
        window.refresh()

    def _put_aside(self, found: Recovered) -> None:
        try:
            discard(found)
        except OSError as error:
            words = f"The file stays where it is: {system_words(error)}."
            self._window.dialogs.tell("It cannot be put aside", words)

    def _does(self, act: Callable[[Recovered], object]) -> Callable[[], None]:
        def run() -> None:
            first = self.waiting[0]
            self._drop_first()
            act(first)

        return run

    def _drop_first(self) -> None:
        self._offer(self.waiting[1:])


class TourOffer(QWidget):
    """The way into the tour while no study is open; a first start is asked in words, once."""

    def __init__(
        self, *, is_first: bool, on_tour: Callable[[], None], on_answer: Callable[[], None]
    ) -> None:
        super().__init__()
        self._on_tour, self._on_answer = on_tour, on_answer
        self.words = note(
            "New here? The tour reads a sample hip in four steps. Nothing of it is kept.",
            "instruction",
        )
        self.tour = button("Take the tour", "A sample hip in four steps", self._begin)
        self.later = button("No, thanks", "The button of the tour stays here", self._answered)
        layout = column(self.words, row(self.tour, self.later), into=self)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setVisible(is_first)
        self.later.setVisible(is_first)

    def _answered(self) -> None:
        self.words.hide()
        self.later.hide()
        self._on_answer()

    def _begin(self) -> None:
        self._answered()
        self._on_tour()
