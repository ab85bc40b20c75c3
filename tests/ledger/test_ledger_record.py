"""The ledger on SQLite and on PostgreSQL: records, revisions, conflicts, retries, history."""

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres import new_place

from necroangle.cohort import Cell, CohortStore
from necroangle.errors import CohortError
from necroangle.ledger.records import Entry, Recorded
from necroangle.ledger.verify import verify
from necroangle.terms import ArcoStage

HIP = ("S01", "L")


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, tmp_path: Path) -> CohortStore:
    return CohortStore.open(new_place(kind, tmp_path))


def hip(values: dict[str, Cell] | None, **more: Any) -> Entry:
    return Entry("hip", HIP, values, **more)


def test_a_record_is_made_changed_withdrawn_and_made_again(store: CohortStore) -> None:
    first, second = hip({"arco": "2", "vas": 3.0}), hip({"arco": "3A", "vas": None}, reason="typo")
    assert store.record([first], actor="kim") == Recorded(created=1)
    assert store.record([second], actor="lee") == Recorded(changed=1)
    (found,) = store.current("hip")
    assert (found.values, found.revision, found.actor, found.reason) == (
        {"arco": "3A", "vas": None},
        2,
        "lee",
        "typo",
    )
    assert store.record([hip(None, reason="other patient")], actor="lee") == Recorded(withdrawn=1)
    assert store.current("hip") == []
    assert store.record([first], actor="kim") == Recorded(created=1)
    assert store.record([second, first, second], actor="kim") == Recorded(changed=3)
    events = store.history("hip", HIP)
    assert [event.action for event in events] == ["create", "change", "withdraw", "create"] + [
        "change"
    ] * 3
    assert [event.seq for event in events] == list(range(1, 8))
    assert events[2].payload is None
    assert events[1].previous_hash == events[0].hash
    assert events[1].payload == '{"arco":"3A","vas":null}'
    store.record([Entry("subject", ("S01",), {})], actor="kim")
    assert verify(store).is_clean


def test_the_same_again_changes_nothing(store: CohortStore) -> None:
    assert store.record([hip({"a": 1})], actor="kim") == Recorded(created=1)
    assert store.record([hip({"a": 1}, reason="again")], actor="lee") == Recorded(unchanged=1)
    assert store.record([Entry("hip", ("S09", "R"), None)], actor="lee") == Recorded(unchanged=1)
    assert len(store.history("hip", HIP)) == 1


def test_a_number_is_not_a_text_nor_a_whole_one_a_real_one(store: CohortStore) -> None:
    some: list[Cell] = [1, "1", 1.0, None, "", 0.1 + 0.2, -5, "00123", "홍길동 \n\t\"'\\ €", 5e-324]
    for cell in some:
        store.record([hip({"cell": cell})], actor="kim")
        assert repr(store.current("hip")[0].values["cell"]) == repr(cell)
    assert len(store.history("hip", HIP)) == len(some)


def test_words_of_the_field_are_kept_as_their_values(store: CohortStore) -> None:
    store.record([hip({"arco": ArcoStage.STAGE_3A, "zero": -0.0})], actor="kim")
    assert store.current("hip")[0].values == {"arco": "3A", "zero": 0.0}
    assert '"zero":0.0' in str(store.history("hip", HIP)[0].payload)


def test_what_another_changed_meanwhile_is_offered_not_overwritten(store: CohortStore) -> None:
    store.record([hip({"vas": 1})], actor="kim")
    (seen,) = store.current("hip")
    store.record([hip({"vas": 2}, expected=seen.revision)], actor="lee")
    mine = hip({"vas": 3}, expected=seen.revision)
    beside = Entry("visit", (*HIP, "m06"), {"vas": 4}, expected=0)
    outcome = store.record([mine, beside], actor="kim")
    assert (outcome.created, outcome.changed) == (1, 0)
    (conflict,) = outcome.conflicts
    assert conflict.wanted == mine
    assert conflict.expected == 1
    assert conflict.found == store.current("hip")[0]
    assert conflict.found.values == {"vas": 2}
    assert str(conflict).startswith("hip S01 L: changed by lee at 20")
    again = hip({"vas": 3}, expected=conflict.found.revision)
    assert store.record([again], actor="kim") == Recorded(changed=1)


def test_there_is_none_is_a_revision_too(store: CohortStore) -> None:
    store.record([hip({"vas": 1})], actor="kim")
    (conflict,) = store.record([hip({"vas": 2}, expected=0)], actor="lee").conflicts
    assert conflict.found is not None
    store.record([hip(None)], actor="kim")
    (gone,) = store.record([hip({"vas": 2}, expected=1)], actor="lee").conflicts
    assert gone.found is None
    assert "withdrawn" in str(gone)
    assert store.record([hip({"vas": 2}, expected=0)], actor="lee") == Recorded(created=1)


def test_two_in_one_call_that_saw_the_same_conflict(store: CohortStore) -> None:
    outcome = store.record([hip({"a": 1}, expected=0), hip({"a": 2}, expected=0)], actor="kim")
    assert outcome.created == 1
    assert [conflict.found for conflict in outcome.conflicts] == store.current("hip")


