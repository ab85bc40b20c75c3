"""A process killed at 50 random moments: nothing is lost but the drag in progress."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the trial forks")
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "killed_editor.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(HERE.parent / "support")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(trials) == 50
    assert [trial for trial in trials if trial["lost"] or trial["set_aside"]] == []
    assert sum(trial["offered"] for trial in trials) > 30
    assert len({trial["edits"] for trial in trials}) > 20
