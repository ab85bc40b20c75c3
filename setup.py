"""What pyproject.toml cannot say: the samples inside the wheel, and the page of a package index.

In a clone the sample studies lie beside the package, in a wheel inside it. Links and pictures of
the README lead to files of the repository; a package index has no such files. With
``NECROANGLE_REPOSITORY=https://...`` they lead to the repository; without, they are left out.
"""

import os
import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SAMPLES = "sample_dicoms"
REPOSITORY = os.environ.get("NECROANGLE_REPOSITORY", "").rstrip("/")
PAGES = {"Source": "", "Documentation": "/tree/main/docs", "Changelog": "/blob/main/CHANGELOG.md"}
_PICTURE = re.compile(r"!\[([^]]*)\]\((?!https?:)([^)]+)\)\n?")
_LINK = re.compile(r"(?<!!)\[([^]]*)\]\((?!https?:|#)([^)]+)\)")


class BuildWithSamples(build_py):
    """Build the package, and put the sample studies into it."""

    def run(self) -> None:
        """Build, then copy; an editable install finds them where they lie."""
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib, "necroangle", SAMPLES)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(SAMPLES, place)


def page(readme: str, repository: str) -> str:
    """The README as a package index shows it.

    Parameters
    ----------
    readme
        The README of the repository.
    repository
        Its address; where it is empty, pictures and links to its files are left out.
    """
    if not repository:
        return _LINK.sub(r"\1", _PICTURE.sub("", readme))
    whole = _PICTURE.sub(rf"![\1]({repository}/raw/main/\2)\n", readme)
    return _LINK.sub(rf"[\1]({repository}/blob/main/\2)", whole)


if __name__ == "__main__":
    setup(
        cmdclass={"build_py": BuildWithSamples},
        long_description=page(Path("README.md").read_text("utf-8"), REPOSITORY),
        long_description_content_type="text/markdown",
        project_urls={name: REPOSITORY + end for name, end in PAGES.items() if REPOSITORY},
    )
