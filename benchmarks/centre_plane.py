"""How well the centre plane and the surface share are found, on lesions whose truth is known.

``python benchmarks/centre_plane.py`` prints the tables of ``docs/centre_plane.md`` (three minutes);
``--moved`` only that of patients who moved between the two series, and whether its targets are met.

A head of radius 20 to 28 mm, coronal or sagittal slices 3 to 4.4 mm apart, the stack shifted
anywhere against the head. A reader sets 12 rim marks over 220 degrees of each of the two slices
beside the centre and of one slice of the other view, and the arc ends, every mark with a noise of
0.5 mm along u and along v. Head centre and radius are the sphere through the rim marks.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from doubtinghand import Case, Hips, read_stacks

from necroangle.geometry import ImagePlane, PatientPoints, PlanePoints, arc_through, fit_circle
from necroangle.geometry.arc import arcs_about
from necroangle.geometry.point_sets import PointSets, runs
from necroangle.geometry.sphere import SphereFit, fit_sphere, fit_spheres
from necroangle.measurement import METHODS
from necroangle.measurement.bands import SliceArcs
from necroangle.measurement.doubts import LIMITS
from necroangle.measurement.marks import above, in_patient, in_plane
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.slices import CentrePlane, centre_plane, surface_share
from necroangle.phantom.model import Lesion, PhantomHip
from necroangle.phantom.truth import cap_union_deg
from necroangle.terms import Laterality

NOISE_MM = 0.5
RIM_COUNT = 12
RIM_SPAN_DEG = 220.0
OFF_MM = 4.0
TILTS_DEG = (0.0, 10.0, 20.0, 30.0)
CENTRE_MM = (88.0, -12.0, 34.0)
AXES = {
    "coronal": np.array(((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))),
    "sagittal": np.array(((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0))),
}
"""Row cosine, column cosine and normal of the two views."""

Floats = NDArray[np.float64]
Intervals = tuple[tuple[float, float], ...]
Shape = Callable[[float, Floats], Intervals]
"""(offset mm, axes) to the necrotic (lower, upper) directions there, degrees."""


@dataclass(frozen=True)
class Head:
    """A head, its lesion's true cuts, and the view that is marked."""

    radius_mm: float
    lesion: Shape
    view: str

    @property
    def axes(self) -> Floats:
        return AXES[self.view]

    def plane(self, offset_mm: float, view: str | None = None) -> ImagePlane:
        axes = AXES[view or self.view]
        origin = np.array(CENTRE_MM) + offset_mm * axes[2] - 60.0 * (axes[0] + axes[1])
        return ImagePlane.from_dicom(origin.tolist(), [*axes[0], *axes[1]], (0.6, 0.6))

    def truth_deg(self, offset_mm: float = 0.0) -> float:
        return sum(high - low for low, high in self.lesion(offset_mm, self.axes))

    def truth_share(self) -> float:
        """Trapezoids over 399 planes, denser at both ends, by the exact angle on each."""
        offsets = self.radius_mm * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 401))[1:-1]
        angles = [self.truth_deg(float(offset)) for offset in offsets]
        return float(np.trapezoid(angles, offsets)) / (720.0 * self.radius_mm)


def cap_head(
    rng: np.random.Generator, tilt_deg: float, half_angles_deg: tuple[float, float] = (35.0, 65.0)
) -> Head:
    """One cap, its axis tilted from superior in any direction."""
    return _head(rng, [(tilt_deg, rng.uniform(*half_angles_deg), rng.uniform(0, 2 * np.pi))])


def two_cap_head(rng: np.random.Generator, tilt_deg: float) -> Head:
    """Two overlapping caps, 25 to 45 degrees apart: a boundary with two corners."""
    turn, apart = rng.uniform(0, 2 * np.pi), rng.uniform(25, 45)
    caps = [(tilt_deg, rng.uniform(30, 45), turn)]
    caps.append((abs(tilt_deg - apart), rng.uniform(25, 40), turn + np.pi * (apart > tilt_deg)))
    return _head(rng, caps)


