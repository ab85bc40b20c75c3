"""Anchors: what the ledger was, kept beside the study, so that its past can be proved.

The chain of a ledger proves that it holds together, not that it is the ledger of yesterday: who
can write the file can cut its end, put an older copy back, or change it and chain it anew. An
anchor is a line of JSON with the number and hash of the last event, the time, and how many measured
rows there were. One is appended to a file beside the cohort after every write
(``cohort.sqlite.anchors``), and one goes into every export and report. A copy of it that is kept
elsewhere, or a signature by a key that is, proves the past to anyone.

A signed anchor carries an Ed25519 signature over its own JSON without the signature.
"""

import base64
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from necroangle.errors import CohortError
from necroangle.ledger.chain import Link
from necroangle.storage import sync
from necroangle.study import Study

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_META = re.compile(rb'<meta name="necroangle-anchor" content="([^"]*)">')
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
    key, signature
        Public key and Ed25519 signature, Base64; empty where it is not signed.
    """

    ledger: str
    seq: int
    head: str
    at: str
    rows: int
    lost: int = 0
    key: str = ""
    signature: str = ""

    def signed_text(self) -> bytes:
        """What the signature is over."""
        return encode_anchor(msgspec.structs.replace(self, signature="")).encode()


_DECODER = msgspec.json.Decoder(Anchor)


def encode_anchor(anchor: Anchor) -> str:
    """An anchor as one line of JSON."""
    return msgspec.json.encode(anchor).decode()


class Found(NamedTuple):
    """An anchor, or what is wrong with it, and where it was found."""

    place: str
    anchor: Anchor | None
    problem: str = ""


class Signer(NamedTuple):
    """A private key that signs anchors."""

    key: "Ed25519PrivateKey"

    def sign(self, anchor: Anchor) -> Anchor:
        """The same anchor, signed."""
        named = msgspec.structs.replace(anchor, key=_public_text(self.key), signature="")
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


def _public_text(key: "Ed25519PrivateKey") -> str:
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


def append_anchor(file: Path, anchor: Anchor) -> None:
    """Append a line to the file of anchors, flushed to the disk.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    line = f"{encode_anchor(anchor)}\n".encode()
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        if os.fstat(descriptor).st_size:
            os.lseek(descriptor, -1, os.SEEK_END)
            if os.read(descriptor, 1) != b"\n":
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
        raise CohortError(f"{file.name}: cannot be read: {error.strerror}") from error
    if file.suffix == ".html":
        found = _META.search(raw)
        if found is not None:
            yield _decoded(unescape(found[1].decode(errors="replace")).encode(), file.name)
    elif file.suffix == ".json":
        yield from _of_provenance(raw, file.name)
    else:
        for number, line in enumerate(raw.splitlines(), start=1):
            yield _decoded(line, f"{file.name} line {number}")


def _of_provenance(raw: bytes, name: str) -> Iterator[Found]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        yield Found(name, None, "is no provenance: changed, or cut off")
        return
    if isinstance(said, dict) and "anchor" in said:
        yield _decoded(json.dumps(said["anchor"]).encode(), name)


def found_anchors(study: Study) -> Iterator[Path]:
    """The exports and reports of a study that may hold an anchor."""
    yield from sorted(study.folder.glob("*.html"))
    for folder in (study.exports, study.reports):
        for pattern in ("**/provenance.json", "**/*.html"):
            yield from sorted(folder.glob(pattern))


@dataclass(slots=True)
class AnchorCheck:
    """Anchors held against the chain as it is read from first to last.

    Attributes
    ----------
    files
        Where anchors are looked for.
    key
        Public key that every anchor must be signed by; empty where any will do, or none.
    problems
        What is wrong: the place and what it is.
    notes
        What was given up when an older backup was put back.
    count
        Anchors that could be read.
    """

    files: list[Path] = field(default_factory=list)
    key: str = ""
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0
    _wanted: dict[int, list[tuple[str, Anchor]]] = field(default_factory=dict)
    _restored: list[Anchor] = field(default_factory=list)
    _first: str = ""
    _is_signed: bool = False

    def load(self) -> None:
        """Read the anchors: before the database is looked at, for others may write meanwhile.

        Raises
        ------
        CohortError
            If a file cannot be read.
        """
        for file in self.files:
            self._is_signed = False
            for place, anchor, problem in read_anchors(file):
                if anchor is not None:
                    problem = self._take(place, anchor)
                if problem:
                    self.problems.append((place, problem))

    def _take(self, place: str, anchor: Anchor) -> str:
        self.count += 1
        self._wanted.setdefault(anchor.seq, []).append((place, anchor))
        if anchor.lost:
            self._restored.append(anchor)
            self.notes.append(
                f"{place}: at {anchor.at} a backup that ends with event {anchor.seq} was put back; "
                f"events up to {anchor.lost} were given up"
            )
        if not anchor.signature:
            needs = self._is_signed or self.key
            return "is not signed, though others of this cohort are" if needs else ""
        self._is_signed = True
        if self.key and anchor.key != self.key:
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
        for place, anchor in self._wanted.pop(one.seq, ()):
            if anchor.head == one.hash:
                if rows != anchor.rows:
                    problem = f"says {anchor.rows} measured rows, there were {rows}: changed"
                    self.problems.append((place, problem))
            elif not self._is_given_up(anchor):
                problem = (
                    f"says that event {one.seq} had the hash {anchor.head:.16}...: the ledger was "
                    "rewritten, or the anchor was changed"
                )
                self.problems.append((place, self._of_another(anchor) or problem))

    def end(self, events: int) -> list[tuple[str, str]]:
        """What is wrong, place and problem, once the whole chain of so many events has passed."""
        for place, anchor in (one for some in self._wanted.values() for one in some):
            if not self._is_given_up(anchor):
                problem = (
                    f"tells of event {anchor.seq} at {anchor.at}, the ledger ends with event "
                    f"{events}: its end was cut off, or an older copy was put back"
                )
                self.problems.append((place, self._of_another(anchor) or problem))
        return self.problems

    def _of_another(self, anchor: Anchor) -> str:
        if not self._first or anchor.ledger == self._first:
            return ""
        return (
            f"is of another ledger ({anchor.ledger:.16}...): another study's file was put here, "
            "or the ledger was begun anew or rewritten"
        )

    def _is_given_up(self, anchor: Anchor) -> bool:
        return any(
            one.seq < anchor.seq <= one.lost and anchor.at <= one.at for one in self._restored
        )
