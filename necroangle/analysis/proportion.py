"""A share of hips with its exact interval."""

from necroangle.errors import CohortError

__all__ = ["CLOPPER_PEARSON", "clopper_pearson"]

CLOPPER_PEARSON = "Clopper-Pearson exact 95 % interval, hips counted as independent"


def clopper_pearson(events: int, total: int, level: float = 0.95) -> tuple[float, float] | None:
    """Exact interval of a share: the shares under which so few, or so many, are not too rare.

    ``low`` solves P(X >= events) = alpha/2 and ``high`` P(X <= events) = alpha/2 for a binomial X.

    Parameters
    ----------
    events, total
        How many of how many.
    level
        Coverage, above 0 and below 1.

    Returns
    -------
    tuple of two floats, or None
        Bounds from 0 to 1; None where the total is 0, for there is no share.

    Raises
    ------
    CohortError
        If the counts are not 0 <= events <= total.

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404, doi 10.1093/biomet/26.4.404.

    Examples
    --------
    Grade 2 of Ha 2006: 6 of 9 hips collapsed.

    >>> [round(100 * bound, 1) for bound in clopper_pearson(6, 9)]
    [29.9, 92.5]
    >>> clopper_pearson(3, 2)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a share needs 0 <= events <= total, found 3 of 2
    """
    from scipy.special import betaincinv

    if not 0 <= events <= total:
        raise CohortError(f"a share needs 0 <= events <= total, found {events} of {total}")
    if total == 0:
        return None
    tail = (1.0 - level) / 2.0
    low = 0.0 if events == 0 else float(betaincinv(events, total - events + 1, tail))
    high = 1.0 if events == total else float(betaincinv(events + 1, total - events, 1.0 - tail))
    return low, high
