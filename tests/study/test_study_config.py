"""The study's configuration: what it says, and what it may not say."""

import re
from dataclasses import dataclass

import pytest
from hipstrategy import identifiers
from hypothesis import given
from hypothesis import strategies as st

from necroangle.annotation import reading_schema
from necroangle.clinical import REASONS
from necroangle.entries import KINDS_OF_EVENT
from necroangle.errors import CohortError
from necroangle.protocol.study import (
    EVENTS,
    CutOffs,
    Missing,
    ReaderNoise,
    decode_protocol,
    new_protocol,
    noise_toml,
    study_toml,
)
from necroangle.protocol.visits import IDENTIFIER, Visit

GOOD = study_toml(new_protocol("onfh", "ha_mr_midslice", ("r1", "r2"))).decode()


KIM = noise_toml(ReaderNoise(reader="kim", end_sd_mm=0.8, end_bias_mm=0.2, end_dof=45)) + "\n"
TWO_KIMS = KIM + KIM.replace("0.8", "0.9")


@dataclass(frozen=True)
class Fault:
    """A text put in the place of another, and what the refusal must say."""

    name: str
    old: str
    new: str
    said: str


FAULTS = (
    Fault("unknown key", "index_visit =", "indexvisit =", r"\$: .*unknown field `indexvisit`"),
    Fault("unknown inner key", "months = 3\n", "month = 3\n", r"\$\.visits\[1\]: .*`month`"),
    Fault("range", "before_days = 90", "before_days = -1", r"\$\.visits\[0\]\.before_days: .*>= 0"),
    Fault("type", "months = 3\n", 'months = "three"\n', r"\$\.visits\[1\]\.months: .*float"),
    Fault("visit twice", 'name = "m03"', 'name = "m00"', r"\$\.visits: 'm00' occurs twice"),
    Fault("overlap", "before_days = 45", "before_days = 90", r"windows? of m?|overlap"),
    Fault("order", "months = 3\n", "months = 7\n", r"'m06' is not later than 'm03'"),
    Fault("index visit", 'index_visit = "m00"', 'index_visit = "m01"', "'m01' is none of the"),
    Fault("index months", 'index_visit = "m00"', 'index_visit = "m03"', "has 3 months; it needs 0"),
    Fault(
        "published cut-offs",
        "change_deg = 20.0",
        "change_deg = 20.0\nha_grade_deg = [200.0, 250.0, 300.0]\nha_risk_deg = [190.0, 240.0]",
        r"\$\.cut_offs\.ha_grade_deg and \$\.cut_offs\.ha_risk_deg: .* delete these lines",
    ),
    Fault(
        "one published cut-off",
        "change_deg = 20.0",
        "change_deg = 20.0\nha_risk_deg = [190.0, 240.0]",
        r"\$\.cut_offs\.ha_risk_deg: .* delete this line",
    ),
    Fault(
        "no months", 'name = "m03"\nmonths = 3\n', 'name = "late"\n', r"state the months of 'late'"
    ),
    Fault("index rule", '"treatment", "index_date"', '"treatment", "birth"', r"\$\.index_day\[1\]"),
    Fault("index twice", '"treatment", "index_date"', '"visit", "index_date"', "occurs twice"),
    Fault("quantiles", "quantiles = 7", "quantiles = 5", r"\$\.statistics\.quantiles"),
    Fault(
        "reader's noise",
        "[failure]",
        TWO_KIMS + "[failure]",
        r"\$\.noise\.readers: 'kim' occurs twice",
    ),
    Fault(
        "reader's spread",
        "[failure]",
        KIM.replace("0.8", "0.0") + "[failure]",
        r"\$\.noise\.readers\[0\]\.end_sd_mm: .*> 0",
    ),
    Fault("noise", "end_sd_mm = 1.0", "end_sd_mm = 0.0", r"\$\.noise\.end_sd_mm: .*> 0"),
    Fault(
        "no angle", "change_deg = 20.0", "change_deg = -20.0", r"\$\.cut_offs\.change_deg: .*>= 0"
    ),
    Fault("codes", "not_readable = -98", "not_readable = -97", "one code stands for two reasons"),
    Fault("reader twice", '"r2"', '"r1"', "'r1' occurs twice"),
    Fault("stage", '["3B", "4"]', '["3C"]', r"\$\.failure\.reaches\[0\]: .*'3C'"),
    Fault("event", '"tha", "lost"', '"tha", "list"', r"\$\.events\[3\]: .*'list'"),
    Fault("shared secret", '"secret.key"', '"./exports/secret.key"', "must not lie in exports/"),
    Fault(
        "password",
        '"cohort.sqlite"',
        '"postgresql+psycopg://ann:pw@host/db"',
        "no password in this file",
    ),
    Fault("version", "version = 1", "version = 2", r"\$\.version: "),
    Fault("malformed", "version = 1", "version = ", "line"),
    Fault("name", 'study = "onfh"', 'study = "a b"', r"\$\.study: "),
)


def test_the_template_is_what_it_says() -> None:
    config = decode_protocol(GOOD.encode())
    assert [visit.months for visit in config.visits] == [0, 3, 6, 12, 24, 36, 48, 60]
    assert config.readers == ("r1", "r2")
    assert config.cut_offs.change_deg == CutOffs().change_deg == 20.0
    assert config.missing.codes == {
        "-97": "not applicable",
        "-98": "not readable",
        "-99": "not done",
    }


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_a_study_may_not_say_is_refused_by_its_place(fault: Fault) -> None:
    assert fault.old in GOOD
    with pytest.raises(CohortError, match=fault.said) as refused:
        decode_protocol(GOOD.replace(fault.old, fault.new, 1).encode(), file="study.toml")
    assert str(refused.value).startswith("study.toml: ")


def test_the_noise_of_a_reader_may_stand_anywhere_in_the_file_and_is_written_again() -> None:
    known = decode_protocol(f"{GOOD}{KIM}".encode())
    assert [one.reader for one in known.noise.readers] == ["kim"]
    assert decode_protocol(study_toml(known)) == known


def test_text_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(CohortError, match="UTF-8"):
        decode_protocol(b'study = "\xff"')


@given(identifiers, st.lists(identifiers, unique=True, max_size=4))
def test_any_name_that_a_reading_may_have_is_a_name_here(study: str, readers: list[str]) -> None:
    config = decode_protocol(study_toml(new_protocol(study, "centre_plane", tuple(readers))))
    assert (config.study, list(config.readers)) == (study, readers)


@given(st.integers(0, 120), st.integers(0, 300), st.integers(0, 300))
def test_a_window_holds_its_nominal_day(months: int, before: int, after: int) -> None:
    visit = Visit("v", months, before, after)
    assert visit.window_days is not None
    assert visit.nominal_days is not None
    first, last = visit.window_days
    assert first <= round(visit.nominal_days) <= last
    assert last - first == before + after
    assert abs(visit.nominal_days - months * 30.4375) <= 0.5


def test_the_words_are_those_of_the_reading_file_and_of_the_clinical_fields() -> None:
    schema = reading_schema()["$defs"]["HipReading"]["properties"]
    assert re.escape(schema["subject"]["pattern"]) == re.escape(IDENTIFIER)
    assert tuple(KINDS_OF_EVENT) == EVENTS
    assert set(Missing().codes.values()) == set(REASONS)
