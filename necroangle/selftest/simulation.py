"""A hip marked again and again by an unsteady hand: its errors beside what is stated of them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading
from necroangle.errors import MethodError
from necroangle.measurement import Settings, measure_many
from necroangle.protocol.noise import EndNoise
from necroangle.selftest.clicks import Clicks, click_noise
from necroangle.selftest.phantoms import Measure


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Repeated measurements of one hip.

    Attributes
    ----------
    errors_deg
        (N,) measured less true combined angle, degrees.
    standard_errors_deg
        (N,) the standard error of marking that each measurement states, degrees.
    reaches_deg
        (N,) half the width of its 95 % interval, degrees.
    """

    errors_deg: NDArray[np.float64]
    standard_errors_deg: NDArray[np.float64]
    reaches_deg: NDArray[np.float64]

    @property
    def coverage(self) -> float:
        """Share of the 95 % intervals that hold the truth."""
        return float(np.mean(np.abs(self.errors_deg) <= self.reaches_deg))

    @property
    def stated_deg(self) -> float:
        """Root mean square of the stated standard errors, degrees."""
        return float(np.sqrt(np.mean(self.standard_errors_deg**2)))

    @property
    def se_ratio(self) -> float:
        """Stated standard error over the standard deviation of the errors."""
        return self.stated_deg / float(self.errors_deg.std(ddof=1))


def simulate(
    faultless: HipReading,
    true_cna_deg: float,
    clicks: Clicks,
    count: int,
    *,
    seed: int,
    measure: Measure = measure_many,
) -> Simulation:
    """Mark and measure one hip ``count`` times.

    The end-point noise is declared as it is; the rim's is left to the residuals.

    Parameters
    ----------
    faultless
        The hip, marked without error.
    true_cna_deg
        Its true combined angle, degrees.
    clicks
        How unsteady the hand is.
    count
        How many readings.
    seed
        Of the noise: the same seed gives the same readings.
    measure
        The measuring function on trial.

    Raises
    ------
    MethodError
        If it gives no combined angle.

    Examples
    --------
    >>> from necroangle.selftest import round_hip
    >>> clicks = Clicks(220.0, 12, 0.5, 0.5)
    >>> found = simulate(round_hip(clicks, 120.0), 240.0, clicks, 40, seed=1)
    >>> bool(2 < found.errors_deg.std() < 4), found.coverage > 0.8
    (True, True)
    """
    chance = np.random.default_rng(seed)
    settings = Settings(EndNoise(clicks.end_sd_mm, 0.0, math.inf, "simulation"))
    readings = [click_noise(faultless, clicks, chance) for _ in range(count)]
    found = measure(readings, None, settings)
    rows = []
    for place in range(count):
        cna = found[place].cna
        if cna is None:
            raise MethodError("a reading with both views gave no combined angle")
        low, high = cna.interval_95()
        rows.append((cna.value - true_cna_deg, cna.se_marking, (high - low) / 2))
    errors, stated, reaches = np.array(rows, float).reshape(-1, 3).T
    return Simulation(errors, stated, reaches)
