"""A few hundred spoilt files: each opens or is refused, soon, by one kind of error."""

import shutil
import time
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom.data
import pytest
from dicombytes import MR_IMAGE, encapsulated, jpeg_2000, mr_file
from dicommutants import find_seeds, mutant

from necroangle.dicom import read_volume, scan_folder
from necroangle.errors import DicomError

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
SAMPLES = Path(__file__).resolve().parents[2] / "sample_dicoms"
MUTANTS = 400
LIMIT_S = 5.0


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    own = tmp_path_factory.mktemp("seeds")
    (own / "mr").write_bytes(mr_file())
    frame = encapsulated(jpeg_2000(16, 16))
    values = {**MR_IMAGE, "PixelData": None}
    (own / "j2k").write_bytes(mr_file(values, {0x7FE00010: frame}, "1.2.840.10008.1.2.4.90"))
    for predictor in (1, 7):
        pixels = (13 * np.arange(256, dtype="<u2")).reshape(16, 16)
        coded = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor)
        frame = encapsulated(bytes(coded) + b"\0" * (len(coded) % 2))
        raw = mr_file(values, {0x7FE00010: frame}, "1.2.840.10008.1.2.4.57")
        (own / f"lossless{predictor}").write_bytes(raw)
    return find_seeds([own, PYDICOM, SAMPLES / "plain"])


def outcome(folder: Path) -> str:
    """Nothing but a DicomError may come out of here."""
    scan = scan_folder(folder)
    for series in scan.series:
        try:
            read_volume(series)
        except DicomError as error:
            assert error.file == "mutant.dcm" or "more than" in str(error)  # noqa: PT017
            return "refused"
    if scan.series:
        return "opened"
    return "refused" if scan.refused else "skipped"


@pytest.mark.timeout(120)
def test_mutants_are_opened_or_refused(tmp_path: Path, seeds: list[Path]) -> None:
    counts = {"opened": 0, "refused": 0, "skipped": 0}
    for number in range(MUTANTS):
        name, data = mutant(seeds, seed=7, number=number)
        folder = tmp_path / "one"
        folder.mkdir()
        (folder / "mutant.dcm").write_bytes(data)
        before = time.process_time()
        counts[outcome(folder)] += 1
        assert time.process_time() - before < LIMIT_S, f"mutant {number} of {name}"
        shutil.rmtree(folder)
    assert sum(counts.values()) == MUTANTS
    assert counts["opened"] > 10
    assert counts["refused"] > 100


def test_mutants_are_the_same_for_the_same_seed(seeds: list[Path]) -> None:
    assert mutant(seeds, 1, 5) == mutant(seeds, 1, 5)
    assert len({mutant(seeds, 1, number) for number in range(30)}) > 25
