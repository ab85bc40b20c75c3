"""The documents as tests see them: their blocks, and a runner of the commands that they show.

In a page of Markdown:

- ``sh``: every line is run in its order, and must succeed;
- ``console``: every line after ``$`` is run, and what it prints is what stands below it, where
  ``...`` is anything;
- ``<!-- file: NAME -->`` above a block: the block is a file for the commands of its page;
  ``<!-- file: NAME`` and lines up to ``-->``: the same, not shown;
- ``<!-- run: COMMAND -->``: a command that prepares the others, not shown;
- ``<!-- in the study of the samples -->``: the others are run in the folder of a study that
  holds the samples, each hip read by two readers, with the clinical table of one patient;
- ``<!-- in the study of one sample -->``: likewise, of the first patient alone;
- ``<!-- in the study of 22 hips -->``: likewise, of made hips that two readers followed for years.

Commands of necroangle are run within the process, where all that they need is loaded once.
"""

import doctest
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import click
from commands import run_command
from msgspec.structs import replace
from wholestudy import make_whole_study

from necroangle.annotation import (
    Mark,
    ReadView,
    UnreadView,
    file_name,
    load_reading,
    save_reading,
)
from necroangle.samples import copy_samples

__all__ = [
    "DOCUMENTS",
    "ELSEWHERE",
    "KINDS",
    "ROOT",
    "STUDY",
    "Act",
    "acts_of",
    "blocks_of",
    "perform",
    "prepare",
]

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "sample_dicoms/README.md"]
    if path.name != "CHANGELOG.md"
)

KINDS = ("console", "json", "python", "r", "sh", "text", "toml")
"""What a block may be; and a directive of the site, in braces."""

OTHER_PROGRAMS = ("dask", "make", "napari", "pip")
"""Tried elsewhere: the cluster and napari by the README's test, the others by the checks."""

ELSEWHERE = (
    "agree",
    "calibrate",
    "demo",
    "fetch",
    "overlay",
    "phantom",
    "read",
    "report",
    "selftest",
    "send",
)
"""Commands that take long, open a window or need a server: only their words are tried here."""

SAMPLES = {"the samples": "PHANTOM-0[1-5]*", "one sample": "PHANTOM-01*"}
"""Which readings a study of samples holds."""

WHOLE = "whole_study"
"""The folder of the study of 22 hips: there those that take long are run, too."""

_ITEM = re.compile(
    r"^(?P<indent> *)```(?P<kind>[^\n`]*)\n(?P<text>.*?)^ *```$"
    r"|^ *<!-- in the study of (?P<study>the samples|one sample|22 hips) -->$"
    r"|^ *<!-- (?P<word>file|run): (?P<value>[^\n]*?)(?: -->$|\n(?P<hidden>.*?)^-->$)",
    re.DOTALL | re.MULTILINE,
)
_LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Act:
    """A command of a page, or a file that it needs.

    Attributes
    ----------
    kind
        ``"run"``, ``"file"`` or ``"study"``.
    what
        The command; the file's name.
    text
        What it prints (None: anything); what the file holds.
    """

    kind: str
    what: str
    text: str | None = None


def blocks_of(path: Path) -> list[tuple[str, str]]:
    """Kind and text of every block of a page."""
    found = _ITEM.finditer(path.read_text("utf-8"))
    return [(item["kind"], _text(item)) for item in found if item["kind"] is not None]


def acts_of(path: Path) -> list[Act]:
    """What is done to run a page."""
    return list(_acts(path.read_text("utf-8")))


