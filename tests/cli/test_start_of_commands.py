"""How soon commands start: what each may load, and that no other library is loaded with it.

Imports are nearly all of what a command costs that touches the table. The commands run one after
the other in one process, those that may load least first, so a library is blamed on the first
command that loads it. How long they take is measured by ``benchmarks/start_speed.py``.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from starts import COMMANDS, ELSEWHERE, HEAVY, STARTS, make_started_study

RUN = """\
import io, json, sys
from necroangle.cli import cli

commands, heavy = json.load(sys.stdin)
told, before = sys.stdout, set()
for words in commands:
    sys.stdout = sys.stderr = io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        code = cli.main(words.split(), standalone_mode=False) or 0
    except SystemExit as stop:
        code = stop.code
    except Exception as error:
        code = f"{type(error).__name__}: {error}"
    loaded = {one for one in heavy if one in sys.modules}
    print(json.dumps([words, code, sorted(loaded - before)]), file=told)
    before = loaded
"""


def test_a_command_loads_what_it_needs_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_started_study(tmp_path)
    asked = json.dumps([[words for words, _ in STARTS], sorted(HEAVY)])
    done = subprocess.run([sys.executable, "-c", RUN], input=asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {words: code for words, code, _ in found if code} == {}
    wrong = {
        words: sorted(set(loaded) - allowed)
        for (words, _, loaded), (_, allowed) in zip(found, STARTS, strict=True)
        if not set(loaded) <= allowed
    }
    assert wrong == {}


def test_every_command_that_touches_the_table_is_held_to_it() -> None:
    held = {words.split()[0] for words, _ in STARTS if not words.endswith("--help")}
    assert held - {"--version"} | ELSEWHERE == set(COMMANDS)
