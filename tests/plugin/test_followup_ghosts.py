"""An earlier visit's marks land on the same anatomy of the present one, and its change is told."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hipmaker import SHAPE, make_plane, make_reading, make_rim, make_view
from hypothesis import given
from hypothesis import strategies as st
from napari_necroangle.reading.case import Picture
from napari_necroangle.reading.draft import Handle, ReadingDraft, Role
from napari_necroangle.reading.followup import change_words
from napari_necroangle.reading.ghosts import ghost_of
from napari_necroangle.reading.session import ReadingSession
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ReadView, file_name, save_reading
from necroangle.batch.other_visits import Earlier, StudyRules, earlier_readings
from necroangle.cohort import CohortStore
from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.imaging import Volume
from necroangle.ledger.records import Entry
from necroangle.protocol.visits import Visit
from necroangle.study import init_study
from necroangle.terms import Laterality, SourceImage, View

CENTRE_MM = (90.0, -10.0, 35.0)
RADIUS_MM = 24.0
Points = NDArray[np.float64]
MR = (View.CORONAL, View.SAGITTAL)


def stack(view: View, middle: ImagePlane, step_mm: float = 2.0, count: int = 25) -> Picture:
    """A stack of parallel planes about a middle one, of another frame of reference."""
    planes, sources = [], []
    for number in range(count):
        offset = (number - count // 2) * step_mm * middle.normal
        x, y, z = (np.array(middle.origin_mm) + offset).tolist()
        planes.append(
            ImagePlane(
                (x, y, z),
                middle.row_cosine,
                middle.column_cosine,
                middle.row_spacing_mm,
                middle.column_spacing_mm,
            )
        )
        sources.append(SourceImage("9", f"9.{view}", f"9.{view}.{number}", 1, "9.9.9"))
    pixels = np.zeros((count, 8, 8), np.int16)
    return Picture(view, Volume(pixels, tuple(planes), tuple(sources), step_mm))


def mark_circle(session: ReadingSession, picture: Picture, index: int, centre_mm: Points) -> None:
    """Mark the rim of a ball's circle on a slice of the present stack."""
    plane = picture.volume.planes[index]
    u, v = plane.patient_to_plane(PatientPoints(centre_mm[None]))[0].tolist()
    off = abs(float(plane.distance_mm(PatientPoints(centre_mm[None]))[0]))
    radius = (RADIUS_MM**2 - off**2) ** 0.5
    for number, turn in enumerate(np.radians(np.arange(0, 360, 36))):
        place = (u + radius * np.cos(turn), v + radius * np.sin(turn))
        session.place(picture.view, Handle(Role.RIM, number), picture.marked_slice(index), place)


def ball_gap_mm(picture: Picture, index: int, points_mm: Points, expected: Points) -> float:
    """Largest distance within the slice between drawn points and true anatomy, mm."""
    plane = picture.volume.planes[index]
    truth = plane.patient_to_plane(PatientPoints(expected))
    return float(np.abs(np.asarray(truth) - points_mm).max())


@given(
    moved_mm=st.tuples(*[st.floats(-15.0, 15.0)] * 3),
    turn_deg=st.tuples(*[st.floats(-6.0, 6.0)] * 3),
    angle_deg=st.floats(30.0, 200.0),
    spacing=st.tuples(st.floats(0.4, 1.2), st.floats(0.4, 1.2)),
    placed=st.sampled_from(["own circle", "other view"]),
)
def test_a_ghost_lands_on_the_same_anatomy(
    moved_mm: tuple[float, float, float],
    turn_deg: tuple[float, float, float],
    angle_deg: float,
    spacing: tuple[float, float],
    placed: str,
) -> None:
    """The head is elsewhere, the planes are tilted, pixels differ: within 0.5 mm."""
    earlier = Earlier.of(make_reading(angle_deg, 80.0))
    shift = np.array(moved_mm)
    head = np.array(CENTRE_MM) + shift
    pictures = {
        view: stack(
            view, make_plane(view, through_mm=head.tolist(), turn_deg=turn_deg, spacing_mm=spacing)
        )
        for view in MR
    }
    session = ReadingSession(MR, laterality=Laterality.LEFT)
    marked = View.CORONAL if placed == "own circle" else View.SAGITTAL
    mark_circle(session, pictures[marked], 12, head)
    ghost = ghost_of(earlier, View.CORONAL, session.outcome(), pictures[View.CORONAL])
    assert ghost is not None
    assert ghost.placed_by == placed
    assert ghost.slice_index == 12
    entry = earlier.reading.views[0]
    assert isinstance(entry, ReadView)
    (arc,) = entry.arcs
    ends = np.array([arc.start.patient_mm, arc.end.patient_mm]) + shift
    drawn = np.array([ghost.drawing.rays[0, 1], ghost.drawing.rays[1, 1]])
    assert ball_gap_mm(pictures[View.CORONAL], 12, drawn, ends) < 0.5
    centre = ghost.drawing.rays[0, 0]
    assert ball_gap_mm(pictures[View.CORONAL], 12, centre[None], head[None]) < 0.5


