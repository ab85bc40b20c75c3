"""Servers of the DICOM protocol that are broken, hostile or slow."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fetching import fetched, files, never
from orthanc import free_port
from patientstudies import PatientStudy, made_study
from pydicom import Dataset, dcmread
from pynetdicom import AE, AllStoragePresentationContexts, evt

from necroangle.dicom import scan_folder
from necroangle.errors import ServerError
from necroangle.pacs.dimse import SYNTAXES
from necroangle.pacs.query import Query
from necroangle.pacs.servers import Server, load_servers
from necroangle.pacs.transfer import (
    connect,
    find_studies,
    outgoing_files,
    send_files,
)

_FIND, _MOVE, _GET = (f"1.2.840.10008.5.1.4.1.2.2.{end}" for end in (1, 2, 3))
Find = Callable[[Any], Iterator[tuple[int, Dataset | None]]]


@pytest.fixture
def study(tmp_path: Path) -> PatientStudy:
    return made_study(tmp_path / "original", "of a broken DICOM server", most=4)


def good_find(study: PatientStudy) -> Find:
    """A search that finds one study."""
    objects = [dcmread(file, stop_before_pixels=True) for file in study.files]

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        level = asked.QueryRetrieveLevel
        for dataset in objects if level == "IMAGE" else objects[:1]:
            answer = Dataset()
            answer.QueryRetrieveLevel = level
            for element in asked:
                if element.keyword in dataset:
                    setattr(answer, element.keyword, getattr(dataset, element.keyword))
            yield 0xFF00, answer
        yield 0x0000, None

    return find


@contextmanager
def running(folder: Path, handlers: dict[Any, Any], more: str = "") -> Iterator[Server]:
    """A server with these handlers while the block runs."""
    entity = AE(ae_title="BROKEN")
    for uid in (_FIND, _MOVE, _GET, "1.2.840.10008.1.1"):
        entity.add_supported_context(uid)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(
            str(context.abstract_syntax), list(SYNTAXES), scu_role=True, scp_role=True
        )
    port = free_port()
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=list(handlers.items())
    )
    assert server is not None
    try:
        yield named(folder, port, more)
    finally:
        server.shutdown()
        for association in list(entity.active_associations):
            association.abort()


def named(folder: Path, port: int, more: str = "") -> Server:
    path = folder / "servers.toml"
    path.write_text(
        'format = "necroangle.servers"\nversion = 1\n[servers.broken]\nkind = "dimse"\n'
        f'host = "127.0.0.1"\nport = {port}\nae_title = "BROKEN"\n{more}',
        "utf-8",
    )
    return load_servers(path).of("broken")


def test_a_server_that_is_gone(tmp_path: Path) -> None:
    server = named(tmp_path, free_port())
    with pytest.raises(ServerError, match=r"^broken: cannot be reached at 127\.0\.0\.1"):
        find_studies(connect(server), [Query(accession="1")], sleep=never)


def test_a_server_that_speaks_no_dicom(tmp_path: Path) -> None:
    """It answers like a web server, to every connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    other, _ = listener.accept()
                except OSError:
                    return
                with other:
                    other.recv(100)
                    other.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        server = named(tmp_path, listener.getsockname()[1])
        with pytest.raises(ServerError, match="does not answer as a DICOM server there"):
            find_studies(connect(server), [Query(accession="1")], sleep=never)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_server_that_stalls(tmp_path: Path, study: PatientStudy) -> None:
    end = threading.Event()

    def find(_: Any) -> Iterator[tuple[int, None]]:
        end.wait()
        yield 0x0000, None

    with running(tmp_path, {evt.EVT_C_FIND: find}, "answer_s = 0.5\n") as server:
        connection: Any = connect(server)
        connection._entity.acse_timeout = 60.0  # it begins, however busy the machine is
        with pytest.raises(ServerError, match="did not answer within"):
            find_studies(connection, [Query(accession="1")], sleep=never)
        end.set()


def test_a_server_that_cuts_the_search(tmp_path: Path, study: PatientStudy) -> None:
    def find(event: Any) -> Iterator[tuple[int, None]]:
        event.assoc.abort()
        yield 0x0000, None

    with (
        running(tmp_path, {evt.EVT_C_FIND: find}) as server,
        pytest.raises(ServerError, match=r"^broken: .*cut"),
    ):
        find_studies(connect(server), [Query(accession="1")], sleep=never)


@pytest.mark.parametrize("uid", ["../../x", "..", "1.2/../3"])
@pytest.mark.parametrize("level", ["STUDY", "SERIES", "IMAGE"])
def test_a_uid_is_no_path(uid: str, level: str, tmp_path: Path, study: PatientStudy) -> None:
    keyword = {"STUDY": "Study", "SERIES": "Series", "IMAGE": "SOP"}[level] + "InstanceUID"

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for status, answer in good_find(study)(event):
            if answer is not None and event.identifier.QueryRetrieveLevel == level:
                answer.add_new(keyword, "UI", "1.2.3")
                answer[keyword]._value = uid
            yield status, answer

    with running(tmp_path, {evt.EVT_C_FIND: find}) as server:
        if level == "STUDY":
            with pytest.raises(ServerError, match="no valid UID"):
                fetched(server, study, tmp_path / "images")
        else:
            done = fetched(server, study, tmp_path / "images")
            assert [reason for reason, _ in done.problems if "no valid UID" in reason]
    assert files(tmp_path / "images") == []


