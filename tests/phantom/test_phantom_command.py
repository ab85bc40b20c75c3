"""``necroangle phantom``: what the options ask for is what is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from necroangle.annotation import load_reading
from necroangle.cli.images.phantom import command
from necroangle.dicom import scan_folder
from necroangle.dicom.contrast import contrast_of
from necroangle.errors import PhantomError
from necroangle.phantom import PATIENT_POSITIONS

COARSE = [
    "--thickness-mm", "14", "--gap-mm", "2", "--row-spacing-mm", "4", "--column-spacing-mm", "5",
]  # fmt: skip


def run(out: Path, *options: str) -> str:
    result = CliRunner().invoke(command, [str(out), *COARSE, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def truth(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "truth.json").read_text())
    return found


def test_one_study_with_its_truth_and_readings(tmp_path: Path) -> None:
    out = tmp_path / "study"
    said = run(out, "--half-angle-deg", "40", "--anterior-deg", "0", "--lateral-deg", "5")
    assert "9 DICOM files" in said
    hips = truth(out)["hips"]
    assert hips["R"]["centre_mm"] == [-87.0, 0.0, 0.0]
    assert hips["R"]["coronal"]["angle_deg"] == pytest.approx(80.0, abs=1e-6)
    assert hips["L"]["lesions"] == []
    readings = sorted((out / "readings").iterdir())
    assert [load_reading(path).laterality.value for path in readings] == ["L", "R"]


def test_both_hips_mirrored_about_the_named_centre(tmp_path: Path) -> None:
    out = tmp_path / "study"
    run(
        out, "--laterality", "both", "--centre-mm", "-80", "4", "6", "--radius-mm", "22",
        "--obliquity-deg", "12", "--patient-position", "FFP", "--subject", "HIP-9",
        "--visit", "month_6", "--seed", "3",
    )  # fmt: skip
    found = truth(out)
    assert [found["hips"][side]["centre_mm"] for side in "RL"] == [[-80, 4, 6], [80, 4, 6]]
    assert found["hips"]["R"]["radius_mm"] == 22
    assert [len(found["hips"][side]["lesions"]) for side in "RL"] == [1, 1]
    assert (found["subject"], found["visit"], found["patient_position"], found["seed"]) == (
        "HIP-9", "month_6", "FFP", 3,
    )  # fmt: skip


def test_no_lesion_is_a_normal_hip(tmp_path: Path) -> None:
    run(tmp_path / "study", "--half-angle-deg", "0", "--no-compress")
    assert truth(tmp_path / "study")["hips"]["R"]["cna_deg"] == 0.0


def test_a_filled_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for options in ([], ["--samples"]):
        with pytest.raises(PhantomError, match="not empty"):
            run(tmp_path, *options)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("size", ["0", "nan", "inf", "1e-9"])
def test_a_spacing_that_makes_no_matrix_is_refused_before_anything_is_written(
    tmp_path: Path, size: str
) -> None:
    out = tmp_path / "study"
    result = CliRunner().invoke(command, [str(out), "--row-spacing-mm", size])
    assert result.exit_code == 2
    assert "must lie between" in result.output
    assert not out.exists()


def test_a_lesion_on_the_neck_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "study"
    with pytest.raises(PhantomError, match="hip L: the lesion reaches the neck"):
        run(out, "--laterality", "L", "--lateral-deg", "60")
    assert not out.exists()


def test_the_command_knows_every_patient_position() -> None:
    (option,) = [one for one in command.params if one.name == "patient_position"]
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == PATIENT_POSITIONS


@pytest.mark.parametrize(("contrast", "family"), [("PD", "PD"), ("T2 FS", "T2"), ("STIR", "STIR")])
def test_a_lifelike_hip_is_written_with_its_truth(
    contrast: str, family: str, tmp_path: Path, errors_of: Callable[[Path], list[str]]
) -> None:
    out = tmp_path / "study"
    run(
        out, "--contrast", contrast, "--oval", "0.04", "--sunken-mm", "2", "--fluid-mm", "3",
        "--moved-mm", "2", "0", "1", "--double-line",
    )  # fmt: skip
    found = truth(out)
    assert found["look"]["contrast"] == contrast
    assert found["look"]["moved_mm"] == [2, 0, 1]
    assert found["hips"]["R"]["form"]["oval"] == 0.04
    shown = [contrast_of(one.modality, one.facts) for one in scan_folder(out).series]
    assert {one.family for one in shown} == {family}
    assert {one.fat_suppressed for one in shown} == {contrast != "PD"}
    assert errors_of(next(out.rglob("*.dcm"))) == []
