"""The same numbers as pingouin and statsmodels give, on data that were drawn at random."""

import warnings

import numpy as np
import pytest

from necroangle.statistics.agreement import icc
from necroangle.statistics.categories import cohen, fleiss
from necroangle.statistics.regression import cox
from necroangle.statistics.survival import Times, at_time, log_rank, survival


@pytest.fixture(params=[1, 2, 3])
def random(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


def test_intraclass_correlation_of_pingouin(random: np.random.Generator) -> None:
    hips, readers = 30, 4
    table = random.normal(200, 40, (hips, 1)) + random.normal(0, 9, (hips, readers))
    places = np.indices(table.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandas = pytest.importorskip("pandas")
        pingouin = pytest.importorskip("pingouin", reason="pingouin is not installed")
        frame = pandas.DataFrame(
            {"hip": places[0].ravel(), "reader": places[1].ravel(), "value": table.ravel()}
        )
        theirs = pingouin.intraclass_corr(frame, targets="hip", raters="reader", ratings="value")
    by_type = {str(row["Type"]): float(row["ICC"]) for _, row in theirs.iterrows()}
    ours = icc(table)
    names = {"ICC(1,1)": "ICC(1,1)", "ICC(A,1)": "ICC(2,1)", "ICC(C,1)": "ICC(3,1)",
             "ICC(A,k)": "ICC(2,k)", "ICC1": "ICC(1,1)", "ICC2": "ICC(2,1)",
             "ICC3": "ICC(3,1)", "ICC2k": "ICC(2,k)"}  # fmt: skip
    shared = [name for name in by_type if name in names]
    assert len(shared) == 4
    for name in shared:
        assert ours[names[name]].value == pytest.approx(by_type[name], abs=1e-6)


def test_kappas_of_statsmodels(random: np.random.Generator) -> None:
    rater = pytest.importorskip("statsmodels.stats.inter_rater", reason="needs the extra stats")
    table = random.integers(1, 15, (4, 4))
    for kind, weights in (("plain", None), ("linear", "linear"), ("quadratic", "quadratic")):
        theirs = rater.cohens_kappa(table, wt=weights)
        ours = cohen(table, kind)  # type: ignore[arg-type]
        assert (ours.value, ours.se) == pytest.approx((theirs.kappa, theirs.std_kappa))
    counts = random.multinomial(5, [0.4, 0.3, 0.2, 0.1], 25)
    assert fleiss(counts).value == pytest.approx(rater.fleiss_kappa(counts))


def test_survival_of_statsmodels(random: np.random.Generator) -> None:
    library = pytest.importorskip("statsmodels.duration.survfunc", reason="needs the extra stats")
    hazards = pytest.importorskip("statsmodels.duration.hazard_regression")
    n = 60
    size = random.normal(0, 1, n)
    event, lost = random.exponential(3 * np.exp(-0.5 * size)), random.uniform(1, 6, n)
    times, codes = np.ceil(4 * np.minimum(event, lost)) / 4, (event <= lost).astype(int)
    data, group = Times.of(times, codes), (size > 0).astype(int)
    theirs = library.SurvfuncRight(times, codes)
    for time, value in zip(theirs.surv_times, theirs.surv_prob, strict=True):
        ours = at_time(survival(data), float(time))
        assert ours is not None
        assert ours[0] == pytest.approx(value)
    chi2, p = library.survdiff(times, codes, group)
    test = log_rank(data, group.tolist())
    assert (test.chi2, test.p) == pytest.approx((chi2, p))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = hazards.PHReg(times, size[:, None], status=codes, ties="efron").fit()
    (one,) = cox(data, size[:, None], ["size"]).coefficients
    assert (one.beta, one.se) == pytest.approx((fitted.params[0], fitted.bse[0]), rel=1e-5)