def test_a_server_that_passes_over_the_search(tmp_path: Path, study: PatientStudy) -> None:
    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for status, answer in good_find(study)(event):
            if answer is not None:
                answer.AccessionNumber = "OTHER"
            yield status, answer

    with (
        running(tmp_path, {evt.EVT_C_FIND: find}) as server,
        pytest.raises(ServerError, match="answers the search with other studies"),
    ):
        find_studies(connect(server), [Query(accession="1")], sleep=never)


def get_of(*sent: Dataset, cut: bool = False) -> Callable[[Any], Iterator[Any]]:
    """A C-GET that sends these objects, whatever was asked for."""

    def get(event: Any) -> Iterator[Any]:
        yield len(sent) + cut
        for dataset in sent:
            yield 0xFF00, dataset
        if cut:
            event.assoc.abort()
            yield 0xFE00, None

    return get


def test_a_server_that_cuts_a_fetch_is_emptied_in_the_end(
    tmp_path: Path, study: PatientStudy
) -> None:
    objects = {str(one.SOPInstanceUID): one for one in map(dcmread, study.files)}

    def get(event: Any) -> Iterator[Any]:
        asked = event.identifier.SOPInstanceUID
        first = asked if isinstance(asked, str) else asked[0]
        yield from get_of(objects[str(first)], cut=True)(event)

    handlers = {evt.EVT_C_FIND: good_find(study), evt.EVT_C_GET: get}
    with running(tmp_path, handlers) as server:
        done = fetched(server, study, tmp_path / "images")
    assert done.is_whole, done
    assert len(scan_folder(tmp_path / "images").series[0]) == len(study.files)


def test_objects_that_nobody_asked_for_are_not_taken(tmp_path: Path, study: PatientStudy) -> None:
    other = dcmread(made_study(tmp_path / "other", "another patient", most=1).files[0])
    wrong = dcmread(study.files[0])
    wrong.StudyInstanceUID = other.StudyInstanceUID
    handlers = {evt.EVT_C_FIND: good_find(study), evt.EVT_C_GET: get_of(other, wrong)}
    with running(tmp_path, handlers) as server:
        done = fetched(server, study, tmp_path / "images")
    reasons = dict(done.problems)
    assert reasons["another object than was asked for"] == 1
    assert reasons["the server did not send it"] == len(study.files) - 1
    assert files(tmp_path / "images") == []


def test_a_port_that_is_taken(tmp_path: Path, study: PatientStudy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        more = f'retrieve = "move"\nown_host = "127.0.0.1"\nown_port = {taken.getsockname()[1]}\n'
        with running(tmp_path, {evt.EVT_C_FIND: good_find(study)}, more) as server:
            done = fetched(server, study, tmp_path / "images")
    assert [reason for reason, _ in done.problems if "cannot be opened" in reason], done


def test_a_move_that_sends_nothing(tmp_path: Path, study: PatientStudy) -> None:
    """The archive says that all is done, and never connects to us."""

    def move(_: Any) -> Iterator[Any]:
        yield None, None

    more = f'retrieve = "move"\nown_host = "127.0.0.1"\nown_port = {free_port()}\n'
    handlers = {evt.EVT_C_FIND: good_find(study), evt.EVT_C_MOVE: move}
    with running(tmp_path, handlers, more) as server:
        done = fetched(server, study, tmp_path / "images")
    assert [r for r, _ in done.problems if "does not know our AE title" in r], done


@pytest.mark.parametrize(
    ("status", "state", "note"),
    [
        (0x0000, "sent", ""),
        (0xB000, "sent", "stored with a warning (B000 hex)"),
        (0xA700, "failed", "has no room left (C-STORE, status A700 hex)"),
        (0xC123, "failed", "refused it (C-STORE, status C123 hex)"),
        (0x0124, "failed", "does not allow this to our AE title (C-STORE, status 0124 hex)"),
    ],
)
def test_what_is_stored_is_what_the_server_says(
    status: int, state: str, note: str, tmp_path: Path, study: PatientStudy
) -> None:
    handlers = {evt.EVT_C_STORE: lambda _: status}
    with running(tmp_path, handlers) as server:
        (done,) = send_files(server, outgoing_files(study.files[:1]), sleep=never)
    assert (done.state, done.note) == (state, note)


def test_a_server_that_cuts_what_is_sent(tmp_path: Path, study: PatientStudy) -> None:
    """It says what was stored and what was not; the second run sends the rest."""
    stored: list[str] = []

    def store(event: Any) -> int:
        if len(stored) == 2:
            event.assoc.abort()
        else:
            stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    with running(tmp_path, {evt.EVT_C_STORE: store}) as server:
        done = send_files(server, outgoing_files(study.files), sleep=never)
    assert [one.state for one in done] == ["sent", "sent", "failed", "failed"]
    assert all("C-STORE" in one.note for one in done[2:])
