"""``necroangle survival``: time to failure, collapse or replacement, and what predicts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.analyses.analysing import Asked, analysis_options, say_notes
from necroangle.cli.screen import ScreenColumn, say, show_table

if TYPE_CHECKING:
    from necroangle.analysis.events import EventStudy
    from necroangle.analysis.quantities import Quantity

_COLUMNS = tuple(ScreenColumn(name, wraps=True) for name in ("quantity", "of", "found"))
_ENDPOINTS = ("failure", "collapse", "replacement")
_GROUPINGS = ("stage", "grade", "risk", "arm")


@click.command("survival")
@analysis_options(
    ("quantities", "curves", "times"), "the numbers, the steps of the curves, or the hips."
)
@click.option("--endpoint", type=click.Choice(_ENDPOINTS), default="failure", show_default=True)
@click.option(
    "--by",
    type=click.Choice(_GROUPINGS),
    default="stage",
    show_default=True,
    help="Groups at the baseline: ARCO stage, Ha's grade or risk, or the first treatment.",
)
def command(asked: Asked, endpoint: str, by: str) -> None:
    """Time to radiographic failure, collapse or replacement.

    Cumulative incidence where replacement and death compete, Kaplan-Meier beside it, tests of
    groups, Cox and Fine-Gray by the angle, and how well the angle predicts the event.
    docs/survival.md explains each number.
    """
    from necroangle.analysis.events import ENDPOINTS, events_of

    wanted = next(name for name in ENDPOINTS if name == endpoint)
    found = events_of(asked.analysis(), wanted, by)
    if asked.is_data:
        _write(found, asked)
    else:
        _print(found)


def _write(found: EventStudy, asked: Asked) -> None:
    from dataclasses import asdict

    if asked.table == "times":
        rows = [
            {
                "subject": one.hip.subject,
                "laterality": one.hip.laterality,
                "cluster": one.hip.subject,
                "years": one.years,
                "code": one.code,
                "after_years": one.after_years,
                "by_years": one.by_years if one.code == 1 else None,
                "arco_baseline": one.outcome.arco_baseline,
                "cna_baseline_deg": one.outcome.cna_baseline_deg,
            }
            for one in found.times
        ]
    else:
        rows = [
            asdict(one) for one in (found.curves if asked.table == "curves" else found.quantities)
        ]
    asked.write(rows, found.notes)


def _print(found: EventStudy) -> None:
    from necroangle.analysis.events import title_of

    lines, last = [], ""
    competes = any(one.code > 1 for one in found.times)
    for one in found.quantities:
        if one.quantity.startswith("survival_") and not competes:
            continue  # one less the incidence: nothing more to say
        title = title_of(one.quantity)
        group = "" if one.group == "all" else one.group
        lines.append(("" if title == last else title, group, _shown(one)))
        last = title
    show_table(_COLUMNS, lines)
    say()
    say_notes(found.notes)


def _shown(one: Quantity) -> str:
    """A quantity in a few words, and what else is to be said."""
    if one.value is None:
        return one.text
    said = one.method.partition("; ")[2] if one.unit == "needed" else one.words
    return ", ".join(part for part in (one.text, said) if part)
