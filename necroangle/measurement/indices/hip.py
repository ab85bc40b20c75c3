"""Every index that a reading's marks allow, gathered; a mark that contradicts itself stops none."""

from collections.abc import Callable
from typing import Literal, TypeVar

from necroangle.annotation import HipReading, UnreadView
from necroangle.errors import GeometryError
from necroangle.geometry import union_deg
from necroangle.measurement.arcs import boundaries
from necroangle.measurement.indices.anterior import anterior_necrotic_deg
from necroangle.measurement.indices.collapse import (
    collapse_arco,
    collapse_depth_mm,
    collapse_jic,
)
from necroangle.measurement.indices.extent import koo_kim_index, koo_kim_size
from necroangle.measurement.indices.head import MarkedHead, ViewGeometry, marked_head
from necroangle.measurement.indices.jic import JicExtent, jic_extent
from necroangle.measurement.indices.lateral import arco2021_type, lateral_spared_deg, lcea_deg
from necroangle.measurement.indices.marks import turn_from_axes
from necroangle.measurement.indices.record import HipIndices, IndexRefusal
from necroangle.terms import LandmarkName

_Value = TypeVar("_Value")


def hip_indices(reading: HipReading, a: ViewGeometry | None, b: ViewGeometry | None) -> HipIndices:
    """Compute what the marks of a reading allow.

    A hip that has been replaced has no indices. An index whose marks contradict themselves is None
    and stands in ``refused``: the other indices, and the angles, are none the worse for it.

    Parameters
    ----------
    reading
        The reading: its side, and its views' landmarks, planes and calibration.
    a, b
        The head on the A view (coronal or AP) and on the B view, plane mm; None where it was not
        read.

    Examples
    --------
    >>> from necroangle.annotation import FIRST_REVISION, FREE_READING, ImageRecord, Landmark
    >>> from necroangle.annotation import NO_ENTRIES, Mark, PlaneRecord, ReadView
    >>> from necroangle.geometry import Arc, Circle, ImagePlane
    >>> from necroangle.terms import Finding, Laterality, UnreadReason, View
    >>> coronal = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))
    >>> deepest = Landmark(LandmarkName.COLLAPSE_DEEPEST, Mark.at_plane(coronal, 128.0, 100.0))
    >>> a_view = ReadView(
    ...     View.CORONAL,
    ...     Finding.NECROSIS,
    ...     ImageRecord("1", "1.1", "1.1.1", 1, None),
    ...     PlaneRecord.of(coronal, (256, 256)),
    ...     None,
    ...     *((), (), (), (), (deepest,), ()),
    ... )
    >>> reading = HipReading(
    ...     format="necroangle.reading",
    ...     version=3,
    ...     subject="S01",
    ...     laterality=Laterality.LEFT,
    ...     visit="m00",
    ...     reader="r1",
    ...     read_no=1,
    ...     views=(a_view, UnreadView(View.SAGITTAL, UnreadReason.NOT_DONE)),
    ...     entries=NO_ENTRIES,
    ...     notes="",
    ...     conduct=FREE_READING,
    ...     revision=FIRST_REVISION,
    ...     consensus_of=(),
    ...     saved_at="2026-01-31T08:15:00.000Z",
    ...     software="necroangle",
    ... )
    >>> arcs = (Arc(225.0, 90.0, 0.0, 0.0),)
    >>> hip_indices(
    ...     reading, ViewGeometry(Circle((128.0, 128.0), 30.5), arcs), None
    ... ).collapse_depth_mm
    2.5
    >>> hip_indices(reading, ViewGeometry(Circle((128.0, 128.0), 24.0), arcs), None).refused[
    ...     0
    ... ].problem
    'coronal view: the deepest point of collapse lies 4.00 mm outside the head circle: ...'
    """
    if reading.is_replaced:
        return HipIndices()
    heads = marked_head(reading, 0, a), marked_head(reading, 1, b)
    refused: list[IndexRefusal] = []
    index = _koo_kim(reading, a, b)
    jic = _jic(heads[0], refused)
    lcea = _lcea(heads[0], refused)
    depth = _deepest(heads, refused)
    return HipIndices(
        koo_kim_index=index,
        koo_kim_size=None if index is None else koo_kim_size(index),
        jic_w=jic.w if jic else None,
        jic_type=jic.jic_type if jic else None,
        jic_medial_of_wb=jic.medial_of_wb if jic else None,
        lcea_deg=lcea,
        arco2021_type=_arco2021(heads[0], lcea, refused),
        lateral_spared_deg=_lateral_spared(heads[0], refused),
        anterior_necrotic_deg=_anterior(heads[1], refused),
        collapse_depth_mm=depth,
        collapse_arco=None if depth is None else collapse_arco(depth),
        collapse_jic=None if depth is None else collapse_jic(depth),
        refused=tuple(refused),
    )


