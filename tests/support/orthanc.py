"""A real Orthanc with its DICOMweb plugin on loopback, started where both are installed.

Debian: packages ``orthanc`` and ``orthanc-dicomweb``. Ports are free ones; nothing is kept.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["PASSWORD", "USER", "Orthanc", "free_port", "running_orthanc"]

USER, PASSWORD = "kim", "correct horse"
_PLUGINS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
_TRIES = 600


@dataclass(frozen=True)
class Orthanc:
    """A running server, and a file that names it.

    Attributes
    ----------
    servers
        ``servers.toml`` with ``web``, ``get``, ``move``, and others that are refused.
    http_port, dicom_port
        Where it listens.
    """

    servers: Path
    http_port: int
    dicom_port: int


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running_orthanc(folder: Path) -> Iterator[Orthanc]:
    """An empty server while the block runs; the test is skipped where it is not installed."""
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    plugin = next(
        (found for place in _PLUGINS for found in place.glob("libOrthancDicomWeb.so*")), None
    )
    if program is None or plugin is None:
        pytest.skip("Orthanc is not installed (Debian: apt-get install orthanc orthanc-dicomweb)")
    http_port, dicom_port, own_port = free_port(), free_port(), free_port()
    settings = {
        "Name": "necroangle tests",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "DicomModalities": {"us": ["NECROANGLE", "127.0.0.1", own_port]},
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), "utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], cwd=folder, stdout=log, stderr=log
        )
        try:
            _wait(process, http_port, folder / "log")
            servers = folder / "servers.toml"
            servers.write_text(_servers(http_port, dicom_port, own_port), "utf-8")
            yield Orthanc(servers, http_port, dicom_port)
        finally:
            process.terminate()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    for _ in range(_TRIES):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/system"):
                return
        except urllib.error.HTTPError:  # it asks for a password: it is there
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8"))


def _servers(http_port: int, dicom_port: int, own_port: int) -> str:
    dicom = f'kind = "dimse"\nhost = "127.0.0.1"\nport = {dicom_port}\n'
    web = f'kind = "dicomweb"\nurl = "http://127.0.0.1:{http_port}/dicom-web"\n'
    move = f'retrieve = "move"\nown_host = "127.0.0.1"\nown_port = {own_port}\n'
    return f"""\
format = "necroangle.servers"
version = 1

[servers.web]
{web}user = "{USER}"

[servers.web-without-password]
{web}
[servers.get]
{dicom}ae_title = "ORTHANC"

[servers.move]
{dicom}ae_title = "ORTHANC"
{move}
[servers.wrong-title]
{dicom}ae_title = "OTHER"

[servers.unknown-destination]
{dicom}ae_title = "ORTHANC"
own_ae_title = "STRANGER"
{move}"""
