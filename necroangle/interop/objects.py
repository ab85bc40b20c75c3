"""The DICOM objects of a reading as files: report, presentation states, key objects, capture."""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset

from necroangle.annotation import SUFFIX, HipReading, file_name
from necroangle.dicom import GuardedReader, SeriesSummary
from necroangle.dicom.guard import pydicom_door
from necroangle.errors import DicomError
from necroangle.interop.headers import Hidden, headers_of
from necroangle.interop.pictures import capture_of, key_objects_of, presentations_of
from necroangle.interop.report import Flavour, Source, report_of
from necroangle.measurement import Method, Settings, measure
from necroangle.report import draw_reading
from necroangle.report.picture import Image
from necroangle.review.pictures import images_of
from necroangle.storage import write_atomically
from necroangle.terms import View


def write_objects(
    reading: HipReading,
    slices: Mapping[View, SeriesSummary],
    folder: Path,
    *,
    flavours: Sequence[Flavour] = ("standard",),
    hidden: Hidden | None = None,
    method: Method | None = None,
    settings: Settings | None = None,
    decoder: GuardedReader | None = None,
) -> tuple[Path, ...]:
    """Write a reading as DICOM objects; what lay there under the same name is replaced.

    Written are the report in each flavour, a presentation state for each view that was read, and
    a selection of the slices as key objects.

    Parameters
    ----------
    reading
        The reading.
    slices
        The stack of one slice of each view, of :class:`necroangle.review.ImagePlaces`.
    folder
        Where the files go; made if it is not there.
    flavours
        Of the report. OHIF has none where no arc is marked.
    hidden
        How identities are hidden; None where the objects go back to the patient's own archive.
    method, settings
        How the numbers are measured.
    decoder
        Reads the pixels for a secondary capture; None where none is asked for.

    Raises
    ------
    NecroangleError
        If the reading cannot be measured, or an image is not at hand.
    OSError
        If a file cannot be written.
    """
    said = reading if hidden is None else hidden.reading(reading)
    headers = headers_of(reading, slices, hidden)
    source = Source(
        said, measure(said, method, settings or Settings()), headers, hidden is not None
    )
    picture = None if decoder is None else _picture(reading, source, slices, decoder)
    with pydicom_door("", "making the objects", stage="write"):  # its warnings name the patient
        made = [(name, _encoded(one)) for name, one in _objects(source, flavours, picture)]
    folder.mkdir(parents=True, exist_ok=True)
    stem = file_name(reading).removesuffix(SUFFIX)
    files = []
    for name, content in made:
        path = folder / f"{stem}.{name}.dcm"
        write_atomically(path, content)
        files.append(path)
    return tuple(files)


def _picture(
    reading: HipReading,
    source: Source,
    slices: Mapping[View, SeriesSummary],
    decoder: GuardedReader,
) -> Image:
    images, missing = images_of(reading, dict(slices), decoder)
    if missing:
        raise DicomError(missing[0].why)
    return draw_reading(source.reading, source.measurement, images)


def _objects(
    source: Source, flavours: Sequence[Flavour], picture: Image | None
) -> Iterator[tuple[str, Dataset]]:
    for flavour in flavours:
        report = report_of(source, flavour)
        if report is not None:
            yield f"report-{flavour}", report
    letters = (letter for letter, _, _ in source.views)
    for letter, state in zip(letters, presentations_of(source), strict=True):
        yield f"presentation-{letter}", state
    yield "key-objects", key_objects_of(source)
    if picture is not None:
        yield "capture", capture_of(source, picture)


def _encoded(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
