"""The order: the same for ever, each reader's own, and nothing in it betrays what is hidden."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.errors import ReadingError
from necroangle.readerstudy import StudyCase, Worklist, make_worklist, reading_list
from necroangle.terms import Laterality, View

MakeStudy = Callable[..., Worklist]


@st.composite
def studies(draw: st.DrawFn) -> Worklist:
    """Studies of any size and mixture."""
    keys = draw(
        st.sets(
            st.tuples(
                st.sampled_from([f"P{number}" for number in range(8)]),
                st.sampled_from(Laterality),
                st.sampled_from(["a", "b", "c"]),
            ),
            min_size=1,
            max_size=30,
        )
    )
    cases = [
        StudyCase(
            subject=subject,
            laterality=side,
            visit=visit,
            views=(View.CORONAL, View.SAGITTAL),
            folder=".",
        )
        for subject, side, visit in keys
    ]
    repeats = draw(st.integers(0, len(cases)))
    return make_worklist(cases, ["r1", "r2"], repeats=repeats, seed=draw(st.integers(0, 1000)))


@given(studies())
def test_every_case_once_and_every_repeat_after_its_first(study: Worklist) -> None:
    listed = reading_list(study, "r1")
    assert [one.read_order for one in listed] == list(range(1, len(listed) + 1))
    counts = Counter(one.case for one in listed)
    assert set(counts) == set(study.cases)
    assert sorted(counts.values()).count(2) == study.repeats
    assert len({one.code for one in listed}) == len(listed)
    place = {(one.case, one.read_no): one for one in listed}
    for one in listed:
        if one.read_no == 2:
            first = place[(one.case, 1)]
            assert (first.session, one.session) == (1, 2)
            assert first.read_order < one.read_order


@given(studies())
def test_one_subject_does_not_follow_itself_where_others_are_left(study: Worklist) -> None:
    listed = reading_list(study, "r1")
    for place, (one, following) in enumerate(pairwise(listed), start=1):
        if one.case.subject == following.case.subject:
            session = [other for other in listed[place:] if other.session == following.session]
            assert {other.case.subject for other in session} == {one.case.subject} or (
                _crowded(listed, following.session)
            )


def _crowded(listed: tuple[object, ...], session: int) -> bool:
    """Whether one subject fills half of a session or more, so that no order keeps it apart."""
    subjects = [one.case.subject for one in listed if one.session == session]  # type: ignore[attr-defined]
    return max(Counter(subjects).values()) * 2 >= len(subjects)


def test_the_order_never_changes(make_study: MakeStudy) -> None:
    codes = [one.code for one in reading_list(make_study(), "r1")]
    assert codes == [one.code for one in reading_list(make_study(), "r1")]
    assert codes[:4] == FROZEN


FROZEN = ["SZLGS", "YXK9D", "QHTXS", "JC3VD"]


def test_readers_and_seeds_have_orders_of_their_own(make_study: MakeStudy) -> None:
    def keys(study: Worklist, reader: str) -> list[object]:
        return [one.case.key for one in reading_list(study, reader)]

    study = make_study()
    orders = [keys(study, "r1"), keys(study, "r2"), keys(make_study(seed=8), "r1")]
    assert len({str(order) for order in orders}) == 3
    codes = [{one.code for one in reading_list(study, reader)} for reader in ("r1", "r2")]
    assert not codes[0] & codes[1]


def test_another_reader_changes_nobody_elses_list(make_study: MakeStudy) -> None:
    import msgspec

    study = make_study()
    more = msgspec.structs.replace(study, readers=("r1", "r2", "r3", "r4"))
    assert reading_list(study, "r2") == reading_list(more, "r2")


def test_the_second_session_is_not_of_repeats_alone(make_study: MakeStudy) -> None:
    second = [one for one in reading_list(make_study(), "r1") if one.session == 2]
    assert Counter(one.read_no for one in second) == {1: 4, 2: 4}


def test_visits_come_in_order_no_more_often_than_not(make_study: MakeStudy) -> None:
    in_order = []
    for seed in range(40):
        listed = reading_list(make_study(seed=seed, repeats=0), "r1")
        place = {one.case.key: one.read_order for one in listed}
        in_order += [
            place[(subject, side, "m00")] < place[(subject, side, "m12")]
            for subject, side, visit in place
            if visit == "m00"
        ]
    assert len(in_order) == 400
    assert 160 < sum(in_order) < 240


def test_a_label_says_nothing_of_the_patient(make_study: MakeStudy) -> None:
    for one in reading_list(make_study(), "r1"):
        assert one.case.subject not in one.label
        assert one.case.visit not in one.label


def test_an_unknown_reader_is_refused(make_study: MakeStudy) -> None:
    with pytest.raises(ReadingError, match="no reader 'r9'; it has: r1, r2, r3"):
        reading_list(make_study(), "r9")
