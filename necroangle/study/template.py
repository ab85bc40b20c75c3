"""The ``study.toml`` that ``necroangle init`` writes: every key with a line that explains it."""

__all__ = ["NOMINAL_MONTHS", "study_toml"]

NOMINAL_MONTHS = {
    "m00": (0, 90, 14),
    "m03": (3, 45, 45),
    "m06": (6, 45, 45),
    "m12": (12, 90, 90),
    "m24": (24, 180, 180),
    "m36": (36, 180, 180),
    "m48": (48, 180, 180),
    "m60": (60, 180, 180),
}
"""Visits of a new study: nominal months, days early, days late."""

_HEAD = """\
# A necroangle study. Commands run in this folder, or below it, need no further flags.
# Words that are not known here are refused, so a misspelt key never passes in silence.

format = "necroangle.study"
version = 1

# The study's id: letters, digits, dot, dash, single underscores.
study = "{study}"

# The measuring method whose angles the outcomes use (`necroangle measure --method`).
# MR: ha_mr_midslice, centre_plane, largest_slice, max_extent. Radiographs: kerboul_radiograph.
method = "{method}"

# Who reads. Empty: anyone may.
readers = [{readers}]

# The visit that later ones are compared with; its months are 0.
index_visit = "m00"

# The cohort table: a file in this folder, or a database URL such as
# "postgresql+psycopg://user@host/study". Never write a password here: set the environment
# variable NECROANGLE_COHORT_PASSWORD.
cohort = "cohort.sqlite"

# The study's secret: a file of random bytes from which the keys of exported images are made.
# Keep it, back it up apart from the exports, and give it to nobody. It may lie elsewhere.
secret = "secret.key"

# Events that the study records.
events = ["collapse", "radiographic_failure", "tha", "lost", "death"]

# Degrees of the combined angle.
[cut_offs]
# A change from the index visit larger than this is counted (doi 10.1007/s13770-024-00647-z).
# The measuring error's own limit (MDC95) is told beside it.
change_deg = 20.0
# Where Ha's grades 2, 3 and 4 begin; low risk up to, high risk from (doi 10.2106/JBJS.F.00535).
ha_grade_deg = [200.0, 250.0, 300.0]
ha_risk_deg = [190.0, 240.0]

# When a hip has failed on the radiograph. rule = "event": a recorded event; "reaches": a later
# visit reaches one of these ARCO stages, above the stage at the index visit; "auto": the events
# where there are any, else the stages; "collapse"; "arco_progression". Where tha is true, a hip
# that is replaced has failed, too.
[failure]
rule = "auto"
reaches = ["3B", "4"]
tha = true

# Codes in tables for a value that is missing, and what an empty cell says:
# "not done", "not readable" or "not applicable".
[missing]
not_applicable = -97
not_readable = -98
not_done = -99
empty = "not done"

# The visits, by months from the index date (30.4375 days each). A visit counts from before_days
# ahead of its day to after_days behind it; windows must not overlap.
"""

_VISIT = """
[[visits]]
name = "{name}"
months = {months}
before_days = {before}
after_days = {after}
"""


def study_toml(study: str, method: str, readers: tuple[str, ...] = ()) -> bytes:
    """The first ``study.toml`` of a study.

    Parameters
    ----------
    study, method, readers
        Names that are plain identifiers.

    Examples
    --------
    >>> from necroangle.study.config import decode_config
    >>> decode_config(study_toml("onfh", "ha_mr_midslice", ("r1",))).readers
    ('r1',)
    """
    words = ", ".join(f'"{reader}"' for reader in readers)
    head = _HEAD.format(study=study, method=method, readers=words)
    visits = (
        _VISIT.format(name=name, months=months, before=before, after=after)
        for name, (months, before, after) in NOMINAL_MONTHS.items()
    )
    return (head + "".join(visits)).encode()
