"""The tables of a study's report: rows of texts, the same for page, sheets and files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from necroangle.analysis.agreement import AgreementRow, is_main
from necroangle.analysis.baseline import lines_of
from necroangle.analysis.events import title_of
from necroangle.analysis.visits import DOUBTS, HipVisit
from necroangle.clinical.queries import STATES
from necroangle.measurement.grades import show_deg
from necroangle.studyreport.content import HipPage, StudyReport, VisitPicture


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes
    ----------
    name, title, caption
        Of its file, above it, and what it shows in words.
    columns
        Headings.
    rows
        Texts; rows that follow each other with one first text are one group.
    shares
        How wide each column is, beside the others.
    """

    name: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]

    def spans(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Each row with how many rows its first cell stands for, 0 where one above says it.

        Examples
        --------
        >>> table = Table("t", "", "", ("a", "b"), (("x", "1"), ("x", "2"), ("y", "3")), (1, 1))
        >>> [span for span, _ in table.spans()]
        [2, 0, 1]
        """
        for _, own in groupby(self.rows, key=lambda row: row[0]):
            group = list(own)
            for place, row in enumerate(group):
                yield (0 if place else len(group)), row

    @property
    def cells(self) -> list[dict[str, str]]:
        """Its rows by heading, for a file."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def tables_of(report: StudyReport) -> dict[str, Table]:
    """Every table that the study has something for, by name."""
    makers = (_flow, _baseline, _events, _rules, _agreement, _every_agreement, _flips,
              _calibration, _queries, _flags, _provenance)  # fmt: skip
    made = [make(report) for make in makers]
    return {one.name: one for one in made if one.rows}


def _flow(report: StudyReport) -> Table:
    rows = [(one.step, str(one.patients), str(one.hips), one.reason) for one in report.flow]
    return Table(
        "flow", "Flow of patients and hips", "How many were seen, and why others were not.",
        ("step", "patients", "hips", "reason"), tuple(rows), (3, 1, 1, 3),
    )  # fmt: skip


def _baseline(report: StudyReport) -> Table:
    groups, lines = lines_of(report.baseline)
    rows = []
    for line in lines:
        unit = line.whole.unit
        of = line.whole.unit_of + (f", {unit}" if unit not in ("", "%") else "")
        apart = line.whole.difference
        rows.append(
            (
                f"{line.variable} ({of})",
                line.level,
                *line.texts(groups, "–"),
                "–" if apart is None else f"{apart:.2f}",
            )
        )
    return Table(
        "baseline", "Baseline by ARCO stage", "Median [quartiles], or number and share.",
        ("variable", "level", *groups, "standardised difference"), tuple(rows),
        (2.2, 1.2, *(1.8 for _ in groups), 1.2),
    )  # fmt: skip


_RULES = "failure_by_rule"


def _events(report: StudyReport) -> Table:
    found = report.events.quantities if report.events else ()
    rows = [
        (
            title_of(one.quantity),
            one.group,
            one.text,
            str(one.n),
            "; ".join(part for part in (one.method, one.words if one.value is not None else "")
                      if part),
        )
        for one in found
        if one.quantity != _RULES
    ]  # fmt: skip
    return Table(
        "time_to_failure", "Time to failure, and what predicts it",
        "Every number with its 95 % interval and its method.",
        ("quantity", "of", "found", "n", "method"), tuple(rows), (2, 1.6, 2.2, 0.5, 4.2),
    )  # fmt: skip


def _rules(report: StudyReport) -> Table:
    found = report.events.quantities if report.events else ()
    rows = [
        (one.group, one.text, str(one.n), one.method) for one in found if one.quantity == _RULES
    ]
    return Table(
        "failure_rules", "What failure depends on",
        "The share of hips that failed by each rule, with its exact interval.",
        ("rule", "failed", "hips judged", "what it asks for"), tuple(rows), (2.2, 2, 0.8, 4.5),
    )  # fmt: skip


_OF_AGREEMENT = ("quantity", "statistic", "readers", "found", "by patients", "hip visits")


def _agreement(report: StudyReport) -> Table:
    rows = report.agreement.rows if report.agreement else ()
    return Table(
        "agreement", "Agreement of the readers",
        "With the 95 % interval of the formula, and that of resampling patients.",
        _OF_AGREEMENT, tuple(_agreed(one) for one in rows if is_main(one)),
        (1.4, 2.6, 1.4, 2.6, 1.8, 0.8),
    )  # fmt: skip


def _every_agreement(report: StudyReport) -> Table:
    rows = report.agreement.rows if report.agreement else ()
    return Table(
        "agreement_more", "Agreement: boundaries, slices and every coefficient",
        "What the table above leaves out.", _OF_AGREEMENT,
        tuple(_agreed(one) for one in rows if not is_main(one)), (1.4, 2.6, 1.4, 2.6, 1.8, 0.8),
    )  # fmt: skip


def _agreed(one: AgreementRow) -> tuple[str, ...]:
    text = one.text if one.value is None or not one.words else f"{one.text}; {one.words}"
    return one.quantity, one.statistic, one.readers, text, one.by_patients, str(one.hips)


def _flips(report: StudyReport) -> Table:
    flips = report.agreement.flips if report.agreement else ()
    rows = [
        (
            one.quantity,
            f"{one.subject} {one.laterality}",
            one.visit,
            ", ".join(f"{reader} {grade}" for reader, grade in one.grades),
        )
        for one in flips
    ]
    return Table(
        "grades_that_flip", "Hips whose grade depends on the reader", "First reads.",
        ("grade", "hip", "visit", "readers"), tuple(rows), (1.5, 1.5, 1, 4),
    )  # fmt: skip


def _calibration(report: StudyReport) -> Table:
    noise = report.outcomes.cohort.protocol.noise
    rows = [
        (
            one.reader,
            f"{one.end_sd_mm:.2f} mm",
            f"{one.end_bias_mm:.2f} mm",
            "known" if one.end_dof >= 1e8 else f"{one.end_dof:g}",
            "calibration hips" if one.source == "calibration" else "study.toml",
        )
        for one in noise.readers
    ]
    unknown = sorted(set(report.outcomes.cohort.readers) - {one.reader for one in noise.readers})
    ends = noise.of_ends
    rows += [
        (name, f"{ends.sd_mm:.2f} mm", f"{ends.bias_mm:.2f} mm", f"{ends.dof:g}",
         "not calibrated: " + ends.source)
        for name in unknown
    ]  # fmt: skip
    return Table(
        "calibration", "Calibration of each reader",
        "How a reader marks the ends of the necrotic arc, along the surface of the head: from one "
        "mark to the next, and as a habit.",
        ("reader", "spread of a mark", "habit", "degrees of freedom", "from"), tuple(rows),
        (1.5, 1.5, 1.2, 1.5, 3),
    )  # fmt: skip


def _queries(report: StudyReport) -> Table:
    count = Counter(one.state for one in report.queries)
    states = ", ".join(f"{count[state]} {state}" for state in STATES if count[state])
    rows = [
        (one.place, one.issue.message, f"{one.state}: {one.answer}" if one.answer else one.state)
        for one in report.queries
    ]
    return Table(
        "queries", "Queries", f"What a monitor would ask: {states}.",
        ("where", "what", "state"), tuple(rows), (2, 5, 1.6),
    )  # fmt: skip


def _flags(report: StudyReport) -> Table:
    rows = []
    for hip in report.hips:
        for one in hip.visits:
            rows += [(hip.name, one.visit.planned.name, word) for word in doubts_of(one)]
    return Table(
        "flags", "Flags", "What is to be looked at before it is printed.",
        ("hip", "visit", "what"), tuple(rows), (1.2, 1, 6),
    )  # fmt: skip


def doubts_of(one: VisitPicture) -> list[str]:
    """What is to be looked at in a visit: its place in time, its entries, its marks."""
    words = [DOUBTS.get(name, name.replace("_", " ")) for name in one.visit.flags]
    return list(dict.fromkeys((*words, *one.doubts)))


def _provenance(report: StudyReport) -> Table:
    came = report.provenance
    rows = [
        ("software", came.software),
        ("cohort table", f"{came.cohort}, {came.rows} rows"),
        *([("ledger", came.anchor)] if came.anchor else ()),
        ("locked state", came.state or "none: the cohort was open"),
        *(("export", one) for one in came.exports or ("none stands in the study's folder",)),
        ("angle by", came.method),
        ("made", came.made.isoformat(timespec="seconds")),
    ]
    return Table(
        "provenance", "Where this comes from",
        "`necroangle verify` proves the ledger's line later.",
        ("what", "which"), tuple(rows), (1, 6),
    )  # fmt: skip


# ---- one hip -----------------------------------------------------------------------------------

_OF_VISITS = ("visit", "CNA", "change from baseline", "stages", "VAS", "HHS", "to look at")


def visits_table(hip: HipPage) -> Table:
    """The visits of a hip side by side, as rows."""
    rows = [
        (
            _when(one.visit),
            " ".join(part for part in (angle_words(one.visit), one.grade) if part),
            change_words(one.visit),
            stage_words(one.visit),
            "" if one.visit.vas is None else f"{one.visit.vas:.1f}",
            "" if one.visit.hhs is None else f"{one.visit.hhs:.0f}",
            "; ".join(doubts_of(one)),
        )
        for one in hip.visits
    ]
    return Table("hip", hip.name, "", _OF_VISITS, tuple(rows), (1.4, 2.4, 2, 1.4, 0.5, 0.5, 2.6))


def _when(visit: HipVisit) -> str:
    months = "" if visit.months is None else f", month {visit.months:.1f}"
    state = "" if visit.state == "observed" else f", {visit.state.replace('_', ' ')}"
    return f"{visit.planned.name}{months}{state}"


def angle_words(visit: HipVisit) -> str:
    """The angle with its interval, and who read it; empty without one."""
    read = visit.read
    if read is None or read.cna_deg is None:
        return ""
    text = show_deg(read.cna_deg)
    if read.low_deg is not None and read.high_deg is not None:
        text += f" ({show_deg(read.low_deg)} to {show_deg(read.high_deg)})"
    return f"{text}, read by {read.reader}."


def change_words(visit: HipVisit) -> str:
    """The change from the baseline, and whether it is beyond measuring error; empty without one."""
    change = visit.change
    if change is None:
        return ""
    judged = {None: "not judged", True: "beyond measuring error", False: "within measuring error"}
    text = f"{change.change_deg:+.1f}°, {judged[change.is_real]}"
    return text + ("" if change.mdc95_deg is None else f" (MDC95 {change.mdc95_deg:.1f}°)")


def stage_words(visit: HipVisit) -> str:
    """ARCO stage, JIC type and stage; empty where none is known."""
    named = (("ARCO", visit.arco), ("JIC type", visit.jic), ("JIC stage", visit.jic_stage))
    return ", ".join(f"{name} {stage}" for name, stage in named if stage)
