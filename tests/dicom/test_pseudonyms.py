"""Names of subjects: from a list or a secret, and never a word of whose they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from necroangle.dicom import pseudonym
from necroangle.dicom.header import subject_of
from necroangle.dicom.pseudonym import SubjectNames, is_pseudonym, new_secret
from necroangle.errors import DicomError

SECRET = b"0123456789abcdef"
IDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)


def listed(folder: Path, text: str | bytes) -> SubjectNames:
    path = folder / "names.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return SubjectNames.from_mapping(path)


@pytest.mark.parametrize(
    "text",
    [
        "patient_id,pseudonym\n00123,P-1\n=4,P-2\n",
        "\ufeffpatient_id,pseudonym\r\n00123,P-1\r\n=4,P-2\r\n",
        'patient_id,pseudonym\n"00123 ",P-1\n"=4",P-2',
    ],
    ids=["plain", "from Excel", "quoted"],
)
def test_a_list_names_its_patients(tmp_path: Path, text: str) -> None:
    names = listed(tmp_path, text)
    assert [names.of(patient) for patient in ("00123", " 00123\0", "=4", " ")] == [
        "P-1", "P-1", "P-2", None,
    ]  # fmt: skip
    with pytest.raises(DicomError, match="PatientID: not in the list of pseudonyms") as caught:
        names.of("SECRET-7")
    assert "SECRET" not in repr(caught.value) + repr(names)


BAD_LISTS: dict[str, tuple[str | bytes, str]] = {
    "no header": ("SECRET1,P-1\n", "row 1: must be patient_id,pseudonym"),
    "other columns": ("pseudonym,patient_id\n", "row 1"),
    "empty": ("", "row 1: must be patient_id,pseudonym"),
    "one cell": ("patient_id,pseudonym\nSECRET1\n", "row 2: 1 cells"),
    "three cells": ("patient_id,pseudonym\nSECRET1,P-1,x\n", "row 2: 3 cells"),
    "semicolons": ("patient_id;pseudonym\nSECRET1;P-1\n", "row 1"),
    "no patient": ("patient_id,pseudonym\n,P-1\n", "row 2: no patient_id"),
    "no pseudonym": ("patient_id,pseudonym\nSECRET1,\n", "row 2: no valid pseudonym"),
    "a path": ("patient_id,pseudonym\nSECRET1,../x\n", "row 2: no valid pseudonym"),
    "a patient twice": ("patient_id,pseudonym\nSECRET1,P-1\nSECRET1,P-2\n", "row 3: patient"),
    "a name twice": ("patient_id,pseudonym\nSECRET1,P-1\nSECRET2,P-1\n", "row 3: patient"),
    "not hidden": ("patient_id,pseudonym\nSECRET1,x-secret1\n", "row 2: the pseudonym holds"),
    "not UTF-8": (b"patient_id,pseudonym\nSECRET\xb1,P-1\n", "not UTF-8"),
    "open quote": ('patient_id,pseudonym\n"SECRET1,P-1\n', "no valid CSV"),
}


@pytest.mark.parametrize(("text", "reason"), BAD_LISTS.values(), ids=list(BAD_LISTS))
def test_a_bad_list_is_refused_by_its_row(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(DicomError) as caught:
        listed(tmp_path, text)
    assert caught.value.file == "names.csv"
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value).lower()


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match=r"names\.csv: cannot be read"):
        SubjectNames.from_mapping(tmp_path / "names.csv")
    with pytest.raises(DicomError, match=r"key: cannot be read"):
        SubjectNames.from_secret_file(tmp_path / "key")


@given(IDS, IDS)
def test_a_key_tells_patients_apart_and_names_them_alike(one: str, other: str) -> None:
    names, again = (SubjectNames.from_secret(SECRET) for _ in range(2))
    first, second = names.of(one), names.of(other)
    assert first is not None
    assert is_pseudonym(first)
    assert (first == second) == (one.strip(" \t\r\n") == other.strip(" \t\r\n"))
    assert again.of(one) == first
    assert SubjectNames.from_secret(SECRET + b"x").of(one) != first


def test_two_patients_never_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonym, "_LETTERS", 1)
    names = SubjectNames.from_secret(SECRET)
    with pytest.raises(DicomError, match=r"two patients would both be P-\w: use a list"):
        [names.of(str(number)) for number in range(33)]


def test_the_secret_stays_secret(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(new_secret() + "\n", "ascii")
    names = SubjectNames.from_secret_file(path)
    assert names.of("1") == SubjectNames.from_secret(path.read_bytes().strip()).of("1")
    assert repr(names) == "SubjectNames(from a key)"
    with pytest.raises(DicomError, match="16 bytes or more, found 3"):
        SubjectNames.from_secret(b"abc")


def test_names_of_the_study_win_over_those_in_the_file() -> None:
    dataset = Dataset()
    dataset.PatientID = "12345678"
    dataset.ClinicalTrialSubjectID = "S-07"
    assert subject_of(dataset) == "S-07"
    named = subject_of(dataset, SubjectNames.from_secret(SECRET))
    assert named == SubjectNames.from_secret(SECRET).of("12345678")
    assert named != "S-07"


@pytest.mark.parametrize("text", ["../../x", "=1+1", "a\nb", "\x1b[31m", "a b", "_a", "a__b"])
def test_a_hostile_trial_identifier_is_none(text: str) -> None:
    dataset = Dataset()
    dataset.add_new("ClinicalTrialSubjectID", "LO", text)
    assert subject_of(dataset) is None
