"""``necroangle edit`` and ``history``: cell by cell, with a reason, and who did it."""

from pathlib import Path

import click.testing
import pytest
from click.testing import CliRunner

from necroangle.cli.records.edit import command as edit_command
from necroangle.cli.records.history import command as history_command
from necroangle.cohort import Cell, CohortStore
from necroangle.errors import CohortError
from necroangle.ledger.records import Entry
from necroangle.study import init_study

WHY = ("--reason", "paper file", "--as", "nurse")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CohortStore:
    study = init_study(tmp_path / "study", "onfh")
    monkeypatch.chdir(study.folder)
    opened = CohortStore.open(study.cohort)
    values: dict[str, Cell] = {"vas": 3.0, "vas_scale": 10, "arco": "2"}
    opened.record([Entry("visit", ("S1", "L", "m00"), values)], actor="dr")
    return opened


def edit(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(edit_command, list(arguments))


def now(store: CohortStore) -> dict[str, object]:
    (record,) = store.current("visit")
    return dict(record.values)


def test_a_cell_is_changed_and_the_others_stay(store: CohortStore) -> None:
    shown = edit("visit", "S1", "left", "m00", "--set", "vas=4.5", *WHY)
    assert shown.exit_code == 0, shown.output
    assert now(store) == {"vas": 4.5, "vas_scale": 10, "arco": "2"}


def test_a_missing_code_says_why_and_nothing_takes_the_value_out(store: CohortStore) -> None:
    edit("visit", "S1", "L", "m00", "--set", "vas=-98", *WHY)
    assert now(store) == {"vas_scale": 10, "arco": "2", "vas": None, "vas_missing": "not readable"}
    edit("visit", "S1", "L", "m00", "--set", "vas=", "--set", "arco=3a", *WHY)
    assert now(store) == {"vas_scale": 10, "arco": "3A"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("visit", "S1", "L", "m00", "--set", "vas=11"), "above the scale's largest value"),
        (("visit", "S1", "L", "m00", "--set", "vas=x"), "visit S1 L m00: vas: 'x' is no number"),
        (("visit", "S1", "L", "m00", "--set", "vsa=1"), "no field of a visit; there are: visit_"),
        (("visit", "S1", "L", "m06", "--set", "vas=1"), "there is no visit S1 L m06; --create"),
        (("visit", "S1", "L", "m01", "--create", "--set", "hhs=1"), "no visit of the study"),
        (("visit", "S1", "L", "--set", "vas=1"), "the key of a visit is: subject laterality"),
        (("visit", "S1", "L", "m06", "--withdraw"), "there is no visit S1 L m06"),
    ],
)
def test_what_is_refused_changes_nothing(
    store: CohortStore, arguments: tuple[str, ...], said: str
) -> None:
    before = store.current("visit")
    shown = edit(*arguments, *WHY)
    assert isinstance(shown.exception, CohortError)
    assert said in str(shown.exception)
    assert store.current("visit") == before


def test_a_reason_is_needed(store: CohortStore) -> None:
    assert edit("visit", "S1", "L", "m00", "--set", "vas=1", "--as", "x").exit_code == 2
    shown = edit("visit", "S1", "L", "m00", "--set", "vas=1", "--as", "x", "--reason", " ")
    assert "has a reason" in str(shown.exception)
    assert now(store)["vas"] == 3.0


def test_a_record_is_made_where_it_is_asked_for_and_a_doubt_is_told(store: CohortStore) -> None:
    edit("event", "S1", "L", "tha", "--create", "--set", "event_date=2021-01-01", *WHY)
    shown = edit("visit", "S1", "L", "m00", "--set", "visit_date=2021-01-02", *WHY)
    assert shown.exit_code == 0
    assert "1 days after the hip was replaced" in shown.stderr
    assert [one.key for one in store.current("event")] == [("S1", "L", "tha", "1")]
    assert [one.key for one in store.current("hip")] == [("S1", "L")]
    assert [one.key for one in store.current("subject")] == [("S1",)]


def test_what_others_belong_to_is_not_withdrawn(store: CohortStore) -> None:
    edit("hip", "S1", "L", "--create", "--set", "bilateral=1", *WHY)
    shown = edit("hip", "S1", "L", "--withdraw", *WHY)
    assert "visit S1 L m00 belongs to this hip; withdraw that first" in str(shown.exception)
    assert [one.key for one in store.current("hip")] == [("S1", "L")]


def test_the_history_says_who_when_what_and_why(store: CohortStore) -> None:
    edit("visit", "S1", "L", "m00", "--set", "vas=4", *WHY)
    edit("visit", "S1", "L", "m00", "--withdraw", "--reason", "wrong hip", "--as", "dr")
    assert store.current("visit") == []
    shown = CliRunner().invoke(history_command, ["visit", "S1", "L", "m00"])
    lines = [line.partition("Z  ")[2] or line for line in shown.stdout.splitlines()]
    assert lines == [
        "dr  create",
        "    arco: nothing -> 2",
        "    vas: nothing -> 3.0",
        "    vas_scale: nothing -> 10",
        "nurse  change: paper file",
        "    vas: 3.0 -> 4.0",
        "dr  withdraw: wrong hip",
        "    arco: 2 -> nothing",
        "    vas: 4.0 -> nothing",
        "    vas_scale: 10 -> nothing",
    ]
    none = CliRunner().invoke(history_command, ["visit", "S1", "L", "m06"])
    assert "there never was a visit S1 L m06" in str(none.exception)
