"""What a reader's marks on phantom hips say of the reader: bias and spread, with their intervals.

Every error is taken on the slice that the reader chose, but for the choice itself:

- *arc ends*: along the surface, mm, outward (+: the arc is marked too large).
- *rim*: across the surface, mm, outward.
- *slice*: distance of the slice from the head's centre, mm, and how much further than the nearest.
- *angles*: degrees, on the marked slices and against the head's centre planes.

Hips differ, and marks of one hip are alike: the bias is the mean over hips of the hips' means, its
interval by t with one less than the number of **hips**. The spread is the root of the mean square
about the mean; its degrees of freedom are ``min(marks - 1, 2 / CV²)``, CV that of the mean square
by the hips' own mean squares, and its interval is by the jackknife over hips, on the log scale.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ReadView
from necroangle.calibration.hips import Calibration, CalibrationHip
from necroangle.errors import MethodError
from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.measurement import DEFAULTS, Measured, Settings, measure_many
from necroangle.phantom import Contrast
from necroangle.phantom.mr import MrSeries
from necroangle.phantom.truth import SliceTruth, cap_union_deg, contour_mm, cut
from necroangle.protocol.noise import EndNoise, t_quantile
from necroangle.protocol.study import ReaderNoise

Array = NDArray[np.float64]

LEAST_HIPS = 4
"""Fewer give no spread between hips that is worth its name."""

_NOTHING = 1e-18
"""A variance below which all errors are the same, mm² or degrees²."""

_FAR, _USUAL_MM = 3.5, 1.0
"""Beyond so many standard deviations, these no smaller than this, an end is another structure's."""

_JACKKNIFE = 0.75
"""Where hips look more alike than marks of one size would, chance made them so: the jackknife's
variance then counts with this weight, and that of equal hips with the rest."""


@dataclass(frozen=True, slots=True)
class ReaderError:
    """Bias and spread of one kind of error.

    Attributes
    ----------
    bias, bias_low, bias_high
        Mean error with its 95 % interval.
    bias_se
        Standard error of the mean.
    sd, sd_low, sd_high
        Spread about the mean with its 95 % interval.
    dof
        Degrees of freedom of the spread.
    hips, count
        Of how many hips, and how many errors.
    """

    bias: float
    bias_low: float
    bias_high: float
    bias_se: float
    sd: float
    sd_low: float
    sd_high: float
    dof: float
    hips: int
    count: int


def reader_error(by_hip: Iterable[Sequence[float]]) -> ReaderError:
    """Bias and spread of errors that come hip by hip.

    Parameters
    ----------
    by_hip
        The errors of each hip; hips without any are passed over.

    Raises
    ------
    MethodError
        If fewer than four hips have errors.

    Examples
    --------
    >>> found = reader_error([[0.5, -0.1], [0.9, 0.3], [-0.4, 0.2], [0.1, 0.5]])
    >>> round(found.bias, 2), round(found.sd, 2), found.hips, found.count
    (0.25, 0.4, 4, 8)
    """
    groups = [np.asarray(one, float) for one in by_hip if len(one)]
    hips = len(groups)
    if hips < LEAST_HIPS:
        raise MethodError(f"{hips} hips were read; bias and spread need {LEAST_HIPS} or more")
    means = np.array([one.mean() for one in groups])
    bias, se = float(means.mean()), float(means.std(ddof=1)) / math.sqrt(hips)
    squares = np.array([float(np.sum((one - bias) ** 2)) for one in groups])
    sizes = np.array([len(one) for one in groups])
    count = int(sizes.sum())
    variance = float(squares.sum()) / (count - 1)
    reach = t_quantile(hips - 1)
    if not variance > _NOTHING:  # the nearest slice, every time
        return ReaderError(bias, bias, bias, 0.0, 0.0, 0.0, 0.0, count - 1.0, hips, count)
    parts = squares / sizes
    spread = float(parts.var(ddof=1)) / float(parts.mean()) ** 2 / hips
    dof = min(count - 1.0, 2 / spread) if spread > 0 else count - 1.0
    sd, factor = math.sqrt(variance), math.exp(reach * _log_se(squares, sizes))
    return ReaderError(
        bias=bias,
        bias_low=bias - reach * se,
        bias_high=bias + reach * se,
        bias_se=se,
        sd=sd,
        sd_low=sd / factor,
        sd_high=sd * factor,
        dof=dof,
        hips=hips,
        count=count,
    )


