"""What the tests share."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)  # timing never decides a test
settings.register_profile("few", settings.get_profile("house"), max_examples=10)
settings.load_profile("house")

REAL_DICOM = "NECROANGLE_REAL_DICOM"
DEFAULT_REAL_DICOM = Path(__file__).resolve().parents[1].parent / "shared" / "dicom"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real windows come one after another, in one process, while the others run beside them.

    They come first: they take as long as all the others.
    """
    for item in items:
        if item.get_closest_marker("screen"):
            item.add_marker(pytest.mark.xdist_group("screen"))
    items.sort(key=lambda item: item.get_closest_marker("screen") is None)


def pytest_collection_finish() -> None:
    """What is there before the first test stays: the garbage collector looks through it no more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def use_leak_safe_log_records() -> None:
    """Take the place of napari's fixture of this name.

    napari's keeps the keys of a log record's arguments where they are one dictionary, and then
    the record cannot be written: "not all arguments converted during string formatting".
    """


@pytest.fixture(scope="session")
def real_dicom_folder() -> Path:
    """The folder of real DICOM files; the test is skipped where there is none."""
    folder = Path(os.environ.get(REAL_DICOM) or DEFAULT_REAL_DICOM)
    if not folder.is_dir():
        pytest.skip(f"no folder of real DICOM files: set {REAL_DICOM} to one")
    return folder
