"""The study that a command is called in: what is kept of a study needs one."""

from necroangle.errors import CohortError
from necroangle.study import Study, study_here


def the_study() -> Study:
    """The study that the working directory belongs to.

    Raises
    ------
    CohortError
        If it belongs to none.
    """
    study = study_here()
    if study is None:
        raise CohortError("no study here: go to its folder (the one with study.toml)")
    return study
