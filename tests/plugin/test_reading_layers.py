"""Reading files as layers in patient mm, changed in napari, and saved from there."""

import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hipmaker import SHAPE, make_plane, make_reading, make_rim
from napari.components import ViewerModel
from napari.layers import Layer
from napari_necroangle.reader import reader_for
from napari_necroangle.reading_layers import Ground, read_readings, write_reading

from necroangle.annotation import (
    HipReading,
    Landmark,
    Mark,
    NeighbourSlice,
    PlaneRecord,
    ReadView,
    load_reading,
    save_reading,
)
from necroangle.errors import ReadingError
from necroangle.geometry import PatientPoints
from necroangle.measurement import measure, method_named
from necroangle.protocol.study import new_protocol, study_toml
from necroangle.terms import LandmarkName, View

TILTED = (12.0, -6.0, 15.0)

Layers = dict[str, Layer]


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_read_ahead() -> None:
    """What a window of another test still reads, puts the filters of warnings back when it ends."""
    for thread in threading.enumerate():
        if thread.name.startswith("necroangle-prefetch"):
            thread.join(60)


@pytest.fixture(autouse=True)
def _tilted_slicing() -> Iterator[None]:
    """napari says of every tilted layer that it slices it without its tilt."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Non-orthogonal slicing", UserWarning)
        yield


def full_reading(turn_deg: tuple[float, float, float] = TILTED) -> HipReading:
    """A tilted hip with a neighbour slice, landmarks and an outline in its coronal view."""
    reading = make_reading(100, 80, turn_deg=turn_deg, arco=None, notes="seen twice")
    view = reading.views[0]
    assert isinstance(view, ReadView)
    plane = view.plane.plane()
    u, v = np.mean([(m.pixel[1] * 0.45, m.pixel[0] * 0.6) for m in view.rim], axis=0).tolist()
    beside = make_plane(View.CORONAL, turn_deg=turn_deg, offset_mm=4.0)
    neighbour = NeighbourSlice(
        msgspec.structs.replace(view.image, instance_uid=view.image.instance_uid + ".9"),
        PlaneRecord.of(beside, SHAPE),
        make_rim(beside, (u, v), 23.6),
        (),
    )
    names = (LandmarkName.ACETABULAR_EDGE, LandmarkName.TEARDROP)
    landmarks = tuple(
        Landmark(name, Mark.at_plane(plane, u + 20 * n, v + 5)) for n, name in enumerate(names)
    )
    outline = tuple(Mark.at_plane(plane, u + dx, v - 10) for dx in (-4, 0, 4))
    changed = msgspec.structs.replace(
        view, neighbours=(neighbour,), landmarks=landmarks, contour=outline
    )
    return msgspec.structs.replace(reading, views=(changed, reading.views[1]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The tilted hip in its file, with no images beside it."""
    path = tmp_path / "hip.reading.json"
    save_reading(full_reading(), path)
    return path


def opened(path: Path) -> Layers:
    """The layers of a file, by name, made as napari makes them."""
    layers = [Layer.create(*layer) for layer in read_readings(str(path))]
    return {layer.name: layer for layer in layers}


def saved(layers: Layers, path: Path) -> HipReading:
    """What the writer makes of layers."""
    write_reading(str(path), [layer.as_layer_data_tuple() for layer in layers.values()])
    return load_reading(path)


def world_of(layer: Layer, data: Any) -> list[float]:
    return [float(one) for one in layer.data_to_world(data)]


def in_plane_step(layer: Layer, view: ReadView, u_mm: float, v_mm: float) -> Any:
    """A step along row and column of a slice, as a step of a layer's data."""
    plane = view.plane.plane()
    step = np.array(plane.row_cosine) * u_mm + np.array(plane.column_cosine) * v_mm
    zero = np.array(layer.world_to_data((0.0, 0.0, 0.0)))
    return np.array(layer.world_to_data(step)) - zero


