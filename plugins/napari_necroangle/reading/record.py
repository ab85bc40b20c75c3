"""Draft to reading and back: the two are each other's inverse for all that is complete."""

from datetime import datetime

from napari_necroangle.reading.draft import (
    ArcDraft,
    MarkedSlice,
    NeighbourDraft,
    ReadingDraft,
    ViewDraft,
)
from necroangle import __version__
from necroangle.annotation import (
    HipReading,
    NecroticArc,
    NeighbourSlice,
    ReadView,
    UnreadView,
)
from necroangle.moments import utc_text

__all__ = ["Entry", "draft_of", "reading_of"]

Entry = ReadView | UnreadView
"""A view as it stands in a reading."""


def reading_of(draft: ReadingDraft, entries: tuple[Entry, Entry], saved_at: datetime) -> HipReading:
    """The reading of a draft.

    Parameters
    ----------
    draft
        What was entered.
    entries
        Its views, complete or not read.
    saved_at
        When; any time zone.
    """
    return HipReading(
        format="necroangle.reading",
        version=3,
        subject=draft.subject,
        laterality=draft.laterality,
        visit=draft.visit,
        reader=draft.reader,
        read_no=draft.read_no,
        views=entries,
        entries=draft.entries,
        notes=draft.notes,
        conduct=draft.conduct,
        revision=draft.revision,
        consensus_of=draft.consensus_of,
        saved_at=utc_text(saved_at),
        software=f"necroangle {__version__}",
    )


def draft_of(reading: HipReading) -> ReadingDraft:
    """The draft from which a reading can be taken up again."""
    first, second = (_view_draft(entry) for entry in reading.views)
    return ReadingDraft(
        views=(first, second),
        laterality=reading.laterality,
        subject=reading.subject,
        visit=reading.visit,
        reader=reading.reader,
        read_no=reading.read_no,
        entries=reading.entries,
        notes=reading.notes,
        conduct=reading.conduct,
        revision=reading.revision,
        consensus_of=reading.consensus_of,
    )


def _view_draft(entry: Entry) -> ViewDraft:
    if isinstance(entry, UnreadView):
        return ViewDraft(entry.view, choice=entry.reason)
    return ViewDraft(
        view=entry.view,
        on=MarkedSlice(entry.image, entry.plane, entry.passport),
        rim=entry.rim,
        arcs=_arc_drafts(entry.arcs),
        choice=entry.finding,
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
