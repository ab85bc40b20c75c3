"""The napari plugin of necroangle: open a study, mark both views, see the angle, save."""
