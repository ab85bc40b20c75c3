"""The way through a study under the rules of Windows and macOS, whole and with fixes turned back.

Not a test itself: ``test_rules_of_others.py`` runs it in a process of its own. What is slow to load
is loaded once; each run is then a child of that process, since the rules change it for good. Each
prints ``NAME: `` and the commands that failed. usage: as_on_windows.py FOLDER NAME...
"""

import os
import shutil
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import othersystems

WHOLE = "whole"
CONSOLES = ("cp437", "cp932", "cp949", "cp1252")
SLOW_TO_LOAD = (
    *("numpy", "scipy.optimize", "scipy.ndimage", "scipy.stats", "pandas", "pydicom", "msgspec"),
    *("sqlalchemy.dialects.sqlite", "alembic.command", "click", "rich.table", "concurrent.futures"),
    *("multiprocessing.shared_memory", "multiprocessing.popen_spawn_posix", "cv2", "PIL.Image"),
)


def _flush_for_reading(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_opened(folder: Path) -> None:
    os.fsync(os.open(folder, os.O_RDONLY))


def _named_by_python(path: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent)
    os.close(handle)
    Path(name).unlink()
    return Path(name)


def _removed_once(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


FIXES: dict[str, tuple[str, dict[str, Any], str]] = {
    "flush": ("necroangle.export.folder", {"sync_file": _flush_for_reading}, "export"),
    "folder": ("necroangle.storage", {"sync_folder": _sync_opened}, "table"),
    "wait": ("necroangle.storage", {"_WAITS_S": ()}, "table"),
    "console": ("necroangle.cli", {"spell_for_consoles": lambda: None}, "series"),
    "bytes": ("necroangle.ledger.anchors", {"BINARY": 0}, "verify"),
    "rights": ("necroangle.dicom.index", {"can_write_in": lambda *_: True}, "index"),
    "name": ("necroangle.storage", {"new_part": _named_by_python}, "table"),
    "read-only": ("necroangle.keeping.erase", {"remove": _removed_once}, "erase"),
    "companions": (
        "necroangle.batch.sources",
        {"names_reading": lambda name: name.endswith(".reading.json")},
        "measure",
    ),
}
"""Where each fix stands, what was there before it, and a command that then fails."""

REFUSED = frozenset({1, 2})


def run(*words: Any) -> int:
    """Run a command; its exit code."""
    from necroangle.cli import main as command

    sys.argv = ["necroangle", *map(str, words)]
    try:
        command()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 98
    except Exception:
        print(ascii(traceback.format_exc()), file=sys.stderr)
        return 99
    return 0


class Scanner:
    """A virus scanner: it opens each file that was written, and lets go where the program waits."""

    def __init__(self) -> None:
        from necroangle import storage

        self._flush, self._held = os.fsync, list[int]()
        os.fsync = self.fsync  # type: ignore[assignment]
        vars(storage)["time"] = self

    def fsync(self, descriptor: int) -> None:
        """As the system's; the file is held."""
        self._flush(descriptor)
        self._held.append(os.dup(descriptor))

    def sleep(self, _: float) -> None:
        """As time's, in no time."""
        while self._held:
            os.close(self._held.pop())


def make_study(folder: Path, samples: Path) -> None:
    """A study with the samples' readings, one of them read-only; and a Mac's file beside it."""
    from documents import STUDY

    (folder / "readings").mkdir(parents=True)
    for reading in (samples / "readings").glob("PHANTOM-0[1-5]*"):
        shutil.copyfile(reading, folder / "readings" / reading.name)
    (folder / "study.toml").write_text(STUDY, "utf-8")
    first = min((folder / "readings").glob("*.reading.json"))
    first.with_name(f"._{first.name}").write_bytes(b"\x00\x05\x16\x07")
    first.chmod(stat.S_IREAD)


def steps(samples: Path) -> list[tuple[Any, ...] | Callable[[], object]]:
    """The commands in their order, and what is done between them."""
    cohort, locked = ("--cohort", "cohort.sqlite"), Path(othersystems.LOCKED)
    who = ("--as", "kim", "--reason", "letter 12")
    return [
        ("samples", samples),
        ("measure", samples / "readings", *cohort),
        ("table", *cohort),
        ("table", *cohort, "--csv", "-o", "cohort.csv"),
        ("table", *cohort, "--csv"),
        ("import", samples / "clinical.csv", *cohort, "--as", "coordinator"),
        ("outcome", *cohort, "--index-visit", "baseline", "--method", "ha_mr_midslice"),
        *[("export", "--to", "all", *cohort, "--out", "exported")] * 2,
        ("verify", *cohort, "--readings", samples / "readings"),
        lambda: shutil.copytree(samples / "oblique", "free/oblique"),
        lambda: Path("free").rename(locked),
        ("series", "--passport", samples / "oblique"),
        ("series", locked / "oblique"),
        *[("index", samples)] * 2,
        ("index", locked / "oblique"),
        ("pack", samples / "readings", "-o", "study.parquet"),
        ("refused: table", *cohort, "--csv", "-o", locked / "cohort.csv"),
        ("refused: export", "--to", "csv", *cohort, "--out", locked / "exported"),
        ("unpack", "study.parquet", "unpacked"),
        ("remeasure", "unpacked", *cohort, "--report", "differences.html"),
        ("overlay", samples / "readings", "--images", samples, "--out", "shown", "--pdf", "a.pdf"),
        ("audit-geometry", samples / "readings", "--images", samples),
        ("init", "my_study", "--reader", "kim"),
        ("schema", "-o", "schema.json"),
        lambda: make_study(Path("study"), samples),
        lambda: os.chdir("study"),
        ("measure", "readings"),
        ("queries",),
        ("baseline", "--csv", "-o", "table1.csv"),
        ("trial", "--out", "sdtm"),
        ("give", "readings", "--as", "csv", "--out", "points"),
        ("audit", "--output", "audit.csv"),
        ("anchor", "--output", "kept.anchors"),
        ("backup", "kept.zip"),
        ("restore", "kept.zip", "elsewhere", "--verify"),
        ("lock", "analysis-1", *who),
        ("lock", "analysis-1", "--open", *who),
        ("erase", "PHANTOM-01", *who, "--yes"),
        ("verify", "--readings", "readings"),
    ]


def whole_way(folder: Path, fix: str) -> list[str]:
    """What failed; where a fix is turned back only what it needs is run."""
    folder.mkdir(parents=True)
    os.chdir(folder)
    os.environ.update(XDG_CACHE_HOME=str(folder / "cache"), USERNAME="reader")
    othersystems.impose(folder)
    module, before, needs = FIXES.get(fix, ("", {}, ""))
    if module:
        vars(import_module(module)).update(before)
    Scanner()
    failed = []
    for number, step in enumerate(steps(folder / "samples")):
        if callable(step):
            step()
            continue
        name = step[0].removeprefix("refused: ")
        expects = {0} if name == step[0] else REFUSED
        if fix in FIXES and name not in {"samples", "measure", needs}:
            continue
        console = CONSOLES[number % len(CONSOLES) if fix == WHOLE else 0]
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(  # type: ignore[union-attr]
                encoding=console, errors=_errors(stream), newline="\r\n"
            )
        code = run(name, *step[1:])
        if code not in expects:
            failed.append(f"{' '.join(map(str, step))} ({code})")
        sys.stdout.flush()
    return failed


def _errors(stream: Any) -> str:
    """What is done with letters that a console lacks: by Python's own choice nothing."""
    return "strict" if stream.errors == "backslashreplace" else str(stream.errors)


def in_a_child(folder: Path, name: str) -> None:
    """Run it, and put what it printed beside its folder."""
    with folder.with_suffix(".txt").open("wb") as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    failed = ["it ended early"]
    try:
        failed = whole_way(folder, name)
    except BaseException:
        traceback.print_exc()
    finally:
        folder.with_suffix(".failed").touch()
        sys.stdout.flush()
        os.write(3, f"{name}: {'; '.join(failed)}\n".encode())
        os._exit(0)


def main(folder: Path, names: list[str]) -> None:
    """Print what failed of each."""
    for module in SLOW_TO_LOAD:
        import_module(module)
    os.dup2(1, 3)
    for name in names:
        child = os.fork()
        if not child:
            in_a_child(folder / name, name)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
