"""``necroangle index``: the series of whole trees of files, read once and remembered."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import data_only, output_option, write_data
from necroangle.cli.images.series import identity_options, names_of
from necroangle.cli.screen import ScreenColumn, bars, say, show_table
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from necroangle.dicom import FileTally
    from necroangle.dicom.index import Changes
    from necroangle.dicom.store import IndexStore

_COLUMNS = (
    ScreenColumn("modality", yields=1),
    ScreenColumn("plane"),
    ScreenColumn("slices", is_number=True),
    ScreenColumn("matrix", yields=2),
    ScreenColumn("series"),
    ScreenColumn("stack", is_number=True, yields=1),
    ScreenColumn("first file", wraps=True),
)

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(name="index")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=_FOLDER)
@identity_options
@output_option
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the index is kept; usually beside the study.",
)
def command(
    folders: tuple[Path, ...],
    as_json: bool,
    identifiers: bool,
    subjects: Path | None,
    secret: Path | None,
    output: Path | None,
    db: Path | None,
) -> None:
    """List the stacks of whole trees of files; a second run reads only what has changed.

    ZIP archives are looked into. Ctrl-C keeps what has been read, and the next run goes on. Codes
    in JSON are the same for one index; with --secret, wherever the secret is the same. A refused
    file is found by its number in the ordered list of all files, or with --identifiers. The exit
    code is 1 where nothing can be opened, or a folder cannot be entered.
    """
    from necroangle.dicom.index import index_path
    from necroangle.dicom.passport import coded
    from necroangle.dicom.pseudonym import IdentifierCodes
    from necroangle.dicom.store import IndexStore

    names = names_of(subjects, secret, as_json=as_json, identifiers=identifiers)
    if db is not None and len(folders) > 1:
        raise click.UsageError("--db goes with one FOLDER: each folder has an index of its own")
    data_only(output, as_json, "--json")
    lacking = False
    told: list[str] = []
    for folder in folders:
        with closing(IndexStore(db or index_path(folder), names)) as store:
            changes = _refresh(folder, store)
            lines = store.report()
            if lines is None:
                lines = _lines(folder, store)
                store.keep_report(lines)
            codes = IdentifierCodes((names.code_key() if names else None) or store.key)
        if as_json:
            for line in lines[:-1]:
                record = coded(
                    json.loads(line), codes, identifiers=identifiers, named=names is not None
                )
                told.append(json.dumps(record))
        else:
            _show(folder, changes, lines)
        lacking = lacking or _tally(lines).is_lacking
    if as_json:
        write_data("".join(f"{line}\n" for line in told), output)
    if lacking:
        raise click.exceptions.Exit(1)


def _refresh(folder: Path, store: IndexStore) -> Changes:
    from necroangle.dicom.index import refresh_index

    with bars() as shown:
        try:
            return refresh_index(folder, store, shown.begin("reading headers").to)
        except KeyboardInterrupt:
            shown.stop()
            say("stopped; what has been read is kept: run again to go on", err=True)
            raise click.exceptions.Exit(130) from None


def _lines(folder: Path, store: IndexStore) -> list[str]:
    from necroangle.dicom.index import scan_index
    from necroangle.dicom.passport import refusal_object, series_object
    from necroangle.dicom.sides import StudySides

    scan = scan_index(folder, store)
    sides = StudySides(scan.series)
    objects = [series_object(series, scan, sides) for series in scan.series]
    objects += [refusal_object(refusal) for refusal in scan.left_out]
    objects.append(asdict(scan.tally()))
    return [json.dumps(found) for found in objects]


def _show(folder: Path, changes: Changes, lines: list[str]) -> None:
    objects = [json.loads(line) for line in lines[:-1]]
    reasons: Counter[str] = Counter()
    stacks = [entry for entry in objects if entry["record"] == "series"]
    show_table(_COLUMNS, list(map(_cells, stacks)))
    say()
    for entry in objects:
        if entry["record"] == "refusal" and entry["stage"] != "aside":
            reasons[": ".join(filter(None, (entry["tag"], entry["reason"])))] += entry["files"]
    for reason, count in reasons.most_common():
        say(f"refused  {counted(count, 'file')}: {reason}")
    for entry in objects:
        if entry["record"] == "refusal" and entry["stage"] == "aside":
            words = f"{entry['place']}: {entry['reason']}"
            say(f"set aside  {counted(entry['files'], 'file')}: {words}")
    tally = _tally(lines)
    summary = (
        f"{os.fspath(folder)}: {counted(len(stacks), 'stack')}, "
        f"{counted(tally.refused, 'file')} refused, "
        f"{tally.skipped} that are no images; {counted(changes.read, 'file')} read, "
        f"{changes.known} known, {changes.gone} gone"
    )
    say(summary)
    say(f"{tally.walked} walked: {tally}")


def _tally(lines: list[str]) -> FileTally:
    """The last line of a report."""
    from necroangle.dicom import FileTally

    return FileTally(**json.loads(lines[-1]))


def _cells(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(entry["modality"], entry["plane"] or entry["kind"], str(entry["slices"])),
        f"{entry['rows']} x {entry['columns']}",
        *(f"…{entry['series_uid'][-8:]}", str(entry["stack_no"]), entry["frames"][0][0]),
    )
