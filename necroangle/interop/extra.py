"""What the extra ``interop`` holds, asked for before it is needed."""

from importlib.util import find_spec

from necroangle.errors import NecroangleError

__all__ = ["need_extra"]


def need_extra(name: str) -> None:
    """Refuse where a library of the extra is not installed, saying how to install it.

    Raises
    ------
    NecroangleError
        If it is not.

    Examples
    --------
    >>> need_extra("no_such_library")
    Traceback (most recent call last):
    ...
    necroangle.errors.NecroangleError: this needs no_such_library; install it with
    `pip install "necroangle[interop]"`
    """
    if find_spec(name) is None:
        raise NecroangleError(
            f'this needs {name}; install it with `pip install "necroangle[interop]"`'
        )
