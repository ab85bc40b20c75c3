"""How fast headers are read, indexes renewed and volumes loaded: ``benchmarks/dicom_speed.py``.

Every figure is a ratio of CPU times taken in turns within one run, on the same files with a warm
cache, best of several. Needs the ``bench`` extra (dicomsdl, SimpleITK).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import dicomsdl
import numpy as np
import pydicom
import SimpleITK
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom.header import KEYWORDS
from necroangle.dicom.index import refresh_index
from necroangle.dicom.plain import short_value
from necroangle.dicom.records import FrameHeader
from necroangle.dicom.scanner import HeaderScanner, read_headers
from necroangle.dicom.store import DATABASE, IndexStore
from necroangle.errors import DicomError

SAMPLES = Path(__file__).resolve().parents[1] / "sample_dicoms"
SLICES_A_SERIES = 40
VOLUME = (500, 512, 512)
NAMES = [name for name in KEYWORDS if not name.endswith("Sequence")]
Work = Callable[[], object]


def template(side: int, tags: Mapping[str, object] | None = None) -> Dataset:
    """A slice as scanners write it: about 70 elements, some sequences, 16-bit pixels."""
    slice_ = Dataset()
    slice_.file_meta = FileMetaDataset()
    slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    slice_.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.9.1000.10000"
    values: dict[str, object] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "SOPInstanceUID": "1.2.826.0.1.3680043.9.1000.10000",
        "StudyInstanceUID": "1.2.826.0.1.3680043.1.1000",
        "SeriesInstanceUID": "1.2.826.0.1.3680043.2.1000",
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.3.1000",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
        "SpecificCharacterSet": "ISO_IR 100",
        "StudyDate": "20200101", "SeriesDate": "20200101", "ContentDate": "20200101",
        "StudyTime": "101010.5", "SeriesTime": "101010.5", "ContentTime": "101010.5",
        "AccessionNumber": "A1", "Manufacturer": "MAKER", "InstitutionName": "CLINIC",
        "StudyDescription": "HIP", "SeriesDescription": "COR T1", "Modality": "MR",
        "ManufacturerModelName": "MODEL", "PatientName": "NAME^NO", "PatientID": "P0000",
        "PatientBirthDate": "19700101", "PatientSex": "F", "PatientAge": "050Y",
        "PatientWeight": 70, "BodyPartExamined": "HIP", "ScanningSequence": "SE",
        "SequenceVariant": ["SK", "SP"], "ScanOptions": "PFP", "MRAcquisitionType": "2D",
        "SequenceName": "tse2d1", "SliceThickness": 4, "RepetitionTime": 550, "EchoTime": 11,
        "NumberOfAverages": 2, "ImagingFrequency": 63.6, "ImagedNucleus": "1H",
        "EchoNumbers": 1, "MagneticFieldStrength": 1.5, "SpacingBetweenSlices": 4.4,
        "EchoTrainLength": 3, "PixelBandwidth": 150, "DeviceSerialNumber": "1",
        "SoftwareVersions": "V", "ProtocolName": "COR T1", "TransmitCoilName": "BODY",
        "FlipAngle": 150, "SAR": 0.5, "PatientPosition": "HFS", "SeriesNumber": 3,
        "AcquisitionNumber": 1, "InstanceNumber": "00000",
        "ImageOrientationPatient": [1, 0, 0, 0, 0, -1], "SliceLocation": 0,
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "Rows": side, "Columns": side, "PixelSpacing": [0.7, 0.7], "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "WindowCenter": 500,
        "WindowWidth": 1000, "RequestedProcedureDescription": "HIP",
    }  # fmt: skip
    for keyword, value in {**values, **(tags or {})}.items():
        setattr(slice_, keyword, value)
    slice_.ImagePositionPatient = [-100, "-1111.00", 100]
    referenced = []
    for number in range(3):
        image = Dataset()
        image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        image.ReferencedSOPInstanceUID = f"1.2.826.0.1.3680043.8.{number}"
        referenced.append(image)
    slice_.ReferencedImageSequence = Sequence(referenced)
    chance = np.random.default_rng(1)
    slice_.PixelData = chance.integers(0, 1000, (side, side), np.uint16).tobytes()
    return slice_


def write_files(
    folder: Path,
    count: int,
    side: int,
    series_size: int,
    tags: Mapping[str, object] | None = None,
) -> list[Path]:
    """Slices made of one template by patching its bytes."""
    model = folder / "model"
    template(side, tags).save_as(model, enforce_file_format=True)
    body = model.read_bytes()
    model.unlink()
    paths = []
    for index in range(count):
        number, place = divmod(index, series_size)
        one = body.replace(b".9.1000.10000", b".9.%04d.%05d" % (1000 + number, 10_000 + place))
        for root in (b".1.1000", b".2.1000", b".3.1000"):
            one = one.replace(root, root[:3] + b"%04d" % (1000 + number))
        one = one.replace(b"P0000", b"P%04d" % number)
        one = one.replace(b"-1111.00", b"%08.2f" % (4.4 * place))
        path = folder / f"{number:04d}" / f"{place:05d}"
        if place == 0:
            path.parent.mkdir()
        path.write_bytes(one)
        paths.append(path)
    return paths


def best(works: dict[str, Work], turns: int) -> dict[str, float]:
    """Shortest time of each work, s, taken in turns."""
    times: dict[str, float] = dict.fromkeys(works, float("inf"))
    for _ in range(turns):
        for name, work in works.items():
            start = time.process_time()
            work()
            times[name] = min(times[name], time.process_time() - start)
    return times


def pydicom_header(path: Path) -> list[object]:
    """The same attributes with pydicom, values converted."""
    found = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(NAMES))
    return [found.get(name) for name in NAMES]


def dicomsdl_header(path: Path) -> list[object]:
    """The same attributes with dicomsdl."""
    found = dicomsdl.open(str(path))
    return [found[name] for name in NAMES]


def headers(folder: Path, count: int, turns: int) -> dict[str, float]:
    """Times to read the headers of all files."""
    paths = write_files(folder, count, 64, SLICES_A_SERIES)

    def ours() -> None:
        short_value.cache_clear()  # a folder is read once
        scanner = HeaderScanner()
        for path in paths:
            scanner.headers(path, path.name)

    def theirs(read: Callable[[Path], object]) -> Work:
        return lambda: [read(path) for path in paths]

    works = {"ours": ours, "pydicom": theirs(pydicom_header), "sdl": theirs(dicomsdl_header)}
    return best(works, turns)


def small_files(turns: int) -> dict[str, float]:
    """Times to read the headers of the sample studies: small files, compressed pixels."""
    paths = sorted(path for path in SAMPLES.rglob("*.dcm"))

    def ours() -> None:
        short_value.cache_clear()  # a folder is read once
        scanner = HeaderScanner()
        for path in paths:
            scanner.headers(path, path.name)

    return best(
        {"ours": ours, "pydicom": lambda: [pydicom_header(path) for path in paths]}, 3 * turns
    )


def disagreements(paths: list[Path]) -> int:
    """On how many files the fast reader says other than pydicom's road."""
    scanner = HeaderScanner()
    return sum(said(scanner.headers, path) != said(read_headers, path) for path in paths)


