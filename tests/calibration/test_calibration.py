"""A calibration finds the bias and the spread that a reader has, and hands out no truth."""

import json
import math
import stat
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from knownreader import KnownReader, read_all

from necroangle.annotation import HipReading, NecroticArc, ReadView, file_name, save_reading
from necroangle.calibration import (
    Calibration,
    Truths,
    as_html,
    as_text,
    calibrated,
    load_calibration,
    make_calibration,
    noise_of,
    reader_error,
)
from necroangle.cli.readings.calibrate import command
from necroangle.errors import MethodError, PhantomError
from necroangle.phantom import HeadForm
from necroangle.protocol.study import decode_protocol, new_protocol, study_toml
from necroangle.readerstudy import reading_list

CHANCE_SEED = 5


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Calibration, Truths]:
    """The twenty hips, without their images."""
    folder = tmp_path_factory.mktemp("calibration")
    made = make_calibration(folder / "hips", folder / "hips.truth.json", "kim", seed=3)
    return made, Truths(made)


def readings_of(known: tuple[Calibration, Truths], reader: KnownReader) -> list[HipReading]:
    return read_all(*known, reader, np.random.default_rng(CHANCE_SEED))


def test_the_hips_are_stratified_and_both_sittings_hold_them_alike(
    known: tuple[Calibration, Truths],
) -> None:
    calibration, _ = known
    about = {hip.subject: (hip.contrast, hip.size_deg) for hip in calibration.hips}
    assert len(set(about.values())) == len(about) == 20, "four contrasts times five sizes"
    unclear = sum(hip.study.look.double_line for hip in calibration.hips if hip.study.look)
    assert unclear == 7, "a third with a blurred, double band"
    listed = reading_list(calibration.worklist, "kim")
    sittings = Counter((one.session, one.read_no) for one in listed)
    assert sittings == {(1, 1): 10, (2, 1): 10, (2, 2): 4}
    first = [about[one.case.subject] for one in listed if one.session == 1]
    assert max(Counter(contrast for contrast, _ in first).values()) <= 4
    assert max(Counter(size for _, size in first).values()) <= 3


def test_a_reader_who_marks_the_truth_errs_nowhere(known: tuple[Calibration, Truths]) -> None:
    _, truths = known
    exact = KnownReader(end_sd_mm=1e-6, rim_sd_mm=1e-6)
    for reading in readings_of(known, exact):
        for view in reading.views:
            assert isinstance(view, ReadView)
            found = truths.errors(view)
            assert found is not None
            assert max(map(abs, (*found.ends_mm, *found.rim_mm))) < 1e-3
            assert found.offset_mm == found.nearest_mm


def test_bias_and_spread_come_back_with_their_signs(known: tuple[Calibration, Truths]) -> None:
    calibration, truths = known
    hand = KnownReader(0.8, 1.5, rim_sd_mm=0.4, rim_bias_mm=-0.6, slice_miss=0.5)
    result = calibrated(calibration, readings_of(known, hand), truths)
    assert result.ends.bias_low < 1.5 < result.ends.bias_high
    assert result.ends.sd_low < 0.8 < result.ends.sd_high
    assert result.rim.bias_low < -0.6 < result.rim.bias_high
    assert result.rim.sd_low < 0.4 < result.rim.sd_high
    assert result.cna(on_slices=True).bias > 5.0, "ends too far out make the angle too large"
    assert 10 <= result.nearest_count <= 30
    assert result.slices.bias > 1.0
    assert len(result.again) == 16
    noise = result.noise
    assert noise.end_bias_mm == pytest.approx(
        math.hypot(result.ends.bias, result.ends.bias_se), abs=1e-3
    )


