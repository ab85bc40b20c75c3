"""Files where they lie: in a folder, or in ZIP archives, whose members come one at a time."""

import shutil
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from necroangle.dicom.guard import may_be_dicom
from necroangle.dicom.pictures import may_be_picture
from necroangle.dicom.plain import Unusual
from necroangle.dicom.records import FrameHeader
from necroangle.dicom.scanner import MOST_BYTES, HeaderScanner
from necroangle.errors import DicomError

MAX_MEMBERS = 200_000
"""An archive of more members is refused."""

MAX_MEMBER_BYTES = 512 * 1024**2
"""A larger member is refused unread."""

MAX_RATIO = 200
"""A member above :data:`FREE_BYTES` that grows more than this is refused unread."""

FREE_BYTES = 16 * 1024**2

MAX_ARCHIVE_BYTES = 64 * 1024**3
"""An archive whose members would take more is refused unread."""

LISTING_BYTES = 4 * 1024**3
"""So many bytes of an archive are unpacked to list it, or its own size if that is more."""

LISTING_S = 600.0
"""So long listing one archive may take."""

_PIECE = 1024**2

_CANNOT = (
    zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError,
    ValueError, IndexError, OverflowError, struct.error,
)  # fmt: skip


class Budget:
    """What listing one archive may still cost.

    Members that each keep their own limits can be costly together: what is left is asked for
    before each, and those that come too late are refused by name.

    Parameters
    ----------
    size
        Of the archive, bytes.
    """

    def __init__(self, size: int) -> None:
        self._bytes = max(LISTING_BYTES, size)
        self._end = time.monotonic() + LISTING_S

    def spend(self, count: int, file: str) -> None:
        """Take so many bytes to unpack for a member.

        Raises
        ------
        DicomError
            If they are not left, or the time is over.
        """
        if time.monotonic() > self._end:
            raise DicomError(
                f"not looked into: its archive took more than {LISTING_S:g} s; unpack it",
                file=file,
                stage="open",
            )
        if count > self._bytes:
            raise DicomError(
                f"not looked into: {LISTING_BYTES} bytes of its archive were unpacked before; "
                "unpack it",
                file=file,
                stage="open",
            )
        self._bytes -= count


def is_archive(path: Path) -> bool:
    """Whether a file is to be looked into: named ``.zip``, or a nameless ZIP file."""
    if path.suffix:
        return path.suffix.lower() == ".zip" and path.is_file()
    try:
        return path.is_file() and zipfile.is_zipfile(path)
    except OSError:
        return False


@contextmanager
def members(path: Path, file: str) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """An open archive and its files, in the archive's order.

    Raises
    ------
    DicomError
        If it cannot be read, or has too many members.
    """
    try:
        archive = zipfile.ZipFile(path)
    except _CANNOT as error:
        cause = type(error).__name__
        raise DicomError(
            f"an archive that cannot be read ({cause}): pack it again",
            file=file,
            stage="open",
            cause=cause,
        ) from None
    with archive:
        found = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(found) > MAX_MEMBERS:
            raise DicomError(
                f"{len(found)} members, more than {MAX_MEMBERS}: unpack it", file=file, stage="open"
            )
        _check_growth(found, path.stat().st_size, file)
        yield archive, found


def member_headers(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    file: str,
    scanner: HeaderScanner,
    budget: Budget,
) -> tuple[FrameHeader, ...]:
    """The frames of a member: as :func:`~necroangle.dicom.scanner.read_headers` of a file.

    Parameters
    ----------
    archive, info
        The open archive and its member.
    file
        The member's path as shown.
    scanner
        Reads the headers.
    budget
        What the archive may still cost.

    Raises
    ------
    DicomError
        If it is refused: too late for the budget, a member that grows out of proportion,
        encrypted, damaged, or no image.
    """
    _check_size(info, file)
    if info.filename.lower().endswith(".zip"):
        raise DicomError("an archive within an archive: unpack it", file=file, stage="open")
    try:
        budget.spend(min(info.file_size, MOST_BYTES), file)
        with archive.open(info) as stream:
            head = stream.read(MOST_BYTES)
            if not _may_be_image(head, info):
                return ()
            try:
                return scanner.headers_of_bytes(head, info.file_size, file)
            except Unusual:
                pass
    except DicomError:
        raise
    except _CANNOT as error:
        raise _damaged(error, file) from None
    budget.spend(info.file_size, file)
    with unpacked(archive, info, file) as path:
        return scanner.headers(path, file)


@contextmanager
def unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> Iterator[Path]:
    """A member as a file of ours for the moment, written piece by piece.

    Nothing of the member's own name is used but its ending.

    Parameters
    ----------
    archive, info
        The open archive and its member.
    file
        The member's path as shown.

    Raises
    ------
    DicomError
        If it grows out of proportion, or is encrypted or damaged.
    """
    _check_size(info, file)
    with _scratch(Path(info.filename).suffix) as (path, target):
        try:
            with archive.open(info) as stream:
                shutil.copyfileobj(stream, target, _PIECE)
            target.flush()
        except _CANNOT as error:
            raise _damaged(error, file) from None
        yield path


