"""``necroangle audit-geometry``: the planes of readings beside the DICOM files on disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from necroangle.review import ImagePlaces, ViewAudit

__all__ = ["command"]


@click.command("audit-geometry")
@click.argument("readings", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--images",
    multiple=True,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the DICOM files; give it again for several.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per marked slice.")
@click.pass_context
def command(
    context: click.Context, readings: tuple[Path, ...], images: tuple[Path, ...], as_json: bool
) -> None:
    """Check the plane of every marked slice against the DICOM file that it names.

    Says for every slice whether position, orientation, spacing, matrix and calibration are still
    those of the file, and by how many degrees the angle would change if they were taken from it.
    Exit code: 0 if all agree, 1 if one differs, is missing or is refused, 2 if there was nothing
    to check.
    """
    from rich.console import Console
    from rich.progress import Progress

    from necroangle.batch import find_readings
    from necroangle.review import index_images

    files, shut = find_readings(readings)
    if not files:
        raise click.UsageError("no reading files (*.reading.json) in what was given")
    console = Console(stderr=True)
    counts = {"same": 0, "differs": 0, "missing": 0, "refused": len(shut)}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("checking", total=len(files))
        places = index_images(images)
        for line in _audit(files, places):
            counts[line["status"]] += 1
            _show(line, as_json)
            bar.update(task, completed=line["number"])
    for refusal in shut:
        click.echo(str(refusal), err=True)
    click.echo(
        f"{len(files)} readings: {counts['same']} slices agree, {counts['differs']} differ, "
        f"{counts['missing']} images missing, {counts['refused']} readings refused",
        err=as_json,
    )
    context.exit(0 if counts["same"] == sum(counts.values()) else 1)


def _audit(files: list[Path], places: ImagePlaces) -> Iterator[dict[str, Any]]:
    from necroangle.annotation import load_reading
    from necroangle.errors import ReadingError
    from necroangle.review import audit_reading

    for number, file in enumerate(files, start=1):
        try:
            audits = audit_reading(load_reading(file), places)
        except ReadingError as error:
            yield {"number": number, "file": file.name, "status": "refused", "why": str(error)}
            continue
        yield from ({"number": number, "file": file.name, **_as_object(one)} for one in audits)


def _as_object(audit: ViewAudit) -> dict[str, Any]:
    return asdict(audit)


def _show(line: dict[str, Any], as_json: bool) -> None:
    from necroangle.plain_text import harmless

    if as_json:
        click.echo(json.dumps({key: value for key, value in line.items() if key != "number"}))
        return
    if line["status"] == "same":
        return
    if line["status"] == "refused":
        click.echo(harmless(line["why"]))
        return
    words = f"{line['file']}: {line['place']}: "
    if line["status"] == "missing":
        click.echo(harmless(f"{words}its image is in none of the folders"))
        return
    told = "; ".join(
        f"{one['what']}: {one['reading']} in the reading, {one['disk']} on disk"
        for one in line["differences"]
    )
    change = line["angle_change_deg"]
    effect = "" if change is None else f" (the angle would change by {change:+.3f}°)"
    click.echo(harmless(f"{words}{told}{effect}"))
