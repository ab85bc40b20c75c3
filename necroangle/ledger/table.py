"""The cohort table as a data frame, for analysis."""

from pathlib import Path

import pandas as pd

from necroangle.ledger.store import CohortStore
from necroangle.measurement.columns import COLUMNS, Column

__all__ = ["load"]

_DTYPES = {"text": "string", "whole": "Int64", "real": "Float64"}

_ORDERED = frozenset(
    {
        "ha_risk",
        "kerboul",
        "koo_kim_size_prov",
        "jic_type_prov",
        "collapse_arco",
        "collapse_jic",
        "arco",
        "jic",
    }
)
"""Columns whose allowed words rise in the order in which they are declared."""

_STEPS = {"ha_grade": (1, 2, 3, 4), "arco2021_type": (1, 2, 3)}
"""Columns of whole numbers that are steps, not amounts."""

_WORD_LISTS = frozenset({"a_flags", "b_flags", "flags", "index_refused"})
"""Columns that hold several of their allowed words, with spaces between."""


def load(place: Path | str) -> pd.DataFrame:
    """The whole cohort, one row per hip, visit, reader, read and method, ordered by key.

    Parameters
    ----------
    place
        A file, or an SQLAlchemy URL.

    Returns
    -------
    DataFrame
        One column per column of the cohort, under its name in the table. Every type has ``NA``
        where there is nothing:

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
    rows = CohortStore.open(place, create=False).rows()
    return pd.DataFrame(
        {
            column.name: pd.Series([row[column.name] for row in rows], dtype=_dtype(column))
            for column in COLUMNS
        }
    )


def _dtype(column: Column) -> str | pd.CategoricalDtype:
    if column.name in _STEPS:
        return pd.CategoricalDtype(list(_STEPS[column.name]), ordered=True)
    if column.kind == "text" and column.allowed and column.name not in _WORD_LISTS:
        return pd.CategoricalDtype(list(column.allowed), ordered=column.name in _ORDERED)
    return _DTYPES[column.kind]
