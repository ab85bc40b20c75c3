"""Who runs the worker function: this process, a pool of processes, or a Dask cluster.

Every engine gives the results in the order of the chunks, with only a few of them under way, so
that memory does not grow with their number. The function has no state: a chunk whose worker was
killed is run again, and nothing is lost or done twice.
"""

import ipaddress
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from necroangle.errors import ReadingError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

# ---- the Dask scheduler that work is sent to ---------------------------------------------------
# Who can reach a scheduler without TLS can run any program on its workers, and who listens reads
# the readings. So plain ``tcp://`` beyond this machine is refused unless it is asked for.

_ENCRYPTED = frozenset({"tls", "wss"})


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Address of a scheduler, and how it is known to be the right one.

    Attributes
    ----------
    address
        ``tls://host:8786``; ``tcp://`` on this machine, or where ``is_insecure``.
    ca_file
        Certificates that the scheduler's own must be signed by.
    cert_file, key_file
        Certificate and private key that the scheduler knows this program by.
    is_insecure
        Whether no encryption beyond this machine was asked for.

    Raises
    ------
    ReadingError
        If the address is open to others, or certificates are missing or not needed.

    Examples
    --------
    >>> Scheduler("tcp://127.0.0.1:8786").address
    'tcp://127.0.0.1:8786'
    >>> Scheduler("tcp://192.0.2.7:8786")
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: tcp://192.0.2.7:8786: anyone on the network can run programs ...
    """

    address: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    is_insecure: bool = False

    def __post_init__(self) -> None:
        files = (self.ca_file, self.cert_file, self.key_file)
        if self.is_encrypted and None in files:
            raise ReadingError(
                "a scheduler by TLS needs --tls-ca, --tls-cert and --tls-key", file=self.address
            )
        if not self.is_encrypted and any(files):
            raise ReadingError("certificates go with a tls:// address", file=self.address)
        if not (self.is_encrypted or self.is_insecure or self._is_here()):
            raise ReadingError(
                "anyone on the network can run programs on such a cluster and read what is sent: "
                "use tls:// with certificates (docs/batch.md), or say --insecure",
                file=self.address,
            )

    @property
    def is_encrypted(self) -> bool:
        """Whether it is spoken to by TLS."""
        return urlsplit(self.address).scheme.lower() in _ENCRYPTED

    def _is_here(self) -> bool:
        text = self.address if "://" in self.address else f"tcp://{self.address}"
        try:
            found = urlsplit(text)
            host = found.hostname or ""
            if found.scheme.lower() == "inproc" or host == "localhost":
                return True
            return ipaddress.ip_address(host).is_loopback
        except ValueError:  # a name, or no address at all
            return False

    def security(self) -> Any:
        """What ``distributed`` needs of the certificates; None without TLS.

        Raises
        ------
        ReadingError
            If a file is missing.
        """
        if not self.is_encrypted:
            return None
        for file in (self.ca_file, self.cert_file, self.key_file):
            if file is not None and not file.is_file():
                raise ReadingError("there is no such file", file=str(file))
        return import_module("distributed").Security(
            require_encryption=True,
            tls_ca_file=str(self.ca_file),
            tls_client_cert=str(self.cert_file),
            tls_client_key=str(self.key_file),
        )


# ---- who runs it ---------------------------------------------------------------------------------


Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

_AHEAD = 2
_LARGE_GRAPH = "distributed.admin.large-graph-warning-threshold"
_MOST_DEATHS = 5


def run_here(work: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Iterator[Result]:
    """One chunk after the other, in this process."""
    return map(work, chunks)


def run_in_processes(
    work: Callable[[Chunk], Result], chunks: Iterable[Chunk], workers: int
) -> Iterator[Result]:
    """In a pool of processes of this machine.

    Raises
    ------
    ReadingError
        If worker processes die again and again.
    """
    from concurrent.futures.process import BrokenProcessPool

    waiting: deque[tuple[Chunk, Future[Result]]] = deque()
    rest, deaths = iter(chunks), 0
    pool = _pool(workers)
    try:
        while True:
            for chunk in _some(rest, _AHEAD * workers - len(waiting)):
                waiting.append((chunk, pool.submit(work, chunk)))
            if not waiting:
                return
            try:
                result = waiting[0][1].result()
            except BrokenProcessPool as error:
                deaths += 1
                if deaths > _MOST_DEATHS:
                    raise ReadingError(
                        "worker processes die again and again; is there enough memory? "
                        "Try --workers 1"
                    ) from error
                pool.shutdown(wait=False)
                pool = _pool(workers)
                waiting = deque((chunk, pool.submit(work, chunk)) for chunk, _ in waiting)
                continue
            waiting.popleft()
            yield result
    finally:
        pool.shutdown(wait=not waiting, cancel_futures=True)  # all done: its processes end too


def run_on_cluster(
    work: Callable[[Chunk], Result], chunks: Iterable[Chunk], scheduler: Scheduler
) -> Iterator[Result]:
    """On the workers of a Dask cluster, which need necroangle and nothing else.

    Raises
    ------
    ReadingError
        If dask.distributed is not installed, or the scheduler cannot be reached.
    """
    # A chunk goes with its task, by way of the scheduler: what is scattered dies with its worker.
    with closing(_client(scheduler)) as client, _large_tasks():
        waiting: deque[Any] = deque()
        rest = iter(chunks)
        while True:
            ahead = _AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
            for chunk in _some(rest, ahead - len(waiting)):
                waiting.append(client.submit(work, chunk, pure=False, retries=_MOST_DEATHS))
            if not waiting:
                return
            yield waiting.popleft().result()


def _some(chunks: Iterator[Chunk], most: int) -> Iterator[Chunk]:
    for _ in range(most):
        try:
            yield next(chunks)
        except StopIteration:
            return


def _pool(workers: int) -> "ProcessPoolExecutor":
    """Fresh processes, which share nothing with this one: no lock, no thread, no connection."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def _large_tasks() -> Any:
    """Dask's own warning of tasks above 10 MB is silenced: a chunk may be as large."""
    return import_module("dask").config.set({_LARGE_GRAPH: "1GB"})


def _client(scheduler: Scheduler) -> Any:
    try:
        client = import_module("distributed").Client
    except ImportError as error:
        raise ReadingError(
            f"a cluster needs dask.distributed ({error}); install necroangle[cluster]"
        ) from error
    security = scheduler.security()
    try:
        return client(scheduler.address, timeout=20, set_as_default=False, security=security)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ReadingError(
            f"the scheduler at {scheduler.address} cannot be reached: {error}"
        ) from error
