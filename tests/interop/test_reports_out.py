"""Readings as DICOM objects: valid, complete, the same every time, and with nobody's name."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import highdicom as hd
import msgspec
import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from hipmaker import make_reading
from patientstudies import made_study
from pydicom import Dataset
from reportmaker import source_of
from secrets_of_every_kind import secret_elements

from necroangle.annotation import (
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
    StackPassport,
)
from necroangle.annotation.file import file_name, save_reading
from necroangle.cli import cli
from necroangle.dicom import GuardedReader, passport_of, read_volume, scan_folder
from necroangle.dicom.sides import StudySides
from necroangle.geometry import ImagePlane
from necroangle.interop.objects import write_objects
from necroangle.interop.pictures import presentations_of
from necroangle.interop.report import OHIF_ANGLE, report_of
from necroangle.measurement import measure
from necroangle.review import ImagePlaces
from necroangle.terms import ArcoStage, Flag, Laterality, View


def items(dataset: Any) -> Iterator[Any]:
    """Every content item below an item, in order."""
    for one in dataset.get("ContentSequence", ()):
        yield one
        yield from items(one)


def meaning(item: Any) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def code_of(item: Any) -> str:
    code = item.ConceptCodeSequence[0]
    return str(code.get("CodeValue") or code.LongCodeValue)


def numbers(dataset: Any) -> list[tuple[str, float, str]]:
    return [
        (
            meaning(one),
            float(one.MeasuredValueSequence[0].NumericValue),
            str(one.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue),
        )
        for one in items(dataset)
        if one.ValueType == "NUM"
    ]


@pytest.mark.dicom_tools
def test_every_object_is_valid(
    sample_readings: list[HipReading],
    places: ImagePlaces,
    errors_of: Callable[[Path], list[str]],
    tmp_path: Path,
) -> None:
    with GuardedReader() as decoder:
        for reading in sample_readings[:2] + sample_readings[-4:]:
            files = write_objects(
                reading,
                places.slices_of(reading),
                tmp_path,
                flavours=("standard", "ohif"),
                decoder=decoder,
            )
            names = {file.name.split(".")[1] for file in files}
            assert {"report-standard", "presentation-a", "key-objects", "capture"} <= names
            assert {file.name: errors_of(file) for file in files} == {f.name: [] for f in files}


@pytest.mark.dicom_tools
@pytest.mark.parametrize("subject", ["S01", "환자-01", "x" * 64])
def test_reports_of_any_name_and_shape_are_valid(
    subject: str, errors_of: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    for number, reading in enumerate(
        (
            make_reading(198.0, None, subject=subject, reader=subject, arco=ArcoStage.STAGE_3A),
            make_reading(0.0, 350.0, spacing_mm=(0.3, 1.4), turn_deg=(25.0, -20.0, 10.0)),
            make_reading(80.0, 90.0, b_view=View.FROG_LEG),
        )
    ):
        for flavour in ("standard", "ohif"):
            path = tmp_path / f"{number}.report-{flavour}.dcm"
            report = report_of(source_of(reading), flavour)
            assert report is not None
            report.save_as(path, enforce_file_format=True)
            assert errors_of(path) == []


def test_report_says_what_was_measured(sample_readings: list[HipReading], tmp_path: Path) -> None:
    reading = next(one for one in sample_readings if one.subject == "PHANTOM-01")
    source = source_of(reading)
    report = report_of(source, "standard")
    assert report is not None
    report.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    document = hd.sr.srread(tmp_path / "a.dcm")
    measured = measure(reading)
    assert measured.cna is not None
    assert measured.a is not None
    content: Any = document.content
    groups = content.get_image_measurement_groups()
    circles = content.get_planar_roi_measurement_groups()
    assert len(circles) == 2
    angle = groups[0].get_measurements()[0]
    assert angle.name.value == "1483009"
    assert angle.value == pytest.approx(measured.a.angle_deg, abs=1e-6)
    site = groups[0].finding_sites[0]
    assert site.laterality.meaning == ("Left" if reading.laterality == "L" else "Right")
    assert site.topographical_modifier.meaning == "Coronal"
    found = {name: value for name, value, _ in numbers(document)}
    assert found["combined necrotic angle A + B"] == pytest.approx(measured.cna.value, abs=1e-6)
    words = [code_of(one) for one in items(document) if one.ValueType == "CODE"]
    assert f"ha_grade.{int(measured.ha_grade or 0)}" in words
    scheme = document.CodingSchemeIdentificationSequence
    assert "99NECROANGLE" in [one.CodingSchemeDesignator for one in scheme]
    uncertain = [value for name, value, _ in numbers(document) if "uncertainty" in name.lower()]
    assert len(uncertain) == 6
    assert all(value > 0 for value in uncertain)


def test_head_circle_lies_where_it_was_fitted() -> None:
    square = source_of(make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5)))
    report = report_of(square, "standard")
    circle = next(one for one in items(report) if one.get("GraphicType") == "CIRCLE")
    centre, edge = np.array(circle.GraphicData).reshape(2, 2)
    assert np.hypot(*(edge - centre)) * 0.5 == pytest.approx(24.0, abs=1e-4)
    unequal = source_of(make_reading(100.0, 80.0, spacing_mm=(0.6, 0.45)))
    report = report_of(unequal, "standard")
    assert not [one for one in items(report) if one.get("GraphicType") == "CIRCLE"]
    ellipse = next(one for one in items(report) if one.get("GraphicType") == "ELLIPSE")
    points = np.array(ellipse.GraphicData).reshape(4, 2)
    long, short = np.ptp(points[:2], axis=0), np.ptp(points[2:], axis=0)
    assert np.hypot(*long) > np.hypot(*short)
    assert np.hypot(*(long * [0.45, 0.6])) == pytest.approx(48.0, abs=1e-3)
    assert np.hypot(*(short * [0.45, 0.6])) == pytest.approx(48.0, abs=1e-3)
    view = unequal.reading.views[0]
    assert isinstance(view, ReadView)
    column, row = points.mean(axis=0) - 0.5
    assert Mark.at_pixel(view.plane.plane(), row, column).patient_mm == pytest.approx(
        (90.0, -10.0, 35.0), abs=1e-3
    )


def test_flavour_for_ohif_has_the_angle_first() -> None:
    report = report_of(source_of(make_reading(198.0, 80.0)), "ohif")
    assert report is not None
    groups = [one for one in items(report) if meaning(one) == "Measurement Group"]
    assert len(groups) == 2
    for group, angle in zip(groups, (198.0, 80.0), strict=True):
        texts = {meaning(one): one.get("TextValue") for one in group.ContentSequence}
        assert texts["Tracking Identifier"].startswith(OHIF_ANGLE)
        first = next(one for one in group.ContentSequence if one.ValueType == "NUM")
        assert meaning(first) == "Angle"
        assert float(first.MeasuredValueSequence[0].NumericValue) == pytest.approx(angle, abs=1e-3)
        points = np.array(first.ContentSequence[0].GraphicData).reshape(-1, 2)
        assert len(points) == 4
        assert (points[1] == points[2]).all()
        assert ("larger" in texts["Comment"]) is (angle > 180)
        assert "Time Point" not in texts
    assert report_of(source_of(make_reading(0.0, 0.0)), "ohif") is None


def test_writing_twice_gives_the_same_bytes(
    sample_readings: list[HipReading], places: ImagePlaces, tmp_path: Path
) -> None:
    reading = sample_readings[0]
    slices = places.slices_of(reading)
    first, second = (
        [file.read_bytes() for file in write_objects(reading, slices, tmp_path / name)]
        for name in "ab"
    )
    assert first == second
    other = msgspec.structs.replace(reading, notes="once more")
    files = write_objects(other, slices, tmp_path / "c")
    reports = [pydicom.dcmread(one) for one in (tmp_path / "a" / files[0].name, files[0])]
    assert len({one.SOPInstanceUID for one in reports}) == 2
    tracked = [
        [str(one.UID) for one in items(report) if one.ValueType == "UIDREF"] for report in reports
    ]
    assert tracked[0] == tracked[1]
    assert len(set(tracked[0])) == len(tracked[0]) == 6


def test_presentation_draws_on_its_image() -> None:
    source = source_of(make_reading(100.0, 80.0))
    first, second = presentations_of(source)
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    annotation = first.GraphicAnnotationSequence[0]
    circle, boundary, arc = annotation.GraphicObjectSequence
    view = source.reading.views[0]
    assert isinstance(view, ReadView)
    points = np.array(circle.GraphicData).reshape(-1, 2) - 0.5
    for column, row in points:
        place = Mark.at_pixel(view.plane.plane(), row, column).patient_mm
        assert np.linalg.norm(np.subtract(place, (90.0, -10.0, 35.0))) == pytest.approx(
            24, abs=1e-3
        )
    assert (boundary.NumberOfGraphicPoints, arc.NumberOfGraphicPoints) == (4, 19)
    assert "A coronal" in annotation.TextObjectSequence[0].UnformattedTextValue


def place_mm(plane: ImagePlane, mark: Mark) -> tuple[float, float]:
    row, column = mark.pixel
    return column * plane.column_spacing_mm - 45, row * plane.row_spacing_mm - 45


def reading_on(folder: Path) -> tuple[HipReading, ImagePlaces]:
    """A reading on the one image of a folder."""
    scan = scan_folder(folder)
    (series,) = scan.series
    volume = read_volume(series)
    first, second = make_reading(80.0, None).views
    assert isinstance(first, ReadView)
    plane = volume.slice(0).plane

    def again(mark: Mark) -> Mark:
        return Mark.at_plane(plane, *place_mm(first.plane.plane(), mark))

    view = msgspec.structs.replace(
        first,
        image=ImageRecord.of(volume.sources[0]),
        plane=PlaneRecord.of(plane, (series.rows, series.columns)),
        rim=tuple(map(again, first.rim)),
        arcs=tuple(
            msgspec.structs.replace(a, start=again(a.start), end=again(a.end), via=again(a.via))
            for a in first.arcs
        ),
    )
    reading = make_reading(subject="P-1", views=(view, second), notes="SECRET NOTE 0001")
    return reading, ImagePlaces([scan])


@pytest.mark.filterwarnings("ignore:Expected implicit VR")
def test_nothing_that_leaves_deidentified_holds_an_identity(tmp_path: Path) -> None:
    from dicombytes import mr_file

    folder = tmp_path / "images"
    folder.mkdir()
    extra, secrets = {}, []
    for tag, _, raw, words in secret_elements():
        extra[tag] = raw
        secrets += words
    (folder / "HONG.dcm").write_bytes(mr_file(extra=extra))
    reading, _ = reading_on(folder)
    path = tmp_path / file_name(reading)
    save_reading(reading, path)
    asked = ["sr", str(path), "--images", str(folder), "--flavour", "both", "--capture", "-o"]
    hidden = CliRunner().invoke(cli, [*asked, str(tmp_path / "out"), "--deidentified"])
    assert hidden.exit_code == 0, hidden.output
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 4  # the image is small: the arc lies beside it, and OHIF has nothing
    for file in files:
        raw = file.read_bytes()
        assert [one for one in (*secrets, "SECRET NOTE", "HONG") if one.encode() in raw] == []
        assert b"P-1" in raw
        found = pydicom.dcmread(file)
        assert str(found.PatientID) == "P-1"
        assert found.InstanceCreationDate == "19000101"
    said = CliRunner().invoke(cli, [*asked, str(tmp_path / "real")])
    assert said.exit_code == 0, said.output
    report = pydicom.dcmread(tmp_path / "real" / files[-1].name)
    image = pydicom.dcmread(folder / "HONG.dcm")
    assert report.PatientID == image.PatientID
    assert report.StudyInstanceUID == image.StudyInstanceUID
    assert [one for one in secrets if one in hidden.output + said.output] == []


def planted_image(folder: Path) -> list[str]:
    """An image of a patient with identities wherever an image may hold them, and its own UIDs."""
    study = made_study(folder, "planted", most=1)
    (path,) = study.files
    image = pydicom.dcmread(path)
    words = [f"PLANT{number:02d}" for number in range(18)]
    word = iter(words)
    for group in (0x0029, 0x0099, 0x7FE1):
        block = image.private_block(group, "NECROANGLE" if group == 0x99 else "MAKER", create=True)
        block.add_new(0x01, "LO", next(word))
        block.add_new(0x02, "PN", f"{next(word)}^NAME")
        inner = Dataset()
        inner.PatientName = next(word)
        block.add_new(0x03, "SQ", [inner])
    image.add_new(0x60000010, "US", 8)
    image.add_new(0x60000011, "US", 8)
    image.add_new(0x60000022, "LO", next(word))
    image.add_new(0x60001500, "LO", next(word))
    image.add_new(0x60003000, "OW", next(word).encode() + b" ")
    icon = Dataset()
    icon.Rows, icon.Columns, icon.BitsAllocated = 4, 2, 8
    icon.PixelData = next(word).encode() + b" "
    image.IconImageSequence = [icon]
    patient = Dataset()
    patient.ReferencedSOPInstanceUID = "1.2.77.1963"
    patient.PatientName = next(word)
    image.ReferencedPatientSequence = [patient]
    machine = Dataset()
    machine.DeviceSerialNumber, machine.InstitutionName = next(word), next(word)
    machine.OperatorsName = next(word)
    image.ContributingEquipmentSequence = [machine]
    request = Dataset()
    request.RequestedProcedureDescription = next(word)
    image.RequestAttributesSequence = [request]
    image.DeviceSerialNumber, image.StationName = "SN196305", "HOST1963"
    image.ImageComments = image.PatientComments = "PLANTED COMMENT"
    image.AcquisitionDateTime = "20240131081533"
    image.PatientBirthDate = "19630521"
    image.save_as(path, enforce_file_format=True)
    path.rename(folder / "HONG_GILDONG_19630521.dcm")
    uids = [str(image[one].value) for one in ("SOPInstanceUID", "SeriesInstanceUID")]
    more = ["SN196305", "HOST1963", "PLANTED", "20240131", "081533", "1.2.77.1963"]
    return [*study.planted, *words, *uids, *more]


def test_identities_planted_anywhere_do_not_leave(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In image, names of files and folders, and reading: in no object, name, page or message."""
    caplog.set_level("DEBUG")
    folder = tmp_path / "HONG_GILDONG"
    planted = planted_image(folder)
    raw_image = next(folder.iterdir()).read_bytes()
    assert all(one.encode() in raw_image for one in planted)
    reading, places = reading_on(folder)
    (series,) = places.scans[0].series
    sides = StudySides(places.scans[0].series)
    view = reading.views[0]
    assert isinstance(view, ReadView)
    passport = StackPassport.of(passport_of(series, sides).to_dict())
    reading = msgspec.structs.replace(
        reading,
        views=(msgspec.structs.replace(view, passport=passport), reading.views[1]),
        laterality=Laterality.RIGHT,
        notes="HONG^GILDONG called, PLANTED",
        revision=msgspec.structs.replace(
            reading.revision, number=2, previous_sha256="ab" * 32, reason="PLANTED reason"
        ),
        saved_at="2024-01-31T08:15:33.000Z",
    )
    path = tmp_path / file_name(reading)
    save_reading(reading, path)
    asked = ["sr", str(path), "--images", str(folder), "--flavour", "both", "--capture"]
    run = CliRunner().invoke(cli, [*asked, "-o", str(tmp_path / "out"), "--deidentified"])
    assert run.exit_code == 0, run.output
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 5
    bundle = CliRunner().invoke(cli, ["fhir", str(path)])
    assert bundle.exit_code == 0, bundle.output
    content = json.loads(bundle.output)
    pages = [
        base64.b64decode(one["data"])
        for entry in content["entry"]
        for one in entry["resource"].get("presentedForm", ())
    ]
    assert len(pages) == 2
    told = [run.output, bundle.output, caplog.text, *(file.name for file in files)]
    held = [*(text.encode() for text in told), *(file.read_bytes() for file in files), *pages]
    dates = ("2024-01-31", "08:15:33")
    found = [
        (number, one)
        for number, raw in enumerate(held)
        for one in (*planted, *dates, "GILDONG")
        if one.encode() in raw or one.encode("utf-16-le") in raw
    ]
    assert found == []


