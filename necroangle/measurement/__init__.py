"""From a reading to its angles: pure functions, no image, no file, no screen."""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.measurement.arcs import view_arcs
    from necroangle.measurement.change import HipChange, ViewChange, change_between
    from necroangle.measurement.grades import (
        NO_NECROSIS,
        HaGrade,
        HaRisk,
        KerboulBin,
        ha_grade,
        ha_risk,
        is_without_necrosis,
        kerboul_bin,
        show_deg,
        stored_deg,
    )
    from necroangle.measurement.heads import HeadJudge, head_circle
    from necroangle.measurement.measuring import (
        HipMeasurement,
        Measured,
        ViewMeasurement,
        measure,
        measure_draft,
        measure_many,
    )
    from necroangle.measurement.method import (
        DEFAULTS,
        METHODS,
        Method,
        RadiusPrior,
        Settings,
        method_named,
    )
    from necroangle.measurement.misplaced import Misplaced
    from necroangle.measurement.repeats import settings_from_repeats
    from necroangle.measurement.uncertainty import Estimate

__all__ = [
    "DEFAULTS",
    "METHODS",
    "NO_NECROSIS",
    "Estimate",
    "HaGrade",
    "HaRisk",
    "HeadJudge",
    "HipChange",
    "HipMeasurement",
    "KerboulBin",
    "Measured",
    "Method",
    "Misplaced",
    "RadiusPrior",
    "Settings",
    "ViewChange",
    "ViewMeasurement",
    "change_between",
    "ha_grade",
    "ha_risk",
    "head_circle",
    "is_without_necrosis",
    "kerboul_bin",
    "measure",
    "measure_draft",
    "measure_many",
    "method_named",
    "settings_from_repeats",
    "show_deg",
    "stored_deg",
    "view_arcs",
]

__getattr__ = later(
    __name__,
    {
        ".arcs": "view_arcs",
        ".change": "HipChange ViewChange change_between",
        ".grades": (
            "NO_NECROSIS HaGrade HaRisk KerboulBin ha_grade ha_risk is_without_necrosis "
            "kerboul_bin show_deg stored_deg"
        ),
        ".heads": "HeadJudge head_circle",
        ".measuring": "HipMeasurement Measured ViewMeasurement measure measure_draft measure_many",
        ".method": "DEFAULTS METHODS Method RadiusPrior Settings method_named",
        ".misplaced": "Misplaced",
        ".repeats": "settings_from_repeats",
        ".uncertainty": "Estimate",
    },
)