def _tried(
    index: str, head: MarkedHead, refused: list[IndexRefusal], compute: Callable[[], _Value]
) -> _Value | None:
    """The value, or None and the reason noted."""
    try:
        return compute()
    except GeometryError as error:
        refused.append(IndexRefusal(index, f"{head.label} view: {error}"))
        return None


def _koo_kim(reading: HipReading, a: ViewGeometry | None, b: ViewGeometry | None) -> float | None:
    unread = any(isinstance(view, UnreadView) for view in reading.views)
    if reading.is_radiograph or unread or a is None or b is None:
        return None
    return koo_kim_index(union_deg(a.arcs), union_deg(b.arcs))


def _jic(head: MarkedHead | None, refused: list[IndexRefusal]) -> JicExtent | None:
    pelvis = head.pelvis() if head else None
    if head is None or pelvis is None or not head.arcs:
        return None
    turn = turn_from_axes(head.axes) if head.axes else None
    return _tried(
        "jic_type", head, refused, lambda: jic_extent(head.circle, head.arcs, *pelvis, turn)
    )


def _lcea(head: MarkedHead | None, refused: list[IndexRefusal]) -> float | None:
    edge = head.mark(LandmarkName.ACETABULAR_EDGE) if head else None
    axes = head.axes if head else None
    if head is None or edge is None or axes is None:
        return None
    return _tried("lcea_deg", head, refused, lambda: lcea_deg(head.circle, axes, edge))


def _arco2021(
    head: MarkedHead | None, lcea: float | None, refused: list[IndexRefusal]
) -> Literal[1, 2, 3] | None:
    found = boundaries(head.arcs, head.axes) if head else None
    if head is None or lcea is None or found is None:
        return None
    return _tried("arco2021_type", head, refused, lambda: arco2021_type(found.end_deg, lcea))


def _lateral_spared(head: MarkedHead | None, refused: list[IndexRefusal]) -> float | None:
    neck = head.neck() if head else None
    if head is None or neck is None or not head.arcs:
        return None

    def spared() -> float | None:
        turn = head.turn()
        return None if turn is None else lateral_spared_deg(head.circle, head.arcs, *neck, turn)

    return _tried("lateral_spared_deg", head, refused, spared)


def _anterior(head: MarkedHead | None, refused: list[IndexRefusal]) -> float | None:
    neck = head.neck() if head else None
    axes = head.axes if head else None
    if head is None or neck is None or axes is None or not head.arcs:
        return None
    turn = turn_from_axes(axes)
    return _tried(
        "anterior_necrotic_deg",
        head,
        refused,
        lambda: anterior_necrotic_deg(head.circle, head.arcs, *neck, turn),
    )


def _deepest(heads: tuple[MarkedHead | None, ...], refused: list[IndexRefusal]) -> float | None:
    depths = [_view_depth(head, refused) for head in heads if head]
    return max((depth for depth in depths if depth is not None), default=None)


def _view_depth(head: MarkedHead, refused: list[IndexRefusal]) -> float | None:
    deepest = head.mark(LandmarkName.COLLAPSE_DEEPEST)
    if deepest is None:
        return None

    def depth() -> float:
        if not head.calibrated:
            raise GeometryError("no true mm on this radiograph, so no depth of collapse")
        return collapse_depth_mm(head.circle, deepest)

    return _tried("collapse_depth_mm", head, refused, depth)
