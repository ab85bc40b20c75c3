"""Names of subjects and codes of identifiers: what may be told, and tells nobody."""

import base64
import csv
import hashlib
import hmac
import io
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from necroangle.errors import DicomError

MIN_SECRET_BYTES = 16
MAX_MAPPING_BYTES = 16 * 1024**2

_HEADER = ["patient_id", "pseudonym"]
_PSEUDONYM = re.compile(r"(?!.*__)(?!_)\w[\w.-]{0,63}(?<!_)")
_LETTERS = 8


def new_secret() -> str:
    """A secret for a study, to be kept in a file beside it that is never handed on.

    Examples
    --------
    >>> len(new_secret()) >= 32
    True
    """
    return secrets.token_urlsafe(32)


def is_pseudonym(text: str) -> bool:
    """Whether a text can name a subject in a reading, a file name and a table.

    Letters of any script, digits, dot, dash and single underscores within; 64 at most.

    Examples
    --------
    >>> is_pseudonym("S-07"), is_pseudonym("../../x"), is_pseudonym("=1+1")
    (True, False, False)
    """
    return _PSEUDONYM.fullmatch(text) is not None


class SubjectNames:
    """Gives every patient of a study a pseudonym, and nobody else's.

    Neither the identifiers nor the secret stand in ``repr``, in a message or in a file.

    Examples
    --------
    >>> names = SubjectNames.from_secret(b"sixteen bytes or more")
    >>> names.of("12345678")
    'P-BVINS4SV'
    >>> names.of("12345678 ") == names.of("12345678")
    True
    >>> SubjectNames.from_secret(b"short")
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: a study's secret has 16 bytes or more, found 5
    """

    def __init__(self, listed: Mapping[str, str] | None, secret: bytes | None) -> None:
        self._listed = listed
        self._secret = secret
        self._given: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "SubjectNames(from a list)" if self._secret is None else "SubjectNames(from a key)"

    @classmethod
    def from_mapping(cls, path: Path) -> "SubjectNames":
        """Read a list of patients: comma-separated, UTF-8, columns patient_id and pseudonym.

        Raises
        ------
        DicomError
            If it cannot be read, or a row is not two cells, repeats a patient or a pseudonym, or
            holds no valid pseudonym: the row's number, never what stands in it.
        """
        try:
            if path.stat().st_size > MAX_MAPPING_BYTES:
                raise DicomError(
                    f"more than {MAX_MAPPING_BYTES} bytes", file=path.name, stage="names"
                )
            text = path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            cause = type(error).__name__
            raise DicomError(
                f"cannot be read ({cause})", file=path.name, stage="names", cause=cause
            ) from None
        except UnicodeDecodeError:
            raise DicomError(
                "not UTF-8: save it as CSV UTF-8", file=path.name, stage="names"
            ) from None
        return cls(_listed(text, path.name), None)

    @classmethod
    def from_secret(cls, secret: bytes) -> "SubjectNames":
        """Pseudonyms by HMAC-SHA256: the same for a patient wherever the secret is the same.

        Raises
        ------
        DicomError
            If the secret is shorter than 16 bytes.
        """
        if len(secret) < MIN_SECRET_BYTES:
            raise DicomError(
                f"a study's secret has {MIN_SECRET_BYTES} bytes or more, found {len(secret)}",
                stage="names",
            )
        return cls(None, secret)

    @classmethod
    def from_secret_file(cls, path: Path) -> "SubjectNames":
        """As :meth:`from_secret`, the secret being the text of a file without blanks around it.

        Raises
        ------
        DicomError
            If it cannot be read or is too short.
        """
        try:
            return cls.from_secret(path.read_bytes().strip())
        except DicomError as error:
            raise error.placed(file=path.name) from None
        except OSError as error:
            cause = type(error).__name__
            raise DicomError(
                f"cannot be read ({cause})", file=path.name, stage="names", cause=cause
            ) from None

    def code_key(self) -> bytes | None:
        """A key for :class:`~necroangle.dicom.pseudonym.IdentifierCodes`; None without a secret.

        It is made from the secret, which cannot be won back from it.
        """
        if self._secret is None:
            return None
        return hmac.digest(self._secret, b"necroangle: codes of identifiers", hashlib.sha256)

    def fingerprint(self, salt: bytes) -> str:
        """Tells these names from others, so that an index notices when they change.

        Slow on purpose (some 50 ms): a short list is not to be guessed from it.
        """
        if self._secret is not None:
            words = b"secret\0" + self._secret
        else:
            pairs = sorted((self._listed or {}).items())
            words = repr(pairs).encode("utf-8", "backslashreplace")
        return hashlib.scrypt(words, salt=salt, n=2**14, r=8, p=1, dklen=16).hex()

    def of(self, patient_id: str) -> str | None:
        """The pseudonym of a patient; None where the file names none.

        Raises
        ------
        DicomError
            If the list does not hold the patient, or the key gave this pseudonym to another.
        """
        patient = _plain(patient_id)
        if not patient:
            return None
        if self._listed is None:
            return self._hashed(patient)
        if patient not in self._listed:
            raise DicomError(
                "not in the list of pseudonyms: add a row", tag="PatientID", stage="names"
            )
        return self._listed[patient]

    def _hashed(self, patient: str) -> str:
        words = patient.encode("utf-8", "surrogatepass")
        digest = hmac.new(self._secret or b"", words, hashlib.sha256).digest()
        name = "P-" + base64.b32encode(digest)[:_LETTERS].decode("ascii")
        if self._given.setdefault(name, digest) != digest:
            raise DicomError(
                f"two patients would both be {name}: use a list of pseudonyms",
                tag="PatientID",
                stage="names",
            )
        return name


def _plain(patient_id: str) -> str:
    return patient_id.strip(" \0\t\r\n")


def _listed(text: str, file: str) -> dict[str, str]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    listed: dict[str, str] = {}
    taken: set[str] = set()
    try:
        _check_header(next(rows, []))
        for number, row in enumerate(rows, start=2):
            patient, name = _checked_row(row, number)
            if patient in listed or name in taken:
                raise DicomError(f"row {number}: patient or pseudonym occurs twice")
            listed[patient] = name
            taken.add(name)
    except csv.Error:
        raise DicomError("no valid CSV", file=file, stage="names") from None
    except DicomError as error:
        raise error.placed(file=file, stage="names") from None
    return listed


def _check_header(row: list[str]) -> None:
    if row != _HEADER:
        raise DicomError(f"row 1: must be {','.join(_HEADER)}")


def _checked_row(row: list[str], number: int) -> tuple[str, str]:
    if len(row) != len(_HEADER):
        raise DicomError(f"row {number}: {len(row)} cells, 2 are needed")
    patient, name = _plain(row[0]), row[1].strip()
    if not patient:
        raise DicomError(f"row {number}: no patient_id")
    if not is_pseudonym(name):
        raise DicomError(
            f"row {number}: no valid pseudonym (letters, digits, dot, dash, 64 at most)"
        )
    if len(patient) > 2 and patient.casefold() in name.casefold():
        raise DicomError(f"row {number}: the pseudonym holds the patient_id")
    return patient, name


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
