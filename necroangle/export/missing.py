"""Why a value is missing: exactly three reasons, because SPSS knows three."""

from enum import Enum

__all__ = ["Missing"]


class Missing(Enum):
    """Why there is no value.

    Examples
    --------
    >>> Missing.NOT_READABLE.code, Missing.NOT_READABLE.letter, Missing.NOT_READABLE.word
    (-98, 'b', 'not_readable')
    """

    NOT_APPLICABLE = (-97, "a", "not_applicable", "not applicable")
    """The question does not arise: a grade after arthroplasty, a cut-off of another method."""
    NOT_READABLE = (-98, "b", "not_readable", "image not readable")
    NOT_DONE = (-99, "c", "not_done", "not done")
    """Not read, not asked, or not entered."""

    @property
    def code(self) -> int:
        """User-missing value in SPSS."""
        return self.value[0]

    @property
    def letter(self) -> str:
        """Letter of the extended missing value in Stata (``.a``) and SAS (``.A``)."""
        return self.value[1]

    @property
    def word(self) -> str:
        """What stands in ``<name>_missing_reason``."""
        return self.value[2]

    @property
    def label(self) -> str:
        """The reason for people."""
        return self.value[3]
