"""The reading as it stands while it is being made: frozen values, so that every step is kept.

A draft may be unfinished in any way; a :class:`necroangle.annotation.HipReading` may not.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    Conduct,
    ImageRecord,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    Revision,
    StackPassport,
)
from necroangle.terms import (
    ArcoStage,
    Finding,
    JicType,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

__all__ = ["ArcDraft", "Handle", "MarkedSlice", "ReadingDraft", "Role", "ViewDraft"]


class Role(StrEnum):
    """What a mark stands for."""

    RIM = "rim"
    START = "start"
    END = "end"
    VIA = "via"


@dataclass(frozen=True, slots=True)
class Handle:
    """A place for one mark of a view.

    Attributes
    ----------
    role
        What the mark stands for.
    index
        Which rim mark, or which arc, from 0.
    """

    role: Role
    index: int


@dataclass(frozen=True, slots=True)
class MarkedSlice:
    """The slice that a view is marked on.

    Attributes
    ----------
    image
        Its DICOM identifiers.
    plane
        Where it lies.
    passport
        What the loader knows of its stack, as far as that is known.
    """

    image: ImageRecord
    plane: PlaneRecord
    passport: StackPassport | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ArcDraft:
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
        if role is Role.START:
            return replace(self, start=mark)
        return replace(self, end=mark) if role is Role.END else replace(self, via=mark)


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
    neighbours, landmarks, contour
        Further marks of an opened reading, kept as they are.
    """

    view: View
    on: MarkedSlice | None = None
    rim: tuple[Mark, ...] = ()
    arcs: tuple[ArcDraft, ...] = ()
    choice: Finding | UnreadReason | None = None
    observations: tuple[Observation, ...] = ()
    neighbours: tuple[NeighbourSlice, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    contour: tuple[Mark, ...] = ()

    @property
    def is_bound(self) -> bool:
        """Whether it holds marks, which lie on its slice and on no other."""
        return bool(self.rim or self.arcs or self.neighbours or self.landmarks or self.contour)

    @property
    def marks(self) -> tuple[tuple[Handle, Mark], ...]:
        """Every mark with its place."""
        rim = tuple((Handle(Role.RIM, index), mark) for index, mark in enumerate(self.rim))
        arcs = tuple(
            (Handle(role, index), mark)
            for index, arc in enumerate(self.arcs)
            for role, mark in arc.marks
        )
        return rim + arcs

    def with_mark(self, handle: Handle, mark: Mark) -> "ViewDraft":
        """The view with one mark added or moved; a new rim mark goes behind the others."""
        if handle.role is Role.RIM:
            rim = (*self.rim[: handle.index], mark, *self.rim[handle.index + 1 :])
            return replace(self, rim=rim)
        arcs = self.arcs if handle.index < len(self.arcs) else (*self.arcs, ArcDraft())
        return replace(self, arcs=_with_arc(arcs, handle, mark))

    def without_mark(self, handle: Handle) -> "ViewDraft":
        """The view with one mark taken away; an arc without points goes too."""
        if handle.role is Role.RIM:
            rim = (*self.rim[: handle.index], *self.rim[handle.index + 1 :])
            return replace(self, rim=rim)
        arcs = _with_arc(self.arcs, handle, None)
        return replace(self, arcs=tuple(arc for arc in arcs if arc.marks))


@dataclass(frozen=True, slots=True)
class ReadingDraft:
    """All that the reader has entered for one hip at one visit.

    Attributes
    ----------
    views
        The A view and the B view.
    laterality, subject, visit, reader, read_no
        The key; texts may be empty.
    arco, jic, notes
        As entered.
    conduct, revision, consensus_of
        As in a reading.
    """

    views: tuple[ViewDraft, ViewDraft]
    laterality: Laterality
    subject: str = ""
    visit: str = ""
    reader: str = ""
    read_no: int = 1
    arco: ArcoStage | None = None
    jic: JicType | None = None
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


def _with_arc(
    arcs: tuple[ArcDraft, ...], handle: Handle, mark: Mark | None
) -> tuple[ArcDraft, ...]:
    return tuple(
        arc.with_mark(handle.role, mark) if index == handle.index else arc
        for index, arc in enumerate(arcs)
    )
