"""Studies from a server into a folder, and files to a server.

One place decides what is tried again: what may pass (a cut, a busy server) up to three times in a
row without a new object; a server that is gone ends the rest.
"""

import errno
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from necroangle.dicom.index import index_path, refresh_index
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.store import IndexStore
from necroangle.errors import CohortError, DicomError, ServerError, system_words
from necroangle.pacs.arrivals import Arrivals, DicomObject, ObjectKey, identified
from necroangle.pacs.connection import Connection
from necroangle.pacs.query import FoundStudy, Query
from necroangle.pacs.servers import DicomwebServer, Server
from necroangle.plain_text import counted

WAITS_S = (1.0, 4.0)
"""Between tries in a row that bring nothing."""

MAX_FAILURES = 3
"""Studies that fail one after the other, until the rest is not tried."""

Progress = Callable[[int, int], None]
Sleep = Callable[[float], None]
T = TypeVar("T")
_log = logging.getLogger(__name__)


def connect(server: Server) -> Connection:
    """A session with a server.

    Raises
    ------
    ServerError
        If it cannot begin, or its libraries are not installed.
    """
    try:
        if isinstance(server.how, DicomwebServer):
            from necroangle.pacs.dicomweb import DicomwebConnection

            return DicomwebConnection(server)
        from necroangle.pacs.dimse import DimseConnection

        return DimseConnection(server)
    except ModuleNotFoundError as error:
        raise server.failed(
            f'needs the package {error.name}: pip install "necroangle[pacs]"'
        ) from None


