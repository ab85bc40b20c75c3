"""Anchors: what the ledger was, kept beside the study, so that its past can be proved.

The chain of a ledger proves that it holds together, not that it is the ledger of yesterday: who
can write the file can cut its end, put an older copy back, or change it and chain it anew. An
anchor is a line of JSON with the number and hash of the last event, the time, and how many measured
rows there were. One is appended to a file beside the cohort after every write
(``cohort.sqlite.anchors``), and one goes into every export and report. A copy of it that is kept
elsewhere, or a signature by a key that is, proves the past to anyone.

The lines of the file are chained, too: each carries a hash of the one before it, so that a line
that was taken out, changed or moved is found. An anchor names the study by a hash of its secret, so
that a ledger that was exchanged with another study's, with its anchors, is found. A signed anchor
carries an Ed25519 signature over its own JSON without the signature.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from necroangle.errors import CohortError, system_words
from necroangle.ledger.chain import Link
from necroangle.moments import is_before
from necroangle.storage import BINARY, sync
from necroangle.study import Study

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PLACES = {
    ".html": re.compile(rb'<meta name="necroangle-anchor" content="([^"]*)">'),
    ".pdf": re.compile(rb"/Keywords \((\{[^()]*\})\)"),
}
"""Where a report has its anchor, by the end of its name."""

_OWN_HASH = re.compile(
    rb"\n(?:<!-- |% )sha256 of all before this line: ([0-9a-f]{64})(?: -->)?\n\Z"
)
_LONGEST = 4096
_MOST_BYTES = 1 << 30
_EXTRA = "the extra 'sign' is not installed: pip install 'necroangle[sign]'"


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the ledger was at one moment.

    Attributes
    ----------
    ledger
        Hash of its first event: which ledger it is.
    seq, head
        Number and hash of its last event.
    at
        When, UTC.
    rows
        Measured rows.
    lost
        The last event that an older backup was put back over; 0 where none was.
    study
        Which study, as :func:`study_mark` says; empty where its secret is not known.
    before
        Hash of the line before it in the file of anchors; empty in the first, and elsewhere.
    key, signature
        Public key and Ed25519 signature, Base64; empty where it is not signed.
    """

    ledger: str
    seq: int
    head: str
    at: str
    rows: int
    lost: int = 0
    study: str = ""
    before: str = ""
    key: str = ""
    signature: str = ""

    def signed_text(self) -> bytes:
        """What the signature is over."""
        return encode_anchor(msgspec.structs.replace(self, signature="")).encode()


_DECODER = msgspec.json.Decoder(Anchor)


def encode_anchor(anchor: Anchor) -> str:
    """An anchor as one line of JSON."""
    return msgspec.json.encode(anchor).decode()


def study_mark(study: Study) -> str:
    """What an anchor names a study by: a hash of its secret; empty where that cannot be read."""
    try:
        secret = study.secret()
    except CohortError:
        return ""
    return hashlib.sha256(b"necroangle anchor" + secret).hexdigest()[:16]


def _line_hash(line: bytes) -> str:
    return hashlib.sha256(line.removesuffix(b"\r")).hexdigest()[:16]


class Found(NamedTuple):
    """An anchor, or what is wrong with it, and where it was found."""

    place: str
    anchor: Anchor | None
    problem: str = ""
    part: str = "anchor"


class Signer(NamedTuple):
    """A private key that signs anchors."""

    key: "Ed25519PrivateKey"

    def sign(self, anchor: Anchor) -> Anchor:
        """The same anchor, signed."""
        named = msgspec.structs.replace(anchor, key=public_text(self.key), signature="")
        signature = base64.b64encode(self.key.sign(named.signed_text())).decode()
        return msgspec.structs.replace(named, signature=signature)


