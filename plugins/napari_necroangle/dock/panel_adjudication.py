"""Two readings compared: a table of differences, and what the consensus starts from."""

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_necroangle.canvas.reader_lines import READER_COLOURS
from napari_necroangle.dock.parts import button, heading, note
from napari_necroangle.modes.adjudication import Council
from napari_necroangle.reading.adjudication import Start

__all__ = ["AdjudicationActions", "AdjudicationPanel"]


_ROW_GAP_PX = 1


@dataclass(frozen=True, slots=True)
class AdjudicationActions:
    """What the panel asks for."""

    start: Callable[[Start], object]
    close: Callable[[], object]


class AdjudicationPanel(QWidget):
    """Both readers beside each other; hidden where nothing is compared.

    Parameters
    ----------
    council
        Gives what is compared, or None.
    actions
        What to do.
    """

    def __init__(self, council: Callable[[], Council | None], actions: AdjudicationActions) -> None:
        super().__init__()
        self._council = council
        self.title, self.legend = heading("Two readings compared"), QLabel()
        self.sum, self.moved = note(), note()
        self.moved.setObjectName("necroangle_doubts")
        self.table = QWidget()
        self._grid = QGridLayout(self.table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(_ROW_GAP_PX)
        self.cells: list[QLabel] = []
        self.close_button = button("Close", "End the comparison", actions.close)
        self.starts = {
            start: button("", tip, self._starter(start, actions.start))
            for start, tip in (
                (Start.FIRST, "Begin the consensus with the first reader's marks"),
                (Start.SECOND, "Begin the consensus with the second reader's marks"),
                (Start.EMPTY, "Begin the consensus with no marks"),
            )
        }
        self._shown: Council | None = None
        self._lay_out()

    def refresh(self) -> None:
        """Show what is compared."""
        council = self._council()
        self.setVisible(council is not None)
        if council is None or council is self._shown:
            self._shown = council
            return
        self._shown = council
        readers = (council.both.first.reader, council.both.second.reader)
        lines = zip(("━━", "╍╍"), READER_COLOURS, readers, strict=True)
        self.legend.setText(
            "&nbsp;&nbsp; ".join(
                f'<span style="color:{colour}">{line}</span> {reader}'
                for line, colour, reader in lines
            )
        )
        self.sum.setText(f"{council.title()}\n{council.sum_words()}")
        self.moved.setText(council.moved_words())
        self.moved.setVisible(bool(self.moved.text()))
        for start, words in zip(self.starts, (*readers, "none"), strict=True):
            self.starts[start].setText(words)
        self._fill(council)

    def words(self) -> tuple[str, ...]:
        """All that the table says, row by row."""
        return tuple(cell.text() for cell in self.cells)

    def _fill(self, council: Council) -> None:
        for cell in self.cells:
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self.cells = []
        for number, row in enumerate(council.rows()):
            for column, words in enumerate(row):
                cell = heading(words) if number == 0 or column == 0 else QLabel(words)
                cell.setTextFormat(Qt.TextFormat.PlainText)
                self._grid.addWidget(cell, number, column)
                self.cells.append(cell)
        for column in (1, 2):
            self._grid.setColumnStretch(column, 1)
        line_px = max(cell.sizeHint().height() for cell in self.cells) + _ROW_GAP_PX
        self.table.setFixedHeight(line_px * len(council.rows()))

    def _starter(self, start: Start, begin: Callable[[Start], object]) -> Callable[[], None]:
        def run() -> None:
            begin(start)

        return run

    def _lay_out(self) -> None:
        top, foot = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        foot.setSpacing(4)
        foot.addWidget(QLabel("Consensus from"))
        for one in self.starts.values():
            foot.addWidget(one, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        for part in (self.legend, self.sum, self.table, self.moved):
            layout.addWidget(part)
        layout.addLayout(foot)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
