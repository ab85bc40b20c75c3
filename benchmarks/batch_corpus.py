"""Reading files for the benchmarks of the batch: noisy hips, each of its own key."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from necroangle.annotation import encode_reading
from necroangle.selftest import Clicks, click_noise, round_hip

__all__ = ["noisy_files", "write_files"]

_MADE = 500


def noisy_files(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Names and bytes: 8 to 16 rim marks a view, arc 220 degrees, noise 0.4 mm, one necrotic arc.

    Five hundred are marked; the others are copies of them with subjects of their own.
    """
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(min(count, _MADE)):
        clicks = Clicks(220.0, int(chance.integers(8, 17)), 0.4, 1.0)
        made.append(click_noise(round_hip(clicks, 110.0), clicks, chance))
    raws = [encode_reading(replace(one, subject="SUBJECT-0000000")) for one in made]
    for number in range(count):
        subject = f"SUBJECT-{number:07d}".encode()
        raw = raws[number % len(raws)].replace(b"SUBJECT-0000000", subject)
        yield f"{number:07d}.reading.json", raw


def write_files(folder: Path, count: int) -> list[Path]:
    """Write them, a thousand a folder."""
    paths = []
    for number, (name, raw) in enumerate(noisy_files(count)):
        path = folder / f"{number // 1000:04d}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        paths.append(path)
    return paths
