"""Reports in: ours as the readings they were, others' as drafts with what is doubtful."""

from math import cos, radians, sin
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hipmaker import RADIUS_MM, make_reading
from hipstrategy import hip_angles_deg, spacings_mm, turns_deg
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from reportmaker import (
    angle_group,
    circle_group,
    foreign_report,
    places_of,
    saved,
    source_of,
)

from necroangle.annotation import HipReading, ReadView
from necroangle.cli import cli
from necroangle.errors import NecroangleError
from necroangle.geometry import ImagePlane, PlanePoints
from necroangle.interop.drafts import Draft, Whose, drafts_of
from necroangle.interop.report import report_of
from necroangle.interop.report_in import take_report
from necroangle.measurement import measure
from necroangle.terms import Flag, Laterality, UnreadReason

Pixel = tuple[float, float]


def written(reading: HipReading, path: Path, flavour: str = "standard") -> Path:
    report = report_of(source_of(reading), "ohif" if flavour == "ohif" else "standard")
    assert report is not None
    return saved(report, path)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(hip_angles_deg, hip_angles_deg).filter(lambda pair: pair != (None, None)),
    spacings_mm,
    turns_deg,
    st.sampled_from(Laterality),
    st.randoms(use_true_random=False),
)
def test_our_report_comes_back_as_the_reading_it_was(
    tmp_path: Path,
    angles: tuple[float | None, float | None],
    spacing: tuple[float, float],
    turn: tuple[float, float, float],
    side: Laterality,
    chance: object,
) -> None:
    reading = make_reading(*angles, spacing_mm=spacing, turn_deg=turn, laterality=side)
    try:
        before = measure(reading)
    except NecroangleError:  # an arc whose middle would lie over the neck is refused
        reject()
    (found,) = take_report(written(reading, tmp_path / "a.dcm")).readings
    assert found == reading
    after = measure(found)
    assert (before.flags, before.a, before.b) == (after.flags, after.a, after.b)
    assert before.cna == after.cna


def test_our_samples_come_back_byte_for_byte(samples: Path, tmp_path: Path) -> None:
    readings = samples / "readings"
    asked = ["sr", str(readings), "--images", str(samples), "-o", str(tmp_path / "out")]
    assert CliRunner().invoke(cli, [*asked, "--flavour", "both"]).exit_code == 0
    taken = CliRunner().invoke(cli, ["take", str(tmp_path / "out"), "-o", str(tmp_path / "in")])
    assert taken.exit_code == 0, taken.output
    assert "15 as they were, 0 drafts" in taken.output
    for file in readings.iterdir():
        assert (tmp_path / "in" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("angle", [80.0, 198.0, 340.0])
@pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.6, 0.45)])
def test_a_report_without_private_elements_gives_the_marks(
    tmp_path: Path, angle: float, spacing: tuple[float, float]
) -> None:
    reading = make_reading(angle, 70.0, spacing_mm=spacing, turn_deg=(10.0, 5.0, -8.0))
    path = written(reading, tmp_path / "a.dcm")
    report = dcmread(path)
    report.remove_private_tags()
    taken = take_report(saved(report, path))
    assert taken.readings == ()
    drafts = drafts_of(taken.drawings, places_of(reading), Whose())
    (draft,) = drafts.drafts
    measured, truth = measure(draft.reading), measure(reading)
    assert measured.a is not None
    assert measured.a.angle_deg == pytest.approx(angle, abs=1e-3)
    assert measured.a.flags == truth.a.flags  # type: ignore[union-attr]
    assert draft.reading.laterality == reading.laterality
    first = draft.reading.views[0]
    assert isinstance(first, ReadView)
    assert len(first.rim) == 18


def corner(view: ReadView, angle_deg: float, lines: int = 4) -> tuple[list[Pixel], Pixel, Pixel]:
    """An angle about the true head's centre, the centre, and a point of the head circle."""
    plane = view.plane.plane()
    centre = plane.patient_to_plane(
        np.array([(90.0, -10.0, 35.0)])  # type: ignore[arg-type]
    )[0]
    ends = [
        pixel(plane, centre[0] + RADIUS_MM * cos(turn), centre[1] + RADIUS_MM * sin(turn))
        for turn in (radians(200.0), radians(200.0 + angle_deg))
    ]
    middle = pixel(plane, *centre)
    points = [ends[0], middle, middle, ends[1]] if lines == 4 else [ends[0], middle, ends[1]]
    return points, middle, pixel(plane, centre[0] + RADIUS_MM, centre[1])


