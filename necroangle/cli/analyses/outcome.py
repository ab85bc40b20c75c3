"""``necroangle outcome``: the quantities of the study, from the cohort table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.analyses.analysing import Asked, analysis_options, say_notes
from necroangle.cli.screen import ScreenColumn, say, show_table

if TYPE_CHECKING:
    from necroangle.analysis import Outcomes

_TABLES = ("quantities", "hips", "visits")
_MAIN = tuple(ScreenColumn(name, wraps=True) for name in ("quantity", "of", "found"))
_BY_VISIT = tuple(ScreenColumn(name, wraps=True) for name in ("visit", "quantity", "found"))
_RULES = ("auto", "event", "reaches", "collapse", "arco_progression")
_TESTS = {
    "auto": "auto",
    "exact": "exact",
    "normal": "normal",
    "normal-corrected": "normal_cc",
}


@click.command("outcome")
@analysis_options(_TABLES, "quantities, hips, or hips at visits.")
@click.option(
    "--reader",
    "readers",
    metavar="NAME",
    multiple=True,
    help="Whose first read counts where there is no consensus; again for a second choice.",
)
@click.option("--index-visit", metavar="NAME", help="The baseline.")
@click.option(
    "--threshold-deg",
    type=click.FloatRange(min=0, max=720),
    help="A change of the angle by more than this is counted.  [default: the study's, else 20]",
)
@click.option(
    "--failure",
    type=click.Choice(_RULES),
    help="Rule of radiographic failure.  [default: the study's, else auto]",
)
@click.option(
    "--quantiles",
    type=click.Choice(["7", "6"]),
    help="Type of the quartiles.  [default: the study's, else 7]",
)
@click.option(
    "--wilcoxon",
    type=click.Choice(list(_TESTS)),
    help="How P is found.  [default: the study's, else auto]",
)
@click.option(
    "--zeros",
    type=click.Choice(["wilcoxon", "pratt"]),
    help="Differences of zero: dropped, or ranked.  [default: the study's, else dropped]",
)
@click.option(
    "--over-time",
    is_flag=True,
    help="Angle and scores by year, from every visit: mixed model and estimating equations.",
)
@click.option("--by-visit", is_flag=True, help="Print every visit against the baseline, too.")
def command(asked: Asked, by_visit: bool, over_time: bool, **rules: Any) -> None:
    """Patients, hips, stages, failure, change of the angle, pain, hip score, replacements.

    Within a study folder everything comes from study.toml; an option goes before it. Each number
    has its rule beside it (--csv, --json); docs/outcome.md explains them.
    """
    outcomes = _outcomes(asked, rules)
    if over_time:
        from dataclasses import replace

        from necroangle.analysis.over_time import slopes_of

        slopes = slopes_of(outcomes.cohort)
        outcomes = replace(outcomes, quantities=(*outcomes.quantities, *slopes))
    if asked.is_data:
        from necroangle.analysis.printing import table_rows

        asked.write(table_rows(outcomes, asked.table), outcomes.notes)
    else:
        _print(outcomes, by_visit=by_visit)


def _outcomes(asked: Asked, rules: dict[str, Any]) -> Outcomes:
    """The outcomes of the cohort that is meant, by the study's protocol and what was asked."""
    from necroangle.analysis import outcomes_of

    quantiles, test = rules["quantiles"], rules["wilcoxon"]
    overrides = {
        "readers": rules["readers"] or None,
        "index_visit": rules["index_visit"],
        "cut_offs.change_deg": rules["threshold_deg"],
        "failure.rule": rules["failure"],
        "statistics.quantiles": quantiles and int(quantiles),
        "statistics.wilcoxon": test and _TESTS[test],
        "statistics.zeros": rules["zeros"],
    }
    return outcomes_of(asked.analysis(**overrides))


def _print(outcomes: Outcomes, *, by_visit: bool) -> None:
    from necroangle.analysis.printing import by_visit_lines, main_lines, test_notes

    show_table(_MAIN, main_lines(outcomes))
    if by_visit:
        show_table(_BY_VISIT, by_visit_lines(outcomes))
    say()
    say_notes([*outcomes.notes, *test_notes(outcomes.quantities)])