def oval_head(rng: np.random.Generator, tilt_deg: float) -> Head:
    """An elliptic cone, half angles 35 to 65 degrees, the smaller 0.6 to 0.9 of the larger."""
    wide = np.radians(rng.uniform(35, 65))
    widths = np.tan((wide, wide * rng.uniform(0.6, 0.9)))
    axis = _axis(tilt_deg, rng.uniform(0, 2 * np.pi))
    side = np.cross(axis, rng.normal(size=3))
    side /= np.linalg.norm(side)
    frame = np.array((side, np.cross(axis, side), axis))
    radius = rng.uniform(20, 28)
    return Head(radius, partial(_oval_intervals, frame, widths, radius), _any_view(rng))


def mark(
    rng: np.random.Generator, head: Head, offsets: Floats, rims: Floats | None = None
) -> tuple[SphereFit, list[SliceArcs]]:
    """The sphere of the rim marks, and the arcs marked on slices at true offsets.

    The rim is marked on the slices at ``rims`` (the same by default) and on the other view.
    """
    other = "sagittal" if head.view == "coronal" else "coronal"
    marks = [_rim(rng, head, offset, head.view) for offset in (offsets if rims is None else rims)]
    marks.append(_rim(rng, head, rng.uniform(-2, 2), other))
    fit = fit_sphere(PatientPoints(np.concatenate(marks)))
    return fit, [_marked_slice(rng, head, fit, offset) for offset in offsets]


def centre_trial(
    rng: np.random.Generator, head: Head, around: int = 1
) -> tuple[CentrePlane, SphereFit]:
    """The angle from ``around`` slices on each side of the centre, the stack anywhere."""
    step = rng.uniform(3.0, 4.4)
    offsets = np.asarray(step * (np.arange(1 - around, 1 + around) - rng.uniform()), float)
    near = offsets[around - 1 : around + 1]
    fit, slices = mark(rng, head, offsets, near)
    return centre_plane(slices, fit.sphere.radius_mm), fit


def single_trial(rng: np.random.Generator, head: Head) -> float:
    """The angle on one slice up to 4 mm off, by its own head circle."""
    offset = rng.uniform(-OFF_MM, OFF_MM)
    plane = head.plane(offset)
    fit = fit_circle(plane.patient_to_plane(PatientPoints(_rim(rng, head, offset, head.view))))
    circle = fit.circle
    arcs = _arcs(rng, head, offset, np.array(circle.centre_mm), circle.radius_mm)
    return sum(angle for _, angle in arcs)


