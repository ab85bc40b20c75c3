"""A study's method is the method of every picture and every file that is made in it."""

import json
import shutil
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner

from necroangle.annotation import load_reading
from necroangle.cli import cli
from necroangle.measurement import HipMeasurement, measure, method_named
from necroangle.protocol.study import new_protocol, study_toml
from necroangle.review import index_images
from necroangle.review.audit import with_planes_on_disk

SAMPLES = Path(__file__).parents[2] / "sample_dicoms"
READING = "PHANTOM-01__L__baseline__truth__1.reading.json"
HEAD_MM = (87.5, 1.0, 1.0)
"""Where this phantom has the centre of its head."""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study that measures in the head's centre planes, with one reading and its images."""
    (tmp_path / "study.toml").write_bytes(study_toml(new_protocol("onfh", "centre_plane")))
    (tmp_path / "readings").mkdir()
    shutil.copyfile(SAMPLES / "readings" / READING, tmp_path / "readings" / READING)
    shutil.copytree(SAMPLES / "plain", tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def measured(method: str | None = None) -> HipMeasurement:
    reading = load_reading(Path("readings") / READING)
    return measure(reading, method_named(method) if method else None)


def angles_of(found: HipMeasurement) -> tuple[float, float]:
    assert found.a is not None
    assert found.b is not None
    return found.a.angle_deg, found.b.angle_deg


def done(*arguments: str) -> str:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False).output


def picture(*arguments: str) -> bytes:
    done("overlay", "readings", "--images", "images", "--out", "pictures", *arguments)
    (file,) = Path("pictures").glob("*.png")
    return file.read_bytes()


def test_overlay_draws_the_numbers_of_the_table(study: Path) -> None:
    by_study = picture()
    assert by_study == picture("--method", "centre_plane")
    assert by_study != picture("--method", measured().method.name)


def test_the_angles_given_to_slicer_are_those_of_the_table(study: Path) -> None:
    done("give", "readings", "--as", "slicer", "--out", "slicer")
    markups = [
        json.loads(file.read_text("utf-8"))["markups"][0]
        for file in sorted(Path("slicer").glob("*-angle-1.mrk.json"))
    ]
    told = [one["measurements"][0]["value"] for one in markups]
    wanted, other = measured("centre_plane"), measured()
    assert told == pytest.approx(angles_of(wanted), abs=1e-6)
    assert told != pytest.approx(angles_of(other), abs=1e-3)
    for markup in markups:
        (centre,) = (one for one in markup["controlPoints"] if one["label"] == "centre")
        assert centre["position"] == pytest.approx(HEAD_MM, abs=1e-6)


def test_the_change_by_another_plane_is_that_of_the_table(study: Path) -> None:
    """Rows lie further apart on the disk than when the hip was read."""
    reading = load_reading(Path("readings") / READING)
    wide = Path("images")
    for file in wide.rglob("*.dcm"):
        dataset = pydicom.dcmread(file)
        dataset.PixelSpacing = [1.1 * float(dataset.PixelSpacing[0]), dataset.PixelSpacing[1]]
        dataset.save_as(file)
    after = with_planes_on_disk(reading, index_images([wide]))
    told = [
        json.loads(line)["angle_change_deg"]
        for line in done("audit-geometry", "readings", "--images", str(wide), "--json").splitlines()
        if line.startswith("{")
    ]
    method = method_named("centre_plane")
    change = sum(angles_of(measure(after, method))) - sum(angles_of(measured("centre_plane")))
    assert told == pytest.approx([change] * 2, abs=2e-6)
    assert change != pytest.approx(
        sum(angles_of(measure(after))) - sum(angles_of(measured())), abs=1e-3
    )
