"""The chain: anyone can repeat its sums, and no cell of any event changes unnoticed."""

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from necroangle.ledger.chain import (
    GENESIS,
    LINK_COLUMNS,
    Break,
    Link,
    broken_links,
    is_erased,
    link,
    new_salt,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
maybe = st.none() | texts
contents = st.lists(
    st.tuples(
        st.tuples(texts, maybe, maybe, texts), st.tuples(texts, texts, texts, texts, maybe, maybe)
    ),
    min_size=1,
    max_size=6,
)


def chained(some: list[Any]) -> list[Link]:
    links: list[Link] = []
    previous = GENESIS
    for seq, (stamp, said) in enumerate(some, start=1):
        links.append(link(previous, seq, stamp, said, new_salt()))
        previous = links[-1].hash
    return links


def _said(name: str) -> dict[str, Any]:
    return {name: "something"}


def hashed(parts: list[object]) -> str:
    line = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(line.encode()).hexdigest()


@given(contents)
def test_the_hash_is_what_the_page_says_it_is(some: list[Any]) -> None:
    previous = "0" * 64
    for one in chained(some):
        sealed = hashed([one.salt, one.key, one.reason, one.payload, one.idempotency_key])
        assert one.sealed == sealed
        stamp = [one.at, one.server_at, one.server_user, one.actor]
        previous = hashed([previous, one.seq, *stamp, one.kind, one.action, sealed])
        assert one.hash == previous


@given(contents, st.data())
def test_what_an_event_says_can_go_and_nothing_else(some: list[Any], data: st.DataObject) -> None:
    links = chained(some)
    place = data.draw(st.integers(0, len(links) - 1))
    gone: dict[str, Any] = {
        "key": "",
        "reason": "",
        "payload": None,
        "idempotency_key": None,
        "salt": None,
    }
    links[place] = links[place]._replace(**gone)
    assert is_erased(links[place])
    assert list(broken_links(links)) == []
    left = data.draw(st.sampled_from(sorted(gone)))
    links[place] = links[place]._replace(**_said(left))
    assert [found.seq for found in broken_links(links)] == [place + 1]


@given(contents, st.data())
def test_a_change_of_any_cell_is_found_at_its_event(some: list[Any], data: st.DataObject) -> None:
    links = chained(some)
    assert list(broken_links(links)) == []
    place = data.draw(st.integers(0, len(links) - 1))
    column = data.draw(st.sampled_from(LINK_COLUMNS[1:]))
    old = getattr(links[place], column)
    new = data.draw(texts.filter(lambda text: text != old))
    links[place] = Link._make(
        new if name == column else cell
        for name, cell in zip(LINK_COLUMNS, links[place], strict=True)
    )
    assert place + 1 in {found.seq for found in broken_links(links)}


@given(contents.filter(lambda some: len(some) > 1), st.data())
def test_a_missing_or_a_moved_event_is_found(some: list[Any], data: st.DataObject) -> None:
    links = chained(some)
    place = data.draw(st.integers(0, len(links) - 2))
    without = links[:place] + links[place + 1 :]
    assert Break(place + 2, f"before it, event {place + 1} is missing") in broken_links(without)
    swapped = [*links]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert list(broken_links(swapped))
