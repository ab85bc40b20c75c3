"""The reading as it stands while it is being made: frozen values, so that every step is kept.

A draft may be unfinished in any way; a :class:`necroangle.annotation.HipReading` may not.
"""

from dataclasses import dataclass, replace

from napari_necroangle.reading.marks import (
    ArcDraft,
    Handle,
    MarkedSlice,
    NeighbourDraft,
    Role,
    slice_marks,
    with_arc,
    with_item,
)
from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    NO_ENTRIES,
    Conduct,
    Landmark,
    Mark,
    ReaderEntries,
    Revision,
)
from necroangle.terms import (
    Finding,
    LandmarkName,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

__all__ = [
    "LANDMARKS",
    "ArcDraft",
    "Handle",
    "MarkedSlice",
    "NeighbourDraft",
    "ReadingDraft",
    "Role",
    "ViewDraft",
]

LANDMARKS = tuple(LandmarkName)


@dataclass(frozen=True, slots=True)
class ViewDraft:
    """One view of the reading.

    Attributes
    ----------
    view
        Which view.
    on
        The slice that carries the marks or the finding; None while there is neither.
    rim, arcs
        The marks. Arcs are kept whatever is chosen, but count for necrosis only.
    choice
        What the reader found, or why the view was not read; None while undecided.
    observations
        What else was seen.
    neighbours
        Other slices of the same series that are marked too.
    landmarks, contour
        Named points, and the lesion's outline, on the view's own slice.
    """

    view: View
    on: MarkedSlice | None = None
    rim: tuple[Mark, ...] = ()
    arcs: tuple[ArcDraft, ...] = ()
    choice: Finding | UnreadReason | None = None
    observations: tuple[Observation, ...] = ()
    neighbours: tuple[NeighbourDraft, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    contour: tuple[Mark, ...] = ()

    @property
    def is_bound(self) -> bool:
        """Whether it holds marks, which lie on its slice and on no other."""
        return bool(self.rim or self.arcs or self.neighbours or self.landmarks or self.contour)

    @property
    def marks(self) -> tuple[tuple[Handle, Mark], ...]:
        """Every mark of its own slice with its place."""
        outline = ((Handle(Role.CONTOUR, at), mark) for at, mark in enumerate(self.contour))
        named = (
            (Handle(Role.LANDMARK, LANDMARKS.index(one.name)), one.mark) for one in self.landmarks
        )
        return (*slice_marks(self.rim, self.arcs, 0), *outline, *named)

    @property
    def all_marks(self) -> tuple[tuple[Handle, Mark], ...]:
        """Every mark of every slice with its place."""
        beside = (one.marks(at) for at, one in enumerate(self.neighbours, 1))
        return (*self.marks, *(pair for marks in beside for pair in marks))

    def slice_of(self, slice_no: int) -> MarkedSlice | None:
        """The view's own slice for 0, else a neighbour."""
        if slice_no == 0:
            return self.on
        known = slice_no <= len(self.neighbours)
        return self.neighbours[slice_no - 1].on if known else None

    def slice_no(self, on: MarkedSlice) -> int:
        """Which of its slices a slice is: 0 its own, else a neighbour, there already or new."""
        if self.on is None or self.on.image == on.image:
            return 0
        images = [one.on.image for one in self.neighbours]
        return 1 + (images.index(on.image) if on.image in images else len(images))

    def rim_on(self, slice_no: int) -> tuple[Mark, ...]:
        """The rim marks of one of its slices."""
        if slice_no == 0:
            return self.rim
        return self.neighbours[slice_no - 1].rim if slice_no <= len(self.neighbours) else ()

    def arcs_on(self, slice_no: int) -> tuple[ArcDraft, ...]:
        """The arcs of one of its slices."""
        if slice_no == 0:
            return self.arcs
        return self.neighbours[slice_no - 1].arcs if slice_no <= len(self.neighbours) else ()

    def with_mark(self, handle: Handle, mark: Mark) -> "ViewDraft":
        """The view with one mark added or moved; a new rim mark goes behind the others."""
        if handle.slice_no:
            beside = self.neighbours[handle.slice_no - 1]
            return self.with_neighbour(handle.slice_no, beside.with_mark(handle, mark))
        if handle.role.is_arc:
            return replace(self, arcs=with_arc(self.arcs, handle, mark))
        return self._with_point(handle, mark)

    def without_mark(self, handle: Handle) -> "ViewDraft":
        """The view with one mark taken away; an arc or a neighbour without points goes too."""
        if handle.slice_no:
            beside = self.neighbours[handle.slice_no - 1]
            return self.with_neighbour(handle.slice_no, beside.without_mark(handle))
        if handle.role.is_arc:
            return replace(self, arcs=with_arc(self.arcs, handle, None))
        return self._with_point(handle, None)

    def with_neighbour(self, slice_no: int, neighbour: NeighbourDraft) -> "ViewDraft":
        """The view with one neighbour exchanged or new; an empty one is taken away."""
        put = () if neighbour.is_empty else (neighbour,)
        before, after = self.neighbours[: slice_no - 1], self.neighbours[slice_no:]
        return replace(self, neighbours=(*before, *put, *after))

    def _with_point(self, handle: Handle, mark: Mark | None) -> "ViewDraft":
        if handle.role is Role.RIM:
            return replace(self, rim=with_item(self.rim, handle.index, mark))
        if handle.role is Role.CONTOUR:
            return replace(self, contour=with_item(self.contour, handle.index, mark))
        name = LANDMARKS[handle.index]
        kept = [one for one in self.landmarks if one.name is not name]
        put = [] if mark is None else [Landmark(name, mark)]
        named = sorted((*kept, *put), key=lambda one: LANDMARKS.index(one.name))
        return replace(self, landmarks=tuple(named))


@dataclass(frozen=True, slots=True)
class ReadingDraft:
    """All that the reader has entered for one hip at one visit.

    Attributes
    ----------
    views
        The A view and the B view.
    laterality, subject, visit, reader, read_no
        The key; texts may be empty.
    entries, notes
        As entered.
    conduct, revision, consensus_of
        As in :class:`necroangle.annotation.HipReading`.
    """

    views: tuple[ViewDraft, ViewDraft]
    laterality: Laterality
    subject: str = ""
    visit: str = ""
    reader: str = ""
    read_no: int = 1
    entries: ReaderEntries = NO_ENTRIES
    notes: str = ""
    conduct: Conduct = FREE_READING
    revision: Revision = FIRST_REVISION
    consensus_of: tuple[str, ...] = ()

    def view(self, view: View) -> ViewDraft:
        """One of its two views."""
        return self.views[0] if view is self.views[0].view else self.views[1]

    def with_view(self, changed: ViewDraft) -> "ReadingDraft":
        """The draft with one view exchanged."""
        first, second = self.views
        if changed.view is first.view:
            return replace(self, views=(changed, second))
        return replace(self, views=(first, changed))
