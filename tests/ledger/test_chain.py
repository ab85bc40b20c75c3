"""The chain: anyone can repeat its sums, and no cell of any event changes unnoticed."""

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from necroangle.ledger.chain import GENESIS, LINK_COLUMNS, Break, Link, broken_links, seal

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
contents = st.lists(
    st.tuples(texts, texts, texts, texts, texts, texts, st.none() | texts, st.none() | texts),
    min_size=1,
    max_size=6,
)


def chained(some: list[tuple[str | None, ...]]) -> list[Link]:
    links: list[Link] = []
    previous = GENESIS
    for seq, cells in enumerate(some, start=1):
        content: tuple[Any, ...] = (seq, *cells)
        sealed = seal(previous, content)
        links.append(Link._make((*content, previous, sealed)))
        previous = sealed
    return links


@given(contents)
def test_the_hash_is_what_the_page_says_it_is(some: list[tuple[str | None, ...]]) -> None:
    previous = "0" * 64
    for link in chained(some):
        line = json.dumps([previous, *link[:9]], ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256(line.encode()).hexdigest()
        assert link.hash == previous


@given(contents, st.data())
def test_a_change_of_any_cell_is_found_at_its_event(
    some: list[tuple[str | None, ...]], data: st.DataObject
) -> None:
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
def test_a_missing_or_a_moved_event_is_found(
    some: list[tuple[str | None, ...]], data: st.DataObject
) -> None:
    links = chained(some)
    place = data.draw(st.integers(0, len(links) - 2))
    without = links[:place] + links[place + 1 :]
    assert Break(place + 2, f"before it, event {place + 1} is missing") in broken_links(without)
    swapped = [*links]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert list(broken_links(swapped))
