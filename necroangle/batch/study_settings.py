"""How a study measures: its method and its noise, for every command and the reading window."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from necroangle.annotation import SUFFIX, HipReading
from necroangle.batch.stream import settings_of_repeats
from necroangle.errors import MethodError, NecroangleError
from necroangle.measurement import (
    DEFAULTS,
    HipMeasurement,
    Method,
    Settings,
    measure,
    measure_draft,
    method_named,
)
from necroangle.study import Study, find_study


def method_of_study(study: Study | None) -> Method | None:
    """The method that a study states; None: by the kind of image.

    Examples
    --------
    >>> method_of_study(None) is None
    True
    """
    stated = study.protocol.method if study is not None else None
    return None if stated is None else method_named(stated)


def settings_of_study(study: Study | None) -> Settings:
    """How marks are weighed in a study: as its ``[noise]`` says.

    What it says of a reader goes before that reader's repeat reads, which do not show a habit.
    Where it asks for repeat reads and there are too few yet, what it declares stands in.

    Examples
    --------
    >>> settings_of_study(None) == DEFAULTS
    True
    """
    if study is None:
        return DEFAULTS
    noise = study.protocol.noise
    stated = {one.reader: one.of_ends for one in noise.readers}
    settings = Settings(noise.of_ends, tuple(sorted(stated.items())))
    if not noise.from_repeats:
        return settings
    try:
        found = settings_of_repeats([study.readings], settings, noise.repeats_needed)
    except MethodError:
        return settings
    return replace(found, of_readers=tuple(sorted({**dict(found.of_readers), **stated}.items())))


@dataclass(frozen=True, slots=True)
class Measuring:
    """A method and what it takes as given.

    Attributes
    ----------
    method
        The study's; None: by the kind of image.
    """

    method: Method | None = None
    settings: Settings = DEFAULTS

    def measure(self, reading: HipReading) -> HipMeasurement:
        """Measure a reading; by the kind of its images while it lacks what the method needs.

        Raises
        ------
        GeometryError
            If its marks give no circle or no arc.
        """
        return self._measured(reading, lambda method: measure(reading, method, self.settings))

    def measure_draft(self, reading: HipReading) -> HipMeasurement:
        """Likewise a reading in the making: what forbids to keep it is told, and refuses nothing.

        Raises
        ------
        GeometryError
            If its marks give no circle or no arc.
        """
        return self._measured(reading, lambda method: measure_draft(reading, self.settings, method))

    def _measured(
        self, reading: HipReading, by: Callable[[Method | None], HipMeasurement]
    ) -> HipMeasurement:
        method = self.method
        if method is not None and method.radiograph == reading.is_radiograph:
            try:
                return by(method)
            except MethodError:  # an outline, or a neighbouring slice, is not marked yet
                pass
        return by(None)


BY_IMAGE = Measuring()
"""Where there is no study."""


def measuring_of(study: Study | None) -> Measuring:
    """How a study measures.

    Examples
    --------
    >>> measuring_of(None) == BY_IMAGE
    True
    """
    return Measuring(method_of_study(study), settings_of_study(study))


def measuring_in(folder: Path | None) -> Measuring:
    """How the study of a folder measures.

    A study that cannot be read is passed over: the commands tell what is wrong.

    Examples
    --------
    >>> measuring_in(None) == BY_IMAGE
    True
    """
    try:
        study = find_study(folder) if folder is not None else None
        return BY_IMAGE if study is None else _of_study(study.folder, *_state(study))
    except (NecroangleError, OSError):
        return BY_IMAGE


def _state(study: Study) -> tuple[float, ...]:
    """What changes where the study's rules, or the repeat reads that they ask for, change."""
    rules = (study.folder / "study.toml").stat().st_mtime_ns
    if not study.protocol.noise.from_repeats:
        return (rules,)
    times = [path.stat().st_mtime_ns for path in study.readings.rglob(f"*{SUFFIX}")]
    return rules, len(times), max(times, default=0)


@lru_cache(maxsize=4)
def _of_study(folder: Path, *state: float) -> Measuring:  # noqa: ARG001
    study = find_study(folder)
    return measuring_of(study)
