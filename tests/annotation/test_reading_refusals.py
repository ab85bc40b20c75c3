"""What a reading file may not hold, each refusal naming the file and the place."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hipmaker import make_reading

from necroangle.annotation import decode_reading, encode_reading, load_reading
from necroangle.errors import ReadingError
from necroangle.terms import View

Content = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A fault put into the content of a good file, and where the refusal must place it."""

    name: str
    spoil: Callable[[Content], object]
    place: str
    problem: str


def _a_view(content: Content) -> Content:
    view: Content = content["views"][0]
    return view


def _swap_spacing(content: Content) -> None:
    plane = _a_view(content)["plane"]
    plane["row_spacing_mm"], plane["column_spacing_mm"] = (
        plane["column_spacing_mm"],
        plane["row_spacing_mm"],
    )


def _swap_pixel(content: Content) -> None:
    _a_view(content)["rim"][3]["pixel"].reverse()


def _leave_plane(content: Content) -> None:
    _a_view(content)["arcs"][0]["via"]["patient_mm"][1] += 5.0


def _set(key: str, value: object) -> Callable[[Content], object]:
    return lambda content: content.__setitem__(key, value)


def _entered(name: str, value: object) -> Callable[[Content], object]:
    return lambda content: content["entries"].__setitem__(name, value)


def _set_a(key: str, value: object) -> Callable[[Content], object]:
    return lambda content: _a_view(content).__setitem__(key, value)


def _add_neighbour(**changes: object) -> Callable[[Content], object]:
    """A neighbour with no marks 4 mm behind the coronal slice, with something changed."""

    def spoil(content: Content) -> None:
        view = _a_view(content)
        plane, image = dict(view["plane"]), dict(view["image"])
        x, y, z = plane["origin_mm"]
        plane["origin_mm"] = [x, y + 4.0, z]
        image["instance_uid"] += ".7"
        parts = {**plane, **image}
        parts.update(changes)
        view["neighbours"] = [
            {
                "plane": {key: parts[key] for key in plane},
                "image": {key: parts[key] for key in image},
                "rim": [],
                "arcs": [],
            }
        ]

    return spoil


def _add_landmarks(content: Content) -> None:
    mark = _a_view(content)["rim"][0]
    _a_view(content)["landmarks"] = [{"name": "teardrop", "mark": mark}] * 2


