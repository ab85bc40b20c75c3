"""Pictures of every step of reading a hip, from the samples: ``make screens``.

Each scene is a function that brings the window to a state, named in :data:`SCENES` with the size
of its window. A scene begins with an empty window and a folder of its own; what it shows is the
same on every run: fixed samples, no dates, no names of the machine's folders.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
SCREENS = DOCS / "screens"
SAMPLES = DOCS.parent / "sample_dicoms"
README_PICTURE = DOCS / "window.png"

LAPTOP, SMALL, LARGE = (960, 540), (1280, 800), (1920, 1080)
"""Of windows, logical pixels; the first is a full HD screen at 200 %."""

MOST_BYTES = 3_000_000
"""All pictures together stay below this."""
GREY_STEP, GREY_SPREAD, COLOURS, KEPT = 8, 6, 200, 40
"""How the pictures are made small."""


class Stage:
    """A window with the dock, and a study folder of its own.

    Parameters
    ----------
    dock
        The reading dock.
    folder
        An empty folder.
    """

    def __init__(self, dock: Any, folder: Path) -> None:
        self.dock, self._folder = dock, folder / "study"
        self._folder.mkdir()

    def open(self, sample: str) -> None:
        """Open a copy of a sample study, with the name that a reader would see."""
        from napari_necroangle.window import settle

        self.dock.workspace.reader = "r1"
        self.dock.open_folder(shutil.copytree(SAMPLES / sample, self._folder / sample))
        settle(300)

    def keep(self, *names: str, reader: str = "r1") -> None:
        """Lay readings of the samples into the readings folder, as of one reader."""
        import msgspec

        from necroangle.annotation import file_name, save_reading

        readings = self._folder / "readings"
        readings.mkdir(exist_ok=True)
        for name in names:
            own = msgspec.structs.replace(saved_reading(name), reader=reader)
            save_reading(own, readings / file_name(own))

    def take(self, visit: str, side: str) -> None:
        """Take up a hip of the open study."""
        from necroangle.terms import Laterality

        found = next(one for one in self.dock.workspace.visits if one.visit == visit)
        self.dock.free.take(found, Laterality(side), found.pairs[0])

    def mark(self, name: str, place: int, *what: str) -> None:
        """Mark a view as a saved reading has it: ``rim``, and ``arc`` or single points of it."""
        entry: Any = saved_reading(name).views[place]
        plane = self.dock.planes[place]
        uids = [one.instance_uid for one in plane.picture.volume.sources]
        plane.go_to(uids.index(entry.image.instance_uid))
        for part in what:
            if part == "rim":
                self.draw(place, entry.rim)
            else:
                names = ("start", "end", "via") if part == "arc" else (part,)
                self._click(place, [getattr(entry.arcs[0], one) for one in names])

    def worklist(self, *samples: str) -> Path:
        """The worklist of a reader study of some samples, for the readers A and B."""
        from necroangle.cli.readings.worklist import command

        images, path = self._folder / "images", self._folder / "study.worklist.json"
        for sample in samples:
            shutil.copytree(SAMPLES / sample, images / sample)
        words = ["make", str(images), "--readers", "A", "B", "--repeats", "0", "--seed", "7"]
        command.main([*words, "-o", str(path)], standalone_mode=False)
        return path

    def two_readers(self, name: str) -> tuple[Path, Path]:
        """A saved reading as r1's, and with some marks beside it as r2's."""
        from msgspec.structs import replace

        from necroangle.annotation import Mark, file_name, save_reading

        first: Any = replace(saved_reading(name), reader="r1")
        views = []
        for view in first.views:
            plane, (arc, *others) = view.plane.plane(), view.arcs
            row, column = arc.start.pixel
            start = Mark.at_pixel(plane, row + 6.0, column - 3.0)
            rim = tuple(
                Mark.at_pixel(plane, r + 1.0, c + 1.5) for r, c in (m.pixel for m in view.rim)
            )
            views.append(replace(view, rim=rim, arcs=(replace(arc, start=start), *others)))
        second = replace(first, reader="r2", views=tuple(views))
        paths = []
        for reading in (first, second):
            paths.append(self._folder / "readings" / file_name(reading))
            paths[-1].parent.mkdir(exist_ok=True)
            save_reading(reading, paths[-1])
        return paths[0], paths[1]

    def run(self, name: str, place: int = 0) -> None:
        """Press a key on a view."""
        self.dock.commands.run(name, self.dock.planes[place].view)

    def draw(self, place: int, marks: Iterable[Any]) -> None:
        """Draw a rim through marks, in one drag."""
        plane, case = self.dock.planes[place], self.dock.workspace.case
        self.dock.commands.touched(plane.view)
        case.draw(plane.view, plane.slice_index, [self._uv(plane, mark) for mark in marks])
        case.end_stroke(plane.view)
        self.dock.commands.stroked()

    def _click(self, place: int, marks: Iterable[Any]) -> None:
        plane, case = self.dock.planes[place], self.dock.workspace.case
        self.dock.commands.touched(plane.view)
        for mark in marks:
            spot = self._uv(plane, mark)
            self.dock.commands.clicked(plane.view, case.click(plane.view, plane.slice_index, spot))

    def points(self, place: int, marks: Iterable[Any]) -> list[tuple[float, float]]:
        """Plane mm of marks on the slice that a view shows."""
        return [self._uv(self.dock.planes[place], mark) for mark in marks]

    def _uv(self, plane: Any, mark: Any) -> tuple[float, float]:
        """Plane mm of a mark on the slice that is shown."""
        import numpy as np

        from necroangle.geometry import PatientPoints

        here = plane.picture.volume.planes[plane.slice_index]
        u, v = here.patient_to_plane(PatientPoints(np.array([mark.patient_mm])))[0].tolist()
        return u, v


RIGHT = "PHANTOM-01__R__baseline"


def start(stage: Stage) -> None:
    """Nothing is open yet."""


def head(stage: Stage) -> None:
    """The coronal rim is drawn, the sagittal one is next, on the proposed slice."""
    stage.open("plain")
    stage.mark(RIGHT, 0, "rim")


def slices(stage: Stage) -> None:
    """A slice that is not the nearest to the head's centre."""
    stage.open("plain")
    stage.mark(RIGHT, 0, "rim")
    plane = stage.dock.planes[1]

    entry: Any = saved_reading(RIGHT).views[1]
    plane.go_to(plane.slice_index + 2)
    stage.draw(1, entry.rim)