def _may_be_image(head: bytes, info: zipfile.ZipInfo) -> bool:
    """Whether a member is worth unpacking: notes and programs are told by their first bytes."""
    return may_be_dicom(head, Path(info.filename).suffix) or may_be_picture(head)


def _damaged(error: Exception, file: str) -> DicomError:
    cause = type(error).__name__
    return DicomError(
        f"a member that cannot be unpacked ({cause}): encrypted, damaged, or no room for it",
        file=file,
        stage="open",
        cause=cause,
    )


def _check_growth(infos: list[zipfile.ZipInfo], size: int, file: str) -> None:
    """Refuse an archive of many members, each within its own limits, that grows as a whole.

    Members that are refused by themselves do not count: they are never unpacked.
    """
    whole = sum(info.file_size for info in infos if not _problem_of_size(info))
    if whole > MAX_ARCHIVE_BYTES or (whole > FREE_BYTES and whole > MAX_RATIO * size):
        raise DicomError(
            f"grows from {size} to {whole} bytes: not unpacked", file=file, stage="open"
        )


def _check_size(info: zipfile.ZipInfo, file: str) -> None:
    problem = _problem_of_size(info)
    if problem:
        raise DicomError(problem, file=file, stage="open")


def _problem_of_size(info: zipfile.ZipInfo) -> str:
    size, packed = info.file_size, info.compress_size
    if size > MAX_MEMBER_BYTES:
        return f"{size} bytes in an archive, more than {MAX_MEMBER_BYTES}: unpack it"
    if size > FREE_BYTES and size > MAX_RATIO * packed:
        return f"grows from {packed} to {size} bytes: not unpacked"
    return ""


@contextmanager
def _scratch(suffix: str) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file of ours for the moment; without a name where the system can, so that none stays."""
    if sys.platform == "linux":
        with tempfile.TemporaryFile() as stream:
            yield Path(f"/proc/self/fd/{stream.fileno()}"), stream
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"member{suffix}")
        with path.open("wb") as stream:
            yield path, stream


class StackFiles:
    """Opens the files of one folder, one at a time; an archive stays open until the end.

    A member of an archive is unpacked for the moment of its reading only, under a name of ours:
    memory holds a piece of it, and at most one member lies on disk.

    Parameters
    ----------
    root
        The opened folder.

    Examples
    --------
    >>> with StackFiles(Path("study")) as files, files.path("a/IM1") as path:
    ...     path.as_posix()
    'study/a/IM1'
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open = ExitStack()
        self._archives: dict[str, zipfile.ZipFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archives.clear()
        self._open.close()

    @contextmanager
    def path(self, file: str) -> Iterator[Path]:
        """The path under which a file can be read.

        Parameters
        ----------
        file
            Relative path; ``archive.zip!member`` for a member of an archive.

        Raises
        ------
        DicomError
            If the archive or its member is gone, damaged, or grows out of proportion.
        """
        owner = self._owner(file)
        if not owner:
            yield self._root / file
            return
        archive = self._archive(owner)
        try:
            info = archive.getinfo(file[len(owner) + 1 :])
        except KeyError:
            raise DicomError(
                "no longer in its archive: list the folder again", file=file, stage="open"
            ) from None
        with unpacked(archive, info, file) as path:
            yield path

    def fingerprint(self, file: str) -> object:
        """Size and CRC-32 of a file: equal for copies; unlike any other where it cannot be read.

        A member's stand in its archive's directory, and are checked whenever it is unpacked. So a
        study beside its own archive costs one more reading of the study, and no unpacking.
        """
        try:
            owner = self._owner(file)
            if owner:
                info = self._archive(owner).getinfo(file[len(owner) + 1 :])
                return info.file_size, info.CRC
            size, crc = 0, 0
            with (self._root / file).open("rb") as stream:
                while piece := stream.read(_PIECE):
                    size, crc = size + len(piece), zlib.crc32(piece, crc)
        except (OSError, KeyError, DicomError):
            return object()
        return size, crc

    def _owner(self, file: str) -> str:
        """The archive that a file lies in, or an empty string."""
        if "!" not in file or (self._root / file).exists():
            return ""
        parts = file.split("!")
        owners = ("!".join(parts[:count]) for count in range(1, len(parts)))
        return next((owner for owner in owners if (self._root / owner).is_file()), "")

    def _archive(self, owner: str) -> zipfile.ZipFile:
        if owner not in self._archives:
            found = self._open.enter_context(members(self._root / owner, owner))
            self._archives[owner] = found[0]
        return self._archives[owner]
