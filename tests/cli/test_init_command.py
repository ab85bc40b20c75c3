"""``necroangle init`` makes a study in which the other commands find their way."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from necroangle.cli.records.init import command
from necroangle.cohort import CohortStore
from necroangle.errors import CohortError, MethodError
from necroangle.study import open_study


def test_a_study_is_made_with_its_cohort(tmp_path: Path) -> None:
    folder = tmp_path / "onfh-2024"
    shown = CliRunner().invoke(command, [str(folder), "--reader", "r1", "--reader", "r2"])
    assert shown.exit_code == 0, shown.output
    study = open_study(folder)
    assert (study.protocol.study, study.protocol.readers) == ("onfh-2024", ("r1", "r2"))
    assert CohortStore.open(study.cohort, create=False).rows() == ()
    for name in folder.iterdir():
        assert name.name in shown.output


def test_the_working_directory_can_become_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(command, [".", "--id", "here", "--method", "centre_plane"])
    assert shown.exit_code == 0, shown.output
    config = open_study(tmp_path).protocol
    assert (config.study, config.method) == ("here", "centre_plane")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["--id", "a b"], CohortError, "'a b' is no name"),
        (["--method", "by_eye"], MethodError, "there is no method 'by_eye'"),
        (["--reader", "r1", "--reader", "r1"], CohortError, "'r1' occurs twice"),
    ],
)
def test_what_is_refused_leaves_nothing(
    tmp_path: Path, arguments: list[str], error: type[Exception], said: str
) -> None:
    shown = CliRunner().invoke(command, [str(tmp_path / "new"), *arguments])
    assert isinstance(shown.exception, error)
    assert said in str(shown.exception)
    assert not (tmp_path / "new").exists()
