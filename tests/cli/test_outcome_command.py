"""``necroangle outcome`` on a cohort table and in a study folder."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cohortmaker import STUDY, HipSpec, full_row, plain_cohort, store_cohort

from necroangle.cli.analyses.outcome import command
from necroangle.cli.records.import_table import command as import_table
from necroangle.errors import CohortError
from necroangle.ledger.store import CohortStore
from necroangle.study import init_study


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store_cohort(tmp_path / "cohort.sqlite", plain_cohort(STUDY))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def lines(text: str) -> list[list[str]]:
    """The table's lines as words, the blanks between columns taken out."""
    return [line.split() for line in text.splitlines() if line.strip()]


def test_the_text_says_the_study(study: Path) -> None:
    shown = run()
    assert shown.exit_code == 0
    found = lines(shown.stdout)
    for words in (
        "patients 18",
        "hips 22",
        "age 35.0 [28.5 to 42.0] years, n 18",
        "follow-up patients 4.0 [2.0 to 5.3] years, n 18",
        "stage maintained 11 of 22",
        "ARCO 2 2 of 14: 14.3 % (1.8 to 42.8 %)",
        "ARCO 3A 4 of 8: 50.0 % (15.7 to 84.3 %)",
        "CNA decreased above the rule 6 of 22",
        "VAS against baseline P = 0.052, 22 pairs",
        "HHS against baseline P = 0.535, 22 pairs",
        "total hip arthroplasty 4 of 22",
    ):
        assert words.split() in found, words
    assert "nan" not in shown.stdout.lower()


def test_csv_and_json_say_the_same(study: Path) -> None:
    table = list(csv.DictReader(io.StringIO(run("--csv").stdout)))
    said = json.loads(run("--json").stdout)
    assert [row["quantity"] for row in table] == [row["quantity"] for row in said["rows"]]
    assert list(table[0]) == [
        "quantity",
        "group",
        "n",
        "value",
        "low",
        "high",
        "unit",
        "method",
        "words",
    ]
    for row, other in zip(table, said["rows"], strict=True):
        assert row["value"] == ("" if other["value"] is None else repr(other["value"]))
        assert row["method"]
    assert any("Wilcoxon signed-rank, two-sided, exact" in row["method"] for row in table)
    assert any(note.startswith("radiographic failure by rule") for note in said["notes"])


def test_hips_and_visits_are_tables_with_a_cluster(study: Path) -> None:
    hips = list(csv.DictReader(io.StringIO(run("--table", "hips", "--csv").stdout)))
    assert len(hips) == 22
    assert len({row["cluster"] for row in hips}) == 18
    visits = list(csv.DictReader(io.StringIO(run("--table", "visits", "--csv").stdout)))
    assert {row["state"] for row in visits} == {"observed", "missing", "censored_tha"}
    assert not [row for row in visits if row["state"] == "censored_tha" and row["cna_deg"]]
    assert not any("-03-" in cell for row in visits for cell in row.values())  # no date leaves


def test_by_visit_shows_every_visit(study: Path) -> None:
    shown = run("--by-visit").stdout
    assert all(f"visit m{months}" in shown for months in (12, 24, 36, 48, 60, 72))


def test_options_change_the_rule_and_say_so(study: Path) -> None:
    def value(*options: str, quantity: str) -> dict[str, str]:
        table = csv.DictReader(io.StringIO(run("--csv", *options).stdout))
        return next(row for row in table if row["quantity"] == quantity)

    assert value("--threshold-deg", "30", quantity="cna_decreased")["value"] == "2"
    assert value("--quantiles", "6", quantity="age")["low"] == "27.75"
    assert "type 6" in value("--quantiles", "6", quantity="age")["method"]
    normal = value("--wilcoxon", "normal", quantity="hhs_p")
    assert normal["value"].startswith("0.51948")
    assert "without continuity correction" in normal["method"]
    assert value("--zeros", "pratt", quantity="hhs_p")["value"].startswith("0.457015")
    assert value("--failure", "arco_progression", quantity="radiographic_failure")["value"] == "11"


