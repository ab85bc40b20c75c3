"""Where the images of readings lie: found by their identifiers in the index of a folder."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from necroangle.annotation import HipReading, ImageRecord, ReadView
from necroangle.dicom import Scan, SeriesSummary
from necroangle.dicom.index import IndexStore, Progress, index_path, refresh_index, scan_index
from necroangle.terms import View

__all__ = ["ImagePlaces", "index_images"]


class ImagePlaces:
    """The slices of folders, by SOPInstanceUID and frame number.

    Parameters
    ----------
    scans
        What the folders hold. Where two hold one image, the first counts.
    """

    def __init__(self, scans: Iterable[Scan]) -> None:
        self._places: dict[tuple[str, int], tuple[SeriesSummary, int]] = {}
        for scan in scans:
            for series in scan.series:
                for index, source in enumerate(series.sources):
                    key = (source.instance_uid, source.frame_number)
                    self._places.setdefault(key, (series, index))

    def __len__(self) -> int:
        return len(self._places)

    def slice_of(self, image: ImageRecord) -> SeriesSummary | None:
        """The stack of one slice that holds an image; None where no folder has it.

        A stack of one slice is read without the others of its series.
        """
        place = self._places.get((image.instance_uid, image.frame_number))
        if place is None:
            return None
        series, index = place
        return replace(
            series,
            frames=series.frames[index : index + 1],
            planes=series.planes[index : index + 1],
            sources=series.sources[index : index + 1],
        )

    def slices_of(self, reading: HipReading) -> dict[View, SeriesSummary]:
        """The slice of each view of a reading that is at hand."""
        read = (view for view in reading.views if isinstance(view, ReadView))
        found = ((view.view, self.slice_of(view.image)) for view in read)
        return {view: summary for view, summary in found if summary is not None}


def index_images(folders: Iterable[Path], progress: Progress | None = None) -> ImagePlaces:
    """Bring the index of each folder up to date, and give where its slices lie.

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
        with closing(IndexStore(index_path(folder))) as store:
            refresh_index(folder, store, progress)
            scans.append(scan_index(folder, store))
    return ImagePlaces(scans)
