"""What tells frames at one position apart: what their headers say, and their numbering.

An exact key is a value that the frames of one volume share. An order is a numbering that runs
through one volume after the other; a volume that rests on it says so.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.records import FrameHeader
from necroangle.dicom.stacks import Depths

LONG_PAUSE = 3.0
"""A pause between two volumes is so many times as long as any within one."""

_WORDS = {
    "W": "water", "WATER": "water", "F": "fat", "FAT": "fat",
    "IP": "in phase", "IN_PHASE": "in phase", "OP": "out of phase", "OUT_PHASE": "out of phase",
    "OPP_PHASE": "out of phase", "M": "magnitude", "MAGNITUDE": "magnitude", "P": "phase",
    "PHASE": "phase", "R": "real", "REAL": "real", "I": "imaginary", "IMAGINARY": "imaginary",
}  # fmt: skip
"""Words of ``ImageType`` that may be shown."""

Labels = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Key:
    """Something that may tell frames at one position apart."""

    name: str
    look: Callable[[FrameHeader], Hashable]
    words: Callable[[Hashable, int], str]
    at_one_position: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A partition of frames: (N,) labels, and the words of each."""

    name: str
    labels: Labels
    words: tuple[str, ...]


def bound(labels: Labels, places: Labels) -> float:
    """The best that a partition can do that keeps the labels apart.

    Layer k of a label holds the positions that occur there at least k times. No partition into
    volumes without repeats can reach a larger sum of squared sizes than the layers do.
    """
    code = labels * (int(places.max()) + 1) + places
    order = np.argsort(code, kind="stable")
    starts = np.concatenate(([True], np.diff(code[order]) != 0))
    first = np.maximum.accumulate(np.where(starts, np.arange(len(code)), 0))
    rank = np.empty(len(code), np.intp)
    rank[order] = np.arange(len(code)) - first
    layers = np.bincount(labels * (int(rank.max()) + 1) + rank)
    return float((layers.astype(float) ** 2).sum())


def numbered_split(name: str, labels: Labels) -> Split:
    """The partition of an order: its volumes are numbered, for no value names them."""
    return Split(name, labels, tuple(f"volume {n}" for n in range(1, int(labels.max()) + 2)))


def split_by(found: Depths, key: Key) -> Split | None:
    """The partition by a key; frames without a value are a label of their own."""
    values = [key.look(frame) for frame in found.frames]
    stated = sorted(set(values) - {None, ()})  # type: ignore[type-var]
    numbers = {value: number for number, value in enumerate(stated)}
    words = [key.words(value, number) for number, value in enumerate(stated, start=1)]
    if len(stated) < len(set(values)):
        words.append(f"{key.name} not stated")
    if len(words) < 2:
        return None
    labels = np.array([numbers.get(value, len(stated)) for value in values], np.intp)
    return Split(key.name, labels, tuple(words))


def _word(value: Hashable, number: int) -> str:
    words = value if isinstance(value, tuple) else ()
    known = dict.fromkeys(_WORDS[word] for word in words if word in _WORDS)
    return "image type " + (" ".join(known) or str(number))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


_IMAGE_TYPE = Key("image type", lambda f: f.repeat.image_words, _word, at_one_position=True)
_ECHO_TIME = Key(
    "echo time",
    lambda f: _rounded(f.repeat.echo_time_ms, 2),
    lambda value, _: f"echo time {value:g} ms",
    at_one_position=True,
)
_B_VALUE = Key(
    "b-value",
    lambda f: f.repeat.b_value,
    lambda value, _: f"b-value {value:g}",
    at_one_position=True,
)
_INVERSION = Key(
    "inversion time",
    lambda f: _rounded(f.facts.inversion_time_ms, 1),
    lambda value, _: f"inversion time {value:g} ms",
    at_one_position=True,
)


