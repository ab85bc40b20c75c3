"""Rows held against their marks many at once: the same problems as one by one."""

from collections.abc import Sequence
from functools import cache

import pytest
from randomhips import random_files

from necroangle.annotation import decode_reading, sha256_of
from necroangle.batch import Refusal, measure_bytes
from necroangle.batch.again import cells_again
from necroangle.cohort import Cell, CohortRow
from necroangle.ledger.verify import COMPARED, Task, measure_again
from necroangle.measurement import Method, Settings
from necroangle.measurement.plausibility_cohort import ReadingPrint


@cache
def row_of(raw: bytes) -> CohortRow | Refusal:
    return measure_bytes("a", raw)


def task_of(raw: bytes, **changes: Cell) -> Task:
    row = row_of(raw)
    assert not isinstance(row, Refusal)
    cells = tuple(changes.get(name, row[name]) for name in COMPARED)
    return Task(str(decode_reading(raw).key), sha256_of(raw), raw, (cells,))


@pytest.fixture(scope="module")
def raws() -> list[bytes]:
    files = random_files(120, seed=21)
    return [raw for _, raw in files if not isinstance(row_of(raw), Refusal)]


def test_nothing_is_wrong_with_what_was_measured(raws: list[bytes]) -> None:
    asked: list[int] = []

    def spy(
        raws: Sequence[bytes],
        method: Method,
        settings: Settings,
        names: Sequence[str],
        prints: list[ReadingPrint] | None,
    ) -> list[tuple[Cell, ...] | None]:
        asked.append(len(raws))
        return cells_again(raws, method, settings, names, prints)

    tasks = [task_of(raw) for raw in raws]
    assert list(measure_again(tasks, again=spy)) == []
    assert sum(asked) == len(raws) > 50


def test_readings_are_held_together_by_the_same_whether_measured_at_once_or_not(
    raws: list[bytes],
) -> None:
    tasks = [task_of(raw) for raw in raws]
    tasks[0] = task_of(raws[0], radius_prior_mm=24.0, radius_prior_sd_mm=9.0)
    at_once: list[ReadingPrint] = []
    one_by_one: list[ReadingPrint] = []
    list(measure_again(tasks, again=cells_again, prints=at_once))
    list(measure_again(tasks, prints=one_by_one))
    assert sorted(map(repr, at_once)) == sorted(map(repr, one_by_one))
    assert len(at_once) == len(raws)


def test_the_same_problems_are_found(raws: list[bytes]) -> None:
    first = raws[0]
    wrong = [
        task_of(first, cna_deg=12.5),
        task_of(first, subject="ANOTHER"),
        task_of(first, method="no_such_method"),
        task_of(first, end_sd_mm=-1.0),
        task_of(first, end_sd_mm=0.7),
        task_of(first, kerboul="none"),
        task_of(first)._replace(sha256="0" * 64),
        task_of(first)._replace(rows=()),
        Task("broken", sha256_of(b"{}"), b"{}", task_of(first).rows),
        task_of(first)._replace(rows=(*task_of(first).rows, *task_of(first, a_deg=1.0).rows)),
    ]
    tasks = [one for raw, bad in zip(raws, wrong, strict=False) for one in (task_of(raw), bad)]
    found = list(measure_again(tasks, again=cells_again))
    assert found == list(measure_again(tasks))
    assert len({problem.place for problem in found}) >= 6
    assert list(measure_again(tasks, workers=2, again=cells_again)) == found