def test_a_study_folder_says_method_visits_and_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = init_study(tmp_path / "onfh", "onfh", readers=("lee",))
    config = study.folder / "study.toml"
    text = config.read_text("utf-8").replace("change_deg = 20.0", "change_deg = 25.0")
    config.write_text(text.replace("tha = true", "tha = false"), "utf-8")
    specs = [HipSpec("S1", cna_deg=(230.0, 206.0), last_days=1990, tha_days=2000)]
    cohort = plain_cohort([*specs, HipSpec("S2", cna_deg=(230.0, 200.0))])
    store_cohort(study.folder / "cohort.sqlite", cohort)
    monkeypatch.chdir(study.readings)
    with pytest.raises(CohortError, match="no reading by lee; readers: kim"):
        run("--csv")
    rows = list(csv.DictReader(io.StringIO(run("--reader", "kim", "--csv").stdout)))
    values = {(row["quantity"], row["group"]): row["value"] for row in rows}
    assert values["cna_decreased", "all"] == "1"
    assert values["radiographic_failure", "all"] == "0"
    assert values["tha", "all"] == "1"


def test_several_methods_are_refused_until_one_is_chosen(study: Path) -> None:
    other = plain_cohort(STUDY[:1], method="max_extent")
    with CohortStore.open(study / "cohort.sqlite") as store:
        store.upsert(map(full_row, other.rows))
    with pytest.raises(CohortError, match=r"ha_mr_midslice, max_extent; .* choose one by --method"):
        run()
    assert run("--method", "ha_mr_midslice").exit_code == 0


def test_an_empty_cohort_says_so_in_words(tmp_path: Path) -> None:
    file = tmp_path / "empty.sqlite"
    CohortStore.open(file).close()
    shown = run("--cohort", str(file))
    assert shown.exit_code == 0
    assert "no pairs: no test" in shown.stdout
    assert "nan" not in shown.stdout.lower()


def test_imported_tables_say_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = init_study(tmp_path / "onfh", "onfh")
    sixth_year = '[[visits]]\nname = "m72"\nmonths = 72\nbefore_days = 180\nafter_days = 180\n'
    with (study.folder / "study.toml").open("a", encoding="utf-8") as config:
        config.write(sixth_year)
    monkeypatch.chdir(study.folder)
    cohort = plain_cohort(STUDY)
    with CohortStore.open(study.folder / "cohort.sqlite") as store:
        store.upsert(map(full_row, cohort.rows))
    for kind, rows in cohort.clinical.items():
        with (tmp_path / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        arguments = [str(tmp_path / f"{kind}.csv"), "--kind", kind, "--as", "nurse"]
        imported = CliRunner().invoke(import_table, arguments, catch_exceptions=False)
        assert imported.exit_code == 0, imported.output
    values = {
        (row["quantity"], row["group"]): row["value"]
        for row in csv.DictReader(io.StringIO(run("--csv").stdout))
    }
    assert values["radiographic_failure", "ARCO 2"] == "2"
    assert values["radiographic_failure", "ARCO 3A"] == "4"
    assert values["cna_decreased", "all"] == "6"
    assert f"{float(values['vas_p', 'last']):.3f}" == "0.052"
    assert f"{float(values['hhs_p', 'last']):.3f}" == "0.535"
    assert f"{float(values['follow_up', 'patients']):.1f}" == "4.0"
    assert values["tha", "all"] == "4"


def test_contradicting_options_are_refused(study: Path) -> None:
    assert run("--csv", "--json").exit_code == 2
    assert run("--table", "hips").exit_code == 2


def test_names_cannot_steer_the_terminal_nor_the_spreadsheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cohort = plain_cohort([HipSpec("=1+1"), HipSpec("\x1b[31mred", laterality="R")])
    cohort.clinical["subject"][0]["aetiology"] = "[red]x\x1b[1m"
    store_cohort(tmp_path / "cohort.sqlite", cohort)
    shown = run().stdout
    assert "\x1b" not in shown
    assert r"[red]x\x1b[1m" in shown
    assert "\n'=1+1," in run("--table", "hips", "--csv").stdout
