"""The geometry passport of a stack: what is known of it, in words, and as lines of JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from necroangle.dicom.contrast import Contrast, contrast_of
from necroangle.dicom.decoders import decoder_words
from necroangle.dicom.pseudonym import IdentifierCodes
from necroangle.dicom.records import Refusal, Scan, SeriesSummary
from necroangle.dicom.sides import StudySides
from necroangle.dicom.stacks import POSITION_TOLERANCE_MM
from necroangle.geometry import Marker, PlaneName
from necroangle.terms import Laterality


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
        Gaps between slices, slices that would fill them, and 0: of two slices at one position the
        second is set aside.
    shear_deg, shift_mm
        Angle between the line through the first pixels and the normal, and the largest shift of
        a slice within its plane.
    flags, irregular
        As in :class:`~necroangle.dicom.records.Regularity`, and in words; empty where the stack is
        regular.
    """

    order_source: str
    step_mm: float | None
    deviation_mm: float | None
    gaps: int
    missing: int
    duplicates: int
    shear_deg: float
    shift_mm: float
    flags: tuple[str, ...] = ()
    irregular: str = ""


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
        As in :class:`~necroangle.dicom.records.SequenceFacts`: estimated, and never more.
    marker
        The marker that tells the scale, or None.
    """

    calibrated: bool
    source: str
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    unscaled_spacing: tuple[float, float] | None
    pixel_aspect: float
    magnification: float | None
    marker: Marker | None = None


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
    confidence
        As in :class:`~necroangle.dicom.sides.HipSide`.
    """

    coded: Laterality | None
    found: Laterality | None
    rule: str
    differ: bool
    confidence: str


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
    uids_mended
        As in :class:`~necroangle.dicom.records.SequenceFacts`, of any of its slices.
    patient_no
        As in :class:`~necroangle.dicom.SeriesSummary`; 0 where the study is of one patient.
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
    uids_mended: bool = False
    patient_no: int = 0

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def passport_of(
    summary: SeriesSummary,
    study: Iterable[SeriesSummary] | StudySides = (),
    refused: Iterable[Refusal] = (),
) -> GeometryPassport:
    """The passport of a stack, radiograph or picture of a screen.

    Parameters
    ----------
    summary
        What :func:`necroangle.dicom.scan_folder` lists.
    study
        What else it lists: tells the side by place. Other studies are left aside. Sides that are
        asked for again and again are handed over.
    refused
        What it refuses: those of the same series are named.
    """
    facts, plane = summary.facts, summary.plane
    secondary = facts.is_capture or facts.image_type[1:2] == ("SECONDARY",)
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
        uids_mended=facts.uids_mended,
        patient_no=summary.patient_no,
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
        marker=summary.marker,
    )


def _side(summary: SeriesSummary, study: Iterable[SeriesSummary] | StudySides) -> Side:
    sides = study if isinstance(study, StudySides) else StudySides(study)
    found = sides.of(summary)
    return Side(found.coded, found.placed, found.rule, found.differ, found.confidence)


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
    graded = summary.regularity
    return Steps(
        order_source="mosaic header" if summary.tiles_per_side else "positions along the normal",
        step_mm=summary.step_mm,
        deviation_mm=float(np.abs(steps_mm - summary.step_mm).max()),
        gaps=len(graded.gaps),
        missing=sum(count for _, count in graded.gaps),
        duplicates=int(np.sum(steps_mm < POSITION_TOLERANCE_MM)),
        flags=graded.flags,
        irregular=graded.words() if graded.flags else "",
        shear_deg=float(np.degrees(np.arctan2(shifts_mm[-1], depths_mm[-1]))),
        shift_mm=float(shifts_mm.max()),
    )


def passport_lines(found: GeometryPassport) -> list[str]:
    """The passport of one stack in words, a line a subject."""
    steps, contrast = found.steps, found.contrast
    order = f"order from {steps.order_source}"
    if steps.step_mm is not None:
        order += (
            f", step {steps.step_mm:.4f} mm (± {steps.deviation_mm or 0:.4f}), {steps.gaps} gaps, "
            f"{steps.missing} missing, {steps.duplicates} double, shear {steps.shear_deg:.2f}°"
        )
    if steps.irregular:
        order += f" - NOT REGULAR: {steps.irregular}"
    measure, side = found.scale, found.side
    scale = "true mm" if measure.calibrated else "no true mm"
    scale += f" (from {measure.source}), pixel aspect {measure.pixel_aspect:.4f}"
    if measure.magnification is not None:
        scale += f", magnification {measure.magnification:.4g} (estimated)"
    sides = f"coded {side.coded or 'none'}, by place {side.found or 'none'}"
    warned = " - THEY DIFFER" if side.differ else f", {side.confidence}" if side.found else ""
    weighting = f"{contrast}{', 3D' if contrast.is_3d else ''}"
    return [
        f"plane     {_plane(found)}, edges {' '.join(found.edges.values()) or '-'}",
        f"slices    {found.slices}, {order}",
        f"scale     {scale}",
        f"side      {sides} ({side.rule}){warned}",
        f"position  {found.patient_position or 'not stated'}",
        f"contrast  {weighting} ({contrast.rule})",
        f"picture   secondary: {'yes' if found.is_secondary else 'no'}, burned-in text: "
        f"{found.burned_in}, window from {found.window_source}"
        + ("" if found.charset_known else ", unknown character set")
        + (", identifiers mended" if found.uids_mended else "")
        + (", ONE OF SEVERAL PATIENTS OF ITS STUDY" if found.patient_no else "")
        + (", A PROGRAM AT THE SAME TIME" if found.executable_preamble else ""),
        f"decoder   {found.decoder}",
        *(f"refused   {reason}" for reason in found.refused),
    ]


