"""Files of Slicer, Weasis and grand-challenge, and tables of points."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hipmaker import make_reading
from reportmaker import places_of
from slicerschema import MARKUP_FIELDS, POINT_FIELDS, SCHEMA

from necroangle.annotation import HipReading, Mark, ReadView, file_name, load_reading, save_reading
from necroangle.cli import cli
from necroangle.errors import NecroangleError
from necroangle.interop.drafts import Whose, drafts_of
from necroangle.interop.points_csv import points_table, take_points
from necroangle.interop.slicer import write_markups
from necroangle.interop.taking import readings_of, take_file
from necroangle.measurement import measure


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_markups_are_valid_and_come_back_the_same(tmp_path: Path, system: Any) -> None:
    reading = make_reading(198.0, 80.0, turn_deg=(12.0, -9.0, 20.0), spacing_mm=(0.31, 0.72))
    files = write_markups(reading, tmp_path, system)
    assert len(files) == 8
    for file in files:
        content = json.loads(file.read_text("utf-8"))
        jsonschema.validate(content, SCHEMA)
        assert {one["coordinateSystem"] for one in content["markups"]} == {system}
    taken = [take_file(file) for file in files]
    assert readings_of(taken) == (reading,)
    angles = [one for found in taken for one in found.drawings if one.kind == "angle"]
    assert [one.written_deg for one in angles] == pytest.approx([198.0, 80.0], abs=1e-5)


def test_both_systems_hold_the_same_places(tmp_path: Path) -> None:
    reading = make_reading(198.0, 80.0, turn_deg=(12.0, -9.0, 20.0))
    lps, ras = (write_markups(reading, tmp_path / name, name) for name in ("LPS", "RAS"))
    for one, other in zip(lps, ras, strict=True):
        first, second = (
            np.array(
                [p["position"] for p in json.loads(file.read_text())["markups"][0]["controlPoints"]]
            )
            for file in (one, other)
        )
        assert np.abs(first * (-1, -1, 1) - second).max() == 0.0
        found, same = (take_file(file).drawings for file in (one, other))
        for drawn, again in zip(found, same, strict=True):
            assert np.abs(drawn.points - again.points).max() <= 1e-9


def as_slicer_saves(content: dict[str, Any]) -> dict[str, Any]:
    """The fields that Slicer knows: all others are gone when it has saved a file."""
    return {
        "@schema": content["@schema"],
        "markups": [
            {name: value for name, value in one.items() if name in MARKUP_FIELDS}
            | {
                "controlPoints": [
                    {name: value for name, value in point.items() if name in POINT_FIELDS}
                    for point in one["controlPoints"]
                ]
            }
            for one in content["markups"]
        ],
    }


def test_marks_that_were_moved_in_slicer_move_in_the_reading(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, turn_deg=(12.0, -9.0, 20.0))
    files = write_markups(reading, tmp_path)
    view = reading.views[0]
    assert isinstance(view, ReadView)
    to = Mark.at_plane(view.plane.plane(), 40.0, 50.0)
    for file in files:
        content = as_slicer_saves(json.loads(file.read_text("utf-8")))
        for point in content["markups"][0]["controlPoints"]:
            if "coronal-marks" in file.name and point["label"] == "rim-3":
                point["position"] = list(to.patient_mm)
        file.write_text(json.dumps(content), "utf-8")
    (moved,) = readings_of([take_file(file) for file in files])
    rim = (*view.rim[:2], to, *view.rim[3:])
    found = moved.views[0]
    assert isinstance(found, ReadView)
    apart = np.subtract([one.patient_mm for one in found.rim], [one.patient_mm for one in rim])
    assert np.abs(apart).max() <= 1e-9
    assert moved.views[1] == reading.views[1]


def test_angle_and_curve_of_another_reader_become_a_draft(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, turn_deg=(5.0, -4.0, 3.0))
    files = write_markups(reading, tmp_path)
    taken = [take_file(file) for file in files if "-marks" not in file.name]
    drawings = [one for found in taken for one in found.drawings]
    (draft,) = drafts_of(drawings, places_of(reading), Whose()).drafts
    measured = measure(draft.reading)
    assert measured.cna is not None
    assert measured.cna.value == pytest.approx(180.0, abs=1e-3)
    assert draft.reading.reader == "slicer"


WEASIS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<presentation><references><series><image uid="{uid}"/></series></references><graphics>
<angle uuid="a.1"><label><label>Angle : {angle} deg</label></label><pts>{points}</pts></angle>
<openAngle><pts><pt x="1" y="1"/><pt x="5" y="1"/><pt x="1" y="9"/><pt x="5" y="7"/></pts>
</openAngle>
<threePointsCircle><pts>{circle}</pts></threePointsCircle></graphics></presentation>"""


