"""Many pictures on few pages: a contact sheet as PDF."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from necroangle.report.picture import Image, load_cv2

__all__ = ["write_contact_sheet"]

PAGE_PX = (1754, 1240)
"""(rows, columns) of an upright A4 page at 150 points an inch."""

DPI = 150
COLUMNS, ROWS = 2, 4
_MARGIN_PX, _GAP_PX = 40, 16
_PAPER = (255, 255, 255)
_EPOCH = time.struct_time((2000, 1, 1, 0, 0, 0, 5, 1, 0))
"""Creation date of every sheet: the same pictures give the same bytes."""


def write_contact_sheet(
    pictures: Sequence[Path], path: Path, progress: Callable[[], None] | None = None
) -> int:
    """Write pictures as pages of 2 by 4, in their order; gives the number of pages.

    The file appears whole or not at all, and only one page is held in memory.

    Parameters
    ----------
    pictures
        PNG files; at least one.
    path
        The PDF file.
    progress
        Called after every page.

    Raises
    ------
    ValueError
        If there is no picture, or one cannot be read.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> write_contact_sheet([], Path("sheet.pdf"))
    Traceback (most recent call last):
    ...
    ValueError: no pictures for the sheet
    """
    if not pictures:
        raise ValueError("no pictures for the sheet")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    pages = 0
    try:
        for first in range(0, len(pictures), COLUMNS * ROWS):
            group = pictures[first : first + COLUMNS * ROWS]
            _append(_page(group), Path(name), first=pages == 0)
            pages += 1
            if progress is not None:
                progress()
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return pages


def _append(page: Image, path: Path, *, first: bool) -> None:
    from PIL import Image as Pillow

    options: dict[str, Any] = {"creationDate": _EPOCH, "modDate": _EPOCH} if first else {}
    picture = Pillow.fromarray(np.ascontiguousarray(page[:, :, ::-1]))
    picture.save(path, "PDF", resolution=DPI, append=not first, quality=88, **options)


def _page(pictures: Sequence[Path]) -> Image:
    cv2 = load_cv2()
    page = np.full((*PAGE_PX, 3), _PAPER, np.uint8)
    height = (PAGE_PX[0] - 2 * _MARGIN_PX - (ROWS - 1) * _GAP_PX) // ROWS
    width = (PAGE_PX[1] - 2 * _MARGIN_PX - (COLUMNS - 1) * _GAP_PX) // COLUMNS
    for number, file in enumerate(pictures):
        picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{file.name}: not a picture")
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        row, column = divmod(number, COLUMNS)
        top = _MARGIN_PX + row * (height + _GAP_PX)
        left = _MARGIN_PX + column * (width + _GAP_PX)
        page[top : top + size[1], left : left + size[0]] = small
    return page
