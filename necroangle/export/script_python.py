"""``import.py``: pandas, nothing else."""

import json

from necroangle.export.model import ExportTable

__all__ = ["python_script"]

_HEAD = '''\
"""Reads cohort.csv as it was exported by necroangle: types, labels, codes as categories.

    import runpy

    cohort = runpy.run_path("import.py")["load"]()
    cohort.attrs["labels"]["cna_deg"]

Why a value is missing stands in <name>_missing_reason. Two hips of one patient are correlated:
cluster by patient_id.
"""

import json
from pathlib import Path

import pandas as pd

COLUMNS = json.loads(
    r"""
'''

_TAIL = '''
"""
)


def load(folder=Path(__file__).resolve().parent, codes_as_labels=True):
    """The table: string, Int64, Float64, dates, and categories where there are codes."""
    raw = pd.read_csv(
        Path(folder) / "cohort.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    found = {column["name"]: _typed(raw, column, codes_as_labels) for column in COLUMNS}
    reasons = {name: raw[name].astype("string") for name in raw if name not in found}
    frame = pd.DataFrame({**found, **reasons})
    frame.attrs["labels"] = {column["name"]: column["label"] for column in COLUMNS}
    frame.attrs["units"] = {column["name"]: column["unit"] for column in COLUMNS}
    frame.attrs["values"] = {column["name"]: column["values"] for column in COLUMNS}
    return frame


def _typed(raw, column, codes_as_labels):
    text, kind = raw[column["name"]], column["kind"]
    why = raw.get(column["name"] + "_missing_reason")
    gone = text.eq("") if kind != "text" else why.ne("") if why is not None else text.ne(text)
    if kind == "text":
        return text.str.replace("^'", "", regex=True).astype("string").mask(gone)
    if kind == "date":
        return pd.to_datetime(text.mask(gone))
    if kind == "real":
        numbers = [None if cell == "" else float(cell) for cell in text]
        return pd.Series(numbers, dtype="Float64")
    codes = pd.Series([None if cell == "" else int(cell) for cell in text], dtype="Int64")
    if not (column["values"] and codes_as_labels):
        return codes
    labels = {code: label for code, label in column["values"]}
    ordered = column["measure"] == "ordinal"
    kinds = pd.CategoricalDtype(list(labels.values()), ordered=ordered)
    return codes.map(labels, na_action="ignore").astype(kinds)


if __name__ == "__main__":
    cohort = load()
    print(cohort.dtypes.to_string())
    print(f"{len(cohort)} rows, {cohort.patient_id.nunique()} patients")
'''


def python_script(table: ExportTable) -> str:
    """The script that reads ``cohort.csv`` into a pandas data frame."""
    columns = [
        {
            "name": column.name,
            "kind": column.kind,
            "label": column.label,
            "unit": column.unit,
            "measure": column.measure,
            "values": column.values,
        }
        for column in table.columns
    ]
    lines = ",\n".join(json.dumps(column) for column in columns)
    return f"{_HEAD}[\n{lines}\n]{_TAIL}"
