"""Statistics straight from their formulas, in plain Python: nothing is shared with the package.

Slow and short on purpose: loops over hips, sums as a textbook writes them.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from statistics import mean

__all__ = [
    "Span",
    "area",
    "binomial_bounds",
    "cox_beta",
    "incidence_at",
    "intraclass",
    "kaplan_at",
    "limits",
    "log_rank",
    "mean_until",
    "signed_rank_p",
    "trend_z",
    "weighted_kappa",
]

Span = tuple[float, int]
"""Time, and what ended it: 0 nothing, 1 the event, 2 and above what competes."""


def kaplan_at(spans: Sequence[Span], time: float) -> float:
    """Share without the event."""
    free = 1.0
    for at in sorted({t for t, code in spans if code == 1 and t <= time}):
        risk = sum(t >= at for t, _ in spans)
        free *= 1 - sum(t == at and code == 1 for t, code in spans) / risk
    return free


def incidence_at(spans: Sequence[Span], time: float) -> float:
    """Share with the event, where others compete."""
    free, total = 1.0, 0.0
    for at in sorted({t for t, code in spans if code > 0 and t <= time}):
        risk = sum(t >= at for t, _ in spans)
        total += free * sum(t == at and code == 1 for t, code in spans) / risk
        free *= 1 - sum(t == at and code > 0 for t, code in spans) / risk
    return total


def mean_until(spans: Sequence[Span], horizon: float) -> float:
    """Area below the share without the event."""
    steps = sorted({t for t, code in spans if code == 1 and t < horizon})
    edges = [0.0, *steps, horizon]
    return sum((later - earlier) * kaplan_at(spans, earlier) for earlier, later in pairwise(edges))


def log_rank(spans: Sequence[Span], groups: Sequence[str]) -> float | None:
    """Chi-square of two groups."""
    first = groups[0]
    seen = expected = variance = 0.0
    for at in sorted({t for t, code in spans if code == 1}):
        risk = sum(t >= at for t, _ in spans)
        own = sum(t >= at and group == first for (t, _), group in zip(spans, groups, strict=True))
        events = sum(t == at and code == 1 for t, code in spans)
        seen += sum(
            t == at and code == 1 and group == first
            for (t, code), group in zip(spans, groups, strict=True)
        )
        expected += events * own / risk
        if risk > 1:
            variance += events * own / risk * (1 - own / risk) * (risk - events) / (risk - 1)
    return (seen - expected) ** 2 / variance if variance > 0 else None


def cox_beta(spans: Sequence[Span], values: Sequence[float]) -> float:
    """The log hazard ratio by unit, Efron's ties, by halving an interval of the score."""

    def score(beta: float) -> float:
        total = 0.0
        for at in {t for t, code in spans if code == 1}:
            dead = [x for (t, code), x in zip(spans, values, strict=True) if t == at and code == 1]
            risk = [x for (t, _), x in zip(spans, values, strict=True) if t >= at]
            total += sum(dead)
            for place in range(len(dead)):
                share = place / len(dead)
                weight = sum(math.exp(beta * x) for x in risk)
                weight -= share * sum(math.exp(beta * x) for x in dead)
                moment = sum(x * math.exp(beta * x) for x in risk)
                moment -= share * sum(x * math.exp(beta * x) for x in dead)
                total -= moment / weight
        return total

    return _root(score, -8.0, 8.0)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def area(scores: Sequence[float], events: Sequence[bool]) -> tuple[float, float]:
    """Area below the receiver operating curve, and DeLong's error."""
    with_event = [s for s, has in zip(scores, events, strict=True) if has]
    without = [s for s, has in zip(scores, events, strict=True) if not has]

    def beats(one: float, other: float) -> float:
        return 1.0 if one > other else 0.5 if one == other else 0.0

    ours = [mean(beats(one, other) for other in without) for one in with_event]
    theirs = [mean(beats(one, other) for one in with_event) for other in without]
    middle = mean(ours)
    variance = sum((v - middle) ** 2 for v in ours) / (len(ours) - 1) / len(ours)
    variance += sum((v - middle) ** 2 for v in theirs) / (len(theirs) - 1) / len(theirs)
    return middle, math.sqrt(variance)