def test_weasis_angles_and_circles_become_a_draft(tmp_path: Path) -> None:
    reading = make_reading(100.0, None, spacing_mm=(0.5, 0.5))
    view = reading.views[0]
    assert isinstance(view, ReadView)
    plane = view.plane.plane()
    rows = [Mark.at_patient(plane, (90.0, -10.0, 35.0)), view.arcs[0].end, *view.rim[::6]]
    start, corner, end = view.arcs[0].start, rows[0], rows[1]

    def points(*marks: Mark) -> str:
        return "".join(f'<pt x="{m.pixel[1] + 0.5}" y="{m.pixel[0] + 0.5}"/>' for m in marks)

    text = WEASIS.format(
        uid=view.image.instance_uid,
        angle="100.0",
        points=points(start, corner, end),
        circle=points(*view.rim[::6]),
    )
    path = tmp_path / "graphics.xml"
    path.write_text(text, "utf-8")
    taken = take_file(path)
    assert [one.kind for one in taken.drawings] == ["angle", "circle"]
    assert taken.numbers[0].from_points == pytest.approx(100.0, abs=1e-3)
    assert "do not meet" in taken.notes[0]
    (draft,) = drafts_of(taken.drawings, places_of(reading), Whose()).drafts
    measured = measure(draft.reading)
    assert measured.a is not None
    assert measured.a.angle_deg == pytest.approx(100.0, abs=1e-3)
    assert measured.a.radius_mm == pytest.approx(24.0, abs=1e-3)


@pytest.mark.parametrize("form", ["lines", "three points", "list"])
def test_angles_of_grand_challenge_become_a_draft(tmp_path: Path, form: str) -> None:
    reading = make_reading(100.0, None, turn_deg=(5.0, -4.0, 3.0))
    view = reading.views[0]
    assert isinstance(view, ReadView)
    corner = [90.0, -10.0, 35.0]
    start, end = (list(one.patient_mm) for one in (view.arcs[0].start, view.arcs[0].end))
    lines = {"type": "Angle", "lines": [[start, corner], [corner, end]], "version": {"major": 1}}
    three = {"type": "Three-point angle", "angle": [start, corner, end]}
    content = {"lines": lines, "three points": three, "list": [{"x": 1}, three]}[form]
    path = tmp_path / "angle.json"
    path.write_text(json.dumps(content), "utf-8")
    (draft,) = drafts_of(take_file(path).drawings, places_of(reading), Whose()).drafts
    measured = measure(draft.reading)
    assert measured.a is not None
    assert measured.a.angle_deg == pytest.approx(100.0, abs=1e-3)


