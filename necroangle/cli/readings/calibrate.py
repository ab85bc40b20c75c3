"""``necroangle calibrate``: how a reader marks, from phantom hips with known truth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import write_data
from necroangle.cli.screen import bars, say
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from necroangle.annotation import HipReading
    from necroangle.calibration import Calibration
    from necroangle.readerstudy import ReaderState


@click.command("calibrate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--reader", required=True, metavar="CODE", help="Whose marks are calibrated.")
@click.option(
    "--truth",
    "truth_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the truth is kept.  [default: FOLDER.truth.json, beside FOLDER]",
)
@click.option("--hips", default=20, show_default=True, help="How many: a multiple of 4.")
@click.option(
    "--washout-days", default=1, show_default=True, help="Between the first session and the second."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes that draw.  [default: all]")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the report as an HTML page with a picture.",
)
@click.option(
    "--noise",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the lines for study.toml.",
)
@click.option("--so-far", is_flag=True, help="Report before all cases are submitted.")
def command(
    folder: Path,
    reader: str,
    truth_path: Path | None,
    hips: int,
    washout_days: int,
    workers: int | None,
    report: Path | None,
    noise: Path | None,
    so_far: bool,
) -> None:
    """Make phantom hips in FOLDER for one reader, and report how this reader marks.

    The first call draws the hips, which takes some minutes and goes on where it was cut off. The
    reader reads them in the usual window: 20 hips in two sessions, 4 of them shown again, blinded.
    The next call, once all are submitted, reports bias and spread of arc ends, rim, slice and
    angle, and prints the lines for study.toml.

    The truth is not in FOLDER: hand FOLDER out alone. On a shared disk nothing but the rights of
    the file keeps a reader from it.
    """
    calibration = _made(folder, truth_path or _beside(folder), reader, hips, washout_days)
    _draw(calibration, workers or _cores())
    state = _state(calibration)
    progress = state.progress
    if progress.submitted < progress.total and not so_far:
        _say_how_far(calibration, state)
        return
    _report(calibration, report, noise)


def _beside(folder: Path) -> Path:
    place = folder.resolve()
    return place.with_name(f"{place.name}.truth.json")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _made(folder: Path, truth_path: Path, reader: str, hips: int, washout_days: int) -> Calibration:
    """The calibration of that folder, made where there is none."""
    from necroangle.calibration import load_calibration, make_calibration
    from necroangle.errors import PhantomError

    if not truth_path.exists():
        return make_calibration(folder, truth_path, reader, hips=hips, washout_days=washout_days)
    found = load_calibration(folder, truth_path)
    if found.reader != reader:
        raise PhantomError(
            f"{truth_path.name}: a calibration of reader {found.reader}; each has a folder of "
            "their own"
        )
    return found


def _draw(calibration: Calibration, workers: int) -> None:
    """Draw what is not there yet, with a bar."""
    missing = len(calibration.missing())
    if not missing and calibration.worklist_path.exists():
        return
    with bars() as shown:
        bar = shown.begin("drawing hips", calibration.count)
        bar.to(calibration.count - missing)
        calibration.write(bar.on, workers)
    images, hips = counted(calibration.count, "image"), counted(len(calibration.hips), "hip")
    say(f"{images} of {hips} drawn")


def _state(calibration: Calibration) -> ReaderState:
    from datetime import UTC, datetime

    from necroangle.readerstudy import ReaderWorklist

    own = ReaderWorklist(calibration.worklist, calibration.reader, calibration.readings)
    return own.state(datetime.now(UTC).date())


def _say_how_far(calibration: Calibration, state: ReaderState) -> None:
    progress = state.progress
    path = calibration.worklist_path
    say(f"{progress.submitted} of {counted(progress.total, 'case')} submitted")
    if progress.locked and not progress.to_read and progress.opens_on:
        say(f"the second session opens on {progress.opens_on}")
    else:
        say(f"read: necroangle read --worklist {path} --reader {calibration.reader}")
    say("then: this command again, for the report (--so-far: of what is read by now)")


def _report(calibration: Calibration, report: Path | None, noise: Path | None) -> None:
    from necroangle.calibration import as_html, as_text, calibrated
    from necroangle.protocol.study import noise_toml

    result = calibrated(calibration, _submitted(calibration))
    for path, text in ((report, as_html(result)), (noise, noise_toml(result.noise) + "\n")):
        if path is not None:
            write_data(text, path)
    write_data(as_text(result), None)


def _submitted(calibration: Calibration) -> list[HipReading]:
    """The readings that were submitted; a file that is none is told by the worklist's status."""
    from necroangle.annotation import SUFFIX, load_reading
    from necroangle.readerstudy.reader_worklist import reader_folder

    folder = reader_folder(calibration.readings, calibration.reader)
    readings = [load_reading(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    return [one for one in readings if one.conduct.submitted]
