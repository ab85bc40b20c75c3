"""Write a phantom study: its DICOM files, and ``truth.json`` beside them."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from necroangle.errors import PhantomError
from necroangle.phantom.header import save
from necroangle.phantom.model import PhantomHip, PhantomStudy
from necroangle.phantom.mr import MrSeries, frame_of_reference_uid, mr_image, mr_series
from necroangle.phantom.radiograph import (
    Radiograph,
    radiograph_image,
    radiograph_truth,
    radiographs,
)
from necroangle.phantom.truth import SliceTruth, cap_union_deg, cut, mid_index
from necroangle.terms import View

FORMAT = "necroangle.phantom-truth"
VERSION = 1

Record = dict[str, Any]


def slice_truths(series: MrSeries, hip: PhantomHip) -> tuple[SliceTruth, ...]:
    """What is true of a hip on each slice of a series, in the order of InstanceNumber."""
    return tuple(cut(series.lying(hip), plane) for plane in series.planes)


def truth_of(study: PhantomStudy) -> Record:
    """The content of ``truth.json``; its keys are described in ``sample_dicoms/README.md``."""
    look = {} if study.look is None else {"look": asdict(study.look)}
    return {
        **look,
        "format": FORMAT,
        "version": VERSION,
        "name": study.name,
        "subject": study.subject,
        "visit": study.visit,
        "patient_position": study.patient_position,
        "seed": study.seed,
        "snr": study.snr,
        "frame_of_reference_uid": str(frame_of_reference_uid(study)) if study.coronal else None,
        "hips": {hip.laterality.value: _hip(study, hip) for hip in study.hips},
    }


def truth_bytes(study: PhantomStudy) -> bytes:
    """``truth.json`` as it is written: UTF-8, sorted keys, floats in full."""
    return (json.dumps(truth_of(study), indent=1, sort_keys=True) + "\n").encode()


def _hip(study: PhantomStudy, hip: PhantomHip) -> Record:
    record: Record = {
        "centre_mm": list(hip.centre_mm),
        "radius_mm": hip.radius_mm,
        "lesions": [asdict(lesion) for lesion in hip.lesions],
    }
    if hip.form is not None:
        record["form"] = asdict(hip.form)
    series = [one for one in mr_series(study) if one.laterality in (None, hip.laterality)]
    views = {one.geometry.view: _series(one, hip) for one in series if one.other is None}
    record.update((view.value, found) for view, found in views.items())
    record.update((one.folder, _series(one, hip)) for one in series if one.other is not None)
    if views:
        pair = (views[View.CORONAL], views[View.SAGITTAL])
        record["cna_deg"] = _sum(pair, "angle_deg")
        record["centre_plane_cna_deg"] = _sum(pair, "centre_plane_angle_deg")
    taken = [one for one in radiographs(study) if one.laterality is hip.laterality]
    record.update((one.view.value, _radiograph(one, hip)) for one in taken)
    if taken:
        record["radiograph_cna_deg"] = _sum([record[one.view.value] for one in taken], "angle_deg")
    return record


def _sum(views: Sequence[Record], key: str) -> float | None:
    """Sum of an angle over the views; None where a view has none, for its slices miss the head."""
    angles = [view[key] for view in views]
    return None if None in angles else math.fsum(angles)


def _series(series: MrSeries, hip: PhantomHip) -> Record:
    truths = slice_truths(series, hip)
    middle = mid_index(truths)
    plane = series.planes[0]
    axes = np.array((plane.row_cosine, plane.column_cosine, plane.normal))
    whole = cap_union_deg(hip, 0.0, axes)
    return {
        "series_uid": str(series.uid),
        "mid_slice_index": middle,
        "angle_deg": truths[middle].angle_deg,
        "centre_plane_angle_deg": math.fsum(high - low for low, high in whole),
        "slices": [_slice(series, index, truth) for index, truth in enumerate(truths)],
    }


def _slice(series: MrSeries, index: int, truth: SliceTruth) -> Record:
    return {
        "index": index,
        "file": series.file(index),
        "instance_uid": series.source(index).instance_uid,
        **asdict(truth),
    }


def _radiograph(radiograph: Radiograph, hip: PhantomHip) -> Record:
    truth = radiograph_truth(hip, radiograph.geometry, radiograph.view)
    return {
        "file": radiograph.file,
        "instance_uid": radiograph.source.instance_uid,
        "imager_spacing_mm": radiograph.geometry.imager_spacing_mm,
        "magnification": radiograph.geometry.magnification,
        **asdict(truth),
    }


TRUTH_FILE = "truth.json"


def count_files(study: PhantomStudy) -> int:
    """How many DICOM files a study has."""
    slices = sum(series.geometry.slices for series in mr_series(study))
    return slices + len(radiographs(study))


def refuse_filled(folder: Path) -> None:
    """Refuse a place where something lies already: no file is ever overwritten or deleted.

    Raises
    ------
    PhantomError
        If the path is a file, or a folder that holds anything.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     refuse_filled(Path(name))
    >>> refuse_filled(Path(__file__).parent)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: phantom: the folder is not empty; ...
    """
    if folder.exists() and not folder.is_dir():
        raise PhantomError(
            f"{folder.name}: there is a file of this name; name a new or an empty folder"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise PhantomError(
            f"{folder.name}: the folder is not empty; name a new or an empty folder, no file is "
            "ever overwritten"
        )


def write_study(
    study: PhantomStudy,
    folder: Path,
    *,
    compress: bool = True,
    on_file: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Write a study into a new or empty folder.

    Parameters
    ----------
    study
        The study.
    folder
        Where it goes; made with its parents.
    compress
        JPEG-LS lossless, or else uncompressed.
    on_file
        Called with each DICOM file's relative path when it has been written.

    Returns
    -------
    tuple of Path
        The DICOM files, then ``truth.json``.

    Raises
    ------
    PhantomError
        If the folder holds anything.
    """
    refuse_filled(folder)
    written = []
    for file, image in _images(study):
        save(image, folder / file, compress=compress)
        written.append(folder / file)
        if on_file is not None:
            on_file(file)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRUTH_FILE).write_bytes(truth_bytes(study))
    return (*written, folder / TRUTH_FILE)


def _images(study: PhantomStudy) -> Iterator[tuple[str, Dataset]]:
    for series in mr_series(study):
        for index in range(series.geometry.slices):
            yield series.file(index), mr_image(series, index)
    for radiograph in radiographs(study):
        yield radiograph.file, radiograph_image(radiograph)
