"""What measuring commands share: their options, and what they take from the study."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from necroangle.cli.given import new_subjects_option, together
from necroangle.cli.screen import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from necroangle.ledger.admission import Admission
    from necroangle.ledger.store import CohortStore
    from necroangle.measurement import Method, Settings
    from necroangle.measurement.plausibility_cohort import Misfit


@dataclass(frozen=True, slots=True)
class Asked:
    """How readings are to be measured, and into which table.

    Attributes
    ----------
    cohort
        The table, where one was named.
    method_names
        The methods that were named.
    end_sd_mm
        Noise of marking an arc's end, where it was stated.
    end_sd_from_repeats
        Whether that noise is to be taken from the repeat reads among the readings.
    centre
        ``"circles"`` or ``"sphere"``.
    actor
        Who does it, for the ledger.
    new_subjects
        Whether hips that are not in the study's list are taken, and put in it.
    """

    cohort: str | None = None
    method_names: tuple[str, ...] = ()
    end_sd_mm: float | None = None
    end_sd_from_repeats: bool = False
    centre: Literal["circles", "sphere"] = "circles"
    actor: str = ""
    new_subjects: bool = False

    def methods(self) -> tuple[Method | None, ...]:
        """The methods that were named, else the study's, else None: by the kind of image."""
        from necroangle.batch import method_of_study
        from necroangle.measurement import method_named
        from necroangle.study import study_here

        if not self.method_names:
            return (method_of_study(study_here()),)
        return tuple(dict.fromkeys(map(method_named, self.method_names)))

    def settings(self, readings: Sequence[str | Path]) -> Settings:
        """How marks are weighed: as asked, else as the study says.

        Parameters
        ----------
        readings
            Files and folders of reading files, among which the repeat reads are.

        Raises
        ------
        click.UsageError
            If the noise is both stated and to be taken from repeats.
        """
        from necroangle.batch import settings_of_repeats, settings_of_study
        from necroangle.study import study_here

        if self.end_sd_from_repeats and self.end_sd_mm is not None:
            raise click.UsageError("--end-sd-mm and --end-sd-from-repeats exclude each other")
        settings = replace(settings_of_study(study_here()), centre=self.centre)
        if self.end_sd_from_repeats:
            return settings_of_repeats(list(map(Path, readings)), settings)
        if self.end_sd_mm is None:
            return settings
        asked = replace(settings.end_noise, sd_mm=self.end_sd_mm, source="asked for")
        return replace(settings, end_noise=asked, of_readers=())


_options = together(
    click.option(
        "--cohort",
        metavar="FILE",
        help="The cohort table: an SQLite file, made where there is none, or a database URL.  "
        "[default: the study's, else cohort.sqlite]",
    ),
    click.option(
        "--method",
        "method_names",
        metavar="NAME",
        multiple=True,
        help="Method; by default the study's, else by image kind. Again for several: each has "
        "rows of its own.",
    ),
    click.option(
        "--end-sd-mm",
        type=click.FloatRange(min=0, min_open=True),
        help="Noise of marking an arc's end along the surface.  [default: the study's, else 1 mm]",
    ),
    click.option(
        "--end-sd-from-repeats",
        is_flag=True,
        help="Take that noise from the repeat reads among READINGS.",
    ),
    click.option(
        "--centre",
        type=click.Choice(["circles", "sphere"]),
        default="circles",
        show_default=True,
        help="Centre of the angles: each view's own circle, or the joint sphere of both.",
    ),
    click.option("--as", "actor", default="", metavar="NAME", help="Who does it, for the ledger."),
    new_subjects_option,
)


def measuring_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of measuring; it takes them as one value, ``asked``."""

    @functools.wraps(command)
    def with_asked(*args: Any, **options: Any) -> None:
        asked = Asked(**{one.name: options.pop(one.name) for one in fields(Asked)})
        command(*args, asked=asked, **options)

    return _options(with_asked)


_MOST_TOLD = 30


def tell_misfits(misfits: Sequence[Misfit]) -> None:
    """Say on standard error what speaks against readings, and what to look at."""
    for one in misfits[:_MOST_TOLD]:
        say(f"look at {one}", err=True)
    if len(misfits) > _MOST_TOLD:
        more = len(misfits) - _MOST_TOLD
        say(f"... and {more} more to look at; the flags of the rows name them", err=True)


def admission(store: CohortStore | None, asked: Asked) -> Admission:
    """What may enter the cohort.

    Raises
    ------
    click.UsageError
        If new subjects are to be taken and nobody says so.
    """
    from necroangle.clinical.identity import refuse_as_name
    from necroangle.ledger.admission import Admission
    from necroangle.study import protocol_here

    if asked.new_subjects and not asked.actor:
        raise click.UsageError("--new-subjects: say who takes them, with --as NAME")
    if asked.actor and (problem := refuse_as_name(asked.actor)):
        raise click.UsageError(f"--as: {problem}")
    return Admission.of(store, protocol_here(), new_subjects=asked.new_subjects)


def tell_admitted(
    store: CohortStore | None, asked: Asked, gate: Admission, known: frozenset[str]
) -> None:
    """Put new subjects in the study's list, and say on standard error what is doubtful of them."""
    entries = gate.entries("first reading, by --new-subjects")
    if store is not None and entries:
        store.record(entries, actor=asked.actor)
        say(f"put in the study's list: {', '.join(one.key[0] for one in entries)}", err=True)
    for line in gate.doubts(known):
        say(f"look at {line}", err=True)
