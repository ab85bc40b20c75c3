"""Many reading files to rows of the cohort: what cannot be measured is told, the rest goes on."""

import os
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from necroangle.annotation import SUFFIX, HipReading, decode_reading, read_bytes, sha256_of
from necroangle.cohort import CohortRow, RowKey, to_row
from necroangle.errors import NecroangleError, ReadingError
from necroangle.measurement import DEFAULTS, Method, Settings, measure, settings_from_repeats

__all__ = [
    "BatchResult",
    "Refusal",
    "find_readings",
    "measure_file",
    "measure_files",
    "settings_of_repeats",
]

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of all."""


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A reading file that gave no row.

    Attributes
    ----------
    file
        As it was given, or as it lies in the folder that was given.
    place
        Where in the file, as far as that is known.
    problem
        What was found and what to do.
    """

    file: str
    place: str
    problem: str

    def __str__(self) -> str:
        """One line: ``file: place: problem``."""
        return ": ".join(part for part in (self.file, self.place, self.problem) if part)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch gave, in an order that does not depend on the order of the files.

    Attributes
    ----------
    rows
        Ordered by key.
    refusals
        Ordered by file.
    """

    rows: tuple[CohortRow, ...]
    refusals: tuple[Refusal, ...]


def measure_files(
    paths: Iterable[Path],
    method: Method | None = None,
    progress: Progress | None = None,
    settings: Settings = DEFAULTS,
) -> BatchResult:
    """Measure reading files.

    Parameters
    ----------
    paths
        Files, and folders that are searched with all their sub-folders for ``*.reading.json``.
    method
        How; by default the method of each reading's kind of image.
    progress
        Called after every file.
    settings
        What is taken as given: end-point noise, which centre.

    Returns
    -------
    BatchResult
        A row or a refusal for every file. Two files that claim one reading with different
        content are both refused; copies of one file give one row.

    Examples
    --------
    >>> print(*measure_files([Path("nowhere.reading.json")]).refusals)
    nowhere.reading.json: there is no such file
    """
    files, refusals = find_readings(paths)
    measured: list[tuple[Path, CohortRow]] = []
    for done, file in enumerate(files, start=1):
        outcome = measure_file(file, method, settings)
        if isinstance(outcome, Refusal):
            refusals.append(outcome)
        else:
            measured.append((file, outcome))
        if progress is not None:
            progress(done, len(files))
    rows, conflicts = _settle(measured)
    return BatchResult(tuple(rows), tuple(sorted((*refusals, *conflicts))))


def measure_file(
    path: Path, method: Method | None = None, settings: Settings = DEFAULTS
) -> CohortRow | Refusal:
    """Measure one reading file: read once, hash, decode, measure; nothing else is touched.

    This is the door of the batch: an error of the program itself is told as a refusal too, with
    the line of code it came from, so that it costs one row and not all of them.
    """
    try:
        raw = read_bytes(path)
        reading = decode_reading(raw)
        return to_row(reading, measure(reading, method, settings), sha256_of(raw))
    except ReadingError as error:
        return Refusal(str(path), error.place, error.problem)
    except NecroangleError as error:
        return Refusal(str(path), getattr(error, "place", ""), str(error))
    except Exception as error:
        return Refusal(str(path), _line_of_code(error), f"internal error: {error!r:.200}")


def settings_of_repeats(paths: Iterable[Path], settings: Settings = DEFAULTS) -> Settings:
    """Settings whose end-point noise is that of the repeat reads among reading files.

    Reads of one hip at one visit by one reader are compared. A file that cannot be read is passed
    over here: measuring it tells why.

    Raises
    ------
    MethodError
        If no arc was marked twice.
    """
    groups: dict[tuple[str, str, str, str], list[HipReading]] = {}
    for file in find_readings(paths)[0]:
        try:
            reading = decode_reading(read_bytes(file))
        except ReadingError:
            continue
        groups.setdefault(reading.key[:4], []).append(reading)
    return settings_from_repeats(groups.values(), settings)


def find_readings(paths: Iterable[Path]) -> tuple[list[Path], list[Refusal]]:
    """The reading files of files and folders, each once, sorted; and folders that stay shut."""
    found: dict[Path, Path] = {}
    refusals: list[Refusal] = []
    for path in sorted(paths):
        for file in _walk(path, refusals) if path.is_dir() else (path,):
            found.setdefault(file.absolute(), file)
    return sorted(found.values()), refusals


def _line_of_code(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name} line {last.lineno}"


def _walk(folder: Path, refusals: list[Refusal]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        refusals.append(Refusal(str(error.filename), "", f"cannot be read: {error.strerror}"))

    for parent, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(parent, name) for name in names if name.endswith(SUFFIX))


def _settle(measured: Iterable[tuple[Path, CohortRow]]) -> tuple[list[CohortRow], list[Refusal]]:
    """One row per key, ordered by key; files that contradict each other are refused."""
    claims: dict[RowKey, list[tuple[Path, CohortRow]]] = {}
    for file, row in measured:
        claims.setdefault(row.key, []).append((file, row))
    rows: list[CohortRow] = []
    refusals: list[Refusal] = []
    for key in sorted(claims):
        claim = claims[key]
        if len({row["annotation_sha256"] for _, row in claim}) == 1:
            rows.append(claim[0][1])
        else:
            refusals.extend(_conflicts(claim))
    return rows, refusals


def _conflicts(claim: list[tuple[Path, CohortRow]]) -> Iterator[Refusal]:
    for file, row in claim:
        others = ", ".join(str(other) for other, _ in claim if other != file)
        yield Refusal(str(file), "", f"the same reading ({row.key}) lies in {others}; keep one")
