"""One mistake is one line; a title, an unmarked UTF-16, two rows of headings stop nobody."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from necroangle.cli import cli
from necroangle.clinical import open_table
from necroangle.clinical.mapping import decode_mapping
from necroangle.errors import CohortError
from necroangle.protocol.study import decode_protocol
from necroangle.study import init_study


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = init_study(tmp_path / "study", "onfh", readers=("r1",))
    monkeypatch.chdir(made.folder)
    return made.folder


def test_one_mistake_of_many_rows_is_one_line(study: Path) -> None:
    lines = ["subject,side,visit,arco", *(f"S{one:02},L,m00,Grade X" for one in range(61))]
    Path("t.csv").write_text("\n".join(lines))
    told = run("import", "t.csv", "--dry-run").stderr.splitlines()
    assert told[0] == (
        "fatal    column D (arco): 'Grade X' is none of 1, 2, 3A, 3B, 4: 61 rows, "
        "for instance 2, 3, 4"
    )
    assert told[1:] == ["1 fatal, 0 warnings", "nothing was imported"]


def test_a_word_is_shown_unless_it_may_be_a_name(study: Path) -> None:
    table = "subject,aetiology\nS1,lupus\nS2,Hong Gildong\nS3,Systemic\nS4,Systemic\n"
    Path("t.csv").write_text(table)
    told = run("import", "t.csv", "--dry-run").stderr
    assert "'lupus' is none of steroid, alcohol, both" in told
    assert "'Systemic' is none of steroid" in told
    assert "Gildong" not in told
    assert "a text of 12 letters is none of" in told


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        *(("IIIA", "3A"), ("ARCO 2", "2"), ("3 a", "3A"), ("３Ｂ", "3B"), ("stage IV", "4")),
        *(("ARCO stage III-b", "3B"), ("Ⅱ期", "2"), ("3기 A", "3A"), ("Stadium IIIa", "3A")),
    ],
)
def test_the_usual_spellings_of_a_stage(study: Path, text: str, stage: str) -> None:
    Path("t.csv").write_text(f"subject,side,visit,arco\nS1,L,m00,{text}\n")
    assert run("import", "t.csv", "--as", "kim").exit_code == 0
    assert f"{'arco':24} {stage}" in run(
        "edit", "visit", "S1", "L", "m00", "--set", "vas_scale=10", "--as", "kim", "--reason", "x"
    ).stdout  # fmt: skip


@pytest.mark.parametrize("text", ["III", "5", "0", "2-3", "IIIC", "A"])
def test_what_may_be_two_stages_is_refused(study: Path, text: str) -> None:
    Path("t.csv").write_text(f"subject,side,visit,arco\nS1,L,m00,{text}\n")
    assert run("import", "t.csv", "--dry-run").exit_code == 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("연구번호;측\r\nK1;좌\r\nK2;우\r\n".encode(encoding))
    table = open_table(path).sheet
    assert table.headings == ("연구번호", "측")
    assert table.how.endswith(encoding)


def test_titles_are_passed_over_and_rows_may_be_named(study: Path) -> None:
    text = "Registry of 2024,,\n,,\nsubject,side,vas\nS1,L,3\n"
    Path("t.csv").write_text(text)
    assert open_table(Path("t.csv")).sheet.heading_row == 3
    Path("odd.csv").write_text("subject,side\nPt,Hip\nS1,L\n")
    assert open_table(Path("odd.csv"), heading_rows=(2, 2)).sheet.headings == ("Pt", "Hip")
    assert run("import", "odd.csv", "--header-row", "9", "--dry-run").exit_code == 1
    assert run("import", "odd.csv", "--header-row", "4-2", "--dry-run").exit_code == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'dates = "DD.MM.YYYY"',
            "$.dates: Invalid enum value 'DD.MM.YYYY'; it is one of 'DD/MM/YYYY', 'MM/DD/YYYY', "
            "'year first' (line 1)",
        ),
        (
            '[columns]\n"Pt" = "subject"\n"Op" = { to = "hip.treatment_date", vist = "m00" }',
            "$.columns.Op: Object contains unknown field `vist`; did you mean visit? (line 3)",
        ),
        (
            '[columns]\n"측" = { to = "laterality", values = { "좌" = "?" } }',
            'line 2: "?" stands for what a person must decide; fill it in',
        ),
    ],
)
def test_a_mapping_is_refused_with_key_words_and_line(text: str, told: str) -> None:
    with pytest.raises(CohortError) as refused:
        decode_mapping(text.encode())
    assert str(refused.value) == f"mapping.toml: {told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[failure]\nrule = "eye"', "(line 5)"),
        ('[[visits]]\nname = "m00"\n[[visits]]\nname = "m06"\nmonths = -1', "(line 8)"),
        ("[noise]\nend_sd = 1", "did you mean end_sd_mm? (line 5)"),
        ('[[noise.readers]]\nreader = "r1"\nend_sd_mm = "x"', "(line 6)"),
    ],
)
def test_a_study_is_refused_with_the_line(text: str, told: str) -> None:
    head = 'format = "necroangle.study"\nversion = 1\nstudy = "x"\n'
    with pytest.raises(CohortError) as refused:
        decode_protocol(f"{head}{text}\n".encode())
    assert str(refused.value).endswith(told)
