"""Who may enter the cohort: the study's list, its readers, and readings that were withdrawn."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.records import (
    ENROLLED,
    STUDY_LIST,
    WITHDRAWN_READING,
    Entry,
    Record,
    Recorded,
)
from necroangle.ledger.schema import ROWS
from necroangle.ledger.store import CohortStore
from necroangle.measurement.row import RowKey
from necroangle.protocol.enrolment import Enrolment
from necroangle.protocol.near_names import NearNames, unplanned
from necroangle.protocol.reads import lone_sides, strangers
from necroangle.protocol.study import StudyProtocol
from necroangle.study import find_study

_LIST_KEY = ("subjects",)
_SIDES = "sides"
_IF_MEANT = "If it is new, enrol it (`necroangle enrol`), or say --new-subjects"


def enrolment_of(store: CohortStore | None) -> Enrolment:
    """The study's list as it stands in the ledger; an empty one where there is none.

    Examples
    --------
    >>> enrolment_of(None).stands
    False
    """
    if store is None:
        return Enrolment()
    found = {
        record.key[0]: frozenset(str(record.values.get(_SIDES) or "").split())
        for record in store.current(ENROLLED)
    }
    state = store.current(STUDY_LIST, _LIST_KEY)
    return Enrolment(found, bool(state and state[0].values.get("frozen")))


def enrol(
    store: CohortStore,
    sides: Mapping[str, frozenset[str]],
    *,
    actor: str,
    reason: str,
    new_subjects: bool = False,
) -> Recorded:
    """Put subjects, and the sides of them that are studied, in the study's list.

    A subject that is in the list already gets the sides that are new.

    Parameters
    ----------
    sides
        Subject to its sides; none: either.
    new_subjects
        Whether a list that is frozen may grow.

    Raises
    ------
    CohortError
        If the list is frozen, two names are alike (``KT-001`` and ``kt-001``), or no reason is
        given for a change of a frozen list.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> store = CohortStore.open(Path(mkdtemp()) / "cohort.sqlite")
    >>> who = {"actor": "kim", "reason": "consent of 2 May"}
    >>> enrol(store, {"KT-001": frozenset("L")}, **who).created
    1
    >>> enrol(store, {"KT-0O1": frozenset("L")}, **who)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: ...: KT-0O1: is it KT-001? No two subjects of a study may ...
    """
    listed = enrolment_of(store)
    wanted = _added(listed, sides)
    if wanted and listed.is_frozen and not new_subjects:
        raise CohortError(
            f"{store.name}: the list is frozen; a later subject needs --new-subjects and a reason"
        )
    names = NearNames({*listed.sides, *wanted})
    for subject in wanted:
        if near := names.alike(subject):
            raise CohortError(
                f"{store.name}: {subject}: is it {near[0]}? No two subjects of a study may be "
                "named so nearly alike"
            )
    entries = [Entry(ENROLLED, (one,), _listed(some), reason) for one, some in wanted.items()]
    return store.record(entries, actor=actor)


def freeze(store: CohortStore, *, actor: str, reason: str, frozen: bool = True) -> None:
    """Close the study's list, or open it again.

    Raises
    ------
    CohortError
        If there is no list.
    """
    if not enrolment_of(store).stands:
        raise CohortError(f"{store.name}: there is no list yet; enrol subjects first")
    store.record([Entry(STUDY_LIST, _LIST_KEY, {"frozen": int(frozen)}, reason)], actor=actor)


def strike(store: CohortStore, subject: str, *, actor: str, reason: str) -> None:
    """Take a subject out of the study's list; its records and readings stay.

    Raises
    ------
    CohortError
        If it is not in the list.
    """
    if subject not in enrolment_of(store).sides:
        raise CohortError(f"{store.name}: {subject} is not in the study's list")
    store.record([Entry(ENROLLED, (subject,), None, reason)], actor=actor)


def known_subjects(store: CohortStore | None) -> frozenset[str]:
    """Every subject that has a measured row or a clinical record."""
    if store is None:
        return frozenset()
    with store.reading() as connection:
        measured = set(connection.execute(sa.select(ROWS.c.subject).distinct()).scalars())
    return frozenset(measured | {record.key[0] for record in store.current("subject")})


@dataclass(slots=True)
class Admission:
    """What may enter a cohort, asked one reading at a time.

    Build it with :meth:`of`.

    Attributes
    ----------
    enrolment
        The study's list.
    protocol
        The study's readers and visits.
    withdrawn
        The readings that were withdrawn.
    new_subjects
        Whether hips that are not in the list are taken, and put in it.
    added
        The hips that were so taken: subject to sides.
    entered
        Subject, laterality, visit and reader of the readings that may enter.
    """

    enrolment: Enrolment
    protocol: StudyProtocol
    withdrawn: Mapping[tuple[str, ...], Record] = field(default_factory=dict)
    new_subjects: bool = False
    added: dict[str, frozenset[str]] = field(default_factory=dict)
    entered: set[tuple[str, str, str, str]] = field(default_factory=set)

    @classmethod
    def of(
        cls, store: CohortStore | None, protocol: StudyProtocol, *, new_subjects: bool = False
    ) -> "Admission":
        """What may enter a cohort, as its ledger and the study say; None: a cohort to be."""
        gone = store.current(WITHDRAWN_READING) if store is not None else []
        return cls(enrolment_of(store), protocol, {one.key: one for one in gone}, new_subjects)

    def of_hip(self, subject: str, laterality: str | None = None) -> str:
        """Why a hip, or a subject, may not enter; empty where it may."""
        problem = self.enrolment.refusal(subject, laterality)
        if not problem:
            return ""
        if not self.new_subjects:
            return f"{problem} {_IF_MEANT}" if problem.endswith("?") else f"{problem}. {_IF_MEANT}"
        side = frozenset({laterality} if laterality else ())
        self.added[subject] = self.added.get(subject, frozenset()) | side
        return ""

    def of_reading(self, key: RowKey, is_consensus: bool) -> str:
        """Why a reading may not enter; empty where it may.

        Parameters
        ----------
        key
            Of its row.
        is_consensus
            Whether it unites the readings of others: its reader need not be the study's.
        """
        problem = self._against(key, is_consensus)
        if not problem:
            self.entered.add((key.subject, key.laterality, key.visit, key.reader))
        return problem

    def _against(self, key: RowKey, is_consensus: bool) -> str:
        own = (key.subject, key.laterality, key.visit, key.reader, str(key.read_no))
        if (gone := self.withdrawn.get(own)) is not None:
            why = f": {gone.reason}" if gone.reason else ""
            return (
                f"it was withdrawn by {gone.actor or 'someone'} on {gone.at[:10]}{why}; take its "
                "file out of the folder, or put it back with `necroangle withdraw reading ... "
                "--put-back`"
            )
        if not is_consensus and strangers({key.reader}, self.protocol):
            return (
                f"reader {key.reader} is none of the study's "
                f"({', '.join(self.protocol.readers)}); add the reader to study.toml, or take the "
                "file out"
            )
        problem = self.of_hip(key.subject, key.laterality)
        return problem and f"{key.subject}: {problem}"

    def entries(self, reason: str) -> list[Entry]:
        """What puts the hips that were taken anew in the list."""
        wanted = _added(self.enrolment, self.added)
        return [Entry(ENROLLED, (one,), _listed(some), reason) for one, some in wanted.items()]

    def nearly(self, subjects: Iterable[str], known: Iterable[str]) -> dict[str, str]:
        """New subjects whose name is nearly another's, and the question about each.

        Parameters
        ----------
        subjects
            Those that enter.
        known
            Those that were there before.

        Examples
        --------
        >>> from necroangle.protocol.study import NO_STUDY
        >>> Admission.of(None, NO_STUDY).nearly(["kt-001", "KT-002"], ["KT-001"])
        {'kt-001': 'did you mean KT-001?'}
        """
        come, there = set(subjects), frozenset(known)
        names = NearNames(there | come)
        return {
            subject: f"did you mean {' or '.join(near)}?"
            for subject in sorted(come - there - self.enrolment.sides.keys())
            if (near := names.near(subject))
        }

    def doubts(self, known: Iterable[str]) -> list[str]:
        """What is doubtful about the subjects and visits that entered, a line each.

        Examples
        --------
        >>> from necroangle.protocol.study import NO_STUDY
        >>> here = Admission.of(None, NO_STUDY)
        >>> here.of_reading(RowKey("kt-001", "L", "m00", "r1", 1, "ha_mr_midslice"), False)
        ''
        >>> here.doubts(["KT-001"])
        ['new subject kt-001: did you mean KT-001?']
        >>> here.of_reading(RowKey("kt-001", "R", "m00", "r2", 1, "ha_mr_midslice"), False)
        ''
        >>> here.doubts(["kt-001"])[-1]
        'kt-001 R m00, reader r2: reader r1 read L at m00: is it the other side?'
        """
        near = self.nearly((one[0] for one in self.entered), known)
        found = [f"new subject {subject}: {question}" for subject, question in near.items()]
        visits = sorted({one[2] for one in self.entered})
        problems = {visit: unplanned(visit, self.protocol) for visit in visits}
        found += [f"visit {visit}: {words}" for visit, words in problems.items() if words]
        return [*found, *self._other_sides()]

    def _other_sides(self) -> Iterator[str]:
        """Readings that entered on a side that no other of their subject bears out."""
        subjects: dict[str, list[tuple[str, str, str]]] = {}
        for subject, *read in sorted(self.entered):
            subjects.setdefault(subject, []).append((read[0], read[1], read[2]))
        for subject, reads in subjects.items():
            for (side, visit, reader), message in lone_sides(reads).items():
                yield f"{subject} {side} {visit}, reader {reader}: {message}"


def admission_of_folder(folder: Path) -> Admission | None:
    """What may enter the table of the study that a folder of readings belongs to.

    None where the folder belongs to no study, or there is no table that can be opened: then nothing
    is known of who may enter.
    """
    study = find_study(folder)
    if study is None:
        return None
    try:
        return Admission.of(CohortStore.open(study.cohort, create=False), study.protocol)
    except CohortError:
        return Admission.of(None, study.protocol)


def _added(listed: Enrolment, sides: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The subjects whose entry changes, with the sides that it then has; none: either."""
    found = {}
    for subject, some in sides.items():
        before = listed.sides.get(subject)
        if before is None:
            found[subject] = some
        elif before and not some <= before:
            found[subject] = before | some
        elif before and not some:
            continue  # the sides that are studied stand there already
    return found


def _listed(sides: frozenset[str]) -> dict[str, str | int | float | None]:
    return {_SIDES: " ".join(sorted(sides))}
