"""``necroangle baseline``: table 1, the flow of patients and hips, sentences for the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.analysing import (
    analysis_here,
    analysis_options,
    check_output,
    say_notes,
    write_rows,
)
from necroangle.cli.screen import ScreenColumn, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from necroangle.analysis.baseline import BaselineCell, FlowRow, Sentence

__all__ = ["command"]


@click.command("baseline")
@analysis_options(
    ("baseline", "flow", "sentences"), "the table, the flow, or the results in sentences."
)
@click.option(
    "--by",
    type=click.Choice(["stage", "grade", "risk"]),
    help="Groups at the baseline: ARCO stage, Ha's grade, or Ha's risk.",
)
def command(
    cohort: str | None,
    method: str | None,
    by: str | None,
    table: str,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
) -> None:
    """Baseline table, flow of patients and hips, and the results in sentences.

    Patients and hips are counted apart. docs/baseline.md explains the numbers.
    """
    check_output(table, "baseline", output, as_json=as_json, as_csv=as_csv)
    from dataclasses import asdict

    from necroangle.analysis import outcomes_of
    from necroangle.analysis.baseline import baseline_table, flow, sentences

    found = analysis_here(cohort, {"method": method})
    cells, steps, said = baseline_table(found, by), flow(found), sentences(outcomes_of(found))
    if as_json or as_csv:
        tables: dict[str, Sequence[Any]] = {"baseline": cells, "flow": steps, "sentences": said}
        rows = [asdict(one) for one in tables[table]]
        write_rows(rows, (), output, as_json=as_json)
        return
    _print(cells, steps, said)


def _print(
    cells: Sequence[BaselineCell], steps: Sequence[FlowRow], said: Sequence[Sentence]
) -> None:
    from necroangle.plain_text import harmless

    groups = list(dict.fromkeys(one.group for one in cells))
    names = ("variable", *(harmless(name) for name in groups), "difference")
    lines, last = [], ""
    for variable, level in dict.fromkeys((one.variable, one.level) for one in cells):
        own = {one.group: one for one in cells if (one.variable, one.level) == (variable, level)}
        if level and variable != last:
            lines.append((_titled(variable, own["all"]), *("" for _ in names[1:])))
        title = f"  {level}" if level else _titled(variable, own["all"])
        apart = own["all"].difference if not level or variable != last else None
        last = variable
        shown_cells = (own[name].text if name in own else "" for name in groups)
        lines.append((title, *shown_cells, "" if apart is None else f"{apart:.2f}"))
    columns = tuple(ScreenColumn(name, wraps=True) for name in names)
    show_table(columns, lines)
    show_table(
        tuple(ScreenColumn(name, wraps=True) for name in ("flow", "patients", "hips")),
        [(harmless(one.step), str(one.patients), str(one.hips)) for one in steps],
    )
    say_notes([one.journal for one in said])


def _titled(variable: str, one: BaselineCell) -> str:
    """The variable with what is counted, and the unit."""
    unit = "" if one.unit in ("", "%", "points") else f", {one.unit}"
    return f"{variable} ({one.unit_of}{unit})"
