"""What two readings of one hip may differ by without any change: it depends on the pair.

Same reader, same head: habit and shape cancel but for the difference of the two rims, and of the
slices only the difference of their offsets counts,

    V = sum of both visits' marking + |b2 - b1|² + sum over the views of slope² ((s2 - s1)² + var s)

with b the levers of the head's harmonics. Two readers differ by their habits, too: how much, only
comparisons of the study tell.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from necroangle.protocol.noise import EndNoise, StudyNoise, t_quantile
from necroangle.terms import Flag

TILT_DEG = (20.0, 14.0)
"""Standard deviation of the tilt of a lesion out of a coronal and out of a sagittal slice: lesions
lean forward. A decision of this project."""

TILT_SQUARED = tuple(1.15 * math.tan(math.radians(tilt)) ** 2 for tilt in TILT_DEG)
"""Mean square of their tangents, with what irregular borders add."""

STEP_MM = 4.0
"""Distance of neighbouring slices where neither it nor the slice's offset is known."""

RADIUS_MM = 24.0
"""Radius of the head for which millimetres of marking are meant where there are no true ones."""

SHAPE = (0.015, 0.15 / 24, 0.1 / 24)
"""Standard deviation of each component of the contour's harmonics of order 2, 3 and 4, as a share
of the radius. The first is an oval of 3 %: a decision of this project."""

SHARED_HEIGHT = 0.75
"""Correlation of the two views' cos 2 components: the height of the dome is in both."""

_LEAST_SINE, _LEAST_ANGLE = 0.35, 0.35
_LEAST_DOF = 4.0
_CONSENSUS_HABIT = 0.5
"""Share of a reader's squared habit that is left in a consensus of two."""


def slope_per_mm(angle_deg: float, radius_mm: float) -> float:
    """How an angle changes along the slices' normal, for a lesion tilted by 45 degrees.

    Of a cap cut by parallel slices the chord's distance from the centre is linear in the slice's
    offset s, with the slope ``-tan t``, t the tilt: at the centre
    ``d angle / ds = 2 tan t / (R sin(angle / 2))``.

    Parameters
    ----------
    angle_deg
        The angle; near 0 and 360 degrees, where the slope has no bound, it is held.
    radius_mm
        Radius of the head.

    Returns
    -------
    float
        Radians per mm; to be multiplied by the tangent of the tilt.

    Examples
    --------
    >>> round(math.degrees(slope_per_mm(100.0, 24.0) * math.tan(math.radians(20.0))), 1)
    2.3
    """
    angle = min(max(math.radians(angle_deg), _LEAST_ANGLE), 2 * math.pi - _LEAST_ANGLE)
    return 2.0 / (radius_mm * max(_LEAST_SINE, math.sin(angle / 2)))


class PairKind(StrEnum):
    """Who read the two visits."""

    SAME_READER = "same reader"
    TWO_READERS = "two readers"
    CONSENSUS = "two consensus readings"


@dataclass(frozen=True, slots=True)
class PairView:
    """What the error of a pair needs to know of a view that was read.

    Attributes
    ----------
    angle_deg, arc_count
        Its angle, and of how many arcs.
    radius_mm
        Radius of the head; None without a rim.
    middle_deg, rim_middle_deg, rim_span_deg
        Middle of the necrosis and of the rim from superior, and how far the rim reaches; None
        where there is none, the middles also on radiographs.
    rim_count
        Number of rim marks.
    offset_mm, offset_se_mm
        Distance of the slice from the head's centre; None where it is not known.
    slice_count
        Number of slices that are marked; None where it is not known.
    """

    angle_deg: float
    arc_count: int
    radius_mm: float | None
    middle_deg: float | None
    rim_middle_deg: float | None
    rim_span_deg: float | None
    rim_count: int
    offset_mm: float | None
    offset_se_mm: float | None
    slice_count: int | None = None


