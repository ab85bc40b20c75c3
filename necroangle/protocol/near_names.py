"""Names that are nearly another: a typing error makes a patient who does not exist.

Two names are alike when case, letters that look the same in print (O and 0, l and 1, the Cyrillic
А), zeros before a number and the dash between letters and number do not count. They are near when
one letter more is wrong, left out, added or swapped with its neighbour.

Numbered pseudonyms lie near each other by nature: ``S018`` is no misspelt ``S017``. So a name that
is written like others (the same letters, as many digits) is near to none of them.

Provisional: the rule is ours; ``benchmarks/queries.py`` measures its recall and false alarms.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from necroangle.protocol.study import StudyProtocol
from necroangle.protocol.visits import months_of_name

_LOOKS_LIKE = str.maketrans(
    {
        **dict.fromkeys("oоοօ", "0"),
        **dict.fromkeys("il|іӏιı", "1"),
        **dict(zip("авеёкмнрстухєѕјґ", "abeekmhpctyxesjr", strict=True)),
        **dict(zip("αβεζηκμνρτυχ", "abezhkmvptyx", strict=True)),
    }
)
"""Letters by what they look like, in lower case: digits, Cyrillic and Greek letters."""

_MOST = 3
_USUAL = 3


class NearNames:
    """Names that are known, asked for those that another may be meant for.

    Parameters
    ----------
    known
        The names, each as often as it is given: twice says nothing more.

    Examples
    --------
    >>> known = NearNames(["KT-001", "KT-002", "KT-003"])
    >>> known.alike("kt-0O1"), known.alike("КТ-1"), known.alike("KT-004")
    (('KT-001',), ('KT-001',), ())
    >>> known.near("KT-0012"), known.near("KT-004"), known.near("TK-003")
    (('KT-001', 'KT-002'), (), ('KT-003',))
    >>> known.suggested("KT-011")
    ('KT-001',)
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._alike: dict[str, list[str]] = {}
        self._one_less: dict[str, set[str]] = {}
        for name in sorted(self._known):
            self._alike.setdefault(_outline(name), []).append(name)
            for part in _one_less(name.casefold()):
                self._one_less.setdefault(part, set()).add(name)
        self._ways = Counter(map(written_like, self._known))

    def alike(self, name: str) -> tuple[str, ...]:
        """Other names that differ only in what does not count."""
        return tuple(one for one in self._alike.get(_outline(name), ()) if one != name)[:_MOST]

    def near(self, name: str) -> tuple[str, ...]:
        """Names that are alike; else those one letter away that are written as is usual.

        Such a name is asked for only where the name itself is written like hardly any other.
        """
        own = self._ways[written_like(name)] + (name not in self._known)
        return self.alike(name) or tuple(
            one
            for one in self._one_letter(name)
            if (ways := self._ways[written_like(one)]) >= _USUAL and own <= max(1, ways // 10)
        )

    def suggested(self, name: str) -> tuple[str, ...]:
        """What may be meant by a name that is not known, however it is written.

        Three or more that differ by one letter say no more than that they are numbered.
        """
        near = self._one_letter(name)
        return self.alike(name) or (near if len(near) < _USUAL else ())

    def _one_letter(self, name: str) -> tuple[str, ...]:
        folded = name.casefold()
        near = {one for part in _one_less(folded) for one in self._one_less.get(part, ())}
        fitting = [one for one in sorted(near) if one != name and _is_one_away(folded, one)]
        return tuple(fitting[:_MOST])


def written_like(name: str) -> str:
    """A name with its digits unread: how it is written.

    Examples
    --------
    >>> written_like("KT-001")
    'KT-###'
    """
    return re.sub(r"\d", "#", name)


def near_visit(name: str, planned: Mapping[str, float | None]) -> str:
    """The visit that a name not among the planned ones is meant for; empty where none is.

    Parameters
    ----------
    name
        As it is written.
    planned
        Names of the visits, and the months of each.

    Examples
    --------
    >>> planned = {"m00": 0.0, "m06": 6.0, "m12": 12.0}
    >>> near_visit("6m", planned), near_visit("M06", planned), near_visit("m48", planned)
    ('m06', 'm06', '')
    """
    if name in planned:
        return ""
    months = months_of_name(name)
    same = [one for one, at in planned.items() if months is not None and at == months]
    found = same or NearNames(planned).alike(name)
    if not found and months is None:
        found = NearNames(planned).suggested(name)
    return found[0] if found else ""


def unplanned(name: str, protocol: StudyProtocol) -> str:
    """Why a visit is none of the study's, and which may be meant; empty where it is one.

    A study that plans no visits takes any.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY, new_protocol
    >>> unplanned("12m", new_protocol("onfh", "ha_mr_midslice"))
    "none of the study's; did you mean m12?"
    >>> unplanned("12m", NO_STUDY)
    ''
    """
    planned = {visit.name: visit.nominal_months for visit in protocol.visits}
    if not planned or name in planned:
        return ""
    near = near_visit(name, planned)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(planned)}"
    return f"none of the study's; {hint}"


def _outline(name: str) -> str:
    """What is left of a name when what does not count is taken away."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKS_LIKE)
    plain = re.sub(r"[-_. ]+", "-", plain).strip("-")
    plain = re.sub(r"(?<=[^\d-])-(?=\d)|(?<=\d)-(?=[^\d-])", "", plain)
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain)


def _one_less(text: str) -> set[str]:
    """The text with each of its letters taken out once, and the text itself."""
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def _is_one_away(text: str, other: str) -> bool:
    """Whether one letter wrong, added, left out or swapped with its neighbour makes the other."""
    other = other.casefold()
    if len(text) != len(other):
        long, short = sorted((text, other), key=len, reverse=True)
        return len(long) == len(short) + 1 and short in _one_less(long)
    differ = [
        place for place, pair in enumerate(zip(text, other, strict=True)) if len(set(pair)) > 1
    ]
    if len(differ) == 2 and differ[1] == differ[0] + 1:
        return text[differ[0]] == other[differ[1]] and text[differ[1]] == other[differ[0]]
    return len(differ) <= 1
