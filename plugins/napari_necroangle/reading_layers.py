"""Reading files as napari layers in patient mm, and layers back to reading files.

The world of the layers is the patient: L, P and S in mm. Each marked slice is a one-slice image,
and its marks, its circle and its arcs are layers of their own. All of them have the slice's own
grid, and carry it by one and the same affine: napari, which slices a tilted affine at another index
than the one under the slider, cannot then draw another slice than the one that was marked, nor the
marks on another picture. Both planes are seen together, and right, in three dimensions.

A radiograph has no patient frame: its layers are two-dimensional, in detector mm of their own.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import napari
import numpy as np
from napari.utils.notifications import show_info, show_warning
from numpy.typing import NDArray

from necroangle import __version__
from necroangle.annotation import (
    SUFFIX,
    HipReading,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReadView,
    decode_reading,
    save_reading,
    sha256_of,
)
from necroangle.annotation.file import read_bytes
from necroangle.batch.study_settings import measuring_in
from necroangle.dicom import read_volume, scan_folder
from necroangle.errors import NecroangleError, ReadingError
from necroangle.geometry import ImagePlane, PatientPoints, PlanePoints, arc_polyline
from necroangle.measurement import ViewMeasurement
from necroangle.moments import utc_now
from necroangle.review import ImagePlaces, audit_reading
from necroangle.terms import LandmarkName

LayerData = tuple[Any, dict[str, Any], str]
Array = NDArray[np.float64]
Marked = ReadView | NeighbourSlice

KEY = "necroangle"
"""Where a layer's metadata say which part of which reading it is."""

OFF_PLANE_MM = 0.5
"""How far off its slice a point may lie: half of the 1 mm by which a slice is drawn thick."""

NOT_MOVED_MM = 1e-6

_SKY, _ORANGE, _VERMILLION, _YELLOW, _PURPLE = (
    *("#56b4e9", "#e69f00", "#d55e00"),
    *("#f0e442", "#cc79a7"),
)
_LINE_MM, _ARC_MM, _POINT_MM = 0.4, 1.0, 2.0


@dataclass(frozen=True, slots=True)
class Ground:
    """The grid of a slice's layers, and where napari puts it.

    ``is_patient``: whether it lies in the patient; a radiograph's mm are its detector's.
    ``mm_px``: what a mm is in units of the world: 1, or pixels on a radiograph whose mm are no
    true ones.

    Examples
    --------
    >>> plane = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> ground = Ground(plane, True, 1.0)
    >>> points = ground.data(PlanePoints(np.array([[9.0, 5.0]])))  # u along the row, v down
    >>> (ground.options()["affine"] @ (*points[0], 1)).tolist()
    [-81.0, 5.0, 95.0, 1.0]
    """

    plane: ImagePlane
    is_patient: bool
    mm_px: float

    @classmethod
    def of(cls, record: PlaneRecord) -> "Ground":
        """The ground of a marked slice."""
        in_mm = record.frame == "patient" or record.calibrated
        mm_px = 1.0 if in_mm else 1 / record.column_spacing_mm
        return cls(record.plane(), record.frame == "patient", mm_px)

    @property
    def order(self) -> tuple[int, ...]:
        """Which of (normal, column, row) goes with the patient's axes L, P and S, the nearest.

        napari shows a grid whose axes are exchanged against the world's as one pixel.
        """
        size = np.abs(self._axes)
        return max(permutations(range(3)), key=lambda order: sum(size[range(3), order]))

    def options(self) -> dict[str, Any]:
        """Where layers of marks lie, whose data are :meth:`data`."""
        if not self.is_patient:
            return {"scale": (self.mm_px,) * 2, "units": self._units(2)}
        affine = np.eye(4)
        affine[:3, :3] = self._axes[:, self.order]
        affine[:3, 3] = self.plane.origin_mm
        return {"affine": affine, "units": self._units(3), "axis_labels": ("L", "P", "S")}

    def image_options(self) -> dict[str, Any]:
        """Where the slice's own pixels lie, as :meth:`pixels` gives them."""
        spacing = (self.plane.row_spacing_mm, self.plane.column_spacing_mm)
        options = self.options()
        if self.is_patient:
            options["affine"][:3, :3] *= np.array((1.0, *spacing))[list(self.order)]
        else:
            options["scale"] = tuple(self.mm_px * size for size in spacing)
        return options

    def pixels(self, slice_: NDArray[Any]) -> NDArray[Any]:
        """(rows, columns) pixels in the order of the layer's axes."""
        return np.transpose(slice_[None], self.order) if self.is_patient else slice_

    def data(self, points: PlanePoints, off_mm: float = 0.0) -> Array:
        """(N, 2) plane mm as (N, 3) data, so far off the plane; (N, 2) on a radiograph."""
        vu = np.asarray(points, float).reshape(-1, 2)[:, ::-1]
        if not self.is_patient:
            return vu
        return np.column_stack((np.full(len(vu), off_mm), vu))[:, self.order]

    def points(self, data: Array) -> tuple[Array, Array]:
        """(N, 2) plane mm of a layer's data, and (N,) mm off the plane."""
        if not self.is_patient:
            return data[:, ::-1], np.zeros(len(data))
        back = np.asarray(data, float)[:, np.argsort(self.order)]
        return back[:, :0:-1], back[:, 0]

    @property
    def _axes(self) -> Array:
        plane = self.plane
        return np.column_stack((plane.normal, plane.column_cosine, plane.row_cosine))

    def _units(self, count: int) -> tuple[str, ...]:
        return ("mm" if self.mm_px == 1.0 else "pixel",) * count


