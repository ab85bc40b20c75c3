"""The reader's entries beside the marks: whose reading it is, and what the registry lets enter."""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QLineEdit, QSpinBox, QWidget

from napari_necroangle.dock.parts import ChoiceList
from napari_necroangle.reading.case import Case
from necroangle.entries import READ_FIELDS, Choice, Entered, Field

__all__ = ["EntriesPanel"]

_CODE = "Letters, digits, dot, dash, single underscores. Never the patient's name or number."


class EntriesPanel:
    """Patient code, visit, reader, read number, the entries of the registry, and notes.

    Attributes
    ----------
    who
        The fields of the key.
    entered
        One widget for each field of :data:`necroangle.entries.READ_FIELDS`, by its name.
    stage
        These and the notes.

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
        self.entered = {field.name: _entry_widget(field, self._entered) for field in READ_FIELDS}
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
        for name, widget in self.entered.items():
            widget.show(draft.entries.get(name))

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
        self.stage = _grid(
            *(
                (field.label, self.entered[field.name].widget, place // 2, place % 2 * 2)
                for place, field in enumerate(READ_FIELDS)
            )
        )
        grid = self.stage.layout()
        assert isinstance(grid, QGridLayout)  # noqa: S101
        below = (len(READ_FIELDS) + 1) // 2
        grid.addWidget(QLabel("Notes"), below, 0)
        grid.addWidget(self.texts["notes"], below, 1, 1, 3)
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

    def _entered(self, name: str, value: Entered | None) -> None:
        case = self._case()
        if case is not None:
            case.session.enter(entries=case.session.draft.entries.having(name, value))


class NumberBox:
    """A number of the registry, with its range; below the range stands that nothing is entered.

    Parameters
    ----------
    field
        The number.
    on_enter
        Called with what the reader enters.
    """

    def __init__(self, field: Field, on_enter: Callable[[Entered | None], None]) -> None:
        self._whole = field.type == "whole"
        self.widget = QDoubleSpinBox()
        self.widget.setDecimals(0 if self._whole else 2)
        self.widget.setRange((field.low or 0) - self.widget.singleStep(), field.high or 0)
        self.widget.setSpecialValueText("–")
        self.widget.setKeyboardTracking(False)
        self.widget.setToolTip(_tip(field))
        self.widget.valueChanged.connect(lambda _: on_enter(self._value()))

    def show(self, now: Entered | None) -> None:
        """Show what was entered."""
        with QSignalBlocker(self.widget):
            self.widget.setValue(self.widget.minimum() if now is None else float(now))

    def _value(self) -> Entered | None:
        number = self.widget.value()
        if number == self.widget.minimum():
            return None
        return int(number) if self._whole else number


def _entry_widget(
    field: Field, on_enter: Callable[[str, Entered | None], None]
) -> ChoiceList[Entered | None] | NumberBox:
    enter = partial(on_enter, field.name)
    if field.choices is None:
        return NumberBox(field, enter)
    found: ChoiceList[Entered | None] = ChoiceList(_tip(field), enter)
    whole = field.type == "whole"
    values = ((one.code if whole else one.word, _shown(one)) for one in field.choices.choices)
    found.offer(((None, "–"), *values), None)
    return found


def _shown(choice: Choice) -> str:
    """A stage by its word; where the label says more, by both."""
    return choice.word if choice.label.endswith(choice.word) else f"{choice.word} {choice.label}"


def _tip(field: Field) -> str:
    """What the entry is, and what each of its values means."""
    lines = [field.meaning[:1].upper() + field.meaning[1:], field.source]
    lines += [f"{word}: {meaning}" for word, meaning in field.values.items()]
    return "\n".join(line for line in lines if line)


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
