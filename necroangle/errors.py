"""Every error that necroangle raises on purpose.

::

    NecroangleError
    ├── GeometryError (ValueError)
    │   ├── PlaneError      an image plane that is no plane in space
    │   ├── RimError        rim marks that give no head circle
    │   └── ArcError        arc marks that give no arc
    ├── ReadingError (ValueError)   a reading or its file, refused: file, place, problem
    ├── MethodError (ValueError)    a method that does not fit the reading
    ├── DicomError (ValueError)     a DICOM file or series, refused: file, stage, tag, cause
    ├── CohortError (ValueError)    a study, cohort table or clinical table that is refused
    ├── ServerError                 a server that is gone, refuses, or answers what is no DICOM
    └── PhantomError (ValueError)   a phantom that cannot be built from these parameters

A message says what was found, where, and what to do. A doubt that does not stop a measurement is
a :class:`necroangle.terms.Flag` in the result, never an exception and never a Python warning.
"""

__all__ = [
    "ArcError",
    "CohortError",
    "DicomError",
    "GeometryError",
    "MethodError",
    "NecroangleError",
    "PhantomError",
    "PlaneError",
    "ReadingError",
    "RimError",
    "ServerError",
    "system_words",
]


def system_words(error: OSError) -> str:
    """What the system says of a file, in words; a library may have wrapped its error.

    Examples
    --------
    >>> system_words(NotADirectoryError(20, "Not a directory"))
    'there is a file where a folder is needed'
    >>> system_words(OSError(28, "No space left on device"))
    'No space left on device'
    """
    if isinstance(error, NotADirectoryError | FileExistsError):
        return "there is a file where a folder is needed"
    below = error.__cause__ or error.__context__
    if error.strerror is None and isinstance(below, OSError):
        return system_words(below)
    return error.strerror or str(error).partition("\n")[0]


class NecroangleError(Exception):
    """The root: catch this to catch everything that necroangle refuses."""


class GeometryError(NecroangleError, ValueError):
    """Points or planes that give no valid geometry.

    Parameters
    ----------
    problem
        What was found and what to do.
    place
        Where in the reading, as a JSON path (``$.views[0]``), where there is one.
    """

    def __init__(self, problem: str, *, place: str = "") -> None:
        self.place = place
        super().__init__(problem)


class PlaneError(GeometryError):
    """An image plane that is no plane in space."""


class RimError(GeometryError):
    """Rim marks that give no head circle."""


class ArcError(GeometryError):
    """Arc marks that give no arc."""


class ReadingError(NecroangleError, ValueError):
    """A reading, or its file, that cannot be used.

    Parameters
    ----------
    problem
        What was found and what to do.
    place
        Where in the reading, as a JSON path (``$.views[0].rim[3]``) or ``line 3, column 7``.
    file
        The file's name, where there is one.
    """

    def __init__(self, problem: str, *, place: str = "", file: str = "") -> None:
        self.problem = problem
        self.place = place
        self.file = file
        super().__init__(": ".join(part for part in (file, place, problem) if part))


class MethodError(NecroangleError, ValueError):
    """A measuring method that does not fit the reading."""


class DicomError(NecroangleError, ValueError):
    """A DICOM file or series that is refused.

    Parameters
    ----------
    problem
        What was found and what to do. Never the value of an identifying attribute, nor the name
        of a file.
    tag
        The attribute's keyword, where one is at fault (``ImageOrientationPatient``).
    file
        The file's name, relative to the folder that was opened.
    stage
        What was being done: ``"names"``, ``"open"``, ``"header"``, ``"series"``, ``"geometry"``,
        ``"decode"`` or ``"index"``; empty where the error has not yet passed a door of the loader.
    cause
        The class of the error below, where there was one. Where its words can hold no attribute's
        value it is the ``__cause__`` as well.
    at
        The files between or in which it was found, where there are several.

    Examples
    --------
    >>> error = DicomError("slices are not evenly spaced", at=("IM3", "IM9"))
    >>> str(error.placed(stage="geometry")), error.placed(stage="geometry").stage
    ('slices are not evenly spaced (IM3, IM9)', 'geometry')
    """

    def __init__(
        self,
        problem: str,
        *,
        tag: str = "",
        file: str = "",
        stage: str = "",
        cause: str = "",
        at: tuple[str, ...] = (),
    ) -> None:
        self.problem = problem
        self.tag = tag
        self.file = file
        self.stage = stage
        self.cause = cause
        self.at = at
        said = ": ".join(part for part in (file, tag, problem) if part)
        super().__init__(f"{said} ({', '.join(at)})" if at else said)

    def placed(self, *, file: str = "", stage: str = "") -> "DicomError":
        """The same error, with file and stage where it has none of its own."""
        error = DicomError(
            self.problem,
            tag=self.tag,
            file=self.file or file,
            stage=self.stage or stage,
            cause=self.cause,
            at=self.at,
        )
        error.__cause__ = self.__cause__
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return _dicom_error, (
            self.problem, self.tag, self.file, self.stage, self.cause, self.at,
        )  # fmt: skip


def _dicom_error(
    problem: str, tag: str, file: str, stage: str, cause: str, at: tuple[str, ...]
) -> DicomError:
    """A refusal that comes from another process."""
    return DicomError(problem, tag=tag, file=file, stage=stage, cause=cause, at=at)


class CohortError(NecroangleError, ValueError):
    """A study, a cohort table or a clinical table that is refused."""


class ServerError(NecroangleError):
    """A server that is gone, refuses, or answers what is no DICOM; or the file that names servers.

    Parameters
    ----------
    problem
        What was found and what to do. Never a credential, nor a patient's identifier.
    server
        The name that the user gave it.
    is_passing
        Whether it may go well a little later: the connection was cut, the server is busy.
    """

    def __init__(self, problem: str, *, server: str = "", is_passing: bool = False) -> None:
        self.problem, self.server, self.is_passing = problem, server, is_passing
        super().__init__(f"{server}: {problem}" if server else problem)


class PhantomError(NecroangleError, ValueError):
    """A phantom that cannot be built from these parameters."""
