"""The audit trail: who did what, when and why, from the first event to the last.

Readings are in it. Every line says what changed, old and new; of a measured row that is new, the
angles.
"""

import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from necroangle.ledger.chain import Link, is_erased
from necroangle.ledger.events import links
from necroangle.ledger.measured import COLUMNS_KIND, MEASUREMENT, decode_row
from necroangle.ledger.records import decode_key
from necroangle.ledger.store import CohortStore
from necroangle.plain_text import csv_line, harmless

HEADING = (
    *("event", "at", "server_at", "server_user", "actor", "kind", "key", "action"),
    *("change", "reason", "hash"),
)
_MAIN = ("a_deg", "b_deg", "cna_deg", "flags")
_READER_AT = 3
_OF_READINGS = frozenset({MEASUREMENT, "reading_file", "withdrawn_reading"})
_ERASED = "erased: consent was withdrawn"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of a subject, person or kind, from a day to another (``2026-01-31``), UTC.

    A person is who wrote, who was logged in on the server, or whose reading it is.
    """

    subject: str | None = None
    person: str | None = None
    kind: str | None = None
    since: str = ""
    until: str = ""

    def takes(self, one: Link, key: tuple[str, ...]) -> bool:
        """Whether an event is wanted."""
        day = one.at[:10]
        return (
            (self.subject is None or key[:1] == (self.subject,))
            and (self.kind is None or one.kind == self.kind)
            and (not self.since or day >= self.since)
            and (not self.until or day <= self.until)
            and (self.person is None or self.person in self._people(one, key))
        )

    @staticmethod
    def _people(one: Link, key: tuple[str, ...]) -> set[str | None]:
        reader = key[_READER_AT] if one.kind in _OF_READINGS and len(key) > _READER_AT else None
        return {one.actor, one.server_user, reader}


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One event for people: cells in the order of :data:`HEADING`."""

    cells: tuple[str, ...]


def audit_trail(store: CohortStore, wanted: Wanted) -> Iterator[AuditLine]:
    """The wanted events in order, each with what it changed.

    Raises
    ------
    CohortError
        If the database cannot be read, or an event is damaged.
    """
    before: dict[tuple[str, str], str | None] = {}
    with store.reading() as connection:
        for one in links(connection):
            if one.kind == COLUMNS_KIND:
                continue
            key = decode_key(one.key) if one.key else ()
            if wanted.subject is not None and key[:1] != (wanted.subject,):
                continue
            place = (one.kind, one.key)
            old = before.get(place)
            before[place] = one.payload
            if wanted.takes(one, key):
                change = _ERASED
                if not is_erased(one):
                    told = [_values(connection, one, payload) for payload in (old, one.payload)]
                    change = _change(one, *told)
                yield _line(one, key, change)


def _values(connection: object, one: Link, payload: str | None) -> dict[str, object]:
    if payload is None:
        return {}
    if one.kind == MEASUREMENT:
        return dict(decode_row(connection, payload, f"event {one.seq}"))  # type: ignore[arg-type]
    try:
        return dict(msgspec.json.decode(payload, type=dict[str, object]))
    except msgspec.MsgspecError:
        return {"content": "damaged"}


def _change(one: Link, old: dict[str, object], new: dict[str, object]) -> str:
    names: Iterable[str] = dict.fromkeys((*old, *new))
    if one.kind == MEASUREMENT and not old:
        names = _MAIN
    told = (
        f"{name}: {_shown(old.get(name))} -> {_shown(new.get(name))}"
        if old
        else f"{name}: {_shown(new.get(name))}"
        for name in names
        if old.get(name) != new.get(name)
    )
    return "; ".join(told)


def _shown(cell: object) -> str:
    return "nothing" if cell is None else str(cell)


def _line(one: Link, key: tuple[str, ...], change: str) -> AuditLine:
    cells = (
        *(str(one.seq), one.at, one.server_at or "", one.server_user or "", one.actor or "unnamed"),
        *(one.kind, " ".join(key), one.action, change, one.reason, one.hash),
    )
    return AuditLine(tuple(map(harmless, cells)))


def to_csv(lines: Iterable[AuditLine]) -> Iterator[str]:
    """The trail as CSV, line by line."""
    yield csv_line(HEADING)
    for line in lines:
        yield csv_line(line.cells)


def to_html(lines: Iterable[AuditLine], title: str, state: dict[str, object]) -> Iterator[str]:
    """The trail as an HTML page that opens offline, piece by piece.

    Parameters
    ----------
    title
        Its heading.
    state
        What the ledger was, for the anchor of the page.
    """
    anchor = html.escape(json.dumps(state))
    yield _PAGE.format(title=html.escape(title), anchor=anchor)
    yield "".join(f"<th scope=col>{name}</th>" for name in HEADING) + "</tr></thead><tbody>\n"
    for line in lines:
        yield "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line.cells) + "</tr>\n"
    yield "</tbody></table></body></html>\n"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="necroangle-anchor" content="{anchor}">
<title>{title}</title>
<style>body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1rem; }}
table {{ border-collapse: collapse; }} th, td {{ text-align: left; vertical-align: top;
padding: 0.2rem 0.6rem; border-bottom: 1px solid #ccc; overflow-wrap: anywhere; }}
th {{ position: sticky; top: 0; background: #fff; }}</style></head>
<body><h1>{title}</h1><table><thead><tr>
"""
