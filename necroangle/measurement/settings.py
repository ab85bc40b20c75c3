"""What a measurement takes as given, stated: never hidden in a formula."""

import math
from dataclasses import dataclass

from necroangle.errors import MethodError
from necroangle.protocol.noise import UNKNOWN_READER, EndNoise

__all__ = ["DEFAULTS", "RadiusPrior", "Settings"]


@dataclass(frozen=True, slots=True)
class RadiusPrior:
    """A head radius known beforehand: the same head at an earlier visit, or the other hip.

    Attributes
    ----------
    radius_mm, sd_mm
        The radius and its standard deviation.
    source
        Where it comes from, for the record: ``"visit m00"``, ``"other hip"``.

    Raises
    ------
    MethodError
        If a number is not positive, or the source is not said.
    """

    radius_mm: float
    sd_mm: float
    source: str

    def __post_init__(self) -> None:
        numbers = (self.radius_mm, self.sd_mm)
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise MethodError(f"a radius prior needs positive mm, found {numbers}")
        if not self.source:
            raise MethodError("a radius prior needs its source: which visit, or the other hip")


@dataclass(frozen=True, slots=True)
class Settings:
    """How marks are weighed and which centre is used.

    Attributes
    ----------
    end_noise
        How a reader marks an arc's end: by default that of a reader nobody knows.
    of_readers
        The same of readers who are known, by their names.
    rim_sd_mm
        Standard deviation of marking a rim point. It weighs a radius prior, and stands in where
        the rim has no residual freedom (3 points a view).
    radius_prior
        A radius known beforehand, or None (the default).
    centre
        ``"circles"``: each view's own head circle. ``"sphere"``: the centre of the sphere through
        the rims of both views, for a view that is poor.

    Raises
    ------
    MethodError
        If a standard deviation is not positive, or the centre is neither.
    """

    end_noise: EndNoise = UNKNOWN_READER
    of_readers: tuple[tuple[str, EndNoise], ...] = ()
    rim_sd_mm: float = 0.5
    radius_prior: RadiusPrior | None = None
    centre: str = "circles"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rim_sd_mm) and self.rim_sd_mm > 0):
            raise MethodError(f"a standard deviation must be positive mm, found {self.rim_sd_mm}")
        if self.centre not in ("circles", "sphere"):
            raise MethodError(f"the centre is of circles or sphere, found {self.centre!r}")

    def noise_of(self, reader: str) -> EndNoise:
        """How a reader marks an arc's end.

        Examples
        --------
        >>> kim = EndNoise(0.7, dof=40.0, source="repeats")
        >>> Settings(of_readers=(("kim", kim),)).noise_of("kim").sd_mm
        0.7
        >>> DEFAULTS.noise_of("kim").sd_mm
        1.0
        """
        return dict(self.of_readers).get(reader, self.end_noise)


DEFAULTS = Settings()
