"""The study folder: made whole, found from within, its secret kept."""

import os
import threading
from pathlib import Path

import pytest

from necroangle.errors import CohortError
from necroangle.ledger.store import PASSWORD_VARIABLE, open_engine
from necroangle.study import (
    cohort_here,
    find_study,
    init_study,
    open_study,
    study_here,
)


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "a.reading.json").write_text("{}")
    study = init_study(tmp_path, "onfh")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (study.readings / "a.reading.json").read_text() == "{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "exports",
        "notes.txt",
        "readings",
        "reports",
        "secret.key",
        "study.toml",
    ]


def test_a_second_study_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    first = init_study(tmp_path, "first")
    secret = first.secret()
    with pytest.raises(CohortError, match="there is a study already"):
        init_study(tmp_path, "second")
    assert open_study(tmp_path).protocol.study == "first"
    assert first.secret() == secret


def test_of_many_at_once_one_makes_the_study(tmp_path: Path) -> None:
    made: list[str] = []
    refused: list[str] = []

    def make(name: str) -> None:
        try:
            made.append(init_study(tmp_path, name).protocol.study)
        except CohortError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=make, args=(f"s{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(refused) == 7
    assert open_study(tmp_path).protocol.study == made[0]
    assert not list(tmp_path.glob(".*"))


def test_a_file_in_the_way_of_a_folder_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("a file")
    with pytest.raises(CohortError, match="exports: there is a file where a folder is needed"):
        init_study(tmp_path, "onfh")
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "a__b", "_a", "x" * 65])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CohortError, match="is no name"):
        init_study(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CohortError):
        init_study(tmp_path / "file" / "study", "onfh")


def test_it_is_found_from_below_and_another_programs_file_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = init_study(tmp_path, "onfh")
    deep = study.readings / "site" / "2020"
    deep.mkdir(parents=True)
    (study.readings / "study.toml").write_text("[optuna]\n")
    found = find_study(deep)
    assert found is not None
    assert found.folder == tmp_path
    monkeypatch.chdir(deep)
    here = study_here()
    assert here == found
    assert cohort_here(None) == tmp_path / "cohort.sqlite"
    assert cohort_here("x.sqlite") == "x.sqlite"


def test_outside_a_study_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert study_here() is None
    assert cohort_here(None) == "cohort.sqlite"


def test_a_damaged_study_is_told_and_not_passed_over(tmp_path: Path) -> None:
    study = init_study(tmp_path, "onfh")
    path = tmp_path / "study.toml"
    path.write_text(path.read_text().replace("index_visit", "index_visti"))
    with pytest.raises(CohortError, match="index_visti"):
        find_study(study.exports)


def test_the_secret_is_random_and_for_its_owner_alone(tmp_path: Path) -> None:
    secrets = {init_study(tmp_path / name, name).secret() for name in ("a", "b")}
    assert len(secrets) == 2
    assert {len(secret) for secret in secrets} == {32}
    assert (tmp_path / "a" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_open_short_or_gone_is_refused(tmp_path: Path) -> None:
    study = init_study(tmp_path, "onfh")
    path = tmp_path / "secret.key"
    path.chmod(0o644)
    with pytest.raises(CohortError, match="chmod 600"):
        study.secret()
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(CohortError, match="shorter than 32 bytes"):
        study.secret()
    path.unlink()
    with pytest.raises(CohortError, match="cannot be read"):
        study.secret()
    os.mkfifo(path, 0o600)
    with pytest.raises(CohortError, match="no regular file"):
        study.secret()


def test_a_secret_in_a_shared_folder_is_refused_however_it_is_named(tmp_path: Path) -> None:
    study = init_study(tmp_path, "onfh")
    (study.exports / "secret.key").write_bytes(b"0" * 32)
    path = tmp_path / "study.toml"
    named = f'secret = "{(study.exports / "secret.key").as_posix()}"'
    path.write_text(path.read_text().replace('secret = "secret.key"', named))
    with pytest.raises(CohortError, match="shared folder"):
        open_study(tmp_path).secret()


def test_a_databases_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    init_study(tmp_path, "onfh")
    path = tmp_path / "study.toml"
    url = "postgresql+psycopg://ann@host:5432/study?sslmode=require"
    path.write_text(path.read_text().replace('"cohort.sqlite"', f'"{url}"'))
    place = open_study(tmp_path).cohort
    assert place == url
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    engine, name = open_engine(place, create=False)
    assert (engine.url.password, name) == (None, url)
    monkeypatch.setenv(PASSWORD_VARIABLE, "p@ss/word")
    engine, name = open_engine(place, create=False)
    assert (engine.url.username, engine.url.password, name) == ("ann", "p@ss/word", url)
    assert "p@ss" not in repr(open_study(tmp_path))
    assert "p@ss" not in repr(engine)
    engine, _ = open_engine(url.replace("ann@", "ann:own@"), create=False)
    assert engine.url.password == "own"
    engine, _ = open_engine(url.replace("ann@", ""), create=False)
    assert engine.url.password is None
