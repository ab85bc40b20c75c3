"""Pixels with their geometry."""

from necroangle.imaging.volume import Slice, Volume

__all__ = ["Slice", "Volume"]
