"""``necroangle demo``: the whole road on the sample studies, in one command."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.screen import ScreenColumn, bars, say, show_table

if TYPE_CHECKING:
    from necroangle.demo import HipError

SCREEN = ("xvfb-run", "-a", "-s", "-screen 0 1700x950x24")
PATIENCE_S = 180


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo_output"),
    show_default=True,
    help="Where the table and the pictures go.",
)
@click.option(
    "--window/--no-window",
    default=True,
    help="Show the first hip in napari, or take a screenshot where there is no display.",
)
def command(out: Path, window: bool) -> None:
    """Re-measure the sample readings beside their truth, with pictures."""
    samples, compared = _measure_and_draw(out)
    _print_table(compared)
    _print_places(out)
    if window:
        _show_first(samples, compared[0], out)


def _measure_and_draw(out: Path) -> tuple[Path, list["HipError"]]:
    """Walk the road: index, measure, table, pictures, with a progress bar for each."""
    from necroangle import demo
    from necroangle.annotation import load_reading
    from necroangle.batch import measure_files
    from necroangle.dicom import scan_folder
    from necroangle.ledger.store import CohortStore
    from necroangle.review import ImagePlaces, draw_files
    from necroangle.samples import sample_set

    samples = sample_set()
    files = sorted((samples / "readings").glob("*.reading.json"))
    with bars(stay=True) as shown:
        scan = scan_folder(samples, shown.begin("Index the DICOM files").to)
        bar = shown.begin("Measure the readings again", len(files))
        result = measure_files(files, progress=bar.to)
        out.mkdir(parents=True, exist_ok=True)
        (out / "cohort.sqlite").unlink(missing_ok=True)  # of an earlier demonstration
        CohortStore.open(out / "cohort.sqlite").upsert(result.rows)
        bar = shown.begin("Draw each reading", len(files))
        compared = list(demo.compare(map(load_reading, files), demo.true_angles(samples)))
        draw_files(files, ImagePlaces([scan]), out / "pictures", progress=bar.on)
    return samples, compared


def _print_table(compared: list["HipError"]) -> None:
    from necroangle.demo import CELL_NAMES

    words = {"hip", "visit", "grade"}
    columns = [ScreenColumn(name, is_number=name not in words) for name in CELL_NAMES]
    show_table(columns, [one.cells() for one in compared], "Measured beside the truth")
    say()
    errors = [abs(one.error_deg) for one in compared if one.error_deg is not None]
    say(f"Largest error of a combined angle: {max(errors):.6f}° in {len(errors)} hips")


def _print_places(out: Path) -> None:
    table = out / "cohort.sqlite"
    say(f"Cohort table:  {table}   (necroangle table --cohort {table})")
    say(f"Pictures:      {out / 'pictures'}")


def _show_first(samples: Path, first: "HipError", out: Path) -> None:
    """Open the first hip in napari, or take a picture of that window where there is no display."""
    if find_spec("napari") is None:
        say('For the reading window: pip install "necroangle[gui]"')
        return
    from necroangle.annotation import file_name

    reading = samples / "readings" / file_name(first.reading)
    study = _study_of(samples, first)
    arguments = [sys.executable, "-m", "napari_necroangle", str(study), "--reading", str(reading)]
    if _has_display():
        say("Opening the first hip in napari; close its window to end.")
        subprocess.run(arguments, check=True)
    elif shutil.which(SCREEN[0]):
        picture = out / "window.png"
        shot = [*SCREEN, *arguments, "--screenshot", str(picture)]
        subprocess.run(shot, check=True, timeout=PATIENCE_S)
        say(f"The window:    {picture}   (no display: a virtual screen)")
    else:
        say("No display and no xvfb-run here: the reading window is not shown.")


def _study_of(samples: Path, first: "HipError") -> Path:
    """The folder whose truth speaks of the first reading's subject and visit."""
    import json

    for file in sorted(samples.rglob("truth.json")):
        truth = json.loads(file.read_bytes())
        if (truth["subject"], truth["visit"]) == (first.reading.subject, first.reading.visit):
            return file.parent
    return samples


def _has_display() -> bool:
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
