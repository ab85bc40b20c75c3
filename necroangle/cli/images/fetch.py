"""``necroangle fetch``: studies from the hospital's archive into a folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import subject_names
from necroangle.cli.images.serving import chosen_server, server_options
from necroangle.cli.screen import ScreenColumn, bars, say, show_table
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from necroangle.cli.screen import Bar, Bars
    from necroangle.dicom.pseudonym import SubjectNames
    from necroangle.pacs.query import Query
    from necroangle.pacs.servers import Server
    from necroangle.pacs.transfer import Fetched, Wanted

_COLUMNS = (
    ScreenColumn("study"),
    ScreenColumn("asked by"),
    ScreenColumn("modalities", wraps=True),
    ScreenColumn("series", is_number=True),
    ScreenColumn("objects", is_number=True),
)
_IDENTITY = (
    ScreenColumn("name", wraps=True),
    ScreenColumn("patient id"),
    ScreenColumn("date"),
    ScreenColumn("accession"),
    ScreenColumn("description", wraps=True),
    ScreenColumn("study uid"),
)


@click.command(name="fetch")
@server_options
@click.option(
    "--study-list",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table with study_uid, accession or patient_id, and study_date where it helps.",
)
@click.option("--accession", multiple=True, help="Accession number of a study.")
@click.option("--study-uid", multiple=True, help="StudyInstanceUID of a study.")
@click.option("--patient", multiple=True, help="Hospital number: all studies of the patient.")
@click.option("--date", default="", help="With --patient: 20240131, or 20240101-20241231.")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of images; made where it is missing.",
)
@click.option("--find", is_flag=True, help="Only list what the server has; fetch nothing.")
@click.option(
    "--identifiers",
    is_flag=True,
    help="With --find: names, hospital numbers, dates and UIDs as they are. Identifies patients.",
)
def command(
    name: str,
    servers_path: Path | None,
    subjects: Path | None,
    secret: Path | None,
    study_list: Path | None,
    accession: tuple[str, ...],
    study_uid: tuple[str, ...],
    patient: tuple[str, ...],
    date: str,
    folder: Path | None,
    find: bool,
    identifiers: bool,
) -> None:
    """Fetch studies from a server into FOLDER and its index, whole and as they are stored.

    Objects that lie there already are not fetched again: after a cut, or Ctrl-C, run the same
    command once more. The exit code is 1 where a study is missing or not whole.
    """
    if identifiers and not find:
        raise click.UsageError("--identifiers goes with --find")
    if folder is None and not find:
        raise click.UsageError("-o FOLDER is missing: where do the studies go?")
    queries = _queries(study_list, accession, study_uid, patient, date)
    server = chosen_server(name, servers_path)
    names = subject_names(subjects, secret)
    wanted = _found(server, queries, names)
    if find or folder is None:
        _show_found(wanted, identifiers)
        is_lacking = any(one.study is None for one in wanted)
    else:
        is_lacking = _fetch(server, wanted, folder, names)
    if is_lacking:
        raise click.exceptions.Exit(1)


def _queries(
    study_list: Path | None,
    accession: Sequence[str],
    study_uid: Sequence[str],
    patient: Sequence[str],
    date: str,
) -> list[Query]:
    from necroangle.pacs.query import Query, read_study_list

    if date and not patient:
        raise click.UsageError("--date goes with --patient")
    queries = read_study_list(study_list) if study_list is not None else []
    queries += [Query(accession=one, place=_nth("--accession", at)) for at, one in _each(accession)]
    queries += [Query(study_uid=one, place=_nth("--study-uid", at)) for at, one in _each(study_uid)]
    queries += [
        Query(patient_id=one, study_date=date, place=_nth("--patient", at))
        for at, one in _each(patient)
    ]
    if not queries:
        raise click.UsageError(
            "--study-list, --accession, --study-uid or --patient: which studies?"
        )
    return queries


def _each(values: Sequence[str]) -> Iterator[tuple[int, str]]:
    return enumerate(values, start=1)


def _nth(option: str, number: int) -> str:
    return f"{option} no. {number}"


def _found(server: Server, queries: Sequence[Query], names: SubjectNames | None) -> list[Wanted]:
    from necroangle.pacs.transfer import connect, find_studies

    with closing(connect(server)) as connection:
        return find_studies(connection, queries, names)


def _show_found(wanted: Sequence[Wanted], identifiers: bool) -> None:
    rows = []
    for one in wanted:
        study = one.study
        if study is None:
            continue
        counts = ("" if n is None else str(n) for n in (study.series, study.objects))
        row = (one.label, one.place, ", ".join(study.modalities), *counts)
        if identifiers:
            row += (study.patient_name, study.patient_id, study.study_date)
            row += (study.accession, study.description, study.study_uid)
        rows.append(row)
    if rows:
        show_table(_COLUMNS + (_IDENTITY if identifiers else ()), rows)
    for one in wanted:
        if one.study is None:
            say(f"not found  {one.place}: {one.problem}")


def _fetch(
    server: Server, wanted: Sequence[Wanted], folder: Path, names: SubjectNames | None
) -> bool:
    from necroangle.dicom.index import index_path, scan_index
    from necroangle.dicom.store import IndexStore
    from necroangle.pacs.transfer import fetch_studies

    with bars() as shown:
        objects = shown.begin("fetching objects")
        try:
            done = list(
                fetch_studies(
                    server,
                    wanted,
                    folder,
                    names,
                    progress=objects.to,
                    index_progress=_next_bar(shown, "reading headers"),
                )
            )
        except KeyboardInterrupt:
            shown.stop()
            say("stopped; what has come is kept: run again to go on", err=True)
            raise click.exceptions.Exit(130) from None
    for one in done:
        say(_line(one))
        for reason, count in one.problems:
            missing = f"{counted(count, 'object')} missing: " if count else ""
            say(f"  {missing}{reason}")
    with closing(IndexStore(index_path(folder), names)) as store:
        scan = scan_index(folder, store)
    say(f"{len(scan.series)} to open, {len(scan.refused)} refused in {folder}")
    whole = sum(one.is_whole for one in done)
    if whole < len(done):
        say(f"{whole} of {len(done)} whole; run again to fetch the rest")
    return whole < len(done)


def _line(one: Fetched) -> str:
    wanted = one.wanted
    label = f"{wanted.label}, {wanted.place}" if wanted.label else wanted.place
    if wanted.study is None:
        return f"not fetched  {label}"
    word = "whole" if one.is_whole else "not whole"
    return f"{word}  {label}: {one.fetched} fetched, {one.there} there already, of {one.objects}"


def _next_bar(shown: Bars, words: str) -> Callable[[int, int], None]:
    """A bar that begins when it is first moved."""
    begun: list[Bar] = []

    def to(done: int, total: int) -> None:
        if not begun:
            begun.append(shown.begin(words))
        begun[0].to(done, total)

    return to
