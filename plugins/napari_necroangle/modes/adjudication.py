"""Adjudication: two readings of one hip over each other, and the consensus made from them."""

from collections.abc import Hashable
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from napari_necroangle.modes.mode import Action, Board, CaseRow, Mode, Window
from napari_necroangle.modes.saving import saved_by
from napari_necroangle.reading.draft import ReadingDraft, ViewDraft, draft_of
from napari_necroangle.reading.drawing import NO_SEGMENTS, PenLines, Segments, segments_along
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.texts import SIDES, VIEWS, signed
from napari_necroangle.store.autosave import Context
from napari_necroangle.store.readings import load_into
from napari_necroangle.store.recovery import (
    Recovered,
    Remains,
    remains,
    restore,
    series_of,
    views_of,
    visit_with,
    whose,
)
from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    NO_ENTRIES,
    HipReading,
    ReadView,
    file_name,
    load_reading,
)
from necroangle.batch.study_settings import measuring_in
from necroangle.dicom.visits import Visit
from necroangle.errors import DicomError, NecroangleError, ReadingError
from necroangle.measurement import show_deg
from necroangle.readerstudy import (
    CONSENSUS,
    Adjudication,
    CommonPlane,
    Outline,
    ViewDifference,
    reader_folder,
)
from necroangle.terms import View

Row = tuple[str, str, str]
"""A line of the table of differences: what, and its words for the A view and the B view."""

_READINGS = "readings"
_HOW_TO_BEGIN = "Take a reader's marks up as the consensus (Consensus from), or mark the hip again."


class Start(StrEnum):
    """What a consensus starts from."""

    FIRST = "first"
    SECOND = "second"
    EMPTY = "empty"


