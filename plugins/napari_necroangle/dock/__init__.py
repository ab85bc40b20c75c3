"""The dock: puts mode, canvases and panels together."""
