"""napari's sample data: the sample studies, or the same studies made on the spot."""

import shutil
import tempfile
from pathlib import Path

from napari_necroangle._reader import LayerData, read_layers

__all__ = ["above_180", "copy_sample", "plain", "sample_folder"]


def plain() -> list[LayerData]:
    """Both hips with necrosis, planes square to the body."""
    return _layers("plain")


def above_180() -> list[LayerData]:
    """A hip with an arc above 180 degrees."""
    return _layers("above_180")


def sample_folder(name: str) -> Path | None:
    """The folder of a sample study beside the plugin; None where it was installed without.

    Parameters
    ----------
    name
        Its name, as in :func:`necroangle.phantom.samples.sample_studies`.
    """
    beside = Path(__file__).parents[2] / "sample_dicoms" / name
    return beside if beside.is_dir() else None


def copy_sample(name: str, folder: Path) -> Path:
    """A sample study of its own in a folder: copied, or made where none is at hand.

    Parameters
    ----------
    name
        As of :func:`sample_folder`.
    folder
        Where it is put, under its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there, beside = folder / name, sample_folder(name)
    if beside is not None:
        return shutil.copytree(beside, there)
    from necroangle.phantom.samples import sample_studies
    from necroangle.phantom.write import write_study

    write_study(sample_studies()[name], there)
    return there


def _layers(name: str) -> list[LayerData]:
    """The layers of a sample; what has to be made for them is gone once they are read."""
    beside = sample_folder(name)
    if beside is not None:
        return read_layers(str(beside))
    with tempfile.TemporaryDirectory(prefix="necroangle-") as place:
        return read_layers(str(copy_sample(name, Path(place))))