def test_a_table_of_points_comes_back(tmp_path: Path) -> None:
    reading = make_reading(198.0, 80.0, subject="환자-01", read_no=3, turn_deg=(5.0, -4.0, 3.0))
    path = tmp_path / "points.csv"
    path.write_text(points_table([reading]), "utf-8")
    (draft,) = drafts_of(take_points(path).drawings, places_of(reading), Whose()).drafts
    assert draft.reading.key == reading.key
    for view, found in zip(reading.views, draft.reading.views, strict=True):
        assert isinstance(view, ReadView)
        assert isinstance(found, ReadView)
        assert (len(view.rim), len(view.arcs)) == (len(found.rim), len(found.arcs))
        apart = np.subtract([m.patient_mm for m in view.rim], [m.patient_mm for m in found.rim])
        assert np.abs(apart).max() <= 1e-9
    before, after = measure(reading), measure(draft.reading)
    assert before.cna is not None
    assert after.cna is not None
    assert after.cna.value == pytest.approx(before.cna.value, abs=1e-6)


TURNED = make_reading(100.0, None, turn_deg=(12.0, -9.0, 20.0))
HEAD_MM = (90.0, -10.0, 35.0)


def turned_view() -> ReadView:
    view = TURNED.views[0]
    assert isinstance(view, ReadView)
    return view


def mitk_file() -> str:
    """A head circle, an angle and a cross on a plane of MITK: in mm from its corner, turned."""
    plane = turned_view().plane.plane()
    across, down, normal = (
        np.array(v) for v in (plane.row_cosine, plane.column_cosine, plane.normal)
    )
    spacing = np.array((0.4, 0.9))
    corner = np.array(plane.origin_mm) - 3.0 * across - 2.0 * down
    matrix = np.column_stack((across * spacing[0], down * spacing[1], normal * 3.0))
    parameters = [*matrix.ravel(), *corner]

    def figure(kind: str, *marks: tuple[float, float, float]) -> str:
        places = [((np.array(m) - corner) @ across, (np.array(m) - corner) @ down) for m in marks]
        vertices = "".join(
            f'<Vertex id="{n}" x="{x}" y="{y}" />' for n, (x, y) in enumerate(places)
        )
        named = " ".join(f'param{n}="{value}"' for n, value in enumerate(parameters))
        return (
            f'<PlanarFigure type="{kind}"><property key="name"><string value="SECRET" /></property>'
            f"<ControlPoints>{vertices}</ControlPoints><Geometry><transformParam {named} />"
            '<Spacing x="0.4" y="0.9" z="3" /></Geometry></PlanarFigure>'
        )

    view = turned_view()
    start, end = (mark.patient_mm for mark in (view.arcs[0].start, view.arcs[0].end))
    figures = (
        figure("PlanarAngle", start, HEAD_MM, end),
        figure("PlanarCircle", HEAD_MM, view.rim[3].patient_mm),
        figure("PlanarCross", start, end, HEAD_MM, start),
    )
    return '<?xml version="1.0" encoding=""?>\n<Version FileVersion="1" />\n' + "\n".join(figures)


def aim_file() -> str:
    """A head circle, an angle and its number, a text: as AIM 4 keeps them."""
    view = turned_view()
    plane = view.plane.plane()

    def markup(kind: str, uid: str, *marks: Mark) -> str:
        places = "".join(
            f'<TwoDimensionSpatialCoordinate><coordinateIndex value="{n}"/>'
            f'<x value="{m.pixel[1] + 0.5}"/><y value="{m.pixel[0] + 0.5}"/>'
            "</TwoDimensionSpatialCoordinate>"
            for n, m in reversed(list(enumerate(marks)))
        )
        return (
            f'<MarkupEntity xsi:type="{kind}"><uniqueIdentifier root="{uid}"/>'
            f'<imageReferenceUid root="{view.image.instance_uid}"/>'
            '<referencedFrameNumber value="1"/><twoDimensionSpatialCoordinateCollection>'
            f"{places}</twoDimensionSpatialCoordinateCollection></MarkupEntity>"
        )

    head = Mark.at_patient(plane, HEAD_MM)
    angle = markup("TwoDimensionPolyline", "9.2", view.arcs[0].start, head, view.arcs[0].end)
    circle = markup("TwoDimensionCircle", "9.3", head, view.rim[5])
    return (
        '<ImageAnnotationCollection xmlns="gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><person><name value="SECRET^NAME"/>'
        "</person><imageAnnotations><ImageAnnotation><calculationEntityCollection>"
        '<CalculationEntity><uniqueIdentifier root="9.1"/><description value="Angle"/>'
        '<calculationResultCollection><CalculationResult xsi:type="ExtendedCalculationResult">'
        '<unitOfMeasure value="deg"/><calculationDataCollection><CalculationData>'
        '<value value="103.0"/></CalculationData></calculationDataCollection></CalculationResult>'
        "</calculationResultCollection></CalculationEntity></calculationEntityCollection>"
        f"<markupEntityCollection>{angle}{circle}"
        '<MarkupEntity xsi:type="TextAnnotationEntity"/></markupEntityCollection>'
        "<imageAnnotationStatementCollection><ImageAnnotationStatement>"
        '<subjectUniqueIdentifier root="9.1"/><objectUniqueIdentifier root="9.2"/>'
        "</ImageAnnotationStatement></imageAnnotationStatementCollection></ImageAnnotation>"
        "</imageAnnotations></ImageAnnotationCollection>"
    )


