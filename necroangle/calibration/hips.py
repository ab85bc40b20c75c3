"""The phantom hips of a calibration: which ones, how they are handed out, and where the truth lies.

Twenty hips, four contrasts times five sizes of lesion, each a subject of its own, read by one
reader from a blinded worklist in two sessions; some of the first are shown again in the second.
What is handed out is a folder with images and the worklist. The truth is a file beside that
folder: heads and lesions as numbers, from which the truth on any slice follows. All of it comes
from random numbers that the truth file alone holds, so nothing in the folder gives them away.
"""

import math
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from necroangle import __version__
from necroangle.annotation.words import Identifier, Software, UtcTime
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import PhantomError, system_words
from necroangle.geometry import PatientPoints
from necroangle.moments import utc_now
from necroangle.phantom import (
    Contrast,
    HeadForm,
    Lesion,
    MrLook,
    PhantomHip,
    PhantomStudy,
    SeriesGeometry,
    lesion_axis,
)
from necroangle.phantom.header import save
from necroangle.phantom.mr import MrSeries, mr_image, mr_series
from necroangle.phantom.truth import cut
from necroangle.readerstudy import Worklist, make_worklist, reading_list, save_worklist
from necroangle.readerstudy.worklist import StudyCase
from necroangle.storage import write_atomically
from necroangle.terms import Laterality, View

USUAL_HIPS = 20
SIZES_DEG = (36.0, 43.0, 50.0, 57.0, 64.0)
"""Half angles of the lesions; the combined angle is about four times that."""

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_REPEATED = 5
"""Every so many-th hip is shown again."""

_PIXEL_MM, _PIXELS, _SLICES = 0.8, 128, 9
_THICKNESS_MM, _GAP_MM = 4.0, 0.4
_HALF_DISTANCE_MM = 87.0
_TRIES = 400
_VISIT = "calibration"
_MAX_BYTES = 16 << 20


class CalibrationHip(Struct, frozen=True, forbid_unknown_fields=True):
    """One hip.

    Attributes
    ----------
    side
        Which hip of the study is read; the other is not in the pictures.
    size_deg
        The stratum of its lesion's half angle.
    study
        The phantom.
    """

    side: Laterality
    size_deg: float
    study: PhantomStudy

    @property
    def subject(self) -> str:
        """Its pseudonym, a random code."""
        return self.study.subject

    @property
    def contrast(self) -> Contrast:
        """What weights its pictures."""
        return (self.study.look or MrLook()).contrast

    @property
    def hip(self) -> PhantomHip:
        """The head and its lesion."""
        return self.study.hip(self.side)

    @property
    def series(self) -> tuple[MrSeries, MrSeries]:
        """The coronal series, and the sagittal one of this hip."""
        coronal, right, left = mr_series(self.study)
        return coronal, right if self.side is Laterality.RIGHT else left


