"""A server of the DICOM network protocol, by pynetdicom: C-ECHO, C-FIND, C-GET, C-MOVE, C-STORE.

Objects go from the network to the disk and back as they are stored, a fragment at a time. For each
kind of object every encoding that the loader can read is offered by itself, so that a server never
has to turn one into another.
"""

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import (
    AE,
    AllStoragePresentationContexts,
    _config,
    build_context,
    build_role,
    dimse_messages,
    evt,
)
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from necroangle.dicom.decoders import DECODERS, NATIVE
from necroangle.dicom.guard import MAX_FILE_BYTES
from necroangle.errors import DicomError, ServerError, system_words
from necroangle.pacs.arrivals import Arrivals, DicomObject, ObjectKey, is_uid
from necroangle.pacs.connection import (
    MAX_OBJECTS,
    MAX_STUDIES,
    Abilities,
    Problem,
)
from necroangle.pacs.query import FoundStudy, Query, matching
from necroangle.pacs.servers import DimseServer, Server
from necroangle.silence import silence

_config.STORE_RECV_CHUNKED_DATASET = True
_config.STORE_SEND_CHUNKED_DATASET = True

_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
SYNTAXES = (*_PLAIN, *sorted((set(DECODERS) | set(NATIVE)) - {"", *_PLAIN}))
"""What the loader can read; plain pixels first, which every server can send."""

_ECHO = "1.2.840.10008.1.1"
_FIND, _MOVE, _GET = (f"1.2.840.10008.5.1.4.1.2.2.{end}" for end in (1, 2, 3))

_MAX_CONTEXTS = 128
_USUAL = tuple(
    f"1.2.840.10008.5.1.4.1.1.{end}"
    for end in ("4", "4.1", "1", "1.1", "2", "7", "11.1", "88.33", "88.59", "88.34")
)
"""Where a server names no kinds: MR, enhanced MR, CR, DX, CT, secondary capture, GSPS, SR, keys."""

_BATCH = 200
"""Objects named in one request for single ones."""

_SUCCESS, _PENDING, _CANCELLED = 0x0000, (0xFF00, 0xFF01), 0xFE00
_REFUSED, _NOT_ASKED, _NO_ROOM = 0xC000, 0xA900, 0xA700
_STATUS = {
    0xA701: "has no room to count what matches",
    0xA702: "could not send some of the objects",
    0xA801: "does not know our AE title as a destination: the hospital must enter it, with this "
    "machine's address and port",
    0xA900: "does not understand the request",
    0x0122: "does not offer this kind of request",
    0x0124: "does not allow this to our AE title",
}

_receiving = threading.Lock()
"""Where pynetdicom puts what it receives is one for the whole process."""


