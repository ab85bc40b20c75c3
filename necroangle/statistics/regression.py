"""Regression of time to event: Cox, and Fine and Gray's beside competing events.

Both are one likelihood: at each event, the hip that has it among those at risk, each with a weight.
A hip that has had a competing event stays at risk for Fine and Gray, with the weight that it would
still be observed. The errors are robust to patients with two hips.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.errors import CohortError
from necroangle.statistics.intervals import Interval
from necroangle.statistics.survival import GroupTest, Times

Floats = NDArray[np.float64]
_Z = 1.959963984540054
_STEPS = 50
_NO_BOUND = 15.0
"""A log hazard ratio by standard deviation beyond this is on its way to infinity."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The effect of one covariate.

    Attributes
    ----------
    name
        Of the covariate.
    beta, se, robust_se
        Log hazard ratio by unit of the covariate, its error with hips independent, and the one
        robust to patients.
    p
        Two-sided, by the robust error.
    """

    name: str
    beta: float
    se: float
    robust_se: float
    p: float

    @property
    def ratio(self) -> float:
        """Hazard ratio by unit."""
        return float(np.exp(self.beta))

    @property
    def interval(self) -> Interval:
        """Its 95 % interval, by the robust error."""
        low, high = np.exp(self.beta + np.array([-_Z, _Z]) * self.robust_se)
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Hazards:
    """A fitted model.

    Attributes
    ----------
    coefficients
        One for each covariate.
    events, hips, patients
        How many of each.
    words
        Empty, or why the model has no answer.
    """

    coefficients: tuple[Coefficient, ...]
    events: int
    hips: int
    patients: int
    words: str = ""


def cox(
    data: Times,
    covariates: ArrayLike,
    names: Sequence[str],
    patients: Sequence[object] | None = None,
    ties: Literal["efron", "breslow"] = "efron",
) -> Hazards:
    """Cox's regression; what competes counts as the end of observation.

    Parameters
    ----------
    data
        Times and events.
    covariates
        Shape (hips, covariates).
    names
        Of the covariates.
    patients
        The patient of each hip, for the robust error; None for one each.
    ties
        How events at one time are taken.

    Raises
    ------
    CohortError
        If the shapes do not fit, or a covariate is missing or constant.

    References
    ----------
    D. R. Cox, J R Stat Soc B 34 (1972) 187, doi 10.1111/j.2517-6161.1972.tb00899.x;
    D. Y. Lin, L. J. Wei, J Am Stat Assoc 84 (1989) 1074, doi 10.1080/01621459.1989.10478874.

    Examples
    --------
    >>> data = Times.of([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> found = cox(data, [[1], [1], [1], [0], [1], [0], [0], [0]], ["large"])
    >>> found.events, round(found.coefficients[0].beta, 3)
    (5, 1.872)
    """
    alone = data.alone
    times = np.unique(alone.times[alone.events == 1])
    weights = (alone.times >= times[:, None]).astype(float)
    return _fitted(alone, covariates, names, patients, times, weights, efron=ties == "efron")


def fine_gray(
    data: Times,
    covariates: ArrayLike,
    names: Sequence[str],
    patients: Sequence[object] | None = None,
) -> Hazards:
    """Fine and Gray's regression of the cumulative incidence beside competing events.

    The weights are one Kaplan-Meier curve of the end of observation; its own error is left out of
    the robust error, as R's ``survival::finegray`` leaves it out. Ties are taken as Breslow's.
    Parameters and errors as :func:`cox`.

    References
    ----------
    J. P. Fine, R. J. Gray, J Am Stat Assoc 94 (1999) 496, doi 10.1080/01621459.1999.10474144;
    B. Zhou et al., Biostatistics 13 (2012) 371, doi 10.1093/biostatistics/kxr032 (patients).

    Examples
    --------
    Without competing events it is Cox's.

    >>> data = Times.of([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 1, 0])
    >>> large = [[1], [1], [1], [0], [1], [0], [0], [0]]
    >>> one, other = (model(data, large, ["large"]).coefficients[0] for model in (cox, fine_gray))
    >>> abs(one.beta - other.beta) < 1e-9
    True
    """
    times, weights = _competing_weights(data)
    return _fitted(data, covariates, names, patients, times, weights, efron=False)


def groups_by_patients(
    data: Times, groups: Sequence[object], patients: Sequence[object], *, competing: bool
) -> GroupTest:
    """Whether groups differ, where two hips of a patient are not independent.

    The score of Cox's model (the log-rank test's), or of Fine and Gray's beside competing events,
    with its covariance by patients. Few patients make it conservative or unstable: with fewer
    patients than twice the groups there is no test.

    Parameters
    ----------
    data
        Times and events.
    groups, patients
        The group and the patient of each hip.
    competing
        Whether the cumulative incidence is compared, as Gray's test does.

    References
    ----------
    E. W. Lee, L. J. Wei, D. A. Amato, in Survival Analysis: State of the Art (1992) 237;
    B. Zhou et al., Biostatistics 13 (2012) 371, doi 10.1093/biostatistics/kxr032.

    Examples
    --------
    The same hip twice says nothing new: the plain tests believe that it does.

    >>> times, events = [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 0, 1, 1, 0, 0]
    >>> one = Times.of(times, events)
    >>> twice = Times.of(times * 2, events * 2)
    >>> people = list(range(8))
    >>> alone = groups_by_patients(one, "aaaabbbb", people, competing=False)
    >>> doubled = groups_by_patients(twice, "aaaabbbb" * 2, people * 2, competing=False)
    >>> abs(alone.chi2 - doubled.chi2) < 1e-9
    True
    """
    from scipy.special import chdtrc

    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        return GroupTest(None, 0, None, "a test needs two groups")
    dof = len(names) - 1
    if len(set(patients)) < 2 * len(names):
        return GroupTest(None, dof, None, "too few patients for a test by patients")
    own = data if competing else data.alone
    times = np.unique(own.times[own.events == 1])
    weights = (own.times >= times[:, None]).astype(float)
    if competing:
        times, weights = _competing_weights(own)
    x = np.array([[float(one == name) for name in names[1:]] for one in groups])
    found = _likelihood(own, x, np.zeros(dof), times, weights, efron=False)
    sums = _by_patient(found.residuals, patients)
    covariance = sums.T @ sums
    if not len(times) or np.linalg.matrix_rank(covariance) != dof:
        return GroupTest(None, dof, None, "no events to compare")
    chi2 = float(found.score @ np.linalg.solve(covariance, found.score))
    name = "Fine and Gray's" if competing else "Cox's (log-rank)"
    return GroupTest(chi2, dof, float(chdtrc(dof, chi2)), f"{name} score test robust to patients")


def _by_patient(residuals: Floats, patients: Sequence[object]) -> Floats:
    place = {name: number for number, name in enumerate(dict.fromkeys(patients))}
    sums = np.zeros((len(place), residuals.shape[1]))
    np.add.at(sums, [place[one] for one in patients], residuals)
    return sums


def _competing_weights(data: Times) -> tuple[Floats, Floats]:
    """Times of events, and the weight of each hip at each: who has competed may stay at risk."""
    times = np.unique(data.times[data.events == 1])
    weights = (data.times >= times[:, None]).astype(float)
    observed = _still_observed(data)
    gone = data.events > 1
    at_own = observed(data.times)
    later = (data.times < times[:, None]) & gone
    shares = observed(times)[:, None] / np.where(at_own > 0, at_own, 1.0)
    return times, np.where(later, shares, weights)


def _still_observed(data: Times) -> Callable[[Floats], Floats]:
    """Share of hips still observed just before a time, were there no events."""
    ends = np.unique(data.times[data.events == 0])
    # an event at the time of an end of observation comes before it
    after = np.where(data.events == 0, data.times, np.nextafter(data.times, -np.inf))
    risk = np.array([(after >= end).sum() for end in ends], float)
    lost = np.array([((data.times == end) & (data.events == 0)).sum() for end in ends], float)
    values = np.concatenate([[1.0], np.cumprod(1.0 - lost / np.maximum(risk, 1.0))])
    return lambda at: values[np.searchsorted(ends, at, side="left")]


def _fitted(
    data: Times,
    covariates: ArrayLike,
    names: Sequence[str],
    patients: Sequence[object] | None,
    times: Floats,
    weights: Floats,
    *,
    efron: bool,
) -> Hazards:
    values = np.asarray(covariates, float)
    if values.shape != (len(data), len(names)):
        raise CohortError("regression needs a row of covariates for each hip, and a name for each")
    if not np.isfinite(values).all():
        raise CohortError("a covariate is missing: leave the hip out, or the covariate")
    clusters = list(range(len(data))) if patients is None else list(patients)
    people, events = len(set(clusters)), int((data.events == 1).sum())
    if not events:
        return Hazards((), 0, len(data), people, "no event: there is nothing to fit")
    spread = values.std(0)
    if not (spread > 0).all():
        flat = [name for name, size in zip(names, spread, strict=True) if not size > 0]
        raise CohortError(f"every hip has one value of {', '.join(flat)}: leave it out")
    scaled = (values - values.mean(0)) / spread

    def likelihood(beta: Floats) -> _Likelihood:
        return _likelihood(data, scaled, beta, times, weights, efron=efron)

    try:
        beta, found = _climbed(likelihood, len(names))
    except np.linalg.LinAlgError:
        return Hazards((), events, len(data), people, "the covariates say one thing twice")
    if np.abs(beta).max() > _NO_BOUND:
        words = "a covariate parts the hips with the event from the others: its ratio has no bound"
        return Hazards((), events, len(data), people, words)
    inverse = np.linalg.inv(found.information)
    sums = _by_patient(found.residuals, clusters)
    robust = inverse @ (sums.T @ sums) @ inverse
    from scipy.special import ndtr

    coefficients = tuple(
        Coefficient(
            name,
            float(beta[k] / spread[k]),
            float(np.sqrt(inverse[k, k]) / spread[k]),
            float(np.sqrt(robust[k, k]) / spread[k]),
            float(2.0 * ndtr(-abs(beta[k]) / np.sqrt(robust[k, k]))),
        )
        for k, name in enumerate(names)
    )
    return Hazards(coefficients, events, len(data), people)


def _climbed(
    likelihood: Callable[[Floats], "_Likelihood"], size: int
) -> tuple[Floats, "_Likelihood"]:
    """The largest likelihood by Newton's steps, each halved until it climbs."""
    beta = np.zeros(size)
    found = likelihood(beta)
    for _ in range(_STEPS):
        step = np.linalg.solve(found.information, found.score)
        new = likelihood(beta + step)
        while new.value < found.value - 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2.0
            new = likelihood(beta + step)
        beta, found = beta + step, new
        if np.abs(step).max() < 1e-10:
            break
    return beta, found


@dataclass(frozen=True, slots=True)
class _Likelihood:
    value: float
    score: Floats
    information: Floats
    residuals: Floats


def _likelihood(
    data: Times, x: Floats, beta: Floats, times: Floats, weights: Floats, *, efron: bool
) -> _Likelihood:
    """Log likelihood at beta with its score, information, and each hip's part of the score."""
    linear = x @ beta
    ratio = np.exp(linear - linear.max())
    value = 0.0
    score, information = np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    residuals = np.zeros_like(x)
    for place, time in enumerate(times):
        dead = np.flatnonzero((data.times == time) & (data.events == 1))
        at_risk = weights[place] * ratio
        for number in range(len(dead)):
            share = number / len(dead) if efron else 0.0
            own = at_risk
            if share:
                own = at_risk.copy()
                own[dead] *= 1.0 - share
            total = float(own.sum())
            mean = own @ x / total
            value += float(linear[dead].sum()) / len(dead) - float(np.log(total)) - linear.max()
            centred = x - mean
            hazard = own / total
            information += (centred * hazard[:, None]).T @ centred
            score += x[dead].mean(0) - mean
            residuals -= hazard[:, None] * centred
            residuals[dead] += centred[dead] / len(dead)
    return _Likelihood(value, score, information, residuals)
