"""The reading as it is made: frozen values, so that every step is kept; to the reading and back.

A draft is built from the structs of the reading file, of which any may be missing still; autosave
keeps it as it is. A :class:`necroangle.annotation.HipReading` is whole.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from necroangle import __version__
from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    NO_ENTRIES,
    Conduct,
    HipReading,
    ImageRecord,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReaderEntries,
    ReadingKey,
    ReadView,
    Revision,
    StackPassport,
    UnreadView,
)
from necroangle.moments import utc_text
from necroangle.terms import Finding, LandmarkName, Laterality, Observation, UnreadReason, View


class Role(StrEnum):
    """What a mark stands for; the ends of a marker of known size are none of the hip."""

    RIM = "rim"
    START = "start"
    END = "end"
    VIA = "via"
    LANDMARK = "landmark"
    CONTOUR = "contour"
    MARKER = "marker"

    @property
    def is_arc(self) -> bool:
        """Whether it is a point of a necrotic arc."""
        return self in (Role.START, Role.END, Role.VIA)


class Handle(Struct, frozen=True):
    """A place for one mark of a view.

    ``index``: which rim mark, arc or outline point, from 0; of a landmark, its place in
    :class:`necroangle.terms.LandmarkName`.
    ``slice_no``: 0 on the view's own slice; 1 on its first neighbour, and so on.
    """

    role: Role
    index: int
    slice_no: int = 0


class MarkedSlice(Struct, frozen=True, forbid_unknown_fields=True):
    """A slice that carries marks."""

    image: ImageRecord
    plane: PlaneRecord
    passport: StackPassport | None = None


class ArcDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """An arc of which some points may be missing."""

    start: Mark | None = None
    end: Mark | None = None
    via: Mark | None = None

    @property
    def marks(self) -> tuple[tuple[Role, Mark], ...]:
        """The marks that are there."""
        pairs = ((Role.START, self.start), (Role.END, self.end), (Role.VIA, self.via))
        return tuple((role, mark) for role, mark in pairs if mark is not None)

    def complete(self) -> NecroticArc | None:
        """The arc, once its three points are there."""
        if self.start is None or self.end is None or self.via is None:
            return None
        return NecroticArc(self.start, self.end, self.via)

    def with_mark(self, role: Role, mark: Mark | None) -> "ArcDraft":
        """The arc with one point set, or taken away."""
        return replace(self, **{role.value: mark})


class NeighbourDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """Another slice of the view's series that is marked too.

    ``is_free``: whether the reader said that it shows no necrosis: an arc that is merely
    missing is not the same.
    """

    on: MarkedSlice
    rim: tuple[Mark, ...] = ()
    arcs: tuple[ArcDraft, ...] = ()
    is_free: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.rim or self.arcs or self.is_free)

    def with_mark(self, handle: Handle, mark: Mark | None) -> "NeighbourDraft":
        """The slice with one mark added or moved, or taken away."""
        if handle.role is Role.RIM:
            return replace(self, rim=with_item(self.rim, handle.index, mark))
        arcs = with_arc(self.arcs, handle, mark)
        return replace(self, arcs=arcs, is_free=self.is_free and mark is None)


def slice_marks(
    rim: tuple[Mark, ...], arcs: tuple[ArcDraft, ...], slice_no: int
) -> tuple[tuple[Handle, Mark], ...]:
    """Rim and arc marks of a slice with their places."""
    around = ((Handle(Role.RIM, at, slice_no), mark) for at, mark in enumerate(rim))
    along = (
        (Handle(role, at, slice_no), mark)
        for at, arc in enumerate(arcs)
        for role, mark in arc.marks
    )
    return (*around, *along)


def with_item(marks: tuple[Mark, ...], index: int, mark: Mark | None) -> tuple[Mark, ...]:
    """Marks with one exchanged or taken away; a new one goes behind the others."""
    put = () if mark is None else (mark,)
    return (*marks[:index], *put, *marks[index + 1 :])


def with_arc(arcs: tuple[ArcDraft, ...], handle: Handle, mark: Mark | None) -> tuple[ArcDraft, ...]:
    """Arcs with one point set or taken away; an arc without points goes too."""
    if handle.index >= len(arcs):
        arcs = (*arcs, ArcDraft())
    changed = (
        arc.with_mark(handle.role, mark) if index == handle.index else arc
        for index, arc in enumerate(arcs)
    )
    return tuple(arc for arc in changed if arc.marks)


LANDMARKS = tuple(LandmarkName)


class ViewDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """One view of the reading.

    Attributes
    ----------
    on
        The slice that carries the marks or the finding; None while there is neither.
    rim, arcs
        The marks. Arcs are kept whatever is chosen, but count for necrosis only.
    finding, reason
        What the reader found, or why the view was not read; both None while undecided.
    neighbours
        Other slices of the same series that are marked too.
    landmarks, contour
        Named points, and the lesion's outline, on the view's own slice.
    """

    view: View
    on: MarkedSlice | None = None
    rim: tuple[Mark, ...] = ()
    arcs: tuple[ArcDraft, ...] = ()
    finding: Finding | None = None
    reason: UnreadReason | None = None
    observations: tuple[Observation, ...] = ()
    neighbours: tuple[NeighbourDraft, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    contour: tuple[Mark, ...] = ()

    @property
    def choice(self) -> Finding | UnreadReason | None:
        """What the reader found, or why the view was not read; None while undecided."""
        return self.finding or self.reason

    def choosing(self, choice: Finding | UnreadReason | None) -> "ViewDraft":
        """The view with another choice; None takes it back."""
        finding = choice if isinstance(choice, Finding) else None
        reason = choice if isinstance(choice, UnreadReason) else None
        return replace(self, finding=finding, reason=reason)

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
        others = enumerate(self.neighbours, 1)
        beside = (slice_marks(one.rim, one.arcs, at) for at, one in others)
        return (*self.marks, *(pair for marks in beside for pair in marks))

    def marked(self, slice_no: int) -> "ViewDraft | NeighbourDraft":
        """What is marked on its own slice, for 0, or on a neighbour: nothing on a new one."""
        if slice_no == 0:
            return self
        known = slice_no <= len(self.neighbours)
        return self.neighbours[slice_no - 1] if known else ViewDraft(self.view)

    def slice_no(self, on: MarkedSlice) -> int:
        """Which of its slices a slice is: 0 its own, else a neighbour, there already or new."""
        if self.on is None or self.on.image == on.image:
            return 0
        images = [one.on.image for one in self.neighbours]
        return 1 + (images.index(on.image) if on.image in images else len(images))

    def with_mark(self, handle: Handle, mark: Mark | None) -> "ViewDraft":
        """The view with one mark added, behind the others, or moved, or taken away.

        An arc or a neighbour without points goes too.
        """
        if handle.slice_no:
            beside = self.neighbours[handle.slice_no - 1]
            return self.with_neighbour(handle.slice_no, beside.with_mark(handle, mark))
        if handle.role.is_arc:
            return replace(self, arcs=with_arc(self.arcs, handle, mark))
        if handle.role is Role.RIM:
            return replace(self, rim=with_item(self.rim, handle.index, mark))
        if handle.role is Role.CONTOUR:
            return replace(self, contour=with_item(self.contour, handle.index, mark))
        name = LANDMARKS[handle.index]
        kept = [one for one in self.landmarks if one.name is not name]
        put = [] if mark is None else [Landmark(name, mark)]
        named = sorted((*kept, *put), key=lambda one: LANDMARKS.index(one.name))
        return replace(self, landmarks=tuple(named))

    def with_neighbour(self, slice_no: int, neighbour: NeighbourDraft) -> "ViewDraft":
        """The view with one neighbour exchanged or new; an empty one is taken away."""
        put = () if neighbour.is_empty else (neighbour,)
        before, after = self.neighbours[: slice_no - 1], self.neighbours[slice_no:]
        return replace(self, neighbours=(*before, *put, *after))


class ReadingDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """All that the reader has entered for one hip at one visit.

    The texts of its key may be empty.
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

    @property
    def asked(self) -> tuple[ReadingKey, View, Conduct]:
        """What other visits are asked for by: the key, the A view, and how it is conducted."""
        key = ReadingKey(self.subject, self.laterality, self.visit, self.reader, self.read_no)
        return key, self.views[0].view, self.conduct

    def view(self, view: View) -> ViewDraft:
        """One of its two views."""
        return self.views[0] if view is self.views[0].view else self.views[1]

    def other(self, view: View) -> View:
        """The view that is read beside one."""
        first, second = self.views
        return second.view if view is first.view else first.view

    def with_view(self, changed: ViewDraft) -> "ReadingDraft":
        """The draft with one view exchanged."""
        first, second = self.views
        if changed.view is first.view:
            return replace(self, views=(changed, second))
        return replace(self, views=(first, changed))


