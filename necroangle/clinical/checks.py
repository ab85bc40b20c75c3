"""What records contradict: within one, between the records of a subject, against the study.

Messages tell days as differences and never a date itself.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from necroangle.clinical.harris import harris_score
from necroangle.clinical.records import Hip, State, Values, day_of, index_day, number_of
from necroangle.protocol.near_names import near_visit
from necroangle.protocol.study import StudyProtocol
from necroangle.protocol.visits import months_of_name


@dataclass(frozen=True, slots=True)
class Issue:
    """A contradiction, at the record that shows it.

    Attributes
    ----------
    kind, key, field
        Where; the field may be a part of the key.
    message
        What contradicts what. Never a date: days are told as differences.
    is_fatal
        Whether the record cannot stand; else it is a doubt.
    rule
        The name of the rule that found it: :data:`necroangle.clinical.rules.RULES`.
    """

    kind: str
    key: tuple[str, ...]
    field: str
    message: str
    is_fatal: bool = True
    rule: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.kind} {' '.join(self.key)}: {self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class ReadVisit:
    """A measured reading, as far as the rules ask.

    Attributes
    ----------
    hip, visit, reader, read_no
        Of what, and whose.
    cna_deg, a_deg, b_deg
        Combined angle and the angles of the views, degrees; None where there are none.
    arco
        The stage that the reader entered.
    """

    hip: Hip
    visit: str
    reader: str
    read_no: int
    cna_deg: float | None = None
    a_deg: float | None = None
    b_deg: float | None = None
    arco: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a rule looks at: the records and readings of one subject.

    Attributes
    ----------
    state
        Records, of this subject at least.
    subject
        Its pseudonym.
    protocol
        The study's, where there is one.
    today
        Later dates are doubted.
    readings
        The subject's readings.
    """

    state: State
    subject: str
    protocol: StudyProtocol | None
    today: date
    readings: tuple[ReadVisit, ...] = ()

    @property
    def hips(self) -> list[Hip]:
        """The hips of which there is a record or a reading."""
        return sorted({*self.state.hips(self.subject), *(one.hip for one in self.readings)})

    def visits(self, hip: Hip) -> list[tuple[str, Values]]:
        """The visits of a hip in the order of their months; those without months by their day."""
        found = [(key[2], values) for key, values in self.state.of("visit", hip)]
        return sorted(found, key=lambda one: self.place_of(*one))

    def place_of(self, visit: str, values: Values) -> tuple[float, str]:
        """Where a visit stands among the others: months, else the day from the first one."""
        planned = self.protocol.visit(visit) if self.protocol is not None else None
        months = planned.nominal_months if planned is not None else months_of_name(visit)
        day = day_of(values, "visit_date")
        return (math.inf if months is None else months), "" if day is None else day.isoformat()


STEROID_ABOVE_G = 2.0
STEROID_WEEKS = 13.0
STEROID_STOPPED_BELOW_MONTHS = 24.0
ALCOHOL_ABOVE_ML_WEEK = 400.0
ALCOHOL_ABOVE_MONTHS = 6.0
ALCOHOL_STOPPED_UP_TO_MONTHS = 12.0

_BY_STEROID = frozenset({"steroid", "both"})
_BY_ALCOHOL = frozenset({"alcohol", "both"})


def aetiology_doubts(values: Values) -> Iterator[str]:
    """What the amounts of a subject say against its aetiology.

    Parameters
    ----------
    values
        The fields of a subject; where amounts are missing nothing is doubted.

    Examples
    --------
    >>> list(aetiology_doubts({"aetiology": "steroid", "prednisone_equivalent_g": 1.5}))
    ['coded steroid, but 1.5 g of prednisone equivalent is not more than 2 g']
    >>> list(aetiology_doubts({"aetiology": "steroid", "prednisone_equivalent_g": 2.5}))
    []
    """
    coded = values.get("aetiology")
    if not isinstance(coded, str):
        return
    against_steroid = list(_against_steroid(values))
    against_alcohol = list(_against_alcohol(values))
    if coded in _BY_STEROID:
        yield from (f"coded {coded}, but {reason}" for reason in against_steroid)
    elif not against_steroid and _all_given(values, _STEROID):
        yield f"coded {coded}, but the amounts fulfil the rule for glucocorticoids"
    if coded in _BY_ALCOHOL:
        yield from (f"coded {coded}, but {reason}" for reason in against_alcohol)
        if coded == "alcohol" and number_of(values, "other_risk_factor") == 1:
            yield "coded alcohol, but there is another risk factor"
    elif (
        not against_alcohol
        and _all_given(values, _ALCOHOL)
        and number_of(values, "other_risk_factor") == 0
    ):
        yield f"coded {coded}, but the amounts fulfil the rule for alcohol"