def _log_se(squares: Array, sizes: NDArray[np.intp]) -> float:
    """Standard error of the logarithm of the spread."""
    hips = len(squares)
    without = np.log((squares.sum() - squares) / (sizes.sum() - sizes))
    jackknife = float(without.var()) * (hips - 1) / 4
    equal = 1 / (2 * (sizes.sum() - 1))
    return math.sqrt(max(jackknife, _JACKKNIFE * jackknife + (1 - _JACKKNIFE) * equal))


@dataclass(frozen=True, slots=True)
class ViewErrors:
    """The errors of one view of one reading.

    Attributes
    ----------
    ends_mm
        Of both ends of the arc, outward; empty where the reader did not mark one arc.
    rim_mm
        Of each rim mark, outward.
    offset_mm, nearest_mm
        Distance of the marked slice from the head's centre, along the stack, and that of the slice
        which lies nearest.
    slice_deg, centre_deg
        The true angle on the marked slice, and on a slice through the head's centre.
    """

    ends_mm: tuple[float, ...]
    rim_mm: tuple[float, ...]
    offset_mm: float
    nearest_mm: float
    slice_deg: float
    centre_deg: float


class Truths:
    """What is true of the hips of a calibration, slice by slice, each found once."""

    def __init__(self, calibration: Calibration) -> None:
        self._hips = {hip.subject: hip for hip in calibration.hips}
        self._places = {
            series.source(index).instance_uid: (hip, series, index)
            for hip in calibration.hips
            for series in hip.series
            for index in range(series.geometry.slices)
        }
        self._known: dict[str, SliceTruth] = {}
        self._offsets: dict[tuple[str, str], list[float]] = {}
        self._centre: dict[tuple[str, str], float] = {}

    def hip(self, subject: str) -> CalibrationHip | None:
        """The hip of a pseudonym, or None."""
        return self._hips.get(subject)

    def place(self, uid: str) -> tuple[CalibrationHip, MrSeries, int] | None:
        """Whose an image is, and where it lies; None for another study's."""
        return self._places.get(uid)

    def on(self, uid: str) -> SliceTruth:
        """What is true on a slice."""
        if uid not in self._known:
            hip, series, index = self._places[uid]
            self._known[uid] = cut(series.lying(hip.hip), series.planes[index])
        return self._known[uid]

    def offsets_mm(self, series: MrSeries, hip: CalibrationHip) -> list[float]:
        """Signed distances of a series' slices from the head's centre, along their normal."""
        key = (hip.subject, series.folder)
        if key not in self._offsets:
            centre = PatientPoints(np.array([series.lying(hip.hip).centre_mm]))
            self._offsets[key] = [-float(one.distance_mm(centre)[0]) for one in series.planes]
        return self._offsets[key]

    def centre_deg(self, hip: CalibrationHip, series: MrSeries) -> float:
        """The true angle in the plane of a series through the head's centre."""
        key = (hip.subject, series.folder)
        if key not in self._centre:
            whole = cap_union_deg(series.lying(hip.hip), 0.0, _axes(series.planes[0]))
            self._centre[key] = math.fsum(high - low for low, high in whole)
        return self._centre[key]

    def errors(self, view: ReadView) -> ViewErrors | None:
        """The errors of a view; None where its image is none of the calibration's."""
        place = self.place(view.image.instance_uid)
        if place is None:
            return None
        hip, series, index = place
        truth, plane = self.on(view.image.instance_uid), series.planes[index]
        offsets = self.offsets_mm(series, hip)
        if truth.centre_mm is None or truth.angle_deg is None:
            return None
        return ViewErrors(
            ends_mm=_ends_mm(view, truth, plane),
            rim_mm=self._rim_mm(view, hip, series, index),
            offset_mm=offsets[index],
            nearest_mm=min(offsets, key=abs),
            slice_deg=truth.angle_deg,
            centre_deg=self.centre_deg(hip, series),
        )

    def _rim_mm(
        self, view: ReadView, hip: CalibrationHip, series: MrSeries, index: int
    ) -> tuple[float, ...]:
        if not view.rim:
            return ()
        plane, lying = series.planes[index], series.lying(hip.hip)
        offset = self.offsets_mm(series, hip)[index]
        middle = _within(plane, [lying.centre_mm])[0]
        away = _within(plane, [mark.patient_mm for mark in view.rim]) - middle
        turns = np.degrees(np.arctan2(away[:, 1], away[:, 0]))
        reach = contour_mm(lying, offset, _axes(plane), turns)
        return tuple((np.hypot(*away.T) - reach).tolist())


