"""From a reading to its angles: pure functions, no image, no file, no screen."""

from necroangle.measurement.change import HipChange, ViewChange, change_between
from necroangle.measurement.estimate import Estimate
from necroangle.measurement.grades import (
    HaGrade,
    HaRisk,
    KerboulBin,
    ha_grade,
    ha_risk,
    kerboul_bin,
)
from necroangle.measurement.head import Misplaced
from necroangle.measurement.judge import HeadJudge
from necroangle.measurement.measure import HipMeasurement, measure
from necroangle.measurement.method import METHODS, Method, default_method, method_named
from necroangle.measurement.repeats import settings_from_repeats
from necroangle.measurement.rounding import show_deg, stored_deg
from necroangle.measurement.settings import DEFAULTS, RadiusPrior, Settings
from necroangle.measurement.view import ViewMeasurement, head_circle, measure_view, view_arcs

__all__ = [
    "DEFAULTS",
    "METHODS",
    "Estimate",
    "HaGrade",
    "HaRisk",
    "HeadJudge",
    "HipChange",
    "HipMeasurement",
    "KerboulBin",
    "Method",
    "Misplaced",
    "RadiusPrior",
    "Settings",
    "ViewChange",
    "ViewMeasurement",
    "change_between",
    "default_method",
    "ha_grade",
    "ha_risk",
    "head_circle",
    "kerboul_bin",
    "measure",
    "measure_view",
    "method_named",
    "settings_from_repeats",
    "show_deg",
    "stored_deg",
    "view_arcs",
]
