"""Calibration of a reader: phantom hips with known truth, read blinded, held against the truth."""

from necroangle.calibration.estimates import (
    CalibrationResult,
    ReaderError,
    Truths,
    calibrated,
    noise_of,
    reader_error,
)
from necroangle.calibration.hips import (
    Calibration,
    CalibrationHip,
    load_calibration,
    make_calibration,
)
from necroangle.calibration.report import as_html, as_text

__all__ = [
    "Calibration",
    "CalibrationHip",
    "CalibrationResult",
    "ReaderError",
    "Truths",
    "as_html",
    "as_text",
    "calibrated",
    "load_calibration",
    "make_calibration",
    "noise_of",
    "reader_error",
]