STACK = Key("stack", lambda f: f.repeat.stack_id, lambda _, number: f"stack {number}")
ACQUISITION = Key(
    "acquisition", lambda f: f.repeat.acquisition_number, lambda value, _: f"acquisition {value}"
)
FILE = Key("file", lambda f: f.source.instance_uid, lambda _, number: f"file {number}")
"""What may part a stack whose positions are its own, and uneven."""


def exact_keys(found: Depths) -> list[Key]:
    """What may tell frames apart, the surest and most telling first."""
    axes = max(len(frame.repeat.dimensions) for frame in found.frames)
    return [
        _IMAGE_TYPE,
        _ECHO_TIME,
        Key("echo", lambda f: f.repeat.echo_number, lambda value, _: f"echo {value}", True),
        _B_VALUE,
        Key(
            "time point",
            lambda f: f.repeat.temporal_position,
            lambda value, _: f"time point {value}",
        ),
        Key(
            "b-value and direction",
            lambda f: f.repeat.gradient and (f.repeat.b_value or 0.0, f.repeat.gradient),
            lambda _, number: f"direction {number}",
        ),
        ACQUISITION,
        *(
            Key(f"dimension {n + 1}", partial(_dimension, n), partial(_dimension_words, n))
            for n in range(axes)
        ),
        _INVERSION,
        Key(
            "flip angle",
            lambda f: _rounded(f.repeat.flip_angle_deg, 1),
            lambda value, _: f"flip angle {value:g}°",
        ),
        STACK,
        Key(
            "trigger time",
            lambda f: _rounded(f.repeat.trigger_time_ms, 1),
            lambda value, _: f"trigger time {value:g} ms",
        ),
        Key(
            "file",
            lambda f: (f.repeat.instance_number or 0, f.source.instance_uid),
            lambda _, number: f"file {number}",
        ),
        Key("acquisition time", lambda f: f.repeat.acquired_s, lambda _, n: f"time {n}"),
        Key("content time", lambda f: f.repeat.stored_s, lambda _, n: f"time {n}"),
    ]


def _dimension(axis: int, frame: FrameHeader) -> int | None:
    values = frame.repeat.dimensions
    return values[axis] if axis < len(values) else None


def _dimension_words(axis: int, value: Hashable, _: int) -> str:
    return f"dimension {axis + 1} index {value}"


def _own_numbers(found: Depths) -> NDArray[np.int64] | None:
    """(N,) instance numbers, where every frame has its own."""
    numbers = [frame.repeat.instance_number for frame in found.frames]
    if None in numbers or len(set(numbers)) < len(numbers):
        return None
    return np.array(numbers, np.int64)


