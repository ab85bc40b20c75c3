"""``necroangle audit-geometry``: the planes of readings beside the DICOM files on disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import (
    data_only,
    images_option,
    output_option,
    reading_files,
    readings_argument,
    refusals_told,
    write_data,
)
from necroangle.cli.readings.measuring import tell_misfits
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from necroangle.review import ImagePlaces


@click.command("audit-geometry")
@readings_argument
@images_option(required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per marked slice.")
@output_option
@click.pass_context
def command(
    context: click.Context,
    readings: tuple[Path, ...],
    images: tuple[Path, ...],
    as_json: bool,
    output: Path | None,
) -> None:
    """Check the plane of every marked slice against the DICOM file that it names.

    Says for every slice whether position, orientation, spacing, matrix and calibration are still
    those of the file, and by how many degrees the angle would change if they were taken from it.
    Other doubts about the readings are printed as by `necroangle measure`.
    Exit code: 0 if all agree, 1 if one differs, is missing or is refused, 2 if there was nothing
    to check.
    """
    from necroangle.batch import measure_files
    from necroangle.plain_text import counted
    from necroangle.review import index_images

    data_only(output, as_json, "--json")

    files, shut = reading_files(readings)
    counts = {"same": 0, "differs": 0, "missing": 0, "refused": len(shut)}
    lines: list[str] = []
    with bars() as shown:
        places = index_images(images, shown.begin("finding the images").to)
        bar = shown.begin("checking", len(files))
        for line in _audit(files, places):
            counts[line["status"]] += 1
            words = _words(line, as_json)
            if words:
                lines.append(words)
            bar.to(line["number"])
    if as_json:
        write_data("".join(f"{line}\n" for line in lines), output)
    elif lines:
        say(*lines)
    refusals_told(shut)
    measured = measure_files(readings)
    for refusal in sorted({*measured.refusals} - {*shut}):
        say(f"look at {refusal}", err=True)
    tell_misfits(measured.misfits)
    say(
        f"{counted(len(files), 'reading')}: {counts['same']} slices agree, {counts['differs']} "
        f"differ, {counted(counts['missing'], 'image')} missing, "
        f"{counted(counts['refused'], 'reading')} refused",
        err=as_json,
    )
    context.exit(0 if counts["same"] == sum(counts.values()) else 1)


def _audit(files: list[Path], places: ImagePlaces) -> Iterator[dict[str, Any]]:
    from necroangle.annotation import load_reading
    from necroangle.batch.study_settings import measuring_of
    from necroangle.errors import ReadingError
    from necroangle.review import audit_reading
    from necroangle.study import study_here

    measured = measuring_of(study_here()).measure
    for number, file in enumerate(files, start=1):
        try:
            audits = audit_reading(load_reading(file), places, measured)
        except ReadingError as error:
            yield {"number": number, "file": file.name, "status": "refused", "why": str(error)}
            continue
        yield from ({"number": number, "file": file.name, **asdict(one)} for one in audits)


def _words(line: dict[str, Any], as_json: bool) -> str:
    """What is printed of a slice; nothing where it agrees."""
    if as_json:
        return json.dumps({key: value for key, value in line.items() if key != "number"})
    if line["status"] == "same":
        return ""
    if line["status"] == "refused":
        return str(line["why"])
    words = f"{line['file']}: {line['place']}: "
    if line["status"] == "missing":
        return f"{words}its image is in none of the folders"
    told = "; ".join(
        f"{one['what']}: {one['reading']} in the reading, {one['disk']} on disk"
        for one in line["differences"]
    )
    change = line["angle_change_deg"]
    effect = "" if change is None else f" (the angle would change by {change:+.3f}°)"
    return f"{words}{told}{effect}"
