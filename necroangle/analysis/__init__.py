"""The outcomes of a study: visits on a time axis, changes, failure, medians and tests."""

from necroangle.analysis.course import Cohort, HipCourse, follow_courses
from necroangle.analysis.hips import HipOutcome, hip_outcomes
from necroangle.analysis.outcomes import Outcomes, outcomes_of
from necroangle.analysis.plan import FAILURE_RULES, OutcomePlan, VisitPlan, infer_visits
from necroangle.analysis.quantity import Quantity

__all__ = [
    "FAILURE_RULES",
    "Cohort",
    "HipCourse",
    "HipOutcome",
    "OutcomePlan",
    "Outcomes",
    "Quantity",
    "VisitPlan",
    "follow_courses",
    "hip_outcomes",
    "infer_visits",
    "outcomes_of",
]
