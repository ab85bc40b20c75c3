"""The Dask scheduler that work is sent to: by TLS, or on this machine alone.

Who can reach a scheduler without TLS can run any program on its workers, and who listens reads the
readings. So plain ``tcp://`` beyond this machine is refused unless it is asked for.
"""

import ipaddress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from necroangle.errors import ReadingError

__all__ = ["Scheduler"]

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
