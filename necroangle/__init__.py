"""necroangle: the combined necrotic angle of the femoral head.

Importing the package loads nothing heavy: no numpy, no Qt, no napari. Each floor brings what it
needs: :mod:`necroangle.geometry`, :mod:`necroangle.dicom`, :mod:`necroangle.annotation`,
:mod:`necroangle.measurement`, :mod:`necroangle.cohort`, :mod:`necroangle.report`.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