def test_marks_lie_at_their_patient_mm_by_view_and_part(file: Path) -> None:
    layers, reading = opened(file), load_reading(file)
    assert list(layers) == [
        "coronal head circle, measured",
        "coronal necrotic arc, measured",
        "coronal rim",
        "coronal arc ends",
        "coronal landmarks",
        "coronal lesion outline",
        "coronal, neighbour 1 rim",
        "sagittal head circle, measured",
        "sagittal necrotic arc, measured",
        "sagittal rim",
        "sagittal arc ends",
    ]
    view = reading.views[0]
    assert isinstance(view, ReadView)
    arc = view.arcs[0]
    for name, marks in {
        "coronal rim": view.rim,
        "coronal arc ends": (arc.start, arc.end, arc.via),
        "coronal landmarks": [one.mark for one in view.landmarks],
        "coronal lesion outline": view.contour,
        "coronal, neighbour 1 rim": view.neighbours[0].rim,
    }.items():
        layer = layers[name]
        found = [world_of(layer, one) for one in layer.data]
        assert np.allclose(found, [mark.patient_mm for mark in marks], atol=1e-9), name
        assert {str(unit) for unit in layer.units} == {"millimeter"}
        assert layer.axis_labels == ("L", "P", "S")
    circle = layers["coronal head circle, measured"]
    measured = measure(reading).a
    assert measured is not None
    assert measured.circle is not None
    assert measured.centre_mm is not None
    far = [
        np.linalg.norm(np.subtract(world_of(circle, one), measured.centre_mm))
        for one in circle.data[0]
    ]
    assert np.allclose(far, measured.circle.radius_mm, atol=1e-6)


def test_in_a_study_of_centre_planes_both_circles_are_about_the_head_s_centre(
    samples: Path, tmp_path: Path
) -> None:
    """By the study's method, and where they lie in the patient: beside the marked slices."""
    (source,) = (samples / "readings").glob("PHANTOM-02__L__baseline*.json")
    path = tmp_path / source.name
    path.write_bytes(source.read_bytes())
    (tmp_path / "study.toml").write_bytes(study_toml(new_protocol("onfh", "centre_plane")))
    layers, measured = opened(path), measure(load_reading(path), method_named("centre_plane"))
    for name, one in (("coronal", measured.a), ("sagittal", measured.b)):
        assert one is not None
        assert one.circle is not None
        circle = layers[f"{name} head circle, measured"]
        assert circle.metadata["angle_deg"] == one.angle_deg
        on_it = [world_of(circle, point) for point in circle.data[0]]
        away = np.linalg.norm(np.array(on_it) - (88.0, -4.0, 9.0), axis=1)
        assert np.allclose(away, one.circle.radius_mm, atol=0.01)


@pytest.mark.parametrize("study", ["01__L", "02__R", "04__R"])
def test_a_mark_and_its_pixel_are_one_place_in_the_world(samples: Path, study: str) -> None:
    """Straight and tilted stacks: the pixel of the image is where the reading's mm are."""
    (path,) = (samples / "readings").glob(f"PHANTOM-{study}__baseline*.json")
    layers, reading = opened(path), load_reading(path)
    for view in reading.views:
        assert isinstance(view, ReadView)
        image, rim = layers[f"{view.view.label} image"], layers[f"{view.view.label} rim"]
        assert sorted(image.data.shape)[0] == 1
        ground = Ground.of(view.plane)
        for mark, data in zip(view.rim, rim.data, strict=True):
            index = np.array((0.0, *mark.pixel))[list(ground.order)]
            assert np.allclose(world_of(image, index), mark.patient_mm, atol=1e-3)
            assert np.allclose(world_of(rim, data), mark.patient_mm, atol=1e-9)


