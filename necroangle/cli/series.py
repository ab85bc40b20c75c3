"""``necroangle series``: what a folder holds, and what cannot be opened and why."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from necroangle.dicom import Refusal, Scan, SeriesSummary, scan_folder
from necroangle.dicom.passport import GeometryPassport, passport_of

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
        for line in _passport_lines(series, passport_of(series, scan.series, scan.refused)):
            console.print(Text(printable(line)), soft_wrap=True)


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


def _passport_lines(series: SeriesSummary, found: GeometryPassport) -> list[str]:
    """The passport of one stack in words, a line a subject."""
    steps, contrast = found.steps, found.contrast
    order = f"order from {steps.order_source}"
    if steps.step_mm is not None:
        order += (
            f", step {steps.step_mm:.4f} mm (± {steps.deviation_mm or 0:.4f}), {steps.gaps} gaps, "
            f"{steps.missing} missing, {steps.duplicates} double, shear {steps.shear_deg:.2f}°"
        )
    measure, side = found.scale, found.side
    scale = "true mm" if measure.calibrated else "no true mm"
    scale += f" (from {measure.source}), pixel aspect {measure.pixel_aspect:.4f}"
    if measure.magnification is not None:
        scale += f", magnification {measure.magnification:g}"
    sides = f"coded {side.coded or 'none'}, by place {side.found or 'none'}"
    warned = " - THEY DIFFER" if side.differ else ""
    weighting = f"{contrast.family}{', fat-suppressed' if contrast.fat_suppressed else ''}"
    weighting += ", 3D" if contrast.is_3d else ""
    return [
        f"…{series.series_uid[-8:]} stack {series.stack_no}",
        f"  plane     {series.plane or found.kind}, edges {' '.join(found.edges.values()) or '-'}",
        f"  slices    {found.slices}, {order}",
        f"  scale     {scale}",
        f"  side      {sides} ({side.rule}){warned}",
        f"  position  {found.patient_position or 'not stated'}",
        f"  contrast  {weighting} ({contrast.rule})",
        f"  picture   secondary: {'yes' if found.is_secondary else 'no'}, burned-in text: "
        f"{found.burned_in}, window from {found.window_source}"
        + ("" if found.charset_known else ", unknown character set"),
        *(f"  refused   {reason}" for reason in found.refused),
    ]


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
