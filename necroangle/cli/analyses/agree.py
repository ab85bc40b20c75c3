"""``necroangle agree``: how well readers agree, and with themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.analyses.analysing import Asked, analysis_options, say_notes
from necroangle.cli.given import write_data
from necroangle.cli.screen import ScreenColumn, say, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.analysis.agreement import AgreementRow, AgreementStudy, Flip
    from necroangle.protocol.study import AngleNoise

_COLUMNS = tuple(ScreenColumn(name, wraps=True) for name in ("statistic", "of", "found"))
_FLIPS = tuple(ScreenColumn(name, wraps=True) for name in ("grade", "hip", "visit", "readers"))


@click.command("agree")
@analysis_options(
    ("statistics", "flips"),
    "the numbers, or the hips whose grade depends on the reader.",
)
@click.option("--reader", "readers", metavar="NAME", multiple=True, help="Only these readers.")
@click.option("--visit", "visits", metavar="NAME", multiple=True, help="Only these visits.")
@click.option("--all", "everything", is_flag=True, help="Boundaries, slices and every kappa, too.")
@click.option(
    "--adopt",
    is_flag=True,
    help="Add what is found to study.toml: from then on it is the error of every change.",
)
def command(
    asked: Asked, readers: tuple[str, ...], visits: tuple[str, ...], everything: bool, adopt: bool
) -> None:
    """Agreement of readers: correlation, limits, smallest real change, kappas.

    Compares the readers' own readings of the hips in the cohort; a consensus is none. Each number
    has a 95 % interval by formula, and one by drawing patients, who bring both hips.
    docs/agreement.md explains them.
    """
    from necroangle.analysis.agreement import agreement_of

    found = agreement_of(asked.analysis(readers=readers or None), visits)
    if asked.is_data:
        _write(found, asked)
    else:
        _print(found, everything=everything)
    if adopt:
        _adopt(found.noise)


def _write(found: AgreementStudy, asked: Asked) -> None:
    from dataclasses import asdict

    if asked.table == "flips":
        rows = [
            {
                **{name: getattr(one, name) for name in ("quantity", "subject", "laterality")},
                "visit": one.visit,
                "grades": "; ".join(f"{reader} {grade}" for reader, grade in one.grades),
            }
            for one in found.flips
        ]
    else:
        rows = [asdict(one) for one in found.rows]
    asked.write(rows, found.notes)


def _print(found: AgreementStudy, *, everything: bool) -> None:
    from necroangle.analysis.agreement import is_main
    from necroangle.plain_text import counted

    rows = [one for one in found.rows if everything or is_main(one)]
    for quantity in dict.fromkeys(one.quantity for one in rows):
        own = [one for one in rows if one.quantity == quantity]
        visits, patients = counted(own[0].hips, "hip visit"), counted(own[0].patients, "patient")
        say("", f"{quantity}: {visits} of {patients}")
        lines = [
            (one.statistic, "" if one.readers == "all" else one.readers, _shown(one)) for one in own
        ]
        show_table(_COLUMNS, lines)
    if found.flips:
        say("", f"{len(found.flips)} gradings depend on the reader")
        show_table(_FLIPS, [_cells(one) for one in found.flips])
    say()
    say_notes(found.notes)


def _cells(one: Flip) -> tuple[str, ...]:
    grades = ", ".join(f"{reader} {grade}" for reader, grade in one.grades)
    return one.quantity, f"{one.subject} {one.laterality}", one.visit, grades


def _shown(one: AgreementRow) -> str:
    """A number with both of its intervals, and what else is to be said."""
    parts = [one.text]
    if one.value is not None:
        parts += [f"by patients {one.by_patients}"] if one.by_patients else []
        parts += [one.words] if one.words else []
    return "; ".join(parts)


def _adopt(noise: Sequence[AngleNoise]) -> None:
    from necroangle.errors import CohortError
    from necroangle.protocol.study import noise_toml
    from necroangle.study import adopt_noise, study_here

    study = study_here()
    if study is None:
        raise CohortError("no study folder here: --adopt writes into its study.toml")
    if not noise:
        raise CohortError("nothing to adopt: no hip was read twice by one reader, or by two")
    adopt_noise(study, noise)
    say("", "added to study.toml:")
    for one in noise:
        write_data(f"\n{noise_toml(one)}\n", None)
