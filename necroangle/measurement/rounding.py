"""How an angle is stored, and how it is shown: the two roundings, and no other.

An angle is stored to 1e-6 degree and classified on that stored value, so that a table read back
gives the same grade. It is shown to 0.1 degree, half up, after the sum.
"""

from decimal import ROUND_HALF_UP, Decimal

__all__ = ["show_deg", "stored_deg"]


def stored_deg(angle_deg: float) -> float:
    """Round an angle to the 1e-6 degree in which it is stored.

    Examples
    --------
    >>> stored_deg(199.9999999)
    200.0
    """
    return round(angle_deg, 6)


def show_deg(angle_deg: float | None) -> str:
    """Show an angle to 0.1 degree, half up; an en dash where there is none.

    Examples
    --------
    >>> show_deg(99.6 + 99.6), show_deg(0.25), show_deg(None)
    ('199.2°', '0.3°', '–')
    """
    if angle_deg is None:
        return "–"
    shown = Decimal(repr(angle_deg)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return f"{shown}°"