@dataclass(frozen=True, slots=True)
class PairRead:
    """One of the two readings.

    Attributes
    ----------
    reader, is_consensus
        Who read.
    is_on_slices
        Whether an angle is that on a marked slice, and not on the head's centre plane: also of the
        method ``centre_plane`` where slices on one side of the centre alone are marked.
    is_radiograph
        Whether it is of radiographs, which have no slices.
    is_largest
        Whether the angles are the largest of the marked slices, and so depend on their number.
    cna_deg, se_marking_deg
        The combined angle, and its error by marking alone.
    ends
        How the reader marks arc ends.
    a, b
        The two views.
    """

    reader: str
    is_consensus: bool
    is_on_slices: bool
    is_radiograph: bool
    is_largest: bool
    cna_deg: float
    se_marking_deg: float
    ends: EndNoise
    a: PairView
    b: PairView

    @property
    def views(self) -> tuple[PairView, PairView]:
        """Both views."""
        return self.a, self.b

    @classmethod
    def of_row(cls, row: Mapping[str, Any], *, is_consensus: bool = False) -> "PairRead | None":
        """The reading of a row of the cohort table; None where it does not say enough.

        Parameters
        ----------
        row
            The columns :data:`PAIR_COLUMNS` by name.
        is_consensus
            Whether it unites two or more kept readings.
        """
        if any(row.get(name) is None for name in ("cna_deg", "cna_se_marking", "end_bias_mm")):
            return None
        dof = row["end_dof"]
        return cls(
            reader=str(row["reader"]),
            is_consensus=is_consensus,
            is_on_slices=row["method"] != "centre_plane"
            or any(_ONE_SIDED in (row[f"{side}_flags"] or "").split() for side in "ab"),
            is_radiograph=row["modality"] == "radiograph",
            is_largest=row["method"] == "largest_slice",
            cna_deg=row["cna_deg"],
            se_marking_deg=row["cna_se_marking"],
            ends=EndNoise(
                row["end_sd_mm"], row["end_bias_mm"], math.inf if dof is None else dof, "row"
            ),
            a=_view_of_row(row, "a"),
            b=_view_of_row(row, "b"),
        )


_OF_VIEWS = (
    *("deg", "arc_count", "radius_mm", "middle_deg", "rim_middle_deg", "rim_span_deg"),
    *("rim_count", "slice_offset_mm", "slice_offset_se_mm", "slice_count"),
)
_ONE_SIDED = str(Flag.NOT_BRACKETED)
PAIR_COLUMNS = (
    *("reader", "method", "modality", "cna_deg", "cna_se_marking"),
    *("end_sd_mm", "end_bias_mm", "end_dof"),
    *(f"{side}_{name}" for side in "ab" for name in (*_OF_VIEWS, "flags")),
)
"""The columns of the cohort table that the error of a pair follows from."""


def _view_of_row(row: Mapping[str, Any], side: str) -> PairView:
    return PairView(*(row[f"{side}_{name}"] for name in _OF_VIEWS))


@dataclass(frozen=True, slots=True)
class PairError:
    """What a pair of readings of an unchanged hip differs by.

    Attributes
    ----------
    se_deg, dof
        Standard error of the difference of the combined angles, and its degrees of freedom.
    kind
        Who read.
    is_judged
        Whether the error is known: not between two readers whom the study has not compared.
    on_slices
        Whether it is a change on the marked slices, and not one in the head's centre planes.
    source
        Where the readers' repeatability comes from.
    slices_differ
        Whether the largest of several slices is compared with that of another number of them.
    """

    se_deg: float
    dof: float
    kind: PairKind
    is_judged: bool
    on_slices: bool
    source: str
    slices_differ: bool = False

    @property
    def mdc95_deg(self) -> float:
        """Smallest change of this pair that is beyond measuring error: ``t(0.975, dof) se``."""
        return t_quantile(self.dof) * self.se_deg

    def is_beyond(self, change_deg: float) -> bool | None:
        """Whether a change is beyond measuring error; None where that is not judged."""
        return abs(change_deg) > self.mdc95_deg if self.is_judged else None

    @property
    def words(self) -> str:
        """What is compared, and by which error.

        Examples
        --------
        >>> PairError(7.0, 12.0, PairKind.SAME_READER, True, True, "the errors of marking").words
        'same reader, change on the marked slices, by the errors of marking'
        >>> PairError(7.0, 12.0, PairKind.TWO_READERS, False, True, "").words
        'two readers: not judged, for the study has not compared them'
        """
        if not self.is_judged:
            return f"{self.kind}: not judged, for the study has not compared them"
        where = "change on the marked slices" if self.on_slices else "change of the head's planes"
        doubt = ", of unlike numbers of slices" if self.slices_differ else ""
        return f"{self.kind}, {where}{doubt}, by {self.source}"


