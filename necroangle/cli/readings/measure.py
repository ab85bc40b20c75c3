"""``necroangle measure``: reading files to rows of the cohort table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import (
    NO_READINGS,
    data_only,
    output_option,
    readings_argument,
    refusals_told,
    write_data,
)
from necroangle.cli.readings.measuring import (
    admission,
    measuring_options,
    tell_admitted,
    tell_misfits,
)
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from necroangle.batch import BatchResult
    from necroangle.cli.readings.measuring import Asked
    from necroangle.ledger.admission import Admission
    from necroangle.ledger.store import Changes, CohortStore
    from necroangle.measurement import Method, Settings


@click.command("measure")
@readings_argument
@measuring_options
@click.option("--json", "as_json", is_flag=True, help="Print rows, numbers and refusals as JSON.")
@output_option
@click.pass_context
def command(
    context: click.Context,
    readings: tuple[Path, ...],
    asked: Asked,
    as_json: bool,
    output: Path | None,
) -> None:
    """Measure reading files, or all of a folder, and put their rows in a cohort table.

    Measuring twice changes nothing. A file that cannot be measured is refused, and the others
    are measured. Exit code: 0 if all were measured, 1 if some were refused, 2 if there was
    nothing to measure or the table cannot be opened.
    """
    from necroangle.ledger.admission import known_subjects

    data_only(output, as_json, "--json")
    settings = asked.settings(readings)
    store = _present(asked.cohort)
    gate, known = admission(store, asked), known_subjects(store)
    result = _joined([_measure(readings, method, settings, gate) for method in asked.methods()])
    if not result.rows and not result.refusals:
        raise click.UsageError(NO_READINGS)
    changes = _store(result, asked)
    tell_admitted(_present(asked.cohort), asked, gate, known)
    if as_json:
        write_data(f"{_as_json(result, changes)}\n", output)
    else:
        say(_summary(result, changes))
        tell_misfits(result.misfits)
    refusals_told(result.refusals)
    context.exit(1 if result.refusals else 0)


def _joined(results: list[BatchResult]) -> BatchResult:
    """The rows of all methods; a refusal that every method shares is told once."""
    from necroangle.batch import BatchResult

    rows = sorted((row for one in results for row in one.rows), key=lambda row: row.key)
    refusals = sorted({refusal for one in results for refusal in one.refusals})
    contents = {sha256: raw for one in results for sha256, raw in one.contents.items()}
    misfits = sorted({misfit for one in results for misfit in one.misfits})
    return BatchResult(tuple(rows), tuple(refusals), contents, tuple(misfits))


def _measure(
    paths: tuple[Path, ...], method: Method | None, settings: Settings, gate: Admission
) -> BatchResult:
    """Measure, with a progress bar on standard error where that is a terminal."""
    from necroangle.batch import measure_files

    with bars() as shown:
        progress = shown.begin("measuring").to
        return measure_files(paths, method, progress, settings, keep=True, admit=gate.of_reading)


def _present(cohort: str | None) -> CohortStore | None:
    """The cohort where there is one; it is made only when there is a row to put in it."""
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    place = cohort_here(cohort)
    is_there = "://" in str(place) or Path(place).exists()
    return CohortStore.open(place) if is_there else None


def _store(result: BatchResult, asked: Asked) -> Changes:
    from necroangle.ledger.store import Changes, CohortStore
    from necroangle.study import cohort_here

    if not result.rows:
        return Changes()
    store = CohortStore.open(cohort_here(asked.cohort))
    return store.upsert(result.rows, result.contents, asked.actor)


def _summary(result: BatchResult, changes: Changes) -> str:
    counts = (
        f"{len(result.rows)} measured: {changes.inserted} new, {changes.updated} changed, "
        f"{changes.unchanged} unchanged"
    )
    return f"{counts}; {len(result.refusals)} refused" if result.refusals else counts


def _as_json(result: BatchResult, changes: Changes) -> str:
    found = {
        "measured": len(result.rows),
        **asdict(changes),
        "refusals": [asdict(refusal) for refusal in result.refusals],
        "look_at": [asdict(misfit) for misfit in result.misfits],
        "rows": [dict(row) for row in result.rows],
    }
    return json.dumps(found, indent=1, allow_nan=False)
