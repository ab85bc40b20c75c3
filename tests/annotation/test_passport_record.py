"""The loader's passport goes into a reading whole, whatever the stack."""

from pathlib import Path

from necroangle.annotation import StackPassport
from necroangle.dicom import passport_of, scan_folder
from necroangle.phantom import sample_studies, write_study


def test_every_stack_of_a_sample_gives_a_record(tmp_path: Path) -> None:
    for name in ("plain", "radiographs"):
        write_study(sample_studies()[name], tmp_path / name)
    scan = scan_folder(tmp_path)
    assert len(scan.series) >= 4
    for series in scan.series:
        passport = passport_of(series, scan.series, scan.refused)
        record = StackPassport.of(passport.to_dict())
        assert record.slices == len(series)
        assert record.kind == series.kind
        assert record.step_mm == passport.steps.step_mm
        assert record.spacing_source == passport.scale.source
        assert record.found_side == passport.side.found
        assert record.decoder == passport.decoder
