"""The side of a hip: every rule by itself, and never a wrong side on made studies."""

import os
from dataclasses import replace

import pytest
from studymaker import Stack, made_study, placed, summary_of

from necroangle.dicom import SeriesSummary, passport_of
from necroangle.dicom.records import SequenceFacts
from necroangle.dicom.sides import StudySides
from necroangle.dicom.visits import Visit, candidates
from necroangle.terms import Laterality, View

LEFT, RIGHT = Laterality.LEFT, Laterality.RIGHT
SEEDS = range(int(os.environ.get("NECROANGLE_MADE_STUDIES", "150")))


def told(one: SeriesSummary, *others: SeriesSummary) -> tuple[Laterality | None, str]:
    found = StudySides((one, *others)).of(one)
    return found.side, found.confidence


def sagittal(x_mm: float, number: int = 1) -> SeriesSummary:
    return summary_of(Stack("sagittal", x_mm, 60.0), number)


def coronal(x_mm: float, wide_mm: float, number: int = 9) -> SeriesSummary:
    return summary_of(Stack("coronal", x_mm, wide_mm), number)


@pytest.mark.parametrize(
    ("x_mm", "wide_mm", "side", "confidence"),
    [
        (46, 320, LEFT, "sure"),
        (-46, 320, RIGHT, "sure"),
        (44, 320, LEFT, "likely"),
        (29, 320, None, "silent"),
        (55, 280, LEFT, "sure"),  # likely against the picture, likely against the origin
        (61, 280, LEFT, "sure"),
    ],
)
def test_against_a_wide_picture(
    x_mm: float, wide_mm: float, side: Laterality | None, confidence: str
) -> None:
    assert told(sagittal(x_mm), coronal(0.0, wide_mm)) == (side, confidence)


def test_the_origin_counts_only_where_no_picture_shows_both_hips() -> None:
    assert told(sagittal(80.0)) == (LEFT, "sure")
    assert told(sagittal(35.0)) == (LEFT, "likely")
    assert told(sagittal(80.0), coronal(60.0, 400.0)) == (None, "silent")


def test_picture_and_origin_that_contradict_each_other_are_silent() -> None:
    assert told(sagittal(40.0), coronal(90.0, 280.0)) == (None, "silent")
    assert told(sagittal(40.0), coronal(0.0, 280.0)) == (LEFT, "sure")


def test_a_large_field_of_one_hip_does_not_tell_by_itself() -> None:
    """A right stack, 16 mm left of its head; a field of 26 cm, 20 mm right of it."""
    assert told(sagittal(-29.9), coronal(-65.7, 260.0)) == (None, "silent")
    assert told(replace(sagittal(-29.9), laterality=LEFT), coronal(-65.7, 260.0))[0] is None


def test_a_pair_tells_left_from_right_wherever_it_lies() -> None:
    """Also in another series; nearer or further stacks are no pair."""
    one, other = sagittal(40.0, 1), sagittal(-140.0, 2)
    wide = coronal(-45.0, 400.0)
    assert told(one, other, wide) == (LEFT, "sure")
    assert told(other, one, wide) == (RIGHT, "sure")
    assert told(sagittal(20.0), sagittal(-80.0, 2))[0] is None
    assert told(sagittal(20.0), sagittal(-270.0, 2))[0] is None


def test_three_places_make_no_pair() -> None:
    """A stack between two others is of neither hip, as far as a pair can tell."""
    middle, right, left = sagittal(5.0, 1), sagittal(-130.0, 2), sagittal(140.0, 3)
    assert told(middle, right, left) == (None, "silent")
    assert told(right, middle, left)[0] is RIGHT
    assert told(left, middle, right)[0] is LEFT


def test_a_stack_amid_a_large_picture_is_of_no_hip() -> None:
    assert told(sagittal(10.0), sagittal(-110.0, 2), coronal(0.0, 400.0)) == (None, "silent")


def test_a_pair_and_a_picture_that_contradict_each_other_are_silent() -> None:
    """A stack right of the picture's middle, with another one still further to the right."""
    assert told(sagittal(-60.0), sagittal(-180.0, 2), coronal(0.0, 400.0)) == (None, "silent")


def test_a_deep_sagittal_stack_shows_both_hips() -> None:
    assert told(summary_of(Stack("sagittal", 40.0, 200.0), 1)) == (None, "silent")
    # and is no pair of another
    assert told(sagittal(-75.0), summary_of(Stack("sagittal", 40.0, 200.0), 2)) == (RIGHT, "sure")


def test_a_stack_beside_one_that_is_sure_shows_the_same_hip() -> None:
    beside = summary_of(Stack("axial", 25.0, 150.0), 1)
    assert told(beside) == (None, "silent")
    assert told(beside, sagittal(65.0, 2)) == (LEFT, "sure")
    assert told(beside, sagittal(75.0, 2)) == (None, "silent")


def test_a_code_alone_never_decides() -> None:
    found = StudySides(()).of(replace(sagittal(3.0), laterality=RIGHT))
    assert (found.side, found.confidence, found.placed) == (None, "coded only", None)
    assert not found.differ
    assert found.speaks_against(LEFT)
    assert not found.rules_out(LEFT)


