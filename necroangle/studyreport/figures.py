"""The figures of a study's report: each a drawing by matplotlib, with the rows that it shows.

Colours are those of Okabe and Ito, which the colour-blind tell apart; lines differ in their dashes
and marks in their shape, so that a figure says the same in grey.
"""

import io
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from necroangle.analysis.agreement import GRADES, AgreementStudy, grade_pairs_of, pairs_of
from necroangle.analysis.baseline import flow
from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.events import CurveRow, EventStudy, roc_of_angle
from necroangle.analysis.hips import HipOutcome
from necroangle.analysis.visits import HipVisit
from necroangle.measurement.grades import HA_GRADES
from necroangle.measurement.row import Cell
from necroangle.plain_text import counted
from necroangle.protocol.ending import VisitState
from necroangle.statistics.intervals import MeanSquare, interval_of_sum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
MARKS = "osD^vP"
WIDTH_IN, HEIGHT_IN = 7.2, 4.2


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes
    ----------
    name, title, caption
        Of its file, above it, and what it shows in words.
    rows
        What it shows, as a table.
    draw
        Draws it anew; for SVG, PNG and PDF.
    """

    name: str
    title: str
    caption: str
    rows: tuple[Mapping[str, Cell], ...]
    draw: "Callable[[], Drawing]"

    def svg(self) -> str:
        """As an ``svg`` element with a title, the same for the same rows."""
        text = self._saved("svg").decode()
        return text[text.index("<svg") :]

    def png(self, dpi: int = 200) -> bytes:
        """As a picture."""
        return self._saved("png", dpi=dpi)

    def _saved(self, kind: str, **more: Any) -> bytes:
        import matplotlib as mpl

        with mpl.rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none"}):
            drawing = self.draw()
            stream = io.BytesIO()
            metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
            drawing.savefig(stream, format=kind, metadata=metadata, **more)
        return stream.getvalue()


def study_figures(
    cohort: AnalysisSet,
    hips: Sequence[HipOutcome],
    events: EventStudy | None,
    agreement: AgreementStudy | None,
) -> list[Figure]:
    """Every figure that the study has the data for, in the order of a paper."""
    made = [
        _flow(cohort),
        _angle_over_time(hips),
        _waterfall(hips),
        _transitions(cohort, hips),
        *(_of_events(events) if events else ()),
        *(_of_agreement(cohort, agreement) if agreement else ()),
        *(_grades(cohort) if agreement else ()),
        _calibration(cohort),
    ]
    return [one for one in made if one is not None]


def _sheet(height: float = HEIGHT_IN) -> "tuple[Drawing, Axes]":
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(WIDTH_IN, height), layout="constrained")
    axes = drawing.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return drawing, axes


# ---- the angle ---------------------------------------------------------------------------------


def _angle_over_time(hips: Sequence[HipOutcome]) -> Figure | None:
    rows: list[dict[str, Cell]] = [
        {
            "hip": f"{hip.course.hip.subject} {hip.course.hip.laterality}",
            "visit": one.planned.name,
            "months": one.months,
            "cna_deg": one.cna_deg,
        }
        for hip in hips
        for one in hip.course.visits
        if one.cna_deg is not None and one.months is not None
    ]
    if not rows:
        return None
    return Figure(
        "angle_over_time",
        "Combined necrotic angle of each hip",
        "One line a hip; the thick line joins the medians of the visits. Dotted lines are the "
        "bounds of Ha's grades.",
        tuple(rows),
        lambda: _draw_angles(rows),
    )


def _draw_angles(rows: Sequence[Mapping[str, Any]]) -> "Drawing":
    drawing, axes = _sheet()
    for bound in HA_GRADES.cuts:
        axes.axhline(bound, color="0.6", linestyle=":", linewidth=1)
    for hip in dict.fromkeys(row["hip"] for row in rows):
        line = sorted((row["months"], row["cna_deg"]) for row in rows if row["hip"] == hip)
        axes.plot(*zip(*line, strict=True), color="0.55", linewidth=0.8, marker=".", markersize=3)
    middles = []
    for visit in dict.fromkeys(row["visit"] for row in rows):
        own = [row for row in rows if row["visit"] == visit]
        angles = [row["cna_deg"] for row in own]
        low, high = np.quantile(angles, (0.25, 0.75))
        months = median(row["months"] for row in own)
        middles.append((months, median(angles), low, high))
    middles.sort()
    months, middle, low, high = (np.array(part) for part in zip(*middles, strict=True))
    axes.errorbar(
        months, middle, np.stack([middle - low, high - middle]), color=PALETTE[0], linewidth=2.5,
        marker="o", capsize=4, label="median with quartiles",
    )  # fmt: skip
    axes.set(xlabel="months from the index date", ylabel="combined necrotic angle (degrees)")
    axes.legend(frameon=False)
    return drawing


def _waterfall(hips: Sequence[HipOutcome]) -> Figure | None:
    rows: list[dict[str, Cell]] = [
        {
            "hip": f"{hip.course.hip.subject} {hip.course.hip.laterality}",
            "change_deg": hip.change.change_deg,
            "mdc95_deg": hip.change.mdc95_deg,
            "failed": None if hip.failure.failed is None else int(hip.failure.failed),
            "replaced": int(hip.has_tha),
        }
        for hip in hips
        if hip.change is not None
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: float(str(row["change_deg"])))
    return Figure(
        "change_of_angle",
        "Last change of the combined necrotic angle",
        "One bar a hip, from the baseline to its last angle. The whiskers are the smallest change "
        "that is real (MDC95): a bar within them may be measuring error.",
        tuple(rows),
        lambda: _draw_waterfall(rows),
    )


def _draw_waterfall(rows: Sequence[Mapping[str, Any]]) -> "Drawing":
    drawing, axes = _sheet()
    places = np.arange(len(rows))
    changes = np.array([row["change_deg"] for row in rows])
    limits = np.array([math.nan if row["mdc95_deg"] is None else row["mdc95_deg"] for row in rows])
    real = np.abs(changes) > limits
    axes.bar(places, np.where(real, changes, 0), color=PALETTE[0], label="beyond measuring error")
    axes.bar(
        places, np.where(real, 0, changes), color="white", edgecolor=PALETTE[0], hatch="///",
        label="not beyond it, or not judged",
    )  # fmt: skip
    axes.errorbar(places, np.zeros(len(rows)), limits, fmt="none", ecolor="0.4", capsize=2,
                  linewidth=0.8, label="MDC95")  # fmt: skip
    for name, mark in (("failed", "x"), ("replaced", "^")):
        where = [place for place, row in enumerate(rows) if row[name]]
        if where:
            tops = [max(changes[place], 0) + 4 for place in where]
            axes.plot(where, tops, mark, color=PALETTE[1], linestyle="none", label=name)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="hips", ylabel="change (degrees)", xticks=[])
    axes.legend(frameon=False, fontsize="small")
    return drawing


# ---- stages ------------------------------------------------------------------------------------

_GONE = {
    VisitState.CENSORED_THA: "replaced",
    VisitState.CENSORED_DEATH: "died",
    VisitState.LOST: "lost",
}
_NOT_KNOWN = "not known"


def _transitions(cohort: AnalysisSet, hips: Sequence[HipOutcome]) -> Figure | None:
    """The stage of each hip at each planned visit, from one visit to the next."""
    names = [
        one.name
        for one in cohort.protocol.visits
        if any(visit is not None and visit.arco for visit in _at(hips, one.name))
    ]
    if len(names) < 2:
        return None
    states = [[_state_at(visit) for visit in _at(hips, name)] for name in names]
    rows: list[dict[str, Cell]] = [
        {"from": first, "to": second, "stage": one, "next": other, "hips": count}
        for (first, second), (before, after) in zip(pairwise(names), pairwise(states), strict=True)
        for (one, other), count in sorted(Counter(zip(before, after, strict=True)).items())
    ]
    return Figure(
        "stages",
        "ARCO stage from visit to visit",
        "The height of a band is the number of hips. A replacement stands at the first visit after "
        "it.",
        tuple(rows),
        lambda: _draw_transitions(names, states),
    )


def _at(hips: Sequence[HipOutcome], name: str) -> list[HipVisit | None]:
    return [hip.course.visit(name) for hip in hips]


def _state_at(visit: HipVisit | None) -> str:
    if visit is None:
        return _NOT_KNOWN
    if visit.state in _GONE:
        return _GONE[visit.state]
    return f"ARCO {visit.arco}" if visit.arco else _NOT_KNOWN


def _draw_transitions(names: Sequence[str], states: Sequence[Sequence[str]]) -> "Drawing":
    drawing, axes = _sheet()
    known = {one for some in states for one in some}
    order = [*sorted(known - {*_GONE.values(), _NOT_KNOWN})]
    order += [one for one in (*_GONE.values(), _NOT_KNOWN) if one in known]
    shades = {**dict.fromkeys(_GONE.values(), "0.35"), _NOT_KNOWN: "0.8"}
    colours = {
        one: shades.get(one, PALETTE[place % len(PALETTE)]) for place, one in enumerate(order)
    }
    gap = 0.04 * len(states[0]) + 0.2
    boxes = [_stacked(some, order, gap) for some in states]
    for x, (before, after) in enumerate(pairwise(states)):
        steps = Counter(zip(before, after, strict=True))
        _draw_bands(axes, x, steps, order, (boxes[x], boxes[x + 1]), colours)
    for x, (name, some) in enumerate(zip(names, boxes, strict=True)):
        for one, (low, count) in some.items():
            hatch = "//" if one in _GONE.values() else ""
            axes.bar(x, count, 0.12, low, color=colours[one], hatch=hatch, edgecolor="white")
            axes.text(
                x, low + count / 2, f"{one.removeprefix('ARCO ')}: {count:.0f}", ha="center",
                va="center", fontsize="small",
                bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
            )  # fmt: skip
        axes.text(x, -0.6 * gap - 0.2, name, ha="center", va="bottom", weight="bold")
    axes.set(xlim=(-0.3, len(names) - 0.7))
    axes.invert_yaxis()
    axes.axis("off")
    return drawing


Boxes = Mapping[str, tuple[float, float]]


def _draw_bands(
    axes: "Axes",
    x: int,
    steps: Mapping[tuple[str, str], int],
    order: Sequence[str],
    boxes: tuple[Boxes, Boxes],
    colours: Mapping[str, str],
) -> None:
    used: list[dict[str, float]] = [dict.fromkeys(order, 0.0), dict.fromkeys(order, 0.0)]
    turn = (1 - np.cos(np.linspace(0, np.pi, 40))) / 2
    across = x + np.linspace(0.06, 0.94, 40)
    for one in order:
        for other in order:
            hips = steps.get((one, other), 0)
            if not hips:
                continue
            left = boxes[0][one][0] + used[0][one]
            right = boxes[1][other][0] + used[1][other]
            below = left + (right - left) * turn
            axes.fill_between(across, below, below + hips, color=colours[one], alpha=0.4,
                              linewidth=0)  # fmt: skip
            used[0][one] += hips
            used[1][other] += hips


def _stacked(
    states: Sequence[str], order: Sequence[str], gap: float
) -> dict[str, tuple[float, float]]:
    """Where each stage's box begins, and its hips."""
    totals, found, place = Counter(states), {}, 0.0
    for one in order:
        if totals[one]:
            found[one] = (place, float(totals[one]))
            place += totals[one] + gap
    return found


