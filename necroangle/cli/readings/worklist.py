"""``necroangle worklist``: the reader study's list of cases, made and followed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import names_options, subject_names
from necroangle.cli.screen import say
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from necroangle.readerstudy import ReaderState, StudyCase

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="worklist")
def command() -> None:
    """Make the worklist of a reader study, and see how far its readers are."""


class _ReadersInARow(click.Command):
    """Takes ``--readers A B C`` as well as ``--readers A --readers B``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        collecting = False
        for word in args:
            if word.startswith("-"):
                collecting = word == "--readers"
            elif collecting and spread[-1] != "--readers":
                spread.append("--readers")
            spread.append(word)
        return super().parse_args(ctx, spread)


@command.command(name="make", cls=_ReadersInARow)
@click.argument("study_folder", type=_FOLDER)
@click.option("--readers", multiple=True, required=True, metavar="A B ...", help="Their codes.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The worklist, STUDY.worklist.json; never over another one.",
)
@click.option("--repeats", default="0", help="Cases that come twice: 12, or 0.2 of them.")
@click.option("--washout-days", default=14, show_default=True, help="Between the two sessions.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another order.")
@click.option("--open", "is_open", is_flag=True, help="Show subjects and visits to the readers.")
@click.option("--idle-limit", default=60.0, show_default=True, help="Longest pause counted, s.")
@click.option("--cases", "table", type=_FILE, help="CSV: subject, laterality, visit and more.")
@click.option(
    "--lateral",
    type=click.Choice(["frog_leg", "cross_table"]),
    help="What the lateral radiographs are.",
)
@click.option("--method", default="", help="Name of the study's measuring method.")
@names_options
def make(
    study_folder: Path,
    readers: tuple[str, ...],
    output: Path,
    repeats: str,
    washout_days: int,
    seed: int,
    is_open: bool,
    idle_limit: float,
    table: Path | None,
    lateral: str | None,
    method: str,
    subjects: Path | None,
    secret: Path | None,
) -> None:
    """Make a worklist of the hips in STUDY_FOLDER, or of those in a table.

    Each reader gets the cases in an order of their own. Put STUDY_FOLDER before --readers.
    """
    from necroangle.readerstudy import (
        cases_of_csv,
        count_of_repeats,
        make_worklist,
        save_worklist,
    )

    listed = cases_of_csv(table) if table else _found(study_folder, lateral, subjects, secret)
    cases = _with_method(listed, method)
    worklist = make_worklist(
        cases,
        readers,
        study=_relative(study_folder, output),
        repeats=count_of_repeats(repeats, len(cases)),
        washout_days=washout_days,
        seed=seed,
        blinded=not is_open,
        idle_limit_s=idle_limit,
    )
    save_worklist(worklist, output)
    count = len({case.subject for case in cases})
    say(
        f"{output.name}: {counted(len(cases), 'hip')} of {counted(count, 'subject')}, "
        f"{worklist.repeats} of them twice, for {counted(len(readers), 'reader')}"
    )


@command.command(name="status")
@click.argument("worklist_file", type=_FILE)
@click.option(
    "--readings",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the readings lie; by default the folder readings beside the study.",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Another day than today (UTC).")
@click.option("--cases", "with_cases", is_flag=True, help="Every case: not for a reader's eyes.")
def status(worklist_file: Path, readings: Path | None, today: object, with_cases: bool) -> None:
    """How far each reader of WORKLIST_FILE is, and what needs a look; no mark is shown."""
    from datetime import UTC, datetime

    from necroangle.errors import ReadingError
    from necroangle.readerstudy import ReaderWorklist, load_worklist

    worklist = load_worklist(worklist_file)
    day = (today if isinstance(today, datetime) else datetime.now(UTC)).date()
    folder = readings or (worklist_file.parent / worklist.study).resolve().parent / "readings"
    trouble = False
    for reader in worklist.readers:
        try:
            state = ReaderWorklist(worklist, reader, folder).state(day)
        except ReadingError as error:
            say(f"{reader:12} {error}")
            trouble = True
            continue
        for line in _state_lines(reader, state, with_cases):
            say(line)
    if trouble:
        raise click.exceptions.Exit(1)


def _with_method(listed: Iterable[StudyCase], method: str) -> list[StudyCase]:
    from msgspec.structs import replace

    from necroangle.measurement import method_named

    cases = list(listed)
    if method:
        cases = [replace(case, method=method) for case in cases]
    for name in sorted({case.method for case in cases if case.method}):
        method_named(name)
    return cases


def _found(
    folder: Path, lateral: str | None, subjects: Path | None, secret: Path | None
) -> list[StudyCase]:
    from contextlib import closing

    from necroangle.dicom.index import index_path, refresh_index, scan_index
    from necroangle.dicom.store import IndexStore
    from necroangle.errors import ReadingError
    from necroangle.readerstudy.hips import hips_of
    from necroangle.terms import View

    with closing(IndexStore(index_path(folder), subject_names(subjects, secret))) as store:
        refresh_index(folder, store)
        found = hips_of(scan_index(folder, store), View(lateral) if lateral else None)
    for problem in found.left_out:
        say(f"left out  {problem}", err=True)
    if not found.cases:
        raise ReadingError("no hip was found that can be read; list the cases with --cases")
    return list(found.cases)


def _relative(study: Path, output: Path) -> str:
    from necroangle.errors import ReadingError

    try:
        return Path(os.path.relpath(study.resolve(), output.resolve().parent)).as_posix()
    except ValueError as error:
        raise ReadingError("put the worklist on the drive of the study's folder") from error


def _state_lines(reader: str, state: ReaderState, with_cases: bool) -> list[str]:
    progress = state.progress
    parts = [f"{progress.submitted} of {progress.total} submitted", f"{progress.to_read} to read"]
    if progress.locked:
        when = f"open on {progress.opens_on}" if progress.opens_on else "wait for the first session"
        parts.append(f"{progress.locked} {when}")
    lines = [f"{reader:12} {', '.join(parts)}"]
    lines += [f"{'':12} look: {doubt}" for doubt in state.doubts]
    if with_cases:
        lines += [
            f"{'':12} {item.listed.read_order:4} {item.listed.code} "
            f"{' '.join(item.listed.case.key)} read {item.listed.read_no}: {item.words}"
            for item in state.items
        ]
    return lines