@dataclass(slots=True, eq=False)
class _Opened:
    """A reading whose layers are open, and which files of it this napari has seen.

    ``seen``: SHA-256 of what lies in each file that was read or written: no other is written
    over.
    ``parts``: names of its layers of points, by where they belong.
    """

    reading: HipReading
    seen: dict[Path, str]
    parts: dict[tuple[int, int, str], str] = field(default_factory=dict)

    def slice_at(self, view: int, beside: int) -> Marked:
        """A marked slice: 0 is the view's own, from 1 its neighbours."""
        entry = self.reading.views[view]
        assert isinstance(entry, ReadView)  # noqa: S101
        return entry.neighbours[beside - 1] if beside else entry


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Which points of which reading a layer holds; None for what is drawn of the measurement."""

    opened: _Opened
    place: tuple[int, int, str] | None

    def __repr__(self) -> str:
        return f"part of the reading {self.opened.reading.key}"


def read_readings(path: str | Sequence[str]) -> list[LayerData]:
    """The layers of reading files, with the pictures of their slices where these are found.

    Images are looked for by their identifiers in the folder of the reading and, where that is a
    folder ``readings``, in the one that holds it. What was not found, or has another plane now, is
    said in napari.

    Raises
    ------
    ReadingError
        If one is not a valid reading; the message names the file and the place in it.
    """
    files = [Path(path)] if isinstance(path, str) else [Path(one) for one in path]
    layers = [layer for file in files for layer in _layers_of(file)]
    _show_both_planes(layers)
    return layers


def _layers_of(file: Path) -> list[LayerData]:
    raw = read_bytes(file)
    reading = decode_reading(raw, file=file.name)
    opened = _Opened(reading, {file.resolve(): sha256_of(raw)})
    places = ImagePlaces(scan_folder(folder) for folder in _folders(file))
    measured = measuring_in(file.parent).measure(reading)
    layers: list[LayerData] = []
    absent: list[str] = []
    for number, view in enumerate(reading.views):
        if not isinstance(view, ReadView):
            continue
        of_view = measured.a if number == 0 else measured.b
        slices: tuple[Marked, ...] = (view, *view.neighbours)
        for beside, marked in enumerate(slices):
            name = view.view.label + (f", neighbour {beside}" if beside else "")
            picture = _picture(places, marked, name, opened)
            absent += [] if picture else [name]
            layers += picture
            layers += _drawn(marked, of_view, name, opened) if beside == 0 else []
            layers += _marks(marked, (number, beside), name, opened)
    _say(file, reading, places, absent)
    return layers


def _folders(file: Path) -> list[Path]:
    """Where images of a reading may lie: never in a whole home or disk."""
    own = file.resolve().parent
    above = own.parent
    is_study = own.name == "readings" and above not in (Path.home(), Path(own.anchor))
    return [own, above] if is_study else [own]


def _picture(places: ImagePlaces, marked: Marked, name: str, opened: _Opened) -> list[LayerData]:
    summary = places.slice_of(marked.image)
    if summary is None:
        return []
    with suppress(NecroangleError):
        volume = read_volume(summary)
        ground = Ground.of(marked.plane)
        on_disk = Ground(volume.planes[0], ground.is_patient, ground.mm_px)
        options = {
            "name": f"{name} image",
            "contrast_limits": volume.shown_window(),
            "colormap": "gray",
            "metadata": {KEY: _Part(opened, None)},
            **on_disk.image_options(),
        }
        return [(on_disk.pixels(volume.pixels[0]), options, "image")]
    return []


def _drawn(
    view: Marked, measured: ViewMeasurement | None, name: str, opened: _Opened
) -> list[LayerData]:
    """Circle and arcs as they were measured at opening, where they lie in the patient.

    They do not follow a point that moves.
    """
    if measured is None or measured.circle is None:
        return []
    ground, circle = Ground.of(view.plane), measured.circle
    lines = [("head circle", [arc_polyline(circle, 0.0, 360.0)], _SKY, _LINE_MM)]
    if measured.arcs:
        arcs = [arc_polyline(circle, arc.start_deg, arc.extent_deg) for arc in measured.arcs]
        lines.append(("necrotic arc", arcs, _VERMILLION, _ARC_MM))
    return [
        (
            [ground.data(PlanePoints(points), measured.slice_shift_mm) for points in paths],
            {
                "name": f"{name} {what}, measured",
                "shape_type": "path",
                "edge_color": colour,
                "face_color": "transparent",
                "edge_width": width,
                "metadata": {KEY: _Part(opened, None), "angle_deg": measured.angle_deg},
                **ground.options(),
            },
            "shapes",
        )
        for what, paths, colour, width in lines
    ]


def _marks(marked: Marked, at: tuple[int, int], name: str, opened: _Opened) -> list[LayerData]:
    """The layers of points: the rim always, so that one can be marked; others where there are."""
    arcs = [(mark, n, what) for n, arc in enumerate(marked.arcs, 1) for what, mark in _ends(arc)]
    layers = [_points(marked, marked.rim, (*at, "rim"), name, opened, _SKY)]
    if arcs:
        features: dict[str, list[Any]] = {
            "arc": [n for _, n, _ in arcs],
            "point": [what for _, _, what in arcs],
        }
        marks = [mark for mark, _, _ in arcs]
        layers.append(
            _points(marked, marks, (*at, "arc ends"), name, opened, _ORANGE, features, "{point}")
        )
    if isinstance(marked, ReadView) and marked.landmarks:
        marks = [one.mark for one in marked.landmarks]
        names = {"landmark": [one.name.value for one in marked.landmarks]}
        layers.append(
            _points(marked, marks, (*at, "landmarks"), name, opened, _PURPLE, names, "{landmark}")
        )
    if isinstance(marked, ReadView) and marked.contour:
        place = (*at, "lesion outline")
        layers.append(_points(marked, marked.contour, place, name, opened, _YELLOW))
    return layers


def _ends(arc: NecroticArc) -> tuple[tuple[str, Mark], ...]:
    return (("start", arc.start), ("end", arc.end), ("via", arc.via))


def _points(
    marked: Marked,
    marks: Sequence[Mark],
    place: tuple[int, int, str],
    name: str,
    opened: _Opened,
    colour: str,
    features: dict[str, list[Any]] | None = None,
    text: str = "",
) -> LayerData:
    ground = Ground.of(marked.plane)
    options: dict[str, Any] = {
        "name": f"{name} {place[2]}",
        "face_color": colour,
        "border_color": "black",
        "size": _POINT_MM,
        "ndim": 3 if ground.is_patient else 2,
        "metadata": {KEY: _Part(opened, place)},
        **ground.options(),
    }
    if features is not None:
        options["features"] = features
        options["text"] = {"string": text, "color": colour, "size": 9, "anchor": "upper_left"}
    opened.parts[place] = options["name"]
    return ground.data(_on_plane(ground, marks)), options, "points"


def _on_plane(ground: Ground, marks: Sequence[Mark]) -> PlanePoints:
    patient = np.array([mark.patient_mm for mark in marks], float).reshape(-1, 3)
    return ground.plane.patient_to_plane(PatientPoints(patient))


def _say(file: Path, reading: HipReading, places: ImagePlaces, absent: list[str]) -> None:
    if absent:
        show_info(
            f"{file.name}: no image beside it for {'; '.join(absent)}: the marks are shown alone. "
            "Images are looked for in the reading's folder."
        )
    if any(one.status == "differs" for one in audit_reading(reading, places)):
        show_warning(
            f"{file.name}: an image has another plane on the disk than in the reading; marks lie "
            "as the reading says. Run `necroangle audit-geometry`."
        )


def _show_both_planes(layers: list[LayerData]) -> None:
    """Turn an empty viewer to three dimensions: in two, planes that cross are not seen together."""
    viewer = napari.current_viewer()
    has_pictures = any(kind == "image" and "affine" in options for _, options, kind in layers[:1])
    if viewer is not None and not viewer.layers and has_pictures:
        viewer.dims.ndisplay = 3


def write_reading(path: str, layers: list[LayerData]) -> list[str]:
    """Save the points of a reading's layers as a reading file; all else of it is kept.

    Rim, arc ends, landmarks and outline are taken from the layers; images and what is drawn of the
    measurement are not. Marks that were not moved stay as they are to the last digit.

    ``path``: A new file, or the one that was opened, as it was: no other is written over.

    Raises
    ------
    ReadingError
        If the layers say what a reading file cannot: a layer that is missing, doubled, moved as a
        whole or of no reading; points off their slice; an arc without its two ends and the point
        between. Also if the reading is submitted, or another file lies there.
    """
    if not path.endswith(SUFFIX):
        raise ReadingError(f"the name of a reading file ends in {SUFFIX}", file=Path(path).name)
    opened = _only_reading(layers)
    if opened.reading.conduct.worklist is not None or opened.reading.conduct.submitted:
        raise ReadingError(
            "this reading belongs to a reader study: change it in the hip reading window, where "
            "the list keeps its order and its lock"
        )
    changed = msgspec.structs.replace(
        opened.reading,
        views=_views(opened, _layers_by_place(opened, layers)),
        saved_at=utc_now(),
        software=f"necroangle {__version__}",
    )
    file = Path(path).resolve()
    opened.seen[file] = save_reading(changed, file, replaces=opened.seen.get(file))
    return [path]


def _only_reading(layers: Iterable[LayerData]) -> _Opened:
    """The one reading that these layers are of; points and shapes of none are refused."""
    found: list[_Opened] = []
    for _, meta, kind in layers:
        part = meta["metadata"].get(KEY)
        if isinstance(part, _Part):
            found += [part.opened] if part.opened not in found else []
        elif kind in ("points", "shapes"):
            raise ReadingError(
                f"the layer {meta['name']!r} is no part of a reading and would be lost; delete it, "
                "or select the layers of the reading and save those"
            )
    if not found:
        raise ReadingError("no layer here comes from a reading file; open one first")
    if len(found) > 1:
        raise ReadingError("these are layers of several readings; select those of one")
    return found[0]


def _layers_by_place(
    opened: _Opened, layers: Iterable[LayerData]
) -> dict[tuple[int, int, str], LayerData]:
    found: dict[tuple[int, int, str], LayerData] = {}
    for layer in layers:
        part = layer[1]["metadata"].get(KEY)
        if not isinstance(part, _Part) or part.place is None:
            continue
        if part.place in found:
            raise ReadingError(f"two layers are {opened.parts[part.place]!r}; delete one")
        found[part.place] = layer
    for place, name in opened.parts.items():
        if place not in found:
            raise ReadingError(
                f"the layer {name!r} is missing; a reading is saved from all its layers of points"
            )
    return found


def _views(opened: _Opened, found: dict[tuple[int, int, str], LayerData]) -> tuple[Any, Any]:
    """The reading's views with the points that the layers hold now."""
    views: list[Any] = list(opened.reading.views)
    for place, layer in found.items():
        number, beside, part = place
        marked = opened.slice_at(number, beside)
        changed = _with_part(part, _placed(marked, layer), layer[1])
        if not beside:
            views[number] = msgspec.structs.replace(views[number], **changed)
            continue
        neighbours = list(views[number].neighbours)
        neighbours[beside - 1] = msgspec.structs.replace(neighbours[beside - 1], **changed)
        views[number] = msgspec.structs.replace(views[number], neighbours=tuple(neighbours))
    return views[0], views[1]


