"""What is proved, and the verdict: each check is one number and the limits it must keep."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from necroangle.annotation import HipReading, decode_reading, encode_reading
from necroangle.errors import NecroangleError
from necroangle.measurement import HipMeasurement, Settings, measure_many
from necroangle.measurement.grades import HA_GRADES, HA_RISKS
from necroangle.selftest.clicks import Clicks, dome_pressed_in, round_hip
from necroangle.selftest.phantoms import Family, Found, Measure, families
from necroangle.selftest.simulation import Simulation, simulate
from necroangle.terms import ArcoStage

TOLERANCE_DEG = 0.01
"""Marks at the truth must give the true angle within this."""

_SEED = 20260101
_SUNKEN_MM = 2.0
_HANDS = (
    (Clicks(220.0, 12, 0.5, 0.5), 120.0),
    (Clicks(220.0, 12, 0.5, 1.0), 120.0),
    (Clicks(180.0, 5, 0.5, 1.0), 120.0),
    (Clicks(120.0, 30, 0.5, 0.5), 100.0),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was proved, or not.

    Attributes
    ----------
    name
        What was tried.
    count
        On how many readings.
    found
        The number that came out; not a number or infinite where nothing could be measured.
    least, most
        What it must lie between.
    unit
        ``"°"`` for an angle; empty for a count or a ratio.

    Examples
    --------
    >>> Check("tilted slices", 32, 0.000004, 0.0, 0.01, "°").passed
    True
    >>> Check("tilted slices", 32, float("nan"), 0.0, 0.01, "°").passed
    False
    """

    name: str
    count: int
    found: float
    least: float
    most: float
    unit: str = ""

    @property
    def passed(self) -> bool:
        """Whether the number keeps its limits."""
        return self.least <= self.found <= self.most


def run_checks(
    measure: Measure = measure_many,
    *,
    repeats: int = 250,
    on_check: Callable[[Check], None] | None = None,
) -> tuple[Check, ...]:
    """Prove a measuring function on phantoms with known truth.

    The phantoms and the noise are the same at every run. Each reading passes through its file
    format on the way.

    Parameters
    ----------
    measure
        The function on trial: by default this copy's own.
    repeats
        Noisy readings for each of four hands.
    on_check
        Called with each check when it is done.

    Returns
    -------
    tuple[Check, ...]
        The copy measures right when every one has passed.

    Examples
    --------
    >>> checks = run_checks(repeats=100)
    >>> [check.name for check in checks if not check.passed]
    []
    """
    done = []
    for check in _all_checks(measure, repeats):
        done.append(check)
        if on_check is not None:
            on_check(check)
    return tuple(done)


def _all_checks(measure: Measure, repeats: int) -> Iterator[Check]:
    wrong = graded = 0
    for family in families(_SEED):
        found = _measured([reading for reading, _ in family.cases], measure)
        yield _angle_check(family, found)
        pairs = list(zip(found, family.cases, strict=True))
        mr = [(one, sum(truth)) for one, (reading, truth) in pairs if not reading.is_radiograph]
        graded += len(mr)
        wrong += sum(not _right_category(one, truth) for one, truth in mr)
    yield Check("Ha's grade and risk group: wrong", graded, wrong, 0, 0)
    yield _collapse_check(measure)
    yield from _noise_checks(measure, repeats)


def _measured(readings: Sequence[HipReading], measure: Measure) -> list[HipMeasurement | None]:
    """The measurements of readings that have been written and read; None where one is refused."""
    found = measure([decode_reading(encode_reading(one)) for one in readings], None, Settings())
    return [_one_of(found, place) for place in range(len(readings))]


def _one_of(found: Found, place: int) -> HipMeasurement | None:
    try:
        return found[place]
    except NecroangleError:
        return None


def _angle_check(family: Family, found: list[HipMeasurement | None]) -> Check:
    worst = max(
        _worst_error_deg(one, truth) for one, (_, truth) in zip(found, family.cases, strict=True)
    )
    return Check(family.name, len(found), worst, 0.0, TOLERANCE_DEG, "°")


def _worst_error_deg(found: HipMeasurement | None, truth: tuple[float, float]) -> float:
    """Largest error of A, B and their sum; infinite where one is missing."""
    if found is None or found.a is None or found.b is None or found.cna_deg is None:
        return math.inf
    angles = (found.a.angle_deg, found.b.angle_deg, found.cna_deg)
    errors = [abs(angle - true) for angle, true in zip(angles, (*truth, sum(truth)), strict=True)]
    return max(error if math.isfinite(error) else math.inf for error in errors)


def _right_category(found: HipMeasurement | None, truth_deg: float) -> bool:
    """Whether grade and risk are those of the true angle, or this lies too near a cut to say.

    A hip without necrosis has neither.
    """
    if found is None or found.cna_deg is None:
        return False
    if found.no_necrosis:
        return (found.ha_grade, found.ha_risk, found.kerboul) == (None, None, None)
    if min(abs(truth_deg - cut) for cut in (*HA_GRADES.cuts, *HA_RISKS.cuts)) <= TOLERANCE_DEG:
        return True
    return (found.ha_grade, found.ha_risk) == (HA_GRADES.of(truth_deg), HA_RISKS.of(truth_deg))


def _collapse_check(measure: Measure) -> Check:
    """A dome pressed in by 2 mm: the circle must be that of the head before it collapsed."""
    clicks = Clicks(260.0, 18, 0.0, 0.0)
    angles = [float(angle) for angle in range(60, 181, 20)]
    whole = [round_hip(clicks, angle, arco=ArcoStage.STAGE_3B) for angle in angles]
    pressed = [dome_pressed_in(one, _SUNKEN_MM) for one in whole]
    found = [
        _worst_error_deg(one, (angle, angle))
        for one, angle in zip(_measured(pressed, measure), angles, strict=True)
    ]
    return Check("collapsed by 2 mm", len(found), max(found), 0.0, TOLERANCE_DEG, "°")


def _noise_checks(measure: Measure, repeats: int) -> Iterator[Check]:
    """An unsteady hand on a round head: the interval holds, the error of marking is as stated."""
    runs = [
        _simulated(clicks, angle, repeats, _SEED + number, measure)
        for number, (clicks, angle) in enumerate(_HANDS)
    ]
    whole = [run for run in runs if run is not None]
    usable = len(whole) == len(runs)
    coverage = sum(run.coverage for run in whole) / len(runs) if usable else math.nan
    ratio = math.prod(run.se_ratio for run in whole) ** (1 / len(runs)) if usable else math.nan
    count = repeats * len(runs)
    yield Check("noisy marks: coverage of the 95 % interval", count, coverage, 0.95, 1.0)
    yield Check("noisy marks: stated error of marking / true error", count, ratio, 0.95, 1.2)


def _simulated(
    clicks: Clicks, angle_deg: float, repeats: int, seed: int, measure: Measure
) -> Simulation | None:
    try:
        return simulate(
            round_hip(clicks, angle_deg),
            2 * angle_deg,
            clicks,
            repeats,
            seed=seed,
            measure=measure,
        )
    except NecroangleError:
        return None
