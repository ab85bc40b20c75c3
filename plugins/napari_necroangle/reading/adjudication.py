"""Two readers' readings of one hip laid over each other, and the consensus made from them."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import msgspec

from napari_necroangle.reading.difference import ViewDifference, difference, less
from napari_necroangle.reading.draft import ReadingDraft, ViewDraft
from napari_necroangle.reading.record import draft_of
from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    NO_ENTRIES,
    HipReading,
    decode_reading,
    file_name,
    read_bytes,
    save_reading,
    sha256_of,
)
from necroangle.errors import ReadingError
from necroangle.measurement import HipMeasurement, Method, measure
from necroangle.readerstudy import CONSENSUS, SavedReading, reader_folder
from necroangle.terms import View

__all__ = ["Adjudication", "Start"]


class Start(StrEnum):
    """What a consensus starts from."""

    FIRST = "first"
    SECOND = "second"
    EMPTY = "empty"


class Adjudication:
    """Two readings of one hip at one visit, by different readers.

    Parameters
    ----------
    first, second
        The readings.
    sha256
        Digests of their files.
    method
        How both are measured; by default as their kind of image is.

    Raises
    ------
    GeometryError
        If the marks of one cannot be measured.
    MethodError
        If the method does not fit the readings.
    ReadingError
        If they are of different hips, visits or kinds of image, of one reader, or not submitted
        in a reader study: no reader may see another's marks before.

    Attributes
    ----------
    views
        The A view and the B view.
    cna_deg
        Difference of the combined angles; None where one is missing.
    cna_of_each_deg
        Combined angle of each reader.
    angles_deg
        For each reader the angles of the A view and the B view.

    Examples
    --------
    >>> import msgspec
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> one = readings_of(sample_studies()["plain"])[0]
    >>> other = msgspec.structs.replace(one, reader="r2")
    >>> both = Adjudication(one, other, ("a" * 64, "b" * 64))
    >>> both.cna_deg, both.views[0].common.value, both.views[0].centre_apart_mm
    (0.0, 'same_slice', 0.0)
    >>> both.draft(Start.FIRST).reader
    'consensus'
    >>> Adjudication(one, one, ("a" * 64, "a" * 64))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: both readings are by reader truth; choose another reader's
    """

    def __init__(
        self,
        first: HipReading,
        second: HipReading,
        sha256: tuple[str, str],
        method: Method | None = None,
    ) -> None:
        _refuse_pair(first, second)
        self.first, self.second, self.sha256 = first, second, sha256
        measured = measure(first, method), measure(second, method)
        self.views = (
            difference(first, second, measured, 0),
            difference(first, second, measured, 1),
        )
        self.cna_deg = less(measured[1].cna_deg, measured[0].cna_deg)
        self.cna_of_each_deg = (measured[0].cna_deg, measured[1].cna_deg)
        self.angles_deg = (_angles(measured[0]), _angles(measured[1]))

    def view(self, view: View) -> ViewDifference:
        """How the two differ in a view."""
        return next(one for one in self.views if one.view is view)

    @classmethod
    def of_files(cls, first: Path, second: Path, method: Method | None = None) -> "Adjudication":
        """Lay two reading files over each other.

        Raises
        ------
        ReadingError
            If one is not valid, or they do not belong together.
        """
        raw = [read_bytes(path) for path in (first, second)]
        readings = [
            decode_reading(one, file=path.name)
            for one, path in zip(raw, (first, second), strict=True)
        ]
        digests = (sha256_of(raw[0]), sha256_of(raw[1]))
        return cls(readings[0], readings[1], digests, method)

    def draft(self, start: Start) -> ReadingDraft:
        """The consensus to begin with: either reader's marks, or none. Her notes stay hers."""
        source = draft_of(self.second if start is Start.SECOND else self.first)
        if start is Start.EMPTY:
            first, second = source.views
            empty = (ViewDraft(first.view), ViewDraft(second.view))
            source = replace(source, views=empty, entries=NO_ENTRIES)
        return replace(
            source,
            reader=CONSENSUS,
            read_no=1,
            notes="",
            conduct=FREE_READING,
            revision=FIRST_REVISION,
            consensus_of=self.sha256,
        )

    def signed(self, reading: HipReading) -> HipReading:
        """A reading as the consensus of these two, whatever its entries say.

        Raises
        ------
        ReadingError
            If it is of another hip or visit.
        """
        if reading.key[:3] != self.first.key[:3]:
            raise ReadingError(f"the consensus is of {self.first.key}, found {reading.key}")
        return msgspec.structs.replace(reading, reader=CONSENSUS, consensus_of=self.sha256)

    def save(
        self, reading: HipReading, readings: Path, *, replaces: str | None = None
    ) -> SavedReading:
        """Save the consensus among the study's readings, in a folder of its own.

        Parameters
        ----------
        reading
            What was agreed upon.
        readings
            Where the study keeps its readings.
        replaces
            SHA-256 of the consensus that was saved before; None for the first.

        Raises
        ------
        ReadingError
            If it is of another hip, not valid, or another consensus lies there.
        """
        signed = self.signed(reading)
        path = reader_folder(readings, CONSENSUS) / file_name(signed)
        return SavedReading(path, signed, save_reading(signed, path, replaces=replaces))


def _angles(measured: HipMeasurement) -> tuple[float | None, float | None]:
    first, second = (view.angle_deg if view else None for view in (measured.a, measured.b))
    return first, second


def _refuse_pair(first: HipReading, second: HipReading) -> None:
    if first.key[:3] != second.key[:3]:
        raise ReadingError(f"two different hips or visits: {first.key} and {second.key}")
    if first.reader == second.reader:
        raise ReadingError(f"both readings are by reader {first.reader}; choose another reader's")
    if [view.view for view in first.views] != [view.view for view in second.views]:
        raise ReadingError("the two readings are of different kinds of image")
    for reading in (first, second):
        if reading.conduct.worklist is not None and not reading.conduct.submitted:
            raise ReadingError(f"the reading {reading.key} is not submitted yet")
