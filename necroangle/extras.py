"""Libraries that only an extra brings: asked for before they are needed, or refused in words."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from necroangle.errors import NecroangleError

__all__ = ["extra_module", "need_extra"]

_PACKAGES = {"jinja2": "Jinja2", "xlsxwriter": "XlsxWriter"}
"""What is installed under another name than it is imported by."""


def need_extra(
    extra: str,
    *modules: str,
    what: str = "this",
    error: type[NecroangleError] = NecroangleError,
) -> None:
    """Refuse where a library of an extra is not installed, saying how to install it.

    Parameters
    ----------
    extra, modules
        The extra, and the modules that it must bring.
    what
        What needs them, for the message.
    error
        The class of the refusal.

    Raises
    ------
    NecroangleError
        If one is not installed; of the class that was asked for.

    Examples
    --------
    >>> need_extra("export", "no_such_writer", what="sav")
    Traceback (most recent call last):
    ...
    necroangle.errors.NecroangleError: sav needs no_such_writer; install it with
    `pip install "necroangle[export]"`
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise error(_sentence(extra, missing, what))


def extra_module(
    extra: str, name: str, what: str = "this", error: type[NecroangleError] = NecroangleError
) -> Any:
    """A module that an extra brings, imported; refused as by :func:`need_extra`."""
    try:
        return import_module(name)
    except ImportError as problem:
        raise error(_sentence(extra, [name.partition(".")[0]], what)) from problem


def _sentence(extra: str, missing: Sequence[str], what: str) -> str:
    packages = " and ".join(_PACKAGES.get(name, name) for name in missing)
    return f'{what} needs {packages}; install it with `pip install "necroangle[{extra}]"`'
