"""Who belongs to a study: its list of subjects and hips."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from necroangle.protocol.near_names import NearNames


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The study's list.

    Attributes
    ----------
    sides
        Subject to the sides that are in the study; none where either may be.
    is_frozen
        Whether the coordinator has closed the list.

    Examples
    --------
    >>> listed = Enrolment({"KT-001": frozenset("L"), "KT-002": frozenset()})
    >>> listed.refusal("KT-0O1", "L")
    "not in the study's list; did you mean KT-001?"
    >>> listed.refusal("KT-001", "R")
    "R is not in the study's list, L is: the other side?"
    >>> listed.refusal("KT-002", "R"), Enrolment().refusal("S9", "L")
    ('', '')
    """

    sides: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    is_frozen: bool = False

    @property
    def stands(self) -> bool:
        """Whether there is a list."""
        return bool(self.sides)

    def refusal(self, subject: str, laterality: str | None = None) -> str:
        """Why a hip, or a subject, is none of the study's; empty where it is one.

        Without a list every hip may be.
        """
        if not self.stands:
            return ""
        sides = self.sides.get(subject)
        if sides is None:
            near = _names(frozenset(self.sides)).suggested(subject)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            return f"not in the study's list{hint}"
        if laterality is None or not sides or laterality in sides:
            return ""
        others = " ".join(sorted(sides))
        return f"{laterality} is not in the study's list, {others} is: the other side?"


@lru_cache(maxsize=4)
def _names(subjects: frozenset[str]) -> NearNames:
    """The list's names, laid out once however many are asked for."""
    return NearNames(subjects)
