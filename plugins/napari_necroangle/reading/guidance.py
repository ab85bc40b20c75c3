"""What speaks against the marks, and the one line on what to do.

Saving is forbidden only where the number would be meaningless: under a side that code and place
both deny, or from two views that cannot show one head. All else is said, kept as a flag, and left
to the reader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from napari_necroangle.reading.case import LOCKED, Case
from napari_necroangle.reading.draft import ArcDraft, ReadingDraft
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.outcome import Outcome, ViewOutcome
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.steps import Flow, SliceCheck, Step, slice_check
from napari_necroangle.reading.texts import VIEWS, doubts, instruction, offset_words
from necroangle.batch.other_visits import head_radius_mm
from necroangle.geometry import PatientPoints
from necroangle.measurement import show_deg
from necroangle.measurement.doubts import LIMITS
from necroangle.measurement.foresight import SeenRim, foreseen_reach_deg, steep_views
from necroangle.measurement.heads import marking_unit_mm
from necroangle.measurement.plausibility import PLAUSIBLE
from necroangle.protocol.noise import EndNoise
from necroangle.terms import Flag, View

_SAID_WITH_NUMBERS = (Flag.SLICE_OFF_CENTRE, Flag.RADII_DIFFER, Flag.EDGE_OFF_CIRCLE)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something that speaks against the marks.

    ``blocks``: whether nothing may be saved with it.
    """

    words: str
    blocks: bool = False


def contradictions(
    case: Case, side_doubts: Sequence[Contradiction], others: Sequence[tuple[str, float]]
) -> tuple[Contradiction, ...]:
    """Everything that speaks against a case, what forbids saving first."""
    outcome = case.session.outcome()
    said = [*side_doubts, *_blocks(outcome)]
    said.sort(key=lambda one: not one.blocks)
    said += [Contradiction(words) for words in _slices(case)]
    said += [Contradiction(words) for words in _radii(outcome)]
    said += [Contradiction(words) for words in _ends(case)]
    said += [Contradiction(words) for words in _visits(outcome, others)]
    return (*said, *(Contradiction(words) for words in doubts(outcome, _SAID_WITH_NUMBERS)))


def _blocks(outcome: Outcome) -> Iterator[Contradiction]:
    """Why the number would mean nothing, as the measurement says."""
    measured = (outcome.hip, *([outcome.heads] if outcome.heads is not None else ()))
    for words in dict.fromkeys(one.blocked for one in measured if one.blocked):
        yield Contradiction(f"{words[0].upper()}{words[1:]}.", blocks=True)


def _slices(case: Case) -> Iterator[str]:
    checks = (slice_check(case, draft.view) for draft in case.session.draft.views)
    for check in checks:
        if check is None:
            continue
        if not check.shows_centre:
            yield (
                f"{VIEWS[check.view]}: the series ends before the head's middle. Choose another "
                "series, or read this view as not readable."
            )
        elif not check.is_best or abs(check.offset_mm - check.wanted_mm) > LIMITS.off_centre_mm:
            yield off_centre_words(check)


def off_centre_words(check: SliceCheck) -> str:
    """Where a slice lies from the centre, and which one lies nearer."""
    name = VIEWS[check.view]
    here = f"{name} slice {check.index + 1} lies {offset_words(check.view, check.offset_mm)}"
    if check.wanted_mm:
        nearest = "it is" if check.is_best else f"slice {check.best_index + 1} is"
        before = offset_words(check.view, check.wanted_mm)
        return f"{here} the head's centre, the earlier one {before} it; {nearest} the nearest."
    if check.is_best:
        return f"{here} the head's centre; no slice lies nearer."
    there = offset_words(check.view, check.best_offset_mm)
    return f"{here} the head's centre; slice {check.best_index + 1} lies {there} it."


def _radii(outcome: Outcome) -> Iterator[str]:
    heads = outcome.heads
    if heads is None or Flag.RADII_DIFFER not in heads.flags or heads.judge is None:
        return
    gap = heads.judge.radius_gap_mm
    larger, smaller = (VIEWS[outcome.views[at].view] for at in ((1, 0) if gap > 0 else (0, 1)))
    yield (
        f"The {larger.lower()} circle makes the head {abs(gap):.1f} mm larger in radius than the "
        f"{smaller.lower()} one: look at both rims again."
    )


def _ends(case: Case) -> Iterator[str]:
    for draft, outcome in zip(case.session.draft.views, case.session.outcome().views, strict=True):
        gap = max((gap for arc in draft.arcs for gap in _gaps_mm(arc, outcome)), default=0.0)
        if gap > LIMITS.edge_gap_mm * marking_unit_mm(draft.view, outcome.circle):
            far = f"{gap:.1f} mm"
            if draft.view.is_radiograph and outcome.circle:
                far = f"{100 * gap / outcome.circle.radius_mm:.0f} % of the radius"
            yield (
                f"{VIEWS[draft.view]}: an arc end lies {far} off the circle; it is measured where "
                "the circle passes it."
            )