_STEROID = ("prednisone_equivalent_g", "prednisone_weeks", "steroid_stopped_months")
_ALCOHOL = ("alcohol_ml_week", "alcohol_months", "alcohol_stopped_months")


def _all_given(values: Values, names: Iterable[str]) -> bool:
    return all(number_of(values, name) is not None for name in names)


def _against_steroid(values: Values) -> Iterator[str]:
    grams, weeks, stopped = (number_of(values, name) for name in _STEROID)
    if grams is not None and grams <= STEROID_ABOVE_G:
        yield f"{grams:g} g of prednisone equivalent is not more than {STEROID_ABOVE_G:g} g"
    elif grams is not None and weeks is not None and weeks > STEROID_WEEKS:
        within = grams * STEROID_WEEKS / weeks
        if within <= STEROID_ABOVE_G:
            yield (
                f"{grams:g} g over {weeks:g} weeks is about {within:.1f} g within 3 months, not "
                f"more than {STEROID_ABOVE_G:g} g"
            )
    if stopped is not None and stopped >= STEROID_STOPPED_BELOW_MONTHS:
        yield f"the diagnosis came {stopped:g} months after glucocorticoids, not below 24"


def _against_alcohol(values: Values) -> Iterator[str]:
    amount, months, stopped = (number_of(values, name) for name in _ALCOHOL)
    if amount is not None and amount <= ALCOHOL_ABOVE_ML_WEEK:
        yield f"{amount:g} mL of alcohol a week is not more than {ALCOHOL_ABOVE_ML_WEEK:g} mL"
    if months is not None and months <= ALCOHOL_ABOVE_MONTHS:
        yield f"{months:g} months of alcohol are not more than {ALCOHOL_ABOVE_MONTHS:g}"
    if stopped is not None and stopped > ALCOHOL_STOPPED_UP_TO_MONTHS:
        yield f"the diagnosis came {stopped:g} months after alcohol, not within 12"


_STAGES = ("arco", "jic", "ficat")
_DATED = (
    ("visit", "visit_date"),
    ("treatment", "treatment_date"),
    ("hip", "treatment_date"),
    ("event", "event_date"),
)


def _dated(state: State, hip: Hip) -> Iterator[tuple[str, tuple[str, ...], str, date]]:
    """Kind, key, field and day of every dated record of a hip."""
    for kind, name in _DATED:
        for key, values in state.of(kind, hip):
            day = day_of(values, name)
            if day is not None:
                yield kind, key, name, day


def _event_days(state: State, prefix: tuple[str, ...], event: str) -> dict[tuple[str, ...], date]:
    return {
        key: day
        for key, values in state.of("event", prefix)
        if key[2] == event and (day := day_of(values, "event_date")) is not None
    }


def of_future(look: Look, hip: Hip) -> Iterator[Issue]:
    """A day that has not come."""
    for kind, key, name, day in _dated(look.state, hip):
        if day > look.today:
            message = f"{(day - look.today).days} days in the future"
            yield Issue(kind, key, name, message, is_fatal=False)


def of_replacement(look: Look, hip: Hip) -> Iterator[Issue]:
    """A hip is replaced once; what comes after is censored."""
    events = [key for key, _ in look.state.of("event", hip) if key[2] == "tha"]
    for key in events[1:]:
        yield Issue("event", key, "event", "this hip has a total hip arthroplasty already")
    days = _event_days(look.state, hip, "tha")
    if not days:
        return
    replaced = min(days.values())
    for kind, key, name, day in _dated(look.state, hip):
        if day <= replaced or (kind == "event" and key[2] in {"tha", "lost", "death"}):
            continue
        message = f"{(day - replaced).days} days after the hip was replaced"
        if kind == "visit":
            message += ": kept here, left out of outcomes and exports"
            given = [
                stage for stage in _STAGES if look.state.one("visit", key).get(stage) is not None
            ]
            message += f" ({', '.join(given)} given)" if given else ""
        yield Issue(kind, key, name, message, is_fatal=False)


def of_death(look: Look, hip: Hip) -> Iterator[Issue]:
    """Nothing after death; one death for both hips."""
    days = _event_days(look.state, hip[:1], "death")
    if not days:
        return
    died = min(days.values())
    for key, day in days.items():
        if day != died and key[:2] == hip:
            yield Issue("event", key, "event_date", "another day of death stands there already")
    for kind, key, name, day in _dated(look.state, hip):
        if day > died and not (kind == "event" and key[2] == "death"):
            yield Issue(kind, key, name, f"{(day - died).days} days after the subject's death")


def of_loss(look: Look, hip: Hip) -> Iterator[Issue]:
    """A visit after the hip was lost to follow-up."""
    days = _event_days(look.state, hip, "lost")
    if not days:
        return
    lost = max(days.values())
    for key, values in look.state.of("visit", hip):
        day = day_of(values, "visit_date")
        if day is not None and day > lost:
            message = f"{(day - lost).days} days after the hip was lost to follow-up"
            yield Issue("visit", key, "visit_date", message, is_fatal=False)