_AS_ENTERED = tuple(name for name in ReadingDraft.__struct_fields__ if name != "views")
"""What a reading says of the hip in the very words of its draft."""

Entry = ReadView | UnreadView
"""A view as it stands in a reading."""


def reading_of(draft: ReadingDraft, entries: tuple[Entry, Entry], saved_at: datetime) -> HipReading:
    """The reading of a draft."""
    return HipReading(
        format="necroangle.reading",
        version=3,
        views=entries,
        saved_at=utc_text(saved_at),
        software=f"necroangle {__version__}",
        **{name: getattr(draft, name) for name in _AS_ENTERED},
    )


def draft_of(reading: HipReading) -> ReadingDraft:
    """The draft from which a reading can be taken up again."""
    first, second = (_view_draft(entry) for entry in reading.views)
    return ReadingDraft((first, second), **{name: getattr(reading, name) for name in _AS_ENTERED})


def _view_draft(entry: Entry) -> ViewDraft:
    if isinstance(entry, UnreadView):
        return ViewDraft(entry.view, reason=entry.reason)
    return ViewDraft(
        view=entry.view,
        on=MarkedSlice(entry.image, entry.plane, entry.passport),
        rim=entry.rim,
        arcs=_arc_drafts(entry.arcs),
        finding=entry.finding,
        observations=entry.observations,
        neighbours=tuple(_neighbour_draft(one) for one in entry.neighbours),
        landmarks=entry.landmarks,
        contour=entry.contour,
    )


def _neighbour_draft(slice_: NeighbourSlice) -> NeighbourDraft:
    return NeighbourDraft(
        on=MarkedSlice(slice_.image, slice_.plane),
        rim=slice_.rim,
        arcs=_arc_drafts(slice_.arcs),
        is_free=not slice_.arcs,
    )


def _arc_drafts(arcs: tuple[NecroticArc, ...]) -> tuple[ArcDraft, ...]:
    return tuple(ArcDraft(arc.start, arc.end, arc.via) for arc in arcs)
