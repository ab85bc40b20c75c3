"""What an export costs a row, beside pandas' own writer: ``python benchmarks/export_speed.py``.

CPU time in one process, all libraries loaded. ``command`` is the whole of ``necroangle export --to
FORMAT`` of a cohort whose readings are kept: database, readings, analysis set, table, canonical
hash, CSV with codebook and scripts, and the format. ``writer`` is the file alone. pandas writes the
same columns from a ready frame: bare values, no labels, no codes, no reasons for what is missing
(for SPSS, pyreadstat from that frame).
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow  # noqa: F401 - loaded before the clock runs
import pyreadstat
from click.testing import CliRunner
from kept_cohort import kept_cohort
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.cli.records.export import command
from necroangle.export import ExportSource, ExportTable, build_table, facts_from
from necroangle.export.csv_file import data_csv
from necroangle.export.redcap import redcap_files
from necroangle.export.sheet_files import write_parquet, write_xlsx
from necroangle.export.statistics_files import write_dta, write_sav, write_xpt

LIMIT_US = 150.0

OURS: dict[str, Callable[[ExportTable, Path], object]] = {
    "csv": lambda t, p: p.write_bytes(data_csv(t)),
    "sav": lambda t, p: write_sav(t, p, "benchmark"),
    "dta": lambda t, p: write_dta(t, p, "benchmark"),
    "parquet": lambda t, p: write_parquet(t, p, {}),
    "xpt": write_xpt,
    "redcap": lambda t, p: [p.write_bytes(raw) for raw in redcap_files(t).values()],
    "xlsx": lambda t, p: write_xlsx(t, p, {}),
}
THEIRS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": lambda f, p: f.to_csv(p, index=False),
    "sav": lambda f, p: pyreadstat.write_sav(f, str(p)),
    "dta": lambda f, p: f.to_stata(p, write_index=False, version=118),
    "parquet": lambda f, p: f.to_parquet(p),
    "xlsx": lambda f, p: f.to_excel(p, index=False, engine="xlsxwriter"),
}
MAIN = ("csv", "sav", "dta", "parquet")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=2, help="the fastest of so many counts")
    parser.add_argument("--every", action="store_true", help="xpt, redcap and xlsx, too")
    asked = parser.parse_args()
    table = Table(
        box=SIMPLE, caption=f"CPU µs a row; at most {LIMIT_US:g} for a command is aimed at"
    )
    for heading in ("format", "command", "its writer", "pandas' writer", "writer / pandas"):
        table.add_column(heading, justify="left" if heading == "format" else "right")
    with tempfile.TemporaryDirectory(prefix="necroangle-speed-") as name:
        folder = Path(name)
        store = kept_cohort(folder / "cohort.sqlite", asked.rows)
        rows = store.rows()
        made = build_table(ExportSource(rows, facts=facts_from(store.contents()), secret=b"k" * 16))
        frame = plain_frame(made)
        del rows
        for one in OURS if asked.every else MAIN:
            table.add_row(one, *costs(one, folder, made, frame, asked.turns))
    console = Console(width=100)
    console.print(f"{len(made):,} rows of {len(made.columns)} columns")
    console.print(table)


def costs(
    name: str, folder: Path, made: ExportTable, frame: pd.DataFrame, turns: int
) -> tuple[str, ...]:
    """CPU µs a row of the command, of its writer, and of pandas' writer."""
    arguments = ["--to", name, "--cohort", str(folder / "cohort.sqlite")]
    arguments += ["--out", str(folder / "export"), "--secret", str(folder / "secret")]
    (folder / "secret").write_text("k" * 32)

    def run() -> None:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output

    def fresh() -> ExportTable:
        return ExportTable(made.columns, made.data, made.unit, made.keys)

    whole = cpu_us(run, len(made), turns)
    writing = cpu_us(lambda: OURS[name](fresh(), folder / "ours"), len(made), turns)
    if name not in THEIRS:
        return f"{whole:.0f}", f"{writing:.0f}", "-", "-"
    pandas = cpu_us(lambda: THEIRS[name](frame, folder / "theirs"), len(made), turns)
    return f"{whole:.0f}", f"{writing:.0f}", f"{pandas:.0f}", f"{writing / pandas:.2f}"


def cpu_us(work: Callable[[], object], rows: int, turns: int) -> float:
    """CPU time of the fastest turn, in microseconds a row."""
    times = []
    for _ in range(turns):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) / rows * 1e6


def plain_frame(table: ExportTable) -> pd.DataFrame:
    """What a pandas user has: bare values, nothing where a value is missing."""
    cells = {
        column.name: pd.Series(one.values, dtype=object) if column.kind == "text" else one.values
        for column, one in zip(table.columns, table.data, strict=True)
    }
    return pd.DataFrame(cells)


if __name__ == "__main__":
    main()
