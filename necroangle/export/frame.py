"""The data frames that the writers of SPSS, Stata and SAS files take."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from necroangle.errors import CohortError
from necroangle.export.missing import Missing
from necroangle.export.model import ExportTable

__all__ = ["writer_frame"]

_CODES = [float(reason.code) for reason in Missing]
_NAN = float("nan")


def writer_frame(
    table: ExportTable, *, missing_codes: bool, text: Callable[[str], str], epoch: date
) -> pd.DataFrame:
    """Numbers and dates as float64, texts as objects.

    Parameters
    ----------
    table
        The table.
    missing_codes
        Whether a missing number becomes its code (-97...), else NaN. A real number that is one of
        the codes by chance then moves by its last binary digit, so that no value reads as missing.
    text
        What becomes of every text.
    epoch
        A date is the number of days since it, NaN where it is missing.

    Raises
    ------
    CohortError
        If a whole number is one of the codes for missing.
    """
    series = {
        column.name: _series(table, place, missing_codes, text, epoch)
        for place, column in enumerate(table.columns)
    }
    return pd.DataFrame(series)


def _series(
    table: ExportTable, place: int, missing_codes: bool, text: Callable[[str], str], epoch: date
) -> Any:
    kind = table.columns[place].kind
    if kind == "text":
        shown = table.filled(place, dict.fromkeys(Missing, ""))
        return pd.Series(shown if text is str else list(map(text, shown)), dtype=object)
    if kind == "date":
        days = table.filled(place, dict.fromkeys(Missing, _NAN))
        return pd.Series([d if d is _NAN else (d - epoch).days for d in days], dtype=np.float64)
    return pd.Series(_numbers(table, place) if missing_codes else _plain(table, place))


def _plain(table: ExportTable, place: int) -> NDArray[np.float64]:
    return np.array(table.filled(place, dict.fromkeys(Missing, _NAN)), dtype=np.float64)


def _numbers(table: ExportTable, place: int) -> NDArray[np.float64]:
    """The numbers with codes for what is missing."""
    column, numbers = table.columns[place], _plain(table, place)
    clash = np.flatnonzero(np.isin(numbers, _CODES))
    if clash.size and column.kind == "whole":
        raise CohortError(
            f"column {column.name}: {numbers[clash[0]]:g} is a value, and the code of a missing "
            "value in SPSS"
        )
    numbers[clash] = np.nextafter(numbers[clash], 0.0)
    for reason, rows in table.gaps[place].items():
        numbers[rows] = reason.code
    return numbers
