"""The libraries of the export extra, imported when they are needed."""

from importlib import import_module
from typing import Any

from necroangle.errors import CohortError

__all__ = ["extra_module"]

_PACKAGES = {"pyreadstat": "pyreadstat", "xlsxwriter": "XlsxWriter", "pyarrow": "pyarrow"}


def extra_module(name: str, format_name: str) -> Any:
    """A module of the extra.

    Raises
    ------
    CohortError
        If it is not installed, saying how to install it.

    Examples
    --------
    >>> extra_module("no_such_writer", "sav")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: sav needs no_such_writer; install it with
    `pip install "necroangle[export]"`
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = _PACKAGES.get(name.partition(".")[0], name)
        raise CohortError(
            f'{format_name} needs {package}; install it with `pip install "necroangle[export]"`'
        ) from error