class Truth(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The truth file: whose calibration, and its hips."""

    format: Literal["necroangle.calibration"]
    version: Literal[1]
    reader: Identifier
    seed: Annotated[int, Meta(ge=0, lt=1 << 62)]
    washout_days: Annotated[int, Meta(ge=0, le=3650)]
    made_at: UtcTime
    software: Software
    hips: Annotated[tuple[CalibrationHip, ...], Meta(min_length=4)]


_DECODER = msgspec.json.Decoder(Truth)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration: what is handed out, and the truth behind it.

    Attributes
    ----------
    folder
        What is handed out: ``images/``, the worklist, and later ``readings/``.
    truth
        What the truth file says.
    """

    folder: Path
    truth: Truth

    @property
    def reader(self) -> str:
        """The reader's code."""
        return self.truth.reader

    @property
    def hips(self) -> tuple[CalibrationHip, ...]:
        """The hips."""
        return self.truth.hips

    @property
    def worklist_path(self) -> Path:
        """The worklist, which is written once all images are there."""
        return self.folder / "calibration.worklist.json"

    @property
    def readings(self) -> Path:
        """Where the readings will lie."""
        return self.folder / "readings"

    @property
    def worklist(self) -> Worklist:
        """The list of cases; the same whenever it is asked for."""
        return _worklist(self.truth)

    def missing(self) -> list[tuple[int, int, int]]:
        """Hip, series and slice of every image that is not written yet."""
        return [
            (number, place, index)
            for number, hip in enumerate(self.hips)
            for place, series in enumerate(hip.series)
            for index in range(series.geometry.slices)
            if not self._path(hip, series, index).exists()
        ]

    @property
    def count(self) -> int:
        """How many images there are, once all are written."""
        return sum(series.geometry.slices for hip in self.hips for series in hip.series)

    def write(self, on_image: Callable[[], None] = lambda: None, workers: int = 1) -> None:
        """Write the images that are not there yet, each whole or not at all; then the worklist.

        Parameters
        ----------
        on_image
            Called once for every image.
        workers
            Processes that draw.

        Raises
        ------
        OSError
            If the disk refuses; what is written stays, and the next call goes on from there.
        """
        tasks = [
            (hip, place, index, str(self._path(hip, hip.series[place], index)))
            for number, place, index in self.missing()
            for hip in (self.hips[number],)
        ]
        for _ in _drawn(tasks, workers):
            on_image()
        if not self.worklist_path.exists():
            save_worklist(self.worklist, self.worklist_path)

    def _path(self, hip: CalibrationHip, series: MrSeries, index: int) -> Path:
        return self.folder / "images" / hip.subject / series.file(index)


def make_calibration(
    folder: Path,
    truth_path: Path,
    reader: str,
    *,
    hips: int = USUAL_HIPS,
    washout_days: int = 1,
    seed: int | None = None,
) -> Calibration:
    """Draw the hips of a calibration and keep their truth; no image is written yet.

    Parameters
    ----------
    folder
        What will be handed out; new or empty.
    truth_path
        Where the truth is kept: outside of ``folder``, and readable to its owner alone.
    reader
        The reader's code.
    hips
        How many: 20, a multiple of four; below 10 little is learnt.
    washout_days
        Between the two sittings.
    seed
        Of tests alone; by default random.

    Raises
    ------
    PhantomError
        If the truth would lie in the folder, something lies there already, or the number of hips
        is no multiple of four.
    """
    if truth_path.resolve().is_relative_to(folder.resolve()):
        raise PhantomError("the truth must not lie in the folder that is handed out")
    if hips < 4 or hips % 4:
        raise PhantomError(f"the hips must be a multiple of 4, the contrasts; found {hips}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PhantomError(f"{folder.name}: the folder is not empty; name a new or an empty folder")
    chance = np.random.default_rng(secrets.randbits(128) if seed is None else seed)
    drawn = _hips(hips, chance)
    draft = Truth(
        format="necroangle.calibration",
        version=1,
        reader=reader,
        seed=0,
        washout_days=washout_days,
        made_at=utc_now(),
        software=f"necroangle {__version__}",
        hips=drawn,
    )
    truth = msgspec.structs.replace(draft, seed=_fair_seed(draft, chance))
    _worklist(truth)  # refuses a reader's code that is none
    _keep_truth(truth, truth_path)
    folder.mkdir(parents=True, exist_ok=True)
    return Calibration(folder, truth)


def load_calibration(folder: Path, truth_path: Path) -> Calibration:
    """A calibration that was made before.

    Raises
    ------
    PhantomError
        If the truth file is missing or damaged.

    Examples
    --------
    >>> load_calibration(Path("cal"), Path("cal.truth.json"))
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: cal.truth.json: the truth of this calibration is not there
    """
    try:
        with truth_path.open("rb") as file:
            raw = file.read(_MAX_BYTES)
    except FileNotFoundError as error:
        raise PhantomError(
            f"{truth_path.name}: the truth of this calibration is not there"
        ) from error
    except OSError as error:
        raise PhantomError(f"{truth_path.name}: cannot be read: {system_words(error)}") from error
    try:
        return Calibration(folder, from_json(raw, _DECODER))
    except MalformedError as error:
        raise PhantomError(f"{truth_path.name}: {error}") from error


def _keep_truth(truth: Truth, path: Path) -> None:
    if path.exists():
        raise PhantomError(f"{path.name}: is there already; a calibration is made once")
    content = msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n"
    try:
        write_atomically(path, content)
        path.chmod(0o600)
    except OSError as error:
        raise PhantomError(f"{path.name}: cannot be written: {system_words(error)}") from error


# ---- which hips --------------------------------------------------------------------------------


def _hips(count: int, chance: np.random.Generator) -> tuple[CalibrationHip, ...]:
    """Every contrast with every size in turn; a third have a blurred or a double band."""
    contrasts = tuple(Contrast)
    made: list[CalibrationHip] = []
    codes: set[str] = set()
    for number in range(count):
        contrast = contrasts[number % len(contrasts)]
        size = SIZES_DEG[
            (number // len(contrasts) + 2 * (number % len(contrasts))) % len(SIZES_DEG)
        ]
        code = ""
        while not code or code in codes:
            code = "".join(_LETTERS[one] for one in chance.integers(0, 32, 6))
        codes.add(code)
        made.append(_hip(code, contrast, size, number % 3 == 0, chance))
    return tuple(made)


def _hip(
    code: str, contrast: Contrast, size_deg: float, unclear: bool, chance: np.random.Generator
) -> CalibrationHip:
    """A hip whose lesion shows in both views, on the slices about the head's centre."""
    while True:
        found = _drawn_hip(code, contrast, size_deg, unclear, chance)
        try:
            found.hip.refuse_neck()
        except PhantomError:
            continue
        if all(_shows_lesion(found, series) for series in found.series):
            return found


def _drawn_hip(
    code: str, contrast: Contrast, size_deg: float, unclear: bool, chance: np.random.Generator
) -> CalibrationHip:
    side = Laterality.LEFT if chance.random() < 0.5 else Laterality.RIGHT
    sign = 1.0 if side is Laterality.LEFT else -1.0
    hip = _head(side, sign, size_deg, chance)
    x, y, z = hip.centre_mm
    other = PhantomHip(
        Laterality.RIGHT if sign > 0 else Laterality.LEFT, (-x, y, z), 24.0, (), hip.form
    )
    look = MrLook(
        contrast,
        band_blur_mm=float(chance.uniform(1.6, 2.6)) if unclear else 0.6,
        double_line=unclear,
        bias=float(chance.uniform(0.0, 0.4)),
    )
    study = PhantomStudy(
        f"CAL-{code}",
        (other, hip) if sign > 0 else (hip, other),
        _stack(View.CORONAL, sign * abs(x), chance),
        _stack(View.SAGITTAL, 0.0, chance),
        seed=int(chance.integers(0, 1 << 62)),
        snr=float(chance.uniform(26.0, 40.0)),
        subject=code,
        visit=_VISIT,
        look=look,
    )
    return CalibrationHip(side, size_deg, study)


_LEAST_ARC_DEG = 25.0


def _shows_lesion(hip: CalibrationHip, series: MrSeries) -> bool:
    """Whether the slice nearest to the head's centre, and those beside it, cut the lesion.

    Of a round head, which is quickly told.
    """
    lying = replace(series.lying(hip.hip), form=None)
    centre = PatientPoints(np.array([lying.centre_mm]))
    away = [abs(float(plane.distance_mm(centre)[0])) for plane in series.planes]
    nearest = int(np.argmin(away))
    beside = series.planes[max(nearest - 1, 0) : nearest + 2]
    return all((cut(lying, plane).angle_deg or 0.0) > _LEAST_ARC_DEG for plane in beside)


def _head(
    side: Laterality, sign: float, size_deg: float, chance: np.random.Generator
) -> PhantomHip:
    """A head with a lesion, antero-superior as most are."""
    axis = lesion_axis(side, float(chance.normal(16, 8)), float(chance.normal(4, 8)))
    half = size_deg + float(chance.uniform(-3.5, 3.5))
    x, y, z = chance.uniform((-4.0, -6.0, -6.0), (4.0, 6.0, 6.0)).tolist()
    form = HeadForm(
        aspheric_mm=float(chance.uniform(0.0, 0.4)),
        oval=float(chance.uniform(-0.03, 0.03)),
        fovea_mm=float(chance.uniform(0.5, 2.5)),
        uneven_cartilage=float(chance.uniform(0.0, 0.4)),
        fluid_mm=float(chance.uniform(0.0, 2.0)),
        osteophyte_mm=float(chance.uniform(0.0, 2.0)),
    )
    radius = float(np.clip(chance.normal(24.0, 1.3), 21.0, 27.0))
    return PhantomHip(
        side, (sign * _HALF_DISTANCE_MM + x, y, z), radius, (Lesion(axis, half),), form
    )


def _stack(view: View, along_mm: float, chance: np.random.Generator) -> SeriesGeometry:
    """A stack of one hip, whose slices lie as they happen to."""
    step = _THICKNESS_MM + _GAP_MM
    tilt = tuple(map(float, chance.uniform(-4, 4, 3)))
    shift = (along_mm + float(chance.uniform(-4, 4)), float(chance.uniform(-4, 4)))
    return SeriesGeometry(
        view,
        _PIXEL_MM,
        _PIXEL_MM,
        _PIXELS,
        _PIXELS,
        _SLICES,
        _THICKNESS_MM,
        _GAP_MM,
        (tilt[0], tilt[1], tilt[2]),
        (*shift, float(chance.uniform(-1, 1)) * step),
    )


# ---- in which order ----------------------------------------------------------------------------


def _worklist(truth: Truth) -> Worklist:
    cases = [
        StudyCase(
            subject=hip.subject,
            laterality=hip.side,
            visit=_VISIT,
            views=(View.CORONAL, View.SAGITTAL),
            folder=hip.subject,
        )
        for hip in truth.hips
    ]
    return make_worklist(
        cases,
        (truth.reader,),
        study="images",
        repeats=len(cases) // _REPEATED,
        held_back=len(cases) // 2,
        washout_days=truth.washout_days,
        seed=truth.seed,
        made_at=truth.made_at,
    )


def _fair_seed(truth: Truth, chance: np.random.Generator) -> int:
    """An order in which both sittings and the repeats hold contrasts and sizes alike.

    The first of many random ones whose shares are as even as can be.
    """
    about = {hip.subject: (hip.contrast, hip.size_deg) for hip in truth.hips}
    best = (math.inf, 0)
    for seed in chance.integers(0, 1 << 62, _TRIES).tolist():
        listed = reading_list(_worklist(msgspec.structs.replace(truth, seed=seed)), truth.reader)
        groups = (
            [about[one.case.subject] for one in listed if one.read_no == 1 and one.session == 1],
            [about[one.case.subject] for one in listed if one.read_no == 2],
        )
        uneven = sum(_unevenness(group) for group in groups)
        best = min(best, (uneven, seed))
        if uneven <= _EVEN:
            break
    return best[1]


_EVEN = 2
"""So many hips off an even share of contrasts and sizes are let pass."""


def _unevenness(group: Sequence[tuple[Contrast, float]]) -> int:
    """How many hips more than an even share has, the most frequent contrast and size."""
    found = 0
    for place, kinds in enumerate((len(Contrast), len(SIZES_DEG))):
        most = max(Counter(one[place] for one in group).values(), default=0)
        found += max(most - math.ceil(len(group) / kinds), 0)
    return found


# ---- drawing -----------------------------------------------------------------------------------

_Task = tuple[CalibrationHip, int, int, str]


def _drawn(tasks: Sequence[_Task], workers: int) -> Iterator[None]:
    """Draw and write; once for each image."""
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            _draw(task)
            yield
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for done in as_completed([pool.submit(_draw, task) for task in tasks]):
                done.result()
                yield
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _draw(task: _Task) -> None:
    hip, place, index, name = task
    path = Path(name)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save(mr_image(hip.series[place], index), part, compress=True)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
