"""Public discs through the loader, compared slice by slice with SimpleITK and dcm2niix.

    pip install -e '.[bench]' dcm2niix nibabel
    python benchmarks/compare_discs.py DISC [DISC ...]

A disc is a folder of DICOM files, for example the folder ``In`` of
neurolabusc/dcm_qa_philips_enh, of dcm_qa_canon, dcm_qa_uih or dcm_qa_xa30 (files ``.dcm.gz``
unpacked). For each: what became of the files, and why some were refused; where SimpleITK places
each slice that stands in a file of its own, and its pixels; the pixels of the frames of
enhanced files; and where dcm2niix places the slices of each volume (its affine with x and y
negated, forward or reversed). The exit code is 1 where a place differs by more than 0.01 mm, a
pixel at all, or where a refusal is none of those that are right (pictures in colour, scouts).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.dicom import Scan, SeriesSummary, read_volume, scan_folder
from necroangle.geometry import PixelPoints

TOLERANCE_MM = 0.01
RIGHT_REFUSALS = ("colour", "a CT scout")
HEADINGS = (
    "disc", "files", "opened", "refused", "aside", "stacks", "slices beside SimpleITK",
    "mm off", "pixels differ", "volumes beside dcm2niix", "mm off", "not there",
)  # fmt: skip

Points = NDArray[np.float64]


@dataclass
class Beside:
    """What was compared with another program.

    Attributes
    ----------
    compared
        Slices or volumes.
    off_mm
        The largest distance between the two places of a slice.
    unlike
        Slices whose pixels differ, or volumes that the other does not have.
    """

    compared: int = 0
    off_mm: float = 0.0
    unlike: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("discs", nargs="+", type=Path)
    asked = parser.parse_args()
    table = Table(*HEADINGS, box=SIMPLE)
    bad = []
    for disc in asked.discs:
        scan = scan_folder(disc)
        itk, nii = beside_itk(scan), beside_dcm2niix(disc, scan)
        tally = scan.tally()
        table.add_row(
            disc.parent.name if disc.name == "In" else disc.name, str(tally.walked),
            str(tally.opened), str(tally.refused), str(tally.aside), str(len(scan.series)),
            str(itk.compared), f"{itk.off_mm:.5f}", str(len(itk.unlike)),
            str(nii.compared), f"{nii.off_mm:.5f}", str(len(nii.unlike)),
        )  # fmt: skip
        bad += list(problems(disc, scan, itk, nii))
    Console(width=170).print(table)
    for line in bad:
        print(line)
    return 1 if any(not line.startswith("told") for line in bad) else 0


def problems(disc: Path, scan: Scan, itk: Beside, nii: Beside) -> Iterator[str]:
    """What is not as it should be, a line each; what only has to be known starts with "told"."""
    reasons: Counter[str] = Counter()
    for one in scan.left_out:
        reasons[one.nameless] += one.files
    for reason, count in reasons.items():
        is_right = any(word in reason for word in RIGHT_REFUSALS)
        yield f"{'told: ' if is_right else ''}{disc}: {count} files: {reason}"
    for name, one in (("SimpleITK", itk), ("dcm2niix", nii)):
        if one.off_mm > TOLERANCE_MM:
            yield f"{disc}: {one.off_mm:.4f} mm beside {name}"
    yield from (f"{disc}: other pixels than SimpleITK's: {what}" for what in itk.unlike)
    yield from (f"told: {disc}: no volume of dcm2niix: {what}" for what in nii.unlike)


def stacks_of(scan: Scan) -> list[SeriesSummary]:
    """The stacks of slices, mosaics aside: their tiles are in no file."""
    return [one for one in scan.series if one.kind == "stack" and not one.tiles_per_side]


def beside_itk(scan: Scan) -> Beside:
    """Every slice beside SimpleITK's reading of its file."""
    found = Beside()
    several = Counter(file for one in stacks_of(scan) for file, _ in one.frames)
    for series in stacks_of(scan):
        volume = read_volume(series)
        for place, (file, number) in enumerate(series.frames):
            image = _itk_image(series.root / file)
            theirs = SimpleITK.GetArrayViewFromImage(image)
            if theirs.shape[0] < number or theirs.shape[1:] != volume.pixels.shape[1:]:
                found.unlike.append(f"{file}, frame {number}: {theirs.shape}")
                continue
            if several[file] == 1:
                found.off_mm = max(found.off_mm, _off_itk(series, place, image))
            one, other = volume.pixels[place], theirs[number - 1]
            if not (same(one, other) or (several[file] > 1 and same(one, scaled(other, one)))):
                found.unlike.append(f"{file}, frame {number}")
            found.compared += 1
    return found


