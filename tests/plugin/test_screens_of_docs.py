"""Every scene has its picture, every picture its scene, and the docs show them all."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def scenes() -> ModuleType:
    """The script that makes the pictures."""
    spec = importlib.util.spec_from_file_location("make_screens", DOCS / "make_screens.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_scenes_and_pictures_are_the_same(scenes: ModuleType) -> None:
    names = [one.name for one in scenes.SCENES]
    assert len(set(names)) == len(names)
    assert {path.stem for path in scenes.SCREENS.glob("*.png")} == set(names)


def test_each_picture_has_the_size_of_its_window(scenes: ModuleType) -> None:
    for scene in scenes.SCENES:
        with Image.open(scenes.SCREENS / f"{scene.name}.png") as picture:
            assert picture.size == scene.size, scene.name
            assert not picture.info.keys() & {"date", "Software", "Description"}


def test_the_docs_show_every_picture(scenes: ModuleType) -> None:
    text = (DOCS / "reading.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\(screens/(\w+)\.png\)", text))
    assert shown == {one.name for one in scenes.SCENES}


def test_the_pictures_are_small(scenes: ModuleType) -> None:
    total = sum(path.stat().st_size for path in scenes.SCREENS.glob("*.png"))
    assert total < scenes.MOST_BYTES


def test_the_film_is_short_and_moves() -> None:
    path = DOCS / "screens" / "first_hip.webp"
    assert path.stat().st_size < 2_000_000
    with Image.open(path) as film:
        assert film.n_frames > 20  # type: ignore[attr-defined]
        first = np.asarray(film.convert("L"), dtype=int)
        film.seek(film.n_frames - 1)  # type: ignore[attr-defined]
        last = np.asarray(film.convert("L"), dtype=int)
    assert np.count_nonzero(np.abs(first - last) > 30) > 2000


def test_an_unknown_scene_is_refused(scenes: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no such scene: nowhere"):
        scenes.main(["nowhere"])


def test_no_picture_is_of_an_empty_window(scenes: ModuleType) -> None:
    """Black canvases, as of a screen that cannot draw, are no pictures."""
    for scene in scenes.SCENES:
        if scene.name == "start":
            continue
        with Image.open(scenes.SCREENS / f"{scene.name}.png") as picture:
            grey = np.asarray(picture.convert("L"))
            down, across = grey.shape
            middle = grey[down // 3 : 2 * down // 3, across // 8 : across // 4]
            assert np.ptp(middle) > 100, scene.name
