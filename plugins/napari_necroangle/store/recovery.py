"""What earlier windows left unsaved, found and offered as it was.

Nothing found here stops the start: a file that cannot be read is set aside, and told.
"""

import os
import stat
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from napari_necroangle.reading.draft import ReadingDraft
from napari_necroangle.store.autosave import SUFFIX, Context, autosave_places, last_state, try_lock
from necroangle.annotation import ReadView, UnreadView
from necroangle.dicom.visits import Visit
from necroangle.errors import ReadingError, system_words
from necroangle.storage import BINARY
from necroangle.terms import View

MAX_BYTES = 64 << 20
"""An autosave file is begun anew long before."""

JUST_BEGUN_S = 60.0
"""An empty file that is younger may be one that another window is about to write."""

_SET_ASIDE = "set_aside"
_FLAGS = os.O_RDWR | BINARY | sum(getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOFOLLOW"))


@dataclass(frozen=True, slots=True)
class Recovered:
    """A reading that an earlier window left unsaved.

    Attributes
    ----------
    draft
        The reading as it was after the last finished step.
    file_sha256
        SHA-256 of the reading file that a save replaces; None for a reading not yet in a file.
    at
        When the last step was: UTC, ``2026-01-31T08:15:00.000Z``.
    damaged
        Later states that could not be read: 1 after a power cut, else 0.
    """

    path: Path
    draft: ReadingDraft
    file_sha256: str | None
    context: Context
    at: str
    edits: int
    damaged: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """An autosave file that cannot be read: where it lies now, and why."""

    path: Path
    problem: str


@dataclass(frozen=True, slots=True)
class Remains:
    """All that earlier windows left: the latest reading first."""

    recovered: tuple[Recovered, ...]
    set_aside: tuple[SetAside, ...]


def recoverable(readings: Path) -> tuple[Recovered, ...]:
    """The readings that earlier windows left unsaved, the latest first.

    ``readings``: the folder of the readings. Files of windows that are still open are left
    alone.

    Examples
    --------
    >>> recoverable(Path("nowhere"))
    ()
    """
    return remains(readings).recovered


def remains(readings: Path) -> Remains:
    """The same, with the files that could not be read and were set aside."""
    recovered: list[Recovered] = []
    set_aside: list[SetAside] = []
    for path in [path for place in autosave_places(readings) for path in _files(place)]:
        found = _look_at(path)
        if isinstance(found, Recovered):
            recovered.append(found)
        elif found is not None:
            set_aside.append(found)
    recovered.sort(key=lambda one: (one.at, one.path.name), reverse=True)
    return Remains(tuple(recovered), tuple(set_aside))


def restore(recovered: Recovered) -> ReadingDraft:
    """The draft to go on with. Its file stays until the session that takes it up is watched.

    Raises
    ------
    ReadingError
        If another window has taken it up in the meantime.
    """
    if not recovered.path.exists():
        raise ReadingError("this reading was taken up in another window meanwhile")
    return recovered.draft


def discard(recovered: Recovered) -> Path:
    """Offer a reading no longer: its file is moved aside, not deleted."""
    return _move_aside(recovered.path)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError:
        return []


def _look_at(path: Path) -> Recovered | SetAside | None:
    """What a file holds; None where it is someone else's, in use, or empty."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or not try_lock(file.fileno()):
            return None
        is_young = time.time() - facts.st_mtime < JUST_BEGUN_S
        raw = file.read(MAX_BYTES)
    if not raw:
        if not is_young:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        return None
    try:
        return _recovered(path, raw)
    except ReadingError as error:
        return _set_aside(path, str(error))


def _recovered(path: Path, raw: bytes) -> Recovered:
    state, damaged = last_state(raw)
    return Recovered(
        path=path,
        draft=state.draft,
        file_sha256=state.file_sha256,
        context=state.context,
        at=state.at,
        edits=state.edit,
        damaged=damaged,
    )


def _set_aside(path: Path, problem: str) -> SetAside:
    try:
        return SetAside(_move_aside(path), problem)
    except OSError as error:
        return SetAside(path, f"{problem}; it could not be moved: {system_words(error)}")


def _move_aside(path: Path) -> Path:
    place = path.parent / _SET_ASIDE
    place.mkdir(mode=0o700, exist_ok=True)
    return path.replace(place / path.name)


def visit_of(found: Recovered, visits: Sequence[Visit]) -> Visit | None:
    """The visit whose images it was read on: by its series, and without any by its name."""
    marked = [view.on.image.series_uid for view in found.draft.views if view.on is not None]
    uids = {*marked, *(one.series_uid for one in found.context.shown)}
    if uids:
        return visit_with(uids, visits)
    return next((visit for visit in visits if visit.label == found.context.visit), None)


def visit_with(series_uids: Collection[str], visits: Sequence[Visit]) -> Visit | None:
    """The first visit that has one of these series."""
    having = (
        visit
        for visit in visits
        if any(series.series_uid in series_uids for series in visit.series)
    )
    return next(having, None)


def series_of(views: Iterable[ReadView | UnreadView]) -> frozenset[str]:
    """The UIDs of the series that views were read on."""
    return frozenset(view.image.series_uid for view in views if isinstance(view, ReadView))


def whose(found: Recovered) -> str:
    """The patient's code and the visit, as far as they are known."""
    visit = found.context.visit or found.draft.visit
    return " · ".join(part for part in (found.draft.subject, visit) if part)


def views_of(found: Recovered) -> tuple[View, View]:
    """The pair of views that it was read on."""
    first, second = found.draft.views
    return first.view, second.view


def offer_words(found: Recovered, name: str) -> str:
    """What was not saved, how much of it, and when, in the reader's own time."""
    last = datetime.fromisoformat(found.at).astimezone()
    steps = f"{found.edits} step{'s' if found.edits != 1 else ''}"
    lost = " The very last step could not be read." if found.damaged else ""
    return f"{name} was not saved: {steps}, the last on {last:%Y-%m-%d at %H:%M}.{lost}"
