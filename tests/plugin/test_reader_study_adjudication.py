"""Adjudication: two readers' marks in one plane, their difference, and the consensus."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hipmaker import make_image, make_reading, make_view
from napari_necroangle.modes.adjudication import Start, consensus_draft
from napari_necroangle.reading.draft import reading_of
from napari_necroangle.reading.session import ReadingSession

from necroangle.annotation import (
    Conduct,
    HipReading,
    ReadView,
    encode_reading,
    load_reading,
    save_reading,
)
from necroangle.errors import ReadingError
from necroangle.readerstudy import Adjudication, CommonPlane
from necroangle.terms import UnreadReason, View

SHAS = ("a" * 64, "b" * 64)

_NOW = datetime(2026, 2, 1, tzinfo=UTC)


def second(first: HipReading, **views: object) -> HipReading:
    """The same by reader r2, with other views."""
    return msgspec.structs.replace(first, reader="r2", **views)


def moved_slice(view: ReadView, number: int = 7) -> ReadView:
    """The view on another image."""
    return msgspec.structs.replace(view, image=make_image(number))


def test_on_the_same_slice_nothing_is_moved() -> None:
    both = Adjudication(make_reading(100, 80), second(make_reading(130, 80)), SHAS)
    a, b = both.views
    assert (a.common, b.common) == (CommonPlane.SAME_SLICE, CommonPlane.SAME_SLICE)
    assert a.angle_deg == pytest.approx(30, abs=1e-4)
    assert both.cna_deg == pytest.approx(30, abs=1e-4)
    assert b.angle_deg == 0
    assert a.centre_apart_mm == pytest.approx(0, abs=1e-6)
    assert a.slice_apart_mm == 0
    assert {abs(round(a.start_deg or 0, 3)), abs(round(a.end_deg or 0, 3))} == {0.0, 30.0}
    assert a.first is not None
    assert a.second is not None
    assert len(a.first.arcs) == 1


def test_outlines_lie_on_the_circle_from_end_to_end() -> None:
    both = Adjudication(make_reading(100, 80), second(make_reading(100, 80)), SHAS)
    a = both.views[0]
    assert a.first is not None
    circle, arc = (np.array(line) for line in (a.first.circle, a.first.arcs[0]))
    for line in (circle, arc):
        assert np.linalg.norm(line - a.first.centre, axis=1) == pytest.approx(24, abs=1e-6)
    assert circle[0] == pytest.approx(circle[-1], abs=1e-9)
    chord = float(np.linalg.norm(arc[0] - arc[-1]))
    assert chord == pytest.approx(2 * 24 * np.sin(np.radians(50)), abs=1e-5)


def test_on_another_slice_the_marks_are_projected_and_it_is_said() -> None:
    first = make_reading(100, 80)
    other = make_view(View.CORONAL, 100, offset_mm=4.0)
    assert isinstance(other, ReadView)
    reading = second(first, views=(moved_slice(other), first.views[1]))
    a = Adjudication(first, reading, SHAS).views[0]
    assert a.common is CommonPlane.PROJECTED
    assert a.slice_apart_mm == pytest.approx(4.0)
    assert a.centre_apart_mm == pytest.approx(0, abs=1e-6)
    assert a.radius_mm == pytest.approx((24**2 - 16) ** 0.5 - 24, abs=1e-5)
    assert a.second is not None
    radii = np.linalg.norm(np.array(a.second.circle) - a.second.centre, axis=1)
    assert radii == pytest.approx((24**2 - 16) ** 0.5, abs=1e-6)


def test_an_oblique_slice_is_projected_to_an_ellipse() -> None:
    first = make_reading(100, 80)
    other = make_view(View.CORONAL, 100, turn_deg=(0.0, 0.0, 20.0))
    assert isinstance(other, ReadView)
    a = Adjudication(first, second(first, views=(moved_slice(other), first.views[1])), SHAS).views[
        0
    ]
    assert a.common is CommonPlane.PROJECTED
    assert a.second is not None
    around = np.array(a.second.circle) - a.second.centre
    assert np.abs(around[:, 0]).max() == pytest.approx(24 * np.cos(np.radians(20)), abs=0.05)
    assert np.abs(around[:, 1]).max() == pytest.approx(24, abs=0.05)


def test_the_same_place_under_another_name_is_the_same_slice() -> None:
    first = make_reading()
    a_view = first.views[0]
    assert isinstance(a_view, ReadView)
    reading = second(first, views=(moved_slice(a_view), first.views[1]))
    assert Adjudication(first, reading, SHAS).views[0].common is CommonPlane.SAME_SLICE


def test_without_a_common_frame_nothing_is_overlaid() -> None:
    first = make_reading()
    a_view = first.views[0]
    assert isinstance(a_view, ReadView)
    stray = msgspec.structs.replace(a_view, image=make_image(7, frame_of_reference="9.9"))
    a = Adjudication(first, second(first, views=(stray, first.views[1])), SHAS).views[0]
    assert (a.common, a.first, a.plane) == (CommonPlane.NONE, None, None)
    assert a.angle_deg == 0


def test_two_radiographs_are_overlaid_only_where_they_are_one() -> None:
    first = make_reading(b_view=View.FROG_LEG)
    assert Adjudication(first, second(first), SHAS).views[0].common is CommonPlane.SAME_SLICE
    film = first.views[0]
    assert isinstance(film, ReadView)
    image = make_image(7, frame_of_reference=None)
    other = second(first, views=(msgspec.structs.replace(film, image=image), first.views[1]))
    assert Adjudication(first, other, SHAS).views[0].common is CommonPlane.NONE


def test_a_view_that_one_did_not_read() -> None:
    first = make_reading()
    other = second(make_reading(None, 80, reason=UnreadReason.NOT_READABLE))
    both = Adjudication(first, other, SHAS)
    assert both.cna_deg is None
    a = both.views[0]
    assert (a.common, a.angle_deg, a.is_finding_the_same) == (CommonPlane.NONE, None, False)
    assert (
        Adjudication(other, msgspec.structs.replace(other, reader="r3"), SHAS)
        .views[0]
        .is_finding_the_same
    )


def test_no_necrosis_against_necrosis() -> None:
    a = Adjudication(make_reading(0, 80), second(make_reading(100, 80)), SHAS).views[0]
    assert a.angle_deg == pytest.approx(100, abs=1e-4)
    assert (a.start_deg, a.is_finding_the_same) == (None, False)
    assert a.first is not None
    assert a.first.arcs == ()


def _in_study(reading: HipReading, submitted: bool) -> HipReading:
    conduct = Conduct(
        worklist="wl-1", read_order=1, blinded=True, duration_s=1.0, submitted=submitted
    )
    return msgspec.structs.replace(reading, conduct=conduct)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (make_reading(subject="S02", reader="r2"), "two different hips or visits"),
        (make_reading(visit="m12", reader="r2"), "two different hips or visits"),
        (make_reading(read_no=2), "both readings are by reader r1"),
        (make_reading(reader="r2", b_view=View.FROG_LEG), "different kinds of image"),
        (_in_study(make_reading(reader="r2"), False), "is not submitted yet"),
    ],
)
def test_what_does_not_belong_together_is_refused(other: HipReading, problem: str) -> None:
    with pytest.raises(ReadingError, match=problem):
        Adjudication(make_reading(), other, SHAS)


@pytest.mark.parametrize("start", Start)
def test_a_consensus_starts_as_asked_and_is_its_own_reader(start: Start) -> None:
    readings = (make_reading(100, 80, notes="mine"), second(make_reading(130, 90)))
    both = Adjudication(*readings, SHAS)
    draft = consensus_draft(both, start)
    assert (draft.reader, draft.read_no, draft.notes) == ("consensus", 1, "")
    assert draft.consensus_of == SHAS
    rims = [len(view.rim) for view in draft.views]
    if start is Start.EMPTY:
        assert rims == [0, 0]
    else:
        source = readings[0 if start is Start.FIRST else 1].views[0]
        assert isinstance(source, ReadView)
        assert draft.views[0].rim == source.rim


def test_the_consensus_is_saved_beside_both(tmp_path: Path) -> None:
    paths = (tmp_path / "1.reading.json", tmp_path / "2.reading.json")
    shas = (
        save_reading(_in_study(make_reading(), True), paths[0]),
        save_reading(_in_study(second(make_reading(120, 80)), True), paths[1]),
    )
    both = Adjudication.of_files(*paths)
    assert both.sha256 == shas
    session = ReadingSession((View.CORONAL, View.SAGITTAL))
    session.restore(both.first, shas[0])
    saved = both.save(session.reading(), tmp_path / "readings")
    assert (saved.reading.reader, saved.reading.consensus_of) == ("consensus", shas)
    assert saved.path.parent == tmp_path / "readings" / "consensus"
    assert load_reading(saved.path) == saved.reading
    with pytest.raises(ReadingError, match="another version"):
        both.save(session.reading(_NOW), tmp_path / "readings")
    both.save(session.reading(_NOW), tmp_path / "readings", replaces=saved.sha256)
    with pytest.raises(ReadingError, match="the consensus is of S01"):
        both.signed(make_reading(subject="S09"))
    assert encode_reading(reading_of(consensus_draft(both, Start.FIRST), both.first.views, _NOW))
