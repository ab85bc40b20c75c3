"""The study folder: what stands in it, how it is found and how it is made."""

import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from necroangle.errors import CohortError, system_words
from necroangle.protocol.study import (
    FORMAT,
    INNER_FOLDERS,
    NO_STUDY,
    AngleNoise,
    StudyProtocol,
    decode_protocol,
    new_protocol,
    noise_toml,
    study_toml,
)
from necroangle.protocol.visits import IDENTIFIER
from necroangle.storage import BINARY, sync, write_atomically

__all__ = [
    "Study",
    "adopt_noise",
    "cohort_here",
    "find_study",
    "init_study",
    "open_study",
    "protocol_here",
    "protocol_of_images",
    "study_here",
]

CONFIG_NAME = "study.toml"
DEFAULT_COHORT = "cohort.sqlite"
SECRET_BYTES = 32
MAX_CONFIG_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Study:
    """A study: its folder and its protocol.

    Attributes
    ----------
    folder
        The folder that holds ``study.toml``.
    protocol
        What stands in it.
    """

    folder: Path
    protocol: StudyProtocol

    @property
    def readings(self) -> Path:
        """Folder of the reading files."""
        return self.folder / "readings"

    @property
    def exports(self) -> Path:
        """Folder that exports go to."""
        return self.folder / "exports"

    @property
    def reports(self) -> Path:
        """Folder that reports go to."""
        return self.folder / "reports"

    @property
    def cohort(self) -> Path | str:
        """The cohort table: a file, or a database URL, which holds no password."""
        place = self.protocol.cohort
        return place if "://" in place else self.folder / place

    @property
    def anchors(self) -> Path:
        """File of the anchors of the cohort table, beside it or, for a server, here."""
        place = self.cohort
        name = place.name if isinstance(place, Path) else "cohort"
        return (place.parent if isinstance(place, Path) else self.folder) / f"{name}.anchors"

    @property
    def signing_key(self) -> Path | None:
        """Private key that signs the anchors; None where they are not signed."""
        place = self.protocol.signing_key
        return self.folder / Path(place).expanduser() if place else None

    def secret(self) -> bytes:
        """The study's secret, 32 random bytes or more.

        Raises
        ------
        CohortError
            If the file is missing, too short, in a folder that is shared, or open to others than
            its owner.
        """
        path = self.folder / Path(self.protocol.secret).expanduser()
        shared = [folder.resolve() for folder in (self.readings, self.exports, self.reports)]
        if any(path.resolve().is_relative_to(folder) for folder in shared):
            raise CohortError(f"{path.name}: the study's secret must not lie in a shared folder")
        return _read_secret(path)


def open_study(folder: Path) -> Study:
    """The study of a folder.

    Raises
    ------
    CohortError
        If the folder has no ``study.toml``, or it is refused.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> study = init_study(Path(mkdtemp()) / "onfh", "onfh")
    >>> open_study(study.folder).protocol.index_visit
    'm00'
    >>> open_study(Path("nowhere"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: nowhere: no study.toml; make a study with `necroangle init`
    """
    path = folder / CONFIG_NAME
    if not path.is_file():
        raise CohortError(f"{folder}: no {CONFIG_NAME}; make a study with `necroangle init`")
    return Study(folder.absolute(), decode_protocol(_read(path), file=CONFIG_NAME))


