"""The sample studies that come with every copy: phantom hips with known truth, and their readings.

An installed copy has them inside the package, a clone beside it (``sample_dicoms``).
"""

import filecmp
import shutil
from importlib.resources import files
from pathlib import Path

from necroangle.errors import PhantomError, system_words

__all__ = ["SAMPLE_SET", "copy_samples", "sample_folder", "sample_set"]

SAMPLE_SET = "sample_dicoms"
"""Name of the folder, in the package and beside it."""


def sample_set() -> Path:
    """The folder of all sample studies. It is read and never written.

    Raises
    ------
    PhantomError
        If this copy came without.

    Examples
    --------
    >>> sorted(path.name for path in sample_set().iterdir() if path.is_dir())
    ['above_180', 'lifelike', 'normal', 'oblique', 'plain', 'radiographs', 'readings', 'two_visits']
    """
    package = Path(str(files("necroangle")))
    for place in (package / SAMPLE_SET, package.parent / SAMPLE_SET):
        if (place / "readings").is_dir():
            return place
    raise PhantomError(
        "this copy of necroangle came without its sample studies; "
        "make them with `necroangle phantom FOLDER --samples` (two minutes)"
    )


def sample_folder(name: str) -> Path:
    """The folder of one sample study.

    Parameters
    ----------
    name
        As in :func:`necroangle.phantom.sample_studies`: ``plain``, ``two_visits/baseline``.

    Raises
    ------
    PhantomError
        If there is none of that name.

    Examples
    --------
    >>> sample_folder("plain").name
    'plain'
    >>> sample_folder("holiday")
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: 'holiday' is no sample study
    """
    folder = sample_set() / name
    if not (folder / "truth.json").is_file():
        raise PhantomError(f"{name!r} is no sample study")
    return folder


def copy_samples(folder: Path) -> int:
    """Put the sample set in a folder. What lies there already is left as it is.

    Parameters
    ----------
    folder
        Made where it is missing; it may hold other files, and a part of the set.

    Returns
    -------
    int
        How many files were written; 0 where the whole set lay there.

    Raises
    ------
    PhantomError
        If a file of another content has the name of one of the set, or the disk refuses. The
        first is found before anything is written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "samples"
    >>> copy_samples(folder) > 200, copy_samples(folder)
    (True, 0)
    """
    source = sample_set()
    names = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
    try:
        there = {name for name in names if (folder / name).exists()}
        for name in sorted(there):
            if not filecmp.cmp(source / name, folder / name, shallow=False):
                raise PhantomError(
                    f"{folder / name}: another file has this name; choose an empty folder"
                )
        for name in names:
            if name not in there:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, folder / name)
    except OSError as error:
        raise PhantomError(f"{folder}: cannot be written ({system_words(error)})") from error
    return len(names) - len(there)
