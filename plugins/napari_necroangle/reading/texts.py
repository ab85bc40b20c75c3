"""What the reader is told, in the reader's words."""

from collections.abc import Sequence

from napari_necroangle.reading.draft import LANDMARKS, Handle, Role, ViewDraft
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.outcome import NEEDED_RIM_MARKS, Outcome, ViewOutcome
from necroangle.measurement import NO_NECROSIS, HaRisk, KerboulBin, show_deg
from necroangle.measurement.doubts import LIMITS
from necroangle.terms import (
    Finding,
    Flag,
    LandmarkName,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

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
LANDMARK_WORDS = {
    LandmarkName.TEARDROP: "lowest point of the teardrop",
    LandmarkName.ACETABULAR_EDGE: "lateral edge of the acetabular roof",
    LandmarkName.NECK_PROXIMAL: "midline of the neck, near the head",
    LandmarkName.NECK_DISTAL: "midline of the neck, away from the head",
    LandmarkName.COLLAPSE_DEEPEST: "deepest point of the sunken surface",
}
_SAID_BY = {Flag.SHORT_RIM: Flag.VERY_SHORT_RIM}
"""A flag that is not said of a view where the other one is: it says the same and more."""
_RISKS = {HaRisk.LOW: "low", HaRisk.MODERATE: "moderate", HaRisk.HIGH: "high"}
_KERBOUL = {KerboulBin.SMALL: "Small", KerboulBin.MEDIUM: "Medium", KerboulBin.LARGE: "Large"}
_STEPS = {
    Role.START: "Click one end of the necrotic arc: the outer margin of the dark band, "
    "where it meets the surface.",
    Role.END: "Click the other end of the necrotic arc.",
    Role.VIA: "Click the surface between the two ends, on the necrotic side.",
}


def signed(value: float | None, unit: str = "°") -> str:
    """A difference with its sign, to a tenth; an en dash where there is none.

    Examples
    --------
    >>> signed(-26.34), signed(3.0, " mm"), signed(-0.01), signed(None)
    ('−26.3°', '+3.0 mm', '0.0°', '–')
    """
    if value is None:
        return show_deg(None)
    size = show_deg(abs(value)).removesuffix("°")
    sign = "" if float(size) == 0.0 else "−" if value < 0 else "+"
    return f"{sign}{size}{unit}"


def breakable(name: str) -> str:
    r"""A file's name that a narrow dock may break where its parts meet.

    Examples
    --------
    >>> breakable("S01__L").split("\u200b")
    ['S01__', 'L']
    """
    return name.replace("__", "__\u200b")


def canvas_title(
    view: View,
    index: int,
    count: int,
    outcome: ViewOutcome,
    away_mm: float | None = None,
    gain: str = "",
) -> str:
    """The lines in the corner of a canvas: span and fit of the rim until there is an angle.

    ``away_mm``: signed distance of the slice from the head's centre, where that is known.
    """
    letter = "A" if view.is_a else "B"
    place = f" {index + 1} / {count}" if count > 1 else ""
    lines = [f"{VIEWS[view]}{place}"]
    if away_mm is not None:
        lines.append(f"{offset_words(view, away_mm)} centre")
    if outcome.measurement is not None:
        lines.append(f"{letter} = {show_deg(outcome.measurement.angle_deg)}")
    elif outcome.rim_span_deg is not None and outcome.rim_rms_mm is not None:
        lines.append(f"rim {outcome.rim_span_deg:.0f}° round, fit {outcome.rim_rms_mm:.1f} mm")
        lines += [gain] if gain else []
    return "\n".join(lines)


def offset_words(view: View, away_mm: float) -> str:
    """A slice's signed distance from the head's centre, in words.

    Examples
    --------
    >>> offset_words(View.CORONAL, -1.24), offset_words(View.SAGITTAL, 3.0)
    ('1.2 mm before', '3.0 mm left of')
    >>> offset_words(View.SAGITTAL, 0.04)
    'at'
    """
    if abs(away_mm) < 0.05:
        return "at"
    sides = ("left of", "right of") if view is View.SAGITTAL else ("behind", "before")
    return f"{abs(away_mm):.1f} mm {sides[0] if away_mm > 0 else sides[1]}"


def instruction(draft: ViewDraft, outcome: ViewOutcome, aim: Handle | None, gain: str = "") -> str:
    """What to do next in a view; ``gain`` is what more of the rim would gain."""
    special = _special(aim) if aim is not None else ""
    if special:
        return special
    if isinstance(draft.choice, UnreadReason):
        return "This view is left unread."
    if draft.choice not in (Finding.NECROSIS, None):
        return _sentence(outcome.missing) or "Done. The angle of this view is 0°."
    if aim is None:
        return _sentence(outcome.missing) or "Done. Drag any point to correct it."
    if aim.role is not Role.RIM:
        return _STEPS[aim.role]
    return _rim_line(len(draft.rim), outcome, gain)


def _special(aim: Handle) -> str:
    """What to click for something beside the head and the arcs of a view's own slice."""
    if aim.role is Role.LANDMARK:
        return f"Click the {LANDMARK_WORDS[LANDMARKS[aim.index]]}."
    if aim.role is Role.MARKER:
        which = "the other" if aim.index else "one"
        return f"Click {which} end of the marker: of a ball, two opposite points of its edge."
    if aim.role is Role.CONTOUR:
        return "Click round the lesion's outline, or draw it with Shift+drag."
    if aim.slice_no:
        return f"Neighbouring slice. {_STEPS.get(aim.role, 'Click round the healthy rim.')}"
    return ""


def _rim_line(count: int, outcome: ViewOutcome, gain: str) -> str:
    span_deg = outcome.rim_span_deg
    if count == 0:
        return "Draw along the healthy rim of the head in one drag, or click 8 points round it."
    if count >= NEEDED_RIM_MARKS and span_deg is None:
        return f"No head circle: {outcome.missing}. Draw it again with Shift+drag."
    if count < RIM_ADVISED:
        return f"Click round the healthy rim of the head: {count} of {RIM_ADVISED} points."
    if span_deg is not None and span_deg < LIMITS.short_rim_deg:
        more = f" ({gain})" if gain else ""
        return (
            f"{count} rim points reach {span_deg:.0f}° round; below "
            f"{LIMITS.short_rim_deg:.0f}° the centre is uncertain{more}. Click more of the rim, or "
            f"go on ({key_label('go_on')})."
        )
    reach = f", {span_deg:.0f}° round" if span_deg is not None else ""
    reach += f"; {gain}" if gain else ""
    return f"{count} rim points{reach}. Drag one to correct it, or go on ({key_label('go_on')})."


def grade_lines(outcome: Outcome) -> tuple[str, str]:
    """The grade and the risk of collapse; for radiographs Kerboul's size and an empty line.

    Of a hip that is not read in either view, that and why.
    """
    hip = outcome.hip
    if hip.cna_deg is None:
        why = {view.left_unread for view in outcome.views}
        reasons = [CHOICES[one].partition(": ")[2] for one in UnreadReason if one in why]
        return ("", "") if None in why else ("Not read", ", ".join(reasons))
    if hip.no_necrosis:
        return NO_NECROSIS.capitalize(), ""
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


def doubts(outcome: Outcome, without: Sequence[Flag] = ()) -> tuple[str, ...]:
    """The flags of the hip and of its complete views, in plain words.

    ``without``: flags that are said in other words.
    """
    flags = [set(view.measurement.flags if view.measurement else ()) for view in outcome.views]
    names = [VIEWS[view.view] for view in outcome.views]
    lines = []
    for flag in Flag:
        worse = _SAID_BY.get(flag)
        where = [
            name
            for name, raised in zip(names, flags, strict=True)
            if flag in raised and worse not in raised
        ]
        if where and flag not in without:
            lines.append(f"{' and '.join(where)}: {flag.meaning}")
    silent = (Flag.VIEW_NOT_READ, *without)
    lines += [flag.meaning for flag in outcome.hip.flags if flag not in silent]
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