def _blocks(found: Depths) -> Labels | None:
    """By blocks of instance numbers: the stride is what is usual between repeats of a position.

    The number of positions is no stride: one lost or foreign slice would move every block.
    """
    numbers = _own_numbers(found)
    if numbers is None:
        return None
    order = np.lexsort((numbers, found.places))
    same = np.diff(found.places[order]) == 0
    apart = np.diff(numbers[order])[same]
    strides, counts = np.unique(apart, return_counts=True)
    stride = int(strides[np.argmax(counts)])
    if stride < 2 or np.mean(apart % stride == 0) < 0.8:
        return None
    lowest = int(numbers.min())
    start = 1 if 1 <= lowest <= stride else lowest
    return np.unique((numbers - start) // stride, return_inverse=True)[1].astype(np.intp)


def _first_run(found: Depths) -> Labels | None:
    """Two runs, the first of which holds every position: what comes after is its second images."""
    numbers = _own_numbers(found)
    if numbers is None or int(np.bincount(found.places).max()) != 2:
        return None
    order = np.argsort(numbers)
    if len(set(found.places[order[: found.positions]].tolist())) < found.positions:
        return None
    labels = np.ones(len(numbers), np.intp)
    labels[order[: found.positions]] = 0
    return labels


def _own_values(found: Depths, name: str) -> NDArray[np.float64] | None:
    """(N,) values of a repeat key, where every frame has its own."""
    values = [getattr(frame.repeat, name) for frame in found.frames]
    if None in values or len(set(values)) < len(values):
        return None
    return np.array(values, float)


def _pauses(name: str, found: Depths) -> Labels | None:
    """By the widest pauses between times, where these stand out against all others."""
    values = [getattr(frame.repeat, name) for frame in found.frames]
    if None in values:
        return None
    times = np.array(values, float)
    volumes = int(np.bincount(found.places).max())
    order = np.argsort(times)
    waits = np.diff(times[order])
    widest = np.argsort(waits)[::-1]
    cuts, rest = widest[: volumes - 1], widest[volumes - 1 :]
    if waits[cuts].min() <= 0 or (len(rest) and waits[cuts].min() < LONG_PAUSE * waits[rest].max()):
        return None
    labels = np.empty(len(times), np.intp)
    labels[order] = np.searchsorted(np.sort(cuts), np.arange(len(times)), side="left")
    return labels


def _runs(name: str, found: Depths) -> Labels | None:
    """By runs of numbers or times: a new one starts where the order of the positions goes back."""
    numbers = _own_values(found, name)
    if numbers is None:
        return None
    order = np.argsort(numbers)
    places = found.places[order].tolist()
    seen: set[int] = set()
    offsets: dict[int, list[int]] = {}
    count = 0
    for place in places:
        if place in seen:
            seen, count = set(), 0
        seen.add(place)
        offsets.setdefault(place, []).append(count)
        count += 1
    # where in a run a position usually comes: a run's first slice may be lost
    usual = {place: float(np.median(found)) for place, found in offsets.items()}
    labels = np.empty(len(places), np.intp)
    run, last = 0, -1.0
    for index, place in zip(order.tolist(), places, strict=True):
        run += usual[place] <= last
        last = usual[place]
        labels[index] = run
    return labels


def ranks(found: Depths) -> Labels | None:
    """By the order within each position, where every position has as many frames as the others.

    With one frame lost, every later one at its position would change volume.
    """
    counts = np.bincount(found.places)
    if counts.min() != counts.max():
        return None
    for name in ("temporal_position", "trigger_time_ms", *_TIMES, "instance_number"):
        values = [getattr(frame.repeat, name) for frame in found.frames]
        pairs = set(zip(found.places.tolist(), values, strict=True))
        if None in values or len(pairs) < len(values):
            continue
        order = np.lexsort((np.array(values, float), found.places))
        labels = np.empty(len(values), np.intp)
        labels[order] = np.tile(np.arange(counts[0]), len(counts))
        return labels
    return None


_TIMES = ("acquired_s", "stored_s")
ORDERS: dict[str, Callable[[Depths], Labels | None]] = {
    "blocks": _blocks,
    "first run": _first_run,
    **{f"pauses of {name}": partial(_pauses, name) for name in (*_TIMES, "trigger_time_ms")},
    **{f"runs of {name}": partial(_runs, name) for name in ("instance_number", *_TIMES)},
}


_CONTRAST_ECHO = replace(_ECHO_TIME, look=lambda f: _rounded(f.repeat.echo_time_ms, 1))
_REPETITION = Key(
    "repetition time",
    lambda f: _rounded(f.facts.repetition_time_ms, 0),
    lambda value, _: f"repetition time {value:g} ms",
)
_SEQUENCE = Key(
    "sequence",
    lambda f: (*f.facts.scanning_sequence, "with", *f.facts.scan_options),
    lambda _, number: f"sequence {number}",
)
_FLIP = Key(
    "flip angle",
    lambda f: _rounded(f.facts.flip_angle_deg, 0),
    lambda value, _: f"flip angle {value:g}°",
)
_MEDIUM = Key(
    "contrast medium",
    lambda f: (f.facts.has_medium,),
    lambda value, _: "with contrast medium" if value == (True,) else "without contrast medium",
)
CONTRAST_KEYS = (
    _CONTRAST_ECHO,
    _INVERSION,
    _B_VALUE,
    _REPETITION,
    _FLIP,
    _MEDIUM,
    _SEQUENCE,
    _IMAGE_TYPE,
)
"""What slices of one contrast share."""
