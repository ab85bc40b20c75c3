"""The head circles of many views, each the circle that :func:`fit_head` finds for one."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.rims import RimCircles, directions_deg
from necroangle.measurement.outliers import RimBlock, gives_circle, misplaced_in_block
from necroangle.measurement.vector.arcs import ArcColumns, arc_columns
from necroangle.measurement.vector.sheet import Sheet

__all__ = ["Heads", "fit_heads"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_MAX_ROUNDS = 12
_VIEWS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The circles of V views; what stands for a view without a rim, or not sure, means nothing.

    Attributes
    ----------
    u, v, radius
        (V,) plane mm.
    rss, span
        (V,) mm² and degrees.
    covariance
        (6, V) as :class:`necroangle.geometry.rims.RimCircles`.
    count
        (V,) marks that the circle was fitted to.
    arcs
        The arcs about the circles.
    left_out
        (V,) number of rim marks that a collapsed head leaves out.
    misplaced
        Numbers of the misplaced marks, from 1, by view.
    used
        The points that the circles were fitted to.
    sure
        (V,) whether the circle, and every arc about it, is beyond doubt.
    """

    u: Array
    v: Array
    radius: Array
    rss: Array
    span: Array
    covariance: Array
    count: Array
    arcs: ArcColumns
    left_out: Places
    misplaced: dict[int, tuple[int, ...]]
    used: RimBlock
    sure: NDArray[np.bool_]


def fit_heads(sheet: Sheet) -> Heads:
    """Fit the head circle of every view that has a rim."""
    rims = _rim_block(sheet)
    found, sure = _fitted(rims)
    inside = np.zeros(rims.keep.shape, bool)
    used = rims
    necrotic = np.zeros(rims.size, bool)
    necrotic[sheet.arc_view] = True
    sunken = np.flatnonzero(sheet.collapsed & sure & necrotic)
    if len(sunken):
        used = _without_sectors(sheet, rims, found, sunken, inside, sure)
    arcs = arc_columns(sheet, np.arange(len(sheet.arc_view)), found)
    sure[arcs.view[~arcs.sure]] = False
    marked = sheet.rim_count > 0
    return Heads(
        u=found.centre_mm[0],
        v=found.centre_mm[1],
        radius=found.radius_mm,
        rss=found.rss_mm2,
        span=found.span_deg,
        covariance=np.array(found.covariance),
        count=used.count,
        arcs=arcs,
        left_out=inside.sum(axis=0),
        misplaced=_misplaced(rims, inside, np.flatnonzero(sure & marked)),
        used=used,
        sure=sure | ~marked,
    )


def _rim_block(sheet: Sheet) -> RimBlock:
    longest = int(sheet.rim_count.max(initial=1))
    keep = np.arange(longest)[:, None] < sheet.rim_count
    places = np.where(keep, sheet.rim_start + np.arange(longest)[:, None], 0)
    weight = keep.astype(float)
    empty = np.zeros(1)
    u, v = (part if len(part) else empty for part in (sheet.u, sheet.v))
    points = np.array((u[places] * weight, v[places] * weight))
    return RimBlock(points, sheet.rim_count.astype(float), weight)


def _fitted(block: RimBlock) -> tuple[RimCircles, NDArray[np.bool_]]:
    """Circles of all rims of a block, worked on in parts of alike lengths; and which are sound."""
    order = np.argsort(block.count, kind="stable")
    order = order[block.count[order] > 0]
    size = block.size
    found = RimCircles(
        centre_mm=np.zeros((2, size)),
        radius_mm=np.zeros(size),
        rss_mm2=np.zeros(size),
        span_deg=np.zeros(size),
        covariance=tuple(np.zeros(size) for _ in range(6)),
        holds=np.zeros(size, bool),
    )
    sound = np.zeros(size, bool)
    for first in range(0, len(order), _VIEWS_AT_ONCE):
        some = order[first : first + _VIEWS_AT_ONCE]
        part = block.rims(some)
        circles = part.fit()
        sound[some] = gives_circle(part, circles)
        put(found, some, circles)
    _forget(found, ~sound)
    return found, sound