def test_an_arc_marked_the_wrong_way_round_is_left_out_and_named(
    known: tuple[Calibration, Truths],
) -> None:
    calibration, truths = known
    readings = readings_of(known, KnownReader())
    clean = calibrated(calibration, readings, truths)
    view = readings[3].views[0]
    assert isinstance(view, ReadView)
    (arc,) = view.arcs
    wrong = msgspec.structs.replace(view, arcs=(NecroticArc(arc.start, view.rim[-1], arc.via),))
    readings[3] = msgspec.structs.replace(readings[3], views=(wrong, readings[3].views[1]))
    found = calibrated(calibration, readings, truths)
    assert found.ends.sd == pytest.approx(clean.ends.sd, rel=0.05)
    assert any(one.startswith("case 4: ") for one in found.left_out)
    assert "Left out: case 4" in as_text(found)


def test_what_cannot_be_compared_is_named(known: tuple[Calibration, Truths]) -> None:
    calibration, truths = known
    readings = readings_of(known, KnownReader())
    stranger = msgspec.structs.replace(readings[0], subject="SOMEBODY")
    found = calibrated(calibration, [stranger, *readings[1:]], truths)
    assert found.left_out == ("case 1: no hip of this calibration",)
    with pytest.raises(MethodError, match="3 hips can be compared"):
        calibrated(calibration, readings[:3], truths)


def test_the_report_has_a_picture_and_what_study_toml_takes(
    known: tuple[Calibration, Truths],
) -> None:
    calibration, truths = known
    result = calibrated(calibration, readings_of(known, KnownReader(0.7, 0.3)), truths)
    text, page = as_text(result), as_html(result)
    assert "20 of 20 hips, 4 of them twice" in text
    assert page.count("<circle") == 24 * 4 - len(result.left_out)
    study = study_toml(new_protocol("onfh", "ha_mr_midslice")).decode()
    block = text[text.index("[[noise.readers]]") :]
    assert decode_protocol(f"{study}\n{block}".encode()).noise.readers == (result.noise,)
    assert not any(hip.subject in text + page for hip in calibration.hips)


@pytest.mark.parametrize(("end_sd_mm", "hip_sd_mm"), [(1.0, 0.0), (1.2, 0.35)])
def test_intervals_of_equally_hard_hips_cover(end_sd_mm: float, hip_sd_mm: float) -> None:
    """The estimates alone: `benchmarks/calibration.py` runs the whole road 500 times."""
    runs = 3000
    chance = np.random.default_rng(11)
    bias, sd = 0.4, math.hypot(end_sd_mm, hip_sd_mm)
    held = np.zeros(2)
    for _ in range(runs):
        shared = chance.normal(bias, hip_sd_mm, (20, 1))
        found = reader_error((shared + chance.normal(0, end_sd_mm, (20, 4))).tolist())
        held += (found.bias_low <= bias <= found.bias_high, found.sd_low <= sd <= found.sd_high)
    assert np.all((held >= 0.94 * runs) & (held <= 0.96 * runs)), held / runs


def test_a_calibrated_reader_has_an_interval_of_their_own() -> None:
    careful, careless = (
        noise_of("kim", reader_error((sd * np.random.default_rng(2).normal(size=(20, 4))).tolist()))
        for sd in (0.6, 1.6)
    )
    assert 0.5 < careful.end_sd_mm < 0.7
    assert careless.end_sd_mm > 1.4
    assert 30 < careful.end_dof <= 79


@given(st.lists(st.lists(st.floats(-5, 5), min_size=1, max_size=6), min_size=4, max_size=12))
def test_moving_all_errors_moves_the_bias_alone(errors: list[list[float]]) -> None:
    found = reader_error(errors)
    moved = reader_error([[one + 2.5 for one in hip] for hip in errors])
    assert moved.bias == pytest.approx(found.bias + 2.5, abs=1e-9)
    assert moved.sd == pytest.approx(found.sd, rel=1e-6, abs=1e-9)
    assert found.bias_low <= found.bias <= found.bias_high
    assert found.sd_low <= found.sd <= found.sd_high


# ---- the folder that is handed out ---------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four hips of few and coarse slices."""
    for name, value in (("_PIXEL_MM", 6.4), ("_PIXELS", 16), ("_SLICES", 2)):
        monkeypatch.setattr(f"necroangle.calibration.hips.{name}", value)
    return tmp_path / "hips"


