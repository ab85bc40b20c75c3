"""Writers that are killed at random, and whether all that was acknowledged to them is there.

Each writer is a process of its own. Over and over it saves a reading file, puts its row and its
bytes in the cohort, records a visit, and adds one to a counter that all the writers share. It says
so down a pipe after each of the four has returned. Then comes SIGKILL, whenever.
"""

import os
import random
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hipmaker import make_reading
from msgspec.structs import replace

from necroangle.annotation import encode_reading, save_reading, sha256_of
from necroangle.cohort import Cell, CohortRow, CohortStore, to_row
from necroangle.ledger.records import Entry
from necroangle.ledger.verify import verify
from necroangle.measurement import measure

__all__ = ["Trial", "run_trial"]

COUNTER = ("SHARED", "L")
_READING = make_reading()
_ROW = to_row(_READING, measure(_READING), "0" * 64)
_MOST_READS = 999


@dataclass(frozen=True)
class Trial:
    """What a trial was.

    Attributes
    ----------
    acknowledged
        Writes that were acknowledged.
    unheard
        Writes that are there though their writer was killed before it heard so.
    killed
        Writers that were killed.
    problems
        What was lost, torn or wrong: none.
    """

    acknowledged: int
    unheard: int
    killed: int
    problems: tuple[str, ...]


def run_trial(
    place: Path | str, folder: Path, *, writers: int = 8, seed: int = 0, longest_s: float = 0.5
) -> Trial:
    """Let writers write, kill them at random, and look at what is left.

    Parameters
    ----------
    place
        A new cohort: a file or a URL.
    folder
        An empty folder for reading files.
    longest_s
        No writer lives longer.
    """
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hip = (Entry("subject", ("S01",), {}), Entry("hip", ("S01", "L"), {}))
    CohortStore.open(place).record(hip, actor="trial")
    heard, saying = os.pipe()
    ends: dict[int, float] = {}
    for number in range(writers):
        pid = _start(lambda n=number: _write_for_ever(n, place, folder, saying))  # type: ignore[misc]
        ends[pid] = time.monotonic() + chance.uniform(0.02, longest_s)
    os.close(saying)
    text, killed = _kill_in_time(ends, heard)
    os.close(heard)
    said = text.decode().splitlines()
    problems, there = _look(place, folder, said)
    if killed != writers:
        problems.append(f"{writers - killed} writers failed before they were killed")
    return Trial(len(said), max(0, there - len(said)), killed, tuple(problems))


def _start(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # only reached where the work failed
    return pid


def _kill_in_time(ends: dict[int, float], heard: int) -> tuple[bytes, int]:
    """Kill each writer at its time, listening all the while; what was said, how many died."""
    text, killed = bytearray(), 0
    while True:
        wait = max(0.0, min(ends.values(), default=time.monotonic()) - time.monotonic())
        if select.select([heard], [], [], wait)[0]:
            some = os.read(heard, 1 << 16)
            text += some
            if not some:
                break
        for pid in [pid for pid, end in ends.items() if end <= time.monotonic()]:
            os.kill(pid, signal.SIGKILL)
            killed += os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
            del ends[pid]
    return bytes(text), killed


def _write_for_ever(number: int, place: Path | str, folder: Path, saying: int) -> None:
    store = CohortStore.open(place)
    actor = f"w{number}"
    for read in range(1, _MOST_READS + 1):
        reading = replace(_READING, reader=actor, read_no=read)
        raw = encode_reading(reading)
        sha256 = save_reading(reading, folder / f"{actor}-{read}.reading.json")
        _say(saying, f"file {actor}-{read} {sha256}")
        store.upsert([_row(actor, read, sha256)], {sha256: raw}, actor)
        _say(saying, f"row {actor} {read} {sha256}")
        visit = Entry("visit", ("S01", "L", f"{actor}-{read}"), {"vas": float(read)}, expected=0)
        store.record([visit], actor=actor)
        _say(saying, f"visit {actor}-{read} {read}")
        count = _add_one(store, actor)
        if count:
            _say(saying, f"count {count} {actor}")
    time.sleep(60)


def _add_one(store: CohortStore, actor: str) -> int:
    """Add one to the shared counter; 0 where another writer came first."""
    found = store.current("counter", COUNTER)
    seen, revision = (int(found[0].values["n"] or 0), found[0].revision) if found else (0, 0)
    wanted = Entry("counter", COUNTER, {"n": seen + 1, "by": actor}, expected=revision)
    return 0 if store.record([wanted], actor=actor).conflicts else seen + 1


def _row(reader: str, read: int, sha256: str) -> CohortRow:
    changed: dict[str, Cell] = {"reader": reader, "read_no": read, "annotation_sha256": sha256}
    return CohortRow.of({**_ROW, **changed})


def _say(saying: int, line: str) -> None:
    os.write(saying, f"{line}\n".encode())  # short, so that lines of two writers never mix


def _look(place: Path | str, folder: Path, said: Iterable[str]) -> tuple[list[str], int]:
    """What is wrong, and how many writes are there."""
    store = CohortStore.open(place, create=False)
    result = verify(store, readings=folder)
    wrong = [str(one) for one in result.problems if "orphan" not in one.problem]
    rows = {(row.key.reader, row.key.read_no): row["annotation_sha256"] for row in store.rows()}
    visits = {record.key[2]: record.values["vas"] for record in store.current("visit")}
    counts = [event.values or {} for event in store.history("counter", COUNTER)]
    for line in said:
        what, name, value, *more = line.split(" ")
        if what == "file":
            file = folder / f"{name}.reading.json"
            there = file.is_file() and sha256_of(file.read_bytes()) == value
        elif what == "row":
            there = rows.get((name, int(value))) == more[0]
        elif what == "visit":
            there = visits.get(name) == float(value)
        else:
            there = counts[int(name) - 1] == {"n": int(name), "by": value}
        if not there:
            wrong.append(f"lost: {line}")
    if [count["n"] for count in counts] != list(range(1, len(counts) + 1)):
        wrong.append("the shared counter has lost or doubled a count")
    files = sum(1 for _ in folder.glob("*.reading.json"))
    return wrong, files + len(rows) + len(visits) + len(counts)
