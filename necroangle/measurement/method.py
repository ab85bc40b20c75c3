"""Measuring methods: named, versioned definitions, each with its source."""

from dataclasses import dataclass

from necroangle.annotation import HipReading
from necroangle.errors import MethodError
from necroangle.measurement.grades import HA_GRADES, HA_RISKS, KERBOUL_BINS

__all__ = ["DEFAULT_METHODS", "METHODS", "Method", "default_method", "method_named"]


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

    def refuse_unfit(self, reading: HipReading) -> None:
        """Refuse a reading of another kind of image.

        Raises
        ------
        MethodError
            Naming the method and what it measures.
        """
        if reading.is_radiograph != self.radiograph:
            raise MethodError(self.unfit)

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


def default_method(reading: HipReading) -> Method:
    """The default for the reading's kind of image: Ha on MR, Kerboul on radiographs.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> default_method(readings_of(sample_studies()["radiographs"])[0]).name
    'kerboul_radiograph'
    """
    return DEFAULT_METHODS[reading.is_radiograph]


DEFAULT_METHODS = (METHODS["ha_mr_midslice"], METHODS["kerboul_radiograph"])
"""On MR, and on radiographs."""