# ---- from a server ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search found, or why there is nothing to fetch.

    Attributes
    ----------
    label
        The subject's pseudonym, else ``study 3``: names no patient.
    place
        The row of the list, or the option.
    study
        What the server says of it; None where nothing is to be fetched.
    problem
        Why not, else empty.
    """

    label: str
    place: str
    study: FoundStudy | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a study.

    Attributes
    ----------
    wanted
        What was asked for.
    objects
        Objects of the study on the server.
    there, fetched
        Objects that lay in the folder before, and that have come now.
    problems
        What went wrong, each with the number of objects.
    """

    wanted: Wanted
    objects: int = 0
    there: int = 0
    fetched: int = 0
    problems: tuple[tuple[str, int], ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every object of the study lies in the folder."""
        return not self.problems and self.there + self.fetched == self.objects


def find_studies(
    connection: Connection,
    queries: Sequence[Query],
    names: SubjectNames | None = None,
    *,
    sleep: Sleep = time.sleep,
) -> list[Wanted]:
    """Ask a server for studies; each comes once.

    Parameters
    ----------
    connection
        Of :func:`connect`.
    queries
        What is asked for.
    names
        The study's names: a patient whom they do not know is not fetched.
    sleep
        Waits so many seconds.

    Raises
    ------
    ServerError
        If the server is gone, or fails search after search.
    """
    found: list[Wanted] = []
    seen: set[str] = set()
    in_a_row = 0
    for query in queries:
        try:
            studies = _patient(partial(connection.studies, query), sleep)
        except ServerError as error:
            in_a_row += 1
            if error.is_passing or in_a_row in (len(queries), MAX_FAILURES):
                raise
            found.append(Wanted("", query.place, problem=error.problem))
            continue
        in_a_row = 0
        if not studies:
            found.append(Wanted("", query.place, problem="the server has no such study"))
        for study in studies:
            if study.study_uid not in seen:
                seen.add(study.study_uid)
                found.append(_named(study, query.place, len(seen), names))
    return found


def _named(study: FoundStudy, place: str, number: int, names: SubjectNames | None) -> Wanted:
    try:
        name = names.of(study.patient_id) if names is not None else None
    except DicomError as error:
        return Wanted(f"study {number}", place, problem=f"patient {error.problem}")
    return Wanted(name or f"study {number}", place, study)


def fetch_studies(
    server: Server,
    wanted: Sequence[Wanted],
    folder: Path,
    names: SubjectNames | None = None,
    *,
    progress: Progress | None = None,
    index_progress: Progress | None = None,
    sleep: Sleep = time.sleep,
) -> Iterator[Fetched]:
    """Bring studies into a folder and its index, one after the other.

    Objects that lie there already are not fetched again: a fetch that was stopped goes on where it
    was. A study that lacks objects is in the index with those that came, and says so.

    Parameters
    ----------
    server, wanted
        The server, and what it was found to have.
    folder
        Where they go; made where it is missing.
    names
        The study's names of its subjects.
    progress
        Called with (objects here, objects of the studies so far) after each object; may raise
        InterruptedError to stop.
    index_progress
        Called with (files read, files to read) while the index reads what is new.
    sleep
        Waits so many seconds.

    Yields
    ------
    Fetched
        What became of each, when it is done.

    Raises
    ------
    ServerError
        If the folder cannot be written.
    InterruptedError
        If ``progress`` raised it; what has come stays.
    """
    counter = _Counter(progress)
    failure, in_a_row = "", 0
    try:
        with Arrivals(folder, names) as arrivals, closing(connect(server)) as connection:
            arrivals.on_arrival = counter.on
            for one in wanted:
                if one.study is None or failure:
                    yield Fetched(one, problems=((one.problem or f"not tried: {failure}", 0),))
                    continue
                done, error = _fetch(connection, one, one.study, arrivals, counter, sleep)
                in_a_row = in_a_row + 1 if error is not None else 0
                if error is not None and (error.is_passing or in_a_row == MAX_FAILURES):
                    failure = error.problem
                yield done
        with closing(IndexStore(index_path(folder), names)) as store:
            refresh_index(folder, store, index_progress)
    except InterruptedError:  # whoever watches has stopped it
        raise
    except OSError as error:
        raise _disk_failed(error) from None


def _disk_failed(error: OSError) -> ServerError:
    """The folder takes no more."""
    words = "the disk is full" if error.errno == errno.ENOSPC else system_words(error)
    return ServerError(f"the folder cannot be written: {words}")


class _Counter:
    def __init__(self, progress: Progress | None) -> None:
        self._progress, self.done, self._total = progress, 0, 0

    def more(self, total: int, done: int) -> None:
        self._total += total
        self.on(done)

    def on(self, count: int = 1) -> None:
        self.done += count
        if self._progress is not None:
            self._progress(self.done, self._total)


def _fetch(
    connection: Connection,
    wanted: Wanted,
    study: FoundStudy,
    arrivals: Arrivals,
    counter: _Counter,
    sleep: Sleep,
) -> tuple[Fetched, ServerError | None]:
    """All objects of one study, as far as they come."""
    uid = study.study_uid
    try:
        keys = _patient(partial(connection.objects, uid), sleep)
    except ServerError as error:
        return Fetched(wanted, problems=((error.problem, study.objects or 0),)), error
    there = sum(arrivals.has(uid, key) for key in keys)
    counter.more(len(keys), there)
    reasons, failure = _bring(connection, uid, keys, arrivals, sleep)
    here = sum(arrivals.has(uid, key) for key in keys)
    if not keys:
        reasons = Counter({"the server lists no object of it": 0})
    _log.info("%s: %d of %d objects fetched", wanted.label, here, len(keys))
    return Fetched(wanted, len(keys), there, here - there, tuple(reasons.items())), failure


def _bring(
    connection: Connection,
    uid: str,
    keys: Sequence[ObjectKey],
    arrivals: Arrivals,
    sleep: Sleep,
) -> tuple[Counter[str], ServerError | None]:
    """Try until nothing is missing that may still come; why the rest did not."""
    waits = list(WAITS_S)
    refused: dict[str, str] = {}
    while True:
        missing = [
            key for key in keys if key.instance_uid not in refused and not arrivals.has(uid, key)
        ]
        if not missing:
            return Counter(refused.values()), None
        failure: ServerError | None = None
        passing: list[str] = []
        try:
            problems = connection.fetch(uid, missing, arrivals)
            refused |= {one.key.instance_uid: one.reason for one in problems if not one.is_passing}
            passing = [one.reason for one in problems if one.is_passing]
        except ServerError as error:
            failure = error
        if failure is None and not passing:
            continue
        left = [key for key in missing if not arrivals.has(uid, key)]
        if len(left) < len(missing):
            waits = list(WAITS_S)
        if (failure is not None and not failure.is_passing) or not waits:
            still = [key for key in left if key.instance_uid not in refused]
            reason = failure.problem if failure is not None else passing[0]
            return Counter(refused.values()) + Counter({reason: len(still)}), failure
        sleep(waits.pop(0))


def _patient(request: Callable[[], T], sleep: Sleep) -> T:
    """The answer to a request that is tried again where its failure may pass."""
    for wait_s in WAITS_S:
        try:
            return request()
        except ServerError as error:
            if not error.is_passing:
                raise
        sleep(wait_s)
    return request()


# ---- to a server -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that is to be sent, or why it cannot be.

    Attributes
    ----------
    path, file
        The file, and its name for the person whose file it is.
    label
        The subject's pseudonym, else ``study 3``.
    found
        What it is; None where it cannot be sent.
    problem
        Why not, else empty.
    """

    path: Path
    file: str
    label: str = ""
    found: DicomObject | None = None
    problem: str = ""


State = Literal["sent", "there", "refused", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a file."""

    outgoing: Outgoing
    state: State
    note: str = ""


def outgoing_files(paths: Iterable[Path], names: SubjectNames | None = None) -> list[Outgoing]:
    """The files to send: those named, and the DICOM files of folders that are named.

    Raises
    ------
    CohortError
        If there is none.
    """
    found: list[Outgoing] = []
    studies: dict[str, str] = {}
    for path, is_named in _files(paths):
        try:
            one = identified(path, "", names)
        except DicomError as error:
            if is_named or error.problem != "no DICOM object":
                found.append(Outgoing(path, str(path), problem=str(error)))
            continue
        number = studies.setdefault(one.study_uid, f"study {len(studies) + 1}")
        found.append(Outgoing(path, str(path), one.subject or number, one))
    if not found:
        raise CohortError("no DICOM file to send")
    return found


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    for path in paths:
        if path.is_dir():
            yield from ((one, False) for one in sorted(path.rglob("*")) if one.is_file())
        else:
            yield path, True


def send_files(
    server: Server,
    files: Sequence[Outgoing],
    *,
    progress: Progress | None = None,
    sleep: Sleep = time.sleep,
) -> list[Sent]:
    """Send files as they are, with the patient's identity; what the server has is not sent again.

    What is stored stays stored: no standard lets a sender take it back. A run that was cut says
    what the server has, and a second one sends the rest.

    Parameters
    ----------
    server, files
        The server, and the files of :func:`outgoing_files`.
    progress
        Called with (files done, files in all).
    sleep
        Waits so many seconds.

    Raises
    ------
    ServerError
        If the server cannot be reached before anything is sent.
    """
    done: list[Sent] = []
    failure, in_a_row = "", 0
    with closing(connect(server)) as connection:
        known = _known(connection, files, sleep)
        for one in files:
            sent = _sent(connection, one, known, failure, sleep)
            in_a_row = in_a_row + 1 if sent.state == "failed" else 0
            if in_a_row == MAX_FAILURES:
                failure = sent.note
            done.append(sent)
            if progress is not None:
                progress(len(done), len(files))
    for label, count in Counter(o.outgoing.label for o in done if o.state == "sent").items():
        _log.info("%s: %s sent to %s", label, counted(count, "object"), server.name)
    return done


def _known(connection: Connection, files: Sequence[Outgoing], sleep: Sleep) -> set[str]:
    """The objects of these studies that the server has, as far as it says."""
    known: set[str] = set()
    for uid in {one.found.study_uid for one in files if one.found is not None}:
        try:
            keys = _patient(partial(connection.objects, uid), sleep)
        except ServerError as error:
            if error.is_passing:
                raise
            continue  # it has no such study, or lets nobody search: then it is asked to store
        known.update(key.instance_uid for key in keys)
    return known


def _sent(
    connection: Connection, one: Outgoing, known: set[str], failure: str, sleep: Sleep
) -> Sent:
    found = one.found
    if found is None:
        return Sent(one, "refused", one.problem)
    if found.key.instance_uid in known:
        return Sent(one, "there")
    if failure:
        return Sent(one, "not tried", failure)
    try:
        note = _patient(partial(connection.store, one.path, found), sleep)
    except ServerError as error:
        return Sent(one, "failed", error.problem)
    except DicomError as error:
        return Sent(one, "refused", str(error))
    except OSError as error:
        return Sent(one, "refused", f"cannot be read ({system_words(error)})")
    known.add(found.key.instance_uid)
    return Sent(one, "sent", note)