def test_a_write_tried_again_after_a_doubtful_end_is_one_write(store: CohortStore) -> None:
    first, mine = hip({"vas": 1}, expected=0), hip({"vas": 2}, expected=1)
    store.record([first], actor="kim")
    store.record([mine], actor="kim")
    assert store.record([mine], actor="kim") == Recorded(unchanged=1)
    store.record([hip({"vas": 9}, expected=2)], actor="lee")
    assert store.record([mine], actor="kim") == Recorded(unchanged=1), "lee's must stay"
    assert store.record([first], actor="kim") == Recorded(unchanged=1)
    assert store.record([mine], actor="park").conflicts, "another's wish is no retry"
    named = hip({"vas": 7}, idempotency_key="desk-2-41")
    assert store.record([named], actor="kim") == Recorded(changed=1)
    store.record([hip({"vas": 8})], actor="lee")
    assert store.record([named], actor="kim") == Recorded(unchanged=1)
    with pytest.raises(CohortError, match="'desk-2-41' was used for another write"):
        store.record([hip({"vas": 6}, idempotency_key="desk-2-41")], actor="kim")
    assert [record.values for record in store.current("hip")] == [{"vas": 8}]


def test_a_wish_for_a_new_record_is_not_taken_for_an_old_one(store: CohortStore) -> None:
    mine = hip({"vas": 1}, expected=0)
    store.record([mine], actor="kim")
    store.record([hip(None)], actor="kim")
    store.record([hip({"vas": 2}, expected=0)], actor="lee")
    assert len(store.record([mine], actor="kim").conflicts) == 1


def test_a_prefix_finds_whole_parts_of_a_key(store: CohortStore) -> None:
    keys = [
        ("S1",),
        ("S1", "L"),
        ("S1", "L", "m06"),
        ("S10", "L"),
        ("S_", "L"),
        ("홍", "L"),
        ("s1",),
    ]
    store.record([Entry("visit", key, {"n": 1}) for key in keys], actor="kim")

    def found(*prefix: str) -> list[tuple[str, ...]]:
        return [record.key for record in store.current("visit", prefix)]

    assert found() == sorted(keys)
    assert found("S1") == keys[:3]
    assert found("S1", "L") == keys[1:3]
    assert found("S_") == [("S_", "L")]
    assert found("홍", "L") == [("홍", "L")]
    assert found("S") == []
    assert store.current("vis") == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"a": float("nan")}, "a: nan is no finite number"),
        ({"a": True}, "a: True is no text and no number"),
        ({"a": 2**63}, "is no text and no number"),
        ({"a": "\ud800"}, "half a letter"),
        ({"a": "x\0y"}, "NUL"),
        ({"a": [1]}, "is no text and no number"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(
    store: CohortStore, values: dict[str, Any], problem: str
) -> None:
    with pytest.raises(CohortError, match=problem):
        store.record([Entry("subject", ("S01",), {"sex": "F"}), hip(values)], actor="kim")
    assert store.current("subject") == []


@pytest.mark.parametrize("own", ["measurement", "reading_file", "columns"])
def test_the_ledgers_own_kinds_are_refused(store: CohortStore, own: str) -> None:
    with pytest.raises(CohortError, match="written by the ledger itself"):
        store.record([Entry(own, ("a",), {})], actor="kim")


@pytest.mark.parametrize(
    ("name", "key"), [("Hip", ("a",)), ("", ("a",)), ("hip", ()), ("hip", ("a", "")), ("hip", "ab")]
)
def test_a_malformed_entry_is_refused_at_once(name: str, key: Any) -> None:
    with pytest.raises(CohortError):
        Entry(name, key, {})


def test_several_desks_count_together_and_none_is_lost(store: CohortStore) -> None:
    done: list[int] = []
    problems: list[BaseException] = []

    def add(desk: int) -> None:
        try:
            for _ in range(8):
                while True:
                    found = store.current("counter", HIP)
                    n, seen = (found[0].values["n"], found[0].revision) if found else (0, 0)
                    wanted = {"n": int(n or 0) + 1, "desk": desk}
                    entry = Entry("counter", HIP, wanted, expected=seen)
                    if not store.record([entry], actor=f"desk {desk}").conflicts:
                        done.append(wanted["n"])
                        break
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=add, args=(desk,)) for desk in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(done) == list(range(1, 33))
    assert verify(store).is_clean


keys = st.sampled_from([("S1", "L"), ("S1", "R"), ("S2", "L")])
cells = (
    st.none()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
)
wishes = st.lists(
    st.tuples(keys, st.none() | st.dictionaries(st.sampled_from("abc"), cells), st.booleans()),
    max_size=12,
)


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wishes)
def test_the_store_does_what_a_dictionary_does(
    kind: str, tmp_path: Path, some: list[tuple[tuple[str, ...], dict[str, Cell] | None, bool]]
) -> None:
    store = CohortStore.open(new_place(kind, tmp_path))
    model: dict[tuple[str, ...], dict[str, Cell]] = {}
    for key, values, looked in some:
        seen = {record.key: record.revision for record in store.current("score")}
        expected = seen.get(key, 0) if looked else None
        assert not store.record(
            [Entry("score", key, values, expected=expected)], actor="k"
        ).conflicts
        if values is None:
            model.pop(key, None)
        else:
            model[key] = {
                name: cell + 0.0 if isinstance(cell, float) else cell
                for name, cell in values.items()
            }
        found = {record.key: record.values for record in store.current("score")}
        assert {key: _shown(values) for key, values in found.items()} == {
            key: _shown(values) for key, values in model.items()
        }
    assert verify(store).is_clean


def _shown(values: dict[str, Cell]) -> str:
    return repr(sorted(values.items()))
