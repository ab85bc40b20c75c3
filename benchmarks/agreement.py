"""Simulated reader studies: how often the intervals hold the truth, and how fast it is.

Usage: python benchmarks/agreement.py [--runs 400]

Prints coverage of the 95 % intervals with known components, with biases of 0, 5 and 15 degrees
between two readers, and two hips in some patients; how often a change between two readers is called
real where nothing changed; and the time of 10,000 hips by 5 readers beside pingouin, where it is
installed.
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
        "ICC(2,1), by patients": HIP_SD**2 / (HIP_SD**2 + total),
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
            "ICC(2,1), by patients": icc_by_patients(table, [str(p) for p in PATIENT_OF_HIP], 500)[
                "ICC(2,1)"
            ],
        }
        estimates = (
            *(found.variances[name] for name in ("reader", "reader x hip", "repeat")),
            found.one_reader.sd or 0,
            found.two_readers.sd or 0,
            one.value or 0,
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
    inside = judged = false = 0
    for _ in range(runs):
        values, hips, people = made(random, np.array([0.0, bias]))
        table = values.reshape(HIPS, 2, 2)[:, :, 0]
        low, high = bland_altman(table[:, 0], table[:, 1]).bias_interval
        inside += low <= bias <= high
        spread = components(Reads.of(values, hips, people)).two_readers
        limit = t_quantile(max(spread.dof, 1.0)) * math.sqrt(2.0) * (spread.sd or 0.0)
        # one reader reads the baseline, the other the later visit of an unchanged hip
        later = random.normal(bias, math.sqrt(2 * (CROSSED_SD**2 + REPEAT_SD**2)), 200)
        false += int((np.abs(later) > limit).sum())
        judged += 200
    print(
        f"\nbias of {bias:g} between two readers: coverage of its interval {inside / runs:.3f}, "
        f"unchanged hips called changed {100 * false / judged:.1f} %"
    )


def speed() -> None:
    """10,000 hips by 5 readers, CPU seconds."""
    random = np.random.default_rng(13)
    table = random.normal(200, 40, (10_000, 1)) + random.normal(0, 6, (10_000, 5))
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
    start = time.process_time()
    pingouin.intraclass_corr(frame, targets="hip", raters="reader", ratings="value")
    theirs = time.process_time() - start
    print(f"pingouin {theirs:.2f} s: {theirs / own:.0f} times ours")


if __name__ == "__main__":
    main()
