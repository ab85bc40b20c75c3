"""Rows and refusals as they were measured once, kept whole or as digests: what must not change.

``python tests/support/frozenrows.py`` measures all anew and writes the archive; it is run where a
rule of measuring has changed, and the change stands in CHANGELOG.md. What an archive holds of each
reading and method is a digest of every bit of its row, or of its refusal; of the first readings and
of the samples the rows stand there whole, so that a difference can be looked at.
"""

import gzip
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from randomhips import random_files

from necroangle.batch import Plan, Refusal, measure_chunk
from necroangle.measurement import DEFAULTS, METHODS, Method, RadiusPrior, Settings
from necroangle.protocol.noise import EndNoise

__all__ = [
    "ARCHIVE",
    "SETTINGS",
    "Frozen",
    "Told",
    "arithmetic",
    "digest_of",
    "frozen_files",
    "measured_again",
]

ARCHIVE = Path(__file__).parents[1] / "measurement" / "frozen_rows.json.gz"
SAMPLES = Path(__file__).parents[2] / "sample_dicoms" / "readings"
COUNT, SEED, WHOLE = 5000, 20261130, 250
CHUNK = 250

PRIOR = RadiusPrior(24.0, 1.0, "visit m00")
SETTINGS = (
    DEFAULTS,
    Settings(EndNoise(0.7, 0.2, 9.0, "repeats")),
    Settings(centre="sphere"),
    Settings(radius_prior=PRIOR),
    Settings(centre="sphere", radius_prior=PRIOR, rim_sd_mm=0.8),
)
"""The random readings take them in turn; the samples are measured by all of them."""

_LEFT_OUT = ("annotation_sha256", "software_version")
"""Columns that do not tell what was measured."""

Cells = dict[str, object]
Told = Cells | str
"""A row by column, or a refusal in words."""


@dataclass(frozen=True)
class Frozen:
    """The archive.

    Attributes
    ----------
    columns
        The columns of a row that are held against it.
    arithmetic
        What the mathematical functions of the machine gave where it was made.
    digests
        By the name of a reading and a method.
    whole
        Some of the rows and refusals, by the same names.
    """

    columns: tuple[str, ...]
    arithmetic: str
    digests: Mapping[str, str]
    whole: Mapping[str, Told]

    @classmethod
    def load(cls) -> "Frozen":
        """Read it."""
        kept = json.loads(gzip.decompress(ARCHIVE.read_bytes()))
        return cls(tuple(kept["columns"]), kept["arithmetic"], kept["digests"], kept["whole"])

    def save(self) -> None:
        """Write it; the same content gives the same bytes."""
        kept = json.dumps(self.__dict__, ensure_ascii=False, separators=(",", ":"))
        ARCHIVE.write_bytes(gzip.compress(kept.encode(), mtime=0))


@cache
def frozen_files(count: int = COUNT) -> list[tuple[str, bytes]]:
    """The first of the random reading files."""
    return random_files(count, SEED)


@cache
def sample_files() -> list[tuple[str, bytes]]:
    """The committed readings of the samples."""
    return [(path.name, path.read_bytes()) for path in sorted(SAMPLES.glob("*.reading.json"))]


def measured_again(count: int, chunk: int = CHUNK) -> Iterator[tuple[str, Told]]:
    """Name and row or refusal of every reading by every method, as they are measured now."""
    files = frozen_files(count)
    for number, settings in enumerate(SETTINGS):
        some = files[number :: len(SETTINGS)]
        for first, method in product(range(0, len(some), chunk), METHODS.values()):
            part = some[first : first + chunk]
            yield from _named(part, method, settings, "")
    for (number, settings), method in product(enumerate(SETTINGS), METHODS.values()):
        yield from _named(sample_files(), method, settings, f" {number}")


def _named(
    files: Sequence[tuple[str, bytes]], method: Method, settings: Settings, suffix: str
) -> Iterator[tuple[str, Told]]:
    found = measure_chunk(files, Plan((method,), settings))
    told: dict[str, Told] = {
        file: {name: cell for name, cell in row.items() if name not in _LEFT_OUT}
        for file, row in zip(found.columns.files, found.columns.rows(), strict=True)
    }
    told |= {one.file: str(Refusal("", one.place, one.problem)) for one in found.refusals}
    for name, _ in files:
        yield f"{name.partition('.')[0]} {method.name}{suffix}", told[name]


def digest_of(told: Told, columns: Iterable[str]) -> str:
    """A digest of every bit of a row, in the archive's columns, or of a refusal."""
    text = told if isinstance(told, str) else repr([told.get(name) for name in columns])
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def arithmetic() -> str:
    """A digest of what the mathematical functions give that a row depends on.

    Their last bits differ between C libraries and processors; where they do, rows are held against
    those that stand whole, to twelve digits.
    """
    from scipy.special import fdtrc, stdtr, stdtrit

    chance = np.random.default_rng(5)
    x, y = chance.normal(0, 9, (2, 4001))
    found: list[float] = []
    for one in (math.sin, math.cos):
        found += map(one, x.tolist())
    for two in (math.atan2, math.hypot):
        found += map(two, x.tolist(), y.tolist())
    share, freedom = np.abs(x) / (np.abs(x) + 1), 1.0 + np.abs(y) * 9
    arrays = (
        np.arctan2(x, y),
        np.hypot(x, y),
        np.arccos(share),
        stdtrit(freedom, 0.975),
        stdtr(freedom, x),
        fdtrc(2, freedom, np.abs(x)),
    )
    found += np.concatenate(arrays).tolist()
    return hashlib.blake2b(np.array(found).tobytes(), digest_size=8).hexdigest()


def main() -> None:
    """Measure and write, and say what is not as it was."""
    told = dict(measured_again(COUNT))
    row = next(one for one in told.values() if isinstance(one, dict))
    columns = tuple(row)
    digests = {name: digest_of(one, columns) for name, one in told.items()}
    if ARCHIVE.exists():
        before = Frozen.load().digests
        changed = [name for name, digest in digests.items() if before.get(name) != digest]
        print(f"{len(changed)} of {len(digests)} are not as they were")
    whole = {name: one for name, one in told.items() if not name.startswith(tuple("01234"))}
    whole |= {name: one for name, one in told.items() if name < f"{WHOLE:05d}"}
    Frozen(columns, arithmetic(), digests, whole).save()
    print(f"{ARCHIVE}: {ARCHIVE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