def ohif_table() -> str:
    """A table whose names hold commas without quotation marks, as OHIF writes them."""
    view = turned_view()
    columns = (
        "Patient ID,Patient Name,StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID,Label,"
        "AnnotationType,Angle (\N{DEGREE SIGN}),FrameOfReferenceUID,points,Area,Unit,Length"
    )
    image = view.image
    who = f"SECRET,HONG, GILDONG,{image.study_uid},{image.series_uid},{image.instance_uid},a, b"

    def line(kind: str, angle: str, *marks: tuple[float, ...], rest: str = ",,") -> str:
        points = ";".join(" ".join(map(repr, one)) for one in marks)
        frame = image.frame_of_reference_uid
        return f"{who},Cornerstone:{kind},{angle},{frame},{points},{rest}"

    start, end = (mark.patient_mm for mark in (view.arcs[0].start, view.arcs[0].end))
    return "\n".join(
        (
            columns,
            line("Angle", "103.0", start, HEAD_MM, end),
            line("CircleROI", "", HEAD_MM, view.rim[2].patient_mm, rest="1809.557,mm\u00b2,"),
            line("Length", "", start, end, rest=",,36.8"),
        )
    )


WORKSTATIONS = {
    "figures.pf": (mitk_file, "mitk", "PlanarCross: neither"),
    "aim.xml": (aim_file, "aim", "TextAnnotationEntity: neither"),
    "ohif.csv": (ohif_table, "ohif", "Length: neither"),
}


@pytest.mark.parametrize("name", WORKSTATIONS)
def test_files_of_workstations_become_a_draft(tmp_path: Path, name: str) -> None:
    content, tool, left = WORKSTATIONS[name]
    (tmp_path / name).write_text(content(), "utf-8")
    taken = take_file(tmp_path / name)
    assert [one.kind for one in taken.drawings] == ["angle", "circle"]
    assert taken.notes == (f"{left} an angle nor a circle",)
    (draft,) = drafts_of(taken.drawings, places_of(TURNED), Whose()).drafts
    measured = measure(draft.reading)
    assert measured.a is not None
    assert measured.a.angle_deg == pytest.approx(100.0, abs=1e-3)
    assert measured.a.radius_mm == pytest.approx(24.0, abs=1e-3)
    assert draft.reading.reader == tool
    assert "SECRET" not in repr((taken, draft))
    told = [one for one in draft.notes if "written as 103.0" in one]
    assert len(told) == (0 if tool == "mitk" else 1)
    assert len(draft.notes) == len(told)