def test_identifiers_with_the_study_secret_are_the_same_in_every_run(
    samples: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"7" * 64)
    secret.chmod(0o600)
    reading = str(next((samples / "readings").glob("PHANTOM-02__L*")))
    images = str(samples / "two_visits")
    uids = []
    for number, more in enumerate(([], [], ["--secret", str(secret)], ["--secret", str(secret)])):
        out = tmp_path / str(number)
        asked = ["sr", reading, "--images", str(samples), "-o", str(out), "--deidentified", *more]
        assert CliRunner().invoke(cli, asked).exit_code == 0, images
        (report,) = out.glob("*.report-standard.dcm")
        uids.append(pydicom.dcmread(report).StudyInstanceUID)
    assert len({*uids}) == 3
    assert uids[2] == uids[3]


def test_a_reading_without_its_images_is_refused_and_the_rest_goes_on(
    samples: Path, tmp_path: Path
) -> None:
    asked = ["sr", str(samples / "readings"), "--images", str(samples / "plain"), "-o"]
    done = CliRunner().invoke(cli, [*asked, str(tmp_path)])
    assert done.exit_code == 1
    assert "in none of the folders" in done.output
    assert {file.name.split("__")[0] for file in tmp_path.iterdir()} == {"PHANTOM-01"}


def test_doubts_stand_in_the_report() -> None:
    report = report_of(source_of(make_reading(198.0, None)), "standard")
    words = {code_of(one) for one in items(report) if one.ValueType == "CODE"}
    assert {Flag.ARC_ABOVE_180.value, Flag.VIEW_NOT_READ.value, "b_status.not_done"} <= words


