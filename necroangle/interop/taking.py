"""Any file of another tool in: what kind it is, and what it holds."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from necroangle.annotation import SUFFIX, HipReading, ReadingKey
from necroangle.dicom.guard import is_dicom
from necroangle.errors import DicomError, NecroangleError, system_words
from necroangle.interop.drawings import Taken
from necroangle.interop.headers import read_dataset
from necroangle.interop.other_files import name_of, take_grand_challenge, take_weasis, xml_of
from necroangle.interop.points_csv import take_points
from necroangle.interop.report_in import take_report
from necroangle.interop.slicer import MARKUPS, take_markups
from necroangle.interop.workstation_files import (
    AIM_TOP,
    OHIF_COLUMNS,
    take_aim,
    take_mitk,
    take_ohif_table,
)

MAX_HEADING_BYTES = 1 << 16
MAX_BYTES = 64 << 20
"""A larger file is no report and no list of marks."""


def _take_xml(path: Path) -> Taken:
    return take_aim(path) if name_of(xml_of(path)) == AIM_TOP else take_weasis(path)


def _take_csv(path: Path) -> Taken:
    with path.open("rb") as stream:
        heading = stream.readline(MAX_HEADING_BYTES).decode(errors="replace")
    is_ohif = all(name in heading for name in OHIF_COLUMNS)
    return take_ohif_table(path) if is_ohif else take_points(path)


_READERS: dict[str, Callable[[Path], Taken]] = {
    MARKUPS: take_markups,
    ".json": take_grand_challenge,
    ".xml": _take_xml,
    ".csv": _take_csv,
    ".pf": take_mitk,
}
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
        if path.name.endswith(SUFFIX):
            raise NecroangleError(f"{path.name}: a reading file already: copy it")
        if path.stat().st_size > MAX_BYTES:
            raise NecroangleError(f"{path.name}: larger than 64 MiB: no report and no marks")
        reader = next((one for end, one in _READERS.items() if path.name.endswith(end)), None)
        if reader is not None:
            return reader(path)
        if is_dicom(path, path.name):
            return take_report(path)
    except OSError as error:
        raise NecroangleError(f"{path.name}: cannot be read: {system_words(error)}") from error
    known = ", ".join(("DICOM structured reports", *_READERS))
    raise NecroangleError(f"{path.name}: nothing that can be taken in ({known})")


def readings_of(taken: Iterable[Taken]) -> tuple[HipReading, ...]:
    """The readings of ours in several files, each once; views of one reading are put together."""
    found: dict[HipReading, None] = {one: None for file in taken for one in file.readings}
    parts: dict[ReadingKey, HipReading] = {}
    for reading, name in (one for file in taken for one in file.views):
        whole = parts.setdefault(reading.key, reading)
        own = {view.view: view for view in reading.views}
        views = tuple(own[view.view] if view.view == name else view for view in whole.views)
        parts[reading.key] = msgspec.structs.replace(whole, views=views)
    return (*found, *parts.values())


def image_named(path: Path) -> tuple[str, None]:
    """The identifier of a DICOM image, for drawings whose file names none.

    Raises
    ------
    DicomError
        If it is no DICOM file.
    """
    uid = str(read_dataset(path, path.name).get("SOPInstanceUID") or "")
    if not uid:
        raise DicomError("it has no identifier", file=path.name, tag="SOPInstanceUID")
    return uid, None