def pair_error(
    first: PairRead,
    second: PairRead,
    noise: StudyNoise | None = None,
) -> PairError:
    """The error of a difference between two readings of one hip.

    Parameters
    ----------
    first, second
        The two readings, by one method.
    noise
        The study's own; where it knows nothing, the errors of marking stand in.

    Examples
    --------
    >>> view = PairView(100.0, 1, 24.0, 0.0, 0.0, 220.0, 12, 1.0, 0.3)
    >>> read = PairRead("kim", False, True, False, False, 200.0, 4.9, EndNoise(), view, view)
    >>> same = pair_error(read, read)
    >>> round(same.se_deg, 1), str(same.kind)
    (7.0, 'same reader')
    >>> from dataclasses import replace
    >>> pair_error(read, replace(read, reader="lee")).is_judged
    False
    """
    kind = _kind(first, second)
    own = noise or StudyNoise()
    known = own.two_readers if kind is PairKind.TWO_READERS else own.same_reader
    if known is not None:
        parts = [(2 * math.radians(known.sem_deg) ** 2, float(known.dof))]
        source = known.source
    else:
        parts = list(_marking((first, second)))
        habit = _habit(first, second) * (_CONSENSUS_HABIT if kind is PairKind.CONSENSUS else 1.0)
        if kind is not PairKind.SAME_READER:
            parts.append((habit, min(first.ends.dof, second.ends.dof)))
        source = "the errors of marking"
    parts += [(_shape(first, second), math.inf), (_slices(first, second, _apart), math.inf)]
    total = math.fsum(variance for variance, _ in parts)
    return PairError(
        se_deg=math.degrees(math.sqrt(total)),
        dof=welch_dof(parts),
        kind=kind,
        is_judged=kind is not PairKind.TWO_READERS or known is not None,
        on_slices=first.is_on_slices and not first.is_radiograph,
        source=source,
        slices_differ=first.is_largest and _slices_differ(first, second),
    )


def apart_by_marking(first: PairRead, second: PairRead) -> float:
    """Variance of the difference of two reads by what their rows say of marking, radians²."""
    marked = math.fsum(variance for variance, _ in _marking((first, second)))
    return marked + (0.0 if first.reader == second.reader else _habit(first, second))


def apart_by_place(first: PairRead, second: PairRead) -> float:
    """Variance of the difference of two reads of one visit that rims and slices explain, radians².

    Of the shape and the slices what :func:`pair_error` adds for them; but of slices only where
    their offsets are known, and only beyond what these err by: two reads are often of one slice.
    """
    return _shape(first, second) + _slices(first, second, _surely_apart)


def _slices_differ(first: PairRead, second: PairRead) -> bool:
    pairs = zip(first.views, second.views, strict=True)
    counts = [(one.slice_count, other.slice_count) for one, other in pairs]
    return any(a is not None and b is not None and a != b for a, b in counts)


