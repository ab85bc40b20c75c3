"""Readings, autosaves and preferences on the disk: no napari, no Qt."""
