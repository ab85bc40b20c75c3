"""The loader's passport goes into a reading whole, whatever the stack."""

from pathlib import Path

from necroangle.annotation import StackPassport
from necroangle.dicom import passport_of, scan_folder

SAMPLES = Path(__file__).resolve().parents[2] / "sample_dicoms"


def test_every_stack_of_the_samples_gives_a_record() -> None:
    scan = scan_folder(SAMPLES)
    assert {series.kind for series in scan.series} == {"stack", "radiograph"}
    for series in scan.series:
        passport = passport_of(series, scan.series, scan.refused)
        record = StackPassport.of(passport.to_dict())
        assert record.slices == len(series)
        assert record.kind == series.kind
        assert record.step_mm == passport.steps.step_mm
        assert record.spacing_source == passport.scale.source
        assert record.found_side == passport.side.found
        assert record.decoder == passport.decoder
