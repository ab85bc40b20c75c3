"""Write a phantom study: its DICOM files and its ``truth.json``."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from necroangle.errors import PhantomError
from necroangle.phantom.header import save
from necroangle.phantom.mr import mr_image, mr_series
from necroangle.phantom.radiograph import radiograph_image, radiographs
from necroangle.phantom.study import PhantomStudy
from necroangle.phantom.truth_file import truth_bytes

__all__ = ["TRUTH_FILE", "count_files", "refuse_filled", "write_study"]

TRUTH_FILE = "truth.json"


def count_files(study: PhantomStudy) -> int:
    """How many DICOM files a study has."""
    slices = sum(series.geometry.slices for series in mr_series(study))
    return slices + len(radiographs(study))


def refuse_filled(folder: Path) -> None:
    """Refuse a place where something lies already: nothing is ever written over or deleted.

    Raises
    ------
    PhantomError
        If the path is a file, or a folder that holds anything.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     refuse_filled(Path(name))
    >>> refuse_filled(Path(__file__).parent)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: phantom: the folder is not empty; ...
    """
    if folder.exists() and not folder.is_dir():
        raise PhantomError(f"{folder.name}: a file lies there; name a new or an empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise PhantomError(
            f"{folder.name}: the folder is not empty; name a new or an empty folder, nothing is "
            "ever written over"
        )


def write_study(
    study: PhantomStudy,
    folder: Path,
    *,
    compress: bool = True,
    on_file: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Write a study into a new or empty folder.

    Parameters
    ----------
    study
        The study.
    folder
        Where it goes; made with its parents.
    compress
        JPEG-LS lossless, or else uncompressed.
    on_file
        Called with each DICOM file's relative path when it has been written.

    Returns
    -------
    tuple of Path
        The DICOM files, then ``truth.json``.

    Raises
    ------
    PhantomError
        If the folder holds anything.
    """
    refuse_filled(folder)
    written = []
    for file, image in _images(study):
        save(image, folder / file, compress=compress)
        written.append(folder / file)
        if on_file is not None:
            on_file(file)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRUTH_FILE).write_bytes(truth_bytes(study))
    return (*written, folder / TRUTH_FILE)


def _images(study: PhantomStudy) -> Iterator[tuple[str, Dataset]]:
    for series in mr_series(study):
        for index in range(series.geometry.slices):
            yield series.file(index), mr_image(series, index)
    for radiograph in radiographs(study):
        yield radiograph.file, radiograph_image(radiograph)
