"""What a reader marks on one slice: places for marks, arcs that may lack points, a slice."""

from dataclasses import dataclass, replace
from enum import StrEnum

from necroangle.annotation import ImageRecord, Mark, NecroticArc, PlaneRecord, StackPassport

__all__ = [
    "ArcDraft",
    "Handle",
    "MarkedSlice",
    "NeighbourDraft",
    "Role",
    "slice_marks",
    "with_arc",
    "with_item",
]


class Role(StrEnum):
    """What a mark stands for."""

    RIM = "rim"
    START = "start"
    END = "end"
    VIA = "via"
    LANDMARK = "landmark"
    CONTOUR = "contour"

    @property
    def is_arc(self) -> bool:
        """Whether it is a point of a necrotic arc."""
        return self in (Role.START, Role.END, Role.VIA)


@dataclass(frozen=True, slots=True)
class Handle:
    """A place for one mark of a view.

    Attributes
    ----------
    role
        What the mark stands for.
    index
        Which rim mark, arc or outline point, from 0; of a landmark, its place in
        :class:`necroangle.terms.LandmarkName`.
    slice_no
        0 on the view's own slice; 1 on its first neighbour, and so on.
    """

    role: Role
    index: int
    slice_no: int = 0


@dataclass(frozen=True, slots=True)
class MarkedSlice:
    """A slice that carries marks.

    Attributes
    ----------
    image
        Its DICOM identifiers.
    plane
        Where it lies.
    passport
        What the loader knew of its stack; None where it is not known.
    """

    image: ImageRecord
    plane: PlaneRecord
    passport: StackPassport | None = None


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
class NeighbourDraft:
    """Another slice of the view's series that is marked too.

    Attributes
    ----------
    on
        The slice.
    rim, arcs
        Its marks.
    is_free
        Whether the reader said that it shows no necrosis: an arc that is merely missing is not
        the same.
    """

    on: MarkedSlice
    rim: tuple[Mark, ...] = ()
    arcs: tuple[ArcDraft, ...] = ()
    is_free: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.rim or self.arcs or self.is_free)

    def marks(self, slice_no: int) -> tuple[tuple[Handle, Mark], ...]:
        """Every mark with its place."""
        return slice_marks(self.rim, self.arcs, slice_no)

    def with_mark(self, handle: Handle, mark: Mark) -> "NeighbourDraft":
        """The slice with one mark added or moved."""
        if handle.role is Role.RIM:
            return replace(self, rim=with_item(self.rim, handle.index, mark))
        return replace(self, arcs=with_arc(self.arcs, handle, mark), is_free=False)

    def without_mark(self, handle: Handle) -> "NeighbourDraft":
        """The slice with one mark taken away."""
        if handle.role is Role.RIM:
            return replace(self, rim=with_item(self.rim, handle.index, None))
        return replace(self, arcs=with_arc(self.arcs, handle, None))


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
