"""Every command of the way through a study, in one process with the rules of Windows and macOS.

Not a test itself: ``test_rules_of_others.py`` runs it in a process of its own, since it changes the
process for good. usage: as_on_windows.py FOLDER [FIX-TO-TURN-BACK]
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

import othersystems

NEEDS = {"flush": "export", "folder": "table", "wait": "table", "console": "series"}
"""A command that needs each fix."""


def turned_back(fix: str) -> None:
    """Undo one fix, to see that the rules notice."""
    from necroangle import storage
    from necroangle.cli.screen import spell_for_consoles
    from necroangle.export import folder as exports

    def flush_for_reading(path: Path) -> None:
        with path.open("rb") as file:
            os.fsync(file.fileno())

    def sync_opened(folder: Path) -> None:
        os.fsync(os.open(folder, os.O_RDONLY))

    {
        "": lambda: None,
        "flush": lambda: setattr(exports, "sync_file", flush_for_reading),
        "folder": lambda: setattr(storage, "sync_folder", sync_opened),
        "wait": lambda: setattr(storage, "_WAITS_S", ()),
        "console": lambda: None,
    }[fix]()
    if fix != "console":
        spell_for_consoles()


def run(*words: Any) -> int:
    """Run a command; its exit code."""
    from necroangle.cli import cli

    try:
        code = cli.main([str(one) for one in words], prog_name="necroangle", standalone_mode=False)
    except SystemExit as stop:
        return int(stop.code or 0)
    except Exception:
        traceback.print_exc()
        return 99
    return int(code or 0)


class Scanner:
    """A virus scanner: it opens each new file, and lets go of it where the program waits."""

    def __init__(self) -> None:
        import tempfile

        from necroangle import storage

        self._made, self._held = tempfile.mkstemp, list[int]()
        tempfile.mkstemp = self.mkstemp  # type: ignore[assignment]
        vars(storage)["time"] = self

    def mkstemp(self, *arguments: Any, **options: Any) -> tuple[int, str]:
        """As tempfile's; the new file is held."""
        descriptor, name = self._made(*arguments, **options)
        self._held.append(os.dup(descriptor))
        return descriptor, name

    def sleep(self, _: float) -> None:
        """As time's, in no time."""
        while self._held:
            os.close(self._held.pop())


def main(folder: Path, fix: str) -> int:
    """The number of what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    othersystems.impose(folder)
    turned_back(fix)
    Scanner()
    samples, cohort = Path("samples"), ("--cohort", "cohort.sqlite")
    commands: list[tuple[Any, ...]] = [
        ("samples", samples),
        ("measure", samples / "readings", *cohort),
        ("table", *cohort),
        ("table", *cohort, "--csv", "-o", "cohort.csv"),
        ("import", samples / "clinical.csv", *cohort, "--as", "coordinator"),
        ("outcome", *cohort, "--index-visit", "baseline", "--method", "ha_mr_midslice"),
        *[("export", "--to", "all", *cohort, "--out", "exported")] * 2,
        ("verify", *cohort, "--readings", samples / "readings"),
        ("series", "--passport", samples / "oblique"),
        *[("index", samples)] * 2,
        ("pack", samples / "readings", "-o", "study.parquet"),
        ("unpack", "study.parquet", "unpacked"),
        ("remeasure", "unpacked", *cohort, "--report", "differences.html"),
        ("overlay", samples / "readings", "--images", samples, "--out", "shown", "--pdf", "a.pdf"),
        ("audit-geometry", samples / "readings", "--images", samples),
        ("init", "my_study", "--reader", "kim"),
        ("schema", "-o", "schema.json"),
    ]
    if fix:
        commands = [words for words in commands if words[0] in {"samples", "measure", NEEDS[fix]}]
    wrong = 0
    for words in commands:
        code = run(*words)
        if code:
            print("FAILED", code, *words, file=sys.stderr)
            wrong += 1
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
