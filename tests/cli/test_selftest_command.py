"""The self-test passes on this copy, and fails on every copy that is broken on purpose."""

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import inf

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

import necroangle.selftest
from necroangle.annotation import NO_ENTRIES, HipReading, PlaneRecord, ReadView
from necroangle.cli import cli
from necroangle.errors import RimError
from necroangle.measurement import (
    Estimate,
    HaGrade,
    HipMeasurement,
    Method,
    Settings,
    ViewMeasurement,
    measure_many,
)
from necroangle.selftest import Check, Clicks, run_checks, simulate
from necroangle.selftest.checks import TOLERANCE_DEG
from necroangle.selftest.clicks import round_hip
from necroangle.selftest.phantoms import Found, families

TRUTH = (
    "arcs of 10° to 350°",
    "tilted slices",
    "unequal row and column spacing",
    "mirrored: right and left, from behind",
    "all of these, slices off the centre",
    "radiographs, magnified",
)
GRADE = "Ha's grade and risk group: wrong"
SUNKEN = "collapsed by 2 mm"
COVERAGE = "noisy marks: coverage of the 95 % interval"
STATED = "noisy marks: stated error of marking / true error"


EVERY = {*TRUTH, GRADE, SUNKEN, COVERAGE, STATED}
REPEATS = 60


def test_this_copy_passes_and_the_command_says_so() -> None:
    command = [sys.executable, "-m", "necroangle", "selftest"]
    wide = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=wide)
    assert (done.returncode, done.stderr) == (0, "")
    assert "This copy measures right: all 10 checks passed." in done.stdout
    assert all(name in done.stdout for name in EVERY)
    assert "WRONG" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@dataclasses.dataclass(frozen=True)
class Broken:
    """Stands for ``measure_many``: something is broken before it, or after it."""

    before: Callable[[HipReading], HipReading] = lambda reading: reading
    after: Callable[[HipMeasurement], HipMeasurement] = lambda found: found
    found: Found | None = None

    def __call__(
        self, readings: Sequence[HipReading], method: Method | None, settings: Settings
    ) -> "Broken":
        found = measure_many(map(self.before, readings), method, settings)
        return dataclasses.replace(self, found=found)

    def __getitem__(self, place: int) -> HipMeasurement:
        assert self.found is not None
        return self.after(self.found[place])


def folded(found: HipMeasurement) -> HipMeasurement:
    """An angle tool that cannot pass 180 degrees."""

    def fold(view: ViewMeasurement | None) -> ViewMeasurement | None:
        if view is None or view.angle_deg <= 180:
            return view
        return dataclasses.replace(view, estimate=Estimate(360 - view.angle_deg, view.estimate.se))

    return dataclasses.replace(found, a=fold(found.a), b=fold(found.b))


def in_pixels(reading: HipReading) -> HipReading:
    """Angles between pixels, as if rows and columns were equally spaced."""

    def square(plane: PlaneRecord) -> PlaneRecord:
        return replace(plane, row_spacing_mm=1.0, column_spacing_mm=1.0)

    def flat(view: ReadView) -> ReadView:
        plane = square(view.plane).plane()

        def again(mark: object) -> object:
            return type(mark).at_pixel(plane, *mark.pixel)  # type: ignore[attr-defined]

        arcs = [type(arc)(*(again(m) for m in (arc.start, arc.end, arc.via))) for arc in view.arcs]  # type: ignore[arg-type]
        rim = tuple(again(mark) for mark in view.rim)
        return replace(view, plane=square(view.plane), rim=rim, arcs=tuple(arcs))

    views = [flat(view) if isinstance(view, ReadView) else view for view in reading.views]
    return replace(reading, views=(views[0], views[1]))


def shifted(found: HipMeasurement) -> HipMeasurement:
    """A sum that is a fiftieth of a degree too large, as no view is."""
    assert found.cna is not None
    return dataclasses.replace(
        found, cna=dataclasses.replace(found.cna, value=found.cna.value + 0.02)
    )


def too_sure(found: HipMeasurement) -> HipMeasurement:
    """Standard errors of half the true ones, with right angles."""
    assert found.cna is not None
    one = found.cna
    half = dataclasses.replace(one, se=0.4 * one.se, se_marking=0.5 * one.se_marking)
    return dataclasses.replace(found, cna=half)


def too_modest(found: HipMeasurement) -> HipMeasurement:
    """An error of marking of twice the true one, with a right interval."""
    assert found.cna is not None
    twice = dataclasses.replace(found.cna, se_marking=2 * found.cna.se_marking)
    return dataclasses.replace(found, cna=twice)


def graded_up(found: HipMeasurement) -> HipMeasurement:
    """Every hip of grade 2 called grade 3."""
    up = HaGrade.GRADE_3 if found.ha_grade is HaGrade.GRADE_2 else found.ha_grade
    return dataclasses.replace(found, ha_grade=up)


