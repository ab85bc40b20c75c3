"""How a reading came to be: the stack that was shown, the reader study, the version it follows."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from necroangle.annotation.words import Identifier, Sha256, Text
from necroangle.decoding import converted
from necroangle.terms import Flag, Laterality, Weighting

Line = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=0)]
Millimetres = Annotated[float, Meta(ge=-1e6, le=1e6)]
Degrees = Annotated[float, Meta(ge=-360.0, le=360.0)]


_AS_THEY_ARE = (
    *("kind", "modality", "split_by", "slices", "plane", "obliquity_deg", "patient_position"),
    *("is_secondary", "burned_in", "charset_known", "executable_preamble", "decoder"),
)

_OF_STEPS = (
    *("order_source", "step_mm", "deviation_mm", "gaps", "missing", "duplicates"),
    *("shear_deg", "shift_mm"),
)


class MarkerRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Two points (row, column) of a radiograph in pixels, and how far they lie apart, mm."""

    ends: tuple[tuple[float, float], tuple[float, float]]
    size_mm: Annotated[float, Meta(gt=0.0, le=500.0)]


class OfferedSeries(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A series that could have been read for a view; no identifier is in it.

    Attributes
    ----------
    number, stack_no
        ``SeriesNumber``, or None; which stack of its series, from 1.
    slices
        How many slices it has.
    weighting, fat_suppressed, has_medium, role, part
        As in ``necroangle.dicom.contrast.Contrast``.
    """

    number: Annotated[int, Meta(ge=0, le=99_999)] | None
    stack_no: Annotated[int, Meta(ge=1)]
    slices: Annotated[int, Meta(ge=1)]
    weighting: Weighting
    fat_suppressed: bool
    has_medium: bool
    role: Line
    part: Line


class SeriesChoice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was offered for a view, the likeliest first, and what was chosen.

    Attributes
    ----------
    chosen
        Place of the series that was marked in ``offered``, from 1.
    offered
        At most 64.
    """

    chosen: Annotated[int, Meta(ge=1, le=64)]
    offered: Annotated[tuple[OfferedSeries, ...], Meta(min_length=1, max_length=64)]

    def __post_init__(self) -> None:
        """Refuse a choice that was not offered; the decoder says where."""
        if self.chosen > len(self.offered):
            raise ValueError(f"series {self.chosen} of {len(self.offered)} that were offered")


STACK_FLAGS = {
    Flag.IRREGULAR_STACK: "irregular",
    Flag.SCALE_FROM_MARKER: "marker",
    Flag.SEVERAL_PATIENTS: "patient_no",
}
"""The doubts about a stack, each with the attribute that is there where it is raised."""


class StackPassport(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the loader knew of the stack that was marked: the geometry passport, flat.

    It holds no name, date, description, identifier or file name. The attributes are those of
    ``necroangle.dicom.GeometryPassport``; ``refused`` counts what else of the series could not be
    opened. ``irregular`` says in words why the stack is no regular volume, and is absent where it
    is one; ``marker`` is there where a marker in a radiograph tells its scale; ``patient_no`` where
    the study held images of several patients: which of them this one was. ``choice`` is absent
    where it was not asked what else could be read.
    """

    kind: Line
    modality: Line
    split_by: Line
    slices: Annotated[int, Meta(ge=1)]
    plane: Line | None
    obliquity_deg: Degrees | None
    order_source: Line
    step_mm: Millimetres | None
    deviation_mm: Millimetres | None
    gaps: Count
    missing: Count
    duplicates: Count
    shear_deg: Degrees
    shift_mm: Millimetres
    spacing_source: Line
    magnification: Annotated[float, Meta(ge=0.0, le=1e6)] | None
    coded_side: Laterality | None
    found_side: Laterality | None
    side_rule: Line
    contrast: Line
    fat_suppressed: bool
    contrast_rule: Line
    patient_position: Line | None
    is_secondary: bool
    burned_in: Line
    charset_known: bool
    executable_preamble: bool
    decoder: Line
    refused: Count
    irregular: Annotated[Line, Meta(min_length=1)] | UnsetType = UNSET
    marker: MarkerRecord | UnsetType = UNSET
    patient_no: Annotated[int, Meta(ge=1, le=99_999)] | UnsetType = UNSET
    choice: SeriesChoice | UnsetType = UNSET

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The doubts about the stack."""
        return tuple(flag for flag, name in STACK_FLAGS.items() if getattr(self, name) is not UNSET)

    @classmethod
    def of(
        cls, passport: Mapping[str, Any], offer: Mapping[str, Any] | None = None
    ) -> "StackPassport":
        """The record of a stack, for a reading that is made on it.

        Parameters
        ----------
        passport
            Of ``GeometryPassport.to_dict()``.
        offer
            Of ``necroangle.dicom.visits.offer_of``.
        """
        steps, scale = passport["steps"], passport["scale"]
        side, contrast = passport["side"], passport["contrast"]
        return cls(
            **{name: passport[name] for name in _AS_THEY_ARE},
            **{name: steps[name] for name in _OF_STEPS},
            irregular=steps["irregular"] or UNSET,
            marker=MarkerRecord(**scale["marker"]) if scale.get("marker") else UNSET,
            patient_no=passport["patient_no"] or UNSET,
            spacing_source=scale["source"],
            magnification=scale["magnification"],
            coded_side=side["coded"],
            found_side=side["found"],
            side_rule=side["rule"],
            contrast=contrast["family"],
            fat_suppressed=contrast["fat_suppressed"],
            contrast_rule=contrast["rule"],
            refused=len(passport["refused"]),
            choice=UNSET if offer is None else converted(dict(offer), SeriesChoice),
        )


class Conduct(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the reading was conducted.

    Attributes
    ----------
    worklist
        The reader study's list, or None for a reading outside of one.
    read_order
        Place in the reader's list, from 1.
    blinded
        Whether subject, visit and earlier readings were hidden.
    duration_s
        Active reading time, or None where it was not taken.
    submitted
        Whether the reading is final: it is then locked, and reopening it needs a reason.
    """

    worklist: Identifier | None
    read_order: Annotated[int, Meta(ge=1)] | None
    blinded: bool
    duration_s: Annotated[float, Meta(ge=0.0, le=1e6)] | None
    submitted: bool


class Revision(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which version of a reading this is.

    Attributes
    ----------
    number
        From 1; one more each time that a submitted reading is reopened.
    previous_sha256
        SHA-256 of the file of the version before; None for the first.
    reason
        Why it was reopened; empty for the first.
    """

    number: Annotated[int, Meta(ge=1, le=9999)]
    previous_sha256: Sha256 | None
    reason: Text


FREE_READING = Conduct(
    worklist=None, read_order=None, blinded=False, duration_s=None, submitted=False
)
"""The conduct of a reading outside of a reader study."""

FIRST_REVISION = Revision(number=1, previous_sha256=None, reason="")
"""A reading that follows no other."""
