"""OpenCV, loaded late and without the traces it leaves; text and PNG through it.

Importing ``cv2`` sets Qt variables of its own bundled Qt in the process's environment, which a
napari started later, or a child process, would stumble over: they are put back.
"""

import os
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from necroangle.plain_text import readable
from necroangle.storage import write_atomically

Image = NDArray[np.uint8]
"""(rows, columns, 3), blue green red."""

Colour = tuple[int, int, int]

_SHADOW = ((-1, -1), (-1, 1), (1, -1), (1, 1))
_TOUCHED = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")


def load_cv2() -> ModuleType:
    """Import OpenCV and put back the environment variables that it changes."""
    before = {name: os.environ.get(name) for name in _TOUCHED}
    import cv2

    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    module: ModuleType = cv2
    return module


def write_text(
    image: Image,
    text: str,
    position_px: tuple[int, int],
    colour: Colour,
    size_px: int,
    *,
    bold: bool = False,
    centred: bool = False,
) -> None:
    """Write one line of text on the image, in place, any script, with a dark edge.

    Parameters
    ----------
    position_px
        (x, y) of the baseline's left end, or of its middle where ``centred``.
    """
    cv2 = load_cv2()
    if not hasattr(cv2, "FontFace"):
        _write_by_pillow(image, text, position_px, colour, size_px, bold=bold, centred=centred)
        return
    font, weight = cv2.FontFace("sans"), 600 if bold else 400
    x, y = position_px
    if centred:
        box = cv2.getTextSize((0, 0), text, (0, 0), font, size_px, weight)
        x -= box[2] // 2 + box[0]
    for across, down in _SHADOW:
        cv2.putText(image, text, (x + across, y + down), (0, 0, 0), font, size_px, weight)
    cv2.putText(image, text, (x, y), colour, font, size_px, weight)


def _write_by_pillow(
    image: Image,
    text: str,
    position_px: tuple[int, int],
    colour: Colour,
    size_px: int,
    *,
    bold: bool,
    centred: bool,
) -> None:
    """The same where OpenCV is older than 5 (Intel Macs); Pillow's font has Latin letters alone."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    shown = "".join(one if one in _OF_FONT else readable(one, "ascii") for one in text)
    picture = Pillow.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    draw = ImageDraw.Draw(picture)
    font, anchor = ImageFont.load_default(size_px), "ms" if centred else "ls"
    width = 1 if bold else 0
    draw.text(position_px, shown, (0, 0, 0), font, anchor, stroke_width=width + 1)
    draw.text(position_px, shown, colour[::-1], font, anchor, stroke_width=width)
    image[:] = np.asarray(picture)[:, :, ::-1]


_OF_FONT = frozenset("°±")
"""Letters of that font beyond ASCII."""


def write_png(path: Path, image: Image) -> None:
    """Write a PNG file whole or not at all.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    cv2 = load_cv2()
    _, encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    write_atomically(path, encoded.tobytes())
