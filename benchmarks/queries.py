"""What the queries find: seeded errors of many kinds in a made registry of 2,000 hips.

    python benchmarks/queries.py

The registry is made from one seed: patients with one or two hips, eight visits, scores, stages,
two readers, replacements, deaths and losses. First it is asked about as it is: the share of its
rows about which a query is raised is the share of false alarms. Then errors are seeded, each in a
patient of its own, and a kind counts as found where a query that was not raised before names that
patient (or the patient made by the error). It fails below 95 % recall over all kinds, or above 1 %
of clean rows.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from necroangle.clinical.checks import Issue, ReadVisit
from necroangle.clinical.records import State
from necroangle.clinical.rules import RULES, check_cohort
from necroangle.protocol.enrolment import Enrolment
from necroangle.protocol.study import new_protocol

HIPS, EACH, SEED = 2_000, 20, 20_261_130
TODAY = date(2026, 1, 1)
PROTOCOL = new_protocol("registry", "ha_mr_midslice", ("r1", "r2"))
VISITS = [(one.name, round(one.nominal_days or 0)) for one in PROTOCOL.visits]
STAGES = ("1", "2", "3A", "3B", "4")
Key = tuple[str, ...]


@dataclass
class Registry:
    """Records by kind and key, readings by subject."""

    records: dict[tuple[str, Key], dict[str, Any]] = field(default_factory=dict)
    readings: dict[str, list[ReadVisit]] = field(default_factory=dict)

    def hips(self) -> list[Key]:
        """The hips."""
        return [key for kind, key in self.records if kind == "hip"]

    def visits(self, hip: Key) -> list[Key]:
        """The visits of a hip, in order."""
        found = [(*hip, name) for name, _ in VISITS if ("visit", (*hip, name)) in self.records]
        return [key for key in found if self.records["visit", key].get("visit_date")]

    def rows(self) -> set[tuple[str, Key]]:
        """What a query may be about: records and readings."""
        read = {("visit", (*one.hip, one.visit)) for some in self.readings.values() for one in some}
        return {*self.records, *read}

    def queries(self) -> list[Issue]:
        """What every rule asks."""
        subjects = {key[0] for _, key in self.records} | self.readings.keys()
        state = State(self.records)
        return list(check_cohort(state, subjects, PROTOCOL, self.readings, Enrolment(), TODAY))


def made_registry(random_: random.Random, hips: int = HIPS) -> Registry:
    """A registry without errors."""
    made, count, number = Registry(), 0, 0
    while count < hips:
        number += 1
        site = random_.choice(("SEO", "BUS", "OSA"))
        subject = f"{site}-{number:04}"
        sides = random_.choice(("L", "R", "LR", "LR"))
        _subject(made, random_, subject, sides)
        count += len(sides)
    return made


def _subject(made: Registry, random_: random.Random, subject: str, sides: str) -> None:
    treated = date(2012, 1, 1) + timedelta(days=random_.randrange(2500))
    made.records["subject", (subject,)] = {
        "sex": random_.choice("MF"),
        "age_at_index_years": min(80.0, max(20.0, round(random_.gauss(45, 11), 1))),
        "bmi_kg_m2": min(40.0, max(17.0, round(random_.gauss(25, 3.5), 1))),
        "aetiology": random_.choice(("steroid", "alcohol", "idiopathic")),
        "smoking": random_.choice((0, 1)),
        "index_date": treated.isoformat(),
    }
    died = random_.randrange(200, 1800) if random_.random() < 0.02 else None
    for side in sides:
        _hip(made, random_, (subject, side), treated, died, bilateral=len(sides) == 2)


def _hip(
    made: Registry,
    random_: random.Random,
    hip: Key,
    treated: date,
    died: int | None,
    *,
    bilateral: bool,
) -> None:
    day = treated + timedelta(days=random_.choice((0, 0, 0, 14, 30)))
    made.records["hip", hip] = {"treatment_date": day.isoformat(), "bilateral": int(bilateral)}
    made.records["treatment", (*hip, "1")] = {
        "treatment": "core_decompression",
        "treatment_date": day.isoformat(),
    }
    replaced = random_.randrange(300, 1700) if random_.random() < 0.12 else None
    lost = random_.randrange(400, 1700) if random_.random() < 0.04 else None
    ends = [(at, name) for at, name in ((replaced, "tha"), (died, "death"), (lost, "lost")) if at]
    end = min(ends, default=(10_000, ""))
    for at, name in ends:
        if (at, name) == end or name == "death":
            when = (day + timedelta(days=at)).isoformat()
            if name != "death" or hip[1] == "L" or not bilateral:
                made.records["event", (*hip, name, "1")] = {"event_date": when}
    _course(made, random_, hip, day, end[0])


def _course(made: Registry, random_: random.Random, hip: Key, day: date, end: int) -> None:
    stage, angle = random_.choice((0, 0, 1, 1, 1, 2)), random_.uniform(120, 330)
    before, after = random_.gauss(55, 9), random_.gauss(82, 8)
    for name, nominal in VISITS:
        at = nominal + random_.randrange(-12, 13)
        at = min(at, 0) - 1 if name == "m00" else at
        if at >= end - 35:  # what comes near the end is not planned any more
            break
        stage = min(4, stage + (random_.random() < 0.12))
        angle += random_.gauss(0, 4)
        hhs = before if name == "m00" else after - 9 * max(0, stage - 2)
        hhs = min(100.0, max(20.0, round(random_.gauss(hhs, 5))))
        pain = min(95.0, max(0.0, round(random_.gauss(95 - hhs, 8))))
        values: dict[str, Any] = {
            "visit_date": (day + timedelta(days=at)).isoformat(),
            "arco": STAGES[stage],
            "vas": pain,
            "vas_scale": 100,
            "hhs": hhs,
            "womac": min(90.0, max(0.0, round(random_.gauss(85 - 0.8 * hhs, 5)))),
        }
        if random_.random() < 0.01:
            values |= {"womac": None, "womac_missing": "not applicable"}
        made.records["visit", (*hip, name)] = values
        for reader in PROTOCOL.readers:
            cna = min(360.0, max(60.0, random_.gauss(angle, 8)))
            a = cna * random_.uniform(0.45, 0.55)
            read = min(4, max(0, stage + random_.choice((0, 0, 0, 0, 0, 1, -1))))
            own = (hip[0], hip[1])
            one = ReadVisit(own, name, reader, 1, cna, a, cna - a, STAGES[read])
            made.readings.setdefault(hip[0], []).append(one)


Seeder = Callable[[Registry, random.Random, Key], Key | None]
"""Puts one error in a hip; about whom a query may be raised; None: it cannot be put there."""


def _middle(made: Registry, random_: random.Random, hip: Key, least: int = 5) -> Key | None:
    """A visit of the hip that is neither its first nor its last."""
    visits = made.visits(hip)
    return random_.choice(visits[1:-1]) if len(visits) >= least else None


def _moved(made: Registry, old: Key, subject: str, side: str) -> None:
    """Give a visit, and its readings, to another subject or side."""
    made.records["visit", (subject, side, old[2])] = made.records.pop(("visit", old))
    made.records.setdefault(("subject", (subject,)), {})
    made.records.setdefault(("hip", (subject, side)), {})
    reads = made.readings[old[0]]
    moved = [one for one in reads if (*one.hip, one.visit) == old]
    made.readings[old[0]] = [one for one in reads if one not in moved]
    made.readings.setdefault(subject, []).extend(replace(one, hip=(subject, side)) for one in moved)


def look_alike(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """``SEO-0O12`` for ``SEO-0012``."""
    visit = _middle(made, random_, hip)
    place = hip[0].find("0", 4)
    if visit is None or place < 0:
        return None
    name = f"{hip[0][:place]}O{hip[0][place + 1 :]}"
    _moved(made, visit, name, hip[1])
    return (name, hip[0])


def other_case(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """``seo-0012`` for ``SEO-0012``."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        _moved(made, visit, hip[0].lower(), hip[1])
    return visit and (hip[0].lower(), hip[0])


