"""The head of a hip as the same reader measured it at other visits: it does not grow."""

from dataclasses import dataclass
from pathlib import Path

from napari_necroangle._draft import ReadingDraft
from necroangle.annotation import SUFFIX, HipReading, load_reading
from necroangle.errors import NecroangleError
from necroangle.measurement import HipMeasurement, measure

__all__ = ["VisitRadius", "head_radius_mm", "radii_of_other_visits"]


@dataclass(frozen=True, slots=True)
class VisitRadius:
    """The head's radius at another visit.

    Attributes
    ----------
    visit
        The visit's name.
    radius_mm
        Radius of the head, mm.
    """

    visit: str
    radius_mm: float


def radii_of_other_visits(folder: Path, draft: ReadingDraft) -> tuple[VisitRadius, ...]:
    """The head's radius in the saved readings of this hip, by this reader, at other visits.

    A blinded reader is shown nothing of other visits. A file that cannot be read or measured is
    passed over: it is not what is being read.
    """
    if draft.conduct.blinded or not draft.subject or not folder.is_dir():
        return ()
    names = f"{draft.subject}__{draft.laterality}__*__{draft.reader}__*{SUFFIX}"
    found = (_radius(path, draft) for path in sorted(folder.glob(names)))
    return tuple(one for one in found if one is not None)


def head_radius_mm(hip: HipMeasurement) -> float | None:
    """The radius of the joint sphere, else of the only circle; None without true mm."""
    if hip.judge is not None:
        return hip.judge.sphere.sphere.radius_mm
    radii = [view.radius_mm for view in (hip.a, hip.b) if view is not None and view.radius_mm]
    return radii[0] if len(radii) == 1 else None


def _radius(path: Path, draft: ReadingDraft) -> VisitRadius | None:
    try:
        reading = load_reading(path)
        radius = None if _is_no_match(reading, draft) else head_radius_mm(measure(reading))
    except (NecroangleError, OSError):
        return None
    return VisitRadius(reading.visit, radius) if radius is not None else None


def _is_no_match(reading: HipReading, draft: ReadingDraft) -> bool:
    """Whether a reading is of another hip or reader, of this very visit, or of radiographs."""
    key = (reading.subject, reading.laterality, reading.reader)
    is_same_hip = key == (draft.subject, draft.laterality, draft.reader)
    return not is_same_hip or reading.visit == draft.visit or reading.is_radiograph
