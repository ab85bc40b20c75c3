"""The protocol of a study: its ``study.toml`` as one frozen value, which every command takes.

Every key is known, and a word that is not is refused by its place: a misspelt window must never
be a window that does not count. Every key does something; published cut-offs (Ha, Kerboul,
Koo-Kim, ARCO) are no settings of a study and stand in :mod:`necroangle.measurement.grades`.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, to_builtins
from msgspec.structs import fields, replace

from necroangle.decoding import MalformedError, converted, from_toml
from necroangle.errors import CohortError
from necroangle.protocol.noise import UNKNOWN_READER, EndNoise, RepeatNoise, StudyNoise
from necroangle.protocol.visits import Name, Visit
from necroangle.terms import ArcoStage, Weighting

FORMAT = "necroangle.study"
INNER_FOLDERS = ("readings", "exports", "reports")

Reason = Literal["not applicable", "not readable", "not done"]
Event = Literal["collapse", "radiographic_failure", "tha", "lost", "death"]
IndexDay = Literal["treatment", "index_date", "visit"]
FailureRule = Literal["auto", "event", "reaches", "collapse", "arco_progression"]
TestKind = Literal["auto", "exact", "normal", "normal_cc"]
ZeroRule = Literal["wilcoxon", "pratt"]

EVENTS: tuple[Event, ...] = ("collapse", "radiographic_failure", "tha", "lost", "death")
"""Events that end or change what can be measured on a hip."""

FAILURE_RULES: Mapping[FailureRule, str] = {
    "auto": "the recorded events where the cohort has any, else reaches",
    "event": "a recorded radiographic_failure event after the index date",
    "reaches": "one of the stated ARCO stages after the baseline, above the baseline's stage",
    "collapse": "ARCO 3A or later, or a collapse event, after a baseline before collapse",
    "arco_progression": "an ARCO stage after the baseline that is later than the baseline's",
}
"""Rules of radiographic failure by name."""


class CutOffs(Struct, frozen=True, forbid_unknown_fields=True):
    """Degrees of the combined angle that the study itself chose.

    Attributes
    ----------
    change_deg
        A larger change from the baseline is counted (doi 10.1007/s13770-024-00647-z uses 20).
    """

    change_deg: Annotated[float, Meta(ge=0, le=720)] = 20.0


class ReaderNoise(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one reader marks arc ends: what `necroangle calibrate` finds, or what is known else.

    Attributes
    ----------
    reader
        The reader's code.
    end_sd_mm, end_bias_mm, end_dof
        As in :class:`Noise`.
    source
        Where they come from.
    """

    reader: Name
    end_sd_mm: Annotated[float, Meta(gt=0, le=20)]
    end_bias_mm: Annotated[float, Meta(ge=0, le=20)]
    end_dof: Annotated[float, Meta(ge=1, le=1e9)]
    source: Literal["study", "calibration"] = "study"

    @property
    def of_ends(self) -> EndNoise:
        """The same as the measurement takes it."""
        return EndNoise(self.end_sd_mm, self.end_bias_mm, self.end_dof, self.source)


