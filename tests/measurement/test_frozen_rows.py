"""Rows and refusals are what they were, bit by bit, for every method and setting.

The archive holds 5,000 random readings and the samples: ``tests/support/frozenrows.py``.
"""

import os
from collections import Counter

import pytest
from frozenrows import SETTINGS, Frozen, Told, arithmetic, digest_of, measured_again

from necroangle.measurement import METHODS

COUNT = int(os.environ.get("NECROANGLE_DIFFERENTIAL", "150"))
"""5,000 in the full test: NECROANGLE_DIFFERENTIAL=5000."""

pytestmark = pytest.mark.timeout(300 + COUNT // 2)


@pytest.fixture(scope="module")
def frozen() -> Frozen:
    return Frozen.load()


@pytest.fixture(scope="module")
def found() -> dict[str, Told]:
    return dict(measured_again(COUNT))


def test_every_bit_is_as_it_was(frozen: Frozen, found: dict[str, Told]) -> None:
    if arithmetic() != frozen.arithmetic:
        pytest.skip("this machine's mathematical functions differ in their last bits")
    changed = [
        name
        for name, told in found.items()
        if digest_of(told, frozen.columns) != frozen.digests[name]
    ]
    seen = {name: (frozen.whole[name], found[name]) for name in changed[:3] if name in frozen.whole}
    assert not changed, f"{len(changed)} of {len(found)}, the first: {changed[:5]}; {seen}"


def test_rows_that_stand_whole_are_as_they_were(frozen: Frozen, found: dict[str, Told]) -> None:
    for name in found.keys() & frozen.whole.keys():
        then, now = frozen.whole[name], found[name]
        if isinstance(then, str) or isinstance(now, str):
            assert now == then, name
            continue
        for column in frozen.columns:
            old, new = then[column], now[column]
            if isinstance(old, float):
                assert new == pytest.approx(old, rel=1e-9, abs=1e-9), (name, column)
            else:
                assert new == old, (name, column)


def test_one_by_one_as_together(found: dict[str, Told]) -> None:
    few = dict(measured_again(min(COUNT, 40), chunk=1))
    assert all(repr(told) == repr(found[name]) for name, told in few.items())


def test_the_archive_holds_every_kind_of_reading(frozen: Frozen) -> None:
    """Every method measures most of its readings, and every rare thing is there often.

    About the joint sphere, which radiographs cannot have, fewer are measured; and neighbouring
    slices drawn at random have arcs over the neck, which refuse the reading.
    """
    rare: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    measured: Counter[str] = Counter()
    for name, told in frozen.whole.items():
        number, method = name.split()[:2]
        if not number.isdigit():
            continue
        own = SETTINGS[int(number) % len(SETTINGS)].centre == "circles"
        if isinstance(told, str):
            tried[method] += own and "this reading is of others" not in told
            continue
        tried[method] += own
        measured[method] += own
        words = " ".join(str(told[one]) for one in ("a_flags", "b_flags"))
        rare.update(set(words.split()))
        rare["share"] += told["a_surface_share"] is not None
    assert all(measured[method] >= 0.5 * tried[method] > 0 for method in METHODS)
    for kind in ("share", "multi_arc", "extrapolated", "bounded", "not_bracketed"):
        assert rare[kind] >= 0.02 * sum(measured.values()), kind
    assert len(frozen.digests) == 5000 * len(METHODS) + 15 * len(METHODS) * len(SETTINGS)
