"""One hip being read, and what its marks measure: no napari, no Qt."""