# ---- the flow ----------------------------------------------------------------------------------


def _flow(cohort: AnalysisSet) -> Figure:
    rows: list[dict[str, Cell]] = [
        {"step": one.step, "patients": one.patients, "hips": one.hips, "reason": one.reason}
        for one in flow(cohort)
    ]
    return Figure(
        "flow",
        "Flow of patients and hips",
        "From the study's records to each visit; beside it the hips that were not seen, and why.",
        tuple(rows),
        lambda: _draw_flow(rows),
    )


def _draw_flow(rows: Sequence[Mapping[str, Any]]) -> "Drawing":
    main = [row for row in rows if not row["reason"]]
    beside: dict[int, list[str]] = {}
    seen = -1
    for row in rows:
        if row["reason"]:
            words = row["reason"] if row["step"].startswith("visit ") else row["step"]
            where = min(max(seen + (not row["step"].startswith("visit ")), 0), len(main) - 1)
            beside.setdefault(where, []).append(f"{words}: {_of(row)}")
        else:
            seen += 1
    drawing, axes = _sheet(0.3 + 0.72 * len(main))
    box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "black"}
    for place, row in enumerate(main):
        title = row["step"].removesuffix(": seen")
        axes.text(0.28, -place, f"{title}\n{_of(row)}", ha="center", va="center", bbox=box,
                  fontsize="small")  # fmt: skip
        if place:
            axes.annotate("", (0.28, -place + 0.33), (0.28, -place + 0.67),
                          arrowprops={"arrowstyle": "->"})  # fmt: skip
        if place in beside:
            axes.plot([0.46, 0.56], [-place, -place], color="black", linewidth=0.8)
            axes.text(0.57, -place, "\n".join(beside[place]), va="center", fontsize="small")
    axes.set(xlim=(0, 1), ylim=(-len(main) + 0.5, 0.5))
    axes.axis("off")
    return drawing


