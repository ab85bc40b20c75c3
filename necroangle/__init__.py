"""necroangle: the combined necrotic angle of the femoral head.

The face for a scientist, each name loaded when it is first used::

    import necroangle as na

    na.angle(rim_mm, arc_mm)  # points to an angle with its interval and flags
    na.hip(coronal=(rim, arc), sagittal=(rim, arc), side="L")  # both views: the combined angle
    na.read("a.reading.json")  # a reading file
    na.table("readings", methods=["ha_mr_midslice", "largest_slice"])  # a folder to a data frame
    na.change(earlier, later)  # what changed between two visits

Importing the package loads nothing heavy: no numpy, no Qt, no napari. Each floor brings what it
needs: :mod:`necroangle.geometry`, :mod:`necroangle.dicom`, :mod:`necroangle.annotation`,
:mod:`necroangle.measurement`, :mod:`necroangle.cohort`, :mod:`necroangle.report`.
"""

from typing import Any

__version__ = "0.2.0"

__all__ = [
    "METHODS",
    "Angle",
    "Change",
    "Hip",
    "Method",
    "Settings",
    "__version__",
    "angle",
    "change",
    "hip",
    "read",
    "table",
]


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("necroangle.face"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
