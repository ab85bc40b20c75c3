"""What the dock says of the way through a hip: the steps' names, and one line on what to do."""

from collections.abc import Sequence

from napari_necroangle.reading.case import LOCKED
from napari_necroangle.reading.contradictions import Contradiction, off_centre_words
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.steps import Flow, Step, StepState
from napari_necroangle.reading.texts import VIEWS, instruction
from necroangle.measurement import show_deg
from necroangle.terms import View

__all__ = ["STEP_TIPS", "guide_line", "step_words"]

STEP_TIPS = {
    Step.HEAD_A: "Mark the healthy rim of the femoral head: a circle is fitted to it",
    Step.HEAD_B: "Mark the rim on the slice that the first circle's centre proposes",
    Step.SLICES: "Each slice should pass through the head's centre, as the other view shows it",
    Step.ARC_A: "Mark where the necrosis meets the surface, or choose another finding",
    Step.ARC_B: "Mark where the necrosis meets the surface, or choose another finding",
    Step.MORE: "Optional: neighbouring slices, landmarks, outline, stage, type, notes",
    Step.SAVE: "Look at the result once more, and save",
}


def step_words(flow: Flow, state: StepState) -> str:
    """A step's name, ticked when it is done, with its angle where it gives one."""
    tick = "✓ " if state.is_done else ""
    if state.view is None:
        plain = {Step.SLICES: "Slices", Step.MORE: "Extras"}.get(state.step, "Save")
        return f"{tick}{plain}"
    name = VIEWS[state.view]
    if state.step.is_head:
        return f"{tick}{name} head"
    measured = flow.case.session.outcome().view(state.view).measurement
    angle = f" {show_deg(measured.angle_deg)}" if measured is not None else ""
    return f"{tick}{name} arc{angle}"


def guide_line(
    flow: Flow, view: View, against: Sequence[Contradiction], *, magnified: bool = False
) -> str:
    """What to do now, in plain words.

    Parameters
    ----------
    flow
        Where the reader is.
    view
        The view whose tools are shown.
    against
        What speaks against the marks.
    magnified
        Whether an arc end is magnified.
    """
    session = flow.case.session
    if session.is_locked:
        return flow.case.notice or LOCKED
    if flow.case.notice:
        return flow.case.notice
    if flow.current is Step.SLICES:
        return _slices_line(flow)
    if flow.current is Step.SAVE:
        return _save_line(flow, against)
    aim = flow.case.aim(view)
    if flow.current is Step.MORE and aim is None:
        return "Optional. Choose what to add, or go on (Enter)."
    return instruction(
        session.draft.view(view), session.outcome().view(view), aim, magnified=magnified
    )


def _slices_line(flow: Flow) -> str:
    doubtful = flow.doubtful_slices()
    if doubtful:
        said = " ".join(off_centre_words(check) for check in doubtful)
        return f"{said} {key_label('move_to_best')}: move the marks there. Enter: keep them."
    if not flow.is_done(Step.SLICES):
        return "Mark both head circles first: each shows where the other's slice should be."
    return "Both slices are the nearest to the head's centre. Go on (Enter)."


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
    draft = flow.case.session.draft
    what = "submit, and open the next case" if draft.conduct.worklist else "save, open the next hip"
    what = "save the consensus" if draft.consensus_of else what
    return (
        f"Complete. {key_label('save_next')}: {what}. "
        f"{key_label('second_look')}: second look at the arc ends."
    )
