"""``necroangle import``: a clinical table into the cohort, or every problem that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option, new_subjects_option, write_data
from necroangle.cli.screen import say
from necroangle.clinical.table_files import ENCODINGS
from necroangle.entries import KINDS

if TYPE_CHECKING:
    from collections import Counter

    from necroangle.clinical.importing import TableImport
    from necroangle.clinical.plan import Plan
    from necroangle.ledger.store import CohortStore

__all__ = ["ENCODINGS", "command"]


@click.command("import")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--as", "actor", default="", metavar="NAME", help="Who imports.")
@click.option("--mapping", type=click.Path(path_type=Path), help="Which column is which field.")
@click.option(
    "--write-mapping",
    type=click.Path(path_type=Path),
    help="Write a mapping file for this table, to be edited, and import nothing.",
)
@click.option(
    "--kind",
    type=click.Choice(("auto", *KINDS)),
    default="auto",
    show_default=True,
    help="The only kind of record in the table.",
)
@click.option("--dry-run", is_flag=True, help="List every problem and import nothing.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook that has several.")
@click.option(
    "--encoding", type=click.Choice(ENCODINGS, case_sensitive=False), help="Of a text table."
)
@click.option("--delimiter", metavar="LETTER", help="Of a text table; 'tab' for a tab.")
@click.option(
    "--header-row",
    metavar="N[-M]",
    help="Row of the headings, or the two of them; by default they are found.",
)
@click.option("--update", is_flag=True, help="Replace values that differ; needs --reason.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is replaced.")
@new_subjects_option
@cohort_option
@click.pass_context
def command(
    context: click.Context,
    table: Path,
    actor: str,
    mapping: Path | None,
    write_mapping: Path | None,
    kind: str,
    dry_run: bool,
    sheet: str | None,
    encoding: str | None,
    delimiter: str | None,
    header_row: str | None,
    update: bool,
    reason: str,
    new_subjects: bool,
    cohort: str | None,
) -> None:
    """Import a clinical TABLE: CSV, TSV, XLSX, XLS or ODS; all of it, or nothing.

    Every problem is listed with its row and column. Importing a table twice changes nothing.
    Exit code: 0 if it was imported, or could be (--dry-run); 1 if a problem forbids it; 2 if the
    file is no table.
    """
    from necroangle.clinical import load_mapping, open_table

    if not dry_run and write_mapping is None:
        _check_actor(actor)
    if update != bool(reason.strip()):
        raise click.UsageError("--update and --reason go together")
    opened = open_table(
        table,
        load_mapping(mapping) if mapping is not None else None,
        kind=None if kind == "auto" else kind,
        encoding=encoding,
        delimiter=_delimiter(delimiter),
        sheet=sheet,
        heading_rows=_rows_of(header_row),
    )
    if write_mapping is not None:
        _write_mapping(opened, write_mapping)
        return
    why = reason if update else ""
    is_fatal = _import(opened, cohort, actor, why, dry_run=dry_run, new_subjects=new_subjects)
    context.exit(1 if is_fatal else 0)


def _check_actor(actor: str) -> None:
    from necroangle.clinical.identity import refuse_as_name

    if not actor:
        raise click.UsageError("say who imports, with --as NAME")
    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}")


def _rows_of(given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,5})(?:-([1-9]\d{0,5}))?", given)
    rows = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if found is None or rows[1] not in (rows[0], rows[0] + 1):
        raise click.UsageError("--header-row is a row, 3, or two rows that follow, 3-4")
    return rows


def _delimiter(given: str | None) -> str | None:
    if given is None or given in {"tab", "\\t"}:
        return given and "\t"
    if len(given) != 1 or given in '"\r\n':
        raise click.UsageError("--delimiter is one letter, or 'tab'")
    return given


def _write_mapping(opened: TableImport, path: Path) -> None:
    from necroangle.clinical.importing import suggest_mapping
    from necroangle.study import study_here

    if path.exists():
        raise click.UsageError(f"{path}: is there already; name another file")
    study = study_here()
    proposed = suggest_mapping(opened, study.protocol if study is not None else None)
    write_data(proposed, path)
    undecided = proposed.decode().count('= "?"')
    left = f'{undecided} to decide, written as "?"; ' if undecided else ""
    say(f"{path}: {len(opened.sheet.headings)} columns; {left}read it, then import with --mapping")


def _import(
    opened: TableImport,
    cohort: str | None,
    actor: str,
    update_reason: str,
    *,
    dry_run: bool,
    new_subjects: bool,
) -> bool:
    """Plan, tell, and write where nothing forbids it; whether something does."""
    from necroangle.clinical import plan_import
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, study_here

    study = study_here()
    place = cohort_here(cohort)
    is_there = "://" in str(place) or Path(place).exists()
    store = CohortStore.open(place) if is_there or not dry_run else None
    protocol = study.protocol if study is not None else None
    plan = plan_import(
        store,
        opened,
        protocol=protocol,
        update_reason=update_reason,
        new_subjects=new_subjects,
    )
    _tell_problems(plan)
    if plan.is_fatal:
        say("nothing was imported", err=True)
    elif dry_run or store is None:
        say(f"would import: {_counts(plan)}; read as {opened.sheet.how}")
    else:
        return _write(store, plan, actor, opened)
    return plan.is_fatal


def _write(store: CohortStore, plan: Plan, actor: str, opened: TableImport) -> bool:
    from necroangle.clinical import write_import

    recorded = write_import(store, plan, actor=actor)
    for conflict in recorded.conflicts:
        say(str(conflict), err=True)
    if recorded.conflicts:
        count = len(recorded.conflicts)
        say(f"{count} records were changed by another meanwhile; import again", err=True)
        return True
    say(f"imported: {_counts(plan)}; read as {opened.sheet.how}")
    return False


def _tell_problems(plan: Plan) -> None:
    from necroangle.clinical.raw_table import in_lines

    lines = in_lines(plan.problems)
    for severity, line in lines:
        say(f"{severity:7}  {line}", err=True)
    fatal = sum(severity == "fatal" for severity, _ in lines)
    if lines:
        say(f"{fatal} fatal, {len(lines) - fatal} warnings", err=True)


def _counts(plan: Plan) -> str:
    parts = [
        f"{sum(counter.values())} {word}{_by_kind(counter)}"
        for counter, word in (
            (plan.new, "new"),
            (plan.changed, "changed"),
            (plan.unchanged, "unchanged"),
        )
    ]
    return ", ".join(parts)


def _by_kind(counter: Counter[str]) -> str:
    words = ", ".join(f"{kind} {count}" for kind, count in counter.items())
    return f" ({words})" if words else ""