def centre_errors(
    make: Callable[[np.random.Generator, float], Head],
    tilt_deg: float,
    count: int,
    seed: int = 20240611,
    around: int = 1,
) -> Floats:
    """(count, 3): error of the centre plane, of the single slice, and whether it was bounded."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        head = make(rng, tilt_deg)
        found, _ = centre_trial(rng, head, around)
        truth = head.truth_deg()
        rows.append((found.angle_deg - truth, single_trial(rng, head) - truth, found.bounded))
    return np.array(rows, float)


def share_errors(
    make: Callable[[np.random.Generator, float], Head], count: int, noisy: bool, seed: int = 7
) -> Floats:
    """(count, 2) relative errors of the share, slices 4 mm apart, and whether they cover it."""
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(count):
        head = make(rng, rng.uniform(0, 30))
        offsets = 4.0 * (np.arange(-8, 9) - rng.uniform())
        offsets = offsets[np.abs(offsets) < head.radius_mm - 1.0]
        near = np.sort(offsets[np.argsort(np.abs(offsets))[:2]])
        if noisy:
            fit, slices = mark(rng, head, offsets, near)
            radius = fit.sphere.radius_mm
        else:
            slices = [_true_slice(head, offset) for offset in offsets]
            radius = head.radius_mm
        found = surface_share(slices, radius)
        errors.append((found.share / head.truth_share() - 1.0, found.covered))
    return np.array(errors, float)


def _head(rng: np.random.Generator, caps: list[tuple[float, float, float]]) -> Head:
    radius = rng.uniform(20, 28)
    lesions = tuple(
        Lesion((float(x), float(y), float(z)), float(half))
        for (x, y, z), half in ((_axis(tilt, turn), half) for tilt, half, turn in caps)
    )
    hip = PhantomHip(Laterality.LEFT, CENTRE_MM, radius, lesions)
    return Head(radius, partial(cap_union_deg, hip), _any_view(rng))


def _any_view(rng: np.random.Generator) -> str:
    return "coronal" if rng.uniform() < 0.5 else "sagittal"


def _axis(tilt_deg: float, turn: float) -> Floats:
    tilt = np.radians(tilt_deg)
    axis = np.array((np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)))
    return np.asarray(axis / np.linalg.norm(axis), float)


def _oval_intervals(
    frame: Floats, widths: Floats, radius: float, offset: float, axes: Floats
) -> Intervals:
    """Where ``(x / wx)² + (y / wy)² <= z²``, z > 0, along a slice's circle; by 2880 directions."""
    circle = np.sqrt(radius**2 - offset**2)

    def depth(turns: Floats) -> Floats:
        arms = np.outer(np.cos(turns), axes[0]) + np.outer(np.sin(turns), axes[1])
        x, y, z = frame @ (circle * arms + offset * axes[2]).T
        return np.asarray(z - np.hypot(x / widths[0], y / widths[1]), float)

    turns = np.linspace(0, 2 * np.pi, 2880, endpoint=False) + 0.001
    values = depth(turns)
    after = np.roll(values, -1)
    step = turns[1] - turns[0]
    crossing = turns + step * values / np.where(values == after, 1.0, values - after)
    lows = np.degrees(crossing[(values < 0) & (after >= 0)])
    highs = np.degrees(crossing[(values >= 0) & (after < 0)])
    if not len(lows):
        return ((0.0, 360.0),) if values[0] >= 0 else ()
    return tuple((float(low), float(low + np.min((highs - low) % 360.0))) for low in lows)


def _noisy(rng: np.random.Generator, points: Floats) -> PlanePoints:
    return PlanePoints(points + rng.normal(scale=NOISE_MM, size=points.shape))


def _rim(rng: np.random.Generator, head: Head, offset: float, view: str) -> Floats:
    """(12, 3) rim marks over the upper 220 degrees of a slice, patient mm."""
    half = RIM_SPAN_DEG / 2
    turns = np.radians(270.0 + np.linspace(-half, half, RIM_COUNT))
    circle = np.sqrt(head.radius_mm**2 - offset**2)
    arms = np.column_stack((np.cos(turns), np.sin(turns)))
    return head.plane(offset, view).plane_to_patient(_noisy(rng, 60.0 + circle * arms))


def _arcs(
    rng: np.random.Generator, head: Head, offset: float, centre: Floats, radius: float
) -> Intervals:
    """The arcs marked on a slice as (middle, angle); ends that pass each other are set anew."""
    circle = np.sqrt(head.radius_mm**2 - offset**2)
    found = []
    for low, high in head.lesion(offset, head.axes):
        turns = np.radians((low, high, (low + high) / 2))
        ends = 60.0 + circle * np.column_stack((np.cos(turns), np.sin(turns)))
        while True:
            marks = PlanePoints(np.vstack((_noisy(rng, ends[:2]), ends[2:])))
            arc = arc_through(centre.tolist(), radius, marks)
            if abs(arc.angle_deg - (high - low)) < 90.0:
                break
        found.append((arc.interval_deg()[0] + arc.angle_deg / 2, arc.angle_deg))
    return tuple(found)


