"""Many readings measured at once, in arrays: the same numbers as one by one, bit for bit."""

from necroangle.measurement.vector.measured import Measured, ViewColumns, is_vectorised, measured

__all__ = ["Measured", "ViewColumns", "is_vectorised", "measured"]