def pixel(plane: ImagePlane, u: float, v: float) -> Pixel:
    row, column = plane.plane_to_pixel(PlanePoints(np.array([[u, v]])))[0].tolist()
    return row, column


def drafted(path: Path, reading: HipReading, *groups: Dataset) -> Draft:
    taken = take_report(saved(foreign_report(list(groups)), path))
    drafts = drafts_of(taken.drawings, places_of(reading), Whose())
    assert drafts.notes == ()
    (draft,) = drafts.drafts
    return draft


def views_of(reading: HipReading) -> tuple[ReadView, ReadView]:
    first, second = reading.views
    assert isinstance(first, ReadView)
    assert isinstance(second, ReadView)
    return first, second


@pytest.mark.parametrize("lines", [3, 4])
@pytest.mark.parametrize("beside", [False, True])
def test_angles_of_another_tool_become_a_draft(tmp_path: Path, lines: int, beside: bool) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5), turn_deg=(6.0, 4.0, 3.0))
    groups = []
    for view, angle in zip(views_of(reading), (110.0, 75.0), strict=True):
        points, centre, edge = corner(view, angle, lines)
        groups += [
            angle_group(view, points, angle, beside=beside),
            circle_group(view, centre, edge),
        ]
    draft = drafted(tmp_path / "a.dcm", reading, *groups)
    assert draft.notes == ()
    found = draft.reading
    assert (found.subject, found.visit, found.reader) == ("P-1", "m00", "ohif")
    assert found.laterality is Laterality.LEFT
    assert not found.conduct.submitted
    measured = measure(found)
    assert measured.a is not None
    assert measured.b is not None
    assert measured.a.angle_deg == pytest.approx(110.0, abs=1e-3)
    assert measured.b.angle_deg == pytest.approx(75.0, abs=1e-3)
    assert measured.a.radius_mm == pytest.approx(RADIUS_MM, abs=1e-3)
    assert Flag.FEW_RIM_POINTS in measured.a.flags
    assert "SECRET" not in repr(found)


def test_the_corner_stands_in_for_a_circle_and_it_is_said(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5))
    view = views_of(reading)[0]
    draft = drafted(tmp_path / "a.dcm", reading, angle_group(view, corner(view, 65.0)[0], 65.0))
    assert "no circle of the head was drawn" in draft.notes[0]
    assert draft.reading.views[1].reason is UnreadReason.NOT_DONE  # type: ignore[union-attr]
    measured = measure(draft.reading)
    assert measured.a is not None
    assert measured.a.angle_deg == pytest.approx(65.0, abs=1e-3)
    assert measured.cna is None


def test_a_larger_angle_is_the_other_side_of_the_lines(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5))
    view = views_of(reading)[0]
    draft = drafted(tmp_path / "a.dcm", reading, angle_group(view, corner(view, 210.0)[0], 210.0))
    measured = measure(draft.reading)
    assert measured.a is not None
    assert measured.a.angle_deg == pytest.approx(210.0, abs=1e-3)


def test_a_number_that_its_points_contradict_is_said(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5))
    view = views_of(reading)[0]
    points, centre, edge = corner(view, 100.0)
    group = angle_group(view, points, 101.0)
    draft = drafted(tmp_path / "a.dcm", reading, group, circle_group(view, centre, edge))
    assert draft.notes == ("coronal: written as 101.0 degrees, its points say 100.0",)
    assert "101.0" in draft.reading.notes
    near = angle_group(view, points, 100.4)
    draft = drafted(tmp_path / "b.dcm", reading, near, circle_group(view, centre, edge))
    assert draft.notes == ()


def test_swapped_spacings_are_suspected(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.7, 0.4))
    view = views_of(reading)[0]
    points, centre, edge = corner(view, 100.0)
    swapped = [(row * 0.7 / 0.4, column * 0.4 / 0.7) for row, column in points]
    draft = drafted(tmp_path / "a.dcm", reading, angle_group(view, swapped, 100.0))
    told = " ".join(draft.notes)
    assert "OHIF is known to swap" in told
    assert "with the two spacings swapped they agree" in told
    group = angle_group(view, points, 100.0, tracking="by hand")
    draft = drafted(tmp_path / "b.dcm", reading, group, circle_group(view, centre, edge))
    assert not [one for one in draft.notes if "swap" in one]


