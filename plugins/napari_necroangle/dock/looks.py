"""The panel of how the active view is shown: its window by name and in figures, cross, loupe."""

from collections.abc import Callable

from qtpy.QtWidgets import QLabel, QLineEdit, QWidget

from napari_necroangle.dock.commands import Commands, Offer
from napari_necroangle.dock.parts import ChoiceList, column, command, hold, row
from necroangle.terms import View

_BUTTONS = (
    ("invert", "Invert", "Low grey values bright", True),
    ("link", "Link", "Set the window of both views at once", True),
    ("cursor", "Cross", "Show where the mouse points to in the other view", True),
    ("loupe", "Loupe", "A loupe at the mouse", True),
    ("window_reset", "Stored", "Grey values as they are stored", False),
    ("reset_view", "Reset", "Show the active view again as at first", False),
)
"""Commands with their names, what they are for, and whether they stay on."""


class LookPanel(QWidget):
    """How the active view is shown: its window by name and in figures, and what goes with it."""

    def __init__(
        self, commands: Commands, view: Callable[[], View | None], run: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._looking, self._view = commands.looking, view
        self._beside = commands.beside
        self.beside: ChoiceList[Offer | None] = ChoiceList(
            "What stands beside the active view: another series of its plane, another visit",
            self._put_beside,
        )
        self.presets: ChoiceList[str] = ChoiceList("Windows by name", self._picked)
        self.width_box, self.level_box = self._field("width"), self._field("level")
        self.buttons = {
            name: command(run, name, words, tip, held=held, is_tool=True)
            for name, words, tip, held in _BUTTONS
        }
        width, level = (self.width_box, 1), (self.level_box, 1)
        figures = row((self.presets.widget, 2), QLabel("W"), width, QLabel("L"), level)
        buttons = row(*((made, 1) for made in self.buttons.values()))
        column(figures, buttons, self.beside.widget, into=self)
        self._looking.on_greys = self.refresh
        self.on_words: Callable[[str], object] = str
        self.on_done: Callable[[], object] = str

    def refresh(self) -> None:
        """Show how the active view is shown."""
        view = self._view()
        greys = self._looking.greys(view) if view is not None else None
        self.setEnabled(greys is not None)
        if greys is None:
            return
        for box, value in zip((self.width_box, self.level_box), greys.figures, strict=True):
            box.setText(f"{value:.5g}")
        named = ((name, name.capitalize()) for name in greys.presets)
        self.presets.offer((("", "By hand"), *named), greys.preset)
        looking = self._looking
        held = {
            "link": looking.is_linked,
            "invert": greys.is_inverted,
            "cursor": looking.has_cursor,
            "loupe": looking.has_loupe,
        }
        hold([(self.buttons[name], is_on) for name, is_on in held.items()])
        self.on_words(greys.words())
        if view is not None:
            offers = self._beside.offers(view)
            self.beside.widget.setVisible(bool(offers))
            shown = ((one, f"Beside: {one.words}") for one in offers)
            choices = ((None, "Beside: the other view"), *shown)
            self.beside.offer(choices, self._beside.chosen(view))

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setToolTip(f"Window {name}: type it in")
        field.setMinimumWidth(40)
        field.editingFinished.connect(self._typed)
        field.returnPressed.connect(lambda: self.on_done())
        return field

    def _typed(self) -> None:
        view, boxes = self._view(), (self.width_box, self.level_box)
        try:
            width, level = (float(box.text().replace(",", ".")) for box in boxes)
        except ValueError:
            self.refresh()
            return
        if view is not None and any(box.isModified() for box in boxes):
            self._looking.set_figures(view, max(width, 0.0), level)

    def _put_beside(self, offer: Offer | None) -> None:
        view = self._view()
        if view is not None:
            self._beside.choose(view, offer)

    def _picked(self, name: str) -> None:
        view = self._view()
        if view is not None:
            self._looking.set_preset(view, name)