def _plane(found: GeometryPassport) -> str:
    if found.plane is None or found.obliquity_deg is None:
        return found.kind
    return str(PlaneName(found.plane, found.obliquity_deg))


def series_object(series: SeriesSummary, scan: Scan, sides: StudySides) -> dict[str, Any]:
    """A stack as one JSON object, with its geometry passport and its identifiers."""
    passport = passport_of(series, sides, scan.left_out).to_dict()
    return {
        "record": "series",
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "stack_no": series.stack_no,
        "series_number": series.series_number,
        "modality": series.modality,
        "kind": series.kind,
        "plane": series.plane.name if series.plane else None,
        "obliquity_deg": series.plane.obliquity_deg if series.plane else None,
        "slices": len(series),
        "step_mm": series.step_mm,
        "row_spacing_mm": series.row_spacing_mm,
        "column_spacing_mm": series.column_spacing_mm,
        "calibrated": series.calibrated,
        "spacing_source": series.spacing_source,
        "rows": series.rows,
        "columns": series.columns,
        "laterality": series.laterality,
        "view": series.view,
        "subject": series.subject,
        "visit": series.visit,
        "split_by": series.split_by,
        "flags": (
            *series.regularity.flags,
            *(("several patients",) if series.patient_no else ()),
            *(("identifiers mended",) if series.facts.uids_mended else ()),
        ),
        "charset_known": series.facts.charset_known,
        "executable_preamble": series.facts.executable_preamble,
        "frames": series.frames,
        "passport": passport,
    }


def refusal_object(refusal: Refusal) -> dict[str, Any]:
    """A refusal as one JSON object, with its identifiers."""
    return {
        "record": "refusal",
        "place": refusal.place,
        "number": refusal.number,
        "files": refusal.files,
        "stage": refusal.stage,
        "tag": refusal.tag,
        "reason": refusal.reason,
        "at": refusal.at,
        "members": refusal.members,
        "series_uid": refusal.series_uid,
    }


def coded(
    record: Mapping[str, Any], codes: IdentifierCodes, *, identifiers: bool, named: bool
) -> dict[str, Any]:
    """A record as it is printed: ``study`` and ``series`` are codes, and so is all that identifies.

    Parameters
    ----------
    record
        Of :func:`series_object` or :func:`refusal_object`.
    codes
        Makes the codes.
    identifiers
        Whether UIDs, file names and subjects are printed as they are, beside the codes.
    named
        Whether subjects have the study's own names, which may be printed.

    Examples
    --------
    >>> refusal = refusal_object(Refusal("HONG/IM1", "an empty file", number=7, stage="open"))
    >>> shown = coded(refusal, IdentifierCodes(bytes(32)), identifiers=False, named=False)
    >>> shown["place"], shown["number"], shown["reason"]
    ('ccb7550f1d8cd0c518068eca', 7, 'an empty file')
    """
    shown = {
        name.removesuffix("_uid"): None if record[name] is None else codes.of("uid", record[name])
        for name in ("study_uid", "series_uid")
        if name in record
    }
    if identifiers:
        return {"record": record["record"], **shown, **record}

    def file(name: str) -> str:
        return codes.of("file", name)

    hidden: dict[str, Any] = {}
    if record["record"] == "series":
        hidden["frames"] = [[file(name), number] for name, number in record["frames"]]
        for kind in ("visit",) if named else ("subject", "visit"):
            hidden[kind] = None if record[kind] is None else codes.of(kind, record[kind])
    else:
        hidden = {"place": file(record["place"]), "at": [file(name) for name in record["at"]]}
    plain = {
        name: value
        for name, value in record.items()
        if not name.endswith("_uid") and name != "members"
    }
    return {"record": plain.pop("record"), **shown, **plain, **hidden}
