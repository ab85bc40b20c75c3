"""What a measurement takes as given, stated: never hidden in a formula."""

import math
from dataclasses import dataclass

from necroangle.errors import MethodError

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
    end_point_sd_mm
        Standard deviation of marking an arc's end along the surface. By default 1 mm, a careful
        reader's; better from the study's own repeat reads
        (:func:`necroangle.measurement.repeats.end_point_sd_mm`).
    end_point_dof
        Degrees of freedom behind it: infinite where it is declared, finite from repeat reads.
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
        If a standard deviation or its freedom is not positive, or the centre is neither.
    """

    end_point_sd_mm: float = 1.0
    end_point_dof: float = math.inf
    rim_sd_mm: float = 0.5
    radius_prior: RadiusPrior | None = None
    centre: str = "circles"

    def __post_init__(self) -> None:
        numbers = (self.end_point_sd_mm, self.rim_sd_mm)
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise MethodError(f"standard deviations must be positive mm, found {numbers}")
        if not self.end_point_dof > 0:
            raise MethodError(f"degrees of freedom must be positive, found {self.end_point_dof}")
        if self.centre not in ("circles", "sphere"):
            raise MethodError(f"the centre is of circles or sphere, found {self.centre!r}")


DEFAULTS = Settings()
