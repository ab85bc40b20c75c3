"""``necroangle series``: what a folder holds, and what cannot be opened and why.

The table and the refusals are for the person whose files they are, on their own screen: they name
the files, which are what they have to look for. Lines of JSON go elsewhere (a file, a colleague, a
program): they carry codes in place of UIDs, file names and subjects, unless they ask for those.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import (
    data_only,
    names_options,
    output_option,
    subject_names,
    together,
    write_data,
)
from necroangle.cli.screen import ScreenColumn, bars, say, show_table
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from necroangle.dicom import Scan, SeriesSummary
    from necroangle.dicom.pseudonym import SubjectNames
    from necroangle.terms import Weighting

_COLUMNS = (
    ScreenColumn("no.", is_number=True),
    ScreenColumn("weighting", wraps=True),
    ScreenColumn("plane", wraps=True),
    ScreenColumn("slices", is_number=True),
    ScreenColumn("step mm", is_number=True, yields=2),
    ScreenColumn("spacing mm"),
    ScreenColumn("matrix", yields=3),
    ScreenColumn("side"),
    ScreenColumn("modality", yields=4),
    ScreenColumn("series"),
    ScreenColumn("stack", is_number=True, yields=5),
    ScreenColumn("split by", wraps=True, yields=1),
)
identity_options = together(
    click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
    click.option(
        "--identifiers",
        is_flag=True,
        help="With --json: UIDs and file names as they are, not as codes. Identifies patients: "
        "for use within the study.",
    ),
    names_options,
)
"""The options that say what may be told of identities."""


@click.command(name="series")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@identity_options
@output_option
@click.option("--passport", is_flag=True, help="The geometry passport of each stack.")
def command(
    folder: Path,
    as_json: bool,
    identifiers: bool,
    subjects: Path | None,
    secret: Path | None,
    output: Path | None,
    passport: bool,
) -> None:
    """List the series of FOLDER with their geometry, then what is refused and why.

    For each hip it says which series the reading window offers first, as the study's protocol
    prefers them.

    ZIP archives are looked into. Codes in JSON are the same within one run; with --secret, wherever
    the secret is the same. The exit code is 1 where nothing can be opened, or a folder cannot be
    entered.
    """
    data_only(output, as_json, "--json")
    names = names_of(subjects, secret, as_json=as_json, identifiers=identifiers)
    scan = _scan(folder, names)
    if as_json:
        lines = _json_lines(scan, names, identifiers=identifiers)
        write_data("".join(f"{line}\n" for line in lines), output)
    else:
        from necroangle.study import protocol_of_images

        _show(scan, passport, protocol_of_images(folder).weightings)
    if scan.tally().is_lacking:
        raise click.exceptions.Exit(1)


def names_of(
    subjects: Path | None, secret: Path | None, *, as_json: bool, identifiers: bool
) -> SubjectNames | None:
    """The study's names, from the options.

    Raises
    ------
    click.UsageError
        If options contradict each other.
    DicomError
        If the file cannot be used.
    """
    if identifiers and not as_json:
        raise click.UsageError("--identifiers goes with --json")
    return subject_names(subjects, secret)


def _json_lines(scan: Scan, names: SubjectNames | None, *, identifiers: bool) -> Iterator[str]:
    from necroangle.dicom.passport import coded, refusal_object, series_object
    from necroangle.dicom.pseudonym import IdentifierCodes, new_key
    from necroangle.dicom.sides import StudySides

    codes = IdentifierCodes((names.code_key() if names else None) or new_key())
    sides = StudySides(scan.series)
    records = [series_object(series, scan, sides) for series in scan.series]
    records += [refusal_object(refusal) for refusal in scan.left_out]
    for one in records:
        yield json.dumps(coded(one, codes, identifiers=identifiers, named=names is not None))


def _show(scan: Scan, passport: bool, prefer: Sequence[Weighting]) -> None:
    if scan.series:
        show_table(_COLUMNS, [_cells(series) for series in scan.series])
        say()
    if passport:
        _show_passports(scan)
    for line in _offered(scan, prefer):
        say(f"offered  {line}")
    for refusal in scan.refused:
        say(f"refused  {refusal}")
    for one in scan.aside:
        say(f"set aside  {one}")
    for one in scan.recognised:
        say(f"recognised  {one}")
    say(
        f"{len(scan.series)} to open, {len(scan.refused)} refused, "
        f"{counted(scan.skipped, 'file')} without a DICOM image"
    )
    say(f"{scan.walked} walked: {scan.tally()}")


def _scan(folder: Path, names: SubjectNames | None) -> Scan:
    from necroangle.dicom import scan_folder

    with bars() as shown:
        return scan_folder(folder, shown.begin("reading headers").to, names)


def _offered(scan: Scan, prefer: Sequence[Weighting]) -> Iterator[str]:
    """The series that the reading window offers first, a line a hip and pair of views."""
    from necroangle.dicom.visits import candidates, series_words, visits_of

    for visit in visits_of(scan):
        for side in visit.sides:
            for pair in visit.pairs:
                found = [(view, candidates(visit, view, side, prefer)) for view in pair]
                told = [series_words(one[0]) if one else visit.lacks(view) for view, one in found]
                yield f"{visit.label}, hip {side}: {'; '.join(told)}"


def _show_passports(scan: Scan) -> None:
    from necroangle.dicom.passport import passport_lines, passport_of
    from necroangle.dicom.sides import StudySides

    sides = StudySides(scan.series)
    for series in scan.series:
        say(f"…{series.series_uid[-8:]} stack {series.stack_no}")
        for line in passport_lines(passport_of(series, sides, scan.left_out)):
            say(f"  {line}")


def _cells(series: SeriesSummary) -> tuple[str, ...]:
    from necroangle.dicom.contrast import contrast_of

    kind = "secondary capture" if series.kind == "secondary" else "radiograph"
    plane = str(series.plane) if series.plane else f"{kind} {series.view or ''}".strip()
    spacing = f"{series.row_spacing_mm:.4g} x {series.column_spacing_mm:.4g}"
    if series.spacing_source == "none":
        spacing = "none"
    elif not series.calibrated:
        spacing += " (detector)"
    graded = f"not regular: {series.regularity.words()}" if series.regularity.flags else ""
    return (
        "" if series.series_number is None else str(series.series_number),
        str(contrast_of("MR", series.facts)) if series.modality == "MR" else "",
        plane,
        str(len(series)),
        f"{series.step_mm:.3f}" if len(series) > 1 else "",
        spacing,
        f"{series.rows} x {series.columns}",
        series.laterality or "",
        series.modality,
        f"…{series.series_uid[-8:]}",
        str(series.stack_no),
        "; ".join(filter(None, (series.split_by, graded))),
    )
