"""The quality picture of every reading: in parallel, each image decoded within limits."""

import atexit
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from necroangle.annotation import SUFFIX, HipReading, ReadView, file_name, load_reading
from necroangle.dicom import GuardedReader, SeriesSummary
from necroangle.errors import DicomError, NecroangleError
from necroangle.imaging import Slice
from necroangle.measurement import Method, Settings, measure
from necroangle.report import draw_reading, write_png
from necroangle.review.places import ImagePlaces
from necroangle.terms import View

__all__ = ["Missing", "PictureReport", "draw_files", "draw_one", "picture_name"]

AHEAD = 8
"""Readings handed out per process beyond the one in work: enough to keep it busy."""

Progress = Callable[[], None]


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """A view whose image could not be drawn.

    Attributes
    ----------
    file, view
        The reading's file name, and which view.
    why
        Not in the folders given, or why it cannot be read.
    """

    file: str
    view: str
    why: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.file}: {self.view}: {self.why}"


@dataclass(frozen=True, slots=True)
class PictureReport:
    """What was drawn, ordered by file.

    Attributes
    ----------
    pictures
        The PNG files.
    missing
        Views drawn on black.
    refused
        (file, reason) of readings that gave no picture.
    """

    pictures: tuple[Path, ...]
    missing: tuple[Missing, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Task:
    file: Path
    slices: dict[View, SeriesSummary]
    method: Method | None
    settings: Settings
    folder: Path


def draw_files(
    files: Iterable[Path],
    places: ImagePlaces,
    folder: Path,
    *,
    method: Method | None = None,
    settings: Settings | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> PictureReport:
    """Draw reading files to one PNG each; what is missing is listed, and the rest goes on.

    Parameters
    ----------
    files
        Reading files.
    places
        Where their images lie.
    folder
        Where the pictures go; made if it is not there.
    method, settings
        How the numbers in the picture are measured.
    workers
        Processes. The pictures do not depend on it.
    progress
        Called after every reading.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tasks = _tasks(files, places, folder, method, settings or Settings())
    done: list[PictureReport] = []
    for outcome in _run(tasks, workers):
        done.append(outcome)
        if progress is not None:
            progress()
    return PictureReport(
        tuple(sorted(one for report in done for one in report.pictures)),
        tuple(sorted(one for report in done for one in report.missing)),
        tuple(sorted(one for report in done for one in report.refused)),
    )


def picture_name(reading: HipReading) -> str:
    """The name of a reading's picture: its key, as in the name of its file."""
    return file_name(reading).removesuffix(SUFFIX) + ".png"


def draw_one(
    reading: HipReading,
    slices: dict[View, SeriesSummary],
    path: Path,
    decoder: GuardedReader,
    method: Method | None = None,
    settings: Settings | None = None,
) -> tuple[Missing, ...]:
    """Draw one reading; gives the views drawn on black.

    Raises
    ------
    NecroangleError
        If the reading cannot be measured.
    OSError
        If the picture cannot be written.
    """
    measurement = measure(reading, method, settings or Settings())
    images: dict[View, Slice] = {}
    missing: list[Missing] = []
    for view in reading.views:
        if not isinstance(view, ReadView):
            continue
        try:
            images[view.view] = _image(slices.get(view.view), decoder)
        except DicomError as error:
            missing.append(Missing(file_name(reading), view.view.value, str(error)))
    write_png(path, draw_reading(reading, measurement, images))
    return tuple(missing)


def _image(summary: SeriesSummary | None, decoder: GuardedReader) -> Slice:
    if summary is None:
        raise DicomError("its image is in none of the folders given")
    return decoder.read(summary).slice(0)


@cache
def _decoder() -> GuardedReader:
    """The one limited worker of this process that decodes its images."""
    decoder = GuardedReader()
    atexit.register(decoder.close)
    return decoder


def _tasks(
    files: Iterable[Path],
    places: ImagePlaces,
    folder: Path,
    method: Method | None,
    settings: Settings,
) -> Iterator[_Task | PictureReport]:
    for file in files:
        try:
            slices = places.slices_of(load_reading(file))
        except NecroangleError as error:
            yield PictureReport((), (), ((file.name, str(error)),))
        else:
            yield _Task(file, slices, method, settings, folder)


def _run(tasks: Iterator[_Task | PictureReport], workers: int) -> Iterator[PictureReport]:
    """The outcomes; with several processes in bounded groups, so that no queue grows."""
    if workers == 1:
        yield from map(_draw, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        while group := list(islice(tasks, workers * AHEAD)):
            yield from pool.map(_draw, group)


def _draw(task: _Task | PictureReport) -> PictureReport:
    """The outermost door of one picture: whatever happens costs this picture alone."""
    if isinstance(task, PictureReport):
        return task
    try:
        reading = load_reading(task.file)
        path = task.folder / picture_name(reading)
        missing = draw_one(reading, task.slices, path, _decoder(), task.method, task.settings)
    except NecroangleError as error:
        return PictureReport((), (), ((task.file.name, str(error)),))
    except OSError as error:
        return PictureReport((), (), ((task.file.name, f"not written: {error.strerror}"),))
    return PictureReport((path,), missing, ())
