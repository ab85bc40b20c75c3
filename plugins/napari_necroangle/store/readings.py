"""Where readings and preferences lie, and how a new reading finds a free place.

Nothing is overwritten unseen.
"""

from contextlib import suppress
from pathlib import Path

from platformdirs import user_config_path

from napari_necroangle.reading.keys import use_keys, with_own
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import APP
from necroangle.annotation import decode_reading, file_name, file_name_of, save_reading, sha256_of
from necroangle.annotation.file import read_bytes
from necroangle.errors import ReadingError, system_words
from necroangle.storage import can_write_in

SAMPLES = "sample_dicoms"
"""Readings made on the samples are not put beside them."""
OWN_FOLDER = "necroangle-readings"
"""The folder in the reader's home that takes readings which have no better place."""


def default_folder(study: Path) -> Path:
    """Where the readings of a study go: the folder ``readings`` beside the study's.

    Beside a sample study, or where nothing can be written, it is a folder in the reader's home.
    """
    beside = study.resolve().parent / "readings"
    if is_sample(study) or not can_write_in(beside):
        return Path.home() / OWN_FOLDER
    return beside


def is_sample(path: Path) -> bool:
    """Whether a study or a reading is one of the samples."""
    return SAMPLES in path.resolve().parts


def readings_beside(path: Path, otherwise: Path | None) -> Path | None:
    """Where readings go after one was opened: beside it, but not among the samples."""
    return otherwise if is_sample(path) else path.parent


def path_of(session: ReadingSession, folder: Path) -> Path:
    """The file that the session's reading goes to."""
    return folder / file_name(session.reading())


def save_session(session: ReadingSession, folder: Path) -> Path:
    """Save the session's reading in its own file.

    Raises
    ------
    ReadingError
        If an entry is missing or malformed, or the place holds a reading that this session did
        not load: the file is left as it is.
    OSError
        If the folder cannot be written.
    """
    reading = session.reading()
    path = folder / file_name(reading)
    replaces = session.file_sha256 if path.exists() else None  # under another code it is a new file
    session.mark_saved(save_reading(reading, path, replaces=replaces))
    return path


def next_read_no(session: ReadingSession, folder: Path) -> int:
    """The first number, from the session's own, under which no reading lies yet."""
    key = session.reading().key
    number = key.read_no
    while (folder / file_name_of(key._replace(read_no=number))).exists():
        number += 1
    return number


def load_into(session: ReadingSession, path: Path) -> None:
    """Take up a saved reading; saving it again replaces this very file, unless it is a sample.

    Raises
    ------
    ReadingError
        If the file is not a valid reading.
    """
    raw = read_bytes(path)
    session.restore(decode_reading(raw, file=path.name), sha256_of(raw))
    if is_sample(path):
        session.file_sha256 = None


_NOTE, _KEYS = "tour-offered", "keys.toml"


def config_folder() -> Path:
    """The reader's folder for settings on this platform, with our own name; it need not be there.

    The same as ever: on Windows the one that goes with the reader from machine to machine.

    Examples
    --------
    >>> config_folder().name
    'necroangle'
    """
    return user_config_path(APP, appauthor=False, roaming=True)


def own_keys_path() -> Path:
    """The file of the reader's own keys; it need not be there."""
    return config_folder() / _KEYS


def take_own_keys() -> None:
    """Use the reader's own keys, where they have a file of them.

    Raises
    ------
    ReadingError
        As for :func:`napari_necroangle.reading.keys.with_own`: no key is changed then.
    """
    path = own_keys_path()
    try:
        raw = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise ReadingError(f"cannot be read: {system_words(error)}", file=path.name) from error
    use_keys(with_own(raw, file=path.name))


def was_offered() -> bool:
    """Whether the tour has been offered to this reader before."""
    return (config_folder() / _NOTE).exists()


def note_offer() -> None:
    """Remember that it has been; where nothing can be written, it is offered again."""
    with suppress(OSError):
        config_folder().mkdir(parents=True, exist_ok=True)
        (config_folder() / _NOTE).touch()