def arc(stage: Stage) -> None:
    """One end of the arc is placed and magnified."""
    stage.open("plain")
    for place in (0, 1):
        stage.mark(RIGHT, place, "rim")
    stage.dock.commands.magnifies = True
    stage.mark(RIGHT, 0, "start")


def finished(stage: Stage) -> None:
    """Both views are read: angle, interval, grade."""
    stage.open("plain")
    stage.dock.commands.magnifies = False
    for what in ("rim", "arc"):
        for place in (0, 1):
            stage.mark(RIGHT, place, what)
    stage.dock.commands.magnifies = True


def help_sheet(stage: Stage) -> None:
    """All keys over the window."""
    finished(stage)
    stage.run("help")


def extras(stage: Stage) -> None:
    """Landmarks, outline, stage and notes."""
    finished(stage)
    from napari_necroangle.reading.steps import Step

    stage.dock.commands.go_to(Step.MORE)
    stage.dock.commands.touched(stage.dock.planes[0].view)
    stage.run("landmark")


def followup(stage: Stage) -> None:
    """The baseline in dashes over the follow-up, and the change since."""
    name = "PHANTOM-04__R__{}"
    stage.keep(name.format("baseline"))
    stage.open("two_visits")
    stage.take("month_12", "R")
    stage.dock.commands.magnifies = False
    for what in ("rim", "arc"):
        for place in (0, 1):
            stage.mark(name.format("month_12"), place, what)
    stage.dock.commands.magnifies = True
    stage.run("ghost")
    for place in (0, 1):
        stage.run("recall", place)


def beside(stage: Stage) -> None:
    """The baseline's picture beside the follow-up's."""
    followup(stage)
    stage.dock.turn_to(stage.dock.planes[0].view)
    stage.run("second_picture")


def radiograph(stage: Stage) -> None:
    """A pair of radiographs."""
    stage.open("radiographs")
    stage.dock.commands.magnifies = False
    for what in ("rim", "arc"):
        for place in (0, 1):
            stage.mark("PHANTOM-06__R__baseline", place, what)


def single(stage: Stage) -> None:
    """One canvas, for a small screen."""
    finished(stage)
    stage.run("layout")


def tour(stage: Stage) -> None:
    """The first card of the tour."""
    stage.dock.guide.begin()


def worklist(stage: Stage) -> None:
    """A reader study: the reader's blinded list, and its first case marked."""
    path = stage.worklist("plain", "oblique", "normal")
    stage.dock.open_worklist(path, "A")


