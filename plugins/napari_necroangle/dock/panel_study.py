"""The top of the dock: which folder, visit, hip and series are read."""

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_necroangle.dock.parts import ChoiceList, button, hold, note
from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.texts import SIDES, VIEWS
from necroangle.dicom import SeriesSummary, passport_lines, passport_of
from necroangle.dicom.visits import Visit
from necroangle.terms import Laterality, View

__all__ = ["StudyActions", "StudyPanel"]


@dataclass(frozen=True, slots=True)
class StudyActions:
    """What the panel asks for."""

    open_folder: Callable[[], object]
    open_reading: Callable[[], object]
    open_worklist: Callable[[], object]
    compare: Callable[[], object]
    take: Callable[[Visit, Laterality, tuple[View, View]], object]
    show_series: Callable[[View, SeriesSummary], object]
    open_neighbour: Callable[[int], object]


class StudyPanel(QWidget):
    """Choose what is read.

    Parameters
    ----------
    desk
        What lies on the desk.
    actions
        What to do.
    """

    def __init__(self, desk: Desk, actions: StudyActions) -> None:
        super().__init__()
        self._desk = desk
        self._actions = actions
        self.open_button = button(
            "Open folder…", "Open the folder of a DICOM study", actions.open_folder
        )
        self.open_reading_button = button(
            "Open reading…", "Go on with a saved reading of this study", actions.open_reading
        )
        self.open_worklist_button = button(
            "Open worklist…", "Read the cases of a reader study", actions.open_worklist
        )
        self.compare_button = button(
            "Compare two…",
            "Lay two readers' readings of one hip over each other, and agree on one",
            actions.compare,
        )
        self.found = note()
        self.visits: ChoiceList[Visit] = ChoiceList("The visit that is read", self._take_visit)
        self.sides = {
            side: button(
                words, f"Read the patient's {words.lower()} hip", self._side_taker(side), held=True
            )
            for side, words in SIDES.items()
        }
        self.previous = button(
            "◂", f"The hip before (key {key_label('previous_hip')})", self._goer(-1)
        )
        self.next = button("▸", f"The next hip (key {key_label('next_hip')})", self._goer(1))
        self.kinds: ChoiceList[tuple[View, View]] = ChoiceList(
            "The pair of views that is read", self._take_views
        )
        self.series = (self._series_list(0), self._series_list(1))
        self.series_labels = (QLabel(), QLabel())
        self._shown: tuple[object, ...] = ()
        self._lay_out()

    def refresh(self) -> None:
        """Show what lies on the desk."""
        desk = self._desk
        if desk.key is not None:
            hold([(one, side is desk.key.side) for side, one in self.sides.items()])
        read = desk.key.views if desk.key is not None else ()
        state = (
            id(desk.scan),
            desk.key,
            desk.is_handed_out,
            *(id(desk.chosen(view)) for view in read),
        )
        if self._shown == state:
            return
        self._shown = state
        is_free = not desk.is_handed_out
        self._opening.setVisible(is_free)
        self.found.setVisible(is_free)
        self.found.setText(_found(desk) if is_free else "")
        refused = desk.scan.refused if is_free else ()
        self.found.setToolTip("\n".join(str(refusal) for refusal in refused))
        self.open_reading_button.setEnabled(desk.case is not None)
        if desk.key is None or desk.visit is None:
            self._chooser.hide()
            return
        visits, pairs = (desk.visits, desk.visit.pairs) if is_free else ((), ())
        shown_rows = (len(visits) > 1, is_free, len(pairs) > 1)
        fields = (self.visits.widget, self._hips, self.kinds.widget)
        for label, field, shown in zip(self._labels, fields, shown_rows, strict=False):
            label.setVisible(shown)
            field.setVisible(shown)
        self.visits.offer(((visit, visit.label) for visit in visits), desk.visit)
        for side, one in self.sides.items():
            one.setEnabled(side in desk.visit.sides)
        self.previous.setEnabled(is_free and desk.neighbour(-1) is not None)
        self.next.setEnabled(is_free and desk.neighbour(1) is not None)
        self.kinds.offer(
            ((pair, " + ".join(VIEWS[view] for view in pair)) for pair in pairs),
            desk.key.views,
        )
        for views, label, view in zip(self.series, self.series_labels, desk.key.views, strict=True):
            label.setText(VIEWS[view])
            choices = ((one, series_words(one)) for one in desk.choices(view))
            chosen = desk.chosen(view)
            views.widget.setEnabled(chosen is not None)
            if chosen is not None:
                views.offer(choices, chosen)
                found = passport_lines(passport_of(chosen, desk.scan.series)) if is_free else ()
                views.widget.setToolTip("\n".join(found))
        self._chooser.show()

    def _lay_out(self) -> None:
        self._opening, self._hips = QWidget(), QWidget()
        buttons = QGridLayout(self._opening)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(4)
        buttons.addWidget(self.open_button, 0, 0)
        buttons.addWidget(self.open_reading_button, 0, 1)
        buttons.addWidget(self.open_worklist_button, 1, 0)
        buttons.addWidget(self.compare_button, 1, 1)
        sides = QHBoxLayout(self._hips)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setSpacing(4)
        for one in (self.previous, *self.sides.values(), self.next):
            narrow = one in (self.previous, self.next)
            sides.addWidget(one, 0 if narrow else 1)
        self._chooser = QWidget()
        grid = QGridLayout(self._chooser)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(4)
        self._labels = (QLabel("Visit"), QLabel("Hip"), QLabel("Images"), *self.series_labels)
        for number, label in enumerate(self._labels):
            grid.addWidget(label, number, 0)
        grid.addWidget(self._hips, 1, 1)
        for number, field in ((0, self.visits), (2, self.kinds), (3, self.series[0])):
            grid.addWidget(field.widget, number, 1)
        grid.addWidget(self.series[1].widget, 4, 1)
        for widget in (self, self._chooser):
            widget.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._opening)
        layout.addWidget(self.found)
        layout.addWidget(self._chooser)

    def _series_list(self, place: int) -> ChoiceList[SeriesSummary]:
        def picked(series: SeriesSummary) -> None:
            if self._desk.key is not None:
                self._actions.show_series(self._desk.key.views[place], series)

        return ChoiceList("The series that is shown for this view", picked)

    def _take_visit(self, visit: Visit) -> None:
        assert self._desk.key is not None  # noqa: S101
        views = self._desk.key.views
        side = self._desk.key.side
        self._actions.take(
            visit,
            side if side in visit.sides else visit.sides[0],
            views if views in visit.pairs else visit.pairs[0],
        )

    def _side_taker(self, side: Laterality) -> Callable[[], None]:
        def take() -> None:
            if self._desk.visit is not None and self._desk.key is not None:
                self._actions.take(self._desk.visit, side, self._desk.key.views)

        return take

    def _goer(self, step: int) -> Callable[[], None]:
        def go() -> None:
            self._actions.open_neighbour(step)

        return go

    def _take_views(self, views: tuple[View, View]) -> None:
        if self._desk.visit is not None and self._desk.key is not None:
            self._actions.take(self._desk.visit, self._desk.key.side, views)


def series_words(series: SeriesSummary) -> str:
    """A series in one line: what tells it from its neighbours, and nothing of the patient."""
    side = f"{SIDES[series.laterality].lower()}, " if series.laterality is not None else ""
    size = f"{series.rows} × {series.columns}"
    if series.kind == "radiograph":
        return f"{side}{series.view or 'view not coded'}, {size}"
    return f"{side}{len(series)} slices, {series.step_mm:.1f} mm apart, {size}"


def _found(desk: Desk) -> str:
    if desk.folder is None:
        return "Open a folder with the DICOM files of a hip study to begin."
    count = len(desk.scan.series)
    parts = [f"{desk.folder.name}: {count} series"]
    refused = sum(refusal.files for refusal in desk.scan.refused)
    if refused:
        parts.append(f"{refused} file{'s' if refused > 1 else ''} refused (rest here for why)")
    if not desk.visits:
        parts.append("no slices or radiographs to read a hip on")
    return ", ".join(parts)
