"""The scale of a radiograph from a marker that the reader clicked: what a reading may say of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hipmaker import make_reading
from PIL import Image

from necroangle.annotation import (
    HipReading,
    ImageRecord,
    PlaneRecord,
    ReadView,
    StackPassport,
    decode_reading,
    encode_reading,
)
from necroangle.annotation.provenance import MarkerRecord
from necroangle.batch import Plan, measure_chunk
from necroangle.dicom import passport_of, scan_folder
from necroangle.dicom.films import scaled_by_marker
from necroangle.errors import ReadingError
from necroangle.geometry import Marker
from necroangle.measurement import DEFAULTS, METHODS, measure
from necroangle.review.audit import audit_reading
from necroangle.review.pictures import index_images
from necroangle.terms import Flag, View

ENDS = ((10.0, 20.0), (40.0, 60.0))
"""50 pixels apart on square pixels."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    Image.fromarray(np.arange(240 * 200, dtype="u2").reshape(240, 200)).save(folder / "a.png")
    return folder


@pytest.fixture(scope="module")
def passport(film: Path) -> StackPassport:
    (series,) = scan_folder(film).series
    return StackPassport.of(passport_of(scaled_by_marker(series, Marker(ENDS, 25.0))).to_dict())


def marked(passport: StackPassport, **changes: Any) -> HipReading:
    """A reading of radiographs with pixels of 0.5 mm, the first with this passport."""
    reading = make_reading(b_view=View.FROG_LEG, spacing_mm=(0.5, 0.5))
    first, second = reading.views
    assert isinstance(first, ReadView)
    plane = msgspec.structs.replace(first.plane, **{"calibrated": True} | changes)
    view = msgspec.structs.replace(first, passport=passport, plane=plane)
    return msgspec.structs.replace(reading, views=(view, second))


def test_a_scale_from_a_marker_is_kept_and_flagged(passport: StackPassport) -> None:
    reading = marked(passport)
    again = decode_reading(encode_reading(reading))
    assert again == reading
    found = measure(again)
    assert found.a is not None
    assert Flag.SCALE_FROM_MARKER in found.a.flags
    assert Flag.UNCALIBRATED not in found.a.flags
    assert found.b is not None
    assert Flag.SCALE_FROM_MARKER not in found.b.flags


@pytest.mark.parametrize(
    ("marker", "plane", "problem"),
    [
        (MarkerRecord(ENDS, 30.0), {}, "the marker is 30 mm, on its plane 25 mm"),
        (MarkerRecord(ENDS, 25.1), {}, "was the spacing edited"),
        (MarkerRecord(((10.0, 20.0), (40.0, 9999.0)), 25.0), {}, "outside of the picture"),
        (MarkerRecord(((10.0, 20.0), (10.0, 21.0)), 0.5), {}, "1 to 500 mm"),
        (MarkerRecord(((10.0, 20.0), (10.0, 25.0)), 2.5), {}, "10 pixels or more"),
        (MarkerRecord(ENDS, 25.0), {"calibrated": False}, "a calibrated radiograph"),
    ],
)
def test_a_marker_that_contradicts_its_plane_is_refused_on_every_road(
    passport: StackPassport, marker: MarkerRecord, plane: dict[str, Any], problem: str
) -> None:
    raw = msgspec.json.encode(marked(msgspec.structs.replace(passport, marker=marker), **plane))
    with pytest.raises(ReadingError, match=problem) as told:
        decode_reading(raw)
    assert told.value.place == "$.views[0].passport.marker"
    (refusal,) = measure_chunk(
        [("a", raw)], Plan((METHODS["kerboul_radiograph"],), DEFAULTS)
    ).refusals
    assert problem in refusal.problem


def test_a_slice_of_a_patient_has_no_marker(passport: StackPassport) -> None:
    reading = make_reading()
    first, second = reading.views
    view = msgspec.structs.replace(first, passport=passport)
    with pytest.raises(ReadingError, match="a calibrated radiograph, and this is none"):
        encode_reading(msgspec.structs.replace(reading, views=(view, second)))


def test_the_audit_gives_the_picture_on_disk_the_same_scale(
    film: Path, passport: StackPassport
) -> None:
    (series,) = scan_folder(film).series
    scaled = scaled_by_marker(series, Marker(ENDS, 25.0))
    plane = PlaneRecord.of(scaled.planes[0], (240, 200), frame="detector", calibrated=True)
    reading = marked(passport)
    first, second = reading.views
    on_film = msgspec.structs.replace(
        first, image=ImageRecord.of(series.sources[0]), plane=plane, rim=(), arcs=()
    )
    beside = msgspec.structs.replace(reading, views=(on_film, second))
    found, _ = audit_reading(beside, index_images([film]))
    assert (found.status, found.differences) == ("same", ())
    edited = replace(scaled.planes[0], column_spacing_mm=0.6)
    other = PlaneRecord.of(edited, (240, 200), frame="detector", calibrated=True)
    changed = msgspec.structs.replace(on_film, plane=other)
    found, _ = audit_reading(
        msgspec.structs.replace(reading, views=(changed, second)), index_images([film])
    )
    assert [one.what for one in found.differences] == ["column_spacing_mm"]
