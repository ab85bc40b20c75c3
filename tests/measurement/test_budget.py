"""The error budget: its closed form beside a plain one, what moves it, and what it must not do."""

import math

import msgspec
import numpy as np
import pytest
from hipmaker import make_arc, make_reading, make_view
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from necroangle.annotation import HipReading, Mark, NecroticArc, PlaneRecord, ReadView
from necroangle.geometry import ImagePlane, PatientPoints, PlanePoints, fit_circle
from necroangle.measurement import RadiusPrior, Settings, measure, measure_draft, measure_many
from necroangle.measurement.rim_shape import PRIORS, RimErrors, Rims, rim_errors
from necroangle.protocol.noise import EndNoise
from necroangle.selftest import Clicks, click_noise, round_hip
from necroangle.terms import Flag, View

Array = NDArray[np.float64]


def made_rims(seed: int, hips: int) -> tuple[list[Array], Array]:
    """(N, 2) rims of two views a hip, in the order of a hand, and a pull for each."""
    chance = np.random.default_rng(seed)
    rims = []
    for _ in range(2 * hips):
        count = int(chance.integers(6, 36))
        turn = np.radians(np.linspace(-1, 1, count) * chance.uniform(70, 130))
        radius = 24 + chance.normal(0, 0.5, count) + chance.normal(0, 0.4) * np.cos(2 * turn)
        rims.append(np.column_stack((radius * np.sin(turn) + 3, radius * np.cos(turn) - 5)))
    return rims, chance.normal(0, 0.06, (2, 2 * hips))


def errors_of(rims: list[Array], pull: Array, hips: int, scale: float = 1.0) -> RimErrors:
    fits = [fit_circle(PlanePoints(rim * scale)) for rim in rims]
    count = np.array([len(rim) for rim in rims])
    up = np.tile(np.array([[0.0], [1.0]]), (1, len(rims)))
    return rim_errors(
        Rims(
            points=np.concatenate(rims).T * scale,
            start=np.cumsum(count) - count,
            count=count,
            centre_mm=np.array([fit.circle.centre_mm for fit in fits]).T,
            radius_mm=np.array([fit.circle.radius_mm for fit in fits]),
            superior=up,
            weight=np.zeros(len(rims)),
        ),
        pull / scale,
        np.arange(len(rims)) // 2,
        np.ones(hips, bool),
        np.full(len(rims), 0.5 * scale),
    )


def plainly(rims: list[Array], pull: Array) -> tuple[Array, Array]:
    """(2, 2) covariance by the shape and (2,) variances by the rim, with matrices of 12 by 12."""
    tau = np.repeat(PRIORS.shape, 2)
    views = []
    for rim in rims:
        circle = fit_circle(PlanePoints(rim)).circle
        offsets = rim - circle.centre_mm
        turn = np.arctan2(offsets[:, 0], offsets[:, 1])
        design = np.column_stack((np.sin(turn), np.cos(turn), np.ones(len(turn))))
        views.append((circle.radius_mm, turn, np.hypot(*offsets.T) - circle.radius_mm, design))
    squares = sum(r @ r for _, _, r, _ in views) / sum(len(r) - 3 for _, _, r, _ in views)
    made = sum(r[1:] @ r[:-1] for _, _, r, _ in views) / squares
    fits = [np.linalg.solve(w.T @ w, w.T) for _, _, _, w in views]
    pairs = zip(views, fits, strict=True)
    lost = sum(np.diagonal(view[3] @ fit, 1).sum() for view, fit in pairs)
    number = sum(len(r) - 1 for _, _, r, _ in views)
    rho = np.clip((made + lost + 0.25 * 24) / (number + 24), 0, 0.8)
    noise = squares * (1 + rho) / (1 - rho)
    lever, information, seen = np.zeros((2, 12)), np.zeros((12, 12)), np.zeros(12)
    rim_variance = np.zeros(2)
    for k, ((radius, turn, r, design), fit) in enumerate(zip(views, fits, strict=True)):
        waves = [f(order * turn) for order in (2, 3, 4) for f in (np.cos, np.sin)]
        shape = np.column_stack(waves) * tau * radius
        left = shape - design @ (fit @ shape)
        part = slice(6 * k, 6 * k + 6)
        lever[k, part] = pull[:, k] @ fit[:2] @ shape
        information[part, part], seen[part] = shape.T @ left / noise, left.T @ r / noise
        rim_variance[k] = noise * pull[:, k] @ (fit @ fit.T)[:2, :2] @ pull[:, k]
    prior = np.eye(12)
    prior[0, 6] = prior[6, 0] = PRIORS.shared
    posterior = np.linalg.inv(np.linalg.inv(prior) + information)
    mean = posterior @ seen
    return lever @ (posterior + np.outer(mean, mean)) @ lever.T, rim_variance


