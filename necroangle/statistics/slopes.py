"""A number over time, by hips of patients: mixed model and estimating equations (extra stats).

Both are fitted by statsmodels, which is loaded here alone and only when a slope is asked for.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.errors import CohortError
from necroangle.extras import extra_module
from necroangle.statistics.intervals import Interval

Floats = NDArray[np.float64]
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Slope:
    """How a number changes by unit of time.

    Attributes
    ----------
    intercept, value, se, interval, p
        Level at time 0, change by unit with its error, 95 % interval and P value (normal); None
        where there is none, and ``words`` say why.
    variances
        Of a mixed model: by name, in squared units; ``repeat`` is what is left.
    correlation
        Of estimating equations: of two numbers of one patient.
    words
        What no number can say.
    """

    intercept: float | None
    value: float | None
    se: float | None
    interval: Interval | None
    p: float | None
    variances: dict[str, float]
    correlation: float | None = None
    words: str = ""


def mixed_slope(
    values: ArrayLike,
    times: ArrayLike,
    hips: Sequence[object],
    patients: Sequence[object],
    *,
    with_slopes: bool = False,
) -> Slope:
    """Slope by a linear mixed model: random levels of patients and of hips within them (REML).

    Parameters
    ----------
    values, times
        The number and its time, shape (n,).
    hips, patients
        Of each number. Where no patient has two hips, hips alone have random levels.
    with_slopes
        Whether each patient has a random slope, too, correlated with the level.

    Raises
    ------
    CohortError
        If statsmodels is not installed, or a number is missing.

    References
    ----------
    N. M. Laird, J. H. Ware, Biometrics 38 (1982) 963, doi 10.2307/2529876.
    """
    y, x, words = _checked(values, times, hips)
    if words:
        return _nothing(words)
    models = _statsmodels().MixedLM
    people = np.array([str(one) for one in patients])
    names = np.array([str(one) for one in hips])
    own = sorted(set(people))
    spec = _hips_within(names, people, own) if len(set(names)) > len(own) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        levels = x if with_slopes else x[:, :1]
        model = models(y, x, groups=people, exog_re=levels, exog_vc=spec)
        try:
            found = model.fit(reml=True, method=["lbfgs", "powell"])
        except (np.linalg.LinAlgError, ValueError):
            return _nothing("the mixed model has no answer")
    if not np.isfinite(found.bse_fe).all():
        return _nothing("the mixed model has no answer")
    level = np.asarray(found.cov_re)
    variances = {"patient" if spec is not None else "hip": float(level[0, 0])}
    if with_slopes:
        variances |= {"slope": float(level[1, 1]), "level x slope": float(level[0, 1])}
    if spec is not None:
        variances["hip"] = float(found.vcomp[0])
    variances["repeat"] = float(found.scale)
    return _slope(found.fe_params, found.bse_fe, variances, None)


def _hips_within(names: NDArray[Any], people: NDArray[Any], own: Sequence[str]) -> Any:
    """Which hip each number of a patient belongs to, for statsmodels."""
    from statsmodels.regression.mixed_linear_model import VCSpec

    tables, columns = [], []
    for one in own:
        some = names[people == one]
        levels = sorted(set(some))
        tables.append((some[:, None] == np.array(levels)).astype(float))
        columns.append(levels)
    return VCSpec(["hip"], [columns], [tables])


def estimating_slope(values: ArrayLike, times: ArrayLike, patients: Sequence[object]) -> Slope:
    """Slope by generalised estimating equations, exchangeable, errors robust to patients.

    Parameters and errors as :func:`mixed_slope`.

    References
    ----------
    K.-Y. Liang, S. L. Zeger, Biometrika 73 (1986) 13, doi 10.1093/biomet/73.1.13.
    """
    y, x, words = _checked(values, times, patients)
    if words:
        return _nothing(words)
    library = _statsmodels()
    people = np.array([str(one) for one in patients])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = library.cov_struct.Exchangeable()
        found = library.GEE(y, x, groups=people, cov_struct=structure).fit()
    return _slope(found.params, found.bse, {}, float(structure.dep_params))


def _checked(
    values: ArrayLike, times: ArrayLike, groups: Sequence[object]
) -> tuple[Floats, Floats, str]:
    y, t = np.asarray(values, float), np.asarray(times, float)
    if y.shape != t.shape or len(y) != len(groups) or not np.isfinite(np.stack([y, t])).all():
        raise CohortError("a slope needs a number, a time and a hip each, none missing")
    x = np.column_stack([np.ones(len(t)), t])
    if len(set(groups)) < 3 or len(y) <= len(set(groups)) or not np.ptp(t) > 0:
        return y, x, "fewer than three hips that were followed: no slope"
    return y, x, "" if np.ptp(y) > 0 else "all numbers are equal: no slope"


def _nothing(words: str) -> Slope:
    return Slope(None, None, None, None, None, {}, None, words)


def _slope(
    beta: Sequence[float], se: Sequence[float], variances: dict[str, float], rho: float | None
) -> Slope:
    from scipy.special import ndtr

    value, error = float(beta[1]), float(se[1])
    interval = (value - _Z * error, value + _Z * error)
    p = float(2.0 * ndtr(-abs(value) / error)) if error > 0 else None
    return Slope(float(beta[0]), value, error, interval, p, variances, rho)


def _statsmodels() -> Any:
    return extra_module("stats", "statsmodels.api", "a slope", CohortError)
