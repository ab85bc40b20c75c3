"""``necroangle phantom``: phantom hips with known truth, as DICOM studies."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import told_if_not_written
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from necroangle.phantom import HeadForm, MrLook, PhantomStudy, SeriesGeometry

_HALF_DISTANCE_MM = 87.0
_FIELD_MM = {"coronal": (177.0, 326.0), "sagittal": (112.0, 112.0)}
_DEPTH_MM = 48.0
_FINEST_MM = 0.05
_CONTRASTS = ("T1", "PD", "T2 FS", "STIR")
_FORM = (
    *("aspheric_mm", "oval", "fovea_mm", "uneven_cartilage"),
    *("fluid_mm", "osteophyte_mm", "sunken_mm"),
)
_LOOK = ("band_blur_mm", "double_line", "bias", "moved_mm")
_POSITIONS = ("HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL")


@click.command("phantom")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--samples", is_flag=True, help="Write the sample set; every other option is unused.")
@click.option("--name", default="PHANTOM", show_default=True, help="Part of the PatientName.")
@click.option("--subject", default="PHANTOM-00", show_default=True, help="Pseudonym.")
@click.option("--visit", default="baseline", show_default=True, help="Name of the visit.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the noise.")
@click.option("--snr", type=float, default=36.0, show_default=True, help="Fatty marrow over noise.")
@click.option(
    "--laterality",
    type=click.Choice(["R", "L", "both"]),
    default="R",
    show_default=True,
    help="The hip with the lesion; the other is normal.",
)
@click.option("--radius-mm", type=float, default=24.0, show_default=True, help="Of both heads.")
@click.option(
    "--centre-mm",
    type=float,
    nargs=3,
    metavar="X Y Z",
    help="Head centre in patient LPS mm; the other head lies mirrored at -X.  "
    "[default: 87 mm to the side]",
)
@click.option(
    "--half-angle-deg",
    type=float,
    default=50.0,
    show_default=True,
    help="Axis to edge of the lesion; 0 for none.",
)
@click.option("--anterior-deg", type=float, default=18.0, show_default=True, help="Axis' tilt.")
@click.option("--lateral-deg", type=float, default=6.0, show_default=True, help="Axis' tilt.")
@click.option("--on-neck", is_flag=True, help="Allow a lesion that reaches the neck.")
@click.option("--thickness-mm", type=float, default=3.5, show_default=True, help="Of a slice.")
@click.option("--gap-mm", type=float, default=0.35, show_default=True, help="Between two slices.")
@click.option("--row-spacing-mm", type=float, default=0.8, show_default=True)
@click.option("--column-spacing-mm", type=float, default=0.8, show_default=True)
@click.option(
    "--obliquity-deg",
    type=float,
    default=0.0,
    show_default=True,
    help="Tilt: coronal planes about x, sagittal planes about z.",
)
@click.option("--patient-position", type=click.Choice(_POSITIONS), default="HFS", show_default=True)
@click.option("--radiographs/--no-radiographs", default=False, show_default=True)
@click.option(
    "--contrast",
    type=click.Choice(_CONTRASTS),
    default="T1",
    show_default=True,
    help="Weighting of the pictures.",
)
@click.option("--oval", type=float, default=0.0, help="Head higher than wide by this share.")
@click.option("--aspheric-mm", type=float, default=0.0, help="Unevenness of the head.")
@click.option("--fovea-mm", type=float, default=0.0, help="Depth of the fovea.")
@click.option("--uneven-cartilage", type=float, default=0.0, help="Share by which it changes.")
@click.option("--fluid-mm", type=float, default=0.0, help="Fluid about head and neck.")
@click.option("--osteophyte-mm", type=float, default=0.0, help="Height of osteophytes.")
@click.option("--sunken-mm", type=float, default=0.0, help="By how much the dome has sunk.")
@click.option("--band-blur-mm", type=float, default=0.5, show_default=True, help="Of the band.")
@click.option("--double-line", is_flag=True, help="A bright line within the band.")
@click.option("--bias", type=float, default=0.0, help="Uneven coil, 0 to 1.")
@click.option(
    "--moved-mm",
    type=float,
    nargs=3,
    default=(0.0, 0.0, 0.0),
    metavar="X Y Z",
    help="How far the patient moved before the sagittal series.",
)
@click.option("--compress/--no-compress", default=True, show_default=True, help="JPEG-LS lossless.")
def command(out: Path, *, samples: bool, compress: bool, **options: Any) -> None:
    """Write phantom hips with known truth as a DICOM study in OUT.

    OUT must be new or empty: no file is ever overwritten. Beside the DICOM files lie truth.json,
    with the exact angle on every slice, and readings/, marked at that truth.
    """
    from necroangle.phantom import (
        count_files,
        readings_of,
        sample_studies,
        save_readings,
        write_samples,
        write_study,
    )

    if samples:
        total = sum(count_files(study) for study in sample_studies().values())
        with bars() as shown, told_if_not_written(out):
            bar = shown.begin("phantom", total)
            write_samples(out, on_file=lambda file: bar.on(words=file))
    else:
        study = _study(options)
        readings_of(study)  # refuses what cannot be marked before anything is written
        with bars() as shown, told_if_not_written(out):
            bar = shown.begin("phantom", count_files(study))
            write_study(study, out, compress=compress, on_file=lambda file: bar.on(words=file))
            save_readings(study, out / "readings")
        total = count_files(study)
    say(f"{total} DICOM files with their truth in {out}")


def _study(options: dict[str, Any]) -> "PhantomStudy":
    from necroangle.phantom import (
        Lesion,
        PhantomHip,
        PhantomStudy,
        RadiographGeometry,
        lesion_axis,
    )
    from necroangle.terms import Laterality

    form, look = _form_and_look(options)
    sick = options["laterality"]
    side = 1.0 if sick == "L" else -1.0
    x, y, z = options["centre_mm"] or (side * _HALF_DISTANCE_MM, 0.0, 0.0)
    hips = []
    for laterality, sign in ((Laterality.RIGHT, -1.0), (Laterality.LEFT, 1.0)):
        lesions: tuple[Lesion, ...] = ()
        if options["half_angle_deg"] and sick in ("both", laterality.value):
            axis = lesion_axis(laterality, options["anterior_deg"], options["lateral_deg"])
            lesions = (Lesion(axis, options["half_angle_deg"]),)
        centre = (x * side * sign, y, z)
        hips.append(PhantomHip(laterality, centre, options["radius_mm"], lesions, form))
        if not options["on_neck"]:
            hips[-1].refuse_neck()
    tilt = options["obliquity_deg"]
    return PhantomStudy(
        options["name"],
        (hips[0], hips[1]),
        _geometry("coronal", (tilt, 0.0, 0.0), options),
        _geometry("sagittal", (0.0, 0.0, tilt), options),
        radiographs=RadiographGeometry() if options["radiographs"] else None,
        patient_position=options["patient_position"],
        seed=options["seed"],
        snr=options["snr"],
        subject=options["subject"],
        visit=options["visit"],
        look=look,
    )


def _form_and_look(options: dict[str, Any]) -> "tuple[HeadForm | None, MrLook | None]":
    """What was asked for beside an exact sphere in plain T1; None where nothing was."""
    from necroangle.phantom import Contrast, HeadForm, MrLook

    form = HeadForm(*(options[name] for name in _FORM))
    look = MrLook(Contrast(options["contrast"]), *(options[name] for name in _LOOK))
    asked = form != HeadForm(), look != MrLook()
    return form if asked[0] else None, look if asked[1] else None


def _geometry(
    view: str, tilt_deg: tuple[float, float, float], options: dict[str, Any]
) -> "SeriesGeometry":
    """A stack whose field and depth hold the heads, whatever the spacing."""
    from necroangle.phantom import SeriesGeometry
    from necroangle.terms import View

    row_spacing, column_spacing = options["row_spacing_mm"], options["column_spacing_mm"]
    step = options["thickness_mm"] + options["gap_mm"]
    down, along = _FIELD_MM[view]
    if not all(_FINEST_MM < size < _DEPTH_MM for size in (row_spacing, column_spacing, step)):
        raise click.UsageError(
            f"spacings and slice step must lie between {_FINEST_MM} and {_DEPTH_MM} mm"
        )
    return SeriesGeometry(
        View(view),
        row_spacing,
        column_spacing,
        rows=max(1, round(down / row_spacing)),
        columns=max(1, round(along / column_spacing)),
        slices=max(1, round(_DEPTH_MM / step)),
        thickness_mm=options["thickness_mm"],
        gap_mm=options["gap_mm"],
        tilt_deg=tilt_deg,
        shift_mm=(0.0, 12.0 if view == "coronal" else 0.0, 0.0),
    )
