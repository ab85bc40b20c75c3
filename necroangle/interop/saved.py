"""A saved reading as a report for the archive: what the window's button does."""

from pathlib import Path

from necroangle.annotation import load_reading
from necroangle.batch import method_of_study, settings_of_study
from necroangle.dicom import Scan
from necroangle.extras import need_extra
from necroangle.review import ImagePlaces
from necroangle.study import find_study


def write_report(reading: Path, scan: Scan, folder: Path) -> int:
    """Write the objects of a saved reading, for archives and for OHIF; gives how many there are.

    Parameters
    ----------
    reading
        The reading file. It is measured as its study says, where it lies in one.
    scan
        The folder of its images, as it was listed.
    folder
        Where the objects go.

    Raises
    ------
    NecroangleError
        If highdicom is not installed, the reading cannot be measured, or an image is not there.
    OSError
        If a file cannot be written.
    """
    need_extra("interop", "highdicom")
    from necroangle.interop.objects import write_objects

    kept = load_reading(reading)
    study = find_study(reading.parent)
    files = write_objects(
        kept,
        ImagePlaces([scan]).slices_of(kept),
        folder,
        flavours=("standard", "ohif"),
        method=method_of_study(study),
        settings=settings_of_study(study),
    )
    return len(files)