@pytest.mark.parametrize("name", ["figures.pf", "ohif.csv"])
def test_places_that_the_images_do_not_show_give_no_draft(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(WORKSTATIONS[name][0](), "utf-8")
    taken = take_file(tmp_path / name)
    elsewhere = msgspec.structs.replace(
        TURNED, views=(moved(TURNED.views[0], 40.0), TURNED.views[1])
    )
    none = drafts_of(taken.drawings, places_of(elsewhere), Whose())
    assert none.drafts == ()
    words = {"figures.pf": "within 2 mm of its points", "ohif.csv": "40.0 mm off the image"}[name]
    assert len(none.notes) == 2
    assert all(words in note for note in none.notes)


def moved(view: Any, by_mm: float) -> Any:
    """A view whose image lies elsewhere."""
    normal = view.plane.plane().normal
    origin = tuple(map(float, np.array(view.plane.origin_mm) + by_mm * normal))
    return msgspec.structs.replace(
        view, plane=msgspec.structs.replace(view.plane, origin_mm=origin)
    )


BROKEN: dict[str, tuple[str, str]] = {
    "a.mrk.json": ("{", "line 1"),
    "b.mrk.json": ('{"markups": 3}', "no markups"),
    "c.mrk.json": (
        '{"markups": [{"type": "Angle", "controlPoints": [{"position": [1, "x", 3]}]}]}',
        "three numbers",
    ),
    "d.mrk.json": ("[" * 100_000, "d.mrk.json"),
    "a.xml": ("<a>", "no valid XML"),
    "b.xml": ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "definitions"),
    "c.xml": ('<angle><pts><pt x="1"/></pts></angle>', "two numbers"),
    "a.json": ('{"type": "Angle", "lines": [[1, 2], 3]}', "three numbers"),
    "b.json": ("{}", "no angle"),
    "a.csv": ("x,y\n1,2\n", "no column subject"),
    "b.csv": (
        "subject,laterality,visit,reader,mark,number,x_mm,y_mm,z_mm\nS,Q,m,r,rim,1,1,2,3\n",
        "line 2",
    ),
    "d.csv": ("AnnotationType,points\nCornerstone:Angle,1 2;3\n", "line 2: points that are no"),
    "e.csv": ("AnnotationType,points\nCornerstone:Angle\n", "line 2: fewer cells"),
    "f.csv": ("AnnotationType,points\nCornerstone:Angle,1 2 x\n", "line 2: a coordinate is no"),
    "a.pf": ("hello <", "no valid XML"),
    "b.pf": ("<PlanarFigure type='PlanarAngle'/>", "without its points"),
    "c.pf": ("<x/>", "no planar figure"),
    "d.xml": (
        "<ImageAnnotationCollection><ImageAnnotation><MarkupEntity>"
        "<TwoDimensionSpatialCoordinate/></MarkupEntity></ImageAnnotation>"
        "</ImageAnnotationCollection>",
        "a coordinate is no number",
    ),
    "c.txt": ("hello", "nothing that can be taken in"),
    "d.reading.json": ("{}", "a reading file already"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_with_their_place(tmp_path: Path, name: str) -> None:
    content, words = BROKEN[name]
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(NecroangleError, match=words) as caught:
        take_file(tmp_path / name)
    assert name in str(caught.value)


def test_commands_give_and_take(
    samples: Path, tmp_path: Path, sample_readings: list[HipReading]
) -> None:
    run: Any = CliRunner().invoke
    reading = next(one for one in sample_readings if one.subject == "PHANTOM-01")
    path = tmp_path / file_name(reading)
    save_reading(reading, path)
    for form in ("slicer", "csv"):
        out = tmp_path / form
        done = run(cli, ["give", str(path), "--as", form, "-o", str(out)])
        assert done.exit_code == 0, done.output
        into = tmp_path / f"in-{form}"
        asked = ["take", str(out), "--images", str(samples / "plain"), "-o", str(into)]
        done = run(cli, asked)
        assert load_reading(into / path.name).key == reading.key, done.output
    assert load_reading(tmp_path / "in-slicer" / path.name) == reading
