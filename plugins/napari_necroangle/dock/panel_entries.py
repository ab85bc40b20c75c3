"""The reader's entries beside the marks: whose reading it is, and the stage."""

from collections.abc import Callable

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QSpinBox, QWidget

from napari_necroangle.dock.parts import ChoiceList
from napari_necroangle.reading.case import Case
from necroangle.terms import ArcoStage, JicType

__all__ = ["EntriesPanel"]

_CODE = "Letters, digits, dot, dash, single underscores. Never the patient's name or number."


class EntriesPanel:
    """Patient code, visit, reader, read number, ARCO, JIC and notes.

    Attributes
    ----------
    who
        The fields of the key.
    stage
        Stage, type and notes.

    Parameters
    ----------
    case
        Gives the case that is read, or None.
    is_given
        Says whether the key of the reading is given: it is then neither shown nor asked for.
    """

    def __init__(
        self, case: Callable[[], Case | None], is_given: Callable[[], bool] = lambda: False
    ) -> None:
        self._case, self._is_given = case, is_given
        self.texts = {
            "subject": self._text(f"Code of the patient in the study. {_CODE}", "e.g. P-014"),
            "visit": self._text(f"Name of the visit. {_CODE}", "e.g. month_12"),
            "reader": self._text(f"Your code as a reader. {_CODE}", "e.g. reader-1"),
            "notes": self._text("Free words. Never the patient's identity.", "free words"),
        }
        self.read_no = QSpinBox()
        self.read_no.setRange(1, 999)
        self.read_no.setToolTip("1 for your first reading of this hip at this visit")
        self.read_no.valueChanged.connect(self._number_entered)
        self.arco: ChoiceList[ArcoStage | None] = ChoiceList(
            "ARCO stage, 2019 revision", self._arco_entered
        )
        self.jic: ChoiceList[JicType | None] = ChoiceList(
            "Japanese Investigation Committee type, 2001", self._jic_entered
        )
        self._lay_out()

    def refresh(self) -> None:
        """Show the entries of the case."""
        case = self._case()
        if case is None:
            return
        draft = case.session.draft
        for part in (self.who, self.stage):
            part.setEnabled(not case.session.is_locked)
        for name, field in self.texts.items():
            value = "" if self._hides(name) else getattr(draft, name)
            if field.text() != value and not field.isModified():
                field.setText(value)
                field.setCursorPosition(0)
        with QSignalBlocker(self.read_no):
            self.read_no.setValue(1 if self._is_given() else draft.read_no)
        self.arco.offer(((None, "–"), *((one, one.value) for one in ArcoStage)), draft.arco)
        self.jic.offer(((None, "–"), *((one, one.value) for one in JicType)), draft.jic)

    def summary(self) -> str:
        """The key of the reading in one line; nothing where it is given."""
        case = self._case()
        if case is None or self._is_given():
            return ""
        draft = case.session.draft
        named = (draft.subject or "no patient code", draft.visit or "no visit")
        return " · ".join((*named, draft.reader or "no reader", f"read {draft.read_no}"))

    def is_complete(self) -> bool:
        """Whether the key has all its parts."""
        case = self._case()
        draft = case.session.draft if case is not None else None
        return draft is not None and all((draft.subject, draft.visit, draft.reader))

    def commit(self) -> None:
        """Take up what is still being typed."""
        for name in self.texts:
            self._text_entered(name)

    def _lay_out(self) -> None:
        self.who = _grid(
            ("Patient", self.texts["subject"], 0, 0),
            ("Visit", self.texts["visit"], 0, 2),
            ("Reader", self.texts["reader"], 1, 0),
            ("Read no.", self.read_no, 1, 2),
        )
        self.stage = _grid(("ARCO", self.arco.widget, 0, 0), ("JIC", self.jic.widget, 0, 2))
        grid = self.stage.layout()
        assert isinstance(grid, QGridLayout)  # noqa: S101
        grid.addWidget(QLabel("Notes"), 1, 0)
        grid.addWidget(self.texts["notes"], 1, 1, 1, 3)
        for name, field in self.texts.items():
            field.editingFinished.connect(self._committer(name))

    def _text(self, tip: str, example: str) -> QLineEdit:
        field = QLineEdit()
        field.setToolTip(tip)
        field.setPlaceholderText(example)
        field.setMinimumWidth(60)
        return field

    def _committer(self, name: str) -> Callable[[], None]:
        return lambda: self._text_entered(name)

    def _text_entered(self, name: str) -> None:
        case, text = self._case(), self.texts[name].text()
        if name != "notes":
            text = text.strip()
        if case is None or self._hides(name) or getattr(case.session.draft, name) == text:
            return
        self.texts[name].setModified(False)
        if name == "subject":
            case.session.enter(subject=text)
        elif name == "visit":
            case.session.enter(visit=text)
        elif name == "reader":
            case.session.enter(reader=text)
        else:
            case.session.enter(notes=text)

    def _hides(self, name: str) -> bool:
        return name != "notes" and self._is_given()

    def _number_entered(self, number: int) -> None:
        case = self._case()
        if case is not None and not self._is_given():
            case.session.enter(read_no=number)

    def _arco_entered(self, stage: ArcoStage | None) -> None:
        case = self._case()
        if case is not None:
            case.session.enter(arco=stage)

    def _jic_entered(self, kind: JicType | None) -> None:
        case = self._case()
        if case is not None:
            case.session.enter(jic=kind)


def _grid(*cells: tuple[str, QWidget, int, int]) -> QWidget:
    """Fields with their labels, two to a row."""
    made = QWidget()
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(3, 1)
    for words, field, row, column in cells:
        grid.addWidget(QLabel(words), row, column)
        grid.addWidget(field, row, column + 1)
    return made
