"""Measuring methods, each named, with its version and source; what a measurement takes as given."""

import math
from dataclasses import dataclass

from necroangle.errors import MethodError
from necroangle.measurement.grades import HA_GRADES, HA_RISKS, KERBOUL_BINS
from necroangle.protocol.noise import UNKNOWN_READER, EndNoise


@dataclass(frozen=True, slots=True)
class Method:
    """One way to get a combined necrotic angle from a reading.

    Attributes
    ----------
    name, version
        What stands in the table; a change of rule is a new version.
    title
        For people.
    mode
        ``"surface_arc"``: the arc of the head's surface that is necrotic, on the view's slice.
        ``"max_extent"``: tangents from the centre to the lesion's outline. ``"largest_slice"``:
        the surface arc on the marked slice where it is largest, less what the largest of several
        is too large by. ``"centre_plane"``: the surface arc where the plane through the head's
        centre meets the boundary told by the marked slices.
    radiograph
        Whether it measures a radiograph pair; else an MR pair.
    ha_scheme
        Whether Ha's grades and risk groups, defined on MR, apply.
    cut_offs_deg
        Where its categories change, for ``near_cutoff``.
    boundary_rule
        On which side a cut-off itself falls.
    doi
        Its source.
    """

    name: str
    version: int
    title: str
    mode: str
    radiograph: bool
    ha_scheme: bool
    cut_offs_deg: tuple[float, ...]
    boundary_rule: str
    doi: str

    @property
    def unfit(self) -> str:
        """What is said of a reading of another kind of image."""
        wanted = "radiographs" if self.radiograph else "MR slices"
        return f"method {self.name} measures {wanted}; this reading is of others"


_HA_CUTS = tuple(sorted((*HA_GRADES.cuts, *HA_RISKS.cuts)))
_HA_RULE = "half-open: 200, 250 and 300 begin a grade; 190 is low, 240 is high"
_KERBOUL_RULE = "160 is small, 200 is large"


def _mr(name: str, title: str, mode: str, doi: str, version: int = 1) -> Method:
    return Method(name, version, title, mode, False, True, _HA_CUTS, _HA_RULE, doi)


METHODS = {
    method.name: method
    for method in (
        _mr(
            "ha_mr_midslice",
            "Modified Kerboul angle on mid-coronal and mid-sagittal MR (Ha 2006)",
            "surface_arc",
            HA_GRADES.doi,
        ),
        Method(
            name="kerboul_radiograph",
            version=1,
            title="Combined necrotic angle on AP and lateral radiographs (Kerboul 1974)",
            mode="surface_arc",
            radiograph=True,
            ha_scheme=False,
            cut_offs_deg=KERBOUL_BINS.cuts,
            boundary_rule=_KERBOUL_RULE,
            doi=KERBOUL_BINS.doi,
        ),
        _mr(
            "max_extent",
            "Greatest extent on mid-coronal and mid-sagittal MR (Ruckli 2023)",
            "max_extent",
            "10.3390/jpm13010153",
        ),
        _mr(
            "largest_slice",
            "Modified Kerboul angle on the slices where it is largest (Saraf 2025)",
            "largest_slice",
            "10.7759/cureus.82945",
            version=2,
        ),
        _mr(
            "centre_plane",
            "Modified Kerboul angle on the true centre planes, between marked slices",
            "centre_plane",
            HA_GRADES.doi,
            version=2,
        ),
    )
}


def method_named(name: str) -> Method:
    """The method of that name.

    Raises
    ------
    MethodError
        If there is none, naming those that are.

    Examples
    --------
    >>> method_named("ha_mr_midslice").doi
    '10.2106/JBJS.F.00535'
    >>> method_named("by eye")
    Traceback (most recent call last):
    ...
    necroangle.errors.MethodError: there is no method 'by eye'; there are: centre_plane, ...
    """
    if name not in METHODS:
        raise MethodError(f"there is no method {name!r}; there are: {', '.join(sorted(METHODS))}")
    return METHODS[name]


DEFAULT_METHODS = (METHODS["ha_mr_midslice"], METHODS["kerboul_radiograph"])
"""On MR, and on radiographs."""

# ---- what a measurement takes as given -----------------------------------------------------------


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
