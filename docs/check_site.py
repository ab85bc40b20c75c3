"""Check the site that was built: ``python docs/check_site.py build/site [--browser]``.

Every link and picture within the site must lead somewhere, to the very heading that it names. With
``--browser`` a headless Chromium opens pages at two widths: no message of an error, nothing wider
than the window, and the search finds what it should. Exit code 1 where something is wrong.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

PAGES = ("index.html", "tutorials/first_hip.html", "reference/columns.html")
WIDTHS = (1400, 390)
SEARCHES = {
    "pgpass": "howto/shared_database.html",
    "cna_se_total": "reference/columns.html",
    "anonymise": "faq.html",
}
"""A word, and the page that must be found by it."""


class Page(HTMLParser):
    """The names of a page's places, and where its links go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is called and where it leads."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.names.add(value)
            elif name in ("href", "src") and value and tag != "base":
                self.links.append(value)


def dead_links(site: Path) -> Iterator[str]:
    """Links within the site that lead nowhere."""
    files = (path for path in site.rglob("*.html") if "_static" not in path.parts)
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in files}
    for path, page in sorted(pages.items()):
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            name = unquote(parts.fragment)
            if not target.exists() or (
                name and target in pages and name not in pages[target].names
            ):
                yield f"{path.relative_to(site.resolve())}: {link}"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def browser_problems(site: Path, pictures: Path | None) -> Iterator[str]:
    """What a browser does not like."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        yield "no chromium: install it (Debian: apt-get install chromium)"
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    looks = [(page, width) for page in PAGES for width in WIDTHS]
    looks += [(f"search.html?q={word}", WIDTHS[0]) for word in SEARCHES]
    with ThreadPoolExecutor(2) as pool:
        shown = pool.map(lambda look: look_at(program, root, *look, pictures), looks)
        for (page, width), (dom, said) in zip(looks, shown, strict=True):
            yield from (f"{page} at {width}: {line}" for line in said)
            if "<h1" not in dom:
                yield f"{page} at {width}: no heading"
            word = page.partition("?q=")[2]
            if word and f'href="{SEARCHES[word]}' not in dom:
                yield f"the search for {word} does not find {SEARCHES[word]}"
    server.shutdown()


def look_at(
    program: str, root: str, page: str, width: int, pictures: Path | None
) -> tuple[str, list[str]]:
    """A page as the browser made it, and what it said of errors."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={profile}", "--enable-logging=stderr", f"--window-size={width},1000",
            "--virtual-time-budget=4000",
        ]  # fmt: skip
        done = subprocess.run(
            [*command, "--dump-dom", f"{root}/{page}"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        if pictures is not None:
            name = re.sub(r"\W+", "_", page.removesuffix(".html"))
            picture = pictures / f"{name}_{width}.png"
            subprocess.run(
                [*command, f"--screenshot={picture}", f"{root}/{page}"],
                capture_output=True, check=False, timeout=60,
            )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line and '"[PST]' not in line]
    return done.stdout, said


def main(words: list[str]) -> int:
    """Check, and say what is wrong."""
    site = Path(words[0])
    problems = [f"dead link: {link}" for link in dead_links(site)]
    if "--browser" in words:
        pictures = Path(words[words.index("--pictures") + 1]) if "--pictures" in words else None
        problems += browser_problems(site, pictures)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
