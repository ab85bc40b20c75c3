"""An export as a folder: whole or not at all, with what it is, whose, and when."""

import glob
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from necroangle import __version__
from necroangle.errors import CohortError, system_words
from necroangle.export.columns import short_names
from necroangle.export.csv_file import CODEBOOK_HEADING, codebook_rows, csv_bytes, data_csv
from necroangle.export.privacy import smallest_cell
from necroangle.export.redcap import REDCAP_FILES, redcap_files
from necroangle.export.scripts import python_script, r_script, spss_script, stata_script
from necroangle.export.table import ExportTable
from necroangle.plain_text import quoted
from necroangle.storage import new_part, rename_over, sync_file

EXPORT_FORMAT = "necroangle.export"
EXPORT_VERSION = 1

FORMATS = ("csv", "xlsx", "sav", "dta", "xpt", "parquet", "redcap")
"""What ``--to`` takes, besides ``all``."""

_OLD_S = 3600.0
"""What is older than this and not yet an export was left by a program that was cut off."""

_TITLE = "necroangle export"
_FILES: Mapping[str, tuple[str, ...]] = {
    "csv": (),
    "xlsx": ("cohort.xlsx",),
    "sav": ("cohort.sav",),
    "dta": ("cohort.dta",),
    "xpt": ("cohort.xpt", "cohort_v5.xpt"),
    "parquet": ("cohort.parquet",),
    "redcap": REDCAP_FILES,
}
_ALWAYS = (
    "cohort.csv",
    "codebook.csv",
    "import.R",
    "import.sps",
    "import.do",
    "import.py",
    "provenance.json",
)
"""Files of every folder: the scripts read cohort.csv."""