def welch_dof(parts: Iterable[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of variances, each given with its own (Welch-Satterthwaite).

    Examples
    --------
    >>> welch_dof([(1.0, 10.0), (1.0, 10.0)]), welch_dof([(1.0, math.inf)])
    (20.0, inf)
    """
    pairs = list(parts)
    total = math.fsum(variance for variance, _ in pairs)
    if not total > 0:
        return math.inf
    shares = ((variance / total, dof) for variance, dof in pairs)
    share = math.fsum(share * share / dof for share, dof in shares)
    return 1.0 / share if share > 1e-12 else math.inf


def _kind(first: PairRead, second: PairRead) -> PairKind:
    if first.is_consensus and second.is_consensus:
        return PairKind.CONSENSUS
    same = first.reader == second.reader and not (first.is_consensus or second.is_consensus)
    return PairKind.SAME_READER if same else PairKind.TWO_READERS


def _marking(reads: tuple[PairRead, PairRead]) -> Iterable[tuple[float, float]]:
    """Variances by rim and by arc ends of both readings, radians², with their freedom."""
    spread = 0.0
    for read in reads:
        scale = _scales(read)
        ends = math.fsum(
            (read.ends.sd_mm * unit) ** 2 * 2 * view.arc_count / radius**2
            for view, (unit, radius) in zip(read.views, scale, strict=True)
        )
        total = math.radians(read.se_marking_deg) ** 2
        ends = min(ends, total)
        spread += ends
        freedom = math.fsum(max(view.rim_count - 3, 0) for view in read.views)
        yield total - ends, max(freedom / 2, _LEAST_DOF)
    yield spread, min(read.ends.dof for read in reads)


def _habit(first: PairRead, second: PairRead) -> float:
    """Variance of the difference of two readers' habits at all ends, radians²."""
    return math.fsum(
        math.fsum(
            read.ends.bias_mm * unit * 2 * view.arc_count / radius
            for view, (unit, radius) in zip(read.views, _scales(read), strict=True)
        )
        ** 2
        for read in (first, second)
    )


def _scales(read: PairRead) -> list[tuple[float, float]]:
    """Of each view: what a mm of marking is, and the radius of the head, in its millimetres."""
    radii = [view.radius_mm or RADIUS_MM for view in read.views]
    return [(radius / RADIUS_MM if read.is_radiograph else 1.0, radius) for radius in radii]


def _slices(
    first: PairRead, second: PairRead, apart: Callable[[PairView, PairView], float]
) -> float:
    """Variance by the difference of the slices' offsets, radians²."""
    if first.is_radiograph or not first.is_on_slices:
        return 0.0
    return math.fsum(
        tilt * _slope_squared(one, other) * apart(one, other)
        for tilt, one, other in zip(TILT_SQUARED, first.views, second.views, strict=True)
    )


def _slope_squared(one: PairView, other: PairView) -> float:
    """Mean square of the angle's slope for a lesion tilted by 45 degrees."""
    slopes = [
        slope_per_mm(view.angle_deg, view.radius_mm or RADIUS_MM)
        for view in (one, other)
        if view.arc_count
    ]
    return math.fsum(slope**2 for slope in slopes) / len(slopes) if slopes else 0.0


def _apart(one: PairView, other: PairView) -> float:
    """Mean square of how far two slices lie apart, mm²."""
    if (known := _offsets(one, other)) is None:
        return 2 * STEP_MM**2 / 12
    return known[0] ** 2 + known[1]


def _surely_apart(one: PairView, other: PairView) -> float:
    """The same without what the offsets err by; 0 where they are not known."""
    if (known := _offsets(one, other)) is None:
        return 0.0
    return max(known[0] ** 2 - known[1], 0.0)


def _offsets(one: PairView, other: PairView) -> tuple[float, float] | None:
    """Difference of two slices' offsets and its variance, mm and mm²; None if not known."""
    if one.offset_mm is None or other.offset_mm is None:
        return None
    if one.offset_se_mm is None or other.offset_se_mm is None:
        return None
    return other.offset_mm - one.offset_mm, one.offset_se_mm**2 + other.offset_se_mm**2


def _shape(first: PairRead, second: PairRead) -> float:
    """Variance by the shape of the head, radians²: only what the two rims see differently."""
    a, b = (
        [after - before for before, after in zip(_levers(one), _levers(other), strict=True)]
        for one, other in zip(first.views, second.views, strict=True)
    )
    shared = 0.0 if first.is_radiograph else 2 * SHARED_HEIGHT * a[0] * b[0]
    return max(math.fsum(lever**2 for lever in (*a, *b)) + shared, 0.0)


def _levers(view: PairView) -> list[float]:
    """Radians for one prior deviation of cos 2t, sin 2t, cos 3t..., t from superior."""
    if view.rim_span_deg is None or not view.arc_count:
        return [0.0] * (2 * len(SHAPE))
    half = math.radians(min(view.rim_span_deg, 359.0)) / 2
    rim = math.radians(view.rim_middle_deg or 0.0)
    towards = math.radians(view.middle_deg or 0.0) - rim
    pull = 2 * math.sin(math.radians(view.angle_deg) / 2)
    found = []
    for order, share in zip((2, 3, 4), SHAPE, strict=True):
        along, across = _moves(order, half)
        cos = pull * share * along * math.cos(towards)
        sin = pull * share * across * math.sin(towards)
        turn = order * rim
        found += [
            cos * math.cos(turn) - sin * math.sin(turn),
            sin * math.cos(turn) + cos * math.sin(turn),
        ]
    return found


def _moves(order: int, half: float) -> tuple[float, float]:
    """How far a harmonic of 1 mm moves the circle fitted to a rim of some half span, mm.

    Along the rim's middle by its cosine part, across it by its sine part: least squares of
    ``cos kt`` on ``1, cos t`` and of ``sin kt`` on ``sin t``, averaged over the rim.

    Examples
    --------
    >>> [round(part, 2) for part in _moves(2, math.pi / 2)]
    [2.24, 0.85]
    """

    def mean(times: float) -> float:
        return math.sin(times * half) / (times * half)

    less, more = mean(order - 1), mean(order + 1)
    along = ((less + more) / 2 - mean(1) * mean(order)) / (0.5 + mean(2) / 2 - mean(1) ** 2)
    across = ((less - more) / 2) / (0.5 - mean(2) / 2)
    return along, across
