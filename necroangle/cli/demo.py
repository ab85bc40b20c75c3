"""``necroangle demo``: the whole road on the sample studies, in one command."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from necroangle.demo import HipError

__all__ = ["command"]

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
    console = Console()
    samples, compared = _measure_and_draw(out, console)
    _print_table(compared, console)
    _print_places(out, console)
    if window:
        _show_first(samples, compared[0], out, console)


def _measure_and_draw(out: Path, console: Console) -> tuple[Path, list["HipError"]]:
    """Walk the road: index, measure, table, pictures, with a progress bar for each."""
    from necroangle import demo
    from necroangle.annotation import load_reading
    from necroangle.batch import measure_files
    from necroangle.dicom import scan_folder
    from necroangle.ledger.store import CohortStore
    from necroangle.review import ImagePlaces, draw_files

    samples = demo.find_samples(out)
    files = sorted((samples / "readings").glob("*.reading.json"))
    with Progress(console=console) as progress:
        task = progress.add_task("Index the DICOM files", total=None)
        scan = scan_folder(samples)
        progress.update(task, total=1, completed=1)
        task = progress.add_task("Measure the readings again", total=len(files))
        result = measure_files(
            files, progress=lambda done, total: progress.update(task, completed=done, total=total)
        )
        out.mkdir(parents=True, exist_ok=True)
        (out / "cohort.sqlite").unlink(missing_ok=True)  # of an earlier demonstration
        CohortStore.open(out / "cohort.sqlite").upsert(result.rows)
        task = progress.add_task("Draw each reading", total=len(files))
        compared = list(demo.compare(map(load_reading, files), demo.true_angles(samples)))
        draw_files(
            files, ImagePlaces([scan]), out / "pictures", progress=lambda: progress.advance(task)
        )
    return samples, compared


def _print_table(compared: list["HipError"], console: Console) -> None:
    from necroangle.demo import CELL_NAMES

    table = Table(
        title="Measured beside the truth", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False
    )
    for name in CELL_NAMES:
        is_word = name in {"hip", "visit", "grade"}
        table.add_column(name, justify="left" if is_word else "right", no_wrap=True)
    for one in compared:
        table.add_row(*one.cells())
    console.print(table)
    errors = [abs(one.error_deg) for one in compared if one.error_deg is not None]
    console.print(f"Largest error of a combined angle: {max(errors):.6f}° in {len(errors)} hips")


def _print_places(out: Path, console: Console) -> None:
    table = out / "cohort.sqlite"
    console.print(f"Cohort table:  {table}   (necroangle table --cohort {table})", soft_wrap=True)
    console.print(f"Pictures:      {out / 'pictures'}", soft_wrap=True)


def _show_first(samples: Path, first: "HipError", out: Path, console: Console) -> None:
    """Open the first hip in napari, or take a picture of that window where there is no display."""
    if find_spec("napari") is None:
        console.print('For the reading window: pip install "necroangle[gui]"', markup=False)
        return
    from necroangle.annotation import file_name

    reading = samples / "readings" / file_name(first.reading)
    study = _study_of(samples, first)
    arguments = [sys.executable, "-m", "napari_necroangle", str(study), "--reading", str(reading)]
    if _has_display():
        console.print("Opening the first hip in napari; close its window to end.")
        subprocess.run(arguments, check=True)
    elif shutil.which(SCREEN[0]):
        picture = out / "window.png"
        shot = [*SCREEN, *arguments, "--screenshot", str(picture)]
        subprocess.run(shot, check=True, timeout=PATIENCE_S)
        console.print(f"The window:    {picture}   (no display: a virtual screen)", soft_wrap=True)
    else:
        console.print("No display and no xvfb-run here: the reading window is not shown.")


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
