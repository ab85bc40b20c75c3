"""Attributes of one frame, wherever a file keeps them: at the top or in functional groups."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from necroangle.dicom.attributes import integer, item
from necroangle.errors import DicomError

__all__ = ["FrameGroups", "frame_groups", "still_picture"]

MAX_FRAMES = 20_000
"""More frames than this in one file are refused at the header."""

_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_SHARED = "SharedFunctionalGroupsSequence"


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroups:
    """Where to look for the attributes of one frame.

    Attributes
    ----------
    dataset
        The whole file.
    per_frame, shared
        This frame's functional groups and those of all frames; None in a single-frame image.
    """

    dataset: Dataset
    per_frame: Dataset | None = None
    shared: Dataset | None = None

    def find(self, keyword: str) -> Dataset | None:
        """The functional group of this name; the data set itself in a single-frame image."""
        if self.per_frame is None:
            return self.dataset
        found = item(self.per_frame, keyword)
        if found is None and self.shared is not None:
            found = item(self.shared, keyword)
        return found

    def need(self, keyword: str) -> Dataset:
        """The functional group of this name.

        Raises
        ------
        DicomError
            If neither the frame's nor the shared groups hold it.
        """
        found = self.find(keyword)
        if found is None:
            raise DicomError("absent from the functional groups", tag=keyword)
        return found


def frame_groups(dataset: Dataset) -> tuple[FrameGroups, ...]:
    """One per frame, in the file's order.

    Raises
    ------
    DicomError
        If ``NumberOfFrames`` is out of bounds, or a multi-frame image has no functional groups,
        or not one for each frame.
    """
    count = 1
    if str(dataset.get("NumberOfFrames") or "").strip():
        count = integer(dataset, "NumberOfFrames", 1, MAX_FRAMES)
    per_frame = dataset.get(_PER_FRAME) or ()
    if not len(per_frame):
        if count > 1:
            raise DicomError(
                f"absent: {count} frames without functional groups have no positions",
                tag=_PER_FRAME,
            )
        return (FrameGroups(dataset),)
    if len(per_frame) != count:
        raise DicomError(f"{len(per_frame)} items for {count} frames", tag=_PER_FRAME)
    shared = item(dataset, _SHARED)
    return tuple(FrameGroups(dataset, groups, shared) for groups in per_frame)


def still_picture(dataset: Dataset) -> FrameGroups:
    """The one frame of a radiograph or a secondary capture.

    Raises
    ------
    DicomError
        If it has several frames.
    """
    if str(dataset.get("NumberOfFrames") or "").strip():
        count = integer(dataset, "NumberOfFrames", 1, MAX_FRAMES)
        if count > 1:
            raise DicomError(f"{count} frames: no still picture", tag="NumberOfFrames")
    return frame_groups(dataset)[0]
