"""How sure a grade is: the chance of each category, and whether a cut-off is near."""

from itertools import pairwise

from necroangle.measurement.estimate import Estimate

__all__ = ["category_probabilities", "is_near_cutoff"]


def category_probabilities(cna: Estimate, cut_offs_deg: tuple[float, ...]) -> tuple[float, ...]:
    """Probability of each category between cut-offs, lowest first; they add up to 1.

    Examples
    --------
    >>> chances = category_probabilities(Estimate(200.0, 5.0), (200.0, 250.0, 300.0))
    >>> [round(chance, 3) for chance in chances]
    [0.5, 0.5, 0.0, 0.0]
    """
    below = (0.0, *(cna.probability_below(cut) for cut in cut_offs_deg), 1.0)
    return tuple(high - low for low, high in pairwise(below))


def is_near_cutoff(cna: Estimate, cut_offs_deg: tuple[float, ...]) -> bool:
    """Whether the angle is within its own smallest detectable change of a cut-off.

    Examples
    --------
    >>> is_near_cutoff(Estimate(215.0, 4.0), (200.0, 250.0))
    False
    >>> is_near_cutoff(Estimate(215.0, 6.0), (200.0, 250.0))
    True
    """
    return any(abs(cna.value - cut) <= cna.mdc95 for cut in cut_offs_deg) and cna.se > 0
