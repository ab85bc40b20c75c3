"""The order in which a reader sees the cases: their own, blinded, the same whenever asked for.

Everything follows from HMAC-SHA256 under the study's seed, never from a random generator, so that
another machine and another year give the same list. Subjects and visits do not show: a case goes
by its number and a code, and a repeat has a code of its own.

A reader has two sessions where cases are repeated. The first holds every case but some that are
held back; the second, after the wash-out, holds the repeats, and the cases held back between them:
so a case of the second session may or may not have been seen before.
"""

import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from necroangle.errors import ReadingError
from necroangle.readerstudy.worklist import StudyCase, Worklist

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 of them, without those that look alike."""

_CODE_LETTERS = 5


@dataclass(frozen=True, slots=True)
class ListedCase:
    """One place of a reader's list.

    Attributes
    ----------
    read_order
        Its number, from 1.
    code
        What it is called; betrays neither subject nor visit nor repeat.
    case
        What it is; hidden from a blinded reader.
    read_no
        1, and 2 for a repeat; hidden likewise.
    session
        1 before the wash-out, 2 after it.
    """

    read_order: int
    code: str
    case: StudyCase
    read_no: int
    session: int

    @property
    def label(self) -> str:
        """What a blinded reader sees.

        Examples
        --------
        >>> from necroangle.terms import Laterality, View
        >>> hip = StudyCase(
        ...     subject="P1",
        ...     laterality=Laterality.LEFT,
        ...     visit="m00",
        ...     views=(View.CORONAL, View.SAGITTAL),
        ...     folder=".",
        ... )
        >>> ListedCase(7, "K3Q9X", hip, 1, 1).label
        'Case 7 (K3Q9X), left hip'
        """
        side = "left" if self.case.laterality == "L" else "right"
        return f"Case {self.read_order} ({self.code}), {side} hip"


@dataclass(frozen=True, slots=True)
class _Reading:
    case: StudyCase
    read_no: int


def reading_list(worklist: Worklist, reader: str) -> tuple[ListedCase, ...]:
    """All that a reader is to read, in their order.

    Parameters
    ----------
    worklist
        The study.
    reader
        One of its readers.

    Returns
    -------
    tuple of ListedCase
        Both sessions. The hips and visits of one subject never follow each other as long as there
        is another subject to show.

    Raises
    ------
    ReadingError
        If the worklist has no such reader.

    Examples
    --------
    >>> from necroangle.readerstudy.worklist import make_worklist
    >>> from necroangle.terms import Laterality, View
    >>> hips = [
    ...     StudyCase(
    ...         subject=f"P{number}",
    ...         laterality=Laterality.LEFT,
    ...         visit="m00",
    ...         views=(View.CORONAL, View.SAGITTAL),
    ...         folder=".",
    ...     )
    ...     for number in range(6)
    ... ]
    >>> study = make_worklist(hips, ["r1", "r2"], repeats=2, seed=7)
    >>> [(one.session, one.read_no) for one in reading_list(study, "r1")]
    [(1, 1), (1, 1), (1, 1), (1, 1), (2, 1), (2, 2), (2, 1), (2, 2)]
    >>> [one.case.subject for one in reading_list(study, "r2")][:4]
    ['P2', 'P3', 'P0', 'P4']
    >>> reading_list(study, "r3")
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: the worklist has no reader 'r3'; it has: r1, r2
    """
    if reader not in worklist.readers:
        raise ReadingError(
            f"the worklist has no reader {reader!r}; it has: {', '.join(worklist.readers)}"
        )
    sessions = _sessions(worklist, reader)
    listed: list[ListedCase] = []
    codes: set[str] = set()
    for number, readings in enumerate(sessions, start=1):
        last = listed[-1].case.subject if listed else ""
        for one in _spread(readings, last):
            code = _code(worklist, reader, one, codes)
            codes.add(code)
            listed.append(ListedCase(len(listed) + 1, code, one.case, one.read_no, number))
    return tuple(listed)


def _sessions(worklist: Worklist, reader: str) -> tuple[list[_Reading], list[_Reading]]:
    """What each session holds, shuffled."""
    by_chance = _sorted(worklist, "repeated", worklist.cases)
    repeated, others = by_chance[: worklist.repeats], by_chance[worklist.repeats :]
    usual = min(worklist.repeats, len(others) // 2)
    held_count = usual if worklist.held_back is None else worklist.held_back
    held = _sorted(worklist, f"held {reader}", others)[:held_count]
    kept_back = set(held)
    first = [_Reading(case, 1) for case in worklist.cases if case not in kept_back]
    second = [_Reading(case, 2) for case in repeated] + [_Reading(case, 1) for case in held]

    def chance(one: _Reading) -> bytes:
        return _digest(worklist, f"order {reader} {one.read_no}", one.case)

    return sorted(first, key=chance), sorted(second, key=chance)


def _spread(readings: list[_Reading], last: str) -> list[_Reading]:
    """The same readings with those of one subject apart, as far as there are others between."""
    left = list(readings)
    counts = Counter(one.case.subject for one in left)
    spread: list[_Reading] = []
    while left:
        most, count = counts.most_common(1)[0]
        must = most if most != last and count * 2 > len(left) else ""
        fitting = (one for one in left if _may_follow(one, last, must))
        chosen = next(fitting, left[0])
        left.remove(chosen)
        last = chosen.case.subject
        counts[last] -= 1
        spread.append(chosen)
    return spread


def _may_follow(one: _Reading, last: str, must: str) -> bool:
    return one.case.subject == must if must else one.case.subject != last


def _code(worklist: Worklist, reader: str, one: _Reading, taken: set[str]) -> str:
    for attempt in range(1000):
        digest = _digest(worklist, f"code {reader} {one.read_no} {attempt}", one.case)
        code = "".join(_LETTERS[byte % 32] for byte in digest[:_CODE_LETTERS])
        if code not in taken:
            return code
    raise ReadingError("too many cases for codes of five letters; split the study")


def _sorted(worklist: Worklist, purpose: str, cases: Iterable[StudyCase]) -> list[StudyCase]:
    return sorted(cases, key=lambda case: _digest(worklist, purpose, case))


def _digest(worklist: Worklist, purpose: str, case: StudyCase) -> bytes:
    key = f"necroangle.worklist {worklist.seed}".encode()
    words = "\x1f".join((purpose, *case.key)).encode()
    return hmac.digest(key, words, "sha256")
