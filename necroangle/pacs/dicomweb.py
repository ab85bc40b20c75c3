"""A server of DICOMweb: search by dicomweb-client, objects as streams of the stored bytes.

The session is ours and has limits: no redirect to another host, none of the environment's proxies
or passwords, an end to every wait, a cap on every answer.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import urllib3
from dicomweb_client.web import DICOMwebClient
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from necroangle.decoding import MalformedError, converted, from_json
from necroangle.dicom.guard import MAX_FILE_BYTES
from necroangle.pacs.arrivals import Arrivals, DicomObject, ObjectKey, is_uid
from necroangle.pacs.connection import MAX_OBJECTS, MAX_STUDIES, Abilities, Losses, Problem
from necroangle.pacs.multipart import CutError, OneFile, boundary_of, write_part
from necroangle.pacs.query import FoundStudy, Query, matching
from necroangle.pacs.servers import DicomwebServer, Server
from necroangle.silence import silence

MAX_ANSWER_BYTES = 64 << 20
PAGE = 1000
MAX_REDIRECTS = 3

_PIECE = 1 << 16
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STUDY_FIELDS = (
    *("StudyDate", "AccessionNumber", "PatientID", "PatientName", "StudyDescription"),
    *("ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_STATUS = {
    400: "does not understand the request; is `url` the root of its DICOMweb service?",
    401: "refused the credential: give its token or password",
    403: "does not allow this to you: ask the hospital for the right to search, fetch or store",
    404: "has nothing there: is `url` the root of its DICOMweb service?",
    405: 'does not offer this: ask the hospital, or use DICOM (kind = "dimse")',
    406: 'cannot send the stored bytes: use DICOM (kind = "dimse")',
    413: "takes no object so large",
    507: "has no room left",
}

_Attributes = dict[str, Any]


class DicomwebConnection:
    """A session with one server.

    Parameters
    ----------
    server
        The server, of the kind ``"dicomweb"``.

    Raises
    ------
    ServerError
        If its certificates cannot be used, or its credential would travel in the clear.
    """

    def __init__(self, server: Server) -> None:
        assert isinstance(server.how, DicomwebServer)  # noqa: S101
        self._server, self._how = server, server.how
        self._root = server.how.url.rstrip("/")
        self._session = _Session(server, server.how)
        with silence:
            self._client = DICOMwebClient(self._root, session=self._session, permissive_uid=True)
            self._client.set_http_retry_params(retry=False)  # retries stand in one place

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def abilities(self) -> Abilities:
        """Whether it answers a search, and what it says of storing."""
        with self._said("a search"):
            self._client.search_for_studies(limit=1)
        return Abilities(
            answers=("QIDO-RS search",),
            unknown=("WADO-RS fetch and STOW-RS send show when they are used",),
        )

    def studies(self, query: Query) -> list[FoundStudy]:
        """The studies that match."""
        found: list[FoundStudy] = []
        for page in self._pages(self._client.search_for_studies, query, MAX_STUDIES):
            found += [self._study(entry) for entry in page]
        kept = list(matching(query, found))
        if found and not kept:
            raise self._server.failed(
                "answers the search with other studies: it cannot search by this"
            )
        return kept

    def objects(self, study_uid: str) -> list[ObjectKey]:
        """The objects of a study."""
        found = {}
        search = self._client.search_for_instances
        for page in self._pages(search, study_uid, MAX_OBJECTS):
            for entry in page:
                key = self._key(entry)
                found[key.instance_uid] = key
        return list(found.values())

    def fetch(self, study_uid: str, keys: Sequence[ObjectKey], arrivals: Arrivals) -> list[Problem]:
        """Bring objects of a study into the folder; those that did not come, and why."""
        asked = {key.instance_uid: key for key in keys}
        losses = Losses()
        for key in keys:
            with losses.noted(key), arrivals.part() as part:
                self._stream(study_uid, key, part)
                arrivals.admit(part, study_uid, asked)
        return losses.problems

    def store(self, path: Path, found: DicomObject) -> str:
        """Send a file; what the server remarks, or nothing. The errors are those of the server."""
        body = OneFile(path)
        with self._said("the object"):
            response = self._session.request(
                "POST",
                f"{self._root}/studies",
                data=body,
                headers={
                    "Content-Type": body.content_type,
                    "Accept": "application/dicom+json, application/json",
                },
            )
            if response.status_code not in (409, 202):
                response.raise_for_status()
            return self._stored(response, found.key.instance_uid)

    def _stored(self, response: requests.Response, instance_uid: str) -> str:
        """Whether the answer says that the object is stored."""
        answer = self._stow_answer(response)
        failed = {_text(one, "00081155"): one for one in _items(answer, "00081198")}
        if instance_uid in failed or (response.status_code == 409 and not failed):
            reason = _number(failed.get(instance_uid, {}), "00081197")
            code = "" if reason is None else f" (reason {reason:04X} hex)"
            raise self._server.failed(f"did not store the object{code}")
        stored = {_text(one, "00081155"): one for one in _items(answer, "00081199")}
        if stored and instance_uid not in stored:
            raise self._server.failed("did not say that it stored the object")
        warning = _number(stored.get(instance_uid, {}), "00081196")
        return "" if warning is None else f"stored with a warning ({warning:04X} hex)"

    def _stow_answer(self, response: requests.Response) -> _Attributes:
        try:
            answer = from_json(response.content, msgspec.json.Decoder())
        except MalformedError:  # some answer in XML, or with nothing
            return {}
        if isinstance(answer, list):
            answer = answer[0] if answer else {}
        return answer if isinstance(answer, dict) else {}

    def _pages(
        self, search: Callable[..., Any], what: Query | str, most: int
    ) -> Iterator[list[_Attributes]]:
        """The answers to a search, page by page; a server may pass over the page's number."""
        seen: set[str] = set()
        is_study = isinstance(what, Query)
        uid_tag = "0020000D" if is_study else "00080018"
        while True:
            with self._said("a search"):
                if isinstance(what, Query):
                    answer = search(
                        search_filters=what.filters(), fields=_STUDY_FIELDS, limit=PAGE,
                        offset=len(seen),
                    )  # fmt: skip
                else:
                    answer = search(what, limit=PAGE, offset=len(seen))
                page = converted(answer, list[dict[str, Any]])
            new = [entry for entry in page if _text(entry, uid_tag) not in seen]
            seen.update(_text(entry, uid_tag) for entry in new)
            yield new
            if len(new) < PAGE:
                return
            if len(seen) > most:
                raise self._server.failed(f"finds more than {most}: ask for less")

    def _study(self, entry: _Attributes) -> FoundStudy:
        uid = _text(entry, "0020000D")
        if not is_uid(uid):
            raise self._server.failed("names a study by no valid UID: it cannot be fetched")
        return FoundStudy(
            study_uid=uid,
            patient_id=_text(entry, "00100020"),
            accession=_text(entry, "00080050"),
            study_date=_text(entry, "00080020"),
            patient_name=_text(entry, "00100010"),
            description=_text(entry, "00081030"),
            modalities=tuple(_texts(entry, "00080061")),
            series=_number(entry, "00201206"),
            objects=_number(entry, "00201208"),
        )

    def _key(self, entry: _Attributes) -> ObjectKey:
        series, instance = _text(entry, "0020000E"), _text(entry, "00080018")
        if not (is_uid(series) and is_uid(instance)):
            raise self._server.failed("names an object by no valid UID: the study is not fetched")
        return ObjectKey(series, instance, _text(entry, "00080016"))

    def _stream(self, study_uid: str, key: ObjectKey, part: Path) -> None:
        url = (
            f"{self._root}/studies/{study_uid}/series/{key.series_uid}/instances/{key.instance_uid}"
        )
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        with self._said("an object"), part.open("wb") as file:
            response = self._session.request("GET", url, headers={"Accept": accept}, stream=True)
            with response:
                response.raise_for_status()
                content_type = response.headers.get("Content-Type", "")
                pieces = self._session.pieces(response, MAX_FILE_BYTES)
                boundary = boundary_of(content_type)
                if boundary is not None:
                    write_part(pieces, boundary, file.write)
                    for _ in pieces:  # the end of the message, so that the connection is kept
                        pass
                else:
                    file.writelines(pieces)

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Let nothing but :class:`ServerError` out, in words that hold no URL and no credential."""
        failed = self._server.failed
        address = self._server.how.address
        try:
            with silence:
                yield
            return
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            words = _STATUS.get(status, "does not do this")
            if status == 401:
                words = f"{words} ({self._server.variable}, or the keyring)"
            problem = failed(f"{words} (HTTP status {status})", is_passing=status in _PASSING)
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError):
            problem = failed(
                f"its certificate is not trusted, or it does not take ours ({address}): name the "
                "hospital's authority as ca_file, and client_certificate where it asks for one"
            )
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            problem = failed(
                f"too slow: {what} did not come in time from {address}; see answer_s and object_s",
                is_passing=True,
            )
        except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError,
                CutError):  # fmt: skip
            problem = failed(f"cut {what} half-way", is_passing=True)
        except (requests.ConnectionError, urllib3.exceptions.HTTPError):
            problem = failed(
                f"cannot be reached at {address}: is it there, and is this machine in its network?",
                is_passing=True,
            )
        except (MalformedError, requests.RequestException, ValueError, RecursionError,
                AttributeError, TypeError, KeyError):  # fmt: skip
            problem = failed(
                f"answers {what} with what is no DICOM: is `url` the root of its DICOMweb service?"
            )
        raise problem from None


class _Session(requests.Session):
    """A session with limits."""

    def __init__(self, server: Server, how: DicomwebServer) -> None:
        super().__init__()
        self.trust_env = False  # neither ~/.netrc nor a proxy gets the patients
        self._server, self._how = server, how
        parts = urlsplit(how.url)
        if parts.scheme == "https":
            self.mount("https://", _OwnTls(server.tls_context()))
        self.headers.update({"User-Agent": "necroangle", "Accept-Encoding": "identity"})
        credential = server.credential()
        is_open = parts.scheme == "http" and parts.hostname not in _LOOPBACK
        if credential and is_open and not how.plain_http_credential:
            raise server.failed(
                "its credential would go over http:// where anybody reads it: use https://, or set "
                "plain_http_credential = true"
            )
        if how.user:
            self.auth = HTTPBasicAuth(how.user.encode(), credential.encode())
        elif credential:
            self.headers["Authorization"] = f"Bearer {credential}"

    def request(self, method: Any, url: Any, *args: Any, **more: Any) -> requests.Response:
        """As the session's own, with limits; the answer is read whole unless it is streamed."""
        is_stream = more.pop("stream", False)
        (more.get("headers") or {}).pop("Host", None)  # dicomweb-client's lacks the port
        more |= {
            "timeout": (self._how.connect_s, self._how.answer_s),
            "allow_redirects": False,
            "stream": True,
        }
        for _ in range(MAX_REDIRECTS + 1):
            response = super().request(method, url, *args, **more)
            if not response.is_redirect:
                break
            url = self._moved(url, response, method)
        else:
            raise self._server.failed("sends from one address to the next without end")
        if not is_stream:
            response.raw = _Read(b"".join(self.pieces(response, MAX_ANSWER_BYTES)))
        return response

    def _moved(self, url: str, response: requests.Response, method: str) -> str:
        """Where a redirect leads, if it stays with this host and changes nothing."""
        target = urljoin(url, response.headers["Location"])
        response.close()
        here, there = urlsplit(url), urlsplit(target)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise self._server.failed(
                f"sends to another address ({there.scheme}://{there.hostname or ''}), which was "
                "not followed and got no credential; if it is right, make it `url`"
            )
        if method != "GET":
            raise self._server.failed("sends an object to another place: check `url`")
        return target

    def pieces(self, response: requests.Response, most: int) -> Iterator[bytes]:
        """The body as it comes, within the limits of time and size."""
        end = time.monotonic() + self._how.object_s
        count = 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            count += len(piece)
            if count > most:
                response.close()
                raise self._server.failed(f"sends more than {most >> 20} MiB: not taken")
            if time.monotonic() > end:
                response.close()
                raise TimeoutError
            yield piece


