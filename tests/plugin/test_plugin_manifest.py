"""What napari is told of the plugin, and its reader."""

from pathlib import Path
from typing import Any

import napari_necroangle
import numpy as np
import pytest
from napari_necroangle.reader import read_layers, reader_for
from npe2 import PluginManifest

from necroangle.errors import DicomError
from necroangle.geometry import PatientPoints

MANIFEST = Path(napari_necroangle.__file__).parent / "napari.yaml"


def test_the_manifest_is_valid_and_its_commands_exist() -> None:
    manifest = PluginManifest.from_file(MANIFEST)
    assert manifest.name == "necroangle"
    manifest.validate_imports()
    commands = manifest.contributions.commands or []
    assert all(command.id.startswith("necroangle.") for command in commands)


def test_the_manifest_is_found_by_napari() -> None:
    assert PluginManifest.from_distribution("necroangle").name == "necroangle"


def test_layers_are_in_mm_with_their_planes(samples: Path) -> None:
    reader = reader_for(str(samples / "plain"))
    assert reader is not None
    layers = reader(str(samples / "plain"))
    assert len(layers) == 3
    for pixels, options, kind in layers:
        assert kind == "image"
        planes = options["metadata"]["planes"]
        assert len(planes) == len(pixels)
        assert "affine" not in options
        steps = [
            float(planes[0].distance_mm(PatientPoints(np.array([plane.origin_mm])))[0])
            for plane in planes
        ]
        assert np.allclose(np.diff(steps), options["scale"][0], atol=1e-3)
        assert options["scale"][1:] == (planes[0].row_spacing_mm, planes[0].column_spacing_mm)
        low, high = options["contrast_limits"]
        assert low < high


def test_one_file_opens_its_own_series(samples: Path) -> None:
    file = next((samples / "plain" / "coronal").glob("*.dcm"))
    ((pixels, options, _),) = read_layers(str(file))
    assert len(pixels) > 1
    assert "coronal" in options["name"]


def test_a_folder_without_dicom_says_so(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match="no DICOM images here"):
        read_layers(str(tmp_path))


def menu_words(menu: Any) -> set[str]:
    """The texts of a menu and of all below it."""
    found = set()
    for action in menu.actions():
        found.add(action.text())
        if action.menu() is not None:
            action.menu().aboutToShow.emit()
            found |= menu_words(action.menu())
    return found


@pytest.mark.screen
def test_samples_reader_and_dock_stand_in_naparis_own_menus(make_napari_viewer: Any) -> None:
    """As a reader finds them: File > Open Sample, and Plugins > NecroAngle."""
    viewer = make_napari_viewer(show=True)
    words = menu_words(viewer.window._qt_window.menuBar())
    manifest = PluginManifest.from_file(MANIFEST)
    samples = [one.display_name for one in manifest.contributions.sample_data or []]
    assert len(samples) == 2
    for name in samples:
        assert [one for one in words if name in one], words
    assert [one for one in words if "Hip reading" in one], words


@pytest.mark.screen
@pytest.mark.parametrize("key", ["plain", "above_180"])
def test_a_sample_opens_as_napari_opens_it(make_napari_viewer: Any, key: str) -> None:
    viewer = make_napari_viewer()
    viewer.open_sample("necroangle", key)
    assert len(viewer.layers) == 3
    assert all(layer.ndim == 3 for layer in viewer.layers)


@pytest.mark.screen
def test_napari_opens_a_study_by_the_plugins_reader(make_napari_viewer: Any, samples: Path) -> None:
    viewer = make_napari_viewer()
    viewer.open(str(samples / "plain"), plugin="necroangle")
    assert len(viewer.layers) == 3
