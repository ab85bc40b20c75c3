"""Files of Slicer, Weasis and grand-challenge, and tables of points."""

import json
from pathlib import Path
from typing import Any

import jsonschema
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
    "c.txt": ("hello", "nothing that can be taken in"),
    "d.reading.json": ("{}", "needs no taking in"),
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
