"""Mosaics: one picture that tiles the slices of a volume, unfolded into its slices.

The ``ImagePositionPatient`` of a Siemens mosaic is of a picture as large as the mosaic, centred on
the first slice. The number of slices and the direction in which they follow stand in private
elements (CSA header), as does the protocol with the centre of every slice. United Imaging states
the position of each slice in a private sequence. What does not agree is refused.
"""

import re
import struct
from dataclasses import dataclass
from math import ceil, isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from necroangle.dicom.attributes import first_number, numbers, spacing_mm
from necroangle.errors import DicomError, PlaneError
from necroangle.geometry import ImagePlane, PixelPoints

MAX_FIELDS = 1024
MAX_VALUES = 4096
"""More fields, or more values of a field, than these are not read."""

_CSA_MAGIC = b"SV10\x04\x03\x02\x01"


def private_bytes(dataset: Dataset, group: int, element: int, creator: str) -> bytes:
    """The value of an element in block 10 of a private group, as bytes.

    Empty where it is absent, or the block is another creator's. A whole number comes as two
    bytes, little endian.
    """
    places = ((group, 0x0010), (group, 0x1000 + element))
    if any(place not in dataset for place in places):
        return b""
    owner, value = (dataset[place].value for place in places)
    if str(owner).strip() != creator:
        return b""
    if isinstance(value, int):
        return (value & 0xFFFF).to_bytes(2, "little")
    return value if isinstance(value, bytes) else b""


def csa_fields(header: bytes) -> dict[str, tuple[str, ...]]:
    r"""The values of a CSA header (version 2) by name; empty where it is none, or broken.

    Examples
    --------
    >>> csa_fields(b"anything else")
    {}
    """
    if not header.startswith(_CSA_MAGIC):
        return {}
    fields: dict[str, tuple[str, ...]] = {}
    try:
        (count,) = struct.unpack_from("<I", header, 8)
        place = 16
        for _ in range(min(count, MAX_FIELDS)):
            name, _, _, _, items, _ = struct.unpack_from("<64si4siii", header, place)
            place += 84
            values = []
            for _ in range(min(max(items, 0), MAX_VALUES)):
                length = struct.unpack_from("<4i", header, place)[1]
                if not 0 <= length <= len(header):
                    return {}
                values.append(_text(header[place + 16 : place + 16 + length]))
                place += 16 + (length + 3) // 4 * 4
            fields[_text(name)] = tuple(value for value in values if value)
    except struct.error:
        return {}
    return fields


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "replace").strip()


MOSAIC_TAGS = (
    (0x0018, 0x0088),
    (0x0019, 0x0010),
    (0x0019, 0x100A),
    (0x0029, 0x0010),
    (0x0029, 0x1010),
    (0x0029, 0x1020),
    (0x0065, 0x0010),
    (0x0065, 0x1050),
    (0x0065, 0x1051),
)
"""What describes a mosaic: ``SpacingBetweenSlices`` and private elements."""

MAX_TILES = 4096
"""More slices than this in one mosaic are refused."""

DIRECTION_TOLERANCE = 1e-3
"""How far the stated direction of the slices may be from the normal of the plane."""

CENTRE_TOLERANCE_MM = 0.05
"""How far a slice may be from where the protocol puts it."""

