"""Every angle once more, from the marks of the reading that it was measured from."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple

from necroangle.annotation import HipReading, decode_reading, sha256_of
from necroangle.errors import NecroangleError
from necroangle.ledger.verify_report import Problem
from necroangle.measurement import Method, RadiusPrior, Settings, measure, method_named
from necroangle.measurement.columns import KEY
from necroangle.measurement.row import Cell, RowKey, to_row

__all__ = ["COMPARED", "DRIFT_DEG", "Again", "Task", "measure_again"]

Again = Callable[
    [Sequence[bytes], Method, Settings, Sequence[str]], Sequence[tuple[Cell, ...] | None]
]
"""Measures the bytes of readings and gives the named cells of each row, bit for bit those of
:func:`to_row`; None where it cannot. It must be a plain function, for other processes to find it.
"""

DRIFT_DEG = 1e-9
"""An angle that comes out further off than this has drifted."""

_SETTINGS = ("end_sd_mm", "centre", "radius_prior_mm", "radius_prior_sd_mm", "radius_prior_source")
_VIEW_ANGLES = ("deg", "span_deg", "start_deg", "end_deg", "middle_deg")
_ANGLES = (
    *(f"{side}_{name}" for side in "ab" for name in _VIEW_ANGLES),
    "cna_deg",
)
_WORDS = ("a_view", "a_status", "b_view", "b_status", "modality", "ha_grade", "ha_risk", "kerboul")
COMPARED = (*KEY, *_SETTINGS, *_ANGLES, *_WORDS)
"""The columns that are needed to measure again and to compare."""

_CHUNK = 500


class Task(NamedTuple):
    """A reading to measure again.

    Attributes
    ----------
    place
        What it is called in a problem.
    sha256
        The hash that it was kept under.
    raw
        Its bytes.
    rows
        The cells of :data:`COMPARED` of each row that was measured from it.
    """

    place: str
    sha256: str
    raw: bytes
    rows: tuple[tuple[Cell, ...], ...]


def measure_again(
    tasks: Iterable[Task], workers: int = 1, again: Again | None = None
) -> Iterator[Problem]:
    """The problems of readings and of the angles that were measured from them.

    Parameters
    ----------
    tasks
        Taken as they are needed, so that not all readings are in memory at once.
    workers
        Processes. The problems come in the order of the tasks whatever their number.
    again
        Measures many readings at once; what it does not give, or gives otherwise than it is
        stored, is measured by itself. Without it each is.
    """
    rest, check = iter(tasks), partial(_check_all, again=again)
    if workers <= 1:
        while chunk := list(islice(rest, _CHUNK)):
            yield from check(chunk)
        return
    pending: deque[Future[list[Problem]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        while chunk := list(islice(rest, _CHUNK)):
            pending.append(pool.submit(check, chunk))
            if len(pending) > 2 * workers:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _check_all(tasks: Sequence[Task], again: Again | None) -> list[Problem]:
    intact = [sha256_of(task.raw) == task.sha256 for task in tasks]
    same = _same(tasks, intact, again) if again else set()
    return [
        problem
        for place, task in enumerate(tasks)
        if place not in same
        for problem in _check(task, intact[place])
    ]


def _same(tasks: Sequence[Task], intact: Sequence[bool], again: Again) -> set[int]:
    """The tasks of which every row comes out as it is stored."""
    groups: dict[tuple[Method, Settings], list[tuple[int, tuple[Cell, ...]]]] = {}
    differ = {place for place, whole in enumerate(intact) if not whole}
    for place, task in enumerate(tasks):
        for cells in task.rows if intact[place] else ():
            row = dict(zip(COMPARED, cells, strict=True))
            try:
                how = method_named(str(row["method"])), _settings(row)
            except NecroangleError:
                differ.add(place)
            else:
                groups.setdefault(how, []).append((place, cells))
    for (method, settings), rows in groups.items():
        raws = [tasks[place].raw for place, _ in rows]
        found = again(raws, method, settings, COMPARED)
        differ.update(
            place for (place, cells), one in zip(rows, found, strict=True) if cells != one
        )
    return set(range(len(tasks))) - differ


def _check(task: Task, intact: bool) -> Iterator[Problem]:
    if not intact:
        yield Problem("reading", task.place, "its bytes were changed: the hash does not fit")
        return
    if not task.rows:
        return
    try:
        reading = decode_reading(task.raw)
    except NecroangleError as error:
        yield Problem("reading", task.place, str(error))
        return
    for cells in task.rows:
        yield from _compare(reading, task.sha256, dict(zip(COMPARED, cells, strict=True)))


def _compare(reading: HipReading, sha256: str, row: dict[str, Cell]) -> Iterator[Problem]:
    name = str(RowKey(*(row[part] for part in KEY)))  # type: ignore[arg-type]
    try:
        method = method_named(str(row["method"]))
        again = to_row(reading, measure(reading, method, _settings(row)), sha256)
    except NecroangleError as error:
        yield Problem("row", name, f"cannot be measured again: {error}")
        return
    for column in COMPARED:
        stored, found = row[column], again[column]
        if column in _ANGLES and isinstance(stored, float) and isinstance(found, float):
            if abs(stored - found) > DRIFT_DEG:
                yield Problem(
                    "row",
                    f"{name}, column {column}",
                    f"stored {stored!r}, measured again {found!r}: drift {found - stored:.3g} deg",
                )
        elif stored != found:
            yield Problem(
                "row",
                f"{name}, column {column}",
                f"stored {stored!r:.60}, its reading says {found!r:.60}",
            )


def _settings(row: dict[str, Cell]) -> Settings:
    """What was taken as given when the row was measured."""
    radius, sd, source = (row[name] for name in _SETTINGS[2:])
    prior = None
    if isinstance(radius, float) and isinstance(sd, float):
        prior = RadiusPrior(radius, sd, str(source))
    centre = "sphere" if row["centre"] == "sphere" else "circles"
    end_sd = row["end_sd_mm"]
    if not isinstance(end_sd, float):
        return Settings(radius_prior=prior, centre=centre)
    return Settings(end_point_sd_mm=end_sd, radius_prior=prior, centre=centre)