def one_letter(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """``SEQ-0012`` or ``SEO-012`` for ``SEO-0012``."""
    visit = _middle(made, random_, hip)
    name = random_.choice((f"{hip[0][:2]}Q{hip[0][3:]}", f"{hip[0][:4]}{hip[0][5:]}"))
    if visit is None or ("subject", (name,)) in made.records:
        return None
    _moved(made, visit, name, hip[1])
    return (name, hip[0])


def other_side(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A visit of a patient with one hip, on the other side."""
    visit = _middle(made, random_, hip)
    if visit is None or len({key for key in made.hips() if key[0] == hip[0]}) > 1:
        return None
    _moved(made, visit, hip[0], "R" if hip[1] == "L" else "L")
    return (hip[0],)


def sides_swapped(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Left and right exchanged at one visit, of hips that are not alike."""
    other = (hip[0], "R" if hip[1] == "L" else "L")
    visit = _middle(made, random_, hip)
    twin = visit and ("visit", (*other, visit[2]))
    if visit is None or twin not in made.records:
        return None
    mine, theirs = made.records["visit", visit], made.records[twin]
    if STAGES.index(mine["arco"]) - STAGES.index(theirs["arco"]) in (-1, 0, 1):
        return None
    for name in ("arco", "vas", "hhs", "womac"):
        mine[name], theirs[name] = theirs[name], mine[name]
    return (hip[0],)


def missing_visit(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A visit that was not entered nor read."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        del made.records["visit", visit]
        reads = made.readings[hip[0]]
        made.readings[hip[0]] = [one for one in reads if (*one.hip, one.visit) != visit]
    return visit and (hip[0],)


def missing_score(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A score that was not entered."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        made.records["visit", visit] |= {"hhs": None, "hhs_missing": "not done"}
    return visit and (hip[0],)


def reading_without_visit(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A reading, and no record of its visit."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        del made.records["visit", visit]
    return visit and (hip[0],)


def visit_without_reading(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A visit that nobody read."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        reads = made.readings[hip[0]]
        made.readings[hip[0]] = [one for one in reads if (*one.hip, one.visit) != visit]
    return visit and (hip[0],)


def stage_back(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A stage that is earlier than the one before."""
    visits = made.visits(hip)
    at = [place for place, key in enumerate(visits[1:], 1)
          if made.records["visit", visits[place - 1]]["arco"] != "1"]  # fmt: skip
    if not at:
        return None
    place = random_.choice(at)
    before = STAGES.index(made.records["visit", visits[place - 1]]["arco"])
    made.records["visit", visits[place]]["arco"] = STAGES[before - 1]
    return (hip[0],)


def pain_of_ten(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A pain score told from 0 to 10 where all others are from 0 to 100."""
    visits = made.visits(hip)
    if len(visits) < 4:
        return None
    values = made.records["visit", visits[0]]
    values["vas"] = float(round(values["vas"] / 10))
    return (hip[0],) if values["vas"] else None


def other_scale(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """One visit on another scale."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        values = made.records["visit", visit]
        values |= {"vas": float(round(values["vas"] / 10)), "vas_scale": 10}
    return visit and (hip[0],)


def wrong_year(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A day with another year."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        values = made.records["visit", visit]
        day = date.fromisoformat(values["visit_date"])
        year = day.year + random_.choice((-10, -1, 1, 10, 20))
        values["visit_date"] = day.replace(year=year, day=min(day.day, 28)).isoformat()
    return visit and (hip[0],)


def days_exchanged(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """The days of two visits exchanged."""
    visits = made.visits(hip)
    if len(visits) < 4:
        return None
    one, other = (made.records["visit", key] for key in visits[1:3])
    one["visit_date"], other["visit_date"] = other["visit_date"], one["visit_date"]
    return (hip[0],)


def doubled_reading(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A reading saved for two visits."""
    reads = [one for one in made.readings[hip[0]] if one.hip == hip and one.reader == "r1"]
    if len(reads) < 3:
        return None
    one, other = random_.sample(reads, 2)
    copy = replace(other, cna_deg=one.cna_deg, a_deg=one.a_deg, b_deg=one.b_deg)
    made.readings[hip[0]][made.readings[hip[0]].index(other)] = copy
    return (hip[0],)


def copied_visit(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """The scores of the visit before, again."""
    visits = made.visits(hip)
    if len(visits) < 4:
        return None
    before, now = (made.records["visit", key] for key in visits[1:3])
    if before.get("womac") is None or before["hhs"] == 100 or before["vas"] == 0:
        return None
    now |= {name: before[name] for name in ("vas", "hhs", "womac")}
    now.pop("womac_missing", None)
    return (hip[0],)


def stranger(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A reading by somebody else."""
    reads = made.readings[hip[0]]
    at = random_.randrange(len(reads))
    reads[at] = replace(reads[at], reader="R1")
    return (hip[0],)


def score_of_another(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A digit lost: 8 for 82."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        values = made.records["visit", visit]
        values["hhs"] = float(int(values["hhs"]) // 10)
    return visit and (hip[0],)


def score_turned(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """WOMAC with 96 for the best."""
    visits = [key for key in made.visits(hip)[1:] if made.records["visit", key]["hhs"] >= 90
              and made.records["visit", key]["womac"] is not None]  # fmt: skip
    if not visits:
        return None
    values = made.records["visit", random_.choice(visits)]
    values["womac"] = 96.0 - values["womac"]
    return (hip[0],)


def event_too_early(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A collapse seven years before the treatment."""
    day = date.fromisoformat(made.records["hip", hip]["treatment_date"])
    made.records["event", (*hip, "collapse", "1")] = {
        "event_date": (day - timedelta(days=2557)).isoformat()
    }
    return (hip[0],)


def read_after_replacement(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Visits that go on after a replacement."""
    visit = _middle(made, random_, hip)
    if visit is None or ("event", (*hip, "tha", "1")) in made.records:
        return None
    day = date.fromisoformat(made.records["visit", visit]["visit_date"])
    made.records["event", (*hip, "tha", "1")] = {
        "event_date": (day + timedelta(days=9)).isoformat()
    }
    return (hip[0],)


def after_loss(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Visits that go on after a loss."""
    visit = _middle(made, random_, hip)
    if visit is None or any(("event", (*hip, one, "1")) in made.records for one in ("lost", "tha")):
        return None
    day = date.fromisoformat(made.records["visit", visit]["visit_date"])
    made.records["event", (*hip, "lost", "1")] = {
        "event_date": (day + timedelta(days=9)).isoformat()
    }
    return (hip[0],)


def future(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A day that has not come."""
    visits = made.visits(hip)
    made.records["visit", visits[-1]]["visit_date"] = "2029-05-06"
    return (hip[0],)


def one_side_only(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """Both hips recorded, said not to be bilateral."""
    if not made.records["hip", hip]["bilateral"]:
        return None
    made.records["hip", hip]["bilateral"] = 0
    return (hip[0],)


def treated_twice(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """The hip's day of treatment is not the treatment's."""
    values = made.records["treatment", (*hip, "1")]
    day = date.fromisoformat(values["treatment_date"]) + timedelta(days=31)
    values["treatment_date"] = day.isoformat()
    return (hip[0],)


def angle_of_another(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A reading of another hip."""
    reads = made.readings[hip[0]]
    at = random_.randrange(len(reads))
    cna = reads[at].cna_deg or 0.0
    other = cna - 110 if cna > 200 else cna + 110
    reads[at] = replace(reads[at], cna_deg=other, a_deg=other * 0.51, b_deg=other * 0.49)
    return (hip[0],)


def entered_twice(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """The patient again under another pseudonym."""
    name = f"{hip[0][:4]}9{hip[0][5:]}"
    if ("subject", (name,)) in made.records:
        return None
    made.records["subject", (name,)] = dict(made.records["subject", hip[:1]])
    made.records["hip", (name, hip[1])] = dict(made.records["hip", hip])
    for key in made.visits(hip):
        made.records["visit", (name, *key[1:])] = dict(made.records["visit", key])
    return (name, hip[0])


def strange_person(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Age in months, body mass in pounds."""
    values = made.records["subject", hip[:1]]
    name, factor = random_.choice((("age_at_index_years", 0.1), ("bmi_kg_m2", 2.205)))
    values[name] = round(values[name] * factor, 1)
    return (hip[0],) if name == "age_at_index_years" or values[name] > 45 else None


def reader_and_clinic(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """The reader's stage is of another hip."""
    reads = made.readings[hip[0]]
    at = random_.randrange(len(reads))
    clinic = made.records.get(("visit", (*reads[at].hip, reads[at].visit)), {}).get("arco")
    if clinic not in ("1", "2", "4"):
        return None
    reads[at] = replace(reads[at], arco="1" if clinic == "4" else "4")
    return (hip[0],)


def after_death(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A death before the last visits."""
    visit = _middle(made, random_, hip)
    if visit is None or any(
        key[0] == hip[0] and key[2] == "death" for kind, key in made.records if kind == "event"
    ):
        return None
    day = date.fromisoformat(made.records["visit", visit]["visit_date"]) + timedelta(days=9)
    made.records["event", (*hip, "death", "1")] = {"event_date": day.isoformat()}
    return (hip[0],)


def other_visit(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """``12m`` for ``m12``."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        made.records["visit", (*hip, f"{visit[2][1:]}m")] = made.records.pop(("visit", visit))
    return visit and (hip[0],)


def pain_without_scale(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Pain of which nobody knows the scale."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        del made.records["visit", visit]["vas_scale"]
    return visit and (hip[0],)


def wrong_sum(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A total of 85 whose items make less."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        items = {"hhs_pain": 30, "hhs_function": 33, "hhs_deformity": 4, "hhs_rom": 4}
        made.records["visit", visit] |= {**items, "hhs": 85.0}
    return visit and (hip[0],)


def wrong_cause(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """Steroid, by an amount that is none."""
    made.records["subject", hip[:1]] |= {"aetiology": "steroid", "prednisone_equivalent_g": 0.4}
    return (hip[0],)


def stage_without_size(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A size in Steinberg's stage VI."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        made.records["visit", visit] |= {"steinberg": "VI", "steinberg_size": "B"}
    return visit and (hip[0],)


def before_collapse(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A collapse, and a later stage without one."""
    visits = [key for key in made.visits(hip)[2:] if made.records["visit", key]["arco"] in "12"]
    if not visits:
        return None
    day = date.fromisoformat(made.records["visit", visits[-1]]["visit_date"])
    made.records["event", (*hip, "collapse", "1")] = {
        "event_date": (day - timedelta(days=60)).isoformat()
    }
    return (hip[0],)


def no_index_day(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """Neither treatment, nor index date, nor index visit has a day."""
    if len({key for key in made.hips() if key[0] == hip[0]}) > 1 or len(made.visits(hip)) < 3:
        return None
    for kind, key, name in (
        *(("subject", hip[:1], "index_date"), ("hip", hip, "treatment_date")),
        *(("treatment", (*hip, "1"), "treatment_date"), ("visit", (*hip, "m00"), "visit_date")),
    ):
        made.records[kind, key].pop(name, None)
    return (hip[0],)


def event_without_day(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A replacement, and nobody knows when."""
    key = ("event", (*hip, "tha", "1"))
    if key in made.records:
        made.records[key] = {}
    return (hip[0],) if key in made.records else None


def reading_of_other_side(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """One reader's reading saved for the other side of a patient with one hip."""
    reads = made.readings[hip[0]]
    if {one.hip for one in reads} != {hip}:
        return None
    at = random_.randrange(len(reads))
    reads[at] = replace(reads[at], hip=(hip[0], "R" if hip[1] == "L" else "L"))
    return (hip[0],)


def day_and_month(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Day and month exchanged: 2023-03-09 for 2023-09-03."""
    visit = _middle(made, random_, hip)
    day = visit and date.fromisoformat(made.records["visit", visit]["visit_date"])
    if day is None or day.day > 12 or abs(day.day - day.month) < 2:
        return None
    values = made.records["visit", visit]
    values["visit_date"] = day.replace(month=day.day, day=day.month).isoformat()
    return (hip[0],)


def same_day(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """The day of the visit before, again."""
    visits = made.visits(hip)
    if len(visits) < 4:
        return None
    before, now = (made.records["visit", key] for key in visits[1:3])
    now["visit_date"] = before["visit_date"]
    return (hip[0],)


def no_treatment(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A hip whose treatment was not entered."""
    del made.records["treatment", (*hip, "1")]
    del made.records["hip", hip]["treatment_date"]
    return (hip[0],)


def treated_after_replacement(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A decompression of a hip that was replaced before."""
    if ("event", (*hip, "tha", "1")) not in made.records:
        return None
    day = date.fromisoformat(made.records["event", (*hip, "tha", "1")]["event_date"])
    made.records["treatment", (*hip, "2")] = {
        "treatment": "core_decompression",
        "treatment_date": (day + timedelta(days=200)).isoformat(),
    }
    return (hip[0],)


def age_and_mass(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """Age and body mass exchanged."""
    values = made.records["subject", hip[:1]]
    age, mass = values["age_at_index_years"], values["bmi_kg_m2"]
    values |= {"age_at_index_years": mass, "bmi_kg_m2": age}
    return (hip[0],) if age > 45 else None


def scores_exchanged(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """Harris Hip Score and WOMAC in each other's column."""
    visit = _middle(made, random_, hip)
    values = made.records["visit", visit] if visit else {}
    if (
        None in (values.get("womac"), values.get("hhs"))
        or abs(values["hhs"] - values["womac"]) < 30
    ):
        return None
    values |= {"hhs": values["womac"], "womac": values["hhs"]}
    return (hip[0],)


def stage_at_first(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """Stage 4 at the first visit, of a hip that is seen earlier later on."""
    visits = made.visits(hip)
    if len(visits) < 3 or made.records["visit", visits[1]]["arco"] not in "12":
        return None
    made.records["visit", visits[0]]["arco"] = "4"
    return (hip[0],)


def other_hip_copied(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """All scores of one hip entered for the other one, too."""
    other = (hip[0], "R" if hip[1] == "L" else "L")
    shared = [key for key in made.visits(hip) if ("visit", (*other, key[2])) in made.records]
    if len(shared) < 4:
        return None
    for key in shared:
        theirs = made.records["visit", (*other, key[2])]
        theirs |= {name: made.records["visit", key][name] for name in ("vas", "hhs", "arco")}
        theirs["womac"] = made.records["visit", key].get("womac")
    return (hip[0],)


def replaced_twice(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """Two replacements of one hip, half a year apart."""
    if ("event", (*hip, "tha", "1")) not in made.records:
        return None
    day = date.fromisoformat(made.records["event", (*hip, "tha", "1")]["event_date"])
    when = (day + timedelta(days=180)).isoformat()
    made.records["event", (*hip, "tha", "2")] = {"event_date": when}
    return (hip[0],)


def collapse_after_replacement(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """A collapse of a hip that was replaced before."""
    if ("event", (*hip, "tha", "1")) not in made.records:
        return None
    day = date.fromisoformat(made.records["event", (*hip, "tha", "1")]["event_date"])
    when = (day + timedelta(days=90)).isoformat()
    made.records["event", (*hip, "collapse", "1")] = {"event_date": when}
    return (hip[0],)


def index_a_year_late(made: Registry, _random: random.Random, hip: Key) -> Key | None:
    """The index date with another year."""
    values = made.records["subject", hip[:1]]
    day = date.fromisoformat(values["index_date"]) + timedelta(days=365)
    values["index_date"] = day.isoformat()
    return (hip[0],)


def zero_for_missing(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A Harris Hip Score of 0 where it was not asked for."""
    visit = _middle(made, random_, hip)
    if visit is not None:
        made.records["visit", visit]["hhs"] = 0.0
    return visit and (hip[0],)


def visits_of_two_patients(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """A visit's stage and scores are another patient's, far from this one's."""
    visit = _middle(made, random_, hip)
    mine = made.records["visit", visit] if visit is not None else {}
    if visit is None or mine.get("hhs") is None:
        return None
    for kind, key in made.records:
        theirs = made.records[kind, key]
        is_alike = kind == "visit" and key[0] != hip[0] and key[2] == visit[2]
        if (
            is_alike
            and theirs.get("womac")
            and theirs.get("hhs")
            and abs(theirs["hhs"] - mine["hhs"]) > 35
        ):
            mine |= {name: theirs[name] for name in ("vas", "hhs", "womac", "arco")}
            return (hip[0],)
    return None


def one_view_for_both(made: Registry, random_: random.Random, hip: Key) -> Key | None:
    """The coronal angle stands for the sagittal one, too: 130 and 130."""
    reads = made.readings[hip[0]]
    at = random_.randrange(len(reads))
    a_deg = reads[at].a_deg or 0.0
    reads[at] = replace(reads[at], b_deg=a_deg, cna_deg=2 * a_deg)
    return (hip[0],) if a_deg else None


KINDS: Mapping[Seeder, str] = {
    look_alike: "names",
    other_case: "names",
    one_letter: "names",
    other_side: "other_side",
    sides_swapped: "swapped_sides",
    missing_visit: "missing_visits",
    missing_score: "fields",
    reading_without_visit: "reading_without_visit",
    visit_without_reading: "visit_without_reading",
    stage_back: "stages",
    pain_of_ten: "pain_numbers",
    other_scale: "pain_numbers",
    wrong_year: "windows",
    days_exchanged: "order",
    doubled_reading: "doubled_readings",
    copied_visit: "repeated_visit",
    stranger: "strangers",
    score_of_another: "score_jumps",
    score_turned: "scores_together",
    event_too_early: "predecessors",
    read_after_replacement: "replaced",
    after_loss: "lost",
    future: "future",
    one_side_only: "unilateral",
    treated_twice: "treatment",
    angle_of_another: "angle",
    entered_twice: "twins",
    strange_person: "person",
    reader_and_clinic: "both_readers",
    after_death: "death",
    other_visit: "study",
    pain_without_scale: "pain_scale",
    wrong_sum: "harris",
    wrong_cause: "aetiology",
    stage_without_size: "steinberg",
    before_collapse: "stage_after_collapse",
    no_index_day: "index_day",
    event_without_day: "event_day",
    reading_of_other_side: "other_side",
    day_and_month: "windows",
    same_day: "order",
    no_treatment: "fields",
    treated_after_replacement: "replaced",
    age_and_mass: "person",
    scores_exchanged: "exchanged_scores",
    stage_at_first: "stages",
    other_hip_copied: "copied_hip",
    replaced_twice: "replaced",
    collapse_after_replacement: "replaced",
    index_a_year_late: "late_index",
    zero_for_missing: "score_jumps",
    visits_of_two_patients: "stages",
    one_view_for_both: "equal_angles",
}
"""Every kind of error, and the rule that is there for it."""


@dataclass
class Found:
    """What came of one kind of error: how many were seeded, found, and by which rules."""

    seeded: int = 0
    found: int = 0
    rules: Counter[str] = field(default_factory=Counter)


@dataclass
class Trial:
    """What a trial found.

    Attributes
    ----------
    rows
        Rows of the registry without errors.
    in_vain
        Of these, the rows that are asked about, by rule.
    alarmed
        Of these, the rows that any rule asks about.
    kinds
        What came of each kind of error.
    """

    rows: int
    in_vain: Counter[str]
    alarmed: int
    kinds: dict[str, Found]

    def recall_of(self, rule: str) -> float | None:
        """The share of its own errors that a rule itself finds; None where none was seeded."""
        own = [self.kinds[kind.__name__] for kind, its in KINDS.items() if its == rule]
        seeded = sum(one.seeded for one in own)
        return sum(one.rules[rule] for one in own) / seeded if seeded else None

    @property
    def recall(self) -> float:
        """The share of all errors about which any rule asks."""
        found = sum(one.found for one in self.kinds.values())
        return found / sum(one.seeded for one in self.kinds.values())


def trial(hips: int = HIPS, each: int = EACH, seed: int = SEED) -> Trial:
    """Make a registry, ask about it, seed errors, ask again."""
    random_ = random.Random(seed)
    made = made_registry(random_, hips)
    clean = made.queries()
    rows = made.rows()
    in_vain = Counter(rule for rule, _, _ in {(one.rule, one.kind, one.key) for one in clean})
    alarmed = len({(one.kind, one.key) for one in clean})
    places = _seeded(made, random_, each)
    before = {(one.rule, one.kind, one.key, one.message) for one in clean}
    told: dict[str, set[str]] = {}
    for one in made.queries():
        if (one.rule, one.kind, one.key, one.message) not in before:
            told.setdefault(one.key[0], set()).add(one.rule)
    results = {name: Found() for name in places}
    for name, seeded in places.items():
        for who in seeded:
            rules = set().union(*(told.get(subject, set()) for subject in who))
            results[name].seeded += 1
            results[name].found += bool(rules)
            results[name].rules.update(rules)
    return Trial(len(rows), in_vain, alarmed, results)


def _seeded(made: Registry, random_: random.Random, each: int) -> dict[str, list[Key]]:
    """Put so many errors of each kind, each in a patient of its own; about whom to ask."""
    used: set[str] = set()
    places: dict[str, list[Key]] = {kind.__name__: [] for kind in KINDS}
    order = made.hips()
    random_.shuffle(order)
    for kind in KINDS:
        for hip in order:
            if len(places[kind.__name__]) >= each:
                break
            if hip[0] not in used and made.visits(hip) and (who := kind(made, random_, hip)):
                used.add(hip[0])
                places[kind.__name__].append(who)
    return places


def main() -> int:
    """Print the figures; 1 where they fall short."""
    found = trial()
    print(f"{'error':24}{'seeded':>8}{'found':>8}{'recall':>9}  asked by")
    for name, one in found.kinds.items():
        rules = ", ".join(f"{rule} {count}" for rule, count in one.rules.most_common(3))
        print(f"{name:24}{one.seeded:>8}{one.found:>8}{one.found / one.seeded:>9.1%}  {rules}")
    share = found.alarmed / found.rows
    print(f"\n{len(KINDS)} kinds, recall {found.recall:.2%}")
    print(f"{found.rows:,} clean rows, asked about in vain {share:.2%}\n")
    print(f"{'rule':24}{'recall':>9}{'in vain':>10}  (per cent of clean rows)")
    for rule in RULES:
        recall = found.recall_of(rule.name)
        words = "-" if recall is None else f"{recall:.0%}"
        print(f"{rule.name:24}{words:>9}{100 * found.in_vain[rule.name] / found.rows:>10.3f}")
    return int(found.recall < 0.95 or share > 0.01)


if __name__ == "__main__":
    sys.exit(main())
