"""One reading for each hip and visit: the consensus, or the first read of a stated reader."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from necroangle.protocol.study import StudyProtocol

_VISITS = 2
"""So many visits of the other side alone speak against a side that was read once."""


@dataclass(frozen=True, slots=True)
class ReadOf:
    """A reading of one hip at one visit, as far as the choice asks.

    Attributes
    ----------
    reader, read_no
        Whose, and which of theirs.
    unites
        Of an adjudicated reading, the kept readings of this hip visit that it unites; None for a
        reader's own.
    """

    reader: str
    read_no: int
    unites: frozenset[str] | None = None

    @property
    def is_consensus(self) -> bool:
        """Whether it unites two or more kept readings; what its reader is called says nothing."""
        return self.unites is not None and len(self.unites) >= 2


@dataclass(frozen=True, slots=True)
class ChosenRead:
    """The reading that stands for a hip visit.

    Attributes
    ----------
    read
        Which.
    rule
        ``"consensus"``, ``"first read of R1"`` (a stated reader), ``"only reader R1"``, or
        ``"first read of R1 (first by name, no reader stated)"``.
    is_consensus
        Whether it counts as a consensus.
    reads
        Of how many readings it was chosen.
    """

    read: ReadOf
    rule: str
    is_consensus: bool
    reads: int


def lone_sides(reads: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Readings of one subject whose side no other reading bears out, and the question about each.

    Asked is where nobody else and no other visit has the side, and another reader read the other
    side at the same visit, or two visits and more were read on the other side alone.

    Parameters
    ----------
    reads
        Laterality, visit and reader of every reading of the subject.

    Examples
    --------
    >>> lone_sides([("L", "m00", "r1"), ("R", "m00", "r2")])[("R", "m00", "r2")]
    'reader r1 read L at m00: is it the other side?'
    >>> both = [(side, "m00", reader) for side in "LR" for reader in ("r1", "r2")]
    >>> lone_sides(both)
    {}
    >>> lone_sides([("L", "m00", "r1"), ("L", "m06", "r1"), ("R", "m12", "r1")])
    {('R', 'm12', 'r1'): 'the other visits were read on L: is it the other side?'}
    """
    found: dict[tuple[str, str, str], str] = {}
    own = sorted(set(reads))
    for side, visit, reader in own:
        here = [one for one in own if one[1] == visit]
        if any(one[0] != side and one[2] == reader for one in here):
            continue  # both hips
        beside = [one for one in own if one[0] == side and one[1:] != (visit, reader)]
        others = [one for one in here if one[2] != reader]
        elsewhere = {one[1] for one in own if one[0] != side and one[1] != visit}
        if beside:
            continue
        if others:  # none of them read this side
            names = ", ".join(sorted({one[2] for one in others}))
            message = f"reader {names} read {others[0][0]} at {visit}: is it the other side?"
            found[side, visit, reader] = message
        elif len(elsewhere) >= _VISITS:
            other = next(one[0] for one in own if one[0] != side)
            message = f"the other visits were read on {other}: is it the other side?"
            found[side, visit, reader] = message
    return found


def choose_read(reads: Iterable[ReadOf], protocol: StudyProtocol) -> ChosenRead | None:
    """The reading that stands for one hip visit.

    A consensus where there is one and the study takes it, the last of several. Otherwise the
    first read of the first of the study's readers who read it, and none where none of them did.
    Without stated readers, the only reader's first read, or that of the first reader by name.

    Parameters
    ----------
    reads
        All readings of one hip at one visit, by one method.
    protocol
        Its readers, and whether a consensus goes before them.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> joint = ReadOf("zoe", 1, frozenset({"a" * 64, "b" * 64}))
    >>> choose_read([ReadOf("kim", 2), ReadOf("kim", 1), joint], NO_STUDY).rule
    'consensus'
    >>> choose_read([ReadOf("kim", 1), ReadOf("consensus", 1)], NO_STUDY).rule
    'first read of consensus (first by name, no reader stated)'
    """
    ordered = sorted(reads, key=lambda read: (read.read_no, read.reader))
    agreed = [read for read in ordered if read.is_consensus] if protocol.consensus else []
    if agreed:
        return ChosenRead(agreed[-1], "consensus", True, len(ordered))
    first = {read.reader: read for read in reversed(ordered) if not read.is_consensus}
    if protocol.readers:
        stated = next((name for name in protocol.readers if name in first), None)
        rule = f"first read of {stated}"
        return None if stated is None else ChosenRead(first[stated], rule, False, len(ordered))
    if not first:
        return None
    name = min(first)
    rule = f"only reader {name}"
    if len(first) > 1:
        rule = f"first read of {name} (first by name, no reader stated)"
    return ChosenRead(first[name], rule, False, len(ordered))


def rule_of_reads(readers: Sequence[str], protocol: StudyProtocol, *, has_consensus: bool) -> str:
    """How the readings of a cohort are chosen, in words.

    Parameters
    ----------
    readers
        Readers of the cohort's own readings, in order.
    protocol
        Its readers.
    has_consensus
        Whether the cohort has a consensus that counts.
    """
    if not readers:
        return "consensus" if has_consensus else "no readings"
    if protocol.readers:
        words = f"first read of {', else of '.join(protocol.readers)}"
    elif len(readers) == 1:
        words = f"first read of {readers[0]}, the only reader"
    else:
        words = f"first read of the first reader by name ({', '.join(readers)}; none was stated)"
    return f"consensus where there is one, else {words}" if has_consensus else words


def strangers(readers: Collection[str], protocol: StudyProtocol) -> tuple[str, ...]:
    """Readers who are none of the study's, by name; none where the study states none.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> strangers({"kim", "zed"}, NO_STUDY.overridden({"readers": ["kim"]}))
    ('zed',)
    """
    return tuple(sorted(set(readers) - set(protocol.readers))) if protocol.readers else ()
