"""Servers by TLS: certificates that are right let all through, wrong ones nothing."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from brokenservers import FakeServer, running_fake
from certificates import make_certificate
from fetching import fetched, files, never
from orthanc import free_port
from patientstudies import PatientStudy, made_study
from pydicom import Dataset, dcmread
from pynetdicom import AE, build_context, evt

from necroangle.errors import ServerError
from necroangle.pacs.dimse import SYNTAXES
from necroangle.pacs.query import Query
from necroangle.pacs.servers import Server, load_servers
from necroangle.pacs.transfer import connect, find_studies

pytest.importorskip("cryptography", reason="needs the package cryptography")

_FIND, _GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"


class Keys(NamedTuple):
    """Certificates and keys of a server, of us, and of somebody else."""

    server: tuple[Path, Path]
    ours: tuple[Path, Path]
    other: tuple[Path, Path]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(*(make_certificate(tmp_path, name) for name in ("server", "ours", "other")))


@pytest.fixture
def study(tmp_path: Path) -> PatientStudy:
    return made_study(tmp_path / "original", "of a server by TLS", most=3)


def accepting(keys: Keys, *, asks_for_ours: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys.ours[0]))
    context.load_cert_chain(*keys.server)
    context.verify_mode = ssl.CERT_REQUIRED if asks_for_ours else ssl.CERT_NONE
    return context


def trusting(certificate: tuple[Path, Path], own: tuple[Path, Path] | None = None) -> str:
    """Lines of ``servers.toml``; paths in it begin where it lies."""
    lines = f'ca_file = "{certificate[0].name}"\n'
    if own is not None:
        lines += f'client_certificate = "{own[0].name}"\nclient_key = "{own[1].name}"\n'
    return lines


def all_objects(server: Server, study: PatientStudy, folder: Path) -> list[bytes]:
    fetched(server, study, folder)
    return sorted(file.read_bytes() for file in folder.rglob("*.dcm"))


def refusal(server: Server, study: PatientStudy) -> str:
    with pytest.raises(ServerError) as caught:
        find_studies(connect(server), [Query(accession=study.accession)], sleep=never)
    return str(caught.value)


@contextmanager
def web(keys: Keys, study: PatientStudy, *, asks_for_ours: bool) -> Iterator[FakeServer]:
    tls = accepting(keys, asks_for_ours=asks_for_ours)
    with running_fake(study, lambda _, good: good(), tls) as fake:
        yield fake


def as_stored(study: PatientStudy) -> list[bytes]:
    return sorted(file.read_bytes() for file in study.files)


def test_dicomweb_whose_certificate_is_trusted(
    keys: Keys, study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    with web(keys, study, asks_for_ours=False) as fake:
        server = load_servers(fake.named(servers_path, trusting(keys.server))).of("fake")
        assert all_objects(server, study, tmp_path / "fetched") == as_stored(study)


def test_dicomweb_that_asks_for_our_certificate(
    keys: Keys, study: PatientStudy, servers_path: Path, tmp_path: Path
) -> None:
    with web(keys, study, asks_for_ours=True) as fake:
        server = load_servers(fake.named(servers_path, trusting(keys.server, keys.ours))).of("fake")
        assert all_objects(server, study, tmp_path / "fetched") == as_stored(study)


@pytest.mark.parametrize("wrong", ["no authority", "another authority", "none of ours", "other"])
def test_dicomweb_with_wrong_certificates(
    wrong: str, keys: Keys, study: PatientStudy, servers_path: Path
) -> None:
    lines = {
        "no authority": "",
        "another authority": trusting(keys.other, keys.ours),
        "none of ours": trusting(keys.server),
        "other": trusting(keys.server, keys.other),
    }[wrong]
    with web(keys, study, asks_for_ours=True) as fake:
        server = load_servers(fake.named(servers_path, lines)).of("fake")
        said = refusal(server, study)
        assert not fake.requests
    assert said.startswith("fake: ")
    assert not any(one in said for one in study.planted)


@contextmanager
def dicom(
    folder: Path,
    keys: Keys,
    study: PatientStudy,
    lines: str,
    *,
    asks_for_ours: bool,
    shows: tuple[Path, Path] | None = None,
) -> Iterator[tuple[Server, list[str]]]:
    """A DICOM server that holds a study, and what it was asked; what it shows when it connects."""
    own_port = free_port()
    datasets = [dcmread(file) for file in study.files]
    asked: list[str] = []

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked.append("C-FIND")
        wanted = event.identifier
        for dataset in datasets if wanted.QueryRetrieveLevel == "IMAGE" else datasets[:1]:
            answer = Dataset()
            for element in wanted:
                if element.keyword in dataset:
                    setattr(answer, element.keyword, dataset[element.keyword].value)
            answer.QueryRetrieveLevel = wanted.QueryRetrieveLevel
            yield 0xFF00, answer

    def give(event: Any) -> Iterator[Any]:
        asked.append("C-GET")
        wanted = event.identifier.get("SOPInstanceUID", "")
        uids = [wanted] if isinstance(wanted, str) else list(wanted)
        some = [one for one in datasets if one.SOPInstanceUID in uids] if any(uids) else datasets
        yield len(some)
        for dataset in some:
            yield 0xFF00, dataset

    def move(event: Any) -> Iterator[Any]:
        asked.append("C-MOVE")
        context = ssl.create_default_context(cafile=str(keys.ours[0]))
        context.load_cert_chain(*(shows or keys.server))
        kinds = {str(one.SOPClassUID): one.file_meta.TransferSyntaxUID for one in datasets}
        contexts = [build_context(kind, syntax) for kind, syntax in kinds.items()]
        yield "127.0.0.1", own_port, {"contexts": contexts, "tls_args": (context, "127.0.0.1")}
        yield from give(event)

    entity = AE(ae_title="SECURED")
    entity.add_supported_context(_MOVE)
    entity.add_supported_context(_FIND)
    entity.add_supported_context(_GET)
    kind = str(datasets[0].SOPClassUID)
    entity.add_supported_context(kind, list(SYNTAXES), scu_role=True, scp_role=True)
    port = free_port()
    running = entity.start_server(
        ("127.0.0.1", port),
        block=False,
        evt_handlers=[(evt.EVT_C_FIND, find), (evt.EVT_C_GET, give), (evt.EVT_C_MOVE, move)],
        ssl_context=accepting(keys, asks_for_ours=asks_for_ours),
    )
    assert running is not None
    path = folder / "servers.toml"
    path.write_text(
        'format = "necroangle.servers"\nversion = 1\n[servers.secured]\nkind = "dimse"\n'
        f'host = "127.0.0.1"\nport = {port}\nae_title = "SECURED"\nanswer_s = 20\n'
        f'own_host = "127.0.0.1"\nown_port = {own_port}\n{lines}',
        "utf-8",
    )
    try:
        yield load_servers(path).of("secured"), asked
    finally:
        running.shutdown()
        for association in list(entity.active_associations):
            association.abort()


@pytest.mark.parametrize("asks_for_ours", [False, True])
def test_dicom_by_tls(
    *, asks_for_ours: bool, keys: Keys, study: PatientStudy, tmp_path: Path
) -> None:
    lines = "tls = true\n" + trusting(keys.server, keys.ours if asks_for_ours else None)
    with dicom(tmp_path, keys, study, lines, asks_for_ours=asks_for_ours) as (server, asked):
        came = all_objects(server, study, tmp_path / "fetched")
    assert {"C-FIND", "C-GET"} <= set(asked)
    assert len(came) == len(study.files)


@pytest.mark.parametrize("is_right", [True, False])
def test_dicom_that_connects_to_us_by_tls(
    *, is_right: bool, keys: Keys, study: PatientStudy, tmp_path: Path
) -> None:
    """C-MOVE: the archive must show a certificate that we trust before we take an object."""
    lines = 'tls = true\nretrieve = "move"\n' + trusting(keys.server, keys.ours)
    shows = keys.server if is_right else keys.other
    with dicom(tmp_path, keys, study, lines, asks_for_ours=True, shows=shows) as (server, asked):
        done = fetched(server, study, tmp_path / "fetched")
    assert "C-MOVE" in asked
    assert done.is_whole is is_right
    came = files(tmp_path / "fetched")
    assert len(came) == (len(study.files) if is_right else 0)
    assert is_right or done.problems


@pytest.mark.parametrize("wrong", ["no tls", "another authority", "none of ours", "other"])
def test_dicom_with_wrong_certificates(
    wrong: str, keys: Keys, study: PatientStudy, tmp_path: Path
) -> None:
    lines = {
        "no tls": "",
        "another authority": "tls = true\n" + trusting(keys.other, keys.ours),
        "none of ours": "tls = true\n" + trusting(keys.server),
        "other": "tls = true\n" + trusting(keys.server, keys.other),
    }[wrong]
    with dicom(tmp_path, keys, study, lines, asks_for_ours=True) as (server, asked):
        said = refusal(server, study)
    assert not asked
    assert said.startswith("secured: ")


def test_a_key_with_a_password_is_refused_by_name_of_its_setting(
    keys: Keys, study: PatientStudy, servers_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(keys.ours[1].read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"open sesame")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    keys.ours[1].write_bytes(key.private_bytes(pem, pkcs8, locked))
    with web(keys, study, asks_for_ours=True) as fake:
        server = load_servers(fake.named(servers_path, trusting(keys.server, keys.ours))).of("fake")
        assert "the key without a password" in refusal(server, study)
