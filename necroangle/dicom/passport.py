"""The geometry passport of a stack: what is known of where it lies, and from what it is known."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from necroangle.dicom.contrast import Contrast, contrast_of
from necroangle.dicom.decoders import decoder_words
from necroangle.dicom.depths import POSITION_TOLERANCE_MM, allowed_step_mm, usual_step_mm
from necroangle.dicom.records import Refusal, SeriesSummary
from necroangle.dicom.sides import side_by_place
from necroangle.terms import Laterality

__all__ = ["GeometryPassport", "Scale", "Side", "Steps", "passport_of"]


@dataclass(frozen=True, slots=True)
class Steps:
    """How the slices follow each other, measured on their positions.

    Attributes
    ----------
    order_source
        Where order and step come from: ``"positions along the normal"``,
        ``"mosaic header"``, or ``"none"`` for a single picture.
    step_mm, deviation_mm
        Median step along the normal, and the largest difference of a step from it; None for a
        single picture.
    gaps, missing, duplicates
        Steps beyond the tolerance, slices that would fill them, slices at one position. All 0 in
        a stack that opens: the others are refused.
    shear_deg, shift_mm
        Angle between the line through the first pixels and the normal, and the largest shift of
        a slice within its plane.
    """

    order_source: str
    step_mm: float | None
    deviation_mm: float | None
    gaps: int
    missing: int
    duplicates: int
    shear_deg: float
    shift_mm: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What a pixel measures.

    Attributes
    ----------
    calibrated, source
        Whether mm are true mm in the patient, and the attribute they come from.
    row_spacing_mm, column_spacing_mm
        Between rows and between columns: only where they are true mm in the patient, else None.
    unscaled_spacing
        Row and column spacing where they are not: mm on the detector, estimated mm; None where
        true or absent.
    pixel_aspect
        Row spacing by column spacing; 1 where no spacing is stated.
    magnification
        ``EstimatedRadiographicMagnificationFactor``, or None.
    """

    calibrated: bool
    source: str
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    unscaled_spacing: tuple[float, float] | None
    pixel_aspect: float
    magnification: float | None


@dataclass(frozen=True, slots=True)
class Side:
    """The side of the body.

    Attributes
    ----------
    coded, found
        As the header codes it, and as its place tells it; None where either is silent.
    rule
        What the place was compared with.
    differ
        Whether both speak and contradict each other.
    """

    coded: Laterality | None
    found: Laterality | None
    rule: str
    differ: bool


