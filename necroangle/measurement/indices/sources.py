"""Where each index comes from, and which are provisional: for the codebook of the table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndexSource:
    """The source of one index.

    Attributes
    ----------
    source
        What it is and whose.
    doi_or_ref
        DOI, PMID or place of print; empty where none is at hand.
    provisional
        Whether a rule or a construction of it still waits for a source: it must be shown so.
    """

    source: str
    doi_or_ref: str
    provisional: bool


_KOO_KIM = "J Bone Joint Surg Br 77-B:875"
_JIC = "PMID 12355139"
_ARCO_2021 = "10.1186/s12891-023-06587-4"
_ARCO_2019 = "10.1016/j.arth.2019.11.029"

INDEX_SOURCES: dict[str, IndexSource] = {
    "koo_kim_index": IndexSource(
        "(A / 180)(B / 180) x 100 on MR, not clipped (Koo and Kim 1995)", _KOO_KIM, False
    ),
    "koo_kim_size": IndexSource(
        "small below 33, medium 33 to below 67, large from 67: bins that go with Koo and Kim 1995; "
        "no text that we have states them",
        _KOO_KIM,
        True,
    ),
    "jic_w": IndexSource(
        "lateral boundary on the line teardrop to acetabular edge, 0 at its bisector, 1 at the "
        "edge: construction not checked against a figure of the 2001 criteria",
        _JIC,
        True,
    ),
    "jic_type": IndexSource(
        "A to 1/3, B to 2/3, C1 beyond, C2 at the acetabular edge: wording of the 2001 criteria, "
        "construction as jic_w; C2 also from the ray to the edge on",
        _JIC,
        True,
    ),
    "jic_medial_of_wb": IndexSource(
        "the lesion ends medial of the weight-bearing portion: construction as jic_w", _JIC, True
    ),
    "lcea_deg": IndexSource(
        "lateral acetabular edge from superior (patient's z axis) at the head's centre, as the "
        "ARCO 2021 types need it",
        _ARCO_2021,
        False,
    ),
    "arco2021_type": IndexSource(
        "lateral boundary: 1 medial of apex, 2 to acetabular edge, 3 beyond (ARCO 2021, published "
        "for CT before collapse)",
        _ARCO_2021,
        False,
    ),
    "lateral_spared_deg": IndexSource(
        "arc spared between lateral boundary and the superolateral point of the head, 90 degrees "
        "from the neck's axis: Kerboul 1974 wants 20 degrees and does not say how to count them",
        "10.1302/0301-620X.56B2.291",
        True,
    ),
    "anterior_necrotic_deg": IndexSource(
        "neck's midline to anterior boundary on mid-oblique MR (Kubo et al. 2018, The effect of "
        "the anterior boundary of necrotic lesion on the occurrence of collapse)",
        "",
        False,
    ),
    "collapse_depth_mm": IndexSource(
        "head circle's radius less the deepest point's distance from its centre, the deeper of two "
        "views (depression as in ARCO 2019)",
        _ARCO_2019,
        False,
    ),
    "collapse_arco": IndexSource("3A up to 2 mm, 3B above (ARCO 2019)", _ARCO_2019, False),
    "collapse_jic": IndexSource(
        "3A below 3 mm, 3B from 3 mm (Japanese Orthopaedic Association guideline 2019)",
        "J Orthop Sci 2021(1):46-68",
        False,
    ),
}
"""By the name of the field in :class:`necroangle.measurement.indices.HipIndices`."""
