"""Objects of readings on real images: enhanced, multi-frame, compressed, radiographs, captures."""

from collections.abc import Callable
from math import cos, radians, sin
from pathlib import Path

import pytest
from hipmaker import make_reading

from necroangle.annotation import (
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
    UnreadView,
)
from necroangle.dicom import SeriesSummary, scan_folder
from necroangle.errors import DicomError
from necroangle.interop.objects import write_objects
from necroangle.interop.report_in import take_report
from necroangle.review import ImagePlaces
from necroangle.terms import Finding, Laterality, UnreadReason, View

FOLDERS = {
    "mr_enhanced_nema_coronal": View.CORONAL,
    "mr_enhanced_philips": View.SAGITTAL,
    "mr_compressed_rle": View.SAGITTAL,
    "mr_coronal_no_extension": View.CORONAL,
    "rf_modality_lut": View.AP,
    "overlay_6planes": View.AP,
    "dx_mono1_nonsquare": View.AP,
    "cr_no_preamble": View.AP,
}

pytestmark = [pytest.mark.real_dicom, pytest.mark.dicom_tools]


def reading_on(series: SeriesSummary, view: View) -> HipReading:
    """A reading in the middle of the middle slice of a stack."""
    place = len(series) // 2
    plane = series.planes[place]
    u = (series.columns - 1) * plane.column_spacing_mm / 2
    v = (series.rows - 1) * plane.row_spacing_mm / 2

    def at(turn: float) -> Mark:
        return Mark.at_plane(plane, u + 24 * cos(radians(turn)), v + 24 * sin(radians(turn)))

    flat = view.is_radiograph
    read = ReadView(
        view=view,
        finding=Finding.NECROSIS,
        image=ImageRecord.of(series.sources[place]),
        plane=PlaneRecord.of(
            plane,
            (series.rows, series.columns),
            frame="detector" if flat else "patient",
            calibrated=series.calibrated,
        ),
        passport=None,
        rim=tuple(at(turn) for turn in range(0, 360, 20)),
        arcs=(NecroticArc(at(200), at(300), at(250)),),
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )
    is_left = flat or at(0).patient_mm[0] + at(180).patient_mm[0] > 0
    other = View.FROG_LEG if flat else View.SAGITTAL if view is View.CORONAL else View.CORONAL
    unread = UnreadView(other, UnreadReason.NOT_DONE)
    pair = (unread, read) if view is View.SAGITTAL else (read, unread)
    side = Laterality.LEFT if is_left else Laterality.RIGHT
    return make_reading(views=pair, laterality=side)


@pytest.mark.parametrize("name", FOLDERS)
def test_objects_of_real_images_are_valid(
    real_dicom_folder: Path, tmp_path: Path, errors_of: Callable[[Path], list[str]], name: str
) -> None:
    scan = scan_folder(real_dicom_folder / name)
    reading = reading_on(scan.series[0], FOLDERS[name])
    slices = ImagePlaces([scan]).slices_of(reading)
    files = write_objects(reading, slices, tmp_path, flavours=("standard", "ohif"))
    assert len(files) >= 3
    assert {file.name: errors_of(file) for file in files} == {file.name: [] for file in files}
    (report,) = tmp_path.glob("*.report-standard.dcm")
    assert take_report(report).readings == (reading,)


def test_a_tile_of_a_mosaic_is_refused(real_dicom_folder: Path, tmp_path: Path) -> None:
    scan = scan_folder(real_dicom_folder / "mr_mosaic_siemens_coronal")
    reading = reading_on(scan.series[0], View.CORONAL)
    with pytest.raises(DicomError, match="a tile of a mosaic"):
        write_objects(reading, ImagePlaces([scan]).slices_of(reading), tmp_path)
