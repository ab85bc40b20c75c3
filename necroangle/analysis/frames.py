"""The cohort as data frames: measured rows, and the hip visits of the analysis set."""

from pathlib import Path

import pandas as pd

from necroangle.analysis.printing import visit_rows
from necroangle.analysis.stored import analysis_of, rows_that_leave
from necroangle.ledger.store import CohortStore
from necroangle.ledger.table import frame_of
from necroangle.protocol.ending import VisitState
from necroangle.protocol.study import NO_STUDY, StudyProtocol
from necroangle.study import find_study


def load(place: Path | str, protocol: StudyProtocol | None = None) -> pd.DataFrame:
    """The measured rows, one per hip, visit, reader, read and method, ordered by key.

    After a replacement or death no angle, stage or type stands in a row: its views say
    ``prosthesis`` (``not_done`` after death), and ``visit_state`` says why.

    Parameters
    ----------
    place
        A file, or an SQLAlchemy URL.
    protocol
        The study's; by default that of the ``study.toml`` in the file's folder or above it.

    Returns
    -------
    DataFrame
        One column per column of the cohort, under its name in the table, and ``visit_state``.
        Every type has ``NA`` where there is nothing:

        - ``string``: free text, identifiers, lists of flags;
        - ``Int64``: counts and versions;
        - ``Float64``: angles, lengths, probabilities;
        - ``category``: words of a fixed list (side, view, status, method...);
        - ordered ``category``: ARCO stage, JIC type, Ha's grade (1 to 4) and risk, Kerboul's bins,
          ARCO 2021 type (1 to 3): ``frame[frame["arco"] >= "3A"]`` is the collapsed hips.

    Raises
    ------
    CohortError
        If there is no cohort table, or it cannot be read.

    Examples
    --------
    >>> load("nowhere.sqlite")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: nowhere.sqlite: there is no cohort table; ...
    """
    with CohortStore.open(place, create=False) as store:
        states = rows_that_leave(store, protocol or _protocol_of(place))
    frame = frame_of([row for row, _ in states])
    kind = pd.CategoricalDtype([state.value for state in VisitState])
    frame["visit_state"] = pd.Series([state.value for _, state in states], dtype=kind)
    return frame


def hip_visits(place: Path | str, protocol: StudyProtocol | None = None) -> pd.DataFrame:
    """The hip visits of the analysis set: the rows of ``necroangle outcome --table visits``.

    Parameters
    ----------
    place, protocol
        As for :func:`load`.

    Raises
    ------
    CohortError
        As :func:`load`, or if several methods are mixed and the protocol names none.
    """
    with CohortStore.open(place, create=False) as store:
        found = analysis_of(store, protocol or _protocol_of(place))
    return pd.DataFrame(visit_rows(one for course in found.courses for one in course.visits))


def _protocol_of(place: Path | str) -> StudyProtocol:
    """The protocol of the study folder that the file stands in; a URL says none."""
    study = None if "://" in str(place) else find_study(Path(place).parent)
    return NO_STUDY if study is None else study.protocol
