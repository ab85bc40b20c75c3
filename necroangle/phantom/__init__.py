"""Phantom hips with known truth, as standard DICOM studies."""

from necroangle.phantom.looks import Contrast, HeadForm, MrLook
from necroangle.phantom.model import (
    PATIENT_POSITIONS,
    Lesion,
    PhantomHip,
    PhantomStudy,
    RadiographGeometry,
    SeriesGeometry,
    lateral_sign,
    lesion_axis,
)
from necroangle.phantom.readings import readings_of, save_readings
from necroangle.phantom.samples import sample_studies, write_samples
from necroangle.phantom.truth import ArcTruth, SliceTruth, cut, mid_index
from necroangle.phantom.write import count_files, truth_of, write_study

__all__ = [
    "PATIENT_POSITIONS",
    "ArcTruth",
    "Contrast",
    "HeadForm",
    "Lesion",
    "MrLook",
    "PhantomHip",
    "PhantomStudy",
    "RadiographGeometry",
    "SeriesGeometry",
    "SliceTruth",
    "count_files",
    "cut",
    "lateral_sign",
    "lesion_axis",
    "mid_index",
    "readings_of",
    "sample_studies",
    "save_readings",
    "truth_of",
    "write_samples",
    "write_study",
]
