"""A study folder with everything that a report can show: 22 hips of 18 patients, two readers.

The courses are those of :data:`cohortmaker.STUDY`, so the aggregates are those that Yoon 2024
printed. The second reader reads the baseline and the last visit, a little larger, with an error of
their own; the first reads eight hips twice. Everything is made: no patient is in it.
"""

from pathlib import Path

import numpy as np
from cohortmaker import STUDY, VISITS, plain_cohort
from hipmaker import make_reading

from necroangle.annotation import HipReading, file_name, save_reading
from necroangle.entries import KEYS
from necroangle.ledger.records import Entry
from necroangle.ledger.store import CohortStore
from necroangle.protocol.study import StudyProtocol
from necroangle.terms import Laterality

__all__ = ["make_whole_study"]

_HEAD = """\
format = "necroangle.study"
version = 1
study = "onfh"
method = "ha_mr_midslice"
readers = ["kim", "lee"]
index_visit = "m00"

[[noise.readers]]
reader = "kim"
end_sd_mm = 0.8
end_bias_mm = 0.2
end_dof = 40.0
source = "calibration"

[[noise.readers]]
reader = "lee"
end_sd_mm = 1.1
end_bias_mm = 0.4
end_dof = 18.0
source = "calibration"
"""


def make_whole_study(folder: Path) -> StudyProtocol:
    """Make the study folder: ``study.toml``, readings that are measured, clinical records."""
    from necroangle.batch import find_readings
    from necroangle.study import open_study

    readings = folder / "readings"
    readings.mkdir(parents=True)
    visits = "".join(
        f'\n[[visits]]\nname = "{one.name}"\nmonths = {one.months:g}\n'
        f"before_days = {one.before_days:g}\nafter_days = {one.after_days:g}\n"
        for one in VISITS
    )
    (folder / "study.toml").write_text(_HEAD + visits, "utf-8")
    cohort = plain_cohort(STUDY)
    random = np.random.default_rng(22)
    hips: dict[tuple[str, str], list[dict[str, object]]] = {}
    for row in cohort.rows:
        if row["cna_deg"] is not None:
            hips.setdefault((row["subject"], row["laterality"]), []).append(row)
    for number, own in enumerate(hips.values()):
        for place, row in enumerate(own):
            angle = float(str(row["cna_deg"]))
            _keep(readings, row, angle, "kim", 1)
            if place in (0, len(own) - 1):
                _keep(readings, row, angle + 2 + float(random.normal(0, 4)), "lee", 1)
            if place == 0 and number < 8:
                _keep(readings, row, angle + float(random.normal(0, 3)), "kim", 2)
    study = open_study(folder)
    entries = [
        Entry(
            kind,
            tuple(str(row[name]) for name in KEYS[kind]),
            {name: cell for name, cell in row.items() if name not in KEYS[kind]},
        )
        for kind, rows in cohort.clinical.items()
        for row in rows
    ]
    assert find_readings([readings])[0]
    with CohortStore.open(folder / "cohort.sqlite") as store:
        store.record(entries, actor="test")
    return study.protocol


def _keep(
    folder: Path, row: dict[str, object], angle_deg: float, reader: str, read_no: int
) -> HipReading:
    reading = make_reading(
        0.53 * angle_deg,
        0.47 * angle_deg,
        subject=str(row["subject"]),
        laterality=Laterality(str(row["laterality"])),
        visit=str(row["visit"]),
        reader=reader,
        read_no=read_no,
    )
    save_reading(reading, folder / file_name(reading))
    return reading
