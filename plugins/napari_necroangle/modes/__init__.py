"""What is read, and in which order: no napari, no Qt."""
