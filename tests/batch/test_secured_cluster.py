"""A cluster by TLS does the work; one that is open to others is refused."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import make_certificate
from click.testing import CliRunner
from hipmaker import make_reading

from necroangle.annotation import encode_reading, file_name
from necroangle.batch import Plan, Scheduler, open_stream
from necroangle.cli import cli
from necroangle.errors import ReadingError

OPEN = ["tcp://192.0.2.7:8786", "192.0.2.7:8786", "node:8786", "ucx://10.0.0.1:1", "ws://a:1"]
HERE = ["tcp://127.0.0.1:8786", "127.0.0.1:8786", "localhost:8786", "tcp://[::1]:8786"]


@pytest.mark.parametrize("address", OPEN)
def test_a_cluster_that_is_open_to_others_is_refused(address: str) -> None:
    with pytest.raises(ReadingError, match="anyone on the network can run programs"):
        Scheduler(address)
    assert Scheduler(address, is_insecure=True).security() is None


@pytest.mark.parametrize("address", HERE)
def test_a_cluster_of_this_machine_is_taken(address: str) -> None:
    assert Scheduler(address).security() is None


def test_certificates_are_all_there_or_none(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match="needs --tls-ca"):
        Scheduler("tls://a:1", tmp_path / "ca.pem")
    with pytest.raises(ReadingError, match="go with a tls:// address"):
        Scheduler("tcp://127.0.0.1:1", tmp_path / "ca.pem")
    files = [tmp_path / name for name in ("ca.pem", "b", "c")]
    missing = Scheduler("tls://a:1", files[0], files[1], files[2])
    with pytest.raises(ReadingError, match=r"ca\.pem: there is no such file"):
        missing.security()


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """Address of a cluster of one worker by TLS, and its certificate and key."""
    pytest.importorskip("distributed")
    pem, key = make_certificate(tmp_path)
    note = tmp_path / "scheduler.json"
    tls = ("--tls-ca-file", pem, "--tls-cert", pem, "--tls-key", key)
    words = ("--protocol", "tls", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    running = []

    def dask(*words: object) -> None:
        command = [sys.executable, "-m", "dask", *map(str, words)]
        running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path))

    try:
        dask("scheduler", *words, *tls, "--scheduler-file", note)
        end = time.monotonic() + 600
        while not (note.exists() and note.read_text()):
            assert time.monotonic() < end, "the scheduler did not start"
            time.sleep(0.05)
        address = str(json.loads(note.read_text())["address"])
        dask("worker", address, *tls, "--no-nanny", "--no-dashboard", "--nthreads", "1")
        yield address, pem, key
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_cluster_by_tls_does_the_work(secured: tuple[str, Path, Path], tmp_path: Path) -> None:
    address, pem, key = secured
    folder = tmp_path / "readings"
    folder.mkdir()
    for number in range(4):
        reading = make_reading(subject=f"S{number}")
        (folder / file_name(reading)).write_bytes(encode_reading(reading))
    assert address.startswith("tls://127.0.0.1:")
    stream = open_stream([str(folder)], Plan())
    results = list(stream.results(scheduler=Scheduler(address, pem, pem, key)))
    assert sum(result.count for result in results) == 4
    tls = ["--tls-ca", str(pem), "--tls-cert", str(pem), "--tls-key", str(key)]
    asked = ["remeasure", str(folder), "--cohort", str(tmp_path / "c.sqlite"), "--yes"]
    done = CliRunner().invoke(cli, [*asked, "--scheduler", address, *tls])
    assert done.exit_code == 0, (done.output, done.exception)
