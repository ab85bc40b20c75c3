"""The named studies of ``sample_dicoms/``, and the folder that holds them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from necroangle.phantom.looks import Contrast, HeadForm, MrLook
from necroangle.phantom.model import (
    Lesion,
    PhantomHip,
    PhantomStudy,
    RadiographGeometry,
    SeriesGeometry,
    Vector3,
    lesion_axis,
)
from necroangle.phantom.readings import save_readings
from necroangle.phantom.write import refuse_filled, write_study
from necroangle.terms import Laterality, View

_R, _L = Laterality.RIGHT, Laterality.LEFT

_CORONAL = SeriesGeometry(
    View.CORONAL, 0.85, 0.85, 208, 384, 11, 4.0, 0.4, shift_mm=(0.0, 12.0, 0.8)
)
_SAGITTAL = SeriesGeometry(
    View.SAGITTAL, 0.7, 0.7, 160, 160, 11, 3.5, 0.35, shift_mm=(0.0, 0.0, -0.6)
)


def sample_studies() -> dict[str, PhantomStudy]:
    """The sample studies by the folder each is written to.

    Examples
    --------
    >>> sorted(sample_studies())
    ['above_180', 'lifelike', 'normal', 'oblique', 'plain', 'radiographs',
     'two_visits/baseline', 'two_visits/month_12']
    """
    return {
        "plain": _plain(),
        "oblique": _oblique(),
        "above_180": _above_180(),
        "two_visits/baseline": _visit("baseline"),
        "two_visits/month_12": _visit("month_12"),
        "normal": _normal(),
        "radiographs": _radiographs(),
        "lifelike": _lifelike(),
    }


def write_samples(folder: Path, *, on_file: Callable[[str], None] | None = None) -> None:
    """Write the sample set: the studies, and ``readings/`` marked at their truth.

    Parameters
    ----------
    folder
        A new or empty folder.
    on_file
        Called with each DICOM file's path, relative to the folder, when it has been written.

    Raises
    ------
    PhantomError
        If the folder holds anything.
    """
    refuse_filled(folder)
    for name, study in sample_studies().items():

        def report(file: str, name: str = name) -> None:
            if on_file is not None:
                on_file(f"{name}/{file}")

        write_study(study, folder / name, on_file=report)
        save_readings(study, folder / "readings")


def _hip(
    side: Laterality,
    centre_mm: Vector3,
    radius_mm: float,
    *lesions: tuple[float, float, float],
) -> PhantomHip:
    """A hip with lesions given as (anterior tilt, lateral tilt, half angle), degrees."""
    return PhantomHip(
        side,
        centre_mm,
        radius_mm,
        tuple(Lesion(lesion_axis(side, front, out), float(half)) for front, out, half in lesions),
    )


def _plain() -> PhantomStudy:
    return PhantomStudy(
        "PLAIN",
        (
            _hip(_R, (-87.0, 2.0, 0.0), 24.0, (18, 8, 56)),
            _hip(_L, (87.5, 1.0, 1.0), 23.6, (22, 5, 38)),
        ),
        _CORONAL,
        _SAGITTAL,
        seed=101,
        subject="PHANTOM-01",
    )


def _oblique() -> PhantomStudy:
    return PhantomStudy(
        "OBLIQUE",
        (
            _hip(_R, (-84.0, -6.0, 12.0), 23.2, (25, 2, 44)),
            _hip(_L, (88.0, -4.0, 9.0), 23.5, (12, 10, 62)),
        ),
        SeriesGeometry(
            View.CORONAL, 0.6, 0.9, 292, 360, 13, 3.6, 0.36, (14.0, 0.0, 4.0), (1.5, 10.0, 1.1)
        ),
        SeriesGeometry(
            View.SAGITTAL, 0.6, 0.8, 184, 140, 11, 3.5, 0.35, (0.0, 6.0, -12.0), (2.0, 1.0, 0.9)
        ),
        patient_position="FFS",
        seed=202,
        subject="PHANTOM-02",
    )


def _above_180() -> PhantomStudy:
    """Right: a lesion of nearly the whole dome. Left: two lesions, so two arcs."""
    return PhantomStudy(
        "ABOVE-180",
        (
            _hip(_R, (-88.0, 4.0, -3.0), 24.6, (14, -14, 99)),
            _hip(_L, (86.0, 3.0, -2.0), 24.4, (6, 34, 24), (8, -34, 20)),
        ),
        _CORONAL,
        _SAGITTAL,
        patient_position="HFP",
        seed=303,
        subject="PHANTOM-03",
    )


def _visit(visit: str) -> PhantomStudy:
    """The same hips twice: the right lesion has shrunk, the left has hardly changed."""
    later = visit == "month_12"
    right, left = (
        ((-84.3, 6.1, 8.4), (90.1, 5.2, 7.6)) if later else ((-87.0, 1.0, 0.0), (87.4, 0.0, -1.0))
    )
    tilt = (2.0, 0.0, -3.0) if later else (0.0, 0.0, 0.0)
    return PhantomStudy(
        "TWO-VISITS",
        (
            _hip(_R, right, 23.8, (16, 6, 47.5 if later else 54)),
            _hip(_L, left, 23.9, (20, 4, 41 if later else 40)),
        ),
        SeriesGeometry(View.CORONAL, 0.85, 0.85, 208, 384, 11, 4.0, 0.4, tilt, (0.0, 12.0, -0.5)),
        SeriesGeometry(View.SAGITTAL, 0.7, 0.7, 160, 160, 11, 3.5, 0.35, tilt, (0.0, 0.0, 0.4)),
        seed=405 if later else 404,
        subject="PHANTOM-04",
        visit=visit,
    )


def _normal() -> PhantomStudy:
    return PhantomStudy(
        "NORMAL",
        (_hip(_R, (-82.0, 3.0, 2.0), 22.6), _hip(_L, (82.5, 3.5, 1.0), 22.8)),
        _CORONAL,
        _SAGITTAL,
        seed=505,
        subject="PHANTOM-05",
    )


def _radiographs() -> PhantomStudy:
    return PhantomStudy(
        "RADIOGRAPHS",
        (
            _hip(_R, (-87.0, 0.0, 0.0), 24.2, (20, 12, 52)),
            _hip(_L, (87.0, 0.0, 0.0), 24.0),
        ),
        radiographs=RadiographGeometry(),
        radiograph_sides=(_R,),
        seed=606,
        subject="PHANTOM-06",
    )


def _lifelike() -> PhantomStudy:
    """Heads that are no spheres, in T1 and STIR; the right one has a lesion with a double band."""
    right = HeadForm(
        aspheric_mm=0.5,
        oval=0.03,
        fovea_mm=2.5,
        uneven_cartilage=0.4,
        fluid_mm=3.0,
        osteophyte_mm=1.5,
    )
    left = replace(right, oval=-0.02, fluid_mm=1.5, osteophyte_mm=0.0)
    return PhantomStudy(
        "LIFELIKE",
        (
            replace(_hip(_R, (-86.0, 3.0, 2.0), 24.4, (24, 8, 50)), form=right),
            replace(_hip(_L, (87.0, 2.0, 1.0), 24.1), form=left),
        ),
        SeriesGeometry(View.CORONAL, 0.9, 0.9, 168, 352, 7, 4.0, 0.4, shift_mm=(0.0, 0.0, 4.0)),
        SeriesGeometry(View.SAGITTAL, 0.8, 0.8, 128, 128, 7, 4.0, 0.4, shift_mm=(1.0, 0.0, -2.0)),
        seed=707,
        snr=55.0,
        subject="PHANTOM-07",
        look=MrLook(Contrast.T1, band_blur_mm=1.2, double_line=True, bias=0.4),
        also=(Contrast.STIR,),
    )
