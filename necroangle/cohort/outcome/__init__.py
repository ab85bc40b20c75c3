"""The outcomes of a study: visits on a time axis, changes, failure, medians and tests."""

from necroangle.cohort.outcome.course import Cohort, HipCourse, follow_courses
from necroangle.cohort.outcome.hips import HipOutcome, hip_outcomes
from necroangle.cohort.outcome.outcomes import Outcomes, outcomes_of
from necroangle.cohort.outcome.plan import FAILURE_RULES, OutcomePlan, VisitPlan, infer_visits
from necroangle.cohort.outcome.quantity import Quantity

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
