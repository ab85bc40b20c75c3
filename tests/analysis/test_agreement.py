"""Agreement of a study's readers, from simulated readings with known components."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hipmaker import make_reading

from necroangle.analysis import analysis_set
from necroangle.analysis.agreement import AgreementRow, agreement_of, noise_found
from necroangle.annotation import encode_reading, file_name
from necroangle.cli.analyses.agree import command as agree
from necroangle.cli.readings.measure import command as measure
from necroangle.errors import CohortError
from necroangle.protocol.study import NO_STUDY, decode_protocol
from necroangle.statistics.agreement import Reads, components, icc
from necroangle.study import init_study, open_study

Row = dict[str, Any]


def made_rows(
    hips: int = 40, bias: float = 6.0, repeat_sd: float = 3.0, seed: int = 1, **more: Any
) -> list[Row]:
    random = np.random.default_rng(seed)
    angles = random.normal(210, 40, hips)
    return [
        {
            "subject": f"S{hip // 2}",
            "laterality": "LR"[hip % 2],
            "visit": "m00",
            "reader": reader,
            "read_no": read_no,
            "method": "m",
            "cna_deg": angles[hip] + habit + random.normal(0, repeat_sd),
            **more,
        }
        for hip in range(hips)
        for reader, habit in (("kim", 0.0), ("lee", bias))
        for read_no in (1, 2)
    ]


def one(rows: tuple[AgreementRow, ...], quantity: str, statistic: str) -> AgreementRow:
    return next(row for row in rows if (row.quantity, row.statistic) == (quantity, statistic))


def test_a_slope_that_is_certain_is_below_a_thousandth() -> None:
    rows = [
        {**row, "cna_deg": 1.3 * row["cna_deg"] if row["reader"] == "lee" else row["cna_deg"]}
        for row in made_rows(60)
    ]
    slope = one(agreement_of(analysis_set(rows, {}), draws=50).rows, "CNA", "proportional bias")
    assert slope.words == "P < 0.001"


def test_both_intervals_of_a_number_have_its_digits() -> None:
    found = agreement_of(analysis_set(made_rows(), {}), draws=50).rows
    bias = one(found, "CNA", "bias")
    assert re.fullmatch(r"-?\d+\.\d° \(-?\d+\.\d to -?\d+\.\d°\)", bias.text)
    assert re.fullmatch(r"-?\d+\.\d to -?\d+\.\d°", bias.by_patients)
    assert re.fullmatch(r"0\.\d{3} to 0\.\d{3}", one(found, "CNA", "ICC(2,1)").by_patients)


def test_known_components_come_back() -> None:
    found = agreement_of(analysis_set(made_rows(400), {}), draws=50).rows
    repeat = one(found, "CNA", "variance, repeat")
    assert repeat.value == pytest.approx(9.0, rel=0.1)
    assert repeat.low is not None
    assert repeat.low < 9.0 < (repeat.high or 0)
    assert one(found, "CNA", "bias").value == pytest.approx(6.0, abs=0.5)
    assert one(found, "CNA", "variance, reader").value == pytest.approx(18.0, rel=0.2)
    sd = one(found, "CNA", "SD within reader")
    assert sd.value == pytest.approx(3.0, rel=0.05)
    limit = one(found, "CNA", "repeatability coefficient")
    assert limit.value == pytest.approx(1.96 * math.sqrt(2) * (sd.value or 0), rel=1e-4)


def test_each_number_counts_hips_and_patients() -> None:
    found = agreement_of(analysis_set(made_rows(20), {}), draws=50).rows
    assert {(row.hips, row.patients) for row in found} == {(20, 10)}
    assert all(row.value is not None or row.words for row in found)
    assert not any(math.isnan(row.value) for row in found if row.value is not None)


def test_consensus_strangers_and_replaced_hips_are_not_compared() -> None:
    rows = made_rows(10)
    other = {**rows[0], "reader": "guest", "cna_deg": 10.0}
    replaced = [
        {**row, "subject": "S99", "a_status": "prosthesis", "b_status": "prosthesis"}
        for row in rows[:4]
    ]
    protocol = NO_STUDY.overridden({"readers": ["kim", "lee"]})
    plain = agreement_of(analysis_set(rows, {}, protocol), draws=50)
    more = agreement_of(analysis_set([*rows, other, *replaced], {}, protocol), draws=50)
    assert more.rows == plain.rows
    assert any("guest" in note for note in more.notes)


def test_boundaries_that_pass_behind_the_head_are_beside_each_other() -> None:
    rows = made_rows(12)
    for number, row in enumerate(rows):
        row["a_start_deg"] = 179.0 if number % 2 else -179.0
    found = agreement_of(analysis_set(rows, {}), draws=50).rows
    assert one(found, "A, first boundary", "SD within reader").value == pytest.approx(math.sqrt(2))


def test_grades_that_depend_on_the_reader_are_listed() -> None:
    rows = made_rows(10, ha_grade=2)
    for row in rows:
        if row["subject"] == "S3" and row["laterality"] == "L" and row["reader"] == "lee":
            row["ha_grade"] = 3
        if row["subject"] == "S1":  # a finding, not a missing grade
            row["cna_deg"], row["ha_grade"] = 0.0, None
    found = agreement_of(analysis_set(rows, {}), draws=50)
    (flip,) = found.flips
    assert (flip.subject, flip.laterality) == ("S3", "L")
    assert flip.grades == (("kim", "2"), ("lee", "3"))
    assert one(found.rows, "Ha's grade", "agreement").value == pytest.approx(90.0)


def test_each_reader_has_their_own_spread_and_a_hip_read_once_is_not_counted() -> None:
    rows = made_rows(20, repeat_sd=0.0)
    for row in rows:
        if row["reader"] == "lee" and row["read_no"] == 2:
            row["cna_deg"] += 10.0  # kim repeats exactly, lee never
    first = [row for row in rows if row["subject"] == "S0" and row["reader"] == "kim"]
    rows = [row for row in rows if row not in first]  # the first hip was read by lee alone
    once = {**rows[-1], "subject": "S99"}
    found = agreement_of(analysis_set([*rows, once], {}), draws=50).rows
    own = {
        row.readers: row.value
        for row in found
        if (row.quantity, row.statistic) == ("CNA", "SD within reader")
    }
    assert own["kim"] == 0.0
    assert own["lee"] == pytest.approx(math.sqrt(50))
    assert one(found, "CNA", "SD within reader").hips == 20


def test_one_read_of_each_hip_is_refused() -> None:
    rows = [row for row in made_rows(5) if row["reader"] == "kim" and row["read_no"] == 1]
    with pytest.raises(CohortError, match="no hip was read twice"):
        agreement_of(analysis_set(rows, {}), draws=50)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    inside = {"icc": 0, "two readers": 0}
    runs = 150
    truth = 30.0**2 / (30.0**2 + 6.0**2 + 5.0**2)
    for _ in range(runs):
        table = (
            random.normal(0, 30, (22, 1))
            + random.normal(0, 6, (1, 5))
            + random.normal(0, 5, (22, 5))
        )
        low, high = icc(table)["ICC(2,1)"].interval or (1.0, 0.0)
        inside["icc"] += low <= truth <= high
    assert inside["icc"] / runs > 0.91
    for _ in range(20):
        table = (
            random.normal(0, 30, (22, 1))
            + random.normal(0, 6, (1, 5))
            + random.normal(0, 5, (22, 5))
        )
        reads = Reads.of(
            table.ravel(), np.repeat(range(22), 5).tolist(), np.tile(range(5), 22).tolist()
        )
        low, high = components(reads).two_readers.interval or (1.0, 0.0)
        inside["two readers"] += low <= math.hypot(6, 5) <= high
    assert inside["two readers"] >= 16


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study in which two readers read eight hips twice each."""
    made = init_study(tmp_path_factory.mktemp("agree") / "st", "st", readers=("kim", "lee"))
    random = np.random.default_rng(2)
    for hip in range(8):
        a, b = random.uniform(60, 150), random.uniform(60, 140)
        for reader, bias in (("kim", 0.0), ("lee", 3.0)):
            for read in (1, 2):
                one_read = make_reading(
                    a + bias + random.normal(0, 4), b + random.normal(0, 4),
                    subject=f"S{hip}", visit="m00", reader=reader, read_no=read,
                )  # fmt: skip
                (made.readings / file_name(one_read)).write_bytes(encode_reading(one_read))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        CliRunner().invoke(measure, ["readings"], catch_exceptions=False)
        yield made.folder


