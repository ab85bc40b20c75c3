"""``necroangle queries``: what a monitor would ask, and what became of each question."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option, data_only, output_option, write_data
from necroangle.cli.screen import ScreenColumn, say, show_table
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from necroangle.clinical.queries import Query, QueryState
    from necroangle.ledger.store import CohortStore

_SHOWN = ("open", "answered", "accepted", "resolved")
_RULE_COLUMNS = (
    ScreenColumn("rule"),
    ScreenColumn("found", is_number=True, yields=1),
    ScreenColumn("false", is_number=True, yields=1),
    ScreenColumn("asks", wraps=True),
)
_COLUMNS = ("id", "state", "rule", "kind", "key", "field", "finding", "asks", "answer", "by", "at")


@click.command("queries")
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@click.option(
    "--state",
    "states",
    type=click.Choice(_SHOWN),
    multiple=True,
    help="Only queries in this state; again for several.  [default: open, answered]",
)
@click.option("--rule", "rules", metavar="NAME", multiple=True, help="Only queries of this rule.")
@click.option("--rules", "list_rules", is_flag=True, help="Print the rules and end.")
@click.option("--raise", "keep", is_flag=True, help="Put what is open and resolved in the ledger.")
@click.option("--answer", "answered", metavar="ID", multiple=True, help="Answer it, by --reason.")
@click.option(
    "--accept",
    "accepted",
    metavar="ID",
    multiple=True,
    help="Accept the finding: the data are right; why, by --reason.",
)
@click.option("--reopen", "reopened", metavar="ID", multiple=True, help="Ask again, by --reason.")
@click.option("--reason", default="", metavar="TEXT", help="The answer, or why it is accepted.")
@click.option("--as", "actor", default="", metavar="NAME", help="Who.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line for each query as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@output_option
@cohort_option
def command(
    subjects: tuple[str, ...],
    states: tuple[str, ...],
    rules: tuple[str, ...],
    list_rules: bool,
    keep: bool,
    answered: tuple[str, ...],
    accepted: tuple[str, ...],
    reopened: tuple[str, ...],
    reason: str,
    actor: str,
    as_csv: bool,
    as_json: bool,
    output: Path | None,
    cohort: str | None,
) -> None:
    """List what a monitor would ask: what is missing, contradictory or impossible.

    A query is open; answered, while the finding is still there; accepted with a reason, where the
    data are right; or resolved, once the finding is gone. The ledger keeps its state. A record
    whose finding changes is asked about again.
    """
    from necroangle.clinical.queries import find_queries, settle
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, study_here

    data_only(output, as_csv or as_json, "--csv or --json")
    if list_rules:
        _print_rules()
        return
    store = CohortStore.open(cohort_here(cohort), create=False)
    study = study_here()
    protocol = study.protocol if study is not None else None
    asked: tuple[tuple[QueryState, tuple[str, ...]], ...] = (
        ("answered", answered),
        ("accepted", accepted),
        ("open", reopened),
    )
    found = find_queries(store, protocol)
    if keep or any(ids for _, ids in asked):
        _check_actor(actor)
    for state, ids in asked:
        settle(store, found, ids, state, actor=actor, reason=reason) if ids else None
    if keep:
        _raise(store, found, actor)
    if any(ids for _, ids in asked):
        found = find_queries(store, protocol)
        ids_said = {one for _, ids in asked for one in ids}
        found, states = [query for query in found if query.id in ids_said], _SHOWN
    shown = [
        query
        for query in found
        if query.state in (states or ("open", "answered"))
        and (not subjects or query.issue.key[0] in subjects)
        and (not rules or query.issue.rule in rules)
    ]
    _print(shown, found, as_csv=as_csv, as_json=as_json, output=output)


def _check_actor(actor: str) -> None:
    from necroangle.clinical.identity import refuse_as_name

    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}" if actor else "say who, with --as NAME")


def _raise(store: CohortStore, found: list[Query], actor: str) -> None:
    from necroangle.clinical.queries import record_queries

    count = record_queries(store, found, actor=actor)
    say(f"{counted(count, 'query')} put in the ledger", err=True)


def _print_rules() -> None:
    from necroangle.clinical.rules import RULES

    lines = []
    for rule in RULES:
        recall, in_vain = ("-", "-")
        if rule.measured is not None:
            recall, in_vain = f"{rule.measured[0]} %", f"{rule.measured[1]:.2f} %"
        lines.append((rule.name, recall, in_vain, rule.asks))
    show_table(_RULE_COLUMNS, lines)


def _print(
    shown: list[Query], found: list[Query], *, as_csv: bool, as_json: bool, output: Path | None
) -> None:
    from necroangle.plain_text import csv_line

    if as_json:
        cells = [dict(zip(_COLUMNS, _cells(query), strict=True)) for query in shown]
        write_data(f"{json.dumps(cells, indent=1, ensure_ascii=False)}\n", output)
    elif as_csv:
        write_data("".join(map(csv_line, (_COLUMNS, *map(_cells, shown)))), output)
    else:
        for query in shown:
            say(str(query))
        counts = Counter(str(query.state) for query in found)
        words = ", ".join(f"{counts[state]} {state}" for state in _SHOWN if counts[state])
        say(words or "no queries")


def _cells(query: Query) -> tuple[str, ...]:
    issue = query.issue
    return (
        *(query.id, query.state, issue.rule, issue.kind, " ".join(issue.key), issue.field),
        *(issue.message, query.asks, query.answer, query.by, query.at),
    )
