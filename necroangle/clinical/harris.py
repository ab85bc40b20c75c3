"""The Harris Hip Score: ten items, their sum, and the total that was given.

Pain gives up to 44 points, seven items of function 47, absence of deformity 4, range of motion 5
(Harris, J Bone Joint Surg Am 1969;51:737-755, PMID 5783851). A record may hold the total, the
items, or both; the seven items of function may stand there as their sum alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from necroangle.entries import HARRIS_ITEMS, MISSING_SUFFIX, Field
from necroangle.measurement.row import Cell

TOTAL, FUNCTION = "hhs", "hhs_function"
TOLERANCE = 0.01
"""Range of motion is a real number: its hundredths may be rounded in the total."""

_OF_FUNCTION = frozenset(
    f"hhs_{name}"
    for name in ("limp", "support", "distance", "stairs", "shoes", "sitting", "transport")
)
_PARTS = (*(one.name for one in HARRIS_ITEMS), FUNCTION)


@dataclass(frozen=True, slots=True)
class HarrisScore:
    """What a visit's record says of the score.

    Attributes
    ----------
    total
        As given; where it is not, the sum of the parts; None where parts are missing, too.
    items_sum
        The sum of the parts, where all are there.
    doubts
        Field and what is doubted: a total or a sum of function that its items do not make, points
        that are not published.
    is_checked
        Whether there was anything to check: a part, beside the total or another part.
    """

    total: float | None
    items_sum: float | None
    doubts: tuple[tuple[str, str], ...]
    is_checked: bool


def harris_score(values: Mapping[str, Cell]) -> HarrisScore:
    """Total, sum of the parts, and what they contradict.

    Parameters
    ----------
    values
        The fields of a visit.

    Examples
    --------
    >>> parts = {"hhs_pain": 30, "hhs_function": 33.0, "hhs_deformity": 4, "hhs_rom": 5.0}
    >>> harris_score(parts).total
    72.0
    >>> harris_score({**parts, "hhs": 71.0}).doubts
    (('hhs', 'the total is 71; its items make it 72'),)
    """
    given = _points(values, TOTAL)
    if all(values.get(name) is None for name in _PARTS):
        return HarrisScore(given, None, (), is_checked=False)
    parts = [one for one in HARRIS_ITEMS if _points(values, one.name) is not None]
    function = _points(values, FUNCTION)
    low, high = _bounds(values, [one for one in HARRIS_ITEMS if one.name in _OF_FUNCTION])
    doubts = [*_not_published(values, parts)]
    if function is not None:
        doubts += _differing(FUNCTION, "function score", function, low, high)
        low = high = function
    rest = _bounds(values, [one for one in HARRIS_ITEMS if one.name not in _OF_FUNCTION])
    low, high = low + rest[0], high + rest[1]
    if given is not None:
        doubts += _differing(TOTAL, "total", given, low, high)
    items_sum = low if low == high else None
    return HarrisScore(
        items_sum if given is None else given, items_sum, tuple(doubts), is_checked=True
    )


def with_harris_total(values: Mapping[str, Cell]) -> dict[str, Cell]:
    """The fields of a visit, with the total where only its parts are given.

    Examples
    --------
    >>> parts = {"hhs_pain": 44, "hhs_function": 47.0, "hhs_deformity": 4, "hhs_rom": 5.0}
    >>> with_harris_total({"hhs": None, "hhs_missing": "not done", **parts})["hhs"]
    100.0
    """
    found = dict(values)
    total = harris_score(values).total
    if total is not None and values.get(TOTAL) is None:
        found.pop(TOTAL + MISSING_SUFFIX, None)
        found[TOTAL] = total
    return found


def _points(values: Mapping[str, Cell], name: str) -> float | None:
    points = values.get(name)
    return None if points is None or isinstance(points, str) else float(points)


def _largest(item: Field) -> float:
    codes = item.choices.codes.values() if item.choices is not None else ()
    return float(max(codes, default=item.high or 0))


def _bounds(values: Mapping[str, Cell], items: list[Field]) -> tuple[float, float]:
    """The least and the most that items make, those that are not given being anything."""
    given = {item.name: _points(values, item.name) for item in items}
    low = sum(score for score in given.values() if score is not None)
    lacking = sum(_largest(item) for item in items if given[item.name] is None)
    return low, low + lacking


def _not_published(values: Mapping[str, Cell], items: list[Field]) -> Iterator[tuple[str, str]]:
    for item in items:
        score = _points(values, item.name)
        if item.choices is not None and score not in item.choices.codes.values():
            allowed = ", ".join(item.choices)
            yield item.name, f"{score:g} is none of the published points: {allowed}"


def _differing(
    name: str, what: str, given: float, low: float, high: float
) -> Iterator[tuple[str, str]]:
    if not low - TOLERANCE <= given <= high + TOLERANCE:
        wanted = f"{low:g}" if low == high else f"between {low:g} and {high:g}"
        yield name, f"the {what} is {given:g}; its items make it {wanted}"
