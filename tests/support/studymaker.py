"""Made studies of hips with a known side: stacks without pixels, tables and pictures off centre."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from necroangle.dicom import SeriesSummary
from necroangle.dicom.sides import width_mm
from necroangle.geometry import ImagePlane, PixelPoints, PlaneName
from necroangle.terms import Laterality, SourceImage

__all__ = ["MadeStack", "Stack", "made_study", "placed", "summary_of"]

_ROWS = {
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "axial": ((1, 0, 0), (0, 1, 0)),
}
_DEPTH = {"sagittal": 0, "coronal": 1, "axial": 2}
_MATRIX = 101


@dataclass(frozen=True)
class Stack:
    """A stack by its plane, the patient x of its middle and how far it reaches along x, mm."""

    plane: str
    x_mm: float
    wide_mm: float


@dataclass(frozen=True)
class MadeStack:
    """A stack and the hip that it shows: None where it shows both; and where its head lies."""

    summary: SeriesSummary
    truth: Laterality | None
    head_mm: tuple[float, float, float]


def summary_of(stack: Stack, number: int, laterality: Laterality | None = None) -> SeriesSummary:
    """What would be listed for such a stack."""
    sagittal = stack.plane == "sagittal"
    field = 160.0 if sagittal else stack.wide_mm
    spacing = field / (_MATRIX - 1)
    depths = np.linspace(-stack.wide_mm / 2, stack.wide_mm / 2, 11) if sagittal else range(11)
    row, column = _ROWS[stack.plane]
    corner = -field / 2 * (np.array(row) + np.array(column, float))
    planes, sources = [], []
    for place, depth in enumerate(depths):
        origin = corner.copy()
        origin[_DEPTH[stack.plane]] += depth
        origin[0] += stack.x_mm
        planes.append(ImagePlane.from_dicom(origin, (*row, *column), (spacing, spacing)))
        sources.append(SourceImage("1.2", f"1.2.3.{number}", f"1.2.3.{number}.{place}", 1, "1.2.7"))
    values: dict[str, Any] = dict.fromkeys(
        ("view", "patient_position", "subject", "visit", "window")
    )
    return SeriesSummary(
        study_uid="1.2", series_uid=f"1.2.3.{number}", stack_no=1, modality="MR", kind="stack",
        plane=PlaneName(stack.plane, 0.0),
        frames=tuple((f"{number}/{place}", 1) for place in range(11)),
        planes=tuple(planes), sources=tuple(sources), step_mm=1.0, rows=_MATRIX, columns=_MATRIX,
        row_spacing_mm=spacing, column_spacing_mm=spacing, laterality=laterality, calibrated=True,
        spacing_source="PixelSpacing", root=Path(), **values,
    )  # fmt: skip


def placed(summary: SeriesSummary) -> tuple[float, float]:
    """Patient x of the middle of a stack, and how far it reaches along it."""
    middle = PixelPoints(np.array([[(summary.rows - 1) / 2, (summary.columns - 1) / 2]]))
    ends = [summary.planes[end].pixel_to_patient(middle)[0, 0] for end in (0, -1)]
    return float(sum(ends) / 2), width_mm(summary)


def made_study(seed: int) -> list[MadeStack]:
    """One study: a hip or both, each sagittal and on coronals of 140 to 450 mm.

    The midline lies up to 60 mm off the origin, heads 80 to 100 mm off the midline; stacks miss
    their head by up to 25 mm, pictures of both hips their midline by up to 40 mm. A third of the
    stacks is coded right, a sixth wrong, the rest not at all.
    """
    chance = np.random.default_rng(seed)
    midline = chance.uniform(-60, 60)
    half = chance.uniform(80, 100)
    heads = {Laterality.LEFT: midline + half, Laterality.RIGHT: midline - half}
    sides = list(heads) if chance.random() < 0.5 else [list(heads)[chance.integers(2)]]
    made: list[MadeStack] = []

    def add(stack: Stack, truth: Laterality | None) -> None:
        code = None
        if truth is not None:
            other = Laterality.LEFT if truth is Laterality.RIGHT else Laterality.RIGHT
            code = (truth, other, None)[int(np.searchsorted((0.35, 0.5), chance.random()))]
        x_mm = midline if truth is None else heads[truth]
        summary = summary_of(stack, len(made) + 1, code)
        made.append(MadeStack(summary, truth, (x_mm, 0.0, 0.0)))

    for side in sides:
        missed = chance.uniform(-25, 25)
        add(Stack("sagittal", heads[side] + missed, chance.uniform(40, 90)), side)
        if chance.random() < 0.5:
            wide = chance.uniform(140, 310)
            missed = chance.uniform(-30, 30) if wide >= 250 else chance.uniform(-25, 25)
            one_hip = Stack("coronal", heads[side] + missed, wide)
            add(one_hip, side if wide < 250 else None)
    if chance.random() < 0.5:
        wide = chance.uniform(310, 450)
        add(Stack("coronal", midline + chance.uniform(-40, 40), wide), None)
    return made
