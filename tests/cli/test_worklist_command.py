"""``necroangle worklist``: made from a folder or a table, followed reader by reader."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading

from necroangle.cli.readings.worklist import command
from necroangle.errors import MethodError, ReadingError
from necroangle.readerstudy import ReaderWorklist, load_worklist

SAMPLES = Path(__file__).parents[2] / "sample_dicoms"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder without images, and a table of four hips."""
    (tmp_path / "images").mkdir()
    rows = [f"P{number},{side},m00" for number in (1, 2) for side in "LR"]
    (tmp_path / "cases.csv").write_text("\n".join(["subject,laterality,visit", *rows]))
    return tmp_path


def make(study: Path, *more: object) -> Path:
    output = study / "s.worklist.json"
    fixed = ("make", study / "images", "--readers", "A", "B", "--cases", study / "cases.csv")
    result = run(*fixed, "-o", output, *more)
    assert result.exit_code == 0, result.output
    return output


def test_from_a_table(study: Path) -> None:
    output = make(study, "--repeats", "0.5", "--seed", "7", "--washout-days", "21")
    worklist = load_worklist(output)
    assert worklist.readers == ("A", "B")
    assert (worklist.repeats, worklist.seed, worklist.washout_days) == (2, 7, 21)
    assert worklist.study == "images"
    assert str(study) not in output.read_text()


@pytest.mark.parametrize(
    "readers", [("--readers", "A", "--readers", "B", "C"), ("--readers", "A", "B", "C")]
)
def test_readers_are_given_in_either_way(study: Path, readers: tuple[str, ...]) -> None:
    output = study / "s.worklist.json"
    run("make", study / "images", *readers, "--cases", study / "cases.csv", "-o", output)
    assert load_worklist(output).readers == ("A", "B", "C")


def test_from_a_folder_of_images(tmp_path: Path) -> None:
    if not (SAMPLES / "plain").is_dir():
        pytest.skip("sample_dicoms is not at hand")
    shutil.copytree(SAMPLES / "plain", tmp_path / "images" / "plain")
    output = tmp_path / "s.worklist.json"
    result = run("make", tmp_path / "images", "--readers", "A", "-o", output)
    assert "2 hips of 1 subject, 0 of them twice, for 1 reader" in result.output
    assert {case.folder for case in load_worklist(output).cases} == {"plain"}


def test_a_folder_without_hips_is_refused(study: Path) -> None:
    with pytest.raises(ReadingError, match="no hip was found"):
        run("make", study / "images", "--readers", "A", "-o", study / "s.worklist.json")


def test_an_unknown_method_is_refused(study: Path) -> None:
    with pytest.raises(MethodError, match="no method 'by_eye'"):
        make(study, "--method", "by_eye")


def test_it_is_not_written_over_another(study: Path) -> None:
    make(study)
    with pytest.raises(ReadingError, match="is there already"):
        make(study)


def test_the_state_of_every_reader(study: Path) -> None:
    output = make(study, "--repeats", "1")
    worklist = load_worklist(output)
    desk = ReaderWorklist(worklist, "A", study / "readings")
    listed = desk.listed[0]
    subject, side, visit = listed.case.key
    reading = make_reading(subject=subject, laterality=side, visit=visit, reader="A")
    desk.save(listed, reading, today=date(2026, 2, 1), duration_s=60, submit=True)
    result = run("status", output, "--today", "2026-02-01")
    first, second = result.output.splitlines()
    assert first == ("A            1 of 5 submitted, 2 to read, 2 wait for the first session")
    assert second.startswith("B            0 of 5 submitted, 3 to read")
    assert result.exit_code == 0
    shown = run("status", output, "--cases", "--today", "2026-02-01").output
    assert f"{listed.code} {subject} {side} {visit} read 1: submitted" in shown


def test_an_edited_worklist_is_told_for_the_reader_who_began(study: Path) -> None:
    test_the_state_of_every_reader(study)
    output = study / "s.worklist.json"
    content = json.loads(output.read_text())
    output.write_text(json.dumps({**content, "repeats": 0}))
    result = run("status", output)
    assert result.exit_code == 1
    assert "before this one was edited" in result.output
    assert "B            0 of 4 submitted" in result.output