def _acts(page: str) -> Iterator[Act]:
    name = ""
    for item in _ITEM.finditer(page):
        if item["study"]:
            yield Act("study", item["study"])
        elif item["word"] == "run":
            yield Act("run", item["value"])
        elif item["word"] == "file":
            if item["hidden"] is not None:
                yield Act("file", item["value"], item["hidden"])
            else:
                name = item["value"]
                continue
        elif name:
            yield Act("file", name, _text(item))
        elif item["kind"] == "sh":
            lines = _text(item).replace("\\\n", " ").splitlines()
            yield from (Act("run", line) for line in lines if line.strip(" \n"))
        elif item["kind"] == "console":
            for part in re.split(r"^\$ ", _text(item), flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                yield Act("run", command, printed)
        name = ""


def _text(item: re.Match[str]) -> str:
    """A block as it stands, without the indent of a list."""
    return re.sub(rf"^{item['indent']}", "", item["text"], flags=re.MULTILINE)


def prepare(acts: list[Act], folder: Path) -> None:
    """Put the samples in a folder, as a reader of the page has them who has come so far."""
    if not any(act.what.startswith("necroangle samples") for act in acts):
        copy_samples(folder / "sample_dicoms")


def perform(act: Act) -> str:
    """Do one act in the working directory; what is wrong with it, or nothing."""
    if act.kind == "file":
        Path(act.what).parent.mkdir(exist_ok=True)
        Path(act.what).write_text(act.text or "", "utf-8")
        return ""
    if act.kind == "study":
        return _make_whole_study() if act.what == "22 hips" else _make_study(SAMPLES[act.what])
    words = shlex.split(act.what, comments=True)
    if not words or words[0] in OTHER_PROGRAMS:
        return ""
    if words[0] == "cd":
        os.chdir(words[1])
        return ""
    if words[0] != "necroangle":
        return f"nobody runs {words[0]!r}: {act.what}"
    if words[1] in ELSEWHERE and Path.cwd().name != WHOLE:
        return _parsed(*words[1:])
    file = Path(words[words.index(">") + 1]) if ">" in words else None
    done = run_command(*(words[1 : words.index(">")] if file else words[1:]))
    if file is not None:
        file.write_text(done.stdout, "utf-8")
    if act.text is None:
        return _failed(done)
    if doctest.OutputChecker().check_output(act.text, done.stdout + done.stderr, _LOOSE):
        return ""
    return f"{act.what}: the page shows\n{act.text}\nbut it prints\n{done.stdout}{done.stderr}"


def _failed(done: CompletedProcess[str]) -> str:
    if done.returncode == 0:
        return ""
    words = " ".join(map(str, done.args))
    return f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"


STUDY = """\
format = "necroangle.study"
version = 1
study = "onfh"
method = "ha_mr_midslice"
readers = ["truth", "second"]
index_visit = "baseline"

[[visits]]
name = "baseline"
months = 0
before_days = 30
after_days = 30

[[visits]]
name = "month_12"
months = 12
before_days = 60
after_days = 60
"""


def _make_study(patients: str) -> str:
    """Make the study of some samples, and go there."""
    folder = Path("study")
    samples, readings = Path("sample_dicoms").resolve(), folder / "readings"
    readings.mkdir(parents=True)
    (folder / "study.toml").write_text(STUDY, "utf-8")
    for path in sorted((samples / "readings").glob(patients)):
        reading = load_reading(path)
        moved = replace(reading, reader="second", views=tuple(map(_moved, reading.views)))
        for one in (reading, moved):
            save_reading(one, readings / file_name(one))
    os.chdir(folder)
    measured = run_command("measure", "readings")
    return _failed(measured) or _failed(
        run_command("import", samples / "clinical.csv", "--as", "test")
    )


def _make_whole_study() -> str:
    """Make the study of 22 hips, and go there."""
    make_whole_study(Path(WHOLE))
    os.chdir(WHOLE)
    return _failed(run_command("measure", "readings"))


def _moved(view: ReadView | UnreadView) -> ReadView | UnreadView:
    """The view as another reader marks it: the first end of each arc a pixel or two further."""
    if isinstance(view, UnreadView):
        return view
    plane = view.plane.plane()
    arcs = []
    for number, arc in enumerate(view.arcs):
        row, column = arc.start.pixel
        arcs.append(replace(arc, start=Mark.at_pixel(plane, row + 1.0 + number, column - 0.5)))
    return replace(view, arcs=tuple(arcs))


def _parsed(name: str, *words: str) -> str:
    """Whether a command would take these words."""
    from necroangle.cli import cli

    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    try:
        command.make_context(name, list(words))
    except click.ClickException as error:
        return error.format_message()
    return ""
