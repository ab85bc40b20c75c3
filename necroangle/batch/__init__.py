"""Many reading files to rows of the cohort: what cannot be measured is told, the rest goes on."""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.batch.engine import Scheduler
    from necroangle.batch.sources import find_readings, open_sources
    from necroangle.batch.stream import Stream, measure_files, open_stream, settings_of_repeats
    from necroangle.batch.study_settings import method_of_study, settings_of_study
    from necroangle.batch.worker import (
        BatchResult,
        ChunkResult,
        Plan,
        Refusal,
        measure_bytes,
        measure_chunk,
        measure_file,
    )
    from necroangle.measurement.row import RowColumns

__all__ = [
    "BatchResult",
    "ChunkResult",
    "Plan",
    "Refusal",
    "RowColumns",
    "Scheduler",
    "Stream",
    "find_readings",
    "measure_bytes",
    "measure_chunk",
    "measure_file",
    "measure_files",
    "method_of_study",
    "open_sources",
    "open_stream",
    "settings_of_repeats",
    "settings_of_study",
]

__getattr__ = later(
    __name__,
    {
        ".engine": "Scheduler",
        ".sources": "find_readings open_sources",
        ".stream": "Stream measure_files open_stream settings_of_repeats",
        ".study_settings": "method_of_study settings_of_study",
        ".worker": "BatchResult ChunkResult Plan Refusal measure_bytes measure_chunk measure_file",
        "necroangle.measurement.row": "RowColumns",
    },
)
