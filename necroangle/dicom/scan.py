"""A folder in, its series out."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from necroangle.dicom.grouping import drop_copies, group_refusals, numbered, summarise
from necroangle.dicom.index_store import DATABASE
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.records import FrameHeader, Refusal, Scan
from necroangle.dicom.scanner import HeaderScanner
from necroangle.errors import DicomError

__all__ = ["scan_folder"]


def scan_folder(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    names: SubjectNames | None = None,
) -> Scan:
    """Find the series of a folder and of all folders below it, reading headers only.

    Slices are ordered by position and plane, spacing and step come from
    ``ImagePositionPatient``, ``ImageOrientationPatient`` and ``PixelSpacing`` alone. A file that
    cannot be used is refused with its reason, and the scan goes on.

    Parameters
    ----------
    folder
        The folder. Links to folders are not followed.
    progress
        Called with (files read, files in all) after each file.
    names
        The study's names of its subjects: from its list or its secret. A patient whom they do not
        know is refused. Without them, a de-identified study's own.

    Raises
    ------
    DicomError
        If the folder itself is no folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "notes.txt").write_text("no DICOM")
    ...     scan_folder(Path(folder))
    Scan(series=(), refused=(), skipped=1)
    >>> scan_folder(Path("nowhere"))
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: nowhere: no folder; give the folder that holds the study
    """
    if not folder.is_dir():
        raise DicomError(
            "no folder; give the folder that holds the study", file=folder.name, stage="open"
        )
    paths = sorted(_files(folder))
    images: list[tuple[FrameHeader, ...]] = []
    refusals: list[Refusal] = []
    scanner = HeaderScanner(names)
    for done, path in enumerate(paths, start=1):
        _read_one(scanner, path, path.relative_to(folder).as_posix(), images, refusals)
        if progress is not None:
            progress(done, len(paths))
    frames = drop_copies(images, folder)
    used = len({frame.file for frame in frames})
    skipped = len(paths) - used - len(refusals)
    series, refused = summarise(frames, folder)
    files = [os.fsencode(path.relative_to(folder).as_posix()) for path in paths]
    return Scan(tuple(series), group_refusals(numbered([*refusals, *refused], files)), skipped)


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(DATABASE):
                yield Path(place, name)


def _read_one(
    scanner: HeaderScanner,
    path: Path,
    file: str,
    images: list[tuple[FrameHeader, ...]],
    refusals: list[Refusal],
) -> None:
    try:
        headers = scanner.headers(path, file)
    except DicomError as error:
        refusals.append(Refusal.of(error, file))
    else:
        if headers:
            images.append(headers)
