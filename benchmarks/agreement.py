"""Simulated reader studies: how often the intervals hold the truth, and how fast it is.

Usage: python benchmarks/agreement.py [--runs 400]

Prints coverage of the 95 % intervals with known components, with biases of 0, 5 and 15 degrees
between two readers, and two hips in some patients; how often a change between two readers is
called real where nothing changed; bias and coverage of the cumulative incidence beside competing
events, and how often tests of groups that do not differ say that they do; and the time of 10,000
hips by 5 readers beside pingouin, where it is installed.
"""

import argparse
import math
import time

import numpy as np

from necroangle.protocol.noise import t_quantile
from necroangle.statistics.agreement import (
    Reads,
    bland_altman,
    components,
    icc,
    icc_by_patients,
)
from necroangle.statistics.regression import groups_by_patients
from necroangle.statistics.survival import Times, at_time, gray_test, incidence, log_rank

HIP_SD, CROSSED_SD, REPEAT_SD = 35.0, 3.0, 5.0
HIPS, PATIENTS = 22, 18
PATIENT_OF_HIP = [*range(PATIENTS), *range(HIPS - PATIENTS)]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    print(
        f"{runs} runs, {HIPS} hips in {PATIENTS} patients, SD of hips {HIP_SD:g}, of repeats "
        f"{REPEAT_SD:g}"
    )
    for readers in (2, 3, 5):
        coverage(runs, readers)
    for bias in (0.0, 5.0, 15.0):
        fixed_bias(runs, bias)
    print("\ncompeting events")
    for hips in (22, 60, 200):
        for rate, other in ((0.10, 0.15), (0.03, 0.05)):
            competing(2 * runs, hips, rate, other)
    groups_alike(runs)
    speed()


def made(
    random: np.random.Generator, habits: np.ndarray, share: float = 0.6
) -> tuple[np.ndarray, list[int], list[int]]:
    """Two reads of each hip by each reader; hips of one patient are alike."""
    people = random.normal(0, HIP_SD * math.sqrt(share), PATIENTS)[PATIENT_OF_HIP]
    hips = 200 + people + random.normal(0, HIP_SD * math.sqrt(1 - share), HIPS)
    k = len(habits)
    crossed = random.normal(0, CROSSED_SD, (HIPS, k))
    values = (hips[:, None] + habits + crossed)[:, :, None] + random.normal(
        0, REPEAT_SD, (HIPS, k, 2)
    )
    places = np.indices(values.shape)
    return values.ravel(), places[0].ravel().tolist(), places[1].ravel().tolist()


def coverage(runs: int, readers: int, reader_sd: float = 4.0) -> None:
    """Of components, coefficients and the smallest real change, readers drawn by chance."""
    random = np.random.default_rng(11)
    total = reader_sd**2 + CROSSED_SD**2 + REPEAT_SD**2
    truth = {
        "variance, reader": reader_sd**2,
        "variance, reader x hip": CROSSED_SD**2,
        "variance, repeat": REPEAT_SD**2,
        "SD within reader": REPEAT_SD,
        "SEM, any reader": math.sqrt(total),
        "ICC(2,1)": HIP_SD**2 / (HIP_SD**2 + total),
    }
    inside = dict.fromkeys(truth, 0)
    sums = dict.fromkeys(truth, 0.0)
    for _ in range(runs):
        values, hips, people = made(random, random.normal(0, reader_sd, readers))
        found = components(Reads.of(values, hips, people))
        table = values.reshape(HIPS, readers, 2)[:, :, 0]
        one = icc(table)["ICC(2,1)"]
        intervals = {
            "variance, reader": found.intervals["reader"],
            "variance, reader x hip": found.intervals["reader x hip"],
            "variance, repeat": found.intervals["repeat"],
            "SD within reader": found.one_reader.interval,
            "SEM, any reader": found.two_readers.interval,
            "ICC(2,1)": one.interval,
        }
        estimates = (
            *(found.variances[name] for name in ("reader", "reader x hip", "repeat")),
            found.one_reader.sd or 0,
            found.two_readers.sd or 0,
            one.value or 0,
        )
        for (name, bounds), estimate in zip(intervals.items(), estimates, strict=True):
            sums[name] += estimate
            if bounds is not None:
                inside[name] += bounds[0] <= truth[name] <= bounds[1]
    print(f"\n{readers} readers drawn by chance, SD {reader_sd:g}")
    for name, value in truth.items():
        print(
            f"  {name:<24} truth {value:8.3f}  mean {sums[name] / runs:8.3f}  "
            f"coverage {inside[name] / runs:.3f}"
        )


