"""The open folder, and every case begun in this window, so that none is lost."""

from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from napari_necroangle.reading.case import Case, CaseKey, Picture, marker_of
from napari_necroangle.reading.guidance import Contradiction, contradictions
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.steps import Flow
from napari_necroangle.reading.texts import SIDES, VIEWS
from napari_necroangle.store.autosave import Autosave, Context, Shown
from napari_necroangle.store.readings import default_folder
from necroangle.annotation import StackPassport
from necroangle.batch.other_visits import radii_of_other_visits
from necroangle.dicom import Scan, SeriesSummary, passport_of, read_volume, scan_folder
from necroangle.dicom.films import film_letters, scaled_by_marker
from necroangle.dicom.sides import HipSide
from necroangle.dicom.visits import Visit, candidates, offer_of, sequence_words, visits_of
from necroangle.errors import ReadingError
from necroangle.geometry import Marker
from necroangle.imaging import Volume
from necroangle.study import protocol_of_images
from necroangle.terms import Laterality, View, Weighting

if TYPE_CHECKING:
    from necroangle.dicom.pseudonym import SubjectNames

MAX_AHEAD_MIB = 1024
"""No more than this is held ahead: a larger series is read when it is opened."""

_BYTES_A_PIXEL = 4
"""Of a picture whose grey values were rescaled."""


class Prefetch:
    """Reads the next hip's series in one background thread while the reader is at this one.

    Examples
    --------
    >>> ahead = Prefetch()
    >>> ahead.aim_at([])
    >>> ahead.close()
    """

    def __init__(
        self, read: Callable[[SeriesSummary], Volume] = read_volume, max_mib: float = MAX_AHEAD_MIB
    ) -> None:
        self._read, self._max_mib = read, max_mib
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="necroangle-prefetch")
        self._ahead: list[tuple[SeriesSummary, Future[Volume]]] = []

    def aim_at(self, series: Iterable[SeriesSummary]) -> None:
        """Read these ahead, in their order, and nothing else.

        What was read ahead and is not among them is dropped. A series that is being read at this
        moment is read to its end first, and dropped then.
        """
        wanted = self._within_limit(series)
        kept = [one for one in self._ahead if one[0] in wanted]
        for one in self._ahead:
            if one not in kept:
                one[1].cancel()
        there = [one for one, _ in kept]
        new = [(one, self._worker.submit(self._read, one)) for one in wanted if one not in there]
        self._ahead = [*kept, *new]

    def take(self, series: SeriesSummary) -> Volume | None:
        """The volume of a series that was read ahead, which is then held here no longer.

        Where it is being read at this moment, its end is waited for.

        Returns
        -------
        Volume or None
            None where it was not asked for, or has not been begun: read it at once then.

        Raises
        ------
        DicomError
            If it could not be read, as :func:`necroangle.dicom.read_volume` says.
        """
        for one in self._ahead:
            if one[0] == series:
                self._ahead.remove(one)
                return None if one[1].cancel() else one[1].result()
        return None

    def wait(self) -> None:
        """Wait until all that is wanted now has been read, or refused."""
        for _, one in tuple(self._ahead):
            with suppress(CancelledError):
                one.exception()

    def close(self) -> None:
        """Drop everything and read no more."""
        self._ahead = []
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _within_limit(self, series: Iterable[SeriesSummary]) -> list[SeriesSummary]:
        """As many of the series as may be held together."""
        room, found = self._max_mib * 1024**2, []
        for one in series:
            size = len(one) * one.rows * one.columns * _BYTES_A_PIXEL
            if size <= room and one not in found:
                room -= size
                found.append(one)
        return found


Progress = Callable[[int, int], None]
T = TypeVar("T")


class Doing(Protocol):
    """How long work is done: it is told how much is done, of how much, and gives what it gives."""

    def __call__(self, work: Callable[[Progress], T], progress: Progress | None = None) -> T:
        """Do the work."""


def at_once(work: Callable[[Progress], T], progress: Progress | None = None) -> T:
    """Do long work at once, on the thread that asks for it.

    Examples
    --------
    >>> at_once(lambda tell: tell(1, 1) or "done", lambda done, total: print(done, "of", total))
    1 of 1
    'done'
    """
    return work(progress or (lambda _done, _total: None))