@pytest.mark.parametrize("turn_deg", [(0.0, 0.0, 0.0), TILTED])
def test_two_dimensions_draw_the_marked_slice_with_all_its_marks_or_neither(
    tmp_path: Path, turn_deg: tuple[float, float, float]
) -> None:
    """At every place of the slider; napari's wrong slice cannot come, there is no other."""
    reading = full_reading(turn_deg)
    path = tmp_path / "hip.reading.json"
    save_reading(reading, path)
    rim = opened(path)["coronal rim"]
    view = reading.views[0]
    assert isinstance(view, ReadView)
    ground = Ground.of(view.plane)
    pixels = np.arange(SHAPE[0] * SHAPE[1], dtype=float).reshape(SHAPE) + 1
    model = ViewerModel()
    image = model.add_image(ground.pixels(pixels), **ground.image_options())
    model.add_layer(rim)
    model.dims.order = (1, 2, 0)
    seen = 0
    first, last, _ = model.dims.range[1]
    for place in np.arange(first, last + 0.1, 0.25):
        model.dims.set_point(1, place)
        drawn = bool(np.asarray(image._slice.image.raw).any())
        count = len(rim._view_indices)
        assert count in (0, len(view.rim))
        assert drawn == (count > 0)
        seen += drawn
    assert seen


def test_layers_that_were_not_touched_save_every_mark_to_the_last_digit(file: Path) -> None:
    before = load_reading(file)
    after = saved(opened(file), file.parent / "copy.reading.json")
    assert after.saved_at > before.saved_at
    same = msgspec.structs.replace(after, saved_at=before.saved_at, software=before.software)
    assert same == before


def test_moved_points_are_measured_as_they_lie_in_napari(file: Path) -> None:
    layers, before = opened(file), load_reading(file)
    view = before.views[0]
    assert isinstance(view, ReadView)
    rim, arc, named = (layers[f"coronal {part}"] for part in ("rim", "arc ends", "landmarks"))
    data = rim.data.copy()
    data[3] += in_plane_step(rim, view, 1.5, -0.5)
    rim.data = data
    ends = arc.data.copy()
    ends[1] += in_plane_step(arc, view, 0.0, 3.0)
    arc.data = ends
    marked = named.data.copy()
    marked[0] += in_plane_step(named, view, 2.0, 0.0)
    named.data = marked
    after = saved(layers, file.parent / "moved.reading.json")

    plane = view.plane.plane()

    def placed(layer: Layer, row: int) -> Mark:
        x, y, z = world_of(layer, layer.data[row])
        return Mark.at_patient(plane, (x, y, z))

    wanted = msgspec.structs.replace(
        view,
        rim=(*view.rim[:3], placed(rim, 3), *view.rim[4:]),
        arcs=(msgspec.structs.replace(view.arcs[0], end=placed(arc, 1)),),
        landmarks=(Landmark(view.landmarks[0].name, placed(named, 0)), view.landmarks[1]),
    )
    expected = msgspec.structs.replace(before, views=(wanted, before.views[1]))
    found, truth = measure(after), measure(expected)
    assert found.cna_deg == pytest.approx(truth.cna_deg, abs=1e-6)
    assert found.cna_deg != pytest.approx(measure(before).cna_deg or 0.0, abs=0.1)
    changed = after.views[0]
    assert isinstance(changed, ReadView)
    assert changed.rim[:3] == view.rim[:3]
    distance = plane.distance_mm(PatientPoints(np.array([m.patient_mm for m in changed.rim])))
    assert np.abs(distance).max() < 1e-9
    assert (after.notes, after.entries, after.conduct) == (
        "seen twice",
        before.entries,
        before.conduct,
    )


def test_points_may_be_added_to_a_rim_and_taken_from_it(file: Path) -> None:
    layers = opened(file)
    rim, view = layers["coronal rim"], load_reading(file).views[0]
    assert isinstance(view, ReadView)
    rim.add(rim.data[0] + in_plane_step(rim, view, 0.5, 0.0))
    rim.selected_data = {1}
    rim.remove_selected()
    after = saved(layers, file.parent / "rim.reading.json").views[0]
    assert isinstance(after, ReadView)
    assert after.rim[: len(view.rim) - 1] == (view.rim[0], *view.rim[2:])
    assert len(after.rim) == len(view.rim)


