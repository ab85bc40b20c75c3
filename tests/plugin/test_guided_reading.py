"""The way through a hip without a window: steps, slices, keys, what speaks against the marks."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from napari.components import ViewerModel
from napari_necroangle.canvas.overlay import Anchor
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.dock.commands import Commands
from napari_necroangle.modes.free import FreeReading
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import LANDMARKS, Handle, Role
from napari_necroangle.reading.guidance import guide_line, step_words
from napari_necroangle.reading.keys import GROUPS, KEYS, finding_command, key_label, keys_of
from napari_necroangle.reading.steps import Flow, Step, slice_check
from napari_necroangle.reading.texts import CHOICES
from napari_necroangle.store.readings import default_folder, load_into, save_session
from readingroom import drawn

from necroangle.annotation import ReadView, check_reading, load_reading
from necroangle.dicom.visits import MR_PAIR
from necroangle.errors import ReadingError
from necroangle.geometry import PatientPoints
from necroangle.measurement import measure, method_named
from necroangle.terms import Finding, LandmarkName, Laterality, Observation, UnreadReason, View

A, B = View.CORONAL, View.SAGITTAL
Point = tuple[float, float]


@dataclass
class Room:
    """Two canvases without a window, and the commands; it is its own window."""

    workspace: Workspace
    planes: tuple[PlaneView, PlaneView]
    view: View = A
    saves: list[Path] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dialogs: Any = None
        self.mode = FreeReading(self)
        self.commands = Commands(self, lambda: self.planes)

    @property
    def case(self) -> Case:
        assert self.workspace.case is not None
        return self.workspace.case

    @property
    def flow(self) -> Flow:
        assert self.workspace.flow is not None
        return self.workspace.flow

    def turn_to(self, view: View) -> None:
        self.view = view

    def save(self, *, final: bool = False) -> Path | None:
        assert self.workspace.readings is not None
        try:
            path = save_session(self.case.session, self.workspace.readings)
        except ReadingError as error:
            self.asked.append(str(error))  # as the window does
            return None
        self.saves.append(path)
        return path

    def leave_case(self) -> None:
        if self.workspace.case is not None:
            self.case.session.unlisten(self.refresh)

    def go_to_slices(self) -> None:
        self.asked.append("slices")

    def offer_unsaved(self) -> None:
        self.asked.append("unsaved")

    def read_freely(self) -> None:
        self.asked.append("freely")

    def toggle_layout(self) -> None:
        self.asked.append("layout")

    def toggle_help(self) -> None:
        self.asked.append("help")

    def toggle_full_screen(self) -> None:
        self.asked.append("full_screen")

    def refresh(self) -> None:
        for plane in self.planes:
            plane.follow()
            plane.refresh()

    def show_current(self) -> None:
        for plane, view in zip(self.planes, MR_PAIR, strict=True):
            plane.show(self.case, self.case.pictures[view])
        self.case.session.listen(self.refresh)
        self.view = A

    def press(self, name: str) -> None:
        self.commands.run(name, self.view)

    def plane(self, view: View) -> PlaneView:
        return self.planes[MR_PAIR.index(view)]

    def click(self, view: View, uv: Point) -> None:
        self.commands.touched(view)
        plane = self.plane(view)
        if plane.settling is not None:
            self.case.drag(view, plane.settling, uv)
            self.case.session.settle()
            self.commands.clicked(view, plane.settling)
        else:
            self.commands.clicked(view, self.case.click(view, plane.slice_index, uv))

    def draw(self, view: View, points: list[Point]) -> None:
        self.commands.touched(view)
        self.case.draw(view, self.plane(view).slice_index, points)
        self.case.end_stroke(view)
        self.commands.stroked()

    def line(self) -> str:
        magnified = any(plane.settling is not None for plane in self.planes)
        against = self.workspace.contradictions()
        return guide_line(self.flow, self.view, against, magnified=magnified)

    def uv(self, view: View, patient_mm: tuple[float, float, float]) -> Point:
        plane = self.plane(view)
        here = self.case.pictures[view].volume.planes[plane.slice_index]
        u, v = here.patient_to_plane(PatientPoints(np.array([patient_mm])))[0].tolist()
        return u, v

    def rim(self, entry: ReadView) -> list[Point]:
        return [self.uv(entry.view, mark.patient_mm) for mark in entry.rim]


@pytest.fixture
def truth(samples: Path) -> tuple[ReadView, ReadView]:
    reading = load_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    first, second = reading.views
    assert isinstance(first, ReadView)
    assert isinstance(second, ReadView)
    return first, second


@pytest.fixture
def room(samples: Path, tmp_path: Path) -> Iterator[Room]:
    space = Workspace()
    space.reader = "r1"
    space.open(samples / "plain")
    space.keep_readings_in(tmp_path / "readings")
    space.take(space.visits[0], Laterality.RIGHT, MR_PAIR)
    made = Room(space, (PlaneView(ViewerModel()), PlaneView(ViewerModel())))
    made.show_current()
    yield made
    for plane in made.planes:
        plane.close()


def steps(room: Room) -> str:
    """The steps that are done, by their first letters, and the current one."""
    done = "".join("x" if room.flow.is_done(step) else "." for step in room.flow.steps)
    return f"{done} {room.flow.current}"


def test_a_hip_goes_its_way_by_itself(room: Room, truth: tuple[ReadView, ReadView]) -> None:
    assert steps(room) == "....... head_a"
    assert "one drag" in room.line()
    room.draw(A, room.rim(truth[0]))
    assert steps(room) == "x...... head_b"
    assert room.view is B
    assert room.plane(B).slice_index == 5
    room.draw(B, room.rim(truth[1]))
    assert steps(room) == "xxx.... arc_a"
    assert room.view is A
    for view, entry in zip(MR_PAIR, truth, strict=True):
        for end in (entry.arcs[0].start, entry.arcs[0].end):
            zoom = room.plane(view).model.scene.camera.zoom
            where = room.uv(view, end.patient_mm)
            room.click(view, (where[0] + 0.8, where[1]))
            assert room.plane(view).model.scene.camera.zoom == pytest.approx(3 * zoom)
            assert "exactly" in room.line()
            room.click(view, where)
            assert room.plane(view).model.scene.camera.zoom == pytest.approx(zoom)
        room.click(view, room.uv(view, entry.arcs[0].via.patient_mm))
    assert steps(room) == "xxxxx.. save"
    assert "Complete" in room.line()
    cna = room.case.session.outcome().hip.cna_deg
    assert cna == pytest.approx(218.3, abs=0.5)
    room.press("save_next")
    assert [path.name for path in room.saves] == ["PHANTOM-01__R__baseline__r1__1.reading.json"]
    assert measure(load_reading(room.saves[0])).cna_deg == cna
    assert room.workspace.key is not None
    assert room.workspace.key.side is Laterality.LEFT
    assert steps(room) == "....... head_a"
    room.press("save_next")
    assert "last hip" in room.case.notice
    room.press("previous_hip")
    assert steps(room) == "xxxxx.x save"


def test_undo_asks_again_for_the_point_that_is_gone(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    for view, entry in zip(MR_PAIR, truth, strict=True):
        room.draw(view, room.rim(entry))
    room.commands.magnifies = False
    arc = truth[0].arcs[0]
    for point in (arc.start, arc.end, arc.via):
        room.click(A, room.uv(A, point.patient_mm))
    asked = []
    for name in ("undo", "undo", "undo", "redo", "redo"):
        room.press(name)
        aim = room.case.aim(A)
        asked.append(aim and aim.role)
    assert asked == [Role.VIA, Role.END, Role.START, Role.END, Role.VIA]
    room.press("redo")
    assert steps(room) == "xxxx... arc_b"


def test_steps_can_be_taken_in_any_order(room: Room, truth: tuple[ReadView, ReadView]) -> None:
    room.draw(B, room.rim(truth[1]))
    assert steps(room) == ".x..... head_a"
    room.commands.go_to(Step.ARC_B)
    assert room.view is B
    for mark in (truth[1].arcs[0].start, truth[1].arcs[0].end, truth[1].arcs[0].via):
        room.click(B, room.uv(B, mark.patient_mm))
        room.press("go_on") if room.plane(B).settling else None
    assert room.case.session.outcome().view(B).measurement is not None
    assert steps(room) == ".x..x.. head_a"
    room.draw(A, room.rim(truth[0]))
    assert steps(room) == "xxx.x.. arc_a"
    room.press("go_back")
    assert steps(room).endswith("slices")
    assert "nearest" in room.line()
    room.press("go_on")
    assert steps(room).endswith("arc_a")
    room.press("other_view")
    assert room.view is B


def test_a_slice_off_the_centre_is_said_and_moved_only_when_told(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    room.plane(A).go_to(6)
    rim = room.rim(truth[0])
    room.draw(A, rim)
    room.draw(B, room.rim(truth[1]))
    assert steps(room) == "xx..... slices"
    check = slice_check(room.case, A)
    assert check is not None
    assert (check.index, check.best_index) == (6, 5)
    assert check.offset_mm == pytest.approx(0.3 + 4.4, abs=0.1)
    assert "4.7 mm behind" in room.plane(A).sketch.texts[Anchor.TOP_LEFT]
    assert "Coronal slice 7 lies 4.7 mm behind the head's centre; slice 6" in room.line()
    said = [one.words for one in room.workspace.contradictions()]
    assert any("Coronal slice 7 lies" in words for words in said)
    before = room.case.session.draft
    room.press("go_on")
    assert steps(room) == "xxx.... arc_a"
    assert room.case.session.draft == before
    room.flow.go_to(Step.SLICES)
    assert room.flow.doubtful_slices() == ()


def test_marks_move_to_the_slice_at_the_centre_by_one_key(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    room.plane(A).go_to(6)
    room.draw(A, room.rim(truth[0]))
    room.draw(B, room.rim(truth[1]))
    before = room.case.session.draft
    room.press("move_to_best")
    assert room.plane(A).slice_index == 5
    assert room.case.marks_index(A) == 5
    assert "see that it fits" in room.line()
    marks = room.case.session.draft.view(A).rim
    away = [
        m.patient_mm[1] - n.patient_mm[1] for m, n in zip(marks, before.view(A).rim, strict=True)
    ]
    assert np.allclose(away, -4.4, atol=0.01)
    assert not room.flow.doubtful_slices()
    room.press("undo")
    assert room.case.session.draft == before
    room.press("jump")
    assert room.plane(room.view).slice_index == 5


def test_arcs_stay_on_the_slice_where_they_were_seen(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    room.plane(A).go_to(6)
    room.draw(A, room.rim(truth[0]))
    room.draw(B, room.rim(truth[1]))
    room.press("go_on")
    ends = [room.uv(A, mark.patient_mm) for mark in (truth[0].arcs[0].start, truth[0].arcs[0].via)]
    room.draw(A, [ends[0], ends[1], room.uv(A, truth[0].arcs[0].end.patient_mm)])
    left = room.case.session.draft.view(A)
    assert left.arcs[0].complete() is not None
    room.flow.go_to(Step.SLICES)
    room.flow._kept.clear()
    room.press("move_to_best")
    moved = room.case.session.draft.view(A)
    assert moved.arcs == ()
    assert moved.choice is None
    assert [one.arcs for one in moved.neighbours] == [left.arcs]
    assert moved.neighbours[0].rim == left.rim


def test_a_normal_hip_is_one_key(room: Room) -> None:
    room.press("normal_next")
    (path,) = room.saves
    reading = load_reading(path)
    assert [view.finding for view in reading.views if isinstance(view, ReadView)] == [
        Finding.NO_NECROSIS,
        Finding.NO_NECROSIS,
    ]
    assert measure(reading).cna_deg == 0.0
    assert room.workspace.key is not None
    assert room.workspace.key.side is Laterality.LEFT


def test_no_necrosis_names_its_slices_and_is_one_step(room: Room) -> None:
    room.plane(B).go_to(4)
    room.press("normal")
    assert "coronal slice 6 and sagittal slice 5" in room.line()
    assert steps(room) == "xxxxx.. save"
    room.press("undo")
    assert not room.case.session.can_undo
    assert room.case.is_untouched(A)
    assert room.case.is_untouched(B)


def test_no_necrosis_is_refused_over_an_arc(room: Room, truth: tuple[ReadView, ReadView]) -> None:
    room.draw(A, room.rim(truth[0]))
    room.commands.go_to(Step.ARC_A)
    room.click(A, room.uv(A, truth[0].arcs[0].start.patient_mm))
    before = room.case.session.draft
    room.press("normal_next")
    assert "coronal view: clear it first" in room.case.notice
    assert room.case.session.draft == before
    assert room.saves == []


def test_neighbouring_slices_serve_the_centre_plane(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    for view, entry in zip(MR_PAIR, truth, strict=True):
        room.draw(view, room.rim(entry))
    for view, entry in zip(MR_PAIR, truth, strict=True):
        marks = (entry.arcs[0].start, entry.arcs[0].via, entry.arcs[0].end)
        room.draw(view, [room.uv(view, mark.patient_mm) for mark in marks])
    own = room.case.session.outcome().hip.cna_deg
    room.commands.go_to(Step.MORE)
    room.press("beside")
    for view, entry in zip(MR_PAIR, truth, strict=True):
        room.commands.touched(view)
        for index in (4, 6):
            room.plane(view).go_to(index)
            assert room.case.aim(view) == Handle(Role.START, 0, 1 if index == 4 else 2)
            for mark in (entry.arcs[0].start, entry.arcs[0].end, entry.arcs[0].via):
                room.click(view, room.uv(view, mark.patient_mm))
                if room.plane(view).settling is not None:
                    room.press("go_on")
    outcome = room.case.session.outcome()
    assert [len(view.beside) for view in outcome.views] == [2, 2]
    assert [view.missing for view in outcome.views] == ["", ""]
    assert outcome.hip.cna_deg == own
    reading = room.case.session.reading()
    found = measure(reading, method_named("centre_plane")).cna_deg
    assert found == pytest.approx(own, abs=8.0)
    room.plane(B).go_to(7)
    room.view = B
    room.press("no_necrosis")
    draft = room.case.session.draft.view(B)
    assert draft.choice is Finding.NECROSIS
    assert [one.is_free for one in draft.neighbours] == [False, False, True]
    room.press("undo")
    room.press("beside")
    room.click(B, (50.0, 50.0))
    assert len(room.case.session.draft.view(B).neighbours) == 2


def test_landmarks_and_an_outline_are_set_by_clicks(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    room.draw(A, room.rim(truth[0]))
    room.view = A
    for number, name in enumerate(LANDMARKS):
        room.view = A
        room.press("landmark")
        while room.case.aim(A) != Handle(Role.LANDMARK, number):
            room.press("landmark")
        room.click(A, (20.0 + 5 * number, 30.0))
        assert room.case.session.draft.view(A).landmarks[number].name is name
    room.commands.aim_at_landmark(LandmarkName.TEARDROP, A)
    room.click(A, (22.0, 33.0))
    landmarks = room.case.session.draft.view(A).landmarks
    assert [one.name for one in landmarks] == list(LANDMARKS)
    room.press("outline")
    for uv in ((90.0, 60.0), (95.0, 60.0)):
        room.click(A, uv)
    assert len(room.case.session.draft.view(A).contour) == 2
    room.press("remove")
    assert len(room.case.session.draft.view(A).contour) == 1
    assert Step.MORE in room.flow.steps
    assert room.flow.is_done(Step.MORE)


def test_every_key_has_a_command_and_every_finding_one() -> None:
    space = Workspace()
    planes = (PlaneView(ViewerModel()), PlaneView(ViewerModel()))
    names = Room(space, planes).commands.names
    assert {one.name for one in KEYS} <= set(names)
    assert len({one.key for one in KEYS}) == len(KEYS)
    assert {one.group for one in KEYS} == set(GROUPS)
    assert all(key and words for group in GROUPS for key, words in keys_of(group))
    assert [finding_command(choice) in names for choice in (*CHOICES, None)] == [True] * 8
    assert key_label("undo") == "Ctrl+Z"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_command_runs_whatever_came_before(room: Room, samples: Path, seed: int) -> None:
    names = [one.name for one in KEYS] * 2
    random.Random(seed).shuffle(names)
    path = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    for number, name in enumerate(names):
        room.commands.run(name, MR_PAIR[number % 2])
        assert room.line()
        check_reading(room.case.session.reading())
        if number == 40:
            load_into(room.case.session, path)


def test_finding_keys_say_what_was_found(room: Room) -> None:
    for name, choice in (
        ("not_subchondral", Finding.NOT_SUBCHONDRAL),
        ("off_midslice", Finding.OFF_MIDSLICE),
        ("not_readable", UnreadReason.NOT_READABLE),
        ("prosthesis", UnreadReason.PROSTHESIS),
        ("no_necrosis", Finding.NO_NECROSIS),
        ("undecided", None),
    ):
        room.commands.run(name, A)
        assert room.case.session.draft.view(A).choice is choice
    room.commands.run("flattened", B)
    room.commands.run("track", B)
    assert set(room.case.session.draft.view(B).observations) == set(Observation)
    room.commands.run("track", B)
    assert room.case.session.draft.view(B).observations == (Observation.FLATTENED,)


def test_the_second_look_goes_round_the_ends(room: Room, samples: Path) -> None:
    path = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    load_into(room.case.session, path)
    zooms = [plane.model.scene.camera.zoom for plane in room.planes]
    looked = []
    for _ in range(4):
        room.press("second_look")
        plane = room.plane(room.view)
        handle = room.case.selected[room.view]
        looked.append((room.view, handle.role))
        v, u = plane.model.scene.camera.center[-2:]
        assert (u, v) == pytest.approx(plane.uv_of(handle))
    assert looked == [(A, Role.START), (A, Role.END), (B, Role.START), (B, Role.END)]
    room.press("second_look")
    assert "every arc end" in room.line()
    assert [plane.model.scene.camera.zoom for plane in room.planes] == pytest.approx(zooms)


def test_looking_keys_change_the_picture_only(room: Room, samples: Path) -> None:
    path = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    load_into(room.case.session, path)
    before = room.case.session.draft
    plane = room.plane(A)
    room.press("overlay")
    assert not plane.sketch.visible
    assert plane.image.visible
    room.press("overlay")
    assert plane.sketch.visible
    limits = {tuple(plane.image.contrast_limits)}
    for _ in range(len(room.case.pictures[A].windows())):
        room.press("window")
        limits.add(tuple(plane.image.contrast_limits))
    assert len(limits) == 4
    zoom = plane.model.scene.camera.zoom
    room.press("head")
    assert plane.model.scene.camera.zoom > zoom
    room.press("slice_up")
    assert plane.slice_index == 6
    assert len(drawn(plane, "reference")) > 5
    assert room.case.session.draft == before


def test_the_reference_line_is_where_the_other_slice_cuts(room: Room) -> None:
    plane, other = room.planes
    for index in (3, 7):
        other.go_to(index)
        plane.draw_reference()
        uv = drawn(plane, "reference").reshape(-1, 2)
        here = room.case.pictures[A].volume.planes[plane.slice_index]
        there = room.case.pictures[B].volume.planes[index]
        assert len(uv) > 5
        away = there.distance_mm(here.plane_to_patient(uv))
        assert np.allclose(away, 0.0, atol=1e-6)


def test_circles_of_two_heads_cannot_be_saved(room: Room, truth: tuple[ReadView, ReadView]) -> None:
    room.draw(A, [(u + 120.0, v) for u, v in room.rim(truth[0])])
    room.draw(B, room.rim(truth[1]))
    blocking = [one.words for one in room.workspace.contradictions() if one.blocks]
    assert any("cannot be of one head" in words for words in blocking)
    assert "Cannot be saved" in guide_line(_at_save(room.flow), A, room.workspace.contradictions())


def _at_save(flow: Flow) -> Flow:
    flow.go_to(Step.SAVE)
    return flow


def test_radii_and_arc_ends_that_disagree_are_said(
    room: Room, truth: tuple[ReadView, ReadView]
) -> None:
    rim = np.array(room.rim(truth[0]))
    middle = rim.mean(axis=0)
    room.draw(A, [(float(u), float(v)) for u, v in middle + 1.2 * (rim - middle)])
    room.draw(B, room.rim(truth[1]))
    said = " ".join(one.words for one in room.workspace.contradictions())
    assert "The coronal circle makes the head" in said
    room.commands.go_to(Step.ARC_B)
    u, v = room.uv(B, truth[1].arcs[0].start.patient_mm)
    room.click(B, (u - 6.0, v))
    said = " ".join(one.words for one in room.workspace.contradictions())
    assert "Sagittal: an arc end lies" in said
    assert not any(one.blocks for one in room.workspace.contradictions())


def test_another_head_radius_at_another_visit_is_said(
    room: Room, samples: Path, tmp_path: Path
) -> None:
    path = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    load_into(room.case.session, path)
    room.case.session.enter(reader="r1", visit="month_12")
    room.save()
    room.case.session.enter(visit="baseline")
    assert room.workspace.contradictions() == ()
    draft = room.case.session.draft
    for view in MR_PAIR:
        rim = np.array([room.uv(view, mark.patient_mm) for mark in draft.view(view).rim])
        middle = (rim.min(axis=0) + rim.max(axis=0)) / 2
        room.case.aim_at(view, Role.RIM)
        wider = [(float(u), float(v)) for u, v in middle + 1.08 * (rim - middle)]
        room.case.draw(view, room.plane(view).slice_index, wider)
        room.case.end_stroke(view)
    said = " ".join(one.words for one in room.workspace.contradictions())
    assert "was 24.0 mm at visit month_12" in said
    draft = room.case.session.draft
    room.case.session.enter(conduct=structs.replace(draft.conduct, blinded=True))
    room.workspace._radii = (None, ())
    assert "month_12" not in " ".join(one.words for one in room.workspace.contradictions())


def test_readings_of_samples_do_not_go_beside_them(samples: Path, tmp_path: Path) -> None:
    assert default_folder(samples / "plain") == Path.home() / "necroangle-readings"
    study = shutil.copytree(samples / "normal", tmp_path / "study")
    assert default_folder(study) == tmp_path / "readings"
    space = Workspace()
    space.open(samples / "plain")
    case = space.take(space.visits[0], Laterality.RIGHT, MR_PAIR).case
    path = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    load_into(case.session, path)
    assert case.session.file_sha256 is None


def test_radiographs_have_no_slice_step(samples: Path) -> None:
    space = Workspace()
    space.open(samples / "radiographs")
    visit = space.visits[0]
    space.take(visit, visit.sides[0], visit.pairs[0])
    assert space.flow is not None
    assert Step.SLICES not in space.flow.steps
    words = [step_words(space.flow, step) for step in space.flow.steps]
    assert words == ["AP head", "Frog-leg head", "AP arc", "Frog-leg arc", "Extras", "Save"]


def test_the_page_on_reading_names_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reading.md").read_text(encoding="utf-8")
    for group in GROUPS:
        for key, words in keys_of(group):
            assert f"| {words} |" in page or words in page, (key, words)
            assert key in page or key in ("↑", "↓"), key


def test_a_hip_that_is_left_lets_its_pictures_go(room: Room, samples: Path) -> None:
    path = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    load_into(room.case.session, path)
    case = room.case
    assert slice_check(case, A) is not None
    room.press("next_hip")
    assert (case.pictures, case.checked) == ({}, {})
    assert slice_check(case, A) is None
