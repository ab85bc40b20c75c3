"""Reports that no known tool wrote: other units, codes, places and character sets, and damage.

Each gives the angle of its points or says why not; none ends in another way.
"""

from collections.abc import Callable
from math import pi, radians
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from hipmaker import RADIUS_MM, head_centre_mm, make_reading, make_view
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from reportmaker import (
    MR,
    angle_group,
    circle_group,
    coded,
    foreign_report,
    header_of,
    item,
    places_of,
    saved,
)

from necroangle.annotation import HipReading, Mark, ReadView
from necroangle.dicom.records import FrameHeader, Scan
from necroangle.dicom.series import summarise
from necroangle.errors import DicomError
from necroangle.interop.drafts import Drafts, Whose, drafts_of
from necroangle.interop.drawings import Taken
from necroangle.interop.report_in import take_report
from necroangle.measurement import measure
from necroangle.review import ImagePlaces
from necroangle.terms import Laterality, SourceImage, View

READING = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5), turn_deg=(6.0, 4.0, 3.0))
Pixel = tuple[float, float]


def coronal(reading: HipReading = READING) -> ReadView:
    view = reading.views[0]
    assert isinstance(view, ReadView)
    return view


def at(turn_deg: float, radius: float = RADIUS_MM, view: ReadView | None = None) -> Mark:
    """A place about the head's centre on the coronal slice."""
    plane = (view or coronal()).plane.plane()
    u, v = plane.patient_to_plane(np.array([head_centre_mm()]))[0]  # type: ignore[arg-type]
    turn = radians(turn_deg)
    return Mark.at_plane(plane, u + radius * np.cos(turn), v + radius * np.sin(turn))


def lines(angle_deg: float = 100.0) -> list[Pixel]:
    return [at(200.0).pixel, at(0.0, 0.0).pixel, at(200.0 + angle_deg).pixel]


def group(written: float = 100.0) -> Dataset:
    """Tracking identifier and an angle with its coordinates below."""
    return angle_group(coronal(), lines(), written, tracking="by hand")


def number_of(one: Dataset) -> Dataset:
    found: Dataset = next(x for x in one.ContentSequence if x.ValueType == "NUM")
    return found


def place_of(one: Dataset) -> Dataset:
    found: Dataset = number_of(one).ContentSequence[0]
    return found


def in_unit(value: float, code: str, meaning: str = "") -> Dataset:
    made = group(value)
    unit = coded(code, "UCUM", meaning)
    number_of(made).MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [unit]
    return made


def named(code: str, scheme: str, meaning: str) -> Dataset:
    made = group()
    number_of(made).ConceptNameCodeSequence = [coded(code, scheme, meaning)]
    return made


def changed(change: Callable[[Dataset], object]) -> Dataset:
    made = group()
    change(made)
    return made


def without_unit(meaning: str) -> Dataset:
    made = named("99", "99OTHER", meaning)
    del number_of(made).MeasuredValueSequence[0].MeasurementUnitsCodeSequence
    return made


def image_at_group() -> Dataset:
    made = group()
    made.ContentSequence.append(place_of(made).ContentSequence.pop())
    return made


def by_reference() -> list[Dataset]:
    """The coordinates stand in a container of their own; the number refers to them."""
    made = group()
    kept = item("CONTAINER", "CONTAINS", coded("111028", "DCM", "Image Library"))
    kept.ContentSequence = [place_of(made)]
    reference = Dataset()
    reference.RelationshipType = "INFERRED FROM"
    reference.ReferencedContentItemIdentifier = [1, 1, 2, 1]
    number_of(made).ContentSequence = [reference]
    return [made, kept]


def deep(levels: int) -> Dataset:
    made = group()
    for _ in range(levels):
        outer = item("CONTAINER", "CONTAINS", coded("126010", "DCM", "Imaging Measurements"))
        outer.ContentSequence = [made]
        made = outer
    return made


def two_beside() -> Dataset:
    """Two shapes and two numbers side by side: they belong together in their order."""
    made = group()
    second = angle_group(coronal(), [at(20.0).pixel, *lines()[1:]], 80.0, beside=True)
    first = angle_group(coronal(), lines(), 100.0, beside=True)
    made.ContentSequence = [*first.ContentSequence, *second.ContentSequence]
    return made


