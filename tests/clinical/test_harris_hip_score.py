"""The ten items of the Harris Hip Score: published points, their sum, and a total that differs."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from necroangle.cli import cli
from necroangle.clinical.cells import Reading, parse_cell
from necroangle.clinical.harris import FUNCTION, harris_score, with_harris_total
from necroangle.entries import HARRIS_ITEMS, Field, field_named
from necroangle.measurement.row import Cell

# Harris, J Bone Joint Surg Am 1969;51:737-755; written down here a second time, by hand.
PUBLISHED = {
    "hhs_pain": (44, 40, 30, 20, 10, 0),
    "hhs_limp": (11, 8, 5, 0),
    "hhs_support": (11, 7, 5, 3, 2, 0),
    "hhs_distance": (11, 8, 5, 2, 0),
    "hhs_stairs": (4, 2, 1, 0),
    "hhs_shoes": (4, 2, 0),
    "hhs_sitting": (5, 3, 0),
    "hhs_transport": (1, 0),
    "hhs_deformity": (4, 0),
}
OF_FUNCTION = tuple(PUBLISHED)[1:8]


def _points(item: Field) -> st.SearchStrategy[Cell]:
    if item.name == "hhs_rom":
        return st.floats(0, 5).map(lambda points: round(points, 2))
    return st.sampled_from(PUBLISHED[item.name])


ten_items: st.SearchStrategy[dict[str, Cell]] = st.fixed_dictionaries(
    {item.name: _points(item) for item in HARRIS_ITEMS}
)


def _sum(values: dict[str, Cell]) -> float:
    return sum(float(str(value)) for value in values.values())


def test_ten_items_of_a_hundred_points_with_the_published_values() -> None:
    assert len(HARRIS_ITEMS) == 10
    assert [item.name for item in HARRIS_ITEMS] == [*PUBLISHED, "hhs_rom"]
    assert all("PMID 5783851" in item.source for item in HARRIS_ITEMS)
    for name, points in PUBLISHED.items():
        choices = field_named("visit", name).choices
        assert choices is not None
        assert tuple(choices.codes.values()) == points
    assert sum(max(points) for points in PUBLISHED.values()) + 5 == 100
    assert sum(max(PUBLISHED[name]) for name in OF_FUNCTION) == 47


@pytest.mark.parametrize("name", PUBLISHED)
def test_points_that_are_not_published_are_refused(name: str) -> None:
    item = field_named("visit", name)
    for points in range(-1, 46):
        if points in PUBLISHED[name]:
            assert parse_cell(item, str(points), Reading()).value == points
        else:
            with pytest.raises(ValueError, match="is none of"):
                parse_cell(item, str(points), Reading())


@pytest.mark.parametrize("name", PUBLISHED)
def test_none_is_never_read_as_points(name: str) -> None:
    for word in ("none", "None", "no", "NaN"):
        with pytest.raises(ValueError, match="is none of"):
            parse_cell(field_named("visit", name), word, Reading())


@given(ten_items)
def test_the_total_is_worked_out_where_only_items_are_given(items: dict[str, Cell]) -> None:
    score = harris_score(items)
    assert score.total == score.items_sum == pytest.approx(_sum(items))
    assert not score.doubts
    filled = with_harris_total({"hhs": None, "hhs_missing": "not done", **items})
    assert filled == {"hhs": score.total, **items}


@given(ten_items, st.floats(-3, 3))
def test_a_given_total_stands_and_a_mismatch_is_a_doubt(items: dict[str, Cell], off: float) -> None:
    given_total = _sum(items) + off
    score = harris_score({"hhs": given_total, **items})
    assert score.total == given_total
    assert with_harris_total({"hhs": given_total, **items})["hhs"] == given_total
    if abs(abs(off) - 0.01) > 1e-9:
        assert bool(score.doubts) is (abs(off) > 0.01)


@given(ten_items, st.sets(st.sampled_from([item.name for item in HARRIS_ITEMS]), min_size=1))
def test_with_items_missing_only_what_cannot_be_is_doubted(
    items: dict[str, Cell], missing: set[str]
) -> None:
    kept = {name: value for name, value in items.items() if name not in missing}
    assert harris_score(kept).total is None
    assert not harris_score({"hhs": _sum(items), **kept}).doubts
    above = _sum(kept) + sum(max(PUBLISHED.get(name, (5,))) for name in missing) + 1
    assert bool(harris_score({"hhs": above, **kept}).doubts) is bool(kept)


@given(ten_items)
def test_the_sum_of_function_stands_for_its_seven_items(items: dict[str, Cell]) -> None:
    function = _sum({name: items[name] for name in OF_FUNCTION})
    short = {name: value for name, value in items.items() if name not in OF_FUNCTION}
    assert harris_score({FUNCTION: function, **short}).total == pytest.approx(_sum(items))
    assert not harris_score({FUNCTION: function, **items}).doubts
    assert harris_score({FUNCTION: function + 1, **items}).doubts


def test_a_total_alone_is_not_checked() -> None:
    score = harris_score({"hhs": 88.0})
    assert (score.total, score.items_sum, score.doubts, score.is_checked) == (88.0, None, (), False)


TABLE = """\
subject,side,visit,visit_date,hhs,{items}
S1,R,m00,2020-01-01,,{points}
S2,R,m00,2020-01-01,80,{points}
S3,R,m00,2020-01-01,95.5,{points}
S4,R,m00,2020-01-01,70,{empty}
"""


def test_total_sum_and_doubt_go_the_whole_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    points = "40,11,11,8,4,4,5,1,4,3.5"
    items = ",".join(item.name for item in HARRIS_ITEMS)
    text = TABLE.format(items=items, points=points, empty=points[:2] + "," * 9)
    Path("visits.csv").write_text(text)
    result = CliRunner().invoke(cli, ["import", "visits.csv", "--as", "kim"])
    assert result.exit_code == 0, result.output
    told = "row 3, column E (hhs): the total is 80; its items make it 91.5"
    assert [line for line in result.output.splitlines() if line.startswith("warning")] == [
        f"warning  {told}",
        f"warning  {told.replace('row 3', 'row 4').replace('is 80', 'is 95.5')}",
    ]
    arguments = ["export", "--to", "csv", "--unit", "hip_visit", "--out", "out", "--by", "kim"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    with Path("out/cohort.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    found = [(one["hhs"], one["hhs_sum"], one["hhs_doubt"]) for one in lines]
    assert found == [
        ("91.5", "91.5", "0"),
        ("80.0", "91.5", "1"),
        ("95.5", "91.5", "1"),
        ("70.0", "", "0"),
    ]
