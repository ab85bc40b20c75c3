"""Run in a copy of the package with three more entries: what follows from their declarations."""

import csv
import json
import sys
from pathlib import Path

from click.testing import CliRunner

from necroangle.annotation import HipReading, ReaderEntries, file_name, load_reading, save_reading
from necroangle.cli import cli
from necroangle.cohort import CohortStore
from necroangle.phantom import readings_of, sample_studies

DECLARED = """
        both(
            "oedema",
            "Bone marrow oedema",
            "bone marrow oedema outside the band",
            CodeSet(
                (
                    Choice("none", 0, "no oedema"),
                    Choice("head", 5, "in the head"),
                    Choice("neck", 7, "into the neck", "down to the neck", ("collum",)),
                ),
                is_ordered=True,
            ),
            "doi 10.0000/example",
        ),
        Field(
            "visit", "band_mm", "real", "Band width", "width of the band", "mm",
            low=0, high=20, by="reader", source="doi 10.0000/example",
        ),
        Field(
            "view", "doubtful", "whole", "Doubtful border", "whether the border is doubtful",
            choices=NO_YES, by="reader", source="doi 10.0000/example",
        ),
"""
BEFORE = '        Field("visit", "ficat", "text"'
SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision = "v{now:04}"
down_revision = "v{before:04}"


def upgrade() -> None:
    op.add_column("cohort", sa.Column("oedema", sa.Text()))
    op.add_column("cohort", sa.Column("band_mm", sa.Double()))
    op.add_column("cohort", sa.Column("a_doubtful", sa.Integer()))
    op.add_column("cohort", sa.Column("b_doubtful", sa.Integer()))
    op.execute("UPDATE necroangle_meta SET value = '{now}' WHERE name = 'schema'")
"""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def check_the_reading_file(folder: Path) -> HipReading:
    schema = json.loads(run("schema"))["$defs"]["ReaderEntries"]["properties"]
    assert set(schema["oedema"]["enum"]) == {"none", "head", "neck"}
    assert "doi 10.0000/example" in schema["oedema"]["description"]
    assert (schema["band_mm"]["minimum"], schema["band_mm"]["maximum"]) == (0, 20)
    (reading, *_) = readings_of(sample_studies()["plain"])
    entries = ReaderEntries.of({"oedema": "head", "band_mm": 3.5, "b_doubtful": 1})
    values = {name: getattr(reading, name) for name in reading.__struct_fields__}
    reading = HipReading(**{**values, "entries": entries})
    save_reading(reading, folder / file_name(reading))
    assert load_reading(folder / file_name(reading)) == reading
    return reading


def check_ledger_and_history(reading: HipReading, old: Path) -> None:
    run("remeasure", "readings", "--cohort", "cohort.sqlite")
    (row,) = CohortStore.open("cohort.sqlite").rows()
    assert (row["oedema"], row["band_mm"]) == ("head", 3.5)
    assert (row["a_doubtful"], row["b_doubtful"]) == (None, 1)
    Path("visits.csv").write_text(
        "subject,side,visit,visit_date,bone marrow oedema\n"
        f"{reading.subject},{reading.laterality},{reading.visit},2020-01-01,Collum\n"
    )
    run("import", "visits.csv", "--as", "kim", "--cohort", "cohort.sqlite")
    visit = (reading.subject, str(reading.laterality), reading.visit)
    why = ("--reason", "typo", "--as", "lee", "--cohort", "cohort.sqlite")
    run("edit", "visit", *visit, "--set", "oedema=no oedema", *why)
    told = run("history", "visit", *visit, "--cohort", "cohort.sqlite")
    assert "oedema: nothing -> neck" in told
    assert "oedema: neck -> none" in told
    assert "no problem was found" in run("verify", "--cohort", "cohort.sqlite")
    migrated = CohortStore.open(old)
    assert all(one["oedema"] is None for one in migrated.rows())
    assert "no problem was found" in run("verify", "--cohort", str(old))


def check_the_exports() -> None:
    run("export", "--to", "all", "--cohort", "cohort.sqlite", "--out", "out", "--by", "kim")
    with Path("out/cohort.csv").open(encoding="utf-8", newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["oedema"], line["oedema_read"], line["band_mm"]) == ("0", "5", "3.5")
    assert (line["cor_doubtful"], line["sag_doubtful"]) == ("", "1")
    assert line["cor_doubtful_missing_reason"] == "not_done"
    arguments = ("--to", "csv", "--shape", "wide", "--out", "wide", "--by", "kim")
    run("export", *arguments, "--cohort", "cohort.sqlite")
    heading = Path("wide/cohort.csv").read_text("utf-8").partition("\n")[0].split(",")
    assert {"oedema_m0", "band_mm_m0", "cor_doubtful_m0", "sag_doubtful_m0"} <= set(heading)
    book = Path("out/codebook.csv").read_text("utf-8")
    assert "0 = no oedema; 5 = in the head; 7 = into the neck" in book
    assert "Band width as entered by the reader" in book
    assert "5 'in the head'" in Path("out/import.sps").read_text("utf-8").replace('"', "'")
    scripts = ("out/import.R", "out/import.do", "out/redcap_dictionary.csv")
    assert all("into the neck" in Path(name).read_text("utf-8") for name in scripts)
    import pyreadstat

    for read, name in ((pyreadstat.read_sav, "sav"), (pyreadstat.read_dta, "dta")):
        _, meta = read(f"out/cohort.{name}")
        labels = labels_of(meta, "oedema_read")
        assert [labels[code] for code in (0, 5, 7)] == ["no oedema", "in the head", "into the neck"]


def labels_of(meta: object, name: str) -> dict[float, str]:
    found: dict[float, str] = meta.variable_value_labels[name]  # type: ignore[attr-defined]
    return found


def check_the_dock() -> None:
    from napari_necroangle.dock.panels import EntriesPanel
    from qtpy.QtWidgets import QApplication, QComboBox, QDoubleSpinBox

    app = QApplication.instance() or QApplication([])
    panel = EntriesPanel(lambda: None)
    offered, number = panel.entered["oedema"].widget, panel.entered["band_mm"].widget
    assert isinstance(offered, QComboBox)
    assert isinstance(number, QDoubleSpinBox)
    shown = [offered.itemText(place) for place in range(offered.count())]
    assert shown == ["–", "none no oedema", "head", "neck"]
    assert "doi 10.0000/example" in offered.toolTip()
    assert number.maximum() == 20
    assert panel.entered.keys() >= {"a_doubtful", "b_doubtful"}
    del app


if __name__ == "__main__":
    Path("readings").mkdir()
    one = check_the_reading_file(Path("readings"))
    check_ledger_and_history(one, Path(sys.argv[1]))
    check_the_exports()
    if "dock" in sys.argv:
        check_the_dock()
    print("all follows")
