"""The picture of a report in README and docs: made from the 22 hips of the worked example.

Usage: python docs/make_report.py [STUDY_FOLDER]

Without a folder the study is made anew. Needs Chromium and playwright, as the tests do.
"""

import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests" / "support"))
WIDE, HIGH, SHOWN = 980, 1250, ("results", "figure-4", "hip-7")


def main() -> None:
    """Write ``docs/report.png``: three views of one report, side by side."""
    with TemporaryDirectory() as name:
        study = Path(sys.argv[1]) if len(sys.argv) > 1 else made_study(Path(name) / "study")
        page = Path(name) / "report.html"
        run = [sys.executable, "-m", "necroangle", "report", "--out", str(page)]
        subprocess.run(run, cwd=study, check=True)
        views = pictures(page)
    sheet = Image.new("RGB", (sum(one.width for one in views), views[0].height), "white")
    left = 0
    for one in views:
        sheet.paste(one, (left, 0))
        left += one.width
    small = sheet.resize((1800, round(sheet.height * 1800 / sheet.width)), Image.Resampling.LANCZOS)
    small.quantize(128).save(DOCS / "report.png", optimize=True)


def made_study(folder: Path) -> Path:
    """The study of 22 hips, measured."""
    from wholestudy import make_whole_study

    make_whole_study(folder)
    run = [sys.executable, "-m", "necroangle", "measure", "readings"]
    subprocess.run(run, cwd=folder, check=True)
    return folder


def pictures(page: Path) -> list[Image.Image]:
    """What a browser shows of some places of the page."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        opened = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        found = []
        for place in SHOWN:
            opened.goto(f"{page.resolve().as_uri()}#{place}")
            found.append(Image.open(BytesIO(opened.screenshot())).convert("RGB"))
        browser.close()
    return found


if __name__ == "__main__":
    main()
