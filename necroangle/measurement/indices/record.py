"""The derived indices of one reading, as one value."""

from dataclasses import dataclass
from typing import Literal

from necroangle.measurement.grades import KooKimSize
from necroangle.terms import ArcoStage, JicStage, JicType


@dataclass(frozen=True, slots=True)
class IndexRefusal:
    """An index whose marks are there but cannot give it.

    Attributes
    ----------
    index
        Name of the field of :class:`HipIndices`.
    problem
        What was found, on which view, and what to do.
    """

    index: str
    problem: str


@dataclass(frozen=True, slots=True)
class HipIndices:
    """The derived indices of one reading; None where its marks do not give one.

    Sources, and which of them are provisional, stand in
    :data:`necroangle.measurement.indices.INDEX_SOURCES` under the same names.

    Attributes
    ----------
    koo_kim_index, koo_kim_size
        Extent from both angles, no unit, may pass 100; and its size (provisional). MR only.
    jic_w, jic_type, jic_medial_of_wb
        Lateral reach in the weight-bearing portion, no unit; its type; and whether the lesion
        ends medial of that portion. Provisional. Coronal or AP, with teardrop and edge.
    lcea_deg
        Lateral acetabular edge from superior, positive laterally. MR only.
    arco2021_type
        1, 2 or 3. MR only.
    lateral_spared_deg
        Lateral arc that is spared, from the neck's axis on the A view. Provisional.
    anterior_necrotic_deg
        Neck's midline to anterior boundary, from the neck's axis on the sagittal view. MR only.
    collapse_depth_mm, collapse_arco, collapse_jic
        Depth below the head circle, the deeper of the views with true mm; its two readings.
    refused
        What was marked for an index and could not give it, with the reason.
    """

    koo_kim_index: float | None = None
    koo_kim_size: KooKimSize | None = None
    jic_w: float | None = None
    jic_type: JicType | None = None
    jic_medial_of_wb: bool | None = None
    lcea_deg: float | None = None
    arco2021_type: Literal[1, 2, 3] | None = None
    lateral_spared_deg: float | None = None
    anterior_necrotic_deg: float | None = None
    collapse_depth_mm: float | None = None
    collapse_arco: ArcoStage | None = None
    collapse_jic: JicStage | None = None
    refused: tuple[IndexRefusal, ...] = ()