def in_space(frame: str | None) -> Dataset:
    made = group()
    place = place_of(made)
    place.ValueType = "SCOORD3D"
    marks = (at(200.0), at(0.0, 0.0), at(300.0))
    place.GraphicData = [x for mark in marks for x in mark.patient_mm]
    del place.ContentSequence
    if frame:
        place.ReferencedFrameOfReferenceUID = frame
    return made


RIGHT = {
    "radians": in_unit(radians(100.0), "rad", "radian"),
    "minutes": in_unit(6000.0, "'", "minute"),
    "degrees by name": in_unit(100.0, "[deg]", "degree"),
    "degrees by sign": in_unit(100.0, "99X", "°"),
    "private code": named("W1", "99PRIVATE", "Winkel"),
    "SNOMED-RT": named("R-10067", "SRT", "Angle"),
    "DICOM code": named("121224", "DCM", "Acetabular angle"),
    "no unit": without_unit("Necrotic angle"),
    "no name": changed(lambda one: delattr(number_of(one), "ConceptNameCodeSequence")),
    "no value": changed(lambda one: setattr(number_of(one), "MeasuredValueSequence", [])),
    "value is no number": changed(
        lambda one: delattr(number_of(one).MeasuredValueSequence[0], "NumericValue")
    ),
    "many points": changed(lambda one: setattr(place_of(one), "GraphicType", "MULTIPOINT")),
    "image of the group": image_at_group(),
    "deep": deep(9),
    "in space": in_space("1.2.826.0.1"),
    "in space, no frame": in_space(None),
    "first frame": changed(
        lambda one: setattr(
            place_of(one).ContentSequence[0].ReferencedSOPSequence[0], "ReferencedFrameNumber", 1
        )
    ),
}


def taken_of(path: Path, *groups: Dataset, charset: str | None = None) -> tuple[Taken, Drafts]:
    report = foreign_report(list(groups))
    if charset is not None:
        report.SpecificCharacterSet = charset.split("\\")
    taken = take_report(saved(report, path / "a.dcm"))
    return taken, drafts_of(taken.drawings, places_of(READING), Whose())


def angle_of(drafts: Drafts) -> float:
    (draft,) = drafts.drafts
    measured = measure(draft.reading).a
    assert measured is not None
    assert measured.angle_deg is not None
    return measured.angle_deg


@pytest.mark.parametrize("name", [*RIGHT, "by reference", "twice"])
def test_angles_in_any_dress(tmp_path: Path, name: str) -> None:
    groups = {"by reference": by_reference(), "twice": [two_beside()]}.get(name)
    taken, drafts = taken_of(tmp_path, *(groups or [RIGHT[name]]))
    angles = [one for one in taken.drawings if one.kind == "angle"]
    assert len(angles) == (2 if name == "twice" else 1)
    if name != "twice":
        assert angle_of(drafts) == pytest.approx(100.0, abs=1e-3)
    assert not [one for draft in drafts.drafts for one in draft.notes if "written as" in one]
    written = angles[0].written_deg
    assert written is None if "value" in name else written == pytest.approx(100.0, abs=1e-3)