def _gaps_mm(arc: ArcDraft, outcome: ViewOutcome) -> Iterator[float]:
    """How far the ends of an arc lie from the circle, complete or not."""
    if outcome.circle is None or outcome.plane is None:
        return
    for mark in (arc.start, arc.end):
        if mark is not None:
            place = outcome.plane.patient_to_plane(PatientPoints(np.array([mark.patient_mm])))[0]
            away = float(np.hypot(*(place - np.array(outcome.circle.centre_mm))))
            yield abs(away - outcome.circle.radius_mm)


def _visits(outcome: Outcome, others: Sequence[tuple[str, float]]) -> Iterator[str]:
    here = head_radius_mm(outcome.heads) if outcome.heads is not None else None
    if here is None:
        return
    for visit, radius_mm in others:
        if abs(here - radius_mm) > PLAUSIBLE.visit_radius_mm:
            yield (
                f"The head's radius is {here:.1f} mm here and was {radius_mm:.1f} mm at "
                f"visit {visit}: one of the circles is off."
            )


STEP_TIPS = {
    Step.HEAD_A: "Mark the healthy rim of the femoral head: a circle is fitted to it",
    Step.HEAD_B: "Mark the rim on the slice that the first circle's centre proposes",
    Step.SLICES: "Each slice should pass through the head's centre, as the other view shows it",
    Step.ARC_A: "Mark where the necrosis meets the surface, or choose another finding",
    Step.ARC_B: "Mark where the necrosis meets the surface, or choose another finding",
    Step.MORE: "Optional: neighbouring slices, landmarks, outline, stage, type, notes",
    Step.SAVE: "Look at the result once more, and save",
}


def step_words(flow: Flow, step: Step) -> str:
    """A step's name, ticked when it is done, with its angle where it gives one."""
    tick, view = "✓ " if flow.is_done(step) else "", flow.view_of(step)
    if view is None:
        plain = {Step.SLICES: "Slices", Step.MORE: "Extras"}.get(step, "Save")
        return f"{tick}{plain}"
    if step.is_head:
        return f"{tick}{VIEWS[view]} head"
    measured = flow.case.session.outcome().view(view).measurement
    angle = f" {show_deg(measured.angle_deg)}" if measured is not None else ""
    return f"{tick}{VIEWS[view]} arc{angle}"


def guide_line(
    flow: Flow, view: View, against: Sequence[Contradiction], *, magnified: bool = False
) -> str:
    """What to do now, in plain words.

    ``magnified``: whether an arc end is magnified, to be set exactly.
    """
    session = flow.case.session
    if session.is_locked:
        return flow.case.notice or LOCKED
    if flow.case.notice:
        return flow.case.notice
    if magnified:
        return f"Magnified: click where the arc ends exactly, or press {key_label('go_on')}."
    if not session.draft.reader and not session.is_unsaved:
        return "Type your code as a reader first (Whose hip this is, above)."
    if flow.case.lacking and (view in flow.case.lacking or flow.current is Step.SAVE):
        return _lacking_line(flow)
    if flow.current is Step.SLICES:
        return _slices_line(flow)
    if flow.current is Step.SAVE:
        return _save_line(flow, against)
    aim = flow.case.aim(view)
    if flow.current is Step.MORE and aim is None:
        return f"Optional. Choose what to add, or go on ({key_label('go_on')})."
    return instruction(
        session.draft.view(view), session.outcome().view(view), aim, rim_gain(session, view)
    )


_MORE_DEG, _LEAST_GAIN_DEG = 50.0, 1.0


def rim_gain(session: ReadingSession, view: View) -> str:
    """What 50 degrees more of a rim gain for the combined angle; empty where it is little."""
    found, count = session.drawn(view), len(session.draft.view(view).rim)
    if found.circle is None or found.rim_span_deg is None or found.rim_rms_mm is None:
        return ""
    scale = 24.0 / found.circle.radius_mm if view.is_radiograph else 1.0
    rim = SeenRim(
        count,
        round(found.rim_span_deg, -1),
        round(found.rim_rms_mm * scale, 1),
        round(found.circle.radius_mm * scale),
    )
    now, then = _reaches(rim, session.end_noise)
    if now - then < _LEAST_GAIN_DEG:
        return ""
    return f"{_MORE_DEG:.0f}° more: ±{then:.0f}° in place of ±{now:.0f}°"