def test_the_closed_form_is_the_plain_one() -> None:
    hips = 40
    rims, pull = made_rims(1, hips)
    found = errors_of(rims, pull, hips)
    for hip in range(hips):
        views = slice(2 * hip, 2 * hip + 2)
        shape, rim = plainly(rims[views], pull[:, views])
        assert found.shape[views] == pytest.approx(np.diag(shape), rel=1e-9)
        assert found.shared[hip] == pytest.approx(shape[0, 1], rel=1e-9, abs=1e-15)
        assert found.rim[views] == pytest.approx(rim, rel=1e-9)


def test_neither_company_nor_the_order_of_clicks_nor_the_unit_matters() -> None:
    rims, pull = made_rims(2, 30)
    all_ = errors_of(rims, pull, 30)
    first = errors_of(rims[:2], pull[:, :2], 1)
    assert first.rim.tolist() == all_.rim[:2].tolist()
    assert first.shape.tolist() == all_.shape[:2].tolist()
    assert first.shared.tolist() == all_.shared[:1].tolist()
    chance = np.random.default_rng(3)
    shuffled = errors_of([chance.permutation(rim) for rim in rims], pull, 30)
    double = errors_of(rims, pull, 30, scale=2.0)
    for other in (shuffled, double):
        assert other.rim == pytest.approx(all_.rim, rel=1e-9)
        assert other.shape == pytest.approx(all_.shape, rel=1e-8)


@pytest.mark.parametrize("span_deg", [130.0, 180.0, 220.0, 270.0])
def test_an_oval_moves_the_circle_as_its_lever_says(span_deg: float) -> None:
    """Beside fits to a contour with one harmonic of 0.03 mm."""
    turn = np.radians(np.linspace(-span_deg / 2, span_deg / 2, 36))
    expected = 0.0
    for order, share in zip((2, 3, 4), PRIORS.shape, strict=True):
        for wave in (np.cos, np.sin):
            radius = 24 + 0.03 * wave(order * turn)
            rim = np.column_stack((radius * np.sin(turn), radius * np.cos(turn)))
            moved = np.array(fit_circle(PlanePoints(rim)).circle.centre_mm)
            expected += (share * 24 * float(moved @ (0.03, 0.05)) / 0.03) ** 2
    chance = np.random.default_rng(4)
    radius = 24 + chance.normal(0, 100.0, 36)  # so rough that it says nothing of the shape
    rough = np.column_stack((radius * np.sin(turn), radius * np.cos(turn)))
    even = np.column_stack((24 * np.sin(turn), 24 * np.cos(turn)))
    pull = np.array([[0.03, 0.0], [0.05, 0.0]])
    found = _with_circle_of(even, rough, pull)
    assert found == pytest.approx(expected, rel=0.02)


def _with_circle_of(even: Array, rough: Array, pull: Array) -> float:
    """Shape variance of even marks whose partner view is so rough that nothing is seen."""
    circle = fit_circle(PlanePoints(even)).circle
    rims = Rims(
        points=np.concatenate((even, rough)).T,
        start=np.array([0, len(even)]),
        count=np.array([len(even), len(rough)]),
        centre_mm=np.array([circle.centre_mm, circle.centre_mm]).T,
        radius_mm=np.full(2, circle.radius_mm),
        superior=np.array([[0.0, 0.0], [1.0, 1.0]]),
        weight=np.zeros(2),
    )
    found = rim_errors(rims, pull, np.zeros(2, np.intp), np.zeros(1, bool), np.full(2, 0.5))
    return float(found.shape[0])


def test_a_longer_rim_helps_and_more_marks_do_not() -> None:
    """Marks of a round head; the shape that they cannot see stays as it is assumed."""

    def shape_deg(span: float, count: int) -> float:
        hip = click_noise(
            round_hip(Clicks(span, count, 0.5, 0.5), 100.0),
            Clicks(span, count, 0.5, 0.5),
            np.random.default_rng(5),
        )
        found = measure_many([hip])
        return float(np.degrees(np.sqrt(found.budget.shape[0])))

    assert shape_deg(180, 12) > 1.6 * shape_deg(270, 12)
    assert shape_deg(150, 38) > 0.7 * shape_deg(150, 12)


