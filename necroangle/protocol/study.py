"""What a study is: its ``study.toml``, read strictly.

Every key is known, and a word that is not is refused by its place: a misspelt window must never
be a window that does not count.
"""

import re
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from necroangle.decoding import MalformedError, from_toml
from necroangle.errors import CohortError
from necroangle.terms import ArcoStage

__all__ = [
    "DAYS_PER_MONTH",
    "EVENTS",
    "FORMAT",
    "IDENTIFIER",
    "CutOffs",
    "Failure",
    "Missing",
    "StudyConfig",
    "Visit",
    "decode_config",
]

FORMAT = "necroangle.study"
DAYS_PER_MONTH = 365.25 / 12
IDENTIFIER = r"^(?!.*__)(?!_)\w[\w.-]{0,63}(?<!_)(?![\s\S])"
"""What a subject, visit or reader may be called: the rule of the reading file."""

Reason = Literal["not applicable", "not readable", "not done"]
Event = Literal["collapse", "radiographic_failure", "tha", "lost", "death"]

EVENTS: tuple[Event, ...] = ("collapse", "radiographic_failure", "tha", "lost", "death")
"""Events that end or change what can be measured on a hip."""

_INNER_FOLDERS = ("readings", "exports", "reports")

Name = Annotated[str, Meta(pattern=IDENTIFIER)]
Days = Annotated[int, Meta(ge=0, le=3650)]
Angle = Annotated[float, Meta(gt=0, le=720)]


class Visit(Struct, frozen=True, forbid_unknown_fields=True):
    """One planned visit and the days in which it counts.

    Attributes
    ----------
    name
        As in the readings and the tables.
    months
        Nominal months from the index date; 0 for the index visit.
    before_days, after_days
        How many days early and late it may be.
    """

    name: Name
    months: Annotated[float, Meta(ge=0, le=600)]
    before_days: Days
    after_days: Days

    @property
    def nominal_day(self) -> int:
        """Nominal days from the index date; a month has 30.4375 days."""
        return round(self.months * DAYS_PER_MONTH)

    @property
    def window_days(self) -> tuple[int, int]:
        """First and last day, from the index date, that count.

        Examples
        --------
        >>> Visit("m06", 6, 45, 45).window_days
        (138, 228)
        """
        return self.nominal_day - self.before_days, self.nominal_day + self.after_days


class CutOffs(Struct, frozen=True, forbid_unknown_fields=True):
    """Degrees of the combined angle at which a category changes.

    Attributes
    ----------
    change_deg
        A larger change from baseline is counted (doi 10.1007/s13770-024-00647-z uses 20).
    ha_grade_deg
        Where grade 2, 3 and 4 begin (Ha 2006, doi 10.2106/JBJS.F.00535).
    ha_risk_deg
        Up to the first: low risk; from the second: high risk.
    """

    change_deg: Angle = 20.0
    ha_grade_deg: tuple[Angle, Angle, Angle] = (200.0, 250.0, 300.0)
    ha_risk_deg: tuple[Angle, Angle] = (190.0, 240.0)


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """When a hip has failed on the radiograph.

    Attributes
    ----------
    rule
        ``"event"``: a recorded event; ``"reaches"``: the stages below; ``"auto"``: the events
        where there are any, else the stages; ``"collapse"``: 3A or later after a stage before it;
        ``"arco_progression"``: any later stage.
    reaches
        A later visit with one of these ARCO stages, above the stage at the index visit.
    tha
        Whether a total hip arthroplasty is a failure, too.
    """

    rule: Literal["auto", "event", "reaches", "collapse", "arco_progression"] = "auto"
    reaches: tuple[ArcoStage, ...] = (ArcoStage.STAGE_3B, ArcoStage.STAGE_4)
    tha: bool = True


class Missing(Struct, frozen=True, forbid_unknown_fields=True):
    """Codes that say why a value is missing, and what an empty cell says."""

    not_applicable: int = -97
    not_readable: int = -98
    not_done: int = -99
    empty: Reason = "not done"

    @property
    def codes(self) -> dict[str, Reason]:
        """Each code, as text, and its reason.

        Examples
        --------
        >>> Missing().codes["-98"]
        'not readable'
        """
        return {
            str(self.not_applicable): "not applicable",
            str(self.not_readable): "not readable",
            str(self.not_done): "not done",
        }


class StudyConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of ``study.toml``.

    Attributes
    ----------
    format, version
        ``"necroangle.study"``, 1.
    study
        The study's id.
    method
        The measuring method whose angle the outcomes use.
    readers
        Who reads; empty where anyone may.
    index_visit
        The visit that others are compared with; its months are 0.
    visits
        The planned visits, in the order of their months.
    cohort
        The cohort table: a file beside ``study.toml``, or a database URL without a password.
    secret
        File of the study's secret, beside ``study.toml`` or elsewhere, never in an inner folder.
    events
        The events that this study records.
    cut_offs, failure, missing
        See their classes.
    """

    format: Literal["necroangle.study"]
    version: Literal[1]
    study: Name
    method: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    readers: tuple[Name, ...] = ()
    index_visit: Name
    visits: Annotated[tuple[Visit, ...], Meta(min_length=1, max_length=200)]
    cohort: Annotated[str, Meta(min_length=1, max_length=500)] = "cohort.sqlite"
    secret: Annotated[str, Meta(min_length=1, max_length=500)] = "secret.key"  # noqa: S105
    events: tuple[Event, ...] = EVENTS
    cut_offs: CutOffs = CutOffs()
    failure: Failure = Failure()
    missing: Missing = Missing()

    def visit(self, name: str) -> Visit | None:
        """The planned visit of that name, or None."""
        return next((visit for visit in self.visits if visit.name == name), None)


def decode_config(raw: bytes, *, file: str = "study.toml") -> StudyConfig:
    r"""Decode and check the bytes of a ``study.toml``.

    Raises
    ------
    CohortError
        Naming the file, the place and the problem: malformed TOML, a missing or unknown key, a
        value out of range, visits given twice, windows that overlap, a secret where it would be
        shared, a password in a URL.

    Examples
    --------
    >>> decode_config(b'format = "necroangle.study"\nversoin = 1')
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: study.toml: $: Object contains unknown field `versoin`
    """
    try:
        config = from_toml(raw, StudyConfig)
    except MalformedError as error:
        raise CohortError(f"{file}: {error}") from error
    for place, problem in _contradictions(config):
        raise CohortError(f"{file}: {place}: {problem}")
    return config


def _contradictions(config: StudyConfig) -> list[tuple[str, str]]:
    """Place and problem of each part that contradicts another."""
    return [
        *_twice(config),
        *_visit_problems(config),
        *_cut_off_problems(config.cut_offs),
        *_place_problems(config),
    ]


def _twice(config: StudyConfig) -> list[tuple[str, str]]:
    lists: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("$.visits", tuple(visit.name for visit in config.visits)),
        ("$.readers", config.readers),
        ("$.events", config.events),
        ("$.failure.reaches", config.failure.reaches),
        ("$.missing", tuple(config.missing.codes)),
    )
    found = [
        (place, f"{name!r} stands there twice")
        for place, names in lists
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if len(config.missing.codes) < 3:
        found.append(("$.missing", "one code stands for two reasons; give each its own"))
    return found


def _visit_problems(config: StudyConfig) -> list[tuple[str, str]]:
    found = []
    index = config.visit(config.index_visit)
    if index is None:
        found.append(("$.index_visit", f"{config.index_visit!r} is none of the visits"))
    elif index.months != 0:
        found.append(("$.index_visit", f"{index.name!r} has {index.months:g} months; it needs 0"))
    for number, (early, late) in enumerate(pairwise(config.visits), 1):
        place = f"$.visits[{number}]"
        if late.months <= early.months:
            found.append(
                (place, f"{late.name!r} is not later than {early.name!r}; order by months")
            )
        elif early.window_days[1] >= late.window_days[0]:
            found.append(
                (
                    place,
                    f"the window of {late.name!r} begins on day {late.window_days[0]}, that of "
                    f"{early.name!r} ends on day {early.window_days[1]}: they overlap",
                )
            )
    return found


def _cut_off_problems(cuts: CutOffs) -> list[tuple[str, str]]:
    lists = (("ha_grade_deg", cuts.ha_grade_deg), ("ha_risk_deg", cuts.ha_risk_deg))
    return [
        (f"$.cut_offs.{name}", "the cut-offs must rise")
        for name, values in lists
        if any(high <= low for low, high in pairwise(values))
    ]


def _place_problems(config: StudyConfig) -> list[tuple[str, str]]:
    found = []
    first = PurePosixPath(re.sub(r"\\+", "/", config.secret)).parts[0]
    if first in _INNER_FOLDERS:
        found.append(("$.secret", f"the secret must not lie in {first}/, which is shared"))
    if "://" in config.cohort and _has_password(config.cohort):
        found.append(
            (
                "$.cohort",
                "no password in this file; set the environment variable "
                "NECROANGLE_COHORT_PASSWORD and write the URL without it",
            )
        )
    return found


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None or "password=" in url.lower()
    except ValueError:
        return False
