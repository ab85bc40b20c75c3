"""One reading for each hip and visit: the consensus, or the first read of a stated reader."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from necroangle.analysis.plan import OutcomePlan
from necroangle.analysis.records import HipKey
from necroangle.errors import CohortError
from necroangle.terms import Flag, UnreadReason

__all__ = ["ChosenReads", "Read", "ReadingId", "choose_reads"]

PlainRow = Mapping[str, Any]
ReadingId = tuple[str, ...]
"""Subject, side, visit, reader and number of the read, as texts."""


@dataclass(frozen=True, slots=True)
class Read:
    """The reading that stands for a hip at a visit.

    Attributes
    ----------
    reader, read_no
        Whose, and which of theirs.
    is_consensus
        Whether it is a consensus.
    cna_deg, se_deg, low_deg, high_deg
        Combined angle with standard error and 95 % interval; None where a view was not read.
    arco, jic
        As entered with the reading.
    ha_grade
        Ha's grade.
    is_prosthesis
        Whether a view says that the hip has been replaced.
    """

    reader: str
    read_no: int
    is_consensus: bool
    cna_deg: float | None
    se_deg: float | None
    low_deg: float | None
    high_deg: float | None
    arco: str | None
    jic: str | None
    ha_grade: int | None
    is_prosthesis: bool


@dataclass(frozen=True, slots=True)
class ChosenReads:
    """The readings that count, and by which rule.

    Attributes
    ----------
    method
        The one measuring method; None where there is no reading.
    rule
        How a reading was chosen, for people.
    reads
        By hip and visit.
    rows
        Every row by that method that is no consensus: repeat reads and other readers too.
    left_out
        How many hips and visits were read by other readers only.
    """

    method: str | None
    rule: str
    reads: Mapping[tuple[HipKey, str], Read]
    rows: tuple[PlainRow, ...]
    left_out: int


def choose_reads(
    rows: Iterable[PlainRow], plan: OutcomePlan, consensus: Collection[ReadingId] = frozenset()
) -> ChosenReads:
    """Choose one reading for each hip and visit.

    A consensus where there is one (the last of several); else the first read of the first of the
    plan's readers who read it, and nothing where none of them did; where the plan names none, of
    the first reader by name.

    Parameters
    ----------
    rows
        Rows of the cohort table.
    plan
        Its method, readers and consensus reader.
    consensus
        Which readings are a consensus, beside those of the consensus reader.

    Raises
    ------
    CohortError
        If the cohort was measured by several methods and the plan names none, or by several
        versions of one; or if the plan's method or readers are not in the cohort.

    Examples
    --------
    >>> row = {"subject": "S1", "laterality": "L", "visit": "m0", "read_no": 1, "cna_deg": 210.0}
    >>> rows = [
    ...     {**row, "reader": name, "method": "ha_mr_midslice"} for name in ("kim", "consensus")
    ... ]
    >>> choose_reads(rows, OutcomePlan()).reads[HipKey("S1", "L"), "m0"].reader
    'consensus'
    >>> choose_reads([*rows, {**rows[0], "method": "max_extent"}], OutcomePlan())
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: the cohort holds several methods: ha_mr_midslice, max_extent; ...
    """
    method, own = _of_one_method(list(rows), plan.method)
    groups: dict[tuple[HipKey, str], list[PlainRow]] = {}
    for row in own:
        key = HipKey(row["subject"], row["laterality"]), row["visit"]
        groups.setdefault(key, []).append(row)
    agreed = frozenset(id(row) for row in own if _is_consensus(row, plan, consensus))
    readers = sorted({row["reader"] for row in own if id(row) not in agreed})
    if plan.readers and readers and not set(plan.readers) & set(readers):
        raise CohortError(f"no reading by {', '.join(plan.readers)}; readers: {', '.join(readers)}")
    found = {
        key: _best(group, plan.readers or tuple(readers), agreed)
        for key, group in sorted(groups.items())
    }
    reads = {key: _read(row, id(row) in agreed) for key, row in found.items() if row is not None}
    single = tuple(row for row in own if id(row) not in agreed)
    return ChosenReads(
        method, _rule(plan.readers, readers, bool(agreed)), reads, single, len(found) - len(reads)
    )


def _is_consensus(row: PlainRow, plan: OutcomePlan, consensus: Collection[ReadingId]) -> bool:
    names = ("subject", "laterality", "visit", "reader", "read_no")
    return (
        row["reader"] == plan.consensus_reader
        or bool(row.get("consensus_of"))
        or tuple(str(row.get(name)) for name in names) in consensus
    )


def _rule(stated: Sequence[str], readers: Sequence[str], has_consensus: bool) -> str:
    """How the readings were chosen, in words."""
    if not readers:
        return "consensus" if has_consensus else "no readings"
    if stated:
        words = f"first read of {', else of '.join(stated)}"
    elif len(readers) == 1:
        words = f"first read of {readers[0]}, the only reader"
    else:
        words = f"first read of the first reader by name ({', '.join(readers)}; none was stated)"
    return f"consensus where there is one, else {words}" if has_consensus else words


def _row_key(row: PlainRow) -> tuple[str, str, str, str, int]:
    return (row["subject"], row["laterality"], row["visit"], row["reader"], int(row["read_no"]))


def _of_one_method(rows: list[PlainRow], wanted: str | None) -> tuple[str | None, list[PlainRow]]:
    names = sorted({row["method"] for row in rows})
    if wanted is None and len(names) > 1:
        raise CohortError(
            f"the cohort holds several methods: {', '.join(names)}; they are never mixed: choose "
            "one by --method"
        )
    method = wanted or (names[0] if names else None)
    if names and method not in names:
        raise CohortError(f"no row by method {method!r}; the cohort has: {', '.join(names)}")
    own = sorted((row for row in rows if row["method"] == method), key=_row_key)
    versions = sorted({str(row.get("method_version")) for row in own})
    if len(versions) > 1:
        raise CohortError(
            f"rows by versions {', '.join(versions)} of method {method}; measure all readings again"
        )
    return method, own


def _best(
    group: Sequence[PlainRow], readers: Sequence[str], agreed: frozenset[int]
) -> PlainRow | None:
    joint = [row for row in group if id(row) in agreed]
    if joint:
        return max(joint, key=lambda row: (int(row["read_no"]), str(row["reader"])))
    own = [row for row in group if row["reader"] in readers]
    return min(
        own, key=lambda row: (readers.index(row["reader"]), int(row["read_no"])), default=None
    )


def _read(row: PlainRow, is_consensus: bool) -> Read:
    statuses = {row.get("a_status"), row.get("b_status")}
    flags = str(row.get("flags") or "").split(" ")
    return Read(
        row["reader"],
        row["read_no"],
        is_consensus,
        row.get("cna_deg"),
        row.get("cna_se_deg"),
        row.get("cna_low_deg"),
        row.get("cna_high_deg"),
        row.get("arco"),
        row.get("jic"),
        row.get("ha_grade"),
        UnreadReason.PROSTHESIS in statuses or Flag.CENSORED_BY_THA in flags,
    )
