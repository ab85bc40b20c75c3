"""Pictures of readings over their images: where the images lie, one picture each, and the sheet.

Images are found by SOPInstanceUID and frame in the index of a folder, so that a picture needs no
name of a file. A contact sheet holds eight pictures on an A4 page.
"""

import atexit
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from necroangle.annotation import SUFFIX, HipReading, ImageRecord, ReadView, file_name, load_reading
from necroangle.dicom import GuardedReader, Scan, SeriesSummary
from necroangle.dicom.index import Progress, index_path, refresh_index, scan_index
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.store import IndexStore
from necroangle.errors import DicomError, NecroangleError, system_words
from necroangle.imaging import Slice
from necroangle.measurement import HipMeasurement, measure
from necroangle.report import draw_reading, write_png
from necroangle.report.picture import Image, load_cv2
from necroangle.storage import new_part, put_in_place
from necroangle.terms import View

MeasuredBy = Callable[[HipReading], HipMeasurement]
"""How a reading is measured: as a study says, or by the kind of its images."""


class ImagePlaces:
    """The slices of folders, by SOPInstanceUID and frame number.

    Parameters
    ----------
    scans
        What the folders hold. Where two hold one image, the first counts.

    Attributes
    ----------
    scans
        The same.
    """

    def __init__(self, scans: Iterable[Scan]) -> None:
        self.scans = tuple(scans)
        self._places: dict[tuple[str, int], tuple[SeriesSummary, int]] = {}
        for scan in self.scans:
            for series in scan.series:
                for index, source in enumerate(series.sources):
                    key = (source.instance_uid, source.frame_number)
                    self._places.setdefault(key, (series, index))

    def __len__(self) -> int:
        return len(self._places)

    def place_of(self, instance_uid: str, frame_number: int) -> tuple[SeriesSummary, int] | None:
        """The stack that holds an image, and which of its slices it is; None where none does."""
        return self._places.get((instance_uid, frame_number))

    def slice_of(self, image: ImageRecord) -> SeriesSummary | None:
        """The stack of one slice that holds an image; None where no folder has it.

        A stack of one slice is read without the others of its series.
        """
        found = self.around(image, 0)
        return found[0] if found else None

    def around(self, image: ImageRecord, reach: int) -> list[SeriesSummary]:
        """Stacks of one slice each: those before an image in its series, itself, those after."""
        place = self.place_of(image.instance_uid, image.frame_number)
        if place is None:
            return []
        series, middle = place
        return [
            replace(
                series,
                frames=series.frames[index : index + 1],
                planes=series.planes[index : index + 1],
                sources=series.sources[index : index + 1],
            )
            for index in range(max(middle - reach, 0), min(middle + reach + 1, len(series.sources)))
        ]

    def slices_of(self, reading: HipReading) -> dict[View, SeriesSummary]:
        """The slice of each view of a reading that is at hand."""
        read = (view for view in reading.views if isinstance(view, ReadView))
        found = ((view.view, self.slice_of(view.image)) for view in read)
        return {view: summary for view, summary in found if summary is not None}


def index_images(
    folders: Iterable[Path],
    progress: Progress | None = None,
    names: SubjectNames | None = None,
) -> ImagePlaces:
    """Bring the index of each folder up to date, and give where its slices lie.

    Without ``names`` subjects have the names that the files carry.

    Raises
    ------
    DicomError
        If a folder is none, or its index cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> len(index_images([Path(mkdtemp())]))
    0
    """
    scans = []
    for folder in folders:
        with closing(IndexStore(index_path(folder), names)) as store:
            refresh_index(folder, store, progress)
            scans.append(scan_index(folder, store))
    return ImagePlaces(scans)


PAGE_PX = (1754, 1240)
"""(rows, columns) of an upright A4 page at 150 points an inch."""

DPI = 150
COLUMNS, ROWS = 2, 4
_MARGIN_PX, _GAP_PX = 40, 16
_PAPER = (255, 255, 255)


