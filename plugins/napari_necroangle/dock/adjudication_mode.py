"""Two readings compared in the window: both drawn on both canvases, and the consensus saved."""

from collections.abc import Callable, Sequence
from pathlib import Path

from napari_necroangle.canvas.reader_lines import ReaderLines
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.dock.host import Host
from napari_necroangle.modes.adjudication import Council, images_near
from napari_necroangle.reading.adjudication import Start
from necroangle.errors import NecroangleError

__all__ = ["CouncilMode"]


class CouncilMode:
    """Adjudicates two readings.

    Parameters
    ----------
    host
        The window.
    planes
        Gives its canvases.

    Attributes
    ----------
    council
        What is compared, or None.
    """

    def __init__(self, host: Host, planes: Callable[[], Sequence[PlaneView]]) -> None:
        self._host, self._planes = host, planes
        self.council: Council | None = None
        self._lines: list[ReaderLines] = []
        self._before: tuple[Path | None, str] = (None, "")

    def begin(self, first: Path, second: Path) -> bool:
        """Compare two reading files; whether they could be compared.

        Where no folder is open, the images are looked for beside the folder of the readings.
        """
        host = self._host
        host.leave_case()
        self._before = (host.desk.readings, host.desk.reader)
        try:
            near = images_near(first)
            if host.desk.folder is None and near is not None:
                host.desk.open(near)
            self.council = Council(host.desk, first, second)
        except (NecroangleError, OSError) as error:
            host.asker.tell("These readings cannot be compared", str(error))
            host.show_desk()
            return False
        host.desk.is_handed_out = True
        host.saving.writer = self
        host.offer_unsaved()
        host.show_desk()
        if self.council.problem:
            host.asker.tell("A series cannot be shown", self.council.problem)
        return True

    def close(self) -> None:
        """End the comparison; what is not saved is kept."""
        if self.council is None:
            return
        host, desk = self._host, self._host.desk
        host.leave_case()
        self.council = None
        self.clear()
        desk.put_down()
        desk.readings, desk.reader = self._before
        desk.is_handed_out = False
        host.saving.writer = None
        host.show_first()

    def start(self, start: Start) -> None:
        """Begin the consensus with either reader's marks, or none."""
        if self.council is not None:
            self.council.start(start)
            self._go_to_slices()

    def draw(self) -> None:
        """Draw both readers' marks on the canvases as they now are."""
        self.clear()
        if self.council is None:
            return
        for plane, view in zip(self._planes(), self.council.views, strict=False):
            index, found = self.council.slice_of(view), self.council.both.view(view)
            if index is not None and plane.picture is not None:
                lines = ReaderLines(plane.model)
                step_mm = float(plane.picture.volume.scale_mm[0])
                lines.show((found.first, found.second), index, step_mm)
                self._lines.append(lines)
        self._go_to_slices()

    def show_or_hide(self) -> None:
        """Follow the key that shows and hides all marks."""
        for lines in self._lines:
            lines.show_or_hide(all(plane.overlay_on for plane in self._planes()))

    def clear(self) -> None:
        """Take what was drawn away."""
        for lines in self._lines:
            lines.close()
        self._lines = []

    def write(self, *, final: bool) -> Path:  # noqa: ARG002
        """Save the consensus."""
        assert self.council is not None  # noqa: S101
        return self.council.save().path

    def saved_words(self, path: Path) -> str:
        """What to say of a saved consensus."""
        return f"Saved as the consensus, in {path.parent.parent.name}/{path.parent.name}"

    def words(self, words: str) -> str:
        """Nothing is hidden from who adjudicates."""
        return words

    def _go_to_slices(self) -> None:
        if self.council is None:
            return
        for plane, view in zip(self._planes(), self.council.views, strict=False):
            index = self.council.slice_of(view)
            if index is not None and plane.picture is not None:
                plane.go_to(index)