def _marked_slice(rng: np.random.Generator, head: Head, fit: SphereFit, offset: float) -> SliceArcs:
    plane = head.plane(offset)
    centre = PatientPoints(np.array([fit.sphere.centre_mm]))
    shown = plane.patient_to_plane(centre)[0]
    away = -float(plane.distance_mm(centre)[0])
    return SliceArcs(away, _arcs(rng, head, offset, shown, fit.sphere.radius_mm))


def _true_slice(head: Head, offset: float) -> SliceArcs:
    cuts = head.lesion(offset, head.axes)
    return SliceArcs(offset, tuple(((low + high) / 2, high - low) for low, high in cuts))


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def print_centre_table(count: int = 2000) -> None:
    """RMS error of the angle by shape and tilt: the centre plane beside the single slice."""
    print(
        "| lesion | tilt | single slice | its largest error | **centre plane** | with 4 slices "
        "| bounded | centre plane there |"
    )
    print("| --- " * 8 + "|")
    for name, make in SHAPES.items():
        for tilt in TILTS_DEG:
            found = centre_errors(make, tilt, count)
            four = centre_errors(make, tilt, count, around=2)
            bounded = found[:, 2] > 0
            there = f"{_rms(found[bounded, 0]):.1f}°" if bounded.any() else "-"
            print(
                f"| {name} | {tilt:.0f}° | {_rms(found[:, 1]):.2f}° "
                f"| {np.abs(found[:, 1]).max():.1f}° | **{_rms(found[:, 0]):.2f}°** "
                f"| {_rms(four[:, 0]):.2f}° | {bounded.mean():.1%} | {there} |"
            )


def print_share_table(count: int = 300) -> None:
    """Relative error of the surface share by shape, where the slices cover the lesion."""
    print(
        "| lesion | exact marks: RMS | largest | 0.5 mm noise: mean | RMS | within 3 % | covered |"
    )
    print("| --- " * 7 + "|")
    for name, make in SHAPES.items():
        found = [share_errors(make, count, noisy=noisy) for noisy in (False, True)]
        exact, noisy = (errors[errors[:, 1] > 0, 0] for errors in found)
        print(
            f"| {name} | {_rms(exact):.2%} | {np.abs(exact).max():.2%} | {noisy.mean():+.2%} "
            f"| {_rms(noisy):.2%} | {np.mean(np.abs(noisy) <= 0.03):.1%} "
            f"| {found[1][:, 1].mean():.1%} |"
        )


MOVES_MM = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
MOST_RMSE_DEG = 4.2


@dataclass(frozen=True)
class Moved:
    """Errors of the coronal angle where the patient moved along its normal, and what is told.

    Attributes
    ----------
    rmse_deg, coverage
        Of the centre plane; of the single slice nearest to where the other view sees the centre,
        where one slice alone is marked.
    one_sphere_deg
        Of the centre plane about one sphere through the rims of both views; None of one slice.
    told
        Share of the hips flagged ``head_moved``.
    """

    rmse_deg: float
    coverage: float
    one_sphere_deg: float | None
    told: float


def moved_errors(slices: int, moved_mm: float, count: int, seed: int = 77) -> Moved:
    """Hips with lesions tilted by 20 degrees, slices 4 mm apart, rims of 12 marks over 220°."""
    case = Case("moved", moved_mm=moved_mm, tilt_deg=20.0)
    hips = read_stacks(case, count, seed, slices)
    method = METHODS["centre_plane" if slices > 1 else "ha_mr_midslice"]
    found = measure_batch(hips.batch, method, judged=False)
    kept = np.array([place not in found.refused for place in range(count)])
    truth = hips.truth_deg[:, 0]
    low, high = (bound[::2] for bound in found.view_bounds)
    off = found.views.angle.value[::2] - truth
    z = np.nan_to_num(found.stacks.moved_z[::2])
    sphere = one_sphere_deg(hips)[kept] - truth[kept] if slices > 1 else None
    return Moved(
        _rms(off[kept]),
        float(np.mean(((low <= truth) & (truth <= high))[kept])),
        None if sphere is None else _rms(sphere),
        float(np.mean(z[kept] > LIMITS.moved_z)),
    )