def adjudication(stage: Stage) -> None:
    """Two readers' marks of one hip over each other."""
    stage.open("plain")
    stage.dock.compare(*stage.two_readers(RIGHT))


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture.

    Attributes
    ----------
    name
        Of its file in ``docs/screens``.
    play
        Brings the window there.
    size
        (width, height) of the window, pixels.
    theme
        Of napari's settings: ``"dark"`` or ``"light"``.
    """

    name: str
    play: Callable[[Stage], None]
    size: tuple[int, int] = SMALL
    theme: str = "dark"


SCENES = (
    Scene("start", start),
    Scene("head", head),
    Scene("slices", slices),
    Scene("arc", arc),
    Scene("finished", finished),
    Scene("help", help_sheet),
    Scene("extras", extras),
    Scene("followup", followup),
    Scene("beside", beside),
    Scene("radiograph", radiograph),
    Scene("single", single),
    Scene("tour", tour),
    Scene("worklist", worklist),
    Scene("adjudication", adjudication),
    Scene("finished_960", finished, LAPTOP, "light"),
    Scene("finished_1920", finished, LARGE),
    Scene("followup_1920", followup, LARGE),
)
README_SCENE = Scene("window", finished, (1700, 950))


def take_picture(scene: Scene, path: Path, folder: Path) -> None:
    """Play a scene in a new window and save what the window shows."""
    from napari.settings import get_settings
    from napari_necroangle.window import DRAWING_MS, close_window, open_window, settle

    get_settings().appearance.theme = scene.theme
    dock: Any = open_window(scene.size)
    try:
        scene.play(Stage(dock, folder))
        dock.refresh()
        settle(DRAWING_MS)
        save_compact(dock.window().grab(), path)
    finally:
        close_window(dock)


def save_compact(picture: Any, path: Path) -> None:
    """Save a window's picture as a small PNG, with no date and no program inside.

    Greys are kept in steps of 8, which is less than the samples' noise; colours get the rest of the
    palette, the commonest as they are.
    """
    import numpy as np
    from PIL import Image
    from qtpy.QtGui import QImage

    shown = picture.toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1)
    pixels = raw[:, : 3 * shown.width()].reshape(-1, 3).copy()
    is_grey = np.ptp(pixels, axis=1) <= GREY_SPREAD
    steps = np.round(pixels[is_grey].mean(axis=1) / GREY_STEP) * GREY_STEP
    pixels[is_grey] = np.minimum(steps, 255).astype(np.uint8)[:, None]
    pixels[~is_grey] = _few_colours(pixels[~is_grey])
    palette, index = np.unique(pixels, axis=0, return_inverse=True)
    image = Image.fromarray(index.reshape(shown.height(), shown.width()).astype(np.uint8), "P")
    image.putpalette(palette.tobytes())
    image.save(path, optimize=True)


def _few_colours(pixels: Any) -> Any:
    """(N, 3) coloured pixels with few colours: the commonest, as of the dock, stay as they are."""
    import numpy as np
    from PIL import Image

    colours, which, count = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    common = np.argsort(-count)[:KEPT]
    rare = np.setdiff1d(np.arange(len(colours)), common)
    if len(rare):
        of_lines = Image.fromarray(colours[rare][None])
        few = of_lines.quantize(
            COLOURS - KEPT, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        colours[rare] = np.asarray(few.convert("RGB"))[0]
    return colours[which.reshape(-1)]


def main(names: Iterable[str]) -> None:
    """Make the named pictures, or all."""
    wanted = set(names)
    unknown = wanted - {one.name for one in (*SCENES, README_SCENE)}
    if unknown:
        raise SystemExit(f"no such scene: {', '.join(sorted(unknown))}")
    SCREENS.mkdir(exist_ok=True)
    for scene in (*SCENES, README_SCENE):
        if wanted and scene.name not in wanted:
            continue
        path = README_PICTURE if scene is README_SCENE else SCREENS / f"{scene.name}.png"
        with tempfile.TemporaryDirectory() as name:
            take_picture(scene, path, Path(name))
        print(f"{path.relative_to(DOCS.parent)}  {path.stat().st_size // 1024} kB")


def saved_reading(name: str) -> Any:
    """A reading of the samples."""
    from necroangle.annotation import load_reading

    return load_reading(saved_path(name))


def saved_path(name: str) -> Path:
    """Its file."""
    return SAMPLES / "readings" / f"{name}__truth__1.reading.json"


def prepare() -> None:
    """A reader without settings, on a screen without high resolution."""
    home = tempfile.mkdtemp()
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = home
    os.environ["NAPARI_CONFIG"] = str(Path(home) / "napari.yaml")
    os.environ["QT_SCALE_FACTOR"] = "1"


if __name__ == "__main__":
    prepare()
    main(sys.argv[1:])
