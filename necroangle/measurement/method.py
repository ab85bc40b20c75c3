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
        ``"surface_arc"``: the arc of the head's surface that is necrotic.
    radiograph
        Whether it measures a radiograph pair; else an MR pair.
    ha_scheme
        Whether Ha's grades and risk groups, defined on MR, apply.
    doi
        Its source.
    """

    name: str
    version: int
    title: str
    mode: str
    radiograph: bool
    ha_scheme: bool
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


METHODS = {
    method.name: method
    for method in (
        Method(
            name="ha_mr_midslice",
            version=1,
            title="Modified Kerboul angle on mid-coronal and mid-sagittal MR (Ha 2006)",
            mode="surface_arc",
            radiograph=False,
            ha_scheme=True,
            doi="10.2106/JBJS.F.00535",
        ),
        Method(
            name="kerboul_radiograph",
            version=1,
            title="Combined necrotic angle on AP and lateral radiographs (Kerboul 1974)",
            mode="surface_arc",
            radiograph=True,
            ha_scheme=False,
            doi="10.1302/0301-620X.56B2.291",
        ),
    )
}


def method_named(name: str) -> Method:
    """The method of that name.

    Raises
    ------
    MethodError
        If there is none, naming those that are.
    """
    if name not in METHODS:
        raise MethodError(f"there is no method {name!r}; there are: {', '.join(sorted(METHODS))}")
    return METHODS[name]


def default_method(reading: HipReading) -> Method:
    """The default for the reading's kind of image: Ha on MR, Kerboul on radiographs."""
    return METHODS["kerboul_radiograph" if reading.is_radiograph else "ha_mr_midslice"]