@pytest.mark.parametrize("offset_mm", [-6.0, 0.0, 6.0])
def test_the_slice_with_the_earlier_offset_is_found(offset_mm: float) -> None:
    """A slice that cut the head behind its centre finds its like, not the middle one."""
    views = (make_view(View.CORONAL, 100.0, offset_mm=offset_mm), make_view(View.SAGITTAL, 80.0))
    earlier = Earlier.of(make_reading(views=views))
    head = np.add(CENTRE_MM, (3.0, 7.0, -5.0))
    pictures = {view: stack(view, make_plane(view, through_mm=head.tolist())) for view in MR}
    session = ReadingSession(MR, laterality=Laterality.LEFT)
    mark_circle(session, pictures[View.SAGITTAL], 12, head)
    ghost = ghost_of(earlier, View.CORONAL, session.outcome(), pictures[View.CORONAL])
    assert ghost is not None
    plane = pictures[View.CORONAL].volume.planes[ghost.slice_index]
    normal = np.array(plane.normal)
    found_mm = float((np.array(plane.origin_mm) - head) @ normal)
    assert found_mm == pytest.approx(offset_mm, abs=1e-6)


def test_nothing_is_drawn_before_the_visits_are_tied_together() -> None:
    earlier = Earlier.of(make_reading())
    picture = stack(View.CORONAL, make_plane(View.CORONAL))
    session = ReadingSession(MR, laterality=Laterality.LEFT)
    assert ghost_of(earlier, View.CORONAL, session.outcome(), picture) is None


def test_one_frame_of_reference_needs_no_circle() -> None:
    earlier = Earlier.of(make_reading())
    picture = stack(View.CORONAL, make_plane(View.CORONAL))
    sources = tuple(
        SourceImage(s.study_uid, s.series_uid, s.instance_uid, 1, "1.2.826.0.1")
        for s in picture.volume.sources
    )
    volume = Volume(picture.volume.pixels, picture.volume.planes, sources, 2.0)
    session = ReadingSession(MR, laterality=Laterality.LEFT)
    ghost = ghost_of(earlier, View.CORONAL, session.outcome(), Picture(View.CORONAL, volume))
    assert ghost is not None
    assert (ghost.placed_by, ghost.slice_index) == ("frame of reference", 12)


@pytest.mark.parametrize("magnified", [0.8, 1.0, 1.4])
def test_on_a_radiograph_the_head_gives_the_scale(magnified: float) -> None:
    earlier = Earlier.of(make_reading(100.0, 80.0, b_view=View.FROG_LEG))
    plane = make_plane(View.AP, through_mm=(200.0, 120.0, 0.0))
    source = SourceImage("9", "9.1", "9.1.1")
    volume = Volume(np.zeros((1, *SHAPE), np.int16), (plane,), (source,), 0.0)
    picture = Picture(View.AP, volume, calibrated=False)
    session = ReadingSession((View.AP, View.FROG_LEG), laterality=Laterality.LEFT)
    rim = make_rim(plane, (70.0, 60.0), RADIUS_MM * magnified, range(0, 360, 36))
    for number, mark in enumerate(rim):
        u, v = plane.patient_to_plane(PatientPoints(np.array([mark.patient_mm])))[0].tolist()
        session.place(View.AP, Handle(Role.RIM, number), picture.marked_slice(0), (u, v))
    ghost = ghost_of(earlier, View.AP, session.outcome(), picture)
    assert ghost is not None
    reach = np.linalg.norm(ghost.drawing.circle[:, 0] - (70.0, 60.0), axis=1)
    assert reach == pytest.approx(RADIUS_MM * magnified, abs=1e-6)


