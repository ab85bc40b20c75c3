"""A view as a small drawing in SVG, for notebooks: rim marks, head circle and necrotic arcs."""

import math
from collections.abc import Iterable

from necroangle.geometry import Arc, Circle
from necroangle.measurement import ViewMeasurement

Place = tuple[float, float]

SIZE_PX, MARGIN = 200, 1.25
"""Width of the drawing, and how many radii it shows on each side of the centre."""


def view_svg(view: ViewMeasurement, rim_mm: Iterable[Place]) -> str:
    """Draw a measured view: u to the right, v down, as in its image.

    Parameters
    ----------
    view
        What was measured.
    rim_mm
        The rim marks, plane mm.

    Returns
    -------
    str
        An ``svg`` element; empty where there is no circle.

    Examples
    --------
    >>> from necroangle.measurement import measure
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> drawn = view_svg(measure(readings_of(sample_studies()["plain"])[0]).a, [])
    >>> drawn.startswith("<svg") and drawn.count("<path") == 1
    True
    """
    circle = view.circle
    if circle is None:
        return ""
    scale = SIZE_PX / 2 / (circle.radius_mm * MARGIN)

    def at(u: float, v: float) -> str:
        x, y = (u - circle.centre_mm[0]) * scale, (v - circle.centre_mm[1]) * scale
        return f"{SIZE_PX / 2 + x:.1f},{SIZE_PX / 2 + y:.1f}"

    wedges = "".join(_wedge(arc, circle, scale) for arc in view.arcs)
    dots = "".join(
        '<circle cx="{}" cy="{}" r="2" fill="#1565c0"/>'.format(*at(u, v).split(","))
        for u, v in rim_mm
    )
    middle, radius = SIZE_PX / 2, circle.radius_mm * scale
    return (
        f'<svg width="{SIZE_PX}" height="{SIZE_PX}" viewBox="0 0 {SIZE_PX} {SIZE_PX}">'
        f'{wedges}<circle cx="{middle}" cy="{middle}" r="{radius:.1f}" fill="none" '
        f'stroke="#37474f" stroke-width="1.5"/>{dots}'
        f'<circle cx="{middle}" cy="{middle}" r="2" fill="#37474f"/></svg>'
    )


def _wedge(arc: Arc, circle: Circle, scale: float) -> str:
    """The sector of an arc, from the centre to its two ends."""
    low, high = arc.interval_deg()
    radius = circle.radius_mm * scale
    ends = [
        f"{SIZE_PX / 2 + radius * math.cos(turn):.1f} {SIZE_PX / 2 + radius * math.sin(turn):.1f}"
        for turn in (math.radians(low), math.radians(high))
    ]
    large = int(high - low > 180.0)
    return (
        f'<path d="M {SIZE_PX / 2} {SIZE_PX / 2} L {ends[0]} A {radius:.1f} {radius:.1f} 0 '
        f'{large} 1 {ends[1]} Z" fill="#ef9a9a" fill-opacity="0.6" stroke="#c62828"/>'
    )
