"""Where the slice of the other view cuts a slice: the line that is drawn on it."""

from napari_necroangle.reading.case import Case
from necroangle.imaging import cross_reference
from necroangle.terms import View

__all__ = ["reference_ends"]

Ends = tuple[tuple[float, float], tuple[float, float]]


def reference_ends(case: Case, view: View) -> Ends | None:
    """The ends of the line, plane mm of the slice that is shown; None where there is none.

    Parameters
    ----------
    case
        The case: it knows which slices are shown.
    view
        The view on which the line is drawn.
    """
    other = next(one.view for one in case.session.draft.views if one.view is not view)
    here, there = case.shown_slice(view), case.shown_slice(other)
    if view.is_radiograph or here is None or there is None:
        return None
    return cross_reference(here, there).ends_mm