def signer_of(file: Path) -> Signer:
    """The signer of a private key file: Ed25519 as PEM or as ``ssh-keygen`` writes it.

    Raises
    ------
    CohortError
        If the file cannot be read, is no Ed25519 key or has a passphrase, or the extra is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            load_pem_private_key,
            load_ssh_private_key,
        )
    except ImportError as error:
        raise CohortError(_EXTRA) from error
    try:
        raw = file.expanduser().read_bytes()
    except OSError as error:
        raise CohortError(f"{file.name}: the signing key cannot be read: {error}") from error
    load = load_ssh_private_key if b"OPENSSH" in raw else load_pem_private_key
    try:
        key = load(raw, password=None)
    except (ValueError, TypeError) as error:
        raise CohortError(
            f"{file.name}: no signing key without a passphrase; make one with "
            "`ssh-keygen -t ed25519 -N '' -f FILE`"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CohortError(f"{file.name}: the signing key must be Ed25519")
    return Signer(key)


def public_key_text(file: Path) -> str:
    """The public key of a file (``ssh-keygen``'s ``.pub`` or PEM) as anchors carry it.

    Raises
    ------
    CohortError
        If it cannot be read or is no Ed25519 key, or the extra is missing.
    """
    try:
        from cryptography.hazmat.primitives.serialization import (
            load_pem_public_key,
            load_ssh_public_key,
        )
    except ImportError as error:
        raise CohortError(_EXTRA) from error
    try:
        raw = file.expanduser().read_bytes()
        load = load_pem_public_key if raw.startswith(b"-----") else load_ssh_public_key
        return base64.b64encode(load(raw).public_bytes_raw()).decode()  # type: ignore[union-attr]
    except (OSError, ValueError, AttributeError) as error:
        raise CohortError(f"{file.name}: no public Ed25519 key can be read from it") from error


def public_text(key: "Ed25519PrivateKey") -> str:
    """The public half of a key, as anchors carry it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


@lru_cache(maxsize=8)
def _verifier(key: str) -> object:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))


def _is_signed_by_its_key(anchor: Anchor) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
    except ImportError as error:
        raise CohortError(_EXTRA) from error
    try:
        signature = base64.b64decode(anchor.signature, validate=True)
        _verifier(anchor.key).verify(signature, anchor.signed_text())  # type: ignore[attr-defined]
    except (ValueError, InvalidSignature):
        return False
    return True


def append_anchor(
    file: Path, anchor: Anchor, sealed: Callable[[Anchor], Anchor] | None = None
) -> None:
    """Append a line to the file of anchors, chained to its last one and flushed to the disk.

    Parameters
    ----------
    sealed
        Signs the anchor, where it is to be signed.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | BINARY, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, size - _LONGEST), os.SEEK_SET)
        tail = os.read(descriptor, _LONGEST)
        before = _line_hash(tail.removesuffix(b"\n").rsplit(b"\n", 1)[-1]) if tail else ""
        anchor = msgspec.structs.replace(anchor, before=before)
        line = f"{encode_anchor(sealed(anchor) if sealed else anchor)}\n".encode()
        if tail and not tail.endswith(b"\n"):
            line = b"\n" + line  # the power went out in the middle of a line
        os.write(descriptor, line)
        sync(descriptor)
    finally:
        os.close(descriptor)


def last_anchor(file: Path) -> Anchor | None:
    """The anchor with the highest number among the last of a file; None where there is none.

    Those from before an older backup was put back tell of events that were given up.
    """
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 2 * _LONGEST))
            lines = stream.read(2 * _LONGEST).splitlines()
    except FileNotFoundError:
        return None
    last: Anchor | None = None
    for line in lines:
        anchor = _decoded(line, "").anchor
        if anchor is not None and (last is None or anchor.lost or anchor.seq >= last.seq):
            last = anchor
    return last


def _decoded(line: bytes, place: str) -> Found:
    try:
        return Found(place, _DECODER.decode(line))
    except msgspec.MsgspecError:
        return Found(place, None, "is no anchor: changed, or cut off")


def read_anchors(file: Path) -> Iterator[Found]:
    """The anchors of a file of anchors, a ``provenance.json`` or an HTML report, in their order.

    Raises
    ------
    CohortError
        If it cannot be read.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise CohortError(f"{file.name}: too large for a file of anchors")
        raw = file.read_bytes()
    except OSError as error:
        raise CohortError(f"{file.name}: cannot be read: {system_words(error)}") from error
    if file.suffix in _PLACES:
        found = _PLACES[file.suffix].search(raw)
        if found is not None:
            yield _decoded(unescape(found[1].decode(errors="replace")).encode(), file.name)
        own = _OWN_HASH.search(raw)
        if own is not None and hashlib.sha256(raw[: own.start()]).hexdigest() != own[1].decode():
            yield Found(file.name, None, "was changed since it was made: make it again", "file")
    elif file.suffix == ".json":
        yield from _of_provenance(raw, file)
    else:
        yield from _lines(raw, file.name)


