"""The worklist file: strict, whole, never over another one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from necroangle.errors import ReadingError
from necroangle.readerstudy import (
    Worklist,
    cases_of_csv,
    load_worklist,
    make_worklist,
    save_worklist,
    worklist_id,
)
from necroangle.terms import Laterality, View

MakeStudy = Callable[..., Worklist]


def test_it_comes_back_as_it_was(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study()
    save_worklist(study, tmp_path / "s.worklist.json")
    again = load_worklist(tmp_path / "s.worklist.json")
    assert again == study
    assert worklist_id(again) == worklist_id(study)


def test_the_id_is_of_the_content_not_of_the_layout(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study()
    path = tmp_path / "s.worklist.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(study), indent=7))
    assert worklist_id(load_worklist(path)) == worklist_id(study)
    assert worklist_id(make_study(washout_days=15)) != worklist_id(study)


def test_it_is_never_written_over_another(make_study: MakeStudy, tmp_path: Path) -> None:
    path = tmp_path / "s.worklist.json"
    save_worklist(make_study(), path)
    before = path.read_bytes()
    with pytest.raises(ReadingError, match="is there already"):
        save_worklist(make_study(seed=8), path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "necroangle.reading"}, r"\$.format"),
        ({"version": 2}, r"\$.version"),
        ({"coffee": 1}, "unknown field `coffee`"),
        ({"seed": -1}, r"\$.seed"),
        ({"readers": []}, r"\$.readers"),
        ({"readers": ["r1", "R1"]}, r"\$.readers\[0\]: the reader 'r1' occurs twice"),
        ({"readers": ["Consensus"]}, "is kept for adjudicated readings"),
        ({"readers": ["../r1"]}, r"\$.readers\[0\]"),
        ({"readers": ["con"]}, "cannot name a folder on every system"),
        ({"readers": ["r1."]}, "cannot name a folder on every system"),
        ({"repeats": 21}, "21 repeats of 20 cases"),
        ({"study": "/home/anna/study"}, r"\$.study: must be a relative path"),
        ({"study": "C:/study"}, r"\$.study: must be a relative path"),
        ({"washout_days": -1}, r"\$.washout_days"),
        ({"idle_limit_s": 0}, r"\$.idle_limit_s"),
        ({"cases": []}, r"\$.cases"),
    ],
)
def test_what_contradicts_itself_is_refused(
    make_study: MakeStudy, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    path = tmp_path / "s.worklist.json"
    path.write_bytes(msgspec.json.encode({**msgspec.to_builtins(make_study()), **change}))
    with pytest.raises(ReadingError, match=problem) as caught:
        load_worklist(path)
    assert caught.value.file == "s.worklist.json"


@pytest.mark.parametrize("folder", ["/abs", "a/../../b", "..", "a\\b", "C:/x"])
def test_a_case_lies_within_the_study(make_study: MakeStudy, folder: str) -> None:
    case = msgspec.structs.replace(make_study().cases[0], folder=folder)
    with pytest.raises(ReadingError, match=r"\$.cases\[0\].folder"):
        make_worklist([case], ["r1"])


def test_a_hip_at_a_visit_stands_there_once(make_study: MakeStudy) -> None:
    case = make_study().cases[0]
    again = msgspec.structs.replace(case, folder="elsewhere")
    with pytest.raises(ReadingError, match="P00 L m00 occurs twice"):
        make_worklist([case, again], ["r1"])


def test_the_views_belong_together(make_study: MakeStudy) -> None:
    case = msgspec.structs.replace(make_study().cases[0], views=(View.CORONAL, View.FROG_LEG))
    with pytest.raises(ReadingError, match="no pair of views"):
        make_worklist([case], ["r1"])


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b"{", b"[" * 100_000])
def test_what_is_no_worklist_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.worklist.json").write_bytes(raw)
    with pytest.raises(ReadingError, match=r"x.worklist.json: "):
        load_worklist(tmp_path / "x.worklist.json")


def test_a_table_of_cases(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_bytes(
        b"\xef\xbb\xbfsubject,laterality,visit,views\r\n001,L,m00,\r\n002,R,m12,frog_leg\r\n"
    )
    first, second = cases_of_csv(table)
    assert (first.subject, first.views, first.folder) == ("001", (View.CORONAL, View.SAGITTAL), ".")
    assert second.key == ("002", Laterality.RIGHT, "m12")
    assert second.views == (View.AP, View.FROG_LEG)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "row 1: the columns are subject, laterality, visit"),
        ("subject,laterality,visit,name\n1,L,a,Anna\n", "row 1: the columns are"),
        ("subject,laterality,visit\n1,L,a\n2,left,a\n", "row 3: "),
        ("subject,laterality,visit\n=1+1,L,a\n", "row 2: "),
        ("subject,laterality,visit\n1,L\n", "row 2: "),
        ("subject,laterality,visit\n1,L,a,b\n", "row 2: more cells than columns"),
        ("subject,laterality,visit,views\n1,L,a,ct\n", "row 2: views: one of mr, frog_leg"),
        ('subject,laterality,visit\n"1,L,a\n', "no valid CSV"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_row(
    tmp_path: Path, text: str, problem: str
) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(text)
    with pytest.raises(ReadingError, match=problem) as caught:
        cases_of_csv(table)
    assert caught.value.file == "cases.csv"
