"""The next hip's pixels, read in the background while the reader is at this one. No Qt."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from necroangle.dicom import SeriesSummary, read_volume
from necroangle.imaging import Volume

__all__ = ["Prefetch"]

MAX_AHEAD_MIB = 1024
"""No more than this is held ahead: a larger series is read when it is opened."""

_BYTES_A_PIXEL = 4
"""Of a picture whose grey values were rescaled."""


class Prefetch:
    """Reads series ahead in one background thread, those of one hip at a time.

    Parameters
    ----------
    read
        Reads a series.
    max_mib
        How much may be held ahead, MiB.

    Examples
    --------
    >>> ahead = Prefetch()
    >>> ahead.aim_at([])
    >>> ahead.close()
    """

    def __init__(
        self,
        read: Callable[[SeriesSummary], Volume] = read_volume,
        max_mib: float = MAX_AHEAD_MIB,
    ) -> None:
        self._read, self._max_mib = read, max_mib
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="necroangle-prefetch")
        self._ahead: list[tuple[SeriesSummary, Future[Volume]]] = []

    def aim_at(self, series: Iterable[SeriesSummary]) -> None:
        """Read these ahead, in their order, and nothing else.

        What was read ahead and is not among them is dropped. A series that is being read at this
        moment is read to its end first, and dropped then.
        """
        wanted = self._within_limit(series)
        kept = [one for one in self._ahead if one[0] in wanted]
        for one in self._ahead:
            if one not in kept:
                one[1].cancel()
        there = [one for one, _ in kept]
        new = [(one, self._worker.submit(self._read, one)) for one in wanted if one not in there]
        self._ahead = [*kept, *new]

    def take(self, series: SeriesSummary) -> Volume | None:
        """The volume of a series that was read ahead, which is then held here no longer.

        Where it is being read at this moment, its end is waited for.

        Returns
        -------
        Volume or None
            None where it was not asked for, or has not been begun: read it at once then.

        Raises
        ------
        DicomError
            If it could not be read, as :func:`necroangle.dicom.read_volume` says.
        """
        for one in self._ahead:
            if one[0] == series:
                self._ahead.remove(one)
                return None if one[1].cancel() else one[1].result()
        return None

    def close(self) -> None:
        """Drop everything and read no more."""
        self._ahead = []
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _within_limit(self, series: Iterable[SeriesSummary]) -> list[SeriesSummary]:
        """As many of the series as may be held together."""
        room, found = self._max_mib * 1024**2, []
        for one in series:
            size = len(one) * one.rows * one.columns * _BYTES_A_PIXEL
            if size <= room and one not in found:
                room -= size
                found.append(one)
        return found
