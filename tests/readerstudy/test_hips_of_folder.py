"""The hips of a folder: those of the samples, and what is left out is said."""

from pathlib import Path

import pytest

from necroangle.dicom import Scan, scan_folder
from necroangle.readerstudy.hips import hips_of
from necroangle.terms import Laterality, View

SAMPLES = Path(__file__).parents[2] / "sample_dicoms"


@pytest.fixture(scope="module")
def scan() -> Scan:
    if not (SAMPLES / "plain").is_dir():
        pytest.skip("sample_dicoms is not at hand")
    return scan_folder(SAMPLES)


def test_both_hips_of_every_visit_on_mr(scan: Scan) -> None:
    found = hips_of(scan)
    keys = {case.key for case in found.cases}
    assert len(keys) == len(found.cases) == 14
    assert ("PHANTOM-04", Laterality.LEFT, "month_12") in keys
    assert {case.views for case in found.cases} == {(View.CORONAL, View.SAGITTAL)}
    folders = {case.key: case.folder for case in found.cases}
    assert folders["PHANTOM-04", Laterality.LEFT, "month_12"] == "two_visits/month_12"


def test_radiographs_wait_for_their_lateral_view_to_be_named(scan: Scan) -> None:
    assert hips_of(scan).left_out == (
        "PHANTOM-06 baseline: radiographs: say what the lateral ones are with --lateral",
    )
    named = hips_of(scan, View.CROSS_TABLE)
    (film,) = [case for case in named.cases if case.views[0] is View.AP]
    assert film.views == (View.AP, View.CROSS_TABLE)
    assert film.laterality is Laterality.RIGHT
    assert named.left_out == ()


def _without(scan: Scan, plane: str) -> Scan:
    series = [one for one in scan.series if one.plane is None or one.plane.name != plane]
    return Scan(tuple(series), (), 0)


def test_a_hip_without_one_of_its_stacks_is_left_out(scan: Scan) -> None:
    for plane, words in (
        ("coronal", "no coronal stack of hip"),
        ("sagittal", "no sagittal series; 1 coronal series here"),
    ):
        found = hips_of(_without(scan, plane))
        assert found.cases == ()
        assert any(words in problem for problem in found.left_out)


def test_a_study_that_names_nobody_is_left_out(scan: Scan) -> None:
    from dataclasses import replace

    nameless = [replace(one, subject=None) for one in scan.series]
    found = hips_of(Scan(tuple(nameless), (), 0))
    assert found.cases == ()
    assert "that name no subject or visit" in found.left_out[0]