def _of(row: Mapping[str, Any]) -> str:
    return f"{counted(row['patients'], 'patient')}, {counted(row['hips'], 'hip')}"


# ---- time to event -----------------------------------------------------------------------------


def _of_events(events: EventStudy) -> Iterator[Figure]:
    for curve, title, caption in (
        ("incidence", f"Cumulative incidence of {events.endpoint}",
         "Replacement and death compete where they do not count as the event."),
        ("survival", f"Hips without {events.endpoint} (Kaplan-Meier)",
         "What competes ends the observation."),
    ):  # fmt: skip
        own = [row for row in events.curves if row.curve == curve]
        rows: list[dict[str, Cell]] = [
            {
                "group": row.group, "years": row.years, "value": row.value, "low": row.low,
                "high": row.high, "at_risk": row.at_risk,
            }
            for row in own
        ]  # fmt: skip
        yield Figure(
            curve,
            title,
            f"{caption} The band is the pointwise 95 % interval of all hips; below are the "
            "numbers at risk.",
            tuple(rows),
            lambda own=own, curve=curve: _draw_curves(own, curve, events),  # type: ignore[misc]
        )
    curves = [(name, found) for name, found, _ in roc_of_angle(events.times) if found.auc]
    if curves:
        points: list[dict[str, Cell]] = [
            {"number": name, "one_less_specificity": float(x), "sensitivity": float(y)}
            for name, found in curves
            for x, y in zip(found.false_positive, found.true_positive, strict=True)
        ]
        yield Figure(
            "prediction",
            f"How well the angle predicts {events.endpoint}",
            "The diagonal is chance.",
            tuple(points),
            lambda: _draw_roc(points, {name: found.auc or 0.0 for name, found in curves}),
        )
    for quantity, name, title, caption in (
        ("event_share", "shares", f"Share of hips with {events.endpoint}, by grade and risk",
         "Of all hips at risk, with the exact 95 % interval."),
        ("failure_by_rule", "failure_rules", "What failure depends on",
         "The share of hips that failed by each rule, with the exact 95 % interval."),
    ):  # fmt: skip
        shares: list[dict[str, Cell]] = [
            {"group": one.group, "share": one.value, "low": one.low, "high": one.high, "n": one.n}
            for one in events.quantities
            if one.quantity == quantity and one.value is not None
        ]
        if shares:
            yield Figure(name, title, caption, tuple(shares),
                         lambda shares=shares: _draw_shares(shares))  # type: ignore[misc]  # fmt: skip