def _with_part(part: str, marks: tuple[Mark, ...], meta: dict[str, Any]) -> dict[str, Any]:
    if part == "arc ends":
        return {"arcs": _arcs(marks, meta)}
    if part == "landmarks":
        names = [LandmarkName(name) for name in meta["features"]["landmark"]]
        pairs = zip(names, marks, strict=True)
        return {"landmarks": tuple(Landmark(name, mark) for name, mark in pairs)}
    return {"rim" if part == "rim" else "contour": marks}


def _arcs(marks: tuple[Mark, ...], meta: dict[str, Any]) -> tuple[NecroticArc, ...]:
    """The arcs of a layer's points; each needs its three points once, and one arc must be left."""
    numbers, words = meta["features"]["arc"], meta["features"]["point"]
    arcs: dict[int, dict[str, Mark]] = {}
    for number, word, mark in zip(numbers, words, marks, strict=True):
        arc = arcs.setdefault(int(number), {})
        if word in arc:
            raise ReadingError(f"{meta['name']}: arc {number} has two points {word!r}; delete one")
        arc[word] = mark
    for number, arc in arcs.items():
        for word in ("start", "end", "via"):
            if word not in arc:
                raise ReadingError(
                    f"{meta['name']}: arc {number} has no point {word!r}; an arc is its two ends "
                    "and a point between them"
                )
    if not arcs:
        raise ReadingError(
            f"{meta['name']}: no arc is left; that a hip has no necrosis is said in the hip "
            "reading window"
        )
    return tuple(NecroticArc(**arcs[number]) for number in sorted(arcs))


