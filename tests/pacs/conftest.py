"""What the tests of servers share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from orthanc import PASSWORD, Orthanc, running_orthanc

pytest.importorskip("pynetdicom", reason='needs the extra "pacs"')
pytest.importorskip("dicomweb_client", reason='needs the extra "pacs"')


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """One server for all tests of this process."""
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def orthanc(running: Orthanc, monkeypatch: pytest.MonkeyPatch) -> Orthanc:
    """The server, with the password in the environment."""
    monkeypatch.setenv("NECROANGLE_PASSWORD_WEB", PASSWORD)
    return running


@pytest.fixture
def servers_path(tmp_path: Path) -> Path:
    """Where a test writes its file of servers."""
    return tmp_path / "servers.toml"
