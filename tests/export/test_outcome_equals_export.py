"""Every number of ``outcome``, computed again from the exported .sav alone.

The code here knows pandas, numpy and scipy, the study's rules as they are documented, and nothing
of necroangle's own analysis. ``NECROANGLE_OUTCOME_SEEDS=100:160`` runs those seeds in place of
a few.
"""

import io
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from click.testing import CliRunner
from oddcohort import READERS, OddCohort, odd_cohort
from scipy import stats

from necroangle.cli.analyses.outcome import command as outcome
from necroangle.cli.records.export import command as export
from necroangle.cohort import load

SEEDS_VARIABLE = "NECROANGLE_OUTCOME_SEEDS"
DAYS_PER_MONTH = 365.25 / 12
OBSERVED, MISSING, BEFORE, AFTER_THA, AFTER_DEATH, LOST = range(1, 7)
ARCO = {10: "1", 20: "2", 31: "3A", 32: "3B", 40: "4"}
"""Codes of ARCO stages, and of JIC stages."""
JIC = {1: "A", 2: "B", 3: "C1", 4: "C2"}
SEX = {1: "M", 2: "F"}
CAUSES = {1: "steroid", 2: "alcohol", 3: "both", 4: "idiopathic", 5: "trauma", 6: "other"}
STATES = {
    OBSERVED: "observed",
    MISSING: "missing",
    BEFORE: "before_baseline",
    AFTER_THA: "censored_tha",
    AFTER_DEATH: "censored_death",
    LOST: "lost",
}


def seeds() -> list[int]:
    first, _, last = os.environ.get(SEEDS_VARIABLE, "1:4").partition(":")
    return list(range(int(first), int(last)))


