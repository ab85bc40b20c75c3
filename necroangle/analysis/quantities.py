"""A number of the study with its rule: a count, a median, a share with its exact interval."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from necroangle.analysis.hips import HipOutcome
from necroangle.errors import CohortError
from necroangle.statistics.intervals import clopper_pearson
from necroangle.terms import ArcoStage

QUANTILE_NAMES = {
    6: "quantiles of type 6, (n + 1) p, as SPSS",
    7: "quantiles of type 7, (n - 1) p + 1, as R, NumPy and Excel",
}
"""The two rules in use among statistical programs (Hyndman and Fan 1996)."""

_NUMPY_NAMES = {6: "weibull", 7: "linear"}

ALL = "all"
"""The group of all hips, or all patients."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of the study.

    Attributes
    ----------
    quantity, group
        Its name, and of whom: ``"all"``, ``"ARCO 2"``, a visit.
    n
        Hips, patients or pairs that it is about: the denominator of a count.
    value
        The count, median, share in percent, or P value; None where there is none, and ``words``
        say why.
    low, high
        Quartiles of a median, 95 % interval of a share; None where there are none.
    unit
        Unit of the value: ``"hips"``, ``"patients"``, ``"years"``, ``"deg"``, ``"%"``...
    method
        The rule or the test, in full.
    words
        What no number can say.
    """

    quantity: str
    group: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    unit: str
    method: str
    words: str = ""

    @property
    def text(self) -> str:
        """The number with its interval, as it is printed; what has none says why.

        Examples
        --------
        >>> count("events", ALL, 3, 22, "hips").text
        '3 of 22'
        >>> Quantity("cox", ALL, 22, 1.5, 0.9, 2.46, "ratio", "Cox").text
        '1.50 (0.90 to 2.46)'
        """
        if self.value is None:
            return self.words
        if self.unit == "P":
            return p_words(self.value)
        if self.unit in ("hips", "patients"):
            return f"{self.value:g} of {self.n}"
        return number_words(self.value, self.unit) + interval_words(self.low, self.high, self.unit)


def p_words(p: float) -> str:
    """A P value as it is printed.

    Examples
    --------
    >>> p_words(0.0519), p_words(1e-9)
    ('P = 0.052', 'P < 0.001')
    """
    return "P < 0.001" if p < 0.0005 else f"P = {p:.3f}"


_DIGITS = {"": 3, "area": 3, "ratio": 2, "years": 2, "needed": 0}
_UNITS = {"deg": "°", "deg²": "°²", "": "", "area": "", "ratio": "", "needed": ""}


def number_words(value: float, unit: str) -> str:
    """A number as it is printed, with as many digits as its unit bears.

    Parameters
    ----------
    value
        The number.
    unit
        As :attr:`Quantity.unit`; empty for a coefficient.

    Examples
    --------
    >>> number_words(12.345, "deg"), number_words(0.8123, ""), number_words(2.0, "years")
    ('12.3°', '0.812', '2.00 years')
    """
    return f"{value:.{_DIGITS.get(unit, 1)}f}{_UNITS.get(unit, f' {unit}')}"


def interval_words(low: float | None, high: float | None, unit: str) -> str:
    """An interval behind its number; nothing where there is none.

    Parameters
    ----------
    low, high
        Its bounds.
    unit
        As for :func:`number_words`.

    Examples
    --------
    >>> interval_words(10.0, 14.26, "deg"), interval_words(None, None, "deg")
    (' (10.0 to 14.3°)', '')
    """
    if low is None or high is None:
        return ""
    return f" ({low:.{_DIGITS.get(unit, 1)}f} to {number_words(high, unit)})"


def count(
    quantity: str, group: str, number: int, total: int, unit: str, method: str = "count"
) -> Quantity:
    """A count among ``total``."""
    return Quantity(quantity, group, total, number, None, None, unit, method)


def unknown(quantity: str, group: str, total: int, unit: str, method: str, words: str) -> Quantity:
    """A quantity that has no value, and why."""
    return Quantity(quantity, group, total, None, None, None, unit, method, words)


def spread(
    quantity: str,
    group: str,
    values: Iterable[float | None],
    unit: str,
    kind: int,
    method: str = "",
) -> Quantity:
    """Median with quartiles of the values that are there.

    Examples
    --------
    >>> one = spread("age", ALL, [30.0, 40.0, None], "years", 7)
    >>> one.n, one.value, one.low, one.high
    (2, 35.0, 32.5, 37.5)
    >>> spread("age", ALL, [], "years", 7).words
    'nothing recorded'
    """
    said = "; ".join(
        part for part in (f"median, quartiles: {QUANTILE_NAMES[kind]}", method) if part
    )
    found = quartiles(values, kind)
    if found is None:
        return unknown(quantity, group, 0, unit, said, "nothing recorded")
    return Quantity(quantity, group, found.count, found.median, found.low, found.high, unit, said)


def rate(quantity: str, group: str, events: int, total: int, method: str) -> Quantity:
    """A share in percent with its exact interval.

    Examples
    --------
    >>> one = rate("failure", "ARCO 2", 2, 14, "rule")
    >>> round(one.value, 1), round(one.low, 1), round(one.high, 1)
    (14.3, 1.8, 42.8)
    >>> rate("failure", "ARCO 2", 0, 0, "rule").words
    'no hip can be judged'
    """
    said = f"{method}; {CLOPPER_PEARSON}"
    interval = clopper_pearson(events, total)
    if interval is None:
        return unknown(quantity, group, 0, "%", said, "no hip can be judged")
    low, high = (100.0 * bound for bound in interval)
    return Quantity(quantity, group, total, 100.0 * events / total, low, high, "%", said)


def by_stage(
    hips: Sequence[HipOutcome], keep: Callable[[HipOutcome], bool] = lambda _: True
) -> Iterator[tuple[str, list[HipOutcome]]]:
    """All hips, then those of each ARCO stage at the baseline, those of unknown stage last.

    A group stands there if the cohort has a hip in it, whether or not ``keep`` keeps one.
    """
    yield ALL, [hip for hip in hips if keep(hip)]
    for stage in (*ArcoStage, None):
        own = [hip for hip in hips if hip.arco_baseline == stage]
        if own:
            name = f"ARCO {stage}" if stage else "ARCO not known"
            yield name, [hip for hip in own if keep(hip)]


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Median with the quartiles beside it, in the unit of the values.

    Attributes
    ----------
    count
        How many values.
    median, low, high
        The 50th, 25th and 75th percentile.
    """

    count: int
    median: float
    low: float
    high: float


