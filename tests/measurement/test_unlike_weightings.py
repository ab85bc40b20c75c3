"""Views and visits that were read on images of unlike weighting are told, in table and words."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hipmaker import make_reading
from hipstrategy import passports
from hypothesis import HealthCheck, Phase, find, settings

from necroangle.annotation import (
    HipReading,
    ReadView,
    StackPassport,
    decode_reading,
    encode_reading,
    file_name,
    save_reading,
)
from necroangle.cli.readings.change import command as change
from necroangle.measurement import change_between, measure, measure_many
from necroangle.measurement.row import RowColumns, to_row
from necroangle.terms import Flag, View

ANY = settings(
    phases=(Phase.generate,),  # the first is as good as the shortest
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PASSPORT: StackPassport = find(passports, lambda _: True, settings=ANY)


def on(first: str | None, second: str | None, **about: object) -> HipReading:
    """A reading whose views were read on these weightings; None: no loader was at hand."""
    reading = make_reading(100.0, 80.0, **about)  # type: ignore[arg-type]
    views = []
    for view, name in zip(reading.views, (first, second), strict=True):
        assert isinstance(view, ReadView)
        known = None if name is None else msgspec.structs.replace(PASSPORT, contrast=name)
        views.append(msgspec.structs.replace(view, passport=known))
    return msgspec.structs.replace(reading, views=tuple(views))


@pytest.mark.parametrize(
    ("first", "second", "is_told"),
    [
        ("T1", "T1", False),
        ("T1", "STIR", True),
        ("PD", "T2", True),
        ("T1", "unknown", False),
        (None, "STIR", False),
        (None, None, False),
    ],
)
def test_two_views_of_unlike_weighting_are_flagged(
    first: str | None, second: str | None, is_told: bool
) -> None:
    reading = decode_reading(encode_reading(on(first, second)))
    found = measure(reading)
    assert (Flag.WEIGHTINGS_DIFFER in found.flags) is is_told
    row = to_row(reading, found, "0" * 64)
    assert (row["a_weighting"], row["b_weighting"]) == (first, second)
    assert (str(Flag.WEIGHTINGS_DIFFER) in str(row["flags"]).split()) is is_told


def test_what_an_older_loader_called_otherwise_is_unknown() -> None:
    assert measure(on("T1rho", "T1")).a.weighting == "unknown"  # type: ignore[union-attr]


def test_radiographs_have_no_weighting() -> None:
    reading = make_reading(100.0, 80.0, b_view=View.FROG_LEG)
    first, second = reading.views
    assert isinstance(first, ReadView)
    coded = msgspec.structs.replace(first, passport=PASSPORT)
    found = measure_many([msgspec.structs.replace(reading, views=(coded, second))])
    assert found[0].a is not None
    assert found[0].a.weighting is None
    columns = RowColumns.measured(["a"], ["0" * 64], found)
    assert columns.data["a_weighting"] == [None]


def test_two_visits_of_unlike_weighting_are_told(tmp_path: Path) -> None:
    earlier, later = on("T1", "T1", visit="m00"), on("T1", "STIR", visit="m12")
    found = change_between(measure(earlier), measure(later))
    assert found.a is not None
    assert found.b is not None
    assert (found.a.weightings_differ, found.b.weightings_differ) == (False, True)
    paths = [tmp_path / file_name(one) for one in (earlier, later)]
    for one, path in zip((earlier, later), paths, strict=True):
        save_reading(one, path)
    told = CliRunner().invoke(change, [*map(str, paths)], catch_exceptions=False).output
    assert "doubt   B was read on T1 and then on STIR: a border may seem to move" in told
    assert "A was read" not in told
