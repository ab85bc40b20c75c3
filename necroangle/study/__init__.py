"""The study folder: configuration, where things stand, and the secret."""

from necroangle.study.config import (
    DAYS_PER_MONTH,
    EVENTS,
    IDENTIFIER,
    CutOffs,
    Failure,
    Missing,
    StudyConfig,
    Visit,
    decode_config,
)
from necroangle.study.folder import (
    PASSWORD_VARIABLE,
    Study,
    cohort_here,
    find_study,
    init_study,
    open_study,
    study_here,
)

__all__ = [
    "DAYS_PER_MONTH",
    "EVENTS",
    "IDENTIFIER",
    "PASSWORD_VARIABLE",
    "CutOffs",
    "Failure",
    "Missing",
    "Study",
    "StudyConfig",
    "Visit",
    "cohort_here",
    "decode_config",
    "find_study",
    "init_study",
    "open_study",
    "study_here",
]