def quartiles(values: Iterable[float | None], kind: int = 7) -> Quartiles | None:
    """Median and quartiles of the values that are there; None where there is none.

    Parameters
    ----------
    values
        Values in any order; None is left out.
    kind
        Type of the quantile, 7 or 6.

    Raises
    ------
    CohortError
        If the kind is another.

    References
    ----------
    R. J. Hyndman, Y. Fan, Am Stat 50 (1996) 361, doi 10.1080/00031305.1996.10473566.

    Examples
    --------
    >>> quartiles([4.0, None, 1.0, 2.0, 3.0])
    Quartiles(count=4, median=2.5, low=1.75, high=3.25)
    >>> quartiles([4.0, 1.0, 2.0, 3.0], 6).low
    1.25
    >>> quartiles([None]) is None
    True
    """
    import numpy as np  # loaded where a median is asked for

    if kind not in QUANTILE_NAMES:
        raise CohortError(f"quantiles are of type 6 or 7, found {kind!r}")
    known = [value for value in values if value is not None]
    if not known:
        return None
    method: Any = _NUMPY_NAMES[kind]
    low, median, high = np.quantile(np.array(known, float), (0.25, 0.5, 0.75), method=method)
    return Quartiles(len(known), float(median), float(low), float(high))


CLOPPER_PEARSON = "Clopper-Pearson exact 95 % interval, hips counted as independent"
