"""Folders built file by file: the right stack, or the right refusal."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hipmaker import make_reading
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from viewmeasure import measure_view

from necroangle.annotation import ReadView, StackPassport
from necroangle.dicom import passport_of, read_volume, scan_folder
from necroangle.dicom.passport import series_object
from necroangle.dicom.sides import StudySides
from necroangle.dicom.visits import visits_of
from necroangle.geometry import PixelPoints
from necroangle.terms import Flag

WriteSlices = Callable[..., list[Path]]
WriteEnhanced = Callable[..., Path]

AXES = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: float(np.linalg.norm(v)) > 0.1)


def coronal(count: int = 4, step_mm: float = 3.0) -> list[tuple[float, float, float]]:
    return [(-80.0, -10.0 + step_mm * k, 60.0) for k in range(count)]


def rotation(axis: tuple[float, float, float], angle_rad: float) -> np.ndarray[Any, Any]:
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned = np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross
    return np.asarray(turned)


@settings(max_examples=25, deadline=None)
@given(
    axis=AXES,
    angle_rad=st.floats(0, 3.1),
    origin_mm=st.tuples(*[st.floats(-200, 200)] * 3),
    step_mm=st.floats(0.5, 8) | st.floats(-8, -0.5),
    spacing_mm=st.tuples(st.floats(0.1, 4), st.floats(0.1, 4)),
    order=st.permutations(range(4)),
)
def test_every_pixel_lands_where_it_was_put(
    write_slices: WriteSlices,
    axis: tuple[float, float, float],
    angle_rad: float,
    origin_mm: tuple[float, float, float],
    step_mm: float,
    spacing_mm: tuple[float, float],
    order: list[int],
) -> None:
    row, column, normal = rotation(axis, angle_rad).T
    positions = [np.array(origin_mm) + step_mm * k * normal for k in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        write_slices(
            Path(folder),
            positions,
            orientation=(*row, *column),
            spacing=spacing_mm,
            names=[f"f{place}" for place in order],
            each=[{"InstanceNumber": 9 - k} for k in range(4)],
        )
        (series,) = scan_folder(Path(folder)).series
        volume = read_volume(series)
    assert series.step_mm == pytest.approx(abs(step_mm), abs=1e-6)
    for index, plane in enumerate(volume.planes):
        code = int(volume.pixels[index, 3, 2])
        assert code % 1000 == 32
        truth = positions[code // 1000] + 3 * spacing_mm[0] * column + 2 * spacing_mm[1] * row
        found = plane.pixel_to_patient(PixelPoints(np.array([[3.0, 2.0]])))[0]
        np.testing.assert_allclose(found, truth, atol=1e-6)
    depths = [float(np.dot(plane.origin_mm, plane.normal)) for plane in volume.planes]
    assert depths == sorted(depths)


def test_names_and_numbers_do_not_matter(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path / "a", coronal())
    write_slices(
        tmp_path / "b",
        coronal(),
        names=["z", "03", "a.b.c", "IM 1 (2)"],
        each=[{"InstanceNumber": 9 - k} for k in range(4)],
    )
    first, second = (scan_folder(tmp_path / name).series[0] for name in "ab")
    assert first.planes == second.planes
    assert first.sources == second.sources
    assert [file for file, _ in second.frames] == ["z", "03", "a.b.c", "IM 1 (2)"]
    assert str(first.plane) == "coronal"
    assert (first.row_spacing_mm, first.column_spacing_mm) == (0.5, 0.7)
    assert (first.step_mm, len(first)) == (3.0, 4)


def test_stated_thickness_and_spacing_are_not_believed(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(tmp_path, coronal(), SliceThickness=9, SpacingBetweenSlices=-7)
    assert scan_folder(tmp_path).series[0].step_mm == 3.0


def test_feet_first_and_flipped_planes_keep_patient_truth(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    flipped = (-1.0, 0.0, 0.0, 0.0, 0.0, -1.0)  # normal: -y
    write_slices(tmp_path, coronal(), flipped, PatientPosition="FFS")
    (series,) = scan_folder(tmp_path).series
    assert series.patient_position == "FFS"
    assert [plane.origin_mm[1] for plane in series.planes] == [-1.0, -4.0, -7.0, -10.0]


def test_an_oblique_plane_says_its_degrees(tmp_path: Path, write_slices: WriteSlices) -> None:
    angle = np.radians(25)
    row = (np.cos(angle), np.sin(angle), 0.0)
    write_slices(tmp_path, [(0, 0, 0)], (*row, 0, 0, -1))
    assert str(scan_folder(tmp_path).series[0].plane) == "coronal, oblique 25.0°"


def test_rounded_positions_are_a_regular_stack(tmp_path: Path, write_slices: WriteSlices) -> None:
    jitter = (0.001, -0.001, 0.0, 0.001)
    write_slices(tmp_path, [(0, 3 * k + jitter[k], 0) for k in range(4)])
    assert scan_folder(tmp_path).series[0].step_mm == pytest.approx(3, abs=0.003)


def test_one_series_of_three_orientations_gives_three_stacks(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    for letter, orientation, axis in (
        ("a", (1, 0, 0, 0, 1, 0), 2), ("c", (1, 0, 0, 0, 0, -1), 1), ("s", (0, 1, 0, 0, 0, -1), 0),
    ):  # fmt: skip
        positions = [[5.0 * k if i == axis else 0.0 for i in range(3)] for k in range(3)]
        uids = [{"SOPInstanceUID": f"1.9.{axis}.{k}"} for k in range(3)]
        write_slices(tmp_path / letter, positions, orientation, each=uids)
    scan = scan_folder(tmp_path)
    assert [(s.stack_no, str(s.plane), len(s)) for s in scan.series] == [
        (1, "sagittal", 3), (2, "coronal", 3), (3, "axial", 3),
    ]  # fmt: skip
    assert scan.refused == ()


def test_an_enhanced_file_gives_its_frames(tmp_path: Path, write_enhanced: WriteEnhanced) -> None:
    write_enhanced(tmp_path, coronal()[::-1])
    (series,) = scan_folder(tmp_path).series
    assert series.frames == tuple(("enhanced.dcm", number) for number in (4, 3, 2, 1))
    assert [source.frame_number for source in series.sources] == [4, 3, 2, 1]
    assert series.step_mm == 3.0


def test_one_frame_stated_on_a_classic_class(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, coronal(), NumberOfFrames=1)
    assert len(scan_folder(tmp_path).series[0]) == 4


def test_a_missing_class_is_no_hindrance(tmp_path: Path, write_slices: WriteSlices) -> None:
    for path in write_slices(tmp_path, coronal()):
        dataset = dcmread(path)
        del dataset.SOPClassUID
        dataset.save_as(path)
    assert len(scan_folder(tmp_path).series[0]) == 4


def test_a_private_class_that_describes_itself_is_opened(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(tmp_path, coronal(), SOPClassUID="1.2.111.10008.2.1", Modality="CT")
    assert scan_folder(tmp_path).series[0].modality == "CT"


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no spacing": ({"PixelSpacing": None}, "PixelSpacing", "absent"),
    "no position": ({"ImagePositionPatient": None}, "ImagePositionPatient", "absent"),
    "no orientation": ({"ImageOrientationPatient": None}, "ImageOrientationPatient", "absent"),
    "zero spacing": ({"PixelSpacing": [0, 0]}, "PixelSpacing", "absent"),
    "one zero": ({"PixelSpacing": [0, 1]}, "PixelSpacing", "must be positive"),
    "one spacing": ({"PixelSpacing": 0.5}, "PixelSpacing", "2 finite numbers"),
    "five cosines": (
        {"ImageOrientationPatient": [1, 0, 0, 0, 1]}, "ImageOrientationPatient", "6 finite",
    ),
    "skew cosines": (
        {"ImageOrientationPatient": [1, 0, 0, 0.1, 1, 0]}, "ImageOrientationPatient", "length",
    ),
    "no series": ({"SeriesInstanceUID": None}, "SeriesInstanceUID", "absent"),
    "path as series": ({"SeriesInstanceUID": "1.2/../../x"}, "SeriesInstanceUID", "no valid UID"),
    "no modality": ({"Modality": None}, "Modality", "absent"),
    "dose": ({"Modality": "RTDOSE"}, "Modality", "no image to measure"),
    "secondary in colour": (
        {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "PhotometricInterpretation": "RGB",
            "SamplesPerPixel": 3, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7,
            "PlanarConfiguration": 0, "PixelData": bytes((255, 0, 0, 0, 0, 255) * 10),
        },
        "PhotometricInterpretation", "colour",
    ),
    "film reel": (
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2", "NumberOfFrames": 3},
        "NumberOfFrames", "no still picture",
    ),
    "mosaic": ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "ImageType", "mosaic"),
    "scout": (
        {"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "ImageType", "scout",
    ),
    "colour": (
        {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3},
        "PhotometricInterpretation", "colour",
    ),
    "spectrum": ({"PhotometricInterpretation": None}, "PhotometricInterpretation", "absent"),
    "no rows": ({"Rows": 0}, "Rows", "between 1 and"),
    "huge": ({"Rows": 65535, "Columns": 65535}, "Rows", "more than"),
    "frames": ({"NumberOfFrames": 3}, "PerFrameFunctionalGroupsSequence", "3 frames without"),
    "many frames": ({"NumberOfFrames": 2147483647}, "NumberOfFrames", "between 1 and"),
}  # fmt: skip


@pytest.mark.parametrize(("attributes", "tag", "reason"), REFUSED.values(), ids=list(REFUSED))
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_a_bad_header_is_refused_by_tag(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any], tag: str, reason: str
) -> None:
    write_slices(tmp_path / "bad", [(0, 0, 0), (0, 3, 0)], **attributes)
    write_slices(tmp_path / "good", coronal(), SeriesInstanceUID="1.2.3.5")
    scan = scan_folder(tmp_path)
    assert [len(series) for series in scan.series] == [4]
    (refusal,) = scan.refused
    assert (refusal.place, refusal.files, refusal.tag) == ("bad/IM000.dcm", 2, tag)
    assert reason in refusal.reason


def test_one_bad_header_leaves_a_hole_that_is_seen(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(tmp_path, coronal(), each=[{}, {}, {"Rows": 0}, {}])
    scan = scan_folder(tmp_path)
    (refused,) = scan.refused
    assert (refused.place, refused.tag) == ("IM002.dcm", "Rows")
    assert scan.series[0].regularity.gaps == ((1, 1),)


def test_copies_are_skipped_but_twins_that_differ_are_set_aside(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    paths = write_slices(tmp_path, coronal())
    (tmp_path / "copy.dcm").write_bytes(paths[1].read_bytes())
    scan = scan_folder(tmp_path)
    assert (len(scan.series[0]), scan.copies, scan.skipped, scan.refused) == (4, 1, 0, ())
    changed = bytearray(paths[1].read_bytes())
    changed[-1] ^= 1
    (tmp_path / "copy.dcm").write_bytes(changed)
    scan = scan_folder(tmp_path)
    assert (len(scan.series[0]), scan.series[0].regularity.flags) == (3, ("gaps",))
    (aside,) = scan.aside
    assert "two files both claim to be the same image" in aside.reason
    assert aside.at == ("IM001.dcm", "copy.dcm")
    assert (aside.files, aside.stage) == (2, "aside")


def test_hips_of_two_patients_never_share_a_series(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    """They are offered beside each other, and say so; neither's place tells the other's side."""
    write_slices(tmp_path / "a", coronal(6), each=[{"PatientID": f"P{k // 3}"} for k in range(6)])
    single = {"SeriesInstanceUID": "1.2.3.5", "PatientID": " P1 "}
    write_slices(tmp_path / "b", coronal(), **single)
    scan = scan_folder(tmp_path)
    assert scan.refused == scan.aside == ()
    found = [(one.patient_no, one.split_by, one.stack_no, len(one)) for one in scan.series]
    assert found == [
        (1, "patient 1 of 2", 1, 3), (2, "patient 2 of 2", 2, 3), (2, "patient 2 of 2", 1, 4),
    ]  # fmt: skip
    assert scan.tally().opened == scan.walked == 10
    assert "P0" not in repr(scan)
    labels = {visit.label: len(visit.series) for visit in visits_of(scan)}
    assert labels == {"study 1": 1, "study 2": 2}
    told = series_object(scan.series[0], scan, StudySides(scan.series))
    assert told["flags"] == ("several patients",)
    for series in scan.series:  # and as a flag of whatever is read on it
        record = StackPassport.of(passport_of(series, scan.series).to_dict())
        assert (record.patient_no, record.flags) == (series.patient_no, (Flag.SEVERAL_PATIENTS,))
        view = make_reading().views[0]
        assert isinstance(view, ReadView)
        read = measure_view(msgspec.structs.replace(view, passport=record))
        assert read.flags == (Flag.SEVERAL_PATIENTS,)


def test_images_without_a_patient_join_the_only_one(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(tmp_path, coronal(), each=[{}, {"PatientID": None}, {}, {"PatientID": ""}])
    (series,) = scan_folder(tmp_path).series
    assert (series.patient_no, series.split_by, len(series)) == (0, "", 4)


def test_order_of_series_is_of_their_uids(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path / "1", coronal(), SeriesInstanceUID="1.2.9")
    write_slices(tmp_path / "2", coronal(), SeriesInstanceUID="1.2.5")
    assert [series.series_uid for series in scan_folder(tmp_path).series] == ["1.2.5", "1.2.9"]


def test_progress_reaches_the_end(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, coronal())
    seen: list[tuple[int, int]] = []
    scan_folder(tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_files_that_are_no_images_are_counted(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, coronal(), names=["001", "002", "003", "004"])
    (tmp_path / "README.md").write_text("notes")
    (tmp_path / "values.json").write_text("{}")
    (tmp_path / "nothing").touch()
    scan = scan_folder(tmp_path)
    assert (len(scan.series[0]), scan.skipped, scan.refused) == (4, 3, ())


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_what_is_no_file_is_never_opened(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, coronal())
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "zero.dcm").symlink_to("/dev/zero")
    (tmp_path / "loop.dcm").symlink_to(tmp_path / "loop.dcm")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "folder.dcm").mkdir()
    scan = scan_folder(tmp_path)
    assert len(scan.series[0]) == 4
    refused = [(refusal.place, refusal.files) for refusal in scan.refused]
    assert refused == [("loop.dcm", 1), ("pipe.dcm", 2)]
    assert "no regular file" in scan.refused[1].reason
