"""The bytes of the readings, kept beside the rows that were measured from them.

Each content stands once, under its SHA-256, and is never removed; which reading it is, and which
was there before, is said by events of kind ``reading_file``. With it every angle can be measured
again when the reading files themselves are gone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from necroangle.annotation import sha256_of
from necroangle.errors import CohortError
from necroangle.ledger.conflict import Outcome, State, decide
from necroangle.ledger.read import last_states
from necroangle.ledger.records import encode_key, encode_values
from necroangle.ledger.schema import CONTENT, insert_tuples
from necroangle.ledger.write import LedgerEnd
from necroangle.measurement.columns import NAMES
from necroangle.measurement.row import CohortRow

__all__ = ["READING_FILE", "contents", "write_contents"]

READING_FILE = "reading_file"

_AT_ONCE = 500
_HASH_AT = NAMES.index("annotation_sha256")
_KEY_PARTS = 5
_CONTENTS_AT_ONCE = 200


class _Consensus(msgspec.Struct):
    """What the table needs to know of a reading beside its row."""

    consensus_of: tuple[str, ...] = ()


_CONSENSUS = msgspec.json.Decoder(_Consensus)


def write_contents(
    connection: sa.Connection,
    end: LedgerEnd,
    rows: Iterable[CohortRow],
    readings: Mapping[str, bytes],
) -> int:
    """Keep the readings that some rows were measured from; how many were new.

    Raises
    ------
    CohortError
        If a reading's bytes are not those of its hash, or none of the rows was measured from it.
    """
    keys = {str(row.cells[_HASH_AT]): row.cells[:_KEY_PARTS] for row in rows}
    for sha256, raw in readings.items():
        if sha256 not in keys:
            raise CohortError(f"no row was measured from the reading {sha256:.12}...")
        if sha256_of(raw) != sha256:
            raise CohortError(f"the reading {sha256:.12}... has other bytes than its hash says")
    known = _known(connection, list(readings))
    new = [(sha256, raw) for sha256, raw in readings.items() if sha256 not in known]
    if new:
        insert_tuples(connection, CONTENT, new)
    _tell(connection, end, [(_text(keys[sha256]), sha256, readings[sha256]) for sha256 in readings])
    return len(new)


def contents(
    connection: sa.Connection, wanted: Iterable[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Kept readings, hash and bytes, ordered by hash: all, or those wanted."""
    query = sa.select(CONTENT.c.sha256, CONTENT.c.content).order_by(CONTENT.c.sha256)
    if wanted is None:
        for sha256, raw in connection.execute(query.execution_options(yield_per=_CONTENTS_AT_ONCE)):
            yield sha256, bytes(raw)
        return
    for some in _portions(sorted(wanted)):
        for sha256, raw in connection.execute(query.where(CONTENT.c.sha256.in_(some))):
            yield sha256, bytes(raw)


def _tell(
    connection: sa.Connection, end: LedgerEnd, readings: Sequence[tuple[str, str, bytes]]
) -> None:
    """An event for each reading that is not the one that stood there last."""
    states = last_states(connection, [(READING_FILE, key) for key, _, _ in readings])
    for key, sha256, raw in readings:
        payload = encode_values(
            {
                "bytes": len(raw),
                "consensus_of": _consensus_of(sha256, raw),
                "sha256": sha256,
            }
        )
        outcome = decide(states.get((READING_FILE, key), State()), payload, None)
        if outcome is not Outcome.UNCHANGED:
            end.append(READING_FILE, key, outcome.value, payload)


def _consensus_of(sha256: str, raw: bytes) -> str:
    try:
        return " ".join(_CONSENSUS.decode(raw).consensus_of)
    except msgspec.MsgspecError as error:
        raise CohortError(f"the reading {sha256:.12}... is no reading file") from error


def _known(connection: sa.Connection, hashes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in _portions(hashes):
        query = sa.select(CONTENT.c.sha256).where(CONTENT.c.sha256.in_(some))
        found.update(connection.execute(query).scalars())
    return found


def _text(key: tuple[object, ...]) -> str:
    return encode_key(tuple(str(part) for part in key))


def _portions(hashes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(hashes), _AT_ONCE):
        yield hashes[start : start + _AT_ONCE]
