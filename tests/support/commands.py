"""The command, run within the process of the tests, where all that it needs is loaded once."""

import io
import os
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from necroangle.cli import main

__all__ = ["run_command"]


def run_command(
    *words: str | Path,
    folder: Path | None = None,
    columns: int | None = None,
    encoding: str = "utf-8",
) -> CompletedProcess[str]:
    """Run ``necroangle`` with some words as its own process would.

    Parameters
    ----------
    folder
        Where it is run; by default in the current folder.
    columns
        How wide the console is; by default as the environment says.
    encoding
        What the console can show.
    """
    printed, errors = (io.TextIOWrapper(io.BytesIO(), encoding, newline="") for _ in range(2))
    arguments, sys.argv = sys.argv, ["necroangle", *map(str, words)]
    before, code = os.environ.get("COLUMNS"), 0
    if columns is not None:
        os.environ["COLUMNS"] = str(columns)
    try:
        with redirect_stdout(printed), redirect_stderr(errors), chdir(folder or Path.cwd()):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    finally:
        sys.argv = arguments
        if columns is not None:
            os.environ.pop("COLUMNS")
            os.environ.update({} if before is None else {"COLUMNS": before})
    return CompletedProcess(words, code, _text(printed), _text(errors))


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
