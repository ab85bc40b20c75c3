"""The folder: whole or not at all, with codebook, provenance and scripts that give the labels."""

import csv
import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from exportmaker import readings, source_of

from necroangle.errors import CohortError
from necroangle.export import (
    ExportColumn,
    ExportSource,
    ExportTable,
    Missing,
    Provenance,
    build_table,
    to_wide,
    write_export,
)
from necroangle.export.folder import FORMATS
from necroangle.export.redcap import DICTIONARY_HEADING

NOW = datetime(2026, 1, 31, 8, 15, tzinfo=UTC)
BY = Provenance({"shape": "long"}, "tester", NOW)
ALWAYS = {
    "cohort.csv",
    "codebook.csv",
    "import.R",
    "import.sps",
    "import.do",
    "import.py",
    "provenance.json",
}
VALUES = ExportColumn("stage", "whole", "ARCO", values=((10, "1"), (31, "3A")), measure="ordinal")


@pytest.fixture(scope="session")
def folder(source: ExportSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of hip visits in every format."""
    place = tmp_path_factory.mktemp("export") / "all"
    write_export(build_table(source, "hip_visit"), place, FORMATS, BY)
    return place


@pytest.fixture
def hostile() -> ExportTable:
    """A table whose texts and numbers are hard to carry."""
    columns = (
        ExportColumn("hip_id", "text", "Hip, 'quoted' \"twice\"", can_miss=False),
        ExportColumn("angle", "real", "Angle", "deg"),
        VALUES,
        ExportColumn("day", "date", "Day"),
    )
    rows: list[tuple[Any, ...]] = [
        ("=cmd|'/C calc'!A0", -97.0, 31, datetime(2020, 2, 29).date()),
        ("00123", 1e-300, 10, None),
        ("1E5", Missing.NOT_READABLE, Missing.NOT_APPLICABLE, datetime(1931, 1, 1).date()),
        ("NA", 0.1 + 0.2, None, datetime(2020, 2, 29).date()),
        ("홍 길동", -1.25, 31, datetime(2020, 2, 29).date()),
        ('山田,"太郎"\'s', -99.0, 31, datetime(2020, 2, 29).date()),
    ]
    return ExportTable.of(columns, rows, unit="hip", keys=1)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pspp(folder: Path, commands: str) -> str:
    if shutil.which("pspp") is None:
        pytest.skip("PSPP is not installed (Debian: apt-get install pspp)")
    (folder / "run.sps").write_text(commands, "utf-8")
    found = subprocess.run(["pspp", "run.sps"], cwd=folder, capture_output=True, encoding="utf-8")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "error" not in found.stdout.lower(), found.stdout
    assert "warning" not in found.stdout.lower(), found.stdout
    return found.stdout


def as_csv_by_pspp(folder: Path, start: str) -> list[dict[str, str]]:
    save = "SAVE TRANSLATE /OUTFILE='out.csv' /TYPE=CSV /REPLACE /FIELDNAMES /MISSING=RECODE.\n"
    pspp(folder, f"{start}\nFORMATS angle (E24.16).\n{save}")
    return read_csv(folder / "out.csv")


def test_every_file_is_there_and_its_hash_is_told(folder: Path, source: ExportSource) -> None:
    said = json.loads((folder / "provenance.json").read_text("utf-8"))
    files = {file.name for file in folder.iterdir()}
    assert files >= ALWAYS
    assert {Path(name).suffix for name in files} >= {".sav", ".dta", ".xpt", ".parquet", ".xlsx"}
    for name, sha256 in said["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
    assert set(said["files"]) == files - {"provenance.json"}
    table = build_table(source, "hip_visit")
    assert said["canonical_sha256"] == table.canonical_sha256
    assert (said["rows"], said["patients"], said["hips"], said["who"]) == (9, 4, 4, "tester")
    assert said["when"] == "2026-01-31T08:15:00+00:00"
    assert said["query"] == {"shape": "long"}
    assert said["software"].startswith("necroangle ")


def test_the_codebook_names_every_column(folder: Path, source: ExportSource) -> None:
    lines = read_csv(folder / "codebook.csv")
    table = build_table(source, "hip_visit")
    assert [line["name"] for line in lines] == [column.name for column in table.columns]
    book = {line["name"]: line for line in lines}
    assert book["cna_deg"]["unit"] == "deg"
    assert book["arco"]["values"].startswith("10 = ARCO 1; 20 = ARCO 2; 31 = ARCO 3A")
    assert (
        "-98 (SPSS), .b (Stata, SAS), not_readable = image not readable"
        in (book["cna_deg"]["missing"])
    )
    assert all(line["meaning"] for line in lines)


def test_no_identifier_leaves_in_any_file(folder: Path) -> None:
    views = [view for reading in readings() for view in reading.views]
    uids = {view.image.instance_uid for view in views if hasattr(view, "image")}
    uids |= {view.image.series_uid for view in views if hasattr(view, "image")}
    for file in folder.iterdir():
        raw = file.read_bytes()
        for word in (*uids, "2020-01-05", "2021-06-01", "20200105"):
            assert word.encode() not in raw, (file.name, word)


def test_a_minus_99_never_stands_bare_in_the_csv(folder: Path) -> None:
    cells = {cell for line in read_csv(folder / "cohort.csv") for cell in line.values()}
    assert cells.isdisjoint({"-99", "-98", "-97", "-99.0", "-98.0", "-97.0"})
    first = read_csv(folder / "cohort.csv")[-1]
    assert (first["cna_deg"], first["cna_deg_missing_reason"]) == ("", "not_done")


def test_pspp_reads_the_sav_with_labels_and_missing_values(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "cohort.sav", tmp_path)
    shown = pspp(
        tmp_path,
        "GET FILE='cohort.sav'.\nLIST VARIABLES=patient_id cna_deg.\n"
        "FREQUENCIES VARIABLES=arco.\nDISPLAY DICTIONARY /VARIABLES=cna_deg.\n",
    )
    for word in ("홍길동", "00123", "1E5", "NA", "ARCO 2", "image not readable"):
        assert word in shown
    assert all(f"{code}" in shown for code in (-97, -98, -99)), "user-missing values are declared"
    counts = [line.split("|") for line in shown.splitlines() if "not done" in line]
    assert any(cells[2].strip() == "1" and "Missing" in cells[1] for cells in counts)


def test_pspp_runs_import_sps(hostile: ExportTable, tmp_path: Path) -> None:
    write_export(hostile, tmp_path / "x", ["sav"], BY)
    found = as_csv_by_pspp(tmp_path / "x", "INSERT FILE='import.sps'.")
    same = as_csv_by_pspp(tmp_path / "x", "GET FILE='cohort.sav'.")
    names = [column.name for column in hostile.columns]
    assert len(found) == len(same) == len(hostile.rows)
    for line, other, row in zip(found, same, hostile.rows, strict=True):
        assert line["hip_id"] == other["hip_id"] == row[0]
        assert line["day"].strip() == other["day"].strip()
        for name in ("angle", "stage"):
            value = row[names.index(name)]
            numbers = [cells[name].strip() for cells in (line, other)]
            if isinstance(value, Missing):
                assert [number in {"", "."} for number in numbers] == [True, True]
            else:
                wanted = float(str(value))
                assert [float(n) for n in numbers] == pytest.approx([wanted] * 2, rel=1e-13, abs=0)


def test_pspp_runs_import_sps_of_a_real_table(folder: Path, tmp_path: Path) -> None:
    for name in ("import.sps", "cohort.csv"):
        shutil.copy(folder / name, tmp_path)
    shown = pspp(
        tmp_path, "INSERT FILE='import.sps'.\nFREQUENCIES VARIABLES=vas tha arco sex cna_grade.\n"
    )
    for word in ("ARCO 3A", "not applicable", "image not readable", "250 to below 300", "female"):
        assert word in shown


def test_import_py_gives_types_and_labels(folder: Path, source: ExportSource) -> None:
    load = runpy.run_path(str(folder / "import.py"))["load"]
    frame, coded = load(), load(codes_as_labels=False)
    table = build_table(source, "hip_visit")
    assert list(frame.columns[: len(table.columns)]) == [c.name for c in table.columns]
    assert set(frame["patient_id"]) == {"홍길동", "00123", "1E5", "NA"}
    assert frame["cna_deg"].dtype == pd.Float64Dtype()
    assert frame["arco"].dtype.ordered
    assert (frame["arco"] >= "ARCO 3A").sum() == 6, "the replaced hip has no stage"
    assert coded["arco"].dropna().isin([20, 31]).all()
    assert frame.attrs["labels"]["cna_deg"] == "Combined necrotic angle (CNA), A + B"
    for place, column in enumerate(table.columns):
        gone = [isinstance(cell, Missing) for cell in table.values(place)]
        assert coded[column.name].isna().tolist() == gone, column.name
        kept = [cell for cell in table.values(place) if not isinstance(cell, Missing)]
        assert coded[column.name].dropna().tolist() == kept, column.name


def test_import_py_carries_hostile_values(hostile: ExportTable, tmp_path: Path) -> None:
    write_export(hostile, tmp_path / "x", [], BY, bom=True)
    frame = runpy.run_path(str(tmp_path / "x" / "import.py"))["load"]()
    assert frame["hip_id"].tolist() == [row[0] for row in hostile.rows]
    assert frame["angle"].dropna().tolist() == [
        row[1] for row in hostile.rows if not isinstance(row[1], Missing)
    ]


@pytest.mark.r_haven
def test_r_reads_every_file(folder: Path, tmp_path: Path) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed (Debian: apt-get install r-base-core r-cran-haven)")
    script = """
    source("import.R", encoding = "UTF-8")
    sav <- haven::read_sav("cohort.sav", user_na = TRUE)
    dta <- haven::read_dta("cohort.dta")
    xpt <- haven::read_xpt("cohort.xpt")
    v5 <- haven::read_xpt("cohort_v5.xpt")
    stopifnot(nrow(sav) == 9, nrow(dta) == 9, nrow(xpt) == 9, nrow(v5) == 9, nrow(cohort) == 9)
    stopifnot(identical(as.character(sav$patient_id), as.character(cohort$patient_id)))
    stopifnot(identical(as.character(dta$patient_id), as.character(cohort$patient_id)))
    stopifnot(is.ordered(cohort$arco), sum(cohort$arco >= "ARCO 3A", na.rm = TRUE) == 6)
    stopifnot(attr(sav$cna_deg, "label") == attr(cohort$cna_deg, "label"))
    stopifnot(setequal(attr(sav$cna_deg, "na_values"), c(-97, -98, -99)))
    stopifnot(haven::na_tag(dta$cna_deg[9]) == "c", is.na(xpt$cna_deg[9]))
    stopifnot(isTRUE(all.equal(as.numeric(dta$cna_deg), as.numeric(cohort$cna_deg))))
    cat(cohort$patient_id[[1]], cohort$patient_id[[9]], levels(cohort$sex), sep = "|")
    """
    run = shutil.copytree(folder, tmp_path / "r")
    (run / "run.R").write_text(script, "utf-8")
    found = subprocess.run(
        ["Rscript", "--vanilla", "run.R"],
        cwd=run,
        capture_output=True,
        encoding="utf-8",
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout == "00123|홍길동|male|female"


def test_redcap_has_its_18_columns_and_one_record_per_patient(folder: Path) -> None:
    with (folder / "redcap_dictionary.csv").open(encoding="utf-8", newline="") as file:
        heading, *fields = csv.reader(file)
    assert tuple(heading) == DICTIONARY_HEADING
    assert len(heading) == 18
    assert heading[0] == "Variable / Field Name"
    assert heading[11] == "Branching Logic (Show field only if...)"
    assert {len(field) for field in fields} == {18}
    assert fields[0][:4] == ["patient_id", "patient", "", "text"]
    choices = {field[0]: (field[3], field[5]) for field in fields}
    assert choices["side"] == ("radio", "1, left | 2, right")
    assert choices["flag_short_rim"] == ("yesno", "")
    assert {field[1] for field in fields} == {"patient", "hip_reading"}
    records = read_csv(folder / "redcap_records.csv")
    names = list(records[0])
    assert names[:4] == [
        "patient_id",
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
    ]
    assert set(names) - {field[0] for field in fields} == {
        *names[1:4],
        "patient_complete",
        "hip_reading_complete",
    }
    patients = [line for line in records if not line["redcap_repeat_instrument"]]
    hips = [line for line in records if line["redcap_repeat_instrument"] == "hip_reading"]
    assert (len(patients), len(hips)) == (4, 9)
    assert {line["redcap_event_name"] for line in patients} == {"baseline_arm_1"}
    assert {line["hip_reading_complete"] for line in hips} == {"2"}
    keys = [tuple(line[name] for name in names[:4]) for line in records]
    assert len(set(keys)) == len(keys)
    (late,) = [line for line in hips if line["redcap_event_name"] == "month_12_arm_1"]
    assert late["cna_deg"] == ""
    assert "not_applicable: vas" in late["hip_reading_missing_reasons"]


def test_redcap_refuses_a_wide_table(source: ExportSource, tmp_path: Path) -> None:
    wide = to_wide(build_table(source, "hip_visit"))
    with pytest.raises(CohortError, match="REDCap takes the long table"):
        write_export(wide, tmp_path / "x", ["redcap"], BY)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_is_replaced_and_other_files_are_not(
    hostile: ExportTable, tmp_path: Path
) -> None:
    place = tmp_path / "deep" / "x"
    write_export(hostile, place, ["sav", "dta"], BY)
    write_export(hostile, place, ["parquet"], BY)
    assert {file.name for file in place.iterdir()} == ALWAYS | {"cohort.parquet"}
    assert [file.name for file in place.parent.iterdir()] == ["x"]
    (place / "my analysis.R").write_text("precious")
    with pytest.raises(CohortError, match=r"it holds 'my analysis\.R', which is no part"):
        write_export(hostile, place, ["csv"], BY)
    assert (place / "my analysis.R").read_text() == "precious"


def test_what_a_cut_off_export_left_is_removed(hostile: ExportTable, tmp_path: Path) -> None:
    """A part an hour old is; one that may still be written to is not, nor anything else."""
    place, old, young = tmp_path / "x", tmp_path / ".x.abc.part", tmp_path / ".x.def.part"
    others = tmp_path / ".xy.abc.old", tmp_path / ".x.profile"
    elsewhere = tmp_path / ".other.abc.part"
    for folder in (old, young, elsewhere, *others):
        folder.mkdir()
        (folder / "cohort.csv").write_text("half")
        os.utime(folder, (0, 0) if folder is not young else None)
    write_export(hostile, place, [], BY)
    assert {one.name for one in tmp_path.iterdir()} == {"x", young.name, *(o.name for o in others)}


def test_an_export_set_aside_by_one_that_was_cut_off_goes_back(
    hostile: ExportTable, tmp_path: Path
) -> None:
    """Cut off between the two renames, the old export is there under another name alone."""
    place = tmp_path / "x"
    write_export(hostile, place, [], BY)
    place.rename(tmp_path / ".x.abc.old")
    broken = ExportTable.of((ExportColumn("n", "real", "N"),), [(1e80,)], unit="row", keys=1)
    with pytest.raises(CohortError, match="SAS"):
        write_export(broken, place, ["xpt"], BY)
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    assert {file.name for file in place.iterdir()} == ALWAYS


def test_a_failed_write_leaves_what_was_there(
    hostile: ExportTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "x"
    write_export(hostile, place, ["sav"], BY)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    broken = ExportTable.of((ExportColumn("n", "real", "N"),), [(1e80,)], unit="row", keys=1)
    with pytest.raises(CohortError, match="SAS"):
        write_export(broken, place, ["csv", "xpt"], BY)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyreadstat", None)
        with pytest.raises(CohortError, match=r'sav needs pyreadstat.*"necroangle\[export\]"'):
            write_export(hostile, place, ["csv", "sav"], BY)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("module", "format_name", "package"),
    [("xlsxwriter", "xlsx", "XlsxWriter"), ("pyarrow", "parquet", "pyarrow")],
)
def test_a_missing_library_is_named(
    hostile: ExportTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    format_name: str,
    package: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module, None)
        with pytest.raises(CohortError, match=f"{format_name} needs {package}; install it with"):
            write_export(hostile, tmp_path / "x", [format_name], BY)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from exportmaker import readings, source_of
from necroangle.export import Provenance, build_table, write_export
from necroangle.errors import CohortError
table = build_table(source_of(readings()))
import pandas, pyreadstat, xlsxwriter, pyarrow.parquet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
place = Path(sys.argv[1])
write_export(table, place, [], Provenance({}, "x", datetime.now(UTC)))
largest = max(file.stat().st_size for file in place.iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest * float(sys.argv[3])),) * 2)
try:
    write_export(table, place, [sys.argv[2]], Provenance({}, "x", datetime.now(UTC)))
except CohortError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of file sizes is asked of POSIX")
def test_a_full_disk_leaves_the_old_export(tmp_path: Path) -> None:
    place = tmp_path / "x"
    found = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(place), "csv", "0.5"],
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONPATH": str(Path(__file__).parents[1] / "support"), "PATH": "/usr/bin"},
    )
    assert found.returncode == 0, found.stderr
    assert "cannot be written (File too large)" in found.stdout
    assert {file.name for file in place.iterdir()} == ALWAYS
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_bytes_of_text_files_are_the_same_each_time(source: ExportSource, tmp_path: Path) -> None:
    table = build_table(source)
    for name in ("a", "b"):
        write_export(table, tmp_path / name, ["xlsx", "dta", "parquet", "redcap"], BY)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_import_do_names_every_column_once(source: ExportSource, tmp_path: Path) -> None:
    table = build_table(source_of(readings(), dates="shifted"))
    write_export(table, tmp_path / "x", [], BY)
    text = (tmp_path / "x" / "import.do").read_text("utf-8")
    heading = (tmp_path / "x" / "cohort.csv").read_text("utf-8").split("\n")[0].split(",")
    for column in table.columns:
        number = heading.index(column.name) + 1
        made = {
            "text": f"rename v{number} {column.name}\n",
            "date": f'generate long {column.name} = date(v{number}, "YMD")\n',
        }.get(column.kind, f"generate double {column.name} = real(v{number})\n")
        assert text.count(f"\n{made}") == 1, column.name
        if column.can_miss and column.kind != "text":
            why = heading.index(column.reason_name) + 1
            assert f'replace {column.name} = .b if v{why} == "not_readable"\n' in text
        assert f"label variable {column.name} " in text
    assert "label define" in text
