"""A folder as visits and hips: the right series is offered first."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from napari_necroangle.modes.free import FreeReading
from napari_necroangle.modes.saving import may_enter, ready_to_save
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.case import CaseKey
from napari_necroangle.store.readings import load_into
from pydicom import dcmread

from necroangle.cohort import CohortStore
from necroangle.dicom import passport_of, scan_folder
from necroangle.dicom.sides import StudySides
from necroangle.dicom.visits import (
    MR_PAIR,
    RADIOGRAPH_PAIR,
    candidates,
    visits_of,
)
from necroangle.ledger.admission import enrol
from necroangle.study import init_study
from necroangle.terms import Finding, Laterality, View


@pytest.fixture
def space(samples: Path) -> Workspace:
    opened = Workspace()
    opened.reader = "r1"
    opened.open(samples / "plain")
    return opened


def test_each_hip_gets_its_own_sagittal_series(space: Workspace) -> None:
    (visit,) = space.visits
    assert visit.pairs == (MR_PAIR,)
    for side in visit.sides:
        case = space.take(visit, side, MR_PAIR).case
        chosen = space.chosen(View.SAGITTAL)
        assert chosen is not None
        assert chosen.laterality is side
        draft = case.session.draft
        assert (draft.subject, draft.visit, draft.reader) == ("PHANTOM-01", "baseline", "r1")


def test_geometry_tells_the_side_where_no_code_does(space: Workspace) -> None:
    uncoded = [replace(series, laterality=None) for series in space.visits[0].series]
    sides = StudySides(uncoded)
    for series, coded in zip(uncoded, space.visits[0].series, strict=True):
        if series.plane is not None and series.plane.name == "sagittal":
            assert sides.of(series).side is coded.laterality
            assert sides.of(series).confidence == "sure"


def test_a_case_that_is_left_is_there_again(space: Workspace) -> None:
    (visit,) = space.visits
    right = space.take(visit, Laterality.RIGHT, MR_PAIR).case
    right.choose(View.CORONAL, Finding.NO_NECROSIS, 5)
    space.take(visit, Laterality.LEFT, MR_PAIR)
    assert [key.side for key in space.unsaved] == [Laterality.RIGHT]
    again = space.take(visit, Laterality.RIGHT, MR_PAIR).case
    assert again is right
    assert again.session.draft.view(View.CORONAL).choice is Finding.NO_NECROSIS
    assert set(again.pictures) == set(MR_PAIR)


def test_another_folder_keeps_the_cases_of_the_first(space: Workspace, samples: Path) -> None:
    case = space.take(space.visits[0], Laterality.RIGHT, MR_PAIR).case
    case.choose(View.CORONAL, Finding.NO_NECROSIS, 5)
    space.open(samples / "normal")
    assert len(space.unsaved) == 1
    space.open(samples / "plain")
    assert space.take(space.visits[0], Laterality.RIGHT, MR_PAIR).case is case


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


def test_a_fresh_case_begins_at_the_head(space: Workspace) -> None:
    case = space.take(space.visits[0], Laterality.RIGHT, MR_PAIR).case
    assert [case.proposed_index(view) for view in MR_PAIR] == [5, 5]


def doubts(space: Workspace) -> list[tuple[str, bool]]:
    return [(one.words, one.blocks) for one in space.side_doubts()]


def test_marks_on_the_other_hip_are_noticed(space: Workspace, samples: Path) -> None:
    case = space.take(space.visits[0], Laterality.RIGHT, MR_PAIR).case
    assert doubts(space) == []
    load_into(case.session, samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    assert doubts(space) == []
    load_into(case.session, samples / "readings" / "PHANTOM-01__L__baseline__truth__1.reading.json")
    assert any("the marks lie on the other one" in words for words, _ in doubts(space))
    left = next(one for one in space.choices(View.SAGITTAL) if one.laterality is Laterality.LEFT)
    space.show_series(View.SAGITTAL, left)
    case.clear(View.CORONAL)
    assert (
        "The right hip is chosen, but the sagittal series shows the other one.",
        True,
    ) in doubts(space)


@pytest.fixture
def one_hip(samples: Path, tmp_path: Path) -> Workspace:
    """The right hip of a sample without any code, on a coronal of 24 cm centred on that hip."""
    narrow_mm = 0.624
    for plane in ("coronal", "sagittal_r"):
        (tmp_path / plane).mkdir()
        for path in (samples / "plain" / plane).iterdir():
            slice_ = dcmread(path)
            for keyword in ("Laterality", "ImageLaterality"):
                if keyword in slice_:
                    delattr(slice_, keyword)
            if plane == "coronal":
                half_mm = (slice_.Columns - 1) / 2 * narrow_mm
                position = [-87.9 - half_mm, *slice_.ImagePositionPatient[1:]]
                slice_.ImagePositionPatient = position
                slice_.PixelSpacing = [slice_.PixelSpacing[0], narrow_mm]
            slice_.save_as(tmp_path / plane / path.name)
    opened = Workspace()
    opened.reader = "r1"
    opened.open(tmp_path)
    return opened


def test_a_hip_on_its_own_is_saved_as_what_it_is(one_hip: Workspace, samples: Path) -> None:
    """No picture shows both hips: the right answer may be saved, the wrong one is doubted."""
    (visit,) = one_hip.visits
    reading = samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json"
    right = one_hip.take(visit, Laterality.RIGHT, MR_PAIR).case
    load_into(right.session, reading)
    assert doubts(one_hip) == []
    assert not any(one.blocks for one in one_hip.contradictions())
    left = one_hip.take(visit, Laterality.LEFT, MR_PAIR).case
    load_into(left.session, reading)
    assert (
        "The left hip is chosen, but the sagittal series lies on the other side.", False,
    ) in doubts(one_hip)  # fmt: skip
    assert ("The left hip is chosen, but the marks lie on the other one.", False) in doubts(one_hip)
    assert not any(one.blocks for one in one_hip.contradictions())
    for series in visit.series:
        found = passport_of(series, visit.by_place).side
        assert (found.found, found.confidence) == (Laterality.RIGHT, "sure")


def test_a_code_against_the_place_is_doubted(one_hip: Workspace) -> None:
    (visit,) = one_hip.visits
    series = tuple(replace(one, laterality=Laterality.LEFT) for one in visit.series)
    one_hip.visits = (replace(visit, series=series),)
    for side in Laterality:
        one_hip.take(one_hip.visits[0], side, MR_PAIR)
        assert doubts(one_hip) != []
        assert not any(blocks for _, blocks in doubts(one_hip))


def test_two_subjects_with_one_visit_name_never_share_a_case(samples: Path) -> None:
    """The samples are several subjects, most of whose visits are called baseline."""
    space = Workspace()
    space.open(samples)
    assert len({visit.subject for visit in space.visits}) > 3
    labels = [visit.label for visit in space.visits]
    assert len(set(labels)) == len(labels)
    cases = {}
    for visit in space.visits:
        if visit.pairs:
            case = space.take(visit, visit.sides[0], visit.pairs[0]).case
            assert case.session.draft.subject == visit.subject
            cases[visit.label] = case
    assert len({id(case) for case in cases.values()}) == len(cases)


def test_nameless_studies_have_labels_of_their_own(samples: Path) -> None:
    scan = scan_folder(samples)
    same = tuple(replace(series, subject=None, visit="baseline") for series in scan.series)
    labels = [visit.label for visit in visits_of(replace(scan, series=same))]
    assert len(labels) > 3
    assert len(set(labels)) == len(labels)


def test_going_on_through_a_folder_comes_to_every_hip_once(samples: Path) -> None:
    space = Workspace()
    space.open(samples)
    first = next(visit for visit in space.visits if visit.pairs)
    space.take(first, first.sides[0], first.pairs[0])
    window: Any = SimpleNamespace(workspace=space)
    free = FreeReading(window)
    seen = []
    while True:
        assert space.key is not None
        assert space.visit is not None
        seen.append((space.visit.subject, space.visit.visit, space.key.side))
        key = free.key_at(1)
        if not isinstance(key, CaseKey) or len(seen) > 50:
            break
        visit = next(one for one in space.visits if one.label == key.visit)
        space.take(visit, key.side, key.views)
    expected = sum(len(visit.sides) for visit in space.visits if visit.pairs)
    assert len(seen) == len(set(seen)) == expected


def test_a_hip_that_is_not_in_the_studys_list_is_asked_about_before_it_is_saved(
    space: Workspace, tmp_path: Path
) -> None:
    study = init_study(tmp_path / "study", "onfh", readers=("r1",))
    session = space.take(space.visits[0], Laterality.RIGHT, MR_PAIR).case.session
    asked: list[str] = []

    def choose(_title: str, words: str, choices: tuple[str, ...]) -> str | None:
        asked.append(words)
        return choices[0] if len(asked) > 1 else None

    dialogs: Any = SimpleNamespace(choose=choose)
    assert may_enter(session, study.readings, dialogs)
    assert not asked  # there is no list yet
    store = CohortStore.open(study.cohort)
    enrol(store, {"PHANTOM-1": frozenset()}, actor="kim", reason="")
    assert not may_enter(session, study.readings, dialogs)
    assert "did you mean PHANTOM-1?" in asked[0].replace("\u200b", "")
    assert may_enter(session, study.readings, dialogs), "the reader may save it as it is"
    enrol(store, {"PHANTOM-02": frozenset("L")}, actor="kim", reason="")
    session.enter(subject="PHANTOM-1")
    assert may_enter(session, study.readings, dialogs)
    assert len(asked) == 2
    session.enter(reader="zed")
    assert may_enter(session, study.readings, dialogs)
    assert "zed is none of the study's" in asked[2].replace("\u200b", "")
    assert may_enter(session, tmp_path, dialogs), "no study, no question"
    assert len(asked) == 3
    session.enter(notes="Mrs. Miller, born 3.4.1961")
    dialogs.choose = lambda *told: asked.append(told[1])
    assert not ready_to_save(space, dialogs, must_be_complete=False)
    assert "looks like a day of birth" in asked[3]
