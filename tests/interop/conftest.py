"""The samples as an archive would hold them, and other programs that read what we write."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from necroangle.annotation import HipReading, load_reading
from necroangle.review import ImagePlaces, index_images

SAMPLES = Path(__file__).resolve().parents[2] / "sample_dicoms"
READINGS = sorted((SAMPLES / "readings").glob("*.reading.json"))


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample studies in a folder that may be written in."""
    folder = tmp_path_factory.mktemp("archive") / "images"
    shutil.copytree(SAMPLES, folder)
    return folder


@pytest.fixture(scope="session")
def places(samples: Path) -> ImagePlaces:
    """Where the images of the samples lie."""
    return index_images([samples])


@pytest.fixture(scope="session")
def sample_readings() -> list[HipReading]:
    """The readings of the samples."""
    return [load_reading(path) for path in READINGS]


@pytest.fixture(scope="session")
def errors_of() -> Callable[[Path], list[str]]:
    """What dciodvfy and, of a document, dsrdump find wrong with a file."""
    for program, package in (("dciodvfy", "dicom3tools"), ("dsrdump", "dcmtk")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} (Debian package {package}) is not installed")

    def run(file: Path) -> list[str]:
        found = _lines(["dciodvfy", str(file)], ("Error",))
        if "report" in file.name or "key-objects" in file.name:
            found += _lines(["dsrdump", "+Pe", str(file)], ("E:", "F:"))
        return found

    return run


def _lines(command: list[str], starts: tuple[str, ...]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    found = [line for line in lines if line.startswith(starts)]
    return found or ([f"{command[0]} ended with {done.returncode}"] if done.returncode else [])