def one_sphere_deg(hips: Hips) -> Floats:
    """The coronal angles on the plane through the centre of one sphere through all rims."""
    batch = hips.batch
    number = len(batch.slice_view) // batch.size
    marks = runs(batch.rim_start, batch.rim_count)
    planes = batch.planes.of(np.repeat(np.arange(len(batch.slice_view)), batch.rim_count))
    points = np.array(in_patient(batch.points[:, marks], planes))
    sets = points.reshape(3, batch.size, -1).transpose(0, 2, 1)
    spheres = fit_spheres(PointSets.alike(np.ascontiguousarray(sets)))
    hip = np.repeat(np.arange(batch.size), number)
    centre, radius = spheres.centre_mm[:, hip], spheres.radius_mm[hip]
    height = above(centre, batch.planes)
    circle = np.sqrt(np.maximum(radius**2 - height**2, 0.0))
    arcs = arcs_about(
        batch.arc_points(np.arange(len(hip))),
        np.arange(len(hip)),
        np.array(in_plane(centre, batch.planes)),
        circle,
    )
    angle = np.abs(arcs.extent_deg)
    found = []
    for one in range(batch.size):
        places = range(one * number, one * number + number // 2)
        slices = [
            SliceArcs(-height[k], ((arcs.low[k] + angle[k] / 2, angle[k]),))
            for k in places
            if abs(height[k]) < radius[k]
        ]
        found.append(centre_plane(slices, float(spheres.radius_mm[one])).angle_deg)
    return np.array(found)


def print_moved_table(count: int = 2000) -> bool:
    """RMS error by the rims of a view and the movement; whether the targets are met."""
    found = {
        (slices, moved): moved_errors(slices, moved, count)
        for slices in (1, 2, 3, 5)
        for moved in MOVES_MM
    }
    print(
        "| moved along the normal | " + " | ".join(f"{moved:.0f} mm" for moved in MOVES_MM) + " |"
    )
    print("| --- " * (len(MOVES_MM) + 1) + "|")
    for slices, name in ((1, "single slice"), (2, "two rims"), (3, "three rims"), (5, "five rims")):
        row = [found[slices, moved] for moved in MOVES_MM]
        own = [f"{one.rmse_deg:.1f}° ({one.coverage:.2f})" for one in row]
        if slices > 1:
            sphere = [f"{one.one_sphere_deg:.1f}°" for one in row]
            print(f"| {name}: one sphere for both views | " + " | ".join(sphere) + " |")
            own = [f"**{cell}**" for cell in own]
            name += ": each view's own centre"
        print(f"| {name} | " + " | ".join(own) + " |")
        if slices > 1:
            print("| flagged | " + " | ".join(f"{one.told:.1%}" for one in row) + " |")
    three, still = found[3, 3.0].rmse_deg, found[3, 0.0]
    assert still.one_sphere_deg is not None
    targets = {
        f"three rims, 3 mm: at most {MOST_RMSE_DEG}°": three <= MOST_RMSE_DEG,
        "two rims: not above the single slice": all(
            found[2, moved].rmse_deg <= found[1, moved].rmse_deg for moved in MOVES_MM
        ),
        "three rims, not moved: at most 5 % above one sphere": still.rmse_deg
        <= 1.05 * still.one_sphere_deg,
    }
    for name, met in targets.items():
        print(f"{'pass' if met else 'MISS'}: {name}")
    return all(targets.values())


SHAPES = {"cap": cap_head, "two caps": two_cap_head, "oval": oval_head}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moved", action="store_true", help="patients who moved alone")
    if not parser.parse_args().moved:
        print_centre_table()
        print()
        print_share_table()
        print()
    sys.exit(not print_moved_table())