def off_the_plane(layers: Layers) -> None:
    rim = layers["coronal rim"]
    data = rim.data.copy()
    normal = np.array(rim.world_to_data(np.array(rim.affine.rotate)[:, 1] * 2.0))
    data[2] += normal - np.array(rim.world_to_data((0.0, 0.0, 0.0)))
    rim.data = data


def without_an_end(layers: Layers) -> None:
    arc = layers["coronal arc ends"]
    arc.selected_data = {1}
    arc.remove_selected()


def without_an_arc(layers: Layers) -> None:
    arc = layers["coronal arc ends"]
    arc.selected_data = {0, 1, 2}
    arc.remove_selected()


def with_two_starts(layers: Layers) -> None:
    arc = layers["coronal arc ends"]
    arc.features = arc.features.assign(point=["start", "start", "via"])


def with_two_rim_points(layers: Layers) -> None:
    layers["sagittal rim"].data = layers["sagittal rim"].data[:2]


def without_a_layer(layers: Layers) -> None:
    del layers["sagittal rim"]


def with_a_layer_twice(layers: Layers) -> None:
    layers["copy"] = Layer.create(*layers["sagittal rim"].as_layer_data_tuple())


def with_a_strange_layer(layers: Layers) -> None:
    layers["mine"] = Layer.create(np.zeros((2, 3)), {"name": "mine"}, "points")


def moved_as_a_whole(layers: Layers) -> None:
    layers["coronal rim"].translate = (0.0, 3.0, 0.0)


def with_a_landmark_twice(layers: Layers) -> None:
    named = layers["coronal landmarks"]
    named.features = named.features.assign(landmark=["teardrop", "teardrop"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (off_the_plane, r"coronal rim: point 3 lies -?2\.0 mm off its slice"),
        (without_an_end, r"coronal arc ends: arc 1 has no point 'end'"),
        (without_an_arc, r"coronal arc ends: no arc is left"),
        (with_two_starts, r"arc 1 has two points 'start'"),
        (with_two_rim_points, r"a head circle needs at least 3 rim marks, found 2"),
        (without_a_layer, r"the layer 'sagittal rim' is missing"),
        (with_a_layer_twice, r"two layers are 'sagittal rim'"),
        (with_a_strange_layer, r"the layer 'mine' is no part of a reading"),
        (moved_as_a_whole, r"coronal rim: the whole layer was moved \(translate\)"),
        (with_a_landmark_twice, r"a landmark is marked twice"),
    ],
)
def test_what_a_reading_cannot_say_is_refused_with_its_reason(
    file: Path, change: Callable[[Layers], None], reason: str
) -> None:
    layers, target = opened(file), file.parent / "changed.reading.json"
    change(layers)
    with pytest.raises(ReadingError, match=reason):
        saved(layers, target)
    assert not target.exists()


def test_layers_of_two_readings_or_of_none_are_refused(file: Path) -> None:
    first, second = opened(file), opened(file)
    both = first | {f"{name} 2": layer for name, layer in second.items()}
    with pytest.raises(ReadingError, match="several readings"):
        saved(both, file.parent / "both.reading.json")
    image = Layer.create(np.zeros((2, 2)), {}, "image")
    with pytest.raises(ReadingError, match="no layer here comes from a reading"):
        saved({"image": image}, file.parent / "none.reading.json")


