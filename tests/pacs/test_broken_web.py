"""DICOMweb servers that are broken, hostile or slow: a clear error, and nothing half-written."""

import json
import logging
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brokenservers import Answer, Request, as_json, multipart, running_fake
from click.testing import CliRunner
from fetching import fetched, files, never
from orthanc import free_port
from patientstudies import PatientStudy, made_study

from necroangle.cli import cli
from necroangle.dicom import scan_folder
from necroangle.errors import ServerError
from necroangle.pacs import dicomweb
from necroangle.pacs.query import Query
from necroangle.pacs.servers import load_servers
from necroangle.pacs.transfer import (
    connect,
    fetch_studies,
    find_studies,
    outgoing_files,
    send_files,
)

TOKEN = "s-e-c-r-e-t"
Good = Callable[[], Answer]


@pytest.fixture
def study(tmp_path: Path) -> PatientStudy:
    return made_study(tmp_path / "original", "of a broken server", most=4)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NECROANGLE_TOKEN_FAKE", TOKEN)


def test_a_server_that_is_gone(servers_path: Path, tmp_path: Path) -> None:
    servers_path.write_text(
        'format = "necroangle.servers"\nversion = 1\n[servers.fake]\nkind = "dicomweb"\n'
        f'url = "http://127.0.0.1:{free_port()}"\n'
    )
    server = load_servers(servers_path).of("fake")
    waits: list[float] = []
    with pytest.raises(ServerError, match=r"^fake: cannot be reached at 127\.0\.0\.1"):
        find_studies(connect(server), [Query(accession="1")] * 5, sleep=waits.append)
    assert waits == [1.0, 4.0]


