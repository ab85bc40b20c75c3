"""What the reader is told, in the reader's words."""

from napari_necroangle._draft import Handle, Role, ViewDraft
from napari_necroangle._outcome import Outcome, ViewOutcome
from necroangle.measurement import HaRisk, KerboulBin, show_deg
from necroangle.terms import Finding, Flag, Laterality, Observation, UnreadReason, View

__all__ = [
    "CHOICES",
    "OBSERVATIONS",
    "SIDES",
    "VIEWS",
    "canvas_title",
    "doubts",
    "grade_lines",
    "instruction",
    "interval_line",
    "offset_line",
]

RIM_ADVISED = 8

VIEWS = {
    View.CORONAL: "Coronal",
    View.SAGITTAL: "Sagittal",
    View.AP: "AP",
    View.FROG_LEG: "Frog-leg",
    View.CROSS_TABLE: "Cross-table",
}
SIDES = {Laterality.RIGHT: "Right", Laterality.LEFT: "Left"}
CHOICES: dict[Finding | UnreadReason, str] = {
    Finding.NECROSIS: "Necrosis",
    Finding.NO_NECROSIS: "No necrosis",
    Finding.NOT_SUBCHONDRAL: "Necrosis not reaching the surface",
    Finding.OFF_MIDSLICE: "Necrosis on other slices only",
    UnreadReason.NOT_DONE: "Not read: not done",
    UnreadReason.NOT_READABLE: "Not read: image not readable",
    UnreadReason.PROSTHESIS: "Not read: hip replaced",
}
OBSERVATIONS = {
    Observation.FLATTENED: "Head flattened",
    Observation.POSTOP_TRACK: "Core track or graft",
}
_RISKS = {HaRisk.LOW: "low", HaRisk.MODERATE: "moderate", HaRisk.HIGH: "high"}
_KERBOUL = {KerboulBin.SMALL: "small", KerboulBin.MEDIUM: "medium", KerboulBin.LARGE: "large"}
_STEPS = {
    Role.START: "Click one end of the necrotic arc: the outer margin of the dark band, "
    "where it meets the surface.",
    Role.END: "Click the other end of the necrotic arc.",
    Role.VIA: "Click the surface between the two ends, on the dead side.",
}


def canvas_title(view: View, index: int, count: int, outcome: ViewOutcome) -> str:
    """The line in the corner of a canvas."""
    letter = "A" if view.is_a else "B"
    place = f" {index + 1} / {count}" if count > 1 else ""
    first = f"{VIEWS[view]}{place}"
    if outcome.measurement is None:
        return first
    return f"{first}\n{letter} = {show_deg(outcome.measurement.angle_deg)}"


def instruction(draft: ViewDraft, outcome: ViewOutcome, aim: Handle | None) -> str:
    """What to do next in a view."""
    if isinstance(draft.choice, UnreadReason):
        return "This view is left unread."
    if draft.choice not in (Finding.NECROSIS, None):
        return _sentence(outcome.missing) or "Done. The angle of this view is 0°."
    if aim is None:
        return _sentence(outcome.missing) or "Done. Drag any point to correct it."
    if aim.role is not Role.RIM:
        return _STEPS[aim.role]
    count = len(draft.rim)
    if count < RIM_ADVISED:
        return f"Click round the healthy rim of the head: {count} of {RIM_ADVISED} points."
    return f"{count} rim points. Click more, or go on with Next."


def grade_lines(outcome: Outcome) -> tuple[str, str]:
    """The grade and the risk of collapse; for radiographs Kerboul's size and an empty line."""
    hip = outcome.hip
    if hip.cna_deg is None:
        return "", ""
    if hip.ha_grade is not None and hip.ha_risk is not None:
        chance = _percent(hip.grade_probability[hip.ha_grade - 1])
        return f"Grade {int(hip.ha_grade)} ({chance})", f"{_RISKS[hip.ha_risk]} risk of collapse"
    return (f"{_KERBOUL[hip.kerboul]} lesion" if hip.kerboul is not None else ""), ""


def interval_line(outcome: Outcome) -> str:
    """The 95 % interval of the combined angle."""
    cna = outcome.hip.cna
    if cna is None or not cna.se:
        return ""
    low, high = (show_deg(max(0.0, bound)) for bound in cna.interval_95())
    return f"95 % interval: {low} to {high}"


def offset_line(outcome: Outcome) -> str:
    """How far each slice lies from the head's centre, as the other view shows it."""
    judge = outcome.hip.judge
    if judge is None:
        return ""
    behind = "behind" if judge.a_offset_mm >= 0 else "before"
    left = "left" if judge.b_offset_mm >= 0 else "right"
    return (
        f"Off centre: coronal {abs(judge.a_offset_mm):.1f} mm {behind}, "
        f"sagittal {abs(judge.b_offset_mm):.1f} mm {left}"
    )


def doubts(outcome: Outcome) -> tuple[str, ...]:
    """The flags of the hip and of its complete views, in plain words."""
    flags = [set(view.measurement.flags if view.measurement else ()) for view in outcome.views]
    names = [VIEWS[view.view] for view in outcome.views]
    lines = []
    for flag in Flag:
        where = [name for name, raised in zip(names, flags, strict=True) if flag in raised]
        if where:
            lines.append(f"{' and '.join(where)}: {flag.meaning}")
    lines += [flag.meaning for flag in outcome.hip.flags if flag is not Flag.VIEW_NOT_READ]
    return tuple(lines)


def _percent(chance: float) -> str:
    """A probability as whole percent; never 100 % of an uncertain thing.

    Examples
    --------
    >>> _percent(0.874), _percent(0.999), _percent(1.0)
    ('87 %', '> 99 %', '100 %')
    """
    return "> 99 %" if 0.99 < chance < 1.0 else f"{round(100 * chance)} %"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""
