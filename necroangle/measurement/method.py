"""Measuring methods: named, versioned definitions, each with its source."""

from dataclasses import dataclass

from necroangle.annotation import HipReading
from necroangle.errors import MethodError

__all__ = ["METHODS", "Method", "default_method", "method_named"]


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
        the surface arc on the marked slice where it is largest. ``"centre_plane"``: the surface
        arc where the plane through the head's centre meets the boundary told by the marked slices.
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
            wanted = "radiographs" if self.radiograph else "MR slices"
            raise MethodError(f"method {self.name} measures {wanted}; this reading is of others")


_HA_CUTS = (190.0, 200.0, 240.0, 250.0, 300.0)
_HA_RULE = "half-open: 200, 250 and 300 begin a grade; 190 is low, 240 is high"
_KERBOUL_RULE = "160 is small, 200 is large"


def _mr(name: str, title: str, mode: str, doi: str) -> Method:
    return Method(name, 1, title, mode, False, True, _HA_CUTS, _HA_RULE, doi)


METHODS = {
    method.name: method
    for method in (
        _mr(
            "ha_mr_midslice",
            "Modified Kerboul angle on mid-coronal and mid-sagittal MR (Ha 2006)",
            "surface_arc",
            "10.2106/JBJS.F.00535",
        ),
        Method(
            name="kerboul_radiograph",
            version=1,
            title="Combined necrotic angle on AP and lateral radiographs (Kerboul 1974)",
            mode="surface_arc",
            radiograph=True,
            ha_scheme=False,
            cut_offs_deg=(160.0, 200.0),
            boundary_rule=_KERBOUL_RULE,
            doi="10.1302/0301-620X.56B2.291",
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
        ),
        _mr(
            "centre_plane",
            "Modified Kerboul angle on the true centre planes, between marked slices",
            "centre_plane",
            "10.2106/JBJS.F.00535",
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
    return METHODS["kerboul_radiograph" if reading.is_radiograph else "ha_mr_midslice"]
