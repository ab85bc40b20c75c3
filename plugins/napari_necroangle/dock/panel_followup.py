"""The follow-up part of the dock: which other visit is compared with, and its marks on or off."""

from collections.abc import Callable

from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_necroangle.dock.parts import ChoiceList, button
from napari_necroangle.dock.recall import Recall
from napari_necroangle.reading.followup import earlier_words
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.other_visits import Earlier

__all__ = ["FollowupPanel"]


class FollowupPanel(QWidget):
    """Choose another visit's reading, show its marks, go to their slice.

    It is hidden where the hip has no reading at another visit, and from a blinded reader.

    Parameters
    ----------
    recall
        What is compared with.
    on_choose
        Called with the reading that the reader picks.
    run
        Does a command on the view that the reader is at.
    """

    def __init__(
        self,
        recall: Recall,
        on_choose: Callable[[Earlier], None],
        run: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._recall = recall
        self.readings: ChoiceList[Earlier] = ChoiceList(
            "Follow-up: the other visit's reading that is compared with; your own come first",
            on_choose,
        )
        self.show_button = button(
            f"Show {key_label('ghost')}",
            "That visit's circle and arcs in dashes, laid on this one by the head's centre "
            f"(key {key_label('ghost')})",
            lambda: run("ghost"),
            held=True,
        )
        self.go_button = button(
            f"Go to {key_label('recall')}",
            "Turn this view to the slice that cuts the head where that visit's slice did "
            f"(key {key_label('recall')})",
            lambda: run("recall"),
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(QLabel("Since"))
        layout.addWidget(self.readings.widget, 1)
        layout.addWidget(self.show_button)
        layout.addWidget(self.go_button)
        self.hide()

    def refresh(self) -> None:
        """Show what there is to compare with."""
        recall = self._recall
        self.setVisible(recall.chosen is not None)
        if recall.chosen is not None:
            choices = ((one, earlier_words(one)) for one in recall.choices)
            self.readings.offer(choices, recall.chosen)
        self.show_button.setChecked(recall.is_on)
