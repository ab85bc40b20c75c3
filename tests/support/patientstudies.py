"""Studies of made patients with a name, a number and an accession, as an archive holds them."""

import zlib
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import generate_uid

from necroangle.samples import sample_folder

__all__ = ["NAME", "PatientStudy", "data_set", "made_study"]

NAME = "HONG^GILDONG"


@dataclass(frozen=True)
class PatientStudy:
    """A study on the disk.

    Attributes
    ----------
    files
        Its files.
    study_uid, patient_id, accession
        What identifies it.
    """

    files: tuple[Path, ...]
    study_uid: str
    patient_id: str
    accession: str

    @property
    def planted(self) -> tuple[str, ...]:
        """What must not be printed or logged."""
        return (NAME, "GILDONG", self.patient_id, self.accession, self.study_uid, "19630521")


def made_study(
    folder: Path, name: str, most: int = 1000, views: tuple[str, ...] = ("coronal",)
) -> PatientStudy:
    """The series of a sample hip as another patient's study; their pixels are JPEG-LS.

    Parameters
    ----------
    folder
        Where its files go.
    name
        Tells it from others: every identifier follows from it.
    most
        Files of a series at most.
    views
        Which series.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = zlib.crc32(name.encode())
    patient_id, accession = f"H-{number:010d}", f"ACC{number:010d}"
    study_uid = generate_uid(entropy_srcs=[name, "study"])
    files = []
    found = [sorted(sample_folder("plain").glob(f"{view}/*.dcm"))[:most] for view in views]
    for path in (one for some in found for one in some):
        own = name if path.parent.name == "coronal" else f"{name} {path.parent.name}"
        dataset = dcmread(path)
        dataset.StudyInstanceUID = study_uid
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[own, "series"])
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[own, path.name])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.PatientName, dataset.PatientID = NAME, patient_id
        dataset.PatientBirthDate, dataset.StudyDate = "19630521", "20240131"
        dataset.AccessionNumber, dataset.StudyID = accession, "77"
        for keyword in ("ClinicalTrialSubjectID", "PatientIdentityRemoved"):
            if keyword in dataset:
                delattr(dataset, keyword)
        files.append(folder / f"{path.parent.name}-{path.name}")
        dataset.save_as(files[-1], enforce_file_format=True)
    return PatientStudy(tuple(files), study_uid, patient_id, accession)


def data_set(content: bytes) -> bytes:
    """The bytes of a file after its file meta information, which the network writes anew."""
    assert content[128:132] == b"DICM"
    assert content[132:140] == b"\x02\x00\x00\x00UL\x04\x00"
    return content[144 + int.from_bytes(content[140:144], "little") :]
