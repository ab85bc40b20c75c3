"""The canvases: pictures, marks over them, and what the mouse does there."""
