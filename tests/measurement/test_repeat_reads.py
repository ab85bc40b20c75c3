"""Repeat reads whose slices lie apart: what slices make counts once in the error of a change."""

import math
from dataclasses import replace

import numpy as np
import pytest
from doubtinghand import MIXTURE, Case, read_by_two, read_hips

from necroangle.measurement import Measured
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.row import RowColumns
from necroangle.protocol.noise import StudyNoise
from necroangle.protocol.pair_error import PAIR_COLUMNS, PairRead, pair_error
from necroangle.protocol.repeat_reads import (
    SingleRead,
    marking_shares,
    noise_of_repeats,
    single_reads,
)

TWICE, PAIRS = 60, 250
HAND = replace(MIXTURE, tilt_sd_deg=0.0, end_spread=0.0, habit_sd_mm=0.0)


def rows_of(found: Measured) -> list[dict[str, object]]:
    files = ["" for _ in range(len(found))]
    cells = RowColumns.measured(files, files, found, PAIR_COLUMNS).cells(PAIR_COLUMNS)
    return [dict(zip(PAIR_COLUMNS, one, strict=True)) for one in cells]


def repeats(case: Case, seed: int = 3) -> list[SingleRead]:
    """One reader's two reads of each hip visit."""
    reads = read_by_two(case, TWICE, seed, (0.0, 0.0), one_visit=True)
    rows = [
        {
            **row, "subject": f"S{hip}", "laterality": "L", "visit": "m00", "reader": "r1",
            "read_no": read_no,
        }
        for read_no, one in enumerate(reads, 1)
        for hip, row in enumerate(rows_of(measure_batch(one.batch, judged=False)))
    ]  # fmt: skip
    return list(single_reads(rows))


def changes(case: Case, noise: StudyNoise, seed: int = 5) -> tuple[float, float, float]:
    """Share of unchanged hips called changed, power for 25 degrees, and the mean limit."""
    before, after = (
        [PairRead.of_row(row) for row in rows_of(measure_batch(visit.batch, judged=False))]
        for visit in read_hips(case, PAIRS, seed, visits=2)
    )
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one and other]
    limits = np.array([pair_error(one, other, noise).mdc95_deg for one, other in pairs])
    change = np.array([other.cna_deg - one.cna_deg for one, other in pairs])
    return (
        float(np.mean(np.abs(change) > limits)),
        float(np.mean(25.0 - change > limits)),
        float(limits.mean()),
    )


MOST_FALSE = 0.07 + 3 * math.sqrt(0.07 * 0.93 / PAIRS)


@pytest.mark.parametrize(("tilt_deg", "offset_mm"), [(0.0, 2.0), (20.0, 2.0), (20.0, 3.0)])
def test_repeats_on_free_slices_hold_marking_alone(tilt_deg: float, offset_mm: float) -> None:
    case = replace(HAND, tilt_deg=tilt_deg, offset_mm=offset_mm)
    reads = repeats(case)
    twice_counted = noise_of_repeats([read._replace(pair=None) for read in reads], 5)
    noise = noise_of_repeats(reads, 5)
    marking = noise_of_repeats(repeats(replace(case, offset_mm=0.0)), 5)
    assert noise.same_reader is not None
    assert twice_counted.same_reader is not None
    assert marking.same_reader is not None
    assert noise.same_reader.sem_deg == pytest.approx(marking.same_reader.sem_deg, rel=0.25)
    assert noise.same_reader.dof < twice_counted.same_reader.dof
    false, power, limit = changes(case, noise)
    _, less_power, wide = changes(case, twice_counted)
    assert false <= MOST_FALSE
    assert limit <= 1.03 * wide, "fewer degrees of freedom may cost a little"
    if tilt_deg:
        assert power > less_power + 0.05
        assert limit < 0.92 * wide


def test_slices_that_are_steeper_than_those_of_the_study_do_not_make_a_change_too_sure() -> None:
    """Repeats far apart of lesions that are not tilted; visits on one slice."""
    noise = noise_of_repeats(repeats(replace(HAND, tilt_deg=0.0, offset_mm=4.0)), 5)
    assert noise.same_reader is not None
    false, _, _ = changes(replace(HAND, tilt_deg=0.0, offset_mm=0.0), noise)
    assert false <= MOST_FALSE


def test_repeats_on_one_slice_are_as_they_are() -> None:
    reads = repeats(replace(HAND, tilt_deg=20.0, offset_mm=3.0, follow_mm=0.0))
    same, _ = marking_shares(reads)
    assert 0.85 < same <= 1.0
    unknown = [
        read._replace(
            pair=read.pair
            and replace(
                read.pair,
                a=replace(read.pair.a, offset_mm=None, rim_span_deg=None),
                b=replace(read.pair.b, offset_mm=None, rim_span_deg=None),
            )
        )
        for read in repeats(replace(HAND, tilt_deg=20.0, offset_mm=3.0))
    ]
    assert marking_shares(unknown) == (1.0, 1.0), "what is not known explains nothing"
