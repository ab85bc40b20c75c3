"""The clinical records as plain rows, one table for each kind: for exports and statistics."""

from necroangle.clinical.harris import with_harris_total
from necroangle.clinical.state import Records
from necroangle.entries import KEYS, KINDS, fields_of, missing_name
from necroangle.measurement.row import Cell

__all__ = ["clinical_tables"]


def clinical_tables(store: Records) -> dict[str, list[dict[str, Cell]]]:
    """The current clinical records.

    Parameters
    ----------
    store
        The cohort.

    Returns
    -------
    dict
        For each kind its rows, ordered by key: the key's parts, then every field, None where
        nothing is stated, then ``<name>_missing`` for each field that is missing for a reason. The
        total of the Harris Hip Score is worked out where only its parts are given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from necroangle.cohort import CohortStore
    >>> from necroangle.ledger.records import Entry
    >>> store = CohortStore.open(Path(mkdtemp()) / "cohort.sqlite")
    >>> _ = store.record([Entry("subject", ("S01",), {"sex": "F"})], actor="nurse")
    >>> row = clinical_tables(store)["subject"][0]
    >>> row["subject"], row["sex"], row["smoking"]
    ('S01', 'F', None)
    """
    return {
        kind: [
            _row(
                kind,
                record.key,
                with_harris_total(record.values) if kind == "visit" else record.values,
            )
            for record in store.current(kind)
        ]
        for kind in KINDS
    }


def _row(kind: str, key: tuple[str, ...], values: dict[str, Cell]) -> dict[str, Cell]:
    names = [field.name for field in fields_of(kind)]
    reasons = {
        missing_name(name): values[missing_name(name)]
        for name in names
        if missing_name(name) in values
    }
    parts = dict(zip(KEYS[kind], key, strict=True))
    return {**parts, **{name: values.get(name) for name in names}, **reasons}
