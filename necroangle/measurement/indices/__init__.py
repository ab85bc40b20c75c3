"""Derived indices: what follows from head circle, necrotic arcs and a few landmarks."""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.measurement.grades import KooKimSize
    from necroangle.measurement.indices.anterior import ANTERIOR_COLLAPSE_DEG, anterior_necrotic_deg
    from necroangle.measurement.indices.collapse import (
        collapse_arco,
        collapse_depth_mm,
        collapse_jic,
    )
    from necroangle.measurement.indices.extent import koo_kim_index, koo_kim_size
    from necroangle.measurement.indices.head import ViewGeometry
    from necroangle.measurement.indices.hip import hip_indices
    from necroangle.measurement.indices.jic import JicExtent, jic_extent, jic_type, jic_w
    from necroangle.measurement.indices.lateral import (
        LATERAL_SPARED_DEG,
        arco2021_type,
        lateral_spared_deg,
        lcea_deg,
    )
    from necroangle.measurement.indices.record import HipIndices, IndexRefusal
    from necroangle.measurement.indices.sources import INDEX_SOURCES, IndexSource
    from necroangle.terms import JicStage

__all__ = [
    "ANTERIOR_COLLAPSE_DEG",
    "INDEX_SOURCES",
    "LATERAL_SPARED_DEG",
    "HipIndices",
    "IndexRefusal",
    "IndexSource",
    "JicExtent",
    "JicStage",
    "KooKimSize",
    "ViewGeometry",
    "anterior_necrotic_deg",
    "arco2021_type",
    "collapse_arco",
    "collapse_depth_mm",
    "collapse_jic",
    "hip_indices",
    "jic_extent",
    "jic_type",
    "jic_w",
    "koo_kim_index",
    "koo_kim_size",
    "lateral_spared_deg",
    "lcea_deg",
]

__getattr__ = later(
    __name__,
    {
        ".anterior": "ANTERIOR_COLLAPSE_DEG anterior_necrotic_deg",
        ".collapse": "collapse_arco collapse_depth_mm collapse_jic",
        ".extent": "koo_kim_index koo_kim_size",
        "necroangle.measurement.grades": "KooKimSize",
        "necroangle.terms": "JicStage",
        ".head": "ViewGeometry",
        ".hip": "hip_indices",
        ".jic": "JicExtent jic_extent jic_type jic_w",
        ".lateral": "LATERAL_SPARED_DEG arco2021_type lateral_spared_deg lcea_deg",
        ".record": "HipIndices IndexRefusal",
        ".sources": "INDEX_SOURCES IndexSource",
    },
)
