"""What the tests share."""

import gc
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile(
    "house",
    deadline=None,  # timing never decides a test
    print_blob=True,
    max_examples=40,
)
settings.register_profile("few", settings.get_profile("house"), max_examples=10)
settings.register_profile("many", settings.get_profile("house"), max_examples=1000)
settings.load_profile("house")

# What starts from here does linear algebra in one thread: with the small matrices of a hip more
# threads only wait for each other, and took a third of the time of some tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

REAL_DICOM = "NECROANGLE_REAL_DICOM"
DEFAULT_REAL_DICOM = Path(__file__).resolve().parents[1].parent / "shared" / "dicom"


def pytest_configure(config: pytest.Config) -> None:
    """Give each process that runs tests beside others a screen and napari settings of its own.

    On one screen their windows would take the keys and the mouse from each other.
    """
    if not hasattr(config, "workerinput") or not os.environ.get("DISPLAY"):
        return
    xvfb = shutil.which("Xvfb")
    if xvfb is None:  # a screen that people look at: nothing runs beside it
        return
    folder = tempfile.mkdtemp(prefix="napari_settings_")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
    read, write = os.pipe()
    screen = subprocess.Popen(
        [xvfb, "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )

    def end() -> None:
        screen.terminate()
        screen.wait()

    config.add_cleanup(end)
    os.close(write)
    with os.fdopen(read) as stream:
        os.environ["DISPLAY"] = f":{stream.readline().strip()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real windows come first: they take the longest, and the others fill up the rest."""
    items.sort(key=lambda item: item.get_closest_marker("screen") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What a file of tests makes once is made by one process: ``--dist loadgroup``.

    xdist's own groups hold nothing together since pytest 9.2: node ids are no plain texts there.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if _makes_once(config.rootpath / file) else nodeid

    return Together(config, log)


@cache
def _makes_once(file: Path) -> bool:
    return bool(re.search(r'scope="(module|session)"', file.read_text("utf-8")))


def pytest_collection_finish() -> None:
    """What is there before the first test stays: the garbage collector looks through it no more."""
    gc.collect()
    gc.freeze()


class _WordsOnly(logging.LogRecord):
    """A record that keeps the words of its arguments, and so holds no window that they name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.args, Mapping):
            self.args = {name: _in_words(value) for name, value in self.args.items()}
        elif self.args:
            self.args = tuple(map(_in_words, self.args))


def _in_words(value: object) -> Any:
    return value if isinstance(value, int | float) else str(value)


@pytest.fixture(autouse=True, scope="session")
def use_leak_safe_log_records() -> Iterator[None]:
    """Take the place of napari's fixture of this name.

    napari's keeps the keys of a log record's arguments where they are one dictionary, and then
    the record cannot be written: "not all arguments converted during string formatting".
    """
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_WordsOnly)
    yield
    logging.setLogRecordFactory(before)


@pytest.fixture(scope="session")
def real_dicom_folder() -> Path:
    """The folder of real DICOM files; the test is skipped where there is none."""
    folder = Path(os.environ.get(REAL_DICOM) or DEFAULT_REAL_DICOM)
    if not folder.is_dir():
        pytest.skip(f"no folder of real DICOM files: set {REAL_DICOM} to one")
    return folder
