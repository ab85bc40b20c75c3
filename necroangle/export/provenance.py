"""What an export is: versions, the question, the number of rows, the canonical hash, who, when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from necroangle import __version__
from necroangle.export.model import ExportTable
from necroangle.export.privacy import smallest_cell

__all__ = ["EXPORT_FORMAT", "Provenance", "table_facts"]

EXPORT_FORMAT = "necroangle.export"
EXPORT_VERSION = 1


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
    """

    query: Mapping[str, object]
    who: str
    when: datetime

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
            "notes": list(table.notes),
            "files": dict(files),
        }
        return (json.dumps(said, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def table_facts(table: ExportTable, query: Mapping[str, object]) -> dict[str, object]:
    """What is the same whenever and by whomever the same table is exported."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    patients = len(set(table.cells[places["patient_id"]])) if "patient_id" in places else None
    hips = len(set(table.cells[places["hip_id"]])) if "hip_id" in places else None
    versions = table.cells[places["software_version"]] if "software_version" in places else ()
    return {
        "format": EXPORT_FORMAT,
        "version": EXPORT_VERSION,
        "software": f"necroangle {__version__}",
        "measured_with": sorted({version for version in versions if type(version) is str}),
        "query": dict(query),
        "unit": table.unit,
        "rows": len(table.rows),
        "columns": len(table.columns),
        "patients": patients,
        "hips": hips,
        "cluster": "patient_id",
        "canonical_sha256": table.canonical_sha256,
        "smallest_cell": smallest_cell(table),
    }
