"""A study in a folder with readings, records and anchors, for tests of what becomes of its data."""

from pathlib import Path

from ledgertools import READINGS, filled_cohort

from necroangle.ledger.records import Entry
from necroangle.study import Study, init_study, open_study

__all__ = ["make_kept_study"]


def make_kept_study(folder: Path, *, url: str = "") -> Study:
    """A study with five readings of two patients, and clinical records of one.

    Parameters
    ----------
    url
        The cohort's database; by default it is a file.
    """
    study = init_study(folder, "onfh", readers=tuple({one.reader for one in READINGS}))
    study.readings.rmdir()
    if url:
        text = (folder / "study.toml").read_text()
        (folder / "study.toml").write_text(text.replace('"cohort.sqlite"', f'"{url}"'))
    store = filled_cohort(url or folder / "cohort.sqlite", study.readings)
    visit = {"vas": 4.5, "vas_missing": None, "vas_scale": 10}
    store.record([Entry("visit", ("S01", "L", "m06"), visit, "the scale")], actor="lee")
    return open_study(folder)
