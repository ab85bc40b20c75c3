"""Frames of a folder into series, and each series into stacks or a refusal."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from necroangle.dicom.records import FrameHeader, Refusal, SeriesSummary
from necroangle.dicom.splitting import Part, split_series
from necroangle.dicom.stacks import stack_geometry
from necroangle.errors import DicomError

LOCALIZER_PLANES, LOCALIZER_SLICES = 3, 12
"""A series of so many planes with no more slices than this in each is a localizer."""

MOST_STEP_MM = 1000.0
"""No two neighbours of one stack lie further apart: nobody is so long."""

SeriesKey = tuple[str, str]


def summarise(
    frames: Iterable[FrameHeader], root: Path
) -> tuple[list[SeriesSummary], list[Refusal], list[Refusal]]:
    """Make stacks of frames.

    Parameters
    ----------
    frames
        All frames of the folder.
    root
        The opened folder.

    Returns
    -------
    list of SeriesSummary, list of Refusal, list of Refusal
        Stacks, what is refused, and what is set aside: ordered by study, series and stack number,
        whatever the order of the frames.
    """
    by_series: dict[SeriesKey, list[FrameHeader]] = defaultdict(list)
    for frame in frames:
        by_series[frame.source.study_uid, frame.source.series_uid].append(frame)
    numbers = _patient_numbers(by_series)
    summaries: list[SeriesSummary] = []
    refusals: list[Refusal] = []
    aside: list[Refusal] = []
    for key in sorted(by_series):
        single, twins = _without_twins(by_series[key])
        if twins:
            told = DicomError(
                "two files both claim to be the same image, and differ: keep one",
                tag="SOPInstanceUID",
                stage="aside",
                at=tuple(sorted({frame.file for frame in twins}))[:2],
            )
            aside.append(_refusal(twins, told))
        stack_no = 1
        for patient, own in _by_patient(single, numbers[key[0]]):
            stacks, bad, left = _safe_series(own, root, stack_no, patient)
            stack_no += len(stacks) + len(bad)
            summaries += stacks
            refusals += bad
            aside += left
    return summaries, refusals, aside


def group_refusals(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Say once what many files of one folder are refused for."""
    groups: dict[tuple[str, str, str, str | None], list[Refusal]] = defaultdict(list)
    for refusal in refusals:
        folder = refusal.place.rpartition("/")[0]
        groups[folder, refusal.tag, refusal.reason, refusal.series_uid].append(refusal)
    merged = []
    for group in groups.values():
        first = min(group, key=lambda refusal: refusal.place)
        files = sum(refusal.files for refusal in group)
        named = sorted({file for one in group for file in one.members or (one.place,)})
        members = tuple(named) if len(named) > 1 else ()
        merged.append(replace(first, files=files, members=members))
    return tuple(sorted(merged, key=lambda refusal: (refusal.place, refusal.tag, refusal.reason)))


def numbered(refusals: Iterable[Refusal], paths: Iterable[bytes]) -> list[Refusal]:
    """Refusals with the places of their files in the ordered list of all files.

    Parameters
    ----------
    refusals
        What is refused.
    paths
        Every file of the folder, by its relative path in the system's bytes.

    Examples
    --------
    >>> [one.number for one in numbered([Refusal("b!in", "bad")], [b"b", b"c", b"a"])]
    [2]
    """
    places = {path: number for number, path in enumerate(sorted(paths), start=1)}
    found = []
    for refusal in refusals:
        path = os.fsencode(refusal.place)
        while path not in places and b"!" in path:
            path = path.rpartition(b"!")[0]
        found.append(replace(refusal, number=places.get(path, 0)))
    return found


_Numbers = dict[str, int]


def _patient_numbers(by_series: Mapping[SeriesKey, Sequence[FrameHeader]]) -> dict[str, _Numbers]:
    """The patients of each study, numbered from 1 by the first of their images.

    Images without a patient are those of the only one, and another's where there are several.
    """
    first: dict[str, dict[str, str]] = defaultdict(dict)
    for (study, _), frames in by_series.items():
        known = first[study]
        for frame in frames:
            key, uid = frame.patient_key, frame.source.instance_uid
            known[key] = min(known.get(key, uid), uid)
    return {
        study: {
            key: number
            for number, key in enumerate(sorted(known, key=lambda k: (not k, known[k])), start=1)
        }
        for study, known in first.items()
    }


def _by_patient(
    frames: Sequence[FrameHeader], numbers: _Numbers
) -> list[tuple[tuple[int, int], list[FrameHeader]]]:
    """The frames of each patient, with (their number, how many there are); (0, 0) for only one."""
    several = len([key for key in numbers if key])
    if several < 2:
        return [((0, 0), list(frames))]
    own: dict[int, list[FrameHeader]] = defaultdict(list)
    for frame in frames:
        own[numbers[frame.patient_key]].append(frame)
    return [((number, len(numbers)), own[number]) for number in sorted(own)]


