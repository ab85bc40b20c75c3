"""The reader by itself: what a viewer shows of a folder, and what it knows of it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from napari_necroangle.reader import layers_of, read_layers
from npe2 import PluginManifest

from necroangle.dicom import Refusal, SeriesSummary, scan_folder
from necroangle.errors import DicomError
from necroangle.geometry import PixelPoints

MakeViewer = Callable[..., Any]


def shown(folder: Path) -> ViewerModel:
    """A viewer model, without a window, that shows what the reader gives."""
    model = ViewerModel()
    for pixels, options, _ in read_layers(str(folder)):
        model.add_layer(Image(pixels, **options))
    return model


def units_of(layer: Image) -> set[str]:
    return {str(unit) for unit in layer.units}


def edited(folder: Path, **attributes: Any) -> None:
    """Change attributes of every file of a folder; None takes one away."""
    for path in sorted(folder.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        for keyword, value in attributes.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        dataset.save_as(path)


@pytest.fixture
def plain(samples: Path, tmp_path: Path) -> Path:
    """A copy of the plain study."""
    return shutil.copytree(samples / "plain", tmp_path / "plain")


@pytest.fixture
def radiographs(samples: Path, tmp_path: Path) -> Path:
    """A copy of the radiographs."""
    return shutil.copytree(samples / "radiographs", tmp_path / "radiographs")


def test_a_folder_shows_its_stacks_in_mm(samples: Path) -> None:
    model = shown(samples / "plain")
    assert sorted(layer.name for layer in model.layers) == [
        "coronal 11 slices",
        "sagittal 11 slices (L)",
        "sagittal 11 slices (R)",
    ]
    assert all(units_of(layer) == {"millimeter"} for layer in model.layers)
    assert [layer.visible for layer in model.layers] == [True, False, False]
    steps = {layer.name[:3]: layer.scale[0] for layer in model.layers}
    assert steps == pytest.approx({"cor": 4.4, "sag": 3.85})


@pytest.mark.parametrize("study", ["plain", "oblique"])
def test_the_slice_that_napari_draws_is_the_one_at_the_slider(samples: Path, study: str) -> None:
    """An affine of a tilted stack would draw another one: the reader gives none."""
    for pixels, options, _ in read_layers(str(samples / study)):
        model = ViewerModel()
        layer = model.add_layer(Image(pixels, **{**options, "visible": True}))
        assert model.dims.nsteps[0] == len(pixels)
        for index in range(len(pixels)):
            model.dims.set_point(0, index * options["scale"][0])
            assert model.dims.current_step[0] == index
            assert np.array_equal(layer._slice.image.raw, pixels[index])


@pytest.mark.parametrize("study", ["plain", "oblique"])
def test_the_metadata_lead_back_to_the_patient(samples: Path, study: str) -> None:
    for pixels, options, _ in read_layers(str(samples / study)):
        meta = options["metadata"]
        for index, plane in enumerate(meta["planes"]):
            truth = plane.pixel_to_patient(PixelPoints(np.array([[12.0, 34.0]])))[0]
            x, y, z, _ = meta["index_to_patient"] @ (index, 12, 34, 1)
            assert np.allclose((x, y, z), truth, atol=0.01)
        facts = meta["series"]
        assert facts["slices"] == len(pixels) == len(meta["sources"])
        assert (facts["rows"], facts["columns"]) == pixels.shape[1:]
        assert facts["plane"] in options["name"]
        assert facts["series_uid"] == meta["sources"][0].series_uid
        edges = meta["edge_letters"]
        assert edges["top"].startswith("S")
        assert edges["left"][0] == ("A" if facts["plane"] == "sagittal" else "R")


def test_no_path_and_no_identity_is_told(plain: Path) -> None:
    edited(plain, PatientName="Secret^Person", PatientID="SECRET-7", SeriesDescription="Secret")
    for _, options, _ in read_layers(str(plain)):
        words = str(options)
        assert "ecret" not in words
        assert "SECRET" not in words
        assert str(plain) not in words
        assert ".dcm" not in words


def test_the_passport_is_told_where_there_is_one(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Passport:
        def __init__(self, *known: int) -> None:
            self.known = known

        def to_dict(self) -> dict[str, object]:
            return {"known": self.known}

    def passport_of(
        series: SeriesSummary, study: Sequence[SeriesSummary], refused: Sequence[Refusal]
    ) -> Passport:
        return Passport(len(series), len(study), len(refused))

    monkeypatch.setattr("napari_necroangle.reader.passport_of", passport_of)
    for _, options, _ in read_layers(str(samples / "plain")):
        assert options["metadata"]["passport"] == {"known": (11, 3, 0)}


def test_a_radiograph_without_true_mm_is_shown_in_pixels(samples: Path) -> None:
    model = shown(samples / "radiographs")
    assert [layer.name for layer in model.layers] == ["AP radiograph (R)", "lateral radiograph (R)"]
    for layer in model.layers:
        assert layer.ndim == 2
        assert units_of(layer) == {"pixel"}
        assert tuple(layer.scale) == (1.0, 1.0)
        assert layer.metadata["calibrated"] is False
        assert layer.metadata["edge_letters"] is None
        assert layer.metadata["index_to_patient"] is None


def test_pixels_that_are_not_square_keep_their_shape(radiographs: Path) -> None:
    edited(radiographs, ImagerPixelSpacing=[0.3, 0.2])
    for layer in shown(radiographs).layers:
        assert units_of(layer) == {"pixel"}
        assert tuple(layer.scale) == pytest.approx((1.5, 1.0))


def test_a_calibrated_radiograph_is_shown_in_mm(radiographs: Path) -> None:
    edited(
        radiographs,
        PixelSpacing=[0.25, 0.24],
        PixelSpacingCalibrationType="FIDUCIAL",
        PixelSpacingCalibrationDescription="ball of 25 mm",
    )
    for layer in shown(radiographs).layers:
        assert units_of(layer) == {"millimeter"}
        assert tuple(layer.scale) == (0.25, 0.24)


def test_stacks_of_one_series_and_other_kinds_are_told_apart(samples: Path) -> None:
    scan = scan_folder(samples / "radiographs")
    captures = tuple(replace(one, kind="secondary", view=None) for one in scan.series)
    names = [options["name"] for _, options, _ in layers_of(replace(scan, series=captures), set())]
    assert names == ["secondary capture (R)"] * 2
    scan = scan_folder(samples / "plain" / "coronal")
    echoes = tuple(replace(one, split_by="orientation, echo time 20 ms") for one in scan.series)
    ((_, options, _),) = layers_of(replace(scan, series=echoes), set())
    assert options["name"] == "coronal 11 slices, echo time 20 ms"


def test_one_file_opens_its_series_and_says_which_slice_it_is(samples: Path) -> None:
    scan = scan_folder(samples / "plain" / "coronal")
    file, _ = scan.series[0].frames[6]
    ((pixels, options, _),) = read_layers(str(samples / "plain" / "coronal" / file))
    assert len(pixels) == 11
    assert options["metadata"]["opened_slices"] == (6,)
    assert options["name"] == "coronal 11 slices, file is slice 7"


def test_a_series_that_cannot_be_decoded_leaves_the_others(plain: Path) -> None:
    path = sorted((plain / "coronal").glob("*.dcm"))[3]
    whole = path.read_bytes()
    dataset = pydicom.dcmread(path)
    scan = scan_folder(plain)
    path.write_bytes(whole[: len(whole) - len(dataset.PixelData) // 2])
    layers = layers_of(scan, set())
    assert sorted(options["name"][:8] for _, options, _ in layers) == ["sagittal", "sagittal"]
    for _, options, _ in layers:
        (reason,) = options["metadata"]["refused"]
        assert path.name in reason


def test_nothing_readable_names_the_first_reasons(tmp_path: Path, plain: Path) -> None:
    for number, folder in enumerate(sorted(plain.iterdir())):
        if folder.is_dir():
            edited(folder, PixelSpacing=None)
            shutil.copytree(folder, plain / f"copy{number}")
    for path in sorted((plain / "copy0").glob("*.dcm"))[:2]:
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DicomError, match=r"no series can be read: .*PixelSpacing") as caught:
        read_layers(str(plain))
    assert str(caught.value).count("; ") == 3
    assert "more" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_napari_finds_the_reader(samples: Path, npe2pm: Any) -> None:
    npe2pm.register(PluginManifest.from_distribution("necroangle"))
    model = ViewerModel()
    layers = model.open(str(samples / "plain"), plugin="necroangle")
    assert len(layers) == 3
    assert model.layers.units is not None
    assert {str(unit) for unit in model.layers.units} == {"millimeter"}


@pytest.mark.screen
def test_the_screen_shows_the_right_slice_and_mm(
    make_napari_viewer: MakeViewer, qtbot: Any, samples: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 800)
    for pixels, options, _ in read_layers(str(samples / "oblique")):
        viewer.add_image(pixels, **options)
    bar = viewer.canvas.overlays.scale_bar
    bar.visible = True
    layer = viewer.layers[0]
    viewer.reset_view()
    canvas = viewer.window._qt_viewer.canvas
    for index in (2, 8):
        viewer.dims.set_point(0, index * layer.scale[0])
        qtbot.wait(300)
        assert _slice_on_screen(viewer, layer) == index
    texts = [node.node.text.text for node in _overlay_nodes(canvas, bar)]
    assert texts
    assert all(text.endswith("mm") for text in texts)


def _slice_on_screen(viewer: Any, layer: Image) -> int:
    """The slice whose grey values agree best with what stands on the canvas."""
    canvas = viewer.window._qt_viewer.canvas
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
    rows, columns = np.mgrid[10 : layer.data.shape[1] - 10 : 7, 10 : layer.data.shape[2] - 10 : 7]
    rows, columns = rows.ravel(), columns.ravel()
    node = canvas.layer_to_visual[layer].node
    spots = node.get_transform("visual", "canvas").map(
        np.column_stack((columns + 0.5, rows + 0.5, 0 * rows, 0 * rows + 1))
    )
    x, y = (spots[:, :2] / spots[:, 3:]).T
    ratio = picture.shape[1] / canvas.native.width()
    on_screen = picture[(y * ratio).astype(int), (x * ratio).astype(int)]
    alike = [np.corrcoef(on_screen, slice_[rows, columns])[0, 1] for slice_ in layer.data]
    assert max(alike) > 0.95
    return int(np.argmax(alike))


def _overlay_nodes(canvas: Any, overlay: Any) -> list[Any]:
    found = canvas._viewer_overlay_to_visual[overlay]
    return list(found) if isinstance(found, (list, tuple)) else [found]
