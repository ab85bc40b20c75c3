"""What records contradict: within one, between the records of a subject, against the study."""

from collections.abc import Iterator
from datetime import date

from necroangle.clinical.aetiology import aetiology_doubts
from necroangle.clinical.course import check_course
from necroangle.clinical.harris import harris_score
from necroangle.clinical.issue import Issue
from necroangle.clinical.state import Key, State, Values, number_of
from necroangle.protocol.study import StudyProtocol

__all__ = ["check_subject"]

_WITHOUT_SIZE = ("0", "VI")
"""Steinberg's stages that have no extent."""


def check_subject(
    state: State, subject: str, protocol: StudyProtocol | None, today: date | None = None
) -> Iterator[Issue]:
    """What the records of one subject contradict.

    Parameters
    ----------
    state
        Records, of this subject at least.
    subject
        Its pseudonym.
    protocol
        The study's, where there is one: its visits, windows and events.
    today
        Later dates are doubted; None for the day itself.

    Examples
    --------
    >>> state = State({("visit", ("S01", "L", "m00")): {"vas": 30.0, "vas_scale": 10}})
    >>> for issue in check_subject(state, "S01", None):
    ...     print(issue.field, issue.message)
    vas 30 is above the scale's largest value, 10
    """
    for key, values in state.of("subject", (subject,)):
        for message in aetiology_doubts(values):
            yield Issue("subject", key, "aetiology", message, is_fatal=False)
    for key, values in state.of("visit", (subject,)):
        yield from _check_vas(key, values)
        for field, message in harris_score(values).doubts:
            yield Issue("visit", key, field, message, is_fatal=False)
        yield from _check_steinberg(key, values)
    yield from _check_study(state, subject, protocol)
    for hip in state.hips(subject):
        yield from check_course(state, hip, protocol, today or date.today())


def _check_vas(key: Key, values: Values) -> Iterator[Issue]:
    vas, scale = number_of(values, "vas"), number_of(values, "vas_scale")
    if vas is not None and scale is None:
        message = "0 to 10 or 0 to 100? state vas_scale, 10 or 100"
        yield Issue("visit", key, "vas", message)
    elif vas is not None and scale is not None and vas > scale:
        message = f"{vas:g} is above the scale's largest value, {scale:g}"
        yield Issue("visit", key, "vas", message)


def _check_steinberg(key: Key, values: Values) -> Iterator[Issue]:
    """The extent is told within stages I to V (doi 10.1302/0301-620X.77B1.7822393)."""
    stage = values.get("steinberg")
    if values.get("steinberg_size") is not None and stage in _WITHOUT_SIZE:
        message = f"stage {stage} has no size"
        yield Issue("visit", key, "steinberg_size", message, is_fatal=False)


def _check_study(state: State, subject: str, protocol: StudyProtocol | None) -> Iterator[Issue]:
    """Visits and events that the study does not have."""
    if protocol is None:
        return
    planned = {visit.name for visit in protocol.visits}  # none planned: any may be
    names = ", ".join(visit.name for visit in protocol.visits)
    for key, _ in state.of("visit", (subject,)):
        if planned and key[2] not in planned:
            message = f"no visit of the study ({names}); see study.toml"
            yield Issue("visit", key, "visit", message)
    for key, values in state.of("hip", (subject,)):
        visit = values.get("index_visit")
        if planned and visit is not None and visit not in planned:
            yield Issue("hip", key, "index_visit", f"no visit of the study ({names})")
    for key, _ in state.of("event", (subject,)):
        if key[2] not in protocol.events:
            message = f"no event of the study ({', '.join(protocol.events)}); see study.toml"
            yield Issue("event", key, "event", message)