FAULTS = (
    Fault(
        "a neighbour of another series",
        _add_neighbour(series_uid="1.2.9"),
        "$.views[0].neighbours[0].image",
        "same series",
    ),
    Fault(
        "a neighbour on the view's own image",
        _add_neighbour(instance_uid="1.2.3.2.1"),
        "$.views[0].neighbours[0].image",
        "another image",
    ),
    Fault(
        "a neighbour that is tilted",
        _add_neighbour(row_cosine=[0.8, 0.6, 0.0]),
        "$.views[0].neighbours[0].plane",
        "parallel",
    ),
    Fault("a landmark twice", _add_landmarks, "$.views[0].landmarks", "marked twice"),
    Fault(
        "a contour off its plane",
        lambda c: _a_view(c).__setitem__("contour", [{"patient_mm": [0, 0, 0], "pixel": [0, 0]}]),
        "$.views[0].contour[0]",
        "off its image plane",
    ),
    Fault("unknown key", _set("angle", 1), "$", "unknown field `angle`"),
    Fault("unknown key inside", _set_a("angle", 1), "$.views[0]", "unknown field `angle`"),
    Fault("missing key", lambda c: c.pop("notes"), "$", "missing required field `notes`"),
    Fault("missing key inside", lambda c: _a_view(c).pop("rim"), "$.views[0]", "`rim`"),
    Fault("text for a number", _set("read_no", "1"), "$.read_no", "Expected `int`"),
    Fault("fraction for a count", _set("read_no", 1.5), "$.read_no", "Expected `int`"),
    Fault("read number 0", _set("read_no", 0), "$.read_no", ">= 1"),
    Fault("huge whole number", _set("read_no", 10**400), "$.read_no", "Expected `int`"),
    Fault("null for a text", _set("notes", None), "$.notes", "Expected `str`"),
    Fault("another format", _set("format", "other"), "$.format", "Invalid enum value"),
    Fault("a newer version", _set("version", 4), "$.version", "newer than this program"),
    Fault("unknown side", _set("laterality", "B"), "$.laterality", "Invalid enum value"),
    Fault("unknown stage", _entered("arco", "5"), "$.entries.arco", "Invalid enum value"),
    Fault("no stage", _entered("arco", None), "$.entries.arco", "Expected `str`"),
    Fault("unknown entry", _entered("aroc", "2"), "$.entries", "unknown field `aroc`"),
    Fault("one view", lambda c: c["views"].pop(), "$.views", "length 2"),
    Fault("id with slash", _set("subject", "../x"), "$.subject", "regex"),
    Fault("id with newline", _set("subject", "S01\n"), "$.subject", "regex"),
    Fault("id with two underscores", _set("visit", "m__0"), "$.visit", "regex"),
    Fault("id with formula", _set("reader", "=1+1"), "$.reader", "regex"),
    Fault("empty id", _set("subject", ""), "$.subject", "regex"),
    Fault("id of 65 letters", _set("subject", "S" * 65), "$.subject", "regex"),
    Fault("notes too long", _set("notes", "x" * 2001), "$.notes", "length <= 2000"),
    Fault("local time", _set("saved_at", "2026-01-31 08:15"), "$.saved_at", "regex"),
    Fault("spacings swapped", _swap_spacing, "$.views[0].rim[0]", "may be swapped"),
    Fault("row and column swapped", _swap_pixel, "$.views[0].rim[3]", "may be swapped"),
    Fault("mark off its plane", _leave_plane, "$.views[0].arcs[0].via", "5.000 mm off"),
    Fault("necrosis without arc", _set_a("arcs", []), "$.views[0].finding", "needs an arc"),
    Fault(
        "arc without necrosis", _set_a("finding", "no_necrosis"), "$.views[0].finding", "1 arcs"
    ),
    Fault("no rim under an arc", _set_a("rim", []), "$.views[0].rim", "at least 3"),
    Fault(
        "two rim marks", lambda c: c["views"][0]["rim"].__delitem__(slice(2, None)),
        "$.views[0].rim", "found 2",
    ),
    Fault("B view first", lambda c: c["views"].reverse(), "$.views[0].view", "coronal or ap"),
    Fault(
        "one image twice",
        lambda c: c["views"][1].__setitem__("image", c["views"][0]["image"]),
        "$.views[1].image",
        "same image",
    ),
    Fault(
        "radiograph beside MR",
        lambda c: c["views"][1].__setitem__("view", "frog_leg"),
        "$.views[1].view",
        "must be sagittal",
    ),
    Fault(
        "MR in the detector's frame",
        lambda c: _a_view(c)["plane"].__setitem__("frame", "detector"),
        "$.views[0].plane.frame",
        "patient frame",
    ),
    Fault(
        "cosines no unit vectors",
        lambda c: _a_view(c)["plane"].__setitem__("row_cosine", [2.0, 0.0, 0.0]),
        "$.views[0].plane",
        "length 2",
    ),
    Fault(
        "spacing of nothing",
        lambda c: _a_view(c)["plane"].__setitem__("row_spacing_mm", 0.0),
        "$.views[0].plane",
        "positive",
    ),
    Fault(
        "an observation twice",
        _set_a("observations", ["flattened", "flattened"]),
        "$.views[0].observations",
        "twice",
    ),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_refused_with_file_and_place(tmp_path: Path, fault: Fault) -> None:
    content = json.loads(encode_reading(make_reading()))
    fault.spoil(content)
    path = tmp_path / "a.reading.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ReadingError) as refusal:
        load_reading(path)
    assert refusal.value.file == "a.reading.json"
    assert refusal.value.place == fault.place
    assert fault.problem in refusal.value.problem
    assert str(tmp_path) not in str(refusal.value)


def test_mixed_radiograph_lateral_is_refused() -> None:
    content = json.loads(encode_reading(make_reading(b_view=View.FROG_LEG)))
    content["views"][1]["view"] = "sagittal"
    with pytest.raises(ReadingError, match=r"views\[1\].view.*frog_leg or cross_table"):
        decode_reading(json.dumps(content).encode())


def _raw() -> bytes:
    return encode_reading(make_reading())


NUMBER = b'"row_spacing_mm": 0.6'

RAW = {
    "NaN": _raw().replace(NUMBER, b'"row_spacing_mm": NaN'),
    "Infinity": _raw().replace(NUMBER, b'"row_spacing_mm": -Infinity'),
    "1e999": _raw().replace(NUMBER, b'"row_spacing_mm": 1e999'),
    "5000 digits": _raw().replace(NUMBER, b'"row_spacing_mm": ' + b"9" * 5000),
    "deep nesting": _raw().replace(NUMBER, b'"row_spacing_mm": ' + b"[" * 100_000),
    "deep nesting alone": b"[" * 100_000,
    "deep objects": b'{"format":' * 50_000,
    "byte order mark": b"\xef\xbb\xbf" + _raw(),
    "UTF-16": _raw().decode().encode("utf-16"),
    "not UTF-8": _raw().replace(b'"notes": ""', b'"notes": "\xff\xfe"'),
    "lone surrogate": _raw().replace(b'"notes": ""', b'"notes": "\\ud800"'),
    "binary": bytes(range(256)) * 8,
    "empty": b"",
    "cut short": _raw()[: len(_raw()) // 2],
    "two documents": _raw() + _raw(),
    "comment": b"// a\n" + _raw(),
    "list": b"[]",
    "null": b"null",
    "duplicate key": _raw().replace(b'"notes": ""', b'"notes": "", "notes": "b"'),
    "duplicate key, same value": _raw().replace(NUMBER, NUMBER + b", " + NUMBER),
    "duplicate key, escaped": _raw().replace(b'"notes": ""', b'"notes": "", "n\\u006ftes": "b"'),
    "duplicate tag": _raw().replace(b'"status": "read"', b'"status": "read", "status": "read"', 1),
}


@pytest.mark.parametrize("name", RAW)
def test_hostile_bytes_are_refused(tmp_path: Path, name: str) -> None:
    assert RAW[name] != _raw()
    path = tmp_path / "a.reading.json"
    path.write_bytes(RAW[name])
    with pytest.raises(ReadingError, match=r"^a\.reading\.json: "):
        load_reading(path)


def test_a_duplicate_key_is_named() -> None:
    with pytest.raises(ReadingError, match="'notes' occurs twice"):
        decode_reading(RAW["duplicate key"])


def test_malformed_json_is_placed_by_line_and_column() -> None:
    raw = _raw().replace(b'"notes": ""', b'"notes": ,')
    line = raw[: raw.index(b'"notes": ,')].count(b"\n") + 1
    with pytest.raises(ReadingError) as refusal:
        decode_reading(raw)
    assert refusal.value.place.startswith(f"line {line}, column ")


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.reading.json"
    path.write_bytes(_raw() + b" " * (1 << 20))
    with pytest.raises(ReadingError, match="larger than 1 MiB"):
        load_reading(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match=r"gone\.reading\.json: there is no such file"):
        load_reading(tmp_path / "gone.reading.json")
    with pytest.raises(ReadingError, match="no such file"):
        load_reading(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.reading.json")
    with pytest.raises(ReadingError, match="no such file"):
        load_reading(tmp_path / "a.reading.json")
