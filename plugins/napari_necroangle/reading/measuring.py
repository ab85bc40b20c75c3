"""How the study that a folder of readings belongs to measures: what the dock measures by, too."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from necroangle.annotation import SUFFIX, HipReading
from necroangle.errors import MethodError, NecroangleError
from necroangle.measurement import (
    DEFAULTS,
    HipMeasurement,
    Method,
    Settings,
    measure,
    measure_draft,
)
from necroangle.study import Study, find_study

__all__ = ["BY_IMAGE", "Measuring", "measuring_in"]


@dataclass(frozen=True, slots=True)
class Measuring:
    """A method and what it takes as given.

    Attributes
    ----------
    method
        The study's; None: by the kind of image.
    settings
        How marks are weighed.
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
    from necroangle.batch import method_of_study, settings_of_study  # for a study alone

    study = find_study(folder)
    return Measuring(method_of_study(study), settings_of_study(study))