@dataclass(frozen=True, slots=True)
class GeometryPassport:
    """What is known of the geometry of one stack or picture.

    No name, date, description or identifier is in it.

    Attributes
    ----------
    kind, modality, split_by
        As in :class:`~necroangle.dicom.SeriesSummary`.
    plane, obliquity_deg, edges
        Nearest anatomical plane, degrees off it, and the letters at the picture's edges; None or
        empty for a picture without a place in the patient.
    slices, rows, columns
        Size.
    steps, scale, side, contrast
        How the slices follow each other, what a pixel measures, which side, which weighting.
    patient_position
        As coded, or None.
    window_source
        Where the grey values to show come from.
    is_secondary
        A secondary capture, or an image that says it is ``SECONDARY``.
    burned_in
        Whether text may be burned into the picture: ``"stated"``, ``"suspected"`` (a secondary
        image that does not deny it), ``"denied"`` or ``"not stated"``.
    charset_known
        Whether every character set that the files name is known.
    executable_preamble
        Whether a file is a program at the same time: read like any other, never executed.
    decoder
        What decodes the pixels, with its version (``"pylibjpeg-openjpeg 2.5.0"``); ``"native"``
        for plain pixels, ``"none"`` for an encoding that nothing at hand decodes.
    refused
        What else of the same series cannot be opened, and why; names no file.
    """

    kind: str
    modality: str
    split_by: str
    plane: str | None
    obliquity_deg: float | None
    edges: dict[str, str]
    slices: int
    rows: int
    columns: int
    steps: Steps
    scale: Scale
    side: Side
    contrast: Contrast
    patient_position: str | None
    window_source: str
    is_secondary: bool
    burned_in: str
    charset_known: bool
    executable_preamble: bool
    decoder: str
    refused: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def passport_of(
    summary: SeriesSummary,
    study: Iterable[SeriesSummary] = (),
    refused: Iterable[Refusal] = (),
) -> GeometryPassport:
    """The passport of a stack, radiograph or secondary capture.

    Parameters
    ----------
    summary
        What :func:`necroangle.dicom.scan_folder` lists.
    study
        What else it lists: tells the side by place. Other studies are left aside.
    refused
        What it refuses: those of the same series are named.
    """
    facts, plane = summary.facts, summary.plane
    secondary = summary.kind == "secondary" or facts.image_type[1:2] == ("SECONDARY",)
    return GeometryPassport(
        kind=summary.kind,
        modality=summary.modality,
        split_by=summary.split_by,
        plane=None if plane is None else plane.name,
        obliquity_deg=None if plane is None else plane.obliquity_deg,
        edges={} if plane is None else summary.planes[0].edge_letters(),
        slices=len(summary),
        rows=summary.rows,
        columns=summary.columns,
        steps=_steps(summary),
        scale=_scale(summary),
        side=_side(summary, study),
        contrast=contrast_of(summary.modality, facts),
        patient_position=summary.patient_position,
        window_source=facts.window_source,
        is_secondary=secondary,
        burned_in=_burned_in(facts.burned_in, secondary),
        charset_known=facts.charset_known,
        executable_preamble=facts.executable_preamble,
        decoder=decoder_words(summary.syntaxes),
        refused=tuple(one.nameless for one in refused if one.series_uid == summary.series_uid),
    )


def _scale(summary: SeriesSummary) -> Scale:
    spacing = (summary.row_spacing_mm, summary.column_spacing_mm)
    true_mm = summary.calibrated
    return Scale(
        calibrated=true_mm,
        source=summary.spacing_source,
        row_spacing_mm=spacing[0] if true_mm else None,
        column_spacing_mm=spacing[1] if true_mm else None,
        unscaled_spacing=None if true_mm or summary.spacing_source == "none" else spacing,
        pixel_aspect=spacing[0] / spacing[1],
        magnification=summary.facts.magnification,
    )


def _side(summary: SeriesSummary, study: Iterable[SeriesSummary]) -> Side:
    coded = summary.laterality
    found, rule = side_by_place(summary, study)
    return Side(coded, found, rule, None not in (coded, found) and coded != found)


def _burned_in(stated: str | None, secondary: bool) -> str:
    if stated in ("YES", "NO"):
        return "stated" if stated == "YES" else "denied"
    return "suspected" if secondary else "not stated"


def _steps(summary: SeriesSummary) -> Steps:
    if len(summary) == 1:
        return Steps("none", None, None, 0, 0, 0, 0.0, 0.0)
    normal = summary.planes[0].normal
    origins = np.array([plane.origin_mm for plane in summary.planes])
    offsets = origins - origins[0]
    depths_mm = offsets @ normal
    shifts_mm = np.linalg.norm(offsets - np.outer(depths_mm, normal), axis=1)
    steps_mm = np.diff(depths_mm)
    usual_mm = usual_step_mm(steps_mm)
    wide = steps_mm[steps_mm - usual_mm > allowed_step_mm(usual_mm)]
    return Steps(
        order_source="mosaic header" if summary.tiles_per_side else "positions along the normal",
        step_mm=summary.step_mm,
        deviation_mm=float(np.abs(steps_mm - summary.step_mm).max()),
        gaps=len(wide),
        missing=int(sum(round(step / usual_mm) - 1 for step in wide)),
        duplicates=int(np.sum(steps_mm < POSITION_TOLERANCE_MM)),
        shear_deg=float(np.degrees(np.arctan2(shifts_mm[-1], depths_mm[-1]))),
        shift_mm=float(shifts_mm.max()),
    )