def run(command: Any, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def table_of(*arguments: str) -> pd.DataFrame:
    text = run(outcome, *arguments, "--csv")
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


def sav(folder: Path) -> pd.DataFrame:
    frame, _ = pyreadstat.read_sav(str(folder / "cohort.sav"))
    texts = frame.select_dtypes(exclude="number").columns
    frame[texts] = frame[texts].apply(lambda column: column.str.strip())
    return frame


@pytest.mark.parametrize("seed", seeds())
def test_every_number_comes_back_from_the_exported_file(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = odd_cohort(seed)
    cohort.keep(tmp_path)
    monkeypatch.chdir(tmp_path)
    run(export, "--to", "sav", "--unit", "hip_visit", "--out", "visits", "--by", "test")
    run(export, "--to", "sav", "--unit", "reading", "--out", "readings", "--by", "test")
    visits, readings = sav(tmp_path / "visits"), sav(tmp_path / "readings")
    agree_row_by_row(table_of("--table", "visits"), visits)
    again = Recomputed(visits, readings, cohort).numbers()
    printed = table_of()
    assert len(printed) == len(printed.drop_duplicates(["quantity", "group"]))
    said: dict[tuple[str, str], Any] = {
        (str(row.quantity), str(row.group)): row for row in printed.itertuples()
    }
    assert {key for key, row in said.items() if not math.isnan(row.value)} == again.keys()
    for key, (count, value, low, high) in again.items():
        row = said[key]
        assert row.n == count, key
        found = [row.value, row.low, row.high]
        wanted = [math.nan if one is None else one for one in (value, low, high)]
        # of repeats, what their rims and slices explain is taken out: here a millionth
        rel = 1e-5 if key[0] == "cna_mdc95" else 1e-9
        assert found == pytest.approx(wanted, rel=rel, abs=1e-9, nan_ok=True), key
    nothing_of_the_hip_leaves(cohort, visits, readings, load(tmp_path / "cohort.sqlite"))


def agree_row_by_row(told: pd.DataFrame, visits: pd.DataFrame) -> None:
    """Months, days, reader, angle and state of every visit that holds anything."""
    visits = visits[~visits["visit_state"].isin([MISSING, LOST])]
    told = told.assign(hip_id=told["subject"] + "_" + told["laterality"])
    both = told.merge(visits, on=["hip_id", "visit"], how="right", suffixes=("", "_sav"))
    assert both["state"].notna().all(), "outcome knows every visit of the file"
    seen = told[told["state"].isin(["observed", "before_baseline"])]
    assert set(zip(seen["hip_id"], seen["visit"], strict=True)) <= set(
        zip(visits["hip_id"], visits["visit"], strict=True)
    )
    pairs = (
        ("days_from_index", "days_from_baseline"),
        ("months", "months_sav"),
        ("months_nominal", "months_nominal_sav"),
        ("cna_deg", "cna_deg_sav"),
        ("cna_se_total", "cna_se_total_sav"),
        ("read_no", "read_no_sav"),
        ("baseline", "is_baseline"),
        ("in_window", "in_window_sav"),
        ("consensus", "is_consensus"),
        ("cna_change_deg", "cna_change_deg_sav"),
        ("cna_change_mdc95_deg", "cna_change_mdc95_deg_sav"),
        ("cna_change_real", "cna_change_real_sav"),
        ("ha_grade", "cna_grade"),
        ("vas", "vas_10"),
        ("hhs", "hhs_sav"),
    )
    for one, other in pairs:
        np.testing.assert_allclose(both[one], both[other], rtol=1e-12, atol=1e-12, err_msg=one)
    assert list(both["reader"].fillna("")) == list(both["reader_id"].fillna(""))
    assert list(both["state"]) == [STATES[int(code)] for code in both["visit_state"]]
    for name, words in (("arco", ARCO), ("jic", JIC), ("jic_stage", ARCO)):
        coded = [words[int(code)] if code == code else "" for code in both[f"{name}_sav"]]
        assert list(both[name].fillna("").astype(str)) == coded


def nothing_of_the_hip_leaves(
    cohort: OddCohort, visits: pd.DataFrame, readings: pd.DataFrame, frame: pd.DataFrame
) -> None:
    """No angle, stage, type or score of a dated visit after the replacement or death."""
    dated = {
        (row["subject"], row["laterality"], row["visit"]): pd.Timestamp(row["visit_date"]).date()
        for row in cohort.records["visit"]
        if row["visit_date"]
    }
    later = {
        (f"{subject}_{side}", visit)
        for (subject, side, visit), day in dated.items()
        if day > cohort.natural_until[subject, side]
    }
    names = ["cna_deg", "cna_cor_deg", "cna_sag_deg", "cna_grade", "arco", "jic", "arco_read"]
    names += ["jic_read", "vas", "vas_10", "hhs", "cna_change_deg", "cor_radius_mm"]
    for exported in (visits, readings):
        places = list(zip(exported["hip_id"], exported["visit"], strict=True))
        after = exported[[place in later for place in places]]
        assert after[names].isna().all(axis=None)
    assert later, "a cohort without any visit after the hip shows nothing"
    hips = frame["subject"].astype(str) + "_" + frame["laterality"].astype(str)
    places = list(zip(hips, frame["visit"], strict=True))
    after = frame[[place in later for place in places]]
    assert after[["cna_deg", "a_deg", "b_deg", "arco", "jic", "ha_grade"]].isna().all(axis=None)


Number = tuple[int, float | None, float | None, float | None]


class Recomputed:
    """The quantities, from the rows of hip visits; the error of marking, from the readings."""

    def __init__(self, visits: pd.DataFrame, readings: pd.DataFrame, cohort: OddCohort) -> None:
        self.protocol = cohort.protocol
        self.found: dict[tuple[str, str], Number] = {}
        self.records_failures = bool((visits["radiographic_failure"] == 1).any())
        self.planned = [visit.name for visit in cohort.protocol.visits]
        self.noises = self.repeat_noise(readings)
        self.noise = self.noises[0] or self.noises[1]
        if not self.planned:
            attended = visits[~visits["visit_state"].isin([MISSING, LOST])]
            self.planned = list(dict.fromkeys(attended["visit"]))
        visits = visits.assign(
            place=visits["days_from_baseline"].fillna(visits["months"] * DAYS_PER_MONTH)
        )
        self.before = visits[visits["replaced_before"] == 1]["hip_id"].nunique()
        counted = visits[visits["replaced_before"] == 0]
        self.hips = {name: Hip(rows, self) for name, rows in counted.groupby("hip_id")}

    def repeat_noise(self, readings: pd.DataFrame) -> list[tuple[float, int] | None]:
        """Of one reader, and between two: smallest real change and degrees of freedom."""
        found: list[tuple[float, int] | None] = []
        own = readings[(readings["consensus"] == 0) & readings["cna_deg"].notna()]
        if self.protocol.readers:
            own = own[own["reader_id"].isin(READERS)]
        hip = ["hip_id", "visit"]
        first = own.sort_values("read_no").groupby([*hip, "reader_id"], as_index=False).first()
        for groups in (own.groupby([*hip, "reader_id"]), first.groupby(hip)):
            sizes = groups["cna_deg"].count() - 1
            squares = (groups["cna_deg"].var(ddof=0) * groups["cna_deg"].count()).sum()
            freedom = int(sizes.sum())
            limit = None
            if freedom >= self.protocol.noise.repeats_needed:
                limit = stats.t.ppf(0.975, freedom) * math.sqrt(2 * squares / freedom), freedom
            found.append(limit)
        return found

    # one number

    def count(self, name: str, group: str, number: int, total: int) -> None:
        self.found[name, group] = (total, float(number), None, None)

    def spread(self, name: str, group: str, values: Any) -> None:
        known = [value for value in values if value is not None and value == value]
        if known:
            method: Any = "weibull" if self.protocol.statistics.quantiles == 6 else "linear"
            low, middle, high = np.quantile(known, [0.25, 0.5, 0.75], method=method)
            self.found[name, group] = (len(known), float(middle), float(low), float(high))

    def rate(self, name: str, group: str, events: int, total: int) -> None:
        if total:
            bounds = stats.binomtest(events, total).proportion_ci(method="exact")
            share = 100 * events / total
            self.found[name, group] = (total, share, 100 * bounds.low, 100 * bounds.high)

    def groups(self) -> list[tuple[str, list["Hip"]]]:
        found = [("all", list(self.hips.values()))]
        for code, stage in [*ARCO.items(), (None, None)]:
            own = [hip for hip in self.hips.values() if hip.arco_start == code]
            if own:
                found.append((f"ARCO {stage}" if stage else "ARCO not known", own))
        return found

    # all numbers

    def numbers(self) -> dict[tuple[str, str], Number]:
        self.people()
        self.stages()
        self.failures()
        self.angles()
        for name, unit in (("vas", "vas_10"), ("hhs", "hhs")):
            pairs = [pair for hip in self.hips.values() if (pair := hip.pair(unit))]
            self.against_baseline(name, "last", pairs)
        self.events()
        for visit in self.planned:
            self.at_visit(visit)
        for name in ("vas", "hhs"):
            self.over_all_visits(name)
        return self.found

    def over_all_visits(self, name: str) -> None:
        """Holm's adjusted P values, straight from his step-down rule."""
        keys = [(f"{name}_p", f"visit {visit}") for visit in self.planned]
        tests = {key: self.found[key][:2] for key in keys if key in self.found}
        values = [float(p or 0.0) for _, p in tests.values()]
        for (_, group), (count, p) in tests.items():
            smaller = [q for q in values if q <= float(p or 0.0)]
            adjusted = max(q * sum(other >= q for other in values) for q in smaller)
            self.found[f"{name}_p_holm", group] = (count, min(1.0, adjusted), None, None)

    def people(self) -> None:
        hips = list(self.hips.values())
        patients: dict[str, list[Hip]] = {}
        for hip in hips:
            patients.setdefault(hip.patient, []).append(hip)
        self.count("patients", "all", len(patients), len(patients))
        self.count("hips", "all", len(hips), len(hips))
        two = sum(len(own) > 1 for own in patients.values())
        self.count("patients_with_two_hips", "all", two, len(patients))
        for name, words in (("sex", SEX), ("aetiology", CAUSES)):
            coded = [own[0].once[name] for own in patients.values()]
            said = [words[int(code)] if code == code else "not recorded" for code in coded]
            for word in set(said):
                self.count(name, word, said.count(word), len(patients))
        self.spread("age", "all", [own[0].once["age_at_index_years"] for own in patients.values()])
        longest = [
            max((hip.follow_up for hip in own if hip.follow_up is not None), default=None)
            for own in patients.values()
        ]
        self.spread("follow_up", "patients", map(years, longest))
        self.spread("follow_up", "hips", [years(hip.follow_up) for hip in hips])
        self.spread("natural_hip_follow_up", "hips", [years(hip.observed) for hip in hips])
        doses = [[hip.once["cell_dose"] for hip in own] for own in patients.values()]
        known = [[one for one in own if one == one] for own in doses]
        self.spread("cell_dose", "patients", [max(own, default=None) for own in known])
        self.spread("cell_dose", "hips", [hip.once["cell_dose"] for hip in hips])

    def stages(self) -> None:
        hips = list(self.hips.values())
        for group, own in self.groups()[1:]:
            self.count("arco_at_baseline", group, len(own), len(hips))
        for name, system, words in (("jic", "JIC", JIC), ("jic_stage", "JIC stage", ARCO)):
            codes = [hip.started(name) for hip in hips]
            said = ["not known" if code is None else words[int(code)] for code in codes]
            for word in set(said) if set(said) != {"not known"} else ():
                count = said.count(word)
                self.count(f"{name}_at_baseline", f"{system} {word}", count, len(hips))
        for group, own in self.groups():
            courses = [course for hip in own if (course := hip.arco_course)]
            for name in ("maintained", "progressed", "replaced", "earlier"):
                number = courses.count(name)
                if number or name in ("maintained", "progressed"):
                    self.count(f"arco_{name}", group, number, len(courses))

    def failures(self) -> None:
        for group, own in self.groups():
            judged = [failed for hip in own if (failed := hip.failed()) is not None]
            self.count("radiographic_failure", group, sum(judged), len(judged))
            self.rate("radiographic_failure_rate", group, sum(judged), len(judged))
        unknown = sum(hip.failed() is None for hip in self.hips.values())
        self.count("failure_not_judged", "all", unknown, len(self.hips))

    def angles(self) -> None:
        for group, own in self.groups():
            self.spread("cna_at_baseline", group, [hip.cna_start for hip in own])
            self.spread("cna_change", group, [hip.change for hip in own])
        if self.noise is not None:
            self.found["cna_mdc95", "all"] = (self.noise[1], self.noise[0], None, None)
        else:
            self.spread("cna_mdc95", "all", [hip.mdc95 for hip in self.hips.values()])
        limit = self.protocol.cut_offs.change_deg
        for way, sign in (("decreased", -1), ("increased", 1)):
            for group, own in self.groups():
                changes = [(change, hip.mdc95) for hip in own if (change := hip.change) is not None]
                ruled = [one for one in changes if one[0] * sign > limit]
                known = [(change, error) for change, error in changes if error is not None]
                real = [one for one in known if one[0] * sign > one[1]]
                both = [one for one in real if one[0] * sign > limit]
                self.count(f"cna_{way}", group, len(ruled), len(changes))
                self.count(f"cna_{way}_real", group, len(real), len(known))
                self.count(f"cna_{way}_both", group, len(both), len(known))

    def events(self) -> None:
        hips = list(self.hips.values())
        everyone = {hip.patient for hip in hips}
        for name in ("tha", "collapse", "radiographic_failure", "lost", "death"):
            own = [hip for hip in hips if hip.once[name] == 1]
            title = name if name == "tha" else f"event_{name}"
            self.count(title, "all", len(own), len(hips))
            self.count(title, "patients", len({hip.patient for hip in own}), len(everyone))
        self.count("tha_before_index", "all", self.before, len(hips) + self.before)

    def at_visit(self, visit: str) -> None:
        group = f"visit {visit}"
        found = [(hip, row) for hip in self.hips.values() if (row := hip.at(visit)) is not None]
        for name, words in (("arco", ARCO), ("jic", JIC), ("jic_stage", ARCO)):
            codes = [words[int(row[name])] for _, row in found if row[name] == row[name]]
            for word in set(codes):
                self.count(f"{name}_at_visit", f"{group}: {word}", codes.count(word), len(codes))
        self.spread("cna", group, [row["cna_deg"] for _, row in found])
        self.spread("cna_change", group, [hip.change_at(row) for hip, row in found])
        if found:
            for name, column in (("vas", "vas_10"), ("hhs", "hhs")):
                pairs = [pair for hip, row in found if (pair := hip.pair_at(column, row))]
                self.against_baseline(name, group, pairs)

    def against_baseline(self, name: str, group: str, pairs: list[tuple[float, float]]) -> None:
        self.spread(f"{name}_baseline", group, [first for first, _ in pairs])
        self.spread(f"{name}_later", group, [last for _, last in pairs])
        differences = [last - first for first, last in pairs]
        self.spread(f"{name}_change", group, differences)
        kind = self.protocol.statistics.wilcoxon
        zeros = self.protocol.statistics.zeros
        p = signed_rank_p(differences, kind, zeros)
        if p is None:
            return
        self.found[f"{name}_p", group] = (len(differences), p, None, None)
        for other in ("exact", "normal", "normal_cc"):
            p = signed_rank_p(differences, other, zeros)
            if p is not None:
                self.found[f"{name}_p_{other}", group] = (len(differences), p, None, None)


class Hip:
    """One hip of the exported file: what all its rows share, its baseline, what followed."""

    def __init__(self, rows: pd.DataFrame, study: Recomputed) -> None:
        self.study = study
        self.once = rows.iloc[0]
        self.patient = str(self.once["patient_id"])
        baseline = rows[(rows["is_baseline"] == 1) & (rows["visit_state"] == OBSERVED)]
        self.start = None if baseline.empty else baseline.iloc[0]
        later = (rows["is_baseline"] == 0) & (rows["visit_state"] == OBSERVED)
        self.later = rows[later & rows["place"].notna()].sort_values("place")
        attended = rows[~rows["visit_state"].isin([MISSING, LOST])]
        days = [*attended["place"]]
        days += [self.once[f"{name}_days"] for name in ("collapse", "radiographic_failure")]
        days += [self.once[f"{name}_days"] for name in ("death", "tha")]
        known = [day for day in days if day == day]
        self.follow_up = max(0.0, *known) if known else None
        tha = self.once["tha_days"]
        self.observed = self.follow_up
        if self.follow_up is not None and tha == tha:
            self.observed = min(self.follow_up, tha)

    def last(self, column: str) -> Any:
        known = self.later[self.later[column].notna()]
        return None if known.empty else known.iloc[-1]

    def at(self, visit: str) -> Any:
        found = self.later[self.later["visit"] == visit]
        return None if found.empty else found.iloc[0]

    def started(self, column: str) -> float | None:
        value = math.nan if self.start is None else self.start[column]
        return float(value) if value == value else None

    @property
    def arco_start(self) -> int | None:
        stage = self.started("arco")
        return None if stage is None else int(stage)

    @property
    def cna_start(self) -> float | None:
        return self.started("cna_deg")

    def change_at(self, row: Any) -> float | None:
        if self.cna_start is None or row["cna_deg"] != row["cna_deg"]:
            return None
        return round(float(row["cna_deg"]) - self.cna_start, 6)

    @property
    def change(self) -> float | None:
        row = self.last("cna_deg")
        return None if row is None else self.change_at(row)

    @property
    def mdc95(self) -> float | None:
        if self.change is None or self.start is None:
            return None
        last = self.last("cna_deg")
        is_two = last["reader_id"] != self.start["reader_id"]
        noise = self.study.noises[is_two]
        if noise is not None:
            return float(noise[0])
        # without repeats the error is that of this pair of rims, ends and slices: as the file says
        limit = float(last["cna_change_mdc95_deg"])
        assert is_two == math.isnan(limit)
        return None if is_two else limit

    @property
    def arco_course(self) -> str | None:
        row, replaced = self.last("arco"), self.once["tha"] == 1
        if self.arco_start is None or (row is None and not replaced):
            return None
        last = self.arco_start if row is None else row["arco"]
        if last > self.arco_start:
            return "progressed"
        if replaced:
            return "replaced"
        return "earlier" if last < self.arco_start else "maintained"

    def failed(self) -> bool | None:
        rule = self.study.protocol.failure.rule
        if rule == "auto":
            rule = "event" if self.study.records_failures else "reaches"
        if rule == "event":
            return self.happened("radiographic_failure")
        start = self.arco_start
        ends = {
            "reaches": [code for code, word in ARCO.items() if word in self.reaches],
            "collapse": [31, 32, 40],
            "arco_progression": list(ARCO),
        }[rule]
        if start is None or start >= max(ends) or (rule == "collapse" and start >= 31):
            return None
        stages = self.later["arco"].dropna()
        if any(stage in ends and stage > start for stage in stages):
            return True
        if rule == "collapse" and self.happened("collapse"):
            return True
        if self.study.protocol.failure.tha and self.once["tha"] == 1:
            return True
        return None if stages.empty else False

    @property
    def reaches(self) -> list[str]:
        return [str(stage) for stage in self.study.protocol.failure.reaches]

    def happened(self, event: str) -> bool:
        days = self.once[f"{event}_days"]
        return bool(self.once[event] == 1 and not days <= 0)

    def pair(self, column: str) -> tuple[float, float] | None:
        row = self.last(column)
        return None if row is None else self.pair_at(column, row)

    def pair_at(self, column: str, row: Any) -> tuple[float, float] | None:
        first = self.started(column)
        if first is None or row[column] != row[column]:
            return None
        return first, float(row[column])


def years(days: float | None) -> float | None:
    return None if days is None else days / 365.25


def signed_rank_p(differences: list[float], kind: str, zeros: str) -> float | None:
    """Wilcoxon's signed-rank test, two-sided: patterns of sign counted out, or by the curve."""
    rounded = np.round(differences, 9)
    kept = rounded if zeros == "pratt" else rounded[rounded != 0]
    ranks = stats.rankdata(np.abs(kept))[kept != 0]
    signs = kept[kept != 0]
    if not len(ranks):
        return None
    if kind == "auto":
        kind = "exact" if len(ranks) <= 50 else "normal_cc"
    smaller = min(ranks[signs > 0].sum(), ranks[signs < 0].sum())
    if kind == "exact":
        if len(ranks) > 100:
            return None
        ways = np.ones(1)
        for rank in ranks:
            step = np.zeros(round(2 * rank) + 1)
            step[0] = step[-1] = 0.5
            ways = np.convolve(ways, step)
        return float(min(1.0, 2 * ways[: round(2 * smaller) + 1].sum()))
    away = ranks.sum() / 2 - smaller
    if kind == "normal_cc":
        away = max(away - 0.5, 0.0)
    return float(2 * stats.norm.sf(away / math.sqrt((ranks**2).sum() / 4)))
