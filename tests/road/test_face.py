"""The face for a scientist: points, files and folders to angles; nothing heavy before use."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import necroangle as na
from necroangle.errors import GeometryError, NecroangleError
from necroangle.terms import Flag

READINGS = Path(__file__).resolve().parents[2] / "sample_dicoms" / "readings"
TURN = np.radians(np.arange(170, 400, 20))
RIM = 24 * np.column_stack((np.cos(TURN), np.sin(TURN)))
ARC = RIM[[3, 8, 5]]


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


ODD_POINTS = {
    "no points": ([], "found shape (0,)"),
    "no rows": (np.zeros((0, 2)), "3 rim points or more, found 0"),
    "one row": (RIM.ravel(), "found shape"),
    "four columns": (np.ones((9, 4)), "found shape (9, 4)"),
    "turned over": (RIM.T, "found shape"),
    "NaN": (np.where(RIM > 20, np.nan, RIM), "not a finite number"),
    "infinite": (np.where(RIM > 20, np.inf, RIM), "not a finite number"),
    "equal": (np.ones((9, 2)), "different places"),
    "a line": (np.column_stack((np.arange(9.0), np.arange(9.0))), "straight line"),
    "text": ("rim", "something else"),
    "words": ([["a", "b"]] * 9, "something else"),
    "nothing": (None, "number"),
    "complex": (RIM + 1j, "something else"),
    "ragged": ([[1.0, 2.0], [3.0]], "something else"),
    "masked": (np.ma.masked_array(RIM, RIM > 20), "something else"),
    "pixels": (RIM * 3, "no head is"),
    "metres": (RIM * 1e9, "away"),
}


@pytest.mark.parametrize("what", ODD_POINTS)
def test_odd_points_are_refused_in_words(what: str) -> None:
    points, words = ODD_POINTS[what]
    with pytest.raises(NecroangleError, match=re.escape(words)):
        na.angle(points, ARC)


def test_lists_tables_and_rows_one_by_one_are_points() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(RIM, columns=["u", "v"])
    for rim in (RIM.tolist(), table, (row for row in RIM), RIM.astype(object)):
        assert na.angle(rim, ARC).deg == 100.0
    with pytest.raises(NecroangleError, match=re.escape("found shape (12, 1)")):
        na.angle(table[["u"]], ARC)
    with pytest.raises(NecroangleError, match="DataFrame that holds something else"):
        na.angle(table.assign(name="a"), ARC)


def test_points_of_a_picture_raise_no_doubt_about_one() -> None:
    assert na.angle(RIM, ARC).flags == ()


def test_other_odd_input_is_refused_in_words(tmp_path: Path) -> None:
    marked = (RIM, ARC)
    both = na.hip(marked, marked, side="L")
    flat = np.column_stack((RIM[:, 0] + 88, 0 * RIM[:, 0], -RIM[:, 1]))
    tries = [
        ("'coronal' or 'sagittal', found 'axial'", lambda: na.angle(RIM, ARC, view="axial")),
        ("'L' or 'R', found 'left'", lambda: na.angle(RIM, ARC, side="left")),
        ("both (.., 3) or both (.., 2)", lambda: na.angle(flat, ARC)),
        ("off one slice", lambda: na.angle(flat, flat[[3, 8, 5]] + (0, 5, 0))),
        ("another view", lambda: na.hip(sagittal=(flat, flat[[3, 8, 5]]), side="L")),
        ("no points", lambda: na.hip(side="L")),
        ("give (rim, arc)", lambda: na.hip(RIM, side="L")),
        ("give (rim, arc)", lambda: na.hip((RIM,), side="L")),
        ("subject", lambda: na.hip(marked, side="L", subject="")),
        ("settings are", lambda: na.hip(marked, side="L", settings={})),
        ("a method is", lambda: na.hip(marked, side="L", method=3)),
        ("of different hips", lambda: na.change(both, na.hip(marked, marked, side="R"))),
        ("found str", lambda: na.change("a.json", both)),
        ("na.table(folder)", lambda: na.read(tmp_path)),
        ("found None", lambda: na.read(None)),
        ("no place", na.table),
        ("found 3", lambda: na.table(3)),
        ("column x", lambda: na.table(tmp_path, columns={"x": 1})),
    ]
    for words, attempt in tries:
        with pytest.raises(NecroangleError, match=re.escape(words)):
            attempt()
    assert len(na.table(tmp_path)) == 0
    assert len(na.table([tmp_path], methods="centre_plane")) == 0
