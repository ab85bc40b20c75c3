"""How long an export takes beside pandas' own writer: ``python benchmarks/export_speed.py``.

Both start from the same rows in memory, in the same run, each the best of several turns. pandas
writes bare values: no labels, no codes, no reasons for what is missing, no check of the values.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.export import ExportColumn, ExportTable, Missing
from necroangle.export.clinical import clinical_columns
from necroangle.export.columns import Value
from necroangle.export.csv_file import data_csv
from necroangle.export.follow_up import COURSE_COLUMNS
from necroangle.export.keys import KEY_COLUMNS
from necroangle.export.measured import MEASURED_COLUMNS
from necroangle.export.redcap import redcap_files
from necroangle.export.sheet_files import write_parquet, write_xlsx
from necroangle.export.statistics_files import write_dta, write_sav, write_xpt

MAIN = frozenset(
    {
        "arco",
        "vas",
        "hhs",
        "tha",
        "tha_days",
        "cor_status",
        "cna_cor_deg",
        "cna_cor_se_deg",
        "sag_status",
        "cna_sag_deg",
        "cna_sag_se_deg",
        "cna_deg",
        "cna_se_deg",
        "cna_low_deg",
        "cna_high_deg",
        "cna_grade",
        "flags_hip",
        "flag_near_cutoff",
        "annotation_sha256",
    }
)
MISSING_SHARE = 0.1


@dataclass(frozen=True)
class Road:
    """A format: our writer, and pandas' where it has one."""

    name: str
    ours: Callable[[ExportTable, Path], object]
    theirs: Callable[[pd.DataFrame, Path], object] | None


ROADS = (
    Road("csv", lambda t, p: p.write_bytes(data_csv(t)), lambda f, p: f.to_csv(p, index=False)),
    Road(
        "xlsx",
        lambda t, p: write_xlsx(t, p, {}),
        lambda f, p: f.to_excel(p, index=False, engine="xlsxwriter"),
    ),
    Road("sav", lambda t, p: write_sav(t, p, "benchmark"), None),
    Road(
        "dta",
        lambda t, p: write_dta(t, p, "benchmark"),
        lambda f, p: f.to_stata(p, write_index=False, version=118),
    ),
    Road("xpt", write_xpt, None),
    Road("parquet", lambda t, p: write_parquet(t, p, {}), lambda f, p: f.to_parquet(p)),
    Road("redcap", lambda t, p: [p.write_bytes(raw) for raw in redcap_files(t).values()], None),
)


def columns_of(everything: bool) -> tuple[ExportColumn, ...]:
    """Keys and the main columns, or every column."""
    visit = [one.column for one in clinical_columns("visit", with_dates=False)]
    rest = [*visit, *COURSE_COLUMNS, *MEASURED_COLUMNS]
    return (*KEY_COLUMNS, *(one for one in rest if everything or one.name in MAIN))


def column_values(column: ExportColumn, rows: int, chance: np.random.Generator) -> list[Value]:
    """Random values of a column, a tenth of them missing where they may be."""
    values: list[Value]
    if column.values:
        codes = [code for code, _ in column.values]
        values = [codes[n] for n in chance.integers(0, len(codes), rows).tolist()]
    elif column.kind == "real":
        values = [round(value, 6) for value in (360.0 * chance.random(rows)).tolist()]
    elif column.kind == "whole":
        values = list(chance.integers(0, 2000, rows).tolist())
    elif column.name == "annotation_sha256":
        values = [f"{n:064x}" for n in range(rows)]
    else:
        words = ("", "near_cutoff", "radii_differ near_cutoff")
        values = [words[n] for n in chance.integers(0, 3, rows).tolist()]
    if column.can_miss:
        for place in np.flatnonzero(chance.random(rows) < MISSING_SHARE).tolist():
            values[place] = Missing.NOT_DONE
    return values


def random_rows(columns: tuple[ExportColumn, ...], rows: int) -> list[tuple[Value, ...]]:
    """Rows with keys of their own: two hips of each patient, five visits of each hip."""
    chance = np.random.default_rng(1)
    cells = {one.name: column_values(one, rows, chance) for one in columns}
    cells["patient_id"] = [f"{n // 10:05d}" for n in range(rows)]
    cells["side"] = [1 + n // 5 % 2 for n in range(rows)]
    cells["hip_id"] = [f"{n // 10:05d}_{'LR'[n // 5 % 2]}" for n in range(rows)]
    cells["visit"] = [f"m{n % 5 * 6:02d}" for n in range(rows)]
    cells["months_nominal"] = [n % 5 * 6.0 for n in range(rows)]
    cells["reader_id"] = ["kim"] * rows
    return list(zip(*(cells[one.name] for one in columns), strict=True))


def best(work: Callable[[], object], turns: int) -> float:
    """Seconds of the fastest turn."""
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def plain_frame(columns: tuple[ExportColumn, ...], rows: list[tuple[Value, ...]]) -> pd.DataFrame:
    """What a pandas user has: bare values, None where there is nothing."""
    bare = [[None if type(cell) is Missing else cell for cell in row] for row in rows]
    frame = pd.DataFrame(bare, columns=[one.name for one in columns])
    numbers = [one.name for one in columns if one.kind != "text"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--all-columns", action="store_true", help="every column, without xlsx")
    asked = parser.parse_args()
    columns = columns_of(asked.all_columns)
    rows = random_rows(columns, asked.rows)
    start = time.perf_counter()
    made = ExportTable.of(columns, rows, unit="reading", keys=len(KEY_COLUMNS))
    built = time.perf_counter() - start
    start = time.perf_counter()
    sha256 = made.canonical_sha256
    hashed = time.perf_counter() - start
    console = Console(width=110)
    console.print(f"{len(rows):,} rows x {len(columns)} columns; canonical sha256 {sha256[:16]}...")
    console.print(f"checked, cleaned, ordered in {built:.2f} s; hashed in {hashed:.2f} s")
    headings = ("format", "necroangle s", "pandas s", "ratio", "pandas from rows s", "ratio")
    table = Table(box=SIMPLE)
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "format" else "right")
    for road in ROADS:
        if not (asked.all_columns and road.name == "xlsx"):
            table.add_row(road.name, *timed(road, made, rows, asked.turns))
    console.print(table)


def timed(
    road: Road, made: ExportTable, rows: list[tuple[Value, ...]], turns: int
) -> tuple[str, ...]:
    """Our seconds, pandas' from a ready frame with the ratio, and pandas' from the rows."""
    turns = 1 if road.name == "xlsx" else turns
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t.{road.name}"
        fresh = lambda: ExportTable(made.columns, made.rows, made.unit, made.keys)  # noqa: E731
        ours = best(lambda: road.ours(fresh(), path), turns)
        if road.theirs is None:
            return f"{ours:.2f}", "-", "-", "-", "-"
        theirs = road.theirs
        start = time.perf_counter()
        frame = plain_frame(made.columns, rows)
        framing = time.perf_counter() - start
        writing = best(lambda: theirs(frame, path), turns)
    whole = framing + writing
    return (
        f"{ours:.2f}",
        f"{writing:.2f}",
        f"{writing / ours:.2f}",
        f"{whole:.2f}",
        f"{whole / ours:.2f}",
    )


if __name__ == "__main__":
    main()
