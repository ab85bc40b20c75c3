"""Any file of another tool in: what kind it is, and what it holds."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from necroangle.dicom.guard import is_dicom
from necroangle.errors import DicomError, NecroangleError
from necroangle.interop.drawings import Taken
from necroangle.interop.headers import read_dataset
from necroangle.interop.report_in import take_report

__all__ = ["files_of", "image_named", "take_file"]

MAX_BYTES = 64 << 20
"""A larger file is no report and no list of marks."""

_READERS: dict[str, Callable[[Path], Taken]] = {}
"""Readers of files that are no DICOM, by the end of their name."""


def files_of(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files of files and folders, in order, and whether each was named itself."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for one in sorted(path.rglob("*")):
            if one.is_file() and not one.name.startswith("."):
                yield one, False


def take_file(path: Path) -> Taken:
    """What a file of another tool holds.

    Raises
    ------
    NecroangleError
        If it is no file of a known kind, or is damaged.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise NecroangleError(f"{path.name}: larger than 64 MiB: no report and no marks")
        reader = next((one for end, one in _READERS.items() if path.name.endswith(end)), None)
        if reader is not None:
            return reader(path)
        if is_dicom(path, path.name):
            return take_report(path)
    except OSError as error:
        raise NecroangleError(f"{path.name}: cannot be read: {error.strerror}") from error
    known = ", ".join(("DICOM structured reports", *_READERS))
    raise NecroangleError(f"{path.name}: nothing that can be taken in ({known})")


def image_named(path: Path) -> tuple[str, int]:
    """The identifier of a DICOM image, for drawings whose file names none.

    Raises
    ------
    DicomError
        If it is no DICOM file.
    """
    uid = str(read_dataset(path, path.name).get("SOPInstanceUID") or "")
    if not uid:
        raise DicomError("it has no identifier", file=path.name, tag="SOPInstanceUID")
    return uid, 1