class AngleNoise(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far two readings of an unchanged hip's combined angle lie apart: see `necroangle agree`.

    Attributes
    ----------
    who
        Both by the same reader, or by two readers.
    sd_deg, dof
        Standard deviation of one such reading, and its degrees of freedom.
    """

    who: Literal["same reader", "two readers"]
    sd_deg: Annotated[float, Meta(gt=0, le=180)]
    dof: Annotated[float, Meta(ge=1, le=1e9)]


class Noise(Struct, frozen=True, forbid_unknown_fields=True):
    """The error of marking.

    Attributes
    ----------
    end_sd_mm
        Standard deviation of marking an arc's end along the surface: 1 mm is a careful reader's.
    end_bias_mm
        Standard deviation of a reader's own habit, which moves every end outward or inward alike.
    end_dof
        Degrees of freedom behind both: 5 for readers nobody knows.
    from_repeats
        Whether they are taken from the repeat reads in the study's ``readings/`` instead, reader
        by reader.
    repeats_needed
        Degrees of freedom that repeat reads need before anything is taken from them.
    readers
        Readers who are known; what is said of one of them goes before all else.
    angle
        What the study has adopted of its readers' agreement; it goes before the repeats in the
        cohort wherever a change is judged.
    """

    end_sd_mm: Annotated[float, Meta(gt=0, le=20)] = UNKNOWN_READER.sd_mm
    end_bias_mm: Annotated[float, Meta(ge=0, le=20)] = UNKNOWN_READER.bias_mm
    end_dof: Annotated[float, Meta(ge=1, le=1e9)] = UNKNOWN_READER.dof
    from_repeats: bool = False
    repeats_needed: Annotated[int, Meta(ge=1)] = 5
    readers: tuple[ReaderNoise, ...] = ()
    angle: tuple[AngleNoise, ...] = ()

    @property
    def of_angle(self) -> StudyNoise:
        """The agreement that was adopted."""
        found = {
            one.who: RepeatNoise(one.sd_deg, one.dof, "the agreement the study adopted")
            for one in self.angle
        }
        return StudyNoise(found.get("same reader"), found.get("two readers"))

    @property
    def of_ends(self) -> EndNoise:
        """How arc ends are marked by a reader of whom nothing else is known."""
        found = EndNoise(self.end_sd_mm, self.end_bias_mm, self.end_dof)
        return found if found == UNKNOWN_READER else dataclasses.replace(found, source="study")


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """When a hip has failed on the radiograph.

    Attributes
    ----------
    rule
        A name of :data:`FAILURE_RULES`.
    reaches
        The stages of the rule ``"reaches"``: by default 3B and 4, a depression above 2 mm.
    tha
        Whether a total hip arthroplasty is a failure by the rules that ask for stages.
    """

    rule: FailureRule = "auto"
    reaches: tuple[ArcoStage, ...] = (ArcoStage.STAGE_3B, ArcoStage.STAGE_4)
    tha: bool = True


class Statistics(Struct, frozen=True, forbid_unknown_fields=True):
    """How medians and tests are made.

    Attributes
    ----------
    quantiles
        Type of the quartiles: 7 (R, NumPy, Excel) or 6 (SPSS).
    wilcoxon
        Kind of the signed-rank test.
    zeros
        Differences of zero: dropped (``"wilcoxon"``) or ranked (``"pratt"``).
    """

    quantiles: Literal[6, 7] = 7
    wilcoxon: TestKind = "auto"
    zeros: ZeroRule = "wilcoxon"


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


class StudyProtocol(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of ``study.toml``.

    Attributes
    ----------
    format, version
        ``"necroangle.study"``, 1.
    study
        The study's id; it stands in the provenance of every export.
    method
        The measuring method; left out: by the kind of image.
    readers
        Who reads, the first one first; empty where anyone may. A reading of another reader is
        refused; one that was measured before does not count.
    consensus
        Whether a reading that unites two or more kept ones goes before every reader.
    index_visit
        The visit that others are compared with; its months are 0. Left out: the first visit of
        month 0. A hip may name its own.
    index_day
        What the days of a hip count from: the first of these that is known.
    visits
        The planned visits, in the order of their months; empty: told from the visits' names.
    cohort
        The cohort table: a file beside ``study.toml``, or a database URL without a password.
    secret
        File of the study's secret, beside ``study.toml`` or elsewhere, never in an inner folder.
    signing_key
        File of a private Ed25519 key that signs the anchors of the ledger, best kept elsewhere;
        empty: they are not signed.
    events
        The events that this study records.
    weightings
        In which order MR series of a view are offered to the reader, those of one kind of picture;
        what is left out comes after, in the usual order.
    cut_offs, noise, failure, statistics, missing
        See their classes.
    """

    format: Literal["necroangle.study"]
    version: Literal[1]
    study: Name
    method: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None
    readers: tuple[Name, ...] = ()
    consensus: bool = True
    index_visit: Name | None = None
    index_day: Annotated[tuple[IndexDay, ...], Meta(min_length=1)] = (
        "treatment",
        "index_date",
        "visit",
    )
    cohort: Annotated[str, Meta(min_length=1, max_length=500)] = "cohort.sqlite"
    secret: Annotated[str, Meta(min_length=1, max_length=500)] = "secret.key"  # noqa: S105
    signing_key: Annotated[str, Meta(max_length=500)] = ""
    events: tuple[Event, ...] = EVENTS
    weightings: tuple[Weighting, ...] = tuple(Weighting)[:-1]
    cut_offs: CutOffs = CutOffs()
    noise: Noise = Noise()
    failure: Failure = Failure()
    statistics: Statistics = Statistics()
    missing: Missing = Missing()
    visits: Annotated[tuple[Visit, ...], Meta(max_length=200)] = ()

    def visit(self, name: str | None) -> Visit | None:
        """The planned visit of that name, or None."""
        return next((visit for visit in self.visits if visit.name == name), None)

    def overridden(self, asked: Mapping[str, Any]) -> "StudyProtocol":
        """The protocol with what was asked for in the place of what it says.

        Parameters
        ----------
        asked
            Value by the key's place, ``"failure.rule"``; None: nothing was asked.

        Raises
        ------
        CohortError
            If a value is not what the key holds, or the index visit is not planned.

        Examples
        --------
        >>> NO_STUDY.overridden({"cut_offs.change_deg": 30, "method": None}).cut_offs.change_deg
        30.0
        >>> NO_STUDY.overridden({"failure.rule": "by eye"})
        Traceback (most recent call last):
        ...
        necroangle.errors.CohortError: $.failure.rule: Invalid enum value 'by eye'; it is ...
        """
        values = to_builtins(self)
        for place, value in asked.items():
            if value is not None:
                table, _, name = place.rpartition(".")
                (values[table] if table else values)[name] = value
        try:
            found = converted(values, StudyProtocol)
        except MalformedError as error:
            raise CohortError(str(error)) from error
        if found.visits and found.index_visit and found.visit(found.index_visit) is None:
            names = ", ".join(visit.name for visit in found.visits)
            raise CohortError(f"index visit {found.index_visit!r} is not planned; visits: {names}")
        return found


NO_STUDY = StudyProtocol(format="necroangle.study", version=1, study="none")
"""What holds where there is no study folder: visits by their names, any reader, any method."""

_NEW_VISITS = (
    Visit("m00", 0, 90, 14),
    Visit("m03", 3, 45, 45),
    Visit("m06", 6, 45, 45),
    Visit("m12", 12, 90, 90),
    *(Visit(f"m{months}", months, 180, 180) for months in (24, 36, 48, 60)),
)


def new_protocol(study: str, method: str, readers: tuple[str, ...] = ()) -> StudyProtocol:
    """The protocol that a new study begins with: visits to five years, everything else as usual."""
    return replace(
        NO_STUDY,
        study=study,
        method=method,
        readers=readers,
        index_visit="m00",
        visits=_NEW_VISITS,
    )


def decode_protocol(raw: bytes, *, file: str = "study.toml") -> StudyProtocol:
    r"""Decode and check the bytes of a ``study.toml``.

    Raises
    ------
    CohortError
        Naming the file, the place and the problem: malformed TOML, a missing or unknown key, a
        value out of range, visits given twice, windows that overlap, a secret where it would be
        shared, a password in a URL, a published cut-off as a setting.

    Examples
    --------
    >>> decode_protocol(b'format = "necroangle.study"\nversoin = 1')
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: study.toml: $: Object contains unknown field `versoin`; did ...
    """
    try:
        values = from_toml(raw, dict[str, Any])
        _refuse_retired(values, file)
        protocol = converted(values, StudyProtocol)
    except MalformedError as error:
        text = raw.decode(errors="replace")
        raise CohortError(f"{file}: {error.at_line(text)}") from error
    for place, problem in (
        *_twice(protocol),
        *_visit_problems(protocol),
        *_place_problems(protocol),
    ):
        raise CohortError(f"{file}: {place}: {problem}")
    return protocol


_RETIRED = ("ha_grade_deg", "ha_risk_deg")
"""Keys of ``[cut_offs]`` that version 0.1.0 wrote and nothing ever read."""


def _refuse_retired(values: Mapping[str, Any], file: str) -> None:
    """Published cut-offs in an older file: said in one sentence, with what to do."""
    cuts = values.get("cut_offs")
    found = [name for name in _RETIRED if name in cuts] if isinstance(cuts, dict) else []
    if found:
        places = " and ".join(f"$.cut_offs.{name}" for name in found)
        lines = "these lines" if len(found) > 1 else "this line"
        raise CohortError(
            f"{file}: {places}: Ha's published cut-offs (doi 10.2106/JBJS.F.00535) are no settings "
            f"of a study, and never had an effect; delete {lines}"
        )


def _twice(protocol: StudyProtocol) -> list[tuple[str, str]]:
    lists: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("$.visits", tuple(visit.name for visit in protocol.visits)),
        ("$.readers", protocol.readers),
        ("$.noise.readers", tuple(one.reader for one in protocol.noise.readers)),
        ("$.events", protocol.events),
        ("$.weightings", protocol.weightings),
        ("$.index_day", protocol.index_day),
        ("$.failure.reaches", protocol.failure.reaches),
        ("$.missing", tuple(protocol.missing.codes)),
    )
    found = [
        (place, f"{name!r} occurs twice")
        for place, names in lists
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if Weighting.UNKNOWN in protocol.weightings:
        found.append(("$.weightings", "'unknown' is no weighting to be preferred; leave it out"))
    if len(protocol.missing.codes) < 3:
        found.append(("$.missing", "one code stands for two reasons; give each its own"))
    return found


def _visit_problems(protocol: StudyProtocol) -> Iterator[tuple[str, str]]:
    """An index visit not at 0; visits without months or out of order; windows that overlap."""
    index = protocol.visit(protocol.index_visit)
    if protocol.index_visit is not None and index is None:
        yield "$.index_visit", f"{protocol.index_visit!r} is none of the visits"
    elif index is not None and index.nominal_months:
        yield "$.index_visit", f"{index.name!r} has {index.nominal_months:g} months; it needs 0"
    for number, visit in enumerate(protocol.visits):
        if visit.nominal_months is None:
            yield f"$.visits[{number}]", f"state the months of {visit.name!r}"
    for number, (early, late) in enumerate(pairwise(protocol.visits), 1):
        place = f"$.visits[{number}]"
        ends, begins = early.window_days, late.window_days
        if (late.nominal_days or 0) <= (early.nominal_days or 0):
            yield place, f"{late.name!r} is not later than {early.name!r}; order by months"
        elif ends is not None and begins is not None and ends[1] >= begins[0]:
            yield (
                place,
                f"the window of {late.name!r} begins on day {begins[0]}, that of "
                f"{early.name!r} ends on day {ends[1]}: they overlap",
            )


def _place_problems(protocol: StudyProtocol) -> list[tuple[str, str]]:
    found = []
    first = PurePosixPath(re.sub(r"\\+", "/", protocol.secret)).parts[0]
    if first in INNER_FOLDERS:
        found.append(("$.secret", f"the secret must not lie in {first}/, which is shared"))
    if "://" in protocol.cohort and _has_password(protocol.cohort):
        found.append(
            (
                "$.cohort",
                "no password in this file; keep it in ~/.pgpass, or in the environment variable "
                "NECROANGLE_COHORT_PASSWORD, and write the URL without it",
            )
        )
    return found


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None or "password=" in url.lower()
    except ValueError:
        return False


_HEAD = """\
# A necroangle study. Commands run in this folder, or below it, need no further flags.
# Words that are not known here are refused, so a misspelt key never passes in silence.
"""
_SAID = {
    "format": "",
    "version": "",
    "study": "The study's id: letters, digits, dot, dash, single underscores.",
    "method": """\
The measuring method (`necroangle measure`). Left out: by the kind of image.
MR: ha_mr_midslice, centre_plane, largest_slice, max_extent. Radiographs: kerboul_radiograph.""",
    "readers": """\
Who reads, the first one first: the first read of the first of them who read a hip visit counts.
Empty: anyone may. A reading of another reader is refused.""",
    "consensus": """\
Whether a consensus goes before every reader: a reading that unites two or more kept readings of
one hip visit. The name "consensus" alone is nothing.""",
    "index_visit": "The visit that later ones are compared with; its months are 0.",
    "index_day": """\
What the days of a hip count from, the first that is known: the day of its "treatment", the
"index_date" of its patient, the day of its index "visit".""",
    "cohort": """\
The cohort table: a file in this folder, or a database URL such as
"postgresql+psycopg://user@host/study". Never write a password here: keep it in ~/.pgpass, or in
the environment variable NECROANGLE_COHORT_PASSWORD.""",
    "secret": """\
The study's secret: a file of random bytes from which the keys of exported images are made.
Keep it, back it up apart from the exports, and give it to nobody. It may lie elsewhere.""",
    "signing_key": """\
A private key (Ed25519, `ssh-keygen -t ed25519`) that signs what proves the ledger's past, best
kept outside this folder. Empty: it is not signed.""",
    "events": "Events that the study records; another one is refused.",
    "weightings": """\
In which order the MR series of a view are offered: "T1", "PD", "STIR", "T2", "GRE" (gradient
echo). What is left out comes after. Computed pictures come last, whatever stands here.""",
    "cut_offs": "Degrees of the combined angle.",
    "cut_offs.change_deg": """\
A change from the index visit larger than this is counted (doi 10.1007/s13770-024-00647-z).
The measuring error's own limit (MDC95) is shown beside it.""",
    "noise": "The error of marking.",
    "noise.end_sd_mm": "Standard deviation of marking an arc's end along the surface, mm.",
    "noise.end_bias_mm": """\
Standard deviation of a reader's own habit, which moves every end outward or inward alike, mm.""",
    "noise.end_dof": "Degrees of freedom behind both: 5 where nobody knows the readers.",
    "noise.from_repeats": """\
true: taken from the repeat reads in readings/ instead, reader by reader.""",
    "noise.repeats_needed": """\
Degrees of freedom that repeat reads need before anything is taken from them.""",
    "noise.readers": """\
Readers who are known: a block like this for each, as `necroangle calibrate` writes it.
[[noise.readers]]
reader = "r1"
end_sd_mm = 0.8
end_bias_mm = 0.2
end_dof = 45.0""",
    "noise.angle": """\
What was adopted of the readers' agreement, as `necroangle agree --adopt` writes it.
[[noise.angle]]
who = "two readers"
sd_deg = 6.5
dof = 24.0""",
    "failure": """\
When a hip has failed on the radiograph. rule = "event": a recorded event; "reaches": a later
visit reaches one of these ARCO stages, above the stage at the index visit; "auto": the events
where there are any, else the stages; "collapse"; "arco_progression". Where tha is true, a hip
that is replaced has failed, too.""",
    "statistics": """\
quantiles: 7 as R, NumPy and Excel, or 6 as SPSS. wilcoxon: "auto", "exact", "normal" or
"normal_cc" (with continuity correction). zeros: differences of zero are dropped ("wilcoxon") or
ranked ("pratt").""",
    "missing": """\
Codes in tables for a value that is missing, and what an empty cell says:
"not done", "not readable" or "not applicable".""",
    "visits": """\
The visits, by months from the index date (30.4375 days each). A visit counts from before_days
ahead of its day to after_days behind it; windows must not overlap.""",
}
"""What the file says above a key, by its place."""


def study_toml(protocol: StudyProtocol) -> bytes:
    """The protocol as a ``study.toml``, every key with a line that explains it.

    Examples
    --------
    >>> text = study_toml(new_protocol("onfh", "ha_mr_midslice", ("r1",)))
    >>> decode_protocol(text).readers
    ('r1',)
    """
    lines = [_HEAD]
    for field in fields(type(protocol)):
        value = getattr(protocol, field.name)
        if value is not None:
            lines += [*_comment(field.name), *_key_lines(field.name, value)]
    return "\n".join(lines).rstrip("\n").encode() + b"\n"


def noise_toml(found: ReaderNoise | AngleNoise) -> str:
    """What is known of a reader, or of the angle, as a block that ``study.toml`` takes.

    Examples
    --------
    >>> print(noise_toml(ReaderNoise(reader="kim", end_sd_mm=0.8, end_bias_mm=0.2, end_dof=45.0)))
    [[noise.readers]]
    reader = "kim"
    end_sd_mm = 0.8
    end_bias_mm = 0.2
    end_dof = 45.0
    source = "study"
    """
    name = "readers" if isinstance(found, ReaderNoise) else "angle"
    return "\n".join(_tables(f"noise.{name}", (found,))).lstrip("\n")


def _tables(name: str, values: Iterable[Struct]) -> Iterator[str]:
    for value in values:
        stated = {key: cell for key, cell in to_builtins(value).items() if cell is not None}
        yield from ("", f"[[{name}]]", *(f"{key} = {_toml(stated[key])}" for key in stated))


def _key_lines(name: str, value: Any) -> Iterator[str]:
    """A key with its value; a table with its keys; the visits and known readers as tables."""
    if name == "visits":
        yield from _tables(name, value)
    elif isinstance(value, Struct):
        yield f"[{name}]"
        for one in fields(type(value)):
            yield from _comment(f"{name}.{one.name}")
            inner = getattr(value, one.name)
            if (name, one.name) in (("noise", "readers"), ("noise", "angle")):
                yield from _tables(f"{name}.{one.name}", inner)
            else:
                yield f"{one.name} = {_toml(inner)}"
        yield ""
    else:
        yield f"{name} = {_toml(value)}"
        if name != "format":
            yield ""


def _comment(place: str) -> list[str]:
    return [f"# {line}" for line in _SAID.get(place, "").splitlines()]


def _toml(value: Any) -> str:
    """A value as TOML, whose basic strings are those of JSON."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
