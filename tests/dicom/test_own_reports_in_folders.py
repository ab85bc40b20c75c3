"""What necroangle writes beside images is known again, and never refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from necroangle.cli.images.series import command
from necroangle.dicom import scan_folder

WriteSlices = Callable[..., list[Path]]
REPORT, CAPTURE = "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize(
    ("sop_class", "words"), [(REPORT, "readings found"), (CAPTURE, "a picture of a reading")]
)
@pytest.mark.parametrize("maker", ["necroangle", "ACME"])
def test_own_objects_are_recognised(
    tmp_path: Path, write_slices: WriteSlices, sop_class: str, words: str, maker: str
) -> None:
    write_slices(tmp_path, [(0, 0, 0)], SOPClassUID=sop_class, Manufacturer=maker)
    scan = scan_folder(tmp_path)
    shown = CliRunner().invoke(command, [str(tmp_path)])
    if maker == "necroangle":
        assert (scan.series, scan.refused) == ((), ())
        assert len(scan.recognised) == 1
        assert words in shown.output
        assert "0 refused" in shown.output
    else:
        assert words not in shown.output


def test_class_of_images_is_known(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, [(0, 0, 0), (0, 3, 0), (0, 6, 0)])
    (series,) = scan_folder(tmp_path).series
    assert {one.sop_class_uid for one in series.sources} == {"1.2.840.10008.5.1.4.1.1.4"}