def _lines(raw: bytes, name: str) -> Iterator[Found]:
    """The lines of a file of anchors; each must follow one that stands before it.

    Two programs that write at once may both follow the same line.
    """
    seen: set[str] = set()
    is_chained = False
    lines = raw.removesuffix(b"\n").split(b"\n") if raw else []
    for number, line in enumerate(lines, start=1):
        place, own = f"{name} line {number}", _line_hash(line)
        found = _decoded(line, place)
        anchor = found.anchor
        if anchor is not None and encode_anchor(anchor).encode() != line.removesuffix(b"\r"):
            found = Found(place, anchor, "is not as it was written: changed")
        elif own in seen:
            found = Found(place, anchor, "occurs twice")
        elif anchor is not None and not _follows(anchor, seen, is_chained):
            problem = "does not follow a line before it: one was taken out, changed or put between"
            found = Found(place, anchor, problem)
        seen.add(own)
        is_chained = is_chained or bool(anchor is not None and anchor.before)
        yield found
    if b"\r\n" in raw:
        yield Found(name, None, "its line ends were changed to those of Windows: save it as it was")


def _follows(anchor: Anchor, seen: set[str], is_chained: bool) -> bool:
    """Whether a line follows one that was seen; those of older versions do not say."""
    return not is_chained if not anchor.before else anchor.before in seen


def _of_provenance(raw: bytes, file: Path) -> Iterator[Found]:
    """The anchor of an export, and the files that are not as they were exported."""
    name = f"{file.parent.name}/{file.name}"
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        yield Found(name, None, "is no provenance: changed, or cut off")
        return
    if not isinstance(said, dict):
        return
    if "anchor" in said:
        yield _decoded(json.dumps(said["anchor"]).encode(), name)
    files = said.get("files")
    for one, sha256 in files.items() if isinstance(files, dict) else ():
        exported = file.parent / str(one)
        is_there = exported.parent == file.parent and exported.is_file()
        if is_there and hashlib.sha256(exported.read_bytes()).hexdigest() != sha256:
            problem = "was changed since it was exported: export it again"
            yield Found(f"{file.parent.name}/{one}", None, problem, "file")


def found_anchors(study: Study) -> Iterator[Path]:
    """The exports and reports of a study that may hold an anchor."""
    for end in _PLACES:
        yield from sorted(study.folder.glob(f"*{end}"))
    for folder in (study.exports, study.reports):
        for pattern in ("**/provenance.json", *(f"**/*{end}" for end in _PLACES)):
            yield from sorted(folder.glob(pattern))


def with_own_hash(report: bytes, suffix: str) -> bytes:
    r"""A report (``".html"``, ``".pdf"``) with a last line that tells the hash of all before it.

    Examples
    --------
    >>> with_own_hash(b"<html></html>", ".html")[:51]
    b'<html></html>\n<!-- sha256 of all before this line: '
    """
    start, end = ("<!-- ", " -->") if suffix == ".html" else ("% ", "")
    own = hashlib.sha256(report).hexdigest()
    return report + f"\n{start}sha256 of all before this line: {own}{end}\n".encode()


