"""Whatever is done, the reading stays sound, and undo leads to its first state and redo back."""

from collections.abc import Callable
from contextlib import suppress

from hipstrategy import reader_entries
from hypothesis import given, settings
from hypothesis import strategies as st
from napari_necroangle.reading.case import Case, Picture
from napari_necroangle.reading.draft import ReadingDraft, Role
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.steps import Flow

from necroangle.annotation import check_reading
from necroangle.errors import ReadingError
from necroangle.imaging import Volume
from necroangle.terms import (
    Finding,
    LandmarkName,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

A, B = View.CORONAL, View.SAGITTAL
VIEWS = st.sampled_from((A, B))
SLICES = st.integers(0, 4)
PLACES = st.tuples(st.floats(5.0, 80.0), st.floats(5.0, 40.0))
PATHS = st.lists(PLACES, min_size=3, max_size=6)

Edit = Callable[[Case], object]
MakeVolume = Callable[[View], Volume]


def _clicks() -> st.SearchStrategy[Edit]:
    def build(view: View, role: Role, at: int, uv: tuple[float, float]) -> Edit:
        def edit(case: Case) -> None:
            case.aim_at(view, role)
            case.click(view, at, uv)

        return edit

    roles = st.sampled_from([role for role in Role if role is not Role.LANDMARK])
    return st.builds(build, VIEWS, roles, SLICES, PLACES)


def _landmarks() -> st.SearchStrategy[Edit]:
    def build(view: View, name: LandmarkName, at: int, uv: tuple[float, float]) -> Edit:
        def edit(case: Case) -> None:
            case.aim_at_landmark(view, name)
            case.click(view, at, uv)

        return edit

    return st.builds(build, VIEWS, st.sampled_from(LandmarkName), SLICES, PLACES)


def _strokes() -> st.SearchStrategy[Edit]:
    def build(view: View, role: Role, at: int, path: list[tuple[float, float]]) -> Edit:
        def edit(case: Case) -> None:
            case.aim_at(view, role)
            case.see(view, at)
            for count in range(3, len(path) + 1):
                case.draw(view, at, path[:count])
            case.end_stroke(view)

        return edit

    roles = st.sampled_from((Role.RIM, Role.START, Role.CONTOUR))
    return st.builds(build, VIEWS, roles, SLICES, PATHS)


def _drags() -> st.SearchStrategy[Edit]:
    def build(view: View, which: int, path: list[tuple[float, float]]) -> Edit:
        def edit(case: Case) -> None:
            marks = case.session.draft.view(view).all_marks
            if marks:
                for uv in path:
                    case.drag(view, marks[which % len(marks)][0], uv)
                case.session.settle()

        return edit

    return st.builds(build, VIEWS, st.integers(0, 99), PATHS)


def _free(view: View, at: int) -> Edit:
    def edit(case: Case) -> None:
        with suppress(ReadingError):
            case.session.declare_free(view, case.pictures[view].marked_slice(at))

    return edit


def _rest() -> st.SearchStrategy[Edit]:
    choices = st.sampled_from((*Finding, *UnreadReason, None))
    seen = st.sampled_from(Observation)
    texts = st.text("abc", max_size=3)
    return st.one_of(
        st.builds(lambda v: lambda case: case.remove_selected(v), VIEWS),
        st.builds(lambda v: lambda case: case.clear(v), VIEWS),
        st.builds(lambda v: lambda case: case.aim_at_new_arc(v), VIEWS),
        st.builds(lambda v, c, at: lambda case: case.choose(v, c, at), VIEWS, choices, SLICES),
        st.builds(
            lambda v, o, yes: lambda case: case.session.observe(v, o, yes),
            VIEWS,
            seen,
            st.booleans(),
        ),
        st.builds(lambda on: lambda case: case.mark_beside(on), st.booleans()),
        st.builds(_free, VIEWS, SLICES),
        st.builds(lambda v: lambda case: Flow(case).move_to_best(v), VIEWS),
        st.builds(
            lambda v, at: lambda case: case.session.move_to(v, case.pictures[v].marked_slice(at)),
            VIEWS,
            SLICES,
        ),
        st.builds(lambda x: lambda case: case.session.enter(entries=x), reader_entries),
        st.builds(lambda x: lambda case: case.session.enter(notes=x, subject=x), texts),
        st.builds(lambda n: lambda case: case.session.enter(read_no=n), st.integers(1, 9)),
    )


EDITS = st.lists(
    st.one_of(_clicks(), _landmarks(), _strokes(), _drags(), _rest()), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(edits=EDITS)
def test_undo_leads_to_the_first_state_and_redo_to_the_last(
    small_volumes: dict[View, Volume], edits: list[Edit]
) -> None:
    session = ReadingSession((A, B), laterality=Laterality.LEFT)
    case = Case(session, {view: Picture(view, small_volumes[view]) for view in (A, B)})
    past = [session.draft]
    for edit in edits:
        edit(case)
        assert session.is_settled
        check_reading(session.reading())
        if session.draft != past[-1]:
            past.append(session.draft)
    assert _walk(session.undo, lambda: session.can_undo, session) == past[-2::-1]
    assert session.draft == past[0]
    assert _walk(session.redo, lambda: session.can_redo, session) == past[1:]
    assert session.draft == past[-1]
    session.outcome()


def _walk(
    step: Callable[[], None], more: Callable[[], bool], session: ReadingSession
) -> list[ReadingDraft]:
    """The states that repeated steps go through."""
    found = []
    while more():
        step()
        found.append(session.draft)
    return found
