"""The face for a scientist: points, files and folders to angles; nothing heavy before use."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import necroangle as na
from necroangle.errors import GeometryError
from necroangle.terms import Flag

READINGS = Path(__file__).resolve().parents[2] / "sample_dicoms" / "readings"
TURN = np.radians(np.arange(170, 400, 20))
RIM = 24 * np.column_stack((np.cos(TURN), np.sin(TURN)))


def in_patient(points: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """The points on a coronal and on a sagittal slice through one centre, a little turned."""
    x = 90.0 if side == "L" else -90.0
    zero = np.zeros(len(points))
    coronal = np.column_stack((points[:, 0], zero, -points[:, 1]))
    sagittal = np.column_stack((zero, points[:, 0], -points[:, 1]))
    centre = np.array((x, 5.0, 12.0))
    return coronal + centre, sagittal + centre


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import necroangle, sys; heavy = {'numpy', 'pandas', 'pydicom', 'cv2', 'sqlalchemy', "
        "'msgspec', 'napari'}; assert not heavy & set(sys.modules), heavy & set(sys.modules); "
        "assert 'hip' in dir(necroangle)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_points_of_a_picture_and_of_the_patient_give_the_same_angle() -> None:
    for side in ("L", "R"):
        flat = na.hip((RIM, RIM[[3, 8, 5]]), (RIM, RIM[[3, 7, 5]]), side=side)
        coronal, sagittal = in_patient(RIM, side)
        placed = na.hip((coronal, coronal[[3, 8, 5]]), (sagittal, sagittal[[3, 7, 5]]), side=side)
        assert flat.cna_deg == placed.cna_deg == 180.0
        assert flat.interval_deg is not None
        assert flat.interval_deg[0] < 180.0 < flat.interval_deg[1]
        assert Flag.FRAMES_DIFFER in flat.flags
        assert Flag.FRAMES_DIFFER not in placed.flags
        assert placed.measurement.judge is not None


def test_several_arcs_and_none() -> None:
    two = na.angle(RIM, np.array([RIM[[1, 3, 2]], RIM[[6, 9, 7]]]))
    assert two.deg == pytest.approx(100.0)
    assert na.angle(RIM, None).deg == 0.0


def test_what_is_shown_is_short_and_has_a_picture() -> None:
    hip = na.read(READINGS / "PHANTOM-01__R__baseline__truth__1.reading.json")
    assert repr(hip).startswith("<PHANTOM-01 R baseline: CNA 218.3° (")
    assert len(repr(hip)) < 300
    shown = hip._repr_html_()
    assert shown.count("<svg") == 2
    assert "218.3°" in shown
    assert hip.a is not None
    assert repr(hip.a).startswith("<coronal ")
    assert "<svg" in hip.a._repr_html_()


def test_a_change_says_how_sure_it_is() -> None:
    before, after = (
        na.read(READINGS / f"PHANTOM-04__R__{visit}__truth__1.reading.json")
        for visit in ("baseline", "month_12")
    )
    change = na.change(before, after)
    assert change.deg == pytest.approx(-26.3, abs=0.05)
    assert repr(change).startswith("<change -26.3° (")
    assert "-26.3°" in change._repr_html_()


def test_a_table_has_own_methods_and_columns() -> None:
    frame = na.table(READINGS, columns={"a": lambda hip: hip.a.deg if hip.a else None})
    assert set(frame["method"]) == {"ha_mr_midslice", "kerboul_radiograph"}
    assert (frame["a"] == frame["a_deg"]).all()
    assert frame.attrs == {"refused": [], "look_at": []}


@pytest.mark.parametrize(
    ("rim", "arc", "words"),
    [
        (RIM[:, :1], None, r"\(N, 2\) or \(N, 3\)"),
        (RIM, RIM[:2], "start, its end and a point between"),
        (np.full_like(RIM, np.nan), None, "finite"),
        (RIM[:2], None, "3 rim points"),
        (np.column_stack((RIM, 5 * np.arange(12) % 7)), None, "off one slice"),
    ],
)
def test_what_is_no_hip_is_refused(rim: np.ndarray, arc: np.ndarray | None, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        na.angle(rim, arc)