@dataclass(slots=True, eq=False)
class OpenCase:
    """A hip that is being read, with all that is only valid together.

    ``markers``: the marker that tells the scale of each radiograph, by its view and series.
    ``saved``: where the reading was saved in this window; None before.
    """

    key: CaseKey
    visit: Visit
    case: Case
    flow: Flow
    chosen: dict[View, SeriesSummary] = field(default_factory=dict)
    markers: dict[tuple[View, str], Marker] = field(default_factory=dict)
    saved: Path | None = None


class Workspace:
    """The open folder and the cases begun in this window.

    A case that is left stays as it was and is there again when the reader comes back to it.

    ``names``: the study's names of its subjects, or None for those that the files carry.
    ``reader``: the reader's code, kept from case to case.
    ``trouble``: why the reading is not kept against a crash; empty while it is.
    ``do``: how long work is done; a window has it done in a thread.
    """

    def __init__(self) -> None:
        self.do: Doing = at_once
        self.folder: Path | None = None
        self.names: SubjectNames | None = None
        self.scan = Scan((), (), 0)
        self.visits: tuple[Visit, ...] = ()
        self.readings: Path | None = None
        self.keeps_readings = False
        self.reader = ""
        self.current: OpenCase | None = None
        self._begun: dict[CaseKey, OpenCase] = {}
        self._prefer: tuple[Weighting, ...] = ()
        self._radii: tuple[object, tuple[tuple[str, float], ...]] = (None, ())
        self.trouble = ""
        self.autosave = Autosave(self._note_trouble)
        self.ahead = Prefetch()

    @property
    def case(self) -> Case | None:
        """The case that is read, or None."""
        return self.current.case if self.current is not None else None

    @property
    def key(self) -> CaseKey | None:
        """Its key, or None."""
        return self.current.key if self.current is not None else None

    @property
    def visit(self) -> Visit | None:
        """Its visit, or None."""
        return self.current.visit if self.current is not None else None

    @property
    def flow(self) -> Flow | None:
        """Where the reader is in it, or None."""
        return self.current.flow if self.current is not None else None

    @property
    def unsaved(self) -> tuple[CaseKey, ...]:
        """The cases with something that no file holds."""
        return tuple(
            key
            for key, one in self._begun.items()
            if one.case.session.is_unsaved and not one.case.session.is_locked
        )

    def begun(self, key: CaseKey) -> Case | None:
        """The case of a hip, where it was begun in this window."""
        one = self._begun.get(key)
        return one.case if one is not None else None

    def open(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Look through a folder; the cases begun in another one stay.

        Raises
        ------
        NecroangleError
            If the folder, or the study that it belongs to, cannot be read.
        """
        prefer = protocol_of_images(folder).weightings
        self.scan = self.do(lambda tell: scan_folder(folder, tell, self.names), progress)
        self._prefer = prefer
        self.folder = folder
        self.visits = visits_of(self.scan)
        if not self.keeps_readings:
            self.readings = default_folder(folder)
        self.put_down()

    def read_beforehand(self, visit: Visit, side: Laterality, views: tuple[View, View]) -> None:
        """Read the likeliest series of a hip that is taken next; what is refused is told then."""
        found = (self.likeliest(visit, view, side) for view in views)
        self.ahead.aim_at(one[0] for one in found if one)
        self.do(lambda _: self.ahead.wait())

    def put_down(self) -> None:
        """Have no case before the reader."""
        if self.current is not None:
            self.current.case.put_away()
        self.current = None

    def close_folder(self) -> None:
        """Have no folder open; the cases begun stay."""
        self.put_down()
        self.folder, self.scan, self.visits = None, Scan((), (), 0), ()

    def forget_cases(self) -> None:
        """Forget every case begun, as a window that is opened anew."""
        self.put_down()
        self._begun.clear()

    def keep_readings_in(self, folder: Path) -> None:
        """Save readings in this folder, whatever study is opened."""
        self.readings = folder
        self.keeps_readings = True

    def take(
        self,
        visit: Visit,
        side: Laterality,
        views: tuple[View, View],
        *,
        handed_out: tuple[str, ReadingSession] | None = None,
    ) -> OpenCase:
        """Take up the case of a hip, begun before or new, with its likeliest series.

        ``handed_out``: code and session of a case that a mode hands out; it then sees to it
        that it is kept.

        Raises
        ------
        DicomError
            If a series cannot be read.
        ReadingError
            If no folder is open.
        """
        if self.folder is None:
            raise ReadingError("open a folder first")
        code, session = handed_out or ("", None)
        key = CaseKey(self.folder, visit.label, side, views, code)
        one = self._begun.get(key)
        if one is None or (session is not None and one.case.session is not session):
            case = Case(session or self._new_session(key, visit), {})
            chosen = one.chosen if one is not None else {}
            one = self._begun[key] = OpenCase(key, visit, case, Flow(case), chosen)
            if session is None:
                self.watch(one)
        if self.current is not None and self.current is not one:
            self.current.case.put_away()
        one.visit = visit
        self.current = one
        one.case.lacking = {view: words for view in views if (words := self._lacks(view))}
        for view in views:
            series = self.chosen(view)
            if series is not None and view not in one.case.pictures:
                self.show_series(view, series)
        return one

    def show_series_of(self, shown: tuple[Shown, ...]) -> None:
        """Show the series and the slices that an earlier window showed, as far as they are there.

        Raises
        ------
        DicomError
            If a series cannot be read.
        """
        if self.current is None:
            return
        for one in shown:
            self.current.case.see(one.view, one.slice_index)
        wanted = {(one.view, one.series_uid, one.stack_no) for one in shown}
        for view in self.current.key.views:
            for series in self.choices(view):
                if (view, series.series_uid, series.stack_no) in wanted:
                    self.show_series(view, series)

    def context(self, one: OpenCase, *, is_named: bool = True) -> Context:
        """Where the reader is in a case; its visit is left out where it is not to be known."""
        shown = (
            Shown(view, series.series_uid, series.stack_no, one.case.seen(view) or 0)
            for view in one.key.views
            if (series := one.chosen.get(view)) is not None
        )
        visit = one.key.visit if is_named else ""
        return Context(visit=visit, shown=tuple(shown), case_code=one.key.code)

    def watch(self, one: OpenCase, *, replaces: Path | None = None) -> None:
        """Keep a freely read case against a crash."""
        folder, session = default_folder(one.key.folder), one.case.session
        self.autosave.watch(session, folder, lambda: self.context(one), replaces=replaces)

    def give_up_unsaved(self) -> None:
        """Keep what is not saved no longer: the reader has said so."""
        for key in self.unsaved:
            self.autosave.forget(self._begun[key].case.session)

    def side_doubts(self) -> tuple[Contradiction, ...]:
        """What speaks against the chosen hip: whom a series shows, and where the marks lie.

        Only code and place together forbid saving: a code may be wrong, and so may a place.
        """
        if self.current is None:
            return ()
        chosen, sides = self.current.key.side, self.current.visit.by_place
        found: list[Contradiction] = []
        for outcome in self.current.case.session.outcome().views:
            series, name = self.chosen(outcome.view), VIEWS[outcome.view].lower()
            if series is None:
                continue
            found += _doubts_of_series(sides.of(series), chosen, name)
            measured = outcome.measurement
            if series.kind == "stack" and measured is not None and measured.centre_mm is not None:
                head = sides.of_head(series.sources[0], measured.centre_mm)
                if head.speaks_against(chosen):
                    found.append(Contradiction("the marks lie on the other one"))
        words = f"The {SIDES[chosen].lower()} hip is chosen, but"
        return tuple(replace(one, words=f"{words} {one.words}.") for one in found)

    def contradictions(self) -> tuple[Contradiction, ...]:
        """Everything that speaks against the marks of the present case."""
        if self.current is None:
            return ()
        return contradictions(self.current.case, self.side_doubts(), self._other_radii())

    def choices(self, view: View) -> tuple[SeriesSummary, ...]:
        """The series that can be read as a view of the present hip, the likeliest first."""
        if self.current is None:
            return ()
        return self.likeliest(self.current.visit, view, self.current.key.side)

    def likeliest(self, visit: Visit, view: View, side: Laterality) -> tuple[SeriesSummary, ...]:
        """The series that can be read as a view of a hip, as the study's protocol prefers them."""
        return candidates(visit, view, side, self._prefer)

    def chosen(self, view: View) -> SeriesSummary | None:
        """The series of a view: the reader's choice, the one with marks, or the likeliest.

        Of pictures that may be of either view, one that is not shown for the other.
        """
        if self.current is None:
            return None
        chosen = self.current.chosen.get(view)
        if chosen is not None:
            return chosen
        choices = self.choices(view)
        on = self.current.case.session.draft.view(view).on
        marked = [one for one in choices if on and one.series_uid == on.image.series_uid]
        others = [series for one, series in self.current.chosen.items() if one is not view]
        free = [one for one in choices if one not in others]
        return next(iter((*marked, *free, *choices)), None)

    def show_series(self, view: View, series: SeriesSummary) -> None:
        """Read a view on a series; nothing where no case is open.

        Raises
        ------
        DicomError
            If its pixels cannot be read.
        """
        if self.current is None:
            return
        draft = self.current.case.session.draft.view(view)
        picture = self._scaled(self.picture_of(view, series), series, None)
        marker = self.current.markers.get((view, series.series_uid))
        if picture.index_of(draft.on) is not None:
            marker = marker_of(draft.on)
        if marker is not None:
            picture = self._scaled(picture, series, marker)
        self.current.case.pictures[view] = picture
        self.current.chosen[view] = series

    def scale_by(self, view: View, marker: Marker | None) -> None:
        """Give a radiograph the scale of a marker, or its own again; marks stay on their pixels.

        Raises
        ------
        NecroangleError
            If the marker gives none.
        """
        series, now = self.chosen(view), self.current
        if now is None or series is None or view not in now.case.pictures:
            return
        picture = self._scaled(now.case.pictures[view], series, marker)
        now.markers.pop((view, series.series_uid), None)
        if marker is not None:
            now.markers[view, series.series_uid] = marker
        now.case.pictures[view] = picture
        now.case.session.rescale(view, picture.marked_slice(0))

    def follow_scales(self) -> bool:
        """Show each radiograph in the scale of its marks, after undo and the like; whether any was.

        Raises
        ------
        NecroangleError
            If the marker that a reading keeps gives the picture no scale.
        """
        if self.current is None:
            return False
        case, changed = self.current.case, False
        for view, picture in tuple(case.pictures.items()):
            on, series = case.session.draft.view(view).on, self.chosen(view)
            if series is None or picture.index_of(on) is None or marker_of(on) == picture.marker:
                continue
            case.pictures[view] = self._scaled(picture, series, marker_of(on))
            changed = True
        return changed

    def _scaled(self, picture: Picture, series: SeriesSummary, marker: Marker | None) -> Picture:
        """A picture of a series in its own scale, or in that of a marker, with its passport."""
        shown = series if marker is None else scaled_by_marker(series, marker)
        passport = passport_of(shown, self.scan.series, self.scan.left_out)
        offer = offer_of(series, self.choices(picture.view))
        return replace(
            picture,
            volume=replace(picture.volume, planes=shown.planes),
            calibrated=shown.calibrated,
            passport=StackPassport.of(passport.to_dict(), offer),
        )

    def picture_of(self, view: View, series: SeriesSummary) -> Picture:
        """A series with its pixels, as it is shown for a view.

        Raises
        ------
        DicomError
            If its pixels cannot be read.
        """
        read = self.ahead.take(series)
        return Picture(
            view,
            read_volume(series) if read is None else read,
            series.calibrated,
            sequence=sequence_words(series),
            film_letters=film_letters(series.facts.patient_orientation),
        )

    def forget_choices(self) -> None:
        """Let the marks of the present case say again which series is shown."""
        if self.current is not None:
            self.current.chosen.clear()
            self.current.case.put_away()

    def _lacks(self, view: View) -> str:
        """Why a view of the present hip has no series, and which there are; empty where it has."""
        words = self.current.visit.lacks(view) if self.current is not None else ""
        return f"{words[0].upper()}{words[1:]}." if words else ""

    def _new_session(self, key: CaseKey, visit: Visit) -> ReadingSession:
        return ReadingSession(
            key.views,
            laterality=key.side,
            subject=visit.subject,
            visit=visit.visit,
            reader=self.reader,
        )

    def _other_radii(self) -> tuple[tuple[str, float], ...]:
        """The head at other visits: looked up once for a hip, and after each save."""
        if self.current is None or self.readings is None:
            return ()
        draft = self.current.case.session.draft
        asked = (self.readings, draft.subject, draft.laterality, draft.visit, draft.reader)
        if self._radii[0] != asked:
            self._radii = (asked, radii_of_other_visits(self.readings, *draft.asked))
        return self._radii[1]

    def _note_trouble(self, words: str) -> None:
        self.trouble = words


def _doubts_of_series(shown: HipSide, chosen: Laterality, name: str) -> list[Contradiction]:
    if shown.rules_out(chosen):
        return [Contradiction(f"the {name} series shows the other one", blocks=True)]
    if shown.placed not in (chosen, None):
        return [Contradiction(f"the {name} series lies on the other side")]
    if shown.speaks_against(chosen):
        return [Contradiction(f"the {name} series is coded as the other one")]
    return []