def blind_to_collapse(reading: HipReading) -> HipReading:
    """The sunken rim taken for the round head."""
    return replace(reading, entries=NO_ENTRIES)


def refusing(_: HipMeasurement) -> HipMeasurement:
    """No measurement at all."""
    raise RimError("broken on purpose")


@pytest.mark.parametrize(
    ("broken", "noticed", "silent"),
    [
        (Broken(after=folded), {TRUTH[0], TRUTH[4]}, {GRADE, SUNKEN}),
        (
            Broken(before=in_pixels),
            {TRUTH[2], TRUTH[4]},
            set(),
        ),  # no head is so large: others are refused
        (Broken(after=shifted), {*TRUTH, SUNKEN}, {GRADE}),
        (Broken(after=too_sure), {COVERAGE, STATED}, {*TRUTH, GRADE, SUNKEN}),
        (Broken(after=too_modest), {STATED}, {*TRUTH, GRADE, SUNKEN}),
        (Broken(after=graded_up), {GRADE}, {*TRUTH, SUNKEN}),
        (Broken(before=blind_to_collapse), {SUNKEN}, {*TRUTH, GRADE}),
        (Broken(after=refusing), EVERY, set()),
    ],
)
def test_a_broken_copy_is_noticed_for_what_is_broken(
    broken: Broken, noticed: set[str], silent: set[str]
) -> None:
    failed = {check.name for check in run_checks(broken, repeats=REPEATS) if not check.passed}
    assert noticed <= failed
    assert not silent & failed


def test_the_command_fails_on_a_broken_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_broken(**how: object) -> tuple[Check, ...]:
        return run_checks(Broken(after=shifted), repeats=10)

    monkeypatch.setattr(necroangle.selftest, "run_checks", run_broken)
    result = CliRunner().invoke(cli, ["selftest"])
    assert result.exit_code == 1
    assert re.search(r"tilted slices +16 +0\.0200\d\d° +up to 0\.01° +WRONG", result.output)
    assert "does NOT measure right: " in result.output


@pytest.mark.parametrize("found", [float("nan"), inf, -0.1, 1.1])
def test_a_number_outside_its_limits_does_not_pass(found: float) -> None:
    assert not Check("any", 1, found, 0.0, 1.0).passed


def every_true_angle() -> Iterator[float]:
    for family in families():
        for _, truth in family.cases:
            yield from truth


def test_the_phantoms_reach_from_10_to_350_degrees() -> None:
    angles = sorted(every_true_angle())
    assert angles[0] == pytest.approx(10.0, abs=TOLERANCE_DEG)
    assert angles[-1] == pytest.approx(350.0, abs=TOLERANCE_DEG)
    assert max(after - before for before, after in pairwise(angles)) <= 10.0


def test_the_phantoms_are_hard_in_the_ways_they_say() -> None:
    found = {family.name: family for family in families()}

    def planes(name: str) -> list[PlaneRecord]:
        return [
            view.plane
            for reading, _ in found[name].cases
            for view in reading.views
            if isinstance(view, ReadView)
        ]

    assert max(plane.plane().name().obliquity_deg for plane in planes(TRUTH[1])) > 20
    ratios = [plane.row_spacing_mm / plane.column_spacing_mm for plane in planes(TRUTH[2])]
    assert (min(ratios), max(ratios)) == (0.3 / 1.5, 1.2 / 0.4)
    assert all(
        plane.row_cosine[0] < -0.9 or plane.row_cosine[1] < -0.9 for plane in planes(TRUTH[3])
    )
    sides = {reading.laterality for reading, _ in found[TRUTH[3]].cases}
    assert len(sides) == 2


def test_noise_moves_every_mark_but_the_one_between_and_keeps_it_in_its_slice() -> None:
    from numpy.random import default_rng

    from necroangle.selftest import click_noise

    clicks = Clicks(220.0, 12, 0.5, 1.0)
    before = round_hip(clicks, 120.0)
    after = click_noise(before, clicks, default_rng(1))
    for old, new in zip(before.views, after.views, strict=True):
        assert isinstance(old, ReadView)
        assert isinstance(new, ReadView)
        plane = new.plane.plane()
        assert new.arcs[0].via == old.arcs[0].via
        moved = [*zip(old.rim, new.rim, strict=True), (old.arcs[0].start, new.arcs[0].start)]
        assert all(first != second for first, second in moved)
        for _, mark in moved:
            again = type(mark).at_pixel(plane, *mark.pixel)
            assert again.patient_mm == pytest.approx(mark.patient_mm, abs=1e-9)


def test_the_same_seed_gives_the_same_simulation() -> None:
    clicks = Clicks(220.0, 12, 0.5, 1.0)
    runs = [simulate(round_hip(clicks, 120.0), 240.0, clicks, 5, seed=3) for _ in range(2)]
    assert runs[0].errors_deg.tolist() == runs[1].errors_deg.tolist()