def _draw_shares(rows: Sequence[Mapping[str, Any]]) -> "Drawing":
    names = [f"{row['group']} (n {row['n']})" for row in rows]
    drawing, axes = _sheet(1.0 + 0.38 * len(rows))
    _draw_intervals(axes, rows, "share", names)
    axes.set(xlim=(-2, 102), xlabel="hips with the event (%)")
    return drawing


def _draw_curves(rows: Sequence[CurveRow], curve: str, events: EventStudy) -> "Drawing":
    from matplotlib.figure import Figure as Drawing

    groups = list(dict.fromkeys(row.group for row in rows))
    drawing = Drawing(figsize=(WIDTH_IN, HEIGHT_IN + 0.2 * len(groups)), layout="constrained")
    axes, table = drawing.subplots(2, 1, sharex=True, height_ratios=(5, 0.4 + 0.45 * len(groups)))
    for place, group in enumerate(groups):
        own = [row for row in rows if row.group == group]
        years = [row.years for row in own]
        colour = "black" if group == "all" else PALETTE[(place - 1) % len(PALETTE)]
        axes.step(
            years, [100 * row.value for row in own], where="post", color=colour, label=group,
            linestyle=DASHES[place % len(DASHES)], linewidth=2 if group == "all" else 1.6,
        )  # fmt: skip
        if group == "all":
            axes.fill_between(
                years, [100 * row.low for row in own], [100 * row.high for row in own],
                step="post", color="0.85", linewidth=0,
            )  # fmt: skip
        _write_at_risk(table, place, group, events)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set(ylabel="hips with the event (%)" if curve == "incidence" else "hips without (%)",
             ylim=(0, 102))  # fmt: skip
    axes.legend(frameon=False, fontsize="small")
    table.set(yticks=range(len(groups)), yticklabels=groups, ylim=(len(groups) - 0.4, -0.7),
              xlabel="years from the index date; numbers are hips at risk")  # fmt: skip
    for side in ("top", "right", "left"):
        table.spines[side].set_visible(False)
    table.tick_params(left=False)
    return drawing