def same(one: Points, other: Points) -> bool:
    """Whether grey values are equal but for the rounding of 32 bits."""
    return bool(np.abs(one.astype(float) - other).max() <= 1e-6 * max(1.0, np.abs(other).max()))


def scaled(theirs: Points, ours: Points) -> Points:
    """Grey values on our scale: SimpleITK rescales all frames of a file as the first."""
    if np.ptp(theirs) == 0:
        return theirs - theirs + ours.flat[0]
    slope, intercept = np.polyfit(theirs.ravel().astype(float), ours.ravel().astype(float), 1)
    return slope * theirs + intercept


_LAST: dict[Path, SimpleITK.Image] = {}


def _itk_image(path: Path) -> SimpleITK.Image:
    """A file as SimpleITK reads it; the last is kept, for files of many frames."""
    if path not in _LAST:
        _LAST.clear()
        _LAST[path] = SimpleITK.ReadImage(str(path))
    return _LAST[path]


def _off_itk(series: SeriesSummary, place: int, image: SimpleITK.Image) -> float:
    """How far the corners of a slice lie from where SimpleITK puts them, mm."""
    plane = series.planes[place]
    corners = [(0, 0), (0, series.columns - 1), (series.rows - 1, 0)]
    ours = plane.pixel_to_patient(PixelPoints(np.array(corners, float)))
    theirs = [image.TransformIndexToPhysicalPoint((column, row, 0)) for row, column in corners]
    return float(np.linalg.norm(np.asarray(ours) - theirs, axis=1).max())


def beside_dcm2niix(disc: Path, scan: Scan) -> Beside:
    """The slice centres of every regular stack beside those of dcm2niix's volumes."""
    places = (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    program = shutil.which("dcm2niix", path=os.pathsep.join(places))
    found = Beside()
    if program is None:
        return found
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "-b", "n", "-z", "n", "-w", "1", "-f", "%s_%d_%t", "-o", folder, disc]
        subprocess.run(command, check=False, capture_output=True)
        theirs = [centres_of_nifti(path) for path in sorted(Path(folder).glob("*.nii"))]
    for series in scan.series:
        if series.kind != "stack" or len(series) < 3 or series.regularity.flags:
            continue
        off_mm = nearest(centres(series), theirs)
        if off_mm > 1.0:
            found.unlike.append(f"{series.frames[0][0]} {series.split_by} ({len(series)} slices)")
            continue
        found.compared += 1
        found.off_mm = max(found.off_mm, off_mm)
    return found


def centres(series: SeriesSummary) -> Points:
    """(slices, 3) patient LPS mm."""
    middle = PixelPoints(np.array([[(series.rows - 1) / 2, (series.columns - 1) / 2]]))
    return np.array([np.asarray(plane.pixel_to_patient(middle))[0] for plane in series.planes])


def centres_of_nifti(path: Path) -> Points:
    """(slices, 3) patient LPS mm."""
    image = nibabel.load(path)
    columns, rows, slices = (*image.shape, 1)[:3]
    voxels = np.array([((columns - 1) / 2, (rows - 1) / 2, k, 1.0) for k in range(slices)])
    return (voxels @ image.affine.T)[:, :3] * (-1, -1, 1)


def nearest(ours: Points, theirs: list[Points]) -> float:
    """How far our slices lie from those of the best of their volumes of as many slices, mm."""
    same = [one for one in theirs if one.shape == ours.shape]
    ways = [way for one in same for way in (one, one[::-1])]
    off = [float(np.linalg.norm(ours - way, axis=1).max()) for way in ways]
    return min(off, default=float("inf"))


if __name__ == "__main__":
    sys.exit(main())
