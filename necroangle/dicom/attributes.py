"""One attribute of a header as a checked value, wherever the file keeps it.

At the top of the data set, or in the functional groups of an enhanced image.
"""

import hashlib
import math
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from necroangle.errors import DicomError
from necroangle.terms import Laterality

LEAST_SPACING_MM, MOST_SPACING_MM = 1e-4, 1e3
"""No pixel of a picture of a patient is smaller or larger."""

UID_LETTERS, LONGEST_UID = 64, 128
"""As DICOM allows, and as some write; what is longer is none."""

_UID = re.compile(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*")
_TIME = re.compile(r"([0-9]{2}):?([0-9]{2})?:?([0-9]{2}(?:\.[0-9]{1,6})?)?(?:[+-][0-9]{4})?")
_CODE = re.compile(r"[A-Z0-9 _-]{1,16}")


def code(dataset: Dataset, keyword: str) -> str | None:
    """A coded value (the first, where several): capitals, digits and blanks, else None."""
    value = dataset.get(keyword)
    first = value[0] if isinstance(value, MultiValue) and value else value
    text = str(first or "").strip()
    return text if _CODE.fullmatch(text) else None


def stated_code(dataset: Dataset, keyword: str, why: str) -> str:
    """A coded value that must be there.

    Parameters
    ----------
    dataset, keyword
        Where it stands.
    why
        What its absence means.

    Raises
    ------
    DicomError
        If it is absent, or is no code: its own letters are told where they can identify nobody.

    Examples
    --------
    >>> stated_code({"Modality": "mr"}, "Modality", "what kind of image it is is not stated")
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: Modality: no code, found 'mr': capitals are needed
    """
    found = code(dataset, keyword)
    if found is not None:
        return found
    text = str(dataset.get(keyword) or "").strip(" \0")
    if not text:
        raise DicomError(f"absent: {why}", tag=keyword)
    shown = f"found {text!r}: capitals are needed" if _CODE.fullmatch(text.upper()) else "not shown"
    raise DicomError(f"no code, {shown}", tag=keyword)


def codes(dataset: Dataset | None, keyword: str) -> tuple[str, ...]:
    """All coded values of an attribute, those left out that are no code.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.ScanOptions = ["FS", "PFP"]
    >>> codes(dataset, "ScanOptions"), codes(dataset, "ImageType"), codes(None, "ImageType")
    (('FS', 'PFP'), (), ())
    """
    value = None if dataset is None else dataset.get(keyword)
    several = value if isinstance(value, MultiValue | list) else [value]
    texts = (str(single or "").strip() for single in several)
    return tuple(text for text in texts if _CODE.fullmatch(text))


def uid(dataset: Dataset, keyword: str) -> str | None:
    """An identifier, or None where it is absent or empty.

    Letters are let through beside digits: de-identified studies often carry hexadecimal UIDs. One
    that is longer than DICOM allows stands for itself by one that is made from it.

    Raises
    ------
    DicomError
        If it holds anything that has no place in an identifier, or more than 128 characters.

    Examples
    --------
    >>> uid({"SeriesInstanceUID": "1.2.3"}, "SeriesInstanceUID")
    '1.2.3'
    >>> len(uid({"SeriesInstanceUID": "1.2." + "3" * 61}, "SeriesInstanceUID")) <= 64
    True
    """
    text = str(dataset.get(keyword) or "").strip(" \0")
    if not text:
        return None
    if len(text) > LONGEST_UID or not _UID.fullmatch(text):
        raise DicomError("no valid UID", tag=keyword)
    return text if len(text) <= UID_LETTERS else made_uid(text.encode("ascii"), keyword.encode())


def has_long_uid(dataset: Dataset, keyword: str) -> bool:
    """Whether an identifier is longer than DICOM allows."""
    return len(str(dataset.get(keyword) or "").strip(" \0")) > UID_LETTERS


def made_uid(content: bytes, what: bytes) -> str:
    """An identifier that is made from what it stands for, and is the same wherever that is.

    Parameters
    ----------
    content
        What it stands for.
    what
        Of which kind, 16 letters at most count: equal content of two kinds has two identifiers.
    """
    digest = hashlib.blake2b(content, digest_size=16, person=what[:16]).digest()
    return f"2.25.{uuid.UUID(bytes=digest, version=5).int}"


def required_uid(dataset: Dataset, keyword: str) -> str:
    """An identifier that must be there.

    Raises
    ------
    DicomError
        If it is absent, empty or invalid.
    """
    text = uid(dataset, keyword)
    if text is None:
        raise DicomError("absent: not a DICOM image", tag=keyword)
    return text


def integer(dataset: Dataset, keyword: str, lowest: int, highest: int) -> int:
    """A whole number within bounds.

    Raises
    ------
    DicomError
        If it is absent, no single whole number, or out of bounds.
    """
    value = dataset.get(keyword)
    try:
        number = int(str(value))
    except ValueError:
        found = "absent" if value is None else f"found {_short(value)}"
        raise DicomError(f"must be one whole number, {found}", tag=keyword) from None
    if not lowest <= number <= highest:
        raise DicomError(f"must lie between {lowest} and {highest}, found {number}", tag=keyword)
    return number


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """So many finite numbers, or None where the attribute is absent or empty.

    Raises
    ------
    DicomError
        If there are more or fewer, or one is no finite number.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.ImagePositionPatient = [1, 2.5, -3]
    >>> numbers(dataset, "ImagePositionPatient", 3)
    (1.0, 2.5, -3.0)
    >>> numbers(dataset, "PixelSpacing", 2) is None
    True
    >>> numbers(dataset, "ImagePositionPatient", 2)
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: ImagePositionPatient: must be 2 finite numbers, found
    '[1.0, 2.5, -3.0]'
    """
    value = dataset.get(keyword)
    if value is None or value == "" or (isinstance(value, Sequence) and len(value) == 0):
        return None
    values = tuple(value) if isinstance(value, MultiValue | list) else (value,)
    try:
        found = tuple(one if type(one) is float else float(str(one)) for one in values)
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        raise DicomError(f"must be {count} finite numbers, found {_short(value)}", tag=keyword)
    return found


def spacing_mm(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    """Distance between rows, then between columns, in mm; None where absent, empty or 0 and 0.

    Raises
    ------
    DicomError
        If it is not two positive numbers.
    """
    found = numbers(dataset, keyword, 2)
    if found == (0.0, 0.0):
        return None
    if found is not None and min(found) <= 0:
        raise DicomError(f"must be positive, found {found}", tag=keyword)
    if found is not None and not LEAST_SPACING_MM <= min(found) <= max(found) <= MOST_SPACING_MM:
        raise DicomError(
            f"must lie between {LEAST_SPACING_MM:g} and {MOST_SPACING_MM:g} mm, found {found}",
            tag=keyword,
        )
    return found


def item(dataset: Dataset, keyword: str) -> Dataset | None:
    """The first item of a sequence, or None where it is absent, empty or no sequence."""
    value = dataset.get(keyword)
    if isinstance(value, Sequence) and len(value) and isinstance(value[0], Dataset):
        return value[0]
    return None


def first_number(dataset: Dataset | None, keyword: str) -> float | None:
    """The first finite number of an attribute that only helps to show the image, else None."""
    value = None if dataset is None else dataset.get(keyword)
    if value is None:
        return None
    first = value[0] if isinstance(value, MultiValue) and value else value
    try:
        number = first if type(first) is float else float(str(first))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def whole(dataset: Dataset | None, keyword: str) -> int | None:
    """The first value of an attribute if it is a whole number, else None."""
    number = first_number(dataset, keyword)
    return int(number) if number is not None and number == int(number) else None


def wholes(dataset: Dataset | None, keyword: str) -> tuple[int, ...]:
    """All values of an attribute if they are whole numbers, else nothing."""
    value = None if dataset is None else dataset.get(keyword)
    several = list(value) if isinstance(value, MultiValue | list) else [value]
    found = tuple(int(single) for single in several if isinstance(single, int))
    return found if len(found) == len(several) else ()


def since_start_s(dataset: Dataset | None, keyword: str, of: Dataset | None = None) -> float | None:
    """A time of day in seconds from the start of the series, else of the study.

    Where neither is stated, from the last full hour: no time of day leaves the header.

    Parameters
    ----------
    dataset, keyword
        Where the time stands (TM, or DT, of which the day is left aside).
    of
        Where the start stands, if not there.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.SeriesTime, dataset.AcquisitionTime = "101500", "101530.25"
    >>> since_start_s(dataset, "AcquisitionTime"), since_start_s(dataset, "ContentTime")
    (30.25, None)
    """
    found = None if dataset is None else _seconds(dataset, keyword)
    if found is None:
        return None
    starts = (_seconds(of or dataset or Dataset(), name) for name in ("SeriesTime", "StudyTime"))
    start = next((one for one in starts if one is not None), None)
    return round(found % 3600 if start is None else found - start, 3)


def _seconds(dataset: Dataset, keyword: str) -> float | None:
    text = str(dataset.get(keyword) or "")
    return _seconds_of(text[8:] if keyword.endswith("DateTime") else text) if text else None


@lru_cache(maxsize=256)
def _seconds_of(text: str) -> float | None:
    digits = _TIME.fullmatch(text.strip(" \0"))
    if digits is None:
        return None
    hours, minutes, seconds = digits.groups()
    return 3600.0 * int(hours) + 60.0 * int(minutes or 0) + float(seconds or 0)


def laterality(dataset: Dataset | None, *keywords: str) -> Laterality | None:
    """The side, from the first of these attributes that names one."""
    for keyword in keywords:
        side = None if dataset is None else code(dataset, keyword)
        if side in ("L", "R"):
            return Laterality(side)
    return None


def _short(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "...")


MAX_FRAMES = 20_000
"""More frames than this in one file are refused at the header."""

_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_SHARED = "SharedFunctionalGroupsSequence"


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroups:
    """Where to look for the attributes of one frame.

    Attributes
    ----------
    dataset
        The whole file.
    per_frame, shared
        This frame's functional groups and those of all frames; None in a single-frame image.
    """

    dataset: Dataset
    per_frame: Dataset | None = None
    shared: Dataset | None = None

    def find(self, keyword: str) -> Dataset | None:
        """The functional group of this name; the data set itself in a single-frame image."""
        if self.per_frame is None:
            return self.dataset
        found = item(self.per_frame, keyword)
        if found is None and self.shared is not None:
            found = item(self.shared, keyword)
        return found

    def need(self, keyword: str) -> Dataset:
        """The functional group of this name.

        Raises
        ------
        DicomError
            If neither the frame's nor the shared groups hold it.
        """
        found = self.find(keyword)
        if found is None:
            raise DicomError("absent from the functional groups", tag=keyword)
        return found


def frame_groups(dataset: Dataset) -> tuple[FrameGroups, ...]:
    """One per frame, in the file's order.

    Raises
    ------
    DicomError
        If ``NumberOfFrames`` is out of bounds, or a multi-frame image has no functional groups,
        or not one for each frame.
    """
    count = 1
    if str(dataset.get("NumberOfFrames") or "").strip():
        count = integer(dataset, "NumberOfFrames", 1, MAX_FRAMES)
    per_frame = dataset.get(_PER_FRAME) or ()
    if not len(per_frame):
        if count > 1:
            raise DicomError(
                f"absent: {count} frames without functional groups have no positions",
                tag=_PER_FRAME,
            )
        return (FrameGroups(dataset),)
    if len(per_frame) != count:
        raise DicomError(f"{len(per_frame)} items for {count} frames", tag=_PER_FRAME)
    shared = item(dataset, _SHARED)
    return tuple(FrameGroups(dataset, groups, shared) for groups in per_frame)


def still_picture(dataset: Dataset) -> FrameGroups:
    """The one frame of a radiograph or a secondary capture.

    Raises
    ------
    DicomError
        If it has several frames.
    """
    if str(dataset.get("NumberOfFrames") or "").strip():
        count = integer(dataset, "NumberOfFrames", 1, MAX_FRAMES)
        if count > 1:
            raise DicomError(f"{count} frames: no still picture", tag="NumberOfFrames")
    return frame_groups(dataset)[0]


Window = tuple[float, float]


def stated_window(groups: FrameGroups) -> tuple[Window | None, str]:
    """The window of one frame, and the attribute it comes from.

    ``WindowCenter`` and ``WindowWidth`` where they are there; else the range of grey values that
    the first ``VOILUTSequence`` item covers. The curve of that table is not applied: grey values
    are shown in a straight line from its first to its last.

    Returns
    -------
    (low, high) or None, str
        Grey values after rescale; ``"WindowCenter"``, ``"VOILUTSequence"`` or ``"none"``.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.WindowCenter, dataset.WindowWidth = 100.5, 201
    >>> stated_window(FrameGroups(dataset))
    ((0.0, 200.0), 'WindowCenter')
    >>> stated_window(FrameGroups(Dataset()))
    (None, 'none')
    """
    where = groups.find("FrameVOILUTSequence")
    centre = first_number(where, "WindowCenter")
    width = first_number(where, "WindowWidth")
    if centre is not None and width is not None and width >= 1:
        half = (width - 1) / 2
        return (centre - 0.5 - half, centre - 0.5 + half), "WindowCenter"
    table = None if where is None else item(where, "VOILUTSequence")
    window = None if table is None else _range_of(table, groups.dataset)
    return window, "none" if window is None else "VOILUTSequence"


def _range_of(table: Dataset, dataset: Dataset) -> Window | None:
    described = wholes(table, "LUTDescriptor")
    if len(described) != 3:
        return None
    count, first = described[0] or 65_536, described[1]
    intercept = first_number(dataset, "RescaleIntercept") or 0.0
    if first > 32_767 and (whole(dataset, "PixelRepresentation") == 1 or intercept < 0):
        first -= 65_536
    return (float(first), float(first + count - 1)) if count > 1 else None


def charset_known(dataset: Dataset) -> bool:
    """Whether every character set that a file names is one that pydicom decodes.

    Examples
    --------
    >>> dataset = Dataset()
    >>> charset_known(dataset)
    True
    >>> dataset.SpecificCharacterSet = ["", "ISO 2022 IR 149"]
    >>> charset_known(dataset)
    True
    """
    value = dataset.get("SpecificCharacterSet") or ""
    names = [value] if isinstance(value, str) else list(value)
    return all(str(name or "").strip() in python_encoding for name in names)
