"""napari's reader: DICOM series as layers, in physical order, in mm, with their planes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_necroangle._picture import Picture
from napari_necroangle._study import MR_PAIR, RADIOGRAPH_PAIR
from necroangle.dicom import Scan, SeriesSummary, read_volume, scan_folder
from necroangle.errors import DicomError
from necroangle.terms import View

__all__ = ["layers_of", "reader_for"]

LayerData = tuple[Any, dict[str, Any], str]
Paths = str | Sequence[str]


def reader_for(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """A reader for a folder or for DICOM files; None for anything else.

    Examples
    --------
    >>> reader_for("holiday.jpg") is None
    True
    """
    names = [path] if isinstance(path, str) else list(path)
    fits = (Path(name).is_dir() or Path(name).suffix.lower() == ".dcm" for name in names)
    return read_layers if names and all(fits) else None


def read_layers(path: Paths) -> list[LayerData]:
    """Every series of a folder, or the series that hold the given files, as image layers.

    Raises
    ------
    DicomError
        If no series can be read; the message says why.
    """
    names = [Path(path)] if isinstance(path, str) else [Path(name) for name in path]
    layers: list[LayerData] = []
    for folder in dict.fromkeys(name if name.is_dir() else name.parent for name in names):
        files = {name.name for name in names if name.parent == folder and not name.is_dir()}
        layers += layers_of(scan_folder(folder), files if folder not in names else set())
    return layers


def layers_of(scan: Scan, files: set[str]) -> list[LayerData]:
    """Image layers of a scan's series; with file names, only of the series that hold them.

    Raises
    ------
    DicomError
        If there is none.
    """
    chosen = [
        series
        for series in scan.series
        if not files or any(file in files for file, _ in series.frames)
    ]
    if not chosen:
        reasons = "; ".join(str(refusal) for refusal in scan.refused) or "no DICOM images here"
        raise DicomError(f"no series can be read: {reasons}")
    return [_layer(number, series) for number, series in enumerate(chosen, 1)]


def _layer(number: int, series: SeriesSummary) -> LayerData:
    picture = Picture(_view(series), read_volume(series), series.calibrated)
    name = series.plane.name if series.plane is not None else series.view or series.kind
    side = f" {series.laterality.value}" if series.laterality is not None else ""
    options = {
        "name": f"{number} {name}{side}",
        "scale": picture.volume.scale_mm,
        "units": ("mm", "mm", "mm"),
        "contrast_limits": picture.window(),
        "colormap": "gray",
        "metadata": {
            "planes": picture.volume.planes,
            "sources": picture.volume.sources,
            "calibrated": series.calibrated,
        },
    }
    return picture.volume.pixels, options, "image"


def _view(series: SeriesSummary) -> View:
    pair = RADIOGRAPH_PAIR if series.kind == "radiograph" else MR_PAIR
    sagittal = series.plane is not None and series.plane.name == "sagittal"
    return pair[1] if sagittal else pair[0]
