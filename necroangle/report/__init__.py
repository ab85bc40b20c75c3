"""Pictures of a reading, for people who would rather look than read."""

from necroangle.report.overlay import draw_reading, draw_slice
from necroangle.report.picture import write_png

__all__ = ["draw_reading", "draw_slice", "write_png"]
