"""A canvas without a window: the viewer's model shows what the session holds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_necroangle.canvas.mouse import Mouse, Moves, Press, Spot
from napari_necroangle.canvas.overlay import Anchor
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from qtpy.QtCore import Qt
from readingroom import drawn

from necroangle.terms import View

MarkRim = Callable[[Case, View], None]
MarkArc = Callable[[Case, View, tuple[float, float]], None]
Point = Callable[[float], tuple[float, float]]

A = View.CORONAL
LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@dataclass
class Hand:
    """Notes what the reader's hand did."""

    touches: list[View] = field(default_factory=list)
    clicks: list[Handle | None] = field(default_factory=list)
    strokes: int = 0
    windows: int = 0
    points: list[tuple[float, float] | None] = field(default_factory=list)

    def touched(self, view: View) -> None:
        self.touches.append(view)

    def clicked(self, view: View, handle: Handle | None) -> None:
        self.clicks.append(handle)

    def stroked(self) -> None:
        self.strokes += 1

    def windowed(self, view: View) -> None:
        self.windows += 1

    def pointed(self, view: View, uv_mm: tuple[float, float] | None) -> None:
        self.points.append(uv_mm)


@dataclass
class Canvas:
    """A plane view with its mouse, which is moved over it without a window."""

    case: Case
    plane: PlaneView
    mouse: Mouse
    hand: "Hand"

    def stroke(
        self,
        *path: tuple[float, float],
        button: Qt.MouseButton = LEFT,
        modifiers: Qt.KeyboardModifier = NONE,
        with_space: bool = False,
    ) -> None:
        """Press at the first point, move along, release at the last; 10 px for each mm."""
        self.mouse.press(Press(spot(path[0]), button, modifiers, with_space))
        for uv in path[1:-1]:
            self.mouse.move(Moves([spot(uv)]))
        self.mouse.move(Moves([spot(path[-1])], is_over=True))


def spot(uv: tuple[float, float]) -> Spot:
    return Spot((uv[0] * 10, uv[1] * 10), uv)


@pytest.fixture
def canvas(case: Case) -> Iterator[Canvas]:
    model = ViewerModel()
    plane = PlaneView(model)
    hand = Hand()
    plane.show(case, case.pictures[A])
    model.scene.camera.zoom = 10.0
    case.session.listen(plane.refresh)
    yield Canvas(case, plane, Mouse(plane, hand), hand)
    plane.close()
    assert len(model.layers) == 0
    assert model.canvas.background_color_override is None


def test_the_picture_is_in_mm_and_never_tilted(canvas: Canvas) -> None:
    image = canvas.plane.image
    assert tuple(image.scale) == (4.0, 0.5, 0.8)
    assert [str(unit) for unit in image.units] == ["millimeter"] * 3
    assert np.array_equal(image.affine.affine_matrix, np.eye(4))
    assert tuple(image.contrast_limits) == (0.0, 60000.0)
    assert canvas.plane.slice_index == 2


def test_marks_stand_on_their_slice_in_plane_mm(
    canvas: Canvas, mark_rim: MarkRim, circle_point: Point
) -> None:
    mark_rim(canvas.case, A)
    marks = canvas.plane.sketch.marks
    assert len(marks) == 10
    assert {one.index for one in marks} == {2}
    assert np.allclose(marks[0].uv_mm, circle_point(120.0))
    assert len(canvas.plane.sketch.lines("circle")[2]) == 122
    canvas.plane.go_to(4)
    assert canvas.plane.hit(circle_point(120.0), 10.0) is None


