"""Names of a package, each loaded when it is first asked for.

What a package shows may need numpy, and what reads the table alone shall not wait for it.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["later"]


def later(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package that loads no module before a name of it is used.

    No name may be that of a module of the package: loading the module would put it in its place.

    Parameters
    ----------
    package
        Its ``__name__``.
    names
        For each module, within the package (``".arcs"``) or by its full name, what is taken from
        it: names with spaces between.

    Examples
    --------
    >>> load = later("necroangle", {".terms": "View Finding", "fractions": "Fraction"})
    >>> load("Fraction").__module__, load("View").__module__
    ('fractions', 'necroangle.terms')
    >>> load("Colour")
    Traceback (most recent call last):
    ...
    AttributeError: module 'necroangle' has no attribute 'Colour'
    """
    modules = {name: module for module, group in names.items() for name in group.split()}

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(modules[name], package), name)
        setattr(sys.modules[package], name, found)
        return found

    return load
