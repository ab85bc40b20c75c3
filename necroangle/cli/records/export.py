"""``necroangle export``: the cohort for statistics programs, with labels, codes and scripts."""

from __future__ import annotations

import gc
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import cohort_option
from necroangle.cli.screen import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from necroangle.export import ExportSource, ExportTable
    from necroangle.protocol.study import StudyProtocol
    from necroangle.study import Study

FORMATS = ("csv", "xlsx", "sav", "dta", "xpt", "parquet", "redcap")


@click.command("export")
@click.option(
    "--to",
    "formats",
    type=click.Choice([*FORMATS, "all"]),
    multiple=True,
    required=True,
    help="Format; again for another.",
)
@click.option("--shape", type=click.Choice(["long", "wide"]), default="long", show_default=True)
@click.option(
    "--unit",
    type=click.Choice(["reading", "hip_visit"]),
    help="What one row of a long table is.  [default: reading; wide: hip_visit]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where.  [default: exports/SHAPE_UNIT of the study]",
)
@cohort_option
@click.option(
    "--readings",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The reading files: image keys, spacing.  [default: the study's]",
)
@click.option(
    "--reader",
    "readers",
    multiple=True,
    metavar="NAME",
    help="Only this reader; again for a second choice.  [hip visits: the study's]",
)
@click.option(
    "--method", metavar="NAME", help="Only this measuring method.  [hip visits: the study's]"
)
@click.option(
    "--dates",
    type=click.Choice(["none", "shifted"]),
    default="none",
    show_default=True,
    help="Days from baseline always go out; dates only moved, one shift per patient.",
)
@click.option(
    "--secret",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Secret of the keyed hashes.  [default: the study's]",
)
@click.option("--bom", is_flag=True, help="Begin the CSV files with a byte order mark, for Excel.")
@click.option("--by", metavar="NAME", help="Who exports.  [default: the user of this computer]")
def command(
    formats: tuple[str, ...],
    shape: str,
    unit: str | None,
    out: Path | None,
    bom: bool,
    by: str | None,
    **chosen: Any,
) -> None:
    """Export the cohort: data, codebook, provenance and import scripts for R, SPSS, Stata, Python.

    No date and no image identifier leaves: days count from baseline, images have keyed hashes.
    Two hips of one patient are correlated: patient_id stands in every row, cluster by it.
    """
    from datetime import UTC, datetime

    from necroangle.export import Provenance, build_table, to_wide, write_export
    from necroangle.study import study_here

    gc.set_threshold(100_000, 50, 50)  # millions of values are made that stay to the end
    study = study_here()
    unit = unit or ("reading" if shape == "long" else "hip_visit")
    source, proof = _source(study, **chosen)
    query = {
        "study": source.protocol.study,
        "shape": shape,
        "unit": unit,
        "dates": source.dates,
        **_choice(source.protocol, unit, **chosen),
    }
    table = build_table(
        source,
        "reading" if unit == "reading" else "hip_visit",
        readers=query["readers"],
        method=query["method"],
    )
    if shape == "wide":
        table = to_wide(table)
    folder = out or (study.exports if study else Path("exports")) / f"{shape}_{unit}"
    wanted = _wanted(formats, shape)
    provenance = Provenance(query, by or _user(), datetime.now(UTC), *proof)
    with _stoppable():
        files = write_export(table, folder, wanted, provenance, bom=bom)
    if provenance.state:
        say(f"locked state: {provenance.state}")
    _say(table, folder, files, wanted)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a request to stop end the writing like an error, so that no half folder stays behind."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    asked = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
    before = [(one, signal.signal(one, stop)) for one in asked]
    try:
        yield
    finally:
        for one, old in before:
            signal.signal(one, old)


def _choice(
    protocol: StudyProtocol, unit: str, *, readers: tuple[str, ...], method: str | None, **_: object
) -> dict[str, Any]:
    """Which readings: as asked; for hip visits else as the study plans."""
    if unit == "hip_visit":
        readers, method = readers or protocol.readers, method or protocol.method
    return {"readers": list(readers), "method": method}


def _wanted(formats: Sequence[str], shape: str) -> tuple[str, ...]:
    """The formats asked for; REDCap keeps visits as events, so "all" of a wide table leaves it."""
    if "all" not in formats:
        return tuple(dict.fromkeys(formats))
    return tuple(name for name in FORMATS if shape == "long" or name != "redcap")


def _source(
    study: Study | None,
    *,
    cohort: str | None,
    readings: Path | None,
    dates: str,
    secret: Path | None,
    **_: object,
) -> tuple[ExportSource, tuple[dict[str, Any] | None, str]]:
    """All that the export is made of; what the ledger was then, and the state that was locked."""
    from msgspec.structs import asdict

    from necroangle.analysis.stored import united_readings
    from necroangle.clinical import clinical_tables
    from necroangle.export import ExportSource, contents_in, facts_from
    from necroangle.ledger.store import CohortStore
    from necroangle.protocol.study import NO_STUDY
    from necroangle.study import cohort_here

    key = _secret(secret, study)  # first: a wrong file should not be found out after minutes
    with CohortStore.open(cohort_here(cohort), create=False) as store:
        anchor, locked = store.anchor(), store.locked()
        rows = store.rows()
        wanted = {str(row["annotation_sha256"]) for row in rows}
        facts = facts_from(store.contents(wanted))
        united, clinical = united_readings(store), clinical_tables(store)
    folder = readings or (study.readings if study else Path("readings"))
    facts |= facts_from(contents_in(folder, wanted - facts.keys()))
    source = ExportSource(
        rows,
        clinical,
        study.protocol if study else NO_STUDY,
        united,
        facts,
        key,
        "shifted" if dates == "shifted" else "none",
    )
    state = "" if locked is None else locked.name
    return source, (None if anchor is None else asdict(anchor), state)


def _secret(file: Path | None, study: Study | None) -> bytes | None:
    """The secret that is given, else the study's, else none: image keys are then empty."""
    from necroangle.errors import CohortError
    from necroangle.export import load_secret

    if file is not None:
        return load_secret(file)
    if study is None:
        return None
    try:
        return study.secret()
    except CohortError as error:
        say(f"note: {error}", err=True)
        return None


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a computer without user names
        return "unknown"


def _say(table: ExportTable, folder: Path, files: Sequence[Path], formats: Sequence[str]) -> None:
    """What was written, and what its reader must know."""
    from necroangle.export.folder import table_facts
    from necroangle.export.redcap import REDCAP_WARNING

    facts = table_facts(table, {})
    say(
        f"{facts['rows']} rows (one row: {table.unit}), {facts['hips']} hips of "
        f"{facts['patients']} patients; cluster by patient_id"
    )
    say(f"privacy: {facts['smallest_cell']!s}")
    for note in table.notes:
        say(f"note: {note}")
    if "redcap" in formats:
        say(f"note: {REDCAP_WARNING}")
    say(f"sha256 of the canonical table: {facts['canonical_sha256']}")
    say(f"{folder!s}: {', '.join(file.name for file in files)}")
