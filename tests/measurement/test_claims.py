"""What is said of the angle, by a hand that shares none of the assumptions; in short.

In full by ``benchmarks/accuracy.py``. Limits are those of the full run less three sampling errors.
"""

from dataclasses import replace

import numpy as np
import pytest
from doubtinghand import MIXTURE, MIXTURES, ROWS, Case, read_hips, read_stacks

from necroangle.measurement import Measured, measure_many
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.row import RowColumns
from necroangle.protocol.pair_error import PAIR_COLUMNS, PairRead, pair_error

HIPS = 250
SLACK = 3 * (0.93 * 0.07 / HIPS) ** 0.5
NAMED = {case.name: case for case in ROWS}
TRIED = (
    "12 marks, rim 130",
    "rim noise correlated .7, 30 marks",
    "oval 5 %, rim 180, 30 marks",
    "slices +-3 mm, tilt 20",
)


@pytest.mark.parametrize(
    "case", [*(NAMED[name] for name in TRIED), *MIXTURES], ids=lambda one: one.name
)
def test_the_interval_holds_the_truth_and_is_no_wider_than_it_must_be(case: Case) -> None:
    (hips,) = read_hips(case, HIPS, 7)
    found, truth = measure_batch(hips.batch, judged=False), hips.truth_deg
    assert not found.refused
    low, high = found.views.angle.bounds()
    held = (low <= truth.ravel()) & (truth.ravel() <= high)
    total = truth.sum(axis=1)
    low, high = found.cna.bounds()
    for share in (held[::2], held[1::2], (low <= total) & (total <= high)):
        assert share.mean() >= case.least - SLACK
    by_marking = 2 * 1.96 * found.cna.marking.mean()
    assert (high - low).mean() <= 2.1 * by_marking
    if case.offset_mm and case.tilt_deg:
        reach = 1.96 * found.cna.marking
        assert (np.abs(found.cna.value - total) <= reach).mean() < 0.88, "marking alone is too sure"


@pytest.mark.parametrize("stacked", [False, True])
def test_hips_in_arrays_are_those_of_their_readings(stacked: bool) -> None:
    hips = read_stacks(MIXTURE, 6, 3, 3) if stacked else read_hips(MIXTURES[1], 6, 3)[0]
    one, other = measure_batch(hips.batch), measure_many(hips.readings)
    assert not one.refused
    assert one.cna.value.tolist() == other.cna.value.tolist()
    assert one.doubts.tolist() == other.doubts.tolist()
    assert np.allclose(one.cna.se, other.cna.se, rtol=1e-12)


def pair_reads(found: Measured) -> list[PairRead]:
    files = ["" for _ in range(len(found))]
    cells = RowColumns.measured(files, files, found, PAIR_COLUMNS).cells(PAIR_COLUMNS)
    rows = [PairRead.of_row(dict(zip(PAIR_COLUMNS, one, strict=True))) for one in cells]
    return [row for row in rows if row is not None]


@pytest.mark.parametrize(("offset_mm", "limit_deg"), [(0.0, 19.0), (3.0, 25.0)])
def test_an_unchanged_hip_is_seldom_called_changed(offset_mm: float, limit_deg: float) -> None:
    case = replace(MIXTURE, tilt_deg=20.0, tilt_sd_deg=0.0, offset_mm=offset_mm, end_spread=0.0)
    before, after = (
        pair_reads(measure_batch(visit.batch, judged=False))
        for visit in read_hips(case, HIPS, 11, visits=2)
    )
    errors = [pair_error(one, other) for one, other in zip(before, after, strict=True)]
    change = np.array([b.cna_deg - a.cna_deg for a, b in zip(before, after, strict=True)])
    limits = np.array([one.mdc95_deg for one in errors])
    assert len(limits) == HIPS
    assert np.mean(np.abs(change) > limits) <= 0.07 + 3 * (0.07 * 0.93 / HIPS) ** 0.5
    assert limits.mean() < limit_deg