def test_every_mark_has_its_role_and_one_is_selected(
    canvas: Canvas, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    mark_rim(canvas.case, A)
    mark_arc(canvas.case, A, (200.0, 320.0))
    marks = canvas.plane.sketch.marks
    assert [one.handle.role.value for one in marks] == [*["rim"] * 10, "start", "end", "via"]
    assert [one.handle for one in marks if one.is_selected] == [canvas.case.selected[A]]


def test_texts_say_slice_angle_and_orientation(
    canvas: Canvas, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    texts = canvas.plane.sketch.texts
    assert texts[Anchor.TOP_LEFT] == "Coronal 3 / 5"
    edges = [texts[edge] for edge in (Anchor.LEFT, Anchor.RIGHT, Anchor.TOP, Anchor.BOTTOM)]
    assert edges == ["R", "L", "S", "I"]
    assert canvas.plane.sketch.has_bar
    mark_rim(canvas.case, A)
    mark_arc(canvas.case, A, (200.0, 320.0))
    assert texts[Anchor.TOP_LEFT] == "Coronal 3 / 5\nA = 120.0°"
    canvas.plane.go_to(0)
    assert texts[Anchor.TOP_LEFT].startswith("Coronal 1 / 5")


def test_a_click_sets_a_mark_and_a_pan_does_not(canvas: Canvas) -> None:
    canvas.stroke((30.0, 20.0), (30.1, 20.0))
    assert len(canvas.case.session.draft.view(A).rim) == 1
    assert canvas.hand.clicks == [Handle(Role.RIM, 0)]
    u, v = canvas.plane.lens.centre_mm
    canvas.stroke((40.0, 20.0), (45.0, 20.0), (50.0, 20.0), (80.0, 20.0))
    assert len(canvas.case.session.draft.view(A).rim) == 1
    assert canvas.plane.lens.centre_mm == pytest.approx((u - 40.0, v))
    assert canvas.hand.touches == [A, A]


def test_a_drag_moves_the_mark_live_and_ends_where_it_is_let_go(
    canvas: Canvas, mark_rim: MarkRim, mark_arc: MarkArc, circle_point: Point
) -> None:
    mark_rim(canvas.case, A)
    mark_arc(canvas.case, A, (200.0, 320.0))
    angles: list[float] = []

    def note() -> None:
        measured = canvas.case.session.outcome().views[0].measurement
        assert measured is not None
        angles.append(measured.angle_deg)

    canvas.case.session.listen(note)
    path = [circle_point(turn) for turn in (320.0, 325.0, 330.0, 340.0)]
    canvas.stroke(*path)
    assert np.allclose(angles, [125.0, 130.0, 140.0, 140.0], atol=1e-4)
    canvas.case.session.undo()
    assert angles[-1] == pytest.approx(120.0, abs=1e-4)
    assert canvas.plane.uv_of(Handle(Role.END, 0)) == pytest.approx(circle_point(320.0))


def test_a_press_on_a_mark_without_a_move_leaves_it(
    canvas: Canvas, mark_rim: MarkRim, circle_point: Point
) -> None:
    mark_rim(canvas.case, A)
    before = canvas.case.session.draft
    u, v = circle_point(120.0)
    canvas.stroke((u + 0.5, v), (u + 0.5, v))
    assert canvas.case.session.draft == before
    assert canvas.case.selected[A] == Handle(Role.RIM, 0)


def test_an_arc_end_can_be_set_on_a_rim_mark(
    canvas: Canvas, mark_rim: MarkRim, circle_point: Point
) -> None:
    mark_rim(canvas.case, A)
    canvas.case.next_aim(A)
    u, v = circle_point(200.0)
    canvas.stroke((u + 0.2, v), (u + 0.2, v))
    draft = canvas.case.session.draft.view(A)
    assert len(draft.rim) == 10
    assert draft.arcs[0].start is not None
    assert draft.arcs[0].start.pixel[1] * 0.8 == pytest.approx(u + 0.2)


def test_the_wheel_turns_slices_and_zooms_with_control(canvas: Canvas) -> None:
    at, size = spot((30.0, 20.0)), (400, 300)
    for expected in (3, 4, 4):
        canvas.mouse.wheel(-1, at, zooms=False)
        assert canvas.plane.slice_index == expected
    lens = canvas.plane.lens
    stays = lens.to_px(np.array([at.uv_mm]), size)
    canvas.mouse.wheel(-1, at, zooms=True)
    assert lens.zoom == pytest.approx(10.0 / 1.15)
    assert lens.to_px(np.array([at.uv_mm]), size) == pytest.approx(stays)
    assert canvas.plane.slice_index == 4


def test_right_drag_changes_the_window_only(canvas: Canvas) -> None:
    before = canvas.plane.lens.centre_mm
    canvas.stroke((30.0, 20.0), (40.0, 20.0), (32.0, 24.0), (32.0, 24.0), button=RIGHT)
    greys = canvas.plane.greys
    assert greys is not None
    low, high = greys.window
    assert high - low == pytest.approx(60000.0 * np.exp(20 / 200))
    assert (low + high) / 2 == pytest.approx(30000.0 + 60000.0 * 40 / 400)
    assert canvas.hand.windows == 3
    assert (canvas.plane.lens.zoom, canvas.plane.lens.centre_mm) == (10.0, before)
    assert canvas.case.session.draft.view(A).marks == ()


def test_the_slice_is_shown_whatever_the_host_turns_it_into(canvas: Canvas) -> None:
    """Axes in another order, a third dimension, a grid: all are set back, and the words stay.

    napari fits the picture anew by it: the words say the zoom as it is then.
    """
    model, before = canvas.plane.model, dict(canvas.plane.sketch.texts)
    canvas.plane.go_to(3)
    for _ in range(2):
        model.dims.order = (1, 0, 2)
        model.dims.ndisplay = 3
        model.dims.transpose()
        model.dims.roll()
        model.canvas.grid.enabled = True
        assert tuple(model.dims.order) == (0, 1, 2)
        assert (model.dims.ndisplay, model.canvas.grid.enabled) == (2, False)
        assert canvas.plane.slice_index == canvas.plane.sketch.index == 3
    canvas.plane.go_to(2)
    now = f"zoom {80 * canvas.plane.lens.zoom:.0f} %"
    corner = before[Anchor.TOP_RIGHT].replace("zoom 800 %", now)
    assert canvas.plane.sketch.texts == {**before, Anchor.TOP_RIGHT: corner}


@pytest.mark.parametrize(("button", "with_space"), [(MIDDLE, False), (LEFT, True)])
def test_the_picture_pans_at_any_time(
    canvas: Canvas, button: Qt.MouseButton, with_space: bool
) -> None:
    """Where a plain drag would draw a rim, too; and the middle button's double click goes back."""
    canvas.plane.reset()
    u, v = canvas.plane.lens.centre_mm
    zoom = canvas.plane.lens.zoom
    canvas.stroke((10.0, 10.0), (20.0, 30.0), (40.0, 20.0), button=button, with_space=with_space)
    away = np.subtract(canvas.plane.lens.centre_mm, (u, v))
    assert away * zoom == pytest.approx((-300.0, -100.0))
    assert canvas.case.session.draft.view(A).marks == ()
    canvas.mouse.double_click(MIDDLE)
    assert canvas.plane.lens.centre_mm == pytest.approx((u, v))


def test_a_drag_along_the_rim_lays_ten_marks_in_one_step(
    canvas: Canvas, circle_point: Point
) -> None:
    path = [circle_point(turn) for turn in range(120, 321, 4)]
    canvas.stroke(*path)
    draft = canvas.case.session.draft.view(A)
    assert len(draft.rim) == 10
    assert canvas.hand.strokes == 1
    circle = canvas.case.session.outcome().view(A).circle
    assert circle is not None
    assert circle.radius_mm == pytest.approx(20.0, abs=0.05)
    canvas.stroke((10.0, 10.0), (40.0, 10.0), (80.0, 10.0))  # a rim is there: this pans
    assert canvas.case.session.draft.view(A) is draft
    canvas.stroke(*path[5:], modifiers=SHIFT)
    assert len(canvas.case.session.draft.view(A).rim) == 10
    assert canvas.case.session.draft.view(A) != draft
    canvas.case.session.undo()
    canvas.case.session.undo()
    assert canvas.case.session.draft.view(A).rim == ()


def test_a_short_drag_lays_no_rim(canvas: Canvas) -> None:
    canvas.stroke((10.0, 10.0), (12.0, 10.0), (15.0, 10.0))
    assert canvas.case.session.draft.view(A).marks == ()
    assert canvas.hand.strokes == 0
    assert canvas.case.session.is_settled


def test_an_arc_is_drawn_with_shift(canvas: Canvas, mark_rim: MarkRim, circle_point: Point) -> None:
    mark_rim(canvas.case, A)
    canvas.case.next_aim(A)
    canvas.stroke(*(circle_point(turn) for turn in range(200, 321, 5)), modifiers=SHIFT)
    outcome = canvas.case.session.outcome().view(A)
    assert outcome.measurement is not None
    assert outcome.measurement.angle_deg == pytest.approx(120.0, abs=1e-4)
    assert len(canvas.case.session.draft.view(A).rim) == 10
    canvas.case.session.undo()
    assert canvas.case.session.draft.view(A).arcs == ()


def test_an_outline_is_drawn_with_shift(canvas: Canvas, mark_rim: MarkRim) -> None:
    mark_rim(canvas.case, A)
    canvas.case.aim_at(A, Role.CONTOUR)
    corners = [(40.0, 15.0), (55.0, 15.0), (55.0, 25.0), (40.0, 25.0), (40.0, 16.0)]
    box = [
        (u + (to_u - u) * step / 10, v + (to_v - v) * step / 10)
        for (u, v), (to_u, to_v) in pairwise(corners)
        for step in range(10)
    ]
    canvas.stroke(*box, corners[-1], modifiers=SHIFT)
    assert len(canvas.case.session.draft.view(A).contour) == 16
    assert len(drawn(canvas.plane, "outline")) == 16


def test_a_mark_on_another_slice_cannot_be_taken_hold_of(
    canvas: Canvas, mark_rim: MarkRim, mark_arc: MarkArc, circle_point: Point
) -> None:
    mark_rim(canvas.case, A)
    canvas.case.mark_beside(True)
    mark_arc(canvas.case, A, (200.0, 320.0))
    canvas.plane.go_to(3)
    for turn in (210.0, 300.0, 250.0):
        canvas.case.click(A, 3, circle_point(turn))
    assert canvas.plane.hit(circle_point(210.0), 10.0) == Handle(Role.START, 0, 1)
    assert canvas.plane.hit(circle_point(120.0), 10.0) is None
    canvas.plane.go_to(2)
    assert canvas.plane.hit(circle_point(200.0), 10.0) == Handle(Role.RIM, 4)
    assert len(drawn(canvas.plane, "circle")) == 2 * 122


def test_the_other_picture_follows_the_head_until_it_is_turned(
    canvas: Canvas, circle_point: Point
) -> None:
    other = PlaneView(ViewerModel())
    other.show(canvas.case, canvas.case.pictures[View.SAGITTAL])
    assert other.slice_index == 2
    for turn in range(120, 320, 20):
        u, v = circle_point(turn)
        canvas.case.click(A, 2, (u + 8.0, v))
    other.follow()
    assert other.slice_index == 0
    other.go_to(3)
    other.follow()
    assert other.slice_index == 3
    other.close()


def test_another_picture_takes_the_layer_over_without_the_marks(
    canvas: Canvas, mark_rim: MarkRim
) -> None:
    mark_rim(canvas.case, A)
    before = list(canvas.plane.model.layers)
    other = canvas.case.pictures[View.SAGITTAL]
    canvas.plane.show(canvas.case, other)
    assert list(canvas.plane.model.layers) == before
    assert canvas.plane.image.data is other.volume.pixels
    assert canvas.plane.image.name == "sagittal"
    assert len(canvas.plane.sketch.marks) == 0
    assert len(drawn(canvas.plane, "circle")) == 0
    assert canvas.plane.sketch.texts[Anchor.LEFT] == "A"
    canvas.plane.show(canvas.case, canvas.case.pictures[A])
    assert len(canvas.plane.sketch.marks) == 10
    assert len(drawn(canvas.plane, "circle")) == 122
