"""The layers and texts of a canvas: a picture in mm, lines and marks over it in plane mm."""

from typing import Any

import numpy as np
from napari.components.overlays import TextOverlay
from napari.layers import Image, Points, Vectors

from napari_necroangle import _style as style
from napari_necroangle._picture import Picture

__all__ = [
    "LINE_COLOURS",
    "LINE_WIDTHS_PX",
    "picture_layers",
    "show_in_layers",
    "write_text",
]

LINE_COLOURS = {
    "reference": style.REFERENCE_COLOUR,
    "outline": style.OUTLINE_COLOUR,
    "circle": style.CIRCLE_COLOUR,
    "rays": style.RAY_COLOUR,
    "arc": style.ARC_COLOUR,
}
LINE_WIDTHS_PX = {
    "reference": style.THIN_WIDTH_PX,
    "outline": style.THIN_WIDTH_PX,
    "circle": style.LINE_WIDTH_PX,
    "rays": style.LINE_WIDTH_PX,
    "arc": style.ARC_WIDTH_PX,
}
_UNITS = ("mm", "mm", "mm")


def picture_layers(picture: Picture) -> dict[str, Any]:
    """New layers for a picture.

    They are ``image``, then ``reference``, ``outline``, ``circle``, ``rays``, ``arc``, ``marks``.

    The picture's scale is its spacing; that of all others is 1 mm within the slice.
    """
    name = picture.view.value.replace("_", "-")
    scale = (picture.volume.scale_mm[0], 1.0, 1.0)
    layers: dict[str, Any] = {"image": _image(picture, name)}
    for part in LINE_COLOURS:
        layers[part] = Vectors(
            np.zeros((0, 2, 3)),
            ndim=3,
            name=f"{name} {part}",
            scale=scale,
            units=_UNITS,
            vector_style="line",
            opacity=1.0,
        )
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
    for part, layer in layers.items():
        if part != "image":
            layer.data = np.zeros((0, 3) if part == "marks" else (0, 2, 3))
            layer.scale = (picture.volume.scale_mm[0], 1.0, 1.0)
            layer.name = f"{name} {part}"


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
