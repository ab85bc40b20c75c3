"""napari's sample data: the sample studies, or the same studies made on the spot."""

import tempfile
from pathlib import Path

from napari_necroangle._reader import LayerData, read_layers

__all__ = ["above_180", "plain", "sample_folder"]


def plain() -> list[LayerData]:
    """Both hips with necrosis, planes square to the body."""
    return read_layers(str(sample_folder("plain")))


def above_180() -> list[LayerData]:
    """A hip with an arc above 180 degrees."""
    return read_layers(str(sample_folder("above_180")))


def sample_folder(name: str) -> Path:
    """The folder of a sample study; written to a temporary folder where none is at hand.

    Parameters
    ----------
    name
        Its name, as in :func:`necroangle.phantom.samples.sample_studies`.
    """
    beside = Path(__file__).parents[2] / "sample_dicoms" / name
    if beside.is_dir():
        return beside
    from necroangle.phantom.samples import sample_studies
    from necroangle.phantom.write import write_study

    folder = Path(tempfile.mkdtemp(prefix="necroangle-")) / name
    write_study(sample_studies()[name], folder)
    return folder
