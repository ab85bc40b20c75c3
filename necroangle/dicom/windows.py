"""The grey values that a file wants shown."""

from pydicom.dataset import Dataset

from necroangle.dicom.attributes import first_number, item, whole, wholes
from necroangle.dicom.groups import FrameGroups

__all__ = ["stated_window"]

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