_OURS = frozenset({*_ALWAYS, *(name for names in _FILES.values() for name in names)})


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who made the export, when, and what was asked for.

    Attributes
    ----------
    query
        What was asked for: shape, unit, reader, method, dates.
    who
        Who ran it.
    when
        When, with its zone.
    anchor
        What the ledger was that it was made from; nothing where it has no events.
    state
        Name of the state that was locked; empty where the cohort was open.
    """

    query: Mapping[str, object]
    who: str
    when: datetime
    anchor: Mapping[str, object] | None = None
    state: str = ""

    def as_json(self, table: ExportTable, files: Mapping[str, str]) -> bytes:
        """The content of ``provenance.json``.

        Parameters
        ----------
        table
            What was exported.
        files
            SHA-256 of every other file of the folder by its name.
        """
        when = self.when.isoformat(timespec="seconds")
        said = {
            **table_facts(table, self.query),
            "who": self.who,
            "when": when,
            **({} if self.anchor is None else {"anchor": dict(self.anchor)}),
            "locked_state": self.state or None,
            "notes": list(table.notes),
            "files": dict(files),
        }
        return (json.dumps(said, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def table_facts(table: ExportTable, query: Mapping[str, object]) -> dict[str, object]:
    """What is the same whenever and by whomever the same table is exported."""
    patients, hips, versions = (
        None if (place := table.place(name)) is None else set(table.values(place))
        for name in ("patient_id", "hip_id", "software_version")
    )
    return {
        "format": EXPORT_FORMAT,
        "version": EXPORT_VERSION,
        "software": f"necroangle {__version__}",
        "measured_with": sorted(one for one in versions or () if type(one) is str),
        "query": dict(query),
        "unit": table.unit,
        "rows": len(table),
        "columns": len(table.columns),
        "patients": None if patients is None else len(patients),
        "hips": None if hips is None else len(hips),
        "cluster": "patient_id",
        "canonical_sha256": table.canonical_sha256,
        "smallest_cell": smallest_cell(table),
    }


def write_export(
    table: ExportTable,
    folder: Path,
    formats: Sequence[str],
    provenance: Provenance,
    *,
    bom: bool = False,
) -> tuple[Path, ...]:
    """Write a folder with the table in some formats, codebook, provenance and import scripts.

    The folder is made beside its place and then renamed: a write that fails leaves what was there.
    An earlier export in the same place is replaced; a folder with any other file is refused. What
    an export that was cut off (the power, ``kill -9``) has left beside the place an hour ago or
    more is removed.

    Parameters
    ----------
    table
        The table.
    folder
        Where.
    formats
        Of :data:`FORMATS`.
    provenance
        Who, when and what was asked for.
    bom
        Whether ``cohort.csv`` begins with a byte order mark.

    Returns
    -------
    tuple of Path
        The files, ordered by name.

    Raises
    ------
    CohortError
        If a format is unknown or does not take this table, a library is missing, the folder holds
        other files, or it cannot be written.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise CohortError(f"unknown formats: {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    _refuse_strangers(folder)
    place = folder.absolute()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(place)
        made = new_part(place)
        made.mkdir()
        try:
            _fill(made, table, formats, provenance, bom)
            _put(made, place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise CohortError(f"{folder}: cannot be written ({system_words(error)})") from error
    return tuple(sorted(folder.iterdir()))


def _remove_leftovers(place: Path) -> None:
    """Remove what exports that were cut off have left; an old export set aside goes back.

    Those of other places in the same folder are removed as well: nobody may ever export there
    again.
    """
    for left in sorted(place.parent.glob(f".{glob.escape(place.name)}.*.old")):
        if not place.exists():
            rename_over(left, place)
        elif time.time() - left.stat().st_mtime > _OLD_S:
            shutil.rmtree(left, ignore_errors=True)
    for left in leftovers(place.parent):
        shutil.rmtree(left, ignore_errors=True)


def leftovers(folder: Path) -> list[Path]:
    """Hidden folders that exports which were cut off an hour ago or more have left."""
    return [
        left
        for left in sorted(folder.glob(".*.part"))
        if left.is_dir()
        and not left.is_symlink()
        and time.time() - left.stat().st_mtime > _OLD_S
        and _OURS.issuperset(one.name for one in left.iterdir())
    ]


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CohortError(f"{folder}: a file; give a folder")
    strangers = (
        sorted(one.name for one in folder.iterdir() if one.name not in _OURS)
        if (folder.is_dir())
        else []
    )
    if strangers:
        raise CohortError(
            f"{folder}: it holds {strangers[0]!r}, which is no part of an export; choose another "
            "folder with --out"
        )


def _fill(
    made: Path, table: ExportTable, formats: Sequence[str], provenance: Provenance, bom: bool
) -> None:
    for name, content in _common_files(table, bom).items():
        (made / name).write_bytes(content)
    facts = table_facts(table, provenance.query)
    wanted = [name for one in FORMATS if one in formats for name in _FILES[one]]
    if wanted:
        writers = _writers(table, facts)
        for name in wanted:
            writers[name](made / name)
    hashes = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(made.iterdir())
    }
    (made / "provenance.json").write_bytes(provenance.as_json(table, hashes))
    for file in made.iterdir():
        sync_file(file)


def _common_files(table: ExportTable, bom: bool) -> dict[str, bytes]:
    codebook = codebook_rows(table.columns, short_names(table.columns))
    lines = (tuple(map(quoted, row)) for row in codebook)
    return {
        "cohort.csv": data_csv(table, bom=bom),
        "codebook.csv": csv_bytes(CODEBOOK_HEADING, lines, bom=bom),
        "import.R": r_script(table).encode(),
        "import.sps": b"\xef\xbb\xbf" + spss_script(table).encode(),
        "import.do": stata_script(table).encode(),
        "import.py": python_script(table).encode(),
    }


def _writers(
    table: ExportTable, facts: Mapping[str, object]
) -> dict[str, Callable[[Path], object]]:
    """Each file's writer; REDCap's three are made together when the first is asked for."""
    from necroangle.export.sheet_files import write_parquet, write_xlsx  # pandas: not for CSV
    from necroangle.export.statistics_files import write_dta, write_sav, write_xpt

    redcap: dict[str, bytes] = {}

    def write_redcap(path: Path) -> None:
        if not redcap:
            redcap.update(redcap_files(table))
        path.write_bytes(redcap[path.name])

    return {
        "cohort.xlsx": lambda path: write_xlsx(table, path, facts),
        "cohort.sav": lambda path: write_sav(table, path, _TITLE),
        "cohort.dta": lambda path: write_dta(table, path, _TITLE),
        "cohort.xpt": lambda path: write_xpt(table, path),
        "cohort_v5.xpt": lambda path: write_xpt(table, path, version=5),
        "cohort.parquet": lambda path: write_parquet(table, path, facts),
        **dict.fromkeys(REDCAP_FILES, write_redcap),
    }


def _put(made: Path, place: Path) -> None:
    """The new folder in the place of the old one; where that fails, the old one goes back."""
    if not place.exists():
        rename_over(made, place)
        return
    old = made.with_suffix(".old")
    rename_over(place, old)
    try:
        rename_over(made, place)
    except OSError:
        rename_over(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)