def _axes(plane: ImagePlane) -> Array:
    return np.array((plane.row_cosine, plane.column_cosine, plane.normal))


def _within(plane: ImagePlane, points_mm: Iterable[Sequence[float]]) -> Array:
    """(N, 2) places of patient points in a plane, mm."""
    return np.asarray(plane.patient_to_plane(PatientPoints(np.array(list(points_mm)))), float)


def _ends_mm(view: ReadView, truth: SliceTruth, plane: ImagePlane) -> tuple[float, ...]:
    """How far both ends of the one arc lie outside of the true ones, along the surface."""
    if len(view.arcs) != 1 or len(truth.arcs) != 1 or truth.centre_mm is None:
        return ()
    arc, true = view.arcs[0], truth.arcs[0]
    middle = _within(plane, [truth.centre_mm])[0]
    marked = _within(plane, [one.patient_mm for one in (arc.start, arc.end, arc.via)]) - middle
    ends = _within(plane, (true.start_mm, true.end_mm)) - middle
    start, end, via = np.degrees(np.arctan2(marked[:, 1], marked[:, 0])).tolist()
    if (via - start) % 360.0 > (end - start) % 360.0:
        start, end = end, start
    low, high = np.degrees(np.arctan2(ends[:, 1], ends[:, 0])).tolist()
    radii = np.hypot(*ends.T).tolist()
    return tuple(
        math.radians((turn + 180.0) % 360.0 - 180.0) * radius
        for turn, radius in zip((low - start, end - high), radii, strict=True)
    )


@dataclass(frozen=True)
class ReadHip:
    """A reading of a hip with its errors.

    Attributes
    ----------
    hip
        The hip.
    reading
        What was marked.
    order, session
        Its place in the list, and the day's sitting.
    views
        The errors of A and B.
    angles_deg
        The measured angles A and B.
    """

    hip: CalibrationHip
    reading: HipReading
    views: tuple[ViewErrors, ViewErrors]
    angles_deg: tuple[float, float]

    @property
    def ends_mm(self) -> tuple[float, ...]:
        """The ends of both views."""
        return self.views[0].ends_mm + self.views[1].ends_mm

    @property
    def truth_deg(self) -> tuple[float, float]:
        """The true sum on the marked slices, and in the head's centre planes."""
        a, b = self.views
        return a.slice_deg + b.slice_deg, a.centre_deg + b.centre_deg

    @property
    def cna_deg(self) -> float:
        """The measured sum."""
        return self.angles_deg[0] + self.angles_deg[1]


