"""Hypothesis strategies: planes of any tilt and valid readings of any content."""

import re
from dataclasses import replace

import msgspec
import numpy as np
from hipmaker import SHAPE, head_centre_mm, make_image, make_plane, make_reading
from hypothesis import strategies as st
from msgspec import UNSET

from necroangle.annotation import (
    Conduct,
    HipReading,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReaderEntries,
    ReadView,
    Revision,
    StackPassport,
    UnreadView,
    reading_schema,
)
from necroangle.annotation.provenance import MarkerRecord, OfferedSeries, SeriesChoice
from necroangle.entries import READ_FIELDS, Entered, Field
from necroangle.geometry import ImagePlane
from necroangle.terms import (
    Finding,
    LandmarkName,
    Laterality,
    Observation,
    UnreadReason,
    View,
    Weighting,
)

__all__ = [
    "hip_angles_deg",
    "identifiers",
    "passports",
    "planes",
    "readings",
    "spacings_mm",
    "turns_deg",
]

hip_angles_deg = st.none() | st.just(0.0) | st.floats(5.0, 350.0)
"""A true angle, 0 for no necrosis, None for not read."""

spacings_mm = st.tuples(st.floats(0.2, 1.5), st.floats(0.2, 1.5))
turns_deg = st.tuples(*[st.floats(-30.0, 30.0)] * 3)

_LENGTHS_MM = st.floats(-100.0, 100.0)
_LINES = st.text(max_size=40)
_COUNTS = st.integers(0, 100)
_SIDES = st.none() | st.sampled_from(Laterality)

_CHOICES = st.lists(
    st.builds(
        OfferedSeries,
        number=st.none() | st.integers(0, 99_999),
        stack_no=st.integers(1, 99),
        slices=st.integers(1, 500),
        weighting=st.sampled_from(Weighting),
        fat_suppressed=st.booleans(),
        has_medium=st.booleans(),
        role=_LINES,
        part=_LINES,
    ),
    min_size=1,
    max_size=3,
).map(lambda offered: SeriesChoice(chosen=len(offered), offered=tuple(offered)))

passports = st.builds(
    StackPassport,
    **dict.fromkeys(("kind", "modality", "split_by", "order_source"), _LINES),
    **dict.fromkeys(("spacing_source", "side_rule", "contrast", "contrast_rule"), _LINES),
    **dict.fromkeys(("burned_in", "decoder"), _LINES),
    **dict.fromkeys(("plane", "patient_position"), st.none() | _LINES),
    **dict.fromkeys(("obliquity_deg", "step_mm", "deviation_mm"), st.none() | _LENGTHS_MM),
    **dict.fromkeys(("shear_deg", "shift_mm"), _LENGTHS_MM),
    **dict.fromkeys(("gaps", "missing", "duplicates", "refused"), _COUNTS),
    **dict.fromkeys(("coded_side", "found_side"), _SIDES),
    **dict.fromkeys(("fat_suppressed", "is_secondary", "charset_known"), st.booleans()),
    executable_preamble=st.booleans(),
    choice=st.just(UNSET) | _CHOICES,
    slices=st.integers(1, 500),
    magnification=st.none() | st.floats(0.5, 3.0),
    irregular=st.just(UNSET) | st.text(min_size=1, max_size=40),
    patient_no=st.just(UNSET) | st.integers(1, 9),
)
"""What the loader may say of a stack, but for the scale: that belongs to a plane."""


@st.composite
def _scaled(draw: st.DrawFn, plane: PlaneRecord) -> StackPassport:
    """A passport; of a calibrated radiograph perhaps with the marker that told its scale."""
    passport = draw(passports)
    if plane.frame == "patient" or not plane.calibrated or draw(st.booleans()):
        return passport
    across = draw(st.floats(10, plane.columns - 1)), draw(st.floats(0, plane.rows - 1))
    ends = ((0.0, 0.0), (across[1], across[0]))
    size_mm = float(np.hypot(across[1] * plane.row_spacing_mm, across[0] * plane.column_spacing_mm))
    if not 1 <= size_mm <= 500:
        return passport
    return msgspec.structs.replace(passport, marker=MarkerRecord(ends, size_mm))


_PATTERN = reading_schema()["$defs"]["HipReading"]["properties"]["subject"]["pattern"]

identifiers = st.text(
    st.characters(categories=("L", "N"), include_characters="_.-"), min_size=1, max_size=64
).filter(re.compile(_PATTERN).search)
"""What a subject, visit or reader may be called, in any script."""

_sha256s = st.text("0123456789abcdef", min_size=64, max_size=64)
_conducts = st.builds(
    Conduct,
    worklist=st.none() | identifiers,
    read_order=st.none() | st.integers(1, 500),
    blinded=st.booleans(),
    duration_s=st.none() | st.floats(0.0, 1e4),
    submitted=st.booleans(),
)
_revisions = st.builds(
    Revision,
    number=st.integers(1, 9),
    previous_sha256=st.none() | _sha256s,
    reason=st.text(max_size=40),
)