def test_only_other_visits_of_the_same_hip_are_offered(tmp_path: Path) -> None:
    mine = make_reading(visit="m00")
    others = [
        make_reading(visit="m12", reader="r2"),
        make_reading(visit="m06", reader="r1"),
        make_reading(visit="m12", laterality=Laterality.RIGHT),
        make_reading(visit="m12", subject="S02"),
        make_reading(visit="m12", b_view=View.FROG_LEG, read_no=2),
        mine,
    ]
    for reading in others:
        save_reading(reading, tmp_path / file_name(reading))
    (tmp_path / "S01__L__m24__r1__1.reading.json").write_bytes(b"{")
    draft = ReadingDraft(
        ReadingSession(MR).draft.views, Laterality.LEFT, subject="S01", visit="m00", reader="r1"
    )
    found = earlier_readings(tmp_path, *draft.asked)
    assert [one.reading.key[2:4] for one in found] == [("m06", "r1"), ("m12", "r2")]


def test_the_change_has_its_interval() -> None:
    before, after = make_reading(120.0, 90.0), make_reading(100.0, 80.0, visit="m12")
    session = ReadingSession(MR)
    session.restore(after, "0" * 64)
    change = StudyRules().change(Earlier.of(before), session.outcome().hip)
    assert change is not None
    assert change.cna is not None
    assert change.cna.value == pytest.approx(-30.0, abs=0.01)
    low, high = change.cna.interval_95()
    assert low < -30.0 < high


def test_the_change_is_said_from_the_earlier_visit_to_the_later_at_either() -> None:
    before, after = make_reading(120.0, 90.0), make_reading(100.0, 80.0, visit="m12")
    late = msgspec.structs.replace(after, visit="late")

    def words(present: HipReading, other: HipReading, rules: StudyRules) -> str:
        session = ReadingSession(MR)
        session.restore(present, "0" * 64)
        held = Earlier.of(other)
        change = rules.change(held, session.outcome().hip, present.visit)
        return change_words(held, change, rules, present.visit)

    plain = StudyRules()
    assert words(after, before, plain).startswith("Change since m00: −30.0°")
    assert words(before, after, plain).startswith("Change from m00 to m12: −30.0°")
    study = StudyRules(planned=(Visit("m00"), Visit("late", 60)))
    assert words(before, late, study).startswith("Change from m00 to late: −30.0°")
    assert words(before, late, plain).startswith("Change since late: +30.0°")


def test_the_change_hears_the_studys_threshold_and_ends_with_the_natural_hip(
    tmp_path: Path,
) -> None:
    study = init_study(tmp_path, "onfh")
    config = tmp_path / "study.toml"
    config.write_text(config.read_text("utf-8").replace("change_deg = 20.0", "change_deg = 35.0"))
    before, after = make_reading(120.0, 90.0), make_reading(100.0, 80.0, visit="m12")
    session = ReadingSession(MR)
    session.restore(after, "0" * 64)
    earlier = Earlier.of(before)

    def words() -> str:
        rules = StudyRules.of(study.readings, "S01", "L")
        change = rules.change(earlier, session.outcome().hip)
        return change_words(earlier, change, rules, "m12")

    assert words().endswith("(MDC95); not more than 35°")
    assert change_words(earlier, StudyRules().change(earlier, session.outcome().hip)).endswith(
        "more than 20°"
    )
    visits = (("m00", "2020-01-10"), ("m12", "2021-01-10"))
    entries = [
        *(Entry("visit", ("S01", "L", name), {"visit_date": day}) for name, day in visits),
        Entry("event", ("S01", "L", "tha", "1"), {"event_date": "2020-06-01"}),
    ]
    CohortStore.open(study.cohort).record(entries, actor="test")
    said = "Change since m00: visit m12 lies after the hip was replaced, or after death."
    assert words() == said
    assert StudyRules.of(tmp_path.parent, "S01", "L").states == {}
