"""A real Dask cluster for the tests: one scheduler and some worker processes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daskcluster import Cluster, Process


@pytest.fixture
def start_cluster(tmp_path: Path) -> Iterator[Callable[[int], Cluster]]:
    """Start a cluster with a number of workers; it ends with the test."""
    pytest.importorskip("distributed")
    running: list[Process] = []

    def dask(*words: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL, cwd=tmp_path
        )
        running.append(process)
        return process

    def start(count: int) -> Cluster:
        note = tmp_path / "scheduler.json"
        dask(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(note),
        )  # fmt: skip
        _wait_for(note)
        workers = [
            dask("worker", "--scheduler-file", str(note), "--no-nanny", "--no-dashboard",
                 "--nthreads", "1")
            for _ in range(count)
        ]  # fmt: skip
        return Cluster(_address(note), workers)

    yield start
    for process in running:
        process.kill()
    for process in running:
        process.wait()


def _wait_for(note: Path) -> None:
    end = time.monotonic() + 600
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < end, "the scheduler did not start"
        time.sleep(0.05)


def _address(note: Path) -> str:
    import json

    address = json.loads(note.read_text())["address"]
    assert isinstance(address, str)
    return address
