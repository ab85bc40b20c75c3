"""The figures of a study's report: each a drawing by matplotlib, with the rows that it shows.

Colours are those of Okabe and Ito, which the colour-blind tell apart; lines differ in their dashes
and marks in their shape, so that a figure says the same in grey.
"""

import io
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from necroangle.analysis.agreement import AgreementStudy, pairs_of
from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.events import CurveRow, EventStudy, roc_of_angle
from necroangle.analysis.hips import HipOutcome
from necroangle.measurement.grades import HA_GRADES
from necroangle.measurement.row import Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

__all__ = ["Figure", "study_figures"]

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
        _angle_over_time(hips),
        _waterfall(hips),
        _transitions(hips),
        *(_of_events(events) if events else ()),
        *(_of_agreement(cohort, agreement) if agreement else ()),
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


def _transitions(hips: Sequence[HipOutcome]) -> Figure | None:
    steps = Counter(
        (f"ARCO {hip.arco_baseline}", _end_stage(hip))
        for hip in hips
        if hip.arco_baseline is not None and (hip.arco_last is not None or hip.has_tha)
    )
    if not steps:
        return None
    rows: list[dict[str, Cell]] = [
        {"baseline": first, "last": last, "hips": count}
        for (first, last), count in sorted(steps.items())
    ]
    return Figure(
        "stages",
        "ARCO stage at the baseline and last",
        "The height of a band is the number of hips.",
        tuple(rows),
        lambda: _draw_transitions(steps),
    )


def _end_stage(hip: HipOutcome) -> str:
    return "replaced" if hip.has_tha else f"ARCO {hip.arco_last}"


def _draw_transitions(steps: Mapping[tuple[str, str], int]) -> "Drawing":
    drawing, axes = _sheet()
    gap = 0.06 * sum(steps.values()) + 0.4
    starts, ends = _stacked(steps, 0, gap), _stacked(steps, 1, gap)
    colours = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(starts)}
    used_left, used_right = dict.fromkeys(starts, 0.0), dict.fromkeys(ends, 0.0)
    turn = (1 - np.cos(np.linspace(0, np.pi, 40))) / 2
    across = np.linspace(0.12, 0.88, 40)
    for (first, last), hips in sorted(steps.items()):
        left = starts[first][0] + used_left[first]
        right = ends[last][0] + used_right[last]
        below = left + (right - left) * turn
        axes.fill_between(across, below, below + hips, color=colours[first], alpha=0.45,
                          linewidth=0)  # fmt: skip
        used_left[first] += hips
        used_right[last] += hips
    for boxes, x, side in ((starts, 0.09, "right"), (ends, 0.91, "left")):
        for name, (low, count) in boxes.items():
            axes.bar(x, count, 0.06, low, color=colours.get(name, "0.4"))
            away = -0.04 if side == "right" else 0.04
            axes.text(x + away, low + count / 2, f"{name}: {count:.0f}", ha=side, va="center")
    axes.set(xlim=(-0.2, 1.2))
    axes.invert_yaxis()
    axes.axis("off")
    return drawing


def _stacked(
    steps: Mapping[tuple[str, str], int], side: int, gap: float
) -> dict[str, tuple[float, float]]:
    """Where each stage's box begins, and its hips."""
    totals: Counter[str] = Counter()
    for pair, count in steps.items():
        totals[pair[side]] += count
    found, place = {}, 0.0
    for name in sorted(totals):
        found[name] = (place, float(totals[name]))
        place += totals[name] + gap
    return found


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
            "foretelling",
            f"How well the angle foretells {events.endpoint}",
            "The diagonal is chance.",
            tuple(points),
            lambda: _draw_roc(points, {name: found.auc or 0.0 for name, found in curves}),
        )


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
        _write_at_risk(table, place, group, [row for row in events.curves if row.group == group])
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


def _write_at_risk(table: "Axes", place: int, group: str, rows: Sequence[CurveRow]) -> None:
    own = [row for row in rows if row.group == group and row.curve == "incidence"]
    longest = max(row.years for row in own)
    step = max(1, math.ceil(longest / 8))
    for year in range(0, math.floor(longest) + 1, step):
        later = [row.at_risk for row in own if row.years >= year]
        table.text(year, place, str(later[0] if later else 0), ha="center", va="center",
                   fontsize="small")  # fmt: skip


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
    places = np.arange(len(rows))
    values = np.array([row["icc"] for row in rows])
    low, high = (np.array([row[name] for row in rows]) for name in ("low", "high"))
    reach = np.stack([values - low, high - values])
    axes.errorbar(values, places, xerr=reach, fmt="s", color=PALETTE[0], capsize=3)
    axes.set(yticks=places, yticklabels=[row["quantity"] for row in rows], xlim=(min(0, float(
        min(row["low"] for row in rows))), 1.02), xlabel="ICC(2,1)")  # fmt: skip
    axes.invert_yaxis()
    return drawing
