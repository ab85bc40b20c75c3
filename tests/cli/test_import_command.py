"""``necroangle import`` from the command line, inside a study."""

from pathlib import Path

import click.testing
import pytest
from click.testing import CliRunner

from necroangle.cli.records.import_table import ENCODINGS, command
from necroangle.clinical.table_files import ENCODINGS as READ_ENCODINGS
from necroangle.cohort import CohortStore
from necroangle.study import Study, init_study

TABLE = "subject,sex,bmi_kg_m2\n00123,M,22.5\nS2,F,-99\n"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    made = init_study(tmp_path / "study", "onfh")
    monkeypatch.chdir(made.readings)
    return made


def run(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(command, list(arguments))


def test_a_dry_run_tells_what_would_come_and_writes_nothing(study: Study) -> None:
    Path("t.csv").write_text(TABLE)
    shown = run("t.csv", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == (
        "would import: 2 new (subject 2), 0 changed, 0 unchanged; read as "
        "comma-separated text, utf-8\n"
    )
    assert not (study.folder / "cohort.sqlite").exists()


def test_an_import_is_counted_and_twice_is_once(study: Study) -> None:
    Path("t.csv").write_text(TABLE)
    first = run("t.csv", "--as", "nurse")
    assert first.stdout.startswith("imported: 2 new (subject 2)")
    again = run("t.csv", "--as", "nurse")
    assert again.stdout.startswith("imported: 0 new, 0 changed, 2 unchanged (subject 2)")
    found = CohortStore.open(study.cohort, create=False).current("subject")
    assert [(one.key, one.actor) for one in found] == [(("00123",), "nurse"), (("S2",), "nurse")]


def test_a_fatal_problem_stops_all_of_it(study: Study) -> None:
    Path("t.csv").write_text(TABLE.replace(",F,", ",f\x1b[31m,"))
    shown = run("t.csv", "--as", "nurse")
    assert shown.exit_code == 1
    assert shown.stderr.splitlines() == [
        "fatal    row 3, column B (sex): a control character (U+001B) in the cell",
        "1 fatal, 0 warnings",
        "nothing was imported",
    ]
    assert CohortStore.open(study.cohort).current("subject") == []


def test_a_heading_cannot_steer_the_terminal(study: Study) -> None:
    assert study.folder.exists()
    Path("t.csv").write_text("subject,\x1b[31mred\nS1,2\n")
    shown = run("t.csv", "--dry-run")
    assert shown.exit_code == 1
    assert "\x1b" not in shown.output


def test_a_change_needs_update_with_a_reason(study: Study) -> None:
    Path("t.csv").write_text(TABLE)
    run("t.csv", "--as", "nurse")
    Path("t.csv").write_text(TABLE.replace("22.5", "23.5"))
    assert run("t.csv", "--as", "nurse").exit_code == 1
    assert run("t.csv", "--as", "nurse", "--update").exit_code == 2
    shown = run("t.csv", "--as", "nurse", "--update", "--reason", "weighed again")
    assert shown.stdout.startswith("imported: 0 new, 1 changed (subject 1), 1 unchanged")
    store = CohortStore.open(study.cohort)
    assert store.history("subject", ("00123",))[-1].reason.endswith(": weighed again")


def test_a_mapping_is_written_out_and_never_over_another(study: Study) -> None:
    assert study.folder.exists()
    Path("t.csv").write_text("Pt;Sex;Cause\nS1;M;lupus\n")
    assert run("t.csv", "--write-mapping", "m.toml").exit_code == 0
    text = Path("m.toml").read_text()
    assert '"Pt" = "subject"' in text
    assert 'values = { "lupus" = "?" }' in text
    assert run("t.csv", "--write-mapping", "m.toml").exit_code == 2
    unfinished = run("t.csv", "--mapping", "m.toml", "--as", "nurse")
    assert "stands for what a person must decide" in str(unfinished.exception)
    Path("m.toml").write_text(text.replace('"?" }', '"steroid" }'))
    shown = run("t.csv", "--mapping", "m.toml", "--as", "nurse")
    assert shown.exit_code == 0, shown.output


def test_encoding_delimiter_and_kind_are_taken(study: Study) -> None:
    assert study.folder.exists()
    Path("t.csv").write_bytes("subject\tsex\t비고\n가1\tM\tx\n".encode("cp949"))
    mapping = Path("m.toml")
    mapping.write_text('unmapped = "ignore"\n')
    shown = run(
        "t.csv", "--encoding", "cp949", "--delimiter", "tab", "--kind", "subject",
        "--mapping", "m.toml", "--as", "nurse",
    )  # fmt: skip
    assert shown.stdout.endswith("read as tab-separated text, cp949\n"), shown.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say who imports"),
        (["--as", "a b"], "--as: no name"),
        (["--dry-run", "--delimiter", "ab"], "one letter"),
        (["--dry-run", "--reason", "x"], "go together"),
    ],
)
def test_options_that_do_not_fit_are_told(study: Study, arguments: list[str], said: str) -> None:
    assert study.folder.exists()
    Path("t.csv").write_text(TABLE)
    shown = run("t.csv", *arguments)
    assert shown.exit_code == 2
    assert said in shown.stderr


def test_the_encodings_are_those_that_are_read() -> None:
    assert ENCODINGS == READ_ENCODINGS
