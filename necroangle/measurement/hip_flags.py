"""The doubts about a hip as a whole, each by its stated limit."""

from necroangle.annotation import HipReading, ReadView, UnreadView
from necroangle.measurement.judge import HeadJudge
from necroangle.measurement.settings import Settings
from necroangle.terms import Flag

__all__ = ["frames_differ", "hip_flags"]

OFF_CENTRE_MM = 3.0
RADII_DIFFER_MM = 2.0
CENTRES_DIFFER_MM = 1.5
DISAGREE_LEVEL = 0.01


def hip_flags(
    reading: HipReading, judge: HeadJudge | None, settings: Settings, *, near_cutoff: bool
) -> tuple[Flag, ...]:
    """Doubts about a hip, in the order of :class:`necroangle.terms.Flag`.

    Centres differ where they are further apart than 1.5 mm *and* click noise does not explain it:
    a real head is never quite round, so the test alone would always fire.
    """
    raised = {
        Flag.VIEW_NOT_READ: any(isinstance(view, UnreadView) for view in reading.views),
        Flag.CENSORED_BY_THA: reading.is_replaced,
        Flag.FRAMES_DIFFER: frames_differ(reading),
        Flag.RADIUS_PRIOR: settings.radius_prior is not None,
        Flag.NEAR_CUTOFF: near_cutoff,
        **_judged(judge),
        Flag.SPHERE_CENTRE: settings.centre == "sphere" and judge is not None,
    }
    return tuple(flag for flag in Flag if raised.get(flag, False))


def frames_differ(reading: HipReading) -> bool:
    """Whether the two MR views stand in different frames of reference."""
    if reading.is_radiograph:
        return False
    frames = {
        view.image.frame_of_reference_uid for view in reading.views if isinstance(view, ReadView)
    }
    return len(frames) > 1


def _judged(judge: HeadJudge | None) -> dict[Flag, bool]:
    if judge is None:
        return {}
    unexplained = judge.p_value is None or judge.p_value < DISAGREE_LEVEL
    offsets = (judge.a_offset_mm, judge.b_offset_mm)
    return {
        Flag.SLICE_OFF_CENTRE: max(map(abs, offsets)) > OFF_CENTRE_MM,
        Flag.RADII_DIFFER: abs(judge.radius_gap_mm) > RADII_DIFFER_MM,
        Flag.CENTRES_DIFFER: abs(judge.centre_gap_mm) > CENTRES_DIFFER_MM and unexplained,
    }