_PROTOCOL = b"sSliceArray.asSlice["
_PLACE = re.compile(
    rb"sSliceArray\.asSlice\[(\d{1,4})\]\.sPosition\.d(Sag|Cor|Tra)[ \t]*=[ \t]*([-+.\deE]{1,32})"
)
_AXES = {b"Sag": 0, b"Cor": 1, b"Tra": 2}


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How one mosaic unfolds.

    Attributes
    ----------
    per_side
        Tiles along each row of the picture.
    planes
        The plane of each slice, in the order of the tiles: along the rows, top left first.
    rows, columns
        Matrix of one slice.
    checked
        Whether the protocol in the file names the centre of every slice, and they agree.
    """

    per_side: int
    planes: tuple[ImagePlane, ...]
    rows: int
    columns: int
    checked: bool


def is_mosaic(dataset: Dataset) -> bool:
    """Whether an image says that it is a mosaic."""
    words = str(dataset.get("ImageType") or "").upper()
    return "MOSAIC" in words or "VFRAME" in words


def grid_of(dataset: Dataset, rows: int, columns: int) -> Mosaic:
    """Where each slice of a picture of United Imaging lies: its position is stated.

    Parameters
    ----------
    dataset
        Header with :data:`MOSAIC_TAGS`, ``ImageOrientationPatient`` and ``PixelSpacing``.
    rows, columns
        Matrix of the whole picture.

    Raises
    ------
    DicomError
        If a position is absent, or the picture does not hold so many slices.
    """
    tags = ((0x0065, 0x0010), (0x0065, 0x1051))
    owner, places = (dataset[tag].value if tag in dataset else "" for tag in tags)
    own = str(owner).strip() == "Image Private Header" and isinstance(places, Sequence)
    items = list(places) if own else []
    orientation = numbers(dataset, "ImageOrientationPatient", 6)
    spacing = spacing_mm(dataset, "PixelSpacing")
    origins = [numbers(one, "ImagePositionPatient", 3) for one in items[:MAX_TILES]]
    if not origins or None in origins or orientation is None or spacing is None:
        raise _refused("no position of each slice (private sequence 0065,xx51)")
    across = ceil(sqrt(len(origins)))
    down = ceil(len(origins) / across)
    if rows % down or columns % across:
        raise _refused(f"{rows} x {columns} pixels do not hold {down} x {across} tiles")
    try:
        planes = tuple(
            ImagePlane.from_dicom(origin, orientation, spacing) for origin in origins if origin
        )
    except PlaneError as error:
        raise DicomError(str(error), tag="ImageOrientationPatient") from None
    return Mosaic(across, planes, rows // down, columns // across, checked=True)


def mosaic_of(dataset: Dataset, picture: ImagePlane, rows: int, columns: int) -> Mosaic:
    """Where each slice of a mosaic lies.

    Parameters
    ----------
    dataset
        Header with :data:`MOSAIC_TAGS` and ``SpacingBetweenSlices``.
    picture
        The plane that the file states.
    rows, columns
        Matrix of the whole picture.

    Raises
    ------
    DicomError
        If number, direction or distance of the slices is absent or does not agree with the
        picture, or the protocol puts a slice elsewhere.
    """
    csa = csa_fields(private_bytes(dataset, 0x0029, 0x10, "SIEMENS CSA HEADER"))
    count = _count(dataset, csa)
    per_side = ceil(sqrt(count))
    if rows % per_side or columns % per_side:
        raise _refused(f"{rows} x {columns} pixels do not hold {per_side} x {per_side} tiles")
    tile_rows, tile_columns = rows // per_side, columns // per_side
    step_mm = first_number(dataset, "SpacingBetweenSlices")
    if step_mm is None or step_mm <= 0:
        raise _refused("no distance between slices (SpacingBetweenSlices)")
    onward = _direction(csa, picture) * step_mm
    down = (rows - tile_rows) / 2 * picture.row_spacing_mm * np.array(picture.column_cosine)
    across = (columns - tile_columns) / 2 * picture.column_spacing_mm * np.array(picture.row_cosine)
    first = np.array(picture.origin_mm) + down + across
    planes = tuple(_moved(picture, first + number * onward) for number in range(count))
    checked = _agrees_with_protocol(dataset, planes, tile_rows, tile_columns)
    return Mosaic(per_side, planes, tile_rows, tile_columns, checked)


def tile(picture: NDArray[Any], number: int, tall: int, wide: int) -> NDArray[Any]:
    """One slice of a mosaic.

    Parameters
    ----------
    picture
        (rows, columns) pixels of the whole mosaic.
    number
        Slice, from 1.
    tall, wide
        Rows and columns of a slice.

    Raises
    ------
    DicomError
        If the mosaic does not divide into such tiles, or has no such slice.

    Examples
    --------
    >>> tile(np.arange(16).reshape(4, 4), 2, 2, 2).tolist()
    [[2, 3], [6, 7]]
    >>> tile(np.arange(16).reshape(4, 4), 5, 2, 2)
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: PixelData: a mosaic of 4 x 4 pixels has no slice 5 of 2 x 2
    """
    rows, columns = picture.shape
    most = (rows // tall) * (columns // wide)
    if rows % tall or columns % wide or not 1 <= number <= most:
        raise DicomError(
            f"a mosaic of {rows} x {columns} pixels has no slice {number} of {tall} x {wide}",
            tag="PixelData",
        )
    down, across = divmod(number - 1, columns // wide)
    return picture[down * tall : (down + 1) * tall, across * wide : (across + 1) * wide]


def _refused(reason: str) -> DicomError:
    return DicomError(
        f"a mosaic, many slices tiled in one picture, that cannot be unfolded: {reason}; send it "
        "unfolded or as enhanced MR",
        tag="ImageType",
    )


def _count(dataset: Dataset, csa: dict[str, tuple[str, ...]]) -> int:
    texts = {*csa.get("NumberOfImagesInMosaic", ())[:1]}
    found = {int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0 for text in texts}
    plain = private_bytes(dataset, 0x0019, 0x0A, "SIEMENS MR HEADER")
    if plain:
        found.add(int.from_bytes(plain[:2], "little"))
    if not found:
        raise _refused("no number of slices (private elements 0029,xx10 and 0019,xx0A)")
    if len(found) > 1 or not 1 <= max(found) <= MAX_TILES:
        raise _refused(f"number of slices {sorted(found)}")
    return found.pop()


def _direction(csa: dict[str, tuple[str, ...]], picture: ImagePlane) -> NDArray[np.float64]:
    """The unit vector from a slice to the next: the normal of the plane or its opposite."""
    try:
        stated = np.array([float(text) for text in csa.get("SliceNormalVector", ())])
    except ValueError:
        stated = np.empty(0)
    if stated.shape != (3,) or not np.isfinite(stated).all():
        raise _refused("no direction of the slices (SliceNormalVector in 0029,xx10)")
    for direction in (picture.normal, -picture.normal):
        if np.abs(stated - direction).max() <= DIRECTION_TOLERANCE:
            return np.asarray(direction)
    raise _refused("the slices do not follow each other along the normal of the picture")


def _moved(picture: ImagePlane, origin_mm: NDArray[np.float64]) -> ImagePlane:
    x, y, z = map(float, origin_mm)
    return ImagePlane(
        (x, y, z), picture.row_cosine, picture.column_cosine,
        picture.row_spacing_mm, picture.column_spacing_mm,
    )  # fmt: skip


def _agrees_with_protocol(
    dataset: Dataset, planes: tuple[ImagePlane, ...], rows: int, columns: int
) -> bool:
    """Whether the protocol's slice centres are there; they are of the pixel at half the matrix."""
    raw = private_bytes(dataset, 0x0029, 0x20, "SIEMENS CSA HEADER")
    if _PROTOCOL not in raw:
        return False
    centres = np.zeros((len(planes), 3))
    stated: set[int] = set()
    for number, axis, text in _PLACE.findall(raw):
        if int(number) >= len(planes):
            raise _refused("the protocol in the file has more slices than the mosaic")
        centres[int(number), _AXES[axis]] = _number(text)
        stated.add(int(number))
    if len(stated) < len(planes):
        return False
    middle = PixelPoints(np.array([[rows / 2, columns / 2]]))
    found = np.array([p.pixel_to_patient(middle)[0] for p in planes])
    off_mm = float(np.linalg.norm(found - centres, axis=1).max())
    if not off_mm <= CENTRE_TOLERANCE_MM:
        raise _refused(f"the protocol in the file puts a slice {off_mm:.2f} mm elsewhere")
    return True


def _number(text: bytes) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise _refused("the protocol in the file names no place for a slice")
    return value
