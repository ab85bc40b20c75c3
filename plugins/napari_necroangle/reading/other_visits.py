"""The same hip at its other visits: the readings that are saved of it, each file read once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from napari_necroangle.reading.draft import ReadingDraft
from necroangle.annotation import SUFFIX, HipReading, ReadView, load_reading
from necroangle.errors import NecroangleError
from necroangle.measurement import HipMeasurement, ViewMeasurement, measure
from necroangle.terms import View

__all__ = [
    "Earlier",
    "VisitRadius",
    "earlier_readings",
    "head_radius_mm",
    "radii_of_other_visits",
]

FILES_KEPT = 256
"""So many measured files are kept, by their place and time of change."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A reading of the same hip at another visit.

    Attributes
    ----------
    reading
        The reading.
    measurement
        What it measures.
    """

    reading: HipReading
    measurement: HipMeasurement

    @classmethod
    def of(cls, reading: HipReading) -> "Earlier":
        """Measure a reading.

        Raises
        ------
        NecroangleError
            If its marks cannot be measured.
        """
        return cls(reading, measure(reading))

    def view(self, view: View) -> tuple[ReadView, ViewMeasurement] | None:
        """A view that was read, with its measurement."""
        pairs = zip(self.reading.views, (self.measurement.a, self.measurement.b), strict=True)
        for entry, measured in pairs:
            if entry.view is view and isinstance(entry, ReadView) and measured is not None:
                return entry, measured
        return None


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


def earlier_readings(folder: Path, draft: ReadingDraft) -> tuple[Earlier, ...]:
    """The readings of the draft's hip at its other visits, in the same kind of image.

    The reader's own come first, then those of others; within that by visit and read. A blinded
    reader is given none, and one who reads for a study only her own. A file that cannot be read or
    measured is passed over: opening it tells why.

    Parameters
    ----------
    folder
        The folder of the readings; it need not be there.
    draft
        What is being read.
    """
    if draft.conduct.blinded:
        return ()
    found = [one for one in _readings(folder, draft) if _is_other_visit(one.reading, draft)]
    if draft.conduct.worklist is not None:
        found = [one for one in found if one.reading.reader == draft.reader]
    return tuple(
        sorted(found, key=lambda one: (one.reading.reader != draft.reader, *one.reading.key))
    )


def radii_of_other_visits(folder: Path, draft: ReadingDraft) -> tuple[VisitRadius, ...]:
    """The head's radius in the saved readings of this hip, by this reader, at other visits.

    Of MR alone: the millimetres of radiographs are the detector's. A blinded reader is told
    nothing of other visits.
    """
    radii = (
        (one.reading.visit, head_radius_mm(one.measurement))
        for one in earlier_readings(folder, draft)
        if one.reading.reader == draft.reader and not one.reading.is_radiograph
    )
    return tuple(VisitRadius(visit, radius) for visit, radius in radii if radius is not None)


def head_radius_mm(hip: HipMeasurement) -> float | None:
    """The radius of the joint sphere, else of the only circle; None without true mm."""
    if hip.judge is not None:
        return hip.judge.sphere.sphere.radius_mm
    radii = [view.radius_mm for view in (hip.a, hip.b) if view is not None and view.radius_mm]
    return radii[0] if len(radii) == 1 else None


def _readings(folder: Path, draft: ReadingDraft) -> Iterator[Earlier]:
    """What lies in files that may hold the hip: by their name, or by a digest of a long one."""
    if not draft.subject or not folder.is_dir():
        return
    starts = (f"{draft.subject}__{draft.laterality}__", "reading__")
    for path in sorted(folder.iterdir()):
        if path.name.endswith(SUFFIX) and path.name.startswith(starts):
            found = _measured(path)
            if found is not None:
                yield found


def _measured(path: Path) -> Earlier | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return _measured_once(path, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=FILES_KEPT)
def _measured_once(path: Path, *state: int) -> Earlier | None:  # noqa: ARG001
    """Read and measure a file once in each of its states."""
    try:
        return Earlier.of(load_reading(path))
    except (NecroangleError, OSError):
        return None


def _is_other_visit(reading: HipReading, draft: ReadingDraft) -> bool:
    same_hip = (reading.subject, reading.laterality) == (draft.subject, draft.laterality)
    kinds = {reading.views[0].view, draft.views[0].view}
    return same_hip and len(kinds) == 1 and reading.visit != draft.visit
