"""The analysis set of a study and its outcomes: visits, changes, failure, medians and tests."""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.analysis.courses import AnalysisSet, HipCourse, analysis_set
    from necroangle.analysis.hips import HipOutcome, hip_outcomes
    from necroangle.analysis.outcomes import Outcomes, outcomes_of
    from necroangle.analysis.quantities import Quantity

__all__ = [
    "AnalysisSet",
    "HipCourse",
    "HipOutcome",
    "Outcomes",
    "Quantity",
    "analysis_set",
    "hip_outcomes",
    "outcomes_of",
]

__getattr__ = later(
    __name__,
    {
        ".courses": "AnalysisSet HipCourse analysis_set",
        ".hips": "HipOutcome hip_outcomes",
        ".outcomes": "Outcomes outcomes_of",
        ".quantities": "Quantity",
    },
)