def binomial_bounds(events: int, total: int) -> tuple[float, float]:
    """Clopper and Pearson's interval, by halving."""

    def at_most(count: int, share: float) -> float:
        return sum(
            math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count + 1)
        )

    low = 0.0 if events == 0 else _root(lambda p: at_most(events - 1, p) - 0.975, 0, 1)
    high = 1.0 if events == total else _root(lambda p: at_most(events, p) - 0.025, 0, 1)
    return low, high


def signed_rank_p(differences: Sequence[float]) -> float | None:
    """Two-sided, every pattern of signs counted; zero differences are dropped."""
    kept = [round(d, 9) for d in differences if round(d, 9)]
    if not kept:
        return None
    sizes = sorted(abs(d) for d in kept)
    ranks = [mean(k + 1 for k, size in enumerate(sizes) if size == abs(d)) for d in kept]
    found = sum(rank for rank, d in zip(ranks, kept, strict=True) if d > 0)
    far = abs(found - sum(ranks) / 2)
    ways = [
        sum(rank for rank, up in zip(ranks, signs, strict=True) if up)
        for signs in product((False, True), repeat=len(ranks))
    ]
    return sum(abs(way - sum(ranks) / 2) >= far - 1e-9 for way in ways) / len(ways)


def trend_z(events: Sequence[int], totals: Sequence[int]) -> float:
    """Cochran and Armitage's, with the places 1, 2, 3..."""
    share, all_hips = sum(events) / sum(totals), sum(totals)
    places = range(1, len(totals) + 1)
    score = sum(x * (r - n * share) for x, r, n in zip(places, events, totals, strict=True))
    spread: float = sum(n * x * x for x, n in zip(places, totals, strict=True))
    spread -= sum(n * x for x, n in zip(places, totals, strict=True)) ** 2 / all_hips
    return score / math.sqrt(share * (1 - share) * spread)


def intraclass(table: Sequence[Sequence[float]]) -> dict[str, float]:
    """Shrout and Fleiss' four coefficients."""
    n, k = len(table), len(table[0])
    whole = mean(x for row in table for x in row)
    hips = k * sum((mean(row) - whole) ** 2 for row in table) / (n - 1)
    readers = n * sum((mean(column) - whole) ** 2 for column in zip(*table, strict=True)) / (k - 1)
    total = sum((x - whole) ** 2 for row in table for x in row)
    error = (total - hips * (n - 1) - readers * (k - 1)) / ((n - 1) * (k - 1))
    within = (total - hips * (n - 1)) / (n * (k - 1))
    return {
        "ICC(1,1)": (hips - within) / (hips + (k - 1) * within),
        "ICC(2,1)": (hips - error) / (hips + (k - 1) * error + k * (readers - error) / n),
        "ICC(3,1)": (hips - error) / (hips + (k - 1) * error),
        "ICC(2,k)": (hips - error) / (hips + (readers - error) / n),
    }


def limits(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float]:
    """Bias, and limits of agreement."""
    differences = [b - a for a, b in zip(first, second, strict=True)]
    bias = mean(differences)
    sd = math.sqrt(sum((d - bias) ** 2 for d in differences) / (len(differences) - 1))
    return bias, bias - 1.96 * sd, bias + 1.96 * sd


def weighted_kappa(pairs: Sequence[tuple[int, int]], size: int, power: int) -> float | None:
    """Cohen's kappa: power 0 plain, 1 linear, 2 quadratic; None where it is undefined."""

    def apart(i: int, j: int) -> float:
        return float(i != j) if power == 0 else (abs(i - j) / (size - 1)) ** power

    n = len(pairs)
    seen = sum(apart(i, j) for i, j in pairs) / n
    chance = sum(apart(i, j) for i, _ in pairs for _, j in pairs) / n**2
    return 1 - seen / chance if chance > 0 else None
