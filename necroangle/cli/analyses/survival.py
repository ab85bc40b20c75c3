"""``necroangle survival``: time to failure, collapse or replacement, and what foretells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.analyses.analysing import (
    analysis_here,
    analysis_options,
    check_output,
    say_notes,
    write_rows,
)
from necroangle.cli.screen import ScreenColumn, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from necroangle.analysis.events import EventStudy
    from necroangle.analysis.quantities import Quantity

__all__ = ["command"]

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
def command(
    cohort: str | None,
    method: str | None,
    endpoint: str,
    by: str,
    table: str,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
) -> None:
    """Time to radiographic failure, collapse or replacement.

    Cumulative incidence where replacement and death compete, Kaplan-Meier beside it, tests of
    groups, Cox and Fine-Gray by the angle, and how well the angle foretells the event.
    docs/survival.md explains each number.
    """
    check_output(table, "quantities", output, as_json=as_json, as_csv=as_csv)
    found = _events(cohort, method, endpoint, by)
    if as_json or as_csv:
        _write(found, table, output, as_json=as_json)
    else:
        _print(found)


def _events(cohort: str | None, method: str | None, endpoint: str, by: str) -> EventStudy:
    from necroangle.analysis.events import ENDPOINTS, events_of

    wanted = next(name for name in ENDPOINTS if name == endpoint)
    return events_of(analysis_here(cohort, {"method": method}), wanted, by)


def _write(found: EventStudy, table: str, output: Path | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    if table == "times":
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
        rows = [asdict(one) for one in (found.curves if table == "curves" else found.quantities)]
    write_rows(rows, found.notes, output, as_json=as_json)


def _print(found: EventStudy) -> None:
    from necroangle.analysis.events import title_of
    from necroangle.plain_text import harmless

    lines, last = [], ""
    competes = any(one.code > 1 for one in found.times)
    for one in found.quantities:
        if one.quantity.startswith("survival_") and not competes:
            continue  # one less the incidence: nothing more to say
        title = title_of(one.quantity)
        group = "" if one.group == "all" else harmless(one.group)
        lines.append(("" if title == last else title, group, _shown(one)))
        last = title
    show_table(_COLUMNS, lines)
    click.echo("")
    say_notes(found.notes)


def _shown(one: Quantity) -> str:
    """A quantity in a few words, and what else is to be said."""
    if one.value is None:
        return one.text
    said = one.method.partition("; ")[2] if one.unit == "needed" else one.words
    return ", ".join(part for part in (one.text, said) if part)
