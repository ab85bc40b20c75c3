"""The geometry passport in words: what a person reads of a stack."""

from necroangle.dicom.passport import GeometryPassport
from necroangle.geometry import PlaneName

__all__ = ["passport_lines"]


def passport_lines(found: GeometryPassport) -> list[str]:
    """The passport of one stack in words, a line a subject."""
    steps, contrast = found.steps, found.contrast
    order = f"order from {steps.order_source}"
    if steps.step_mm is not None:
        order += (
            f", step {steps.step_mm:.4f} mm (± {steps.deviation_mm or 0:.4f}), {steps.gaps} gaps, "
            f"{steps.missing} missing, {steps.duplicates} double, shear {steps.shear_deg:.2f}°"
        )
    measure, side = found.scale, found.side
    scale = "true mm" if measure.calibrated else "no true mm"
    scale += f" (from {measure.source}), pixel aspect {measure.pixel_aspect:.4f}"
    if measure.magnification is not None:
        scale += f", magnification {measure.magnification:g}"
    sides = f"coded {side.coded or 'none'}, by place {side.found or 'none'}"
    warned = " - THEY DIFFER" if side.differ else ""
    weighting = f"{contrast.family}{', fat-suppressed' if contrast.fat_suppressed else ''}"
    weighting += ", 3D" if contrast.is_3d else ""
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
        + (", A PROGRAM AT THE SAME TIME" if found.executable_preamble else ""),
        f"decoder   {found.decoder}",
        *(f"refused   {reason}" for reason in found.refused),
    ]


def _plane(found: GeometryPassport) -> str:
    if found.plane is None or found.obliquity_deg is None:
        return found.kind
    return str(PlaneName(found.plane, found.obliquity_deg))
