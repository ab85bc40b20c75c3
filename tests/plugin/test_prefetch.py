"""Volumes read ahead: in a real thread, one hip at a time, errors told when the hip is opened."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from napari_necroangle.modes.workspace import Prefetch

from necroangle.dicom import SeriesSummary, read_volume, scan_folder
from necroangle.errors import DicomError
from necroangle.imaging import Volume

WAIT_S = 20.0


class Gate:
    """Reads like the loader, but each series only once it is let through."""

    def __init__(self) -> None:
        self.started: list[SeriesSummary] = []
        self.threads: set[int] = set()
        self.changed = threading.Condition()
        self.open: set[int] = set()

    def __call__(self, series: SeriesSummary) -> Volume:
        with self.changed:
            self.started.append(series)
            self.threads.add(threading.get_ident())
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: id(series) in self.open, WAIT_S)
        return read_volume(series)

    def let(self, *series: SeriesSummary) -> None:
        with self.changed:
            self.open.update(map(id, series))
            self.changed.notify_all()

    def wait_started(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.started) >= count, WAIT_S)


@pytest.fixture
def series(samples: Path) -> tuple[SeriesSummary, ...]:
    found = scan_folder(samples / "plain").series
    stacks = tuple(one for one in found if one.kind == "stack")
    assert len(stacks) >= 3
    return stacks


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def ahead(gate: Gate, series: tuple[SeriesSummary, ...]) -> Iterator[Prefetch]:
    prefetch = Prefetch(gate)
    yield prefetch
    prefetch.close()
    gate.let(*series)


def test_what_is_read_ahead_is_what_the_loader_reads(series: tuple[SeriesSummary, ...]) -> None:
    ahead = Prefetch()
    ahead.aim_at(series[:2])
    while (volume := ahead.take(series[1])) is None:
        ahead.aim_at(series[:2])
    assert np.array_equal(volume.pixels, read_volume(series[1]).pixels)
    assert ahead.take(series[1]) is None
    ahead.close()


def test_a_series_that_is_being_read_is_waited_for_in_another_thread(
    gate: Gate, ahead: Prefetch, series: tuple[SeriesSummary, ...]
) -> None:
    ahead.aim_at(series[:1])
    gate.wait_started(1)
    threading.Timer(0.1, gate.let, series[:1]).start()
    assert ahead.take(series[0]) is not None
    assert threading.get_ident() not in gate.threads


def test_a_series_that_is_not_begun_is_left_to_the_caller(
    gate: Gate, ahead: Prefetch, series: tuple[SeriesSummary, ...]
) -> None:
    ahead.aim_at(series[:2])
    gate.wait_started(1)
    assert ahead.take(series[1]) is None
    assert ahead.take(series[2]) is None
    gate.let(*series)
    assert ahead.take(series[0]) is not None
    assert gate.started == [series[0]]


def test_turning_elsewhere_drops_what_was_asked_for(
    gate: Gate, ahead: Prefetch, series: tuple[SeriesSummary, ...]
) -> None:
    ahead.aim_at(series[:2])
    gate.wait_started(1)
    ahead.aim_at(series[2:3])
    gate.let(*series)
    gate.wait_started(2)
    assert ahead.take(series[2]) is not None
    assert ahead.take(series[0]) is None
    assert gate.started == [series[0], series[2]]


def test_asking_again_for_the_same_hip_does_not_read_it_again(
    gate: Gate, ahead: Prefetch, series: tuple[SeriesSummary, ...]
) -> None:
    gate.let(*series)
    for _ in range(3):
        ahead.aim_at(series[:2])
    gate.wait_started(2)
    assert ahead.take(series[0]) is not None
    assert ahead.take(series[1]) is not None
    assert gate.started == list(series[:2])


def test_an_error_is_told_when_the_series_is_taken(series: tuple[SeriesSummary, ...]) -> None:
    begun = threading.Event()

    def fail(_: SeriesSummary) -> Volume:
        begun.set()
        raise DicomError("the file is cut short", stage="decode")

    ahead = Prefetch(fail)
    ahead.aim_at(series[:1])
    assert begun.wait(WAIT_S)
    with pytest.raises(DicomError, match="cut short"):
        ahead.take(series[0])
    assert ahead.take(series[0]) is None
    ahead.close()


def test_more_than_the_limit_is_not_held(gate: Gate, series: tuple[SeriesSummary, ...]) -> None:
    gate.let(*series)
    one = series[0]
    mib = len(one) * one.rows * one.columns * 4 / 1024**2
    ahead = Prefetch(gate, max_mib=mib)
    ahead.aim_at((one, *series[1:]))
    gate.wait_started(1)
    assert ahead.take(one) is not None
    assert all(ahead.take(other) is None for other in series[1:])
    assert gate.started == [one]
    ahead.close()


def test_after_closing_nothing_more_is_begun(
    gate: Gate, ahead: Prefetch, series: tuple[SeriesSummary, ...]
) -> None:
    ahead.aim_at(series[:2])
    gate.wait_started(1)
    ahead.close()
    gate.let(*series)
    assert ahead.take(series[0]) is None
    assert gate.started == [series[0]]
