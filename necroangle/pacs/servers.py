"""The servers that a user has named: where they are, how they are reached, and who asks there.

One TOML file. A password or a token never stands in it: it comes from the environment or from the
system's keyring, for one server alone.
"""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from necroangle.decoding import MalformedError, from_toml
from necroangle.errors import ServerError, system_words

FORMAT = "necroangle.servers"
FILE = "servers.toml"
APP = "necroangle"
MAX_BYTES = 1 << 20

EXAMPLE = f"""\
format = "{FORMAT}"
version = 1

[servers.archive]
kind = "dicomweb"
url = "https://pacs.example.org/dicom-web"

[servers.pacs]
kind = "dimse"
host = "pacs.example.org"
port = 104
ae_title = "ARCHIVE"
own_ae_title = "NECROANGLE"
"""
"""A file to begin with."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_AE_TITLE = re.compile(r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?")
_SECRETS = ("token", "password", "secret", "key", "passwd", "api_key", "authorization")

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How any server is reached.

    Attributes
    ----------
    ca_file
        Certificates of the authority that signed the server's; by default the system's.
    client_certificate, client_key
        Ours, where the server asks for one: PEM files, the key without a password.
    connect_s, answer_s, object_s
        Longest time until there is a connection, without any sign from the server, and for one
        object or one answer.
    """

    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    connect_s: Seconds = 10.0
    answer_s: Seconds = 60.0
    object_s: Seconds = 900.0


class DicomwebServer(Way, frozen=True, tag="dicomweb", tag_field="kind"):
    """A server that speaks DICOMweb: QIDO-RS, WADO-RS and STOW-RS (PS3.18).

    Attributes
    ----------
    url
        Root of the service, without ``/studies``.
    user
        Name for a password (HTTP Basic); without it, the credential is a bearer token.
    plain_http_credential
        Whether a credential may go over ``http://``, where anybody on the way reads it.
    """

    url: str
    user: str = ""
    plain_http_credential: bool = False

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc


class DimseServer(Way, frozen=True, tag="dimse", tag_field="kind"):
    """A server that speaks the DICOM network protocol (PS3.7, PS3.8).

    Attributes
    ----------
    host, port, ae_title
        The server's.
    own_ae_title
        Ours, which the hospital has entered there.
    retrieve
        ``"get"``: objects come on our connection (C-GET). ``"move"``: the server connects to us
        (C-MOVE): it must know our address and port.
    own_host, own_port
        Where we listen for C-MOVE; by default at every address of this machine.
    tls
        Whether the connection is encrypted.
    """

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Port
    ae_title: str
    own_ae_title: str = "NECROANGLE"
    retrieve: Literal["get", "move"] = "get"
    own_host: str = "0.0.0.0"  # noqa: S104  # the archive connects to us from elsewhere
    own_port: Port = 11112
    tls: bool = False

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


class Server(msgspec.Struct, frozen=True):
    """A server by its name.

    Attributes
    ----------
    name
        As the user named it.
    how
        Where it is and how it is reached.
    folder
        Where the file of servers lies: paths in it begin there.
    """

    name: str
    how: DicomwebServer | DimseServer
    folder: Path

    def failed(self, problem: str, *, is_passing: bool = False) -> ServerError:
        """What went wrong with it."""
        return ServerError(problem, server=self.name, is_passing=is_passing)

    def tls_context(self, *, is_ours: bool = False) -> ssl.SSLContext:
        """The certificates by which the server is known, and ours.

        Parameters
        ----------
        is_ours
            Whether the server connects to us.

        Raises
        ------
        ServerError
            If a file is missing or holds no certificate.
        """
        purpose = ssl.Purpose.CLIENT_AUTH if is_ours else ssl.Purpose.SERVER_AUTH
        how = self.how
        try:
            context = ssl.create_default_context(
                purpose, cafile=self._path(how.ca_file) if how.ca_file else None
            )
            if how.client_certificate:
                context.load_cert_chain(
                    self._path(how.client_certificate),
                    self._path(how.client_key) if how.client_key else None,
                    password=_no_password,
                )
        except (OSError, ssl.SSLError, ValueError) as error:
            cause = getattr(error, "strerror", None) or type(error).__name__
            raise self.failed(
                f"its certificates cannot be used ({cause}): ca_file, client_certificate and "
                "client_key in servers.toml name PEM files, the key without a password"
            ) from None
        if is_ours and how.ca_file:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _path(self, name: str) -> str:
        return str(self.folder / Path(name).expanduser())

    def credential(self) -> str:
        """The token or password of a DICOMweb server: of the environment, else of the keyring.

        Empty where there is none.
        """
        given = os.environ.get(self.variable)
        return given if given is not None else _kept(self)

    @property
    def variable(self) -> str:
        """The variable of the environment that may hold its token or password."""
        word = "PASSWORD" if getattr(self.how, "user", "") else "TOKEN"
        return f"NECROANGLE_{word}_{self.name.upper().replace('-', '_')}"

    @property
    def keyring_entry(self) -> tuple[str, str]:
        """Service and user in the keyring; another address has another entry."""
        return f"{APP} {self.name}", f"{getattr(self.how, 'user', '')}@{self.how.address}"