def _write_at_risk(table: "Axes", place: int, group: str, events: EventStudy) -> None:
    longest = max(one.years for one in events.groups[group])
    years = range(0, math.floor(longest) + 1, max(1, math.ceil(longest / 8)))
    for year, count in zip(years, events.at_risk(group, years), strict=True):
        table.text(year, place, str(count), ha="center", va="center", fontsize="small")


def _draw_roc(rows: Sequence[Mapping[str, Any]], areas: Mapping[str, float]) -> "Drawing":
    drawing, axes = _sheet(4.8)
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
    for place, (name, area) in enumerate(areas.items()):
        own = [row for row in rows if row["number"] == name]
        axes.plot(
            [row["one_less_specificity"] for row in own], [row["sensitivity"] for row in own],
            color=PALETTE[place], linestyle=DASHES[place], linewidth=2,
            label=f"{name}, area {area:.2f}",
        )  # fmt: skip
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    axes.legend(frameon=False, loc="lower right")
    return drawing


# ---- agreement ---------------------------------------------------------------------------------


def _of_agreement(cohort: AnalysisSet, agreement: AgreementStudy) -> Iterator[Figure]:
    for first, second, pairs in pairs_of(cohort, "cna_deg"):
        rows: list[dict[str, Cell]] = [
            {"mean_deg": (one + other) / 2, "difference_deg": other - one} for one, other in pairs
        ]
        limits = {
            row.statistic: row.value
            for row in agreement.rows
            if row.quantity == "CNA" and row.readers == f"{second} less {first}"
        }
        if "lower limit of agreement" not in limits:
            continue
        yield Figure(
            f"agreement_{first}_{second}",
            f"CNA: {second} less {first}",
            "Bland-Altman: each point is a hip; lines are the bias and the limits of agreement.",
            tuple(rows),
            lambda rows=rows, limits=limits: _draw_agreement(rows, limits),  # type: ignore[misc]
        )
    coefficients = [
        row for row in agreement.rows
        if row.statistic == "ICC(2,1)" and row.value is not None and row.low is not None
    ]  # fmt: skip
    if coefficients:
        shown: list[dict[str, Cell]] = [
            {"quantity": row.quantity, "icc": row.value, "low": row.low, "high": row.high}
            for row in coefficients
        ]
        yield Figure(
            "icc",
            "Intraclass correlation, ICC(2,1)",
            "One reading by any reader, absolute agreement, with the 95 % interval.",
            tuple(shown),
            lambda: _draw_forest(shown),
        )


def _draw_agreement(
    rows: Sequence[Mapping[str, Any]], limits: Mapping[str, float | None]
) -> "Drawing":
    drawing, axes = _sheet()
    axes.plot(
        [row["mean_deg"] for row in rows], [row["difference_deg"] for row in rows], "o",
        color=PALETTE[0], markersize=5, alpha=0.8, linestyle="none",
    )  # fmt: skip
    for name, style in (
        ("bias", "-"), ("lower limit of agreement", "--"), ("upper limit of agreement", "--"),
    ):  # fmt: skip
        value = limits.get(name)
        if value is not None:
            axes.axhline(value, color="black", linestyle=style, linewidth=1)
            axes.annotate(f"{name.replace(' of agreement', '')} {value:.1f}°", (1, value),
                          xycoords=("axes fraction", "data"), ha="right", va="bottom",
                          fontsize="small")  # fmt: skip
    axes.set(xlabel="mean of the two readings (degrees)", ylabel="difference (degrees)")
    return drawing


