"""A draft survives its autosave whatever it holds, and nothing else is taken for one."""

from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import msgspec
import pytest
from hipstrategy import readings
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from napari_necroangle.reading.draft import (
    ArcDraft,
    ReadingDraft,
    ViewDraft,
    draft_of,
)
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import (
    AutosaveHeader,
    AutosaveState,
    Context,
    last_state,
    line_of,
)

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
    return replace(view.choosing(draw(_CHOICES)), arcs=arcs, rim=rim, on=on)


def state_of(draft: ReadingDraft) -> AutosaveState:
    return AutosaveState(
        edit=1, at="2026-02-01T08:00:00.000Z", file_sha256=None, context=Context(), draft=draft
    )


def file_of(*lines: AutosaveState | bytes, version: Literal[1, 2] = 2) -> bytes:
    """An autosave file of these states, or of lines of JSON with their sums."""
    header = AutosaveHeader(
        format="necroangle.autosave", version=version, software="necroangle 0.1.0", process=7
    )
    raw = [
        b"%08x %s\n" % (crc32(one), one) if isinstance(one, bytes) else line_of(one)
        for one in lines
    ]
    return line_of(header) + b"".join(raw)


def kept(draft: ReadingDraft) -> ReadingDraft:
    """A draft as it comes out of an autosave."""
    state, damaged = last_state(file_of(state_of(draft)))
    assert damaged == 0
    return state.draft


@given(drafts())
def test_every_draft_comes_back(draft: ReadingDraft) -> None:
    again = kept(draft)
    assert again == draft
    passports = [[view.on.passport for view in one.views if view.on] for one in (again, draft)]
    assert passports[0] == passports[1]


_DRAFT = ReadingDraft((ViewDraft(View.AP), ViewDraft(View.FROG_LEG)), Laterality.RIGHT)


def _changed(change: dict[str, Any]) -> bytes:
    state = msgspec.to_builtins(state_of(_DRAFT))
    return msgspec.json.encode({**state, "draft": {**state["draft"], **change}})


_WRONG = [
    b"{",
    b"[" * 100_000,
    b"\xff",
    b"[]",
    _changed({"coffee": 1}),
    _changed({"views": []}),
    _changed({"views": [[], 3]}),
    _changed({"entries": {"arco": "9"}}),
    _changed({"laterality": "X"}),
    _changed({"read_no": "1"}),
    _changed({"consensus_of": "ab"}),
]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("line", _WRONG)
def test_what_is_no_state_is_passed_over_for_the_last_that_is_one(
    line: bytes, version: Literal[1, 2]
) -> None:
    with pytest.raises(ReadingError, match="no state of the reading is left whole"):
        last_state(file_of(line, version=version))
    if version == 2:
        state, damaged = last_state(file_of(state_of(_DRAFT), line))
        assert (state.draft, damaged) == (_DRAFT, 1)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ReadingError, match="surrogate"):
        line_of(state_of(replace(_DRAFT, notes="\ud800")))


def test_a_word_of_each_kind_is_told_apart() -> None:
    first, second = _DRAFT.views
    views = (
        first.choosing(Finding.NO_NECROSIS),
        second.choosing(UnreadReason.PROSTHESIS),
    )
    draft = replace(_DRAFT, views=views, entries=ReaderEntries.of({"arco": "3A"}))
    again = kept(draft)
    assert isinstance(again.views[0].choice, Finding)
    assert isinstance(again.views[1].choice, UnreadReason)
    assert again == draft


@given(drafts())
def test_autosaves_of_version_1_come_back(draft: ReadingDraft) -> None:
    """They held one choice a view, where finding and reason stand now; any may be missing."""
    state = msgspec.to_builtins(state_of(draft))
    for view in state["draft"]["views"]:
        view["choice"] = view.pop("finding") or view.pop("reason")
        view.pop("reason", None)
    found, _ = last_state(file_of(msgspec.json.encode(state), version=1))
    assert found.draft == draft


def test_an_autosave_of_version_0_1_0_still_opens() -> None:
    """Written by that version: a finished coronal view, a sagittal arc without its middle."""
    raw = (Path(__file__).parents[1] / "data" / "version_0_1_0.autosave").read_bytes()
    state, damaged = last_state(raw)
    draft = state.draft
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
    assert "necrotic side" in session.outcome().views[1].missing
