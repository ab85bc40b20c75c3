"""The dock in the order of work: steps, tools of a view, entries, result, the other visit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_necroangle.dock.parts import (
    ChoiceList,
    WordsArea,
    button,
    column,
    command,
    grid,
    heading,
    hold,
    label,
    note,
    pass_wheel,
    row,
    with_key,
)
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import LANDMARKS, Role
from napari_necroangle.reading.followup import earlier_words
from napari_necroangle.reading.ghosts import FollowupOverlay
from napari_necroangle.reading.guidance import STEP_TIPS, Contradiction, step_words
from napari_necroangle.reading.keys import finding_command
from napari_necroangle.reading.outcome import Outcome
from napari_necroangle.reading.steps import Flow, Step
from napari_necroangle.reading.texts import (
    CHOICES,
    LANDMARK_WORDS,
    OBSERVATIONS,
    VIEWS,
    grade_lines,
    interval_line,
)
from necroangle.batch.other_visits import Earlier
from necroangle.entries import READ_FIELDS, Choice, Entered, Field
from necroangle.measurement import show_deg
from necroangle.terms import Finding, LandmarkName, Observation, UnreadReason, View

_PLACES = {
    Step.HEAD_A: (0, 0, 2),
    Step.HEAD_B: (0, 2, 2),
    Step.ARC_A: (1, 0, 2),
    Step.ARC_B: (1, 2, 2),
    Step.SLICES: (2, 0, 1),
    Step.MORE: (2, 1, 1),
    Step.SAVE: (2, 2, 2),
}
"""Row, column and columns taken, of each step."""


class StepsPanel(QWidget):
    """The list of steps, and one line on what to do now."""

    def __init__(self, flow: Callable[[], Flow | None], on_step: Callable[[Step], None]) -> None:
        super().__init__()
        self._flow = flow
        self.steps: dict[Step, QPushButton] = {
            step: button("", STEP_TIPS[step], partial(on_step, step), held=True, name="step")
            for step in Step
        }
        self.line = note(name="instruction")
        self.line.setMinimumHeight(68)
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        places = _PLACES.items()
        steps = grid(*((self.steps[step], at, to, 1, span) for step, (at, to, span) in places))
        for across in range(4):
            steps.setColumnStretch(across, 1)
        column(steps, self.line, into=self, spacing=5)

    def refresh(self) -> None:
        """Show the steps as they stand."""
        flow = self._flow()
        if flow is None:
            return
        current = flow.current
        for step, one in self.steps.items():
            is_there = step in flow.steps
            one.setText(step_words(flow, step) if is_there else "–")
            one.setChecked(step is current)
            one.setEnabled(is_there)


_TOOLS = (
    ("rim", "Rim", "Points on the healthy round contour of the head"),
    ("start", "One end", "Where the necrosis meets the surface, on one side"),
    ("end", "Far end", "Where the necrosis meets the surface, on the other side"),
    ("via", "Between", "On the surface between the ends, on the necrotic side"),
    ("another_arc", "New arc", "Mark a second necrotic arc"),
    ("remove", "Remove", "Take away the point touched last"),
    ("undo", "Undo", "Take the last step back"),
    ("redo", "Redo", "Take it again"),
)
"""Commands with their names and what they are for."""

_MORE_TOOLS = (
    ("normal", "No necrosis", "Both views show no necrosis on the slices shown"),
    ("outline", "Outline", "The lesion's outline, for its extent"),
    ("beside", "Neighbours", "Mark neighbouring slices too: clicks on them count there"),
    ("scale", "Scale…", "mm by two clicks on a marker of known size"),
)
"""Those that stand by themselves."""

_AIMS = {
    "rim": Role.RIM,
    "start": Role.START,
    "end": Role.END,
    "via": Role.VIA,
    "outline": Role.CONTOUR,
    "scale": Role.MARKER,
}


class ViewPanel(QWidget):
    """Tools and finding of the view that is being read."""

    def __init__(
        self,
        case: Callable[[], Case | None],
        run: Callable[[str], None],
        aim_at_landmark: Callable[[LandmarkName, View], None],
    ) -> None:
        super().__init__()
        self._case, self._aim_at_landmark = case, aim_at_landmark
        self._place = 0
        self.title = heading("")
        self.tools = {
            name: command(
                run, name, with_key(name, words), tip, held=name in (*_AIMS, "beside"), is_tool=True
            )
            for name, words, tip in (*_TOOLS, *_MORE_TOOLS)
        }
        self.clear = button("Clear view", "Take all marks of this view away", partial(run, "clear"))
        self.finding: ChoiceList[Finding | UnreadReason | None] = ChoiceList(
            "What you found on this view, or why it was not read (keys 5 to 0)",
            lambda choice: run(finding_command(choice)),
        )
        self.landmark: ChoiceList[LandmarkName | None] = ChoiceList(
            "A point for derived indices: the next click sets it (key L: next)", self._aim_landmark
        )
        self.observations = {one: QCheckBox(words) for one, words in OBSERVATIONS.items()}
        self.extras = self._lay_out()

    @property
    def view(self) -> View | None:
        """The view whose tools are shown."""
        case = self._case()
        return case.session.draft.views[self._place].view if case is not None else None

    def turn_to(self, view: View) -> None:
        """Show the tools of a view."""
        case = self._case()
        if case is not None:
            self._place = [one.view for one in case.session.draft.views].index(view)
        self.refresh()

    def refresh(self) -> None:
        """Show the case as it stands."""
        case, view = self._case(), self.view
        if case is None or view is None:
            return
        draft = case.session.draft.view(view)
        aim = case.aim(view)
        is_locked = case.session.is_locked
        for part in (self, self.extras):
            part.setEnabled(not is_locked)
        role = aim.role if aim is not None and not is_locked else None
        self.title.setText(VIEWS[view] if role is None else f"{VIEWS[view]}: next click sets")
        hold([(self.tools[name], role is one) for name, one in _AIMS.items()])
        self.tools["beside"].setChecked(case.beside_on)
        self.tools["beside"].setVisible(not view.is_radiograph)
        self.tools["scale"].setVisible(view.is_radiograph)
        self.tools["another_arc"].setEnabled(any(arc.complete() for arc in draft.arcs))
        self.tools["remove"].setEnabled(bool(draft.all_marks))
        self.tools["undo"].setEnabled(case.session.can_undo)
        self.tools["redo"].setEnabled(case.session.can_redo)
        self.clear.setEnabled(draft.is_bound or draft.choice is not None)
        self.finding.offer(((None, "Finding: not decided"), *CHOICES.items()), draft.choice)
        self._show_landmarks(case, view)
        for observation, box in self.observations.items():
            box.setChecked(observation in draft.observations)

    def _show_landmarks(self, case: Case, view: View) -> None:
        aim = case.aim(view)
        there = {one.name for one in case.session.draft.view(view).landmarks}
        words = (
            (name, f"{'✓ ' if name in there else ''}{LANDMARK_WORDS[name].capitalize()}")
            for name in LANDMARKS
        )
        is_one = aim is not None and aim.role is Role.LANDMARK
        now = LANDMARKS[aim.index] if aim is not None and is_one else None
        self.landmark.offer(((None, "Landmark …"), *words), now)

    def _lay_out(self) -> QWidget:
        places = ((self.tools[name], at // 4, at % 4) for at, (name, *_) in enumerate(_TOOLS))
        found = row((self.finding.widget, 3), (self.tools["normal"], 2))
        column(self.title, grid(*places), found, into=self)
        for observation, box in self.observations.items():
            # of a partial Qt does not know that it takes whether the box is ticked
            box.clicked.connect(lambda seen, one=observation: self._observe(one, seen))
        extras = QWidget()
        marks = row(*(self.tools[name] for name in ("outline", "beside", "scale")), self.clear)
        column(self.landmark.widget, marks, row(*self.observations.values()), into=extras)
        return extras

    def _aim_landmark(self, name: LandmarkName | None) -> None:
        if name is not None and self.view is not None:
            self._aim_at_landmark(name, self.view)

    def _observe(self, observation: Observation, seen: bool) -> None:
        case, view = self._case(), self.view
        if case is not None and view is not None:
            case.session.observe(view, observation, seen)


_CODE = "Letters, digits, dot, dash, single underscores. Never the patient's name or number."


class EntriesPanel:
    """Patient code, visit, reader, read number, the entries of the registry, and notes.

    Attributes
    ----------
    entered
        One widget for each field of :data:`necroangle.entries.READ_FIELDS`, by its name.
    stage
        These and the notes.

    Parameters
    ----------
    is_given
        Says whether the key of the reading is given: it is then neither shown nor asked for.
    """

    def __init__(
        self, case: Callable[[], Case | None], is_given: Callable[[], bool] = lambda: False
    ) -> None:
        self._case, self._is_given = case, is_given
        self.on_reader: Callable[[str], object] = lambda _: None
        """Called with the code that the reader has typed."""
        self.texts = {
            "subject": self._text(f"Code of the patient in the study. {_CODE}", "e.g. P-014"),
            "visit": self._text(f"Name of the visit. {_CODE}", "e.g. month_12"),
            "reader": self._text(f"Your code as a reader. {_CODE}", "e.g. reader-1"),
            "notes": self._text("Free words. Never the patient's identity.", "free words"),
        }
        self.read_no = QSpinBox()
        self.read_no.setRange(1, 999)
        pass_wheel(self.read_no)
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

    def first_missing(self) -> QWidget | None:
        """The first field of the key that is empty; None where the key is whole, or given."""
        case = self._case()
        if case is None or self._is_given():
            return None
        names = ("reader", "subject", "visit")
        empty = (name for name in names if not getattr(case.session.draft, name))
        return next((self.texts[name] for name in empty), None)

    def commit(self) -> None:
        """Take up what is still being typed."""
        for name in self.texts:
            self._text_entered(name)

    def _lay_out(self) -> None:
        self.who = _fields(
            ("Patient", self.texts["subject"], 0, 0),
            ("Visit", self.texts["visit"], 0, 2),
            ("Reader", self.texts["reader"], 1, 0),
            ("Read no.", self.read_no, 1, 2),
        )
        entered = ((one.label, self.entered[one.name].widget) for one in READ_FIELDS)
        below = enumerate((*entered, ("Notes", self.texts["notes"])))
        self.stage = _fields(*((words, field, place, 0) for place, (words, field) in below))
        for name, field in self.texts.items():
            field.editingFinished.connect(partial(self._text_entered, name))

    def _text(self, tip: str, example: str) -> QLineEdit:
        field = QLineEdit()
        field.setToolTip(tip)
        field.setPlaceholderText(example)
        field.setMinimumWidth(60)
        return field

    def _text_entered(self, name: str) -> None:
        case, text = self._case(), self.texts[name].text()
        if name != "notes":
            text = text.strip()
        if case is None or self._hides(name) or getattr(case.session.draft, name) == text:
            return
        self.texts[name].setModified(False)
        entered: dict[str, Any] = {name: text}
        case.session.enter(**entered)
        if name == "reader":
            self.on_reader(text)

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
    """A number of the registry, with its range; below the range stands that nothing is entered."""

    def __init__(self, field: Field, on_enter: Callable[[Entered | None], None]) -> None:
        self._whole = field.type == "whole"
        self.widget = QDoubleSpinBox()
        self.widget.setDecimals(0 if self._whole else 2)
        pass_wheel(self.widget)
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


def _fields(*cells: tuple[str, QWidget, int, int]) -> QWidget:
    """Fields with their labels, each at its row and column."""
    made = QWidget()
    named = ((QLabel(words), down, across) for words, _, down, across in cells)
    layout = grid(*named, *((field, down, to + 1) for _, field, down, to in cells), into=made)
    for *_, across in cells:
        layout.setColumnStretch(across + 1, 1)
    return made


DOUBTS_PX = 76
"""So high the list of doubts may grow; the rest is scrolled to."""
DOUBTS_SHOWN = 4
"""So many doubts are listed; the rest stand in the tool tip."""


class ResultPanel(QWidget):
    """Angles, grade and doubts, as measured."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = label(name="sum", tip="Combined necrotic angle: A + B")
        self.parts, self.risk = note(), note()
        self.interval = note(name="interval", tip="Marking error only: the slice was chosen by you")
        self.grade = note(
            name="grade", tip="Modified Kerboul grade (Ha 2006) and the probability that it holds"
        )
        self.change = note(
            name="change",
            tip="Difference of the combined angles with its 95 % interval. MDC95, the minimal "
            "detectable change: a smaller one may be marking error alone",
        )
        self.change.hide()
        self.doubts = note(name="doubts")
        self._doubts_area = WordsArea(self.doubts, DOUBTS_PX)
        top = row(self.sum)
        top.addLayout(column(self.grade, self.risk, spacing=0), 1)
        lines = (self.interval, self.parts, self.change, self._doubts_area)
        column(top, *lines, into=self, spacing=2)

    def show_outcome(self, outcome: Outcome | None) -> None:
        """Show what is measured."""
        self.sum.setText(show_deg(outcome.hip.cna_deg if outcome else None))
        grade, risk = grade_lines(outcome) if outcome else ("", "")
        self.grade.setText(grade)
        self.risk.setText(risk)
        self.parts.setText(_parts(outcome) if outcome else "")
        self.interval.setText(interval_line(outcome) if outcome else "")
        self.interval.setVisible(bool(self.interval.text()))

    def show_doubts(self, against: Sequence[Contradiction]) -> None:
        """Show what speaks against it."""
        lines = [("✖ " if one.blocks else "• ") + one.words for one in against]
        hidden = len(lines) - DOUBTS_SHOWN
        more = [f"… and {hidden} more"] if hidden > 0 else []
        self.doubts.setText("\n".join([*lines[:DOUBTS_SHOWN], *more]))
        self.doubts.setToolTip("\n".join(lines))
        self.doubts.setVisible(bool(lines))
        self._doubts_area.fit()
        self._doubts_area.setVisible(bool(lines))

    def show_change(self, words: str) -> None:
        """Show the change since another visit; nothing where there is none."""
        self.change.setText(words)
        self.change.setVisible(bool(words))