def said(read: Callable[[Path, str], tuple[FrameHeader, ...]], path: Path) -> object:
    """The records of a file, or the words of its refusal."""
    try:
        return read(path, path.name)
    except DicomError as error:
        return str(error)


def walk_and_stat(folder: str) -> int:
    """Look at every file's size and time, and nothing else."""
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                count += walk_and_stat(entry.path)
            else:
                count += entry.stat().st_mtime_ns > 0
    return count


def renewal(folder: Path, turns: int) -> dict[str, float]:
    """Times to renew an index when nothing has changed, and to walk."""

    def renew() -> None:
        store = IndexStore(folder / DATABASE)
        refresh_index(folder, store)
        store.report()
        store.close()

    start = time.process_time()
    renew()
    first = time.process_time() - start
    works: dict[str, Work] = {"walk": lambda: walk_and_stat(str(folder)), "renew": renew}
    return {"first": first, **best(works, turns)}


def pydicom_stack(paths: list[Path]) -> NDArray[np.uint16]:
    """pydicom: read, sort by position, stack."""
    slices = [pydicom.dcmread(path) for path in paths]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[1]))
    return np.stack([one.pixel_array for one in slices])


def itk_stack(paths: list[Path]) -> SimpleITK.Image:
    """SimpleITK's series reader; the order of the files is given."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in paths])
    return reader.Execute()


def bytes_sum(paths: list[Path]) -> int:
    """Read the bytes of every file and sum those of the pixels."""
    pixels = VOLUME[1] * VOLUME[2]
    total = 0
    for path in paths:
        total += int(np.frombuffer(path.read_bytes()[-2 * pixels :], "<u2").sum())
    return total


def volumes(folder: Path, turns: int) -> dict[str, float]:
    """Times to load one series and sum its pixels."""
    paths = write_files(folder, VOLUME[0], VOLUME[1], VOLUME[0])
    (series,) = scan_folder(folder).series

    def ours() -> NDArray[np.uint16]:
        return read_volume(series).pixels

    image = itk_stack(paths)
    sums = {int(ours().sum()), int(pydicom_stack(paths).sum()), bytes_sum(paths)}
    assert sums == {int(SimpleITK.GetArrayViewFromImage(image).sum())}
    del image
    return best(
        {
            "ours": ours,
            "pydicom": lambda: pydicom_stack(paths),
            "itk": lambda: itk_stack(paths),
            "ours, sum": lambda: ours().sum(),
            "pydicom, sum": lambda: pydicom_stack(paths).sum(),
        },
        turns,
    )


KINDS: dict[str, dict[str, object]] = {
    "16 of 16 bits": {},
    "12 of 16 bits": {"BitsStored": 12, "HighBit": 11},
    "12 of 16 bits, signed": {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1},
    "12 of 16 bits, no window, padding": {
        "BitsStored": 12, "HighBit": 11, "WindowWidth": "", "PixelPaddingValue": 0,
    },
    "rescaled by an intercept": {"RescaleSlope": 1, "RescaleIntercept": -1024},
    "rescaled by a slope": {"RescaleSlope": 0.5, "RescaleIntercept": 3},
}  # fmt: skip
"""How MR and CT scanners store their pixels."""


def kinds(folder: Path, turns: int) -> dict[str, float]:
    """Read and sum the bytes over read and sum the volume, of 100 slices of each kind.

    In many turns: the memory for a volume is the system's, and what it costs to be given it varies.
    """
    found = {}
    for place, (kind, tags) in enumerate(KINDS.items()):
        own = folder / str(place)
        own.mkdir()
        paths = write_files(own, 100, VOLUME[1], 100, tags)
        (series,) = scan_folder(own).series
        works: dict[str, Work] = {
            "bytes": partial(bytes_sum, paths),
            "ours": lambda series=series: read_volume(series).pixels.sum(),
        }
        times = best(works, 3 * turns)
        found[kind] = times["bytes"] / times["ours"]
    return found


def peak_memory(folder: Path) -> float:
    """Memory that loading takes at its peak over the size of the volume, in a fresh process."""
    command = [sys.executable, __file__, "--peak", str(folder)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def print_peak(folder: Path) -> None:
    """Print what :func:`peak_memory` asks for."""
    (series,) = scan_folder(folder).series
    before = memory("VmRSS")
    volume = read_volume(series)
    print((memory("VmHWM") - before) / volume.pixels.nbytes)


def memory(what: str) -> int:
    """Memory of this process, bytes, as Linux says it."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(what))
    return 1024 * int(line.split()[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer files and turns")
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        print_peak(asked.peak)
        return
    count, turns = (2_000, 2) if asked.quick else (20_000, 3)
    table = Table(title=f"DICOM: {count:,} headers; {VOLUME[0]} slices", box=SIMPLE)
    for heading in ("", "what", "found", "target", ""):
        table.add_column(heading)

    def row(
        name: str, what: str, found: float, target: float | None = None, at_most: bool = False
    ) -> None:
        if target is None:
            table.add_row(name, what, f"{found:.2f}", "", "")
            return
        passed = found <= target if at_most else found >= target
        limit = f"{'<=' if at_most else '>='} {target:g}"
        table.add_row(name, what, f"{found:.2f}", limit, "pass" if passed else "MISS")

    with tempfile.TemporaryDirectory() as folder:
        times = headers(Path(folder), count, turns)
        rates = ", ".join(f"{name} {count / spent:,.0f}/s" for name, spent in times.items())
        row("D1", f"pydicom specific_tags / ours ({rates})", times["pydicom"] / times["ours"], 8)
        row("D1", "dicomsdl / ours", times["sdl"] / times["ours"], 1)
        some = [*sorted(Path(folder).rglob("0*"))[:2000:7], *SAMPLES.rglob("*")]
        found = disagreements([path for path in some if path.is_file()])
        row("D1", "files on which ours and pydicom's road disagree", found, 0, at_most=True)
        times = small_files(turns)
        what = "the same on the sample studies (small compressed files)"
        row("D1", what, times["pydicom"] / times["ours"], 8)
        spent = renewal(Path(folder), 2 * turns)
        what = f"renewal / walk + stat (first run {count / spent['first']:,.0f} files/s)"
        row("D2", what, spent["renew"] / spent["walk"], 2, at_most=True)
    with tempfile.TemporaryDirectory() as folder:
        times = volumes(Path(folder), turns)
        row("D3", "pydicom read, sort, stack / ours", times["pydicom"] / times["ours"], 5)
        what = "the same, every pixel summed on both sides"
        row("", what, times["pydicom, sum"] / times["ours, sum"])
        row("D3", "SimpleITK series reader / ours", times["itk"] / times["ours"], 1)
        row("D3", "peak memory / volume", peak_memory(Path(folder)), 1.2, at_most=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind, ratio in kinds(Path(folder), turns).items():
            row("D3", f"read and sum the bytes / the volume: {kind}", ratio, 0.5)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