class AdjudicationMode(Mode):
    """Two readings whose images lie in one folder, and their consensus in the making.

    ``window``: the window; where no folder is open in it, the images are looked for beside the
    folder of the readings.
    ``readings``: where the study keeps its readings; the consensus goes to a folder of its own
    there.

    Raises
    ------
    GeometryError, MethodError
        If the marks of one cannot be measured.
    ReadingError
        If a file is not valid, they do not belong together, or their images are not in the folder.
    """

    def __init__(self, window: Window, first: Path, second: Path) -> None:
        self._window, self._workspace = window, window.workspace
        near = images_near(first)
        if self._workspace.folder is None and near is not None:
            self._workspace.open(near)
        self.both = Adjudication.of_files(first, second, measuring_in(first.parent).measure)
        self.readings = readings_of(first, self.both.first)
        self.session = ReadingSession(self.views, laterality=self.both.first.laterality)
        self._visit = self._visit_of_images()
        self._before = (self._workspace.readings, self._workspace.reader)
        self._problem = ""

    @property
    def views(self) -> tuple[View, View]:
        """The A view and the B view."""
        one, other = self.both.first.views
        return one.view, other.view

    @property
    def folder(self) -> Path:
        """Where the consensus is saved."""
        return reader_folder(self.readings, CONSENSUS)

    def begin(self) -> bool:
        """Take the hip up with the consensus that is saved of these two, or an empty one."""
        window = self._window
        try:
            self._take()
        except NecroangleError as error:
            window.dialogs.tell("These readings cannot be compared", str(error))
            return False
        window.offer_unsaved()
        if self._workspace.case is not None and self.session.file_sha256 is None:
            self._workspace.case.notice = _HOW_TO_BEGIN
        window.show_current()
        window.go_to_slices()
        if self._problem:
            window.dialogs.tell("A series cannot be shown", self._problem)
        return True

    def close(self) -> None:
        """Put the consensus down; what is not saved is kept."""
        self._window.leave_case()
        self._workspace.put_down()
        self._workspace.readings, self._workspace.reader = self._before

    def cases(self) -> tuple[CaseRow, ...]:
        """The one hip that both have read."""
        return (CaseRow(self.both.first.key[:3], self._title(), is_open=True),)

    def open(self, key: Hashable) -> bool:
        """The hip is open already."""
        return key == self.both.first.key[:3]

    def next(self) -> str:
        """Nothing comes after a consensus."""
        return "The consensus is saved."

    def save(self, *, final: bool) -> Path | None:
        """Save the consensus."""
        return saved_by(self._window, self, self._write, final=final)

    def saved_words(self, path: Path) -> str:
        """What is said of a saved consensus."""
        return f"Saved as the consensus, in {path.parent.parent.name}/{path.parent.name}"

    def start(self, start: Start) -> None:
        """Begin the consensus with either reader's marks, or none; undo takes it back."""
        if self._workspace.case is not None:
            self._workspace.case.notice = ""
        self.session.recover(consensus_draft(self.both, start), self.session.file_sha256)
        self._window.go_to_slices()

    def unsaved(self) -> Remains:
        """What earlier windows left unsaved of the consensus of these two readings."""
        left = remains(self.folder)
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
            self._workspace.show_series_of(found.context.shown)
        finally:
            self.session.recover(draft, self.session.file_sha256)
            self._keep(found.path)

    def label(self, found: Recovered) -> str:
        """Whose consensus it is."""
        side = SIDES[found.draft.laterality].lower()
        return f"The consensus on {whose(found)}, {side} hip,"

    def board(self) -> Board:
        """The table of differences, and what the consensus can start from."""
        readers = (self.both.first.reader, self.both.second.reader)
        starts = (
            (Start.FIRST, readers[0], "Begin the consensus with the first reader's marks"),
            (Start.SECOND, readers[1], "Begin the consensus with the second reader's marks"),
            (Start.EMPTY, "none", "Begin the consensus with no marks"),
        )
        return Board(
            heading="Two readings compared",
            leave=Action("Close", "End the comparison", self._window.read_freely),
            words=f"{self._title()}\n{self._sum_words()}",
            legend=(("first reader circle", readers[0]), ("second reader circle", readers[1])),
            table=self.rows(),
            doubts=self._moved_words(),
            asks="Consensus from",
            actions=tuple(
                Action(words, tip, partial(self.start, start)) for start, words, tip in starts
            ),
        )

    def drawings(self, view: View) -> tuple[PenLines, ...]:
        """Circle and arcs of both readers: the first in whole lines, the second dashed."""
        found = self.both.view(view)
        return tuple(
            PenLines(
                f"{('first', 'second')[number]} reader {part}",
                segments_of(outline, part, is_dashed=number == 1),
            )
            for number, outline in enumerate((found.first, found.second))
            if outline is not None
            for part in ("circle", "arcs")
        )

    def slice_of(self, view: View) -> int | None:
        """The slice of the shown series on which both are drawn; None where there is none."""
        case = self._workspace.case
        place = self.views.index(view)
        entry = self.both.first.views[place]
        picture = case.pictures.get(view) if case is not None else None
        is_shown = self.both.views[place].common is not CommonPlane.NONE
        if picture is None or not is_shown or not isinstance(entry, ReadView):
            return None
        return picture.index_of_image(entry.image)

    def rows(self) -> tuple[Row, ...]:
        """The table of differences, the second reader less the first."""
        one, other = self.both.first.reader, self.both.second.reader
        a, b = self.both.views
        found = tuple(zip(*self.both.angles_deg, strict=True))
        rows: list[Row] = [
            ("", VIEWS[a.view], VIEWS[b.view]),
            (one, *_both(found[0][0], found[1][0])),
            (other, *_both(found[0][1], found[1][1])),
            ("difference", signed(a.angle_deg), signed(b.angle_deg)),
        ]
        rows += [
            row
            for row in (
                ("medial | anterior", signed(a.start_deg), signed(b.start_deg)),
                ("lateral | posterior", signed(a.end_deg), signed(b.end_deg)),
                ("centres apart", _plain(a.centre_apart_mm), _plain(b.centre_apart_mm)),
                ("radius", signed(a.radius_mm, " mm"), signed(b.radius_mm, " mm")),
                ("slice", _slice_words(a), _slice_words(b)),
                ("finding", _finding_words(a), _finding_words(b)),
            )
            if set(row[1:]) != {"–"}
        ]
        return tuple(rows)

    def _title(self) -> str:
        """Whose readings of what are compared."""
        first = self.both.first
        return f"{first.subject}, {first.visit}, {SIDES[first.laterality].lower()} hip"

    def _sum_words(self) -> str:
        """Both combined angles and their difference."""
        one, other = self.both.cna_of_each_deg
        names = (self.both.first.reader, self.both.second.reader)
        words = f"CNA: {names[0]} {show_deg(one)}, {names[1]} {show_deg(other)}"
        return f"{words}, difference {signed(self.both.cna_deg)}"

    def _moved_words(self) -> str:
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

    def _write(self) -> Path:
        replaces = self.session.file_sha256
        saved = self.both.save(self.session.reading(), self.readings, replaces=replaces)
        self.session.mark_saved(saved.sha256)
        return saved.path

    def _take(self) -> None:
        space = self._workspace
        self.session.recover(consensus_draft(self.both, Start.EMPTY), None)
        saved = self.folder / file_name(self.session.reading())
        if saved.exists() and load_reading(saved).consensus_of == self.both.sha256:
            load_into(self.session, saved)
        space.readings = self.readings
        handed_out = (f"consensus-{self.both.sha256[0][:8]}", self.session)
        side = self.both.first.laterality
        try:
            space.take(self._visit, side, self.views, handed_out=handed_out)
            self._show_marked_series()
        except DicomError as error:
            self._problem = str(error)
        self._keep()

    def _show_marked_series(self) -> None:
        """Show the series that the first reader marked."""
        for entry in self.both.first.views:
            if not isinstance(entry, ReadView):
                continue
            for series in self._workspace.choices(entry.view):
                if series.series_uid == entry.image.series_uid and self._lacks(entry):
                    self._workspace.show_series(entry.view, series)

    def _lacks(self, entry: ReadView) -> bool:
        case = self._workspace.case
        picture = case.pictures.get(entry.view) if case is not None else None
        return picture is None or picture.index_of_image(entry.image) is None

    def _keep(self, replaces: Path | None = None) -> None:
        space, one = self._workspace, self._workspace.current
        if one is not None:

            def context() -> Context:
                return space.context(one)

            space.autosave.watch(self.session, self.folder, context, replaces=replaces)

    def _visit_of_images(self) -> Visit:
        views = (*self.both.first.views, *self.both.second.views)
        visit = visit_with(series_of(views), self._workspace.visits)
        if visit is None:
            raise ReadingError("the images of these readings are not in the open folder")
        return visit


