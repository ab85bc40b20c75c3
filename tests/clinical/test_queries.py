"""What a monitor asks: found, answered, accepted, asked again; and what the rules find at large."""

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading

from necroangle.annotation import encode_reading, file_name
from necroangle.cli import cli
from necroangle.clinical.rules import RULES
from necroangle.cohort import CohortStore
from necroangle.ledger.records import QUERY
from necroangle.study import init_study

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

VISITS = """\
subject,side,visit,visit_date,arco,vas,vas_scale,hhs
KT-001,L,m00,2020-01-06,3A,60,100,55
KT-001,L,m03,2020-04-06,2,30,100,70
KT-001,L,m06,2020-07-06,3A,6,100,61
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def asked(*arguments: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(run("queries", "--json", *arguments).stdout)
    return found


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = init_study(tmp_path / "study", "onfh", readers=("r1",))
    monkeypatch.chdir(made.folder)
    Path("visits.csv").write_text(VISITS)
    return made.folder


def test_an_import_raises_what_the_queries_ask(study: Path) -> None:
    told = run("import", "visits.csv", "--as", "kim")
    assert told.exit_code == 0
    assert "ARCO stage 2, after 3A at m00" in told.stderr
    store = CohortStore.open("cohort.sqlite")
    raised = {record.key for record in store.current(QUERY)}
    assert ("KT-001", "L", "m03", "stages.arco") in raised
    assert ("KT-001", "L", "m06", "pain_numbers.vas") in raised
    entry = {rule.name for rule in RULES if rule.at_entry}
    found = {
        (*one["key"].split(), f"{one['rule']}.{one['field']}")
        for one in asked()
        if one["rule"] in entry
    }
    assert found == raised
    assert run("verify").exit_code == 0


def test_a_query_is_answered_accepted_and_asked_again_when_its_finding_changes(
    study: Path,
) -> None:
    run("import", "visits.csv", "--as", "kim")
    (one,) = asked("--rule", "stages")
    who = ("--as", "kim", "--reason", "radiograph of m03 was read again")
    assert run("queries", "--accept", one["id"], "--as", "kim").exit_code == 1
    assert run("queries", "--accept", "00000000", *who).exit_code == 1
    assert run("queries", "--accept", one["id"], *who).exit_code == 0
    assert asked("--rule", "stages") == []
    (accepted,) = asked("--rule", "stages", "--state", "accepted")
    assert accepted["answer"] == "radiograph of m03 was read again"
    assert (accepted["by"], accepted["state"]) == ("kim", "accepted")

    run("edit", "visit", "KT-001", "L", "m00", "--set", "arco=3B", "--as", "kim", "--reason", "x")
    now = asked("--rule", "stages")
    assert [(two["state"], two["id"]) for two in now if two["key"].endswith("m03")] == [
        ("open", one["id"])
    ]
    run("edit", "visit", "KT-001", "L", "m03", "--set", "arco=4", "--as", "kim", "--reason", "x")
    (gone,) = asked("--rule", "stages", "--state", "resolved")
    assert gone["id"] == one["id"]
    assert run("verify").exit_code == 0


def test_readings_and_visits_without_each_other(study: Path) -> None:
    run("import", "visits.csv", "--as", "kim")
    for name in ("m00", "m12"):
        reading = make_reading(subject="KT-001", visit=name)
        Path("readings", file_name(reading)).write_bytes(encode_reading(reading))
    run("measure", "readings")
    places = {(one["rule"], one["key"].split()[2]) for one in asked() if "read" in one["rule"]}
    assert ("reading_without_visit", "m12") in places
    assert ("visit_without_reading", "m03") in places
    assert ("doubled_readings", "m12") in places


def test_every_seeded_kind_is_found_and_clean_rows_are_left_alone() -> None:
    found = import_module("queries").trial(hips=400, each=3, seed=7)
    assert found.recall >= 0.95
    assert found.alarmed <= 0.01 * found.rows
    assert len(found.kinds) >= 50
    assert all(one.seeded for one in found.kinds.values())
    missed = [rule.name for rule in RULES if rule.measured is None]
    assert missed == ["list"]
