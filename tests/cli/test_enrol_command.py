"""The study's list: who may enter, what is refused everywhere, and what may be meant."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading
from postgres import new_place

from necroangle.annotation import encode_reading, file_name
from necroangle.cli import cli
from necroangle.cohort import CohortStore
from necroangle.errors import CohortError
from necroangle.ledger.admission import enrol, enrolment_of
from necroangle.ledger.withdrawal import put_back, readings_of, withdraw_reading
from necroangle.study import init_study


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = init_study(tmp_path / "study", "onfh", readers=("r1",))
    monkeypatch.chdir(made.folder)
    for subject in ("KT-001", "KT-002", "KT-003"):
        put(subject)
    return made.folder


def put(subject: str, **more: object) -> Path:
    reading = make_reading(subject=subject, **more)  # type: ignore[arg-type]
    path = Path("readings", file_name(reading))
    path.write_bytes(encode_reading(reading))
    return path


def hips() -> list[str]:
    return [key[0] for key in readings_of(CohortStore.open("cohort.sqlite"), ())]


LIST = "subject,laterality\nKT-001,L\nKT-002,both\nKT-003,\n"


def test_a_subject_who_is_not_in_the_list_is_refused_with_the_one_that_is_meant(
    study: Path,
) -> None:
    Path("subjects.csv").write_text(LIST)
    assert run("enrol", "subjects.csv", "--as", "kim").exit_code == 0
    put("KT-0O1")
    measured = run("measure", "readings")
    assert measured.exit_code == 1
    assert "KT-0O1: not in the study's list; did you mean KT-001?" in measured.stderr
    assert hips() == ["KT-001", "KT-002", "KT-003"]
    again = run("remeasure", "readings", "--yes")
    assert again.exit_code == 1
    assert hips() == ["KT-001", "KT-002", "KT-003"]

    assert run("measure", "readings", "--new-subjects").exit_code == 2
    taken = run("measure", "readings", "--new-subjects", "--as", "kim")
    assert taken.exit_code == 0
    assert "look at new subject KT-0O1: did you mean KT-001?" in taken.stderr
    assert enrolment_of(CohortStore.open("cohort.sqlite")).sides["KT-0O1"] == {"L"}


def test_without_a_list_a_name_nearly_like_another_is_a_doubt(study: Path) -> None:
    assert "did you mean" not in run("measure", "readings").stderr
    put("kt-002")
    put("KT-004")
    told = run("measure", "readings").stderr
    assert "look at new subject kt-002: did you mean KT-002?" in told
    assert "KT-004" not in told


def test_the_other_side_and_another_spelling_of_a_visit(study: Path) -> None:
    Path("subjects.csv").write_text(LIST)
    run("enrol", "subjects.csv", "--as", "kim")
    table = "subject,side,visit,visit_date\nKT-001,R,m00,2020-01-01\nKT-002,L,12m,2021-01-01\n"
    Path("t.csv").write_text(table)
    told = run("import", "t.csv", "--as", "kim")
    assert told.exit_code == 1
    assert "row 2" in told.stderr
    assert "R is not in the study's list, L is: the other side?" in told.stderr
    assert "did you mean m12?" in told.stderr
    assert run("edit", "subject", "KT-0OZ", "--create", "--set", "sex=M", "--as", "kim",
               "--reason", "x").exit_code != 0  # fmt: skip


def test_a_reader_who_is_not_in_the_study_is_refused(study: Path) -> None:
    put("KT-001", reader="zed")
    told = run("measure", "readings")
    assert told.exit_code == 1
    assert "reader zed is none of the study's (r1)" in told.stderr
    assert hips() == ["KT-001", "KT-002", "KT-003"]


def test_a_closed_list_grows_only_when_it_is_asked_to(study: Path) -> None:
    Path("subjects.csv").write_text(LIST)
    run("enrol", "subjects.csv", "--freeze", "--as", "kim")
    assert "frozen" in str(run("enrol", "KT-004", "L", "--as", "kim").exception)
    late = ("enrol", "KT-004", "L", "--as", "kim", "--new-subjects")
    assert run(*late).exit_code == 2
    assert run(*late, "--reason", "consent came late").exit_code == 0
    assert run("enrol").stdout.splitlines()[-1] == "4 subjects; the list is closed"
    assert run("verify").exit_code == 1  # the readings are not measured yet, all else is well
    run("measure", "readings")
    assert run("verify").exit_code == 0


def test_a_list_in_the_clinics_language_below_a_title(study: Path) -> None:
    Path("list.csv").write_text("등록 환자 2024,\n번호,좌우\nKT-001,양측\nKT-002,좌\n", "utf-8")
    assert run("enrol", "list.csv", "--as", "kim").exit_code == 0
    sides = enrolment_of(CohortStore.open("cohort.sqlite")).sides
    assert sides == {"KT-001": frozenset("LR"), "KT-002": frozenset("L")}


def test_two_subjects_so_nearly_alike_are_not_both_enrolled(study: Path) -> None:
    store = CohortStore.open("cohort.sqlite")
    with pytest.raises(CohortError, match="is it kt-1"):
        enrol(store, {"KT-001": frozenset(), "kt-1": frozenset()}, actor="kim", reason="")


def test_a_withdrawn_reading_is_not_measured_back(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "readings"
    folder.mkdir()
    reading = make_reading(subject="KT-999")
    file = folder / file_name(reading)
    file.write_bytes(encode_reading(reading))
    assert run("measure", folder, "--cohort", place).exit_code == 0
    own = ("KT-999", "L", reading.visit, reading.reader, "1")
    store = CohortStore.open(place)
    assert withdraw_reading(store, own, actor="kim", reason="no such patient") == 1
    assert run("verify", "--cohort", place, "--readings", folder).exit_code == 0
    refused = run("measure", folder, "--cohort", place)
    assert refused.exit_code == 1
    assert "it was withdrawn by kim on" in refused.stderr
    assert "no such patient" in refused.stderr
    assert run("remeasure", folder, "--cohort", place, "--yes").exit_code == 1
    assert store.rows() == ()
    put_back(store, own, actor="kim", reason="it was KT-999 after all")
    assert run("measure", folder, "--cohort", place).exit_code == 0
    assert run("verify", "--cohort", place, "--readings", folder).exit_code == 0


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(new_place(request.param, tmp_path))