def write_contact_sheet(
    pictures: Sequence[Path], path: Path, progress: Callable[[], None] | None = None
) -> int:
    """Write pictures as pages of 2 by 4, in their order; gives the number of pages.

    The file appears whole or not at all, and only one page is held in memory. Its date is that of
    the newest picture: the same pictures give the same bytes.

    Parameters
    ----------
    pictures
        PNG files; at least one.
    path
        The PDF file.
    progress
        Called after every page.

    Raises
    ------
    ValueError
        If there is no picture, or one cannot be read.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> write_contact_sheet([], Path("sheet.pdf"))
    Traceback (most recent call last):
    ...
    ValueError: no pictures for the sheet
    """
    if not pictures:
        raise ValueError("no pictures for the sheet")
    from PIL import Image as Pillow

    part = new_part(path)
    made = time.localtime(max(file.stat().st_mtime for file in pictures))
    pages = 0
    try:
        for first in range(0, len(pictures), COLUMNS * ROWS):
            page = _page(pictures[first : first + COLUMNS * ROWS])
            told: dict[str, Any] = {"creationDate": made, "modDate": made, "title": path.stem}
            Pillow.fromarray(np.ascontiguousarray(page[:, :, ::-1])).save(
                part, "PDF", resolution=DPI, append=pages > 0, quality=88, **({} if pages else told)
            )
            pages += 1
            if progress is not None:
                progress()
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)
    return pages


def _page(pictures: Sequence[Path]) -> Image:
    cv2 = load_cv2()
    page = np.full((*PAGE_PX, 3), _PAPER, np.uint8)
    height = (PAGE_PX[0] - 2 * _MARGIN_PX - (ROWS - 1) * _GAP_PX) // ROWS
    width = (PAGE_PX[1] - 2 * _MARGIN_PX - (COLUMNS - 1) * _GAP_PX) // COLUMNS
    for number, file in enumerate(pictures):
        picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{file.name}: not a picture")
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        row, column = divmod(number, COLUMNS)
        top = _MARGIN_PX + row * (height + _GAP_PX)
        left = _MARGIN_PX + column * (width + _GAP_PX)
        page[top : top + size[1], left : left + size[0]] = small
    return page


AHEAD = 8
"""Readings handed out per process beyond the one in work: enough to keep it busy."""

AfterEach = Callable[[], None]


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
    folder: Path
    measured: MeasuredBy


def draw_files(
    files: Iterable[Path],
    places: ImagePlaces,
    folder: Path,
    *,
    measured: MeasuredBy = measure,
    workers: int = 1,
    progress: AfterEach | None = None,
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
    measured
        How the numbers in the picture are measured; by default by the kind of image.
    workers
        Processes. The pictures do not depend on it.
    progress
        Called after every reading.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tasks = _tasks(files, places, folder, measured)
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
    measured: MeasuredBy = measure,
) -> tuple[Missing, ...]:
    """Draw one reading; gives the views drawn on black.

    Raises
    ------
    NecroangleError
        If the reading cannot be measured.
    OSError
        If the picture cannot be written.
    """
    measurement = measured(reading)
    images, missing = images_of(reading, slices, decoder)
    write_png(path, draw_reading(reading, measurement, images))
    return missing


def images_of(
    reading: HipReading, slices: dict[View, SeriesSummary], decoder: GuardedReader
) -> tuple[dict[View, Slice], tuple[Missing, ...]]:
    """The marked slice of each view that can be read, and the views without one."""
    images: dict[View, Slice] = {}
    missing: list[Missing] = []
    for view in reading.views:
        if not isinstance(view, ReadView):
            continue
        try:
            images[view.view] = _image(slices.get(view.view), decoder)
        except DicomError as error:
            missing.append(Missing(file_name(reading), view.view.value, str(error)))
    return images, tuple(missing)


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
    measured: MeasuredBy,
) -> Iterator[_Task | PictureReport]:
    for file in files:
        try:
            slices = places.slices_of(load_reading(file))
        except NecroangleError as error:
            yield PictureReport((), (), ((file.name, str(error)),))
        else:
            yield _Task(file, slices, folder, measured)


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
        missing = draw_one(reading, task.slices, path, _decoder(), task.measured)
    except NecroangleError as error:
        return PictureReport((), (), ((task.file.name, str(error)),))
    except OSError as error:
        return PictureReport((), (), ((task.file.name, f"not written: {system_words(error)}"),))
    return PictureReport((path,), missing, ())
