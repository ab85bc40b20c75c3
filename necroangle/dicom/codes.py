"""Codes that stand for identifiers and file names in what is printed: joined, never reversed."""

import hashlib
import hmac
import secrets

__all__ = ["KEY_BYTES", "IdentifierCodes", "new_key"]

KEY_BYTES = 32
_CODE_BYTES = 12


def new_key() -> bytes:
    """A key for codes that nobody else can compute."""
    return secrets.token_bytes(KEY_BYTES)


class IdentifierCodes:
    """HMAC-SHA256 codes of UIDs, file names and subjects.

    UIDs are on the PS3.15 list, and files and folders are named after patients. A plain hash
    would be undone by whoever holds the same images; without the key, these codes cannot be.

    Parameters
    ----------
    key
        The index's own key, or one made from the study's secret. Not in ``repr``.

    Examples
    --------
    >>> codes = IdentifierCodes(bytes(32))
    >>> codes.of("uid", "1.2.3"), codes.of("uid", "1.2.3") == codes.of("file", "1.2.3")
    ('b0110fd6a7f49072c7fdf98c', False)
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "IdentifierCodes()"

    def of(self, kind: str, text: str) -> str:
        """The code of a text: the same wherever kind, text and key are the same.

        Parameters
        ----------
        kind
            ``"uid"``, ``"file"``, ``"subject"`` or ``"visit"``: keeps equal texts of different
            kinds apart.
        text
            The identifier.
        """
        words = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, words, hashlib.sha256)[:_CODE_BYTES].hex()