def fixed_bias(runs: int, bias: float) -> None:
    """Two readers with a bias between them: its interval, and false real changes between them."""
    random = np.random.default_rng(12)
    inside = judged = false = resampled = 0
    # resampling patients takes the readers as they are: two of them, with this bias
    total = bias**2 / 2 + CROSSED_SD**2 + REPEAT_SD**2
    truth = HIP_SD**2 / (HIP_SD**2 + total)
    sums = dict.fromkeys(("reader", "reader x hip", "repeat"), 0.0)
    for _ in range(runs):
        values, hips, people = made(random, np.array([0.0, bias]))
        table = values.reshape(HIPS, 2, 2)[:, :, 0]
        low, high = bland_altman(table[:, 0], table[:, 1]).bias_interval
        inside += low <= bias <= high
        bounds = icc_by_patients(table, [str(p) for p in PATIENT_OF_HIP], 500)["ICC(2,1)"]
        resampled += bounds is not None and bounds[0] <= truth <= bounds[1]
        found = components(Reads.of(values, hips, people))
        for name in sums:
            sums[name] += found.variances[name] / runs
        spread = found.two_readers
        limit = t_quantile(max(spread.dof, 1.0)) * math.sqrt(2.0) * (spread.sd or 0.0)
        # one reader reads the baseline, the other the later visit of an unchanged hip
        later = random.normal(bias, math.sqrt(2 * (CROSSED_SD**2 + REPEAT_SD**2)), 200)
        false += int((np.abs(later) > limit).sum())
        judged += 200
    print(
        f"\nbias of {bias:g} between two readers: coverage of its interval {inside / runs:.3f}, "
        f"unchanged hips called changed {100 * false / judged:.1f} %"
    )
    print(
        f"  components: reader {sums['reader']:.1f} (truth {bias**2 / 2:.1f}), reader x hip "
        f"{sums['reader x hip']:.1f} ({CROSSED_SD**2:.1f}), repeat {sums['repeat']:.1f} "
        f"({REPEAT_SD**2:.1f}); ICC(2,1) by patients covers {resampled / runs:.3f}"
    )


def competing(runs: int, hips: int, rate: float, other: float) -> None:
    """Cumulative incidence beside competing events of constant hazards: bias and coverage."""
    random = np.random.default_rng(14)
    for years in (2.0, 5.0):
        both = rate + other
        truth = rate / both * (1 - math.exp(-both * years))
        inside = used = 0
        total = 0.0
        for _ in range(runs):
            event, compete = random.exponential(1 / rate, hips), random.exponential(1 / other, hips)
            lost = random.uniform(2, 9, hips)
            time = np.minimum(np.minimum(event, compete), lost)
            data = Times.of(time, np.where(time == event, 1, np.where(time == compete, 2, 0)))
            found = at_time(incidence(data), years)
            if found is not None:
                used += 1
                total += found[0]
                inside += found[1][0] <= truth <= found[1][1]
        print(
            f"  {hips:>4} hips, incidence at {years:g} years {100 * truth:.1f} %: bias "
            f"{100 * (total / used - truth):+.2f} points, coverage {inside / used:.3f}"
        )


def groups_alike(runs: int, patients: int = 60) -> None:
    """Two hips of each patient in one group, nothing differs: how often a test says it does."""
    random = np.random.default_rng(15)
    calls = {"log-rank": 0, "by patients": 0, "Gray": 0, "Gray, by patients": 0}
    people = np.repeat(np.arange(patients), 2)
    for _ in range(runs):
        frailty = np.exp(random.normal(0, 1, patients))[people]
        group = (random.random(patients) < 0.5).astype(int)[people]
        event, compete = (random.exponential(1 / (rate * frailty)) for rate in (0.15, 0.05))
        lost = random.uniform(2, 9, 2 * patients)
        time = np.minimum(np.minimum(event, compete), lost)
        data = Times.of(time, np.where(time == event, 1, np.where(time == compete, 2, 0)))
        who, names = people.tolist(), group.tolist()
        for name, test in (
            ("log-rank", log_rank(data, names)),
            ("by patients", groups_by_patients(data, names, who, competing=False)),
            ("Gray", gray_test(data, names)),
            ("Gray, by patients", groups_by_patients(data, names, who, competing=True)),
        ):
            calls[name] += test.p is not None and test.p < 0.05
    told = ", ".join(f"{name} {100 * count / runs:.1f} %" for name, count in calls.items())
    print(f"\ngroups that do not differ, {patients} patients with two hips each: {told}")


def speed() -> None:
    """10,000 hips by 5 readers, CPU seconds."""
    random = np.random.default_rng(13)
    table = random.normal(200, 40, (10_000, 1)) + random.normal(0, 6, (10_000, 5))
    icc(table[:50])  # what is loaded once is not timed, here and for pingouin
    start = time.process_time()
    icc(table)
    own = time.process_time() - start
    start = time.process_time()
    rows = np.indices(table.shape)
    components(Reads.of(table.ravel(), rows[0].ravel().tolist(), rows[1].ravel().tolist()))
    whole = time.process_time() - start
    start = time.process_time()
    icc_by_patients(table, [str(n // 2) for n in range(10_000)], 1000)
    resampled = time.process_time() - start
    print(
        f"\n10,000 hips, 5 readers, CPU: coefficients {own:.3f} s, components {whole:.2f} s, "
        f"1,000 samples of patients {resampled:.2f} s"
    )
    try:
        import pandas as pd
        import pingouin
    except ImportError:
        print("pingouin is not installed: no ratio")
        return
    frame = pd.DataFrame(
        {"hip": rows[0].ravel(), "reader": rows[1].ravel(), "value": table.ravel()}
    )
    few = frame[frame["hip"] < 50]
    pingouin.intraclass_corr(few, targets="hip", raters="reader", ratings="value")
    start = time.process_time()
    pingouin.intraclass_corr(frame, targets="hip", raters="reader", ratings="value")
    theirs = time.process_time() - start
    print(f"pingouin, coefficients alone: {theirs:.3f} s, {theirs / own:.1f} times ours")


if __name__ == "__main__":
    main()
