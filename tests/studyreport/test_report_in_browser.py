"""The report in a real browser: Debian's Chromium, without a network, on a desk and on a phone."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from wholestudy import make_whole_study

from necroangle.batch import settings_of_study
from necroangle.protocol.study import NO_STUDY
from necroangle.review import index_images
from necroangle.samples import copy_samples
from necroangle.study import open_study
from necroangle.studyreport import Look, gather, write_html, write_pdf

pytest.importorskip("jinja2", reason="a report needs the extra report")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(sys.prefix) / "package" / "axe.min.js"
LONGEST_MS = 600_000
"""Against what hangs: no test is decided by the time that a browser takes."""
SIZES = {"desk": (1280, 900), "phone": (390, 844)}

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two reports: of 22 hips drawn from their marks, and of samples with their slices."""
    folder = tmp_path_factory.mktemp("browser")
    make_whole_study(folder / "study")
    study = open_study(folder / "study")
    _measured(folder / "study" / "readings", folder / "study" / "cohort.sqlite")
    look = Look(settings=settings_of_study(study))
    made = gather(folder / "study" / "cohort.sqlite", study.protocol, MADE, look)
    write_html(made, folder / "hips.html")
    write_pdf(made, folder / "hips.pdf")
    copy_samples(folder / "samples")
    readings = folder / "some"
    readings.mkdir()
    for path in (folder / "samples" / "readings").glob("PHANTOM-01__*"):
        shutil.copy(path, readings)
    _measured(readings, folder / "some.sqlite")
    places = index_images([folder / "samples" / "plain"])
    write_html(
        gather(folder / "some.sqlite", NO_STUDY, MADE, Look(places)),
        folder / "slices.html",
    )
    return folder


def _measured(readings: Path, cohort: Path) -> None:
    from click.testing import CliRunner

    from necroangle.cli.readings.measure import command

    CliRunner().invoke(command, [str(readings), "--cohort", str(cohort)], catch_exceptions=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=LONGEST_MS
        )
        yield started
        started.close()


def sheet_of(browser: Any, **how: Any) -> Any:
    """A page without a network."""
    context = browser.new_context(offline=True, **how)
    context.set_default_timeout(LONGEST_MS)
    return context.new_page()


@pytest.fixture(params=[(name, size) for name in ("hips", "slices") for size in SIZES],
                ids=lambda pair: "-".join(pair))  # fmt: skip
def page(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Any]:
    name, size = request.param
    wide, high = SIZES[size]
    opened = sheet_of(browser, viewport={"width": wide, "height": high})
    opened.problems = []
    opened.on("console", lambda message: opened.problems.append(message.text))
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(("file:", "data:")) else opened.problems.append(asked.url)
        ),
    )
    opened.goto((report / f"{name}.html").as_uri())
    yield opened
    opened.context.close()


def test_it_opens_without_a_word_on_the_console_and_fits_the_screen(page: Any) -> None:
    assert page.problems == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]
    broken = page.evaluate(
        "[...document.images].filter(one => !one.complete || !one.naturalWidth).length"
    )
    assert broken == 0


def test_no_rule_of_accessibility_is_broken(page: Any) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not there: .ci/set-up brings it where npm is installed")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run()")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    assert len(found["passes"]) > 15


def test_the_keyboard_reaches_what_can_be_used(page: Any) -> None:
    wanted = page.evaluate(
        """[...document.querySelectorAll('a, input, summary, [tabindex="0"]')]
        .filter(one => one.checkVisibility()).length"""
    )
    assert wanted > 10
    steps = min(wanted, 60)
    reached = set()
    for _ in range(steps):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """(() => { const one = document.activeElement;
                const line = getComputedStyle(one).outlineStyle;
                return one.tagName + (one.id || one.textContent.slice(0, 40)) + ':' + line })()"""
            )
        )
    assert len(reached) > steps * 0.8
    assert not [one for one in reached if one.endswith(":none")]


def test_marks_are_switched_off_by_the_keyboard_and_slices_scroll(
    browser: Any, report: Path
) -> None:
    opened = sheet_of(browser)
    opened.goto((report / "slices.html").as_uri())
    tick = opened.locator("input[type=checkbox]").first
    tick.focus()
    assert opened.locator("img.with").first.is_visible()
    opened.keyboard.press("Space")
    assert not opened.locator("img.with").first.is_visible()
    assert opened.locator("img.bare").first.is_visible()
    stack = opened.locator(".stack").first
    assert stack.locator("img").count() == 5
    stack.focus()
    opened.keyboard.press("End")
    for _ in range(100):  # it glides; the page's policy forbids to wait within it
        if opened.evaluate("document.querySelector('.stack').scrollTop") > 100:
            break
        opened.wait_for_timeout(100)
    assert opened.evaluate("document.querySelector('.stack').scrollTop") > 100
    opened.context.close()


def test_it_prints_on_a4_with_no_figure_cut(browser: Any, report: Path, tmp_path: Path) -> None:
    opened = sheet_of(browser, viewport={"width": 680, "height": 1000})
    opened.goto((report / "hips.html").as_uri())
    opened.emulate_media(media="print")
    # A4 less margins of 15 mm, at 96 points an inch: what is higher is cut, for it cannot break
    high, wide = 267 / 25.4 * 96, 180 / 25.4 * 96
    cut = opened.evaluate(
        """([wide, high]) => [...document.querySelectorAll('figure, .visit')]
        .map(one => one.getBoundingClientRect())
        .filter(box => box.height > high || box.width > wide + 2).length""",
        [wide, high],
    )
    assert cut == 0
    opened.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    content = (tmp_path / "printed.pdf").read_bytes()
    sizes = {tuple(map(float, one)) for one in re.findall(
        rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)}  # fmt: skip
    assert all(abs(w - 595) < 2 and abs(h - 842) < 2 for w, h in sizes)
    assert sizes
    opened.context.close()


def test_nothing_on_a_sheet_of_the_pdf_lies_outside_it(report: Path, tmp_path: Path) -> None:
    """Each page is drawn with a wide white margin added: nothing may be cut by the sheet's edge."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian: apt-get install poppler-utils)")
    text = subprocess.run(
        ["pdftotext", "-bbox", str(report / "hips.pdf"), "-"],
        capture_output=True, encoding="utf-8", check=True,
    ).stdout  # fmt: skip
    words = re.findall(
        r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">', text
    )
    assert len(words) > 2000
    outside = [
        box for box in words
        if float(box[0]) < 10 or float(box[1]) < 10 or float(box[2]) > 588 or float(box[3]) > 835
    ]  # fmt: skip
    assert outside == []