WRONG: dict[str, tuple[Dataset, str]] = {
    "odd count": (
        changed(lambda one: setattr(place_of(one), "GraphicData", [1.0, 2.0, 3.0])),
        "its coordinates are damaged",
    ),
    "no shape": (
        changed(lambda one: delattr(place_of(one), "GraphicType")),
        "no shape, neither an angle nor a circle",
    ),
    "no image": (
        changed(lambda one: delattr(place_of(one), "ContentSequence")),
        "coordinates without an image",
    ),
    "another image": (
        changed(
            lambda one: setattr(
                place_of(one).ContentSequence[0].ReferencedSOPSequence[0],
                "ReferencedSOPInstanceUID",
                "1.2.3.4.5",
            )
        ),
        "its image is in none of the folders",
    ),
    "two frames": (
        changed(
            lambda one: setattr(
                place_of(one).ContentSequence[0].ReferencedSOPSequence[0],
                "ReferencedFrameNumber",
                [1, 2],
            )
        ),
        "it names 2 images or frames",
    ),
    "a frame that is not there": (
        changed(
            lambda one: setattr(
                place_of(one).ContentSequence[0].ReferencedSOPSequence[0],
                "ReferencedFrameNumber",
                7,
            )
        ),
        "its image has no frame 7",
    ),
    "beside the picture": (
        changed(
            lambda one: setattr(
                place_of(one), "GraphicData", [500.0, 20.0, 520.0, 60.0, 540.0, 10.0]
            )
        ),
        "beside the picture of 320 x 256 pixels",
    ),
    "another frame of reference": (
        in_space("1.2.9"),
        "no slice is available in its frame of reference",
    ),
    "circle alone": (
        circle_group(coronal(), at(0.0, 0.0).pixel, at(9.0).pixel),
        "a circle without an angle",
    ),
    "empty": (
        item("CONTAINER", "CONTAINS", coded("125007", "DCM", "Measurement Group")),
        "no coordinates in it",
    ),
    "nothing at all": (Dataset(), "no coordinates in it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_gives_no_reading_says_why(tmp_path: Path, name: str) -> None:
    made, words = WRONG[name]
    taken, drafts = taken_of(tmp_path, made)
    assert drafts.drafts == ()
    assert [one for one in (*taken.notes, *drafts.notes) if words in one]


def test_too_deep_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match="nested deeper"):
        taken_of(tmp_path, deep(40))


def sided(side: tuple[str, str, str] | None, site: str = "Femoral head") -> Dataset:
    made = group()
    found = item("CODE", "CONTAINS", coded("363698007", "SCT", "Finding Site"))
    found.ConceptCodeSequence = [coded("2812003", "SCT", site)]
    if side is not None:
        lateral = item("CODE", "HAS CONCEPT MOD", coded("272741003", "SCT", "Laterality"))
        lateral.ConceptCodeSequence = [coded(*side)]
        found.ContentSequence = [lateral]
    made.ContentSequence.append(found)
    return made


@pytest.mark.parametrize(
    ("made", "side"),
    [
        (sided(("24028007", "SCT", "Right")), Laterality.RIGHT),
        (sided(("G-A100", "SRT", "Right")), Laterality.RIGHT),
        (sided(("R", "99HOSPITAL", "right side")), Laterality.RIGHT),
        (sided(None, "Right femoral head"), Laterality.RIGHT),
        (sided(("51440002", "SCT", "Right and left")), Laterality.LEFT),
        (sided(None), Laterality.LEFT),
    ],
)
def test_the_side_as_it_is_coded_else_by_its_place(
    tmp_path: Path, made: Dataset, side: Laterality
) -> None:
    other = sided(("24028007", "SCT", "Right"))
    other.ContentSequence = other.ContentSequence[2:]  # a group of another hip, without an angle
    _, drafts = taken_of(tmp_path, made, other)
    assert [one.reading.laterality for one in drafts.drafts] == [side]


def test_two_hips_in_one_report_are_two_readings(tmp_path: Path) -> None:
    left, right = sided(("7771000", "SCT", "Left")), sided(("24028007", "SCT", "Right"))
    _, drafts = taken_of(tmp_path, left, right, Dataset())
    assert {one.reading.laterality for one in drafts.drafts} == set(Laterality)


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("\\ISO 2022 IR 149", "왼쪽 대퇴골두"),
        ("GB18030", "左股骨头"),
        ("ISO_IR 192", "大腿骨頭 左"),
        ("ISO_IR 100", "Hüftkopf links"),
    ],
)
def test_words_in_any_character_set(tmp_path: Path, charset: str, words: str) -> None:
    made = named("W1", "99PRIVATE", words)
    taken, drafts = taken_of(tmp_path, made, charset=charset)
    assert angle_of(drafts) == pytest.approx(100.0, abs=1e-3)
    assert taken.numbers[0].what == words


