"""The layers and texts of a canvas: a picture in mm, lines and marks over it in plane mm."""

from typing import Any

import numpy as np
from napari.components.overlays import TextOverlay
from napari.layers import Image, Points

from napari_necroangle.canvas import style
from napari_necroangle.canvas.drawer import Pen
from napari_necroangle.reading.case import Picture

__all__ = [
    "PENS",
    "picture_layers",
    "show_in_layers",
    "write_text",
]

PENS = {
    "reference": Pen(style.REFERENCE_COLOUR, style.THIN_WIDTH_PX),
    "outline": Pen(style.OUTLINE_COLOUR, style.THIN_WIDTH_PX),
    "circle": Pen(style.CIRCLE_COLOUR, style.LINE_WIDTH_PX),
    "rays": Pen(style.RAY_COLOUR, style.LINE_WIDTH_PX),
    "arc": Pen(style.ARC_COLOUR, style.ARC_WIDTH_PX),
    "ghost": Pen(style.GHOST_COLOUR, style.GHOST_WIDTH_PX),
    "ghost arc": Pen(style.GHOST_COLOUR, style.GHOST_ARC_WIDTH_PX),
    "first reader circle": Pen(style.YELLOW, style.READER_WIDTH_PX),
    "first reader arcs": Pen(style.YELLOW, style.READER_ARC_WIDTH_PX),
    "second reader circle": Pen(style.PURPLE, style.READER_WIDTH_PX),
    "second reader arcs": Pen(style.PURPLE, style.READER_ARC_WIDTH_PX),
}
"""The lines over a picture, by part."""

_UNITS = ("mm", "mm", "mm")


def picture_layers(picture: Picture) -> dict[str, Any]:
    """New layers for a picture.

    They are ``image``, whose scale is its spacing, and ``marks``, 1 mm within the slice; the lines
    between them are a drawer's.
    """
    name = picture.view.value.replace("_", "-")
    scale = (picture.volume.scale_mm[0], 1.0, 1.0)
    layers: dict[str, Any] = {"image": _image(picture, name)}
    layers["marks"] = Points(
        np.zeros((0, 3)), ndim=3, name=f"{name} marks", scale=scale, units=_UNITS
    )
    return layers


def show_in_layers(layers: dict[str, Any], picture: Picture) -> None:
    """Show another picture in layers that are there, with no marks: far faster than new ones."""
    name = picture.view.value.replace("_", "-")
    image = layers["image"]
    image.data = picture.volume.pixels
    image.scale = picture.volume.scale_mm
    image.name = name
    _set_window(image, picture)
    marks = layers["marks"]
    marks.data = np.zeros((0, 3))
    marks.scale = (picture.volume.scale_mm[0], 1.0, 1.0)
    marks.name = f"{name} marks"


def write_text(overlays: Any, name: str, text: str, position: str, size: int) -> None:
    """Write a text on a canvas, or change what it says.

    Parameters
    ----------
    overlays
        The canvas' overlays.
    name, text
        Its key among them, and what it says.
    position, size
        One of napari's nine positions, and the size in points.
    """
    if name not in overlays:
        overlays[name] = TextOverlay(
            text=text,
            visible=True,
            position=position,
            font_size=size,
            color=style.LABEL_COLOUR,
            box=True,
            box_color=style.LABEL_BOX,
        )
    elif overlays[name].text != text:
        overlays[name].text = text


def _image(picture: Picture, name: str) -> Image:
    image = Image(
        picture.volume.pixels,
        name=name,
        scale=picture.volume.scale_mm,
        units=_UNITS,
        contrast_limits=picture.window(),
        colormap="gray",
        interpolation2d="linear",
    )
    _set_window(image, picture)
    return image


def _set_window(image: Image, picture: Picture) -> None:
    """Show the picture's window, within limits that hold the data and twice the window."""
    low, high = picture.window()
    pixels, width = picture.volume.pixels, high - low
    image.contrast_limits_range = (
        min(float(pixels.min()), low - width),
        max(float(pixels.max()), high + width),
    )
    image.contrast_limits = (low, high)
