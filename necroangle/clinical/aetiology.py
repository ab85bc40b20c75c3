"""Whether the amounts of glucocorticoid and alcohol bear out the aetiology as coded.

Glucocorticoid-associated: more than 2 g of prednisone equivalent within 3 months, necrosis
diagnosed less than 2 years after. Alcohol-associated: more than 400 mL of pure alcohol a week
(320 g) for more than 6 months, diagnosed within 1 year, and no other risk factor.
"""

from collections.abc import Iterable, Iterator

from necroangle.clinical.state import Values, number_of

__all__ = ["aetiology_doubts"]

STEROID_ABOVE_G = 2.0
STEROID_WEEKS = 13.0
STEROID_STOPPED_BELOW_MONTHS = 24.0
ALCOHOL_ABOVE_ML_WEEK = 400.0
ALCOHOL_ABOVE_MONTHS = 6.0
ALCOHOL_STOPPED_UP_TO_MONTHS = 12.0

_BY_STEROID = frozenset({"steroid", "both"})
_BY_ALCOHOL = frozenset({"alcohol", "both"})


def aetiology_doubts(values: Values) -> Iterator[str]:
    """What the amounts of a subject say against its aetiology.

    Parameters
    ----------
    values
        The fields of a subject; where amounts are missing nothing is doubted.

    Examples
    --------
    >>> list(aetiology_doubts({"aetiology": "steroid", "prednisone_equivalent_g": 1.5}))
    ['coded steroid, but 1.5 g of prednisone equivalent is not more than 2 g']
    >>> list(aetiology_doubts({"aetiology": "steroid", "prednisone_equivalent_g": 2.5}))
    []
    """
    coded = values.get("aetiology")
    if not isinstance(coded, str):
        return
    against_steroid = list(_against_steroid(values))
    against_alcohol = list(_against_alcohol(values))
    if coded in _BY_STEROID:
        yield from (f"coded {coded}, but {reason}" for reason in against_steroid)
    elif not against_steroid and _all_given(values, _STEROID):
        yield f"coded {coded}, but the amounts fulfil the rule for glucocorticoids"
    if coded in _BY_ALCOHOL:
        yield from (f"coded {coded}, but {reason}" for reason in against_alcohol)
        if coded == "alcohol" and number_of(values, "other_risk_factor") == 1:
            yield "coded alcohol, but there is another risk factor"
    elif (
        not against_alcohol
        and _all_given(values, _ALCOHOL)
        and number_of(values, "other_risk_factor") == 0
    ):
        yield f"coded {coded}, but the amounts fulfil the rule for alcohol"


_STEROID = ("prednisone_equivalent_g", "prednisone_weeks", "steroid_stopped_months")
_ALCOHOL = ("alcohol_ml_week", "alcohol_months", "alcohol_stopped_months")


def _all_given(values: Values, names: Iterable[str]) -> bool:
    return all(number_of(values, name) is not None for name in names)


def _against_steroid(values: Values) -> Iterator[str]:
    grams, weeks, stopped = (number_of(values, name) for name in _STEROID)
    if grams is not None and grams <= STEROID_ABOVE_G:
        yield f"{grams:g} g of prednisone equivalent is not more than {STEROID_ABOVE_G:g} g"
    elif grams is not None and weeks is not None and weeks > STEROID_WEEKS:
        within = grams * STEROID_WEEKS / weeks
        if within <= STEROID_ABOVE_G:
            yield (
                f"{grams:g} g over {weeks:g} weeks is about {within:.1f} g within 3 months, not "
                f"more than {STEROID_ABOVE_G:g} g"
            )
    if stopped is not None and stopped >= STEROID_STOPPED_BELOW_MONTHS:
        yield f"the diagnosis came {stopped:g} months after glucocorticoids, not below 24"


def _against_alcohol(values: Values) -> Iterator[str]:
    amount, months, stopped = (number_of(values, name) for name in _ALCOHOL)
    if amount is not None and amount <= ALCOHOL_ABOVE_ML_WEEK:
        yield f"{amount:g} mL of alcohol a week is not more than {ALCOHOL_ABOVE_ML_WEEK:g} mL"
    if months is not None and months <= ALCOHOL_ABOVE_MONTHS:
        yield f"{months:g} months of alcohol are not more than {ALCOHOL_ABOVE_MONTHS:g}"
    if stopped is not None and stopped > ALCOHOL_STOPPED_UP_TO_MONTHS:
        yield f"the diagnosis came {stopped:g} months after alcohol, not within 12"
