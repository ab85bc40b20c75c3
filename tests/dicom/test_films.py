"""Films: digitised, captured, scanned as pictures; read without a scale, or by a marker."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from dicombytes import MR_IMAGE, encapsulated, mr_file
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from necroangle.annotation import StackPassport
from necroangle.annotation.provenance import MarkerRecord
from necroangle.dicom import passport_of, read_volume, scan_folder
from necroangle.dicom.films import scaled_by_marker
from necroangle.errors import DicomError, PlaneError
from necroangle.geometry import Marker

WriteSlices = Callable[..., list[Path]]

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
GREY = np.arange(20, dtype="u1").reshape(4, 5) * 9
IN_COLOUR: dict[str, Any] = {
    "PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "BitsAllocated": 8, "BitsStored": 8,
    "HighBit": 7, "PlanarConfiguration": 0,
}  # fmt: skip
NO_GEOMETRY: dict[str, Any] = dict.fromkeys(
    ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
)
SECRET = "KIM^MIN-SU"  # a name that a picture carries, and that must not leave it


def film(write_slices: WriteSlices, folder: Path, **attributes: Any) -> Any:
    write_slices(folder, [(0, 0, 0)], **{**NO_GEOMETRY, **attributes})
    scan = scan_folder(folder)
    assert scan.refused == ()
    (series,) = scan.series
    return series


@pytest.mark.parametrize(
    "attributes",
    [
        {"Modality": "RG", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1"},
        {"Modality": "OT", "SOPClassUID": CAPTURE, "ConversionType": "WSD"},
        {"Modality": "RG", "SOPClassUID": CAPTURE, "ConversionType": "DF"},
        {"Modality": None, "SOPClassUID": f"{CAPTURE}.3"},
    ],
    ids=["digitised", "captured", "captured film", "no modality"],
)
def test_a_film_opens_as_a_radiograph_without_scale(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any]
) -> None:
    series = film(write_slices, tmp_path, **attributes)
    assert (series.kind, series.plane, series.view) == ("radiograph", None, None)
    assert (series.calibrated, series.spacing_source) == (False, "none")
    assert (series.row_spacing_mm, series.column_spacing_mm) == (1.0, 1.0)
    assert read_volume(series).pixels[0, 3, 2] == 32
    is_capture = attributes["SOPClassUID"].startswith(CAPTURE)
    assert passport_of(series).is_secondary is is_capture


@pytest.mark.parametrize(
    "attributes", [{"Modality": "MR"}, {"Modality": "OT", "ConversionType": "SD"}]
)
def test_a_picture_of_a_screen_or_page_is_no_film(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any]
) -> None:
    series = film(write_slices, tmp_path, SOPClassUID=CAPTURE, **attributes)
    assert (series.kind, series.spacing_source) == ("secondary", "none")


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_that_are_grey_open(tmp_path: Path, write_slices: WriteSlices, planar: int) -> None:
    colours = np.repeat(GREY[..., None], 3, axis=2)
    stored = colours.transpose(2, 0, 1) if planar else colours
    series = film(
        write_slices, tmp_path, Modality="OT", SOPClassUID=CAPTURE,
        **{**IN_COLOUR, "PlanarConfiguration": planar, "PixelData": stored.tobytes()},
    )  # fmt: skip
    assert np.array_equal(read_volume(series).pixels[0], GREY)


def jpeg_film(pixels: np.ndarray[Any, Any], photometric: str) -> bytes:
    space = "RGB" if photometric == "RGB" else "YCBCR"
    coded = imagecodecs.jpeg8_encode(pixels, level=95, colorspace="RGB", outcolorspace=space)
    rows, columns = pixels.shape[:2]
    values = {
        **MR_IMAGE, **NO_GEOMETRY, **IN_COLOUR, "Modality": "OT", "SOPClassUID": CAPTURE,
        "PhotometricInterpretation": photometric, "Rows": rows, "Columns": columns,
        "PixelData": None,
    }  # fmt: skip
    frame = encapsulated(bytes(coded) + b"\0" * (len(coded) % 2))
    return mr_file(values, {0x7FE00010: frame}, "1.2.840.10008.1.2.4.50")


@pytest.mark.parametrize("photometric", ["YBR_FULL_422", "RGB"])
def test_a_compressed_film_in_colours(tmp_path: Path, photometric: str) -> None:
    grey = np.add.outer(np.arange(32), 3 * np.arange(48)).astype("u1")
    (tmp_path / "a").write_bytes(jpeg_film(np.repeat(grey[..., None], 3, axis=2), photometric))
    (series,) = scan_folder(tmp_path).series
    assert np.abs(read_volume(series).pixels[0].astype(int) - grey).max() <= 3
    bright = np.zeros((32, 48, 3), "u1")
    bright[:16, :, 0] = bright[16:, :, 2] = 200
    (tmp_path / "a").write_bytes(jpeg_film(bright, photometric))
    (refusal,) = scan_folder(tmp_path).refused
    assert (refusal.tag, refusal.stage) == ("PhotometricInterpretation", "header")


def save(folder: Path, name: str, pixels: np.ndarray[Any, Any], **options: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    Image.fromarray(pixels).save(path, **options)
    return path


DEEP = (GREY.astype("u2") * 200).astype("u2")
TINTED = np.stack([0.7 * GREY, 0.8 * GREY, 40 + 0.8 * GREY], axis=2).astype("u1")


@pytest.mark.parametrize(
    ("name", "pixels", "expected"),
    [
        ("a.png", GREY, GREY), ("a.PNG", DEEP, DEEP), ("a.tif", DEEP, DEEP),
        ("film", np.repeat(GREY[..., None], 3, axis=2), GREY), ("a.tiff", GREY, GREY),
    ],
)  # fmt: skip
def test_pictures_in_a_plain_folder_are_films(
    tmp_path: Path, name: str, pixels: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]
) -> None:
    save(tmp_path, name, pixels, format="PNG" if name == "film" else None)
    (tmp_path / "notes.txt").write_text("no picture")
    scan = scan_folder(tmp_path)
    (series,) = scan.series
    assert (series.kind, series.calibrated, series.spacing_source) == ("radiograph", False, "none")
    assert (series.rows, series.columns) == expected.shape
    assert np.array_equal(read_volume(series).pixels[0], expected)
    assert read_volume(series).decoder.startswith("pillow ")
    assert (scan.tally().opened, scan.tally().skipped, scan.tally().walked) == (1, 1, scan.walked)


def test_a_photographed_film_is_upright_and_its_tint_is_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path, "a.jpg", np.repeat(np.repeat(TINTED, 8, 0), 8, 1), quality=95, exif=exif)
    (series,) = scan_folder(tmp_path).series
    assert (series.rows, series.columns) == (40, 32)
    pixels = read_volume(series).pixels[0]
    assert pixels.shape == (40, 32)
    assert pixels[4, 28] < pixels[36, 4]


def test_pictures_of_one_folder_are_one_study_and_stay_themselves(tmp_path: Path) -> None:
    save(tmp_path / "a", "front.png", GREY)
    save(tmp_path / "a", "side.png", GREY[::-1].copy())
    save(tmp_path / "b", "front.png", GREY[:, ::-1].copy())
    before = scan_folder(tmp_path).series
    assert len({one.study_uid for one in before}) == 2
    (tmp_path / "a" / "front.png").rename(tmp_path / "a" / "renamed.png")
    after = scan_folder(tmp_path).series
    assert {one.sources for one in before} == {one.sources for one in after}


def test_nothing_that_a_picture_says_leaves_it(tmp_path: Path) -> None:
    said = PngInfo()
    said.add_text("Patient", SECRET)
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = SECRET
    save(tmp_path, "a.png", GREY, pnginfo=said, exif=exif)
    scan = scan_folder(tmp_path)
    (series,) = scan.series
    everything = repr((scan, passport_of(series).to_dict(), read_volume(series)))
    assert SECRET not in everything
    assert "KIM" not in everything


def test_pictures_beside_dicom_images_are_a_viewers(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    save(tmp_path / "viewer", "icon.png", GREY)
    bad_pictures()["pages"](tmp_path / "viewer" / "manual.tif")
    write_slices(tmp_path / "images", [(0, 0, 0), (0, 3, 0)])
    scan = scan_folder(tmp_path)
    assert [one.modality for one in scan.series] == ["MR"]
    assert (scan.refused, scan.skipped, scan.tally().walked) == ((), 2, scan.walked)


def bad_pictures() -> dict[str, Callable[[Path], object]]:
    def cut(path: Path) -> None:
        save(path.parent, path.name, np.random.default_rng(0).integers(0, 255, (64, 64), "u1"))
        path.write_bytes(path.read_bytes()[:-600])

    def pages(path: Path) -> None:
        page = Image.fromarray(GREY)
        page.save(path, format="TIFF", save_all=True, append_images=[page])

    def colour(path: Path) -> None:
        save(path.parent, path.name, np.random.default_rng(0).integers(0, 255, (64, 64, 3), "u1"))

    def bomb(path: Path) -> None:
        Image.new("1", (20_000, 20_000)).save(path, format="PNG")

    def broken(path: Path) -> None:
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))

    return {"cut": cut, "pages": pages, "colour": colour, "bomb": bomb, "broken": broken}


REASONS = {
    "cut": "cannot be read", "pages": "several pages", "colour": "in colour",
    "bomb": f"more than {64 * 1024**2} pixels", "broken": "cannot be read",
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_a_picture_that_is_no_film_is_refused_when_listed(tmp_path: Path, name: str) -> None:
    bad_pictures()[name](tmp_path / "bad.png")
    save(tmp_path, "good.png", GREY)
    scan = scan_folder(tmp_path)
    assert len(scan.series) == 1
    (refusal,) = scan.refused
    assert refusal.place == "bad.png"
    assert REASONS[name] in refusal.reason
    assert scan.tally().walked == scan.walked


def test_a_picture_that_was_changed_is_not_read(tmp_path: Path) -> None:
    save(tmp_path, "a.png", GREY)
    (series,) = scan_folder(tmp_path).series
    save(tmp_path, "a.png", GREY[::-1].copy())
    with pytest.raises(DicomError, match="changed since it was listed"):
        read_volume(series)


def test_a_marker_gives_true_millimetres(tmp_path: Path) -> None:
    """A ball of 25 mm whose picture is 50 pixels wide, on pixels that are twice as high as wide."""
    save(tmp_path, "a.png", np.tile(GREY, (20, 20)))
    (series,) = scan_folder(tmp_path).series
    tall = replace(series, planes=(replace(series.planes[0], row_spacing_mm=2.0),))
    across = scaled_by_marker(tall, Marker(((10, 10), (10, 60)), 25.0))
    down = scaled_by_marker(tall, Marker(((10, 10), (35, 10)), 25.0))
    for scaled in (across, down):
        assert (scaled.row_spacing_mm, scaled.column_spacing_mm) == pytest.approx((1.0, 0.5))
        assert (scaled.calibrated, scaled.spacing_source) == (True, "marker of 25 mm")
        assert scaled.planes[0].row_spacing_mm == scaled.row_spacing_mm
    passport = passport_of(across)
    assert passport.scale.row_spacing_mm == pytest.approx(1.0)
    record = StackPassport.of(passport.to_dict())
    assert record.spacing_source == "marker of 25 mm"
    assert isinstance(record.marker, MarkerRecord)
    assert (record.marker.size_mm, record.marker.ends) == (25.0, ((10, 10), (10, 60)))


@pytest.mark.parametrize(
    ("ends", "size_mm", "reason"),
    [
        (((10, 10), (10, 15)), 25.0, "5.0 pixels"),
        (((10, 10), (10, 600)), 25.0, "outside"),
        (((10, 10), (10, float("nan"))), 25.0, "two ends"),
        (((10, 10), (10, 60)), 0.0, "1 to 500 mm"),
        (((10, 10), (10, 60)), float("nan"), "1 to 500 mm"),
    ],
)
def test_a_marker_that_tells_no_scale(
    tmp_path: Path, ends: Any, size_mm: float, reason: str
) -> None:
    save(tmp_path, "a.png", np.tile(GREY, (20, 20)))
    (series,) = scan_folder(tmp_path).series
    with pytest.raises(PlaneError, match=reason):
        scaled_by_marker(series, Marker(ends, size_mm))


def test_only_a_radiograph_is_scaled(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, [(0, 0, 0), (0, 3, 0)])
    (series,) = scan_folder(tmp_path).series
    with pytest.raises(DicomError, match="only a radiograph"):
        scaled_by_marker(series, Marker(((0, 0), (0, 20)), 25.0))


def test_a_tilted_ct_and_its_reformat_open_in_their_slices(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    axial, tilt = (1.0, 0, 0, 0, 1.0, 0), np.tan(np.radians(15))
    places = [(0, tilt * 3.0 * k, 3.0 * k) for k in range(6)]
    write_slices(tmp_path / "a", places, axial, Modality="CT")
    reformat = {
        "Modality": "CT", "SeriesInstanceUID": "1.2.3.5",
        "ImageType": ["DERIVED", "SECONDARY", "REFORMATTED"],
    }  # fmt: skip
    write_slices(tmp_path / "b", [(0, 2.0 * k, 0) for k in range(5)], **reformat)
    tilted, coronal = scan_folder(tmp_path).series
    assert tilted.regularity.flags == ("sheared",)
    assert "15.0°" in read_volume(tilted).irregular
    assert coronal.plane is not None
    assert (coronal.plane.name, coronal.regularity.flags) == ("coronal", ())
    for series in (tilted, coronal):
        assert read_volume(series).pixels[2, 3, 2] == 2032