def _forget(found: RimCircles, where: NDArray[np.bool_]) -> None:
    """Put zeros where there is no sound circle: nothing is to be made of it."""
    for part in (*found.centre_mm, found.radius_mm, found.rss_mm2, found.span_deg):
        part[where] = 0.0
    for part in found.covariance:
        part[where] = 0.0


def put(found: RimCircles, places: Places, circles: RimCircles) -> None:
    """Put some circles in their places among others."""
    for field in fields(RimCircles):
        mine, theirs = getattr(found, field.name), getattr(circles, field.name)
        if field.name == "covariance":
            for one, other in zip(mine, theirs, strict=True):
                one[places] = other
        else:
            mine[..., places] = theirs


def _without_sectors(
    sheet: Sheet,
    rims: RimBlock,
    found: RimCircles,
    views: Places,
    inside: NDArray[np.bool_],
    sure: NDArray[np.bool_],
) -> RimBlock:
    """Leave out the marks within the arcs and take the arcs' ends, until the choice is stable.

    The circles, the marks left out and what is sure are changed in place; the points that the
    circles of all views were fitted to are given back.
    """
    arcs_of = np.flatnonzero(np.isin(sheet.arc_view, views))
    whole, chosen = _with_ends(sheet, rims, arcs_of)
    open_ = views
    for _ in range(_MAX_ROUNDS):
        arcs = arc_columns(sheet, arcs_of[np.isin(sheet.arc_view[arcs_of], open_)], found)
        sure[arcs.view[~arcs.sure]] = False
        open_ = open_[sure[open_]]
        if not len(open_):
            break
        now = _within(rims, found, arcs)[:, open_]
        chosen[: len(now), open_] = (rims.keep[:, open_] > 0) & ~now
        circles, sound = _fitted(RimBlock.of(whole[:, :, open_], chosen[:, open_]))
        put(found, open_, circles)
        sure[open_] &= sound
        stable = (now == inside[:, open_]).all(axis=0)
        inside[:, open_] = now
        open_ = open_[~stable]
    return RimBlock.of(whole, chosen)


def _with_ends(sheet: Sheet, rims: RimBlock, arcs_of: Places) -> tuple[Array, NDArray[np.bool_]]:
    """The marks of all rims followed by the ends of some arcs, and which of these are there."""
    view = sheet.arc_view[arcs_of]
    order = np.arange(len(view)) - np.searchsorted(view, view)
    longest, most = len(rims.keep), int(order.max(initial=0)) + 1
    points = np.concatenate((rims.points, np.zeros((2, 2 * most, rims.size))), axis=1)
    chosen = np.concatenate((rims.keep > 0, np.zeros((2 * most, rims.size), bool)))
    for end in (0, 1):
        mark = sheet.arc_start[arcs_of] + end
        points[:, longest + 2 * order + end, view] = sheet.u[mark], sheet.v[mark]
        chosen[longest + 2 * order + end, view] = True
    return points, chosen


def _within(rims: RimBlock, found: RimCircles, arcs: ArcColumns) -> NDArray[np.bool_]:
    """(N, V) which marks lie within the arcs of their view."""
    inside = np.zeros(rims.keep.shape, bool)
    views, first = np.unique(arcs.view, return_index=True)
    offsets = rims.points[:, :, views] - found.centre_mm[:, None, views]
    directions = directions_deg(offsets)
    column = np.searchsorted(views, arcs.view)
    order = np.arange(len(column)) - first[column]
    for turn in range(int(order.max(initial=-1)) + 1):
        some = np.flatnonzero(order == turn)
        low, high = arcs.low[some], arcs.high[some]
        inside[:, arcs.view[some]] |= (directions[:, column[some]] - low) % 360.0 <= high - low
    return inside & (rims.keep > 0)


def _misplaced(
    rims: RimBlock, inside: NDArray[np.bool_], views: Places
) -> dict[int, tuple[int, ...]]:
    """The misplaced marks of some views, those left out not counting; numbers from 1."""
    kept = (rims.keep[:, views] > 0) & ~inside[:, views]
    named = misplaced_in_block(RimBlock.of(rims.points[:, :, views], kept))
    found = {}
    for place, marks in named.items():
        numbers = np.flatnonzero(kept[:, place]) + 1
        found[int(views[place])] = tuple(numbers[[mark for mark, _ in marks]].tolist())
    return found