def _cut_length(_: Request, good: Good) -> Answer:
    content = b"".join(good().pieces)
    return replace(good(), pieces=(content[: len(content) // 2],), length=len(content))


def _cut_boundary(_: Request, good: Good) -> Answer:
    return multipart(list(good().pieces)[1][:5000], end=b"")


def _html(_: Request, __: Good) -> Answer:
    return Answer(pieces=(b"<html>log in</html>",), content_type="text/html")


def _no_dicom(_: Request, __: Good) -> Answer:
    return multipart(b"no DICOM at all" * 100)


def _damaged(_: Request, good: Good) -> Answer:
    return multipart(list(good().pieces)[1][:-900])


def _busy(_: Request, __: Good) -> Answer:
    return Answer(503)


def _refused(_: Request, __: Good) -> Answer:
    return Answer(401)


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (_cut_length, "cut an object half-way"),
        (_cut_boundary, "cut an object half-way"),
        (_html, "no DICOM object"),
        (_no_dicom, "no DICOM"),
        (_damaged, "cut short"),
        (_busy, "HTTP status 503"),
        (_refused, "refused the credential"),
    ],
)
def test_no_object_is_half_there(
    objects: Callable[[Request, Good], Answer],
    words: str,
    study: PatientStudy,
    servers_path: Path,
    tmp_path: Path,
) -> None:
    def behave(request: Request, good: Good) -> Answer:
        return objects(request, good) if request.is_object else good()

    with running_fake(study, behave) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        done = fetched(server, study, tmp_path / "images")
    assert not done.is_whole
    assert any(words in reason for reason, _ in done.problems), done.problems
    assert files(tmp_path / "images") == []
    assert scan_folder(tmp_path / "images").walked == 0


def test_a_server_that_cuts_again_and_again_is_emptied_in_the_end(
    study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    count = 0

    def behave(request: Request, good: Good) -> Answer:
        nonlocal count
        count += request.is_object
        return _cut_length(request, good) if request.is_object and count % 2 else good()

    with running_fake(study, behave) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        assert fetched(server, study, tmp_path / "images").is_whole
    assert len(scan_folder(tmp_path / "images").series[0]) == len(study.files)


def test_another_object_than_was_asked_for(
    study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    other = made_study(tmp_path / "other", "another patient", most=1)

    def behave(request: Request, good: Good) -> Answer:
        return multipart(other.files[0].read_bytes()) if request.is_object else good()

    with running_fake(study, behave) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        done = fetched(server, study, tmp_path / "images")
    assert done.problems == (("another object than was asked for", len(study.files)),)
    assert files(tmp_path / "images") == []


@pytest.mark.parametrize(
    "uid", ["../../x", "..", "1.2/../3", "/etc/passwd", "1.2\n", "", "1" * 200]
)
@pytest.mark.parametrize("tag", ["0020000D", "0020000E", "00080018"])
def test_a_uid_is_no_path(
    uid: str, tag: str, study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    def behave(request: Request, good: Good) -> Answer:
        entries = json.loads(b"".join(good().pieces)) if not request.is_object else []
        if request.is_object or (request.is_study_search != (tag == "0020000D")):
            return good()
        for entry in entries:
            entry[tag] = {"Value": [uid]}
        return as_json(entries)

    with running_fake(study, behave) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        if tag == "0020000D":
            with pytest.raises(ServerError, match="no valid UID"):
                fetched(server, study, tmp_path / "images")
        else:
            done = fetched(server, study, tmp_path / "images")
            assert [reason for reason, _ in done.problems if "no valid UID" in reason]
        assert not [one for one in fake.requests if ".." in one.path or one.is_object]
    assert files(tmp_path / "images") == []


@pytest.mark.parametrize(
    "content",
    [
        b"<html>", b"null", b'"text"', b"[1, 2]", b"[[]]", b"[" * 100_000,
        b'[{"0020000D": 1}]', b'[{"0020000D": {"Value": 5}}]', b"[NaN]", b"\xff\xfe", b'{"a": "b"}',
    ],
)  # fmt: skip
def test_an_answer_that_is_no_dicom(
    content: bytes, study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    with running_fake(study, lambda *_: Answer(pieces=(content,))) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        with pytest.raises(ServerError, match=r"no DICOM|no valid UID"):
            find_studies(connect(server), [Query(accession="1")], sleep=never)


def test_a_server_that_passes_over_the_search(
    study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    """It answers with all that it has; nothing of another patient is fetched."""
    with running_fake(study, lambda _, good: good()) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        with pytest.raises(ServerError, match="answers the search with other studies"):
            find_studies(connect(server), [Query(accession="another")], sleep=never)


def test_pages_without_end(
    servers_path: Path, study: PatientStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicomweb, "PAGE", 1)
    monkeypatch.setattr(dicomweb, "MAX_STUDIES", 5)
    count = 0

    def more(_: Request, __: Good) -> Answer:
        nonlocal count
        count += 1
        return as_json([{"0020000D": {"Value": [f"1.2.{count}"]}}])

    with running_fake(study, more) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        with pytest.raises(ServerError, match="finds more than 5"):
            find_studies(connect(server), [Query(accession="1")], sleep=never)
    with running_fake(study, lambda _, good: good()) as fake:  # the same page for ever
        server = load_servers(fake.named(servers_path)).of("fake")
        found = find_studies(connect(server), [Query(accession=study.accession)], sleep=never)
    assert len(found) == 1


def test_an_answer_without_end(
    servers_path: Path, study: PatientStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicomweb, "MAX_ANSWER_BYTES", 1 << 20)

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    with running_fake(study, lambda *_: Answer(pieces=endless())) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        with pytest.raises(ServerError, match="sends more than 1 MiB"):
            find_studies(connect(server), [Query(accession="1")], sleep=never)


def test_a_redirect_to_another_host_gets_nothing(
    study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    with running_fake(study, lambda _, good: good()) as other:

        def elsewhere(request: Request, _: Good) -> Answer:
            return Answer(307, headers={"Location": f"{other.url}{request.path}"})

        with running_fake(study, elsewhere) as fake:
            server = load_servers(fake.named(servers_path)).of("fake")
            with pytest.raises(ServerError, match="sends to another address") as refused:
                find_studies(connect(server), [Query(accession=study.accession)], sleep=never)
            assert fake.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
            sent = send_files(server, outgoing_files(study.files[:1]), sleep=never)
        assert [one.state for one in sent] == ["failed"]
        assert other.requests == []
    assert TOKEN not in str(refused.value)


def test_a_redirect_within_the_host_is_followed_but_not_for_ever(
    study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    def moved(request: Request, good: Good) -> Answer:
        if request.path.startswith("/old"):
            return Answer(301, headers={"Location": request.path.removeprefix("/old")})
        return good()

    with running_fake(study, moved) as fake:
        path = fake.named(servers_path)
        path.write_text(path.read_text().replace(fake.url, f"{fake.url}/old"))
        server = load_servers(path).of("fake")
        assert fetched(server, study, tmp_path / "images").is_whole
    with running_fake(study, lambda r, _: Answer(302, headers={"Location": r.path})) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        with pytest.raises(ServerError, match="without end"):
            find_studies(connect(server), [Query(accession="1")], sleep=never)


def test_a_server_that_stalls(study: PatientStudy, servers_path: Path, tmp_path: Path) -> None:
    with running_fake(study, lambda *_: Answer(pieces=stalled())) as fake:

        def stalled() -> Iterator[bytes]:
            yield b"["
            fake.stopping.wait()

        server = load_servers(fake.named(servers_path, "answer_s = 0.2\n")).of("fake")
        with pytest.raises(ServerError, match="too slow"):
            find_studies(connect(server), [Query(accession="1")], sleep=never)


def test_a_server_that_drips(study: PatientStudy, servers_path: Path, tmp_path: Path) -> None:
    """Each byte comes in time; all of them never do."""
    with running_fake(study, lambda _, good: good()) as fake:
        pass

    def behave(request: Request, good: Good) -> Answer:
        return replace(multipart(b""), pieces=drip()) if request.is_object else good()

    with running_fake(study, behave) as fake:

        def drip() -> Iterator[bytes]:
            while not fake.stopping.wait(0.02):
                yield b"x"

        server = load_servers(fake.named(servers_path, "object_s = 0.3\n")).of("fake")
        done = fetched(server, study, tmp_path / "images")
    assert [reason for reason, _ in done.problems if "too slow" in reason]
    assert files(tmp_path / "images") == []


def test_a_huge_object_is_not_held_in_memory(servers_path: Path, tmp_path: Path) -> None:
    study = made_study(tmp_path / "huge", "huge", most=1)
    content = study.files[0].read_bytes()
    size = 24

    def behave(request: Request, good: Good) -> Answer:
        if not request.is_object:
            return good()
        head = b"--sep\r\n\r\n"

        def pieces() -> Iterator[bytes]:
            yield head + content
            for _ in range(size):
                yield bytes(1 << 20)
            yield b"\r\n--sep--\r\n"

        return replace(multipart(b""), pieces=pieces())

    with running_fake(study, behave) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        connection = connect(server)
        wanted = find_studies(connection, [Query(accession=study.accession)], sleep=never)
        tracemalloc.start()
        list(fetch_studies(server, wanted, tmp_path / "images", sleep=never))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        connection.close()
    assert peak < size / 4 * (1 << 20)


def test_neither_token_nor_patient_is_logged_or_shown(
    study: PatientStudy,
    servers_path: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    def behave(request: Request, good: Good) -> Answer:
        return Answer(500) if request.is_object else good()

    with running_fake(study, behave) as fake:
        path = fake.named(servers_path)
        server = load_servers(path).of("fake")
        done = fetched(server, study, tmp_path / "images")
        shown = CliRunner().invoke(
            cli,
            ["fetch", "--server", "fake", "--servers", str(path), "--accession", study.accession,
             "--find"],
        )  # fmt: skip
        sent = send_files(server, outgoing_files(study.files), sleep=never)
        listed = CliRunner().invoke(cli, ["servers", "--servers", str(path)])
    texts = [caplog.text, repr(done), shown.output, repr(server), listed.output]
    texts += [one.note for one in sent]
    for text in texts:
        assert TOKEN not in text
        assert not [one for one in study.planted if one in text]


def test_a_credential_does_not_go_over_plain_http(servers_path: Path) -> None:
    text = 'format = "necroangle.servers"\nversion = 1\n[servers.fake]\nkind = "dicomweb"\n'
    servers_path.write_text(text + 'url = "http://pacs.example.org/dicom-web"\n')
    with pytest.raises(ServerError, match="would go over http://"):
        connect(load_servers(servers_path).of("fake"))


def test_the_environment_gives_neither_proxy_nor_password(
    study: PatientStudy, servers_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NECROANGLE_TOKEN_FAKE")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login kim password {TOKEN}\n")
    with running_fake(study, lambda _, good: good()) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        assert fetched(server, study, tmp_path / "images").is_whole
        assert not [one for one in fake.requests if "Authorization" in one.headers]


STORED = {"00081199": {"Value": [{"00081155": {"Value": ["UID"]}}]}}
FAILED = {"00081198": {"Value": [{"00081155": {"Value": ["UID"]}, "00081197": {"Value": [272]}}]}}


@pytest.mark.parametrize(
    ("status", "answer", "state", "note"),
    [
        (200, STORED, "sent", ""),
        (200, FAILED, "failed", "did not store the object (reason 0110 hex)"),
        (202, FAILED, "failed", "did not store the object (reason 0110 hex)"),
        (409, {}, "failed", "did not store the object"),
        (413, {}, "failed", "takes no object so large (HTTP status 413)"),
        (503, {}, "failed", "does not do this (HTTP status 503)"),
    ],
)
def test_what_is_stored_is_what_the_server_says(
    status: int, answer: Any, state: str, note: str, study: PatientStudy, servers_path: Path
) -> None:
    outgoing = outgoing_files(study.files[:1])
    found = outgoing[0].found
    assert found is not None
    content = json.dumps(answer).replace("UID", found.key.instance_uid).encode()

    def behave(request: Request, _: Good) -> Answer:
        return as_json([]) if request.method == "GET" else Answer(status, (content,))

    with running_fake(study, behave) as fake:
        server = load_servers(fake.named(servers_path)).of("fake")
        (done,) = send_files(server, outgoing, sleep=never)
        body = fake.requests[-1].body
    assert (done.state, done.note) == (state, note)
    assert study.files[0].read_bytes() in body
