"""The real commands: measure, table, schema, and how soon they start."""

import csv
import io
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_command
from hipmaker import make_reading
from msgspec.structs import replace

from necroangle.annotation import encode_reading, file_name, reading_schema
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.measurement import measure
from necroangle.measurement.columns import NAMES
from necroangle.terms import Finding, Laterality, UnreadReason, View

if sys.platform != "win32":
    import fcntl
    import pty
    import termios


def necroangle(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return run_command(*arguments, folder=folder, columns=100)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with readings of every kind in ``readings``."""
    readings = (
        make_reading(130.0, 120.04),
        make_reading(0.0, 80.0, subject="홍길동", laterality=Laterality.RIGHT),
        make_reading(None, 80.0, subject="S03", reason=UnreadReason.PROSTHESIS),
        make_reading(200.0, 100.0, subject="S04", b_view=View.FROG_LEG),
    )
    (tmp_path / "readings").mkdir()
    for reading in readings:
        (tmp_path / "readings" / file_name(reading)).write_bytes(encode_reading(reading))
    return tmp_path


def test_a_broken_reading_among_a_thousand_costs_one_row(tmp_path: Path) -> None:
    (tmp_path / "readings").mkdir()
    reading = make_reading()
    for number in range(1000):
        raw = encode_reading(replace(reading, subject=f"S{number:04}"))
        if number == 500:
            raw = raw.replace(b'"read_no": 1', b'"read_no": "1"')
        (tmp_path / "readings" / f"{number:04}.reading.json").write_bytes(raw)

    first = necroangle("measure", "readings", "--cohort", "c.sqlite", folder=tmp_path)
    assert first.returncode == 1
    assert first.stdout == "999 measured: 999 new, 0 changed, 0 unchanged; 1 refused\n"
    file = Path("readings", "0500.reading.json")
    *told, refused = first.stderr.splitlines()
    assert refused == f"{file}: $.read_no: Expected `int`, got `str`"
    assert all("look" in line for line in told), "they are all marked on one and the same image"
    assert len(told) < 100
    keys = [row.key.subject for row in CohortStore.open(tmp_path / "c.sqlite").rows()]
    assert keys == [f"S{number:04}" for number in range(1000) if number != 500]

    before, stamp = (
        (tmp_path / "c.sqlite").read_bytes(),
        (tmp_path / "c.sqlite").stat().st_mtime_ns,
    )
    second = necroangle("measure", "readings", "--cohort", "c.sqlite", folder=tmp_path)
    assert second.returncode == 1
    assert second.stdout == "999 measured: 0 new, 0 changed, 999 unchanged; 1 refused\n"
    assert (tmp_path / "c.sqlite").read_bytes() == before
    assert (tmp_path / "c.sqlite").stat().st_mtime_ns == stamp

    file = tmp_path / "readings" / "0007.reading.json"
    file.write_bytes(encode_reading(replace(make_reading(101.0), subject="S0007")))
    third = necroangle("measure", file, "--cohort", "c.sqlite", folder=tmp_path)
    assert (third.returncode, third.stderr) == (0, "")
    assert third.stdout == "1 measured: 0 new, 1 changed, 0 unchanged\n"


def test_measure_makes_the_table_in_the_current_folder(study: Path) -> None:
    result = necroangle("measure", "readings", folder=study)
    assert result.returncode == 0
    assert all(line.startswith("look at ") for line in result.stderr.splitlines())
    assert (study / "cohort.sqlite").is_file()


def test_measure_prints_json(study: Path) -> None:
    (study / "readings" / "bad.reading.json").write_bytes(b"[]")
    result = necroangle("measure", "readings", "--json", folder=study)
    found = json.loads(result.stdout)
    assert result.returncode == 1
    assert (found["measured"], found["inserted"], len(found["rows"])) == (4, 4, 4)
    (refusal,) = found["refusals"]
    assert refusal["file"] == str(Path("readings", "bad.reading.json"))
    assert list(found["rows"][0]) == list(NAMES)


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["measure"], 2, "Missing argument"),
        (["measure", "empty"], 2, "no reading files"),
        (["measure", "gone.reading.json"], 1, "gone.reading.json: there is no such file"),
        (["measure", "readings", "--method", "eye"], 2, "there is no method 'eye'; there are: "),
        (["measure", "readings", "--cohort", "gone/c.sqlite"], 2, "its folder is missing"),
        (["measure", "readings", "--cohort", "text"], 2, "text: file is not a database"),
        (["table", "--cohort", "gone.sqlite"], 2, "gone.sqlite: there is no cohort table"),
        (["table", "--json", "--csv"], 2, "choose one"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_an_exit_code(
    study: Path, arguments: list[str], code: int, problem: str
) -> None:
    (study / "empty").mkdir()
    (study / "text").write_text("no database\n" * 99)
    result = necroangle(*arguments, folder=study)
    assert result.returncode == code
    assert problem in result.stderr
    assert "Traceback" not in result.stderr
    assert not (study / "gone.sqlite").exists()
    assert not (study / "cohort.sqlite").exists()


def test_the_table_is_readable_at_100_columns(study: Path) -> None:
    necroangle("measure", "readings", folder=study)
    natural = necroangle("table", folder=study).stdout
    replaced = next(line for line in natural.splitlines() if "S03" in line)
    assert "prosthesis prosthesis – –" in " ".join(replaced.split()), "one view shows it"
    assert max(map(len, natural.splitlines())) <= 100
    text = necroangle("table", "--as-kept", folder=study).stdout
    assert max(map(len, text.splitlines())) <= 100
    lines = {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line.split()}
    assert "130.0° 120.0° 250.0° ± 14.3° Ha 3, high" in lines["S01"]
    assert "0.0° 80.0° 80.0° (70.6° to 90.9°) Ha 1, low" in lines["홍길동"]
    assert "prosthesis 80.0° – –" in lines["S03"]
    assert "200.0° 100.0° 300.0° ± 14.3° Kerboul large" in lines["S04"]
    assert "A arc above 180" in text
    assert (
        "4 rows; ± is half the 95 % interval; methods: ha_mr_midslice, kerboul_radiograph" in text
    )


def test_the_table_prints_every_column(study: Path) -> None:
    necroangle("measure", "readings", folder=study)
    text = necroangle("table", "--all-columns", folder=study).stdout
    found = [line.split()[0] for line in text.splitlines() if line.split()]
    assert [name for name in found if name in NAMES] == list(NAMES) * 4


def on_a_terminal(*arguments: str, folder: Path, lines: int) -> str:
    """What a command shows on a terminal of 90 columns and some lines."""
    try:
        main, side = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine gives no pseudo-terminal: {error}")
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 90, 0, 0))
    shown = b""
    command = [sys.executable, "-m", "necroangle", *arguments]
    kept = {name: one for name, one in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(command, cwd=folder, env=kept, stdin=side, stdout=side) as process:
        os.close(side)
        try:
            while part := os.read(main, 4096):
                shown += part
        except OSError:  # Linux says so that the other side has been closed
            pass
        assert process.wait(60) == 0
    os.close(main)
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal is asked of POSIX")
def test_a_terminal_is_given_a_screenful_and_told_how_many_rows_there_are(tmp_path: Path) -> None:
    reading = make_reading(50.0, 60.0)
    base = to_row(reading, measure(reading), "0" * 64)
    rows = [CohortRow.of({**base, "subject": f"S{number:03}"}) for number in range(200)]
    CohortStore.open(tmp_path / "cohort.sqlite").upsert(rows)
    text = on_a_terminal("table", folder=tmp_path, lines=20)
    assert len(text.splitlines()) < 20
    assert "S000" in text
    assert "S012" in text
    assert "S013" not in text
    assert "the first 13 of 200 rows, --all prints every one" in " ".join(text.split())
    whole = on_a_terminal("table", "--all", folder=tmp_path, lines=20)
    assert all(f"S{number:03}" in whole for number in range(200))
    assert "--all" not in whole
    columns = on_a_terminal("table", "--all-columns", folder=tmp_path, lines=20)
    assert "S001" not in columns
    assert [name for name in NAMES if f"  {name} " not in columns] == []
    assert "the first 1 of 200 rows" in columns
    piped = necroangle("table", folder=tmp_path).stdout
    assert all(f"S{number:03}" in piped for number in range(200))


def test_csv_and_json_give_every_row_in_full(study: Path) -> None:
    necroangle("measure", "readings", folder=study)
    rows = CohortStore.open(study / "cohort.sqlite").rows()
    found = json.loads(necroangle("table", "--json", "--as-kept", folder=study).stdout)
    assert found == [dict(row) for row in rows]
    natural = json.loads(necroangle("table", "--json", folder=study).stdout)
    assert [one for one in natural if one["subject"] != "S03"] == [
        dict(row) for row in rows if row.key.subject != "S03"
    ]
    (replaced,) = [one for one in natural if one["subject"] == "S03"]
    assert [replaced[name] for name in ("b_deg", "b_status", "cna_deg")] == [
        None,
        "prosthesis",
        None,
    ]
    shown = necroangle("table", "--csv", "--as-kept", folder=study).stdout
    lines = csv.DictReader(io.StringIO(shown))
    texts = [["" if cell is None else str(cell) for cell in row.cells] for row in rows]
    assert [list(line.values()) for line in lines] == texts


def test_csv_is_utf8_with_plain_line_ends(study: Path) -> None:
    necroangle("measure", "readings", folder=study)
    command = [sys.executable, "-m", "necroangle", "table", "--csv"]
    raw = subprocess.run(command, cwd=study, capture_output=True, check=True).stdout
    assert raw.count(b"\n") == 5
    assert b"\r" not in raw
    assert "홍길동".encode() in raw


def test_an_empty_table_says_so(tmp_path: Path) -> None:
    CohortStore.open(tmp_path / "cohort.sqlite")
    assert "no rows" in necroangle("table", folder=tmp_path).stdout
    assert json.loads(necroangle("table", "--json", folder=tmp_path).stdout) == []


def test_names_cannot_steer_the_terminal(study: Path) -> None:
    hostile = study / "\x1b[31mred.reading.json"
    hostile.write_bytes(b"{}")
    result = necroangle("measure", hostile.name, folder=study)
    assert r"\x1b[31mred.reading.json: " in result.stderr
    assert "\x1b" not in result.stderr


def test_markup_in_a_hand_edited_table_stays_text(study: Path) -> None:
    row = CohortStore.open(study / "cohort.sqlite")
    necroangle("measure", "readings", folder=study)
    (first, *_) = row.rows()
    row.upsert([type(first).of({**first, "subject": "[red]x[/]\x1b[1m"})])
    text = necroangle("table", folder=study).stdout
    assert "[red]x" in text
    assert "\x1b" not in text


def test_schema_is_the_schema_of_the_reading_file(tmp_path: Path) -> None:
    result = necroangle("schema", folder=tmp_path)
    assert json.loads(result.stdout) == reading_schema()
    assert all(finding in result.stdout for finding in Finding)


def test_help_names_every_command(tmp_path: Path) -> None:
    result = necroangle("--help", folder=tmp_path)
    assert result.returncode == 0
    assert all(name in result.stdout for name in ("measure", "table", "schema"))