def _parts(outcome: Outcome) -> str:
    words = []
    for letter, view in zip("AB", outcome.views, strict=True):
        angle = view.measurement.angle_deg if view.measurement is not None else None
        found = "not read" if view.left_unread is not None else show_deg(angle)
        words.append(f"{letter} {found} ({VIEWS[view.view]})")
    return "   +   ".join(words)


class FollowupPanel(QWidget):
    """Choose another visit's reading, show its marks, go to their slice.

    It is hidden where the hip has no reading at another visit, and from a blinded reader.
    """

    def __init__(
        self,
        followup: FollowupOverlay,
        on_choose: Callable[[Earlier], None],
        run: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._followup = followup
        self.readings: ChoiceList[Earlier] = ChoiceList(
            "Follow-up: the other visit's reading that is compared with; your own come first",
            on_choose,
        )
        self.show_button = command(
            run,
            "ghost",
            with_key("ghost", "Show"),
            "That visit's circle and arcs in dashes, laid on this one by the head's centre",
            held=True,
        )
        self.go_button = command(
            run,
            "recall",
            with_key("recall", "Go to"),
            "Turn this view to the slice that cuts the head where that visit's slice did",
        )
        buttons = (self.show_button, self.go_button)
        row(QLabel("Since"), (self.readings.widget, 1), *buttons, into=self)
        self.hide()

    def refresh(self) -> None:
        """Show what there is to compare with."""
        followup = self._followup
        self.setVisible(followup.chosen is not None)
        if followup.chosen is not None:
            choices = ((one, earlier_words(one)) for one in followup.choices)
            self.readings.offer(choices, followup.chosen)
        self.show_button.setChecked(followup.is_on)