def test_an_unknown_character_set_and_small_letters(tmp_path: Path) -> None:
    report = foreign_report([group()])
    report.SpecificCharacterSet = "ISO_IR 100"
    path = saved(report, tmp_path / "a.dcm")
    raw = path.read_bytes().replace(b"ISO_IR 100", b"NO SUCH IR").replace(b"POLYLINE", b"polyline")
    path.write_bytes(raw)
    drafts = drafts_of(take_report(path).drawings, places_of(READING), Whose())
    assert angle_of(drafts) == pytest.approx(100.0, abs=1e-3)


@pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.7, 0.4)])
@pytest.mark.parametrize(
    ("meaning", "code", "unit", "value", "fits"),
    [
        ("Radius", "131190003", "mm", RADIUS_MM, True),
        ("Diameter", "81827009", "cm", RADIUS_MM / 5.0, True),
        ("", "42798000", "mm2", pi * RADIUS_MM**2, True),
        ("Area", "G-A166", "cm2", pi * RADIUS_MM**2 / 100.0, True),
        ("Area", "G-A166", "{pixels}", 3.0, True),
        ("Diameter", "M-02550", "mm", 40.0, False),
    ],
)
def test_a_circle_is_measured_anew(
    tmp_path: Path,
    spacing: tuple[float, float],
    meaning: str,
    code: str,
    unit: str,
    value: float,
    *,
    fits: bool,
) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=spacing)
    view = coronal(reading)
    ends = [at(turn, view=view).pixel for turn in (200.0, 300.0)]
    centre = at(0.0, 0.0, view=view).pixel
    circle = circle_group(view, centre, at(33.0, view=view).pixel)
    number = item("NUM", "CONTAINS", coded(code, "SCT", meaning))
    number.MeasuredValueSequence = [Dataset()]
    number.MeasuredValueSequence[0].NumericValue = f"{value:.6f}"
    number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [coded(unit, "UCUM", unit)]
    circle.ContentSequence.append(number)
    angle = angle_group(view, [ends[0], centre, ends[1]], 100.0, tracking="by hand")
    report = foreign_report([circle, angle])
    taken = take_report(saved(report, tmp_path / "a.dcm"))
    (draft,) = drafts_of(taken.drawings, places_of(reading), Whose()).drafts
    measured = measure(draft.reading).a
    assert measured is not None
    assert measured.radius_mm == pytest.approx(RADIUS_MM, abs=1e-3)
    words = "coronal: the circle is written with a radius of 20.0 mm, its points say 24.0"
    assert draft.notes == (() if fits else (words,))


# ---- images ------------------------------------------------------------------------------------


def places(*slices: tuple[str, int, float]) -> ImagePlaces:
    """Slices of studies: study, frame of its image, and how far off the hip's slice it lies."""
    view = coronal()
    frames = []
    for study, frame, offset_mm in slices:
        near = make_view(
            View.CORONAL,
            100.0,
            spacing_mm=(0.5, 0.5),
            turn_deg=(6.0, 4.0, 3.0),
            offset_mm=offset_mm,
        )
        assert isinstance(near, ReadView)
        source = SourceImage(study, f"{study}.1", f"{study}.1.1", frame, "1.2.826.0.1")
        plane, rows, columns = near.plane.plane(), view.plane.rows, view.plane.columns
        frames.append(
            FrameHeader(
                study, source, "MR", "stack", plane, rows, columns, subject="P-1", visit="m00"
            )
        )
    series, _, _ = summarise(frames, Path())
    return ImagePlaces([Scan(tuple(series), (), 0)])


def on_frame(uid: str, frame: int | None) -> Dataset:
    made = group()
    reference = place_of(made).ContentSequence[0].ReferencedSOPSequence[0]
    reference.ReferencedSOPInstanceUID = uid
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    return made


def test_frames_of_a_multi_frame_image(tmp_path: Path) -> None:
    images = places(("1.2.7", 1, -4.0), ("1.2.7", 2, 0.0), ("1.2.7", 3, 4.0))
    for frame, words in ((2, ""), (None, "has several frames"), (9, "has no frame 9")):
        report = foreign_report([on_frame("1.2.7.1.1", frame)])
        taken = take_report(saved(report, tmp_path / "a.dcm"))
        drafts = drafts_of(taken.drawings, images, Whose())
        if words:
            assert words in drafts.notes[0]
            continue
        (draft,) = drafts.drafts
        assert coronal(draft.reading).image.frame_number == 2
        assert angle_of(drafts) == pytest.approx(100.0, abs=1e-3)


