"""A database's refusal in words: what happened, that nothing was lost, what to do."""

from sqlalchemy.exc import SQLAlchemyError

__all__ = ["refusal"]

_IN_WORDS = (
    ("SQLITE_FULL", "the disk is full; nothing was changed: make room and try again"),
    ("SQLITE_READONLY", "cannot be written: the file or its folder is read-only"),
    ("SQLITE_CANTOPEN", "cannot be opened: the file or its folder refuses it"),
    ("SQLITE_PERM", "cannot be opened: the file or its folder refuses it"),
    ("SQLITE_BUSY", "another program has been writing to it all the time; try again"),
    ("SQLITE_IOERR", "the disk failed; nothing was changed: check the disk and its free space"),
    ("SQLITE_CORRUPT", "the file is damaged; take a backup, and measure the readings again"),
)
"""SQLite's names of errors, by how they begin."""


def refusal(error: SQLAlchemyError) -> str:
    """One line on an error of the database; never a statement or the values in it.

    Examples
    --------
    >>> refusal(SQLAlchemyError("..."))
    'SQLAlchemyError'
    """
    cause = getattr(error, "orig", None)
    if cause is None:
        return type(error).__name__
    name = getattr(cause, "sqlite_errorname", "")
    line = (str(cause).splitlines() or [type(cause).__name__])[0]
    words = next((words for start, words in _IN_WORDS if name.startswith(start)), "")
    return f"{words} ({line})" if words else line