@dataclass(frozen=True)
class CalibrationResult:
    """What a calibration says of a reader.

    Attributes
    ----------
    calibration
        The calibration.
    reads
        What was read, first reads and repeats, in their order.
    left_out
        In plain sentences, what could not be compared.
    far_mm
        Arc ends beyond this are another structure's and count nowhere.
    """

    calibration: Calibration
    reads: tuple[ReadHip, ...]
    left_out: tuple[str, ...]
    far_mm: tuple[float, float]

    @property
    def firsts(self) -> tuple[ReadHip, ...]:
        """The first read of each hip."""
        return tuple(one for one in self.reads if one.reading.read_no == 1)

    @cached_property
    def ends(self) -> ReaderError:
        """Arc ends, mm outward."""
        return reader_error(self.kept(one) for one in self.firsts)

    @cached_property
    def rim(self) -> ReaderError:
        """Rim marks, mm outward."""
        return reader_error(
            [error for view in one.views for error in view.rim_mm] for one in self.firsts
        )

    @cached_property
    def slices(self) -> ReaderError:
        """How much further from the head's centre than the nearest slice the marked one lies."""
        return reader_error([_beyond_mm(view) for view in one.views] for one in self.firsts)

    @property
    def nearest_count(self) -> int:
        """Of how many views the slice nearest to the head's centre was marked."""
        return sum(_beyond_mm(view) < 1e-6 for one in self.firsts for view in one.views)

    def angles(self, place: int, *, on_slices: bool) -> ReaderError:
        """Of A (0) or B (1), degrees."""
        return reader_error(
            [one.angles_deg[place] - (view.slice_deg if on_slices else view.centre_deg)]
            for one in self.firsts
            for view in (one.views[place],)
        )

    def cna(self, *, on_slices: bool) -> ReaderError:
        """Of A + B, degrees."""
        return reader_error(
            [one.cna_deg - one.truth_deg[0 if on_slices else 1]] for one in self.firsts
        )

    def kept(self, one: ReadHip) -> tuple[float, ...]:
        """The arc ends of a reading that are no other structure's."""
        low, high = self.far_mm
        return tuple(end for end in one.ends_mm if low <= end <= high)

    @property
    def again(self) -> tuple[tuple[float, float], ...]:
        """Arc ends of the hips that were shown again: first read and second, mm outward."""
        firsts = {one.hip.subject: one for one in self.firsts}
        pairs = (
            zip(firsts[one.hip.subject].ends_mm, one.ends_mm, strict=False)
            for one in self.reads
            if one.reading.read_no == 2 and one.hip.subject in firsts
        )
        low, high = self.far_mm
        return tuple(
            pair for some in pairs for pair in some if all(low <= value <= high for value in pair)
        )

    @property
    def noise(self) -> ReaderNoise:
        """What ``study.toml`` takes."""
        return noise_of(self.calibration.reader, self.ends)

    def intervals(self, noise: EndNoise) -> tuple[float, int, int]:
        """Mean width of the combined angle's 95 % interval, how many hold the truth, of how many.

        Parameters
        ----------
        noise
            How the reader is taken to mark arc ends.
        """
        readings = [one.reading for one in self.firsts]
        low, high = measure_many(readings, None, Settings(end_noise=noise)).cna_bounds
        truth = np.array([one.truth_deg[1] for one in self.firsts])
        held = int(np.sum((low <= truth) & (truth <= high)))
        return float(np.mean(high - low)), held, len(readings)


def noise_of(reader: str, ends: ReaderError) -> ReaderNoise:
    """How a reader marks arc ends, as ``study.toml`` takes it.

    The bias is not taken off any angle: it widens the interval, ``bias² + se²``.

    Examples
    --------
    >>> noise_of("kim", reader_error([[0.5, -0.1], [0.9, 0.3], [-0.4, 0.2], [0.1, 0.5]])).end_dof
    7.0
    """
    return ReaderNoise(
        reader=reader,
        end_sd_mm=round(ends.sd, 3),
        end_bias_mm=round(math.hypot(ends.bias, ends.bias_se), 3),
        end_dof=round(max(ends.dof, 1.0), 1),
        source="calibration",
    )