def said(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def run(folder: Path, *more: str) -> str:
    options = ("--reader", "kim", "--hips", "4", "--workers", "1", "--washout-days", "0")
    return said(str(folder), *options, *more)


def test_the_command_draws_goes_on_where_it_was_cut_off_and_reports(small: Path) -> None:
    told = run(small)
    assert "16 images of 4 hips drawn" in told
    assert "0 of 4 cases submitted" in told
    images = sorted(small.rglob("*.dcm"))
    before = {path: path.read_bytes() for path in images}
    times = {path: path.stat().st_mtime_ns for path in images}
    for path in images[5:8]:
        path.unlink()
    assert "16 images of 4 hips drawn" in run(small)
    assert {path: path.read_bytes() for path in sorted(small.rglob("*.dcm"))} == before
    kept = [path for path in images if path.stat().st_mtime_ns == times[path]]
    assert len(kept) == 13, "what was drawn is not drawn again"
    assert not list(small.rglob("*.part"))
    assert "drawn" not in run(small)

    calibration = load_calibration(small, small.with_name("hips.truth.json"))
    readings = read_all(
        calibration, Truths(calibration), KnownReader(), np.random.default_rng(CHANCE_SEED)
    )
    for reading in readings[:-1]:
        place = small / "readings" / "kim" / file_name(reading)
        place.parent.mkdir(parents=True, exist_ok=True)
        save_reading(reading, place)
    assert "3 of 4 cases submitted" in run(small)
    save_reading(readings[-1], small / "readings" / "kim" / file_name(readings[-1]))
    noise, page = small.with_name("kim.toml"), small.with_name("kim.html")
    told = run(small, "--noise", str(noise), "--report", str(page))
    assert "Calibration of reader kim: 4 of 4 hips" in told
    assert "below 10 the spread of a reader nobody knows is as good" in told
    assert noise.read_text("utf-8").startswith('[[noise.readers]]\nreader = "kim"\n')
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_nothing_that_is_handed_out_tells_the_truth(small: Path) -> None:
    run(small)
    truth_path = small.with_name("hips.truth.json")
    assert stat.S_IMODE(truth_path.stat().st_mode) == 0o600
    truth = json.loads(truth_path.read_text("utf-8"))
    content = b"".join(path.read_bytes() for path in sorted(small.rglob("*")) if path.is_file())
    names = " ".join(path.name for path in small.rglob("*"))
    for hip in truth["hips"]:
        study = hip["study"]
        assert str(study["seed"]).encode() not in content
        assert study["subject"] in names
    for word in (b"half_angle", b"lesion", *(b"%s" % one.encode() for one in _WORDS)):
        assert word not in content.lower()
    with pytest.raises(PhantomError, match="must not lie in the folder"):
        make_calibration(small / "x", small / "x" / "truth.json", "kim")


_WORDS = HeadForm.__slots__


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    with pytest.raises(PhantomError, match="multiple of 4"):
        make_calibration(tmp_path / "a", truth, "kim", hips=10)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "something").touch()
    with pytest.raises(PhantomError, match="the folder is not empty"):
        make_calibration(tmp_path / "b", truth, "kim")
    make_calibration(tmp_path / "c", truth, "kim", hips=4)
    with pytest.raises(PhantomError, match="made once"):
        make_calibration(tmp_path / "d", truth, "kim", hips=4)
    truth.write_text(truth.read_text("utf-8").replace('"radius_mm"', '"radius"', 1), "utf-8")
    with pytest.raises(PhantomError, match=r"truth\.json: .*radius"):
        load_calibration(tmp_path / "c", truth)


def test_a_calibration_of_another_reader_is_not_gone_on_with(tmp_path: Path) -> None:
    make_calibration(tmp_path / "hips", tmp_path / "hips.truth.json", "kim", hips=4)
    with pytest.raises(PhantomError, match="a calibration of reader kim"):
        said(str(tmp_path / "hips"), "--reader", "lee")
