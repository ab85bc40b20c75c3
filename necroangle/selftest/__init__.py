"""The proof that an installed copy measures right: phantoms made on the fly, and their verdict."""

from necroangle.selftest.checks import Check, run_checks
from necroangle.selftest.clicks import Clicks, click_noise, dome_pressed_in, round_hip
from necroangle.selftest.phantoms import Family, Measure, true_angles_deg
from necroangle.selftest.simulation import Simulation, simulate

__all__ = [
    "Check",
    "Clicks",
    "Family",
    "Measure",
    "Simulation",
    "click_noise",
    "dome_pressed_in",
    "round_hip",
    "run_checks",
    "simulate",
    "true_angles_deg",
]
