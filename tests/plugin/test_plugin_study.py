"""A folder as visits and hips: the right series is offered first."""

from dataclasses import replace
from pathlib import Path

import pytest
from napari_necroangle._desk import Desk
from napari_necroangle._study import (
    MR_PAIR,
    RADIOGRAPH_PAIR,
    candidates,
    midline_mm,
    side_of,
    visits_of,
)

from necroangle.dicom import scan_folder
from necroangle.terms import Finding, Laterality, View


@pytest.fixture
def desk(samples: Path) -> Desk:
    opened = Desk()
    opened.reader = "r1"
    opened.open(samples / "plain")
    return opened


def test_each_hip_gets_its_own_sagittal_series(desk: Desk) -> None:
    (visit,) = desk.visits
    assert visit.pairs == (MR_PAIR,)
    for side in visit.sides:
        case = desk.take(visit, side, MR_PAIR)
        chosen = desk.chosen(View.SAGITTAL)
        assert chosen is not None
        assert chosen.laterality is side
        draft = case.session.draft
        assert (draft.subject, draft.visit, draft.reader) == ("PHANTOM-01", "baseline", "r1")


def test_geometry_tells_the_side_where_no_code_does(desk: Desk) -> None:
    midline = midline_mm(desk.visits[0].series)
    assert midline is not None
    for series in desk.visits[0].series:
        if series.plane is None or series.plane.name != "sagittal":
            continue
        uncoded = replace(series, laterality=None)
        assert side_of(uncoded, midline) is series.laterality
        assert side_of(uncoded, None) is None


def test_a_case_that_is_left_is_there_again(desk: Desk) -> None:
    (visit,) = desk.visits
    right = desk.take(visit, Laterality.RIGHT, MR_PAIR)
    right.choose(View.CORONAL, Finding.NO_NECROSIS, 5)
    desk.take(visit, Laterality.LEFT, MR_PAIR)
    assert [key.side for key in desk.unsaved] == [Laterality.RIGHT]
    again = desk.take(visit, Laterality.RIGHT, MR_PAIR)
    assert again is right
    assert again.session.draft.view(View.CORONAL).choice is Finding.NO_NECROSIS
    assert set(again.pictures) == set(MR_PAIR)


def test_another_folder_keeps_the_cases_of_the_first(desk: Desk, samples: Path) -> None:
    case = desk.take(desk.visits[0], Laterality.RIGHT, MR_PAIR)
    case.choose(View.CORONAL, Finding.NO_NECROSIS, 5)
    desk.open(samples / "normal")
    assert len(desk.unsaved) == 1
    desk.open(samples / "plain")
    assert desk.take(desk.visits[0], Laterality.RIGHT, MR_PAIR) is case


def test_visits_are_told_apart(samples: Path) -> None:
    visits = visits_of(scan_folder(samples / "two_visits"))
    assert [visit.label for visit in visits] == ["baseline", "month_12"]
    assert all(len(visit.series) == 3 for visit in visits)


def test_a_radiograph_pair_is_offered_by_its_coded_views(samples: Path) -> None:
    (visit,) = visits_of(scan_folder(samples / "radiographs"))
    assert visit.pairs == (RADIOGRAPH_PAIR,)
    assert visit.sides == (Laterality.RIGHT,)
    found = [candidates(visit, view, Laterality.RIGHT)[0].view for view in RADIOGRAPH_PAIR]
    assert found == ["AP", "LATERAL"]
    assert candidates(visit, View.CORONAL, Laterality.RIGHT) == ()


def test_a_fresh_case_begins_at_the_head(desk: Desk) -> None:
    case = desk.take(desk.visits[0], Laterality.RIGHT, MR_PAIR)
    assert [case.proposed_index(view) for view in MR_PAIR] == [5, 5]


def test_marks_on_the_other_hip_are_noticed(desk: Desk, samples: Path) -> None:
    from napari_necroangle._store import load_into

    case = desk.take(desk.visits[0], Laterality.RIGHT, MR_PAIR)
    assert desk.side_doubt() == ""
    load_into(case.session, samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    assert desk.side_doubt() == ""
    load_into(case.session, samples / "readings" / "PHANTOM-01__L__baseline__truth__1.reading.json")
    assert "the marks lie on the other one" in desk.side_doubt()
    left = next(one for one in desk.choices(View.SAGITTAL) if one.laterality is Laterality.LEFT)
    desk.show_series(View.SAGITTAL, left)
    case.clear(View.CORONAL)
    assert "the sagittal series shows the other one" in desk.side_doubt()
