"""Is the cohort what it was? The chain, the rows, every angle, the readings and their files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from necroangle.annotation import read_bytes
from necroangle.errors import CohortError, ReadingError
from necroangle.ledger.records import decode_key
from necroangle.ledger.schema import CONTENT, ROWS
from necroangle.ledger.store import CohortStore
from necroangle.ledger.verify_angles import COMPARED, Again, Task, measure_again
from necroangle.ledger.verify_files import FoundFiles, check_files
from necroangle.ledger.verify_ledger import Told, check_ledger
from necroangle.ledger.verify_report import Counts, Problem, Verification
from necroangle.ledger.verify_rows import MeasuredCells, check_records, check_rows
from necroangle.measurement.columns import NAMES

if TYPE_CHECKING:
    from necroangle.measurement.row import Cell

__all__ = ["Counts", "Problem", "Verification", "verify"]

Progress = Callable[[int, int], None]

_COMPARED_AT = tuple(NAMES.index(name) for name in COMPARED)
_AT_ONCE = 500


def verify(
    store: CohortStore,
    *,
    readings: Path | None = None,
    head: str = "",
    workers: int = 1,
    progress: Progress | None = None,
    again: Again | None = None,
) -> Verification:
    """Verify a cohort: nothing is written.

    Parameters
    ----------
    store
        The cohort.
    readings
        Folder of its reading files, or None where they are not to be looked at.
    head
        Hash of an event that was noted earlier: it must still be in the chain.
    workers
        Processes that measure again.
    progress
        Called with the number of readings measured again and of all.
    again
        Measures many readings at once; see :func:`necroangle.ledger.verify_angles.measure_again`.

    Raises
    ------
    CohortError
        If the folder of readings is missing.

    Examples
    --------
    >>> import tempfile
    >>> store = CohortStore.open(Path(tempfile.mkdtemp()) / "cohort.sqlite")
    >>> verify(store).is_clean
    True
    """
    if readings is not None and not readings.is_dir():
        raise CohortError(f"{readings}: no such folder of reading files")
    run = _Run(store, head)
    problems = list(run.database())
    if run.was_stopped:  # perhaps by a text that is no UTF-8; slower, so only then
        run = _Run(store, head)
        problems = list(run.database(any_letters=True))
    found = FoundFiles()
    if readings is not None:
        problems += run.files(readings, found)
    problems += measure_again(run.tasks(found, progress), workers, again)
    counts = Counts(
        events=run.told.events,
        rows=run.row_count,
        records=sum(map(len, run.told.records.values())),
        contents=len(run.kept),
        files=found.count,
        recomputed=run.recomputed,
        without_marks=run.row_count - run.recomputed,
    )
    return Verification(tuple(sorted(set(problems))), counts, run.told.head)


class _Run:
    """One verification, from the database to the files to the angles."""

    def __init__(self, store: CohortStore, head: str) -> None:
        self._store = store
        self.told = Told([head] if head else [])
        self.was_stopped = False
        self._rows: dict[str, list[tuple[Cell, ...]]] = {}
        self._readings: dict[str, tuple[str, ...]] = {}
        self.kept: set[str] = set()
        self.row_count = self.recomputed = 0

    def database(self, *, any_letters: bool = False) -> Iterator[Problem]:
        """The ledger, the rows and the records, in one look at the database.

        Parameters
        ----------
        any_letters
            Whether a text that is no UTF-8 (tampered with) is read, so that it can be named.
        """
        try:
            with self._store.reading() as connection:
                if any_letters:
                    _take_any_letters(connection)
                yield from check_ledger(connection, self.told)
                for found in check_rows(connection, self.told.measured):
                    if isinstance(found, Problem):
                        yield found
                    else:
                        self._remember(found)
                count = sa.select(sa.func.count()).select_from(ROWS)
                self.row_count = int(connection.scalar(count) or 0)
                self.kept = set(connection.execute(sa.select(CONTENT.c.sha256)).scalars())
        except CohortError as error:
            self.was_stopped = True
            yield Problem("database", "file", f"{error}; take a backup")
        yield from check_records(self.told.records)
        yield from self._kept_as_told()

    def _remember(self, found: MeasuredCells) -> None:
        self._readings[found.sha256] = found.reading
        if found.cells:
            cells = tuple(found.cells[place] for place in _COMPARED_AT)
            self._rows.setdefault(found.sha256, []).append(cells)

    def files(self, folder: Path, found: FoundFiles) -> Iterator[Problem]:
        """The folder of reading files."""
        older = {sha256: key for sha256, (key, _) in self.told.readings.items()}
        return check_files(folder, self._readings, older, self._kept_bytes, found)

    def tasks(self, found: FoundFiles, progress: Progress | None) -> Iterator[Task]:
        """Every kept reading, then those that only a file holds."""
        only_files = sorted((self._rows.keys() & found.by_hash.keys()) - self.kept)
        total = len(self.kept) + len(only_files)
        for done, (place, sha256, raw) in enumerate(self._sources(only_files, found), start=1):
            rows = tuple(self._rows.get(sha256, ()))
            self.recomputed += len(rows)
            yield Task(place, sha256, raw, rows)
            if progress is not None:
                progress(done, total)

    def _sources(
        self, only_files: list[str], found: FoundFiles
    ) -> Iterator[tuple[str, str, bytes]]:
        kept = sorted(self.kept)
        for start in range(0, len(kept), _AT_ONCE):  # each in a short look: writers may go on
            for sha256, raw in list(self._store.contents(kept[start : start + _AT_ONCE])):
                yield self._name(sha256), sha256, raw
        for sha256 in only_files:
            try:
                yield found.by_hash[sha256].name, sha256, read_bytes(found.by_hash[sha256])
            except ReadingError as error:
                yield error.file, sha256, b""

    def _kept_as_told(self) -> Iterator[Problem]:
        """Kept readings that no event tells of, and the other way round."""
        for sha256 in sorted(self.kept - self.told.readings.keys()):
            yield Problem("reading", f"{sha256:.16}...", "no event tells of it: added from outside")
        for sha256 in sorted(self.told.readings.keys() - self.kept):
            yield Problem(
                "reading", self._name(sha256), "is not kept any more: removed from outside"
            )

    def _name(self, sha256: str) -> str:
        key, seq = self.told.readings.get(sha256, ("", 0))
        return f"{' '.join(decode_key(key))} (event {seq})" if seq else f"{sha256:.16}..."

    def _kept_bytes(self, sha256: str) -> bytes | None:
        return next((raw for _, raw in self._store.contents([sha256])), None)


def _take_any_letters(connection: sa.Connection) -> None:
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.text_factory = _lenient


def _lenient(raw: bytes) -> str:
    return raw.decode(errors="replace")
