"""The marks of readings as a table of points (CSV), and such tables in.

One line a mark: whose it is, on which image, what it is, patient LPS mm and pixel. UTF-8, comma and
dot. In, millimetres count; the images must be at hand, for a plane has no place in such a table.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from necroangle.annotation import HipReading, Mark, NeighbourSlice, ReadingKey, ReadView
from necroangle.errors import NecroangleError
from necroangle.interop.drawings import Drawing, Taken
from necroangle.terms import Laterality

POINT_COLUMNS = (
    *("subject", "laterality", "visit", "reader", "read_no", "view", "instance_uid"),
    *("frame_number", "mark", "number", "x_mm", "y_mm", "z_mm", "row", "column"),
)
_NEEDED = ("subject", "laterality", "visit", "reader", "mark", "number", "x_mm", "y_mm", "z_mm")
_ARC = ("arc_start", "arc_via", "arc_end")
MOST_ROWS = 1_000_000


def points_table(readings: Iterable[HipReading]) -> str:
    """All marks of some readings as CSV.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> table = points_table(readings_of(sample_studies()["plain"])[:1])
    >>> table.splitlines()[1].split(",")[:6]
    ['PHANTOM-01', 'R', 'baseline', 'truth', '1', 'coronal']
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(POINT_COLUMNS)
    for reading in readings:
        key = [str(part) for part in reading.key]
        for view in reading.views:
            if not isinstance(view, ReadView):
                continue
            slices: list[ReadView | NeighbourSlice] = [view, *view.neighbours]
            for marked in slices:
                image = [marked.image.instance_uid, marked.image.frame_number]
                for what, number, mark in _marks(marked):
                    place = [*mark.patient_mm, *mark.pixel]
                    writer.writerow([*key, str(view.view), *image, what, number, *map(repr, place)])
    return stream.getvalue()


def _marks(marked: ReadView | NeighbourSlice) -> Iterator[tuple[str, int, Mark]]:
    """Every mark of a slice: what it is, and which, from 1."""
    for number, mark in enumerate(marked.rim, start=1):
        yield "rim", number, mark
    for number, arc in enumerate(marked.arcs, start=1):
        yield from zip(_ARC, (number,) * 3, (arc.start, arc.via, arc.end), strict=True)
    if isinstance(marked, ReadView):
        for landmark in marked.landmarks:
            yield str(landmark.name), 1, landmark.mark
        for number, mark in enumerate(marked.contour, start=1):
            yield "contour", number, mark


def take_points(path: Path) -> Taken:
    """The rims and arcs of a table of points, as drawings of the readers that it names.

    Raises
    ------
    NecroangleError
        If it is no such table, or a line of it is wrong: file, line and what was found.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise NecroangleError(f"{path.name}: no UTF-8") from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise NecroangleError(f"{path.name}: no table of points: no column {', '.join(missing)}")
    slices: dict[tuple[ReadingKey, tuple[str, int] | None], dict[tuple[str, int], list[float]]]
    slices = defaultdict(dict)
    left: set[str] = set()
    try:
        for number, row in enumerate(rows, start=2):
            if number > MOST_ROWS:
                raise NecroangleError(f"{path.name}: more than {MOST_ROWS} lines")
            owner, image, mark, place = _row(row, f"{path.name}: line {number}")
            if mark[0] in ("rim", *_ARC):
                slices[owner, image][mark] = place
            else:
                left.add(mark[0])
    except csv.Error:
        raise NecroangleError(f"{path.name}: no valid CSV") from None
    drawings = [
        one for (owner, image), marks in slices.items() for one in _drawn(owner, image, marks)
    ]
    notes = [f"marks that a draft does not take: {', '.join(sorted(left))}"] if left else []
    return Taken(path.name, drawings=tuple(drawings), notes=tuple(notes))


def _row(
    row: dict[str, str], where: str
) -> tuple[ReadingKey, tuple[str, int] | None, tuple[str, int], list[float]]:
    try:
        owner = ReadingKey(
            row["subject"].strip(),
            Laterality(row["laterality"].strip()),
            row["visit"].strip(),
            row["reader"].strip(),
            int(row.get("read_no") or 1),
        )
        uid = (row.get("instance_uid") or "").strip()
        image = (uid, int(row.get("frame_number") or 1)) if uid else None
        place = [float(row[name]) for name in ("x_mm", "y_mm", "z_mm")]
        number = int(row["number"])
    except (ValueError, TypeError, AttributeError):
        raise NecroangleError(f"{where}: a side, a number or a coordinate is wrong") from None
    if not all(abs(one) < 1e6 for one in place):
        raise NecroangleError(f"{where}: no place within 1 km")
    return owner, image, (row["mark"].strip(), number), place


def _drawn(
    owner: ReadingKey, image: tuple[str, int] | None, marks: dict[tuple[str, int], list[float]]
) -> Iterator[Drawing]:
    rim = [place for (what, _), place in sorted(marks.items()) if what == "rim"]
    if rim:
        yield Drawing("rim", np.array(rim), "table", image, side=owner.laterality, owner=owner)
    for number in sorted({number for what, number in marks if what in _ARC}):
        places = [marks.get((what, number)) for what in _ARC]
        if None not in places:
            points = np.array(places, float)
            yield Drawing("arc", points, "table", image, side=owner.laterality, owner=owner)