def find_study(start: Path) -> Study | None:
    """The study in a folder or the nearest one above it; None where there is none.

    A ``study.toml`` of another program is passed over.

    Raises
    ------
    CohortError
        If the nearest one is damaged or says what is not allowed.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        path = folder / CONFIG_NAME
        if path.is_file() and FORMAT.encode() in (content := _read(path)):
            return Study(folder, decode_protocol(content, file=CONFIG_NAME))
    return None


def adopt_noise(study: Study, noise: Iterable[AngleNoise]) -> None:
    """Add the agreement of a study's readers to its ``study.toml``; the rest stays as it stands.

    Raises
    ------
    CohortError
        If one has been adopted before: what it was is for a person to remove.
    """
    path = study.folder / CONFIG_NAME
    if study.protocol.noise.angle:
        raise CohortError(
            f"{path}: an agreement was adopted before; remove its [[noise.angle]] blocks, then "
            "adopt again"
        )
    blocks = "".join(f"\n{noise_toml(one)}\n" for one in noise)
    content = _read(path).rstrip(b"\n") + b"\n" + blocks.encode()
    decode_protocol(content, file=CONFIG_NAME)
    write_atomically(path, content)


def study_here() -> Study | None:
    """The study that the working directory belongs to, or None."""
    return find_study(Path.cwd())


def protocol_here() -> StudyProtocol:
    """The protocol of the study that the working directory belongs to, else what holds without."""
    study = study_here()
    return NO_STUDY if study is None else study.protocol


def protocol_of_images(folder: Path) -> StudyProtocol:
    """The protocol by which a folder of images is read: of the study that holds it, else of here.

    Raises
    ------
    CohortError
        As for :func:`find_study`.
    """
    study = find_study(folder)
    return protocol_here() if study is None else study.protocol


def cohort_here(given: str | None) -> Path | str:
    """The cohort table to use: the one given, else the study's, else ``cohort.sqlite`` here.

    Examples
    --------
    >>> cohort_here("mine.sqlite")
    'mine.sqlite'
    """
    if given is not None:
        return given
    study = study_here()
    return study.cohort if study is not None else DEFAULT_COHORT


def init_study(
    folder: Path,
    study: str,
    method: str = "ha_mr_midslice",
    readers: tuple[str, ...] = (),
) -> Study:
    """Make a study in a folder, which may hold other files: those are not touched.

    ``study.toml`` comes last and whole, so a folder either is a study or is none.

    Parameters
    ----------
    folder
        Made where it is missing.
    study, method, readers
        What the first ``study.toml`` says.

    Raises
    ------
    CohortError
        If a study is there already, there is a file where a folder is needed, a name is not
        allowed, or the disk refuses.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> sorted(path.name for path in init_study(folder, "onfh").folder.iterdir())
    ['exports', 'readings', 'reports', 'secret.key', 'study.toml']
    >>> init_study(folder, "onfh")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: ...: there is a study already (study.toml)
    """
    for name in (study, *readers):
        if not re.search(IDENTIFIER, name):
            raise CohortError(
                f"{name!r} is no name: up to 64 letters, digits, dots, dashes, single underscores"
            )
    content = study_toml(new_protocol(study, method, readers))
    decode_protocol(content)
    try:
        _make(folder, content)
    except OSError as error:
        raise CohortError(f"{folder}: no study can be made here: {system_words(error)}") from error
    return open_study(folder)


def _make(folder: Path, content: bytes) -> None:
    if os.path.lexists(folder / CONFIG_NAME):
        raise CohortError(f"{folder}: there is a study already ({CONFIG_NAME})")
    for path in (folder, *(folder / name for name in INNER_FOLDERS)):
        if path.exists() and not path.is_dir():
            raise CohortError(f"{path}: there is a file where a folder is needed")
    for name in INNER_FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    _make_secret(folder / "secret.key")
    draft = folder / f".{CONFIG_NAME}.{secrets.token_hex(4)}.part"
    try:
        write_atomically(draft, content)
        _name_once(draft, folder / CONFIG_NAME)
    finally:
        draft.unlink(missing_ok=True)


def _name_once(draft: Path, path: Path) -> None:
    """Give a whole file its name, unless another program has given it in between."""
    try:
        path.hardlink_to(draft)
    except FileExistsError as error:
        raise CohortError(f"{path.parent}: there is a study already ({path.name})") from error
    except OSError:  # a file system without hard links
        draft.rename(path)


def _make_secret(path: Path) -> None:
    """Random bytes for the owner's eyes alone; one that is there already is kept."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
    except FileExistsError:
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            sync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise CohortError(f"{path.name}: cannot be read: {system_words(error)}") from error
    if len(content) > MAX_CONFIG_BYTES:
        raise CohortError(f"{path.name}: larger than 1 MiB: no study's configuration")
    return content


def _read_secret(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise CohortError(f"{path.name}: the secret is no regular file")
        if os.name != "nt" and mode & 0o077:
            raise CohortError(
                f"{path.name}: others may read the study's secret; run `chmod 600` on it"
            )
        content = path.read_bytes()
    except OSError as error:
        raise CohortError(
            f"{path.name}: the study's secret cannot be read ({system_words(error)}); put it back "
            "from where you keep it, or exported keys will no longer match"
        ) from error
    if len(content) < SECRET_BYTES:
        raise CohortError(f"{path.name}: the study's secret is shorter than 32 bytes")
    return content
