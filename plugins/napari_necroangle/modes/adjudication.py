"""Two readers' marks and their consensus on the desk. No Qt."""

from pathlib import Path

from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reading.adjudication import Adjudication, Start
from napari_necroangle.reading.difference import CommonPlane, ViewDifference
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.texts import VIEWS
from napari_necroangle.store.autosave_file import Context
from napari_necroangle.store.keeping import views_of
from napari_necroangle.store.readings import load_into
from napari_necroangle.store.recovery import Recovered, Remains, restore
from necroangle.annotation import HipReading, ReadView, file_name, load_reading
from necroangle.dicom.visits import Visit
from necroangle.errors import DicomError, ReadingError
from necroangle.measurement import show_deg
from necroangle.readerstudy import CONSENSUS, SavedReading, reader_folder
from necroangle.terms import View

__all__ = ["Council", "Row", "images_near"]

Row = tuple[str, str, str]
"""A line of the table of differences: what, and its words for the A view and the B view."""

_READINGS = "readings"


class Council:
    """Adjudicates two readings whose images lie in the open folder.

    Parameters
    ----------
    desk
        What lies before the reader.
    first, second
        The reading files.

    Raises
    ------
    GeometryError, MethodError
        If the marks of one cannot be measured.
    ReadingError
        If a file is not valid, they do not belong together, or their images are not in the folder.

    Attributes
    ----------
    both
        The two readings.
    session
        The consensus in the making.
    readings
        Where the study keeps its readings; the consensus goes to a folder of its own there.
    problem
        Why an image cannot be shown; empty where all are.
    """

    def __init__(self, desk: Desk, first: Path, second: Path) -> None:
        self._desk = desk
        self.both = Adjudication.of_files(first, second)
        self.readings = readings_of(first, self.both.first)
        self.session = ReadingSession(self.views, laterality=self.both.first.laterality)
        self.problem = ""
        self._take(self._visit())

    @property
    def views(self) -> tuple[View, View]:
        """The A view and the B view."""
        one, other = self.both.first.views
        return one.view, other.view

    @property
    def folder(self) -> Path:
        """Where the consensus is saved."""
        return reader_folder(self.readings, CONSENSUS)

    def start(self, start: Start) -> None:
        """Begin the consensus with either reader's marks, or none; undo takes it back."""
        self.session.recover(self.both.draft(start), self.session.file_sha256)

    def save(self) -> SavedReading:
        """Save the consensus.

        Raises
        ------
        ReadingError
            As for :meth:`napari_necroangle.reading.adjudication.Adjudication.save`.
        """
        replaces = self.session.file_sha256
        saved = self.both.save(self.session.reading(), self.readings, replaces=replaces)
        self.session.mark_saved(saved.sha256)
        return saved

    def slice_of(self, view: View) -> int | None:
        """The slice of the shown series on which both are drawn; None where there is none."""
        case = self._desk.case
        place = self.views.index(view)
        entry = self.both.first.views[place]
        picture = case.pictures.get(view) if case is not None else None
        is_shown = self.both.views[place].common is not CommonPlane.NONE
        if picture is None or not is_shown or not isinstance(entry, ReadView):
            return None
        return picture.index_of_image(entry.image)

    def title(self) -> str:
        """Whose readings of what are compared."""
        first = self.both.first
        side = "left" if first.laterality == "L" else "right"
        return f"{first.subject}, {first.visit}, {side} hip"

    def rows(self) -> tuple[Row, ...]:
        """The table of differences, the second reader less the first."""
        one, other = self.both.first.reader, self.both.second.reader
        a, b = self.both.views
        found = tuple(zip(*self.both.angles_deg, strict=True))
        rows: list[Row] = [
            ("", VIEWS[a.view], VIEWS[b.view]),
            (one, *_both(found[0][0], found[1][0])),
            (other, *_both(found[0][1], found[1][1])),
            ("difference", _signed(a.angle_deg, "°"), _signed(b.angle_deg, "°")),
        ]
        rows += [
            row
            for row in (
                ("medial | anterior", _signed(a.start_deg, "°"), _signed(b.start_deg, "°")),
                ("lateral | posterior", _signed(a.end_deg, "°"), _signed(b.end_deg, "°")),
                ("centres apart", _plain(a.centre_apart_mm), _plain(b.centre_apart_mm)),
                ("radius", _signed(a.radius_mm, " mm"), _signed(b.radius_mm, " mm")),
                ("slice", _slice_words(a), _slice_words(b)),
                ("finding", _finding_words(a), _finding_words(b)),
            )
            if set(row[1:]) != {"–"}
        ]
        return tuple(rows)

    def sum_words(self) -> str:
        """Both combined angles and their difference."""
        one, other = self.both.cna_of_each_deg
        names = (self.both.first.reader, self.both.second.reader)
        words = f"CNA: {names[0]} {show_deg(one)}, {names[1]} {show_deg(other)}"
        return f"{words}, difference {_signed(self.both.cna_deg, '°')}"

    def moved_words(self) -> str:
        """What was done so that both can be drawn in one picture, or why that cannot be."""
        second = self.both.second.reader
        lines = []
        for view in self.both.views:
            name = VIEWS[view.view]
            if view.common is CommonPlane.PROJECTED:
                lines.append(f"{name}: {second} marked another slice, projected on this one.")
            elif view.common is CommonPlane.NONE:
                lines.append(f"{name}: the two cannot be drawn in one picture.")
        return "\n".join(lines)

    def left_unsaved(self) -> Remains:
        """What earlier windows left unsaved of the consensus of these two readings."""
        left = self._desk.keeping.left_in(self.folder)
        own = (one for one in left.recovered if one.draft.consensus_of == self.both.sha256)
        return Remains(tuple(own), left.set_aside)

    def recover(self, found: Recovered) -> None:
        """Take an unsaved consensus up; undo brings back what was there.

        Raises
        ------
        ReadingError
            If another window has taken it up, or it is of another kind of image.
        """
        draft = restore(found)
        if views_of(found) != self.views:
            raise ReadingError("it is of another kind of image than the two readings")
        try:
            self._desk.show_series_of(found.context.shown)
        finally:
            self.session.recover(draft, self.session.file_sha256)
            self._keep(found.path)

    def _take(self, visit: Visit) -> None:
        self.session.recover(self.both.draft(Start.EMPTY), None)
        saved = self.folder / file_name(self.session.reading())
        if saved.exists() and load_reading(saved).consensus_of == self.both.sha256:
            load_into(self.session, saved)
        self._desk.readings = self.readings
        handed_out = (f"consensus-{self.both.sha256[0][:8]}", self.session)
        try:
            self._desk.take(visit, self.both.first.laterality, self.views, handed_out=handed_out)
        except DicomError as error:
            self.problem = str(error)
        self._show_marked_series()
        self._keep()

    def _show_marked_series(self) -> None:
        """Show the series that the first reader marked."""
        for entry in self.both.first.views:
            if not isinstance(entry, ReadView):
                continue
            for series in self._desk.choices(entry.view):
                if series.series_uid == entry.image.series_uid and self._lacks(entry):
                    self._desk.show_series(entry.view, series)

    def _lacks(self, entry: ReadView) -> bool:
        case = self._desk.case
        picture = case.pictures.get(entry.view) if case is not None else None
        return picture is None or picture.index_of_image(entry.image) is None

    def _keep(self, replaces: Path | None = None) -> None:
        key, desk = self._desk.key, self._desk
        assert key is not None  # noqa: S101

        def context() -> Context:
            return desk.context(key)

        desk.keeping.watch(self.folder, self.session, context, replaces=replaces)

    def _visit(self) -> Visit:
        read = [
            view
            for reading in (self.both.first, self.both.second)
            for view in reading.views
            if isinstance(view, ReadView)
        ]
        uids = {view.image.series_uid for view in read}
        for visit in self._desk.visits:
            if any(series.series_uid in uids for series in visit.series):
                return visit
        raise ReadingError("the images of these readings are not in the open folder")


def readings_of(path: Path, reading: HipReading) -> Path:
    """Where the study of a reading keeps its readings: above its reader's own folder."""
    beside = path.absolute().parent
    return beside.parent if beside.name == reading.reader else beside


def images_near(path: Path) -> Path | None:
    """The folder to look for a reading's images in: the one that holds the readings' folder."""
    above = [folder for folder in path.absolute().parents if folder.name == _READINGS]
    return above[0].parent if above else None


def _both(first: float | None, second: float | None) -> tuple[str, str]:
    return show_deg(first), show_deg(second)


def _signed(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:+.1f}{unit}"


def _plain(value_mm: float | None) -> str:
    return "–" if value_mm is None else f"{value_mm:.1f} mm"


def _slice_words(view: ViewDifference) -> str:
    if view.common is CommonPlane.SAME_SLICE:
        return "same"
    if view.common is CommonPlane.PROJECTED and view.slice_apart_mm is not None:
        return f"{abs(view.slice_apart_mm):.1f} mm apart"
    return "not overlaid"


def _finding_words(view: ViewDifference) -> str:
    return "same" if view.is_finding_the_same else "differs"
