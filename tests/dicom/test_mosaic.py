"""Mosaics: unfolded as an independent reader does, or refused."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian
from seriesmaker import header_of

from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom.mosaic import csa_fields, mosaic_of, tile
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane, PixelPoints

FOLDERS = ("mr_mosaic_siemens_coronal", "mr_mosaic_siemens_sagittal")
PICTURE = ImagePlane.from_dicom((-60, -50, 40), (1, 0, 0, 0, 0, -1), (2.0, 3.0))  # normal: +y


def csa(**fields: list[str]) -> bytes:
    header = b"SV10\x04\x03\x02\x01" + struct.pack("<2I", len(fields), 77)
    for name, values in fields.items():
        header += struct.pack("<64si4siii", name.encode(), 1, b"IS", 0, len(values), 77)
        for value in values:
            raw = value.encode() + b"\0"
            header += struct.pack("<4i", 0, len(raw), 77, 0) + raw + b"\0" * (-len(raw) % 4)
    return header


def header(
    count: str = "4",
    normal: tuple[str, ...] = ("0", "1", "0"),
    plain: int | None = 4,
    step_mm: float | None = 3.0,
    protocol: bytes = b"",
) -> Dataset:
    dataset = Dataset()
    if step_mm is not None:
        dataset.SpacingBetweenSlices = step_mm
    if plain is not None:
        dataset.add_new((0x0019, 0x0010), "LO", "SIEMENS MR HEADER")
        dataset.add_new((0x0019, 0x100A), "US", plain)
    dataset.add_new((0x0029, 0x0010), "LO", "SIEMENS CSA HEADER")
    fields = csa(NumberOfImagesInMosaic=[count], SliceNormalVector=list(normal))
    dataset.add_new((0x0029, 0x1010), "OB", fields)
    dataset.add_new((0x0029, 0x1020), "OB", protocol)
    return dataset


def protocol_of(*centres: tuple[float, float, float]) -> bytes:
    lines = [
        f"sSliceArray.asSlice[{n}].sPosition.d{axis} = {value}\n"
        for n, centre in enumerate(centres)
        for axis, value in zip(("Sag", "Cor", "Tra"), centre, strict=True)
    ]
    return "".join(lines).encode()


def test_slices_start_where_the_first_tile_is() -> None:
    mosaic = mosaic_of(header(), PICTURE, 20, 12)
    assert (mosaic.per_side, mosaic.rows, mosaic.columns, mosaic.checked) == (2, 10, 6, False)
    # half of the 10 rows and 6 columns that the picture is larger, 2 and 3 mm each
    assert [plane.origin_mm for plane in mosaic.planes] == [
        (-51.0, -50.0 + 3 * number, 30.0) for number in range(4)
    ]


def test_slices_may_follow_against_the_normal() -> None:
    mosaic = mosaic_of(header(normal=("0", "-1", "0")), PICTURE, 20, 12)
    assert [plane.origin_mm[1] for plane in mosaic.planes] == [-50.0, -53.0, -56.0, -59.0]


def test_the_protocol_confirms_each_slice() -> None:
    centres = [(-51.0 + 9, -50.0 + 3 * n, 30.0 - 10) for n in range(4)]
    mosaic = mosaic_of(header(protocol=protocol_of(*centres)), PICTURE, 20, 12)
    assert mosaic.checked


REFUSED = {
    "no number": (header(count="", plain=None), "no number of slices"),
    "two numbers": (header(plain=9), "number of slices [4, 9]"),
    "no slices": (header(count="0", plain=0), "number of slices [0]"),
    "a word": (header(count="many", plain=None), "number of slices [0]"),
    "other tiles": (header(count="30", plain=30), "do not hold 6 x 6 tiles"),
    "no distance": (header(step_mm=None), "no distance between slices"),
    "no direction": (header(normal=()), "no direction of the slices"),
    "no numbers": (header(normal=("a", "b", "c")), "no direction of the slices"),
    "askew": (header(normal=("0", "0.99", "0.14")), "do not follow each other along the normal"),
    "elsewhere": (
        header(protocol=protocol_of(*[(-42.0, -50.0 + 4 * n, 20.0) for n in range(4)])),
        "the protocol in the file puts a slice 3.00 mm elsewhere",
    ),
    "more in the protocol": (
        header(protocol=protocol_of(*[(-42.0, -50.0 + 3 * n, 20.0) for n in range(5)])),
        "more slices than the mosaic",
    ),
}


@pytest.mark.parametrize(("dataset", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_does_not_agree_is_refused(dataset: Dataset, reason: str) -> None:
    with pytest.raises(DicomError) as caught:
        mosaic_of(dataset, PICTURE, 20, 12)
    assert reason in caught.value.problem
    assert caught.value.tag == "ImageType"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_broken_private_headers_never_escape(noise: bytes, place: int) -> None:
    whole = csa(NumberOfImagesInMosaic=["4"], SliceNormalVector=["0", "1", "0"])
    spoilt = whole[:place] + noise + whole[place + len(noise) :]
    assert isinstance(csa_fields(spoilt), dict)
    dataset = header()
    dataset[0x0029, 0x1010].value = spoilt
    try:
        assert len(mosaic_of(dataset, PICTURE, 20, 12).planes) == 4
    except DicomError as error:
        assert error.tag == "ImageType"  # noqa: PT017


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
def test_tiles_put_back_make_the_picture(per_side: int, rows: int, columns: int) -> None:
    picture = np.arange(per_side**2 * rows * columns).reshape(per_side * rows, per_side * columns)
    tiles = [tile(picture, number, rows, columns) for number in range(1, per_side**2 + 1)]
    bands = [np.hstack(tiles[start : start + per_side]) for start in range(0, len(tiles), per_side)]
    np.testing.assert_array_equal(np.vstack(bands), picture)


@pytest.mark.real_dicom
@pytest.mark.parametrize("name", FOLDERS)
def test_as_nibabel_unfolds_it(real_dicom_folder: Path, name: str) -> None:
    wrappers = pytest.importorskip("nibabel.nicom.dicomwrappers")
    (series,) = scan_folder(real_dicom_folder / name).series
    (path,) = (real_dicom_folder / name).iterdir()
    oracle = wrappers.wrapper_from_file(str(path))
    affine, pixels = oracle.affine, oracle.get_unscaled_data()  # (row, column, slice)
    volume = read_volume(series)
    assert len(series) == 35
    for place, (_, number) in enumerate(series.frames):
        np.testing.assert_array_equal(volume.pixels[place], pixels[..., number - 1])
        for row, column in ((0, 0), (63, 0), (10, 50)):
            at = PixelPoints(np.array([[float(row), float(column)]]))
            found = series.planes[place].pixel_to_patient(at)[0]
            truth = (affine @ [row, column, number - 1, 1])[:3]
            np.testing.assert_allclose(found, truth, atol=2e-5)


@pytest.mark.real_dicom
@pytest.mark.parametrize("name", FOLDERS)
def test_the_real_protocols_confirm(real_dicom_folder: Path, name: str) -> None:
    (path,) = (real_dicom_folder / name).iterdir()
    dataset: Any = dcmread(path)
    picture = ImagePlane.from_dicom(
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing
    )
    assert mosaic_of(dataset, picture, dataset.Rows, dataset.Columns).checked


@pytest.mark.real_dicom
def test_a_mosaic_without_its_private_header_is_refused(
    real_dicom_folder: Path, tmp_path: Path
) -> None:
    (path,) = (real_dicom_folder / FOLDERS[0]).iterdir()
    dataset = dcmread(path)
    dataset.remove_private_tags()
    dataset.save_as(tmp_path / "mosaic.dcm")
    scan = scan_folder(tmp_path)
    assert scan.series == ()
    assert "cannot be unfolded: no number of slices" in scan.refused[0].reason


def grid(folder: Path, count: int, **more: Any) -> None:
    """A picture of United Imaging: tiles of 2 x 3 pixels, each slice with a position of its own."""
    across = int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    dataset = header_of(
        ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"], Rows=2 * down, Columns=3 * across,
        BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=0,
    )  # fmt: skip
    del dataset.ImagePositionPatient
    tiles = np.zeros((down, 2, across, 3), "<u2")
    places = []
    for number in range(count):
        tiles[number // across, :, number % across] = 100 * number + np.arange(6).reshape(2, 3)
        place = Dataset()
        place.ImagePositionPatient = [0, 4.0 * number, 0]
        places.append(place)
    dataset.PixelData = tiles.reshape(2 * down, 3 * across).tobytes()
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x50, "DS", str(count))
    block.add_new(0x51, "SQ", DicomSequence(places))
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(folder / "grid.dcm", enforce_file_format=True)


@pytest.mark.parametrize("count", [3, 4, 5, 20])
def test_a_grid_unfolds_into_slices_where_they_are_stated(tmp_path: Path, count: int) -> None:
    grid(tmp_path, count)
    (series,) = scan_folder(tmp_path).series
    volume = read_volume(series)
    assert (len(series), series.rows, series.columns, series.step_mm) == (count, 2, 3, 4.0)
    for place, plane in enumerate(volume.planes):
        number = int(plane.origin_mm[1] / 4)
        expected = 100 * number + np.arange(6).reshape(2, 3)
        np.testing.assert_array_equal(volume.pixels[place], expected)


@pytest.mark.parametrize(
    ("more", "reason"), [({"Rows": 7}, "do not hold 2 x 2"), ({"Columns": 7}, "do not hold 2 x 2")]
)
def test_a_grid_that_does_not_hold_its_slices_is_refused(
    tmp_path: Path, more: dict[str, Any], reason: str
) -> None:
    grid(tmp_path, 4, **more, PixelData=bytes(400))
    (refusal,) = scan_folder(tmp_path).refused
    assert reason in refusal.reason


def test_a_grid_without_its_positions_is_refused(tmp_path: Path) -> None:
    grid(tmp_path, 4)
    dataset = dcmread(tmp_path / "grid.dcm")
    dataset.remove_private_tags()
    dataset.save_as(tmp_path / "grid.dcm")
    (refusal,) = scan_folder(tmp_path).refused
    assert "no position of each slice" in refusal.reason
