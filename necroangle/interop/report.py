"""A reading as a DICOM structured report: TID 1500, Comprehensive 3D SR, by highdicom.

Two flavours of one reading, in one series. ``standard`` says all that was read and measured; its
coordinates are those of the head circle (TID 1410), of the arc's boundaries and of the marks.
``ohif`` holds what OHIF opens as angles that can be edited: one group an arc, the angle first in
it, start, centre, centre and end as its points.

Coordinates in a report are of single precision. So that a report comes back as the reading it was,
it carries the reading file as well, as it lies on the disk, in a private element
(0099,xx01, ``NECROANGLE``).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, sin
from typing import Any, Literal

import highdicom as hd
import numpy as np
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from necroangle import __version__
from necroangle.annotation import HipReading, ReadView, encode_reading, sha256_of
from necroangle.dicom.header import MAKER
from necroangle.entries import READ_FIELDS
from necroangle.geometry import PlanePoints
from necroangle.interop import codes
from necroangle.interop.headers import BLOCK, CREATOR, HIDDEN_DATE, READING, person
from necroangle.measurement import HipMeasurement, ViewMeasurement, show_deg
from necroangle.measurement.row import CohortRow, to_row
from necroangle.terms import View

Flavour = Literal["standard", "ohif"]
FLAVOURS: tuple[Flavour, ...] = ("standard", "ohif")

OHIF_ANGLE = "Cornerstone3DTools@^0.1.0:Angle"
"""The tracking identifier, or its beginning, by which OHIF knows an angle of its own."""

SERIES_NUMBER = 9901
_SQUARE = 1e-6
"""Spacings that differ by less, relative, are the same: a circle in mm is one in pixels."""


@dataclass(frozen=True)
class Source:
    """What the objects of a reading are made of.

    Attributes
    ----------
    reading
        The reading; its identifiers and its words are those that leave.
    measurement
        Of this reading.
    headers
        The header of each marked image, with the same identifiers.
    hides
        Whether the objects are de-identified: no date is told.
    """

    reading: HipReading
    measurement: HipMeasurement
    headers: Mapping[View, Dataset]
    hides: bool = False

    @cached_property
    def row(self) -> CohortRow:
        """The line of the cohort table."""
        raw = encode_reading(self.reading)
        return to_row(self.reading, self.measurement, sha256_of(raw))

    @property
    def views(self) -> Iterator[tuple[str, ReadView, ViewMeasurement]]:
        """The letter of each view that was read, its marks and what was measured of it."""
        measured = (self.measurement.a, self.measurement.b)
        for letter, view, one in zip("ab", self.reading.views, measured, strict=True):
            if isinstance(view, ReadView) and one is not None:
                yield letter, view, one

    def uid(self, *parts: str) -> str:
        """An identifier that follows from hip, visit, reader, repeat, images and these words.

        So another writing of the same reading has the same identifiers, and no two readings share
        one.
        """
        images = [view.image.instance_uid for _, view, _ in self.views]
        words = "\0".join(("necroangle", *map(str, self.reading.key), *images, *parts))
        digest = hashlib.sha256(words.encode()).digest()[:16]
        return f"2.25.{int.from_bytes(digest, 'big')}"

    def version_uid(self, *parts: str) -> str:
        """The same, of this version of the reading and of this program."""
        content = sha256_of(encode_reading(self.reading))
        return self.uid("version", content, __version__, *parts)

    def shared(self, *, series: str, number: int) -> dict[str, Any]:
        """What the objects say of their series and of the program."""
        return {
            "series_instance_uid": self.uid("series", series),
            "series_number": number,
            "manufacturer": MAKER,
            "manufacturer_model_name": "necroangle",
            "software_versions": __version__,
            "device_serial_number": __version__,
            "series_description": f"necroangle {series}",
            "specific_character_set": "ISO_IR 192",
        }

    @property
    def saved(self) -> tuple[str, str]:
        """When the reading was saved: day and time, as DICOM writes them."""
        if self.hides:
            return HIDDEN_DATE, "000000"
        text = self.reading.saved_at
        return text[:10].replace("-", ""), text[11:19].replace(":", "")

    def dated(self, made: Dataset) -> Dataset:
        """An object as old as its reading: the same reading gives the same bytes."""
        made.InstanceCreationDate, made.InstanceCreationTime = self.saved
        for keyword, value in zip(("ContentDate", "ContentTime"), self.saved, strict=True):
            if keyword in made:
                setattr(made, keyword, value)
        for one in made.get("ContributingEquipmentSequence", ()):
            one.ContributionDateTime = "".join(self.saved)
        return made


def report_of(source: Source, flavour: Flavour) -> Dataset | None:
    """The structured report of a reading.

    Parameters
    ----------
    source
        What it is made of.
    flavour
        ``"standard"`` or ``"ohif"``.

    Returns
    -------
    Dataset or None
        A Comprehensive 3D SR document, ready to be saved; None where OHIF has no arc to edit.
    """
    groups = _standard(source) if flavour == "standard" else _ohif(source)
    if not groups:
        return None
    report = hd.sr.MeasurementReport(
        observation_context=_observers(source),
        procedure_reported=codes.own_code("reading", "reading of the combined necrotic angle"),
        imaging_measurements=groups,
        title=CodedConcept("126000", "DCM", "Imaging Measurement Report"),
        language_of_content_item_and_descendants=hd.sr.LanguageOfContentItemAndDescendants(
            CodedConcept("en", "RFC5646", "English")
        ),
    )
    scheme = CodingSchemeIdentificationItem(
        codes.SCHEME,
        name="necroangle: columns of the cohort table",
        version=__version__,
        responsible_organization="necroangle developers",
    )
    made = hd.sr.Comprehensive3DSR(
        evidence=list(source.headers.values()),
        content=report,
        sop_instance_uid=source.version_uid("report", flavour),
        instance_number=1 + FLAVOURS.index(flavour),
        is_complete=True,
        is_final=source.reading.conduct.submitted,
        coding_schemes=[scheme],
        **source.shared(series="report", number=SERIES_NUMBER),
    )
    block = made.private_block(BLOCK, CREATOR, create=True)
    block.add_new(READING, "OB", encode_reading(source.reading))
    return source.dated(made)


def _observers(source: Source) -> Any:
    reader = hd.sr.PersonObserverIdentifyingAttributes(person(source.reading.reader))
    program = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=_program_uid(),
        name="necroangle",
        manufacturer_name=MAKER,
        model_name="necroangle",
        serial_number=__version__,
    )
    return hd.sr.ObservationContext(
        hd.sr.ObserverContext(CodedConcept("121006", "DCM", "Person"), reader),
        hd.sr.ObserverContext(CodedConcept("121007", "DCM", "Device"), program),
    )


def _program_uid() -> str:
    digest = hashlib.sha256(f"necroangle {__version__}".encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"


# ---- the standard flavour ----------------------------------------------------------------------


def _standard(source: Source) -> list[Any]:
    groups: list[Any] = []
    for letter, view, measured in source.views:
        if measured.circle is not None:
            groups.append(_head_group(source, letter, view, measured))
        groups.append(_arc_group(source, letter, view, measured))
    return [*groups, _hip_group(source)]


def _head_group(source: Source, letter: str, view: ReadView, measured: ViewMeasurement) -> Any:
    """The head circle: TID 1410, for its shape is what matters."""
    name = f"{letter}_radius_mm"
    has_mm = view.plane.calibrated and source.row[name] is not None
    radius = [_measurement(codes.RADIUS, codes.MILLIMETRE, source.row[name])] if has_mm else None
    shared = {
        "tracking_identifier": _tracking(source, view.view, "head circle"),
        "measurements": radius,
        **_shared(source, view.view),
    }
    kind, points = _head(view, measured)
    if not has_place(points, view):
        return hd.sr.MeasurementsAndQualitativeEvaluations(**shared)
    region = hd.sr.ImageRegion(kind, points, _image(source, view))
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **shared)


def _arc_group(source: Source, letter: str, view: ReadView, measured: ViewMeasurement) -> Any:
    """The angle of a view, the boundaries of its arcs, and the marks."""
    row = source.row
    angle = _measurement(
        codes.ANGLE,
        codes.DEGREE,
        row[f"{letter}_deg"],
        bounds=(row[f"{letter}_low_deg"], row[f"{letter}_high_deg"]),
        coordinates=[*_boundaries(source, view, measured), *_arc_marks(source, view)],
    )
    found = [angle, *_counted(source, letter, "se_total"), *_rim(source, letter, view)]
    evaluations = [codes.column_value(f"{letter}_status", row[f"{letter}_status"])]
    evaluations += map(codes.flag_code, measured.flags)
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(source, view.view, f"necrotic angle {letter.upper()}"),
        finding_type=codes.NECROSIS if view.arcs else None,
        measurements=found,
        qualitative_evaluations=_evaluations(evaluations),
        **_shared(source, view.view),
    )


def _hip_group(source: Source) -> Any:
    """The hip: its combined angle, grades, indices, entries and doubts."""
    row, reading = source.row, source.reading
    found = []
    if row["cna_deg"] is not None:
        name, unit = codes.column_code("cna_deg")
        bounds = (row["cna_low_deg"], row["cna_high_deg"])
        total = CodedConcept("255619001", "SCT", "Total")
        found.append(_measurement(name, unit, row["cna_deg"], bounds=bounds, derivation=total))
        errors = ("cna_se_total", "cna_mdc95_deg")
        found += [_measurement(*codes.column_code(one), row[one]) for one in errors]
    words = ("ha_grade", "ha_risk", "kerboul")
    evaluations = [codes.column_value(name, row[name]) for name in words if row[name] is not None]
    for letter, view in zip("ab", reading.views, strict=True):
        if not isinstance(view, ReadView):
            evaluations.append(codes.column_value(f"{letter}_status", view.reason))
    made = reading.entries.made()
    evaluations += [
        codes.entry_code(one, made[one.name]) for one in READ_FIELDS if one.name in made
    ]
    evaluations += map(codes.flag_code, source.measurement.flags)
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(source, None, "combined necrotic angle"),
        measurements=found or None,
        qualitative_evaluations=_evaluations(evaluations),
        **_shared(source, None),
    )


def _evaluations(found: Sequence[codes.Evaluation]) -> list[Any] | None:
    return [hd.sr.QualitativeEvaluation(one.name, one.value) for one in found] or None


def _counted(source: Source, letter: str, stem: str) -> list[Any]:
    name = f"{letter}_{stem}"
    value = source.row[name]
    return [] if value is None else [_measurement(*codes.column_code(name), value)]


def _rim(source: Source, letter: str, view: ReadView) -> list[Any]:
    """How many rim marks there are, and where."""
    if not view.rim:
        return []
    points = _pixels([mark.pixel for mark in view.rim])
    marks = [points] if has_place(points, view) else []
    name, unit = codes.column_code(f"{letter}_rim_count")
    return [
        _measurement(
            name,
            unit,
            float(len(view.rim)),
            coordinates=[_coordinates(source, view, "MULTIPOINT", one) for one in marks],
        )
    ]


def _measurement(
    name: Any,
    unit: Any,
    value: Any,
    *,
    bounds: tuple[Any, Any] = (None, None),
    derivation: Any = None,
    coordinates: Sequence[Any] = (),
) -> Any:
    low, high = bounds
    properties = None
    if low is not None and high is not None:
        properties = hd.sr.MeasurementProperties(
            upper_measurement_uncertainty=float(high) - float(value),
            lower_measurement_uncertainty=float(value) - float(low),
        )
    return hd.sr.Measurement(
        name,
        float(value),
        unit,
        derivation=derivation,
        properties=properties,
        referenced_coordinates=list(coordinates) or None,
    )


def _shared(source: Source, view: View | None) -> dict[str, Any]:
    """What every group says: visit, method, head, side and plane."""
    method = source.measurement.method
    plane = None if view is None else codes.plane_code(view)
    side = codes.side_code(source.reading.laterality)
    return {
        "time_point_context": hd.sr.TimePointContext(source.reading.visit),
        "method": codes.own_code(method.name, method.title),
        "finding_sites": [hd.sr.FindingSite(codes.FEMORAL_HEAD, side, plane)],
        "algorithm_id": hd.sr.AlgorithmIdentification(
            name=f"necroangle {method.name}", version=str(method.version), manufacturer=MAKER
        ),
    }


def _tracking(source: Source, view: View | None, what: str) -> Any:
    words = what if view is None else f"{view.label} {what}"
    return hd.sr.TrackingIdentifier(source.uid("tracking", words), words)


# ---- the flavour for OHIF ----------------------------------------------------------------------


def _ohif(source: Source) -> list[Any]:
    groups = []
    side = codes.side_code(source.reading.laterality)
    for _, view, measured in source.views:
        for number, points in enumerate(boundary_points(view, measured)):
            if not has_place(points, view):
                continue
            line = _coordinates(source, view, "POLYLINE", points)
            angle_deg = measured.arcs[number].angle_deg
            words = f"{view.view.label} necrotic arc"
            words += f" {number + 1}" if len(measured.arcs) > 1 else ""
            uid = source.uid("tracking", "ohif", view.view, str(number))
            group = hd.sr.MeasurementsAndQualitativeEvaluations(
                tracking_identifier=hd.sr.TrackingIdentifier(uid, f"{OHIF_ANGLE}:{words}"),
                finding_sites=[
                    hd.sr.FindingSite(codes.FEMORAL_HEAD, side, codes.plane_code(view.view))
                ],
                measurements=[
                    _measurement(codes.ANGLE, codes.DEGREE, angle_deg, coordinates=[line])
                ],
            )
            label = f"{words}, {show_deg(angle_deg)}\N{DEGREE SIGN}"
            if angle_deg > 180.0:
                label += f", {codes.LARGER_ANGLE}"
            group[0].ContentSequence.append(
                hd.sr.TextContentItem(
                    CodedConcept("121106", "DCM", "Comment"),
                    label,
                    relationship_type=hd.sr.RelationshipTypeValues.CONTAINS,
                )
            )
            groups.append(group)
    return groups


# ---- coordinates -------------------------------------------------------------------------------


def _pixels(row_column: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """(row, column) with the first pixel's centre at 0 as (column, row) with its corner at 0."""
    return np.array([(column + 0.5, row + 0.5) for row, column in row_column])


