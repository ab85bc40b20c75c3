"""Small servers of DICOMweb that do what servers should not."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from patientstudies import PatientStudy
from pydicom import dcmread

__all__ = ["Answer", "FakeServer", "Request", "as_json", "multipart", "running_fake"]


@dataclass(frozen=True)
class Request:
    """What a server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def is_object(self) -> bool:
        """Whether an object was asked for."""
        return self.method == "GET" and "/instances/" in self.path

    @property
    def is_study_search(self) -> bool:
        """Whether studies were searched."""
        return self.method == "GET" and self.path.startswith("/studies?")


@dataclass(frozen=True)
class Answer:
    """What a server says; ``length`` is what it claims, ``pieces`` what comes."""

    status: int = 200
    pieces: tuple[bytes, ...] | Iterator[bytes] = ()
    content_type: str = "application/dicom+json"
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


Behaviour = Callable[[Request, Callable[[], Answer]], Answer]
"""Gets the request, and what a good server would answer."""


def as_json(value: object) -> Answer:
    """An answer in JSON."""
    return Answer(pieces=(json.dumps(value).encode(),))


def multipart(content: bytes, *, end: bytes = b"\r\n--sep--\r\n") -> Answer:
    """An object as DICOMweb sends it."""
    head = b"--sep\r\nContent-Type: application/dicom\r\n\r\n"
    return Answer(
        pieces=(head, content, end),
        content_type='multipart/related; type="application/dicom"; boundary=sep',
    )


@dataclass
class FakeServer:
    """A running server.

    Attributes
    ----------
    url
        Its root.
    requests
        What it was asked so far.
    stopping
        Set when it ends: what waits for it ends, too.
    """

    url: str
    requests: list[Request]
    stopping: threading.Event

    def named(self, path: Path, more: str = "") -> Path:
        """Write a file of servers that names it ``fake``."""
        path.write_text(
            'format = "necroangle.servers"\nversion = 1\n[servers.fake]\n'
            f'kind = "dicomweb"\nurl = "{self.url}"\n{more}',
            "utf-8",
        )
        return path


def good(study: PatientStudy) -> Callable[[Request], Answer]:
    """A server that holds one study."""
    objects = {}
    for file in study.files:
        dataset = dcmread(file, stop_before_pixels=True)
        objects[str(dataset.SOPInstanceUID)] = (dataset, file)

    def entry(dataset: Any) -> dict[str, Any]:
        return {
            tag: {"Value": [str(value)]}
            for tag, value in {
                "0020000D": dataset.StudyInstanceUID,
                "0020000E": dataset.SeriesInstanceUID,
                "00080018": dataset.SOPInstanceUID,
                "00080016": dataset.SOPClassUID,
                "00080050": dataset.AccessionNumber,
                "00100020": dataset.PatientID,
            }.items()
        }

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return Answer(404)
        if request.is_object:
            return multipart(objects[request.path.rpartition("/")[2]][1].read_bytes())
        if request.is_study_search:
            return as_json([entry(next(iter(objects.values()))[0])])
        return as_json([entry(dataset) for dataset, _ in objects.values()])

    return answer


@contextmanager
def running_fake(
    study: PatientStudy | None, behave: Behaviour, tls: ssl.SSLContext | None = None
) -> Iterator[FakeServer]:
    """A server while the block runs.

    Parameters
    ----------
    study
        What it holds.
    behave
        What it does with it.
    tls
        The certificates of a server that is reached by ``https``.
    """
    answer = (lambda _: Answer(404)) if study is None else good(study)
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            count = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command, self.path, dict(self.headers.items()), self.rfile.read(count)
            )
            requests.append(request)
            said = behave(request, lambda: answer(request))
            pieces = list(said.pieces) if isinstance(said.pieces, tuple) else said.pieces
            length = said.length
            if length is None and isinstance(pieces, list):
                length = sum(map(len, pieces))
            try:
                self.send_response(said.status)
                self.send_header("Content-Type", said.content_type)
                if length is None:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                else:
                    self.send_header("Content-Length", str(length))
                    if said.length is not None:
                        self.close_connection = True
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:  # the other side has gone
                self.close_connection = True

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    fake = FakeServer(f"{scheme}://127.0.0.1:{server.server_port}", requests, threading.Event())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield fake
    finally:
        fake.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def host_of(url: str) -> str:
    """Host and port."""
    return urlsplit(url).netloc