def with_arcs(*pairs: tuple[float, float]) -> HipReading:
    """A hip whose coronal arcs start somewhere and have an angle."""
    coronal = make_view(View.CORONAL, 100.0)
    assert isinstance(coronal, ReadView)
    plane = coronal.plane.plane()
    centre = plane.patient_to_plane(PatientPoints(np.array([(90.0, -10.0, 35.0)])))[0].tolist()
    arcs = tuple(
        make_arc(plane, centre, start_deg=start, angle_deg=angle) for start, angle in pairs
    )
    view = msgspec.structs.replace(coronal, arcs=arcs)
    return make_reading(views=(view, make_view(View.SAGITTAL, 60.0)))


@pytest.mark.parametrize(
    "arcs",
    [
        ((200.0, 100.0), (200.0, 100.0)),
        ((200.0, 100.0), (200.0, 60.0)),
        ((200.0, 40.0), (240.0, 60.0)),
        ((200.0, 70.0), (240.0, 60.0)),
    ],
)
def test_arcs_that_share_an_end_have_the_ends_of_their_union(
    arcs: tuple[tuple[float, float], ...],
) -> None:
    one, several = measure(with_arcs((200.0, 100.0))).a, measure(with_arcs(*arcs)).a
    assert one is not None
    assert several is not None
    assert several.angle_deg == pytest.approx(one.angle_deg, abs=1e-6)
    assert several.estimate.se_marking == pytest.approx(one.estimate.se_marking, abs=1e-6)
    assert several.estimate.se == pytest.approx(one.estimate.se, rel=0.05)


@pytest.mark.parametrize("angle_deg", [4.0, 100.0, 356.0])
def test_no_interval_leaves_what_an_angle_can_be(angle_deg: float) -> None:
    found = measure(make_reading(angle_deg, angle_deg))
    assert found.a is not None
    assert found.cna is not None
    for estimate, most in ((found.a.estimate, 360.0), (found.cna, 720.0)):
        low, high = estimate.interval_95()
        assert 0 <= low <= estimate.value <= high <= most


def test_a_cut_off_is_near_where_another_grade_has_a_chance_of_a_tenth() -> None:
    seen = set()
    for angle in np.arange(150.0, 320.0, 2.5).tolist():
        found = measure(make_reading(angle / 2, angle / 2))
        assert found.ha_grade is not None
        other = 1 - found.grade_probability[found.ha_grade - 1]
        assert (Flag.NEAR_CUTOFF in found.flags) == (other > 0.1)
        seen.add(Flag.NEAR_CUTOFF in found.flags)
    assert seen == {True, False}


def test_a_careless_reader_has_a_wider_interval_and_a_known_one_a_narrower() -> None:
    readings = [make_reading(100.0, 80.0, reader=name) for name in ("kim", "lee", "park")]
    known = (
        ("kim", EndNoise(0.7, 0.1, 60.0, "repeats")),
        ("lee", EndNoise(1.8, 0.5, 60.0, "repeats")),
    )
    found = measure_many(readings, None, Settings(of_readers=known))
    kim, lee, park = (found[place] for place in range(3))
    widths = [
        high - low for one in (kim, park, lee) if one.cna for low, high in [one.cna.interval_95()]
    ]
    assert widths == sorted(widths)
    assert len(set(widths)) == 3
    alone = measure(readings[1], None, Settings(of_readers=known)).cna
    assert alone == lee.cna


def test_a_slice_known_to_lie_off_the_centre_is_less_sure() -> None:
    errors = []
    for offset in (0.0, 2.0, 4.0):
        coronal = make_view(View.CORONAL, 100.0, offset_mm=offset)
        found = measure(make_reading(views=(coronal, make_view(View.SAGITTAL, 80.0)))).a
        assert found is not None
        errors.append(found.estimate.se)
    assert errors == sorted(errors)
    assert math.sqrt(errors[2] ** 2 - errors[0] ** 2) == pytest.approx(4.0 * 2.5, rel=0.1)


