"""The independent validator of the phantom's DICOM files."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def errors_of() -> Callable[[Path], list[str]]:
    """The lines in which dciodvfy finds an error in a file; skips where it is not installed."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is not installed")

    def run(file: Path) -> list[str]:
        done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        if not {"MRImage", "DXImageForPresentation"} & set(lines):
            return [f"dciodvfy did not recognise the file: {lines}"]
        return [line for line in lines if line.startswith("Error")]

    return run
