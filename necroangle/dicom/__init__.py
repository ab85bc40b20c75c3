"""A folder of DICOM files in; its series out, each with its geometry, or a reason why not."""

from necroangle.dicom.index import scan_folder
from necroangle.dicom.passport import GeometryPassport, passport_lines, passport_of
from necroangle.dicom.pixels import read_volume
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.records import FileTally, Refusal, Scan, SeriesSummary
from necroangle.dicom.worker import GuardedReader

__all__ = [
    "FileTally",
    "GeometryPassport",
    "GuardedReader",
    "Refusal",
    "Scan",
    "SeriesSummary",
    "SubjectNames",
    "passport_lines",
    "passport_of",
    "read_volume",
    "scan_folder",
]