def consensus_draft(both: Adjudication, start: Start) -> ReadingDraft:
    """The consensus to begin with: either reader's marks, or none; notes stay with their reader."""
    source = draft_of(both.second if start is Start.SECOND else both.first)
    if start is Start.EMPTY:
        first, second = source.views
        empty = (ViewDraft(first.view), ViewDraft(second.view))
        source = replace(source, views=empty, entries=NO_ENTRIES)
    return replace(
        source,
        reader=CONSENSUS,
        read_no=1,
        notes="",
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=both.sha256,
    )


def segments_of(outline: Outline, part: str, *, is_dashed: bool) -> Segments:
    """(N, 2, 2) plane mm of the circle or the arcs of an outline.

    ``part``: ``"circle"``, with a cross at its centre, or ``"arcs"``.
    ``is_dashed``: whether every second pair of segments is left out.

    Examples
    --------
    >>> line = tuple((float(number), 0.0) for number in range(9))
    >>> outline = Outline(centre=(0.0, 0.0), circle=line, arcs=())
    >>> len(segments_of(outline, "circle", is_dashed=False))
    10
    >>> len(segments_of(outline, "circle", is_dashed=True))
    6
    """
    lines = (outline.circle,) if part == "circle" else outline.arcs
    found = [segments_along(np.array(line)) for line in lines]
    if is_dashed:
        found = [one[np.arange(len(one)) % 4 < 2] for one in found]
    if part == "circle":
        found.append(_cross(outline))
    return np.concatenate((*found, NO_SEGMENTS))


def _cross(outline: Outline) -> Segments:
    u, v = outline.centre
    arm = 0.05 * float(np.hypot(*(np.array(outline.circle[0]) - outline.centre)))
    return np.array(
        (((u - arm, v - arm), (u + arm, v + arm)), ((u - arm, v + arm), (u + arm, v - arm)))
    )


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
