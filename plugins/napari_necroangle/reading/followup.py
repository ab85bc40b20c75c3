"""What the window says of a hip's other visits: which slices to meet, and what has changed."""

from napari_necroangle.reading.case import Followed
from napari_necroangle.reading.texts import signed
from necroangle.batch.other_visits import Earlier, StudyRules
from necroangle.measurement import HipChange, show_deg
from necroangle.measurement.change import pair_read
from necroangle.measurement.foresight import foreseen_change_deg


def followed_of(earlier: Earlier, reader: str, rules: StudyRules) -> Followed | None:
    """What an earlier reading asks of the present slices; None where they say nothing of it.

    Between two readers no change is foreseen: how they differ, only comparisons tell.
    """
    read = pair_read(earlier.measurement)
    offsets = (earlier.measurement.a_slice_offset_mm, earlier.measurement.b_slice_offset_mm)
    if read is None or offsets == (None, None):
        return None
    own, noise = earlier.reading.reader == reader, rules.noise

    def limit_deg(later_mm: tuple[float | None, float | None]) -> float | None:
        return foreseen_change_deg(read, later_mm, noise) if own else None

    return Followed(earlier.reading.visit, offsets, limit_deg)


def earlier_words(earlier: Earlier) -> str:
    """An earlier reading in one line.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> earlier_words(Earlier.of(readings_of(sample_studies()["plain"])[0]))
    'baseline, by truth: 218.3°'
    """
    reading = earlier.reading
    again = f", read {reading.read_no}" if reading.read_no > 1 else ""
    angle = show_deg(earlier.measurement.cna_deg)
    return f"{reading.visit}, by {reading.reader}{again}: {angle}"


def change_words(
    earlier: Earlier, change: HipChange | None, rules: StudyRules | None = None, visit: str = ""
) -> str:
    """The change of the combined angle, its interval, and whether it is more than error and rule.

    ``change``: its change to the present visit; None, or one without an angle, while it cannot
    be said.
    ``rules``: what the study says; a visit after the hip was replaced, or after death, has no
    change.
    """
    other, said = earlier.reading.visit, rules or StudyRules()
    since = f"Change since {other}"
    if said.order(other, visit) == "later":
        since = f"Change from {visit} to {other}"
    if censored := said.censored(earlier.reading.visit, visit):
        return f"{since}: visit {censored} lies after the hip was replaced, or after death."
    if earlier.measurement.cna_deg is None:
        return f"{since}: that reading has no combined angle."
    if change is None or change.cna is None:
        return f"{since}: known once both views are read."
    low, high = (signed(bound) for bound in change.cna.interval_95())
    if change.mdc95_deg is None:
        return f"{since}: {signed(change.cna.value)}; {change.verdict}"
    verdict = f"{change.verdict}, {show_deg(change.mdc95_deg)}"
    rule = "more" if abs(change.cna.value) > change.rule_deg else "not more"
    return (
        f"{since}: {signed(change.cna.value)} ({low} to {high}); {verdict} (MDC95); {rule} than "
        f"{change.rule_deg:g}°"
    )
