"""The cohort table as a data frame, for analysis."""

from pathlib import Path

import pandas as pd

from necroangle.cohort.columns import COLUMNS
from necroangle.cohort.store import CohortStore

__all__ = ["load"]

_DTYPES = {"text": "string", "whole": "Int64", "real": "float64"}


def load(place: Path | str) -> pd.DataFrame:
    """The whole cohort, one row per hip, visit, reader, read and method, ordered by key.

    Text columns are ``string`` and whole numbers ``Int64``, both with ``NA`` where there is
    nothing; real numbers are ``float64`` with ``NaN``.

    Parameters
    ----------
    place
        A file, or an SQLAlchemy URL.

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
    rows = CohortStore.open(place, create=False).rows()
    return pd.DataFrame(
        {
            column.name: pd.Series([row[column.name] for row in rows], dtype=_DTYPES[column.kind])
            for column in COLUMNS
        }
    )
