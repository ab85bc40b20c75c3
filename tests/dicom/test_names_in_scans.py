"""The study's names of its subjects, all the way through scans and indexes."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from necroangle.dicom import scan_folder
from necroangle.dicom.index import Changes, refresh_index, scan_index
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.store import DATABASE, IndexStore

WriteSlices = Callable[..., list[Path]]

PLACES = [(0.0, 3.0 * k, 0.0) for k in range(3)]
KEY = b"0123456789abcdef"


@pytest.fixture
def study(tmp_path: Path, write_slices: WriteSlices) -> Path:
    """Two patients, the second in files without preamble, which take the thorough road."""
    folder = tmp_path / "study"
    write_slices(folder / "a", PLACES, PatientID="00123")
    other = {"SeriesInstanceUID": "1.2.8.4", "StudyInstanceUID": "1.2.8", "PatientID": "김-7"}
    other["SpecificCharacterSet"] = "ISO_IR 192"
    write_slices(folder / "b", PLACES, **other)
    return folder


def listed(folder: Path, *rows: str) -> SubjectNames:
    path = folder / "names.csv"
    path.write_text("\n".join(("patient_id,pseudonym", *rows)), "utf-8")
    return SubjectNames.from_mapping(path)


def test_a_list_names_the_subjects_of_a_scan(study: Path, tmp_path: Path) -> None:
    names = listed(tmp_path, "00123,S-01", "김-7,S-02")
    assert [one.subject for one in scan_folder(study, names=names).series] == ["S-01", "S-02"]
    assert [one.subject for one in scan_folder(study).series] == [None, None]


def test_a_patient_who_is_not_listed_is_refused(study: Path, tmp_path: Path) -> None:
    scan = scan_folder(study, names=listed(tmp_path, "00123,S-01"))
    assert [one.subject for one in scan.series] == ["S-01"]
    (refusal,) = scan.refused
    assert (refusal.stage, refusal.tag, refusal.files) == ("names", "PatientID", 3)
    assert refusal.members == tuple(f"b/IM00{k}.dcm" for k in range(3))
    assert "김" not in str(refusal)


def test_an_index_holds_the_names_it_was_made_with(study: Path, tmp_path: Path) -> None:
    def renewed(names: SubjectNames | None) -> tuple[Changes, list[str | None], bytes]:
        with closing(IndexStore(study / DATABASE, names)) as store:
            changes = refresh_index(study, store)
            return changes, [one.subject for one in scan_index(study, store).series], store.key

    first = listed(tmp_path, "00123,S-01", "김-7,S-02")
    everything, nothing = Changes(6, 0, 0), Changes(0, 6, 0)
    changes, subjects, key = renewed(first)
    assert (changes, subjects) == (everything, ["S-01", "S-02"])
    assert renewed(first) == (nothing, subjects, key)
    assert renewed(listed(tmp_path, "김-7,S-02", "00123,S-01")) == (nothing, subjects, key)
    swapped = listed(tmp_path, "00123,S-02", "김-7,S-01")
    assert renewed(swapped) == (everything, ["S-02", "S-01"], key)
    by_key = [SubjectNames.from_secret(KEY).of(patient) for patient in ("00123", "김-7")]
    assert renewed(SubjectNames.from_secret(KEY)) == (everything, by_key, key)
    assert renewed(SubjectNames.from_secret(KEY)) == (nothing, by_key, key)
    assert renewed(None) == (everything, [None, None], key)


def test_the_index_keeps_neither_secret_nor_list(study: Path, tmp_path: Path) -> None:
    for names in (SubjectNames.from_secret(KEY), listed(tmp_path, "00123,S-01", "김-7,S-02")):
        with closing(IndexStore(study / DATABASE, names)) as store:
            refresh_index(study, store)
        kept = (study / DATABASE).read_bytes()
        assert not any(secret in kept for secret in (KEY, b"00123", "김".encode()))


def test_names_are_told_from_others_by_a_salted_fingerprint(tmp_path: Path) -> None:
    key, other = SubjectNames.from_secret(KEY), SubjectNames.from_secret(KEY + b"x")
    names = listed(tmp_path, "1,S-01")
    prints = [one.fingerprint(b"salt") for one in (key, other, names)]
    assert len(set(prints)) == 3
    assert prints[0] == SubjectNames.from_secret(KEY).fingerprint(b"salt")
    assert prints[0] != key.fingerprint(b"pepper")
    assert names.code_key() is None
    assert key.code_key() not in (None, KEY, other.code_key())


def test_an_index_of_an_older_form_is_made_anew(study: Path) -> None:
    with closing(IndexStore(study / DATABASE)) as store:
        refresh_index(study, store)
    with closing(sqlite3.connect(study / DATABASE)) as database, database:
        database.executescript("DROP TABLE about; CREATE TABLE about (form TEXT NOT NULL);")
        database.execute("INSERT INTO about VALUES ('old')")
    with closing(IndexStore(study / DATABASE)) as store:
        assert refresh_index(study, store) == Changes(6, 0, 0)
        assert len(store.key) == 32


def test_our_own_index_is_no_file_of_the_study(study: Path) -> None:
    before = scan_folder(study)
    with closing(IndexStore(study / DATABASE)) as store:
        refresh_index(study, store)
    assert scan_folder(study) == before