def test_what_is_found_can_be_adopted_and_is_then_the_error_of_every_change(study: Path) -> None:
    from necroangle.analysis.stored import analysis_of
    from necroangle.ledger.store import CohortStore

    result = CliRunner().invoke(agree, ["--adopt"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "ICC(2,1)" in result.output
    assert "[[noise.angle]]" in result.output
    protocol = open_study(study).protocol
    assert decode_protocol((study / "study.toml").read_bytes()) == protocol
    with CohortStore.open("cohort.sqlite", create=False) as store:
        found = analysis_of(store, protocol)
    (same, two) = protocol.noise.angle
    known = found.study_noise
    assert known.same_reader is not None
    assert known.two_readers is not None
    assert (known.same_reader.sem_deg, known.two_readers.sem_deg) == (same.sd_deg, two.sd_deg)
    assert known.same_reader.source == "the agreement the study adopted"
    with pytest.raises(CohortError, match="adopted before"):
        CliRunner().invoke(agree, ["--adopt"], catch_exceptions=False)


def test_csv_has_every_number(study: Path) -> None:
    result = CliRunner().invoke(agree, ["--csv"], catch_exceptions=False)
    lines = result.output.splitlines()
    assert lines[0].startswith("quantity,statistic,readers,hips,patients,value,low,high")
    assert any(line.startswith("CNA,") and "limit of agreement" in line for line in lines)
    assert "nan" not in result.output


def test_too_little_is_not_adopted() -> None:
    assert noise_found(None) == ()
