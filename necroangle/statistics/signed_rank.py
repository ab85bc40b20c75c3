"""Wilcoxon's signed-rank test of paired differences, its method said in full.

The same pairs have several P values in the literature: exact or by the normal curve, with or
without continuity correction, zero differences dropped or ranked. Here each has its name, and the
one that is meant is chosen beforehand.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

TestKind = Literal["auto", "exact", "normal", "normal_cc"]
ZeroRule = Literal["wilcoxon", "pratt"]

EXACT_UP_TO = 50
"""``"auto"`` is exact up to so many differences that are not zero, else normal with correction."""

EXACT_AT_MOST = 100
"""Beyond so many differences the exact distribution is not counted out: the normal one is it."""

_DIGITS = 9
"""Differences are rounded to so many decimals: 0.3 - 0.1 and 0.5 - 0.3 are one difference."""

_NAMES = {
    "exact": "exact permutation distribution",
    "normal": "normal approximation without continuity correction",
    "normal_cc": "normal approximation with continuity correction",
}
_ZEROS = {"wilcoxon": "zero differences dropped", "pratt": "zero differences ranked (Pratt)"}


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Outcome of the test.

    Attributes
    ----------
    n_pairs, n_zero
        Pairs, and those of them without a difference.
    w_plus, w_minus
        Sum of the ranks of the differences above and below zero.
    p
        Two-sided P value; None where there is no test.
    method
        How it was found, or why there is no test: never empty.
    """

    n_pairs: int
    n_zero: int
    w_plus: float
    w_minus: float
    p: float | None
    method: str


def signed_rank(
    differences: Iterable[float], kind: TestKind = "auto", zeros: ZeroRule = "wilcoxon"
) -> SignedRank:
    """Test whether paired differences lie about zero.

    Ties share the mean of their ranks, in the exact distribution too: every sign of the ranks
    that were found is equally likely, and all are counted.

    Parameters
    ----------
    differences
        Later less earlier, one per pair.
    kind
        ``"exact"`` (up to 100 differences), ``"normal"``, ``"normal_cc"`` (with continuity
        correction), or ``"auto"``.
    zeros
        ``"wilcoxon"`` drops differences of zero; ``"pratt"`` ranks them and drops their ranks.

    References
    ----------
    F. Wilcoxon, Biometrics Bull 1 (1945) 80, doi 10.2307/3001968; J. W. Pratt, J Am Stat Assoc 54
    (1959) 655, doi 10.1080/01621459.1959.10501526.

    Examples
    --------
    >>> signed_rank([-1.0, -2.0, -3.0, -4.0, -5.0]).p  # 2 of 32 patterns of sign
    0.0625
    >>> signed_rank([0.0, 0.0]).method
    'all differences are zero: no test'
    """
    rounded = [round(value, _DIGITS) for value in differences]
    ranked = [value for value in rounded if value or zeros == "pratt"]
    ranks = _mid_ranks([abs(value) for value in ranked])
    plus = math.fsum(rank for value, rank in zip(ranked, ranks, strict=True) if value > 0)
    minus = math.fsum(rank for value, rank in zip(ranked, ranks, strict=True) if value < 0)
    used = [rank for value, rank in zip(ranked, ranks, strict=True) if value]
    if not used:
        words = "all differences are zero: no test" if rounded else "no pairs: no test"
        return SignedRank(len(rounded), len(rounded), 0.0, 0.0, None, words)
    zero_count = len(rounded) - len(used)
    chosen = kind if kind != "auto" else ("exact" if len(used) <= EXACT_UP_TO else "normal_cc")
    if chosen == "exact" and len(used) > EXACT_AT_MOST:
        words = f"exact only up to {EXACT_AT_MOST} differences, found {len(used)}: no test"
        return SignedRank(len(rounded), zero_count, plus, minus, None, words)
    smaller = min(plus, minus)
    p = _exact_p(used, smaller) if chosen == "exact" else _normal_p(used, smaller, chosen)
    method = f"Wilcoxon signed-rank, two-sided, {_NAMES[chosen]}, {_ZEROS[zeros]}"
    return SignedRank(len(rounded), zero_count, plus, minus, p, method)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values of several tests, adjusted so that one false alarm in all of them is rare (Holm).

    The k-th smallest of m is multiplied by ``m - k + 1``; none is smaller than one before it, nor
    above 1.

    References
    ----------
    S. Holm, Scand J Stat 6 (1979) 65.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, least = [0.0] * len(p_values), 0.0
    for smaller, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - smaller) * p_values[place]))
        adjusted[place] = least
    return adjusted


def _mid_ranks(sizes: list[float]) -> list[float]:
    """Ranks from 1; equal sizes share the mean of theirs.

    Examples
    --------
    >>> _mid_ranks([5.0, 2.0, 5.0])
    [2.5, 1.0, 2.5]
    """
    places: dict[float, list[int]] = {}
    for place, size in enumerate(sorted(sizes), start=1):
        places.setdefault(size, []).append(place)
    return [(places[size][0] + places[size][-1]) / 2 for size in sizes]


def _exact_p(ranks: list[float], smaller: float) -> float:
    """Share of all patterns of sign whose smaller rank sum is not above the one found, doubled."""
    doubled = [round(2 * rank) for rank in ranks]  # mid-ranks are halves
    ways = [1] + [0] * sum(doubled)
    reach = 0
    for rank in doubled:
        reach += rank
        for total in range(reach, rank - 1, -1):
            ways[total] += ways[total - rank]
    tail = sum(ways[: round(2 * smaller) + 1])
    return min(1.0, float(2 * tail / 2 ** len(ranks)))


def _normal_p(ranks: list[float], smaller: float, kind: str) -> float:
    """By the mean and the variance of the rank sum, ties and dropped zeros within them."""
    deviation = math.fsum(ranks) / 2 - smaller
    if kind == "normal_cc":
        deviation = max(deviation - 0.5, 0.0)
    spread = math.sqrt(math.fsum(rank**2 for rank in ranks) / 4)
    return math.erfc(deviation / spread / math.sqrt(2))