def _draw_forest(rows: Sequence[Mapping[str, Any]]) -> "Drawing":
    drawing, axes = _sheet(0.8 + 0.45 * len(rows))
    _draw_intervals(axes, rows, "icc", [row["quantity"] for row in rows])
    lowest = min(float(row["low"]) for row in rows)
    axes.set(xlim=(min(0.0, lowest), 1.02), xlabel="ICC(2,1)")
    return drawing


def _draw_intervals(
    axes: "Axes", rows: Sequence[Mapping[str, Any]], name: str, labels: Sequence[str]
) -> None:
    """A mark with its interval for each row, from top to bottom."""
    places = np.arange(len(rows))
    values, low, high = (np.array([row[one] for row in rows]) for one in (name, "low", "high"))
    reach = np.maximum(np.stack([values - low, high - values]), 0.0)
    axes.errorbar(values, places, xerr=reach, fmt="s", color=PALETTE[0], capsize=3)
    axes.set(yticks=places, yticklabels=labels)
    axes.invert_yaxis()


# ---- how readers mark --------------------------------------------------------------------------


def _calibration(cohort: AnalysisSet) -> Figure | None:
    """The spread of each calibrated reader, with the interval that its degrees of freedom leave."""
    rows: list[dict[str, Cell]] = []
    for one in cohort.protocol.noise.readers:
        variance = MeanSquare(one.end_sd_mm**2, one.end_dof)
        low, high = (bound**0.5 for bound in interval_of_sum([variance]))
        rows.append({"reader": one.reader, "spread_mm": one.end_sd_mm, "low": low, "high": high,
                     "habit_mm": one.end_bias_mm})  # fmt: skip
    if not rows:
        return None
    return Figure(
        "calibration",
        "How each reader marks the ends of the arc",
        "Spread from one mark to the next along the surface of the head, with its 95 % interval; "
        "the cross is the reader's habit.",
        tuple(rows),
        lambda: _draw_calibration(rows),
    )


def _draw_calibration(rows: Sequence[Mapping[str, Any]]) -> "Drawing":
    drawing, axes = _sheet(1.2 + 0.45 * len(rows))
    _draw_intervals(axes, rows, "spread_mm", [row["reader"] for row in rows])
    axes.plot([row["habit_mm"] for row in rows], range(len(rows)), "x", color=PALETTE[1],
              markersize=8)  # fmt: skip
    axes.set(xlabel="mm along the surface")
    axes.set_xlim(left=0)
    return drawing


# ---- grades of two readers ---------------------------------------------------------------------


def _grades(cohort: AnalysisSet) -> Iterator[Figure]:
    for first, second, pairs in grade_pairs_of(cohort, "ha_grade"):
        counts = Counter(pairs)
        order = [one for one in GRADES["ha_grade"][1] if any(one in pair for pair in counts)]
        rows: list[dict[str, Cell]] = [
            {first: one, second: other, "hips": counts[one, other]}
            for one in order
            for other in order
        ]
        yield Figure(
            f"grades_{first}_{second}",
            f"Ha's grade: {first} and {second}",
            "Hip visits by the grades of two readers, first reads; on the diagonal both agree.",
            tuple(rows),
            lambda order=order, counts=counts, who=(first, second): _draw_grades(  # type: ignore[misc]
                order, counts, who
            ),
        )


def _draw_grades(
    order: Sequence[str], counts: Mapping[tuple[str, str], int], who: tuple[str, str]
) -> "Drawing":
    drawing, axes = _sheet(0.9 + 0.75 * len(order))
    table = np.array([[counts.get((one, other), 0) for other in order] for one in order])
    axes.imshow(table, cmap="Greys", vmin=0, vmax=max(int(table.max()) * 1.6, 1))
    for row in range(len(order)):
        for column in range(len(order)):
            axes.text(column, row, str(table[row, column]), ha="center", va="center",
                      weight="bold" if row == column else "normal")  # fmt: skip
    axes.set_xticks(range(len(order)), order)
    axes.set_yticks(range(len(order)), order)
    axes.set(ylabel=f"grade by {who[0]}", xlabel=f"grade by {who[1]}")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return drawing
