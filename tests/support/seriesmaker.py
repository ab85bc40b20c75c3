"""Made series that keep the truth of every frame: of one key or none, with one flaw or none."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from necroangle.dicom.records import FrameHeader, RepeatKeys, SequenceFacts
from necroangle.geometry import ImagePlane
from necroangle.terms import SourceImage

__all__ = ["FLAWS", "KEYS", "MadeSeries", "frame_at", "header_of", "made_series"]

KEYS = (
    "image type", "echo time", "echo", "b-value", "time point", "acquisition", "dimension",
    "inversion time", "flip angle", "trigger time", "blocks", "slice-major", "direction",
    "time of a volume", "time of a slice",
)  # fmt: skip
FLAWS = (
    "none", "lost", "doubled", "rounded", "aborted", "sheared", "two steps", "jittered", "shifted",
)  # fmt: skip


@dataclass(frozen=True)
class MadeSeries:
    """Shuffled frames, with the volume and the position of each, and the flaw.

    Attributes
    ----------
    truth
        By instance UID: (volume, position).
    """

    frames: list[FrameHeader]
    truth: dict[str, tuple[int, int]]
    key: str
    flaw: str
    volumes: int
    step_mm: float


def frame_at(
    origin: NDArray[np.float64],
    cosines: NDArray[np.float64],
    uid: str,
    repeat: RepeatKeys,
    facts: SequenceFacts | None = None,
) -> FrameHeader:
    """A frame of a series without pixels."""
    plane = ImagePlane.from_dicom(origin.tolist(), cosines.reshape(-1).tolist(), (0.7, 0.7))
    source = SourceImage("1.2", "1.2.3", uid, 1, "1.2.7")
    return FrameHeader(
        f"IM{uid.rpartition('.')[2]}", source, "MR", "stack", plane, 256, 256,
        repeat=repeat, facts=facts or SequenceFacts(),
    )  # fmt: skip


def header_of(**attributes: Any) -> Dataset:
    """The header of one coronal slice, without pixels."""
    header = Dataset()
    own: dict[str, Any] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "SOPInstanceUID": "1.2.3.4.1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "Modality": "MR",
        "PhotometricInterpretation": "MONOCHROME2",
        "SamplesPerPixel": 1,
        "Rows": 256,
        "Columns": 256,
        "ImagePositionPatient": [-90, 0, 90],
        "ImageOrientationPatient": [1, 0, 0, 0, 0, -1],
        "PixelSpacing": [0.7, 0.7],
    }
    for keyword, value in {**own, **attributes}.items():
        setattr(header, keyword, value)
    return header


_OF_VOLUME: dict[str, Callable[[int], dict[str, Any]]] = {
    "image type": lambda v: {"image_words": (("M", "P", "R", "I")[v % 4], f"X{v // 4}")},
    "echo time": lambda v: {"echo_time_ms": 10.0 + 7.5 * v},
    "echo": lambda v: {"echo_number": v + 1},
    "b-value": lambda v: {"b_value": 100.0 * v},
    "time point": lambda v: {"temporal_position": v + 1},
    "acquisition": lambda v: {"acquisition_number": v + 1},
    "flip angle": lambda v: {"flip_angle_deg": 5.0 + 5 * v},
    "trigger time": lambda v: {"trigger_time_ms": 40.0 * v},
    "direction": lambda v: {"b_value": 1000.0 * (v > 0), "gradient": (0.1 * v, 0.2, 0.3)},
    "time of a volume": lambda v: {"acquired_s": 5.25 * v, "instance_number": None},
}


def made_series(seed: int) -> MadeSeries:
    """A series: 8 to 40 positions, 1 to 10 volumes, an oblique plane, one key and one flaw."""
    chance = np.random.default_rng(seed)
    positions = int(chance.integers(8, 41))
    volumes = int(chance.integers(1, 11)) if chance.random() < 0.75 else 1
    key, flaw = str(chance.choice(KEYS)), _possible(str(chance.choice(FLAWS)), volumes)
    if key == "slice-major" and volumes > 1 and flaw in ("lost", "aborted"):
        flaw = "none"  # then nothing tells which volume a later slice is of
    step_mm = float(np.round(chance.uniform(0.8, 8.0), 3))
    cosines = _oblique(chance)
    places = _places(chance, flaw, positions, step_mm, cosines)
    truth: dict[str, tuple[int, int]] = {}
    frames: list[FrameHeader] = []
    for volume in range(volumes):
        for place in range(positions):
            uid = f"1.2.3.{seed}.{volume * 1000 + place}"
            truth[uid] = (volume, place)
            major = place * volumes + volume if key == "slice-major" else len(frames)
            repeat, facts = _stated(key if volumes > 1 else "none", volume, place, major + 1)
            turned = cosines
            if flaw == "jittered":
                turned = _turned(cosines, chance.uniform(0.1, 0.3, 3) * chance.choice((-1, 1), 3))
            frames.append(frame_at(places[place], turned, uid, repeat, facts))
    frames = _flawed(chance, flaw, frames, truth, volumes, positions)
    order = chance.permutation(len(frames))
    return MadeSeries([frames[k] for k in order], truth, key, flaw, volumes, step_mm)


def _possible(flaw: str, volumes: int) -> str:
    if flaw == "aborted" and volumes < 2:
        return "none"
    return "lost" if flaw == "doubled" and volumes > 1 else flaw


def _stated(key: str, volume: int, place: int, number: int) -> tuple[RepeatKeys, SequenceFacts]:
    """What the header of a frame says: the key tells its volume."""
    repeat = RepeatKeys(instance_number=number)
    if key in _OF_VOLUME:
        repeat = replace(repeat, **_OF_VOLUME[key](volume))
    if key == "time of a slice":
        stored_s = 30.0 * volume + 0.1 * place
        repeat = replace(repeat, stored_s=stored_s, instance_number=None)
    if key == "dimension":
        repeat = replace(repeat, dimensions=(1, place + 1, volume + 1))
    inversion = 100.0 + 50 * volume if key == "inversion time" else None
    return repeat, SequenceFacts(inversion_time_ms=inversion)


def _oblique(chance: np.random.Generator) -> NDArray[np.float64]:
    """Two cosines of a coronal plane turned by up to 20 degrees."""
    return _turned(np.array([[1.0, 0, 0], [0, 0, -1.0]]), chance.uniform(-20, 20, 3))


def _turned(cosines: NDArray[np.float64], degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = np.radians(degrees)
    x = np.array(((1, 0, 0), (0, np.cos(a), -np.sin(a)), (0, np.sin(a), np.cos(a))))
    y = np.array(((np.cos(b), 0, np.sin(b)), (0, 1, 0), (-np.sin(b), 0, np.cos(b))))
    z = np.array(((np.cos(c), -np.sin(c), 0), (np.sin(c), np.cos(c), 0), (0, 0, 1)))
    return np.asarray(cosines @ (z @ y @ x).T)


def _places(
    chance: np.random.Generator,
    flaw: str,
    positions: int,
    step_mm: float,
    cosines: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(positions, 3) first pixels, patient LPS mm."""
    depths = step_mm * np.arange(positions)
    if flaw == "two steps":
        half = positions // 2
        depths[half:] = depths[half - 1] + 2.5 * step_mm * np.arange(1, positions - half + 1)
    normal = np.cross(cosines[0], cosines[1])
    places = chance.uniform(-100, 100, 3) + np.outer(depths, normal)
    if flaw == "sheared":
        places = places + np.outer(depths, 0.3 * cosines[1])
    if flaw == "shifted":
        places[positions // 2] += 3.0 * cosines[0]
    return np.round(places, 1) if flaw == "rounded" else np.round(places, 6)


def _flawed(
    chance: np.random.Generator,
    flaw: str,
    frames: list[FrameHeader],
    truth: dict[str, tuple[int, int]],
    volumes: int,
    positions: int,
) -> list[FrameHeader]:
    if flaw == "lost":
        gone = (int(chance.integers(volumes)), int(chance.integers(1, positions - 1)))
        return [one for one in frames if truth[one.source.instance_uid] != gone]
    if flaw == "aborted":
        kept = int(chance.integers(1, max(2, positions // 2 - 1)))
        last = volumes - 1
        return [
            one
            for one in frames
            if truth[one.source.instance_uid][0] < last or truth[one.source.instance_uid][1] < kept
        ]
    if flaw == "doubled":
        twin = frames[int(chance.integers(len(frames)))]
        uid = twin.source.instance_uid + ".9"
        truth[uid] = truth[twin.source.instance_uid]
        number = len(frames) + 1
        again = replace(
            twin,
            file=twin.file + "again",
            source=replace(twin.source, instance_uid=uid),
            repeat=replace(twin.repeat, instance_number=number),
        )
        return [*frames, again]
    return frames