@dataclass(slots=True)
class AnchorCheck:
    """Anchors held against the chain as it is read from first to last.

    Attributes
    ----------
    files
        Where anchors are looked for.
    key
        Public key that every anchor must be signed by; empty where any will do, or none.
    beside
        The file of anchors beside the cohort; None where there is none.
    own_key
        Public key of the study, which no signature may differ from; empty where it has none.
    study
        The study's mark; empty where it is not known.
    is_shared
        Whether others write to the ledger who keep their anchors elsewhere: on a server.
    others
        The ledgers of the study's other cohorts, by the hash of their first event: their names.
    problems
        What is wrong: the part, the place and what it is.
    notes
        What was given up when an older backup was put back, and which events have no anchor.
    count
        Anchors that could be read.
    restored
        What events tell of backups that were put back: their last event, and the last given up.
    """

    files: list[Path] = field(default_factory=list)
    key: str = ""
    beside: Path | None = None
    own_key: str = ""
    study: str = ""
    is_shared: bool = False
    others: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0
    restored: set[tuple[int, int]] = field(default_factory=set)
    _wanted: dict[int, list[tuple[str, Anchor]]] = field(default_factory=dict)
    _restored: list[tuple[str, Anchor]] = field(default_factory=list)
    _first: str = ""
    _is_signed: bool = False
    _bare: "_Bare" = field(default_factory=lambda: _Bare())

    def load(self) -> None:
        """Read the anchors: before the database is looked at, for others may write meanwhile.

        Raises
        ------
        CohortError
            If a file cannot be read.
        """
        for file in self.files:
            self._is_signed = False
            for place, anchor, problem, part in read_anchors(file):
                if anchor is not None:
                    problem = self._take(place, anchor) or problem
                if problem:
                    self.problems.append((part, place, problem))
            if self.own_key and file == self.beside and not self._is_signed:
                self._problem(file.name, "no anchor is signed, though study.toml names a key")

    def _problem(self, place: str, problem: str) -> None:
        self.problems.append(("anchor", place, problem))

    def _take(self, place: str, anchor: Anchor) -> str:
        self.count += 1
        self._wanted.setdefault(anchor.seq, []).append((place, anchor))
        if self.study and anchor.study and anchor.study != self.study:
            return "is of another study, or the study's secret was exchanged"
        if (other := self.others.get(anchor.ledger)) is not None:
            self._wanted[anchor.seq].pop()
            self.notes.append(f"{place}: is of the cohort {other}: verify that with --cohort")
            return ""
        if anchor.lost:
            self._restored.append((place, anchor))
            self.notes.append(
                f"{place}: at {anchor.at} a backup that ends with event {anchor.seq} was put back; "
                f"events up to {anchor.lost} were given up"
            )
        if not anchor.signature:
            needs = self._is_signed or self.key
            return "is not signed, though others of this cohort are" if needs else ""
        self._is_signed = True
        if anchor.key != (self.key or self.own_key or anchor.key):
            return "is signed by another key"
        return "" if _is_signed_by_its_key(anchor) else "its signature does not fit: changed"

    def at(self, one: Link, rows: int) -> None:
        """Hold the anchors of an event against it.

        Parameters
        ----------
        one
            The event.
        rows
            Measured rows after it.
        """
        self._first = self._first or one.hash
        found = self._wanted.pop(one.seq, [])
        self._bare.pass_by(one, is_anchored=bool(found))
        for place, anchor in found:
            if anchor.head == one.hash:
                if rows != anchor.rows:
                    problem = f"says {anchor.rows} measured rows, there were {rows}: changed"
                    self._problem(place, problem)
                elif is_before(anchor.at, one.at):
                    self._problem(place, f"is of {anchor.at}, before its event, {one.at}: changed")
            elif not self._is_given_up(anchor):
                problem = (
                    f"says that event {one.seq} had the hash {anchor.head:.16}...: the ledger was "
                    "rewritten, or the anchor was changed"
                )
                self._problem(place, self._of_another(anchor) or problem)

    def end(self, events: int) -> list[tuple[str, str, str]]:
        """What is wrong, part, place and problem, once the whole chain of so many has passed."""
        for place, anchor in (one for some in self._wanted.values() for one in some):
            if not self._is_given_up(anchor):
                problem = (
                    f"tells of event {anchor.seq} at {anchor.at}, the ledger ends with event "
                    f"{events}: its end was cut off, or an older copy was put back"
                )
                self._problem(place, self._of_another(anchor) or problem)
        for place, anchor in self._restored:
            if (anchor.seq, anchor.lost) not in self.restored:
                problem = (
                    "says that a backup was put back, and no event tells who did it and why: put "
                    "the backup back with `necroangle restore`"
                )
                self._problem(place, problem)
        self._tell_bare(events)
        return self.problems

    def _tell_bare(self, events: int) -> None:
        """Tell of the events at the end that no anchor covers.

        One write may be: its program was cut off before the anchor stood, or is just writing it.
        """
        bare, beside = self._bare, self.beside
        last = None if beside is None else last_anchor(beside)  # perhaps written meanwhile
        if beside is None or last is None or not bare.writes or last.seq >= events:
            return
        words = f"events {bare.first} to {events} have"
        if bare.first == events:
            words = f"event {events} has"
        if self.is_shared:
            self.notes.append(f"{words} no anchor in {beside.name}: written elsewhere")
        elif bare.writes == 1:
            self.notes.append(f"{words} no anchor yet: written last, or from outside")
        else:
            problem = (
                f"{words} no anchor: lines were taken out, another program wrote the events, or "
                "the disk was full; the next write anchors what is there now"
            )
            self._problem(beside.name, problem)

    def _of_another(self, anchor: Anchor) -> str:
        if not self._first or anchor.ledger == self._first:
            return ""
        return (
            f"is of another ledger ({anchor.ledger:.16}...): another study's file was put here, "
            "or the ledger was started again or rewritten"
        )

    def _is_given_up(self, anchor: Anchor) -> bool:
        return any(
            one.seq < anchor.seq <= one.lost and anchor.at <= one.at for _, one in self._restored
        )


@dataclass(slots=True)
class _Bare:
    """The events since the last anchor: the first, and how many writes they come from."""

    first: int = 0
    writes: int = 0
    _at: str = ""

    def pass_by(self, one: Link, *, is_anchored: bool) -> None:
        """Look at the next event."""
        if is_anchored:
            self.writes = 0
            return
        if not self.writes:
            self.first = one.seq
        if not self.writes or one.at != self._at:
            self.writes += 1
        self._at = one.at
