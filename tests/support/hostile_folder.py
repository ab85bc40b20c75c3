"""A folder with one good slice, and what a scan finds beside it."""

import time
from pathlib import Path

import pytest
from dicombytes import mr_file

from necroangle.dicom import Refusal, SeriesSummary, read_volume, scan_folder
from necroangle.errors import DicomError

__all__ = ["GOOD", "LIMIT_MIB", "LIMIT_S", "look", "pixel_error", "refusal", "write_good"]

GOOD = {"StudyInstanceUID": "1.2.6", "SeriesInstanceUID": "1.2.7", "SOPInstanceUID": "1.2.8"}
LIMIT_S = 5.0
LIMIT_MIB = 1024


def write_good(folder: Path) -> Path:
    """Write the good slice, which every scan must find whatever lies beside it."""
    (folder / "good").write_bytes(mr_file(GOOD))
    return folder


def look(folder: Path) -> tuple[list[SeriesSummary], tuple[Refusal, ...]]:
    """What a scan finds beside the good slice, within the time limit."""
    before = time.process_time()
    scan = scan_folder(folder)
    assert time.process_time() - before < LIMIT_S
    assert [s.frames for s in scan.series if s.series_uid == "1.2.7"] == [(("good", 1),)]
    return [s for s in scan.series if s.series_uid != "1.2.7"], scan.left_out


def refusal(folder: Path) -> Refusal:
    series, refused = look(folder)
    assert series == []
    (only,) = refused
    return only


def pixel_error(folder: Path) -> DicomError:
    (series,), refused = look(folder)
    assert refused == ()
    before = time.process_time()
    with pytest.raises(DicomError) as caught:
        read_volume(series)
    assert time.process_time() - before < LIMIT_S
    assert caught.value.file == "bad.dcm"
    return caught.value
