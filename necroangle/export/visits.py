"""How many months after the index date a visit nominally is."""

import re
from collections.abc import Iterable, Mapping

__all__ = ["month_name", "nominal_months"]

_INDEX = frozenset({"baseline", "base", "bl", "pre", "preop", "pre_op", "pre-op", "index"})
_MONTHS = re.compile(r"m(?:onth)?s?[ _.-]?(\d{1,3})|(\d{1,3})[ _.-]?m(?:o|onth|onths)?", re.ASCII)
_YEARS = re.compile(r"y(?:ear)?s?[ _.-]?(\d{1,2})|(\d{1,2})[ _.-]?y(?:ear|ears)?", re.ASCII)


def nominal_months(visits: Iterable[str], known: Mapping[str, float]) -> dict[str, float | None]:
    """Nominal months of every visit: as the study says, or as its name says, else None.

    Examples
    --------
    >>> nominal_months(["m00", "6m", "baseline", "y2", "week6", "late"], {"late": 30})
    {'m00': 0.0, '6m': 6.0, 'baseline': 0.0, 'y2': 24.0, 'week6': None, 'late': 30.0}
    """
    return {visit: float(known[visit]) if visit in known else _of_name(visit) for visit in visits}


def month_name(months: float) -> str:
    """Ending of a wide column.

    Examples
    --------
    >>> month_name(6.0), month_name(1.5)
    ('m6', 'm1_5')
    """
    return f"m{months:g}".replace(".", "_")


def _of_name(visit: str) -> float | None:
    name = visit.strip().lower()
    if name in _INDEX:
        return 0.0
    for pattern, months in ((_MONTHS, 1.0), (_YEARS, 12.0)):
        if found := pattern.fullmatch(name):
            return months * float(found[1] or found[2])
    return None
