"""Small inputs of the coverage-guided fuzz: those that once raised, and some that reach far."""

from pathlib import Path

import pytest

from necroangle.dicom import read_volume, scan_folder
from necroangle.errors import DicomError

CASES = sorted((Path(__file__).parent / "cases").iterdir())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_nothing_but_a_refusal_comes_out(tmp_path: Path, case: Path) -> None:
    """Nor a fault that only the listing's net has caught."""
    (tmp_path / "one").write_bytes(case.read_bytes())
    scan = scan_folder(tmp_path)
    assert not [one for one in scan.refused if "internal error" in one.reason]
    assert scan.tally().walked == scan.walked
    for series in scan.series:
        try:
            read_volume(series)
        except DicomError as error:
            assert error.stage  # noqa: PT017


def test_there_are_cases() -> None:
    assert {case.name for case in CASES} >= {"member_without_a_name"}
    assert all(case.stat().st_size < 4096 for case in CASES)
