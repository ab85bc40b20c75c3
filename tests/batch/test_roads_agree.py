"""One by one, in arrays, in processes, on a cluster, packed and unpacked: the same bits."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from daskcluster import StartCluster
from randomhips import random_files

from necroangle.batch import BatchResult, Plan, Refusal, measure_bytes, measure_chunk, open_stream
from necroangle.batch.pack import pack, unpack
from necroangle.batch.stream import Stream
from necroangle.measurement import DEFAULTS, METHODS, Method, RadiusPrior, Settings
from necroangle.protocol.noise import EndNoise

COUNT = int(os.environ.get("NECROANGLE_DIFFERENTIAL", "160"))
"""5,000 in the full test: NECROANGLE_DIFFERENTIAL=5000."""

KILLS = int(os.environ.get("NECROANGLE_KILLS", "2"))

Files = list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def files() -> Files:
    return random_files(COUNT, seed=11)


@pytest.fixture(scope="module")
def expected(files: Files) -> str:
    return one_by_one(files, None)


@pytest.fixture
def folder(files: Files, tmp_path: Path) -> Path:
    place = tmp_path / "study"
    place.mkdir()
    for name, raw in files:
        (place / name).write_bytes(raw)
    return place


def one_by_one(files: Files, method: Method | None, settings: Settings = DEFAULTS) -> str:
    found = [measure_bytes(name, raw, method, settings) for name, raw in files]
    rows = [one for one in found if not isinstance(one, Refusal)]
    refusals = [one for one in found if isinstance(one, Refusal)]
    return shown(rows, refusals)


def shown(rows: object, refusals: object) -> str:
    """Every bit of every value, in an order of its own."""
    ordered = sorted(rows, key=lambda row: row.key)  # type: ignore[call-overload]
    return repr(BatchResult(tuple(ordered), tuple(sorted(refusals))))  # type: ignore[call-overload]


def in_chunks(files: Files, size: int, plan: Plan) -> str:
    parts = [measure_chunk(files[k : k + size], plan) for k in range(0, len(files), size)]
    rows = [row for part in parts for row in part.columns.rows()]
    return shown(rows, {one for part in parts for one in part.refusals})


def streamed(stream: Stream, where: Path, workers: int = 1, scheduler: str | None = None) -> str:
    """What a stream gives, the files named as they lie in their folder."""
    parts = list(stream.results(workers, scheduler))
    rows = [row for part in parts for row in part.columns.rows()]
    refusals = [
        Refusal(one.file.removeprefix(f"{where}/"), one.place, one.problem)
        for part in parts
        for one in part.refusals
    ]
    return shown(rows, refusals)


@pytest.mark.parametrize("size", [1000, 17, 1])
def test_in_arrays_as_one_by_one(files: Files, expected: str, size: int) -> None:
    some = files if size > 1 else files[:40]
    wanted = expected if size > 1 else one_by_one(some, None)
    assert in_chunks(some, size, Plan()) == wanted


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda one: one.name)
def test_every_method(files: Files, method: Method) -> None:
    some = files[:60]
    assert in_chunks(some, 30, Plan((method,))) == one_by_one(some, method)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(EndNoise(0.7, 0.2, 9.0, "repeats")),
        Settings(centre="sphere"),
        Settings(radius_prior=RadiusPrior(24.0, 1.0, "visit m00")),
    ],
)
def test_every_setting(files: Files, settings: Settings) -> None:
    some = files[:40]
    found = in_chunks(some, 20, Plan((None,), settings))
    assert found == one_by_one(some, None, settings)


def test_order_and_neighbours_in_the_chunk_do_not_matter(files: Files, expected: str) -> None:
    assert in_chunks(files[::-1], 33, Plan()) == expected


def test_packed_and_unpacked(files: Files, folder: Path, expected: str, tmp_path: Path) -> None:
    packed = tmp_path / "study.parquet"
    assert pack([folder], packed).count == len(files)
    inner = f"{packed}/{str(folder).lstrip('/')}"
    assert streamed(open_stream([packed], chunk=90), Path(inner)) == expected
    back = tmp_path / "back"
    assert unpack(packed, back).refusals == ()
    again = back / str(folder).lstrip("/")
    assert {file.name: file.read_bytes() for file in again.iterdir()} == dict(files)
    assert streamed(open_stream([back]), again) == expected


def test_two_processes(folder: Path, expected: str) -> None:
    assert streamed(open_stream([folder], chunk=40), folder, workers=2) == expected


def test_dask_whose_workers_are_killed_loses_and_doubles_nothing(
    folder: Path, expected: str, start_cluster: StartCluster
) -> None:
    """All of them, one less after each trial, and one alone."""
    cluster = start_cluster(KILLS + 2)

    def found(chunk: int) -> str:
        return streamed(open_stream([folder], chunk=chunk), folder, scheduler=cluster.address)

    assert found(40) == expected
    for trial in range(KILLS):
        killer = threading.Timer(random.Random(trial).uniform(0.2, 3.0), cluster.workers.pop().kill)
        killer.start()
        assert found(10) == expected
        killer.join()
    cluster.workers.pop().kill()
    assert found(40) == expected


def test_a_killed_process_loses_and_doubles_nothing(
    folder: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from necroangle.batch import engine

    pools = []
    fresh = engine._pool

    def watched(workers: int) -> object:
        pools.append(fresh(workers))
        return pools[-1]

    def kill() -> None:
        end = time.monotonic() + 600
        while not (pools and pools[0]._processes) and time.monotonic() < end:
            time.sleep(0.05)
        os.kill(next(iter(pools[0]._processes)), signal.SIGKILL)

    monkeypatch.setattr(engine, "_pool", watched)
    killer = threading.Thread(target=kill)
    killer.start()
    found = streamed(open_stream([folder], chunk=10), folder, workers=2)
    killer.join()
    assert found == expected
    assert len(pools) == 2, "the pool was replaced once"


_DIGEST = """
import sys, hashlib
from necroangle.batch import measure_files
found = measure_files([sys.argv[1]])
print(hashlib.sha256(repr(found).encode()).hexdigest())
"""


def test_surroundings_do_not_matter(folder: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    surroundings: list[dict[str, str]] = [
        {},
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        {"LC_ALL": "C", "TZ": "America/St_Johns", "OPENBLAS_CORETYPE": "Haswell"},
    ]
    found = {
        subprocess.run(
            [sys.executable, "-c", _DIGEST, str(folder)],
            env=own | extra,
            capture_output=True,
            check=True,
        ).stdout
        for extra in surroundings
    }
    assert len(found) == 1
