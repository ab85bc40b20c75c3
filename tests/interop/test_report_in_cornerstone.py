"""The report for OHIF, loaded by the library of OHIF; and what that library writes."""

import json
import shutil
import subprocess
from math import pi
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hipmaker import RADIUS_MM, head_centre_mm, make_reading
from reportmaker import places_of, saved, source_of

from necroangle.annotation import HipReading, ReadView
from necroangle.interop.drafts import Drafts, Whose, drafts_of
from necroangle.interop.drawings import Taken
from necroangle.interop.report import report_of
from necroangle.interop.report_in import take_report
from necroangle.measurement import measure

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "support" / "load_in_cornerstone.mjs"
SAVING = SCRIPT.with_name("save_by_cornerstone.mjs")
PACKAGES = ("@cornerstonejs/adapters@5.14.0", "@babel/runtime@7", "dcmjs@0.52.0")
"""The adapters name no ``@babel/runtime``, and need it."""

pytestmark = pytest.mark.cornerstone


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """A folder with the published packages; made once, by npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = ROOT / "build" / "cornerstone"
    loaded_first = folder / "node_modules" / "@cornerstonejs" / "adapters" / "dist/esm/index.js"
    if not loaded_first.exists():  # never made, or in part
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
        done = subprocess.run(
            ["npm", "install", *options, *PACKAGES], capture_output=True, text=True, check=False
        )
        if done.returncode or not loaded_first.exists():
            pytest.skip(f"npm could not install the packages: {done.stderr[-200:]}")
    return folder


def planes_of(reading: HipReading) -> dict[str, Any]:
    """Where the images lie, as a viewer tells cornerstone."""
    planes = {}
    for view in reading.views:
        if isinstance(view, ReadView):
            plane = view.plane
            planes[f"{view.image.instance_uid}:{view.image.frame_number}"] = {
                "frameOfReferenceUID": view.image.frame_of_reference_uid,
                "rows": plane.rows,
                "columns": plane.columns,
                "imagePositionPatient": plane.origin_mm,
                "imageOrientationPatient": [*plane.row_cosine, *plane.column_cosine],
                "rowCosines": plane.row_cosine,
                "columnCosines": plane.column_cosine,
                "rowPixelSpacing": plane.row_spacing_mm,
                "columnPixelSpacing": plane.column_spacing_mm,
            }
    return planes


def loaded(node: Path, report: Path, planes: dict[str, Any]) -> dict[str, Any]:
    shutil.copy(SCRIPT, node / SCRIPT.name)
    beside = report.with_suffix(".json")
    beside.write_text(json.dumps(planes))
    done = subprocess.run(
        ["node", SCRIPT.name, str(report), str(beside)],
        cwd=node,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("TOOLS ")]
    assert lines, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(lines[0].removeprefix("TOOLS "))
    return found


@pytest.mark.parametrize("angle", [100.0, 198.0])
def test_angles_load_as_tools_that_can_be_edited(
    node_folder: Path, tmp_path: Path, angle: float
) -> None:
    reading = make_reading(angle, 80.0, spacing_mm=(0.5, 0.5), turn_deg=(10.0, -8.0, 5.0))
    report = report_of(source_of(reading), "ohif")
    assert report is not None
    tools = loaded(node_folder, saved(report, tmp_path / "a.dcm"), planes_of(reading))
    assert list(tools) == ["Angle"]
    first, second = tools["Angle"]
    measured = measure(reading)
    for found, view, one in zip(
        (first, second), reading.views, (measured.a, measured.b), strict=True
    ):
        assert isinstance(view, ReadView)
        assert one is not None
        start, centre, end = np.array(found["points"])
        assert np.abs(centre - one.centre_mm).max() < 1e-3
        for point, mark in ((start, view.arcs[0].start), (end, view.arcs[0].end)):
            assert np.abs(point - mark.patient_mm).max() < 1e-3
    assert first["label"].startswith(f"coronal necrotic arc, {angle:.1f}")


def test_the_standard_report_is_no_tool_of_ohif(node_folder: Path, tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5))
    report = report_of(source_of(reading), "standard")
    assert report is not None
    tools = loaded(node_folder, saved(report, tmp_path / "a.dcm"), planes_of(reading))
    assert "Angle" not in tools


# ---- what OHIF saves ---------------------------------------------------------------------------


class Saved(NamedTuple):
    """Reports that cornerstone wrote of one hip, by name, and what was drawn."""

    folder: Path
    reading: HipReading

    def taken(self, name: str) -> tuple[Taken, Drafts]:
        taken = take_report(self.folder / f"{name}.dcm")
        return taken, drafts_of(taken.drawings, places_of(self.reading), Whose())

    def angle(self, name: str) -> tuple[float, float, tuple[str, ...]]:
        """Angle and radius of the coronal view of the only draft, and what is said of it."""
        taken, drafts = self.taken(name)
        (draft,) = drafts.drafts
        assert draft.reading.reader == "ohif"
        assert "SECRET" not in repr((taken, drafts))
        measured = measure(draft.reading).a
        assert measured is not None
        assert measured.angle_deg is not None
        assert measured.radius_mm is not None
        return measured.angle_deg, measured.radius_mm, draft.notes


@pytest.fixture(scope="module")
def ohif(node_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """All reports by one run of node."""
    folder = tmp_path_factory.mktemp("ohif")
    reading = make_reading(100.0, 80.0, spacing_mm=(0.5, 0.5), turn_deg=(10.0, -8.0, 5.0))
    large = make_reading(198.0, 80.0, spacing_mm=(0.5, 0.5), turn_deg=(10.0, -8.0, 5.0))
    report = report_of(source_of(large), "ohif")
    assert report is not None
    view = reading.views[0]
    assert isinstance(view, ReadView)
    image = f"{view.image.instance_uid}:1"
    centre = np.array(head_centre_mm())
    across, down = np.array(view.plane.row_cosine), np.array(view.plane.column_cosine)
    start, end = (np.array(mark.patient_mm) for mark in (view.arcs[0].start, view.arcs[0].end))

    def at(turn_deg: float, radius: float = RADIUS_MM) -> list[float]:
        turn = np.radians(turn_deg)
        return list(centre + radius * (np.cos(turn) * across + np.sin(turn) * down))

    def tool(kind: str, *points: Any, **more: Any) -> dict[str, Any]:
        listed = [[float(x) for x in one] for one in points]
        return {"kind": kind, "image": image, "points": listed, "stats": {}, "label": ""} | more

    angle = tool("Angle", start, centre, end, stats={"angle": 100.0}, label="왼쪽 고관절")
    round_stats = {"radius": RADIUS_MM, "area": pi * RADIUS_MM**2}
    units = {"radiusUnit": "mm", "areaUnit": "mm2"}
    circle = tool("CircleROI", centre, at(30.0), stats=round_stats | units)
    oval = [at(270.0, 30.0), at(90.0, 30.0), at(180.0), at(0.0)]
    reports = {
        "angle": [angle],
        "angle and circle": [angle, circle],
        "circle larger than written": [
            angle,
            circle | {"stats": {"radius": 20.0, "area": 1256.0} | units},
        ],
        "another number": [angle | {"stats": {"angle": 91.0}}],
        "lines that meet": [
            tool("CobbAngle", start, centre, centre, end, stats={"angle": 100.0}),
        ],
        "lines apart": [
            tool("CobbAngle", start, centre, at(10.0, 3.0), end, stats={"angle": 100.0}),
        ],
        "round ellipse": [
            angle,
            tool("EllipticalROI", at(270.0), at(90.0), at(180.0), at(0.0), stats={"area": 1809.6}),
        ],
        "oval": [angle, tool("EllipticalROI", *oval, stats={"area": 2261.9})],
        "freehand": [
            angle,
            tool("PlanarFreehandROI", *map(at, range(0, 361, 10)), stats={"area": 1800.0}),
        ],
        "others": [
            tool("Length", start, end, stats={"length": 36.8}),
            tool("Bidirectional", *oval, stats={"length": 60.0, "width": 48.0, "unit": "mm"}),
            tool("RectangleROI", at(225.0), at(315.0), at(135.0), at(45.0), stats={"area": 9.0}),
            tool("Probe", centre, stats={"value": 3.0}),
        ],
        "in the volume": [angle | {"image": None}, circle | {"image": None}],
        "larger angle": {"of": str(saved(report, folder / "ours.dcm"))},
    }
    asked = folder / "tools.json"
    asked.write_text(json.dumps({"planes": planes_of(reading), "reports": reports}))
    shutil.copy(SAVING, node_folder / SAVING.name)
    done = subprocess.run(
        ["node", SAVING.name, str(asked), str(folder)],
        cwd=node_folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count("SAVED ") == len(reports), done.stdout[-2000:] + done.stderr[-2000:]
    return Saved(folder, reading)


@pytest.mark.parametrize("name", ["angle", "lines that meet", "oval"])
def test_an_angle_of_ohif_is_its_points(ohif: Saved, name: str) -> None:
    angle, radius, notes = ohif.angle(name)
    assert angle == pytest.approx(100.0, abs=1e-3)
    assert radius == pytest.approx(RADIUS_MM, abs=1e-3)
    assert any("no circle of the head was drawn" in one for one in notes)
    assert any("no circle is left aside" in one for one in notes) == (name == "oval")
    assert len(notes) == (2 if name == "oval" else 1)


@pytest.mark.parametrize("name", ["angle and circle", "round ellipse", "freehand", "in the volume"])
def test_a_circle_of_ohif_is_the_head(ohif: Saved, name: str) -> None:
    angle, radius, notes = ohif.angle(name)
    assert angle == pytest.approx(100.0, abs=1e-3)
    assert radius == pytest.approx(RADIUS_MM, abs=1e-3)
    assert notes == ()


def test_numbers_of_ohif_that_its_points_contradict(ohif: Saved) -> None:
    _, _, (note,) = ohif.angle("circle larger than written")
    assert note == "coronal: the circle is written with a radius of 20.0 mm, its points say 24.0"
    _, _, (note, _) = ohif.angle("another number")
    assert note == "coronal: written as 91.0 degrees, its points say 100.0"


def test_what_ohif_saves_and_gives_no_reading_says_why(ohif: Saved) -> None:
    taken, drafts = ohif.taken("lines apart")
    assert not drafts.drafts
    assert "100 degrees between lines that do not meet" in taken.notes[0]
    taken, drafts = ohif.taken("others")
    assert not drafts.drafts
    assert [one for one in taken.notes if "neither an angle nor a circle" in one]
    lengths = {one.what: one.value for one in taken.numbers}
    assert (lengths["Length"], lengths["Long Axis"]) == (36.8, 60.0)
    assert all(one.note for one in taken.numbers)


def test_a_larger_angle_that_ohif_saved_again_is_still_the_larger(ohif: Saved) -> None:
    taken, _ = ohif.taken("larger angle")
    assert [one.value for one in taken.numbers] == pytest.approx([162.0, 80.0], abs=1e-3)
    angle, _, _ = ohif.angle("larger angle")
    assert angle == pytest.approx(198.0, abs=1e-3)
