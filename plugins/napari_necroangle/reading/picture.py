"""A series as one view of the reading: its slices, and which of them carries the marks."""

from dataclasses import dataclass, replace

import numpy as np

from napari_necroangle.reading.draft import MarkedSlice
from necroangle.annotation import ImageRecord, PlaneRecord, StackPassport
from necroangle.geometry import PatientPoints, PixelPoints
from necroangle.imaging import MidSlice, Volume, mid_slice
from necroangle.terms import View

__all__ = ["Picture"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A volume that is shown for one view.

    Attributes
    ----------
    view
        The view that it is read as.
    volume
        The slices.
    calibrated
        Whether its mm are true mm; False on most radiographs.
    passport
        What the loader knows of the stack; None where there was none.
    """

    view: View
    volume: Volume
    calibrated: bool = True
    passport: StackPassport | None = None

    def __len__(self) -> int:
        return len(self.volume)

    @property
    def middle_index(self) -> int:
        """The slice in the middle of the stack."""
        return len(self.volume) // 2

    def marked_slice(self, index: int) -> MarkedSlice:
        """A slice as a reading records it."""
        plane = PlaneRecord.of(
            self.volume.planes[index],
            self.volume.pixels.shape[1:3],
            frame="detector" if self.view.is_radiograph else "patient",
            calibrated=self.calibrated,
        )
        return MarkedSlice(ImageRecord.of(self.volume.sources[index]), plane, self.passport)

    def index_of(self, on: MarkedSlice | None) -> int | None:
        """Where a marked slice stands in this stack; None where it is not of it."""
        return None if on is None else self.index_of_image(on.image)

    def index_of_image(self, image: ImageRecord) -> int | None:
        """Where an image stands in this stack; None where it is not of it."""
        records = (ImageRecord.of(source) for source in self.volume.sources)
        return next((index for index, found in enumerate(records) if found == image), None)

    def centre_mm(self) -> PatientPoints:
        """(1, 3) patient LPS mm: the middle of the stack."""
        _, rows, columns = self.volume.pixels.shape
        middle = PixelPoints(np.array([[(rows - 1) / 2, (columns - 1) / 2]]))
        ends = [self.volume.planes[index].pixel_to_patient(middle) for index in (0, len(self) - 1)]
        return PatientPoints(np.mean(ends, axis=0))

    def best_slice(self, centre: PatientPoints) -> MidSlice:
        """The slice nearest to a head's centre, (1, 3) patient LPS mm."""
        return mid_slice(self.volume, centre)

    def offset_mm(self, index: int, centre: PatientPoints) -> float:
        """Signed distance of a slice from a head's centre: positive behind it, or to its left."""
        alone = replace(
            self.volume,
            pixels=self.volume.pixels[index : index + 1],
            planes=self.volume.planes[index : index + 1],
            sources=self.volume.sources[index : index + 1],
        )
        return mid_slice(alone, centre).offset_mm

    def windows(self) -> tuple[tuple[str, tuple[float, float]], ...]:
        """Presets of (low, high) grey values shown black and white, each with its name."""
        low, middle, bright, high = np.percentile(self.volume.pixels, (0.5, 50.0, 90.0, 99.9))
        presets = (
            ("as stored", self.volume.shown_window()),
            ("marrow", (float(middle), float(high))),
            ("dark band", (float(low), float(bright))),
            ("full range", (float(low), float(high))),
        )
        return tuple((name, (a, b)) for name, (a, b) in presets if b > a)

    def window(self) -> tuple[float, float]:
        """Grey values shown black and white: the file's own, else the middle 99 percent."""
        return self.volume.shown_window()