@pytest.mark.dicom_tools
def test_a_head_at_the_border_is_reported_without_what_lies_beside_the_image(
    errors_of: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    first, second = make_reading(100.0, None).views
    assert isinstance(first, ReadView)
    plane = first.plane.plane()

    def moved(mark: Mark) -> Mark:
        column, row = mark.pixel[1] - 115.0, mark.pixel[0]
        return Mark.at_pixel(plane, row, column)

    view = msgspec.structs.replace(
        first,
        rim=tuple(map(moved, first.rim)),
        arcs=tuple(NecroticArc(*map(moved, (a.start, a.end, a.via))) for a in first.arcs),
    )
    source = source_of(make_reading(views=(view, second)))
    for flavour in ("standard", "ohif"):
        report = report_of(source, flavour)
        if report is None:
            continue
        report.save_as(tmp_path / f"{flavour}.report.dcm", enforce_file_format=True)
        assert errors_of(tmp_path / f"{flavour}.report.dcm") == []
        points = [one.GraphicData for one in items(report) if "GraphicData" in one]
        assert all(min(one) >= 0 for one in points)
    (state,) = presentations_of(source)
    drawn = state.GraphicAnnotationSequence[0].GraphicObjectSequence
    assert len(drawn) > 1
    assert all(min(one.GraphicData) >= 0 for one in drawn)
    state.save_as(tmp_path / "state.dcm", enforce_file_format=True)
    assert errors_of(tmp_path / "state.dcm") == []
