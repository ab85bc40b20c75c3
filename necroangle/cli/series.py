"""``necroangle series``: what a folder holds, and what cannot be opened and why."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from necroangle.dicom import Refusal, Scan, SeriesSummary, scan_folder
from necroangle.dicom.passport import passport_of
from necroangle.dicom.passport_words import passport_lines

__all__ = ["command", "printable", "refusal_object", "series_object"]

PIPE_WIDTH = 160
"""Columns of the table where the output is no terminal."""

_COLUMNS = (
    "plane", "slices", "step mm", "spacing mm", "matrix", "side", "modality", "series", "stack",
    "split by",
)  # fmt: skip


@click.command(name="series")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--passport", is_flag=True, help="The geometry passport of each stack.")
def command(folder: Path, as_json: bool, passport: bool) -> None:
    """List the series of FOLDER with their geometry, then what is refused and why."""
    scan = _scan(folder)
    if as_json:
        for series in scan.series:
            click.echo(json.dumps(series_object(series, scan)))
        for refusal in scan.refused:
            click.echo(json.dumps(refusal_object(refusal)))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    if scan.series:
        console.print(_table(scan))
    if passport:
        _show_passports(scan, console)
    for refusal in scan.refused:
        console.print(Text(f"refused  {printable(str(refusal))}"), soft_wrap=True)
    console.print(
        Text(
            f"{len(scan.series)} to open, {len(scan.refused)} refused, "
            f"{scan.skipped} files that are no DICOM images"
        )
    )


def _scan(folder: Path) -> Scan:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading headers", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return scan_folder(folder, advance)


def _table(scan: Scan) -> Table:
    table = Table()
    for name in _COLUMNS:
        table.add_column(name, overflow="fold")
    for series in scan.series:
        table.add_row(*(Text(printable(cell)) for cell in _cells(series)))
    return table


def _show_passports(scan: Scan, console: Console) -> None:
    for series in scan.series:
        console.print(Text(f"…{series.series_uid[-8:]} stack {series.stack_no}"))
        for line in passport_lines(passport_of(series, scan.series, scan.refused)):
            console.print(Text(f"  {printable(line)}"), soft_wrap=True)


def _cells(series: SeriesSummary) -> tuple[str, ...]:
    kind = "secondary capture" if series.kind == "secondary" else "radiograph"
    plane = str(series.plane) if series.plane else f"{kind} {series.view or ''}".strip()
    spacing = f"{series.row_spacing_mm:.4g} x {series.column_spacing_mm:.4g}"
    if series.spacing_source == "none":
        spacing = "none"
    elif not series.calibrated:
        spacing += " (detector)"
    return (
        plane,
        str(len(series)),
        f"{series.step_mm:.3f}" if len(series) > 1 else "",
        spacing,
        f"{series.rows} x {series.columns}",
        series.laterality or "",
        series.modality,
        f"…{series.series_uid[-8:]}",
        str(series.stack_no),
        series.split_by,
    )


def series_object(series: SeriesSummary, scan: Scan) -> dict[str, object]:
    """A stack as one JSON object, with its geometry passport."""
    return {
        "record": "series",
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "stack_no": series.stack_no,
        "modality": series.modality,
        "kind": series.kind,
        "plane": series.plane.name if series.plane else None,
        "obliquity_deg": series.plane.obliquity_deg if series.plane else None,
        "slices": len(series),
        "step_mm": series.step_mm,
        "row_spacing_mm": series.row_spacing_mm,
        "column_spacing_mm": series.column_spacing_mm,
        "calibrated": series.calibrated,
        "spacing_source": series.spacing_source,
        "rows": series.rows,
        "columns": series.columns,
        "laterality": series.laterality,
        "view": series.view,
        "subject": series.subject,
        "visit": series.visit,
        "split_by": series.split_by,
        "frames": series.frames,
        "passport": passport_of(series, scan.series, scan.refused).to_dict(),
    }


def refusal_object(refusal: Refusal) -> dict[str, object]:
    """A refusal as one JSON object."""
    return {
        "record": "refusal",
        "place": refusal.place,
        "files": refusal.files,
        "tag": refusal.tag,
        "reason": refusal.reason,
        "series_uid": refusal.series_uid,
    }


def printable(text: str) -> str:
    r"""Control characters as escapes, so that no file name can steer a terminal.

    Examples
    --------
    >>> printable("a\x1b[31m.dcm")
    'a\\x1b[31m.dcm'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
