"""The file that names servers, who asks there, and the list of studies."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from necroangle.cli import cli
from necroangle.errors import CohortError, ServerError
from necroangle.pacs.query import Query, read_study_list
from necroangle.pacs.servers import EXAMPLE, load_servers

HEAD = 'format = "necroangle.servers"\nversion = 1\n'
WEB = HEAD + '[servers.archive]\nkind = "dicomweb"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EXAMPLE + 'token = "s-e-c-r-e-t"', "a `token` does not belong in a file"),
        (EXAMPLE + 'Password = "s-e-c-r-e-t"', "a `Password` does not belong in a file"),
        ('secret = "s-e-c-r-e-t"\n' + EXAMPLE, "a `secret` does not belong in a file"),
        (WEB + 'url = "https://kim:s-e-c-r-e-t@host/x"', "does not belong in it"),
        (WEB + 'url = "https://host/x?token=s-e-c-r-e-t"', "without ? or #"),
        (WEB + 'url = "ftp://host"', "must begin with https://"),
        (WEB + 'url = "https://host:x"', "must begin with https://"),
        (WEB + 'url = "https://host"\nspeed = 3', "speed"),
        (WEB + 'url = "https://host"\nanswer_s = 0', "$.servers"),
        (WEB + 'url = "https://host"\nclient_key = "me.key"', "without its client_certificate"),
        (WEB.replace("dicomweb", "ftp") + 'url = "https://host"', "$.servers"),
        (WEB.replace("archive", '"a/b"') + 'url = "https://host"', "'a/b' is no name"),
        (EXAMPLE.replace("104", "104000"), "<= 65535"),
        (EXAMPLE.replace("ARCHIVE", "A TITLE THAT IS TOO LONG"), "ae_title: 1 to 16 plain letters"),
        ("format = ", "servers.toml"),
        ("a = " + "[" * 5000, "servers.toml"),
    ],
)  # fmt: skip
def test_a_file_of_servers_that_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "servers.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ServerError) as refused:
        load_servers(path)
    assert words in str(refused.value)
    assert "s-e-c-r-e-t" not in str(refused.value)


def test_a_file_beside_the_study_is_read_only_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study comes from elsewhere: its file would say where a token goes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "servers.toml").write_text(EXAMPLE, "utf-8")
    run = CliRunner().invoke
    assert isinstance(run(cli, ["servers"]).exception, ServerError)
    shown = run(cli, ["servers", "--servers", "servers.toml"])
    assert (shown.exit_code, "pacs.example.org:104" in shown.output) == (0, True)


def test_a_credential_of_the_environment_goes_before_that_of_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[Any, str] = {}
    fake = SimpleNamespace(
        get_password=lambda *key: kept.get(key),
        set_password=lambda service, user, secret: kept.update({(service, user): secret}),
        delete_password=lambda *key: kept.pop(key),
    )
    monkeypatch.setitem(sys.modules, "keyring", fake)
    monkeypatch.delenv("NECROANGLE_TOKEN_ARCHIVE", raising=False)
    path = tmp_path / "servers.toml"
    path.write_text(EXAMPLE, "utf-8")
    server = load_servers(path).of("archive")
    assert server.credential() == ""
    words = ["servers", "archive", "--servers", str(path)]
    done = CliRunner().invoke(cli, [*words, "--set-credential"], input="from the keyring\n")
    assert (done.exit_code, "from the keyring" in done.output) == (0, False)
    assert server.credential() == "from the keyring"
    path.write_text(EXAMPLE.replace("pacs.example.org/dicom-web", "other.example.org"), "utf-8")
    assert load_servers(path).of("archive").credential() == ""  # another host, another entry
    monkeypatch.setenv("NECROANGLE_TOKEN_ARCHIVE", "from the environment")
    assert server.credential() == "from the environment"
    path.write_text(EXAMPLE, "utf-8")
    assert CliRunner().invoke(cli, [*words, "--forget-credential"]).exit_code == 0
    assert kept == {}


@pytest.mark.parametrize(
    ("content", "queries"),
    [
        ("accession\nA1\nA2\n", [Query(accession="A1"), Query(accession="A2")]),
        ("\ufeffAccession;Patient ID\r\nA1;00123\r\n", [Query("", "A1", "00123")]),
        ("study_uid,study_date,x\n1.2.3,2024-01-31,x\n", [Query("1.2.3", "", "", "20240131")]),
    ],
)  # fmt: skip
def test_a_list_of_studies(content: str, queries: list[Query], tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    path.write_text(content, "utf-8")
    assert [one.filters() for one in read_study_list(path)] == [one.filters() for one in queries]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("accession\nSECRET*\n", "row 2: accession: * ? and"),
        ("patient_id,accession\nSECRET,A\n,\n?,\n", "row 4: patient_id"),
        ("study_uid\n../../SECRET\n", "row 2: study_uid: no valid UID"),
        ("patient_id,study_date\nSECRET,January\n", "row 2: study_date: not like"),
        ("study_date\n20240131\n", "no column study_uid, accession or patient_id"),
        ("name\nSECRET\n", "studies.csv"),
        ("accession\n", "no row below"),
    ],
)
def test_a_list_that_is_refused(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(CohortError) as refused:
        read_study_list(path)
    assert words in str(refused.value)
    assert "SECRET" not in str(refused.value)
