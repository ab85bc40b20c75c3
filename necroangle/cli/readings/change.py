"""``necroangle change``: two visits of one hip, compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.screen import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.annotation import HipReading
    from necroangle.measurement import HipChange, HipMeasurement, Settings, ViewChange

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("change")
@click.argument("earlier", type=_FILE)
@click.argument("later", type=_FILE)
@click.option(
    "--method",
    "method_name",
    metavar="NAME",
    help="Method; by default the study's, else by image kind.",
)
@click.option(
    "--threshold-deg",
    type=click.FloatRange(min=0, max=720),
    help="A decrease of the angle by more than this is reported.  [default: the study's, else 20]",
)
def command(
    earlier: Path, later: Path, method_name: str | None, threshold_deg: float | None
) -> None:
    """Compare the reading EARLIER of a hip with the reading LATER of the same hip.

    The error is that of this pair of readings: the same reader, a consensus, or two readers, whose
    difference is judged once the study has compared them. Where both visits are marked on either
    side of the head's centre the change is measured in the head's centre planes; else it is one on
    the marked slices, with its wider limit. The study's rule, "decreased by more than 20°" unless
    its study.toml says otherwise, is reported beside it.
    """
    from necroangle.analysis.stored import noise_in_study
    from necroangle.annotation import load_reading
    from necroangle.cli.readings.measuring import Asked
    from necroangle.measurement import change_between, measure
    from necroangle.study import protocol_here, study_here

    protocol = protocol_here().overridden({"cut_offs.change_deg": threshold_deg})
    asked = Asked(method_names=(method_name,) if method_name else ())
    (method,), settings = asked.methods(), asked.settings(())
    readings = [load_reading(path) for path in (earlier, later)]
    hips = {(one.subject, one.laterality) for one in readings}
    if len(hips) > 1:
        raise click.UsageError("the two readings are of different hips")
    _refuse_censored(readings)
    planes = _in_centre_planes(readings, settings) if method_name is None else None
    before, after = planes or [measure(one, method, settings) for one in readings]
    change = change_between(
        before,
        after,
        protocol.cut_offs,
        noise=noise_in_study(study_here(), before.method.name),
        consensus=(len(readings[0].consensus_of) > 1, len(readings[1].consensus_of) > 1),
    )
    for line in _lines(before, after, change):
        say(line)


def _in_centre_planes(
    readings: Sequence[HipReading], settings: Settings
) -> list[HipMeasurement] | None:
    """Both measured in the head's centre planes, if all views are marked on either side of it."""
    from necroangle.annotation import ReadView
    from necroangle.measurement import measure_many, method_named
    from necroangle.terms import Flag

    views = [view for one in readings for view in one.views]
    if not all(isinstance(view, ReadView) and view.neighbours for view in views):
        return None
    measured = measure_many(readings, method_named("centre_plane"), settings)
    if measured.refused:
        return None
    found = [measured[place] for place in range(len(readings))]
    flags = [view.flags for hip in found for view in (hip.a, hip.b) if view is not None]
    return None if any(Flag.NOT_BRACKETED in some for some in flags) else found


def _refuse_censored(readings: Sequence[HipReading]) -> None:
    """A visit that holds no value of the natural hip, by the study's records, has no change."""
    from necroangle.analysis.stored import states_in_study
    from necroangle.errors import CohortError
    from necroangle.study import study_here

    states = states_in_study(study_here(), readings[0].subject, readings[0].laterality)
    for one in readings:
        if (state := states.get(one.visit)) is not None and state.is_censored:
            why = "the hip was replaced" if state == "censored_tha" else "the patient's death"
            raise CohortError(
                f"{one.subject} {one.laterality}, visit {one.visit}: after {why} there is no angle "
                "of the natural hip to compare"
            )


def _lines(before: HipMeasurement, after: HipMeasurement, change: HipChange) -> list[str]:
    if change.cna is None or before.cna is None or after.cna is None:
        said = "CNA     one of the visits has no combined angle"
        return [said, *_views(change), *_unlike(change)]
    if change.error is None or change.mdc95_deg is None:
        said = f"change  {change.cna.value:+.1f}°: {change.verdict}"
    else:
        low, high = change.cna.interval_95()
        said = (
            f"change  {change.cna.value:+.1f}° ({low:+.1f}° to {high:+.1f}°): {change.verdict}, "
            f"MDC95 {change.mdc95_deg:.1f}°"
        )
    rule = "yes" if change.decreased_by_rule else "no"
    return [
        f"CNA     {before.cna.show_deg()}  to  {after.cna.show_deg()}",
        said,
        f"        {change.error.words}" if change.error else "",
        f"        decreased by more than {change.rule_deg:g}°: {rule}",
        *_views(change),
        *_unlike(change),
        *_slices(change),
    ]


def _views(change: HipChange) -> list[str]:
    return [_view_line(letter, view) for letter, view in (("A", change.a), ("B", change.b)) if view]


def _unlike(change: HipChange) -> list[str]:
    """Views that were read on images of unlike weighting."""
    return [
        f"doubt   {letter} was read on {' and then on '.join(map(str, view.weightings))}: a border "
        "may seem to move"
        for letter, view in (("A", change.a), ("B", change.b))
        if view is not None and view.weightings_differ
    ]


def _slices(change: HipChange) -> list[str]:
    """Whether the largest of several slices is compared with that of another number of them."""
    if change.error is None or not change.error.slices_differ:
        return []
    return [
        "doubt   the visits hold unlike numbers of marked slices: the largest of more is larger by "
        "chance"
    ]


def _view_line(letter: str, view: ViewChange) -> str:
    words = f"{letter}       {view.change.value:+.1f}°"
    if view.start_growth_deg is None or view.end_growth_deg is None:
        return words
    sides = ("medial", "lateral") if letter == "A" else ("anterior", "posterior")
    return (
        f"{words}: {sides[0]} boundary {view.start_growth_deg:+.1f}°, "
        f"{sides[1]} {view.end_growth_deg:+.1f}° (growth is +), overlap {view.overlap_deg:.1f}°"
    )
