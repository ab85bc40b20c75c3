"""Unsaved readings of earlier windows: found, offered in the dock, and taken up as they were."""

from collections.abc import Callable, Sequence

from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.dock.adjudication_mode import CouncilMode
from napari_necroangle.dock.host import Host
from napari_necroangle.dock.panel_offer import OfferPanel
from napari_necroangle.dock.worklist_mode import StudyMode
from napari_necroangle.reading.texts import SIDES
from napari_necroangle.store.recovery import Recovered, Remains, discard
from necroangle.errors import NecroangleError

__all__ = ["Offers"]


class Offers:
    """Offers what an earlier window left unsaved of what is open now.

    Parameters
    ----------
    host
        The window.
    study, council
        What hands cases out, where something does.
    planes
        Gives the canvases.
    """

    def __init__(
        self,
        host: Host,
        study: StudyMode,
        council: CouncilMode,
        planes: Callable[[], Sequence[PlaneView]],
    ) -> None:
        self._host, self._study, self._council = host, study, council
        self._planes = planes
        self.panel = OfferPanel(self._name, self.take_up, self.put_aside)

    def look(self) -> None:
        """Look for unsaved readings, and offer them; what cannot be read is told."""
        left = self._left()
        self.panel.offer(left.recovered)
        if left.set_aside:
            places = "\n".join(f"{one.path.name}: {one.problem}" for one in left.set_aside)
            folder = left.set_aside[0].path.parent
            words = f"They are kept in {folder.parent.name}/{folder.name}:\n{places}"
            self._host.asker.tell("Unsaved readings that cannot be read", self._words(words))

    def take_up(self, found: Recovered) -> None:
        """Open an unsaved reading as it was, on the slices that were shown."""
        host = self._host
        host.leave_case()
        try:
            self._recover(found)
        except NecroangleError as error:
            host.asker.tell("It cannot be taken up", self._words(str(error)))
        host.show_desk()
        shown = {one.view: one.slice_index for one in found.context.shown}
        for plane in self._planes():
            if plane.picture is not None and plane.view in shown:
                plane.go_to(shown[plane.view])
        host.refresh()

    def put_aside(self, found: Recovered) -> None:
        """Offer it no more."""
        try:
            discard(found)
        except OSError as error:
            words = f"The file stays where it is: {error.strerror}."
            self._host.asker.tell("It cannot be put aside", words)

    def _left(self) -> Remains:
        if self._study.room is not None:
            return self._study.room.left_unsaved()
        if self._council.council is not None:
            return self._council.council.left_unsaved()
        return self._host.desk.left_unsaved()

    def _recover(self, found: Recovered) -> None:
        if self._study.room is not None:
            self._study.room.recover(found)
        elif self._council.council is not None:
            self._council.council.recover(found)
        else:
            self._host.desk.recover(found)

    def _name(self, found: Recovered) -> str:
        """What the reader knows it by: in a blinded study its code alone."""
        if self._study.room is not None:
            return self._study.room.listed_of(found).label
        draft = found.draft
        visit = found.context.visit or draft.visit
        whose = " · ".join(part for part in (draft.subject, visit) if part)
        hip = f"{SIDES[draft.laterality].lower()} hip"
        if self._council.council is not None:
            return f"The consensus on {whose}, {hip},"
        by = f" by {draft.reader}" if draft.reader else ""
        return f"A reading of {whose or 'a hip'}, {hip}{by}".rstrip()

    def _words(self, words: str) -> str:
        return self._study.words(words) if self._study.room is not None else words