@lru_cache(maxsize=256)
def _reaches(rim: SeenRim, ends: EndNoise) -> tuple[float, float]:
    """Half of the interval's width with such a rim in both views, and with longer ones."""
    now, then = (foreseen_reach_deg([one] * 2, ends) for one in (rim, rim.longer(_MORE_DEG)))
    return now, then


def _slices_line(flow: Flow) -> str:
    doubtful = flow.doubtful_slices()
    if doubtful:
        moves, keeps = key_label("move_to_best"), key_label("go_on")
        gain = _gain_words(flow)
        said = gain or " ".join(off_centre_words(check) for check in doubtful)
        return f"{said} {moves}: move the marks there. {keeps}: keep them."
    if not flow.is_done(Step.SLICES):
        return "Mark both head circles first: each shows where the other's slice should be."
    return f"Both slices are the nearest to {_wanted_words(flow)}. Go on ({key_label('go_on')})."


def _wanted_words(flow: Flow) -> str:
    """Where the slices should lie."""
    case = flow.case
    wanted = [(draft.view, case.wanted_mm(draft.view)) for draft in case.session.draft.views]
    if case.followed is None or not any(away for _, away in wanted):
        return "the head's centre"
    places = (f"{VIEWS[view].lower()} {offset_words(view, away)}" for view, away in wanted)
    return f"{case.followed.visit} ({', '.join(places)} the head's centre)"


def _gain_words(flow: Flow) -> str:
    """What a change since the earlier visit gains where the slices meet that visit's own."""
    followed = flow.case.followed
    checks = [slice_check(flow.case, draft.view) for draft in flow.case.session.draft.views]
    if followed is None:
        return ""
    here = [None if one is None else one.offset_mm for one in checks]
    there = [None if one is None else one.best_offset_mm for one in checks]
    now, then = (followed.limit_deg((one[0], one[1])) for one in (here, there))
    if now is None or then is None or round(then) >= round(now):
        return ""
    places = " and ".join(
        f"{VIEWS[check.view].lower()} slice {check.best_index + 1}"
        for check in flow.doubtful_slices()
    )
    return (
        f"On {places}, nearest to {followed.visit}, the smallest real change is {then:.0f}° in "
        f"place of {now:.0f}°."
    )


def _lacking_line(flow: Flow) -> str:
    """Which view has no series, and what can be read all the same."""
    words = " ".join(flow.case.lacking.values())
    views = [draft.view for draft in flow.case.session.draft.views]
    left = [VIEWS[view].lower() for view in views if view not in flow.case.lacking]
    if not left:
        return f"This hip cannot be read here. {words}"
    return f"{words} Only the {left[0]} view can be read; the other stays not read."


def _save_line(flow: Flow, against: Sequence[Contradiction]) -> str:
    blocking = next((one.words for one in against if one.blocks), "")
    if blocking:
        return f"Cannot be saved: {blocking}"
    lacking = [
        f"{VIEWS[view.view]}: {view.missing}."
        for view in flow.case.session.outcome().views
        if view.missing
    ]
    if lacking:
        return " ".join(lacking)
    advice = _advice(flow)
    draft = flow.case.session.draft
    if draft.consensus_of and not flow.case.session.is_unsaved:
        return "The consensus is saved. Close, above, ends the comparison."
    has_ends = any(view.arcs for view in draft.views)
    ends = f"{key_label('second_look')}: second look at the arc ends." if has_ends else ""
    return f"Complete. {saving_words(draft)} {advice or ends}".rstrip()


def saving_words(draft: ReadingDraft) -> str:
    """Which key saves or submits a reading, and what comes then."""
    what = "submit, and open the next case" if draft.conduct.worklist else "save, open the next hip"
    what = "save the consensus" if draft.consensus_of else what
    return f"{key_label('save_next')}: {what}."


def _advice(flow: Flow) -> str:
    """What would make the error smaller still: a neighbouring slice, or a third rim."""
    session, key = flow.case.session, key_label("beside")
    hip = session.outcome().hip
    for draft in session.draft.views:
        rims = 1 + sum(bool(one.rim) for one in draft.neighbours)
        if hip.method.name == "centre_plane" and 1 < rims < _ENOUGH_RIMS:
            return (
                f"{VIEWS[draft.view]}: {rims} rims; a third, two slices from the first, tells "
                f"whether the patient moved ({key})."
            )
    for steep in steep_views(hip):
        if not session.draft.view(steep.view).neighbours:
            return (
                f"{VIEWS[steep.view]}: about {steep.slope_deg_mm:.0f}° a mm are foretold here, "
                f"{abs(steep.offset_mm):.1f} mm off the centre: mark the next slice, too ({key})."
            )
    return ""


_ENOUGH_RIMS = 3