def test_what_gives_no_reading_says_why(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5))
    view = views_of(reading)[0]
    points, centre, edge = corner(view, 100.0)
    apart = [(row + 10.0 * (place > 1), column) for place, (row, column) in enumerate(points)]
    taken = take_report(
        saved(foreign_report([angle_group(view, apart, 100.0)]), tmp_path / "a.dcm")
    )
    assert taken.drawings == ()
    assert "do not meet" in taken.notes[0]
    assert [(one.value, one.unit) for one in taken.numbers] == [(100.0, "deg")]
    taken = take_report(
        saved(foreign_report([circle_group(view, centre, edge)]), tmp_path / "b.dcm")
    )
    drafts = drafts_of(taken.drawings, places_of(reading), Whose())
    assert "a circle without an angle" in drafts.notes[0]
    group = angle_group(view, points, 100.0)
    taken = take_report(saved(foreign_report([group]), tmp_path / "c.dcm"))
    empty = make_reading(None, 80.0, spacing_mm=(0.5, 0.5))
    drafts = drafts_of(taken.drawings, places_of(empty), Whose())
    assert drafts.drafts == ()
    assert "in none of the folders" in drafts.notes[0]


def test_one_side_asked_for_goes_before_what_is_found(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5))
    view = views_of(reading)[0]
    group = angle_group(view, corner(view, 100.0)[0], 100.0)
    taken = take_report(saved(foreign_report([group]), tmp_path / "a.dcm"))
    whose = Whose("S-9", "m12", Laterality.RIGHT, "nina")
    (draft,) = drafts_of(taken.drawings, places_of(reading), whose).drafts
    assert str(draft.reading.key) == "S-9 R m12, reader nina, read 1"


def test_damaged_reports_are_refused(tmp_path: Path) -> None:
    path = written(make_reading(100.0, 80.0), tmp_path / "a.dcm")
    whole = path.read_bytes()
    chance = np.random.default_rng(7)
    for number in range(150):
        raw = bytearray(whole)
        if number % 3 == 0:
            raw = raw[: int(chance.integers(200, len(raw)))]
        for place in chance.integers(132, len(raw), size=number % 7 + 1):
            raw[place] = int(chance.integers(0, 256))
        path.write_bytes(bytes(raw))
        try:
            taken = take_report(path)
        except NecroangleError:
            continue
        drafts_of(taken.drawings, places_of(make_reading(100.0, 80.0)), Whose())


def test_a_reading_that_the_report_contradicts_is_said(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0)
    path = written(reading, tmp_path / "a.dcm")
    report = dcmread(path)
    other = msgspec.structs.replace(make_reading(140.0, 80.0))
    from necroangle.annotation import encode_reading

    report.private_block(0x0099, "NECROANGLE")[0x01].value = encode_reading(other)
    taken = take_report(saved(report, path))
    assert taken.readings == (other,)
    assert "the report says 180.0 degrees, its reading measures 220.0" in taken.notes[0]


@pytest.mark.real_dicom
def test_samples_of_others_give_their_values_or_a_reason(
    real_dicom_folder: Path, tmp_path: Path
) -> None:
    folder = real_dicom_folder / "sr_measurements"
    values = {
        "sample-sr.dcm": ("Long Axis", 64.4505437946691),
        "sr.dcm": ("Volume", 33.5824),
        "sr_document_with_multiple_groups.dcm": ("Diameter", 10.0),
        "structured_report.dcm": ("AREA", 4806.42320110457),
    }
    for name, (what, value) in values.items():
        taken = take_report(folder / name)
        found = [one.value for one in taken.numbers if one.what == what]
        assert found[0] == pytest.approx(value)
        assert all(one.note for one in taken.numbers)
    circles = take_report(folder / "structured_report.dcm").drawings
    assert [one.kind for one in circles] == ["circle", "circle"]
    assert circles[0].points[0].tolist() == [319.0, 295.0]
    done = CliRunner().invoke(cli, ["take", str(folder), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "in none of the folders" in done.output
    assert not (tmp_path / "out").exists()
