"""What is offered first, and what is said of it: alike at the desk, in worklists and commands."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from fullprotocol import FULL_PROTOCOL, write_full_protocol
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.session import ReadingSession

from necroangle.cli.images.series import command as series
from necroangle.dicom import scan_folder
from necroangle.dicom.visits import MR_PAIR, offer_of, series_words
from necroangle.errors import CohortError
from necroangle.protocol.study import study_toml
from necroangle.readerstudy.hips import hips_of
from necroangle.study import init_study, open_study
from necroangle.terms import Laterality, View, Weighting

RIGHT = Laterality.RIGHT
WORDS = {
    View.CORONAL: "#4 T1 · coronal · 11 slices · 4.4 mm",
    View.SAGITTAL: "#14 T1 · sagittal · right · 11 slices · 3.8 mm",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_full_protocol(tmp_path_factory.mktemp("images"))


@pytest.fixture
def space(folder: Path) -> Workspace:
    space = Workspace()
    space.open(folder)
    return space


def shown(space: Workspace, view: View) -> list[str]:
    return [series_words(one) for one in space.choices(view)]


def test_the_desk_offers_t1_first_and_names_every_series(space: Workspace) -> None:
    space.take(space.visits[0], RIGHT, MR_PAIR)
    for view, words in WORDS.items():
        names = [name.removeprefix("#").split(" ", 1)[1] for name in shown(space, view)]
        assert [name.split(" · ")[0] for name in names] == [
            "T1",
            "STIR",
            "diffusion",
            "subtraction",
        ]
        chosen = space.chosen(view)
        assert chosen is not None
        assert series_words(chosen) == words
    assert len(space.choices(View.CORONAL)[-1]) == 80


def test_a_worklist_offers_the_same(space: Workspace) -> None:
    (case,) = hips_of(space.scan).cases
    assert (case.laterality, case.views) == (RIGHT, MR_PAIR)
    session = ReadingSession(MR_PAIR, laterality=RIGHT)
    space.take(space.visits[0], case.laterality, case.views, handed_out=("C01", session))
    assert [shown(space, view)[0] for view in MR_PAIR] == list(WORDS.values())


def test_the_command_names_the_same(folder: Path) -> None:
    told = CliRunner().invoke(series, [str(folder)]).stdout
    assert f"hip R: {'; '.join(WORDS.values())}\n" in told


def test_the_study_that_holds_the_images_may_prefer_another(tmp_path: Path) -> None:
    study = init_study(tmp_path / "study", "s")
    images = write_full_protocol(study.folder / "images")
    protocol = replace_weightings(study.folder, (Weighting.STIR,))
    assert protocol == (Weighting.STIR,)
    space = Workspace()
    space.open(images)
    space.take(space.visits[0], RIGHT, MR_PAIR)
    first, second, *_ = shown(space, View.CORONAL)
    assert first.startswith("#3 STIR · coronal")
    assert second == WORDS[View.CORONAL]
    replace_weightings(study.folder, (Weighting.UNKNOWN,))
    with pytest.raises(CohortError, match="'unknown' is no weighting"):
        space.open(images)


def replace_weightings(folder: Path, order: tuple[Weighting, ...]) -> tuple[Weighting, ...]:
    protocol = msgspec.structs.replace(open_study(folder).protocol, weightings=order)
    (folder / "study.toml").write_bytes(study_toml(protocol))
    return protocol.weightings


def test_what_was_offered_and_chosen_goes_with_the_marks(space: Workspace) -> None:
    one = space.take(space.visits[0], RIGHT, MR_PAIR)
    space.show_series(View.CORONAL, space.choices(View.CORONAL)[1])
    for view, place in ((View.CORONAL, 2), (View.SAGITTAL, 1)):
        passport = one.case.pictures[view].marked_slice(0).passport
        assert passport is not None
        choice = passport.choice
        assert choice
        assert choice.chosen == place
        told = [(each.number, each.weighting, each.slices) for each in choice.offered]
        numbers = (4, 3, 2, 1) if view is View.CORONAL else (14, 13, 12, 11)
        lengths = [slices for slices, _ in FULL_PROTOCOL.values()]
        families = ("T1", "STIR", "unknown", "unknown")
        assert told == list(zip(numbers, families, lengths, strict=True))
    assert "1.2.840" not in repr(choice)


def test_of_many_series_the_chosen_one_is_always_told(folder: Path) -> None:
    one = scan_folder(folder).series[0]
    many = [replace(one, stack_no=number) for number in range(1, 101)]
    told = offer_of(many[90], many)
    assert len(told["offered"]) == 64
    assert told["offered"][told["chosen"] - 1]["stack_no"] == 91
    assert offer_of(many[2], many)["chosen"] == 3


def test_a_missing_plane_is_named_with_what_there_is(folder: Path) -> None:
    space = Workspace()
    space.open(folder / "coronal")
    one = space.take(space.visits[0], RIGHT, MR_PAIR)
    assert one.case.lacking == {View.SAGITTAL: "No sagittal series; 4 coronal series here."}
