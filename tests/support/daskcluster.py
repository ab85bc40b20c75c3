"""What a test knows of a Dask cluster that it started."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Cluster", "Process", "StartCluster"]

Process = subprocess.Popen[bytes]


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    workers: list[Process]


StartCluster = Callable[[int], Cluster]
"""Starts a cluster with a number of workers."""