@st.composite
def planes(draw: st.DrawFn, view: View) -> ImagePlane:
    """A plane of a view, tilted by up to 30 degrees about each axis."""
    return make_plane(
        view,
        through_mm=head_centre_mm(draw(st.sampled_from(Laterality))),
        turn_deg=(0.0, 0.0, 0.0) if view.is_radiograph else draw(turns_deg),
        spacing_mm=draw(spacings_mm),
        offset_mm=0.0 if view.is_radiograph else draw(st.floats(-10, 10)),
    )


def _marks(plane: ImagePlane) -> st.SearchStrategy[Mark]:
    """Marks anywhere on the image of a plane."""
    rows, columns = (st.floats(-0.5, size - 0.5) for size in SHAPE)
    return st.builds(lambda row, column: Mark.at_pixel(plane, row, column), rows, columns)


@st.composite
def _views(draw: st.DrawFn, view: View, number: int) -> ReadView | UnreadView:
    if draw(st.integers(0, 3)) == 0:
        return UnreadView(view, draw(st.sampled_from(UnreadReason)))
    plane, flat = draw(planes(view)), view.is_radiograph
    finding = draw(st.sampled_from(Finding))
    necrotic = finding is Finding.NECROSIS
    marks = _marks(plane)
    rim = st.lists(marks, min_size=3, max_size=12)
    arcs = st.lists(st.builds(NecroticArc, marks, marks, marks), min_size=1, max_size=3)
    frame = draw(st.sampled_from((None, "1.2.826.0.1", "1.2.826.0.2")))
    record = PlaneRecord.of(
        plane, SHAPE, frame="detector" if flat else "patient", calibrated=draw(st.booleans())
    )
    return ReadView(
        view=view,
        finding=finding,
        image=make_image(number, frame_of_reference=frame),
        plane=record,
        passport=draw(st.none() | _scaled(record)),
        rim=tuple(draw(rim if necrotic else rim | st.just([]))),
        arcs=tuple(draw(arcs)) if necrotic else (),
        observations=tuple(draw(st.lists(st.sampled_from(Observation), unique=True))),
        neighbours=tuple(
            _neighbour(draw, plane, 10 * number + step, frame)
            for step in draw(st.lists(st.integers(1, 4), unique=True, max_size=0 if flat else 2))
        ),
        landmarks=tuple(
            Landmark(name, draw(marks))
            for name in draw(st.lists(st.sampled_from(LandmarkName), unique=True, max_size=3))
        ),
        contour=tuple(draw(st.lists(marks, max_size=6))),
    )


def _neighbour(
    draw: st.DrawFn, plane: ImagePlane, number: int, frame: str | None
) -> NeighbourSlice:
    """A slice of the same series, 4 mm further for each step of its number."""
    x, y, z = (np.array(plane.origin_mm) + 4.0 * (number % 10) * plane.normal).tolist()
    there = replace(plane, origin_mm=(x, y, z))
    marks = _marks(there)
    arc = st.builds(NecroticArc, marks, marks, marks)
    image = msgspec.structs.replace(
        make_image(number // 10, frame_of_reference=frame), instance_uid=f"1.2.3.{number}.9"
    )
    return NeighbourSlice(
        image=image,
        plane=PlaneRecord.of(there, SHAPE, frame="patient"),
        rim=tuple(draw(st.lists(marks, max_size=4))),
        arcs=tuple(draw(st.lists(arc, max_size=2))),
    )


def _values_of(field: Field) -> st.SearchStrategy[Entered]:
    if field.choices is not None:
        return st.sampled_from(tuple(field.choices))
    assert field.low is not None
    assert field.high is not None
    return st.floats(field.low, field.high)


_entered: st.SearchStrategy[dict[str, Entered]] = st.fixed_dictionaries(
    {}, optional={field.name: _values_of(field) for field in READ_FIELDS}
)
reader_entries = _entered.map(ReaderEntries.of)


@st.composite
def readings(draw: st.DrawFn) -> HipReading:
    """A reading that the file format takes: any content, not always one that can be measured."""
    radiograph = draw(st.booleans())
    b_view = draw(st.sampled_from((View.FROG_LEG, View.CROSS_TABLE)))
    first = draw(_views(View.AP if radiograph else View.CORONAL, 1))
    second = draw(_views(b_view if radiograph else View.SAGITTAL, 2))
    return msgspec.structs.replace(
        make_reading(views=(first, second)),
        subject=draw(identifiers),
        laterality=draw(st.sampled_from(Laterality)),
        visit=draw(identifiers),
        reader=draw(identifiers),
        read_no=draw(st.integers(1, 999)),
        entries=draw(reader_entries),
        notes=draw(st.text(max_size=200)),
        conduct=draw(_conducts),
        revision=draw(_revisions),
        consensus_of=tuple(draw(st.lists(_sha256s, max_size=2))),
    )