def _beyond_mm(view: ViewErrors) -> float:
    return abs(view.offset_mm) - abs(view.nearest_mm)


def calibrated(
    calibration: Calibration, readings: Iterable[HipReading], truths: Truths | None = None
) -> CalibrationResult:
    """Hold a reader's readings against the truth.

    Parameters
    ----------
    calibration
        The calibration.
    readings
        The reader's readings, first reads and repeats.
    truths
        Its truths, where they are at hand.

    Raises
    ------
    MethodError
        If fewer than four hips can be compared.
    """
    known = truths or Truths(calibration)
    own = [one for one in readings if one.reader == calibration.reader]
    own.sort(key=lambda one: (one.read_no, one.conduct.read_order or 0, one.subject))
    measured = measure_many(own, None, DEFAULTS)
    found: list[ReadHip] = []
    left_out: list[str] = []
    for place, reading in enumerate(own):
        hip, problem = _compared(known, measured, place, reading)
        if hip is None:
            left_out.append(f"{_name(reading)}: {problem}")
        else:
            found.append(hip)
    far = _far_mm([end for one in found for end in one.ends_mm])
    left_out += [
        f"{_name(one.reading)}: an arc end lies {end:+.0f} mm off; look what was marked"
        for one in found
        for end in one.ends_mm
        if not far[0] <= end <= far[1]
    ]
    result = CalibrationResult(calibration, tuple(found), tuple(left_out), far)
    if len(result.firsts) < LEAST_HIPS:
        raise MethodError(f"{len(result.firsts)} hips can be compared; {LEAST_HIPS} are needed")
    return result


def _compared(
    truths: Truths, measured: Measured, place: int, reading: HipReading
) -> tuple[ReadHip | None, str]:
    """The errors of a reading, or why there are none."""
    hip = truths.hip(reading.subject)
    if hip is None or hip.side is not reading.laterality:
        return None, "no hip of this calibration"
    if place in measured.refused:
        return None, str(measured.refused[place])
    if any(not isinstance(view, ReadView) for view in reading.views):
        return None, "a view was not read"
    errors = [truths.errors(view) for view in reading.views if isinstance(view, ReadView)]
    a, b = errors
    if a is None or b is None:
        return None, "an image that is none of this calibration's, or does not cut the head"
    one = measured[place]
    if one.a is None or one.b is None or not (a.ends_mm and b.ends_mm):
        return None, "not one arc in each view"
    return ReadHip(hip, reading, (a, b), (one.a.angle_deg, one.b.angle_deg)), ""


def _far_mm(ends: Sequence[float]) -> tuple[float, float]:
    """Between which bounds an end is taken for one: by the median and the middle deviation."""
    if not ends:
        return (-math.inf, math.inf)
    middle = float(np.median(ends))
    spread = max(_USUAL_MM, 1.4826 * float(np.median(np.abs(np.array(ends) - middle))))
    return middle - _FAR * spread, middle + _FAR * spread


def _name(reading: HipReading) -> str:
    """A reading by its place in the list, which is all that its reader knows of it."""
    order = reading.conduct.read_order
    return f"case {order}" if order else f"{reading.subject}, read {reading.read_no}"


def by_stratum(result: CalibrationResult) -> dict[str, list[tuple[float, ...]]]:
    """Arc ends of first reads, hip by hip, by contrast and by size of the lesion: mm outward."""
    names = (*(contrast.value for contrast in Contrast), "smaller lesions", "larger lesions")
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for one in result.firsts:
        found[one.hip.contrast.value].append(result.kept(one))
        found[names[-2 if one.hip.size_deg < _MIDDLE_DEG else -1]].append(result.kept(one))
    return found


_MIDDLE_DEG = 50.0
"""Half angle from which a lesion is one of the larger ones."""