def on_image(view: ReadView, plane_mm: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Plane mm on a view's image, (N, 2) column and row: 0, 0 is the first pixel's outer corner."""
    points = view.plane.plane().plane_to_pixel(PlanePoints(np.array(plane_mm)))
    return _pixels([(row, column) for row, column in points.tolist()])


def has_place(points: NDArray[np.float64], view: ReadView) -> bool:
    """Whether points lie on the image: a report has no coordinates for those beside it."""
    return bool((points >= 0).all() and (points <= (view.plane.columns, view.plane.rows)).all())


def head_points(view: ReadView, measured: ViewMeasurement) -> NDArray[np.float64]:
    """The ends of the head circle's horizontal and vertical diameter, (4, 2) column and row."""
    circle = measured.circle
    assert circle is not None  # noqa: S101
    (u, v), radius = circle.centre_mm, circle.radius_mm
    return on_image(view, [(u - radius, v), (u + radius, v), (u, v - radius), (u, v + radius)])


def _head(view: ReadView, measured: ViewMeasurement) -> tuple[Any, NDArray[np.float64]]:
    """The head circle: a circle where pixels are square, else an ellipse, its long axis first."""
    ends = head_points(view, measured)
    plane = view.plane
    if abs(plane.row_spacing_mm / plane.column_spacing_mm - 1) < _SQUARE:
        return "CIRCLE", np.array([ends[:2].mean(axis=0), ends[1]])
    if plane.row_spacing_mm < plane.column_spacing_mm:
        ends = ends[[2, 3, 0, 1]]
    return "ELLIPSE", ends


def boundary_points(view: ReadView, measured: ViewMeasurement) -> list[NDArray[np.float64]]:
    """Start, centre, centre and end of each arc, (4, 2) column and row each.

    The centre stands twice: tools that draw two lines, and tools that draw one with a corner,
    both show the angle.
    """
    circle = measured.circle
    if circle is None:
        return []
    lines = []
    for arc in measured.arcs:
        (u, v), radius = circle.centre_mm, circle.radius_mm
        turns = np.radians([arc.start_deg, arc.start_deg + arc.extent_deg]).tolist()
        first, last = ((u + radius * cos(one), v + radius * sin(one)) for one in turns)
        lines.append(on_image(view, [first, (u, v), (u, v), last]))
    return lines


def _boundaries(source: Source, view: ReadView, measured: ViewMeasurement) -> list[Any]:
    lines = boundary_points(view, measured)
    return [_coordinates(source, view, "POLYLINE", line) for line in lines if has_place(line, view)]


def _arc_marks(source: Source, view: ReadView) -> list[Any]:
    """What the reader marked of each arc; its middle mark says which of two arcs is meant."""
    marks = [_pixels([arc.start.pixel, arc.via.pixel, arc.end.pixel]) for arc in view.arcs]
    return [
        _coordinates(source, view, "MULTIPOINT", points, codes.ARC_MARKS)
        for points in marks
        if has_place(points, view)
    ]


def _coordinates(
    source: Source,
    view: ReadView,
    kind: str,
    points: NDArray[np.float64],
    purpose: Any = None,
) -> Any:
    more = {} if purpose is None else {"purpose": CodedConcept.from_code(purpose)}
    return hd.sr.CoordinatesForMeasurement(kind, points, _image(source, view), **more)


def _image(source: Source, view: ReadView) -> Any:
    header = source.headers[view.view]
    frames = [view.image.frame_number] if header.get("NumberOfFrames") else None
    return hd.sr.SourceImageForRegion(str(header.SOPClassUID), str(header.SOPInstanceUID), frames)
