"""What napari's manifest calls: DICOM series as layers in mm with their planes, and sample data.

A stack is a 3-D layer whose scale is its spacing in mm, ordered along its normal. It has no affine:
napari draws tilted affines on wrong slices; the patient's frame is in the metadata. A radiograph is
a 2-D layer, in mm only where its mm are true ones in the patient, else in pixels of its own shape.

Only the first layer is visible: stacks of several orientations share one slider. Letters of
orientation need a widget; here they are metadata (``edge_letters``).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from necroangle.annotation import SUFFIX
from necroangle.dicom import Scan, SeriesSummary, passport_of, read_volume, scan_folder
from necroangle.errors import DicomError
from necroangle.imaging import Volume
from necroangle.samples import sample_folder

LayerData = tuple[Any, dict[str, Any], str]
Paths = str | Sequence[str]

MOST_REASONS = 3
"""How many reasons an error names; the rest is counted."""


def reader_for(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """A reader for a folder, for DICOM files or for reading files; None for anything else.

    Examples
    --------
    >>> reader_for("holiday.jpg") is None
    True
    """
    names = [path] if isinstance(path, str) else list(path)
    if names and all(name.lower().endswith(SUFFIX) for name in names):
        from napari_necroangle.reading_layers import read_readings

        return read_readings
    fits = (Path(name).is_dir() or Path(name).suffix.lower() == ".dcm" for name in names)
    return read_layers if names and all(fits) else None


def read_layers(path: Paths) -> list[LayerData]:
    """Every series of a folder, or the series that hold the given files, as image layers.

    Raises
    ------
    DicomError
        If no series can be read; the message names the first reasons.
    """
    names = [Path(path)] if isinstance(path, str) else [Path(name) for name in path]
    layers: list[LayerData] = []
    for folder in dict.fromkeys(name if name.is_dir() else name.parent for name in names):
        files = {name.name for name in names if name.parent == folder and not name.is_dir()}
        layers += layers_of(scan_folder(folder), files if folder not in names else set())
    for _, options, _ in layers[1:]:
        options["visible"] = False
    return layers


def layers_of(scan: Scan, files: set[str]) -> list[LayerData]:
    """Image layers of a scan's series; with file names, only of the series that hold them.

    A series whose pixels cannot be read is left out; its reason, like those of all refused files,
    is in the metadata of every layer (``refused``).

    Raises
    ------
    DicomError
        If there is none.
    """
    read: list[tuple[SeriesSummary, Volume]] = []
    reasons = [
        str(one) for one in scan.left_out if not files or one.place in files or one.files > 1
    ]
    for series in scan.series:
        if files and not _places(series, files):
            continue
        try:
            read.append((series, read_volume(series)))
        except DicomError as error:
            reasons.append(str(error))
    if not read:
        raise DicomError(f"no series can be read: {_first(reasons)}")
    layers = []
    for series, volume in read:
        passport = passport_of(series, scan.series, scan.left_out)
        said = {"passport": passport.to_dict(), "refused": tuple(reasons)}
        layers.append(_layer(series, volume, _places(series, files), said))
    return layers


def _layer(
    series: SeriesSummary, volume: Volume, places: tuple[int, ...], said: dict[str, Any]
) -> LayerData:
    is_stack = series.kind == "stack"
    is_regular = is_stack and not volume.irregular
    scale, unit = _scale(series, volume)
    options = {
        "name": _name(series, places),
        "scale": scale,
        "units": (unit,) * len(scale),
        "contrast_limits": volume.shown_window(),
        "colormap": "gray",
        "metadata": {
            "planes": volume.planes,
            "sources": volume.sources,
            "calibrated": series.calibrated,
            "edge_letters": volume.planes[len(volume) // 2].edge_letters() if is_stack else None,
            "index_to_patient": volume.index_to_patient if is_regular else None,
            "series": _facts(series),
            "opened_slices": places,
            **said,
        },
    }
    return volume.pixels if is_stack else volume.pixels[0], options, "image"


def _facts(series: SeriesSummary) -> dict[str, Any]:
    """What the headers say of a series, as plain values; its files and folder are left out."""
    facts = {name: getattr(series, name) for name in _FACTS}
    return {
        **facts,
        "plane": series.plane.name if series.plane is not None else None,
        "obliquity_deg": series.plane.obliquity_deg if series.plane is not None else None,
        "laterality": series.laterality.value if series.laterality is not None else None,
        "slices": len(series),
    }


def _scale(series: SeriesSummary, volume: Volume) -> tuple[tuple[float, ...], str]:
    """Size of one index step along each axis of the layer, and its unit."""
    if series.kind == "stack":
        return volume.scale_mm, "mm"
    if series.calibrated:
        return (series.row_spacing_mm, series.column_spacing_mm), "mm"
    return (series.row_spacing_mm / series.column_spacing_mm, 1.0), "pixel"


def _name(series: SeriesSummary, places: tuple[int, ...]) -> str:
    """``coronal 11 slices (L)``; with one file asked for, which slice of them it is."""
    side = f" ({series.laterality.value})" if series.laterality is not None else ""
    if series.plane is None:
        view = _VIEWS.get(series.view or "")
        kind = _KINDS.get(series.kind, series.kind)
        return " ".join(filter(None, (view, f"{kind}{side}")))
    count = "1 slice" if len(series) == 1 else f"{len(series)} slices"
    words = [f"{series.plane.name} {count}{side}"]
    words += [part for part in series.split_by.split(", ") if any(map(str.isdigit, part))]
    if len(places) == 1 < len(series):
        words.append(f"file is slice {places[0] + 1}")
    return ", ".join(words)


def _places(series: SeriesSummary, files: set[str]) -> tuple[int, ...]:
    """Which slices of a series, from 0, are in the named files."""
    return tuple(place for place, (file, _) in enumerate(series.frames) if file in files)


def _first(reasons: Sequence[str]) -> str:
    named = "; ".join(reasons[:MOST_REASONS]) or "no DICOM images here"
    more = len(reasons) - MOST_REASONS
    return f"{named}; and {more} more" if more > 0 else named


_FACTS = (
    "study_uid",
    "series_uid",
    "stack_no",
    "split_by",
    "modality",
    "kind",
    "step_mm",
    "rows",
    "columns",
    "row_spacing_mm",
    "column_spacing_mm",
    "spacing_source",
    "calibrated",
    "view",
    "patient_position",
    "subject",
    "visit",
    "window",
)

_KINDS = {"secondary": "secondary capture"}

_VIEWS = {"AP": "AP", "PA": "PA", "LATERAL": "lateral"}


def plain() -> list[LayerData]:
    """Both hips with necrosis, planes square to the body."""
    return read_layers(str(sample_folder("plain")))


def above_180() -> list[LayerData]:
    """A hip with an arc above 180 degrees."""
    return read_layers(str(sample_folder("above_180")))