def _safe_series(
    frames: Sequence[FrameHeader], root: Path, start: int, patient: tuple[int, int]
) -> tuple[list[SeriesSummary], list[Refusal], list[Refusal]]:
    """The one net round every series: a fault on one must not lose all the others."""
    try:
        return _one_series(frames, root, start, patient)
    except Exception as error:
        cause = type(error).__name__
        told = DicomError(f"grouping failed ({cause}): an internal error", stage="series")
        return [], [_refusal(frames, told)], []


def _one_series(
    frames: Sequence[FrameHeader], root: Path, start: int, patient: tuple[int, int]
) -> tuple[list[SeriesSummary], list[Refusal], list[Refusal]]:
    parts, left = split_series(frames) if frames else ((), ())
    b_values = [f.repeat.b_value for f in frames if f.repeat.b_value is not None]
    planes = {part.frames[0].plane.name().name for part in parts}
    few = all(len(part.frames) <= LOCALIZER_SLICES for part in parts)
    of_series = {
        "series_b_value": max(b_values, default=None),
        "is_of_localizers": len(planes) >= LOCALIZER_PLANES and few,
    }
    number, several = patient
    summaries, refusals = [], []
    for stack_no, part in enumerate(parts, start=start):
        try:
            summary = _summary(part, stack_no, root, of_series)
        except DicomError as error:
            refusals.append(_refusal(part.frames, error.placed(stage="geometry")))
            continue
        if number:
            words = ", ".join(filter(None, (f"patient {number} of {several}", summary.split_by)))
            summary = replace(summary, patient_no=number, split_by=words)
        summaries.append(summary)
    aside = [
        _refusal(one.frames, DicomError(one.reason, tag="ImagePositionPatient", stage="aside"))
        for one in left
    ]
    return summaries, refusals, aside


def _without_twins(
    frames: Sequence[FrameHeader],
) -> tuple[list[FrameHeader], list[FrameHeader]]:
    """Frames without those that two files state; which of two that differ is right, none tells."""
    files: dict[tuple[str, int], set[str]] = defaultdict(set)
    for frame in frames:
        files[frame.source.instance_uid, frame.source.frame_number].add(frame.file)
    single: list[FrameHeader] = []
    twins: list[FrameHeader] = []
    for frame in frames:
        several = len(files[frame.source.instance_uid, frame.source.frame_number]) > 1
        (twins if several else single).append(frame)
    return single, twins


def _refusal(frames: Sequence[FrameHeader], error: DicomError) -> Refusal:
    files = tuple(sorted({frame.file for frame in frames}))
    return replace(
        Refusal.of(error, files[0]),
        files=len(files),
        series_uid=frames[0].source.series_uid,
        members=files if len(files) > 1 else (),
    )


def _summary(part: Part, stack_no: int, root: Path, of_series: Mapping[str, Any]) -> SeriesSummary:
    stack = part.stack or stack_geometry(part.frames)
    frames = stack.frames
    if stack.step_mm > MOST_STEP_MM:
        raise DicomError(
            f"neighbouring slices lie {stack.step_mm:.0f} mm apart: beyond any patient",
            tag="ImagePositionPatient",
        )
    first, middle = frames[0], frames[len(frames) // 2]
    agreed: dict[str, Any] = {
        name: getattr(first, name) if len({getattr(f, name) for f in frames}) == 1 else None
        for name in ("laterality", "patient_position", "subject", "visit", "series_number")
    }
    return SeriesSummary(
        study_uid=first.source.study_uid,
        series_uid=first.source.series_uid,
        stack_no=stack_no,
        modality=first.modality,
        split_by=part.split_by,
        tiles_per_side=first.tiles_per_side,
        facts=replace(
            middle.facts,
            **of_series,
            charset_known=all(frame.facts.charset_known for frame in frames),
            executable_preamble=any(frame.facts.executable_preamble for frame in frames),
            uids_mended=any(frame.facts.uids_mended for frame in frames),
        ),
        syntaxes=tuple(sorted({frame.syntax for frame in frames})),
        kind=first.kind,
        plane=first.plane.name() if first.kind == "stack" else None,
        frames=tuple((frame.file, frame.source.frame_number) for frame in frames),
        planes=tuple(frame.plane for frame in frames),
        sources=tuple(frame.source for frame in frames),
        step_mm=stack.step_mm,
        rows=first.rows,
        columns=first.columns,
        row_spacing_mm=first.plane.row_spacing_mm,
        column_spacing_mm=first.plane.column_spacing_mm,
        view=first.view,
        calibrated=first.calibrated,
        spacing_source=first.spacing_source,
        window=middle.window,
        root=root,
        regularity=stack.regularity,
        **agreed,
    )