class DimseConnection:
    """Associations with one server, one after the other.

    Parameters
    ----------
    server
        The server, of the kind ``"dimse"``.
    """

    def __init__(self, server: Server) -> None:
        assert isinstance(server.how, DimseServer)  # noqa: S101
        self._server, self._how = server, server.how
        self._entity = AE(ae_title=self._how.own_ae_title)
        self._entity.acse_timeout = self._how.answer_s
        self._entity.dimse_timeout = self._how.answer_s
        self._entity.network_timeout = self._how.answer_s
        self._entity.connection_timeout = self._how.connect_s
        self._tls = server.tls_context() if self._how.tls else None
        self._sending: Association | None = None
        self._offered: set[tuple[str, str]] = set()

    def close(self) -> None:
        """End what is open."""
        if self._sending is not None:
            with silence:
                self._sending.release()
            self._sending = None

    def abilities(self) -> Abilities:
        """C-ECHO, and which services and kinds of object the server takes."""
        services = {"C-ECHO": _ECHO, "C-FIND": _FIND, "C-GET": _GET, "C-MOVE": _MOVE}
        kinds = [build_context(uid, list(SYNTAXES)) for uid in _USUAL]
        contexts = [*map(build_context, services.values()), *kinds]
        with self._association(contexts) as association:
            status = association.send_c_echo()
            if getattr(status, "Status", None) != _SUCCESS:
                raise self._failed_by(status, "C-ECHO")
            taken = {context.abstract_syntax for context in association.accepted_contexts}
        stores = [UID(uid).name for uid in _USUAL if uid in taken]
        answers = [name for name, uid in services.items() if uid in taken]
        answers += [f"C-STORE of {name}" for name in stores]
        refuses = [name for name, uid in services.items() if uid not in taken]
        refuses += [f"C-STORE of {UID(uid).name}" for uid in _USUAL if uid not in taken]
        return Abilities(tuple(answers), tuple(refuses))

    def studies(self, query: Query) -> list[FoundStudy]:
        """The studies that match."""
        asked = Dataset()
        asked.QueryRetrieveLevel = "STUDY"
        for keyword in (
            *("StudyInstanceUID", "PatientID", "AccessionNumber", "StudyDate", "PatientName"),
            *("StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries"),
            "NumberOfStudyRelatedInstances",
        ):
            setattr(asked, keyword, query.filters().get(keyword, ""))
        if not query.patient_id.isascii():
            asked.SpecificCharacterSet = "ISO_IR 192"
        with self._association([build_context(_FIND)]) as association:
            found = [self._study(one) for one in self._find(association, asked, MAX_STUDIES)]
        kept = list(matching(query, found))
        if found and not kept:
            raise self._server.failed(
                "answers the search with other studies: it cannot search by this"
            )
        return kept

    def objects(self, study_uid: str) -> list[ObjectKey]:
        """The objects of a study."""
        found: dict[str, ObjectKey] = {}
        with self._association([build_context(_FIND)]) as association:
            asked = _request("SERIES", StudyInstanceUID=study_uid, SeriesInstanceUID="")
            for series in list(self._find(association, asked, MAX_OBJECTS)):
                series_uid = _text(series, "SeriesInstanceUID")
                asked = _request(
                    "IMAGE", StudyInstanceUID=study_uid, SeriesInstanceUID=series_uid,
                    SOPInstanceUID="", SOPClassUID="",
                )  # fmt: skip
                for one in self._find(association, asked, MAX_OBJECTS - len(found)):
                    key = self._key(series_uid, one)
                    found[key.instance_uid] = key
        return list(found.values())

    def fetch(self, study_uid: str, keys: Sequence[ObjectKey], arrivals: Arrivals) -> list[Problem]:
        """Bring objects of a study into the folder; those that did not come, and why."""
        inbox = _Inbox(study_uid, keys, arrivals)
        bring = self._move if self._how.retrieve == "move" else self._get
        try:
            with inbox.receiving():
                bring(study_uid, keys, inbox)
        except ServerError:
            if inbox.disk_error is None:
                raise
        if inbox.disk_error is not None:
            raise inbox.disk_error
        return inbox.missing()

    def store(self, path: Path, found: DicomObject) -> str:
        """Send a file; what the server remarks, or nothing."""
        kind = (found.key.sop_class, found.syntax)
        if not found.syntax:
            raise DicomError("states no transfer syntax: it cannot be sent as it is")
        association = self._sending
        if association is None or not association.is_established or kind not in self._offered:
            association = self._open_for(kind)
        with self._said("C-STORE"):
            try:
                status = association.send_c_store(path)
            except ValueError:
                raise self._server.failed(
                    f"does not take {UID(kind[0]).name} as {UID(kind[1]).name}"
                ) from None
        code = getattr(status, "Status", None)
        if code == _SUCCESS:
            return ""
        if code is not None and 0xB000 <= code <= 0xBFFF:
            return f"stored with a warning ({code:04X} hex)"
        if code is None:  # pynetdicom does not know yet that this connection is dead
            self._sending = None
            with silence:
                association.abort()
        raise self._failed_by(status, "C-STORE")

    # ---- associations ------------------------------------------------------------------------

    def _open_for(self, kind: tuple[str, str]) -> Association:
        """An association that offers one more kind of object, beside those offered before."""
        self.close()
        if len(self._offered) >= _MAX_CONTEXTS:
            self._offered.clear()
        self._offered.add(kind)
        contexts = [build_context(sop_class, syntax) for sop_class, syntax in sorted(self._offered)]
        self._sending = self._opened(contexts)
        return self._sending

    @contextlib.contextmanager
    def _association(
        self, contexts: list[PresentationContext], **more: Any
    ) -> Iterator[Association]:
        association = self._opened(contexts, **more)
        try:
            with self._said("the request"):
                yield association
        finally:
            with silence:
                if association.is_established:
                    association.release()

    def _opened(self, contexts: list[PresentationContext], **more: Any) -> Association:
        how, failed = self._how, self._server.failed
        with self._said("the connection"):
            association = self._entity.associate(
                how.host,
                how.port,
                contexts=contexts,
                ae_title=how.ae_title,
                tls_args=None if self._tls is None else (self._tls, how.host),
                **more,
            )
            if not association.is_established:
                _close(association)
        if association.is_established:
            return association
        if association.is_rejected:
            raise failed(
                f"refuses the connection: is its AE title {how.ae_title!r}, and has the hospital "
                f"entered ours, {how.own_ae_title!r}?"
            )
        if association.rejected_contexts and not association.accepted_contexts:
            raise failed("takes none of what is asked for: this service is not offered to us")
        raise failed(
            f"cannot be reached at {how.address}, or does not answer as a DICOM server there"
            + (" with TLS: are ca_file and the certificates right?" if how.tls else ""),
            is_passing=True,
        )

    @contextlib.contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Let nothing but refusals out, in words that hold no identifier."""
        try:
            with silence:
                yield
        except (DicomError, ServerError):
            raise
        except Exception as error:
            cause = type(error).__name__
            raise self._server.failed(
                f"{what} failed ({cause}): it was cut, or the answer is no DICOM", is_passing=True
            ) from None

    def _failed_by(self, status: Dataset, what: str) -> ServerError:
        code = getattr(status, "Status", None)
        if code is None:
            return self._server.failed(
                f"cut {what} half-way, or did not answer within {self._how.answer_s:g} s "
                "(answer_s)",
                is_passing=True,
            )
        family = _NO_ROOM if 0xA700 <= code <= 0xA7FF else code
        words = _STATUS.get(code) or ("has no room left" if family == _NO_ROOM else "refused it")
        return self._server.failed(
            f"{words} ({what}, status {code:04X} hex)", is_passing=family == _NO_ROOM
        )

    # ---- searches ----------------------------------------------------------------------------

    def _find(self, association: Association, asked: Dataset, most: int) -> Iterator[Dataset]:
        """The answers to a search; the time between two is limited by the association."""
        if not association.is_established:
            raise self._failed_by(Dataset(), "C-FIND")
        end = time.monotonic() + self._how.object_s
        for count, (status, found) in enumerate(association.send_c_find(asked, _FIND)):
            code = getattr(status, "Status", None)
            if code == _SUCCESS:
                return
            if code not in _PENDING:
                raise self._failed_by(status, "C-FIND")
            if count >= most:
                association.abort()
                raise self._server.failed(f"finds more than {most}: ask for less")
            if time.monotonic() > end:
                association.abort()
                raise self._server.failed(
                    "too slow: the search did not end in time (object_s)", is_passing=True
                )
            if found is None:
                raise self._server.failed("answers the search with what is no DICOM")
            yield found
        raise self._failed_by(Dataset(), "C-FIND")

    def _study(self, found: Dataset) -> FoundStudy:
        uid = _text(found, "StudyInstanceUID")
        if not is_uid(uid):
            raise self._server.failed("names a study by no valid UID: it cannot be fetched")
        modalities = found.get("ModalitiesInStudy") or ()
        several = (modalities,) if isinstance(modalities, str) else tuple(map(str, modalities))
        return FoundStudy(
            study_uid=uid,
            patient_id=_text(found, "PatientID"),
            accession=_text(found, "AccessionNumber"),
            study_date=_text(found, "StudyDate"),
            patient_name=_text(found, "PatientName"),
            description=_text(found, "StudyDescription"),
            modalities=several,
            series=_count(found, "NumberOfStudyRelatedSeries"),
            objects=_count(found, "NumberOfStudyRelatedInstances"),
        )

    def _key(self, series_uid: str, found: Dataset) -> ObjectKey:
        instance = _text(found, "SOPInstanceUID")
        if not (is_uid(series_uid) and is_uid(instance)):
            raise self._server.failed("names an object by no valid UID: the study is not fetched")
        sop_class = _text(found, "SOPClassUID")
        return ObjectKey(series_uid, instance, sop_class if is_uid(sop_class) else "")

    # ---- objects -----------------------------------------------------------------------------

    def _get(self, study_uid: str, keys: Sequence[ObjectKey], inbox: "_Inbox") -> None:
        """By C-GET: the objects come on the connection that asks for them."""
        kinds = sorted({key.sop_class for key in keys if key.sop_class}) or list(_USUAL)
        for some in _parts(kinds, _MAX_CONTEXTS - 1):
            contexts = [build_context(_GET), *_storage_contexts(some, _MAX_CONTEXTS - 1)]
            wanted = [key for key in keys if not key.sop_class or key.sop_class in some]
            roles = [build_role(uid, scp_role=True) for uid in some]
            with self._association(
                contexts, ext_neg=roles, evt_handlers=inbox.handlers
            ) as association:
                for asked in _requests(study_uid, wanted):
                    self._bring(association, association.send_c_get(asked, _GET), "C-GET", inbox)

    def _move(self, study_uid: str, keys: Sequence[ObjectKey], inbox: "_Inbox") -> None:
        """By C-MOVE: the server connects to us and sends the objects there."""
        with self._listening(inbox), self._association([build_context(_MOVE)]) as association:
            for asked in _requests(study_uid, keys):
                answers = association.send_c_move(asked, self._how.own_ae_title, _MOVE)
                self._bring(association, answers, "C-MOVE", inbox)

    def _bring(
        self,
        association: Association,
        answers: Iterable[tuple[Dataset, Dataset | None]],
        what: str,
        inbox: "_Inbox",
    ) -> None:
        """Follow a request to its end; objects that failed there are found missing later."""
        end = time.monotonic() + self._how.object_s * max(1, len(inbox.missing()))
        for status, _ in answers:
            code = getattr(status, "Status", None)
            if inbox.disk_error is not None:
                association.abort()
                return
            if time.monotonic() > end:
                association.abort()
                raise self._server.failed(
                    f"too slow: {what} did not end in time (object_s)", is_passing=True
                )
            if code not in (*_PENDING, _SUCCESS, 0xB000, 0xA702):
                raise self._failed_by(status, what)

    @contextlib.contextmanager
    def _listening(self, inbox: "_Inbox") -> Iterator[None]:
        """Our own storage service, where a C-MOVE sends to."""
        how = self._how
        service = AE(ae_title=how.own_ae_title)
        service.require_called_aet = True
        service.acse_timeout = service.network_timeout = service.dimse_timeout = how.answer_s
        kinds = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
        service.supported_contexts = [build_context(uid, list(SYNTAXES)) for uid in kinds]
        service.add_supported_context(_ECHO)
        tls = self._server.tls_context(is_ours=True) if how.tls else None
        try:
            with silence:
                running = service.start_server(
                    (how.own_host, how.own_port),
                    block=False,
                    evt_handlers=inbox.handlers,
                    ssl_context=tls,
                )
        except OSError as error:
            raise self._server.failed(
                f"our port {how.own_port} cannot be opened ({system_words(error)}): another "
                "fetch, or another program, uses it; set own_port"
            ) from None
        try:
            yield
        finally:
            with silence:
                assert running is not None  # noqa: S101
                running.shutdown()
                for association in list(service.active_associations):
                    association.abort()


class _Inbox:
    """Takes objects off the network: those that were asked for, each once."""

    def __init__(self, study_uid: str, keys: Sequence[ObjectKey], arrivals: Arrivals) -> None:
        self._study_uid, self._arrivals = study_uid, arrivals
        self._keys = {key.instance_uid: key for key in keys}
        self._missing = dict(self._keys)
        self._reasons: dict[str, str] = {}
        self._bytes = 0
        self.disk_error: OSError | None = None
        self.handlers: list[Any] = [
            (evt.EVT_C_STORE, self.take),
            (evt.EVT_DATA_RECV, self.count),
        ]

    def missing(self) -> list[Problem]:
        """What has not come, and why where that is known."""
        return [
            Problem(
                key,
                self._reasons.get(uid, "the server did not send it"),
                is_passing=uid not in self._reasons,
            )
            for uid, key in self._missing.items()
        ]

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """Let pynetdicom put what it receives with what is on its way.

        Its own choice is the system's folder for temporary files, where an object that was cut
        half-way stays, with the patient's name in it.
        """
        with _receiving:
            begun: list[Any] = []
            opened = tempfile.NamedTemporaryFile

            def named_temporary_file(**more: Any) -> Any:
                begun.append(opened(dir=self._arrivals.way, **more))
                return begun[-1]

            before = getattr(dimse_messages, "NamedTemporaryFile")  # noqa: B009
            setattr(dimse_messages, "NamedTemporaryFile", named_temporary_file)  # noqa: B010
            try:
                yield
            finally:
                setattr(dimse_messages, "NamedTemporaryFile", before)  # noqa: B010
                for file in begun:  # of an object that was cut half-way, too
                    file.close()

    def count(self, event: evt.Event) -> None:
        """End the connection where one object has no end."""
        self._bytes += len(event.data)
        if self._bytes > MAX_FILE_BYTES:
            event.assoc.abort()

    def take(self, event: evt.Event) -> int:
        """Admit an object that has come; the status to answer."""
        self._bytes = 0
        uid = str(getattr(event.request, "AffectedSOPInstanceUID", ""))
        if uid not in self._keys:
            return _NOT_ASKED
        if uid not in self._missing:
            return _SUCCESS
        try:
            with self._arrivals.part() as part:
                shutil.copyfile(event.dataset_path, part)
                self._arrivals.admit(part, self._study_uid, self._keys)
        except DicomError as error:
            self._reasons[uid] = str(error)
            return _REFUSED
        except OSError as error:
            self.disk_error = error
            return _NO_ROOM
        self._missing.pop(uid, None)
        self._reasons.pop(uid, None)
        return _SUCCESS


def _close(association: Association) -> None:
    """Close a connection that came to nothing: where the answer was no DICOM, it stays open."""
    connection = association.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.close()


def _request(level: str, **values: str | list[str]) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = level
    for keyword, value in values.items():
        setattr(asked, keyword, value)
    return asked


def _requests(study_uid: str, keys: Sequence[ObjectKey]) -> Iterator[Dataset]:
    """The requests that bring these objects, by their names, some at a time."""
    series: dict[str, list[str]] = {}
    for key in keys:
        series.setdefault(key.series_uid, []).append(key.instance_uid)
    for series_uid, instances in series.items():
        for some in _parts(instances, _BATCH):
            yield _request(
                "IMAGE", StudyInstanceUID=study_uid, SeriesInstanceUID=series_uid,
                SOPInstanceUID=some if len(some) > 1 else some[0],
            )  # fmt: skip


def _storage_contexts(kinds: Sequence[str], most: int) -> list[PresentationContext]:
    """Each encoding of each kind by itself, as far as there is room; else several together."""
    if len(kinds) * len(SYNTAXES) <= most:
        return [build_context(kind, syntax) for kind in kinds for syntax in SYNTAXES]
    return [build_context(kind, list(SYNTAXES)) for kind in kinds]


def _parts(things: Sequence[str], most: int) -> Iterator[list[str]]:
    for start in range(0, len(things), most):
        yield list(things[start : start + most])


def _text(found: Dataset, keyword: str) -> str:
    return str(found.get(keyword) or "").strip(" \0")


def _count(found: Dataset, keyword: str) -> int | None:
    text = _text(found, keyword)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
