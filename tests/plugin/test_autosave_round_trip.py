"""A draft survives its autosave whatever it holds, and nothing else is taken for one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hipstrategy import readings
from hypothesis import given
from hypothesis import strategies as st
from napari_necroangle.reading.draft import (
    ArcDraft,
    ReadingDraft,
    ViewDraft,
    decode_draft,
    draft_of,
    encode_draft,
)
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import last_state

from necroangle.annotation import ReaderEntries
from necroangle.errors import ReadingError
from necroangle.terms import Finding, Laterality, Observation, UnreadReason, View

_CHOICES = st.none() | st.sampled_from(Finding) | st.sampled_from(UnreadReason)
_TEXTS = st.text(max_size=30)


@st.composite
def drafts(draw: st.DrawFn) -> ReadingDraft:
    """A draft that may be unfinished in any way: marks and arcs dropped, anything undecided."""
    draft = draft_of(draw(readings()))
    for view in draft.views:
        draft = draft.with_view(_unfinished(draw, view))
    return replace(draft, subject=draw(_TEXTS), visit=draw(_TEXTS), notes=draw(_TEXTS))


def _unfinished(draw: st.DrawFn, view: ViewDraft) -> ViewDraft:
    there = st.booleans()
    arcs = tuple(
        ArcDraft(*(mark if draw(there) else None for mark in (arc.start, arc.end, arc.via)))
        for arc in view.arcs
    )
    rim = tuple(mark for mark in view.rim if draw(there))
    on = view.on if draw(there) else None
    return replace(view, arcs=arcs, rim=rim, on=on, choice=draw(_CHOICES))


@given(drafts())
def test_every_draft_comes_back(draft: ReadingDraft) -> None:
    again = decode_draft(encode_draft(draft))
    assert again == draft
    passports = [[view.on.passport for view in one.views if view.on] for one in (again, draft)]
    assert passports[0] == passports[1]


_DRAFT = ReadingDraft((ViewDraft(View.AP), ViewDraft(View.FROG_LEG)), Laterality.RIGHT)


def _changed(change: dict[str, Any]) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(_DRAFT), **change})


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{", "malformed JSON"),
        (b"[" * 100_000, "malformed JSON"),
        (b"\xff", "malformed JSON"),
        (b"[]", r"\$: an object is needed, found list"),
        (_changed({"coffee": 1}), "the key 'coffee' is unknown"),
        (_changed({"views": []}), r"\$.views: 2 items are needed, found 0"),
        (_changed({"entries": {"arco": "9"}}), r"\$.entries.arco: Invalid enum value '9'"),
        (_changed({"laterality": "X"}), r"\$.laterality: Invalid enum value 'X'"),
        (_changed({"read_no": "1"}), r"\$.read_no: Expected `int`"),
        (_changed({"consensus_of": "ab"}), "a list is needed, found str"),
    ],
)
def test_what_is_no_draft_is_refused_with_its_place(raw: bytes, problem: str) -> None:
    with pytest.raises(ReadingError, match=problem):
        decode_draft(raw)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ReadingError, match="surrogate"):
        encode_draft(replace(_DRAFT, notes="\ud800"))


def test_a_word_of_each_kind_is_told_apart() -> None:
    first, second = _DRAFT.views
    views = (
        replace(first, choice=Finding.NO_NECROSIS),
        replace(second, choice=UnreadReason.PROSTHESIS),
    )
    draft = replace(_DRAFT, views=views, entries=ReaderEntries.of({"arco": "3A"}))
    again = decode_draft(encode_draft(draft))
    assert isinstance(again.views[0].choice, Finding)
    assert isinstance(again.views[1].choice, UnreadReason)
    assert again == draft


def test_an_autosave_of_version_0_1_0_still_opens() -> None:
    """Written by that version: a finished coronal view, a sagittal arc without its middle."""
    raw = (Path(__file__).parents[1] / "data" / "version_0_1_0.autosave").read_bytes()
    state, draft, damaged = last_state(raw)
    assert (state.edit, damaged, draft.reader, draft.notes) == (2, 0, "r1", "almost done")
    assert [shown.slice_index for shown in state.context.shown] == [5, 4]
    assert draft.entries == ReaderEntries.of({"arco": "2", "jic": "C1"})
    first, second = draft.views
    assert first.observations == (Observation.FLATTENED,)
    assert (len(first.rim), len(first.arcs), len(second.arcs)) == (12, 1, 1)
    assert first.arcs[0].complete() is not None
    assert second.arcs[0].via is None
    session = ReadingSession((View.CORONAL, View.SAGITTAL))
    session.recover(draft, state.file_sha256)
    assert "dead side" in session.outcome().views[1].missing