def test_a_film_has_one_interval_with_and_without_its_scale() -> None:
    def film(spacing: tuple[float, float], *, calibrated: bool) -> HipReading:
        ap = make_view(View.AP, 100.0, spacing_mm=spacing, calibrated=calibrated)
        lateral = make_view(View.FROG_LEG, 80.0, spacing_mm=spacing, calibrated=calibrated)
        return make_reading(views=(ap, lateral))

    first, second = (measure(film((0.6, 0.45), calibrated=flag)).cna for flag in (True, False))
    assert first is not None
    assert second is not None
    assert first.interval_95() == pytest.approx(second.interval_95(), abs=1e-9)


OF_SCALE = {Flag.UNCALIBRATED, Flag.RADIUS_UNLIKELY}
"""What a film without its spacing tag may be told beside a film with it, or the other way round."""


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    spacing_mm=st.floats(0.09, 0.3),
    noise_mm=st.floats(0.1, 2.0),
    off_mm=st.floats(-6, 6),
    marks=st.integers(7, 40),
    prior=st.booleans(),
)
def test_a_spacing_tag_changes_neither_interval_nor_doubts_of_a_film(
    seed: int, spacing_mm: float, noise_mm: float, off_mm: float, marks: int, prior: bool
) -> None:
    chance = np.random.default_rng(seed)
    known = RadiusPrior(24.0, 2.0, "another film") if prior else None
    films = [rough_film(view, spacing_mm, noise_mm, off_mm, marks, chance) for view in FILMS]
    for views in films:
        assert views[0].plane.row_spacing_mm == spacing_mm
        assert views[1].plane.row_spacing_mm == 1.0
    with_tag, without = (
        measure_draft(make_reading(views=(films[0][k], films[1][k])), Settings(radius_prior=p))
        for k, p in ((0, None), (1, known))
    )
    assert with_tag.cna is not None
    assert without.cna is not None
    assert without.cna_deg == pytest.approx(with_tag.cna_deg, abs=1e-5)
    for low, high in zip(without.cna.interval_95(), with_tag.cna.interval_95(), strict=True):
        assert low == pytest.approx(high, rel=1e-6, abs=1e-5)
    for one, other in ((with_tag.a, without.a), (with_tag.b, without.b)):
        assert one is not None
        assert other is not None
        assert set(one.flags) - OF_SCALE == set(other.flags) - OF_SCALE
        named = [[mark.index for mark in view.rim_misplaced] for view in (one, other)]
        assert named[0] == named[1]
    assert set(with_tag.flags) - OF_SCALE == set(without.flags) - OF_SCALE


FILMS = (View.AP, View.FROG_LEG)


def rough_film(
    view: View,
    spacing_mm: float,
    noise_mm: float,
    off_mm: float,
    marks: int,
    chance: np.random.Generator,
) -> tuple[ReadView, ReadView]:
    """A film with a noisy rim, one mark and an arc's end off it; and the same without its tag."""
    made = make_view(view, 100.0, spacing_mm=(spacing_mm, spacing_mm), start_deg=215.0)
    assert isinstance(made, ReadView)
    plane = made.plane.plane()
    u, v = plane.patient_to_plane(PatientPoints(np.array([(100.0, 90.0, 0.0)])))[0].tolist()
    turn = np.radians(np.linspace(150, 380, marks))
    away = 24.0 + chance.normal(0, noise_mm, marks)
    away[marks // 3] += off_mm
    rim = [
        Mark.at_plane(plane, u + r * math.cos(t), v + r * math.sin(t))
        for r, t in zip(away.tolist(), turn.tolist(), strict=True)
    ]
    (arc,) = made.arcs
    end = np.radians(215.0)
    start = Mark.at_plane(
        plane, u + (24 + off_mm) * math.cos(end), v + (24 + off_mm) * math.sin(end)
    )
    arc = NecroticArc(start, arc.end, arc.via)
    tagged = msgspec.structs.replace(made, rim=tuple(rim), arcs=(arc,))
    bare = PlaneRecord.of(
        ImagePlane.from_dicom((0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0), (1.0, 1.0)),
        (256, 320),
        frame="detector",
        calibrated=False,
    )

    def again(mark: Mark) -> Mark:
        return Mark.at_pixel(bare.plane(), *mark.pixel)

    untagged = msgspec.structs.replace(
        tagged,
        plane=bare,
        rim=tuple(map(again, rim)),
        arcs=(NecroticArc(again(arc.start), again(arc.end), again(arc.via)),),
    )
    return tagged, untagged