def test_places_in_space_between_two_studies_are_nobodys(tmp_path: Path) -> None:
    taken, _ = taken_of(tmp_path, in_space("1.2.826.0.1"))
    near = places(("1.2.7", 1, 0.0), ("1.2.8", 1, 0.3))
    assert "slices of several studies" in drafts_of(taken.drawings, near, Whose()).notes[0]
    far = places(("1.2.7", 1, 0.3), ("1.2.8", 1, 20.0))
    assert angle_of(drafts_of(taken.drawings, far, Whose())) == pytest.approx(100.0, abs=1e-2)


@pytest.mark.parametrize("in_patient", [False, True])
def test_a_report_of_highdicom(tmp_path: Path, *, in_patient: bool) -> None:
    """Planar ROI and measurement groups of two hips, and one about a whole image."""
    view, uid = coronal(), hd.UID()
    image = hd.sr.SourceImageForMeasurementGroup(MR, view.image.instance_uid)
    region_image = hd.sr.SourceImageForRegion(MR, view.image.instance_uid)
    corner = np.array([(column + 0.5, row + 0.5) for row, column in lines()])
    tracking = hd.sr.TrackingIdentifier(uid, "arc")
    site = hd.sr.FindingSite(Code("2812003", "SCT", "Femoral head"), codes.SCT.Left)
    head = [at(0.0, 0.0), at(50.0)]
    if in_patient:
        ring = np.array([at(turn).patient_mm for turn in range(0, 360, 15)])
        region: Any = hd.sr.ImageRegion3D(
            hd.sr.GraphicTypeValues3D.POLYGON,
            np.vstack([ring, ring[:1]]),
            frame_of_reference_uid="1.2.826.0.1",
        )
    else:
        ends = np.array([(one.pixel[1] + 0.5, one.pixel[0] + 0.5) for one in head])
        region = hd.sr.ImageRegion(hd.sr.GraphicTypeValues.CIRCLE, ends, region_image)
    angle = hd.sr.Measurement(
        Code("1483009", "SCT", "Angle"),
        99.9,
        Code("deg", "UCUM", "degree"),
        referenced_coordinates=[
            hd.sr.CoordinatesForMeasurement(hd.sr.GraphicTypeValues.POLYLINE, corner, region_image)
        ],
    )
    mean = hd.sr.Measurement(codes.SCT.Mean, 3.0, codes.UCUM.NoUnits)
    groups: list[Any] = [
        hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, referenced_region=region, finding_sites=[site]
        ),
        hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, measurements=[angle], finding_sites=[site]
        ),
        hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, measurements=[mean], source_images=[image]
        ),
    ]
    observer = hd.sr.PersonObserverIdentifyingAttributes("SECRET^READER")
    report = hd.sr.MeasurementReport(
        hd.sr.ObservationContext(hd.sr.ObserverContext(codes.DCM.Person, observer)),
        codes.SCT.ImagingProcedure,
        groups,
    )
    made = hd.sr.Comprehensive3DSR(
        [header_of(view, "P-1")], report, hd.UID(), 1, hd.UID(), 1, manufacturer="maker",
        institution_name="SECRET HOSPITAL",
    )  # fmt: skip
    taken = take_report(saved(made, tmp_path / "a.dcm"))
    drafts = drafts_of(taken.drawings, places_of(READING), Whose())
    (draft,) = drafts.drafts
    assert (draft.notes, drafts.notes, taken.notes) == ((), (), ())
    assert draft.reading.reader == "highdicom"
    assert angle_of(drafts) == pytest.approx(100.0, abs=1e-3)
    measured = measure(draft.reading).a
    assert measured is not None
    assert measured.radius_mm == pytest.approx(RADIUS_MM, abs=1e-2)
    assert "SECRET" not in repr((taken, drafts))
    assert [one.note for one in taken.numbers] == ["angle", "no: it has no coordinates"]
