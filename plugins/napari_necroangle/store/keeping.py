"""Keeping unsaved readings: each is watched while it is made, and offered again after a crash."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import Autosave
from napari_necroangle.store.autosave_file import Context
from napari_necroangle.store.recovery import Recovered, Remains, remains
from necroangle.dicom.visits import Visit
from necroangle.terms import View

__all__ = ["Keeping", "offer_words", "offers_for_case", "offers_for_visits", "views_of", "visit_of"]


class Keeping:
    """Watches every reading in the making, in the folder that its autosave goes to.

    Parameters
    ----------
    trouble
        Called with one plain sentence when a state cannot be written, and with an empty one when
        it can be again.
    """

    def __init__(self, trouble: Callable[[str], None]) -> None:
        self._trouble = trouble
        self._autosaves: dict[Path, Autosave] = {}
        self._kept_in: dict[int, Autosave] = {}

    def watch(
        self,
        folder: Path,
        session: ReadingSession,
        context: Callable[[], Context],
        *,
        replaces: Path | None = None,
    ) -> None:
        """Keep a session from now on, in the folder that first kept it.

        Parameters
        ----------
        folder
            Where the readings of its study lie.
        session, context, replaces
            As for :meth:`napari_necroangle.store.autosave.Autosave.watch`.
        """
        if folder not in self._autosaves:
            self._autosaves[folder] = Autosave(folder, self._trouble)
        kept_in = self._kept_in.setdefault(id(session), self._autosaves[folder])
        kept_in.watch(session, context, replaces=replaces)

    def forget(self, session: ReadingSession) -> None:
        """Keep a session no longer, and drop what was kept of it."""
        kept_in = self._kept_in.pop(id(session), None)
        if kept_in is not None:
            kept_in.forget(session)

    def close(self) -> None:
        """Watch no longer; what was not saved stays and is offered at the next start."""
        for autosave in self._autosaves.values():
            autosave.close()
        self._autosaves.clear()
        self._kept_in.clear()

    def left_in(self, folder: Path) -> Remains:
        """What windows that are no longer open left unsaved."""
        return remains(folder)


def offers_for_visits(found: Iterable[Recovered], visits: Sequence[Visit]) -> tuple[Recovered, ...]:
    """Those that were read freely on these visits; all others are left alone."""
    return tuple(
        one
        for one in found
        if not one.context.case_code
        and not one.draft.consensus_of
        and visit_of(one, visits) is not None
    )


def offers_for_case(found: Iterable[Recovered], codes: Iterable[str]) -> tuple[Recovered, ...]:
    """Those that were read under one of these codes."""
    known = frozenset(codes)
    return tuple(one for one in found if one.context.case_code in known)


def visit_of(found: Recovered, visits: Sequence[Visit]) -> Visit | None:
    """The visit whose images it was read on: by its series, and without any by its name."""
    marked = [view.on.image.series_uid for view in found.draft.views if view.on is not None]
    uids = {*marked, *(one.series_uid for one in found.context.shown)}
    for visit in visits:
        if any(series.series_uid in uids for series in visit.series):
            return visit
    if uids:
        return None
    named = (visit for visit in visits if visit.label == found.context.visit)
    return next(named, None)


def views_of(found: Recovered) -> tuple[View, View]:
    """The pair of views that it was read on."""
    first, second = found.draft.views
    return first.view, second.view


def offer_words(found: Recovered, name: str) -> str:
    """What was not saved, how much of it, and when, in the reader's own time.

    Parameters
    ----------
    found
        The reading.
    name
        What the reader knows it by.
    """
    last = datetime.fromisoformat(found.at).astimezone()
    steps = f"{found.edits} step{'s' if found.edits != 1 else ''}"
    lost = " The very last step could not be read." if found.damaged else ""
    return f"{name} was not saved: {steps}, the last on {last:%Y-%m-%d at %H:%M}.{lost}"