class Servers(msgspec.Struct, frozen=True):
    """A file of servers.

    Attributes
    ----------
    path
        The file.
    named
        Its servers by name, in its order.
    """

    path: Path
    named: dict[str, Server]

    def of(self, name: str) -> Server:
        """The server of a name.

        Raises
        ------
        ServerError
            If there is none.
        """
        if name not in self.named:
            known = ", ".join(self.named) or "none"
            raise ServerError(f"not in {self.path.name}, which names: {known}", server=name)
        return self.named[name]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["necroangle.servers"]
    version: Literal[1]
    servers: dict[str, DicomwebServer | DimseServer]


def servers_file() -> Path:
    """The user's own file of servers, whether it is there or not.

    Raises
    ------
    ServerError
        If the extra ``pacs`` is not installed.
    """
    try:
        from platformdirs import user_config_path
    except ModuleNotFoundError as error:
        raise ServerError(
            f'the package {error.name} is missing: pip install "necroangle[pacs]"'
        ) from None

    return user_config_path(APP, appauthor=False, roaming=True) / FILE


def load_servers(path: Path | None = None) -> Servers:
    """Read a file of servers.

    A file that lies beside a study is read only where it is named: a study comes from elsewhere,
    and its file would say where a token is sent.

    Parameters
    ----------
    path
        The file; by default the user's own.

    Raises
    ------
    ServerError
        If it is missing, malformed, or holds a password or token.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "servers.toml"
    >>> _ = path.write_text(EXAMPLE)
    >>> [server.how.address for server in load_servers(path).named.values()]
    ['pacs.example.org', 'pacs.example.org:104']
    >>> _ = path.write_text(EXAMPLE + 'token = "abc"')
    >>> load_servers(path)
    Traceback (most recent call last):
    ...
    necroangle.errors.ServerError: servers.toml: $.servers.pacs: a `token` does not belong in ...
    """
    path = servers_file() if path is None else path
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ServerError(
            f"there is no file {path}: it names your servers; `necroangle servers --example` "
            "prints one to begin with"
        ) from None
    except OSError as error:
        raise ServerError(f"{path.name}: cannot be read: {system_words(error)}") from None
    if len(raw) > MAX_BYTES:
        raise ServerError(f"{path.name}: larger than 1 MiB: no file of servers")
    try:
        _refuse_secrets(from_toml(raw, dict[str, object]), "$")
        found = from_toml(raw, _File)
    except MalformedError as error:
        raise ServerError(f"{path.name}: {error}") from None
    servers = {
        name: Server(name, how, path.absolute().parent) for name, how in found.servers.items()
    }
    for server in servers.values():
        _check(server, path.name)
    return Servers(path, servers)


def keep_credential(server: Server, credential: str) -> None:
    """Put a token or password into the system's keyring.

    Raises
    ------
    ServerError
        If there is no keyring here.
    """
    try:
        import keyring

        keyring.set_password(*server.keyring_entry, credential)
    except Exception as error:  # each system's keyring has errors of its own
        raise server.failed(_no_keyring(server, error)) from None


def forget_credential(server: Server) -> None:
    """Take a token or password out of the system's keyring.

    Raises
    ------
    ServerError
        If it holds none, or there is no keyring here.
    """
    try:
        import keyring

        keyring.delete_password(*server.keyring_entry)
    except Exception as error:
        raise server.failed(_no_keyring(server, error)) from None


def _kept(server: Server) -> str:
    """What the keyring holds; a machine without one holds nothing."""
    try:
        import keyring

        return keyring.get_password(*server.keyring_entry) or ""
    except Exception:
        return ""


def _no_keyring(server: Server, error: Exception) -> str:
    return (
        f"the system's keyring does not do this ({type(error).__name__}); set the variable "
        f"{server.variable} instead"
    )


def _no_password() -> str:
    """In place of OpenSSL's question on the terminal."""
    raise ValueError


def _refuse_secrets(found: object, place: str) -> None:
    if not isinstance(found, dict):
        return
    for key, value in found.items():
        if str(key).lower() in _SECRETS and not isinstance(value, dict):
            raise MalformedError(
                f"a `{key}` does not belong in a file; put it into the keyring by `necroangle "
                "servers NAME --set-credential`",
                place,
            )
        _refuse_secrets(value, f"{place}.{key}")


def _check(server: Server, file: str) -> None:
    place = f"{file}: $.servers.{server.name}"
    if not _NAME.fullmatch(server.name):
        raise ServerError(
            f"{file}: {server.name!r} is no name: a letter, then up to 31 letters, digits, - or _"
        )
    if server.how.client_key and not server.how.client_certificate:
        raise ServerError(f"{place}: a client_key without its client_certificate")
    if isinstance(server.how, DicomwebServer):
        _check_url(server.how, place)
        return
    for key in ("ae_title", "own_ae_title"):
        if not _AE_TITLE.fullmatch(getattr(server.how, key)):
            raise ServerError(f"{place}: {key}: 1 to 16 plain letters, without a backslash")


def _check_url(how: DicomwebServer, place: str) -> None:
    try:
        parts = urlsplit(how.url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_web = is_web and (parts.port is None or parts.port > 0)
    except ValueError:
        is_web = False
    if not is_web or not how.url.isascii() or any(letter.isspace() for letter in how.url):
        raise ServerError(f"{place}: url: must begin with https:// or http:// and a host")
    if parts.username is not None or parts.password is not None:
        raise ServerError(f"{place}: url: a name or password does not belong in it; see `user`")
    if parts.query or parts.fragment:
        raise ServerError(f"{place}: url: the root of the service alone, without ? or #")