def test_a_code_that_agrees_makes_it_sure() -> None:
    found = StudySides(()).of(replace(sagittal(35.0), laterality=LEFT))
    assert (found.side, found.confidence) == (LEFT, "sure")
    assert found.rules_out(RIGHT)
    assert not found.speaks_against(LEFT)


def test_a_code_that_contradicts_leaves_no_side() -> None:
    found = StudySides(()).of(replace(sagittal(95.0), laterality=RIGHT))
    assert (found.side, found.confidence, found.differ) == (None, "differ", True)
    assert found.speaks_against(RIGHT)
    assert found.speaks_against(LEFT)
    assert not found.rules_out(RIGHT)
    assert not found.rules_out(LEFT)


@pytest.mark.parametrize("code", [None, LEFT, RIGHT])
def test_the_passport_calls_only_two_voices_contradicted(code: Laterality | None) -> None:
    """A place that is silent contradicts no code."""
    silent = replace(sagittal(0.0), laterality=code)
    assert passport_of(silent, (silent,)).side.differ is False
    speaking = replace(sagittal(80.0), laterality=code)
    assert passport_of(speaking, (speaking,)).side.differ is (code is RIGHT)


def test_another_study_or_frame_of_reference_tells_nothing() -> None:
    wide = coronal(60.0, 400.0)
    for study, frame in (("1.9", "1.2.7"), ("1.2", "1.2.8"), ("1.2", None)):
        sources = tuple(
            replace(one, study_uid=study, frame_of_reference_uid=frame) for one in wide.sources
        )
        other = replace(wide, study_uid=study, sources=sources)
        assert told(sagittal(80.0), other) == (LEFT, "sure")


def test_a_marked_head_has_the_side_of_its_centre() -> None:
    """On a picture of both hips, where the stack has no side."""
    wide = coronal(0.0, 400.0)
    sides = StudySides((wide,))
    assert sides.of(wide).side is None
    for x_mm, side in ((85.0, LEFT), (-85.0, RIGHT), (10.0, None)):
        assert sides.of_head(wide.sources[0], (x_mm, 0.0, 0.0)).side is side


def test_no_wrong_side_on_made_studies() -> None:
    """Whatever the field of view, the table and the codes; heads as well as stacks."""
    for seed in SEEDS:
        study = made_study(seed)
        sides = StudySides([made.summary for made in study])
        for made in study:
            assert sides.of(made.summary).side in (made.truth, None), seed
            if made.truth is not None:
                head = sides.of_head(made.summary.sources[0], made.head_mm)
                assert head.side in (made.truth, None), seed


def test_most_made_stacks_have_a_side() -> None:
    stacks = [
        (StudySides([one.summary for one in study]).of(made.summary).side, made)
        for study in map(made_study, SEEDS)
        for made in study
        if made.truth is not None
    ]
    found = sum(side is made.truth for side, made in stacks)
    assert found > 0.75 * len(stacks)


def test_candidates_of_a_hip_come_before_those_of_the_other() -> None:
    own, other, silent = sagittal(80.0, 1), sagittal(-80.0, 2), sagittal(0.0, 3)
    coded = replace(sagittal(1.0, 4), laterality=RIGHT)
    visit = Visit("v", "s", "v", (other, coded, silent, own))
    found = candidates(visit, View.SAGITTAL, LEFT)
    assert [one.series_uid[-1] for one in found] == ["1", "3", "4", "2"]
    assert visit.sides == (RIGHT, LEFT)


def test_candidates_of_one_hip_come_by_what_they_are() -> None:
    """Not by their length: subtraction, ADC, T1 and STIR of one place."""
    spin_echo = SequenceFacts(
        scanning_sequence=("SE",), repetition_time_ms=550.0, echo_time_ms=11.0
    )
    kinds = {
        "T1": spin_echo,
        "STIR": SequenceFacts(scanning_sequence=("SE", "IR"), inversion_time_ms=160.0),
        "ADC": SequenceFacts(image_type=("DERIVED", "PRIMARY", "ADC")),
        "subtraction": SequenceFacts(image_type=("DERIVED", "PRIMARY", "SUB")),
    }
    series = tuple(
        replace(sagittal(80.0, number), facts=facts)
        for number, facts in enumerate(reversed(kinds.values()), start=1)
    )
    found = candidates(Visit("v", "s", "v", series), View.SAGITTAL, LEFT)
    assert [one.facts for one in found] == list(kinds.values())


def test_a_visit_offers_one_hip_only_where_code_and_place_say_so() -> None:
    def offered(*series: SeriesSummary) -> tuple[Laterality, ...]:
        return Visit("v", "s", "v", series).sides

    here = sagittal(80.0)
    assert offered(here) == (RIGHT, LEFT)
    assert offered(replace(here, laterality=LEFT)) == (LEFT,)
    assert offered(replace(here, laterality=RIGHT)) == (RIGHT, LEFT)
    assert offered(replace(sagittal(2.0), laterality=LEFT)) == (RIGHT, LEFT)


def test_made_places_are_where_they_were_put() -> None:
    """The maker itself: the middle of a stack, and how far it reaches."""
    for stack in (Stack("sagittal", -80.0, 60.0), Stack("coronal", 12.0, 300.0)):
        middle, wide = placed(summary_of(stack, 1))
        assert middle == pytest.approx(stack.x_mm)
        assert wide == pytest.approx(stack.wide_mm)