class _Read:
    """A body that has been read, as requests takes one."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, count: int = -1) -> bytes:
        count = len(self._left) if count < 0 else count
        piece, self._left = self._left[:count], self._left[count:]
        return piece

    def close(self) -> None:
        self._left = b""

    release_conn = close


class _OwnTls(HTTPAdapter):
    """Certificates by a context of ours, and no other."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> Any:
        return super().init_poolmanager(*args, **more, ssl_context=self._context)

    def build_connection_pool_key_attributes(
        self,
        request: Any,
        verify: Any,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
    ) -> Any:
        parts = urlsplit(request.url)
        host = {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}
        return host, {"ssl_context": self._context}

    def cert_verify(self, *_: Any) -> None:
        """The context says all."""


def _texts(entry: _Attributes, tag: str) -> list[str]:
    attribute = entry.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    if not isinstance(values, list):
        return []
    return [
        str(one.get("Alphabetic", "")) if isinstance(one, dict) else str(one).strip(" \0")
        for one in values
        if one is not None
    ]


def _text(entry: _Attributes, tag: str) -> str:
    return next(iter(_texts(entry, tag)), "")


def _number(entry: _Attributes, tag: str) -> int | None:
    text = _text(entry, tag)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _items(entry: _Attributes, tag: str) -> list[_Attributes]:
    attribute = entry.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