def _placed(marked: Marked, layer: LayerData) -> tuple[Mark, ...]:
    """The marks of a layer's points, on the slice; those that were not moved as they were."""
    data, meta, _ = layer
    ground = Ground.of(marked.plane)
    _refuse_moved_layer(ground, meta)
    points, off_mm = ground.points(np.asarray(data, float))
    for number, away in enumerate(off_mm.tolist()):
        if not abs(away) <= OFF_PLANE_MM:
            raise ReadingError(
                f"{meta['name']}: point {number + 1} lies {away:.1f} mm off its slice; undo the "
                "move, or drag it with the view square to the slice"
            )
    before = _marks_of(marked)
    at = np.asarray(_on_plane(ground, before)).reshape(-1, 2)
    return tuple(_kept(point, before, at, ground.plane) for point in points)


def _kept(point: Array, before: Sequence[Mark], at: Array, plane: ImagePlane) -> Mark:
    near = np.flatnonzero(np.hypot(*(at - point).T) <= NOT_MOVED_MM)
    if len(near):
        return before[int(near[0])]
    return Mark.at_plane(plane, float(point[0]), float(point[1]))


def _marks_of(marked: Marked) -> list[Mark]:
    marks = [*marked.rim, *(mark for arc in marked.arcs for _, mark in _ends(arc))]
    if isinstance(marked, ReadView):
        marks += [*(one.mark for one in marked.landmarks), *marked.contour]
    return marks


def _refuse_moved_layer(ground: Ground, meta: dict[str, Any]) -> None:
    """A layer that was scaled, turned or shifted as a whole shows its points elsewhere."""
    size = 3 if ground.is_patient else 2
    nothing = {"affine": np.eye(size + 1), "scale": np.ones(size), "translate": np.zeros(size)}
    nothing |= {"rotate": np.eye(size)}
    for name, value in {**nothing, **ground.options()}.items():
        found = meta.get(name, value)
        if name in nothing and not np.allclose(np.asarray(found, float), value, atol=1e-9):
            raise ReadingError(
                f"{meta['name']}: the whole layer was moved ({name}); set it back, or move points"
            )
