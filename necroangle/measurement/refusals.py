"""What cannot be measured, noted on the way: which hip, where in its reading, and why.

The work goes over all hips at once, one step after the other; of a hip with several faults the one
is told that a reader of its marks would meet first.
"""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import GeometryError, MethodError, NecroangleError


class Stage(IntEnum):
    """The order in which faults of a hip are told."""

    METHOD = 0
    MARKS = 1
    STACK = 2
    SPHERE = 3
    ANGLE = 4
    SURFACE = 5


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a reading has no measurement.

    Attributes
    ----------
    kind
        The error that a single measurement raises.
    problem
        What was found and what to do.
    place
        Where in the reading, as a JSON path, or empty.
    """

    kind: type[NecroangleError]
    problem: str
    place: str = ""

    def error(self) -> NecroangleError:
        """The error itself."""
        if issubclass(self.kind, GeometryError):
            return self.kind(self.problem, place=self.place)
        return self.kind(self.problem)


@dataclass(slots=True)
class Refusals:
    """Notes of what cannot be measured: of each hip the first in the order of its reading.

    Examples
    --------
    >>> found = Refusals(2)
    >>> found.note_view(1, 1, Stage.MARKS, GeometryError, "no circle")
    >>> found.note_view(1, 0, Stage.MARKS, GeometryError, "no arc")
    >>> found.of[1].place, found.free.tolist()
    ('$.views[0]', [True, False])
    """

    size: int
    of: dict[int, Refused] = field(default_factory=dict)
    _rank: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def note(self, hip: int, refused: Refused, *rank: int) -> None:
        """Note why a hip cannot be measured; a lower rank is told before a higher one."""
        if hip not in self.of or rank < self._rank[hip]:
            self.of[hip], self._rank[hip] = refused, rank

    def note_view(
        self,
        hip: int,
        side: int,
        stage: Stage,
        kind: type[NecroangleError],
        problem: str,
        *step: int,
    ) -> None:
        """The same for what lies in one of its two views; steps rank within the view."""
        has_place = issubclass(kind, GeometryError) and stage is not Stage.SURFACE
        place = f"$.views[{side}]" if has_place else ""
        self.note(hip, Refused(kind, problem, place), stage, side, *step)

    def note_method(self, hip: int, problem: str, stage: Stage) -> None:
        """The same where the method, or a setting, cannot be had."""
        self.note(hip, Refused(MethodError, problem), stage)

    @property
    def free(self) -> NDArray[np.bool_]:
        """(R,) which hips can be measured so far."""
        found = np.ones(self.size, bool)
        found[list(self.of)] = False
        return found
