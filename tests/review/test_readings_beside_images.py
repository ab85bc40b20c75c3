"""Pictures and the geometry audit find each reading's own image, and say what is not as it was."""

import csv
import json
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pydicom import dcmread

from necroangle.annotation import HipReading, ReadView, load_reading, save_reading
from necroangle.cli.images.audit_geometry import command as audit_command
from necroangle.cli.images.overlay import command as overlay_command
from necroangle.measurement import measure
from necroangle.phantom import sample_studies
from necroangle.phantom.readings import save_readings
from necroangle.review import (
    ImagePlaces,
    audit_reading,
    draw_files,
    index_images,
    write_contact_sheet,
)
from necroangle.review.audit import with_planes_on_disk
from necroangle.samples import sample_folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small sample study and its readings."""
    folder = tmp_path_factory.mktemp("study")
    shutil.copytree(sample_folder("plain"), folder / "images")
    save_readings(sample_studies()["plain"], folder / "readings")
    return folder


@pytest.fixture
def places(study: Path) -> ImagePlaces:
    return index_images([study / "images"])


def readings_in(study: Path) -> list[HipReading]:
    return [load_reading(file) for file in sorted((study / "readings").iterdir())]


def test_every_marked_slice_is_found_and_agrees(study: Path, places: ImagePlaces) -> None:
    for reading in readings_in(study):
        audits = audit_reading(reading, places)
        assert [one.status for one in audits] == ["same", "same"], audits


def test_a_corrected_spacing_is_named_with_what_it_does_to_the_angle(
    study: Path, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    shutil.copytree(study / "images", images)
    for file in images.rglob("*"):
        if file.is_file() and file.suffix not in (".json", ".sqlite"):
            dataset = dcmread(file)
            if dataset.ImageOrientationPatient[0] == 1:  # the coronal series
                row, column = map(float, dataset.PixelSpacing)
                dataset.PixelSpacing = [row * 1.05, column]
                dataset.save_as(file)
    places = index_images([images])
    reading = readings_in(study)[0]
    coronal, sagittal = audit_reading(reading, places)
    assert sagittal.status == "same"
    assert coronal.status == "differs"
    assert [one.what for one in coronal.differences] == ["row_spacing_mm"]
    moved = with_planes_on_disk(reading, places)
    expected = (measure(moved).cna_deg or 0.0) - (measure(reading).cna_deg or 0.0)
    assert abs(expected) > 0.01
    assert coronal.angle_change_deg == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"origin_mm": (1.0, 2.0, 3.0)}, "position"),
        ({"calibrated": False}, "calibrated"),
        ({"rows": 7}, "matrix"),
    ],
)
def test_what_differs_is_named(
    study: Path, places: ImagePlaces, change: dict[str, object], what: str
) -> None:
    reading = readings_in(study)[0]
    view = reading.views[0]
    assert isinstance(view, ReadView)
    plane = msgspec.structs.replace(view.plane, **change)
    edited = msgspec.structs.replace(view, plane=plane)
    audits = audit_reading(
        msgspec.structs.replace(reading, views=(edited, reading.views[1])), places
    )
    assert what in [one.what for one in audits[0].differences]


def test_moving_to_the_same_planes_changes_no_bit_of_the_angle(
    study: Path, places: ImagePlaces
) -> None:
    for reading in readings_in(study):
        moved = with_planes_on_disk(reading, places)
        assert measure(moved).cna_deg == measure(reading).cna_deg


def test_pictures_do_not_depend_on_the_number_of_processes(
    study: Path, places: ImagePlaces, tmp_path: Path
) -> None:
    files = sorted((study / "readings").iterdir())
    one = draw_files(files, places, tmp_path / "one")
    two = draw_files(files, places, tmp_path / "two", workers=2)
    assert not one.missing
    assert not one.refused
    assert [path.name for path in one.pictures] == [path.name for path in two.pictures]
    for first, second in zip(one.pictures, two.pictures, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert np.asarray(Image.open(first)).std() > 10, "an empty picture"


def test_a_missing_image_and_a_broken_reading_cost_only_themselves(
    study: Path, places: ImagePlaces, tmp_path: Path
) -> None:
    reading = readings_in(study)[0]
    view = reading.views[1]
    assert isinstance(view, ReadView)
    image = msgspec.structs.replace(view.image, instance_uid="1.2.3.4.5")
    lost = msgspec.structs.replace(view, image=image)
    elsewhere = msgspec.structs.replace(reading, reader="other", views=(reading.views[0], lost))
    folder = tmp_path / "readings"
    shutil.copytree(study / "readings", folder)
    save_reading(elsewhere, folder / "lost.reading.json")
    (folder / "broken.reading.json").write_bytes(b"{")
    out = tmp_path / "pictures"
    options = ["--images", str(study / "images"), "--out", str(out), "--pdf", str(out / "all.pdf")]
    result = CliRunner().invoke(overlay_command, [str(folder), *options])
    assert result.exit_code == 1, result.output
    assert "3 drawn" in result.output
    with (out / "missing.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["view"], bool(row["why"])) for row in rows] == [("sagittal", True), ("", True)]
    assert (out / "all.pdf").read_bytes().startswith(b"%PDF")


def test_the_sheet_has_a_page_for_every_eight_pictures(
    study: Path, places: ImagePlaces, tmp_path: Path
) -> None:
    files = sorted((study / "readings").iterdir())
    pictures = draw_files(files, places, tmp_path).pictures * 5
    sheet = tmp_path / "sheet.pdf"
    assert write_contact_sheet(pictures, sheet) == 2
    first = sheet.read_bytes()
    assert re.findall(rb"/Count (\d+)", first)[-1] == b"2"
    assert "sheet".encode("utf-16-be") in first
    assert b".part" not in first
    assert ".part".encode("utf-16-be") not in first
    assert write_contact_sheet(pictures, sheet) == 2
    assert sheet.read_bytes() == first, "the same pictures gave another file"
    assert not list(tmp_path.glob(".sheet*"))


def test_the_audit_command_tells_by_its_exit_code(study: Path, tmp_path: Path) -> None:
    arguments = [str(study / "readings"), "--images", str(study / "images"), "--json"]
    good = CliRunner().invoke(audit_command, arguments)
    assert good.exit_code == 0, good.output
    lines = [json.loads(line) for line in good.stdout.splitlines()]
    assert {line["status"] for line in lines} == {"same"}
    (tmp_path / "empty").mkdir()
    bad = CliRunner().invoke(
        audit_command, [str(study / "readings"), "--images", str(tmp_path / "empty")]
    )
    assert bad.exit_code == 1
    assert "4 images missing" in bad.output