def of_windows(look: Look, hip: Hip) -> Iterator[Issue]:
    """A visit off its planned days."""
    protocol = look.protocol
    if protocol is None:
        return
    start = index_day(look.state, hip, protocol)
    for key, values in look.state.of("visit", hip):
        visit, day = protocol.visit(key[2]), day_of(values, "visit_date")
        if start is None or visit is None or day is None or visit.window_days is None:
            continue
        if not visit.holds((day - start).days):
            first, last = visit.window_days
            message = (
                f"day {(day - start).days} from the index date; the window of {visit.name} is "
                f"day {first} to {last}"
            )
            yield Issue("visit", key, "visit_date", message, is_fatal=False)


def of_order(look: Look, hip: Hip) -> Iterator[Issue]:
    """Visits with more months have later days."""
    latest: tuple[str, date] | None = None
    for visit, values in look.visits(hip):
        day = day_of(values, "visit_date")
        if day is None or math.isinf(look.place_of(visit, values)[0]):
            continue
        if latest is not None and day <= latest[1]:
            message = f"not later than visit {latest[0]}"
            yield Issue("visit", (*hip, visit), "visit_date", message, is_fatal=False)
        if latest is None or day > latest[1]:
            latest = visit, day


def of_treatment(look: Look, hip: Hip) -> Iterator[Issue]:
    """The hip's day of treatment is that of one of its treatments."""
    day = day_of(look.state.one("hip", hip), "treatment_date")
    treatments: list[tuple[tuple[str, ...], Values]] = list(look.state.of("treatment", hip))
    days = {day_of(values, "treatment_date") for _, values in treatments} - {None}
    if day is not None and days and day not in days:
        message = "the hip's day of treatment is that of none of its treatments"
        yield Issue("hip", hip, "treatment_date", message, is_fatal=False)


_WITHOUT_SIZE = ("0", "VI")
"""Steinberg's stages that have no extent."""


def of_aetiology(look: Look) -> Iterator[Issue]:
    """Amounts that speak against the coded cause."""
    for key, values in look.state.of("subject", (look.subject,)):
        for message in aetiology_doubts(values):
            yield Issue("subject", key, "aetiology", message, is_fatal=False)


def of_harris(look: Look) -> Iterator[Issue]:
    """A total that its items do not make."""
    for key, values in look.state.of("visit", (look.subject,)):
        for field, message in harris_score(values).doubts:
            yield Issue("visit", key, field, message, is_fatal=False)


def of_pain_scale(look: Look) -> Iterator[Issue]:
    """Pain without its scale, or above it."""
    for key, values in look.state.of("visit", (look.subject,)):
        vas, scale = number_of(values, "vas"), number_of(values, "vas_scale")
        if vas is not None and scale is None:
            message = "0 to 10 or 0 to 100? state vas_scale, 10 or 100"
            yield Issue("visit", key, "vas", message)
        elif vas is not None and scale is not None and vas > scale:
            message = f"{vas:g} is above the scale's largest value, {scale:g}"
            yield Issue("visit", key, "vas", message)


def of_steinberg(look: Look) -> Iterator[Issue]:
    """The extent is told within stages I to V (doi 10.1302/0301-620X.77B1.7822393)."""
    for key, values in look.state.of("visit", (look.subject,)):
        stage = values.get("steinberg")
        if values.get("steinberg_size") is not None and stage in _WITHOUT_SIZE:
            message = f"stage {stage} has no size"
            yield Issue("visit", key, "steinberg_size", message, is_fatal=False)


def of_study(look: Look) -> Iterator[Issue]:
    """Visits and events that the study does not have."""
    protocol = look.protocol
    if protocol is None:
        return
    planned = {visit.name for visit in protocol.visits}  # none planned: any may be
    names = ", ".join(visit.name for visit in protocol.visits)
    for key, _ in look.state.of("visit", (look.subject,)):
        if planned and key[2] not in planned:
            meant = near_visit(key[2], {one.name: one.nominal_months for one in protocol.visits})
            hint = f"; did you mean {meant}?" if meant else "; see study.toml"
            message = f"no visit of the study ({names}){hint}"
            yield Issue("visit", key, "visit", message)
    for key, values in look.state.of("hip", (look.subject,)):
        visit = values.get("index_visit")
        if planned and visit is not None and visit not in planned:
            yield Issue("hip", key, "index_visit", f"no visit of the study ({names})")
    for key, _ in look.state.of("event", (look.subject,)):
        if key[2] not in protocol.events:
            message = f"no event of the study ({', '.join(protocol.events)}); see study.toml"
            yield Issue("event", key, "event", message)
