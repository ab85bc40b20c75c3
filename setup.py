"""The sample studies lie beside the package in a clone, and inside it in a wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SAMPLES = "sample_dicoms"


class BuildWithSamples(build_py):
    """Build the package, and put the sample studies into it."""

    def run(self) -> None:
        """Build, then copy; an editable install finds them where they lie."""
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib, "necroangle", SAMPLES)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(SAMPLES, place)


setup(cmdclass={"build_py": BuildWithSamples})
