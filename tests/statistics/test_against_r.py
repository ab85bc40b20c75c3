"""The same numbers as R gives: packages survival, cmprsk and lme4.

Where R or a package is missing the tests are skipped and say so; the values that stand in
``test_reference_values.py`` are R's, too, and need none.
"""

import json
import shutil
import subprocess

import numpy as np
import pytest

from necroangle.statistics.agreement import Reads, components
from necroangle.statistics.regression import cox, fine_gray, groups_by_patients
from necroangle.statistics.survival import (
    Times,
    at_time,
    gray_test,
    incidence,
    log_rank,
    restricted_mean,
    survival,
)

pytestmark = pytest.mark.r_statistics

PACKAGES = {"survival": "r-cran-survival", "cmprsk": "r-cran-cmprsk", "lme4": "r-cran-lme4"}


def by_r(script: str, *packages: str) -> dict[str, list[float]]:
    """What a script prints as ``name number number...``, line by line."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed (Debian: apt-get install r-base-core)")
    asked = "; ".join(f'cat(requireNamespace("{name}", quietly=TRUE), "")' for name in packages)
    there = _run(asked).split()
    missing = [PACKAGES[name] for name, has in zip(packages, there, strict=True) if has != "TRUE"]
    if missing:
        pytest.skip(f"R lacks packages (Debian: apt-get install {' '.join(missing)})")
    say = "say <- function(name, ...) cat(name, format(c(...), digits = 15), '\\n')\n"
    load = "".join(f"suppressMessages(library({name}))\n" for name in packages)
    lines = [line.split() for line in _run(load + say + script).splitlines() if line.strip()]
    return {name: [float(one) for one in numbers] for name, *numbers in lines}


def _run(script: str) -> str:
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", script], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def vector(values: np.ndarray) -> str:
    return f"c({','.join(json.dumps(float(one)) for one in values)})"


@pytest.mark.parametrize(("seed", "ties"), [(1, True), (2, True), (3, False)])
def test_competing_events_of_two_hips_in_a_patient(seed: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    n = 60
    patients = np.arange(n) // 2
    frailty = random.normal(0, 0.7, n // 2)[patients]
    group = (random.random(n) < 0.5).astype(int)
    size = random.normal(0, 1, n).round(2)
    first = random.exponential(4 / np.exp(frailty + 0.5 * size))
    other, lost = random.exponential(8, n), random.uniform(1, 8, n)
    times = np.minimum(np.minimum(first, other), lost)
    if ties:
        times = np.ceil(4 * times) / 4  # what visits make of it
    codes = np.where(first <= np.minimum(other, lost), 1, np.where(other <= lost, 2, 0))
    data = Times.of(times, codes)
    found = by_r(
        f"""
        d <- data.frame(time={vector(times)}, code={vector(codes)}, g={vector(group)},
                        size={vector(size)}, id={vector(patients)})
        cif <- timepoints(cuminc(d$time, d$code), c(2, 4))
        say("incidence", cif$est["1 1", ])
        say("error", sqrt(cif$var["1 1", ]))
        km <- summary(survfit(Surv(time, code == 1) ~ 1, d, conf.type="log-log"), times=c(2, 4))
        say("survival", km$surv, km$lower, km$upper)
        say("gray", cuminc(d$time, d$code, d$g)$Tests["1", c("stat", "pv")])
        say("log_rank", survdiff(Surv(time, code == 1) ~ g, d)$chisq)
        say("by_patients", summary(coxph(Surv(time, code == 1) ~ g, d, cluster=id,
                                         ties="breslow"))$robscore["test"])
        m <- coxph(Surv(time, code == 1) ~ size, d, cluster=id)
        say("cox", coef(m), sqrt(m$naive.var), sqrt(m$var))
        f <- finegray(Surv(time, factor(code, 0:2)) ~ ., d)
        m <- coxph(Surv(fgstart, fgstop, fgstatus) ~ size, f, weights=fgwt, cluster=id,
                   ties="breslow")
        say("fine_gray", coef(m), sqrt(m$var))
        say("mean", summary(survfit(Surv(time, code == 1) ~ 1, d), rmean=4)$table[
            c("rmean", "se(rmean)")])
        """,
        "survival",
        "cmprsk",
    )
    ours = [at_time(incidence(data), year) for year in (2.0, 4.0)]
    assert [one[0] for one in ours if one] == pytest.approx(found["incidence"])
    curve = incidence(data)
    errors = [curve.se[np.searchsorted(curve.times, year, side="right") - 1] for year in (2, 4)]
    # cmprsk takes tied events one after another, which moves the error a little
    assert errors == pytest.approx(found["error"], rel=0.02 if ties else 1e-6)
    plain = [at_time(survival(data), year) for year in (2.0, 4.0)]
    told = [one[0] for one in plain if one]
    told += [one[1][side] for side in (0, 1) for one in plain if one]
    assert told == pytest.approx(found["survival"])
    gray = gray_test(data, group.tolist())
    assert [gray.chi2, gray.p] == pytest.approx(found["gray"], rel=1e-7)
    assert log_rank(data, group.tolist()).chi2 == pytest.approx(found["log_rank"][0])
    robust = groups_by_patients(data, group.tolist(), patients.tolist(), competing=False)
    assert robust.chi2 == pytest.approx(found["by_patients"][0])
    (one,) = cox(data, size[:, None], ["size"], patients.tolist()).coefficients
    assert [one.beta, one.se, one.robust_se] == pytest.approx(found["cox"], rel=1e-6)
    (one,) = fine_gray(data, size[:, None], ["size"], patients.tolist()).coefficients
    assert [one.beta, one.robust_se] == pytest.approx(found["fine_gray"], rel=1e-6)
    mean = restricted_mean(data, 4.0)
    assert [mean.value, mean.se] == pytest.approx(found["mean"], rel=1e-6)


def test_components_of_variance() -> None:
    random = np.random.default_rng(4)
    hips, readers, repeats = 25, 4, 2
    values = (
        random.normal(200, 35, (hips, 1, 1))
        + random.normal(0, 5, (1, readers, 1))
        + random.normal(0, 4, (hips, readers, 1))
        + random.normal(0, 5, (hips, readers, repeats))
    )
    places = np.indices(values.shape)
    kept = random.random(values.size) > 0.15  # some reads are missing
    flat, hip, reader = values.ravel()[kept], places[0].ravel()[kept], places[1].ravel()[kept]
    found = by_r(
        f"""
        d <- data.frame(y={vector(flat)}, h=factor({vector(hip)}), r=factor({vector(reader)}))
        m <- lmer(y ~ 1 + (1|h) + (1|r) + (1|h:r), d,
                  control=lmerControl(optCtrl=list(ftol_abs=1e-12, xtol_abs=1e-12)))
        v <- as.data.frame(VarCorr(m))
        for (k in seq_len(nrow(v))) say(sub(":", "_", v$grp[k]), v$vcov[k])
        """,
        "lme4",
    )
    ours = components(Reads.of(flat, hip.tolist(), reader.tolist())).variances
    assert ours["hip"] == pytest.approx(found["h"][0], rel=1e-4)
    assert ours["reader"] == pytest.approx(found["r"][0], rel=1e-3)
    assert ours["reader x hip"] == pytest.approx(found["h_r"][0], rel=1e-3)
    assert ours["repeat"] == pytest.approx(found["Residual"][0], rel=1e-4)
