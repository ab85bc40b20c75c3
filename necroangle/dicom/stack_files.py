"""The files of a stack where they lie: in a folder, or within ZIP archives."""

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from necroangle.dicom.archive import members, unpacked
from necroangle.errors import DicomError

__all__ = ["StackFiles"]


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
