"""What lies on the reader's desk: the open folder, and every case begun, so that none is lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from napari_necroangle.modes.prefetch import Prefetch
from napari_necroangle.reading.case import Case, CaseKey
from napari_necroangle.reading.contradictions import Contradiction, contradictions
from napari_necroangle.reading.other_visits import VisitRadius, radii_of_other_visits
from napari_necroangle.reading.picture import Picture
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.steps import Flow
from napari_necroangle.reading.texts import SIDES, VIEWS
from napari_necroangle.store.autosave_file import Context, Shown
from napari_necroangle.store.keeping import Keeping, offers_for_visits, views_of, visit_of
from napari_necroangle.store.readings import default_folder, load_into, path_of
from napari_necroangle.store.recovery import Recovered, Remains, restore
from necroangle.annotation import StackPassport, read_bytes, sha256_of
from necroangle.dicom import Scan, SeriesSummary, passport_of, read_volume, scan_folder
from necroangle.dicom.sides import HipSide
from necroangle.dicom.visits import Visit, candidates, visits_of
from necroangle.errors import NecroangleError, ReadingError
from necroangle.terms import Laterality, View

__all__ = ["Desk"]


class Desk:
    """The open folder and the cases begun in this window.

    A case that is left stays as it was and is there again when the reader comes back to it.

    Attributes
    ----------
    folder, scan, visits
        What was opened last.
    readings
        Where readings are saved.
    reader
        The reader's code, kept from case to case.
    case, key, visit
        What is being read.
    is_handed_out
        Whether a worklist or a comparison hands cases out: the reader does not choose them.
    ahead
        Reads the series of the next hip before they are asked for.
    trouble
        Why the reading is not kept against a crash; empty while it is.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.scan = Scan((), (), 0)
        self.visits: tuple[Visit, ...] = ()
        self.readings: Path | None = None
        self._keeps_readings = False
        self.reader = ""
        self.case: Case | None = None
        self.key: CaseKey | None = None
        self.visit: Visit | None = None
        self._cases: dict[CaseKey, Case] = {}
        self._chosen: dict[tuple[CaseKey, View], SeriesSummary] = {}
        self._flows: dict[CaseKey, Flow] = {}
        self._radii: tuple[object, tuple[VisitRadius, ...]] = (None, ())
        self.trouble = ""
        self.is_handed_out = False
        self.keeping = Keeping(self._note_trouble)
        self.ahead = Prefetch()

    @property
    def unsaved(self) -> tuple[CaseKey, ...]:
        """The cases with something that no file holds."""
        return tuple(
            key
            for key, case in self._cases.items()
            if case.session.is_unsaved and not case.session.is_locked
        )

    def open(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Look through a folder; the cases begun in another one stay.

        Raises
        ------
        NecroangleError
            If the folder cannot be read.
        """
        self.scan = scan_folder(folder, progress)
        self.folder = folder
        self.visits = visits_of(self.scan)
        if not self._keeps_readings:
            self.readings = default_folder(folder)
        self.put_down()

    def put_down(self) -> None:
        """Have no case before the reader."""
        if self.case is not None:
            self.case.put_away()
        self.case = self.key = self.visit = None

    def close_folder(self) -> None:
        """Have no folder open; the cases begun stay."""
        self.put_down()
        self.folder, self.scan, self.visits = None, Scan((), (), 0), ()

    def keep_readings_in(self, folder: Path) -> None:
        """Save readings in this folder, whatever study is opened."""
        self.readings = folder
        self._keeps_readings = True

    def take(
        self,
        visit: Visit,
        side: Laterality,
        views: tuple[View, View],
        *,
        handed_out: tuple[str, ReadingSession] | None = None,
    ) -> Case:
        """Take up the case of a hip, begun before or new, with its likeliest series.

        Parameters
        ----------
        visit, side, views
            The hip, and how it is read.
        handed_out
            Code and session of a case that a worklist or a comparison hands out; whoever does
            sees to it that it is kept.

        Raises
        ------
        DicomError
            If a series cannot be read.
        """
        assert self.folder is not None  # noqa: S101
        code, session = handed_out or ("", None)
        key = CaseKey(self.folder, visit.label, side, views, code)
        known = self._cases.get(key)
        if known is None or (session is not None and known.session is not session):
            self._cases[key] = Case(session or self._begin(key, visit), {})
            self._flows.pop(key, None)
        if self.case is not None and self.case is not self._cases[key]:
            self.case.put_away()
        self.case, self.key, self.visit = self._cases[key], key, visit
        for view in views:
            chosen = self.chosen(view)
            if chosen is not None and view not in self.case.pictures:
                self.show_series(view, chosen)
        return self.case

    def left_unsaved(self) -> Remains:
        """What earlier windows left unsaved of the readings of the open folder."""
        if self.folder is None:
            return Remains((), ())
        left = self.keeping.left_in(default_folder(self.folder))
        return Remains(offers_for_visits(left.recovered, self.visits), left.set_aside)

    def recover(self, found: Recovered) -> None:
        """Take an unsaved reading of the open folder up, on the series that it was read on.

        Raises
        ------
        DicomError
            If a series cannot be read.
        ReadingError
            If another window has taken it up, or its images are not in the open folder.
        """
        draft = restore(found)
        visit = visit_of(found, self.visits)
        if visit is None:
            raise ReadingError("its images are not in the open folder; open their folder first")
        case = self.take(visit, draft.laterality, views_of(found))
        assert self.key is not None  # noqa: S101
        try:
            self.show_series_of(found.context.shown)
        finally:
            case.session.recover(draft, self._file_of(case, found))
            self.watch(case.session, self.key, replaces=found.path)

    def show_series_of(self, shown: tuple[Shown, ...]) -> None:
        """Show the series and the slices that an earlier window showed, as far as they are there.

        Raises
        ------
        DicomError
            If a series cannot be read.
        """
        if self.key is None or self.case is None:
            return
        for one in shown:
            self.case.see(one.view, one.slice_index)
        wanted = {(one.view, one.series_uid, one.stack_no) for one in shown}
        for view in self.key.views:
            for series in self.choices(view):
                if (view, series.series_uid, series.stack_no) in wanted:
                    self.show_series(view, series)

    def context(self, key: CaseKey, *, is_named: bool = True) -> Context:
        """Where the reader is in a case; its visit is left out where it is not to be known."""
        case = self._cases[key]
        shown = (
            Shown(view, series.series_uid, series.stack_no, case.seen(view) or 0)
            for view in key.views
            if (series := self._chosen.get((key, view))) is not None
        )
        visit = key.visit if is_named else ""
        return Context(visit=visit, shown=tuple(shown), case_code=key.code)

    def watch(self, session: ReadingSession, key: CaseKey, *, replaces: Path | None = None) -> None:
        """Keep a reading against a crash."""
        folder = default_folder(key.folder)
        self.keeping.watch(folder, session, lambda: self.context(key), replaces=replaces)

    def give_up_unsaved(self) -> None:
        """Keep what is not saved no longer: the reader has said so."""
        for key in self.unsaved:
            self.keeping.forget(self._cases[key].session)

    def _begin(self, key: CaseKey, visit: Visit) -> ReadingSession:
        session = ReadingSession(
            key.views,
            laterality=key.side,
            subject=visit.subject,
            visit=visit.visit,
            reader=self.reader,
        )
        self.watch(session, key)
        return session

    def _file_of(self, case: Case, found: Recovered) -> str | None:
        """The file that a recovered reading replaces; a file that is still as it was is loaded."""
        if self.readings is None or found.file_sha256 is None:
            return found.file_sha256
        asked = ReadingSession(views_of(found))
        asked.recover(found.draft, None)
        try:
            path = path_of(asked, self.readings)
            if not path.exists():
                return None
            if sha256_of(read_bytes(path)) == found.file_sha256:
                load_into(case.session, path)
        except NecroangleError:
            return found.file_sha256
        return found.file_sha256

    def _note_trouble(self, words: str) -> None:
        self.trouble = words

    def side_doubts(self) -> tuple[Contradiction, ...]:
        """What speaks against the chosen hip: whom a series shows, and where the marks lie.

        Only code and place together forbid saving: a code may be wrong, and so may a place.
        """
        if self.visit is None or self.key is None or self.case is None:
            return ()
        chosen, sides = self.key.side, self.visit.by_place
        found: list[Contradiction] = []
        for outcome in self.case.session.outcome().views:
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
        if self.case is None:
            return ()
        return contradictions(self.case, self.side_doubts(), self._other_radii())

    @property
    def flow(self) -> Flow | None:
        """Where the reader is in the present case."""
        if self.key is None or self.case is None:
            return None
        if self.key not in self._flows:
            self._flows[self.key] = Flow(self.case)
        return self._flows[self.key]

    def neighbour(self, step: int) -> CaseKey | None:
        """The hip that comes so many places after the present one in the folder, if any.

        Visits stand in the order of their names, the right hip before the left.
        """
        order = [
            CaseKey(self.folder, visit.label, side, visit.pairs[0])
            for visit in self.visits
            if self.folder is not None and visit.pairs
            for side in visit.sides
        ]
        if self.key is None:
            return None
        hips = [(key.visit, key.side) for key in order]
        at = hips.index((self.key.visit, self.key.side)) + step
        return order[at] if 0 <= at < len(order) else None

    def aim_at_next(self) -> None:
        """Read the likeliest series of the hip that comes next in the folder ahead."""
        key = None if self.is_handed_out else self.neighbour(1)
        visit = next((one for one in self.visits if key and one.label == key.visit), None)
        if key is None or visit is None:
            self.ahead.aim_at(())
            return
        found = (candidates(visit, view, key.side) for view in key.views)
        self.ahead.aim_at(one[0] for one in found if one)

    def _other_radii(self) -> tuple[VisitRadius, ...]:
        """The head at other visits: looked up once for a hip, and after each save."""
        if self.case is None or self.readings is None:
            return ()
        draft = self.case.session.draft
        asked = (self.readings, draft.subject, draft.laterality, draft.visit, draft.reader)
        if self._radii[0] != asked:
            self._radii = (asked, radii_of_other_visits(self.readings, draft))
        return self._radii[1]

    def choices(self, view: View) -> tuple[SeriesSummary, ...]:
        """The series that can be read as a view of the present hip, the likeliest first."""
        if self.visit is None or self.key is None:
            return ()
        return candidates(self.visit, view, self.key.side)

    def chosen(self, view: View) -> SeriesSummary | None:
        """The series of a view: the reader's choice, the one with marks, or the likeliest."""
        if self.key is None or self.case is None:
            return None
        choices = self.choices(view)
        chosen = self._chosen.get((self.key, view))
        if chosen is not None:
            return chosen
        on = self.case.session.draft.view(view).on
        marked = [one for one in choices if on and one.series_uid == on.image.series_uid]
        return next(iter((*marked, *choices)), None)

    def show_series(self, view: View, series: SeriesSummary) -> None:
        """Read a view on a series.

        Raises
        ------
        DicomError
            If its pixels cannot be read.
        """
        assert self.case is not None  # noqa: S101
        assert self.key is not None  # noqa: S101
        passport = passport_of(series, self.scan.series, self.scan.refused)
        read = self.ahead.take(series)
        self.case.pictures[view] = Picture(
            view,
            read_volume(series) if read is None else read,
            series.calibrated,
            StackPassport.of(passport.to_dict()),
        )
        self._chosen[(self.key, view)] = series

    def forget_choices(self) -> None:
        """Let the marks of the present case say again which series is shown."""
        assert self.case is not None  # noqa: S101
        self._chosen = {key: one for key, one in self._chosen.items() if key[0] != self.key}
        self.case.put_away()


def _doubts_of_series(shown: HipSide, chosen: Laterality, name: str) -> list[Contradiction]:
    if shown.rules_out(chosen):
        return [Contradiction(f"the {name} series shows the other one", blocks=True)]
    if shown.placed not in (chosen, None):
        return [Contradiction(f"the {name} series lies on the other side")]
    if shown.speaks_against(chosen):
        return [Contradiction(f"the {name} series is coded as the other one")]
    return []