def test_nothing_unseen_is_written_over(file: Path) -> None:
    layers = opened(file)
    rim = layers["coronal rim"]
    for _ in range(2):  # the file that was opened, and then the file that was saved
        rim.data = rim.data[:-1]
        saved(layers, file)
    other = file.parent / "other.reading.json"
    save_reading(make_reading(60, 60), other)
    kept = other.read_bytes()
    with pytest.raises(ReadingError, match="another version of this reading is here"):
        saved(layers, other)
    assert other.read_bytes() == kept
    file.write_bytes(kept)
    with pytest.raises(ReadingError, match="another version of this reading is here"):
        saved(layers, file)
    assert file.read_bytes() == kept


def test_a_reading_of_a_reader_study_is_not_changed_here(tmp_path: Path) -> None:
    reading = make_reading()
    conduct = msgspec.structs.replace(
        reading.conduct, worklist="wl-1", read_order=1, blinded=True, submitted=True
    )
    path = tmp_path / "hip.reading.json"
    save_reading(msgspec.structs.replace(reading, conduct=conduct), path)
    with pytest.raises(ReadingError, match="belongs to a reader study"):
        saved(opened(path), path)


def test_another_name_is_refused(file: Path) -> None:
    with pytest.raises(ReadingError, match=r"ends in \.reading\.json"):
        saved(opened(file), file.parent / "hip.json")


def test_radiographs_are_flat_in_detector_mm(tmp_path: Path) -> None:
    path = tmp_path / "film.reading.json"
    before = make_reading(b_view=View.FROG_LEG)
    save_reading(before, path)
    layers = opened(path)
    rim = layers["AP rim"]
    view = before.views[0]
    assert isinstance(view, ReadView)
    assert rim.ndim == 2
    size = np.array((view.plane.row_spacing_mm, view.plane.column_spacing_mm))
    assert np.allclose(rim.data, [mark.pixel for mark in view.rim] * size, atol=1e-9)
    after = saved(layers, tmp_path / "again.reading.json")
    assert after.views == before.views


def test_a_view_without_necrosis_keeps_its_finding(tmp_path: Path) -> None:
    path = tmp_path / "hip.reading.json"
    before = make_reading(0, None)
    save_reading(before, path)
    layers = opened(path)
    assert list(layers) == ["coronal head circle, measured", "coronal rim"]
    assert saved(layers, tmp_path / "again.reading.json").views == before.views


@pytest.mark.screen
def test_napari_opens_changes_and_saves_a_reading(
    make_napari_viewer: Any, samples: Path, tmp_path: Path
) -> None:
    """The whole way in napari itself: File > Open, a moved end, File > Save all layers."""
    (source,) = (samples / "readings").glob("PHANTOM-02__L__*.json")
    path = tmp_path / "oblique" / "hip.reading.json"
    shutil.copytree(samples / "oblique", path.parent)
    shutil.copy(source, path)
    viewer = make_napari_viewer(show=True)
    viewer.open(str(path), plugin="necroangle")
    assert viewer.dims.ndisplay == 3
    assert "coronal image" in viewer.layers
    arc = viewer.layers["coronal arc ends"]
    before = load_reading(path)
    view = before.views[0]
    assert isinstance(view, ReadView)
    data = arc.data.copy()
    data[0] += in_plane_step(arc, view, 2.0, 2.0)
    arc.data = data
    assert viewer.layers.save(str(path), plugin="necroangle") == [str(path)]
    after = load_reading(path)
    x, y, z = world_of(arc, data[0])
    moved = msgspec.structs.replace(
        view.arcs[0], start=Mark.at_patient(view.plane.plane(), (x, y, z))
    )
    expected = msgspec.structs.replace(
        before, views=(msgspec.structs.replace(view, arcs=(moved,)), before.views[1])
    )
    assert measure(after).cna_deg == pytest.approx(measure(expected).cna_deg, abs=1e-6)
    assert measure(after).cna_deg != measure(before).cna_deg


def test_a_file_of_readings_is_read_by_name() -> None:
    assert reader_for("a.reading.json") is read_readings
    assert reader_for(["a.reading.json", "b.READING.JSON"]) is read_readings
    assert reader_for(["a.reading.json", "b.dcm"]) is None
