"""``necroangle verify``: whether the cohort is what it was."""

from __future__ import annotations

import gc
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import data_only, output_option, write_data
from necroangle.cli.readings.measuring import tell_misfits
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from necroangle.ledger.store import CohortStore
    from necroangle.ledger.verify import Verification
    from necroangle.study import Study

_COHORT, _READINGS = "cohort.sqlite", "readings"


@click.command("verify")
@click.argument("study", required=False, type=click.Path(path_type=Path))
@click.option(
    "--cohort",
    metavar="FILE",
    help="The cohort: an SQLite file or a database URL.  [default: the study's]",
)
@click.option(
    "--readings",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Folder of the reading files.  [default: the study's, where there is one]",
)
@click.option(
    "--head", default="", metavar="HASH", help="A hash that was noted: is it still there?"
)
@click.option(
    "--anchors",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Anchors that were kept elsewhere, or a provenance.json or report; again for several.",
)
@click.option(
    "--key",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Public key that every anchor must be signed by.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that measure again.",
)
@click.option(
    "--migrate",
    is_flag=True,
    help="Bring a server's older tables to the present version; a dump has been made.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all that was found as JSON.")
@output_option
@click.pass_context
def command(
    context: click.Context,
    study: Path | None,
    cohort: str | None,
    readings: Path | None,
    head: str,
    anchors: tuple[Path, ...],
    key: Path | None,
    workers: int,
    migrate: bool,
    as_json: bool,
    output: Path | None,
) -> None:
    """Verify a cohort: the chain of events, the rows, every angle, the readings and their files.

    The chain is compared with every anchor: those beside the cohort, and those in the study's
    exports and reports.

    STUDY is the study's folder, by default this one. Every angle is measured again from its stored
    marks. Each problem is a line with the name of what is not as it was. The hash at the end, noted
    elsewhere, proves later (--head) that nothing before it was rewritten.

    Exit code: 0 if no problem was found, 1 if there are problems, 2 if it cannot be verified.
    """
    from necroangle.ledger.anchors import found_anchors, public_key_text
    from necroangle.ledger.store import CohortStore

    data_only(output, as_json, "--json")
    gc.set_threshold(100_000, 50, 50)  # many values are made, and none in cycles
    place, folder, found = _places(study, cohort, readings)
    store = CohortStore.open(place, create=False, dumped=migrate, study=found)
    files = [*anchors, *(found_anchors(found) if found is not None else ())]
    pinned = "" if key is None else public_key_text(key)
    result = _verify(store, folder, workers, head=head, anchors=files, key=pinned)
    if as_json:
        write_data(f"{_as_json(result)}\n", output)
    else:
        for problem in result.problems:
            say(str(problem))
        for note in (*result.notes, *_left(found)):
            say(f"note: {note}")
        say(*_summary(result))
        tell_misfits(result.misfits)
    context.exit(0 if result.is_clean else 1)


def _places(
    study: Path | None, cohort: str | None, readings: Path | None
) -> tuple[Path | str, Path | None, Study | None]:
    """The cohort, the folder of readings, the study: as given, or those of the study."""
    if cohort is not None:
        return cohort, readings, None
    from necroangle.study import find_study

    start = study or Path()
    found = find_study(start)
    if found is not None:
        folder = found.readings if found.readings.is_dir() else None
        return found.cohort, readings or folder, found
    folder = start / _READINGS
    return start / _COHORT, readings or (folder if folder.is_dir() else None), None


def _verify(store: CohortStore, folder: Path | None, workers: int, **asked: Any) -> Verification:
    """Verify, with a progress bar on standard error where that is a terminal."""
    from necroangle.batch.again import cells_again
    from necroangle.ledger.verify import verify

    with bars() as shown:
        return verify(
            store,
            readings=folder,
            workers=workers,
            progress=shown.begin("measuring again").to,
            again=cells_again,
            **asked,
        )


def _left(study: Study | None) -> list[str]:
    """What exports that were cut off have left in the study."""
    if study is None or not study.exports.is_dir() or not any(study.exports.iterdir()):
        return []
    from necroangle.export.folder import leftovers

    found = leftovers(study.exports)
    return [f"exports/{one.name}: left by an export that was cut off; remove it" for one in found]


def _summary(result: Verification) -> tuple[str, ...]:
    from necroangle.plain_text import counted

    counts = result.counts
    proved = counted(counts.anchors, "anchor") if counts.anchors else "no anchors"
    if counts.erased:
        proved += f", {counted(counts.erased, 'event')} erased"
    lines = [
        f"{counted(counts.events, 'event')}, {counted(counts.rows, 'row')}, "
        f"{counted(counts.records, 'clinical record')}, "
        f"{counted(counts.contents, 'kept reading')}, "
        f"{counted(counts.files, 'reading file')}, {proved}",
        f"{counted(counts.recomputed, 'row')} measured again",
    ]
    if counts.without_marks:
        lines[1] += (
            f", {counts.without_marks} not: changed, or their marks are neither kept nor in a file"
        )
    verdict = (
        "no problem was found" if result.is_clean else counted(len(result.problems), "problem")
    )
    return *lines, f"last event's hash {result.head}", verdict


def _as_json(result: Verification) -> str:
    found = {
        "clean": result.is_clean,
        "problems": [asdict(problem) for problem in result.problems],
        "notes": list(result.notes),
        "look_at": [asdict(misfit) for misfit in result.misfits],
        **asdict(result.counts),
        "head": result.head,
    }
    return json.dumps(found, indent=1)
