"""What keeps a patient unknown: keyed hashes, shifted dates, grouped ages, the smallest cell."""

import hashlib
import hmac
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from necroangle.errors import CohortError, system_words
from necroangle.export.columns import Missing, Value
from necroangle.export.table import ExportTable

Dates = Literal["none", "shifted"]

OLDEST_YEARS = 89
"""Ages above it leave as one group, written 90 (HIPAA safe harbor)."""

SECRET_BYTES = 16
_MAX_SECRET_BYTES = 1 << 16


def load_secret(path: Path) -> bytes:
    """The study's secret: the bytes of a file without the white space around them.

    Raises
    ------
    CohortError
        If the file cannot be read, or holds fewer than 16 bytes.

    Examples
    --------
    >>> load_secret(Path("nowhere.key"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: nowhere.key: the secret cannot be read...
    """
    try:
        with path.open("rb") as file:
            secret = file.read(_MAX_SECRET_BYTES).strip()
    except OSError as error:
        raise CohortError(f"{path}: the secret cannot be read ({system_words(error)})") from error
    if len(secret) < SECRET_BYTES:
        raise CohortError(
            f"{path}: the secret has {len(secret)} bytes, it needs {SECRET_BYTES} or more; "
            'make one with `python -c "import secrets; print(secrets.token_hex(32))"`'
        )
    return secret


def image_key(secret: bytes, instance_uid: str) -> str:
    """HMAC-SHA256 of a SOP Instance UID, hexadecimal: the same image has the same key.

    A plain hash of a UID is undone by anyone who holds the archive; this one needs the secret.

    Examples
    --------
    >>> image_key(b"k" * 16, "1.2.3")[:16]
    '5c4c2f2d2e46b1d5'
    """
    return hmac.digest(secret, instance_uid.encode(), "sha256").hex()


def shift_days(secret: bytes, patient: str) -> int:
    """By how many days a patient's dates are moved back: 1 to 365, one number per patient."""
    message = f"necroangle date shift\x1f{patient}".encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return 1 + int.from_bytes(digest[:8]) % 365


def shifted(day: date, secret: bytes, patient: str) -> date:
    """The day, moved back by the patient's shift: intervals stay, the season does not.

    Examples
    --------
    >>> first, second = (shifted(date(2024, 1, n), b"k" * 16, "S01") for n in (1, 31))
    >>> (second - first).days, first < date(2024, 1, 1)
    (30, True)
    """
    return day - timedelta(days=shift_days(secret, patient))


def grouped_age(years: float) -> float:
    """The age, or 90 for every age above 89 years.

    Examples
    --------
    >>> grouped_age(89.0), grouped_age(89.2), grouped_age(101.0)
    (89.0, 90.0, 90.0)
    """
    return years if years <= OLDEST_YEARS else float(OLDEST_YEARS + 1)


def smallest_cell(table: ExportTable) -> str:
    """How many patients share the rarest (sex, age band, aetiology): one line for the console.

    Examples
    --------
    >>> smallest_cell(ExportTable((), (), "hip", 0))
    'no patients'
    """
    wanted = ("sex", "age_at_index_years", "aetiology")
    if not len(table):
        return "no patients"
    places = [table.place(name) for name in ("patient_id", *wanted)]
    if None in places:
        return "sex, age and aetiology are not in the table"
    ids, *facts = (table.values(place) for place in places if place is not None)
    patients = dict(zip(ids, zip(*facts, strict=True), strict=True))
    cells = Counter(tuple(map(_shown, wanted, found)) for found in patients.values())
    count = min(cells.values())
    rare = sorted(cell for cell, size in cells.items() if size == count)
    labels = [
        {str(code): label for code, label in table.columns[place].values}
        for place in places[1:]
        if place is not None
    ]
    words = [names.get(cell, cell) for names, cell in zip(labels, rare[0], strict=True)]
    words[1] = rare[0][1]
    some = "patient" if count == 1 else "patients"
    return (
        f"{count} {some} in the smallest cell of (sex, age band, aetiology), {len(rare)} such "
        f"of {len(cells)} cells, e.g. ({', '.join(words)})"
    )


def _shown(name: str, value: Value) -> str:
    if isinstance(value, Missing):
        return "unknown"
    if not isinstance(value, float) or name != "age_at_index_years":
        return str(value)
    low = int(value // 10) * 10
    return "90 and older" if low > OLDEST_YEARS else f"{low} to {low + 9}"
