"""A reading being edited in a process that is killed: 50 times, at random moments.

Not a test itself: ``test_autosave_killed.py`` runs it in a process of its own, since it forks. It
prints one JSON object a kill.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hipmaker import make_image, make_reading
from napari_necroangle.reading.draft import Handle, MarkedSlice, ReadingDraft, Role
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import Autosave
from napari_necroangle.store.recovery import remains

from necroangle.annotation import ReaderEntries, ReadView
from necroangle.terms import ArcoStage, Finding, Observation, View

VIEWS = (View.CORONAL, View.SAGITTAL)
KILLS = 50
MOST_EDITS = 80
LONGEST_S = 0.004
"""So long after the edit that a trial waits for: an edit takes as long, and is cut off anywhere."""

POLL_S = 0.002

State = tuple[ReadingDraft, str | None, bool]
"""The last settled draft, the file it replaces, and whether a file holds it."""


def edits(session: ReadingSession, seed: int) -> Iterator[State]:
    """Edit for ever, the same way for the same seed, and say what must survive each edit.

    Every edit is one step, or a part of one drag.
    """
    chance = random.Random(seed)
    slices = _slices()
    settled = session.draft
    safe: ReadingDraft | None = settled
    file = session.file_sha256
    for number in range(1_000_000):
        kind = chance.randrange(13)
        if kind == 12 and session.is_settled:
            file = f"{number:064x}"
            session.mark_saved(file)
            safe = None if session.is_unsaved else session.draft
        else:
            _edit(session, kind, chance, slices)
        if session.is_settled:
            settled = session.draft
        yield settled, file, settled == safe


def _edit(
    session: ReadingSession, kind: int, chance: random.Random, slices: dict[View, MarkedSlice]
) -> None:
    view = chance.choice(VIEWS)
    if kind < 7:
        _edit_marks(session, view, kind, chance, slices[view])
    elif kind == 7:
        session.settle()
    elif kind == 8:
        stage = ReaderEntries.of({"arco": chance.choice(list(ArcoStage))})
        session.enter(entries=stage, notes=f"note {chance.randrange(10**6)}")
    elif kind == 9:
        session.undo()
    elif kind == 10:
        session.observe(view, Observation.FLATTENED, chance.random() < 0.5)
    else:
        session.choose(view, chance.choice(list(Finding)), slices[view])


def _edit_marks(
    session: ReadingSession, view: View, kind: int, chance: random.Random, on: MarkedSlice
) -> None:
    there = (chance.uniform(10, 90), chance.uniform(10, 90))
    marks = session.draft.view(view).marks
    if kind >= 5 and marks:
        session.move(view, chance.choice(marks)[0], there)
    elif kind == 4 and marks:
        session.remove(view, chance.choice(marks)[0])
    elif kind == 3:
        role = chance.choice((Role.START, Role.END, Role.VIA))
        session.place(view, Handle(role, 0), on, there)
    else:
        session.place(view, Handle(Role.RIM, len(session.draft.view(view).rim)), on, there)


def _slices() -> dict[View, MarkedSlice]:
    views = [view for view in make_reading().views if isinstance(view, ReadView)]
    return {
        view.view: MarkedSlice(make_image(number), view.plane)
        for number, view in enumerate(views, 1)
    }


_FRESH = ReadingSession(VIEWS)


def _edit_until_killed(folder: Path, seed: int, acknowledged: Path) -> None:
    session = ReadingSession(VIEWS)
    autosave = Autosave()
    autosave.watch(session, folder)
    log = os.open(acknowledged, os.O_WRONLY | os.O_CREAT)
    for number, _ in enumerate(edits(session, seed), 1):
        os.pwrite(log, b"%8d" % number, 0)


def _trial(folder: Path, seed: int, after_edits: int, and_s: float) -> dict[str, object]:
    """Kill an editor, however fast it is, some time after so many acknowledged edits."""
    acknowledged = folder / f"acknowledged-{seed}"
    readings = folder / f"readings-{seed}"
    child = os.fork()
    if child == 0:
        _edit_until_killed(readings, seed, acknowledged)
    while _count(acknowledged) < after_edits:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "the editor ended by itself"
        time.sleep(POLL_S)
    time.sleep(and_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the editor ended by itself"
    count = _count(acknowledged)
    allowed = _states(seed, count)
    left = remains(readings)
    found = [(one.draft, one.file_sha256, False) for one in left.recovered]
    lost = not any(found == ([] if state[2] else [state]) for state in allowed)
    return {
        "edits": count,
        "offered": len(found),
        "set_aside": len(left.set_aside),
        "lost": lost,
    }


def _count(acknowledged: Path) -> int:
    """How many edits the editor says it has made."""
    return int(acknowledged.read_bytes() or b"0") if acknowledged.exists() else 0


def _states(seed: int, count: int) -> list[State]:
    """What may be found: the last acknowledged edit, or the one that was being made."""
    replay = edits(ReadingSession(VIEWS), seed)
    before: State = (_FRESH.draft, None, True)
    states = [before, *(next(replay) for _ in range(count + 1))]
    return states[count:]


def main(folder: Path) -> None:
    """Kill and look, again and again."""
    chance = random.Random(2026)
    for seed, after_edits in enumerate(chance.sample(range(MOST_EDITS), KILLS)):
        and_s = chance.uniform(0.0, LONGEST_S)
        print(json.dumps(_trial(folder, seed, after_edits, and_s)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
