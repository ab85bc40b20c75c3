"""The report for OHIF, loaded by the library by which OHIF loads it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hipmaker import make_reading
from reportmaker import saved, source_of

from necroangle.annotation import HipReading, ReadView
from necroangle.interop.report import report_of
from necroangle.measurement import measure

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "support" / "load_in_cornerstone.mjs"
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
