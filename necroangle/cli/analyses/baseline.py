"""``necroangle baseline``: table 1, the flow of patients and hips, sentences for the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.analyses.analysing import Asked, analysis_options, say_notes
from necroangle.cli.screen import ScreenColumn, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.analysis.baseline import BaselineCell, FlowRow, Sentence


@click.command("baseline")
@analysis_options(
    ("baseline", "flow", "sentences"), "the table, the flow, or the results in sentences."
)
@click.option(
    "--by",
    type=click.Choice(["stage", "grade", "risk", "arm"]),
    help="Groups at the baseline: ARCO stage, Ha's grade or risk, or the first treatment.",
)
def command(asked: Asked, by: str | None) -> None:
    """Baseline table, flow of patients and hips, and the results in sentences.

    Patients and hips are counted apart. docs/baseline.md explains the numbers.
    """
    from dataclasses import asdict

    from necroangle.analysis import outcomes_of
    from necroangle.analysis.baseline import baseline_table, flow, sentences

    found = asked.analysis()
    cells, steps, said = baseline_table(found, by), flow(found), sentences(outcomes_of(found))
    if asked.is_data:
        tables: dict[str, Sequence[Any]] = {"baseline": cells, "flow": steps, "sentences": said}
        asked.write([asdict(one) for one in tables[asked.table]])
        return
    _print(cells, steps, said)


def _print(
    cells: Sequence[BaselineCell], steps: Sequence[FlowRow], said: Sequence[Sentence]
) -> None:
    from necroangle.analysis.baseline import lines_of

    groups, found = lines_of(cells)
    names = ("variable", *groups, "difference")
    lines, last = [], ""
    for one in found:
        is_first = one.variable != last
        if one.level and is_first:
            lines.append((_titled(one.variable, one.whole), *("" for _ in names[1:])))
        title = f"  {one.level}" if one.level else _titled(one.variable, one.whole)
        apart = one.whole.difference if not one.level or is_first else None
        last = one.variable
        lines.append((title, *one.texts(groups), "" if apart is None else f"{apart:.2f}"))
    columns = tuple(ScreenColumn(name, wraps=True) for name in names)
    show_table(columns, lines)
    show_table(
        tuple(ScreenColumn(name, wraps=True) for name in ("flow", "patients", "hips")),
        [(step.step, str(step.patients), str(step.hips)) for step in steps],
    )
    say_notes([one.journal for one in said])


def _titled(variable: str, one: BaselineCell) -> str:
    """The variable with what is counted, and the unit."""
    unit = "" if one.unit in ("", "%", "points") else f", {one.unit}"
    return f"{variable} ({one.unit_of}{unit})"
