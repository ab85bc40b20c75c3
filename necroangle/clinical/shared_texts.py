"""The texts of a workbook that its cells share, taken as they pass by."""

import re
from collections.abc import Mapping

__all__ = ["SharedTexts", "unescape"]

_ESCAPED = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")


class SharedTexts:
    """Takes the elements of the part and keeps its texts, without Japanese reading aids.

    Attributes
    ----------
    texts
        By number.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._in_text = self._in_aid = False

    def on_start(self, element: str, _: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if element == "t":
            self._in_text = True
        elif element == "rPh":
            self._in_aid = True
        elif element == "si":
            self._pieces.clear()

    def on_text(self, text: str) -> None:
        """Take a piece of text."""
        if self._in_text and not self._in_aid:
            self._pieces.append(text)

    def on_end(self, element: str) -> None:
        """Take the end of an element."""
        if element == "t":
            self._in_text = False
        elif element == "rPh":
            self._in_aid = False
        elif element == "si":
            self.texts.append(unescape("".join(self._pieces)))


def unescape(text: str) -> str:
    r"""A text whose control characters are written as ``_x000D_``.

    Examples
    --------
    >>> unescape("a_x0009_b")
    'a\tb'
    """
    return _ESCAPED.sub(_letters, text) if "_x" in text else text


def _letters(found: re.Match[str]) -> str:
    """The letters of one run of codes: UTF-16 units, of which two may make one letter."""
    units = bytes.fromhex("".join(code for code in re.findall("_x(....)_", found[0])))
    return units.decode("utf-16-be", "replace")
