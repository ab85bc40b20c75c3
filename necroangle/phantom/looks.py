"""What makes a phantom lifelike: the form of a head, and the look of its MR pictures."""

from dataclasses import astuple, dataclass
from enum import StrEnum

from necroangle.errors import PhantomError


class Contrast(StrEnum):
    """What weights the pictures."""

    T1 = "T1"
    PD = "PD"
    T2_FS = "T2 FS"
    """T2 with fat suppressed."""
    STIR = "STIR"


@dataclass(frozen=True, slots=True)
class HeadForm:
    """In what a head is no sphere, and what lies about it.

    Attributes
    ----------
    aspheric_mm
        Amplitude of smooth unevenness, 0 to 0.8 mm.
    oval
        Height over width less 1: 0 to 0.06 either way.
    fovea_mm
        Depth of the pit where the ligament is fixed, 0 to 4 mm.
    uneven_cartilage
        By what share the cartilage's thickness changes round the head, 0 to 0.6.
    fluid_mm
        Thickness of fluid between head and capsule, 0 to 6 mm.
    osteophyte_mm
        Height of bone that has grown at the head's margins, 0 to 6 mm.
    sunken_mm
        By how much the dome has sunk in the middle of each lesion, 0 to 5 mm; from 1 mm on with a
        crescent under the surface.

    Raises
    ------
    PhantomError
        If a value is out of range.

    Examples
    --------
    >>> HeadForm(oval=0.2)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: a head's oval must lie between -0.06 and 0.06, found 0.2
    """

    aspheric_mm: float = 0.0
    oval: float = 0.0
    fovea_mm: float = 0.0
    uneven_cartilage: float = 0.0
    fluid_mm: float = 0.0
    osteophyte_mm: float = 0.0
    sunken_mm: float = 0.0

    def __post_init__(self) -> None:
        most = (0.8, 0.06, 4.0, 0.6, 6.0, 6.0, 5.0)
        for name, value, high in zip(self.__slots__, astuple(self), most, strict=True):
            low = -high if name == "oval" else 0.0
            if not low <= value <= high:
                raise PhantomError(
                    f"a head's {name} must lie between {low:g} and {high:g}, found {value}"
                )


@dataclass(frozen=True, slots=True)
class MrLook:
    """How MR pictures look.

    Attributes
    ----------
    contrast
        What weights them.
    band_blur_mm
        Width over which the reactive band fades, 0.4 to 4 mm.
    double_line
        Whether the band has a bright inner line, as T2-weighted pictures often show.
    bias
        Strength of an uneven coil: 0 none beside the usual, 1 strong.
    moved_mm
        How far the patient moved between the coronal and the sagittal series, patient LPS mm.

    Raises
    ------
    PhantomError
        If a value is out of range.
    """

    contrast: Contrast = Contrast.T1
    band_blur_mm: float = 0.5
    double_line: bool = False
    bias: float = 0.0
    moved_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not 0.4 <= self.band_blur_mm <= 4.0:
            raise PhantomError(
                f"a band fades over 0.4 to 4 mm, found band_blur_mm {self.band_blur_mm}"
            )
        if not 0.0 <= self.bias <= 1.0:
            raise PhantomError(f"bias must lie between 0 and 1, found {self.bias}")
        if not all(abs(step) <= 20.0 for step in self.moved_mm):
            raise PhantomError(f"nobody moves more than 20 mm, found {self.moved_mm}")
